"""The accept gate accepts nothing that the strict check refuses: all kinds, full specs, and their mutations."""

from __future__ import annotations

import copy
import random
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any, Final

import pytest

from reconciler.cli.project import load_schemas
from reconciler.problems import Origin
from reconciler.providers.registry import provider_types
from reconciler.spec import strict as strict_module
from reconciler.spec.document import Node, from_plain
from reconciler.spec.gate import gate_of
from reconciler.spec.scalars import scalar
from reconciler.spec.strict import SchemaSet
from reconciler.spec.values import Composite, KnownAfterApply, SecretRef, is_pending
from tests.walk.samples import FULL

pytest.importorskip("jsonschema_rs")
KINDS: Final = {kind.label: kind for type_ in provider_types().values() for kind in type_.kinds}
_REF: Final = KnownAfterApply("theta/Deployment/a", "endpoint")
ODD: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, 1, -1, 3.0, 2.5, 10**30, scalar("1e3"), scalar("1.10"), float("1e300"), "", " ", "a", "70"),
    *(
        "1000m",
        "3.0",
        "yes",
        "vm_",
        "img_x",
        "0755",
        "a/b/c",
        "a\n",
        "a\x1cb/c/d",
        "é",
        "x" * 300,
        "\0pending",
        "\0composed",
    ),
    *("/a/", "https://a.example/b", "http://", "10eb0091-887f-4839-9929-cbc884f1e20e", "2026-11-25T08:00:00Z", "20m"),
    *("2027-03-31", "spec.a", "\u0663", "{}", [], {}, ["a"], ["a", "a"], [1, 1.0], [{}], {"a": "b"}, {"a": {"b": []}}),
    *(
        SecretRef("A"),
        _REF,
        Composite(("http://", _REF, "/x")),
        Composite(("Bearer ", SecretRef("A"))),
        [SecretRef("A"), "x"],
    ),
)
_MUTATIONS: Final = 350
BUILT_IN: Final = {str, int, bool, type(None)}


def documents(label: str) -> list[dict[str, Any]]:
    kind = KINDS[label]
    head = {"apiVersion": kind.api_version, "kind": kind.name}
    lifecycle = {
        "preventDestroy": False,
        "replace": "delete-first",
        "ignoreChanges": ["spec.a"],
        "adopt": "x",
        "onRemove": "retain",
        "wait": {"for": "http", "path": "/h", "timeout": "5m"},
        "runState": "stopped",
        "secretsRevision": 1,
        "expires": "2027-03-31",
    }
    metadata = {"name": "a", "labels": {"team": "x"}, "dependsOn": ["theta/Deployment/b"], "liveName": "b"}
    specs = [dict(kind.example), *(dict(spec) for spec in FULL[label].values())]
    plain = [{**head, "metadata": metadata, "lifecycle": lifecycle, "spec": specs[0]}]
    return [*plain, *({**head, "metadata": {"name": "a"}, "spec": spec} for spec in specs)]


def paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else ()
    for key, item in pairs:
        yield from paths(item, (*path, key))


def mutated(document: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """One value replaced, taken out, or put beside."""
    made = copy.deepcopy(document)
    path = rng.choice([path for path in paths(made) if path])
    holder: Any = made
    for part in path[:-1]:
        holder = holder[part]
    choice = rng.randrange(6)
    if choice == 0:
        del holder[path[-1]]
    elif choice == 1 and isinstance(holder, dict):
        holder[rng.choice(["unknown", "name", "value", "enabled"])] = rng.choice(ODD)
    else:
        holder[path[-1]] = rng.choice(ODD)
    return made


def leaves(value: Any) -> Iterator[Any]:
    """All values that are no map and no list."""
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from leaves(item)
    else:
        yield value


def secrets_filled(value: Any) -> Any:
    """Templates of the samples as what they are when they come here."""
    if isinstance(value, dict):
        return {key: secrets_filled(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [secrets_filled(item) for item in value]
    return SecretRef("FIRST") if isinstance(value, str) and "secret(" in value else value


def node(document: Any) -> Node:
    return from_plain(document, Origin("a.yaml", 1, 1))


@pytest.mark.parametrize("label", sorted(KINDS))
def test_both_say_the_same_of_any_document(label: str, monkeypatch: pytest.MonkeyPatch) -> None:
    file = KINDS[label].schema
    schemas = {name: load_schemas()[name] for name in ("common.json", file)}
    quick, slow = SchemaSet.of(schemas), SchemaSet.of(schemas)
    monkeypatch.setattr(strict_module, "_FEW", 0)
    with monkeypatch.context() as patch:
        patch.setattr(strict_module, "gate_of", lambda *_: None)
        assert slow.check(node({}), file)[1]
    gate = gate_of(quick.strict, file)
    assert gate is not None
    rng = random.Random(20261128)  # noqa: S311 - the same mutations in each run
    originals = [secrets_filled(document) for document in documents(label)]
    accepted = refused = wasted = at_once = 0
    for document in [*originals, *(mutated(rng.choice(originals), rng) for _ in range(_MUTATIONS))]:
        fitted, problems, about = slow.check(node(document), file)
        assert quick.check(node(document), file) == (fitted, problems, about), document
        if problems:
            refused += 1
        elif gate(fitted.plain(), exact=False):
            accepted += 1
        else:
            wasted += 1
        taken = quick.accepted(node(document), file)
        if taken is not None:
            assert (repr(taken.value), problems) == (repr(fitted.plain()), ()), document
            assert taken.exact == (not any(type(value) not in BUILT_IN for value in leaves(taken.value))), document
            assert taken.pending == any(map(is_pending, leaves(taken.value))), document
        at_once += taken is not None
    assert min(accepted, refused) > _MUTATIONS // 10
    assert wasted <= _MUTATIONS // 50, "what is right is almost always accepted"
    assert at_once > accepted // 2, "most of it needs no change"


def test_without_the_library_all_is_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    for instead in (None, ModuleType("jsonschema_rs")):  # not there, or a folder that was left of it
        monkeypatch.setitem(sys.modules, "jsonschema_rs", instead)
        assert gate_of({"common.json": {}}, "common.json") is None


def test_a_schema_that_the_library_cannot_take_accepts_nothing() -> None:
    gate = gate_of({"a.json": {"type": "string", "pattern": "("}}, "a.json")
    assert gate is not None
    assert not gate("ab", exact=True)


def test_escapes_that_two_languages_read_differently_are_not_judged() -> None:
    for pattern in (r"^\d$", r"\bx", r"^[^\W]$"):
        gate = gate_of({"a.json": {"type": "string", "pattern": pattern}}, "a.json")
        assert gate is not None
        assert not gate("1", exact=True)
        assert gate(SecretRef("A"), exact=False)
