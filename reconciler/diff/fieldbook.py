"""Which fields a kind's `spec` has, by its schema and in a release, and where values stand in one. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.diff.compare import ABSENT
from reconciler.fields import FieldPath, FieldRule, Kind
from reconciler.fields.rule import release
from reconciler.spec.describe import Field, NoField, SchemaBook

__all__ = ["FieldBook", "exists", "get", "put"]


class FieldBook:
    """What the schemas say of the fields of `spec`; asked once for each path."""

    def __init__(self, schemas: Mapping[str, Mapping[str, Any]]) -> None:
        self._book = SchemaBook(schemas)
        self._known: dict[tuple[str, FieldPath], Field | NoField] = {}

    def is_field(self, kind: Kind, path: FieldPath) -> bool:
        """Whether there is such a field, or anything may stand there."""
        found = self._asked(kind, path)
        return isinstance(found, Field) or found.free

    def is_needed(self, kind: Kind, path: FieldPath) -> bool:
        """Whether it must be written, at least sometimes."""
        found = self._asked(kind, path)
        return isinstance(found, Field) and found.required is not None

    def types(self, kind: Kind, path: FieldPath) -> frozenset[str]:
        """The JSON types that it may have; none when the schema does not say."""
        found = self._asked(kind, path)
        told = [variant.schema.get("type") for variant in found.variants] if isinstance(found, Field) else []
        return frozenset(name for names in told if names for name in ([names] if isinstance(names, str) else names))

    def _asked(self, kind: Kind, path: FieldPath) -> Field | NoField:
        if (kind.schema, path) not in self._known:
            self._known[kind.schema, path] = self._book.describe(kind.schema, ("spec", *path.segments))
        return self._known[kind.schema, path]


def exists(rule: FieldRule, version: str) -> bool:
    """Whether an API of this release has the field (`""`: an API without releases)."""
    if not version:
        return True
    present = release(version)
    return (not rule.since or present >= release(rule.since)) and (not rule.until or present <= release(rule.until))


def get(tree: Any, path: FieldPath) -> Any:
    """The value at a path of mapping keys, or `ABSENT`."""
    for segment in path:
        if not isinstance(tree, Mapping) or segment not in tree:
            return ABSENT
        tree = tree[segment]
    return tree


def put(tree: dict[str, Any], path: FieldPath, value: Any) -> None:
    """Write a value at a path of mapping keys; nothing where a list is on the way."""
    if any(segment.startswith("[") for segment in path):
        return
    for segment in path.segments[:-1]:
        inner = tree.setdefault(segment, {})
        if not isinstance(inner, dict):
            return
        tree = inner
    tree[path.segments[-1]] = value
