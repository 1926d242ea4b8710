"""Law: no value, from whatever layer, changes anything but the field that holds it. Over the real kinds."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import pytest
import yaml
from hypothesis import assume, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import UnsatisfiedAssumption

from reconciler.problems import SpecError
from reconciler.spec import Spec, to_documents, to_yaml
from reconciler.spec.scalars import scalar
from tests.fuzz.edits import ODD, PROJECT, TREES, Input, compiled

Path = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Probe:
    """A document of a kind, and the field that gets the value; `layered`: a default or a patch can write it."""

    kind: str
    document: dict[str, Any]
    path: Path
    layered: bool = True


def _document(version: str, kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    lifecycle = {"preventDestroy": True, "wait": {"timeout": "5m"}}
    metadata = {"name": "probe", "labels": {"team": "a"}}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "lifecycle": lifecycle, "spec": spec}


_TEXTS: Final = (
    *("\x00", "\x1b[31m", "\x7f", "\x85", "\u2029", "\ufeff", "\ufffe", "\r", "\r\n", "a\rb", "\n"),
    *("a\n\n  b\n", "\t", "a\t: b", " lead", "trail ", "---", "...", "%YAML 1.1", "a:", "'\"", "\\", '\\"'),
    *("|", ">-", "}", "]", "v1\nlifecycle:\n  preventDestroy: false", "x\n---\nkind: Policy\n"),
    *("x\n  y: z\n", "\n a", "a #c", "$ref", "{% endraw %}", "{% raw %}", "{{", "}}", "{%", "%}", "{#", "#}"),
    *("a{", "{a", "{{ '{{' }}", '{{ "x" }}\n', "endraw", '{{ secret("X") }}', '{{ ref("a/B/c").id }}'),
    *("{{ values }}", "\u202e", "e\u0301", "a" * 300, "9" * 40),
)
TEXTS: Final = st.one_of(
    st.sampled_from(ODD), st.sampled_from(_TEXTS), st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
)

_THETA: Final = _document(
    "theta/v1", "Deployment", {"template": "vLLM", "vm_id": "vm_ga1", "min_replicas": 1, "env_vars": {"A": "b"}}
)
_RUNAI: Final = _document(
    "runai/v1",
    "Inference",
    {
        "image": "registry.example.com/a:1",
        "servingPort": {"container": 8080},
        "compute": {"cpuCoreRequest": 1, "cpuMemoryRequest": "1Gi"},
        "environmentVariables": [{"name": "A", "value": "b"}, {"name": "C", "value": "d"}],
    },
)
_ELEMENT: Final = {
    "model_id": "598b913a-af3e-41ba-a1b5-bf065320f1e2",
    "specification": "modelarts.vm.cpu.2u",
    "instance_count": 1,
}
_SERVICE: Final = _document(
    "modelarts/v1", "Service", {"infer_type": "real-time", "config": [{**_ELEMENT, "weight": 100, "envs": {"A": "b"}}]}
)
_NOTEBOOK: Final = _document(
    "modelarts/v1",
    "Notebook",
    {
        "profile_id": "Multi-Engine 2.0 (python3)",
        "flavor": "modelarts.vm.cpu.2u",
        "spec": {"storage": {"type": "obs", "location": {"path": "/shop-research/ann/"}}},
    },
)
PROBES: Final = (
    Probe("theta/Deployment", _THETA, ("spec", "env_vars", "NOTE")),
    Probe("theta/Deployment", _THETA, ("spec", "container_image")),
    Probe("runai/Inference", _RUNAI, ("spec", "args")),
    Probe("runai/Inference", _RUNAI, ("spec", "environmentVariables", 0, "value"), layered=False),
    Probe("modelarts/Service", _SERVICE, ("spec", "description")),
    Probe("modelarts/Service", _SERVICE, ("spec", "config", 0, "envs", "NOTE"), layered=False),
    Probe("modelarts/Notebook", _NOTEBOOK, ("spec", "description")),
    *(
        Probe(kind, document, ("metadata", "labels", "note"))
        for kind, document in (("theta/Deployment", _THETA), ("modelarts/Notebook", _NOTEBOOK))
    ),
)
LAYERS: Final = (
    *("values", "environment", "file", "--values", "--set", "--set quoted", "item", "key", "entry"),
    *("default", "patch", "as it is"),
)
_SAME: Final = (
    *("{{ %s }}", "{{ %s }}", "{{ %s ~ '' }}", "{{ [%s][0] }}", "{{ {'a': %s}.a }}", "{{ %s | default('x') }}"),
    *(
        "{%% if true %%}{{ %s }}{%% endif %%}",
        "{%% for x in [%s] %%}{{ x }}{%% endfor %%}",
        "{%% set x = %s %%}{{ x }}",
    ),
)
"""Templates that give the value that they name; the first four give whatever it is, the rest a text."""
_ANYTHING: Final = frozenset({"{{ %s }}", "{{ [%s][0] }}", "{{ {'a': %s}.a }}", "{{ %s | default('x') }}"})
_REFUSALS: Final = frozenset(
    {
        *("control-character", "wrong-type", "bad-pattern", "too-long", "too-short", "bad-characters"),
        *("bad-set", "bad-number", "bad-key", "out-of-range", "bad-text", "not-allowed", "bad-format"),
        "literal-secret",
    }
)
"""What a value may be refused for: itself. Nothing about fields, names or templates."""


@dataclass(frozen=True, slots=True)
class Case:
    """A value, how it is written, and where."""

    probe: Probe
    layer: str
    value: Any
    template: str
    around: bool
    ascii: bool


CASES: Final = st.builds(
    Case,
    probe=st.sampled_from(PROBES),
    layer=st.sampled_from(LAYERS),
    value=st.one_of(TEXTS, TEXTS, TREES),
    template=st.sampled_from(_SAME),
    around=st.booleans(),
    ascii=st.booleans(),
)


@pytest.mark.parametrize("part", range(2))
def test_no_value_from_any_layer_changes_anything_but_its_field(part: int) -> None:
    @seed(time.time_ns() + part)
    @settings(max_examples=settings().max_examples // 2)
    @given(CASES)
    def law(case: Case) -> None:
        changes_nothing_but_its_field(case)

    law()


def changes_nothing_but_its_field(case: Case) -> None:
    typed = _typed(case)
    assume(case.layer not in {"default", "patch"} or case.probe.layered)
    assume(case.layer != "as it is" or not case.around)
    whole = not case.around and (case.layer == "as it is" or case.template in _ANYTHING)
    assume(whole or isinstance(typed, str))
    try:
        spec = compiled(_given(case, case.value))
    except SpecError as error:
        absent = {"one-of", "missing-field"} if typed is None else set()  # null is the same as nothing
        wrong = {problem.code for problem in error.problems} - _REFUSALS - absent
        assert not wrong, (wrong, str(error))  # noqa: PT017 - being refused is right, for some reasons
        return
    expected = f"({typed})" if case.around else typed
    got, path = _shown(spec), case.probe.path
    assert _without(got, path) == _without(_plain(PROBES.index(case.probe)), path)
    assert _at(got, path) == _bare(expected)
    text = to_yaml(spec)
    assert list(yaml.safe_load_all(text)) == to_documents(spec), "another reader reads the same"
    stream = Input({PROJECT: json.dumps({**_HEAD, "spec": _SPEC}).encode()}, stream=text.encode())
    assert compiled(stream).digest == spec.digest, "and so do we"


@lru_cache
def _plain(probe: int) -> dict[str, Any]:
    """What a probe's document is when its field holds nothing odd."""
    case = Case(PROBES[probe], "as it is", "plain", "{{ %s }}", around=False, ascii=True)
    return _shown(compiled(_given(case, case.value)))


def _typed(case: Case) -> Any:
    """What the value is once it has been read: `--set` types its text."""
    if case.layer != "--set":
        return str(case.value) if case.layer in {"key", "--set quoted"} else case.value
    text = str(case.value)
    assume(text[:1] not in {"'", '"'})
    try:
        return scalar(text)
    except ValueError:
        raise UnsatisfiedAssumption from None


def _given(case: Case, value: Any) -> Input:
    """The project in which this value comes from this layer."""
    name = {"item": "item", "key": "item.key", "entry": "item.value"}.get(case.layer, "values.note")
    template = case.template % name
    template = f"({template})" if case.around else template
    written = json.dumps({"note": value}, ensure_ascii=case.ascii)
    project: dict[str, Any] = {"values": {"note": "old"}, "environments": {"dev": {}}, "defaults": {}}
    document: dict[str, Any] = json.loads(json.dumps(case.probe.document))
    files: dict[str, bytes] = {}
    sets: list[str] = []
    match case.layer:
        case "environment":
            project["environments"]["dev"]["values"] = {"note": value}
        case "file":
            files["values/dev.yaml"] = written.encode()
        case "--values":
            files["values/dev.--values.yaml"] = written.encode()  # for the compiler, one more file after the others
        case "--set" | "--set quoted":
            sets = [
                f"note={value}" if case.layer == "--set" else f"note={json.dumps(str(value), ensure_ascii=case.ascii)}"
            ]
        case "item":
            project["values"]["notes"], document["forEach"] = [value], "{{ values.notes }}"
        case "key" | "entry":
            project["values"]["notes"] = {str(value): 1} if case.layer == "key" else {"a": value}
            document["forEach"] = "{{ values.notes }}"
        case "as it is":
            document["metadata"]["template"] = False
            template = value
        case _:
            project["values"]["note"] = value
    if case.layer == "default":
        project["defaults"] = {case.probe.kind: _nested(case.probe.path, template)}
    elif case.layer == "patch":
        patch = {"kind": document["kind"], "metadata": {"name": "probe"}}
        files["patches/dev/p.yaml"] = json.dumps(_merged(patch, _nested(case.probe.path, template))).encode()
    else:
        _put(document, case.probe.path, template)
    files[PROJECT] = json.dumps({**_HEAD, "spec": {**_SPEC, **project}}, ensure_ascii=case.ascii).encode()
    files["resources/a.yaml"] = json.dumps(document, ensure_ascii=case.ascii).encode()
    return Input(files, sets, "dev")


_HEAD: Final = {"apiVersion": "reconciler/v1", "kind": "Project", "metadata": {"name": "shop"}}
_SPEC: Final = {
    "providers": {
        "theta": {"type": "theta", "endpoint": "emulator"},
        "runai": {"type": "runai", "endpoint": "emulator", "version": "2.24", "cluster": "main", "project": "team-a"},
        "modelarts": {"type": "modelarts", "endpoint": "emulator"},
    }
}


def _shown(spec: Spec) -> dict[str, Any]:
    """The one resource as data, whatever its texts are."""
    (resource,) = spec.resources
    return {
        "address": resource.address,
        "live": resource.live_name,
        "lifecycle": resource.lifecycle,
        "edges": resource.edges,
        "metadata": {"labels": dict(resource.labels)},
        "spec": resource.spec,
    }


def _nested(path: Path, value: Any) -> dict[str, Any]:
    for part in reversed(path):
        value = {part: value}
    return dict(value)


def _merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    both = {key: _merged(under[key], over[key]) for key in under.keys() & over.keys()}
    return {**under, **over, **both}


def _put(tree: Any, path: Path, value: Any) -> None:
    for part in path[:-1]:
        tree = tree[part]
    tree[path[-1]] = value


def _at(tree: Any, path: Path) -> Any:
    for part in path:
        tree = tree[part] if isinstance(tree, list) else tree.get(part)
    return tree


def _without(tree: Any, path: Path) -> Any:
    """A copy that lacks this field."""
    if isinstance(tree, list):
        return [_without(item, path[1:]) if index == path[0] else item for index, item in enumerate(tree)]
    if len(path) == 1:
        return {key: item for key, item in tree.items() if key != path[0]}
    return {key: _without(item, path[1:]) if key == path[0] else item for key, item in tree.items()}


def _bare(value: Any) -> Any:
    """As it is sent: null in a map is the same as absent, and a number is what was written, not the nearest float."""
    if isinstance(value, float):
        return scalar(json.dumps(value))
    if isinstance(value, dict):
        return {key: _bare(item) for key, item in value.items() if item is not None}
    return [_bare(item) for item in value] if isinstance(value, list) else value
