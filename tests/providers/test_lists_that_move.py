"""Case C18: others delete and make things between two pages, and no item is lost, doubled or guessed."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, Final

import pytest

from reconciler.diff.change import Action
from reconciler.emulator.server import Emulator, Server
from reconciler.problems import ProviderError
from tests.switches.loop import Loop, Stage
from tests.walk.bench import KINDS

_NOTHING: Final = Stage(name="read", spec=None, action=Action.NONE)
_SERVICES: Final = "modelarts-services"


@pytest.fixture
def services() -> Iterator[Loop]:
    """Seven services of workspace 0, two a page; `s-0` to `s-3` are of the user that we are."""
    server = Server(Emulator(None)).start()
    server.emulator.set_switches({_SERVICES: {"limit_max": 2}})
    loop = Loop(server=server, kind=KINDS["modelarts/Service"])
    with loop.open(), server.emulator.transaction() as tx:
        pattern = next(doc for _, doc in tx.all(_SERVICES) if doc["fields"]["service_name"] == "hand-made")
        for number in range(4):
            doc = copy.deepcopy(pattern)
            doc["service_id"] = f"{doc['service_id'][:-1]}{number + 5}"
            doc["fields"]["service_name"] = f"s-{number}"
            tx.put(_SERVICES, doc["service_id"], doc)
    yield loop
    loop.close()
    server.stop()


def read(loop: Loop) -> list[str]:
    """Names that the provider finds."""
    (provider,) = loop.session(loop.compile(_NOTHING)).providers.values()
    loop.server.emulator.requests.clear()
    return sorted(item.name for item in provider.read_all(loop.kind).items)


def truth(loop: Loop) -> list[str]:
    found = loop.server.emulator.state()[_SERVICES]
    return sorted(item["service_name"] for item in found if item["workspace_id"] == "0")


def path_of(loop: Loop, name: str) -> str:
    found = loop.server.emulator.state()[_SERVICES]
    (service_id,) = (item["service_id"] for item in found if item["service_name"] == name)
    return f"/v1/0f5a/services/{service_id}"


@pytest.mark.parametrize("offset_mode", ["record", "page"])
@pytest.mark.parametrize("skip", [0, 1, 2])
def test_what_others_delete_hides_nothing(services: Loop, offset_mode: str, skip: int) -> None:
    services.server.emulator.set_switches({_SERVICES: {"offset_mode": offset_mode}})
    loss = {"method": "DELETE", "path": path_of(services, "hand-made")}
    services.server.emulator.faults.replace(
        [{"path": "/services$", "when": "between-pages", "skip": skip, "then": [loss], "advance_s": 60}]
    )

    assert read(services) == truth(services) == ["ocr-market", "ranking-team-b", "s-0", "s-1", "s-2", "s-3"]
    lists = [entry for entry in services.server.emulator.requests if entry["path"].endswith("/services")]
    assert [entry["meanwhile"] for entry in lists if "meanwhile" in entry] == [[200]]


def test_what_others_make_is_found_once(services: Loop) -> None:
    body: dict[str, Any] = {
        "service_name": "a-new-one",
        "infer_type": "real-time",
        "config": [{"model_id": "m", "specification": "modelarts.vm.cpu.2u", "instance_count": 1, "weight": 100}],
    }
    gain = {"method": "POST", "path": "/v1/0f5a/services", "body": body}
    services.server.emulator.faults.replace([{"path": "/services$", "when": "between-pages", "then": [gain]}])

    assert read(services) == truth(services)
    assert "a-new-one" in truth(services)


def test_a_list_that_never_rests_is_an_error_and_no_guess(services: Loop) -> None:
    losses = [{"method": "DELETE", "path": path_of(services, f"s-{number}")} for number in range(4)]
    services.server.emulator.faults.replace(
        [
            {"path": "/services$", "when": "between-pages", "then": [loss], "advance_s": 60, "skip": number}
            for number, loss in enumerate(losses)
        ]
    )

    with pytest.raises(ProviderError, match="never whole"):
        read(services)
