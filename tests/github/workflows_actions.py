"""The foreign actions that are known, as far as their documented inputs go; anything else is an error."""

from __future__ import annotations

import base64
import fnmatch
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tests.github.workflows_expressions import WorkflowError

if TYPE_CHECKING:
    from tests.github.workflows_steps import Bench

_PINNED = re.compile(r"(?P<action>[\w-]+/[\w./-]+)@[0-9a-f]{40}")
_GLOB = re.compile(r"[*?\[!]")


class ActionFailed(Exception):
    """The action ends red."""


def act(bench: Bench, uses: str, given: Mapping[str, str]) -> str:
    """Do what the action does; what it says.

    Raises:
        ActionFailed: it ends red.
        WorkflowError: an action, or an input, that is not known, or one that is not pinned to a commit.
    """
    pinned = _PINNED.fullmatch(uses)
    if pinned is None or pinned["action"] not in _ACTIONS:
        raise WorkflowError(f"not known, or not pinned to a commit: {uses}")
    action, inputs = _ACTIONS[pinned["action"]]
    if unknown := sorted(set(given) - inputs):
        raise WorkflowError(f"{uses}: not known: {', '.join(unknown)}")
    return action(bench, dict(given))


def _git(bench: Bench, folder: Path, *args: str) -> str:
    done = subprocess.run(
        ["git", *args],
        cwd=folder,
        env=bench.base(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ActionFailed(f"git {' '.join(args)}: {done.stderr}")
    return done.stdout


def _flag(given: Mapping[str, str], name: str, default: str) -> bool:
    text = given.get(name, default)
    if text not in {"true", "false"}:
        raise WorkflowError(f"{name}: neither true nor false: {text!r}")
    return text == "true"


def _checkout(bench: Bench, given: dict[str, str]) -> str:
    """Fetch a commit into the workspace; what git may do there later hangs on the credentials that stay.

    The remote's address leads nowhere. Credentials that are kept make git find the repository behind it, and with
    `contents: write` push to it. Like the action's they stand in a file of their own, which .git/config includes.
    """
    bench.run.checkouts.append({"job": bench.job.key, **given})
    folder = (bench.workspace / given.get("path", ".")).resolve()
    if not folder.is_relative_to(bench.workspace.resolve()):
        raise ActionFailed(f"{folder} is not below the workspace")
    _empty(folder)
    repository = given.get("repository", bench.runner.repository)
    if repository == bench.runner.tool_repository:
        shutil.copytree(
            bench.runner.tool, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".*cache", ".venv", ".git")
        )
        return f"copied {repository}\n"
    if repository != bench.runner.repository:
        raise ActionFailed(f"Not Found: {repository}")
    may = bench.job.permissions.get("contents", "none")
    if may == "none" and bench.runner.private:
        raise ActionFailed("Repository not found: the token may not read contents")
    origin, address = bench.runner.origin.resolve().as_uri(), f"{bench.runner.server_url}/{repository}"
    credentials = bench.job.temp / f"git-credentials-{len(bench.run.checkouts)}.config"
    token = base64.b64encode(f"x-access-token:{bench.job.token}".encode()).decode()
    credentials.write_text(
        f'[http "{bench.runner.server_url}/"]\n\textraheader = AUTHORIZATION: basic {token}\n'
        f'[url "{origin}"]\n\tinsteadOf = {address}\n'
        + (f'[url "{address}/refused"]\n\tpushInsteadOf = {address}\n' if may != "write" else "")
    )
    _git(bench, folder, "init", "-q", "-b", "main")
    _git(bench, folder, "remote", "add", "origin", address)
    _git(bench, folder, "config", "include.path", str(credentials))
    _fetch(bench, folder, given)
    if not _flag(given, "persist-credentials", "true"):
        credentials.unlink()
        _git(bench, folder, "config", "--unset", "include.path")
        if not bench.runner.private:
            _git(bench, folder, "config", f"url.{origin}.insteadOf", address)
            _git(bench, folder, "config", f"url.{address}/refused.pushInsteadOf", address)
    return _git(bench, folder, "log", "-1", "--format=%H")


def _fetch(bench: Bench, folder: Path, given: Mapping[str, str]) -> None:
    asked = given.get("ref", "")
    ref = asked or bench.github["ref"]
    commit = ref if re.fullmatch("[0-9a-f]{40}", ref) else "" if asked else bench.github["sha"]
    is_branch = ref.startswith("refs/heads/") or ("/" not in ref and ref != commit)
    branch = ref.removeprefix("refs/heads/") if is_branch else ""
    local = f"refs/remotes/origin/{branch}" if branch else f"refs/remotes/{ref.removeprefix('refs/')}"
    depth = int(given.get("fetch-depth", "1"))
    if depth == 0:
        _git(bench, folder, "fetch", "-q", "origin", "+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*")
    if depth or commit:
        how = ["--no-tags", f"--depth={depth}"] if depth else []
        _git(bench, folder, "fetch", "-q", *how, "origin", f"+{commit or branch or ref}:{local}")
    if branch:
        _git(bench, folder, "checkout", "-q", "--force", "-B", branch, local)
    else:
        _git(bench, folder, "checkout", "-q", "--force", "--detach", commit or local)


def _empty(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for item in folder.iterdir():
        shutil.rmtree(item) if item.is_dir() and not item.is_symlink() else item.unlink()


def _setup_python(bench: Bench, given: dict[str, str]) -> str:
    if not given.get("python-version"):
        raise ActionFailed("no python-version")
    bench.paths.insert(0, str(bench.runner.shims))
    return ""


def _upload(bench: Bench, given: dict[str, str]) -> str:
    name, missing = given.get("name", "artifact"), given.get("if-no-files-found", "warn")
    if missing not in {"warn", "error", "ignore"}:
        raise WorkflowError(f"if-no-files-found: not known: {missing}")
    if not re.fullmatch(r'[^"<>|:*?\r\n\\/]+', name):
        raise ActionFailed(f"The artifact name is not valid: {name}")
    roots = [bench.workspace / line.strip() for line in given["path"].splitlines() if line.strip()]
    if any(_GLOB.search(str(root.relative_to(bench.workspace.parents[2]))) for root in roots) or len(roots) != 1:
        raise WorkflowError("upload-artifact: only one path, and without patterns, is known here")
    root, home = roots[0], bench.run.artifacts / name
    files = [root] if root.is_file() else sorted(path for path in root.rglob("*") if path.is_file())
    # As the action does by default: nothing hidden.
    seen = [file for file in files if not any(part.startswith(".") for part in file.relative_to(root).parts)]
    if not seen:
        told = f"No files were found with the provided path: {given['path']}. No artifacts will be uploaded."
        if missing == "error":
            raise ActionFailed(told)
        return f"::warning::{told}\n" if missing == "warn" else f"{told}\n"
    if home.exists() and given.get("overwrite") == "true":
        shutil.rmtree(home)
    if home.exists():
        raise ActionFailed(f"Conflict: an artifact with this name already exists: {name}")
    for file in seen:
        place = home / (file.relative_to(root) if root.is_dir() else file.name)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, place)
    return f"{name}: {len(seen)} files\n"


def _download(bench: Bench, given: dict[str, str]) -> str:
    target = bench.workspace / given.get("path", ".")
    found = sorted(bench.run.artifacts.iterdir()) if bench.run.artifacts.is_dir() else []
    if name := given.get("name"):
        if name not in {artifact.name for artifact in found}:
            raise ActionFailed(f"Artifact not found for name: {name}")
        chosen, flat = [bench.run.artifacts / name], True
    else:
        chosen = [artifact for artifact in found if fnmatch.fnmatchcase(artifact.name, given.get("pattern") or "*")]
        flat = _flag(given, "merge-multiple", "false")
    target.mkdir(parents=True, exist_ok=True)
    for artifact in chosen:
        shutil.copytree(artifact, target if flat else target / artifact.name, dirs_exist_ok=True)
    return f"{[artifact.name for artifact in chosen]}\n"


# owner/name → what it does, and the inputs that are known
_ACTIONS: dict[str, tuple[Callable[[Bench, dict[str, str]], str], frozenset[str]]] = {
    "actions/checkout": (_checkout, frozenset({"repository", "ref", "path", "fetch-depth", "persist-credentials"})),
    "actions/setup-python": (_setup_python, frozenset({"python-version"})),
    "actions/upload-artifact": (
        _upload,
        frozenset({"name", "path", "if-no-files-found", "retention-days", "overwrite"}),
    ),
    "actions/download-artifact": (_download, frozenset({"name", "path", "pattern", "merge-multiple"})),
}
