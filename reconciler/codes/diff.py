"""What becomes of a resource in a plan, and why: whose it is, what differs. Raised in `diff`."""

from __future__ import annotations

from typing import Final

from reconciler.codes.code import Code

__all__ = ["CODES"]

CODES: Final = (
    Code(
        code="has-failed",
        stage="plan",
        meaning="The live resource is as the spec says, and its provider calls it failed. Nothing would be changed.",
        remedy="Look at the provider's reason in the message; a change of the spec, or a run state, may bring it back.",
    ),
    Code(
        code="in-sync",
        stage="plan",
        meaning="What is live is as the spec says.",
        remedy="Nothing is to be done.",
    ),
    Code(
        code="not-live",
        stage="plan",
        meaning="The resource is desired, and it does not exist yet.",
        remedy="Nothing: it is created.",
    ),
    Code(
        code="gone",
        stage="plan",
        meaning="Its document was removed, and it is no longer live either.",
        remedy="Nothing: the next apply takes it out of the ledger.",
    ),
    Code(
        code="vanished",
        stage="plan",
        meaning="It was made by us and is no longer there: somebody or something deleted it.",
        remedy="It is created again. If that is not wanted, remove its document.",
    ),
    Code(
        code="fields-differ",
        stage="plan",
        meaning=(
            "Fields differ from what is live. Each says who moved: the spec (pending), the live side (drift), or both."
        ),
        remedy=(
            "They are changed in place. To keep a drifted value, write it into the spec, or list the field in "
            "`lifecycle.ignoreChanges`."
        ),
        example="lifecycle: {ignoreChanges: [autoscaling.minReplicas]}",
    ),
    Code(
        code="run-state-differs",
        stage="plan",
        meaning="It runs or is stopped against `lifecycle.runState`.",
        remedy="Nothing: it is started or stopped. Take `runState` out if that is nobody's business here.",
        example="lifecycle: {runState: stopped}",
    ),
    Code(
        code="field-forces-replace",
        stage="plan",
        meaning=(
            "A field differs that this API can't change on a live resource, so a new one is made and the old one "
            "deleted."
        ),
        remedy="Read the interruption in the plan. Put the old value back if it is not worth that.",
    ),
    Code(
        code="adopt-requested",
        stage="plan",
        meaning="`lifecycle.adopt` names a live thing that is nobody else's; from now on it is ours.",
        remedy=(
            "Leave `adopt` in the file while it lives: where the API takes no marker afterwards, it is the only trace "
            "besides the ledger."
        ),
        example="lifecycle: {adopt: 10eb0091-887f-4839-9929-cbc884f1e20e}",
    ),
    Code(
        code="removed-from-spec",
        stage="plan",
        meaning="Its document is gone from the spec, so it is deleted.",
        remedy=(
            "To keep it running without us: before the document is removed, write `onRemove: retain` and apply once."
        ),
        example="lifecycle: {onRemove: retain}",
    ),
    Code(
        code="retained",
        stage="plan",
        meaning="Its document is gone and said `onRemove: retain`: it is left running, and forgotten.",
        remedy=(
            "Nothing is sent. To manage it again, put its document back (with `lifecycle.adopt` where the API shows no "
            "marker)."
        ),
    ),
    Code(
        code="unfinished-replace",
        stage="plan",
        meaning=(
            "An earlier run made the new half of a create-first replace and stopped before the old half was deleted."
        ),
        remedy="Apply: the old half goes once the new one is ready.",
    ),
    Code(
        code="successor-failed",
        stage="plan",
        meaning="The new half of a create-first replace failed, so the old one stays.",
        remedy="Look at the provider's reason, mend the spec, and apply again.",
    ),
    Code(
        code="twins",
        stage="plan",
        meaning=(
            "Several live things carry the marker of one resource, for example after a lost reply and a lost ledger. "
            "The one with the better proof stays, the others go, one in each run; none is touched when one that would "
            "go is, or may be, protected."
        ),
        remedy="Look at them in the plan. If none is touched, delete the wrong one at the provider yourself.",
    ),
    Code(
        code="list-failed",
        stage="plan",
        meaning=(
            "The provider could not be listed, so nobody knows what is live there; its resources are left alone. The "
            "other providers are planned as usual."
        ),
        remedy="Look at the reason in the message: credentials, hosts, network. Then run it again.",
    ),
    Code(
        code="list-partial",
        stage="plan",
        meaning="The account may see only a part of this list, so that what is missing may still exist.",
        remedy="Give the account the right to list everything; for ModelArts set `listScope: all` as well.",
    ),
    Code(
        code="suspicious-list",
        stage="plan",
        meaning=(
            "The list is empty although the ledger knows something there, or over half of four or more known resources "
            "are missing. Outages look like that; deleting or creating on it would be wrong."
        ),
        remedy="Look at the provider's console. If the list is right, --accept-empty believes it for this run.",
        example="reconciler plan --accept-empty",
    ),
    Code(
        code="recently-created",
        stage="plan",
        meaning="It was created less than five minutes ago and is not listed yet: lists lag.",
        remedy="Run it again in a minute or two.",
    ),
    Code(
        code="on-its-way-out",
        stage="plan",
        meaning="The live thing with its id or name is being deleted.",
        remedy="A create waits until it is gone; a delete has nothing to do.",
    ),
    Code(
        code="conflict",
        stage="plan",
        meaning=(
            "The name is taken. In a plan: by a live thing without anybody's marker, which is never taken over "
            "silently. As a provider's answer (HTTP 409 or its own code): by something that was made meanwhile, or the "
            "resource is busy."
        ),
        remedy=(
            "In a plan: write `lifecycle.adopt` if it is the same thing, else choose another name. As an answer: plan "
            "again."
        ),
        example="lifecycle: {adopt: 10eb0091-887f-4839-9929-cbc884f1e20e}",
    ),
    Code(
        code="owned-by-other",
        stage="plan",
        meaning=(
            "The name, or the id to adopt, belongs to somebody else: another project, environment or resource; or the "
            "provider lets nobody touch it."
        ),
        remedy=(
            "Choose another name, or settle it with the owner. If the project was renamed, `metadata.formerOwners` of "
            "reconciler.yaml names its old owners."
        ),
        example="metadata:\n  name: shop\n  formerOwners: [webshop/prod]",
    ),
    Code(
        code="marker-mismatch",
        stage="plan",
        meaning="The live thing with our id carries another ownership marker than the one that we wrote.",
        remedy="Find out who rewrote it. If it is ours, put the marker back that `reconciler ledger show -o json` has.",
    ),
    Code(
        code="untouchable",
        stage="plan",
        meaning=(
            "It belongs to somebody else by the provider's own word (a subscribed service, another project), or is "
            "another product."
        ),
        remedy="Leave it alone: choose another name, or remove the document.",
    ),
    Code(
        code="former-name",
        stage="plan",
        meaning=(
            "A machine that was made under this name belongs to another resource now, and still carries this name's "
            "marker."
        ),
        remedy="Choose another name as long as that machine lives.",
    ),
    Code(
        code="rename-conflict",
        stage="plan",
        meaning="Through `lifecycle.renamedFrom`, several documents could mean one ledger entry.",
        remedy=(
            "Take `renamedFrom` out where the rename was carried out long ago; else rename in two applies, by a name "
            "that nobody uses."
        ),
        example="lifecycle: {renamedFrom: [old-name]}",
    ),
    Code(
        code="possible-duplicate",
        stage="plan",
        meaning=(
            "The ledger knows nothing of this resource, the API shows no marker, and something live looks the same. A "
            "create could make a second machine."
        ),
        remedy=(
            "If it is this one, write `lifecycle.adopt`. If all of them are foreign, say so once with `ledger trust`."
        ),
        example="reconciler ledger trust theta/Deployment",
    ),
    Code(
        code="adopt-not-found",
        stage="plan",
        meaning="`lifecycle.adopt` names an id that is not in the list, or is being deleted.",
        remedy="Take the id from `reconciler list`, or remove `adopt` to have it made anew.",
    ),
    Code(
        code="adopt-differs",
        stage="plan",
        meaning="Taking it over would replace it at once, because a field differs that can't change in place.",
        remedy="Write the live value first, adopt, and change the field later.",
    ),
    Code(
        code="not-in-ledger",
        stage="plan",
        meaning=(
            "A delete or replace would hit something that carries our marker but is not in this ledger. A marker alone "
            "is no proof."
        ),
        remedy=(
            "Use the ledger that made it. --trust-markers takes the marker for proof in this run, though never to "
            "delete what was protected or retained."
        ),
        example="reconciler plan --trust-markers",
    ),
    Code(
        code="prevent-destroy",
        stage="plan",
        meaning=(
            "`lifecycle.preventDestroy` forbids the delete or replace. The ledger remembers it after the document is "
            "gone."
        ),
        remedy="Apply once with `preventDestroy: false`; then remove or change it.",
        example="lifecycle: {preventDestroy: false}",
    ),
    Code(
        code="cannot-unset",
        stage="plan",
        meaning="A field was taken out of the spec, and this API has no way to take it back.",
        remedy="Write the value that it should have.",
    ),
    Code(
        code="provider-missing",
        stage="plan",
        meaning="It left the spec, and its provider instance is no longer in reconciler.yaml, so nobody can delete it.",
        remedy="Put the instance back until its resources are deleted or retained.",
    ),
)
