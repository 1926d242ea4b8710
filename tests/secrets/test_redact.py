"""No known value survives in free text, however it is written (cases C47, C48)."""

from __future__ import annotations

import base64
import html
import io
import json
import logging
from urllib.parse import quote, quote_plus

import httpx
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reconciler.secrets.log_filter import RedactingFilter
from reconciler.secrets.redact import MASK, Redactor

SECRETS = st.text(st.characters(codec="utf-8"), min_size=4, max_size=40)


def spellings(value: str) -> set[str]:
    """How the world writes a value; made with the encoders that do it, not with ours."""
    raw = value.encode()
    written = {
        value,
        base64.b64encode(raw).decode(),
        base64.b64encode(raw).decode().rstrip("="),
        base64.urlsafe_b64encode(raw).decode(),
        base64.urlsafe_b64encode(raw).decode().rstrip("="),
        quote(raw),
        quote(raw, safe=""),
        quote_plus(raw),
        quote(raw, safe="").replace("%2F", "%2f"),
        str(httpx.QueryParams({"q": value}))[2:],
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        json.dumps(json.dumps(value))[3:-3],
        repr(value)[1:-1],
        html.escape(value),
    }
    return {text for text in written if len(text) >= 4}


@settings(max_examples=300, deadline=None)
@given(value=SECRETS)
def test_no_spelling_of_a_secret_survives(value: str) -> None:
    redactor = Redactor()
    redactor.add(value)
    for text in spellings(value):
        assume(text not in f'401: "{MASK}" is no token')
        assert text not in redactor.redact(f'401: "{text}" is no token'), text


@settings(max_examples=300, deadline=None)
@given(value=SECRETS, before=st.binary(max_size=8), after=st.binary(max_size=8))
def test_a_secret_inside_of_a_longer_base64_text_does_not_survive(value: str, before: bytes, after: bytes) -> None:
    redactor = Redactor()
    redactor.add(value)
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = encode(before + value.encode() + after).decode()
        shown = redactor.redact(text)
        assert MASK in shown
        # At most what shares a character with a neighbour is left of it: less than one byte at either end.
        head, _, tail = shown.partition(MASK)
        assert len(head) <= len(before) * 8 // 6 + 1
        assert len(tail) <= len(base64.b64encode(after)) + 4


@settings(max_examples=200, deadline=None)
@given(left=SECRETS, shared=SECRETS, right=SECRETS)
def test_secrets_that_overlap_leave_nothing_of_one_another(left: str, shared: str, right: str) -> None:
    redactor = Redactor()
    redactor.add(left + shared)
    redactor.add(shared + right)
    assert redactor.redact(left + shared + right) == MASK


def test_a_value_that_begins_inside_of_another_is_masked_to_its_end() -> None:
    redactor = Redactor()
    redactor.add("hf_OLDVALUE")
    redactor.add("VALUE-and-more")
    assert redactor.redact("x hf_OLDVALUE-and-more y") == "x (secret) y"
    assert redactor.redact("hf_OLDVALUE hf_OLDVALUE") == "(secret) (secret)"


def test_short_and_public_values_stay_and_are_named() -> None:
    redactor = Redactor()
    redactor.add("8", "PIN")
    redactor.add("chat", "ROOM")
    redactor.add("hf_NEWVALUE", "HF_TOKEN")
    redactor.keep(["theta/Deployment/chat"])
    text = "theta/Deployment/chat port 8080 id 10eb0091-887f-48c8 token hf_NEWVALUE"
    assert redactor.redact(text) == text.replace("hf_NEWVALUE", MASK)
    assert redactor.too_short == ("PIN",)
    assert redactor.too_common == ("ROOM",)


def test_a_key_file_is_masked_also_when_it_is_indented() -> None:
    redactor = Redactor()
    redactor.add("-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END KEY-----\n")
    shown = redactor.redact("key: |\n    -----BEGIN KEY-----\n    MIIEvQIBADANBg\n    kqhkiG9w0BAQEF\n")
    assert shown == "key: |\n    (secret)\n    (secret)\n    (secret)\n"


@pytest.mark.parametrize("value", ["pa<ss>&word", "p\"a's\\s/word", "päss wörd+1"])
def test_servers_in_other_languages_are_read_too(value: str) -> None:
    redactor = Redactor()
    redactor.add(value)
    go = json.dumps(value, ensure_ascii=False)
    for mark in "<>&":
        go = go.replace(mark, f"\\u{ord(mark):04x}")
    php = json.dumps(value).replace("/", "\\/")
    java = json.dumps(value).replace("\\u00e4", "\\u00E4").replace("\\u00f6", "\\u00F6")
    for text in (go, php, java):
        assert redactor.redact(f'{{"message": {text}}}') == f'{{"message": "{MASK}"}}'


def test_a_log_line_shows_no_secret_in_text_arguments_or_traceback() -> None:
    redactor = Redactor()
    redactor.add("hf_CANARY", "HF_TOKEN")
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RedactingFilter(redactor))
    log = logging.getLogger("reconciler-test-redaction")
    log.propagate = False
    log.addHandler(handler)
    try:
        try:
            int("hf_CANARY")
        except ValueError:
            log.exception("PUT %s failed for %s", "/x?token=hf_CANARY", {"t": "hf_CANARY"}, stack_info=True)
    finally:
        log.removeHandler(handler)
    shown = stream.getvalue()
    assert "CANARY" not in shown
    assert "PUT /x?token=(secret) failed for {'t': '(secret)'}" in shown
    assert "ValueError" in shown


def test_an_exception_is_told_with_its_causes_and_without_values() -> None:
    redactor = Redactor()
    redactor.add("hf_CANARY")
    error = RuntimeError("no hf_CANARY")
    error.add_note("tried hf_CANARY")
    error.__cause__ = KeyError("hf_CANARY")
    assert redactor.error_text(error) == "RuntimeError: no (secret)\ntried (secret)\ncaused by KeyError: '(secret)'"
    assert "CANARY" not in redactor.traceback_text(error)
