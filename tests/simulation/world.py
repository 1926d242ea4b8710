"""One seed's world: emulator, network, product, processes, and what is known of who owns what."""

from __future__ import annotations

import json
import os
import random
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.simulation.laws import CANARY, watch
from tests.simulation.network import Network, Weather
from tests.simulation.product import Product
from tests.simulation.sched import Process, Scheduler
from tests.simulation.server import SimEmulator
from tests.simulation.specs import OWNER, Design, Thing, compile_design, credentials
from tests.simulation.truth import COLLECTIONS, KINDS, Item, items, owner_mark, resource_mark, stored

__all__ = ["World"]

_START_S: Final = 1_800_000_000.0
_OURS: Final = owner_mark(OWNER)


@dataclass(slots=True)
class World:
    """Everything of one seed.

    Attributes:
        foreign: Kind → ids of what is not ours.
        markers_readable: Whether Theta's lists show our markers.
        ledger: How many ledgers there were before this one.
        lost: Whether a ledger was ever lost.
    """

    seed: int
    rng: random.Random = field(init=False)
    scheduler: Scheduler = field(init=False)
    emulator: SimEmulator = field(init=False)
    network: Network = field(init=False)
    product: Product = field(init=False)
    trace: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    processes: dict[str, Process] = field(default_factory=dict)
    foreign: dict[str, set[str]] = field(default_factory=dict)
    expected_foreign: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    markers_readable: bool = True
    ledger: int = 0
    applied: dict[int, set[str]] = field(default_factory=dict)
    """Ledger → lineages that a run on it had in its spec."""
    lineages: dict[str, str] = field(default_factory=dict)
    """Address → the first address that this thing had."""
    seen: dict[str, dict[str, Item]] = field(default_factory=dict)
    """Kind → id → the item as it last was."""
    born_on: dict[str, int] = field(default_factory=dict)
    """Id → the ledger under which it was made."""
    taken_s: dict[str, float] = field(default_factory=dict)
    """Lineage → when somebody last deleted one of it by hand."""
    writes: int = 0
    crashes: int = 0
    order: list[str] = field(default_factory=list)
    """Who sent writes, one after another, since two runners were started."""

    # -- begin and end ----------------------------------------------------------------------------------------------

    def open(self) -> None:
        """An emulator as new, on which only other people have things."""
        self.rng, weather, product = (
            random.Random(self.seed + offset)  # noqa: S311 - a seed is to be replayed
            for offset in (0, 1, 2)
        )
        self.scheduler = Scheduler(self.seed, start_s=_START_S)
        self.network = Network(self.scheduler, weather, self.say)
        self.network.on_send = self._on_send
        base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - a ledger's fsync costs nothing there
        self.product = Product(
            scheduler=self.scheduler,
            network=self.network,
            rng=product,
            root=Path(tempfile.mkdtemp(prefix="simulation-", dir=base)),
            environ={
                "PATH": os.environ.get("PATH", ""),
                **credentials(),
                "APP_TOKEN": CANARY,
                "RECONCILER_FINGERPRINT_KEY": "a-key-for-tests",
            },
        )
        self.product.install()
        self.emulator = SimEmulator(self.scheduler)
        self.network.emulator = self.emulator
        self.emulator.on_commit = lambda sent: watch(self, sent)
        for kind in KINDS:
            self.seen[kind] = {item.id: item for item in items(self.emulator, kind)}
            self.foreign[kind] = set(stored(self.emulator, kind))
            self.expected_foreign[kind] = stored(self.emulator, kind)

    def close(self) -> None:
        """Put the standard library back."""
        self.product.remove()

    def say(self, line: str) -> None:
        """One line of the trace."""
        process = self.scheduler.process
        who = f"{process.name}: " if process is not None else ""
        self.trace.append(f"{self.scheduler.now - _START_S:9.1f} {who}{line}")

    def violate(self, what: str) -> None:
        """Something that must never be."""
        self.say(f"!! {what}")
        self.violations.append(what)

    # -- processes --------------------------------------------------------------------------------------------------

    def process(self, design: Design, *, skew: bool = True) -> Process:
        """A new run of the command line, of this design."""
        name = f"P{len(self.processes) + 1}"
        process = Process(name, skew_s=self.rng.uniform(-2, 2) if skew else 0.0)
        process.facts["design"] = design
        process.facts["ledger"] = self.ledger
        self.processes[name] = process
        return process

    def start(self, process: Process, *args: str) -> Any:
        """Begin a command; its task."""
        design: Design = process.facts["design"]
        for thing in design.things.values():
            self.remember(thing)
        if args[0] == "apply":
            self.applied.setdefault(self.ledger, set()).update(self.lineages[one] for one in design.things)
        self.say(f"{process.name} $ {' '.join(args)}  ({_told(design)})")
        return self.product.start(process, compile_design(design), *args)

    def finish(self, process: Process, task: Any) -> int | None:
        """Let it come to its end; its exit code, `None` if it died."""
        self.product.finish(process, task)
        bug = process.facts.get("bug")
        if bug is not None:
            self.violate(f"internal error: {type(bug).__name__}: {bug}")
        if process.crashed_at:
            self.crashes += 1
        ending = f"died {process.crashed_at}" if process.code is None else f"exit {process.code}"
        self.say(f"{process.name} {ending}")
        if process.code not in {0, 2, None}:
            for line in process.err.decode().splitlines()[-3:] + _outcomes(process.out):
                self.say(f"      | {line[:220]}")
        return process.code

    def run(self, process: Process, *args: str) -> int | None:
        """A command from begin to end."""
        return self.finish(process, self.start(process, *args))

    def calm(self, design: Design, *args: str) -> Process:
        """A command in fair weather."""
        before, self.network.weather = self.network.weather, Weather()
        process = self.process(design)
        self.run(process, *args)
        self.network.weather = before
        return process

    def remember(self, thing: Thing) -> None:
        """Which addresses mean the same thing."""
        root = next((self.lineages[one] for one in thing.addresses if one in self.lineages), thing.addresses[-1])
        for address in thing.addresses:
            self.lineages.setdefault(address, root)

    def lineage(self, item: Item) -> str:
        """Whose item it is, by the marker that it was made with; empty for a stranger's."""
        if item.owner != _OURS:
            return ""
        return next((root for one, root in self.lineages.items() if resource_mark(one) == item.resource), "?")

    def thing_of(self, design: Design, lineage: str) -> Thing | None:
        """What a design wants of a lineage."""
        return next((one for one in design.things.values() if self.lineages.get(one.address) == lineage), None)

    def ours(self, kind: str, *, going: bool = False) -> list[Item]:
        """What is live and ours."""
        return [item for item in items(self.emulator, kind) if item.owner == _OURS and (going or not item.going)]

    def all_ours(self, design: Design) -> list[Item]:
        """What is live and ours, of all kinds of a design."""
        return [item for kind in design.kinds for item in self.ours(kind)]

    def _on_send(self, process: Process, what: str) -> None:
        del what
        self.writes += 1
        self.order.append(process.name)
        if process.args[0] != "apply":
            self.violate(f"{process.args[0]} sends a write")

    def note_foreign(self, kind: str, key: str) -> None:
        """Somebody else has made or changed this: from now on it has to stay so."""
        self.foreign[kind].add(key)
        with self.emulator.transaction() as tx:
            doc = tx.get(COLLECTIONS[kind], key)
        if doc is None:
            self.expected_foreign[kind].pop(key, None)
        else:
            self.expected_foreign[kind][key] = {k: v for k, v in doc.items() if k != "hidden_reads"}


def _told(design: Design) -> str:
    return ", ".join(
        f"{one.address} {one.place}.{one.fixed}{one.state[:1]}" + (f" <- {'+'.join(one.needs)}" if one.needs else "")
        for one in design.things.values()
    )


def _outcomes(out: bytes | bytearray) -> list[str]:
    """What a report or a plan says of what did not go well."""
    try:
        told = json.loads(out)
    except ValueError:
        return []
    rows = [
        " ".join(str(one.get(key) or "") for key in ("address", "state", "action", "reason", "message"))
        for one in (told.get("outcomes") or told.get("changes") or [])
        if (one.get("state") or one.get("action")) not in {"done", "none"}
    ]
    return rows[:8]
