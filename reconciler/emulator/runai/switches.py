"""Switches of the Run:ai module. Source: runai §11, from `tokenLifetime` on ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from reconciler.emulator.runai.versions import RELEASES
from reconciler.emulator.switches import Switch, Switches, number, outcomes, whole

__all__ = ["SWITCHES"]

_GPUS: Final = '{node pool: GPUs}, such as {"default": 2}'


def _object(wish: Any) -> dict[str, Any]:
    """A policy.

    Raises:
        ValueError: for what is no object of `defaults` and `rules`.
    """
    if not isinstance(wish, Mapping) or set(wish) - {"defaults", "rules"}:
        raise ValueError('an object such as {"defaults": {}, "rules": {}}')
    return dict(wish)


def _gpus(wish: Any) -> dict[str, float]:
    """Node pools with numbers.

    Raises:
        ValueError: for anything else.
    """
    if not isinstance(wish, Mapping) or "" in wish:
        raise ValueError(_GPUS)
    return {str(pool): number(gpus) for pool, gpus in wish.items()}


SWITCHES: Final = Switches(
    Switch(
        name="version",
        values=tuple(reversed(RELEASES)),
        does="release of the control plane: routes, success codes, fields, what a PATCH takes",
    ),
    Switch(
        name="strict",
        values=("schema+description", "schema", "off"),
        does="what a create is checked against: the schema, and what its descriptions say",
    ),
    Switch(name="duplicateName", values=("409", "400", "allow"), does="what a create of a taken name meets"),
    Switch(
        name="nameHeldWhileDeleting",
        values=(True, False),
        does="whether a name stays taken until its workload is gone",
    ),
    Switch(name="getAfterDelete", values=("404", "200+deletedAt"), does="what a get of a deleted workload answers"),
    Switch(name="secondDelete", values=("404", "2xx"), does="what a delete of a deleted workload answers"),
    Switch(name="echo", values=("merged", "as-sent"), does="whether defaults and policy are in the spec of replies"),
    Switch(name="patch", values=("overwrite-section", "deep-merge"), does="what a PATCH does inside a section"),
    Switch(name="patchNull", values=("ignore", "clear", "400"), does="what a null in a PATCH does"),
    Switch(name="patchUnknownKeys", values=("ignore", "400"), does="what a key does that a PATCH can't change"),
    Switch(name="createUnknownKeys", values=("ignore", "400"), does="what an unknown key of a create does"),
    Switch(name="nameRule", values=("dns-label-50", "dns-label-63", "any"), does="which names are taken"),
    Switch(
        name="listLag",
        default=0,
        takes="a number of reads",
        read=whole,
        does="after how many reads of a list a new workload is in it",
    ),
    Switch(name="idTypeOut", values=("string", "number"), does="JSON type of project ids in replies"),
    Switch(
        name="rateLimit",
        values=("off", "429", "429+retry-after"),
        does="whether more than ten requests in ten seconds meet 429, and whether that names a time",
    ),
    Switch(
        name="reorderLists",
        values=(False, True),
        does="lists of a reply's spec come in random order",
    ),
    Switch(
        name="rewriteQuantities",
        values=(False, True),
        does="quantities come back in other words (1000M as 1G)",
    ),
    Switch(
        name="tokenLifetime",
        default=3600,
        takes="seconds",
        read=number,
        ours=True,
        does="how long a token lives",
    ),
    Switch(
        name="patchPhase",
        values=("Updating", "Running"),
        ours=True,
        does="the phase that shows during a roll-out",
    ),
    Switch(
        name="rolloutLimit",
        default=600,
        takes="seconds",
        read=number,
        ours=True,
        does="after which time a roll-out that does not get ready is given up",
    ),
    Switch(
        name="outcomes",
        default={},
        takes="{workload name: Failed, Degraded, Pending, Stopped or abandon}",
        read=outcomes("Failed", "Degraded", "Pending", "Stopped", "abandon"),
        ours=True,
        does="scripts another course than to Running",
    ),
    Switch(
        name="policy",
        default={},
        takes='{"defaults": {}, "rules": {}}',
        read=_object,
        ours=True,
        does="the project's policy: merged into specs, enforced on creates and updates",
    ),
    Switch(
        name="gpuQuota",
        default={},
        takes=_GPUS,
        read=_gpus,
        ours=True,
        does="quota of each project in these node pools (64 in the others); told, not enforced",
    ),
    Switch(
        name="metrics",
        values=("full", "partial"),
        ours=True,
        does="whether metrics come whole (200), or without the last type asked for (207)",
    ),
)
