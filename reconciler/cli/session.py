"""One command's session: providers opened, live state gathered, ledger read, plan made. Puts the rooms together."""

from __future__ import annotations

import dataclasses
import math
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.apply.settle import Settlement, came_late, settle_open
from reconciler.cli.given import named_owners, with_prices
from reconciler.cli.output import Printer
from reconciler.cli.progress import reading
from reconciler.cli.revision import revision_of
from reconciler.diff.change import Call, Change
from reconciler.diff.claims import addresses
from reconciler.diff.live import Applied, Listing, owner_hash
from reconciler.ledger.journal import IntentRow, TombstoneKind
from reconciler.plan.cost import PriceList
from reconciler.plan.plan import Options, Plan, PlanInput, make_plan
from reconciler.problems import Problem, Problems, ProviderError, Refused, SpecError
from reconciler.providers.base import Catalogue, Clock, Context, Provider
from reconciler.providers.gather import gather, look_for
from reconciler.providers.http import is_loopback
from reconciler.providers.registry import all_kinds, provider_types
from reconciler.secrets.fingerprint import Fingerprinter
from reconciler.secrets.sources import SecretSources
from reconciler.spec.alike import shared
from reconciler.spec.bulk import uncollected
from reconciler.spec.resource import Project, ProviderConfig, Spec
from reconciler.spec.values import is_pending

if TYPE_CHECKING:
    from reconciler.ledger.store import Ledger

__all__ = ["Halt", "Session", "SystemClock", "World", "allowed_hosts", "open_session"]

_SKEW_S = 5.0
_PLACEHOLDER = "rc1.aaaaa.aaaaaaaa.1.n.aaaaa.aaaaaa"
"""Stands for the marker in a plan: the real one has an operation id that is only made when it is sent."""


@dataclass(slots=True)
class Halt:
    """When waiting ends: `stop` is set by a signal or by `--timeout`; `ends_at` is on the monotonic clock."""

    stop: threading.Event = field(default_factory=threading.Event)
    ends_at: float = math.inf

    def patience_s(self) -> float:
        """Seconds that may still be waited."""
        return 0.0 if self.stop.is_set() else max(0.0, self.ends_at - time.monotonic())


class SystemClock:
    """The wall clock; `stop` ends a sleep at once, so that a signal is answered at once."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait for real."""
        self._stop.wait(seconds)


@dataclass(slots=True, kw_only=True)
class World:
    """Live state and ledger as read in one go."""

    entries: Mapping[str, Applied]
    listings: Mapping[tuple[str, str], Listing]
    settlement: Settlement
    released: frozenset[str]


@dataclass(slots=True, kw_only=True)
class Session:
    """What a command that contacts providers works with."""

    root: Path
    spec: Spec
    printer: Printer
    providers: Mapping[str, Provider]
    catalogues: Mapping[str, Catalogue]
    failed: dict[str, str]
    """Instance → why it can't be read."""
    ledger: Ledger
    sources: Mapping[str, SecretSources]
    """Instance → where its secrets come from."""
    fingerprinter: Fingerprinter
    revision: str
    guard: list[Callable[[], None]] = field(default_factory=list)
    """What must hold right before a write's bytes go out: the lease's check, once there is a lease."""
    halt: Halt = field(default_factory=Halt)
    warnings: tuple[Problem, ...] = ()
    """What the catalogue stage would have a person know."""
    skew_s: Mapping[str, float] = field(default_factory=dict)
    """Instance → seconds that its server's clock was ahead of ours at its last reply; not of an emulator's own time."""

    @property
    def owner(self) -> str:
        """Whose resources these are."""
        return self.spec.project.owner

    def window_s(self, provider: Provider) -> float:
        """How long absence proves nothing after a write: T + C + L + K (SETTLEMENT §3).

        0 in the emulator, also a served one, unless the project gives it a delay or a lag.
        """
        config = self.spec.project.providers[provider.config.name]
        settings = config.settings
        if config.embedded or (is_emulated(config) and not settings["commitDelay"] + settings["listLag"]):
            return 0.0
        return float(settings["requestTimeout"] + settings["commitDelay"] + settings["listLag"]) + _SKEW_S

    def is_embedded(self, provider: Provider) -> bool:
        """Whether a provider is the emulator in this process."""
        return self.spec.project.providers[provider.config.name].embedded

    def versions(self) -> dict[str, str]:
        """Instance → API release."""
        return {name: str(config.settings.get("version") or "") for name, config in self.spec.project.providers.items()}

    def check_catalogue(self) -> None:
        """The stage that needs the providers: do templates, machines, projects, clusters and flavors exist?

        What is merely doubtful (sold out, beyond a quota) goes to the plan's warnings.

        Raises:
            SpecError: all that do not, located.
        """
        problems = Problems()
        for name in self.catalogues:
            provider = self.providers[name]
            own = [resource for resource in self.spec.resources if resource.ref.provider == name]
            problems.extend(problem for resource in own for problem in provider.check(resource))
            problems.extend(provider.check_together(own))
        self.warnings = problems.warnings
        problems.raise_if_any()

    def read_world(self) -> World:
        """Read ledger and live state, and ask what became of writes that earlier runs left open."""
        kinds = {name: provider_types()[config.type].kinds for name, config in self.spec.project.providers.items()}
        trusted = self.ledger.trusted(self.owner)  # a ledger that can't be read is told before anybody is asked
        with uncollected():  # the collector takes 1.4 s of 10,000
            # Before the lists: what a run beside this one makes and notes must not look vanished.
            entries, rows = self._read_ledger()
            with reading(self.printer, kinds):
                listings = {
                    key: look_for(self.providers[key[0]], listing, _known_ids(key, entries.values(), rows))
                    for key, listing in gather(self.providers, self.failed, kinds).items()
                }
        claimed = frozenset(
            (entry.address.partition("/")[0], live_id)
            for entry in entries.values()
            for live_id in (entry.live_id, entry.successor)
        )
        # What is open may have been noted under a former name.
        adopted = {
            address: one.lifecycle.adopt
            for one in self.spec.resources
            if one.lifecycle.adopt
            for address in addresses(one)
        }
        settlement = settle_open(
            rows,
            listings,
            self.providers,
            self.window_s,
            claimed=claimed,
            adopted=adopted,
            trusted=trusted,
        )
        late = came_late(
            settlement.entries(entries),
            listings,
            lambda op: self.ledger.intent_of(self.owner, op),
            owner_hash(self.owner),
        )
        settlement = dataclasses.replace(settlement, late=late)
        released = frozenset(
            stone.live_id for stone in self.ledger.tombstones(self.owner) if stone.kind is TombstoneKind.RELEASED
        )
        return World(entries=settlement.entries(entries), listings=listings, settlement=settlement, released=released)

    def _read_ledger(self) -> tuple[dict[str, Applied], tuple[IntentRow, ...]]:
        """Entries, with the spec's own values wherever they say the same, and open intents."""
        desired = {address: one.spec for one in self.spec.resources for address in addresses(one)}
        entries = {
            address: dataclasses.replace(entry, spec=shared(entry.spec, desired.get(address)))
            for address, entry in self.ledger.entries(self.owner).items()
        }
        return entries, self.ledger.open_intents(self.owner)

    def plan(self, world: World, options: Options) -> Plan:
        """Make the plan."""
        project = self.spec.project
        given = PlanInput(
            spec=self.spec,
            entries=world.entries,
            listings=world.listings,
            kinds=all_kinds(),
            now_s={"": time.time()} | {name: provider.clock.now() for name, provider in self.providers.items()},
            versions=self.versions(),
            prices={name: self._prices(name) for name in project.providers},
            calls=self._calls,
            secret_changed=self.secret_changed,
            open_intents={item.row.address: item.message for item in world.settlement.open},
            other_owners=named_owners(project),
            warnings=self.warnings,
            released=world.released,
            trusted=frozenset(self.ledger.trusted(self.owner)),
            revision=self.revision,
        )
        with uncollected():
            return make_plan(given, options)

    def secret_changed(self, name: str, stored: str) -> bool | None:
        """Whether a secret has another value than when it was applied; `None` when that can't be told."""
        value = self._value_if_set(name)
        verdict = self.fingerprinter.verdict(stored, name, value)
        return {"same": False, "changed": True}.get(verdict)

    def fingerprint(self, name: str) -> str:
        """The keyed fingerprint of a secret, or empty."""
        value = self._value_if_set(name)
        return self.fingerprinter.fingerprint(name, value) if value is not None else ""

    def _value_if_set(self, name: str) -> str | None:
        if not self.fingerprinter.has_key:
            return None
        for sources in self.sources.values():
            if not sources.missing([name]):
                return sources.resolve(name)
        return None

    def _calls(self, change: Change) -> tuple[Call, ...]:
        """What the provider would send; nothing when it could not even be opened."""
        name = change.address.partition("/")[0]
        provider = self.providers.get(name)
        if provider is None or name in self.failed:
            return ()
        marker = change.live.marker if change.live is not None and change.live.marker else _PLACEHOLDER
        return provider.calls(change, marker)

    def own_prices(self, name: str) -> PriceList:
        """What the provider itself tells of prices and GPUs."""
        catalogue = self.catalogues.get(name, Catalogue())
        return PriceList(unit=catalogue.unit, per_hour=catalogue.prices, gpus=catalogue.gpus)

    def _prices(self, name: str) -> PriceList:
        return with_prices(self.own_prices(name), self.spec.project.providers[name])

    def selection(self, labels: str, targets: Iterable[str], provider: str) -> Callable[[str, Mapping[str, str]], bool]:
        """`-l`, `--target` and `--provider` as one question."""
        from reconciler.cli.selection import selection  # noqa: PLC0415 - only here

        targets = tuple(targets)
        # The ledger is read once more for targets alone: that takes 0.9 s at 10,000 entries.
        known = [*(one.address for one in self.spec.resources), *self.ledger.entries(self.owner)] if targets else []
        return selection(labels, targets, provider, known, tuple(self.spec.project.providers))


@contextmanager
def open_session(
    spec: Spec, root: Path, printer: Printer, environ: Mapping[str, str] | None = None
) -> Iterator[Session]:
    """Open providers (and the embedded emulator, if any asks for it), ledger and secrets, and close them in the end.

    Raises:
        Refused: `host-not-allowed`, `https-only`.
        ReconcilerError: a ledger that can't be opened.
    """
    environ = os.environ if environ is None else environ
    printer.redactor.keep([spec.project.name, *spec.project.environments, *spec.project.providers])
    printer.redactor.keep(word for resource in spec.resources for word in (resource.ref.name, resource.live_name))
    opener = _Opener(spec, root, printer, environ)
    try:
        yield opener.open()
    finally:
        opener.close()


class _Opener:
    """Builds a session piece by piece, and remembers what has to be closed."""

    def __init__(self, spec: Spec, root: Path, printer: Printer, environ: Mapping[str, str]) -> None:
        self._spec = spec
        self._root = root
        self._printer = printer
        self._environ = environ
        self._server: Any = None
        self._providers: dict[str, Provider] = {}
        self._guard: list[Callable[[], None]] = []
        self._halt = Halt()
        self._skew_s: dict[str, float] = {}

    def open(self) -> Session:
        configs = self._spec.project.providers
        by_demo = {demo: self._sources(demo=demo) for demo in (False, True)}
        sources = {name: by_demo[config.embedded] for name, config in configs.items()}
        if any(config.embedded for config in configs.values()):
            self._start_emulator()
        for name, config in configs.items():
            self._providers[name] = self._open_provider(self._addressed(config), sources[name])
        key = self._environ.get("RECONCILER_FINGERPRINT_KEY")
        if key:
            self._printer.redactor.add(key, "RECONCILER_FINGERPRINT_KEY")
        with reading(self._printer, configs):
            catalogues, failed = self._catalogues()
        from reconciler.ledger.store import open_ledger  # noqa: PLC0415 - read while the catalogues are waited for

        return Session(
            root=self._root,
            spec=self._spec,
            printer=self._printer,
            providers=self._providers,
            catalogues=catalogues,
            failed=failed,
            ledger=open_ledger(self._spec.project.ledger, self._root, redact=self._printer.redactor.redact),
            sources=sources,
            fingerprinter=Fingerprinter(key),
            revision=revision_of(self._root),
            guard=self._guard,
            halt=self._halt,
            skew_s=self._skew_s,
        )

    def close(self) -> None:
        for provider in self._providers.values():
            provider.close()
        if self._server is not None:
            self._server.stop()

    def _sources(self, *, demo: bool) -> SecretSources:
        folder = self._environ.get("RECONCILER_SECRETS_DIR")
        return SecretSources(
            allowed=self._spec.project.secrets,
            environ=self._environ,
            folder=Path(folder) if folder else None,
            demo=demo,
            on_resolve=self._printer.redactor.add,
        )

    def _start_emulator(self) -> None:
        from reconciler.emulator.server import Emulator, Server  # noqa: PLC0415 - real providers need no server

        home = self._root / ".reconciler"
        try:
            home.mkdir(exist_ok=True)
            ignore = home / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n", encoding="utf-8")
            emulator = Emulator(home / "emulator.db", open_to_all=True)
        except (OSError, sqlite3.Error) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise ProviderError(
                f"the embedded emulator can't keep its state in {home.name}/emulator.db: {why}; "
                "it can be removed, and the emulator begins anew"
            ) from None
        self._server = Server(emulator).start()

    def _addressed(self, config: ProviderConfig) -> ProviderConfig:
        """For the embedded emulator: its addresses, and what a real account would have made a person fill in."""
        if not config.embedded:
            return config
        given = self._server.emulator.connection(self._server.url).get(config.type, {})
        written = {key: value for key, value in config.settings.items() if value is not None}
        addresses = {key: value for key, value in given.items() if key.lower().endswith("endpoint")}
        return dataclasses.replace(config, settings={**given, **written, **addresses})

    def _open_provider(self, config: ProviderConfig, sources: SecretSources) -> Provider:
        embedded = self._spec.project.providers[config.name].embedded
        clock: Clock = self._server.emulator if embedded else SystemClock(self._halt.stop)
        opened = provider_types()[config.type]
        context = Context(
            resolve=sources.resolve,
            clock=clock,
            allow_hosts=allowed_hosts(self._environ),
            on_request=lambda method, path, status, seconds: self._printer.detail(
                2, f"{config.name}: {method} {path} {status or 'no reply'} {seconds * 1000:.0f} ms"
            ),
            before_send=self._before_send,
            patience_s=self._halt.patience_s,
            on_date=lambda ahead_s: None if embedded else self._skew_s.update({config.name: ahead_s}),
            requests_per_s=opened.requests_per_s,
        )
        return opened.open(config, context)

    def _before_send(self) -> None:
        for check in self._guard:
            check()

    def _catalogues(self) -> tuple[dict[str, Catalogue], dict[str, str]]:
        """All catalogues at once; a provider that can't tell its own is not read at all."""
        catalogues: dict[str, Catalogue] = {}
        failed: dict[str, str] = {}
        fatal: list[SpecError | Refused] = []

        def load(name: str, provider: Provider) -> None:
            try:
                catalogues[name] = provider.catalogue()
            except ProviderError as error:
                failed[name] = str(error)
            except (SpecError, Refused) as error:
                fatal.append(error)

        threads = [threading.Thread(target=load, args=item) for item in self._providers.items()]
        for thread in threads:
            thread.start()
        import_module("reconciler.ledger.store")  # SQLAlchemy takes 140 ms of which 80 are waited here anyway
        for thread in threads:
            thread.join()
        if fatal:
            raise fatal[0]
        return catalogues, failed


def allowed_hosts(environ: Mapping[str, str]) -> frozenset[str]:
    """What `RECONCILER_ALLOW_HOSTS` names."""
    written = environ.get("RECONCILER_ALLOW_HOSTS", "")
    return frozenset(host.strip() for host in written.split(",") if host.strip())


def _known_ids(key: tuple[str, str], entries: Iterable[Applied], rows: Iterable[IntentRow]) -> set[str]:
    """Live ids of one list (instance, kind name) that the ledger has heard of and does not know to be gone."""
    at = f"{key[0]}/{key[1]}/"
    found = {live_id for e in entries if e.address.startswith(at) for live_id in (e.live_id, e.successor)}
    return found | {row.live_id for row in rows if row.op == "create" and row.address.startswith(at)}


def unplaced(project: Project, environ: Mapping[str, str]) -> list[str]:
    """Real accounts whose record would vanish with a hosted runner, by instance. Source: DESIGN §8."""
    if not environ.get("CI") or project.ledger.get("type", "sqlite") != "sqlite" or project.ledger.get("path"):
        return []
    return sorted(name for name, config in project.providers.items() if not is_emulated(config))


def is_emulated(config: ProviderConfig) -> bool:
    """Whether a provider instance is the embedded emulator or something on this machine."""
    endpoints = [value for key, value in config.settings.items() if key.lower().endswith("endpoint") and value]
    return config.embedded or all(is_loopback(str(url)) for url in endpoints if not is_pending(url))
