"""Which Git revision a spec is of, and whether another one came after it. Reads only."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from reconciler.problems import Origin, Problem, SpecError

__all__ = ["commits_since", "is_older", "revision_of"]

_LONGEST_S = 10
_SHA = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?\Z")
_WHOLE = "the whole history: `fetch-depth: 0` for actions/checkout"
_REWRITTEN = "a branch whose history was not rewritten since; apply a saved plan by hand once"


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


def commits_since(root: Path, since: str, most: int) -> list[str]:
    """The commits of this branch's own line (first parents) down to one that is not among them, newest first.

    Args:
        root: The project's folder.
        since: The revision that was applied last; empty: the last `most` commits.
        most: How many, when `since` is empty.

    Raises:
        SpecError: `history-too-short`, when this clone does not hold all of them; `no-history`, when it holds none.
    """
    if not revision_of(root):
        raise _no_commits("no-history", root, "this is no Git repository, or one without a commit", "a checkout")
    is_cut = _git(root, "rev-parse", "--is-shallow-repository")[1] == "true"
    if since and not (_SHA.match(since) and _git(root, "cat-file", "-e", f"{since}^{{commit}}")[0] == 0):
        wrong = f"revision {since[:12]}, which was applied last, is not in this clone"
        raise _no_commits("history-too-short", root, wrong, _WHOLE if is_cut else _REWRITTEN)
    words = [f"{since}..HEAD"] if since else [f"--max-count={most}", "HEAD"]
    code, told = _git(root, "rev-list", "--first-parent", *words)
    found = told.split()
    # A cut history ends in commits without their parents: there the line is lost before it is at its end.
    if code != 0 or (is_cut and not _holds(root, found, since, most)):
        raise _no_commits(
            "history-too-short", root, "this clone does not hold all commits since the last apply", _WHOLE
        )
    return found


def _holds(root: Path, found: list[str], since: str, most: int) -> bool:
    """Whether a cut history has the whole line: its last commit has its parent here, or it is as long as asked for."""
    if since:
        return not found or _git(root, "rev-parse", "--verify", "--quiet", f"{found[-1]}^")[0] == 0
    return len(found) >= most


def _no_commits(code: str, root: Path, wrong: str, expected: str) -> SpecError:
    return SpecError([Problem(code=code, origin=Origin(str(root), 0, 0), wrong=wrong, expected=expected)])


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
