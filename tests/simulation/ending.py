"""How a story ends: the sky clears, applies follow until all is done, a person answers what nobody else can know."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from tests.simulation.laws import judge_done, judge_rest
from tests.simulation.network import Weather
from tests.simulation.sched import Process
from tests.simulation.specs import Design
from tests.simulation.truth import KINDS, Item, delete_by_hand, items
from tests.simulation.world import World

__all__ = ["LAG_S", "Ending"]

LAG_S: Final = 60.0
"""How far lists may lag behind."""
_WINDOW_S: Final = 190.0
"""The project's settle window and a little more."""
_ROUNDS: Final = 9
_PLAIN: Final = 4
"""Applies in fair weather, without an answer of a person in between, that it may take."""
_OK: Final = 200
_IDS: Final = re.compile(r"[0-9]+/[0-9a-z]{16,}")
_FOREIGN: Final = "all of them are foreign"


@dataclass(slots=True)
class Ending:
    """The end of one story; `flags`: what has happened that explains a question (`lost`, `deleted`, `name taken`)."""

    world: World
    design: Design
    flags: set[str]
    answers: int = 0
    told_foreign: set[str] = field(default_factory=set)

    def settle(self) -> None:
        """The sky clears, and applies follow until all is done, with a person's answers where those are needed."""
        world = self.world
        world.network.weather = Weather()
        world.say("* it is quiet from here on")
        world.emulator.set_switches({"theta": {"timeline": "normal"}})
        for item in world.all_ours(self.design):
            if item.kind == KINDS[0] and [row[2] for row in item.doc["timeline"]][-1] != _OK:
                world.say(f"* somebody deletes {item.id}, which never gets well")
                delete_by_hand(world.emulator, item)
                self.flags.add("deleted")
        world.scheduler.advance(world.scheduler.now + _WINDOW_S)
        plain = 0
        options: tuple[str, ...] = ()
        for _ in range(_ROUNDS):
            process = world.calm(self.design, "apply", "--yes", "-o", "json", *options)
            if process.code == 0:
                break
            if b"lease-held" in process.err:
                # A lease of a Git home that nobody gave back runs out; one on this machine dies with its process.
                if self.design.home != "git":
                    world.violate("the lease of a dead process is still held")
                    return
                world.scheduler.advance(world.scheduler.now + 1000)
                continue
            told = self._ask(world.calm(self.design, "plan", "-o", "json", *options))
            if told is None:
                return
            plain += not told
            options = tuple(sorted({*options, *(one for one in told if one.startswith("--"))}))
            if plain > 4:
                world.violate("five applies in fair weather, and it is not done")
                return
        else:
            world.violate("it never comes to an end")
            return
        judge_done(world, self.design, final=True)
        process = world.calm(self.design, "plan", "--detailed-exitcode", "-o", "json")
        if process.code != 0:
            changes = [one for one in json.loads(process.out)["changes"] if one["action"] != "none"]
            world.violate(
                f"the second plan is not empty: {[(c['address'], c['action'], c['reason']) for c in changes]}"
            )
        judge_rest(world, self.design)

    def _ask(self, process: Process) -> tuple[str, ...] | None:
        """What a person answers to what a plan could not decide, options among it; `None`: it is stuck."""
        try:
            plan = json.loads(process.out)
        except ValueError:
            self.world.violate(f"a plan in fair weather fails: {process.err.decode()[-300:]}")
            return None
        answers: list[str] = []
        for change in plan["changes"]:
            if change["action"] not in {"blocked", "unknown"}:
                continue
            answer = _ANSWERS.get(change["reason"], "")
            told: str | None = getattr(self, answer)(change) if answer else None
            if told is None:
                self.world.violate(
                    f"stuck: {change['address']} {change['action']} {change['reason']}: {change['message']}"
                )
                return None
            if told:
                self.answers += 1
                self.world.say(f"* a person answers {change['reason']} of {change['address']}: {told}")
                answers.append(told)
            if told and told.startswith("adopt"):
                break  # what is said of the others may depend on it
        return tuple(answers)

    def _possible_duplicate(self, change: Mapping[str, Any]) -> str | None:
        """Only where no marker can be read: a person knows which machine is meant, or that none is."""
        if self.world.markers_readable and not self._unreadable_stranger():
            return None
        return self._adopt_or_trust(change)

    def _adopt_or_trust(self, change: Mapping[str, Any]) -> str:
        """Which of the candidates is meant: one that is as it should be, or none, and what is ours among them goes."""
        world, address = self.world, change["address"]
        kind, lineage = address.rpartition("/")[0], world.lineages[address]
        named = set(_IDS.findall(change["message"]))
        mine = [item for item in world.ours(kind) if world.lineage(item) == lineage and item.id in named]
        thing = self.design.things.get(address)
        fits = [item for item in mine if thing is not None and item.knobs == thing.knobs]
        self._delete_and_wait([item for item in mine if item not in fits[:1]])
        if thing is not None and fits:
            things = {**self.design.things, address: replace(thing, adopt=fits[0].id)}
            self.design = replace(self.design, things=things)
            return f"adopt {fits[0].id}"
        if any(item.id in named and self._is_wanted_elsewhere(item, lineage) for item in world.ours(kind)):
            return ""  # what is another one's is said first: trust means all of the kind
        world.calm(self.design, "ledger", "trust", kind)
        return _FOREIGN

    def _is_wanted_elsewhere(self, item: Item, lineage: str) -> bool:
        """Whether a machine is that of another resource, and nobody has said so yet."""
        other = self.world.lineage(item)
        thing = self.world.thing_of(self.design, other)
        return other != lineage and thing is not None and thing.adopt != item.id

    def _delete_and_wait(self, found: list[Item]) -> None:
        for item in found:
            delete_by_hand(self.world.emulator, item)
        self.world.scheduler.advance(self.world.scheduler.now + LAG_S)

    def _unreadable_stranger(self) -> bool:
        return self.design.machine == "vm_gv2"

    def _unsettled(self, change: Mapping[str, Any]) -> str | None:
        if "may be one of" not in change["message"]:
            return ""
        if self.world.markers_readable and not self._unreadable_stranger():
            return None
        answer = self._adopt_or_trust(change)
        if answer == _FOREIGN and change["address"] in self.told_foreign:
            return None
        self.told_foreign.add(change["address"])
        return answer

    def _not_in_ledger(self, change: Mapping[str, Any]) -> str | None:
        kind = change["address"].rpartition("/")[0]
        item = next((one for one in self.world.ours(kind) if one.id == change["id"]), None)
        if item is not None and item.mark[3] == "p":
            return self._bring_back(self.world.lineage(item)) or self._protected(change)
        return "--trust-markers" if "lost" in self.flags else None

    def _name_taken(self, change: Mapping[str, Any]) -> str | None:
        """Whoever took our name gives it back."""
        if "name taken" not in self.flags:
            return None
        kind = change["address"].rpartition("/")[0]
        for item in items(self.world.emulator, kind):
            if item.id in self.world.foreign[kind] and item.name == self.design.things[change["address"]].live_name:
                delete_by_hand(self.world.emulator, item)
                self.world.note_foreign(kind, item.id)
                self.world.scheduler.advance(self.world.scheduler.now + 20)
                return f"{item.id} is deleted by whoever made it"
        return None

    def _protected(self, change: Mapping[str, Any]) -> str | None:
        """What is protected stays as it is: the person takes the edit back."""
        world, address = self.world, change["address"]
        lineage = world.lineages[address]
        kind = address.rpartition("/")[0]
        thing = self.design.things.get(address)
        if thing is None:
            return self._bring_back(lineage)
        live = next((item for item in world.ours(kind) if world.lineage(item) == lineage), None)
        if thing.keep != "protect" or live is None:
            return None
        choices = [replace(thing, place=place, fixed=fixed) for place in (1, 2, 3) for fixed in (1, 2, 3)]
        same = next((one for one in choices if one.knobs == live.knobs), None)
        same = same or next((one for one in choices if one.knobs[1] == live.knobs[1]), None)
        if same is None:
            return None
        self.design = replace(self.design, things={**self.design.things, address: same})
        return f"{address} stays as it is"

    def _bring_back(self, lineage: str) -> str | None:
        """What was taken out although it is protected is put back."""
        world, gone = self.world, self.design.gone
        back = next(
            (
                one
                for one in gone
                if one.keep == "protect" and lineage in {world.lineages.get(address) for address in one.addresses}
            ),
            None,
        )
        if back is None:
            return None
        things = {**self.design.things, back.address: replace(back, needs=(), refers="")}
        self.design = replace(self.design, things=things, gone=tuple(one for one in gone if one is not back))
        return f"{back.address} comes back"

    def _twins(self, change: Mapping[str, Any]) -> str | None:
        """Only where one of them is to be kept: then a person says which."""
        world = self.world
        thing = self.design.things[change["address"]]
        lineage = world.lineages[thing.address]
        live = [item for item in world.ours(thing.kind) if world.lineage(item) == lineage]
        if all(item.mark[3] == "n" for item in live):
            return None
        stays = next((item for item in live if item.knobs == thing.knobs), live[-1])
        self._delete_and_wait([item for item in live if item is not stays])
        return f"only {stays.id} is kept"

    def _suspicious(self, change: Mapping[str, Any]) -> str | None:
        del change
        return "--accept-empty" if "deleted" in self.flags else None

    def _later(self, change: Mapping[str, Any]) -> str | None:
        del change
        self.world.scheduler.advance(self.world.scheduler.now + 300)
        return ""

    def _nothing(self, change: Mapping[str, Any]) -> str | None:
        del change
        return ""


_ANSWERS: Final[Mapping[str, str]] = {
    "possible-duplicate": "_possible_duplicate",
    "unsettled": "_unsettled",
    "not-in-ledger": "_not_in_ledger",
    "conflict": "_name_taken",
    "owned-by-other": "_name_taken",
    "name-taken": "_name_taken",
    "suspicious-list": "_suspicious",
    "prevent-destroy": "_protected",
    "twins": "_twins",
    "recently-created": "_later",
    "upstream-unknown": "_nothing",
    "upstream-blocked": "_nothing",
}
"""Reason of a blocked or unknown change → who answers it."""
