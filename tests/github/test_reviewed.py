"""What counts as reviewed: a whole plan of the merged commit, by our account, on a pull request merged since."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reconciler.github.client import GitHub
from reconciler.github.reviewed import MOST_COMMITS, Question, look
from reconciler.github.state import State, state_line
from reconciler.ledger import open_ledger
from reconciler.ledger.journal import Run, RunStatus
from tests.github.conftest import Runner
from tests.github.documents import change, envelope, plan
from tests.github.github_api import GitHubApi

SCHEMA = json.loads((Path(__file__).parents[2] / "schemas/reconciler-reviewed-1.json").read_text("utf-8"))
FIRST = "<!-- reconciler: plan project dev -->"
DIGEST = "d" * 64
NAMES = {
    f"GIT_{role}_{what}": f"ann{at}"
    for role in ("AUTHOR", "COMMITTER")
    for what, at in (("NAME", ""), ("EMAIL", "@example.com"))
}


@dataclass
class Repository:
    """The repository around the project, on its branch `main`."""

    runner: Runner
    commits: list[str] = field(default_factory=list)

    def git(self, *words: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(self.runner.folder), *words],
            env={**os.environ, **NAMES, "GIT_CONFIG_GLOBAL": os.devnull},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def commit(self) -> str:
        self.git("commit", "--allow-empty", "-qm", f"change {len(self.commits)}")
        self.commits.append(self.git("rev-parse", "HEAD"))
        return self.commits[-1]

    def applied(self, revision: str, status: RunStatus = RunStatus.DONE, *, whole: bool = True) -> None:
        """Note a run in the ledger."""
        ledger = open_ledger({"type": "sqlite"}, self.runner.project.root)
        before = len(ledger.runs("shop/dev"))
        name = f"run-{before}"
        with ledger.take_lease("shop/dev", "ann") as lease:
            run = Run(id=name, owner="shop/dev", started=1.0 + before, revision=revision, whole=whole)
            lease.begin_run(run)
            lease.end_run(name, status, 2.0)

    def merge(self, number: int, *, fork: str = "", base: str = "main", **state: Any) -> str:
        """A merged pull request with a plan comment of ours; `body` instead of the state, if given."""
        sha, head = self.commit(), f"{number:040x}"
        self.runner.api.pull(number, head=head, fork=fork, base=base, merged=sha)
        body = state.pop("body", None)
        login = state.pop("login", "github-actions[bot]")
        self.runner.api.now = state.pop("shown", "2026-11-28T00:00:00Z")
        known: dict[str, Any] = {
            "owner": "shop/dev",
            "head": head,
            "digest": DIGEST,
            "reviewed": True,
            "changes": {"a": "a" * 32},
        }
        text = body if body is not None else state_line(State(**(known | state)))
        if text:
            self.runner.api.comment(number, f"{FIRST}\nplan\n{text}", login)
        return sha

    def reviewed(self, code: int = 0) -> dict[str, Any]:
        out = self.runner.folder / "reviewed.json"
        done = self.runner.run("reviewed", "--out", str(out), "-e", "dev", code=code)
        found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
        Draft202012Validator(SCHEMA).validate(found)
        return {**found, "stdout": done.stdout, "stderr": done.stderr}


@pytest.fixture
def repository(runner: Runner) -> Repository:
    runner.project.write(
        "reconciler.yaml",
        """\
        apiVersion: reconciler/v1
        kind: Project
        metadata: {name: shop}
        spec:
          environments: {dev: {}}
          providers: {theta: {type: theta, endpoint: emulator}}
        """,
    )
    (runner.project.root / "resources").mkdir()
    found = Repository(runner)
    found.git("init", "-q", "-b", "main")
    found.commit()
    return found


def test_the_plans_of_all_pull_requests_merged_since_count(repository: Repository) -> None:
    runner = repository.runner
    repository.merge(1)
    applied = repository.merge(2)
    repository.applied(applied)
    repository.applied(repository.merge(3), RunStatus.INCOMPLETE)
    plans = {4: plan(change("chat")), 5: plan(change("chat"), change("old", "delete"))}
    for number, made in plans.items():
        repository.merge(number, body="")
        merged = dict(runner.api.pulls[number])
        runner.api.pulls[number].update(state="open", merged_at=None)
        arguments = ("--pr", str(number), "--head", f"{number:040x}")
        runner.run("comment", runner.save(envelope(exit_code=2, plan=made)), *arguments)
        runner.api.pulls[number].update(merged)
    alone = repository.commit()
    found = repository.reviewed()

    assert (found["owner"], found["since"], found["head"]) == ("shop/dev", applied, alone)
    assert [item["pull_request"] for item in found["sets"]] == [5, 4, 3]
    assert found["sets"][0] == {
        "pull_request": 5,
        "url": "https://github.example.com/acme/shop/pull/5",
        "digest": plans[5]["digest"],
        "changes": sorted(one["digest"][:32] for one in plans[5]["changes"]),
    }
    assert (found["left_out"], found["without"]) == ([], [alone])
    assert found["stdout"] == "shop/dev: reviewed on #5, #4, #3\n"


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        pytest.param({"reviewed": False}, "failed, was incomplete, or was made from a snapshot", id="not whole"),
        pytest.param({"digest": ""}, "failed, was incomplete, or was made from a snapshot", id="no plan"),
        pytest.param({"head": "f" * 40}, "is of ffffffffffff, and 000000000000 was merged", id="another commit"),
        pytest.param({"head": ""}, "is of an unknown commit", id="no commit"),
        pytest.param({"owner": "shop/prod"}, "is for shop/prod", id="another owner"),
        pytest.param({"fork": "mallory/shop"}, "from a fork", id="a fork"),
        pytest.param({"login": "mallory"}, "no plan for 'project dev' by github-actions[bot]", id="another person"),
        pytest.param({"body": ""}, "no plan for", id="no comment"),
        pytest.param({"body": "<!-- reconciler-state: e30= -->"}, "damaged", id="damaged"),
        pytest.param({"shown": "2026-11-28T12:00:01Z"}, "shown after the merge", id="after the merge"),
    ],
)
def test_a_plan_that_does_not_count_is_named_with_its_reason(
    repository: Repository, wrong: dict[str, Any], why: str
) -> None:
    repository.applied(repository.commits[0])
    repository.merge(2, **wrong)
    repository.merge(3)
    found = repository.reviewed()

    assert [item["pull_request"] for item in found["sets"]] == [3]
    assert [item["pull_request"] for item in found["left_out"]] == [2]
    assert why in found["left_out"][0]["why"]
    assert f"note: #2 does not count: {found['left_out'][0]['why']}" in found["stderr"]


def test_an_apply_of_a_part_is_not_where_the_next_one_begins(repository: Repository) -> None:
    whole = repository.merge(1)
    repository.applied(whole)
    repository.applied(repository.merge(2), whole=False)
    repository.merge(3)
    found = repository.reviewed()
    assert (found["since"], [item["pull_request"] for item in found["sets"]]) == (whole, [3, 2])


def test_without_any_it_stops_and_says_how_to_go_on_by_hand(repository: Repository) -> None:
    repository.applied(repository.commits[0])
    elsewhere = repository.merge(2, base="release")
    repository.runner.api.pull(3, head="3" * 40)["merged_at"] = None
    repository.runner.api.commit_pulls[elsewhere].append(3)
    found = repository.reviewed(code=4)

    root = repository.runner.project.root
    assert (found["sets"], found["left_out"], found["without"]) == ([], [], [elsewhere])
    assert f"`reconciler plan -C {root} -e dev --out plan.json`" in found["stderr"]
    assert f"`reconciler apply plan.json -C {root} -e dev`" in found["stderr"]
    assert "[nothing-reviewed]" in found["stderr"]


def test_where_nothing_was_applied_the_last_hundred_commits_are_asked_for(repository: Repository) -> None:
    repository.merge(2)
    found = repository.reviewed()

    assert (found["since"], [item["pull_request"] for item in found["sets"]]) == (None, [2])


def test_only_the_branchs_own_line_is_asked_for(repository: Repository) -> None:
    repository.applied(repository.commits[0])
    repository.git("checkout", "-qb", "side")
    side = repository.commit()
    repository.git("checkout", "-q", "main")
    repository.merge(2)
    repository.git("merge", "-q", "--no-ff", "-m", "merge", "side")
    found = repository.reviewed()

    assert side not in found["without"]
    assert not any(side in entry["path"] for entry in repository.runner.api.requests)


def shallow(repository: Repository) -> None:
    folder = repository.runner.folder
    (folder / ".git" / "shallow").write_text(f"{repository.git('rev-parse', 'HEAD')}\n")


def rewritten(repository: Repository) -> None:
    repository.applied("e" * 40)


def a_name(repository: Repository) -> None:
    repository.applied("HEAD~1")


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [(shallow, "fetch-depth: 0"), (rewritten, "not rewritten since"), (a_name, "not rewritten since")],
)
def test_a_clone_without_the_range_is_an_error(
    repository: Repository, spoil: Callable[[Repository], None], expected: str
) -> None:
    repository.applied(repository.commits[0])
    repository.merge(2)
    repository.merge(3)
    spoil(repository)
    done = repository.runner.run("reviewed", "--out", str(repository.runner.folder / "x"), "-e", "dev", code=1)

    assert expected in done.stderr
    assert "[history-too-short]" in done.stderr
    assert repository.runner.api.requests == []


def test_a_cut_history_that_holds_the_range_is_enough(repository: Repository) -> None:
    repository.commit()
    repository.applied(repository.commits[-1])
    (repository.runner.folder / ".git" / "shallow").write_text(f"{repository.commits[-1]}\n")
    repository.merge(2)

    assert [item["pull_request"] for item in repository.reviewed()["sets"]] == [2]


def test_what_can_not_be_asked_is_an_error_and_no_absence(repository: Repository) -> None:
    repository.merge(2)
    runner = repository.runner
    runner.api.faults = [{"path": "pulls$", "status": 403, "count": 9}]
    done = runner.run("reviewed", "--out", str(runner.folder / "x"), "-e", "dev", code=1)
    assert "permission `pull-requests: read` [github-failed]" in done.stderr

    runner.project.env["GITHUB_REF"] = "refs/pull/7/merge"
    done = runner.run("reviewed", "--out", str(runner.folder / "x"), "-e", "dev", code=1)
    assert "GITHUB_REF" in done.stderr


def test_without_a_repository_there_is_no_history(repository: Repository) -> None:
    (repository.runner.folder / ".git").rename(repository.runner.folder / "elsewhere")
    done = repository.runner.run("reviewed", "--out", str(repository.runner.folder / "x"), "-e", "dev", code=1)

    assert "[no-history]" in done.stderr


def test_commits_that_github_does_not_know_or_that_are_too_many_came_with_nothing(api: GitHubApi) -> None:
    commits = [f"{number:040x}" for number in range(MOST_COMMITS + 2)]
    api.faults = [{"path": f"{commits[0]}/pulls", "status": 422}]
    github = GitHub(api.token(), api.repository, api.url)
    found = look(github, commits, Question(owner="shop/dev", branch="main", actor="ann", key="shop"))
    github.close()

    assert found.without == tuple(commits)
    assert len(api.requests) == MOST_COMMITS
