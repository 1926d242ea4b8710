"""Whose is it? One test a case of the list at the top of `diff/identity.py`, and what tries to fool it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from reconciler.diff.change import Action
from reconciler.diff.claims import claim
from reconciler.diff.identity import RECENT_S, Pair, World, judge, pair
from reconciler.diff.live import Applied, Listing, Live, Marker, Verdict, create_digest, owner_hash
from reconciler.diff.orphans import orphans
from reconciler.fields import Phase
from reconciler.spec.resource import Resource
from tests.diff.toys import BOX, NOW_S, address_of, entry, listed, live, resource, token, world

CHAT = address_of("chat")


def found(desired: Resource, *items: Live, entries: tuple[Applied, ...] = (), **more: Any) -> Pair:
    kind = desired.kind
    verdict = more.pop("verdict", Verdict.COMPLETE)
    return pair(desired, world(listed(*items, kind=kind, verdict=verdict, message="why"), entries=entries, **more))


def outcome(one: Pair) -> tuple[str, str]:
    return (str(one.verdict or ""), one.reason)


# -- 1 to 6: the ledger -----------------------------------------------------------------------------------------------


def test_failed_or_missing_list_leaves_everything_unknown() -> None:
    for lists in ((), (listed(verdict=Verdict.FAILED, message="502"),)):
        assert outcome(pair(resource("chat"), world(*lists))) == ("unknown", "list-failed")


def test_ledger_id_wins_over_name_and_shape() -> None:
    mine = live("L1", name="renamed-by-hand", marker=token("chat"))
    assert found(resource("chat"), live("L2", name="chat"), mine, entries=(entry("chat", "L1"),)).live is mine


@pytest.mark.parametrize("marker", [token("chat", owner="other"), token("llm"), "rc1.garbled"])
@pytest.mark.parametrize("written", [token("chat"), ""], ids=["marked", "taken over on paper"])
def test_other_marker_on_our_id_blocks(marker: str, written: str) -> None:
    one = found(resource("chat"), live("L1", marker=marker), entries=(entry("chat", "L1", marker=written),))
    assert outcome(one) == ("blocked", "marker-mismatch")


def test_marker_of_another_create_blocks_unless_none_was_noted() -> None:
    item = live("L1", marker=token("chat", op="bbbbbb"))
    assert outcome(found(resource("chat"), item, entries=(entry("chat", "L1"),))) == ("blocked", "marker-mismatch")
    assert found(resource("chat"), item, entries=(entry("chat", "L1", marker=""),)).live is item


def test_missing_marker_on_a_known_id_proves_nothing_against_it() -> None:
    assert found(resource("chat"), live("L1"), entries=(entry("chat", "L1"),)).verdict is None


def test_what_nobody_may_touch_is_blocked_although_the_ledger_has_it() -> None:
    one = found(resource("chat"), live("L1", untouchable="subscribed"), entries=(entry("chat", "L1"),))
    assert outcome(one) == ("blocked", "untouchable")


def test_marked_item_is_taken_where_the_ledger_was_behind() -> None:
    newer = live("L2", marker=token("chat", op="bbbbbb"))
    for items in ((newer,), (live("L1", phase=Phase.GOING, marker=token("chat")), newer)):
        one = found(resource("chat"), *items, entries=(entry("chat", "L1"),))
        assert (one.live, one.entry is not None) == (newer, True)


def test_item_on_its_way_out_is_not_live_but_remembered() -> None:
    going = live("L1", name="chat", phase=Phase.GOING)
    for entries in ((entry("chat", "L1"),), ()):
        one = found(resource("chat"), going, entries=entries)
        assert (one.live, one.verdict, one.going) == (None, None, going)


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (Verdict.PARTIAL, ("unknown", "list-partial")),
        (Verdict.SUSPICIOUS, ("blocked", "suspicious-list")),
        (Verdict.COMPLETE, ("", "")),
    ],
)
def test_absence_in_a_list_proves_as_much_as_the_list(verdict: Verdict, expected: tuple[str, str]) -> None:
    assert outcome(found(resource("chat"), entries=(entry("chat", "L1"),), verdict=verdict)) == expected


@pytest.mark.parametrize("age_s", [0.0, 60.0, RECENT_S - 1, -4.0], ids=["now", "a minute", "nearly", "clocks differ"])
def test_young_create_is_not_listed_yet(age_s: float) -> None:
    young = entry("chat", "L1", created_at=NOW_S - age_s, ready=False)
    for verdict in (Verdict.COMPLETE, Verdict.SUSPICIOUS):
        one = found(resource("chat"), entries=(young,), verdict=verdict)
        assert outcome(one) == ("unknown", "recently-created")


def test_create_of_six_minutes_ago_has_vanished() -> None:
    old = entry("chat", "L1", created_at=NOW_S - RECENT_S - 60, ready=False)
    one = found(resource("chat"), entries=(old,))
    assert (one.verdict, one.live, one.entry) == (None, None, old)


def test_present_item_in_a_suspicious_list_is_found_with_a_warning() -> None:
    one = found(resource("chat"), live("L1"), entries=(entry("chat", "L1"),), verdict=Verdict.SUSPICIOUS)
    assert (one.verdict, one.suspicious) == (None, "why")


# -- 7: adopt ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        pytest.param(live("L9"), ("", ""), id="nobody's"),
        pytest.param(live("L9", marker_readable=False), ("", ""), id="markers can't be read"),
        pytest.param(live("L8"), ("blocked", "adopt-not-found"), id="not in the list"),
        pytest.param(live("L9", phase=Phase.GOING), ("blocked", "adopt-not-found"), id="on its way out"),
        pytest.param(live("L9", marker=token("chat", owner="x")), ("blocked", "owned-by-other"), id="another owner's"),
        pytest.param(live("L9", marker=token("llm")), ("blocked", "owned-by-other"), id="another resource's of ours"),
        pytest.param(live("L9", marker="rc1.cut"), ("blocked", "owned-by-other"), id="a marker that can't be parsed"),
        pytest.param(live("L9", untouchable="shared"), ("blocked", "owned-by-other"), id="untouchable"),
    ],
)
def test_adopt_takes_only_what_nobody_owns(item: Live, expected: tuple[str, str]) -> None:
    one = found(resource("chat", adopt="L9"), item)
    assert outcome(one) == expected
    assert one.adopting is (expected == ("", ""))


def test_adopt_never_takes_what_the_ledger_has_under_another_address() -> None:
    one = found(resource("chat", adopt="L9"), live("L9", marker_readable=False), entries=(entry("llm", "L9"),))
    assert outcome(one) == ("blocked", "owned-by-other")
    assert address_of("llm") in one.message


def test_adopt_means_nothing_once_there_is_an_entry_or_a_marker() -> None:
    mine = live("L1", marker=token("chat"))
    for entries in ((entry("chat", "L1"),), ()):
        one = found(resource("chat", adopt="L9"), live("L9"), mine, entries=entries)
        assert (one.live, one.adopting) == (mine, False)


# -- 8, 9: markers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("marker", "more", "lifecycle"),
    [
        pytest.param(token("chat"), {}, {}, id="ours"),
        pytest.param(token("chat", owner="old"), {"former_owners": ("old",)}, {}, id="by a former owner's name"),
        pytest.param(token("talk"), {}, {"renamed_from": ("talk",)}, id="by a former name"),
    ],
)
def test_marker_alone_finds_what_is_ours(marker: str, more: dict[str, Any], lifecycle: dict[str, Any]) -> None:
    one = found(resource("chat", **lifecycle), live("L1", marker=marker), **more)
    assert one.live is not None


SPEC = {"image": "v2", "size": 2}


@pytest.mark.parametrize(
    ("first", "second", "entries"),
    [
        pytest.param({"digest": create_digest(SPEC)}, {"generation": 7}, (), id="what is desired now was made first"),
        pytest.param({}, {"generation": 7}, ("L1",), id="the ledger's, whoever is newer"),
        pytest.param({"generation": 3}, {"generation": 2}, (), id="the later generation"),
        pytest.param({"phase": Phase.READY}, {"phase": Phase.PROGRESSING}, (), id="the ready one"),
        pytest.param({"created_at": 5.0}, {"created_at": 6.0}, (), id="the older one"),
    ],
)
def test_of_twins_one_stays_and_the_other_goes(
    first: dict[str, Any], second: dict[str, Any], entries: tuple[str, ...]
) -> None:
    def item(live_id: str, facts: dict[str, Any]) -> Live:
        parts = {key: facts.pop(key) for key in ("digest", "generation") if key in facts}
        marker = dataclasses.replace(Marker.parse(token("chat", op=live_id.lower() * 3)), **parts)  # type: ignore[type-var]
        return live(live_id, SPEC, marker=str(marker), **facts)

    one, two = item("LB", {**first}), item("LC", {**second})
    rows = tuple(entry("chat", "LB", marker=one.marker) for _ in entries)
    for items in ((one, two), (two, one)):
        pair = found(resource("chat", SPEC), *items, entries=rows)
        assert (pair.live, pair.leftover, pair.is_twin, pair.candidates) == (one, two, True, ("LC",))


def test_a_twin_that_was_made_to_be_kept_is_left_alone() -> None:
    items = (live("L1", marker=token("chat")), live("L2", marker=token("chat", op="bbbbbb", keep="p")))
    for entries in ((entry("chat", "L1"),), ()):
        one = found(resource("chat"), *items, entries=entries)
        assert (outcome(one), one.candidates) == (("blocked", "twins"), ("L1", "L2"))
    kept = found(resource("chat"), *items, entries=(entry("chat", "L2", marker=token("chat", op="bbbbbb", keep="p")),))
    assert (kept.live, kept.leftover) == (items[1], items[0]), "the protected one stays"


@pytest.mark.parametrize("where", ["spec", "ledger"])
def test_protection_that_came_after_the_create_holds_for_twins_too(where: str) -> None:
    """The marker can't tell of it; only the ledger's own item is known to be the protected one."""
    made_of = dataclasses.replace(Marker.parse(token("chat", op="bbbbbb")), digest=create_digest(SPEC))  # type: ignore[type-var]
    known, other = live("L1", marker=token("chat")), live("L2", marker=str(made_of))
    desired = resource("chat", SPEC, prevent_destroy=where == "spec")
    row = entry("chat", "L1", marker=known.marker, prevent_destroy=where == "ledger")
    assert outcome(found(desired, known, other, entries=(row,))) == ("blocked", "twins"), (
        "the other fits the spec better"
    )
    both = found(resource("chat", {"size": 9}, prevent_destroy=where == "spec"), known, other, entries=(row,))
    assert (both.live, both.leftover) == (known, other)
    if where == "spec":
        assert outcome(found(desired, known, other)) == ("blocked", "twins"), "nobody knows which one"


def test_older_half_of_an_interrupted_replace_is_no_twin() -> None:
    new, old = live("L2", marker=token("chat", op="bbbbbb")), live("L1", marker=token("chat"))
    row = entry("chat", "L2", marker=token("chat", op="bbbbbb"), successor="L1")
    assert found(resource("chat"), old, new, entries=(row,)).leftover is old
    taken = live("L1", marker=token("chat", owner="other"))
    assert found(resource("chat"), taken, new, entries=(row,)).leftover is None
    assert found(resource("chat"), live("L1", phase=Phase.GOING), new, entries=(row,)).leftover is None


def test_an_entry_whose_own_half_is_gone_falls_back_to_the_other() -> None:
    row = entry("chat", "a/2", kind=BOX, marker="", successor="a/1")
    older = live("a/1", kind=BOX, marker_readable=False)
    one = found(resource("chat", kind=BOX), older, live("a/3", kind=BOX), entries=(row,))
    assert (one.live, one.entry, one.verdict) == (older, row, None)


@pytest.mark.parametrize("readable", [True, False])
def test_of_two_halves_the_one_that_the_spec_went_back_to_stays(readable: bool) -> None:  # noqa: FBT001 - a table
    first, second = {"image": "nginx", "machine": "m1"}, {"image": "nginx", "machine": "m2"}

    def half(live_id: str, op: str, spec: dict[str, Any]) -> Live:
        made_of = dataclasses.replace(
            Marker.parse(token("chat", kind=BOX, op=op)),  # type: ignore[type-var]
            digest=create_digest(spec),
        )
        return live(live_id, spec, kind=BOX, marker=str(made_of) if readable else "", marker_readable=readable)

    old, new = half("a/1", "aaaaaa", first), half("a/2", "bbbbbb", second)
    row = entry("chat", new.id, second, kind=BOX, marker=new.marker, successor=old.id)
    back, on, further = (
        found(resource("chat", spec, kind=BOX), old, new, entries=(row,))
        for spec in (first, second, {**first, "machine": "m3"})
    )
    assert (back.live, back.leftover) == (old, new)
    assert (on.live, on.leftover) == (further.live, further.leftover) == (new, old)


def test_old_name_can_not_be_used_again_while_its_machine_lives() -> None:
    moved = entry("talk", "L1", marker=token("chat"), renamed_from=("chat",))
    one = found(resource("chat"), live("L1", name="chat", marker=token("chat")), entries=(moved,))
    assert outcome(one) == ("blocked", "former-name")


# -- 10 to 13: names and likeness -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "reason", "words"),
    [
        pytest.param(live("L7", name="chat"), "conflict", "adopt: L7", id="nobody's"),
        pytest.param(
            live("L7", name="chat", marker=token("chat", owner="shop/dev")),
            "owned-by-other",
            "shop/dev",
            id="known owner",
        ),
        pytest.param(
            live("L7", name="chat", marker=token("chat", owner="else")),
            "owned-by-other",
            owner_hash("else"),
            id="unknown owner",
        ),
        pytest.param(live("L7", name="chat", untouchable="shared"), "owned-by-other", "shared", id="untouchable"),
    ],
)
def test_name_held_by_somebody_else_is_never_taken_over(item: Live, reason: str, words: str) -> None:
    one = found(resource("chat"), item, other_owners={owner_hash("shop/dev"): "shop/dev"})
    assert (outcome(one), one.candidates) == (("blocked", reason), ("L7",))
    assert words in one.message


def test_name_that_leaves_with_its_resource_is_free() -> None:
    desired = resource("talk", live_name="chat")
    rows = {CHAT: entry("chat", "L1")}
    one = found(
        desired,
        live("L1", name="chat", marker=token("chat")),
        entries=tuple(rows.values()),
        claims=claim([desired], rows),
    )
    assert (one.verdict, one.live) == (None, None)


@pytest.mark.parametrize(
    ("item", "blocked"),
    [
        pytest.param({"image": "nginx", "machine": "m1"}, True, id="the same in other words"),
        pytest.param({"image": "nginx"}, True, id="the same as far as it shows"),
        pytest.param({"image": "nginx", "machine": "m2"}, False, id="another machine"),
    ],
)
def test_unreadable_look_alike_blocks_a_create(item: dict[str, Any], blocked: bool) -> None:  # noqa: FBT001 - a table
    desired = resource("chat", {"image": "nginx:latest", "machine": "m1"}, kind=BOX)
    one = found(desired, live("a/b", item, kind=BOX, marker_readable=False))
    assert outcome(one) == (("blocked", "possible-duplicate") if blocked else ("", ""))


def test_readable_or_known_look_alike_blocks_nothing() -> None:
    desired = resource("chat", {"image": "nginx", "machine": "m1"}, kind=BOX)
    twin = {"image": "nginx", "machine": "m1"}
    assert found(desired, live("x", twin, kind=BOX)).verdict is None
    known = entry("llm", "x", kind=BOX)
    assert found(desired, live("x", twin, kind=BOX, marker_readable=False), entries=(known,)).verdict is None


def test_suspicious_list_blocks_a_create_by_name_and_by_likeness() -> None:
    for kind in (None, BOX):
        desired = resource("chat", kind=kind) if kind else resource("chat")
        assert outcome(found(desired, verdict=Verdict.SUSPICIOUS)) == ("blocked", "suspicious-list")


# -- renamedFrom over several resources -------------------------------------------------------------------------------


def claimed(resources: list[Resource], rows: list[Applied]) -> dict[str, str]:
    claims = claim(resources, {row.address: row for row in rows})
    assert len(set(map(id, claims.held.values()))) == len(claims.held), "one entry went to two resources"
    names = {address: row.live_id for address, row in claims.held.items()}
    return {
        **{one.rpartition("/")[2]: name for one, name in names.items()},
        **dict.fromkeys((one.rpartition("/")[2] for one in claims.disputes), "disputed"),
    }


def test_rename_chain_and_swap_give_each_entry_to_one_resource() -> None:
    a, b, c = entry("a", "LA"), entry("b", "LB"), entry("c", "LC")
    assert claimed([resource("a", renamed_from=("b",))], [b]) == {"a": "LB"}
    chain = [resource("a", renamed_from=("b",)), resource("b", renamed_from=("c",))]
    assert claimed(chain, [b, c]) == {"a": "LB", "b": "LC"}
    swap = [resource("a", renamed_from=("b",)), resource("b", renamed_from=("a",))]
    assert claimed(swap, [a, b]) == {"a": "LB", "b": "LA"}
    ring = [resource(name, renamed_from=(former,)) for name, former in ("ab", "bc", "ca")]
    assert claimed(ring, [a, b, c]) == {"a": "LB", "b": "LC", "c": "LA"}


def test_rename_that_was_carried_out_is_not_carried_out_again() -> None:
    swap = [resource("a", renamed_from=("b",)), resource("b", renamed_from=("a",))]
    by_marker = [entry("a", "LB", marker=token("b")), entry("b", "LA", marker=token("a"))]
    assert claimed(swap, by_marker) == {"a": "LB", "b": "LA"}
    replaced_since = [entry("a", "L3", renamed_from=("b",)), entry("b", "L4", renamed_from=("a",))]
    assert claimed(swap, replaced_since) == {"a": "L3", "b": "L4"}
    chain = [resource("a", renamed_from=("b",)), resource("b", renamed_from=("c",))]
    assert claimed(chain, [entry("b", "LC", marker=token("c"))]) == {"b": "LC"}, "a is gone; b is not its machine"


def test_rename_in_doubt_gives_nobody_anything() -> None:
    a, b = entry("a", "LA"), entry("b", "LB")
    both_there = claimed([resource("a", renamed_from=("b",))], [a, b])
    assert both_there == {"a": "disputed"}
    two_heirs = claimed([resource("x", renamed_from=("b",)), resource("y", renamed_from=("b",))], [b])
    assert two_heirs == {"x": "disputed", "y": "disputed"}
    old_name_in_use = claimed([resource("a", renamed_from=("b",)), resource("b")], [b])
    assert old_name_in_use == {"a": "disputed", "b": "disputed"}
    one = found(resource("a", renamed_from=("b",)), live("LA"), live("LB"), entries=(a, b))
    assert outcome(one) == ("blocked", "rename-conflict")


def test_nothing_in_dispute_is_an_orphan() -> None:
    rows = (entry("a", "LA"), entry("b", "LB"))
    desired = [resource("a", renamed_from=("b",))]
    assert orphans(desired, world(listed(live("LA"), live("LB")), entries=rows)) == ()


# -- orphans ----------------------------------------------------------------------------------------------------------


def left(*items: Live, entries: tuple[Applied, ...] = (), **more: Any) -> list[tuple[str, str]]:
    gone = orphans([resource("chat")], world(listed(*items), entries=entries, **more))
    return [(one.address, one.live.id if one.live else "") for one in gone]


def test_orphans_are_ledger_entries_and_our_marked_items() -> None:
    items = (
        live("L1", marker=token("chat")),
        live("L2", marker=token("llm")),
        live("L3", name="lost", marker=token("lost")),
        live("L4", marker=token("kept", keep="r")),
        live("L5", marker=token("let-go")),
        live("L6", marker=token("going"), phase=Phase.GOING),
        live("L7", marker=token("x", owner="other")),
        live("L8"),
    )
    rows = (entry("chat", "L1"), entry("llm", "L2"))
    assert left(*items, entries=rows, released=frozenset({"L5"})) == [
        (address_of("llm"), "L2"),
        (address_of("lost"), "L3"),
    ]


def test_orphan_never_means_an_item_that_another_entry_has() -> None:
    moved = entry("chat", "L1", marker=token("llm"), renamed_from=("llm",))
    assert left(live("L1", marker=token("llm")), entries=(moved, entry("llm", "L0"))) == [(address_of("llm"), "")]


def test_orphan_with_another_marker_or_untouchable_is_in_trouble() -> None:
    for item in (live("L2", marker=token("llm", owner="other")), live("L2", untouchable="shared")):
        (one,) = orphans([], world(listed(item), entries=(entry("llm", "L2"),)))
        assert one.trouble is not None


def test_orphan_without_an_entry_gets_an_address_of_three_parts_that_is_its_own() -> None:
    boxes = listed(live("shard/suffix", kind=BOX, marker=token("lost", kind=BOX)), kind=BOX)
    (box,) = orphans([], world(boxes))
    assert box.address.count("/") == 2
    twins = [live(f"L{index}", name="chat", marker=token(f"lost{index}")) for index in (1, 2)]
    addresses = [one.address for one in orphans([resource("chat")], world(listed(*twins)))]
    assert len({CHAT, *addresses}) == 3


# -- suspicious lists -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "there", "suspicious"),
    [
        (0, 0, False),
        (1, 0, True),
        (2, 1, False),
        (3, 1, False),
        (4, 2, False),
        (4, 1, True),
        (5, 2, True),
        (14, 0, True),
    ],
)
def test_list_far_emptier_than_the_ledger_is_suspicious(known: int, there: int, suspicious: bool) -> None:  # noqa: FBT001
    rows = [entry(f"e{index}", f"L{index}") for index in range(known)]
    judged = judge(listed(*(live(f"L{index}") for index in range(there))), rows)
    assert (judged.verdict is Verdict.SUSPICIOUS) is suspicious
    if suspicious:
        assert str(known) in judged.message
        assert "--accept-empty" in judged.message
        assert judge(listed(), rows, accept_empty=True).verdict is Verdict.COMPLETE


def test_other_kinds_other_instances_and_new_ids_do_not_make_a_list_suspicious() -> None:
    rows = [entry("a", "L1"), entry("box", "B1", kind=BOX)]
    assert judge(listed(live("L9", marker=token("a"))), rows).verdict is Verdict.COMPLETE
    assert judge(Listing(provider="q", kind=listed().kind), rows).verdict is Verdict.COMPLETE


def test_what_was_just_created_is_not_missed() -> None:
    rows = [entry("a", "L1", created_at=NOW_S - 5, ready=False)]
    assert judge(listed(), rows, now_s=NOW_S).verdict is Verdict.COMPLETE
    assert judge(listed(), rows, now_s=NOW_S + RECENT_S).verdict is Verdict.SUSPICIOUS


def test_partial_list_keeps_its_verdict() -> None:
    assert judge(listed(verdict=Verdict.PARTIAL), [entry("a", "L1")]).verdict is Verdict.PARTIAL


def test_verdicts_are_blocked_or_unknown_only() -> None:
    cases: list[World] = [world(), world(listed(live("L7", name="chat")))]
    assert {pair(resource("chat"), one).verdict for one in cases} == {Action.UNKNOWN, Action.BLOCKED}
