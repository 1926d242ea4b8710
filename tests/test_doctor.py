"""`doctor` finds what would keep an apply from working, says what to do, and writes nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema

SCHEMA = json.loads((Path(__file__).parents[1] / "schemas/reconciler-doctor-1.json").read_text(encoding="utf-8"))


def examine(fleet: Any, code: int) -> dict[str, dict[str, Any]]:
    """Topic → finding."""
    done = fleet.project.run("doctor", "-o", "json")
    assert done.returncode == code, done.stdout + done.stderr
    report = json.loads(done.stdout)
    jsonschema.validate(report, SCHEMA)
    assert report["healthy"] is (code == 0)
    return {finding["topic"]: finding for finding in report["findings"]}


def test_on_a_sound_project_it_finds_nothing_and_writes_nothing(fleet: Any) -> None:
    fleet.write()
    found = examine(fleet, 0)
    assert found["spec"]["message"] == "shop: 4 resources, all valid"
    assert {"theta", "runai", "modelarts", "runai: Inference", "modelarts: Service", "ledger"} <= set(found)
    assert found["runai: release"]["state"] == "ok"
    assert found["theta: clock"]["state"] == "ok"
    assert fleet.served.writes() == []
    assert not (fleet.project.root / ".reconciler").exists()
    text = fleet.project.run("doctor").stdout
    assert "do: if none of these is ours: reconciler ledger trust theta/Deployment" in text


def test_what_is_wrong_with_one_provider_hides_no_other_and_shows_no_secret(fleet: Any) -> None:
    fleet.write()
    fleet.project.env["RUNAI_CLIENT_SECRET"] = "not-the-right-one"
    del fleet.project.env["MODELARTS_PASSWORD"]
    config = fleet.project.root / "reconciler.yaml"
    endpoint = fleet.served.connection["theta"]["endpoint"]
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace(f'endpoint: "{endpoint}"', 'endpoint: "https://evil.example.com"'), encoding="utf-8")

    found = examine(fleet, 1)

    assert found["theta"]["state"] == found["runai"]["state"] == found["modelarts"]["state"] == "failed"
    assert "evil.example.com" in found["theta"]["message"]
    assert found["theta"]["remedy"] == "reconciler explain host-not-allowed"
    assert "could not log in" in found["runai"]["message"]
    assert "MODELARTS_PASSWORD" in found["modelarts"]["message"]
    assert "not-the-right-one" not in json.dumps(found)


def test_another_release_than_the_configured_one_is_told(fleet: Any) -> None:
    fleet.served.post("switches", {"runai": {"version": "2.22"}})
    found = examine(fleet, 0)["runai: release"]
    assert (found["state"], found["message"]) == (
        "doubt",
        "reconciler.yaml says 2.24, and the server seems to be older than 2.24",
    )


def test_a_name_that_does_not_exist_an_open_write_and_a_bad_spec_are_told(fleet: Any) -> None:
    fleet.write("theta/Deployment/chat")
    hidden = {"provider": "theta", "method": "GET", "path": r"/deployments?/list$", "when": "before", "status": 500}
    path = fleet.create_path("theta/Deployment/chat")
    lost = {"provider": "theta", "method": "POST", "path": path, "when": "after-commit", "drop": True}
    fleet.served.post("faults", [{**hidden, "skip": 1, "count": None}, lost])
    done = fleet.apply(code=3)
    assert "1 unknown" in done.stdout
    fleet.served.post("faults", [])
    fleet.edit("theta/Deployment/chat", "vm_gt1", "vm_gt77")
    found = examine(fleet, 1)
    assert "there is no machine 'vm_gt77'" in found["theta: names"]["message"]
    assert found["ledger"]["remedy"] == "apply again: it first looks what became of them"

    fleet.edit("theta/Deployment/chat", "min_replicas: 1", "min_replicas: many")
    found = examine(fleet, 1)
    assert list(found) == ["spec"]
    assert "chat.yaml:" in found["spec"]["message"]
