"""What templates may cost and how they fail: `Budget`, `Fault`, and `Later`, the stand-in for what is not known yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from jinja2.runtime import Undefined

__all__ = ["CALL", "LONGEST", "LOOP", "Budget", "Fault", "Later", "as_text", "check_length", "too_much", "weight"]

LONGEST: Final = 1024 * 1024
"""Characters of one text, items of one list."""
LOOP: Final = 10_000
"""Rounds of one loop."""
CALL: Final = 2048
"""Characters that a call counts as."""
_ITEM: Final = 128


class Fault(Exception):
    """A template can't be rendered.

    `needle` is the word of the source that a reader should look at. `in_scope`: it is a name that was looked up in the
    scope itself, so whoever knows the scope can say what is near.
    """

    def __init__(
        self, code: str, wrong: str, expected: str, *, near: str = "", needle: str = "", in_scope: bool = False
    ) -> None:
        super().__init__(wrong)
        self.code = code
        self.wrong = wrong
        self.expected = expected
        self.near = near
        self.needle = needle
        self.in_scope = in_scope


@dataclass(slots=True)
class Budget:
    """What all templates of one run may do together: loop rounds, and values and characters that are looked at or made.

    A value counts as much as 128 characters, because that is about what it takes.
    """

    rounds: int = 1_000_000
    characters: int = 512 * 1024 * 1024

    def spend(self, *, rounds: int = 0, characters: int = 0) -> None:
        """Charge work that is about to be done.

        Raises:
            Fault: `template-limit`.
        """
        self.rounds -= rounds
        self.characters -= characters
        if self.rounds < 0 or self.characters < 0:
            raise too_much("the templates of this run work too much", "fewer or shorter loops")


def too_much(wrong: str, expected: str) -> Fault:
    """The fault of a limit."""
    return Fault("template-limit", wrong, expected)


def check_length(length: int) -> None:
    """Refuse a text or list that would be too long, before it exists.

    Raises:
        Fault: `template-limit`.
    """
    if length > LONGEST:
        raise too_much(f"a value of {length:,} characters or items", f"at most {LONGEST:,}")


def weight(value: Any) -> int:
    """What it costs to look at a value once, in characters."""
    if isinstance(value, str):
        return _ITEM + len(value)
    if isinstance(value, Mapping):
        return _ITEM + sum(map(weight, value.values()))
    if isinstance(value, range):
        return _ITEM + len(value)
    if isinstance(value, list | tuple):
        return _ITEM + sum(map(weight, value))
    return _ITEM


class Later:
    """What `secret()` and `ref()` give: it may stand in a text or be a whole value, and nothing else.

    `value` is the reference of `spec.values`; none for a `ref()` whose attribute is still missing.
    """

    __slots__ = ("address", "value", "words")

    def __init__(self, words: str, value: Any = None, address: str = "") -> None:
        self.words = words
        self.value = value
        self.address = address

    def _refuse(self, *_args: object, **_kwargs: object) -> NoReturn:
        raise Fault(
            "not-known-yet",
            f"{self.words} is not known while the spec is compiled, so nothing can be made of it here",
            "it alone, or inside a text, without filters or conditions",
            needle=self.words.partition("(")[0],
        )

    __bool__ = __str__ = __repr__ = __iter__ = __len__ = __eq__ = __ne__ = __hash__ = __int__ = __float__ = _refuse
    __lt__ = __gt__ = __le__ = __ge__ = __add__ = __radd__ = __mul__ = __mod__ = __contains__ = __getitem__ = _refuse
    __format__ = _refuse


def as_text(value: Any) -> str:
    """A value as it stands inside a text: `true`, `1.10`; never in the spelling of Python.

    Raises:
        Fault: for null, lists, maps and whatever else has no text of its own.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float | Undefined | Later):
        return str(value)  # the last two raise, in their own words
    if value is None:
        raise Fault("template-type", "null can't stand inside a text", "a value, such as {{ ... | default('', true) }}")
    shown = "a list" if isinstance(value, list | tuple) else "a map" if isinstance(value, Mapping) else "this"
    raise Fault("template-type", f"{shown} can't stand inside a text", "text: use | join(',') or | tojson")
