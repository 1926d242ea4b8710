"""Every field of every schema as a case: a spec that has it, one with another value, and one without it."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from reconciler.cli.project import load_schemas
from reconciler.fields import FieldPath, FieldRule, Kind
from reconciler.fields.path import EACH
from reconciler.fields.rule import release
from reconciler.spec.schema import tighten
from tests.walk.bench import KINDS
from tests.walk.samples import (
    CHANGES,
    DROP,
    FULL,
    NEWEST,
    ONLY_VALUE,
    OTHER_SECRET,
    REMOVALS,
    RUNAI,
    SECRET,
    SERVICE,
)

__all__ = [
    "CONTAINERS",
    "LEAVES",
    "Case",
    "Place",
    "cases",
    "full_specs",
    "has_field",
    "leaves_of",
    "place_of",
    "required_in",
    "value_at",
]


# -- the schema -----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def _schema_of(label: str) -> Mapping[FieldPath, tuple[Mapping[str, Any], ...]]:
    """Each field of a kind's `spec`, with all that its strict schema says of it."""
    schema = tighten(load_schemas()[KINDS[label].schema])
    found: dict[FieldPath, list[Mapping[str, Any]]] = {}
    for path, node in _below(schema["properties"]["spec"], FieldPath(), schema):
        found.setdefault(path, []).append(node)
    return {path: tuple(nodes) for path, nodes in found.items()}


def _below(
    node: Mapping[str, Any], path: FieldPath, schema: Mapping[str, Any]
) -> Iterator[tuple[FieldPath, Mapping[str, Any]]]:
    yield path, node
    if "$ref" in node:
        file, _, pointer = node["$ref"].partition("#/")
        found: Any = tighten(load_schemas()[file]) if file else schema
        for step in pointer.split("/"):
            found = found[step]
        yield from _below(found, path, schema)
    branches = [*(b for key in ("anyOf", "oneOf", "allOf") for b in node.get(key, ())), node.get("then")]
    for branch in branches:
        if isinstance(branch, Mapping):
            yield from _below(branch, path, schema)
    for name, inner in node.get("properties", {}).items():
        if isinstance(inner, Mapping):
            yield from _below(inner, path / name, schema)
    if isinstance(node.get("items"), Mapping):
        yield from _below(node["items"], path / EACH, schema)


@lru_cache(maxsize=8)
def leaves_of(label: str) -> frozenset[FieldPath]:
    """The fields of a kind's schema that have none below them."""
    paths = _schema_of(label).keys() - {FieldPath()}
    inner = {FieldPath(path.segments[:length]) for path in paths for length in range(len(path))}
    return frozenset(paths - inner)


LEAVES: Final = {label: tuple(sorted(leaves_of(label))) for label in KINDS}
CONTAINERS: Final = {
    label: tuple(sorted({FieldPath.parse(rule.path) for rule in kind.fields} - set(LEAVES[label])))
    for label, kind in KINDS.items()
}
"""Rows that speak of a section or a list: walked by taking it out."""


def _another(label: str, path: FieldPath, before: Any) -> Any:
    """A second valid value, by the schema alone; `DROP` when there is none."""
    facts: dict[str, Any] = {}
    for node in _schema_of(label).get(path, ()):
        facts.update(node)
    if isinstance(before, bool):
        return DROP if "const" in facts else not before
    if "enum" in facts:
        return _next(facts["enum"], before)
    if isinstance(before, int | float):
        return before + 1 if before + 1 <= facts.get("maximum", before + 1) else before - 1
    if isinstance(before, Mapping):
        key = next(iter(before))
        return {**before, key: _other_text(before[key], {}) if isinstance(before[key], str) else {"other": 1}}
    return _other_text(before, facts)


def _next(choices: list[Any], before: Any) -> Any:
    index = choices.index(before)
    following = choices[(index + 1) % len(choices)]
    return DROP if following == before else following


def _other_text(before: str, facts: Mapping[str, Any]) -> str:
    if before == SECRET:
        return OTHER_SECRET
    examples = [text for text in facts.get("examples", ()) if text != before and "{{" not in text]
    digits = re.search(r"[0-9]+", before)
    counted: str = (
        before[: digits.start()] + str(int(digits[0]) + 1).zfill(len(digits[0])) + before[digits.end() :]
        if digits is not None
        else ""
    )
    tries = [*examples, f"{before}b/" if before.endswith("/") else f"{before}-b", counted]
    pattern = facts.get("pattern", "")
    return next(str(text) for text in tries if text and re.search(pattern, text))


# -- values in a spec -----------------------------------------------------------------------------------------------

Place = tuple[str | int, ...]


def _places(value: Any, path: FieldPath) -> Iterator[Place]:
    """Index paths of all values at a pattern; `[1]` in a pattern is the second element."""
    if not path.segments:
        yield ()
        return
    head, rest = path.segments[0], FieldPath(path.segments[1:])
    if head.startswith("["):
        wanted = None if head == EACH else int(head[1:-1])
        for index, item in enumerate(value if isinstance(value, list) else ()):
            if wanted in {None, index}:
                yield from ((index, *below) for below in _places(item, rest))
    elif isinstance(value, Mapping) and head in value:
        yield from ((head, *below) for below in _places(value[head], rest))


def value_at(value: Any, place: Place) -> Any:
    """The value at an index path; `None` where there is none."""
    for step in place:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _with(spec: Mapping[str, Any], changes: Mapping[Place, Any]) -> dict[str, Any]:
    """A copy with other values at these places; dropped elements of lists go last."""
    found: dict[str, Any] = copy.deepcopy(dict(spec))
    for place, value in changes.items():
        holder = value_at(found, place[:-1])
        if value is not DROP:
            holder[place[-1]] = value
        elif isinstance(holder, list):
            del holder[int(place[-1])]
        elif holder is not None:
            holder.pop(place[-1], None)
    return found


def place_of(text: str, place: Place) -> Place:
    """A pattern as an index path; its `[*]` are the elements that `place` goes by."""
    left = iter(step for step in place if isinstance(step, int))
    steps: list[str | int] = []
    for segment in FieldPath.parse(text):
        if segment.startswith("["):
            steps.append(next(left) if segment == EACH else int(segment[1:-1]))
        else:
            steps.append(segment)
    return tuple(steps)


def _moved(spec: Mapping[str, Any], place: Place, changes: Mapping[str, Any]) -> dict[str, Any]:
    return _with(spec, {place_of(text, place): value for text, value in changes.items()})


def has_field(kind: Kind, path: FieldPath, version: str) -> bool:
    """Whether an API of this release has the field, by its own row and those above."""
    rules = (kind.exact_rule(FieldPath(path.segments[:length])) for length in range(1, len(path) + 1))
    return all(rule is None or _is_in(rule, version) for rule in rules)


def _is_in(rule: FieldRule, version: str) -> bool:
    if not version:
        return True
    present = release(version)
    return (not rule.since or present >= release(rule.since)) and (not rule.until or present <= release(rule.until))


def _for_release(kind: Kind, value: Any, version: str, path: FieldPath = FieldPath()) -> Any:  # noqa: B008 - frozen
    """A spec without what this release does not have."""
    if isinstance(value, Mapping):
        return {
            key: _for_release(kind, item, version, path / key)
            for key, item in value.items()
            if has_field(kind, path / key, version)
        }
    if isinstance(value, list):
        found = [_for_release(kind, item, version, path / EACH) for item in value]
        sourceless = path == FieldPath(("environmentVariables",))
        return [item for item in found if not (sourceless and set(item) <= {"name", "description"})]
    return value


@lru_cache(maxsize=32)
def full_specs(kind: Kind, version: str = "") -> dict[str, dict[str, Any]]:
    """Variant → spec, as far as this release has it; not to be changed."""
    return {name: _for_release(kind, spec, version) for name, spec in FULL[kind.label].items()}


# -- cases ----------------------------------------------------------------------------------------------------------


_VPC: Final = ("vpc_id", "subnet_network_id", "security_group_id")
_KEPT: Final = {RUNAI: {"image"}, SERVICE: {"infer_type", "config", "pool_name", "cluster_id", *_VPC}}
_KEPT_OF_CONFIG: Final = {
    "model_id",
    "specification",
    "custom_spec",
    "instance_count",
    "weight",
    "nodes",
    "src_path",
    "dest_path",
    "req_uri",
    "mapping_type",
    "mapping_rule",
}
"""What a spec can't do without, and the pools that much of it hangs on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One field on its way: `before` is applied, then `after`, then `without`.

    Attributes:
        kind, path: Which field.
        version: API release, or empty.
        variant: Name of the full spec that it is taken from.
        place: Index path of the value that changes.
        changes, removals: What moves on the way to `after`, and on the way out: pattern → value, or `DROP`.
        after: `None` where the field has no second value, or stands for what lies below it.
        without: `None` where the walk does not take it out.
    """

    kind: Kind
    path: FieldPath
    version: str
    variant: str
    place: Place
    changes: Mapping[str, Any]
    removals: Mapping[str, Any]
    before: Mapping[str, Any]
    after: Mapping[str, Any] | None
    without: Mapping[str, Any] | None

    @property
    def id(self) -> str:
        """`runai/Inference.autoscaling.minReplicas`."""
        type_ = f"[{self.variant.partition(' ')[0]}]" if self.kind.label == SERVICE else ""
        return f"{self.kind.label}.{self.path}{type_}"


def cases(kind: Kind, version: str = "") -> Iterator[Case]:
    """All fields and rows of a kind that a release has (by default the last one that has each).

    Of services, a field once for each type of inference that has it.
    """
    for path in (*LEAVES[kind.label], *CONTAINERS[kind.label]):
        seen: set[str] = set()
        for variant in FULL[kind.label]:
            is_per_type = kind.label == SERVICE and path in leaves_of(kind.label)
            name = variant.partition(" ")[0] if is_per_type else ""
            case = _case(kind, path, variant, version or _version_for(kind, path)) if name not in seen else None
            if case is not None:
                seen.add(name)
                yield case


def _version_for(kind: Kind, path: FieldPath) -> str:
    if kind.label != RUNAI:
        return ""
    rule = kind.exact_rule(path)
    return rule.until if rule is not None and rule.until else NEWEST


def _case(kind: Kind, path: FieldPath, variant: str, version: str) -> Case | None:
    spec = _section(kind, full_specs(kind, version)[variant], path)
    is_leaf = path in leaves_of(kind.label)
    excluding = path.segments[-1] == "exclude"
    place = next(_places(spec, path.parent if excluding else path), None)
    if place is None:
        return None
    shared: Any = {"kind": kind, "path": path, "version": version, "variant": variant, "place": place, "before": spec}
    if excluding:  # an entry that keeps all of its other members, and is left out; then no longer
        shared["place"] = (*place, "exclude")
        after = _with(spec, {shared["place"]: True})
        return Case(**shared, changes={str(path): True}, removals={str(path): DROP}, after=after, without=spec)
    changes = _by_hand(CHANGES, kind, path, variant)
    if not changes and is_leaf and f"{kind.label}.{path}" not in ONLY_VALUE:
        changes = {str(path): _another(kind.label, path, value_at(spec, place))}
    # The element of a list of texts stands for the list.
    out = path.parent if is_leaf and path.segments[-1] == EACH else path
    removals = _by_hand(REMOVALS, kind, out, variant) or {str(out): DROP}
    return Case(
        **shared,
        changes=changes or {},
        removals=removals,
        after=_moved(spec, place, changes) if changes else None,
        without=_moved(spec, place, removals),
    )


def _section(kind: Kind, spec: Mapping[str, Any], path: FieldPath) -> Mapping[str, Any]:
    """A full spec without what has walks of its own, so that a walk is short."""
    kept = {*_KEPT.get(kind.label, spec), path.segments[0]}
    found = {key: value for key, value in spec.items() if key in kept}
    if path.segments[0] == "storage" and len(path) > 1:
        name = path.segments[1]
        found["storage"] = {name: spec["storage"][name]} if name in spec.get("storage", ()) else {}
    if kind.label == SERVICE and len(path) > 2:
        inner = {*_KEPT_OF_CONFIG, path.segments[2]}
        found["config"] = [{key: value for key, value in item.items() if key in inner} for item in spec["config"]]
    return found


def _by_hand(
    table: Mapping[str, Mapping[str, Mapping[str, Any]]], kind: Kind, path: FieldPath, variant: str
) -> Mapping[str, Any] | None:
    mine = table[kind.label]
    return mine.get(f"{path}({variant})") or mine.get(str(path))


def required_in(kind: Kind, path: FieldPath) -> frozenset[str]:
    """Members of an object (an element, for a list's path with `[*]`) that its schema demands."""
    return frozenset(name for node in _schema_of(kind.label).get(path, ()) for name in node.get("required", ()))
