"""What the next steps read: a job's outputs, written so that no value becomes another one, and its summary."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from reconciler.github.result import Result
from reconciler.github.words import result_text
from reconciler.render.safe import for_terminal
from reconciler.render.story import summary_text

__all__ = ["add_summary", "facts", "write_outputs"]

_SUMMARY_LIMIT: Final = 1_048_576
"""Bytes of a step's summary, all that stands in it already included: one more, and GitHub fails the upload."""
_MARGIN: Final = 1_024
_SHORTEST: Final = 4_000
"""Units below which no story can be told."""
_WORST: Final = 3
"""Bytes that one UTF-16 unit may take."""
_ACTIONS: Final = {
    "creates": "create",
    "updates": "update",
    "replaces": "replace",
    "deletes": "delete",
    "blocked": "blocked",
    "unknown": "unknown",
}


def facts(result: Result) -> dict[str, str]:
    """A result's outputs; a name's `_` is written as `-`. What nobody knows is empty, never "false" or 0."""
    summary: Mapping[str, int] = result.plan["summary"] if result.plan is not None else {}
    return {
        "digest": "" if result.plan is None or result.has_changes is None else str(result.plan["digest"]),
        "has_changes": _claim(result.has_changes),
        "has_drift": _claim(result.has_drift),
        "exit_code": "" if result.exit_code is None else str(result.exit_code),
        "verdict": result.verdict,
        "summary": _sentence(result),
        **{name: str(summary[action]) if action in summary else "" for name, action in _ACTIONS.items()},
    }


def write_outputs(file: Path | None, values: Mapping[str, str]) -> None:
    """Append outputs to the file of `GITHUB_OUTPUT`; nothing where there is none.

    Each value stands between delimiters that nobody can guess, so that a line break in it begins no output of its own.

    Raises:
        OSError: it can't be written.
    """
    if file is None:
        return
    lines = []
    for name, value in values.items():
        fence = f"EOF_{secrets.token_hex(16)}"
        lines += [f"{name.replace('_', '-')}<<{fence}", value.encode("utf-8", "backslashreplace").decode(), fence]
    _append(file, "\n".join(lines))


def add_summary(file: Path | None, result: Result, title: str) -> bool:
    """Append a result to the step's summary, as much as fits; whether anything was written.

    Raises:
        OSError: it can't be written.
    """
    if file is None:
        return False
    left = _SUMMARY_LIMIT - _MARGIN - (file.stat().st_size if file.exists() else 0)
    if left < _SHORTEST * _WORST:
        return False
    text, _ = result_text(result, title, room=left)
    if len(text.encode("utf-8", "replace")) > left:
        text, _ = result_text(result, title, room=left // _WORST)
    _append(file, text.rstrip("\n") + "\n")
    return True


def _append(file: Path, text: str) -> None:
    """Add lines at the end, below a last line that was left open."""
    before = file.read_bytes()[-1:] if file.exists() else b""
    with file.open("ab") as out:
        out.write((b"\n" if before not in {b"", b"\n"} else b"") + text.encode("utf-8", "replace") + b"\n")


def _claim(value: bool | None) -> str:  # noqa: FBT001 - a claim and nothing else
    return "" if value is None else str(value).lower()


def _sentence(result: Result) -> str:
    """The result in one line."""
    if result.report is not None:
        told = ", ".join(f"{count} {state}" for state, count in result.report["summary"].items() if count)
        return for_terminal(f"Apply: {told or 'nothing was to be done'}.")
    if result.drift is not None and not result.has_failed:
        told = ", ".join(f"{count} {state}" for state, count in result.drift["summary"].items() if count)
        return for_terminal(f"Drift: {told or 'nothing is ours'}.")
    if result.plan is not None and not result.has_failed:
        return for_terminal(summary_text(result.plan))
    first = str(result.data["message"]).strip().partition("\n")[0]
    problems = len(result.data["problems"])
    told = f"{problems} problem{'s' if problems > 1 else ''} found" if problems and not first else first
    return for_terminal(told or ("valid" if not result.has_failed else "failed"))[:500]
