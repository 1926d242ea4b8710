"""`reconciler show`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from reconciler.cli.exits import Exit
from reconciler.cli.options import output_option
from reconciler.cli.output import Printer
from reconciler.problems import Origin, Problem, SpecError
from reconciler.render import machine, markdown, text

__all__ = ["command", "read_plan_file"]


@click.command("show", epilog="Example: reconciler show plan.json")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@output_option("text", "json", "markdown")
@click.pass_obj
def command(printer: Printer, *, file: str, output: str) -> int:
    """Print a saved plan. Contacts nobody."""
    data = read_plan_file(file)
    if output == "json":
        printer.result(machine.dump(data), utf8=True)
    elif output == "markdown":
        printer.result(markdown.plan_markdown(data, title=str(data["owner"])), utf8=True)
    else:
        printer.result(text.plan_text(data, printer.style))
    return Exit.DONE


def read_plan_file(file: str) -> dict[str, Any]:
    """Read what `plan --out` wrote.

    Raises:
        SpecError: `not-a-plan`, `plan-altered`.
    """
    try:
        data = json.loads(Path(file).read_bytes())
    except (OSError, ValueError) as error:
        raise _refused(file, "not-a-plan", f"it is no saved plan: {error}") from None
    if not isinstance(data, dict) or data.get("format") != machine.PLAN_FORMAT:
        wrong = f"it is no saved plan of format {machine.PLAN_FORMAT}"
        raise _refused(file, "not-a-plan", wrong)
    if not machine.is_intact(data):
        raise _refused(file, "plan-altered", "its digest does not fit its content: it was altered after it was saved")
    return data


def _refused(file: str, code: str, wrong: str) -> SpecError:
    return SpecError([Problem(code=code, origin=Origin(file), wrong=wrong, expected="a file that `plan --out` wrote")])
