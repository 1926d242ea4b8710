"""The switches that README and the help of `reconciler emulator` tell are those of the emulator's tables."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from reconciler.cli.emulator import command
from reconciler.emulator.registry import switch_page, switch_tables

README = (Path(__file__).parents[2] / "reconciler" / "README.md").read_text(encoding="utf-8")


def test_readme_holds_the_page_that_is_made_of_the_tables() -> None:
    told = README.partition("<!-- switches: begin -->\n")[2].partition("<!-- switches: end -->")[0]

    assert told == switch_page()


def test_help_tells_each_switch_with_its_values_and_its_line() -> None:
    done = CliRunner().invoke(command, ["--help"], terminal_width=400, max_content_width=400)

    assert done.exit_code == 0
    for module, table in switch_tables().items():
        part = done.output.partition(f"Switches of {module} (")[2].partition("Switches of ")[0]
        for row in table.rows:
            assert f"  {row.name} " in part
            assert f"{row.told}: {row.does}" in part


def test_each_line_of_the_page_is_one_line() -> None:
    rows = [row for table in switch_tables().values() for row in table.rows]

    assert [row.name for row in rows if "\n" in row.told + row.does or "|" in row.told + row.does] == []
    assert [row.name for row in rows if len(row.does) > 110 or not row.does] == []
