"""What a session reads of ledger and providers, in which order, and what it holds of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from reconciler.cli.output import Printer
from reconciler.cli.session import Session
from reconciler.diff.live import Applied, Listing
from reconciler.ledger import LedgerError
from reconciler.providers.runai.kinds import INFERENCE
from reconciler.secrets.fingerprint import Fingerprinter
from reconciler.spec.resource import Project, ProviderConfig, Spec
from tests.diff.toys import entry, resource

_SPEC: Final[dict[str, Any]] = {"image": "a:1", "env": [{"name": "A", "value": "1"}]}


class _Ledger:
    """One entry; each look may do something first."""

    def __init__(self, rows: dict[str, Applied], before: Callable[[str], None] = lambda _what: None) -> None:
        self._rows = rows
        self._before = before

    def entries(self, _owner: str) -> dict[str, Applied]:
        self._before("entries")
        return self._rows

    def trusted(self, _owner: str) -> dict[str, float]:
        self._before("trusted")
        return {}

    def open_intents(self, _owner: str) -> tuple[()]:
        return ()

    def tombstones(self, _owner: str) -> tuple[()]:
        return ()


class _Provider:
    """Nothing live."""

    def __init__(self) -> None:
        self.config = ProviderConfig(name="p", type="runai", settings={}, origin=None)  # type: ignore[arg-type]
        self.asked = threading.Event()

    def read_all(self, kind: Any) -> Listing:
        self.asked.set()
        return Listing(provider="p", kind=kind)

    def read_one(self, _kind: Any, _live_id: str) -> None:
        return None


def session(ledger: _Ledger, provider: _Provider) -> Session:
    project = Project(
        name="shop",
        environment="",
        environments=(),
        providers={"p": provider.config},
        secrets=frozenset(),
        values={},
    )
    given: dict[str, Any] = {"ledger": ledger, "providers": {"p": provider}}
    return Session(
        root=Path(),
        spec=Spec(project=project, resources=(resource("one", _SPEC, kind=INFERENCE),)),
        printer=Printer(),
        catalogues={},
        failed={},
        sources={},
        fingerprinter=Fingerprinter(None),
        revision="",
        **given,
    )


def test_entries_are_read_before_the_lists_and_share_what_the_spec_says() -> None:
    """Else what a run beside this one has made and noted meanwhile would look as if it had vanished."""
    applied = entry("one", "id-1", spec={**_SPEC, "env": [{"name": "A", "value": "1"}]}, kind=INFERENCE)
    provider = _Provider()

    def before(_what: str) -> None:
        assert not provider.asked.is_set()

    made = session(_Ledger({applied.address: applied}, before), provider)
    found = made.read_world().entries[applied.address]
    assert found == applied
    assert found.spec is made.spec.resources[0].spec


def test_a_ledger_that_can_not_be_read_is_told_before_anybody_is_asked() -> None:
    provider = _Provider()

    def before(_what: str) -> None:
        raise LedgerError("the file is damaged")

    with pytest.raises(LedgerError):
        session(_Ledger({}, before), provider).read_world()
    assert not provider.asked.is_set()


def test_only_targets_are_looked_for_in_the_ledger() -> None:
    looks: list[str] = []
    made = session(_Ledger({}, looks.append), _Provider())
    assert made.selection("", (), "")("p/Inference/one", {})
    assert looks == []
    assert not made.selection("", iter(["p/Inference/one"]), "")("p/Inference/two", {})
    assert looks == ["entries"]
