"""What was reviewed: the plans that people could see on the pull requests merged since the last apply.

A plan counts when our own comment on a merged pull request says that it was whole and made from live state, for this
owner, and for the very commit that was merged. A later push leaves the older plan without worth.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from reconciler.github.client import GitHub
from reconciler.github.comment import find
from reconciler.github.errors import GitHubError
from reconciler.github.state import State

__all__ = ["MOST_COMMITS", "REVIEWED_FORMAT", "Question", "Reviewed", "look"]

REVIEWED_FORMAT: Final = "reconciler-reviewed/1"
MOST_COMMITS: Final = 250
"""Commits that are asked for, a request each: a workflow's token has 1,000 an hour."""
_UNKNOWN_COMMIT: Final = 422


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked for: whose plans, on pull requests into which branch, by which account, under which key."""

    owner: str
    branch: str
    actor: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """The answer: reviewed sets, pull requests that have none and why, commits that came with no pull request."""

    sets: tuple[Mapping[str, Any], ...] = ()
    left_out: tuple[Mapping[str, Any], ...] = ()
    without: tuple[str, ...] = ()

    def document(self, owner: str, since: str, head: str) -> dict[str, Any]:
        """As `reconciler-reviewed/1`."""
        return {
            "format": REVIEWED_FORMAT,
            "owner": owner,
            "since": since or None,
            "head": head,
            "sets": list(self.sets),
            "left_out": list(self.left_out),
            "without": list(self.without),
        }


@dataclass(slots=True)
class _Found:
    sets: list[Mapping[str, Any]] = field(default_factory=list)
    left_out: list[Mapping[str, Any]] = field(default_factory=list)
    without: list[str] = field(default_factory=list)


def look(github: GitHub, commits: Iterable[str], asked: Question) -> Reviewed:
    """Collect the reviewed sets behind commits, newest first.

    Raises:
        GitHubError: GitHub could not be asked; a set that is missing for that reason would refuse a reviewed change.
    """
    found, seen = _Found(), set[int]()
    for place, sha in enumerate(commits):
        pulls = _merged(github, sha, asked.branch) if place < MOST_COMMITS else []
        if not pulls:
            found.without.append(sha)
        for pull in pulls:
            number = int(pull["number"])
            if number not in seen:
                seen.add(number)
                _judge(github, pull, asked, found)
    return Reviewed(sets=tuple(found.sets), left_out=tuple(found.left_out), without=tuple(found.without))


def _merged(github: GitHub, sha: str, branch: str) -> list[Mapping[str, Any]]:
    """The pull requests that brought a commit into the branch of this repository."""
    try:
        pulls = list(github.pages(github.path("commits", sha, "pulls")))
    except GitHubError as error:
        if error.status == _UNKNOWN_COMMIT:  # a commit that was never pushed
            return []
        raise
    return [
        pull
        for pull in pulls
        if type(pull.get("number")) is int
        and pull.get("merged_at")
        and _text(pull, "base", "ref") == branch
        and _text(pull, "base", "repo", "full_name").casefold() == github.repository.casefold()
    ]


def _judge(github: GitHub, pull: Mapping[str, Any], asked: Question, found: _Found) -> None:
    number = int(pull["number"])
    state: State | None = None
    if _text(pull, "head", "repo", "full_name").casefold() != github.repository.casefold():
        why = "it is from a fork, where plans are made from a snapshot"
    else:
        comments = find(github, number, asked.key, asked.actor)
        state = comments.state
        why = _why_not(state, comments.newest, pull, asked) if comments.newest is not None else _no_comment(asked)
    if why or state is None:
        found.left_out.append({"pull_request": number, "why": why})
        return
    changes = sorted(set(state.changes.values()))
    url = str(pull.get("html_url", ""))
    found.sets.append({"pull_request": number, "url": url, "digest": state.digest, "changes": changes})


def _no_comment(asked: Question) -> str:
    return f"it has no plan for {asked.key!r} by {asked.actor}"


def _why_not(state: State | None, comment: Mapping[str, Any], pull: Mapping[str, Any], asked: Question) -> str:
    """Why a comment's state does not count; empty when it does. Both times are UTC, to the second, in one form."""
    if state is None:
        return "the plan in its comment is damaged"
    if state.owner != asked.owner:
        return f"its plan is for {state.owner or 'nobody'}"
    if not state.reviewed or not state.digest:
        return "its plan failed, was incomplete, or was made from a snapshot"
    head = _text(pull, "head", "sha")
    if not head or state.head != head:
        return f"its plan is of {state.head[:12] or 'an unknown commit'}, and {head[:12]} was merged"
    if _text(comment, "updated_at") > _text(pull, "merged_at"):
        return "its plan was shown after the merge, when nobody could review it any more"
    return ""


def _text(data: Mapping[str, Any], *path: str) -> str:
    """A text deep in an answer, or empty."""
    found: Any = data
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, str) else ""
