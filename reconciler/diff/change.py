"""One resource's verdict as data: `Change`, with its `FieldChange`s, reason and calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from reconciler.diff.live import Applied, Live
from reconciler.fields import FieldPath, Interruption, Kind, Phase, ReplaceOrder
from reconciler.problems import Origin
from reconciler.spec.document import Layer
from reconciler.spec.resource import Resource

__all__ = ["Action", "Call", "CallOp", "Change", "FieldChange", "FieldClass", "Repeat"]


class Action(StrEnum):
    """What is to be done. The action steers the apply; the reason only explains."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    ADOPT = "adopt"
    NONE = "none"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"


class FieldClass(StrEnum):
    """Which side moved since the last apply."""

    PENDING = "pending"
    DRIFT = "drift"
    BOTH = "both"
    UNKNOWN = "unknown"
    """There is no ledger entry to tell."""


class Repeat(StrEnum):
    """Whether a write may be sent again. Source: DESIGN §6, SETTLEMENT §4."""

    YES = "yes"
    AFTER_READ = "after-read"
    NEVER = "never"


class CallOp(StrEnum):
    """What one call does."""

    CREATE = "create"
    UPDATE = "update"
    START = "start"
    STOP = "stop"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One write to a provider, before it is sent.

    Attributes:
        op, method, path, query, body: The request; leaves of `body` may be `SecretRef` (resolved only on sending) and,
            in a plan, `KnownAfterApply`.
        host: Which of the provider's base addresses (`""` is the main one).
        target: Live id that it is meant for; empty for a create.
        repeat: Whether it may be sent again when its outcome is unknown.
        when: Phases of the live resource in which it may be sent; empty: any. The apply waits for one of them.
        until: Phases that show that it has had its effect; empty: nothing to wait for before the next call.
        summary: For people: `PUT config[0].instance_count`, never a value.
    """

    op: CallOp
    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    host: str = ""
    target: str = ""
    repeat: Repeat = Repeat.NEVER
    when: frozenset[Phase] = frozenset()
    until: frozenset[Phase] = frozenset()
    summary: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One field, before and after.

    `before` and `after` are plain JSON; `None` where hidden (`sensitive`), absent, or not yet known (`after_known`
    False).
    `removed` tells an absent `after` from a null one.
    """

    path: FieldPath
    before: Any
    after: Any
    field_class: FieldClass
    origin: Origin | None = None
    forces_replace: bool = False
    sensitive: bool = False
    after_known: bool = True
    removed: bool = False
    verifiable: bool = True
    """Whether the live side shows the field, so that the change can be read back."""
    interruption: Interruption = Interruption.NONE
    notice: str = ""
    source: str = ""
    """The provider rule behind it: sheet section and tag."""
    after_text: str = ""
    """The `ref()` text of a value that is not known yet."""
    chain: tuple[Layer, ...] = ()
    """The layers that the new value went through; empty: written at `origin` and nowhere else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One resource's verdict. `reason` is a stable code, `message` a sentence for people."""

    address: str
    kind: Kind
    action: Action
    reason: str
    message: str = ""
    desired: Resource | None = None
    live: Live | None = None
    applied: Applied | None = None
    leftover: Live | None = None
    """What is left of an interrupted create-first replace: the change is to delete it, and nothing else."""
    half_of: str = ""
    """Address of the resource whose other half this is: both left the spec before their replace came to its end."""
    fields: tuple[FieldChange, ...] = ()
    interruption: Interruption = Interruption.NONE
    notices: tuple[str, ...] = ()
    replace_order: ReplaceOrder | None = None
    run_state: str = ""
    """Run state to bring about (`running`, `stopped`), or empty."""
    candidates: tuple[str, ...] = ()
    """Live ids that a person may want to look at or adopt."""
    intended: Action | None = None
    """For `blocked`: what would have been done."""
    calls: tuple[Call, ...] = ()

    @property
    def live_id(self) -> str:
        """The live thing's id, or empty."""
        return self.live.id if self.live else ""
