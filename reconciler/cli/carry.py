"""Plan, ask, carry out, look again, report: what `apply` and `undo` have in common, from the lease on."""

from __future__ import annotations

import dataclasses
import os
import secrets as random_source
import socket
import time
from collections.abc import Callable, Container

from reconciler.apply.book import keep_books
from reconciler.apply.record import secret_names
from reconciler.apply.run import Applier, steps_of
from reconciler.apply.step import StepTools
from reconciler.cli.exits import Exit, of_plan, of_report
from reconciler.cli.looks import settled_world, sure_plan, trust
from reconciler.cli.output import Printer
from reconciler.cli.plan import plan_data, print_plan, say_notes
from reconciler.cli.progress import showing
from reconciler.cli.session import Session, World, unplaced
from reconciler.cli.signals import stopping
from reconciler.cli.who import who
from reconciler.cli.wishes import Wishes, ask
from reconciler.diff.change import Action
from reconciler.diff.live import Marker
from reconciler.ledger.journal import Run, RunStatus
from reconciler.ledger.store import Lease
from reconciler.plan.order import Step
from reconciler.plan.outcome import Report
from reconciler.plan.plan import Options, Plan
from reconciler.plan.undo import Outputs, by_desired, inverse_of, lost, outputs_of
from reconciler.plan.windows import held_by_windows
from reconciler.problems import Problem, Refused, SpecError
from reconciler.render import machine, text
from reconciler.render.log import report_ended_json
from reconciler.render.style import Style

__all__ = ["carry"]

_MARGIN_S = 5.0
_ONE_MORE_RUN = (
    "what an interrupted replace had left behind is gone, and that was all for this run; "
    "apply again for what is still to do"
)


def carry(session: Session, wishes: Wishes, options: Callable[[], Options], notes: tuple[str, ...] = ()) -> int:
    """Take the lease, plan, ask, and carry it out; returns the exit code.

    Args:
        session: With the spec that is to become live.
        wishes: How.
        options: The plan's; asked for under the lease.
        notes: What the plan is to say besides.

    Raises:
        Refused: `ledger-unplaced`, `lease-held`; what is not as expected.
        SpecError: a secret that is missing.
        ReconcilerError: live state or ledger that can't be read.
    """
    _check_place(session)
    with session.ledger.take_lease(
        session.owner, who(os.environ), wait_s=wishes.lease_wait_s, margin_s=_longest_request(session) + _MARGIN_S
    ) as lease:
        return _apply(session, lease, wishes, options, notes)


def _apply(
    session: Session, lease: Lease, wishes: Wishes, options: Callable[[], Options], notes: tuple[str, ...]
) -> int:
    printer = session.printer
    chosen = options()
    world, settled = settled_world(session, lease)
    plan, world = sure_plan(session, world, chosen)
    if notes:
        plan = dataclasses.replace(plan, notes=(*plan.notes, *notes, *lost(plan)))
    say_notes(session)
    for sentence in settled:
        printer.note(sentence)
    shown = wishes.output != "json"
    data = plan_data(plan, printer)
    if shown:
        print_plan(data, "text", printer)
    refused = _refusal(plan, wishes, session)
    if refused is not None:
        if not shown:
            print_plan(data, "json", printer)
        return refused
    _check_secrets(session, plan)
    unseen = "" if shown else text.plan_text(data, Style())
    if plan.steps and not wishes.yes and not ask("Apply these changes?", printer, unseen):
        printer.note("nothing was sent")
        return Exit.REFUSED
    report = dataclasses.replace(_carry_out(session, lease, plan, wishes, world), settled=settled)
    say_notes(session)
    ended = "done" if report.complete else "incomplete"
    printer.event("run-ended", f"run {report.run} is {ended}", **report_ended_json(report))
    _print_report(report, wishes.output, printer)
    left_out = bool(plan.with_action(Action.BLOCKED) or plan.with_action(Action.UNKNOWN))
    return of_report(report, left_out=left_out)


def _carry_out(session: Session, lease: Lease, plan: Plan, wishes: Wishes, world: World) -> Report:
    outputs = outputs_of(world.entries, world.listings.values())
    run_id = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{random_source.token_hex(3)}"
    lease.begin_run(
        Run(
            id=run_id,
            owner=session.owner,
            started=time.time(),
            revision=session.revision,
            plan_digest=plan.digest,
            spec_digest=plan.spec.digest,
            changes=tuple(sorted(plan.digests.values())),
            host=socket.gethostname(),
            inverse=tuple(inverse_of(plan, outputs)),
            whole=not (wishes.selects or plan.with_action(Action.BLOCKED) or plan.with_action(Action.UNKNOWN)),
        )
    )
    session.printer.event(
        "run-started",
        f"run {run_id} begins",
        owner=session.owner,
        run=run_id,
        digest=plan.digest,
        revision=session.revision or None,
        steps=[{"step": step.id, "address": step.address, "op": str(step.op)} for step in steps_of(plan)],
    )
    session.guard.append(lease.check)
    status = RunStatus.FAILED
    try:
        report = _work(session, lease, plan, wishes, run_id, outputs=outputs)
        status = RunStatus.INCOMPLETE
        touched = {outcome.address for outcome in report.outcomes if outcome.state == "done"}
        if touched and not report.interrupted:
            again = session.read_world()
            report = _with_second_look(session, report, plan, touched, again)
            if report.complete:
                trust(session, lease, report, world, again)
        status = RunStatus.DONE if report.complete else RunStatus.INCOMPLETE
        return report
    finally:
        session.guard.clear()
        lease.end_run(run_id, status, time.time())


def _work(session: Session, lease: Lease, plan: Plan, wishes: Wishes, run_id: str, *, outputs: Outputs) -> Report:
    """Note what needs no write, and carry out the steps, in sight of whoever watches."""
    with showing(session.printer, len(steps_of(plan))) as progress:
        tools = StepTools(
            owner=session.owner,
            run_id=run_id,
            lease=lease,
            providers=session.providers,
            digests=plan.digests,
            generations=_generations(session, plan),
            fingerprint=session.fingerprint,
            window_s=session.window_s,
            versions=session.versions(),
            is_embedded=session.is_embedded,
            revision=session.revision,
            say=progress.say,
        )
        keep_books(plan, tools)
        if wishes.timeout_s is not None:
            session.halt.ends_at = time.monotonic() + wishes.timeout_s
        applier = Applier(
            plan=plan,
            tools=tools,
            parallel=wishes.parallel,
            stop=session.halt.stop,
            ended=progress.ended,
            hold=_windows(plan, ignored=wishes.ignore_windows),
            outputs=by_desired(plan.spec.resources, outputs),
        )
        with stopping(applier.stop, session.printer, wishes.timeout_s):
            return applier.run()


def _windows(plan: Plan, *, ignored: bool) -> Callable[[Step], str]:
    """What holds a step back when a window has closed since the plan was made."""
    windows = () if ignored else plan.spec.project.safety.windows
    changes = {change.address: change for change in plan.changes}
    return lambda step: held_by_windows(changes[step.address], step.op, windows, time.time())


def _with_second_look(session: Session, report: Report, plan: Plan, touched: Container[str], world: World) -> Report:
    """Read again what was touched: a second plan must be empty, or what the provider did not keep is named."""
    again = {
        change.address: change
        for change in session.plan(world, Options()).changes
        if change.address in touched and change.action not in {Action.NONE, Action.UNKNOWN}
    }
    halves = {change.address for change in plan.changes if change.leftover is not None} & set(again)
    notes = [
        f"{address}: {_ONE_MORE_RUN}"
        if address in halves
        else f"{address}: after the apply it still differs: "
        f"{', '.join(str(f.path) for f in change.fields) or change.message}"
        for address, change in again.items()
    ]
    return dataclasses.replace(report, notes=(*report.notes, *notes), unfinished=tuple(sorted(halves)))


def _refusal(plan: Plan, wishes: Wishes, session: Session) -> int | None:
    """Why nothing may be sent, as an exit code; `None` when it may."""
    code = of_plan(plan, detailed=False)
    if code is not Exit.DONE and not wishes.partial:
        session.printer.note("nothing was sent; --partial applies what depends on none of the blocked or unknown ones")
        return code
    if wishes.expected is not None:
        wishes.expected.check(plan, session.ledger.runs(session.owner))
    return None


def _check_secrets(session: Session, plan: Plan) -> None:
    """All secrets that this apply will send must be there before the first write.

    Raises:
        SpecError: `secret-missing`, all of them.
    """
    problems: list[Problem] = []
    for change in plan.changes:
        if change.action in {Action.CREATE, Action.REPLACE, Action.UPDATE, Action.ADOPT} and change.desired is not None:
            sources = session.sources[change.desired.ref.provider]
            problems.extend(sources.problems(secret_names(change.desired.spec)))
    if problems:
        raise SpecError(dict.fromkeys(problems))


def _generations(session: Session, plan: Plan) -> dict[str, int]:
    """Address → generation of the last create that ledger, tombstones or live markers remember."""
    found: dict[str, int] = {}
    for stone in session.ledger.tombstones(session.owner):
        marker = Marker.parse(stone.marker)
        found[stone.address] = max(found.get(stone.address, 0), marker.generation if marker else 0)
    for change in plan.changes:
        live = change.live.parsed_marker if change.live else None
        known = (change.applied.generation if change.applied else 0, live.generation if live else 0)
        found[change.address] = max(found.get(change.address, 0), *known)
    return found


def _longest_request(session: Session) -> float:
    return max((float(c.settings["requestTimeout"]) for c in session.spec.project.providers.values()), default=60.0)


def _print_report(report: Report, output: str, printer: Printer) -> None:
    if printer.saved is not None:
        printer.saved.keep("report", machine.with_texts(machine.report_json(report), printer.redactor.redact))
    if output == "json":
        printer.result(machine.dump(machine.report_json(report)), utf8=True)
    else:
        printer.page(text.report_text(report, printer.style))


def _check_place(session: Session) -> None:
    """A ledger that vanishes with the runner is no ledger. Source: DESIGN §8.

    Raises:
        Refused: `ledger-unplaced`.
    """
    real = unplaced(session.spec.project, os.environ)
    if real:
        raise _refused(
            "ledger-unplaced",
            f"CI is set, {', '.join(real)} is a real account, and the SQLite ledger would vanish with this runner",
            "spec.ledger with type git or postgresql, or a path that outlives the runner",
        )


def _refused(code: str, wrong: str, expected: str) -> Refused:
    return Refused([Problem(code=code, wrong=wrong, expected=expected)])
