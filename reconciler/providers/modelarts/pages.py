"""Lists whose `offset` may count pages or records: nobody knows. Source: modelarts-services §5."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from reconciler.problems import ProviderError
from reconciler.providers.modelarts.api import ApiContext

__all__ = ["read_pages"]

_RESTARTS: Final = 3


class _Moved(Exception):
    """The list changed while its pages were read."""


def read_pages(
    shared: ApiContext, path: str, query: Mapping[str, str], *, items: str, key: str
) -> tuple[Mapping[str, Any], ...]:
    """All items of a list, each once by `key`, as many as its `total_count` says.

    Asks by record offset first, and by page number when that brings nothing; a total that moves starts the list again.

    Raises:
        ProviderError: `incomplete-list` when items are missing, when the list keeps moving or repeats a page;
            `not-json` when the reply is no such list.
    """
    for _ in range(1 + _RESTARTS):
        try:
            return tuple(_Pages(shared, path, query, items, key).read().values())
        except _Moved:
            continue
    raise ProviderError(
        f"{shared.provider}: GET {path}: read {1 + _RESTARTS} times, the list was never whole",
        code="incomplete-list",
    )


class _Pages:
    """One attempt."""

    def __init__(self, shared: ApiContext, path: str, query: Mapping[str, str], items: str, key: str) -> None:
        self._shared = shared
        self._path = path
        self._query = query
        self._items = items
        self._key = key
        self._found: dict[str, Mapping[str, Any]] = {}
        self._total = 0

    def read(self) -> dict[str, Mapping[str, Any]]:
        last = self._take(0)
        by_records, page = True, 0
        while len(self._found) < self._total:
            page += not by_records
            keys = self._take(len(self._found) if by_records else page)
            if not keys and by_records:
                by_records = False  # so `offset` counts pages here
            elif not keys:
                raise _Moved
            elif keys == last:
                raise ProviderError(
                    f"{self._shared.provider}: GET {self._path}: the same page came twice; "
                    f"{len(self._found)} of {self._total} items could be read",
                    code="incomplete-list",
                )
            last = keys or last
        if len(self._found) > self._total:
            raise _Moved
        return self._found

    def _take(self, offset: int) -> list[str]:
        """Ask for one page and keep it: the keys that it held."""
        reply = self._shared.http.get(self._path, query={**self._query, "offset": str(offset)})
        body = reply.body if isinstance(reply.body, Mapping) else {}
        page, total = body.get(self._items), _count(body.get("total_count"))
        if not isinstance(page, list) or total is None or not all(self._names(item) for item in page):
            raise ProviderError(
                f"{self._shared.provider}: GET {self._path}: HTTP {reply.status} without a list of {self._items}",
                code="not-json",
                status=reply.status,
            )
        if offset and total != self._total:
            raise _Moved
        self._total = total
        keys = [str(item[self._key]) for item in page]
        self._found.update(zip(keys, page, strict=True))
        return keys

    def _names(self, item: Any) -> bool:
        return isinstance(item, Mapping) and bool(item.get(self._key))


def _count(value: Any) -> int | None:
    """A count, also as text (case C19)."""
    text = str(value)
    return int(text) if text.isdigit() and not isinstance(value, bool) else None
