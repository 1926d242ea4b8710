"""An apply's end for GitHub: what went wrong first, whole, bounded, and never better news than there is."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.diff.change import Action
from reconciler.plan.outcome import Outcome, Report, State
from reconciler.render import machine
from reconciler.render.report_markdown import report_markdown
from tests.render.pages import assert_whole, filled, hostile_texts, units


def outcome(name: str, op: Action, state: State, message: str = "", **more: Any) -> Outcome:
    address = f"toy/Engine/{name}"
    return Outcome(step=f"{address}#{op}", address=address, op=op, state=state, message=message, **more)


def report(*outcomes: Outcome, **more: Any) -> dict[str, Any]:
    more.setdefault("revision", "3f9c2d1e8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c3d")
    return machine.report_json(
        Report(owner="shop/prod", run="r9", digest="5" * 64, outcomes=outcomes, seconds=12.34, **more)
    )


MADE = outcome("chat", Action.CREATE, State.DONE, live_id="id-1", endpoint="https://chat.example.com", seconds=3.0)
FAILED = outcome("a", Action.CREATE, State.FAILED, "POST /engines: 409 the name is taken; nothing was sent")
UNKNOWN = outcome("b", Action.DELETE, State.UNKNOWN, "no answer came; id-b may be gone", live_id="id-b")
SKIPPED = outcome("c", Action.UPDATE, State.SKIPPED, cause="toy/Engine/a")
MIXED = (MADE, SKIPPED, UNKNOWN, FAILED)


def test_done_report_reads_as_reviewed() -> None:
    told = report(MADE, outcome("old", Action.DELETE, State.DONE), notes=("image is kept as it was",))
    assert (
        report_markdown(told, "shop/prod")
        == """\
### Applied: shop/prod

2 done in 12.3 s.

```text
note: image is kept as it was
```

| endpoint of | answers at |
|---|---|
| `toy/Engine/chat` | `https://chat.example.com` |

<details><summary>2 done</summary>

```text
create toy/Engine/chat  id id-1, 3.0 s
delete toy/Engine/old
```

</details>

Run `r9`, digest `5555555555555555555555555555555555555555555555555555555555555555`, revision `3f9c2d1e8a7b`
"""
    )


def test_failed_and_unknown_steps_stand_first_with_their_reasons() -> None:
    page = report_markdown(report(*MIXED, settled=("an earlier run's create of d had landed",)), "shop/prod")
    parts = [
        "### Apply incomplete: shop/prod\n\n1 done, 1 failed, 1 skipped, 1 unknown in 12.3 s. The same command goes on",
        "**FAILED** create `toy/Engine/a`\n\n```text\nPOST /engines: 409 the name is taken; nothing was sent\n```",
        "**UNKNOWN** delete `toy/Engine/b`, id `id-b`\n\n```text\nno answer came; id-b may be gone\n```",
        "settled: an earlier run's create of d had landed",
        "<summary>1 skipped</summary>\n\n```text\nupdate toy/Engine/c  because of toy/Engine/a\n",
        "<summary>1 done</summary>",
    ]
    places = [page.find(part) for part in parts]
    assert -1 not in places
    assert places == sorted(places)
    assert_whole(page)


@pytest.mark.parametrize(
    ("told", "first", "second"),
    [
        (report(), "### Applied: shop", "Nothing had to be done."),
        (report(interrupted=True), "### Apply incomplete: shop", "**Stopped early.** Nothing was begun in 12.3 s."),
        (report(MADE, unfinished=("toy/Engine/chat",)), "### Apply incomplete: shop", "1 done in 12.3 s."),
        (report(FAILED) | {"complete": True}, "### Apply incomplete: shop", "1 failed in 12.3 s."),
    ],
    ids=["nothing to do", "stopped", "takes one more run", "contradicts itself"],
)
def test_first_line_says_how_it_stands(told: dict[str, Any], first: str, second: str) -> None:
    lines = report_markdown(told, "shop").splitlines()
    assert lines[0] == first
    assert lines[2].startswith(second)
    assert ("The same command goes on" in lines[2]) == ("incomplete" in first)


@pytest.mark.parametrize("room", [4_000, 65_000, 1_000_000])
def test_long_report_fits_and_names_what_failed_before_what_went_well(room: int) -> None:
    text = "新しい👍" * 300
    states = [State.DONE, State.FAILED, State.UNKNOWN, State.SKIPPED]
    steps = [
        outcome(f"e-{n:04}", Action.UPDATE, states[n % 4], text, endpoint=f"https://{text}", cause=text)
        for n in range(900)
    ]
    page = report_markdown(report(*steps, notes=(text,) * 20, settled=(text,) * 20), text, room=room)
    assert units(page) <= room
    assert len(page.encode()) <= 1_000_000
    assert_whole(page)
    assert page.startswith("### Apply incomplete: ")
    assert "steps without their reasons" in page or room == 1_000_000
    named = len(re.findall(r"(?:FAILED|UNKNOWN)(?:\*\*)? update", page))
    more = re.search(r"… (\d+) more\n```\n\n(?:```text\nsettled|<details|\||Run)", page)
    assert named == 450 or (room < 1_000_000 and more is not None and named + int(more[1]) == 450)


@settings(max_examples=60, deadline=None)
@given(hostile_texts(), st.integers(0, 30), st.sampled_from([4_000, 65_000]))
def test_a_report_stays_whole_whatever_it_holds(texts: list[str], start: int, room: int) -> None:
    told = filled(report(*MIXED, notes=("n", "n"), settled=("s",)), texts, start=start)
    page = report_markdown(told, texts[0], room=room)
    assert units(page) <= room
    assert_whole(page)
    assert page.startswith("### Apply incomplete: ")
