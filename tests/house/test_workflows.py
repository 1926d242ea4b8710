"""What every workflow and action must keep to, so that no credential goes astray; schemas and zizmor do the rest."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.github.workflows_shape import check_action, check_workflow, read, triggers

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted([*ROOT.glob(".github/workflows/*.yml"), *ROOT.glob("specs-example/.github/workflows/*.yml")])
ACTIONS = sorted(ROOT.glob(".github/actions/*/action.yml"))

_USES = re.compile(r"^\s*(?:- )?uses: (?P<what>\S+)(?P<comment>.*)$", re.MULTILINE)
_PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")
_RELEASE = re.compile(r" # v\d+\.\d+\.\d+(?: .*)?")
_SECRET = re.compile(r"\bsecrets\s*[.\[]")


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=_name)
each_file = pytest.mark.parametrize("path", [*WORKFLOWS, *ACTIONS], ids=_name)


def _read(path: Path) -> dict[str, Any]:
    return read(path.read_text(encoding="utf-8"))


def _steps(path: Path) -> list[dict[str, Any]]:
    found = _read(path)
    if path in ACTIONS:
        return list(found["runs"]["steps"])
    return [step for job in found["jobs"].values() for step in job.get("steps", [])]


def _called(job: dict[str, Any]) -> Path | None:
    """The file of ours that this job calls."""
    found = re.search(r"\.github/workflows/[\w-]+\.yml", job.get("uses", ""))
    return ROOT / found[0] if found else None


def _applies(job: dict[str, Any]) -> bool:
    called = _called(job)
    if called is not None:
        return any(_applies(inner) for inner in _read(called)["jobs"].values())
    steps = job.get("steps", [])
    by_action = any(step.get("with", {}).get("command") == "apply" for step in steps)
    return by_action or any(re.search(r'reconciler"? apply\b', step.get("run", "")) for step in steps)


def _concurrencies(found: dict[str, Any]) -> Iterator[Any]:
    """Those that could end an apply: the workflow's, and those of the jobs that lead to one."""
    yield found.get("concurrency")
    for job in filter(_applies, found["jobs"].values()):
        yield job.get("concurrency")
        called = _called(job)
        if called is not None:
            yield from _concurrencies(_read(called))


@each_file
def test_the_tests_interpreter_knows_all_of_it(path: Path) -> None:
    (check_action if path in ACTIONS else check_workflow)(_read(path), _name(path))


@each_file
def test_what_others_wrote_is_pinned_to_a_commit_with_its_release_beside_it(path: Path) -> None:
    found = list(_USES.finditer(path.read_text(encoding="utf-8")))
    all_of_them = [job["uses"] for job in _read(path).get("jobs", {}).values() if "uses" in job]
    assert len(found) == len(all_of_them) + sum("uses" in step for step in _steps(path))

    for use in found:
        if not use["what"].startswith(("./", "$/")):
            assert _PINNED.fullmatch(use["what"]), use[0]
            assert _RELEASE.fullmatch(use["comment"]), use[0]


@each_file
def test_nothing_is_written_into_shell(path: Path) -> None:
    for step in _steps(path):
        assert "${{" not in str(step.get("run", "")), "values go to shell by `env`"


@each_workflow
def test_no_files_of_a_pull_request_meet_the_rights_of_its_target(path: Path) -> None:
    assert not {"pull_request_target", "workflow_run"} & set(triggers(_read(path)))


@each_workflow
def test_a_job_says_what_it_may_and_for_how_long(path: Path) -> None:
    found = _read(path)
    assert found["permissions"] in ({}, {"contents": "read"})

    for name, job in found["jobs"].items():
        assert "permissions" in job or found["permissions"], name
        # GitHub knows no time limit of a call: its jobs have theirs.
        assert ("timeout-minutes" in job) is ("uses" not in job), name


@each_workflow
def test_secrets_are_only_where_a_github_environment_guards_them(path: Path) -> None:
    found = _read(path)

    assert not _SECRET.search(json.dumps({key: value for key, value in found.items() if key not in {"on", "jobs"}}))
    for name, job in found["jobs"].items():
        assert "environment" in job or not _SECRET.search(json.dumps(job)), name


APPLYING = [path for path in WORKFLOWS if any(map(_applies, _read(path)["jobs"].values()))]


@pytest.mark.parametrize("path", APPLYING, ids=_name)
def test_no_apply_is_cancelled_by_a_newer_one(path: Path) -> None:
    groups = [group for group in _concurrencies(_read(path)) if group is not None]

    assert groups, "two applies at once"
    for group in groups:
        assert group["cancel-in-progress"] is False
