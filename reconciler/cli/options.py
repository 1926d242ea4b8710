"""Options that several commands share, and what they make of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import partial
from pathlib import Path
from typing import Any

import click

from reconciler.cli.help import COMMON, PERMISSIONS, SELECTION, Shared
from reconciler.cli.output import Printer
from reconciler.cli.project import ProjectFiles, load_spec
from reconciler.spec import Spec
from reconciler.spec.formats import duration
from reconciler.spec.resource import Limit

__all__ = [
    "Common",
    "common_options",
    "max_deletes",
    "output_option",
    "plan_options",
    "result_option",
    "seconds_of",
    "selection_options",
]

_Command = Callable[..., Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """The spec's place and the printer, for every command that reads a project."""

    where: ProjectFiles
    printer: Printer

    def load(self) -> Spec:
        """Read and compile the project, and note whose it is.

        Raises:
            SpecError: with all problems of the stage that found some.
        """
        spec = load_spec(self.where)
        if self.printer.saved is not None:
            self.printer.saved.identify(spec.project.owner, spec.project.environment)
        return spec


def common_options(command: _Command) -> _Command:
    """`-C -e -f --values --set -v -q`; the command gets a `Common` as its first argument."""

    def run(**options: Any) -> Any:
        where = ProjectFiles(
            root=Path(options.pop("directory")),
            environment=options.pop("environment"),
            values=options.pop("values"),
            sets=tuple(map(_utf8, options.pop("sets"))),
            files=options.pop("files"),
        )
        printer: Printer = click.get_current_context().obj
        printer.verbose = options.pop("verbose")
        printer.quiet = options.pop("quiet")
        printer.log_json = options.pop("log_format") == "json"
        result = options.pop("result", None)
        if result is not None:
            from reconciler.cli.result import ResultFile  # noqa: PLC0415 - 3 ms, for this option alone

            name = str(click.get_current_context().info_name)
            printer.saved = ResultFile(Path(result), name, where.environment, printer.redactor.redact)
            printer.saved.begin()
        return command(Common(where=where, printer=printer), **options)

    common = partial(click.option, cls=Shared, section=COMMON)
    run.__doc__ = command.__doc__
    run.__name__ = command.__name__
    for option in reversed(
        (
            common(
                "-C",
                "directory",
                metavar="DIR",
                default=".",
                type=click.Path(exists=True, file_okay=False),
                help="Project folder, with its reconciler.yaml; without it, where you are.",
            ),
            common("-e", "environment", metavar="ENV", help="Environment; without it, spec.defaultEnvironment."),
            common(
                "-f",
                "files",
                metavar="FILE",
                multiple=True,
                help="Read resources from FILE (- is standard input) instead of the project's; may be repeated.",
            ),
            common(
                "--values",
                "values",
                metavar="FILE",
                multiple=True,
                help="Values on top of the project's, as YAML; may be repeated, the last one wins.",
            ),
            common("--set", "sets", metavar="A.B=C", multiple=True, help="One value on top of all; may be repeated."),
            common("-v", "--verbose", count=True, help="More detail; -vv shows every request."),
            common("-q", "--quiet", is_flag=True, help="No progress."),
            common(
                "--log-format",
                type=click.Choice(["text", "json"]),
                default="text",
                help="Form of what goes to stderr; json: one object a line, with the events of an apply.",
            ),
        )
    ):
        run = option(run)
    return run


def _utf8(text: str) -> str:
    """An argument whose bytes were no characters of this locale, as the UTF-8 that it is; else unchanged."""
    try:
        return os.fsencode(text).decode("utf-8")
    except ValueError:
        return text


def output_option(*choices: str) -> Callable[[_Command], _Command]:
    """`-o`, with the forms that this command has; the first is the default."""
    return click.option(
        "-o",
        "--output",
        "output",
        type=click.Choice(choices),
        default=choices[0],
        show_default=True,
        help="Form of the result.",
    )


def result_option(command: _Command) -> _Command:
    """`--result`: what became of the command, for a next step; `common_options` opens the file."""
    return click.option(
        "--result",
        metavar="FILE",
        default=None,
        help="Also save what became of this run, for `github`; the file is there from the start.",
    )(command)


def seconds_of(option: str, text: str) -> float:
    """Read a time such as `30s`, `20m` or `24h`, in seconds.

    Raises:
        click.BadParameter: when it is none.
    """
    try:
        return duration(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no time such as 30s, 20m or 1h", param_hint=option) from None


def selection_options(command: _Command) -> _Command:
    """`-l --target --provider`."""
    only = partial(click.option, cls=Shared, section=SELECTION)
    for option in (
        only("--provider", default="", metavar="NAME", help="Only this provider instance of reconciler.yaml."),
        only(
            "--target",
            "targets",
            multiple=True,
            metavar="ADDRESS",
            help="Only this resource, such as theta/Deployment/chat; may be repeated.",
        ),
        only("-l", "--selector", default="", metavar="K=V,…", help="Only resources with these labels."),
    ):
        command = option(command)
    return command


def plan_options(command: _Command) -> _Command:
    """What a person may allow for one run."""
    allow = partial(click.option, cls=Shared, section=PERMISSIONS)
    for option in reversed(
        (
            allow("--accept-empty", is_flag=True, help="Believe a list that is far emptier than expected."),
            allow("--allow-empty-spec", is_flag=True, help="Let an empty spec delete everything of ours."),
            allow(
                "--allow-policy",
                "allowed_policies",
                multiple=True,
                metavar="NAME",
                help="Let this policy deny nothing; what breaks it is still said. May be repeated.",
            ),
            allow(
                "--ignore-windows",
                is_flag=True,
                help="Warn of what interrupts outside of spec.safety.windows, instead of blocking it.",
            ),
            allow(
                "--trust-markers", is_flag=True, help="Let a marker alone be proof for a delete, without the ledger."
            ),
            allow(
                "--max-deletes",
                default=None,
                metavar="N|P%",
                help="Most deletes and replaces, instead of spec.safety.maxDeletes.",
            ),
        )
    ):
        command = option(command)
    return command


def max_deletes(text: str | None) -> Limit | None:
    """Read `--max-deletes`.

    Raises:
        click.BadParameter: when it is neither a count nor a share.
    """
    if text is None:
        return None
    try:
        if text.endswith("%"):
            share = Decimal(text[:-1])
            if share.is_finite() and share >= 0:
                return Limit(percent=share, option="--max-deletes")
        elif text.isdigit():
            return Limit(count=int(text), option="--max-deletes")
    except InvalidOperation:
        pass
    raise click.BadParameter(
        f"{text!r} is neither a count such as 3 nor a share such as 20%", param_hint="--max-deletes"
    )
