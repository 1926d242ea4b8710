"""What a person sees while an apply works: a live screen on a terminal, one quiet line a change of state elsewhere."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Protocol

from reconciler.cli.output import Printer, columns
from reconciler.plan.outcome import Outcome
from reconciler.render.layout import fit
from reconciler.render.log import ended_json
from reconciler.render.safe import for_terminal

__all__ = ["Progress", "reading", "showing"]

_PATIENCE_S: Final = 0.8
_FRAME_S: Final = 0.12
"""When a person begins to wonder, and how often a wheel turns."""
_DUMB: Final = frozenset({"", "dumb"})


class Progress(Protocol):
    """Hears of a run; may be called from several threads."""

    def say(self, address: str, sentence: str) -> None:
        """A step has news."""
        ...

    def ended(self, outcome: Outcome) -> None:
        """A step has come to its end."""
        ...


class _Lines:
    """A line a piece of news: for logs and pipes."""

    def __init__(self, printer: Printer) -> None:
        self._printer = printer

    def say(self, address: str, sentence: str) -> None:
        """See `Progress`."""
        self._printer.progress(f"{address}: {sentence}")

    def ended(self, outcome: Outcome) -> None:
        """See `Progress`."""
        self._printer.progress(_told(outcome))


class _Events:
    """An object a piece of news: for machines."""

    def __init__(self, printer: Printer) -> None:
        self._printer = printer

    def say(self, address: str, sentence: str) -> None:
        """See `Progress`."""
        self._printer.event("step-news", f"{address}: {sentence}", address=address)

    def ended(self, outcome: Outcome) -> None:
        """See `Progress`."""
        self._printer.event("step-ended", _told(outcome), **ended_json(outcome))


class _Silence:
    """Nothing, for `--quiet` where lines are for machines."""

    def say(self, address: str, sentence: str) -> None:
        """See `Progress`."""

    def ended(self, outcome: Outcome) -> None:
        """See `Progress`."""


class _Screen:
    """Steps under way, each with its last news and its time, below what has been done; gone when the run is over."""

    def __init__(self, printer: Printer, total: int) -> None:
        # 60 ms, and only where there is a terminal to draw on.
        from rich.console import Console  # noqa: PLC0415
        from rich.progress import Progress as Bars  # noqa: PLC0415
        from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415
        from rich.table import Column  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        self._text = Text
        self._printer = printer
        self._total = total
        self._done = 0
        self._mutex = threading.Lock()
        self._running: dict[str, Any] = {}
        self._console = Console(file=sys.stderr, highlight=False)
        plain = Column(no_wrap=True, overflow="ellipsis")
        self._bars = Bars(
            SpinnerColumn("dots" if _is_unicode() else "line"),
            TextColumn("{task.description}", markup=False, table_column=plain),
            TextColumn("{task.fields[news]}", markup=False, style="dim", table_column=plain),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        )
        self._all = self._bars.add_task(self._counted(), total=None, news="")

    def start(self) -> None:
        """Draw from now on; notes of others go above it."""
        self._bars.start()
        self._printer.above = self._above

    def stop(self) -> None:
        """Leave the terminal as if nothing had been drawn."""
        self._printer.above = None
        self._bars.stop()

    def say(self, address: str, sentence: str) -> None:
        """See `Progress`."""
        news = self._clean(sentence)
        with self._mutex:
            if address in self._running:
                self._bars.update(self._running[address], news=news)
            else:
                self._running[address] = self._bars.add_task(self._clean(address), total=None, news=news)

    def ended(self, outcome: Outcome) -> None:
        """See `Progress`."""
        with self._mutex:
            task = self._running.pop(outcome.address, None)
            if task is not None:
                self._bars.remove_task(task)
            self._done += 1
            self._bars.update(self._all, description=self._counted())
        self._above(_told(outcome))

    def _counted(self) -> str:
        return f"{self._done} of {self._total} steps"

    def _clean(self, text: str) -> str:
        return for_terminal(self._printer.redactor.redact(text))

    def _above(self, line: str) -> None:
        lines = fit(map(self._clean, line.rstrip("\n").split("\n")), self._console.width)
        self._console.print(self._text("\n".join(lines)), soft_wrap=True)


def _told(outcome: Outcome) -> str:
    said = f": {outcome.message}" if outcome.message else ""
    took = f" after {outcome.seconds:.0f} s" if outcome.seconds >= 1 else ""
    op = "wait" if outcome.op == "none" else str(outcome.op)
    return f"{outcome.address}: {op} {outcome.state}{took}{said}"


def _is_unicode() -> bool:
    return (getattr(sys.stderr, "encoding", "") or "").lower().replace("-", "") == "utf8"


def _has_terminal(environ: Mapping[str, str]) -> bool:
    """Whether stderr is a terminal that one can draw on, with a person before it."""
    drawable = environ.get("TERM", "") not in _DUMB and not environ.get("CI")
    return drawable and sys.stderr is not None and sys.stderr.isatty()


@contextmanager
def showing(printer: Printer, total: int) -> Iterator[Progress]:
    """The progress of a run of `total` steps, for as long as it works."""
    if printer.log_json:
        yield _Silence() if printer.quiet else _Events(printer)
        return
    if printer.quiet or not _has_terminal(printer.environ):
        yield _Lines(printer)
        return
    screen = _Screen(printer, total)
    screen.start()
    try:
        yield screen
    finally:
        screen.stop()


class _Wheel:
    """One line that says what is waited for, drawn when that takes long; hides no cursor and needs no library."""

    def __init__(self, printer: Printer, text: str) -> None:
        self._printer = printer
        self._text = text
        self._mutex = threading.RLock()  # a signal's handler may speak while the main thread does
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._turn, daemon=True)

    def start(self) -> None:
        """Wait, then draw; notes of others go above it."""
        self._printer.above = self._above
        self._thread.start()

    def stop(self) -> None:
        """Leave the terminal as if nothing had been drawn."""
        self._over.set()
        self._thread.join()
        self._printer.above = None

    def _turn(self) -> None:
        began, frames, turn = time.monotonic(), "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏" if _is_unicode() else "|/-\\", 0
        if self._over.wait(_PATIENCE_S):
            return
        while not self._over.is_set():
            told = f"{frames[turn % len(frames)]} {self._text}, {time.monotonic() - began:.0f} s"
            with self._mutex:
                self._write(f"\r{told[: columns(sys.stderr) - 1]}\x1b[K")
            turn += 1
            self._over.wait(_FRAME_S)
        with self._mutex:
            self._write("\r\x1b[K")

    def _above(self, line: str) -> None:
        with self._mutex:
            self._write("\r\x1b[K")
            self._printer.say(line)

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(text)
            sys.stderr.flush()


@contextmanager
def reading(printer: Printer, names: Iterable[str]) -> Iterator[None]:
    """Say on a terminal that these providers are being read, once that takes long; elsewhere nothing."""
    told = ", ".join(names)
    if printer.quiet or printer.log_json or printer.above is not None or not told or not _has_terminal(printer.environ):
        yield
        return
    wheel = _Wheel(printer, f"reading {for_terminal(told)}")
    wheel.start()
    try:
        yield
    finally:
        wheel.stop()
