"""`reconciler compile`."""

from __future__ import annotations

import click

from reconciler.cli.exits import Exit
from reconciler.cli.help import Sectioned
from reconciler.cli.options import Common, common_options, output_option
from reconciler.cli.project import load_spec
from reconciler.render import machine, origins
from reconciler.spec import to_documents, to_yaml
from reconciler.spec.trace import trace

__all__ = ["command"]


@click.command(
    "compile",
    cls=Sectioned,
    epilog="""\b
Examples:
  reconciler compile -C specs-example -e prod -o json
  reconciler compile -C specs-example -e prod --explain theta/Deployment/assistant.min_replicas""",
)
@click.option(
    "--explain",
    metavar="PATH",
    default=None,
    help="Tell where the values at ADDRESS.FIELD (or values.NAME, providers.NAME.KEY) come from.",
)
@output_option("yaml", "json", "text")
@common_options
def command(common: Common, *, explain: str | None, output: str) -> int:
    """Print the rendered resources: templates, patches and defaults applied, secrets as references.

    The output is the same in every run, and reads back to the same values.
    """
    spec = load_spec(common.where)
    if explain is not None:
        traces = trace(spec, explain)
        if output == "json":
            common.printer.result(machine.dump(origins.origins_json(traces)), utf8=True)
        else:
            common.printer.page(origins.origins_text(traces, common.printer.style))
        return Exit.DONE
    if output == "text":
        raise click.UsageError("-o text is for --explain; resources are printed as yaml or json")
    common.printer.result(to_yaml(spec) if output == "yaml" else machine.dump(to_documents(spec)), utf8=True)
    return Exit.DONE
