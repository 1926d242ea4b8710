"""Plans, reports, lists and problems for a person at a terminal. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from reconciler.diff.metrics import Metrics
from reconciler.plan.outcome import Report
from reconciler.render.block import Block, Line
from reconciler.render.layout import columns_of, pad
from reconciler.render.machine import list_json, report_json
from reconciler.render.metrics import metrics_lines, metrics_note
from reconciler.render.money import totals_text
from reconciler.render.problems import problem_text
from reconciler.render.rows import ListRow
from reconciler.render.safe import for_terminal, no_commands
from reconciler.render.story import (
    blocks,
    is_all_well,
    summary_text,
    verdict_text,
    warnings,
)
from reconciler.render.style import Style, Tone

__all__ = ["Style", "line_text", "list_text", "plan_text", "report_text"]

_PLAIN: Final = Style()
_INDENT: Final = " " * 6
_REVISION: Final = 12
_NO_REVIEW: Final = "It was made from a snapshot and counts as no review, so that it has no digest."


def plan_text(plan: Mapping[str, Any], style: Style = _PLAIN) -> str:
    """A plan (as `plan_json` or a saved file has it): dangerous changes first, the summary last."""
    return _finish(_plan_lines(plan, style))


def _plan_lines(plan: Mapping[str, Any], style: Style) -> Iterator[str]:
    at = f" at revision {for_terminal(plan['revision'][:_REVISION])}" if plan["revision"] else ""
    at += ", from a snapshot" if plan.get("snapshot") else ""
    if not is_all_well(plan):
        yield style.paint(f"{verdict_text(plan)}: {for_terminal(plan['owner'])}{at}", Tone.BOLD)
        yield ""
    if plan["problems"]:
        for problem in plan["problems"]:
            yield style.paint(f"  ! {problem_text(problem)}", Tone.ALARM)
        yield ""
    shown = blocks(plan, style)
    for index, item in enumerate(shown):
        if index and (item.lines or shown[index - 1].lines):
            yield ""
        yield from _block_lines(item, style)
    if shown:
        yield ""
    if plan["remarks"]:
        for remark in plan["remarks"]:
            text = for_terminal(f"{remark['address']}: {remark['message']} [{remark['reason']}]")
            yield style.paint(f"  . {text}", Tone.DIM)
        yield ""
    yield from (style.paint(problem_text(one), Tone.UPDATE) for one in plan.get("warnings", ()))
    yield from (f"note: {for_terminal(note)}" for note in plan["notes"])
    if plan.get("warnings") or plan["notes"]:
        yield ""
    if style.verbose and plan["steps"]:
        yield from _step_lines(plan["steps"], style)
    yield style.paint(summary_text(plan), Tone.BOLD)
    for warning in warnings(plan):
        yield style.paint(warning, Tone.ALARM)
    yield from totals_text(plan, style)
    if not is_all_well(plan):
        digest = f"Digest: {for_terminal(plan['digest'])}"
        yield style.paint(_NO_REVIEW if plan.get("snapshot") else digest, Tone.DIM)


def _block_lines(item: Block, style: Style) -> Iterator[str]:
    head = f"{item.sign:>3} {item.word:<7} {item.address}"
    extra = f"  {item.extra}" if item.extra else ""
    yield style.paint(head, item.tone) + style.paint(extra, Tone.DIM)
    for line in item.lines:
        yield from line_text(line, style)


def line_text(line: Line, style: Style) -> Iterator[str]:
    """One line below a resource. `layout.fit` breaks it when secrets are out: they may hold blanks."""
    if line.label:
        text = f"{_INDENT}  {line.label}: {line.text}"
    else:
        text = f"{_INDENT}{'  ' * line.depth}{line.mark} {line.text}"
    yield style.paint(text.rstrip(), line.tone)


def _step_lines(steps: Iterable[Mapping[str, Any]], style: Style) -> Iterator[str]:
    yield "Steps:"
    for number, step in enumerate(steps, 1):
        calls = ", ".join(call["summary"] or f"{call['method']} {call['path']}" for call in step["calls"])
        after = f" after {', '.join(step['after'])}" if step["after"] else ""
        yield (
            f"  {number}. "
            + for_terminal(f"{step['op']} {step['address']}{after}")
            + style.paint(f"  {for_terminal(calls)}" if calls else "", Tone.DIM)
        )
    yield ""


# -- report ---------------------------------------------------------------------------------------------------------

_STATES: Final[Mapping[str, tuple[str, str, Tone]]] = {
    "failed": ("!", "FAILED", Tone.ALARM),
    "unknown": ("?", "UNKNOWN", Tone.ALARM),
    "skipped": (".", "skipped", Tone.UPDATE),
    "done": ("+", "done", Tone.CREATE),
}
"""State → how it looks; what went wrong comes first."""


def report_text(report: Report, style: Style = _PLAIN) -> str:
    """An apply's end: first what is true now of what failed, then the rest, then the counts."""
    return _finish(_report_lines(report_json(report), style))


def _report_lines(report: Mapping[str, Any], style: Style) -> Iterator[str]:
    yield from (f"settled: {for_terminal(sentence)}" for sentence in report["settled"])
    for state, (sign, word, tone) in _STATES.items():
        for step in report["steps"]:
            if step["state"] == state:
                head = f"{sign:>3} {word:<7} {step['op']} {step['address']}"
                yield style.paint(for_terminal(head), tone) + style.paint(_step_extra(step), Tone.DIM)
                yield from (
                    line_text(Line(label="now", text=for_terminal(step["message"])), style)
                    if step["message"] and state != "done"
                    else ()
                )
    yield from (f"note: {for_terminal(note)}" for note in report["notes"])
    counts: Mapping[str, int] = report["summary"]
    told = ", ".join(f"{counts[state]} {state}" for state in ("done", "failed", "skipped", "unknown") if counts[state])
    seconds = f" in {report['seconds']:.1f} s"
    if report["complete"]:
        yield style.paint(f"Applied: {told}{seconds}." if told else "Nothing had to be done.", Tone.BOLD)
    else:
        why = "Stopped early" if report["interrupted"] else "Apply incomplete"
        yield style.paint(f"{why}: {told or 'nothing was begun'}{seconds}.", Tone.ALARM)
        yield "The same command goes on from here: it looks first at what is unknown."


def _step_extra(step: Mapping[str, Any]) -> str:
    parts = [
        f"because of {step['cause']}" if step["cause"] else "",
        f"id {step['live_id']}" if step["live_id"] else "",
        step["endpoint"] or "",
        f"{step['seconds']:.1f} s" if step["seconds"] else "",
        step["message"] if step["state"] == "done" else "",
    ]
    told = ", ".join(part for part in parts if part)
    return f"  {for_terminal(told)}" if told else ""


# -- list and problems ----------------------------------------------------------------------------------------------

_COLUMNS: Final = ("provider", "kind", "name", "id", "status", "owner", "address", "endpoint")
_MAY_STAND_BELOW: Final = ("endpoint", "address", "id", "owner", "status", "provider")
"""Columns that leave a table that is too wide, in this order; each thing then tells them below its row."""


def list_text(
    rows: Iterable[ListRow], style: Style = _PLAIN, measured: Mapping[tuple[str, str], Metrics] | None = None
) -> str:
    """Live things as a table; columns that are empty in every row are left out. What was measured stands below each."""
    items = list_json(rows, (), measured)["items"]
    if not items:
        return "Nothing is live there.\n"
    columns = [column for column in _COLUMNS if any(item[column] for item in items)]
    cells = {
        column: [column.upper(), *(for_terminal(str(item[column] or "-")) for item in items)] for column in columns
    }
    widths = {column: max(map(columns_of, texts)) for column, texts in cells.items()}
    below: list[str] = []
    for column in (column for column in _MAY_STAND_BELOW if column in columns):
        if style.width and sum(widths.values()) + 2 * (len(columns) - 1) > style.width:
            columns.remove(column)
            below.insert(0, column)
            del widths[column]
    lines = []
    for row in range(len(items) + 1):
        line = "  ".join(pad(cells[column][row], widths[column]) for column in columns).rstrip()
        lines.append(style.paint(line, Tone.PLAIN if row else Tone.BOLD))
        told = [f"{column} {cells[column][row]}" for column in below if row and cells[column][row] != "-"]
        lines += [style.paint(f"{' ' * 4}{one}", Tone.DIM) for one in _joined(told, style.width - 4)]
        lines += [f"{' ' * 4}{one}" for one in (metrics_lines(items[row - 1].get("metrics")) if row else ())]
    if measured:
        lines.append(style.paint(metrics_note(item.get("metrics") for item in items), Tone.DIM))
    return _finish(lines)


def _joined(parts: Iterable[str], width: int) -> Iterator[str]:
    """Parts side by side, as many as fit."""
    line = ""
    for part in parts:
        if line and columns_of(f"{line}  {part}") > width:
            yield line
            line = ""
        line += f"  {part}" if line else part
    if line:
        yield line


def _finish(lines: Iterable[str]) -> str:
    return no_commands("\n".join(lines)) + "\n"
