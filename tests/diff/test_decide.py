"""From a pair to a change: what is to be done, why, and what a user will notice."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.diff.change import Action, Change
from reconciler.diff.decide import Facts, decide, decide_orphan
from reconciler.diff.identity import Pair
from reconciler.diff.live import Verdict
from reconciler.diff.orphans import Orphan
from reconciler.fields import Interruption, Phase, ReplaceOrder
from reconciler.problems import Origin
from reconciler.spec.resource import Resource
from reconciler.spec.values import KnownAfterApply, SecretRef
from tests.diff.toys import BOX, ENGINE, address_of, entry, listed, live, resource, token

SPEC = {"image": "a", "model": "m"}


def decided(desired: Resource, facts: Facts | None = None, **more: Any) -> Change:
    return decide(Pair(resource=desired, **more), desired.spec, facts or Facts())


def engine(changed: dict[str, Any], *, applied: dict[str, Any] | None = None, **more: Any) -> Change:
    """An engine that is live as SPEC and wanted with something changed."""
    live_more = more.pop("live_more", {})
    facts = more.pop("facts", None)
    pair_more = {key: more.pop(key) for key in ("adopting", "suspicious", "leftover") if key in more}
    row = None if more.pop("cold", False) else entry("chat", "L1", applied or SPEC)
    item = live("L1", SPEC, marker=token("chat"), name="chat", **live_more)
    return decided(resource("chat", {**SPEC, **changed}, **more), facts, live=item, entry=row, **pair_more)


# -- create -----------------------------------------------------------------------------------------------------------


def test_create_shows_every_field_with_its_origin_and_no_secret() -> None:
    desired = resource(
        "chat",
        {"image": "a", "token": SecretRef("T"), "note": KnownAfterApply("p/Box/up", "endpoint"), "pools": ["x"]},
        origins={("spec", "image"): Origin("values.yaml", 3, 9)},
    )
    change = decided(desired)
    assert (change.action, change.reason) == (Action.CREATE, "not-live")
    fields = {str(one.path): one for one in change.fields}
    assert (fields["image"].after, fields["image"].origin) == ("a", Origin("values.yaml", 3, 9))
    assert (fields["token"].after, fields["token"].sensitive) == (None, True)
    assert (fields["note"].after_known, fields["note"].after_text) == (False, '{{ ref("p/Box/up").endpoint }}')
    assert fields["pools"].after == ["x"]


def test_create_says_why_it_is_not_there() -> None:
    going = live("L1", phase=Phase.GOING)
    assert decided(resource("chat"), entry=entry("chat", "L1")).reason == "vanished"
    change = decided(resource("chat"), going=going)
    assert (change.reason, change.candidates) == ("on-its-way-out", ("L1",))


def test_what_is_made_anew_is_stopped_only_if_asked() -> None:
    for state, expected in (("", ""), ("running", ""), ("stopped", "stopped")):
        assert decided(resource("chat", run_state=state)).run_state == expected
        assert engine({"model": "n"}, run_state=state, live_more={"run_state": "stopped"}).run_state == expected


def test_verdict_of_identity_stands() -> None:
    change = decided(resource("chat"), verdict=Action.BLOCKED, reason="conflict", message="m", candidates=("L7",))
    assert (change.action, change.reason, change.message, change.candidates) == (
        Action.BLOCKED,
        "conflict",
        "m",
        ("L7",),
    )


# -- update, replace --------------------------------------------------------------------------------------------------


def test_nothing_to_do_is_none_and_mentions_a_failure() -> None:
    assert (engine({}).action, engine({}).reason) == (Action.NONE, "in-sync")
    failed = engine({}, live_more={"phase": Phase.FAILED, "status": "ERROR", "reason": "no disk"})
    assert failed.action is Action.NONE
    assert "ERROR: no disk" in failed.message


def test_update_has_the_worst_interruption_and_its_notices() -> None:
    change = engine({"size": "2", "image": "b"})
    assert (change.action, change.reason) == (Action.UPDATE, "fields-differ")
    assert change.interruption is Interruption.RESTART
    assert change.notices == ("Requests fail for a minute.",)


def test_replace_names_the_forcing_fields_and_what_is_lost() -> None:
    change = engine({"model": "n", "size": "2"})
    assert (change.action, change.reason, change.replace_order) == (
        Action.REPLACE,
        "field-forces-replace",
        ReplaceOrder.DELETE_FIRST,
    )
    assert change.message.startswith("model ")
    assert change.interruption is Interruption.DATA_LOSS
    assert change.notices == ("It is gone for some minutes.", "The address changes.", "Requests fail for a minute.")


@pytest.mark.parametrize(
    ("more", "reason", "words"),
    [
        pytest.param({"prevent_destroy": True}, "prevent-destroy", "preventDestroy", id="protected"),
        pytest.param({"replace": ReplaceOrder.CREATE_FIRST}, "replace-order", "delete-first", id="name is unique"),
        pytest.param({"adopting": True}, "adopt-differs", "write the live value", id="while adopting"),
        pytest.param({"suspicious": "half is missing"}, "suspicious-list", "half is missing", id="list not trusted"),
        pytest.param({"cold": True}, "not-in-ledger", "--trust-markers", id="a marker alone proves no delete"),
    ],
)
def test_replace_is_blocked_where_a_delete_would_be(more: dict[str, Any], reason: str, words: str) -> None:
    change = engine({"model": "n"}, **more)
    assert (change.action, change.reason, change.intended) == (Action.BLOCKED, reason, Action.REPLACE)
    assert words in change.message


def test_replace_without_a_ledger_entry_goes_with_trust_markers() -> None:
    assert engine({"model": "n"}, cold=True, facts=Facts(trust_markers=True)).action is Action.REPLACE


def test_update_needs_no_ledger_entry() -> None:
    assert engine({"image": "b"}, cold=True).action is Action.UPDATE


def test_kind_that_can_do_both_orders_takes_the_wish() -> None:
    for wish, expected in ((None, ReplaceOrder.CREATE_FIRST), (ReplaceOrder.DELETE_FIRST, ReplaceOrder.DELETE_FIRST)):
        desired = resource("box", {"image": "b"}, kind=BOX, replace=wish)
        row = entry("box", "B1", {"image": "a"}, kind=BOX)
        assert decided(desired, live=live("B1", {"image": "a"}, kind=BOX), entry=row).replace_order is expected


def test_field_that_can_not_be_unset_blocks_unless_it_is_replaced_anyway() -> None:
    desired = resource("chat", {"scaling": {"delay": 1}, "model": "m"})
    applied = {"scaling": {"delay": 1, "metric": "cpu"}, "model": "m"}
    item = live("L1", applied, name="chat")
    change = decided(desired, live=item, entry=entry("chat", "L1", applied))
    assert (change.action, change.reason) == (Action.BLOCKED, "cannot-unset")
    assert "scaling.metric" in change.message
    other = resource("chat", {"scaling": {"delay": 1}, "model": "n"})
    replaced = decided(other, live=item, entry=entry("chat", "L1", applied))
    assert (replaced.action, replaced.message) == (Action.REPLACE, "model can't change in place")


# -- secrets, run state, adopt ----------------------------------------------------------------------------------------


def test_raised_secrets_revision_is_the_manual_lever() -> None:
    spec = {"token": SecretRef("T")}
    item, row = live("L1", name="chat"), entry("chat", "L1", spec, secrets_revision=2)
    for revision, expected in ((1, Action.NONE), (2, Action.NONE), (3, Action.REPLACE)):
        assert decided(resource("chat", spec, secrets_revision=revision), live=item, entry=row).action is expected


@pytest.mark.parametrize(
    ("wanted", "shown", "action", "interruption"),
    [
        ("stopped", "running", Action.UPDATE, Interruption.STOP_START),
        ("running", "stopped", Action.UPDATE, Interruption.NONE),
        ("running", "running", Action.NONE, Interruption.NONE),
        ("", "stopped", Action.NONE, Interruption.NONE),
        ("stopped", "", Action.NONE, Interruption.NONE),
    ],
)
def test_run_state_is_brought_about_only_when_asked_and_shown(
    wanted: str, shown: str, action: Action, interruption: Interruption
) -> None:
    change = engine({}, run_state=wanted, live_more={"run_state": shown})
    assert (change.action, change.interruption) == (action, interruption)
    assert change.run_state == (wanted if action is Action.UPDATE else "")


def test_adopt_shows_what_changes_with_it() -> None:
    change = engine({"image": "b"}, cold=True, adopting=True)
    assert (change.action, change.reason) == (Action.ADOPT, "adopt-requested")
    assert [str(one.path) for one in change.fields] == ["image"]


def test_other_live_name_is_said() -> None:
    desired = resource("chat", SPEC, live_name="chat-v2")
    change = decided(desired, live=live("L1", SPEC, name="chat"), entry=entry("chat", "L1", SPEC))
    assert change.action is Action.NONE
    assert "'chat-v2'" in change.message


# -- the older half ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phase", "suspicious", "action", "reason"),
    [
        (Phase.READY, "", Action.REPLACE, "unfinished-replace"),
        (Phase.PROGRESSING, "", Action.REPLACE, "unfinished-replace"),
        (Phase.FAILED, "", Action.BLOCKED, "successor-failed"),
        (Phase.READY, "half is missing", Action.BLOCKED, "suspicious-list"),
    ],
)
def test_older_half_goes_only_when_the_new_one_can_take_its_place(
    phase: Phase, suspicious: str, action: Action, reason: str
) -> None:
    old = live("L0", SPEC, name="chat")
    change = engine({"image": "b"}, leftover=old, suspicious=suspicious, live_more={"phase": phase})
    assert (change.action, change.reason, change.leftover) == (action, reason, old)
    assert change.fields == (), "what else differs is the next plan's affair"


# -- what left the spec -----------------------------------------------------------------------------------------------


def orphaned(facts: Facts | None = None, **more: Any) -> Change | None:
    verdict = more.pop("verdict", Verdict.COMPLETE)
    fields = {"listing": listed(verdict=verdict, message="why"), "live": live("L1", name="chat"), **more}
    return decide_orphan(Orphan(address=address_of("chat"), **fields), facts or Facts(), {ENGINE.label: ENGINE})


MARKED = live("L1", name="chat", marker=token("chat"))
ROW = entry("chat", "L1")


@pytest.mark.parametrize(
    ("more", "action", "reason"),
    [
        pytest.param({"entry": ROW}, Action.DELETE, "removed-from-spec", id="ours and there"),
        pytest.param({"entry": ROW, "live": None}, Action.NONE, "gone", id="gone already"),
        pytest.param(
            {"entry": ROW, "live": live("L1", phase=Phase.GOING)}, Action.NONE, "on-its-way-out", id="going already"
        ),
        pytest.param({"entry": entry("chat", "L1", on_remove="retain")}, Action.NONE, "retained", id="retain"),
        pytest.param(
            {"entry": entry("chat", "L1", prevent_destroy=True, revision="abc123")},
            Action.BLOCKED,
            "prevent-destroy",
            id="protection outlives the file",
        ),
        pytest.param({"live": MARKED}, Action.BLOCKED, "not-in-ledger", id="a marker alone"),
        pytest.param({"entry": ROW, "listing": None}, Action.BLOCKED, "provider-missing", id="no such instance now"),
        pytest.param({"entry": ROW, "verdict": Verdict.FAILED}, Action.UNKNOWN, "list-failed", id="list failed"),
        pytest.param(
            {"entry": ROW, "verdict": Verdict.SUSPICIOUS},
            Action.BLOCKED,
            "suspicious-list",
            id="there, list not trusted",
        ),
        pytest.param(
            {"entry": ROW, "live": None, "verdict": Verdict.SUSPICIOUS},
            Action.BLOCKED,
            "suspicious-list",
            id="missing, list not trusted",
        ),
        pytest.param(
            {"entry": ROW, "live": None, "verdict": Verdict.PARTIAL}, Action.UNKNOWN, "list-partial", id="list partial"
        ),
        pytest.param(
            {"entry": ROW, "trouble": ("marker-mismatch", "m")},
            Action.BLOCKED,
            "marker-mismatch",
            id="another's marker",
        ),
    ],
)
def test_delete_needs_proof(more: dict[str, Any], action: Action, reason: str) -> None:
    change = orphaned(**more)
    assert change is not None
    assert (change.action, change.reason) == (action, reason)
    assert change.intended == (Action.DELETE if action is Action.BLOCKED else None)


def test_young_create_that_left_the_spec_is_not_forgotten() -> None:
    change = orphaned(Facts(recent=True), entry=ROW, live=None)
    assert change is not None
    assert (change.action, change.reason) == (Action.UNKNOWN, "recently-created")


@pytest.mark.parametrize(("keep", "action"), [("n", Action.DELETE), ("p", Action.BLOCKED), ("r", Action.BLOCKED)])
def test_trust_markers_takes_a_marker_for_proof_but_not_against_its_keep_flag(keep: str, action: Action) -> None:
    change = orphaned(Facts(trust_markers=True), live=live("L1", marker=token("chat", keep=keep)))
    assert change is not None
    assert change.action is action


def test_protection_names_the_revision_and_deletes_say_what_is_lost() -> None:
    change = orphaned(entry=entry("chat", "L1", prevent_destroy=True, revision="abc123"))
    assert change is not None
    assert "abc123" in change.message
    assert change.notices == ("Its data goes.",)


def test_entry_of_an_unheard_kind_is_not_shown() -> None:
    assert decide_orphan(Orphan(address="p/Gone/x", listing=None, entry=entry("x", "L")), Facts(), {}) is None
