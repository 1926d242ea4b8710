"""Clients that nobody here wrote, against `reconciler emulator` as a process whose time stands still."""

from __future__ import annotations

import importlib
import importlib.util
import json
import subprocess
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.conftest import Served

_CLIENTS = ("runai", "openstack", "otcextensions", "huaweicloudsdkcore")
# They are installed in an environment of their own (README.md here); elsewhere there is nothing to collect.
collect_ignore_glob = [] if all(map(importlib.util.find_spec, _CLIENTS)) else ["test_*.py"]
if not collect_ignore_glob:
    # Whoever compiles their modules first is told of escapes in their texts: no error of ours.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _client in _CLIENTS:
            importlib.import_module(_client)


@pytest.fixture(scope="session")
def served_process() -> Iterator[Served]:
    """`reconciler emulator --speed 0`: tokens end, and states change, when a test says so (`POST /_emulator/clock`)."""
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler", "emulator", "--port", "0", "--speed", "0"],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        # A client may read proxies from the environment, and 127.0.0.1 is behind none.
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("NO_PROXY", "127.0.0.1")
            patch.setenv("no_proxy", "127.0.0.1")
            yield Served(json.loads(process.stdout.readline()))
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


class Emulator:
    """What a test asks of the emulator beside the clients."""

    def __init__(self, served: Served, http: httpx.Client) -> None:
        self._http = http
        self.connection: dict[str, Any] = served.connection

    def advance(self, seconds: float) -> None:
        """Let emulated time pass."""
        self._post("clock", {"advance_s": seconds})

    def switch(self, module: str, **values: Any) -> None:
        """Set switches of a module."""
        self._post("switches", {module: values})

    def fault(self, **fault: Any) -> None:
        """Set one fault, instead of those before."""
        self._post("faults", [fault])

    def stored(self, module: str) -> list[dict[str, Any]]:
        """All live objects of a module, as they are stored."""
        found: list[dict[str, Any]] = self._http.get("state").json()[module]
        return found

    def requests(self, method: str = "", path: str = "") -> list[dict[str, Any]]:
        """The log, oldest first: those of a method, whose path ends so."""
        told = self._http.get("requests").json()
        return [one for one in told if method in {"", one["method"]} and one["path"].endswith(path)]

    def _post(self, what: str, body: Any) -> None:
        reply = self._http.post(what, json=body)
        assert reply.status_code == 200, reply.text


@pytest.fixture(scope="session")
def control(served_process: Served) -> Iterator[httpx.Client]:
    """One connection to the control routes for all tests: a client each would cost more than the tests do."""
    with httpx.Client(base_url=f"{served_process.url}/_emulator/", trust_env=False, timeout=30) as http:
        yield http


@pytest.fixture
def emulator(served: Served, control: httpx.Client) -> Emulator:
    """The served emulator as new."""
    return Emulator(served, control)
