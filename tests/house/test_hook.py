"""The hook for pre-commit runs a command that there is, on the files that a spec is made of."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from reconciler.cli.main import COMMANDS

(HOOK,) = yaml.safe_load((Path(__file__).parents[2] / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))


def test_it_runs_validate_once_for_the_whole_project() -> None:
    name, command = HOOK["entry"].split()
    assert name == "reconciler"
    assert command in COMMANDS
    assert (HOOK["language"], HOOK["pass_filenames"], HOOK["types"]) == ("python", False, ["yaml"])


@pytest.mark.parametrize(
    ("path", "runs"),
    [
        ("reconciler.yaml", True),
        ("infra/reconciler.yml", True),
        ("resources/search/reranker.yaml", True),
        ("infra/patches/prod/a.yaml", True),
        ("values/prod.yaml", True),
        (".github/workflows/ci.yml", False),
        ("my-reconciler.yaml", False),
    ],
)
def test_it_runs_when_something_of_the_spec_is_committed(path: str, *, runs: bool) -> None:
    assert bool(re.search(HOOK["files"], path)) is runs
