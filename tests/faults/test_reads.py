"""Lists that fail, lie or lag (cases C17, C20, C38)."""

from __future__ import annotations

import json
import signal
import time
from typing import Any

import pytest

CHAT, LLM = "theta/Deployment/chat", "runai/Inference/llm"
MNIST, ANN = "modelarts/Service/mnist", "modelarts/Notebook/ann"
LIST = r"/deployments?/list$"


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        pytest.param({"status": 500}, "500", id="500"),
        pytest.param({"status": 502, "body": "<html>Bad Gateway</html>"}, "Bad Gateway", id="502 with HTML"),
        pytest.param({"status": 200, "body": "<html>log in</html>"}, "text/html", id="a log-in page"),
        pytest.param(
            {"status": 200, "body": {"status": "error", "message": "internal"}}, "internal", id="200 but error"
        ),
        pytest.param({"status": 204, "body": ""}, "204", id="204"),
        pytest.param({"when": "mid-body"}, "theta", id="cut body"),
        pytest.param({"drop": True}, "theta", id="no answer"),
    ],
)
def test_a_list_that_fails_makes_its_own_resources_unknown_and_no_others(
    fleet: Any, fault: dict[str, Any], told: str
) -> None:
    fleet.write(CHAT, LLM)
    fleet.fault(CHAT, method="GET", path=LIST, count=None, **fault)

    done = fleet.project.run("plan", "-o", "json")

    assert done.returncode == 1, done.stderr
    plan = json.loads(done.stdout)
    assert {change["address"]: change["action"] for change in plan["changes"]} == {CHAT: "unknown", LLM: "create"}
    (problem,) = plan["problems"]
    assert told in json.dumps(problem)
    assert "Traceback" not in done.stderr
    assert plan["partial"] is True


def test_nothing_is_sent_while_a_provider_is_down_and_partial_applies_the_rest(fleet: Any) -> None:
    fleet.write()
    fleet.fault(CHAT, method="GET", path=".*", count=None, status=500)

    fleet.apply(code=1)
    assert fleet.served.writes() == []
    done = fleet.apply("--partial", code=3)

    assert fleet.counts() == {CHAT: 0, LLM: 1, MNIST: 1, ANN: 1}
    assert CHAT in done.stdout
    fleet.served.post("faults", [])
    fleet.apply()
    fleet.assert_settled()


def test_a_dead_address_is_a_failed_list_and_no_traceback(fleet: Any) -> None:
    fleet.write(CHAT, LLM)
    text = (fleet.project.root / "reconciler.yaml").read_text(encoding="utf-8")
    fleet.project.write("reconciler.yaml", text.replace(f"{fleet.served.url}/theta", "http://127.0.0.1:9/theta"))

    done = fleet.project.run("plan", "-o", "json")

    assert done.returncode == 1
    changes = {change["address"]: change["action"] for change in json.loads(done.stdout)["changes"]}
    assert changes == {CHAT: "unknown", LLM: "create"}
    assert "Traceback" not in done.stderr


def test_a_suddenly_empty_list_creates_and_deletes_nothing(fleet: Any) -> None:
    fleet.write(CHAT, LLM)
    fleet.apply()
    fleet.fault(CHAT, method="GET", path=LIST, count=None, status=200, body={"status": "success", "body": []})
    fleet.edit(LLM, "llm:1", "llm:2")

    done = fleet.project.run("plan", "-o", "json")

    assert done.returncode == 4, done.stderr
    plan = json.loads(done.stdout)
    actions = {change["address"]: (change["action"], change["reason"]) for change in plan["changes"]}
    assert actions == {CHAT: ("blocked", "suspicious-list"), LLM: ("update", "fields-differ")}
    assert "--accept-empty" in done.stdout
    fleet.remove(CHAT)
    fleet.apply(code=4)
    assert len(fleet.served.writes()) == 2
    assert fleet.counts()[CHAT] == 1


def test_an_empty_list_in_a_first_run_is_simply_empty(fleet: Any) -> None:
    fleet.write(CHAT)
    fleet.fault(CHAT, method="GET", path=LIST, count=2, status=200, body={"status": "success", "body": []})

    assert fleet.changes()[CHAT]["action"] == "create"


def test_a_list_that_lags_gets_no_second_create_and_no_second_delete(fleet: Any) -> None:
    fleet.served.post("switches", {"theta": {"list_lag_ms": 900_000}, "runai": {"listLag": 900}})  # 1.5 s of ours
    fleet.write(CHAT, LLM)

    fleet.apply()

    assert (fleet.creates()[CHAT], fleet.creates()[LLM]) == (1, 1)
    fleet.edit(LLM, "llm:1", "llm:2")
    fleet.remove(CHAT)
    fleet.apply()

    assert [entry["method"] for entry in fleet.writes_of(CHAT)] == ["POST", "DELETE"]
    assert [entry["method"] for entry in fleet.writes_of(LLM)] == ["POST", "PATCH"]
    fleet.wait_for(lambda: fleet.counts()[CHAT] == 0)
    fleet.assert_settled()


def test_one_list_that_misses_an_item_makes_no_apply_create_or_forget_it(fleet: Any) -> None:
    """A list flaps once (SETTLEMENT R6): neither a twin nor a machine that the ledger has forgotten."""
    fleet.write(CHAT)
    fleet.project.write(
        "resources/other.yaml",
        (fleet.project.root / fleet.file(CHAT)).read_text(encoding="utf-8").replace("name: chat", "name: other"),
    )
    fleet.apply()
    whole = fleet.served.get("state")["theta"]
    seen = [item for item in whole if item["Suffix"] != fleet.ours()[CHAT][0]]
    short = {"status": "success", "body": seen}
    for _ in range(2):
        fleet.fault(CHAT, method="GET", path=LIST, count=1, status=200, body=short)

        fleet.apply("--max-deletes", "5")

        assert fleet.creates()[CHAT] == 2
        (fleet.project.root / fleet.file(CHAT)).write_text("")
        fleet.write(CHAT)
    fleet.assert_settled()


def test_what_was_just_made_and_is_not_listed_yet_is_told_so(fleet: Any) -> None:
    fleet.served.post("switches", {"theta": {"list_lag_ms": 36_000_000}})  # a minute of ours
    fleet.write(CHAT)
    process = fleet.project.start("apply", "--yes")
    fleet.wait_for(lambda: fleet.creates()[CHAT] == 1)
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 3
    time.sleep(10.5)  # longer than the settle window of a create that nobody answered

    change = fleet.changes()[CHAT]

    assert change["action"] == "unknown"
    assert "not listed yet" in change["message"]
    assert fleet.creates()[CHAT] == 1
