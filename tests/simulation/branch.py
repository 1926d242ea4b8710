"""A branch at a remote, in memory: what `ledger.git_repository` does by `git`, by the same compare-and-swap."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from reconciler.ledger.git_repository import Moved

__all__ = ["Branch", "Repository"]


class Branch:
    """A branch at a remote, in memory: what `ledger.git_repository` does with `git`."""

    def __init__(self) -> None:
        self.tip = ""
        self.commits: dict[str, tuple[str, dict[str, str]]] = {}
        self.blobs: dict[str, str] = {}


class Repository:
    """One clone of the branch."""

    def __init__(self, branch: Branch) -> None:
        self._branch = branch
        self.branch, self.remote = "reconciler-ledger", "origin"

    def describe(self) -> str:
        return "branch reconciler-ledger of origin"

    def fetch(self) -> str:
        return self._branch.tip

    def tip(self) -> str:
        return self._branch.tip

    def read(self, commit: str, path: str) -> tuple[str, str]:
        files = self._branch.commits[commit][1] if commit else {}
        blob = files.get(path, "")
        return blob, self._branch.blobs[blob] if blob else ""

    def commit(self, parent: str, files: Mapping[str, str], message: str) -> str:
        tree = dict(self._branch.commits[parent][1]) if parent else {}
        for path, text in files.items():
            blob = hashlib.sha1(text.encode()).hexdigest()  # noqa: S324 - as git names it
            self._branch.blobs[blob] = text
            tree[path] = blob
        name = hashlib.sha1(f"{parent}{sorted(tree.items())}{message}".encode()).hexdigest()  # noqa: S324
        self._branch.commits[name] = (parent, tree)
        return name

    def squash(self, commit: str, message: str) -> str:
        name = hashlib.sha1(f"{commit}{message}".encode()).hexdigest()  # noqa: S324
        self._branch.commits[name] = ("", self._branch.commits[commit][1])
        return name

    def length(self, commit: str) -> int:
        count = 0
        while commit:
            commit, count = self._branch.commits[commit][0], count + 1
        return count

    def contains(self, tip: str, commit: str) -> bool:
        while tip and tip != commit:
            tip = self._branch.commits[tip][0]
        return bool(tip)

    def push(self, commit: str, old: str) -> None:
        branch = self._branch
        if branch.tip == old:
            branch.tip = commit
            return
        if not self.contains(branch.tip, commit):
            raise Moved
