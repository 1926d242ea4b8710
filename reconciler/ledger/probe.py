"""Whether this process could write a ledger, as far as that can be told without a write: for `doctor`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from reconciler.ledger.errors import LedgerError
from reconciler.ledger.git import DEFAULT_BRANCH
from reconciler.ledger.git_repository import GitRepository
from reconciler.ledger.lease import refuse_network
from reconciler.ledger.postgresql import PostgresqlLedger
from reconciler.ledger.store import DEFAULT_PATH, Ledger

__all__ = ["could_write"]

_SHORT: Final = 12


def could_write(config: Mapping[str, Any], root: Path, ledger: Ledger) -> str:
    """What was found, as a sentence. Writes nothing, and makes no file, branch or table.

    Args:
        config: The project's `spec.ledger`, as for `open_ledger`.
        root: The project's folder.
        ledger: What `open_ledger` has opened for them.

    Raises:
        LedgerError: it could not be written, and why.
        Refused: `ledger-on-network`.
    """
    return _HOMES[str(config.get("type", "sqlite"))](config, root, ledger)


def _file(config: Mapping[str, Any], root: Path, ledger: Ledger) -> str:
    path = (root / str(config.get("path") or DEFAULT_PATH)).resolve()
    refuse_network(path)
    folder = next(place for place in path.parents if place.exists())
    if not folder.is_dir():
        raise LedgerError(f"ledger {ledger.location}: {folder.name} is a file, where a folder is expected")
    for place in (folder, path):
        needed = os.W_OK | (os.X_OK if place.is_dir() else 0)
        if place.exists() and not os.access(place, needed):
            raise LedgerError(f"ledger {ledger.location}: this user may not write to {place.name or place}")
    there = "its file and its folder" if path.exists() else "its folder" if folder == path.parent else "the folder"
    return f"{there} can be written, on no network file system that we know of"


def _branch(config: Mapping[str, Any], root: Path, ledger: Ledger) -> str:
    del ledger
    name = str(config.get("branch") or DEFAULT_BRANCH)
    repository = GitRepository(root, remote=str(config.get("remote") or "origin"), branch=name)
    tip = repository.fetch()
    tried = repository.would_push(tip)
    state = f"the branch is at {tip[:_SHORT]}" if tip else "there is no such branch yet: the first apply makes it"
    push = "a push would be taken (tried with --dry-run; rules of a protected branch show only then)"
    return f"the remote answers; {state}; {push if tried else 'a push could not be tried without any commit here'}"


def _database(config: Mapping[str, Any], root: Path, ledger: Ledger) -> str:
    del config, root
    if not isinstance(ledger, PostgresqlLedger):  # pragma: no cover - the type says so
        raise LedgerError(f"ledger {ledger.location} is no database")
    return ledger.could_write()


_HOMES: Final[Mapping[str, Callable[[Mapping[str, Any], Path, Ledger], str]]] = {
    "sqlite": _file,
    "git": _branch,
    "postgresql": _database,
}
