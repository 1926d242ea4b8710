"""The sticky comment: one per project and environment of a pull request, edited in place.

It is found on any page by its first line and its author together: another person's comment with our mark is neither
edited nor believed. Where two runs at once made two, the newest stays and the older ones are deleted: a minimised one
would still show an old plan, its mark would still be found, and minimising takes another API (GraphQL).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from reconciler.github.actor import is_by, login_of
from reconciler.github.client import GitHub
from reconciler.github.errors import GitHubError
from reconciler.github.result import Result
from reconciler.github.state import State, first_line, marker, read_state, state_line
from reconciler.github.words import result_text, run_link, units

__all__ = ["Proposal", "Sticky", "body_of", "find", "post", "proposal"]

_LIMIT: Final = 65_536
"""UTF-16 units of a comment or an issue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sticky:
    """Our comments with one key, oldest first."""

    comments: tuple[Mapping[str, Any], ...]

    @property
    def newest(self) -> Mapping[str, Any] | None:
        """The one that is shown, and edited."""
        return self.comments[-1] if self.comments else None

    @property
    def state(self) -> State | None:
        """What the newest one showed."""
        return read_state(self.newest["body"]) if self.newest is not None else None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A pull request as it is now: the commit that it proposes, and whether it can still be merged."""

    head: str
    is_open: bool

    def why_not(self, head: str) -> str:
        """Why a result of this commit is not to be shown on it; empty when it is."""
        if self.head != head:
            return f"is at another commit than {head[:12]}, which this result is of"
        return "" if self.is_open else "is merged or closed, and keeps the plan that it was reviewed with"


def proposal(github: GitHub, number: int) -> Proposal:
    """Read a pull request.

    A run that was overtaken must not show its old plan over the new one; a number that a fork's run has handed on may
    be that of somebody else's pull request; and what is shown after the merge, nobody has reviewed before it.

    Raises:
        GitHubError: it can't be read.
    """
    pull = github.get(github.path("pulls", number))
    data = pull if isinstance(pull, dict) else {}
    there = data.get("head")
    head = there.get("sha") if isinstance(there, dict) else None
    return Proposal(str(head or ""), is_open=not data.get("merged_at") and data.get("state") != "closed")


def find(github: GitHub, number: int, key: str, actor: str) -> Sticky:
    """Our comments on a pull request or an issue.

    Raises:
        GitHubError: they can't be read.
    """
    line = marker("plan", key)
    found = [
        item
        for item in github.pages(github.path("issues", number, "comments"))
        if type(item.get("id")) is int and is_by(item, actor) and first_line(item.get("body")) == line
    ]
    return Sticky(comments=tuple(sorted(found, key=lambda item: int(item["id"]))))


def body_of(result: Result, key: str, state: State, before: State | None, run_url: str) -> str:
    """The whole comment, below GitHub's limit: mark, story, state."""
    head, tail = marker("plan", key), state_line(state)
    link = "" if result.is_whole_plan else run_link(run_url)
    rest = _LIMIT - 1 - sum(units(part) + 2 for part in (head, tail, link))
    text, is_shown = result_text(result, key, room=rest, since=_since(state, before))
    if not is_shown:  # nobody has reviewed what nobody could see
        tail = state_line(State(owner=state.owner, head=state.head))
    return "\n".join([head, *(part for part in (text.rstrip("\n"), link) if part), "", tail])


def _since(state: State, before: State | None) -> Mapping[str, str] | None:
    """What was shown before. The same plan of the same commit once more is no news, and changes nothing."""
    if before is None or not before.digest or not before.named or before == state:
        return None
    return before.changes


def post(github: GitHub, number: int, body: str, found: Sticky, actor: str) -> str:
    """Bring the comment up to date; nothing is sent where it says the same already.

    Returns:
        Its address.

    Raises:
        GitHubError: GitHub did not take it.
    """
    key_line = first_line(body)
    newest = found.newest
    if newest is None:
        done = _create(github, number, body, key_line, actor)
        author = login_of(done)
        if author and not is_by(done, actor):  # the token writes as somebody else than we took it for
            older = _with_line(github, number, key_line, author)
            _delete(github, [item for item in older if item["id"] != done.get("id")])
        return str(done.get("html_url", ""))
    if not is_same(newest["body"], body):
        path = github.path("issues", "comments", newest["id"])

        def landed() -> Any:
            there = github.get(path)
            return there if is_same(there.get("body"), body) else None

        try:
            github.write("PATCH", path, {"body": body}, landed=landed)
        except GitHubError as error:
            if not is_gone(error):
                raise
            return str(_create(github, number, body, key_line, actor).get("html_url", ""))  # somebody has deleted it
    _delete(github, found.comments[:-1])
    return str(newest.get("html_url", ""))


def is_same(there: object, body: str) -> bool:
    """Whether a body that GitHub gives is the one that we have; it may change line breaks and the end."""
    return isinstance(there, str) and there.replace("\r\n", "\n").rstrip() == body.rstrip()


def _create(github: GitHub, number: int, body: str, line: str, actor: str) -> Mapping[str, Any]:
    def landed() -> Any:
        ours = [item for item in _with_line(github, number, line, actor) if is_same(item["body"], body)]
        return ours[-1] if ours else None

    done = github.write("POST", github.path("issues", number, "comments"), {"body": body}, landed=landed)
    if not isinstance(done, dict):
        raise GitHubError("POST of a comment: GitHub answered no comment")
    return done


def _with_line(github: GitHub, number: int, line: str, actor: str) -> list[Mapping[str, Any]]:
    items = github.pages(github.path("issues", number, "comments"))
    return [item for item in items if is_by(item, actor) and first_line(item.get("body")) == line]


def _delete(github: GitHub, comments: Iterable[Mapping[str, Any]]) -> None:
    """Remove older ones of ours; one that is gone already is fine."""
    for item in comments:
        path = github.path("issues", "comments", item["id"])
        try:
            github.write("DELETE", path, landed=partial(_gone, github, path))
        except GitHubError as error:
            if not is_gone(error):
                raise


def is_gone(error: GitHubError) -> bool:
    """Whether an error says that a thing is not there any more."""
    return error.status in {404, 410}


def _gone(github: GitHub, path: str) -> Any:
    try:
        github.get(path)
    except GitHubError as error:
        if is_gone(error):
            return {}
        raise
    return None
