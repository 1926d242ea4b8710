"""ModelArts notebooks: lists, details, and what replies, refusals and lists prove. Source: notebooks §§1, 5, 8.

What is easily got wrong: an instance that does not exist is HTTP 400 with 6309, while a 404 says that the route is not
there; a list shows only the caller's own instances unless asked otherwise; a good answer may hold an `error_code`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from reconciler.diff.change import Call, CallOp, Change
from reconciler.diff.live import Listing, Live, Verdict
from reconciler.fields import Kind, Phase
from reconciler.problems import Problem, ProviderError, UnknownOutcome
from reconciler.providers.base import Intent, Reply, Settled
from reconciler.providers.http import HttpReply, one_line
from reconciler.providers.modelarts.api import ApiContext, explain, reply_of
from reconciler.providers.modelarts.notebook_calls import notebook_calls
from reconciler.providers.modelarts.notebook_kind import NOTEBOOK
from reconciler.providers.modelarts.notebook_live import is_tombstone, lacks_spec, to_live
from reconciler.spec.resource import Resource

__all__ = ["NotebookApi"]

_ENGLISH: Final = {"X-Language": "en-us"}
_PAGE: Final = 100
_RESTARTS: Final = 3
_GONE: Final = frozenset({"ModelArts.6309", "ModelArts.6404"})
_TAKEN: Final = frozenset({"ModelArts.6301"})
_LOOK_FIRST: Final = frozenset({"ModelArts.6357"})
"""Another operation runs, or the instance is where it should be: only its status tells. Source: §1."""
_ALREADY: Final = {
    CallOp.START: frozenset({"ModelArts.6305", "ModelArts.6306"}),
    CallOp.STOP: frozenset({"ModelArts.6307", "ModelArts.6308", "ModelArts.6327"}),
}
"""The instance is in the wanted state, or on its way there. Source: §1."""
_BUSY: Final = frozenset({f"ModelArts.{code}" for code in (6304, 6305, 6306, 6307, 6308, 6347, 6355)})
_OWN_SCOPE: Final = (
    "the account may not list the instances of others ({}): only what it made itself was read, "
    "so absence proves nothing"
)


class NotebookApi:
    """A `KindApi` for notebooks."""

    kind: Kind = NOTEBOOK

    def __init__(self, shared: ApiContext) -> None:
        self._shared = shared
        self._http = shared.http
        self._base = f"/v1/{shared.project_id}/demanager/instances"

    def serves(self, path: str) -> bool:
        """Whether a call to this path is one of ours."""
        return path == self._base or path.startswith(f"{self._base}/")

    def load_catalogue(self) -> Mapping[str, Any]:
        """Nothing: this API has no route that lists profiles or flavors. Source: §2."""
        return {}

    def check(self, resource: Resource) -> Sequence[Problem]:  # noqa: ARG002 - the protocol's
        """Nothing: flavors and profiles can't be looked up, so the server's own refusal has to do."""
        return ()

    # -- reading ------------------------------------------------------------------------------------------------------

    def read_all(self) -> Listing:
        """Everything in the managed workspace and in the default answer, of all users where we may see them.

        Raises:
            ProviderError: when it can't be read, or not be read whole.
        """
        verdict, message = Verdict.COMPLETE, ""
        if self._shared.list_scope == "own":
            verdict, message = Verdict.PARTIAL, _OWN_SCOPE.format("listScope: own")
            found = self._read_workspaces("true")
        else:
            try:
                found = self._read_workspaces("false")
            except ProviderError as error:
                if error.status != 403:  # noqa: PLR2004 - Forbidden
                    raise
                verdict, message = Verdict.PARTIAL, _OWN_SCOPE.format(f"HTTP 403 {error.error_code}".strip())
                found = self._read_workspaces("true")
        items = self._with_details(list(found.values()))
        return Listing(
            provider=self._shared.provider,
            kind=NOTEBOOK,
            items=tuple(to_live(item, self._shared.provider) for item in items if not is_tombstone(item)),
            verdict=verdict,
            message=message,
        )

    def read_one(self, live_id: str) -> Live | None:
        """One instance by id; 6309 is gone, a 404 never is.

        Raises:
            ProviderError: for everything else that is no instance.
        """
        item = self._detail(live_id)
        return None if item is None or is_tombstone(item) else to_live(item, self._shared.provider)

    def _read_workspaces(self, show_self: str) -> dict[str, Mapping[str, Any]]:
        """The managed workspace, and once without any: what that means differs. Source: §5, §11."""
        found: dict[str, Mapping[str, Any]] = {}
        for workspace in (self._shared.workspace_id, ""):
            found |= self._read_list(show_self, workspace)
        return found

    def _read_list(self, show_self: str, workspace: str) -> dict[str, Mapping[str, Any]]:
        """One list, whole; begun again when it moves under the reader, three times at most."""
        query = {"de_type": "Notebook", "show_self": show_self, "sortby": "creation_timestamp", "order": "asc"}
        if workspace:
            query["workspace_id"] = workspace
        for _ in range(_RESTARTS + 1):
            found = self._read_pages(query)
            if found is not None:
                return found
        raise self._bad_list("it moved while it was read, or has fewer items than its total_count")

    def _read_pages(self, query: Mapping[str, str]) -> dict[str, Mapping[str, Any]] | None:
        """All pages by id, or `None` when they do not add up: the list moved, or ends too soon."""
        page, total = self._page(query)
        found, received = dict(page), len(page)
        while received < total:
            previous = list(page)
            page, now = self._page({**query, "offset": str(received), "limit": str(_PAGE)})
            if list(page) == previous and len(page) > 1:
                raise self._bad_list("it gives the same page again and again")
            if now != total or not page or page.keys() <= found.keys():
                return None
            found |= page
            received += len(page)
        return found if len(found) >= total else None

    def _page(self, query: Mapping[str, str]) -> tuple[dict[str, Mapping[str, Any]], int]:
        """(items of one answer by id, `total_count`), in the answer's order."""
        reply = self._http.get(self._base, query=query, headers=_ENGLISH)
        body = reply.body if isinstance(reply.body, Mapping) else {}
        items, total = body.get("instances"), body.get("total_count")
        if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
            code, sentence = explain(reply.body)
            raise self._bad_list(f"HTTP {reply.status} without instances {one_line(f'{code} {sentence}', 120)}".strip())
        if isinstance(total, bool) or not str(total).isdecimal():
            raise self._bad_list("total_count is missing, so nobody can tell whether it is whole")
        return {str(item.get("id") or ""): item for item in items}, int(str(total))

    def _bad_list(self, why: str) -> ProviderError:
        return ProviderError(
            f"{self._shared.provider}: GET {self._base}: the list can't be used: {why}", code="incomplete-list"
        )

    def _with_details(self, items: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """The same items, each with its spec; those that vanish meanwhile are left out."""
        poor = [str(item.get("id") or "") for item in items if lacks_spec(item)]
        if not poor:
            return list(items)
        with ThreadPoolExecutor(max_workers=max(1, self._shared.concurrency)) as pool:
            details = dict(zip(poor, pool.map(self._detail, poor), strict=True))
        whole = (details[live_id] if (live_id := str(item.get("id"))) in details else item for item in items)
        return [item for item in whole if item is not None]

    def _detail(self, live_id: str) -> Mapping[str, Any] | None:
        """The whole instance, or `None` when it does not exist."""
        path = f"{self._base}/{live_id}"
        try:
            reply = self._http.get(path, headers=_ENGLISH)
        except ProviderError as error:
            if error.error_code in _GONE:
                return None
            raise
        if isinstance(reply.body, Mapping) and reply.body.get("id"):
            return reply.body
        code, sentence = explain(reply.body)
        if code in _GONE:
            return None
        raise ProviderError(
            f"{self._shared.provider}: GET {path}: HTTP {reply.status} without an instance: "
            f"{one_line(f'{code} {sentence}', 120)}",
            code="not-json",
            status=reply.status,
            error_code=code,
        )

    # -- writing ------------------------------------------------------------------------------------------------------

    def calls(self, change: Change, marker: str) -> tuple[Call, ...]:
        """Pure: the writes of a change."""
        return notebook_calls(change, marker, base=self._base, workspace_id=self._shared.workspace_id)

    def reply(self, call: Call, reply: HttpReply) -> Reply:
        """What a 2xx reply told. With an `id` it is an instance, even if `error_code` says why that one failed. §1.

        Raises:
            UnknownOutcome: a body that is neither an instance nor an acknowledgement.
        """
        body = reply.body if isinstance(reply.body, Mapping) else {}
        live_id = str(body.get("id") or body.get("instance_id") or call.target)
        known = any(body.get(key) for key in ("id", "instance_id", "current_status"))
        if not known and (body.get("error_code") or call.op is CallOp.CREATE):
            code, sentence = explain(reply.body)
            raise UnknownOutcome(
                f"{self._shared.provider}: {call.method} {call.path}: HTTP {reply.status} without an instance: "
                f"{one_line(f'{code} {sentence}', 120)}; it may have been done",
                code="unknown-outcome",
                status=reply.status,
                error_code=code,
            )
        return reply_of(reply, live_id=live_id, evidence={"id": live_id} if call.op is CallOp.CREATE else {})

    def refused(self, call: Call, error: ProviderError) -> Reply:
        """What a refusal means here: already so, or the same error with the code that the engine knows it by. §1.

        Raises:
            UnknownOutcome: 6357, which only a look at the status can read.
            ProviderError: `not-found` for an instance that does not exist, `conflict` for a taken name or a busy
                instance; everything else as it came. A 404 is the route's, never the instance's.
        """
        found = error.error_code
        if found in _ALREADY.get(call.op, frozenset()):
            return Reply(status=error.status, live_id=call.target)
        if found in _LOOK_FIRST:
            raise UnknownOutcome(str(error), code="unknown-outcome", status=error.status, error_code=found) from None
        if found in _GONE:
            raise _recoded(error, "not-found") from None
        if found in _TAKEN or found in _BUSY:
            raise _recoded(error, "conflict") from None
        if error.code == "not-found":
            raise _recoded(error, "rejected") from None
        raise error

    def settle(self, intent: Intent, listing: Listing) -> Settled:
        """By operation id or the reply's id, never by name; absence counts only in a complete list. SETTLEMENT §5."""
        if intent.op == CallOp.CREATE:
            return _settle_create(intent, listing)
        item = listing.by_id(intent.target)
        if item is not None:
            return Settled(live=item)
        return Settled(absent=listing.verdict is Verdict.COMPLETE)


def _settle_create(intent: Intent, listing: Listing) -> Settled:
    told = intent.evidence.get("id", "")
    ours = [item for item in listing.items if _carries(item, intent.op_id) or (told and item.id == told)]
    living = [item for item in ours if item.phase is not Phase.GOING]
    if len(living) == 1:
        return Settled(live=living[0])
    if ours:
        return Settled(candidates=tuple(item.id for item in ours))
    return Settled(absent=listing.verdict is Verdict.COMPLETE)


def _carries(item: Live, op_id: str) -> bool:
    marker = item.parsed_marker
    return marker is not None and bool(op_id) and marker.op == op_id


def _recoded(error: ProviderError, code: str) -> ProviderError:
    return ProviderError(str(error), code=code, status=error.status, error_code=error.error_code)
