"""One seed: a random spec, random steps in bad weather, then calm; and what must be true in the end."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from reconciler.emulator.modelarts.services_states import present
from reconciler.providers.runai import client as runai_client
from tests.simulation.by_hand import MAKE
from tests.simulation.ending import LAG_S, Ending
from tests.simulation.laws import judge_done, judge_secrets
from tests.simulation.network import Weather
from tests.simulation.sched import Process
from tests.simulation.specs import Design, edit, new_design
from tests.simulation.truth import COLLECTIONS, KINDS, MODULES, Item, delete_by_hand, items
from tests.simulation.world import World

__all__ = ["Outcome", "tell"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one seed came to."""

    seed: int
    writes: int
    requests: int
    faults: int
    crashes: int
    commands: int
    answers: int
    """How often a person had to say what nobody else could know."""
    violations: tuple[str, ...]
    trace: tuple[str, ...]

    @property
    def is_caught(self) -> bool:
        """Whether a law was broken, and it was not the harness that broke."""
        return any(not one.startswith("internal error") for one in self.violations)


@dataclass(slots=True)
class _Story:
    world: World
    design: Design
    rng: random.Random
    flags: set[str] = field(default_factory=set)
    meddled_s: float = -1e9
    """When somebody else last did something."""

    # -- the steps --------------------------------------------------------------------------------------------------

    def apply(self) -> None:
        """An apply in whatever weather there is; it may die on the way."""
        world = self.world
        process = world.process(self.design)
        self._endanger(process)
        fresh = world.scheduler.now - self.meddled_s < LAG_S  # lists may lag behind what others did just now
        code = world.run(process, "apply", "--yes", "-o", "json", *self._options())
        if code == 0 and not fresh:
            judge_done(world, self.design, final=False)

    def change(self) -> None:
        """What happens most: a person edits, and applies."""
        self.edit()
        self.apply()

    def plan(self) -> None:
        self.world.run(self.world.process(self.design), "plan", "-o", "json")

    def edit(self) -> None:
        for _ in range(self.rng.choice((1, 1, 2, 3))):
            self.design, what = edit(self.rng, self.design)
            self.world.say(f"* {what}")

    def wait(self) -> None:
        seconds = self.rng.choice((5.0, 40.0, 100.0, 400.0))
        self.world.say(f"* {seconds:g} s pass")
        self.world.scheduler.advance(self.world.scheduler.now + seconds)

    def weather(self) -> None:
        rng = self.rng
        self.world.network.weather = rng.choice(
            (
                Weather(),
                Weather(writes=0.5),
                Weather(writes=0.25, reads=0.02),
                Weather(reads=0.1),
                Weather(writes=0.3, reads=0.05, flaps=0.03),
                Weather(flaps=0.08),
                Weather(writes=0.1, ledger=0.03),
                Weather(writes=0.2, meanwhile=0.1),
            )
        )
        self.world.say(f"* weather {self.world.network.weather}")

    def lose_ledger(self) -> None:
        world = self.world
        world.say("* the ledger is lost; the next runner is a hosted one")
        world.product.lose_ledger()
        world.product.set_env("CI", "1")
        world.ledger += 1
        self.flags.add("lost")

    def trouble(self) -> None:
        """What Theta makes from now on never gets well, or does again."""
        timeline = self.rng.choice(("failed", "never_ready", "normal"))
        self.world.say(f"* new deployments: {timeline}")
        self.world.emulator.set_switches({"theta": {"timeline": timeline}})

    def amnesia(self) -> None:
        """A hosted runner dies with its ledger while a request of its is under way, and the next one starts at once."""
        self.edit()
        process = self.world.process(self.design)
        process.crash_in = self.rng.randint(3, 20)
        self.world.run(process, "apply", "--yes", "-o", "json")
        self.lose_ledger()
        self.apply()

    def meddle(self) -> None:
        """Somebody else does something in the vendor's console."""
        what = self.rng.choice(("delete", "change", "foreign", "same name", "foreign"))
        self.meddled_s = self.world.scheduler.now
        ours = self.world.all_ours(self.design)
        if what in {"delete", "change"} and not ours:
            return
        if what == "delete":
            item = self.rng.choice(ours)
            self.world.say(f"* somebody deletes {item.id} ({self.world.lineage(item)})")
            delete_by_hand(self.world.emulator, item)
            self.world.taken_s[self.world.lineage(item)] = self.world.scheduler.now
            self.flags.add("deleted")
        elif what == "change":
            self._change(self.rng.choice(ours))
        else:
            self._make_foreign(self.rng.choice(self.design.kinds), taking=what == "same name")

    def two_runners(self) -> None:
        """B begins somewhere in the middle of A: one of them works, and the other one is refused."""
        world, rng = self.world, self.rng
        if rng.random() < 0.8:
            self.edit()
        first, second = world.process(self.design), world.process(self.design)
        if rng.random() < 0.4:
            self._endanger(first)
        if self.design.home == "git" and rng.random() < 0.6:
            first.freeze_in = rng.randint(2, 60)
            first.freeze_s = rng.choice((100.0, 700.0, 2000.0))
            first.freeze_suspends = rng.random() < 0.5
        world.order.clear()
        task = world.start(first, "apply", "--yes", "-o", "json")
        delay = rng.choice((0.0, 0.0, 1.0, 8.0, 30.0, 90.0, 400.0))
        if first.freeze_in:
            delay = rng.choice((30.0, 400.0, 1000.0))
        start = world.scheduler.now + delay
        world.scheduler.run(lambda: task.done or world.scheduler.now >= start)
        wait = ("--lease-wait", rng.choice(("30s", "15m"))) if rng.random() < 0.4 else ()
        other = world.start(second, "apply", "--yes", "-o", "json", *wait)
        world.finish(first, task)
        world.finish(second, other)
        turns = [name for index, name in enumerate(world.order) if index == 0 or world.order[index - 1] != name]
        if len(turns) > 2:
            world.violate(f"two runners send by turns: {' '.join(turns)}")

    def reviewed(self) -> None:
        """A plan is read by a person, things move or they don't, and just that plan is applied."""
        world, rng = self.world, self.rng
        path = str(world.product.root / "plan.json")
        by_file = rng.random() < 0.5
        process = world.process(self.design)
        if world.run(process, "plan", "-o", "json", *(("--out", path) if by_file else ())) != 0:
            return
        told = json.loads(process.out)
        reviewed = {one["address"]: one["action"] for one in told["changes"]}
        seen = self.design
        if rng.random() < 0.4:
            self.edit()
        if rng.random() < 0.4:
            self.meddle()
        later = world.process(self.design)
        later.facts |= {"reviewed": reviewed, "reviewed_design": seen}
        expected = (path,) if by_file else ("--expect", told["digest"])
        world.run(later, "apply", "--yes", "-o", "json", *expected)

    # -- how a step is done -----------------------------------------------------------------------------------------

    def _options(self) -> tuple[str, ...]:
        return ("--partial",) if self.rng.random() < 0.15 else ()

    def _endanger(self, process: Process) -> None:
        rng = self.rng
        if rng.random() < 0.55:
            process.crash_in = rng.randint(1, rng.choice((8, 25, 60)))
            process.crash_reads = rng.random() < 0.25

    def _change(self, item: Item) -> None:
        """A knob of ours is turned by somebody else."""
        world = self.world
        world.say(f"* somebody changes {item.id} ({world.lineage(item)})")
        with world.emulator.transaction() as tx:
            collection = COLLECTIONS[item.kind]
            doc = tx.get(collection, item.id)
            if doc is None or item.kind == KINDS[0]:
                return  # Theta has no way to change one
            if item.kind == KINDS[1]:
                doc["spec"] = {**doc["spec"], "image": "registry.example.com/llm:9"}
                doc["revisions"].append({"id": f"by-hand-{tx.now}", "created": tx.now, "image": doc["spec"]["image"]})
            elif item.kind == KINDS[2]:
                doc["config"][0]["envs"] = {"MODE": "m9"}
                doc = present(doc, tx.now) or doc
            else:
                _, bracket, mark = doc["description"].partition(" [")
                doc["description"] = f"work 9{bracket}{mark}"
            tx.put(collection, item.id, doc)

    def _make_foreign(self, kind: str, *, taking: bool) -> None:
        """Something that nobody marked; `taking`: under the name of one of ours, where names count."""
        world, rng = self.world, self.rng
        names = [thing.live_name for thing in self.design.things.values() if thing.kind == kind and thing.live_name]
        if taking and not names:
            return
        name = rng.choice(names) if taking else f"other-{len(world.foreign[kind])}"
        before = {item.id for item in items(world.emulator, kind)}
        status = MAKE[kind](world.emulator, name)
        made = {item.id for item in items(world.emulator, kind)} - before
        world.say(f"* somebody makes a {kind} {name}: {status} {' '.join(made)}")
        for key in made:
            world.note_foreign(kind, key)
            world.seen[kind] = {item.id: item for item in items(world.emulator, kind)}
            if taking:
                self.flags.add("name taken")

    def meanwhile(self, module: str) -> None:
        """Somebody else makes or deletes something of theirs while a list is being read."""
        world = self.world
        kind = next(one for one, name in MODULES.items() if name == module)
        theirs = [item for item in items(world.emulator, kind) if item.name.startswith("other-") and not item.going]
        if theirs and self.rng.random() < 0.5:
            world.say(f"* meanwhile somebody deletes {theirs[0].id}")
            delete_by_hand(world.emulator, theirs[0])
            world.note_foreign(kind, theirs[0].id)
        else:
            self._make_foreign(kind, taking=False)


_STEPS: Final[tuple[tuple[str, int], ...]] = (
    ("apply", 5),
    ("change", 10),
    ("edit", 2),
    ("weather", 3),
    ("meddle", 3),
    ("wait", 2),
    ("lose_ledger", 1),
    ("amnesia", 1),
    ("two_runners", 2),
    ("reviewed", 2),
    ("plan", 1),
    ("trouble", 1),
)


def _choose_switches(rng: random.Random, world: World) -> dict[str, dict[str, Any]]:
    mode = rng.choices(("echo", "null", "nickname_only"), (6, 3, 1))[0]
    world.markers_readable = mode != "null"
    return {
        "theta": {
            "annotations_mode": mode,
            "list_lag_ms": rng.choice((0, 0, 20_000, 55_000)),
            "timeline": rng.choice(("normal", "normal", "slow")),
            "create_shape": rng.choice(("sentence", "object")),
            "delete_mode": rng.choice(("remove", "soft")),
        },
        "modelarts": {"token_ttl_s": rng.choice((86_400, 100))},
        "runai": {
            "tokenLifetime": rng.choice((3600, 100)),
            "listLag": rng.choice((0, 0, 1, 3)),
            "duplicateName": rng.choice(("409", "409", "400", "allow")),
        },
        "modelarts-services": {
            "stale_status_s": rng.choice((0, 0, 10)),
            "limit_max": rng.choice((2, 3, 1000)),
            "offset_mode": rng.choice(("page", "record")),
        },
        "modelarts-notebooks": {
            "delete": rng.choice(("async", "sync")),
            "annotations_echo": rng.choice(("merge", "drop")),
        },
    }


def tell(seed: int, *, prepare: Callable[[World], None] = lambda _world: None) -> Outcome:
    """Tell the story of one seed; `prepare` may spoil something first."""
    world = World(seed)
    world.open()
    try:
        rng = world.rng
        kinds = tuple(kind for kind in KINDS if rng.random() < 0.42) or (rng.choice(KINDS),)
        home = "git" if rng.random() < 0.25 else "sqlite"
        switches = _choose_switches(rng, world)
        world.emulator.set_switches(switches)
        machine = "vm_gv2" if rng.random() < 0.15 else "vm_gv1"
        design = new_design(rng, kinds=kinds, home=home, most=rng.choice((1, 2, 3, 4, 6)), machine=machine)
        world.say(f"* home {home}, switches {switches}, machine {machine}")
        world.product.put(runai_client, "_PAGE", rng.choice((2, 3, 500)))
        prepare(world)
        story = _Story(world, design, rng)
        world.network.meanwhile = story.meanwhile
        names, weights = zip(*_STEPS, strict=True)
        story.weather()
        if rng.random() < 0.85:
            story.apply()
        for name in rng.choices(names, weights, k=rng.randint(2, 7)):
            getattr(story, name)()
            if world.violations:
                break
        ending = Ending(world, story.design, story.flags)
        if not world.violations:
            ending.settle()
            judge_secrets(world)
        return Outcome(
            seed=seed,
            writes=world.writes,
            requests=len(world.emulator.sent),
            faults=world.network.faults,
            crashes=world.crashes,
            commands=len(world.processes),
            answers=ending.answers,
            violations=tuple(world.violations),
            trace=tuple(world.trace),
        )
    finally:
        world.close()
