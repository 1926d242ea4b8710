"""`reconciler undo`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

import click

from reconciler.cli.carry import carry
from reconciler.cli.exits import of_plan
from reconciler.cli.help import Sectioned
from reconciler.cli.options import Common, common_options, output_option, plan_options, result_option
from reconciler.cli.plan import plan_data, plan_options_of, print_plan, say_notes
from reconciler.cli.project import load_schemas
from reconciler.cli.session import Session, open_session
from reconciler.cli.wishes import carrying_options, check_terminal, wishes_of
from reconciler.diff.live import Applied
from reconciler.ledger.journal import Run
from reconciler.plan.plan import Options
from reconciler.plan.undo import Undo, lost, undo_of
from reconciler.problems import Origin, Problem, Refused, SpecError, nearest
from reconciler.providers.registry import all_kinds
from reconciler.spec import SourceFile, Spec, compile_spec
from reconciler.spec.output import documents_yaml, to_document
from reconciler.spec.resource import Resource

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
        found, undo, chosen["targets"] = _chosen(session, run, chosen["targets"])
        wanted = dataclasses.replace(session, spec=_before(spec, undo, found.id))
        wanted.check_catalogue()
        notes = (f"this undoes run {found.id}; the spec in Git still says otherwise: revert it there too", *undo.kept)
        if only_plan:
            return _show(wanted, plan_options_of(wanted, chosen), notes, output)
        return carry(wanted, dataclasses.replace(wishes, selects=True), _options(wanted, chosen, found, undo), notes)


def _chosen(session: Session, name: str, targets: tuple[str, ...]) -> tuple[Run, Undo, tuple[str, ...]]:
    """The run, what is to be undone of it, and the addresses of that.

    Raises:
        SpecError: `unknown-run`, `unknown-address`.
        Refused: `nothing-to-undo`, `undo-overtaken`, `undo-needed`, `prevent-destroy`.
    """
    run, undo = _undo(session, name)
    targets = targets or tuple(sorted(undo.addresses))
    _only_touched(targets, undo, run.id)
    undo = dataclasses.replace(undo, gone=undo.gone & frozenset(targets))
    entries = session.ledger.entries(session.owner)
    _check_needed(entries, undo, run.id)
    _check_kept(session.spec.resources, entries, undo)
    return run, _protected(undo, session.spec.resources, entries), targets


def _options(session: Session, chosen: dict[str, Any], run: Run, undo: Undo) -> Callable[[], Options]:
    """The plan's, asked for under the lease: another run may have come to its end since the ledger was read."""

    def ask() -> Options:
        if _chosen(session, run.id, chosen["targets"])[1] != undo:
            wrong = f"while this waited, another run changed what run {run.id} did"
            raise _refused("undo-overtaken", wrong, "to look at it again: undo --plan")
        return plan_options_of(session, chosen)

    return ask


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
        earlier = next((each.id for each in runs[runs.index(run) + 1 :] if each.inverse), "")
        expected = "a run that did" + (f", such as {earlier} before it" if earlier else "")
        raise _refused("nothing-to-undo", f"run {run.id} left nothing that can be undone: {why}", expected)
    return run, undo


def _run(runs: Sequence[Run], name: str) -> Run:
    """`last`, an id, or the beginning of just one."""
    # An empty name is a variable that was never set.
    fitting = [run for run in runs if name == run.id] or [run for run in runs if name and run.id.startswith(name)]
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
    kept = _without(spec.resources, undo)
    known = {one.address for one in kept} | undo.documents.keys()
    documents = [*map(to_document, kept), *(_ordered(each, known) for each in undo.documents.values())]
    given = SourceFile(f"<before {run}>", documents_yaml(documents).encode())
    try:
        found = compile_spec(
            dataclasses.replace(spec.project, defaults={}),  # what was applied had its defaults already
            resources=[given],
            patches=(),
            kinds=[*all_kinds().values()],
            schemas=load_schemas(),
        )
    except SpecError as error:  # a line of a text that nobody wrote would lead nowhere
        raise SpecError([_placeless(problem, given.path) for problem in error.problems]) from None
    written = {one.address: one for one in kept}
    nowhere = Origin(given.path, 0, 0)
    return dataclasses.replace(
        spec,
        resources=tuple(
            written.get(one.address) or dataclasses.replace(one, origin=nowhere, origins={}, chains={})
            for one in found.resources
        ),
        warnings=(),
    )


def _check_needed(entries: Mapping[str, Applied], undo: Undo, run: str) -> None:
    """What something that stays was applied with is not taken away from it.

    Raises:
        Refused: `undo-needed`.
    """
    staying = ((address, entry) for address, entry in entries.items() if address not in undo.addresses)
    needed = [(address, other) for address, entry in staying for other in entry.edges if other in undo.gone]
    if needed:
        told = ", ".join(f"{address} needs {other}" for address, other in sorted(needed))
        wrong = f"run {run} made what something else needs by now: {told}"
        raise _refused(
            "undo-needed", wrong, "to undo first the run that brought the need; or revert the spec, and apply"
        )


def _check_kept(resources: Sequence[Resource], entries: Mapping[str, Applied], undo: Undo) -> None:
    """What the spec protects by now is not deleted, although that was not applied yet (of what was, the plan tells).

    Raises:
        Refused: `prevent-destroy`.
    """
    problems = [
        Problem(
            code="prevent-destroy",
            address=one.address,
            wrong="undoing would delete it, and the spec says by now that it stays",
            expected="lifecycle without preventDestroy and onRemove: retain",
            origin=one.origin,
        )
        for one in resources
        if one.address in undo.gone
        and (one.lifecycle.prevent_destroy or one.lifecycle.on_remove == "retain")
        and not (entries[one.address].prevent_destroy or entries[one.address].on_remove == "retain")
    ]
    if problems:
        raise Refused(problems)


def _protected(undo: Undo, resources: Sequence[Resource], entries: Mapping[str, Applied]) -> Undo:
    """The same with the protection of today, be it written or applied: no undoing takes that off."""
    kept: dict[str, dict[str, Any]] = {}
    for address, prevent_destroy, on_remove in (
        *((one.address, one.lifecycle.prevent_destroy, one.lifecycle.on_remove) for one in resources),
        *((address, one.prevent_destroy, one.on_remove) for address, one in entries.items()),
    ):
        lifecycle = kept.setdefault(address, {})
        lifecycle |= {"preventDestroy": True} if prevent_destroy else {}
        lifecycle |= {"onRemove": "retain"} if on_remove == "retain" else {}
    return dataclasses.replace(
        undo, documents={address: _with(each, kept.get(address, {})) for address, each in undo.documents.items()}
    )


def _with(document: Mapping[str, Any], lifecycle: Mapping[str, Any]) -> Mapping[str, Any]:
    """A document with more in its `lifecycle`; what must not be deleted can't expire."""
    former = document.get("lifecycle", {})
    left_out = {"expires"} if "preventDestroy" in lifecycle else set()
    found = {**{key: value for key, value in former.items() if key not in left_out}, **lifecycle}
    return {**document, "lifecycle": found} if found else document


def _without(resources: Sequence[Resource], undo: Undo) -> list[Resource]:
    """What the run did not touch; nor what would need what is gone, and was not applied yet: it is none of this."""
    kept = [one for one in resources if one.address not in undo.addresses]
    gone = set(undo.gone)
    while lame := [one for one in kept if any(edge.address in gone for edge in one.edges)]:
        gone |= {one.address for one in lame}
        kept = [one for one in kept if one not in lame]
    return kept


def _ordered(document: Mapping[str, Any], known: Container[str]) -> Mapping[str, Any]:
    """A document of before, without an order after something that is there no longer: it waits for nothing."""
    metadata = document["metadata"]
    if "dependsOn" not in metadata:
        return document
    needed = [address for address in metadata["dependsOn"] if address in known]
    return {**document, "metadata": {**metadata, "dependsOn": needed}}


def _placeless(problem: Problem, path: str) -> Problem:
    is_ours = problem.origin is not None and problem.origin.file == path
    related = tuple(place for place in problem.related if place.file != path)
    return dataclasses.replace(problem, origin=None if is_ours else problem.origin, related=related)


def _refused(code: str, wrong: str, expected: str) -> Refused:
    return Refused([Problem(code=code, wrong=wrong, expected=expected)])
