"""The whole: references, selections, open intents, names, renames; and that a plan is the same however it is asked."""

from __future__ import annotations

import dataclasses
import random
from typing import Any

from reconciler.diff.change import Action
from reconciler.diff.live import Applied, Live, Verdict
from reconciler.plan.plan import Options, Plan
from reconciler.render import machine, markdown, text
from reconciler.spec.resource import Resource
from reconciler.spec.values import Composite, KnownAfterApply, SecretRef
from tests.diff.toys import BOX, ENGINE, NOW_S, address_of, entry, listed, live, resource, token
from tests.plan.conftest import Planner

ANY = Options()


def verdicts(plan: Plan) -> dict[str, tuple[str, str]]:
    return {change.address.rpartition("/")[2]: (str(change.action), change.reason) for change in plan.changes}


def there(name: str, spec: dict[str, Any] | None = None, **more: Any) -> Live:
    return live(f"L-{name}", spec, name=name, marker=token(name), **more)


def known(name: str, spec: dict[str, Any] | None = None, **more: Any) -> Applied:
    return entry(name, f"L-{name}", spec, **more)


def referring(name: str, to: str, **more: Any) -> Resource:
    spec = {"note": Composite(("http://", KnownAfterApply(address_of(to), "endpoint"), "/v1"))}
    return resource(name, spec, needs=[address_of(to)], **more)


# -- references -------------------------------------------------------------------------------------------------------


def test_reference_to_what_stays_is_its_live_value(plan: Planner) -> None:
    spec = {"note": "http://https://L-up/v1"}
    made = plan(
        [resource("up"), referring("down", "up")],
        entries=[known("up"), known("down", spec)],
        lists=[listed(there("up"), there("down", spec))],
    )
    assert verdicts(made) == {"up": ("none", "in-sync"), "down": ("none", "in-sync")}


def test_reference_to_what_is_replaced_or_made_is_known_after_apply(plan: Planner) -> None:
    down, old = {"note": "http://https://L-up/v1"}, {"model": "m"}
    for lists, entries in (
        ([listed(there("up", old), there("down", down))], [known("up", old), known("down", down)]),
        ([listed(there("down", down))], [known("down", down)]),
    ):
        made = plan([resource("up", {"model": "n"}), referring("down", "up")], entries=entries, lists=lists)
        (field,) = next(change for change in made.changes if change.address == address_of("down")).fields
        assert (field.after_known, field.after) == (False, None)
        assert field.after_text == 'http://{{ ref("p/Engine/up").endpoint }}/v1'


def test_unknown_upstream_makes_what_refers_to_it_unknown_to_the_end_of_the_chain(plan: Planner) -> None:
    box = resource("up", kind=BOX)
    spec = {"note": KnownAfterApply(box.address, "endpoint")}
    made = plan(
        [box, resource("down", spec, needs=[box.address]), referring("last", "down"), resource("free")],
        lists=[listed(kind=BOX, verdict=Verdict.FAILED, message="502")],
    )
    assert verdicts(made) == {
        "up": ("unknown", "list-failed"),
        "down": ("unknown", "upstream-unknown"),
        "last": ("unknown", "upstream-unknown"),
        "free": ("create", "not-live"),
    }
    assert made.partial
    assert [problem.code for problem in made.problems] == ["list-failed"]


# -- selection --------------------------------------------------------------------------------------------------------


def select(*names: str) -> Options:
    return dataclasses.replace(ANY, selected=lambda address, _labels: address.rpartition("/")[2] in names)


def test_selection_never_touches_what_is_outside(plan: Planner) -> None:
    made = plan(
        [resource("a", {"image": "b"})],
        entries=[known("a", {"image": "a"}), known("gone")],
        lists=[listed(there("a", {"image": "a"}), there("gone"))],
        options=select("a"),
    )
    assert [step.id for step in made.steps] == [f"{address_of('a')}#update"]


def test_selection_by_labels_sees_those_of_the_last_apply(plan: Planner) -> None:
    rows = [known("x", labels={"team": "a"}), known("y", labels={"team": "b"})]
    chosen = dataclasses.replace(ANY, selected=lambda _address, labels: labels.get("team") == "a")
    made = plan(
        [resource("stay", labels={"team": "b"})], entries=rows, lists=[listed(there("x"), there("y"))], options=chosen
    )
    assert verdicts(made) == {"x": ("delete", "removed-from-spec")}


def test_what_refers_to_something_new_outside_the_selection_is_blocked(plan: Planner) -> None:
    resources = [resource("up"), referring("down", "up")]
    made = plan(resources, options=select("down"))
    assert verdicts(made) == {"down": ("blocked", "upstream-not-selected")}
    there_already = plan(resources, entries=[known("up")], lists=[listed(there("up"))], options=select("down"))
    assert verdicts(there_already) == {"down": ("create", "not-live")}


# -- what was left open, what is too young ----------------------------------------------------------------------------


def test_open_intent_holds_its_resource_back_whether_desired_or_not(plan: Planner) -> None:
    made = plan(
        [resource("a")],
        entries=[known("gone")],
        lists=[listed(there("gone"))],
        open_intents={address_of("a"): "a create is open", address_of("gone"): "a delete is open"},
    )
    assert verdicts(made) == {"a": ("unknown", "unsettled"), "gone": ("unknown", "unsettled")}


def test_young_create_is_neither_made_again_nor_suspicious_nor_forgotten(plan: Planner) -> None:
    rows = [known("a", created_at=NOW_S - 9, ready=False), known("gone", created_at=NOW_S - 9, ready=False)]
    made = plan([resource("a")], entries=rows)
    assert verdicts(made) == {"a": ("unknown", "recently-created"), "gone": ("unknown", "recently-created")}
    assert made.problems == ()


def test_age_is_measured_on_the_providers_own_clock(plan: Planner) -> None:
    rows = [known("gone", created_at=500.0, ready=False)]
    made = plan([resource("b")], entries=rows, now_s={"": NOW_S, "p": 510.0})
    assert verdicts(made)["gone"] == ("unknown", "recently-created")


# -- names, renames ---------------------------------------------------------------------------------------------------


def test_new_address_takes_the_live_name_after_the_old_one_went(plan: Planner) -> None:
    made = plan([resource("b", live_name="a")], entries=[known("a")], lists=[listed(there("a"))])
    assert [step.id for step in made.steps] == [f"{address_of('a')}#delete", f"{address_of('b')}#create"]
    assert made.steps[1].after == (made.steps[0].id,)


def test_name_that_stays_taken_blocks_the_create(plan: Planner) -> None:
    made = plan([resource("b", live_name="a")], entries=[known("a", prevent_destroy=True)], lists=[listed(there("a"))])
    assert verdicts(made) == {"a": ("blocked", "prevent-destroy"), "b": ("blocked", "name-taken")}
    unselected = plan(
        [resource("b", live_name="a")], entries=[known("a")], lists=[listed(there("a"))], options=select("b")
    )
    assert verdicts(unselected) == {"b": ("blocked", "name-taken")}


def test_rename_swap_and_chain_change_nothing_live_and_stay_so(plan: Planner) -> None:
    lists = [listed(*(there(name, {"image": name}) for name in "abc"))]
    rows = [known(name, {"image": name}) for name in "abc"]
    swap = [
        resource("a", {"image": "b"}, renamed_from=("b",)),
        resource("b", {"image": "a"}, renamed_from=("a",)),
        resource("d", {"image": "c"}, renamed_from=("c",)),
    ]
    made = plan(swap, entries=rows, lists=lists)
    assert verdicts(made) == dict.fromkeys("abd", ("none", "in-sync"))
    after = [dataclasses.replace(row, address=address_of(new)) for row, new in zip(rows, ("b", "a", "d"), strict=True)]
    assert verdicts(plan(swap, entries=after, lists=lists)) == dict.fromkeys("abd", ("none", "in-sync"))


def test_two_documents_never_mean_one_machine(plan: Planner) -> None:
    adopting = plan([resource("a", adopt="L9"), resource("b", adopt="L9")], lists=[listed(live("L9", name="x"))])
    assert verdicts(adopting) == dict.fromkeys("ab", ("blocked", "claimed-twice"))
    by_marker = plan([resource("a"), resource("b", renamed_from=("a",))], lists=[listed(there("a"))])
    assert verdicts(by_marker) == dict.fromkeys("ab", ("blocked", "claimed-twice"))
    assert by_marker.steps == ()


def test_removed_and_adopted_elsewhere_in_one_go_is_not_deleted(plan: Planner) -> None:
    made = plan([resource("b", adopt="L-a")], entries=[known("a")], lists=[listed(live("L-a", name="a"))])
    assert verdicts(made)["b"] == ("blocked", "owned-by-other")


def test_item_of_ours_with_a_slash_in_its_id_is_shown_and_priced(plan: Planner) -> None:
    lost = live("shard/1", kind=BOX, marker=token("lost", kind=BOX))
    made = plan([resource("a")], lists=[listed(lost, kind=BOX)])
    assert ("blocked", "not-in-ledger") in verdicts(made).values()
    trusting = plan(
        [resource("a")], lists=[listed(lost, kind=BOX)], options=dataclasses.replace(ANY, trust_markers=True)
    )
    assert [step.op for step in trusting.steps] == [Action.CREATE, Action.DELETE]


# -- notes, order, digest ---------------------------------------------------------------------------------------------


def test_secret_that_can_not_be_told_is_said_once_and_is_no_change(plan: Planner) -> None:
    spec = {"token": SecretRef("T")}
    made = plan(
        [resource(name, spec) for name in "ab"],
        entries=[known(name, spec) for name in "ab"],
        lists=[listed(*map(there, "ab"))],
    )
    assert made.summary["none"] == 2
    (note,) = made.notes
    assert note.count("T") == 1 + note.count("RECONCILER_FINGERPRINT_KEY")


def test_plan_is_the_same_in_a_hundred_shuffled_runs(plan: Planner) -> None:
    env = [{"name": name, "value": name} for name in "pqrs"]
    rows = [known(name, {"model": "m", "env": env}) for name in "abcdefgh"]
    rows = [dataclasses.replace(row, edges=(address_of("a"),) if index else ()) for index, row in enumerate(rows)]
    desired = [
        resource(
            name,
            {"model": "n" if name in "bc" else "m", "env": env, "groups": ["x", "y"]},
            needs=[address_of("a")] if name != "a" else [],
        )
        for name in "abcdij"
    ]
    seen = set()
    shuffle = random.Random(3).sample  # noqa: S311 - a shuffle
    for _ in range(100):
        items = [
            there(name, {"model": "m", "env": shuffle(env, 4), "groups": shuffle(["y", "z", "w"], 3)})
            for name in "abcdefgh"
        ]
        made = plan(shuffle(desired, 6), entries=shuffle(rows, 8), lists=[listed(*shuffle(items, 8))])
        told = machine.plan_json(made)
        seen.add((made.digest, machine.dump(told), text.plan_text(told), markdown.plan_markdown(told, "Plan")))
    assert len(seen) == 1


def test_every_resource_has_one_change_sorted_by_address(plan: Planner) -> None:
    made = plan([resource("b"), resource("a", kind=BOX)], entries=[known("z")], lists=[listed(there("z"))])
    addresses = [change.address for change in made.changes]
    assert addresses == sorted(set(addresses))
    assert made.summary == {**dict.fromkeys(map(str, Action), 0), "create": 2, "delete": 1}
    assert {change.kind for change in made.changes} == {ENGINE, BOX}


def test_a_list_that_is_known_to_be_partial_is_said_and_only_what_it_lacks_is_unknown(plan: Planner) -> None:
    rows = [entry("a", "L1"), entry("b", "L2")]
    lists = [listed(live("L1", marker=rows[0].marker), verdict=Verdict.PARTIAL, message="only one's own")]
    whole = plan([resource("a")], entries=rows[:1], lists=lists)
    assert (whole.partial, whole.problems, whole.summary["none"]) == (False, (), 1)
    assert "p/Engine: only one's own" in whole.notes
    made = plan([resource("a"), resource("b")], entries=rows, lists=lists)
    assert (made.partial, made.summary["unknown"]) == (True, 1)
