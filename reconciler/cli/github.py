"""`reconciler github`: comment, summary, issue, reviewed."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from reconciler.cli.exits import Exit
from reconciler.cli.help import SectionedGroup
from reconciler.cli.ledger_repair import open_home
from reconciler.cli.options import Common, common_options
from reconciler.cli.output import OutputError, Printer
from reconciler.cli.revision import commits_since, revision_of
from reconciler.github import comment as sticky
from reconciler.github import issue as drift_issue
from reconciler.github.actor import find_actor
from reconciler.github.annotations import annotate, notice
from reconciler.github.client import GitHub
from reconciler.github.errors import GitHubError
from reconciler.github.labels import label_of, set_label
from reconciler.github.outputs import add_summary, facts, write_outputs
from reconciler.github.place import Place, folder_of, open_github, project_key
from reconciler.github.result import Result, read_result
from reconciler.github.reviewed import MOST_COMMITS, Question, look
from reconciler.github.state import state_of
from reconciler.ledger.journal import RunStatus
from reconciler.problems import Problem, Refused, SpecError
from reconciler.render import machine
from reconciler.render.safe import for_terminal

__all__ = ["command"]

_FIRST_COMMITS: Final = 100
"""Commits that are looked at where the ledger knows no apply that came to its end."""
_Command = Callable[..., Any]


@click.group("github", cls=SectionedGroup, epilog="Example: reconciler github summary result.json")
def command() -> None:
    """Tell people on GitHub what a run found, and learn there what was reviewed."""


def _options(*names: str) -> Callable[[_Command], _Command]:
    """Options that several of these commands share. The folder need not exist: another job made the file."""
    known = {
        "-C": click.option("-C", "directory", metavar="DIR", default=".", help="Project folder, for names alone."),
        "-e": click.option("-e", "environment", metavar="ENV", default=None, help="Environment, if FILE names none."),
        "--actor": click.option(
            "--actor", metavar="LOGIN", default=None, help="Account that the token writes as, such as my-app[bot]."
        ),
        "--key": click.option(
            "--key", metavar="TEXT", default=None, help="Which comment it is, instead of folder and environment."
        ),
    }

    def add(function: _Command) -> _Command:
        for name in reversed(names):
            function = known[name](function)
        return function

    return add


@command.command("comment", epilog="Example: reconciler github comment result.json -e dev --pr 12")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--pr", "number", type=click.IntRange(1), default=None, help="Pull request, instead of the event's.")
@click.option("--head", metavar="SHA", default=None, help="Commit that was planned, instead of the event's.")
@click.option("--unreviewed", is_flag=True, help="This plan never counts as reviewed.")
@click.option("--labels", is_flag=True, help="Also put on one label that says what was found.")
@_options("--key", "--actor", "-e", "-C")
@click.pass_obj
def comment(printer: Printer, /, files: tuple[str, ...], **chosen: Any) -> int:
    """Keep one comment per environment on a pull request.

    FILE is what `--result`, `plan --out` or `-o json` wrote. One that is missing or empty is shown as a failure. Where
    GitHub takes no comment, or the pull request has moved on, there is a notice, and the summary of the step holds the
    text.
    """
    if len(files) > 1 and (chosen["environment"] or chosen["key"]):
        raise click.UsageError("-e and --key are for one FILE (expected each of several to name its environment)")
    place = Place(printer.environ)
    number = chosen["number"] or place.pull_request
    if number is None:
        wrong = "GITHUB_EVENT_PATH names no pull request"
        raise SpecError([Problem(code="github-setting", wrong=wrong, expected="--pr, or an event of a pull request")])
    results = [read_result(file, chosen["environment"]) for file in files]
    waiting = {chosen["key"] or _key(result, chosen, printer): result for result in results}
    head = chosen["head"] or (place.head if number == place.pull_request else "")
    is_current = True
    with _github(printer, "pull-requests: write") as github:
        try:
            why = sticky.proposal(github, number).why_not(head) if head else ""
            is_current = not why
            if why:
                raise GitHubError(f"#{number} {why}")  # noqa: TRY301 - told as any other
            actor = find_actor(github, chosen["actor"])
            for key, result in list(waiting.items()):
                found = sticky.find(github, number, key, actor)
                state = state_of(result, head, unreviewed=chosen["unreviewed"])
                body = sticky.body_of(result, key, state, found.state, place.run_url)
                url = sticky.post(github, number, body, found, actor)
                printer.result(for_terminal(f"{result.owner or key}: {result.verdict}; {url}"))
                del waiting[key]
        except GitHubError as error:
            _not_taken(printer, "the comment was not posted", error, waiting)
        for result in results if chosen["labels"] and is_current else ():
            _label(github, number, result, printer)
    _write(place, printer, {"comment_posted": str(not waiting).lower()})
    return Exit.DONE


def _label(github: GitHub, number: int, result: Result, printer: Printer) -> None:
    try:
        set_label(github, number, result.environment, label_of(result))
    except GitHubError as error:
        printer.result(notice(f"the label was not set: {error}"), utf8=True)


@command.command("summary", epilog="Example: reconciler github summary result.json -C infra -e dev")
@click.argument("file", metavar="FILE")
@_options("-e", "-C")
@click.pass_obj
def summary(printer: Printer, /, file: str, environment: str | None, directory: str) -> int:
    """Write a step's summary and outputs, and print annotations at the lines that they are about."""
    place, result = Place(printer.environ), read_result(file, environment)
    lines = annotate(result, folder_of(directory, printer.environ))
    _write(place, printer, facts(result))
    if not _summarise(place, result, _key(result, {"directory": directory}, printer)):
        lines.append(notice("the summary of this step is full: this result is not in it"))
    sentence = for_terminal(f"{result.owner or 'result'}: {result.verdict}")
    printer.result("\n".join([*lines, sentence]), utf8=True)
    return Exit.DONE


@command.command("issue", epilog="Example: reconciler github issue result.json -e prod")
@click.argument("file", metavar="FILE")
@_options("--key", "--actor", "-e", "-C")
@click.pass_obj
def issue(printer: Printer, /, file: str, environment: str | None, **chosen: Any) -> int:
    """Keep one issue per environment about drift: open it, update it in place, close it when there is none any more.

    After a check that failed the issue stays open and says so; none is opened for that.
    """
    place, result = Place(printer.environ), read_result(file, environment)
    key = chosen["key"] or _key(result, chosen, printer)
    with _github(printer, "issues: write") as github:
        try:
            told = drift_issue.sync(github, result, key, find_actor(github, chosen["actor"]), place.run_url)
        except GitHubError as error:
            _not_taken(printer, "the drift issue was not written", error, {key: result})
            _write(place, printer, {"issue_posted": "false"})
        else:
            printer.result(for_terminal(f"{result.owner or key}: {told.done} {told.url}".rstrip()))
            _write(place, printer, {"issue_posted": "true"})
    return Exit.DONE


@command.command("reviewed", epilog="Example: reconciler github reviewed --out reviewed.json -e prod")
@click.option("--out", "out", metavar="FILE", required=True, help="Where to save them, for `apply --expect`.")
@_options("--key", "--actor")
@common_options
def reviewed(common: Common, *, out: str, key: str | None, actor: str | None) -> int:
    """Save which changes were reviewed on the pull requests merged since the last apply. Contacts no provider."""
    spec, printer = common.load(), common.printer
    owner, root = spec.project.owner, common.where.root
    place = Place(printer.environ)
    if not place.branch:
        wrong = f"GITHUB_REF is {printer.environ.get('GITHUB_REF', '')!r}"
        raise SpecError([Problem(code="github-setting", wrong=wrong, expected="the branch merged into: refs/heads/…")])
    runs = open_home(spec, common).runs(owner)
    since = next((run.revision for run in runs if run.status is RunStatus.DONE and run.whole and run.revision), "")
    commits = commits_since(root, since, _FIRST_COMMITS)
    with _github(printer, "pull-requests: read") as github:
        asked = Question(
            owner=owner,
            branch=place.branch,
            actor=find_actor(github, actor),
            key=key or project_key(str(root), spec.project.environment, printer.environ),
        )
        found = look(github, commits, asked)
    data = found.document(owner, since, revision_of(root))
    _save(Path(out), machine.dump(data))
    for item in found.left_out:
        printer.note(for_terminal(f"note: #{item['pull_request']} does not count: {item['why']}"))
    if len(commits) > MOST_COMMITS:
        printer.note(f"note: only the newest {MOST_COMMITS} of {len(commits)} commits were asked for")
    if not found.sets:
        raise Refused([_nothing_reviewed(common, since)])
    numbers = ", ".join(f"#{item['pull_request']}" for item in found.sets)
    printer.result(f"{owner}: reviewed on {numbers}")
    return Exit.DONE


def _nothing_reviewed(common: Common, since: str) -> Problem:
    words = ["-C", str(common.where.root), *(["-e", common.where.environment] if common.where.environment else [])]
    where = shlex.join(words)
    return Problem(
        code="nothing-reviewed",
        wrong="no pull request merged since "
        + (f"{since[:12]}, which was applied last," if since else "the beginning")
        + " shows a plan that counts",
        expected=f"one that does; by hand: `reconciler plan {where} --out plan.json`, read it, then "
        f"`reconciler apply plan.json {where}`",
    )


@contextlib.contextmanager
def _github(printer: Printer, needs: str) -> Any:
    """The repository; its token is hidden wherever it would be printed."""
    github = open_github(printer.environ, needs)
    printer.redactor.add(github.token, "GITHUB_TOKEN")
    with contextlib.closing(github):
        yield github


def _key(result: Result, chosen: dict[str, Any], printer: Printer) -> str:
    return project_key(chosen["directory"], result.environment, printer.environ)


def _not_taken(printer: Printer, what: str, error: GitHubError, results: dict[str, Result]) -> None:
    """GitHub's failure is not the run's: a notice, and the text goes where nobody needs a permission."""
    place = Place(printer.environ)
    kept = [_summarise(place, result, key) for key, result in results.items()]
    where = "; the summary of this step holds it" if kept and all(kept) and place.file("GITHUB_STEP_SUMMARY") else ""
    printer.result(notice(f"{what}: {error}{where}"), utf8=True)


def _summarise(place: Place, result: Result, title: str) -> bool:
    """Add a result to the summary; false when there was no room for it."""
    file = place.file("GITHUB_STEP_SUMMARY")
    try:
        return add_summary(file, result, title) or file is None
    except OSError as error:
        raise OutputError(f"GITHUB_STEP_SUMMARY could not be written: {error.strerror}") from None


def _write(place: Place, printer: Printer, values: dict[str, str]) -> None:
    try:
        shown = {name: printer.redactor.redact(value) for name, value in values.items()}
        write_outputs(place.file("GITHUB_OUTPUT"), shown)
    except OSError as error:
        raise OutputError(f"GITHUB_OUTPUT could not be written: {error.strerror}") from None


def _save(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"the reviewed sets could not be saved: {error.strerror}") from None
