"""A plan for a pull request: the same story, in whole Markdown that fits where it is posted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from reconciler.render.block import LOOKS, Block, Line, interruption_text
from reconciler.render.graph import Arrow, mermaid
from reconciler.render.money import totals_text
from reconciler.render.page import (
    COMMENT_ROOM,
    POINTER,
    Room,
    age_text,
    asides,
    bounded,
    code,
    cut,
    finish,
    folded,
    heading,
    left_out,
    moment_text,
    problem_lines,
    size,
    word,
)
from reconciler.render.safe import code_span, fence, for_terminal, summary_code
from reconciler.render.story import blocks, in_order, is_all_well, summary_text, verdict_text, warnings
from reconciler.render.style import Style

__all__ = ["COMMENT_ROOM", "plan_body", "plan_markdown"]

_STYLE: Final = Style()
_LOUD: Final = frozenset({"blocked", "delete", "replace"})
_OPEN: Final = frozenset({"BLOCKED", "DELETE", "REPLACE"})
_TABLE_SHARE: Final = 0.6
"""Part of the room that the rows of harmless changes may fill."""
_SINCE_SHARE: Final = 10
"""What changed since the last plan takes at most a tenth of the page."""
_FEWEST_BOXES, _MOST_BOXES, _MOST_ARROWS = 2, 25, 60
"""A picture that a person still takes in."""
_MOST_IN_WORDS: Final = 3
"""Arrows in a row that a sentence says as well as a picture, in one line and without a click."""
_DIFF_SIGNS: Final = {"~": "!", "+": "+", "-": "-"}
_SHOWN_PATHS: Final = 3
_LONGEST_PATH: Final = 80
_DIGEST: Final = 32
"""Hex digits of a change's digest by which two plans are compared."""


def plan_markdown(
    plan: Mapping[str, Any],
    title: str,
    *,
    room: int = COMMENT_ROOM,
    pointer: str = POINTER,
    since: Mapping[str, str] | None = None,
) -> str:
    """A plan as Markdown; the first line says how it stands.

    Where it does not fit, whole resources are left out, harmless ones first; the text says so, and where the rest is.

    Args:
        plan: As `plan_json` or a saved file has it.
        title: What it is a plan of, such as `shop/prod`.
        room: UTF-16 units that the text may have, 4,000 at least; it also stays below 1,000,000 bytes.
        pointer: Where a reader finds all of it.
        since: The plan that was shown before: address → the first 32 hex digits of its change's digest. None: there
            was none.
    """
    first = heading(verdict_text(plan), title)
    return finish([first, plan_body(plan, [first], room=room, pointer=pointer, since=since)])


def plan_body(
    plan: Mapping[str, Any],
    above: Sequence[str],
    *,
    room: int,
    pointer: str,
    since: Mapping[str, str] | None,
) -> str:
    """All of `plan_markdown` below its first line, or below other parts of a page that has so much room in all."""
    head, tail = _head(plan, room), _digest(plan)
    left = Room(room, [*above, *head, *tail, left_out("0" * 100, pointer)])
    told = left.take_all([*_asides(plan, room), *_since(plan, since, room)])
    notes = left.take_all(_notes(plan, room))
    changes, items = in_order(plan), blocks(plan, _STYLE)
    rows = _rows(changes, items, left, keep=int(room * (1 - _TABLE_SHARE)))
    details = left.take_all(_folded(item) for item in items if item.lines)
    graph = left.take_all(_graph(plan))
    lines = [*head, *told, *rows, *graph, *details]
    missing = len(changes) - max(0, len(rows) - 3), sum(bool(item.lines) for item in items) - len(details)
    if any(missing):
        sentence = f"{missing[0]} resources are not in the table, {missing[1]} without details"
        lines.append(left_out(sentence, pointer))
    return finish([*lines, *notes, *tail])


# -- above and below the changes --------------------------------------------------------------------------------------


def _head(plan: Mapping[str, Any], room: int) -> list[str]:
    totals = bounded(totals_text(plan, _STYLE), room // 10)
    parts = [summary_text(plan), *(f"**{warning}**" for warning in warnings(plan)), *map(code_span, totals)]
    return [*_snapshot(plan), "  \n".join(parts) + "\n"]


def _snapshot(plan: Mapping[str, Any]) -> list[str]:
    """How old the live side is that was compared, where it was not read for this plan."""
    snapshot = plan.get("snapshot")
    if snapshot is None:
        return []
    text = f"a snapshot of {moment_text(snapshot['taken_at'])}, {age_text(snapshot['age_s'])}"
    rest = "credentials were used. It counts as no review.\n"
    if snapshot["old"]:
        return [f"**OLD: from {text}; what is live may be different by now.** Nobody's {rest}"]
    return [f"From {text}: nobody's {rest}"]


def _asides(plan: Mapping[str, Any], room: int) -> list[str]:
    return asides((problem_lines(found) for found in (plan["problems"], plan.get("warnings", ()))), room)


def _notes(plan: Mapping[str, Any], room: int) -> list[str]:
    told = [f"{remark['address']}: {remark['message']} [{remark['reason']}]" for remark in plan["remarks"]]
    return asides([[*told, *(f"note: {note}" for note in plan["notes"])]], room)


def _digest(plan: Mapping[str, Any]) -> list[str]:
    """What a reviewer agrees to; nobody can agree to nothing, or to what was compared with a snapshot."""
    if is_all_well(plan):
        return []
    is_preview = plan.get("snapshot") is not None
    parts = [] if is_preview else [f"Digest {code(plan['digest'])}"]
    if plan["revision"]:
        parts.append(f"{'Revision' if is_preview else 'revision'} {code(plan['revision'][:12])}")
    return [f"{', '.join(parts)}\n"] if parts else []


def _since(plan: Mapping[str, Any], since: Mapping[str, str] | None, room: int) -> list[str]:
    """What is not as in the plan that was shown before, a line each, dangerous ones first."""
    if since is None:
        return []
    told = []
    counts = {"new": 0, "changed": 0, "no longer": 0}
    for change in in_order(plan):
        before = since.get(change["address"])
        if before != change["digest"][:_DIGEST]:
            what = "new" if before is None else "changed"
            counts[what] += 1
            told.append(f"- {what}: {LOOKS[change['action']].word} {code(change['address'])}")
    gone = sorted(since.keys() - {change["address"] for change in plan["changes"]})
    counts["no longer"] = len(gone)
    told += [f"- no longer: {code(address)}" for address in gone]
    if not told:
        return ["Changed since the last plan: nothing.\n"]
    left = Room(room // _SINCE_SHARE)
    shown = []
    for line in told:
        if not left.take(line):
            break
        shown.append(line)
    if len(shown) < len(told):
        shown.append(f"- … {len(told) - len(shown)} more")
    words = ", ".join(f"{number} {what}" for what, number in counts.items() if number)
    return ["\n".join([f"Changed since the last plan: {words}\n", *shown, ""])]


# -- the changes ------------------------------------------------------------------------------------------------------


def _rows(changes: list[Mapping[str, Any]], items: list[Block], left: Room, *, keep: int) -> list[str]:
    """The table, a row a resource. Dangerous ones may use all the room, harmless ones leave some to the details.

    Where dangerous rows would take the room from one another, they say less each, so that more of them are there.
    """
    if not changes:
        return []
    rows = ["| | resource | what changes, or why | interruption |", "|---|---|---|---|"]
    for row in rows:
        left.take(row)
    left.take("")
    pairs = list(zip(changes, items, strict=True))
    full = [_row(change, item) for change, item in pairs]
    loud = [row for row, change in zip(full, changes, strict=True) if change["action"] in _LOUD]
    is_tight = sum(size(row) + 1 for row in loud) > left.units
    for row, (change, item) in zip(full, pairs, strict=True):
        is_loud = change["action"] in _LOUD
        shown = _short_row(change, item) if is_loud and is_tight else row
        if not left.take(shown, keep=0 if is_loud else keep):
            break
        rows.append(shown)
    return [*rows, ""]


def _row(change: Mapping[str, Any], item: Block) -> str:
    if change["action"] in {"update", "replace", "adopt"} and change["fields"]:
        paths = [field["path"] for field in change["fields"]]
        what = ", ".join(code(path, in_table=True, most=_LONGEST_PATH) for path in paths[:_SHOWN_PATHS])
        what += f" and {len(paths) - _SHOWN_PATHS} more" if len(paths) > _SHOWN_PATHS else ""
    else:
        what = word(change["reason"])
    return _cells(change, item, what)


def _short_row(change: Mapping[str, Any], item: Block) -> str:
    return _cells(change, item, f"{len(change['fields'])} fields" if change["action"] == "replace" else "")


def _cells(change: Mapping[str, Any], item: Block, what: str) -> str:
    is_bold = change["action"] in _LOUD or change["action"] == "unknown"
    name = f"**{item.word}**" if is_bold else item.word
    return f"| {name} | {code(change['address'], in_table=True)} | {what} | {word(interruption_text(change))} |"


def _graph(plan: Mapping[str, Any]) -> list[str]:
    """Which steps wait for which: a short walk in words, else as a picture, where it is small.

    What waits for nothing, and has nothing wait for it, stands in the table alone.
    """
    steps = {step["id"]: step for step in plan["steps"]}
    pairs = _waits(plan["steps"])
    addresses = {steps[step_id]["address"] for pair in pairs for step_id in pair}
    if not _FEWEST_BOXES <= len(addresses) <= _MOST_BOXES or len(pairs) > _MOST_ARROWS:
        return []
    if len(pairs) <= _MOST_IN_WORDS and all(first[1] == then[0] for first, then in pairwise(pairs)):
        walk = (steps[step_id] for step_id in (pairs[0][0], *(then for _, then in pairs)))
        told = [f"{word(step['op'])} {code(step['address'])}" for step in walk]
        return [f"Order: {', then '.join(told)}.\n"]
    names = {key: cut(for_terminal(f"{step['address']}: {step['op']}"), 200) for key, step in steps.items()}
    boxes = sorted({names[step_id] for pair in pairs for step_id in pair})
    arrows = sorted({Arrow(names[first], names[then]) for first, then in pairs})
    return [folded("Order of the steps", fence(mermaid(boxes, arrows).splitlines(), "mermaid"))]


def _waits(steps: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Pairs of step ids (first, then), without those that follow from others; `steps` in order."""
    before: dict[str, set[str]] = {}
    pairs = []
    for step in steps:
        direct = [first for first in step["after"] if first in before]
        further = set().union(*(before[first] for first in direct))
        pairs += [(first, step["id"]) for first in direct if first not in further]
        before[step["id"]] = further.union(direct)
    return pairs


def _folded(item: Block) -> str:
    head = f"{item.sign} {item.word} {item.address}  {item.extra}".rstrip()
    body = fence([f"# {head}", *(_diff_line(line) for line in item.lines)], "diff")
    return folded(f"{item.word} {summary_code(cut(item.address, 200))}", body, is_open=item.word in _OPEN)


def _diff_line(line: Line) -> str:
    """A line in the colours of a `diff` fence: its sign stands first."""
    if line.label:
        return f"  {line.label}: {for_terminal(line.text)}"
    return f"{_DIFF_SIGNS.get(line.mark, ' ')} {'  ' * line.depth}{for_terminal(line.text)}".rstrip()
