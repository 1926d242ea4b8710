"""A project of toys, planned."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any, TypeAlias

import pytest

from reconciler.diff.change import Call, CallOp, Change
from reconciler.diff.live import Applied, Listing
from reconciler.emulator.server import Emulator, Server
from reconciler.plan.cost import PriceList
from reconciler.plan.plan import Options, Plan, PlanInput, make_plan
from reconciler.problems import Origin
from reconciler.spec.resource import Limit, Project, Resource, Safety, Spec, Window
from tests.diff.toys import BOX, ENGINE, NOW_S, listed

Planner: TypeAlias = Callable[..., Plan]


def _calls(change: Change) -> tuple[Call, ...]:
    return (Call(op=CallOp(str(change.action).replace("adopt", "update")), method="POST", path="/x", summary="toy"),)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One emulator for all situations of a worker; each makes it new."""
    server = Server(Emulator(None, open_to_all=True)).start()
    yield server
    server.stop()


@pytest.fixture
def plan() -> Planner:
    """Plan these resources against these ledger rows and lists: `plan([…], entries=[…], lists=[…], …)`."""

    def make(
        resources: Sequence[Resource],
        *,
        entries: Sequence[Applied] = (),
        lists: Sequence[Listing] | None = None,
        limit: Limit | None = None,
        windows: Sequence[Window] = (),
        options: Options | None = None,
        project: dict[str, Any] | None = None,
        **more: Any,
    ) -> Plan:
        safety = Safety(max_deletes=limit or Safety().max_deletes, windows=tuple(windows))
        everything = {(one.provider, one.kind.name): one for one in (listed(), listed(kind=BOX), *(lists or ()))}
        given: dict[str, Any] = {
            "spec": Spec(
                project=Project(
                    name="shop",
                    environment="prod",
                    environments=("dev", "prod"),
                    providers={},
                    secrets=frozenset(),
                    values={},
                    safety=safety,
                    origin=Origin("reconciler.yaml"),
                    **(project or {}),
                ),
                resources=tuple(resources),
            ),
            "entries": {row.address: row for row in entries},
            "listings": everything,
            "kinds": {kind.label: kind for kind in (ENGINE, BOX)},
            "now_s": {"": NOW_S},
            "versions": {},
            "prices": {
                "p": PriceList(
                    unit="eur", per_hour={"m": Decimal("0.1"), "n": Decimal("0.25"), "m1": Decimal(2)}, gpus={}
                )
            },
            "calls": _calls,
            "secret_changed": lambda _name, _stored: None,
        }
        return make_plan(PlanInput(**{**given, **more}), options)

    return make
