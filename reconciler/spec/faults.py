"""What templates may cost and how they fail: `Budget`, `Fault`, and `Later`, the stand-in for what is not known yet."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from jinja2.runtime import Undefined

__all__ = [
    "CALL",
    "LONGEST",
    "LOOP",
    "Budget",
    "Fault",
    "Later",
    "as_text",
    "check_length",
    "said",
    "too_much",
    "weight",
]

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
    known: set[str] = field(default_factory=set, repr=False)

    def spend(self, *, rounds: int = 0, characters: int = 0) -> None:
        """Charge work that is about to be done.

        Raises:
            Fault: `template-limit`.
        """
        self.rounds -= rounds
        self.characters -= characters
        if self.rounds < 0 or self.characters < 0:
            raise too_much("the templates of this run work too much", "fewer or shorter loops")

    def once(self, source: str, *, characters: int) -> None:
        """Charge work that is done for the first template of its kind alone.

        Raises:
            Fault: `template-limit`.
        """
        if source not in self.known:
            self.known.add(source)
            self.spend(characters=characters)

    def look(self, *values: Any) -> int:
        """Charge for looking at these values as a whole, and say what one look costs in characters.

        A part that stands in several places counts as often; the walk ends with the budget, not with the value.

        Raises:
            Fault: `template-limit`.
        """
        before = self.characters
        waiting = list(values)
        while waiting:
            value = waiting.pop()
            if isinstance(value, Mapping):
                self.spend(characters=_ITEM * (1 + len(value)))
                waiting.extend(value.values())
            elif isinstance(value, list | tuple):
                self.spend(characters=_ITEM * (1 + len(value)))
                waiting.extend(value)
            else:
                self.spend(characters=weight(value))
        return before - self.characters


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
    """What it costs to look at a single value, not at those inside it, in characters."""
    return _ITEM + (len(value) if isinstance(value, str | range) else 0)


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
    __format__ = __neg__ = __pos__ = __abs__ = __round__ = __index__ = __sub__ = __rsub__ = __rmul__ = _refuse
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __rmod__ = __pow__ = __rpow__ = _refuse


_TYPES: Final = {
    "NoneType": "null",
    "None": "null",
    "str": "text",
    "int": "a number",
    "float": "a number",
    "WrittenInt": "a number",
    "WrittenFloat": "a number",
    "bool": "true or false",
    "list": "a list",
    "tuple": "a list",
    "dict": "a map",
    "range": "a list",
}
_TYPE: Final = re.compile(rf"'({'|'.join(_TYPES)})'|\b(NoneType|WrittenInt|WrittenFloat)\b")
_OBJECT: Final = re.compile(r"<[^<>]* at 0x[0-9a-f]+>")


def said(error: object) -> str:
    """What an error of Python's says, on one short line, in people's words instead of its types and objects."""
    text = _OBJECT.sub("a function", str(error).partition("\n")[0][:200])
    return _TYPE.sub(lambda found: _TYPES[found[1] or found[2]], text)


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
