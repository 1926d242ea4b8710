"""Virtual time, and tasks that take turns: one runs at a time, and which one comes next is a matter of the seed alone.

A task is a thread only so that the product's code needs no change; it goes on when the scheduler hands it the turn,
and gives the turn back where the product would wait or send. Processes are groups of tasks that die together.
"""

from __future__ import annotations

import heapq
import itertools
import math
import random
import threading
from collections.abc import Callable
from typing import Any

__all__ = ["Crash", "Process", "Scheduler", "Task"]

_STACK = 512 * 1024


class Crash(BaseException):
    """The process is dead: SIGKILL, power loss, an evicted runner. No `except Exception` may catch it."""


class Process:
    """One run of the command line. `skew_s`: how far its wall clock is ahead."""

    def __init__(self, name: str, *, skew_s: float = 0.0) -> None:
        self.name = name
        self.skew_s = skew_s
        self.dead = False
        self.frozen_until = -math.inf
        self.suspended_s = 0.0
        """How long its monotonic clock stood still with the machine."""
        self.crash_in = 0
        """After so many boundaries it dies; 0: never."""
        self.crash_reads = False
        """Whether reads and waits count among them."""
        self.crashed_at = ""
        self.freeze_in = 0
        """After so many reads it freezes for `freeze_s`; 0: never."""
        self.freeze_s = 0.0
        self.freeze_suspends = False
        """The machine sleeps with it: its monotonic clock stands still."""
        self.now: Callable[[], float] = lambda: 0.0
        self.wait: Callable[[], None] = lambda: None
        self.code: int | None = None
        self.out = bytearray()
        self.err = bytearray()
        self.args: tuple[str, ...] = ()
        self.facts: dict[str, Any] = {}

    def check(self) -> None:
        """Go no further when dead.

        Raises:
            Crash: it is.
        """
        if self.dead:
            raise Crash

    @property
    def will_crash(self) -> bool:
        """Whether the next boundary is its last."""
        return self.crash_in == 1

    def boundary(self, what: str) -> None:
        """Here it may die, and (at reads alone, never between the lease's check and a send) freeze.

        Raises:
            Crash: it did.
        """
        self.check()
        is_read = what == "read"
        if is_read and self.freeze_in:
            self.freeze_in -= 1
            if not self.freeze_in:
                self.frozen_until = self.now() + self.freeze_s
                self.suspended_s += self.freeze_s if self.freeze_suspends else 0.0
                self.facts["froze"] = True
                self.wait()
        if self.crash_in and (self.crash_reads or not is_read):
            self.crash_in -= 1
            if not self.crash_in:
                self.crashed_at = what
                self.dead = True
                raise Crash


class Task:
    """What takes turns; `result` or `error` when it is `done`."""

    def __init__(self, process: Process, body: Callable[[], Any]) -> None:
        self.process = process
        self.body = body
        self.wake = -math.inf
        self.blocked: Callable[[], bool] | None = None
        self.done = False
        self.daemon = False
        self.error: BaseException | None = None
        self.result: Any = None
        self.go = threading.Lock()
        self.go.acquire()


class Scheduler:
    """The clock, the tasks, and what is to happen at a time."""

    def __init__(self, seed: int, *, start_s: float) -> None:
        self.now = start_s
        self.current: Task | None = None
        self.switches = 0
        self._rng = random.Random(seed)  # noqa: S311 - a seed is to be replayed
        self._tasks: list[Task] = []
        self._timers: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = itertools.count()
        self._back = threading.Lock()
        self._back.acquire()

    @property
    def process(self) -> Process | None:
        """Whose turn it is."""
        return self.current.process if self.current is not None else None

    # -- time -----------------------------------------------------------------------------------------------------

    def at(self, when_s: float, what: Callable[[], object]) -> None:
        """Let something happen at a time."""
        heapq.heappush(self._timers, (when_s, next(self._numbers), what))

    def advance(self, to_s: float) -> None:
        """Let time pass, and what is due happen."""
        while self._timers and self._timers[0][0] <= to_s:
            when_s, _, what = heapq.heappop(self._timers)
            self.now = max(self.now, when_s)
            what()
        self.now = max(self.now, to_s)

    # -- tasks ----------------------------------------------------------------------------------------------------

    def spawn(self, process: Process, body: Callable[[], Any], *, daemon: bool = False) -> Task:
        """A new task of a process; it begins when it gets its turn."""
        task = Task(process, body)
        task.daemon = daemon
        self._tasks.append(task)
        threading.stack_size(_STACK)
        threading.Thread(target=self._live, args=(task,), daemon=True).start()
        return task

    def _live(self, task: Task) -> None:
        task.go.acquire()
        try:
            task.process.check()
            task.result = task.body()
        except BaseException as error:  # noqa: BLE001 - whoever waits for the task gets it
            task.error = error
        task.done = True
        self._back.release()

    def pause(self, seconds: float = 0.0, *, blocked: Callable[[], bool] | None = None) -> None:
        """Give the turn away for a while, or as long as something is in the way.

        Raises:
            Crash: its process died meanwhile.
        """
        task = self.current
        if task is None:
            if blocked is not None and blocked():
                raise AssertionError("nobody can ever free that")
            self.advance(self.now + seconds)
            return
        task.process.check()
        wake = self.now + max(0.0, seconds)
        alone = blocked is None and task.process.frozen_until <= self.now
        if alone and not any(other is not task and self._ready_at(other) <= wake for other in self._tasks):
            self.advance(wake)
        else:
            task.wake, task.blocked = wake, blocked
            self.switches += 1
            self._back.release()
            task.go.acquire()
        task.process.check()

    def _ready_at(self, task: Task) -> float:
        """When a task could go on, as things are."""
        if task.done:
            return math.inf
        if task.process.dead:
            return -math.inf
        if task.blocked is not None and task.blocked():
            return math.inf
        return max(task.wake, task.process.frozen_until)

    def run(self, until: Callable[[], bool]) -> None:
        """Give turns until something is true."""
        while not until():
            self._tasks = [task for task in self._tasks if not task.done]
            times = [(self._ready_at(task), index) for index, task in enumerate(self._tasks)]
            ready = [index for when, index in times if when <= self.now]
            if not ready:
                soonest = min((when for when, _ in times), default=math.inf)
                if self._timers and self._timers[0][0] <= soonest:
                    self.advance(self._timers[0][0])
                elif soonest < math.inf:
                    self.advance(soonest)
                else:
                    raise AssertionError("everybody waits for everybody")
                continue
            task = self._tasks[ready[0] if len(ready) == 1 else self._rng.choice(ready)]
            task.blocked = None
            self.current = task
            task.go.release()
            self._back.acquire()
            self.current = None

    def finish(self, process: Process, task: Task) -> None:
        """Give turns until a process is over, with all its tasks."""

        def over() -> bool:
            if not task.done:
                return False
            left = [other for other in self._tasks if other.process is process and not other.done]
            process.dead = process.dead or bool(left)  # what is left are daemons: they go with it
            return not left

        self.run(over)
