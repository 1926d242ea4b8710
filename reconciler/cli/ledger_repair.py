"""`reconciler ledger rebuild|unlock|migrate`: when a ledger was lost, is held, or moves."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sized
from typing import Any, Final

import click

from reconciler.cli.exits import Exit
from reconciler.cli.help import Sectioned
from reconciler.cli.options import Common, common_options
from reconciler.cli.project import load_spec
from reconciler.cli.session import open_session
from reconciler.cli.who import who
from reconciler.cli.wishes import ask
from reconciler.diff.identity import World
from reconciler.diff.live import owner_hash
from reconciler.diff.rebuild import Rebuilt, rebuild
from reconciler.ledger.errors import not_empty
from reconciler.ledger.store import Ledger, LedgerError, open_ledger
from reconciler.spec import Spec

__all__ = ["migrate", "open_home", "restore", "unlock"]

_HOMES: Final = {"sqlite": "path", "git": "branch", "postgresql": ""}
"""Home → what may stand behind its name and a colon."""


def open_home(spec: Spec, common: Common) -> Ledger:
    """The ledger of the project."""
    return open_ledger(spec.project.ledger, common.where.root, redact=common.printer.redactor.redact)


@click.command("rebuild", cls=Sectioned, epilog="Example: reconciler ledger rebuild -e prod")
@common_options
def restore(common: Common) -> int:
    """Read the markers of live resources back into a ledger that was lost.

    A marker tells whose a live thing is, and what was to be kept; not what was applied. So plans know it again, and a
    delete or a replace stays blocked until the resource was applied once.
    """
    spec = load_spec(common.where)
    with open_session(spec, common.where.root, common.printer) as session:
        session.check_catalogue()
        with session.ledger.take_lease(session.owner, who(os.environ)) as lease:
            world = session.read_world()
            others = [f"{spec.project.name}/{name}" for name in spec.project.environments]
            found = rebuild(
                spec.resources,
                World(
                    owner=session.owner,
                    former_owners=spec.project.former_owners,
                    entries=world.entries,
                    listings=world.listings,
                    now_s=time.time(),
                    released=world.released,
                    other_owners={owner_hash(owner): owner for owner in others if owner != session.owner},
                ),
            )
            for entry in found.entries:
                lease.put_entry(entry)
        failed = [f"{name}: {why}" for name, why in session.failed.items()]
        failed += [listing.message for listing in world.listings.values() if listing.message]
    common.printer.result("\n".join(_told(found)))
    for sentence in dict.fromkeys(failed):
        common.printer.note(sentence)
    return Exit.ERROR if failed else Exit.DONE


def _told(found: Rebuilt) -> list[str]:
    lines = [
        f"{entry.address}  id {entry.live_id}, generation {entry.generation}"
        + (", protected" if entry.prevent_destroy else ", to be left running" if entry.on_remove == "retain" else "")
        for entry in found.entries
    ]
    lines += [f"{address}  not taken: {why}" for address, why in found.undecided.items()]
    lines += [
        f"{live.provider}/{live.kind.name} {live.id}  ours by its marker, and no document means it"
        for live in found.nameless
    ]
    return lines or ["nothing to restore: no live resource carries our marker without an entry"]


@click.command("unlock", cls=Sectioned, epilog="Example: reconciler ledger unlock -e prod --yes")
@click.option("--yes", is_flag=True, help="Do not ask.")
@common_options
def unlock(common: Common, *, yes: bool) -> int:
    """Break the lease of a run that died, instead of waiting until it expires.

    The next apply takes whatever that run had under way for open, and settles it first. A holder that lives after all
    writes nothing more into the ledger; a request that it has already checked may still leave.
    """
    if not yes and not (sys.stdin is not None and sys.stdin.isatty()):
        raise click.UsageError("there is no terminal to ask on; --yes breaks the lease without asking")
    spec = load_spec(common.where)
    ledger = open_home(spec, common)
    if not yes and not ask(f"Is the run that holds the lease on {spec.project.owner} dead?", common.printer):
        return Exit.REFUSED
    holder = ledger.unlock(spec.project.owner)
    common.printer.result(f"the lease of {holder} is broken" if holder else f"nobody holds {spec.project.owner}")
    return Exit.DONE


@click.command("migrate", cls=Sectioned, epilog="Example: reconciler ledger migrate --from sqlite")
@click.option(
    "--from",
    "source",
    required=True,
    metavar="HOME",
    help="Where it was: sqlite, sqlite:PATH, git, git:BRANCH or postgresql.",
)
@common_options
def migrate(common: Common, *, source: str) -> int:
    """Bring the record of another home into the one that reconciler.yaml names, journal and history included.

    The old one is left as it is; see to it that no run uses it any more.
    """
    spec = load_spec(common.where)
    owner, target = spec.project.owner, open_home(spec, common)
    old = open_ledger(_config(source), common.where.root, redact=common.printer.redactor.redact)
    if old.location == target.location:
        raise click.UsageError(f"--from {source}: reconciler.yaml names that one itself (expected another home)")
    entries, runs = old.entries(owner), old.runs(owner)
    # Before a lease is taken: that would make a home which is not there.
    if not entries and not runs and not old.journal(owner):
        raise LedgerError(f"{old.location} knows nothing of {owner}: there is nothing to bring", code="ledger-empty")
    if target.entries(owner) or target.journal(owner):
        raise not_empty(owner)
    with old.take_lease(owner, who(os.environ)), target.take_lease(owner, who(os.environ)) as lease:
        lease.restore(old.dump(owner))
    common.printer.result(
        f"{owner}: {_count(entries, 'entry', 'entries')} and {_count(runs, 'run', 'runs')} came from {old.location} to "
        f"{target.location}"
    )
    common.printer.note(f"{old.location} is left as it is; see to it that no run uses it any more")
    return Exit.DONE


def _count(found: Sized, one: str, more: str) -> str:
    return f"{len(found)} {one if len(found) == 1 else more}"


def _config(source: str) -> dict[str, Any]:
    kind, _, place = source.partition(":")
    key = _HOMES.get(kind)
    return {"type": kind, **({key: place} if key and place else {})}
