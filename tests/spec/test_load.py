"""Bytes become values that look like what they are, with a place for each. Cases C01-C05."""

from __future__ import annotations

import time
from typing import Any

import pytest
import yaml

from reconciler.problems import Problem, Problems
from reconciler.spec import SourceFile, composer
from reconciler.spec.document import Node, WrittenFloat
from reconciler.spec.load import load_file
from reconciler.spec.scalars import Limits


def load(text: str | bytes, **limits: int) -> tuple[list[Any], tuple[Problem, ...]]:
    nodes, problems = load_nodes(text, **limits)
    return [node.plain() for node in nodes], problems


def load_nodes(text: str | bytes, **limits: int) -> tuple[tuple[Node, ...], tuple[Problem, ...]]:
    problems = Problems()
    data = text.encode() if isinstance(text, str) else text
    return load_file(SourceFile("f.yaml", data), problems, Limits(**limits)), problems.items


def only(problems: tuple[Problem, ...]) -> Problem:
    assert len(problems) == 1, [str(problem) for problem in problems]
    return problems[0]


@pytest.fixture(params=["C parser", "pure parser"], autouse=True)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything here holds for both of PyYAML's parsers."""
    if request.param == "pure parser":
        monkeypatch.setattr(composer, "_Loader", yaml.SafeLoader)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NO", "NO"),
        ("no", "no"),
        ("off", "off"),
        ("yes", "yes"),
        ("on", "on"),
        ("y", "y"),
        ("True", "True"),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("Null", "Null"),
        ("010", "010"),
        ("0o7", "0o7"),
        ("0x1f", "0x1f"),
        ("22:22", "22:22"),
        ("1_000", "1_000"),
        ("2026-11-25", "2026-11-25"),
        ("+49", "+49"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("=", "="),
        ("3", 3),
        ("-3", -3),
        ("3.5", 3.5),
        ("1e3", 1000),
        ("'3'", "3"),
        ("!!str 010", "010"),
        ("!!int '3'", 3),
    ],
)
def test_a_scalar_is_what_it_looks_like(text: str, value: Any) -> None:
    assert load(f"a: {text}\n") == ([{"a": value}], ())
    assert type(load(f"a: {text}\n")[0][0]["a"]).__mro__[-2] is type(value).__mro__[-2]


def test_a_key_is_always_text() -> None:
    assert load("on: 1\nno: 2\n3: 4\ntrue: 5\n2026-11-25: 6\n")[0] == [
        {"on": 1, "no": 2, "3": 4, "true": 5, "2026-11-25": 6}
    ]


def test_a_number_remembers_how_it_was_written() -> None:
    value = load("a: 1.10\n")[0][0]["a"]
    assert value == 1.1
    assert isinstance(value, WrittenFloat)
    assert str(value) == "1.10"


@pytest.mark.parametrize("text", ["1e999", "0.12345678901234567890", "9" * 401])
def test_a_number_that_cannot_be_kept_exactly_is_refused(text: str) -> None:
    problem = only(load(f"a: {text}\n")[1])
    assert problem.code == "bad-number"
    assert "quotes" in problem.expected


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\nb:\n  env: {X: 1}\n  min: 2\n  env: {Y: 2}\n",
        "a: 1\n\nb: {\n  env: 1, c: 2,\n  env: 3}\n",
        "x: 1\ny: 1\nb: {z: 1,\n  env: 1,\n  'env': 3}\n",
    ],
)
def test_second_use_of_a_key_is_an_error_that_names_the_first(text: str) -> None:
    problem = only(load(text)[1])
    assert problem.code == "duplicate-key"
    assert problem.origin is not None
    lines = text.splitlines()
    assert lines[problem.origin.line - 1][problem.origin.column - 1 :].lstrip("'").startswith("env")
    assert str(problem.related[0]) in problem.expected


def test_one_and_quoted_one_are_the_same_key() -> None:
    assert only(load("1: a\n'1': b\n")[1]).code == "duplicate-key"


def test_overriding_a_merged_key_is_no_duplicate() -> None:
    text = "base: &b {a: 1, c: 2}\nx: {<<: *b, a: 3}\ny: {<<: [{a: 9}, *b]}\n"
    values, problems = load(text)
    assert problems == ()
    assert values[0]["x"] == {"a": 3, "c": 2}
    assert values[0]["y"] == {"a": 9, "c": 2}


def test_alias_bomb_is_refused_at_once_and_names_the_limit() -> None:
    lines = ["a: &a [x,x,x,x,x,x,x,x,x]"]
    lines += [f"{n}: &{n} [{','.join([f'*{p}'] * 9)}]" for p, n in zip("abcdefgh", "bcdefghi", strict=True)]
    started = time.process_time()
    problem = only(load("\n".join(lines))[1])
    assert time.process_time() - started < 1
    assert problem.code == "too-many-values"
    assert "30,000" in problem.expected


def test_alias_of_a_long_text_is_counted_in_characters() -> None:
    text = f"a: &a {'x' * 1000}\nb: [{','.join(['*a'] * 50)}]\n"
    assert only(load(text, characters=20_000)[1]).code == "too-many-values"


def test_a_few_honest_anchors_work() -> None:
    text = (
        "".join(f"a{n}: &a{n} {{x: {n}}}\n" for n in range(5)) + f"b: [{','.join(f'*a{n % 5}' for n in range(20))}]\n"
    )
    values, problems = load(text)
    assert problems == ()
    assert len(values[0]["b"]) == 20


@pytest.mark.parametrize(
    ("text", "limits", "code"),
    [
        ("[" * 100 + "]" * 100, {}, "too-deep"),
        ("a: b\n" * 10, {"bytes": 20}, "too-large"),
        ("---\na: 1\n" * 5, {"documents": 3}, "too-many-documents"),
    ],
)
def test_each_limit_has_an_error_that_names_it(text: str, limits: dict[str, int], code: str) -> None:
    problem = only(load(text, **limits)[1])
    assert problem.code == code
    assert "at most" in problem.expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: &a [*a]\n", "bad-alias"),
        ("a: *x\n", "bad-alias"),
        ("a: {<<: 3}\n", "bad-alias"),
        ("a: !foo 1\n", "unknown-tag"),
        ("a: !!python/object:os.system x\n", "unknown-tag"),
        ("a: !!binary aa\n", "unknown-tag"),
        ("a: !!int x\n", "unknown-tag"),
        ("? [a]\n: b\n", "bad-key"),
        ("a: {{ values.x }}\n", "bad-key"),
        ("a: b: c\n", "yaml-syntax"),
        ("a: [1, 2\n", "yaml-syntax"),
        ("a: \x01\n", "control-character"),
        ("a: 'x\x85y'\n", "control-character"),
        ("a: 'x\u2028y'\n", "control-character"),
    ],
)
def test_what_is_no_plain_data_is_refused_with_a_place(text: str, code: str) -> None:
    problem = only(load(text)[1])
    assert problem.code == code
    assert problem.origin is not None


def test_noise_around_documents_is_harmless_and_does_not_move_positions() -> None:
    text = "\ufeffa: 1\r\n---\r\n---\r\nb: 2\r\n\t# a tab before a comment\r\nc: 3\r\n---\r\n# only this\r\n---\r\n"
    nodes, problems = load_nodes(text)
    assert problems == ()
    assert [node.plain() for node in nodes] == [{"a": 1}, {"b": 2, "c": 3}]
    place = nodes[1].value["c"]
    assert (place.origin.line, place.origin.column) == (6, 4)
    assert nodes[0].value["a"].origin.column == 4


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n---\n", "\ufeff"])
def test_a_file_without_documents_is_empty(text: str) -> None:
    assert load(text) == ([], ())


def test_a_tab_as_indentation_is_told_as_a_tab() -> None:
    problem = only(load("a:\n\tb: 1\n")[1])
    assert problem.code == "tab"
    assert str(problem.origin) == "f.yaml:2:1"


def test_a_tab_inside_text_is_data() -> None:
    assert load('a: "x\ty"\nb: |\n  x\ty\n  \tz\n')[0] == [{"a": "x\ty", "b": "x\ty\n\tz\n"}]


def test_bytes_that_are_not_utf8_are_named() -> None:
    problem = only(load(b"a: 1\nb: caf\xe9\n")[1])
    assert problem.code == "not-utf8"
    assert "byte 11" in problem.wrong
    assert str(problem.origin) == "f.yaml:2:7"


def test_several_mistakes_of_a_file_are_told_together() -> None:
    assert [p.code for p in load("a: 1e999\nb: 1\nb: 2\nc: !x 3\n")[1]] == [
        "bad-number",
        "duplicate-key",
        "unknown-tag",
    ]


def test_aliases_count_as_deep_as_what_they_stand_for() -> None:
    rows = ["a0: &a0 [x]"] + [f"a{n}: &a{n} {'[' * 20}*a{n - 1}{']' * 20}" for n in range(1, 6)]
    assert only(load("\n".join(rows))[1]).code == "too-deep"


@pytest.mark.parametrize(
    ("text", "code"),
    [("{!foo b: c}", "unknown-tag"), ("{!!binary aGk=: d}", "unknown-tag"), ('{"\\0abc": 1}', "bad-key")],
)
def test_a_key_is_a_plain_word(text: str, code: str) -> None:
    assert only(load(text)[1]).code == code


def test_a_quoted_merge_key_is_a_key_like_any_other() -> None:
    assert load('base: &b {x: 1}\na: {"<<": 2, <<: *b}') == ([{"base": {"x": 1}, "a": {"<<": 2, "x": 1}}], ())
    assert only(load("base: &b {x: 1}\na: {<<: *b, <<: *b}")[1]).code == "duplicate-key"


def test_a_template_without_quotes_is_told_to_need_them() -> None:
    problem = only(load("a: {% if x %}b{% endif %}")[1])
    assert problem.code == "yaml-syntax"
    assert "quotes around it" in problem.expected
