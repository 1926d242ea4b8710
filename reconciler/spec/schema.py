"""The two forms of a kind's schema: strict (what a rendered document must be) and loose (what a person may write).

Files in `schemas/` are loose: an editor must accept `"{{ values.replicas }}"` where a number belongs. After rendering,
the strict form counts. `loosen` and `tighten` turn one into the other, exactly.

Convention of a kind's file: the root and its direct properties (`metadata`, `spec`, ...) are structure and take no
template; every value below may be one. A node with `"x-literal": true` takes none either. `if` and `not` stay strict: a
template matches no condition.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

__all__ = ["TEMPLATE_REF", "loosen", "tighten"]

TEMPLATE_REF: Final = "common.json#/$defs/template"
"""What a loose node accepts besides its strict form."""

_TEMPLATE: Final = {"$ref": TEMPLATE_REF}
_VALUES_BY_NAME: Final = ("properties", "patternProperties")
_VALUES: Final = ("items", "contains", "additionalProperties", "unevaluatedProperties", "unevaluatedItems")
_SAME: Final = ("then", "else")
_SAME_LISTS: Final = ("allOf", "anyOf", "oneOf")
_TEXT_LIMITS: Final = ("enum", "const", "pattern", "format", "maxLength", "not")


def loosen(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A whole schema file in the form for editors: each value that would refuse a template string accepts one.

    Idempotent: a loose schema comes back unchanged.
    """
    strict = tighten(schema)
    return _structure(strict, _loosen_value, _loosen_inside)


def tighten(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A whole schema file in the form that counts after rendering: the exact inverse of `loosen`."""
    found = _tighten_value(schema)
    if not isinstance(found, dict):
        message = "a schema file holds one object"
        raise TypeError(message)
    return found


def _structure(
    schema: Mapping[str, Any], value: Callable[[Any], Any], inside: Callable[[Mapping[str, Any]], dict[str, Any]]
) -> dict[str, Any]:
    """The root: its direct properties are structure, its `$defs` and whatever lies deeper are values."""
    result = inside({key: item for key, item in schema.items() if key not in {"properties", "$defs"}})
    ordered: dict[str, Any] = {}
    for key, item in schema.items():
        if key == "properties":
            ordered[key] = {name: inside(sub) if isinstance(sub, Mapping) else sub for name, sub in item.items()}
        elif key == "$defs":
            ordered[key] = {name: sub if name == "template" else value(sub) for name, sub in item.items()}
        else:
            ordered[key] = result[key]
    return ordered


def _loosen_value(node: Any) -> Any:
    """A schema for one value: loosened inside, and wrapped when it would refuse a template string."""
    if not isinstance(node, Mapping):
        return node
    inner = _loosen_inside(node)
    if node.get("x-literal") is True or _takes_any_text(node):
        return inner
    return {"anyOf": [inner, dict(_TEMPLATE)]}


def _loosen_inside(node: Mapping[str, Any]) -> dict[str, Any]:
    """The same schema with the values below it loosened; the node itself keeps its rules."""
    return _walk(node, _loosen_value, lambda sub: _loosen_inside(sub) if isinstance(sub, Mapping) else sub)


def _walk(node: Mapping[str, Any], value: Callable[[Any], Any], same: Callable[[Any], Any]) -> dict[str, Any]:
    """Copy a node; `value` maps schemas of values below it, `same` those that speak about the same value."""
    copy: dict[str, Any] = {}
    for key, item in node.items():
        if (key in _VALUES_BY_NAME or key == "$defs") and isinstance(item, Mapping):
            copy[key] = {name: value(sub) for name, sub in item.items()}
        elif key in _VALUES:
            copy[key] = value(item)
        elif key == "prefixItems" and isinstance(item, list):
            copy[key] = [value(sub) for sub in item]
        elif key in _SAME:
            copy[key] = same(item)
        elif key in _SAME_LISTS and isinstance(item, list):
            copy[key] = [same(sub) for sub in item]
        else:
            copy[key] = item
    return copy


def _takes_any_text(node: Any) -> bool:
    """Whether this strict schema would let every template string pass anyway.

    A `$ref` counts as taking text: the definition that it names is loosened where it stands.
    """
    if not isinstance(node, Mapping):
        return True  # `false` forbids the field; a template must not lift that
    types = node.get("type", "string")
    if "string" not in ([types] if isinstance(types, str) else types):
        return False
    if any(limit in node for limit in _TEXT_LIMITS):
        return False
    some = all(any(_takes_any_text(sub) for sub in node[key]) for key in ("anyOf", "oneOf") if key in node)
    return some and all(
        _takes_any_text(sub) for sub in (*node.get("allOf", ()), *(node[k] for k in _SAME if k in node))
    )


def _tighten_value(node: Any) -> Any:
    """A schema without the template alternatives, all the way down."""
    if not isinstance(node, Mapping):
        return node
    choices = node.get("anyOf")
    if len(node) == 1 and isinstance(choices, list) and choices[1:] == [_TEMPLATE]:
        return _tighten_value(choices[0])
    return _walk(node, _tighten_value, _tighten_value)
