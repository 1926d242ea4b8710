"""How long is looked before something counts as gone, or as ready (SETTLEMENT R6, case C38)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from reconciler.apply.wait import Patience, until_gone, until_ready
from reconciler.diff.live import Live
from reconciler.fields import Phase, WaitFor
from reconciler.providers.base import Provider
from tests.diff.toys import ENGINE, live

READY, GOING = live("L1"), live("L1", phase=Phase.GOING)
BUSY = live("L1", phase=Phase.PROGRESSING)


@dataclass
class Theatre:
    """A provider whose item is as the script says, second by second, and its clock."""

    script: list[Live | None]
    seconds: float = 0.0
    looks: list[float] = field(default_factory=list)

    @property
    def clock(self) -> Theatre:
        return self

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def read_one(self, _kind: Any, _live_id: str) -> Live | None:
        self.looks.append(self.seconds)
        return self.script[min(int(self.seconds), len(self.script) - 1)]


def patience(poll_s: float) -> Patience:
    return Patience(timeout_s=600, poll_s=poll_s, stop=threading.Event())


def flaps() -> Iterator[Any]:
    """A list that misses an item which is there, for some seconds at some time."""
    for begin in range(0, 20, 3):
        for length in (1, 5, 11, 14):
            yield pytest.param(begin, length, id=f"{length} s from {begin} s on")


@pytest.mark.parametrize(("begin", "length"), [*flaps()])
def test_what_a_list_misses_for_less_than_a_poll_is_not_gone(begin: int, length: int) -> None:
    stage = Theatre([*[GOING] * begin, *[None] * length, *[GOING] * 100, None])
    waited = until_gone(cast("Provider", stage), ENGINE, "L1", patience(15))
    assert waited.ok
    assert stage.seconds >= begin + length + 100 + 15


def test_ready_counts_once_the_status_has_moved_or_may_no_longer_be_old() -> None:
    stage = Theatre([*[READY] * 10, *[BUSY] * 50, READY])
    ready = until_ready(cast("Provider", stage), ENGINE, "L1", WaitFor.READY, patience(15), stale_s=30)
    assert ready.ok
    assert stage.seconds >= 60
    still = Theatre([READY])
    assert until_ready(cast("Provider", still), ENGINE, "L1", WaitFor.READY, patience(15), stale_s=30).ok
    assert still.seconds >= 30, "nothing moved: an update that rolls nothing out"
    assert until_ready(cast("Provider", Theatre([READY])), ENGINE, "L1", WaitFor.READY, patience(15)).ok
