"""Waiting for a live resource: by the kind's own way, in the provider's own time, with its own failure reason."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass

from reconciler.diff.live import Live
from reconciler.fields import Kind, Phase, WaitFor
from reconciler.problems import ProviderError
from reconciler.providers.base import Provider

__all__ = ["Interrupted", "Patience", "Trouble", "Waited", "until", "until_gone", "until_ready"]

_FIRST_POLL_S = 1.0
_READ_FAILURES = 10


class Interrupted(Exception):
    """A signal or the run's own limit ended the waiting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How to wait: `timeout_s` and `poll_s` in the provider's time; `stop` ends it early; `say` gets progress lines."""

    timeout_s: float
    poll_s: float
    stop: threading.Event
    say: Callable[[str], None] = lambda _text: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waited:
    """What waiting came to: `ok`, the item as last seen (`None`: gone), and why it is not ok."""

    ok: bool
    live: Live | None
    message: str = ""


def until(
    provider: Provider, kind: Kind, live_id: str, done: Callable[[Live | None], Waited | None], patience: Patience
) -> Waited:
    """Look until `done` gives a verdict; pauses grow from one second to `poll_s`.

    A read that fails is tried again, ten times in a row at most: waiting outlives a short outage.

    Raises:
        Interrupted: when asked to stop.
        ProviderError: when it can't be read any more.
    """
    deadline = provider.clock.now() + patience.timeout_s
    pause, failures, told = _FIRST_POLL_S, 0, ""
    live: Live | None = None
    while True:
        if patience.stop.is_set():
            raise Interrupted
        try:
            live = provider.read_one(kind, live_id)
            failures = 0
        except ProviderError:
            failures += 1
            if failures >= _READ_FAILURES:
                raise
        else:
            verdict = done(live)
            if verdict is not None:
                return verdict
            told = _tell(live, told, patience)
        left = deadline - provider.clock.now()
        if left <= 0:
            state = "not in the list"
            if live is not None:
                state = f"{live.status or live.phase}{': ' + live.reason if live.reason else ''}"
            return Waited(ok=False, live=live, message=f"not so within {patience.timeout_s:g} s; last seen: {state}")
        provider.clock.sleep(min(pause, left))
        pause = min(pause * 2, patience.poll_s)


def _tell(live: Live | None, told: str, patience: Patience) -> str:
    status = (live.status or str(live.phase)) if live else "not in the list"
    if status != told:
        patience.say(status)
    return status


class Trouble:
    """Tells when waiting is in vain: it failed, somebody deletes it, or it does not heal (case C45)."""

    def __init__(self, provider: Provider, kind: Kind, *, before: Live | None = None, lag_s: float = 0.0) -> None:
        """Begin to watch now.

        Args:
            provider: Whose time counts.
            kind: Says how long it may be degraded.
            before: The item as it was before a write: if it had failed already, that is old news for `lag_s` seconds.
            lag_s: How long a write may take to show.
        """
        self._now = provider.clock.now
        self._kind = kind
        old = before is not None and before.phase is Phase.FAILED
        self._old_news_until = self._now() + lag_s if old else 0.0
        self._degraded_since: float | None = None

    def judge(self, live: Live) -> Waited | None:
        """The end of a wait, or nothing: only time tells."""
        if live.phase is not Phase.DEGRADED:
            self._degraded_since = None
        wrong = ""
        if live.phase is Phase.FAILED:
            wrong = f"it failed: {live.reason or live.status}" if self._now() >= self._old_news_until else ""
        elif live.phase is Phase.GOING:
            wrong = "somebody deletes it"
        elif live.phase is Phase.DEGRADED:
            wrong = self._unhealed(live)
        if live.phase is not Phase.FAILED:
            self._old_news_until = 0.0
        return Waited(ok=False, live=live, message=wrong) if wrong else None

    def _unhealed(self, live: Live) -> str:
        if self._degraded_since is None:
            self._degraded_since = self._now()
        grace_s = self._kind.degraded_s
        if not grace_s or self._now() - self._degraded_since < grace_s:
            return ""
        return f"it has been {live.status} for {grace_s:g} s{': ' + live.reason if live.reason else ''}"


def until_ready(
    provider: Provider,
    kind: Kind,
    live_id: str,
    target: WaitFor,
    patience: Patience,
    *,
    trouble: Trouble | None = None,
    may_rest: bool = True,
    stale_s: float = 0.0,
) -> Waited:
    """Wait until it is ready; a resource that failed ends the wait at once (case C45), a slow warm-up does not.

    `may_rest`: a stopped one is as ready as it gets. What was just made and is to run may not rest.
    `stale_s`: so long, a status that has not moved yet may be the one from before a write (case C38).
    """
    trouble = trouble or Trouble(provider, kind)
    fresh_from = provider.clock.now() + stale_s
    moved = False

    def done(live: Live | None) -> Waited | None:
        nonlocal moved
        moved = moved or (live is not None and live.phase is not Phase.READY)
        if live is None or (not moved and provider.clock.now() < fresh_from):
            return None  # not listed yet, or not written yet: only time tells (case C38)
        in_vain = trouble.judge(live)
        if in_vain is not None:
            return in_vain
        if live.phase is Phase.STOPPED and not may_rest:
            return Waited(ok=False, live=live, message=f"it stopped by itself: {live.reason or live.status}")
        if target is WaitFor.NONE or live.phase in {Phase.READY, Phase.FINISHED, Phase.STOPPED}:
            return Waited(ok=True, live=live)
        if target is WaitFor.RUNNING and live.run_state == "running":
            return Waited(ok=True, live=live)
        return None

    return until(provider, kind, live_id, done, patience)


def until_gone(
    provider: Provider, kind: Kind, live_id: str, patience: Patience, *, grace_s: float | None = None
) -> Waited:
    """Wait until all looks for a poll's time do not find it: one absence proves nothing (SETTLEMENT R6).

    Args:
        provider: Where it is.
        kind: Its kind.
        live_id: What should go.
        patience: How long something may take that is on its way out.
        grace_s: For a delete that nobody confirmed: seconds until it counts as not done while it is not even going.
    """
    begun, absent_since = provider.clock.now(), math.inf

    def done(live: Live | None) -> Waited | None:
        nonlocal absent_since
        if live is None:
            absent_since = min(absent_since, provider.clock.now())
            return Waited(ok=True, live=None) if provider.clock.now() - absent_since >= patience.poll_s else None
        absent_since = math.inf
        staying = live.phase is not Phase.GOING
        if staying and grace_s is not None and provider.clock.now() - begun >= grace_s:
            return Waited(ok=False, live=live, message=f"it is still {live.status or live.phase}")
        return None

    return until(provider, kind, live_id, done, patience)
