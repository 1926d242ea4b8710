"""Each situation in text, JSON and Markdown, as a reviewer would read it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Final

import pytest

from reconciler.render import machine, markdown, text

GOLDEN: Final = Path(__file__).parents[1] / "golden" / "render"


def test_plan_reads_as_reviewed(situation: str, toy: SimpleNamespace, pytestconfig: pytest.Config) -> None:
    data = machine.plan_json(toy.situations[situation]())
    shown = {
        "plan.txt": text.plan_text(data),
        "plan.json": machine.dump(data),
        "plan.md": markdown.plan_markdown(data, title=data["owner"]),
    }
    folder = GOLDEN / situation
    for name, content in shown.items():
        file = folder / name
        if pytestconfig.getoption("--update-golden", default=False):
            folder.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.encode())
        assert file.read_bytes().decode() == content, f"{situation}/{name} differs; --update-golden, then review it"


def test_no_golden_folder_is_left_over(toy: SimpleNamespace) -> None:
    assert {folder.name for folder in GOLDEN.iterdir()} == set(toy.situations)
