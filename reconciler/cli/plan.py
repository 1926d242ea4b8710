"""`reconciler plan`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler import __version__
from reconciler.cli.exits import of_plan
from reconciler.cli.help import Sectioned
from reconciler.cli.offline import Offline, open_snapshot
from reconciler.cli.options import (
    Common,
    common_options,
    max_deletes,
    output_option,
    plan_options,
    result_option,
    seconds_of,
    selection_options,
)
from reconciler.cli.output import OutputError, Printer
from reconciler.plan.plan import Options, Plan
from reconciler.problems import Problem, Problems, nearest
from reconciler.render import machine, markdown, text
from reconciler.spec import Spec

if TYPE_CHECKING:
    from reconciler.cli.session import Session

__all__ = ["command", "plan_data", "plan_options_of", "print_plan", "say_notes"]


@click.command("plan", cls=Sectioned, epilog="Example: reconciler plan -C specs-example -e dev --out plan.json")
@click.option("--out", "out", metavar="FILE", default=None, help="Also save the plan, for `show` and `apply FILE`.")
@click.option("--detailed-exitcode", "detailed", is_flag=True, help="Exit 2 when there are changes.")
@click.option(
    "--live",
    "live",
    metavar="FILE",
    default=None,
    help="Compare with a snapshot: no provider is asked, no secret needed.",
)
@click.option(
    "--max-age", "max_age", metavar="TIME", default="24h", show_default=True, help="Warn of an older snapshot."
)
@output_option("text", "json", "markdown", "html")
@result_option
@plan_options
@selection_options
@common_options
def command(common: Common, *, out: str | None, detailed: bool, output: str, **chosen: object) -> int:
    """Compare the spec with what is live, and show what would be done. Writes nothing to any provider."""
    live, max_age_s = chosen.pop("live"), seconds_of("--max-age", str(chosen.pop("max_age")))
    spec = common.load()
    if live is not None:
        offline = open_snapshot(str(live), spec, common.where.root, max_age_s=max_age_s)
        plan = offline.plan(plan_options_of(offline, chosen))
    else:
        plan = _live_plan(spec, common, chosen)
    if out is not None:
        _save(plan, Path(out), common.printer)
    data = plan_data(plan, common.printer, output=output)
    if output == "html":
        # With the resources, whose edges the page draws: so it is the page that `show` makes of the saved plan.
        data = {**data, "resources": machine.plan_file(plan, tool="")["resources"]}
    print_plan(data, output, common.printer)
    return of_plan(plan, detailed=detailed)


def _live_plan(spec: Spec, common: Common, chosen: dict[str, object]) -> Plan:
    from reconciler.cli.session import open_session  # noqa: PLC0415 - 200 ms, and a snapshot needs none of it

    with open_session(spec, common.where.root, common.printer) as session:
        session.check_catalogue()
        plan = session.plan(session.read_world(), plan_options_of(session, chosen))
        say_notes(session)
    return plan


def plan_options_of(session: Session | Offline, chosen: dict[str, object]) -> Options:
    """The plan's options from the command line's."""
    targets = chosen.get("targets") or ()
    limit = chosen.get("max_deletes")
    return Options(
        selected=session.selection(
            str(chosen.get("selector") or ""),
            [str(target) for target in targets] if isinstance(targets, tuple) else [],
            str(chosen.get("provider") or ""),
        ),
        accept_empty=bool(chosen.get("accept_empty")),
        allow_empty_spec=bool(chosen.get("allow_empty_spec")),
        trust_markers=bool(chosen.get("trust_markers")),
        max_deletes=max_deletes(str(limit) if limit is not None else None),
        ignore_windows=bool(chosen.get("ignore_windows")),
        allowed_policies=_policies(session.spec, chosen.get("allowed_policies")),
    )


def _policies(spec: Spec, names: object) -> frozenset[str]:
    """The policies that are overruled.

    Raises:
        SpecError: `unknown-policy`.
    """
    asked = [str(name) for name in names] if isinstance(names, tuple) else []
    known = [policy.name for policy in spec.policies]
    problems = Problems()
    for name in asked:
        if name not in known:
            problems.add(
                Problem(
                    code="unknown-policy",
                    wrong=f"--allow-policy: there is no policy {name!r}",
                    expected=f"one of {', '.join(known)}" if known else "no such option: the project has no policy",
                    nearest=nearest(name, known),
                )
            )
    problems.raise_if_any()
    return frozenset(asked)


def plan_data(plan: Plan, printer: Printer, *, output: str = "json") -> dict[str, Any]:
    """The plan as it may be shown, kept for `--result`."""
    if output == "text" and printer.saved is None:
        return machine.with_texts(machine.plan_picture(plan), printer.redactor.redact)
    # Masked here, before the checksum is taken: a plan that was masked afterwards would look altered.
    data = machine.with_texts(machine.plan_json(plan), printer.redactor.redact)
    if printer.saved is not None:
        printer.saved.keep("plan", data)
    return data


def print_plan(data: Mapping[str, Any], output: str, printer: Printer) -> None:
    """A plan in the form that was asked for."""
    if output == "json":
        printer.result(machine.dump(data), utf8=True, masked=True)
    elif output == "markdown":
        printer.result(markdown.plan_markdown(data, title=data["owner"]), utf8=True)
    elif output == "html":
        from reconciler.cli.html import print_plan_html  # noqa: PLC0415 - reads the page's templates

        print_plan_html(data, printer)
    else:
        printer.page(text.plan_text(data, printer.style))


def say_notes(session: Session) -> None:
    """Say once each: secrets invented for the emulator, a ledger set aside, secrets too short to be masked."""
    printer = session.printer
    notes = [note for sources in session.sources.values() for note in sources.notes]
    for note in (*notes, *session.ledger.notes):
        printer.note_once(f"note: {note}")
    if printer.redactor.too_short:
        printer.note_once(f"warning: too short to be masked in texts: {', '.join(printer.redactor.too_short)}")


def _save(plan: Plan, path: Path, printer: Printer) -> None:
    data = machine.plan_file(plan, tool=f"reconciler {__version__}")
    try:
        path.write_text(machine.dump(machine.with_texts(data, printer.redactor.redact)), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"the plan could not be saved: {error.strerror}") from None
