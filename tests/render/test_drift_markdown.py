"""The drift issue: what vanished first, whole, bounded, and the same bytes while nothing moves."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.render.drift_markdown import drift_markdown
from tests.render.pages import assert_whole, filled, hostile_texts, units

GOLDEN: Final = Path(__file__).parents[1] / "golden" / "plans"
SITUATIONS: Final = sorted(file.parent.name for file in GOLDEN.glob("*/drift.json"))
BUSY: Final = "somebody-was-busy-behind-the-specs-back"


def drift(name: str = BUSY) -> dict[str, Any]:
    return json.loads((GOLDEN / name / "drift.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", SITUATIONS)
def test_drift_reads_as_reviewed(name: str, pytestconfig: pytest.Config) -> None:
    data = drift(name)
    page = drift_markdown(data, data["owner"])
    file = GOLDEN / name / "drift.md"
    if pytestconfig.getoption("--update-golden", default=False):
        file.write_bytes(page.encode())
    assert page == file.read_bytes().decode(), f"{name}/drift.md differs; --update-golden, then review it"
    assert_whole(page)


def test_equal_drift_at_another_time_differs_in_the_last_line_alone() -> None:
    again = drift() | {
        "checked_at": 1_795_856_400.5,
        "revision": "f" * 40,
        "last_run": {"id": "r2", "revision": None, "started": 1_795_850_000.0, "status": "incomplete"},
    }
    again["resources"].reverse()
    again["unmanaged"].reverse()
    before, after = (drift_markdown(one, "shop").splitlines() for one in (drift(), again))
    assert before[:-1] == after[:-1]
    assert after[-1] == (
        "Checked 2026-11-28 09:00 UTC at revision `ffffffffffff`; last run `r2`, begun 2026-11-28 07:13 UTC: incomplete"
    )


@pytest.mark.parametrize(
    ("change", "first", "what_next"),
    [
        ({}, "### Drift: shop", "**Next:** `reconciler apply` brings back what the spec says; or take the change into"),
        ({"environment": "prod"}, "### Drift: shop", "**Next:** `reconciler apply -e prod` brings back"),
        ({"environment": "$(rm -r .)"}, "### Drift: shop", "**Next:** `reconciler apply` brings back"),
        ({"verdict": "incomplete"}, "### Drift check incomplete: shop", "**Next:** mend what could not be read"),
        (
            {"verdict": "incomplete", "partial": True},
            "### Drift check incomplete: shop",
            "**Next:** mend what could not be read",
        ),
        ({"verdict": "in-sync"}, "### No drift: shop", "**Next:** no drift is to be mended; look at what is listed."),
        ({"summary": {"unhealthy": 1}}, "### Drift: shop", "**Next:** look at what is listed; `reconciler apply`"),
    ],
)
def test_first_line_says_how_it_stands_and_one_line_what_to_do(change: Any, first: str, what_next: str) -> None:
    page = drift_markdown(drift() | change, "shop")
    assert page.startswith(f"{first}\n")
    assert page.count("**Next:**") == 1
    assert what_next in page
    assert ("could not be read, so drift may be missing" in page) == ("incomplete" in first)


def one(path: str, before: Any, after: Any, **more: Any) -> dict[str, Any]:
    plain = {"class": "drift", "sensitive": False, "after_known": True, "after_text": None, "removed": False}
    return plain | {"path": path, "before": before, "after": after, "origin": "all.yaml:3:1"} | more


def test_a_field_tells_what_is_live_and_what_was_applied_or_what_the_spec_says_now() -> None:
    data = drift()
    data["resources"] = data["resources"][:1]
    data["resources"][0] |= {
        "states": ["drifted"],
        "message": "",
        "fields": [
            one("replicas", 5, 2),
            one("image", "serve:9", "serve:3", **{"class": "both"}),
            one("token", None, None, sensitive=True),
            one("url", "http://a", None, after_known=False, after_text='{{ ref("x").endpoint }}'),
            one("timeout", 60, None, removed=True),
            one("prompt", "Be brief.\nBe loud.", "Be brief.\nBe kind."),
        ],
    }
    page = drift_markdown(data, "shop")
    assert (
        "| **drifted** | `modelarts/Notebook/ann` | `replicas` is `5`, was applied as `2`; "
        '`image` is `"serve:9"`, the spec says `"serve:3"`; 4 more fields | update |'
    ) in page
    assert (
        """
! replicas: is 5, was applied as 2  # all.yaml:3
! image: is "serve:9", the spec says "serve:3"  # all.yaml:3
! token: is (another secret), was applied as (secret)  # all.yaml:3
! url: is "http://a", was applied as (known after apply) {{ ref("x").endpoint }}  # all.yaml:3
! timeout: is 60, was applied as (the default)  # all.yaml:3
! prompt: (- was applied as, + is)  # all.yaml:3
  │ Be brief.
- │ Be kind.
+ │ Be loud.
```
"""
        in page
    )


@pytest.mark.parametrize("room", [4_000, 65_000, 1_000_000])
def test_long_drift_fits_and_names_what_vanished_first(room: int) -> None:
    text = "新しい👍" * 80
    data = drift() | {"notes": [text] * 20, "environment": text}
    vanished, drifted = data["resources"][-1], data["resources"][0]
    drifted["fields"] = [one(f"labels[{'キー' * 60}]", text, f"旧{text}")] * 4
    data["resources"] = [
        copy.deepcopy(vanished if n % 3 == 0 else drifted)
        | {"address": f"toy/Engine/e-{n:04}", "message": text}
        | ({"states": ["vanished"]} if n % 3 == 0 else {})
        for n in range(900)
    ]
    data["unmanaged"] = [entry | {"name": text} for entry in data["unmanaged"] * 100]
    data["problems"] = [{"origin": text, "address": text, "message": text, "code": text}] * 50
    page = drift_markdown(data, text, room=room)
    assert units(page) <= room
    assert len(page.encode()) <= 1_000_000
    assert_whole(page)
    assert "Not all fits here" in page
    assert page.count("| **VANISHED** |") == 300 or room == 4_000
    assert page.splitlines()[-1].startswith("Checked 2026-01-01")


@settings(max_examples=60, deadline=None)
@given(hostile_texts(), st.integers(0, 60), st.sampled_from([4_000, 65_000]))
def test_a_drift_issue_stays_whole_whatever_it_holds(texts: list[str], start: int, room: int) -> None:
    data = drift()
    data["problems"] = [{"origin": "o", "address": "a", "message": "m", "code": "c"}]
    data["notes"] = ["n"]
    data["resources"][0]["fields"] += [
        one("url", "a\nb", None, after_known=False, after_text="x"),
        one("p", "a\nb", "c\nd"),
    ]
    page = drift_markdown(filled(data, texts, start=start), texts[0], room=room)
    assert units(page) <= room
    assert_whole(page)
