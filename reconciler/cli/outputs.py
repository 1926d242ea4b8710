"""`reconciler outputs`."""

from __future__ import annotations

import re

import click

from reconciler.cli.exits import Exit
from reconciler.cli.help import Sectioned
from reconciler.cli.options import Common, common_options, output_option
from reconciler.cli.project import load_spec
from reconciler.cli.session import open_session
from reconciler.diff.live import Verdict
from reconciler.problems import ProviderError
from reconciler.render import machine

__all__ = ["command"]


@click.command(
    "outputs", cls=Sectioned, epilog="Example: reconciler outputs -C specs-example -o dotenv > endpoints.env"
)
@output_option("json", "dotenv")
@common_options
def command(common: Common, *, output: str) -> int:
    """Print id, name and endpoint of each of our live resources, for scripts and workflows."""
    spec = load_spec(common.where)
    with open_session(spec, common.where.root, common.printer) as session:
        world = session.read_world()
    failed = [listing.message for listing in world.listings.values() if listing.verdict is Verdict.FAILED]
    if failed:
        raise ProviderError("\n".join(failed))
    found: dict[str, dict[str, str]] = {}
    for address, entry in sorted(world.entries.items()):
        provider, kind, _ = address.split("/")
        listing = world.listings.get((provider, kind))
        live = listing.by_id(entry.live_id) if listing else None
        if live is not None:
            found[address] = {"id": live.id, "name": live.name, "endpoint": "", **live.outputs}
    if output == "json":
        common.printer.result(machine.dump(machine.outputs_json(spec.project.owner, found)), utf8=True)
    else:
        common.printer.result("\n".join(_dotenv(found)), utf8=True)
    return Exit.DONE


def _dotenv(found: dict[str, dict[str, str]]) -> list[str]:
    lines = []
    for address, outputs in found.items():
        prefix = re.sub(r"[^A-Z0-9]+", "_", address.upper())
        for key, value in outputs.items():
            if value:
                quoted = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$").replace("`", "\\`")
                lines.append(f'{prefix}_{key.upper()}="{quoted}"')
    return lines
