"""What a plan costs: per hour and per month (730 h), smallest and largest over replicas, exact; and GPUs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from reconciler.diff.change import Action, Change
from reconciler.fields import CostRule, FieldPath, Kind
from reconciler.fields.path import EACH
from reconciler.spec.values import is_pending

__all__ = ["HOURS_A_MONTH", "Cost", "PriceList", "Range", "change_cost", "total"]

HOURS_A_MONTH: Final = 730


@dataclass(frozen=True, slots=True)
class Range:
    """Smallest and largest, per hour."""

    low: Decimal
    high: Decimal

    def __add__(self, other: Range) -> Range:
        return Range(self.low + other.low, self.high + other.high)


_NOTHING: Final = Range(Decimal(0), Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceList:
    """Prices per hour by item, in `unit`; GPUs by item. Empty where nobody told any."""

    unit: str = ""
    per_hour: Mapping[str, Decimal] = field(default_factory=dict)
    gpus: Mapping[str, int] = field(default_factory=dict)
    counts: Mapping[str, Decimal] = field(init=False, repr=False, compare=False, default_factory=dict)
    """GPUs by item, as prices; a `gpu` is one."""

    def __post_init__(self) -> None:
        counts = {"gpu": Decimal(1), **{item: Decimal(count) for item, count in self.gpus.items()}}
        object.__setattr__(self, "counts", counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Cost of one resource before and after a change, `None` where it is not known; GPUs likewise."""

    unit: str
    before: Range | None
    after: Range | None
    gpus_before: Range | None
    gpus_after: Range | None


def change_cost(change: Change, prices: PriceList) -> Cost | None:
    """What a change does to cost and GPUs; `None` for kinds that have neither."""
    kind = change.kind
    if not kind.costs and not kind.gpus:
        return None
    is_there = change.live is not None or (change.applied is not None and change.action is not Action.CREATE)
    old = change.applied.spec if change.applied and change.applied.spec else change.live.spec if change.live else {}
    new = change.desired.spec if change.desired else {}
    stays = change.desired is not None
    halves = [old] if is_there else []
    if stays and halves and change.leftover is None and old == new:  # most of them
        now, count = _price(kind, kind.costs, new, prices.per_hour), _gpus(kind, new, prices, counts=True)
        return Cost(unit=prices.unit, before=now, after=now, gpus_before=count, gpus_after=count)
    if change.leftover is not None and change.live is not None:  # two are paid for, until one of them goes
        halves = [change.live.spec, change.leftover.spec]
    return Cost(
        unit=prices.unit,
        before=_sum(_price(kind, kind.costs, half, prices.per_hour) for half in halves),
        after=_price(kind, kind.costs, new, prices.per_hour) if stays else _NOTHING,
        gpus_before=_sum(_gpus(kind, half, prices, counts=True) for half in halves) if kind.gpus else None,
        gpus_after=_gpus(kind, new, prices, counts=stays),
    )


def total(costs: Iterable[Cost]) -> dict[str, tuple[Range, Range]]:
    """Unit → (before, after) over all resources whose cost is known on both sides."""
    sums: dict[str, tuple[Range, Range]] = {}
    for cost in costs:
        if cost.unit and cost.before is not None and cost.after is not None:
            before, after = sums.get(cost.unit, (_NOTHING, _NOTHING))
            sums[cost.unit] = (before + cost.before, after + cost.after)
    return sums


def _sum(parts: Iterable[Range | None]) -> Range | None:
    """All of them together; unknown as soon as one is."""
    total_ = _NOTHING
    for part in parts:
        if part is None:
            return None
        total_ += part
    return total_


def _gpus(kind: Kind, spec: Mapping[str, Any], prices: PriceList, *, counts: bool) -> Range | None:
    if not kind.gpus:
        return None
    if not counts:
        return _NOTHING
    return _price(kind, kind.gpus, spec, prices.counts, missing=0)


def _price(
    kind: Kind,
    rules: tuple[CostRule, ...],
    spec: Mapping[str, Any],
    per_item: Mapping[str, Decimal],
    missing: int | None = None,
) -> Range | None:
    """Sum over the kind's rules; `None` when an item has no price and none is assumed."""
    sum_, known = _NOTHING, False
    for rule in rules:
        for where, item in _items(rule, spec):
            price = per_item.get(item, None if missing is None else Decimal(missing))
            if price is None:
                return None
            known = True
            for times in rule.times:
                price *= _number(kind, spec, times, where, Decimal(1))
            low = _number(kind, spec, rule.low, where, Decimal(1))
            high = _number(kind, spec, rule.high, where, low)
            sum_ += Range(price * low, price * max(low, high))
    return sum_ if known else None


def _items(rule: CostRule, spec: Mapping[str, Any]) -> Iterable[tuple[tuple[int, ...], str]]:
    if rule.item.startswith('"'):
        yield (), rule.item.strip('"')
        return
    for where, value in _resolve(spec, FieldPath.parse(rule.item).segments):
        if isinstance(value, str):
            yield where, value


def _number(kind: Kind, spec: Mapping[str, Any], path: str, where: tuple[int, ...], otherwise: Decimal) -> Decimal:
    """The number at a path, in the same list element as the item; the field's own default where it is not written."""
    if not path:
        return otherwise
    parsed = FieldPath.parse(path)
    for found, value in _resolve(spec, parsed.segments):
        if found == where[: len(found)] and not is_pending(value) and not isinstance(value, bool):
            try:
                return Decimal(str(value))
            except InvalidOperation:
                continue
    rule = kind.exact_rule(parsed)
    default = rule.default if rule is not None else None
    return Decimal(default) if isinstance(default, int) and not isinstance(default, bool) else otherwise


def _resolve(
    tree: Any, segments: tuple[str, ...], where: tuple[int, ...] = ()
) -> Iterable[tuple[tuple[int, ...], Any]]:
    if not segments:
        yield where, tree
    elif segments[0] == EACH:
        for index, item in enumerate(tree if isinstance(tree, list | tuple) else ()):
            yield from _resolve(item, segments[1:], (*where, index))
    elif isinstance(tree, Mapping) and tree.get(segments[0]) is not None:
        yield from _resolve(tree[segments[0]], segments[1:], where)
