"""Carries out a plan: steps in order and side by side, each call journaled before and after, each result read back.

How a step can die, and what follows: before the intent is noted, nothing happened. After that and until the outcome
is noted, all deaths look the same, an open intent, which `settle.py` settles from the lists of the next run. While
waiting: the entry is there with `ready: false`, and the next run goes on waiting.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from reconciler.apply.step import StepRunner, StepTools
from reconciler.diff.change import Action
from reconciler.plan.order import Step
from reconciler.plan.outcome import Outcome, Report, State
from reconciler.plan.plan import Plan, halves
from reconciler.problems import ReconcilerError
from reconciler.spec.resource import ResourceRef

__all__ = ["Applier", "steps_of"]


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
        self._outcomes: dict[str, Outcome] = {}
        self._running: dict[Future[Outcome], Step] = {}

    def run(self) -> dict[str, Outcome]:
        waiting = list(self._steps)
        with ThreadPoolExecutor(max_workers=self._parallel) as pool:
            while waiting or self._running:
                waiting = self._start(waiting, pool)
                if self._running:
                    self._collect()
        return {step.id: self._outcomes[step.id] for step in self._steps}

    def _start(self, waiting: list[Step], pool: ThreadPoolExecutor) -> list[Step]:
        left = []
        for step in waiting:
            cause = self._hindrance(step)
            if cause is not None:
                self._end(step, cause)
            elif self._is_free(step):
                held = self._hold(step)
                if held:
                    self._end(step, _outcome(step, State.SKIPPED, f"{held}; nothing was sent"))
                    continue
                self._running[pool.submit(self._do, step)] = step
            else:
                left.append(step)
        if left and not self._running and len(left) == len(waiting):
            # Nothing runs and nothing can start: an order that `plan.order` never makes, but a loop must end.
            for step in left:
                self._end(step, _outcome(step, State.SKIPPED, "its turn never came"))
            return []
        return left

    def _hindrance(self, step: Step) -> Outcome | None:
        if self._stop.is_set():
            return _outcome(step, State.SKIPPED, "the run was stopped before it began; nothing was sent")
        failed = [other for other in step.after if other in self._outcomes and not _went_well(self._outcomes[other])]
        if failed:
            cause = self._outcomes[failed[0]]
            message = f"it needs {cause.address}, which is {cause.state}; nothing was sent"
            return _outcome(step, State.SKIPPED, message, cause=cause.step)
        change = self._changes[step.address]
        for edge in change.desired.edges if change.desired and step.op is not Action.DELETE else ():
            if edge.address in self._unfit:
                return _outcome(
                    step,
                    State.SKIPPED,
                    f"it needs {edge.address}, which is {self._unfit[edge.address]}",
                    cause=edge.address,
                )
        return None

    def _is_free(self, step: Step) -> bool:
        if any(other not in self._outcomes for other in step.after):
            return False
        provider = ResourceRef.parse(step.address).provider
        busy = [other for other in self._running.values() if ResourceRef.parse(other.address).provider == provider]
        if len(busy) >= self._runner.concurrency(provider) or len(self._running) >= self._parallel:
            return False
        serial = self._changes[step.address].kind.serial and step.op is Action.CREATE
        return not serial or all(other.op is not Action.CREATE for other in busy)

    def _do(self, step: Step) -> Outcome:
        change = self._changes[step.address]
        if step.op is Action.NONE:
            return self._runner.watch(step, change)
        half = next(half for half in halves(change) if half.action is step.op)
        return self._runner.run(step, half, change)

    def _end(self, step: Step, outcome: Outcome) -> None:
        self._outcomes[step.id] = outcome
        self._ended(outcome)

    def _collect(self) -> None:
        done, _ = wait(self._running, return_when=FIRST_COMPLETED)
        for future in done:
            step = self._running.pop(future)
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
