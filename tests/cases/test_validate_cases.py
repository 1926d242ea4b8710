"""What `validate` says of a mistake, through the command line as a process: cases C13 to C16.

A row is one document with one mistake; `»` stands right before the place that the error must name.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from tests.conftest import CHAT, LLM, MNIST, Fleet, Project, Served

PROJECT: Final = """\
    apiVersion: reconciler/v1
    kind: Project
    metadata: {name: shop}
    spec:
      secrets: [FIRST]
      providers:
        theta: {type: theta, endpoint: emulator}
        runai: {type: runai, endpoint: emulator, version: "VERSION"}
        modelarts: {type: modelarts, endpoint: emulator}
    """
HEADS: Final = {
    "theta": "apiVersion: theta/v1\nkind: Deployment\n",
    "runai": "apiVersion: runai/v1\nkind: Inference\n",
    "service": "apiVersion: modelarts/v1\nkind: Service\n",
    "notebook": "apiVersion: modelarts/v1\nkind: Notebook\n",
}
Row = tuple[str, str, str]
"""Lines below `metadata`, code, nearest name."""


def theta(fields: str, vm: str = "vm_id: vm_gt1", name: str = "template: vLLM") -> str:
    return f"spec: {{{', '.join(part for part in (name, vm, fields) if part)}}}"


def runai(fields: str) -> str:
    return f"spec: {{image: python:3.8, {fields}}}"


def live(element: str = "", top: str = "", weight: str = "weight: 100", flavor: str = "modelarts.vm.cpu.2u") -> str:
    parts = ["model_id: m1", f"specification: {flavor}", "instance_count: 1", weight, element]
    config = f"config: [{{{', '.join(filter(None, parts))}}}]"
    return f"spec: {{infer_type: real-time, {f'{top}, ' if top else ''}{config}}}"


def batch(element: str = "", top: str = "", mapping: str = "mapping_type: file") -> str:
    parts = ["model_id: m1, specification: s, instance_count: 1, req_uri: /", mapping]
    parts += ['src_path: "https://b.obs.example.com/in/", dest_path: "https://b.obs.example.com/out/"', element]
    config = f"config: [{{{', '.join(filter(None, parts))}}}]"
    return f"spec: {{infer_type: batch, {f'{top}, ' if top else ''}{config}}}"


def edge(element: str = "nodes: [n1]", top: str = "") -> str:
    return (
        f"spec: {{infer_type: edge, {f'{top}, ' if top else ''}"
        f"config: [{{model_id: m1, specification: s, instance_count: 1, {element}}}]}}"
    )


def notebook(storage: str = "location: {path: /b/n/}", more: str = "", top: str = "") -> str:
    inner = f"spec: {{storage: {{type: obs, {storage}}}{f', {more}' if more else ''}}}"
    return f"spec: {{profile_id: p, flavor: f, {f'{top}, ' if top else ''}{inner}}}"


THETA: Final[Sequence[Row]] = (
    (theta("min_replicas: »true"), "wrong-type", ""),
    (theta('min_replicas: »"1"'), "wrong-type", ""),
    (theta("min_replicas: 1, max_replicas: »3.5"), "wrong-type", ""),
    (theta("min_replicas: »0"), "out-of-range", ""),
    (theta("min_replicas: 3, max_replicas: »2"), "out-of-range", ""),
    (theta("min_replicas: 1", vm="vm_id: »gt1"), "bad-pattern", ""),
    (theta("min_replicas: 1, »vm: vm_gt1", vm=""), "unknown-field", "vm_id"),
    (theta("»min_replica: 1"), "unknown-field", "min_replicas"),
    (theta("min_replicas: 1", name="»templat: vLLM"), "unknown-field", "template"),
    (theta("min_replicas: 1", name="template: vLLM, deployment_template_id: »img_1"), "one-of", ""),
    (f"»{theta('min_replicas: 1', name='')}", "one-of", ""),
    (theta("min_replicas: 1, »deployment_image_id: img_1", name=""), "unknown-field", "deployment_template_id"),
    (theta("min_replicas: 1, env_vars: {FLAG: »true}"), "wrong-type", ""),
    (theta("min_replicas: 1, »env_vars: [A]"), "wrong-type", ""),
    (theta("min_replicas: 1, annotations: {rc-id: »x}"), "reserved-name", ""),
    (theta("min_replicas: 1, registry_username: »bot"), "needs-other-field", ""),
    (theta("""min_replicas: 1, auth_password: »'{{ secret("FIRST") }}'"""), "needs-other-field", ""),
    (theta("min_replicas: 1, auth_username: a, auth_password: »geheim"), "literal-secret", ""),
    (theta('min_replicas: 1, password: »""'), "out-of-range", ""),
    (
        theta("""min_replicas: 1, auth_username: a, »auth_pasword: '{{ secret("FIRST") }}'"""),
        "unknown-field",
        "auth_password",
    ),
    (f"lifecycle: {{adopt: »2-a72}}\n{theta('min_replicas: 1')}", "bad-live-id", ""),
    (f"lifecycle: {{runState: »stopped}}\n{theta('min_replicas: 1')}", "not-allowed-here", ""),
)

RUNAI: Final[Sequence[Row]] = (
    (runai('servingPort: {container: »"8000"}'), "wrong-type", ""),
    (runai("servingPort: {container: »8000.5}"), "wrong-type", ""),
    (runai("servingPort: {container: »70000}"), "out-of-range", ""),
    (runai("servingPort: {container: 80, protocol: »HTTP}"), "not-allowed", "http"),
    (runai("servingPort: »8000"), "wrong-type", ""),
    (runai("servingPort: {»continer: 80}"), "unknown-field", "container"),
    (runai("servingPort: {container: 80, authorizationType: »authorizedUsersOrGroups}"), "missing-field", ""),
    (
        runai("servingPort: {container: 80, authorizationType: public, authorizedUsers: »[a]}").replace(
            "authorizedUsers: »", "»authorizedUsers: "
        ),
        "not-allowed-here",
        "",
    ),
    (runai("autoscaling: {minReplicas: 4, maxReplicas: »2}"), "out-of-range", ""),
    (runai("»autoscaling: {minReplicas: 1, maxReplicas: 2}"), "missing-field", ""),
    (
        runai("autoscaling: {minReplicas: 2, maxReplicas: 4, »metrc: throughput, metricThreshold: 1}"),
        "unknown-field",
        "metric",
    ),
    (runai("autoscaling: {minReplicas: 2, maxReplicas: 4, metric: »throughput}"), "missing-field", ""),
    (
        runai("autoscaling: {minReplicas: 0, maxReplicas: 2, metric: »latency, metricThreshold: 1}"),
        "not-allowed-here",
        "",
    ),
    (runai("autoscaling: {metricThresholdPercentage: »50}"), "not-allowed-here", ""),
    (runai("autoscaling: {scaleToZeroRetentionSeconds: »10}"), "not-allowed-here", ""),
    (runai("autoscaling: {minReplicas: 0, scaleToZeroRetentionSeconds: »3601}"), "out-of-range", ""),
    (
        runai('autoscaling: {minReplicas: 1, maxReplicas: 2, metric: »"my metric", metricThreshold: 1}'),
        "bad-pattern",
        "",
    ),
    (runai("autoscaling: {initializationTimeoutSeconds: »10}"), "not-in-version", ""),
    (
        runai("compute: {gpuDevicesRequest: 1, gpuRequestType: »portoin, gpuPortionRequest: 0.5}"),
        "not-allowed",
        "portion",
    ),
    (
        runai("compute: {gpuDevicesRequest: 1, gpuRequestType: portion, »gpuPortionReqest: 0.5}"),
        "unknown-field",
        "gpuPortionRequest",
    ),
    (runai("compute: {gpuDevicesRequest: 1, gpuRequestType: »portion}"), "missing-field", ""),
    (runai("compute: {gpuDevicesRequest: 1, gpuRequestType: portion, gpuMemoryRequest: »1G}"), "not-allowed-here", ""),
    (
        runai("compute: {gpuDevicesRequest: 2, gpuRequestType: »portion, gpuPortionRequest: 0.5}"),
        "not-allowed-here",
        "",
    ),
    (runai("compute: {gpuDevicesRequest: »4294967296}"), "out-of-range", ""),
    (runai("compute: {cpuCoreRequest: 2, cpuCoreLimit: »1}"), "limit-below-request", ""),
    (runai("compute: {cpuMemoryRequest: 1Gi, cpuMemoryLimit: »1G}"), "limit-below-request", ""),
    (runai("compute: {cpuMemoryRequest: »1GB}"), "bad-pattern", ""),
    (runai("compute: {cpuMemoryRequest: »1..5G}"), "bad-pattern", ""),
    (runai("compute: {migProfile: »1g.5gb, gpuRequestType: migProfile, gpuDevicesRequest: 1}"), "not-in-version", ""),
    (
        runai("environmentVariables: [{name: A, value: x, secret: »{name: a, key: b}}]").replace(
            "secret: »", "»secret: "
        ),
        "one-of",
        "",
    ),
    (runai("environmentVariables: [{name: A, »vale: x}]"), "unknown-field", "value"),
    (runai("environmentVariables: [{name: A, value: x}, {name: »A, value: y}]"), "duplicate-item", ""),
    (runai("environmentVariables: [{name: A, value: »1.10}]"), "wrong-type", ""),
    (
        runai("ports: [{container: 80, serviceType: NodePort}, {container: »80, serviceType: ClusterIP}]"),
        "duplicate-item",
        "",
    ),
    (
        runai(
            "storage: {nfs: [{name: n, server: a, path: /b, mountPath: /m}, "
            "{name: »n, server: a, path: /b, mountPath: /k}]}"
        ),
        "duplicate-item",
        "",
    ),
    (runai("storage: {dataVolume: [{id: »abc, mountPath: /x}]}"), "bad-format", ""),
    (runai("storage: {pvc: [{path: /a, »claimInf: {size: 1Gi}}]}"), "unknown-field", "claimInfo"),
    (runai("storage: {pvc: [{path: /a, existingPvc: »0, claimName: x}]}"), "wrong-type", ""),
    (runai("tolerations: [{key: a, effect: »NoExcute, seconds: 5}]"), "not-allowed", "NoExecute"),
    (runai("tolerations: [{key: a, effect: NoSchedule, seconds: »5}]"), "not-allowed-here", ""),
    (runai('labels: [{name: »"a b", value: x}]'), "bad-format", ""),
    (runai('security: {uidGidSource: custom, supplementalGroups: »"a,b"}'), "bad-pattern", ""),
    (runai("security: {runAsUid: »1000}"), "not-allowed-here", ""),
    (runai("security: {capabilities: [»CAP_CHOWN]}"), "not-allowed", "CHOWN"),
    (runai("templateId: »mine"), "bad-format", ""),
    (f"lifecycle: {{adopt: »not-an-id}}\n{runai('createHomeDir: true')}", "bad-live-id", ""),
)

SERVICE: Final[Sequence[Row]] = (
    (live(weight="»wieght: 100"), "unknown-field", "weight"),
    (live(weight="weight: »60"), "weights-not-100", ""),
    (live(weight="weight: »101"), "out-of-range", ""),
    (live(weight="weight: »true"), "wrong-type", ""),
    (live(weight='weight: »"1e2"'), "wrong-type", ""),
    (live("»src_path: x"), "unknown-field", ""),
    (live("»nodes: [n1]"), "unknown-field", ""),
    (live("envs: {EPOCH: »0}"), "wrong-type", ""),
    (live("deploy_timeout_in_seconds: »0"), "out-of-range", ""),
    (live("additional_properties: {max_surge: »0}"), "out-of-range", ""),
    (live("additional_properties: {»log_volume: [{host_path: /a, mount_path: /b}]}"), "not-allowed-here", ""),
    (live("affinity: {node_affinity: {mode: »requird}}"), "not-allowed", "required"),
    (live("»custom_spec: {cpu: 1, memory: 1}"), "not-allowed-here", ""),
    (live(flavor="»custom", top="pool_name: p"), "missing-field", ""),
    (live("custom_spec: {cpu: 1, memory: 1}", flavor="»custom"), "missing-field", ""),
    (live("»custom_spce: {cpu: 1, memory: 1}", flavor="custom", top="pool_name: p"), "unknown-field", "custom_spec"),
    (
        live("custom_spec: {cpu: 1, memory: 1, gpu_p4: 1, ascend_a310: »1}", flavor="custom", top="pool_name: p"),
        "not-allowed-here",
        "",
    ),
    (live(top="vpc_id: »v"), "missing-field", ""),
    (live(top="vpc_id: v, subnet_network_id: s, »security_group: g"), "unknown-field", "security_group_id"),
    (live(top="vpc_id: »v, pool_name: p"), "not-allowed-here", ""),
    (live(top="cluster_id: c, pool_name: »p"), "not-allowed-here", ""),
    (live(top="schedule: [{type: stop, time_unit: »HOUR, duration: 1}]"), "not-allowed", "HOURS"),
    (live(top='schedule: [{type: stop, time_unit: HOURS, duration: »"1"}]'), "wrong-type", ""),
    (live(top="description: »'a < b'"), "bad-characters", ""),
    (live(top=f"description: »{'x' * 60}"), "too-long", ""),
    (live(top="load_balancer_policy: »round_robin"), "not-allowed", "ROUND_ROBIN"),
    (live(top="additional_properties: {smn_notification: {topic_urn: a, events: [1, »1]}}"), "duplicate-item", ""),
    (live(top="service_secrets: [{secretId: a, »mountPath: /b}]"), "unknown-field", "mouthPath"),
    (live().replace("real-time", "»realtime"), "not-allowed", "real-time"),
    (live().replace("infer_type", "»infer_typ"), "unknown-field", "infer_type"),
    (batch("»weight: 100"), "unknown-field", ""),
    (batch(top="»schedule: [{type: stop, time_unit: HOURS, duration: 1}]"), "not-allowed-here", ""),
    (batch(mapping="mapping_type: »csv"), "missing-field", ""),
    (batch("»mapping_rule: {type: object}"), "not-allowed-here", ""),
    (batch('mapping_rule: {properties: {a: {index: »"0"}}}', mapping="mapping_type: csv"), "wrong-type", ""),
    (batch("mapping_rule: {properties: {index: {index: »-2}}}", mapping="mapping_type: csv"), "out-of-range", ""),
    (
        batch().replace("https://b.obs.example.com/in/", "bucket/in/").replace('src_path: "', 'src_path: »"'),
        "bad-obs-path",
        "",
    ),
    (batch().replace("instance_count", "»instance_cuont"), "unknown-field", "instance_count"),
    (edge("nodes: [n1, »n1]"), "duplicate-item", ""),
    (edge("deploy_timeout_in_seconds: 900").replace("{model", "»{model"), "missing-field", ""),
    (edge(top="»pool_name: p"), "not-allowed-here", ""),
    (f"lifecycle: {{adopt: »not-an-id}}\n{live()}", "bad-live-id", ""),
    (f"lifecycle: {{wait: {{timeout: »20 minutes}}}}\n{live()}", "bad-format", ""),
    (f"lifecycle: {{wait: {{timeout: »20}}}}\n{live()}", "wrong-type", ""),
    (f"lifecycle: {{wait: {{»fro: http, path: /healthz}}}}\n{live()}", "unknown-field", "for"),
)

NOTEBOOK: Final[Sequence[Row]] = (
    (notebook("location: {path: »/bucket/}"), "obs-path", ""),
    (notebook("location: {path: »bucket/n}"), "obs-path", "/bucket/n/"),
    (notebook("location: {»pth: /b/n/}"), "unknown-field", "path"),
    (notebook("»loction: {path: /b/n/}"), "unknown-field", "location"),
    (notebook("location: {path: /b/n/, »volume_size: 5}"), "unknown-field", ""),
    (notebook().replace("type: obs", "type: »evs"), "not-allowed", ""),
    (notebook(more="»auto_stop: {enable: true}"), "missing-field", ""),
    (notebook(more="auto_stop: {enable: true, duration: »60}"), "out-of-range", ""),
    (notebook(more='auto_stop: {enable: true, duration: »"3600"}'), "wrong-type", ""),
    (notebook(more='auto_stop: {enable: »"true", duration: 3600}'), "wrong-type", ""),
    (notebook(more="auto_stop: {enable: true, »duraton: 3600}"), "unknown-field", "duration"),
    (notebook(more="»extend_storage: [{type: obsfs, location: {path: /a/b/}}]"), "missing-field", ""),
    (
        notebook(more="extend_storage: [{type: obsfs, location: {path: /a/b/}}]", top="»polo: {id: p}"),
        "unknown-field",
        "pool",
    ),
    (
        notebook(
            more="extend_storage: [{type: obsfs, location: {path: /a/b/}}, {type: obsfs, location: {path: »/a/b/}}]",
            top="pool: {id: p}",
        ),
        "duplicate-item",
        "",
    ),
    (notebook(more="annotations: {a: »1}"), "wrong-type", ""),
    (notebook(top="pool: {id: »5}"), "wrong-type", ""),
    (notebook(top="»workspace: {id: '0'}"), "unknown-field", ""),
    (notebook(top="description: »a/b"), "bad-pattern", ""),
    (notebook(top='description: »"a\\nb"'), "bad-text", ""),
    (notebook(top=f"description: »{'x' * 472}"), "too-long", ""),
    (f"lifecycle: {{preventDestroy: »yes}}\n{notebook()}", "wrong-type", ""),
    (f"lifecycle: {{secretsRevision: »1.5}}\n{notebook()}", "wrong-type", ""),
)

OLD_RUNAI: Final[Sequence[Row]] = (
    (
        runai("autoscaling: {minReplicas: 1, maxReplicas: 2, metric: »my_metric, metricThreshold: 1}"),
        "not-in-version",
        "",
    ),
    (runai("»nodeAffinityRequired: {nodeSelectorTerms: []}"), "not-in-version", ""),
    (
        runai("servingPort: {container: 80, authorizationType: »authorizedUsers, authorizedUsers: [a]}"),
        "not-in-version",
        "",
    ),
    (runai("tolerations: [»{key: a, operator: Exists}]"), "missing-field", ""),
)


def problems_of(project: Project, *args: str, code: int = 1) -> list[dict[str, Any]]:
    done = project.run("validate", "-o", "json", *args)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stdout + done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["problems"]
    return found


def written(rows: Sequence[Row], head: str) -> tuple[str, list[tuple[str, int, int, str, str | None]]]:
    """One file of all rows, and what is expected of each: name, line, column, code, nearest."""
    text, expected = "", []
    for number, (body, code, near) in enumerate(rows):
        before, marked, after = f"---\n{head}metadata: {{name: row-{number}}}\n{body}\n".partition("»")
        assert marked, body
        lines = (text + before).split("\n")
        expected.append((f"row-{number}", len(lines), len(lines[-1]) + 1, code, near or None))
        text += before + after
    return text, expected


@pytest.mark.parametrize(
    ("kind", "rows", "version"),
    [
        pytest.param("theta", THETA, "2.24", id="theta/Deployment"),
        pytest.param("runai", RUNAI, "2.24", id="runai/Inference"),
        pytest.param("runai", OLD_RUNAI, "2.19", id="runai/Inference of an old release"),
        pytest.param("service", SERVICE, "2.24", id="modelarts/Service"),
        pytest.param("notebook", NOTEBOOK, "2.24", id="modelarts/Notebook"),
    ],
)
def test_one_mistake_is_exactly_one_error_at_its_place_in_the_words_of_its_field(
    project: Project, kind: str, rows: Sequence[Row], version: str
) -> None:
    """C13, C14, C15, C16: each documented rule, broken once a document; all told in one run, in file order."""
    project.write("reconciler.yaml", PROJECT.replace("VERSION", version))
    text, expected = written(rows, HEADS[kind])
    project.write("resources/all.yaml", text)
    found = problems_of(project)
    told = [
        (one["address"].rpartition("/")[2], one["line"], one["column"], one["code"], one["nearest"]) for one in found
    ]
    assert told == expected, "\n".join(str(one) for one in sorted(set(told) ^ set(expected)))
    assert all(one["expected"] and "anyOf" not in one["message"] and "^" not in one["message"] for one in found)
    assert all(one["related"] for one in found if one["code"] == "duplicate-item"), "both places are named"


def test_the_branch_that_was_meant_is_the_only_one_that_speaks(project: Project) -> None:
    """C13."""
    project.write("reconciler.yaml", PROJECT.replace("VERSION", "2.24"))
    project.write(
        "resources/mnist.yaml",
        """\
        apiVersion: modelarts/v1
        kind: Service
        metadata: {name: mnist}
        spec:
          infer_type: batch
          config:
            - {model_id: 0e07b41b-173e-42db-8c16-8e1b44cc0d44, specification: modelarts.vm.cpu.2u, instance_cuont: 1,
               mapping_type: file, req_uri: /, src_path: "https://b.obs.example.com/in/",
               dest_path: "https://b.obs.example.com/out/"}
        """,
    )
    done = project.run("validate")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "resources/mnist.yaml:7:92: modelarts/Service/mnist: unknown field 'instance_cuont' of a batch configuration "
        "(expected a field of a batch configuration); did you mean 'instance_count'? [unknown-field]\n"
    )


def test_a_misspelt_field_is_judged_under_the_name_that_was_meant(project: Project) -> None:
    """C13: what depends on it is neither missing nor hidden."""
    project.write("reconciler.yaml", PROJECT.replace("VERSION", "2.24"))
    project.write(
        "resources/a.yaml",
        f"{HEADS['runai']}metadata: {{name: a}}\n{runai('autoscaling: {minReplica: 4, maxReplicas: 2}')}\n",
    )
    assert [(one["code"], one["nearest"]) for one in problems_of(project)] == [
        ("unknown-field", "minReplicas"),
        ("out-of-range", None),
    ]


_OPTIONAL: Final = (
    "fqdn",
    "isoduration",
    "jsonpointer",
    "rfc3339_validator",
    "rfc3986_validator",
    "rfc3987",
    "rfc3987_syntax",
    "uri_template",
    "webcolors",
)


def test_formats_are_judged_without_any_optional_package(project: Project, tmp_path: Path) -> None:
    """C14: what the JSON Schema library would use if it were there can't be imported here."""
    for name in _OPTIONAL:
        place = tmp_path / "missing" / f"{name}.py"
        place.parent.mkdir(exist_ok=True)
        place.write_text("raise ImportError\n", encoding="utf-8")
    project.env["PYTHONPATH"] = str(tmp_path / "missing")
    project.write(
        "reconciler.yaml",
        """\
        apiVersion: reconciler/v1
        kind: Project
        metadata: {name: shop}
        spec:
          secrets: [KEY]
          providers:
            runai: {type: runai, version: "2.24", cluster: main, project: a, clientId: g,
                    clientSecret: '{{ secret("KEY") }}',
                    clusterId: 1234,
                    endpoint: "no uri"}
        """,
    )
    project.write(
        "resources/a.yaml",
        f"{HEADS['runai']}metadata: {{name: a}}\n"
        "lifecycle: {adopt: not-an-id, wait: {timeout: 20 minutes}}\nspec: {image: a}\n",
    )
    process = project.start("validate", "-o", "json")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1, err
    told = {(one["origin"], one["expected"]) for one in json.loads(out)["problems"]}
    assert told == {
        ("reconciler.yaml:9:24", "a UUID, such as 71f69d83-ba66-4822-adf5-55ce55efd210"),
        ("reconciler.yaml:10:23", "an https address (or emulator), such as https://runai.example.com"),
        ("resources/a.yaml:4:20", "the id of a workload, such as 10eb0091-887f-4839-9929-cbc884f1e20e"),
        ("resources/a.yaml:4:47", "a time, such as 20m"),
    }


_NUMBERS: Final = {
    "whole": ("3.0", None),
    "power": ("1e1", None),
    "half": ("3.5", "wrong-type"),
    "flag": ("true", "wrong-type"),
    "text": ('"3"', "wrong-type"),
    "word": ("three", "wrong-type"),
}


@pytest.mark.parametrize("source", ["written", "values", "--set", "a template's result"])
def test_a_number_is_judged_the_same_wherever_it_comes_from(project: Project, source: str) -> None:
    """C15: a boolean, a text and a fraction are no whole number; `3.0` is."""
    project.write("reconciler.yaml", PROJECT.replace("VERSION", "2.24"))
    values = "\n".join(f"{name}: {number}" for name, (number, _code) in _NUMBERS.items())
    sets = [part for name, (number, _code) in _NUMBERS.items() for part in ("--set", f"{name}={number}")]
    project.write("layer.yaml", values + "\n")
    args = {"written": [], "--set": sets}.get(source, ["--values", str(project.root / "layer.yaml")])
    results = {"whole": "6 / 2", "power": "5 * 2", "half": "7 / 2", "flag": "1 < 2", "text": "'3' ~ ''"}
    for name, (number, _code) in _NUMBERS.items():
        value = number if source == "written" else f'"{{{{ values.{name} }}}}"'
        if source == "a template's result" and name in results:
            value = f'"{{{{ {results[name]} }}}}"'
        spec = theta(f"min_replicas: 1, max_replicas: {value}")
        project.write(f"resources/{name}.yaml", f"{HEADS['theta']}metadata: {{name: {name}}}\n{spec}\n")
    told = {one["address"].rpartition("/")[2]: one["code"] for one in problems_of(project, *args)}
    assert told == {name: code for name, (_number, code) in _NUMBERS.items() if code}


def test_a_whole_number_goes_out_as_one_and_the_second_plan_is_empty(fleet: Fleet) -> None:
    """C15: `3.0` is `3` in the plan, in the JSON body and in the comparison afterwards."""
    fleet.write()
    fleet.edit(CHAT, "min_replicas: 1", "min_replicas: 1.0, max_replicas: 3.0")
    fleet.edit(LLM, "container: 8080", "container: 8080.0")
    fleet.edit(LLM, "cpuCoreRequest: 1,", "cpuCoreRequest: 2.0,")
    fleet.edit(MNIST, "weight: 100", 'weight: "100"')
    fleet.edit(MNIST, "instance_count: 1", "instance_count: 1.0")
    after = json.dumps([row["after"] for change in fleet.changes().values() for row in change["fields"]])
    assert " 3]" in after
    assert re.search(r"\d\.0[,\]]", after) is None
    fleet.apply()
    bodies = {address: fleet.writes_of(address, "POST")[0]["body"] for address in (CHAT, LLM, MNIST)}
    text = json.dumps(bodies)
    assert '"max_replicas": 3' in text
    assert '"container": 8080' in text
    assert '"cpuCoreRequest": 2,' in text
    assert '"weight": 100' in text
    assert '"instance_count": 1' in text
    assert ".0," not in text
    assert ".0}" not in text
    fleet.assert_settled()


def _documents() -> Iterator[str]:
    for number in range(5):
        yield f"{HEADS['theta']}metadata: {{name: fine-{number}}}\n{theta('min_replicas: 1')}\n"
    yield textwrap.dedent(
        """\
        apiVersion: modelarts/v1
        kind: Service
        metadata: {name: mnist}
        spec:
          infer_type: real-time
          description: "a < b"
          config:
            - {model_id: m1, specification: modelarts.vm.cpu.2u, instance_count: 1, weight: 60}
            - {model_id: m2, specification: modelarts.vm.cpu.2u, instance_count: 1, weight: 30}
        """
    )
    yield f"{HEADS['runai']}metadata: {{name: down}}\n{runai('autoscaling: {minReplicas: 4, maxReplicas: 2}')}\n"
    yield f"{HEADS['runai']}metadata: {{name: up}}\n{runai('autoscaling: {minReplicas: 2, maxReplicas: 4}')}\n"


@pytest.mark.parametrize("command", [("validate",), ("plan",), ("apply", "--yes")], ids=lambda command: command[0])
def test_a_documented_rule_is_told_before_the_first_request(
    served_project: Project, served: Served, command: tuple[str, ...]
) -> None:
    """C16."""
    served_project.write("resources/all.yaml", "---\n".join(_documents()))
    done = served_project.run(*command)
    assert done.returncode == 1
    for words in (
        "description holds <",
        "the weights sum to 90 (60 + 30), not to 100",
        "maxReplicas 2 is less than minReplicas 4",
        "replicas may move from 2 to 4, and no metric says when",
    ):
        assert words in done.stderr
    assert len([line for line in done.stderr.splitlines() if line.startswith("resources/")]) == 4
    assert "see resources/all.yaml" in done.stderr, "a rule across fields names all its places"
    assert served.get("requests") == []


def test_what_only_the_server_knows_is_a_failed_step_in_its_own_words(fleet: Fleet) -> None:
    """C16: a quota can't be known before."""
    fleet.write(CHAT, MNIST)
    body = {"error_code": "ModelArts.3520", "error_msg": "The number of services exceeds the quota of 20."}
    fleet.fault(MNIST, when="before", status=400, body=json.dumps(body), count=1)
    done = fleet.apply(code=3)
    assert "The number of services exceeds the quota of 20." in done.stdout + done.stderr
    assert fleet.counts() == {CHAT: 1, LLM: 0, MNIST: 0, "modelarts/Notebook/ann": 0}


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (live(top="schedule: [{type: stop, time_unit: DAYS, duration: 8}]"), "the newer API stops at 7 days"),
        (live("deploy_timeout_in_seconds: 10"), "the console takes 180 to 7200"),
        (live(top="additional_properties: {smn_notification: {topic_urn: a, events: [4]}}"), "the event 4"),
        (notebook(more="auto_stop: {duration: 3600}"), "duration counts for nothing"),
        (notebook(top="ai_project: {id: x}"), "ai_project is reserved"),
        (
            notebook().replace("profile_id: p", "profile_id: P-gpu").replace("flavor: f", "flavor: a.cpu.2u"),
            "is for GPU",
        ),
    ],
)
def test_what_is_only_doubtful_is_a_warning_that_stops_nothing(project: Project, document: str, words: str) -> None:
    """C16: rules that the sheets call warnings."""
    project.write("reconciler.yaml", PROJECT.replace("VERSION", "2.24"))
    head = HEADS["notebook" if "profile_id" in document else "service"]
    project.write("resources/a.yaml", f"{head}metadata: {{name: a}}\n{document}\n")
    done = project.run("validate")
    assert done.returncode == 0
    assert done.stderr.startswith("warning: resources/a.yaml:4:")
    assert words in done.stderr
