"""`reconciler doctor`: what stands between this machine and a plan, a line each with what to do."""

from __future__ import annotations

import dataclasses
import os
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

import click

from reconciler import __version__
from reconciler.cli.doctor_access import hosts, rights
from reconciler.cli.exits import Exit
from reconciler.cli.help import Sectioned
from reconciler.cli.ledger_repair import open_home
from reconciler.cli.options import Common, common_options, output_option
from reconciler.cli.project import load_spec
from reconciler.cli.session import Session, open_session, unplaced
from reconciler.diff.live import Verdict, owner_hash
from reconciler.ledger.journal import IntentRow
from reconciler.ledger.probe import could_write
from reconciler.ledger.store import Ledger
from reconciler.problems import ProviderError, ReconcilerError, Refused, SpecError
from reconciler.providers.base import Diagnosis, Health
from reconciler.providers.registry import provider_types
from reconciler.render import machine
from reconciler.render.layout import wrap
from reconciler.render.safe import for_terminal
from reconciler.render.style import Style, Tone
from reconciler.spec.resource import Spec

__all__ = ["command"]

_SKEW_S: Final = 5.0
"""Difference of clocks that settling allows for. Source: SETTLEMENT §3 (K)."""
_STATE: Final = 7
_MESSAGE: Final = 40
"""Columns of a finding's state, and what its message needs to stand beside it."""
_TONES: Final = {Health.OK: Tone.CREATE, Health.DOUBT: Tone.UPDATE, Health.FAILED: Tone.ALARM}


@click.command("doctor", cls=Sectioned, epilog="Example: reconciler doctor -C specs-example")
@output_option("text", "json")
@common_options
def command(common: Common, *, output: str) -> int:
    """Look at everything that an apply needs, and say what is missing. Writes nothing, here or there.

    Exit code 1 when something would keep a plan or an apply from working.
    """
    findings = [_system(), *_examine(common)]
    if output == "json":
        data = {
            "format": "reconciler-doctor/1",
            "healthy": not any(one.state is Health.FAILED for one in findings),
            "findings": [
                {"topic": one.topic, "state": str(one.state), "message": one.message, "remedy": one.remedy or None}
                for one in findings
            ],
        }
        common.printer.result(machine.dump(data), utf8=True)
    else:
        lines = _lines(findings, common.printer.style, common.printer.redactor.redact)
        common.printer.page("\n".join(lines))
    return Exit.ERROR if any(one.state is Health.FAILED for one in findings) else Exit.DONE


def _lines(findings: list[Diagnosis], style: Style, redact: Callable[[str], str]) -> Iterator[str]:
    """State, topic and message side by side; on a narrow terminal the message below."""
    topics = max(len(one.topic) for one in findings)
    column = _STATE + topics + 2
    beside = not style.width or style.width - column >= _MESSAGE
    for one in findings:
        head = style.paint(f"{one.state:<{_STATE - 1}}", _TONES[one.state]) + f" {for_terminal(one.topic)}"
        told = [one.message, f"do: {one.remedy}"] if one.remedy else [one.message]
        # Masked before it is broken into lines: a value that holds a blank would not be found any more.
        texts = [for_terminal(redact(text)) for text in told]
        indent = column if beside else _STATE
        parts = [part for text in texts for part in (wrap(text, style.width - indent) if style.width else [text])]
        if beside:
            head += " " * (column - _STATE - len(one.topic)) + parts.pop(0)
        yield head
        yield from (f"{' ' * indent}{part}" for part in parts)


def _examine(common: Common) -> Iterator[Diagnosis]:
    try:
        spec = load_spec(common.where)
    except SpecError as error:
        first = str(error.problems[0]) if error.problems else str(error)
        more = f" (and {len(error.problems) - 1} more)" if len(error.problems) > 1 else ""
        yield Diagnosis(topic="spec", state=Health.FAILED, message=f"{first}{more}", remedy="reconciler validate")
        return
    count = len(spec.resources)
    yield Diagnosis(
        topic="spec", state=Health.OK, message=f"{spec.project.owner}: {count} resource{'s' * (count != 1)}, all valid"
    )
    yield _fingerprints(spec, os.environ)
    for name in spec.project.providers:
        yield from _provider(spec, name, common)
    yield from _ledger(spec, common)


def _system() -> Diagnosis:
    """What runs here: the first thing that whoever is asked for help wants to know."""
    python = f"Python {platform.python_version()}"
    machine_ = " ".join(part for part in (platform.system(), platform.release(), platform.machine()) if part)
    message = f"reconciler {__version__}, {python}, {machine_}"
    return Diagnosis(topic="system", state=Health.OK, message=message)


def _fingerprints(spec: Spec, environ: Mapping[str, str]) -> Diagnosis:
    if environ.get("RECONCILER_FINGERPRINT_KEY") or not spec.project.secrets:
        return Diagnosis(topic="fingerprints", state=Health.OK, message="a plan can tell whether a secret has changed")
    return Diagnosis(
        topic="fingerprints",
        state=Health.DOUBT,
        message="without RECONCILER_FINGERPRINT_KEY a plan can't tell whether a secret has changed",
        remedy="set it to a long random text, the same one wherever plans and applies run",
    )


# -- providers --------------------------------------------------------------------------------------------------------


def _provider(spec: Spec, name: str, common: Common) -> Iterator[Diagnosis]:
    """One instance, alone: what is wrong with another one must not hide it."""
    project = dataclasses.replace(spec.project, providers={name: spec.project.providers[name]})
    own = tuple(one for one in spec.resources if one.ref.provider == name)
    alone = dataclasses.replace(spec, project=project, resources=own)
    yield from hosts(spec.project.providers[name])
    try:
        with open_session(alone, common.where.root, common.printer) as session:
            yield from _secrets(session, name)
            if name in session.failed:
                yield Diagnosis(
                    topic=name,
                    state=Health.FAILED,
                    message=session.failed[name],
                    remedy="look at the endpoint, the network and the credentials in reconciler.yaml",
                )
                return
            yield Diagnosis(topic=name, state=Health.OK, message="answers, takes the credentials, shows its catalogue")
            yield from session.providers[name].diagnose()
            yield from _catalogue(session, name)
            yield from _lists(session, name)
            yield from _clock(session, name)
    except (Refused, SpecError, ProviderError) as error:
        yield Diagnosis(topic=name, state=Health.FAILED, message=str(error), remedy=_remedy(error))


def _remedy(error: ReconcilerError) -> str:
    problems = error.problems if isinstance(error, Refused | SpecError) else ()
    return f"reconciler explain {problems[0].code}" if problems else ""


def _secrets(session: Session, name: str) -> Iterator[Diagnosis]:
    problems = session.sources[name].problems(session.spec.project.secrets)
    if problems:
        yield Diagnosis(
            topic=f"{name}: secrets",
            state=Health.DOUBT,
            message=f"not set here: {', '.join(session.sources[name].missing(session.spec.project.secrets))}",
            remedy="set them as environment variables, as lines of RECONCILER_SECRETS, or as files in the folder that "
            "RECONCILER_SECRETS_DIR names; "
            "an apply needs those of the resources that it touches",
        )


def _catalogue(session: Session, name: str) -> Iterator[Diagnosis]:
    topic = f"{name}: names"
    try:
        session.check_catalogue()
    except SpecError as error:
        for problem in error.problems:
            yield Diagnosis(topic=topic, state=Health.FAILED, message=str(problem))
        return
    for problem in session.warnings:
        yield Diagnosis(topic=topic, state=Health.DOUBT, message=str(problem))
    if not session.warnings:
        yield Diagnosis(topic=topic, state=Health.OK, message="all that the spec names exists there")


def _lists(session: Session, name: str) -> Iterator[Diagnosis]:
    world = session.read_world()
    rows = provider_types()[session.spec.project.providers[name].type].rights()
    held = {entry.live_id for entry in world.entries.values()}
    for (_, kind), listing in sorted(world.listings.items()):
        topic = f"{name}: {kind}"
        if listing.verdict is Verdict.FAILED:
            yield Diagnosis(
                topic=topic,
                state=Health.FAILED,
                message=listing.message,
                remedy="the credentials need to read this list",
            )
            yield from rights(name, kind, rows, is_read=False)
            continue
        marks = [item.parsed_marker for item in listing.items]
        ours = sum(
            item.id in held or (mark is not None and mark.owner == owner_hash(session.owner))
            for item, mark in zip(listing.items, marks, strict=True)
        )
        blind = sum(not (item.marker_readable or item.untouchable or item.id in held) for item in listing.items)
        told = f"{len(listing.items)} listed, {ours} of them ours"
        if blind and not session.ledger.trusted(session.owner):
            yield Diagnosis(
                topic=topic,
                state=Health.DOUBT,
                message=f"{told}; {blind} without a readable marker: a create that looks the same is blocked",
                remedy=f"if none of these is ours: reconciler ledger trust {name}/{kind}",
            )
        else:
            yield Diagnosis(topic=topic, state=Health.OK, message=told)
        yield from rights(name, kind, rows, is_read=True)


def _clock(session: Session, name: str) -> Iterator[Diagnosis]:
    skew_s = session.skew_s.get(name)
    if skew_s is None:
        return
    far = abs(skew_s) > _SKEW_S
    yield Diagnosis(
        topic=f"{name}: clock",
        state=Health.DOUBT if far else Health.OK,
        message=f"the server's clock is {abs(skew_s):.0f} s {'ahead' if skew_s > 0 else 'behind'}",
        remedy=f"set this machine's clock: {_SKEW_S:.0f} s are allowed for" if far else "",
    )


# -- ledger -----------------------------------------------------------------------------------------------------------


def _ledger(spec: Spec, common: Common) -> Iterator[Diagnosis]:
    try:
        ledger = open_home(spec, common)
        entries, runs = ledger.entries(spec.project.owner), ledger.runs(spec.project.owner)
        open_writes = ledger.open_intents(spec.project.owner)
    except ReconcilerError as error:
        yield Diagnosis(topic="ledger", state=Health.FAILED, message=str(error))
        return
    last = f", last run {runs[0].status}" if runs else ", no run yet"
    yield Diagnosis(topic="ledger", state=Health.OK, message=f"{ledger.location}: {len(entries)} entries{last}")
    for note in ledger.notes:
        yield Diagnosis(topic="ledger", state=Health.DOUBT, message=note)
    yield _writable(spec, common, ledger)
    if open_writes:
        yield Diagnosis(
            topic="ledger",
            state=Health.DOUBT,
            message=f"{len(open_writes)} writes of an earlier run are open: {', '.join(_addresses(open_writes))}",
            remedy="apply again: it first looks what became of them",
        )
    if unplaced(spec.project, os.environ):
        yield Diagnosis(
            topic="ledger",
            state=Health.FAILED,
            message="CI is set, and a SQLite ledger in the checkout would vanish with this runner",
            remedy="ledger: {type: git} in reconciler.yaml",
        )


def _writable(spec: Spec, common: Common, ledger: Ledger) -> Diagnosis:
    topic = "ledger: writes"
    try:
        found = could_write(spec.project.ledger, common.where.root, ledger)
    except ReconcilerError as error:
        return Diagnosis(topic=topic, state=Health.FAILED, message=str(error), remedy=_remedy(error))
    return Diagnosis(topic=topic, state=Health.OK, message=found)


def _addresses(rows: Iterable[IntentRow]) -> list[str]:
    return sorted({row.address for row in rows})
