"""`drift` and `--result` through the command line: exit codes, what is no drift, what is left for the next step.

What it says in which situation stands in `tests/golden/plans/*/drift.txt`.
"""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from reconciler.ledger import Run, RunStatus, open_ledger
from tests.conftest import ANN, CHAT, LLM, MNIST, Project

SCHEMAS: Final = {
    file.name: json.loads(file.read_text("utf-8"))
    for file in (Path(__file__).parents[1] / "schemas").glob("reconciler-*-1.json")
}
STORE: Final[Registry[Any]] = Registry().with_resources(
    (name, Resource.from_contents(schema)) for name, schema in SCHEMAS.items()
)


def assert_fits(document: Any, schema: str) -> None:
    found = [error.message for error in Draft202012Validator(SCHEMAS[schema], registry=STORE).iter_errors(document)]
    assert found == []


def drift_of(fleet: Any, *args: str, code: int) -> dict[str, Any]:
    """`drift -o json`, with the exit code that is expected."""
    done = fleet.project.run("drift", "-o", "json", *args)
    assert done.returncode == code, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert_fits(found, "reconciler-drift-1.json")
    return found


def states(drift: dict[str, Any]) -> dict[str, list[str]]:
    return {one["address"]: one["states"] for one in drift["resources"]}


def service_by_hand(fleet: Any, status: str) -> None:
    """A colleague stops or starts the service in the vendor's console."""
    given = fleet.served.connection["modelarts"]
    (live,) = fleet.ours()[MNIST]
    identity = {
        "methods": ["password"],
        "password": {
            "user": {"name": given["username"], "password": given["password"], "domain": {"name": given["domain"]}}
        },
    }
    scope = {"project": {"id": given["projectId"]}}
    with httpx.Client(trust_env=False) as client:
        token = client.post(
            f"{given['iamEndpoint']}/v3/auth/tokens", json={"auth": {"identity": identity, "scope": scope}}
        ).headers["X-Subject-Token"]
        reply = client.put(
            f"{given['endpoint']}/v1/{given['projectId']}/services/{live}",
            json={"status": status},
            headers={"X-Auth-Token": token},
        )
    assert reply.is_success, reply.text


def test_drift_is_found_told_and_gone_after_an_apply(fleet: Any) -> None:
    fleet.write()
    fleet.write(MNIST, lifecycle="{runState: running}")
    drift = drift_of(fleet, code=0)
    assert set(map(tuple, states(drift).values())) == {("pending",)}, "nothing was applied yet: that is no drift"
    fleet.apply()
    drift = drift_of(fleet, code=0)
    assert (drift["verdict"], states(drift), drift["summary"]["in-sync"]) == ("in-sync", {}, 4)
    assert drift["last_run"]["status"] == "done"

    service_by_hand(fleet, "stopped")
    (chat,) = (item for item in fleet.served.get("state")["theta"] if item["Suffix"] in fleet.ours()[CHAT])
    fleet.by_hand("DELETE", f"/deployment/{chat['Shard']}/{chat['Suffix']}")
    fleet.served.post("clock", {"advance_s": 600})
    fleet.edit(LLM, "llm:1", "llm:2")

    drift = drift_of(fleet, code=2)
    assert states(drift) == {MNIST: ["run-state"], CHAT: ["vanished"], LLM: ["pending"]}
    (service,) = (one for one in drift["resources"] if one["address"] == MNIST)
    assert service["run_state"] == {"live": "stopped", "wanted": "running"}
    assert service["last_applied"]["run"] == drift["last_run"]["id"]
    told = fleet.project.run("drift")
    assert told.returncode == 2
    assert all(word in told.stdout for word in ("VANISHED", CHAT, "RUN-STATE", MNIST, "an apply would: create"))

    assert states(drift_of(fleet, "--target", ANN, code=0)) == {}, "a selection tells of nothing outside it"
    part = drift_of(fleet, "--provider", "runai", code=0)
    assert (part["summary"]["pending"], part["coverage"]) == (1, None), "of the others nothing is known"
    fleet.apply()
    assert states(drift_of(fleet, code=0)) == {}


def test_states_that_are_merely_shown_fail_on_request(fleet: Any) -> None:
    fleet.write(MNIST)
    fleet.apply()
    service_by_hand(fleet, "stopped")
    fleet.served.post("clock", {"advance_s": 600})
    drift = drift_of(fleet, code=0)
    assert states(drift) == {MNIST: ["unhealthy"]}, "the spec does not say that it is to run"
    assert drift["summary"]["unmanaged"] > 0
    assert drift["coverage"]["live"] == sum(drift["coverage"][key] for key in ("ours", "other_owners", "unmanaged"))
    drift_of(fleet, "--fail-on", "unhealthy", code=2)
    drift_of(fleet, "--fail-on", "failed,pending", code=0)
    drift_of(fleet, "--fail-on", "pending", "--fail-on", "unmanaged", code=2)
    done = fleet.project.run("drift", "--fail-on", "unmangaed")
    assert done.returncode == 64
    assert "unmanaged, unhealthy, failed, expiring, pending" in done.stderr
    assert "did you mean 'unmanaged'?" in done.stderr


def test_what_could_not_be_read_is_an_error_and_never_vanished(fleet: Any) -> None:
    """Case C17, and a provider that is down."""
    fleet.write(*fleet.addresses)
    for name in ("b", "c", "d"):
        text = (fleet.project.root / fleet.file(CHAT)).read_text(encoding="utf-8")
        fleet.project.write(f"resources/chat-{name}.yaml", text.replace("name: chat", f"name: chat-{name}"))
    fleet.apply()
    service_by_hand(fleet, "stopped")
    empty = {"provider": "theta", "method": "GET", "path": "/deployments/list$", "when": "before", "status": 200}
    body = {"status": "success", "body": []}
    fleet.served.post("faults", [{**empty, "count": None, "body": body}])
    drift = drift_of(fleet, code=1)
    assert drift["verdict"] == "incomplete"
    assert drift["summary"]["vanished"] == 0
    assert drift["summary"]["unknown"] == 4
    assert [problem["code"] for problem in drift["problems"]] == ["suspicious-list"]
    assert states(drift)[MNIST] == ["unhealthy"], "the others are told as usual"
    believed = drift_of(fleet, "--accept-empty", code=2)
    assert believed["summary"]["vanished"] == 4

    fleet.served.post("faults", [{**empty, "count": None, "status": 503}])
    drift = drift_of(fleet, code=1)
    assert (drift["summary"]["vanished"], drift["summary"]["unknown"], drift["partial"]) == (0, 4, True)
    told = fleet.project.run("drift").stdout
    assert "Incomplete" in told
    assert "No drift" not in told


def test_result_file_says_how_each_command_ended(project: Project) -> None:
    project.write(
        "reconciler.yaml",
        """\
        apiVersion: reconciler/v1
        kind: Project
        metadata: {name: shop}
        spec:
          providers: {theta: {type: theta, endpoint: emulator}}
        """,
    )
    spec = """\
        apiVersion: theta/v1
        kind: Deployment
        metadata: {name: chat}
        spec: {template: Text Embeddings, vm_id: vm_gt1, min_replicas: 1}
        """
    project.write("resources/chat.yaml", spec)
    file = project.root / "r.json"

    def result(*args: str) -> dict[str, Any]:
        done = project.run(*args, "--result", str(file))
        found: dict[str, Any] = json.loads(file.read_bytes())
        assert_fits(found, "reconciler-result-1.json")
        assert (found["finished"], found["exit_code"]) == (True, done.returncode)
        return found

    plan = result("plan", "--detailed-exitcode")
    assert (plan["exit_code"], plan["owner"], plan["plan"]["summary"]["create"]) == (2, "shop", 1)
    applied = result("apply", "--yes")
    assert (applied["exit_code"], applied["report"]["complete"], bool(applied["plan"])) == (0, True, True)
    assert result("drift")["drift"]["verdict"] == "in-sync"
    assert result("validate")["problems"] == []

    project.write("resources/chat.yaml", spec.replace("vm_gt1", "vm_ga1"))
    refused = result("apply", "--yes", "--expect", "0" * 64)
    assert (refused["exit_code"], refused["report"]) == (4, None)
    assert [problem["code"] for problem in refused["problems"]] == ["unexpected-change"]
    assert refused["plan"]["summary"]["replace"] == 1, "what would have been done is kept, too"

    project.write("resources/chat.yaml", spec.replace("min_replicas", "min_replcas"))
    bad = result("plan")
    assert (bad["exit_code"], bad["plan"], bad["owner"]) == (1, None, None)
    (problem,) = bad["problems"]
    assert (problem["file"], problem["line"], problem["code"]) == ("resources/chat.yaml", 4, "unknown-field")
    assert "min_replicas" in bad["message"]
    assert result("validate")["problems"] == bad["problems"]

    done = project.run("plan", "--result", str(project.root / "no/such/folder/r.json"))
    assert (done.returncode, "could not be saved" in done.stderr) == (1, True)


def test_result_file_of_a_command_that_was_killed_says_that_it_did_not_finish(fleet: Any) -> None:
    """Case C53: nobody may take it for good news."""
    fleet.write(CHAT)
    file = fleet.project.root / "r.json"
    file.write_text('{"exit_code": 0, "finished": true}', encoding="utf-8")
    fleet.served.post("faults", [{"provider": "theta", "method": "GET", "path": ".", "when": "before", "delay_s": 60}])
    running = fleet.project.start("plan", "--result", str(file))
    try:
        deadline = time.monotonic() + 30
        while json.loads(file.read_bytes() or b"{}").get("owner") != "shop":
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        running.send_signal(signal.SIGKILL)
        running.communicate()
    found = json.loads(file.read_bytes())
    assert_fits(found, "reconciler-result-1.json")
    assert (found["finished"], found["exit_code"], found["plan"]) == (False, None, None)


def test_while_an_apply_is_under_way_nothing_is_called_drift(fleet: Any) -> None:
    """What it stops and makes anew would look like somebody's doing."""
    fleet.write(LLM)
    fleet.apply()
    ledger = open_ledger({"type": "sqlite"}, fleet.project.root)
    with ledger.take_lease("shop", "ann") as lease:
        lease.begin_run(Run(id="run-2", owner="shop", started=time.time(), host="runner-1"))
        done = fleet.project.run("drift")
        assert (done.returncode, "apply-under-way" in done.stderr, "on runner-1" in done.stderr) == (4, True, True)
        waiting = fleet.project.start("drift", "--lease-wait", "60s")
        assert "waiting for its end" in waiting.stderr.readline()
        lease.end_run("run-2", RunStatus.DONE, time.time())
    told, _said = waiting.communicate(timeout=60)
    assert (waiting.returncode, "No drift" in told) == (0, True)
    with ledger.take_lease("shop", "ann") as lease:
        lease.begin_run(Run(id="run-3", owner="shop", started=time.time() - 7 * 3600))
    assert drift_of(fleet, code=0)["last_run"]["status"] == "running", "one that began long ago has died"


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_secret_that_changed_is_pending_and_shown_nowhere(fleet: Any, form: str) -> None:
    fleet.project.env["APP_TOKEN"] = "hf_CANARYVALUE"
    fleet.write(LLM)
    variable = "environmentVariables: [{name: T, value: '{{ secret(\"APP_TOKEN\") }}'}]"
    fleet.edit(LLM, "  image:", f"  {variable}\n  image:")
    fleet.apply()
    fleet.project.env["APP_TOKEN"] = "hf_OTHERVALUE"
    file = fleet.project.root / "r.json"
    done = fleet.project.run("drift", "-o", form, "--result", str(file))
    told = done.stdout + done.stderr + file.read_text("utf-8")
    assert states(json.loads(file.read_bytes())["drift"]) == {LLM: ["pending"]}
    assert "CANARY" not in told
    assert "OTHERVALUE" not in told
