"""Why an apply was refused, or a saved plan was not accepted. Raised in `cli.apply`, `cli.show` and `apply`."""

from __future__ import annotations

from typing import Final

from reconciler.codes.code import Code

__all__ = ["CODES"]

CODES: Final = (
    Code(
        code="unknown-run",
        stage="apply",
        meaning="`undo` was asked for a run that this ledger does not know; the last 50 are kept.",
        remedy="`reconciler ledger history` lists them; `last` is the newest.",
        example="reconciler undo last",
    ),
    Code(
        code="nothing-to-undo",
        stage="apply",
        meaning="The run changed nothing that `undo` could bring back; the message says what became of each change.",
        remedy="Revert the spec in Git, and apply.",
    ),
    Code(
        code="undo-overtaken",
        stage="apply",
        meaning="A later run has changed the same resources: undoing the earlier one would undo the later one too.",
        remedy="Undo the later run first; or revert the spec in Git, and apply.",
    ),
    Code(
        code="undo-needed",
        stage="apply",
        meaning="The run made something that another resource needs by now (`ref()`, `dependsOn`).",
        remedy="Undo first the run that brought the need; or revert the spec in Git, and apply.",
    ),
    Code(
        code="apply-under-way",
        stage="apply",
        meaning=(
            "An apply of this project and environment has begun and has not ended, so that what it is changing would "
            "look like drift. One that died counts for six hours, or until the next apply."
        ),
        remedy="Wait for it, with --lease-wait, or apply again if it has died.",
        example="reconciler drift --lease-wait 20m",
    ),
    Code(
        code="already-applied",
        stage="apply",
        meaning="This saved plan was carried out before, and nothing of it is left to do.",
        remedy="Nothing. Plan again for what comes next.",
    ),
    Code(
        code="other-owner",
        stage="apply",
        meaning=(
            "The plan file was made for another project or environment. The same changes may stand in both, and what "
            "was reviewed for one is not reviewed for the other."
        ),
        remedy="Give the plan of this project and environment, or choose the other one with `-C` or `-e`.",
    ),
    Code(
        code="offline-plan",
        stage="apply",
        meaning=(
            "The plan file was made from a snapshot (`plan --live`): a preview, of what was live then. It never counts "
            "as reviewed."
        ),
        remedy="Make a plan with credentials, review that, and apply it.",
        example="reconciler plan --out plan.json",
    ),
    Code(
        code="older-spec",
        stage="apply",
        meaning=(
            "The spec's Git revision comes before the one that was applied last, so that an apply would take back what "
            "came since: a job that ran late, or an old checkout."
        ),
        remedy=(
            "Apply the newest revision; to go back, revert in Git and apply that. `--allow-older` does it with the old "
            "checkout."
        ),
    ),
    Code(
        code="other-spec",
        stage="apply",
        meaning=(
            "The saved plan was made from another spec than the one that is here now: another revision, environment, "
            "values file or --set."
        ),
        remedy="Check out the revision that the message names and give the same options, or plan again.",
    ),
    Code(
        code="unexpected-change",
        stage="apply",
        meaning=(
            "There is a change to make that is in none of the reviewed plans: the spec or the live side has moved "
            "since. Nothing was sent."
        ),
        remedy="Plan again, and let it be reviewed.",
        example="reconciler plan --out plan.json\nreconciler apply plan.json",
    ),
    Code(
        code="not-a-plan",
        stage="apply",
        meaning="The file is no saved plan, or one of another format than this release reads.",
        remedy="Make one with `plan --out`.",
        example="reconciler plan --out plan.json",
    ),
    Code(
        code="plan-altered",
        stage="apply",
        meaning="The file was changed after it was saved: its digest does not fit its content.",
        remedy="Make the plan again; don't edit it by hand.",
    ),
    Code(
        code="timeout",
        stage="apply",
        meaning=(
            "The resource did not reach its state within its time: `lifecycle.wait.timeout`, or the kind's own. It may "
            "still get there; what was made is in the ledger."
        ),
        remedy="Look at its status and the message. Raise the timeout if it is only slow; the next apply waits on.",
        example="lifecycle: {wait: {timeout: 40m}}",
    ),
)
