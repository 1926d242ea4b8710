"""What `lifecycle` promises: protection, retain, renames, adoption, run state (cases C32, C34, C35)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

CHAT, LLM = "theta/Deployment/chat", "runai/Inference/llm"
MNIST, ANN = "modelarts/Service/mnist", "modelarts/Notebook/ann"


def test_protection_outlives_its_file_until_it_is_lifted(fleet: Any) -> None:
    fleet.write(LLM, ANN, lifecycle="{preventDestroy: true}")
    fleet.apply()
    fleet.remove(LLM)

    done = fleet.apply(code=4)
    assert "preventDestroy" in done.stdout
    fleet.write(LLM)
    fleet.apply()  # lifted, without a write
    fleet.remove(LLM)
    fleet.apply()

    assert fleet.counts()[LLM] == 0
    assert [entry["method"] for entry in fleet.served.writes()] == ["POST", "POST", "DELETE"]


def test_retained_things_are_forgotten_and_stay_quiet(fleet: Any) -> None:
    fleet.write(LLM, ANN, lifecycle="{onRemove: retain}")
    fleet.write(MNIST)
    fleet.apply()
    writes = len(fleet.served.writes())
    fleet.remove(LLM)
    fleet.remove(ANN)

    fleet.apply("--max-deletes", "0")
    fleet.assert_settled()

    assert len(fleet.served.writes()) == writes
    assert (fleet.counts()[LLM], fleet.counts()[ANN]) == (1, 1)


def test_a_rename_keeps_the_live_thing_and_counts_as_no_delete(fleet: Any) -> None:
    fleet.write(CHAT, ANN)
    fleet.apply()
    live = fleet.ours()
    fleet.edit(CHAT, "{name: chat}", "{name: talk}\nlifecycle: {renamedFrom: [chat]}")
    fleet.edit(ANN, "{name: ann}", "{name: bea, liveName: ann}\nlifecycle: {renamedFrom: [ann]}")

    fleet.apply("--max-deletes", "0")
    fleet.assert_settled()

    assert fleet.ours() == live
    assert len(fleet.served.writes()) == 2
    fleet.edit(CHAT, "vm_gt1", "vm_gt2")
    fleet.apply()
    assert fleet.counts()[CHAT] == 1
    fleet.assert_settled()


def test_adoption_takes_over_what_is_nobodys_and_the_next_plan_is_empty(fleet: Any) -> None:
    fleet.write(LLM, MNIST, ANN)
    fleet.apply()
    make_by_hand(fleet, fleet.served.writes())
    fleet.drop_ledger()

    changes = fleet.changes()
    assert {address: change["reason"] for address, change in changes.items()} == dict.fromkeys(
        (LLM, MNIST, ANN), "conflict"
    )
    for address in (LLM, MNIST, ANN):
        offered = changes[address]["message"].rpartition("lifecycle: ")[2]
        assert offered.startswith("{adopt: ")
        fleet.write(address, lifecycle=offered)
    before = len(fleet.served.writes())
    fleet.apply()
    fleet.assert_settled()

    assert [entry["method"] for entry in fleet.served.writes()[before:]] == ["PUT", "PUT"]  # Run:ai: on paper


def make_by_hand(fleet: Any, creates: list[dict[str, Any]]) -> None:
    """A fresh account in which a person has made the same things, through the vendors' APIs and without our markers."""
    fleet.served.post("reset", None)
    modelarts, runai = fleet.served.connection["modelarts"], fleet.served.connection["runai"]
    user = {"name": modelarts["username"], "password": modelarts["password"], "domain": {"name": modelarts["domain"]}}
    log_in = {
        "identity": {"methods": ["password"], "password": {"user": user}},
        "scope": {"project": {"id": modelarts["projectId"]}},
    }
    client_of = {
        "grantType": "client_credentials",
        "clientId": runai["clientId"],
        "clientSecret": runai["clientSecret"],
    }
    with httpx.Client(trust_env=False) as client:
        reply = client.post(f"{modelarts['iamEndpoint']}/v3/auth/tokens", json={"auth": log_in})
        token = client.post(f"{runai['endpoint']}/api/v1/token", json=client_of).json()["accessToken"]
        client.headers.update({"X-Auth-Token": reply.headers["X-Subject-Token"], "Authorization": f"Bearer {token}"})
        for entry in creates:
            endpoint = (runai if entry["provider"] == "runai" else modelarts)["endpoint"]
            body = {**entry["body"], "description": "work"} if "description" in entry["body"] else entry["body"]
            if "spec" in body:
                body = {**body, "spec": {key: value for key, value in body["spec"].items() if key != "annotations"}}
            reply = client.post(f"{endpoint}{entry['path']}", json=body)
            assert reply.is_success, reply.text


def test_what_belongs_to_another_owner_can_be_neither_adopted_nor_taken_by_name(fleet: Any) -> None:
    fleet.write(MNIST, ANN)
    fleet.apply()
    live = fleet.ours()
    writes = len(fleet.served.writes())
    text = (fleet.project.root / "reconciler.yaml").read_text(encoding="utf-8")
    fleet.project.write("reconciler.yaml", text.replace("{name: shop}", "{name: other}"))
    fleet.write(MNIST, lifecycle=f"{{adopt: {live[MNIST][0]}}}")

    done = fleet.apply(code=4)

    changes = fleet.changes()
    assert {address: change["reason"] for address, change in changes.items()} == {
        MNIST: "owned-by-other",
        ANN: "owned-by-other",
    }
    assert live[ANN][0] in done.stdout
    assert len(fleet.served.writes()) == writes


@pytest.mark.parametrize(("address", "module"), [(MNIST, "modelarts-services"), (ANN, "modelarts-notebooks")])
def test_a_run_state_is_brought_about_both_ways_and_then_left_alone(fleet: Any, address: str, module: str) -> None:
    def status() -> str:
        (item,) = (
            item
            for item in fleet.served.get("state")[module]
            if fleet.ours()[address] == [item.get("service_id") or item["id"]]
        )
        return str(item["status"]).lower()

    fleet.write(address, lifecycle="{runState: stopped}")
    fleet.apply()
    assert status() == "stopped"
    fleet.assert_settled()
    fleet.edit(address, "runState: stopped", "runState: running")
    fleet.apply()
    assert status() == "running"
    fleet.assert_settled()
    assert fleet.counts()[address] == 1


def test_a_marker_alone_never_deletes(fleet: Any) -> None:
    fleet.write(LLM, ANN)
    fleet.apply()
    fleet.drop_ledger()
    fleet.remove(LLM)

    assert fleet.changes()[LLM]["reason"] == "not-in-ledger"
    assert fleet.project.run("plan").returncode == 4
    fleet.apply("--trust-markers")
    assert fleet.counts()[LLM] == 0
    fleet.assert_settled()


# -- how much may go ------------------------------------------------------------------------------------------------


def test_a_refusal_names_the_numbers_the_limit_its_place_and_the_way_out(fleet: Any) -> None:
    text = (fleet.project.root / "reconciler.yaml").read_text(encoding="utf-8")
    fleet.project.write("reconciler.yaml", text + "  safety: {maxDeletes: 20%}\n")
    line = text.count("\n") + 1
    fleet.write(LLM, MNIST, ANN)
    fleet.apply()
    fleet.remove(ANN)

    for command in (["plan"], ["apply", "--yes"]):
        done = fleet.project.run(*command)
        assert done.returncode == 4, done.stderr
        for told in ("1 of 3", "33.3 %", "20%", f"reconciler.yaml:{line}", "--max-deletes 1"):
            assert told in done.stdout
    fleet.edit(MNIST, "specification: modelarts.vm.cpu.2u", "specification: modelarts.vm.cpu.4u")
    fleet.edit(LLM, "container: 8080", "container: 9090")
    assert "2 of 3" in fleet.changes("--max-deletes", "1")[ANN]["message"]  # a replace counts
    assert fleet.changes("--max-deletes", "2")[ANN]["action"] == "delete"


def test_an_empty_spec_deletes_nothing_without_a_word_and_a_missing_folder_is_an_error(fleet: Any) -> None:
    fleet.write(LLM, ANN)
    fleet.apply()
    fleet.remove(LLM)
    fleet.remove(ANN)

    done = fleet.apply(code=4)
    assert "--allow-empty-spec" in done.stdout
    (fleet.project.root / "resources").rmdir()
    done = fleet.apply(code=1)
    assert "resources" in done.stderr
    done = fleet.project.run("plan", "-e", "prodd")
    assert done.returncode == 1
    assert len(fleet.served.writes()) == 2
    (fleet.project.root / "resources").mkdir()
    fleet.apply("--allow-empty-spec")
    assert fleet.counts()[LLM] == 0
