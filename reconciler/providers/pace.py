"""What all workers of one provider instance share on the way to its server: a pause, and the room between requests."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from reconciler.providers.base import Clock

__all__ = ["SharedPace", "SharedPause", "SharedRead"]

_T = TypeVar("_T")


class SharedPause:
    """One pause for all workers of a provider after a 429."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._until = 0.0

    def set(self, seconds: float) -> None:
        """Nobody sends anything for this long."""
        with self._lock:
            self._until = max(self._until, self._clock.now() + seconds)

    def wait(self, patience_s: Callable[[], float]) -> bool:
        """Wait to its end; False as soon as that is further away than there is patience."""
        while True:  # another worker may have made it longer meanwhile
            with self._lock:
                left = self._until - self._clock.now()
            if left <= 0:
                return True
            if left > patience_s():
                return False
            self._clock.sleep(left)


class SharedRead(Generic[_T]):
    """One read serves all who asked before it began: nobody gets one that was under way already.

    A read that fails is its caller's alone.
    """

    def __init__(self, read: Callable[[], _T]) -> None:
        self._read = read
        self._counting = threading.Lock()
        self._flight = threading.Lock()
        self._begun = 0
        self._last: tuple[int, _T] | None = None

    def __call__(self) -> _T:
        """What is there now, or was when the first of the others asked."""
        with self._counting:
            wanted = self._begun + 1
        with self._flight:
            if self._last is not None and self._last[0] >= wanted:
                return self._last[1]
            with self._counting:
                self._begun += 1
                number = self._begun
            found = self._read()
            self._last = (number, found)
            return found


class SharedPace:
    """The same room between the starts of any two requests, whichever workers send them.

    Args:
        clock: The provider's time. A sleep that a signal ends is not made up for: what is then still to be read and
            settled goes out at once.
        requests_per_s: Most requests in a second; `None`: as many as there are.
    """

    def __init__(self, clock: Clock, requests_per_s: float | None) -> None:
        self._clock = clock
        self._room_s = 1 / requests_per_s if requests_per_s else 0.0
        self._lock = threading.Lock()
        self._last = float("-inf")

    def wait(self) -> None:
        """Wait for one's turn. Workers queue at the lock, so that no wait is longer than the room for one request."""
        if not self._room_s:
            return
        with self._lock:
            left = self._last + self._room_s - self._clock.now()
            if left > 0:
                self._clock.sleep(min(left, self._room_s))  # a clock that was set back makes nobody wait for it
            self._last = self._clock.now()
