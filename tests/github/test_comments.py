"""One comment per environment, ours alone, whatever stands on the other pages; and never good news by absence."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from typing import Any

import pytest

from reconciler.github.state import State, marker, read_state, state_line
from tests.github.conftest import HEAD, Runner
from tests.github.documents import change, drift, envelope, plan, problem
from tests.github.github_api import BOT

FIRST = "<!-- reconciler: plan project dev -->"
WHOLE = json.dumps({"v": 1, "owner": "", "head": "", "digest": "", "reviewed": True, "changes": {}}).encode()
GREEN = envelope(plan=plan(none=2))
BUSY = envelope(exit_code=2, plan=plan(change("chat"), change("old", "delete")))


def headline(body: str) -> str:
    """The first line that a person sees."""
    return body.splitlines()[1]


def state(body: str) -> State:
    found = read_state(body)
    assert found is not None
    return found


def test_the_comment_is_found_on_any_page_and_edited_in_place(runner: Runner) -> None:
    for number in range(4):
        runner.api.comment(7, f"others talk {number}", "ann")
    done = runner.run("comment", runner.save(BUSY))

    assert "shop/dev: changes; https://github.example.com/acme/shop/pull/7#issuecomment-" in done.stdout
    assert runner.outputs == {"comment-posted": "true"}
    for number in range(4):
        runner.api.comment(7, f"others talk on {number}", "ann")
    body = runner.comments()[4]
    assert body.splitlines()[0] == FIRST
    assert "1 to update" in body
    assert state(body).digest == BUSY["plan"]["digest"]
    assert (state(body).owner, state(body).head, state(body).reviewed) == ("shop/dev", HEAD, True)
    assert state(body).changes == {one["address"]: one["digest"][:32] for one in BUSY["plan"]["changes"]}

    runner.run("comment", runner.save(GREEN))

    assert [entry["method"] for entry in runner.api.writes()[-1:]] == ["PATCH"]
    assert len(runner.comments()) == 9
    assert headline(runner.comments()[4]).startswith("### No changes")


def test_one_that_somebody_deleted_meanwhile_is_made_anew(runner: Runner) -> None:
    runner.run("comment", runner.save(BUSY))
    runner.api.faults.append({"method": "PATCH", "path": "issues/comments", "status": 404})
    runner.run("comment", runner.save(GREEN))
    assert runner.outputs == {"comment-posted": "true"}
    assert headline(runner.comments()[-1]).startswith("### No changes")


def test_one_of_a_merged_pull_request_stays_as_it_was_reviewed(runner: Runner) -> None:
    runner.run("comment", runner.save(BUSY))
    runner.api.pulls[7].update(state="closed", merged_at="2026-11-28T12:00:00Z")
    before = runner.comments()
    done = runner.run("comment", runner.save(GREEN))
    assert (runner.comments(), runner.outputs) == (before, {"comment-posted": "false"})
    assert "keeps the plan that it was reviewed with" in done.stdout
    assert "No changes" in runner.summary


def test_nothing_is_sent_when_nothing_is_new(runner: Runner) -> None:
    runner.api.crlf = True
    runner.run("comment", runner.save(GREEN))
    runner.run("comment", runner.save(GREEN))

    assert len(runner.api.writes()) == 1


def test_what_is_new_since_the_last_plan_is_told(runner: Runner) -> None:
    first = envelope(exit_code=2, plan=plan(change("chat"), change("other")))
    second = envelope(exit_code=2, plan=plan(change("chat", "replace"), change("other")))
    runner.run("comment", runner.save(first))
    assert "last plan" not in runner.comments()[0]
    runner.run("comment", runner.save(second))

    assert "last plan" in runner.comments()[0]


def test_another_persons_comment_with_our_mark_is_neither_edited_nor_believed(runner: Runner) -> None:
    forged = "\n".join([FIRST, "### No changes", state_line(State(owner="shop/dev", head=HEAD, reviewed=True))])
    runner.api.comment(7, forged, "mallory")
    runner.api.comment(7, f"look:\n{FIRST}", BOT)
    runner.run("comment", runner.save(BUSY))

    assert runner.comments()[0] == forged
    assert len(runner.comments()) == 3
    assert {entry["method"] for entry in runner.api.writes()} == {"POST"}


def test_of_two_that_a_race_has_made_the_newest_stays(runner: Runner) -> None:
    for text in ("one", "two"):
        runner.api.comment(7, f"{FIRST}\n{text}")
    newest = runner.api.comments[7][1]["id"]
    runner.run("comment", runner.save(GREEN))

    assert [comment["id"] for comment in runner.api.comments[7]] == [newest]
    assert headline(runner.comments()[0]).startswith("### No changes")


def test_each_environment_and_each_key_has_its_own(runner: Runner) -> None:
    prod = envelope(owner="shop/prod", environment="prod", plan=plan(owner="shop/prod", environment="prod"))
    runner.run("comment", runner.save(GREEN), runner.save(prod, "prod.json"))
    runner.run("comment", runner.save(GREEN), "--key", "two  --> words <b>é")

    lines = [body.splitlines()[0] for body in runner.comments()]
    assert lines[:2] == [FIRST, "<!-- reconciler: plan project prod -->"]
    assert lines[2] == "<!-- reconciler: plan two %2D%2D%3E words %3Cb%3E%C3%A9 -->"


def test_an_app_that_does_not_say_who_it_is_still_has_one_comment(runner: Runner) -> None:
    runner.project.env["GITHUB_TOKEN"] = runner.api.token(login="my-app[bot]")
    for result in (GREEN, BUSY):
        runner.run("comment", runner.save(result))

    assert [headline(body).split(":")[0] for body in runner.comments()] == ["### Plan with changes"]


@pytest.mark.parametrize(
    ("result", "first"),
    [
        pytest.param("", "### Plan failed", id="an empty file"),
        pytest.param("[]", "### Plan failed", id="no object"),
        pytest.param('{"format": "reconciler-result/1", "command": "pl', "### Plan failed", id="half a file"),
        pytest.param('{"format": "else/1"}', "### Plan failed", id="another format"),
        pytest.param("[" * 100_000, "### Plan failed", id="a file that is too deep"),
        pytest.param(envelope(finished=False, exit_code=None), "### Plan failed", id="a run that was killed"),
        pytest.param(
            envelope(finished=False, exit_code=None, plan=plan(none=3)), "### Plan failed", id="killed after its plan"
        ),
        pytest.param(
            envelope(exit_code=1, message="theta: GET /x: 503", plan=None), "### Plan failed", id="one that failed"
        ),
        pytest.param(envelope(exit_code=1, problems=[problem()]), "### Plan failed", id="a bad spec"),
        pytest.param(
            envelope(exit_code=1, plan=plan(partial=True, problems=[problem("no list", code="list-failed")])),
            "### Plan incomplete",
            id="a provider that was down",
        ),
        pytest.param(plan(partial=True), "### Plan incomplete", id="a bare plan of that"),
        pytest.param(envelope(plan={**plan(change("chat")), "changes": []}), "### Plan failed", id="an altered plan"),
        pytest.param(envelope(plan={"format": "reconciler-plan/1"}), "### Plan failed", id="a plan without a plan"),
        pytest.param(envelope("drift", drift={"verdict": 3}), "### Plan failed", id="drift without drift"),
        pytest.param(envelope("drift", drift=drift(resources=[{"address": 1}])), "###", id="drift of another release"),
    ],
)
def test_what_is_no_result_replaces_the_old_good_news(runner: Runner, result: Any, first: str) -> None:
    runner.run("comment", runner.save(GREEN))
    runner.run("comment", runner.save(result), *(() if isinstance(result, dict) else ("-e", "dev")))

    (body,) = runner.comments()
    assert headline(body).startswith(first)
    assert "No changes" not in body
    assert not state(body).reviewed
    assert "https://github.example.com/acme/shop/actions/runs/77" in body
    if isinstance(result, dict):
        return
    runner.run("summary", runner.save(result))
    assert "No changes" not in runner.summary
    assert (runner.outputs["verdict"], runner.outputs["has-changes"], runner.outputs["digest"]) == ("failed", "", "")


def test_a_missing_file_is_a_failure_too(runner: Runner) -> None:
    runner.run("comment", "nowhere.json", "-e", "dev")

    assert headline(runner.comments()[0]).startswith("### Plan failed")


@pytest.mark.parametrize(
    ("result", "options"),
    [
        pytest.param(BUSY, ["--unreviewed"], id="an option says so"),
        pytest.param(
            envelope(plan=plan(change("chat"), snapshot={"taken_at": 0, "age_s": 1, "revision": None, "old": False})),
            [],
            id="a plan from a snapshot",
        ),
        pytest.param(envelope("apply", plan=plan(change("chat"))), [], id="an apply's plan"),
    ],
)
def test_what_does_not_count_as_reviewed(runner: Runner, result: Any, options: list[str]) -> None:
    runner.run("comment", runner.save(result), *options)

    assert not state(runner.comments()[0]).reviewed


def test_a_comment_that_is_not_allowed_goes_to_the_summary_and_the_job_stays_green(runner: Runner) -> None:
    runner.project.env["GITHUB_TOKEN"] = runner.api.token({"issues": "read", "pull-requests": "read"})
    done = runner.run("comment", runner.save(BUSY), "--labels")

    notices = done.stdout.splitlines()
    assert notices[0].startswith("::notice title=reconciler::the comment was not posted: POST ")
    assert "GitHub answered 403" in notices[0]
    assert "lacks the permission `pull-requests%3A write`" in notices[0] or "`pull-requests: write`" in notices[0]
    assert notices[1].startswith("::notice title=reconciler::the label was not set: ")
    assert runner.comments() == []
    assert "### Plan with changes" in runner.summary
    assert runner.outputs == {"comment-posted": "false"}


def test_a_plan_of_another_commit_than_the_pull_requests_is_not_shown_over_its_own(runner: Runner) -> None:
    """A run that was overtaken, or a number of somebody else's pull request that a fork has handed on."""
    runner.run("comment", runner.save(BUSY))
    done = runner.run("comment", runner.save(GREEN), "--pr", "7", "--head", "b" * 40, "--labels")

    assert "#7 is at another commit than bbbbbbbbbbbb" in done.stdout
    assert headline(runner.comments()[0]).startswith("### Plan with changes")
    assert runner.api.labels == {}
    assert runner.outputs == {"comment-posted": "false"}
    runner.api.pull(8, head="c" * 40)
    runner.run("comment", runner.save(BUSY), "--pr", "8")
    assert state(runner.comments(8)[0]).head == "", "the event's commit is of another pull request"


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"status": 404, "body": {"message": "Not Found"}}, id="404"),
        pytest.param({"status": 429, "headers": {"Retry-After": "900"}}, id="429"),
        pytest.param({"status": 503, "headers": {"Retry-After": "900"}}, id="503"),
        pytest.param({"status": 401, "body": {"message": "Bad credentials"}}, id="401"),
    ],
)
def test_nobody_fails_because_github_did(runner: Runner, fault: dict[str, Any]) -> None:
    runner.api.faults = [{**fault, "path": "comments", "count": 1000}]
    done = runner.run("comment", runner.save(BUSY))

    assert done.stdout.startswith("::notice ")
    assert "### Plan with changes" in runner.summary


def test_a_token_that_github_gives_back_is_hidden(runner: Runner) -> None:
    made = {"id": 1, "html_url": f"https://x/{runner.project.env['GITHUB_TOKEN']}", "user": {"login": BOT}}
    runner.api.faults = [{"method": "POST", "when": "after-commit", "status": 201, "body": made}]

    assert "https://x/(secret)" in runner.run("comment", runner.save(BUSY)).stdout


@pytest.mark.parametrize("variable", ["GITHUB_TOKEN", "GITHUB_REPOSITORY", "GITHUB_EVENT_PATH", "GITHUB_API_URL"])
def test_a_variable_that_is_missing_is_named(runner: Runner, variable: str) -> None:
    runner.project.env[variable] = "http://example.com" if variable == "GITHUB_API_URL" else ""
    done = runner.run("comment", runner.save(BUSY), code=1)

    assert variable in done.stderr
    assert "[github-setting]" in done.stderr
    if variable == "GITHUB_EVENT_PATH":
        runner.run("comment", runner.save(BUSY), "--pr", "7", "--head", HEAD)
        assert state(runner.comments()[0]).head == HEAD


def test_exactly_one_label_says_what_was_found(runner: Runner) -> None:
    theirs = ["bug", "reconciler/prod: failed", "area 1", "area 2"]
    runner.api.labels[7] = [*theirs, "reconciler/dev: no changes"]
    results = [
        (BUSY, "deletes"),
        (envelope(plan=plan(change("chat"))), "changes"),
        (GREEN, "no changes"),
        ("", "failed"),
    ]
    for result, word in results:
        runner.run("comment", runner.save(result), "--labels", *(() if result else ("-e", "dev")))
        assert sorted(runner.api.labels[7]) == sorted([*theirs, f"reconciler/dev: {word}"])


def test_nine_hundred_changes_fit_in_one_comment_and_one_summary(runner: Runner) -> None:
    """Case C49."""
    long = "\U0001d56c" * 400
    fields: list[dict[str, Any]] = [
        {
            "path": "description",
            "before": long,
            "after": f"{long}!",
            "class": "pending",
            "origin": None,
            "chain": [],
            "forces_replace": False,
            "sensitive": False,
            "after_known": True,
            "after_text": None,
            "removed": False,
            "interruption": "none",
            "notice": None,
            "rule": None,
        }
    ]
    actions = ["update"] * 880 + ["delete"] * 10 + ["replace"] * 10
    changes = [change(f"app-{n}", action, message="né " * 50, fields=fields) for n, action in enumerate(actions)]
    result = runner.save(envelope(plan=plan(*changes)))
    runner.run("comment", result)

    (body,) = runner.comments()
    assert len(body.encode("utf-16-le")) // 2 < 65_536
    assert body.count("<details") == body.count("</details>")
    assert sum(line.startswith("```") for line in body.splitlines()) % 2 == 0
    assert all(f"theta/Deployment/app-{number}`" in body for number in range(880, 900))
    assert plan(*changes)["digest"] in body
    assert len(state(body).changes) == 900
    assert len(state_line(state(body))) <= 20_000

    before = "x" * 600_000 + "\n"
    path = runner.folder / "summary"
    for already in ("", before, "y" * 1_048_000):
        path.write_text(already)
        done = runner.project.run("github", "summary", result)
        assert done.returncode == 0
        assert path.read_text(encoding="utf-8").startswith(already)
        assert path.stat().st_size < 1_048_576
    assert "::the summary of this step is full" in done.stdout
    assert len([line for line in done.stdout.splitlines() if line.startswith("::warning")]) == 10


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("<!-- reconciler-state: !!!! -->", id="no base64"),
        pytest.param(f"<!-- reconciler-state: {base64.b64encode(b'text').decode()} -->", id="not packed"),
        pytest.param(
            f"<!-- reconciler-state: {base64.b64encode(zlib.compress(WHOLE + b' ' * 50_000_000)).decode()} -->",
            id="a bomb",
        ),
        pytest.param(
            f"<!-- reconciler-state: {base64.b64encode(zlib.compress(b'[' * 100_000)).decode()} -->", id="too deep"
        ),
        pytest.param(
            f"<!-- reconciler-state: {base64.b64encode(zlib.compress(json.dumps({'v': 2}).encode())).decode()} -->",
            id="of another release",
        ),
    ],
)
def test_a_damaged_state_is_none(runner: Runner, line: str) -> None:
    assert read_state(f"{FIRST}\nhello\n{line}") is None
    runner.api.comment(7, f"{FIRST}\nhello\n{line}")
    runner.run("comment", runner.save(BUSY))
    assert state(runner.comments()[0]).reviewed


def test_a_whole_state_is_read() -> None:
    assert read_state(f"<!-- reconciler-state: {base64.b64encode(zlib.compress(WHOLE)).decode()} -->\r\n")


def test_a_state_gives_up_addresses_first_and_changes_then() -> None:
    many = State(digest="d" * 64, reviewed=True, changes={f"theta/Deployment/{n:x}": f"{n:032x}" for n in range(40)})
    assert read_state(state_line(many)) == many

    def digests(count: int) -> dict[str, str]:
        made = (hashlib.sha256(str(number).encode()).hexdigest() for number in range(count))
        return {f"theta/Deployment/{digest[32:]}": digest[:32] for digest in made}

    nameless = State(digest="d" * 64, reviewed=True, changes=digests(700))
    found = read_state(state_line(nameless))
    assert found is not None
    assert (found.named, set(found.changes.values())) == (False, set(nameless.changes.values()))
    bare = read_state(state_line(State(digest="d" * 64, reviewed=True, changes=digests(3000))))
    assert bare is not None
    assert (bare.digest, bare.changes, bare.named) == ("d" * 64, {}, False)


def test_two_keys_have_two_marks() -> None:
    keys = ["a b", "a-b", "a%2Db", "é", "x" * 400, "x" * 401, "a\nb-->", "a/b"]
    marks = [marker("plan", key) for key in keys]

    assert len(set(marks)) == len(keys)
    assert all(mark.isascii() and mark.count("-->") == 1 and "--" not in mark[4:-3] for mark in marks)
