"""`reconciler show`."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import click

from reconciler.cli.exits import Exit
from reconciler.cli.help import Sectioned
from reconciler.cli.options import Common, common_options, output_option
from reconciler.cli.project import PROJECT_FILE, ProjectFiles, load_spec
from reconciler.problems import Origin, Problem, Refused, SpecError
from reconciler.render import machine, markdown, text

__all__ = ["command", "not_a_plan", "read_plan_file"]


@click.command("show", cls=Sectioned, epilog="Example: reconciler show plan.json")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@output_option("text", "json", "markdown", "html")
@common_options
def command(common: Common, *, file: str, output: str) -> int:
    """Print a saved plan, and note when the spec has moved on since. Contacts nobody."""
    data, printer = read_plan_file(file), common.printer
    if output == "json":
        printer.result(machine.dump(data), utf8=True)
    elif output == "markdown":
        printer.result(markdown.plan_markdown(data, title=str(data["owner"])), utf8=True)
    elif output == "html":
        from reconciler.cli.html import print_plan_html  # noqa: PLC0415 - reads the page's templates

        print_plan_html(data, printer)
    else:
        printer.page(text.plan_text(data, printer.style))
    if _is_stale(common.where, data):
        printer.note("note: this plan was made from another spec than the one that is here now; plan again")
    return Exit.DONE


def _is_stale(where: ProjectFiles, data: dict[str, Any]) -> bool:
    """Whether the project here, if there is one, says something else than the plan was made from."""
    if not (where.root / PROJECT_FILE).is_file():
        return False
    try:
        environment = where.environment or data["environment"]
        return bool(load_spec(dataclasses.replace(where, environment=environment)).digest != data["spec_digest"])
    except SpecError:
        return True


def read_plan_file(file: str) -> dict[str, Any]:
    """Read what `plan --out` wrote.

    Raises:
        SpecError: `not-a-plan`.
        Refused: `plan-altered`.
    """
    try:
        data = json.loads(Path(file).read_bytes())
    except (OSError, ValueError) as error:
        raise not_a_plan(file, f"it is no saved plan: {error}") from None
    if not isinstance(data, dict) or data.get("format") != machine.PLAN_FORMAT:
        raise not_a_plan(file, f"it is no saved plan of format {machine.PLAN_FORMAT}")
    if not machine.is_intact(data):
        wrong = f"its digest {str(data.get('digest'))[:12]} does not fit its content: it was altered after it was saved"
        raise Refused([_problem(file, "plan-altered", wrong)])
    return data


def not_a_plan(file: str, wrong: str) -> SpecError:
    """The error about a file that is none of those that are asked for."""
    return SpecError([_problem(file, "not-a-plan", wrong)])


def _problem(file: str, code: str, wrong: str) -> Problem:
    return Problem(code=code, origin=Origin(file), wrong=wrong, expected="a file that `plan --out` wrote")
