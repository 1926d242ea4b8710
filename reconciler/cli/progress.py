"""What a person sees while an apply works: a live screen on a terminal, one quiet line a change of state elsewhere."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Protocol

from reconciler.cli.output import Printer
from reconciler.plan.outcome import Outcome
from reconciler.render.safe import for_terminal

__all__ = ["Progress", "showing"]

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
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True)),
            TextColumn("{task.fields[news]}", markup=False, style="dim", table_column=plain),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        )
        self._all = self._bars.add_task("", total=None, news=self._counted())

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
            self._bars.update(self._all, news=self._counted())
        self._above(_told(outcome))

    def _counted(self) -> str:
        return f"{self._done} of {self._total} steps"

    def _clean(self, text: str) -> str:
        return for_terminal(self._printer.redactor.redact(text))

    def _above(self, line: str) -> None:
        self._console.print(self._text(self._clean(line)), soft_wrap=True)


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
    if printer.quiet or not _has_terminal(printer.environ):
        yield _Lines(printer)
        return
    screen = _Screen(printer, total)
    screen.start()
    try:
        yield screen
    finally:
        screen.stop()
