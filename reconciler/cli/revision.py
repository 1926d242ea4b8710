"""Which Git revision a spec is of, and whether another one came after it. Reads only."""

from __future__ import annotations

import subprocess
from pathlib import Path

__all__ = ["is_older", "revision_of"]

_LONGEST_S = 10


def revision_of(root: Path) -> str:
    """The Git revision of the project's folder, or empty outside a repository."""
    code, told = _git(root, "rev-parse", "--verify", "HEAD")
    return told if code == 0 else ""


def is_older(root: Path, revision: str, than: str) -> bool | None:
    """Whether a revision comes before another one; `None` where the history does not tell (a shallow clone, no Git)."""
    if revision == than:
        return False
    code, _ = _git(root, "merge-base", "--is-ancestor", revision, than)
    return {0: True, 1: False}.get(code)


def _git(root: Path, *words: str) -> tuple[int, str]:
    try:
        found = subprocess.run(  # noqa: S603 - fixed words, revisions, and the person's own folder
            ["git", "-C", str(root), *words],  # noqa: S607 - the person's own git
            capture_output=True,
            text=True,
            timeout=_LONGEST_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return -1, ""
    return found.returncode, found.stdout.strip()
