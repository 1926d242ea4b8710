"""Every command's help: a sentence, options that say what they do, and an example that the command takes.

README's commands and options are made of it. After a change: `pytest tests/house/test_help.py --update-golden`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from reconciler.cli.help import Shared
from reconciler.cli.main import COMMANDS, cli

ROOT = Path(__file__).parents[2]
BEGIN, END = "<!-- commands: begin -->\n", "<!-- commands: end -->\n"


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command and every one below it, as it is typed behind `reconciler`."""
    root = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(root, name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {below}", one) for below, one in command.commands.items())


ALL = dict(commands())


def help_of(words: str, columns: int) -> str:
    done = CliRunner().invoke(cli, [*words.split(), "--help"], env={"COLUMNS": str(columns)}, terminal_width=columns)
    assert done.exit_code == 0, done.output
    return done.output


def examples(text: str) -> list[str]:
    """The lines of an example that call us."""
    shown = re.split(r"^ *Examples?:", text, flags=re.MULTILINE)
    return [line[line.index("reconciler") :] for line in shown[-1].splitlines() if "reconciler " in line]


@pytest.mark.parametrize("words", ["", *ALL])
def test_help_ends_with_an_example_that_the_command_takes(
    words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = help_of(words, 120)
    found = examples(told)
    assert found, "the last thing that a new user reads is something to try"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "specs-example").symlink_to(ROOT / "specs-example")
    for name in ("plan.json", "result.json"):
        (tmp_path / name).write_text("{}", encoding="utf-8")
    for line in found:
        args = shlex.split(re.split(r"[|>)]", line)[0])[1:]
        # Two levels at most; what is below the last one takes all the rest.
        command: click.Command = cli
        name = "reconciler"
        context = click.Context(cli, info_name=name)
        while isinstance(command, click.Group):
            name, *args = args
            below = command.get_command(context, name)
            assert below is not None, line
            command = below
        if words and "emulator" not in words:
            assert line.startswith(f"reconciler {words}"), "an example is of its own command"
        command.make_context(name, args)  # raises what is wrong with it


@pytest.mark.parametrize("words", ["", *ALL])
def test_help_fits_wide_and_narrow_terminals(words: str) -> None:
    for columns in (60, 100):
        lines = help_of(words, columns).splitlines()
        body = lines[: next((at for at, line in enumerate(lines) if re.match(r" *Examples?:", line)), len(lines))]
        # A word such as the choices of an option is not broken; a terminal does that.
        assert [line for line in body if len(line) > columns and len(line.split()) > 3] == []


@pytest.mark.parametrize("words", ALL)
def test_options_are_told_in_sentences(words: str) -> None:
    command = ALL[words]
    assert (command.help or "").partition("\n")[0].rstrip().endswith(".") or "\n" in (command.help or "")
    for option in (one for one in command.params if isinstance(one, click.Option)):
        assert re.fullmatch(r"[A-Z0-9].*\.", option.help or "", flags=re.DOTALL), option.opts


# -- README ---------------------------------------------------------------------------------------------------------


def page() -> str:
    """README's commands and options as Markdown."""
    rows = [_row(words, command) for words, command in ALL.items() if not isinstance(command, click.Group)]
    options = [f"| {names} | {told} |" for names, told in _shared()]
    head = "| command | what it does | options of its own |\n| --- | --- | --- |"
    return "\n".join([head, *rows, "", "| option of several commands | what it does |", "| --- | --- |", *options, ""])


def _row(words: str, command: click.Command) -> str:
    arguments = [one.make_metavar(click.Context(command)) for one in command.params if isinstance(one, click.Argument)]
    own = [one for one in command.params if isinstance(one, click.Option) and not isinstance(one, Shared)]
    listed = ", ".join(f"`{_cell(_typed(one))}`" for one in own)
    typed = _cell(" ".join([words, *arguments]))
    return f"| `{typed}` | {_cell(command.get_short_help_str(200))} | {listed} |"


def _typed(option: click.Option) -> str:
    """`--out`; and with its forms `-o text|json`."""
    forms = option.type.choices if isinstance(option.type, click.Choice) else ()
    return f"{option.opts[0]} {'|'.join(map(str, forms))}" if forms else max(option.opts, key=len)


def _shared() -> list[tuple[str, str]]:
    """Each shared option once, in the order of the help of `plan`."""
    found = [one for one in ALL["plan"].params if isinstance(one, Shared)]
    return [
        (
            ", ".join(f"`{_cell(name)}`" for name in (*one.opts[:-1], f"{one.opts[-1]} {one.metavar or ''}".strip())),
            _cell(one.help or ""),
        )
        for one in found
    ]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def test_readme_holds_the_page_that_is_made_of_the_help(request: pytest.FixtureRequest) -> None:
    readme = ROOT / "README.md"
    before, _, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
    told, _, after = rest.partition(END)
    if request.config.getoption("--update-golden"):
        readme.write_text(f"{before}{BEGIN}{page()}{END}{after}", encoding="utf-8")
    else:
        assert told == page(), "pytest tests/house/test_help.py --update-golden writes it anew"
