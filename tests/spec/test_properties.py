"""Laws: a value can't add structure, output reads back, and bad input is never anything but a `SpecError`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import yaml
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from reconciler.problems import SpecError
from reconciler.spec import Spec, to_documents, to_yaml
from reconciler.spec.scalars import scalar

Compile = Callable[..., Spec]
RELAXED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

NASTY = st.sampled_from(
    [
        "a: b",
        "v1\nlifecycle:\n  preventDestroy: false",
        "{{ 1 }}",
        "{% endraw %}",
        "#",
        "- x",
        "*a",
        "!t",
        "`",
        "'",
        '"',
        "NO",
        "010",
        "1e3",
        ".5",
        "0.10",
    ]
)
TEXTS = st.one_of(NASTY, st.text(st.characters(exclude_categories=["Cs"]), max_size=12))
LEAVES = st.one_of(
    TEXTS, st.integers(-(2**60), 2**60), st.booleans(), st.none(), st.sampled_from([0.5, 1e-7, 1e22, -2.25])
)
KEYS = st.one_of(
    st.sampled_from(["a", "on", "1", "<<", "true"]),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5),
)
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=6
)


def shape(value: Any) -> Any:
    """The keys of a document, down to the fields that hold a user's value."""
    return {key: shape(item) for key, item in value.items()} if isinstance(value, dict) else None


@RELAXED
@given(text=TEXTS, layer=st.sampled_from(["project", "environment", "file", "set", "item", "default", "patch"]))
def test_no_value_from_any_layer_changes_the_structure_of_a_document(
    compile_toy: Compile, text: str, layer: str
) -> None:
    assume(layer != "set" or (text[:1] not in {"'", '"'} and scalar(text) == text))  # --set types its text
    written = json.dumps(text, ensure_ascii=False)  # what YAML reads as exactly this text
    item = "forEach: ['{{ values.note }}']\n" if layer == "item" else ""
    name = "item" if layer == "item" else "values.note"
    extra = "" if layer in {"default", "patch"} else f"any: '{{{{ {name} }}}}', text: '<{{{{ {name} }}}}>', "
    document = (
        f"apiVersion: toy/v1\nkind: Service\nmetadata: {{name: a}}\n{item}lifecycle: {{preventDestroy: true}}\n"
        f"spec: {{{extra}replicas: 1}}\n"
    )
    body = "{any: '{{ values.note }}', text: '<{{ values.note }}>'}"
    note = "x" if layer in {"environment", "file", "set"} else text
    project = f"  values: {{note: {json.dumps(note, ensure_ascii=False)}}}\n"
    project += (
        f"  environments: {{dev: {{values: {{note: {written}}}}}}}\n"
        if layer == "environment"
        else "  environments: {dev: }\n"
    )
    project += f"  defaults: {{toy/Service: {{spec: {body}}}}}\n" if layer == "default" else ""
    try:
        spec = compile_toy(
            document,
            project=project,
            environment="dev",
            values={"values/dev.yaml": f"note: {written}\n"} if layer == "file" else None,
            sets=(f"note={text}",) if layer == "set" else (),
            patches={"p.yaml": f"kind: Service\nmetadata: {{name: a}}\nspec: {body}\n"} if layer == "patch" else None,
        )
    except SpecError as error:
        assert any(mark in str(error) for mark in ("control-character", "yaml-syntax"))  # noqa: PT017 - either is right
        return
    resource = spec.resources[0]
    assert resource.spec == {"any": text, "text": f"<{text}>", "replicas": 1}
    assert resource.lifecycle.prevent_destroy


@RELAXED
@example(tree=["1e3", ".5", "on", "", "a\nb", "a\x85b", "\u2028", " x", "x: y"], text="1e3", secret=False)
@given(tree=TREES, text=TEXTS, secret=st.booleans())
def test_output_reads_back_to_the_same_spec_and_stays_the_same_bytes(
    compile_toy: Compile, tree: Any, text: str, *, secret: bool
) -> None:
    password = ", password: '{{ secret(\"API_KEY\") }}'" if secret else ""
    values = "values: " + json.dumps({"tree": tree, "text": text}, ensure_ascii=False) + "\n"
    document = (
        "apiVersion: toy/v1\nkind: Service\nmetadata: {name: a, labels: {l: '{{ values.text }}'}}\n"
        f"spec: {{any: '{{{{ values.tree }}}}', text: 'x{{{{ values.text }}}}'{password}}}\n"
    )
    try:
        first = compile_toy(document, project=f"  {values}")
    except SpecError as error:
        assert any(code in str(error) for code in ("control-character", "yaml-syntax", "bad-number"))  # noqa: PT017
        return
    if secret and any("{{" in key or "{%" in key for key in _keys(first.resources[0].spec)):
        return  # a key with braces can only stand in a document without templates
    text_out = to_yaml(first)
    again = compile_toy(text_out)
    assert again.digest == first.digest
    assert to_yaml(again) == text_out
    assert list(yaml.safe_load_all(text_out)) == to_documents(first)


def _keys(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [*value, *(key for item in value.values() for key in _keys(item))]
    return [key for item in value for key in _keys(item)] if isinstance(value, list) else []


LINES = st.sampled_from(
    [
        *(
            "apiVersion: toy/v1",
            "kind: Service",
            "kind: Box",
            "metadata: {name: a}",
            "metadata:",
            "  name: b",
            "spec:",
            "spec: {}",
        ),
        *(
            "  replicas: 3",
            "  env: {A: 1}",
            "  text: '{{ values.x }}'",
            '  text: "{% for x in y %}"',
            "forEach: [1, 2]",
            "---",
        ),
        *(
            "  config: [{weight: 1}]",
            "  mode: batch",
            "lifecycle: {wait: {timeout: 3}}",
            "\t",
            "  - x",
            "&a [*a]",
            "<<: *a",
        ),
        *(
            "  text: '{{ ref(\"toy/Service/a\").id }}'",
            "  password: x",
            "? [",
            "!!python/name:x",
            "  any: &x {a: *x}",
            "1: 2",
        ),
        *(
            "  any: {<<: {a: 1}}",
            "  name: '{{ item }}'",
            "spec: '{{ values }}'",
            "metadata: '{{ values }}'",
            "  labels: [1]",
        ),
    ]
)


@settings(RELAXED, max_examples=300)
@given(lines=st.lists(LINES, max_size=14))
def test_edited_documents_compile_or_are_refused_with_places(compile_toy: Compile, lines: list[str]) -> None:
    survives(compile_toy, "\n".join(lines).encode())


@settings(RELAXED, max_examples=200)
@given(data=st.binary(max_size=60) | st.text("ab:-{}[]%'\"\n\t &*!|>?#,.1e\r\ufeff", max_size=60).map(str.encode))
def test_random_bytes_compile_or_are_refused_with_places(compile_toy: Compile, data: bytes) -> None:
    survives(compile_toy, data)


def survives(compile_toy: Compile, data: bytes) -> None:
    for arguments in (
        {"text": data},
        {"text": "", "whole": None, "values": {"v.yaml": data.decode("latin-1")}},
        {"text": "", "patches": {"p.yaml": data.decode("latin-1")}},
        {"text": "", "whole": data.decode("utf-8", "replace") or " "},
    ):
        try:
            compile_toy(**arguments)
        except SpecError as error:
            told = error.problems
        else:
            continue
        assert told
        assert all(problem.origin is not None and problem.expected for problem in told)
