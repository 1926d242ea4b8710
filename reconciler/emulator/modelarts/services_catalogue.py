"""What the services API starts with: specifications, models, workspaces, and services of other people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from reconciler.emulator.modelarts.iam import OWNER, PROJECT_ID

__all__ = ["DOUBTS", "INFER_TYPES", "MODELS", "SPECIFICATIONS", "WORKSPACES", "seed_services"]

INFER_TYPES: Final = ("real-time", "batch", "edge")

_SIZES: Final = (
    ("modelarts.vm.cpu.2u", "CPU", "2 vCPUs | 8 GB", False),
    ("modelarts.vm.cpu.4u", "CPU", "4 vCPUs | 16 GB", False),
    ("modelarts.vm.cpu.8u", "CPU", "8 vCPUs | 32 GB", False),
    ("modelarts.vm.cpu.16u", "CPU", "16 vCPUs | 64 GB", False),
    ("modelarts.vm.cpu.free", "CPU", "1 vCPU | 4 GB", True),
    ("modelarts.vm.gpu.p4", "GPU", "8 vCPUs | 32 GB, 1 x P4", False),
    ("modelarts.vm.gpu.t4", "GPU", "8 vCPUs | 32 GB, 1 x T4", False),
    ("modelarts.vm.gpu.v100", "GPU", "8 vCPUs | 64 GB, 1 x V100", False),
    ("modelarts.vm.gpu.free", "GPU", "8 vCPUs | 32 GB, 1 x P4", True),
    ("modelarts.vm.ai1.a310", "ASCEND", "3 vCPUs | 6 GB, 1 x Ascend 310", False),
    # The vendor's own slip of the pen, kept verbatim. Source: modelarts-services §9.18
    ("modelsarts.vm.ai1.a310", "ASCEND", "3 vCPUs | 6 GB, 1 x Ascend 310", False),
)

SPECIFICATIONS: Final[tuple[Mapping[str, Any], ...]] = tuple(
    {
        "specification": name,
        "billing_spec": f"modelarts.bm.{name.rpartition('.')[2]}",
        "category": category,
        "display_en": words,
        "display_cn": words,
        "is_open": True,
        "is_free": free,
        "over_quota": False,
        "spec_status": "normal",
        "extend_params": 1,
        "source_type": "custom",
        "max_free_count": 1 if free else 0,
    }
    for name, category, words, free in _SIZES
)
"""Bodies of `GET /services/specifications`. Source: modelarts-services §2, §3.2."""

DOUBTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "sellout": {"spec_status": "sellout"},
    "closed": {"is_open": False},
    "over_quota": {"over_quota": True},
}
"""Words of the switch `specification_doubts` → what such a body says instead."""

MODELS: Final[Mapping[str, tuple[str, str, str]]] = {
    "0e07b41b-173e-42db-8c16-8e1b44cc0d44": ("mnist", "1.0.0", "published"),
    "598b913a-af3e-41ba-a1b5-bf065320f1e2": ("xgboost-churn", "0.0.3", "published"),
    "eb6a4a8c-5713-4a27-b8ed-c7e694499af5": ("edge-detect", "2.1.0", "published"),
    "xxxmodel-idxxx": ("mxnet-model-1", "0.0.1", "published"),
    "xxxxxx": ("mxnet-model-1", "0.0.2", "published"),
    "5d1e6c1b-3b7e-4a4e-9b8f-0d6c2f7a9e11": ("half-imported", "0.0.1", "publishing"),
}
"""Model id → name, version, status."""

WORKSPACES: Final = ("0", "1201", "1202")


def seed_services(now: float) -> list[dict[str, Any]]:
    """What was there before us: another user's, a subscribed one, one made by hand, one of another workspace."""
    stranger = "2f6a90c3a4e14b7d9a5a1fd8c7b60e42"
    config = {
        "model_id": "0e07b41b-173e-42db-8c16-8e1b44cc0d44",
        "specification": "modelarts.vm.cpu.2u",
        "instance_count": 1,
        "weight": 100,
    }
    week = now - 7 * 86400.0
    return [
        _service("a8d2f8f0-5f5c-4e0e-8a53-3b1f6ad1c001", "ranking-team-b", stranger, config, week),
        _service("a8d2f8f0-5f5c-4e0e-8a53-3b1f6ad1c002", "ocr-market", stranger, config, week, is_shared=True),
        _service("a8d2f8f0-5f5c-4e0e-8a53-3b1f6ad1c003", "hand-made", OWNER, config, week, status="stopped"),
        _service("a8d2f8f0-5f5c-4e0e-8a53-3b1f6ad1c004", "research-llm", OWNER, config, week, workspace_id="1201"),
    ]


def _service(
    service_id: str,
    name: str,
    owner: str,
    config: Mapping[str, Any],
    at: float,
    *,
    status: str = "running",
    is_shared: bool = False,
    workspace_id: str = "0",
) -> dict[str, Any]:
    return {
        "service_id": service_id,
        "project": PROJECT_ID,
        "tenant": PROJECT_ID,
        "owner": owner,
        "is_shared": is_shared,
        "foreign": True,
        "fields": {
            "service_name": name,
            "infer_type": "real-time",
            "description": "",
            "workspace_id": workspace_id,
        },
        "config": [dict(config)],
        "status": status,
        "created": at,
        "published": at,
        "transition": at,
        "events": [],
        "logs": [],
        "tags": {},
        "nodes": {},
        "plan": [],
        "url_key": "9a4a9c0e-0f2d-4a0b-8d0b-2f1a6c0e7d55",
    }
