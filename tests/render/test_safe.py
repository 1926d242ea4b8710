"""What could fool a terminal, a job's log or a Markdown page is shown, never obeyed."""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from reconciler.problems import Origin, Problem
from reconciler.render import machine, markdown, text
from reconciler.render.envelope import empty_result
from reconciler.render.problems import problems_json, problems_text
from reconciler.render.result_markdown import result_markdown
from reconciler.render.rows import ListRow
from reconciler.render.safe import code_span, fence, for_terminal, no_commands, prose

ODD_PIECES = (
    "::",
    "##[",
    "\\|",
    "```",
    "`",
    "|",
    "\\",
    "@org/team",
    "#12",
    "GH-1",
    "http://a.b",
    "www.a.b",
    "<img src=x>",
    "](x)",
    "![x",
    "*",
    "_",
    "~~",
    "&lt;",
    "\n",
    "\r",
    "\t",
    " ",
    "\x1b[31m",
    "\x85",
    "\u202e",
    "\u2028",
    "\u200b",
    "\ud800",
    "ab",
    "1",
)
ODD_TEXT = st.lists(st.one_of(st.sampled_from(ODD_PIECES), st.characters()), max_size=8).map("".join)
COMMAND = re.compile(r"^\s*::|##\[", re.MULTILINE)


def render(source: str) -> list[Token]:
    page = MarkdownIt("commonmark", {"html": True}).enable("table")
    return list(flat(page.parse(source)))


def flat(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from flat(token.children or [])


def test_no_invisible_or_turning_character_reaches_a_terminal() -> None:
    dangerous = {
        chr(number)
        for number in range(sys.maxunicode + 1)
        if unicodedata.category(chr(number)) in {"Cc", "Cs", "Zl", "Zp"}
        or unicodedata.bidirectional(chr(number))
        in {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI", "BN"}
    }
    passed = [f"{ord(c):x}" for c in dangerous if c in for_terminal(f"a{c}b") and unicodedata.category(c) != "Cn"]
    assert not [number for number in passed if unicodedata.category(chr(int(number, 16))) != "Cf"]
    assert not {"200e", "200f", "202a", "202b", "202c", "202d", "202e", "2066", "2067", "2068", "2069", "feff"} & set(
        passed
    )
    assert for_terminal("a\x1b[2Jb\u202ec\nd") == "a\\x1b[2Jb\\u202ec\\nd"


@pytest.mark.parametrize(
    "readable", ["8080", "a chat at http://chat.example:8080/v1", "日本語 é 👍", "std::string a:b"]
)
def test_harmless_text_stays_as_it_is(readable: str) -> None:
    assert for_terminal(readable) == readable


@given(ODD_TEXT)
def test_one_line_stays_one_line_that_is_no_command(odd: str) -> None:
    shown = for_terminal(odd)
    assert len(f"{shown}x".splitlines()) == 1
    assert not COMMAND.search(shown)
    assert not COMMAND.search(no_commands(odd))


@given(ODD_TEXT)
def test_code_span_shows_exactly_the_line(odd: str) -> None:
    tokens = render(f"a {code_span(odd)} z")
    code = [token.content for token in tokens if token.type == "code_inline"]
    assert [part.strip() for part in code] == [for_terminal(odd).strip()]


@given(ODD_TEXT)
def test_cell_never_breaks_its_row(odd: str) -> None:
    cell = code_span(odd, in_table=True)
    # GitHub's reader takes a backslash and any sign behind it as a pair, this test's reader only a backslash and a bar.
    assert "|" not in re.sub(r"\\[!-/:-@\[-`{-~]", "", cell)
    tokens = render(f"| a | b |\n|---|---|\n| {cell} | z |\n")
    assert [token.type for token in tokens].count("td_open") == 2
    assert [token.type for token in tokens].count("code_inline") == 1


@given(st.lists(ODD_TEXT, max_size=5))
def test_fence_is_closed_by_its_own_end_alone(odd: list[str]) -> None:
    tokens = render(fence([for_terminal(line) for line in odd], "diff") + "\n\nafter")
    assert [token.type for token in tokens] == ["fence", "paragraph_open", "inline", "text", "paragraph_close"]


@given(ODD_TEXT)
def test_prose_is_text_and_names_nobody(odd: str) -> None:
    tokens = render(f"a {prose(odd)} z")
    assert {token.type for token in tokens} <= {"paragraph_open", "inline", "text", "text_special", "paragraph_close"}
    shown = "".join(token.content for token in tokens if token.type == "text")
    assert not re.search(r"@\w|#\d|GH-\d|://|www\.", shown, re.IGNORECASE)


def test_hostile_names_stay_text_in_markdown(toy: SimpleNamespace) -> None:
    page = markdown.plan_markdown(
        machine.plan_json(toy.situations["names-that-speak-markdown-stay-text"]()), "@org/team #12"
    )
    tokens = render(page)
    kinds = {token.type for token in tokens}
    assert not kinds & {"link_open", "image", "html_inline"}
    tags = {tag for t in tokens if t.type == "html_block" for tag in re.findall(r"<[^>]*>", t.content)}
    assert tags <= {"<details>", "<details open>", "</details>", "<summary>", "</summary>", "<code>", "</code>"}
    words = "".join(token.content for token in tokens if token.type == "text")
    assert "@org" not in words
    assert "#12" not in words
    assert [token.type for token in tokens].count("td_open") == 4 * 2


def test_no_output_holds_a_line_that_a_runner_obeys(toy: SimpleNamespace) -> None:
    plan = toy.situations["names-that-speak-markdown-stay-text"]()
    data = machine.plan_json(plan)
    rows = [
        ListRow(provider="toy", kind="Engine", name=odd, id=odd, status=odd, phase="ready", owner=odd, endpoint=odd)
        for odd in toy.hostile
    ]
    problems = [Problem(code="c", wrong=odd, expected=odd, address=odd, origin=Origin(odd)) for odd in toy.hostile]
    outputs = [
        text.plan_text(data),
        text.plan_text(data, text.Style(colour=True, unicode=False, width=40, verbose=True)),
        text.list_text(rows),
        problems_text(problems),
        machine.dump(data),
        machine.dump(machine.list_json(rows, problems)),
        markdown.plan_markdown(data, "::add-mask::a"),
        result_markdown({**empty_result(), "problems": problems_json(problems)["problems"]}, "::add-mask::a"),
    ]
    for output in outputs:
        plain = re.sub(r"\x1b\[[0-9;]*m", "", output)
        assert not COMMAND.search(plain)
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u2028]", plain)
    assert json.loads(machine.dump(data)) == data
