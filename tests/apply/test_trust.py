"""What an absence proves: nothing, until the settle window is over or a person says so (SETTLEMENT §§3, 7)."""

from __future__ import annotations

import json
import time
from typing import Any


def test_an_emulator_without_delays_of_its_own_is_not_waited_for(fleet: Any) -> None:
    """With `CI` set a cold ledger waits; a served emulator commits at once, unless the project says otherwise."""
    config = fleet.project.root / "reconciler.yaml"
    text = config.read_text(encoding="utf-8")
    assert text.count("commitDelay: 1s") == 3
    config.write_text(text.replace("commitDelay: 1s, listLag: 0s, ", ""), encoding="utf-8")
    fleet.project.env["CI"] = "true"
    fleet.write("runai/Inference/llm")

    started = time.monotonic()
    done = fleet.apply()

    assert "waiting" not in done.stderr
    assert time.monotonic() - started < 60


def test_a_person_can_say_that_nothing_ran_before_this_ledger(fleet: Any) -> None:
    fleet.served.post("switches", {"theta": {"annotations_mode": "null"}})
    fleet.write("theta/Deployment/chat")
    fleet.apply()
    fleet.drop_ledger()
    blocked = fleet.project.run("plan")
    assert blocked.returncode == 4
    assert "ledger trust theta/Deployment" in blocked.stdout

    assert fleet.project.run("ledger", "trust", "theta/Deployment").returncode == 0

    assert fleet.project.plan()["summary"]["create"] == 1


def test_a_run_that_saw_no_unreadable_machine_knows_later_ones_to_be_foreign(fleet: Any) -> None:
    fleet.write("theta/Deployment/chat")
    for item in fleet.served.get("state")["theta"]:
        if item["Annotations"] is None:  # somebody's machine that nothing can be read on: nobody knows whose it is
            fleet.by_hand("DELETE", f"/deployment/{item['Shard']}/{item['Suffix']}")
    fleet.apply()
    trusted = json.loads(fleet.project.run("ledger", "show", "-o", "json").stdout)["trusted"]
    assert trusted == ["theta/Deployment"]
    fleet.served.post("switches", {"theta": {"annotations_mode": "null"}})  # and from now on nobody can read a marker
    fleet.project.write(
        "resources/more.yaml",
        (fleet.project.root / "resources/chat.yaml").read_text(encoding="utf-8").replace("chat", "more"),
    )

    assert fleet.project.plan()["summary"]["create"] == 1, "the look-alike is the ledger's own, or nobody's"
    fleet.drop_ledger()
    assert {change["reason"] for change in fleet.changes().values()} == {"possible-duplicate"}
