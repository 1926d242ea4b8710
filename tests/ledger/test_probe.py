"""Whether a ledger could be written is told without a write: no file, no branch, no table comes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import NullPool, create_engine, make_url, text

from reconciler.ledger import LedgerError, open_ledger
from reconciler.ledger.git_repository import GitRepository
from reconciler.ledger.probe import could_write
from reconciler.problems import Refused
from tests.ledger.conftest import git, make_repository

OWNER = "shop/dev"


def probe(config: dict[str, str], root: Path, environ: dict[str, str] | None = None) -> str:
    return could_write(config, root, open_ledger(config, root, environ=environ))


def test_a_file_needs_a_folder_on_a_local_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert probe({}, tmp_path).startswith("the folder can be written")
    assert list(tmp_path.iterdir()) == []
    open_ledger({}, tmp_path).take_lease(OWNER, "").release()
    assert probe({}, tmp_path).startswith("its file and its folder can be written")
    with monkeypatch.context() as patched:
        # Whoever runs the tests may be root, whom no mode stops.
        patched.setattr("reconciler.ledger.probe.os.access", lambda place, _: place.name != "ledger.db")
        with pytest.raises(LedgerError, match=r"this user may not write to ledger\.db"):
            probe({}, tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(LedgerError, match="file is a file, where a folder is expected"):
        probe({"path": "file/ledger.db"}, tmp_path)
    monkeypatch.setattr("reconciler.ledger.lease.network_file_system", lambda *_: "nfs4")
    with pytest.raises(Refused, match="network file system"):
        probe({}, tmp_path)


def test_a_branch_is_tried_with_a_push_that_sends_nothing(tmp_path: Path) -> None:
    config = {"type": "git"}
    remote = make_repository(tmp_path)
    before = git(remote, "for-each-ref")
    told = probe(config, tmp_path)
    assert "there is no such branch yet: the first apply makes it" in told
    assert git(remote, "for-each-ref") == before
    open_ledger(config, tmp_path).take_lease(OWNER, "").release()
    tip = GitRepository(tmp_path, remote="origin", branch="reconciler-ledger").tip()
    assert f"the branch is at {tip[:12]}; a push would be taken" in probe(config, tmp_path)
    assert GitRepository(tmp_path, remote="origin", branch="reconciler-ledger").tip() == tip

    refuses = tmp_path / "refuses"
    refuses.write_text("#!/bin/sh\necho 'remote: Permission to shop denied' >&2\nexit 1\n", encoding="utf-8")
    refuses.chmod(0o755)
    git(tmp_path, "config", "remote.origin.receivepack", str(refuses))
    with pytest.raises(LedgerError, match=r"git push failed: .*Permission to shop denied"):
        probe(config, tmp_path)


def test_a_database_tells_its_users_rights(database: str) -> None:
    config, here = {"type": "postgresql"}, Path()
    url = make_url(database).set(drivername="postgresql+psycopg")
    admin = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)

    def say(statement: str) -> Any:
        with admin.connect() as connection:
            found = connection.execute(text(statement))
            return found.scalar() if found.returns_rows else None

    def told(address: str = database) -> str:
        return probe(config, here, {"RECONCILER_LEDGER_URL": address})

    assert "may make its tables, which the first apply does" in told()
    assert say("SELECT count(*) FROM pg_tables WHERE tablename LIKE 'reconciler%'") == 0
    open_ledger(config, here, environ={"RECONCILER_LEDGER_URL": database}).take_lease(OWNER, "").release()
    assert "may write its tables" in told()
    reader = f"reader_{make_url(database).database}"
    say(f'CREATE ROLE "{reader}" LOGIN')
    try:
        say(f'GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{reader}"')
        with pytest.raises(LedgerError, match=f"user {reader} may not write all of its tables"):
            told(make_url(database).set(username=reader).render_as_string(hide_password=False))
        say(f'ALTER DATABASE "{make_url(database).database}" SET default_transaction_read_only = on')
        with pytest.raises(LedgerError, match="takes no writes"):
            told()
    finally:
        with create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool).connect() as connection:
            connection.execute(text("SET default_transaction_read_only = off"))
            connection.execute(text(f'DROP OWNED BY "{reader}"'))
            connection.execute(text(f'DROP ROLE "{reader}"'))
        admin.dispose()
