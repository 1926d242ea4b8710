"""Codes of reconciler.yaml, its files and its environments. Source: `spec.project`, `spec.settings`, `cli`."""

from __future__ import annotations

from typing import Final

from reconciler.codes.code import Code

__all__ = ["CODES"]

CODES: Final = (
    Code(
        code="project-missing",
        stage="project",
        meaning="There is no reconciler.yaml in this folder.",
        remedy="Go to the project's folder, or name it with -C.",
        example="reconciler plan -C specs-example",
    ),
    Code(
        code="file-missing",
        stage="project",
        meaning=(
            "A listed path, a file of -f or --values, or the folder of resources does not exist. A missing folder is "
            "never taken for an empty spec."
        ),
        remedy="Mend the path in `spec.resources` or on the command line, or make the folder.",
    ),
    Code(
        code="file-unreadable",
        stage="project",
        meaning="The file is there and can't be read.",
        remedy="Give the user that runs this the right to read it; the message has the system's reason.",
    ),
    Code(
        code="outside-project",
        stage="project",
        meaning=(
            "A listed path leads out of the project's folder, perhaps through a link. A spec reads nothing else on a "
            "machine."
        ),
        remedy="Keep the files inside the project.",
    ),
    Code(
        code="path-outside",
        stage="project",
        meaning=(
            "A path in reconciler.yaml (a resource path, the ledger's) is absolute, goes up with `..`, or names a "
            "drive."
        ),
        remedy="Write a path below the folder of reconciler.yaml, with /.",
        example="resources: [resources/, policies/]",
    ),
    Code(
        code="unknown-environment",
        stage="project",
        meaning="-e or `spec.defaultEnvironment` names an environment that the project does not have.",
        remedy="Take one of the list in the message.",
    ),
    Code(
        code="environment-needed",
        stage="project",
        meaning="The project has environments, no default one, and no -e is given.",
        remedy="Give -e, or write `spec.defaultEnvironment`.",
    ),
    Code(
        code="unknown-timezone",
        stage="load",
        meaning="A window of `spec.safety.windows` names a time zone that the IANA database does not have.",
        remedy="Write a name such as Europe/Berlin or UTC; offsets such as +02:00 are no zones.",
    ),
    Code(
        code="bad-set",
        stage="project",
        meaning=(
            "--set is no `path=value`, its value is a number that can't be kept, or its path leads through a value "
            "that is no map or past the end of a list."
        ),
        remedy=(
            "Write it like the example. Values are typed as in YAML; text that looks like a number needs quotes of its "
            "own."
        ),
        example="reconciler plan --set replicas.search=3 --set 'tag=\"1.10\"'",
    ),
    Code(
        code="unknown-provider-type",
        stage="project",
        meaning="A provider instance has no type, or one that does not exist.",
        remedy="Take one of the list in the message.",
    ),
)
