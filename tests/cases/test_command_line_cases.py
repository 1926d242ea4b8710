"""Exit codes with one meaning each, and output that survives its reader: cases C54 and C55.

`drift` is not here: it does not exist yet.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.conftest import ANN, CHAT, LLM, MNIST, Fleet, Project

_PROJECT: Final = """\
    apiVersion: reconciler/v1
    kind: Project
    metadata: {name: shop}
    spec:
      providers:
        theta: {type: theta, endpoint: emulator}
        runai: {type: runai, endpoint: emulator, project: team-a}
        modelarts: {type: modelarts, endpoint: emulator}
    """
_NOTEBOOK: Final = """\
---
apiVersion: modelarts/v1
kind: Notebook
metadata: {{name: nb-{number:03}, labels: {{team: 视觉团队}}}}
spec:
  description: 实验笔记本 {number}
  profile_id: Multi-Engine 1.0 (python3)-cpu
  flavor: modelarts.vm.cpu.2u
  spec: {{storage: {{type: obs, location: {{path: /shop-research/nb-{number}/}}}}}}
"""


def shell(project: Project, script: str, **env: str) -> subprocess.CompletedProcess[bytes]:
    """Run a line of bash in which `@ plan …` is our command in this project; a pipe fails as its first failure does."""
    *python, folder, root = project.command()
    command, place = " ".join(python), f"{folder} '{root}'"
    lines = f'@() {{ case "$1" in --help|schema) {command} "$@";; *) {command} "$@" {place};; esac; }}'
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{lines}\n{script}"],
        env=project.environment() | env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
    )


def assert_quiet(done: subprocess.CompletedProcess[bytes] | subprocess.CompletedProcess[str]) -> None:
    told = done.stderr if isinstance(done.stderr, str) else done.stderr.decode("utf-8", "replace")
    assert "Traceback" not in told, told
    assert "internal error" not in told, told
    assert "Exception ignored" not in told, told


def write_notebooks(project: Project, count: int) -> None:
    """Documents with descriptions that not every console can show."""
    project.write("reconciler.yaml", _PROJECT)
    project.write("resources/all.yaml", "".join(_NOTEBOOK.format(number=number) for number in range(count)))


@pytest.fixture
def applied(project: Project) -> Project:
    """Three notebooks that are live, and a saved plan of a fourth."""
    write_notebooks(project, 3)
    assert project.run("apply", "--yes").returncode == 0
    project.write("resources/more.yaml", _NOTEBOOK.format(number=3))
    assert project.run("plan", "--out", str(project.root / "plan.json")).returncode == 0
    return project


# -- C54 --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("output", ["text", "json"])
def test_each_outcome_has_a_code_of_its_own_whatever_the_output(fleet: Fleet, output: str) -> None:
    """C54: usage 64, changes 2 only when asked for, a provider down 1 although there are changes elsewhere."""

    def code(*args: str) -> int:
        done = fleet.project.run(*args, "-o", output)
        assert_quiet(done)
        return done.returncode

    fleet.write(CHAT, ANN)
    assert code("plan", "--detialed-exitcode") == 64
    assert code("plan") == 0
    assert code("plan", "--detailed-exitcode") == 2
    assert code("apply", "--yes") == 0
    assert code("plan", "--detailed-exitcode") == 0
    assert code("apply", "--yes") == 0, "nothing had to be done"
    fleet.write(MNIST)
    fleet.fault(LLM, method="GET", path="^/api/v1/workloads", status=403, count=1000)
    fleet.write(LLM)
    assert code("plan", "--detailed-exitcode") == 1
    assert code("plan") == 1
    assert code("apply", "--yes") == 1
    assert fleet.creates()[MNIST] == 0
    fleet.served.post("faults", [])
    fleet.fault(MNIST, status=400, when="before", count=1)
    assert code("apply", "--yes") == 3
    fleet.edit(CHAT, "min_replicas: 1", "min_replicas: true")
    assert code("plan", "--detailed-exitcode") == 1, "a bad spec is no change"
    assert code("validate") == 1


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ("--help", 0),
        ("plan --help", 0),
        ("plan --detialed-exitcode", 64),
        ("plann", 64),
        ("apply", 64),
        ("plan --detailed-exitcode", 2),
        ("plan --detailed-exitcode -o json", 2),
        ("plan --set =", 1),
        ("plan -e nowhere --detailed-exitcode", 1),
    ],
)
def test_the_code_is_the_same_through_a_pipe(project: Project, args: str, expected: int) -> None:
    """C54: `pipefail` sees what a shell without a pipe sees; no terminal and no `--yes` is usage."""
    write_notebooks(project, 1)
    done = shell(project, f"@ {args} | cat")
    assert_quiet(done)
    assert done.returncode == expected, done.stderr


def test_a_bug_is_an_error_and_shows_no_value(project: Project, tmp_path: Path) -> None:
    """C54: an exception that nobody expected, here out of a library, never ends with 2."""
    write_notebooks(project, 1)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "yaml.py").write_text("raise RuntimeError('hunter2')\n", encoding="utf-8")
    done = shell(project, "@ plan --detailed-exitcode | cat", PYTHONPATH=str(tmp_path / "broken"))
    assert done.returncode == 1
    assert done.stderr.startswith(b"internal error (RuntimeError at yaml.py:1): this is a bug in reconciler")
    assert b"hunter2" not in done.stderr
    assert b"Traceback" not in done.stderr


def _garbage(project: Project, path: str) -> None:
    (project.root / path).unlink(missing_ok=True)
    project.write(path, "this is no such file\n" * 300)


def _folder(project: Project, path: str) -> None:
    (project.root / path).unlink(missing_ok=True)
    (project.root / path).mkdir(parents=True)


@pytest.mark.parametrize(
    ("broken", "path", "args"),
    [
        pytest.param(_garbage, "reconciler.yaml", ("plan", "--detailed-exitcode"), id="no YAML of ours"),
        pytest.param(_folder, "reconciler.yaml", ("plan", "--detailed-exitcode"), id="a folder for a project"),
        pytest.param(_folder, ".reconciler/ledger.db", ("plan", "--detailed-exitcode"), id="a folder for a ledger"),
        pytest.param(
            _garbage, ".reconciler/emulator.db", ("plan", "--detailed-exitcode"), id="no state of an emulator"
        ),
        pytest.param(_garbage, "plan.json", ("apply", "plan.json", "--yes"), id="no plan to apply"),
        pytest.param(_folder, "plan.json", ("show", "plan.json"), id="a folder for a plan"),
    ],
)
def test_what_goes_wrong_never_looks_like_changes(
    applied: Project, broken: Callable[[Project, str], None], path: str, args: tuple[str, ...]
) -> None:
    """C54: whatever lies where a file of ours should be, the code is an error's, and the words are ours."""
    broken(applied, path)
    words = [str(applied.root / word) if word == "plan.json" else word for word in args]
    done = applied.run(*words)
    assert_quiet(done)
    assert done.returncode in {1, 4, 64}, (done.returncode, done.stdout, done.stderr)
    assert done.stderr


# -- C55 --------------------------------------------------------------------------------------------------------------

_RESULTS: Final = (
    "validate",
    "validate -o json",
    "compile",
    "compile -o json",
    "plan",
    "plan -o json",
    "plan -o markdown",
    "show PLAN",
    "list",
    "list -o json",
    "outputs",
    "ledger show",
    "graph",
    "schema modelarts/Service",
    "apply --yes -o json",
    "apply --yes",
)


def test_a_full_device_is_an_error_for_every_command(applied: Project) -> None:
    """C55: what could not be written was not shown, and that is told."""
    for line in _RESULTS:
        words = [str(applied.root / "plan.json") if word == "PLAN" else word for word in line.split()]
        words += [] if words[0] == "schema" else ["-C", str(applied.root)]
        err = applied.root.parent / "err"
        job = {"args": words, "env": applied.environment(), "out": "/dev/full", "err": str(err)}
        code = applied.zygote.run(job)
        told = err.read_text(encoding="utf-8")
        assert (line, code, "could not be written" in told, "Traceback" in told) == (line, 1, True, False), told
    fresh = applied.run("plan", "--detailed-exitcode")
    assert fresh.returncode == 0, "the apply that could not show its report had done and noted its work"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param("@ plan | head -1", 0, id="plan | head"),
        pytest.param("@ plan --detailed-exitcode -o json | head -1", 2, id="plan -o json | head keeps its code"),
        pytest.param("@ compile | head -1", 0, id="compile | head"),
        pytest.param("@ schema runai/Inference | true", 0, id="schema, and nobody reads"),
        pytest.param("@ validate 2>&1 | true", 0, id="validate, and nobody reads either stream"),
        pytest.param("@ --help | true", 0, id="help, and nobody reads"),
        pytest.param("@ --help > /dev/full", 1, id="help on a full device"),
        pytest.param("@ validate >&-", 1, id="stdout closed"),
        pytest.param("@ --help >&-", 1, id="help with stdout closed"),
        pytest.param("@ validate 2>&-", 0, id="stderr closed"),
        pytest.param("@ plan -f nothing.yaml 2>&-", 1, id="an error with stderr closed"),
        pytest.param("@ validate <&- | cat", 0, id="stdin closed"),
        pytest.param("@ validate <&- >&- 2>&-", 1, id="all closed"),
    ],
)
def test_a_reader_that_goes_away_or_is_not_there_makes_no_noise(project: Project, script: str, expected: int) -> None:
    """C55: `head` meets a result that is larger than the buffer of a pipe."""
    write_notebooks(project, 120 if "head" in script else 1)
    done = shell(project, script)
    assert_quiet(done)
    assert done.returncode == expected, done.stderr
    if "head" in script:
        assert len(done.stdout.splitlines()) == 1
        assert done.stderr == b"", done.stderr


def test_an_apply_whose_reader_goes_away_finishes_and_notes_its_writes(project: Project) -> None:
    """C55: neither stream has a reader."""
    write_notebooks(project, 4)
    done = shell(project, "@ apply --yes 2>&1 | true")
    assert_quiet(done)
    assert done.returncode == 0, done.stderr
    assert project.run("plan", "--detailed-exitcode").returncode == 0
    assert project.run("ledger", "show").stdout.count("modelarts/Notebook/nb-") == 4


_CONSOLES: Final = {
    "cp1252": {"PYTHONIOENCODING": "cp1252"},
    "locale C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}


@pytest.mark.parametrize("console", _CONSOLES)
def test_no_console_changes_a_verdict_and_files_are_utf8(project: Project, tmp_path: Path, console: str) -> None:
    """C55: glyphs fall back; JSON, YAML and Markdown are the same bytes whatever the locale."""
    project.write("reconciler.yaml", _PROJECT)
    project.write("resources/notizbücher.yaml", _NOTEBOOK.format(number=1))
    script = "; ".join(
        [
            f"@ plan --detailed-exitcode --out {tmp_path}/plan.json > {tmp_path}/plan.txt",
            "codes=$?",
            f"@ compile > {tmp_path}/spec.yaml",
            "codes=$codes.$?",
            f"@ plan -o markdown > {tmp_path}/plan.md",
            "codes=$codes.$?",
            "@ validate",
            "echo $codes.$?",
        ]
    )
    done = shell(project, script, **_CONSOLES[console])
    assert_quiet(done)
    assert done.stdout.split()[-1] == b"2.0.0.0", done.stderr
    for name in ("spec.yaml", "plan.md", "plan.json"):
        assert "实验笔记本" in (tmp_path / name).read_bytes().decode("utf-8"), name
    assert json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))["summary"]["create"] == 1
    assert b"nb-001" in (tmp_path / "plan.txt").read_bytes()
