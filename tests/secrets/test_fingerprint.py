"""Whether a secret changed, told without keeping it (cases C26)."""

from __future__ import annotations

import re

import pytest

from reconciler.secrets.fingerprint import Fingerprinter

KEY = "a-key-of-the-team"


def test_the_same_value_is_same_and_another_one_changed() -> None:
    judge = Fingerprinter(KEY)
    stored = judge.fingerprint("NB_PASSWORD", "old")
    assert Fingerprinter(KEY).verdict(stored, "NB_PASSWORD", "old") == "same"
    assert judge.verdict(stored, "NB_PASSWORD", "new") == "changed"


@pytest.mark.parametrize(
    ("key", "stored_key", "value"),
    [
        pytest.param(None, KEY, "old", id="no key now"),
        pytest.param("", KEY, "old", id="an empty key now"),
        pytest.param(KEY, None, "old", id="no key when it was applied"),
        pytest.param(KEY, "another key", "old", id="another key"),
        pytest.param(KEY, KEY, None, id="the value is not at hand"),
    ],
)
def test_without_the_same_key_nothing_is_claimed(key: str | None, stored_key: str | None, value: str | None) -> None:
    stored = Fingerprinter(stored_key).fingerprint("NB_PASSWORD", "old")
    assert Fingerprinter(key).verdict(stored, "NB_PASSWORD", value) == "can't tell"


def test_a_stored_text_that_is_no_fingerprint_tells_nothing() -> None:
    judge = Fingerprinter(KEY)
    for stored in ("", "x", f"{judge.key_id}:abc", judge.fingerprint("A", "v") + "\n"):
        assert judge.verdict(stored, "A", "v") == "can't tell"


def test_a_fingerprint_shows_neither_value_nor_key_nor_equality_across_names() -> None:
    judge = Fingerprinter(KEY)
    first, second = judge.fingerprint("A", "hunter22"), judge.fingerprint("B", "hunter22")
    assert re.fullmatch(r"[0-9a-f]{8}:[0-9a-f]{64}", first)
    assert first != second
    assert judge.fingerprint("A", "Bx") != judge.fingerprint("AB", "x")
