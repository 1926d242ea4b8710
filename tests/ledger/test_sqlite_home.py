"""What the SQLite home does with its files: nothing on reading, cold after damage, plain words when a disk says no."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, event

from reconciler.diff.live import Applied
from reconciler.ledger import IntentRow, IntentState, Ledger, LedgerError, open_ledger
from reconciler.ledger.lease import network_file_system
from reconciler.ledger.tables import METADATA, SCHEMA_VERSION, migrate, schema_version
from reconciler.problems import ReconcilerError

OWNER = "shop/dev"
ENTRY = Applied(address="theta/Deployment/chat", kind="theta/Deployment", live_id="shard-1/abc")
INTENT = IntentRow(owner=OWNER, run="run-1", address=ENTRY.address, op="create", op_id="abcdef")


def opened(root: Path, path: str = "") -> Ledger:
    return open_ledger({"type": "sqlite", "path": path}, root)


def filled(root: Path, path: str = "") -> Path:
    with opened(root, path).take_lease(OWNER, "") as lease:
        lease.put_entry(ENTRY)
    return root / (path or ".reconciler/ledger.db")


USES: tuple[Callable[[Ledger], object], ...] = (
    lambda ledger: ledger.entries(OWNER),
    lambda ledger: ledger.take_lease(OWNER, ""),
)


def files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*")}


def read_all(ledger: Ledger) -> None:
    ledger.entries(OWNER)
    ledger.open_intents(OWNER)
    ledger.runs(OWNER)
    ledger.is_cold(OWNER)


def test_reading_makes_no_file(tmp_path: Path) -> None:
    read_all(opened(tmp_path))
    assert files(tmp_path) == set()
    filled(tmp_path)
    before = files(tmp_path)
    read_all(opened(tmp_path))
    assert files(tmp_path) == before


def test_the_first_lease_makes_a_folder_that_git_ignores(tmp_path: Path) -> None:
    filled(tmp_path)
    assert (tmp_path / ".reconciler/.gitignore").read_text() == "*\n"
    placed = tmp_path / "elsewhere"
    filled(placed, str(placed / "deep/l.db"))
    assert (placed / "deep/l.db").exists()
    assert not (placed / "deep/.gitignore").exists()
    assert opened(tmp_path).location == ".reconciler/ledger.db"


def test_commits_are_flushed_to_the_disk_and_logged_ahead(tmp_path: Path) -> None:
    seen: list[tuple[str, int]] = []

    def look(connection: sqlite3.Connection, _record: object) -> None:
        mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
        seen.append((mode, connection.execute("PRAGMA synchronous").fetchone()[0]))

    event.listen(Engine, "connect", look)
    try:
        filled(tmp_path)
    finally:
        event.remove(Engine, "connect", look)
    full = 2
    assert seen == [("wal", full)]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"hello, I am a note\n", id="a text"),
        pytest.param(b"SQLite format 3\x00" + b"\x7f" * 40, id="half a header"),
        pytest.param(os.urandom(9000), id="noise"),
    ],
)
def test_an_unreadable_file_is_set_aside_and_the_run_goes_on_cold(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / ".reconciler/ledger.db"
    path.parent.mkdir()
    path.write_bytes(content)
    reader = opened(tmp_path)
    read_all(reader)
    assert reader.is_cold(OWNER)
    assert len(reader.notes) == 1
    assert "read as empty" in reader.notes[0]
    assert files(path.parent) == {"ledger.db"}

    ledger = opened(tmp_path)
    with ledger.take_lease(OWNER, "") as lease:
        lease.put_entry(ENTRY)
        assert ledger.is_cold(OWNER)
        assert list(ledger.entries(OWNER)) == [ENTRY.address]
    assert path.with_name("ledger.db.unreadable-1").read_bytes() == content
    assert len(ledger.notes) == 1
    assert "set aside as ledger.db.unreadable-1" in ledger.notes[0]

    path.write_bytes(content)
    opened(tmp_path).take_lease(OWNER, "").release()
    assert path.with_name("ledger.db.unreadable-2").read_bytes() == content


def test_a_ledger_cut_short_is_set_aside_whole(tmp_path: Path) -> None:
    path = filled(tmp_path)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    ledger = opened(tmp_path)
    ledger.take_lease(OWNER, "").release()
    assert "set aside" in ledger.notes[0]
    assert opened(tmp_path).entries(OWNER) == {}


def test_a_damaged_file_stays_while_another_run_writes_into_it(tmp_path: Path) -> None:
    path = filled(tmp_path)
    with opened(tmp_path).take_lease("shop/prod", ""):
        path.write_bytes(b"noise" * 2000)
        with pytest.raises(LedgerError, match="another run has it open"):
            opened(tmp_path).take_lease(OWNER, "")
        assert not path.with_name("ledger.db.unreadable-1").exists()
    opened(tmp_path).take_lease(OWNER, "").release()
    assert path.with_name("ledger.db.unreadable-1").exists()


def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "app.db")) as connection:
        connection.execute("CREATE TABLE customers (name)")
    before = (tmp_path / "app.db").read_bytes()
    for use in USES:
        with pytest.raises(LedgerError, match=r"app\.db: .*something else \(customers\)"):
            use(opened(tmp_path, "app.db"))
    assert (tmp_path / "app.db").read_bytes()[100:] == before[100:]


def test_a_file_outside_of_the_project_is_not_moved(tmp_path: Path) -> None:
    precious = tmp_path / "precious.txt"
    precious.write_text("a will, and a testament")
    root = tmp_path / "project"
    root.mkdir()
    with pytest.raises(LedgerError, match="stays where it is"):
        opened(root, "../precious.txt").take_lease(OWNER, "")
    assert precious.read_text() == "a will, and a testament"


def test_a_newer_ledger_is_neither_read_nor_moved(tmp_path: Path) -> None:
    path = filled(tmp_path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE reconciler_meta SET value = ?", (str(SCHEMA_VERSION + 1),))
    for use in USES:
        with pytest.raises(LedgerError, match="a newer release wrote it"):
            use(opened(tmp_path))
    assert path.exists()


def test_tables_go_forward_step_by_step_or_not_at_all() -> None:
    engine = create_engine("sqlite://")
    steps = {
        SCHEMA_VERSION: ["ALTER TABLE reconciler_runs ADD COLUMN host TEXT"],
        SCHEMA_VERSION + 1: ["ALTER TABLE reconciler_runs RENAME COLUMN host TO machine"],
    }
    with engine.begin() as connection:
        migrate(connection, "x")
        migrate(connection, "x")
        assert schema_version(connection, "x") == SCHEMA_VERSION
        migrate(connection, "x", migrations=steps, target=SCHEMA_VERSION + 2)
        connection.exec_driver_sql("SELECT machine FROM reconciler_runs")
        with pytest.raises(LedgerError, match="ledger-newer"):
            schema_version(connection, "x")
        METADATA.drop_all(connection)
    engine.dispose()


@contextmanager
def every_connection(pragma: str) -> Iterator[None]:
    """SQLite itself says no, as it does when the disk is full or mounted read-only."""

    def limit(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(pragma)

    event.listen(Engine, "connect", limit)
    try:
        yield
    finally:
        event.remove(Engine, "connect", limit)


def test_a_full_disk_is_told_before_anything_is_sent_and_spares_what_was_written(tmp_path: Path) -> None:
    path = filled(tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
    ledger = opened(tmp_path)
    with every_connection(f"PRAGMA max_page_count={pages}"), ledger.take_lease(OWNER, "") as lease:
        big = replace(INTENT, context={"steps": ["x" * 100_000]})
        with pytest.raises(LedgerError, match=r"the disk is full: the intent to create theta/Deployment/chat was not"):
            lease.intend(big)
        number = lease.intend(INTENT)  # a small one still fits: the failed transaction left nothing behind
        assert [row.id for row in ledger.open_intents(OWNER)] == [number]


def test_a_ledger_that_became_read_only_is_told_in_plain_words(tmp_path: Path) -> None:
    filled(tmp_path)
    ledger = opened(tmp_path)
    with every_connection("PRAGMA query_only=ON"):
        assert list(ledger.entries(OWNER)) == [ENTRY.address]
        with pytest.raises(LedgerError, match="it is read-only; nothing was sent"):
            ledger.take_lease(OWNER, "")
    opened(tmp_path).take_lease(OWNER, "").release()  # and nothing stayed locked


def test_an_outcome_that_can_not_be_noted_names_intent_and_id(tmp_path: Path) -> None:
    ledger = opened(tmp_path)
    with ledger.take_lease(OWNER, "") as lease:
        number = lease.intend(INTENT)
        with closing(sqlite3.connect(tmp_path / ".reconciler/ledger.db")) as connection:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
    with every_connection(f"PRAGMA max_page_count={pages}"), ledger.take_lease(OWNER, "") as lease:
        told = rf"intent {number} \(done, id shard-1/abc\) was not recorded"
        with pytest.raises(LedgerError, match=told):
            lease.close_intent(number, IntentState.DONE, live_id="shard-1/abc", note="x" * 100_000)
        assert [row.id for row in ledger.open_intents(OWNER)] == [number]


def test_a_folder_that_may_not_be_written_can_be_read_but_not_leased() -> None:
    # Not tmp_path: its parents may be closed to the user that the process changes to.
    root = Path(tempfile.mkdtemp())
    root.chmod(0o755)
    try:
        filled(root)
        (root / ".reconciler").chmod(0o555)
        (root / ".reconciler/ledger.db").chmod(0o444)
        for lock in root.glob(".reconciler/*.lock"):
            lock.chmod(0o444)
        program = (
            "import os, sys\nfrom pathlib import Path\nfrom reconciler.ledger import *\n"
            "os.geteuid() or os.setuid(65534)\n"
            "ledger = open_ledger({}, Path(sys.argv[1]))\n"
            "print(list(ledger.entries('shop/dev')))\n"
            "try: ledger.take_lease('shop/dev', '')\n"
            "except LedgerError as error: print(error)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", program, str(root)],
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            text=True,
            check=True,
        )
        first, second = done.stdout.splitlines()
        assert first == "['theta/Deployment/chat']"
        assert "Permission denied" in second
    finally:
        (root / ".reconciler").chmod(0o755)
        shutil.rmtree(root)


def test_a_folder_in_the_ledgers_place_is_an_error_for_people(tmp_path: Path) -> None:
    (tmp_path / ".reconciler/ledger.db").mkdir(parents=True)
    with pytest.raises(LedgerError, match="is not a file"):
        opened(tmp_path).entries(OWNER)
    with pytest.raises(LedgerError, match="can't be opened"):
        opened(tmp_path).take_lease(OWNER, "")


def test_no_canary_value_can_be_read_from_the_ledgers_bytes(tmp_path: Path) -> None:
    """Deleted rows included: what was once written stays in free pages and in the log."""
    ledger = open_ledger({}, tmp_path, redact=lambda text: text.replace("CANARY", "(secret)"))
    with ledger.take_lease(OWNER, "") as lease:
        number = lease.intend(INTENT)
        lease.close_intent(number, IntentState.FAILED, note="400: token CANARY", evidence={"said": "CANARY"})
        written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"CANARY" not in written
    assert b"400: token (secret)" in written


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("oracle", "expected one of sqlite, git, postgresql"),
        ("sqllite", "did you mean 'sqlite'"),
    ],
)
def test_other_homes_are_refused_in_words(tmp_path: Path, kind: str, says: str) -> None:
    with pytest.raises(ReconcilerError, match=says):
        open_ledger({"type": kind}, tmp_path)


def test_a_network_file_system_is_known_by_its_mount() -> None:
    mounts = (
        "22 1 8:1 / / rw - ext4 /dev/sda rw\n"
        "30 22 0:50 / /home rw shared:1 - nfs4 server:/home rw\n"
        "31 30 0:51 / /home/ann/my\\040disk rw - ext4 /dev/sdb rw\n"
        "32 22 0:52 / /homestead rw - xfs /dev/sdc rw\n"
    )
    found = {
        place: network_file_system(Path(place), mounts)
        for place in ("/srv/l.db", "/home/ann/l.db", "/home/ann/my disk/l.db", "/homestead/l.db")
    }
    assert found == {"/srv/l.db": "", "/home/ann/l.db": "nfs4", "/home/ann/my disk/l.db": "", "/homestead/l.db": ""}
