"""The README's way from nothing to a merged change: its lines are run as they stand there, in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_the_walk_through_leads_where_it_says(tmp_path: Path) -> None:
    walk = README.partition("<!-- walk: begin -->")[2].partition("<!-- walk: end -->")[0]
    blocks = re.findall(r"^```sh\n(.*?)^```", walk, flags=re.DOTALL | re.MULTILINE)
    assert len(blocks) == 5
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "reconciler").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m reconciler "$@"\n')
    (tools / "reconciler").chmod(0o755)
    home = {key: value for key, value in os.environ.items() if key in {"PATH", "LANG", "TMPDIR"}}
    person = {
        f"GIT_{role}_{part}": "ann@shop.example" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")
    }
    done = subprocess.run(
        ["bash", "-euxo", "pipefail", "-c", "\n".join(blocks)],
        cwd=tmp_path,
        env={**home, **person, "PATH": f"{tools}:{home['PATH']}", "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    told = done.stdout + done.stderr
    assert done.returncode == 0, told
    assert "Traceback" not in told
    _first, _imported, changed, undone = re.findall(r"^Plan: (.*)", done.stdout, flags=re.MULTILINE)[-4:]
    assert "1 to update" in changed, told
    assert "1 to update" in undone, told
    assert "adoption only" in told
    assert "No changes" in done.stdout
    assert (tmp_path / "plan.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
