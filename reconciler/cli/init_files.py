"""Where `init` writes: into its folder alone, all or nothing, and never over something that is there."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from reconciler.cli.import_files import obstacle, save
from reconciler.cli.init_texts import IGNORED
from reconciler.cli.init_workflows import WORKFLOWS_HOME
from reconciler.cli.output import OutputError
from reconciler.cli.project import PROJECT_FILE, ProjectFiles, load_spec
from reconciler.problems import Problem, Refused
from reconciler.spec import SourceFile

__all__ = ["check_free", "has_origin", "prove", "repository_of", "write"]

_IGNORE: Final = ".gitignore"
_FAILED: Final = "nothing was written"
_WAYS: Final = {
    "resources/": "a free place, or --kind with others",
    ".vscode/": "a free place, or --editor none",
    WORKFLOWS_HOME: "a free place, or --no-github",
}


def repository_of(folder: Path) -> Path | None:
    """The top of the Git repository that holds this folder, which need not be there yet."""
    place = folder.resolve()
    return next((one for one in (place, *place.parents) if (one / ".git").exists()), None)


def has_origin(folder: Path) -> bool:
    """Whether the repository that holds this folder has a remote of that name, where its settings are plain to see."""
    top = repository_of(folder)
    try:
        return top is not None and '[remote "origin"]' in (top / ".git" / "config").read_text(errors="replace")
    except OSError:
        return False


def check_free(root: Path, texts: Mapping[str, str]) -> None:
    """See whether all of it can be written; a file that is there already with the same text is no obstacle.

    Raises:
        Refused: `project-exists`; `init-exists`, for all that is in the way.
    """
    if os.path.lexists(root / PROJECT_FILE):
        wrong = f"there is already a {PROJECT_FILE} in {root.as_posix()}"
        wanted = "a folder without a project; `reconciler import` adds what is live to this one"
        raise Refused([Problem(code="project-exists", wrong=wrong, expected=wanted)])
    problems = []
    for path, text in texts.items():
        wrong = _blocked(root, path) or ("" if _is_there(root / path, text) else obstacle(str(root / path), root))
        if wrong:
            ways = (way for home, way in _WAYS.items() if path.startswith(home))
            problems.append(Problem(code="init-exists", wrong=wrong, expected=next(ways, "a free place")))
    ignore = root / _IGNORE
    if os.path.lexists(ignore) and (ignore.is_symlink() or not ignore.is_file()):
        wanted = f"a file, to which {IGNORED} can be added"
        problems.append(Problem(code="init-exists", wrong=f"{ignore.as_posix()} is no plain file", expected=wanted))
    if problems:
        raise Refused(problems)


def _blocked(root: Path, path: str) -> str:
    """Whether a file stands where a folder has to be."""
    above = [root / part for part in Path(path).parents]
    found = next((one for one in above if os.path.lexists(one) and not one.is_dir()), None)
    return f"{found.as_posix()} is no folder" if found else ""


def _is_there(place: Path, text: str) -> bool:
    try:
        return not place.is_symlink() and place.is_file() and place.read_bytes() == text.encode()
    except OSError:
        return False


def prove(root: Path, texts: Mapping[str, str], environments: Sequence[str]) -> None:
    """Compile it for every environment, with the resources, values and patches that are there already.

    Raises:
        SpecError: with what does not validate.
    """
    sources = {path: SourceFile(path, text.encode()) for path, text in texts.items()}
    beside = tuple(one for path, one in sources.items() if path.startswith("resources/") and not (root / path).exists())
    for environment in environments or (None,):
        load_spec(
            ProjectFiles(root=root, environment=environment, project=sources[PROJECT_FILE], beside=beside, begins=True)
        )


def write(root: Path, texts: Mapping[str, str]) -> list[str]:
    """Write what is not there yet, and let Git ignore what stays out of it; returns the paths that were written.

    Raises:
        OutputError: which one could not be written; then none is.
    """
    ignore = root / _IGNORE
    missing = {path: text for path, text in texts.items() if not _is_there(root / path, text)}
    before = _ignoring(ignore)
    if before is None:
        missing[_IGNORE] = f"{IGNORED}\n"
        added = ""
    else:
        lines = {line.strip().strip("/") for line in before.splitlines()}
        added = "" if IGNORED.strip("/") in lines else ("\n" if before and before[-1] != "\n" else "") + f"{IGNORED}\n"
    with _appended(ignore, added):
        save({(root / path).as_posix(): text for path, text in missing.items()}, _FAILED)
    return [*missing, *([_IGNORE] if added else [])]


def _ignoring(place: Path) -> str | None:
    try:
        return place.read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise OutputError(f"{_FAILED}: {place.as_posix()} can't be read: {error.strerror}") from None


@contextmanager
def _appended(place: Path, text: str) -> Iterator[None]:
    """Have a text at the end of a file, unless what follows fails."""
    if not text:
        yield
        return
    size = place.stat().st_size
    try:
        _append(place, text)
        yield
    except BaseException:
        os.truncate(place, size)
        raise


def _append(place: Path, text: str) -> None:
    try:
        with place.open("ab") as file:
            file.write(text.encode())
    except OSError as error:
        raise OutputError(f"{_FAILED}: {place.as_posix()} could not be written: {error.strerror}") from None
