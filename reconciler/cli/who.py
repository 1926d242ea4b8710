"""Who runs this command, for whoever is refused by its lease or reads its record."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["who"]


def who(environ: Mapping[str, str]) -> str:
    """The address of the workflow run where there is one, else the user's name, else nothing."""
    if environ.get("GITHUB_RUN_ID"):
        repository = f"{environ.get('GITHUB_SERVER_URL', '')}/{environ.get('GITHUB_REPOSITORY', '')}"
        return f"{repository}/actions/runs/{environ['GITHUB_RUN_ID']}"
    return environ.get("USER") or environ.get("LOGNAME") or ""
