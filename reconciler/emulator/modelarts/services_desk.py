"""One request's desk: the stored services of its project, the switches, and what a change of a service sets off."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from reconciler.emulator.modelarts import services_more as more
from reconciler.emulator.modelarts.iam import OWNER, PROJECT_ID
from reconciler.emulator.modelarts.services_catalogue import MODELS, SPECIFICATIONS, WORKSPACES
from reconciler.emulator.modelarts.services_checks import Refusal, read_config
from reconciler.emulator.modelarts.services_states import (
    Timing,
    begin_delete,
    begin_deploy,
    begin_stop,
    note,
    present,
    refuses,
)
from reconciler.emulator.modelarts.services_wire import Look, millis
from reconciler.emulator.modelarts.switches import SERVICES as SWITCHES
from reconciler.emulator.store import Tx

__all__ = ["SERVICES", "SWITCHES", "Desk", "wrong_status"]

SERVICES: Final = "modelarts-services"
"""Name of the module, and of the collection that it keeps."""


_SPECIFICATIONS: Final = frozenset(str(item["specification"]) for item in SPECIFICATIONS)


class Desk:
    """What a handler works with, for one request and one project.

    `is_open` (embedded) shows what was there before us in every project, and knows every workspace.
    """

    def __init__(self, tx: Tx, project_id: str, *, is_open: bool) -> None:
        self._tx = tx
        self._project_id = project_id
        self._is_open = is_open
        self.now = tx.now

    def switch(self, name: str) -> Any:
        """The present value of a switch."""
        return self._tx.switch(SERVICES, name)

    @property
    def look(self) -> Look:
        """How replies look at the moment."""
        return Look({name: self.switch(name) for name in SWITCHES}, self.now)

    # -- stored services ----------------------------------------------------------------------------------------------

    def all(self) -> list[dict[str, Any]]:
        """Live services of the project."""
        return self._present(doc for _, doc in self._tx.all(SERVICES))

    def _present(self, docs: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        found = (present(doc, self.now) for doc in docs)
        return [doc for doc in found if doc is not None and self._belongs(doc)]

    def find(self, service_id: str) -> dict[str, Any]:
        """A live service.

        Raises:
            Refusal: 404 3502, with the id in the text.
        """
        stored = self._tx.get(SERVICES, service_id)
        doc = present(stored, self.now) if stored is not None and self._belongs(stored) else None
        if doc is None:
            raise Refusal(404, "3502", f"Service {service_id} does not exist.")
        return doc

    def ours(self, service_id: str, *, deleting: bool = False) -> dict[str, Any]:
        """A live service that whoever asks may change.

        Raises:
            Refusal: 404 3502, 400 3525 (subscribed) or 400 3540 (another owner).
        """
        doc = self.find(service_id)
        if doc["is_shared"] and not deleting:
            raise Refusal(400, "3525", "A subscribed service can not be updated.")
        if doc["owner"] != OWNER:
            raise Refusal(400, "3540", "You are not the owner of the service.")
        return doc

    def keep(self, doc: Mapping[str, Any]) -> None:
        """Store it."""
        self._tx.put(SERVICES, doc["service_id"], dict(doc), name=doc["fields"]["service_name"])

    # -- create and delete --------------------------------------------------------------------------------------------

    def create(self, fields: dict[str, Any], config: list[dict[str, Any]]) -> dict[str, Any]:
        """A new service, deploying.

        Raises:
            Refusal: 400 0102, 409 3503, 400 3520, or what the catalogue says.
        """
        if fields["workspace_id"] not in WORKSPACES and not self._is_open:
            raise Refusal(400, "0102", f"Workspace {fields['workspace_id']} does not exist.")
        self._check_catalogue(fields, config)
        named = self._present(self._tx.named(SERVICES, fields["service_name"]))
        if any(self._same_name(doc, fields) for doc in named if not doc["is_shared"]):
            raise Refusal(409, "3503", f"Service name {fields['service_name']} already exists.")
        quota = int(dict(self.switch("quota")).get(fields["infer_type"]) or 0)
        live = [doc for doc in self.all() if not doc["is_shared"]] if quota else ()
        if quota and sum(doc["fields"]["infer_type"] == fields["infer_type"] for doc in live) >= quota:
            raise Refusal(400, "3520", f"The number of {fields['infer_type']} services exceeds the quota of {quota}.")
        doc = _new_document(fields, config, self._project_id, self.now)
        begin_deploy(doc, self.now, self._timing, outcome=self._outcome(doc), stale=False)
        self.keep(doc)
        return doc

    def delete(self, doc: dict[str, Any]) -> None:
        """On its way out, once."""
        if doc["status"] != "deleting":
            begin_delete(doc, self.now, self._timing)
            self.keep(doc)

    # -- change -------------------------------------------------------------------------------------------------------

    def read_config(self, doc: Mapping[str, Any], raw: Any) -> list[dict[str, Any]]:
        """New configurations of a service.

        Raises:
            Refusal: 400 with the code of the broken rule, or 404 3507.
        """
        if self.switch("config_omitted_keys") == "keep" and isinstance(raw, list):
            raw = more.kept(doc["config"], raw)
        strict, limit = bool(self.switch("strict_fields")), int(self.switch("instance_limit"))
        new = read_config(raw, doc["fields"], strict=strict, instance_limit=limit)
        self._check_catalogue(doc["fields"], new)
        return new

    def check_status(self, doc: Mapping[str, Any], status: str) -> None:
        """Whether a PUT may ask for this status now.

        Raises:
            Refusal: 400 0104, 3519 or 3562.
        """
        if status not in {"running", "stopped"}:
            raise Refusal(400, "0104", "status must be one of [running, stopped].")
        if status == doc["status"] and self.switch("same_status_put") == 200:  # noqa: PLR2004 - the switch's word
            return
        if refuses(doc, status):
            raise wrong_status(doc)
        over = (doc.get("last_due") or self.now + 1) <= self.now
        if status == "running" and over and self.switch("schedule_restart") == "error":
            raise Refusal(400, "3562", "due_time must be in the future.")

    def set_status(self, doc: dict[str, Any], status: str) -> None:
        """Start or stop."""
        if status == doc["status"]:
            return
        if status == "stopped":
            begin_stop(doc, self.now, self._timing)
        else:
            begin_deploy(doc, self.now, self._timing, outcome=self._outcome(doc), stale=True)

    def roll_out(self, doc: dict[str, Any], new: list[dict[str, Any]]) -> dict[str, Any]:
        """Keep a new configuration at once, bring it out by a deployment unless the service rests; the reply."""
        old, doc["config"], doc["update_time"] = doc["config"], new, self.now
        rests = doc["status"] in {"stopped", "finished"}
        doc["logs"].append([self.now, "SUCCESS" if rests else "RUNNING", new])
        note(doc, self.now, "Update the service.")
        if not rests or self.switch("config_update_starts_stopped"):
            back_to = old if doc["fields"]["service_name"] in self.switch("update_rollback") else None
            outcome = self._outcome(doc)
            begin_deploy(doc, self.now, self._timing, outcome=outcome, back_to=back_to, stale=True)
        return {"update_time": millis(self.now), "resource_ids": [resource_id(doc, self.now)]}

    # -- inside -------------------------------------------------------------------------------------------------------

    @property
    def _timing(self) -> Timing:
        times = {name: float(self.switch(name)) for name in ("deploy_s", "batch_s", "stop_s", "delete_s")}
        return Timing(**times, stale_s=float(self.switch("stale_status_s")))

    def _outcome(self, doc: Mapping[str, Any]) -> str:
        outcomes = dict(self.switch("deploy_outcome"))
        return str(outcomes.get(doc["fields"]["service_name"]) or outcomes.get("*") or "")

    def _belongs(self, doc: Mapping[str, Any]) -> bool:
        return bool(doc["project"] == self._project_id or (self._is_open and doc.get("foreign")))

    def _same_name(self, doc: Mapping[str, Any], fields: Mapping[str, Any]) -> bool:
        other, scope = doc["fields"], self.switch("name_scope")
        if other["service_name"] != fields["service_name"]:
            return False
        if scope == "workspace" and other["workspace_id"] != fields["workspace_id"]:
            return False
        return scope != "type" or bool(other["infer_type"] == fields["infer_type"])

    def _check_catalogue(self, fields: Mapping[str, Any], config: Sequence[Mapping[str, Any]]) -> None:
        """Models and specifications; a dedicated pool has specifications of its own, and edge nodes have none."""
        for item in config:
            model = MODELS.get(item["model_id"])
            if model is None and self.switch("unknown_models") == "refuse":
                raise Refusal(404, "3507", f"Model {item['model_id']} does not exist.")
            if model is not None and model[2] != "published":
                raise Refusal(400, "3515", f"Model {item['model_id']} is being published.")
            pool = any(level.get(key) for level in (item, fields) for key in ("pool_name", "cluster_id"))
            if pool or fields["infer_type"] == "edge" or item["specification"] in {"custom", *_SPECIFICATIONS}:
                continue
            if self.switch("unknown_specifications") == "refuse":
                raise Refusal(400, "0107", f"Specification {item['specification']} does not exist.")


def resource_id(doc: Mapping[str, Any], now: float) -> str:
    """An entry of `resource_ids`: `INF-f878991839647358@1598319442708`."""
    return f"INF-{doc['url_key'].replace('-', '')[:16]}@{millis(now)}"


def wrong_status(doc: Mapping[str, Any]) -> Refusal:
    """The vendor's own wording, which contradicts its table. Source: modelarts-services §6."""
    allowed = "[deploying, running, stopping, deleting]"
    return Refusal(400, "3519", f"Only services in the {allowed} status can be updated; this is {doc['status']}.")


def _new_document(fields: dict[str, Any], config: list[dict[str, Any]], project_id: str, now: float) -> dict[str, Any]:
    return {
        "service_id": str(uuid.uuid4()),
        "project": project_id,
        "tenant": PROJECT_ID,
        "owner": OWNER,
        "is_shared": False,
        "fields": fields,
        "config": config,
        "status": "deploying",
        "created": now,
        "published": now,
        "transition": now,
        "events": [],
        "logs": [],
        "tags": {},
        "nodes": {str(node): "running" for item in config for node in item.get("nodes", ())},
        "plan": [],
        "url_key": str(uuid.uuid4()),
    }
