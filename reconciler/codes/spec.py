"""Codes of judging documents. Raised in `spec.shape`, `spec.words`, `spec.validate` and beside the kinds."""

from __future__ import annotations

from typing import Final

from reconciler.codes.code import Code

__all__ = ["CODES"]

CODES: Final = (
    Code(
        code="unknown-field",
        stage="spec",
        meaning="The kind, the project or a policy has no field of this name here.",
        remedy="Take the nearest name that the message offers, or ask `reconciler explain` which fields there are.",
        example="reconciler explain modelarts/Service.spec.config",
    ),
    Code(
        code="missing-field",
        stage="spec",
        meaning="A field that is needed here is not written; the message says under which condition it is.",
        remedy="Write it as the message shows; `reconciler explain KIND.FIELD` tells more of it.",
        example="reconciler explain theta/Deployment.spec.vm_id",
    ),
    Code(
        code="wrong-type",
        stage="spec",
        meaning="The value has another type than the field: a text for a number, true for a count, a map for a list.",
        remedy="Write it as the message says. Numbers take no quotes; texts that look like numbers, true or null do.",
        example='env_vars: {PORT: "8000"}\nmin_replicas: 2',
    ),
    Code(
        code="not-allowed",
        stage="spec",
        meaning="The value is not one of those that the field takes.",
        remedy="Choose one of the list in the message.",
    ),
    Code(
        code="not-allowed-here",
        stage="spec",
        meaning="The field exists and can't stand here: another field rules it out, or this kind can't do it.",
        remedy="Remove it, or change the field that rules it out; the message names that one.",
    ),
    Code(
        code="out-of-range",
        stage="spec",
        meaning="A number is too small or too large, or a list, map or text has too few or too many entries.",
        remedy="Stay within the limits that the message names.",
    ),
    Code(
        code="too-long",
        stage="spec",
        meaning=(
            "The text is too long. Where the ownership marker is kept at the end of a description (ModelArts), its 41 "
            "characters count too."
        ),
        remedy="Shorten it to what the message allows.",
    ),
    Code(
        code="bad-format",
        stage="spec",
        meaning=(
            "The text is not of the form that the field needs: a time, an address, a UUID, a path, a Kubernetes label. "
            "An http address in reconciler.yaml is one too, but for this machine's own."
        ),
        remedy="Write it like the example in the message.",
        example="lifecycle: {wait: {timeout: 20m}}",
    ),
    Code(
        code="bad-pattern",
        stage="spec",
        meaning="The text has a character or a form that the field does not take.",
        remedy="Write it in the form that the message describes.",
    ),
    Code(
        code="duplicate-item",
        stage="spec",
        meaning=(
            "A list holds an entry twice, two of its elements have the same key, or two policies have one name. Nobody "
            "could tell which of the two counts."
        ),
        remedy="Remove or rename one of the two places in the message.",
    ),
    Code(
        code="literal-secret",
        stage="spec",
        meaning="A credential or password is written out. It would stand in Git, in plans and in logs.",
        remedy=(
            "Write a reference, list the name under `spec.secrets`, and set the value outside the repository. If it "
            "was pushed already, change the password as well."
        ),
        example="password: '{{ secret(\"DB_PASSWORD\") }}'",
    ),
    Code(
        code="bad-name",
        stage="spec",
        meaning="The API would refuse this name.",
        remedy="Choose a name by the rule in the message, or write `metadata.liveName` with a name that the API takes.",
        example="metadata: {name: search, liveName: search_v2}",
    ),
    Code(
        code="bad-live-id",
        stage="spec",
        meaning="`lifecycle.adopt` is no id that this provider could have given.",
        remedy="Take the id from `reconciler list`.",
        example="lifecycle: {adopt: 2/a7253f07e2eec05c}",
    ),
    Code(
        code="duplicate-address",
        stage="spec",
        meaning=(
            "Two documents claim one provider, kind and name, perhaps in two files, or once with the provider left out."
        ),
        remedy="Rename or remove one of the two places in the message.",
    ),
    Code(
        code="unknown-kind",
        stage="spec",
        meaning="There is no such kind, or not in this apiVersion.",
        remedy="Take one of the list in the message; `reconciler explain` without an argument lists all kinds.",
    ),
    Code(
        code="unknown-api-version",
        stage="spec",
        meaning="There is no such apiVersion.",
        remedy="Take one of the list in the message.",
    ),
    Code(
        code="unknown-provider",
        stage="spec",
        meaning=(
            "`metadata.provider`, `--provider` or an environment names an instance that reconciler.yaml does not have, "
            "or one of another type."
        ),
        remedy=(
            "Take one of the list in the message, or add the instance to `spec.providers`. A new one in an environment "
            "needs a `type`."
        ),
    ),
    Code(
        code="provider-needed",
        stage="spec",
        meaning="Several provider instances of this type could serve the resource, or none.",
        remedy="Write `metadata.provider`, or add an instance of that type to reconciler.yaml.",
        example="metadata: {name: chat, provider: theta-eu}",
    ),
    Code(
        code="unknown-address",
        stage="spec",
        meaning="`dependsOn`, `ref()` or `--explain` names a resource that is not in this spec.",
        remedy="Mend the address: provider instance, kind and name, with slashes.",
        example="metadata:\n  name: reranker\n  dependsOn: [theta/Deployment/embeddings]",
    ),
    Code(
        code="dependency-cycle",
        stage="spec",
        meaning="Resources wait for one another in a circle, so none of them could come first.",
        remedy="Take one of the edges (`dependsOn`, `ref()`) out; the message lists them with their places.",
    ),
    Code(
        code="patch-matches-nothing",
        stage="spec",
        meaning=(
            "A patch speaks of a resource that does not exist in this environment, so it would do nothing without a "
            "word."
        ),
        remedy="Mend `kind`, `metadata.name` or `metadata.provider` of the patch, or remove it.",
    ),
    Code(
        code="patch-matches-several",
        stage="spec",
        meaning="A patch fits several resources.",
        remedy="Add `metadata.provider` or `apiVersion`, so that one is meant.",
    ),
    Code(
        code="replace-order",
        stage="spec",
        meaning=(
            "The kind can't be replaced in this order: where names are unique, a second one can't be made before the "
            "first is gone."
        ),
        remedy="Remove `lifecycle.replace`, or take the order that the message names.",
        example="lifecycle: {replace: delete-first}",
    ),
    Code(
        code="one-of",
        stage="spec",
        meaning="Exactly one of several fields must be written.",
        remedy="Keep exactly one of those that the message names.",
    ),
    Code(
        code="reserved-name",
        stage="spec",
        meaning="This annotation or label carries the ownership marker, by which a resource of ours is known again.",
        remedy="Choose another name for yours.",
    ),
    Code(
        code="not-set",
        stage="spec",
        meaning="`compile --explain` asks for a value that nobody wrote.",
        remedy=(
            "Mend the path; the message offers the nearest one, and says what the API takes when the field is left out."
        ),
    ),
    Code(
        code="bad-path",
        stage="spec",
        meaning="`compile --explain` got something that is no path.",
        remedy="Write an address and a field, with its list index if it has one.",
        example="reconciler compile --explain theta/Deployment/chat.spec.min_replicas",
    ),
)
