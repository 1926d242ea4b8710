"""Any result for GitHub: a failure never reads like good news (case C53)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.diff.change import Action
from reconciler.problems import Problem
from reconciler.render import machine
from reconciler.render.markdown import plan_markdown
from reconciler.render.problems import problems_json
from reconciler.render.result_markdown import result_markdown
from tests.render import conftest as toys
from tests.render.pages import assert_whole, filled, hostile_texts, units
from tests.render.test_drift_markdown import drift
from tests.render.test_report_markdown import FAILED, MADE, MIXED, report

PROBLEM: Final = problems_json([Problem(code="c", wrong="it is wrong", expected="it to be right")])["problems"]
WARNING: Final = [PROBLEM[0] | {"warning": True}]
GOOD_NEWS: Final = ("No changes", "No drift", "Applied", "Valid")


def result(command: str = "plan", **more: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {"message": "", "problems": [], "plan": None, "report": None, "drift": None}
    about = {"format": "reconciler-result/1", "owner": "shop", "environment": None, "revision": None}
    return about | empty | {"command": command, "finished": True, "exit_code": 0} | more


def plan(make: Callable[[], Any]) -> dict[str, Any]:
    return machine.plan_json(make())


def blocked() -> Any:
    return toys.plan(toys.change("a", Action.BLOCKED, "conflict", "somebody else's", intended=Action.CREATE))


WELL: Final = plan(toys.nothing_to_do)
CHANGES: Final = plan(toys.a_replace)
BLOCKED: Final = plan(blocked)
DOWN: Final = plan(toys.a_provider_is_down)
IN_SYNC: Final = drift() | {"verdict": "in-sync", "resources": []}

STANDS: Final[Mapping[str, tuple[dict[str, Any], str, str]]] = {
    "nothing was left": ({}, "Plan failed", "It was killed or did not end"),
    "killed": (result(finished=False, exit_code=None), "Plan failed", "What would change is unknown"),
    "killed, with a plan": (result(finished=False, exit_code=None, plan=WELL), "Plan failed", "It was killed"),
    "ended without a code": (result(exit_code=None, plan=WELL), "Plan failed", "It was killed or did not end"),
    "bad spec": (result(exit_code=1, problems=PROBLEM), "Plan failed", "it is wrong (expected it to be right) [c]"),
    "an error without problems": (result(exit_code=1, message="no\nsuch file"), "Plan failed", "no\nsuch file\n```"),
    "an error that nobody explains": (result(exit_code=1), "Plan failed", "Nobody said why (exit code 1)."),
    "no changes": (result(plan=WELL), "No changes", "2 resources are live as the spec says"),
    "no changes, but it failed": (result(exit_code=1, plan=WELL, message="disk full"), "Plan failed", "disk full"),
    "no changes, but a mistake": (result(plan=WELL, problems=PROBLEM), "Plan failed", "it is wrong"),
    "no changes, and a warning": (result(plan=WELL, problems=WARNING), "No changes", "warning: it is wrong"),
    "changes": (result(exit_code=2, plan=CHANGES), "Plan with changes", "Plan: 1 to replace."),
    "changes, but it failed": (result(exit_code=1, plan=CHANGES, message="disk full"), "Plan failed", "Digest"),
    "blocked": (result(exit_code=4, plan=BLOCKED), "Plan blocked", "somebody else's"),
    "a provider is down": (
        result(exit_code=1, plan=DOWN, problems=DOWN["problems"]),
        "Plan incomplete",
        "503 upstream",
    ),
    "applied": (result("apply", plan=CHANGES, report=report(MADE)), "Applied", "1 done"),
    "applied, but it failed": (result("apply", exit_code=1, report=report(MADE)), "Apply incomplete", "1 done"),
    "applied without what is blocked": (
        result("apply", exit_code=3, plan=BLOCKED, report=report(MADE)),
        "Apply incomplete",
        "Not all of the plan was applied",
    ),
    "apply failed halfway": (result("apply", exit_code=3, report=report(*MIXED)), "Apply incomplete", "409 the name"),
    "nothing to apply": (result("apply", plan=WELL), "No changes", "live as the spec says"),
    "apply refused": (
        result("apply", exit_code=4, plan=CHANGES, problems=PROBLEM),
        "Apply refused",
        "It was refused before anything was sent.\n\nPlan: 1 to replace.",
    ),
    "apply refused for its own plan": (result("apply", exit_code=1, plan=DOWN), "Apply refused", "before anything was"),
    "apply stopped": (
        result("apply", exit_code=4, plan=CHANGES, message="stopped; nothing more was sent"),
        "Apply refused",
        "stopped; nothing more was sent\n```\n\nPlan:",
    ),
    "apply with a bad spec": (
        result("apply", exit_code=1, problems=PROBLEM),
        "Apply failed",
        "nothing was sent to any",
    ),
    "apply broke": (
        result("apply", exit_code=1, plan=CHANGES, message="bug"),
        "Apply failed",
        "What was done is unknown",
    ),
    "apply killed": (result("apply", finished=False, exit_code=None), "Apply failed", "What was done is unknown"),
    "drift": (result("drift", exit_code=2, drift=drift()), "Drift", "1 vanished"),
    "no drift": (result("drift", drift=IN_SYNC), "No drift", "nothing is to be done"),
    "no drift, but it failed": (result("drift", exit_code=1, drift=IN_SYNC), "Drift check failed", "Nobody said why"),
    "drift incomplete": (
        result("drift", exit_code=1, drift=drift() | {"verdict": "incomplete"}),
        "Drift check incomplete",
        "could not be read",
    ),
    "drift killed": (result("drift", exit_code=None), "Drift check failed", "Whether anything drifted is unknown."),
    "valid": (result("validate"), "Valid", ""),
    "valid, but a mistake": (result("validate", problems=PROBLEM), "Validation failed", "it is wrong"),
    "not valid": (result("validate", exit_code=1, problems=PROBLEM), "Validation failed", "it is wrong"),
    "an unheard-of command": (result("dance", plan=WELL), "Run failed", "What it did is unknown."),
}


@pytest.mark.parametrize("name", STANDS)
def test_first_line_says_how_it_stands(name: str) -> None:
    data, verdict, told = STANDS[name]
    page = result_markdown(data, "shop/prod")
    assert page.startswith(f"### {verdict}: shop/prod\n")
    assert told in page
    assert_whole(page)
    assert "no changes" not in page.lower() or verdict == "No changes"
    assert all(page.count(text) <= 1 for text in ("it is wrong", "(expected it to answer)"))


def test_a_plan_that_went_well_reads_as_without_its_envelope() -> None:
    for data in (WELL, CHANGES, BLOCKED, DOWN):
        assert result_markdown(result(plan=data), "shop", since={"a": "b"}) == plan_markdown(
            data, "shop", since={"a": "b"}
        )


@settings(max_examples=200, deadline=None)
@given(
    st.fixed_dictionaries(
        {
            "command": st.sampled_from(["plan", "apply", "drift", "validate", ""]),
            "finished": st.booleans(),
            "exit_code": st.sampled_from([None, 0, 1, 2, 3, 4, 64]),
            "plan": st.sampled_from([None, WELL, CHANGES, BLOCKED, DOWN]),
            "report": st.sampled_from([None, report(MADE), report(FAILED)]),
            "drift": st.sampled_from([None, IN_SYNC, drift()]),
            "problems": st.sampled_from([[], PROBLEM]),
        }
    )
)
def test_good_news_needs_a_good_end_and_a_document_that_says_so(end: dict[str, Any]) -> None:
    data = result(**end)
    page = result_markdown(data, "shop")
    good = [word for word in GOOD_NEWS if page.startswith(f"### {word}: ")]
    assert not good or (end["finished"] and end["exit_code"] in {0, 2})
    assert good != ["No changes"] or end["plan"] is WELL
    assert good != ["Applied"] or end["report"]["complete"]
    assert good != ["No drift"] or end["drift"] is IN_SYNC
    assert good == ["No changes"] or "no changes" not in page.lower()


@settings(max_examples=60, deadline=None)
@given(hostile_texts(), st.sampled_from(sorted(STANDS)), st.integers(0, 30), st.sampled_from([4_000, 65_000]))
def test_a_result_stays_whole_whatever_it_holds(texts: list[str], name: str, start: int, room: int) -> None:
    data = {"message": ""} | STANDS[name][0] | {"problems": PROBLEM * 3}
    page = result_markdown(filled(data, texts, start=start), texts[0], room=room, pointer=texts[1])
    assert units(page) <= room
    assert_whole(page)


def test_a_long_message_leaves_room_for_the_plan() -> None:
    text = "新しい👍\n" * 5_000
    data = result(exit_code=1, plan=CHANGES, message=text, problems=[])
    for room in (4_000, 65_000):
        page = result_markdown(data, "shop", room=room)
        assert units(page) <= room
        assert_whole(page)
        assert "| **REPLACE** |" in page
