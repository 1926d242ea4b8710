"""Two live things with one marker: the one that is ours by the best proof stays, and is noted first (SETTLEMENT §6)."""

from __future__ import annotations

import json
from typing import Any

import pytest

CHAT = "theta/Deployment/chat"


def double(fleet: Any, address: str) -> None:
    """Send the POST that made a resource once more, as a runner does whose reply was lost and whose ledger is."""
    (post,) = (entry for entry in fleet.writes_of(address, "POST") if entry["committed"])
    fleet.by_hand("POST", post["path"], post["body"])


@pytest.mark.parametrize("ledger", ["kept", "lost"])
def test_of_two_machines_with_one_marker_one_is_left_and_the_next_plan_is_empty(fleet: Any, ledger: str) -> None:
    fleet.write(CHAT)
    fleet.apply()
    (first,) = fleet.ours()[CHAT]
    double(fleet, CHAT)
    if ledger == "lost":
        fleet.drop_ledger()
    change = fleet.changes()[CHAT]
    assert (change["action"], change["reason"]) == ("replace", "twins")
    assert change["id"] != change["leftover"]

    fleet.apply()

    left = fleet.ours()[CHAT]
    assert len(left) == 1
    if ledger == "kept":
        assert left == [first], "the one that the ledger knows"
    fleet.assert_settled()
    (entry,) = json.loads(fleet.project.run("ledger", "show", "-o", "json").stdout)["entries"]
    assert entry["live_id"].endswith(left[0])
    assert entry["successor"] == ""


def test_twins_that_were_made_to_be_kept_are_shown_and_left_alone(fleet: Any) -> None:
    fleet.write(CHAT, lifecycle="{preventDestroy: true}")
    fleet.apply()
    double(fleet, CHAT)
    done = fleet.apply(code=4)
    assert "is to be kept" in done.stdout + done.stderr
    assert fleet.counts()[CHAT] == 2
