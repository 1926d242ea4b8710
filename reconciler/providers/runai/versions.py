"""Availability of fields by release, from the table alone. Source: the rows' `since` and `until`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from reconciler.fields import Check, FieldPath, FieldRule, Finding
from reconciler.fields.path import is_there
from reconciler.fields.rule import release

__all__ = ["in_version", "version_of"]


def version_of(settings: Mapping[str, Any], newest: str = "2.24") -> str:
    """The instance's release, or the newest when it is not known."""
    return str(settings.get("version") or newest)


def in_version(table: tuple[FieldRule, ...], newest: str) -> Check:
    """A check that finds each written field that the instance's release does not have (`not-in-version`)."""
    bounded = {FieldPath.parse(rule.path).segments: rule for rule in table if rule.since or rule.until}

    @lru_cache(maxsize=64)
    def absent(version: str) -> tuple[FieldPath, ...]:
        return tuple(FieldPath(path) for path, rule in bounded.items() if not _has(rule, version))

    def check(document: Mapping[str, Any], settings: Mapping[str, Any]) -> Iterable[Finding]:
        version = version_of(settings, newest)
        told: list[str] = []
        spec = document.get("spec") or {}
        if not any(is_there(spec, path) for path in absent(version)):
            return  # a twentieth of the time of going through all that is written
        for path, pattern in _places(spec, "", ()):
            rule = bounded.get(pattern)
            inside = any(path.startswith((f"{above}.", f"{above}[")) for above in told)
            if rule is not None and not _has(rule, version) and not inside:
                told.append(path)
                yield _finding(path, rule, version)

    return check


def _has(rule: FieldRule, version: str) -> bool:
    present = release(version)
    return (not rule.since or present >= release(rule.since)) and (not rule.until or present <= release(rule.until))


def _finding(path: str, rule: FieldRule, version: str) -> Finding:
    until = f"it exists from {rule.since} on" if rule.since else ""
    if rule.until:
        until = f"it exists from {rule.since} to {rule.until}" if rule.since else f"it exists up to {rule.until}"
    return Finding(
        code="not-in-version",
        path=path,
        wrong=f"{rule.path} does not exist in Run:ai {version}",
        expected=f"a field of this release ({until})",
    )


def _places(value: Any, path: str, pattern: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(index path, pattern) of every value that is written, parents first; null is not written."""
    if value is None:
        return
    if pattern:
        yield path, pattern
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _places(item, f"{path}.{key}" if path else str(key), (*pattern, str(key)))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _places(item, f"{path}[{index}]", (*pattern, "[*]"))
