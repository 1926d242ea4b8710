"""The emulator's time, in seconds since the epoch: standing still (embedded) or wall clock times speed (served)."""

from __future__ import annotations

import threading
import time

__all__ = ["VirtualClock"]


class VirtualClock:
    """A clock that can be advanced. Speed 0 stands still between advances."""

    def __init__(self, start_s: float, speed: float) -> None:
        self._lock = threading.Lock()
        self._base_s = start_s
        self._speed = speed
        self._since = time.monotonic()

    def now(self) -> float:
        """The emulator's present, in seconds since the epoch."""
        with self._lock:
            return self._base_s + (time.monotonic() - self._since) * self._speed

    def advance(self, seconds: float) -> float:
        """Let time pass at once.

        Returns:
            The new present.
        """
        with self._lock:
            self._base_s += max(0.0, seconds)
        return self.now()
