"""Where a command runs: the variables that GitHub's runner sets, and what they say of repository and pull request."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from reconciler.github.client import API_URL, GitHub
from reconciler.problems import Problem, SpecError

__all__ = ["Place", "folder_of", "open_github", "project_key"]

_REPOSITORY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+\Z")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,17}\Z")
_SHA: Final = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?\Z")


@dataclass(frozen=True, slots=True)
class Place:
    """The environment of a job; every answer is empty or `None` where the runner told nothing."""

    environ: Mapping[str, str]

    @property
    def event(self) -> Mapping[str, Any]:
        """The event's payload, empty where there is none that can be read."""
        try:
            found = json.loads(Path(self.environ["GITHUB_EVENT_PATH"]).read_bytes())
        except (KeyError, OSError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def pull_request(self) -> int | None:
        """Number of the event's pull request."""
        found = self._pull().get("number", self.event.get("number"))
        return found if type(found) is int and found > 0 else None

    @property
    def head(self) -> str:
        """Commit that the event's pull request proposes; not the merge commit that is checked out."""
        head = self._pull().get("head")
        sha = head.get("sha") if isinstance(head, dict) else None
        return sha if isinstance(sha, str) and _SHA.match(sha) else ""

    @property
    def branch(self) -> str:
        """The branch that this run is about, or empty when it is about something else."""
        full = self.environ.get("GITHUB_REF", "")
        return full.removeprefix("refs/heads/") if full.startswith("refs/heads/") else ""

    @property
    def run_url(self) -> str:
        """Address of this run."""
        run, server = self.environ.get("GITHUB_RUN_ID", ""), self.environ.get("GITHUB_SERVER_URL", "")
        repository = self.environ.get("GITHUB_REPOSITORY", "")
        known = _NUMBER.match(run) and re.match(r"https?://[A-Za-z0-9.:\[\]-]+\Z", server)
        return f"{server}/{repository}/actions/runs/{run}" if known and _REPOSITORY.match(repository) else ""

    def file(self, name: str) -> Path | None:
        """A file that the runner reads when the step has ended."""
        return Path(self.environ[name]) if self.environ.get(name) else None

    def _pull(self) -> Mapping[str, Any]:
        found = self.event.get("pull_request")
        return found if isinstance(found, dict) else {}


def open_github(environ: Mapping[str, str], needs: str) -> GitHub:
    """The repository of this job.

    Raises:
        SpecError: `github-setting`, naming the variable that is missing or wrong.
    """
    token, repository = environ.get("GITHUB_TOKEN", "").strip(), environ.get("GITHUB_REPOSITORY", "")
    problems = []
    if not token:
        problems.append(_missing("GITHUB_TOKEN is not set", f"a token with the permission `{needs}`"))
    if not _REPOSITORY.match(repository):
        problems.append(_missing(f"GITHUB_REPOSITORY is {repository!r}", "owner/name"))
    if problems:
        raise SpecError(problems)
    return GitHub(token, repository, environ.get("GITHUB_API_URL") or API_URL, needs)


def folder_of(directory: str, environ: Mapping[str, str]) -> str:
    """A project's folder as the repository has it; the whole path where it is outside. It need not exist."""
    full = os.path.realpath(directory)
    for base in (environ.get("GITHUB_WORKSPACE"), os.getcwd()):  # noqa: PTH109 - text, as the other one
        home = os.path.realpath(base) if base else ""
        if home and (full + os.sep).startswith(home.rstrip(os.sep) + os.sep):
            return Path(os.path.relpath(full, home)).as_posix()
    return Path(full).as_posix()


def project_key(directory: str, environment: str, environ: Mapping[str, str]) -> str:
    """What a comment or an issue is about: the project's folder within the repository, and the environment."""
    folder = folder_of(directory, environ)
    return f"{Path(folder).name if Path(folder).is_absolute() else folder} {environment}".strip()


def _missing(wrong: str, expected: str) -> Problem:
    return Problem(code="github-setting", wrong=wrong, expected=expected)
