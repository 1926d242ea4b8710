"""Deployments of other people in the default project: nobody may touch them."""

from __future__ import annotations

from typing import Any, Final

from reconciler.emulator.store import Tx
from reconciler.emulator.theta.catalogue import PROJECT, STANDARD
from reconciler.emulator.theta.items import GPU_NODE, TIMELINES, new_item

__all__ = ["seed_foreign"]

_DAY_S: Final = 86_400

_FOREIGN: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    # a colleague's notebook, made in the dashboard
    (
        "Jupyter Notebook",
        {
            "container_image": "jupyter/scipy-notebook:latest",
            "vm_id": "vm_gt2",
            "annotations": {"nickname": "marias-notebook"},
        },
    ),
    # another product in the same list
    (GPU_NODE, {"container_image": "thetalabs/gpu-node:22.04", "vm_id": "vm_ga1"}),
    # a dedicated deployment without any annotation: nothing on it says whose it is
    ("Triton Inference Server", {"container_image": "thetalabs/triton:24.07", "vm_id": "vm_gv2"}),
)


def seed_foreign(tx: Tx) -> None:
    """Three items of another user that have been running for days."""
    for days, (name, body) in enumerate(_FOREIGN, start=3):
        template = next((item for item in STANDARD if item["name"] == name), {"name": name})
        item = new_item(tx, PROJECT, template, {"min_replicas": 1, **body})
        long_ago = tx.now - days * _DAY_S
        item |= {
            "foreign": True,
            "user": "a0c9lq2m7yw4r8t1k3s5v6x9z2b4",
            "created": long_ago,
            "started": long_ago,
            "timeline": TIMELINES["running"],
        }
        tx.put("theta-deployment", f"{item['shard']}/{item['suffix']}", item)
