"""`python -m tests.simulation --seeds N [--start S] [--sabotage NAME] [--workers W] [--trace]`."""

from __future__ import annotations

import argparse
import concurrent.futures
import multiprocessing
import sys
import time
from collections.abc import Iterable, Iterator

from tests.simulation.story import Outcome, tell

_KEEP = 40
"""Seeds that one worker process tells before it makes room for a fresh one."""


def _one(job: tuple[int, str]) -> Outcome:
    seed, sabotage = job
    if not sabotage:
        return tell(seed)
    from tests.simulation.sabotage import SABOTAGES  # noqa: PLC0415 - only where it is wanted

    return tell(seed, prepare=SABOTAGES[sabotage])


def outcomes(seeds: Iterable[int], *, sabotage: str = "", workers: int = 1) -> Iterator[Outcome]:
    """The outcome of each seed, in their order."""
    jobs = [(seed, sabotage) for seed in seeds]
    if workers <= 1:
        yield from map(_one, jobs)
        return
    context = multiprocessing.get_context("fork")
    with concurrent.futures.ProcessPoolExecutor(workers, mp_context=context) as pool:
        yield from pool.map(_one, jobs, chunksize=4)


def main() -> int:
    """Tell many seeds, and the traces of those that broke a law."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--sabotage", default="")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--trace", action="store_true", help="Show the trace of every seed.")
    parser.add_argument("--first", action="store_true", help="Stop at the first violation.")
    given = parser.parse_args()
    begun, totals, bad = time.monotonic(), dict.fromkeys(_COUNTED, 0), []
    done = 0
    for told in outcomes(range(given.start, given.start + given.seeds), sabotage=given.sabotage, workers=given.workers):
        done += 1
        for name in _COUNTED:
            totals[name] += getattr(told, name)
        if told.violations and given.sabotage and (not told.is_caught or tell(told.seed).violations):
            continue  # the sabotage does not fit the product any more, or that seed finds something without it
        if told.violations:
            bad.append(told)
        if told.violations or given.trace:
            sys.stdout.write(f"--- seed {told.seed}\n" + "\n".join(told.trace) + "\n")
            sys.stdout.flush()
        if told.violations and given.first:
            break
    seconds = time.monotonic() - begun
    counted = ", ".join(f"{totals[name]} {name}" for name in _COUNTED)
    sys.stdout.write(f"{done} seeds, {counted}, {len(bad)} violations in {seconds:.0f} s\n")
    for told in bad:
        sys.stdout.write(f"seed {told.seed}: {told.violations[0]}\n")
    return 1 if bad else 0


_COUNTED = ("commands", "requests", "writes", "faults", "crashes", "answers")

if __name__ == "__main__":
    sys.exit(main())
