"""What a fact about one kind of resource may be (`Kind`): its field table, names, phases, marker slot and rules."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from reconciler.fields.path import FieldPath
from reconciler.fields.rule import UNSET, FieldRule
from reconciler.fields.tree import RuleTree

__all__ = [
    "MARKER_ROOM",
    "Check",
    "CostRule",
    "Finding",
    "Kind",
    "MarkerSlot",
    "NameRule",
    "Phase",
    "ReplaceOrder",
    "WaitFor",
]

MARKER_ROOM: Final = 41
"""Characters that ` [marker]` takes at the end of a text, at most (generation of four digits)."""


class Phase(StrEnum):
    """What a provider's many statuses mean to us."""

    PROGRESSING = "progressing"
    READY = "ready"
    DEGRADED = "degraded"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    GOING = "going"
    """On its way out: never matched, adopted or updated; its name may still be taken."""
    GONE = "gone"
    """A tombstone: not live."""
    UNKNOWN = "unknown"


class ReplaceOrder(StrEnum):
    """Which half of a replace comes first."""

    CREATE_FIRST = "create-first"
    DELETE_FIRST = "delete-first"


class WaitFor(StrEnum):
    """What an apply waits for after a create or update."""

    READY = "ready"
    RUNNING = "running"
    HTTP = "http"
    NONE = "none"


_MOST_PATHS: Final = 1 << 14
"""Concrete paths of which a kind remembers the rows; keys of lists, which are many, stand in them."""
_MOST_TREES: Final = 64
"""Sets of hidden paths for which a kind remembers the tree of its table; most kinds have one or two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A broken rule across fields; with `warning` one that a person should know of, and that stops nothing.

    Paths are concrete: below `spec` (`config[1].weight`, by index), or from the root (`metadata.…`, `lifecycle.…`).
    """

    code: str
    path: str
    wrong: str
    expected: str
    others: tuple[str, ...] = ()
    nearest: str = ""
    warning: bool = False


Check = Callable[[Mapping[str, Any], Mapping[str, Any]], Iterable[Finding]]
"""A rule across fields: (document with `metadata`, `lifecycle`, `spec`; settings of the provider instance) → findings.

Values may be `SecretRef`, `KnownAfterApply` or `Composite`: a check skips what it can't judge.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NameRule:
    """The API's own rule for a name (`metadata.liveName`)."""

    pattern: str
    words: str
    """The rule in words, for errors: `1 to 64 letters, digits, - and _`."""

    def accepts(self, name: str) -> bool:
        """Whether the API would take this name."""
        return re.fullmatch(self.pattern, name) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkerSlot:
    """Where the ownership marker travels. Source: SETTLEMENT §2.

    Attributes:
        carrier: Path in `spec` (or on the wire) that holds it, for people and the docs.
        suffix_of: Path of a text field of `spec` that gets ` [marker]` at its end; empty for a carrier of its own.
        room: Characters that the text field may hold in all, marker included; 0 for no limit.
        can_change: Whether it can be rewritten on a live resource (adopt on the live side instead of on paper).
    """

    carrier: str
    suffix_of: str = ""
    room: int = 0
    can_change: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRule:
    """One thing that costs: price looked up by the value at `item`, times the product of the numbers at `times`.

    `item` may be a constant in quotes (`"gpu"`). A path with `[*]` is summed over the list's elements. `low` and `high`
    are paths of the smallest and largest count (replicas); empty means 1.
    """

    item: str
    times: tuple[str, ...] = ()
    low: str = ""
    high: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """All that the engine knows of one kind.

    Attributes:
        api_version: As in the spec, such as `modelarts/v1`.
        name: As in the spec, such as `Service`.
        type: Provider type that serves it, such as `modelarts`.
        title: The live thing in words: `ModelArts service`.
        schema: File name in `schemas/`.
        sheet: The provider sheet that the rows' sources are sections of, where they do not name it themselves.
        fields: The field table.
        phases: Provider status → `Phase`. Statuses that are not listed are `UNKNOWN`.
        marker: Where the marker travels.
        live_name: Rule of the API's name; `None` when the API lets us set no name.
        live_id: Rule of the API's id (`lifecycle.adopt`); `None` for a UUID or an id with a slash.
        replace: The safe order of a replace, and `replace_orders`, all that are possible.
        replace_notice: What a user will notice when the resource is replaced; the same for `delete_notice`.
        replace_interruption: Interruption class of a replace (data-loss when local data goes).
        checks: Rules across fields.
        costs, gpus: What costs, and what counts as a GPU.
        run_states: Run states that `lifecycle.runState` may ask for; empty when the provider can't stop.
        wait: Default of `lifecycle.wait`; `timeout_s`, `poll_s` in seconds.
        status_lag_s: Seconds for which the status may still be the one from before a write, `listLag` at most.
        degraded_s: Seconds that a degraded one may take to heal before waiting for it ends; 0: as long as any wait.
        serial: Creates go one at a time per provider instance.
        likeness: Paths of `spec` that, where the API lets us set no name and an item's markers can't be read, make an
            unclaimed item a possible duplicate when all of them match (a reason for caution, never for a claim).
        named_by: Paths of `spec` of which `import` makes a name where the API lets us set none; the first that is told.
        example: A smallest valid `spec`, for errors, `init` and tests.
    """

    api_version: str
    name: str
    type: str
    title: str
    schema: str
    fields: tuple[FieldRule, ...]
    phases: Mapping[str, Phase]
    marker: MarkerSlot
    live_name: NameRule | None
    replace: ReplaceOrder
    replace_orders: tuple[ReplaceOrder, ...]
    replace_notice: str
    sheet: str = ""
    replace_interruption: str = "replace"
    delete_notice: str = ""
    live_id: NameRule | None = None
    checks: tuple[Check, ...] = ()
    costs: tuple[CostRule, ...] = ()
    gpus: tuple[CostRule, ...] = ()
    run_states: tuple[str, ...] = ()
    wait: WaitFor = WaitFor.READY
    timeout_s: float = 1200.0
    poll_s: float = 15.0
    status_lag_s: float = 0.0
    degraded_s: float = 0.0
    serial: bool = False
    likeness: tuple[str, ...] = ()
    named_by: tuple[str, ...] = ()
    example: Mapping[str, Any] = field(default_factory=dict)
    _rules: Mapping[FieldPath, FieldRule] = field(init=False, repr=False, compare=False, default_factory=dict)
    keyed_lists: tuple[tuple[FieldPath, tuple[str, ...]], ...] = field(init=False, repr=False, default=())
    """The lists whose entries have a key, and the fields that it is made of."""
    _trees: dict[frozenset[str], RuleTree] = field(init=False, repr=False, compare=False, default_factory=dict)
    _exact: dict[FieldPath, FieldRule | None] = field(init=False, repr=False, compare=False, default_factory=dict)
    _speaking: dict[FieldPath, FieldRule | None] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        rules = {FieldPath.parse(rule.path): rule for rule in self.fields}
        keyed = tuple((path, tuple(rule.list_key.split("+"))) for path, rule in rules.items() if rule.list_key)
        object.__setattr__(self, "_rules", rules)
        object.__setattr__(self, "keyed_lists", keyed)

    def __hash__(self) -> int:
        return hash((self.api_version, self.name))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Kind) and (self.api_version, self.name) == (other.api_version, other.name)

    @property
    def label(self) -> str:
        """`type/Kind`, as defaults, policies and `explain` write it: `modelarts/Service`."""
        return f"{self.type}/{self.name}"

    def cite(self, source: str) -> str:
        """A row's source as somebody reads it who does not know the table: the sheet, then the section and tag."""
        return f"{self.sheet} {source}" if self.sheet and source.startswith("§") else source

    def tree(self, hidden: frozenset[str] = frozenset()) -> RuleTree:
        """The table as a tree, for an item that does not show what stands at the `hidden` paths."""
        found = self._trees.get(hidden)
        if found is None:
            if len(self._trees) >= _MOST_TREES:
                self._trees.clear()
            found = self._trees[hidden] = RuleTree.of(self._rules, hidden)
        return found

    def exact_rule(self, path: FieldPath) -> FieldRule | None:
        """The row of exactly this path (concrete or pattern), or none."""
        if path not in self._exact:
            if len(self._exact) >= _MOST_PATHS:
                self._exact.clear()
            self._exact[path] = self._rules.get(path.pattern)
        return self._exact[path]

    def rule(self, path: FieldPath) -> FieldRule | None:
        """The deepest row at or above this path (concrete or pattern), or none."""
        rules = self._rules
        segments = path.pattern.segments
        for length in range(len(segments), 0, -1):
            found = rules.get(FieldPath(segments[:length]))
            if found is not None:
                return found
        return None

    def speaks_for(self, path: FieldPath) -> FieldRule | None:
        """The row of this path; or the one above, but for what that says of its own value alone; or none."""
        if path not in self._speaking:
            if len(self._speaking) >= _MOST_PATHS:
                self._speaking.clear()
            found = self.exact_rule(path)
            above = self.rule(path) if found is None else None
            if above is not None:
                found = replace(above, default=UNSET, bounds=None, also_live=(), instead_of="")
            self._speaking[path] = found
        return self._speaking[path]

    def has_rules_below(self, path: FieldPath) -> bool:
        """Whether the table has rows for fields below this path."""
        pattern = path.pattern
        return any(len(other) > len(pattern) and other.starts_with(pattern) for other in self._rules)

    def phase(self, status: str) -> Phase:
        """What a provider's status means; statuses that nobody listed are `UNKNOWN`."""
        return self.phases.get(status, Phase.UNKNOWN)
