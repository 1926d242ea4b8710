"""Why a plan holds a change back, or warns: guards, policies, references, open writes. Raised in `plan`."""

from __future__ import annotations

from typing import Final

from reconciler.codes.code import Code

__all__ = ["CODES"]

CODES: Final = (
    Code(
        code="expired",
        stage="plan",
        meaning="Its `lifecycle.expires` has passed: it is desired no longer, as if its document were gone.",
        remedy="Take its document out of the spec, or set a later date.",
        example="lifecycle: {expires: 2027-03-31}",
    ),
    Code(
        code="expired-needed",
        stage="plan",
        meaning="It has expired, and another resource that has not refers to it or depends on it.",
        remedy="Let that one go first (or with it), or set a later date; the message names it.",
    ),
    Code(
        code="outside-window",
        stage="plan",
        meaning=(
            "It deletes something, or interrupts it by more than a rolling change, and none of the project's "
            "`safety.windows` is open now."
        ),
        remedy=(
            "Apply again when the next window opens, which the message tells; --partial applies the rest now. In an "
            "emergency, --ignore-windows allows it for one run; for a plan that is only looked at, it warns instead."
        ),
        example="reconciler apply --ignore-windows",
    ),
    Code(
        code="unsettled",
        stage="plan",
        meaning=(
            "A write of an earlier run may have landed, and the list does not tell yet. Nothing more is sent for this "
            "resource, so that it is not made twice."
        ),
        remedy=(
            "Run it again once the settle window is over. If candidates are named, compare them with the spec at the "
            "provider; it goes on when none of them is left there."
        ),
    ),
    Code(
        code="upstream-blocked",
        stage="plan",
        meaning=(
            "A resource refers to another one that can't be found and whose creation is blocked; what it refers to "
            "would be lost by an update."
        ),
        remedy="See why the other one is blocked; this one follows by itself.",
    ),
    Code(
        code="upstream-unknown",
        stage="plan",
        meaning="It refers to a resource whose state is unknown.",
        remedy="Solve that one first; the message names it.",
    ),
    Code(
        code="upstream-not-selected",
        stage="plan",
        meaning="It refers to a resource outside the selection that is still to be made.",
        remedy="Select that one too, or apply it first.",
        example="reconciler apply --target theta/Deployment/embeddings --target runai/Inference/reranker",
    ),
    Code(
        code="claimed-twice",
        stage="plan",
        meaning="Several documents mean one live thing, for example because both adopt it.",
        remedy="Let one of them have it.",
    ),
    Code(
        code="name-taken",
        stage="plan",
        meaning="A live thing that this plan does not delete still has the name.",
        remedy="Delete or rename that one first. If it is the same thing under a new address, write `renamedFrom`.",
        example="lifecycle: {renamedFrom: [old-name]}",
    ),
    Code(
        code="too-many-deletes",
        stage="plan",
        meaning=(
            "The plan deletes and replaces more than `maxDeletes` allows (10 unless the project says otherwise). A "
            "wrong branch or a moved folder looks like that."
        ),
        remedy="Read the list. --max-deletes allows it for this run, `spec.safety.maxDeletes` for all.",
        example="reconciler apply --max-deletes 12",
    ),
    Code(
        code="empty-spec",
        stage="plan",
        meaning='The spec has no resource at all, and that never means "delete everything".',
        remedy="Look at the branch, the folder and -f. --allow-empty-spec says that it is meant this time.",
        example="reconciler plan --allow-empty-spec",
    ),
    Code(
        code="policy-denied",
        stage="plan",
        meaning=(
            "A policy of this project says no to the change, or to the whole plan. The message has its place and its "
            "numbers."
        ),
        remedy="Change the spec. --allow-policy overrules it for this run.",
        example="reconciler plan --allow-policy budget",
    ),
    Code(
        code="policy-failed",
        stage="plan",
        meaning=(
            "A policy could not be judged: it reads something that is not there, or is neither true nor false. A rule "
            "must not fall silent, so one of level `deny` stops the change."
        ),
        remedy="Mend its `assert`, for example with `default(…)`. --allow-policy overrules it for this run.",
    ),
    Code(
        code="policy-warning",
        stage="plan",
        meaning=(
            "A policy of level `warn` does not hold, or one that denies was overruled or meets a change that is not "
            "made anyway."
        ),
        remedy="Read it; nothing is stopped.",
    ),
    Code(
        code="not-in-snapshot",
        stage="plan",
        meaning=(
            "The plan is made from a snapshot, and that does not tell: it knows no such provider, or the id is none of "
            "ours, and of others it holds the name alone."
        ),
        remedy="Take a new snapshot with this reconciler.yaml, or plan with credentials.",
    ),
    Code(
        code="snapshot-old",
        stage="plan",
        meaning="The snapshot is older than --max-age (24 hours unless told otherwise). Nothing is stopped.",
        remedy="Take a new one, or fetch the published one again.",
        example="reconciler snapshot --published --out live.json",
    ),
    Code(
        code="snapshot-from-the-future",
        stage="plan",
        meaning="By the clock of this machine, the snapshot was not taken yet. Nothing is stopped.",
        remedy="Set the clock of the machine that took it, or of this one.",
    ),
    Code(
        code="snapshot-elsewhere",
        stage="plan",
        meaning=(
            "A provider instance has other settings (an address, a project, a cluster, a user) than when the snapshot "
            "was taken, so the plan may be about another account than the one that would be changed."
        ),
        remedy="Read the change of reconciler.yaml first, and plan with credentials before it is merged.",
    ),
    Code(
        code="not-a-snapshot",
        stage="plan",
        meaning="The file is no snapshot, or of a format that this release does not know, or damaged.",
        remedy="Write it with `reconciler snapshot --out FILE`, of the same release.",
        example="reconciler snapshot --out live.json",
    ),
    Code(
        code="snapshot-altered",
        stage="plan",
        meaning="The snapshot's checksum does not fit its content: somebody edited it, or it was cut off.",
        remedy="Take a new one; nothing in it is meant to be edited.",
        example="reconciler snapshot --out live.json",
    ),
    Code(
        code="other-snapshot",
        stage="plan",
        meaning="The snapshot was made for another project or environment.",
        remedy="Give the snapshot of this one, or choose the other one with `-C` or `-e`.",
    ),
    Code(
        code="no-snapshot",
        stage="plan",
        meaning="On the branch of the Git ledger stands no snapshot of this project and environment.",
        remedy="Let a job with credentials publish one, such as the one that looks for drift.",
        example="reconciler snapshot --publish",
    ),
)
