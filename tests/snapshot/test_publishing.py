"""The snapshot on the branch of the Git ledger: how it gets there, and how somebody without a credential gets it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from reconciler.cli.snapshot import _publish
from reconciler.ledger.errors import LedgerError
from reconciler.ledger.git_repository import GitRepository
from reconciler.problems import ReconcilerError
from reconciler.render.seal import dump, seal
from tests.conftest import Project

BRANCH: Final = "reconciler-ledger"
PATH: Final = "snapshots/shop/dev.json"


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def cloned(project: Project, tmp_path: Path) -> Project:
    """A clone of a shared repository, with one notebook on the embedded emulator and the ledger on Git."""
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "shared.git")
    git(project.root, "init", "-q", "-b", "main")
    git(project.root, "remote", "add", "origin", str(tmp_path / "shared.git"))
    project.write(
        "reconciler.yaml",
        """\
        apiVersion: reconciler/v1
        kind: Project
        metadata: {name: shop}
        spec:
          defaultEnvironment: dev
          environments: {dev: {}}
          providers: {modelarts: {type: modelarts, endpoint: emulator}}
          ledger: {type: git}
        """,
    )
    project.write(
        "resources/ann.yaml",
        """\
        apiVersion: modelarts/v1
        kind: Notebook
        metadata: {name: ann}
        spec:
          profile_id: Multi-Engine 2.0 (python3)
          flavor: modelarts.vm.cpu.2u
          spec: {storage: {type: obs, location: {path: /shop-research/ann/}}}
        """,
    )
    git(project.root, "add", "reconciler.yaml", "resources")
    who = ("-c", "user.name=ann", "-c", "user.email=ann@example.com")
    git(project.root, *who, "commit", "-q", "-m", "spec")
    git(project.root, "push", "-q", "origin", "main")
    return project


def test_published_beside_the_ledger_it_is_fetched_without_a_credential(cloned: Project, tmp_path: Path) -> None:
    file, shared = tmp_path / "live.json", tmp_path / "shared.git"
    done = cloned.run("snapshot", "--published", "--out", str(file))
    assert (done.returncode, "[no-snapshot]" in done.stderr, file.exists()) == (1, True, False), done.stderr
    assert cloned.run("apply", "--yes").returncode == 0
    ledger = git(shared, "show", f"{BRANCH}:shop/dev.json")

    done = cloned.run("snapshot", "--publish")
    assert (done.returncode, PATH in done.stderr) == (0, True), done.stderr
    tip = git(shared, "rev-parse", BRANCH)
    assert git(shared, "show", f"{BRANCH}:shop/dev.json") == ledger
    done = cloned.run("snapshot", "--publish")
    assert (done.returncode, "nothing was pushed" in done.stderr) == (0, True), done.stderr
    assert git(shared, "rev-parse", BRANCH) == tip

    git(tmp_path, "clone", "-q", "--depth=1", f"file://{shared}", "fork")
    fork = Project(tmp_path / "fork", cloned.zygote, {"CI": "true"})
    done = fork.run("snapshot", "--published", "--out", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert file.read_text(encoding="utf-8") == git(shared, "show", f"{BRANCH}:{PATH}") + "\n"
    done = fork.run("plan", "--live", str(file))
    assert (done.returncode, "1 resource is live as the spec says" in done.stdout) == (0, True), done.stdout
    assert json.loads(file.read_bytes())["revision"] == git(cloned.root, "rev-parse", "HEAD")
    assert not (fork.root / ".reconciler").exists()

    # The ledger goes on beside it.
    (cloned.root / "resources/ann.yaml").write_text("", encoding="utf-8")
    done = cloned.run("apply", "--yes", "--allow-empty-spec")
    assert done.returncode == 0, done.stderr
    assert sorted(git(shared, "ls-tree", "-r", "--name-only", BRANCH).splitlines()) == ["shop/dev.json", PATH]
    repository = GitRepository(cloned.root, "origin", BRANCH)
    assert set(repository.files(repository.squash(repository.fetch(), "history dropped"))) == {"shop/dev.json", PATH}


class Hurried(GitRepository):
    """Somebody else pushes right before each of our first pushes."""

    def commit(self, parent: str, files: Mapping[str, str], message: str) -> str:
        tries = self.root / ".git" / "tries"
        count = int(tries.read_text()) if tries.exists() else 0
        tries.write_text(str(count + 1))
        if count < 2:
            theirs = GitRepository.commit(self, parent, {f"their{count}.json": "{}"}, "theirs")
            GitRepository.push(self, theirs, parent)
        return GitRepository.commit(self, parent, files, message)


def test_pushes_of_others_survive_ours(cloned: Project) -> None:
    repository = Hurried(cloned.root, "origin", BRANCH)
    _publish(repository, shot(1_000.0), PATH)
    assert set(repository.files(repository.fetch())) == {"their0.json", "their1.json", PATH}


def test_what_has_changed_is_pushed_and_time_alone_only_after_an_hour(cloned: Project) -> None:
    repository = GitRepository(cloned.root, "origin", BRANCH)

    def publish(taken_at: float, **values: Any) -> float:
        _publish(repository, shot(taken_at, **values), PATH)
        return float(json.loads(repository.read(repository.fetch(), PATH)[1])["taken_at"])

    assert publish(1_000.0) == 1_000
    assert publish(4_000.0) == 1_000
    assert publish(4_000.0, released=["x"]) == 4_000
    assert publish(7_600.0, released=["x"]) == 7_600


def test_an_outage_does_not_replace_what_is_whole(cloned: Project) -> None:
    repository = GitRepository(cloned.root, "origin", BRANCH)
    whole, failed = ([{"provider": "p", "verdict": verdict}] for verdict in ("complete", "failed"))
    for taken_at, listings, stays in ((1_000.0, failed, 1_000), (2_000.0, whole, 2_000), (90_000.0, failed, 2_000)):
        _publish(repository, shot(taken_at, listings=listings), PATH)
        assert json.loads(repository.read(repository.fetch(), PATH)[1])["taken_at"] == stays


def test_a_saved_snapshot_is_published_by_who_holds_no_credential(cloned: Project, tmp_path: Path) -> None:
    file = tmp_path / "live.json"
    assert cloned.run("snapshot", "--out", str(file)).returncode == 0
    before = set(cloned.root.rglob("*"))
    done = cloned.run("snapshot", "--publish", "--from", str(file))
    assert (done.returncode, PATH in done.stderr) == (0, True), done.stderr
    assert {path for path in set(cloned.root.rglob("*")) - before if ".git" not in path.parts} == set(), "no emulator"
    published = GitRepository(cloned.root, "origin", BRANCH)
    assert published.read(published.fetch(), PATH)[1] == file.read_text(encoding="utf-8")
    for words in (["--from", str(file)], ["--publish", "--from", str(tmp_path / "none.json")]):
        assert cloned.run("snapshot", *words).returncode in {1, 64}


def test_what_is_no_snapshot_is_not_written_over(cloned: Project) -> None:
    repository = GitRepository(cloned.root, "origin", BRANCH)
    ledger = '{"format": "reconciler-ledger/1", "schema": 1}\n'
    repository.push(repository.commit("", {PATH: ledger}, "a ledger of that name"), "")
    with pytest.raises(ReconcilerError, match="not-a-snapshot"):
        _publish(repository, shot(1_000.0), PATH)
    assert repository.read(repository.fetch(), PATH)[1] == ledger


def test_a_remote_that_is_no_name_of_this_clone_is_never_asked(cloned: Project) -> None:
    with pytest.raises(LedgerError, match="has no remote"):
        _publish(GitRepository(cloned.root, "https://evil.example", BRANCH), shot(1_000.0), PATH)


def shot(taken_at: float, **values: Any) -> dict[str, Any]:
    """A small snapshot."""
    data = {"format": "reconciler-snapshot/1", "owner": "shop/dev", "taken_at": taken_at, "released": []}
    providers = [{"name": "p", "now": taken_at}]
    sealed = seal({**data, "providers": providers, **values})
    assert json.loads(dump(sealed)) == sealed
    return sealed
