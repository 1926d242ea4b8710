"""`reconciler validate`."""

from __future__ import annotations

import click

from reconciler.cli.exits import Exit
from reconciler.cli.help import Sectioned
from reconciler.cli.options import Common, common_options, output_option, result_option
from reconciler.cli.output import Printer
from reconciler.problems import Problem, SpecError

__all__ = ["command"]


@click.command(
    "validate",
    cls=Sectioned,
    epilog="Example: reconciler validate -C specs-example -e prod",
)
@click.option("--online", is_flag=True, help="Also ask the providers whether templates, machines and projects exist.")
@output_option("text", "json")
@result_option
@common_options
def command(common: Common, *, online: bool, output: str) -> int:
    """Check the spec: syntax, shape, values, names, rules across fields.

    All mistakes at once, each at its place. No provider is contacted, unless --online is given.
    """
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    summary = ""
    try:
        spec = common.load()
        warnings = spec.warnings
        summary = f"{len(spec.resources)} resources of {spec.project.owner} are valid"
        if online:
            from reconciler.cli.session import open_session  # noqa: PLC0415 - half of the start, for this option alone

            with open_session(spec, common.where.root, common.printer) as session:
                try:
                    session.check_catalogue()
                finally:
                    warnings += session.warnings
                for name, message in session.failed.items():
                    problems += (Problem(code="list-failed", address=name, wrong=message, expected="it to answer"),)
    except SpecError as error:
        problems = error.problems
    if common.printer.saved is not None or output == "json" or warnings or problems:
        _tell(common.printer, problems, warnings, output)
    if not problems and output != "json":
        common.printer.result(summary)
    return Exit.ERROR if problems else Exit.DONE


def _tell(printer: Printer, problems: tuple[Problem, ...], warnings: tuple[Problem, ...], output: str) -> None:
    from reconciler.render.problems import problems_json, problems_text  # noqa: PLC0415 - 3 ms, and often all is well

    data = problems_json(problems, warnings)
    if printer.saved is not None:
        printer.saved.report_problems(data)
    if output == "json":
        from reconciler.render.seal import dump  # noqa: PLC0415

        printer.result(dump(data), utf8=True)
        return
    for found in (warnings, problems):
        if found:
            printer.note(problems_text(found))
