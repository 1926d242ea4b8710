"""The emulator as one ASGI application under uvicorn: routes of all modules, faults, request log, control routes.

`Server` runs it in a daemon thread on 127.0.0.1 (embedded) or for the life of a command (served).
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import parse_qsl

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.routing import Mount as HttpMount
from starlette.routing import Route as HttpRoute
from starlette.routing import compile_path
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from reconciler.emulator.clock import VirtualClock
from reconciler.emulator.faults import Fault, Faults, Wish
from reconciler.emulator.registry import modules
from reconciler.emulator.store import Store, Tx
from reconciler.emulator.wire import Module, Request, Response, Route

__all__ = ["Emulator", "Server", "modules"]

_LOG_LIMIT: Final = 200_000

Read = Callable[[], Awaitable[bytes]]
"""Reads the body of a request."""


class Emulator:
    """State, clock, faults and log of all modules, and the application that serves them.

    Args:
        state: State file, or `None` for memory.
        speed: Emulated seconds per second of the wall clock; 0 stands still.
        open_to_all: Accept any credentials and project ids (embedded).
    """

    def __init__(self, state: Path | None = None, *, speed: float = 0.0, open_to_all: bool = False) -> None:
        self.modules = modules()
        self.faults = Faults()
        self.requests: list[dict[str, Any]] = []
        self._store = Store(state)
        self._speed = speed
        self._switches = {module.name: dict(module.switches) for module in self.modules}
        for module in self.modules if open_to_all else ():
            module.open_to_all()
        self._start()

    def _start(self) -> None:
        stored = self._store.meta("now")
        self.clock = VirtualClock(float(stored) if stored else time.time(), self._speed)
        with self.transaction() as tx:
            seeded = tx.get("_emulator", "seeded") or {}
            for module in self.modules:
                # A state file may be older than a module. One with "at" names none: it has those of its time.
                if not seeded.keys() & {module.name, "at"}:
                    module.seed(tx)
                    tx.put("_emulator", "seeded", seeded := {**seeded, module.name: self.clock.now()})
        self._keep_time()

    def _keep_time(self) -> None:
        self._store.set_meta("now", repr(self.now()))

    def transaction(self) -> contextlib.AbstractContextManager[Tx]:
        """The state, for one request."""
        return self._store.transaction(self.now(), self._switches)

    def advance(self, seconds: float) -> float:
        """Let emulated time pass at once; the state file remembers where an embedded clock stands."""
        self.now()
        now = self.clock.advance(seconds)
        self._keep_time()
        return now

    def now(self) -> float:
        """The emulator's present: with `sleep`, a clock for whoever waits for what it serves.

        Another process on the same state file may have moved the time on: it never goes back.
        """
        now, stored = self.clock.now(), float(self._store.meta("now") or 0)
        return now if now >= stored else self.clock.advance(stored - now)

    def sleep(self, seconds: float) -> None:
        """Wait without waiting."""
        self.advance(seconds)

    def close(self) -> None:
        """Remember the time and give the state file back."""
        self._keep_time()
        self._store.close()

    # -- control --------------------------------------------------------------------------------------------------

    def set_switches(self, wanted: Mapping[str, Mapping[str, Any]]) -> None:
        """Set switches by module.

        Raises:
            ValueError: for an unknown module or switch, or a value that a switch does not take; nothing is set then.
        """
        for module in wanted:
            if module not in self._switches:
                raise ValueError(f"unknown module {module!r}; known are {sorted(self._switches)}")
        tables = {module.name: module.switches for module in self.modules}
        checked = {}
        for module, values in wanted.items():
            try:
                checked[module] = tables[module].check(values)
            except ValueError as error:
                raise ValueError(f"{module}: {error}") from None
        for module, values in checked.items():
            self._switches[module].update(values)

    def reset(self) -> None:
        """As new: seeded state, no faults, default switches, empty log."""
        self._store.clear()
        self.faults.replace([])
        self.requests.clear()
        for module in self.modules:
            self._switches[module.name] = dict(module.switches)
        self._start()

    def state(self) -> dict[str, list[dict[str, Any]]]:
        """Module name → its live objects, as `GET /_emulator/state` gives them."""
        with self.transaction() as tx:
            return {module.name: module.state(tx) for module in self.modules if module.name != "modelarts"}

    def connection(self, base_url: str) -> dict[str, Any]:
        """The first line of `reconciler emulator` (DESIGN §9)."""
        line: dict[str, Any] = {"url": base_url}
        for module in self.modules:
            part = dict(module.connection(base_url))
            if part:
                line.setdefault(module.name.partition("-")[0], {}).update(part)
        return line

    # -- application ----------------------------------------------------------------------------------------------

    def application(self) -> ASGIApp:
        """The ASGI application."""
        # Several modules may share a prefix (the ModelArts APIs have one address): one mount serves them all, in order.
        mounts: dict[str, list[HttpRoute]] = {}
        first: dict[str, Module] = {}
        for module in self.modules:
            for prefix, table in module.mounts().items():
                first.setdefault(prefix, module)
                endpoints = [_Endpoint(self, module, prefix, route) for route in table]
                mounts.setdefault(prefix, []).extend(
                    HttpRoute(endpoint.route.path, cast("Any", endpoint), methods=[endpoint.route.method])
                    for endpoint in endpoints
                )
        routes: list[HttpMount | HttpRoute] = []
        for prefix, inner in mounts.items():
            missing = _Endpoint(self, first[prefix], prefix, Route("", "", _no_route(first[prefix])))
            inner.append(HttpRoute("/{rest:path}", cast("Any", missing), methods=None))
            routes.append(HttpMount(prefix, app=_FirstMatch(inner)))
        control = _Control(self)
        routes.append(HttpRoute("/_emulator/{what}", cast("Any", control)))
        return Starlette(routes=routes)

    async def answer(
        self, module: Module, request: Request, route: Route, *, read: Read, send: Send, scope: Scope
    ) -> None:
        """One vendor request: log, fault, transaction, reply. `request` comes without its body, which `read` gives."""
        entry: dict[str, Any] = {
            "number": len(self.requests) + 1,
            "provider": module.name,
            "method": request.method,
            "path": request.path,
            "query": _query_object(request.query),
            "body": None,
            "status": None,
            "committed": False,
        }
        if len(self.requests) < _LOG_LIMIT:
            self.requests.append(entry)
        fault = self.faults.take(module.name, request.method, request.path)
        moment = fault.when if fault is not None else ""
        if fault is not None and moment == "before" and fault.drop:
            await asyncio.sleep(fault.delay_s)
            _Protocol.abort(scope)
            return
        request = dataclasses.replace(request, body=await read())
        entry["body"] = _readable(request.body)
        if fault is not None and moment == "before" and await self._hits(module, fault, entry, send, scope):
            return
        with self.transaction() as tx:
            response = route.handler(tx, request)
            changed = tx.changed
        entry["committed"] = changed
        if changed:
            self._keep_time()  # a killed process must not leave objects from the future behind
        if fault is not None and moment == "after-commit" and await self._hits(module, fault, entry, send, scope):
            return
        if fault is not None and moment == "between-pages":
            entry["meanwhile"] = self._let_others(module, fault, request)
        entry["status"] = response.status
        await _send(response, send, scope, cut=moment == "mid-body")

    async def _hits(self, module: Module, fault: Fault, entry: dict[str, Any], send: Send, scope: Scope) -> bool:
        """Wait as the fault says; whether it answered in the API's place."""
        await asyncio.sleep(fault.delay_s)
        if not (fault.drop or fault.status is not None or fault.has_body):
            return False
        await self._send_fault(module, fault, entry, send, scope)
        return True

    def _let_others(self, module: Module, fault: Fault, request: Request) -> list[int]:
        """What happens between two pages; the statuses that the others got."""
        statuses = []
        for wish in fault.then:
            route, params = _route_of(module, wish)
            path, _, query = wish.path.partition("?")
            theirs = dataclasses.replace(
                request,
                method=wish.method,
                path=path,
                params=params,
                query=tuple(parse_qsl(query)),
                body=b"" if wish.body is None else json.dumps(wish.body).encode(),
            )
            with self.transaction() as tx:
                statuses.append(route.handler(tx, theirs).status)
        self.advance(fault.advance_s)
        return statuses

    async def _send_fault(self, module: Module, fault: Fault, entry: dict[str, Any], send: Send, scope: Scope) -> None:
        if fault.drop:
            _Protocol.abort(scope)
            return
        status = fault.status if fault.status is not None else 200
        body = fault.body if fault.has_body else module.error(status, "injected fault")
        entry["status"] = status
        media_type = "application/json"
        if isinstance(body, str):
            media_type = next((v for k, v in fault.headers.items() if k.lower() == "content-type"), "text/html")
            body = body.encode()
        headers = {key: value for key, value in fault.headers.items() if key.lower() != "content-type"}
        await _send(Response(status=status, body=body, headers=headers, media_type=media_type), send, scope, cut=False)


class _FirstMatch:
    """The first route whose path and method fit; Starlette alone would answer 405 before a later one gets a chance."""

    def __init__(self, routes: list[HttpRoute]) -> None:
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        for route in self._routes:
            match, child = route.matches(scope)
            if match.value == 2:  # noqa: PLR2004 - Match.FULL
                scope.update(child)
                await route.handle(scope, receive, send)
                return


class _Endpoint:
    """One route of one module as an ASGI application."""

    def __init__(self, emulator: Emulator, module: Module, prefix: str, route: Route) -> None:
        self._emulator = emulator
        self._module = module
        self._prefix = prefix
        self.route = route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        http = HttpRequest(scope, receive)
        host, port = scope["server"]
        request = Request(
            method=http.method,
            path=str(scope["path"]).removeprefix(self._prefix) or "/",
            params={key: str(value) for key, value in http.path_params.items()},
            query=tuple(http.query_params.multi_items()),
            headers={key.lower(): value for key, value in http.headers.items()},
            body=b"",
            base_url=f"http://{host}:{port}",
        )
        await self._emulator.answer(self._module, request, self.route, read=http.body, send=send, scope=scope)


class _Control:
    """`/_emulator/…`: what tests read and steer."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        http = HttpRequest(scope, receive)
        raw = await http.body()
        try:
            body = json.loads(raw) if raw.strip() else None
            result = self._do(http.method, str(http.path_params["what"]), body)
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            await _send(Response(status=400, body={"error": str(error)}), send, scope, cut=False)
            return
        status = 404 if result is _NOT_FOUND else 200
        answer = {"error": "no such control route"} if result is _NOT_FOUND else result
        await _send(Response(status=status, body=answer), send, scope, cut=False)

    def _do(self, method: str, what: str, body: Any) -> Any:
        emulator = self._emulator
        match (method, what):
            case ("GET", "requests"):
                return emulator.requests
            case ("GET", "state"):
                return emulator.state()
            case ("POST", "clock"):
                return {"now": emulator.advance(float(body["advance_s"]))}
            case ("POST", "faults"):
                emulator.faults.replace(body if isinstance(body, list) else [body] if body else [])
            case ("POST", "switches"):
                emulator.set_switches(body)
            case ("POST", "reset"):
                emulator.reset()
            case _:
                return _NOT_FOUND
        return {"ok": True}


_NOT_FOUND: Final = object()


class _Protocol(H11Protocol):
    """uvicorn's h11 protocol that lets a fault cut a connection without a byte of reply."""

    _open: Final[dict[tuple[str, int], asyncio.Transport]] = {}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.client is not None:
            self._open[self.client] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self.client is not None:
            self._open.pop(self.client, None)
        super().connection_lost(exc)

    @classmethod
    def abort(cls, scope: Scope) -> None:
        """Reset the connection that this request came by."""
        transport = cls._open.get(tuple(scope["client"]))
        if transport is not None:
            transport.abort()


class _Uvicorn(uvicorn.Server):
    """uvicorn that ends when it is told to, not at its next tick of 100 ms."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._wake: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def end(self) -> None:
        """Stop serving; from any thread."""
        self.should_exit = True
        if self._loop is not None and self._wake is not None:
            with contextlib.suppress(RuntimeError):  # the loop has just ended by itself
                self._loop.call_soon_threadsafe(self._wake.set)

    async def main_loop(self) -> None:
        self._loop, self._wake = asyncio.get_running_loop(), asyncio.Event()
        counter = 0
        while not await self.on_tick(counter):
            counter += 10  # once a second uvicorn renews its Date header
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), timeout=1)


class Server:
    """An emulator behind a listening socket on 127.0.0.1, in a daemon thread.

    Args:
        emulator: What to serve.
        port: 0 takes a free one.

    Raises:
        OSError: when the port is taken.
    """

    def __init__(self, emulator: Emulator, port: int = 0) -> None:
        self.emulator = emulator
        # Without IPPROTO_TCP asyncio leaves Nagle's algorithm on: 44 ms a request instead of 1.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind(("127.0.0.1", port))
            self._socket.listen(256)
        except OSError:
            self._socket.close()
            raise
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._server = _Uvicorn(
            uvicorn.Config(
                emulator.application(),
                http=_Protocol,
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="critical",
                access_log=False,
                timeout_keep_alive=60,
                timeout_graceful_shutdown=1,  # an answer that a fault holds back must not hold up the end
            )
        )
        self._thread = threading.Thread(target=self._run, name="emulator", daemon=True)

    def start(self) -> Server:
        """Serve; returns when requests are accepted.

        Raises:
            RuntimeError: when it does not come up within ten seconds.
        """
        self._thread.start()
        deadline = time.monotonic() + 10
        while not self._server.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise RuntimeError("the emulator did not start")
            time.sleep(0.002)
        return self

    def stop(self) -> None:
        """Stop serving and give port and state file back."""
        self._server.end()
        self._thread.join(timeout=5)
        self._socket.close()
        self.emulator.close()

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))


async def _send(response: Response, send: Send, scope: Scope, *, cut: bool) -> None:
    """Send a reply; `cut` ends the connection in the middle of its body."""
    if response.body is None:
        content = b""
    elif isinstance(response.body, bytes):
        content = response.body
    else:
        content = json.dumps(response.body, ensure_ascii=False).encode()
    headers = [(b"content-length", str(len(content)).encode())]
    if content:
        headers.append((b"content-type", response.media_type.encode()))
    if response.status == 204:  # noqa: PLR2004 - No Content has neither
        headers = []
    headers.extend((key.lower().encode(), value.encode()) for key, value in response.headers.items())
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    if cut:
        await send({"type": "http.response.body", "body": content[: len(content) // 2], "more_body": True})
        await asyncio.sleep(0.02)
        _Protocol.abort(scope)
        return
    await send({"type": "http.response.body", "body": content})


def _route_of(module: Module, wish: Wish) -> tuple[Route, dict[str, str]]:
    """The module's route for somebody else's request, and what its path holds."""
    path = wish.path.partition("?")[0]
    for table in module.mounts().values():
        for route in table:
            match = compile_path(route.path)[0].match(path) if route.method == wish.method else None
            if match is not None:
                return route, dict(match.groupdict())
    return Route(wish.method, path, _no_route(module)), {}


def _no_route(module: Module) -> Any:
    def handler(_tx: Tx, request: Request) -> Response:
        return Response(status=404, body=module.error(404, f"no route {request.method} {request.path}"))

    return handler


def _query_object(query: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """Query as an object; a repeated name becomes a list."""
    found: dict[str, Any] = {}
    for key, value in query:
        if key in found:
            earlier = found[key]
            found[key] = [*earlier, value] if isinstance(earlier, list) else [earlier, value]
        else:
            found[key] = value
    return found


def _readable(body: bytes) -> Any:
    """A body as JSON where it is JSON, else as text; `None` when there is none."""
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")
