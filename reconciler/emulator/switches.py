"""What tests may choose of an emulated API: one table a module, of which defaults, checks and docs are made."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["Switch", "Switches", "names", "number", "one_of", "outcomes", "whole"]

Reader = Callable[[Any], Any]
"""A wish → the value that is kept; raises ValueError with what was expected."""

_WORDS: Final[tuple[tuple[Any, frozenset[str]], ...]] = (
    (True, frozenset({"true", "on"})),
    (False, frozenset({"false", "off"})),
    (None, frozenset({"null", "none"})),
)
"""Other spellings of a value: the sheets write `on` and `off` where JSON has true and false."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """One switch.

    Attributes:
        name: As in the sheet, where it has the switch.
        does: One line: what the values change.
        values: All there are, the default first; none for an open one.
        default: Of an open switch.
        takes: What an open switch takes, in words.
        read: Checks a wish for an open switch.
        ours: Whether the sheet has no such switch: a timing, a script, a limit that tests want to set.
    """

    name: str
    does: str
    values: tuple[Any, ...] = ()
    default: Any = None
    takes: str = ""
    read: Reader | None = None
    ours: bool = False

    @property
    def initial(self) -> Any:
        """The default."""
        return self.values[0] if self.values else self.default

    @property
    def told(self) -> str:
        """Its values in one line, the default first: `zero, all`, or `3600; seconds`."""
        if self.values:
            return ", ".join(_spell(value) for value in self.values)
        return f"{_spell(self.default)}; {self.takes}"

    def check(self, wish: Any) -> Any:
        """The value to keep.

        Raises:
            ValueError: for what the switch does not take; says what it does.
        """
        if self.read is not None:
            return self.read(wish)
        return one_of(*self.values)(wish)


class Switches(Mapping[str, Any]):
    """The switches of a module: name → default."""

    def __init__(self, *rows: Switch) -> None:
        self.rows: Sequence[Switch] = rows
        self._by_name = {row.name: row for row in rows}
        if len(self._by_name) != len(rows):
            raise ValueError("two switches of one name")

    def __getitem__(self, name: str) -> Any:
        return self._by_name[name].initial

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def check(self, wishes: Mapping[str, Any]) -> dict[str, Any]:
        """Wishes as the values to keep.

        Raises:
            ValueError: for an unknown switch, with the nearest name, or for a value that it does not take.
        """
        unknown = sorted(set(wishes) - set(self))
        if unknown:
            near = difflib.get_close_matches(unknown[0], self, 1)
            meant = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"unknown switches {unknown}; known: {sorted(self)}{meant}")
        return {name: self._checked(name, wish) for name, wish in wishes.items()}

    def _checked(self, name: str, wish: Any) -> Any:
        try:
            return self._by_name[name].check(wish)
        except ValueError as error:
            raise ValueError(f"{name} can't be {_spell(wish)}: it takes {error}") from None


# -- readers: their errors say what is taken -----------------------------------------------------------------------


def one_of(*values: Any) -> Reader:
    """One of these, by value or in another spelling: `409` for `"409"`, `on` for true."""

    def read(wish: Any) -> Any:
        for value in values:
            if _words(value) & _words(wish):
                return value
        raise ValueError(", ".join(_spell(value) for value in values))

    return read


def number(wish: Any) -> float:
    """A number from 0."""
    try:
        found = -1.0 if isinstance(wish, bool) else float(wish)
    except (TypeError, ValueError):
        found = -1.0
    if not 0 <= found < float("inf"):
        raise ValueError("a number from 0")
    return int(found) if found == int(found) else found


def whole(wish: Any) -> int:
    """A whole number from 0."""
    found = number(wish)
    if found != int(found):
        raise ValueError("a whole number from 0")
    return int(found)


def names(wish: Any) -> list[str]:
    """A list of names."""
    if not isinstance(wish, list | tuple) or not all(isinstance(name, str) for name in wish):
        raise ValueError("a list of names")
    return list(wish)


def outcomes(*words: str) -> Reader:
    """A map of names to some words."""

    def read(wish: Any) -> dict[str, str]:
        if not isinstance(wish, Mapping) or not all(word in words for word in wish.values()):
            raise ValueError(f"an object of names and {', '.join(words)}")
        return {str(name): str(word) for name, word in wish.items()}

    return read


def _words(value: Any) -> frozenset[str]:
    for known, words in _WORDS:
        if value is known or (isinstance(value, str) and value.lower() in words):
            return words
    return frozenset({str(value)}) if isinstance(value, str | int | float) else frozenset()


def _spell(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)
