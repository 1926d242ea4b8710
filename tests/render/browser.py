"""A headless Chromium, driven through its pipe: opens pages from files, runs script in them, says what it complains of.

Which one: `RECONCILER_BROWSER`, else what is found under one of its names; without any the tests are skipped.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

__all__ = ["Browser", "Page", "find_browser", "started"]

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "chrome-headless-shell", "chromium-headless-shell")
_ANSWER_S: Final = 60.0
_COMPLAINTS: Final = frozenset({"Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled"})


def find_browser() -> str | None:
    """The browser's path, or None."""
    named = os.environ.get("RECONCILER_BROWSER")
    return named or next((path for path in map(shutil.which, _NAMES) if path), None)


@dataclass(slots=True)
class Browser:
    """One process; messages are JSON that ends with a zero byte."""

    write: int
    read: int
    events: list[dict[str, Any]] = field(default_factory=list)
    _number: int = 0
    _rest: bytes = b""

    def call(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """Send a command and wait for its answer; what happens meanwhile is kept in `events`."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self.write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer["error"]
                return dict(answer["result"])
            self.events.append(answer)

    def wait(self, event: str, session: str) -> None:
        """Until something has happened in a page."""
        while not any(one.get("method") == event and one.get("sessionId") == session for one in self.events):
            self.events.append(self._next())

    def _next(self) -> dict[str, Any]:
        until = time.monotonic() + _ANSWER_S
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self.read], [], [], max(0.0, until - time.monotonic()))
            assert ready, "the browser does not answer"
            part = os.read(self.read, 1 << 20)
            assert part, "the browser has gone"
            self._rest += part
        line, _, self._rest = self._rest.partition(b"\0")
        return dict(json.loads(line))

    def open(
        self, file: Path, *, width: int = 1440, height: int = 900, dark: bool = False, script: bool = True
    ) -> Page:
        """A page in a window of so many pixels; `script`: whether it may run any."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for name in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{name}.enable", session)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", session, features=scheme)
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", session, **size)
        self.call("Emulation.setScriptExecutionDisabled", session, value=not script)
        self.events.clear()
        self.call("Page.navigate", session, url=file.as_uri())
        self.wait("Page.loadEventFired", session)
        return Page(self, session)


@dataclass(slots=True)
class Page:
    """One page that was opened."""

    browser: Browser
    session: str

    def run(self, script: str) -> Any:
        """The value of an expression, once the page has come to rest."""
        told = self.browser.call(
            "Runtime.evaluate", self.session, expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    def press(self, key: str, code: int) -> None:
        """Press a key and let it go; `text` for what types something."""
        told = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        text = {"Enter": "\r", " ": " "}.get(key)
        self.browser.call(
            "Input.dispatchKeyEvent", self.session, type="keyDown", **told, **({"text": text} if text else {})
        )
        self.browser.call("Input.dispatchKeyEvent", self.session, type="keyUp", **told)

    def complaints(self) -> list[Any]:
        """Errors, and all that was written to the console."""
        return [event["params"] for event in self.browser.events if event.get("method") in _COMPLAINTS]

    def fetched(self) -> list[str]:
        """Each address that was asked for."""
        asked = (event for event in self.browser.events if event.get("method") == "Network.requestWillBeSent")
        return [event["params"]["request"]["url"] for event in asked]

    def screenshot(self, file: Path, *, whole: bool = False) -> None:
        """Save what can be seen, or the whole length of the page."""
        told = self.browser.call("Page.captureScreenshot", self.session, captureBeyondViewport=whole)
        file.write_bytes(base64.b64decode(told["data"]))

    def pdf(self) -> bytes:
        """The page as it prints."""
        return base64.b64decode(self.browser.call("Page.printToPDF", self.session)["data"])


@contextmanager
def started(path: str, folder: Path) -> Iterator[Browser]:
    """A browser with a profile in `folder`, ended at the end."""
    to_it, ours = os.pipe()
    theirs, from_it = os.pipe()
    words = [path, "--headless=new", "--remote-debugging-pipe", "--disable-gpu", f"--user-data-dir={folder}"]
    words += ["--no-first-run", "--disable-background-networking", "--disable-component-update", "about:blank"]
    if os.geteuid() == 0:
        words.insert(1, "--no-sandbox")
    # It reads from descriptor 3 and writes to 4.
    shell = f'exec "$0" "$@" 3<&{to_it} 4>&{from_it}'
    process = subprocess.Popen(
        ["bash", "-c", shell, *words],
        pass_fds=(to_it, from_it),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(to_it)
    os.close(from_it)
    try:
        yield Browser(write=ours, read=theirs)
    finally:
        process.terminate()
        process.wait(20)
        os.close(ours)
        os.close(theirs)
