"""One branch of a Git repository as a place for small files, changed by compare-and-swap. Plumbing only.

No work tree, no hook and no index of the repository is touched; nothing but the branch is pushed, and always with the
version that it must replace (`--force-with-lease=<ref>:<old>`). Source: SETTLEMENT §9.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.ledger.errors import LedgerError

__all__ = ["GitRepository", "Moved"]

_TIMEOUT_S: Final = 60.0
_STEERING: Final = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE", "GIT_PREFIX")
"""Set inside a hook; they would make another repository of ours."""
_LOCAL: Final = "refs/reconciler/ledger"
_USER_INFO: Final = re.compile(r"//[^/@\s]+@")
_NO_SUCH_REF: Final = 2
"""Exit code of `ls-remote --exit-code` when nothing matches."""


class Moved(Exception):
    """The branch is not where it was: somebody else pushed."""


@dataclass(frozen=True, slots=True)
class GitRepository:
    """A branch at a remote, through the clone at `root` (its configuration and credentials).

    Raises, in every method:
        LedgerError: git can't be run, or the remote can't be reached or refuses.
    """

    root: Path
    remote: str
    branch: str

    @property
    def ref(self) -> str:
        """The branch's full name at the remote."""
        return f"refs/heads/{self.branch}"

    def fetch(self) -> str:
        """Commit at the branch's tip, its objects brought here; empty when there is no such branch."""
        self._require()
        if not self.tip():
            return ""
        shallow = self._git("rev-parse", "--is-shallow-repository").strip() == "true"
        depth = ["--depth=1"] if shallow else []
        self._git("fetch", "--no-tags", "--no-write-fetch-head", *depth, self.remote, f"+{self.ref}:{_LOCAL}")
        return self._git("rev-parse", "--verify", _LOCAL).strip()

    def tip(self) -> str:
        """Commit at the branch's tip as the remote tells it now; empty when there is no such branch."""
        done = self._run("ls-remote", "--exit-code", self.remote, self.ref)
        if done.returncode == _NO_SUCH_REF:
            return ""
        self._check(done, "ls-remote")
        return done.stdout.split()[0]

    def read(self, commit: str, path: str) -> tuple[str, str]:
        """Blob id and text of a file in a commit; both empty when it isn't there."""
        line = self._git("ls-tree", "--full-tree", commit, "--", path).strip() if commit else ""
        if not line:
            return "", ""
        blob = line.split()[2]
        return blob, self._git("cat-file", "blob", blob)

    def files(self, commit: str) -> tuple[str, ...]:
        """Paths of all files in a commit."""
        return tuple(self._git("ls-tree", "--full-tree", "-r", "--name-only", commit).splitlines()) if commit else ()

    def commit(self, parent: str, files: Mapping[str, str], message: str) -> str:
        """A new commit on top of `parent` (empty: none) with these files written; it is not pushed."""
        with tempfile.TemporaryDirectory(prefix="reconciler-ledger-") as folder:
            index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            if parent:
                self._git("read-tree", parent, extra=index)
            for path, text in files.items():
                blob = self._git("hash-object", "-w", "--stdin", given=text).strip()
                self._git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", extra=index)
            tree = self._git("write-tree", extra=index).strip()
        return self._commit_tree(tree, parent, message)

    def squash(self, commit: str, message: str) -> str:
        """A commit without a parent that holds the same files."""
        tree = self._git("rev-parse", "--verify", f"{commit}^{{tree}}").strip()
        return self._commit_tree(tree, "", message)

    def length(self, commit: str) -> int:
        """How many commits lead to this one, as far as they are here."""
        return int(self._git("rev-list", "--count", commit)) if commit else 0

    def contains(self, tip: str, commit: str) -> bool:
        """Whether a tip is, or was built on, this commit."""
        done = self._run("merge-base", "--is-ancestor", commit, tip)
        return done.returncode == 0

    def push(self, commit: str, old: str) -> None:
        """Move the branch from `old` (empty: it must not exist) to a commit; proven when it returns.

        Raises:
            Moved: it is not at `old` any more, and what is there does not contain the commit.
            LedgerError: refused, or the remote can't be asked whether it landed.
        """
        lease = f"--force-with-lease={self.ref}:{old}"
        done = self._run("push", "--porcelain", "--no-verify", lease, self.remote, f"{commit}:{self.ref}")
        if done.returncode == 0:
            return
        # Refused, or its reply was lost: only the remote knows.
        tip = self.fetch()
        if tip and self.contains(tip, commit):
            return
        if tip != old:
            raise Moved
        self._check(done, "push")

    def would_push(self, tip: str) -> bool:
        """Ask the remote whether it would take a push, and send nothing; False when there is no commit to ask with."""
        commit = tip or self._run("rev-parse", "--verify", "--quiet", "HEAD").stdout.strip()
        if commit:
            self._git("push", "--dry-run", "--porcelain", "--no-verify", self.remote, f"{commit}:{self.ref}")
        return bool(commit)

    def _require(self) -> None:
        """Make sure that there is a repository with this remote: a name of it, never an address out of a spec."""
        if self._run("rev-parse", "--git-dir").returncode != 0:
            raise LedgerError(
                f"ledger {self.describe()}: the project is in no Git repository (expected a clone; git init makes one)",
                code="ledger-no-repository",
            )
        remotes = self._git("remote").split()
        if self.remote not in remotes:
            known = ", ".join(remotes) or "there is none"
            raise LedgerError(
                f"ledger {self.describe()}: the repository has no remote {self.remote!r} (its remotes: {known})",
                code="ledger-no-repository",
            )

    def _commit_tree(self, tree: str, parent: str, message: str) -> str:
        above = ["-p", parent] if parent else []
        return self._git("commit-tree", tree, *above, "-m", message).strip()

    def _git(self, *args: str, given: str | None = None, extra: Mapping[str, str] | None = None) -> str:
        done = self._run(*args, given=given, extra=extra)
        self._check(done, args[0])
        return done.stdout

    def _run(
        self, *args: str, given: str | None = None, extra: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        environment = {key: value for key, value in os.environ.items() if key not in _STEERING}
        environment |= {
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_AUTHOR_NAME": "reconciler",
            "GIT_AUTHOR_EMAIL": "reconciler@localhost",
            "GIT_COMMITTER_NAME": "reconciler",
            "GIT_COMMITTER_EMAIL": "reconciler@localhost",
            "LC_ALL": "C",
            **(extra or {}),
        }
        settings = ("core.hooksPath=/dev/null", "commit.gpgSign=false", "gc.auto=0", "maintenance.auto=false")
        command = ["git", "-C", str(self.root), *(part for one in settings for part in ("-c", one)), *args]
        try:
            return subprocess.run(  # noqa: S603 - git with words of our own; refs come from a checked setting
                command,
                input=given,
                env=environment,
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="replace",
                timeout=_TIMEOUT_S,
                check=False,
            )
        except FileNotFoundError:
            raise LedgerError(f"ledger {self.describe()}: git is not installed") from None
        except subprocess.TimeoutExpired:
            raise LedgerError(f"ledger {self.describe()}: git {args[0]} took over {_TIMEOUT_S:.0f} s") from None
        except OSError as error:
            raise LedgerError(f"ledger {self.describe()}: git can't be run: {error.strerror}") from None

    def describe(self) -> str:
        """For people."""
        return f"branch {self.branch} of {_USER_INFO.sub('//', self.remote)}"

    def _check(self, done: subprocess.CompletedProcess[str], what: str) -> None:
        if done.returncode == 0:
            return
        raise LedgerError(f"ledger {self.describe()}: git {what} failed: {_said(done)}")


def _said(done: subprocess.CompletedProcess[str]) -> str:
    """What git complained about, on one line, without anybody's password in an address."""
    lines: Sequence[str] = [line.strip() for line in f"{done.stdout}\n{done.stderr}".splitlines() if line.strip()]
    loud = [line for line in lines if line.startswith(("!", "fatal:", "error:", "remote:"))] or lines
    text = "; ".join(" ".join(line.split()) for line in loud[:3]) or f"exit {done.returncode}"
    return _USER_INFO.sub("//", text)[:300]
