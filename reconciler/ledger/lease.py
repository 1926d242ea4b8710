"""The lease of the SQLite home: an OS lock on a side file, held as long as the run lives.

The kernel frees it at death and keeps it while a process is stopped, so that taking over on one machine is immediate
and exact. Source: SETTLEMENT §8. The side file is never removed: who locks a removed file locks nothing.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

from reconciler.ledger.errors import LedgerError, explain
from reconciler.problems import Problem, Refused

__all__ = ["FileLock", "Holder", "network_file_system", "refuse_network", "take_owner_lock"]

_POLL_S: Final = 0.1
_NETWORK: Final = frozenset(
    "afs beegfs ceph cifs fuse.glusterfs fuse.sshfs glusterfs gpfs lustre ncpfs nfs nfs4 ocfs2 smb2 smb3 smbfs".split()  # noqa: SIM905 - reads as the list that it is
)
"""File systems whose locks and write-ahead logs can't be relied upon between machines. Source: SETTLEMENT §9."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds a lease; `started` in seconds since the epoch, `what` a run's address or any other name."""

    what: str
    host: str
    pid: int
    started: float

    @classmethod
    def here(cls, what: str) -> Holder:
        """This process, from now on."""
        return cls(what=what, host=socket.gethostname(), pid=os.getpid(), started=time.time())

    @classmethod
    def parse(cls, text: str) -> Holder | None:
        """Read what `dump` wrote; `None` when it is not there (yet)."""
        try:
            data = json.loads(text)
            return cls(
                what=str(data["what"]), host=str(data["host"]), pid=int(data["pid"]), started=float(data["started"])
            )
        except (ValueError, KeyError, TypeError):
            return None

    def dump(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self), sort_keys=True)

    def __str__(self) -> str:
        since = datetime.fromtimestamp(self.started, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        what = f"{self.what}, " if self.what else ""
        return f"{what}process {self.pid} on {self.host}, since {since}"


class FileLock:
    """A `flock` on one file, shared or exclusive, until `release` or the death of the process."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    @classmethod
    def take(cls, path: Path, *, exclusive: bool) -> Self | None:
        """Lock the file (made if need be), or `None` when somebody else holds it.

        Raises:
            LedgerError: when the file can't be made or its file system knows no locks.
        """
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise LedgerError(f"lock file {path}: {explain(error)}") from error
        lock = cls(path, descriptor)
        if lock.convert(exclusive=exclusive):
            return lock
        lock.release()
        return None

    def convert(self, *, exclusive: bool) -> bool:
        """Make it exclusive or shared without waiting; False, and nothing held, when somebody is in the way."""
        try:
            fcntl.flock(self._descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            self.release()
            raise LedgerError(f"lock file {self.path}: can't be locked here: {explain(error)}") from error
        return True

    def is_intact(self) -> bool:
        """Whether the locked file is still the one at its path: otherwise a second run could lock a new one."""
        return self._descriptor >= 0 and is_same_file(self.path, os.fstat(self._descriptor))

    def write(self, text: str) -> None:
        """Replace the file's content."""
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, text.encode(), 0)

    def read(self) -> str:
        """The file's content, as whoever holds it wrote it."""
        return self.path.read_text(encoding="utf-8", errors="replace")

    def release(self) -> None:
        """Give it back; a second time does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def is_same_file(path: Path, status: os.stat_result) -> bool:
    """Whether the file at this path is the one that `status` was taken from."""
    try:
        return os.path.samestat(path.stat(), status)
    except OSError:
        return False


def take_owner_lock(path: Path, owner: str, holder: Holder, *, wait_s: float) -> FileLock:
    """The exclusive lock of one owner, with the holder's name written into it.

    Raises:
        Refused: `lease-held`, naming the holder, when it did not become free within `wait_s` seconds.
        LedgerError: when the file can't be made or locked.
    """
    until = time.monotonic() + wait_s
    while True:
        lock = FileLock.take(path, exclusive=True)
        if lock is not None and lock.is_intact():
            break
        if lock is not None:  # removed between opening and locking: what we hold is no longer at its path
            lock.release()
        elif time.monotonic() >= until:
            raise Refused([_held(path, owner)])
        time.sleep(_POLL_S)
    try:
        lock.write(holder.dump() + "\n")
    except OSError as error:
        lock.release()
        raise LedgerError(f"lock file {path}: {explain(error)}") from error
    return lock


def _held(path: Path, owner: str) -> Problem:
    try:
        holder = Holder.parse(path.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        holder = None
    return Problem(
        code="lease-held",
        wrong=f"another run works on {owner}: {holder or 'it has only just started'}",
        expected="one run at a time; wait for it to end, or ride it out with --lease-wait",
    )


def refuse_network(path: Path) -> None:
    """Make sure that the ledger's file system keeps locks.

    Raises:
        Refused: `ledger-on-network`.
    """
    try:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:  # no such list on this system: nothing to go by
        return
    kind = network_file_system(path, mounts)
    if kind:
        raise Refused(
            [
                Problem(
                    code="ledger-on-network",
                    wrong=f"the ledger {path} is on a network file system ({kind})",
                    expected="a local disk, where locks hold; spec.ledger.path names another place",
                )
            ]
        )


def network_file_system(path: Path, mounts: str) -> str:
    """The type of the network file system that holds `path`, or empty. `mounts`: text of `/proc/self/mountinfo`."""
    best, found = -1, ""
    for line in mounts.splitlines():
        left, separator, right = line.partition(" - ")
        columns = left.split()
        mount_point_column = 4
        if not separator or not right or len(columns) <= mount_point_column:
            continue
        place = Path(columns[mount_point_column].replace("\\040", " "))
        # The last of equal mount points lies on top.
        if path.is_relative_to(place) and len(place.parts) >= best:
            best, found = len(place.parts), right.split()[0]
    return found if found in _NETWORK else ""
