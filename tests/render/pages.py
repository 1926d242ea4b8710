"""Our pages, read as a Markdown reader does: what is whole, and what would be markup, a mention or a command."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

__all__ = ["HOSTILE", "assert_whole", "filled", "hostile_texts", "tokens_of", "units"]

_READER: Final = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
_OUR_TAGS: Final = frozenset(
    {"<details>", "<details open>", "</details>", "<summary>", "</summary>", "<code>", "</code>", "<sub>", "</sub>"}
)
_NOTIFIES: Final = re.compile(r"@\w|#\d|GH-\d|://|www\.", re.IGNORECASE)
_COMMAND: Final = re.compile(r"^\s*::|##\[", re.MULTILINE)
_HIDDEN: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_ESCAPED: Final = re.compile(r"\\[!-/:-@\[-`{-~]")
_FIXED: Final = frozenset(
    {"format", "action", "op", "state", "states", "verdict", "class", "intended", "replace_order", "command", "failing"}
)
"""Keys of closed sets of words: a document with another one in it is none of ours."""

HOSTILE: Final = (
    "```", "~~~", "@org/team", "#12", "GH-12", "</details>", "</summary>", "<img src=x>", "<!--", "-->", "<details>",
    "[ok](http://evil.example)", "![x](http://evil.example/p.png)", "<http://evil.example>", "www.evil.example",
    "| a | b |", "\\|", "\\", "`", "`" * 400, "**b**", "* x", "# h", "> q", "    code", "- [ ] t", "1. n",
    "&lt;", "$$x$$",
    "::set-output name=digest::x", "::stop-commands::x", "##[error]x", "\n", "\r\n", "\n\n", "\n::add-mask::a\n",
    "\x1b[31m",
    "\x00", "\u202e", "\u2028", "\u200b", "\U000e0041", "\t", "|\n|---|\n", "\n```\n", "\n</details>\n\n", "👍" * 30,
    "[a]: http://evil.example", "\n[a]: http://evil.example\n", ":tada:", "~~x~~", "%%{init: {}}%%",
    '"]; click n0 "x', "",
)  # fmt: skip
"""Pieces of text that somebody, or something, would read as more than text."""


def hostile_texts() -> st.SearchStrategy[list[str]]:
    """A few texts made of such pieces, and of any characters there are."""
    piece = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=8))
    return st.lists(st.lists(piece, min_size=1, max_size=5).map("".join), min_size=3, max_size=9)


def filled(document: Any, texts: list[str], *, start: int = 0) -> Any:
    """A document with one of the texts in each place where a text may stand, keys of free maps as well."""
    turn = iter(range(start, start + 1_000_000))

    def fill(value: Any, key: str) -> Any:
        if isinstance(value, Mapping):
            is_free = key == "cost" and all(isinstance(item, Mapping) for item in value.values())
            return {
                texts[next(turn) % len(texts)] + name if is_free else name: fill(item, name)
                for name, item in value.items()
            }
        if isinstance(value, list):
            return [fill(item, key) for item in value]
        return texts[next(turn) % len(texts)] if isinstance(value, str) and key not in _FIXED else value

    return fill(document, "")


def units(page: str) -> int:
    return len(page.encode("utf-16-le")) // 2


def tokens_of(page: str) -> list[Token]:
    return list(_flat(_READER.parse(page)))


def _flat(tokens: Iterable[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _flat(token.children or ())


def assert_whole(page: str) -> None:
    """Nothing is open at its end, nothing in it is markup that is not ours, and nobody is notified or obeyed."""
    tokens = tokens_of(page)
    lines = page.split("\n")
    assert not {token.type for token in tokens} & {"link_open", "image"}
    tags = [tag for t in tokens if t.type.startswith("html_") for tag in re.findall(r"<[^>]*>?", t.content)]
    assert set(tags) <= _OUR_TAGS
    sides = [tag for tag in tags if "details" in tag]
    assert all(("/" in tag) == bool(index % 2) for index, tag in enumerate(sides))
    assert len(sides) % 2 == 0
    for token in tokens:
        if token.type == "fence":
            assert token.map is not None
            assert lines[token.map[1] - 1] == token.markup, "a fence is open"
        if token.type == "table_open":
            assert token.map is not None
            rows = lines[token.map[0] : token.map[1]]
            assert len({_ESCAPED.sub("", row).count("|") for row in rows}) == 1, "a row has other columns"
    assert [token.markup for token in tokens if token.type == "heading_open"] == ["###"] * page.startswith("### ")
    shown = "\n".join(token.content for token in tokens if token.type == "text")
    assert not _NOTIFIES.search(shown)
    assert not _COMMAND.search(page)
    assert not _HIDDEN.search(page)
    assert tokens[-1].type != "html_block" or "</details>" in tokens[-1].content
