"""The emulator in this process, without a socket: its own log and state are what everything is judged by."""

from __future__ import annotations

import marshal
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.routing import compile_path

from reconciler.emulator.server import Emulator
from reconciler.emulator.wire import Module, Request, Route
from tests.simulation.sched import Scheduler

__all__ = ["BASE", "Answer", "Sent", "SimEmulator", "pack", "unpack"]

BASE: Final = "http://127.0.0.1:9"


def pack(document: dict[str, Any]) -> bytes:
    """The emulator's stored form, without the compression that only a file needs."""
    return marshal.dumps(document)


def unpack(body: bytes) -> dict[str, Any]:
    """What `pack` made, as a copy of its own."""
    document: dict[str, Any] = marshal.loads(body)  # noqa: S302 - made by `pack`, in this process
    return document


class _Clock:
    """The scheduler's time as the emulator's clock."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    def now(self) -> float:
        return self._scheduler.now

    def advance(self, seconds: float) -> float:
        self._scheduler.now += max(0.0, seconds)
        return self._scheduler.now


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, body and headers (names in lower case) of a reply."""

    status: int
    body: bytes
    headers: Mapping[str, str]


@dataclass(slots=True)
class Sent:
    """One request as it reached the emulator, and who sent it."""

    at_s: float
    by: str
    method: str
    path: str
    module: str
    entry: Mapping[str, Any] = field(repr=False)
    late: bool = False

    @property
    def is_write(self) -> bool:
        """Neither a read nor a log-in."""
        return self.method != "GET" and "token" not in self.path

    @property
    def committed(self) -> bool:
        return bool(self.entry["committed"])


@dataclass(frozen=True, slots=True)
class _Known:
    prefix: str
    method: str
    pattern: re.Pattern[str]
    module: Module
    route: Route


class SimEmulator(Emulator):
    """An emulator on the scheduler's time."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        super().__init__(None)
        self.clock = _Clock(scheduler)  # type: ignore[assignment]
        self.sent: list[Sent] = []
        self.on_commit: Callable[[Sent], None] = lambda _sent: None
        self._table = [
            _Known(prefix, route.method, compile_path(route.path)[0], module, route)
            for module in self.modules
            for prefix, routes in module.mounts().items()
            for route in routes
        ]

    def _start(self) -> None:
        self.clock = _Clock(self._scheduler)  # type: ignore[assignment]
        with self.transaction() as tx:
            for module in self.modules:
                module.seed(tx)

    def _keep_time(self) -> None:
        """Nothing outlives this process."""

    def now(self) -> float:
        return self._scheduler.now

    def handle(
        self,
        by: str,
        method: str,
        address: str,
        *,
        headers: Mapping[str, str],
        content: bytes = b"",
        late: bool = False,
    ) -> Answer:
        """One request, done here and now."""
        rest, _, query = address.removeprefix(BASE).partition("?")
        known, path, params = self._find(method, rest)
        request = Request(
            method=method,
            path=path,
            params=params,
            query=tuple(parse_qsl(query, keep_blank_values=True)),
            headers={key.lower(): value for key, value in headers.items()},
            body=b"",
            base_url=BASE,
        )
        told: list[Mapping[str, Any]] = []

        async def read() -> bytes:
            return content

        async def send(message: Mapping[str, Any]) -> None:
            told.append(message)

        talk = self.answer(known.module, request, known.route, read=read, send=send, scope={})
        try:
            talk.send(None)
        except StopIteration:
            pass
        else:
            raise AssertionError("the emulator waits for something")
        sent = Sent(self._scheduler.now, by, method, path, known.module.name, self.requests[-1], late)
        self.sent.append(sent)
        if sent.committed and sent.is_write:
            self.on_commit(sent)
        start, *parts = told
        named = {key.decode(): value.decode() for key, value in start["headers"]}
        return Answer(int(start["status"]), b"".join(part["body"] for part in parts), named)

    def _find(self, method: str, rest: str) -> tuple[_Known, str, dict[str, str]]:
        first: _Known | None = None
        for known in self._table:
            if not rest.startswith(known.prefix):
                continue
            first = first or known
            if known.method == method:
                path = rest[len(known.prefix) :]
                match = known.pattern.match(path)
                if match is not None:
                    return known, path, match.groupdict()
        raise AssertionError(f"no route {method} {rest}")
