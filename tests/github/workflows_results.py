"""What became of a run of a workflow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Annotation:
    """`::error file=F,line=N::message`, decoded."""

    level: str
    message: str
    properties: dict[str, str]


@dataclass
class Step:
    """One step.

    Attributes:
        log: What its process said, with nothing masked.
        commands: The names of the workflow commands in it that the runner would obey.
        environment: All variables of its process.
        inner: The steps of a composite action.
    """

    name: str
    id: str = ""
    uses: str = ""
    outcome: str = "skipped"
    conclusion: str = "skipped"
    outputs: dict[str, str] = field(default_factory=dict)
    log: str = ""
    summary: str = ""
    annotations: list[Annotation] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    inner: list[Step] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)

    def all(self) -> Iterator[Step]:
        """This one and those inside, in order."""
        yield self
        for step in self.inner:
            yield from step.all()


@dataclass
class Job:
    """One job of a matrix, or the call of a reusable workflow (without steps); a skipped one has not been expanded."""

    key: str
    result: str = "skipped"
    name: str = ""
    outputs: dict[str, Any] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    matrix: dict[str, Any] = field(default_factory=dict)
    permissions: dict[str, str] = field(default_factory=dict)
    environment: str = ""
    concurrency: dict[str, Any] = field(default_factory=dict)
    runs_on: Any = None
    timeout_minutes: float | None = None
    workspace: Path = Path()
    temp: Path = Path()
    token: str = ""

    def every_step(self) -> list[Step]:
        """All steps, those of composite actions too, in order."""
        return [found for step in self.steps for found in step.all()]

    def step(self, name: str) -> Step:
        """The step of this name or id; KeyError when there is none, or more than one."""
        found = [step for step in self.every_step() if name in {step.name, step.id}]
        if len(found) != 1:
            raise KeyError(f"{name!r} among {[step.name for step in self.every_step()]}")
        return found[0]

    @property
    def summary(self) -> str:
        """All that the steps wrote to GITHUB_STEP_SUMMARY."""
        return "".join(step.summary for step in self.every_step())

    @property
    def log(self) -> str:
        """All that the steps said."""
        return "".join(step.log for step in self.every_step())

    @property
    def annotations(self) -> list[Annotation]:
        """Errors, warnings and notices."""
        return [found for step in self.every_step() for found in step.annotations]


@dataclass
class Run:
    """One run of a workflow.

    Attributes:
        jobs: By key: `job`, `job (value, value)` of a matrix, `call / job (value)` inside a reusable workflow.
        artifacts: The folder with a folder for each artifact.
        installs: The arguments of each `python -m pip` and `python -m venv` that was asked for; none was carried out.
        checkouts: What each actions/checkout was given, and its `job`.
        concurrency: That of the workflow.
    """

    number: int
    artifacts: Path
    conclusion: str = ""
    jobs: dict[str, Job] = field(default_factory=dict)
    installs: list[list[str]] = field(default_factory=list)
    checkouts: list[dict[str, str]] = field(default_factory=list)
    concurrency: dict[str, Any] = field(default_factory=dict)

    def job(self, end: str) -> Job:
        """The one job whose key is `end`, or ends with ` / end`."""
        found = [job for key, job in self.jobs.items() if key == end or key.endswith(f" / {end}")]
        if len(found) != 1:
            raise KeyError(f"{end!r} among {list(self.jobs)}")
        return found[0]

    def told(self) -> str:
        """All logs, for the message of an assertion."""
        return "\n".join(
            f"--- {job.key} / {step.name}: {step.outcome}\n{step.log}"
            for job in self.jobs.values()
            for step in job.every_step()
        )

    def visible(self) -> str:
        """All that a reader of the run can see: logs, summaries, outputs, artifacts. No secret may be in it."""
        files = [path for path in sorted(self.artifacts.rglob("*")) if path.is_file()]
        told = [path.read_text(encoding="utf-8", errors="replace") for path in files]
        for job in self.jobs.values():
            told += [str(job.outputs), *(f"{step.log}{step.summary}{step.outputs}" for step in job.every_step())]
        return "\n".join(told)
