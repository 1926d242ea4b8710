"""Exit codes mean one thing each, and output survives its reader (cases C54, C55)."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

CHAT, LLM = "theta/Deployment/chat", "runai/Inference/llm"
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pipes and devices of POSIX")


def shell(fleet: Any, command: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """A command line in bash; `$R` is `python -m reconciler`, `$P` the project."""
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        env={
            **fleet.project.environment(),
            "R": f"{sys.executable} -m reconciler",
            "P": str(fleet.project.root),
            **environ,
        },
        capture_output=True,
        stdin=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=60,
        check=False,
    )


def test_each_exit_code_means_one_thing(fleet: Any) -> None:
    fleet.write(LLM)
    codes = {
        "$R plan -C $P --detialed-exitcode": 64,
        "$R": 64,
        "$R plan -C $P/nowhere": 64,
        "$R apply -C $P": 64,
        "$R apply -C $P </dev/null": 64,
        "$R --help": 0,
        "$R plan --help": 0,
        "$R plan -C $P": 0,
        "$R plan -C $P --detailed-exitcode": 2,
        "$R plan -C $P --detailed-exitcode -o json | cat": 2,
        "$R apply -C $P --yes": 0,
        "$R plan -C $P --detailed-exitcode -o json": 0,
        "$R apply -C $P --yes -o json": 0,
        "$R plan -C $P -e nowhere --detailed-exitcode": 1,
    }
    found = {command: shell(fleet, command) for command in codes}

    assert {command: done.returncode for command, done in found.items()} == codes
    for command, done in found.items():
        assert "Traceback" not in done.stderr, command
        if "json" in command:
            json.loads(done.stdout)
    fleet.write(CHAT)
    fleet.edit(LLM, "llm:1", "llm:2")
    fleet.fault(CHAT, method="GET", path=".*", count=None, status=500)
    assert shell(fleet, "$R plan -C $P --detailed-exitcode").returncode == 1


@pytest.fixture
def wordy(fleet: Any) -> Any:
    """A long plan with a Chinese description."""
    fleet.write("modelarts/Notebook/ann")
    fleet.edit("modelarts/Notebook/ann", "description: work", "description: 点云实验 → ✓")
    text = (fleet.project.root / fleet.file("modelarts/Notebook/ann")).read_text(encoding="utf-8")
    for number in range(60):
        fleet.project.write(f"resources/nb-{number}.yaml", text.replace("{name: ann}", f"{{name: nb-{number}}}"))
    return fleet


def test_output_survives_readers_devices_and_encodings(wordy: Any) -> None:
    fleet = wordy

    head = shell(fleet, "set +o pipefail; $R plan -C $P | head -1")
    assert (head.returncode, head.stderr) == (0, "")
    assert head.stdout.startswith("Plan")
    full = shell(fleet, "$R plan -C $P > /dev/full")
    assert full.returncode == 1
    assert "could not be written" in full.stderr
    for closed in ("$R plan -C $P >&-", "$R plan -C $P -o json >&-"):
        done = shell(fleet, closed)
        assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert shell(fleet, "$R validate -C $P", PYTHONIOENCODING="cp1252").returncode == 0
    narrow = shell(fleet, "$R plan -C $P", PYTHONIOENCODING="cp1252")
    assert (narrow.returncode, "Traceback" in narrow.stderr) == (0, False)
    markdown = shell(fleet, "$R plan -C $P -o markdown", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert (markdown.returncode, "点云实验" in markdown.stdout) == (0, True)
    data = json.loads(shell(fleet, "$R plan -C $P -o json", PYTHONIOENCODING="cp1252").stdout)
    assert "点云实验" in json.dumps(data, ensure_ascii=False)
    plain = shell(fleet, "$R plan -C $P", NO_COLOR="1")
    assert "\x1b" not in plain.stdout
    assert shell(fleet, "$R plan -C $P 2>&-").returncode == 0
