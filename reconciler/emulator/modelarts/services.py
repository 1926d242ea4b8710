"""The services API: `/v1/{project_id}/services…`. Source: modelarts-services §2."""

from __future__ import annotations

import collections
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from reconciler.emulator.modelarts import services_more as more
from reconciler.emulator.modelarts.iam import MOUNT, authenticate
from reconciler.emulator.modelarts.services_catalogue import DOUBTS, SPECIFICATIONS, seed_services
from reconciler.emulator.modelarts.services_checks import Refusal, read_create, read_update
from reconciler.emulator.modelarts.services_desk import SERVICES, SWITCHES, Desk, resource_id, wrong_status
from reconciler.emulator.modelarts.services_states import present, refuses, reschedule
from reconciler.emulator.modelarts.services_wire import Look, detail, list_item
from reconciler.emulator.store import Tx
from reconciler.emulator.wire import Handler, Request, Response, Route

__all__ = ["Services"]

_SORT_KEYS: Final = ("publish_at", "service_name", "transition_at")

Body = Callable[[Desk, Request], Response]
"""A handler behind the log-in."""


class Services:
    """Services of all three types, on the emulator's clock."""

    name = SERVICES
    switches = SWITCHES

    def __init__(self) -> None:
        self._open = False
        self._lock = threading.Lock()
        self._seen: collections.deque[float] = collections.deque()

    def mounts(self) -> Mapping[str, Sequence[Route]]:
        """Static segments before `{service_id}`. Source: §2."""
        base = "/v1/{project_id}/services"
        one = base + "/{service_id}"
        rows: tuple[tuple[str, str, Body], ...] = (
            ("POST", base, _create),
            ("GET", base, _list),
            ("GET", f"{base}/specifications", _specifications),
            ("GET", f"{base}/tms/tags", _all_tags),
            ("GET", f"{base}/count", _count),
            ("GET", one, _detail),
            ("PUT", one, _update),
            ("PATCH", one, _patch),
            ("DELETE", one, _delete),
            ("PUT", f"{one}/property", _property),
            ("PUT", f"{one}/nodes/{{node_id}}/status", _node_status),
            ("GET", f"{one}/events", _events),
            ("GET", f"{one}/logs", _logs),
            ("GET", f"{one}/monitor", _monitor),
            ("POST", f"{one}/tags/create", _tag),
            ("DELETE", f"{one}/tags/delete", _untag),
            ("GET", f"{one}/tags", _tags),
        )
        return {MOUNT: tuple(Route(method, path, self._guarded(body)) for method, path, body in rows)}

    def seed(self, tx: Tx) -> None:
        """Services that nobody here may touch."""
        self._seen.clear()  # a clock that begins anew would never come to the end of that window
        for doc in seed_services(tx.now):
            tx.put(SERVICES, doc["service_id"], doc, name=doc["fields"]["service_name"])

    def state(self, tx: Tx) -> list[dict[str, Any]]:
        """All services in detail form with their tags, those on their way out included."""
        look = Look({name: tx.switch(SERVICES, name) for name in SWITCHES}, tx.now)
        docs = (present(doc, tx.now) for _, doc in tx.all(SERVICES))
        return [{**detail(doc, look), "tags": doc["tags"]} for doc in docs if doc is not None]

    def error(self, status: int, message: str) -> Any:
        """The two keys of the API. Source: §1."""
        codes = {401: "ModelArts.0203", 403: "ModelArts.0108", 404: "ModelArts.0104", 429: "APIG.0308"}
        return {"error_code": codes.get(status, "ModelArts.0010"), "error_msg": message}

    def connection(self, base_url: str) -> Mapping[str, str]:  # noqa: ARG002 - the protocol's
        """IAM tells everything."""
        return {}

    def open_to_all(self) -> None:
        """Embedded: any credentials, projects and workspaces."""
        self._open = True

    def _guarded(self, body: Body) -> Handler:
        """Request id, rate limit, log-in, and refusals as error bodies."""

        def handler(tx: Tx, request: Request) -> Response:
            project_id = request.params["project_id"]
            reply = self._limited(tx) or authenticate(tx, request, project_id, _error, open_to_all=self._open)
            if reply is None:
                try:
                    reply = body(Desk(tx, project_id, is_open=self._open), request)
                except Refusal as refusal:
                    reply = _error(refusal.status, refusal.code, refusal.message)
            headers = {**reply.headers, "X-Request-Id": uuid.uuid4().hex}
            return Response(status=reply.status, body=reply.body, headers=headers)

        return handler

    def _limited(self, tx: Tx) -> Response | None:
        limit = tx.switch(SERVICES, "rate_limit")
        if not limit:
            return None
        with self._lock:
            while self._seen and self._seen[0] <= tx.now - float(limit["per_s"]):
                self._seen.popleft()
            if len(self._seen) < int(limit["requests"]):
                self._seen.append(tx.now)
                return None
        headers = {"Retry-After": str(limit["retry_after"])} if limit.get("retry_after") is not None else {}
        body = {"error_code": "APIG.0308", "error_msg": "The throttling threshold has been reached."}
        return Response(status=429, body=body, headers=headers)


# -- create, list, detail ---------------------------------------------------------------------------------------------


def _create(desk: Desk, request: Request) -> Response:
    strict, limit = bool(desk.switch("strict_fields")), int(desk.switch("instance_limit"))
    fields, config = read_create(_json(request), strict=strict, instance_limit=limit)
    doc = desk.create(fields, config)
    return Response(body={"service_id": doc["service_id"], "resource_ids": [resource_id(doc, desk.now)]})


def _list(desk: Desk, request: Request) -> Response:
    look = desk.look
    found = [list_item(doc, look) for doc in desk.all() if _wanted(desk, doc, request)]
    sort_by = request.first("sort_by", "publish_at")
    if sort_by not in _SORT_KEYS:
        raise Refusal(400, "0104", f"sort_by must be one of {list(_SORT_KEYS)}.")
    found.sort(key=lambda item: item[sort_by], reverse=request.first("order", "desc") != "asc")
    start, limit = _page(desk, request, int(desk.switch("limit_max")))
    page = found[start : start + limit]
    return Response(body={"total_count": len(found), "count": len(page), "services": page})


def _wanted(desk: Desk, doc: Mapping[str, Any], request: Request) -> bool:
    """The list's filters; unknown query keys are ignored. Source: §5."""
    fields = doc["fields"]
    exact = {
        "service_id": doc["service_id"],
        "infer_type": fields["infer_type"],
        "status": doc["status"],
        "cluster_id": fields.get("cluster_id", ""),
        "workspace_id": fields["workspace_id"],
    }
    default = {"workspace_id": "0"} if desk.switch("list_default_workspace") == "zero" else {}
    for key, value in exact.items():
        wanted = request.first(key) or default.get(key, "")
        if wanted and wanted != value:
            return False
    name, model = request.first("service_name"), request.first("model_id")
    substring = desk.switch("service_name_match") == "substring"
    if name and not (name in fields["service_name"] if substring else name == fields["service_name"]):
        return False
    if model and model not in {item["model_id"] for item in doc["config"]}:
        return False
    return more.has_tags(doc, request.first("tags"))


def _detail(desk: Desk, request: Request) -> Response:
    return Response(body=detail(desk.find(request.params["service_id"]), desk.look))


def _specifications(desk: Desk, request: Request) -> Response:
    start, limit = _page(desk, request, 1000)
    doubts = desk.switch("specification_doubts")
    page = [
        {**item, **DOUBTS.get(doubts.get(str(item["specification"]), ""), {})}
        for item in SPECIFICATIONS[start : start + limit]
    ]
    return Response(body={"total_count": len(SPECIFICATIONS), "count": len(page), "specifications": page})


def _count(desk: Desk, request: Request) -> Response:
    return Response(body={"total_count": sum(_wanted(desk, doc, request) for doc in desk.all())})


# -- change -----------------------------------------------------------------------------------------------------------


def _update(desk: Desk, request: Request) -> Response:
    """`status` beats `config`; an absent key leaves things as they are. Source: §6."""
    doc = desk.ours(request.params["service_id"])
    body = _json(request)
    if not isinstance(body, Mapping):
        raise Refusal(400, "0104", "The request body is not a JSON object.")
    texts = read_update(body, doc["fields"])
    status = body.get("status")
    config = body.get("config") if status is None else None
    if status is not None:
        desk.check_status(doc, str(status))
    if (config is not None and refuses(doc, "config")) or (texts and refuses(doc, "text")):
        raise wrong_status(doc)
    new = None if config is None else desk.read_config(doc, config)
    doc["fields"].update(texts)
    if "schedule" in texts:
        reschedule(doc, desk.now)
    if status is not None:
        desk.set_status(doc, str(status))
    reply = {} if new is None else desk.roll_out(doc, new)
    desk.keep(doc)
    return Response(body=reply)


def _patch(desk: Desk, request: Request) -> Response:
    """JSON patch, `replace` below `/config/` only. Source: §2."""
    doc = desk.ours(request.params["service_id"])
    if refuses(doc, "config"):
        raise wrong_status(doc)
    reply = desk.roll_out(doc, desk.read_config(doc, more.patched(doc["config"], _json(request))))
    desk.keep(doc)
    return Response(body=reply)


def _property(desk: Desk, request: Request) -> Response:
    """`instance_count` of real-time services; an equal value is refused. Source: §2."""
    doc = desk.ours(request.params["service_id"])
    if doc["status"] not in {"running", "concerning"} or doc["fields"]["infer_type"] != "real-time":
        raise wrong_status(doc)
    reply = desk.roll_out(doc, desk.read_config(doc, more.with_counts(doc["config"], _json(request))))
    desk.keep(doc)
    return Response(body=reply)


def _node_status(desk: Desk, request: Request) -> Response:
    doc = desk.ours(request.params["service_id"])
    more.set_node_status(doc, request.params["node_id"], _json(request))
    desk.keep(doc)
    return Response(body={})


def _delete(desk: Desk, request: Request) -> Response:
    """One id or several with commas between. Source: §2."""
    refusals: list[Refusal] = []
    docs = []
    for service_id in filter(None, request.params["service_id"].split(",")):
        try:
            doc = desk.ours(service_id, deleting=True)
            if doc["status"] == "deploying" and not desk.switch("delete_while_deploying"):
                raise wrong_status(doc)
            docs.append(doc)
        except Refusal as refusal:
            refusals.append(refusal)
    if refusals and (not docs or not desk.switch("batch_delete_partial")):
        raise refusals[0]
    for doc in docs:
        desk.delete(doc)
    return Response(body={})


# -- what else there is to see ----------------------------------------------------------------------------------------


def _events(desk: Desk, request: Request) -> Response:
    start, limit = _page(desk, request, int(desk.switch("limit_max")))
    return Response(body=more.events(desk.find(request.params["service_id"]), request, start, limit))


def _logs(desk: Desk, request: Request) -> Response:
    return Response(body=more.logs(desk.find(request.params["service_id"]), request.first("update_time")))


def _monitor(desk: Desk, request: Request) -> Response:
    return Response(body=more.monitor(desk.find(request.params["service_id"]), request.first("node_id")))


def _all_tags(desk: Desk, _request: Request) -> Response:
    return Response(body=more.all_tags(desk.all()))


def _tags(desk: Desk, request: Request) -> Response:
    doc = desk.find(request.params["service_id"])
    return Response(body={"tags": [{"key": key, "value": value} for key, value in doc["tags"].items()]})


def _tag(desk: Desk, request: Request) -> Response:
    doc = desk.ours(request.params["service_id"])
    more.add_tags(doc, _json(request))
    desk.keep(doc)
    return Response(status=204)


def _untag(desk: Desk, request: Request) -> Response:
    doc = desk.ours(request.params["service_id"])
    more.remove_tags(doc, _json(request))
    desk.keep(doc)
    return Response(status=204)


# -- requests ---------------------------------------------------------------------------------------------------------


def _error(status: int, code: str, message: str) -> Response:
    return Response(status=status, body={"error_code": code, "error_msg": message})


def _json(request: Request) -> Any:
    try:
        return request.json()
    except ValueError:
        raise Refusal(400, "0101", "The request body is no JSON.") from None


def _page(desk: Desk, request: Request, limit_max: int) -> tuple[int, int]:
    """(index of the first record, records); `offset` counts pages or records. Source: §5."""
    limit = min(_whole(request, "limit", 1000), limit_max) or 1
    return _whole(request, "offset", 0) * (limit if desk.switch("offset_mode") == "page" else 1), limit


def _whole(request: Request, name: str, default: int) -> int:
    text = request.first(name)
    if not text:
        return default
    if not text.isdigit():
        raise Refusal(400, "0104", f"{name} must be a number from 0.")
    return int(text)
