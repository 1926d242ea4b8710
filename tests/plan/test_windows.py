"""`safety.windows`: what interrupts waits for one; what is new, or changes without anybody noticing, does not."""

from __future__ import annotations

import datetime as dt

import pytest

from reconciler.diff.change import Action
from reconciler.plan.plan import Options, Plan
from reconciler.plan.windows import closes_s, held_by_windows, opens_s
from reconciler.problems import Origin
from reconciler.spec.resource import DAYS, Window
from tests.diff.toys import BOX, address_of, entry, listed, live, resource, token
from tests.plan.conftest import Planner

ORIGIN = Origin("reconciler.yaml", 12, 7)


def window(begin: str, end: str, *days: str, timezone: str = "UTC") -> Window:
    return Window(
        begin=dt.time.fromisoformat(begin),
        end=dt.time.fromisoformat(end),
        days=days or DAYS,
        timezone=timezone,
        origin=ORIGIN,
    )


def at(text: str) -> float:
    return dt.datetime.fromisoformat(text).timestamp()


NIGHT = window("22:00", "04:00")
NOON, MIDNIGHT = at("2026-11-28T12:00:00+00:00"), at("2026-11-28T00:00:00+00:00")


def planned(plan: Planner, now_s: float, *, ignored: bool = False) -> Plan:
    """A rolling change, a restart, a delete, a replace, a new one."""
    return plan(
        [
            resource("rolls", {"image": "a:2"}),
            resource("restarts", {"size": "2"}),
            resource("is-replaced", {"model": "n"}),
            resource("is-new"),
        ],
        entries=[
            entry("rolls", "L1", {"image": "a:1"}),
            entry("restarts", "L2", {"size": "1"}),
            entry("is-replaced", "L3", {"model": "m"}),
            entry("goes", "L4"),
        ],
        lists=[
            listed(
                live("L1", {"image": "a:1"}, name="rolls", marker=token("rolls")),
                live("L2", {"size": "1"}, name="restarts", marker=token("restarts")),
                live("L3", {"model": "m"}, name="is-replaced", marker=token("is-replaced")),
                live("L4", name="goes", marker=token("goes")),
            )
        ],
        windows=[NIGHT],
        options=Options(ignore_windows=ignored),
        now_s={"": now_s},
    )


def test_outside_of_a_window_only_what_nobody_notices_goes_on(plan: Planner) -> None:
    made = planned(plan, NOON)
    assert {change.address.rpartition("/")[2]: (change.action, change.intended) for change in made.changes} == {
        "goes": (Action.BLOCKED, Action.DELETE),
        "is-new": (Action.CREATE, None),
        "is-replaced": (Action.BLOCKED, Action.REPLACE),
        "restarts": (Action.BLOCKED, Action.UPDATE),
        "rolls": (Action.UPDATE, None),
    }
    blocked = made.with_action(Action.BLOCKED)
    assert {change.reason for change in blocked} == {"outside-window"}
    for word in ("reconciler.yaml:12:7", "Sat 2026-11-28 22:00 UTC", "--ignore-windows"):
        assert all(word in change.message for change in blocked)


@pytest.mark.parametrize(("now_s", "ignored"), [(MIDNIGHT, False), (NOON, True)])
def test_in_a_window_or_by_a_persons_word_all_goes(plan: Planner, now_s: float, *, ignored: bool) -> None:
    made = planned(plan, now_s, ignored=ignored)
    assert made.with_action(Action.BLOCKED) == ()
    assert [problem.code for problem in made.warnings] == ["outside-window"] * ignored


def test_what_was_reviewed_at_noon_may_be_applied_at_night(plan: Planner) -> None:
    assert planned(plan, NOON, ignored=True).digest == planned(plan, MIDNIGHT).digest
    warning = planned(plan, NOON, ignored=True).warnings[0]
    for name in ("goes", "restarts", "is-replaced"):
        assert address_of(name) in warning.wrong
    assert address_of("rolls") not in warning.wrong
    assert "Sat 2026-11-28 22:00 UTC" in warning.expected


@pytest.mark.parametrize(
    ("windows", "now", "closes", "opens"),
    [
        pytest.param([NIGHT], "2026-11-28T03:59:59+00:00", "2026-11-28T04:00:00+00:00", None, id="to its last second"),
        pytest.param([NIGHT], "2026-11-28T04:00:00+00:00", None, "2026-11-28T22:00:00+00:00", id="and no longer"),
        pytest.param(
            [window("22:00", "04:00", "fri")],
            "2026-11-28T01:00:00+00:00",
            "2026-11-28T04:00:00+00:00",
            None,
            id="Friday's night ends on Saturday",
        ),
        pytest.param(
            [window("22:00", "04:00", "sat")],
            "2026-11-28T01:00:00+00:00",
            None,
            "2026-11-28T22:00:00+00:00",
            id="Saturday's begins on Saturday",
        ),
        pytest.param(
            [window("22:00", "00:00"), window("00:00", "02:00")],
            "2026-11-28T23:00:00+00:00",
            "2026-11-29T02:00:00+00:00",
            None,
            id="two that touch are one",
        ),
        pytest.param(
            [window("00:00", "00:00", "mon")],
            "2026-11-28T12:00:00+00:00",
            None,
            "2026-11-30T00:00:00+00:00",
            id="a whole day",
        ),
        pytest.param(
            [window("02:00", "04:00", timezone="Europe/Berlin")],
            "2026-10-25T01:30:00+00:00",
            "2026-10-25T03:00:00+00:00",
            None,
            id="by the clock on the wall, in the night when it is turned back",
        ),
        pytest.param(
            [window("02:30", "03:15", "sun", timezone="Europe/Berlin")],
            "2026-03-29T01:00:00+00:00",
            None,
            "2026-04-05T00:30:00+00:00",
            id="not in the hour that the clock leaves out",
        ),
        pytest.param(
            [window("09:00", "17:00", timezone="America/New_York")],
            "2026-07-01T12:59:00+00:00",
            None,
            "2026-07-01T13:00:00+00:00",
            id="in summer",
        ),
    ],
)
def test_when_it_is_open(windows: list[Window], now: str, closes: str | None, opens: str | None) -> None:
    assert closes_s(windows, at(now)) == (at(closes) if closes else 0)
    if opens:
        assert opens_s(windows, at(now)) == at(opens)


def test_a_step_that_comes_too_late_is_held_but_no_replace_is_left_half_done(plan: Planner) -> None:
    made = {change.address: change for change in planned(plan, MIDNIGHT).changes}
    held = {
        (name, op): held_by_windows(made[address_of(name)], op, (NIGHT,), NOON)
        for name, op in (
            ("restarts", Action.UPDATE),
            ("goes", Action.DELETE),
            ("is-replaced", Action.DELETE),
            ("is-replaced", Action.CREATE),
            ("rolls", Action.UPDATE),
            ("is-new", Action.CREATE),
        )
    }
    assert {key for key, why in held.items() if why} == {
        ("restarts", Action.UPDATE),
        ("goes", Action.DELETE),
        ("is-replaced", Action.DELETE),
    }
    assert "has closed; the next one opens Sat 2026-11-28 22:00 UTC" in held["goes", Action.DELETE]
    assert not held_by_windows(made[address_of("goes")], Action.DELETE, (NIGHT,), MIDNIGHT)


def test_of_a_create_first_replace_the_create_is_held(plan: Planner) -> None:
    row = entry("b", "L1", {"image": "a:1"}, kind=BOX)
    box = live("L1", {"image": "a:1"}, kind=BOX, marker=token("b", kind=BOX))
    made = plan([resource("b", {"image": "a:2"}, kind=BOX)], entries=[row], lists=[listed(box, kind=BOX)])
    change = made.changes[0]
    assert [(step.op, bool(held_by_windows(change, step.op, (NIGHT,), NOON))) for step in made.steps] == [
        (Action.CREATE, True),
        (Action.DELETE, False),
    ]
