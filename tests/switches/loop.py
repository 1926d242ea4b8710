"""The loop of issue 1 in one process: plan, apply, plan again, change, replace, delete; and what is true after each.

It is the command line's own path (compile, session, plan, journaled apply, waits), on an emulator that asks for its
own credentials and in which other people have things. Time is the emulator's.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from reconciler.apply.book import keep_books
from reconciler.apply.run import Applier
from reconciler.apply.step import StepTools
from reconciler.cli.output import Printer
from reconciler.cli.project import load_schemas
from reconciler.cli.session import Session, World
from reconciler.diff.change import Action
from reconciler.emulator.server import Server
from reconciler.fields import Kind
from reconciler.ledger.store import Ledger
from reconciler.plan.outcome import Outcome, State
from reconciler.plan.plan import Options, Plan
from reconciler.problems import ProviderError
from reconciler.providers.base import Context, Provider
from reconciler.providers.registry import provider_types
from reconciler.secrets.fingerprint import Fingerprinter
from reconciler.secrets.sources import SecretSources
from reconciler.spec import SourceFile, Spec, compile_all
from tests.walk.bench import KINDS, MemoryLedger

__all__ = ["MODULES", "NAME", "Loop", "Stage", "Told"]

NAME: Final = "it"
"""Of the one resource."""
MODULES: Final[Mapping[str, str]] = {
    "theta/Deployment": "theta",
    "runai/Inference": "runai",
    "modelarts/Service": "modelarts-services",
    "modelarts/Notebook": "modelarts-notebooks",
}
_COLLECTIONS: Final[Mapping[str, str]] = {**{name: name for name in MODULES.values()}, "theta": "theta-deployment"} | {
    "runai": "runai/workloads"
}
_COLLECTION_PATHS: Final[Mapping[str, str]] = {
    "theta": "/deployment",
    "runai": "/inferences",
    "modelarts-services": "/services",
    "modelarts-notebooks": "/instances",
}
_OWNER: Final = "switches"
_TYPES: Final = provider_types()
_SPECS: Final[dict[tuple[str, str, str], Spec]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One edit of the spec (none: the file is gone), and how it should be brought about where nothing hinders."""

    name: str
    spec: Mapping[str, Any] | None
    action: Action
    holds: str = ""
    """A piece of what is live then, as JSON."""
    run_state: str = ""
    after_s: float = 0.0
    """Time that passes before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a person is told: the plan's action, and how it ended (`done`, or a state or reason, and a sentence)."""

    action: Action
    end: str
    message: str = ""

    def __str__(self) -> str:
        return f"{self.action} {self.end}"


@dataclass(slots=True, kw_only=True)
class Loop:
    """One project with one resource, against one emulator."""

    server: Server
    kind: Kind
    version: str = ""
    timeout: str = ""
    """Of each wait, where a case is about what never comes."""
    ledger: Ledger = field(default_factory=MemoryLedger)
    _provider: Provider | None = None
    _world: World | None = None
    """What the last plan read: it holds until something is written, or time passes."""
    _foreign: Mapping[str, Any] = field(default_factory=dict)

    # -- what is true ---------------------------------------------------------------------------------------------

    @property
    def module(self) -> str:
        return MODULES[self.kind.label]

    def stored(self) -> dict[str, dict[str, Any]]:
        """Everything of the kind's collection as the emulator keeps it."""
        emulator = self.server.emulator
        with emulator.transaction() as tx:
            return dict(tx.all(_COLLECTIONS[self.module]))

    def ours(self) -> list[dict[str, Any]]:
        """What is live and was not there before us, as the API would show it in full."""
        emulator = self.server.emulator
        module = next(module for module in emulator.modules if module.name == self.module)
        with emulator.transaction() as tx:
            found = module.state(tx)
        return [item for item in found if not _is_gone(item) and _id(item) not in self._foreign_ids]

    @property
    def _foreign_ids(self) -> set[str]:
        return {str(doc.get("number") or key) for key, doc in self._foreign.items()}

    def creates(self) -> int:
        """How many things of ours were made so far, by the log."""
        made = [entry for entry in self.writes() if entry["method"] == "POST" and entry["committed"]]
        return sum(entry["path"].endswith(_COLLECTION_PATHS[self.module]) for entry in made)

    def writes(self) -> list[dict[str, Any]]:
        """Requests so far that are no read and no log-in."""
        return [e for e in self.server.emulator.requests if e["method"] != "GET" and "token" not in e["path"]]

    def assert_foreign_untouched(self) -> None:
        """No request of ours named one of them, and each is as it was."""
        now = self.stored()
        assert {key: now.get(key) for key in self._foreign} == dict(self._foreign)
        names = [
            str(doc.get("suffix") or key)[:-1] for key, doc in self._foreign.items()
        ]  # a list may spell the end anew
        assert [e for e in self.writes() if any(name in e["path"] for name in names)] == []

    # -- what a person does ---------------------------------------------------------------------------------------

    @contextmanager
    def open(self) -> Iterator[Loop]:
        """Begin with an emulator as new; its switches are set by the caller, before this."""
        self._foreign = self.stored()
        assert self._foreign
        try:
            yield self
        finally:
            self.close()

    def close(self) -> None:
        """Give the provider's connections back."""
        if self._provider is not None:
            self._provider.close()
            self._provider = None

    def compile(self, stage: Stage) -> Spec:
        """The project at a stage."""
        lifecycle: dict[str, Any] = {"runState": stage.run_state} if stage.run_state else {}
        if self.timeout:
            lifecycle["wait"] = {"timeout": self.timeout}
        document = {
            "apiVersion": self.kind.api_version,
            "kind": self.kind.name,
            "metadata": {"name": NAME},
            **({"lifecycle": lifecycle} if lifecycle else {}),
            "spec": stage.spec,
        }
        text = json.dumps(document) if stage.spec is not None else ""
        key = (self.kind.label, self.version, text)
        if key not in _SPECS:
            instance = {"type": self.kind.type, "endpoint": "emulator", "pollInterval": "60s"}
            header = {
                "apiVersion": "reconciler/v1",
                "kind": "Project",
                "metadata": {"name": _OWNER},
                "spec": {"providers": {self.kind.type: instance | ({"version": self.version} if self.version else {})}},
            }
            schemas = load_schemas()
            _SPECS[key] = compile_all(
                SourceFile("reconciler.yaml", json.dumps(header).encode()),
                environment=None,
                settings={name: type_.settings for name, type_ in _TYPES.items()},
                resources=[SourceFile("it.yaml", text.encode())] if text else [],
                patches=[],
                kinds=list(KINDS.values()),
                schemas={name: schemas[name] for name in ("common.json", self.kind.schema)},
            )
        return _SPECS[key]

    def session(self, spec: Spec) -> Session:
        """As `open_session` makes it; the provider, with its tokens, stays for the loop as for one long apply.

        Raises:
            ProviderError: when the catalogue can't be read.
        """
        config = spec.project.providers[self.kind.type]
        if self._provider is None:
            emulator = self.server.emulator
            given = emulator.connection(self.server.url)[self.kind.type]
            written = {name: value for name, value in config.settings.items() if value is not None}
            addressed = dataclasses.replace(config, settings={**written, **given})
            context = Context(resolve=lambda name: name, clock=emulator)
            self._provider = _TYPES[self.kind.type].open(addressed, context)
        session = Session(
            root=Path(),  # of a ledger and an emulator that are files: here there are none
            spec=spec,
            printer=Printer(quiet=True),
            providers={config.name: self._provider},
            catalogues={config.name: self._provider.catalogue()},
            failed={},
            ledger=self.ledger,
            sources={config.name: SecretSources(allowed=frozenset(), environ={}, folder=None, demo=True)},
            fingerprinter=Fingerprinter(None),
            revision="",
        )
        session.check_catalogue()
        return session

    def plan(self, session: Session) -> Plan:
        """What `plan` finds now; as `apply` does, it looks again later before it believes an absence."""
        options = Options(allow_empty_spec=True)
        self._world = self._world or session.read_world()
        plan = session.plan(self._world, options)
        if any(change.reason in {"vanished", "gone"} for change in plan.changes):
            (provider,) = session.providers.values()
            provider.clock.sleep(float(provider.config.settings.get("pollInterval", 15.0)))
            self._world = session.read_world()
            plan = session.plan(self._world, options)
        return plan

    def apply(self, stage: Stage) -> Told:
        """`apply --yes` of a stage.

        Returns:
            What a person is told. A plan with a blocked or unknown change sends nothing.
        """
        if stage.after_s:
            self.server.emulator.advance(stage.after_s)
            self._world = None
        before = len(self.writes())
        try:
            session = self.session(self.compile(stage))
        except ProviderError as error:
            return Told(action=Action.UNKNOWN, end="unknown", message=str(error))
        plan = self.plan(session)
        if not plan.changes:
            return Told(action=Action.NONE, end="done")
        (change,) = plan.changes
        if change.action in {Action.BLOCKED, Action.UNKNOWN}:
            assert len(self.writes()) == before
            return Told(action=change.action, end=change.reason, message=change.message)
        outcomes = self._carry_out(session, plan)
        self._world = None
        bad = next((outcome for outcome in outcomes if outcome.state is not State.DONE), None)
        if bad is None:
            return Told(action=change.action, end="done")
        return Told(action=change.action, end=str(bad.state), message=bad.message)

    def _carry_out(self, session: Session, plan: Plan) -> tuple[Outcome, ...]:
        generations = {
            change.address: max(
                change.applied.generation if change.applied else 0,
                marker.generation if change.live and (marker := change.live.parsed_marker) else 0,
            )
            for change in plan.changes
        }
        with self.ledger.take_lease(session.owner, "") as lease:
            tools = StepTools(
                owner=session.owner,
                run_id="run",
                lease=lease,
                providers=session.providers,
                digests=plan.digests,
                generations=generations,
                fingerprint=session.fingerprint,
                window_s=session.window_s,
                versions=session.versions(),
                is_embedded=session.is_embedded,
            )
            keep_books(plan, tools)
            return Applier(plan=plan, tools=tools).run().outcomes

    def left_to_do(self, stage: Stage) -> list[str]:
        """What a second plan of the stage still finds."""
        plan = self.plan(self.session(self.compile(stage)))
        return [
            f"{change.action} {change.reason} {[str(f.path) for f in change.fields]} {change.message}"
            for change in plan.changes
            if change.action is not Action.NONE
        ]


def _id(item: Mapping[str, Any]) -> str:
    return str(item.get("service_id") or item.get("workloadId") or item.get("id") or item.get("ID"))


def _is_gone(item: Mapping[str, Any]) -> bool:
    return bool(item.get("DeletedAt") or item.get("deletedAt") or item.get("status") == "deleting")
