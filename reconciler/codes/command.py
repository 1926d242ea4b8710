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
        code="project-exists",
        stage="command line",
        meaning="`init` was to begin a project where there is one already. Nothing was written.",
        remedy="Choose another folder; `reconciler import` adds what is live to the project that is there.",
        example="reconciler import --all --out resources/imported",
    ),
    Code(
        code="init-exists",
        stage="command line",
        meaning="What `init` would write is there already with another text, or its place leads out of the folder. "
        "Nothing was written.",
        remedy="Move it away, or leave it out with --editor none, or with --kind for other kinds.",
        example="reconciler init --editor none",
    ),
    Code(
        code="import-unknown",
        stage="command line",
        meaning="`import` was asked for something that no provider lists.",
        remedy="Write provider instance, kind and name, an id, or a name, as `reconciler list` shows them.",
        example="reconciler import modelarts/Service/mnist",
    ),
    Code(
        code="import-ambiguous",
        stage="command line",
        meaning="What `import` was asked for is the name of several live things.",
        remedy="Write provider instance, kind and id of the one that is meant; the message has them.",
    ),
    Code(
        code="import-refused",
        stage="command line",
        meaning="What `import` was asked for is managed already, belongs to somebody else, or is about to go.",
        remedy="Leave it to its owner; what is ours already is in the spec, or `ledger rebuild` makes it known again.",
    ),
    Code(
        code="import-exists",
        stage="command line",
        meaning="What `import` would write is there already: a file, an address, or a resource that means the same "
        "live thing. Nothing was written; what a person wrote is never merged with what is live.",
        remedy="Choose another folder with --out or another name with --as, or write lifecycle.adopt into the resource "
        "that is there.",
        example="reconciler import modelarts/Service/mnist --as mnist-old",
    ),
    Code(
        code="import-secret",
        stage="command line",
        meaning="The value of one of the project's secrets stands in a live thing's name, or in a key, where no "
        "secret() can take its place. Nothing was written.",
        remedy="Write this resource by hand, and change the secret: everybody who can list the account knows it.",
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
