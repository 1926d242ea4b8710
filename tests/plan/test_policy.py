"""Policies: a project's own rules over resources, changes and the plan. Source: DESIGN §5, issue 6.

`policy("assert …")` reads a document as the compiler does; the toys' `model` can't change in place.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from reconciler.diff.change import Action
from reconciler.plan.plan import Options, Plan
from reconciler.problems import Origin, Problem, Problems
from reconciler.spec import SecretRef
from reconciler.spec.document import SourceFile
from reconciler.spec.load import load_all
from reconciler.spec.policy import Policy, read_policies
from reconciler.spec.resource import Project, Spec
from tests.conftest import Project as Folder
from tests.diff.toys import BOX, ENGINE, address_of, entry, listed, live, resource, token
from tests.plan.conftest import Planner


def read(text: str) -> tuple[tuple[Policy, ...], tuple[Problem, ...]]:
    problems = Problems()
    roots = load_all([SourceFile("rules.yaml", text.encode())], problems)
    return read_policies(roots, [ENGINE, BOX], problems), problems.items


def policy(assertion: str, *, name: str = "rule", level: str = "deny", match: dict[str, Any] | None = None) -> Policy:
    spec = {"assert": assertion, "level": level, **({"match": match} if match else {})}
    document = {"apiVersion": "reconciler/v1", "kind": "Policy", "metadata": {"name": name}, "spec": spec}
    (found,), problems = read(json.dumps(document))
    assert not problems
    return found


def planned(plan: Planner, *policies: Policy, options: Options | None = None, **given: Any) -> Plan:
    """Three toys: `new` is created, `grow` updated in place, `swap` replaced; `same` stays, `old` is deleted."""
    specs: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "grow": ({"size": 1}, {"size": 4}),
        "swap": ({"model": "m"}, {"model": "n"}),
        "same": ({"size": 1}, {"size": 1}),
    }
    wanted = [resource(name, after) for name, (_before, after) in specs.items()]
    wanted += [resource("new", {"model": "m", "env": [{"name": "T", "value": SecretRef("TOKEN")}]}, labels={"t": "a"})]
    was: dict[str, dict[str, Any]] = {name: before for name, (before, _after) in specs.items()} | {
        "old": {"model": "m"}
    }
    project = Project(
        name="shop", environment="prod", environments=("prod",), providers={}, secrets=frozenset({"TOKEN"}),
        values={"budget": 0.3, "teams": ["a"]}, origin=Origin("reconciler.yaml"),
    )  # fmt: skip
    return plan(
        wanted,
        entries=[entry(name, f"L{name}", spec, labels={"t": "b"}) for name, spec in was.items()],
        lists=[listed(*(live(f"L{name}", spec, marker=token(name)) for name, spec in was.items()))],
        spec=Spec(project=project, resources=tuple(wanted), policies=policies),
        options=options,
        **given,
    )


def blocked(found: Plan) -> dict[str, str]:
    return {
        change.address.rpartition("/")[2]: change.reason for change in found.changes if change.action is Action.BLOCKED
    }


WRITING = {"grow", "swap", "new", "old"}


@pytest.mark.parametrize(
    ("assertion", "match", "denied"),
    [
        ("change.action != 'replace'", None, {"swap"}),
        ("false", {"action": ["delete", "create"]}, {"old", "new"}),
        ("false", {"labels": {"t": "b"}}, {"old"}),
        ("false", {"labels": {"t": "a"}, "action": ["create"]}, {"new"}),
        ("false", {"kind": ["toy/Box"]}, set()),
        ("resource.labels.t in values.teams", {"action": ["create", "delete"]}, {"old"}),
        ("change.interruption in ['none', 'rolling']", {"action": ["update"]}, {"grow"}),
        ("not change.fields | selectattr('forces_replace') | list", None, {"swap"}),
        ("change.cost.after.high <= 0.1", {"action": ["create", "replace"]}, {"swap"}),
        ("live.spec.size == 1", {"action": ["update"]}, set()),
        ("resource.spec.env[0].value == 'the secret'", {"action": ["create"]}, {"new"}),
        ("environment == 'prod' and resource.kind == 'toy/Engine'", None, set()),
        ("plan.counts.delete == 0", None, WRITING),
        ("plan.cost.eur.after.high <= values.budget", None, WRITING),
        ("plan.cost.eur.after.high <= 0.35 and plan.cost.eur.before.low == 0.2", None, set()),
        ("plan.counts.replace + plan.counts.create == 2 and plan.owner == 'shop/prod'", None, set()),
    ],
)
def test_a_deny_blocks_what_it_speaks_of_and_nothing_else(
    plan: Planner, assertion: str, match: dict[str, Any] | None, denied: set[str]
) -> None:
    found = blocked(planned(plan, policy(assertion, match=match)))
    assert found == dict.fromkeys(denied, "policy-denied")


def test_a_refusal_has_the_numbers_the_place_and_the_option_that_allows_it(plan: Planner) -> None:
    rule = policy("plan.cost.eur.after.high <= values.budget", name="budget")
    found = planned(plan, rule)
    message = next(change.message for change in found.changes if change.action is Action.BLOCKED)
    assert "plan.cost.eur.after.high is 0.35, values.budget is 0.3" in message
    assert "(rules.yaml:1:" in message
    assert "--allow-policy budget" in message
    allowed = planned(plan, rule, options=Options(allowed_policies=frozenset({"budget"})))
    assert blocked(allowed) == {}
    assert [(problem.code, problem.warning) for problem in allowed.warnings] == [("policy-warning", True)]


def test_a_warning_is_said_and_stops_nothing(plan: Planner) -> None:
    found = planned(plan, policy("change.action != 'replace'", level="warn"))
    assert blocked(found) == {}
    assert [problem.address for problem in found.warnings] == [address_of("swap")]


@pytest.mark.parametrize(
    "assertion",
    [
        "resource.spec.nope > 3",
        "change.cost.after.high < 'x'",
        "1",
        "plan.cost.usd.after.high < 3",
        "range(99999999) | list",
        "resource.__class__",
    ],
)
def test_a_rule_that_cannot_be_judged_does_not_fall_silent(plan: Planner, assertion: str) -> None:
    found = planned(plan, policy(assertion))
    assert blocked(found)
    assert set(blocked(found).values()) == {"policy-failed"}


def test_a_live_value_may_have_been_a_secret_and_is_never_told(plan: Planner) -> None:
    found = planned(plan, policy("live.spec.size == 'x' and resource.spec.size == 3", match={"action": ["update"]}))
    message = next(change.message for change in found.changes if change.action is Action.BLOCKED)
    assert "resource.spec.size is 4" in message
    assert "live.spec.size is" not in message


def test_a_rule_about_the_plan_is_said_where_nothing_is_left_to_deny(plan: Planner) -> None:
    project = Project(
        name="shop", environment="", environments=(), providers={}, secrets=frozenset(), values={}
    )  # fmt: skip
    found = plan([], spec=Spec(project=project, resources=(), policies=(policy("plan.counts.none > 9"),)))
    assert [problem.code for problem in found.warnings] == ["policy-warning"]


HEAD = "apiVersion: reconciler/v1\nkind: Policy\nmetadata: {name: a}\nspec: "


@pytest.mark.parametrize(
    ("text", "code", "place", "near"),
    [
        (HEAD + '{assert: "true", levl: warn}', "unknown-field", "rules.yaml:4:24", "level"),
        (HEAD + '{assert: "true", level: wran}', "not-allowed", "rules.yaml:4:31", "warn"),
        (HEAD + "{level: warn}", "missing-field", "rules.yaml:4:1", ""),
        (HEAD + '{assert: "true", match: {kind: [toy/Enginee]}}', "unknown-kind", "rules.yaml:4:39", "toy/Engine"),
        (HEAD + '{assert: "true", match: {action: [remove]}}', "not-allowed", "rules.yaml:4:41", ""),
        (HEAD + '{assert: "chnage.action == 1"}', "undefined-name", "rules.yaml:4:16", "change"),
        (HEAD + '{assert: "change.action =="}', "template-syntax", "rules.yaml:4:16", ""),
        (HEAD + '{assert: "a }} {{ b"}', "template-syntax", "rules.yaml:4:16", ""),
        (HEAD + '{assert: "change.action | uper"}', "template-forbidden", "rules.yaml:4:16", "upper"),
        (HEAD + "{assert: true}", "wrong-type", "rules.yaml:4:16", ""),
        (f'{HEAD}{{assert: "true"}}\n---\n{HEAD}{{assert: "true"}}', "duplicate-item", "rules.yaml:8:18", ""),
    ],
)
def test_a_bad_policy_is_told_where_it_stands(text: str, code: str, place: str, near: str) -> None:
    _found, problems = read(text)
    assert [(problem.code, str(problem.origin), problem.nearest) for problem in problems] == [(code, place, near)]


def test_policies_hold_on_the_command_line_also_for_a_stream(project: Folder) -> None:
    project.write(
        "reconciler.yaml",
        """\
        apiVersion: reconciler/v1
        kind: Project
        metadata: {name: shop}
        spec: {providers: {theta: {type: theta, endpoint: emulator}}, values: {most: 1}}
        """,
    )
    box = "apiVersion: theta/v1\nkind: Deployment\nmetadata: {name: chat}\n"
    box += "spec: {template: Text Embeddings, vm_id: vm_c1"
    project.write("resources/chat.yaml", box + ", min_replicas: 2}\n")
    project.write(
        "resources/rules.yaml",
        """\
        apiVersion: reconciler/v1
        kind: Policy
        metadata: {name: small}
        spec: {assert: resource.spec.min_replicas <= values.most, message: Ask the platform team.}
        """,
    )
    stream = project.write("more.yaml", box.replace("chat", "other") + ", min_replicas: 3}\n")
    for args in ((), ("-f", str(stream))):
        done = project.run("apply", "--yes", *args)
        assert done.returncode == 4, done.stderr
        assert "policy small: Ask the platform team; it asserts" in done.stdout + done.stderr
        assert "values.most is 1" in done.stdout + done.stderr
    assert project.plan()["changes"][0]["reason"] == "policy-denied"
    wrong = project.run("plan", "--allow-policy", "smal")
    assert (wrong.returncode, "did you mean 'small'" in wrong.stderr) == (1, True)
    done = project.run("apply", "--yes", "--allow-policy", "small")
    assert done.returncode == 0, done.stderr
    assert "warning: resources/rules.yaml:4:16: theta/Deployment/chat: policy small" in done.stdout + done.stderr
    assert project.run("plan", "--detailed-exitcode").returncode == 0
