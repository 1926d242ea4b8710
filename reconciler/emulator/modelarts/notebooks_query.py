"""The query of a notebook list: filters, order, pages. Source: modelarts-notebooks §5."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from reconciler.emulator.modelarts.notebooks_checks import Rejected
from reconciler.emulator.wire import Request

__all__ = ["SORT", "ListQuery"]

SORT: Final[Mapping[str, Callable[[dict[str, Any]], Any]]] = {
    "name": lambda doc: (doc["name"], doc["id"]),
    "creation_timestamp": lambda doc: (doc["created"], doc["order"]),
}
"""Fields that a list may be sorted by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """The query of a list. Source: §5."""

    sort: str
    descending: bool
    offset: int
    limit: int
    limit_given: bool
    workspace: str
    show_self: bool
    status: str
    exact: Mapping[str, str]

    @classmethod
    def read(cls, request: Request, *, show_self_default: bool) -> ListQuery:
        """Read and check it.

        Raises:
            Rejected: 6335 without `de_type`, 6336 for another one or bad numbers, 6303 for a bad sort field.
        """
        if not request.first("de_type"):
            raise Rejected(6335, "de_type")
        if request.first("de_type") != "Notebook":
            raise Rejected(6336, "de_type")
        sort = request.first("sortby") or "name"
        if sort not in SORT:
            raise Rejected(6303, sort)
        offset, limit = request.first("offset") or "0", request.first("limit") or "0"
        for name, text in (("offset", offset), ("limit", limit)):
            if not text.isdecimal():
                raise Rejected(6336, name)
        shown = request.first("show_self").lower()
        return cls(
            sort=sort,
            descending=request.first("order").lower() == "desc",
            offset=int(offset),
            limit=int(limit),
            limit_given=bool(request.first("limit")),
            workspace=request.first("workspace_id"),
            show_self=shown == "true" if shown else show_self_default,
            status=request.first("status"),
            exact={name: request.first(name) for name in ("ai_project", "pool_id") if request.first(name)},
        )

    def takes(self, doc: dict[str, Any]) -> bool:
        """Whether an instance passes the filters that are left."""
        if self.status and doc["status"] != self.status:
            return False
        if "pool_id" in self.exact and (doc["pool"] or {}).get("id") != self.exact["pool_id"]:
            return False
        return "ai_project" not in self.exact or doc["ai_project"]["id"] == self.exact["ai_project"]
