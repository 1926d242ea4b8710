"""What templates may cost and how they fail: `Budget`, `Fault`, and `Later`, the stand-in for what is not known yet."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from reconciler.problems import nearest
from reconciler.spec.values import KnownAfterApply

__all__ = [
    "CALL",
    "LONGEST",
    "LOOP",
    "TOKEN",
    "TRACED",
    "Budget",
    "Fault",
    "Later",
    "as_text",
    "check_length",
    "is_undefined",
    "longest",
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
TOKEN: Final = 2048
"""Characters that a word of a template counts as, once for each template: compiling one is slow."""
TRACED: Final = frozenset({"values", "item", "environment", "metadata", "resource", "change", "live", "plan"})
"""Names whose values are told: by `compile --explain`, and by a policy that does not hold."""
_ITEM: Final = 128


class Fault(Exception):
    """A template can't be rendered.

    `needle` is the word of the source that a reader should look at. `in_scope`: it is a name that was looked up in the
    scope itself, so whoever knows the scope can say what is near. `line` of the template's text, from 1; 0: unknown.
    """

    def __init__(
        self,
        code: str,
        wrong: str,
        expected: str,
        *,
        near: str = "",
        needle: str = "",
        in_scope: bool = False,
        line: int = 0,
    ) -> None:
        super().__init__(wrong)
        self.code = code
        self.wrong = wrong
        self.expected = expected
        self.near = near
        self.needle = needle
        self.in_scope = in_scope
        self.line = line


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

    def has(self, attribute: str) -> bool:
        """Whether `attribute` gives something."""
        return self.value is None and attribute in _ATTRIBUTES

    def attribute(self, attribute: str) -> Later:
        """`.endpoint` of a `ref()`.

        Raises:
            Fault: `unknown-attribute`.
        """
        if not self.has(attribute):
            raise Fault(
                "unknown-attribute",
                f"{self.words} has no {attribute!r}",
                "it alone" if self.value is not None else "id, name or endpoint",
                near="" if self.value is not None else nearest(attribute, _ATTRIBUTES),
                needle=attribute,
            )
        return Later(f"{self.words}.{attribute}", KnownAfterApply(self.address, attribute))

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


_ATTRIBUTES: Final = ("id", "name", "endpoint")
"""What a `ref()` may give."""


def longest(paths: Iterable[tuple[str | int, ...]]) -> tuple[tuple[str | int, ...], ...]:
    """The paths that a template reads, each once; one that only leads to another is left out."""
    reads = tuple(dict.fromkeys(paths))
    return tuple(read for read in reads if not any(read == o[: len(read)] and o != read for o in reads))


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
    if isinstance(value, str | int | float | Later) or is_undefined(value):
        return str(value)  # the last two raise, in their own words
    if value is None:
        raise Fault("template-type", "null can't stand inside a text", "a value, such as {{ ... | default('', true) }}")
    shown = "a list" if isinstance(value, list | tuple) else "a map" if isinstance(value, Mapping) else "this"
    raise Fault("template-type", f"{shown} can't stand inside a text", "text: use | join(',') or | tojson")


def is_undefined(value: Any) -> bool:
    """Whether it is what Jinja has for a name that is not there; without Jinja there is none."""
    runtime: Any = sys.modules.get("jinja2.runtime")  # to import it takes 60 ms
    return runtime is not None and isinstance(value, runtime.Undefined)
