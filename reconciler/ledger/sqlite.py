"""The SQLite home: files, damage, reading. Source: SETTLEMENT §9.

Two kinds of lock stand beside the database. `<ledger>.<owner>.lock`, exclusive, is the owner's lease. `<ledger>.lock`
is held shared by every lease and exclusively only to set an unreadable file aside, so that no run writes into a file
that was moved away from under it.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import quote

from sqlalchemy import Connection, Engine, NullPool, create_engine, event
from sqlalchemy.exc import DBAPIError

from reconciler.ledger import rows
from reconciler.ledger.errors import LedgerError, cannot_write_beside, explain, is_busy, is_damaged
from reconciler.ledger.lease import FileLock, Holder, refuse_network, take_owner_lock
from reconciler.ledger.sqlite_lease import SqliteLease
from reconciler.ledger.table_ledger import TableLedger
from reconciler.ledger.tables import migrate, schema_version

__all__ = ["SqliteLedger"]

BUSY_TIMEOUT_S: Final = 10.0
_HEADER: Final = b"SQLite format 3\x00"
_SIDE_FILES: Final = ("", "-wal", "-shm")
_T = TypeVar("_T")


class _Mode(StrEnum):
    READ = "mode=rw"
    """Not `ro`: a reader must be able to roll a killed run's write-ahead log back or forward. It makes no ledger."""
    READ_ONLY_DISK = "mode=ro&immutable=1"
    WRITE = "mode=rwc"


class _Found(StrEnum):
    MISSING = "missing"
    SOUND = "sound"
    UNREADABLE = "unreadable"


def _connect(path: Path, mode: _Mode) -> sqlite3.Connection:
    # isolation_level=None: the driver begins nothing by itself; transactions are ours, by the event below.
    connection = sqlite3.connect(
        f"{path.as_uri()}?{mode}", uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )
    try:
        if mode is _Mode.WRITE:
            connection.execute("PRAGMA journal_mode=WAL")
        # NORMAL may lose the last commits at power loss: an intent whose POST went out.
        connection.execute("PRAGMA synchronous=FULL")
    except BaseException:
        connection.close()
        raise
    return connection


def _open_engine(path: Path, mode: _Mode) -> Engine:
    engine = create_engine("sqlite://", creator=lambda: _connect(path, mode), poolclass=NullPool, hide_parameters=True)
    begin = "BEGIN IMMEDIATE" if mode is _Mode.WRITE else "BEGIN"

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


class SqliteLedger(TableLedger):
    """A `Ledger` in one file on a local disk. Reading makes no ledger: a missing one reads as empty."""

    def __init__(self, path: Path, *, root: Path, now: Callable[[], float], redact: Callable[[str], str]) -> None:
        self._path = path.resolve()
        self._root = root.resolve()
        self._notes: list[str] = []
        self._found = _Found.MISSING
        inside = self._path.is_relative_to(self._root)
        location = str(self._path.relative_to(self._root) if inside else self._path)
        super().__init__(location=location, now=now, redact=redact)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of this ledger, such as an unreadable file that was set aside."""
        return tuple(self._notes)

    def unlock(self, owner: str) -> str:
        """See `Ledger`. A lock that is held is held by a process that lives: the kernel frees it at death."""
        path = self._owner_lock_path(owner)
        if path.exists():
            take_owner_lock(path, owner, Holder.here("unlock"), wait_s=0.0).release()
        return ""

    def take_lease(self, owner: str, holder: str, *, wait_s: float = 0.0, margin_s: float = 0.0) -> SqliteLease:
        """See `Ledger`. The lock never expires while the process lives, so `margin_s` always holds."""
        del margin_s
        refuse_network(self._path)
        self._make_folder()
        here = Holder.here(holder)
        with ExitStack() as stack:
            lock = take_owner_lock(self._owner_lock_path(owner), owner, here, wait_s=wait_s)
            stack.callback(lock.release)
            house = self._lock_house()
            stack.callback(house.release)
            connection = stack.enter_context(closing(self._open_for_writing(house)))
            epoch = self._take_epoch(connection, owner, here)
            look = stack.enter_context(closing(_connect(self._path, _Mode.READ)))
            lease = SqliteLease(
                owner=owner,
                epoch=epoch,
                path=self._path,
                location=self.location,
                connection=connection,
                look=look,
                locks=(lock, house),
                redact=self._redact,
            )
            stack.pop_all()
        return lease

    def _take_epoch(self, connection: Connection, owner: str, holder: Holder) -> int:
        try:
            with connection.begin():
                return rows.take_epoch(connection, owner, holder.dump())
        except DBAPIError as error:
            raise LedgerError(f"ledger {self.location}: {explain(error)}; nothing was sent") from error

    def _side(self, ending: str) -> Path:
        return self._path.with_name(self._path.name + ending)

    def _owner_lock_path(self, owner: str) -> Path:
        # `.` is in no part of an owner's name, so that no two owners share a file.
        return self._side(f".{quote(owner.replace('/', '.'), safe='')}.lock")

    def _make_folder(self) -> None:
        folder = self._path.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
            ignore = folder / ".gitignore"
            if folder == self._root / ".reconciler" and not ignore.exists():
                ignore.write_text("*\n", encoding="utf-8")
        except OSError as error:
            raise LedgerError(f"ledger {self.location}: its folder can't be made: {explain(error)}") from error

    def _lock_house(self) -> FileLock:
        until = time.monotonic() + BUSY_TIMEOUT_S
        while True:
            house = FileLock.take(self._side(".lock"), exclusive=False)
            if house is not None:
                return house
            if time.monotonic() >= until:
                raise LedgerError(f"ledger {self.location}: another process has been setting it aside for too long")
            time.sleep(0.05)

    def _open_for_writing(self, house: FileLock) -> Connection:
        try:
            try:
                connection = self._connect_sound()
            except DBAPIError as error:
                if not is_damaged(error):
                    raise
                connection = self._replace_unreadable(house, explain(error))
        except DBAPIError as error:
            raise LedgerError(f"ledger {self.location}: {explain(error)}; nothing was sent") from error
        self._found = _Found.SOUND
        return connection

    def _connect_sound(self) -> Connection:
        """A connection to a checked database of this release's version; made if it is missing."""
        until = time.monotonic() + BUSY_TIMEOUT_S
        while True:
            try:
                connection = _open_engine(self._path, _Mode.WRITE).connect()
            except DBAPIError as error:
                # Two runs that make the file at the same moment: SQLite's own waiting does not cover the switch to WAL.
                if not is_busy(error) or time.monotonic() >= until:
                    raise
                time.sleep(0.05)
                continue
            try:
                with connection.begin():
                    _check(connection)
                    migrate(connection, self.location)
            except BaseException:
                connection.close()
                raise
            return connection

    def _replace_unreadable(self, house: FileLock, reason: str) -> Connection:
        if not self._may_set_aside():
            raise LedgerError(
                f"ledger {self.location}: {reason}; it lies outside the project and does not look like a ledger, so it "
                "stays where it is: name another path",
                code="ledger-foreign",
            )
        if not house.convert(exclusive=True):
            raise LedgerError(
                f"ledger {self.location}: {reason}, and another run has it open: run again when that one has ended",
                code="ledger-damaged",
            )
        try:
            connection = self._connect_sound()  # somebody else may have set it aside in the meantime
        except DBAPIError as error:
            if not is_damaged(error):
                raise
            self._set_aside(reason)
            connection = self._connect_sound()
        if not house.convert(exclusive=False):
            connection.close()
            raise LedgerError(f"ledger {self.location}: another run came first; run again", code="ledger-damaged")
        return connection

    def _may_set_aside(self) -> bool:
        # A spec names the path, and a spec may come from a stranger: it must not move files about outside the project.
        if self._path.is_relative_to(self._root):
            return True
        try:
            with self._path.open("rb") as file:
                return file.read(len(_HEADER)) == _HEADER
        except OSError:
            return False

    def _set_aside(self, reason: str) -> None:
        number = 1
        while self._side(f".unreadable-{number}").exists():
            number += 1
        try:
            for ending in _SIDE_FILES:
                if self._side(ending).exists():
                    self._side(ending).rename(self._side(f".unreadable-{number}{ending}"))
        except OSError as error:
            raise LedgerError(f"ledger {self.location}: {reason}, and can't be set aside: {explain(error)}") from error
        self._notes.append(
            f"ledger {self.location}: {reason}; set aside as {self._path.name}.unreadable-{number}, "
            "going on with an empty one"
        )

    def _read(self, owner: str, query: Callable[[Connection], _T], empty: _T) -> _T:
        del owner
        try:
            if self._found is not _Found.SOUND:
                self._found = self._look()
            return self._query(query, empty) if self._found is _Found.SOUND else empty
        except DBAPIError as error:
            code = "ledger-damaged" if is_damaged(error) else "ledger-failed"
            raise LedgerError(f"ledger {self.location} can't be read: {explain(error)}", code=code) from error
        except OSError as error:
            raise LedgerError(f"ledger {self.location} can't be read: {explain(error)}") from error

    def _look(self) -> _Found:
        """Whether there is a ledger that can be read: decided once, so that one command never sees half of it."""
        if self._found is _Found.UNREADABLE:
            return self._found
        if not self._path.is_file():
            if self._path.exists():
                raise LedgerError(f"ledger {self.location} is not a file", code="ledger-foreign")
            return _Found.MISSING
        try:
            self._query(_check, None)
        except DBAPIError as error:
            if not is_damaged(error):
                raise
            self._notes.append(f"ledger {self.location}: {explain(error)}; read as empty, the next apply sets it aside")
            return _Found.UNREADABLE
        return _Found.SOUND

    def _query(self, query: Callable[[Connection], _T], empty: _T) -> _T:
        try:
            return self._query_in(_Mode.READ, query, empty)
        except DBAPIError as error:
            # On a disk or in a folder that can't be written, SQLite can't make the two files that WAL wants beside it.
            wal = self._side("-wal")
            if cannot_write_beside(error) and self._path.exists() and not (wal.exists() and wal.stat().st_size):
                return self._query_in(_Mode.READ_ONLY_DISK, query, empty)
            raise

    def _query_in(self, mode: _Mode, query: Callable[[Connection], _T], empty: _T) -> _T:
        with _open_engine(self._path, mode).connect() as connection, connection.begin():
            return query(connection) if schema_version(connection, self.location) else empty


def _check(connection: Connection) -> None:
    """Read the whole file once.

    Raises:
        DBAPIError: damaged, with SQLite's code for it.
    """
    verdict = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    if verdict != "ok":
        damage = sqlite3.DatabaseError(str(verdict))
        damage.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise DBAPIError("PRAGMA quick_check", None, damage)
