"""An emulated GitHub, a project whose commands run as on a runner, whose files are read as the runner reads them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.conftest import Project
from tests.github.github_api import GitHubApi

HEAD = "a" * 40


@pytest.fixture(scope="session")
def github_server() -> Iterator[GitHubApi]:
    """An emulated GitHub, once for all tests of this worker."""
    found = GitHubApi().start()
    yield found
    found.stop()


@pytest.fixture
def api(github_server: GitHubApi) -> GitHubApi:
    """An emulated GitHub as new, with a pull request, #7."""
    github_server.reset().pull(7, head=HEAD)
    return github_server


@dataclass
class Runner:
    """A job: the project, GitHub, and the files of the runner."""

    project: Project
    api: GitHubApi
    folder: Path

    def run(self, *args: str, code: int = 0) -> CompletedProcess[str]:
        """Run `reconciler github ARGS`, as a step does."""
        for name in ("output", "summary"):
            (self.folder / name).write_text("")
        done = self.project.run("github", *args)
        told = done.stdout + done.stderr
        assert done.returncode == code, told
        assert "Traceback" not in told
        assert "internal error" not in told, told
        assert "canarytoken" not in told
        return done

    def save(self, document: Any, name: str = "result.json") -> str:
        """Write what the step before left; text as it is."""
        path = self.folder / name
        path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
        return str(path)

    @property
    def summary(self) -> str:
        return (self.folder / "summary").read_text(encoding="utf-8")

    @property
    def outputs(self) -> dict[str, str]:
        """The outputs, read as the runner reads them."""
        lines = (self.folder / "output").read_text(encoding="utf-8").split("\n")
        found: dict[str, str] = {}
        while lines and (head := lines.pop(0)):
            name, _, fence = head.partition("<<")
            assert fence, head
            end = lines.index(fence)
            found[name] = "\n".join(lines[:end])
            del lines[: end + 1]
        return found

    def comments(self, number: int = 7) -> list[str]:
        return [comment["body"] for comment in self.api.comments.get(number, [])]


@pytest.fixture
def runner(project: Project, api: GitHubApi) -> Runner:
    """A job for a push to pull request #7."""
    folder = project.root.parent
    event = folder / "event.json"
    event.write_text(json.dumps({"number": 7, "pull_request": {"number": 7, "head": {"sha": HEAD}}}))
    project.env.update(
        api.environment(),
        GITHUB_EVENT_PATH=str(event),
        GITHUB_OUTPUT=str(folder / "output"),
        GITHUB_STEP_SUMMARY=str(folder / "summary"),
        GITHUB_WORKSPACE=str(folder),
        GITHUB_REF="refs/heads/main",
    )
    return Runner(project, api, folder)
