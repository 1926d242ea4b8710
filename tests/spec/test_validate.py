"""Strict validation tells every mistake in the words of its field, at its place. Cases C13-C16."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reconciler.fields import MARKER_ROOM, WaitFor
from reconciler.problems import Problem
from reconciler.spec import Spec

Compile = Callable[..., Spec]
Refuse = Callable[..., list[Problem]]
Head = Callable[[str, str], str]


def told(problems: list[Problem]) -> list[tuple[str, str, str]]:
    return [(problem.code, problem.origin.__str__().partition(":")[2], problem.nearest) for problem in problems]


def test_one_misspelt_field_of_a_branch_is_one_error_in_the_words_of_that_branch(
    refuse_toy: Refuse, head: Head
) -> None:
    problems = refuse_toy(head("a", "spec:\n  mode: batch\n  config:\n    - {weight: 100, instance_cuont: 1}"))
    assert told(problems) == [("unknown-field", "7:21", "instance_count")]
    assert "batch configuration" in problems[0].wrong
    assert "real-time" not in str(problems[0])


@pytest.mark.parametrize(
    ("spec", "code", "column", "near"),
    [
        ("{replica: 1}", "unknown-field", 8, "replicas"),
        ("{scaling: {limits: {uper: 1}}}", "unknown-field", 27, "upper"),
        ("{mode: real-tme}", "not-allowed", 14, "real-time"),
        ("{replicas: true}", "wrong-type", 18, ""),
        ('{replicas: "8000"}', "wrong-type", 18, ""),
        ("{replicas: 3.5}", "wrong-type", 18, ""),
        ("{replicas: -1}", "out-of-range", 18, ""),
        ("{ratio: true}", "wrong-type", 15, ""),
        ("{debug: 1}", "wrong-type", 15, ""),
        ('{debug: "true"}', "wrong-type", 15, ""),
        ("{env: {FLAG: true}}", "wrong-type", 20, ""),
        ("{env: {RELEASE: 1.10}}", "wrong-type", 23, ""),
        ("{env: [a]}", "wrong-type", 8, ""),
        ("{vm: a100}", "bad-pattern", 12, ""),
        ('{vm: "vm_a\\n"}', "bad-pattern", 12, ""),
        ("{since: yesterday}", "bad-format", 15, ""),
        ("{password: geheim}", "literal-secret", 18, ""),
        ("{variables: [{value: x}]}", "missing-field", 20, ""),
        ("{variables: [{name: A}, {name: B}, {name: A}]}", "duplicate-item", 49, ""),
    ],
)
def test_each_mistake_has_its_code_and_place(
    refuse_toy: Refuse, head: Head, *, spec: str, code: str, column: int, near: str
) -> None:
    problems = refuse_toy(head("a", f"spec: {spec}"))
    assert [p.code for p in problems] == [code], [str(p) for p in problems]
    assert problems[0].nearest == near
    assert problems[0].expected
    origin = problems[0].origin
    assert origin is not None
    assert origin.line == 4
    assert origin.column == column


def test_an_error_shows_what_to_write(refuse_toy: Refuse, head: Head) -> None:
    text = head("a", 'spec: {env: {FLAG: true, RELEASE: 1.10}, replicas: "3", since: x}')
    assert [p.expected for p in refuse_toy(text)] == [
        'text; write it in quotes: "true"',
        'text; write it in quotes: "1.10"',
        "a whole number, without quotes: 3",
        "a time with a zone, such as 2026-11-25T08:00:00Z",
    ]


def test_a_secret_written_in_clear_is_shown_nowhere(refuse_toy: Refuse, head: Head) -> None:
    text = head("a", "spec: {password: '{{ values.p }}'}")
    problems = refuse_toy(text, sets=("p=hunter2hunter2",))
    assert [p.code for p in problems] == ["literal-secret"]
    assert "hunter2" not in "".join(map(repr, problems))


def test_whole_numbers_arrive_as_such_and_numeric_texts_where_the_schema_takes_them(
    compile_toy: Compile, head: Head
) -> None:
    text = head("a", "spec: {replicas: 3.0, ratio: 1e3, mode: real-time, config: [{weight: '70'}, {weight: 30}]}")
    spec = compile_toy(text).resources[0].spec
    assert spec == {"replicas": 3, "ratio": 1000, "mode": "real-time", "config": [{"weight": 70}, {"weight": 30}]}
    assert type(spec["replicas"]) is int
    assert type(spec["ratio"]) is int
    assert type(spec["config"][0]["weight"]) is int


def test_rules_across_fields_are_told_beside_those_of_the_schema(refuse_toy: Refuse, head: Head) -> None:
    text = head("a", "spec:\n  mode: real-time\n  description: a < b\n  config:\n  - {weight: 60}\n  - {weight: 30}")
    problems = refuse_toy(text)
    assert told(problems) == [("bad-pattern", "6:16", ""), ("weights", "8:14", "")]
    assert [str(origin) for origin in problems[1].related] == ["resources/a.yaml:9:14"]


def test_a_check_that_stumbles_over_refused_values_is_left_out(refuse_toy: Refuse, head: Head) -> None:
    problems = refuse_toy(
        head("a", "spec: {mode: batch, config: [{weight: many, instance_count: 1}, {instance_count: 1}]}")
    )
    assert [p.code for p in problems] == ["wrong-type"]


@pytest.mark.parametrize(
    ("lifecycle", "code"),
    [
        ("{adopt: not-an-id}", "bad-live-id"),
        ("{wait: {timeout: 20 minutes}}", "bad-format"),
        ("{wait: {for: http}}", "missing-field"),
        ("{wait: {path: /x}}", "not-allowed-here"),
        ("{wait: {for: redy}}", "not-allowed"),
        ("{replace: delete-first}", "replace-order"),
        ("{runState: paused}", "not-allowed"),
        ("{preventDestroy: 'yes'}", "wrong-type"),
        ("{ignoreChanges: ['a[']}", "bad-format"),
        ("{renamedFrom: [A_b]}", "bad-pattern"),
        ("{preventDestory: true}", "unknown-field"),
        ("{adopt: '{{ ref(\"toy/Service/b\").id }}'}", "not-known-yet"),
    ],
)
def test_a_lifecycle_is_judged_too(refuse_toy: Refuse, head: Head, lifecycle: str, code: str) -> None:
    assert [p.code for p in refuse_toy(head("a", f"lifecycle: {lifecycle}\nspec: {{}}"))] == [code]


def test_a_whole_lifecycle_arrives(compile_toy: Compile, head: Head) -> None:
    text = head(
        "a",
        "lifecycle: {preventDestroy: true, replace: create-first, ignoreChanges: ['spec.config[*].weight'], "
        "renamedFrom: [b], adopt: 10eb0091-887f-4839-9929-cbc884f1e20e, onRemove: retain, "
        "wait: {for: http, path: /h, timeout: 1h30m}, runState: stopped, secretsRevision: 2}\nspec: {}",
    )
    lifecycle = compile_toy(text).resources[0].lifecycle
    assert str(lifecycle.ignore_changes[0]) == "config[*].weight"
    assert (lifecycle.wait.target, lifecycle.wait.timeout_s, lifecycle.wait.path) == (WaitFor.HTTP, 5400.0, "/h")
    assert (lifecycle.run_state, lifecycle.secrets_revision, lifecycle.on_remove) == ("stopped", 2, "retain")


def test_a_description_leaves_room_for_the_marker(refuse_toy: Refuse, compile_toy: Compile, head: Head) -> None:
    fits = "a" * (100 - MARKER_ROOM)
    assert compile_toy(head("a", f"spec: {{description: {fits}}}")).resources
    problems = refuse_toy(head("a", f"spec: {{description: {fits}a}}"))
    assert [p.code for p in problems] == ["too-long"]
    assert "marker" in problems[0].wrong


@pytest.mark.parametrize(
    ("metadata", "kind", "code"),
    [
        ("{name: A_b}", "Service", "bad-pattern"),
        ("{name: abcdefghijklmnopqrstuvwxyz}", "Service", "bad-name"),
        ("{name: a, liveName: 'a b'}", "Service", "bad-name"),
        ("{name: a, liveName: x}", "Box", "not-allowed-here"),
        ("{name: a, provider: toi}", "Service", "unknown-provider"),
        ("{name: a, labels: {a: 1}}", "Service", "wrong-type"),
        ("{name: a, labls: {}}", "Service", "unknown-field"),
        ("{name: a, dependsOn: [b]}", "Service", "bad-pattern"),
        ("{name: a, dependsOn: [toy/Box/b]}", "Service", "unknown-address"),
        ("{nam: a}", "Service", "unknown-field"),
        ("{}", "Service", "missing-field"),
        ("[a]", "Service", "wrong-type"),
    ],
)
def test_metadata_is_judged(refuse_toy: Refuse, metadata: str, kind: str, code: str) -> None:
    problems = refuse_toy(f"apiVersion: toy/v1\nkind: {kind}\nmetadata: {metadata}\nspec: {{}}\n")
    assert [p.code for p in problems] == [code]


@pytest.mark.parametrize(
    ("text", "code", "near"),
    [
        ("apiVersion: toy/v2\nkind: Service\n", "unknown-api-version", "toy/v1"),
        ("apiVersion: toy/v1\nkind: Servce\n", "unknown-kind", "Service"),
        ("apiVersion: reconciler/v1\nkind: Polcy\n", "unknown-kind", "Policy"),
        ("apiVersion: reconciler/v1\nkind: Project\n", "unknown-kind", ""),
        ("kind: Service\n", "missing-field", ""),
        ("apiVersion: 1\nkind: Service\n", "wrong-type", ""),
        ("hello\n", "wrong-type", ""),
        ("apiVersion: toy/v1\nkind: Service\nmetadata: {name: a}\nspce: {}\n", "unknown-field", "spec"),
        ("apiVersion: toy/v1\nkind: Service\nmetadata: {name: a}\nspec: x\n", "wrong-type", ""),
    ],
)
def test_a_document_of_no_known_shape_is_refused(refuse_toy: Refuse, text: str, code: str, near: str) -> None:
    assert [(p.code, p.nearest) for p in refuse_toy(text)] == [(code, near)]


def test_the_provider_must_be_named_when_several_fit(refuse_toy: Refuse, head: Head) -> None:
    problems = refuse_toy(head("a", "spec: {}"), project="    second: {type: toy, endpoint: emulator}\n")
    assert [p.code for p in problems] == ["provider-needed"]
    assert "toy, second" in problems[0].expected


def test_pending_text_fits_any_text_field_and_nothing_else(
    compile_toy: Compile, refuse_toy: Refuse, head: Head
) -> None:
    box = "---\napiVersion: toy/v1\nkind: Box\nmetadata: {name: b}\nspec: {}\n"
    box_id, key = "'{{ ref(\"toy/Box/b\").id }}'", "'{{ secret(\"API_KEY\") }}'"
    fine = f"spec: {{vm: {box_id}, since: {key}, mode: {box_id}, password: {key}}}"
    assert compile_toy(head("a", fine) + box).resources
    problems = refuse_toy(head("a", f"spec: {{replicas: {box_id}, debug: {key}}}") + box)
    assert [p.code for p in problems] == ["wrong-type", "wrong-type"]


def test_several_mistakes_are_told_in_file_order(refuse_toy: Refuse, head: Head) -> None:
    problems = refuse_toy(head("b", "spec: {replicas: x, debug: x}") + "---\n" + head("a", "spec: {ratio: x, nope: 1}"))
    places = [(p.origin.line, p.origin.column) for p in problems if p.origin]
    assert len(places) == 4
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("first", "second", "place"),
    [
        ("metadata: {name: a, liveName: X}", "metadata: {name: b, liveName: X}", "8:31"),
        ("metadata: {name: a}", "metadata: {name: b, liveName: a}", "8:31"),
        (
            "metadata: {name: a}\nlifecycle: {renamedFrom: [old]}",
            "metadata: {name: b}\nlifecycle: {renamedFrom: [old]}",
            "10:13",
        ),
    ],
)
def test_one_live_thing_is_not_two_resources(refuse_toy: Refuse, first: str, second: str, place: str) -> None:
    head = "apiVersion: toy/v1\nkind: Service\n"
    (problem,) = refuse_toy(f"{head}{first}\nspec: {{}}\n---\n{head}{second}\nspec: {{}}\n")
    assert (problem.code, str(problem.origin).partition(":")[2]) == ("duplicate-address", place)
    assert len(problem.related) == 1


def test_ignored_changes_name_fields_that_exist(refuse_toy: Refuse, compile_toy: Compile) -> None:
    text = "apiVersion: toy/v1\nkind: Service\nmetadata: {name: a}\nlifecycle: {ignoreChanges: [spec.%s]}\nspec: {}\n"
    (problem,) = refuse_toy(text % "replcas")
    assert (problem.code, problem.nearest) == ("unknown-field", "replicas")
    assert compile_toy(text % "replicas").resources[0].lifecycle.ignore_changes


@pytest.mark.parametrize(
    ("lifecycle", "code"),
    [
        ("{expires: 2027-02-30}", "bad-format"),
        ("{expires: next week}", "bad-format"),
        ("{expires: 20270331}", "wrong-type"),
        ("{expires: 2027-03-31, preventDestroy: true}", "not-allowed-here"),
    ],
)
def test_an_expiry_is_a_date_of_something_that_may_be_deleted(
    lifecycle: str, code: str, refuse_toy: Refuse, head: Head
) -> None:
    problems = refuse_toy(head("a", f"lifecycle: {lifecycle}\nspec: {{}}"))
    assert [problem.code for problem in problems] == [code]


def test_an_expiry_may_come_from_a_template(compile_toy: Compile, head: Head) -> None:
    text = head("a", 'lifecycle: {expires: "{{ values.until }}"}\nspec: {}')
    spec = compile_toy(text, project="  values: {until: 2027-03-31}\n")
    assert spec.resources[0].lifecycle.expires == "2027-03-31"
