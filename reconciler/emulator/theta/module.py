"""Routes of controller and API host. Source: theta §§1, 2, 9, 11."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from reconciler.emulator.store import Tx
from reconciler.emulator.theta.catalogue import (
    API_KEY,
    CUSTOM,
    KEYS,
    ORG,
    PROJECT,
    STANDARD,
    VMS,
    find_template,
)
from reconciler.emulator.theta.items import base_id, extended_view, is_listed, new_item, view
from reconciler.emulator.theta.seed import seed_foreign
from reconciler.emulator.theta.switches import SWITCHES
from reconciler.emulator.theta.validation import KNOWN_FIELDS, why_refused
from reconciler.emulator.wire import Handler, Request, Response, Route

__all__ = ["Theta"]

_ITEMS: Final = "theta-deployment"
_TEMPLATES: Final = "theta-template"
_NOT_ALLOWED: Final = "You are not allowed to perform this action"


class Theta:
    """The deployments API with its two hosts below `/theta/controller` and `/theta/api`."""

    name = "theta"
    switches = SWITCHES

    def __init__(self) -> None:
        self._open = False

    # -- Module ---------------------------------------------------------------------------------------------------

    def mounts(self) -> Mapping[str, Sequence[Route]]:
        """Both hosts; the more special of two overlapping paths comes first."""
        templates = "/deployment_template"
        controller = [
            Route("GET", f"{templates}/list_standard_templates", self._guarded(self._standard)),
            Route("GET", f"{templates}/list_custom_templates", self._guarded(self._custom)),
            Route("POST", templates, self._guarded(self._create_template)),
            Route("PUT", f"{templates}/{{id}}", self._guarded(self._update_template)),
            Route("DELETE", f"{templates}/{{id}}", self._guarded(self._delete_template)),
            Route("POST", "/deployment", self._guarded(self._create)),
            Route("DELETE", "/deployment/base/{base}", self._extra(self._delete_by_base)),
        ]
        for spelling, stem in (("plural", "/deployments"), ("singular", "/deployment")):
            one = f"{stem}/{{shard}}/{{suffix}}"
            controller += [
                Route("GET", f"{stem}/list", self._guarded(self._list, spelling)),
                Route("DELETE", one, self._guarded(self._delete, spelling)),
                *(Route(verb, f"{one}/stop", self._extra(self._stop, spelling)) for verb in ("PUT", "POST")),
                *(Route(verb, f"{one}/start", self._extra(self._start, spelling)) for verb in ("PUT", "POST")),
                Route("GET", one, self._extra(self._get, spelling)),
                Route("PUT", one, self._extra(self._update, spelling)),
            ]
        api = [
            Route("GET", "/resource/vm/list", self._machines),
            Route("GET", "/project/{id}", self._guarded(self._project)),
            Route("GET", "/project/{id}/users", self._guarded(self._users)),
            Route("GET", "/balance", self._guarded(self._balance)),
        ]
        return {"/theta/controller": controller, "/theta/api": api}

    def seed(self, tx: Tx) -> None:
        """A custom template, and three deployments of other people."""
        tx.put(_TEMPLATES, CUSTOM["id"], dict(CUSTOM))
        seed_foreign(tx)

    def state(self, tx: Tx) -> list[dict[str, Any]]:
        """All live items with every key that any client knows."""
        return [extended_view(tx, item) for _, item in tx.all(_ITEMS) if item["deleted"] is None]

    def error(self, status: int, message: str) -> Any:  # noqa: ARG002 - the envelope does not repeat the status
        """The error envelope. Source: theta §1 public P5 live."""
        return {"status": "error", "message": message}

    def connection(self, base_url: str) -> Mapping[str, str]:
        """What a client needs."""
        return {
            "endpoint": f"{base_url}/theta/controller",
            "apiEndpoint": f"{base_url}/theta/api",
            "projectId": PROJECT,
            "apiKey": API_KEY,
        }

    def open_to_all(self) -> None:
        """Any key is the key of whatever project it asks for; the default project's items are shown in all of them."""
        self._open = True

    # -- who may what ---------------------------------------------------------------------------------------------

    def _guarded(self, handler: Handler, spelling: str = "") -> Handler:
        """The route answers only in its spelling, and only to a known key."""

        def guarded(tx: Tx, request: Request) -> Response:
            if spelling and tx.switch("theta", "routes") not in ("both", spelling):
                return self._refuse(404, f"no route {request.method} {request.path}")
            key = request.headers.get("x-api-key", "")
            if not key:
                return self._refuse(401, "API key is missing")
            if not self._open and key not in KEYS:
                return self._refuse(403, _NOT_ALLOWED)
            return handler(tx, request)

        return guarded

    def _extra(self, handler: Handler, spelling: str = "") -> Handler:
        """A route that no official page names: there only with the switch `undocumented`."""
        inner = self._guarded(handler, spelling)

        def extra(tx: Tx, request: Request) -> Response:
            if not _on(tx, "undocumented"):
                return self._refuse(404, f"no route {request.method} {request.path}")
            return inner(tx, request)

        return extra

    def _may(self, request: Request, project: str) -> bool:
        return bool(project) and (self._open or KEYS.get(request.headers.get("x-api-key", "")) == project)

    def _sees(self, item: Mapping[str, Any], project: str) -> bool:
        return bool(item["project"] == project or (self._open and item.get("foreign")))

    def _refuse(self, status: int, message: str) -> Response:
        return Response(status=status, body=self.error(status, message))

    # -- templates and machines -----------------------------------------------------------------------------------

    def _standard(self, _tx: Tx, request: Request) -> Response:
        category = request.first("category")
        return _page(request, [item for item in STANDARD if category in ("", item["category"])])

    def _custom(self, tx: Tx, request: Request) -> Response:
        project = request.first("project_id")
        if not self._may(request, project):
            return self._refuse(403, _NOT_ALLOWED)
        ours = [
            {**item, "project_id": project}
            for _, item in tx.all(_TEMPLATES)
            if item["project_id"] == project or (self._open and item["id"] == CUSTOM["id"])
        ]
        return _page(request, ours)

    def _create_template(self, tx: Tx, request: Request) -> Response:
        body = _object(request)
        if body is None or not body.get("name") or not body.get("container_image"):
            return self._refuse(400, "name and container_image are required")
        if not self._may(request, str(body.get("project_id") or "")):
            return self._refuse(403, _NOT_ALLOWED)
        template_id = f"img_{tx.count('theta-template'):028d}"
        images = body["container_image"]
        template = {
            **CUSTOM,
            "id": template_id,
            "name": body["name"],
            "project_id": body["project_id"],
            "container_images": images if isinstance(images, list) else [images],
            "tags": body.get("tags") or [],
            "icon_url": body.get("icon_url"),
            "container_port": body.get("container_port") or 8080,
            "container_args": body.get("container_args"),
            "env_vars": body.get("env_vars"),
        }
        tx.put(_TEMPLATES, template_id, template)
        return _success(template)

    def _update_template(self, tx: Tx, request: Request) -> Response:
        template, body = tx.get(_TEMPLATES, request.params["id"]), _object(request)
        if template is None or body is None:
            return self._refuse(404, "template not found")
        if not self._may(request, template["project_id"]):
            return self._refuse(403, _NOT_ALLOWED)
        known = ("name", "container_port", "container_args", "env_vars", "tags", "icon_url")
        template |= {key: body[key] for key in known if key in body}
        tx.put(_TEMPLATES, template["id"], template)
        return _success(template)

    def _delete_template(self, tx: Tx, request: Request) -> Response:
        template = tx.get(_TEMPLATES, request.params["id"])
        if template is None:
            return self._refuse(404, "template not found")
        if not self._may(request, request.first("project_id")) or template["project_id"] != request.first("project_id"):
            return self._refuse(403, _NOT_ALLOWED)
        tx.delete(_TEMPLATES, template["id"])
        return _success(body=True)

    def _machines(self, tx: Tx, request: Request) -> Response:
        key = request.headers.get("x-api-key", "")
        if tx.switch("theta", "vm_list_auth") == "required" and not (key and (self._open or key in KEYS)):
            return self._refuse(403 if key else 401, _NOT_ALLOWED)
        return _success({"vms": list(VMS)})

    # -- deployments ----------------------------------------------------------------------------------------------

    def _create(self, tx: Tx, request: Request) -> Response:
        body = _object(request)
        if body is None:
            return self._refuse(400, "the body is no JSON object")
        project = body.get("project_id")
        if not isinstance(project, str) or not project:
            return self._refuse(400, "project_id is required")
        if not self._may(request, project):
            return self._refuse(403, _NOT_ALLOWED)
        template = find_template(tx, str(body.get("deployment_template_id")), project, any_project=self._open)
        refused = _unknown_fields(tx, body) or (why_refused(body, template) if _on(tx, "strict") else "")
        if refused:
            return self._refuse(400, refused)
        item = new_item(tx, project, template or {}, body)
        tx.put(_ITEMS, f"{item['shard']}/{item['suffix']}", item)
        shown = extended_view(tx, item)
        if tx.switch("theta", "create_shape") == "object":
            return _success(shown)
        return _success(f"Custom deployment initiated. Access it at: {shown['Endpoint']}")

    def _list(self, tx: Tx, request: Request) -> Response:
        project = request.first("project_id")
        if not self._may(request, project):
            return self._refuse(403, _NOT_ALLOWED)
        wanted, unwanted = request.first("template_name"), set(request.every("not_template_name"))
        return _success(
            [
                {**view(tx, item), "ProjectID": project}
                for _, item in tx.all(_ITEMS)
                if self._sees(item, project)
                and is_listed(tx, item)
                and wanted in ("", item["template"])
                and item["template"] not in unwanted
            ]
        )

    def _find(self, tx: Tx, request: Request) -> tuple[str, dict[str, Any]] | Response:
        """The live item of shard and suffix in the asked project, as the list spells them, or a refusal."""
        project = request.first("project_id")
        if not self._may(request, project):
            return self._refuse(403, _NOT_ALLOWED)
        key = f"{request.params['shard']}/{request.params['suffix']}"
        found = tx.get(_ITEMS, key)
        if _on(tx, "suffix_glitch"):
            spelt = {f"{item['shard']}/{extended_view(tx, item)['Suffix']}": item for _, item in tx.all(_ITEMS)}
            found = spelt.get(key)
        if found is None or found["deleted"] is not None or not self._sees(found, project):
            return self._refuse(404, "deployment not found")
        return f"{found['shard']}/{found['suffix']}", found

    def _delete(self, tx: Tx, request: Request) -> Response:
        found = self._find(tx, request)
        if isinstance(found, Response):
            missing_is_fine = found.status == 404 and int(tx.switch("theta", "delete_missing")) == 200  # noqa: PLR2004
            return _deleted(tx) if missing_is_fine else found
        key, item = found
        tx.put(_ITEMS, key, item | {"deleted": tx.now})
        return _deleted(tx)

    def _delete_by_base(self, tx: Tx, request: Request) -> Response:
        project = request.first("project_id")
        if not self._may(request, project):
            return self._refuse(403, _NOT_ALLOWED)
        for key, item in tx.all(_ITEMS):
            if base_id(item) == request.params["base"] and self._sees(item, project) and item["deleted"] is None:
                tx.put(_ITEMS, key, item | {"deleted": tx.now})
                return _deleted(tx)
        return self._refuse(404, "deployment not found")

    # -- undocumented ---------------------------------------------------------------------------------------------

    def _get(self, tx: Tx, request: Request) -> Response:
        found = self._find(tx, request)
        return found if isinstance(found, Response) else _success(view(tx, found[1]))

    def _update(self, tx: Tx, request: Request) -> Response:
        found, body = self._find(tx, request), _object(request)
        if isinstance(found, Response) or body is None:
            return found if isinstance(found, Response) else self._refuse(400, "the body is no JSON object")
        key, item = found
        names = {"min_replicas": "min", "max_replicas": "max", "annotations": "annotations", "container_image": "image"}
        tx.put(_ITEMS, key, item | {ours: body[theirs] for theirs, ours in names.items() if theirs in body})
        return _success(view(tx, item))

    def _stop(self, tx: Tx, request: Request) -> Response:
        return self._switch_run(tx, request, stopped=True)

    def _start(self, tx: Tx, request: Request) -> Response:
        return self._switch_run(tx, request, stopped=False)

    def _switch_run(self, tx: Tx, request: Request, *, stopped: bool) -> Response:
        found = self._find(tx, request)
        if isinstance(found, Response):
            return found
        key, item = found
        tx.put(_ITEMS, key, item | {"stopped": stopped, "started": tx.now})
        return _success("Deployment stopped" if stopped else "Deployment started")

    # -- project, users, balance ----------------------------------------------------------------------------------

    def _project(self, _tx: Tx, request: Request) -> Response:
        project = request.params["id"]
        if not self._may(request, project):
            return self._refuse(403, _NOT_ALLOWED)
        return _success({"projects": [{"id": project, "name": "Demo project", "org_id": ORG}]})

    def _users(self, _tx: Tx, request: Request) -> Response:
        if not self._may(request, request.params["id"]):
            return self._refuse(403, _NOT_ALLOWED)
        return _success({"users": [{"id": "5kyver75cswdi2s2u4eby1d7dxyz", "role": "owner"}]})

    def _balance(self, _tx: Tx, request: Request) -> Response:
        return _success({"balances": [{"org_id": request.first("orgID", ORG), "balance": 1000.0}]})


def _on(tx: Tx, switch: str) -> bool:
    """Whether a switch is on; `"on"` and `"off"`, as the sheet writes them, count too."""
    value = tx.switch("theta", switch)
    return value not in (False, "off", "false", 0, None, "")


def _unknown_fields(tx: Tx, body: Mapping[str, Any]) -> str:
    unknown = set(body) - KNOWN_FIELDS - ({"name"} if _on(tx, "accept_name") else set())
    if unknown and tx.switch("theta", "unknown_fields") == "reject":
        return f"unknown fields: {', '.join(sorted(unknown))}"
    return ""


def _success(body: Any) -> Response:
    return Response(body={"status": "success", "body": body})


def _deleted(tx: Tx) -> Response:
    if tx.switch("theta", "delete_body") == "empty":
        return Response()
    return _success("Deployment deleted")


def _page(request: Request, items: list[dict[str, Any]]) -> Response:
    """Templates page by page: `page` from 0, `number` an answer, the total as text (theta §9)."""
    page, number = (int(text) if (text := request.first(name)).isdigit() else default for name, default in _PAGING)
    shown = items[page * number : (page + 1) * number]
    return _success({"total_count": str(len(items)), "templates": shown, "page": page, "number": number})


_PAGING: Final = (("page", 0), ("number", 10))


def _object(request: Request) -> dict[str, Any] | None:
    try:
        body = request.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None
