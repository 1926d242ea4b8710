"""What the action installs is pinned by hash, and is what `pyproject.toml` asks for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).parents[2]
PROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
WANTED: Final = [
    *PROJECT["project"]["dependencies"],
    *PROJECT["project"]["optional-dependencies"]["postgres"],
    *PROJECT["build-system"]["requires"],
]
LOCK: Final = (ROOT / ".github/actions/reconciler/requirements.txt").read_text(encoding="utf-8")
ENTRIES: Final = re.findall(
    r"^(\S+)==(\S+)(?: ;[^\\\n]*)? \\\n((?: {4}--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", LOCK, re.MULTILINE
)


def test_lock_is_nothing_but_pins_with_hashes() -> None:
    assert sum(1 for line in LOCK.splitlines() if not line.startswith(" ")) == len(ENTRIES) > 20
    assert "http" not in re.sub(r"^httpx?\S*==|^httpcore==", "", LOCK, flags=re.MULTILINE), "no address of an index"


@pytest.mark.parametrize("line", WANTED)
def test_lock_has_what_the_project_asks_for(line: str) -> None:
    wanted = Requirement(line)
    found = {canonicalize_name(name): version for name, version, _ in ENTRIES}
    assert wanted.specifier.contains(found[canonicalize_name(wanted.name)]), (
        "pyproject.toml moved; CONTRIBUTING says how the lock is made anew"
    )
