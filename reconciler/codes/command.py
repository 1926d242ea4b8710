"""Codes of options and of the command line itself."""

from __future__ import annotations

from typing import Final

from reconciler.codes.code import Code

__all__ = ["CODES"]

CODES: Final = (
    Code(
        code="bad-selector",
        stage="command line",
        meaning="-l is no list of key=value or key!=value, separated by commas.",
        remedy="Write it like the example.",
        example="reconciler plan -l 'team=search,tier!=gold'",
    ),
    Code(
        code="unknown-target",
        stage="command line",
        meaning="--target names an address that neither the spec nor the ledger has.",
        remedy="Write provider instance, kind and name, with slashes.",
        example="reconciler plan --target theta/Deployment/chat",
    ),
    Code(
        code="unknown-policy",
        stage="command line",
        meaning="--allow-policy names a policy that the project does not have.",
        remedy="Take one of the list in the message.",
    ),
    Code(
        code="unknown-scope",
        stage="command line",
        meaning="`ledger trust` got a scope that is neither `*` nor provider/Kind.",
        remedy="Take one of the list in the message.",
        example="reconciler ledger trust theta/Deployment",
    ),
    Code(
        code="unknown-code",
        stage="command line",
        meaning="`explain` got a word that is neither a kind nor a code.",
        remedy="Run `reconciler explain` for the list of both.",
        example="reconciler explain weights-not-100",
    ),
    Code(
        code="internal-error",
        stage="command line",
        meaning="A bug in reconciler, nothing that you did. Values are not shown, because they might be secret.",
        remedy="Report the place that the message names; -v shows more.",
    ),
    Code(
        code="emulator-failed",
        stage="command line",
        meaning="The emulator could not be started: its port is taken, or its state file can't be read.",
        remedy="Choose another port (0 takes a free one) or another state file.",
    ),
)
