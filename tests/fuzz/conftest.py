"""How long to look: `--fuzz N` examples for each property (CONTRIBUTING tells when)."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

FEW = 150


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fuzz", type=int, default=FEW, help="examples for each property of tests/fuzz")


def pytest_configure(config: pytest.Config) -> None:
    settings.register_profile(
        "fuzz",
        max_examples=config.getoption("--fuzz", default=FEW) or FEW,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", "/dev/null")


@pytest.fixture(autouse=True)
def _profile() -> None:
    settings.load_profile("fuzz")
