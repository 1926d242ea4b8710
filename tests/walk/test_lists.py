"""Lists of none, one, exactly a page, a page and one, and 1,003 items: complete, each once, in few requests (C19)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import pytest

from reconciler.emulator.modelarts.services_desk import SERVICES
from tests.walk.bench import KINDS, Bench, Walker
from tests.walk.samples import NEWEST, NOTEBOOK, RUNAI, SERVICE, THETA
from tests.walk.test_full_and_bare import BARE

MANY: Final = 1003
PAGES: Final[Mapping[str, int]] = {THETA: 100, RUNAI: 500, SERVICE: 100, NOTEBOOK: 100}
"""Items that a page holds. A service's holds 1,000, and less where the server says so: a detail for each takes long.
Theta's list has no pages, and a notebook's has none unless the server wants it so."""
_COLLECTIONS: Final = {
    THETA: "theta-deployment",
    RUNAI: "runai/workloads",
    SERVICE: "modelarts-services",
    NOTEBOOK: "modelarts-notebooks",
}
_LIST_PATHS: Final = {
    THETA: "/deployments/list",
    RUNAI: "/api/v1/workloads",
    SERVICE: "/services",
    NOTEBOOK: "/demanager/instances",
}
ALL: Final = [
    pytest.param(label, count, id=f"{label}-{count}")
    for label, page in PAGES.items()
    for count in (0, 1, page, page + 1, MANY)
]


def seed(walker: Walker, count: int) -> list[str]:
    """As many items as asked for, all alike but for id and name; their ids."""
    label = walker.kind.label
    walker.apply(next(iter(BARE[label].values())))
    (live,) = walker.listing().items
    own = live.id.rpartition("/")[2]
    with walker.emulator.transaction() as tx:
        ((key, pattern),) = tx.all(_COLLECTIONS[label])
        tx.delete(_COLLECTIONS[label], key)
        text = json.dumps(pattern).replace(live.marker, "").replace("reconciler/id", "somebody/else")
        ids = []
        for number in range(count):
            new = f"{own[: -6 if '-' in own else None]}{number:06}" if "-" in own else f"{number:016x}"
            document = json.loads(text.replace(own, new))
            tx.put(_COLLECTIONS[label], key.replace(own, new), _named(document, f"n{number:04}"))
            ids.append(live.id.replace(own, new))
    walker.emulator.requests.clear()
    return sorted(ids)


def _named(document: dict[str, Any], name: str) -> dict[str, Any]:
    for holder in (document, document.get("fields", {})):
        for key in ("name", "requested_name", "requestedName", "service_name"):
            if key in holder:
                holder[key] = name
    return document


@pytest.mark.parametrize(("label", "count"), ALL)
def test_a_list_of_any_length_is_complete_and_each_item_comes_once(bench: Bench, label: str, count: int) -> None:
    walker = bench.walker(KINDS[label], NEWEST if label == RUNAI else "")
    if label == SERVICE and count < MANY:
        walker.emulator.set_switches({SERVICES: {"limit_max": PAGES[SERVICE]}})
    ids = seed(walker, count)

    items = walker.listing().items

    assert sorted(item.id for item in items) == ids
    paths = Counter(entry["path"] for entry in walker.emulator.requests)
    pages = sum(number for path, number in paths.items() if path.endswith(_LIST_PATHS[label]))
    assert pages == requests_for(label, count)
    # The lists that lack the spec take one detail each.
    assert paths.total() - pages == (count if label in {RUNAI, SERVICE} else 0)


def requests_for(label: str, count: int) -> int:
    """As few as the limits allow."""
    if label == NOTEBOOK:
        return 2  # of the workspace, and without one: what that means is not known
    if label == THETA:
        return 1
    page = 1000 if (label, count) == (SERVICE, MANY) else PAGES[label]
    full = max(1, -(-count // page))
    # Nobody knows whether a service's `offset` counts records or pages: the second page is asked for in both ways.
    return full + (label == SERVICE and full > 1)


@pytest.mark.parametrize("count", [0, 1, 50, 51, MANY])
def test_templates_of_any_number_are_known_each_once(bench: Bench, count: int) -> None:
    walker = bench.walker(KINDS[THETA])
    emulator = walker.emulator
    with emulator.transaction() as tx:
        ((key, pattern),) = tx.all("theta-template")
        tx.delete("theta-template", key)
        for number in range(count):
            tx.put("theta-template", f"img_n{number}", {**pattern, "id": f"img_n{number}", "name": f"T{number}"})

    templates = walker.catalogue().data["templates"]

    assert sorted(key for key in templates if key.startswith("img_n")) == sorted(f"img_n{n}" for n in range(count))
    pages = [entry for entry in emulator.requests if entry["path"].endswith("/list_custom_templates")]
    assert len(pages) == max(1, -(-count // 50))
