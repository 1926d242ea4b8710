"""Codes of what happens on GitHub. Raised in `github`, `cli/github` and `cli/revision`."""

from __future__ import annotations

from typing import Final

from reconciler.codes.code import Code

__all__ = ["CODES"]

CODES: Final = (
    Code(
        code="github-setting",
        stage="github",
        meaning="A variable or option that says where to write on GitHub is missing or can't be used.",
        remedy=(
            "A runner sets all but GITHUB_TOKEN, which a step gets from the workflow's own token. Of an event without "
            "a pull request --pr names one."
        ),
    ),
    Code(
        code="github-failed",
        stage="github",
        meaning=(
            "GitHub did not do what was asked, or could not be asked. For a comment or an issue that is a notice "
            "and no failure; without the list of pull requests nobody can tell what was reviewed."
        ),
        remedy="Give the job the permission that the message names; after an outage run the job again.",
    ),
    Code(
        code="nothing-reviewed",
        stage="github",
        meaning=(
            "No pull request that was merged since the last apply shows a whole plan of the commit that was merged. "
            "An apply on its own would make changes that nobody has seen."
        ),
        remedy="Plan by hand, read it, and apply the saved file.",
        example="reconciler plan -e prod --out plan.json\nreconciler apply plan.json -e prod",
    ),
    Code(
        code="history-too-short",
        stage="github",
        meaning=(
            "This clone does not hold all commits since the one that was applied last, so the pull requests behind "
            "them are not known."
        ),
        remedy="Check out with the whole history (`fetch-depth: 0`).",
    ),
    Code(
        code="no-history",
        stage="github",
        meaning="The project's folder is in no Git repository with a commit, so no pull request belongs to it.",
        remedy="Run it in a checkout of the repository.",
    ),
)
