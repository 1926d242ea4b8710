"""The kind `toy/v1` Lamp with its field table, and the settings of a toy account."""

from __future__ import annotations

from typing import Final

from reconciler.fields import IN_PLACE, REPLACE, FieldRule, Kind, MarkerSlot, NameRule, Phase, ReplaceOrder, Seen
from reconciler.fields.setting import Setting

__all__ = ["LAMP", "MARKER", "SETTINGS"]

MARKER: Final = "rc-id"
"""Label that carries the ownership marker."""

LAMP: Final = Kind(
    api_version="toy/v1",
    name="Lamp",
    type="toy",
    title="toy lamp",
    schema="toy-lamp.json",
    fields=(
        FieldRule(path="colour", change=IN_PLACE, seen=Seen.LIST, default="white", source="toy §1 made up"),
        FieldRule(path="socket", change=REPLACE, seen=Seen.LIST, source="toy §1 made up"),
    ),
    phases={"warming": Phase.PROGRESSING, "lit": Phase.READY},
    marker=MarkerSlot(carrier=f"labels.{MARKER}"),
    live_name=NameRule(pattern=r"[a-z][-a-z0-9]{0,39}", words="1 to 40 lowercase letters, digits and -"),
    live_id=NameRule(pattern=r"lamp-[0-9]+", words="the id of a lamp, such as lamp-1"),
    replace=ReplaceOrder.DELETE_FIRST,
    replace_orders=(ReplaceOrder.DELETE_FIRST,),
    replace_notice="It is dark for a moment.",
    delete_notice="It is dark.",
    timeout_s=60.0,
    poll_s=1.0,
    example={"socket": "E27"},
)

SETTINGS: Final = (
    Setting(name="endpoint", type="url", doc="The API's address.", required=True, example="https://toy.example.com"),
    Setting(
        name="token",
        type="string",
        doc="Token of the account.",
        required=True,
        secret=True,
        example='{{ secret("TOY_TOKEN") }}',
    ),
)
