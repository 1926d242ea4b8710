"""The Git home: a branch that several runners change by compare-and-swap. Source: SETTLEMENT §§8, 9.

The remote is a real bare repository; faults come from its own hooks, or from a `git` in front of the real one.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.ledger import IntentState, LeaseLost, LedgerError, RunStatus
from reconciler.ledger.git import GitLedger
from reconciler.ledger.git_lease import Term
from reconciler.ledger.git_repository import GitRepository
from reconciler.problems import Refused
from tests.ledger.conftest import git, make_repository
from tests.ledger.test_contract import CHAT, CREATE, ENTRY, NOW, OWNER, RUN

FILE = "shop/dev.json"
BRANCH = "reconciler-ledger"


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return make_repository(tmp_path)


Clone = Callable[..., GitLedger]


@pytest.fixture
def clone(tmp_path: Path, remote: Path) -> Clone:
    """A ledger in a clone of its own, as another runner has it."""
    number = 0

    def make(*, ttl_s: float = 600.0, beat_s: float = 120.0, now: Callable[[], float] = lambda: NOW) -> GitLedger:
        nonlocal number
        number += 1
        root = tmp_path / f"runner-{number}"
        git(tmp_path, "clone", "-q", "--depth=1", f"file://{remote}", str(root))
        repository = GitRepository(root, remote="origin", branch=BRANCH)
        return GitLedger(repository, now=now, redact=str, term=Term(ttl_s=ttl_s, beat_s=beat_s))

    return make


def stored(remote: Path, path: str = FILE) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(git(remote, "show", f"{BRANCH}:{path}"))
    return found


def pushes(remote: Path) -> int:
    return int(git(remote, "rev-list", "--count", BRANCH))


@pytest.fixture
def lose_replies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a `git` in front of the real one that does (or not) what it is told, and then fails."""
    real = shutil.which("git")
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def fail(script: str) -> None:
        file = folder / "git"
        file.write_text(f'#!/bin/sh\nreal={real}\ncase " $* " in *" push "*) {script} ;; esac\nexec "$real" "$@"\n')
        file.chmod(0o755)

    return fail


def test_the_branch_holds_one_readable_file_an_owner_and_touches_nothing_else(clone: Clone, remote: Path) -> None:
    ledger = clone()
    root = ledger._repository.root  # noqa: SLF001 - the clone whose innocence is checked
    (root / "work.txt").write_text("mine")
    (root / ".git/hooks/pre-push").write_text("#!/bin/sh\necho ran > hook-ran\nexit 1\n")
    (root / ".git/hooks/pre-push").chmod(0o755)
    before = git(root, "status", "--porcelain"), git(root, "rev-parse", "HEAD")
    with ledger.take_lease(OWNER, "https://ci/1") as lease:
        lease.put_entry(ENTRY)
    with clone().take_lease("shop/prod", "") as lease:
        lease.put_entry(replace(ENTRY, live_id="other"))
    assert (git(root, "status", "--porcelain"), git(root, "rev-parse", "HEAD")) == before
    assert not (root / "hook-ran").exists()
    assert git(remote, "ls-tree", "-r", "--name-only", BRANCH).split() == [FILE, "shop/prod.json"]
    found = stored(remote)
    assert found["entries"][CHAT]["live_id"] == ENTRY.live_id
    assert found["lease"]["holder"]["what"] == "https://ci/1"
    assert found["lease"]["released"] is True
    text = git(remote, "show", f"{BRANCH}:{FILE}")
    assert text == json.dumps(found, sort_keys=True, indent=1, ensure_ascii=False), "sorted, a line a value"
    assert git(remote, "branch", "--list").split()[-1] == BRANCH
    assert clone().entries("shop/prod")[CHAT].live_id == "other"


def test_an_intent_is_in_the_branch_before_intend_returns(clone: Clone, remote: Path) -> None:
    with clone().take_lease(OWNER, "") as lease:
        lease.begin_run(RUN)
        number = lease.intend(CREATE)
        assert [row["id"] for row in stored(remote)["intents"]] == [number]
        lease.close_intent(number, IntentState.DONE, live_id="L1", entry=ENTRY)
        assert stored(remote)["intents"][0]["state"] == "done"
        assert stored(remote)["entries"][CHAT]["live_id"] == ENTRY.live_id


def test_transactions_of_many_threads_share_pushes_and_none_is_lost(clone: Clone, remote: Path) -> None:
    with clone().take_lease(OWNER, "") as lease:
        lease.begin_run(RUN)
        before = pushes(remote)
        with ThreadPoolExecutor(16) as pool:
            ids = list(pool.map(lambda n: lease.intend(replace(CREATE, op_id=f"op{n}")), range(32)))
        assert sorted(ids) == [row["id"] for row in stored(remote)["intents"]]
        assert pushes(remote) - before < 20


def test_owners_work_side_by_side_on_one_branch(clone: Clone, remote: Path) -> None:
    ledgers = [clone() for _ in range(3)]

    def work(number: int) -> None:
        with ledgers[number].take_lease(f"shop/env{number}", "") as lease:
            for _ in range(4):
                lease.put_entry(ENTRY)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, range(3)))
    assert all(stored(remote, f"shop/env{number}.json")["entries"] for number in range(3))


def test_runners_that_race_for_a_new_branch_end_as_one_holder(clone: Clone) -> None:
    ledgers = [clone() for _ in range(4)]
    start = threading.Barrier(4)
    taken: list[object] = []

    def take(ledger: GitLedger) -> None:
        start.wait()
        try:
            taken.append(ledger.take_lease(OWNER, ""))
        except Refused as error:
            taken.append(error.problems[0].code)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(take, ledgers))
    assert sum(one == "lease-held" for one in taken) == 3


def test_a_push_whose_reply_was_lost_is_found_out_by_reading(clone: Clone, remote: Path, lose_replies: Any) -> None:
    with clone().take_lease(OWNER, "") as lease:
        lose_replies('"$real" "$@" >/dev/null 2>&1; echo "fatal: the remote end hung up" >&2; exit 128')
        lease.put_entry(ENTRY)
        assert CHAT in stored(remote)["entries"]
        lose_replies("true")
    assert stored(remote)["lease"]["released"] is True


def test_a_push_that_did_not_happen_is_no_record_and_the_next_one_brings_all(
    clone: Clone, remote: Path, lose_replies: Any
) -> None:
    with clone().take_lease(OWNER, "") as lease:
        lease.begin_run(RUN)
        number = lease.intend(CREATE)
        lose_replies('echo "fatal: unable to access" >&2; exit 128')
        with pytest.raises(LedgerError, match=r"outcome of intent 1 .* was not recorded"):
            lease.close_intent(number, IntentState.DONE, live_id="L1", entry=ENTRY)
        assert stored(remote)["intents"][0]["state"] == "open"
        with pytest.raises(LedgerError, match="was not recorded"):
            lease.intend(replace(CREATE, op_id="next"))
        lose_replies("true")
        lease.end_run(RUN.id, RunStatus.INCOMPLETE, NOW)
    assert [row["state"] for row in stored(remote)["intents"]] == ["done", "open"]


def test_a_remote_that_refuses_says_so_and_nothing_is_sent(clone: Clone, remote: Path) -> None:
    ledger = clone()
    hook = remote / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\necho this branch is protected >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(LedgerError, match="git push failed") as caught:
        ledger.take_lease(OWNER, "")
    assert "declined" in str(caught.value) or "protected" in str(caught.value)


def test_nothing_is_shown_of_a_password_in_an_address(tmp_path: Path) -> None:
    make_repository(tmp_path)
    git(tmp_path, "remote", "set-url", "origin", "https://bot:hunter2@127.0.0.1:1/x.git")
    ledger = GitLedger(GitRepository(tmp_path, remote="origin", branch=BRANCH), now=time.time, redact=str)
    with pytest.raises(LedgerError) as caught:
        ledger.entries(OWNER)
    assert "hunter2" not in str(caught.value)
    assert "127.0.0.1" in str(caught.value)


def test_a_second_runner_is_refused_and_told_who_works(clone: Clone) -> None:
    with clone().take_lease(OWNER, "https://ci/run/1"), pytest.raises(Refused, match="https://ci/run/1"):
        clone().take_lease(OWNER, "https://ci/run/2")


def test_a_lease_is_taken_over_only_when_its_beat_stood_still_for_its_whole_time(clone: Clone, remote: Path) -> None:
    dead = clone(ttl_s=1.0, beat_s=3600.0).take_lease(OWNER, "dead")
    dead._ended.set()  # noqa: SLF001 - its process is gone: no beat, no farewell
    begun = time.monotonic()
    lease = clone(ttl_s=1.0).take_lease(OWNER, "heir", wait_s=30)
    assert time.monotonic() - begun > 5, "its time, and five seconds for the clocks"
    assert lease.epoch == dead.epoch + 1
    with pytest.raises(LeaseLost):
        dead.intend(CREATE)
    lease.release()
    assert stored(remote)["intents"] == []


def test_a_lease_that_beats_is_waited_for(clone: Clone) -> None:
    with clone(ttl_s=2.0, beat_s=0.5).take_lease(OWNER, "alive") as lease:
        with pytest.raises(Refused):
            clone(ttl_s=2.0).take_lease(OWNER, "", wait_s=4)
        lease.put_entry(ENTRY)


def test_a_lease_long_over_is_taken_at_once(clone: Clone) -> None:
    dead = clone(now=lambda: NOW).take_lease(OWNER, "dead")
    dead._ended.set()  # noqa: SLF001
    later = clone(now=lambda: NOW + 600 + 301)
    assert later.take_lease(OWNER, "heir").epoch == dead.epoch + 1


def test_a_lease_that_a_person_breaks_is_free_and_its_holder_writes_nothing_more(clone: Clone, remote: Path) -> None:
    dead = clone().take_lease(OWNER, "dead")
    dead.intend(CREATE)
    assert "dead" in clone().unlock(OWNER)
    assert clone().unlock(OWNER) == "", "nobody holds it now"
    with pytest.raises(LeaseLost):
        dead.put_entry(ENTRY)
    with clone().take_lease(OWNER, "heir") as heir:
        assert heir.epoch == dead.epoch + 1
        assert [row["state"] for row in stored(remote)["intents"]] == ["open"]


def test_a_runner_that_slept_through_its_lease_writes_nothing_more_but_what_it_heard(
    clone: Clone, remote: Path
) -> None:
    clock = [NOW]
    sleeper = clone(now=lambda: clock[0]).take_lease(OWNER, "laptop")
    sleeper.begin_run(RUN)
    number = sleeper.intend(CREATE)
    clock[0] += 3600  # the monotonic clock stood still, the wall clock did not
    with pytest.raises(LeaseLost, match="ran out"):
        sleeper.check()
    with clone(now=lambda: clock[0]).take_lease(OWNER, "heir") as heir:
        heir.put_entry(ENTRY)
        with pytest.raises(LeaseLost):
            sleeper.intend(replace(CREATE, op_id="more"))
        sleeper.note_evidence(number, "L9", {"endpoint": "https://x"})
        assert stored(remote)["intents"][0]["evidence"] == {"endpoint": "https://x"}
        assert stored(remote)["intents"][0]["live_id"] == "L9"
        assert CHAT in stored(remote)["entries"]
    sleeper.release()
    assert stored(remote)["lease"]["holder"]["what"] == "heir"


def test_check_renews_a_lease_that_is_too_short_for_the_next_request(clone: Clone, remote: Path) -> None:
    clock = [NOW]
    with clone(now=lambda: clock[0]).take_lease(OWNER, "", margin_s=120) as lease:
        lease.check()
        assert stored(remote)["lease"]["beat"] == 0
        clock[0] += 500
        lease.check()
        assert stored(remote)["lease"]["beat"] == 1
        assert stored(remote)["lease"]["expires"] == NOW + 500 + 600
        lease.check()
        assert stored(remote)["lease"]["beat"] == 1


def test_our_file_changed_by_somebody_else_ends_the_lease(clone: Clone, tmp_path: Path, remote: Path) -> None:
    lease = clone().take_lease(OWNER, "")
    editor = tmp_path / "editor"
    git(tmp_path, "clone", "-q", "-b", BRANCH, f"file://{remote}", str(editor))
    (editor / FILE).write_text((editor / FILE).read_text().replace('"beat": 0', '"beat": 7'))
    git(editor, "commit", "-qam", "by hand")
    git(editor, "push", "-q", "origin", BRANCH)
    with pytest.raises(LeaseLost, match="another run has taken over"):
        lease.put_entry(ENTRY)
    with pytest.raises(LeaseLost):
        lease.check()


@pytest.mark.parametrize(
    ("content", "code"),
    [("{not json", "ledger-damaged"), ('{"schema": 1, "entries": [1]}', "ledger-damaged"), ('{"schema": 99}', "newer")],
)
def test_a_file_that_cannot_be_read_stops_the_run_instead_of_reading_as_empty(
    clone: Clone, tmp_path: Path, remote: Path, content: str, code: str
) -> None:
    with clone().take_lease(OWNER, "") as lease:
        lease.put_entry(ENTRY)
    editor = tmp_path / "editor"
    git(tmp_path, "clone", "-q", "-b", BRANCH, f"file://{remote}", str(editor))
    (editor / FILE).write_text(content)
    git(editor, "commit", "-qam", "by hand")
    git(editor, "push", "-q", "origin", BRANCH)
    with pytest.raises(LedgerError, match=code):
        clone().entries(OWNER)
    with pytest.raises(LedgerError, match=code):
        clone().take_lease(OWNER, "")


def test_a_long_history_is_dropped_and_the_content_stays(
    clone: Clone, remote: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.ledger.git_lease._MOST_COMMITS", 5)
    with clone().take_lease(OWNER, "") as lease:
        for number in range(8):
            lease.put_entry(replace(ENTRY, live_id=f"L{number}"))
    assert pushes(remote) == 1
    assert clone().entries(OWNER)[CHAT].live_id == "L7"


def test_without_a_repository_or_a_remote_it_says_what_is_missing(tmp_path: Path) -> None:
    repository = GitRepository(tmp_path, remote="origin", branch=BRANCH)
    with pytest.raises(LedgerError, match="the project is in no Git repository"):
        GitLedger(repository, now=time.time, redact=str).entries(OWNER)
    git(tmp_path, "init", "-q")
    git(tmp_path, "remote", "add", "fork", "https://example.com/x.git")
    with pytest.raises(LedgerError, match="no remote 'origin'"):
        GitLedger(repository, now=time.time, redact=str).entries(OWNER)
