"""One label on a pull request that says what a plan found, so that a list of pull requests can be read at a glance."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from reconciler.github.client import GitHub
from reconciler.github.comment import is_gone
from reconciler.github.errors import GitHubError
from reconciler.github.result import Result

__all__ = ["label_of", "set_label"]

_WORDS: Final = ("no changes", "changes", "deletes", "failed")
_LONGEST: Final = 50
"""Characters of a label's name."""


def label_of(result: Result) -> str:
    """One of the four words; what could not be read counts as failed."""
    plan = result.plan
    if plan is None or not result.is_whole_plan:
        return "failed"
    if plan["summary"]["delete"] or plan["summary"]["replace"]:
        return "deletes"
    return "changes" if result.has_changes else "no changes"


def set_label(github: GitHub, number: int, environment: str, word: str) -> None:
    """Put on exactly one of our labels for an environment; others' labels stay.

    Raises:
        GitHubError: GitHub did not take it.
    """
    names = {_name(environment, each): each for each in _WORDS}
    path = github.path("issues", number, "labels")
    wanted = _name(environment, word)
    worn = [str(item.get("name")) for item in github.pages(path)]
    if wanted not in worn:
        github.write("POST", path, {"labels": [wanted]}, landed=lambda: _worn(github, path, wanted))
    for name in worn:
        if name in names and name != wanted:
            _take_off(github, path, github.path("issues", number, "labels", name), name)


def _take_off(github: GitHub, path: str, place: str, name: str) -> None:
    try:
        github.write("DELETE", place, landed=lambda: None if _worn(github, path, name) else {})
    except GitHubError as error:
        if not is_gone(error):
            raise


def _worn(github: GitHub, path: str, name: str) -> Any:
    return next((item for item in github.pages(path) if item.get("name") == name), None)


def _name(environment: str, word: str) -> str:
    full = f"reconciler/{environment or 'plan'}: {word}"
    if len(full) <= _LONGEST:
        return full
    tail = f"~{hashlib.sha256(environment.encode()).hexdigest()[:6]}: {word}"
    return f"reconciler/{environment}"[: _LONGEST - len(tail)] + tail
