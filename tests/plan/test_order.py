"""In which order: creates along dependencies, deletes against them, replaces both ways, names freed first."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest

from reconciler.diff.change import Action, Change
from reconciler.fields import Kind, ReplaceOrder
from reconciler.plan.order import dependencies_first, order
from reconciler.problems import SpecError
from tests.diff.toys import BOX, ENGINE, address_of, entry, live, resource

FIRST, LATER = ReplaceOrder.CREATE_FIRST, ReplaceOrder.DELETE_FIRST


def change(
    name: str,
    action: Action,
    needs: str = "",
    needed: str | None = None,
    *,
    kind: Kind = ENGINE,
    **more: Any,
) -> Change:
    """A change of one letter; `needs`: the letters that it needs now, `needed`: those at the last apply (the same)."""
    before = tuple(address_of(letter, kind) for letter in (needs if needed is None else needed))
    gone = action is Action.DELETE
    wanted = resource(name, kind=kind, needs=[address_of(letter, kind) for letter in needs], **more.pop("desired", {}))
    facts = {
        "live": None if action is Action.CREATE else live(f"L-{name}", name=name, kind=kind),
        "applied": None if action is Action.CREATE else entry(name, f"L-{name}", kind=kind, edges=before),
        "desired": None if gone else wanted,
    }
    return Change(address=address_of(name, kind), kind=kind, action=action, reason="", **{**facts, **more})


def steps(*changes: Change) -> list[str]:
    """Step names in order, `a+` made, `a-` deleted; every edge is kept, and shuffling changes nothing."""
    ordered = order(changes)
    for _ in range(20):
        assert order(random.sample(changes, len(changes))) == ordered
    place = {step.id: index for index, step in enumerate(ordered)}
    for step in ordered:
        assert all(place[other] < place[step.id] for other in step.after)
    return [f"{step.address.rpartition('/')[2]}{'-' if step.op is Action.DELETE else '+'}" for step in ordered]


C, U, R, D, N = Action.CREATE, Action.UPDATE, Action.REPLACE, Action.DELETE, Action.NONE


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param([change("a", C, "b"), change("b", C, "c"), change("c", C)], "c+ b+ a+", id="what is needed first"),
        pytest.param([change("b", U), change("a", C, "b"), change("c", C)], "b+ a+ c+", id="ties fall by address"),
        pytest.param([change("a", D), change("z", C)], "z+ a-", id="deletes come last"),
        pytest.param(
            [change("a", D), change("b", D, needed="a"), change("c", D, needed="b")],
            "c- b- a-",
            id="backwards along the last applied edges",
        ),
        pytest.param([change("a", D), change("b", U, "", needed="a")], "b+ a-", id="who stays lets go first"),
        pytest.param(
            [change("a", R, replace_order=FIRST), change("b", U, "a")], "a+ b+ a-", id="create-first moves dependants"
        ),
        pytest.param(
            [change("a", R, replace_order=FIRST), change("b", R, "a", replace_order=FIRST)],
            "a+ b+ b- a-",
            id="create-first twice: the old ones go backwards",
        ),
        pytest.param(
            [change("a", R, replace_order=LATER), change("b", U, "a")], "a- a+ b+", id="delete-first, then dependants"
        ),
        pytest.param(
            [change("a", R, replace_order=LATER), change("b", R, "a", replace_order=LATER)],
            "b- a- a+ b+",
            id="delete-first twice: down backwards, up forwards",
        ),
        pytest.param(
            [change("a", R, replace_order=LATER), change("b", R, "a", replace_order=FIRST)],
            "a- a+ b+ b-",
            id="delete-first under create-first",
        ),
        pytest.param(
            [change("a", R, replace_order=FIRST), change("b", R, "a", replace_order=LATER)],
            "a+ b- b+ a-",
            id="create-first under delete-first",
        ),
        pytest.param(
            [change("a", D), change("b", R, "", needed="a", replace_order=FIRST)],
            "b+ b- a-",
            id="the old half of a dependant goes before what it needed",
        ),
        pytest.param(
            [change("a", R, replace_order=LATER), change("b", D, needed="a")], "b- a- a+", id="dependant goes"
        ),
        pytest.param(
            [change("a", C), change("m", N, "a"), change("b", C, "m")], "a+ b+", id="through one that has nothing to do"
        ),
        pytest.param(
            [change("a", D), change("m", N, needed="a", desired={}), change("b", D, needed="m")],
            "b- a-",
            id="backwards through one that has nothing to do",
        ),
        pytest.param(
            [change("a", D, needed="b"), change("b", D, needed="a")], "a- b-", id="a circle of old edges is opened"
        ),
    ],
)
def test_order(changes: Sequence[Change], expected: str) -> None:
    assert " ".join(steps(*changes)) == expected


def test_name_is_freed_before_it_is_taken() -> None:
    taker = change("z", C, desired={"live_name": "a"})
    assert steps(change("a", D), taker, change("b", C)) == ["a-", "b+", "z+"]


def test_freed_name_makes_no_circle_with_those_who_move_over() -> None:
    """`gateway` moves from the old one to the new one of the same name: the old one can't wait for that."""
    moved = steps(change("a", D), change("z", C, desired={"live_name": "a"}), change("g", U, "z", needed="a"))
    assert moved == ["a-", "z+", "g+"]


def test_leftover_is_deleted_after_dependants_moved() -> None:
    left = change("a", R, replace_order=FIRST, leftover=live("L-old"))
    assert steps(left, change("b", U, "a")) == ["b+", "a-"]


def test_kind_without_names_frees_none() -> None:
    ordered = order([change("a", D, kind=BOX), change("z", C, kind=BOX, desired={"live_name": "a"})])
    assert [step.after for step in ordered] == [(), ()]


def test_blocked_and_unknown_have_no_step() -> None:
    assert order([change("a", Action.BLOCKED), change("b", Action.UNKNOWN), change("c", N)]) == ()


def test_circle_names_its_members_their_places_and_nobody_else() -> None:
    members = [
        resource("a", needs=[address_of("b")]),
        resource("b", needs=[address_of("c")]),
        resource("c", needs=[address_of("a")]),
        resource("d", needs=[address_of("a")]),
        resource("e"),
    ]
    texts = set()
    for _ in range(30):
        with pytest.raises(SpecError) as caught:
            dependencies_first(random.sample(members, len(members)))
        texts.add(str(caught.value))
        (problem,) = caught.value.problems
        assert [str(place) for place in problem.related] == ["a.yaml:7:3", "b.yaml:7:3", "c.yaml:7:3"]
    (text,) = texts
    assert "p/Engine/a -> p/Engine/b -> p/Engine/c -> p/Engine/a" in text
    assert "p/Engine/d" not in text


def test_resource_that_needs_itself_is_a_circle() -> None:
    with pytest.raises(SpecError, match="p/Engine/a -> p/Engine/a"):
        dependencies_first([resource("a", needs=[address_of("a")])])
