"""The live side as data: `Live` items, `Listing`s with a verdict, ownership `Marker`s, and `Applied` ledger rows."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

from reconciler.fields import Kind, Phase
from reconciler.spec.values import encode

__all__ = [
    "Applied",
    "Listing",
    "Live",
    "Marker",
    "Verdict",
    "append_marker",
    "create_digest",
    "owner_hash",
    "resource_hash",
    "split_marker",
]

_TOKEN: Final = re.compile(r"^rc1\.([a-z2-7]{5})\.([a-z2-7]{8})\.([0-9]{1,4})\.([prn])\.([a-z2-7]{5})\.([a-z2-7]{6})$")
_SUFFIX: Final = re.compile(r" ?\[(rc1\.[a-z0-9.]+)\]$")


def _short(text: str, length: int) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return base64.b32encode(digest[: 5 * -(-length // 8)]).decode().lower()[:length]  # 5 bytes are 8 characters


def owner_hash(owner: str) -> str:
    """Five characters that stand for `<project>` or `<project>/<environment>`."""
    return _short(f"owner:{owner}", 5)


@lru_cache(maxsize=1 << 16)  # a plan asks three times for each
def resource_hash(address: str) -> str:
    """Eight characters that stand for an address."""
    return _short(f"resource:{address}", 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """The token on a live resource by which we know it again: `rc1.owner.resource.generation.keep.digest.op`.

    All parts are constants of one machine, because most APIs can't change them later; the alphabet is `[a-z0-9.]`, so
    that descriptions, annotations and labels all take it. Source: SETTLEMENT §2.
    """

    owner: str
    resource: str
    generation: int
    keep: str = "n"
    """`p` protected, `r` retain, `n` neither."""
    digest: str
    """Five characters over the create spec (secrets only as keyed fingerprints)."""
    op: str
    """Six characters: operation id of the POST that made it."""

    def __str__(self) -> str:
        return f"rc1.{self.owner}.{self.resource}.{self.generation}.{self.keep}.{self.digest}.{self.op}"

    @classmethod
    def parse(cls, text: str) -> Marker | None:
        """Read a token; `None` when the text is none of ours."""
        return _parsed(text)


@lru_cache(maxsize=1 << 16)  # each marker is asked for many times in a plan
def _parsed(text: str) -> Marker | None:
    match = _TOKEN.match(text)
    if match is None:
        return None
    return Marker(
        owner=match[1], resource=match[2], generation=int(match[3]), keep=match[4], digest=match[5], op=match[6]
    )


def create_digest(spec: Mapping[str, Any]) -> str:
    """Five characters over the spec of a create, references as names: two creates of one spec have the same."""
    text = json.dumps(encode(spec), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return base64.b32encode(hashlib.sha256(text.encode()).digest()[:5]).decode().lower()[:5]


def append_marker(text: str, marker: str) -> str:
    """A user's text with ` [marker]` at its end."""
    return f"{text} [{marker}]" if text else f"[{marker}]"


def split_marker(text: str) -> tuple[str, str]:
    """A live text as (the user's part, marker or empty)."""
    match = _SUFFIX.search(text)
    return (text[: match.start()], match[1]) if match else (text, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """One item of a provider, normalised to the shape of `spec`.

    Attributes:
        id: The id that the provider's calls take (Theta: `shard/suffix`).
        name: The API's name; empty for kinds without a settable one.
        spec: What the API shows, in the spec's field names, without marker and without anything secret.
        hidden: Paths of `spec` that this item does not show although the API can (`FieldPath` texts).
        defaults: Path of `spec` → what the server takes where it is not written, if only this item tells (by its
            template); what goes for all items of a kind is in its table.
        phase, status, reason: Our phase, the provider's own word, and its explanation if it gives one.
        marker: The token as found; empty when there is none.
        marker_readable: False when this item's carrier can't be read, so that a missing marker proves nothing.
        outputs: What `ref()` and `outputs` may read: `id`, `name`, `endpoint`.
        untouchable: Why nobody may adopt or change it (subscribed, another product), or empty.
        created_by: The provider's user that made it, if told.
        run_state: `running` or `stopped` where the provider tells; else empty.
        created_at: When the provider made it, in seconds since the epoch by its own clock; 0 when it does not tell.
    """

    kind: Kind
    provider: str
    id: str
    name: str = ""
    spec: Mapping[str, Any] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    phase: Phase = Phase.UNKNOWN
    status: str = ""
    reason: str = ""
    marker: str = ""
    marker_readable: bool = True
    outputs: Mapping[str, str] = field(default_factory=dict)
    untouchable: str = ""
    created_by: str = ""
    run_state: str = ""
    created_at: float = 0.0

    @property
    def parsed_marker(self) -> Marker | None:
        """The marker's parts, or none."""
        return Marker.parse(self.marker) if self.marker else None


class Verdict(StrEnum):
    """How far a list can be trusted."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    """Known to show only a part (own scope): absence proves nothing."""
    SUSPICIOUS = "suspicious"
    """Complete by its own word, but far emptier than the ledger knows."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Everything of one kind at one provider instance, without tombstones; `message` says why it is not complete."""

    provider: str
    kind: Kind
    items: tuple[Live, ...] = ()
    verdict: Verdict = Verdict.COMPLETE
    message: str = ""
    notes: tuple[str, ...] = ()
    _ids: Mapping[str, Live] = field(init=False, repr=False, compare=False, default_factory=dict)
    _names: Mapping[str, tuple[Live, ...]] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        names: dict[str, list[Live]] = defaultdict(list)
        for item in self.items:
            names[item.name].append(item)
        object.__setattr__(self, "_ids", {item.id: item for item in reversed(self.items)})
        object.__setattr__(self, "_names", {name: tuple(items) for name, items in names.items()})

    def by_id(self, live_id: str) -> Live | None:
        """The item of this id, or none."""
        return self._ids.get(live_id)

    def by_name(self, name: str) -> tuple[Live, ...]:
        """All items of this name, in the order of the list."""
        return self._names.get(name, ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """The ledger's entry of one resource: what we made of it last.

    Attributes:
        address, kind: The resource; `kind` is `type/Kind`.
        live_id, live_name: The live thing.
        marker: As it was written; empty when adopted on paper.
        generation: Counted up at each create of the address.
        spec: Last applied desired spec (decoded: secrets as references, `ref()` values as they were).
        edges: Addresses that it needed at the last apply.
        prevent_destroy, on_remove: As last applied; they outlive the file.
        renamed_from: As last applied: a rename that is still in the file, and was carried out.
        secrets_revision, run_state: As last applied (`lifecycle`).
        lifecycle: The rest of it as a document has it, without `adopt` and `renamedFrom`; for `undo`.
        fingerprints: Secret name → keyed fingerprint (`keyid:hex`).
        ready: False until it was seen ready.
        rebuilt: Made of a marker alone (`ledger rebuild`): it tells whose it is, and proves nothing for a delete.
        successor: Live id of the other half of a create-first replace, or empty.
        revision, applied_at, run: Who applied last: Git revision (may be empty), seconds since the epoch, run id.
    """

    address: str
    kind: str
    live_id: str
    live_name: str = ""
    marker: str = ""
    generation: int = 1
    spec: Mapping[str, Any] = field(default_factory=dict)
    edges: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    prevent_destroy: bool = False
    on_remove: str = "delete"
    renamed_from: tuple[str, ...] = ()
    secrets_revision: int = 0
    run_state: str = ""
    lifecycle: Mapping[str, Any] = field(default_factory=dict)
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    ready: bool = True
    rebuilt: bool = False
    successor: str = ""
    created_at: float = 0.0
    applied_at: float = 0.0
    revision: str = ""
    run: str = ""
