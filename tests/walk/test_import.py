"""Law: what was made of a spec comes back from the API as a spec that says the same, adopts it and changes nothing."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, Final

import pytest

from reconciler.cli.project import load_schemas
from reconciler.diff.compare import Sides, compare, leaves
from reconciler.diff.draft import Draft, Wishes, draft
from reconciler.diff.fieldbook import FieldBook
from reconciler.diff.live import Live
from reconciler.fields import FieldPath
from reconciler.providers.registry import provider_types
from reconciler.spec import Resource, SourceFile, compile_all
from reconciler.spec.output import document_yaml
from reconciler.spec.values import fill, holds_secret
from tests.walk.bench import KINDS, Bench, Walker
from tests.walk.cases import full_specs
from tests.walk.samples import FULL, NEWEST, RUNAI
from tests.walk.test_full_and_bare import BARE, THIN

BOOK: Final = FieldBook(load_schemas())
SPECS: Final = [
    pytest.param(label, spec, id=f"{label}({name})")
    for label in FULL
    for name, spec in (
        *full_specs(KINDS[label], NEWEST if label == RUNAI else "").items(),
        *((f"bare {key}", spec) for key, spec in BARE[label].items()),
        ("thin", THIN[label]),
    )
    if name != "mig"  # it ended with 2.23
]


def compiled(walker: Walker, one: Draft) -> Resource:
    """What a project makes of the text."""
    kind = walker.kind
    instance = {"type": kind.type, "endpoint": "emulator", **({"version": walker.version} if walker.version else {})}
    header = {
        "apiVersion": "reconciler/v1",
        "kind": "Project",
        "metadata": {"name": "other"},
        "spec": {"secrets": [*one.secrets], "providers": {kind.type: instance}},
    }
    text = document_yaml(one.resource, provider=False)
    spec = compile_all(
        SourceFile("reconciler.yaml", json.dumps(header).encode()),
        environment=None,
        settings={name: type_.settings for name, type_ in provider_types().items()},
        resources=[SourceFile("it.yaml", text.encode())],
        patches=(),
        kinds=[*KINDS.values()],
        schemas=load_schemas(),
    )
    (resource,) = spec.resources
    return resource


def differing(desired: Mapping[str, Any], item: Live, version: str) -> list[str]:
    sides = Sides(kind=item.kind, desired=desired, live=item, applied=None, version=version)
    return [str(change.path) for change in compare(sides).changes]


@pytest.mark.parametrize(("label", "spec"), SPECS)
def test_what_was_made_of_a_spec_comes_back_as_one_that_says_the_same(
    bench: Bench, label: str, spec: Mapping[str, Any]
) -> None:
    walker = bench.walker(KINDS[label], NEWEST if label == RUNAI else "")
    walker.apply(spec)
    item = walker.live()
    one = draft(item, "it", book=BOOK, version=walker.version)
    resource = compiled(walker, one)

    assert differing(resource.spec, item, walker.version) == []
    assert (resource.lifecycle.adopt, resource.live_name) == (item.id, item.name or "it")
    hidden = [path for path, _, value in leaves(resource.spec) if holds_secret(value)]
    assert len(hidden) == len(one.secrets), "each secret has a name of its own"

    # Nothing that was written is lost, but for what the API does not show, and what is a secret now.
    back = dataclasses.replace(item, spec=fill(resource.spec, str), hidden=frozenset(), defaults={})
    told = {FieldPath.parse(path) for path in (*one.unseen, *item.defaults)} | {path.pattern for path in hidden}
    told |= {FieldPath.parse(rule.path) for rule in item.kind.fields if rule.instead_of in resource.spec}
    (wanted,) = walker.compile(spec).resources
    lost = [FieldPath.parse(path).pattern for path in differing(wanted.spec, back, walker.version)]
    assert [str(path) for path in lost if path not in told] == []


@pytest.mark.parametrize("label", FULL)
def test_defaults_are_left_out_and_written_on_demand(bench: Bench, label: str) -> None:
    walker = bench.walker(KINDS[label], NEWEST if label == RUNAI else "")
    walker.apply(THIN[label])
    item = walker.live()
    short, long = (draft(item, "it", book=BOOK, wishes=wishes) for wishes in (None, Wishes(full=True)))

    written = {path.pattern for path, _, _ in leaves(long.resource.spec)}
    assert written - {path.pattern for path, _, _ in leaves(short.resource.spec)} >= short.left_out & written
    assert differing(compiled(walker, long).spec, item, walker.version) == []
