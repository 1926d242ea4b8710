"""What stands in for threads, pools, locks and events of the standard library, in the scheduler's turns."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, Generic, Self, TypeVar

from tests.simulation.sched import Crash, Scheduler, Task

__all__ = ["InlinePool", "SimThreading", "Threads"]

_T = TypeVar("_T")


class _Future(Generic[_T]):
    def __init__(self, task: Task) -> None:
        self.task = task

    def done(self) -> bool:
        return self.task.done

    def exception(self) -> BaseException | None:
        if isinstance(self.task.error, Crash):
            raise self.task.error
        return self.task.error

    def result(self) -> _T:
        if self.task.error is not None:
            raise self.task.error
        result: _T = self.task.result
        return result


class _TaskPool:
    """A `ThreadPoolExecutor` whose workers are tasks."""

    scheduler: Scheduler

    def __init__(self, max_workers: int = 1) -> None:
        del max_workers  # the product submits no more than it wants to run
        self._tasks: list[Task] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(Crash):
            while not all(task.done for task in self._tasks):
                self.scheduler.pause(blocked=lambda: not all(task.done for task in self._tasks))

    def submit(self, body: Callable[..., Any], *args: Any) -> _Future[Any]:
        process = self.scheduler.process
        assert process is not None
        task = self.scheduler.spawn(process, lambda: body(*args))
        self._tasks.append(task)
        return _Future(task)


def _first_done(scheduler: Scheduler) -> Callable[..., tuple[set[_Future[Any]], set[_Future[Any]]]]:
    """`concurrent.futures.wait(…, FIRST_COMPLETED)`."""

    def wait(futures: Iterable[_Future[Any]], **_: Any) -> tuple[set[_Future[Any]], set[_Future[Any]]]:
        known = list(futures)
        if not any(one.done() for one in known):
            scheduler.pause(blocked=lambda: not any(one.done() for one in known))
        # A set of objects has no order that a seed decides: a dictionary has.
        return dict.fromkeys(one for one in known if one.done()), set()  # type: ignore[return-value]

    return wait


class InlinePool:
    """A `ThreadPoolExecutor` that does everything at once: for reads, whose order is of no concern."""

    def __init__(self, max_workers: int = 1) -> None:
        del max_workers

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def map(self, body: Callable[[Any], _T], items: Iterable[Any]) -> Iterator[_T]:
        return iter([body(item) for item in items])


class _Lock:
    scheduler: Scheduler

    def __init__(self, value: int = 1) -> None:
        self._left = value
        self._owner: Task | None = None
        self._depth = 0

    def acquire(self) -> bool:
        while self._left <= 0:
            self.scheduler.pause(blocked=lambda: self._left <= 0)
        self._left -= 1
        return True

    def release(self) -> None:
        self._left += 1

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class _RLock(_Lock):
    def acquire(self) -> bool:
        if self._depth and self._owner is self.scheduler.current:
            self._depth += 1
            return True
        super().acquire()
        self._owner, self._depth = self.scheduler.current, 1
        return True

    def release(self) -> None:
        self._depth -= 1
        if not self._depth:
            self._owner = None
            super().release()


class _Event:
    scheduler: Scheduler

    def __init__(self) -> None:
        self._is_set = False

    def set(self) -> None:
        self._is_set = True

    def is_set(self) -> bool:
        return self._is_set

    def wait(self, timeout: float | None = None) -> bool:
        # A heart looks once a second whether it is time to beat: a tenth of that is often enough, and ten times faster.
        until = math.inf if timeout is None else self.scheduler.now + timeout * 10
        while not self._is_set and self.scheduler.now < until:
            self.scheduler.pause(until - self.scheduler.now)
        return self._is_set


class _Daemon:
    """A thread that ends with its process."""

    scheduler: Scheduler

    def __init__(self, *, target: Callable[[], Any], **_: Any) -> None:
        self._target = target

    def start(self) -> None:
        process = self.scheduler.process
        assert process is not None
        self.scheduler.spawn(process, self._target, daemon=True)

    def join(self, timeout: float | None = None) -> None:
        """Nobody needs its end."""


class _Inline:
    """A thread that is over when it has begun."""

    def __init__(self, *, target: Callable[..., Any], args: tuple[Any, ...] = (), **_: Any) -> None:
        self._target, self._args = target, args

    def start(self) -> None:
        self._target(*self._args)

    def join(self, timeout: float | None = None) -> None:
        """It is over."""


class SimThreading:
    """Stands in for the module `threading` inside one module of the product."""

    def __init__(self, scheduler: Scheduler, *, daemons: bool) -> None:
        own = {"scheduler": scheduler}
        self.Lock = type("Lock", (_Lock,), own)
        self.RLock = type("RLock", (_RLock,), own)
        self.BoundedSemaphore = self.Lock
        self.Event = type("Event", (_Event,), own)
        self.Thread = type("Thread", (_Daemon,), own) if daemons else _Inline
        self.local = threading.local
        self.current_thread = threading.current_thread


class Threads:
    """The stand-ins of one scheduler."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.pool = type("TaskPool", (_TaskPool,), {"scheduler": scheduler})
        self.wait = _first_done(scheduler)
        self.inline = SimThreading(scheduler, daemons=False)
        self.daemons = SimThreading(scheduler, daemons=True)
