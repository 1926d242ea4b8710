"""`lifecycle.expires`: after it a plan deletes what it made, with the proofs of any delete; before, drift tells."""

from __future__ import annotations

import datetime as dt

import pytest

from reconciler.diff.change import Action
from reconciler.fields import Phase
from reconciler.plan.drift import DriftState, drift_of
from reconciler.plan.plan import Plan
from reconciler.spec.formats import expiry
from tests.diff.toys import NOW_S, address_of, entry, listed, live, resource, token
from tests.plan.conftest import Planner

OVER, LATER = "1970-01-12T00:00:00Z", "1970-03-01"
"""Before and after `NOW_S`, which is 1970-01-12 13:46:40 UTC."""


def outcome(made: Plan, name: str = "a") -> tuple[Action, str]:
    change = next(change for change in made.changes if change.address == address_of(name))
    return change.action, change.reason


def there(*names: str) -> dict[str, object]:
    return {
        "entries": [entry(name, f"L-{name}") for name in names],
        "lists": [listed(*(live(f"L-{name}", name=name, marker=token(name)) for name in names))],
    }


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2027-03-31", "2027-04-01T00:00:00+00:00"),
        ("2027-03-31T18:00:00+02:00", "2027-03-31T16:00:00+00:00"),
        ("2027-03-31T18:00:00Z", "2027-03-31T18:00:00+00:00"),
    ],
)
def test_a_date_leaves_its_whole_day_and_a_time_is_that_moment(written: str, moment: str) -> None:
    assert dt.datetime.fromtimestamp(expiry(written), dt.UTC).isoformat() == moment


@pytest.mark.parametrize("written", ["2027-02-30", "31.3.2027", "2027-03-31T18:00:00", "tomorrow", "2027-3-1", ""])
def test_anything_else_is_no_date(written: str) -> None:
    with pytest.raises(ValueError, match=r"is no date|day is out of range|must be in"):
        expiry(written)


def test_what_has_expired_is_deleted_and_says_so(plan: Planner) -> None:
    made = plan([resource("a", expires=OVER), resource("b", expires=LATER)], **there("a", "b"))
    assert (outcome(made), outcome(made, "b")) == ((Action.DELETE, "expired"), (Action.NONE, "in-sync"))
    assert f"it expired ({OVER}, a.yaml" in made.changes[0].message
    assert [step.op for step in made.steps] == [Action.DELETE]


def test_it_expires_at_its_moment_and_not_a_second_before(plan: Planner) -> None:
    for now_s, action in ((expiry(LATER) - 1, Action.NONE), (expiry(LATER), Action.DELETE)):
        made = plan([resource("a", expires=LATER)], now_s={"": now_s}, **there("a"))
        assert outcome(made)[0] is action


def test_what_has_expired_before_it_was_made_is_not_made(plan: Planner) -> None:
    made = plan([resource("a", expires=OVER)])
    assert outcome(made) == (Action.NONE, "expired")
    drift = drift_of(made, {}, {}, checked_at=NOW_S)
    assert drift.resources == (), "nothing is pending about it"


def test_an_expired_thing_of_somebody_elses_is_left_alone(plan: Planner) -> None:
    stranger = live("L9", name="a", marker=token("a", owner="other/prod"))
    assert outcome(plan([resource("a", expires=OVER)], lists=[listed(stranger)])) == (Action.NONE, "expired")
    marked = live("L9", name="a", marker=token("a"))
    made = plan([resource("a", expires=OVER)], lists=[listed(marked)])
    assert outcome(made) == (Action.BLOCKED, "not-in-ledger"), "a marker alone is no proof for a delete"
    assert "it expired" in made.changes[0].message


def test_protection_and_the_limit_hold_as_for_any_delete(plan: Planner) -> None:
    held = {"entries": [entry("a", "L-a", prevent_destroy=True)], "lists": there("a")["lists"]}
    assert outcome(plan([resource("a", expires=OVER)], **held)) == (Action.BLOCKED, "prevent-destroy")
    names = "abcdefghijk"
    made = plan([resource(name, expires=OVER) for name in names], **there(*names))
    assert {change.reason for change in made.changes} == {"too-many-deletes"}


def test_what_is_to_be_retained_is_let_go_also_when_that_is_as_new_as_the_date(plan: Planner) -> None:
    made = plan([resource("a", expires=OVER, on_remove="retain")], **there("a"))
    assert outcome(made) == (Action.NONE, "retained")
    assert made.steps == ()
    made = plan([resource("b", expires=OVER, on_remove="retain", renamed_from=("a",))], **there("a"))
    assert outcome(made) == (Action.NONE, "retained"), "under whatever name"
    made = plan([resource("b", expires=OVER, renamed_from=("a",)), resource("a")], **there("a"))
    assert outcome(made) == (Action.NONE, "in-sync"), "and the name may be another one's now"


def test_what_something_living_needs_stays_and_blocks_with_all_that_it_needs(plan: Planner) -> None:
    base, middle = resource("a", expires=OVER), resource("b", expires=OVER, needs=[address_of("a")])
    made = plan([base, middle, resource("c", needs=[address_of("b")])], **there("a", "b", "c"))
    assert [outcome(made, name) for name in "abc"] == [
        (Action.BLOCKED, "expired-needed"),
        (Action.BLOCKED, "expired-needed"),
        (Action.NONE, "in-sync"),
    ]
    assert f"{address_of('c')} needs it" in made.changes[1].message
    assert made.steps == ()


def test_all_that_need_it_may_expire_with_it_and_go_first(plan: Planner) -> None:
    made = plan(
        [resource("a", expires=OVER), resource("b", expires=OVER, needs=[address_of("a")])],
        entries=[entry("a", "L-a"), entry("b", "L-b", edges=(address_of("a"),))],
        lists=there("a", "b")["lists"],
    )
    assert [(step.op, step.address) for step in made.steps] == [
        (Action.DELETE, address_of("b")),
        (Action.DELETE, address_of("a")),
    ]


def test_drift_warns_seven_days_before(plan: Planner) -> None:
    made = plan([resource("a", expires=LATER)], **there("a"))
    for days, states in ((8, []), (6, [(DriftState.EXPIRING,)])):
        drift = drift_of(made, {}, {}, checked_at=expiry(LATER) - days * 86400)
        assert [one.states for one in drift.resources] == states
        assert not drift.has_drift
    assert drift.resources[0].message == f"it expires {LATER}"
    assert drift_of(made, {}, {}, checked_at=expiry(LATER) - 1, failing=[DriftState.EXPIRING]).has_drift


def test_what_is_overdue_and_held_is_still_expiring(plan: Planner) -> None:
    made = plan([resource("a", expires=OVER), resource("b", needs=[address_of("a")])], **there("a", "b"))
    drift = drift_of(made, {}, {}, checked_at=NOW_S, failing=[DriftState.EXPIRING])
    assert [one.states for one in drift.resources] == [(DriftState.PENDING, DriftState.EXPIRING)]
    assert drift.has_drift


def test_what_expired_under_its_former_name_is_told_once(plan: Planner) -> None:
    made = plan([resource("z", expires=OVER, renamed_from=("a",))], **there("a"))
    assert [(change.address, change.action) for change in made.changes] == [(address_of("a"), Action.DELETE)]


def test_what_goes_already_is_not_deleted_again(plan: Planner) -> None:
    going = live("L-a", name="a", marker=token("a"), phase=Phase.GOING)
    made = plan([resource("a", expires=OVER)], entries=[entry("a", "L-a")], lists=[listed(going)])
    assert outcome(made) == (Action.NONE, "on-its-way-out")
