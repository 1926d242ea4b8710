"""Two entries of a list that nothing tells apart. Source: runai §4.3: keyed by name, unnamed ones by another field.

Where all key fields are written, the compiler itself compares them; here one may be missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from reconciler.fields import FieldRule, Finding
from reconciler.providers.runai.fields import INFERENCE
from reconciler.spec.values import pending_in

__all__ = ["duplicates"]

_LISTS: Final[tuple[FieldRule, ...]] = tuple(rule for rule in INFERENCE if "+" in rule.list_key)


def duplicates(document: Mapping[str, Any], _settings: Mapping[str, Any]) -> Iterable[Finding]:
    """One name twice, or one key twice among entries that leave a part of their key out."""
    for rule in _LISTS:
        value: Any = document.get("spec")
        for part in rule.path.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        if isinstance(value, list | tuple):
            yield from _twice(rule.path, value, tuple(rule.list_key.split("+")))


def _twice(path: str, items: Iterable[Any], keys: tuple[str, ...]) -> Iterator[Finding]:
    seen: dict[tuple[tuple[str, str], ...], int] = {}
    whole: dict[tuple[tuple[str, str], ...], int] = {}
    for index, item in enumerate(items):
        written = tuple((key, str(item[key])) for key in keys if item.get(key)) if isinstance(item, Mapping) else ()
        if not written or pending_in([item[key] for key, _text in written]):
            continue
        known = whole.setdefault(written, index) != index and len(written) == len(keys)
        mark = written[:1] if written[0][0] == "name" else written
        first = seen.setdefault(mark, index)
        if first != index and not known:  # what is known is told by the compiler
            names = " and ".join(f"{key} {text!r}" for key, text in mark)
            yield Finding(
                code="duplicate-item",
                path=f"{path}[{index}].{mark[0][0]}",
                wrong=f"{path} has {names} twice",
                expected="each entry once",
                others=(f"{path}[{first}].{mark[0][0]}",),
            )
