"""The emulator's core: faults at three moments, control routes, clock, two processes on one state file."""

from __future__ import annotations

import contextlib
import json
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.emulator.faults import Faults
from reconciler.emulator.server import Emulator, Server

DEPLOYMENT = {
    "deployment_template_id": "img_haehligvpslgcxu8cgyuefodh7q1",
    "vm_id": "vm_gt1",
    "min_replicas": 1,
}


class Client:
    """A plain client of the Theta module, and of the control routes."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=10)
        self.line = Emulator(None).connection(url)["theta"]
        self.headers = {"x-api-key": self.line["apiKey"]}
        self.query = {"project_id": self.line["projectId"]}

    def list(self) -> httpx.Response:
        return self.http.get("/theta/controller/deployments/list", params=self.query, headers=self.headers)

    def create(self) -> httpx.Response:
        return self.http.post("/theta/controller/deployment", json=DEPLOYMENT | self.query, headers=self.headers)

    def control(self, what: str, body: Any) -> httpx.Response:
        return self.http.post(f"/_emulator/{what}", json=body)

    def count(self) -> int:
        """How many deployments really exist."""
        state: dict[str, list[Any]] = self.http.get("/_emulator/state").json()
        return len(state["theta"])


@pytest.fixture
def client(emulator: Server) -> Iterator[Client]:
    found = Client(emulator.url)
    yield found
    found.http.close()


def posts(client: Client) -> list[dict[str, Any]]:
    """The create requests in the log."""
    return [entry for entry in client.http.get("/_emulator/requests").json() if entry["method"] == "POST"]


@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after-commit", 1)], ids=["before", "after the commit"])
def test_status_fault_answers_and_the_moment_decides_whether_it_happened(client: Client, when: str, made: int) -> None:
    before = client.count()
    client.control(
        "faults", [{"provider": "theta", "method": "POST", "path": "/deployment$", "when": when, "status": 503}]
    )
    reply = client.create()
    assert (reply.status_code, reply.json()["status"]) == (503, "error")
    assert client.count() == before + made
    assert [(entry["status"], entry["committed"]) for entry in posts(client)] == [(503, made == 1)]
    assert client.create().status_code == 200


@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after-commit", 1)])
def test_dropped_connection_sends_not_one_byte(client: Client, when: str, made: int) -> None:
    before = client.count()
    client.control("faults", [{"method": "POST", "path": "/deployment", "when": when, "drop": True}])
    # What is not read is answered by the kernel with a reset, if it had arrived by then; else the end is a plain one.
    ends = (httpx.RemoteProtocolError, httpx.ReadError) if when == "before" else (httpx.RemoteProtocolError,)
    with pytest.raises(ends):
        client.create()
    assert client.count() == before + made
    assert posts(client)[0]["status"] is None


def test_body_is_cut_in_the_middle_after_the_commit(client: Client) -> None:
    before = client.count()
    client.control("faults", [{"method": "POST", "when": "mid-body"}])
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        client.create()
    assert client.count() == before + 1


def test_delay_alone_is_a_slow_answer_and_not_an_error(client: Client) -> None:
    client.control("faults", [{"method": "GET", "path": "/list", "when": "before", "delay_s": 0.2}])
    started = time.monotonic()
    assert client.list().status_code == 200
    assert time.monotonic() - started >= 0.2


def test_write_lands_although_the_client_hung_up(client: Client) -> None:
    before = client.count()
    client.control("faults", [{"method": "POST", "when": "before", "delay_s": 0.3}])
    with pytest.raises(httpx.ReadTimeout):
        client.http.post(
            "/theta/controller/deployment", json=DEPLOYMENT | client.query, headers=client.headers, timeout=0.1
        )
    assert client.count() == before
    deadline = time.monotonic() + 5
    while client.count() == before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert client.count() == before + 1


def test_faults_are_skipped_counted_and_have_their_own_body_and_headers(client: Client) -> None:
    page = "<html>error code: 1010</html>"
    fault = {"path": "^/deployments/list$", "skip": 1, "count": 2, "status": 429, "headers": {"Retry-After": "7"}}
    client.control("faults", [{**fault, "body": page}])
    replies = [client.list() for _ in range(4)]
    assert [reply.status_code for reply in replies] == [200, 429, 429, 200]
    assert (replies[1].text, replies[1].headers["retry-after"]) == (page, "7")
    assert replies[1].headers["content-type"].startswith("text/html")
    client.control("faults", [{"path": "/list", "count": None, "body": {"status": "error", "message": "internal"}}])
    assert [client.list().json()["message"] for _ in range(3)] == ["internal"] * 3
    client.control("faults", [])
    assert client.list().json()["status"] == "success"


def test_fault_of_one_provider_leaves_the_others_alone(client: Client) -> None:
    client.control("faults", [{"provider": "runai", "status": 500, "count": None}])
    assert client.list().status_code == 200


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"wehn": "before"}, "wehn"),
        ({"when": "after"}, "after-commit"),
        ({"path": "("}, "regular expression"),
    ],
)
def test_fault_that_can_not_be_read_is_refused_and_named(entry: dict[str, Any], words: str) -> None:
    faults = Faults()
    with pytest.raises(ValueError, match=words):
        faults.replace([entry])


def test_bad_control_requests_are_answered_with_the_reason(client: Client) -> None:
    for what, body, words in (
        ("faults", [{"when": "never"}], "mid-body"),
        ("switches", {"theta": {"rotues": "both"}}, "rotues"),
        ("switches", {"aws": {}}, "aws"),
        ("clock", {}, "advance_s"),
    ):
        reply = client.control(what, body)
        assert reply.status_code == 400
        assert words in reply.json()["error"]
    assert client.control("nothing", {}).status_code == 404


def test_request_log_tells_number_provider_path_query_body_and_status(client: Client) -> None:
    client.list()
    client.create()
    one, two = client.http.get("/_emulator/requests").json()
    assert one == {
        "number": 1,
        "provider": "theta",
        "method": "GET",
        "path": "/deployments/list",
        "query": client.query,
        "body": None,
        "status": 200,
        "committed": False,
    }
    assert (two["number"], two["path"], two["body"], two["committed"]) == (
        2, "/deployment", DEPLOYMENT | client.query, True,
    )  # fmt: skip
    assert client.headers["x-api-key"] not in json.dumps([one, two])


def test_unknown_route_gets_the_vendors_error_body(client: Client) -> None:
    reply = client.http.get("/theta/controller/nowhere", headers=client.headers)
    assert (reply.status_code, reply.json()["status"]) == (404, "error")


def test_clock_stands_still_until_it_is_moved(client: Client, emulator: Server) -> None:
    now = emulator.emulator.now()
    time.sleep(0.02)
    assert emulator.emulator.now() == now
    assert client.control("clock", {"advance_s": 90}).json() == {"now": now + 90}
    emulator.emulator.sleep(10)
    assert emulator.emulator.now() == now + 100


def test_served_clock_runs_faster_than_the_wall() -> None:
    emulator = Emulator(None, speed=1000)
    before = emulator.now()
    time.sleep(0.05)
    assert emulator.now() - before >= 50
    emulator.close()


def test_reset_gives_the_seeded_state_without_faults_and_switches(client: Client) -> None:
    seeded = client.count()
    client.create()
    client.control("switches", {"theta": {"routes": "singular"}})
    client.control("faults", [{"status": 500, "count": None}])
    client.control("reset", None)
    assert client.count() == seeded
    assert client.list().status_code == 200
    assert len(client.http.get("/_emulator/requests").json()) == 1


def test_refused_request_leaves_no_trace_in_the_state(client: Client) -> None:
    before = client.http.get("/_emulator/state").json()
    reply = client.http.post("/theta/controller/deployment", json={"project_id": "prj_x"}, headers=client.headers)
    assert reply.status_code == 403
    assert client.http.get("/_emulator/state").json() == before


def test_connection_line_names_what_a_project_file_needs(emulator: Server) -> None:
    line = emulator.emulator.connection(emulator.url)
    assert line["url"] == emulator.url
    assert set(line["theta"]) == {"endpoint", "apiEndpoint", "projectId", "apiKey"}


OTHER_PROCESS = """
import sys
from pathlib import Path
import httpx
from reconciler.emulator.server import Emulator, Server
server = Server(Emulator(Path(sys.argv[1]))).start()
line = server.emulator.connection(server.url)["theta"]
body = {"project_id": line["projectId"], "deployment_template_id": "img_haehligvpslgcxu8cgyuefodh7q1",
        "vm_id": "vm_gt1", "min_replicas": 1}
with httpx.Client(headers={"x-api-key": line["apiKey"]}) as http:
    for _ in range(int(sys.argv[2])):
        assert http.post(line["endpoint"] + "/deployment", json=body).status_code == 200
server.emulator.advance(float(sys.argv[3]))
server.stop()
"""


def test_two_processes_share_one_state_file_and_one_time(tmp_path: Path) -> None:
    state = tmp_path / "emulator.db"
    server = Server(Emulator(state)).start()
    client = Client(server.url)
    try:
        seeded, now = client.count(), server.emulator.now()
        command = [sys.executable, "-c", OTHER_PROCESS, str(state), "15", "600"]
        others = [subprocess.Popen(command), subprocess.Popen(command)]
        for _ in range(15):
            assert client.create().status_code == 200
        assert [other.wait(timeout=60) for other in others] == [0, 0]
        items = client.list().json()["body"]
        assert client.count() == seeded + 45
        assert len({(item["Shard"], item["Suffix"]) for item in items}) == seeded + 45
        # The others' 600 seconds passed here too: their deployments are up.
        assert server.emulator.now() >= now + 600
        assert {item["PodPhase"].rpartition(": ")[2] for item in items} == {"Running"}
    finally:
        client.http.close()
        server.stop()


def test_killed_process_leaves_nothing_from_the_future(tmp_path: Path) -> None:
    state = tmp_path / "emulator.db"
    first = Emulator(state, speed=100_000)
    server = Server(first).start()
    client = Client(server.url)
    time.sleep(0.05)
    client.create()
    made = client.list().json()["body"][-1]["CreatedAt"]
    again = Emulator(state)  # the first one was not closed: as after a kill
    with again.transaction() as tx:
        theta = next(module for module in again.modules if module.name == "theta")
        item = theta.state(tx)[-1]
    assert item["CreatedAt"] == made
    assert again.now() >= datetime.fromisoformat(made).timestamp() - 0.001
    again.close()
    client.http.close()
    server.stop()


def test_stop_does_not_wait_for_an_answer_that_a_fault_holds_back() -> None:
    server = Server(Emulator(None)).start()
    server.emulator.faults.replace([{"path": "", "delay_s": 60, "count": None}])
    client = Client(server.url)
    failed: list[Exception] = []

    def wait_for_it() -> None:
        try:
            client.list()
        except httpx.HTTPError as error:
            failed.append(error)

    waiting = threading.Thread(target=wait_for_it)
    waiting.start()
    time.sleep(0.1)
    started = time.monotonic()
    server.stop()
    assert time.monotonic() - started < 4
    waiting.join(timeout=5)
    assert failed or not waiting.is_alive()
    client.http.close()


def test_port_that_is_taken_is_an_error_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        emulator = Emulator(None)
        with pytest.raises(OSError, match="in use"):
            Server(emulator, taken.getsockname()[1])
        emulator.close()


def test_requests_take_about_a_millisecond(client: Client) -> None:
    client.list()
    started = time.monotonic()
    for _ in range(50):
        client.list()
    # Nagle's algorithm would make it 44 ms each.
    assert (time.monotonic() - started) / 50 < 0.03


def test_a_state_file_of_before_names_were_kept_still_knows_whose_name_is_taken(tmp_path: Path) -> None:
    state = tmp_path / "emulator.db"
    Emulator(state).close()
    with contextlib.closing(sqlite3.connect(state)) as old, old:
        old.execute("DROP INDEX doc_by_name")
        old.execute("ALTER TABLE doc DROP COLUMN name")
    emulator = Emulator(state)
    with emulator.transaction() as tx:
        tx.put("things", "new", {"says": "named"}, name="other")
        tx.put("things", "new", {"says": "changed"})
        names = {item["name"] for item in tx.named("runai/workloads", "ann-summarizer")}
        assert "ann-summarizer" in names
        assert tx.named("things", "other") == [{"says": "changed"}]
        assert tx.named("things", "another") == []
    emulator.close()
