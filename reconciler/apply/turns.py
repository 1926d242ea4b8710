"""Whose turn it is among the steps that wait, by counting down what each still needs."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.plan.order import Step

__all__ = ["Lane", "Turns"]


@dataclass(frozen=True, slots=True)
class Lane:
    """Steps that wait for the same room: of one provider, and (`serial`) creates that come one at a time."""

    provider: str
    serial: bool = False


class Turns:
    """The steps that have not begun.

    To look through all of them whenever one ended took 5 of the 18 s of processor time of an apply of 1,000 creates.

    Args:
        steps: In the order in which they should begin.
        lane_of: Where a step waits.
    """

    def __init__(self, steps: Sequence[Step], lane_of: Callable[[Step], Lane]) -> None:
        self._steps = {step.id: step for step in steps}
        self._place = {step.id: place for place, step in enumerate(steps)}
        self._lane_of = lane_of
        self._needs = {step.id: set(step.after) for step in steps}
        self._needed_by: Mapping[str, list[Step]] = defaultdict(list)
        self._free: dict[Lane, list[tuple[int, str]]] = defaultdict(list)
        for step in steps:
            for other in self._needs[step.id]:
                self._needed_by[other].append(step)
            self._offer(step)

    def __iter__(self) -> Iterator[Step]:
        return iter(tuple(self._steps.values()))

    def take(self, has_room: Callable[[Lane], bool]) -> Step | None:
        """The first step that needs nothing more and whose lane has room; it waits no longer."""
        heads = []
        for lane, queue in self._free.items():
            while queue and queue[0][1] not in self._steps:  # it was dropped
                heapq.heappop(queue)
            if queue and has_room(lane):
                heads.append((queue[0], lane))
        if not heads:
            return None
        (_, step_id), lane = min(heads, key=lambda head: head[0])
        heapq.heappop(self._free[lane])
        return self._steps.pop(step_id)

    def drop(self, step: Step) -> None:
        """This one will never begin."""
        self._steps.pop(step.id, None)

    def ended(self, step: Step) -> list[Step]:
        """Count an end; those that needed it and still wait, in their order."""
        needing = [other for other in self._needed_by[step.id] if other.id in self._steps]
        for other in needing:
            self._needs[other.id].discard(step.id)
            self._offer(other)
        return sorted(needing, key=lambda other: self._place[other.id])

    def _offer(self, step: Step) -> None:
        if not self._needs[step.id]:
            heapq.heappush(self._free[self._lane_of(step)], (self._place[step.id], step.id))
