"""The measures of issue 10: each is a ratio to a reference that runs in turn with it."""

from __future__ import annotations

import json
import shutil
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

from tests.benchmarks import corpus
from tests.benchmarks.clocks import Sample, exponent, in_turn, middle, python, reconciler, run
from tests.benchmarks.peers import OctoDns, Terraform, Unavailable
from tests.benchmarks.served import AT_A_TIME, DELAY_S, served

__all__ = ["MEASURES", "Bench", "Row"]

_SMALL, _LARGE = 1_000, 10_000
_CREATES: Final = 1_000
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table. `goal` is an upper limit, or a lower one where more is better; `None`: none was set."""

    measure: str
    goal: float | None
    measured: float | None
    told: str
    more_is_better: bool = False

    @property
    def reached(self) -> bool | None:
        """Whether the goal is met, if there is one and something was measured."""
        if self.goal is None or self.measured is None:
            return None
        return self.measured >= self.goal if self.more_is_better else self.measured <= self.goal


@dataclass(slots=True)
class Bench:
    """What the measures share.

    Attributes:
        work: Where projects are kept; one that is there already is used again.
        sizes: Numbers of resources.
        runs: Rounds that count.
        peers: Whether other tools may be installed.
        say: Progress.
    """

    work: Path
    sizes: Sequence[int]
    runs: int
    peers: bool
    say: Callable[[str], None]
    stages: dict[str, Mapping[str, float]] = field(default_factory=dict)

    def project(self, size: int) -> Path:
        """A project of this size, applied, with 1 % of its files edited since."""
        root = self.work / f"project-{size}"
        if not (root / "complete").exists():
            self.say(f"make {size} resources")
            shutil.rmtree(root, ignore_errors=True)
            run(python("-m", "tests.benchmarks.build", str(root), "--size", str(size)))
            (root / "complete").touch()
        return root

    def in_turn(self, size: int, **subjects: Callable[[], Sample]) -> dict[str, list[Sample]]:
        """Rounds of them; told."""
        self.say(f"{' and '.join(subjects)} at {size}")
        return in_turn(self.runs, **subjects)


def _offline(root: Path) -> Sample:
    return run(reconciler("plan", "-C", str(root), "--live", str(root / "live.json")))


def _reading(root: Path, who: str) -> Sample:
    return run(python("-m", "tests.benchmarks.reading", who, str(root)), keep=True)


def _told(sample: Sample, key: str) -> float:
    return float(json.loads(sample.out)[key])


def _ratio(
    ours: Sequence[Sample], theirs: Sequence[Sample], of: Callable[[Sample], float] = lambda one: one.wall_s
) -> float:
    """The median of the rounds' ratios."""
    return statistics.median(of(one) / of(other) for one, other in zip(ours, theirs, strict=True))


def read(bench: Bench) -> Iterator[Row]:
    """Reading with origins against `CSafeLoader`, both inside a process whose start does not count."""
    for size in (size for size in bench.sizes if size >= _SMALL):
        root = bench.project(size)
        found = bench.in_turn(size, read=lambda: _reading(root, "ours"), bare=lambda: _reading(root, "bare"))  # noqa: B023 - called at once

        def seconds(sample: Sample) -> float:
            return _told(sample, "seconds")

        each_us = {name: middle(samples, seconds) / size * 1e6 for name, samples in found.items()}
        yield Row(
            measure=f"read with origins, {size}, against `CSafeLoader`",
            goal=0.9,
            measured=_ratio(found["read"], found["bare"], seconds),
            told=f"{each_us['read']:.0f} µs to {each_us['bare']:.0f} µs a resource",
        )


def plan(bench: Bench) -> Iterator[Row]:
    """Whole plans from a snapshot, against a process that only parses the same files; their growth and memory."""
    wall, peak = {}, {}
    for size in bench.sizes:
        root = bench.project(size)
        found = bench.in_turn(size, plan=lambda: _offline(root), bare=lambda: _reading(root, "bare"))  # noqa: B023 - called at once
        ours, bare = found["plan"], found["bare"]
        wall[size], peak[size] = middle(ours), middle(ours, lambda one: one.peak_mb)
        goal = {_LARGE: 1.5}.get(size)
        yield Row(
            measure=f"whole `plan` of {size} from a snapshot, against a process of `CSafeLoader`",
            goal=goal,
            measured=_ratio(ours, bare),
            told=f"{wall[size]:.2f} s to {middle(bare):.2f} s; {middle(ours, lambda one: one.cpu_s):.2f} s CPU",
        )
        data_mb = _told(bare[0], "data_mb")
        yield Row(
            measure=f"peak memory of `plan` of {size}, against the parsed data",
            goal=4.0 if size == _LARGE else None,
            measured=peak[size] / data_mb,
            told=f"{peak[size]:.0f} MB to {data_mb:.1f} MB",
        )
        bench.stages[f"`plan --live`, {size}"] = _stages(bench, root)
    if {_SMALL, _LARGE} <= wall.keys():
        for what, values, unit in (("wall", wall, "s"), ("memory", peak, "MB")):
            yield Row(
                measure=f"growth of `plan` from {_SMALL} to {_LARGE}, exponent of {what}",
                goal=1.1,
                measured=exponent(values[_SMALL], values[_LARGE]),
                told=f"{values[_SMALL]:.1f} to {values[_LARGE]:.1f} {unit}",
            )


def _stages(bench: Bench, root: Path) -> dict[str, float]:
    """Seconds of each stage of one plan, and of the collector."""
    place = bench.work / "stages.json"
    run(python("-m", "tests.benchmarks.stages", str(place), "plan", "-C", str(root), "--live", str(root / "live.json")))
    told = json.loads(place.read_bytes())
    return {**told["stages"], "(of all that: garbage collector)": told["collector"]}


def live(bench: Bench) -> Iterator[Row]:
    """Whole plans against a served emulator, beyond what the offline plan takes, in units of the request limit."""
    size = max(bench.sizes)
    root, beside = bench.project(size), bench.work / f"served-{size}"
    shutil.rmtree(beside, ignore_errors=True)
    shutil.copytree(root, beside)
    with served(beside / ".reconciler" / "emulator.db") as emulator:
        (beside / "reconciler.yaml").write_text(emulator.project_file(), encoding="utf-8")
        used: list[tuple[int, float]] = []

        def planned() -> Sample:
            requests, cpu_s = emulator.requests(), emulator.cpu_s()
            done = run(reconciler("plan", "-C", str(beside)), env=emulator.secrets)
            used.append((emulator.requests() - requests, emulator.cpu_s() - cpu_s))
            return done

        found = bench.in_turn(size, live=planned, offline=lambda: _offline(root))
        requests, cpu_s = used[-1]
    limit_s = requests * DELAY_S / AT_A_TIME
    beyond = (a.wall_s - b.wall_s for a, b in zip(found["live"], found["offline"], strict=True))
    yield Row(
        measure=f"whole `plan` of {size} against a server, beyond the offline plan, in request limits",
        goal=1.6,
        measured=statistics.median(beyond) / limit_s,
        told=f"{middle(found['live']):.1f} s; offline {middle(found['offline']):.1f} s; {requests:.0f} requests, limit "
        f"{limit_s:.1f} s; the emulator itself took {cpu_s:.1f} s CPU",
    )


def start(bench: Bench) -> Iterator[Row]:
    """Cold starts against an empty Python."""
    root = bench.work / "one"
    root.mkdir(parents=True, exist_ok=True)
    (root / "reconciler.yaml").write_text(corpus.project_file(), encoding="utf-8")
    corpus.write(root, 1, make=corpus.inference)
    commands = {
        "python": python("-c", "pass"),
        "validate": reconciler("validate", "-C", str(root)),
        "help": reconciler("--help"),
        "version": reconciler("--version"),
    }
    # Each takes a blink, and the more rounds, the calmer the median.
    found = in_turn(
        4 * bench.runs, **{name: lambda command=command: run(command) for name, command in commands.items()}
    )
    for name, shown, goal in (
        ("validate", "`validate` of one file", 12.0),
        ("help", "`--help`", 5.0),
        ("version", "`--version`", 5.0),
    ):
        yield Row(
            measure=f"{shown}, against `python -c pass`",
            goal=goal,
            measured=_ratio(found[name], found["python"]),
            told=f"{middle(found[name]) * 1000:.0f} ms to {middle(found['python']) * 1000:.0f} ms",
        )


def apply(bench: Bench) -> Iterator[Row]:
    """An apply of creates, in units of the request limit."""
    root = bench.work / "creates"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    corpus.write(root, _CREATES, make=corpus.inference)
    bench.say(f"apply of {_CREATES} creates")
    ratios, walls, counts, cpus = [], [], [], []
    with served() as emulator:
        (root / "reconciler.yaml").write_text(emulator.project_file(), encoding="utf-8")
        for _ in range(bench.runs):
            shutil.rmtree(root / ".reconciler", ignore_errors=True)
            emulator.reset()
            cpu_s = emulator.cpu_s()
            done = run(reconciler("apply", "--yes", "-C", str(root)), env=emulator.secrets)
            cpus.append(emulator.cpu_s() - cpu_s)
            counts.append(emulator.requests())
            walls.append(done.wall_s)
            ratios.append(done.wall_s / (counts[-1] * DELAY_S / AT_A_TIME))
    requests = statistics.median(counts)
    limit_s = requests * DELAY_S / AT_A_TIME
    yield Row(
        measure=f"`apply` of {_CREATES} creates, in request limits",
        goal=1.5,
        measured=statistics.median(ratios),
        told=f"{statistics.median(walls):.1f} s; {requests:.0f} requests, limit {limit_s:.1f} s; "
        f"the emulator itself took {statistics.median(cpus):.1f} s CPU",
    )


def terraform(bench: Bench) -> Iterator[Row]:
    """A plan against Terraform's, wall."""
    name = f"plan of {_SMALL}, against Terraform at {_SMALL} `terraform_data`, wall: times faster"
    try:
        peer = _peer(bench, Terraform.ready)(bench.work, _SMALL)
    except Unavailable as error:
        yield Row(measure=name, goal=8.0, measured=None, told=str(error), more_is_better=True)
        return
    root = bench.project(_SMALL)
    found = bench.in_turn(_SMALL, plan=lambda: _offline(root), terraform=peer.plan)
    yield Row(
        measure=name,
        goal=8.0,
        measured=_ratio(found["terraform"], found["plan"]),
        told=f"{middle(found['plan']):.2f} s to {middle(found['terraform']):.2f} s of Terraform {peer.version()}, "
        f"{middle(found['terraform'], lambda one: one.peak_mb):.0f} MB",
        more_is_better=True,
    )


def octodns(bench: Bench) -> Iterator[Row]:
    """A plan against octoDNS's, processor time."""
    name = f"plan of {_LARGE}, against octoDNS at {_LARGE} records, CPU"
    try:
        peer = _peer(bench, OctoDns.ready)(bench.work, _LARGE)
    except Unavailable as error:
        yield Row(measure=name, goal=0.7, measured=None, told=str(error))
        return
    root = bench.project(_LARGE)
    found = bench.in_turn(_LARGE, plan=lambda: _offline(root), octodns=peer.plan)
    both = {name: middle(samples, lambda one: one.cpu_s) for name, samples in found.items()}
    yield Row(
        measure=name,
        goal=0.7,
        measured=_ratio(found["plan"], found["octodns"], lambda one: one.cpu_s),
        told=f"{both['plan']:.2f} s to {both['octodns']:.2f} s of {peer.version()}",
    )


def _peer(bench: Bench, ready: _T) -> _T:
    if not bench.peers:
        raise Unavailable("not measured: --peers installs it into a folder of its own")
    return ready


MEASURES: Final[Mapping[str, Callable[[Bench], Iterator[Row]]]] = {
    "start": start,
    "read": read,
    "plan": plan,
    "live": live,
    "apply": apply,
    "terraform": terraform,
    "octodns": octodns,
}
"""`--only` takes these names."""
