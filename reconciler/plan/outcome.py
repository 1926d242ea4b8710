"""What became of each step of an apply: exactly one of done, failed, skipped, unknown. Plain data for reports."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reconciler.diff.change import Action

__all__ = ["Outcome", "Report", "State"]


class State(StrEnum):
    """How a step ended."""

    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"
    """It may have happened; the next run looks first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One step's end.

    `message` says what is true now and what to do; `cause` names the step that a skipped one waited for; `seconds` is
    the provider's own time (emulated for the embedded emulator).
    """

    step: str
    address: str
    op: Action
    state: State
    message: str = ""
    live_id: str = ""
    endpoint: str = ""
    cause: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One apply's end.

    Attributes:
        owner, run, digest, revision: What was applied, by which run.
        outcomes: One for each step, in plan order.
        settled: What earlier runs had left open, and how it was settled.
        notes: Further things that a person should know (fields that the provider did not keep).
        unfinished: Addresses that take one more run: this one removed what an earlier one had left, and no more.
        interrupted: A signal or `--timeout` ended it early.
        seconds: Wall-clock time.
    """

    owner: str
    run: str
    digest: str
    outcomes: tuple[Outcome, ...]
    revision: str = ""
    settled: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()
    interrupted: bool = False
    seconds: float = 0.0

    @property
    def counts(self) -> dict[str, int]:
        """State → number of steps, for all four states."""
        return {str(state): sum(outcome.state is state for outcome in self.outcomes) for state in State}

    @property
    def complete(self) -> bool:
        """Whether everything was done."""
        return not (self.interrupted or self.unfinished) and all(
            outcome.state is State.DONE for outcome in self.outcomes
        )
