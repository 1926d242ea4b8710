"""Whose turn it is: the order of the plan, as far as needs and room allow."""

from __future__ import annotations

from reconciler.apply.turns import Lane, Turns
from reconciler.diff.change import Action
from reconciler.plan.order import Step


def step(name: str, *after: str) -> Step:
    return Step(id=name, address=f"p/K/{name}", op=Action.CREATE, after=after)


def lane(one: Step) -> Lane:
    return Lane("p", serial=one.id.startswith("s"))


def test_the_first_whose_needs_are_met_and_whose_lane_has_room_begins() -> None:
    a, s1, s2, b = step("a", "s1"), step("s1"), step("s2"), step("b")
    turns = Turns([a, s1, s2, b], lane)
    assert turns.take(lambda _lane: True) == s1  # `a` waits for it
    assert turns.take(lambda found: not found.serial) == b  # past `s2`, whose lane is full
    assert turns.take(lambda found: not found.serial) is None
    assert turns.ended(s1) == [a]
    assert [turns.take(lambda _lane: True) for _ in range(3)] == [a, s2, None]


def test_what_was_dropped_never_begins_and_what_needs_nobody_knows_waits() -> None:
    a, b, c, lost = step("a"), step("b", "a"), step("c", "b"), step("lost", "nowhere")
    turns = Turns([a, b, c, lost], lane)
    assert turns.take(lambda _lane: True) == a
    assert turns.ended(a) == [b]
    turns.drop(b)
    assert turns.ended(b) == [c]
    turns.drop(c)
    assert turns.take(lambda _lane: True) is None
    assert list(turns) == [lost]
