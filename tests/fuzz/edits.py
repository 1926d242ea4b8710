"""Strategies: the example project with a few random edits, random documents, and random bytes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from hypothesis import strategies as st

from reconciler.cli.project import load_schemas
from reconciler.providers.registry import provider_types
from reconciler.spec import SourceFile, Spec, compile_all

EXAMPLE: Final = Path(__file__).parents[2] / "specs-example"
PROJECT: Final = "reconciler.yaml"

ODD: Final = (
    *("", "~", "null", "true", "no", "NO", "on", "1", "-1", "0", "010", "0x1F", "1e3", "1e400", "1.10", "3.0", ".5"),
    *("-0", ".inf", ".nan", "22:22", "2026-11-25", "9" * 30, "9" * 500, "0." + "1" * 40, "-", "- x", "? x", "x: y"),
    *("[]", "{}", "[1, 2]", "{a: 1}", "[[[[]]]]", "{a: {b: {c: 1}}}", "&a [*a]", "*nope", "&a x", "<<", "!!str 1"),
    *(
        "!x y",
        "!!binary aGk=",
        "!!set {a}",
        "!!python/name:os.system ",
        "'",
        '"',
        '"x',
        "'it''s'",
        "`",
        "@x",
        "%x",
        "#",
    ),
    *("|\n  text", ">\n  text", "a\tb", "\u00e9", "\U0001f600", "\u2028", "\u200b", "x" * 300, "*", "&", "!", ">", "|"),
    *("'{{ values.replicas }}'", "'{{ values.nope }}'", '"{{ 1/0 }}"', "'{{'", "'{% if %}'", "'{% for x in y %}'"),
    *("'{{ secret(\"HF_TOKEN\") }}'", "'{{ secret(\"NOPE\") }}'", "'{{ ref(\"theta/Deployment/features\").id }}'"),
    *("'{{ ref(\"a/b/c\").endpoint }}'", "'{{ ref(1) }}'", "'{{ item }}'", "'{{ values }}'", "'{{ [[0]*999]*999 }}'"),
    *("'{{ values.replicas | tojson }}'", "'x{{ values.replicas.search }}y'", "'{{ None }}'", "'{{ metadata.name }}'"),
    *("'{{ \"\\ud800\" }}'", '"\\ud800"', '"\\0"', "'{% raw %}{{ x }}{% endraw %}'", "{{ bare }}", "'{{ range(9) }}'"),
)
LINES: Final = (
    *("---", "...", "# comment", "\t", "%YAML 1.2", "  ", "forEach: [a, b]", "forEach: '{{ values.scientists }}'"),
    *("kind: Service", "kind: Policy", "apiVersion: theta/v1", "metadata: {name: x}", "metadata:", "spec:", "spec: {}"),
    *("lifecycle: {adopt: x}", "lifecycle: {wait: {timeout: soon}}", "lifecycle: {replace: create-first}", "  <<: *a"),
    *(
        "  template: false",
        "  labels: {on: 1}",
        "  name: embeddings",
        "  provider: nope",
        "  dependsOn: [a/b/c]",
        "? {}",
    ),
    *("    - x", "- y", "x", ": y", "  x: &a {x: *a}", "  env_vars: {A: 1}", "  a: 1\n  a: 2", "{", "]", "'"),
    *("  values: {a: {{ b }}}", "  secrets: HF", "  providers: {}", "  defaults: {x/Y: {}}", "  resources: [../x]"),
    *("  environments: {dev: 1}", "  ledger: {type: git, remote: '--x'}", "  safety: {maxDeletes: -1}"),
)
EDITS: Final = (
    *("delete", "double", "swap", "indent", "dedent", "value", "value", "value", "key", "word", "line", "splice"),
    *("char", "bytes"),
)
SETS: Final = (
    *("replicas.search=2", "replicas=x", "a.b[0]=1", "=x", "x", "replicas.search=", "replicas.search=no", "a[=1"),
    *("replicas.search={a: b}", "replicas.search='x: y'", "budget.EUR=1e3", "scientists=[]", "a..b=1", '["x"]=1'),
)

_TEXT: Final = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SCALARS: Final = st.one_of(st.sampled_from(ODD), _TEXT, st.integers().map(str))
TREES: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=12,
)


@dataclass(slots=True)
class Input:
    """What a command line gives to the compiler."""

    files: dict[str, bytes]
    sets: list[str] = field(default_factory=list)
    environment: str | None = None
    stream: bytes | None = None


@lru_cache(maxsize=1)
def example() -> dict[str, bytes]:
    """The example project's files, by path."""
    return {
        path.relative_to(EXAMPLE).as_posix(): path.read_bytes()
        for path in sorted(EXAMPLE.rglob("*.yaml"))
        if ".reconciler" not in path.parts
    }


@lru_cache(maxsize=1)
def _facts() -> dict[str, Any]:
    types = provider_types()
    return {
        "settings": {name: kind.settings for name, kind in types.items()},
        "kinds": [kind for kind_of in types.values() for kind in kind_of.kinds],
        "schemas": load_schemas(),
    }


def compiled(given: Input) -> Spec:
    """As `cli.project.load_spec` does it, from bytes instead of a disk."""
    files = given.files
    environment = given.environment or "dev"

    def below(*folders: str) -> list[SourceFile]:
        return [SourceFile(path, data) for path, data in files.items() if path.startswith(folders)]

    own = below("resources/", "policies/")
    return compile_all(
        SourceFile(PROJECT, files[PROJECT]),
        environment=given.environment,
        values_files=below(f"values/{environment}."),
        sets=given.sets,
        resources=own if given.stream is None else [SourceFile("<stdin>", given.stream)],
        policies=() if given.stream is None else own,
        patches=below(f"patches/{environment}/"),
        **_facts(),
    )


@st.composite
def edited(draw: st.DrawFn) -> Input:
    """Some files of the example with one to five edits somewhere."""
    kept = draw(st.sets(st.sampled_from(sorted(example())), min_size=1, max_size=4))
    files = {path: data for path, data in example().items() if path in kept or path == PROJECT}
    for _ in range(draw(st.integers(1, 5))):
        path = draw(st.sampled_from(sorted(files)))
        files[path] = _edit(draw, files[path].decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
    return Input(
        files=files,
        sets=draw(st.lists(st.sampled_from(SETS) | _TEXT, max_size=2)),
        environment=draw(st.sampled_from([None, None, "dev", "prod", "prd"])),
    )


def _edit(draw: st.DrawFn, text: str) -> str:
    lines = text.split("\n")
    at = draw(st.integers(0, max(len(lines) - 1, 0)))
    line = lines[at]
    match draw(
        st.sampled_from(
            [
                "delete",
                "double",
                "swap",
                "indent",
                "dedent",
                "value",
                "value",
                "value",
                "key",
                "word",
                "line",
                "splice",
                "char",
                "bytes",
            ]
        )
    ):
        case "delete":
            del lines[at]
        case "double":
            lines.insert(at, line)
        case "swap":
            other = draw(st.integers(0, len(lines) - 1))
            lines[at], lines[other] = lines[other], lines[at]
        case "indent":
            lines[at] = draw(st.sampled_from([" ", "  ", "\t"])) + line
        case "dedent":
            lines[at] = line[2:] if line.startswith("  ") else line.lstrip()
        case "value" if ": " in line:
            lines[at] = line.partition(": ")[0] + ": " + draw(SCALARS)
        case "key" if ":" in line:
            key, colon, rest = line.partition(":")
            cut = draw(st.integers(0, max(len(key) - 1, 0)))
            lines[at] = key[:cut] + key[cut + 1 :] + colon + rest
        case "word":
            lines[at] = line + draw(SCALARS)
        case "line":
            lines.insert(at, draw(st.sampled_from(LINES)))
        case "splice":
            other_file = draw(st.sampled_from(sorted(example())))
            other_lines = example()[other_file].decode().split("\n")
            start = draw(st.integers(0, len(other_lines) - 1))
            lines[at:at] = other_lines[start : start + draw(st.integers(1, 12))]
        case "bytes":
            lines[at] = line + draw(st.binary(max_size=4)).decode("utf-8", "surrogateescape")
        case _:
            cut = draw(st.integers(0, len(line)))
            lines[at] = line[:cut] + draw(st.sampled_from("{}[]:,&*!|>'\"%@`#- \t\x00\ufeff\r~?") | _TEXT) + line[cut:]
    return "\n".join(lines)


@st.composite
def whole_documents(draw: st.DrawFn) -> Input:
    """A random tree, or random bytes, in place of one file, or as a stream."""
    if draw(st.booleans()):
        tree = draw(TREES)
        head: dict[str, Any] = draw(
            st.sampled_from([{}, {"apiVersion": "theta/v1", "kind": "Deployment"}, {"metadata": {"name": "a"}}])
        )
        data = json.dumps({**head, **tree} if isinstance(tree, dict) else tree, ensure_ascii=False).encode()
    else:
        data = draw(
            st.binary(max_size=80) | st.text("ab:-{}[]%'\"\n\t &*!|>?#,.1e\r\ufeff", max_size=80).map(str.encode)
        )
    where = draw(st.sampled_from([PROJECT, "resources/x.yaml", "values/prod.yaml", "patches/prod/x.yaml", "<stdin>"]))
    if where == "<stdin>":
        return Input(files=dict(example()), stream=data)
    return Input(files={**example(), where: data}, environment="prod")
