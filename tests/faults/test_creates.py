"""A create whose reply gets lost, in every way and for every kind at once: exactly one of each (case C37)."""

from __future__ import annotations

from typing import Any

import pytest

ONE_EACH = {
    "theta/Deployment/chat": 1,
    "runai/Inference/llm": 1,
    "modelarts/Service/mnist": 1,
    "modelarts/Notebook/ann": 1,
}


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"when": "after-commit", "drop": True}, id="the connection drops"),
        pytest.param({"when": "after-commit", "delay_s": 4}, id="the answer comes after our limit"),
    ],
)
def test_a_create_whose_reply_is_lost_is_sent_once_and_ends_created(fleet: Any, fault: dict[str, Any]) -> None:
    fleet.write()
    fleet.fault(**fault)

    fleet.apply()

    assert fleet.creates() == ONE_EACH
    assert fleet.counts() == ONE_EACH
    fleet.assert_settled()


def test_a_create_whose_reply_is_broken_is_sent_once_and_ends_created(fleet: Any) -> None:
    broken: tuple[dict[str, Any], ...] = (
        {"when": "after-commit", "status": 503},
        {"when": "mid-body"},
        {"when": "after-commit", "status": 200, "body": "<html>log in</html>"},
        {"when": "after-commit", "status": 408, "body": ""},
    )
    fleet.write()
    fleet.served.post(
        "faults",
        [
            {"provider": fleet.module(address), "method": "POST", "path": fleet.create_path(address), **fault}
            for address, fault in zip(ONE_EACH, broken, strict=True)
        ],
    )

    fleet.apply()

    assert fleet.creates() == ONE_EACH
    assert fleet.counts() == ONE_EACH
    fleet.assert_settled()


def test_a_create_that_never_commits_is_unknown_and_the_next_run_makes_exactly_one(fleet: Any) -> None:
    fleet.write()
    fleet.fault(when="before", status=503)

    done = fleet.apply(code=3)

    assert "unknown" in done.stdout
    assert fleet.creates() == ONE_EACH
    assert set(fleet.counts().values()) == {0}
    again = fleet.apply()
    assert "had not been done" in again.stderr
    assert fleet.creates() == dict.fromkeys(ONE_EACH, 2)
    assert fleet.counts() == ONE_EACH
    fleet.assert_settled()


def test_a_create_that_commits_late_is_found_by_the_run_that_sent_it(fleet: Any) -> None:
    """The request is read, our limit passes, and only then it is carried out."""
    fleet.write()
    fleet.fault(when="before", delay_s=4)

    fleet.apply()

    assert fleet.creates() == ONE_EACH
    assert fleet.counts() == ONE_EACH
    fleet.assert_settled()
