"""What a fact about a type of measurement may be (`MetricRule`); a table of them stands beside the kind."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MetricRule"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRule:
    """One type of measurement.

    Attributes:
        type: The provider's own word.
        title: What it measures, for people: `GPU memory`; empty where the unit says it (`12.4 requests/s`).
        unit: `percent`, `bytes`, `cores`, `GPUs`, `pods`, `ms`, `requests/s`, or any other word to stand behind it.
        of: The type whose value this one is a part of (used of requested), if it is one; of 0, it says nothing.
        shown: Whether people are told of it by itself; a type that others are a part of is not.
        since: API release that has it first.
        source: Section and tag of the provider's sheet.
    """

    type: str
    unit: str
    source: str
    title: str = ""
    of: str = ""
    shown: bool = True
    since: str = ""
