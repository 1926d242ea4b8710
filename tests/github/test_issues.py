"""One issue per environment: opened for drift, never twice, and closed only when everything was read."""

from __future__ import annotations

from typing import Any

import pytest

from tests.github.conftest import Runner
from tests.github.documents import drift, envelope
from tests.github.github_api import BOT

FIRST = "<!-- reconciler: drift project dev -->"
MOVED = drift("drifted")
CLEAN = drift()
UNREAD = drift("unknown", verdict="incomplete")
FAILURES = [
    pytest.param(UNREAD, id="something could not be read"),
    pytest.param(envelope("drift", exit_code=1, message="theta: 503\nmore"), id="the check failed"),
    pytest.param(envelope("drift", finished=False, exit_code=None), id="the check was killed"),
    pytest.param(envelope("drift", exit_code=1, drift=CLEAN, finished=False), id="killed after its look"),
    pytest.param("", id="it left nothing"),
]


def sync(runner: Runner, document: Any) -> str:
    more = () if isinstance(document, dict) else ("-e", "dev")
    return runner.run("issue", runner.save(document), *more).stdout


def test_drift_opens_updates_closes_and_reopens_one_issue(runner: Runner) -> None:
    for number in range(20, 25):
        runner.api.issue(number, "something else")
    assert "opened" in sync(runner, MOVED)
    issue = runner.api.issues[25]
    assert issue["title"] == "Drift: shop/dev"
    assert issue["labels"] == ["reconciler", "drift"]
    assert issue["body"].startswith(f"{FIRST}\n### Drift")

    assert "says it already" in sync(runner, MOVED)
    assert "updated" in sync(runner, drift("vanished"))
    assert "vanished" in issue["body"].lower()

    assert "closed" in sync(runner, CLEAN)
    assert issue["state"] == "closed"
    (comment,) = runner.api.comments[25]
    assert comment["body"] == (
        "No drift any more: everything was read, and it is as it was applied. "
        "[The check](https://github.example.com/acme/shop/actions/runs/77)"
    )
    before = len(runner.api.writes())
    assert "no issue" in sync(runner, CLEAN)
    assert len(runner.api.writes()) == before

    assert "reopened" in sync(runner, MOVED)
    assert issue["state"] == "open"
    assert set(runner.api.issues) == {*range(20, 26)}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_check_that_failed_closes_nothing_and_opens_nothing(runner: Runner, failure: Any) -> None:
    sync(runner, failure)
    assert runner.api.writes() == []

    sync(runner, MOVED)
    (number,) = runner.api.issues
    before = runner.api.issues[number]["body"]
    for _ in range(2):
        sync(runner, failure)
        body = runner.api.issues[number]["body"]
        assert body.splitlines()[0] == FIRST
        assert body.splitlines()[1].startswith("**The last check ")
        assert body.count("The last check") == 1
        assert body.endswith(before.partition("\n")[2])
        assert runner.api.issues[number]["state"] == "open"

    sync(runner, MOVED)
    assert runner.api.issues[number]["body"] == before


def test_drift_that_an_incomplete_check_found_is_filed(runner: Runner) -> None:
    assert "opened" in sync(runner, drift("drifted", "unknown", verdict="incomplete"))


@pytest.mark.parametrize("document", [CLEAN, MOVED], ids=["nothing found", "something found"])
def test_a_look_at_a_part_leaves_the_issue_alone(runner: Runner, document: dict[str, Any]) -> None:
    sync(runner, MOVED)
    before = len(runner.api.writes())
    told = sync(runner, {**document, "coverage": None})

    assert "only a part" in told
    assert len(runner.api.writes()) == before


def test_of_two_open_ones_the_oldest_stays(runner: Runner) -> None:
    for number in (30, 31, 32, 33):
        runner.api.issue(number, f"{FIRST}\r\nold", state="closed" if number == 33 else "open")
    sync(runner, MOVED)

    assert [runner.api.issues[number]["state"] for number in (30, 31, 32, 33)] == ["open", "closed", "closed", "closed"]
    assert "### Drift" in runner.api.issues[30]["body"]
    assert [runner.api.comments[number][0]["body"] for number in (31, 32)] == ["The same drift is told in #30."] * 2


@pytest.mark.parametrize("knows_creator", [True, False])
def test_another_persons_issue_and_another_environments_are_left_alone(runner: Runner, *, knows_creator: bool) -> None:
    runner.api.knows_creator = knows_creator
    runner.api.pulls[7].update(body=f"{FIRST}\nours", user={"login": BOT}, state="open")
    runner.api.issue(40, f"{FIRST}\nforged", login="mallory")
    runner.api.issue(41, "<!-- reconciler: drift project prod -->\nprod", login=BOT)
    runner.api.issue(42, f"see\n{FIRST}", login=BOT)
    sync(runner, CLEAN)
    assert runner.api.writes() == []

    sync(runner, MOVED)
    assert [entry["method"] for entry in runner.api.writes()] == ["POST"]


@pytest.mark.parametrize("login", [BOT, "my-app[bot]"])
def test_a_second_check_finds_what_the_first_one_opened(runner: Runner, login: str) -> None:
    runner.project.env["GITHUB_TOKEN"] = runner.api.token(login=login)
    for document in (MOVED, drift("vanished"), MOVED):
        sync(runner, document)

    assert [issue["state"] for issue in runner.api.issues.values()].count("open") == 1


def test_labels_that_can_not_be_made_are_no_reason(runner: Runner) -> None:
    runner.api.can_make_labels = False
    assert "opened" in sync(runner, MOVED)
    assert [issue["labels"] for issue in runner.api.issues.values()] == [[]]


def test_a_lost_answer_opens_no_second_issue(runner: Runner) -> None:
    runner.api.faults = [{"method": "POST", "path": "/issues$", "when": "after-commit", "drop": True}]
    assert "opened" in sync(runner, MOVED)
    assert len(runner.api.issues) == 1


def test_without_permission_there_is_a_notice_and_the_summary(runner: Runner) -> None:
    runner.project.env["GITHUB_TOKEN"] = runner.api.token({"issues": "read"})
    told = sync(runner, MOVED)

    assert told.startswith("::notice title=reconciler::the drift issue was not written: POST ")
    assert "`issues: write`" in told
    assert "### Drift" in runner.summary
