"""Paths into a `spec`: patterns such as `config[*].weight`, and concrete ones such as `config[mnist-v1].weight`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["EACH", "FieldPath", "is_there"]

EACH = "[*]"
_TOKEN = re.compile(r"""\["((?:[^"\\]|\\.)*)"\]|\[([^\]]*)\]|\.?([^.\[\]]+)""")
_PLAIN = re.compile(r"^[A-Za-z0-9_\-/ ]+$")


@dataclass(frozen=True, slots=True, order=True)
class FieldPath:
    """A path, parsed once. A segment is a mapping's key, or a list's element written `[key]`, `[0]` or `[*]` (any)."""

    segments: tuple[str, ...] = ()

    @classmethod
    @lru_cache(maxsize=4096)
    def parse(cls, text: str) -> FieldPath:
        """Read `a.b[*].c`, `a["x.y"]` or `config[mnist].weight`.

        Raises:
            ValueError: when the text is no path.
        """
        segments: list[str] = []
        position = 0
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                message = f"not a field path: {text!r}"
                raise ValueError(message)
            quoted, bracket, word = match.groups()
            if quoted is not None:
                segments.append(re.sub(r"\\(.)", r"\1", quoted))
            elif bracket is not None:
                segments.append(f"[{bracket}]")
            else:
                segments.append(word)
            position = match.end()
        return cls(tuple(segments))

    def __str__(self) -> str:
        text = ""
        for segment in self.segments:
            if segment.startswith("[") and segment.endswith("]"):
                text += segment
            elif _PLAIN.match(segment):
                text += f".{segment}" if text else segment
            else:
                escaped = segment.replace("\\", "\\\\").replace('"', '\\"')
                text += f'["{escaped}"]'
        return text

    def __truediv__(self, segment: str) -> FieldPath:
        return FieldPath((*self.segments, segment))

    def __iter__(self) -> Iterator[str]:
        return iter(self.segments)

    def __len__(self) -> int:
        return len(self.segments)

    @property
    def pattern(self) -> FieldPath:
        """The same path with every list element replaced by `[*]`."""
        return FieldPath(tuple(EACH if s.startswith("[") and s.endswith("]") else s for s in self.segments))

    @property
    def parent(self) -> FieldPath:
        """One segment less."""
        return FieldPath(self.segments[:-1])

    def starts_with(self, other: FieldPath) -> bool:
        """Whether `other` is this path or above it; `[*]` in `other` matches any element."""
        if len(other.segments) > len(self.segments):
            return False
        return all(
            theirs == ours or (theirs == EACH and ours.startswith("[") and ours.endswith("]"))
            for ours, theirs in zip(self.segments, other.segments, strict=False)
        )


def is_there(tree: Any, path: FieldPath) -> bool:
    """Whether a value stands at a path; with `[*]`, in any element."""
    for place, segment in enumerate(path.segments):
        if segment == EACH:
            rest = FieldPath(path.segments[place + 1 :])
            return isinstance(tree, list | tuple) and any(is_there(item, rest) for item in tree)
        if not isinstance(tree, Mapping) or segment not in tree:
            return False
        tree = tree[segment]
    return True
