"""Lines that fit a terminal: measured in its columns, broken between words, the rest indented. Decides nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

__all__ = ["columns_of", "fit", "pad", "wrap"]

_PAINT: Final = re.compile(r"(\x1b\[[0-9;]*m)")
_WIDE: Final = (
    "\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff01-\uff60\uffe0-\uffe6"
)
_MARKS: Final = (
    "\u0300-\u036f\u3001\u3002\u3009\u300b\u300d\u300f\u3011\u3099\u309a\uff01\uff09\uff0c\uff1a\uff1b\uff1f"
)
_PIECE: Final = re.compile(rf"[{_WIDE}][{_MARKS}]*|[^\s{_WIDE}]+|\s+")
"""What stays together: a word, or one wide character (between those, a line may break) and what must not leave it."""
_START: Final = re.compile(r"((?:\x1b\[[0-9;]*m)*)( *)(.*)", re.DOTALL)
"""Its paint, its indent, its words."""
_LABELLED: Final = re.compile(r"[A-Za-z][A-Za-z ]{1,15}: ")
_DEEP: Final = 8
"""Columns of indent, from which on `why: because …` is a sentence behind its label: it goes on behind that."""
_HANGING: Final = 4
_LABEL: Final = 12
"""Columns of a word that stays with what it names, where that is too long for any line."""
_NARROWEST: Final = 20
"""Columns: where less is left for the words, they are not moved in."""


def columns_of(text: str) -> int:
    """Columns that a terminal needs: two for wide characters, none for those that stand on another, none for paint."""
    plain = _PAINT.sub("", text)
    if plain.isascii():
        return len(plain)
    from rich.cells import cell_len  # noqa: PLC0415 - most lines need no table of characters

    return cell_len(plain)


def pad(text: str, width: int) -> str:
    """The text with blanks up to that many columns."""
    return text + " " * (width - columns_of(text))


def wrap(text: str, width: int, first: int = 0) -> list[str]:
    """The text in lines of at most `width` columns (the first one of `first`), as far as its words are no longer.

    A word is never broken: a line of ours must not begin with a piece of foreign text, and an id or a URL that is
    longer than the terminal can still be copied as one. Paint goes on.
    """
    lines: list[str] = []
    line, gap, used, room, cell = "", "", 0, first or width, 0
    for part in _PAINT.split(text):
        if part.startswith("\x1b["):
            line, used, gap = line + gap + part, used + len(gap), ""
            continue
        for piece in _PIECE.findall(part):
            if piece.isspace():
                gap += piece
                continue
            needs = columns_of(piece)
            hopeless = needs > width and used <= _LABEL
            while used and not hopeless and used + len(gap) + needs > room:
                # Rather between two cells of a row (two blanks) than inside the last one, if that leaves some of it.
                kept, line = (line[:cell], line[cell:].lstrip(" ")) if cell else (line, "")
                lines.append(kept.rstrip())
                used, room, cell, gap = columns_of(line), width, 0, gap if line else ""
            if len(gap) > 1 and used > room // 3:
                cell = len(line)
            line, used, gap = line + gap + piece, used + len(gap) + needs, ""
    return [*lines, line.rstrip()]


def fit(lines: Iterable[str], width: int) -> Iterator[str]:
    """Lines for a terminal of that many columns (0: any): what is too long goes on below, further in.

    To be called when secrets are masked: a value that holds a blank is no longer found when it is broken there.
    """
    for line in lines:
        if not width or columns_of(line) <= width:
            yield line
            continue
        start, blanks, body = _START.findall(line)[0]
        label = _LABELLED.match(body) if len(blanks) >= _DEEP else None
        moved = label.end() if label and width - len(blanks) - label.end() > _NARROWEST else _HANGING
        inner = min(len(blanks) + moved, max(width - _NARROWEST, len(blanks)))
        first, *rest = wrap(body, width - inner, width - len(blanks))
        yield f"{start}{blanks}{first}"
        yield from (f"{' ' * inner}{one}" for one in rest)
