"""What a list misses proves nothing by itself, and what shows up late is known again (SETTLEMENT §7 R1, R6, R7)."""

from __future__ import annotations

from typing import Any

import pytest

CHAT, LLM = "theta/Deployment/chat", "runai/Inference/llm"
NOTHING = {
    CHAT: {"path": r"/deployments?/list$", "body": {"status": "success", "body": []}},
    LLM: {"path": r"^/api/v1/workloads$", "body": {"workloads": [], "next": None}},
}
"""Kind → its list, and how it says that there is nothing."""


def miss(fleet: Any, address: str, times: int | None, *more: dict[str, Any]) -> None:
    """The list of this kind shows nothing, so many times (`None`: always); `more`: further faults."""
    module = fleet.module(address)
    hidden = {"provider": module, "method": "GET", "when": "before", "status": 200, "count": times, **NOTHING[address]}
    fleet.served.post("faults", [hidden, *more])


def lose_create(fleet: Any, address: str) -> None:
    """An apply whose create lands, without an answer and without showing up."""
    path = fleet.create_path(address)
    lost = {"provider": fleet.module(address), "method": "POST", "path": path, "when": "after-commit", "drop": True}
    miss(fleet, address, None, lost)
    fleet.apply(code=3)
    assert fleet.counts()[address] == 1


@pytest.mark.parametrize("address", [CHAT, LLM])
def test_an_open_create_is_not_sent_again_because_one_list_misses_it(fleet: Any, address: str) -> None:
    fleet.served.post("switches", {"theta": {"annotations_mode": "null"}})
    fleet.write(address)
    lose_create(fleet, address)
    miss(fleet, address, 1)

    done = fleet.project.run("apply", "--yes")

    assert fleet.creates()[address] == 1, done.stdout + done.stderr
    assert "one list that misses something proves nothing" in done.stderr
    assert done.returncode == (0 if address == LLM else 4), "without a marker a person must say which it is"


def test_a_create_that_was_given_up_and_comes_late_is_ours_all_the_same(fleet: Any) -> None:
    fleet.write(LLM)
    lose_create(fleet, LLM)
    miss(fleet, LLM, None)
    fleet.apply(code=3)
    assert len(fleet.writes_of(LLM, "POST")) == 2, "it was given up, and the name was found taken"
    fleet.served.post("faults", [])

    done = fleet.apply()

    assert "a create of an earlier run came late" in done.stdout + done.stderr
    assert fleet.counts()[LLM] == 1
    fleet.assert_settled()
    fleet.edit(LLM, "container: 8080", "container: 9090")
    assert fleet.changes()[LLM]["action"] == "replace", "the journal proves that it is ours"


def test_a_person_can_say_that_none_of_the_candidates_is_ours(fleet: Any) -> None:
    fleet.served.post("switches", {"theta": {"annotations_mode": "null"}})
    fleet.write(CHAT)
    fleet.fault(CHAT, when="before", status=502, body={})
    fleet.apply(code=3)
    (sent,) = fleet.writes_of(CHAT, "POST")
    unmarked = {key: value for key, value in sent["body"].items() if key != "annotations"}
    fleet.by_hand("POST", "/deployment", unmarked)
    (stranger,) = fleet.ours()[CHAT]
    asked = fleet.apply(code=4)
    assert stranger in asked.stdout
    assert "`reconciler ledger trust theta/Deployment`" in asked.stdout

    assert fleet.project.run("ledger", "trust", "theta/Deployment").returncode == 0
    fleet.apply()

    assert stranger in fleet.ours()[CHAT]
    assert fleet.counts()[CHAT] == 2, "theirs and ours"
    fleet.assert_settled()


def test_an_open_create_whose_file_is_gone_is_still_asked_about(fleet: Any) -> None:
    fleet.served.post("switches", {"theta": {"annotations_mode": "null"}})
    fleet.write(CHAT)
    lose_create(fleet, CHAT)
    fleet.served.post("faults", [])
    (machine,) = fleet.ours()[CHAT]
    fleet.remove(CHAT)

    done = fleet.apply("--allow-empty-spec", code=1)

    assert f"it left the spec, and an earlier create may be one of 2/{machine}" in done.stdout.replace("  ", " ")
    assert fleet.project.run("ledger", "trust", "theta/Deployment").returncode == 0
    fleet.apply("--allow-empty-spec")
    assert fleet.ours()[CHAT] == [machine], "nobody knows whose it is: it is left alone"


def test_the_other_half_of_a_replace_that_one_list_misses_is_not_forgotten(fleet: Any) -> None:
    fleet.served.post("switches", {"theta": {"annotations_mode": "null"}})
    fleet.write(CHAT)
    fleet.apply()
    (old,) = fleet.ours()[CHAT]
    fleet.edit(CHAT, "vm_gt1", "vm_gt2")
    fleet.fault(CHAT, method="DELETE", path=".*", when="before", status=403, body={})
    fleet.apply(code=3)
    (new,) = set(fleet.ours()[CHAT]) - {old}
    fleet.edit(CHAT, "vm_gt2", "vm_gv2")
    listed = [item for item in fleet.served.get("state")["theta"] if item["Suffix"] != old]
    body = {"status": "success", "body": listed}
    fleet.fault(CHAT, method="GET", path=r"/deployments?/list$", when="before", status=200, body=body)

    fleet.apply(code=3)

    assert fleet.ours()[CHAT] == [new]
    fleet.apply()
    assert fleet.counts()[CHAT] == 1
    fleet.assert_settled()
