"""`reconciler import`: live things that nobody manages as YAML that adopts them, planned before it is written."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import click

from reconciler.cli.exits import Exit
from reconciler.cli.given import named_owners
from reconciler.cli.import_files import check_free, place_files, save
from reconciler.cli.import_proof import Proof, prove
from reconciler.cli.import_report import report
from reconciler.cli.options import Common, common_options
from reconciler.cli.output import Printer
from reconciler.cli.plan import say_notes
from reconciler.cli.project import is_read, load_spec
from reconciler.cli.session import Session, World, open_session
from reconciler.diff import identity
from reconciler.diff.importable import Choice, choose, name_all, place_of
from reconciler.diff.live import Listing, Live, Verdict
from reconciler.ledger.journal import TombstoneKind
from reconciler.problems import Problem, Refused, SpecError, nearest
from reconciler.providers.registry import all_kinds
from reconciler.render.safe import for_terminal
from reconciler.secrets.sources import SecretSources
from reconciler.spec.resource import Project

__all__ = ["command"]

_SHOWN: Final = 30
_LABEL: Final = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")


@click.command("import", epilog="Example: reconciler import modelarts/Service/mnist --out resources/imported")
@click.argument("selectors", nargs=-1, metavar="[ADDRESS|ID|NAME]...")
@click.option("--all", "everything", is_flag=True, help="Everything that nobody manages.")
@click.option("--provider", default="", metavar="NAME", help="Only of this provider instance.")
@click.option("--kind", default="", metavar="TYPE/KIND", help="Only of this kind, such as modelarts/Service.")
@click.option("--as", "name", default="", metavar="NAME", help="Name in the spec of the one that is imported.")
@click.option("--out", default=None, metavar="DIR", help="Write a file each below DIR, instead of a stream to stdout.")
@click.option(
    "-o", "--output", type=click.Choice(["yaml"]), default="yaml", expose_value=False, help="Form: YAML alone."
)
@common_options
def command(common: Common, *, selectors: tuple[str, ...], everything: bool, out: str | None, **chosen: str) -> int:
    """Write what is live as YAML that adopts it. Sends nothing to any provider.

    Before it prints or writes, it plans the result: adoption only, or it names what differs and what can't be told.
    """
    where = dataclasses.replace(common.where, begins=True)
    printer, folder = common.printer, Path(out) if out is not None else None
    _check_options(selectors, everything=everything, name=chosen["name"])
    spec = load_spec(where)
    with open_session(spec, where.root, printer) as session:
        session.selection("", (), chosen["provider"])
        world = session.read_world()
        listings = _listings(world, chosen["provider"], _kind(chosen["kind"]), selectors)
        choice = _choose(session, world, listings, selectors, everything=everything)
        _say_lists(listings, choice, printer)
        for open_write in world.settlement.open:
            printer.note(f"note: {for_terminal(open_write.message)}; what it made may be among these")
        say_notes(session)
        named, problems = name_all(choice.items, spec.resources, given=chosen["name"], former=_former(session))
        files = place_files(named, folder)
        problems = (*problems, *check_free(files, folder))
        if problems:
            raise Refused(problems)
        proof = prove(session, world, where, files, _known_secrets(spec.project, printer))
    _refuse_leaks(proof, printer)
    if folder is not None:
        save(proof.valid)
    elif proof.texts:
        printer.result("".join(f"---\n{text}" for text in proof.texts.values()), utf8=True)
    printer.note(report(proof, folder, spec.project, is_read=folder is None or is_read(where.root, folder)))
    return Exit.DONE if proof.is_clean else Exit.ERROR


def _check_options(selectors: Sequence[str], *, everything: bool, name: str) -> None:
    if selectors and everything:
        raise click.UsageError("either --all or what is to be imported, not both")
    if name and len(set(selectors)) != 1:
        raise click.UsageError("--as names one resource: write which, and no --all")
    if name and not _LABEL.fullmatch(name):
        raise click.BadParameter(
            f"{name!r} is no DNS-1123 label (lowercase letters, digits and hyphens)", param_hint="--as"
        )


def _kind(label: str) -> str:
    """The kind that was asked for, as `type/Kind`; its bare name will do.

    Raises:
        SpecError: `unknown-kind`.
    """
    known = sorted(all_kinds())
    found = [one for one in known if label in {one, one.partition("/")[2]}]
    if label and len(found) != 1:
        wrong, wanted = f"there is no kind {label!r}", f"one of {', '.join(known)}"
        raise SpecError([Problem(code="unknown-kind", wrong=wrong, expected=wanted, nearest=nearest(label, known))])
    return found[0] if label else ""


def _listings(world: World, provider: str, kind: str, selectors: Sequence[str]) -> list[Listing]:
    """The lists that count; where every selector names provider and kind, only those.

    Raises:
        SpecError: `list-failed`, for all that could not be read.
    """
    named = {tuple(selector.split("/")[:2]) for selector in selectors}
    only = bool(named) and named <= set(world.listings)
    chosen = [
        listing
        for key, listing in sorted(world.listings.items())
        if provider in {"", key[0]} and kind in {"", listing.kind.label} and (not only or key in named)
    ]
    failed = [
        Problem(code="list-failed", address=_place(one), wrong=one.message, expected="it to answer")
        for one in chosen
        if one.verdict is Verdict.FAILED
    ]
    if failed:
        raise SpecError(failed)
    return chosen


def _place(listing: Listing) -> str:
    return f"{listing.provider}/{listing.kind.name}"


def _choose(
    session: Session, world: World, listings: Iterable[Listing], selectors: Sequence[str], *, everything: bool
) -> Choice:
    """What is imported.

    Raises:
        click.UsageError: nothing was asked for; what could be is told before.
        SpecError: `import-unknown`, `import-ambiguous`.
        Refused: `import-refused`.
    """
    project = session.spec.project
    known = identity.World(
        owner=session.owner,
        entries=world.entries,
        listings=world.listings,
        now_s=0,
        former_owners=project.former_owners,
        other_owners=named_owners(project),
        released=world.released,
    )
    items = [item for listing in listings for item in listing.items]
    elsewhere = _elsewhere(session)
    choice = choose(items, known, selectors, everything=everything or not selectors, elsewhere=elsewhere)
    if not everything and not selectors:
        session.printer.note(_could_be(choice.items))
        raise click.UsageError("say what to import: an address, an id or a name; or --all")
    if choice.unknown:
        raise SpecError(choice.unknown)
    if choice.refused:
        raise Refused(choice.refused)
    return choice


def _could_be(items: Sequence[Live]) -> str:
    if not items:
        return "nothing that is live could be imported: all of it is managed, or out of reach"
    lines = [f"  {for_terminal(place_of(item))}  {for_terminal(item.id)}" for item in items[:_SHOWN]]
    more = [f"  … and {len(items) - _SHOWN} more (`reconciler list` shows all)"] if len(items) > _SHOWN else []
    return "\n".join(["could be imported:", *lines, *more])


def _say_lists(listings: Iterable[Listing], choice: Choice, printer: Printer) -> None:
    for one in listings:
        if one.verdict is not Verdict.COMPLETE and one.message:
            printer.note(f"note: {_place(one)}: {for_terminal(one.message)}")
    if choice.left_out:
        told = ", ".join(f"{count} {group}" for group, count in sorted(choice.left_out.items()))
        printer.note(f"left out: {told}")


def _elsewhere(session: Session) -> dict[tuple[str, str], str]:
    """(Kind's label, live id) → the project's other environment that has it in this ledger."""
    return {
        (entry.kind, live_id): f"{owner}, as {entry.address}"
        for owner in named_owners(session.spec.project).values()
        for entry in session.ledger.entries(owner).values()
        for live_id in (entry.live_id, entry.successor)
        if live_id
    }


def _former(session: Session) -> dict[str, str]:
    """Live id → address, of what was ours and was let go: its marker still has that name."""
    stones = session.ledger.tombstones(session.owner)
    return {stone.live_id: stone.address for stone in stones if stone.kind is TombstoneKind.RELEASED}


def _known_secrets(project: Project, printer: Printer) -> dict[str, str]:
    """Value → name, of the project's secrets that are set here: none of these values may get into a file."""
    folder = os.environ.get("RECONCILER_SECRETS_DIR")
    sources = SecretSources(
        allowed=project.secrets,
        environ=os.environ,
        folder=Path(folder) if folder else None,
        on_resolve=printer.redactor.add,
    )
    missing = set(sources.missing(project.secrets))
    return {sources.resolve(name): name for name in sorted(project.secrets - missing, reverse=True)}


def _refuse_leaks(proof: Proof, printer: Printer) -> None:
    """The last look: what is known to be secret stands in no text, be it in a key or a name.

    Raises:
        Refused: `import-secret`.
    """
    leaks = [
        Problem(
            code="import-secret",
            address=f"{draft.live.provider}/{draft.live.kind.name}/{draft.live.id}",  # its name is made of the secret
            wrong="a secret of this project stands in its name or in a key",
            expected="no secret where none can be hidden; write this one by hand",
        )
        for path, draft in proof.drafts.items()
        if printer.redactor.redact(proof.texts[path]) != proof.texts[path]
    ]
    if leaks:
        raise Refused(leaks)
