"""`reconciler drift`."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Final

import click

from reconciler.cli.exits import Exit
from reconciler.cli.help import Sectioned
from reconciler.cli.ledger_repair import open_home
from reconciler.cli.looks import sure_plan
from reconciler.cli.options import (
    Common,
    common_options,
    output_option,
    result_option,
    seconds_of,
    selection_options,
)
from reconciler.cli.plan import plan_options_of, say_notes
from reconciler.cli.session import Session, open_session
from reconciler.diff.metrics import Metrics
from reconciler.ledger.journal import Run, RunStatus
from reconciler.plan.drift import ALWAYS, Drift, DriftState, LastRun, drift_of
from reconciler.plan.plan import Plan
from reconciler.problems import Problem, Refused, nearest
from reconciler.providers.measure import measure
from reconciler.render import machine
from reconciler.render.drift import drift_json, drift_text
from reconciler.render.drift_markdown import drift_markdown
from reconciler.render.page import moment_text
from reconciler.spec import Spec

__all__ = ["command", "last_run"]

_LONGEST_APPLY_S: Final = 6 * 3600.0
"""A job on GitHub lives no longer."""
_WATCH_S: Final = 15.0
_ON_REQUEST = (
    DriftState.UNMANAGED,
    DriftState.UNHEALTHY,
    DriftState.FAILED,
    DriftState.EXPIRING,
    DriftState.PENDING,
)


@click.command(
    "drift", cls=Sectioned, epilog="Example: reconciler drift -C specs-example --fail-on unmanaged,unhealthy"
)
@click.option(
    "--fail-on",
    "fail_on",
    multiple=True,
    metavar="STATE,…",
    help=f"Exit 2 also for these: {', '.join(_ON_REQUEST)}.",
)
@click.option("--lease-wait", default="0s", metavar="TIME", help="Wait for an apply to end, such as 20m.")
@click.option("--accept-empty", is_flag=True, help="Believe a list that is far emptier than expected.")
@click.option("--metrics", is_flag=True, help="Also how busy ours are, beside the report; it changes no verdict.")
@output_option("text", "json", "markdown", "html")
@result_option
@selection_options
@common_options
def command(common: Common, *, fail_on: tuple[str, ...], metrics: bool, output: str, **chosen: object) -> int:
    """Show what has changed behind the spec's back since the last apply. Writes nothing to any provider.

    Exit 2: a field has drifted, something has vanished, or was stopped or started by hand. What is merely pending,
    unmanaged or unhealthy is shown. What an autoscaler, auto-stop or a schedule did is no drift.
    """
    failing = list(_states(fail_on))
    wait_s = seconds_of("--lease-wait", str(chosen.pop("lease_wait")))
    spec = common.load()
    printer = common.printer
    _await_apply(spec, common, wait_s)
    with open_session(spec, common.where.root, printer) as session:
        drift, plan = _look(session, chosen, failing)
        measured = _measured(session, plan) if metrics else None
        say_notes(session)
    data = machine.with_texts(drift_json(drift, measured), printer.redactor.redact)
    if printer.saved is not None:
        printer.saved.keep("drift", data)
    if output == "json":
        printer.result(machine.dump(data), utf8=True, masked=True)
    elif output == "markdown":
        printer.result(drift_markdown(data, data["owner"]), utf8=True)
    elif output == "html":
        from reconciler.cli.html import print_drift_html  # noqa: PLC0415 - reads the page's templates

        print_drift_html(data, printer)
    else:
        printer.page(drift_text(data, printer.style))
    if drift.is_incomplete:
        return Exit.ERROR
    return Exit.CHANGES if drift.has_drift else Exit.DONE


def _await_apply(spec: Spec, common: Common, wait_s: float) -> None:
    """What an apply is changing right now would look like drift; so would what its steps stop and make anew.

    Raises:
        Refused: `apply-under-way`: it did not end in time.
    """
    until = time.monotonic() + wait_s
    while run := _under_way(open_home(spec, common).runs(spec.project.owner)):
        if time.monotonic() >= until:
            where = f" on {run.host}" if run.host else ""
            wrong = f"run {run.id} has begun{where} at {moment_text(run.started)} and has not ended"
            expected = "no apply under way; wait for it (--lease-wait), or apply again if it has died"
            raise Refused([Problem(code="apply-under-way", wrong=wrong, expected=expected)])
        common.printer.note_once(f"run {run.id} is under way; waiting for its end")
        time.sleep(min(_WATCH_S, max(until - time.monotonic(), 0.05)))


def _under_way(runs: Sequence[Run]) -> Run | None:
    """The newest run, while it may be at work; one that began long ago has died."""
    newest = runs[0] if runs and runs[0].status is RunStatus.RUNNING else None
    return newest if newest is not None and time.time() - newest.started < _LONGEST_APPLY_S else None


def _look(session: Session, chosen: dict[str, object], failing: Iterable[DriftState]) -> tuple[Drift, Plan]:
    """Read, twice where something is missing, and tell what moved; and the plan that this was told from."""
    options = plan_options_of(session, chosen)
    plan, world = sure_plan(session, session.read_world(), options)
    only = str(chosen.get("provider") or "")
    drift = drift_of(
        plan,
        {key: listing for key, listing in world.listings.items() if not only or key[0] == only},
        world.entries,
        failing=failing,
        released=world.released,
        last_run=last_run(session.ledger.runs(session.owner)),
        checked_at=time.time(),
        whole=not (chosen.get("selector") or chosen.get("targets") or only),
    )
    return drift, plan


def _measured(session: Session, plan: Plan) -> dict[str, Metrics]:
    """Address → how busy it is, of what is desired and live, where its provider tells."""
    lives = {change.address: change.live for change in plan.changes if change.desired is not None and change.live}
    found = measure(session.providers, lives.values())
    return {address: found[key] for address, live in lives.items() if (key := (live.provider, live.id)) in found}


def last_run(runs: Sequence[Run]) -> LastRun | None:
    """The newest of a ledger's runs, which come newest first."""
    newest = runs[0] if runs else None
    if newest is None:
        return None
    return LastRun(id=newest.id, revision=newest.revision, started=newest.started, status=str(newest.status))


def _states(written: Iterable[str]) -> Iterable[DriftState]:
    """`--fail-on a,b --fail-on c`.

    Raises:
        click.BadParameter: for a state that nothing can fail on.
    """
    known = {str(state): state for state in (*_ON_REQUEST, *sorted(ALWAYS))}
    for name in (part.strip() for text in written for part in text.split(",")):
        if name not in known:
            close = nearest(name, known)
            hint = f"; did you mean {close!r}?" if close else ""
            expected = ", ".join(_ON_REQUEST)
            raise click.BadParameter(
                f"{name!r} is no state to fail on (expected {expected}){hint}", param_hint="--fail-on"
            )
        yield known[name]
