"""From files to resources: values, forEach, patches, defaults, references. Cases C06-C10, C12."""

from __future__ import annotations

import gc
from collections.abc import Callable

import pytest

from reconciler.problems import Problem, SpecError
from reconciler.spec import Composite, KnownAfterApply, SecretRef, Spec

Compile = Callable[..., Spec]
Refuse = Callable[..., list[Problem]]
Head = Callable[[str, str], str]

ENVIRONMENTS = """\
  values: {replicas: 1, note: "", teams: [ann, bob, cyd]}
  defaultEnvironment: dev
  environments: {dev: , prod: {values: {replicas: 2}}}
  defaults:
    toy/Service: {spec: {ratio: 0.5, text: '{{ metadata.name }}', env: {A: a, B: b}}, lifecycle: {onRemove: retain}}
"""
BOX = "apiVersion: toy/v1\nkind: Box\nmetadata: {name: %s}\nspec: {url: %s}\n---\n"


def codes(problems: list[Problem]) -> list[str]:
    return [problem.code for problem in problems]


def test_an_empty_project_is_an_empty_spec(compile_toy: Compile) -> None:
    assert compile_toy("").resources == ()


def test_later_values_win_and_maps_merge(compile_toy: Compile, head: Head) -> None:
    text = head("a", "spec: {any: '{{ values }}'}")
    project = "  values: {a: 1, m: {x: 1, y: 1}}\n  environments: {prod: {values: {m: {y: 2}}}}\n"
    files = {"values/prod.yaml": "m: {z: 3}\n", "more.yaml": "m: {z: 4}\nl: [1, 2]\n"}
    sets = ("m.new.deep=NO", "l[1]=1e3", "quoted='3'", "zip=007")
    spec = compile_toy(text, project=project, environment="prod", values=files, sets=sets)
    merged = {"x": 1, "y": 2, "z": 4, "new": {"deep": "NO"}}
    assert spec.resources[0].spec["any"] == {"a": 1, "m": merged, "l": [1, 1000], "quoted": "3", "zip": "007"}


@pytest.mark.parametrize("text", ["a", "=b", "l[9]=1", "l.x=1", "n.x=1", "a[=1"])
def test_a_set_that_leads_nowhere_is_refused(refuse_toy: Refuse, text: str) -> None:
    problems = refuse_toy("", project="  values: {l: [1], n: 3}\n", sets=(text,))
    assert codes(problems) == ["bad-set"]


@pytest.mark.parametrize(
    "note",
    [
        "v1\nlifecycle:\n  preventDestroy: false",
        ": ",
        "#",
        "- ",
        "{",
        "*a",
        "!tag",
        "`",
        '"',
        "'",
        "{{ x }}",
        "%",
        "&a",
    ],
)
def test_a_value_from_set_is_one_text_whatever_it_holds(compile_toy: Compile, head: Head, note: str) -> None:
    text = head("a", 'lifecycle: {preventDestroy: true}\nspec: {text: "{{ values.note }}"}')
    resource = compile_toy(text, sets=(f"note={note}",)).resources[0]
    assert resource.spec == {"text": note}
    assert resource.lifecycle.prevent_destroy


def test_each_item_makes_a_document_named_by_it(compile_toy: Compile) -> None:
    text = (
        "apiVersion: toy/v1\nkind: Service\nmetadata: {name: 'nb-{{ item }}'}\n"
        "forEach: '{{ values.teams }}'\nspec: {text: '{{ item }}'}\n"
    )
    first = compile_toy(text, project="  values: {teams: [ann, bob, cyd]}\n")
    assert [r.address for r in first.resources] == ["toy/Service/nb-ann", "toy/Service/nb-bob", "toy/Service/nb-cyd"]
    less = compile_toy(text, project="  values: {teams: [bob, cyd]}\n")
    turned = compile_toy(text, project="  values: {teams: [cyd, bob]}\n")
    assert less.digest == turned.digest != first.digest


def test_a_map_of_items_gives_key_and_value(compile_toy: Compile) -> None:
    text = (
        "apiVersion: toy/v1\nkind: Service\nmetadata: {name: 'nb-{{ item.key }}'}\n"
        "forEach: {ann: {n: 1}, bob: {n: 2}}\nspec: {replicas: '{{ item.value.n }}'}\n"
    )
    spec = compile_toy(text)
    assert [(r.ref.name, r.spec["replicas"]) for r in spec.resources] == [("nb-ann", 1), ("nb-bob", 2)]
    assert str(spec.resources[1].origin_of("spec", "replicas")) == "resources/a.yaml:4:33"


@pytest.mark.parametrize(
    ("for_each", "code"),
    [
        ("3", "wrong-type"),
        ("'{{ values.x }}'", "undefined-name"),
        ("[1, 2]", "same-name"),
        ("['{{ secret(\"API_KEY\") }}']", "not-known-yet"),
    ],
)
def test_a_for_each_that_cannot_be_expanded_is_refused(
    refuse_toy: Refuse, head: Head, for_each: str, code: str
) -> None:
    assert codes(refuse_toy(head("a", f"forEach: {for_each}\nspec: {{}}"), project="  values: {}\n")) == [code]


def test_two_files_that_claim_one_address_are_told_with_both_places(refuse_toy: Refuse, head: Head) -> None:
    other = head("mnist", "spec: {}").replace("{name: mnist}", "{name: mnist, provider: toy}")
    problems = refuse_toy({"specs/a.yaml": head("mnist", "spec: {}"), "specs/team/b.yaml": other})
    assert codes(problems) == ["duplicate-address"]
    assert "specs/a.yaml:3:18" in str(problems[0])
    assert str(problems[0].origin) == "specs/team/b.yaml:3:18"


def test_one_name_under_two_kinds_is_fine(compile_toy: Compile, head: Head) -> None:
    assert len(compile_toy(BOX % ("a", "x") + head("a", "spec: {}")).resources) == 2


def test_layers_lie_in_order_and_every_value_knows_where_it_was_written(compile_toy: Compile, head: Head) -> None:
    patch = (
        "kind: Service\nmetadata: {name: a, labels: {tier: '{{ environment }}'}}\n"
        "spec: {env: {B: ~, C: c}, debug: true}\n"
    )
    text = head("a", "spec:\n  replicas: '{{ values.replicas }}'\n  debug: false\n  env: {D: d}")
    resource = compile_toy(
        text, project=ENVIRONMENTS, environment="prod", patches={"patches/prod/a.yaml": patch}
    ).resources[0]
    assert resource.spec == {
        "replicas": 2,
        "debug": True,
        "ratio": 0.5,
        "text": "a",
        "env": {"A": "a", "B": "b", "C": "c", "D": "d"},
    }
    assert resource.labels == {"tier": "prod"}
    assert resource.lifecycle.on_remove == "retain"
    places = {
        str(path[-1]): str(origin) for path, origin in resource.origins.items() if path[0] in {"spec", "metadata"}
    }
    assert places["replicas"] == "reconciler.yaml:10:51"
    assert places["debug"] == "patches/prod/a.yaml:3:34"
    assert places["C"] == "patches/prod/a.yaml:3:23"
    assert places["ratio"] == "reconciler.yaml:12:33"
    assert places["D"] == "resources/a.yaml:7:12"
    assert [(layer.word, str(layer.origin), layer.value) for layer in resource.chains["spec", "debug"]] == [
        ("written", "resources/a.yaml:6:10", False),
        ("patch", "patches/prod/a.yaml:3:34", True),
    ]


def test_null_in_a_document_takes_a_default_away(compile_toy: Compile, head: Head) -> None:
    resource = compile_toy(head("a", "spec: {text: ~, env: {A: ~}}"), project=ENVIRONMENTS).resources[0]
    assert resource.spec == {"ratio": 0.5, "env": {"B": "b"}}


def test_a_problem_in_a_patched_or_set_value_points_to_where_it_was_written(refuse_toy: Refuse, head: Head) -> None:
    text = head("a", "spec: {debug: '{{ values.debug }}', replicas: 1}")
    patch = "kind: Service\nmetadata: {name: a}\nspec: {replicas: many}\n"
    problems = refuse_toy(text, patches={"patches/p.yaml": patch}, sets=("debug=maybe",))
    assert [str(problem.origin) for problem in problems] == ["--set debug", "patches/p.yaml:3:18"]


@pytest.mark.parametrize(
    ("patch", "code"),
    [
        ("kind: Service\nmetadata: {name: aa}\nspec: {}\n", "patch-matches-nothing"),
        ("kind: Box\nmetadata: {name: a}\nspec: {}\n", "patch-matches-nothing"),
        ("kind: Service\nmetadata: {name: a, provider: other}\n", "patch-matches-nothing"),
        ("kind: Service\nspec: {}\n", "missing-field"),
        ("kind: Service\nmetadata: {name: a}\nspc: {}\n", "unknown-field"),
        ("kind: Service\nmetadata: {name: a}\nspec: [1]\n", "wrong-type"),
        ("[1]\n", "wrong-type"),
    ],
)
def test_a_patch_that_fits_nothing_is_refused(refuse_toy: Refuse, head: Head, patch: str, code: str) -> None:
    assert codes(refuse_toy(head("a", "spec: {}"), patches={"patches/p.yaml": patch})) == [code]


def test_a_patch_that_fits_several_names_them(refuse_toy: Refuse, head: Head) -> None:
    project = "    second: {type: toy, endpoint: emulator}\n"
    text = "---\n".join(head("a", "spec: {}").replace("name: a", f"name: a, provider: {p}") for p in ("toy", "second"))
    problems = refuse_toy(text, project=project, patches={"p.yaml": "kind: Service\nmetadata: {name: a}\nspec: {}\n"})
    assert codes(problems) == ["patch-matches-several"]
    assert "second/Service/a" in problems[0].wrong


def test_defaults_of_a_kind_that_does_not_exist_are_refused(refuse_toy: Refuse) -> None:
    problems = refuse_toy("", project="  defaults: {toy/Servce: {spec: {}}}\n")
    assert [(problem.code, problem.nearest) for problem in problems] == [("unknown-kind", "toy/Service")]


def test_template_false_keeps_every_byte_of_the_document(compile_toy: Compile) -> None:
    body = "--chat-template '{% for m in messages %}{{ m.role }}:  {{m.content}}{% endfor %}'"
    text = f'apiVersion: toy/v1\nkind: Service\nmetadata: {{name: a, template: false}}\nspec: {{text: "{body}"}}\n'
    assert compile_toy(text).resources[0].spec == {"text": body}


def test_references_become_edges_with_their_places(compile_toy: Compile, head: Head) -> None:
    text = BOX % ("b", "x") + BOX % ("c", "x")
    service = head(
        "a", """spec: {text: 'http://{{ ref("toy/Box/b").endpoint }}/v1', password: '{{ secret("API_KEY") }}'}"""
    )
    spec = compile_toy(text + service.replace("{name: a}", "{name: a, dependsOn: [toy/Box/c, toy/Box/b]}"))
    resource = spec.get("toy/Service/a")
    assert resource is not None
    assert resource.spec["text"] == Composite(("http://", KnownAfterApply("toy/Box/b", "endpoint"), "/v1"))
    assert resource.spec["password"] == SecretRef("API_KEY")
    assert [(edge.address, edge.why) for edge in resource.edges] == [
        ("toy/Box/b", "dependsOn"),
        ("toy/Box/c", "dependsOn"),
    ]


def test_an_unknown_reference_is_told_with_the_nearest_address(refuse_toy: Refuse, head: Head) -> None:
    text = head("a", "spec: {text: '{{ ref(\"toy/Box/featurs\").id }}'}") + "---\n" + BOX % ("features", "x")
    problems = refuse_toy(text)
    assert [(problem.code, problem.nearest) for problem in problems] == [("unknown-address", "toy/Box/features")]


def test_a_cycle_names_its_members_in_walking_order_and_nobody_else(refuse_toy: Refuse, head: Head) -> None:
    needs = {"a": "b", "b": "c", "c": "a", "x": "a", "self": "self"}
    files = {
        f"{name}.yaml": head(name, f"spec: {{text: '{{{{ ref(\"toy/Service/{need}\").id }}}}'}}")
        for name, need in needs.items()
    }
    problems = refuse_toy(files)
    assert codes(problems) == ["dependency-cycle", "dependency-cycle"]
    walk = "toy/Service/a -> toy/Service/b -> toy/Service/c -> toy/Service/a"
    assert problems[0].wrong.startswith(walk + ":")
    assert [str(origin) for origin in problems[0].related] == ["a.yaml:4:14", "b.yaml:4:14", "c.yaml:4:14"]
    assert "toy/Service/self -> toy/Service/self" in problems[1].wrong
    assert "Service/x" not in "".join(map(str, problems))


def test_the_order_of_files_and_keys_changes_nothing(compile_toy: Compile, head: Head) -> None:
    one = head("a", "spec: {replicas: 1, debug: true}")
    two = BOX % ("b", "x")
    first = compile_toy({"1.yaml": one, "2.yaml": two})
    second = compile_toy({"9.yaml": two, "3.yaml": head("a", "spec:\n  debug: true\n  replicas: 1.0")})
    assert first.digest == second.digest
    assert [r.address for r in first.resources] == [r.address for r in second.resources]


def test_mistakes_in_provider_settings_and_in_resources_are_told_together(refuse_toy: Refuse, head: Head) -> None:
    whole = (
        "apiVersion: reconciler/v1\nkind: Project\nmetadata: {name: shop}\nspec:\n  secrets: [K]\n  providers:\n"
        '    toy: {type: toy, projectId: p, apiKey: \'{{ secret("K") }}\', clusterId: 1234, endpoint: "no uri"}\n'
    )
    text = head("a", "spec: {}\nlifecycle: {adopt: not-an-id, wait: {timeout: 20 minutes}}")
    problems = refuse_toy(text, whole=whole)
    assert sorted(codes(problems)) == ["bad-format", "bad-format", "bad-format", "bad-live-id"]
    assert all("such as" in problem.expected for problem in problems)


def test_compiling_opens_no_file(compile_toy: Compile, head: Head, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_kwargs: object) -> None:
        pytest.fail("the compiler opened a file")

    monkeypatch.setattr("builtins.open", refuse)
    monkeypatch.setattr("io.open", refuse)
    text = head("a", "spec: {text: 'x{{ values.n }}', any: \"{% include 'reconciler.yaml' %}\"}")
    with pytest.raises(SpecError, match="include can't be used"):
        compile_toy(text, project="  values: {n: 1}\n")
    assert compile_toy(text.partition(", any")[0] + "}\n", project="  values: {n: 1}\n").resources[0].spec == {
        "text": "x1"
    }


def test_no_document_leaves_garbage_that_only_the_collector_finds(
    compile_toy: Compile, head: Head, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is held off while a spec is compiled, and what is there at the end is put out of its sight."""
    monkeypatch.setattr(gc, "freeze", lambda: None)
    found = []
    for count in (1, 1, 100):
        files: dict[str, str | bytes] = {
            f"resources/{n}.yaml": head(f"a{n}", "spec: {any: [1, {A: '{{ values.x }}'}]}") for n in range(count)
        }
        gc.collect()
        gc.disable()
        try:
            assert len(compile_toy(files, project="  values: {x: 1}\n").resources) == count
            found.append(gc.collect())
        finally:
            gc.enable()
    assert found[2] < found[1] + 100


def test_too_many_documents_are_told_once_however_many_files_come_after(refuse_toy: Refuse, head: Head) -> None:
    plain = {f"resources/{n:04}.yaml": head(f"a{n}", "spec: {any: 1}") for n in range(250)}
    many = head("'b-{{ item }}'", "forEach: '{{ range(9000) | list }}'\nspec: {any: 1}")
    late = head("c", "spec: {any: '{{ nope }}'}")
    files = {**plain, "resources/0050x.yaml": many, "resources/0060x.yaml": many, "resources/0240x.yaml": many}
    files = dict(sorted({**files, "resources/0249x.yaml": late}.items()))
    problems = refuse_toy(files)
    assert codes(problems) == ["too-many-documents"]


def test_a_patch_of_nothing_at_all_matches_nothing(refuse_toy: Refuse) -> None:
    patch = "kind: Box\nmetadata: {name: a}\nspec: {url: x}\n"
    problems = refuse_toy(
        {}, project="  environments: {prod: }\n", environment="prod", patches={"patches/prod/a.yaml": patch}
    )
    assert codes(problems) == ["patch-matches-nothing"]
