"""`ledger history|rebuild|unlock|migrate`: what ran, a lost ledger, a lease that nobody gives back, a new home."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from reconciler.ledger import open_ledger

CHAT, LLM = "theta/Deployment/chat", "runai/Inference/llm"
MNIST, ANN = "modelarts/Service/mnist", "modelarts/Notebook/ann"


def test_history_tells_each_write_of_each_run_with_its_outcome(fleet: Any) -> None:
    assert fleet.project.run("ledger", "history").stdout == "no run is known here\n"
    fleet.write(LLM, MNIST)
    fleet.fault(MNIST, when="before", status=400, body={"error_code": "ModelArts.3520", "error_msg": "no quota left"})
    fleet.apply(code=3)
    fleet.apply()

    runs = json.loads(fleet.project.run("ledger", "history", "-o", "json").stdout)["runs"]
    told = [[(row["op"], row["address"], row["state"]) for row in run["writes"]] for run in runs]
    assert told[0] == [("create", MNIST, "done")]
    assert sorted(told[1]) == [("create", MNIST, "failed"), ("create", LLM, "done")]
    text = fleet.project.run("ledger", "history", MNIST).stdout
    assert "no quota left" in text
    assert LLM not in text


def test_rebuild_knows_whose_each_live_thing_is_and_proves_no_delete(fleet: Any) -> None:
    fleet.write()
    fleet.edit(LLM, "metadata: {name: llm}", "metadata: {name: llm}\nlifecycle: {preventDestroy: true}")
    fleet.apply()
    live = fleet.counts()
    fleet.drop_ledger()
    fleet.remove(ANN)

    done = fleet.project.run("ledger", "rebuild")

    assert done.returncode == 0, done.stderr
    assert f"{LLM}  id " in done.stdout
    assert ", protected" in done.stdout
    assert "ours by its marker, and no document means it" in done.stdout, "a marker holds a hash of the address"
    entries = {entry["address"]: entry for entry in fleet_entries(fleet)}
    assert set(entries) == {CHAT, LLM, MNIST}
    assert all(entry["rebuilt"] and not entry["spec"] for entry in entries.values())
    fleet.remove(LLM)
    fleet.remove(MNIST)
    reasons = {address: change["reason"] for address, change in fleet.changes().items()}
    assert (reasons[LLM], reasons[MNIST]) == ("prevent-destroy", "not-in-ledger")
    fleet.write()
    fleet.edit(LLM, "metadata: {name: llm}", "metadata: {name: llm}\nlifecycle: {preventDestroy: true}")
    fleet.apply()
    assert fleet.counts() == live
    assert not any(entry["rebuilt"] for entry in fleet_entries(fleet))
    fleet.remove(MNIST)
    assert fleet.changes()[MNIST]["action"] == "delete", "it was applied from a spec in the meantime"


def test_a_ledger_moves_to_a_branch_with_its_history_and_its_lease_can_be_broken(fleet: Any) -> None:
    fleet.write(LLM)
    fleet.apply()
    root, remote = fleet.project.root, fleet.project.root.with_name("remote.git")
    for words in (
        ["init", "-q", "--bare", str(remote)],
        ["-C", str(root), "init", "-q"],
        ["-C", str(root), "remote", "add", "origin", str(remote)],
    ):
        subprocess.run(["git", *words], check=True)
    config = root / "reconciler.yaml"
    config.write_text(config.read_text(encoding="utf-8") + "  ledger: {type: git}\n", encoding="utf-8")

    refused = fleet.project.run("ledger", "migrate", "--from", "git")
    assert (refused.returncode, "expected another home" in refused.stderr) == (64, True)
    nothing = fleet.project.run("ledger", "migrate", "--from", "sqlite:other.db")
    assert (nothing.returncode, "[ledger-empty]" in nothing.stderr) == (1, True)
    assert not (root / "other.db").exists(), "asking makes no ledger"
    moved = fleet.project.run("ledger", "migrate", "--from", "sqlite")
    assert moved.returncode == 0, moved.stderr
    assert "1 entry and 1 run came from .reconciler/ledger.db" in moved.stdout
    again = fleet.project.run("ledger", "migrate", "--from", "sqlite")
    assert (again.returncode, "[ledger-not-empty]" in again.stderr) == (1, True)
    fleet.drop_ledger()
    fleet.assert_settled()
    assert f"create {LLM}  done" in fleet.project.run("ledger", "history").stdout

    held = open_ledger({"type": "git"}, root).take_lease("shop", "a runner that died")
    assert "a runner that died" in fleet.apply(code=4).stderr
    assert fleet.project.run("ledger", "unlock").returncode == 64, "no terminal and no --yes"
    assert "a runner that died" in fleet.project.run("ledger", "unlock", "--yes").stdout
    fleet.apply()
    held.release()


def fleet_entries(fleet: Any) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads(fleet.project.run("ledger", "show", "-o", "json").stdout)["entries"]
    return entries
