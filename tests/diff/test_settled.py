"""What is passed over as plainly in sync is what going through it field by field finds nothing in."""

from __future__ import annotations

import copy
import random
from typing import Any, Final

import pytest

from reconciler.diff import compare as compare_module
from reconciler.diff.compare import Comparison, Sides, compare
from reconciler.diff.live import Live
from reconciler.diff.settled import is_settled
from reconciler.fields import REPLACE, FieldPath, FieldRule, Kind
from reconciler.fields.tree import RuleTree
from reconciler.providers.registry import all_kinds
from reconciler.spec.values import KnownAfterApply, SecretRef
from tests.walk.samples import FULL

_REF: Final = KnownAfterApply("theta/Deployment/a", "endpoint")
ODD: Final[tuple[Any, ...]] = (
    *(None, "", [], {}, True, False, 0, 1, 1.0, 2.5, "1", "1000m", "x", ["x"], ["x", "x"], {"a": "b"}, {"a": ""}),
    *([{"name": "a", "value": "b"}], [{"name": "a"}, {"name": "a"}], SecretRef("A"), _REF, [SecretRef("A")]),
)
_ROUNDS: Final = 500


def mutated(spec: Any, rng: random.Random) -> Any:
    """The spec with up to three values replaced, taken out, put beside, doubled or in another order."""
    made = copy.deepcopy(spec)
    for _ in range(rng.choice((0, 0, 1, 1, 2, 3))):
        holder = made
        while True:
            inner = [item for item in (holder.values() if isinstance(holder, dict) else holder) if is_holder(item)]
            if not inner or rng.random() < 0.3:
                break
            holder = rng.choice(inner)
        change(holder, rng)
    return made


def is_holder(value: Any) -> bool:
    return isinstance(value, dict | list) and bool(value)


def change(holder: Any, rng: random.Random) -> None:
    keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
    if not keys:
        return
    key, odd, choice = rng.choice(keys), copy.deepcopy(rng.choice(ODD)), rng.randrange(5)
    if choice == 0:
        del holder[key]
    elif choice == 1 and isinstance(holder, dict):
        holder[rng.choice(("name", "value", "NEW", "exclude", "enabled"))] = odd
    elif choice == 1:
        holder.insert(key, copy.deepcopy(holder[key]) if rng.random() < 0.5 else odd)
    elif choice == 2 and isinstance(holder, list):
        rng.shuffle(holder)
    else:
        holder[key] = odd


def found(  # noqa: PLR0917 - what is compared
    kind: Kind, desired: Any, live: Any, applied: Any, ignore: tuple[FieldPath, ...], hidden: frozenset[str]
) -> Comparison:
    item = Live(kind=kind, provider="p", id="1", spec=live, hidden=hidden)
    return compare(Sides(kind=kind, desired=desired, live=item, applied=applied, version="2.24", ignore=ignore))


@pytest.mark.parametrize("label", sorted(FULL))
def test_the_same_with_and_without_passing_over(label: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = all_kinds()[label]
    rng = random.Random(20261128)  # noqa: S311 - the same specs in each run
    specs = [dict(kind.example), *(dict(spec) for spec in FULL[label].values())]
    paths = [rule.path for rule in kind.fields]
    passed = changed = 0

    def spied(*args: Any) -> bool:
        nonlocal passed
        verdict = is_settled(*args)
        passed += verdict
        return verdict

    for _ in range(_ROUNDS):
        base = rng.choice(specs)
        desired, live, applied = (mutated(base, rng) for _ in range(3))
        applied = None if rng.random() < 0.2 else applied
        ignore = (FieldPath((rng.choice(list(base)),)),) if rng.random() < 0.1 else ()
        hidden = frozenset({rng.choice(paths)} if rng.random() < 0.3 else ())
        with monkeypatch.context() as patch:
            patch.setattr(compare_module, "is_settled", lambda *_: False)
            slow = found(kind, desired, live, applied, ignore, hidden)
        with monkeypatch.context() as patch:
            patch.setattr(compare_module, "is_settled", spied)
            quick = found(kind, desired, live, applied, ignore, hidden)
        assert (quick.changes, quick.unverified, quick.impossible) == (slow.changes, slow.unverified, slow.impossible)
        changed += bool(slow.changes)
    assert changed > _ROUNDS // 4
    assert passed > _ROUNDS, "most values are passed over"


def test_one_is_not_true() -> None:
    kind = all_kinds()["theta/Deployment"]
    assert is_settled(kind.tree(), {"env_vars": {"A": 1}}, {"env_vars": {"A": 1}}, None)
    assert not is_settled(kind.tree(), {"env_vars": {"A": 1}}, {"env_vars": {"A": True}}, None)


def test_a_map_that_is_one_value_is_compared_as_a_whole() -> None:
    rule = FieldRule(path="m", change=REPLACE, source="toy", normalise="unordered")
    tree = RuleTree.of({FieldPath.parse("m"): rule})
    assert is_settled(tree, {"m": {"a": 1}}, {"m": {"a": 1}}, None)
    assert not is_settled(tree, {"m": {"a": 1}}, {"m": {"a": 1, "b": 2}}, None)
