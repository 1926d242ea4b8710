"""The lease between real processes (cases C39, C46): one writes, death frees it at once, open intents stay."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.diff.live import Applied
from reconciler.ledger import IntentRow, IntentState, LeaseLost, open_ledger
from reconciler.problems import Refused

OWNER = "shop/dev"
Spawn = Callable[[str], "subprocess.Popen[str]"]
HOLD = (
    "lease = ledger.take_lease('shop/dev', 'ci run 7')\n"
    "row = IntentRow(owner='shop/dev', run='run-1', address='theta/Deployment/chat', op='create', op_id='abcdef')\n"
    "print(lease.intend(row), flush=True)\n"
    "sys.stdin.read()\n"
)
ENTRY = Applied(address="theta/Deployment/chat", kind="theta/Deployment", live_id="shard-1/abc")
INTENT = IntentRow(owner=OWNER, run="run-2", address=ENTRY.address, op="create", op_id="second")


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_the_second_process_is_refused_and_told_who_works(tmp_path: Path, spawn: Spawn) -> None:
    holder = spawn(HOLD)
    assert first_line(holder) == "1"
    with pytest.raises(Refused, match=rf"ci run 7, process {holder.pid} on .*, since 20\d\d-.* UTC") as caught:
        open_ledger({}, tmp_path).take_lease(OWNER, "")
    assert caught.value.problems[0].code == "lease-held"
    assert [row.op_id for row in open_ledger({}, tmp_path).open_intents(OWNER)] == ["abcdef"]


def test_sigkill_frees_the_lease_at_once_and_leaves_the_intent_open(tmp_path: Path, spawn: Spawn) -> None:
    holder = spawn(HOLD)
    first_line(holder)
    holder.kill()
    holder.wait()
    ledger = open_ledger({}, tmp_path)
    assert [(row.id, row.op_id, row.state) for row in ledger.open_intents(OWNER)] == [(1, "abcdef", IntentState.OPEN)]
    with ledger.take_lease(OWNER, "") as lease:
        assert lease.epoch == 2
        lease.close_intent(1, IntentState.FAILED, note="absent after the settle window")
    assert ledger.open_intents(OWNER) == ()
    assert ledger.notes == ()


def test_a_stopped_process_keeps_its_lease(tmp_path: Path, spawn: Spawn) -> None:
    holder = spawn(HOLD)
    first_line(holder)
    holder.send_signal(signal.SIGSTOP)
    with pytest.raises(Refused, match="lease-held"):
        open_ledger({}, tmp_path).take_lease(OWNER, "", wait_s=0.3)


def test_processes_that_race_for_a_new_ledger_end_as_one_holder(spawn: Spawn) -> None:
    racers = [
        spawn(
            "try:\n lease = ledger.take_lease('shop/dev', ''); print('works', flush=True)\n"
            "except Refused: print('refused', flush=True)\n"
            "sys.stdin.read()\n"
        )
        for _ in range(4)
    ]
    assert sorted(map(first_line, racers)) == ["refused"] * 3 + ["works"]


def test_processes_of_several_owners_write_into_one_ledger_side_by_side(tmp_path: Path, spawn: Spawn) -> None:
    program = (
        "with ledger.take_lease('shop/{0}', '') as lease:\n"
        " for number in range(20):\n"
        "  row = IntentRow(owner='shop/{0}', run='r', address='a/B/c', op='create', op_id=str(number))\n"
        "  lease.close_intent(lease.intend(row), IntentState.DONE)\n"
        " lease.intend(row)\n"
        "print('ended', flush=True)\n"
    )
    racers = [spawn(program.format(name)) for name in ("a", "b", "c")]
    assert [first_line(racer) for racer in racers] == ["ended"] * 3
    ledger = open_ledger({}, tmp_path)
    assert [len(ledger.open_intents(f"shop/{name}")) for name in ("a", "b", "c")] == [1, 1, 1]


@pytest.mark.parametrize("moment", range(6))
def test_a_ledger_survives_a_kill_at_any_moment(tmp_path: Path, spawn: Spawn, moment: int) -> None:
    """An entry is there exactly when its intent is closed, and every intent that was told durable is there.

    Also when several threads share a transaction.
    """
    workers = 1 if moment % 2 else 4
    writer = spawn(
        "import os\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from reconciler.diff.live import Applied\n"
        "lease = ledger.take_lease('shop/dev', '')\n"
        "def write(number):\n"
        " address = f'a/B/{number}'\n"
        " row = lease.intend(IntentRow(owner='shop/dev', run='r', address=address, op='create', op_id=str(number)))\n"
        " os.write(1, f'{number}\\n'.encode())\n"
        " lease.close_intent(row, IntentState.DONE, entry=Applied(address=address, kind='a/B', live_id='x'))\n"
        f"list(ThreadPoolExecutor({workers}).map(write, range(10_000)))\n"
    )
    first = first_line(writer)
    time.sleep(0.02 + moment * 0.011)
    writer.kill()
    out, _ = writer.communicate()
    told = {int(number) for number in (first, *out.split())}
    ledger = open_ledger({}, tmp_path)
    with ledger.take_lease(OWNER, ""):
        assert ledger.notes == ()
        known = {int(address.rpartition("/")[2]) for address in ledger.entries(OWNER)}
        still_open = {int(row.op_id) for row in ledger.open_intents(OWNER)}
    assert not known & still_open
    assert told <= known | still_open
    if workers == 1:
        assert known | still_open == set(range(max(known | still_open) + 1)), "and none before them is missing"
    assert len(still_open) <= workers


def test_a_runner_that_lost_its_lock_file_writes_nothing_more_but_what_it_heard(tmp_path: Path) -> None:
    ledger = open_ledger({}, tmp_path)
    first = ledger.take_lease(OWNER, "first")
    number = first.intend(INTENT)
    next(tmp_path.glob(".reconciler/ledger.db.shop.dev.lock")).unlink()
    with ledger.take_lease(OWNER, "second") as second:
        for write in (first.check, lambda: first.put_entry(ENTRY), lambda: first.intend(INTENT)):
            with pytest.raises(LeaseLost):
                write()
        first.note_evidence(number, "shard-1/abc", {"endpoint": "https://x"})
        second.check()
        assert ledger.entries(OWNER) == {}
        assert [(row.id, row.live_id) for row in ledger.open_intents(OWNER)] == [(number, "shard-1/abc")]
        first.release()
        second.check()


def test_an_older_epoch_is_fenced_off_even_when_its_lock_looks_whole(tmp_path: Path) -> None:
    ledger = open_ledger({}, tmp_path)
    with ledger.take_lease(OWNER, "first") as first:
        lock = next(tmp_path.glob(".reconciler/ledger.db.shop.dev.lock"))
        hidden = lock.rename(tmp_path / "hidden")
        ledger.take_lease(OWNER, "second").release()
        hidden.rename(lock)
        with pytest.raises(LeaseLost, match="another run has taken over shop/dev: the entry of"):
            first.put_entry(ENTRY)
        with pytest.raises(LeaseLost, match="another run has taken over"):
            first.check()
    assert ledger.entries(OWNER) == {}


def test_a_ledger_removed_under_a_run_is_not_written_into_the_void(tmp_path: Path) -> None:
    with open_ledger({}, tmp_path).take_lease(OWNER, "") as lease:
        lease.put_entry(ENTRY)
        (tmp_path / ".reconciler/ledger.db").unlink()
        with pytest.raises(LeaseLost, match="removed or replaced"):
            lease.intend(INTENT)
