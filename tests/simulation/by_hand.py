"""What other people make in the vendors' consoles, through the emulator's own routes with their own log-in."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from reconciler.emulator.registry import modules
from tests.simulation.server import BASE, Answer, SimEmulator
from tests.simulation.truth import KINDS

__all__ = ["MAKE"]

_WHO: Final = "somebody"
_THEIRS: Final = "rc1.zzzzz.qqqqqqqq.1.n.aaaaa.bbbbbb"
"""The marker of another owner, who works with the same tool in the same account."""


def _told() -> dict[str, dict[str, str]]:
    told: dict[str, dict[str, str]] = {}
    for module in modules():
        told.setdefault(module.name.partition("-")[0], {}).update(module.connection(BASE))
    return told


_TOLD: Final = _told()


def _post(emulator: SimEmulator, address: str, body: Any, headers: Mapping[str, str]) -> Answer:
    return emulator.handle(_WHO, "POST", address, headers=headers, content=json.dumps(body).encode())


def _theta(emulator: SimEmulator, name: str) -> int:
    theta = _TOLD["theta"]
    key = {"x-api-key": theta["apiKey"]}
    page = emulator.handle(
        _WHO,
        "GET",
        f"{theta['endpoint']}/deployment_template/list_standard_templates?category=serving&number=50",
        headers=key,
    )
    found = json.loads(page.body)["body"]["templates"]
    template = next(one["id"] for one in found if one["name"] == "Triton Inference Server")
    body = {
        "project_id": theta["projectId"],
        "deployment_template_id": template,
        "container_image": "thetalabs/triton:24.07",
        "vm_id": "vm_gv1",
        "min_replicas": 1,
        "max_replicas": 1,
        "env_vars": {"MODE": name},
        "annotations": {"nickname": name} | ({"rc-id": _THEIRS} if name.endswith(("1", "3", "5")) else {}),
    }
    return _post(emulator, f"{theta['endpoint']}/deployment", body, key).status


def _runai(emulator: SimEmulator, name: str) -> int:
    runai = _TOLD["runai"]
    ask = {"grantType": "client_credentials", "clientId": runai["clientId"], "clientSecret": runai["clientSecret"]}
    token = json.loads(_post(emulator, f"{runai['endpoint']}/api/v1/token", ask, {}).body)["accessToken"]
    auth = {"authorization": f"Bearer {token}"}
    listed = emulator.handle(_WHO, "GET", f"{runai['endpoint']}/api/v1/org-unit/projects", headers=auth)
    project = next(one for one in json.loads(listed.body)["projects"] if one["name"] == runai["project"])
    body = {
        "name": name,
        "projectId": project["id"],
        "clusterId": project["clusterId"],
        "spec": {"image": "registry.example.com/theirs:1", "servingPort": {"container": 9000}},
    }
    return _post(emulator, f"{runai['endpoint']}/api/v1/workloads/inferences", body, auth).status


def _modelarts_token(emulator: SimEmulator) -> dict[str, str]:
    told = _TOLD["modelarts"]
    user = {"name": told["username"], "password": told["password"], "domain": {"name": told["domain"]}}
    ask = {
        "auth": {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": {"id": told["projectId"]}},
        }
    }
    reply = _post(emulator, f"{told['iamEndpoint']}/v3/auth/tokens", ask, {})
    return {"x-auth-token": reply.headers["x-subject-token"]}


def _service(emulator: SimEmulator, name: str) -> int:
    told = _TOLD["modelarts"]
    body = {
        "service_name": name,
        "infer_type": "real-time",
        "config": [
            {
                "model_id": "0e07b41b-173e-42db-8c16-8e1b44cc0d44",
                "specification": "modelarts.vm.cpu.2u",
                "instance_count": 1,
                "weight": 100,
            }
        ],
    }
    address = f"{told['endpoint']}/v1/{told['projectId']}/services"
    return _post(emulator, address, body, _modelarts_token(emulator)).status


def _notebook(emulator: SimEmulator, name: str) -> int:
    told = _TOLD["modelarts"]
    body = {
        "name": name,
        "profile_id": "Multi-Engine 2.0 (python3)",
        "flavor": "modelarts.vm.cpu.2u",
        "spec": {"storage": {"type": "obs", "location": {"path": "/shop-research/theirs/"}}},
    }
    address = f"{told['endpoint']}/v1/{told['projectId']}/demanager/instances"
    return _post(emulator, address, body, _modelarts_token(emulator)).status


MAKE: Final[Mapping[str, Callable[[SimEmulator, str], int]]] = dict(
    zip(KINDS, (_theta, _runai, _service, _notebook), strict=True)
)
"""Kind → (emulator, name) → status of the create."""
