"""Whose the live things are, and which states a resource has; what it reads like is in `test_golden_drift.py`."""

from __future__ import annotations

from reconciler.diff.live import Listing
from reconciler.fields import Phase
from reconciler.plan.drift import Coverage, DriftState, drift_of
from tests.diff.toys import entry, listed, live, resource, token
from tests.plan.conftest import Planner


def listings(listing: Listing) -> dict[tuple[str, str], Listing]:
    return {(listing.provider, listing.kind.name): listing}


def test_each_live_thing_is_ours_or_another_owners_or_nobodys(plan: Planner) -> None:
    row = entry("a", "L1")
    items = (
        live("L1", name="a", marker=row.marker),
        live("L2", name="b", marker=token("b", owner="other/prod")),
        live("L3", name="by-hand"),
        live("L4", name="let-go"),
        live("L5", name="leaves", phase=Phase.GOING),
    )
    drift = drift_of(
        plan([resource("a")], entries=[row], lists=[listed(*items)]),
        listings(listed(*items)),
        {row.address: row},
        released=frozenset({"L4"}),
    )
    assert drift.coverage == Coverage(ours=1, other_owners=1, unmanaged=2)
    assert {one.live.id: one.note for one in drift.unmanaged} == {
        "L3": "",
        "L4": "let go on purpose (onRemove: retain)",
    }
    assert drift.coverage.percent == "50.0"
    assert (drift.has_drift, drift.is_incomplete, drift.in_sync) == (False, False, 1)


def test_almost_everything_is_never_rounded_up_to_all() -> None:
    assert Coverage(ours=4_999, other_owners=0, unmanaged=1).percent == "99.9"
    assert Coverage(ours=0, other_owners=0, unmanaged=0).percent is None


def test_what_left_the_spec_and_is_gone_is_no_drift(plan: Planner) -> None:
    row = entry("a", "L1")
    drift = drift_of(plan([], entries=[row]), listings(listed()), {row.address: row})
    assert [one.states for one in drift.resources] == [(DriftState.UNKNOWN,)], "its list is suspiciously empty"
    others = [entry(name, f"L-{name}") for name in "bcd"]
    there = listed(*(live(f"L-{name}", marker=one.marker) for name, one in zip("bcd", others, strict=True)))
    rows = [row, *others]
    drift = drift_of(
        plan([resource(name) for name in "bcd"], entries=rows, lists=[there]),
        listings(there),
        {one.address: one for one in rows},
    )
    assert {one.change.address: one.states for one in drift.resources} == {row.address: (DriftState.PENDING,)}
    assert not drift.has_drift
