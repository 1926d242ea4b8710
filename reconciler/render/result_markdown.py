"""What became of a command, from its result file, as Markdown: what is not known is never good news (case C53)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from reconciler.render.drift_markdown import drift_body, drift_verdict
from reconciler.render.markdown import plan_body
from reconciler.render.page import COMMENT_ROOM, POINTER, asides, finish, heading, problem_lines
from reconciler.render.report_markdown import is_applied, report_body
from reconciler.render.story import is_all_well, is_incomplete, verdict_text

__all__ = ["result_markdown"]

_WENT_WELL: Final = frozenset({0, 2})
_REFUSED: Final = 4
_FAILED: Final[Mapping[str, str]] = {
    "plan": "Plan failed",
    "apply": "Apply failed",
    "drift": "Drift check failed",
    "validate": "Validation failed",
}
_UNKNOWN: Final[Mapping[str, str]] = {
    "plan": "What would change is unknown: nothing was compared with what is live.",
    "apply": "No plan was made, so nothing was sent to any provider.",
    "drift": "Whether anything drifted is unknown.",
    "validate": "Whether the spec is valid is unknown.",
}
"""What is true where a command ended without its document."""
_BEGUN: Final = "What was done is unknown. The same command goes on from here: it looks first at what was left open."
_KILLED: Final = "It was killed or did not end, or the step before left no result."
"""A result file is there from the beginning, and says so until the end is written."""


def result_markdown(
    result: Mapping[str, Any],
    title: str,
    *,
    room: int = COMMENT_ROOM,
    pointer: str = POINTER,
    since: Mapping[str, str] | None = None,
) -> str:
    """Any result as Markdown; its first line says how it stands.

    "No changes", "No drift" and "Applied" stand there only where the command ended well and its own document says so.

    Args:
        result: A `reconciler-result/1`; an empty one is that of a command that left none.
        title: What it is about, such as `shop/prod`.
        room: UTF-16 units that the text may have, 4,000 at least; it also stays below 1,000,000 bytes.
        pointer: Where a reader finds all of it.
        since: The plan that was shown before, as `plan_markdown` takes it.
    """
    command = result.get("command") or "plan"
    verdict = _verdict(result, command)
    document = _document(result, verdict)
    parts = [heading(verdict, title), *_why(result, command, verdict, document, room)]
    if document == "report":
        parts.append(report_body(result[document], parts, room=room))
    elif document == "drift":
        parts.append(drift_body(result[document], parts, room=room))
    elif document == "plan":
        parts.append(plan_body(result[document], parts, room=room, pointer=pointer, since=since))
    return finish(parts)


def _document(result: Mapping[str, Any], verdict: str) -> str:
    """Which part of the result tells the story below, if any: never good news under a failure."""
    if result.get("report") is not None:
        return "report"
    if result.get("drift") is not None:
        return "drift" if drift_verdict(result["drift"]) != "No drift" or verdict == "No drift" else ""
    if result.get("plan") is not None:
        return "plan" if not is_all_well(result["plan"]) or verdict == "No changes" else ""
    return ""


def _verdict(result: Mapping[str, Any], command: str) -> str:
    """How it stands: the document's own word where the command came to its end with it, else a failure."""
    failed = _FAILED.get(command, "Run failed")
    code = result.get("exit_code")
    if not _is_finished(result):
        return failed
    plan, drift = result.get("plan"), result.get("drift")
    if command == "drift" and drift is not None:
        verdict = drift_verdict(drift)
        return verdict if code in _WENT_WELL or verdict != "No drift" else failed
    if command == "apply":
        return _apply_verdict(result)
    if command == "plan" and plan is not None:
        is_told = is_incomplete(plan) or plan["summary"]["blocked"]
        is_well = code in _WENT_WELL and not (is_all_well(plan) and _mistakes(result))
        return verdict_text(plan) if is_well or is_told else failed
    if command == "validate":
        return "Valid" if code == 0 and not _mistakes(result) else failed
    return failed


def _apply_verdict(result: Mapping[str, Any]) -> str:
    code, plan, report = result["exit_code"], result.get("plan"), result.get("report")
    if report is not None:
        return "Applied" if is_applied(report) and code == 0 else "Apply incomplete"
    if code == _REFUSED or _is_held_back(result):
        return "Apply refused"
    is_nothing = code == 0 and plan is not None and is_all_well(plan) and not _mistakes(result)
    return "No changes" if is_nothing else "Apply failed"


def _is_held_back(result: Mapping[str, Any]) -> bool:
    """Whether the plan itself was the reason to stop: it is incomplete or blocked, and no error came after it."""
    plan = result.get("plan")
    return plan is not None and not result.get("message") and bool(is_incomplete(plan) or plan["summary"]["blocked"])


def _mistakes(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [problem for problem in result.get("problems") or () if not problem.get("warning")]


def _why(result: Mapping[str, Any], command: str, verdict: str, document: str, room: int) -> list[str]:
    """What the command says of its own end, and what is unknown now."""
    is_finished = _is_finished(result)
    parts = [] if is_finished else [f"**{_KILLED}**\n"]
    told = _new_problems(result, document)
    message = [line for line in (result.get("message") or "").splitlines() if line.strip()]
    parts += asides([problem_lines(told), [] if told else message], room)
    report = result.get("report")
    if verdict == "Apply refused":
        is_sure = bool(told) or _is_held_back(result)  # else somebody stopped it, and its message says when
        return [*parts, "It was refused before anything was sent.\n"] if is_sure else parts
    if verdict == "Apply incomplete" and report is not None and is_applied(report):
        return [*parts, "**Not all of the plan was applied: what was left out stays as it was.**\n"]
    if verdict != _FAILED.get(command, "Run failed") or (command == "validate" and told):
        return parts
    if not parts:
        parts.append(f"Nobody said why{_code_text(result)}.\n")
    if command == "apply" and (result.get("plan") is not None or not is_finished):
        return [*parts, f"{_BEGUN}\n"]
    return parts if document else [*parts, f"{_UNKNOWN.get(command, 'What it did is unknown.')}\n"]


def _is_finished(result: Mapping[str, Any]) -> bool:
    return bool(result.get("finished")) and result.get("exit_code") is not None


def _code_text(result: Mapping[str, Any]) -> str:
    code = result.get("exit_code")
    return f" (exit code {code})" if isinstance(code, int) else ""


def _new_problems(result: Mapping[str, Any], document: str) -> list[Mapping[str, Any]]:
    """The problems that the document below does not tell itself."""
    known = result[document].get("problems", ()) if document else ()
    return [problem for problem in result.get("problems") or () if problem not in known]
