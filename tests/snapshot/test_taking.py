"""What a snapshot holds of a list and a ledger, tried on toys: places of secrets, others' things, and the way back."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reconciler.cli.offline import read_snapshot_file, sealed
from reconciler.diff.live import Applied, Listing, Live, Verdict
from reconciler.fields import Phase
from reconciler.ledger.journal import from_data
from reconciler.plan.plan import Plan
from reconciler.plan.snapshot import Snapshot, Taken, read_snapshot
from reconciler.plan.taking import take_snapshot
from reconciler.problems import Origin, SpecError
from reconciler.render.seal import Rows, dump_rows, is_sealed
from reconciler.secrets.redact import Redactor
from reconciler.spec.resource import Project, Resource, Spec
from reconciler.spec.values import Composite, SecretRef
from tests.diff.toys import BOX, ENGINE, NOW_S, entry, listed, live, resource, token
from tests.plan.conftest import Planner
from tests.properties.strategies import ENGINES, changed, law, respelled

KINDS: Final = {kind.label: kind for kind in (ENGINE, BOX)}
SCHEMA: Final = json.loads((Path(__file__).parents[2] / "schemas/reconciler-snapshot-1.json").read_bytes())
CANARY: Final = "s3cr3t-canary-value"
SECRET: Final = SecretRef("TOKEN")
TAKEN: Final = Taken(taken_at=NOW_S, age_s=0)


def taken(
    resources: Sequence[Resource], entries: Sequence[Applied], *lists: Listing, known: Sequence[str] = ()
) -> Snapshot:
    """A snapshot, written to JSON and read again."""
    redactor = Redactor()
    for value in known:
        redactor.add(value, "TOKEN")
    snapshot = take_snapshot(
        spec=spec_of(resources),
        entries={row.address: row for row in entries},
        listings=lists,
        redact=redactor.redact,
        taken_at=NOW_S,
        accounts={},
    )
    text = json.dumps(sealed(snapshot))
    Draft202012Validator(SCHEMA).validate(json.loads(text))
    assert not [value for value in (CANARY, *known) if value in text]
    back = read_snapshot(json.loads(text), KINDS, partial(from_data, Applied), row=lambda row: (row, False), desired={})
    assert back == snapshot
    lines = dump_rows(json.loads(text)).encode()
    assert is_sealed(lines)
    assert not is_sealed(lines.replace(b'"owner"', b'"Owner"'))
    assert json.loads(lines) == json.loads(text)
    rows = Rows(lines)
    desired = {each.address: (each.spec, each.labels) for each in resources}
    assert read_snapshot(rows.data, KINDS, partial(from_data, Applied), row=rows, desired=desired) == snapshot
    assert rows.is_complete
    return back


def spec_of(resources: Sequence[Resource]) -> Spec:
    project = Project(
        name="shop",
        environment="prod",
        environments=("dev", "prod"),
        providers={},
        secrets=frozenset(),
        values={},
        origin=Origin("reconciler.yaml"),
    )
    return Spec(project=project, resources=tuple(resources))


def only(snapshot: Snapshot) -> Live:
    """The one item of ours."""
    (item,) = (item for one in snapshot.listings.values() for item in one.items if item.id)
    return item


def shown(spec: Mapping[str, Any], *written: Mapping[str, Any], known: Sequence[str] = ()) -> tuple[Any, list[str]]:
    """Of an engine that is live like `spec`: what of it is told, and what is named as hidden."""
    desired, applied = (*written, *written)[:2]
    row = entry("a", "L1", applied)
    item = only(taken([resource("a", desired)], [row], listed(live("L1", spec, marker=row.marker)), known=known))
    return item.spec, sorted(item.hidden)


@pytest.mark.parametrize(
    ("spec", "written", "told", "hidden"),
    [
        pytest.param({"note": CANARY}, [{"note": SECRET}], {}, ["note"], id="a field that is desired from a secret"),
        pytest.param(
            {"note": CANARY}, [{"note": "x"}, {"note": SECRET}], {}, ["note"], id="... that was last applied from one"
        ),
        pytest.param(
            {"note": f"Bearer {CANARY}"}, [{"note": Composite(("Bearer ", SECRET))}], {}, ["note"], id="... in a text"
        ),
        pytest.param({"token": CANARY, "note": "n"}, [{}], {"note": "n"}, ["token"], id="what the table calls secret"),
        pytest.param(
            {"env": [{"name": "A", "value": "1"}, {"name": "HAND", "value": CANARY}, {"name": "T", "value": CANARY}]},
            [
                {"env": [{"name": "T", "value": SECRET}, {"name": "A", "value": "2"}]},
                {"env": [{"name": "A", "value": "1"}]},
            ],
            {"env": [{"name": "A", "value": "1"}]},
            ["env[HAND]", "env[T]"],
            id="of a keyed list the entries that nobody wrote as a literal",
        ),
        pytest.param(
            {"env": [{"name": "A", "value": "1", "secret": CANARY, "exclude": False}]},
            [{"env": [{"name": "A", "value": "1"}]}],
            {"env": [{"name": "A", "value": "1", "exclude": False}]},
            ["env[A].secret"],
            id="of such an entry the members that nobody wrote, but no flag",
        ),
        pytest.param(
            {"env": [{"name": "A", "value": CANARY}]},
            [{"env": [{"name": "A", "value": "info"}]}],
            {"env": [{"name": "A"}]},
            ["env[A].value"],
            id="a value that somebody put over a literal by hand",
        ),
        pytest.param(
            {"env": [{"value": CANARY}, {"value": "1"}]},
            [{"env": [{"value": SECRET}, {"value": "1"}]}],
            {},
            ["env", "env[0]"],
            id="a keyed list as a whole, where places would shift",
        ),
        pytest.param(
            {"env": [{"name": "A]B", "value": CANARY}]}, [{}], {"env": []}, ["env"], id="a path that can't be written"
        ),
        pytest.param({"args": ["-t", CANARY]}, [{"args": ["-t"]}], {}, ["args"], id="a list with an unwritten element"),
        pytest.param({"args": ["-t"]}, [{"args": ["-t", "-u"]}], {"args": ["-t"]}, [], id="not one that lacks one"),
    ],
)
def test_by_place_no_value_that_may_be_a_secret_is_told(spec: Any, written: Any, told: Any, hidden: Any) -> None:
    assert shown(spec, *written) == (told, hidden)


def test_by_value_a_known_secret_is_told_nowhere_and_nothing_is_claimed_of_such_a_field(plan: Planner) -> None:
    """Also where somebody wrote it into the spec as a literal: then neither side of the comparison can speak."""
    desired = {"note": f"it is {CANARY}", "labels": {"a": "1"}, "probe": {"path": "/x"}}
    shows = {"note": f"it is {CANARY}", "labels": {"a": "1", CANARY: "1"}, "probe": {"path": CANARY}}
    row = entry("a", "L1", desired)
    item = live("L1", shows, marker=row.marker, reason="fine", created_by=CANARY)
    snapshot = taken([resource("a", desired)], [row], listed(item), known=[CANARY])

    assert only(snapshot).spec == {"probe": {}}
    assert only(snapshot).hidden == {"note", "labels", "probe.path"}
    assert snapshot.masked == {row.address: ("note",)}
    assert actions(offline(plan, [resource("a", desired)], snapshot)) == {row.address: "none"}
    fork = {**desired, "note": "other"}
    assert actions(offline(plan, [resource("a", fork)], snapshot)) == {row.address: "none"}, "nobody can tell"


def test_no_fingerprint_leaves() -> None:
    row = entry("a", "L1", {"note": SECRET}, fingerprints={"TOKEN": "k:0123"})
    snapshot = take_snapshot(
        spec=spec_of([]), entries={row.address: row}, listings=[], redact=str, taken_at=NOW_S, accounts={}
    )
    text = json.dumps(sealed(snapshot))
    assert "0123" not in text
    assert "fingerprints" not in text
    assert snapshot.entries[row.address] == dataclasses.replace(row, fingerprints={})


def test_of_others_only_the_name_is_told_and_what_leaves_is_not() -> None:
    ours = live("L1", {"note": "n"}, marker=token("a"), name="a")
    others = (
        live("L2", {"note": CANARY}, name="theirs", marker=token("b", owner="shop/dev"), reason=CANARY),
        live("L3", {"note": CANARY}, name="nobodys", outputs={"endpoint": CANARY}),
        live("L4", name="leaving", phase=Phase.GOING),
    )
    snapshot = taken([], [], listed(ours, *others))
    (listing,) = snapshot.listings.values()
    assert [(item.id, item.name) for item in listing.items] == [("L1", "a"), ("", "nobodys"), ("", "theirs")]
    assert listing.items[1] == Live(kind=ENGINE, provider="p", id="", name="nobodys")


# -- in a plan --------------------------------------------------------------------------------------------------------


def offline(plan: Planner, resources: Sequence[Resource], snapshot: Snapshot, **more: Any) -> Plan:
    """The plan of these resources from a snapshot."""
    return plan(
        resources,
        entries=[*snapshot.known(spec_of(resources)).values()],
        lists=[*snapshot.listings.values()],
        **{"snapshot": TAKEN, "calls": lambda _change: (), "now_s": {"": snapshot.taken_at}, **more},
    )


def actions(plan: Plan) -> dict[str, str]:
    return {change.address: str(change.action) for change in plan.changes}


def told(plan: Plan) -> dict[str, tuple[str, str, list[str]]]:
    """What a plan says of each resource: action, reason and fields."""
    return {
        change.address: (
            str(change.action),
            change.reason,
            [f"{f.path} {f.before} {f.after} {f.field_class} {f.forces_replace}" for f in change.fields],
        )
        for change in plan.changes
    }


@settings(law, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spec=ENGINES, data=st.data())
def test_a_plan_from_a_snapshot_says_what_a_live_one_says(
    plan: Planner, spec: dict[str, Any], data: st.DataObject
) -> None:
    """Random edits of the live side since the last apply, of the spec in a pull request, and of both."""
    draw = data.draw
    secret = [{"name": "T", "value": SECRET}] if draw(st.booleans()) else []
    applied = {**spec, "env": [*spec.get("env", ()), *secret]}
    drifted = dict(changed(draw, spec)[1] if draw(st.booleans()) else spec)
    for name in ("env", "args"):  # what was put there by hand may be a secret: it is left out, and no drift
        drifted = {key: value for key, value in drifted.items() if key != name}
        drifted |= {name: spec[name]} if name in spec else {}
    shows = respelled(draw, drifted)
    shows["env"] = [*shows.get("env", ()), *({**one, "value": CANARY} for one in secret)]
    pull = changed(draw, spec)[1] if draw(st.booleans()) else spec
    pull = {**pull, "env": [*pull.get("env", ()), *secret]}
    pull.pop(draw(st.sampled_from([*pull, ""])), None)
    exists, known = draw(st.booleans()), draw(st.booleans())
    row = entry("a", "L1", applied)
    items = [live("L1", shows, marker=row.marker, name="a")] if exists else []
    rows = [row] if known else []
    lists = listed(*items, live("L9", name="z"), live("L8", {"note": CANARY}, name=draw(st.sampled_from("abz"))))
    snapshot = taken([resource("a", applied)], rows, lists)

    for wanted in ([resource("a", pull)], [resource("a", pull), resource("b", spec)], [resource("b", spec)], []):
        now = plan(wanted, entries=rows, lists=[lists])
        then = offline(plan, wanted, snapshot)
        assert told(then) == told(now)
        assert set(then.digests.values()).isdisjoint(now.digests.values())
        assert then.digest != now.digest
        assert not any(step.calls for step in then.steps)


def test_an_id_that_is_not_in_it_is_unknown_and_a_taken_name_a_conflict(plan: Planner) -> None:
    snapshot = taken([], [], listed(live("L7", name="a")))
    (change,) = offline(plan, [resource("x", adopt="L7")], snapshot).changes
    assert (change.action, change.reason) == ("unknown", "not-in-snapshot")
    assert "L7" in change.message
    (change,) = offline(plan, [resource("a")], snapshot).changes
    assert (change.action, change.reason, change.candidates) == ("blocked", "conflict", ())
    assert "adopt" not in change.message


def test_a_provider_that_it_does_not_know_leaves_its_resources_unknown(plan: Planner) -> None:
    snapshot = taken([], [], listed())
    made = offline(plan, [resource("a", provider="q"), resource("b")], snapshot)
    assert {change.address: (change.action, change.reason) for change in made.changes} == {
        "q/Engine/a": ("unknown", "not-in-snapshot"),
        "p/Engine/b": ("create", "not-live"),
    }
    assert "q" in made.changes[1].message


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (Verdict.FAILED, ("unknown", "list-failed")),
        (Verdict.PARTIAL, ("unknown", "list-partial")),
        (Verdict.SUSPICIOUS, ("blocked", "suspicious-list")),
    ],
)
def test_a_list_that_could_not_be_trusted_is_not_trusted_later(plan: Planner, verdict: Verdict, expected: Any) -> None:
    row = entry("a", "L1")
    made = offline(plan, [resource("a")], taken([], [row], listed(verdict=verdict, message="it says no")))
    (change,) = made.changes
    assert (change.action, change.reason) == expected
    assert "it says no" in change.message
    assert made.partial


def test_a_create_right_before_it_was_taken_is_not_listed_yet_however_late_the_plan_is_made(plan: Planner) -> None:
    row = entry("a", "L1", created_at=NOW_S - 10, ready=False)
    (change,) = offline(plan, [resource("a")], taken([], [row], listed())).changes
    assert (change.action, change.reason) == ("unknown", "recently-created")


def test_labels_and_maps_whose_keys_look_encoded_come_back() -> None:
    labels = {"$team": "b", "x": "y"}
    row = dataclasses.replace(entry("a", "L1", {"labels": {"$secret": "TOKEN"}, "note": "n"}), labels=labels)
    wanted = dataclasses.replace(resource("a", {"labels": {"$secret": "TOKEN"}, "note": "n"}), labels=labels)
    back = taken([wanted], [row], listed(live("L1", {"labels": {"$secret": "TOKEN"}}, marker=token("a"))))
    assert back.entries[row.address].labels == labels


def test_a_line_that_is_broken_elsewhere_makes_no_row_of_what_is_none() -> None:
    """Line breaks are no part of the checksum, and a number must never be read where a map stood."""
    row = entry("a", "L1", {"labels": {"A": "b"}, "note": "n"})
    snapshot = take_snapshot(
        spec=spec_of([]), entries={row.address: row}, listings=[], redact=str, taken_at=NOW_S, accounts={}
    )
    text = dump_rows(sealed(snapshot))
    assert read_snapshot_file("a.json", text).entries == snapshot.entries
    whole, flat = text.replace('{"A":"b"}', '\n{"A":"b"}\n'), text.replace("\n", "") + "\n"
    assert whole != text
    with pytest.raises(SpecError, match="snapshot-altered"):
        read_snapshot_file("a.json", whole)
    assert read_snapshot_file("a.json", flat).entries == snapshot.entries, "and one without breaks is read as ever"
