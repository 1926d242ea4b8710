"""Values of GitHub's expressions: what is equal, true, a number, a text; and the functions."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|0x[0-9a-fA-F]+|0o[0-7]+")


class WorkflowError(Exception):
    """A workflow that GitHub would refuse, would take for something else than it says, or that is not known here."""


class Known(dict[str, Any]):
    """A context all of whose keys are known: another one is a mistake."""


class Filtered(list[Any]):
    """What `.*` found: the next access is to each of its items."""


def as_text(found: Any) -> str:
    """A value in a text, as the runner writes it."""
    if found is None:
        return ""
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, float) and found.is_integer():
        return str(int(found))
    if isinstance(found, (dict, list)):
        raise WorkflowError(f"a list or object in a text: {found!r}")
    return str(found)


def is_true(found: Any) -> bool:
    """Truth: all but false, 0, -0, NaN, "" and null."""
    if isinstance(found, (dict, list)):
        return True
    return bool(found) and not (isinstance(found, float) and math.isnan(found))


def number(found: Any) -> float:
    if found is None or found == "":
        return 0.0
    if isinstance(found, (bool, int, float)):
        return float(found)
    if isinstance(found, str) and _NUMBER.fullmatch(found.strip()):
        text = found.strip()
        return float(int(text, 0)) if text[:2] in {"0x", "0o"} else float(text)
    return math.nan


def _kind(found: Any) -> str:
    for kind, types in (("bool", bool), ("number", (int, float)), ("text", str), ("list", list), ("object", dict)):
        if isinstance(found, types):
            return kind
    return "null"


def equal(left: Any, right: Any) -> bool:
    if _kind(left) != _kind(right):
        return number(left) == number(right)
    if isinstance(left, str):
        return left.upper() == str(right).upper()
    if isinstance(left, (dict, list)):
        return left is right
    return bool(left == right)


def less(left: Any, right: Any) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return left.upper() < right.upper()
    return number(left) < number(right)


def _contains(where: Any, what: Any) -> bool:
    if isinstance(where, list):
        return any(equal(item, what) for item in where)
    return as_text(what).upper() in as_text(where).upper()


def _format(pattern: Any, *values: Any) -> str:
    def fill(found: re.Match[str]) -> str:
        if found[0] in {"{{", "}}"}:
            return found[0][0]
        if not found[1] or int(found[1]) >= len(values):
            raise WorkflowError(f"format() has no value for {found[0]!r} of {pattern!r}")
        return as_text(values[int(found[1])])

    return re.sub(r"\{\{|\}\}|\{(\d*)\}|[{}]", fill, as_text(pattern))


def _from_json(text: Any) -> Any:
    try:
        return json.loads(as_text(text))
    except ValueError as error:
        raise WorkflowError(f"fromJSON() of what is no JSON: {text!r}") from error


def _join(items: Any, separator: Any = ",") -> str:
    return as_text(separator).join(map(as_text, items)) if isinstance(items, list) else as_text(items)


# name in lower case → how many arguments, and what it does
FUNCTIONS: dict[str, tuple[range, Callable[..., Any]]] = {
    "contains": (range(2, 3), _contains),
    "startswith": (range(2, 3), lambda text, start: as_text(text).upper().startswith(as_text(start).upper())),
    "endswith": (range(2, 3), lambda text, end: as_text(text).upper().endswith(as_text(end).upper())),
    "format": (range(1, 256), _format),
    "join": (range(1, 3), _join),
    "fromjson": (range(1, 2), _from_json),
    "tojson": (range(1, 2), lambda found: json.dumps(found, indent=2, ensure_ascii=False)),
}


def access(found: Any, key: Any) -> Any:
    if isinstance(found, Filtered):
        return Filtered(item for item in (access(part, key) for part in found) if item is not None)
    if isinstance(found, list):
        index = number(key)
        return found[int(index)] if 0 <= index < len(found) else None
    if isinstance(found, dict):
        for name in found:
            if name == key or str(name).upper() == as_text(key).upper():
                return found[name]
        if isinstance(found, Known):
            raise WorkflowError(f"there is no {key!r} among {sorted(found)}")
    return None


def every(found: Any) -> Any:
    if isinstance(found, Filtered):
        return Filtered(item for part in found for item in every(part))
    if isinstance(found, dict):
        return Filtered(found.values())
    return Filtered(found if isinstance(found, list) else [])
