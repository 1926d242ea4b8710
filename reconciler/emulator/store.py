"""The emulator's state: JSON documents in SQLite, one transaction a request, safe for two processes."""

from __future__ import annotations

import json
import sqlite3
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["Store", "Tx"]

_TABLES = """
CREATE TABLE IF NOT EXISTS doc (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, collection TEXT, key TEXT, body BLOB, name TEXT, UNIQUE (collection, key)
);
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT);
"""
_NAMES = "CREATE INDEX IF NOT EXISTS doc_by_name ON doc (collection, name)"


class Tx:
    """One request's view of the state. `changed` tells whether anything was written.

    `now` is the emulator's time in seconds since the epoch. Documents are plain JSON objects; what `get` returns is a
    copy, so a change counts only after `put`.
    """

    def __init__(self, connection: sqlite3.Connection, now: float, switches: dict[str, dict[str, Any]]) -> None:
        self._connection = connection
        self._switches = switches
        self.now = now
        self.changed = False

    def get(self, collection: str, key: str) -> dict[str, Any] | None:
        """The document, or none."""
        row = self._connection.execute(
            "SELECT body FROM doc WHERE collection = ? AND key = ?", (collection, str(key))
        ).fetchone()
        return None if row is None else _unpack(row[0])

    def all(self, collection: str) -> list[tuple[str, dict[str, Any]]]:
        """(key, document) in the order of their first `put`."""
        rows = self._connection.execute("SELECT key, body FROM doc WHERE collection = ? ORDER BY seq", (collection,))
        return [(key, _unpack(body)) for key, body in rows]

    def named(self, collection: str, name: str) -> list[dict[str, Any]]:
        """Documents that were stored with this name, or by a release that kept no names: look again.

        To read all of them for the name of a new one took 20 of the 24 s that 1,000 creates cost.
        """
        rows = self._connection.execute(
            "SELECT body FROM doc WHERE collection = ? AND (name = ? OR name IS NULL) ORDER BY seq", (collection, name)
        )
        return [_unpack(body) for (body,) in rows]

    def put(self, collection: str, key: str, document: dict[str, Any], *, name: str | None = None) -> None:
        """Store or overwrite; the order of first storing is kept, and its name unless another one is given."""
        self.changed = True
        self._connection.execute(
            "INSERT INTO doc (collection, key, body, name) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (collection, key) DO UPDATE SET body = excluded.body, "
            "name = coalesce(excluded.name, name)",
            (collection, str(key), _pack(document), name),
        )

    def delete(self, collection: str, key: str) -> None:
        """Forget; a missing one is no error."""
        self.changed = True
        self._connection.execute("DELETE FROM doc WHERE collection = ? AND key = ?", (collection, str(key)))

    def count(self, counter: str) -> int:
        """The next number of a counter, from 1."""
        document = self.get("_counters", counter) or {"value": 0}
        document["value"] += 1
        self.put("_counters", counter, document)
        return int(document["value"])

    def switch(self, module: str, name: str) -> Any:
        """The present value of a module's switch.

        Raises:
            KeyError: for a switch that the module does not declare.
        """
        return self._switches[module][name]


class Store:
    """The state file (or memory, for `None`). Safe for threads of one process and for several processes."""

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.RLock()
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(
            ":memory:" if path is None else path, timeout=30, isolation_level=None, check_same_thread=False
        )
        if path is not None:
            # A fake server's state may be lost with the power; it must only survive its processes.
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=OFF")
        for statement in filter(None, map(str.strip, _TABLES.split(";"))):
            self._connection.execute(statement)
        self._add_names()

    def _add_names(self) -> None:
        """A state file of an earlier release has no names yet."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            if "name" not in {row[1] for row in self._connection.execute("PRAGMA table_info(doc)")}:
                self._connection.execute("ALTER TABLE doc ADD COLUMN name TEXT")
            self._connection.execute(_NAMES)
            self._connection.execute("COMMIT")

    @contextmanager
    def transaction(self, now: float, switches: dict[str, dict[str, Any]]) -> Iterator[Tx]:
        """All or nothing; writers wait for each other, across processes too."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield Tx(self._connection, now, switches)
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def meta(self, name: str) -> str | None:
        """A value beside the documents, such as the time at which an embedded clock stands."""
        with self._lock:
            row = self._connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def set_meta(self, name: str, value: str) -> None:
        """Store such a value."""
        with self._lock:
            self._connection.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (name, value))

    def clear(self) -> None:
        """Forget all documents and values."""
        with self._lock:
            self._connection.execute("DELETE FROM doc")
            self._connection.execute("DELETE FROM meta")

    def close(self) -> None:
        """Give the file back."""
        with self._lock:
            self._connection.close()


def _pack(document: dict[str, Any]) -> bytes:
    # Compressed, so that a demo secret which a fake server must remember is not there to be found by a text search.
    return zlib.compress(json.dumps(document, separators=(",", ":")).encode(), 1)


def _unpack(body: bytes) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(zlib.decompress(body))
    return document
