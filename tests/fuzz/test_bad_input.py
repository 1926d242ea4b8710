"""Whatever is written: a spec, or an error with places. Nothing else ever happens. Source: issue 4.

`pytest tests/fuzz -n 2 --fuzz 25000` looks longer (CONTRIBUTING).
"""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
from hypothesis import given, seed, settings
from jsonschema import Draft202012Validator

from reconciler.problems import Problem, SpecError
from reconciler.spec import to_yaml
from tests.conftest import Project
from tests.fuzz.edits import Input, compiled, edited, whole_documents

SECONDS = 20.0
"""Far more than any of these files should take on a busy machine; a template that runs away takes for ever."""
OURS = re.compile(r"Traceback|<class|object at 0x|\bNode\(|\bLayer\(|SchemaError|ValidationError|Undefined\b.*object")
PROBLEMS = json.loads((Path(__file__).parents[2] / "schemas/reconciler-problems-1.json").read_text("utf-8"))


@pytest.mark.parametrize("part", range(4))
def test_an_edited_project_compiles_or_is_refused_with_places(part: int) -> None:
    @seed(time.time_ns() + part)
    @given(edited())
    def law(given_input: Input) -> None:
        holds(given_input)

    law()


@pytest.mark.parametrize("part", range(2))
def test_any_document_compiles_or_is_refused_with_places(part: int) -> None:
    @seed(time.time_ns() + part)
    @given(whole_documents())
    def law(given_input: Input) -> None:
        holds(given_input)

    law()


def holds(given_input: Input) -> None:
    begun = time.monotonic()
    try:
        spec = compiled(given_input)
    except SpecError as error:
        assert time.monotonic() - begun < SECONDS
        check_problems(error.problems, given_input)
        return
    text = to_yaml(spec)
    assert text == to_yaml(spec)
    if hash(text) % 4:
        return  # reading it back costs as much again
    again = compiled(
        Input(files=given_input.files, sets=given_input.sets, environment=given_input.environment, stream=text.encode())
    )
    assert again.digest == spec.digest
    assert time.monotonic() - begun < SECONDS


def check_problems(problems: tuple[Problem, ...], given_input: Input) -> None:
    assert problems
    assert list(problems) == sorted(problems, key=Problem.sort_key), "in file order"
    assert len(set(problems)) == len(problems), "each once"
    texts = {path: data.decode("utf-8", "replace") for path, data in given_input.files.items()}
    texts["<stdin>"] = (given_input.stream or b"").decode("utf-8", "replace")
    for problem in problems:
        assert problem.code
        assert problem.wrong
        assert problem.expected
        assert problem.origin is not None, problem
        assert not OURS.search(str(problem)), str(problem)
        for origin in (problem.origin, *problem.related):
            if origin.line == 0:
                assert origin.file.startswith(("--set", "-e")), origin
                continue
            lines = re.split(r"\r\n|\n|\r", texts[origin.file].removeprefix("\ufeff"))
            assert 1 <= origin.line <= len(lines), problem
            assert 1 <= origin.column <= len(lines[origin.line - 1]) + 1, problem


@pytest.fixture(scope="module")
def some() -> list[Input]:
    """A few edited projects, for what is slower."""
    found: list[Input] = []

    @seed(time.time_ns())
    @settings(max_examples=100)
    @given(edited())
    def collect(given_input: Input) -> None:
        found.append(given_input)

    collect()
    return found[:: max(1, len(found) // 25)]


def test_the_command_line_ends_with_1_and_located_lines_or_with_0(project: Project, some: list[Input]) -> None:
    for given_input in some:
        if given_input.environment == "prd" or any("\0" in text for text in given_input.sets):
            continue
        for path, data in given_input.files.items():
            place = project.root / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        args = [f"--set={text}" for text in given_input.sets]
        args += ["-e", given_input.environment] if given_input.environment else []
        done = project.run("validate", *args)
        told = project.run("validate", "-o", "json", *args)
        assert done.returncode in {0, 1}, done.stderr
        assert done.returncode == told.returncode
        assert not OURS.search(done.stdout + done.stderr + told.stderr)
        assert "internal error" not in done.stderr
        data = json.loads(told.stdout)
        Draft202012Validator(PROBLEMS).validate(data)
        assert bool(data["problems"]) == bool(done.returncode)
        if done.returncode:
            assert done.stdout == "", "no partial result"
            printed = project.run("compile", *args)
            assert (printed.returncode, printed.stdout) == (1, "")
