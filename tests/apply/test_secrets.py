"""No secret in any byte that a whole cycle writes (cases C26, C47, C48)."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

import pytest

CHAT, LLM = "theta/Deployment/chat", "runai/Inference/llm"
CANARY, ROTATED = "hf_Canary+/0123456789", "hf_Rotated+/0123456789"


@pytest.fixture
def secretive(fleet: Any) -> Any:
    """A deployment and an inference that are given a secret; the server echoes no value back by itself."""
    fleet.project.env["APP_TOKEN"] = CANARY
    fleet.write(CHAT, LLM)
    given = """'{{ secret("APP_TOKEN") }}'"""
    wanted = f"auth_username: u, auth_password: {given}, env_vars: {{T: {given}}}"
    fleet.edit(CHAT, "min_replicas: 1}", f"min_replicas: 1, {wanted}}}")
    fleet.edit(LLM, "spec:", f"spec:\n  environmentVariables: [{{name: T, value: {given}}}]")
    return fleet


def forms(value: str) -> set[bytes]:
    """The encodings in which a value may leak."""
    raw = value.encode()
    return {raw, base64.b64encode(raw), quote(value, safe="").encode(), raw.hex().encode()}


def assert_silent(fleet: Any, *told: str) -> None:
    """None of the credentials and secrets is in what was printed, nor in any file of the project."""
    texts = [text.encode() for text in told]
    texts += [path.read_bytes() for path in fleet.project.root.rglob("*") if path.is_file()]
    for name in (
        "THETA_API_KEY",
        "RUNAI_CLIENT_SECRET",
        "MODELARTS_PASSWORD",
        "APP_TOKEN",
        "RECONCILER_FINGERPRINT_KEY",
    ):
        for form in forms(fleet.project.env[name]):
            assert not any(form in text for text in texts), name


def test_a_whole_cycle_with_servers_that_echo_the_values_leaks_nothing(secretive: Any) -> None:
    fleet, told = secretive, []
    plan = str(fleet.project.root / "p.json")
    secrets = " ".join(fleet.project.env.values())
    for address in (CHAT, LLM):  # each refuses once, and tells everything it was told
        body = {"status": "error", "code": 400, "message": f"bad request: {secrets}"}
        fleet.fault(address, when="before", status=400, body=body)
        done = fleet.project.run("apply", "--yes", "-vv", "--target", address)
        assert done.returncode == 3, done.stderr
        told += [done.stdout, done.stderr]
    fleet.fault(CHAT, method="GET", path=".*", status=500, count=4, body=f"<p>{secrets}</p>")
    for command in (
        ("plan", "-vv"),
        ("plan", "--out", plan, "-o", "json", "-vv"),
        ("plan", "-o", "markdown"),
        ("plan", "-o", "html"),
        ("compile",),
        ("apply", plan, "--yes", "-o", "json", "-vv"),
        ("show", plan),
        ("show", plan, "-o", "html"),
        ("drift", "-o", "html"),
        ("undo", "last", "--plan", "-o", "html", "-vv"),
        ("list", "-o", "json"),
        ("outputs",),
        ("ledger", "show", "-o", "json"),
        ("ledger", "history", "-o", "json"),
        ("doctor", "-o", "json", "-vv"),
    ):
        done = fleet.project.run(*command)
        told += [done.stdout, done.stderr]
    assert fleet.counts()[CHAT] == fleet.counts()[LLM] == 1
    (post, *_), (llm, *_) = fleet.writes_of(CHAT)[-1:], fleet.writes_of(LLM)[-1:]
    assert post["body"]["auth_password"] == CANARY
    assert llm["body"]["spec"]["environmentVariables"][0]["value"] == CANARY
    assert "POST /deployment 200" in "".join(told)
    assert_silent(fleet, *told)


def test_a_rotated_secret_is_one_replace_shown_as_secret_and_nothing_else(secretive: Any) -> None:
    fleet = secretive
    fleet.apply()
    fleet.assert_settled()
    fleet.project.env["APP_TOKEN"] = ROTATED

    done = fleet.project.run("plan")

    changes = fleet.changes()
    assert {address: change["action"] for address, change in changes.items()} == {CHAT: "replace", LLM: "update"}
    for change in changes.values():
        assert all(field["sensitive"] and field["before"] is field["after"] is None for field in change["fields"])
    assert "(secret)" in done.stdout
    assert_silent(fleet, done.stdout, done.stderr)
    fleet.apply()
    fleet.assert_settled()
    assert fleet.writes_of(LLM, "PATCH")[0]["body"]["spec"]["environmentVariables"][0]["value"] == ROTATED


def test_without_a_key_it_cannot_tell_says_so_once_and_the_revision_is_the_lever(secretive: Any) -> None:
    fleet = secretive
    key = fleet.project.env.pop("RECONCILER_FINGERPRINT_KEY")
    fleet.apply()
    fleet.project.env["APP_TOKEN"] = ROTATED

    done = fleet.project.run("plan", "--detailed-exitcode")
    assert done.returncode == 0, done.stdout
    assert (done.stdout + done.stderr).count("can't tell") == 1
    for address in (CHAT, LLM):
        fleet.edit(address, "spec:", "lifecycle: {secretsRevision: 1}\nspec:")
    assert {change["action"] for change in fleet.changes().values()} == {"replace", "update"}
    fleet.apply()
    fleet.project.env["RECONCILER_FINGERPRINT_KEY"] = key
    fleet.assert_settled()


def test_a_missing_secret_plans_but_is_told_before_the_first_write(secretive: Any) -> None:
    fleet = secretive
    del fleet.project.env["APP_TOKEN"]

    assert fleet.project.run("plan").returncode == 0
    done = fleet.apply(code=1)

    assert "APP_TOKEN" in done.stderr
    assert fleet.served.writes() == []
