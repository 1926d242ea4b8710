"""What is seen while an apply works: a live screen on a terminal, plain lines in a log, nothing with `--quiet`."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from typing import Any

import pytest

PROJECT = """\
apiVersion: reconciler/v1
kind: Project
metadata: {name: shop}
spec: {providers: {modelarts: {type: modelarts, endpoint: emulator}}}
"""
NOTEBOOK = """\
apiVersion: modelarts/v1
kind: Notebook
metadata: {name: ann}
spec:
  profile_id: Multi-Engine 2.0 (python3)
  flavor: modelarts.vm.cpu.2u
  spec: {storage: {type: obs, location: {path: /shop-research/ann/}}}
"""
ANN = "modelarts/Notebook/ann"


@pytest.fixture
def shop(project: Any) -> Any:
    project.write("reconciler.yaml", PROJECT)
    project.write("resources/ann.yaml", NOTEBOOK)
    return project


def on_terminal(project: Any, *args: str, **env: str) -> tuple[str, str]:
    """(stdout, what a terminal of 80 columns got on stderr)."""
    ours, theirs = pty.openpty()
    environ = project.environment() | {"TERM": "xterm", "COLUMNS": "80", **env}
    process = subprocess.Popen(
        project.command("apply", "--yes", *args), env=environ, stdout=subprocess.PIPE, stderr=theirs, text=True
    )
    os.close(theirs)
    drawn = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the other side is closed
            break
        if not piece:
            break
        drawn += piece
    out, _ = process.communicate(timeout=60)
    os.close(ours)
    assert process.returncode == 0, out
    return out, drawn.decode()


def test_a_terminal_shows_what_is_under_way_and_keeps_only_what_was_done(shop: Any) -> None:
    out, drawn = on_terminal(shop)
    assert "\x1b[" in drawn
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", drawn)
    assert re.search(rf"{ANN} +POST notebook ann", plain), "its last news"
    assert "0 of 1 steps" in plain
    assert re.search(rf"{ANN}: create done after \d+ s", plain)
    assert drawn.rstrip().endswith("\x1b[2K") or "\x1b[?25h" in drawn, "the screen is taken down, the cursor is back"
    assert "\x1b[" not in out, "stdout is a pipe: the result alone, without colour"
    assert "Applied: 1 done" in out


@pytest.mark.parametrize("env", [{"TERM": "dumb"}, {"CI": "true"}])
def test_where_nothing_can_be_drawn_there_are_lines(shop: Any, env: dict[str, str]) -> None:
    _, drawn = on_terminal(shop, **env)
    assert "\x1b[" not in drawn
    lines = drawn.splitlines()
    assert f"{ANN}: CREATING" in lines
    assert any(line.startswith(f"{ANN}: create done after ") for line in lines)


def test_quiet_says_nothing_on_the_way(shop: Any) -> None:
    done = shop.run("apply", "--yes", "--quiet")
    assert done.returncode == 0
    assert ANN not in done.stderr
    assert ANN in done.stdout
