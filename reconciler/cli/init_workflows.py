"""The workflows that `init` writes: those of `specs-example`, with the project's environments and folder filled in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Final

from reconciler.spec.output import value_yaml

__all__ = ["WORKFLOWS_HOME", "load_workflows", "workflow_texts"]

WORKFLOWS_HOME: Final = ".github/workflows"
_OWNER: Final = "your-org/reconciler/"
_ENVIRONMENTS: Final = '\'["dev", "prod"]\''
_FIRST: Final = "'[\"dev\"]'"
_WITH: Final = "    with:\n"
_COMMIT: Final = f"@{'0' * 40} # v0.1.0"
_COPIED: Final = "# Copied from reconciler's specs-example."


def load_workflows() -> dict[str, str]:
    """File name → text, from the wheel or, in a checkout or an editable install, from beside the package."""
    package = resources.files("reconciler")
    home = package / "scaffold" / "workflows"
    if not home.is_dir():
        home = Path(str(package)).parent / f"specs-example/{WORKFLOWS_HOME}"
    return {
        item.name: item.read_text(encoding="utf-8")
        for item in sorted(home.iterdir(), key=lambda item: item.name)
        if item.name.endswith(".yml")
    }


def workflow_texts(
    environments: Sequence[str], directory: str, repository: str = "", revision: str = ""
) -> dict[str, str]:
    """Path in the repository → text.

    Args:
        environments: Of the project, at least one; they are applied in this order.
        directory: Folder of the project in its repository; `.` at the top.
        repository: The mirror of reconciler, as OWNER/REPO; empty: a placeholder.
        revision: The mirror's commit; empty: a placeholder.
    """
    return {
        f"{WORKFLOWS_HOME}/{name}": _filled(text, environments, directory, repository, revision)
        for name, text in load_workflows().items()
    }


def _filled(text: str, environments: Sequence[str], directory: str, repository: str, revision: str) -> str:
    text = text.replace(_ENVIRONMENTS, f"'{json.dumps(list(environments))}'")
    text = text.replace(_FIRST, f"'{json.dumps(list(environments[:1]))}'")
    if directory != ".":
        text = text.replace(_WITH, f"{_WITH}      directory: {value_yaml(directory).strip()}\n")
    if repository:
        text = text.replace(_OWNER, f"{repository}/")
    if revision:
        text = text.replace(_COMMIT, f"@{revision}")
    if repository and revision:
        _, _, text = text.partition("\n")
    return text.replace(_COPIED, "# Written by `reconciler init`.")
