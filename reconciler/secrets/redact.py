"""Hides secret values in free text: server messages, logs, exceptions.

Fields are hidden by *where* they are, which is the renderers' business; this is the second net, for text that nobody
structured. It finds a value as it is, and as base64, URL, JSON, Python or HTML would write it.
"""

from __future__ import annotations

import base64
import html
import json
import logging
import math
import re
import threading
import traceback
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final
from urllib.parse import quote, quote_plus

__all__ = ["MASK", "RedactingFilter", "Redactor"]

MASK: Final = "(secret)"
_SHORTEST: Final = 4
"""Shorter values would hide every such letter of the output. Source: cases C47."""
_SHORTEST_LINE: Final = 8
_ESCAPE: Final = re.compile(r"%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}")
_SAFE_SETS: Final = ("", "/", "!'()*", "!'()*~", "/:", "!$&'()*+,;=:@", "!$&'()*+,;=:@/?", "!#$%&'()*+,/:;=?@[]~")
"""What the usual encoders leave alone: Python, browsers (component, form), HTTPX, requests."""


class Redactor:
    """Replaces every known value in a text by `(secret)`. Safe to use from several threads.

    Overlapping finds become one mask, the longest reach wins: what is left of one value is never shown because another
    one was cut out of it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[str, set[str]] = {}
        self._words: frozenset[str] = frozenset()
        self._forms: tuple[str, ...] = ()
        self._folded: tuple[str, ...] = ()
        self._too_short: set[str] = set()
        self._too_common: set[str] = set()

    @property
    def too_short(self) -> tuple[str, ...]:
        """Names of secrets of less than four characters: they can't be searched for, and a person should know."""
        with self._lock:
            return tuple(sorted(self._too_short))

    @property
    def too_common(self) -> tuple[str, ...]:
        """Names of secrets whose value is part of a public word (`keep`): they aren't searched for either."""
        with self._lock:
            return tuple(sorted(self._too_common))

    def add(self, value: str, name: str = "") -> None:
        """Hide this value from now on; `name` is for warnings."""
        with self._lock:
            self._values.setdefault(value, set()).add(name or "(unnamed)")
            self._rebuild()

    def keep(self, words: Iterable[str]) -> None:
        """Words that must stay readable: addresses, names, environments. A secret that is part of one is not hidden."""
        with self._lock:
            self._words |= frozenset(words)
            self._rebuild()

    def redact(self, text: str) -> str:
        """The text with every known value masked."""
        # The second reading finds escapes whose hex digits are in another case than ours; it keeps every position.
        readings = ((text, self._forms), (_fold(text), self._folded))
        spans = sorted(chain.from_iterable(_find_all(read, form) for read, forms in readings for form in forms))
        if not spans:
            return text
        pieces: list[str] = []
        shown_to, masked_to = 0, -1
        for start, end in spans:
            if start >= masked_to:
                if masked_to >= 0:
                    shown_to = masked_to
                pieces += [text[shown_to:start], MASK]
            masked_to = max(masked_to, end)
        return "".join([*pieces, text[masked_to:]])

    def error_text(self, error: BaseException) -> str:
        """An exception's type, text and notes, with those of its causes, masked; no code, no values of variables."""
        lines: list[str] = []
        seen: set[int] = set()
        current: BaseException | None = error
        while current is not None and id(current) not in seen:
            seen.add(id(current))
            lines.append("".join(traceback.format_exception_only(current)).rstrip("\n"))
            current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
        return self.redact("\ncaused by ".join(lines))

    def traceback_text(self, error: BaseException) -> str:
        """An exception's whole traceback, masked."""
        return self.redact("".join(traceback.format_exception(error)))

    def _rebuild(self) -> None:
        self._too_short = set()
        self._too_common = set()
        forms: set[str] = set()
        for value, names in self._values.items():
            if len(value) < _SHORTEST:
                self._too_short |= names
            elif any(value in word for word in self._words):
                self._too_common |= names
            else:
                forms |= _forms_of(value)
        # Whole tuples are put in place: a thread that is redacting goes on with those that it has.
        self._forms = tuple(forms)
        self._folded = tuple({_fold(form) for form in forms if _ESCAPE.search(form)})


class RedactingFilter(logging.Filter):
    """Masks a log record's message, arguments, exception and stack. Put it on handlers: a logger's filter is not asked
    about records of the loggers below it.
    """  # noqa: D205 - one thought

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the record in place; it is always let through."""
        record.msg = self._redactor.redact(record.getMessage())
        record.args = None
        if record.exc_info and record.exc_info[1] is not None:
            record.exc_text = self._redactor.traceback_text(record.exc_info[1])
            record.exc_info = None
        elif record.exc_text:
            record.exc_text = self._redactor.redact(record.exc_text)
        if record.stack_info:
            record.stack_info = self._redactor.redact(record.stack_info)
        return True


def _fold(text: str) -> str:
    """The text with the hex digits of its escapes in lower case; as long as before."""
    return _ESCAPE.sub(lambda match: match[0].lower(), text)


def _find_all(text: str, form: str) -> Iterator[tuple[int, int]]:
    start = text.find(form)
    while start >= 0:
        yield start, start + len(form)
        start = text.find(form, start + 1)


def _forms_of(value: str) -> set[str]:
    """Every text by which this value may go."""
    plain = {value, value.strip()}
    if "\n" in value or "\r" in value:  # a key file, which some printer indents or wraps line by line
        plain |= {line.strip() for line in value.splitlines() if len(line.strip()) >= _SHORTEST_LINE}
    plain = {text for text in plain if len(text) >= _SHORTEST}
    written = set(plain)
    for text in plain:
        written |= set(_quoted(text)) | set(_url_encoded(text)) | set(_base64(text))
    return {form for form in written if len(form) >= _SHORTEST}


def _quoted(value: str) -> Iterator[str]:
    for ascii_only in (True, False):
        once = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        # Go escapes three characters of HTML in its JSON, PHP the slash.
        go = once.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
        for text in (once, go, once.replace("/", "\\/")):
            yield text
            yield json.dumps(text, ensure_ascii=ascii_only)[1:-1]  # JSON inside of JSON
    yield repr(value)[1:-1]
    yield value.replace("\\", "\\\\").replace("'", "\\'")
    for text in (html.escape(value), html.escape(value, quote=False)):
        yield text
        yield text.replace("&#x27;", "&#39;").replace("&quot;", "&#34;")


def _url_encoded(value: str) -> Iterator[str]:
    raw = value.encode("utf-8", "surrogatepass")
    for safe in _SAFE_SETS:
        yield quote(raw, safe=safe)
        yield quote_plus(raw, safe=safe)


def _base64(value: str) -> Iterator[str]:
    """The value encoded by itself, and the part that is the same wherever it stands in a longer encoded text."""
    raw = value.encode("utf-8", "surrogatepass")
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(raw).decode()
        yield whole
        yield whole.rstrip("=")
        for shift in range(3):  # bytes before it, modulo the three that make one group of four characters
            first = math.ceil(shift * 8 / 6)
            last = (shift + len(raw)) * 8 // 6
            yield encode(b"\0" * shift + raw).decode()[first:last]
