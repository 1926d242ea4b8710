"""What the two README files name exists, and what exists they name."""

from __future__ import annotations

import re
from pathlib import Path

from reconciler.cli.exits import Exit

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAP = (ROOT / "reconciler" / "README.md").read_text(encoding="utf-8")


def test_readme_tells_every_exit_code() -> None:
    told = [int(code) for code in re.findall(r"^\| (\d+) \| ", README, flags=re.MULTILINE)]

    assert sorted(told) == sorted(Exit)


def test_files_that_the_readmes_point_to_exist() -> None:
    links = [(ROOT, link) for link in re.findall(r"\]\(([^)#:]+)\)", README)]
    links += [(ROOT / "reconciler", link) for link in re.findall(r"\]\(([^)#:]+)\)", MAP)]
    links += [(ROOT, path) for path in re.findall(r"`((?:tests|specs-example)/[^`]*)`", MAP)]

    assert [link for home, link in links if not (home / link).exists()] == []


def test_the_map_names_every_room() -> None:
    rooms = {path.parent.name for path in (ROOT / "reconciler").glob("*/__init__.py")}

    assert {room for room in rooms | {"problems"} if not re.search(rf"^{room} ", MAP, flags=re.MULTILINE)} == set()
