"""What a live value that the API shows in clear may be a secret by: its name, or its own look. A guess, and pure.

The price of a wrong guess is a line that a person writes anew; that of a missed one is a password in Git.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

__all__ = ["hushed", "is_told", "looks_secret", "names_secret"]

_WORD: Final = re.compile(
    r"token|secrets?|passw(?:or)?d|passphrase|passcode|pass|pwd?|keys?|cred(?:ential)?s?|auth(?:orization)?|bearer"
    r"|cookie|pat|pin|salt|dsn|sas|sig|jwt|otp|psk|private|signature|licen[cs]e|.*(?:token|secret|password|passwd|passphrase|pwd)"
    r"|.*(?:api|access|secret|private)key"
)
_PLACE: Final = re.compile(r"file|path|dir|folder|header|ttl|length|size|limit|count|type")
"""A name that ends with one of these tells of a secret, and holds none: `TOKEN_FILE`."""
_PART: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_PLAIN: Final = frozenset({"true", "false", "yes", "no", "on", "off", "none", "null", "0", "1"})
_VARIABLE: Final = re.compile(r"\$(?:\([A-Za-z_]\w*\)|\{[A-Za-z_]\w*\}|[A-Z_][A-Z0-9_]*)")
_TOKENS: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:hf_[A-Za-z0-9]{8,}|sk-[A-Za-z0-9_-]{8,}|gh[opsur]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,}"
    r"|glpat-[A-Za-z0-9_-]{8,}|xox[abeprs]-[A-Za-z0-9-]{8,}|A[KS]IA[0-9A-Z]{16}|AIza[0-9A-Za-z_-]{20,}|nvapi-[\w-]{8,}"
    r"|[sr]k_(?:live|test)_[A-Za-z0-9]{8,}|hooks\.slack\.com/services/[\w/]{8,}"
    r"|ya29\.[\w-]{8,}|npm_[A-Za-z0-9]{16,}|eyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?)"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----|\b(?i:bearer|basic) +[A-Za-z0-9._~+/=-]{12,}"
    r"|(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]*://[^\s/?#@]*:[^\s/?#@]+@"
    r"|(?<!\S)(?:-u|--user)[\s=]+[\"']?[A-Za-z][\w.@-]*:[^\s:/]+"
    r"|[?&](?i:sig|signature|x-amz-signature|token|access_token)=[^\s&]{8,}"
)
_OPTION: Final = re.compile(
    r"""(?<![\w-])(?P<name>-{1,2}[A-Za-z][\w.-]*|[A-Za-z_][\w-]*)"""
    r"""(?P<between>["']?\s*:\s*(?:(?i:bearer|basic|token)\s+|[|>][+-]?\s*\n\s*)?|\s*=\s*|\s+)"""
)
"""`--name value`, `NAME=value`, `Name: value`, `"name": "value"`; what stands behind a word alone is no value of it."""
_VALUE: Final = re.compile(r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s"']+|\S+)""")


def names_secret(name: str) -> bool:
    """Whether a variable, an annotation or an option of this name most likely holds a secret."""
    words = [part.lower() for part in _PART.findall(name)]
    if not words or _PLACE.fullmatch(words[-1]):
        return False
    return any(_WORD.fullmatch(word) for word in words)


def looks_secret(text: str) -> bool:
    """Whether a value has the form of a well-known token, of a private key, or of an address with a password."""
    return _TOKENS.search(text) is not None


def hushed(text: str) -> Iterator[tuple[str, str]]:
    """A command line in pieces: (its text, name of the option whose value it is and that may be a secret, or empty)."""
    done = place = 0
    while match := _OPTION.search(text, place):
        place = match.end()  # a value may hold options itself: `sh -c "TOKEN=… run"`, `--env TOKEN=…`
        name, is_word = match["name"], match["between"].isspace()
        found = _VALUE.match(text, place) if names_secret(name) and not (is_word and name[0] != "-") else None
        if found is None or not is_told(name, found[0]) or (is_word and found[0].startswith("-")):
            continue
        quote = 1 if found[0][0] in "\"'" and found[0][1:].endswith(found[0][0]) else 0
        start, end = place + quote, found.end() - quote
        yield text[done:start], ""
        yield text[start:end], name
        done = place = end
    if done < len(text):
        yield text[done:], ""


def is_told(name: str, value: str) -> bool:
    """Whether a value is most likely a secret by its name; a switch, a variable to be filled in, nothing: is none."""
    bare = value.strip("\"'")
    return names_secret(name) and bare.lower() not in _PLAIN | {""} and not _VARIABLE.fullmatch(bare)
