"""JSON Schema on nodes, with errors in the words of the field instead of the schema. Source: cases C13-C15.

A schema file comes in loose (`spec.schema`) and counts in its strict form. References (`spec.values`) stand for a text
that is not known yet: they fit wherever text fits, and no limit of that text is checked.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from reconciler.problems import Problem
from reconciler.spec.document import Node, Path
from reconciler.spec.gate import SHARED, SIGNS, Gate, gate_of
from reconciler.spec.scalars import scalar
from reconciler.spec.schema import tighten
from reconciler.spec.values import KnownAfterApply, is_pending

if TYPE_CHECKING:
    from reconciler.spec.judge import Judge
    from reconciler.spec.words import Complaint

__all__ = ["Plain", "SchemaSet"]


@dataclass(frozen=True, slots=True)
class SchemaSet:
    """All schema files of a run, in strict form, by file name."""

    strict: Mapping[str, Mapping[str, Any]]
    _known: dict[tuple[int, ...], _Speaking] = field(default_factory=dict, compare=False, repr=False)
    """What has been found out about a set of subschemas, by their ids: documents of a kind ask it all again."""
    _gates: dict[str, Gate | None] = field(default_factory=dict, compare=False, repr=False)
    _seen: dict[str, int] = field(default_factory=dict, compare=False, repr=False)
    _judges: dict[str, Judge] = field(default_factory=dict, compare=False, repr=False)
    """Of each file with a document that the gate did not accept."""

    @classmethod
    def of(cls, schemas: Mapping[str, Mapping[str, Any]]) -> SchemaSet:
        """Take schema files as they are on disk."""
        return cls(_Strict(schemas))

    def check(self, node: Node, file: str, address: str = "") -> tuple[Node, tuple[Problem, ...], tuple[Path, ...]]:
        """Judge a whole document.

        Returns:
            The document with numbers as the schema wants them (`3.0` as 3, numeric texts where the schema takes them),
            the problems, and the paths that they are about (of a missing field: its own path).
            With problems, the document is what rules across fields can still judge: a misspelt field stands under the
            name that was meant, and a refused value is one that is not known, so that nobody complains of it twice.
        """
        fitted = self._fit(node, self._speaking([(file, self.strict[file])]))
        gate = self._gate(file)
        if gate is not None and gate(fitted.plain(), exact=False):
            return fitted, (), ()
        found = self._complaints(fitted, file)
        problems = tuple(_problem(complaint, fitted, address) for complaint in found)
        about = tuple(complaint.about for complaint in found)
        return self._judgeable(fitted, file, found) if found else fitted, problems, about

    def _complaints(self, node: Node, file: str) -> tuple[Complaint, ...]:
        from reconciler.spec.judge import Judge  # noqa: PLC0415 - 50 ms, and the gate accepts most specs
        from reconciler.spec.words import complaints_of  # noqa: PLC0415

        if file not in self._judges:
            self._judges[file] = Judge({name: self.strict[name] for name in (SHARED, file) if name in self.strict})
        return complaints_of(self._judges[file].errors(node, file), lambda path: self._schema_at(file, path))

    def _judgeable(self, node: Node, file: str, found: Sequence[Complaint]) -> Node:
        renamed = node
        for complaint in found:
            if complaint.code == "unknown-field" and complaint.near:
                renamed = _renamed(renamed, complaint.about, complaint.near)
        if renamed is not node:
            renamed = self._fit(renamed, self._speaking([(file, self.strict[file])]))
            found = self._complaints(renamed, file)
        for complaint in found:
            if complaint.about[:1] in _JUDGED and len(complaint.about) > 1 and complaint.code != "unknown-field":
                renamed = _unknown_at(renamed, complaint.about, complaint.code)
        return renamed

    def _resolve(self, file: str, reference: str) -> tuple[str, Any]:
        name, _, pointer = reference.partition("#")
        target: Any = self.strict.get(name or file, {})
        for part in pointer.strip("/").split("/") if pointer.strip("/") else ():
            target = target.get(part.replace("~1", "/").replace("~0", "~"), {}) if isinstance(target, Mapping) else {}
        return name or file, target

    def _schema_at(self, file: str, path: Sequence[str | int]) -> Any:
        """The subschema at a schema path of the JSON Schema library, which leaves `$ref` and `if` out of its paths."""
        current: Any = self.strict[file]
        for part in path:
            while isinstance(current, Mapping) and part not in current and "$ref" in current:
                file, current = self._resolve(file, str(current["$ref"]))
            if isinstance(current, Mapping) and part in current:
                current = current[str(part)]
            elif isinstance(current, list) and isinstance(part, int) and part < len(current):
                current = current[part]
            else:
                return None
        return current

    def _spread(self, schemas: Iterable[tuple[str, Any]]) -> list[tuple[str, Mapping[str, Any]]]:
        """All subschemas that may speak about one value, references followed, each once."""
        result: list[tuple[str, Mapping[str, Any]]] = []
        seen: set[int] = set()
        waiting = list(schemas)
        while waiting:
            file, schema = waiting.pop()
            if not isinstance(schema, Mapping) or id(schema) in seen:
                continue
            seen.add(id(schema))
            result.append((file, schema))
            if "$ref" in schema:
                waiting.append(self._resolve(file, str(schema["$ref"])))
            waiting.extend((file, schema.get(key)) for key in ("then", "else"))
            for key in ("allOf", "anyOf", "oneOf"):
                waiting.extend((file, sub) for sub in schema.get(key, ()))
        return result

    def accepted(self, node: Node, file: str) -> Plain | None:
        """A document as plain data, if it needs no change and nothing is wrong with it; `None` says nothing.

        One pass and the gate's: half of the time of `check` and of what has to be done around it.
        """
        gate = self._gate(file)
        if gate is None:
            return None
        found = Plain()
        try:
            found.value = self._take(node, self._speaking([(file, self.strict[file])]), found)
        except _Changes:
            return None
        return found if gate(found.value, exact=found.exact) else None

    def _take(self, node: Node, here: _Speaking, found: Plain) -> Any:
        """The value of a map or list; `_Changes` for what `check` or the rule of nulls would make another value of."""
        value = node.value
        if value.__class__ is dict:
            made, keys = {}, here.keys
            for key, entry in value.items():
                inner = keys.get(key) or self._at_key(here, key)
                below = entry.value
                kind = below.__class__
                if kind is str and below not in SIGNS and not inner.numeric:
                    made[key] = below
                elif kind is dict or kind is tuple:
                    made[key] = self._take(entry, inner, found)
                elif below is None:
                    raise _Changes
                else:
                    made[key] = _taken(below, inner, found)
            return made
        if value.__class__ is not tuple:
            return _taken(value, here, found)
        return [self._take(item, self._at_index(here, index), found) for index, item in enumerate(value)]

    def _gate(self, file: str) -> Gate | None:
        """What accepts most documents; where the other library is there already, a few go without.

        It takes some milliseconds to make, and that library 50 to import.
        """
        count = self._seen[file] = self._seen.get(file, 0) + 1
        if count <= _FEW and "jsonschema" in sys.modules:
            return None
        if file not in self._gates:
            self._gates[file] = gate_of(self.strict, file)
        return self._gates[file]

    def _speaking(self, schemas: Iterable[tuple[str, Any]]) -> _Speaking:
        """What speaks about one value, once for each set of subschemas: documents of a kind ask the same."""
        listed = [(file, schema) for file, schema in schemas if isinstance(schema, Mapping)]
        key = tuple(id(schema) for _file, schema in listed)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = _Speaking(self._spread(listed))
        return found

    def _fit(self, node: Node, here: _Speaking) -> Node:
        """Numbers as the schema wants them, everywhere below this node; the same node where nothing changes."""
        value = node.value
        if isinstance(value, dict):
            entries = {key: self._fit(entry, self._at_key(here, key)) for key, entry in value.items()}
            same = all(entries[key] is entry for key, entry in value.items())
            return node if same else node.with_entries(entries)
        if isinstance(value, tuple):
            items = tuple([self._fit(item, self._at_index(here, index)) for index, item in enumerate(value)])
            same = all(made is item for made, item in zip(items, value, strict=True))
            return node if same else node.with_value(items)
        number = _fit_number(value, here)
        return node if number is value else node.with_value(number)

    def _at_key(self, here: _Speaking, key: str) -> _Speaking:
        found = here.keys.get(key)
        if found is None:
            found = here.keys[key] = self._speaking(_below(here.schemas, key))
        return found

    def _at_index(self, here: _Speaking, index: int) -> _Speaking:
        index = min(index, here.prefix)
        found = here.items.get(index)
        if found is None:
            found = here.items[index] = self._speaking(_items(here.schemas, index))
        return found


class _Strict(Mapping[str, Mapping[str, Any]]):
    """Schema files in strict form, each made when somebody asks for it: that takes a millisecond."""

    def __init__(self, loose: Mapping[str, Mapping[str, Any]]) -> None:
        self._loose = loose
        self._made: dict[str, Mapping[str, Any]] = {}

    def __getitem__(self, name: str) -> Mapping[str, Any]:
        if name not in self._made:
            self._made[name] = _forbidding(tighten(self._loose[name]))
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        return name in self._loose

    def __iter__(self) -> Iterator[str]:
        return iter(self._loose)

    def __len__(self) -> int:
        return len(self._loose)


class _Speaking:
    """The subschemas that speak about one value, and what follows from them."""

    __slots__ = ("items", "keys", "numeric", "prefix", "schemas", "whole")

    def __init__(self, schemas: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        types = {name for _file, schema in schemas for name in _types(schema)}
        self.schemas = schemas
        self.keys: dict[str, _Speaking] = {}
        self.items: dict[int, _Speaking] = {}
        self.prefix = max((len(schema.get("prefixItems", ())) for _file, schema in schemas), default=0)
        self.numeric = any(schema.get("x-numeric-text") is True for _file, schema in schemas)
        self.whole = not types.isdisjoint({"integer", "number"})


class _Changes(Exception):
    """The document is not taken as it is."""


@dataclass(slots=True)
class Plain:
    """A document as plain data.

    Attributes:
        exact: Every value is of a built-in type; else some are references, or numbers with their text.
        pending: Some are references.
        written: Some are numbers with their text.
    """

    value: Any = None
    exact: bool = True
    pending: bool = False
    written: bool = False


def _taken(value: Any, here: _Speaking, found: Plain) -> Any:
    if value in SIGNS or _fit_number(value, here) is not value:
        raise _Changes
    if value.__class__ not in _BUILT_IN:
        found.exact = False
        if is_pending(value):
            found.pending = True
        else:
            found.written = True
    return value


_BUILT_IN: Final = frozenset({str, int, bool, type(None)})
_FEW: Final = 20
"""Documents of a kind that are judged without the gate."""
_JUDGED: Final = (("spec",), ("lifecycle",))
"""Parts of a document whose refused values are hidden; a name is needed for the messages."""
_REFUSED: Final = KnownAfterApply("", "")
_WHOLE: Final = ("wrong-type", "missing-field", "not-allowed-here")
"""Codes that say nothing inside the value can be judged; of others (too many entries) it can."""


def _renamed(node: Node, path: Path, name: str) -> Node:
    """The document whose field at `path` is called `name`, at its place in the order; unchanged if that is taken."""
    if len(path) > 1:
        return _changed(node, path[0], lambda below: _renamed(below, path[1:], name))
    if not node.is_map or name in node.entries():
        return node
    return node.with_entries({name if key == path[0] else key: entry for key, entry in node.entries().items()})


def _unknown_at(node: Node, path: Path, code: str) -> Node:
    """The document whose value at `path` is not known."""
    if len(path) > 1:
        return _changed(node, path[0], lambda below: _unknown_at(below, path[1:], code))
    old = node.get(path[0])
    if old is not None and isinstance(old.value, dict | tuple) and code not in _WHOLE:
        return node
    unknown = Node(_REFUSED, node.place if old is None else old.place, key=None if old is None else old.key)
    if old is not None:
        return _changed(node, path[0], lambda _old: unknown)
    return node.with_entries({**node.entries(), str(path[0]): unknown}) if node.is_map else node


def _changed(node: Node, part: str | int, change: Callable[[Node], Node]) -> Node:
    below = node.get(part)
    if below is None:
        return node
    if isinstance(node.value, tuple):
        return node.with_value(tuple(change(item) if n == part else item for n, item in enumerate(node.value)))
    return node.with_entries({key: change(entry) if key == part else entry for key, entry in node.entries().items()})


def _forbidding(schema: Any) -> Any:
    """A forbidden property (`false`) as `{"not": {}}`: of a bare `false` the JSON Schema library loses the path."""
    if isinstance(schema, list):
        return [_forbidding(sub) for sub in schema]
    if not isinstance(schema, Mapping):
        return schema
    copy = {key: _forbidding(sub) for key, sub in schema.items()}
    properties = copy.get("properties")
    if isinstance(properties, dict):
        copy["properties"] = {name: {"not": {}} if sub is False else sub for name, sub in properties.items()}
    return copy


def _below(schemas: Iterable[tuple[str, Mapping[str, Any]]], key: str) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for file, schema in schemas:
        if key in schema.get("properties", {}):
            found.append((file, schema["properties"][key]))
        elif "additionalProperties" in schema:
            found.append((file, schema["additionalProperties"]))
        found.extend((file, sub) for sub in schema.get("patternProperties", {}).values())
    return found


def _items(schemas: Iterable[tuple[str, Mapping[str, Any]]], index: int) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for file, schema in schemas:
        first = schema.get("prefixItems", ())
        found.append((file, first[index] if index < len(first) else schema.get("items")))
    return found


_EXACT: Final = 1e15
"""Up to here a float is exactly the whole number that was written."""
_DECIMAL: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,17})?")
"""A numeric text as an API writes it; `1e2`, ` 70` and `0x46` are texts."""


def _fit_number(value: Any, here: _Speaking) -> Any:
    if here.numeric and isinstance(value, str):
        number = scalar(value) if _DECIMAL.fullmatch(value) else value
        value = number if isinstance(number, int | float) and not isinstance(number, bool) else value
    if here.whole and isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return int(value)
    return value


def _types(schema: Mapping[str, Any]) -> Sequence[str]:
    types = schema.get("type", ())
    return (types,) if isinstance(types, str) else tuple(types)


def _twice(node: Node | None) -> tuple[Node, Node] | None:
    """The first entry of a list that stands there before, and that earlier one."""
    seen: list[tuple[Any, Node]] = []
    for item in node.value if node is not None and isinstance(node.value, tuple) else ():
        plain = item.plain()
        first = next((other for value, other in seen if value == plain and type(value) is type(plain)), None)
        if first is not None:
            return item, first
        seen.append((plain, item))
    return None


def _problem(complaint: Complaint, root: Node, address: str) -> Problem:
    node = root.get(*complaint.about)
    pair = _twice(node) if complaint.code == "duplicate-item" else None
    if pair is not None:
        again, first = pair
        return Problem(
            code=complaint.code,
            wrong=f"{complaint.wrong}; the first is at {first.origin}",
            expected=complaint.expected,
            origin=again.origin,
            address=address,
            related=(first.origin,),
        )
    place = root.nearest_place(complaint.about)
    if complaint.at_key and node is not None and node.key is not None:
        place = node.key
    return Problem(
        code=complaint.code,
        wrong=complaint.wrong,
        expected=complaint.expected,
        origin=place,
        address=address,
        nearest=complaint.near,
    )
