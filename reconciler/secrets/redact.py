"""Hides secret values in free text: server messages, logs, exceptions.

Fields are hidden by *where* they are, which is the renderers' business; this is the second net, for text that nobody
structured. It finds a value as it is, and as base64, URL, JSON, Python or HTML would write it (`secrets.spellings`,
which a command without secrets never imports).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

__all__ = ["MASK", "Redactor"]

MASK: Final = "(secret)"


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
        forms, folded = self._forms, self._folded
        # Almost no text holds one: to ask that alone takes a quarter of the time of looking where.
        escaped = bool(folded) and ("%" in text or "\\u" in text)
        if not escaped and not any(map(text.__contains__, forms)):
            return text
        from reconciler.secrets.spellings import fold  # noqa: PLC0415 - it is there already: `add` needs it

        # The second reading finds escapes whose hex digits are in another case than ours; it keeps every position.
        readings = ((text, forms), (fold(text), folded))
        spans = sorted(chain.from_iterable(_find_all(read, form) for read, known in readings for form in known))
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
        import traceback  # noqa: PLC0415 - 1 ms of each start

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
        import traceback  # noqa: PLC0415 - 1 ms of each start

        return self.redact("".join(traceback.format_exception(error)))

    def _rebuild(self) -> None:
        from reconciler.secrets.spellings import SHORTEST, folded, forms_of  # noqa: PLC0415 - see above

        self._too_short = set()
        self._too_common = set()
        forms: set[str] = set()
        for value, names in self._values.items():
            if len(value) < SHORTEST:
                self._too_short |= names
            elif any(value in word for word in self._words):
                self._too_common |= names
            else:
                forms |= forms_of(value)
        # Whole tuples are put in place: a thread that is redacting goes on with those that it has.
        self._forms = tuple(forms)
        self._folded = tuple(folded(forms))


def _find_all(text: str, form: str) -> Iterator[tuple[int, int]]:
    start = text.find(form)
    while start >= 0:
        yield start, start + len(form)
        start = text.find(form, start + 1)
