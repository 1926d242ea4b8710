"""`reconciler snapshot`."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import click

from reconciler.cli.exits import Exit
from reconciler.cli.help import Sectioned
from reconciler.cli.offline import open_snapshot, place_of, read_snapshot_file, sealed
from reconciler.cli.options import Common, common_options
from reconciler.cli.output import OutputError, Printer
from reconciler.cli.plan import say_notes
from reconciler.cli.session import Session, open_session
from reconciler.diff.live import Verdict
from reconciler.ledger.errors import LedgerError
from reconciler.ledger.git import DEFAULT_BRANCH
from reconciler.ledger.git_repository import GitRepository, Moved
from reconciler.plan.snapshot import SNAPSHOT_FORMAT, Account, Snapshot
from reconciler.plan.taking import take_snapshot
from reconciler.problems import Origin, Problem, ReconcilerError, SpecError
from reconciler.render import machine
from reconciler.render.problems import problems_text
from reconciler.render.seal import dump_rows, seal
from reconciler.spec.resource import Project, Spec

__all__ = ["command"]

_TRIES: Final = 8
_FRESH_S: Final = 3600.0
"""A published snapshot younger than this stays when only time has passed."""


@click.command("snapshot", cls=Sectioned, epilog="Example: reconciler snapshot -C specs-example --out live.json")
@click.option("--out", "out", metavar="FILE", default=None, help="Where to save it, for `plan --live FILE`.")
@click.option("--publish", is_flag=True, help="Push it to the branch of the Git ledger, for whoever reads there.")
@click.option("--from", "source", metavar="FILE", default=None, help="Publish this saved one; asks no provider.")
@click.option("--published", is_flag=True, help="Fetch the published one into --out; asks no provider.")
@common_options
def command(common: Common, *, out: str | None, publish: bool, source: str | None, published: bool) -> int:
    """Save what is live and what was applied, without any secret, for plans without credentials.

    It holds our resources with their ledger rows, and of others the name alone.
    """
    if published and (publish or out is None):
        raise click.UsageError("--published goes with --out FILE, and not with --publish")
    if out is None and not publish:
        raise click.UsageError("--out FILE or --publish says where the snapshot goes")
    if source is not None and not (publish and out is None):
        raise click.UsageError("--from goes with --publish: it says what is published")
    spec = common.load()
    project = spec.project
    if published:
        content = _fetched(_repository(project, common.where.root), project.owner)
        _save(str(out), content)
        return Exit.DONE
    snapshot = _read(spec, common) if source is None else open_snapshot(source, spec, common.where.root).snapshot
    data = machine.with_texts(sealed(snapshot), common.printer.redactor.redact)
    if out is not None:
        _save(out, dump_rows(data))
    if publish:
        said = _publish(_repository(project, common.where.root), data, _file(project.owner))
        common.printer.note(f"{project.owner}: {said}")
    return _exit_of(snapshot, common.printer)


def _read(spec: Spec, common: Common) -> Snapshot:
    """What is live and known now."""
    with open_session(spec, common.where.root, common.printer) as session:
        world = session.read_world()
        say_notes(session)
        _know_secrets(session)
        versions = session.versions()
        return take_snapshot(
            spec=spec,
            entries=world.entries,
            listings=world.listings.values(),
            redact=common.printer.redactor.redact,
            released=world.released,
            revision=session.revision,
            taken_at=time.time(),
            accounts={
                name: Account(
                    type=spec.project.providers[name].type,
                    version=versions[name],
                    place=place_of(spec.project.providers[name]),
                    now_s=provider.clock.now(),
                    prices=session.own_prices(name),
                )
                for name, provider in session.providers.items()
            },
            open_intents={item.row.address: item.message for item in world.settlement.open},
            trusted=session.ledger.trusted(session.owner),
        )


def _know_secrets(session: Session) -> None:
    """Have all values that this machine can tell masked, also of secrets that no request here needs."""
    for name in sorted(session.spec.project.secrets):
        for sources in session.sources.values():
            with suppress(SpecError):
                sources.resolve(name)


def _exit_of(snapshot: Snapshot, printer: Printer) -> Exit:
    failed = [
        Problem(code="list-failed", address=f"{name}/{kind}", wrong=listing.message, expected="the provider to answer")
        for (name, kind), listing in sorted(snapshot.listings.items())
        if listing.verdict is Verdict.FAILED
    ]
    if failed:
        printer.note(problems_text(failed))
        printer.note("the snapshot says so: plans from it will not know what is live there")
    return Exit.ERROR if failed else Exit.DONE


def _save(out: str, content: str) -> None:
    try:
        Path(out).write_text(content, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"the snapshot could not be saved: {error.strerror}") from None


# -- on the branch of the Git ledger ----------------------------------------------------------------------------------


def _repository(project: Project, root: Path) -> GitRepository:
    """The branch of the Git ledger; of its default one where the project keeps its ledger elsewhere."""
    settings = project.ledger if project.ledger.get("type") == "git" else {}
    return GitRepository(
        root, remote=str(settings.get("remote") or "origin"), branch=str(settings.get("branch") or DEFAULT_BRANCH)
    )


def _file(owner: str) -> str:
    return f"snapshots/{owner}.json"


def _fetched(repository: GitRepository, owner: str) -> str:
    """The published snapshot as it stands there.

    Raises:
        ReconcilerError: `no-snapshot`.
        SpecError: `not-a-snapshot`, `snapshot-altered`.
    """
    path = _file(owner)
    content = repository.read(repository.fetch(), path)[1]
    place = f"{repository.describe()}, {path}"
    if not content:
        raise SpecError(
            [
                Problem(
                    code="no-snapshot",
                    origin=Origin(place, 0, 0),
                    wrong=f"nobody has published a snapshot of {owner}",
                    expected="`reconciler snapshot --publish`, run with credentials, such as by the drift job",
                )
            ]
        )
    read_snapshot_file(place, content)
    return content


def _publish(repository: GitRepository, data: Mapping[str, Any], path: str) -> str:
    """Put it on the branch, whoever else pushes there; a sentence on what was done.

    Raises:
        LedgerError: the remote can't be reached, or refuses; others were faster each time.
    """
    content = dump_rows(data)
    for attempt in range(1, _TRIES + 1):
        tip = repository.fetch()
        published = repository.read(tip, path)[1]
        if _says_the_same(published, data, f"{repository.describe()}, {path}"):
            return "the published snapshot says the same, and is fresh; nothing was pushed"
        if published and _lacks(data) and not _lacks(json.loads(published)):
            return "a list is missing in it, so the published one stays, which has all; nothing was pushed"
        try:
            repository.push(repository.commit(tip, {path: content}, f"{data['owner']}: snapshot"), tip)
        except Moved:
            time.sleep(random.uniform(0.05, 0.3) * attempt)  # noqa: S311 - jitter, no secret
        else:
            return f"the snapshot stands on {repository.describe()}, in {path}"
    raise LedgerError(f"{repository.describe()}: {_TRIES} others were faster; the snapshot was not published")


def _lacks(data: Mapping[str, Any]) -> bool:
    """Whether a provider had failed when a snapshot was taken."""
    return any(one.get("verdict") == Verdict.FAILED for one in data.get("listings", ()))


def _says_the_same(published: str, data: Mapping[str, Any], place: str) -> bool:
    """Whether what is published differs in its time alone, and not by much.

    Raises:
        ReconcilerError: something else stands there, which is nothing to write over.
    """
    if not published:
        return False
    try:
        there = json.loads(published)
        is_snapshot = there["format"].startswith(SNAPSHOT_FORMAT.partition("/")[0])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        is_snapshot = False
    if not is_snapshot:
        raise ReconcilerError(
            f"{place}: what stands there is no snapshot, so it stays; move it away first [not-a-snapshot]"
        )
    if seal(there) != there or there["format"] != SNAPSHOT_FORMAT:
        return False
    return 0 <= data["taken_at"] - there["taken_at"] < _FRESH_S and _timeless(there) == _timeless(data)


def _timeless(data: Mapping[str, Any]) -> dict[str, Any]:
    rest = {key: value for key, value in data.items() if key not in {"taken_at", "checksum"}}
    return rest | {"providers": [{**one, "now": 0} for one in rest["providers"]]}
