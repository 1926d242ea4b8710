"""The laws: what must never be, at any commit and in the end. Judged by the emulator's state and log alone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from tests.simulation.sched import Process
from tests.simulation.server import Sent
from tests.simulation.specs import Design
from tests.simulation.truth import KINDS, MODULES, Item, items, stored

if TYPE_CHECKING:
    from tests.simulation.world import World

__all__ = ["CANARY", "judge_done", "judge_rest", "judge_secrets", "watch"]

CANARY: Final = "canary-5ecretValue-of-the-app-9f3b"
_UNSEEN_S: Final = 180.0
"""How long what somebody else did may be unknown: a list's lag, a slow request, a wait between two looks."""
_KIND_OF: Final = {module: kind for kind, module in MODULES.items()}


def watch(world: World, sent: Sent) -> None:
    kind = _KIND_OF.get(sent.module)
    process = world.processes.get(sent.by)
    if kind is None or process is None:
        return
    before = world.seen[kind]
    now = {item.id: item for item in items(world.emulator, kind)}
    world.seen[kind] = now
    strange = [one for one in world.foreign[kind] if _names(sent.path, one)]
    if strange:
        world.violate(f"{sent.method} {sent.path} changes {strange[0]}, which is not ours")
    for item in now.values():
        if item.id not in before:
            world.born_on[item.id] = process.facts["ledger"]
            _created(world, process, item, now.values(), sent)
    if sent.method == "DELETE":
        gone = next((one for one in before.values() if _names(sent.path, one.id)), None)
        if gone is not None and not gone.going:
            _deleted(world, process, gone, now.values(), sent)


def _created(world: World, process: Process, item: Item, all_now: Iterable[Item], sent: Sent) -> None:
    lineage = world.lineage(item)
    if lineage in {"", "?"}:
        world.violate(f"a {item.kind} was made without our marker, or for nothing: {item.id}")
        return
    _reviewed(world, process, lineage, item, "create")
    others = [one for one in all_now if one.id != item.id and not one.going and world.lineage(one) == lineage]
    late = " (late)" if sent.late else ""
    if item.kind != KINDS[0] and others:
        world.violate(f"twin{late}: {item.id} beside {others[0].id}, both {lineage}")
    alike = [one for one in others if one.mark[4] == item.mark[4]]
    if item.kind == KINDS[0] and alike:
        world.violate(f"twin{late}: {item.id} beside {alike[0].id}, both {lineage} and made alike")
    elif item.kind == KINDS[0] and len(others) > 1:
        world.violate(f"three{late}: {item.id} beside {', '.join(one.id for one in others)}, all {lineage}")


def _deleted(world: World, process: Process, item: Item, all_now: Iterable[Item], sent: Sent) -> None:
    lineage = world.lineage(item)
    if not lineage:
        world.violate(f"DELETE of {item.id}, which carries no marker of ours")
        return
    design: Design = process.facts["design"]
    thing = world.thing_of(design, lineage)
    _reviewed(world, process, lineage, item, "delete")
    if item.mark[3] == "p" or (item.mark[3] == "r" and thing is None):
        world.violate(f"DELETE of {item.id} ({lineage}), which is to be kept")
    ledger = process.facts["ledger"]
    proven = lineage in world.applied.get(ledger, set()) or world.born_on.get(item.id) == ledger
    if not proven and "--trust-markers" not in process.args:
        world.violate(f"DELETE of {item.id} ({lineage}) on a ledger that never had it: by its marker alone")
    others = [one for one in all_now if one.id != item.id and not one.going and world.lineage(one) == lineage]
    if thing is None or sent.late:
        return
    if not others and sent.at_s - world.taken_s.get(lineage, 0.0) < _UNSEEN_S:
        return  # the list may still have shown the one that somebody deleted
    if not others:
        fits = item.knobs[1] == thing.knobs[1]
        if fits or item.kind == KINDS[0]:
            world.violate(f"DELETE of {item.id}, the only {lineage}" + (", and as it should be" if fits else ""))
        return
    stays = [one for one in others if one.ready]
    if not stays:
        world.violate(f"DELETE of {item.id} before what takes its place is ready ({others[0].id}, {lineage})")
    elif not world.markers_readable:
        return  # only by its marker's digest is one of them the right one (SETTLEMENT §6)
    elif item.knobs[1] == thing.knobs[1] and not any(one.knobs[1] == thing.knobs[1] for one in stays):
        world.violate(f"DELETE of {item.id}, the one {lineage} that is as it should be")


def _reviewed(world: World, process: Process, lineage: str, item: Item, op: str) -> None:
    """Under `--expect`: only what the reviewed plan said."""
    reviewed: dict[str, str] | None = process.facts.get("reviewed")
    if reviewed is None:
        return
    action = next((said for one, said in reviewed.items() if world.lineages.get(one, one) == lineage), "nothing")
    if action not in {op, "replace"} and not (action == "?" and op == "delete"):
        world.violate(f"{op} of {item.id} ({lineage}), and the reviewed plan says {action}")
    seen: Design = process.facts["reviewed_design"]
    thing = world.thing_of(seen, lineage)
    if op == "create" and thing is not None and item.knobs != thing.knobs:
        world.violate(f"{op} of {item.id} as {item.knobs}, and the reviewed plan says {thing.knobs}")


def judge_done(world: World, design: Design, *, final: bool) -> None:
    """An apply said that it is done: then it is so."""
    for thing in design.things.values():
        lineage = world.lineages[thing.address]
        live = [item for item in world.ours(thing.kind) if world.lineage(item) == lineage]
        fits = [item for item in live if item.knobs == thing.knobs]
        if not fits:
            shown = [(item.id, item.knobs) for item in live]
            world.violate(f"done, but {thing.address} is {shown or 'not there'} and should be {thing.knobs}")
        elif thing.state and fits[0].state not in {"", thing.state}:
            world.violate(f"done, but {thing.address} is {fits[0].state} and should be {thing.state}")
        elif len(live) > 1 and final:
            world.violate(f"done, but {thing.address} is there {len(live)} times")


def judge_rest(world: World, design: Design) -> None:
    """At the very end: nothing of ours beyond the design, and nobody else's touched."""
    wanted = {world.lineages[thing.address] for thing in design.things.values()}
    for item in world.all_ours(design):
        # Whose ledger is lost and whose marker nobody can read, that is a stranger for ever (SETTLEMENT §1.3).
        forgotten = item.kind == KINDS[0] and not world.markers_readable and world.born_on[item.id] != world.ledger
        if world.lineage(item) not in wanted and not forgotten and item.mark[3] != "r":
            world.violate(f"{item.id} ({world.lineage(item)}) is still there and not in the spec")
    judge_foreign(world)


def judge_foreign(world: World) -> None:
    """Other people's things are byte for byte as they left them."""
    for kind, expected in world.expected_foreign.items():
        now = stored(world.emulator, kind)
        for key, doc in expected.items():
            if now.get(key) != doc:
                world.violate(f"{kind} {key} is not ours and was changed")
    for sent in world.emulator.sent:
        if sent.is_write and sent.by in world.processes:
            for ids in world.foreign.values():
                for one in ids:
                    if _names(sent.path, one):
                        world.violate(f"{sent.method} {sent.path} was sent: {one} is not ours")


def judge_secrets(world: World) -> None:
    """The canary is in no byte that was written down or shown."""
    for what, raw in (("output", bytes(world.product.all_output)), ("ledger", world.product.ledger_bytes())):
        if CANARY.encode() in raw:
            world.violate(f"the secret is in the {what}")


def _names(path: str, live_id: str) -> bool:
    """Whether a path is that of an item (Theta's ids hold a slash)."""
    return re.search(rf"(^|/){re.escape(live_id)}($|/)", path) is not None
