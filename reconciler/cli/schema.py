"""`reconciler schema`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.exits import Exit
from reconciler.cli.output import OutputError, Printer
from reconciler.cli.schema_files import editor_files, files_by_kind, whole
from reconciler.problems import Problem, SpecError, nearest

__all__ = ["command"]


@click.command(
    "schema",
    epilog="""\b
Examples:
  reconciler schema modelarts/Service > service.json
  reconciler schema --all --out .reconciler/schemas""",
)
@click.argument("kind", default="")
@click.option("--all", "everything", is_flag=True, help="Every kind, as files for editors; goes with --out.")
@click.option("--out", default=None, metavar="DIR", help="Write the files there, over those of another release.")
@click.pass_obj
def command(printer: Printer, *, kind: str, everything: bool, out: str | None) -> int:
    """Print the JSON Schema of KIND (type/Kind), in one piece, for editors and other tools."""
    if everything is not (out is not None) or everything is bool(kind):
        raise click.UsageError("either one KIND, or --all with --out DIR")
    if out is not None:
        _write(Path(out), printer)
        return Exit.DONE
    files = files_by_kind()
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
    printer.result(whole(files[kind]), utf8=True)
    return Exit.DONE


def _write(folder: Path, printer: Printer) -> None:
    """Write all of them, each one whole or not at all.

    Raises:
        OutputError: which one could not be written, and why.
    """
    texts = editor_files()
    place = folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            place = folder / name
            draft = place.with_name(f".{name}.new")
            draft.write_text(text, encoding="utf-8", newline="\n")
            draft.replace(place)
    except OSError as error:
        raise OutputError(f"{place.as_posix()} could not be written: {error.strerror}") from None
    printer.note(f"wrote {len(texts)} schemas to {folder.as_posix()}")
