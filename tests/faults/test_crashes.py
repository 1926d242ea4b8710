"""SIGKILL between sending and hearing, and the same command again: on the same ledger and on a fresh one (case C39)."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

CHAT, ANN = "theta/Deployment/chat", "modelarts/Notebook/ann"
ONE_EACH = {CHAT: 1, "runai/Inference/llm": 1, "modelarts/Service/mnist": 1, "modelarts/Notebook/ann": 1}


def kill(fleet: Any, claim: Any) -> None:
    """Start an apply and kill it as soon as something is true of the emulator."""
    process = fleet.project.start("apply", "--yes")
    try:
        fleet.wait_for(claim)
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("ledger", ["kept", "lost"])
@pytest.mark.parametrize("moment", ["before", "after-commit"])
def test_a_run_killed_in_mid_create_is_followed_by_one_that_makes_no_twin(fleet: Any, moment: str, ledger: str) -> None:
    """`before`: the server has read the request and carries it out after the death of who sent it."""
    fleet.write()
    fleet.fault(when=moment, delay_s=2)
    all_sent = lambda: fleet.creates() == ONE_EACH  # noqa: E731
    kill(fleet, all_sent if moment == "before" else lambda: fleet.counts() == ONE_EACH)
    fleet.served.post("faults", [])
    if ledger == "lost":
        fleet.drop_ledger()
        fleet.project.env["CI"] = "1"  # a hosted runner has nothing but the spec: it waits before it trusts an absence
        fleet.project.write(
            "reconciler.yaml",
            (fleet.project.root / "reconciler.yaml").read_text(encoding="utf-8")
            + "  ledger: {type: sqlite, path: .reconciler/ledger.db}\n",
        )

    fleet.apply()

    assert fleet.counts() == ONE_EACH
    assert fleet.creates() == ONE_EACH
    fleet.assert_settled()


def test_the_rerun_takes_over_at_once_and_says_what_it_found_open(fleet: Any) -> None:
    fleet.write("modelarts/Service/mnist")
    fleet.fault(when="after-commit", delay_s=2)
    kill(fleet, lambda: fleet.counts()["modelarts/Service/mnist"] == 1)
    begun = time.monotonic()

    done = fleet.apply()

    assert time.monotonic() - begun < 8, "it waited for a window that proves nothing here"
    assert re.search(r"mnist: the create of an earlier run had been done \([0-9a-f-]{36}\)", done.stdout)


def test_a_run_killed_while_waiting_is_followed_by_one_that_waits_on(fleet: Any) -> None:
    """Also what depends on it has to wait: nothing is made before its readiness (SETTLEMENT R12)."""
    fleet.served.post("switches", {"modelarts-services": {"deploy_s": 3000}})  # five seconds of ours
    fleet.write("modelarts/Service/mnist")
    fleet.write(CHAT)
    fleet.edit(CHAT, "metadata: {name: chat}", "metadata: {name: chat, dependsOn: [modelarts/Service/mnist]}")
    kill(fleet, lambda: fleet.counts()["modelarts/Service/mnist"] == 1)

    done = fleet.apply()

    (service,) = (item for item in fleet.served.get("state")["modelarts-services"] if item["service_name"] == "mnist")
    assert service["status"] == "running"
    assert fleet.counts() == {**dict.fromkeys(ONE_EACH, 0), CHAT: 1, "modelarts/Service/mnist": 1}
    log = fleet.served.get("requests")
    post = next(entry["number"] for entry in log if entry["method"] == "POST" and entry["path"] == "/deployment")
    looks = [
        e for e in log if e["number"] < post and e["path"].startswith(f"/v1/0f5a/services/{service['service_id']}")
    ]
    assert len(looks) >= 3, "the second run did not wait before it made what depends on it"
    assert "mnist" in done.stdout
    fleet.assert_settled()


def test_without_marker_and_without_ledger_no_second_machine_is_made(fleet: Any) -> None:
    """Theta with null annotations: the right end is a question (SETTLEMENT §1.3)."""
    fleet.served.post("switches", {"theta": {"annotations_mode": "null"}})
    fleet.write(CHAT)
    fleet.fault(CHAT, when="after-commit", delay_s=2)
    kill(fleet, lambda: fleet.counts()[CHAT] == 1)
    fleet.drop_ledger()

    fleet.apply(code=4)

    change = fleet.changes()[CHAT]
    assert (change["action"], change["reason"]) == ("blocked", "possible-duplicate")
    (suffix,) = fleet.ours()[CHAT]
    assert suffix in change["message"]
    assert "adopt" in change["message"]
    assert fleet.creates()[CHAT] == 1


def test_without_marker_an_open_create_in_the_ledger_ends_in_a_question_too(fleet: Any) -> None:
    fleet.served.post("switches", {"theta": {"annotations_mode": "null"}})
    fleet.write(CHAT)
    fleet.fault(CHAT, when="after-commit", delay_s=2)
    kill(fleet, lambda: fleet.counts()[CHAT] == 1)

    done = fleet.apply(code=4)

    (suffix,) = fleet.ours()[CHAT]
    assert suffix in done.stdout
    assert fleet.creates()[CHAT] == 1
    # A person has looked, and says which one it is: that closes the question.
    (found,) = {one for one in re.findall(r"[\w-]+/[\w-]+", done.stdout) if one.endswith(suffix)}
    fleet.edit(CHAT, "spec:", f"lifecycle: {{adopt: {found}}}\nspec:")
    fleet.apply()
    assert fleet.creates()[CHAT] == 1
    fleet.assert_settled()


def test_a_ledger_that_is_cut_off_is_set_aside_and_nothing_is_made_twice(fleet: Any) -> None:
    fleet.write()
    fleet.apply()
    ledger = fleet.project.root / ".reconciler/ledger.db"
    for path in ledger.parent.glob("ledger.db-*"):
        path.unlink()
    ledger.write_bytes(ledger.read_bytes()[:3000])

    done = fleet.apply()

    assert "ledger" in done.stderr
    assert fleet.creates() == ONE_EACH
    fleet.assert_settled()


@pytest.mark.parametrize(
    ("annotations", "fault"),
    [
        pytest.param("echo", {"drop": True}, id="the delete never arrived"),
        pytest.param("null", {"drop": True}, id="the delete never arrived, and no marker tells old from new"),
        pytest.param("null", {"delay_s": 3}, id="the delete is carried out after the death, and no marker tells"),
    ],
)
def test_a_create_first_replace_that_dies_in_its_delete_is_finished_and_never_makes_a_third(
    fleet: Any, annotations: str, fault: dict[str, Any]
) -> None:
    fleet.served.post("switches", {"theta": {"annotations_mode": annotations}})
    fleet.write(CHAT)
    fleet.apply()
    (old,) = fleet.ours()[CHAT]
    fleet.edit(CHAT, "vm_gt1", "vm_gt2")
    fleet.fault(CHAT, method="DELETE", path=".*", when="before", **fault)
    kill(fleet, lambda: bool(fleet.writes_of(CHAT, "DELETE")))
    assert fleet.counts()[CHAT] == 2

    change = fleet.changes()[CHAT]
    assert (change["action"], change["reason"]) == ("unknown", "unsettled")
    done = fleet.apply()

    assert "unfinished-replace" in done.stdout or "delay_s" in fault
    assert fleet.creates()[CHAT] == 2
    (new,) = fleet.ours()[CHAT]
    assert new != old
    fleet.assert_settled()


def test_both_halves_of_a_replace_that_never_ended_go_with_their_file_and_who_needed_them_goes_first(
    fleet: Any,
) -> None:
    fleet.write(CHAT, lifecycle="{replace: create-first}")
    fleet.write(ANN)
    fleet.edit(ANN, "{name: ann}", "{name: ann, dependsOn: [theta/Deployment/chat]}")
    fleet.apply()
    fleet.edit(CHAT, "vm_gt1", "vm_gt2")
    fleet.fault(CHAT, method="DELETE", path=".*", when="before", status=500, body={}, count=None)
    fleet.apply(code=3)
    assert fleet.counts()[CHAT] == 2
    fleet.served.post("faults", [])
    fleet.remove(CHAT)
    fleet.remove(ANN)

    plan = fleet.project.plan("--allow-empty-spec")
    assert {change["reason"] for change in plan["changes"]} == {"removed-from-spec"}
    assert plan["steps"][0]["address"] == ANN
    assert plan["steps"][-1]["address"] == CHAT, "its entry proves the other half's owner until that has gone"
    fleet.apply("--allow-empty-spec")

    assert fleet.counts()[CHAT] == fleet.counts()[ANN] == 0
    fleet.assert_settled()


def test_a_replace_that_is_ended_for_a_spec_that_has_moved_on_is_not_called_done(fleet: Any) -> None:
    half_replaced(fleet)
    fleet.edit(CHAT, "vm_gt2", "vm_gv2")

    done = fleet.apply(code=3)

    assert "apply again for what is still to do" in done.stdout
    assert fleet.changes()[CHAT]["reason"] == "field-forces-replace"
    fleet.apply()
    assert fleet.counts()[CHAT] == 1
    fleet.assert_settled()


def test_a_spec_that_goes_back_in_the_middle_of_a_replace_keeps_the_machine_that_it_has(fleet: Any) -> None:
    old = half_replaced(fleet)
    fleet.edit(CHAT, "vm_gt2", "vm_gt1")

    fleet.apply()

    assert fleet.ours()[CHAT] == [old]
    assert fleet.creates()[CHAT] == 2
    fleet.assert_settled()


def test_a_rename_in_the_middle_of_a_replace_leaves_one_entry(fleet: Any) -> None:
    half_replaced(fleet)
    fleet.edit(CHAT, "metadata: {name: chat}", "metadata: {name: talk}\nlifecycle: {renamedFrom: [chat]}")

    fleet.apply()

    assert fleet.counts()[CHAT] == 1
    fleet.assert_settled()


def test_the_old_machine_is_still_known_when_the_new_one_vanishes(fleet: Any) -> None:
    fleet.served.post("switches", {"theta": {"annotations_mode": "null"}})
    old = half_replaced(fleet)
    (new,) = (item for item in fleet.served.get("state")["theta"] if item["Suffix"] in set(fleet.ours()[CHAT]) - {old})
    fleet.by_hand("DELETE", f"/deployment/{new['Shard']}/{new['Suffix']}")
    assert fleet.ours()[CHAT] == [old]

    fleet.apply()

    assert fleet.counts()[CHAT] == 1, "the old one made way for another new one"
    assert fleet.ours()[CHAT] != [old]
    fleet.assert_settled()


def half_replaced(fleet: Any) -> str:
    """A create-first replace whose delete was refused: old (whose id is returned) and new live side by side."""
    fleet.write(CHAT)
    fleet.apply()
    (old,) = fleet.ours()[CHAT]
    fleet.edit(CHAT, "vm_gt1", "vm_gt2")
    fleet.fault(CHAT, method="DELETE", path=".*", when="before", status=403, body={})
    fleet.apply(code=3)
    assert fleet.counts()[CHAT] == 2
    return str(old)
