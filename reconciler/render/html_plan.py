"""A plan as what its page shows: the words of the other forms, put where a page has them. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from reconciler.render.block import LOOKS, block, interruption_text, short_place
from reconciler.render.html_costs import bars
from reconciler.render.html_fields import Facets, labels_of, opened, plan_field
from reconciler.render.html_graph import graph
from reconciler.render.money import totals_text
from reconciler.render.page import age_text, moment_text
from reconciler.render.problems import problem_text
from reconciler.render.story import (
    LONG,
    in_order,
    is_all_well,
    is_incomplete,
    said_by_problems,
    summary_text,
    verdict_text,
    warnings,
)
from reconciler.render.style import Style

__all__ = ["plan_view"]

_STYLE: Final = Style()
_REVISION: Final = 12
_LOUD: Final = frozenset({"blocked", "delete", "replace", "unknown"})
_SUMMARY: Final = (*LOOKS,)


def plan_view(plan: Mapping[str, Any]) -> dict[str, Any]:
    """What the template of a plan's page reads."""
    changes = in_order(plan)
    numbers = {change["address"]: number for number, change in enumerate(changes, 1)}
    facets = Facets(changes)
    counts: Mapping[str, int] = plan["summary"]
    return {
        "what": "plan",
        "format": plan["format"],
        "title": plan["owner"],
        "verdict": verdict_text(plan),
        "tone": _tone(plan),
        "sentence": summary_text(plan),
        "alarms": warnings(plan),
        "next": "",
        "snapshot": _snapshot(plan.get("snapshot")),
        "problems": [problem_text(problem) for problem in plan["problems"]],
        "warnings": [problem_text(problem) for problem in plan.get("warnings", ())],
        "counts": [
            {"key": key, "sign": LOOKS[key].sign, "verb": LOOKS[key].verb, "count": counts[key]}
            for key in _SUMMARY
            if counts[key]
        ],
        "totals": [line.split(": ", 1) for line in totals_text(plan, _STYLE)],
        "unpriced": plan["totals"]["unpriced"],
        "interruptions": _interruptions(changes),
        "facts": _facts(plan),
        "facets": facets,
        "kinds": [(key, LOOKS[key].sign, LOOKS[key].word.lower()) for key in LOOKS if counts[key] and key != "none"],
        "items": _items(plan, changes, facets),
        "costs": bars(changes),
        "graph": graph(plan, numbers),
        "steps": _steps(plan["steps"], numbers),
        "remarks": plan["remarks"],
        "notes": plan["notes"],
    }


def _tone(plan: Mapping[str, Any]) -> str:
    """`alarm` is all that must not look like good news."""
    if is_incomplete(plan) or plan["summary"]["blocked"]:
        return "alarm"
    return "well" if is_all_well(plan) else "changes"


def _snapshot(snapshot: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if snapshot is None:
        return None
    text = f"a snapshot of {moment_text(snapshot['taken_at'])}, {age_text(snapshot['age_s'])}"
    return {"text": text, "old": snapshot["old"]}


def _facts(plan: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(name, value, what is behind it); nobody can agree to nothing, nor to what was compared with a snapshot."""
    found = [("Owner", plan["owner"], "")]
    if plan.get("environment"):
        found.append(("Environment", plan["environment"], ""))
    if plan["revision"]:
        found.append(("Revision", plan["revision"][:_REVISION], plan["revision"]))
    if plan.get("snapshot") is not None:
        found.append(("Digest", "none: made from a snapshot, it counts as no review", ""))
    elif not is_all_well(plan):
        found.append(("Digest", plan["digest"], ""))
    return found


def _interruptions(changes: Iterable[Mapping[str, Any]]) -> list[tuple[str, int]]:
    """What users notice, and how often; the words in the order in which they first come."""
    found: dict[str, int] = {}
    for word in map(interruption_text, changes):
        if word != "none":
            found[word] = found.get(word, 0) + 1
    return list(found.items())


def _items(plan: Mapping[str, Any], changes: Sequence[Mapping[str, Any]], facets: Facets) -> list[dict[str, Any]]:
    calls: dict[str, list[str]] = {}
    for step in plan["steps"]:
        calls.setdefault(step["address"], []).extend(f"{call['method']} {call['path']}" for call in step["calls"])
    said = said_by_problems(plan["problems"])
    found = []
    for change in changes:
        why = change["message"]
        found.append(_item(change, said.get(why, ""), calls.get(change["address"], []), facets))
        if len(why) > LONG:
            said.setdefault(why, change["address"])
    return opened(found)


def _item(change: Mapping[str, Any], as_of: str, calls: list[str], facets: Facets) -> dict[str, Any]:
    told = block(change, _STYLE, as_of)
    is_new = "create" in {change["action"], change["intended"]}
    return {
        "address": change["address"],
        "key": change["action"],
        "look": change["action"],
        "sign": told.sign,
        "word": told.word,
        "loud": change["action"] in _LOUD,
        "extra": told.extra,
        "interruption": interruption_text(change),
        "fields": [plan_field(field, is_new=is_new) for field in change["fields"]],
        "is_new": is_new,
        "told": [*((line.label, line.text) for line in told.lines if line.label), *_more(change)],
        "labels": labels_of(change),
        "calls": calls,
        "facets": facets.of(change),
    }


def _more(change: Mapping[str, Any]) -> list[tuple[str, str]]:
    title = change.get("title")
    pairs = (
        ("kind", f"{title} ({change['kind']})" if title else change.get("kind")),
        ("written in", short_place(change["source"])),
        ("digest", change["digest"]),
    )
    return [(label, text) for label, text in pairs if text]


def _steps(steps: Sequence[Mapping[str, Any]], numbers: Mapping[str, int]) -> list[dict[str, Any]]:
    turns = {step["id"]: turn for turn, step in enumerate(steps, 1)}
    return [
        {
            "op": step["op"],
            "address": step["address"],
            "number": numbers.get(step["address"]),
            "after": [turns[name] for name in step["after"] if name in turns],
            "calls": [
                {"line": f"{call['method']} {call['path']}", "summary": call["summary"], "repeat": call["repeat"]}
                for call in step["calls"]
            ],
        }
        for step in steps
    ]
