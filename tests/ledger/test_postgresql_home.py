"""What is PostgreSQL's own among the homes: a row that is the lease, the database's clock, connections that die."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Protocol

import pytest
from sqlalchemy import NullPool, create_engine, make_url, text

from reconciler.ledger import LeaseLost, LedgerError
from reconciler.ledger.postgresql import PostgresqlLedger, open_postgresql_ledger
from reconciler.ledger.postgresql_lease import PostgresqlLease, Term
from reconciler.problems import ReconcilerError, Refused
from tests.conftest import LLM
from tests.ledger.test_contract import CREATE, ENTRY, NOW, OWNER, RUN


class Open(Protocol):
    def __call__(self, *, ttl_s: float = 120.0, beat_s: float = 20.0) -> PostgresqlLedger: ...


@pytest.fixture
def runner(database: str) -> Open:
    """Opens the ledger as another runner would."""

    def again(*, ttl_s: float = 120.0, beat_s: float = 20.0) -> PostgresqlLedger:
        environ = {"RECONCILER_LEDGER_URL": database}
        term = Term(ttl_s=ttl_s, beat_s=beat_s)
        return open_postgresql_ledger(environ, now=lambda: NOW, redact=str, term=term)

    return again


@pytest.fixture
def sql(database: str) -> Iterator[Callable[[str], list[tuple[object, ...]]]]:
    """Runs a statement as the database's administrator."""
    url = make_url(database).set(drivername="postgresql+psycopg")
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)

    def run(statement: str) -> list[tuple[object, ...]]:
        with engine.connect() as connection:
            found = connection.execute(text(statement))
            return [tuple(row) for row in found] if found.returns_rows else []

    yield run
    engine.dispose()


def dying(ledger: PostgresqlLedger) -> PostgresqlLease:
    """A lease whose process is gone: no beat, no farewell."""
    lease = ledger.take_lease(OWNER, "dead")
    lease._ended.set()  # noqa: SLF001
    return lease


def test_runners_that_meet_an_empty_database_make_its_tables_once_and_one_of_them_works(runner: Open) -> None:
    def take(_number: int) -> str:
        try:
            runner().take_lease(OWNER, "")
        except Refused as error:
            return error.problems[0].code
        return "works"

    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(take, range(4)))
    assert sorted(taken) == ["lease-held"] * 3 + ["works"]


def test_a_lease_is_taken_over_when_it_has_run_out_and_its_holder_records_nothing_more(runner: Open) -> None:
    dead = dying(runner(ttl_s=1.0))
    number = dead.intend(CREATE)
    with pytest.raises(Refused, match="dead"):
        runner().take_lease(OWNER, "early")
    heir = runner().take_lease(OWNER, "heir", wait_s=10)
    assert heir.epoch == dead.epoch + 1
    for write in (lambda: dead.put_entry(ENTRY), lambda: dead.intend(replace(CREATE, op_id="more")), dead.check):
        with pytest.raises(LeaseLost):
            write()
    dead.note_evidence(number, "L9", {})
    dead.release()  # not its own any more
    with pytest.raises(Refused, match="heir"):
        runner().take_lease(OWNER, "third")
    assert [row.live_id for row in runner().open_intents(OWNER)] == ["L9"], "what a late reply told is true"
    assert runner().entries(OWNER) == {}
    heir.release()


def test_a_lease_that_beats_is_kept_and_one_that_is_too_short_for_a_request_is_renewed_first(runner: Open) -> None:
    with runner(ttl_s=2.0, beat_s=0.5).take_lease(OWNER, "alive") as lease:
        with pytest.raises(Refused):
            runner().take_lease(OWNER, "", wait_s=4)
        lease.put_entry(ENTRY)
    late = runner(ttl_s=3.0, beat_s=60).take_lease(OWNER, "", margin_s=2.0)
    time.sleep(1.5)
    late.check()
    assert late._holds("it")  # noqa: SLF001 - renewed: more than the margin is left
    late.release()
    short = runner(ttl_s=1.0, beat_s=60).take_lease(OWNER, "", margin_s=2.0)
    with pytest.raises(LeaseLost):
        short.check()
    short.check = lambda: None  # type: ignore[method-assign]  # frozen right after it: the note itself looks again
    with pytest.raises(LeaseLost, match="can't outlive the next request"):
        short.intend(CREATE)
    assert runner().open_intents(OWNER) == ()
    short.release()


def test_a_lease_that_a_person_breaks_is_free_and_its_holder_records_nothing_more(runner: Open) -> None:
    held = runner().take_lease(OWNER, "somebody")
    assert "somebody" in runner().unlock(OWNER)
    assert runner().unlock(OWNER) == ""
    with pytest.raises(LeaseLost):
        held.put_entry(ENTRY)
    held.release()
    runner().take_lease(OWNER, "").release()


def test_a_connection_that_dies_in_a_transaction_records_nothing_and_the_next_one_works(
    runner: Open, sql: Callable[[str], list[tuple[object, ...]]]
) -> None:
    lease = runner().take_lease(OWNER, "")
    lease.begin_run(RUN)

    def die() -> None:
        with lease._transaction("it", fenced=True) as connection:  # noqa: SLF001
            connection.execute(text("INSERT INTO reconciler_trust VALUES (:owner, '*', 1, 'me')"), {"owner": OWNER})
            pid = connection.scalar(text("SELECT pg_backend_pid()"))
            sql(f"SELECT pg_terminate_backend({pid})")
            time.sleep(0.2)

    with pytest.raises(LedgerError, match="it was not recorded"):
        die()
    assert runner().trusted(OWNER) == {}
    number = lease.intend(CREATE)
    assert [row.id for row in runner().open_intents(OWNER)] == [number]
    lease.release()


def test_writers_of_one_owner_come_one_after_another_and_each_commit_waits_for_the_disk(
    runner: Open, database: str, sql: Callable[[str], list[tuple[object, ...]]]
) -> None:
    sql(f"ALTER DATABASE {make_url(database).database} SET synchronous_commit = off")
    assert sql("SELECT current_setting('synchronous_commit')") == [("off",)]
    with runner().take_lease(OWNER, "") as lease:
        lease.intend(CREATE)
        with lease._transaction("it", fenced=True) as connection:  # noqa: SLF001
            assert connection.scalar(text("SELECT current_setting('synchronous_commit')")) == "on"
        locked = threading.Event()

        def hold() -> None:
            with lease._transaction("a slow one", fenced=True):  # noqa: SLF001
                locked.set()
                time.sleep(0.5)

        slow = threading.Thread(target=hold)
        slow.start()
        locked.wait(5)
        lease.put_entry(ENTRY)  # one after another, by the owner's row
        slow.join()
    assert list(runner().entries(OWNER)) == [ENTRY.address]


def test_others_tables_may_stand_beside_ours_and_a_newer_release_is_not_overwritten(
    runner: Open, sql: Callable[[str], list[tuple[object, ...]]]
) -> None:
    sql("CREATE TABLE customers (id int)")
    assert runner().entries(OWNER) == {}, "reading makes no table"
    assert sql("SELECT count(*) FROM pg_tables WHERE tablename LIKE 'reconciler%'") == [(0,)]
    runner().take_lease(OWNER, "").release()
    sql("UPDATE reconciler_meta SET value = '99' WHERE key = 'version'")
    for use in (lambda: runner().entries(OWNER), lambda: runner().take_lease(OWNER, "")):
        with pytest.raises(LedgerError, match="ledger-newer"):
            use()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "is not set"),
        ("not an address", "no address of a database"),
        ("mysql://root@localhost/x", "no address of a database"),
    ],
)
def test_an_address_that_is_none_is_told_with_what_was_expected(url: str, says: str) -> None:
    with pytest.raises(ReconcilerError, match=rf"{says}.*\[ledger-url\]"):
        open_postgresql_ledger({"RECONCILER_LEDGER_URL": url}, now=lambda: NOW, redact=str)


def test_a_server_that_does_not_answer_is_told_without_the_password() -> None:
    url = "postgresql://bot:canary-pa55word@127.0.0.1:9/ledger"
    ledger = open_postgresql_ledger({"RECONCILER_LEDGER_URL": url}, now=lambda: NOW, redact=str)
    told = [ledger.location]
    for use in (lambda: ledger.entries(OWNER), lambda: ledger.take_lease(OWNER, "")):
        with pytest.raises(LedgerError) as error:
            use()
        told.append(str(error.value))
    assert all("127.0.0.1:9/ledger" in one for one in told)
    assert not any("canary" in one for one in told)


def test_the_command_line_keeps_its_record_there_and_a_second_run_is_refused(
    fleet: Any, database: str, runner: Open
) -> None:
    fleet.write(LLM)
    fleet.apply()
    config = fleet.project.root / "reconciler.yaml"
    config.write_text(config.read_text(encoding="utf-8") + "  ledger: {type: postgresql}\n", encoding="utf-8")
    unset = fleet.project.run("plan")
    assert (unset.returncode, "[ledger-url]" in unset.stderr) == (1, True)
    fleet.project.env["RECONCILER_LEDGER_URL"] = database
    moved = fleet.project.run("ledger", "migrate", "--from", "sqlite")
    assert "1 entry and 1 run came from .reconciler/ledger.db" in moved.stdout, moved.stderr
    fleet.drop_ledger()
    fleet.assert_settled()
    fleet.edit(LLM, "llm:1", "llm:2")
    with runner().take_lease("shop", "another runner"):
        assert "another runner" in fleet.apply(code=4).stderr
    fleet.apply()
    fleet.assert_settled()
    assert len(fleet.writes_of(LLM)) == 2
    assert "postgresql local/ledger_" in fleet.project.run("ledger", "show", "-o", "json").stdout
