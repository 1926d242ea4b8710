"""`reconciler ledger`."""

from __future__ import annotations

import dataclasses
import os
import time
from datetime import UTC, datetime
from typing import Any

import click

from reconciler.cli.exits import Exit
from reconciler.cli.help import SectionedGroup
from reconciler.cli.ledger_repair import migrate, open_home, restore, unlock
from reconciler.cli.options import Common, common_options, output_option
from reconciler.cli.project import load_spec
from reconciler.cli.who import who
from reconciler.ledger.journal import IntentRow, Run
from reconciler.problems import Problem, SpecError, nearest
from reconciler.providers.registry import provider_types
from reconciler.render import machine
from reconciler.render.safe import for_terminal
from reconciler.spec.values import encode

__all__ = ["command"]


@click.group("ledger", cls=SectionedGroup, epilog="Example: reconciler ledger show -C specs-example")
def command() -> None:
    """The record of what was applied: which live thing is which resource, by which run."""


@command.command("show", epilog="Example: reconciler ledger show -C specs-example")
@output_option("text", "json")
@common_options
def show(common: Common, *, output: str) -> int:
    """Print the entries of this owner, and its last runs. Contacts no provider."""
    spec = load_spec(common.where)
    ledger = open_home(spec, common)
    entries = ledger.entries(spec.project.owner)
    if output == "json":
        data = {
            "owner": spec.project.owner,
            "location": ledger.location,
            "entries": [encode(dataclasses.asdict(entry) | {"spec": entry.spec}) for entry in entries.values()],
            "runs": [_run_json(run) for run in ledger.runs(spec.project.owner)],
            "trusted": sorted(ledger.trusted(spec.project.owner)),
        }
        common.printer.result(machine.dump(data), utf8=True)
        return Exit.DONE
    lines = [
        f"{entry.address}  id {entry.live_id}, applied {_time(entry.applied_at)} by {entry.run or 'nobody known'}"
        + ("" if entry.ready else ", not seen ready yet")
        for entry in entries.values()
    ]
    runs = [f"run {run.id}  {run.status}, {_time(run.started)}" for run in ledger.runs(spec.project.owner, 10)]
    common.printer.page("\n".join(map(for_terminal, [*(lines or ["nothing was applied yet"]), *runs])))
    return Exit.DONE


@command.command("history", epilog="Example: reconciler ledger history theta/Deployment/assistant -C specs-example")
@click.argument("address", default="")
@click.option("--limit", default=10, show_default=True, type=click.IntRange(1), help="Runs, the newest first.")
@output_option("text", "json")
@common_options
def history(common: Common, *, address: str, limit: int, output: str) -> int:
    """Print what each run did: every write with its outcome. Contacts no provider.

    ADDRESS leaves only the writes for one resource, and the runs that made some.
    """
    spec = load_spec(common.where)
    ledger, owner = open_home(spec, common), spec.project.owner
    writes = [row for row in ledger.journal(owner) if address in {"", row.address}]
    runs = [run for run in ledger.runs(owner) if not address or any(row.run == run.id for row in writes)][:limit]
    if output == "json":
        data = {
            "owner": owner,
            "runs": [
                _run_json(run) | {"writes": [_write_json(row) for row in writes if row.run == run.id]} for run in runs
            ],
        }
        common.printer.result(machine.dump(data), utf8=True)
        return Exit.DONE
    lines = []
    for run in runs:
        at = f", revision {run.revision[:12]}" if run.revision else ""
        ended = f" to {_time(run.ended)}" if run.ended else ""
        lines.append(f"run {run.id}  {run.status}, {_time(run.started)}{ended}{at}")
        lines.extend(_write_line(row) for row in writes if row.run == run.id)
    common.printer.page("\n".join(map(for_terminal, lines or ["no run is known here"])))
    return Exit.DONE


def _run_json(run: Run) -> dict[str, Any]:
    """A run without its inverse, which is for `undo`."""
    return {key: value for key, value in dataclasses.asdict(run).items() if key != "inverse"}


def _write_json(row: IntentRow) -> dict[str, Any]:
    return {
        "address": row.address,
        "op": row.op,
        "state": row.state,
        "id": row.live_id or row.target or None,
        "at": row.sent_at,
        "note": row.note or None,
    }


def _write_line(row: IntentRow) -> str:
    live_id = row.live_id or row.target
    return (
        f"  {row.op} {row.address}  {row.state}"
        + (f", id {live_id}" if live_id else "")
        + (f": {row.note}" if row.note else "")
    )


@command.command("trust", epilog="Example: reconciler ledger trust theta/Deployment")
@click.argument("scope", default="*")
@common_options
def trust(common: Common, *, scope: str) -> int:
    """Say that what is not in this ledger is not ours: nothing ran before it.

    SCOPE is PROVIDER/KIND, or * (the default) for everything. A first apply then waits for nothing, and unmarked live
    resources that look like ours block no create.
    """
    spec = load_spec(common.where)
    scopes = [
        f"{name}/{kind.name}"
        for name, config in spec.project.providers.items()
        for kind in provider_types()[config.type].kinds
    ]
    if scope != "*" and scope not in scopes:
        raise SpecError(
            [
                Problem(
                    code="unknown-scope",
                    wrong=f"there is no {scope!r} in this project",
                    expected=f"* or one of {', '.join(scopes)}",
                    nearest=nearest(scope, scopes),
                )
            ]
        )
    with open_home(spec, common).take_lease(spec.project.owner, who(os.environ)) as lease:
        lease.trust(scope, by=who(os.environ), now=time.time())
    common.printer.result(f"{spec.project.owner}: {'everything' if scope == '*' else scope} is trusted from now on")
    return Exit.DONE


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


for _one in (restore, unlock, migrate):
    command.add_command(_one)
