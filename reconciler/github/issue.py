"""The drift issue: one per project and environment, opened, updated in place, closed by itself.

It is found by the mark in its first line and its author, open or closed, on any page. A check that failed closes and
opens nothing: it writes into the open issue that the last check failed, above what was known before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from reconciler.github.actor import is_by, login_of
from reconciler.github.client import GitHub
from reconciler.github.comment import is_same
from reconciler.github.errors import GitHubError
from reconciler.github.result import Result
from reconciler.github.state import first_line, marker
from reconciler.github.words import drift_page, run_link, units
from reconciler.render.safe import for_terminal, prose

__all__ = ["Told", "sync"]

_LIMIT: Final = 65_536
_NOTE_ROOM: Final = 2_000
"""UTF-16 units that are kept free for the sentence about a check that failed."""
_NOTE_END: Final = "<!-- reconciler: end of the note -->"
_LABELS: Final = ("reconciler", "drift")
_UNPROCESSABLE: Final = 422
_LONGEST_WHY: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was done, in words, with the issue's address (empty where there is none)."""

    done: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Desk:
    """What every step needs."""

    github: GitHub
    actor: str
    line: str
    title: str
    run_url: str


def sync(github: GitHub, result: Result, key: str, actor: str, run_url: str) -> Told:
    """Bring the issue in step with what a check found.

    Raises:
        GitHubError: GitHub did not take it.
    """
    named = result.owner or key
    desk = _Desk(
        github=github,
        actor=actor,
        line=marker("drift", key),
        title=f"Drift: {for_terminal(named)}"[:250],
        run_url=run_url,
    )
    ours = _find(desk)
    issue = _one_open(desk, ours)
    if result.found_drift and result.drift is not None and not _is_part(result):
        body = "\n".join([desk.line, drift_page(result.drift, named, room=_LIMIT - _NOTE_ROOM - units(desk.line))])
        return _show(desk, issue or _newest(ours), body)
    if issue is None:
        return Told(done="there is no issue, and none is needed")
    if _is_part(result):
        return Told(done="only a part was checked: the issue stays as it is", url=_url(issue))
    if result.is_doubtful_drift:
        return _note_failure(desk, issue, result)
    return _close(desk, issue)


def _is_part(result: Result) -> bool:
    """Whether only some resources were asked for: what is not listed may have drifted all the same."""
    return not result.has_failed and result.drift is not None and result.drift["coverage"] is None


def _find(desk: _Desk) -> list[Mapping[str, Any]]:
    """Our issues with this mark, oldest first."""
    query = {"state": "all", "creator": desk.actor, "sort": "created", "direction": "asc"}
    found = [
        item
        for item in desk.github.pages(desk.github.path("issues"), query)
        if "pull_request" not in item and type(item.get("number")) is int
        if is_by(item, desk.actor) and first_line(item.get("body")) == desk.line
    ]
    return sorted(found, key=lambda item: int(item["number"]))


def _newest(ours: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    return max(ours, key=lambda item: int(item["number"]), default=None)


def _one_open(desk: _Desk, ours: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The open one; where two runs at once opened two, the oldest stays."""
    is_open = [item for item in ours if item.get("state") == "open"]
    for item in is_open[1:]:
        _end(desk, item, f"The same drift is told in #{is_open[0]['number']}.", "not_planned")
    return is_open[0] if is_open else None


def _show(desk: _Desk, issue: Mapping[str, Any] | None, body: str) -> Told:
    """Open, update or reopen."""
    if issue is None:
        return _open(desk, body)
    if issue.get("state") != "open":
        _edit(desk, issue, {"state": "open", "title": desk.title, "body": body})
        return Told(done="reopened the drift issue", url=_url(issue))
    if is_same(issue.get("body"), body):
        return Told(done="the drift issue says it already", url=_url(issue))
    _edit(desk, issue, {"title": desk.title, "body": body})
    return Told(done="updated the drift issue", url=_url(issue))


def _open(desk: _Desk, body: str) -> Told:
    def landed() -> Any:
        return next((item for item in _find(desk) if item.get("state") == "open"), None)

    path, new = desk.github.path("issues"), {"title": desk.title, "body": body}
    try:
        made = desk.github.write("POST", path, {**new, "labels": list(_LABELS)}, landed=landed)
    except GitHubError as error:
        if error.status != _UNPROCESSABLE:
            raise
        made = desk.github.write("POST", path, new, landed=landed)  # a label that can't be made is no reason
    author = login_of(made) if isinstance(made, dict) else ""
    if not author or is_by(made, desk.actor):
        return Told(done="opened a drift issue", url=_url(made))
    # The token writes as somebody else than we took it for: what that one wrote before counts.
    real = _Desk(github=desk.github, actor=author, line=desk.line, title=desk.title, run_url=desk.run_url)
    ours = _find(real)
    stays = _one_open(real, ours) or made
    return (
        Told(done="updated the drift issue", url=_url(stays))
        if _edited(real, stays, body)
        else Told(done="opened a drift issue", url=_url(stays))
    )


def _edited(desk: _Desk, issue: Mapping[str, Any], body: str) -> bool:
    if is_same(issue.get("body"), body):
        return False
    _edit(desk, issue, {"title": desk.title, "body": body})
    return True


def _note_failure(desk: _Desk, issue: Mapping[str, Any], result: Result) -> Told:
    """Say above the drift that nobody knows whether it is still there."""
    rest = str(issue.get("body", "")).replace("\r\n", "\n").partition("\n")[2]
    if _NOTE_END in rest:
        rest = rest.partition(_NOTE_END)[2].lstrip("\n")
    told = str(result.data["message"] or "").strip().partition("\n")[0]
    why = f": {prose(for_terminal(told)[:_LONGEST_WHY])}" if told else ""
    what = "failed" if result.has_failed else "could not read everything"
    note = (
        f"**The last check {what}{why}**, so nobody knows whether this is still so. {run_link(desk.run_url)}".rstrip()
    )
    body = f"{desk.line}\n{note}\n\n{_NOTE_END}\n{rest}"
    if units(body) > _LIMIT - 1:
        return Told(done="the check failed; the issue has no room to say so", url=_url(issue))
    if is_same(issue.get("body"), body):
        return Told(done="the drift issue says already that the last check failed", url=_url(issue))
    _edit(desk, issue, {"body": body})
    return Told(done="noted in the drift issue that the last check failed", url=_url(issue))


def _close(desk: _Desk, issue: Mapping[str, Any]) -> Told:
    link = f" [The check]({desk.run_url})" if desk.run_url else ""
    _end(desk, issue, f"No drift any more: everything was read, and it is as it was applied.{link}", "completed")
    return Told(done="closed the drift issue", url=_url(issue))


def _end(desk: _Desk, issue: Mapping[str, Any], comment: str, as_what: str) -> None:
    """Close, then say why: after a crash between the two nobody says it twice."""
    _edit(desk, issue, {"state": "closed", "state_reason": as_what})
    path = desk.github.path("issues", issue["number"], "comments")

    def landed() -> Any:
        return next((item for item in desk.github.pages(path) if is_same(item.get("body"), comment)), None)

    desk.github.write("POST", path, {"body": comment}, landed=landed)


def _edit(desk: _Desk, issue: Mapping[str, Any], fields: Mapping[str, str]) -> None:
    path = desk.github.path("issues", issue["number"])

    def landed() -> Any:
        there = desk.github.get(path)
        same = all(is_same(there.get(key), value) for key, value in fields.items())
        return there if same else None

    desk.github.write("PATCH", path, fields, landed=landed)


def _url(issue: Mapping[str, Any]) -> str:
    return str(issue.get("html_url", ""))
