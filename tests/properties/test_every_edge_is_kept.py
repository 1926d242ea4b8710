"""Law: the order of steps is total, keeps every edge, and depends on nothing but the changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from reconciler.diff.change import Action, Change
from reconciler.fields import ReplaceOrder
from reconciler.plan.order import dependencies_first, order
from tests.diff.toys import ENGINE, address_of, entry, live, resource
from tests.properties.strategies import law

ACTIONS = st.sampled_from([Action.CREATE, Action.UPDATE, Action.REPLACE, Action.DELETE, Action.NONE, Action.BLOCKED])


@dataclass(frozen=True, slots=True)
class Sketch:
    """One change in short: its name, what it needs, what it needed, whose name it wants, the order of a replace."""

    name: str
    action: Action
    needs: tuple[str, ...]
    needed: tuple[str, ...]
    wants: str
    order: ReplaceOrder

    def change(self) -> Change:
        """The whole of it."""
        gone, new = self.action is Action.DELETE, self.action is Action.CREATE
        needs = map(address_of, self.needs)
        return Change(
            address=address_of(self.name),
            kind=ENGINE,
            action=self.action,
            reason="",
            desired=None if gone else resource(self.name, needs=needs, live_name=self.wants),
            live=None if new else live(self.name, name=self.name),
            applied=entry(self.name, self.name, edges=tuple(map(address_of, self.needed))),
            replace_order=self.order if self.action is Action.REPLACE else None,
        )


@st.composite
def plans(draw: st.DrawFn) -> list[Sketch]:
    """Changes whose present edges make no circle; those of the last apply may be any."""
    names = [f"r{index}" for index in range(draw(st.integers(1, 7)))]
    sketches: list[Sketch] = []
    for name in names:
        before = [one.name for one in sketches if one.action is not Action.DELETE]
        sketches.append(
            Sketch(
                name=name,
                action=draw(ACTIONS),
                needs=tuple(draw(st.lists(st.sampled_from(before), unique=True))) if before else (),
                needed=tuple(set(draw(st.lists(st.sampled_from(names), max_size=3))) - {name}),
                wants=draw(st.sampled_from(names)),
                order=draw(st.sampled_from(ReplaceOrder)),
            )
        )
    return sketches


@law
@given(sketches=plans(), data=st.data())
def test_order_is_total_keeps_every_edge_and_ignores_the_input_order(
    sketches: list[Sketch], data: st.DataObject
) -> None:
    changes = [sketch.change() for sketch in sketches]
    steps = order(changes)
    assert order([changes[at] for at in data.draw(_orders(changes))]) == steps
    place = {step.id: index for index, step in enumerate(steps)}
    assert len(place) == len(steps) == sum(_steps_of(change) for change in changes)
    for step in steps:
        assert all(place[other] < place[step.id] for other in step.after)
    made = {step.address: place[step.id] for step in steps if step.op is not Action.DELETE}
    for change in changes:
        for edge in change.desired.edges if change.desired else ():
            if change.address in made and edge.address in made:
                assert made[edge.address] < made[change.address]


@law
@given(sketches=plans(), data=st.data())
def test_resources_come_after_what_they_need(sketches: list[Sketch], data: st.DataObject) -> None:
    changes = [sketch.change() for sketch in sketches]
    resources = [change.desired for change in changes if change.desired is not None]
    ordered = dependencies_first(resources)
    assert dependencies_first([resources[at] for at in data.draw(_orders(resources))]) == ordered
    place = {one.address: index for index, one in enumerate(ordered)}
    for one in ordered:
        assert all(place[edge.address] < place[one.address] for edge in one.edges)


def _steps_of(change: Change) -> int:
    return {Action.REPLACE: 2, Action.NONE: 0, Action.BLOCKED: 0}.get(change.action, 1)


def _orders(items: Sequence[object]) -> st.SearchStrategy[list[int]]:
    return st.permutations(range(len(items)))
