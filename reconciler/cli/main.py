"""The command `reconciler`: finds the subcommand, and turns every ending into a message and an exit code."""

from __future__ import annotations

import importlib
import os
import sys
from itertools import pairwise
from types import ModuleType
from typing import Final

import click
from click.shell_completion import CompletionItem

from reconciler import __version__
from reconciler.cli.output import OutputError, Printer

__all__ = ["cli", "main", "module_of"]

COMMANDS: Final = {
    "init": "Begin a project that works as it stands.",
    "validate": "Check the spec without contacting a provider.",
    "compile": "Print the rendered resources.",
    "plan": "Show what would be done.",
    "show": "Print a saved plan.",
    "apply": "Make live what the spec says.",
    "undo": "Bring back what was applied before a run.",
    "drift": "Show what has changed behind the spec's back.",
    "list": "Show what is live.",
    "snapshot": "Save live state, for plans without credentials.",
    "import": "Write what is live as YAML that adopts it.",
    "outputs": "Print ids and endpoints of our resources.",
    "doctor": "Look whether everything is there that an apply needs.",
    "ledger": "Show what was applied; repair or move the record.",
    "github": "Comment, summarise and file what a run found, on GitHub.",
    "graph": "Print which resource needs which.",
    "explain": "Tell what a field, a kind or a code means.",
    "schema": "Print the JSON Schema of a kind.",
    "emulator": "Serve the emulated providers on 127.0.0.1.",
    "completion": "Print the script that makes a shell complete all this.",
}
_MODULES: Final = {"import": "importing"}
"""Commands whose module has another name: this one is a word of Python."""

_FAILED: Final = 1
"""`Exit.ERROR`, also when the exit table itself can't be imported."""
_HELP: Final = frozenset({"-h", "--help", "--version"})


def module_of(command: str) -> ModuleType:
    """The module of a command."""
    return importlib.import_module(f"reconciler.cli.{_MODULES.get(command, command)}")


class _Commands(click.Group):
    """Subcommands are imported when they are called: `--help` loads none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = module_of(cmd_name).command
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        found = [CompletionItem(name, help=does) for name, does in COMMANDS.items() if name.startswith(incomplete)]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=_Commands,
    epilog="Example: reconciler plan -C specs-example",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="reconciler")
def cli() -> None:
    """Desired state in Git, live state from the providers, and a plan between them that a person can trust."""


def main() -> None:
    """Run the command line and exit with the code of DESIGN §10."""
    if os.environ.get("_RECONCILER_COMPLETE"):
        from reconciler.cli.completion import answer  # noqa: PLC0415 - only when a shell asks

        sys.exit(answer(cli))
    printer = Printer(log_json=_asks_for_json(sys.argv[1:]))
    try:
        code = int(_run(printer))
    except Exception as error:  # noqa: BLE001 - the edge: a bug is reported without values, never as an outcome
        _say(error, _bug(error, printer), printer)
        code = _FAILED
    sys.exit(_saved(code, printer))


def _asks_for_json(words: list[str]) -> bool:
    """Whether `--log-format json` is among them: what the parser of options refuses is said in that form, too."""
    return "--log-format=json" in words or ("--log-format", "json") in pairwise(words)


def _saved(code: int, printer: Printer) -> int:
    """Close the file of `--result`; the code stays, unless the file can't be written and all else went well."""
    try:
        if printer.saved is not None:
            printer.saved.finish(code)
    except OutputError as error:
        printer.note(str(error))
        return code or _FAILED
    return code


def _say(error: BaseException, told: str, printer: Printer) -> None:
    printer.note(told, level="error")
    if printer.saved is not None:
        printer.saved.fail(error, told)


def _run(printer: Printer) -> int:
    try:
        return _called(printer)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - what is none of ours is raised again
        return _ended(error, printer)


def _ended(error: BaseException, printer: Printer) -> int:
    """Say how a command failed; its exit code. What is no error of ours goes on: a bug.

    The rooms below are imported here and not before: `--help` takes a third of the time without them.
    """
    from reconciler.cli.exits import Exit, of_error  # noqa: PLC0415
    from reconciler.problems import ReconcilerError  # noqa: PLC0415

    if isinstance(error, click.UsageError):
        hint = f"\nTry: {error.ctx.command_path} --help" if error.ctx else ""
        _say(error, f"{error.format_message()}{hint}", printer)
        return Exit.USAGE
    if isinstance(error, click.Abort | KeyboardInterrupt):
        _say(error, "stopped; nothing more was sent", printer)
        return Exit.REFUSED
    if isinstance(error, OutputError):
        _say(error, str(error), printer)
        return Exit.ERROR
    if isinstance(error, ReconcilerError):
        _say(error, _told(error), printer)
        return of_error(error)
    raise error


def _called(printer: Printer) -> int:
    """The command's own code; help texts and versions, which click prints past the printer, fail as results do.

    Raises:
        OutputError: when a help text could not be written.
    """
    if sys.stdout is None and not _HELP.isdisjoint(sys.argv[1:]):
        message = "stdout is closed"
        raise OutputError(message)
    stdout = sys.stdout
    try:
        return int(cli.main(standalone_mode=False, obj=printer, prog_name="reconciler") or 0)
    except SystemExit:
        if sys.stdout is stdout:
            raise
        printer.give_up()  # the reader of a help text went away: click wraps the stream, and calls that a failure
        return 0
    except OSError as error:
        if not _while_printing(error):
            raise
        printer.give_up()
        message = f"the result could not be written: {error}"
        raise OutputError(message) from None


def _while_printing(error: OSError) -> bool:
    """Whether it happened while click wrote a text."""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__") == "click.utils" and trace.tb_frame.f_code.co_name == "echo":
            return True
        trace = trace.tb_next
    return False


def _told(error: Exception) -> str:
    """An error in its own words; problems with all places that belong to them, as `validate` shows them."""
    from reconciler.problems import Refused, SpecError  # noqa: PLC0415
    from reconciler.render.problems import problems_text  # noqa: PLC0415
    from reconciler.render.safe import for_terminal  # noqa: PLC0415

    if isinstance(error, SpecError | Refused) and error.problems:
        return problems_text(error.problems)
    return "\n".join(for_terminal(line) for line in str(error).splitlines())


def _bug(error: Exception, printer: Printer) -> str:
    """Where it happened, without any value: a bug's text may hold what must not be shown."""
    place, trace = "", error.__traceback__
    while trace is not None:
        place = f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
        trace = trace.tb_next
    if printer.verbose:
        return printer.redactor.traceback_text(error)
    return (
        f"internal error ({type(error).__name__} at {place}): this is a bug in reconciler, nothing that you did; "
        "-v shows more [internal-error]"
    )
