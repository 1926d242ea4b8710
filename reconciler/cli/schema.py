"""`reconciler schema`."""

from __future__ import annotations

import json

import click

from reconciler.cli.exits import Exit
from reconciler.cli.output import Printer
from reconciler.cli.project import load_schemas
from reconciler.problems import Problem, SpecError, nearest
from reconciler.providers.registry import all_kinds
from reconciler.spec import PROJECT_FILE
from reconciler.spec.policy import POLICY_FILE

__all__ = ["command"]


@click.command("schema", epilog="Example: reconciler schema modelarts/Service > service.json")
@click.argument("kind")
@click.pass_obj
def command(printer: Printer, *, kind: str) -> int:
    """Print the JSON Schema of KIND (type/Kind), in one piece, for editors and other tools."""
    files = {label: kind.schema for label, kind in all_kinds().items()}
    files |= {"reconciler/Project": PROJECT_FILE, "reconciler/Policy": POLICY_FILE}
    if kind not in files:
        raise SpecError(
            [
                Problem(
                    code="unknown-kind",
                    wrong=f"there is no kind {kind!r}",
                    expected=f"one of {', '.join(sorted(files))}",
                    nearest=nearest(kind, files),
                )
            ]
        )
    schemas = load_schemas()
    whole = dict(schemas[files[kind]])
    common = schemas["common.json"]
    # What the files share goes along, under the names by which they refer to it.
    whole["$defs"] = {**whole.get("$defs", {}), **common.get("$defs", {})}
    printer.result(json.dumps(whole, indent=2, ensure_ascii=False).replace('"common.json#/', '"#/'), utf8=True)
    return Exit.DONE
