"""What moved behind the spec's back, as the body of an issue: equal drift gives equal bytes, but for the last line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from reconciler.render.block import short_place
from reconciler.render.drift import STATES, calm_text, rank, sides, states_of
from reconciler.render.metrics import metrics_lines, metrics_note
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
    moment_text,
    problem_lines,
    size,
    word,
)
from reconciler.render.safe import fence, for_terminal, summary_code
from reconciler.render.style import Style
from reconciler.render.values import inner_diff

__all__ = ["drift_body", "drift_markdown", "drift_verdict"]

_STYLE: Final = Style()
_LOUD: Final[Mapping[str, str]] = {"vanished": "VANISHED", "run-state": "RUN STATE"}
_SUMMARY: Final = (*STATES, "in-sync", "unmanaged")
_TABLE_SHARE: Final = 0.6
"""Part of the room that the table may fill; the rest is for the details."""
_IN_TABLE: Final = 40
"""Units of a value in the table; the details have all of it."""
_SHOWN_FIELDS: Final = 2
_LONGEST_MESSAGE: Final = 120
_SAFE_NAME: Final = re.compile(r"\w[\w.-]{0,99}", re.ASCII)


def drift_markdown(drift: Mapping[str, Any], title: str, *, room: int = COMMENT_ROOM) -> str:
    """Drift as Markdown; the first line says how it stands.

    Only the last line tells of the moment: when was checked, at which revision, and which run was the last; and the
    metrics, where they were asked for.
    Where it does not fit, whole resources are left out, the harmless ones first; the text says so.

    Args:
        drift: As a `reconciler-drift/1` document has it.
        title: What was checked, such as `shop/prod`.
        room: UTF-16 units that the text may have, 4,000 at least; it also stays below 1,000,000 bytes.
    """
    first = heading(drift_verdict(drift), title)
    return finish([first, drift_body(drift, [first], room=room)])


def drift_verdict(drift: Mapping[str, Any]) -> str:
    """The check in a few words: what could not be read is no good news."""
    return {"drift": "Drift", "in-sync": "No drift"}.get(drift["verdict"], "Drift check incomplete")


def drift_body(drift: Mapping[str, Any], above: Sequence[str], *, room: int) -> str:
    """All of `drift_markdown` below its first line, or below other parts of a page that has so much room in all."""
    head, tail = _head(drift), [_moment(drift)]
    left = Room(room, [*above, *head, *tail, left_out("0" * 100, POINTER)])
    told = left.take_all(asides([problem_lines(drift["problems"])], room))
    notes = left.take_all(asides([(f"note: {note}" for note in drift["notes"])], room))
    resources = sorted(drift["resources"], key=rank)
    rows = _rows(resources, drift["failing"], left, keep=int(room * (1 - _TABLE_SHARE)))
    longer = [one for one in resources if one["fields"] or _is_long(one["message"])]
    details = left.take_all(map(_details, longer))
    below = [*_strangers(drift["unmanaged"], left), *_measured(drift.get("metrics") or {}, left)]
    missing = len(resources) - max(0, len(rows) - 3), len(longer) - len(details)
    rest = [left_out(f"{missing[0]} resources are not in the table, {missing[1]} without details", POINTER)]
    return finish([*head, *told, *rows, *details, *(rest if any(missing) else []), *below, *notes, *tail])


def _head(drift: Mapping[str, Any]) -> list[str]:
    counts: Mapping[str, int] = drift["summary"]
    told = ", ".join(
        f"{counts[state]} {state.replace('in-sync', 'in sync')}" for state in _SUMMARY if counts.get(state)
    )
    parts = [f"{told or 'Nothing is desired, and nothing live is ours'}."]
    if drift_verdict(drift) == "Drift check incomplete":
        parts.append("**Incomplete: something could not be read, so drift may be missing here.**")
    cover = drift["coverage"]
    if cover is not None and cover["percent"] is not None:
        others = f", {cover['other_owners']} by other owners" if cover["other_owners"] else ""
        parts.append(
            f"Managed: {word(cover['percent'])} % of {cover['live']} live things ({cover['ours']} by us{others})."
        )
    parts.append(f"**Next:** {_next(drift)}")
    return ["  \n".join(parts) + "\n"]


def _next(drift: Mapping[str, Any]) -> str:
    """What to do, in one line."""
    if drift_verdict(drift) == "Drift check incomplete":
        return "mend what could not be read (below), then check again."
    if drift_verdict(drift) == "No drift":
        return calm_text(drift)
    where = drift["environment"] or ""
    option = f" -e {where}" if _SAFE_NAME.fullmatch(where) else ""
    again = f"`reconciler apply{option}` brings back what the spec says"
    if not any(drift["summary"].get(state) for state in ("vanished", "run-state", "drifted")):
        return f"look at what is listed; {again}."
    return f"{again}; or take the change into the spec."


def _moment(drift: Mapping[str, Any]) -> str:
    """All that differs between two checks of the same drift."""
    parts = [f"Checked {moment_text(drift['checked_at'])}"]
    if drift["revision"]:
        parts[0] += f" at revision {code(drift['revision'][:12])}"
    last = drift["last_run"]
    if last is not None:
        revision = f" of revision {code(last['revision'][:12])}" if last["revision"] else ""
        parts.append(
            f"last run {code(last['id'])}{revision}, begun {moment_text(last['started'])}: {word(last['status'])}"
        )
    return f"{'; '.join(parts)}\n"


# -- resources --------------------------------------------------------------------------------------------------------


def _rows(resources: list[Mapping[str, Any]], failing: list[str], left: Room, *, keep: int) -> list[str]:
    if not resources:
        return []
    rows = ["| | resource | what is, and what was | an apply would | last applied |", "|---|---|---|---|---|"]
    for row in (*rows, ""):
        left.take(row)
    for one in resources:
        row = _row(one, failing)
        is_loud = any(state in _LOUD for state in one["states"])
        if not left.take(row, keep=0 if is_loud else keep):
            break
        rows.append(row)
    return [*rows, ""]


def _row(one: Mapping[str, Any], failing: list[str]) -> str:
    words = ", ".join(
        f"**{_LOUD.get(state, word(state))}**" if state in failing or state in _LOUD else word(state)
        for state in states_of(one)
    )
    action = {"none": "nothing", "unknown": "", "blocked": "refuse"}.get(one["action"], word(one["action"]))
    return f"| {words} | {code(one['address'], in_table=True)} | {_what(one)} | {action} | {_last(one)} |"


def _what(one: Mapping[str, Any]) -> str:
    parts = []
    if one["run_state"] is not None:
        parts.append(f"is {word(one['run_state']['live'])}, was applied {word(one['run_state']['wanted'])}")
    fields = one["fields"]
    for field in fields[:_SHOWN_FIELDS]:
        is_, was, verb = sides(field, _STYLE)
        parts.append(f"{code(field['path'], in_table=True, most=80)} is {_cell(is_)}, {verb} {_cell(was)}")
    if len(fields) > _SHOWN_FIELDS:
        parts.append(f"{len(fields) - _SHOWN_FIELDS} more fields")
    if one["message"]:
        parts.append("see below" if _is_long(one["message"]) else code(one["message"], in_table=True))
    return "; ".join(parts)


def _is_long(message: str) -> bool:
    """Whether it would make a row hard to read."""
    return size(message) > _LONGEST_MESSAGE


def _cell(text: str) -> str:
    return code(text, in_table=True, most=_IN_TABLE)


def _last(one: Mapping[str, Any]) -> str:
    last = one["last_applied"]
    if last is None:
        return ""
    revision = f"{code(last['revision'][:12], in_table=True)}, " if last["revision"] else ""
    return f"{revision}run {code(last['run'], in_table=True, most=80)}, {moment_text(last['at'])}"


def _details(one: Mapping[str, Any]) -> str:
    told = ", ".join(text for text in (one["title"], f"id {one['id']}" if one["id"] else "", one["status"]) if text)
    lines = [for_terminal(f"# {text}") for text in (told, one["message"]) if text]
    lines += [line for field in one["fields"] for line in _field(field)]
    states = states_of(one)
    is_open = any(state in _LOUD for state in states)
    name = " ".join(_LOUD.get(state, state) if state in STATES else "" for state in states).strip()
    return folded(f"{name} {summary_code(cut(one['address'], 200))}", fence(lines, "diff"), is_open=is_open)


def _field(field: Mapping[str, Any]) -> Iterator[str]:
    """A field's two sides, and where it is written; of long ones what differs inside, `-` as it was, `+` as it is."""
    is_, was, verb = sides(field, _STYLE)
    place = short_place(field["origin"])
    remark = f"  # {place}" if place else ""
    inner: tuple[tuple[str, str], ...] = ()
    if not field["sensitive"] and field["after_known"]:
        inner = inner_diff(field["after"], field["before"], _STYLE)
    if not inner:
        yield for_terminal(f"! {field['path']}: is {is_}, {verb} {was}{remark}")
        return
    yield for_terminal(f"! {field['path']}: (- {verb}, + is){remark}")
    yield from (for_terminal(f"{sign} {_STYLE.gutter} {part}".rstrip()) for sign, part in inner)


def _strangers(unmanaged: list[Mapping[str, Any]], left: Room) -> list[str]:
    """What nobody manages: never touched, and worth a look."""
    if not unmanaged:
        return []
    told = [
        (f"{one['provider']}/{one['kind']}", one["name"], one["id"], one["status"], one["note"]) for one in unmanaged
    ]
    lines = sorted(for_terminal("  ".join(part for part in parts if part)) for parts in told)
    body = fence(bounded(lines, min(left.sure // 2, 20_000)), "text")
    return left.take_all([folded(f"{len(lines)} unmanaged", body)])


def _measured(metrics: Mapping[str, Any], left: Room) -> list[str]:
    """How busy things are: beside the report, and no part of its verdict."""
    if not metrics:
        return []
    note = metrics_note(metrics.values())
    lines = [
        line
        for address, one in metrics.items()
        for line in (for_terminal(address), *(f"  {text}" for text in metrics_lines(one)))
    ]
    body = fence(bounded([f"# {note}", *lines], min(left.sure // 2, 20_000)), "text")
    return left.take_all([folded(f"Metrics of {len(metrics)} resource{'s' * (len(metrics) != 1)}", body)])
