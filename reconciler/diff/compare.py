"""Compares one resource's desired spec with the live one and the last applied one, field by field. Pure, exact.

Three verdicts for a field: equal, differs, can't be verified (the API does not show it). Only *differs* becomes a
`FieldChange`; for the third the last applied value speaks, and without one nothing is claimed (case C26). Equality
comes first; nothing is compared that was never ours (case C25).
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from reconciler.diff.change import FieldChange, FieldClass
from reconciler.diff.live import Live
from reconciler.diff.settled import is_settled
from reconciler.fields import REPLACE, UNSET, FieldPath, FieldRule, Interruption, Kind, Secret, Seen, Unset
from reconciler.fields.normalise import empty_to_none, exact, normalise, number
from reconciler.fields.path import EACH
from reconciler.fields.tree import RuleTree
from reconciler.problems import Origin
from reconciler.spec.document import Layer
from reconciler.spec.values import KnownAfterApply, encode, fill, holds_secret, is_pending, pending_in

__all__ = ["ABSENT", "Comparison", "Sides", "by_key", "canonical", "compare", "leaves", "same", "same_at", "text_of"]


class _Absent:
    """Not there at all; the same as null and empty for a comparison, but not for a reader."""

    def __repr__(self) -> str:
        return "ABSENT"

    def __bool__(self) -> bool:
        return False


ABSENT: Final = _Absent()
_ROOT: Final = FieldPath()
_PLAIN: Final = frozenset({str, int, float, bool})
_UNLISTED: Final = FieldRule(path="", change=REPLACE, source="no row: the safe assumption")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """What is compared.

    Attributes:
        kind: The facts.
        desired: Compiled spec; references to existing resources already filled in.
        live: The live item.
        applied: Last applied spec, `None` without a ledger entry.
        version: The provider instance's API release, or empty.
        ignore: Paths that are left alone.
        secret_changed: Secret name → True (another value than last applied), False (the same), None (can't tell).
        origin_of: Concrete index path (`("spec", "config", 0, "weight")`) → where it was written.
        chain_of: The same → the layers that the value went through.
    """

    kind: Kind
    desired: Mapping[str, Any]
    live: Live
    applied: Mapping[str, Any] | None
    version: str = ""
    ignore: tuple[FieldPath, ...] = ()
    secret_changed: Callable[[str], bool | None] = lambda _name: None
    origin_of: Callable[[tuple[str | int, ...]], Origin | None] = lambda _path: None
    chain_of: Callable[[tuple[str | int, ...]], tuple[Layer, ...]] = lambda _path: ()


@dataclass(slots=True)
class Comparison:
    """The changes, in path order, and what could not be told."""

    changes: list[FieldChange] = field(default_factory=list)
    unverified: list[FieldPath] = field(default_factory=list)
    """Written, but neither the API nor the ledger can say whether it is so."""
    impossible: list[FieldPath] = field(default_factory=list)
    """Taken out of the spec, and the API has no way back to nothing."""


@dataclass(frozen=True, slots=True)
class _Node:
    """One place in all three trees. `where` is the index path in the file, for origins."""

    path: FieldPath
    where: tuple[str | int, ...]
    desired: Any
    live: Any
    applied: Any


def compare(sides: Sides) -> Comparison:
    """Compare field by field.

    Returns:
        Changes sorted by path; equal sides give none.
    """
    result = Comparison()
    tree = sides.kind.tree(sides.live.hidden)
    _walk(sides, _Node(FieldPath(), (), sides.desired, sides.live.spec, sides.applied or {}), result, tree)
    result.changes.sort(key=lambda change: change.path.segments)
    return result


def _walk(sides: Sides, node: _Node, result: Comparison, tree: RuleTree) -> None:
    """`tree`: the rules from here on, by which what is plainly in sync is passed over."""
    if any(node.path.starts_with(path) for path in sides.ignore):
        return
    rule = sides.kind.exact_rule(node.path) if node.path.segments else None
    if rule is not None and rule.list_key and _is_list(node.desired, node.applied):
        for child in _keyed_children(sides.kind, node, rule.list_key):
            _walk(sides, _unless_left_out(child, rule.left_out_by) if rule.left_out_by else child, result, tree.each)
    elif _is_tree(rule, node):
        for child, below in _mapping_children(node, tree):
            _walk(sides, child, result, below)
    else:
        _leaf(sides, node, result)


def _is_tree(rule: FieldRule | None, node: _Node) -> bool:
    gone = empty_to_none(_or_none(node.desired)) is None
    if rule is not None and (rule.normalise or (gone and rule.unset is not None)):
        return False
    return isinstance(node.desired, Mapping) or (isinstance(node.applied, Mapping) and gone)


def _is_list(*values: Any) -> bool:
    return any(isinstance(value, list | tuple) for value in values)


def _mapping_children(node: _Node, tree: RuleTree) -> Iterable[tuple[_Node, RuleTree]]:
    """What is below, but for what is plainly in sync, which is nearly all."""
    desired, live, applied = (_mapping(value) for value in (node.desired, node.live, node.applied))
    for key in dict.fromkeys([*desired, *applied]):
        below = tree.child(key)
        sides = (desired.get(key, ABSENT), live.get(key, ABSENT), applied.get(key, ABSENT))
        if not is_settled(below, *sides):
            yield _Node(node.path / key, (*node.where, key), *sides), below


def _keyed_children(kind: Kind, node: _Node, list_key: str) -> Iterable[_Node]:
    rules = {key: kind.exact_rule(node.path / EACH / key) for key in list_key.split("+")}
    desired, live, applied = (by_key(value, rules) for value in (node.desired, node.live, node.applied))
    for key in dict.fromkeys([*desired, *applied]):
        index, wanted = desired.get(key, (0, ABSENT))
        where = (*node.where, index) if wanted is not ABSENT else node.where
        yield _Node(
            node.path / f"[{key}]", where, wanted, live.get(key, (0, ABSENT))[1], applied.get(key, (0, ABSENT))[1]
        )


def _unless_left_out(node: _Node, flag: str) -> _Node:
    """An entry of a list; of one that the spec leaves out, or left out when last applied, the flag alone.

    A live entry is not left out, whatever the last applied value says; shown with its flag, it is as good as absent.
    """
    desired, live, applied = (_mapping(value) for value in (node.desired, node.live, node.applied))
    told = live.get(flag) is True if live else ABSENT
    if desired.get(flag) is True or (applied.get(flag) is True and not (desired and told is False)):
        where = (*node.where, flag) if desired else node.where
        return _Node(node.path / flag, where, desired.get(flag, ABSENT), told, applied.get(flag, ABSENT))
    if told is True:
        return dataclasses.replace(node, live=ABSENT)
    return dataclasses.replace(node, live={**live, flag: False}) if desired and live else node


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def by_key(value: Any, rules: Mapping[str, FieldRule | None]) -> dict[str, tuple[int, Any]]:
    """A keyed list as a map; `a+b` is a key of two fields, of which any may be missing.

    A key field that is not written counts as its default; two elements with one key stay two.
    """
    found: dict[str, tuple[int, Any]] = {}
    seen: Counter[str] = Counter()
    for index, item in enumerate(value if isinstance(value, list | tuple) else ()):
        name = ",".join(_key_parts(item, rules)) or str(index)
        seen[name] += 1
        found[name if seen[name] == 1 else f"{name}#{seen[name]}"] = (index, item)
    return found


def _key_parts(item: Any, rules: Mapping[str, FieldRule | None]) -> Iterable[str]:
    for key, rule in rules.items():
        value = empty_to_none(item.get(key)) if isinstance(item, Mapping) else None
        if value is None and rule is not None:
            value = _or_none(rule.default)
        if value is not None:
            yield str(value)


# -- one field ------------------------------------------------------------------------------------------------------


def _leaf(sides: Sides, node: _Node, result: Comparison) -> None:
    rule = _rule_for(sides.kind, node.path)
    if rule.server_set:
        return
    if empty_to_none(_or_none(node.desired)) is None:
        if node.desired == "" and _visible(sides, node, rule) and not _unset(rule, node.live):
            _differs(sides, node, rule, result)  # an explicit "" empties a text, whoever wrote it
        else:
            _removed(sides, node, rule, result)
        return
    if holds_secret(node.desired):
        _secret(sides, node, rule, result)
        return
    if pending_in(node.desired):
        _differs(sides, node, rule, result)  # what it refers to is about to be made anew
        return
    if not _visible(sides, node, rule):
        _invisible(sides, node, rule, result)
        return
    if not _equal_to_live(sides, node, rule):
        _differs(sides, node, rule, result)


def _rule_for(kind: Kind, path: FieldPath) -> FieldRule:
    return kind.speaks_for(path) or _UNLISTED


def _visible(sides: Sides, node: _Node, rule: FieldRule) -> bool:
    if rule.seen is Seen.NEVER or rule.reworded:
        return False
    if any(node.path.starts_with(FieldPath.parse(hidden)) for hidden in sides.live.hidden):
        return False
    return not (rule.seen is Seen.SOMETIMES and empty_to_none(_or_none(node.live)) is None)


def _invisible(sides: Sides, node: _Node, rule: FieldRule, result: Comparison) -> None:
    """The API does not show it (or in other words): the last applied value speaks."""
    if sides.applied is not None and same(rule, node.desired, _or_follows(sides.applied, rule, node.applied)):
        return
    if rule.reworded and _matches_any(sides, node, rule):
        return
    if sides.applied is not None:
        _differs(sides, node, rule, result)
        return
    result.unverified.append(node.path)


def _matches_any(sides: Sides, node: _Node, rule: FieldRule) -> bool:
    others = [_get(sides.live.spec, FieldPath.parse(path)) for path in rule.also_live]
    return any(same(rule, node.desired, value) for value in (node.live, *others))


def _equal_to_live(sides: Sides, node: _Node, rule: FieldRule) -> bool:
    if rule.bounds is not None:
        return _within(sides, node, rule)
    if same(rule, node.desired, _default(rule, node.live)):
        return True
    if rule.effective == "at-next-start" and sides.applied is not None:
        return same(rule, node.desired, node.applied)
    return _matches_any(sides, node, rule)


def _within(sides: Sides, node: _Node, rule: FieldRule) -> bool:
    """A count that an autoscaler moves: inside the bounds is equal, unless the bound itself was moved (case C28)."""
    if sides.applied is not None and not same(rule, node.desired, _default(rule, node.applied)):
        return False
    low_path, high_path = rule.bounds or ("", "")
    low, high = _bound(sides, low_path), _bound(sides, high_path)
    count = number(node.live)
    if not isinstance(low, Decimal) or not isinstance(count, Decimal):
        return True
    top = high if isinstance(high, Decimal) else low
    return low <= count <= top


def _bound(sides: Sides, path: str) -> Any:
    """A bound as an exact number: as written, else the default; anything else when it is not known."""
    where = FieldPath.parse(path)
    return number(_or_none(_default(_rule_for(sides.kind, where), _get(sides.desired, where))))


def _secret(sides: Sides, node: _Node, rule: FieldRule, result: Comparison) -> None:
    """A value from `secret()`: no live value is ever compared; reference and fingerprint tell (case C26)."""
    if sides.applied is None:
        result.unverified.append(node.path)
        return
    if canonical(_or_none(node.applied)) != canonical(node.desired):
        _differs(sides, node, rule, result)
        return
    names = [found.name for found in pending_in(node.desired) if not isinstance(found, KnownAfterApply)]
    verdicts = [sides.secret_changed(name) for name in names]
    if True in verdicts:
        _differs(sides, node, rule, result)
    elif None in verdicts:
        result.unverified.append(node.path)


def _removed(sides: Sides, node: _Node, rule: FieldRule, result: Comparison) -> None:
    """Taken out of the spec. Only what we applied before, and what is still there, goes back to nothing (case C27)."""
    if empty_to_none(_or_none(node.applied)) is None:
        return
    if rule.instead_of and _get(sides.desired, FieldPath.parse(rule.instead_of)) is not ABSENT:
        return
    shown, own = _visible(sides, node, rule), sides.live.defaults.get(str(node.path), ABSENT)
    if own is not ABSENT and same(rule, node.live if shown else node.applied, own):
        return
    if shown and (_unset(rule, node.live) or _follows(sides, rule, node.live)):
        return
    if not shown and same(rule, node.applied, _or_follows(sides.desired, rule, ABSENT)):
        return
    if rule.unset_way(sides.version) is Unset.IMPOSSIBLE:
        result.impossible.append(node.path)
    _differs(sides, node, rule, result, removed=True)


def _follows(sides: Sides, rule: FieldRule, live: Any) -> bool:
    """Whether a live value is what the server takes from another field when this one is not given."""
    return bool(rule.default_from) and same(rule, live, _get(sides.live.spec, FieldPath.parse(rule.default_from)))


def _or_follows(spec: Mapping[str, Any], rule: FieldRule, value: Any) -> Any:
    """A value of one side; where it is not written, what the server makes of that."""
    if rule.default_from and empty_to_none(_or_none(value)) is None:
        return _get(spec, FieldPath.parse(rule.default_from))
    return _default(rule, value)


def _unset(rule: FieldRule, live: Any) -> bool:
    value = empty_to_none(_or_none(live))
    return value is None or (rule.default is not UNSET and same(rule, value, rule.default))


def _differs(sides: Sides, node: _Node, rule: FieldRule, result: Comparison, *, removed: bool = False) -> None:
    in_place = rule.changes_in_place(sides.version)
    if removed:
        in_place = rule.unset_way(sides.version) is Unset.IN_PLACE
    shown = _visible(sides, node, rule)
    before = node.live if shown else node.applied
    if rule.one_way == "off->on" and _is_on(sides, node, rule, before):
        in_place = False
    sensitive = rule.secret is Secret.ALWAYS or any(
        holds_secret(_or_none(value)) for value in (node.desired, node.applied)
    )
    references = pending_in(_or_none(node.desired))
    after = None if removed or references else _or_none(node.desired)
    if removed and rule.default is not UNSET:
        after = rule.default
    result.changes.append(
        FieldChange(
            path=node.path,
            before=None if sensitive else encode(_shown(rule, _or_none(before))),
            after=None if sensitive else encode(_shown(rule, after)),
            field_class=_class(sides, node, rule, shown=shown),
            origin=sides.origin_of(("spec", *node.where)),
            chain=sides.chain_of(("spec", *node.where)),
            forces_replace=not in_place,
            sensitive=sensitive,
            after_known=not any(isinstance(found, KnownAfterApply) for found in references),
            removed=removed,
            verifiable=shown,
            interruption=rule.interruption if in_place else Interruption(sides.kind.replace_interruption),
            notice=rule.notice,
            source=sides.kind.cite(rule.source),
            after_text=text_of(node.desired) if references and not sensitive else "",
        )
    )


def _shown(rule: FieldRule, value: Any) -> Any:
    """A list whose order means nothing is shown in one order: a server that shuffles it must not change a plan."""
    if not rule.normalise or not isinstance(value, list | tuple) or is_pending(value) or pending_in(value):
        return value
    turned = list(value)[::-1]
    return sorted(value, key=str) if _canonical(rule, turned) == _canonical(rule, value) else value


def _is_on(sides: Sides, node: _Node, rule: FieldRule, before: Any) -> bool:
    """Whether a one-way switch is on already: the topmost of those above a field is the switch for all below it."""
    for end in range(1, len(node.path.segments)):
        path = FieldPath(node.path.segments[:end])
        above = sides.kind.exact_rule(path)
        if above is not None and above.one_way:
            rule, before = above, _get(sides.live.spec, path)
            before = _get(sides.applied or {}, path) if before is ABSENT else before
            break
    return before is not False and not _unset(rule, before)


def _class(sides: Sides, node: _Node, rule: FieldRule, *, shown: bool) -> FieldClass:
    if sides.applied is None:
        return FieldClass.UNKNOWN
    pending = not same(rule, node.desired, node.applied)
    drift = _can_drift(node, rule, shown=shown) and not same(
        rule, _default(rule, node.live), _default(rule, node.applied)
    )
    if pending and drift:
        return FieldClass.BOTH
    return FieldClass.DRIFT if drift else FieldClass.PENDING


def _can_drift(node: _Node, rule: FieldRule, *, shown: bool) -> bool:
    """Whether the live value can be held against the last applied one.

    Not one that we never applied, nor one that came from a secret, nor one that only counts from the next start on.
    """
    if not shown or node.applied is ABSENT or rule.effective == "at-next-start":
        return False
    return not (pending_in(node.applied) or holds_secret(_or_none(node.desired)))


# -- values ---------------------------------------------------------------------------------------------------------


def _or_none(value: Any) -> Any:
    return None if value is ABSENT or value is UNSET else value


def _default(rule: FieldRule, value: Any) -> Any:
    return rule.default if empty_to_none(_or_none(value)) is None and rule.default is not UNSET else value


def _get(tree: Any, path: FieldPath) -> Any:
    """The value at a path of mapping keys, or `ABSENT`."""
    for segment in path:
        if not isinstance(tree, Mapping) or segment not in tree:
            return ABSENT
        tree = tree[segment]
    return tree


def same(rule: FieldRule, one: Any, other: Any) -> bool:
    """Whether two values are equal by the field's own normalisation; null, empty and absent are one."""
    if one.__class__ in _PLAIN and one.__class__ is other.__class__ and one == other:
        return True  # most are, and no normalisation tells two equal ones apart
    return bool(_canonical(rule, one) == _canonical(rule, other))


def same_at(kind: Kind, path: FieldPath, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool | None:
    """Whether two specs say the same at this path, by the field's own normalisation; `None` where one is silent."""
    values = [_get(tree, path) for tree in (one, other)]
    if any(empty_to_none(_or_none(value)) is None or pending_in(value) for value in values):
        return None
    return same(_rule_for(kind, path), *values)


def _canonical(rule: FieldRule, value: Any) -> Any:
    plain = empty_to_none(_or_none(value))
    if plain is None or is_pending(plain):
        return canonical(plain)
    return canonical(normalise(rule.normalise, plain) if rule.normalise else plain)


def canonical(value: Any) -> Any:
    """A value in the form that compares: numbers exact, empties gone, booleans no numbers, key order meaningless."""
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, int | float):
        return exact(value)
    if is_pending(value):
        return ("pending", str(value))
    if isinstance(value, Mapping):
        pairs = sorted((key, canonical(item)) for key, item in value.items() if not _is_empty(item))
        return ("map", *pairs) if pairs else None
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return tuple(canonical(item) for item in value) or None
    return None if value == "" else value


def _is_empty(value: Any) -> bool:
    return canonical(value) is None


def text_of(value: Any) -> str:
    """A value that is not known yet, as its `ref` text: a reference alone, or what holds it as JSON."""
    if is_pending(value):
        return str(value)
    return json.dumps(fill(value, str), ensure_ascii=False)


def leaves(
    value: Any, path: FieldPath = _ROOT, where: tuple[str | int, ...] = ()
) -> Iterable[tuple[FieldPath, tuple[str | int, ...], Any]]:
    """(path, index path, leaf) of a desired spec, in the order in which it was written; lists are numbered."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from leaves(item, path / key, (*where, key))
    elif isinstance(value, list | tuple) and any(isinstance(item, Mapping) for item in value):
        for index, item in enumerate(value):
            yield from leaves(item, path / f"[{index}]", (*where, index))
    elif path.segments:
        yield path, where, value
