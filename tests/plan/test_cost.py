"""Cost and GPUs, exact, smallest and largest, before and after."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from reconciler.diff.change import Action, Change
from reconciler.plan.cost import Cost, PriceList, Range, change_cost, total
from tests.diff.toys import ENGINE, address_of, entry, live, resource

PRICES = PriceList(unit="eur", per_hour={"m": Decimal("0.1"), "n": Decimal("0.25")})


def cost(after: dict[str, Any] | None, before: dict[str, Any] | None = None, action: Action = Action.UPDATE) -> Cost:
    found = change_cost(
        Change(
            address=address_of("a"),
            kind=ENGINE,
            action=action,
            reason="",
            desired=None if after is None else resource("a", after),
            live=None if before is None else live("L", before),
            applied=None if before is None else entry("a", "L", before),
        ),
        PRICES,
    )
    assert found is not None
    return found


def span(low: str, high: str) -> Range:
    return Range(Decimal(low), Decimal(high))


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        pytest.param({"model": "m"}, span("0.1", "0.1"), id="one of them"),
        pytest.param({"model": "m", "min": 1, "max": 3}, span("0.1", "0.3"), id="decimals are exact"),
        pytest.param({"model": "m", "min": 0, "max": 7}, span("0", "0.7"), id="down to nothing"),
        pytest.param({"model": "m", "min": 3, "max": 1}, span("0.3", "0.3"), id="a maximum below the minimum"),
        pytest.param({"model": "unpriced"}, None, id="no price is not a price of nothing"),
        pytest.param({}, None, id="nothing to price"),
    ],
)
def test_cost_of_what_is_wanted(spec: dict[str, Any], expected: Range | None) -> None:
    assert cost(spec, action=Action.CREATE).after == expected


def test_before_and_after_of_each_action() -> None:
    m, n, nothing = span("0.1", "0.1"), span("0.25", "0.25"), span("0", "0")
    for action, after, before, expected in (
        (Action.CREATE, {"model": "n"}, None, (nothing, n)),
        (Action.REPLACE, {"model": "n"}, {"model": "m"}, (m, n)),
        (Action.DELETE, None, {"model": "m"}, (m, nothing)),
    ):
        found = cost(after, before, action)
        assert (found.before, found.after) == expected


def test_gpus_are_counted_by_their_own_rule() -> None:
    found = cost({"size": 2, "min": 1, "max": 4}, {"size": 1, "min": 1, "max": 1})
    assert (found.gpus_before, found.gpus_after) == (span("1", "1"), span("2", "8"))


def test_totals_are_exact_a_unit_and_leave_out_what_is_not_known() -> None:
    costs = [cost({"model": "m"}, action=Action.CREATE) for _ in range(10)]
    costs += [cost({"model": "unpriced"}, action=Action.CREATE)]
    assert total(costs) == {"eur": (span("0", "0"), span("1.0", "1.0"))}
