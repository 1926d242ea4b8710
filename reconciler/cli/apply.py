"""`reconciler apply`."""

from __future__ import annotations

from typing import Any

import click

from reconciler.cli.carry import carry
from reconciler.cli.expected import read_expected
from reconciler.cli.help import Sectioned
from reconciler.cli.options import Common, common_options, output_option, plan_options, result_option, selection_options
from reconciler.cli.plan import plan_options_of
from reconciler.cli.revision import is_older
from reconciler.cli.session import Session, open_session
from reconciler.cli.wishes import carrying_options, check_terminal, wishes_of
from reconciler.problems import Problem, Refused

__all__ = ["command"]


@click.command("apply", cls=Sectioned, epilog="Example: reconciler apply -C specs-example --yes")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--expect", "expect", multiple=True, metavar="DIGEST|FILE", help="Only changes that this reviewed plan holds."
)
@click.option("--allow-older", is_flag=True, help="Also when a newer revision of the spec was applied last.")
@carrying_options
@output_option("text", "json")
@result_option
@plan_options
@selection_options
@common_options
def command(common: Common, *, file: str | None, output: str, **chosen: Any) -> int:
    """Make live what the spec says: plan, ask, and carry it out.

    With FILE (of `plan --out`): only if nothing that it touches has moved since.
    """
    expected = read_expected(file, chosen.pop("expect"))
    older = chosen.pop("allow_older")
    wishes = wishes_of(chosen, output=output, expected=expected)
    check_terminal(wishes)
    spec = common.load()
    if expected is not None:
        expected.check_owner(spec.project.owner)
        expected.check_spec(spec.digest)
    with open_session(spec, common.where.root, common.printer) as session:
        _check_age(session, allowed=older)
        session.check_catalogue()
        return carry(session, wishes, lambda: plan_options_of(session, chosen))


def _check_age(session: Session, *, allowed: bool) -> None:
    """An older spec would take back what a newer one has brought. Source: DESIGN §5.

    Raises:
        Refused: `older-spec`.
    """
    runs = session.ledger.runs(session.owner)
    last = next((run.revision for run in runs if run.status.is_finished and run.revision), "")
    if allowed or not last or not session.revision:
        return
    older = is_older(session.root, session.revision, last)
    if older is None:
        session.printer.note(
            f"warning: nobody can tell whether revision {session.revision[:12]} comes after {last[:12]}, which was "
            "applied last: this clone does not hold both"
        )
    elif older:
        problem = Problem(
            code="older-spec",
            wrong=f"revision {session.revision[:12]} comes before {last[:12]}, which was applied last",
            expected="a newer revision, such as one that reverts it; --allow-older goes back all the same",
        )
        raise Refused([problem])
