"""A field that nobody knows is reported with its place and the nearest name, wherever it was written (issue 4).

`»` stands right before the misspelt key.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import pytest

from tests.conftest import Project

PROJECT: Final = """\
apiVersion: reconciler/v1
kind: Project
metadata: {name: shop}
spec:
  providers:
    theta: {type: theta, endpoint: emulator}
    runai: {type: runai, endpoint: emulator, version: "2.24"}
    modelarts: {type: modelarts, endpoint: emulator}
"""
FULL: Final[Mapping[str, str]] = {
    "theta": """\
apiVersion: theta/v1
kind: Deployment
metadata: {name: it, labels: {team: a}}
lifecycle: {wait: {timeout: 20m}}
spec:
  template: vLLM
  vm_id: vm_gt1
  min_replicas: 1
""",
    "runai": """\
apiVersion: runai/v1
kind: Inference
metadata: {name: it, labels: {team: a}}
lifecycle: {wait: {timeout: 20m}}
spec:
  image: python:3.8
  servingPort: {container: 8080}
  probes: {readiness: {handler: {httpGet: {path: /health}}}}
  storage: {pvc: [{path: /a, claimInfo: {size: 1Gi, accessModes: {readWriteOnce: true}}}]}
""",
    "service": """\
apiVersion: modelarts/v1
kind: Service
metadata: {name: it, labels: {team: a}}
lifecycle: {wait: {timeout: 20m}}
spec:
  infer_type: real-time
  description: it
  config:
    - {model_id: m1, specification: s, instance_count: 1, weight: 100, additional_properties: {max_surge: 1}}
  additional_properties: {log_report_channels: [{type: LTS, configuration: {log_group_id: g}}]}
""",
    "notebook": """\
apiVersion: modelarts/v1
kind: Notebook
metadata: {name: it, labels: {team: a}}
lifecycle: {wait: {timeout: 20m}}
spec:
  profile_id: p
  flavor: f
  spec:
    storage: {type: obs, location: {path: /b/n/}}
    auto_stop: {enable: true, duration: 3600}
""",
}
"""Kind → a document without a mistake."""
_EVERYWHERE: Final = (
    ("kind:", "Kind:", "kind"),
    ("apiVersion:", "apiversion:", "apiVersion"),
    ("metadata:", "metdata:", "metadata"),
    ("lifecycle:", "lifecyle:", "lifecycle"),
    ("spec:\n", "spce:\n", "spec"),
    ("name: it", "nmae: it", "name"),
    ("labels:", "lables:", "labels"),
    ("wait:", "waits:", "wait"),
    ("timeout:", "timout:", "timeout"),
)
_OWN: Final[Mapping[str, tuple[tuple[str, str, str], ...]]] = {
    "theta": (
        ("template:", "tempalte:", "template"),
        ("vm_id:", "vmid:", "vm_id"),
        ("min_replicas:", "minReplicas:", "min_replicas"),
    ),
    "runai": (
        ("image:", "imagee:", "image"),
        ("servingPort:", "servingPorts:", "servingPort"),
        ("container:", "containr:", "container"),
        ("httpGet:", "httpget:", "httpGet"),
        ("{path: /health", "{pth: /health", "path"),
        ("size:", "siez:", "size"),
        ("readWriteOnce:", "ReadWriteOnce:", "readWriteOnce"),
    ),
    "service": (
        ("infer_type:", "inferType:", "infer_type"),
        ("  config:", "  confg:", "config"),
        ("weight:", "wieght:", "weight"),
        ("max_surge:", "maxsurge:", "max_surge"),
        ("configuration:", "configration:", "configuration"),
        ("log_group_id:", "log_groupid:", "log_group_id"),
    ),
    "notebook": (
        ("flavor:", "flavour:", "flavor"),
        ("  spec:\n", "  sepc:\n", "spec"),
        ("storage:", "storge:", "storage"),
        ("location:", "loction:", "location"),
        ("path:", "pth:", "path"),
        ("enable:", "enabled:", "enable"),
        ("duration:", "duraton:", "duration"),
    ),
}


def problems_of(project: Project, *args: str) -> list[dict[str, Any]]:
    done = project.run("validate", "-o", "json", *args)
    assert (done.returncode, done.stderr) == (1, "")
    found: list[dict[str, Any]] = json.loads(done.stdout)["problems"]
    return found


def place_of(marked: str) -> tuple[str, int, int]:
    """The text without its mark, and where that stood."""
    lines = marked.partition("»")[0].split("\n")
    return marked.replace("»", ""), len(lines), len(lines[-1]) + 1


@pytest.mark.parametrize("kind", FULL)
def test_each_misspelt_field_of_a_document_is_one_error_with_place_and_nearest_name(
    project: Project, kind: str
) -> None:
    """At the top, three levels down, in metadata and in lifecycle; each in a file of its own, all in two runs."""
    project.write("reconciler.yaml", PROJECT)
    rows = (*_EVERYWHERE, *_OWN[kind])
    expected = set()
    for number, (right, wrong, near) in enumerate(rows):
        before, found, after = FULL[kind].partition(right)
        if right == "spec:\n":
            before, found, after = FULL[kind].partition("\nspec:\n")
            before, found = f"{before}\n", "spec:\n"
        lead = len(wrong) - len(wrong.lstrip(" {"))
        marked = f"{before}{wrong[:lead]}»{wrong[lead:]}{after}".replace("name: it", f"name: it-{number}")
        text, line, column = place_of(marked)
        assert found
        folder = (
            "shape"
            if right.rstrip() in {"kind:", "apiVersion:", "metadata:", "lifecycle:", "spec:", "name: it"}
            else "rest"
        )
        folder = "rest" if right.startswith("  spec") else folder
        project.write(f"{folder}/{number:02}.yaml", text)
        expected.add((f"{folder}/{number:02}.yaml", line, column, "unknown-field", near))
    told = []
    for folder in ("shape", "rest"):
        project.write("reconciler.yaml", PROJECT + f"  resources: [{folder}/]\n")
        told += [(p["file"], p["line"], p["column"], p["code"], p["nearest"]) for p in problems_of(project)]
    assert sorted(told) == sorted(expected)


_FINE: Final = FULL["service"]
_HEAD: Final = "apiVersion: modelarts/v1\nkind: Service\nmetadata: {name: it}\n"


@pytest.mark.parametrize(
    ("marked", "near"),
    [
        ("»speck: {}", "spec"),
        ("metadata: {name: it, »lables: {a: b}}", "labels"),
        ("lifecycle: {»preventDestory: true}", "preventDestroy"),
        ("spec: {»descripton: x}", "description"),
        ("spec: {additional_properties: {log_report_channels: [{type: LTS, »configration: {}}]}}", "configuration"),
    ],
    ids=["top", "metadata", "lifecycle", "spec", "three levels down"],
)
def test_a_misspelt_field_of_a_patch_is_reported_in_the_patch(project: Project, marked: str, near: str) -> None:
    project.write("reconciler.yaml", PROJECT + "  environments: {dev: {}}\n")
    project.write("resources/it.yaml", _FINE)
    head = _HEAD.replace("metadata: {name: it}\n", "") if "metadata" in marked else _HEAD
    text, line, column = place_of(f"{head}{marked}\n")
    project.write("patches/dev/it.yaml", text)
    told = [(p["file"], p["line"], p["column"], p["code"], p["nearest"]) for p in problems_of(project, "-e", "dev")]
    assert told == [("patches/dev/it.yaml", line, column, "unknown-field", near)]


@pytest.mark.parametrize(
    ("marked", "near"),
    [
        ("defaults: {modelarts/Service: {»spce: {}}}", "spec"),
        ("defaults: {modelarts/Service: {metadata: {»lables: {}}}}", "labels"),
        ("defaults: {modelarts/Service: {spec: {»descripton: x}}}", "description"),
        (
            "defaults: {modelarts/Service: {spec: {schedule: [{type: stop, time_unit: HOURS, »duraton: 1}]}}}",
            "duration",
        ),
        ("defaults: {modelarts/Service: {lifecycle: {wait: {»timout: 5m}}}}", "timeout"),
        ("»default: {}", "defaults"),
        ("»enviroments: {}", "environments"),
        ("environments: {dev: {»valus: {}}}", "values"),
        ("safety: {»maxDelets: 3}", "maxDeletes"),
        ("ledger: {type: sqlite, »pth: a.db}", "path"),
        ("ledger: {»tpye: sqlite}", "type"),
    ],
)
def test_a_misspelt_field_of_reconciler_yaml_is_reported_there(project: Project, marked: str, near: str) -> None:
    text, line, column = place_of(f"{PROJECT}  {marked}\n")
    project.write("reconciler.yaml", text)
    project.write("resources/it.yaml", _FINE)
    told = [(p["file"], p["line"], p["column"], p["code"], p["nearest"]) for p in problems_of(project)]
    assert told == [("reconciler.yaml", line, column, "unknown-field", near)]


@pytest.mark.parametrize(
    ("right", "wrong", "near"),
    [
        ("kind: Project", "»Kind: Project", "kind"),
        ("metadata: {name: shop}", "metadata: {»nmae: shop}", "name"),
        ("spec:\n", "»spce:\n", "spec"),
        ("  providers:", "  »provider:", "providers"),
        ("{type: theta", "{»tpye: theta", "type"),
        ('version: "2.24"', '»verison: "2.24"', "version"),
        ("endpoint: emulator, version", "»endpont: emulator, version", "endpoint"),
        ('version: "2.24"', 'version: "2.24", »request_timeout: 60s', "requestTimeout"),
        ('version: "2.24"', 'version: "2.24", prices: {»unt: EUR, perHour: {}}', "unit"),
    ],
)
def test_a_misspelt_key_of_the_project_and_its_providers_is_reported(
    project: Project, right: str, wrong: str, near: str
) -> None:
    assert right in PROJECT
    text, line, column = place_of(PROJECT.replace(right, wrong, 1))
    project.write("reconciler.yaml", text)
    (project.root / "resources").mkdir()
    told = [(p["file"], p["line"], p["column"], p["code"], p["nearest"]) for p in problems_of(project)]
    unknown = [row for row in told if row[3] == "unknown-field"]
    assert unknown == [("reconciler.yaml", line, column, "unknown-field", near)]
    assert len(told) == 1 or near == "endpoint", "a misspelt endpoint is a missing emulator too"


def test_a_mistake_of_a_forked_document_or_a_default_is_told_once(project: Project) -> None:
    text, line, column = place_of(f"{PROJECT}  defaults: {{modelarts/Service: {{spec: {{»descripton: x}}}}}}\n")
    project.write("reconciler.yaml", text)
    document = _FINE.replace("name: it", 'name: "it-{{ item }}"').replace("\nspec:", "\nforEach: [a, b, c]\nspec:")
    project.write("resources/it.yaml", document.replace("weight:", "wieght:"))
    told = [(p["file"], p["nearest"]) for p in problems_of(project)]
    assert told == [("reconciler.yaml", "description"), ("resources/it.yaml", "weight")]
    assert (line, column) == (9, 41)
