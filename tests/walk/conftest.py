"""One emulator for all walks of a worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.walk.bench import Bench


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    found = Bench(tmp_path_factory.mktemp("walk"))
    yield found
    found.close()
