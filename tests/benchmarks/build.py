"""Makes a project whose resources are live and applied, then edits 1 % of them: `python -m tests.benchmarks.build`.

The writes go to the emulator as the providers make them (`Provider.calls`, `Provider.send`), and the ledger's entries
are those that an apply leaves. Only the waiting and the journal of 10,000 creates are left out. The snapshot comes from
`reconciler snapshot`.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from reconciler.apply.record import entry_for, new_marker
from reconciler.cli.output import Printer
from reconciler.cli.project import ProjectFiles, load_spec
from reconciler.cli.session import Session, open_session
from reconciler.diff.change import Action, Change
from reconciler.diff.live import Applied, Live, Marker, resource_hash
from reconciler.ledger.journal import dump
from reconciler.ledger.state import LEDGER_FORMAT
from reconciler.ledger.tables import SCHEMA_VERSION
from reconciler.spec.resource import Resource
from reconciler.spec.values import KnownAfterApply, SecretRef, fill
from tests.benchmarks import corpus

__all__ = ["build"]

_WORKERS: Final = 4
_BATCH: Final = 100
_MADE: Final = ("theta-deployment", "runai/workloads", "modelarts-services", "modelarts-notebooks")
"""The emulator's collections that a create looks through."""
_UNTIL_READY_S: Final = 7200.0


def build(root: Path, size: int, seed: int) -> None:
    """A project in an empty folder: `live.json`, the ledger and the emulator's state say that all of it was applied."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "reconciler.yaml").write_text(corpus.project_file(), encoding="utf-8")
    corpus.write(root, size, seed)
    _apply(root)
    # As a process of its own: so it is what a person gets.
    subprocess.run(
        [sys.executable, "-m", "reconciler", "snapshot", "--out", str(root / "live.json"), "-C", str(root)], check=True
    )
    corpus.write(root, size, seed, changed=True)


def _apply(root: Path) -> None:
    """Create everything, and write down that it was applied."""
    spec = load_spec(ProjectFiles(root=root))
    with open_session(spec, root, Printer()) as session:
        known: dict[str, Mapping[str, str]] = {}
        entries: dict[str, Applied] = {}
        # By name, so that each batch has all kinds. What others refer to comes first, and refers to nothing itself.
        named = sorted(spec.resources, key=lambda one: one.ref.name)
        for resources in ([one for one in named if not one.edges], [one for one in named if one.edges]):
            made: dict[str, tuple[Resource, Marker]] = {}
            for begin in range(0, len(resources), _BATCH):
                made |= _create(session, resources[begin : begin + _BATCH], known)
                _put_aside(root)
            _put_back(root)
            for entry, live in _read_back(session, made):
                entries[entry.address] = entry
                known[entry.address] = live.outputs
        data = {address: json.loads(dump(entry)) for address, entry in sorted(entries.items())}
        text = json.dumps({"format": LEDGER_FORMAT, "schema": SCHEMA_VERSION, "entries": data})
        with session.ledger.take_lease(session.owner, "benchmark") as lease:
            lease.restore(text)


def _put_aside(root: Path) -> None:
    """Hide what was made: the emulator looks through everything of a kind at each create, which grows to minutes."""
    _move(root, "UPDATE doc SET collection = 'aside/' || collection WHERE collection IN (?, ?, ?, ?)", _MADE)


def _put_back(root: Path) -> None:
    _move(root, "UPDATE doc SET collection = substr(collection, 7) WHERE collection LIKE 'aside/%'", ())


def _move(root: Path, statement: str, values: Sequence[str]) -> None:
    connection = sqlite3.connect(root / ".reconciler" / "emulator.db", timeout=30)
    with connection:
        connection.execute(statement, values)
    connection.close()


def _create(
    session: Session, resources: Sequence[Resource], known: Mapping[str, Mapping[str, str]]
) -> dict[str, tuple[Resource, Marker]]:
    """Send the creates; hash of the address → the resource as it was sent, and its marker."""
    made: dict[str, tuple[Resource, Marker]] = {}

    def filled(value: SecretRef | KnownAfterApply) -> Any:
        return known[value.address][value.attribute] if isinstance(value, KnownAfterApply) else value

    def send(resource: Resource) -> None:
        sent = dataclasses.replace(resource, spec=fill(resource.spec, filled))
        marker = new_marker(sent, sent.spec, owner=session.owner, generation=1)
        change = Change(
            address=sent.address, kind=sent.kind, action=Action.CREATE, reason="new", message="", desired=sent
        )
        provider = session.providers[sent.ref.provider]
        for call in provider.calls(change, str(marker)):
            provider.send(call)
        made[resource_hash(sent.address)] = (sent, marker)

    with ThreadPoolExecutor(_WORKERS) as pool:
        list(pool.map(send, resources))
    return made


def _read_back(session: Session, made: Mapping[str, tuple[Resource, Marker]]) -> Iterable[tuple[Applied, Live]]:
    """Entries as an apply leaves them, once everything is ready, and what they are about."""
    wanted = {(one.ref.provider, one.kind.name): one.kind for one, _ in made.values()}
    for provider in session.providers.values():
        provider.clock.sleep(_UNTIL_READY_S)
        break  # there is one emulator
    for (name, _), kind in wanted.items():
        provider = session.providers[name]
        for live in provider.read_all(kind).items:
            parsed = live.parsed_marker
            if parsed is None or parsed.resource not in made:
                continue
            resource, marker = made[parsed.resource]
            if resource.kind != kind:
                continue
            now_s = provider.clock.now()
            facts = {"marker": str(marker), "generation": 1, "created_at": now_s, "ready": True, "run": "benchmark"}
            yield (
                entry_for(
                    resource, resource.spec, live=live, before=None, fingerprint=lambda _: "", now_s=now_s, **facts
                ),
                live,
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("--size", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    build(asked.root, asked.size, asked.seed)
