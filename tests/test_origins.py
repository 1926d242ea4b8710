"""`compile --explain`: every value can tell all the layers that it went through. Source: issue 4, item 5."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.conftest import Project

SCHEMA = json.loads((Path(__file__).parents[1] / "schemas/reconciler-origins-1.json").read_text("utf-8"))
MODEL = "0e07b41b-173e-42db-8c16-8e1b44cc0d44"


@pytest.fixture
def layered(project: Project) -> Project:
    """A project in which values come from every layer that there is."""
    project.write(
        "reconciler.yaml",
        """\
        apiVersion: reconciler/v1
        kind: Project
        metadata: {name: shop}
        spec:
          secrets: [TOKEN]
          values:
            n: 1
            base: &base {A: "1", B: "2"}
            copy: *base
            users: {ann: 50, bob: 60}
          providers:
            theta: {type: theta, endpoint: emulator}
            modelarts: {type: modelarts, endpoint: emulator}
          defaults:
            theta/Deployment: {spec: {vm_id: vm_gt1, max_replicas: 9, registry_username: b, registry_password: rp_lit}}
            modelarts/Service: {spec: {config: [{instance_count: 7}]}}
          defaultEnvironment: dev
          environments:
            dev: {}
            prod: {values: {n: 2}, providers: {theta: {requestTimeout: 30s}}}
        """,
    )
    project.write("values/prod.yaml", "n: 3\n")
    project.write(
        "resources/a.yaml",
        """\
        apiVersion: theta/v1
        kind: Deployment
        metadata: {name: "chat-{{ item.key }}", labels: {env: "{{ environment }}"}}
        forEach: "{{ values.users }}"
        spec:
          template: Text Embeddings
          min_replicas: "{{ values.n }}"
          max_replicas: "{{ values.n + 1 }}"
          registry_password: '{{ secret("TOKEN") }}'
          env_vars:
            <<: &more {Z: "9"}
            MAX: "m{{ item.value }}"
        ---
        apiVersion: theta/v1
        kind: Deployment
        metadata: {name: copy}
        spec:
          template: Text Embeddings
          env_vars: "{{ values.copy }}"
          min_replicas: 1
          registry_password: '{{ secret("TOKEN") }}'
        ---
        apiVersion: modelarts/v1
        kind: Service
        metadata: {name: mnist}
        spec:
          infer_type: real-time
          config:
            - &one
              model_id: 0e07b41b-173e-42db-8c16-8e1b44cc0d44
              specification: modelarts.vm.cpu.2u
              weight: 50
              instance_count: 1
            - <<: *one
              model_id: 1e07b41b-173e-42db-8c16-8e1b44cc0d44
        """,
    )
    project.write(
        "patches/prod/p.yaml",
        "kind: Deployment\nmetadata: {name: chat-ann}\nspec: {vm_id: '{{ \"vm_gv1\" }}'}\n",
    )
    return project


def chains(project: Project, path: str, *args: str) -> dict[str, tuple[Any, str, list[tuple[str, str, str, Any]]]]:
    """`ADDRESS path` → (value, origin, [(layer, origin, name, value)])."""
    done = project.run("compile", "--explain", path, "-o", "json", *args)
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    Draft202012Validator(SCHEMA).validate(told)
    return {
        f"{one['address'] or ''} {one['path']}".strip(): (
            one["value"],
            one["origin"],
            [(step["layer"], step["origin"], step["name"] or "", step["value"]) for step in one["chain"]],
        )
        for one in told["values"]
    }


def test_a_value_tells_its_whole_way_through_values_files_and_the_command_line(layered: Project) -> None:
    address = "theta/Deployment/chat-ann"
    replicas = chains(layered, f"{address}.spec.min_replicas", "-e", "prod", "--set", "n=4")
    assert replicas == {
        f"{address} spec.min_replicas": (
            4,
            "--set n",
            [
                ("written", "resources/a.yaml:7:17", "", "{{ values.n }}"),
                ("values", "reconciler.yaml:7:8", "values.n", 1),
                ("environment", "reconciler.yaml:20:24", "values.n", 2),
                ("file", "values/prod.yaml:1:4", "values.n", 3),
                ("set", "--set n", "values.n", 4),
            ],
        )
    }


def test_defaults_patches_foreach_and_computed_texts_are_told(layered: Project) -> None:
    told = chains(layered, "chat-ann", "-e", "prod")
    ann = "theta/Deployment/chat-ann"
    assert told[f"{ann} spec.vm_id"] == (
        "vm_gv1",
        "patches/prod/p.yaml:3:15",
        [
            ("default", "reconciler.yaml:15:38", "", "vm_gt1"),
            ("patch", "patches/prod/p.yaml:3:15", "", '{{ "vm_gv1" }}'),
        ],
    )
    assert told[f"{ann} spec.max_replicas"] == (
        4,
        "resources/a.yaml:8:17",
        [
            ("default", "reconciler.yaml:15:60", "", 9),
            ("written", "resources/a.yaml:8:17", "", "{{ values.n + 1 }}"),
            ("values", "reconciler.yaml:7:8", "values.n", 1),
            ("environment", "reconciler.yaml:20:24", "values.n", 2),
            ("file", "values/prod.yaml:1:4", "values.n", 3),
        ],
    )
    assert told[f"{ann} metadata.name"][2] == [
        ("written", "resources/a.yaml:3:18", "", "chat-{{ item.key }}"),
        ("forEach", "resources/a.yaml:4:10", "forEach", "{{ values.users }}"),
        ("values", "reconciler.yaml:10:13", "values.users.ann", "ann"),
    ]
    assert told[f"{ann} metadata.labels.env"][2][1:] == [("set", "-e", "environment", "prod")]
    by_default = chains(layered, "chat-ann.metadata.labels", "--set", "n=1")
    assert by_default[f"{ann} metadata.labels.env"][2][1:] == [
        ("written", "reconciler.yaml:17:23", "environment", "dev")
    ]


def test_anchors_and_merge_keys_are_part_of_the_way(layered: Project) -> None:
    assert chains(layered, "copy.env_vars.A") == {
        "theta/Deployment/copy spec.env_vars.A": (
            "1",
            "reconciler.yaml:8:21",
            [
                ("written", "resources/a.yaml:19:13", "", "{{ values.copy }}"),
                ("alias", "reconciler.yaml:9:11", "*base", None),
                ("values", "reconciler.yaml:8:21", "values.copy.A", "1"),
            ],
        )
    }
    second = chains(layered, "modelarts/Service/mnist.config[1]")
    assert second["modelarts/Service/mnist spec.config[1].weight"] == (
        50,
        "resources/a.yaml:32:15",
        [
            ("default", "reconciler.yaml:16:40", "spec.config", None),
            ("merge", "resources/a.yaml:34:11", "*one", None),
            ("written", "resources/a.yaml:32:15", "", 50),
        ],
    )
    assert second["modelarts/Service/mnist spec.config[1].model_id"][2][-1][1] == "resources/a.yaml:35:17"


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("theta/Deployment/copy.vm_id", ["theta/Deployment/copy spec.vm_id"]),
        ("theta/Deployment/copy:spec.vm_id", ["theta/Deployment/copy spec.vm_id"]),
        ("mnist.config[*].weight", [f"modelarts/Service/mnist spec.config[{n}].weight" for n in (0, 1)]),
        ("mnist.config.weight", [f"modelarts/Service/mnist spec.config[{n}].weight" for n in (0, 1)]),
        (f"mnist.config[{MODEL}].weight", ["modelarts/Service/mnist spec.config[0].weight"]),
        ("spec.vm_id", [f"theta/Deployment/{name} spec.vm_id" for name in ("chat-ann", "chat-bob", "copy")]),
        ("values.users", ["values.users.ann", "values.users.bob"]),
        ("providers.theta.requestTimeout", ["providers.theta.requestTimeout"]),
    ],
)
def test_a_path_may_be_written_in_each_usual_way(layered: Project, path: str, found: list[str]) -> None:
    assert list(chains(layered, path, "-e", "prod")) == found


def test_text_has_a_line_a_layer_and_marks_the_one_that_counts(layered: Project) -> None:
    done = layered.run("compile", "--explain", "chat-bob.min_replicas", "-e", "prod")
    assert done.returncode == 0
    assert done.stdout == (
        "theta/Deployment/chat-bob  spec.min_replicas = 3\n"
        "  written           resources/a.yaml:7:17  {{ values.n }}\n"
        "  project's values  reconciler.yaml:7:8    values.n = 1\n"
        "  environment       reconciler.yaml:20:24  values.n = 2\n"
        "→ values file       values/prod.yaml:1:4   values.n = 3\n"
    )


def test_a_literal_that_a_secret_replaced_is_shown_nowhere(layered: Project) -> None:
    for output in ("text", "json"):
        done = layered.run("compile", "--explain", "chat-bob.registry_password", "-o", output)
        assert done.returncode == 0
        assert "TOKEN" in done.stdout
        assert "reconciler.yaml:15:104" in done.stdout
        assert "rp_lit" not in done.stdout + done.stderr
    plan = layered.run("plan", "-o", "json")
    assert "rp_lit" not in plan.stdout + plan.stderr


def test_what_is_not_there_is_told_with_what_was_near(layered: Project) -> None:
    for path, words in {
        "theta/Deployment/chat-anne.vm_id": "no resource 'theta/Deployment/chat-anne'",
        "theta/Deployment/chat-ann.min_replcas": "did you mean 'spec.min_replicas'",
        "mnist.config.wieght": "did you mean 'spec.config[0].weight'",
        "mnist.additional_properties": "has no spec.additional_properties",
        "values.m": "did you mean 'values.n'",
        "a..b[": "a path such as",
    }.items():
        done = layered.run("compile", "--explain", path)
        assert (done.returncode, done.stdout) == (1, ""), path
        assert words in done.stderr
        assert "Traceback" not in done.stderr


def test_every_field_of_a_plan_carries_its_way(layered: Project) -> None:
    plan = layered.plan("-e", "prod")
    change = next(change for change in plan["changes"] if change["address"] == "theta/Deployment/chat-ann")
    fields = {field["path"]: field for field in change["fields"]}
    assert fields["min_replicas"]["origin"] == "values/prod.yaml:1:4"
    assert [step["layer"] for step in fields["min_replicas"]["chain"]] == ["written", "values", "environment", "file"]
    assert fields["template"]["chain"] == [], "written at its origin and nowhere else"
    assert [step["value"] for step in fields["registry_password"]["chain"]] == [None, '{{ secret("TOKEN") }}']
