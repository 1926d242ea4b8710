"""SIGINT and SIGTERM while an apply runs: the first one stops it in good order, the second one at once (case C46)."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from reconciler.cli.exits import Exit
from reconciler.cli.output import Printer

__all__ = ["stopping"]


@contextmanager
def stopping(stop: threading.Event, printer: Printer, timeout_s: float | None) -> Iterator[None]:
    """Set `stop` at a signal, or after `timeout_s` seconds; at the second signal the process ends with exit code 3."""
    heard = 0

    def on_signal(number: int, _frame: FrameType | None) -> None:
        nonlocal heard
        heard += 1  # first of all: the second signal may come while the first one is being answered
        if heard > 1:
            if printer.above is not None:
                os.write(2, b"\x1b[?25h\r\n")  # the cursor comes back
            # What is under way is journaled as open; the next run settles it.
            os._exit(int(Exit.INCOMPLETE))
        stop.set()
        printer.note(
            f"{signal.Signals(number).name}: no new writes; what is under way is finished (again: stop at once)"
        )

    def on_timeout() -> None:
        printer.note(f"--timeout of {timeout_s:g} s is over: no new writes; what is under way is finished")
        stop.set()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    timer = threading.Timer(timeout_s, on_timeout) if timeout_s is not None else None
    if timer is not None:
        timer.daemon = True
        timer.start()
    try:
        yield
    finally:
        if timer is not None:
            timer.cancel()
        for number, handler in before.items():
            signal.signal(number, handler)
