"""JSON as bytes: stable, safe in a log, and, for a plan, sealed against an altered byte."""

from __future__ import annotations

import hashlib
import io
import json
import re
from array import array
from collections.abc import Callable, Mapping
from typing import Any, Final

__all__ = ["PLAN_FORMAT", "Rows", "dump", "dump_rows", "is_intact", "is_sealed", "seal", "with_texts"]

PLAN_FORMAT: Final = "reconciler-plan/1"
_MARK: Final = b',\n"checksum":"'
_ROWS_AT: Final = 4
"""Levels down to the items of a list of a map of a list: `listings[0].ours[0]`."""
_UNSAFE: Final = re.compile(
    "[\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb]"
    "|[\U000e0000-\U000e0fff]"
)


def dump(data: Any) -> str:
    """JSON with two blanks of indent and a final line break: equal data, equal bytes, safe in a log.

    Keys stay in the order of the format. Characters that turn or hide text, and the `[` of a runner's `##[`, are
    written as JSON escapes, which every reader of JSON turns back.
    """
    text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)
    return _UNSAFE.sub(_json_escape, text).replace("##[", "##\\u005b") + "\n"


def _json_escape(match: re.Match[str]) -> str:
    number = ord(match[0])
    return f"\\u{number:04x}" if number <= 0xFFFF else json.dumps(match[0])[1:-1]  # noqa: PLR2004 - end of the BMP


def seal(data: Mapping[str, Any]) -> dict[str, Any]:
    """A plan with the `checksum` of all the rest at its end, so that `is_intact` sees an altered byte."""
    rest = {key: value for key, value in data.items() if key != "checksum"}
    return {**rest, "checksum": _checksum(rest)}


def dump_rows(data: Mapping[str, Any]) -> str:
    """A sealed file of many rows: its canonical JSON with a line for each row, and the checksum at its end.

    `is_sealed` then needs to hash the text and no more: a tenth of the time of making all of it anew.
    """
    rest = {key: value for key, value in data.items() if key != "checksum"}
    return f'{_with_lines(rest, _ROWS_AT)[:-1]}{_MARK.decode()}{data["checksum"]}"}}\n'


def is_sealed(content: bytes) -> bool:
    """Whether a text that `dump_rows` wrote is unaltered; of any other form it says no."""
    head, mark, checksum = content.rpartition(_MARK)
    digest = hashlib.sha256()
    for line in io.BytesIO(head):
        digest.update(line.removesuffix(b"\n"))
    digest.update(b"}")
    return bool(mark) and checksum.decode("ascii", "replace") == f'{digest.hexdigest()}"}}\n'


class Rows:
    """A text that `is_sealed` found good: as JSON with a number for each row, and the row of a number.

    So that the rows of 10,000 resources need not be there at once. Line breaks are no part of the checksum: whoever has
    read it all asks `is_complete`, for else a break in the wrong place could make a row of what is none.

    Raises:
        ValueError: it is no JSON after all.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._begins, self._ends = array("Q"), array("Q")
        rest = []
        begin = 0
        while begin < len(content):
            end = content.index(b"\n", begin)
            last = end - 1 if content[end - 1 : end] == b"," else end
            if content[begin : begin + 1] == b"{" and content[last - 1 : last] == b"}":
                rest.append(b"%d%s" % (len(self._begins), content[last:end]))
                self._begins.append(begin)
                self._ends.append(last)
            else:
                rest.append(content[begin:end])
            begin = end + 1
        self.data: Any = json.loads(b"".join(rest))
        self._asked = bytearray(len(self._begins))

    def __call__(self, one: Any) -> tuple[Any, bool]:
        """A row, and whether no key in it begins with `$`, so that nothing in it is encoded (`spec.values`).

        To look for that value by value takes a fifth of the time of reading.

        Raises:
            ValueError: there is no such row, or it was read already.
        """
        if not isinstance(one, int):
            return one, False
        if not 0 <= one < len(self._asked) or self._asked[one]:
            raise ValueError(f"there is no row {one}")
        self._asked[one] = 1
        text = self._content[self._begins[one] : self._ends[one]]
        return json.loads(text), b'"$' not in text

    @property
    def is_complete(self) -> bool:
        """Whether each row was read."""
        return all(self._asked)


def _with_lines(value: Any, depth: int) -> str:
    """Canonical JSON; a list of maps at most `depth` levels down has its items on lines of their own."""
    if depth and isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(key)}:{_with_lines(value[key], depth - 1)}" for key in sorted(value)) + "}"
    if depth and isinstance(value, list) and value and isinstance(value[0], Mapping):
        return "[\n" + ",\n".join(_with_lines(item, depth - 1) for item in value) + "\n]"
    return _canonical(value)


def is_intact(data: Mapping[str, Any]) -> bool:
    """Whether a plan that was read again is what was written: its checksum and its digests fit its content."""
    from reconciler.plan.digest import plan_digest  # noqa: PLC0415 - 30 ms, and `validate` only dumps

    rest = {key: value for key, value in data.items() if key != "checksum"}
    changes = data.get("changes")
    if data.get("checksum") != _checksum(rest) or not isinstance(changes, list):
        return False
    digests = (str(change.get("digest")) for change in changes)
    return bool(data.get("digest") == plan_digest(digests, offline=data.get("snapshot") is not None))


def with_texts(data: Mapping[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    """The same JSON with `change` applied to every text value; a sealed plan is sealed anew.

    For masking secrets by value: done on finished text, it would break the checksum.
    """
    mapped = {key: _mapped(value, change) for key, value in data.items()}
    return seal(mapped) if "checksum" in data else mapped


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _mapped(item, change) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_mapped(item, change) for item in value]
    return change(value) if isinstance(value, str) else value


def _checksum(data: Mapping[str, Any]) -> str:
    return hashlib.sha256(_canonical(data).encode("ascii")).hexdigest()


def _canonical(data: Any) -> str:
    return json.dumps(data, sort_keys=True, separators=(",", ":"))
