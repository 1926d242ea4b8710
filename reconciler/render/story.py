"""The story of a plan, told once: what comes first, in which words. Text and Markdown only dress it.

Everything here reads the form that `machine.plan_json` makes, so a plan that was saved is told like a fresh one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from reconciler.render.block import LOOKS, Block, block
from reconciler.render.machine import IN_SPEC
from reconciler.render.style import Style

__all__ = [
    "LONG",
    "blocks",
    "in_order",
    "is_all_well",
    "is_incomplete",
    "said_by_problems",
    "summary_text",
    "verdict_text",
    "warnings",
]

LONG: Final = 60
"""Characters of a reason that nobody wants to read twice."""
_SUMMARY: Final = ("create", "update", "replace", "delete", "adopt", "blocked", "unknown", "none")


def in_order(plan: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The changes, dangerous ones first; among equals in the order of the steps, then by address."""
    ranks = {action: rank for rank, action in enumerate(LOOKS)}
    turns = {address: turn for turn, address in enumerate(plan["order"])}
    return sorted(
        plan["changes"],
        key=lambda change: (ranks[change["action"]], turns.get(change["address"], len(turns)), change["address"]),
    )


def is_incomplete(plan: Mapping[str, Any]) -> bool:
    """Whether something could not be read, so that changes may be missing here."""
    return bool(plan["partial"] or plan["problems"] or plan["summary"]["unknown"])


def is_all_well(plan: Mapping[str, Any]) -> bool:
    """Whether everything was read and compared, and nothing is to be done: only then «no changes» may be said."""
    counts: Mapping[str, int] = plan["summary"]
    return not is_incomplete(plan) and not any(count for action, count in counts.items() if action != "none")


def verdict_text(plan: Mapping[str, Any]) -> str:
    """The plan in a few words, for a first line."""
    if is_incomplete(plan):
        return "Plan incomplete"
    if plan["summary"]["blocked"]:
        return "Plan blocked"
    return "No changes" if is_all_well(plan) else "Plan with changes"


def summary_text(plan: Mapping[str, Any]) -> str:
    """`Plan: 10 to create, 1 to update.`, or the one sentence that says that there is nothing to do."""
    counts: Mapping[str, int] = plan["summary"]
    if is_all_well(plan):
        if not counts["none"]:
            return "No changes. Nothing is desired, and nothing live is ours."
        remarked = sum(remark["reason"] in IN_SPEC for remark in plan["remarks"])
        live = counts["none"] - (len(plan["remarks"]) - remarked)
        if not live:
            return "No changes. Nothing is desired."
        have = "resource is" if live == 1 else "resources are"
        return f"No changes. {live} {have} live as the spec says{f' ({remarked} with a remark)' if remarked else ''}."
    parts = [f"{counts[action]} {LOOKS[action].verb}" for action in _SUMMARY if counts[action]]
    return f"Plan: {', '.join(parts) or 'nothing could be compared'}."


def warnings(plan: Mapping[str, Any]) -> list[str]:
    """What keeps an apply from going on."""
    counts: Mapping[str, int] = plan["summary"]
    found = []
    if is_incomplete(plan):
        found.append("Incomplete: something could not be read, so changes may be missing here.")
    if counts["blocked"]:
        verb = "change is" if counts["blocked"] == 1 else "changes are"
        found.append(f"Blocked: nothing will be applied while {counts['blocked']} {verb} blocked.")
    return found


def said_by_problems(problems: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Long reason → whose problem has told it already."""
    told = [(problem["wrong"], problem["address"]) for problem in problems if problem["address"]]
    return {text: where for text, where in told if len(text) > LONG}


def blocks(plan: Mapping[str, Any], style: Style) -> list[Block]:
    """All changes, dangerous ones first. A long reason that many share is said once."""
    said = said_by_problems(plan["problems"])
    found = []
    for change in in_order(plan):
        text = change["message"]
        found.append(block(change, style, said.get(text, "")))
        if len(text) > LONG:
            said.setdefault(text, change["address"])
    return found
