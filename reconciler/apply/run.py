"""Carries out a plan: steps in order and side by side, each call journaled before and after, each result read back.

How a step can die, and what follows: before the intent is noted, nothing happened. After that and until the outcome
is noted, all deaths look the same, an open intent, which `settle.py` settles from the lists of the next run. While
waiting: the entry is there with `ready: false`, and the next run goes on waiting.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Final

from reconciler.apply.step import StepRunner, StepTools
from reconciler.apply.turns import Lane, Turns
from reconciler.diff.change import Action
from reconciler.plan.order import Step
from reconciler.plan.outcome import Outcome, Report, State
from reconciler.plan.plan import Plan, halves
from reconciler.problems import ReconcilerError
from reconciler.spec.resource import ResourceRef

__all__ = ["Applier", "steps_of"]

_STOPPED: Final = "the run was stopped before it began; nothing was sent"


@dataclass(slots=True, kw_only=True)
class Applier:
    """One run over one plan.

    Attributes:
        plan: What to do; its blocked and unknown changes have no steps.
        tools: Ledger lease, providers, clocks, secrets, progress.
        parallel: Steps at a time, over all providers; each provider's own `concurrency` holds besides.
        stop: Set by a signal or the run's limit: no new write follows.
        ended: Hears of each step's end, from the thread that runs this.
        hold: Why a step may not begin any more, right before it would; empty when it may.
        outputs: Address → what `ref()` reads of it, for what is live and may stand outside of the plan's selection.
    """

    plan: Plan
    tools: StepTools
    parallel: int = 10
    stop: threading.Event = field(default_factory=threading.Event)
    ended: Callable[[Outcome], None] = lambda _outcome: None
    hold: Callable[[Step], str] = lambda _step: ""
    outputs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def run(self) -> Report:
        """Do it all; never raises for what a step met.

        Returns:
            One outcome for each step, and for each wait that an earlier run did not come to the end of.
        """
        started = time.monotonic()
        outcomes = _Schedule(self).run()
        return Report(
            owner=self.plan.owner,
            run=self.tools.run_id,
            digest=self.plan.digest,
            outcomes=tuple(outcomes.values()),
            revision=self.plan.revision,
            interrupted=self.stop.is_set(),
            seconds=time.monotonic() - started,
        )


class _Schedule:
    """Which step may start when."""

    def __init__(self, applier: Applier) -> None:
        self._plan = applier.plan
        self._stop = applier.stop
        self._parallel = applier.parallel
        self._ended = applier.ended
        self._hold = applier.hold
        self._runner = StepRunner(applier.tools, applier.stop, {**applier.outputs, **_outputs(applier.plan)})
        self._changes = {change.address: change for change in applier.plan.changes}
        self._unfit = {
            change.address: f"{change.action}: {change.message}"
            for change in applier.plan.changes
            if change.action in {Action.BLOCKED, Action.UNKNOWN}
        }
        self._steps = steps_of(applier.plan)
        self._turns = Turns(self._steps, self._lane)
        self._outcomes: dict[str, Outcome] = {}
        self._running: dict[Future[Outcome], Step] = {}
        self._busy: Counter[str] = Counter()
        self._creating: Counter[str] = Counter()
        """Steps, and creates among them, that run at each provider."""

    def run(self) -> dict[str, Outcome]:
        for step in self._turns:
            self._end_if_unfit(step)
        with ThreadPoolExecutor(max_workers=self._parallel) as pool:
            self._start(pool)
            while self._running:
                self._collect()
                self._start(pool)
        # Nothing runs and nothing can start: an order that `plan.order` never makes, but a loop must end.
        for step in self._turns:
            self._skip(step, "its turn never came")
        return {step.id: self._outcomes[step.id] for step in self._steps}

    def _start(self, pool: ThreadPoolExecutor) -> None:
        while not self._stop.is_set():
            step = self._turns.take(self._has_room)
            if step is None:
                return
            held = self._hold(step)
            if held:
                self._end(step, _outcome(step, State.SKIPPED, f"{held}; nothing was sent"))
                continue
            self._count(step, 1)
            self._running[pool.submit(self._do, step)] = step
        for step in self._turns:
            self._skip(step, _STOPPED)

    def _end_if_unfit(self, step: Step) -> None:
        """End a step now that needs what the plan can't bring about."""
        change = self._changes[step.address]
        for edge in change.desired.edges if change.desired and step.op is not Action.DELETE else ():
            if edge.address in self._unfit:
                self._skip(step, f"it needs {edge.address}, which is {self._unfit[edge.address]}", cause=edge.address)
                return

    def _skip(self, step: Step, message: str, *, cause: str = "") -> None:
        if step.id not in self._outcomes:
            self._end(step, _outcome(step, State.SKIPPED, message, cause=cause))

    # -- room -------------------------------------------------------------------------------------------------------

    def _lane(self, step: Step) -> Lane:
        serial = step.op is Action.CREATE and self._changes[step.address].kind.serial
        return Lane(ResourceRef.parse(step.address).provider, serial)

    def _has_room(self, lane: Lane) -> bool:
        if len(self._running) >= self._parallel or self._busy[lane.provider] >= self._runner.concurrency(lane.provider):
            return False
        return not lane.serial or not self._creating[lane.provider]

    def _count(self, step: Step, by: int) -> None:
        provider = ResourceRef.parse(step.address).provider
        self._busy[provider] += by
        self._creating[provider] += by if step.op is Action.CREATE else 0

    # -- steps ------------------------------------------------------------------------------------------------------

    def _do(self, step: Step) -> Outcome:
        change = self._changes[step.address]
        if step.op is Action.NONE:
            return self._runner.watch(step, change)
        half = next(half for half in halves(change) if half.action is step.op)
        return self._runner.run(step, half, change)

    def _end(self, step: Step, outcome: Outcome) -> None:
        """Note how it came out; what needs it does not begin unless it went well."""
        ends = deque([(step, outcome)])
        while ends:
            step, outcome = ends.popleft()
            if step.id in self._outcomes:
                continue
            self._turns.drop(step)
            self._outcomes[step.id] = outcome
            self._ended(outcome)
            needing = self._turns.ended(step)
            if _went_well(outcome):
                continue
            message, cause = f"it needs {outcome.address}, which is {outcome.state}; nothing was sent", step.id
            if self._stop.is_set():
                message, cause = _STOPPED, ""
            ends.extend((one, _outcome(one, State.SKIPPED, message, cause=cause)) for one in needing)

    def _collect(self) -> None:
        done, _ = wait(self._running, return_when=FIRST_COMPLETED)
        for future in done:
            step = self._running.pop(future)
            self._count(step, -1)
            error = future.exception()
            if error is None:
                self._end(step, future.result())
            elif isinstance(error, ReconcilerError):
                # The ledger can't record any more, or the lease is lost: no write may follow.
                self._stop.set()
                self._end(step, _outcome(step, State.UNKNOWN, str(error)))
            else:
                self._stop.set()
                raise error


def _went_well(outcome: Outcome) -> bool:
    return outcome.state is State.DONE


def _outcome(step: Step, state: State, message: str, *, cause: str = "") -> Outcome:
    return Outcome(step=step.id, address=step.address, op=step.op, state=state, message=message, cause=cause)


def steps_of(plan: Plan) -> tuple[Step, ...]:
    """The plan's steps, after waits for what is as it should be but was never seen ready (SETTLEMENT R12)."""
    waits = {
        change.address: Step(id=f"{change.address}#wait", address=change.address, op=Action.NONE)
        for change in plan.changes
        if change.action is Action.NONE and change.desired is not None and change.live is not None
        if change.applied is not None and not change.applied.ready
    }
    needs = {
        change.address: {edge.address for edge in change.desired.edges}
        for change in plan.changes
        if change.desired is not None
    }
    steps = []
    for step in (*waits.values(), *plan.steps):
        needed = needs.get(step.address, set()) if step.op is not Action.DELETE else set()
        more = (waits[address].id for address in sorted(needed) if address in waits)
        steps.append(dataclasses.replace(step, after=(*step.after, *more)))
    return tuple(steps)


def _outputs(plan: Plan) -> dict[str, Mapping[str, str]]:
    """Address → outputs of everything that is live before the first step."""
    return {change.address: change.live.outputs for change in plan.changes if change.live is not None}
