"""What goes to stderr as JSON Lines (`--log-format json`, `reconciler-log/1`): notes, and the events of an apply. Pure.

Each line is one object: `format`, `time` (RFC 3339, UTC), `level`, `message`; an event has its name in `event`, and its
facts beside it. Which events there are, and what they hold, says `schemas/reconciler-log-1.json`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from reconciler.plan.outcome import Outcome, Report, State
from reconciler.render.safe import for_terminal
from reconciler.render.seal import with_texts

__all__ = ["LEVELS", "LOG_FORMAT", "ended_json", "log_line", "record", "report_ended_json"]

LOG_FORMAT: Final = "reconciler-log/1"
LEVELS: Final = ("debug", "info", "warning", "error")
_OF_STATE: Final = {State.DONE: "info", State.FAILED: "error", State.SKIPPED: "warning", State.UNKNOWN: "warning"}
_PREFIXES: Final = {"warning: ": "warning", "note: ": "info"}


def record(message: str, at_s: float, *, level: str = "", event: str = "", **facts: Any) -> dict[str, Any]:
    """One line as data.

    Args:
        message: In words, as a terminal would show it; a leading `warning: ` or `note: ` becomes the level.
        at_s: Seconds since the epoch.
        level: One of `LEVELS`, where the message does not tell.
        event: Its name, or empty for what is only said.
        facts: Of the event.
    """
    for prefix, meant in _PREFIXES.items():
        if message.startswith(prefix):
            message, level = message.removeprefix(prefix), level or meant
    when = datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    told = "\n".join(for_terminal(line) for line in message.rstrip("\n").split("\n"))
    named = {"event": event} if event else {}
    return {"format": LOG_FORMAT, "time": when, "level": level or "info", **named, "message": told, **facts}


def log_line(data: Mapping[str, Any], mask: Callable[[str], str]) -> str:
    """A record as one line of JSON, ASCII alone, without the secrets that `mask` hides."""
    return json.dumps(with_texts(data, mask)) + "\n"


def ended_json(outcome: Outcome) -> dict[str, Any]:
    """The level and the facts of `step-ended`."""
    return {
        "level": _OF_STATE[outcome.state],
        "step": outcome.step,
        "address": outcome.address,
        "op": str(outcome.op),
        "state": str(outcome.state),
        "id": outcome.live_id or None,
        "endpoint": outcome.endpoint or None,
        "cause": outcome.cause or None,
        "seconds": round(outcome.seconds, 3),
    }


def report_ended_json(report: Report) -> dict[str, Any]:
    """The level and the facts of `run-ended`."""
    return {
        "level": "info" if report.complete else "warning",
        "owner": report.owner,
        "run": report.run,
        "digest": report.digest,
        "counts": report.counts,
        "complete": report.complete,
        "interrupted": report.interrupted,
        "seconds": round(report.seconds, 3),
    }
