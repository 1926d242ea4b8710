"""What a schema says of one field, for `explain`: each branch that may speak about it, with its condition. Pure.

The strict form counts (`spec.schema`). Where branches differ (`if infer_type is "batch"`), each difference stands with
its condition; what holds in every branch is told once, without one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from reconciler.fields import FieldPath
from reconciler.fields.path import EACH
from reconciler.spec.schema import tighten
from reconciler.spec.words import condition_words, show

__all__ = ["Field", "NoField", "SchemaBook", "Variant"]

_LIMITS: Final = (
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength"),
    *("minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "propertyNames"),
    *("pattern", "x-pattern-words", "format", "x-numeric-text"),
)
_TELLING: Final = frozenset(["type", "enum", "const", *_LIMITS, "default", "description", "examples"])
"""Keywords that tell something of the value itself."""
_TEXTS: Final = frozenset({"default", "description", "examples"})
"""Those that an element's own path tells, and not the list's."""


@dataclass(frozen=True, slots=True)
class Variant:
    """What holds of a value, and when: `infer_type is "batch"`, or always (empty).

    `schema` has telling keywords only; `entries` the same of a list's elements, or of the values of an open map.
    """

    when: str
    schema: Mapping[str, Any]
    entries: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """What is known of one field.

    Attributes:
        path: In normal form, from the document's root: `spec.config[*].weight`.
        variants: What holds always comes first; the others add to it.
        only: The condition under which the field exists; empty: always.
        required: The condition under which it must be written; empty: always; `None`: never.
        within: The nearest map or list above that may be left out, and the field with it; empty: none.
        forbidden: The condition under which it must not be written; `None`: never.
        below: Names of the fields below it (of a list: of its elements).
    """

    path: FieldPath
    variants: tuple[Variant, ...]
    only: str = ""
    required: str | None = None
    within: str = ""
    forbidden: str | None = None
    below: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NoField:
    """There is no such field: `part` is the first part of the path that does not exist below `above`.

    `known` are the names there; none with `free`: there anything may stand, and it is the author's own.
    """

    above: FieldPath
    part: str
    known: tuple[str, ...] = ()
    free: bool = False


@dataclass(frozen=True, slots=True)
class _Clause:
    """One condition; `values` of the field `name`, which can be one of `choices`. Without a name, only words."""

    words: str
    name: str = ""
    values: tuple[Any, ...] = ()
    choices: tuple[Any, ...] = ()


_When = tuple[_Clause, ...]


@dataclass(frozen=True, slots=True)
class _View:
    """One subschema that speaks about a value: in which file it stands, and when it counts (all clauses hold)."""

    schema: Any
    file: str
    when: _When = ()


@dataclass(frozen=True, slots=True)
class _At:
    """How far a walk has come: what speaks of the value, and (`found`) of the field itself, `false` included.

    `needed` are the conditions under which it must be written; `within` the last map above that may be left out.
    """

    here: Sequence[_View]
    found: Sequence[_View]
    walked: tuple[str, ...] = ()
    needed: tuple[_When, ...] = ((),)
    within: str = ""

    @property
    def is_needed(self) -> bool:
        """Whether a document always has it, where it has what is above it."""
        return bool(self.needed) and not any_of(self.needed)


class SchemaBook:
    """Walks schema files: references over files, and the branches of conditions.

    Args:
        schemas: Files by name, as they are on disk; the strict form of one is made when it is needed.
        strict: Files that are in strict form already.
    """

    def __init__(
        self, schemas: Mapping[str, Mapping[str, Any]], strict: Mapping[str, Mapping[str, Any]] | None = None
    ) -> None:
        self._loose = schemas
        self._strict = dict(strict or {})

    def describe(self, file: str, path: Sequence[str]) -> Field | NoField:
        """The field at a path of a document.

        Args:
            file: The kind's schema file.
            path: Keys from the root; `[…]` for an element of a list, which may be left out.
        """
        root = self._spread([_View(self._file(file), file)])
        at = _At(root, root)
        for part in path:
            inside = self._items(at.here)
            if part.startswith("["):
                if at.walked[-1:] == (EACH,):
                    continue
                if not inside:
                    return self._nothing(at, part)
                at = _entry(at, inside)
                continue
            if inside and part not in self._names(at.here) and not _is_open(at.here):
                at = _entry(at, inside)
            if part not in self._names(at.here) and not _is_open(at.here):
                return self._nothing(at, part)
            at = self._down(at, part)
        return self._field(at)

    def _down(self, at: _At, name: str) -> _At:
        found = self._below(at.here, name)
        return _At(
            here=self._spread(found),
            found=found,
            walked=(*at.walked, name),
            needed=tuple(view.when for view in at.here if name in view.schema.get("required", ())),
            within=at.within if at.is_needed else str(FieldPath(at.walked)).removesuffix(EACH),
        )

    def _nothing(self, at: _At, part: str) -> NoField:
        return NoField(above=FieldPath(at.walked), part=part, known=self._names(at.here), free=_is_free(at.here))

    def walk(self, file: str, path: Sequence[str] = (), depth: int = 12) -> Iterator[FieldPath]:
        """All paths of a document's fields below one, in normal form, each map before what is in it."""
        at = self.describe(file, path)
        if not isinstance(at, Field) or depth == 0:
            return
        start = at.path.segments
        if any("items" in view.schema for view in self._at(file, start)):
            start = (*start, EACH)
        for name in at.below:
            yield FieldPath((*start, name))
            yield from self.walk(file, (*start, name), depth - 1)

    def _at(self, file: str, path: Sequence[str]) -> list[_View]:
        here = self._spread([_View(self._file(file), file)])
        for part in path:
            here = self._items(here) if part == EACH else self._spread(self._below(here, part))
        return here

    def _field(self, at: _At) -> Field:
        views = self._spread([view for view in at.found if view.schema is not False])
        banned = [view.when for view in at.found if view.schema is False]
        inner = self._names(views) or self._names(self._items(views))
        return Field(
            path=FieldPath(at.walked),
            variants=self._variants(views),
            only=any_of([view.when for view in at.found if view.schema is not False]),
            required=any_of(at.needed) if at.needed else None,
            within=at.within,
            forbidden=any_of(banned) if banned else None,
            below=inner,
        )

    def _variants(self, views: Sequence[_View]) -> tuple[Variant, ...]:
        """What holds always, and what each condition adds; equal additions under one condition."""
        inner = [*self._items(views), *self._values(views)]
        own, entries = _by_condition(views, _TELLING), _by_condition(inner, _TELLING - _TEXTS)
        told = {when: (own.get(when, {}), entries.get(when, {})) for when in (*own, *entries)}
        always = told.pop((), ({}, {}))
        groups: list[tuple[tuple[dict[str, Any], dict[str, Any]], list[_When]]] = []
        for when, (schema, below) in told.items():
            added = (_added(schema, always[0]), _added(below, always[1]))
            same = next((whens for other, whens in groups if other == added), None)
            if same is not None:
                same.append(when)
            elif any(added):
                groups.append((added, [when]))
        found = []
        for added, whens in groups:
            words = any_of(whens)
            if words:
                found.append(Variant(words, *added))
            else:
                always = ({**added[0], **always[0]}, {**added[1], **always[1]})
        return (Variant("", *always), *found) if any(always) else tuple(found)

    def _spread(self, views: Iterable[_View]) -> list[_View]:
        """These views and all that speak about the same value."""
        result: list[_View] = []
        seen: set[tuple[int, _When]] = set()
        waiting = list(views)
        while waiting:
            view = waiting.pop(0)
            schema = view.schema
            if not isinstance(schema, Mapping) or (id(schema), view.when) in seen:
                continue
            seen.add((id(schema), view.when))
            result.append(view)
            if "$ref" in schema:
                waiting.append(self._resolved(str(schema["$ref"]), view))
            for key in ("then", "else"):
                if key in schema:
                    clause = _clause(schema.get("if"), self._choices(result), otherwise=key == "else")
                    waiting.append(_View(schema[key], view.file, (*view.when, clause)))
            for key in ("allOf", "anyOf", "oneOf"):
                waiting.extend(_View(sub, view.file, view.when) for sub in schema.get(key, ()))
        return result

    def _choices(self, views: Iterable[_View]) -> Mapping[str, tuple[Any, ...]]:
        """Fields beside a condition → all values that they can have."""
        return {
            name: tuple(sub["enum"])
            for view in views
            for name, sub in view.schema.get("properties", {}).items()
            if isinstance(sub, Mapping) and "enum" in sub
        }

    def _below(self, views: Iterable[_View], name: str) -> list[_View]:
        """What the views say of one key, `false` included."""
        found: list[_View] = []
        for view in views:
            if name in view.schema.get("properties", {}):
                found.append(_View(view.schema["properties"][name], view.file, view.when))
            elif isinstance(view.schema.get("additionalProperties"), Mapping):
                found.append(_View(view.schema["additionalProperties"], view.file, view.when))
        return found

    def _items(self, views: Iterable[_View]) -> list[_View]:
        """What the views say of an element."""
        return self._spread(
            _View(view.schema["items"], view.file, view.when) for view in views if "items" in view.schema
        )

    def _values(self, views: Iterable[_View]) -> list[_View]:
        """What the views say of the values of a map whose keys are the author's."""
        key = "additionalProperties"
        return self._spread(_View(view.schema.get(key), view.file, view.when) for view in views)

    def _names(self, views: Iterable[_View]) -> tuple[str, ...]:
        """Keys that the views know, in their order, without those that are forbidden wherever they are named."""
        known = [pair for view in views for pair in view.schema.get("properties", {}).items()]
        return tuple(dict.fromkeys(name for name, sub in known if sub is not False))

    def _file(self, name: str) -> Mapping[str, Any]:
        if name not in self._strict:
            self._strict[name] = tighten(self._loose[name])
        return self._strict[name]

    def _resolved(self, reference: str, view: _View) -> _View:
        name, _, pointer = reference.partition("#")
        target: Any = self._file(name or view.file)
        for part in filter(None, pointer.split("/")):
            target = target[part.replace("~1", "/").replace("~0", "~")]
        return _View(target, name or view.file, view.when)


def _entry(at: _At, inside: Sequence[_View]) -> _At:
    """From a list to its entries, which are there as the list is."""
    return replace(at, here=inside, found=inside, walked=(*at.walked, EACH))


def any_of(whens: Iterable[_When]) -> str:
    """Conditions of which one must hold, in words: `infer_type is "batch" or "edge"`; empty when that is always so."""
    distinct = list(dict.fromkeys(whens))
    if not distinct or () in distinct:
        return ""
    single = [when[0] for when in distinct if len(when) == 1]
    if len(single) == len(distinct) and len({clause.name for clause in single}) == 1 and single[0].name:
        values = tuple(dict.fromkeys(value for clause in single for value in clause.values))
        if set(single[0].choices) and set(single[0].choices) <= set(values):
            return ""
        return f"{single[0].name} is {' or '.join(map(show, values))}"
    words = [" and ".join(filter(None, (clause.words for clause in when))) for when in distinct]
    return " or ".join(dict.fromkeys(filter(None, words)))


def _clause(condition: Any, choices: Mapping[str, tuple[Any, ...]], *, otherwise: bool) -> _Clause:
    """The condition of a branch; with a name where it asks for values of one field."""
    words = condition_words(condition)
    asked = condition.get("properties", {}) if isinstance(condition, Mapping) else {}
    if len(asked) != 1:
        return _Clause(f"not ({words})" if otherwise and words else words)
    name, sub = next(iter(asked.items()))
    values = tuple(sub.get("enum", [sub["const"]] if "const" in sub else ()))
    of = choices.get(name, ())
    if otherwise:
        values = tuple(value for value in of if value not in values)
        return _Clause(f"not ({words})", name if values else "", values, of)
    return _Clause(words, name if values else "", values, of)


def _by_condition(views: Iterable[_View], keywords: frozenset[str]) -> dict[_When, dict[str, Any]]:
    """These keywords of all views of one condition together; of two that say the same, the first."""
    found: dict[_When, dict[str, Any]] = {}
    for view in views:
        own = {key: value for key, value in view.schema.items() if key in keywords}
        if own:
            found[view.when] = {**own, **found.get(view.when, {})}
    return found


def _added(schema: Mapping[str, Any], always: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key not in always or always[key] != value}


def _is_open(views: Iterable[_View]) -> bool:
    """Whether any key may stand there (a map of the author's own names)."""
    return any(isinstance(view.schema.get("additionalProperties"), Mapping) for view in views)


def _is_free(views: Sequence[_View]) -> bool:
    """Whether anything may stand below: maps of which no view says what they hold."""
    maps = [view for view in views if "object" in (view.schema.get("type", ()))]
    return bool(maps) and not any("properties" in view.schema for view in views)
