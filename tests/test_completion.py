"""What a shell is offered at the Tab key: of the project, offline, nothing on stderr, nothing that it would run."""

from __future__ import annotations

import gc
import io
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from reconciler.cli import completion
from reconciler.cli.main import COMMANDS, cli, main
from reconciler.cli.output import Printer

EXAMPLE = Path(__file__).parents[1] / "specs-example"
PROD = ("-C", str(EXAMPLE), "-e", "prod")


def ask(monkeypatch: pytest.MonkeyPatch, shell: str, *words: str) -> list[str]:
    """What is offered for the last word; the process says nothing else and ends well."""
    line = shlex.join(["reconciler", *words[:-1]]) + f" {words[-1]}"
    given = {"COMP_LINE": line, "COMP_POINT": str(len(line.encode())), "COMP_WORDBREAKS": " \t\n\"'><=;|&(:"}
    if shell != "bash":
        given = {"COMP_WORDS": line, "COMP_CWORD": words[-1] if shell == "fish" else str(len(words))}
    for name, value in {"_RECONCILER_COMPLETE": f"{shell}_complete", **given}.items():
        monkeypatch.setenv(name, value)
    out, err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    with pytest.raises(SystemExit) as ended:
        main()
    monkeypatch.undo()
    assert (ended.value.code, err.getvalue()) == (0, "")
    assert isinstance(out.buffer, io.BytesIO)
    told = out.buffer.getvalue().decode().splitlines()
    if shell == "zsh":
        return told[1::3]
    return [line.partition(",")[2].partition("\t")[0] for line in told]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("pl",), ["plan"]),
        (("",), list(COMMANDS)),
        (("--ver",), ["--version"]),
        (("plan", "--allow-"), ["--allow-empty-spec", "--allow-policy"]),
        (("plan", "-o", ""), ["text", "json", "markdown", "html"]),
        (("ledger", "mi"), ["migrate"]),
        (("completion", ""), ["bash", "zsh", "fish"]),
        (("plan", "-C", str(EXAMPLE), "-e", ""), ["dev", "prod"]),
        (("apply", *PROD, "--target", "theta/Deployment/f"), ["theta/Deployment/features"]),
        (("plan", *PROD, "--provider", ""), ["modelarts", "runai", "theta"]),
        (("plan", *PROD, "--allow-policy", "b"), ["budget"]),
        (("ledger", "history", *PROD, "modelarts/Service/s"), ["modelarts/Service/shelf-camera"]),
        (("ledger", "trust", *PROD, "t"), ["theta/Deployment"]),
        (("compile", *PROD, "--explain", "runai/Inference/r"), ["runai/Inference/reranker"]),
        (("drift", "--fail-on", "unmanaged,unh"), ["unmanaged,unhealthy"]),
        (("explain", "runai/Inference.autoscaling.min"), ["runai/Inference.autoscaling.minReplicas"]),
        (("explain", "plan-al"), ["plan-altered"]),
        (("schema", "reconciler/"), ["reconciler/Policy", "reconciler/Project"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_the_next_word_is_known(words: tuple[str, ...], offered: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RECONCILER_FINGERPRINT_KEY", raising=False)
    assert ask(monkeypatch, "bash", *words) == offered


def test_values_are_those_of_the_environment_that_is_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ("--target", "modelarts/Notebook/")
    dev, prod = (ask(monkeypatch, "fish", "plan", "-C", str(EXAMPLE), "-e", env, *asked) for env in ("dev", "prod"))
    assert dev == ["modelarts/Notebook/notebook-ann", "modelarts/Notebook/notebook-bob"]
    assert prod == ["modelarts/Notebook/notebook-oncall"]


@pytest.mark.parametrize(
    ("shell", "selector", "target"),
    [
        ("bash", "search", "theta/Deployment/features"),  # it replaces what stands behind the last = alone
        ("zsh", "team=search", "--target=theta/Deployment/features"),
        ("fish", "team=search", "--target=theta/Deployment/features"),
    ],
)
def test_an_equals_sign_is_read_as_each_shell_reads_it(
    shell: str, selector: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(monkeypatch, shell, "plan", *PROD, "-l", "team=se") == [selector]
    assert ask(monkeypatch, shell, "plan", *PROD, "--target=theta/Deployment/f") == [target]


def test_files_are_the_shells_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for words in (("show", "pl"), ("plan", "--out", "pl"), ("github", "comment", "pl"), ("plan", "--values", "pl")):
        assert ask(monkeypatch, "bash", *words) == ["pl"], words


@pytest.mark.parametrize("broken", ["{", "kind: Project", "", None])
def test_a_project_that_can_not_be_read_offers_nothing(
    broken: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if broken is not None:
        (tmp_path / "reconciler.yaml").write_text(broken, encoding="utf-8")
    for words in (("-e", ""), ("--target", ""), ("-l", "")):
        assert ask(monkeypatch, "bash", "plan", "-C", str(tmp_path), *words) == []
    assert ask(monkeypatch, "bash", "plan", "-C", str(tmp_path / "none"), "-e", "") == []
    assert ask(monkeypatch, "bash", "plan", "-f", "-", "--target", "") == []


def test_nothing_is_offered_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completion, "_LONGEST_S", 0.001)
    gc.disable()  # Hypothesis listens to the collector, and would complain of what is raised in there
    try:
        assert ask(monkeypatch, "bash", "plan", *PROD, "--target", "") == []
    finally:
        gc.enable()


def test_what_a_shell_would_run_is_not_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = ["$(touch ran)", "`touch ran`", "a; touch ran", "*", "~", "x\ny", "'"]
    labels = "".join(f"      l{number}: {text!r}\n" for number, text in enumerate(hostile))
    (tmp_path / "reconciler.yaml").write_text(
        "apiVersion: reconciler/v1\nkind: Project\nmetadata: {name: shop}\n"
        "spec: {providers: {theta: {type: theta, endpoint: emulator}}}\n",
        encoding="utf-8",
    )
    (tmp_path / "resources").mkdir()
    written = (
        "apiVersion: theta/v1\nkind: Deployment\nmetadata:\n    name: chat\n    labels:\n      team: search\n"
        f"{labels}spec: {{template: vLLM, vm_id: vm_ga1, min_replicas: 1}}\n"
    )
    (tmp_path / "resources" / "chat.yaml").write_text(written, encoding="utf-8")
    found = ask(monkeypatch, "fish", "plan", "-C", str(tmp_path), "-l", "")
    assert found == ["team=search"]


def test_bash_takes_the_script_and_completes_by_it(tmp_path: Path) -> None:
    script = tmp_path / "completion.bash"
    made = subprocess.run([sys.executable, "-m", "reconciler", "completion", "bash"], capture_output=True, check=True)
    script.write_bytes(made.stdout)
    program = tmp_path / "reconciler"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m reconciler "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    asked = (
        f"source {script}; complete -p reconciler; COMP_LINE='reconciler exp'; COMP_POINT=14; "
        "_reconciler_completion reconciler; printf '%s|' \"${COMPREPLY[@]}\""
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", asked],
        env=os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "complete -F _reconciler_completion reconciler\nexplain|"
    assert done.stderr == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_script_names_our_variable(shell: str) -> None:
    source = CliRunner().invoke(cli, ["completion", shell], obj=Printer()).output
    assert f"_RECONCILER_COMPLETE={shell}_complete" in source
    assert "%(" not in source


def test_it_answers_in_the_way_of_clicks_own_scripts_too(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    for name in ("COMP_LINE", "COMP_POINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COMP_WORDS", f"reconciler plan -C {EXAMPLE} -e p")
    monkeypatch.setenv("COMP_CWORD", "5")
    monkeypatch.setenv("_RECONCILER_COMPLETE", "bash_complete")
    completion.answer(cli)
    assert capfdbinary.readouterr().out == b"plain,prod\n"
    monkeypatch.setenv("_RECONCILER_COMPLETE", "bash_source")
    completion.answer(cli)
    assert b"complete -F _reconciler_completion reconciler" in capfdbinary.readouterr().out
