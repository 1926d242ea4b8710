"""Switches of the Theta module. Source: theta §11."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from reconciler.emulator.switches import Switch, Switches, number
from reconciler.emulator.theta.items import TIMELINES

__all__ = ["SWITCHES"]

_TIMELINE: Final = f"one of {', '.join(TIMELINES)}, or a list of [seconds, pod phase, endpoint status]"
_ROW: Final = 3


def _timeline(wish: Any) -> str | Sequence[Any]:
    """A name, or rows.

    Raises:
        ValueError: for anything else.
    """
    if isinstance(wish, str) and wish in TIMELINES:
        return wish
    rows = wish if isinstance(wish, list | tuple) else ()
    if not rows or not all(isinstance(row, list | tuple) and len(row) == _ROW for row in rows):
        raise ValueError(_TIMELINE)
    return list(rows)


SWITCHES: Final = Switches(
    Switch(
        name="routes",
        values=("both", "plural", "singular"),
        does="which spelling of the deployment routes answers",
    ),
    Switch(name="vm_list_auth", values=("optional", "required"), does="whether the list of machines wants a key"),
    Switch(
        name="create_shape",
        values=("sentence", "object"),
        does="what a create answers: a sentence with the address, or the item",
    ),
    Switch(name="strict", values=(True, False), does="whether a bad create is refused with 400"),
    Switch(name="unknown_fields", values=("ignore", "reject"), does="what happens to unknown fields of a create"),
    Switch(name="accept_name", values=(False, True), does="whether the name in a create is kept"),
    Switch(name="suffix_style", values=("hex16", "base36"), does="suffixes of 16 hexadecimal or 28 base-36 digits"),
    Switch(
        name="suffix_glitch",
        values=(False, True),
        does="the list shows another suffix than the endpoint, and only that one can be deleted",
    ),
    Switch(name="item_profile", values=("seed", "extended"), does="keys of list items: the seed's, or newer ones too"),
    Switch(
        name="annotations_mode",
        values=("echo", "nickname_only", "null"),
        does="what the list shows of annotations",
    ),
    Switch(
        name="env_mode",
        values=("string", "object", "both", "hidden"),
        does="where the list shows the environment: EnvVarsString, EnvVars, both or nowhere",
    ),
    Switch(
        name="replicas_mode",
        values=("min", "middle", "max"),
        does="which number between minimum and maximum Replicas shows",
    ),
    Switch(
        name="timeline",
        default="normal",
        takes=_TIMELINE,
        read=_timeline,
        does="what a new deployment goes through, in seconds after its create",
    ),
    Switch(name="delete_body", values=("envelope", "empty"), does="what a delete answers"),
    Switch(
        name="delete_mode",
        values=("remove", "soft"),
        does="whether a deleted item leaves the list, or stays with DeletedAt",
    ),
    Switch(name="delete_missing", values=(404, 200), does="status of a delete of what is not there"),
    Switch(name="undocumented", values=(False, True), does="routes that no page names: get one, update, stop, start"),
    Switch(
        name="list_lag_ms",
        default=0,
        takes="milliseconds",
        read=number,
        ours=True,
        does="how late the list shows creates and deletes",
    ),
)
