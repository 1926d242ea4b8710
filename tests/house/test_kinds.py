"""Each kind has all its parts: schema, valid example, emulator module, and a place in `specs-example/`."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest

from reconciler.cli.project import ProjectFiles, load_schemas, load_spec
from reconciler.emulator.server import Emulator
from reconciler.fields import Kind
from reconciler.providers.registry import provider_types

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "specs-example"
TYPES = sorted(provider_types())
KINDS = [kind for found in provider_types().values() for kind in found.kinds]

each_kind = pytest.mark.parametrize("kind", KINDS, ids=[kind.label for kind in KINDS])


def test_the_four_kinds_are_there() -> None:
    assert [kind.label for kind in KINDS] == [
        "modelarts/Service",
        "modelarts/Notebook",
        "runai/Inference",
        "theta/Deployment",
    ]


@each_kind
def test_a_kind_has_a_schema_of_its_own(kind: Kind) -> None:
    assert kind.schema == f"{kind.type}-{kind.name.lower()}.json"
    schema = load_schemas()[kind.schema]

    assert schema["properties"]["apiVersion"]["const"] == kind.api_version
    assert schema["properties"]["kind"]["const"] == kind.name


@each_kind
def test_the_smallest_example_of_a_kind_is_valid(kind: Kind, tmp_path: Path) -> None:
    project = {
        "apiVersion": "reconciler/v1",
        "kind": "Project",
        "metadata": {"name": "house"},
        "spec": {"providers": {kind.type: {"type": kind.type, "endpoint": "emulator"}}},
    }
    document = {
        "apiVersion": kind.api_version,
        "kind": kind.name,
        "metadata": {"name": "smallest"},
        "spec": dict(kind.example),
    }
    (tmp_path / "resources").mkdir()
    (tmp_path / "reconciler.yaml").write_text(json.dumps(project), encoding="utf-8")
    (tmp_path / "resources/smallest.yaml").write_text(json.dumps(document), encoding="utf-8")

    spec = load_spec(ProjectFiles(root=tmp_path))

    assert [resource.address for resource in spec.resources] == [f"{kind.type}/{kind.name}/smallest"]


@pytest.mark.parametrize("name", TYPES)
def test_a_provider_type_has_an_emulator_that_tells_how_to_reach_it(name: str) -> None:
    modules = importlib.import_module(f"reconciler.emulator.{name}").MODULES

    assert modules
    told = Emulator(None).connection("http://127.0.0.1:1")[name]
    assert told["endpoint"].startswith("http://127.0.0.1:1")
    required = {setting.name for setting in provider_types()[name].settings if setting.required}
    assert required - {"version"} <= set(told)


def test_every_kind_and_every_service_type_has_a_believable_example() -> None:
    spec = load_spec(ProjectFiles(root=EXAMPLE))

    assert {resource.kind.label for resource in spec.resources} == {kind.label for kind in KINDS}
    services = [resource for resource in spec.resources if resource.kind.name == "Service"]
    assert {resource.spec["infer_type"] for resource in services} == {"real-time", "batch", "edge"}


@pytest.mark.parametrize(
    "path", sorted(EXAMPLE.glob("resources/**/*.yaml")), ids=lambda path: str(path.relative_to(EXAMPLE))
)
def test_an_example_file_leads_editors_to_its_schema(path: Path) -> None:
    first, *_ = path.read_text(encoding="utf-8").splitlines()
    schema = first.removeprefix("# yaml-language-server: $schema=")

    assert (path.parent / schema).resolve().parent == ROOT / "schemas"
    assert (path.parent / schema).is_file()
