"""`reconciler init`: a project from nothing, which validates, plans and applies as it stands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click

from reconciler.cli.exits import Exit
from reconciler.cli.init_files import check_free, has_origin, prove, repository_of, write
from reconciler.cli.init_questions import Chosen, choose
from reconciler.cli.init_texts import IGNORED, Start, hosts, secrets, texts
from reconciler.cli.init_workflows import WORKFLOWS_HOME, workflow_texts
from reconciler.cli.output import Printer
from reconciler.cli.project import PROJECT_FILE
from reconciler.cli.schema_files import SCHEMAS_HOME
from reconciler.problems import SpecError
from reconciler.render.safe import for_terminal

__all__ = ["command"]

_REPOSITORY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_PLAIN: Final = re.compile(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*")


@click.command(
    "init",
    epilog="""\b
Examples:
  reconciler init
  reconciler init infra --kind theta --env dev --env prod --yes
  reconciler init --real --github --action-repository acme/reconciler""",
)
@click.argument("directory", metavar="[DIR]", default=".", type=click.Path(file_okay=False))
@click.option("--name", default="", metavar="NAME", help="Name of the project; without it, that of the folder.")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    metavar="TYPE[/KIND]",
    help="An example of this kind, such as theta/Deployment, or of all of a type; may be repeated. Without it, of all.",
)
@click.option(
    "--env",
    "environments",
    multiple=True,
    metavar="ENV",
    help="An environment; may be repeated. Default: dev and prod.",
)
@click.option("--no-environments", is_flag=True, help="A project without environments.")
@click.option(
    "--emulator/--real",
    "emulator",
    default=None,
    help="Accounts: the embedded emulator, which needs none (the default), or real ones, to be filled in.",
)
@click.option(
    "--ledger",
    type=click.Choice(["sqlite", "git"]),
    default=None,
    help="Where the record of what was applied is kept. Default: sqlite; git with workflows and a remote.",
)
@click.option(
    "--github/--no-github",
    "github",
    default=None,
    help="Workflows that plan, apply and look for drift. Default: where DIR is the top of a repository.",
)
@click.option("--action-repository", default="", metavar="OWNER/REPO", help="Your mirror of reconciler, for them.")
@click.option("--action-ref", default="", metavar="SHA", help="The mirror's commit that they use.")
@click.option(
    "--editor",
    type=click.Choice(["vscode", "none"]),
    default="vscode",
    show_default=True,
    help="Settings by which an editor finds the schemas.",
)
@click.option("--yes", is_flag=True, help="Take the defaults for all that is not given, without asking.")
@click.pass_obj
def command(printer: Printer, /, *, directory: str, yes: bool, **given: Any) -> int:
    """Begin a project: reconciler.yaml, an example of each kind, workflows, settings for editors.

    Asks on a terminal for what no option tells. Writes into DIR alone, all or nothing, over nothing that is there.
    """
    root = Path(directory)
    _check_options(given)
    check_free(root, {})
    try:
        chosen = choose(root, given, yes=yes)
    except click.Abort:
        click.echo(err=True)  # the question's line is not ended yet
        printer.note("stopped; nothing was written")
        return Exit.REFUSED
    found = texts(chosen.begun)
    if chosen.github:
        place = _place_in_repository(root)
        found |= workflow_texts(chosen.begun.environments, place, given["action_repository"], given["action_ref"])
    check_free(root, found)
    try:
        prove(root, found, chosen.begun.environments)
    except SpecError:
        printer.note("nothing was written: with the files that are there already, this would be no valid project")
        raise
    written = write(root, found)
    for line in _closing(root, written, chosen, is_filled=bool(given["action_repository"] and given["action_ref"])):
        printer.note(for_terminal(line))
    return Exit.DONE


def _check_options(given: dict[str, Any]) -> None:
    """See what can be seen before any question; what is said of the workflows asks for them.

    Raises:
        click.UsageError: for options that can't be.
    """
    repository, commit = given["action_repository"], given["action_ref"]
    if given["environments"] and given["no_environments"]:
        raise click.UsageError("either --env or --no-environments, not both")
    if (repository or commit) and given["github"] is False:
        raise click.UsageError("--action-repository and --action-ref are for workflows, and --no-github wants none")
    if repository and not _REPOSITORY.fullmatch(repository):
        raise click.BadParameter(f"{repository!r} is no OWNER/REPO", param_hint="--action-repository")
    if commit and not _COMMIT.fullmatch(commit):
        raise click.BadParameter(f"{commit!r} is no commit (40 digits of 0-9 and a-f)", param_hint="--action-ref")
    if repository or commit:
        given["github"] = True


def _place_in_repository(root: Path) -> str:
    """The project's folder, as the workflows name it.

    Raises:
        click.UsageError: for one that can't stand in a workflow.
    """
    top = repository_of(root)
    place = root.resolve().relative_to(top).as_posix() if top else "."
    if place != "." and not _PLAIN.fullmatch(place):
        raise click.UsageError(
            f"--github: the folder {place!r} can't stand in a workflow (letters, digits, . _ - and /)"
        )
    return place


# -- closing words ----------------------------------------------------------------------------------------------------


def _closing(root: Path, written: list[str], chosen: Chosen, *, is_filled: bool) -> Iterator[str]:
    there = "" if root.resolve() == Path.cwd() else f" -C {shlex.quote(root.as_posix())}"
    yield f"wrote to {root.as_posix()}:"
    schemas = sum(path.startswith(f"{SCHEMAS_HOME}/") for path in written)
    yield from (f"  {path}" for path in written if not path.startswith(f"{SCHEMAS_HOME}/"))
    yield from [f"  {SCHEMAS_HOME}/  {schemas} files, for editors; {IGNORED} stays out of Git"] if schemas else ()
    if not chosen.begun.emulator:
        yield from _real(chosen.begun)
    if chosen.github:
        yield from _github(root, chosen.begun, is_filled=is_filled)
    if chosen.begun.ledger == "git" and not has_origin(root):
        yield "the record of what was applied lives on a branch of the remote `origin`: make a repository that has one"
    yield "next:"
    steps = ("validate", "plan", "apply") if chosen.begun.emulator else ("doctor", "plan", "apply")
    yield from (f"  reconciler {step}{there}" for step in steps)


def _real(begun: Start) -> Iterator[str]:
    yield f"before anything else, write the settings of your accounts into {PROJECT_FILE}, and set, outside of Git:"
    yield from (f"  {name}" for name in secrets(begun))
    if hosts(begun):
        yield f"  RECONCILER_ALLOW_HOSTS={','.join(hosts(begun))}  (your accounts' hosts instead of these)"


def _github(root: Path, begun: Start, *, is_filled: bool) -> Iterator[str]:
    yield "on GitHub:"
    top = repository_of(root)
    if top is not None and top != root.resolve():
        yield f"  move {(root / '.github').as_posix()} to the top of the repository: GitHub reads it nowhere else"
    if not is_filled:
        yield f"  in {WORKFLOWS_HOME}/, replace your-org and the zeros by your mirror of reconciler and its commit"
    pairs = ", ".join(f"{name}-{what}" for name in begun.environments for what in ("plan", "apply"))
    yield f"  make the GitHub Environments {pairs}, which hold the secrets"
    if begun.ledger == "sqlite":
        yield f"  write `ledger: {{type: git}}` in {PROJECT_FILE} once there is a remote: a runner loses a file"
