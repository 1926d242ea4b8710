"""The envelope of what became of a command (`reconciler-result/1`): `cli` fills it, `github` and the pages read it."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["PARTS", "RESULT_FORMAT", "empty_result"]

RESULT_FORMAT: Final = "reconciler-result/1"
PARTS: Final = ("plan", "report", "drift")
"""The documents that a command may come to."""


def empty_result(command: str = "plan", environment: str | None = None) -> dict[str, Any]:
    """An envelope of a command of which nothing is known: it did not finish."""
    return {
        "format": RESULT_FORMAT,
        "command": command,
        "owner": None,
        "environment": environment,
        "revision": None,
        "finished": False,
        "exit_code": None,
        "message": "",
        "problems": [],
        **dict.fromkeys(PARTS),
    }
