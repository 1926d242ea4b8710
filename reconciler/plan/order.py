"""The order of steps: creates and updates follow dependencies, deletes run against them. Total and deterministic."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from reconciler.diff.change import Action, Call, Change
from reconciler.fields import ReplaceOrder
from reconciler.problems import Origin, Problem, SpecError
from reconciler.spec.resource import Resource

__all__ = ["Step", "dependencies_first", "order"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One half or whole of a change: `op` is create, update, delete or adopt; `after`: ids of steps that come first."""

    id: str
    address: str
    op: Action
    after: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()


def dependencies_first(resources: Iterable[Resource]) -> tuple[Resource, ...]:
    """Resources so that each comes after what it needs; ties fall by address.

    Raises:
        SpecError: `dependency-cycle`, with the members in walking order.
    """
    by_address = {resource.address: resource for resource in resources}
    after = {
        address: {edge.address for edge in resource.edges if edge.address in by_address}
        for address, resource in by_address.items()
    }
    return tuple(by_address[address] for address in _sorted(after, dict.fromkeys(by_address, 0), by_address))


def order(changes: Sequence[Change]) -> tuple[Step, ...]:
    """Arrange the steps that the changes take.

    A create or update comes after the creates and updates of what it needs. A delete comes after the deletes of what
    needed it (by the edges of the last apply) and after the updates that let go of it. Among steps that are free,
    deletes come last; otherwise the address decides. A name that a delete has to free first pulls it forward.

    Raises:
        SpecError: `dependency-cycle`.
    """
    graph = _Graph(changes)
    after = graph.edges()
    late = {step_id: int(graph.is_late(step_id)) for step_id in graph.steps}
    members = {step_id: graph.change_of[step_id].desired for step_id in graph.steps}
    ids = _sorted(after, late, members, graph.outdated(after))
    return tuple(
        Step(
            id=step_id,
            address=graph.steps[step_id].address,
            op=graph.steps[step_id].op,
            after=tuple(sorted(after[step_id])),
        )
        for step_id in ids
    )


class _Graph:
    """Steps of all changes and what each waits for."""

    def __init__(self, changes: Sequence[Change]) -> None:
        self.steps: dict[str, Step] = {}
        self.change_of: dict[str, Change] = {}
        self.making: dict[str, str] = {}
        """Address → id of the step that brings it to its desired state."""
        self.removing: dict[str, str] = {}
        self.needs: dict[str, set[str]] = {}
        self.needed_now: dict[str, set[str]] = defaultdict(set)
        """Address → addresses that need it now; `needed_by`: now, or at the last apply."""
        self.needed_by: dict[str, set[str]] = defaultdict(set)
        for change in changes:
            self._add(change)
            self.needs[change.address] = _needs(change)
            for address in _needs(change):
                self.needed_now[address].add(change.address)
            for address in _needs(change) | set(change.applied.edges if change.applied else ()):
                self.needed_by[address].add(change.address)
        for change in changes:
            if change.half_of:  # who needed the resource may use either half
                self.needed_by[change.address] |= self.needed_by[change.half_of] - {change.address}
        self.freeing = self._find_freeing()
        self._early = self._with_dependants({step_id for freed in self.freeing.values() for step_id in freed})

    def _add(self, change: Change) -> None:
        ops: tuple[Action, ...] = ()
        if change.action is Action.REPLACE:
            ops = (Action.DELETE,) if change.leftover is not None else (Action.CREATE, Action.DELETE)
        elif change.action in {Action.CREATE, Action.UPDATE, Action.DELETE, Action.ADOPT}:
            ops = (change.action,)
        for op in ops:
            step_id = f"{change.address}#{op}"
            self.steps[step_id] = Step(id=step_id, address=change.address, op=op)
            self.change_of[step_id] = change
            (self.removing if op is Action.DELETE else self.making)[change.address] = step_id

    def edges(self) -> dict[str, set[str]]:
        """Step id → ids of the steps that come first."""
        return {
            step_id: self._delete_edges(self.change_of[step_id])
            if step.op is Action.DELETE
            else self._make_edges(step_id, self.change_of[step_id])
            for step_id, step in self.steps.items()
        }

    def _make_edges(self, step_id: str, change: Change) -> set[str]:
        after = {self.making[address] for address in self._nearest(change.address, self.needs, self.making)}
        if change.action is Action.REPLACE and change.replace_order is ReplaceOrder.DELETE_FIRST:
            after.add(self.removing[change.address])
        return after | set(self.freeing.get(step_id, ()))

    def _delete_edges(self, change: Change) -> set[str]:
        after: set[str] = set()
        create_first = change.replace_order is ReplaceOrder.CREATE_FIRST
        if change.action is Action.REPLACE and create_first and change.leftover is None:
            after.add(self.making[change.address])
        stays_until_moved = change.action is Action.DELETE or create_first
        early = self.removing[change.address] in self._early
        for address in self._nearest(change.address, self.needed_by, {**self.making, **self.removing}):
            # Who needed it goes first; who stays moves on or lets go of it first, unless somebody waits for its name.
            waits = stays_until_moved and not early
            if address in self.removing and (waits or not self._is_made_first(address)):
                after.add(self.removing[address])
            if address in self.making and waits:
                after.add(self.making[address])
        return after

    def _is_made_first(self, address: str) -> bool:
        """Whether its old half only goes after its new one has come."""
        return address in self.making and (
            self.change_of[self.making[address]].replace_order is ReplaceOrder.CREATE_FIRST
        )

    def _nearest(self, start: str, links: Mapping[str, set[str]], wanted: Mapping[str, str]) -> set[str]:
        """The first addresses with such a step along the links: what has nothing to do still hands the order on."""
        found: set[str] = set()
        seen = {start}
        todo = [*links.get(start, ())]
        while todo:
            address = todo.pop()
            if address in seen:
                continue
            seen.add(address)
            if address in wanted:
                found.add(address)
            else:
                todo.extend(links.get(address, ()))
        return found

    def _with_dependants(self, early: set[str]) -> set[str]:
        """Deletes that free a name, with the deletes that have to come before them."""
        todo = [*early]
        while todo:
            for address in self.needed_by.get(self.steps[todo.pop()].address, ()):
                step_id = self.removing.get(address)
                if step_id is not None and address not in self.making and step_id not in early:
                    early.add(step_id)
                    todo.append(step_id)
        return early

    def _find_freeing(self) -> dict[str, list[str]]:
        """Id of a create → deletes of other resources that hold the name which it is about to take."""
        held: dict[tuple[str, str, str], list[str]] = defaultdict(list)
        for address, step_id in self.removing.items():
            other = self.change_of[step_id]
            if other.action is Action.DELETE and other.live is not None and other.live.name:
                held[address.partition("/")[0], other.kind.name, other.live.name].append(step_id)
        freeing: dict[str, list[str]] = {}
        for address, step_id in self.making.items():
            change = self.change_of[step_id]
            if change.desired is None or change.action is not Action.CREATE or change.kind.live_name is None:
                continue
            place = (address.partition("/")[0], change.kind.name, change.desired.live_name)
            if place in held:
                freeing[step_id] = held[place]
        return freeing

    def outdated(self, after: Mapping[str, set[str]]) -> frozenset[tuple[str, str]]:
        """Edges of deletes that stand in the last applies alone, each in its own: together they may make a circle."""
        found = set()
        for step_id, step in self.steps.items():
            if step.op is Action.DELETE:
                now = self._nearest(step.address, self.needed_now, {**self.making, **self.removing})
                others = {other for other in after[step_id] if self.steps[other].address not in {step.address, *now}}
                found |= {(step_id, other) for other in others}
        return frozenset(found)

    def is_late(self, step_id: str) -> bool:
        """Whether a step waits for its turn until nothing else is free: deletes that are not a part of something."""
        change = self.change_of[step_id]
        return self.steps[step_id].op is Action.DELETE and change.action is Action.DELETE and step_id not in self._early


def _needs(change: Change) -> set[str]:
    return {edge.address for edge in change.desired.edges} if change.desired else set()


def _sorted(
    after: Mapping[str, set[str]],
    late: Mapping[str, int],
    members: Mapping[str, Resource | None],
    outdated: Collection[tuple[str, str]] = (),
) -> tuple[str, ...]:
    """Nodes after their needs; late ones last where there is a choice, then by name.

    A circle with an outdated edge is opened there (it is taken out of `after`): nobody could mend that in a file.
    """
    while True:
        done = _walk(after, late)
        if len(done) == len(after):
            return tuple(done)
        left = set(after).difference(done)
        circle = _circle({node: after[node] & left for node in left})
        edges = zip(circle, [*circle[1:], circle[0]], strict=True)
        weakest = next((edge for edge in edges if edge in outdated), None)
        if weakest is None:
            raise SpecError([_cycle(circle, members)])
        after[weakest[0]].discard(weakest[1])


def _walk(after: Mapping[str, set[str]], late: Mapping[str, int]) -> list[str]:
    waiting = {node: len(needs) for node, needs in after.items()}
    dependants: dict[str, list[str]] = defaultdict(list)
    for node, needs in after.items():
        for need in needs:
            dependants[need].append(node)
    ready = [(late[node], node) for node, count in waiting.items() if count == 0]
    heapq.heapify(ready)
    done: list[str] = []
    while ready:
        _, node = heapq.heappop(ready)
        done.append(node)
        for other in dependants[node]:
            waiting[other] -= 1
            if waiting[other] == 0:
                heapq.heappush(ready, (late[other], other))
    return done


def _circle(after: Mapping[str, set[str]]) -> list[str]:
    """One circle among what is left, from its smallest member on, so that it is the same in every run."""
    node, seen = min(after), []
    while node not in seen:
        seen.append(node)
        node = min(after[node])
    circle = seen[seen.index(node) :]
    start = circle.index(min(circle))
    return [*circle[start:], *circle[:start]]


def _cycle(circle: Sequence[str], members: Mapping[str, Resource | None]) -> Problem:
    places: list[Origin] = []
    for index, member in enumerate(circle):
        resource = members.get(member)
        needed = circle[(index + 1) % len(circle)].partition("#")[0]
        places.extend(edge.origin for edge in (resource.edges if resource else ()) if edge.address == needed)
    return Problem(
        code="dependency-cycle",
        origin=places[0] if places else None,
        wrong="these depend on each other: " + " -> ".join([*circle, circle[0]]),
        expected="an order in which each comes after what it needs",
        related=tuple(places),
    )
