"""The table as Markdown, and the facts of the machine that belong to it."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from tests.benchmarks.measures import Row

__all__ = ["machine", "stages_table", "table"]

_PACKAGES: Final = ("PyYAML", "jsonschema", "jsonschema-rs", "Jinja2", "deepdiff", "httpx", "SQLAlchemy", "click")
_LEAST: Final = 0.005
"""Share below which a stage is not told."""


def machine(runs: int) -> list[str]:
    """Cores, Python, versions, and how busy the machine was before."""
    found = []
    for name in _PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"no {name}")
    load = f"load {os.getloadavg()[0]:.1f} before"
    where = f"{platform.system()} {platform.machine()}, {_processor()}{os.cpu_count()} cores, {load}"
    what = f"{platform.python_implementation()} {platform.python_version()}; medians of {runs} rounds"
    return [f"{where}; {what}.", f"{', '.join(found)}."]


def _processor() -> str:
    """The model's name, where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((f"{line.partition(':')[2].strip()}, " for line in lines if line.startswith("model name")), "")


def table(rows: Sequence[Row]) -> Iterator[str]:
    """The measures, each beside its goal."""
    yield "| measure | goal | measured | reached | in numbers |"
    yield "| --- | --- | --- | --- | --- |"
    for row in rows:
        sign = "≥" if row.more_is_better else "≤"
        goal = f"{sign} {row.goal:g}" if row.goal is not None else ""
        measured = f"{row.measured:.2f}" if row.measured is not None else "not measured"
        reached = {True: "✓", False: "✗", None: ""}[row.reached]
        yield f"| {row.measure} | {goal} | {measured} | {reached} | {row.told} |"


def stages_table(runs: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    """What each stage took, of one run of each kind, the longest of the last one first."""
    if not runs:
        return
    yield f"| stage | {' | '.join(runs)} |"
    yield f"| --- |{' --- |' * len(runs)}"
    last = list(runs.values())[-1]
    totals = {name: sum(s for stage, s in stages.items() if not stage.startswith("(")) for name, stages in runs.items()}
    for stage in sorted(last, key=lambda stage: (stage.startswith("("), -last[stage])):
        shares = {name: stages.get(stage, 0.0) / totals[name] for name, stages in runs.items()}
        if max(shares.values()) >= _LEAST:
            cells = (f"{runs[name].get(stage, 0.0):.2f} s, {shares[name]:.1%}" for name in runs)
            yield f"| {stage} | {' | '.join(cells)} |"
    yield f"| all | {' | '.join(f'{total:.2f} s' for total in totals.values())} |"
