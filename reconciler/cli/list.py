"""`reconciler list`."""

from __future__ import annotations

import click

from reconciler.cli.exits import Exit
from reconciler.cli.help import Sectioned
from reconciler.cli.options import Common, common_options, output_option
from reconciler.cli.plan import say_notes
from reconciler.cli.project import load_spec
from reconciler.cli.session import Session, World, open_session
from reconciler.diff.live import Live, Verdict, owner_hash
from reconciler.problems import Problem
from reconciler.providers.measure import measure
from reconciler.render import machine, text
from reconciler.render.problems import problems_text
from reconciler.render.rows import ListRow

__all__ = ["command"]


@click.command("list", cls=Sectioned, epilog="Example: reconciler list -C specs-example -o json")
@output_option("text", "json")
@click.option("--metrics", is_flag=True, help="Also how busy each is, where the provider tells it (Run:ai).")
@click.option("--provider", default="", metavar="NAME", help="Only this provider instance.")
@common_options
def command(common: Common, *, output: str, metrics: bool, provider: str) -> int:
    """Show everything that is live at the project's providers, ours and others'."""
    spec = load_spec(common.where)
    with open_session(spec, common.where.root, common.printer) as session:
        session.selection("", (), provider)
        world = session.read_world()
        items = [
            item
            for (name, _), listing in sorted(world.listings.items())
            for item in listing.items
            if not provider or name == provider
        ]
        rows = [_row(item, session, world) for item in items]
        measured = measure(session.providers, items) if metrics else None
        failed = [
            Problem(code="list-failed", address=f"{name}/{kind}", wrong=listing.message, expected="it to answer")
            for (name, kind), listing in sorted(world.listings.items())
            if listing.verdict is Verdict.FAILED and (not provider or name == provider)
        ]
        say_notes(session)
    if output == "json":
        common.printer.result(machine.dump(machine.list_json(rows, failed, measured)), utf8=True)
    else:
        common.printer.page(text.list_text(rows, common.printer.style, measured))
        if failed:
            common.printer.note(problems_text(failed))
    return Exit.ERROR if failed else Exit.DONE


def _row(item: Live, session: Session, world: World) -> ListRow:
    address = next(
        (
            entry.address
            for entry in world.entries.values()
            if entry.live_id == item.id and entry.address.startswith(f"{item.provider}/{item.kind.name}/")
        ),
        "",
    )
    marker = item.parsed_marker
    owner = "unmanaged"
    if address or (marker is not None and marker.owner == owner_hash(session.owner)):
        owner = session.owner
    elif marker is not None:
        names = {owner_hash(f"{session.spec.project.name}/{name}"): name for name in session.spec.project.environments}
        known = names.get(marker.owner)
        owner = f"{session.spec.project.name}/{known}" if known else f"other ({marker.owner})"
    return ListRow(
        provider=item.provider,
        kind=item.kind.name,
        name=item.name,
        id=item.id,
        status=item.status,
        phase=str(item.phase),
        owner=owner,
        address=address,
        endpoint=item.outputs.get("endpoint", ""),
    )
