"""What the step before left: an envelope of `--result`, or a bare document. Whatever can't be read counts as failed.

Nobody may take an absence for good news (case C53): only a document that is whole, and says so, is one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from reconciler.render.drift import DRIFT_FORMAT
from reconciler.render.envelope import RESULT_FORMAT, empty_result
from reconciler.render.safe import for_terminal
from reconciler.render.seal import PLAN_FORMAT, is_intact
from reconciler.render.story import is_all_well, is_incomplete

__all__ = ["Result", "read_result"]

_PROBLEMS: Final = "reconciler-problems/1"
_PARTS: Final = {PLAN_FORMAT: "plan", "reconciler-report/1": "report", DRIFT_FORMAT: "drift"}
_COMMANDS: Final = {"plan": "plan", "report": "apply", "drift": "drift"}
_NOTHING: Final = "the step before left no result: it failed, was killed, or never ran"
_WELL: Final = frozenset({0, 2})
_REFUSED: Final = 4
_SHA256: Final = 64
_REPORT: Final = frozenset({"complete", "summary", "steps"})
_DRIFT: Final = frozenset({"verdict", "summary", "failing", "resources", "partial", "coverage"})


@dataclass(frozen=True, slots=True)
class Result:
    """One envelope (`reconciler-result/1`), and what follows from it."""

    data: Mapping[str, Any]

    @property
    def owner(self) -> str:
        """`project/environment`, or empty where nobody got that far."""
        found = next((part["owner"] for part in self._parts() if part.get("owner")), self.data["owner"])
        return str(found or "")

    @property
    def environment(self) -> str:
        """The environment's name, or empty."""
        return str(self.data["environment"] or "")

    @property
    def plan(self) -> Mapping[str, Any] | None:
        """The plan, if one was made."""
        return self.data["plan"]  # type: ignore[no-any-return]

    @property
    def report(self) -> Mapping[str, Any] | None:
        """What an apply did, if it got that far."""
        return self.data["report"]  # type: ignore[no-any-return]

    @property
    def drift(self) -> Mapping[str, Any] | None:
        """What a check for drift found, if it came to its end."""
        return self.data["drift"]  # type: ignore[no-any-return]

    @property
    def has_failed(self) -> bool:
        """Whether the command did not come to a result of its own: killed, refused input, nothing left."""
        if not self.data["finished"] or self.exit_code is None:
            return True
        match self.data["command"]:
            case "plan":
                told = self.plan is not None and (is_incomplete(self.plan) or bool(self.plan["summary"]["blocked"]))
                return not told and (self.plan is None or self.exit_code not in _WELL)
            case "drift":
                return self.drift is None or self.exit_code not in {1, *_WELL}
            case "apply":
                return self.report is None and not (self.exit_code == 0 and self.plan and is_all_well(self.plan))
            case _:
                return self.exit_code != 0 or bool(self.data["problems"])

    @property
    def exit_code(self) -> int | None:
        """The command's exit code; `None` when it never ended."""
        return self.data["exit_code"]  # type: ignore[no-any-return]

    @property
    def is_whole_plan(self) -> bool:
        """Whether it is a plan over everything that should have been read."""
        is_plan = not self.has_failed and self.plan is not None and self.data["command"] == "plan"
        return is_plan and self.plan is not None and not is_incomplete(self.plan)

    @property
    def has_changes(self) -> bool | None:
        """Whether there is anything to do; `None` where nobody can tell."""
        if self.plan is None or self.has_failed or is_incomplete(self.plan):
            return None
        return not is_all_well(self.plan)

    @property
    def found_drift(self) -> bool:
        """Whether there is something that ends with exit 2, whatever else could not be read."""
        drift = self.drift
        return drift is not None and any(drift["summary"].get(state) for state in drift["failing"])

    @property
    def has_drift(self) -> bool | None:
        """Whether anything has moved; `None` where nobody can tell."""
        drift = self.drift
        if drift is None or self.has_failed:
            return None
        return True if self.found_drift else None if self.is_doubtful_drift else False

    @property
    def is_doubtful_drift(self) -> bool:
        """Whether a check for drift failed, or could not read all of it."""
        drift = self.drift
        return self.has_failed or drift is None or drift["verdict"] == "incomplete"

    @property
    def verdict(self) -> str:
        """One word, or two, for a workflow to compare."""
        if self.data["command"] == "apply" and self.report is None and self.exit_code == _REFUSED:
            return "refused"
        if self.has_failed:
            return "failed"
        if self.report is not None:
            return "applied" if self.report["complete"] and self.exit_code == 0 else "incomplete"
        if self.drift is not None:
            return "drift" if self.found_drift else "incomplete" if self.is_doubtful_drift else "no drift"
        return "valid" if self.plan is None else _plan_verdict(self.plan)

    @property
    def change_digests(self) -> dict[str, str]:
        """Address → the first 32 characters of its change's digest, of all changes that have one."""
        changes = self.plan["changes"] if self.plan is not None else ()
        found = ((str(change["address"]), change["digest"]) for change in changes)
        return {address: digest[:32] for address, digest in found if isinstance(digest, str) and len(digest) == _SHA256}

    def _parts(self) -> list[Mapping[str, Any]]:
        return [part for part in (self.plan, self.report, self.drift) if part is not None]


def _plan_verdict(plan: Mapping[str, Any]) -> str:
    if is_incomplete(plan):
        return "incomplete"
    return "blocked" if plan["summary"]["blocked"] else "no changes" if is_all_well(plan) else "changes"


def read_result(path: str, environment: str | None) -> Result:
    """Read a file that may be missing, empty, cut off or altered; it is never an error, and then never good news.

    Args:
        path: An envelope, or a plan, report, drift or problems document.
        environment: What `-e` says; it stands in where the file names none.
    """
    data = dict(_envelope(path))
    data["environment"] = data["environment"] or environment
    return Result(data)


def _envelope(path: str) -> Mapping[str, Any]:
    try:
        found = json.loads(Path(path).read_bytes())
    except (OSError, ValueError, RecursionError):
        return _failed(_NOTHING)
    if not isinstance(found, dict):
        return _failed(_NOTHING)
    form = found.get("format")
    if form == RESULT_FORMAT:
        return _checked({**empty_result(), **found})
    if form == _PROBLEMS:
        problems = found.get("problems")
        return _checked(
            {**empty_result(), "command": "validate", "finished": True, "exit_code": 1, "problems": problems}
        )
    part = _PARTS.get(str(form))
    if part is None:
        return _failed(f"the step before left something of format {for_terminal(str(form))[:80]!r}")
    named = {key: found.get(key) for key in ("owner", "environment", "revision")}
    data = _checked(
        {**empty_result(), **named, "command": _COMMANDS[part], "finished": True, "exit_code": 0, part: found}
    )
    return {**data, "exit_code": _code(part, found)} if data["finished"] else data


def _code(part: str, document: Mapping[str, Any]) -> int:
    """With which code a command ends that has such a document. Source: DESIGN §10."""
    if part == "plan":
        return 1 if is_incomplete(document) else _REFUSED if document["summary"]["blocked"] else 0
    if part == "report":
        return 0 if document["complete"] else 3
    return 1 if document["verdict"] == "incomplete" else 2 if document["verdict"] == "drift" else 0


def _checked(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The envelope, unless a part of it is not what its format promises."""
    plan, report, drift = (data[part] for part in _PARTS.values())
    sound = (
        isinstance(data["problems"], list)
        and all(isinstance(item, dict) and isinstance(item.get("message"), str) for item in data["problems"])
        and (data["exit_code"] is None or type(data["exit_code"]) is int)
        and isinstance(data["command"], str)
        and isinstance(data["message"], str)
        and (plan is None or (isinstance(plan, dict) and is_intact(plan)))
        and (report is None or (isinstance(report, dict) and report.keys() >= _REPORT))
        and (drift is None or (isinstance(drift, dict) and drift.keys() >= _DRIFT))
    )
    if sound:
        return data
    named = {key: data[key] for key in ("owner", "environment", "revision") if isinstance(data[key], str)}
    return {**_failed("the result was altered after it was saved, or is of another release"), **named}


def _failed(message: str) -> dict[str, Any]:
    return {**empty_result(), "message": message}
