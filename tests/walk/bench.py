"""The rooms of an apply in one process: a spec goes in, and the emulator behind real HTTP is what comes out.

It is the command line's own path (compile, session, plan, journaled apply) without its start and its printing: a walk
over all fields runs it more than a thousand times. Time is the emulator's, and the ledger is in memory: nobody waits.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from reconciler.apply.book import keep_books
from reconciler.apply.run import Applier
from reconciler.apply.step import StepTools
from reconciler.cli.output import Printer
from reconciler.cli.project import load_schemas
from reconciler.cli.session import Session, World
from reconciler.diff.change import Change
from reconciler.diff.live import Applied, Listing, Live, owner_hash
from reconciler.emulator.server import Emulator, Server
from reconciler.fields import Kind
from reconciler.ledger.journal import IntentRow, IntentState, Run, RunStatus, Tombstone
from reconciler.ledger.store import Lease, Ledger
from reconciler.plan.outcome import State
from reconciler.plan.plan import Options, Plan
from reconciler.providers.base import Catalogue, Context, Provider
from reconciler.providers.registry import provider_types
from reconciler.secrets.fingerprint import Fingerprinter
from reconciler.secrets.sources import SecretSources
from reconciler.spec import SourceFile, Spec, compile_all
from reconciler.spec.resource import ProviderConfig

__all__ = ["KINDS", "NAME", "SECRETS", "Bench", "MemoryLedger", "Walker"]

NAME: Final = "it"
"""Of the one resource that a walker has."""
_LIVE: Final = ("theta-deployment", "runai/workloads", "modelarts-services", "modelarts-notebooks")
"""The emulator's collections of live things."""
_SETTLED_S: Final = 600.0
"""Time after an apply, so that nobody has to look on while something comes up: that says nothing about a field."""
SECRETS: Final = ("FIRST", "SECOND")
_OWNER: Final = "walk"
_OURS: Final = f"rc1.{owner_hash(_OWNER)}."
_TYPES: Final = provider_types()
KINDS: Final = {kind.label: kind for type_ in _TYPES.values() for kind in type_.kinds}


class MemoryLedger:
    """A `Ledger` of one owner, and its `Lease`, for as long as a test runs."""

    location, notes, owner, epoch = "memory", (), "", 1

    def __init__(self) -> None:
        self._entries: dict[str, Applied] = {}
        self._intents: dict[int, IntentRow] = {}
        self._closed: list[IntentRow] = []
        self._stones: list[Tombstone] = []
        self._numbers = itertools.count(1)

    def entries(self, owner: str) -> dict[str, Applied]:
        del owner
        return dict(sorted(self._entries.items()))

    def open_intents(self, owner: str) -> tuple[IntentRow, ...]:
        del owner
        return tuple(self._intents.values())

    def intent_of(self, owner: str, op_id: str) -> IntentRow | None:
        del owner
        return next((row for row in (*self._intents.values(), *self._closed) if row.op_id == op_id), None)

    def journal(self, owner: str) -> tuple[IntentRow, ...]:
        del owner
        return (*self._closed, *self._intents.values())

    def dump(self, owner: str) -> str:
        raise NotImplementedError

    def restore(self, text: str) -> None:
        raise NotImplementedError

    def unlock(self, owner: str) -> str:
        raise NotImplementedError

    def tombstones(self, owner: str) -> tuple[Tombstone, ...]:
        del owner
        return tuple(self._stones)

    def runs(self, owner: str, limit: int = 0) -> tuple[Run, ...]:
        del owner, limit
        return ()

    def is_cold(self, owner: str) -> bool:
        del owner
        return False

    def trusted(self, owner: str) -> dict[str, float]:
        del owner
        return {}

    def take_lease(self, owner: str, holder: str, *, wait_s: float = 0.0, margin_s: float = 0.0) -> Lease:
        del holder, wait_s, margin_s
        self.owner = owner
        return self

    def check(self) -> None:
        pass

    def begin_run(self, run: Run) -> None:
        pass

    def end_run(self, run_id: str, status: RunStatus, now: float) -> None:
        pass

    def intend(self, row: IntentRow) -> int:
        number = next(self._numbers)
        self._intents[number] = dataclasses.replace(row, id=number)
        return number

    def note_evidence(self, intent_id: int, live_id: str, evidence: Mapping[str, str]) -> None:
        row = self._intents[intent_id]
        self._intents[intent_id] = dataclasses.replace(row, live_id=live_id, evidence=evidence)

    def close_intent(
        self,
        intent_id: int,
        state: IntentState,
        *,
        live_id: str = "",
        evidence: Mapping[str, str] | None = None,
        note: str = "",
        entry: Applied | None = None,
        forget: str = "",
        tombstone: Tombstone | None = None,
    ) -> None:
        del state, live_id, evidence, note
        self._closed.append(self._intents.pop(intent_id))
        self._entries.pop(forget, None)
        if entry is not None:
            self.put_entry(entry)
        if tombstone is not None:
            self._stones.append(tombstone)

    def put_entry(self, entry: Applied) -> None:
        self._entries[entry.address] = entry

    def forget(self, address: str, tombstone: Tombstone | None = None) -> None:
        self._entries.pop(address, None)
        if tombstone is not None:
            self._stones.append(tombstone)

    def rename(self, moves: Mapping[str, str]) -> None:
        taken = {new: dataclasses.replace(self._entries.pop(old), address=new) for old, new in moves.items()}
        self._entries.update(taken)

    def trust(self, scope: str, *, by: str, now: float) -> None:
        """Nothing here is ever in doubt."""

    def release(self) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        pass


@dataclass(slots=True)
class Bench:
    """What all walks of one worker share: the emulator's socket, and the open connections of each provider."""

    folder: Path
    server: Server = field(default_factory=lambda: Server(Emulator(None, open_to_all=True)).start())
    providers: dict[tuple[str, str], Provider] = field(default_factory=dict)

    def walker(self, kind: Kind, version: str = "") -> Walker:
        """A project with one resource, on an emulator as new and with nothing live."""
        emulator = self.server.emulator
        emulator.reset()
        with emulator.transaction() as tx:
            for collection in _LIVE:
                for key, _ in tx.all(collection):
                    tx.delete(collection, key)
        if version:
            emulator.set_switches({"runai": {"version": version}})
        return Walker(bench=self, kind=kind, version=version)

    def close(self) -> None:
        """Give connections and port back."""
        for provider in self.providers.values():
            provider.close()
        self.server.stop()


@dataclass(slots=True, kw_only=True)
class Walker:
    """One resource of one kind on its way through several specs."""

    bench: Bench
    kind: Kind
    version: str
    ledger: Ledger = field(default_factory=MemoryLedger)
    _world: World | None = None
    _compiled: dict[str, Spec] = field(default_factory=dict)
    _plans: dict[str, Plan] = field(default_factory=dict)

    @property
    def emulator(self) -> Emulator:
        return self.bench.server.emulator

    def compile(self, spec: Mapping[str, Any] | None) -> Spec:
        """One document with this `spec`, or none at all.

        Raises:
            SpecError: when it is not valid for this kind and release.
        """
        instance = {
            "type": self.kind.type,
            "endpoint": "emulator",
            **({"version": self.version} if self.version else {}),
        }
        header = {
            "apiVersion": "reconciler/v1",
            "kind": "Project",
            "metadata": {"name": _OWNER},
            "spec": {"secrets": list(SECRETS), "providers": {self.kind.type: instance}},
        }
        document = {
            "apiVersion": self.kind.api_version,
            "kind": self.kind.name,
            "metadata": {"name": NAME},
            "lifecycle": {"wait": {"for": "none"}},
            "spec": spec,
        }
        schemas, text = load_schemas(), json.dumps(document)
        if text not in self._compiled:
            self._compiled[text] = compile_all(
                SourceFile("reconciler.yaml", json.dumps(header).encode()),
                environment=None,
                settings={name: type_.settings for name, type_ in _TYPES.items()},
                resources=[SourceFile("it.yaml", text.encode())] if spec is not None else [],
                patches=[],
                kinds=list(KINDS.values()),
                schemas={name: schemas[name] for name in ("common.json", self.kind.schema)},
            )
        return self._compiled[text]

    def session(self, spec: Spec) -> Session:
        """As `open_session` makes it, with providers that stay open from one command to the next."""
        config = spec.project.providers[self.kind.type]
        sources = SecretSources(allowed=spec.project.secrets, environ={}, folder=None, demo=True)
        provider = self._provider(config)
        return Session(
            root=self.bench.folder,
            spec=spec,
            printer=Printer(quiet=True),
            providers={config.name: provider},
            catalogues={config.name: provider.catalogue()},
            failed={},
            ledger=self.ledger,
            sources={config.name: sources},
            fingerprinter=Fingerprinter("a-key-for-tests"),
            revision="",
        )

    def _provider(self, config: ProviderConfig) -> Provider:
        key = (self.kind.type, self.version)
        if key not in self.bench.providers:
            given = self.emulator.connection(self.bench.server.url)[self.kind.type]
            written = {name: value for name, value in config.settings.items() if value is not None}
            addresses = {name: value for name, value in given.items() if name.lower().endswith("endpoint")}
            addressed = dataclasses.replace(config, settings={**given, **written, **addresses})
            context = Context(resolve=lambda name: f"demo-{name}", clock=self.emulator)
            self.bench.providers[key] = _TYPES[config.type].open(addressed, context)
        return self.bench.providers[key]

    def plan(self, spec: Mapping[str, Any] | None) -> Plan:
        """What `reconciler plan` finds; live state is read once after each apply, and each spec planned once on it.

        Raises:
            SpecError: for a spec that is not valid, or that asks for what the provider does not have.
        """
        compiled = self.compile(spec)
        if compiled.digest not in self._plans:
            session = self.session(compiled)
            session.check_catalogue()
            self._plans[compiled.digest] = session.plan(self._read_world(session), Options(allow_empty_spec=True))
        return self._plans[compiled.digest]

    def _read_world(self, session: Session) -> World:
        if self._world is None:
            self._world = session.read_world()
        return self._world

    def change(self, spec: Mapping[str, Any]) -> Change:
        """The plan's one change."""
        (change,) = self.plan(spec).changes
        return change

    def apply(self, spec: Mapping[str, Any] | None) -> None:
        """What `reconciler apply --yes` does; every step must be done."""
        plan = self.plan(spec)
        session = self.session(plan.spec)
        with self.ledger.take_lease(session.owner, "") as lease:
            tools = StepTools(
                owner=session.owner,
                run_id="run",
                lease=lease,
                providers=session.providers,
                digests=plan.digests,
                generations=_generations(plan),
                fingerprint=session.fingerprint,
                window_s=session.window_s,
                versions=session.versions(),
                is_embedded=session.is_embedded,
            )
            keep_books(plan, tools)
            report = Applier(plan=plan, tools=tools).run()
        self.emulator.advance(_SETTLED_S)
        self._world = None
        self._plans.clear()
        failed = [outcome.message for outcome in report.outcomes if outcome.state is not State.DONE]
        assert not failed, failed

    def writes(self) -> list[dict[str, Any]]:
        """Requests so far that are no read and no log-in."""
        return [e for e in self.emulator.requests if e["method"] != "GET" and "token" not in e["path"]]

    def catalogue(self) -> Catalogue:
        """What the provider offers, read anew."""
        known = self.bench.providers.pop((self.kind.type, self.version), None)
        if known is not None:
            known.close()
        return self.session(self.compile(None)).catalogues[self.kind.type]

    def listing(self) -> Listing:
        """All of the kind, as the provider reads it now."""
        provider = next(iter(self.session(self.compile(None)).providers.values()))
        return provider.read_all(self.kind)

    def live(self) -> Live:
        """The one live item of ours, as it was read last."""
        listings = self._read_world(self.session(self.compile(None))).listings
        (item,) = (item for item in listings[(self.kind.type, self.kind.name)].items if item.marker.startswith(_OURS))
        return item


def _generations(plan: Plan) -> dict[str, int]:
    found = {}
    for change in plan.changes:
        marker = change.live.parsed_marker if change.live is not None else None
        known = (change.applied.generation if change.applied else 0, marker.generation if marker else 0)
        found[change.address] = max(known)
    return found
