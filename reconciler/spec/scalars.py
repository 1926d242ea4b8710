"""Scalars are what they look like: only `true` and `false` are booleans. Source: cases C01, C02."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from reconciler.spec.document import WrittenFloat, WrittenInt

__all__ = ["LIMITS", "Limits", "scalar"]

_INT = re.compile(r"-?(?:0|[1-9][0-9]*)\Z")
_FLOAT = re.compile(r"-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|\.[0-9]+(?:[eE][-+]?[0-9]+)?)\Z")
_NULLS: Final = frozenset({"", "~", "null"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one file may cost. `values` and `characters` count aliases as often as they are used.

    `aliased`: of the values, how many may come from aliases; each is a copy that remembers its way.
    """

    bytes: int = 4 * 1024 * 1024
    depth: int = 64
    values: int = 100_000
    aliased: int = 30_000
    characters: int = 16 * 1024 * 1024
    documents: int = 2_000
    digits: int = 400


LIMITS: Final = Limits()


def scalar(text: str, limits: Limits = LIMITS) -> Any:
    """What a plain scalar is by its look: null, boolean, number, else text. Only `true` and `false` are booleans.

    Raises:
        ValueError: a number that can't be kept exactly; the text says what to write.
    """
    if text in _NULLS:
        return None
    if text in {"true", "false"}:
        return text == "true"
    if text[0] not in "-.0123456789":
        return text
    if _INT.match(text) and text != "-0":
        if len(text) > limits.digits:
            raise ValueError(f"a number of {len(text)} digits")
        return int(text)
    return _fraction(text) if _FLOAT.match(text) else text


def _fraction(text: str) -> Any:
    number = WrittenFloat(text)
    if number in {float("inf"), float("-inf")}:
        raise ValueError("a number that is too large")
    try:
        exact = Decimal(text)
    except InvalidOperation:  # an exponent that is no number of a machine
        raise ValueError("a number that is too small") from None
    if "e" in text.lower() and number.is_integer() and exact == exact.to_integral_value():
        return WrittenInt(int(exact), text)
    if Decimal(repr(float(number))) != exact:
        raise ValueError("a number with more digits than can be kept exactly")
    return number
