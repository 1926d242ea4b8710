"""`runapy` releases in folders of their own, and what their models say (`derive.py`)."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

__all__ = ["NEWEST", "RELEASES", "Release", "read_releases"]

RELEASES: Final = {
    "2.18": "1.218.0",
    "2.19": "1.219.0",
    "2.20": "1.220.0",
    "2.21": "1.221.1",
    "2.22": "1.222.0",
    "2.23": "1.223.0",
    "2.24": "1.224.0",
}
"""Control plane → the last client of that number."""
NEWEST: Final = "2.24"
_DERIVE: Final = Path(__file__).with_name("derive.py")


@dataclass(frozen=True, slots=True)
class Release:
    """One client: path below `spec` → facts, for a create and an update; and what routes it has."""

    create: dict[str, dict[str, Any]]
    update: dict[str, dict[str, Any]]
    can: dict[str, Any]


def read_releases(versions: list[str]) -> dict[str, Release]:
    """Client version → what its models say; two at a time.

    The folder is `RECONCILER_CONFORMANCE_CACHE`, or one of the temporary folder's.

    Raises:
        subprocess.CalledProcessError: when a release can't be installed or read.
    """
    cache = Path(os.environ.get("RECONCILER_CONFORMANCE_CACHE") or f"{tempfile.gettempdir()}/runapy-{os.getuid()}")
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(versions, pool.map(lambda version: _read(_folder(cache, version)), versions), strict=True))


def _folder(cache: Path, version: str) -> Path:
    """Where a release lies: that of this environment, or one made by `pip install --target`."""
    if importlib.metadata.version("runapy") == version:
        return Path(str(importlib.metadata.distribution("runapy").locate_file("")))
    home = cache / version
    if not home.exists():
        # Under another name until it is whole: a broken run must leave nothing that looks done.
        with tempfile.TemporaryDirectory(dir=cache) as begun:
            words = ["install", "--quiet", "--no-deps", "--no-compile", "--disable-pip-version-check"]
            target = ["--target", f"{begun}/it", f"runapy=={version}"]
            subprocess.run([sys.executable, "-m", "pip", *words, *target], check=True)
            Path(begun, "it").rename(home)
    return home


def _read(folder: Path) -> Release:
    # Isolated, so that the release of this environment is not in its way.
    done = subprocess.run(
        [sys.executable, "-B", str(_DERIVE), str(folder)], check=True, stdout=subprocess.PIPE, text=True
    )
    found = json.loads(done.stdout)
    return Release(_below_spec(found["create"]), _below_spec(found["update"]), found["can"])


def _below_spec(facts: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Paths as our tables have them: members beside `spec` stand with those inside."""
    return {path.removeprefix("spec."): told for path, told in facts.items() if path != "spec"}
