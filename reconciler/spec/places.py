"""Where each value of a document was written, and through which layers it went, held small.

A plan asks this of the few values that change, and holds it for all: the places are one array of numbers, in the order
in which the document is walked, and become a map of paths when somebody asks. Measured: 0.7 KB a resource of 50 lines
instead of 10, and two thirds of the time to make.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from reconciler.problems import Origin
from reconciler.spec.document import Layer, Node, Path

__all__ = ["Chains", "Origins", "origins_of"]

_BITS: Final = 24
"""A line and a column in one number of 64 bits."""


class Origins(Mapping[Path, Origin]):
    """Concrete path → where its value was written (of a map or list: where its key is); the root has none."""

    __slots__ = ("_elsewhere", "_file", "_known", "_packed", "_shape")

    def __init__(self, shape: Any, file: str, packed: array[int], elsewhere: Mapping[int, Origin]) -> None:
        self._shape = shape
        self._file = file
        self._packed = packed
        self._elsewhere = elsewhere
        self._known: dict[Path, int] | None = None

    @property
    def numbers(self) -> Mapping[Path, int]:
        """Path → its number in the order of a walk."""
        if self._known is None:
            found: dict[Path, int] = {}
            _number(self._shape, (), found)
            del found[()]
            self._known = found
        return self._known

    def __getitem__(self, path: Path) -> Origin:
        number = self.numbers[path]
        place = self._elsewhere.get(number)
        if place is not None:
            return place
        packed = self._packed[number]
        return Origin(self._file, packed >> _BITS, packed & ((1 << _BITS) - 1))

    def __iter__(self) -> Iterator[Path]:
        return iter(self.numbers)

    def __len__(self) -> int:
        return len(self.numbers)


class Chains(Mapping[Path, tuple[Layer, ...]]):
    """Concrete path → the layers of its value; of those alone that were not only written."""

    __slots__ = ("_layers", "_origins")

    def __init__(self, origins: Origins, layers: Mapping[int, tuple[Layer, ...]]) -> None:
        self._origins = origins
        self._layers = layers

    def __getitem__(self, path: Path) -> tuple[Layer, ...]:
        return self._layers[self._origins.numbers[path]]

    def __iter__(self) -> Iterator[Path]:
        return (path for path, number in self._origins.numbers.items() if number in self._layers)

    def __len__(self) -> int:
        return len(self._layers.keys() - {0})


def origins_of(root: Node, shape: Any) -> tuple[Origins, Chains]:
    """Both of a document.

    Args:
        root: All of it.
        shape: The same as plain data, whose maps and lists are kept, and must stay as they are.
    """
    packed: list[int] = []
    elsewhere: dict[int, Origin] = {}
    layers: dict[int, tuple[Layer, ...]] = {}
    _note((root,), root.origin.file, packed, elsewhere, layers)
    origins = Origins(shape, root.origin.file, array("Q", packed), elsewhere)
    return origins, Chains(origins, layers)


def _note(  # a function of its own: one inside would hold itself, and be garbage that only the collector finds
    nodes: Iterable[Node],
    own: str,
    packed: list[int],
    elsewhere: dict[int, Origin],
    layers: dict[int, tuple[Layer, ...]],
) -> None:
    for node in nodes:
        value, place, key, _raw, chain, via = node
        kind = value.__class__
        inner = kind is dict or kind is tuple
        if inner and key is not None:
            place = key
        file, line, column = place
        if file is not own or column >> _BITS:
            elsewhere[len(packed)] = place
            column &= (1 << _BITS) - 1
        if chain or via:
            layers[len(packed)] = node.layers
        packed.append(line << _BITS | column)
        if inner:
            _note(value.values() if kind is dict else value, own, packed, elsewhere, layers)


def _number(shape: Any, path: Path, found: dict[Path, int]) -> None:
    found[path] = len(found)
    if isinstance(shape, dict):
        for key, value in shape.items():
            _number(value, (*path, key), found)
    elif isinstance(shape, list):
        for index, value in enumerate(shape):
            _number(value, (*path, index), found)
