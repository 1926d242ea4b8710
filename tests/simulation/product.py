"""The product on simulated time: what of the standard library it sees, its command line as a task, its ledger's homes.

Nothing of the product is changed but what it stands on: clocks, threads, randomness, sockets, `git`.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import random
import secrets
import shutil
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from time import gmtime, struct_time
from types import ModuleType
from typing import Any

import httpx
import tenacity.wait

import reconciler
import reconciler.providers.http as http_module
from reconciler.cli import main as main_module
from reconciler.cli.main import COMMANDS, module_of
from reconciler.cli.output import Printer
from reconciler.emulator import store as emulator_store
from reconciler.ledger import git as git_module
from reconciler.ledger import git_lease, sqlite, sqlite_lease
from reconciler.ledger.errors import LedgerError
from reconciler.spec import Spec
from tests.simulation.branch import Branch, Repository
from tests.simulation.network import Network
from tests.simulation.sched import Crash, Process, Scheduler
from tests.simulation.server import pack, unpack
from tests.simulation.standins import InlinePool, Threads

__all__ = ["Product"]

for _name in COMMANDS:
    module_of(_name)
# A module that a command imports late must have its stand-ins, too.
for _found in pkgutil.walk_packages(reconciler.__path__, "reconciler."):
    if not _found.name.endswith("__main__"):
        importlib.import_module(_found.name)


class _Time:
    """`time`, as whoever has the turn sees it."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self.strftime = time.strftime

    def time(self) -> float:
        process = self._scheduler.process
        return self._scheduler.now + (process.skew_s if process is not None else 0.0)

    def monotonic(self) -> float:
        process = self._scheduler.process
        return self._scheduler.now - (process.suspended_s if process is not None else 0.0)

    def sleep(self, seconds: float) -> None:
        self._scheduler.pause(seconds)

    def gmtime(self, seconds: float | None = None) -> struct_time:
        return gmtime(self.time() if seconds is None else seconds)


class _Secrets:
    """`secrets`, by the seed."""

    def __init__(self, rng: random.Random) -> None:
        self.choice = rng.choice
        self.token_bytes = rng.randbytes
        self._rng = rng

    def token_hex(self, count: int) -> str:
        return self._rng.randbytes(count).hex()


class _Uuid:
    """`uuid`, by the seed."""

    UUID = uuid.UUID

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def uuid4(self) -> uuid.UUID:
        return uuid.UUID(int=self._rng.getrandbits(128), version=4)

    def uuid1(self, **_: int) -> uuid.UUID:
        return uuid.UUID(int=self._rng.getrandbits(128), version=1)


class _Clock:
    """In place of `cli.session.SystemClock`."""

    scheduler: Scheduler

    def __init__(self, stop: object) -> None:
        del stop

    def now(self) -> float:
        process = self.scheduler.process
        return self.scheduler.now + (process.skew_s if process is not None else 0.0)

    def sleep(self, seconds: float) -> None:
        process = self.scheduler.process
        if process is not None:
            process.boundary("read")
        self.scheduler.pause(seconds)


class _Stream:
    """Standard output or error: what is written goes to whoever has the turn."""

    encoding = "utf-8"

    def __init__(self, scheduler: Scheduler, name: str) -> None:
        self._scheduler = scheduler
        self._name = name
        self.buffer = self

    def isatty(self) -> bool:
        return False

    def flush(self) -> None:
        """Nothing is held back."""

    def write(self, data: bytes | str) -> int:
        process = self._scheduler.process
        raw = data.encode() if isinstance(data, str) else data
        if process is not None:
            (process.out if self._name == "out" else process.err).extend(raw)
        return len(data)


class _NoConnections:
    """In place of `httpx.Client`: there is no socket."""

    def __init__(self, **_: object) -> None:
        pass

    def close(self) -> None:
        pass


class Product:
    """The command line in a project folder of its own, on one scheduler's time.

    Args:
        scheduler: Time and turns.
        network: Where requests go.
        rng: Randomness of the product.
        root: An empty folder; it is removed in the end.
        environ: The environment of every process.
    """

    def __init__(
        self, *, scheduler: Scheduler, network: Network, rng: random.Random, root: Path, environ: dict[str, str]
    ) -> None:
        self.scheduler = scheduler
        self.root = root
        self.environ = environ
        self.branch = Branch()
        self.all_output = bytearray()
        self._network = network
        self._rng = rng
        self._undo: list[Callable[[], None]] = []

    # -- what it stands on ------------------------------------------------------------------------------------------

    def install(self) -> None:
        """Put the stand-ins in place; none is left where one of them has no place any more."""
        try:
            self._install()
        except BaseException:
            self.remove()
            raise

    def _install(self) -> None:
        threads, clock = Threads(self.scheduler), _Time(self.scheduler)
        stand_ins = {
            id(time): clock,
            id(secrets): _Secrets(self._rng),
            id(uuid): _Uuid(self._rng),
            id(random): self._rng,
            id(threading): threads.inline,
        }
        for module in _product_modules():
            for name, value in list(vars(module).items()):
                if isinstance(value, ModuleType) and id(value) in stand_ins:
                    self.put(module, name, stand_ins[id(value)])
                elif name == "ThreadPoolExecutor":
                    pool = threads.pool if module.__name__ == "reconciler.apply.run" else InlinePool
                    self.put(module, name, pool)
        self.put(sys.modules["reconciler.apply.run"], "wait", threads.wait)
        self.put(git_lease, "threading", threads.daemons)
        self.put(tenacity.wait, "random", self._rng)
        session = sys.modules["reconciler.cli.session"]
        self.put(session, "SystemClock", type("Clock", (_Clock,), {"scheduler": self.scheduler}))
        self.put(session, "revision_of", lambda _root: "")
        for name in ("options", "ledger"):
            self.put(sys.modules[f"reconciler.cli.{name}"], "load_spec", lambda _where: self._spec())
        self.put(sys.modules["reconciler.cli.carry"], "stopping", _no_signals)
        self.put(http_module, "_exchange", self._network.exchange)
        self.put(httpx, "Client", _NoConnections)
        self.put(httpx, "URL", _parsed_once)
        self.put(emulator_store, "_pack", pack)
        self.put(emulator_store, "_unpack", unpack)
        # By its arguments alone; a connection is still made for each use.
        self.put(sqlite, "_open_engine", lru_cache(maxsize=None)(sqlite._open_engine))  # noqa: SLF001
        self.put(sqlite, "refuse_network", lambda _path: None)
        self.put(git_module, "GitRepository", lambda *_args, **_kw: Repository(self.branch))
        self.put(sqlite_lease.SqliteLease, "_transaction", _mortal(self._network, sqlite_lease.SqliteLease))
        self.put(sqlite_lease.SqliteLease, "check", _mortal_check(self._network, sqlite_lease.SqliteLease))
        self.put(git_lease.GitLease, "_transaction", _mortal(self._network, git_lease.GitLease))
        self.put(git_lease.GitLease, "release", _no_last_words(self.scheduler, git_lease.GitLease.release))
        store = sys.modules["reconciler.ledger.store"]
        defaults = dict(store.open_ledger.__kwdefaults__)
        self.put(store.open_ledger, "__kwdefaults__", defaults | {"now": clock.time})
        self.put(sys, "stdout", _Stream(self.scheduler, "out"))
        self.put(sys, "stderr", _Stream(self.scheduler, "err"))
        self.put(sys, "argv", sys.argv)
        before = dict(os.environ)
        self._undo.append(lambda: _set_environment(before))
        _set_environment(self.environ)

    @staticmethod
    def set_env(name: str, value: str) -> None:
        """Set a variable for the processes to come; `remove` takes it away again."""
        os.environ[name] = value

    def put(self, place: Any, name: str, value: Any) -> None:
        """Put something into a module or class until `remove`."""
        before = getattr(place, name)
        setattr(place, name, value)
        self._undo.append(lambda: setattr(place, name, before))

    def remove(self) -> None:
        """Put everything back."""
        while self._undo:
            self._undo.pop()()
        shutil.rmtree(self.root, ignore_errors=True)

    def _spec(self) -> Spec:
        process = self.scheduler.process
        assert process is not None
        spec: Spec = process.facts["spec"]
        return spec

    # -- the command line -------------------------------------------------------------------------------------------

    def start(self, process: Process, spec: Spec, *args: str) -> Any:
        """Begin `reconciler ARGS` as a process; its task."""
        process.args = args
        process.facts["spec"] = spec
        process.now = lambda: self.scheduler.now
        process.wait = self.scheduler.pause
        return self.scheduler.spawn(process, lambda: self._main(process))

    def finish(self, process: Process, task: Any) -> None:
        """Let it come to its end."""
        self.scheduler.finish(process, task)
        self.all_output += process.out + process.err
        if task.error is not None and not isinstance(task.error, Crash):
            raise task.error

    def run(self, process: Process, spec: Spec, *args: str) -> int | None:
        """`reconciler ARGS`, to its end; its exit code, `None` if it died."""
        self.finish(process, self.start(process, spec, *args))
        return process.code

    def _main(self, process: Process) -> None:
        sys.argv = ["reconciler", *process.args, "-C", str(self.root)]
        printer = Printer()
        try:
            process.code = int(main_module._run(printer))  # noqa: SLF001 - `main` without its `sys.exit`
        except Exception as error:  # noqa: BLE001 - as `main` does it
            printer.note(main_module._bug(error, printer))  # noqa: SLF001
            process.facts["bug"] = error
            process.code = 1

    # -- the ledger -------------------------------------------------------------------------------------------------

    def lose_ledger(self) -> None:
        """What a fresh runner has: nothing."""
        for path in (self.root / ".reconciler").glob("ledger.db*"):
            path.unlink()
        self.branch.tip = ""

    def ledger_bytes(self) -> bytes:
        """All that the ledger ever wrote and still has."""
        folder = self.root / ".reconciler"
        files = sorted(folder.glob("ledger.db*")) if folder.is_dir() else []
        return b"".join(path.read_bytes() for path in files) + "".join(self.branch.blobs.values()).encode()


_parsed_once = lru_cache(maxsize=4096)(httpx.URL)
"""Addresses are immutable, and a run asks the same ones again and again."""


@lru_cache(maxsize=1)
def _product_modules() -> tuple[ModuleType, ...]:
    return tuple(module for name, module in sorted(sys.modules.items()) if name.startswith("reconciler."))


def _set_environment(values: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(values)


@contextmanager
def _no_signals(*_: object) -> Iterator[None]:
    yield


def _mortal(network: Network, home: type) -> Any:
    """A process may die right before and right after each of its ledger's transactions, and the dead write nothing.

    Or the disk is full, or the remote hangs up.
    """
    scheduler = network.scheduler
    before: Any = home._transaction  # type: ignore[attr-defined]  # noqa: SLF001

    @contextmanager
    def transaction(self: Any, what: str, *, fenced: bool) -> Iterator[Any]:
        process = scheduler.process
        assert process is not None
        process.boundary(f"before noting {what}")
        if network.spoil_note():
            network.say(f"    ~ not noted: {what}")
            raise LedgerError(f"ledger: database or disk is full: {what} was not recorded")
        with before(self, what, fenced=fenced) as connection:
            yield connection
        process.boundary(f"after noting {what}")

    return transaction


def _mortal_check(network: Network, home: type) -> Callable[[Any], None]:
    """The same for the look at the lease that comes right before a send."""
    before: Callable[[Any], None] = home.check  # type: ignore[attr-defined]

    @contextmanager
    def look(self: Any, what: str, *, fenced: bool) -> Iterator[None]:
        del what, fenced
        before(self)
        yield

    class Looked:
        _transaction = look

    mortal = _mortal(network, Looked)

    def check(self: Any) -> None:
        with mortal(self, "the lease", fenced=True):
            pass

    return check


def _no_last_words(scheduler: Scheduler, release: Callable[[Any], None]) -> Callable[[Any], None]:
    """A dead process does not give its lease back."""

    def released(self: Any) -> None:
        process = scheduler.process
        if process is None or not process.dead:
            release(self)

    return released
