"""A plan for a pull request: the same story, in whole Markdown that fits where it is posted.

All text from outside stands in code spans and fences, where GitHub looks for no mention, reference, link or tag.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from reconciler.problems import Problem
from reconciler.render.block import Block, Line, interruption_text
from reconciler.render.machine import problems_json
from reconciler.render.money import totals_text
from reconciler.render.safe import code_span, fence, for_terminal, no_commands, prose, summary_code
from reconciler.render.story import (
    blocks,
    in_order,
    is_all_well,
    problem_text,
    summary_text,
    verdict_text,
    warnings,
)
from reconciler.render.style import Style

__all__ = ["COMMENT_ROOM", "plan_markdown", "problems_markdown"]

COMMENT_ROOM: Final = 65_000
"""Characters (UTF-16 units) of one comment: GitHub takes 65,536, and whoever posts it adds a hidden mark."""
_BYTES: Final = 1_000_000
"""A step summary may hold 1 MiB."""
_STYLE: Final = Style()
_LOUD: Final = frozenset({"blocked", "delete", "replace"})
_OPEN: Final = frozenset({"BLOCKED", "DELETE", "REPLACE"})
_TABLE_SHARE: Final = 0.6
"""Part of the room that the rows of harmless changes may fill."""
_LONGEST_ASIDE: Final = 6_000
"""Characters of all problems, and of all notes."""
_POINTER: Final = "the job's log and its saved plan hold all of it"
_DIFF_SIGNS: Final = {"~": "!", "+": "+", "-": "-"}


class _Room:
    """What is left of the place: counted in UTF-16 units and in bytes, as the two places count."""

    def __init__(self, units: int) -> None:
        self.units = units
        self.bytes = _BYTES

    def take(self, text: str, *, keep: int = 0) -> bool:
        """Use room for a text and its line break, if it fits and leaves `keep` units."""
        units = len(text.encode("utf-16-le", "surrogatepass")) // 2 + 1
        size = len(text.encode("utf-8", "surrogatepass")) + 1
        if units > self.units - keep or size > self.bytes:
            return False
        self.units -= units
        self.bytes -= size
        return True


def plan_markdown(plan: Mapping[str, Any], title: str, *, room: int = COMMENT_ROOM, pointer: str = _POINTER) -> str:
    """A plan as Markdown; the first line says how it stands.

    Where it does not fit, whole resources are left out, harmless ones first; the text says so, and where the rest is.

    Args:
        plan: As `plan_json` or a saved file has it.
        title: What it is a plan of, such as `shop/prod`.
        room: UTF-16 units that the text may have.
        pointer: Where a reader finds all of it.
    """
    head = _head(plan, title)
    tail = _tail(plan)
    left = _Room(room - 200)  # for the sentence that says what was left out
    for part in (*head, *tail):
        left.take(part)
    changes = in_order(plan)
    told = blocks(plan, _STYLE)
    rows = _rows(changes, told, left, keep=int(room * (1 - _TABLE_SHARE)))
    details = _details(told, left)
    lines = [*head, *rows, *details]
    missing = len(changes) - max(0, len(rows) - 3), sum(bool(item.lines) for item in told) - len(details)
    if any(missing):
        lines.append(
            f"**Not all fits here:** {missing[0]} resources are not in the table, {missing[1]} without details; "
            f"{prose(pointer)}.\n"
        )
    return no_commands("\n".join([*lines, *tail]))


def problems_markdown(problems: Iterable[Problem], title: str) -> str:
    """What is said where there is no plan, because the spec or a provider failed; the first line says so."""
    told = [problem_text(problem) for problem in problems_json(problems)["problems"]]
    shown = _bounded(told) if told else ["no plan was made, and nobody said why"]
    return no_commands("\n".join([f"### Plan failed: {prose(title)}\n", fence(shown, "text"), ""]))


def _head(plan: Mapping[str, Any], title: str) -> list[str]:
    parts = [summary_text(plan)]
    parts += [f"**{warning}**" for warning in warnings(plan)]
    parts += [code_span(line) for line in totals_text(plan, _STYLE)]
    body = [f"### {verdict_text(plan)}: {prose(title)}\n", "  \n".join(parts) + "\n"]
    loud = [[problem_text(problem) for problem in found] for found in (plan["problems"], plan.get("warnings", ()))]
    return [*body, *(fence(_bounded(told), "text") + "\n" for told in loud if told)]


def _tail(plan: Mapping[str, Any]) -> list[str]:
    parts = []
    asides = [f"{remark['address']}: {remark['message']} [{remark['reason']}]" for remark in plan["remarks"]]
    asides += [f"note: {note}" for note in plan["notes"]]
    if asides:
        parts.append(fence(_bounded([for_terminal(text) for text in asides]), "text") + "\n")
    if not is_all_well(plan):
        revision = f", revision {code_span(plan['revision'][:12])}" if plan["revision"] else ""
        parts.append(f"Digest {code_span(plan['digest'])}{revision}\n")
    return parts


def _bounded(lines: list[str]) -> list[str]:
    """As many lines as a reader takes in; each is cut where it alone would be too long."""
    kept: list[str] = []
    used = 0
    for line in lines:
        short = line if len(line) <= 1_000 else f"{line[:1_000]}…"  # noqa: PLR2004 - a few lines of a page
        used += len(short)
        if used > _LONGEST_ASIDE:
            return [*kept, f"… {len(lines) - len(kept)} more"]
        kept.append(short)
    return kept


def _rows(changes: list[Mapping[str, Any]], blocks: list[Block], left: _Room, *, keep: int) -> list[str]:
    """The table, a row a resource. Dangerous ones may use all the room, harmless ones leave some to the details."""
    if not changes:
        return []
    rows = ["| | resource | what changes, or why | interruption |", "|---|---|---|---|"]
    for row in rows:
        left.take(row)
    for change, item in zip(changes, blocks, strict=True):
        row = _row(change, item)
        if not left.take(row, keep=0 if change["action"] in _LOUD else keep):
            break
        rows.append(row)
    return [*rows, ""]


def _row(change: Mapping[str, Any], item: Block) -> str:
    word = f"**{item.word}**" if change["action"] in _LOUD or change["action"] == "unknown" else item.word
    if change["action"] in {"update", "replace", "adopt"} and change["fields"]:
        paths = [field["path"] for field in change["fields"]]
        what = ", ".join(code_span(path[:80], in_table=True) for path in paths[:3])
        what += f" and {len(paths) - 3} more" if len(paths) > 3 else ""  # noqa: PLR2004 - as shown above
    else:
        what = change["reason"]
    return f"| {word} | {code_span(change['address'], in_table=True)} | {what} | {interruption_text(change)} |"


def _details(blocks: list[Block], left: _Room) -> list[str]:
    """Folded details, whole resources only; one that does not fit makes room for smaller ones behind it."""
    shown = []
    for item in blocks:
        if not item.lines:
            continue
        text = _folded(item)
        if left.take(text):
            shown.append(text)
    return shown


def _folded(item: Block) -> str:
    head = f"{item.sign} {item.word} {item.address}  {item.extra}".rstrip()
    body = fence([f"# {head}", *(_diff_line(line) for line in item.lines)], "diff")
    opening = "<details open>" if item.word in _OPEN else "<details>"
    return f"{opening}<summary>{item.word} {summary_code(item.address)}</summary>\n\n{body}\n\n</details>\n"


def _diff_line(line: Line) -> str:
    """A line in the colours of a `diff` fence: its sign stands first."""
    if line.label:
        return f"  {line.label}: {line.text}"
    return f"{_DIFF_SIGNS.get(line.mark, ' ')} {'  ' * line.depth}{line.text}".rstrip()
