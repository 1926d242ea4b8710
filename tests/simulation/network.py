"""What lies between the product and the emulator: lost replies, late commits, refusals, outages, lists that flap."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from tests.simulation.sched import Process, Scheduler
from tests.simulation.server import Answer, SimEmulator
from tests.simulation.truth import show_late_ones

__all__ = ["Network", "Weather"]

_LATE_S: Final = 55.0
"""How long after our hanging up a commit may come: below `commitDelay` of the project."""
_FLAP_S: Final = 12.0
"""How long a list misses something: below `pollInterval`, so that two complete looks never both miss it."""
_HTML: Final = b"<html><body>Bad gateway</body></html>"


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request, as it was handed over."""

    method: str
    address: str
    headers: Mapping[str, str]
    content: bytes
    timeout_s: float

    @property
    def place(self) -> str:
        return self.address.partition("?")[0]


@dataclass(slots=True)
class Weather:
    """How bad it is: shares of writes, reads and list items that meet something."""

    writes: float = 0.0
    reads: float = 0.0
    flaps: float = 0.0
    ledger: float = 0.0
    """Share of the ledger's transactions that can't be recorded."""
    meanwhile: float = 0.0
    """Share of lists right after which somebody else makes or deletes something."""

    @property
    def calm(self) -> bool:
        return self == Weather()


@dataclass(slots=True)
class Network:
    """Answers in the place of a socket."""

    scheduler: Scheduler
    rng: random.Random
    say: Callable[[str], None]
    emulator: SimEmulator = field(init=False)
    weather: Weather = field(default_factory=Weather)
    on_send: Callable[[Process, str], None] = lambda _process, _what: None
    meanwhile: Callable[[str], None] = lambda _module: None
    """What somebody else does to a module while its list is read."""
    faults: int = 0
    _outages: dict[str, int] = field(default_factory=dict)
    _catalogues: dict[str, Answer] = field(default_factory=dict)
    _hidden: dict[str, float] = field(default_factory=dict)

    def exchange(
        self, client: Any, request: Any, url: httpx.URL, headers: Mapping[str, str], timeout_s: float
    ) -> tuple[int, bytes, dict[str, str]]:
        """In place of `providers.http._exchange`: status, body, headers, or what httpx would raise."""
        del client
        process = self.scheduler.process
        assert process is not None
        process.check()
        asked = _Asked(request.method, str(url), headers, request.content, timeout_s)
        is_read = request.method == "GET" or "token" in request.path
        answer = self._read(process, asked) if is_read else self._write(process, asked)
        return answer.status, answer.body, dict(answer.headers)

    # -- reads ------------------------------------------------------------------------------------------------------

    def _read(self, process: Process, asked: _Asked) -> Answer:
        process.boundary("read")
        rng, weather = self.rng, self.weather
        method, address, place = asked.method, asked.address, asked.place
        if weather.calm:
            self._outages.clear()
            self._hidden.clear()
        if self._outages.get(place, 0) > 0:
            self._outages[place] -= 1
            return self._fail_read(place, "goes on")
        if weather.reads and rng.random() < weather.reads:
            kind = rng.choice(("drop", "status", "status", "outage", "garbage", "timeout", "429"))
            self.faults += 1
            if kind == "timeout":
                self.say(f"    ~ {method} {_short(place)}: no answer for {asked.timeout_s:g} s")
                self.scheduler.pause(asked.timeout_s)
                raise httpx.ReadTimeout("timed out")
            if kind == "garbage":
                self.say(f"    ~ {method} {_short(place)}: HTML with status 200")
                return Answer(200, _HTML, {"content-type": "text/html"})
            if kind == "429":
                self.say(f"    ~ {method} {_short(place)}: 429")
                return Answer(429, b"{}", {"retry-after": "3"} if rng.random() < 0.5 else {})
            if kind == "outage":
                self._outages[place] = rng.randint(2, 8)
            return self._fail_read(place, kind)
        if method == "GET" and any(part in address for part in _CATALOGUES):
            # Nobody changes a catalogue here, and every run reads all of it.
            if address not in self._catalogues:
                self._catalogues[address] = self._hand_over(process, asked)
            return self._catalogues[address]
        if place.endswith("/api/v1/workloads"):
            show_late_ones(self.emulator)
        answer = self._hand_over(process, asked)
        if weather.meanwhile and place.endswith(tuple(_LISTS)) and rng.random() < weather.meanwhile:
            self.meanwhile(self.emulator.sent[-1].module)
        return self._flapped(place, answer) if weather.flaps else answer

    def _fail_read(self, place: str, kind: str) -> Answer:
        if kind == "drop":
            self.say(f"    ~ GET {_short(place)}: connection cut")
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
        status = self.rng.choice((500, 502, 503, 504))
        self.say(f"    ~ GET {_short(place)}: {status} ({kind})")
        return Answer(status, _HTML, {"content-type": "text/html"})

    def _flapped(self, place: str, answer: Answer) -> Answer:
        """A list that misses an item for a moment (case C38)."""
        key, count = next((keys for ending, keys in _LISTS.items() if place.endswith(ending)), ("", ""))
        if not key or answer.status != 200:
            return answer
        body = json.loads(answer.body)
        items = body.get(key)
        if not items:
            return answer
        now, kept = self.scheduler.now, []
        for item in items:
            item_id = _id(item)
            since = self._hidden.get(item_id)
            if since is None or now - since > 20 * _FLAP_S:
                if self.rng.random() < self.weather.flaps:
                    self._hidden[item_id] = now
                    self.faults += 1
                    self.say(f"    ~ GET {_short(place)}: misses {item_id} for a moment")
                    continue
            elif now - since < _FLAP_S:
                continue
            kept.append(item)
        if len(kept) == len(items):
            return answer
        body[key] = kept
        if count:
            body[count] = int(body[count]) - (len(items) - len(kept))
            if "count" in body:
                body["count"] = len(kept)
        return Answer(answer.status, json.dumps(body).encode(), answer.headers)

    def _hand_over(self, process: Process, asked: _Asked, *, late: bool = False) -> Answer:
        return self.emulator.handle(
            process.name, asked.method, asked.address, headers=asked.headers, content=asked.content, late=late
        )

    def spoil_note(self) -> bool:
        """Whether the ledger can't record what it is asked to."""
        spoilt = bool(self.weather.ledger) and self.rng.random() < self.weather.ledger
        self.faults += spoilt
        return spoilt

    # -- writes -----------------------------------------------------------------------------------------------------

    def _write(self, process: Process, asked: _Asked) -> Answer:
        what = f"{asked.method} {_short(asked.place)}"

        def commit(*, late: bool = False) -> Answer:
            answer = self._hand_over(process, asked, late=late)
            self.say(f"    {'(late) ' if late else ''}{what} -> {answer.status}")
            return answer

        self.on_send(process, what)
        if process.will_crash:
            # Dead with the request on its way: it never left, it arrives, or it arrives later.
            fate = self.rng.choice(("never", "now", "late"))
            if fate == "now":
                commit()
            elif fate == "late":
                self._later(commit)
            process.boundary(f"{what} under way ({fate})")
        process.boundary(f"before {what}")
        answer = self._stormy(what, commit, asked.timeout_s) if self._hits() else commit()
        process.boundary(f"after {what}")
        self.scheduler.pause(0.0)
        return answer

    def _hits(self) -> bool:
        return bool(self.weather.writes) and self.rng.random() < self.weather.writes

    def _later(self, commit: Callable[..., Answer]) -> None:
        when = self.scheduler.now + self.rng.uniform(0.5, _LATE_S)
        self.scheduler.at(when, lambda: commit(late=True))

    def _stormy(self, what: str, commit: Callable[..., Answer], timeout_s: float) -> Answer:
        rng = self.rng
        self.faults += 1
        fate = rng.choice(_FATES)
        self.say(f"    ~ {what}: {fate}")
        if fate == "refused":
            raise httpx.ConnectError("Connection refused")
        if fate == "cut, not done":
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
        if fate == "cut, done late":
            self._later(commit)
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
        if fate == "slow":
            self.scheduler.pause(rng.uniform(1, timeout_s - 1))
            return commit()
        if fate.startswith("no answer"):
            if fate.endswith("done at once"):
                commit()
            self.scheduler.pause(timeout_s)
            if fate.endswith("done late"):
                self._later(commit)
            raise httpx.ReadTimeout("timed out")
        if fate == "429":
            return Answer(429, b"{}", {"retry-after": "5"} if rng.random() < 0.5 else {})
        if fate == "5xx, not done":
            return Answer(rng.choice((500, 502, 503, 504, 408)), _HTML, {"content-type": "text/html"})
        if fate == "5xx, done late":
            self._later(commit)
            return Answer(504, _HTML, {"content-type": "text/html"})
        done = commit()
        if fate == "5xx, done":
            return Answer(rng.choice((500, 502, 504)), _HTML, {"content-type": "text/html"})
        if fate == "garbage, done":
            return Answer(done.status, _HTML, {"content-type": "text/html"})
        raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")


_FATES: Final = (
    "refused",
    "cut, not done",
    "cut, done",
    "cut, done late",
    "no answer, not done",
    "no answer, done at once",
    "no answer, done late",
    "slow",
    "429",
    "5xx, not done",
    "5xx, done",
    "5xx, done late",
    "garbage, done",
    "mid-body, done",
)
_CATALOGUES: Final = ("/deployment_template/", "/resource/vm/", "/services/specifications", "/org-unit/", "/clusters")
_LISTS: Final = {
    "/deployments/list": ("body", ""),
    "/deployment/list": ("body", ""),
    "/api/v1/workloads": ("workloads", ""),
    "/services": ("services", "total_count"),
    "/demanager/instances": ("instances", "total_count"),
}


def _id(item: Mapping[str, Any]) -> str:
    return str(item.get("Suffix") or item.get("service_id") or item.get("id"))


def _short(address: str) -> str:
    return re.sub(r"^https?://[^/]+/(theta/controller|theta/api|runai|modelarts)", "", address)
