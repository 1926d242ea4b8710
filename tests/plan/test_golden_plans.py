"""Situations that somebody may have to judge at night, each a folder of `tests/golden/plans` with its plan."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from reconciler.emulator.server import Server
from reconciler.render import machine
from tests.plan.situations import Situation, pictured

GOLDEN: Final = Path(__file__).parents[1] / "golden" / "plans"
SITUATIONS: Final = sorted(folder.name for folder in GOLDEN.iterdir() if folder.is_dir())


@pytest.mark.parametrize("name", SITUATIONS)
def test_plan_reads_as_reviewed(name: str, server: Server, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    folder = GOLDEN / name
    data = Situation(folder=folder, server=server, place=tmp_path).picture()
    assert machine.is_intact(data)
    shown = pictured(data)
    for change in data["changes"]:
        for form in ("plan.txt", "plan.md"):
            assert change["address"] in shown[form]
            assert f"[{change['reason']}]" in shown[form]
    for file, content in shown.items():
        if pytestconfig.getoption("--update-golden"):
            (folder / file).write_bytes(content.encode())
        expected = (folder / file).read_bytes().decode()
        assert content == expected, f"{name}/{file} differs; --update-golden, then review it"
