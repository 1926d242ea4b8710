"""Cost before and after as bars: widths in thousandths of the dearest of their unit, amounts as decimal strings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from typing import Any, Final

from reconciler.render.money import cost_texts
from reconciler.render.style import Style

__all__ = ["FULL", "bars"]

FULL: Final = 1000
"""The width of the longest bar."""
_STYLE: Final = Style()
_SIDES: Final = ("before", "after")


def bars(changes: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A group for each unit, sorted: its resources in the order given, those alone whose cost per hour changes.

    Each bar has the width of the smallest amount (`low`) and of the largest (`high`); one that is not known has none.
    """
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for change in changes:
        cost = change["cost"]
        if cost is not None and cost["unit"] and cost["before"] != cost["after"]:
            groups.setdefault(cost["unit"], []).append(change)
    return [{"unit": unit, "rows": _rows(groups[unit])} for unit in sorted(groups)]


def _rows(changes: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    dearest = max(_amount(change["cost"][side], "hourly_max") for change in changes for side in _SIDES)
    return [
        {
            "address": change["address"],
            "action": change["action"],
            "text": next(text for _, text in cost_texts(change["cost"], _STYLE)),
            "bars": [_bar(side, change["cost"][side], dearest) for side in _SIDES],
        }
        for change in changes
    ]


def _bar(side: str, money: Mapping[str, str] | None, dearest: Decimal) -> dict[str, Any]:
    return {
        "side": side,
        "known": money is not None,
        "low": _width(_amount(money, "hourly_min"), dearest),
        "high": _width(_amount(money, "hourly_max"), dearest),
    }


def _width(amount: Decimal, dearest: Decimal) -> int:
    """Rounded up, so that what costs anything can be seen."""
    if amount <= 0 or dearest <= 0:
        return 0
    return min(FULL, int((amount * FULL / dearest).to_integral_value(ROUND_CEILING)))


def _amount(money: Mapping[str, str] | None, key: str) -> Decimal:
    """A saved plan may have been written by anybody: what is no amount has no width."""
    try:
        amount = Decimal(money[key]) if money is not None else Decimal(0)
    except InvalidOperation:
        return Decimal(0)
    return amount if amount.is_finite() else Decimal(0)
