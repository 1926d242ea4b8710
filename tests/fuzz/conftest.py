"""How long to look: `--fuzz N` examples for each property (CONTRIBUTING tells when)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

FEW = 60


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fuzz", type=int, default=FEW, help="examples for each property of tests/fuzz")


@pytest.fixture(autouse=True)
def _profile(request: pytest.FixtureRequest) -> Iterator[None]:
    """For this folder alone: other tests keep their own number of examples."""
    settings.register_profile(
        "fuzz",
        max_examples=request.config.getoption("--fuzz", default=FEW),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    settings.load_profile("fuzz")
    yield
    settings.load_profile("default")
