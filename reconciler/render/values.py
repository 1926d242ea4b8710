"""Values and their differences as short lines of text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from typing import Any, Final

from reconciler.render.safe import for_terminal
from reconciler.render.style import Style

__all__ = ["inner_diff", "value_text"]

_LONGEST: Final = 160
"""Characters of one value on one line."""
_ON_ONE_LINE: Final = 70
"""Longer lists and maps are shown as an inner difference."""
_CONTEXT: Final = 12
"""Characters of equal text shown around what differs in a long one-line text."""
_MOST_LINES: Final = 30
_COMPARED_LINES: Final = 400
"""Beyond this, two texts are not aligned: it would take quadratic time, and nobody reads it."""


def value_text(value: Any, style: Style) -> str:
    """A JSON value on one line, cut where it is too long; texts in quotes."""
    return _cut(for_terminal(_compact(value)), style)


def inner_diff(before: Any, after: Any, style: Style) -> tuple[tuple[str, str], ...]:
    """How two long values differ, as (sign, line) pairs: `-`, `+`, or a blank for context.

    Returns:
        Nothing when both are short enough to be shown side by side, or when one of them is not there.
    """
    if isinstance(before, str) and isinstance(after, str):
        if "\n" in before or "\n" in after:
            return _line_diff(before.split("\n"), after.split("\n"), style)
        if max(len(before), len(after)) > _LONGEST:
            return _window(before, after, style)
        return ()
    if (
        _is_container(before)
        and _is_container(after)
        and max(len(_compact(before)), len(_compact(after))) > _ON_ONE_LINE
    ):
        return _line_diff(list(_lines_of(before)), list(_lines_of(after)), style)
    return ()


def _is_container(value: Any) -> bool:
    return isinstance(value, Mapping | list | tuple)


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _cut(text: str, style: Style) -> str:
    if len(text) <= _LONGEST:
        return text
    return f"{text[:_LONGEST]}{style.more} ({len(text) - _LONGEST:,} more characters)"


def _lines_of(value: Any, indent: str = "") -> Iterator[str]:
    """A list or map with one element a line; long elements open up."""
    pairs: Iterator[tuple[str, Any]]
    if isinstance(value, Mapping):
        pairs = ((f"{key}: ", item) for key, item in value.items())
    else:
        pairs = (("- ", item) for item in value)
    for head, item in pairs:
        if _is_container(item) and len(_compact(item)) > _ON_ONE_LINE:
            yield f"{indent}{head}".rstrip()
            yield from _lines_of(item, f"{indent}  ")
        else:
            yield f"{indent}{head}{_compact(item)}"


def _line_diff(before: list[str], after: list[str], style: Style) -> tuple[tuple[str, str], ...]:
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    lines: list[tuple[str, str]] = []
    if start:
        lines.append((" ", before[start - 1]))
    if max(len(old), len(new)) > _COMPARED_LINES:
        lines += [*(("-", text) for text in old), *(("+", text) for text in new)]
    else:
        lines += _aligned(old, new)
    if end:
        lines.append((" ", before[len(before) - end]))
    shown = [(sign, _cut(for_terminal(text), style)) for sign, text in lines[:_MOST_LINES]]
    if len(lines) > _MOST_LINES:
        shown.append((" ", f"{style.more} {len(lines) - _MOST_LINES:,} more lines"))
    return tuple(shown)


def _aligned(old: list[str], new: list[str]) -> Iterator[tuple[str, str]]:
    """Removed and added lines with one equal line around each, and a mark where more equal ones were left out."""
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            yield from (("-", text) for text in old[i1:i2])
            yield from (("+", text) for text in new[j1:j2])
        elif i2 - i1 <= 3:  # noqa: PLR2004 - as long as the short form
            yield from ((" ", text) for text in old[i1:i2])
        else:
            yield " ", old[i1]
            yield " ", f"({i2 - i1 - 2} equal lines)"
            yield " ", old[i2 - 1]


def _window(before: str, after: str, style: Style) -> tuple[tuple[str, str], ...]:
    """The part of two long one-line texts that differs, with a little of what is equal around it."""
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    first = max(0, start - _CONTEXT)

    def part(text: str) -> str:
        last = min(len(text), len(text) - end + _CONTEXT)
        shown = _cut(for_terminal(text[first:last]), style)
        return f"{style.more if first else ''}{shown}{style.more if last < len(text) else ''}"

    return (("-", part(before)), ("+", part(after)))
