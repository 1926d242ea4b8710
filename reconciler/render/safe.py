"""Text from outside, made harmless for the place where it is shown: a terminal, a job's log, Markdown.

Three readers can be fooled by a name, a description or a server's message: a terminal (control characters, colours,
text that runs backwards), GitHub's runner (a line that starts with `::`, or holds `##[`, is a command) and a Markdown
page (mentions, references, links, images, tags, tables, fences). What could fool them is shown as an escape.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

__all__ = ["code_span", "fence", "for_terminal", "no_commands", "prose", "summary_code"]

_HIDDEN: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202f\u2060-\u206f"
    "\u3164\ud800-\udfff\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Control, format, invisible and direction characters, and halves of characters that UTF-8 can't write."""
_SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ONE_BYTE: Final = 0xFF
_TWO_BYTES: Final = 0xFFFF
_WORD_COMMAND: Final = re.compile(r"(?:^|(?<=\s))::")
_LINE_COMMAND: Final = re.compile(r"^((?:\s|\x1b\[[0-9;]*m)*)::", re.MULTILINE)
_OLD_COMMAND: Final = "##["
_PUNCTUATION: Final = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~&:@\"'$^])")
_BACKTICKS: Final = re.compile(r"`+")
_BREAK: Final = "\u200b"
_REFERENCES: Final = (
    (re.compile(r"@"), f"@{_BREAK}"),
    (re.compile(r"#(?=\w)"), f"#{_BREAK}"),
    (re.compile(r"(GH)-(?=\d)", re.IGNORECASE), rf"\1-{_BREAK}"),
    (re.compile(r":(?=//)"), f":{_BREAK}"),
    (re.compile(r"(www)\.", re.IGNORECASE), rf"\1{_BREAK}."),
    (re.compile(r"\b([0-9a-f]{4})(?=[0-9a-f]{3,36}\b)"), rf"\1{_BREAK}"),
)
"""What GitHub turns into a mention, a reference or a link even where Markdown's own signs are escaped."""


def for_terminal(text: str) -> str:
    """One line that a terminal and a job's log show as it is: what is invisible or a command becomes an escape."""
    shown = _HIDDEN.sub(_escape, text)
    return _WORD_COMMAND.sub(r"\\::", shown).replace(_OLD_COMMAND, "##\\[")


def no_commands(text: str) -> str:
    """A finished output of many lines without any line that GitHub's runner would obey.

    The runner drops blanks at the start of a line before it looks for `::`, and finds `##[` anywhere in it.
    """
    return _LINE_COMMAND.sub(r"\1\\::", text).replace(_OLD_COMMAND, "##\\[")


def prose(text: str) -> str:
    """Text for a heading or a sentence of Markdown: nothing in it is markup, and nobody is notified."""
    shown = for_terminal(text)
    for pattern, instead in _REFERENCES:
        shown = pattern.sub(instead, shown)
    return _PUNCTUATION.sub(r"\\\1", shown)


def code_span(text: str, *, in_table: bool = False) -> str:
    r"""Text as Markdown code, whatever it holds.

    In a table a bar must be escaped, and a bar behind a backslash can't be: that one is shown as `\x7c`.
    """
    shown = for_terminal(text) or " "
    if in_table:
        shown = shown.replace("\\|", "\\\\x7c").replace("|", "\\|")
    ticks = "`" * (_longest_run(shown) + 1)
    pad = " " if shown.startswith("`") or shown.endswith("`") or len(ticks) > 1 else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}"


def summary_code(text: str) -> str:
    """Text as `<code>` inside a line of HTML, such as `<summary>`."""
    import html  # noqa: PLC0415 - 1 ms, and terminals need none of it

    return f"<code>{html.escape(for_terminal(text))}</code>"


def fence(lines: Iterable[str], language: str = "") -> str:
    """Lines (each without a line break) as a block of code that none of them can close."""
    body = list(lines)
    ticks = "`" * max(3, 1 + max(map(_longest_run, body), default=0))
    return "\n".join([f"{ticks}{language}", *body, ticks])


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    number = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    if number <= _ONE_BYTE:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= _TWO_BYTES else f"\\U{number:08x}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in _BACKTICKS.findall(text)), default=0)
