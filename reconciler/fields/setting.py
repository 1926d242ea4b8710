"""What a fact about one setting of a provider instance may be (`reconciler.yaml`, `spec.providers.<name>`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

__all__ = ["COMMON_SETTINGS", "Setting"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One key of a provider instance.

    Attributes:
        name: As written, such as `requestTimeout`.
        type: `string`, `url`, `uuid`, `duration` (such as `60s`, `20m`; becomes seconds), `integer`, `enum`, `prices`.
        doc: One sentence.
        required: Must be written, but for `endpoint: emulator`.
        secret: Only `secret()` may be written.
        default: Filled in when it is not written; durations in seconds.
        emulator_default: The same for the emulator, embedded or on loopback; `None` means `default`.
        choices: For `enum`.
        example: A valid value, for errors.
        needs: Other settings that must be written with it (username with password).
        positive: A duration of nothing makes no sense.
        alternatives: A required setting may be left out when one of these is written (clusterId for cluster).
    """

    name: str
    type: str
    doc: str
    required: bool = False
    secret: bool = False
    default: Any = None
    emulator_default: Any = None
    choices: tuple[str, ...] = ()
    example: str = ""
    needs: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    positive: bool = False


COMMON_SETTINGS: Final = (
    Setting(
        name="requestTimeout",
        type="duration",
        doc="Limit of one whole request.",
        default=60.0,
        example="60s",
        positive=True,
    ),
    Setting(
        name="commitDelay",
        type="duration",
        doc="How long the API may still commit a write after we hung up.",
        default=60.0,
        emulator_default=0.0,
        example="60s",
    ),
    Setting(
        name="listLag",
        type="duration",
        doc="How long a list may lag behind a write.",
        default=60.0,
        emulator_default=0.0,
        example="60s",
    ),
    Setting(
        name="pollInterval",
        type="duration",
        doc="Longest pause between two looks while waiting.",
        default=15.0,
        example="15s",
        positive=True,
    ),
    Setting(name="concurrency", type="integer", doc="Requests at a time.", default=4, example="4"),
    Setting(
        name="prices",
        type="prices",
        doc="Prices per hour of what the provider does not price itself: a unit, and a decimal for each item.",
        example='{unit: EUR, perHour: {modelarts.vm.cpu.2u: "0.35"}}',
    ),
)
