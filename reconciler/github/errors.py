"""What GitHub did not do, in a sentence for a person."""

from __future__ import annotations

from typing import Final

from reconciler.problems import ReconcilerError

__all__ = ["Again", "GitHubError", "final"]

_CODE: Final = " [github-failed]"


class GitHubError(ReconcilerError):
    """GitHub did not do it, or could not be asked.

    Args:
        message: A sentence with method, path, status, GitHub's own words and what is probably missing; no token.
        status: HTTP status, 0 when there was no answer.
    """

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(f"{message}{_CODE}")
        self.status = status


class Again(GitHubError):
    """An error after which the same request may be sent again, in `pause_s` seconds at the earliest.

    `happened`: whether the request may have been carried out all the same.
    """

    def __init__(self, message: str, *, status: int = 0, pause_s: float = 0.0, happened: bool) -> None:
        super().__init__(message, status=status)
        self.pause_s = pause_s
        self.happened = happened


def final(error: Again) -> GitHubError:
    """The error when it is not tried again."""
    message = str(error).removesuffix(_CODE)
    return GitHubError(message, status=error.status)
