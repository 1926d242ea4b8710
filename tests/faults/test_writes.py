"""Writes that are refused, doubtful, slow or not kept (cases C31, C40 to C45)."""

from __future__ import annotations

from typing import Any

import pytest

CHAT, LLM = "theta/Deployment/chat", "runai/Inference/llm"
MNIST, ANN = "modelarts/Service/mnist", "modelarts/Notebook/ann"
ONE_EACH = {CHAT: 1, LLM: 1, MNIST: 1, ANN: 1}
IMPATIENT = "{wait: {timeout: 3s}}"


# -- credentials ----------------------------------------------------------------------------------------------------


def test_a_token_that_ends_in_the_middle_is_renewed_and_nothing_is_made_twice(fleet: Any) -> None:
    """By the emulator's clock tokens end at once; by ours they should have lasted a minute."""
    fleet.served.post("switches", {"runai": {"tokenLifetime": 60}})
    fleet.served.post("switches", {"modelarts": {"token_ttl_s": 60}})
    fleet.write()

    fleet.apply()

    assert fleet.counts() == ONE_EACH
    log = fleet.served.get("requests")
    assert any(entry["status"] == 401 for entry in log), "no token has ended"
    accepted = [e for e in log if e["method"] == "POST" and e["committed"] and "token" not in e["path"]]
    assert len(accepted) == 4
    fleet.assert_settled()


def test_a_second_401_fails_the_step_for_its_credentials_and_is_no_storm(fleet: Any) -> None:
    fleet.write()
    fleet.fault(when="before", status=401, count=None)

    done = fleet.apply(code=3)

    assert fleet.creates() == {CHAT: 1, LLM: 2, MNIST: 2, ANN: 2}  # an API key can't be renewed
    assert "4 failed" in done.stdout
    assert "401" in done.stdout


# -- rate limits ----------------------------------------------------------------------------------------------------


def test_429_is_waited_out_on_every_route_and_nothing_is_made_twice(fleet: Any) -> None:
    fleet.write()
    limits = [
        {"method": "POST", "path": "token", "status": 429, "headers": {"Retry-After": "1"}, "count": 2},
        {"method": "GET", "path": ".*", "status": 429, "headers": {"Retry-After": "1"}, "skip": 4, "count": 6},
        {"method": "POST", "path": ".*", "status": 429, "headers": {"Retry-After": "1"}, "count": 3},
        {"method": "POST", "path": ".*", "status": 429, "count": 1},
        {
            "method": "POST",
            "path": ".*",
            "status": 429,
            "count": 1,
            "headers": {"Retry-After": "Sat, 01 Jan 2022 00:00:00 GMT"},
        },
    ]
    fleet.served.post("faults", limits)

    fleet.apply()

    assert fleet.counts() == ONE_EACH
    assert sum(entry["status"] == 429 for entry in fleet.served.get("requests")) == 13
    fleet.assert_settled()


def test_a_pause_that_is_longer_than_the_run_may_take_fails_early_and_says_so(fleet: Any) -> None:
    fleet.write(LLM)
    fleet.fault(LLM, status=429, headers={"Retry-After": "400"}, count=None)

    done = fleet.apply("--timeout", "30s", code=3)

    assert "400 s" in done.stdout
    assert fleet.creates()[LLM] == 1


# -- deletes --------------------------------------------------------------------------------------------------------


@pytest.fixture
def applied(fleet: Any) -> Any:
    """All four are live, and their files are gone."""
    fleet.write()
    fleet.apply()
    for address in ONE_EACH:
        fleet.remove(address)
    return fleet


def test_a_delete_whose_reply_is_lost_is_settled_by_the_list(applied: Any) -> None:
    applied.fault(method="DELETE", path=".*", when="after-commit", status=500)

    applied.apply("--allow-empty-spec")

    assert applied.counts() == dict.fromkeys(ONE_EACH, 0)
    assert all(len(applied.writes_of(address, "DELETE")) == 1 for address in ONE_EACH)
    applied.assert_settled()


def test_a_404_is_no_proof_while_the_list_still_shows_it_and_the_rest_goes_on(applied: Any) -> None:
    applied.fault(CHAT, method="DELETE", path=".*", when="before", status=404, count=None)

    done = applied.apply("--allow-empty-spec", code=3)

    assert applied.counts() == {**dict.fromkeys(ONE_EACH, 0), CHAT: 1}
    assert "still there" in done.stdout
    assert "3 done, 1 failed" in done.stdout
    change = applied.changes("--allow-empty-spec")[CHAT]
    assert change["action"] == "delete"


def test_a_refused_delete_fails_alone_with_the_servers_words(applied: Any) -> None:
    applied.fault(
        LLM, method="DELETE", path=".*", when="before", status=403, body={"code": 403, "message": "not yours"}
    )

    done = applied.apply("--allow-empty-spec", code=3)

    assert applied.counts() == {**dict.fromkeys(ONE_EACH, 0), LLM: 1}
    assert "not yours" in done.stdout
    assert "3 done, 1 failed" in done.stdout


def test_a_delete_that_a_colleague_did_first_is_done(applied: Any) -> None:
    """It is gone between our plan and our delete."""
    applied.fault(LLM, method="DELETE", path=".*", when="after-commit", status=404)

    done = applied.apply("--allow-empty-spec")

    assert "gone already" in done.stdout
    applied.assert_settled()


def test_a_delete_that_never_happens_is_not_called_done(applied: Any) -> None:
    applied.fault(MNIST, method="DELETE", path=".*", when="before", drop=True, count=None)

    done = applied.apply("--allow-empty-spec", code=3)

    assert "3 done, 1 failed" in done.stdout
    assert len(applied.writes_of(MNIST, "DELETE")) == 1
    applied.served.post("faults", [])
    applied.apply("--allow-empty-spec")
    applied.assert_settled()


# -- replaces -------------------------------------------------------------------------------------------------------


def test_a_replaced_thing_gets_its_name_back_only_when_the_old_one_is_gone(fleet: Any) -> None:
    fleet.write(LLM)
    fleet.apply()
    (old,) = fleet.ours()[LLM]
    fleet.edit(LLM, "container: 8080", "container: 9090")

    fleet.apply()

    log = [entry for entry in fleet.served.get("requests") if entry["provider"] == "runai"]
    deleted = next(entry["number"] for entry in log if entry["method"] == "DELETE")
    made = max(entry["number"] for entry in log if entry["method"] == "POST" and entry["committed"] and old)
    between = [e for e in log if deleted < e["number"] < made and old in e["path"] and e["method"] == "GET"]
    assert between[-1]["status"] == 404
    assert [entry["status"] for entry in fleet.writes_of(LLM, "POST")] == [202, 202]
    (new,) = fleet.ours()[LLM]
    assert new != old
    fleet.assert_settled()


def test_a_failed_create_never_lets_the_delete_of_a_create_first_replace_go_on(fleet: Any) -> None:
    fleet.write(CHAT)
    fleet.apply()
    old = fleet.ours()[CHAT]
    fleet.edit(CHAT, "vm_gt1", "vm_gt2")
    fleet.fault(CHAT, when="before", status=400, body={"status": "error", "message": "no machine left"})

    done = fleet.apply(code=3)

    assert fleet.ours()[CHAT] == old
    assert fleet.writes_of(CHAT, "DELETE") == []
    assert "no machine left" in done.stdout
    assert "1 failed, 1 skipped" in done.stdout


def test_create_first_under_a_unique_name_is_refused_with_the_way_out(fleet: Any) -> None:
    fleet.write(LLM, lifecycle="{replace: create-first}")
    fleet.apply()
    fleet.edit(LLM, "container: 8080", "container: 9090")

    done = fleet.apply(code=4)

    assert "delete-first" in done.stdout
    assert len(fleet.writes_of(LLM)) == 1


# -- updates --------------------------------------------------------------------------------------------------------


def test_a_server_that_keeps_the_old_value_fails_the_step_and_last_applied_stays(fleet: Any) -> None:
    fleet.write(LLM)
    fleet.apply()
    fleet.edit(LLM, "llm:1", "llm:2")
    fleet.fault(LLM, method="PATCH", path=".*", when="before", status=202, body={})

    done = fleet.apply(code=3)

    assert "kept the old value of image" in done.stdout
    (field,) = fleet.changes()[LLM]["fields"]
    assert (field["before"], field["after"], field["class"]) == (
        "registry.example.com/llm:1",
        "registry.example.com/llm:2",
        "pending",
    )
    fleet.apply()
    fleet.assert_settled()


def test_an_update_whose_reply_is_lost_is_read_back_and_sent_once(fleet: Any) -> None:
    fleet.write(LLM, MNIST, ANN)
    fleet.apply()
    fleet.edit(LLM, "llm:1", "llm:2")
    fleet.edit(MNIST, "instance_count: 1", "instance_count: 2")
    fleet.edit(ANN, "description: work", "description: more work")
    for_all = {"path": ".*", "when": "after-commit", "drop": True}
    fleet.served.post("faults", [{"method": "PATCH", **for_all}, {"method": "PUT", **for_all, "count": 2}])

    fleet.apply()

    assert (
        len(fleet.writes_of(LLM, "PATCH"))
        == len(fleet.writes_of(MNIST, "PUT"))
        == len(fleet.writes_of(ANN, "PUT"))
        == 1
    )
    fleet.assert_settled()


def test_an_update_that_never_lands_is_unknown_and_the_next_run_sends_it_again(fleet: Any) -> None:
    fleet.write(MNIST)
    fleet.apply()
    fleet.edit(MNIST, "instance_count: 1", "instance_count: 2")
    fleet.fault(MNIST, method="PUT", path=".*", when="before", drop=True)

    done = fleet.apply(code=3)

    assert "1 unknown" in done.stdout
    fleet.apply()
    assert len(fleet.writes_of(MNIST, "PUT")) == 2
    fleet.assert_settled()


# -- waiting --------------------------------------------------------------------------------------------------------


def test_what_failed_ends_at_once_with_its_reason_and_only_what_needs_it_is_skipped(fleet: Any) -> None:
    fleet.served.post("switches", {"modelarts-services": {"deploy_outcome": {"mnist": "failed"}}})
    fleet.served.post("switches", {"runai": {"outcomes": {"llm": "Pending"}}})
    fleet.write(LLM, lifecycle=IMPATIENT)
    fleet.write(CHAT, MNIST, ANN)
    fleet.edit(CHAT, "{name: chat}", "{name: chat, dependsOn: [modelarts/Service/mnist]}")

    done = fleet.apply(code=3)

    assert fleet.counts() == {CHAT: 0, LLM: 1, MNIST: 1, ANN: 1}
    failed = done.stdout[done.stdout.index("FAILED  create modelarts/Service/mnist") :]
    assert "exists; it failed: " in failed
    assert "not so within 3 s; last seen: Pending" in done.stdout
    assert "it needs modelarts/Service/mnist, which is failed; nothing was sent" in done.stdout
    assert "1 done, 2 failed, 1 skipped" in done.stdout
    change = fleet.changes()
    assert MNIST not in change, "a failure to start is no reason to replace"


def test_a_wait_ends_when_a_start_fails_also_where_it_had_failed_before(fleet: Any) -> None:
    fleet.write(ANN, lifecycle="{runState: stopped}")
    fleet.apply()
    fleet.served.post("switches", {"modelarts-notebooks": {"start_outcome": "failed"}})
    fleet.edit(ANN, "runState: stopped", "runState: running")
    for before in ("STOPPED", "START_FAILED"):
        (live,) = (item for item in fleet.served.get("state")["modelarts-notebooks"] if item["name"] == "ann")
        assert live["status"] == before
        done = fleet.apply(code=3)
        assert "it failed: ModelArts.6360" in done.stdout
        assert "not so within" not in done.stdout
    actions = [post["body"] for post in fleet.writes_of(ANN, "POST")[1:]]
    assert actions == [{"action": "stop"}, {"action": "start"}, {"action": "start"}]


def test_what_an_auto_stop_hides_is_asked_for_once_when_the_wish_changes(fleet: Any) -> None:
    fleet.write(ANN, lifecycle="{runState: stopped}")
    fleet.edit(ANN, "spec: {storage:", "spec: {auto_stop: {enable: true, duration: 3600}, storage:")
    fleet.apply()
    fleet.assert_settled()

    fleet.edit(ANN, "runState: stopped", "runState: running")
    assert fleet.changes()[ANN]["run_state"] == "running"
    fleet.apply()
    fleet.served.post("clock", {"advance_s": 4000})

    (live,) = (item for item in fleet.served.get("state")["modelarts-notebooks"] if item["name"] == "ann")
    assert live["status"] == "STOPPED", "stopped by itself"
    fleet.assert_settled()
