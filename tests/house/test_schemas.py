"""Files in `schemas/` are for editors: each value takes a template string, and nothing else is looser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from reconciler.providers.registry import provider_types
from reconciler.spec import PROJECT_FILE, PROJECT_SCHEMA, loosen, tighten
from reconciler.spec.formats import FORMATS
from reconciler.spec.policy import POLICY_FILE, POLICY_SCHEMA

FOLDER = Path(__file__).parents[2] / "schemas"
KINDS = {kind.schema: kind for type_ in provider_types().values() for kind in type_.kinds}
FILES = sorted({"common.json", PROJECT_FILE, *KINDS})


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return found


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for key, item in schema.items():
            if key not in {"examples", "default", "const", "enum"}:
                yield from nodes(item)
    elif isinstance(schema, list):
        for item in schema:
            yield from nodes(item)


@pytest.mark.parametrize("name", FILES)
def test_file_on_disk_is_the_loosened_form_of_its_strict_one(name: str) -> None:
    schema = read(name)
    assert schema == loosen(tighten(schema))
    assert tighten(loosen(tighten(schema))) == tighten(schema)


@pytest.mark.parametrize("name", FILES)
def test_file_is_a_valid_schema_that_names_itself(name: str) -> None:
    schema = read(name)
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == name


@pytest.mark.parametrize("name", FILES)
def test_every_format_is_one_that_we_check_ourselves(name: str) -> None:
    assert {node["format"] for node in nodes(read(name)) if isinstance(node.get("format"), str)} <= set(FORMATS)


def test_project_schema_on_disk_is_the_one_in_the_code() -> None:
    assert read(PROJECT_FILE) == loosen(PROJECT_SCHEMA)
    assert read(POLICY_FILE) == POLICY_SCHEMA, "no template stands in a policy"


@pytest.mark.parametrize("name", sorted(KINDS))
def test_example_of_a_kind_fits_its_strict_schema(name: str) -> None:
    kind = KINDS[name]
    contents = {file: tighten(read(file)) for file in {"common.json", name}}
    registry: Registry[Any] = Registry().with_resources(
        [(file, DRAFT202012.create_resource(schema)) for file, schema in contents.items()]
    )
    document = {
        "apiVersion": kind.api_version,
        "kind": kind.name,
        "metadata": {"name": "example"},
        "spec": json.loads(json.dumps(kind.example)),
    }
    errors = [error.message for error in Draft202012Validator(contents[name], registry=registry).iter_errors(document)]
    assert errors == []
