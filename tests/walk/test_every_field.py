"""For every field of every kind: what the table says of it is what the emulator does.

The field is changed on a live resource: the plan's action, reason and interruption are the row's; afterwards the id has
survived or not, the value comes back, and nothing is left to do. Then the field is taken out again, the same way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

import pytest

from reconciler.diff.change import Action, Change, FieldChange
from reconciler.diff.compare import canonical
from reconciler.fields import UNSET, FieldPath, FieldRule, Interruption, Kind, Secret, Seen, Unset
from reconciler.fields.normalise import empty_to_none, normalise
from reconciler.fields.path import EACH
from reconciler.problems import SpecError
from tests.walk.bench import KINDS, Bench, Walker
from tests.walk.cases import CONTAINERS, LEAVES, Case, Place, cases, has_field, place_of, required_in, value_at
from tests.walk.samples import DROP, ONLY_VALUE, RELEASES, RUNAI

ALL: Final = [case for kind in KINDS.values() for case in cases(kind)]
NEEDED: Final[Mapping[str, str]] = {
    "modelarts/Notebook.spec.storage.location.path": "obs needs a path (§3)",
    "modelarts/Notebook.spec.storage.location": "obs needs a path (§3)",
    "modelarts/Notebook.spec.extend_storage[*].location.path": "as for obs (§3)",
    "runai/Inference.storage.hostPath[*].readOnly": "the pages contradict one another about its default (§3.5)",
    "runai/Inference.storage.pvc[*].claimInfo.size": "a new claim needs one (§3.5)",
}
"""Fields that a rule across fields demands, so that they can't be taken out alone."""
ABSENT_IS_DEFAULT: Final[Mapping[str, str]] = {
    "modelarts/Service.config[*].custom_spec.ascend_a310": "0 = absent (§4)",
    "modelarts/Service.config[*].custom_spec.gpu_p4": "0 = absent (§4)",
    "modelarts/Service.config[*].additional_properties.max_surge": "1 = absent (§4)",
    "modelarts/Service.config[*].additional_properties.max_unavailable": "0 = absent (§4)",
    "modelarts/Service.additional_properties.websocket_upgrade": "false = absent (§4)",
    "runai/Inference.autoscaling.concurrencyHardLimit": "0 = none (§3.4)",
    "runai/Inference.compute.gpuDevicesRequest": "no device asked for is none (§3.3)",
    "runai/Inference.imagePullSecrets[*].userCredential": "a flag that is not set (§3.2)",
}
"""Defaults that no server fills in: what is not shown counts as them."""
TWO_WORDS: Final = frozenset({"theta/Deployment.template", "theta/Deployment.deployment_template_id"})
"""Fields that say the same thing in two ways: taken out, the other one is written, and nothing changes."""

each_case = pytest.mark.parametrize("case", ALL, ids=[case.id for case in ALL])


@each_case
def test_a_field_does_what_its_row_says(bench: Bench, case: Case) -> None:
    walker = bench.walker(case.kind, case.version)
    walker.apply(case.before)
    assert_settled(walker, case.before)

    if case.after is not None:
        walk_to(walker, case, case.before, case.after, case.changes)
        assert_value_came_back(walker, case, case.after)
    if case.without is not None and can_go(walker, case):
        walk_to(walker, case, ready_to_go(walker, case), case.without, case.removals)
        assert_default_appeared(walker, case)


def can_go(walker: Walker, case: Case) -> bool:
    """Whether the spec may do without the field: one that can't says so in its schema, or is listed above."""
    assert case.without is not None
    try:
        walker.compile(case.without)
    except SpecError:
        path = case.path.parent if case.path.segments[-1] == EACH else case.path
        is_required = path.segments[-1] in required_in(case.kind, path.parent)
        assert is_required or f"{case.kind.label}.{path}" in NEEDED
        return False
    return True


def ready_to_go(walker: Walker, case: Case) -> Mapping[str, Any]:
    """The spec that is applied now, and from which exactly this field will go."""
    if case.after is None:
        return case.before
    rule = rule_of(case.kind, case.path)
    value, twin = value_at(case.after, case.place), rule.default_from
    is_default = same(rule, value, rule.default) or bool(twin and same(rule, value, value_at(case.after, (twin,))))
    if case.path.segments[-1] == "exclude" or (tuple(case.changes) == (str(case.path),) and not is_default):
        return case.after
    walker.apply(case.before)
    assert_settled(walker, case.before)
    return case.before


def walk_to(
    walker: Walker, case: Case, old: Mapping[str, Any], new: Mapping[str, Any], moves: Mapping[str, Any]
) -> None:
    """Plan and apply one change, and hold both against the rows of what moves."""
    before = walker.live().id
    forced = any(forces(case, old, text, value) for text, value in moves.items())
    change = walker.change(new)

    if says_the_same(case, old, moves):
        assert (change.action, change.fields) == (Action.NONE, ())
        return
    assert_change(case, change, moves, forced=forced)
    walker.apply(new)
    assert_settled(walker, new)
    assert (walker.live().id != before) is forced


def assert_settled(walker: Walker, spec: Mapping[str, Any]) -> None:
    change = walker.change(spec)
    assert [str(field.path) for field in change.fields] == []
    assert change.action is Action.NONE


def assert_change(case: Case, change: Change, moves: Mapping[str, Any], *, forced: bool) -> None:
    kind = case.kind
    assert change.fields, "the change was not seen"
    assert (change.action, change.reason) == (
        (Action.REPLACE, "field-forces-replace") if forced else (Action.UPDATE, "fields-differ")
    ), [(str(field.path), field.forces_replace) for field in change.fields]
    tops = [shown_at(kind, FieldPath.parse(text).pattern) for text in moves]
    for field in change.fields:
        pattern = field.path.pattern
        assert any(pattern.starts_with(top) or top.starts_with(pattern) for top in tops), str(field.path)
        assert_field(case, field)
    worst = (
        Interruption(kind.replace_interruption)
        if forced
        else max((field.interruption for field in change.fields), key=list(Interruption).index)
    )
    assert change.interruption is worst


def assert_field(case: Case, field: FieldChange) -> None:
    rule = case.kind.rule(field.path)
    assert rule is not None
    assert (field.source, field.notice) == (case.kind.cite(rule.source), rule.notice)
    expected = Interruption(case.kind.replace_interruption) if field.forces_replace else rule.interruption
    assert field.interruption is expected
    assert field.sensitive or rule.secret is not Secret.ALWAYS


# -- what the table says --------------------------------------------------------------------------------------------


def forces(case: Case, spec: Mapping[str, Any], text: str, value: Any) -> bool:
    """Whether a move makes a new resource, by the rows alone."""
    kind, path = case.kind, FieldPath.parse(text).pattern
    place = place_of(text, case.place)
    before = value_at(spec, place)
    while value is DROP and len(place) > 1 and len(value_at(spec, place[:-1])) == 1:
        path, place = path.parent, place[:-1]  # a section without anything in it is gone
        before = value_at(spec, place)
    if value is DROP:
        return unset_forces(case, path, before)
    if before is None or isinstance(value, list | Mapping):
        return add_forces(case, path, value) or unset_forces(case, path, before)
    if is_key(kind, path):
        element = value_at(spec, place_of(text, case.place)[:-1])
        return unset_forces(case, path.parent, element) or add_forces(case, path.parent, element)
    rule = rule_of(kind, path)
    is_on = empty_to_none(before) is not None and before is not False
    return not rule.changes_in_place(case.version) or (rule.one_way == "off->on" and is_on)


def says_the_same(case: Case, old: Mapping[str, Any], moves: Mapping[str, Any]) -> bool:
    """Whether what is taken out was the default, or is said in other words now."""
    if f"{case.kind.label}.{case.path}" in TWO_WORDS and moves is case.removals:
        return True
    rule = case.kind.exact_rule(case.path)
    gone = moves.get(str(case.path)) is DROP
    return gone and rule is not None and same(rule, value_at(old, case.place), rule.default)


def unset_forces(case: Case, path: FieldPath, value: Any) -> bool:
    own = case.kind.exact_rule(path)
    if empty_to_none(value) is None:
        return False
    speaks = own is not None and (own.normalise or own.unset is not None)
    if not speaks and isinstance(value, Mapping):
        return any(unset_forces(case, path / key, item) for key, item in value.items())
    if not speaks and isinstance(value, list) and own is not None and own.list_key:
        return any(unset_forces(case, path / EACH, item) for item in value)
    rule = rule_of(case.kind, path)
    if own is not None and same(rule, value, own.default):
        return False
    assert rule.unset_way(case.version) is not Unset.IMPOSSIBLE, "such a row needs a walk of its own"
    return rule.unset_way(case.version) is Unset.REPLACE


def add_forces(case: Case, path: FieldPath, value: Any) -> bool:
    own = case.kind.exact_rule(path)
    if isinstance(value, Mapping) and not (own is not None and own.normalise):
        return any(add_forces(case, path / key, item) for key, item in value.items())
    if isinstance(value, list) and own is not None and own.list_key:
        return any(add_forces(case, path / EACH, item) for item in value)
    rule = rule_of(case.kind, path)
    if own is not None and same(rule, value, own.default):
        return False
    return not rule.changes_in_place(case.version)


def rule_of(kind: Kind, path: FieldPath) -> FieldRule:
    rule = kind.rule(path)
    assert rule is not None
    return rule


def is_key(kind: Kind, path: FieldPath) -> bool:
    """Whether a field is (part of) what tells elements of its list apart."""
    if len(path) < 3 or path.segments[-2] != EACH:
        return False
    rule = kind.exact_rule(path.parent.parent)
    return rule is not None and path.segments[-1] in rule.list_key.split("+")


def shown_at(kind: Kind, path: FieldPath) -> FieldPath:
    """Where a change at this path shows; one of a key is another element, and one of the last member its section's."""
    return reported(kind, path.parent if is_key(kind, path) else path)


def reported(kind: Kind, path: FieldPath) -> FieldPath:
    """Where a difference at this path is shown: at the list or section that is compared as a whole."""
    for length in range(1, len(path)):
        above = FieldPath(path.segments[:length])
        rule = kind.exact_rule(above)
        is_list = path.segments[length] == EACH
        if (rule is not None and rule.normalise) or (is_list and not (rule is not None and rule.list_key)):
            return above
    return path


def same(rule: FieldRule, one: Any, other: Any) -> bool:
    if UNSET in (one, other):
        return False
    return bool(canonical(normalise(rule.normalise, one)) == canonical(normalise(rule.normalise, other)))


# -- what came back -------------------------------------------------------------------------------------------------


def assert_value_came_back(walker: Walker, case: Case, spec: Mapping[str, Any]) -> None:
    path = reported(case.kind, case.path)
    rule = rule_of(case.kind, path)
    place = case.place[: len(path)]
    wanted = value_at(spec, place)
    if wanted is None or holds_secret(wanted) or rule.seen is Seen.NEVER:
        return
    found = live_value(case.kind, spec, walker.live().spec, place)
    if rule.reworded or (rule.seen is Seen.SOMETIMES and found is None):
        return
    assert same(rule, found, wanted), (found, wanted)


def assert_default_appeared(walker: Walker, case: Case) -> None:
    rule = case.kind.exact_rule(case.path)
    if rule is None or rule.default is UNSET or rule.seen is Seen.NEVER or case.without is None:
        return
    if value_at(case.without, case.place[:-1]) is None:
        return
    live = walker.live().spec
    found = live_value(case.kind, case.without, live, case.place)
    follows = value_at(live, tuple(rule.default_from.split("."))) if rule.default_from else UNSET
    if rule.seen is Seen.SOMETIMES and found is None:
        return
    if f"{case.kind.label}.{case.path}" in ABSENT_IS_DEFAULT:
        assert found is None
    else:
        assert same(rule, found, rule.default) or same(rule, found, follows), found


def live_value(kind: Kind, spec: Any, live: Any, place: Place) -> Any:
    """The live value at an index path of the spec: in keyed lists, the element with the same keys."""
    path = FieldPath()
    for step in place:
        if isinstance(step, str):
            spec, live, path = spec.get(step), (live or {}).get(step), path / step
            continue
        rule = kind.exact_rule(path)
        keys = rule.list_key.split("+") if rule is not None and rule.list_key else []
        element, path = spec[step], path / EACH
        found = [item for item in live or () if all(alike(kind, path, key, item, element) for key in keys)]
        spec, live = element, (found[0] if keys and found else value_at(live, (step,)) if not keys else None)
    return live


def alike(kind: Kind, path: FieldPath, key: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    rule = kind.exact_rule(path / key)
    default = rule.default if rule is not None and rule.default is not UNSET else None
    return bool(one.get(key, default) == other.get(key, default))


def holds_secret(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(holds_secret(item) for item in value.values())
    return isinstance(value, str) and "secret(" in value


# -- the other direction ---------------------------------------------------------------------------------------------


ONE_WAY: Final = [
    case
    for case in ALL
    if (rule := case.kind.exact_rule(case.path)) is not None and rule.one_way and EACH not in case.path.segments
]


@pytest.mark.parametrize("case", ONE_WAY, ids=[case.id for case in ONE_WAY])
def test_what_goes_one_way_only_is_switched_on_in_place(bench: Bench, case: Case) -> None:
    assert case.without is not None
    walker = bench.walker(case.kind)
    walker.apply(case.without)
    live_id = walker.live().id

    change = walker.change(case.before)
    assert (change.action, [field.forces_replace for field in change.fields if field.forces_replace]) == ("update", [])
    walker.apply(case.before)

    assert_settled(walker, case.before)
    assert walker.live().id == live_id


# -- the releases of Run:ai ------------------------------------------------------------------------------------------


def releases_that_matter() -> Iterator[tuple[str, str]]:
    """(section, release): the first one that changes it in place, and the one before that.

    What no release changes in place is walked above, and held against all releases by the matrix.
    """
    for rule in KINDS[RUNAI].fields:
        if rule.in_place_since and "." not in rule.path and "[" not in rule.path:
            first = RELEASES.index(rule.in_place_since)
            for version in RELEASES[first - 1 : first + 1]:
                if has_field(KINDS[RUNAI], FieldPath.parse(rule.path), version):
                    yield rule.path, version


@pytest.mark.parametrize(
    ("section", "version"),
    [pytest.param(section, version, id=f"{RUNAI}.{section}@{version}") for section, version in releases_that_matter()],
)
def test_a_section_changes_as_its_release_can(bench: Bench, section: str, version: str) -> None:
    walker, applied = bench.walker(KINDS[RUNAI], version), None
    for case in cases_of(section, version):
        if case.before != applied:
            walker = bench.walker(KINDS[RUNAI], version)
            walker.apply(case.before)
            assert_settled(walker, case.before)
            applied = case.before
        for spec, moves in ((case.after, case.changes), (case.without, case.removals)):
            if spec is not None and moves and can_be(walker, spec) and not says_the_same(case, case.before, moves):
                forced = any(forces(case, case.before, text, value) for text, value in moves.items())
                assert_change(case, walker.change(spec), moves, forced=forced)
    last = next((case for case in reversed(cases_of(section, version)) if case.before == applied and case.after), None)
    if last is not None and last.after is not None:
        walk_to(walker, last, last.before, last.after, last.changes)


@lru_cache(maxsize=8)
def _cases_at(version: str) -> tuple[Case, ...]:
    return tuple(cases(KINDS[RUNAI], version))


def cases_of(section: str, version: str) -> list[Case]:
    """All of a section in one release, those of one spec together; an excluded entry has a walk of its own."""
    mine = [case for case in _cases_at(version) if case.path.segments[0] == section]
    mine = [case for case in mine if case.path.segments[-1] != "exclude" and has_field(case.kind, case.path, version)]
    return sorted(mine, key=lambda case: (case.variant, case.path))


def can_be(walker: Walker, spec: Mapping[str, Any]) -> bool:
    try:
        walker.compile(spec)
    except SpecError:
        return False
    return True


# -- nothing is left out --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("label", KINDS)
def test_every_row_and_every_leaf_of_the_schema_has_a_walk(label: str) -> None:
    walked = {case.path for case in ALL if case.kind.label == label}
    rows = {FieldPath.parse(rule.path) for rule in KINDS[label].fields}

    assert rows | set(LEAVES[label]) == walked
    assert set(CONTAINERS[label]) <= rows


def test_every_field_has_a_second_value_but_for_those_that_say_why() -> None:
    single = {
        f"{case.kind.label}.{case.path}" for case in ALL if case.path in LEAVES[case.kind.label] and not case.after
    }

    assert single == set(ONLY_VALUE)
