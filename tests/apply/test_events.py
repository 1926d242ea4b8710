"""`--log-format json`: stderr is JSON Lines and nothing else, and tells a run's events by the published schema."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reconciler.cli.output import Printer
from reconciler.cli.wishes import ask

SCHEMA = json.loads((Path(__file__).parents[2] / "schemas" / "reconciler-log-1.json").read_text(encoding="utf-8"))
CHAT, LLM = "theta/Deployment/chat", "runai/Inference/llm"
MNIST, ANN = "modelarts/Service/mnist", "modelarts/Notebook/ann"
CANARY = "canary-of-the-log"


def records(text: str) -> list[dict[str, Any]]:
    """All lines, each by the schema."""
    found = [json.loads(line) for line in text.splitlines()]
    for one in found:
        Draft202012Validator(SCHEMA).validate(one)
    return found


def test_a_run_tells_what_it_sets_out_to_do_each_end_and_its_own(fleet: Any) -> None:
    fleet.project.env["APP_TOKEN"] = CANARY
    fleet.write(CHAT, LLM, MNIST, ANN)
    variable = "  environmentVariables: [{name: TOKEN, value: '{{ secret(\"APP_TOKEN\") }}'}]\n"
    fleet.edit(LLM, "  compute:", variable + "  compute:")
    fleet.edit(ANN, "{name: ann}", "{name: ann, dependsOn: [modelarts/Service/mnist]}")
    fleet.fault(MNIST, when="before", status=400, body={"error_msg": f"no {CANARY}"}, count=None)
    done = fleet.apply("--log-format", "json", "-o", "json", code=3)
    assert CANARY not in done.stdout + done.stderr
    told = records(done.stderr)
    events = [one for one in told if "event" in one]

    assert [one["event"] for one in events if one["event"] != "step-news"] == [
        "run-started",
        *["step-ended"] * 4,
        "run-ended",
    ]
    begun, ended = events[0], events[-1]
    assert {step["address"] for step in begun["steps"]} == {CHAT, LLM, MNIST, ANN}
    ends = {one["address"]: one for one in events if one["event"] == "step-ended"}
    assert {address: (one["state"], one["level"]) for address, one in ends.items()} == {
        CHAT: ("done", "info"),
        LLM: ("done", "info"),
        MNIST: ("failed", "error"),
        ANN: ("skipped", "warning"),
    }
    assert ends[ANN]["cause"] == f"{MNIST}#create"
    assert ends[LLM]["id"] == fleet.ours()[LLM][0]
    report = json.loads(done.stdout)
    assert (ended["run"], ended["counts"], ended["complete"]) == (report["run"], report["summary"], False)
    assert begun["run"] == ended["run"]
    quiet = fleet.apply("--log-format", "json", "-q", code=3)
    assert {one.get("event") for one in records(quiet.stderr)} <= {"run-started", "run-ended", None}


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("plan", "-e", "nope"), 1, "there is no environment"),
        (("apply",), 64, "there is no terminal to ask on"),
        (("plan", "--nope"), 64, "No such option"),
        (("plan", "-o", "xyz"), 64, "is not one of"),
        (("plan", "-vv"), 0, "modelarts: GET "),
    ],
)
def test_errors_and_details_are_lines_of_the_same_form(
    fleet: Any, args: tuple[str, ...], code: int, words: str
) -> None:
    done = fleet.project.run(*args, "--log-format", "json")
    assert done.returncode == code
    (said,) = [one for one in records(done.stderr) if words in one["message"]][:1]
    assert said["level"] == ("error" if code else "debug")


@pytest.mark.parametrize(("answer", "yes"), [("y\n", True), ("YES\n", True), ("n\n", False), ("", False)])
def test_the_question_is_a_line_of_the_same_form(
    answer: str, *, yes: bool, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    assert ask("Apply these changes?", Printer(log_json=True), "a plan") is yes
    plan, asked = records(capfd.readouterr().err)
    assert plan["message"] == "a plan", "which `-o json` keeps from stdout"
    assert asked["message"] == "Apply these changes? [y/N]"
