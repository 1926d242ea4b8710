"""A toy provider with two kinds, and ways to compile a few lines of YAML with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from reconciler.fields import IN_PLACE, FieldRule, Finding, Kind, MarkerSlot, NameRule, Phase, ReplaceOrder
from reconciler.fields.setting import Setting
from reconciler.problems import Problem, SpecError
from reconciler.spec import SourceFile, Spec, compile_all

ROOT = Path(__file__).parents[2]


def weights_sum_to_100(document: Mapping[str, Any], _settings: Mapping[str, Any]) -> Iterator[Finding]:
    weights = [entry["weight"] for entry in document["spec"].get("config", [])]
    if weights and sum(weights) != 100:
        yield Finding(
            code="weights",
            path="config[0].weight",
            others=tuple(f"config[{n}].weight" for n in range(1, len(weights))),
            wrong=f"weights sum to {sum(weights)}",
            expected="100",
        )


def _envelope(spec: dict[str, Any], name: str, kind: str) -> dict[str, Any]:
    shared = {part: {"$ref": f"common.json#/$defs/{part}"} for part in ("metadata", "forEach", "lifecycle")}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": name,
        "type": "object",
        "properties": {"apiVersion": {"const": "toy/v1"}, "kind": {"const": kind}, **shared, "spec": spec},
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "additionalProperties": False,
        "$defs": {
            "batch": {
                "title": "batch configuration",
                "type": "object",
                "properties": {
                    "weight": {"type": "integer", "x-numeric-text": True, "minimum": 0, "examples": [100]},
                    "instance_count": {"type": "integer", "examples": [1]},
                },
                "required": ["instance_count"],
                "additionalProperties": False,
            },
            "live": {
                "title": "real-time configuration",
                "type": "object",
                "properties": {"weight": {"type": "integer", "x-numeric-text": True, "minimum": 0}},
                "required": ["weight"],
                "additionalProperties": False,
            },
        },
    }


SERVICE_SPEC: dict[str, Any] = {
    "type": "object",
    "properties": {
        "mode": {"type": "string", "enum": ["real-time", "batch"]},
        "config": {"type": "array", "items": {"type": "object"}},
        "replicas": {"type": "integer", "minimum": 0, "examples": [2]},
        "ratio": {"type": "number"},
        "debug": {"type": "boolean"},
        "text": {"type": "string"},
        "vm": {"type": "string", "pattern": "^vm_[a-z0-9]+$", "examples": ["vm_a100"]},
        "description": {"type": "string", "pattern": "^[^<>]*$"},
        "password": {"type": "string", "writeOnly": True, "pattern": "^[a-z]+$", "maxLength": 10},
        "since": {"type": "string", "format": "date-time"},
        "env": {"type": "object", "additionalProperties": {"type": "string"}},
        "variables": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "value": {"type": "string"}},
                "required": ["name"],
                "additionalProperties": False,
            },
        },
        "scaling": {
            "type": "object",
            "properties": {
                "limits": {
                    "type": "object",
                    "properties": {"upper": {"type": "integer"}},
                    "additionalProperties": False,
                }
            },
            "additionalProperties": False,
        },
        "any": True,
    },
    "additionalProperties": False,
    "allOf": [
        {
            "if": {"properties": {"mode": {"const": mode}}, "required": ["mode"]},
            "then": {"properties": {"config": {"items": {"$ref": f"#/$defs/{name}"}}}},
        }
        for mode, name in (("batch", "batch"), ("real-time", "live"))
    ],
}

SERVICE = Kind(
    api_version="toy/v1",
    name="Service",
    type="toy",
    title="toy service",
    schema="toy-service.json",
    fields=(
        FieldRule(path="text", change=IN_PLACE, source="toy"),
        FieldRule(path="variables", change=IN_PLACE, source="toy", list_key="name"),
    ),
    phases={"up": Phase.READY},
    marker=MarkerSlot(carrier="description", suffix_of="description", room=100),
    live_name=NameRule(pattern="[A-Za-z0-9_-]{1,20}", words="1 to 20 letters, digits, - and _"),
    replace=ReplaceOrder.CREATE_FIRST,
    replace_orders=(ReplaceOrder.CREATE_FIRST,),
    replace_notice="the address changes",
    checks=(weights_sum_to_100,),
    run_states=("running", "stopped"),
)
NAMELESS = Kind(
    api_version="toy/v1",
    name="Box",
    type="toy",
    title="toy box",
    schema="toy-box.json",
    fields=(),
    phases={},
    marker=MarkerSlot(carrier="annotation"),
    live_name=None,
    replace=ReplaceOrder.DELETE_FIRST,
    replace_orders=(ReplaceOrder.DELETE_FIRST,),
    replace_notice="",
)
KINDS = (SERVICE, NAMELESS)
SETTINGS = {
    "toy": (
        Setting(name="projectId", type="string", doc="Project.", required=True, example="prj_demo"),
        Setting(name="apiKey", type="string", doc="Key.", required=True, secret=True),
        Setting(name="clusterId", type="uuid", doc="Cluster."),
        Setting(
            name="cluster",
            type="string",
            doc="Cluster by name.",
            required=True,
            alternatives=("clusterId",),
            example="main",
        ),
        Setting(name="iamEndpoint", type="url", doc="Log-in.", default="https://iam.example.com"),
        Setting(name="style", type="enum", doc="Style.", choices=("auto", "new"), default="auto"),
    )
}
SCHEMAS = {
    "common.json": json.loads((ROOT / "schemas" / "common.json").read_text(encoding="utf-8")),
    "toy-service.json": _envelope(SERVICE_SPEC, "toy-service.json", "Service"),
    "toy-box.json": _envelope({"type": "object", "properties": {"url": {"type": "string"}}}, "toy-box.json", "Box"),
}
PROJECT = """\
apiVersion: reconciler/v1
kind: Project
metadata: {name: shop}
spec:
  secrets: [HF_TOKEN, API_KEY]
  providers:
    toy: {type: toy, endpoint: emulator}
"""
Compile = Callable[..., Spec]


@pytest.fixture
def compile_toy() -> Compile:
    """Compile resource texts by file name; `project` is added below `spec` of a small project, or replaces it."""

    def compiled(
        text: str | bytes | dict[str, str | bytes],
        *,
        project: str = "",
        whole: str = "",
        patches: dict[str, str] | None = None,
        values: dict[str, str] | None = None,
        sets: tuple[str, ...] = (),
        environment: str | None = None,
    ) -> Spec:
        files = text if isinstance(text, dict) else {"resources/a.yaml": text}
        return compile_all(
            SourceFile("reconciler.yaml", (whole or PROJECT + project).encode()),
            environment=environment,
            settings=SETTINGS,
            values_files=[SourceFile(path, body.encode()) for path, body in (values or {}).items()],
            sets=sets,
            resources=[SourceFile(p, b.encode() if isinstance(b, str) else b) for p, b in files.items()],
            patches=[SourceFile(path, body.encode()) for path, body in (patches or {}).items()],
            kinds=KINDS,
            schemas=SCHEMAS,
        )

    return compiled


Refuse = Callable[..., list[Problem]]


@pytest.fixture
def refuse_toy(compile_toy: Compile) -> Refuse:
    """The problems that a compilation ends with; fails when it does not end so."""

    def refused(*args: Any, **kwargs: Any) -> list[Problem]:
        with pytest.raises(SpecError) as caught:
            compile_toy(*args, **kwargs)
        return list(caught.value.problems)

    return refused


@pytest.fixture
def head() -> Callable[[str, str], str]:
    """A Service document of a name, with further lines below."""
    return lambda name, rest: f"apiVersion: toy/v1\nkind: Service\nmetadata: {{name: {name}}}\n{rest}\n"
