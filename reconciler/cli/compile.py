"""`reconciler compile`."""

from __future__ import annotations

import click

from reconciler.cli.exits import Exit
from reconciler.cli.options import Common, common_options, output_option
from reconciler.cli.project import load_spec
from reconciler.render import machine
from reconciler.spec import to_documents, to_yaml

__all__ = ["command"]


@click.command("compile", epilog="Example: reconciler compile -C specs-example -e prod -o json")
@output_option("yaml", "json")
@common_options
def command(common: Common, *, output: str) -> int:
    """Print the rendered resources: templates, patches and defaults applied, secrets as references.

    The output is the same in every run, and reads back to the same values.
    """
    spec = load_spec(common.where)
    common.printer.result(to_yaml(spec) if output == "yaml" else machine.dump(to_documents(spec)), utf8=True)
    return Exit.DONE
