"""Who we are on GitHub: only what this account wrote is ever edited, closed or believed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import httpx

from reconciler.github.client import GitHub
from reconciler.github.errors import GitHubError

__all__ = ["ACTIONS", "find_actor", "is_by", "login_of"]

ACTIONS: Final = "github-actions[bot]"
_NOBODY: Final = frozenset({httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND})


def find_actor(github: GitHub, named: str | None) -> str:
    """The login that this token writes as.

    A workflow's own token may not ask who it is; neither may a GitHub App's, which therefore names itself (`--actor`).

    Raises:
        GitHubError: GitHub can't be asked.
    """
    if named:
        return named
    try:
        found = github.get("/user")
    except GitHubError as error:
        if error.status in _NOBODY:
            return ACTIONS
        raise
    login = found.get("login") if isinstance(found, dict) else None
    return login if isinstance(login, str) and login else ACTIONS


def login_of(item: Mapping[str, Any]) -> str:
    """Who wrote a comment or an issue; empty for an account that is gone."""
    user = item.get("user")
    login = user.get("login") if isinstance(user, dict) else None
    return login if isinstance(login, str) else ""


def is_by(item: Mapping[str, Any], actor: str) -> bool:
    """Whether this account wrote it; logins know no case."""
    return bool(actor) and login_of(item).casefold() == actor.casefold()
