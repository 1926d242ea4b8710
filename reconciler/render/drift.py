"""Drift as JSON (`reconciler-drift/1`), and its story in words for a terminal. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from reconciler.diff.metrics import Metrics
from reconciler.plan.drift import Drift, Drifted, DriftState, Unmanaged
from reconciler.render.block import LOOKS, Line, short_place
from reconciler.render.machine import field_json, labels_json, last_applied_json
from reconciler.render.metrics import metrics_json, metrics_lines, metrics_note
from reconciler.render.page import moment_text
from reconciler.render.problems import place_json, problem_json, problem_text
from reconciler.render.safe import for_terminal, no_commands
from reconciler.render.story import LONG, said_by_problems
from reconciler.render.style import Style, Tone
from reconciler.render.text import line_text
from reconciler.render.values import inner_diff, value_text

__all__ = [
    "DRIFT_FORMAT",
    "SIGNS",
    "STATES",
    "calm_text",
    "drift_json",
    "drift_text",
    "rank",
    "run_state_text",
    "sentences",
    "sides",
    "states_of",
]

DRIFT_FORMAT: Final = "reconciler-drift/1"
_PLAIN: Final = Style()
_REVISION: Final = 12
_LOOKS: Final[Mapping[str, tuple[str, Tone]]] = {
    "vanished": ("-", Tone.DELETE),
    "run-state": ("~", Tone.UPDATE),
    "drifted": ("~", Tone.UPDATE),
    "unknown": ("?", Tone.ALARM),
    "failed": ("!", Tone.ALARM),
    "unhealthy": ("!", Tone.ALARM),
    "expiring": ("!", Tone.UPDATE),
    "pending": (".", Tone.DIM),
}
"""State → how it looks, loudest first."""
SIGNS: Final[Mapping[str, str]] = {
    **{state: sign for state, (sign, _) in _LOOKS.items()},
    "in-sync": "=",
    "unmanaged": "",
}
"""What stands before a state wherever one is listed."""
STATES: Final = tuple(_LOOKS)
"""The order of every list of drift: what is gone first."""


def drift_json(drift: Drift, measured: Mapping[str, Metrics] | None = None) -> dict[str, Any]:
    """Drift as `reconciler-drift/1`. A field's `before` is live, its `after` is desired.

    `measured`: metrics by address, for `--metrics`; they change no state and no verdict.
    """
    metrics = {address: metrics_json(measured[address]) for address in sorted(measured)} if measured is not None else {}
    verdict = "incomplete" if drift.is_incomplete else "drift" if drift.has_drift else "in-sync"
    return {
        "format": DRIFT_FORMAT,
        "owner": drift.owner,
        "environment": drift.environment or None,
        "revision": drift.revision or None,
        "checked_at": drift.checked_at,
        "verdict": verdict,
        "summary": drift.summary,
        "failing": [str(state) for state in DriftState if state in drift.failing],
        "resources": [_resource(one) for one in drift.resources],
        "unmanaged": [_unmanaged(one) for one in drift.unmanaged],
        "coverage": {
            "live": drift.coverage.live,
            "ours": drift.coverage.ours,
            "other_owners": drift.coverage.other_owners,
            "unmanaged": drift.coverage.unmanaged,
            "percent": drift.coverage.percent,
        }
        if drift.coverage is not None
        else None,
        "last_run": {
            "id": drift.last_run.id,
            "revision": drift.last_run.revision or None,
            "started": drift.last_run.started,
            "status": drift.last_run.status,
        }
        if drift.last_run is not None
        else None,
        "problems": [problem_json(problem) for problem in drift.problems],
        "notes": list(drift.notes),
        "partial": drift.partial,
        **({"metrics": metrics} if measured is not None else {}),
    }


def _resource(one: Drifted) -> dict[str, Any]:
    change = one.change
    return {
        "address": change.address,
        "kind": change.kind.label,
        "title": change.kind.title,
        "states": [str(state) for state in one.states],
        "id": change.live_id or (change.applied.live_id if change.applied is not None else "") or None,
        "status": change.live.status if change.live is not None else "",
        "fields": [field_json(field) for field in one.fields],
        "run_state": {"live": change.live.run_state, "wanted": one.wanted}
        if one.wanted and change.live is not None
        else None,
        "message": one.message,
        "action": str(change.action),
        "last_applied": last_applied_json(change),
        "source": place_json(change.desired.origin) if change.desired is not None else None,
        "labels": labels_json(change),
    }


def _unmanaged(one: Unmanaged) -> dict[str, Any]:
    live = one.live
    return {
        "provider": live.provider,
        "kind": live.kind.name,
        "name": live.name or None,
        "id": live.id,
        "status": live.status,
        "note": one.note,
    }


def calm_text(drift: Mapping[str, Any]) -> str:
    """What to do where nothing has drifted: what is pending, failed or unhealthy is listed all the same."""
    return "no drift is to be mended; look at what is listed." if drift["resources"] else "nothing is to be done."


# -- in words -------------------------------------------------------------------------------------------------------


def drift_text(drift: Mapping[str, Any], style: Style = _PLAIN) -> str:
    """Drift (as `drift_json` has it) for a person at a terminal: what vanished first, the verdict last."""
    return no_commands("\n".join(_lines(drift, style))) + "\n"


def _lines(drift: Mapping[str, Any], style: Style) -> Iterator[str]:
    for problem in drift["problems"]:
        yield style.paint(f"  ! {problem_text(problem)}", Tone.ALARM)
    if drift["problems"]:
        yield ""
    said = said_by_problems(drift["problems"])
    for one in sorted(drift["resources"], key=rank):
        text = one["message"]
        yield from _resource_lines(one, style, said.get(text, ""))
        if len(text) > LONG:
            said.setdefault(text, one["address"])
    if drift["resources"]:
        yield ""
    if drift["unmanaged"]:
        yield style.paint("Unmanaged (live, and nobody's marker is on them):", Tone.BOLD)
        for item in drift["unmanaged"]:
            told = [item["name"], item["id"], item["status"], item["note"]]
            yield f"    {item['provider']}/{item['kind']}  " + for_terminal("  ".join(part for part in told if part))
        yield ""
    if drift.get("metrics"):
        yield style.paint(metrics_note(drift["metrics"].values()), Tone.BOLD)
        for address, metrics in drift["metrics"].items():
            yield f"    {for_terminal(address)}"
            yield from (f"      {line}" for line in metrics_lines(metrics))
        yield ""
    yield from (f"note: {for_terminal(note)}" for note in drift["notes"])
    if drift["notes"]:
        yield ""
    yield from _verdict_lines(drift, style)


def states_of(one: Mapping[str, Any]) -> list[str]:
    """The states of a resource, loudest first; one that this release does not know comes last."""
    return sorted(one["states"], key=lambda state: (_place(state), state))


def rank(one: Mapping[str, Any]) -> tuple[int, str]:
    """Where a resource stands in a list: by its loudest state, then by address."""
    return min(map(_place, one["states"]), default=len(STATES)), one["address"]


def _place(state: str) -> int:
    return STATES.index(state) if state in STATES else len(STATES)


def _resource_lines(one: Mapping[str, Any], style: Style, as_of: str) -> Iterator[str]:
    states = states_of(one)
    sign, tone = _LOOKS[states[0]]
    word = ", ".join(states)
    word = word if one["states"] == ["pending"] else word.upper()
    known = [f"id {one['id']}" if one["id"] else "", one["status"]]
    extra = for_terminal(", ".join(part for part in known if part))
    head = style.paint(f"{sign:>3} {word}  {for_terminal(one['address'])}", tone)
    yield head + (style.paint(f"  {extra}", Tone.DIM) if extra else "")
    for line in _details(one, style, as_of):
        yield from line_text(line, style)


def _details(one: Mapping[str, Any], style: Style, as_of: str) -> Iterator[Line]:
    for field in one["fields"]:
        yield from _field_lines(field, style)
    if one["run_state"]:
        yield Line(text=run_state_text(one["run_state"]), mark="~")
    yield from sentences(one, as_of)


def run_state_text(state: Mapping[str, Any]) -> str:
    """In which run state something is, and in which it was left."""
    return f"it is {for_terminal(state['live'])}, and was applied as {for_terminal(state['wanted'])}"


def sentences(one: Mapping[str, Any], as_of: str) -> Iterator[Line]:
    """What is said below the fields of a resource, each with its label; `as_of`: where the same was told already."""
    if one["message"]:
        why = f"the same as above for {as_of}" if as_of else one["message"]
        yield Line(label="why", text=for_terminal(why))
    last = one["last_applied"]
    if one["states"] != ["pending"]:
        if last:
            at = f"revision {last['revision'][:_REVISION]}, " if last["revision"] else ""
            text = f"{at}run {last['run']}, {moment_text(last['at'])}"
            yield Line(label="last applied", text=for_terminal(text))
        if one["action"] not in {"none", "unknown"} and "unknown" not in one["states"]:
            verb = LOOKS[one["action"]].verb.removeprefix("to ")
            yield Line(label="an apply would", text="refuse, until that is solved" if verb == "blocked" else verb)


def _field_lines(field: Mapping[str, Any], style: Style) -> Iterator[Line]:
    path = for_terminal(field["path"])
    place = short_place(field["origin"])
    remark = f"  # {for_terminal(place)}" if place else ""
    is_, was, verb = sides(field, style)
    inner: tuple[tuple[str, str], ...] = ()
    if not field["sensitive"] and field["after_known"]:
        inner = inner_diff(field["after"], field["before"], style)
    if not inner:
        yield Line(text=f"{path}: is {is_}, {verb} {was}{remark}", mark="~", tone=Tone.UPDATE)
        return
    yield Line(text=f"{path}: (- {verb}, + is){remark}", mark="~", tone=Tone.UPDATE)
    tones = {"+": Tone.CREATE, "-": Tone.DELETE}
    for sign, part in inner:
        text = f"{style.gutter} {part}".rstrip()
        yield Line(text=text, mark=sign, tone=tones.get(sign, Tone.DIM), depth=1)


def sides(field: Mapping[str, Any], style: Style) -> tuple[str, str, str]:
    """What is live, what it should be, and which verb stands between; where the spec moved too, it speaks."""
    verb = "the spec says" if field["class"] == "both" else "was applied as"
    if field["sensitive"]:
        return "(another secret)", "(secret)", verb
    is_ = "(not set)" if field["before"] is None else value_text(field["before"], style)
    if not field["after_known"]:
        return is_, f"(known after apply) {for_terminal(field['after_text'] or '')}".rstrip(), verb
    if field["removed"]:
        default = "" if field["after"] is None else f"{value_text(field['after'], style)} "
        return is_, f"{default}(the default)", verb
    return is_, "(not set)" if field["after"] is None else value_text(field["after"], style), verb


def _verdict_lines(drift: Mapping[str, Any], style: Style) -> Iterator[str]:
    counts: Mapping[str, int] = drift["summary"]
    told = ", ".join(f"{counts[state]} {state}" for state in (*STATES, "unmanaged") if counts[state])
    found = any(counts[state] for state in drift["failing"])
    if drift["verdict"] == "incomplete":
        head = "Incomplete: something could not be read, so drift may be missing here"
        yield style.paint(f"{head} ({told}, {counts['in-sync']} in sync).", Tone.ALARM)
    else:
        head = "Drift" if found else "No drift"
        yield style.paint(f"{head}: {f'{told}, ' if told else ''}{counts['in-sync']} in sync.", Tone.BOLD)
    cover = drift["coverage"]
    if cover is not None and cover["percent"] is not None:
        others = f", {cover['other_owners']} by other owners" if cover["other_owners"] else ""
        yield (
            f"Managed: {cover['percent']} % of {cover['live']} live things "
            f"({cover['ours']} by {for_terminal(drift['owner'])}{others})."
        )
    run = drift["last_run"]
    if run:
        at = f"revision {run['revision'][:_REVISION]}, " if run["revision"] else ""
        yield for_terminal(f"Last apply: {at}run {run['id']}, {moment_text(run['started'])}, {run['status']}.")
    if found:
        yield "What next: apply puts it back; or take the change into the spec."
