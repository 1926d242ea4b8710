"""What a person sees on a terminal: whole words, columns that stand below one another, colour only where it helps."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.cli import progress
from reconciler.cli.main import main
from reconciler.cli.output import Printer
from reconciler.cli.progress import reading
from reconciler.render.layout import columns_of, fit
from reconciler.render.rows import ListRow
from reconciler.render.text import Style, list_text

EXAMPLE = Path(__file__).parents[1] / "specs-example"
PAINT = re.compile(r"\x1b\[[0-9;]*m")
WIDE = "商品推荐服务"


@contextmanager
def terminal(columns: int, **env: str) -> Iterator[list[str]]:
    """A terminal in place of stdout and stderr; what it got is the list's one text, when all is over."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    got: list[bytes] = []
    shown: list[str] = []

    def read() -> None:
        with io.FileIO(ours) as master:
            while piece := _read(master):
                got.append(piece)

    reader = threading.Thread(target=read)
    reader.start()
    before, stdout, stderr = dict(os.environ), sys.stdout, sys.stderr
    for name in ("CI", "NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        os.environ.pop(name, None)
    os.environ.update({"TERM": "xterm", **env})
    try:
        sys.stdout = io.TextIOWrapper(io.BufferedWriter(io.FileIO(theirs, "w", closefd=False)), encoding="utf-8")
        sys.stderr = io.TextIOWrapper(io.BufferedWriter(io.FileIO(theirs, "w", closefd=False)), encoding="utf-8")
        yield shown
    finally:
        sys.stdout.close()
        sys.stderr.close()
        sys.stdout, sys.stderr = stdout, stderr
        os.environ.clear()
        os.environ.update(before)
        os.close(theirs)
        reader.join()
        shown.append(b"".join(got).decode().replace("\r\n", "\n"))


def _read(master: io.FileIO) -> bytes:
    try:
        return master.read(65536)
    except OSError:  # the other side is closed
        return b""


def see(monkeypatch: pytest.MonkeyPatch, columns: int, *args: str, **env: str) -> str:
    """What `reconciler ARGS` shows on such a terminal."""
    monkeypatch.setattr(sys, "argv", ["reconciler", *args])
    with terminal(columns, **env) as shown, pytest.raises(SystemExit):
        main()
    return shown[0]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, its first environment applied; a description of the other one is of wide characters."""
    root = tmp_path_factory.mktemp("terminal") / "shop"
    shutil.copytree(EXAMPLE, root, ignore=shutil.ignore_patterns(".reconciler"))
    camera = next(root.rglob("*camera*.yaml"))
    text = camera.read_text(encoding="utf-8").replace("Empty shelves, seen by the camera", WIDE * 6)
    assert WIDE in text
    camera.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", "apply", "--yes", "-C", str(root)], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return root


@pytest.mark.parametrize("words", ["plan -e prod", "drift", "ledger show", "ledger history", "doctor", "list"])
def test_no_line_is_longer_than_the_terminal_and_no_word_is_broken(
    words: str, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, *narrow = (PAINT.sub("", see(monkeypatch, size, *words.split(), "-C", str(shop))) for size in (2000, 40, 80))

    for columns, text in zip((40, 80), narrow, strict=True):
        # What is longer ends in one word that fits nowhere, and begins with at most the label that belongs to it.
        long = [line.strip().rpartition(" ") for line in text.splitlines() if columns_of(line) > columns]
        assert [(label, word) for label, _, word in long if len(label) > 12 or len(word) < columns - 10] == []
        if words != "list":  # there, a row's cells stand below it
            assert re.sub(r"\s+|\d+", "", text) == re.sub(r"\s+|\d+", "", whole)


def test_a_list_stands_below_one_another_whatever_its_characters() -> None:
    rows = [
        ListRow(
            provider="theta",
            kind="Deployment",
            name=name,
            id=f"1/{name}",
            status="Running",
            phase="",
            owner="shop",
            address="",
            endpoint="",
        )
        for name in (WIDE, "cafe\u0301", "plain", "\U0001f680 rocket")
    ]
    assert list_text(rows, Style(width=80)).splitlines() == [
        "PROVIDER  KIND        NAME          ID              STATUS   OWNER",
        "theta     Deployment  cafe\u0301          1/cafe\u0301          Running  shop",
        "theta     Deployment  plain         1/plain         Running  shop",
        f"theta     Deployment  {WIDE}  1/{WIDE}  Running  shop",
        "theta     Deployment  \U0001f680 rocket     1/\U0001f680 rocket     Running  shop",
    ]


def test_a_row_that_is_too_wide_tells_the_rest_below_itself() -> None:
    row = ListRow(
        provider="theta", kind="Deployment", name="chat", id="1/abc", status="Running", phase="", owner="shop/dev",
        address="theta/Deployment/chat", endpoint="https://chat.example.com/a/long/path",
    )  # fmt: skip
    assert list_text([row], Style(width=72)).splitlines() == [
        "PROVIDER  KIND        NAME  ID     STATUS   OWNER",
        "theta     Deployment  chat  1/abc  Running  shop/dev",
        "    address theta/Deployment/chat",
        "    endpoint https://chat.example.com/a/long/path",
    ]
    assert len(list_text([row], Style()).splitlines()) == 2, "in a pipe a thing is a line"


def test_wide_characters_break_between_one_another_and_words_only_between_blanks() -> None:
    lines = list(fit([f"      + text: {WIDE * 6} and-a-word-that-is-longer-than-the-terminal-is"], 40))
    assert [columns_of(line) <= 40 for line in lines] == [True, True, True, False]
    assert lines[-1].strip() == "and-a-word-that-is-longer-than-the-terminal-is"
    assert list(fit(["          why: because of this and of that"], 40)) == [
        "          why: because of this and of",
        "               that",
    ]


def test_a_secret_that_holds_blanks_is_masked_before_lines_are_broken() -> None:
    with terminal(24) as shown:
        printer = Printer()
        printer.redactor.add("correct horse battery")
        printer.page("the server said: correct horse battery staple\n")
        printer.note("the server said: correct horse battery staple")
    assert "horse" not in shown[0]
    assert shown[0].count("(secret)") == 2


@pytest.mark.parametrize(
    ("env", "painted"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False), ({"CI": "true"}, True)]
)
def test_colour_is_for_terminals_that_know_it(
    env: dict[str, str], *, painted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = see(monkeypatch, 80, "explain", "plan-altered", **env)
    assert ("\x1b[" in shown) is painted
    assert not painted or "\x1b[" not in shown.rpartition("\x1b[0m")[2], "it ends as it began"


def test_reading_that_takes_long_says_so_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_PATIENCE_S", 0.0)
    with terminal(60) as shown:
        printer = Printer()

        def interrupted() -> None:
            with reading(printer, ["theta", "runai"]):
                time.sleep(0.3)
                printer.note("a note")
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            interrupted()
        assert printer.above is None
    assert re.search(r"\r. reading theta, runai, 0 s\x1b\[K", shown[0])
    assert "\r\x1b[Ka note\n" in shown[0]
    assert shown[0].endswith("\r\x1b[K")
    assert "\x1b[?25l" not in shown[0], "a cursor that is not hidden need not be brought back"


@pytest.mark.parametrize("env", [{"CI": "true"}, {"TERM": "dumb"}, {"quiet": "yes"}])
def test_nothing_turns_where_nobody_looks(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_PATIENCE_S", 0.0)
    with terminal(60, **env) as shown, reading(Printer(quiet="quiet" in env), ["theta"]):
        time.sleep(0.05)
    assert shown == [""]
