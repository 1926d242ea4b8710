"""Whether two plain values are the same to the last type, and one of them in the place of both."""

from __future__ import annotations

import operator
from typing import Any, Final

__all__ = ["alike", "shared"]

_SCALARS: Final = frozenset({str, int, float, bool})


def alike(one: Any, other: Any) -> bool:  # noqa: PLR0911 - one for each kind of value
    """Equal, and of equal types all the way down: `1 == True` for Python. References and null are like nothing."""
    kind = one.__class__
    if other.__class__ is not kind:
        return False
    if kind is dict:
        if len(one) != len(other):
            return False
        for key, value in one.items():
            if value.__class__ is str:  # most are; looked at here, it takes half the time
                if other.get(key) != value:
                    return False
            elif not alike(value, other.get(key)):
                return False
        return True
    if kind is list:
        return len(one) == len(other) and all(map(alike, one, other))
    return kind in _SCALARS and bool(one == other)


def shared(value: Any, like: Any) -> Any:
    """`like` where both are alike, else the value with whatever in it is alike taken from there.

    The value is the caller's own, and changed. Live and last applied values are what is desired, nearly everywhere.
    """
    kind = value.__class__
    if like.__class__ is not kind:
        return value
    if kind is dict:
        same = len(value) == len(like)
        for key, item in value.items():
            other = like.get(key)
            if item.__class__ is not str:
                made = value[key] = shared(item, other)
                same = same and made is other and made is not None
            elif item == other:
                value[key] = other
            else:
                same = False
        return like if same else value
    if kind is list:
        if len(value) == len(like):
            value[:] = map(shared, value, like)
            return like if all(map(operator.is_, value, like)) and None not in value else value
        return value
    return like if kind in _SCALARS and value == like else value
