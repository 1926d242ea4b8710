"""The marks in a comment or an issue that only machines read: whose it is, and what it showed.

The first line says what it is about, the last line holds what the next plan and the apply want to know: which changes a
person could see here. They are trusted only in what our own account wrote. Whoever may push a branch to the
repository can write as that account: against them GitHub's required reviewers stand before the apply, not this.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from reconciler.github.result import Result

__all__ = ["State", "first_line", "marker", "read_state", "state_line", "state_of"]

_LONGEST_KEY: Final = 300
_LONGEST_STATE: Final = 20_000
"""Characters of the last line: what is left of a comment is for people."""
_MOST_BYTES: Final = 1_000_000
"""A state that unpacks to more is damaged, or meant to fill our memory."""
_STATE: Final = re.compile(r"<!-- reconciler-state: ([A-Za-z0-9+/=]{1,65536}) -->\Z")
_PREFIX: Final = re.compile(r"[0-9a-f]{32}\Z")
_DIGEST: Final = re.compile(r"([0-9a-f]{64})?\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What a comment showed.

    Attributes:
        owner: Whose plan, `project/environment`.
        head: Commit of the pull request that it was made for, or empty.
        digest: The plan's, or empty where there was none.
        reviewed: Whether it may count as reviewed: a whole plan, from live state.
        changes: Address → first 32 hex characters of the change's digest; keyed by those themselves where the addresses
            had no room.
        named: Whether `changes` has addresses, and all of them.
    """

    owner: str = ""
    head: str = ""
    digest: str = ""
    reviewed: bool = False
    changes: Mapping[str, str] = field(default_factory=dict)
    named: bool = True


def marker(what: str, key: str) -> str:
    """The first line of a `plan` comment or a `drift` issue."""
    shown = quote(" ".join(key.split()), safe="/ ._~").replace("-", "%2D")
    if len(shown) > _LONGEST_KEY:
        shown = f"{shown[:_LONGEST_KEY]}~{hashlib.sha256(shown.encode()).hexdigest()[:16]}"
    return f"<!-- reconciler: {what} {shown} -->"


def first_line(body: object) -> str:
    """The first line of a body, as it was posted; GitHub gives line breaks of either kind."""
    return body.partition("\n")[0].rstrip() if isinstance(body, str) else ""


def state_of(result: Result, head: str, *, unreviewed: bool) -> State:
    """What a result lets the next one know."""
    plan = result.plan
    if plan is None or result.has_failed:
        return State(owner=result.owner, head=head)
    reviewed = result.is_whole_plan and not unreviewed and plan.get("snapshot") is None
    return State(
        owner=result.owner,
        head=head,
        digest=str(plan["digest"]),
        reviewed=reviewed,
        changes=result.change_digests,
    )


def state_line(state: State) -> str:
    """The last line of a comment: with addresses if they fit, else with the digests alone, else without changes."""
    digests = "".join(sorted(set(state.changes.values())))  # in one piece: nine hundred of them just fit
    shown: tuple[Any, ...] = (dict(sorted(state.changes.items())), digests, None)
    return next(line for changes in shown if len(line := _line(state, changes)) <= _LONGEST_STATE)


def read_state(body: object) -> State | None:
    """What the last line of a comment holds; `None` without one that is whole."""
    if not isinstance(body, str):
        return None
    found = _STATE.search(body.rstrip())
    if found is None:
        return None
    try:
        unpacker = zlib.decompressobj()
        text = unpacker.decompress(base64.b64decode(found[1], validate=True), _MOST_BYTES)
        data = json.loads(text) if unpacker.eof and not unpacker.unconsumed_tail else None
    except (binascii.Error, zlib.error, ValueError, RecursionError):
        return None
    return _state(data)


def _line(state: State, changes: object) -> str:
    data: dict[str, Any] = {
        "v": 1,
        "owner": state.owner,
        "head": state.head,
        "digest": state.digest,
        "reviewed": state.reviewed,
        "changes": changes,
    }
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")
    # Digests hold no repetition: looking for short ones costs a sixth more than taking them digit by digit.
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS, 9, zlib.Z_FILTERED)
    packed = packer.compress(text) + packer.flush()
    return f"<!-- reconciler-state: {base64.b64encode(packed).decode()} -->"


def _state(data: object) -> State | None:
    if not isinstance(data, dict) or data.get("v") != 1 or type(data.get("reviewed")) is not bool:
        return None
    owner, head, digest, changes = (data.get(key) for key in ("owner", "head", "digest", "changes"))
    if not isinstance(owner, str) or not isinstance(head, str) or not isinstance(digest, str):
        return None
    named = isinstance(changes, dict)
    digests = changes if isinstance(changes, dict) else {item: item for item in _pieces(changes)}
    if not _DIGEST.match(digest) or not all(isinstance(one, str) and _PREFIX.match(one) for one in digests.values()):
        return None
    return State(owner=owner, head=head, digest=digest, reviewed=data["reviewed"], changes=digests, named=named)


def _pieces(changes: object) -> list[str]:
    text = changes if isinstance(changes, str) else ""
    return [text[start : start + 32] for start in range(0, len(text), 32)]
