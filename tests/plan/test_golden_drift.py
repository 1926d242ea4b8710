"""What `drift` says in some of the situations of `tests/golden/plans`, in all its forms."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from reconciler.emulator.server import Server
from reconciler.render import machine
from reconciler.render.drift import drift_text
from tests.plan.situations import Situation

GOLDEN: Final = Path(__file__).parents[1] / "golden" / "plans"
SITUATIONS: Final = sorted(file.parent.name for file in GOLDEN.glob("*/drift.txt"))


@pytest.mark.parametrize("name", SITUATIONS)
def test_drift_reads_as_reviewed(name: str, server: Server, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    data = Situation(folder=GOLDEN / name, server=server, place=tmp_path).drift()
    for file, content in {"drift.txt": drift_text(data), "drift.json": machine.dump(data)}.items():
        place = GOLDEN / name / file
        if pytestconfig.getoption("--update-golden"):
            place.write_bytes(content.encode())
        assert content == place.read_bytes().decode(), f"{name}/{file} differs; --update-golden, then review it"
