"""README's table of client faults is the list of expected failures."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = Path(__file__).with_name("README.md")


def test_table_of_client_faults_is_the_list_of_expected_failures(request: pytest.FixtureRequest) -> None:
    here = [item for item in request.session.items if item.path.parent == README.parent]
    if not {path.name for path in README.parent.glob("test_*.py")} <= {item.path.name for item in here}:
        pytest.skip("only a part of the suite runs")
    marks = [mark for item in here for mark in item.iter_markers("xfail")]
    section = README.read_text(encoding="utf-8").partition("## Known client faults and gaps")[2]
    told = re.findall(r"^\| (?!client|---)\w+ \| (.+) \|$", section, flags=re.MULTILINE)

    assert sorted(told) == sorted({str(mark.kwargs["reason"]).removeprefix("client: ") for mark in marks})
