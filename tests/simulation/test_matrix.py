"""Each kind of write, killed at its boundaries, then run again: the end is as if nothing had happened (case C39).

Every fifth death of each row here, all of them with SIMULATION_MATRIX=all; with those at reads and waits, and with the
figures: `python -m tests.simulation.matrix --reads`. Real SIGKILLs are in `tests/faults/test_crashes.py`.
"""

from __future__ import annotations

import os

import pytest

from tests.simulation.matrix import ROWS, Row, cells

STEP = 1 if os.environ.get("SIMULATION_MATRIX") == "all" else 5


@pytest.mark.parametrize("lost", [False, True], ids=["same ledger", "fresh ledger"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_wherever_it_dies_the_same_command_brings_it_to_the_same_end(row: Row, lost: bool) -> None:  # noqa: FBT001
    first = 1 + (ROWS.index(row) + lost) % STEP
    died = list(cells(row, lost=lost, first=first, step=STEP))
    assert len(died) >= 14 // STEP
    for cell in died:
        assert not cell.violations, f"died {cell.at}\n" + "\n".join(cell.trace)
