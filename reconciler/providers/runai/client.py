"""The control plane's wire: lists with their pages, details, look-ups, single writes. Source: runai §§1, 2, 5."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from reconciler.problems import ProviderError, UnknownOutcome
from reconciler.providers.base import Context
from reconciler.providers.http import HttpClient, HttpReply
from reconciler.providers.runai.auth import RunaiAuth
from reconciler.providers.runai.kinds import MARKER
from reconciler.providers.runai.replies import explain, scrub
from reconciler.spec.values import KnownAfterApply, SecretRef, fill

__all__ = ["INFERENCES", "WORKLOADS", "Parts", "RunaiClient"]

INFERENCES: Final = "/api/v1/workloads/inferences"
WORKLOADS: Final = "/api/v1/workloads"
_PROJECTS: Final = "/api/v1/org-unit/projects"
_CLUSTERS: Final = "/api/v1/clusters"
_PAGE: Final = 500
_TAKEN: Final = "already exists"
_BRIEF_S: Final = 10.0
"""Longest wait for one reply that a command can do without."""

Item = Mapping[str, Any]
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """All that the API tells of one inference: its detail, its item of the list, its newest revision."""

    detail: Item
    item: Item
    revision: Item | None = None


class RunaiClient:
    """One control plane. Raises `ProviderError` only.

    Args:
        name: Provider instance, for messages.
        settings: Its settings.
        context: Clock, secrets, allowed hosts.
        revisions: Whether this release tells revisions.
    """

    def __init__(self, name: str, settings: Mapping[str, Any], context: Context, *, revisions: bool) -> None:
        self._name = name
        self._context = context
        self._revisions = revisions
        self._workers = max(1, int(settings.get("concurrency") or 4))
        self._auth = RunaiAuth(name, settings, context)
        self._endpoint = str(settings["endpoint"])
        self._timeout_s = float(settings.get("requestTimeout", 60.0))
        self._http = self._open(self._timeout_s)
        self._lock = threading.Lock()
        self._brief: HttpClient | None = None

    def _open(self, timeout_s: float) -> HttpClient:
        return HttpClient(
            provider=self._name,
            context=self._context,
            base_urls={"": self._endpoint},
            auth=self._auth,
            explain=explain,
            timeout_s=timeout_s,
            concurrency=self._workers,
            beside=self._auth.http,
        )

    def close(self) -> None:
        """Give connections back."""
        self._http.close()
        if self._brief is not None:
            self._brief.close()
        self._auth.close()

    def has_second_token(self) -> bool | None:
        """See `RunaiAuth.has_v2`."""
        return self._auth.has_v2()

    # -- look-ups -------------------------------------------------------------------------------------------------

    def clusters(self) -> list[Item]:
        """All clusters; the reply is a bare array."""
        body = self._http.get(_CLUSTERS, query={"verbosity": "metadata"}).body
        if not isinstance(body, list) or not all(isinstance(item, Mapping) for item in body):
            raise self._odd(_CLUSTERS, "the body is no list of clusters")
        return list(body)

    def cluster(self, cluster_id: str) -> Item | None:
        """One cluster by id."""
        return self._one(f"{_CLUSTERS}/{cluster_id}")

    def projects(self, name: str = "") -> list[Item]:
        """Projects of this exact name, or all of them."""
        # A comma in a filter can't be told from the comma between filters.
        query = {"filterBy": f"name=={name}"} if name and "," not in name else {}
        items, _ = self._pages(_PROJECTS, "projects", query)
        return [item for item in items if not name or item.get("name") == name]

    def project(self, project_id: str) -> Item | None:
        """One project by id."""
        return self._one(f"{_PROJECTS}/{project_id}")

    # -- workloads ------------------------------------------------------------------------------------------------

    def inferences(self, project_id: str) -> tuple[list[Item], int]:
        """The project's inferences as the list shows them, each once, oldest first; and how many pages that took."""
        query = {
            "filterBy": f"projectId=={project_id},type==Inference",
            "sortBy": "createdAt",
            "sortOrder": "asc",
        }
        items, pages = self._pages(WORKLOADS, "workloads", query)
        ours = [
            item
            for item in items
            if str(item.get("type")).casefold() == "inference"
            and str(item.get("projectId")) == project_id
            and item.get("deletedAt") is None
        ]
        return ours, pages

    def each(self, items: Iterable[Item], make: Callable[[Parts], _T]) -> list[_T | None]:
        """What `make` makes of detail and newest revision of each; `None` for one that has left since it was listed.

        Made while others are waited for, not of all at the end: 0.3 s and 30 MB of 2,500.
        """

        def look(item: Item) -> _T | None:
            parts = self._parts(str(item["id"]), item)
            return None if parts is None else make(parts)

        with ThreadPoolExecutor(max_workers=self._workers) as pool:
            return list(pool.map(look, items))

    def one(self, workload_id: str) -> Parts | None:
        """All about one inference; `None` when it is gone."""
        parts = self._parts(workload_id, None)
        if parts is None:
            return None
        item = self._one(f"{WORKLOADS}/{workload_id}")
        return Parts(detail=parts.detail, item=item or {}, revision=parts.revision)

    def pods(self, workload_id: str) -> list[Item]:
        """The workload's pods, each with an id."""
        return self._pages(f"{WORKLOADS}/{workload_id}/pods", "pods", {}, self._brief_one())[0]

    def measure(self, path: str, query: Mapping[str, str]) -> HttpReply:
        """Measurements, whole (200) or in part (207). No command waits long for them."""
        return self._brief_one().get(path, query=query)

    def _brief_one(self) -> HttpClient:
        with self._lock:
            if self._brief is None:
                self._brief = self._open(min(self._timeout_s, _BRIEF_S))
            return self._brief

    def _parts(self, workload_id: str, item: Item | None) -> Parts | None:
        detail = self._one(f"{INFERENCES}/{workload_id}")
        if detail is None or detail.get("deletedAt") is not None:
            return None
        revision = self._newest_revision(workload_id) if self._rolled(detail, item) else None
        return Parts(detail=detail, item=item or {}, revision=revision)

    def _rolled(self, detail: Item, item: Item | None) -> bool:
        """Whether the newest revision must be looked at: for ours always, for others when something moved."""
        if not self._revisions or str(detail.get("actualPhase")) not in {"Running", "Updating", "Degraded"}:
            return False
        return item is None or item.get("updatedAt") != item.get("createdAt") or _is_marked(detail)

    def _newest_revision(self, workload_id: str) -> Item | None:
        path = f"{INFERENCES}/{workload_id}/revisions"
        body = self._one(path)
        if body is None:  # a cluster that is older than its control plane
            return None
        revisions = body.get("revisions")
        if not isinstance(revisions, list) or not all(isinstance(one, Mapping) for one in revisions):
            raise self._odd(path, "there is no list 'revisions'")
        return max(revisions, key=lambda one: str(one.get("createdAt") or ""), default=None)

    # -- writing --------------------------------------------------------------------------------------------------

    def write(self, method: str, path: str, body: Any) -> HttpReply:
        """One write.

        Raises:
            UnknownOutcome: it may have landed.
            ProviderError: refused; `conflict` for a name that is taken, whatever its status.
        """
        told: set[str] = set()

        def reveal(ref: SecretRef | KnownAfterApply) -> Any:
            if not isinstance(ref, SecretRef):
                return ref
            value = self._context.resolve(ref.name)
            told.add(value)
            return value

        payload = fill(body, reveal)
        try:
            return self._http.write(method, path, body=payload)
        except ProviderError as error:
            message = scrub(str(error), told)
            taken = error.status == 400 and _TAKEN in message.casefold()  # noqa: PLR2004 - Bad Request
            code = "conflict" if taken else error.code
            kind: Callable[..., ProviderError] = UnknownOutcome if isinstance(error, UnknownOutcome) else ProviderError
            raise kind(message, code=code, status=error.status, error_code=error.error_code) from None

    # -- reading --------------------------------------------------------------------------------------------------

    def _one(self, path: str) -> Item | None:
        try:
            body = self._http.get(path).body
        except ProviderError as error:
            if error.code == "not-found":
                return None
            raise
        if not isinstance(body, Mapping):
            raise self._odd(path, "the body is no object")
        return body

    def _pages(
        self, path: str, key: str, query: Mapping[str, str], http: HttpClient | None = None
    ) -> tuple[list[Item], int]:
        """All items of a list, each id once, and the number of pages. `next` is the offset of the next page."""
        found: dict[str, Item] = {}
        offset, pages = 0, 0
        while True:
            body = (http or self._http).get(path, query={**query, "limit": str(_PAGE), "offset": str(offset)}).body
            items = body.get(key) if isinstance(body, Mapping) else None
            if not isinstance(items, list) or not all(isinstance(one, Mapping) and one.get("id") for one in items):
                raise self._odd(path, f"there is no list {key!r} of items with ids")
            fresh = {str(one["id"]): one for one in items if str(one["id"]) not in found}
            if items and not fresh:
                raise self._odd(path, f"the page at offset {offset} repeats what was read before")
            found |= fresh
            pages += 1
            following = body.get("next")
            if not items or not isinstance(following, int) or following <= offset:
                return list(found.values()), pages
            offset = following

    def _odd(self, path: str, wrong: str) -> ProviderError:
        return ProviderError(f"{self._name}: GET {path}: {wrong}", code="unexpected-reply")


def _is_marked(detail: Item) -> bool:
    spec = detail.get("spec")
    annotations = spec.get("annotations") if isinstance(spec, Mapping) else None
    return isinstance(annotations, list) and any(
        isinstance(one, Mapping) and one.get("name") == MARKER for one in annotations
    )
