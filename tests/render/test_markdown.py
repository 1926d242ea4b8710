"""The comment: whole, bounded, and never better news than there is."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
from markdown_it import MarkdownIt

from reconciler.diff.change import Action, Change
from reconciler.plan.plan import Plan
from reconciler.problems import Problem
from reconciler.render import machine, markdown

SUMMARY_ROOM = 1_000_000


def many(toy: SimpleNamespace, *, deletes: int, updates: int, words: int = 30) -> Plan:
    changes: list[Change] = [
        toy.change(f"old-{n:04}", Action.DELETE, "removed-from-spec", "it is no longer in the spec")
        for n in range(deletes)
    ]
    for number in range(updates):
        fields = [toy.field(f"text{index}", "旧" * words, "新しい👍" * words) for index in range(4)]
        changes.append(toy.change(f"app-{number:04}", Action.UPDATE, "fields-differ", fields=tuple(fields)))
    return toy.plan(*changes)  # type: ignore[no-any-return]  # the builders are untyped


def is_whole(page: str) -> bool:
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(page)
    html = "".join(token.content for token in tokens if token.type == "html_block")
    return (
        len(re.findall("<details", html)) == len(re.findall("</details>", html))
        and tokens[-1].type == "paragraph_close"
    )


@pytest.mark.parametrize(("deletes", "updates"), [(40, 860), (300, 600), (0, 900), (900, 0)])
def test_long_plan_fits_a_comment_in_whole_resources(deletes: int, updates: int, toy: SimpleNamespace) -> None:
    plan = many(toy, deletes=deletes, updates=updates)
    page = markdown.plan_markdown(machine.plan_json(plan), "shop/prod")
    assert len(page.encode("utf-16-le")) // 2 <= markdown.COMMENT_ROOM
    assert is_whole(page)
    assert plan.digest in page
    assert "Not all fits here" in page
    named = re.findall(r"\*\*DELETE\*\* \| `toy/Engine/(old-\d+)`", page)
    assert len(named) == deletes
    told = re.search(r"(\d+) resources are not in the table, (\d+) without details", page)
    assert told is not None
    assert int(told[1]) == deletes + updates - page.count("| `toy/Engine/")
    assert int(told[2]) == deletes + updates - page.count("<details")


def test_summary_stays_below_its_bytes(toy: SimpleNamespace) -> None:
    plan = many(toy, deletes=100, updates=700, words=60)
    page = markdown.plan_markdown(machine.plan_json(plan), "shop/prod", room=SUMMARY_ROOM)
    assert 500_000 < len(page.encode()) < 1_048_576
    assert is_whole(page)


def test_short_plan_leaves_nothing_out(situation: str, toy: SimpleNamespace) -> None:
    data = machine.plan_json(toy.situations[situation]())
    page = markdown.plan_markdown(data, "shop/prod")
    assert "Not all fits here" not in page
    assert page.count("| `toy/Engine/") == len(data["changes"])
    assert is_whole(page)


@pytest.mark.parametrize(
    ("situation_name", "first"),
    [
        ("nothing-to-do-says-no-changes", "### No changes: shop/prod"),
        ("a-provider-that-is-down-makes-the-plan-incomplete", "### Plan incomplete: shop/prod"),
        ("a-replace-says-what-forces-it-and-what-it-costs", "### Plan with changes: shop/prod"),
    ],
)
def test_first_line_says_how_it_stands(situation_name: str, first: str, toy: SimpleNamespace) -> None:
    page = markdown.plan_markdown(machine.plan_json(toy.situations[situation_name]()), "shop/prod")
    assert page.splitlines()[0] == first


def test_blocked_plan_says_so_in_its_first_line(toy: SimpleNamespace) -> None:
    plan = toy.plan(toy.change("a", Action.BLOCKED, "conflict", "somebody else's", intended=Action.CREATE))
    assert markdown.plan_markdown(machine.plan_json(plan), "shop").startswith("### Plan blocked: shop\n")


def test_failure_is_never_green_nor_empty() -> None:
    problem = Problem(code="unknown-field", wrong="unknown field ```", expected="a field")
    for page in (markdown.problems_markdown([problem], "shop"), markdown.problems_markdown([], "shop")):
        assert page.startswith("### Plan failed: shop\n")
        assert "no changes" not in page.lower()
    assert markdown.problems_markdown([problem] * 5_000, "shop").count("\n") < 1_000


def test_text_and_markdown_tell_the_same_fields(situation: str, toy: SimpleNamespace) -> None:
    data = machine.plan_json(toy.situations[situation]())
    page = markdown.plan_markdown(data, "shop/prod")
    for change in data["changes"]:
        assert f"{change['address']}" in page
        assert change["reason"] in page
