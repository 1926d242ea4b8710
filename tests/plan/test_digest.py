"""What a reviewer saw is what may be applied: what moves a digest, and what must not."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from reconciler.diff.change import Action, Call, CallOp, Change, FieldChange, FieldClass
from reconciler.fields import FieldPath, Interruption, ReplaceOrder
from reconciler.plan.digest import change_digest, plan_digest
from reconciler.problems import Origin
from reconciler.spec.values import KnownAfterApply, SecretRef
from tests.diff.toys import ENGINE, live, resource

FIELD = FieldChange(path=FieldPath.parse("note"), before="a", after="b", field_class=FieldClass.PENDING)
SPEC = {"note": "b", "token": SecretRef("T"), "image": KnownAfterApply("p/Box/up", "endpoint")}
CHANGE = Change(
    address="p/Engine/a",
    kind=ENGINE,
    action=Action.UPDATE,
    reason="fields-differ",
    desired=resource("a", SPEC),
    live=live("L1"),
    fields=(FIELD,),
)
CALL = Call(op=CallOp.UPDATE, method="PUT", path="/x/L1", summary="PUT note")


def digest(change: Change = CHANGE, *calls: Call, **more: Any) -> str:
    return change_digest(dataclasses.replace(change, **more), calls or (CALL,))


def with_field(**more: Any) -> str:
    return digest(fields=(dataclasses.replace(FIELD, **more),))


MOVES = {
    "address": lambda: digest(address="p/Engine/b"),
    "action": lambda: digest(action=Action.REPLACE),
    "live id": lambda: digest(live=live("L2")),
    "before": lambda: with_field(before="c"),
    "after": lambda: with_field(after="c"),
    "removed": lambda: with_field(removed=True),
    "forces replace": lambda: with_field(forces_replace=True),
    "ref text": lambda: with_field(after_text="{{ ref(…) }}"),
    "spec": lambda: digest(desired=resource("a", {**SPEC, "note": "c"})),
    "secret's name": lambda: digest(desired=resource("a", {**SPEC, "token": SecretRef("U")})),
    "secret's revision": lambda: digest(desired=resource("a", SPEC, secrets_revision=1)),
    "unknown value's ref": lambda: digest(desired=resource("a", {**SPEC, "image": KnownAfterApply("p/Box/x", "id")})),
    "live name": lambda: digest(desired=resource("a", SPEC, live_name="other")),
    "lifecycle": lambda: digest(desired=resource("a", SPEC, prevent_destroy=True)),
    "run state": lambda: digest(run_state="stopped"),
    "order of a replace": lambda: digest(replace_order=ReplaceOrder.CREATE_FIRST),
    "leftover that is deleted": lambda: digest(leftover=live("L0")),
    "calls": lambda: digest(CHANGE, CALL, CALL),
}
STAYS = {
    "reason and message": lambda: digest(reason="other", message="other words"),
    "origin": lambda: with_field(origin=Origin("b.yaml", 9)),
    "class": lambda: with_field(field_class=FieldClass.BOTH),
    "notice and source": lambda: with_field(notice="n", source="§9", interruption=Interruption.RESTART),
    "place of the document": lambda: digest(desired=dataclasses.replace(resource("a", SPEC), origin=Origin("z", 5))),
    "order of keys": lambda: digest(desired=resource("a", dict(reversed(SPEC.items())))),
    "phase": lambda: digest(live=live("L1", status="Updating")),
}


@pytest.mark.parametrize("what", MOVES)
def test_digest_moves_with(what: str) -> None:
    assert MOVES[what]() != digest()


@pytest.mark.parametrize("what", STAYS)
def test_digest_does_not_move_with(what: str) -> None:
    assert STAYS[what]() == digest()


def test_server_that_shuffles_a_set_or_respells_a_number_moves_nothing() -> None:
    groups, size = FieldPath.parse("groups"), FieldPath.parse("size")
    assert with_field(path=groups, before=["a", "b"]) == with_field(path=groups, before=["b", "a"])
    assert with_field(path=size, before="1000m") == with_field(path=size, before=1)
    pools = FieldPath.parse("pools")
    assert with_field(path=pools, before=["a", "b"]) != with_field(path=pools, before=["b", "a"])


def test_plan_digest_is_over_the_set() -> None:
    assert plan_digest(["b", "a", "a"]) == plan_digest(["a", "b"]) != plan_digest(["a"])
    assert plan_digest([]) == plan_digest([])
