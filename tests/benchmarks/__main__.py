"""`python -m tests.benchmarks [--only NAMES] [--sizes N,N] [--runs N] [--peers] [--json FILE] [--work FOLDER]`."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.measures import MEASURES, Bench, Row
from tests.benchmarks.table import machine, stages_table, table


def _names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := sorted(set(names) - set(MEASURES)):
        raise argparse.ArgumentTypeError(f"no such measure: {', '.join(unknown)}; there are {', '.join(MEASURES)}")
    return names


def _sizes(text: str) -> list[int]:
    return sorted({int(size) for size in text.split(",")})


def main() -> int:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Speed and memory, as ratios.")
    parser.add_argument("--only", type=_names, default=list(MEASURES), help=f"Of {','.join(MEASURES)}.")
    parser.add_argument("--sizes", type=_sizes, default=[100, 1_000, 10_000], help="Numbers of resources.")
    parser.add_argument("--runs", type=int, default=5, help="Rounds whose median counts.")
    parser.add_argument("--peers", action="store_true", help="Also install and measure octoDNS and Terraform.")
    parser.add_argument("--json", type=Path, default=None, metavar="FILE", help="Save all numbers, too.")
    parser.add_argument("--work", type=Path, default=None, metavar="FOLDER", help="Keep projects and peers here.")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        bench = Bench(
            work=(given.work or Path(temporary)).resolve(),
            sizes=given.sizes,
            runs=given.runs,
            peers=given.peers,
            say=lambda text: print(f"… {text}", file=sys.stderr, flush=True),  # noqa: T201 - progress
        )
        bench.work.mkdir(parents=True, exist_ok=True)
        facts = machine(given.runs)
        rows: list[Row] = []
        for name in given.only:
            for row in MEASURES[name](bench):
                rows.append(row)
                bench.say(f"{row.measure}: {row.measured} ({row.told})")
    sys.stdout.write("\n".join([*facts, "", *table(rows), "", *stages_table(bench.stages), ""]))
    if given.json is not None:
        told = {"machine": facts, "rows": [dataclasses.asdict(row) for row in rows], "stages": bench.stages}
        given.json.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
