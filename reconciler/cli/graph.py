"""`reconciler graph`."""

from __future__ import annotations

import click

from reconciler.cli.exits import Exit
from reconciler.cli.help import Sectioned
from reconciler.cli.options import Common, common_options, output_option
from reconciler.cli.project import load_spec
from reconciler.render import graph

__all__ = ["command"]


@click.command(
    "graph", cls=Sectioned, epilog="Example: reconciler graph -C specs-example -o dot | dot -Tsvg > graph.svg"
)
@output_option("mermaid", "dot")
@common_options
def command(common: Common, *, output: str) -> int:
    """Print which resource needs which first. No provider is contacted.

    An arrow leads from what comes first to what needs it, with the reason: dependsOn, or the field with a ref().
    """
    resources = load_spec(common.where).resources
    draw = graph.mermaid if output == "mermaid" else graph.dot
    addresses = [resource.address for resource in resources]
    common.printer.result(draw(addresses, graph.arrows_of(resources)), utf8=True)
    return Exit.DONE
