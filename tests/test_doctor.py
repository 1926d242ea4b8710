"""`doctor` finds what would keep an apply from working, says what to do, and writes nothing."""

from __future__ import annotations

import json
import platform
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reconciler.cli.doctor_access import hosts
from reconciler.problems import Origin
from reconciler.providers.registry import provider_types
from reconciler.spec.resource import ProviderConfig

SCHEMA = json.loads((Path(__file__).parents[1] / "schemas/reconciler-doctor-1.json").read_text(encoding="utf-8"))


RIGHTS = {
    "theta: Deployment": "the project's API key, which may do all in its project (create, delete)",
    "runai: Inference": "on inferences (create, update, delete)",
    "modelarts: Service": "modelarts:service:action (start, stop), modelarts:service:delete (delete)",
    "modelarts: Notebook": "modelarts:notebook:create with rights on its OBS bucket and objects (create)",
}


GO = "ok: credentials go to"


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
    first = next(iter(found.values()))
    assert (first["topic"], first["state"]) == ("system", "ok")
    assert f"Python {platform.python_version()}, {platform.system()}" in first["message"]
    assert re.fullmatch(
        r"credentials go to (127\.0\.0\.1:\d+ \(this machine\)(, )?)+", found["theta: hosts"]["message"]
    )
    for kind, right in RIGHTS.items():
        told = found[f"{kind} rights"]
        assert told["state"] == "ok"
        assert told["message"].startswith("reads were done; writes need ")
        assert right in told["message"]
    assert found["ledger: writes"] == {
        "topic": "ledger: writes",
        "state": "ok",
        "message": "the folder can be written, on no network file system that we know of",
        "remedy": None,
    }
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
    assert found["theta: hosts"]["state"] == "failed"
    assert found["theta: hosts"]["remedy"].startswith("RECONCILER_ALLOW_HOSTS=evil.example.com ")
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
    assert list(found) == ["system", "spec"]
    assert "chat.yaml:" in found["spec"]["message"]


@pytest.mark.parametrize(
    ("kind", "settings", "told"),
    [
        (
            "theta",
            {"endpoint": "https://controller.thetaedgecloud.com", "apiEndpoint": "https://a.example.com:8443/x"},
            [f"{GO} controller.thetaedgecloud.com (the vendor's own), a.example.com:8443 (in RECONCILER_ALLOW_HOSTS)"],
        ),
        (
            "runai",
            {"endpoint": "http://run.example.com"},
            ["failed: credentials would go to run.example.com unencrypted"],
        ),
        (
            "modelarts",
            {"endpoint": "https://modelarts.eu.example.com", "username": "bot"},
            [
                f"{GO} modelarts.eu.example.com (in RECONCILER_ALLOW_HOSTS)",
                "failed: credentials would go to iam.eu.example.com, which nobody outside the repository has allowed",
            ],
        ),
        (
            "modelarts",
            {"endpoint": "https://modelarts.eu.example.com", "accessKey": "AK"},
            [f"{GO} modelarts.eu.example.com (in RECONCILER_ALLOW_HOSTS)"],
        ),
        (
            "runai",
            {"endpoint": "emulator"},
            ["ok: the emulator inside this command: no credential leaves this process"],
        ),
    ],
)
def test_each_host_that_gets_credentials_is_named_with_the_reason(
    kind: str, settings: dict[str, str], told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECONCILER_ALLOW_HOSTS", "a.example.com:8443, modelarts.eu.example.com")
    config = ProviderConfig(name=kind, type=kind, settings=settings, origin=Origin("reconciler.yaml", 1, 1))
    assert [f"{found.state}: {found.message}" for found in hosts(config)] == told


def test_every_kind_says_what_its_writes_need() -> None:
    for found in provider_types().values():
        for kind in found.kinds:
            ops = [op for row in found.rights() if row.kind == kind.name for op in row.ops]
            assert {"create", "delete"} <= set(ops), kind.label
            assert len(ops) == len(set(ops)), kind.label
        assert {row.kind for row in found.rights()} == {kind.name for kind in found.kinds}
        assert all(row.source.startswith(found.name) for row in found.rights())


def test_a_ledger_that_can_not_be_written_is_told_before_an_apply(fleet: Any) -> None:
    (fleet.project.root / ".reconciler").write_text("no folder", encoding="utf-8")
    found = examine(fleet, 1)["ledger: writes"]
    assert found["state"] == "failed"
    assert ".reconciler is a file, where a folder is expected" in found["message"]
