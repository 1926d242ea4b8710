"""`lifecycle.wait: {for: http}` asks the resource's own endpoint; a slow warm-up is no failure (case C45)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from reconciler.apply.probe import until_answers
from reconciler.apply.wait import Interrupted, Patience
from reconciler.diff.live import Live
from reconciler.emulator.clock import VirtualClock
from reconciler.providers.theta.kinds import DEPLOYMENT


class _Clock(VirtualClock):
    def sleep(self, seconds: float) -> None:
        self.advance(seconds)


class _Warming(BaseHTTPRequestHandler):
    """404, 503, then 200 for ever; remembers what it was asked."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        answers = (404, 503, 200)
        self.send_response(answers[min(len(self.asked), len(answers)) - 1])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's
        pass


@pytest.fixture
def endpoint() -> Iterator[str]:
    _Warming.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Warming)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def _live(endpoint: str) -> Live:
    return Live(kind=DEPLOYMENT, provider="theta", id="1/a", outputs={"endpoint": endpoint} if endpoint else {})


def _patience(timeout_s: float, stop: threading.Event | None = None) -> Patience:
    return Patience(timeout_s=timeout_s, poll_s=5, stop=stop or threading.Event())


def test_a_warm_up_is_waited_for_at_the_path_that_was_given(endpoint: str) -> None:
    waited = until_answers(_live(endpoint), "/healthz", _Clock(0, 0), _patience(60))
    assert waited.ok
    assert _Warming.asked == ["/healthz"] * 3


def test_an_endpoint_that_never_answers_well_fails_in_time_and_says_what_it_said(endpoint: str) -> None:
    waited = until_answers(_live(endpoint), "", _Clock(0, 0), _patience(1))
    assert not waited.ok
    assert "last: 503" in waited.message


def test_what_has_no_endpoint_is_said_to_have_none() -> None:
    assert "no endpoint" in until_answers(_live(""), "", _Clock(0, 0), _patience(1)).message


def test_a_stop_ends_the_asking(endpoint: str) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Interrupted):
        until_answers(_live(endpoint), "", _Clock(0, 0), _patience(60, stop))
