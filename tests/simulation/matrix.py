"""The crash matrix: each kind of write, killed at each boundary, then run again, on the same ledger and on a fresh one.

`python -m tests.simulation.matrix [--reads]` tells every cell's figures; `--reads`: also at every read and wait.
"""

from __future__ import annotations

import argparse
import collections
import itertools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from tests.simulation.ending import Ending
from tests.simulation.laws import judge_secrets
from tests.simulation.specs import Design, Thing
from tests.simulation.truth import KINDS
from tests.simulation.world import World

__all__ = ["ROWS", "Cell", "Row", "cells"]

THETA, RUNAI, SERVICE, NOTEBOOK = KINDS
_MOST: Final = 400
Edit = Callable[[Thing], Thing | None]


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of write: what is there before (`None`: nothing), and what a person makes of it (`None`: nothing)."""

    kind: str
    write: str
    before: Edit
    after: Edit
    readable: bool = True
    """Whether Theta's lists show markers."""
    with_dependant: bool = False

    @property
    def name(self) -> str:
        return f"{self.write} {self.kind}" + ("" if self.readable else ", markers not readable")


@dataclass(frozen=True, slots=True)
class Cell:
    """One death: the boundary that was the process's last, what was broken in the end, and the whole story."""

    row: Row
    lost: bool
    at: str
    violations: tuple[str, ...]
    trace: tuple[str, ...]


def _same(thing: Thing) -> Thing | None:
    return thing


def _nothing(_thing: Thing) -> Thing | None:
    return None


def _in(**values: object) -> Edit:
    return lambda thing: replace(thing, **values)  # type: ignore[arg-type]


def _rows() -> Iterator[Row]:
    for kind in KINDS:
        for readable in (True, False) if kind == THETA else (True,):
            yield Row(kind, "create", _nothing, _same, readable)
            yield Row(kind, "delete", _same, _nothing, readable)
            yield Row(kind, "replace", _same, _in(fixed=2), readable)
        if kind != THETA:
            yield Row(kind, "update", _same, _in(place=2))
    for kind in (SERVICE, NOTEBOOK):
        yield Row(kind, "create stopped", _nothing, _in(state="stopped"))
        yield Row(kind, "stop", _in(state="running"), _in(state="stopped"))
        yield Row(kind, "start", _in(state="stopped"), _in(state="running"))
        yield Row(kind, "update and stop", _in(state="running"), _in(state="stopped", place=2))
    yield Row(THETA, "replace, and its dependant follows,", _same, _in(fixed=2), with_dependant=True)


ROWS: Final = tuple(_rows())


def cells(row: Row, *, lost: bool, reads: bool = False, first: int = 1, step: int = 1) -> Iterator[Cell]:
    """Die at the first boundary, at the second one, and so on, until the process comes to its end alive."""
    for number in itertools.count(first, step):
        cell = _die(row, number, lost=lost, reads=reads)
        if cell is None:
            return
        yield cell
        if number >= _MOST:
            raise AssertionError(f"{row.name}: it never ends")


def _die(row: Row, number: int, *, lost: bool, reads: bool) -> Cell | None:
    world = World(7)
    world.open()
    try:
        world.markers_readable = row.readable
        world.emulator.set_switches({"theta": {"annotations_mode": "echo" if row.readable else "null"}})
        before, after = _design(row, row.before), _design(row, row.after)
        world.calm(before, "apply", "--yes", "--allow-empty-spec", "-o", "json")
        process = world.process(after, skew=False)
        process.crash_in, process.crash_reads = number, reads
        world.run(process, "apply", "--yes", "--allow-empty-spec", "-o", "json")
        if process.code is not None:
            return None
        flags = set()
        if lost:
            world.product.lose_ledger()
            world.product.set_env("CI", "1")
            world.ledger += 1
            flags.add("lost")
        if not world.violations:
            Ending(world, after, flags).settle()
            judge_secrets(world)
        return Cell(row, lost, process.crashed_at, tuple(world.violations), tuple(world.trace))
    finally:
        world.close()


def _design(row: Row, edit: Edit) -> Design:
    """What is judged, and one of another kind that stays, so that the spec is never empty."""
    thing = edit(Thing(kind=row.kind, name="ant", secret=row.kind in {THETA, RUNAI}))
    other = Thing(kind=RUNAI if row.kind != RUNAI else NOTEBOOK, name="bee")
    if row.with_dependant:
        other = replace(other, refers=f"{row.kind}/ant")
    things = {one.address: one for one in (thing, other) if one is not None}
    return Design(things=things, kinds=(row.kind, other.kind), used=frozenset({f"{row.kind}/ant", other.address}))


def main() -> int:
    """Tell the figures of all rows, and the stories of what broke."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.matrix")
    parser.add_argument("--reads", action="store_true", help="Die at reads and waits, too.")
    given = parser.parse_args()
    total = bad = 0
    for row, lost in itertools.product(ROWS, (False, True)):
        found = list(cells(row, lost=lost, reads=given.reads))
        broken = [cell for cell in found if cell.violations]
        total, bad = total + len(found), bad + len(broken)
        kinds = collections.Counter(cell.at.split(" ", 2)[0] for cell in found)
        told = ", ".join(f"{count} {at}" for at, count in sorted(kinds.items()))
        ledger = "fresh ledger" if lost else "same ledger"
        sys.stdout.write(f"{row.name}, {ledger}: {len(found)} deaths ({told}), {len(broken)} bad\n")
        for cell in broken[:1]:
            sys.stdout.write("\n".join(cell.trace) + "\n")
        sys.stdout.flush()
    sys.stdout.write(f"{total} deaths, {bad} bad\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
