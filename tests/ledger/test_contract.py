"""What every home of the ledger keeps, whatever it is made of. Uses nothing but the port."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.diff.live import Applied
from reconciler.ledger import (
    IntentRow,
    IntentState,
    LeaseLost,
    Ledger,
    LedgerError,
    Run,
    RunStatus,
    Tombstone,
    TombstoneKind,
    open_ledger,
)
from reconciler.problems import Refused
from reconciler.spec.values import Composite, KnownAfterApply, SecretRef

OWNER = "shop/dev"
CHAT = "theta/Deployment/chat"
NOW = 1_800_000_000.0
DAY_S = 86_400.0


class OpenHome(Protocol):
    def __call__(self, *, now: float = NOW, redact: Callable[[str], str] = str) -> Ledger: ...


ENTRY = Applied(
    address=CHAT,
    kind="theta/Deployment",
    live_id="shard-1/abc",
    live_name="chat",
    marker="rc1.abcde.abcdefgh.2.p.abcde.abcdef",
    generation=2,
    spec={
        "env": [{"name": "TOKEN", "value": SecretRef("HF_TOKEN")}],
        "url": Composite(("http://", KnownAfterApply("theta/Deployment/a", "endpoint"), "/v1")),
        "$odd": {"$secret": "a user's own text"},
        "count": 1,
        "ratio": 0.5,
        "none": None,
    },
    edges=("theta/Deployment/a",),
    labels={"team": "vision"},
    prevent_destroy=True,
    on_remove="retain",
    secrets_revision=3,
    fingerprints={"HF_TOKEN": "01234567:" + "a" * 64},
    ready=False,
    successor="shard-1/def",
    created_at=NOW - 5,
    applied_at=NOW,
    revision="abc123",
    run="run-1",
)
CREATE = IntentRow(
    owner=OWNER,
    run="run-1",
    address=CHAT,
    step="create theta/Deployment/chat",
    call_index=1,
    op="create",
    op_id="abcdef",
    marker=ENTRY.marker,
    live_name="chat",
    digest="d" * 64,
    sent_at=NOW,
    body_digest="b" * 64,
    context={"steps": ["create"], "run_state_before": "stopped"},
)
RUN = Run(
    id="run-1",
    owner=OWNER,
    started=NOW,
    revision="abc123",
    plan_digest="p",
    spec_digest="s",
    changes=("c1", "c2"),
    inverse=(
        {"address": CHAT, "action": "create", "document": None},
        {"address": CHAT, "action": "update", "document": {"spec": {"$odd": ['{{ secret("A") }}', None, 0.5]}}},
    ),
)


def test_a_ledger_that_is_not_there_reads_as_empty_and_cold(home: OpenHome) -> None:
    ledger = home()
    assert ledger.entries(OWNER) == {}
    assert ledger.open_intents(OWNER) == ()
    assert ledger.tombstones(OWNER) == ()
    assert ledger.runs(OWNER) == ()
    assert ledger.trusted(OWNER) == {}
    assert ledger.intent_of(OWNER, "abcdef") is None
    assert ledger.is_cold(OWNER)
    assert ledger.notes == ()


def test_an_entry_comes_back_as_it_was_with_its_references(home: OpenHome) -> None:
    ledger = home()
    with ledger.take_lease(OWNER, "") as lease:
        lease.put_entry(ENTRY)
        assert ledger.entries(OWNER) == {CHAT: ENTRY}  # also while the lease is held
    assert home().entries(OWNER) == {CHAT: ENTRY}
    assert home().entries("shop/prod") == {}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
LEAVES = JSON | st.builds(SecretRef, st.text()) | st.builds(KnownAfterApply, st.text(), st.text())


IN_ONE_HOME = pytest.mark.parametrize("home", ["sqlite"], indirect=True)
"""Rows are stored and pruned by the same code in every home: once is enough for what takes many transactions."""


@IN_ONE_HOME
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spec=st.dictionaries(st.sampled_from(["$secret", "$map", "$ref", "a", "b"]), LEAVES, max_size=4))
def test_any_spec_survives_being_stored(home: OpenHome, spec: dict[str, Any]) -> None:
    entry = replace(ENTRY, spec=spec)
    with home().take_lease(OWNER, "") as lease:
        lease.put_entry(entry)
    assert home().entries(OWNER)[CHAT].spec == spec


def test_entries_are_replaced_forgotten_and_renamed_with_their_marker(home: OpenHome) -> None:
    ledger = home()
    with ledger.take_lease(OWNER, "") as lease:
        lease.put_entry(ENTRY)
        lease.put_entry(replace(ENTRY, ready=True))
        lease.rename({CHAT: "theta/Deployment/talk"})
        assert ledger.entries(OWNER) == {
            "theta/Deployment/talk": replace(ENTRY, ready=True, address="theta/Deployment/talk")
        }
        lease.put_entry(ENTRY)
        with pytest.raises(LedgerError, match="has an entry already"):
            lease.rename({CHAT: "theta/Deployment/talk"})
        with pytest.raises(LedgerError, match="has no entry"):
            lease.rename({"theta/Deployment/nobody": "theta/Deployment/x"})
        lease.rename({CHAT: "theta/Deployment/talk", "theta/Deployment/talk": CHAT})
        swapped = ledger.entries(OWNER)
        assert (swapped[CHAT].ready, swapped["theta/Deployment/talk"].ready) == (True, ENTRY.ready)
        lease.forget(CHAT)
        lease.forget(CHAT)
        assert list(ledger.entries(OWNER)) == ["theta/Deployment/talk"]


def test_an_intent_stays_open_until_it_is_closed_with_its_outcome(home: OpenHome) -> None:
    ledger = home()
    with ledger.take_lease(OWNER, "") as lease:
        number = lease.intend(CREATE)
        assert ledger.open_intents(OWNER) == (replace(CREATE, id=number),)
        lease.note_evidence(number, "shard-1/abc", {"endpoint": "https://x"})
        heard = replace(CREATE, id=number, live_id="shard-1/abc", evidence={"endpoint": "https://x"})
        assert ledger.open_intents(OWNER) == (heard,)
        lease.close_intent(number, IntentState.DONE, evidence={"seen": "ready"}, note="created", entry=ENTRY)
        assert ledger.open_intents(OWNER) == ()
        assert ledger.entries(OWNER) == {CHAT: ENTRY}
        closed = replace(
            heard, state=IntentState.DONE, evidence={"endpoint": "https://x", "seen": "ready"}, note="created"
        )
        assert ledger.intent_of(OWNER, "abcdef") == closed
        with pytest.raises(LedgerError, match="not open"):
            lease.close_intent(number, IntentState.FAILED)
        with pytest.raises(LedgerError, match="not in the ledger"):
            lease.note_evidence(number + 1, "x", {})


def test_closing_an_intent_changes_all_or_nothing(home: OpenHome) -> None:
    ledger = home()
    with ledger.take_lease(OWNER, "") as lease:
        lease.put_entry(ENTRY)
        with pytest.raises(LedgerError):
            lease.close_intent(99, IntentState.DONE, forget=CHAT)
        assert list(ledger.entries(OWNER)) == [CHAT]
        number = lease.intend(replace(CREATE, op="delete", target=ENTRY.live_id))
        stone = Tombstone(address=CHAT, live_id=ENTRY.live_id, at=NOW, marker=ENTRY.marker, run="run-1")
        lease.close_intent(number, IntentState.DONE, forget=CHAT, tombstone=stone)
        assert (ledger.entries(OWNER), ledger.tombstones(OWNER), ledger.open_intents(OWNER)) == ({}, (stone,), ())


def test_the_survivor_of_a_replace_is_noted_in_the_transaction_that_buries_the_other(home: OpenHome) -> None:
    ledger = home()
    with ledger.take_lease(OWNER, "") as lease:
        lease.put_entry(ENTRY)
        number = lease.intend(replace(CREATE, op="delete", target="shard-1/abc"))
        survivor = replace(ENTRY, live_id="shard-1/def", successor="")
        stone = Tombstone(address=CHAT, live_id="shard-1/abc", at=NOW)
        lease.close_intent(number, IntentState.DONE, forget=CHAT, entry=survivor, tombstone=stone)
        assert (ledger.entries(OWNER), ledger.tombstones(OWNER)) == ({CHAT: survivor}, (stone,))


@IN_ONE_HOME
def test_open_intents_outlive_their_run_their_resource_and_pruning(home: OpenHome) -> None:
    with home().take_lease(OWNER, "") as lease:
        lease.begin_run(replace(RUN, id="run-0"))
        left = lease.intend(replace(CREATE, run="run-0"))
        lease.close_intent(lease.intend(replace(CREATE, run="run-0", op_id="of-run-0")), IntentState.NOT_SENT)
        lease.end_run("run-0", RunStatus.FAILED, NOW)
        lease.begin_run(RUN)
        lease.close_intent(lease.intend(replace(CREATE, op_id="of-run-1")), IntentState.NOT_SENT)
        lease.end_run(RUN.id, RunStatus.INCOMPLETE, NOW)
        for number in range(2, 60):
            lease.begin_run(replace(RUN, id=f"run-{number}"))
            lease.end_run(f"run-{number}", RunStatus.FAILED, NOW + number)
    ledger = home()
    assert [row.id for row in ledger.open_intents(OWNER)] == [left]
    runs = ledger.runs(OWNER, limit=100)
    assert [run.id for run in runs[:2]] == ["run-59", "run-58"]
    assert len(runs) == 51  # the last 50, and the one that finished: it keeps the ledger warm
    assert not ledger.is_cold(OWNER)
    assert ledger.intent_of(OWNER, "of-run-0") is None
    assert ledger.intent_of(OWNER, "of-run-1") is not None
    assert len(ledger.runs(OWNER, limit=2)) == 2


def test_only_a_run_that_got_to_its_end_or_a_person_makes_a_ledger_warm(home: OpenHome) -> None:
    ledger = home()
    with ledger.take_lease(OWNER, "") as lease:
        for number, status in enumerate((RunStatus.FAILED, RunStatus.REFUSED, None)):
            lease.begin_run(replace(RUN, id=f"run-{number}"))
            if status:
                lease.end_run(f"run-{number}", status, NOW)
        assert ledger.is_cold(OWNER)
        lease.trust("theta/Deployment", by="ann", now=NOW)
        assert ledger.is_cold(OWNER)
        lease.trust("*", by="ann", now=NOW)
        lease.trust("*", by="bob", now=NOW)
        assert not ledger.is_cold(OWNER)
        assert ledger.is_cold("shop/prod")
        assert ledger.trusted(OWNER) == {"*": NOW, "theta/Deployment": NOW}
        with pytest.raises(LedgerError, match="not in the ledger"):
            lease.end_run("nobody", RunStatus.DONE, NOW)


def test_a_run_that_never_ended_is_found_as_died_by_the_next(home: OpenHome) -> None:
    ledger = home()
    with ledger.take_lease(OWNER, "") as lease:
        lease.begin_run(RUN)
    with ledger.take_lease(OWNER, "") as lease:
        lease.begin_run(replace(RUN, id="run-2"))
        lease.end_run("run-2", RunStatus.DONE, NOW + 9)
    assert ledger.runs(OWNER) == (
        replace(RUN, id="run-2", status=RunStatus.DONE, ended=NOW + 9),
        replace(RUN, status=RunStatus.DIED),
    )


def test_a_tombstone_lasts_thirty_days_and_a_released_one_for_ever(home: OpenHome) -> None:
    deleted = Tombstone(address=CHAT, live_id="1", at=NOW)
    released = Tombstone(address=CHAT, live_id="2", at=NOW, kind=TombstoneKind.RELEASED)
    with home().take_lease(OWNER, "") as lease:
        for stone in (deleted, released, deleted):
            lease.forget(CHAT, stone)
    assert home(now=NOW + 29 * DAY_S).tombstones(OWNER) == (deleted, released)
    assert home(now=NOW + 31 * DAY_S).tombstones(OWNER) == (released,)
    with home().take_lease(OWNER, "") as lease:
        lease.begin_run(RUN)
        lease.end_run(RUN.id, RunStatus.DONE, NOW + 31 * DAY_S)
    assert home(now=NOW).tombstones(OWNER) == (released,)


def test_what_is_taken_over_again_is_no_longer_buried(home: OpenHome) -> None:
    ledger = home()
    with ledger.take_lease(OWNER, "") as lease:
        stone = Tombstone(address="theta/Deployment/old", live_id=ENTRY.live_id, at=NOW, kind=TombstoneKind.RELEASED)
        elsewhere = replace(stone, address="theta2/Deployment/old")
        lease.forget(stone.address, stone)
        lease.forget(elsewhere.address, elsewhere)
        lease.put_entry(ENTRY)
        assert ledger.tombstones(OWNER) == (elsewhere,)


def test_a_second_lease_on_one_owner_is_refused_by_name_and_another_owner_is_free(home: OpenHome) -> None:
    with home().take_lease(OWNER, "ci run 7"):
        with pytest.raises(
            Refused, match=r"another run works on shop/dev: ci run 7, process \d+ on \S+, since"
        ) as caught:
            home().take_lease(OWNER, "")
        assert [problem.code for problem in caught.value.problems] == ["lease-held"]
        home().take_lease("shop/prod", "").release()
        home().take_lease("shop", "").release()
    home().take_lease(OWNER, "").release()


def test_waiting_for_a_lease_gets_it_when_it_is_given_back(home: OpenHome) -> None:
    first = home().take_lease(OWNER, "")
    timer = threading.Timer(0.3, first.release)
    timer.start()
    with home().take_lease(OWNER, "", wait_s=20) as second:
        assert second.epoch == first.epoch + 1
    timer.join()


def test_nothing_is_written_under_a_lease_that_was_given_back(home: OpenHome) -> None:
    ledger = home()
    lease = ledger.take_lease(OWNER, "")
    lease.check()
    lease.release()
    lease.release()
    for write in (lease.check, lambda: lease.put_entry(ENTRY), lambda: lease.intend(CREATE)):
        with pytest.raises(LeaseLost):
            write()
    assert ledger.entries(OWNER) == {}


def test_many_threads_write_under_one_lease(home: OpenHome) -> None:
    ledger = home()

    def work(number: int) -> None:
        row = lease.intend(replace(CREATE, op_id=f"op-{number}"))
        entry = replace(ENTRY, address=f"theta/Deployment/n{number}")
        lease.close_intent(row, IntentState.DONE, entry=entry)

    with ledger.take_lease(OWNER, "") as lease, ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(40)))
    assert len(ledger.entries(OWNER)) == 40
    assert ledger.open_intents(OWNER) == ()


def test_all_that_is_known_moves_to_another_home_once(home: OpenHome, tmp_path: Path) -> None:
    with home().take_lease(OWNER, "") as lease:
        lease.begin_run(RUN)
        lease.put_entry(ENTRY)
        lease.close_intent(lease.intend(replace(CREATE, op_id="closed")), IntentState.DONE, live_id="L1", note="well")
        lease.intend(CREATE)
        lease.forget("theta/Deployment/old", Tombstone(address="theta/Deployment/old", live_id="L0", at=NOW))
        lease.trust("theta/Deployment", by="ann", now=NOW)
        lease.end_run(RUN.id, RunStatus.DONE, NOW + 60)
    old = home()
    new = open_ledger({"type": "sqlite", "path": "moved.db"}, tmp_path, now=lambda: NOW)
    with new.take_lease("shop/prod", "") as other:
        other.intend(replace(CREATE, owner="shop/prod"))  # ids of this home are given already
    with new.take_lease(OWNER, "") as lease:
        lease.restore(old.dump(OWNER))
        with pytest.raises(LedgerError, match="ledger-not-empty"):
            lease.restore(old.dump(OWNER))

    for read in ("entries", "tombstones", "runs", "trusted", "is_cold"):
        assert getattr(new, read)(OWNER) == getattr(old, read)(OWNER), read
    assert [replace(row, id=0) for row in new.journal(OWNER)] == [replace(row, id=0) for row in old.journal(OWNER)]
    assert [row.op_id for row in new.open_intents(OWNER)] == [CREATE.op_id]
    assert new.entries("shop/prod") == {}


def test_free_text_is_redacted_before_it_is_stored(home: OpenHome) -> None:
    ledger = home(redact=lambda text: text.replace("hunter22", "(secret)"))
    with ledger.take_lease(OWNER, "") as lease:
        number = lease.intend(replace(CREATE, note="hunter22"))
        lease.note_evidence(number, "1", {"endpoint": "https://x/hunter22"})
        lease.close_intent(number, IntentState.FAILED, note="400: hunter22", evidence={"said": "hunter22"})
    row = home().intent_of(OWNER, CREATE.op_id)
    assert row is not None
    assert (row.note, row.evidence) == ("400: (secret)", {"endpoint": "https://x/(secret)", "said": "(secret)"})


def test_a_row_of_another_owner_is_a_mistake_of_the_caller(home: OpenHome) -> None:
    with home().take_lease(OWNER, "") as lease:
        with pytest.raises(ValueError, match="under the lease of"):
            lease.intend(replace(CREATE, owner="shop/prod"))
        with pytest.raises(ValueError, match="under the lease of"):
            lease.begin_run(replace(RUN, owner="shop/prod"))
