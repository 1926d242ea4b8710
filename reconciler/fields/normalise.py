"""Named functions that bring a value to the one form in which it is compared. Idempotent, pure, exact (no floats).

A field table names one (`normalise="quantity"`); a provider that needs another adds it here, with one meaning for all.
Each takes any parsed JSON value and returns a comparable one; a value that it can't read comes back unchanged, so that
a comparison never fails.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Context, Decimal, DecimalException, InvalidOperation, Overflow
from typing import Any, Final

__all__ = ["NORMALISERS", "empty_to_none", "exact", "normalise"]

_EXACT: Final = Context(prec=10_000, Emax=999_999_999, Emin=-999_999_999, traps=[InvalidOperation, Overflow])
"""Wide enough that no number a person writes is ever rounded; the usual 28 digits are not."""

_SUFFIX: Final = {
    "": Decimal(1),
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "k": Decimal(10) ** 3,
    "K": Decimal(10) ** 3,
    "M": Decimal(10) ** 6,
    "G": Decimal(10) ** 9,
    "T": Decimal(10) ** 12,
    "P": Decimal(10) ** 15,
    "E": Decimal(10) ** 18,
    "Ki": Decimal(2) ** 10,
    "Mi": Decimal(2) ** 20,
    "Gi": Decimal(2) ** 30,
    "Ti": Decimal(2) ** 40,
    "Pi": Decimal(2) ** 50,
    "Ei": Decimal(2) ** 60,
}
_QUANTITY = re.compile(r"^([+-]?[0-9]+(?:\.[0-9]*)?|[+-]?\.[0-9]+)(?:[eE]([+-]?[0-9]+))?([numkKMGTPE]i?|)B?$")
_TWO_PLACES: Final = Decimal("0.01")
_IMAGE: Final = re.compile(r"^(?:docker\.io/)*(?:library/)?((?!library/).+?)(?::latest)*$", re.DOTALL)
_NUMBER: Final = re.compile(r"^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$")
_MINUTES: Final = {"MINUTES": 1, "HOURS": 60, "DAYS": 1440}


def empty_to_none(value: Any) -> Any:
    """`None`, `""`, `[]` and `{}` are all "not set" (cases C23)."""
    if value is None or (isinstance(value, str | list | tuple | Mapping) and not value):
        return None
    return value


def quantity(value: Any) -> Any:
    """A Kubernetes quantity as an exact number: `500m` = 0.5, `1000M` = `1G`, not `1Gi`."""
    if not isinstance(value, str):
        return number(value)
    match = _QUANTITY.match(value.strip())
    if match is None or (match[2] and match[3]):
        return value
    scale = _SUFFIX.get(match[3])
    if scale is None:
        return value
    try:
        mantissa = _EXACT.scaleb(Decimal(match[1]), int(match[2] or 0))
        return _plain(_EXACT.multiply(mantissa, scale))
    except DecimalException:
        return value


def number(value: Any) -> Any:
    """A number or a numeric text as an exact number: `"70"` = 70, 1.0 = 1."""
    if isinstance(value, bool):
        return value
    if not isinstance(value, int | float | Decimal) and not (isinstance(value, str) and _NUMBER.match(value.strip())):
        return value
    try:
        return exact(value)
    except DecimalException:
        return value


def two_decimals(value: Any) -> Any:
    """A number rounded to two decimals. Source: modelarts-services §4."""
    found = number(value)
    if not isinstance(found, Decimal):
        return found
    try:
        return _plain(found.quantize(_TWO_PLACES, context=_EXACT))
    except DecimalException:
        return found


def text(value: Any) -> Any:
    """Whole numbers and texts are compared as text: ids such as 0 and `"0"`."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(int(value))
    return value


def lower(value: Any) -> Any:
    """Case means nothing."""
    return value.casefold() if isinstance(value, str) else value


def as_set(value: Any) -> Any:
    """A list whose order and repetitions mean nothing."""
    if isinstance(value, list | tuple):
        items = {_key(item): item for item in value}
        return tuple(items[key] for key in sorted(items))
    return value


def deep_set(value: Any) -> Any:
    """Lists at any depth whose order means nothing (node selector terms: a set of sets)."""
    if isinstance(value, Mapping):
        return {key: deep_set(value[key]) for key in sorted(value)}
    return as_set([deep_set(item) for item in value]) if isinstance(value, list | tuple) else value


def comma_set(value: Any) -> Any:
    """A comma-separated text whose order means nothing."""
    if isinstance(value, str):
        return tuple(sorted({part.strip() for part in value.split(",") if part.strip()}))
    return value


def ids(value: Any) -> Any:
    """A list of ids, or of objects with an `id`, as a set of ids."""
    if isinstance(value, list | tuple):
        return tuple(sorted({str(item.get("id", "")) if isinstance(item, Mapping) else str(item) for item in value}))
    return value


def schedule(value: Any) -> Any:
    """ModelArts schedules as (type, total minutes). Source: modelarts-services §4."""
    if not isinstance(value, list | tuple):
        return value
    entries = []
    for item in value:
        if not isinstance(item, Mapping):
            return value
        duration, unit = number(item.get("duration")), _MINUTES.get(str(item.get("time_unit")))
        if not isinstance(duration, Decimal) or unit is None:
            return value
        try:
            entries.append((str(item.get("type")), _plain(_EXACT.multiply(duration, unit))))
        except DecimalException:
            return value
    return tuple(sorted(entries))


def image(value: Any) -> Any:
    """A container image without what registries leave unsaid: `docker.io/`, `library/`, `:latest`. Source: theta §4."""
    if not isinstance(value, str):
        return value
    while (match := _IMAGE.match(value)) is not None and match[1] != value:
        value = match[1]  # what is left may begin with one of them again
    return value


def profile(value: Any) -> Any:
    """A notebook profile's name, as loosely as the server spells it. Source: modelarts-notebooks §4, rule 3."""
    if not isinstance(value, str):
        return value
    return re.sub(r"power(?:ed)+", "power", re.sub(r"\s+", "", value.casefold()))


def exact(value: float | str | Decimal) -> Decimal:
    """A number, or the text of one, as the one exact decimal that equals it.

    Raises:
        DecimalException: for a text that is no number.
    """
    return _plain(_EXACT.create_decimal(value.strip() if isinstance(value, str) else str(_unwritten(value))))


def _unwritten(value: float | Decimal) -> float | Decimal:
    """A number without the text it was written as (`spec.document` keeps that): 1e3 is 1000."""
    if isinstance(value, Decimal):
        return value
    return int(value) if isinstance(value, int) else float(value)


def _plain(value: Decimal) -> Decimal:
    return value.normalize(_EXACT) if value else Decimal(0)


def _key(item: Any) -> str:
    """The same text for equal items, however their numbers and keys are written."""
    if isinstance(item, bool) or item is None:
        return repr(item)
    if isinstance(item, int | float | Decimal):
        return f"number:{exact(item)}"
    if isinstance(item, Mapping):
        pairs = sorted((str(key), _key(value)) for key, value in item.items() if empty_to_none(value) is not None)
        return f"map:{pairs}"
    if isinstance(item, list | tuple):
        return f"list:{[_key(value) for value in item]}"
    return f"{type(item).__name__}:{item!r}"


NORMALISERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    function.__name__: function
    for function in (
        quantity,
        number,
        two_decimals,
        text,
        lower,
        as_set,
        deep_set,
        comma_set,
        ids,
        schedule,
        image,
        profile,
    )
}


def normalise(name: str, value: Any) -> Any:
    """Apply the named function; an empty name changes nothing.

    Raises:
        KeyError: for a name that no function has (a test walks all tables).
    """
    return NORMALISERS[name](value) if name else value
