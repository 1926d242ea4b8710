"""What a plan may not do without a person's word, with the real numbers in each refusal."""

from __future__ import annotations

from decimal import Decimal

import pytest

from reconciler.plan.plan import Options, Plan
from reconciler.problems import Origin
from reconciler.spec.resource import Limit
from tests.diff.toys import entry, listed, live, resource, token
from tests.plan.conftest import Planner

NAMES = "abcdefghijklmnopqrst"


def leaving(
    plan: Planner,
    deletes: int,
    replaces: int = 0,
    *,
    owned: int,
    limit: Limit | None = None,
    once: Limit | None = None,
    allow_empty_spec: bool = False,
    stays: bool = True,
) -> Plan:
    """A plan over `owned` known resources, of which some left the spec and some must be replaced."""
    names = NAMES[:owned]
    old = {"model": "m"}
    kept = [resource(name, {"model": "n"} if index < replaces else old) for index, name in enumerate(names[deletes:])]
    return plan(
        [*kept, *([resource("new")] if stays else [])],
        entries=[entry(name, f"L-{name}", old) for name in names],
        lists=[listed(*(live(f"L-{name}", old, name=name, marker=token(name)) for name in names))],
        limit=limit,
        options=Options(max_deletes=once, allow_empty_spec=allow_empty_spec),
    )


def percent(text: str, origin: Origin | None = None) -> Limit:
    return Limit(percent=Decimal(text), origin=origin)


@pytest.mark.parametrize(
    ("deletes", "replaces", "owned", "limit", "allowed"),
    [
        pytest.param(10, 0, 12, None, True, id="ten by default"),
        pytest.param(11, 0, 12, None, False, id="eleven are too many by default"),
        pytest.param(1, 0, 3, percent("20"), False, id="one of three is 33.3 %, not 20"),
        pytest.param(1, 0, 3, percent("33"), False, id="nor 33"),
        pytest.param(1, 0, 3, percent("33.4"), True, id="but within 33.4"),
        pytest.param(1, 0, 5, percent("20"), True, id="exactly a fifth"),
        pytest.param(1, 1, 5, Limit(count=1), False, id="a replace counts"),
        pytest.param(0, 1, 5, Limit(count=1), True, id="one replace alone"),
        pytest.param(1, 0, 5, Limit(count=0), False, id="none at all"),
        pytest.param(0, 0, 5, Limit(count=0), True, id="nothing leaves"),
    ],
)
def test_limit(plan: Planner, *, deletes: int, replaces: int, owned: int, limit: Limit | None, allowed: bool) -> None:
    made = leaving(plan, deletes, replaces, owned=owned, limit=limit)
    counted = made.summary["delete"] + made.summary["replace"]
    assert (counted, made.summary["blocked"]) == ((deletes + replaces, 0) if allowed else (0, deletes + replaces))
    assert made.summary["create"] == 1


def test_refusal_has_the_real_numbers_the_place_and_the_way_out(plan: Planner) -> None:
    made = leaving(plan, 1, 1, owned=3, limit=percent("20", Origin("reconciler.yaml", 9, 3)))
    (message,) = {change.message for change in made.changes if change.reason == "too-many-deletes"}
    for words in ("2 of 3", "66.7 %", "20%", "reconciler.yaml:9:3", "--max-deletes 2"):
        assert words in message


def test_one_run_may_have_its_own_limit(plan: Planner) -> None:
    assert leaving(plan, 3, owned=5, limit=Limit(count=1), once=Limit(count=3)).summary["delete"] == 3


def test_rename_adopt_and_retain_never_count(plan: Planner) -> None:
    rows = [entry("old", "L1"), entry("kept", "L2", on_remove="retain")]
    items = [live("L1", name="old", marker=token("old")), live("L2", name="kept"), live("L3", name="taken")]
    made = plan(
        [resource("new", renamed_from=("old",)), resource("taken", adopt="L3")],
        entries=rows,
        lists=[listed(*items)],
        limit=Limit(count=0),
    )
    assert (made.summary["blocked"], made.summary["adopt"], made.summary["none"]) == (0, 1, 2)


def test_empty_spec_never_means_delete_all(plan: Planner) -> None:
    made = leaving(plan, 3, owned=3, stays=False)
    assert {change.reason for change in made.changes} == {"empty-spec"}
    assert all("--allow-empty-spec" in change.message for change in made.changes)
    assert made.steps == ()


def test_wanted_emptying_still_counts_against_the_limit(plan: Planner) -> None:
    assert leaving(plan, 3, owned=3, stays=False, allow_empty_spec=True).summary["delete"] == 3
    made = leaving(plan, 3, owned=3, stays=False, allow_empty_spec=True, limit=Limit(count=2))
    assert {change.reason for change in made.changes} == {"too-many-deletes"}


def test_selection_is_counted_by_what_it_deletes(plan: Planner) -> None:
    rows = [entry(name, f"L-{name}") for name in "abc"]
    items = [live(f"L-{name}", name=name, marker=token(name)) for name in "abc"]
    only_a = Options(selected=lambda address, _labels: address.endswith("/a"))
    made = plan([resource("z")], entries=rows, lists=[listed(*items)], limit=Limit(count=1), options=only_a)
    assert made.summary["delete"] == 1


def test_blocked_delete_keeps_what_it_would_have_been(plan: Planner) -> None:
    made = leaving(plan, 1, 1, owned=4, limit=Limit(count=0))
    blocked = [change for change in made.changes if change.reason == "too-many-deletes"]
    assert sorted(str(change.intended) for change in blocked) == ["delete", "replace"]
    assert all(change.calls == () for change in blocked)
