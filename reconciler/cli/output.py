"""The only printer: results to stdout, everything else to stderr; secrets masked, odd terminals survived (case C55)."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TextIO

from reconciler.secrets.redact import Redactor

if TYPE_CHECKING:
    from reconciler.cli.result import ResultFile
    from reconciler.render.style import Style

__all__ = ["OutputError", "Printer", "columns"]


_USUAL: Final = 80
"""Columns of a terminal that does not tell."""


class OutputError(Exception):
    """The result could not be written (a full disk, a closed stdout)."""


@dataclass(slots=True)
class Printer:
    """Writes for people and machines.

    Attributes:
        redactor: Masks secrets by value in everything that is written.
        verbose: 0, 1 (`-v`) or 2 (`-vv`: every request).
        quiet: No progress.
        above: While something is drawn on the terminal: writes a line above it.
        saved: Where `--result` keeps what becomes of this command.
        log_json: Each line to stderr is a JSON object (`--log-format json`).
    """

    redactor: Redactor = field(default_factory=Redactor)
    verbose: int = 0
    quiet: bool = False
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    above: Callable[[str], None] | None = None
    saved: ResultFile | None = None
    log_json: bool = False
    _said: set[str] = field(default_factory=set)

    @property
    def unicode(self) -> bool:
        """Whether stdout can show more than ASCII."""
        return (getattr(sys.stdout, "encoding", "") or "").lower().replace("-", "") == "utf8"

    @property
    def colour(self) -> bool:
        """Colour only on a terminal that knows it, or with `FORCE_COLOR`; never with `NO_COLOR`."""
        if self.environ.get("NO_COLOR"):
            return False
        return bool(self.environ.get("FORCE_COLOR")) or (self.is_terminal and self.environ.get("TERM") != "dumb")

    @property
    def is_terminal(self) -> bool:
        """Whether stdout is a terminal."""
        return sys.stdout is not None and sys.stdout.isatty()

    @property
    def style(self) -> Style:
        """How to write for whoever reads stdout."""
        from reconciler.render.style import Style  # noqa: PLC0415 - 1 ms, for those who paint

        return Style(colour=self.colour, unicode=self.unicode, width=columns(sys.stdout), verbose=self.verbose > 0)

    def page(self, text: str) -> None:
        """Write a result for eyes: on a terminal its lines break between words, once secrets are out.

        Raises:
            OutputError: as `result`.
        """
        self.result(_fitted(self.redactor.redact(text), sys.stdout), masked=True)

    def result(self, text: str, *, utf8: bool = False, masked: bool = False) -> None:
        """Write the result. `utf8`: files and JSON are UTF-8 whatever the locale; `masked`: secrets are out already.

        Raises:
            OutputError: when it can't be written; a reader that went away is no error.
        """
        shown = text if masked else self.redactor.redact(text)
        line = shown if shown.endswith("\n") else shown + "\n"
        if sys.stdout is None:
            raise OutputError("stdout is closed")
        encoding = "utf-8" if utf8 else (sys.stdout.encoding or "utf-8")
        try:
            _write(sys.stdout, line.encode(encoding, "backslashreplace"))
        except BrokenPipeError:
            _mute(sys.stdout)
        except (OSError, ValueError) as error:
            _mute(sys.stdout)
            raise OutputError(f"the result could not be written: {error}") from None

    def give_up(self) -> None:
        """Write nothing more to stdout: it failed, and the interpreter's last flush would complain of it."""
        if sys.stdout is not None:
            _mute(sys.stdout)

    def note(self, text: str, *, level: str = "") -> None:
        """Write a line to stderr; that nobody can read it never stops the work. `level`: see `render.log.LEVELS`."""
        if sys.stderr is None:
            return
        if self.log_json:
            self._log(text, level=level)
        elif self.above is not None:
            self.above(text)
        else:
            self.say(text)

    def say(self, text: str) -> None:
        """Write a line to stderr, whatever is drawn there."""
        line = _fitted(self.redactor.redact(text).rstrip("\n"), sys.stderr) + "\n"
        with contextlib.suppress(OSError, ValueError):
            _write(sys.stderr, line.encode(sys.stderr.encoding or "utf-8", "backslashreplace"))

    def event(self, name: str, message: str, **facts: Any) -> None:
        """Write an event of a run where lines are for machines: its name, the same in words, and facts as JSON."""
        if self.log_json and sys.stderr is not None:
            self._log(message, event=name, **facts)

    def _log(self, message: str, **facts: Any) -> None:
        from reconciler.render.log import log_line, record  # noqa: PLC0415 - only where it is asked for

        line = log_line(record(message, time.time(), **facts), self.redactor.redact)
        with contextlib.suppress(OSError, ValueError):
            _write(sys.stderr, line.encode("ascii"))

    def note_once(self, text: str) -> None:
        """The same as `note`, but only the first time."""
        if text not in self._said:
            self._said.add(text)
            self.note(text)

    def progress(self, text: str) -> None:
        """Write a progress line, unless `--quiet`."""
        if not self.quiet:
            self.note(text)

    def detail(self, level: int, text: str) -> None:
        """Write a line that only `-v` or `-vv` wants."""
        if self.verbose >= level:
            self.note(text, level="debug")


def columns(stream: TextIO | None) -> int:
    """Columns of a terminal; 0 for everything else, where lines are as long as they are."""
    if stream is None or not stream.isatty():
        return 0
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given):
        return int(given)
    with contextlib.suppress(OSError, ValueError):
        return os.get_terminal_size(stream.fileno()).columns or _USUAL
    return _USUAL


def _fitted(text: str, stream: TextIO | None) -> str:
    width = columns(stream)
    if not width:
        return text
    from reconciler.render.layout import fit  # noqa: PLC0415 - 8 ms with `safe`, and only for a terminal
    from reconciler.render.safe import no_commands  # noqa: PLC0415

    return no_commands("\n".join(fit(text.split("\n"), width)))


def _write(stream: TextIO, data: bytes) -> None:
    stream.flush()
    stream.buffer.write(data)
    stream.buffer.flush()


def _mute(stream: TextIO) -> None:
    """Point a stream that failed to nowhere, so that the interpreter's last flush does not complain."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
