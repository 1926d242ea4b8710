"""Annotations at the spec's file and line: workflow commands, in which no data begins or ends one. Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from reconciler.github.result import Result
from reconciler.render.safe import for_terminal

__all__ = ["Annotation", "annotate", "command", "notice"]

_MOST: Final = 10
"""GitHub shows ten of each level and step, and drops the rest without a word."""
_LONGEST: Final = 1_000
_LEVELS: Final = ("error", "warning", "notice")
_PLACE: Final = re.compile(r"(?P<file>.+?):(?P<line>[0-9]+)(?::(?P<column>[0-9]+))?\Z")
_LOUD: Final = {"blocked": "error", "delete": "warning", "replace": "warning"}
_WORDS: Final = {"blocked": "is blocked", "delete": "will be deleted", "replace": "will be replaced"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """One sentence for a line of a file; without `file` for the run. Lines and columns count from 1."""

    level: str
    message: str
    title: str = ""
    file: str = ""
    line: int | None = None
    column: int | None = None


def annotate(result: Result, prefix: str) -> list[str]:
    """The commands for a result, most important first, ten of a level; the rest is counted in a notice.

    Args:
        result: What to tell of.
        prefix: The project's folder within the repository; files are told below it.
    """
    kept: dict[str, list[Annotation]] = {level: [] for level in _LEVELS}
    dropped = 0
    for one in dict.fromkeys(_all(result)):
        room = _MOST - (one.level == "notice")
        if len(kept[one.level]) < room:
            kept[one.level].append(one)
        else:
            dropped += 1
    lines = [command(one, prefix) for level in _LEVELS for one in kept[level]]
    if dropped:
        lines.append(notice(f"{dropped} more; the summary of this run has all of them"))
    return lines


def notice(message: str, title: str = "reconciler") -> str:
    """A notice for the whole run."""
    return command(Annotation(level="notice", message=message, title=title))


def command(one: Annotation, prefix: str = "") -> str:
    """An annotation as the runner reads it: one line, all data escaped."""
    file = posixpath.normpath(posixpath.join(prefix, one.file)) if one.file else ""
    given = {"file": file, "line": one.line, "col": one.column, "title": one.title}
    shown = ",".join(f"{name}={_property(str(value))}" for name, value in given.items() if value)
    return f"::{one.level}{' ' if shown else ''}{shown}::{_data(one.message)}"


def _data(text: str) -> str:
    return for_terminal(text)[:_LONGEST].replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _all(result: Result) -> Iterator[Annotation]:
    plan, drift = result.plan or {}, result.drift or {}
    if result.has_failed and not result.data["problems"]:
        first = str(result.data["message"]).strip().partition("\n")[0]
        yield Annotation(level="error", message=first or "the command did not end: nothing is known", title="failed")
    yield from _problems([*result.data["problems"], *plan.get("problems", ()), *drift.get("problems", ())])
    yield from _steps(result)
    yield from _changes(plan, applied=result.report is not None)
    yield from _problems(plan.get("warnings", ()), level="warning")
    yield from _drifted(drift)


def _problems(found: Iterable[Mapping[str, Any]], level: str = "error") -> Iterator[Annotation]:
    for problem in found:
        address = f"{problem['address']}: " if problem.get("address") else ""
        yield Annotation(
            level="warning" if problem.get("warning") else level,
            message=f"{address}{problem.get('message', '')}",
            title=str(problem.get("code") or ""),
            file=_file(problem.get("file")),
            line=_number(problem.get("line")),
            column=_number(problem.get("column")),
        )


def _steps(result: Result) -> Iterator[Annotation]:
    for step in result.report["steps"] if result.report is not None else ():
        if step["state"] in {"failed", "unknown"}:
            yield Annotation(level="error", message=f"{step['address']}: {step['message']}", title=str(step["state"]))


def _changes(plan: Mapping[str, Any], *, applied: bool) -> Iterator[Annotation]:
    """What a reader must not overlook; of an apply its report tells."""
    for change in () if applied else sorted(plan.get("changes", ()), key=lambda one: one["action"] != "blocked"):
        level = _LOUD.get(change["action"])
        if level is not None:
            why = f": {change['message']}" if change["message"] else ""
            message = f"{change['address']} {_WORDS[change['action']]}{why}"
            yield _at(change.get("source"), level, message, change["action"])


def _drifted(drift: Mapping[str, Any]) -> Iterator[Annotation]:
    failing = set(drift.get("failing", ()))
    for one in drift.get("resources", ()):
        if failing & set(one["states"]):
            why = f": {one['message']}" if one.get("message") else ""
            message = f"{one['address']}: {', '.join(one['states'])}{why}"
            yield _at(one.get("source"), "warning", message, "drift")


def _at(place: object, level: str, message: str, title: str) -> Annotation:
    found = _PLACE.match(place) if isinstance(place, str) else None
    if found is None:
        return Annotation(level=level, message=message, title=title)
    column = found["column"]
    return Annotation(
        level=level,
        message=message,
        title=title,
        file=_file(found["file"]),
        line=int(found["line"]),
        column=int(column) if column else None,
    )


def _file(name: object) -> str:
    """A file that can be in the repository: neither standard input nor an option of the command line."""
    return name if isinstance(name, str) and not name.startswith(("-", "<")) else ""


def _number(value: object) -> int | None:
    return value if type(value) is int and value > 0 else None
