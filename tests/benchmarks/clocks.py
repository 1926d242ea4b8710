"""Processes that are measured: wall time, processor time and peak memory, and medians over rounds."""

from __future__ import annotations

import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["ROOT", "Sample", "exponent", "in_turn", "middle", "python", "reconciler", "run"]

ROOT: Final = Path(__file__).parents[2]
"""The checkout; every process is started there."""

_DROPPED: Final = ("CI", "NO_COLOR", "FORCE_COLOR", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One process from its start to its end. Peak memory holds for it and its children: the largest of them."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    out: str


def python(*args: str) -> list[str]:
    """A command line of this Python."""
    return [sys.executable, *args]


def reconciler(*args: str) -> list[str]:
    """A command line of ours."""
    return python("-m", "reconciler", *args)


def run(
    command: Sequence[str], *, env: Mapping[str, str] | None = None, codes: Sequence[int] = (0,), keep: bool = False
) -> Sample:
    """Run a process to its end.

    Args:
        command: Its command line.
        env: Set besides this process's own environment.
        codes: Exit codes that count as success.
        keep: Whether to return its standard output, which goes nowhere otherwise.

    Raises:
        RuntimeError: it ended with another code; with the end of what it said.
    """
    environ = {key: value for key, value in os.environ.items() if key not in _DROPPED} | dict(env or {})
    with tempfile.TemporaryFile("w+", encoding="utf-8") as out, tempfile.TemporaryFile("w+", encoding="utf-8") as err:
        begun = time.perf_counter()
        # This process stays small: what a child's peak starts from is what its parent had.
        process = subprocess.Popen(
            command,
            env=environ,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=out if keep else subprocess.DEVNULL,
            stderr=err,
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in codes:
            err.seek(0)
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {err.read()[-2000:]}")
        out.seek(0)
        return Sample(
            wall_s=wall_s, cpu_s=usage.ru_utime + usage.ru_stime, peak_mb=usage.ru_maxrss / 1024, out=out.read()
        )


def in_turn(rounds: int, **subjects: Callable[[], Sample]) -> dict[str, list[Sample]]:
    """Run all subjects one after the other, in as many rounds; one more before that does not count (but for a look).

    So whatever else the machine does hits all of them alike, and each ratio is one of neighbours in time.
    """
    warm_up = 1 if rounds > 1 else 0
    found: dict[str, list[Sample]] = {name: [] for name in subjects}
    for number in range(rounds + warm_up):
        for name, subject in subjects.items():
            sample = subject()
            if number >= warm_up:
                found[name].append(sample)
    return found


def middle(samples: Sequence[Sample], of: Callable[[Sample], float] = lambda sample: sample.wall_s) -> float:
    """The median of one number."""
    return statistics.median(map(of, samples))


def exponent(small: float, large: float, factor: float = 10.0) -> float:
    """How something grows with the size: 1 is in proportion, 2 is with its square."""
    return math.log(large / small) / math.log(factor)
