"""`undo RUN`: a plan like any other that brings back what was applied before; what can't be brought back is said."""

from __future__ import annotations

import json
from typing import Any

import pytest

CHAT, LLM = "theta/Deployment/chat", "runai/Inference/llm"
MNIST, ANN = "modelarts/Service/mnist", "modelarts/Notebook/ann"


def undo(fleet: Any, run: str, *args: str, code: int = 0) -> Any:
    done = fleet.project.run("undo", run, *(args or ("--yes",)))
    assert done.returncode == code, done.stdout + done.stderr
    return done


def runs(fleet: Any) -> list[str]:
    """Ids, the newest first."""
    history = fleet.project.run("ledger", "history", "-o", "json")
    return [run["id"] for run in json.loads(history.stdout)["runs"]]


def test_what_a_run_made_changed_and_deleted_is_as_it_was_before(fleet: Any) -> None:
    fleet.write(CHAT, LLM, MNIST)
    fleet.edit(LLM, "metadata: {name: llm}", "metadata: {name: llm, labels: {team: a}}\nlifecycle: {wait: {for: none}}")
    fleet.apply()
    before = (fleet.project.root / fleet.file(LLM)).read_text(encoding="utf-8")
    fleet.edit(LLM, "llm:1", "llm:2")
    fleet.edit(LLM, "team: a", "team: b")
    fleet.remove(MNIST)
    fleet.write(ANN)
    fleet.apply()

    preview = undo(fleet, "last", "--plan", "-o", "json")
    plan = json.loads(preview.stdout)
    assert {change["address"]: change["action"] for change in plan["changes"]} == {
        ANN: "delete",
        LLM: "update",
        MNIST: "create",
    }
    (image,) = next(change for change in plan["changes"] if change["address"] == LLM)["fields"]
    assert (image["before"], image["after"]) == ("registry.example.com/llm:2", "registry.example.com/llm:1")
    said = "\n".join(plan["notes"])
    assert "the spec in Git still says otherwise" in said
    assert f"{MNIST} is made anew: its former id and address are not brought back" in said
    writes = len(fleet.served.writes())

    undo(fleet, "last", "--yes")
    assert fleet.counts() == {CHAT: 1, LLM: 1, MNIST: 1, ANN: 0}
    assert writes < len(fleet.served.writes()) <= writes + 4, "and CHAT was not touched"
    fleet.project.write(fleet.file(LLM), before)  # the revert in Git: labels and lifecycle are as they were, too
    fleet.write(MNIST)
    fleet.remove(ANN)
    fleet.assert_settled()
    assert len(fleet.served.writes()) <= writes + 4

    undo(fleet, "last", "--yes")
    assert fleet.counts() == {CHAT: 1, LLM: 1, MNIST: 0, ANN: 1}, "an undo can be undone"


def test_only_the_newest_word_on_a_resource_can_be_taken_back(fleet: Any) -> None:
    fleet.write(LLM, ANN)
    fleet.apply()
    fleet.edit(LLM, "llm:1", "llm:2")
    fleet.apply()
    newest, first = runs(fleet)
    writes = len(fleet.served.writes())

    done = undo(fleet, first, "--yes", code=4)
    assert "[undo-overtaken]" in done.stderr
    assert newest in done.stderr
    assert LLM in done.stderr
    undo(fleet, newest, "--yes", "--target", ANN, code=1)
    assert len(fleet.served.writes()) == writes
    undo(fleet, newest[:-2], "--yes")
    done = undo(fleet, newest, "--yes", code=4)
    assert "[undo-overtaken]" in done.stderr, "what was undone is not undone twice"
    assert len(fleet.served.writes()) == writes + 1


def test_of_a_run_that_did_not_come_to_its_end_only_what_it_did_is_undone(fleet: Any) -> None:
    fleet.write(LLM)
    fleet.apply()
    fleet.edit(LLM, "llm:1", "llm:2")
    fleet.write(ANN)
    fleet.fault(ANN, method="POST", when="before", status=400, body={"error_code": "ModelArts.6357"}, count=None)
    fleet.apply(code=3)
    fleet.served.post("faults", [])

    done = undo(fleet, "last", "--plan")
    assert f"{ANN}: this run did not come to its create" in done.stdout
    undo(fleet, "last", "--yes")
    assert fleet.counts() == {CHAT: 0, LLM: 1, MNIST: 0, ANN: 0}
    (patch,) = fleet.writes_of(LLM, "PATCH")[1:]
    assert patch["body"]["spec"]["image"] == "registry.example.com/llm:1"


def test_protection_the_limit_and_the_question_hold_as_for_any_apply(fleet: Any) -> None:
    fleet.write(MNIST)
    fleet.apply()
    fleet.write(LLM, ANN, lifecycle="{preventDestroy: true}")
    fleet.apply()
    writes = len(fleet.served.writes())
    assert "prevent-destroy" in undo(fleet, "last", "--yes", code=4).stdout
    assert "--yes" in undo(fleet, "last", "--output", "text", code=64).stderr, "there is no terminal to ask on"
    fleet.write(LLM, ANN)
    fleet.apply()
    fleet.write(ANN, lifecycle="{onRemove: retain}")
    assert "prevent-destroy" in undo(fleet, runs(fleet)[1], "--yes", code=4).stderr, "nor what the spec protects by now"
    fleet.write(ANN)
    assert "too-many-deletes" in undo(fleet, runs(fleet)[1], "--yes", "--max-deletes", "1", code=4).stdout
    assert len(fleet.served.writes()) == writes


def test_what_no_plan_could_bring_back_is_said(fleet: Any) -> None:
    fleet.write(LLM, ANN)
    fleet.apply()
    fleet.edit_inference({"image": "registry.example.com/by-hand:1"})
    fleet.apply()
    told = undo(fleet, "last", "--plan").stdout
    assert f"{LLM}: nothing that a plan could bring back: its spec was the same before" in told
    assert "No changes" in told


def test_a_secret_goes_back_by_its_name(fleet: Any) -> None:
    fleet.project.env["APP_TOKEN"] = "canary-of-the-undo"
    variables = '  environmentVariables: [{name: TOKEN, value: \'{{ secret("APP_TOKEN") }}\'}, {name: A, value: "1"}]\n'
    fleet.write(LLM)
    fleet.edit(LLM, "  compute:", variables + "  compute:")
    fleet.apply()
    fleet.edit(LLM, 'value: "1"', 'value: "2"')
    fleet.apply()
    shown = undo(fleet, "last", "--plan", "-o", "json").stdout
    undo(fleet, "last", "--yes")
    assert "canary-of-the-undo" not in shown
    ledger = b"".join(path.read_bytes() for path in (fleet.project.root / ".reconciler").glob("ledger.db*"))
    assert b"canary-of-the-undo" not in ledger
    body = json.dumps(fleet.writes_of(LLM)[-1]["body"])
    assert "canary-of-the-undo" in body, "and the request has it"


URL = "  environmentVariables: [{name: CHAT, value: '{{ ref(\"theta/Deployment/chat\").endpoint }}/v1'}]\n"


def test_what_is_made_anew_is_spoken_of_by_its_new_address(fleet: Any) -> None:
    fleet.write(CHAT, LLM)
    fleet.edit(LLM, "  compute:", URL + "  compute:")
    fleet.apply()
    fleet.edit(CHAT, "vm_gt1", "vm_gv1")
    fleet.apply()
    undo(fleet, "last", "--yes")
    assert len(fleet.writes_of(LLM, "PATCH")) == 2, "there and back"
    fleet.edit(CHAT, "vm_gv1", "vm_gt1")
    fleet.assert_settled()

    fleet.edit(LLM, "llm:1", "llm:2")
    fleet.edit(LLM, "theta/Deployment/chat", "theta/Deployment/talk")
    fleet.edit(CHAT, "metadata: {name: chat}", "metadata: {name: talk}\nlifecycle: {renamedFrom: [chat]}")
    fleet.apply()
    plan = json.loads(undo(fleet, "last", "--plan", "-o", "json").stdout)
    (change,) = plan["changes"]
    assert [field["path"] for field in change["fields"]] == ["image"], "and it needs what has another name now"
    undo(fleet, "last", "--yes")
    (image,) = {entry["body"]["spec"]["image"] for entry in fleet.writes_of(LLM, "PATCH")[-1:]}
    assert image == "registry.example.com/llm:1", "what it needs is outside of what is undone"


def test_what_the_spec_still_needs_is_not_taken_away(fleet: Any) -> None:
    fleet.write(CHAT)
    fleet.apply()
    fleet.write(LLM)
    fleet.edit(LLM, "  compute:", URL + "  compute:")
    fleet.apply()
    fleet.apply()
    nothing, newest, first = runs(fleet)
    assert f"{LLM} needs {CHAT}" in undo(fleet, first, "--yes", code=4).stderr
    assert newest in undo(fleet, nothing, "--yes", code=4).stderr, "the one that did something is named"
    assert fleet.counts() == {CHAT: 1, LLM: 1, MNIST: 0, ANN: 0}
    undo(fleet, newest, "--yes")
    undo(fleet, first, "--yes", "--allow-empty-spec")
    assert fleet.counts() == {CHAT: 0, LLM: 0, MNIST: 0, ANN: 0}, "LLM's file alone holds nothing"


def test_what_another_run_changes_while_it_waits_is_not_undone(fleet: Any) -> None:
    fleet.write(LLM)
    fleet.apply()
    fleet.edit(LLM, "llm:1", "llm:2")
    fleet.apply()
    fleet.edit(LLM, "llm:2", "llm:3")
    fleet.fault(LLM, method="PATCH", path=".*", when="before", delay_s=1.8, count=1)
    second, _first = runs(fleet)
    other = fleet.project.start("apply", "--yes")
    fleet.wait_for(lambda: runs(fleet)[0] != second)
    done = undo(fleet, second, "--yes", "--lease-wait", "30s", code=4)
    assert "[undo-overtaken]" in done.stderr
    other.communicate()
    assert other.returncode == 0
    assert fleet.writes_of(LLM, "PATCH")[-1]["body"]["spec"]["image"] == "registry.example.com/llm:3"


def test_what_was_taken_over_stays(fleet: Any) -> None:
    fleet.write(ANN, LLM)
    fleet.apply()
    fleet.drop_ledger()
    fleet.write(LLM, lifecycle=f"{{adopt: {fleet.ours()[LLM][0]}}}")
    fleet.edit(LLM, "llm:1", "llm:2")
    fleet.apply("--target", LLM)
    done = undo(fleet, "last", "--yes", code=4)
    assert "[nothing-to-undo]" in done.stderr
    assert "what it was before is not known" in done.stderr
    assert "[unknown-run]" in undo(fleet, "", "--yes", code=1).stderr, "a variable that was never set means no run"


@pytest.mark.parametrize(
    ("run", "code", "words"),
    [("last", 1, "none was ever made"), ("2026", 1, "[unknown-run]")],
)
def test_a_run_that_is_not_known_is_refused_in_words(fleet: Any, run: str, code: int, words: str) -> None:
    assert words in undo(fleet, run, "--yes", code=code).stderr
