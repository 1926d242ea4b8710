"""The comment: whole, bounded, and never better news than there is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.diff.change import Action, Change
from reconciler.plan.plan import Plan
from reconciler.problems import Problem
from reconciler.render import machine, markdown
from reconciler.render.envelope import empty_result
from reconciler.render.problems import problems_json
from reconciler.render.result_markdown import result_markdown
from tests.render import conftest as toys
from tests.render.pages import assert_whole, filled, hostile_texts, tokens_of, units

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


@pytest.mark.parametrize(("deletes", "updates"), [(40, 860), (300, 600), (0, 900), (900, 0)])
def test_long_plan_fits_a_comment_in_whole_resources(deletes: int, updates: int, toy: SimpleNamespace) -> None:
    plan = many(toy, deletes=deletes, updates=updates)
    page = markdown.plan_markdown(machine.plan_json(plan), "shop/prod")
    assert units(page) <= markdown.COMMENT_ROOM
    assert_whole(page)
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
    assert_whole(page)


def test_short_plan_leaves_nothing_out(situation: str, toy: SimpleNamespace) -> None:
    data = machine.plan_json(toy.situations[situation]())
    page = markdown.plan_markdown(data, "shop/prod")
    assert "Not all fits here" not in page
    assert page.count("| `toy/Engine/") == len(data["changes"])
    assert_whole(page)


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

    def page(*problems: Problem) -> str:
        told = problems_json(problems)["problems"]
        return result_markdown({**empty_result(), "finished": True, "exit_code": 1, "problems": told}, "shop")

    for shown in (page(problem), page()):
        assert shown.startswith("### Plan failed: shop\n")
        assert "no changes" not in shown.lower()
    assert page(*[problem] * 5_000).count("\n") < 1_000


def test_text_and_markdown_tell_the_same_fields(situation: str, toy: SimpleNamespace) -> None:
    data = machine.plan_json(toy.situations[situation]())
    page = markdown.plan_markdown(data, "shop/prod")
    for change in data["changes"]:
        assert f"{change['address']}" in page
        assert change["reason"] in page


# -- size: case C49 ---------------------------------------------------------------------------------------------------


@cache
def huge(*, replaces: int, deletes: int, updates: int) -> dict[str, Any]:
    """900 changes with long paths and texts in characters of many bytes, and with everything else too long as well."""
    text = "新しい👍" * 80
    fields = tuple(toys.field(f"labels[{'キー' * 40}{index}]", f"旧{text}", text) for index in range(4))
    changes = [toys.change(f"old-{n:04}", Action.DELETE, "removed-from-spec", text) for n in range(deletes)]
    changes += [
        toys.change(f"new-{n:04}", Action.REPLACE, "field-forces-replace", text, fields=fields) for n in range(replaces)
    ]
    changes += [toys.change(f"app-{n:04}", Action.UPDATE, "fields-differ", fields=fields) for n in range(updates)]
    problems = tuple(Problem(code="list-failed", address="toy/Engine", wrong=text, expected=text) for _ in range(20))
    plan = machine.plan_json(toys.plan(*changes, notes=(text,) * 20, problems=problems, warnings=problems))
    money = {"before": None, "after": None}
    plan["totals"]["cost"] = {f"{n}{text}": money for n in range(20)}
    plan["remarks"] = [{"address": text, "reason": text, "message": text}] * 20
    return plan


@pytest.mark.parametrize("room", [4_000, 65_000, 1_000_000])
def test_a_page_never_outgrows_its_place(room: int) -> None:
    snapshot = {"taken_at": 1e300, "age_s": 1e300, "revision": "👍", "old": True}
    plan = {**huge(replaces=300, deletes=200, updates=400), "snapshot": snapshot}
    page = markdown.plan_markdown(
        plan, "新👍" * 900, room=room, pointer="👍" * 900, since={f"{n}👍" * 90: "" for n in range(900)}
    )
    assert units(page) <= room
    assert len(page.encode()) <= 1_000_000
    assert_whole(page)
    assert page.startswith("### Plan incomplete: ")
    assert "Not all fits here" in page
    assert "```text\ntoy/Engine: 新しい👍" in page
    assert page.count("| **REPLACE** |") > 0 or room == 4_000


def test_a_run_of_backticks_takes_no_page_for_its_fence() -> None:
    ticks = Problem(code="list-failed", wrong=f"GET: {'`' * 9_000}", expected="it to answer")
    page = markdown.plan_markdown(machine.plan_json(toys.plan(problems=(ticks,))), "shop", room=4_000)
    assert "````````… (8992 more backticks)" in page
    assert "it to answer" in page
    assert_whole(page)


def test_dangerous_rows_say_less_before_any_is_left_out() -> None:
    page = markdown.plan_markdown(huge(replaces=300, deletes=200, updates=400), "shop/prod", room=65_000)
    assert page.count("| **REPLACE** |") == 300
    assert page.count("| **DELETE** |") == 200
    assert re.search(r"\*\*REPLACE\*\* \| `toy/Engine/new-0000` \| 4 fields \|", page)


# -- changed since the last plan --------------------------------------------------------------------------------------


def shown(plan: Mapping[str, Any]) -> dict[str, str]:
    return {change["address"]: change["digest"][:32] for change in plan["changes"]}


def test_what_changed_since_the_last_plan_stands_by_address_the_dangerous_ones_first(toy: SimpleNamespace) -> None:
    plan = machine.plan_json(toy.situations["every-action-dangerous-ones-first"]())
    before = shown(plan) | {"toy/Engine/updated": "0" * 32, "toy/Engine/past`": "1" * 32}
    del before["toy/Engine/created"], before["toy/Engine/deleted"]
    page = markdown.plan_markdown(plan, "shop", since=before)
    expected = """\
Changed since the last plan: 2 new, 1 changed, 1 no longer

- new: DELETE `toy/Engine/deleted`
- changed: update `toy/Engine/updated`
- new: create `toy/Engine/created`
- no longer: `` toy/Engine/past` ``

"""
    assert expected in page
    assert_whole(page)


def test_an_equal_plan_says_that_nothing_changed_and_a_first_one_says_nothing(toy: SimpleNamespace) -> None:
    plan = machine.plan_json(toy.situations["every-action-dangerous-ones-first"]())
    assert "Changed since the last plan: nothing.\n" in markdown.plan_markdown(plan, "shop", since=shown(plan))
    assert "since the last plan" not in markdown.plan_markdown(plan, "shop")
    assert f"{len(plan['changes'])} new" in markdown.plan_markdown(plan, "shop", since={})


def test_what_changed_since_is_cut_by_whole_lines(toy: SimpleNamespace) -> None:
    plan = machine.plan_json(many(toy, deletes=0, updates=900))
    page = markdown.plan_markdown(plan, "shop", since={})
    listed = re.findall(r"^- new: update `toy/Engine/app-\d{4}`$", page, re.MULTILINE)
    more = re.search(r"^- … (\d+) more$", page, re.MULTILINE)
    assert more is not None
    assert 100 < len(listed) == 900 - int(more[1])
    assert_whole(page)


# -- the graph --------------------------------------------------------------------------------------------------------


def chain(count: int) -> dict[str, Any]:
    """A plan of so many creates, each needing the one before."""
    names = [f"n{number:02}" for number in range(count)]
    needs: list[list[str]] = [[], *([name] for name in names)]
    return machine.plan_json(
        toys.plan(
            *(
                toys.change(name, Action.CREATE, "not-live", desired=toys.resource(name, needs=needed))
                for name, needed in zip(names, needs[:count], strict=True)
            )
        )
    )


def pictures(page: str) -> list[str]:
    return [token.content for token in tokens_of(page) if token.type == "fence" and token.info == "mermaid"]


@pytest.mark.parametrize(("count", "is_drawn"), [(1, False), (4, False), (5, True), (25, True), (26, False)])
def test_order_is_drawn_where_it_is_small(*, count: int, is_drawn: bool) -> None:
    page = markdown.plan_markdown(chain(count), "shop")
    assert bool(pictures(page)) == is_drawn
    assert ("<summary>Order of the steps</summary>" in page) == is_drawn
    assert_whole(page)


def test_a_short_walk_is_told_in_words() -> None:
    page = markdown.plan_markdown(chain(3), "shop")
    assert "\n\nOrder: create `toy/Engine/n00`, then create `toy/Engine/n01`, then create `toy/Engine/n02`.\n\n" in page


def test_the_picture_has_each_step_that_waits_and_no_arrow_that_follows_from_others() -> None:
    plan = chain(2)
    first, then = plan["steps"]
    plan["steps"] += [
        first | {"id": "x", "address": "toy/Engine/alone", "after": ["elsewhere"]},
        first | {"id": "y", "op": "delete", "after": [first["id"], then["id"]]},
        first | {"id": "z", "address": "toy/Engine/n03", "after": [first["id"]]},
    ]
    (picture,) = pictures(markdown.plan_markdown(plan, "shop"))
    assert picture == (
        "flowchart LR\n"
        '  subgraph p0["toy"]\n'
        '    n0["Engine/n00: create"]\n'
        '    n1["Engine/n00: delete"]\n'
        '    n2["Engine/n01: create"]\n'
        '    n3["Engine/n03: create"]\n'
        "  end\n"
        "  n0 --> n2\n"
        "  n0 --> n3\n"
        "  n2 --> n1\n"
    )


def test_the_picture_turns_no_text_around() -> None:
    plan = chain(5)
    plan["steps"][0]["address"] = f"toy/Engine/\u202e{'x' * 500}"
    (picture,) = pictures(markdown.plan_markdown(plan, "shop"))
    assert '["Engine/#92;u202exxx' in picture
    assert len(picture) < 600


# -- from a snapshot --------------------------------------------------------------------------------------------------

TAKEN = 1_795_856_400.0


@pytest.mark.parametrize(
    ("age_s", "old", "how"),
    [
        (3 * 3600 + 60, False, "3 h old: n"),
        (59, False, "under a minute old: n"),
        (2700, False, "45 min old: n"),
        (9 * 86400, True, "9 days old; what is live may be different by now.** N"),
        (-3600, False, "which is yet to come (a clock is wrong): n"),
        (float("inf"), False, "of unknown age: n"),
    ],
)
def test_a_plan_from_a_snapshot_names_its_age_and_no_digest(*, age_s: float, old: bool, how: str) -> None:
    begin = "**OLD: from" if old else "From"
    line = f"{begin} a snapshot of 2026-11-28 09:00 UTC, {how}obody's credentials were used. It counts as no review."
    plan = machine.plan_json(toys.every_action())
    plan["snapshot"] = {"taken_at": TAKEN, "age_s": age_s, "revision": None, "old": old}
    page = markdown.plan_markdown(plan, "shop")
    assert page.splitlines()[2] == line
    assert plan["digest"] not in page
    assert "Revision `3f9c2d1e8a7b`" in page
    live = markdown.plan_markdown({**plan, "snapshot": None}, "shop")
    assert "snapshot" not in live
    assert plan["digest"] in live


# -- text from outside: case C50 --------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(hostile_texts(), st.integers(0, 50), st.sampled_from([4_000, 65_000]))
def test_a_plan_stays_whole_whatever_it_holds(texts: list[str], start: int, room: int) -> None:
    plan = machine.plan_json(toys.every_action()) | {
        "snapshot": {"taken_at": 0, "age_s": 0, "revision": "", "old": True}
    }
    plan["steps"] += chain(3)["steps"]
    page = markdown.plan_markdown(
        filled(plan, texts, start=start), texts[0], room=room, pointer=texts[1], since={text: text for text in texts}
    )
    assert units(page) <= room
    assert_whole(page)
