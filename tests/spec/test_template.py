"""Templates on values: types are kept, nothing is parsed twice, nothing reaches out or runs away. Cases C07-C11."""

from __future__ import annotations

import time
from typing import Any

import pytest

from reconciler.problems import Origin, Problem, Problems
from reconciler.spec import SourceFile
from reconciler.spec.document import Node
from reconciler.spec.load import load_one
from reconciler.spec.template import Renderer, Scope
from reconciler.spec.values import Composite, KnownAfterApply, SecretRef

VALUES = """\
cc: "NO"
zip: "007"
n: 3
on: true
ratio: 0.5
release: 1.10
replicas: 3
gpu: {}
teams: [ann, bob]
nothing: null
items: 4
text: "{{ values.n }}"
"""


def node(text: str, file: str = "f.yaml") -> Node:
    problems = Problems()
    found = load_one(SourceFile(file, text.encode()), problems)
    assert not problems, problems.items
    assert found is not None
    return found


def render(text: str) -> tuple[Any, tuple[Problem, ...]]:
    """What the value of key `a` of this YAML becomes."""
    problems = Problems()
    scope = Scope.of(values=node(VALUES, "values.yaml"), environment=Node("dev", Origin("-e")))
    rendered = Renderer(frozenset({"HF_TOKEN"}), problems).render(node(text), scope)
    return rendered.plain().get("a"), problems.items


def expression(source: str) -> tuple[Any, tuple[Problem, ...]]:
    quoted = source.replace("'", "''")
    return render(f"a: '{{{{ {quoted} }}}}'\n")


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("values.cc", "NO"),
        ("values.zip", "007"),
        ("values.n", 3),
        ("values.on", True),
        ("values.ratio", 0.5),
        ("values.teams", ["ann", "bob"]),
        ("values.nothing", None),
        ("values.items", 4),
        ("values.n + 1", 4),
        ("values.on | upper", "TRUE"),
        ("values.cc | lower", "no"),
        ("values.teams | join(',')", "ann,bob"),
        ("values.teams | tojson", '["ann", "bob"]'),
        ("values.gpu.model | default('gt1')", "gt1"),
        ("values.gpu.model is defined", False),
        ("values.cc ~ values.on ~ values.release", "NOtrue1.10"),
        ("values.teams | map('upper') | list", ["ANN", "BOB"]),
        ("range(3) | list", [0, 1, 2]),
        ("true", True),
        ("'x' if values.on else 'y'", "x"),
        ("'a-b'.split('-')", ["a", "b"]),
        ("values.text", "{{ values.n }}"),
        ("environment", "dev"),
    ],
)
def test_an_expression_alone_keeps_its_type(source: str, value: Any) -> None:
    assert expression(source) == (value, ())
    assert type(expression(source)[0]) is type(value) or isinstance(value, float)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"x{{ values.n }}"', "x3"),
        ('"{{ values.release }}!"', "1.10!"),
        ('"{{ values.on }}!"', "true!"),
        ('" {{ values.n }}"', " 3"),
        ('"{{ values.text }}."', "{{ values.n }}."),
        ("'{% if values.on %}{{ values.n }}{% endif %}'", "3"),
        ("'{% for t in values.teams %}{{ loop.index }}{{ t }}{% endfor %}'", "1ann2bob"),
        ('"{{ values.cc }}\\r\\nb\\r"', "NO\r\nb\r"),
        ("|\n  {{ values.cc }}\n  b\n", "NO\nb\n"),
        ("'{# no template without the other braces #}'", "{# no template without the other braces #}"),
    ],
)
def test_inside_a_text_values_stand_as_people_write_them(text: str, value: str) -> None:
    assert render(f"a: {text}\n") == (value, ())


@pytest.mark.parametrize("source", ["values.nothing", "values.teams", "values.gpu"])
def test_what_has_no_text_cannot_stand_in_one(source: str) -> None:
    _value, problems = render(f'a: "x{{{{ {source} }}}}"\n')
    assert [problem.code for problem in problems] == ["template-type"]


def test_undefined_names_are_told_in_one_run_with_their_place_and_neighbour() -> None:
    _value, problems = render('a: "{{ values.replcas }}"\nb: |\n  one\n  vm_{{ values.gpu.model }}\n')
    assert [(problem.code, str(problem.origin), problem.nearest) for problem in problems] == [
        ("undefined-name", "f.yaml:1:15", "replicas"),
        ("undefined-name", "f.yaml:4:20", ""),
    ]


@pytest.mark.parametrize(
    "source", ["values.x is none", "values.x is string", "values.x | list", "values.x | items", "values.x == 1"]
)
def test_undefined_is_never_taken_for_empty(source: str) -> None:
    assert [problem.code for problem in expression(source)[1]] == ["undefined-name"]


def test_foreign_braces_are_an_error_that_names_both_ways_out() -> None:
    _value, problems = render('a: "{% for m in messages %}{{ m.role }}: {{ m.content }}{% endfor %}"\n')
    assert "messages" in problems[0].wrong
    assert "template: false" in problems[0].expected
    assert "{% raw %}" in problems[0].expected


def test_raw_keeps_foreign_braces_byte_for_byte() -> None:
    inner = "'{% for m in messages %}{{ m.role }}:  {{m.content}}{% endfor %}'"
    assert render(f'a: "{{% raw %}}{inner}{{% endraw %}}"\n') == (inner, ())


@pytest.mark.parametrize(
    "source",
    [
        "values.__class__",
        '"{0.__class__}".format(values)',
        '"{0.__class__}" | attr("format")',
        "values | attr('x')",
        "values['__class__']",
        "values.teams | map(attribute='__class__') | list",
        "values.teams.append(1)",
        "lipsum()",
        "self.__init__",
        "cycler.__init__.__globals__",
        "'%s' % values",
        "secret.__globals__",
        "range.__class__",
    ],
)
def test_a_template_cannot_reach_out(source: str) -> None:
    value, problems = expression(source)
    assert value == ""
    assert len(problems) == 1
    assert problems[0].origin is not None
    assert "<class" not in str(problems[0])


def test_a_name_with_a_leading_underscore_is_forbidden_not_merely_undefined() -> None:
    assert [p.code for p in expression("values.__class__ | default('x')")[1]] == ["template-forbidden"]
    assert [p.code for p in expression("values._x is defined")[1]] == ["template-forbidden"]


LONG = "{% for a in range(9999) %}{% for b in range(9999) %}%s{% endfor %}{% endfor %}"


@pytest.mark.parametrize(
    "text",
    [
        "{{ 'A' * 10**9 }}",
        "{{ [1] * 10**8 }}",
        "{{ 2 ** 99999 }}",
        "{{ 9 ** 9 ** 9 ** 9 }}",
        "{{ range(10**9) }}",
        "{{ 'x' | replace('', 'y' * 1000) | replace('y', 'z' * 10000) }}",
        "{{ 'x'.replace('', 'y' * 1000).replace('y', 'z' * 10000) }}",
        "{{ 3 | round(10**9, 'ceil') }}",
        "{{ values | tojson(indent=10**9) }}",
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        LONG.replace("%s", ""),
        LONG.replace("%s", "{{ values | tojson }}"),
        LONG.replace("%s", "{% set x = values.teams | sort %}"),
        LONG.replace("%s", "{% if 'y' in values.teams %}{% endif %}"),
        "{% set x = 'a' %}" + "{% set x = x ~ x %}" * 40 + "{{ x }}",
        "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
        "{{ 1 }}" * 20_000,
        "{% if values.on %}" * 150 + "{% endif %}" * 150,
    ],
)
def test_a_template_cannot_run_away(text: str) -> None:
    started = time.process_time()
    value, problems = render(f'a: "{text}"\n')
    assert time.process_time() - started < 10
    assert value == ""
    assert {problem.code for problem in problems} <= {"template-limit", "template-failed"}


@pytest.mark.parametrize(
    "text", ["{% macro x() %}{% endmacro %}", "{% include 'x' %}", "{% set ns.x = 1 %}", "{{ x ", "{% foo %}"]
)
def test_statements_that_no_value_needs_are_refused(text: str) -> None:
    _value, problems = render(f'a: "{text}"\n')
    assert problems[0].code in {"template-forbidden", "template-syntax"}


def test_references_are_values_or_parts_of_a_text() -> None:
    assert expression("secret('HF_TOKEN')")[0] == SecretRef("HF_TOKEN")
    address = KnownAfterApply("theta/Deployment/x", "endpoint")
    assert expression("ref('theta/Deployment/x').endpoint")[0] == address
    text = """a: 'http://{{ ref("theta/Deployment/x").endpoint }}/{{ secret("HF_TOKEN") }}!'\n"""
    assert render(text)[0] == Composite(("http://", address, "/", SecretRef("HF_TOKEN"), "!"))


@pytest.mark.parametrize(
    "source",
    [
        "secret('HF_TOKEN') | upper",
        "secret('HF_TOKEN') == 'x'",
        "'x' if secret('HF_TOKEN') else 'y'",
        "secret('HF_TOKEN') ~ 'x'",
        "[secret('HF_TOKEN')] | join",
        "[secret('HF_TOKEN')] | tojson",
        "secret('HF_TOKEN')[0]",
        "secret('HF_TOKEN') * 2",
        "'x' in secret('HF_TOKEN')",
        "secret('HF_TOKEN').id",
        "{secret('HF_TOKEN'): 1}",
    ],
)
def test_nothing_can_be_made_of_a_secret(source: str) -> None:
    assert expression(source)[1][0].code in {"not-known-yet", "unknown-attribute"}


@pytest.mark.parametrize(
    ("source", "code", "near"),
    [
        ("secret('HF_TOKN')", "unknown-secret", "HF_TOKEN"),
        ("secret(values.n)", "unknown-secret", ""),
        ("ref('a/b/c').endpont", "unknown-attribute", "endpoint"),
        ("ref('a/b/c')", "unknown-attribute", ""),
        ("ref('a/b')", "unknown-address", ""),
    ],
)
def test_a_wrong_reference_is_told_with_what_exists(source: str, code: str, near: str) -> None:
    _value, problems = expression(source)
    assert [(problem.code, problem.nearest) for problem in problems] == [(code, near)]


def test_a_key_is_never_a_template() -> None:
    assert [problem.code for problem in render('"{{ values.cc }}": 1\n')[1]] == ["template-in-key"]


def test_a_bare_value_keeps_the_place_where_it_was_written() -> None:
    problems = Problems()
    scope = Scope.of(values=node(VALUES, "values.yaml"))
    rendered = Renderer(frozenset(), problems).render(node('a: "{{ values.teams }}"'), scope)
    assert str(rendered.value["a"].value[1].origin) == "values.yaml:9:14"
    told = [(layer.word, str(layer.origin), layer.name) for layer in rendered.value["a"].value[1].layers]
    assert told == [("written", "f.yaml:1:4", ""), ("written", "values.yaml:9:14", "values.teams[1]")]


@pytest.mark.parametrize("source", ['"\\ud800"', '"x" ~ "\\udfff"', '{"\\ud800": 1}'])
def test_half_a_character_never_leaves_a_template(source: str) -> None:
    assert [problem.code for problem in expression(source)[1]] == ["template-type"]


@pytest.mark.parametrize(
    "source", ['"%2000000000d" is even', '"%2000000000d" is odd', '"%9d" is divisibleby 5', '["%9d"] | select("even")']
)
def test_no_test_formats_a_text(source: str) -> None:
    assert [problem.code for problem in expression(source)[1]] == ["template-type"]


def test_errors_speak_of_values_not_of_our_types() -> None:
    (problem,) = expression('values.ratio - "x"')[1]
    assert problem.wrong == "this can't be rendered: unsupported operand type(s) for -: a number and text"


def test_lists_that_share_their_items_are_not_walked_without_end() -> None:
    for source in ("[[[0] * 1000] * 1000] * 1000", "['A' * 1000000] * 1000"):
        (problem,) = expression(source)[1]
        assert (problem.code, problem.wrong) == ("template-limit", "the result is too large")


@pytest.mark.parametrize("source", ['-secret("HF_TOKEN")', '1 - secret("HF_TOKEN")', '[1, 2][secret("HF_TOKEN")]'])
def test_what_is_not_known_yet_cannot_be_computed_with(source: str) -> None:
    assert [problem.code for problem in expression(source)[1]] == ["not-known-yet"]
