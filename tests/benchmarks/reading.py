"""Parses all files of a project: `python -m tests.benchmarks.reading bare|ours FOLDER`; prints what that took.

`bare` is PyYAML's `CSafeLoader` as anybody calls it; `ours` is `spec.load`, whose values know where they stand. Bytes
are read before the clock starts. `bare` keeps what it parsed, and also tells how large that is.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

__all__: list[str] = []


def _contents(root: Path) -> list[tuple[str, bytes]]:
    return [(path.as_posix(), path.read_bytes()) for path in sorted((root / "resources").rglob("*.yaml"))]


def _bare(root: Path) -> dict[str, float]:
    import yaml  # noqa: PLC0415 - each side imports only its own

    files = _contents(root)
    begun = time.perf_counter()
    kept = [list(yaml.load_all(content, Loader=yaml.CSafeLoader)) for _, content in files]
    seconds = time.perf_counter() - begun
    return {"seconds": seconds, "documents": len(kept), "data_mb": _size(kept, set()) / 2**20}


def _ours(root: Path) -> dict[str, float]:
    from reconciler.problems import Problems  # noqa: PLC0415 - each side imports only its own
    from reconciler.spec.document import SourceFile  # noqa: PLC0415
    from reconciler.spec.load import load_all  # noqa: PLC0415

    files = [SourceFile(path, content) for path, content in _contents(root)]
    problems = Problems()
    begun = time.perf_counter()
    kept = load_all(files, problems)
    seconds = time.perf_counter() - begun
    problems.raise_if_any()
    return {"seconds": seconds, "documents": len(kept)}


def _size(value: Any, seen: set[int]) -> int:
    """Bytes of plain data, what is shared counted once."""
    if id(value) in seen:
        return 0
    seen.add(id(value))
    total = sys.getsizeof(value)
    if isinstance(value, dict):
        return total + sum(_size(key, seen) + _size(item, seen) for key, item in value.items())
    if isinstance(value, list):
        return total + sum(_size(item, seen) for item in value)
    return total


if __name__ == "__main__":
    mode, folder = sys.argv[1:]
    sys.stdout.write(json.dumps({"bare": _bare, "ours": _ours}[mode](Path(folder))))
