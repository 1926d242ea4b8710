"""The proof of an import: its result is compiled and planned as the project would, on the live state it was made of."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from reconciler.cli.project import ProjectFiles, load_schemas, load_spec
from reconciler.cli.session import Session, World
from reconciler.diff.change import Action, Change
from reconciler.diff.draft import Draft, Wishes, draft
from reconciler.diff.fieldbook import FieldBook
from reconciler.diff.live import Live
from reconciler.plan.plan import Options
from reconciler.problems import Problem, SpecError
from reconciler.spec import SourceFile, Spec
from reconciler.spec.output import document_yaml
from reconciler.spec.values import SecretRef, pending_in

__all__ = ["Proof", "prove"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What an import wrote, and what a plan of it says.

    Attributes:
        drafts, texts: By path.
        problems: What is not valid.
        invalid: Paths whose text is not valid as it is; the others were planned.
        changes: What the plan would do about each of those.
    """

    drafts: Mapping[str, Draft]
    texts: Mapping[str, str]
    problems: tuple[Problem, ...] = ()
    invalid: frozenset[str] = frozenset()
    changes: tuple[Change, ...] = ()

    @property
    def valid(self) -> dict[str, str]:
        """Path → text, of those that a project can read."""
        return {path: text for path, text in self.texts.items() if path not in self.invalid}

    @property
    def secrets(self) -> dict[str, str]:
        """Name of each new secret → address and field that it stands for."""
        drafts = self.drafts.values()
        return {name: f"{one.resource.address}: {path}" for one in drafts for name, path in one.secrets.items()}

    @property
    def guessed(self) -> frozenset[str]:
        """Those of which the API shows the value."""
        return frozenset(name for one in self.drafts.values() for name in one.guessed)

    @property
    def differing(self) -> tuple[Change, ...]:
        """What the plan would do beside taking over."""
        return tuple(change for change in self.changes if not _only_adopts(change))

    @property
    def is_clean(self) -> bool:
        """Valid, and adoption only."""
        return not self.problems and not self.differing


def _only_adopts(change: Change) -> bool:
    is_kept = change.action is Action.ADOPT or (change.action is Action.NONE and change.reason != "expired")
    return is_kept and not change.fields and not change.run_state


def prove(
    session: Session,
    world: World,
    where: ProjectFiles,
    files: Mapping[str, tuple[Live, str]],
    known: Mapping[str, str],
) -> Proof:
    """Draft, compile, plan; then again with what that asked for, until nothing more can be done.

    Args:
        session: With the project's own spec.
        world: As it was read.
        where: The project.
        files: Path → live item and its name.
        known: Value → name, of the project's secrets that are set.
    """
    desk = _Desk(session, world, where, files, known)
    while True:
        proof = desk.proof()
        if not desk.learn(proof):
            return proof


@dataclass(slots=True)
class _Desk:
    session: Session
    world: World
    where: ProjectFiles
    files: Mapping[str, tuple[Live, str]]
    known: Mapping[str, str]
    book: FieldBook = field(default_factory=lambda: FieldBook(load_schemas()))
    wishes: dict[str, Wishes] = field(default_factory=dict)
    tried: set[str] = field(default_factory=set)
    """Paths that were once written in full, because they were not valid without defaults."""
    given_up: dict[str, tuple[Problem, ...]] = field(default_factory=dict)
    """Paths that are not valid either way, and why."""

    def proof(self) -> Proof:
        drafts = self._drafts()
        project = self.session.spec.project
        types = [config.type for config in project.providers.values()]
        texts = {
            path: document_yaml(one.resource, provider=types.count(one.resource.kind.type) > 1)
            for path, one in drafts.items()
        }
        known = tuple(problem for told in self.given_up.values() for problem in told)
        found = Proof(drafts=drafts, texts=texts, invalid=frozenset(self.given_up), problems=known)
        try:
            spec = self._compiled(drafts, found.valid)
            session = dataclasses.replace(self.session, spec=spec)
            session.check_catalogue()
        except SpecError as error:
            return dataclasses.replace(found, problems=(*known, *error.problems))
        addresses = {drafts[path].resource.address for path in found.valid}
        plan = session.plan(self.world, Options(selected=lambda address, _labels: address in addresses))
        changes = tuple(change for change in plan.changes if change.address in addresses)
        return dataclasses.replace(found, changes=changes)

    def _drafts(self) -> dict[str, Draft]:
        taken = set(_names_in_use(self.session.spec))
        versions = self.session.versions()
        redact = self.session.printer.redactor.redact
        found = {}
        for path, (item, name) in self.files.items():
            found[path] = draft(
                item,
                name,
                book=self.book,
                version=versions.get(item.provider, ""),
                is_secret=lambda text: redact(text) != text,
                known=self.known,
                taken=taken,
                wishes=self.wishes.get(path),
            )
            taken |= found[path].secrets.keys()
        return found

    def _compiled(self, drafts: Mapping[str, Draft], texts: Mapping[str, str]) -> Spec:
        names = frozenset(name for path in texts for name in drafts[path].secrets)
        sources = tuple(SourceFile(path, text.encode()) for path, text in texts.items())
        return load_spec(dataclasses.replace(self.where, beside=sources, secrets=names))

    def learn(self, proof: Proof) -> bool:
        """Whether another draft may do better: with defaults where they are needed, without those of the project."""
        paths = {one.resource.address: path for path, one in proof.drafts.items()}
        told: dict[str, list[Problem]] = {}
        for problem in proof.problems[sum(map(len, self.given_up.values())) :]:
            path = paths.get(problem.address, problem.origin.file if problem.origin else "")
            told.setdefault(path, []).append(problem)
        ours = told.keys() & self.files.keys() - self.given_up.keys()
        for path in ours:
            if path in self.tried:
                self.given_up[path] = tuple(told[path])
            self.wishes[path] = dataclasses.replace(self.wishes.get(path, Wishes()), full=path not in self.tried)
            self.tried.add(path)
        before = dict(self.wishes)
        for change in proof.changes:
            path = paths[change.address]
            self.wishes[path] = _wishes(self.wishes.get(path, Wishes()), proof.drafts[path], change)
        return bool(ours) or self.wishes != before


def _wishes(before: Wishes, one: Draft, change: Change) -> Wishes:
    """What to write so that the project's own defaults change nothing."""
    kept = {diff.path.pattern for diff in change.fields if diff.path.pattern in one.left_out}
    emptied = {diff.path for diff in change.fields if diff.path.pattern not in one.left_out and diff.before is None}
    return dataclasses.replace(
        before,
        kept=before.kept | kept,
        emptied=before.emptied | emptied,
        run_state=before.run_state or bool(change.run_state),
    )


def _names_in_use(spec: Spec) -> Iterator[str]:
    """Secrets that mean something already: credentials, and those of other resources."""
    settings = [value for config in spec.project.providers.values() for value in config.settings.values()]
    yield from _secrets(settings)
    yield from _secrets(resource.spec for resource in spec.resources)


def _secrets(values: Iterable[object]) -> Iterator[str]:
    return (found.name for value in values for found in pending_in(value) if isinstance(found, SecretRef))
