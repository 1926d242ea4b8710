"""Group commit: what threads note at a time is made durable together, and each hears what became of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from reconciler.diff.live import Applied
from reconciler.ledger import LeaseLost, LedgerError, open_ledger
from reconciler.ledger.group import Group
from reconciler.ledger.journal import IntentRow, IntentState
from reconciler.ledger.sqlite_lease import SqliteLease

OWNER = "shop/dev"
INTENT = IntentRow(owner=OWNER, run="r", address="a/B/c", op="create", op_id="abcdef")


@pytest.fixture
def lease(tmp_path: Path) -> Iterator[SqliteLease]:
    with open_ledger({}, tmp_path).take_lease(OWNER, "") as held:
        assert isinstance(held, SqliteLease)
        yield held


class Traffic:
    """Holds the first transaction up until all others wait, so that they share the second one."""

    def __init__(self, lease: SqliteLease, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun: list[str] = []
        self._go = threading.Event()
        self._group = lease._group  # noqa: SLF001 - to see who waits
        before = lease._transaction  # noqa: SLF001

        @contextmanager
        def transaction(what: str, *, fenced: bool) -> Iterator[Any]:
            self.begun.append(what)
            if len(self.begun) == 1:
                assert self._go.wait(10)
            with before(what, fenced=fenced) as connection:
                yield connection

        monkeypatch.setattr(lease, "_transaction", transaction)

    def together(self, first: Callable[[], Any], others: Sequence[Callable[[], Any]]) -> list[Future[Any]]:
        """All that the others came to, once they have gone together."""
        with ThreadPoolExecutor(len(others) + 1) as pool:
            told = [pool.submit(first)]
            self._until(lambda: len(self.begun) == 1)
            told += [pool.submit(other) for other in others]
            self._until(lambda: len(self._group._waiting) == len(others))  # noqa: SLF001
            self._go.set()
        return told[1:]

    @staticmethod
    def _until(claim: Callable[[], bool]) -> None:
        pause = threading.Event()
        for _ in range(5000):
            if claim():
                return
            pause.wait(0.002)
        raise AssertionError


def entry(name: str) -> Applied:
    return Applied(address=f"a/B/{name}", kind="a/B", live_id=name)


def test_what_waits_goes_into_one_transaction(
    lease: SqliteLease, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    traffic = Traffic(lease, monkeypatch)
    writes = [lambda name=str(number): lease.put_entry(entry(name)) for number in range(4)]
    told = traffic.together(lambda: lease.intend(INTENT), [*writes, lambda: lease.intend(INTENT)])
    assert len(traffic.begun) == 2
    assert [one.exception() for one in told] == [None] * 5
    ledger = open_ledger({}, tmp_path)
    assert sorted(ledger.entries(OWNER)) == ["a/B/0", "a/B/1", "a/B/2", "a/B/3"]
    assert [row.id for row in ledger.open_intents(OWNER)] == [1, told[-1].result()]


def test_one_that_fails_takes_nobody_along(lease: SqliteLease, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    traffic = Traffic(lease, monkeypatch)
    others = [
        lambda: lease.put_entry(entry("good")),
        lambda: lease.close_intent(77, IntentState.DONE, entry=entry("bad")),
    ]
    good, bad = traffic.together(lambda: lease.intend(INTENT), others)
    assert good.exception() is None
    assert isinstance(bad.exception(), LedgerError)
    assert "intent 77 of shop/dev is not in the ledger" in str(bad.exception())
    assert list(open_ledger({}, tmp_path).entries(OWNER)) == ["a/B/good"]


def test_a_lost_lease_fails_each_of_them_with_its_own_words_but_what_was_heard(
    lease: SqliteLease, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    number = lease.intend(INTENT)
    traffic = Traffic(lease, monkeypatch)

    def usurp() -> None:
        lock = next(tmp_path.glob(".reconciler/ledger.db.shop.dev.lock"))
        hidden = lock.rename(tmp_path / "hidden")
        open_ledger({}, tmp_path).take_lease(OWNER, "second").release()
        hidden.rename(lock)

    def first() -> None:
        lease._write("a pause", lambda _connection: None, fenced=False)  # noqa: SLF001

    go = traffic._go.set  # noqa: SLF001

    def usurp_and_go() -> None:
        usurp()
        go()

    monkeypatch.setattr(traffic._go, "set", usurp_and_go)  # noqa: SLF001
    others = [
        lambda: lease.put_entry(entry("x")),
        lambda: lease.intend(INTENT),
        lambda: lease.note_evidence(number, "live-1", {"endpoint": "https://x"}),
    ]
    put, intended, heard = traffic.together(first, others)
    for future, what in ((put, "the entry of a/B/x"), (intended, "the intent to create a/B/c")):
        assert isinstance(future.exception(), LeaseLost)
        assert f"another run has taken over {OWNER}: {what} was not recorded" in str(future.exception())
    assert heard.exception() is None
    ledger = open_ledger({}, tmp_path)
    assert ledger.entries(OWNER) == {}
    assert [(row.id, row.live_id) for row in ledger.open_intents(OWNER)] == [(number, "live-1")]


def test_a_thread_that_is_interrupted_leaves_the_others_to_write_for_themselves() -> None:
    done: list[str] = []

    @contextmanager
    def transaction(what: str, *, fenced: bool) -> Iterator[Any]:
        del fenced
        yield done
        done.append(what)

    group = Group(transaction)

    def interrupted(_connection: Any) -> None:
        raise KeyboardInterrupt

    # The other one stands in line before this one takes all of the line along.
    with group._turn:  # noqa: SLF001
        other = ThreadPoolExecutor(1).submit(group.write, "other", lambda _connection: "written", fenced=True)
        Traffic._until(lambda: len(group._waiting) == 1)  # noqa: SLF001
        mine = type(group._waiting[0])("mine", interrupted, fenced=True)  # noqa: SLF001
        group._waiting.insert(0, mine)  # noqa: SLF001
        with pytest.raises(KeyboardInterrupt):
            group._write_for_all(mine)  # noqa: SLF001
    assert other.result(10) == "written"
    assert done == ["other"]
