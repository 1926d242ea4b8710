"""Cost and GPUs, as JSON and in words. Decimal strings: exact, never a float."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from reconciler.diff.change import Action, Change
from reconciler.plan.cost import HOURS_A_MONTH, Cost, Range, total
from reconciler.render.safe import for_terminal
from reconciler.render.style import Style

__all__ = ["cost_json", "cost_texts", "totals_json", "totals_text"]


def cost_json(cost: Cost, change: Change) -> dict[str, Any]:
    """Decimal strings. `during` is what runs while a create-first replace has both, old and new."""
    both = change.action is Action.REPLACE and change.replace_order == "create-first" and change.leftover is None
    during = cost.before + cost.after if both and cost.before is not None and cost.after is not None else None
    return {
        "unit": cost.unit or None,
        "before": _money(cost.before),
        "after": _money(cost.after),
        "during": _money(during),
        "gpus_before": _count(cost.gpus_before),
        "gpus_after": _count(cost.gpus_after),
    }


def totals_json(costs: Mapping[str, Cost]) -> dict[str, Any]:
    """Sums per unit over the resources whose cost is known on both sides; `unpriced` names the others."""
    sums = sorted(total(costs.values()).items())
    gpus = [
        (cost.gpus_before, cost.gpus_after)
        for cost in costs.values()
        if cost.gpus_before is not None and cost.gpus_after is not None
    ]
    nothing = Range(Decimal(0), Decimal(0))
    return {
        "cost": {unit: {"before": _money(before), "after": _money(after)} for unit, (before, after) in sums},
        "gpus_before": _count(sum((before for before, _ in gpus), nothing)),
        "gpus_after": _count(sum((after for _, after in gpus), nothing)),
        "unpriced": sorted(a for a, cost in costs.items() if not cost.unit or None in (cost.before, cost.after)),
    }


def _money(range_: Range | None) -> dict[str, str] | None:
    if range_ is None:
        return None
    return {
        "hourly_min": _decimal(range_.low),
        "hourly_max": _decimal(range_.high),
        "monthly_min": _decimal(range_.low * HOURS_A_MONTH),
        "monthly_max": _decimal(range_.high * HOURS_A_MONTH),
    }


def _count(range_: Range | None) -> dict[str, str] | None:
    return {"min": _decimal(range_.low), "max": _decimal(range_.high)} if range_ is not None else None


def _decimal(number: Decimal) -> str:
    """Exact, never with an exponent, without idle zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def totals_text(plan: Mapping[str, Any], style: Style) -> list[str]:
    """Cost per unit and GPUs, before and after; nothing where nobody told a price."""
    totals = plan["totals"]
    lines = [
        f"Cost: {_money_text(unit, sides['before'], sides['after'], style)}" for unit, sides in totals["cost"].items()
    ]
    unpriced = totals["unpriced"]
    if unpriced and lines:
        lines[-1] += f" (without {len(unpriced)} of unknown price)"
    before, after = totals["gpus_before"], totals["gpus_after"]
    if _is_some(before, "max") or _is_some(after, "max"):
        lines.append(f"GPUs: {_sides(_span(before, '', style), _span(after, '', style), style)}")
    return lines


def cost_texts(cost: Mapping[str, Any] | None, style: Style) -> Iterator[tuple[str, str]]:
    """What a change does to cost and GPUs, as (label, sentence); nothing where it does nothing."""
    if cost is None:
        return
    if cost["unit"] and cost["before"] != cost["after"]:
        text = _money_text(cost["unit"], cost["before"], cost["after"], style)
        if cost["during"]:
            text += f"; {_span(cost['during'], 'hourly_', style)} an hour while both run"
        yield "cost", text
    if cost["gpus_before"] != cost["gpus_after"]:
        before, after = (_span(cost[key], "", style) for key in ("gpus_before", "gpus_after"))
        yield "GPUs", _sides(before, after, style)


def _money_text(unit: str, before: Mapping[str, str] | None, after: Mapping[str, str] | None, style: Style) -> str:
    hourly = _sides(_span(before, "hourly_", style), _span(after, "hourly_", style), style)
    if before is None or after is None:
        return f"{hourly} {for_terminal(unit)}/hour"
    monthly = _sides(_span(before, "monthly_", style), _span(after, "monthly_", style), style)
    return f"{hourly} {for_terminal(unit)}/hour, {monthly} a month"


def _sides(before: str, after: str, style: Style) -> str:
    return before if before == after else f"{before} {style.arrow} {after}"


def _span(range_: Mapping[str, str] | None, prefix: str, style: Style) -> str:
    if range_ is None:
        return "unknown"
    low, high = range_[f"{prefix}min"], range_[f"{prefix}max"]
    return low if low == high else f"{low}{style.to}{high}"


def _is_some(range_: Mapping[str, str] | None, key: str) -> bool:
    return range_ is not None and range_[key] != "0"
