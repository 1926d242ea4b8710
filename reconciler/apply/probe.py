"""`lifecycle.wait: {for: http}`: asking the resource's own endpoint, without credentials, until it answers."""

from __future__ import annotations

import httpx

from reconciler.apply.wait import Interrupted, Patience, Waited
from reconciler.diff.live import Live
from reconciler.providers.base import Clock
from reconciler.providers.http import USER_AGENT, is_loopback

__all__ = ["until_answers"]

_ONE_REQUEST_S = 10.0


def until_answers(live: Live, path: str, clock: Clock, patience: Patience) -> Waited:
    """GET endpoint + path until the answer is below 400; a slow warm-up (404, 502, 503) is no failure.

    Args:
        live: The resource; its `endpoint` output is asked.
        path: Path below the endpoint, `/` if empty.
        clock: The provider's time.
        patience: Time allowed, pauses, the flag that stops.

    Raises:
        Interrupted: when asked to stop.
    """
    endpoint = live.outputs.get("endpoint", "").rstrip("/")
    if not endpoint:
        return Waited(ok=False, live=live, message="it has no endpoint that could be asked (lifecycle.wait: http)")
    url = f"{endpoint}/{path.lstrip('/')}"
    deadline = clock.now() + patience.timeout_s
    pause, seen = 1.0, ""
    with httpx.Client(
        trust_env=not is_loopback(url), timeout=_ONE_REQUEST_S, headers={"User-Agent": USER_AGENT}
    ) as asker:
        while True:
            if patience.stop.is_set():
                raise Interrupted
            answer = _ask(asker, url)
            if answer.isdigit() and int(answer) < httpx.codes.BAD_REQUEST:
                return Waited(ok=True, live=live)
            if answer != seen:
                patience.say(f"its endpoint answers {answer}")
                seen = answer
            left = deadline - clock.now()
            if left <= 0:
                message = f"its endpoint did not answer well within {patience.timeout_s:g} s; last: {answer}"
                return Waited(ok=False, live=live, message=message)
            clock.sleep(min(pause, left))
            pause = min(pause * 2, patience.poll_s)


def _ask(asker: httpx.Client, url: str) -> str:
    try:
        return str(asker.get(url).status_code)
    except httpx.HTTPError as error:
        return type(error).__name__
