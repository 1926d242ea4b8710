"""Facts are data: tables hold literals, every fact names its source, and table and schema speak of the same fields."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.project import load_schemas
from reconciler.fields import FieldPath, FieldRule, Kind, Secret
from reconciler.fields.normalise import NORMALISERS
from reconciler.fields.path import EACH
from reconciler.providers.registry import provider_types
from reconciler.spec.schema import tighten

ROOT = Path(__file__).parents[2]
PROVIDERS = ROOT / "reconciler" / "providers"
TABLES = sorted({*PROVIDERS.glob("*/fields.py"), *PROVIDERS.glob("*/*_fields.py")})
KINDS = [kind for found in provider_types().values() for kind in found.kinds]
ROWS = [pytest.param(kind, rule, id=f"{kind.label}.{rule.path}") for kind in KINDS for rule in kind.fields]
LITERALS = (ast.Tuple, ast.List, ast.Dict, ast.Constant, ast.Name, ast.Attribute, ast.expr_context, ast.keyword)

each_kind = pytest.mark.parametrize("kind", KINDS, ids=[kind.label for kind in KINDS])
each_table = pytest.mark.parametrize("table", TABLES, ids=[str(path.relative_to(PROVIDERS)) for path in TABLES])


@each_table
def test_a_table_of_facts_holds_literals_only(table: Path) -> None:
    module = ast.parse(table.read_text(encoding="utf-8"))

    assert TABLES
    for statement in module.body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            continue
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue
        assert isinstance(statement, ast.Assign | ast.AnnAssign), f"line {statement.lineno} is no assignment"
        assert statement.value is not None
        for node in ast.walk(statement.value):
            is_row = isinstance(node, ast.Call) and ast.unparse(node.func) == "FieldRule" and not node.args
            assert is_row or isinstance(node, LITERALS), f"line {getattr(node, 'lineno', '?')}: {ast.unparse(node)}"


@pytest.mark.parametrize(("kind", "rule"), ROWS)
def test_a_row_names_its_source_and_only_things_that_exist(kind: Kind, rule: FieldRule) -> None:
    assert "§" in rule.source, "a section of the provider's sheet"
    assert not rule.normalise or rule.normalise in NORMALISERS
    assert not rule.instead_of or kind.exact_rule(FieldPath.parse(rule.instead_of)) is not None
    for bound in rule.bounds or ():
        assert kind.exact_rule(FieldPath.parse(bound)) is not None
    if not rule.server_set:
        assert FieldPath.parse(rule.path) in _all_paths(kind), "no such field in the schema"


@each_kind
def test_every_field_that_a_person_may_write_has_a_row(kind: Kind) -> None:
    without = [str(path) for path in _leaves(kind) if kind.rule(path) is None]

    assert without == []


@each_kind
def test_every_field_is_described_for_people(kind: Kind) -> None:
    described = {path for path, node in _nodes(kind) if node.get("description")}

    # An element of a list is described by the list.
    assert sorted(str(path) for path in _all_paths(kind) - described if path.segments[-1] != EACH) == []


@each_kind
def test_no_two_rows_speak_of_one_field(kind: Kind) -> None:
    paths = [rule.path for rule in kind.fields]

    assert sorted(set(paths)) == sorted(paths)


@each_kind
def test_write_only_in_the_schema_is_always_secret_in_the_table(kind: Kind) -> None:
    write_only = {path for path, node in _nodes(kind) if node.get("writeOnly") is True}
    secret = {FieldPath.parse(rule.path) for rule in kind.fields if rule.secret is Secret.ALWAYS}

    assert write_only == secret


@each_kind
def test_costs_bounds_and_likeness_point_at_real_fields(kind: Kind) -> None:
    paths = [path for rule in (*kind.costs, *kind.gpus) for path in (rule.item, *rule.times, rule.low, rule.high)]
    paths += [*kind.likeness, *kind.named_by, kind.marker.suffix_of, *(rule.goes_with for rule in kind.fields)]

    missing = [path for path in paths if path and not path.startswith('"') and not _exists(kind, path)]
    assert missing == []


def _exists(kind: Kind, path: str) -> bool:
    return FieldPath.parse(path) in _all_paths(kind)


def _all_paths(kind: Kind) -> frozenset[FieldPath]:
    return frozenset(path for path, _ in _nodes(kind))


def _leaves(kind: Kind) -> list[FieldPath]:
    """Paths with nothing below them."""
    paths = _all_paths(kind)
    inner = {FieldPath(path.segments[:length]) for path in paths for length in range(len(path))}
    return sorted(paths - inner)


def _nodes(kind: Kind) -> Iterator[tuple[FieldPath, Mapping[str, Any]]]:
    """Each field of a kind's `spec`, as (path, strict schema); branches and conditions are one field."""
    schema = tighten(load_schemas()[kind.schema])
    yield from _below(schema["properties"]["spec"], FieldPath(), schema)


def _below(
    node: Mapping[str, Any], path: FieldPath, schema: Mapping[str, Any]
) -> Iterator[tuple[FieldPath, Mapping[str, Any]]]:
    if path:
        yield path, node
    if "$ref" in node:
        yield from _below(_referred(node["$ref"], schema), path, schema)
    for key in ("anyOf", "oneOf", "allOf"):
        for branch in node.get(key, ()):
            yield from _below(branch, path, schema)
    for key in ("then", "else"):
        if isinstance(node.get(key), Mapping):
            yield from _below(node[key], path, schema)
    for name, below in node.get("properties", {}).items():
        if isinstance(below, Mapping):  # `false` forbids the field in one branch
            yield from _below(below, path / name, schema)
    if isinstance(node.get("items"), Mapping):
        yield from _below(node["items"], path / EACH, schema)


def _referred(reference: str, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    file, _, pointer = reference.partition("#/")
    found: Any = tighten(load_schemas()[file]) if file else schema
    for step in pointer.split("/"):
        found = found[step]
    assert isinstance(found, Mapping), json.dumps(found)
    return found
