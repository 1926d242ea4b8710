"""Drift as what its page shows: the words of the other forms, put where a page has them. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from reconciler.render.block import short_place
from reconciler.render.drift import SIGNS, STATES, calm_text, rank, run_state_text, sentences, states_of
from reconciler.render.drift_markdown import drift_verdict
from reconciler.render.html_fields import Facets, drift_field, labels_of, opened
from reconciler.render.page import moment_text
from reconciler.render.problems import problem_text
from reconciler.render.story import LONG, said_by_problems

__all__ = ["drift_view"]

_REVISION: Final = 12
_SUMMARY: Final = (*STATES, "in-sync", "unmanaged")
_TONES: Final[Mapping[str, str]] = {"Drift": "moved", "No drift": "well"}


def drift_view(drift: Mapping[str, Any]) -> dict[str, Any]:
    """What the template of a drift's page reads."""
    resources = sorted(drift["resources"], key=rank)
    facets = Facets(resources)
    verdict = drift_verdict(drift)
    counts: Mapping[str, int] = drift["summary"]
    states = [state for state in _SUMMARY if counts.get(state)]
    found = {state for one in resources for state in one["states"]}
    return {
        "what": "drift",
        "format": drift["format"],
        "title": drift["owner"],
        "verdict": verdict,
        "tone": _TONES.get(verdict, "alarm"),
        "sentence": _sentence(counts, states),
        "alarms": []
        if verdict in _TONES
        else ["Incomplete: something could not be read, so drift may be missing here."],
        "next": _next(drift, verdict),
        "snapshot": None,
        "problems": [problem_text(problem) for problem in drift["problems"]],
        "warnings": [],
        "counts": [
            {"key": key, "sign": SIGNS[key], "verb": key.replace("in-sync", "in sync"), "count": counts[key]}
            for key in states
        ],
        "totals": [],
        "interruptions": [],
        "facts": _facts(drift),
        "facets": facets,
        "kinds": [(key, SIGNS[key], key) for key in STATES if key in found],
        "items": _items(drift, resources, facets),
        "unmanaged": [
            {**item, "name": item["name"] or "(no name)"} for item in sorted(drift["unmanaged"], key=_by_place)
        ],
        "remarks": [],
        "notes": drift["notes"],
    }


def _next(drift: Mapping[str, Any], verdict: str) -> str:
    if verdict == "No drift":
        return calm_text(drift)
    if verdict == "Drift":
        return "look at what is listed; an apply brings back what the spec says, or take the change into the spec."
    return "mend what could not be read, then check again."


def _by_place(item: Mapping[str, Any]) -> tuple[str, ...]:
    return item["provider"], item["kind"], item["name"] or "", item["id"]


def _sentence(counts: Mapping[str, int], states: Sequence[str]) -> str:
    told = ", ".join(f"{counts[state]} {state.replace('in-sync', 'in sync')}" for state in states)
    return f"{told or 'Nothing is desired, and nothing live is ours'}."


def _facts(drift: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(name, value, what is behind it)."""
    found = [("Owner", drift["owner"], "")]
    if drift["environment"]:
        found.append(("Environment", drift["environment"], ""))
    found.append(("Checked", moment_text(drift["checked_at"]), ""))
    if drift["revision"]:
        found.append(("Revision", drift["revision"][:_REVISION], drift["revision"]))
    cover = drift["coverage"]
    if cover is not None and cover["percent"] is not None:
        others = f", {cover['other_owners']} by other owners" if cover["other_owners"] else ""
        of = f"{cover['live']} live things ({cover['ours']} by us{others})"
        found.append(("Managed", f"{cover['percent']} % of {of}", ""))
    run = drift["last_run"]
    if run is not None:
        at = f"revision {run['revision'][:_REVISION]}, " if run["revision"] else ""
        found.append(("Last apply", f"{at}run {run['id']}, {moment_text(run['started'])}, {run['status']}", ""))
    return found


def _items(drift: Mapping[str, Any], resources: Sequence[Mapping[str, Any]], facets: Facets) -> list[dict[str, Any]]:
    said = said_by_problems(drift["problems"])
    found = []
    for one in resources:
        found.append(_item(one, said.get(one["message"], ""), facets))
        if len(one["message"]) > LONG:
            said.setdefault(one["message"], one["address"])
    return opened(found)


def _item(one: Mapping[str, Any], as_of: str, facets: Facets) -> dict[str, Any]:
    states = states_of(one)
    is_loud = states != ["pending"]
    word = ", ".join(states)
    told = [("run state", run_state_text(one["run_state"]))] if one["run_state"] else []
    told += [(line.label, line.text) for line in sentences(one, as_of)]
    told += [("kind", f"{one['title']} ({one['kind']})"), ("written in", short_place(one["source"]))]
    known = [f"id {one['id']}" if one["id"] else "", one["status"]]
    return {
        "address": one["address"],
        "key": " ".join(states),
        "look": states[0],
        "sign": SIGNS[states[0]],
        "word": word.upper() if is_loud else word,
        "loud": is_loud,
        "extra": ", ".join(part for part in known if part),
        "interruption": "none",
        "fields": [drift_field(field) for field in one["fields"]],
        "is_new": False,
        "told": [(label, text) for label, text in told if text],
        "labels": labels_of(one),
        "calls": [],
        "facets": facets.of(one),
    }
