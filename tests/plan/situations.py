"""Situations: a project, what happened to it before, and the plan that follows. In one process, behind real HTTP.

A folder of `tests/golden/plans` is a project as it stands now. Beside it are `story.yaml`, the steps that led here, and
`applied/`, files as they were when they were applied. Steps, in order, each with its one word:

    apply: {folder: applied, without: [resources/new.yaml], environment: dev, options: {…}}
        `apply --yes` of the project, with the files of a folder on top and some of its own left out; all may be left
        out. Ten minutes pass after it. With `fails: true` it does not come to its end.
    request: {to: runai, method: PATCH, path: /api/…/id-llm, body: {…}}
        Somebody else sends a request to a provider.
    repeat: {to: theta, method: POST, path: /deployment}
        The last such request of ours is sent once more.
    pass: 3600
        Seconds go by.
    switches, faults
        The emulator's, as its control routes take them.
    secrets: {HF_TOKEN: …}
        Values from now on; one that is not given is the emulator's own.
    lose: ledger
        It is gone, as on a new runner.
    plan: {environment: prod, options: {max_deletes: 3}}
        What the pictured plan is asked with, where that is not nothing.

What a run makes up is written in stable words, in the files as well as in the plan: the id of what is called `llm` is
`id-llm` everywhere, and `id-llm-2` is the next one that was made under that name.
"""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import yaml

from reconciler.apply.book import keep_books
from reconciler.apply.run import Applier
from reconciler.apply.step import StepTools
from reconciler.cli.drift import last_run
from reconciler.cli.looks import trust
from reconciler.cli.options import max_deletes
from reconciler.cli.output import Printer
from reconciler.cli.project import ProjectFiles, load_spec
from reconciler.cli.session import Session
from reconciler.emulator.server import Server
from reconciler.ledger.journal import Run, RunStatus
from reconciler.ledger.store import open_ledger
from reconciler.plan.drift import drift_of
from reconciler.plan.outcome import Report, State
from reconciler.plan.plan import Options, Plan
from reconciler.problems import ProviderError
from reconciler.providers.base import Context, Provider
from reconciler.providers.registry import provider_types
from reconciler.render import machine, markdown, text
from reconciler.render.drift import drift_json
from reconciler.secrets.fingerprint import Fingerprinter
from reconciler.secrets.sources import SecretSources
from reconciler.spec import Spec
from reconciler.spec.resource import ProviderConfig
from tests.plan.words import WHEN, Words

__all__ = ["Situation", "pictured"]

_SETTLED_S: Final = 600.0
_PICTURES: Final = (*(f"{of}.{form}" for of in ("plan", "drift") for form in ("txt", "json", "md")), "story.yaml")
_TYPES: Final = provider_types()


def _revision(number: int) -> str:
    return hashlib.sha256(f"revision {number}".encode()).hexdigest()[:40]


@dataclass(slots=True, kw_only=True)
class Situation:
    """One folder's project, on an emulator as new."""

    folder: Path
    server: Server
    place: Path
    """Where its files and its ledger are for as long as the test runs."""
    _runs: int = 0
    _given: dict[str, str] = field(default_factory=dict)
    _words: Words = field(default_factory=Words)
    _asked: Mapping[str, Any] = field(default_factory=dict)
    _providers: list[Provider] = field(default_factory=list)

    def picture(self) -> dict[str, Any]:
        """Live through the story; the plan at its end as JSON, in stable words."""
        self._live_through()
        with self._session(**self._where()) as session:
            plan = session.plan(session.read_world(), _options(self._asked))
            data = machine.with_texts(machine.plan_json(plan), session.printer.redactor.redact)
        self._words.learn(self.server.emulator.state())
        return self._words.steady(data, plan)

    def drift(self) -> dict[str, Any]:
        """Live through the story; the drift at its end as JSON, in stable words."""
        self._live_through()
        with self._session(**self._where()) as session:
            world = session.read_world()
            plan = session.plan(world, _options(self._asked))
            runs = session.ledger.runs(session.owner)
            drift = drift_of(
                plan,
                world.listings,
                world.entries,
                released=world.released,
                last_run=last_run(runs),
                checked_at=WHEN + _SETTLED_S,
            )
            data = machine.with_texts(drift_json(drift), session.printer.redactor.redact)
        self._words.learn(self.server.emulator.state())
        return self._words.steady(data, plan)

    def _where(self) -> dict[str, Any]:
        return {key: value for key, value in self._asked.items() if key != "options"}

    def _live_through(self) -> None:
        self.server.emulator.reset()
        steps: Mapping[str, Callable[[Any], None]] = {
            "apply": self._apply,
            "request": self._request,
            "repeat": self._repeat,
            "pass": self._pass,
            "switches": self.server.emulator.set_switches,
            "faults": self.server.emulator.faults.replace,
            "secrets": self._given.update,
            "lose": self._lose,
            "plan": self._ask,
        }
        story = self.folder / "story.yaml"
        for step in yaml.safe_load(story.read_text(encoding="utf-8")) if story.is_file() else ():
            ((word, what),) = step.items()
            steps[word](what if what is not None else {})

    # -- steps of a story -----------------------------------------------------------------------------------------

    def _ask(self, asked: Mapping[str, Any]) -> None:
        self._asked = asked

    def _apply(self, how: Mapping[str, Any]) -> None:
        where = {key: value for key, value in how.items() if key not in {"options", "fails"}}
        with self._session(**where) as session:
            self._runs += 1
            world = session.read_world()
            plan = session.plan(world, _options(how))
            report = self._carry_out(session, plan)
            told = [outcome.message for outcome in report.outcomes if outcome.state is not State.DONE]
            told += [change.message for change in plan.changes if change.action in {"blocked", "unknown"}]
            assert bool(told) == how.get("fails", False), told
            with session.ledger.take_lease(session.owner, "") as lease:
                trust(session, lease, report, world, session.read_world())
        self._words.learn(self.server.emulator.state())
        self.server.emulator.advance(_SETTLED_S)

    def _carry_out(self, session: Session, plan: Plan) -> Report:
        run_id = f"run-{self._runs}"
        run = Run(id=run_id, owner=session.owner, started=WHEN, revision=session.revision, plan_digest=plan.digest)
        with session.ledger.take_lease(session.owner, "") as lease:
            lease.begin_run(run)
            tools = StepTools(
                owner=session.owner,
                run_id=run_id,
                lease=lease,
                providers=session.providers,
                digests=plan.digests,
                generations={c.address: c.applied.generation if c.applied else 0 for c in plan.changes},
                fingerprint=session.fingerprint,
                window_s=session.window_s,
                versions=session.versions(),
                is_embedded=session.is_embedded,
                revision=session.revision,
            )
            keep_books(plan, tools)
            report = Applier(plan=plan, tools=tools).run()
            lease.end_run(run_id, RunStatus.DONE, WHEN)
        return report

    def _request(self, wish: Mapping[str, Any]) -> None:
        self._words.learn(self.server.emulator.state())
        given = self.server.emulator.connection(self.server.url)[wish["to"]]
        reply = httpx.request(
            wish["method"],
            given["endpoint"] + self._words.filled(wish["path"]),
            params=wish.get("query"),
            json=wish.get("body"),
            headers=self._credentials(wish["to"], given),
            trust_env=False,
        )
        assert reply.status_code < 300, reply.text
        self.server.emulator.advance(_SETTLED_S)

    def _credentials(self, to: str, given: Mapping[str, str]) -> dict[str, str]:
        if to == "theta":
            return {"x-api-key": given["apiKey"]}
        if to == "modelarts":
            return {"X-Auth-Token": "somebody's"}
        asked = {
            "grantType": "client_credentials",
            "clientId": given["clientId"],
            "clientSecret": given["clientSecret"],
        }
        token = httpx.post(f"{given['endpoint']}/api/v1/token", json=asked, trust_env=False).json()["accessToken"]
        return {"Authorization": f"Bearer {token}"}

    def _repeat(self, which: Mapping[str, Any]) -> None:
        sent = [
            entry
            for entry in self.server.emulator.requests
            if entry["method"] == which["method"] and entry["path"] == which["path"] and entry["committed"]
        ]
        self._request({**which, "query": sent[-1]["query"], "body": sent[-1]["body"]})

    def _pass(self, seconds: float) -> None:
        self.server.emulator.advance(seconds)

    def _lose(self, what: str) -> None:
        for file in (self.place / "home").rglob(f"{what}.db*"):
            file.unlink()

    # -- a command's session --------------------------------------------------------------------------------------

    def _files(self, folder: str, without: tuple[str, ...]) -> Path:
        """The project with the files of a folder on top, in which the words for ids are ids."""
        root = self.place / "project"
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(self.folder, root, ignore=shutil.ignore_patterns(*_PICTURES, "applied*"))
        if folder:
            shutil.copytree(self.folder / folder, root, dirs_exist_ok=True)
        for name in without:
            (root / name).unlink()
        self._words.learn(self.server.emulator.state())
        for file in root.rglob("*.yaml"):
            file.write_text(self._words.filled(file.read_text(encoding="utf-8")), encoding="utf-8")
        return root

    @contextmanager
    def _session(
        self, *, folder: str = "", without: tuple[str, ...] = (), environment: str | None = None
    ) -> Iterator[Session]:
        """As `open_session` makes it, but for the emulator, which is ours, and for what is made up."""
        spec = load_spec(ProjectFiles(root=self._files(folder, without), environment=environment))
        printer = Printer(quiet=True, environ={})
        sources = SecretSources(
            allowed=spec.project.secrets,
            environ=self._given,
            folder=None,
            demo=True,
            on_resolve=printer.redactor.add,
        )
        providers = {name: self._open(config, sources) for name, config in spec.project.providers.items()}
        try:
            yield self._made(spec, printer, sources, providers)
        finally:
            for provider in providers.values():
                provider.close()

    def _made(self, spec: Spec, printer: Printer, sources: SecretSources, providers: Mapping[str, Provider]) -> Session:
        catalogues, failed = {}, {}
        for name, provider in providers.items():
            try:
                catalogues[name] = provider.catalogue()
            except ProviderError as error:
                failed[name] = str(error)
        session = Session(
            root=self.place,
            spec=spec,
            printer=printer,
            providers=providers,
            catalogues=catalogues,
            failed=failed,
            ledger=open_ledger(spec.project.ledger, self.place / "home"),
            sources=dict.fromkeys(providers, sources),
            fingerprinter=Fingerprinter("a-key-for-tests"),
            revision=_revision(self._runs + 1),
        )
        session.check_catalogue()
        return session

    def _open(self, config: ProviderConfig, sources: SecretSources) -> Provider:
        emulator = self.server.emulator
        given = emulator.connection(self.server.url)[config.type]
        written = {name: value for name, value in config.settings.items() if value is not None}
        addresses = {name: value for name, value in given.items() if name.lower().endswith("endpoint")}
        addressed = dataclasses.replace(config, settings={**given, **written, **addresses})
        return _TYPES[config.type].open(addressed, Context(resolve=sources.resolve, clock=emulator))


def _options(asked: Mapping[str, Any]) -> Options:
    given = dict(asked.get("options", {}))
    if "max_deletes" in given:
        given["max_deletes"] = max_deletes(str(given["max_deletes"]))
    if "allowed_policies" in given:
        given["allowed_policies"] = frozenset(given["allowed_policies"])
    return Options(**given)


def pictured(data: Mapping[str, Any]) -> dict[str, str]:
    """File name → the plan in that form, as `reconciler plan -o …` writes it."""
    return {
        "plan.txt": text.plan_text(data),
        "plan.json": machine.dump(data),
        "plan.md": markdown.plan_markdown(data, title=data["owner"]),
    }
