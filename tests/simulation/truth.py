"""What is really there: the emulator's stored objects, read past every switch, lag and list. Judges nothing."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from reconciler.emulator.modelarts.notebooks_actions import remove
from reconciler.emulator.modelarts.notebooks_life import GONE, advance
from reconciler.emulator.modelarts.services_states import present
from reconciler.emulator.runai.lifecycle import is_gone, state_of
from reconciler.emulator.server import Emulator
from reconciler.emulator.store import Tx

__all__ = [
    "COLLECTIONS",
    "KINDS",
    "MODULES",
    "Item",
    "delete_by_hand",
    "items",
    "owner_mark",
    "resource_mark",
    "show_late_ones",
    "stored",
]

KINDS: Final = ("theta/Deployment", "runai/Inference", "modelarts/Service", "modelarts/Notebook")
MODULES: Final[Mapping[str, str]] = dict(
    zip(KINDS, ("theta", "runai", "modelarts-services", "modelarts-notebooks"), strict=True)
)
COLLECTIONS: Final[Mapping[str, str]] = {
    KINDS[0]: "theta-deployment",
    KINDS[1]: "runai/workloads",
    KINDS[2]: "modelarts-services",
    KINDS[3]: "modelarts-notebooks",
}
_LAG_S: Final = 55.0
_MARK: Final = re.compile(r"rc1\.([a-z2-7]{5})\.([a-z2-7]{8})\.([0-9]+)\.([prn])\.([a-z2-7]{5})\.([a-z2-7]{6})")


def _short(text: str, length: int) -> str:
    return base64.b32encode(hashlib.sha256(text.encode()).digest()).decode().lower()[:length]


def owner_mark(owner: str) -> str:
    """The part of a marker that says whose it is. Worked out here again: the product's word is not taken for it."""
    return _short(f"owner:{owner}", 5)


def resource_mark(address: str) -> str:
    """The part of a marker that says which resource it is."""
    return _short(f"resource:{address}", 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One live thing. `knobs`: (what changes in place, what forces a replace), as `specs` turns them."""

    kind: str
    id: str
    name: str
    mark: tuple[str, ...] = ()
    """Owner, resource, generation, keep, digest, operation; empty without a marker."""
    going: bool
    ready: bool
    created_s: float
    state: str = ""
    """`running`, `stopped`, or empty while it is neither."""
    knobs: tuple[str, str]
    doc: Mapping[str, Any] = field(repr=False, hash=False, compare=False)

    @property
    def owner(self) -> str:
        return self.mark[0] if self.mark else ""

    @property
    def resource(self) -> str:
        return self.mark[1] if self.mark else ""


def items(emulator: Emulator, kind: str) -> list[Item]:
    """All live things of a kind, those on their way out included."""
    with emulator.transaction() as tx:
        found = [_READ[kind](tx, key, doc) for key, doc in tx.all(COLLECTIONS[kind])]
    return [item for item in found if item is not None]


def stored(emulator: Emulator, kind: str) -> dict[str, dict[str, Any]]:
    """The stored objects of a kind, byte for byte what they are, without what mere reading counts down."""
    with emulator.transaction() as tx:
        return {key: {k: v for k, v in doc.items() if k != "hidden_reads"} for key, doc in tx.all(COLLECTIONS[kind])}


def delete_by_hand(emulator: Emulator, item: Item) -> None:
    """Somebody deletes it in the vendor's console."""
    with emulator.transaction() as tx:
        doc = tx.get(COLLECTIONS[item.kind], item.id)
        assert doc is not None
        if item.kind == KINDS[2]:
            doc = present(doc, tx.now)
            if doc is None:
                return
            doc["plan"] = []
            doc |= {"status": "deleting", "plan": [{"at": tx.now + 15.0, "status": "gone"}]}
        elif item.kind == KINDS[3]:
            doc = advance(doc, tx.now)
            doc["status"] = "STOPPED"
            remove(doc, tx.now, lasts_s=10.0, running_too=True)
        else:
            doc["deleted"] = tx.now
        tx.put(COLLECTIONS[item.kind], item.id, doc)


def show_late_ones(emulator: Emulator) -> None:
    """Run:ai's list hides what is new for a number of reads; here also for no longer than lists may lag."""
    with emulator.transaction() as tx:
        for key, doc in tx.all(COLLECTIONS[KINDS[1]]):
            if doc["hidden_reads"] and tx.now - doc["created"] > _LAG_S:
                tx.put(COLLECTIONS[KINDS[1]], key, {**doc, "hidden_reads": 0})


def _marked(text: object) -> tuple[str, ...]:
    found = _MARK.search(str(text or ""))
    return found.groups() if found else ()


def _theta(tx: Tx, key: str, doc: dict[str, Any]) -> Item | None:
    if doc["deleted"] is not None:
        return None
    since, phase, status = 0.0, "", 0
    for after_s, next_phase, next_status in doc["timeline"]:
        if tx.now - doc["started"] >= after_s:
            since, phase, status = after_s, next_phase, next_status
    del since
    return Item(
        kind=KINDS[0],
        id=key,
        name="",
        mark=_marked((doc["annotations"] or {}).get("rc-id")),
        going=False,
        ready=phase == "Running" and status == 200,
        created_s=doc["created"],
        knobs=("", f"{doc['env'].get('MODE', '')}"),
        doc=doc,
    )


def _runai(tx: Tx, key: str, doc: dict[str, Any]) -> Item | None:
    if doc["type"] != "Inference" or is_gone(doc, tx.now):
        return None
    spec = doc["spec"]
    notes = {one.get("name"): one.get("value") for one in spec.get("annotations") or ()}
    return Item(
        kind=KINDS[1],
        id=key,
        name=doc["name"],
        mark=_marked(notes.get("reconciler/id")),
        going=doc["deleted"] is not None,
        ready=state_of(tx, doc).actual == "Running",
        created_s=doc["created"],
        knobs=(str(spec.get("image", "")).rpartition(":")[2], str((spec.get("servingPort") or {}).get("container"))),
        doc=doc,
    )


def _service(tx: Tx, key: str, doc: dict[str, Any]) -> Item | None:
    now = present(doc, tx.now)
    if now is None:
        return None
    config = now["config"][0]
    return Item(
        kind=KINDS[2],
        id=key,
        name=now["fields"]["service_name"],
        mark=_marked(now["fields"].get("description")),
        going=now["status"] == "deleting",
        ready=now["status"] == "running",
        state=now["status"] if now["status"] in {"running", "stopped"} else "",
        created_s=now["created"],
        knobs=((config.get("envs") or {}).get("MODE", ""), str(now["fields"].get("pool_name", ""))),
        doc=doc,
    )


def _notebook(tx: Tx, key: str, doc: dict[str, Any]) -> Item | None:
    doc = advance(doc, tx.now)
    if doc["status"] == GONE:
        return None
    return Item(
        kind=KINDS[3],
        id=key,
        name=doc["name"],
        mark=_marked(doc["description"]),
        going=doc["status"] == "DELETING",
        ready=doc["status"] == "RUNNING",
        state=doc["status"].lower() if doc["status"] in {"RUNNING", "STOPPED"} else "",
        created_s=doc["created"],
        knobs=(doc["description"].partition(" [")[0], str(doc["storage"]["location"]["path"])),
        doc=doc,
    )


_READ: Final = dict(zip(KINDS, (_theta, _runai, _service, _notebook), strict=True))
