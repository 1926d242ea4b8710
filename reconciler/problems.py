"""What went wrong, where, and what was expected: the vocabulary of every error this package reports.

The exception tree:

* `ReconcilerError`: everything that is ours to explain to a person.
    * `SpecError`: the spec (or a saved file) is bad; holds every problem of one stage. Exit 1.
    * `ProviderError`: a provider refused, failed or could not be read. Exit 1.
        * `UnknownOutcome`: a write whose effect is unknown; it may have landed.
    * `Refused`: safety, ownership, staleness or a lease says no; nothing was sent. Exit 4.
    * `Incomplete`: an apply ended before all of its steps were done. Exit 3.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "Incomplete",
    "Origin",
    "Problem",
    "Problems",
    "ProviderError",
    "ReconcilerError",
    "Refused",
    "SpecError",
    "UnknownOutcome",
    "nearest",
]


class Origin(NamedTuple):
    """A place in a file that a person wrote; line and column count from 1, as an editor shows them.

    Line 0: no file, but an option of the command line, such as `--set replicas`.
    """

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One mistake: a stable code, what is wrong, what was expected, where, and the nearest valid name.

    `related` names further places that belong to the same mistake (the first of two duplicates, the edges of a cycle).
    `warning`: it is said, and stops nothing.
    """

    code: str
    wrong: str
    expected: str
    origin: Origin | None = None
    address: str = ""
    nearest: str = ""
    related: tuple[Origin, ...] = ()
    warning: bool = False

    def __str__(self) -> str:
        head = ": ".join(str(part) for part in (self.origin, self.address) if part)
        text = f"{head}: {self.wrong}" if head else self.wrong
        if self.expected:
            text += f" (expected {self.expected})"
        if self.nearest:
            text += f"; did you mean {self.nearest!r}?"
        return f"{text} [{self.code}]"

    def sort_key(self) -> tuple[str, int, int, str, str]:
        """File order; problems without a place come first."""
        if self.origin is None:
            return ("", 0, 0, self.address, self.code)
        return (self.origin.file, self.origin.line, self.origin.column, self.address, self.code)


class ReconcilerError(Exception):
    """The root: whatever is raised on purpose. Its text is meant for a person and holds no secret."""


class _WithProblems(ReconcilerError):
    """An error that carries problems and shows them a line each."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(problems, key=Problem.sort_key))
        super().__init__("\n".join(map(str, self.problems)))


class SpecError(_WithProblems):
    """All problems that one stage found in what a person wrote."""


class Refused(_WithProblems):
    """Nothing was sent, because a rule of safety, ownership or freshness says no."""


class ProviderError(ReconcilerError):
    """A provider could not be read, or refused a write that is known not to have happened.

    Args:
        message: What a person needs: method, address, status, the server's sentence, and what is true now.
        code: Stable code (`provider-unreachable`, `credentials`, `not-found`, `conflict`, `rate-limited`, …).
        status: HTTP status, 0 when there was no reply.
        error_code: The provider's own code, such as `ModelArts.3503`; empty when it gave none.
    """

    def __init__(self, message: str, *, code: str = "provider-failed", status: int = 0, error_code: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.error_code = error_code


class UnknownOutcome(ProviderError):
    """A write may have landed (timeout, cut connection, 408, 5xx, unreadable body): settle before sending more."""


class Incomplete(ReconcilerError):
    """An apply was stopped or failed in part; the report says what is done."""


class Problems:
    """Collects the problems of one stage, so that a person sees all of them in one run.

    Warnings are kept apart: they count for nothing but `warnings`.
    """

    def __init__(self) -> None:
        self._items: list[Problem] = []
        self._warnings: list[Problem] = []

    def add(self, problem: Problem) -> None:
        """Remember one problem and go on."""
        (self._warnings if problem.warning else self._items).append(problem)

    def extend(self, problems: Iterable[Problem]) -> None:
        """Remember several problems and go on."""
        for problem in problems:
            self.add(problem)

    @property
    def items(self) -> tuple[Problem, ...]:
        """All problems in file order, each mistake once: of a place that many resources come from, the first tells."""
        return _once(self._items)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """All warnings in file order, each doubt once."""
        return _once(self._warnings)

    def __bool__(self) -> bool:
        return bool(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def raise_if_any(self) -> None:
        """End the stage.

        Raises:
            SpecError: with everything collected, if anything was.
        """
        if self._items:
            raise SpecError(self.items)


def _once(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """In file order; a default, a patch or a `forEach` says its mistake once, whatever number of resources it makes."""
    found: dict[Problem, Problem] = {}
    for problem in sorted(dict.fromkeys(problems), key=Problem.sort_key):
        placed = problem.origin is not None and problem.origin.line > 0
        found.setdefault(replace(problem, address="") if placed else problem, problem)
    return tuple(found.values())


def nearest(word: str, candidates: Iterable[str]) -> str:
    """The candidate that a person most likely meant, or an empty string when none is close."""
    from difflib import SequenceMatcher  # noqa: PLC0415 - 1 ms, and only for mistakes

    pool: Sequence[str] = sorted(set(candidates))
    folded = word.replace("_", "").replace("-", "").casefold()
    best, best_ratio = "", 0.0
    for candidate in pool:
        other = candidate.replace("_", "").replace("-", "").casefold()
        ratio = 1.0 if other == folded else SequenceMatcher(None, folded, other).ratio()
        if ratio > best_ratio:
            best, best_ratio = candidate, ratio
    close_enough = 0.6
    return best if best_ratio >= close_enough and best != word else ""
