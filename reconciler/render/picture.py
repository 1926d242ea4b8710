"""Where the boxes and lines of a dependency graph stand: layers from left to right, as short as it goes.

Geometry alone, in whole units: equal input gives equal places. What a box says and how it looks is its page's business.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

__all__ = ["BOX_HEIGHT", "BOX_WIDTH", "Box", "Line", "Picture", "layers", "picture"]

BOX_WIDTH: Final = 216
BOX_HEIGHT: Final = 48
_BEND_HEIGHT: Final = 14
"""What a line takes where it passes a layer in which it has no box."""
_GAP_X: Final = 72
_GAP_Y: Final = 14
_MARGIN: Final = 8
_SWEEPS: Final = 6
"""Walks to and fro in which each layer is ordered after its neighbours; more of them change little."""

_Spot = tuple[str, ...]
"""A box is (name,); where the line `first` → `then` passes layer n, it is (first, then, n)."""


@dataclass(frozen=True, slots=True)
class Box:
    """The upper left corner of a box."""

    name: str
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Line:
    """From `first` to `then`, along `path` (the commands of an SVG path)."""

    first: str
    then: str
    path: str


@dataclass(frozen=True, slots=True)
class Picture:
    """All of it: boxes from left to right, and from top to bottom."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


def layers(names: Iterable[str], pairs: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Name → how many others have to come before it, one after the other. What goes in a circle stands at its end."""
    needs: dict[str, set[str]] = {name: set() for name in sorted(names)}
    for first, then in pairs:
        if first in needs and then in needs and first != then:
            needs[then].add(first)
    found: dict[str, int] = {}
    ready = [name for name, first in needs.items() if not first]
    while ready:
        found |= {name: max((found[first] + 1 for first in needs[name]), default=0) for name in ready}
        ready = [name for name, first in needs.items() if name not in found and first <= found.keys()]
    last = max(found.values(), default=-1) + 1
    return found | {name: last for name in needs if name not in found}


def picture(names: Iterable[str], pairs: Iterable[tuple[str, str]]) -> Picture:
    """Lay out boxes and the lines between them; each pair is (first, then)."""
    kept = sorted(set(pairs))
    layer = layers(names, kept)
    lines = [(first, then) for first, then in kept if layer.get(first, 0) < layer.get(then, -1)]
    walks = {(first, then): _walk(first, then, layer) for first, then in lines}
    rows = _ordered(layer, walks)
    heights = [sum(map(_height, row)) + _GAP_Y * (len(row) - 1) for row in rows]
    height = max(heights, default=0)
    places: dict[_Spot, tuple[int, int]] = {}
    for number, row in enumerate(rows):
        y = _MARGIN + (height - heights[number]) // 2
        for spot in row:
            places[spot] = _MARGIN + number * (BOX_WIDTH + _GAP_X), y
            y += _height(spot) + _GAP_Y
    return Picture(
        width=2 * _MARGIN + max(0, len(rows) * (BOX_WIDTH + _GAP_X) - _GAP_X),
        height=2 * _MARGIN + height,
        boxes=tuple(Box(spot[0], *places[spot]) for row in rows for spot in row if len(spot) == 1),
        lines=tuple(Line(first, then, _path([places[s] for s in walks[first, then]])) for first, then in lines),
    )


def _walk(first: str, then: str, layer: Mapping[str, int]) -> list[_Spot]:
    """The spots that a line passes, one a layer."""
    between = range(layer[first] + 1, layer[then])
    return [(first,), *((first, then, str(number)) for number in between), (then,)]


def _height(spot: _Spot) -> int:
    return BOX_HEIGHT if len(spot) == 1 else _BEND_HEIGHT


def _ordered(layer: Mapping[str, int], walks: Mapping[tuple[str, str], Sequence[_Spot]]) -> list[list[_Spot]]:
    """The spots of each layer, from top to bottom, such that few lines cross."""
    rows: list[list[_Spot]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    for name in layer:
        rows[layer[name]].append((name,))
    before: dict[_Spot, list[_Spot]] = {}
    after: dict[_Spot, list[_Spot]] = {}
    for (first, _), walk in walks.items():
        for number, spot in enumerate(walk[1:-1], layer[first] + 1):
            rows[number].append(spot)
        for left, right in pairwise(walk):
            after.setdefault(left, []).append(right)
            before.setdefault(right, []).append(left)
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        for row, fixed in zip(rows[1:], rows, strict=False) if forward else zip(rows[-2::-1], rows[::-1], strict=False):
            _settle(row, fixed, before if forward else after)
    return rows


def _settle(row: list[_Spot], fixed: Sequence[_Spot], towards: Mapping[_Spot, Sequence[_Spot]]) -> None:
    """Order a layer by where its neighbours stand in the layer beside it; what has none there keeps its turn."""
    at = {spot: turn for turn, spot in enumerate(fixed)}
    share = {}
    for turn, spot in enumerate(row):
        near = sorted(at[other] for other in towards.get(spot, ()) if other in at)
        share[spot] = sum(near) / len(near) if near else turn * len(fixed) / max(1, len(row))
    row.sort(key=lambda spot: (share[spot], spot))


def _path(corners: Sequence[tuple[int, int]]) -> str:
    """From the right side of one box to the left side of another; straight through the layers between them."""
    last = len(corners) - 1
    middles = [y + (BOX_HEIGHT if turn in {0, last} else _BEND_HEIGHT) // 2 for turn, (_, y) in enumerate(corners)]
    told = [f"M{corners[0][0] + BOX_WIDTH} {middles[0]}"]
    for turn in range(1, last + 1):
        x, y = corners[turn][0], middles[turn]
        half = x - _GAP_X // 2
        told.append(f"C{half} {middles[turn - 1]} {half} {y} {x} {y}")
        if turn < last:
            told.append(f"H{x + BOX_WIDTH}")
    return " ".join(told)
