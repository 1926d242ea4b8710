"""Where `import` writes: a file a resource, all of them or none, and never over something that is there."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from reconciler.cli.output import OutputError
from reconciler.diff.live import Live
from reconciler.problems import Problem

__all__ = ["check_free", "obstacle", "place_files", "save"]


def place_files(named: Iterable[tuple[Live, str]], folder: Path | None) -> dict[str, tuple[Live, str]]:
    """Path → what stands there: `DIR/provider/kind/name.yaml`; without a folder the address, for messages."""
    found = {}
    for item, name in named:
        parts = (item.provider, item.kind.name if folder is None else item.kind.name.lower(), name)
        found["/".join(parts) if folder is None else (folder.joinpath(*parts)).as_posix() + ".yaml"] = (item, name)
    return found


def check_free(files: Mapping[str, tuple[Live, str]], folder: Path | None) -> tuple[Problem, ...]:
    """What stands in the way: files that are there already, and places that lead out of the folder."""
    if folder is None:
        return ()
    problems = []
    for path, (item, name) in files.items():
        wrong = obstacle(path, folder)
        if wrong:
            problems.append(
                Problem(
                    code="import-exists",
                    address=f"{item.provider}/{item.kind.name}/{name}",
                    wrong=wrong,
                    expected="another --out, or --as NAME",
                )
            )
    return tuple(problems)


def obstacle(path: str, folder: Path) -> str:
    """Why nothing new can be written there, in words; empty: it can."""
    place = Path(path)
    if not place.parent.resolve().is_relative_to(folder.resolve()):
        return f"{path} leads out of {folder.as_posix()}"
    if os.path.lexists(place):
        return f"{path} exists already, and nothing is merged into it"
    return ""


def save(texts: Mapping[str, str], failed: str = "nothing was imported") -> None:
    """Write all files; none is left when one can't be written, or when it is stopped. `failed`: that, in words.

    Raises:
        OutputError: which one, and why.
    """
    written: list[Path] = []
    made: list[Path] = []
    at = Path()
    try:
        for path, text in texts.items():
            at = Path(path)
            made += _folders(at.parent)
            at = _draft(at)
            with at.open("x", encoding="utf-8", newline="\n") as file:  # never through a link that lies there
                written.append(at)
                file.write(text)
        for at in map(Path, texts):
            _put(_draft(at), at)
            written.append(at)
    except BaseException as error:
        _remove(written, made)
        if isinstance(error, OSError):
            raise OutputError(f"{failed}: {at.as_posix()} could not be written: {error.strerror}") from None
        raise
    _remove([place for place in written if place.name.endswith(".new")], [])


def _draft(place: Path) -> Path:
    return place.with_name(f".{place.name}.new")


def _put(draft: Path, place: Path) -> None:
    """Let a finished file appear under its name, unless something has come up there meanwhile."""
    try:
        os.link(draft, place)
    except OSError as error:
        if isinstance(error, FileExistsError) or os.path.lexists(place):
            raise
        draft.rename(place)  # a file system without links


def _folders(folder: Path) -> list[Path]:
    """Make a folder and those above it; those that were made, outermost first."""
    missing = [folder, *folder.parents]
    missing = [one for one in missing if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing[::-1]


def _remove(files: Iterable[Path], folders: list[Path]) -> None:
    for path in files:
        with contextlib.suppress(OSError):
            path.unlink()
    for path in reversed(folders):
        with contextlib.suppress(OSError):
            path.rmdir()
