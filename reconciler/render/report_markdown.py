"""An apply's end for a pull request, a step summary or an issue: first what is true now of what went wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from reconciler.render.page import (
    COMMENT_ROOM,
    POINTER,
    Room,
    asides,
    bounded,
    code,
    cut,
    finish,
    folded,
    heading,
    left_out,
    word,
)
from reconciler.render.safe import fence, for_terminal

__all__ = ["is_applied", "report_body", "report_markdown"]

_STATES: Final = ("done", "failed", "skipped", "unknown")
_BAD: Final[Mapping[str, str]] = {"failed": "FAILED", "unknown": "UNKNOWN"}
"""What a person has to look at: state → its word, worst first."""
_RISKY: Final = ("delete", "create", "update")
"""Operations in the order in which their failure hurts; others follow."""
_FULL_SHARE: Final = 0.5
"""Part of the room that failures with their reasons may fill; the others are named in one line each."""
_GOES_ON: Final = "The same command goes on from here: it looks first at what is unknown."


def report_markdown(report: Mapping[str, Any], title: str, *, room: int = COMMENT_ROOM) -> str:
    """An apply's end as Markdown; the first line says how it stands.

    Where it does not fit, whole steps are left out, those that went well first; the text says how many.

    Args:
        report: As `report_json` or a saved file has it.
        title: What was applied, such as `shop/prod`.
        room: UTF-16 units that the text may have, 4,000 at least; it also stays below 1,000,000 bytes.
    """
    first = heading("Applied" if is_applied(report) else "Apply incomplete", title)
    return finish([first, report_body(report, [first], room=room)])


def is_applied(report: Mapping[str, Any]) -> bool:
    """Whether everything was done; a report that contradicts itself is no good news."""
    ended_well = all(step["state"] == "done" for step in report["steps"])
    return bool(report["complete"] and not report["interrupted"] and ended_well)


def report_body(report: Mapping[str, Any], above: Sequence[str], *, room: int) -> str:
    """All of `report_markdown` below its first line, or below other parts of a page that has so much room in all."""
    head, tail = [_counts(report)], [_ends(report)]
    left = Room(room, [*above, *head, *tail])
    notes = left.take_all(asides([(f"settled: {text}" for text in report["settled"])], room))
    notes += left.take_all(asides([(f"note: {text}" for text in report["notes"])], room))
    bad = _failures(report, left, room)
    endpoints = _endpoints(report, left)
    rest = [*_folded_steps(report, "skipped", left), *_folded_steps(report, "done", left)]
    return finish([*head, *bad, *notes, *endpoints, *rest, *tail])


def _counts(report: Mapping[str, Any]) -> str:
    counts: Mapping[str, int] = report["summary"]
    told = ", ".join(f"{counts[state]} {state}" for state in _STATES if counts[state])
    seconds = f" in {report['seconds']:.1f} s"
    if is_applied(report):
        return f"{told}{seconds}.\n" if told else "Nothing had to be done.\n"
    why = "**Stopped early.** " if report["interrupted"] else ""
    return f"{why}{told or 'Nothing was begun'}{seconds}. {_GOES_ON}\n"


def _ends(report: Mapping[str, Any]) -> str:
    parts = [f"{name} {code(report[key])}" for key, name in (("run", "Run"), ("digest", "digest")) if report[key]]
    parts += [f"revision {code(report['revision'][:12])}"] if report["revision"] else []
    return f"{', '.join(parts)}\n"


# -- steps ------------------------------------------------------------------------------------------------------------


def _failures(report: Mapping[str, Any], left: Room, room: int) -> list[str]:
    """Steps that failed or are unknown: with their reasons while there is room, else by name."""
    steps = sorted(
        (step for step in report["steps"] if step["state"] in _BAD),
        key=lambda step: (tuple(_BAD).index(step["state"]), _risk(step["op"])),
    )
    full, others = [], []
    for step in steps:
        text = _failure(step)
        if left.take(text, keep=int(room * (1 - _FULL_SHARE))):
            full.append(text)
        else:
            others.append(cut(for_terminal(f"{_BAD[step['state']]} {step['op']} {step['address']}"), 200))
    if not others:
        return full
    named = [fence(bounded(others, int(left.sure * _FULL_SHARE)), "text") + "\n"]
    return [*full, *left.take_all([left_out(f"{len(others)} steps without their reasons", POINTER), *named])]


def _risk(op: str) -> int:
    return _RISKY.index(op) if op in _RISKY else len(_RISKY)


def _failure(step: Mapping[str, Any]) -> str:
    extra = "".join(f", {part}" for part in _extras(step))
    head = f"**{_BAD[step['state']]}** {word(step['op'])} {code(step['address'])}{extra}\n"
    return f"{head}\n{fence(bounded([for_terminal(step['message'])]), 'text')}\n" if step["message"] else head


def _extras(step: Mapping[str, Any]) -> list[str]:
    return [
        part
        for part in (
            f"id {code(step['live_id'])}" if step["live_id"] else "",
            f"because of {code(step['cause'])}" if step["cause"] else "",
            f"{step['seconds']:.1f} s" if step["seconds"] else "",
        )
        if part
    ]


def _endpoints(report: Mapping[str, Any], left: Room) -> list[str]:
    """Where what was made or changed answers now."""
    found = {step["address"]: step["endpoint"] for step in report["steps"] if step["endpoint"]}
    if not found:
        return []
    rows = ["| endpoint of | answers at |", "|---|---|"]
    for row in (*rows, ""):
        left.take(row)
    shown = left.take_all(
        f"| {code(address, in_table=True)} | {code(endpoint, in_table=True, most=500)} |"
        for address, endpoint in sorted(found.items())
    )
    return [*rows, *shown, ""] if shown else []


def _folded_steps(report: Mapping[str, Any], state: str, left: Room) -> list[str]:
    """What became of the other steps, a line each, as many as there is room for."""
    lines = [for_terminal(_line(step)) for step in report["steps"] if step["state"] == state]
    if not lines:
        return []
    body = fence(bounded(lines, int(left.sure * _FULL_SHARE)), "text")
    return left.take_all([folded(f"{len(lines)} {state}", body)])


def _line(step: Mapping[str, Any]) -> str:
    parts = [
        f"because of {step['cause']}" if step["cause"] else "",
        f"id {step['live_id']}" if step["live_id"] else "",
        f"{step['seconds']:.1f} s" if step["seconds"] else "",
        step["message"],
    ]
    told = ", ".join(part for part in parts if part)
    return f"{step['op']} {step['address']}{f'  {told}' if told else ''}"
