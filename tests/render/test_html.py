"""The page: all of the plan, nothing but the plan; text stays text; a failure never reads like good news."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.cli.html import load_pages
from reconciler.diff.change import Action
from reconciler.plan.plan import Plan
from reconciler.render import machine
from reconciler.render.block import after_text, before_text, interruption_text
from reconciler.render.drift import sides
from reconciler.render.html import drift_html, plan_html
from reconciler.render.safe import for_terminal
from reconciler.render.style import Style
from tests.conftest import Project
from tests.render import conftest as toys
from tests.render.html_reader import Element, assert_sound
from tests.render.pages import filled, hostile_texts

GOLDEN: Final = Path(__file__).parents[1] / "golden" / "plans"
PLANS: Final = sorted(file.parent.name for file in GOLDEN.glob("*/plan.json"))
DRIFTS: Final = sorted(file.parent.name for file in GOLDEN.glob("*/drift.json"))
BUSY: Final = "somebody-was-busy-behind-the-specs-back"
STYLE: Final = Style()
MARKUP: Final = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</script><b>", "</style>", "<!--", "-->", "]]>",
    "{{ 7*7 }}", "{% include 'page.css' %}", "{# x #}", "&lt;b&gt;", "' onmouseover='x", "javascript:alert(1)",
    "\u202egnp.exe", "\x00\x1b[31m", "a\r\n::error::b", "##[add-mask]a", "n" * 3_000, "名" * 300,
)  # fmt: skip
"""What a page could take for more than text."""


def golden(name: str, file: str = "plan") -> dict[str, Any]:
    return json.loads((GOLDEN / name / f"{file}.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def page_of(plan: Plan) -> Element:
    data = {**machine.plan_json(plan), "resources": machine.plan_file(plan, tool="")["resources"]}
    return assert_sound(plan_html(data, load_pages()))


def section(root: Element, name: str) -> str:
    """The text of a part of the page, by the id of its heading; empty where it is not there."""
    return "".join(part.text for part in root.all(aria_labelledby=name))


def squeezed(text: str) -> str:
    return " ".join(for_terminal(text).split())


@pytest.mark.parametrize("name", PLANS)
def test_the_page_holds_all_of_a_plan(name: str) -> None:
    plan = golden(name)
    root = assert_sound(plan_html(plan, load_pages()))
    blocks = {block.attributes["data-address"]: block for block in root.all("details", class_="change")}
    assert len(blocks) == len(plan["changes"])
    for change in plan["changes"]:
        block = blocks[change["address"]]
        words = [change["reason"], *change["notices"][:1], change["digest"], *change["labels"].values()]
        words += [interruption_text(change)] if interruption_text(change) != "none" else []
        if len(change["message"]) <= 60:
            words.append(change["message"])
        for word in words:
            assert squeezed(word)[1:] in block.text, word
        shown = block.all("ul", class_="fields")[0].children if change["fields"] else []
        assert [one.all("code", class_="path")[0].text for one in shown] == [one["path"] for one in change["fields"]]
        for one, element in zip(change["fields"], shown, strict=True):
            assert ("forces replace" in element.text) == one["forces_replace"]
            assert (one["origin"] or "").rpartition(":")[0] in element.text
            assert (("drifted" in element.text) == (one["class"] in {"drift", "both"})) or "create" in change["action"]
            if not element.all("pre", class_="inner"):
                told = [squeezed(after_text(one, STYLE))]
                told += (
                    [] if "create" in {change["action"], change["intended"]} else [squeezed(before_text(one, STYLE))]
                )
                assert [word for word in told if word not in element.text] == []
            assert all(layer["origin"] in element.text for layer in one["chain"])
    assert len(root.all("ol", class_="steps")[0].children if plan["steps"] else []) == len(plan["steps"])
    for call in (call for step in plan["steps"] for call in step["calls"]):
        assert f"{call['method']} {call['path']}" in section(root, "steps")
    for one in (*plan["problems"], *plan["warnings"]):
        assert squeezed(one["message"]) in section(root, "problems") + section(root, "warnings")
    for one in plan["remarks"]:
        assert squeezed(one["message"]) in section(root, "notes")
    assert all(squeezed(note) in section(root, "notes") for note in plan["notes"])
    assert (plan["digest"] in section(root, "summary")) == bool(plan["changes"] or plan["problems"])


@pytest.mark.parametrize("name", DRIFTS)
def test_the_page_holds_all_of_a_drift(name: str) -> None:
    drift = golden(name, "drift")
    root = assert_sound(drift_html(drift, load_pages()))
    blocks = {block.attributes["data-address"]: block for block in root.all("details", class_="change")}
    assert len(blocks) == len(drift["resources"])
    for one in drift["resources"]:
        block = blocks[one["address"]]
        assert set(block.attributes["data-kind"].split()) == set(one["states"])
        assert one["status"] in block.text
        for field in one["fields"]:
            assert field["path"] in block.text
            if not block.all("pre", class_="inner"):
                is_, was, verb = sides(field, STYLE)
                assert squeezed(f"is {is_}, {verb} {was}") in block.text
    for item in drift["unmanaged"]:
        assert f"{item['provider']}/{item['kind']}" in section(root, "unmanaged")
        assert item["id"] in section(root, "unmanaged")
    words = {"in-sync": "No drift", "drift": "Drift", "incomplete": "Drift check incomplete"}
    assert root.all("h1")[0].text.startswith(f"{words[drift['verdict']]} ")


def test_names_and_values_that_are_markup_stay_text(toy: SimpleNamespace) -> None:
    everything = " ".join(MARKUP)
    fields = tuple(toy.field(f'labels["{n}"]', text, f"{text}{text}") for n, text in enumerate(MARKUP))
    plan = toy.plan(
        toy.change("chat", Action.UPDATE, "fields-differ", everything, fields=fields, notices=MARKUP),
        toy.change("gone", Action.ADOPT, "adopt-requested"),
        notes=MARKUP,
    )
    data = machine.plan_json(plan)
    data["changes"][0]["labels"] = {text: text for text in MARKUP}
    data["changes"][0]["address"] = data["steps"][0]["address"] = f"a/K/{everything}"
    data["owner"] = MARKUP[0]
    root = assert_sound(plan_html(data, load_pages()))
    assert len(root.all("script")) == 1
    assert root.all("title")[0].text == f"Plan with changes: {MARKUP[0]}"
    block, _ = root.all("details", class_="change")
    assert block.attributes["data-address"] == for_terminal(f"a/K/{everything}")
    options = [option.text for option in root.all("select", id="label")[0].all("option")]
    assert sorted(options) == sorted(["all", *(squeezed(f"{text}={text}") for text in MARKUP)])
    for text in MARKUP:
        assert squeezed(f"note: {text}") in section(root, "notes")
    assert "{{ 7*7 }}" in block.text


PROJECT: Final = """\
apiVersion: reconciler/v1
kind: Project
metadata: {name: shop}
spec:
  providers:
    modelarts: {type: modelarts, endpoint: emulator}
"""
NOTEBOOK: Final = """\
---
apiVersion: modelarts/v1
kind: Notebook
metadata: {name: NAME, labels: {team: "研究 <b>"}, NEEDS}
spec:
  description: 实验笔记本
  profile_id: Multi-Engine 1.0 (python3)-cpu
  flavor: modelarts.vm.cpu.2u
  spec: {storage: {type: obs, location: {path: /shop-research/NAME/}}}
"""


def test_plan_show_and_drift_print_the_page(project: Project) -> None:
    one = NOTEBOOK.replace("NAME", "one").replace(", NEEDS", "")
    two = NOTEBOOK.replace("NAME", "two").replace("NEEDS", "dependsOn: [modelarts/Notebook/one]")
    project.write("reconciler.yaml", PROJECT)
    project.write("resources/all.yaml", one)
    assert project.run("apply", "--yes").returncode == 0
    project.write("resources/all.yaml", one + two)
    file = str(project.root / "plan.json")
    shown = project.run("plan", "--out", file, "-o", "html")
    assert (shown.returncode, project.run("show", file, "-o", "html").stdout) == (0, shown.stdout)
    root = assert_sound(shown.stdout)
    assert [block.attributes["data-address"] for block in root.all("details", class_="change")] == [
        "modelarts/Notebook/two"
    ]
    assert "modelarts/Notebook/one is needed by modelarts/Notebook/two" in section(root, "graph")
    assert "team=研究 <b>" in root.all("dl", class_="told")[0].text
    assert root.all("form") == [], "nothing is to be filtered where one thing is"
    drift = project.run("drift", "-o", "html")
    assert drift.returncode == 0
    (found,) = assert_sound(drift.stdout).all("details", class_="change")
    assert "pending" in found.text
    assert "team=研究 <b>" in found.text


@settings(max_examples=12, deadline=None)
@given(hostile_texts(), st.integers(0, 50))
def test_a_page_stays_sound_whatever_it_holds(texts: list[str], start: int) -> None:
    # An address names its provider before its first slash.
    texts = [text.strip().lstrip("/").strip() or "x" for text in [*texts, *MARKUP[:-2]]]
    plan = machine.plan_json(toys.every_action())
    labels = {text: text for text in texts[:4]}
    plan["changes"][0]["labels"] = labels
    assert_sound(plan_html(filled(plan, texts, start=start), load_pages()))
    drift = golden(BUSY, "drift")
    drift["resources"][0]["labels"] = labels
    assert_sound(drift_html(filled(drift, texts, start=start), load_pages()))


def test_a_secret_is_on_no_page(toy: SimpleNamespace) -> None:
    data = machine.plan_json(toy.situations["a-changed-secret-shows-no-value"]())
    page = plan_html(data, load_pages())
    assert toy.canary not in page
    assert assert_sound(page).all("del")[0].text == "(secret)"
    # The second net: what came in by another way is masked, in keys as well; our own script is not touched.
    data["changes"][0]["labels"] = {f"x-{toy.canary}": "addEventListener"}
    data["changes"][0]["message"] = f"the server said {toy.canary}"
    page = plan_html(data, load_pages(), lambda text: re.sub(f"{toy.canary}|addEventListener", "(secret)", text))
    assert toy.canary not in page
    assert "x-(secret)=(secret)" in assert_sound(page).all("dl", class_="told")[0].text


@pytest.mark.parametrize(
    ("name", "verdict", "tone"),
    [
        ("nothing-to-do-says-no-changes", "No changes", "well"),
        ("a-first-apply-shows-new-fields-in-brief", "Plan with changes", "changes"),
        ("every-action-dangerous-ones-first", "Plan incomplete", "alarm"),
        ("a-provider-that-is-down-makes-the-plan-incomplete", "Plan incomplete", "alarm"),
    ],
)
def test_a_failure_never_reads_like_good_news(name: str, verdict: str, tone: str, toy: SimpleNamespace) -> None:
    root = page_of(toy.situations[name]())
    assert root.all("h1")[0].text == f"{verdict} shop/prod"
    assert [part.attributes["class"] for part in root.all(aria_labelledby="summary")] == [f"summary tone-{tone}"]
    headings = [heading.text for heading in root.all("h2")]
    if "provider-that-is-down" in name:
        assert headings[:2] == ["Summary", "Problems"]
        assert "503 upstream is down" in section(root, "problems")
    assert ("Incomplete: something could not be read" in root.text) == (tone == "alarm")
    if tone != "well":
        assert not re.search(r"[Nn]o changes|Nothing is to be done", root.all("body")[0].text)


def test_an_unread_plan_or_drift_without_findings_is_no_proof_of_peace() -> None:
    plan = golden("nothing-moved-since-the-last-apply") | {"partial": True}
    assert "no proof" in section(assert_sound(plan_html(plan, load_pages())), "changes")
    drift = golden(BUSY, "drift") | {"verdict": "incomplete", "resources": []}
    assert "no proof" in section(assert_sound(drift_html(drift, load_pages())), "changes")


def test_a_snapshot_says_its_age_and_that_it_is_no_review(toy: SimpleNamespace) -> None:
    snapshot = {"taken_at": 0, "age_s": 864_000, "revision": None, "old": True, "elsewhere": False}
    data = machine.plan_json(toy.situations["every-action-dangerous-ones-first"]()) | {"snapshot": snapshot}
    told = section(assert_sound(plan_html(data, load_pages())), "summary")
    assert "OLD: from a snapshot of 1970-01-01 00:00 UTC, 10 days old" in told
    assert data["digest"] not in told


def test_bars_are_scaled_by_unit_and_say_the_exact_amounts(toy: SimpleNamespace) -> None:
    costs = {
        toy.address("a"): toy.money("0", "0.1", high="3"),
        toy.address("b"): toy.money("1.5", "0"),
        toy.address("c"): toy.money(None, "0.0000001"),
        toy.address("d"): toy.money("7", "7"),
    }
    plan = toy.plan(*(toy.change(name, Action.CREATE, "not-live") for name in "abcd"), costs=costs)
    (part,) = page_of(plan).all(aria_labelledby="costs")
    rows = part.all("ul", class_="costs")[0].children
    assert [
        [
            (bar.attributes["class"], bar.attributes["width"])
            for bar in row.all("rect")
            if "track" not in bar.attributes["class"]
        ]
        for row in rows
    ] == [
        [("high before", "0"), ("low before", "0"), ("high after", "1000"), ("low after", "34")],
        [("high before", "500"), ("low before", "500"), ("high after", "0"), ("low after", "0")],
        [("high after", "1"), ("low after", "1")],
    ]
    assert "0 → 0.1–3 toy-units/hour" in rows[0].text  # noqa: RUF001 - a range takes an en dash
    assert "unknown → 0.0000001" in rows[2].text


def chain(length: int, *, width: int = 1) -> dict[str, Any]:
    """A saved plan in which each resource needs the one before it; the first of each chain alone is updated."""
    plan = golden("a-new-image-rolls-through-in-place")
    (change,) = plan["changes"]
    names = [[f"toy/Engine/w{row}-{n:03}" for n in range(length)] for row in range(width)]
    plan["changes"] = [{**change, "address": row[0]} for row in names]
    plan["steps"] = []
    plan["resources"] = [
        {"address": row[n], "edges": [{"address": row[n - 1]}] if n else []} for row in names for n in range(length)
    ]
    return plan


@pytest.mark.parametrize(
    ("length", "width", "boxes", "said"),
    [
        (5, 1, 5, ""),
        (80, 1, 80, ""),
        (81, 1, 2, "only what changes, and what that touches: 81 resources"),
        (3, 50, 0, "No picture: 150 resources and 100 arrows"),
        (1, 4, 0, ""),
    ],
)
def test_the_picture_shows_as_much_as_one_can_take_in(length: int, width: int, boxes: int, said: str) -> None:
    root = assert_sound(plan_html(chain(length, width=width), load_pages()))
    drawn = root.all("g", class_="box")
    assert len(drawn) == boxes
    assert said in section(root, "graph")
    if boxes:
        assert "update" in drawn[0].text
        assert "unchanged" in drawn[1].text
        assert len(root.all("path", class_="line")) == boxes - 1
        items = [item.text for part in root.all(aria_labelledby="graph") for item in part.all("li")]
        assert items[0] == "toy/Engine/w0-000 is needed by toy/Engine/w0-001"
        assert len(items) == length - 1
    assert bool(section(root, "graph")) == (length > 1)


def test_what_is_deleted_last_is_what_the_others_needed() -> None:
    plan = golden("a-replace-creates-first-and-both-cost-for-a-while")
    first, then = (step["address"] for step in plan["steps"][:2])
    gone = plan | {"steps": [step | {"op": "delete"} for step in plan["steps"][1:]]}
    for one in (plan, gone):
        told = section(assert_sound(plan_html(one, load_pages())), "graph")
        assert f"{first} is needed by {then}" in told
        assert f"{then} is needed by" not in told


def test_a_long_reason_that_two_share_is_said_once(toy: SimpleNamespace) -> None:
    why = "GET /engines: 503 upstream is down, as it has been since this morning"
    changes = [toy.change(name, Action.UNKNOWN, "list-failed", why, live=None) for name in ("chat", "web")]
    told = section(page_of(toy.plan(*changes, partial=True)), "changes")
    assert told.count(why) == 1
    assert f"the same as above for {toy.address('chat')}" in told


def test_names_fit_their_boxes_and_are_whole_in_their_titles() -> None:
    plan = chain(2)
    name = "runai/Inference/" + "模型服务" * 9 + "-7"
    plan["changes"][0]["address"] = plan["resources"][0]["address"] = plan["resources"][1]["edges"][0]["address"] = name
    box = assert_sound(plan_html(plan, load_pages())).all("g", class_="box")[0]
    assert [text.text for text in box.all("text")] == ["模型服务模型…务模型服务-7", "~ update · runai/Inference"]
    assert box.all("title")[0].text == f"update {name}"


def test_many_dangerous_changes_are_folded_and_few_are_open(toy: SimpleNamespace) -> None:
    for number, is_open in ((10, True), (11, False)):
        changes = [toy.change(f"old-{n}", Action.DELETE, "removed-from-spec") for n in range(number)]
        blocks = page_of(toy.plan(*changes, revision="")).all("details", class_="change")
        assert ["open" in block.attributes for block in blocks] == [is_open] * number


def test_a_drift_says_what_is_known_of_its_moment_and_no_more() -> None:
    drift = golden(BUSY, "drift") | {"environment": "prod"}
    told = section(assert_sound(drift_html(drift, load_pages())), "summary")
    assert "Environmentprod" in told
    assert "Managed43.7 % of 16 live things (6 by us, 1 by other owners)" in told
    assert "Last applyrevision b7a0e05dfa6c, run run-1, 2026-01-01 00:00 UTC, done" in told
    drift |= {"revision": None, "coverage": None, "last_run": None}
    (hidden,) = (one for one in drift["resources"] if one["address"] == "runai/Inference/llm")
    hidden["fields"][0] |= {"sensitive": True, "before": None, "after": None}
    root = assert_sound(drift_html(drift, load_pages()))
    assert "is (another secret), was applied as (secret)" in section(root, "changes")
    told = section(root, "summary")
    assert [word for word in ("Revision", "Managed", "Last apply") if word in told] == []


def test_equal_plans_give_equal_bytes(toy: SimpleNamespace) -> None:
    data = machine.plan_json(toy.situations["every-action-dangerous-ones-first"]())
    shuffled = {key: data[key] for key in sorted(data, reverse=True)} | {"changes": data["changes"][::-1]}
    assert plan_html(data, load_pages()) == plan_html(shuffled, load_pages())


def test_colours_can_be_read_on_what_they_stand_on() -> None:
    style = load_pages()["page.css"]
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#\w{6});", part)) for part in style.split("prefers-color-scheme: dark", 1)
    )
    assert light.keys() == dark.keys()
    for colours in (light, dark):
        texts = [
            name
            for name in colours
            if not name.endswith("-back") and name not in {"page", "card", "line", "before", "after"}
        ]
        pairs = [(text, back) for text in texts for back in ("page", "card")]
        pairs += [("text", f"{name}-back") for name in ("alarm", "warn", "well", "in", "out")]
        pairs += [("alarm", "alarm-back"), ("link", "alarm-back")]
        for text, back in pairs:
            assert contrast(colours[text], colours[back]) >= 4.5, (text, back)
        assert contrast(colours["after"], colours["card"]) >= 3
        assert contrast(colours["before"], colours["card"]) >= 3


def contrast(one: str, other: str) -> float:
    """As WCAG 2 computes it."""

    def light(colour: str) -> float:
        parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
        parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return sum(part * share for part, share in zip(parts, (0.2126, 0.7152, 0.0722), strict=True))

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)
