"""ModelArts notebooks, the old development environments (`demanager`), as their sheet describes them: routes and lists.

Source: modelarts-notebooks §2, §5, §6, §10. States are in `notebooks_life`, checks in `notebooks_checks`.
"""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

from reconciler.emulator.modelarts import iam
from reconciler.emulator.modelarts.notebooks_actions import act, remove
from reconciler.emulator.modelarts.notebooks_catalogue import FOREIGN, WORKSPACES
from reconciler.emulator.modelarts.notebooks_checks import Rejected, check_create, check_update
from reconciler.emulator.modelarts.notebooks_create import begin, new_instance
from reconciler.emulator.modelarts.notebooks_life import GONE, PASSING, advance, begin_countdown, enter
from reconciler.emulator.modelarts.notebooks_query import SORT, ListQuery
from reconciler.emulator.modelarts.notebooks_wire import instance
from reconciler.emulator.modelarts.switches import NOTEBOOKS
from reconciler.emulator.store import Tx
from reconciler.emulator.wire import Handler, Request, Response, Route

__all__ = ["Notebooks"]

_BASE: Final = "/v1/{project_id}/demanager/instances"
_INSTANCES: Final = "modelarts-notebooks"


class Notebooks:
    """The module. All instances of a project lie in one collection, keyed by id."""

    name = "modelarts-notebooks"
    switches = NOTEBOOKS

    def __init__(self) -> None:
        self._open = False

    def mounts(self) -> Mapping[str, Sequence[Route]]:
        """The routes of §2."""
        one = f"{_BASE}/{{instance_id}}"
        table: tuple[tuple[str, str, Handler], ...] = (
            ("POST", _BASE, self._create),
            ("GET", _BASE, self._list),
            ("GET", one, self._detail),
            ("PUT", one, self._update),
            ("DELETE", one, self._delete),
            ("POST", f"{one}/action", self._action),
            ("GET", f"{one}/token", self._token),
        )
        return {iam.MOUNT: tuple(Route(method, path, self._guarded(handler)) for method, path, handler in table)}

    def seed(self, tx: Tx) -> None:
        """Instances of other people, in the demo project."""
        for foreign in FOREIGN:
            begun = tx.now - foreign.age_s
            body = {
                "name": foreign.name,
                "description": foreign.description,
                "profile_id": foreign.profile,
                "flavor": foreign.flavor,
                "spec": {"storage": foreign.storage, "auto_stop": foreign.auto_stop},
            }
            doc = new_instance(body, foreign.user, begun, self._switches(tx))
            doc |= {"id": foreign.id, "order": tx.count(_INSTANCES)}
            enter(doc, foreign.status, begun)
            _put(tx, iam.PROJECT_ID, doc)

    def state(self, tx: Tx) -> list[dict[str, Any]]:
        """All live instances of all projects, whole."""
        return [self._body(tx, doc) for doc in _all(tx) if doc["status"] != GONE]

    def error(self, status: int, message: str) -> Any:
        """The API's error body, for injected faults and unknown routes."""
        codes = {401: "ModelArts.0203", 403: "ModelArts.0108", 404: "APIG.0101", 408: "ModelArts.6100"}
        codes |= {429: "ModelArts.6101", 500: "ModelArts.0010"}
        return {"error_message": message, "error_code": codes.get(status, "ModelArts.6400")}

    def connection(self, base_url: str) -> Mapping[str, str]:  # noqa: ARG002 - the protocol's
        """Nothing: the log-in's module tells it."""
        return {}

    def open_to_all(self) -> None:
        """Embedded: any credentials, project and workspace; what others made is there in each project."""
        self._open = True

    # -- every request ------------------------------------------------------------------------------------------------

    def _guarded(self, handler: Handler) -> Handler:
        """Log-in first, and refusals in the API's own form."""

        def guarded(tx: Tx, request: Request) -> Response:
            def refuse(status: int, code: str, message: str) -> Response:
                key = tx.switch(self.name, "error_key")
                return Response(status=status, body={key: message, "error_code": code})

            seen = _with_bearer(request) if tx.switch(self.name, "bearer_token") == "on" else request
            refusal = iam.authenticate(tx, seen, request.params["project_id"], refuse, open_to_all=self._open)
            if refusal is not None:
                return refusal
            try:
                return handler(tx, request)
            except Rejected as rejected:
                return refuse(rejected.status, f"ModelArts.{rejected.code:04}", rejected.message)

        return guarded

    def _switches(self, tx: Tx) -> dict[str, Any]:
        return {name: tx.switch(self.name, name) for name in self.switches}

    def _body(self, tx: Tx, doc: dict[str, Any], **options: Any) -> dict[str, Any]:
        return instance(doc, tx.now, self._switches(tx), **options)

    def _done(self, tx: Tx, body: Any) -> Response:
        return Response(status=int(tx.switch(self.name, "success_status")), body=body)

    def _visible(self, tx: Tx, project_id: str, *, named: str | None = None) -> list[dict[str, Any]]:
        """All instances of a project as they are now, tombstones too; in an open emulator with those of others.

        `named`: only those, and perhaps others.
        """
        shared = {project_id, iam.PROJECT_ID} if self._open else {project_id}
        foreign = {found.id for found in FOREIGN}
        return [
            doc
            for doc in _all(tx, named)
            if doc["project"] == project_id or (doc["project"] in shared and doc["id"] in foreign)
        ]

    def _living(self, tx: Tx, project: str, user: dict[str, str], *, named: str | None = None) -> list[dict[str, Any]]:
        """What stands in the way of a new one of this user."""
        alone = tx.switch(self.name, "name_scope") == "user"
        found = (doc for doc in self._visible(tx, project, named=named) if doc["status"] != GONE)
        return [doc for doc in found if not alone or doc["user"]["id"] == user["id"]]

    def _one(self, tx: Tx, request: Request) -> dict[str, Any]:
        """The instance of the path, as it is now.

        Raises:
            Rejected: 6309 when there is none.
        """
        stored = tx.get(_INSTANCES, request.params["instance_id"])
        if stored is None:
            raise Rejected(6309)
        own = stored["project"] == request.params["project_id"]
        foreign = self._open and any(stored["id"] == found.id for found in FOREIGN)
        doc = advance(stored, tx.now)
        if not (own or foreign) or doc["status"] == GONE:
            raise Rejected(6309)
        return doc

    # -- handlers -----------------------------------------------------------------------------------------------------

    def _create(self, tx: Tx, request: Request) -> Response:
        body = _json(request)
        check_create(
            body,
            leading_slash=tx.switch(self.name, "path_leading_slash") == "required",
            strict=tx.switch(self.name, "unknown_keys") == "refuse",
        )
        project = request.params["project_id"]
        workspace = (body.get("workspace") or {}).get("id") or "0"
        if workspace not in WORKSPACES and not self._open:
            raise Rejected(102, workspace)
        user = {"id": iam.OWNER, "name": iam.USERNAME}
        if any(doc["name"] == body["name"] for doc in self._living(tx, project, user, named=body["name"])):
            raise Rejected(6301)
        limit = int(tx.switch(self.name, "instance_limit"))
        if limit and len(self._living(tx, project, user)) >= limit:
            raise Rejected(6302)
        doc = new_instance(body, user, tx.now, self._switches(tx))
        doc["order"] = tx.count(_INSTANCES)
        begin(doc, tx.now, tx.switch(self.name, "create_outcome"))
        _put(tx, project, doc)
        return self._done(tx, self._body(tx, doc))

    def _list(self, tx: Tx, request: Request) -> Response:
        query = ListQuery.read(request, show_self_default=bool(tx.switch(self.name, "show_self_default")))
        if query.limit == 0 and query.limit_given and tx.switch(self.name, "limit_zero") == "refuse":
            raise Rejected(6336, "limit")
        scope = tx.switch(self.name, "foreign_show_self")
        if not query.show_self and scope == "403":
            raise Rejected(108, status=403)
        own = query.show_self or scope == "own"
        workspace = query.workspace
        if not workspace and tx.switch(self.name, "list_without_workspace") == "zero":
            workspace = "0"
        tombstones = query.status == GONE or bool(tx.switch(self.name, "list_includes_deleted"))
        found = [
            doc
            for doc in self._visible(tx, request.params["project_id"])
            if (tombstones or doc["status"] != GONE)
            and (not own or doc["user"]["id"] == iam.OWNER)
            and (not workspace or doc["workspace"] == workspace)
            and query.takes(doc)
        ]
        found.sort(key=SORT[query.sort], reverse=query.descending)
        page = found[query.offset : query.offset + query.limit] if query.limit else found[query.offset :]
        with_storage = not tx.switch(self.name, "list_omits_storage")
        total: Any = len(found)
        if tx.switch(self.name, "total_count_type") == "string":
            total = str(total)
        return Response(
            body={"instances": [self._body(tx, doc, with_storage=with_storage) for doc in page], "total_count": total}
        )

    def _detail(self, tx: Tx, request: Request) -> Response:
        return Response(body=self._body(tx, self._one(tx, request)))

    def _update(self, tx: Tx, request: Request) -> Response:
        """Source: §6: `description` and `spec.auto_stop` alone; the answer lacks `spec`."""
        doc, body = self._one(tx, request), _json(request)
        check_update(body, strict=tx.switch(self.name, "unknown_keys") == "refuse")
        if doc["status"] in PASSING and tx.switch(self.name, "put_in_transition") == "refuse":
            raise Rejected(6347, doc["status"], next(iter(body), "description"))
        if body.get("description") is not None:
            doc["description"] = body["description"]
        auto_stop = (body.get("spec") or {}).get("auto_stop")
        if auto_stop is not None:
            self._set_auto_stop(tx, doc, auto_stop)
        doc["updated"] = tx.now
        _put(tx, doc["project"], doc)
        answer = self._body(tx, doc)
        del answer["spec"]
        return self._done(tx, answer)

    def _set_auto_stop(self, tx: Tx, doc: dict[str, Any], wanted: Mapping[str, Any]) -> None:
        """A new `duration` counts from the next start; switching off ends the countdown, switching on begins one."""
        before = bool(doc["auto_stop"].get("enable"))
        merged = tx.switch(self.name, "put_auto_stop") == "merge"
        new = {key: wanted[key] for key in ("enable", "duration", "prompt") if wanted.get(key) is not None}
        doc["auto_stop"] = {**(doc["auto_stop"] if merged else {}), **new}
        if doc["status"] == "RUNNING" and bool(doc["auto_stop"].get("enable")) != before:
            begin_countdown(doc, tx.now)

    def _action(self, tx: Tx, request: Request) -> Response:
        doc, body = self._one(tx, request), _json(request)
        action = body.get("action") if isinstance(body, dict) else None
        if not isinstance(action, str):
            raise Rejected(6335, "action")
        before = doc["status"]
        doc["plan"] |= {name: float(tx.switch(self.name, name)) for name in ("starting_s", "stopping_s")}
        failed = tx.switch(self.name, "start_outcome") == "failed"
        doc["plan"]["started"] = "START_FAILED" if failed else "RUNNING"
        act(doc, action, tx.now)
        _put(tx, doc["project"], doc)
        return self._done(tx, {"current_status": doc["status"], "previous_state": before})

    def _delete(self, tx: Tx, request: Request) -> Response:
        doc = self._one(tx, request)
        lasts_s = float(tx.switch(self.name, "deleting_s")) if tx.switch(self.name, "delete") == "async" else 0.0
        remove(doc, tx.now, lasts_s=lasts_s, running_too=tx.switch(self.name, "delete_running") == "allow")
        _put(tx, doc["project"], doc)
        return self._done(tx, {"instance_id": doc["id"]})

    def _token(self, tx: Tx, request: Request) -> Response:
        if self._one(tx, request)["status"] != "RUNNING":
            raise Rejected(6327)
        return Response(body={"token": secrets.token_hex(16)})


def _json(request: Request) -> Any:
    try:
        return request.json()
    except ValueError:
        raise Rejected(6332, "body") from None


def _with_bearer(request: Request) -> Request:
    """`Authorization: Bearer <token>` taken for `X-Auth-Token`. Source: §1 [public G]."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer":
        return request
    return dataclasses.replace(request, headers={**request.headers, "x-auth-token": token})


def _all(tx: Tx, named: str | None = None) -> list[dict[str, Any]]:
    docs = [doc for _, doc in tx.all(_INSTANCES)] if named is None else tx.named(_INSTANCES, named)
    return [advance(doc, tx.now) for doc in docs]


def _put(tx: Tx, project: str, doc: dict[str, Any]) -> None:
    doc["project"] = project
    tx.put(_INSTANCES, doc["id"], doc, name=doc["name"])
