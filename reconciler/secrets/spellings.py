"""How the usual writers spell a secret: base64, URL, JSON, Python, HTML. For `secrets.redact`."""

from __future__ import annotations

import base64
import html
import json
import math
import re
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import quote, quote_plus

__all__ = ["SHORTEST", "fold", "folded", "forms_of"]

SHORTEST: Final = 4
"""Shorter values would hide every such letter of the output. Source: cases C47."""
_SHORTEST_LINE: Final = 8
_ESCAPE: Final = re.compile(r"%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}")
_SAFE_SETS: Final = ("", "/", "!'()*", "!'()*~", "/:", "!$&'()*+,;=:@", "!$&'()*+,;=:@/?", "!#$%&'()*+,/:;=?@[]~")
"""What the usual encoders leave alone: Python, browsers (component, form), HTTPX, requests."""


def fold(text: str) -> str:
    """The text with the hex digits of its escapes in lower case; as long as before."""
    return _ESCAPE.sub(lambda match: match[0].lower(), text)


def folded(forms: Iterable[str]) -> set[str]:
    """Those of them that hold escapes, folded."""
    return {fold(form) for form in forms if _ESCAPE.search(form)}


def forms_of(value: str) -> set[str]:
    """Every text by which this value may go."""
    plain = {value, value.strip()}
    if "\n" in value or "\r" in value:  # a key file, which some printer indents or wraps line by line
        plain |= {line.strip() for line in value.splitlines() if len(line.strip()) >= _SHORTEST_LINE}
    plain = {text for text in plain if len(text) >= SHORTEST}
    written = set(plain)
    for text in plain:
        written |= set(_quoted(text)) | set(_url_encoded(text)) | set(_base64(text))
    return {form for form in written if len(form) >= SHORTEST}


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
