"""`reconciler undo`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from reconciler.cli.carry import carry, carrying_options, check_terminal, wishes_of
from reconciler.cli.exits import of_plan
from reconciler.cli.help import Sectioned
from reconciler.cli.options import Common, common_options, output_option, plan_options, result_option
from reconciler.cli.plan import plan_data, plan_options_of, print_plan, say_notes
from reconciler.cli.project import load_schemas
from reconciler.cli.session import Session, open_session
from reconciler.ledger.journal import Run
from reconciler.plan.plan import Options
from reconciler.plan.undo import Undo, lost, undo_of
from reconciler.problems import Origin, Problem, Refused, SpecError, nearest
from reconciler.providers.registry import all_kinds
from reconciler.spec import SourceFile, Spec, compile_spec
from reconciler.spec.output import documents_yaml, to_document

__all__ = ["command"]


@click.command("undo", cls=Sectioned, epilog="Example: reconciler undo last -C specs-example")
@click.argument("run")
@click.option("--plan", "only_plan", is_flag=True, help="Only show what undoing it would do.")
@carrying_options
@output_option("text", "json", "markdown", "html")
@result_option
@plan_options
@click.option("--target", "targets", multiple=True, metavar="ADDRESS", help="Only this resource.")
@common_options
def command(common: Common, *, run: str, only_plan: bool, output: str, **chosen: Any) -> int:
    """Bring back what was applied before RUN: plan, ask, and carry it out.

    RUN is an id of `ledger history`, or `last`. What that run made is deleted, what it changed goes back, what it
    deleted is made anew; data, ids and addresses that are gone stay gone, and the plan says so. The spec in Git is not
    touched: until it is reverted there too, the next apply does again what was undone.
    """
    if output in {"markdown", "html"} and not only_plan:
        raise click.UsageError(f"-o {output} is for --plan; what an apply did is told as text or json")
    wishes = wishes_of(chosen, output=output)
    if not only_plan:
        check_terminal(wishes)
    spec = common.load()
    with open_session(spec, common.where.root, common.printer) as session:
        found, undo = _undo(session, run)
        wanted = dataclasses.replace(session, spec=_before(spec, undo, found.id))
        chosen["targets"] = chosen["targets"] or tuple(sorted(undo.addresses))
        _only_touched(chosen["targets"], undo, found.id)
        wanted.check_catalogue()
        notes = (f"this undoes run {found.id}; the spec in Git still says otherwise: revert it there too", *undo.kept)
        if only_plan:
            return _show(wanted, plan_options_of(wanted, chosen), notes, output)
        return carry(wanted, dataclasses.replace(wishes, selects=True), _options(wanted, chosen), notes)


def _options(session: Session, chosen: dict[str, Any]) -> Callable[[], Options]:
    return lambda: plan_options_of(session, chosen)


def _show(session: Session, options: Options, notes: Sequence[str], output: str) -> int:
    plan = session.plan(session.read_world(), options)
    say_notes(session)
    plan = dataclasses.replace(plan, notes=(*plan.notes, *notes, *lost(plan)))
    print_plan(plan_data(plan, session.printer), output, session.printer)
    return of_plan(plan, detailed=False)


def _undo(session: Session, name: str) -> tuple[Run, Undo]:
    """The run, and what undoing it comes to now.

    Raises:
        SpecError: `unknown-run`.
        Refused: `nothing-to-undo`, `undo-overtaken`.
    """
    runs = session.ledger.runs(session.owner)
    run = _run(runs, name)
    later = {each.id: {str(item["address"]) for item in each.inverse} for each in runs[: runs.index(run)]}
    deleted: dict[str, str] = {}
    for stone in session.ledger.tombstones(session.owner):
        deleted[stone.address] = stone.run
    undo = undo_of(run.id, run.inverse, session.ledger.entries(session.owner), deleted, later)
    if undo.overtaken:
        addresses = ", ".join(sorted(undo.overtaken))
        runs_since = ", ".join(sorted(set(undo.overtaken.values()), key=list(later).index))
        wrong = f"a later run ({runs_since}) has changed what run {run.id} did to {addresses}"
        raise _refused("undo-overtaken", wrong, f"undo {runs_since} first; or revert the spec in Git, and apply")
    if not undo.addresses:
        why = "; ".join(undo.kept) or "it changed nothing, or a release that kept no inverse applied it"
        raise _refused("nothing-to-undo", f"run {run.id} left nothing that can be undone: {why}", "a run that did")
    return run, undo


def _run(runs: Sequence[Run], name: str) -> Run:
    """`last`, an id, or the beginning of just one."""
    fitting = [run for run in runs if name == run.id] or [run for run in runs if run.id.startswith(name)]
    if name == "last" and runs:
        return runs[0]
    if len(fitting) == 1:
        return fitting[0]
    known = [run.id for run in runs]
    newest = ", ".join(known[:5])
    wrong = f"{len(fitting)} runs begin with {name!r}" if fitting else f"no run {name!r} is known here"
    expected = f"last, or one of {newest} (ledger history lists them all)" if known else "a run; none was ever made"
    raise SpecError([Problem(code="unknown-run", wrong=wrong, expected=expected, nearest=nearest(name, known))])


def _only_touched(targets: Sequence[str], undo: Undo, run: str) -> None:
    """Undoing goes no further than its run.

    Raises:
        SpecError: `unknown-address`.
    """
    known = sorted(undo.addresses)
    for target in targets:
        if target not in known:
            wrong, expected = f"--target {target!r} is nothing that run {run} changed", f"one of {', '.join(known)}"
            near = nearest(target, known)
            raise SpecError([Problem(code="unknown-address", wrong=wrong, expected=expected, nearest=near)])


def _before(spec: Spec, undo: Undo, run: str) -> Spec:
    """The spec as it would have been without the run; all that it did not touch as it is now.

    Raises:
        SpecError: what was applied then can't be applied now (its provider has left reconciler.yaml).
    """
    kept = [one for one in spec.resources if one.address not in undo.addresses]
    documents: list[Mapping[str, Any]] = [*map(to_document, kept), *undo.documents.values()]
    given = SourceFile(f"<before {run}>", documents_yaml(documents).encode())
    found = compile_spec(
        dataclasses.replace(spec.project, defaults={}),  # what was applied had its defaults already
        resources=[given],
        patches=(),
        kinds=[*all_kinds().values()],
        schemas=load_schemas(),
    )
    written = {one.address: one for one in kept}
    nowhere = Origin(f"<before {run}>", 0, 0)  # a line of a text that nobody wrote would lead nowhere
    return dataclasses.replace(
        spec,
        resources=tuple(
            written.get(one.address) or dataclasses.replace(one, origin=nowhere, origins={}, chains={})
            for one in found.resources
        ),
        digest=found.digest,
        warnings=(),
    )


def _refused(code: str, wrong: str, expected: str) -> Refused:
    return Refused([Problem(code=code, wrong=wrong, expected=expected)])
