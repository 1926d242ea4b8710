"""Reads the files of a project and hands their bytes to the compiler."""

from __future__ import annotations

import json
import os
import posixpath
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

from reconciler.problems import Origin, Problem, SpecError
from reconciler.providers.registry import all_kinds, provider_types
from reconciler.spec import SourceFile, Spec, compile_all, read_project_header
from reconciler.spec.bulk import uncollected

__all__ = ["PROJECT_FILE", "ProjectFiles", "is_read", "load_schemas", "load_spec"]

PROJECT_FILE = "reconciler.yaml"
_YAML = (".yaml", ".yml")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFiles:
    """What the command line says of where the spec is.

    Attributes:
        files: `-f`: they stand in for the project's own `resources`; `-` is standard input.
        given: Documents in memory that stand in for them the same way, and instead of `files`; empty ones are an empty
            spec. The project's own policies count on.
        beside: Documents in memory that are read as if they stood among the project's own.
        secrets: Further names that `secret()` may read.
        begins: The project may have no resources yet: the default folder need not exist.
        project: The project's own file in memory, instead of the one at `root`, which need not exist either.
    """

    root: Path
    environment: str | None = None
    values: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    given: tuple[SourceFile, ...] | None = None
    beside: tuple[SourceFile, ...] = ()
    secrets: frozenset[str] = frozenset()
    begins: bool = False
    project: SourceFile | None = None


def load_spec(where: ProjectFiles) -> Spec:
    """Read and compile.

    Raises:
        SpecError: with all problems of the stage that found some.
    """
    source = where.project or _read(
        where.root,
        PROJECT_FILE,
        "project-missing",
        f"a {PROJECT_FILE} in {where.root}, or -C with its folder; `reconciler init` begins one",
    )
    header = read_project_header(source)
    environment = header.choose(where.environment)
    layers = [
        f"values/{environment}{ending}" for ending in _YAML if (where.root / f"values/{environment}{ending}").is_file()
    ]
    values = [_read(where.root, path, "file-missing", "a file") for path in layers]
    values += [_read_anywhere(path) for path in where.values]
    replaced = bool(where.files) or where.given is not None
    places = _resource_files(where.root, header.resources, needed=not replaced and not where.begins)
    own = (SourceFile(shown, _bytes(place, shown)) for shown, place in places.items())
    found = _given(where) if replaced else own  # those are read when their turn comes: not all need to be there at once
    patched = _folder(where.root, f"patches/{environment}") if environment else {}
    with uncollected():
        return compile_all(
            source,
            environment=where.environment,
            settings={name: kind.settings for name, kind in provider_types().items()},
            values_files=values,
            sets=where.sets,
            resources=chain(found, where.beside),
            policies=list(own) if replaced else (),
            secrets=where.secrets,
            patches=[SourceFile(shown, _bytes(place, shown)) for shown, place in patched.items()],
            kinds=[*all_kinds().values()],
            schemas=load_schemas(),
        )


def is_read(root: Path, folder: Path) -> bool:
    """Whether the project at `root` reads the resources in this folder."""
    header = read_project_header(_read(root, PROJECT_FILE, "project-missing", f"a {PROJECT_FILE} in {root}"))
    place = folder.resolve()
    homes = [path for path, _ in header.resources if _inside(root / path, place) and _inside(root, place)]
    return bool(homes) and not any(part.startswith(".") for part in place.relative_to(root.resolve()).parts)


def _given(where: ProjectFiles) -> list[SourceFile]:
    """What stands in for the project's own resources."""
    if where.given is not None:
        return list(where.given)
    return [_standard_input() if path == "-" else _read_anywhere(path) for path in where.files]


def _resource_files(root: Path, listed: Iterable[tuple[str, Origin | None]], *, needed: bool) -> dict[str, str]:
    """The project's own files and their places; the default may be missing where they are not `needed`.

    They are not when they are read for their policies alone.
    """
    problems: list[Problem] = []
    seen: dict[str, str] = {}
    for written, origin in listed:
        path = posixpath.normpath(written)  # ./resources/a.yaml is resources/a.yaml, and is read once
        place = root / path
        if not _inside(root, place):
            problems.append(
                Problem(
                    code="outside-project",
                    origin=origin,
                    wrong=f"{path!r} leads out of the project",
                    expected="a path inside it",
                )
            )
        elif place.is_dir():
            seen.update(_folder(root, path))
        elif place.is_file():
            seen[path] = os.fspath(place)
        elif origin is not None:
            problems.append(
                Problem(
                    code="file-missing",
                    origin=origin,
                    wrong=f"{path!r} does not exist",
                    expected="a file or folder of the project",
                )
            )
        elif needed:
            problems.append(
                Problem(
                    code="file-missing",
                    origin=Origin(PROJECT_FILE),
                    wrong=f"the folder {path!r} does not exist",
                    expected="a folder of resources (it may be empty), or spec.resources with other paths",
                )
            )
    if problems:
        raise SpecError(problems)
    return seen


def _inside(root: Path, place: Path) -> bool:
    return place.resolve().is_relative_to(root.resolve())


def _folder(root: Path, path: str) -> dict[str, str]:
    """All YAML files below a folder and their places, hidden ones left out, in the order of their paths."""
    base, shown = root / path, posixpath.normpath(path)
    if (
        not base.is_dir()
        or not _inside(root, base)
        or any(part[:1] == "." and part != "." for part in shown.split("/"))
    ):
        return {}
    found = _yaml_below(os.fspath(base), "" if shown == "." else f"{shown}/")
    ordered = sorted(found, key=lambda one: one[0].split("/"))
    return {name: place for name, place, is_link in ordered if not is_link or _inside(root, Path(place))}


def _yaml_below(folder: str, shown: str) -> Iterator[tuple[str, str, bool]]:
    """(path as shown, place, whether it is a link), in no order; links to folders are not followed.

    By `scandir`: with a `Path` for each entry, it takes several times as long.
    """
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    yield from _yaml_below(entry.path, f"{shown}{entry.name}/")
                elif entry.name.endswith(_YAML) and entry.is_file():
                    yield f"{shown}{entry.name}", entry.path, entry.is_symlink()
    except OSError as error:  # what can't be seen must not count as gone
        raise _unreadable(shown or ".", error) from None


def _read(root: Path, path: str, code: str, expected: str) -> SourceFile:
    place = root / path
    if not place.is_file():
        raise SpecError([Problem(code=code, wrong=f"there is no {path}", expected=expected)])
    return SourceFile(path, _bytes(place, path))


def _read_anywhere(path: str) -> SourceFile:
    place = Path(path)
    if not place.is_file():
        raise SpecError([Problem(code="file-missing", wrong=f"there is no file {path!r}", expected="a readable file")])
    return SourceFile(path, _bytes(place, path))


def _bytes(place: Path | str, shown: str) -> bytes:
    try:
        with open(place, "rb", buffering=0) as file:  # noqa: PTH123 - half of the time of a Path that reads
            return file.read()
    except OSError as error:
        raise _unreadable(shown, error) from None


def _unreadable(shown: str, error: OSError) -> SpecError:
    wrong = f"it can't be read: {error.strerror}"
    return SpecError([Problem(code="file-unreadable", origin=Origin(shown), wrong=wrong, expected="a readable file")])


def _standard_input() -> SourceFile:
    return SourceFile("<stdin>", sys.stdin.buffer.read())


@lru_cache(maxsize=1)
def load_schemas() -> Mapping[str, Any]:
    """File name → schema, from the wheel or, in a checkout or an editable install, from beside the package."""
    package = Path(__file__).parents[1]  # not `importlib.resources`: 6 ms
    home = package / "schemas"
    if not home.is_dir():
        home = package.parent / "schemas"
    return _SchemaFiles(home)


class _SchemaFiles(Mapping[str, Any]):
    """Each file is read when somebody asks for it: all of them take 2 ms."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._names = sorted(path.name for path in home.glob("*.json"))
        self._read: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._read:
            if name not in self._names:
                raise KeyError(name)
            self._read[name] = json.loads((self._home / name).read_text(encoding="utf-8"))
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
