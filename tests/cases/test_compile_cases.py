"""Cases C07 to C12 as a user meets them: a template makes values, never structure, and reaches nothing else."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.cases.conftest import (
    CHAT,
    DEFAULTS,
    LLM,
    OF_VALUES,
    PATCH,
    RESOURCE,
    SERVICE,
    STDIN,
    Clock,
    Layered,
    problems_of,
    run_limited,
)
from tests.conftest import Project, Served

TEMPLATED = (RESOURCE, DEFAULTS, PATCH, STDIN)
VALUES = """\
  values:
    replicas: 3
    gpu: {}
    teams: [ann, bob]
    cc: "NO"
    zip: "007"
    n: 3
    on: true
    ratio: 0.5
    release: 1.10
    size: 1e3
    nothing: null
    text: "{{ values.n }}"
"""


def _quoted(template: str) -> str:
    return json.dumps(template, ensure_ascii=False)


UNDEFINED = {
    "{{ values.replcas }}": "did you mean 'replicas'?",
    "vm_{{ values.gpu.model }}": "'model' is undefined",
    "{{ value.replicas }}": "did you mean 'values'?",
    "{{ values.replcas or 1 }}": "'replcas' is undefined",
    "{% if values.replcas %}a{% endif %}": "'replcas' is undefined",
    "{% for t in values.teems %}{{ t }}{% endfor %}": "did you mean 'teams'?",
    "{{ values['replcas'] }}": "did you mean 'replicas'?",
    "{{ values.get('replcas') }}": "did you mean 'replicas'?",
    "{{ values.teams[7] }}": "is undefined",
    "{{ [values.replcas] | join }}": "'replcas' is undefined",
    "{{ values.replcas | string | upper }}": "'replcas' is undefined",
    "{{ 'a' if values.keys else 'b' }}": "'keys' is undefined",
    "{{ values.teams | map(attribute='name') | join }}": "'name' is undefined",
    "{{ item }}": "'item' is undefined",
    "{{ values.cc | uper }}": "did you mean 'upper'?",
    "{{ secret('APP_TOKN') }}": "did you mean 'APP_TOKEN'?",
}


@pytest.mark.parametrize("layer", TEMPLATED)
def test_every_misspelt_name_is_told_in_one_run_with_its_place_and_neighbour(layered: Layered, layer: str) -> None:
    """C07: nothing that is undefined is taken for empty, in whatever expression it stands."""
    entries = [(f"A{n:02}", _quoted(template)) for n, template in enumerate(UNDEFINED)]
    layered.put(layer, entries, project=VALUES)
    problems = problems_of(layered.run("validate"))
    assert [problem.split(": ", 1)[0].rpartition(":")[0].rpartition(":")[0] for problem in problems] == [
        layered.file
    ] * len(UNDEFINED)
    wrong = [(told, problem) for told, problem in zip(UNDEFINED.values(), problems, strict=True) if told not in problem]
    assert not wrong
    data = layered.stdin or (layered.project.root / layered.file).read_bytes()
    first = re.match(rf"{re.escape(layered.file)}:(\d+):(\d+): ", problems[0])
    assert first
    assert data.decode().splitlines()[int(first[1]) - 1][int(first[2]) - 1 :].startswith("replcas")


@pytest.mark.parametrize("layer", TEMPLATED)
def test_a_default_and_is_defined_take_what_is_missing(layered: Layered, layer: str) -> None:
    """C07: the ways to say that nothing may be there."""
    cases = {
        "{{ values.gpu.model | default('gt1') }}": "gt1",
        "{{ 'a' if values.gpu.model is defined else 'b' }}": "b",
        "{{ values.gpu.get('model', 'gt2') }}": "gt2",
        "{{ values.gpu.get('model') | default('gt3') }}": "gt3",
        "{{ values.keys | d('none') }}": "none",
        "x{{ values.nothing | default('', true) }}": "x",
        "{% if values.gpu.model is undefined %}c{% endif %}": "c",
    }
    layered.put(layer, [(f"A{n}", _quoted(text)) for n, text in enumerate(cases)], project=VALUES)
    assert list(layered.env_vars().values()) == list(cases.values())


NASTY = (
    "v1\nlifecycle:\n  preventDestroy: false\n  onRemove: delete",
    *(
        "a: b",
        "a #b",
        "# c",
        "- d",
        "{e",
        "}",
        "[f",
        "]",
        "*a",
        "&a",
        "!tag",
        "`",
        '"',
        "'",
        "|",
        ">",
        "%",
        "@",
        ",",
        "?",
    ),
    *(
        "---",
        "...",
        "{{ values.n }}",
        "{% raw %}",
        "{# c #}",
        "{{ secret('APP_TOKEN') }}",
        "\\",
        "\t",
        " x ",
        "\u2028",
        "null",
    ),
    *("x\r\ny", "\n", "}}", "%}", "$secret", "<<", "true", "010", "😀", "{{", "{%"),
)


@pytest.mark.parametrize("layer", OF_VALUES)
def test_a_value_is_one_text_whatever_it_holds(layered: Layered, layer: str) -> None:
    """C08: alone and inside a text; also when the compiled documents are read again."""
    texts = NASTY
    layered.put(layer, [(f"A{n}", json.dumps(text)) for n, text in enumerate(texts)])
    inner = "".join(
        f'    A{n}: "{{{{ values.w.A{n} }}}}"\n    B{n}: "<{{{{ values.w.A{n} }}}}>"\n' for n in range(len(texts))
    )
    chat = CHAT + "  env_vars:\n" + inner + "lifecycle: {preventDestroy: true}\n"
    layered.write("resources/chat.yaml", chat)
    wanted = {f"A{n}": text for n, text in enumerate(texts)} | {f"B{n}": f"<{text}>" for n, text in enumerate(texts)}
    assert layered.env_vars() == wanted
    compiled = layered.run("compile", "-o", "yaml").stdout
    again = run_limited(layered.project, "compile", "-o", "json", "-f", "-", *layered.args, stdin=compiled.encode())
    [document] = json.loads(again.stdout)
    assert (document["spec"]["env_vars"], document["lifecycle"]) == (wanted, {"preventDestroy": True})


def test_a_value_with_yaml_in_it_reaches_the_wire_as_one_text(served_project: Project, served: Served) -> None:
    """C08: the description is the text, and protection stays."""
    whole = (served_project.root / "reconciler.yaml").read_text()
    note = json.dumps(NASTY[0])
    served_project.write("reconciler.yaml", whole + f"  values: {{note: {note}}}\n")
    text = SERVICE.replace("spec:\n", 'lifecycle: {preventDestroy: true}\nspec:\n  description: "{{ values.note }}"\n')
    served_project.write("resources/mnist.yaml", text)
    assert served_project.run("apply", "--yes").returncode == 0
    [create] = served.writes(method="POST")
    assert _json(create["body"])["description"].startswith(NASTY[0])
    (served_project.root / "resources/mnist.yaml").unlink()
    done = served_project.run("plan", "--allow-empty-spec", "-o", "json")
    assert [change["action"] for change in json.loads(done.stdout)["changes"]] == ["blocked"]


def _json(body: Any) -> Any:
    return json.loads(body) if isinstance(body, str) else body


KEPT: dict[str, Any] = {
    "{{ values.cc }}": "NO",
    "{{ values.zip }}": "007",
    "x{{ values.n }}": "x3",
    "{{ values.n ~ '' }}": "3",
    "{{ values.on | string }}": "true",
    "{{ values.on }}!": "true!",
    "{{ values.on | upper }}": "TRUE",
    "v{{ values.release }}": "v1.10",
    "{{ values.size }}x": "1e3x",
    "{{ values.text }}": "{{ values.n }}",
    "<{{ values.text }}>": "<{{ values.n }}>",
    "{{ [values.on, values.n] | join(',') }}": "true,3",
    "{{ [values.on, values.nothing] | tojson }}": "[true, null]",
    "{% if values.on %}{{ values.on }}{% endif %}": "true",
    "{{ 'no' }}": "no",
    "{{ '010' }}": "010",
    "{{ '1e3' }}": "1e3",
    "{{ '[1, 2]' }}": "[1, 2]",
    "{{ '{a: b}' }}": "{a: b}",
    "{{ 'null' }}": "null",
    "{{ values.zip ~ '0' }}": "0070",
    "{{ environment }}": "dev",
    "{{ metadata.name }}": "chat",
}


@pytest.mark.parametrize("layer", TEMPLATED)
def test_what_a_template_gives_is_never_read_again(layered: Layered, layer: str) -> None:
    """C09: text stays text, and the language's own spellings (`True`, `None`) are nowhere."""
    layered.put(layer, [(f"A{n:02}", _quoted(text)) for n, text in enumerate(KEPT)], project=VALUES)
    assert list(layered.env_vars().values()) == list(KEPT.values())


@pytest.mark.parametrize("words", [[], ["--set", "n=4", "--set", "ratio=1.5", "--set", "on=false"]])
def test_an_expression_alone_keeps_the_type_of_its_value(layered: Layered, words: list[str]) -> None:
    """C09: integer, number, boolean, list and map; null is nothing."""
    layered.put(RESOURCE, [], project=VALUES)
    layered.write(
        "resources/chat.yaml",
        LLM
        + '  autoscaling: {minReplicas: "{{ values.n }}", maxReplicas: "{{ values.n + 1 }}", metric: latency, '
        + 'metricThreshold: "{{ values.size }}"}\n'
        + '  createHomeDir: "{{ values.on }}"\n  workingDir: "{{ values.nothing }}"\n'
        + "  environmentVariables: \"{{ [{'name': 'A', 'value': values.zip}] }}\"\n",
    )
    layered.args = words
    done = layered.run("compile", "-o", "json")
    assert done.returncode == 0, done.stderr
    spec = json.loads(done.stdout)[0]["spec"]
    n = 4 if words else 3
    scaling = {"minReplicas": n, "maxReplicas": n + 1, "metric": "latency", "metricThreshold": 1000}
    assert spec["autoscaling"] == scaling
    assert all(type(spec["autoscaling"][key]) is int for key in ("minReplicas", "maxReplicas", "metricThreshold"))
    assert spec["createHomeDir"] is (not words)
    assert "workingDir" not in spec
    assert spec["environmentVariables"] == [{"name": "A", "value": "007"}]
    layered.write("resources/chat.yaml", CHAT + '  env_vars: {R: "{{ values.ratio }}", N: "x{{ values.nothing }}"}\n')
    problems = problems_of(layered.run("validate"))
    assert re.search(r"null can't stand inside a text", problems[0])


FOREIGN = "--chat-template '{% for m in messages %}{{ m.role }}:  {{m.content}}{% endfor %}' --x '{{ \"y\" }}' {# z #}"


@pytest.mark.parametrize("way", ["template: false", "raw"])
def test_braces_of_the_workload_arrive_unchanged_when_told_so(
    served_project: Project, served: Served, way: str
) -> None:
    """C10: byte for byte on the wire, in a patch as well, and the plan afterwards is empty."""
    served_project.write(
        "reconciler.yaml",
        (served_project.root / "reconciler.yaml").read_text() + "  environments: {dev: {}}\n",
    )
    text = FOREIGN if way != "raw" else f"{{% raw %}}{FOREIGN}{{% endraw %}}"
    head = LLM if way == "raw" else LLM.replace("{name: llm}", "{name: llm, template: false}")
    served_project.write("resources/llm.yaml", head + f"  args: {json.dumps(text)}\n")
    extra = "" if way == "raw" else ", template: false"
    served_project.write(
        "patches/dev/llm.yaml",
        f"kind: Inference\nmetadata: {{name: llm{extra}}}\n"
        f"spec: {{environmentVariables: [{{name: T, value: {json.dumps(text)}}}]}}\n",
    )
    done = served_project.run("apply", "--yes", "-e", "dev")
    assert done.returncode == 0, done.stderr
    [create] = served.writes(method="POST")
    spec = _json(create["body"])["spec"]
    assert spec["args"] == FOREIGN
    assert spec["environmentVariables"][0]["value"] == FOREIGN
    assert served_project.run("plan", "--detailed-exitcode", "-e", "dev").returncode == 0
    compiled = served_project.run("compile", "-o", "yaml", "-e", "dev").stdout
    (served_project.root / "patches/dev/llm.yaml").unlink()
    served_project.write("again.yaml", compiled)
    again = served_project.run(
        "plan", "--detailed-exitcode", "-e", "dev", "-f", str(served_project.root / "again.yaml")
    )
    assert again.returncode == 0, again.stdout + again.stderr


@pytest.mark.parametrize("layer", TEMPLATED)
def test_foreign_braces_without_a_marker_are_an_error_that_names_both_ways_out(layered: Layered, layer: str) -> None:
    """C10: never eaten, never half rendered."""
    foreign = (
        "{% for m in messages %}{{ m.role }}{% endfor %}",
        "{{ .Values.name }}",
        "{{#if x}}",
        "${{ github.sha }}",
    )
    layered.put(layer, [(f"A{n}", _quoted(text)) for n, text in enumerate(foreign)])
    problems = problems_of(layered.run("validate"))
    assert len(problems) == len(foreign)
    for problem in problems:
        assert problem.startswith(layered.file)
        assert "metadata.template: false" in problem
        assert "{% raw %}" in problem


_NESTED = "{% set a = ['x', 'x', 'x', 'x'] %}" + "{% set a = [a, a, a, a, a, a, a, a] %}" * 12
ATTACKS = (
    "{{ values.__class__ }}",
    '{{ "{0.__class__}".format(values) }}',
    '{{ "{0.__class__}" | attr("format") }}',
    "{{ [values] | map(attribute='__class__') | list }}",
    "{{ values['__class__'] }}",
    "{{ values.items.__self__ }}",
    "{{ secret.__globals__ }}",
    "{{ ''.join.__self__ }}",
    "{{ self }}",
    "{{ cycler }}",
    "{{ values.teams.append(1) }}",
    "{{ '%1000000000d' % 1 }}",
    "{% include 'reconciler.yaml' %}",
    "{% import 'os' as os %}",
    "{% macro a() %}{{ a() }}{% endmacro %}",
    "{% for a in [1] recursive %}{{ loop([1]) }}{% endfor %}",
    '{{ "A" * 10**9 }}',
    "{{ [[[0] * 1000] * 1000] * 1000 }}",
    "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "{{ 9 ** 9 ** 9 ** 9 }}",
    "{{ 'x' | indent(10**9) }}",
    "{{ values" + ".a" * 20_000 + " }}",
    "{{ " + "(" * 4000 + "1" + ")" * 4000 + " }}",
    "{{ 1 }}" * 8000,
)
HEAVY = (
    _NESTED + "{{ a | tojson }}",
    "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
    "{{ range(9999) | map('replace', '9', 'x' * 100000) | join | length }}",
)


@pytest.mark.parametrize("layer", TEMPLATED)
def test_a_template_reaches_nothing_and_tells_nothing(layered: Layered, layer: str) -> None:
    """C11: each attack is an error with its place, in one run that stays small; no attribute's text is told."""
    layered.put(layer, [(f"A{n:02}", _quoted(text)) for n, text in enumerate(ATTACKS)], project=VALUES)
    clock = Clock()
    done = run_limited(layered.project, "validate", *layered.args, stdin=layered.stdin or b"", memory=700 << 20)
    problems = problems_of(done)
    assert clock.seconds < 20
    assert len(problems) == len(ATTACKS), problems
    for problem in problems:
        assert re.match(rf"{re.escape(layered.file)}:\d+:\d+: ", problem), problem
        assert not re.search(r"<class|<built-in|<bound|<function|0x[0-9a-f]{6}|MemoryError", problem), problem


@pytest.mark.parametrize("text", HEAVY, ids=["shared lists", "loops", "texts"])
def test_a_template_that_runs_away_is_stopped_within_seconds(layered: Layered, text: str) -> None:
    """C11: work is bounded over all documents of a run, not for each alone."""
    layered.put(RESOURCE, [])
    documents = [CHAT.replace("chat", f"c{n}") + f"  env_vars: {{A: {_quoted(text)}}}\n" for n in range(8)]
    layered.write("resources/chat.yaml", "---\n".join(documents))
    clock = Clock()
    problems = problems_of(run_limited(layered.project, "plan", memory=1200 << 20))
    assert clock.seconds < 25
    assert len(problems) == 8
    assert all(problem.endswith("[template-limit]") for problem in problems)


def test_a_long_list_over_a_long_document_is_refused_at_once(layered: Layered) -> None:
    """C11, C12: 10,000 items by 100 fields are written in a line each."""
    layered.put(RESOURCE, [])
    many = "".join(f'    A{n}: "{{{{ item }}}}"\n' for n in range(100))
    text = CHAT.replace("{name: chat}", '{name: "c-{{ item }}"}\nforEach: "{{ range(10000) }}"')
    layered.write("resources/chat.yaml", text + "  env_vars:\n" + many)
    clock = Clock()
    [problem] = problems_of(run_limited(layered.project, "validate"))
    assert clock.seconds < 8
    assert problem.startswith("resources/chat.yaml:4:10: ")
    assert problem.endswith("[too-many-documents]")


def test_ordinary_filters_work(layered: Layered) -> None:
    """C11: what people need is there."""
    cases = {
        "{{ values.teams | map('upper') | join('-') }}": "ANN-BOB",
        "{{ values.teams | tojson }}": '["ann", "bob"]',
        "{{ 'a,b'.split(',') | last }}": "b",
        "{{ values.teams | length | string }}": "2",
        "{{ (values.n * 2) | string }}": "6",
        "{% for t in values.teams %}{{ loop.index }}{{ t }}{% if not loop.last %};{% endif %}{% endfor %}": "1ann;2bob",
        "{{ 'x' | replace('x', 'y') | capitalize }}": "Y",
        "{{ 'Ab'.lower() ~ 'c' }}": "abc",
        "{{ {'b': 1, 'a': 2} | dictsort | first | first }}": "a",
    }
    layered.put(RESOURCE, [(f"A{n}", _quoted(text)) for n, text in enumerate(cases)], project=VALUES)
    assert list(layered.env_vars().values()) == list(cases.values())


NOTEBOOK = """\
apiVersion: modelarts/v1
kind: Notebook
metadata: {name: "nb-%s"}
forEach: %s
spec:
  profile_id: Multi-Engine 2.0 (python3)
  flavor: modelarts.vm.cpu.2u
  spec: {storage: {type: obs, location: {path: "/shop-research/%s/"}}}
"""


@pytest.mark.parametrize(
    ("item", "steps"),
    [
        ("{{ item }}", ("[ann, bob, cyd]", "[bob, cyd]", "[cyd, bob]")),
        ("{{ item.key }}", ("{ann: 1, bob: 2, cyd: 3}", "{bob: 2, cyd: 3}", "{cyd: 3, bob: 2}")),
    ],
    ids=["list", "map"],
)
def test_taking_one_item_out_deletes_that_one_and_order_means_nothing(
    served_project: Project, served: Served, item: str, steps: tuple[str, str, str]
) -> None:
    """C12: identity is the name."""

    def write(items: str) -> None:
        served_project.write("resources/nb.yaml", NOTEBOOK % (item, items, item))

    write(steps[0])
    assert served_project.run("apply", "--yes").returncode == 0
    assert len(served.writes(method="POST")) == 3
    write(steps[1])
    [change] = served_project.plan()["changes"]
    assert (change["action"], change["address"]) == ("delete", "modelarts/Notebook/nb-ann")
    assert served_project.run("apply", "--yes").returncode == 0
    write(steps[2])
    assert served_project.run("plan", "--detailed-exitcode").returncode == 0


@pytest.mark.parametrize(
    ("each", "name", "told"),
    [
        ("ann", "{{ item }}", "forEach is no list and no map"),
        ("3", "{{ item }}", "forEach is no list and no map"),
        ("'{{ values.nothing }}'", "{{ item }}", "forEach is no list and no map"),
        ("'{{ values.teems }}'", "{{ item }}", "did you mean 'teams'?"),
        ("[ann, ann]", "nb-{{ item }}", "[duplicate-address]"),
        ("[ann, bob]", "nb", "[same-name]"),
        ("[1]", "{{ item }}", 'metadata.name is 1 (expected text; write it in quotes: "1")'),
        ("[true]", "{{ item }}", "metadata.name is true (expected text"),
        ("[null]", "nb-{{ item }}", "null can't stand inside a text"),
        ("[[ann]]", "nb-{{ item }}", "a list can't stand inside a text"),
        ("[{nme: ann}]", "nb-{{ item.name }}", "did you mean 'nme'?"),
        ("[Ann B]", "{{ item }}", "[bad-pattern]"),
        ("[\"{{ secret('APP_TOKEN') }}\"]", "{{ item }}", "[not-known-yet]"),
    ],
)
def test_a_for_each_that_makes_no_names_is_refused_with_its_place(
    layered: Layered, each: str, name: str, told: str
) -> None:
    """C12: each document needs a name of its own, and a name is text."""
    layered.put(RESOURCE, [], project=VALUES)
    text = CHAT.replace("{name: chat}", f"{{name: {_quoted(name)}}}\nforEach: {each}")
    layered.write("resources/chat.yaml", text)
    problems = problems_of(layered.run("validate"))
    assert told in problems[0]
    assert re.match(r"(resources/chat|reconciler).yaml:\d+:\d+: theta/Deployment/", problems[0])


def test_items_name_documents_as_they_are_written(layered: Layered) -> None:
    """C12, C09: empty lists make none; words, numbers inside a text, nested lists and keys of maps make names."""
    layered.put(RESOURCE, [], project=VALUES)
    cases = {
        "[]": ("{{ item }}", []),
        "{}": ("{{ item.key }}", []),
        "'{{ values.teams | default([]) }}'": ("a-{{ item }}", ["a-ann", "a-bob"]),
        "'{{ values.missing | default([]) }}'": ("{{ item }}", []),
        "[no, yes, 010, 2026-11-25]": ("{{ item }}", ["010", "2026-11-25", "no", "yes"]),
        "[1, 2]": ("b-{{ item }}", ["b-1", "b-2"]),
        "{1: x, on: y}": ("c-{{ item.key }}", ["c-1", "c-on"]),
        "[[p, q], [r]]": ("d-{{ item | first }}", ["d-p", "d-r"]),
        "'{{ range(2) }}'": ("e-{{ item }}", ["e-0", "e-1"]),
    }
    documents = [
        CHAT.replace("{name: chat}", f"{{name: {_quoted(name)}}}\nforEach: {each}") for each, (name, _) in cases.items()
    ]
    layered.write("resources/chat.yaml", "---\n".join(documents))
    done = layered.run("compile", "-o", "json")
    assert done.returncode == 0, done.stderr
    names = [document["metadata"]["name"] for document in json.loads(done.stdout)]
    assert names == sorted(name for _, wanted in cases.values() for name in wanted)
