"""A fifth provider is one folder: nothing that exists has to be changed for it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import reconciler.providers
from reconciler.providers.registry import provider_types

TOY = """
from reconciler.fields.setting import Setting
from reconciler.providers.base import ProviderType

TYPE = ProviderType(
    name="toy",
    kinds=(),
    settings=(Setting(name="colour", type="string", doc="Its colour.", required=True, example="red"),),
    open=lambda config, context: None,
)
"""


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy/__init__.py").write_text(TOY, encoding="utf-8")
    monkeypatch.setattr(reconciler.providers, "__path__", [*reconciler.providers.__path__, str(tmp_path)])
    provider_types.cache_clear()
    yield
    provider_types.cache_clear()
    sys.modules.pop("reconciler.providers.toy", None)


@pytest.mark.usefixtures("toy")
def test_a_folder_that_exports_a_type_is_found() -> None:
    assert list(provider_types()) == ["modelarts", "runai", "theta", "toy"]
    assert [setting.name for setting in provider_types()["toy"].settings] == ["colour"]
