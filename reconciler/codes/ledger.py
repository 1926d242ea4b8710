"""Codes of the ledger and its lease. Raised in `ledger`."""

from __future__ import annotations

from typing import Final

from reconciler.codes.code import Code

__all__ = ["CODES"]

CODES: Final = (
    Code(
        code="ledger-failed",
        stage="ledger",
        meaning=(
            "The ledger could not be read or written: a full disk, missing rights, a remote that does not answer. A "
            "write that can't be noted beforehand is not sent."
        ),
        remedy=(
            "Mend what the message names, and run the same command again: it first looks what became of open writes."
        ),
    ),
    Code(
        code="ledger-damaged",
        stage="ledger",
        meaning=(
            "The ledger's content can't be read. A plan reads a broken SQLite file as empty and an apply sets it "
            "aside; this error comes when another run has it open. A Git branch is left as it is."
        ),
        remedy="SQLite: run again when the other run has ended. Git: bring an older version of the branch back.",
    ),
    Code(
        code="ledger-foreign",
        stage="ledger",
        meaning="At the ledger's path, or in its database, there is something else. It is not touched.",
        remedy="Name another path in `spec.ledger.path`.",
        example="ledger: {type: sqlite, path: .reconciler/shop.db}",
    ),
    Code(
        code="ledger-newer",
        stage="ledger",
        meaning="A newer release of reconciler wrote the ledger; an older one could lose what it does not know.",
        remedy="Update reconciler here, too.",
    ),
    Code(
        code="ledger-empty",
        stage="ledger",
        meaning="`ledger migrate` found no record of this owner in the home that `--from` names.",
        remedy="Look whether `-e`, the path or the branch is the right one.",
    ),
    Code(
        code="ledger-not-empty",
        stage="ledger",
        meaning="`ledger migrate` found a record of this owner in the new home already; two histories can't be one.",
        remedy="Name another path, branch or database for the new home, or stay with the record that is there.",
    ),
    Code(
        code="ledger-type",
        stage="ledger",
        meaning="`spec.ledger.type` is unknown.",
        remedy="Take one of those in the message.",
        example="ledger: {type: git}",
    ),
    Code(
        code="ledger-url",
        stage="ledger",
        meaning="A ledger in PostgreSQL is found by `RECONCILER_LEDGER_URL`, which is not set, or is no such address.",
        remedy="Set it in the environment, never in the repository: it holds a password.",
    ),
    Code(
        code="ledger-driver",
        stage="ledger",
        meaning="A ledger in PostgreSQL needs a driver that is not installed.",
        remedy="`pip install 'reconciler[postgres]'`.",
    ),
    Code(
        code="ledger-no-repository",
        stage="ledger",
        meaning="The ledger is to be on a Git branch, and the project is in no clone, or the clone has no such remote.",
        remedy="Run it inside a clone; name one of its remotes in `spec.ledger.remote`.",
        example="ledger: {type: git, remote: origin}",
    ),
    Code(
        code="ledger-on-network",
        stage="ledger",
        meaning="The SQLite ledger is on a network file system, whose locks don't keep two runs apart.",
        remedy="Put the project on a local disk, or use a ledger of type git.",
        example="ledger: {type: git}",
    ),
    Code(
        code="ledger-unplaced",
        stage="ledger",
        meaning=(
            "`CI` is set and a real account is used, so the SQLite ledger would vanish with the runner, and the next "
            "run would know nothing."
        ),
        remedy="Use a ledger of type git, or write a `path` in a folder that is kept from run to run.",
        example="ledger: {type: git}",
    ),
    Code(
        code="lease-held",
        stage="ledger",
        meaning=(
            "Another run works on this owner; the message says who and since when. Two runs at once could make "
            "everything twice."
        ),
        remedy="Wait for it to end, or let --lease-wait do that.",
        example="reconciler apply --yes --lease-wait 10m",
    ),
    Code(
        code="lease-lost",
        stage="ledger",
        meaning="The lease ran out or was taken over, so this run sends and notes nothing more.",
        remedy="Look at what the other run does; when it has ended, start again.",
    ),
)
