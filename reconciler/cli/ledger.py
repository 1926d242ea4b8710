"""`reconciler ledger`."""

from __future__ import annotations

import dataclasses
import os
import time
from datetime import UTC, datetime

import click

from reconciler.cli.exits import Exit
from reconciler.cli.options import Common, common_options, output_option
from reconciler.cli.project import load_spec
from reconciler.cli.who import who
from reconciler.ledger.store import Ledger, open_ledger
from reconciler.problems import Problem, SpecError, nearest
from reconciler.providers.registry import provider_types
from reconciler.render import machine
from reconciler.spec import Spec
from reconciler.spec.values import encode

__all__ = ["command"]


@click.group("ledger")
def command() -> None:
    """The record of what was applied: which live thing is which resource, by which run."""


@command.command("show", epilog="Example: reconciler ledger show -C specs-example")
@output_option("text", "json")
@common_options
def show(common: Common, *, output: str) -> int:
    """Print the entries of this owner, and its last runs. Contacts no provider."""
    spec = load_spec(common.where)
    ledger = _open(spec, common)
    entries = ledger.entries(spec.project.owner)
    if output == "json":
        data = {
            "owner": spec.project.owner,
            "location": ledger.location,
            "entries": [encode(dataclasses.asdict(entry) | {"spec": entry.spec}) for entry in entries.values()],
            "runs": [dataclasses.asdict(run) for run in ledger.runs(spec.project.owner)],
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
    common.printer.result("\n".join([*(lines or ["nothing was applied yet"]), *runs]))
    return Exit.DONE


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
    with _open(spec, common).take_lease(spec.project.owner, who(os.environ)) as lease:
        lease.trust(scope, by=who(os.environ), now=time.time())
    common.printer.result(f"{spec.project.owner}: {'everything' if scope == '*' else scope} is trusted from now on")
    return Exit.DONE


def _open(spec: Spec, common: Common) -> Ledger:
    return open_ledger(spec.project.ledger, common.where.root, redact=common.printer.redactor.redact)


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
