"""What every page for GitHub is made of: the room that it may fill, texts cut to it, folded parts, times.

All text from outside stands in code spans and fences, where GitHub looks for no mention, reference, link or tag.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from reconciler.render.problems import problem_text
from reconciler.render.safe import code_span, fence, for_terminal, no_commands, prose

__all__ = [
    "COMMENT_ROOM",
    "POINTER",
    "Room",
    "age_text",
    "asides",
    "bounded",
    "code",
    "cut",
    "finish",
    "folded",
    "heading",
    "left_out",
    "moment_text",
    "problem_lines",
    "size",
    "word",
]

COMMENT_ROOM: Final = 65_000
"""Characters (UTF-16 units) of one comment: GitHub takes 65,536, and whoever posts it adds a hidden mark."""
POINTER: Final = "the job's log and its saved plan hold all of it"
_BYTES: Final = 1_000_000
"""A step summary may hold 1 MiB."""
_MOST_BYTES: Final = 3
"""Of one UTF-16 unit in UTF-8."""
_LONGEST_ASIDE: Final = 6_000
"""Units of all problems, and of all notes, where the page has room for it."""
_SHORTEST_ASIDE: Final = 100
"""A line of it says something; whether there is room even for that, the page decides."""
_ASIDE_SHARE: Final = 10
"""Each of them takes at most a tenth of a page."""
_LONGEST_LINE: Final = 1_000
"""Units of one line: a few lines of a page."""
_LONGEST_NAME: Final = 200
_MOST_TICKS: Final = 8
_WORD: Final = re.compile(r"[a-z]+(-[a-z]+)*|\d{1,3}(\.\d)?", re.ASCII)
_LONG_TICKS: Final = re.compile(f"`{{{_MOST_TICKS + 1},}}")
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


class Room:
    """What is left of the place: counted in UTF-16 units and in bytes, as the two places count."""

    def __init__(self, units: int, above: Iterable[str] = ()) -> None:
        """Args: `units` of the place; `above` stands there already, or has to have room whatever comes."""
        self.units = self._whole = units
        self.bytes = _BYTES
        for text in above:
            self.units -= size(text) + 1
            self.bytes -= _bytes(text) + 1

    def take(self, text: str, *, keep: int = 0) -> bool:
        """Use room for a text and its line break, if it fits and leaves `keep` units, and the same share of bytes."""
        units = size(text) + 1
        bytes_ = _bytes(text) + 1
        if units > self.units - keep or bytes_ > self.bytes - keep * _BYTES // self._whole:
            return False
        self.units -= units
        self.bytes -= bytes_
        return True

    @property
    def sure(self) -> int:
        """Units that fit whatever the characters are."""
        return min(self.units, self.bytes // _MOST_BYTES)

    def take_all(self, parts: Iterable[str], *, keep: int = 0) -> list[str]:
        """Those of the parts that fit; one that does not makes room for smaller ones behind it."""
        return [part for part in parts if self.take(part, keep=keep)]


def size(text: str) -> int:
    """How many UTF-16 units a text has, as GitHub counts a comment."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def cut(text: str, most: int) -> str:
    """A line that is at most so many units long, with a mark where it ends early. Runs of backticks are cut as well.

    A fence or a code span has to be longer than each run in it: one long run would fill the page three times.
    """
    shown = _LONG_TICKS.sub(lambda run: f"{'`' * _MOST_TICKS}… ({len(run[0]) - _MOST_TICKS} more backticks)", text)
    if size(shown) <= most:
        return shown
    return shown.encode("utf-16-le", "surrogatepass")[: 2 * most].decode("utf-16-le", "ignore") + "…"


def bounded(lines: Iterable[str], most: int = _LONGEST_ASIDE) -> list[str]:
    """As many lines as a reader takes in, `most` units in all; each is cut where it alone would be too long."""
    told = list(lines)
    most = max(most, _SHORTEST_ASIDE)
    kept: list[str] = []
    used = 0
    for line in told:
        short = cut(line, min(_LONGEST_LINE, most))
        used += size(short) + 1
        if kept and used > most:
            return [*kept, f"… {len(told) - len(kept)} more"]
        kept.append(short)
    return kept


def asides(groups: Iterable[Iterable[str]], room: int, language: str = "text") -> list[str]:
    """Groups of lines from outside, each as a block of code with its share of the page; empty ones are left out."""
    most = min(_LONGEST_ASIDE, room // _ASIDE_SHARE)
    told = [[for_terminal(line) for line in group] for group in groups]
    return [fence(bounded(group, most), language) + "\n" for group in told if group]


def problem_lines(problems: Iterable[Mapping[str, Any]]) -> list[str]:
    """Problems (as JSON), a line each."""
    return [problem_text(problem) for problem in problems]


def heading(verdict: str, title: str) -> str:
    """The first line, which says how it stands, and what it is about."""
    return f"### {verdict}: {prose(cut(for_terminal(title), _LONGEST_NAME))}\n"


def code(text: str, *, in_table: bool = False, most: int = _LONGEST_NAME) -> str:
    """Text as a code span, cut where it is too long."""
    return code_span(cut(for_terminal(text), most), in_table=in_table)


def word(text: str) -> str:
    """A code, state or small number of ours as it is; what is none (who knows where a document is from) as code."""
    return text if _WORD.fullmatch(text) and len(text) <= _LONGEST_NAME else code(text, in_table=True)


def folded(summary: str, body: str, *, is_open: bool = False) -> str:
    """A part that opens on a click; the summary is safe HTML, the body whole Markdown."""
    return f"<details{' open' if is_open else ''}><summary>{summary}</summary>\n\n{body}\n\n</details>\n"


def left_out(told: str, pointer: str) -> str:
    """The sentence that says what had no room, and where it is."""
    return f"**Not all fits here:** {told}; {prose(cut(for_terminal(pointer), _LONGEST_NAME))}.\n"


def finish(parts: Iterable[str]) -> str:
    """The page, without any line that a runner obeys."""
    return no_commands("\n".join(parts))


def moment_text(seconds: float) -> str:
    """Seconds since the epoch as `2026-11-28 09:00 UTC`."""
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
    except (OverflowError, ValueError, OSError):
        return "an unknown time"


def age_text(seconds: float) -> str:
    """How old something is, in its largest unit: `3 h old`, `45 min old`, `9 days old`."""
    if seconds < -_MINUTE:
        return "which is yet to come (a clock is wrong)"
    if not seconds < float("inf"):
        return "of unknown age"
    for unit, length, least in (("days", _DAY, 2 * _DAY), ("h", _HOUR, _HOUR), ("min", _MINUTE, _MINUTE)):
        if seconds >= least:
            return f"{int(seconds // length)} {unit} old"
    return "under a minute old"
