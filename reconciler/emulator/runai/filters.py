"""`filterBy`, `sortBy`, `offset` and `limit` as the lists read them. Source: runai §5."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Iterable
from typing import Any, Final

from reconciler.emulator.wire import Request

__all__ = ["BadFilter", "page", "sort", "terms", "wanted"]

_TERM: Final = re.compile(r"^(\w+)(==|!=|<=|>=|=@|!@|=\^|=\$)(.*)$")
_DEFAULT_LIMIT: Final = 50
_TOP_LIMIT: Final = 500


class BadFilter(ValueError):
    """A query that the server refuses with 400."""


def wanted(filters: Iterable[tuple[str, str, str]], item: dict[str, Any]) -> bool:
    """Whether an item passes every one of these `terms`."""
    return all(_passes(item, field, sign, value) for field, sign, value in filters)


def terms(request: Request, fields: Collection[str]) -> list[tuple[str, str, str]]:
    """`filterBy` as (field, operator, value); terms are joined by commas or the parameter is repeated.

    Raises:
        BadFilter: for a term that can't be read, or an unknown field.
    """
    found = []
    for text in request.every("filterBy"):
        for term in filter(None, text.split(",")):
            match = _TERM.match(term)
            if match is None or match[1] not in fields:
                raise BadFilter(f"filterBy: {term!r} is no filter")
            found.append((match[1], match[2], match[3]))
    return found


def _passes(item: dict[str, Any], field: str, sign: str, value: str) -> bool:
    raw = item.get(field)
    present = "" if raw is None else str(raw)
    return _OPERATORS[sign](present, value)


_OPERATORS: Final[dict[str, Callable[[str, str], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "=@": operator.contains,
    "!@": lambda present, value: value not in present,
    "=^": str.startswith,
    "=$": str.endswith,
}


def sort(request: Request, items: list[dict[str, Any]], fields: Collection[str]) -> list[dict[str, Any]]:
    """Items in the order that `sortBy` and `sortOrder` ask for.

    Raises:
        BadFilter: for an unknown field or order.
    """
    field, order = request.first("sortBy"), request.first("sortOrder", "asc")
    if order not in {"asc", "desc"}:
        raise BadFilter("sortOrder: must be one of asc, desc")
    if not field:
        return items
    if field not in fields:
        raise BadFilter(f"sortBy: {field!r} is no field")
    return sorted(items, key=lambda item: str(item.get(field) or ""), reverse=order == "desc")


def page(request: Request, items: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], int | None]:
    """(the items of the page, the next offset or `None`).

    Raises:
        BadFilter: for an offset below 0 or a limit outside 1 to 500.
    """
    try:
        offset = int(request.first("offset", "0"))
        limit = int(request.first("limit", str(_DEFAULT_LIMIT)))
    except ValueError:
        raise BadFilter("offset, limit: must be integers") from None
    if offset < 0 or not 1 <= limit <= _TOP_LIMIT:
        raise BadFilter(f"limit: must be between 1 and {_TOP_LIMIT}")
    following = offset + limit
    return items[offset:following], following if following < len(items) else None
