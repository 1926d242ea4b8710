"""How text looks: colour, signs and width. Says nothing about what is shown."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

__all__ = ["Style", "Tone"]


class Tone(StrEnum):
    """What a piece of text is about; its value is the ANSI code that paints it."""

    ALARM = "1;31"
    DELETE = "31"
    REPLACE = "35"
    UPDATE = "33"
    CREATE = "32"
    ADOPT = "36"
    DIM = "2"
    BOLD = "1"
    PLAIN = ""


_RESET: Final = "\x1b[0m"


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How to write for one reader.

    Attributes:
        colour: Paint with ANSI codes; on a terminal only, and never with `NO_COLOR`.
        unicode: Arrows and dashes; else ASCII stands in for our own signs (a user's text is left to the stream).
        width: Columns at which sentences wrap; 0: never.
        verbose: Also the calls of creates, the rule behind each field, and the order of all steps.
    """

    colour: bool = False
    unicode: bool = True
    width: int = 0
    verbose: bool = False

    @property
    def arrow(self) -> str:
        """Between before and after."""
        return "→" if self.unicode else "->"

    @property
    def more(self) -> str:
        """Where something was left out."""
        return "…" if self.unicode else "..."

    @property
    def to(self) -> str:
        """Between the smallest and the largest."""
        return "–" if self.unicode else "-"  # noqa: RUF001 - a range takes an en dash

    @property
    def gutter(self) -> str:
        """Before each line of a text that is not ours, so that none of them begins a line of the output."""
        return "│" if self.unicode else "|"

    def paint(self, text: str, tone: Tone) -> str:
        """The text in its colour, if there are colours."""
        return f"\x1b[{tone}m{text}{_RESET}" if self.colour and tone and text else text
