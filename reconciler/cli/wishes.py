"""How an apply, or an undo, is to be carried out: the options of both, and the questions that they ask."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from reconciler.cli.expected import Expected
from reconciler.cli.options import seconds_of
from reconciler.cli.output import Printer

__all__ = ["Wishes", "ask", "carrying_options", "check_terminal", "wishes_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the command line asks of this run."""

    yes: bool
    partial: bool
    expected: Expected | None
    """What was reviewed, if this apply is to do nothing else."""
    selects: bool
    """Whether only a part of the spec is to be applied."""
    output: str
    ignore_windows: bool
    lease_wait_s: float
    parallel: int
    timeout_s: float | None


def carrying_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--yes --partial --lease-wait --parallel --timeout`, for `wishes_of`."""
    for option in reversed(
        (
            click.option("--yes", is_flag=True, help="Do not ask."),
            click.option("--partial", is_flag=True, help="Apply what depends on nothing blocked or unknown (exit 3)."),
            click.option(
                "--lease-wait", default="0s", metavar="TIME", help="Wait for another run to end, such as 10m."
            ),
            click.option(
                "--parallel", type=click.IntRange(1, 64), default=10, show_default=True, help="Steps at a time."
            ),
            click.option(
                "--timeout", default=None, metavar="TIME", help="Begin nothing more after this time, such as 30m."
            ),
        )
    ):
        command = option(command)
    return command


def wishes_of(chosen: dict[str, Any], *, output: str, expected: Expected | None = None) -> Wishes:
    """What `carrying_options` gathered; those leave `chosen`.

    Raises:
        click.BadParameter: for a time that is none.
    """
    timeout = chosen.pop("timeout")
    return Wishes(
        yes=chosen.pop("yes"),
        partial=chosen.pop("partial"),
        expected=expected,
        selects=bool(chosen.get("selector") or chosen.get("targets") or chosen.get("provider")),
        output=output,
        ignore_windows=bool(chosen.get("ignore_windows")),
        lease_wait_s=seconds_of("--lease-wait", chosen.pop("lease_wait")),
        parallel=chosen.pop("parallel"),
        timeout_s=seconds_of("--timeout", timeout) if timeout else None,
    )


def check_terminal(wishes: Wishes) -> None:
    """Nobody can be asked where there is no terminal.

    Raises:
        click.UsageError: and nobody said yes beforehand.
    """
    if not wishes.yes and not (sys.stdin is not None and sys.stdin.isatty()):
        raise click.UsageError("there is no terminal to ask on; --yes applies without asking")


def ask(question: str, printer: Printer, unseen: str = "") -> bool:
    """Ask a person on stderr; where lines are for machines, the question is one, too. `unseen`: what goes before it."""
    if unseen:
        printer.note(unseen)
    if not printer.log_json:
        return click.confirm(question, err=True)
    printer.note(f"{question} [y/N]")
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
