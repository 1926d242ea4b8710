"""The one interface between the engine and a provider: single reads and single writes. `Provider` is its contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from reconciler.diff.change import Call, CallOp, Change
from reconciler.diff.live import Listing, Live
from reconciler.diff.metrics import Metrics
from reconciler.fields import Kind
from reconciler.problems import Problem
from reconciler.providers.type import ProviderType
from reconciler.spec.resource import ProviderConfig, Resource

__all__ = [
    "Catalogue",
    "Clock",
    "Context",
    "Intent",
    "Measures",
    "Provider",
    "ProviderType",
    "Reply",
    "Right",
    "Settled",
]


class Clock(Protocol):
    """Time as one provider instance lives it: the wall clock, or the embedded emulator's own."""

    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        ...


class Health(StrEnum):
    """How something is that a run needs."""

    OK = "ok"
    DOUBT = "doubt"
    """It works, and a person should know something."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What `doctor` found: a topic in a few words, how it is, and what to do about it."""

    topic: str
    state: Health
    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a provider instance gets when it is opened; it reads nothing else from the machine.

    Attributes:
        resolve: Secret name → value, only ever called while an HTTP request is built.
            Raises `ReconcilerError` for a secret that is set nowhere.
        clock: Its time.
        allow_hosts: Exact `host[:port]` that may receive credentials besides pinned ones and loopback.
        on_request: Called after each request with (method, path without query, status or 0, seconds), for `-vv`.
        before_send: Called as the last thing before a write's bytes are handed over; raises when it may not go out.
        patience_s: Seconds that this run may still wait for a server that asks for a pause.
        on_date: Called after each reply that tells its server's time, with the seconds that this is ahead of `clock`.
        requests_per_s: Most requests a second to this instance (`ProviderType.requests_per_s`), `None` for no limit.
    """

    resolve: Callable[[str], str]
    clock: Clock
    allow_hosts: frozenset[str] = frozenset()
    on_request: Callable[[str, str, int, float], None] = lambda _method, _path, _status, _seconds: None
    before_send: Callable[[], None] = lambda: None
    patience_s: Callable[[], float] = lambda: float("inf")
    on_date: Callable[[float], None] = lambda _ahead_s: None
    requests_per_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a write answered: the live id if it told one, and further evidence (`endpoint`); never a secret."""

    status: int
    live_id: str = ""
    evidence: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A journaled write whose outcome is open.

    `op_id` is the marker's op of a create; `marker` the whole token; `target` the id of an update or delete; `evidence`
    what its reply told, if one was heard; `sent_at` in seconds since the epoch.
    """

    address: str
    op: str
    op_id: str
    marker: str = ""
    live_name: str = ""
    target: str = ""
    evidence: Mapping[str, str] = field(default_factory=dict)
    sent_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What reading said of an open intent: it landed as `live`, or is `absent`, or can't be told (`candidates`)."""

    live: Live | None = None
    absent: bool = False
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """What a provider offers, read once a run, as plain data.

    Attributes:
        prices: Item (machine, flavor) → price per hour; `unit` is their unit.
        gpus: Item → number of GPUs.
        data: The provider's own look-ups (template name → id), opaque to the engine.
    """

    prices: Mapping[str, Decimal] = field(default_factory=dict)
    unit: str = ""
    gpus: Mapping[str, int] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)


class Provider(Protocol):
    """One account, project or cluster.

    Raises `ProviderError` only; its subclass `UnknownOutcome` marks a write that may have landed.
    Safe to call from several threads.
    """

    config: ProviderConfig
    kinds: tuple[Kind, ...]
    clock: Clock

    def catalogue(self) -> Catalogue:
        """Read (once, then remembered) what the provider offers. Must be called before `check` and `calls`."""
        ...

    def check(self, resource: Resource) -> Sequence[Problem]:
        """Pure after `catalogue()`: unknown templates, machines, clusters, flavors of this resource, located.

        What exists and can't be had now (sold out, closed, too small) is a warning.
        """
        ...

    def check_together(self, resources: Sequence[Resource]) -> Sequence[Problem]:
        """Pure after `catalogue()`: what only the sum of all resources of this instance shows (a quota), located."""
        ...

    def diagnose(self) -> Sequence[Diagnosis]:
        """What only this provider can tell of its server, such as a release other than the configured one; no write.

        Called after `catalogue()`.
        """
        ...

    def read_all(self, kind: Kind) -> Listing:
        """Everything of a kind, normalised, complete or `PARTIAL`; it raises rather than leave something out."""
        ...

    def read_one(self, kind: Kind, live_id: str) -> Live | None:
        """One item by id, in the kind's own way (detail, or the list); `None` when it is proven gone.

        An item on its way out comes back with phase `GOING`.
        """
        ...

    def calls(self, change: Change, marker: str) -> tuple[Call, ...]:
        """Pure: the writes that a change takes, in order.

        `change.action` is CREATE, UPDATE, DELETE or ADOPT (a replace is asked for as its two halves). `marker` is the
        token to write (a create; or an adopt where the marker can change); for an update, the one the live item has.
        """
        ...

    def send(self, call: Call) -> Reply:
        """Exactly one write. A 401 is renewed and repeated once (it means "not done"); nothing else is repeated.

        Raises:
            UnknownOutcome: timeout, cut connection, 408, 5xx, unreadable body.
            ProviderError: refused; `code` tells (`not-found`, `conflict`, `rate-limited`, `rejected`, `credentials`).
        """
        ...

    def settle(self, intent: Intent, listing: Listing) -> Settled:
        """Pure: what this list says of an open intent, by this provider's evidence (SETTLEMENT §5), never by shape."""
        ...

    def close(self) -> None:
        """Give connections back."""
        ...


@runtime_checkable
class Measures(Protocol):
    """A provider that also tells how busy something is. Optional: what lacks it has no metrics, and nobody asks it."""

    def metrics(self, live: Live, *, is_time: Callable[[], bool]) -> Metrics:
        """What was measured of a live item lately, and in `problems` what was not, and why.

        Must not raise for anything that a server says or does, and must ask `is_time` before each request: after a
        while nobody waits any longer. Called from several threads.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """A permission that the writes of a kind take; it can't be tried without one of them.

    Attributes:
        kind: Kind name.
        ops: The writes that need it.
        right: As the vendor calls it: an IAM action, a role's permission.
        source: Section and tag of the provider's sheet.
    """

    kind: str
    ops: tuple[CallOp, ...]
    right: str
    source: str
