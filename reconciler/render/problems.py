"""Problems as JSON and as lines: apart from plans, for `validate` and every error are told without them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.problems import Origin, Problem
from reconciler.render.safe import for_terminal, no_commands

__all__ = ["place_json", "problem_json", "problem_text", "problems_json", "problems_text"]


def problems_json(problems: Iterable[Problem], warnings: Iterable[Problem] = ()) -> dict[str, Any]:
    """Mistakes as `reconciler-problems/1`, in file order; warnings, which stop nothing, apart."""
    return {
        "format": "reconciler-problems/1",
        "problems": [problem_json(problem) for problem in sorted(problems, key=Problem.sort_key)],
        "warnings": [problem_json(problem) for problem in sorted(warnings, key=Problem.sort_key)],
    }


def problem_json(problem: Problem) -> dict[str, Any]:
    """`message` is the sentence without place and code; `file`, `line`, `column` are for annotations."""
    message = f"{problem.wrong} (expected {problem.expected})" if problem.expected else problem.wrong
    if problem.nearest:
        message += f"; did you mean {problem.nearest!r}?"
    origin = problem.origin
    return {
        "code": problem.code,
        "message": message,
        "origin": place_json(origin),
        "address": problem.address or None,
        "file": origin.file if origin and origin.line else None,
        "line": origin.line if origin and origin.line else None,
        "column": origin.column if origin and origin.line else None,
        "warning": problem.warning,
        "wrong": problem.wrong,
        "expected": problem.expected,
        "nearest": problem.nearest or None,
        "related": [place_json(place) for place in problem.related],
    }


def place_json(origin: Origin | None) -> str | None:
    """`file:line:column`, or null."""
    return str(origin) if origin is not None else None


def problem_text(problem: Mapping[str, Any]) -> str:
    """A problem as one line: place, address, sentence, code."""
    head = "warning: " if problem.get("warning") else ""
    head += "".join(f"{problem[key]}: " for key in ("origin", "address") if problem[key])
    return for_terminal(f"{head}{problem['message']} [{problem['code']}]")


def problems_text(problems: Iterable[Problem]) -> str:
    """Problems a line each, in file order, each with the further places that belong to it."""
    lines = []
    for problem in problems_json(problems)["problems"]:
        lines.append(problem_text(problem))
        lines += [f"  see {for_terminal(place)}" for place in problem["related"] if place != problem["origin"]]
    return no_commands("\n".join(lines)) + "\n"
