"""The machine form: keys by schema, nothing secret in it, the same bytes for the same plan."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from reconciler.diff.change import Action
from reconciler.diff.live import Applied
from reconciler.fields import ReplaceOrder
from reconciler.plan.outcome import Outcome, Report, State
from reconciler.problems import Origin, Problem
from reconciler.render import machine, markdown, text
from reconciler.render.problems import problems_json
from reconciler.render.rows import ListRow

SCHEMAS: Final = Path(__file__).parents[2] / "schemas"
STORE: Final[Registry[Any]] = Registry().with_resources(
    (file.name, Resource.from_contents(json.loads(file.read_text("utf-8"))))
    for file in SCHEMAS.glob("reconciler-*.json")
)
REPORT: Final = Report(
    owner="shop/prod",
    run="r1",
    digest="0" * 64,
    seconds=3.25,
    settled=("create of toy/Engine/old had landed as id-old",),
    notes=("toy/Engine/chat: the provider did not keep replicas",),
    outcomes=(
        Outcome(step="a", address="toy/Engine/a", op=Action.CREATE, state=State.DONE, live_id="id-a", seconds=2.0),
        Outcome(
            step="b", address="toy/Engine/b", op=Action.UPDATE, state=State.FAILED, message="nothing was sent: 409"
        ),
        Outcome(step="c", address="toy/Engine/c", op=Action.CREATE, state=State.SKIPPED, cause="toy/Engine/b#update"),
        Outcome(step="d", address="toy/Engine/d", op=Action.CREATE, state=State.UNKNOWN, message="it may exist"),
    ),
)
PROBLEM: Final = Problem(
    code="unknown-field", wrong="unknown field 'x'", expected="a field", origin=Origin("a.yaml", 3, 7), nearest="y",
    address="toy/Engine/chat", related=(Origin("b.yaml", 1, 1),),
)  # fmt: skip


def check(data: Any, schema: str) -> None:
    Draft202012Validator({"$ref": schema}, registry=STORE).validate(json.loads(machine.dump(data)))


@pytest.mark.parametrize("file", sorted(SCHEMAS.glob("reconciler-*-1.json")), ids=lambda file: file.name)
def test_output_schemas_are_schemas_named_like_their_file(file: Path) -> None:
    schema = json.loads(file.read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == file.name


def test_plan_fits_its_schema(situation: str, toy: SimpleNamespace) -> None:
    plan = toy.situations[situation]()
    check(machine.plan_json(plan), "reconciler-plan-1.json")
    check(machine.plan_file(plan, tool="reconciler 0"), "reconciler-plan-1.json")
    check(machine.plan_file(plan, tool="reconciler 0"), "reconciler-plan-file-1.json")


def test_sisters_fit_their_schemas() -> None:
    row = ListRow(provider="toy", kind="Engine", name="", id="1", status="UP", phase="ready", owner="unmanaged")
    check(machine.report_json(REPORT), "reconciler-report-1.json")
    check(machine.list_json([row], [PROBLEM]), "reconciler-list-1.json")
    check(problems_json([PROBLEM]), "reconciler-problems-1.json")
    check(machine.outputs_json("shop/prod", {"toy/Engine/a": {"id": "1"}}), "reconciler-outputs-1.json")


def test_changes_hold_all_but_those_that_do_nothing(toy: SimpleNamespace) -> None:
    data = machine.plan_json(toy.situations["every-action-dangerous-ones-first"]())
    assert set(data["summary"]) == {str(action) for action in Action}
    assert [change["address"] for change in data["changes"]] == sorted(
        toy.address(name) for name in ["adopted", "blocked", "created", "deleted", "replaced", "unread", "updated"]
    )
    assert [remark["address"] for remark in data["remarks"]] == [toy.address("retained")]
    assert data["summary"]["none"] == 2


def test_no_secret_in_any_output(situation: str, toy: SimpleNamespace) -> None:
    plan = toy.situations[situation]()
    data = machine.plan_json(plan)
    shown = [
        machine.dump(data),
        machine.dump(machine.plan_file(plan, tool="reconciler 0")),
        text.plan_text(data, text.Style(verbose=True)),
        markdown.plan_markdown(data, "shop"),
    ]
    assert toy.canary not in "".join(shown)
    assert "HF_TOKEN" not in "".join(map(str, data["steps"]))  # bodies of calls stay inside


def test_secret_and_unknown_values_are_null(toy: SimpleNamespace) -> None:
    secret = machine.plan_json(toy.situations["a-changed-secret-shows-no-value"]())["changes"][0]["fields"][0]
    assert [secret[key] for key in ("before", "after", "after_text", "sensitive")] == [None, None, None, True]
    chat, web = machine.plan_json(toy.situations["a-first-apply-shows-new-fields-in-brief"]())["changes"]
    assert [web["fields"][0][key] for key in ("after", "after_known")] == [None, False]
    assert chat["source"] == "resources/chat.yaml:1:1"
    assert chat["cost"]["after"] == {
        "hourly_min": "0.35", "hourly_max": "0.7", "monthly_min": "255.5", "monthly_max": "511"
    }  # fmt: skip


def test_saved_plan_holds_references_instead_of_secrets(toy: SimpleNamespace) -> None:
    saved = machine.plan_file(toy.situations["a-changed-secret-shows-no-value"](), tool="reconciler 0")
    assert saved["resources"][0]["spec"]["env"][0]["value"] == {"$secret": "HF_TOKEN"}


def test_order_names_the_step_that_makes_a_thing(toy: SimpleNamespace) -> None:
    first = toy.change("a", Action.REPLACE, "r", replace_order=ReplaceOrder.DELETE_FIRST)
    needed = toy.change("b", Action.CREATE, "r")
    first = dataclasses.replace(first, desired=toy.resource("a", needs=["b"]))
    gone = toy.change(
        "c", Action.DELETE, "r", applied=Applied(address=toy.address("c"), kind="toy/Engine", live_id="c")
    )
    data = machine.plan_json(toy.plan(first, needed, gone))
    assert data["order"] == [toy.address(name) for name in "bac"]
    assert [step["op"] for step in data["steps"]].count("delete") == 2


def test_same_plan_same_bytes_whatever_the_order_it_came_in(toy: SimpleNamespace) -> None:
    plan = toy.situations["every-action-dangerous-ones-first"]()
    again = toy.plan(*reversed(plan.changes), costs=dict(reversed(list(plan.costs.items()))), partial=plan.partial)
    for one, other in ((plan, again), (plan, toy.situations["every-action-dangerous-ones-first"]())):
        assert machine.dump(machine.plan_json(one)) == machine.dump(machine.plan_json(other))


@pytest.mark.parametrize(
    ("old", "new"), [("serve:2", "serve:3"), ('"created"', '"create"'), ("id-deleted", "id-updated"), ("r7", "r8")]
)
def test_altered_plan_is_noticed(old: str, new: str, toy: SimpleNamespace) -> None:
    plan = toy.situations["every-action-dangerous-ones-first"]()
    saved = machine.dump(machine.plan_file(plan, tool="reconciler 0"))
    assert machine.is_intact(json.loads(saved))
    assert not machine.is_intact(json.loads(saved.replace(old, new, 1))) or old not in saved


def test_masked_plan_is_still_intact(toy: SimpleNamespace) -> None:
    saved = machine.plan_file(toy.situations["every-action-dangerous-ones-first"](), tool="reconciler 0")
    masked = machine.with_texts(saved, lambda shown: shown.replace("GET /engines", "(secret)"))
    assert "GET /engines" not in machine.dump(masked)
    assert machine.is_intact(json.loads(machine.dump(masked)))


def test_problem_says_where_for_people_and_for_annotations() -> None:
    (told,) = problems_json([PROBLEM])["problems"]
    assert told["origin"] == "a.yaml:3:7"
    assert (told["file"], told["line"], told["column"]) == ("a.yaml", 3, 7)
    assert told["message"] == "unknown field 'x' (expected a field); did you mean 'y'?"
