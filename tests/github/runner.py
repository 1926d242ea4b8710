"""Runs GitHub workflows as they stand in their files, on this machine: the steps' shell is real, GitHub is emulated.

Small and strict: a key, a function, an action, an input that is not known is a `WorkflowError`, never skipped. Jobs run
one after another, each in folders of its own. Triggers are not evaluated: the test says which workflow meets what.
Of conditions, contexts and permissions GitHub's reference is followed, also in what is available where.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.github.workflows_expressions import Known, WorkflowError
from tests.github.workflows_jobs import Call, Execution, conclusion, is_untrusted
from tests.github.workflows_results import Annotation, Job, Run, Step
from tests.github.workflows_shape import Source, read_workflow, triggers, typed_inputs

__all__ = ["Annotation", "Job", "Run", "Runner", "Step", "WorkflowError"]

_PYTHON = """#!/bin/sh
# Stands in for python: what it would install is noted and not installed, all else is the real one.
note() {{ printf '%s\\0' "$@" >>{log}; printf '\\n' >>{log}; }}
[ "$1" = -I ] && shift
case "$1 $2" in
  "-m venv")
    note "$@"
    for folder; do :; done
    mkdir -p "$folder/bin" && cp "$0" "$folder/bin/python" && cp "$0" "$folder/bin/python3"
    ;;
  "-m pip")
    note "$@"
    for source; do :; done
    if [ -f "$source/pyproject.toml" ]; then
      bin=$(dirname "$0")
      printf '#!/bin/sh\\n%s\\n' {command} >"$bin/reconciler" && chmod +x "$bin/reconciler"
    fi
    ;;
  *) exec {python} "$@" ;;
esac
"""


@dataclass
class Runner:
    """GitHub's side of a repository.

    Attributes:
        place: A folder for all that runs leave. `origin`: the bare repository. `tool`: the checkout of reconciler.
        token: Makes a token with these permissions (`GitHubApi.token`).
        secrets, variables: By GitHub Environment; those of "" are the repository's. A job can only name one of these.
        command: What `reconciler` is, in shell; a test may let it die.
        before_step: Is called before each step, also one that is skipped: to let something happen meanwhile.
        path: What PATH ends with.
        private: Whether a fetch needs credentials.
        patience_s: After which a step is given up, in seconds.
    """

    place: Path
    origin: Path
    tool: Path
    api_url: str
    token: Callable[[Mapping[str, str]], str]
    secrets: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: {"": {}})
    variables: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    repository: str = "acme/shop"
    tool_repository: str = "your-org/reconciler"
    server_url: str = "https://github.example.com"
    python: str = sys.executable
    command: str = ""
    before_step: Callable[[Job, Step], None] = lambda _, __: None
    private: bool = True
    patience_s: float = 120
    path: str = field(default_factory=lambda: _path_of("git", "bash", "sh"))
    runs: list[Run] = field(default_factory=list)

    @property
    def shims(self) -> Path:
        """The folder with `python`."""
        return self.place / "shims"

    def dispatch(
        self,
        workflow: str,
        event_name: str,
        event: Mapping[str, Any],
        *,
        sha: str,
        ref: str,
        inputs: Mapping[str, Any] | None = None,
    ) -> Run:
        """Run `workflow`, a path in the commit `sha`, for this event to its end.

        Raises:
            WorkflowError: GitHub would refuse it, or something in it is not known here; maybe after some steps.
        """
        number = len(self.runs) + 1
        home = self.place / f"run-{number}"
        run = Run(number, artifacts=home / "artifacts")
        self.runs.append(run)
        source = Source(self.repository, sha, home / "source")
        self._export(sha, source.root)
        flow = read_workflow(source, workflow)
        if event_name not in triggers(flow) or event_name == "pull_request_target":
            raise WorkflowError(f"{workflow}: does not run for {event_name}, or must not")
        github = Known(self._github(event_name, event, sha, ref, number), workflow=flow.get("name", workflow))
        execution = Execution(self, run, home, github, is_untrusted(github))
        execution.check(flow, source, workflow, None)
        about = (triggers(flow).get("workflow_dispatch") or {}).get("inputs") or {}
        given = (
            typed_inputs(about, inputs or {}, workflow)
            if event_name == "workflow_dispatch"
            else Known(dict.fromkeys(about))
        )
        self._make_python(home / "installs")
        execution.workflow(flow, source, Call(inputs=given))
        run.installs = _noted(home / "installs")
        run.conclusion = conclusion([job.result for job in run.jobs.values()])
        return run

    def _github(self, event_name: str, event: Mapping[str, Any], sha: str, ref: str, number: int) -> Known:
        pull = event.get("pull_request") or {}
        actor = (event.get("sender") or pull.get("user") or {}).get("login", "someone")
        return Known(
            action_path="",
            actor=actor,
            api_url=self.api_url,
            base_ref=(pull.get("base") or {}).get("ref", ""),
            event=dict(event),
            event_name=event_name,
            head_ref=(pull.get("head") or {}).get("ref", ""),
            job="",
            ref=ref,
            ref_name=ref.removeprefix("refs/heads/").removeprefix("refs/pull/").removeprefix("refs/tags/"),
            repository=self.repository,
            repository_owner=self.repository.partition("/")[0],
            run_attempt="1",
            run_id=str(7000 + number),
            run_number=str(number),
            server_url=self.server_url,
            sha=sha,
            token="",
            triggering_actor=actor,
        )

    def _export(self, sha: str, folder: Path) -> None:
        folder.mkdir(parents=True)
        archive = subprocess.run(["git", "archive", sha], cwd=self.origin, check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x"], cwd=folder, check=True, input=archive)

    def _make_python(self, log: Path) -> None:
        command = self.command or f'exec {shlex.quote(self.python)} -P -m reconciler "$@"'
        text = _PYTHON.format(log=shlex.quote(str(log)), command=shlex.quote(command), python=shlex.quote(self.python))
        self.shims.mkdir(parents=True, exist_ok=True)
        for name in ("python", "python3"):
            (self.shims / name).write_text(text, encoding="utf-8")
            (self.shims / name).chmod(0o755)


def _noted(log: Path) -> list[list[str]]:
    lines = log.read_text(encoding="utf-8").split("\0\n") if log.exists() else []
    return [line.split("\0") for line in lines if line]


def _path_of(*programs: str) -> str:
    """A PATH with the system's folders, and where these programs are."""
    homes = [str(Path(found).parent) for name in programs if (found := shutil.which(name))]
    return os.pathsep.join(dict.fromkeys([*homes, "/usr/local/bin", "/usr/bin", "/bin"]))
