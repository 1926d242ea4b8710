"""The exit codes, and the one place that chooses them. Source: DESIGN §10."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final

import click

from reconciler.problems import Incomplete, ReconcilerError, Refused

if TYPE_CHECKING:  # 35 ms, and a command that makes plans has them already
    from reconciler.plan.outcome import Report
    from reconciler.plan.plan import Plan

__all__ = ["Exit", "of_error", "of_plan", "of_report", "worst"]


class Exit(IntEnum):
    """What a command's exit code means."""

    DONE = 0
    ERROR = 1
    CHANGES = 2
    INCOMPLETE = 3
    REFUSED = 4
    USAGE = 64


_ORDER: Final = (Exit.USAGE, Exit.ERROR, Exit.REFUSED, Exit.INCOMPLETE, Exit.CHANGES, Exit.DONE)


def worst(*codes: Exit) -> Exit:
    """When several apply, the first of 64, 1, 4, 3, 2, 0 wins."""
    return min(codes, key=_ORDER.index, default=Exit.DONE)


def of_error(error: BaseException) -> Exit:
    """The code of an exception that ended a command."""
    if isinstance(error, click.UsageError):
        return Exit.USAGE
    if isinstance(error, Refused):
        return Exit.REFUSED
    if isinstance(error, Incomplete):
        return Exit.INCOMPLETE
    if isinstance(error, ReconcilerError):
        return Exit.ERROR
    return Exit.ERROR


def of_plan(plan: Plan, *, detailed: bool) -> Exit:
    """Unknown resources or a failed provider: 1; blocked ones: 4; changes: 2 when asked for in detail."""
    codes = [Exit.DONE]
    counts = plan.summary
    if counts["unknown"] or any(problem.code == "list-failed" for problem in plan.problems):
        codes.append(Exit.ERROR)
    if counts["blocked"]:
        codes.append(Exit.REFUSED)
    if detailed and plan.has_changes:
        codes.append(Exit.CHANGES)
    return worst(*codes)


def of_report(report: Report, *, left_out: bool) -> Exit:
    """Everything done: 0; else, or with changes that `--partial` left out: 3."""
    return Exit.DONE if report.complete and not left_out else Exit.INCOMPLETE
