"""What the region of the notebook API offers (profiles, flavors, workspaces), and the instances that others made there.

Source: modelarts-notebooks §3, §4, §8. Names that the sheet does not give are made up in its style.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

__all__ = ["FLAVORS", "FOREIGN", "PROFILES", "WORKSPACES", "Flavor", "Profile", "profile_for"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A work environment: asked for by `request`, shown with `id` and `name`.

    Three behaviours are seen: all three equal; a UUID with the same name; a UUID with another name. Source: §4.
    `flavor_type` is empty where the answer leaves it out: then every flavor fits.
    """

    request: str
    id: str
    name: str
    description: str
    flavor_type: str = ""
    image: tuple[str, str] = ("mul-kernel-cpu-cp36", "2.0.5")

    def fits(self, flavor: Flavor) -> bool:
        """Whether this environment runs on that flavor (else 6330)."""
        return not self.flavor_type or self.flavor_type == flavor.type

    def wire(self) -> dict[str, Any]:
        """As an instance shows it."""
        body: dict[str, Any] = {"de_type": "Notebook", "description": self.description}
        if self.flavor_type:
            body["flavor_type"] = self.flavor_type
        body |= {
            "id": self.id,
            "name": self.name,
            "provision": {
                "annotations": {"category": self.name.replace("python", "Python"), "type": "system"},
                "spec": {
                    "engine": "CCE",
                    "params": {"image_name": self.image[0], "image_tag": self.image[1], "namespace": "atelier"},
                },
                "type": "Docker",
            },
        }
        return body


@dataclass(frozen=True, slots=True, kw_only=True)
class Flavor:
    """A machine type. `free_stop_s`: a free one stops by itself; `free_store_h`: and is purged so long after that."""

    name: str
    type: str
    params: Mapping[str, Any]
    status: str = "onSale"
    storage: tuple[str, ...] = ("obs", "efs")
    free_stop_s: int = 0
    free_store_h: int = 0

    @property
    def is_free(self) -> bool:
        """Whether it costs nothing, and so queues, stops and goes by itself."""
        return self.free_stop_s > 0

    def wire(self) -> dict[str, Any]:
        """As an instance shows it (`flavor_details`)."""
        body: dict[str, Any] = {"name": self.name, "params": dict(self.params), "status": self.status}
        if self.is_free:
            body |= {"duration": self.free_stop_s, "promo_type": "Free", "store_time": self.free_store_h}
        body |= {"storage_list": list(self.storage), "type": self.type}
        return body


def _same(name: str, description: str, flavor_type: str) -> Profile:
    """The first behaviour: what is asked for is the id and the name."""
    return Profile(request=name, id=name, name=name, description=description, flavor_type=flavor_type)


PROFILES: Final = (
    Profile(
        request="Ascend-Power-Engine 1.0(python3)",
        id="efa847c0-7359-11eb-b34f-0255ac100057",
        name="Ascend-Powered-Engine 1.0 (python3)",
        description="Ascend 910, python 3.7/3.6 for notebook",
        flavor_type="Ascend",
        image=("mul-kernel-d910-arm-cp37", "3.1.0-c76-2-test"),
    ),
    Profile(
        request="Multi-Engine 2.0 (python3)",
        id="0f7a3a2e-5bd4-11ea-9a2b-0255ac100057",
        name="Multi-Engine 2.0 (python3)",
        description="TensorFlow 2 and PyTorch 1.4, python 3.6, for CPU and GPU",
    ),
    _same("Multi-Engine 1.0 (python3)-cpu", "TensorFlow, MXNet, PyTorch, python 3.6", "CPU"),
    _same("Multi-Engine 1.0 (python3)-gpu", "TensorFlow, MXNet, PyTorch, python 3.6, GPU", "GPU"),
    _same("Multi-Engine 1.0 (python2)-cpu", "TensorFlow, MXNet, PyTorch, python 2.7", "CPU"),
    _same("Multi-Engine 1.0 (python2)-gpu", "TensorFlow, MXNet, PyTorch, python 2.7, GPU", "GPU"),
    _same("Python2", "python 2.7", "CPU"),
    _same("Python3", "python 3.6", "CPU"),
    _same("Python3-gpu", "python 3.6, GPU", "GPU"),
    _same("TF-2.1.0&Pytorch-1.4.0-python3.6", "TensorFlow 2.1.0, PyTorch 1.4.0, python 3.6", ""),
)

_CPU: Final = {"CPU": 2, "memory": "8GiB"}
_GPU: Final = {"CPU": 8, "GPU": 1, "graphics_memory": "32GiB", "memory": "64GiB", "type": "NVIDIA V100"}

FLAVORS: Final = {
    flavor.name: flavor
    for flavor in (
        Flavor(
            name="modelarts.kat1.xlarge",
            type="Ascend",
            params={"CPU": 24, "NPU": 1, "graphics_memory": "32GiB", "memory": "96GiB", "type": "Ascend 910"},
        ),
        Flavor(name="modelarts.vm.cpu.2u", type="CPU", params=_CPU),
        Flavor(name="modelarts.vm.cpu.8u", type="CPU", params={"CPU": 8, "memory": "32GiB"}),
        Flavor(name="modelarts.vm.gpu.v100", type="GPU", params=_GPU),
        Flavor(name="modelarts.vm.gpu.p100", type="GPU", params=_GPU | {"type": "NVIDIA P100"}, status="soldOut"),
        Flavor(name="modelarts.vm.cpu.free", type="CPU", params=_CPU, free_stop_s=3600, free_store_h=72),
        Flavor(
            name="modelarts.vm.gpu.free",
            type="GPU",
            params=_GPU,
            status="soldOut",
            free_stop_s=3600,
            free_store_h=72,
        ),
    )
}

WORKSPACES: Final = ("0", "5c3d1a9e-2f0b-4a43-9f6e-0b6a5d2c7e11")
"""The default workspace, and one that a team made."""


def profile_for(text: str) -> Profile | None:
    """The environment that a `profile_id` asks for: by its request name, its id or its name."""
    return next((found for found in PROFILES if text in {found.request, found.id, found.name}), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """An instance that somebody else made, and that nobody may touch."""

    id: str
    name: str
    user: Mapping[str, str]
    profile: str
    flavor: str
    status: str
    storage: Mapping[str, Any]
    description: str = ""
    auto_stop: Mapping[str, Any] = field(default_factory=lambda: {"enable": False, "prompt": True})
    age_s: int = 86400


FOREIGN: Final = (
    Foreign(
        id="DE-5b1d7c3e-6a20-11eb-8c1f-0255ac10003b",
        name="lidar-lab",
        user={"id": "a1c4e6d2f0b84e7c9d3a5b7f1e2c4d60", "name": "colleague"},
        profile="Multi-Engine 1.0 (python3)-cpu",
        flavor="modelarts.vm.cpu.8u",
        status="RUNNING",
        storage={"location": {"path": "/lidar-team/work/"}, "type": "obs"},
        description="Point cloud experiments, please keep.",
        age_s=40 * 86400,
    ),
    Foreign(
        id="DE-0e94f1aa-5f0d-11eb-a6b1-0255ac10003b",
        name="console-sandbox",
        user={"id": "f3779708b547462dbca12a70555d0690", "name": "modelarts_manage_admin"},
        profile="Multi-Engine 2.0 (python3)",
        flavor="modelarts.vm.gpu.v100",
        status="STOPPED",
        storage={
            "location": {"path": "/home/ma-user/work", "volume_size": 5, "volume_unit": "GB"},
            "type": "evs",
        },
        auto_stop={"enable": True, "duration": 3600, "prompt": True},
        age_s=200 * 86400,
    ),
    Foreign(
        id="DE-7c20b9d4-8e31-11eb-b7d5-0255ac10003b",
        name="other-owner-nb",
        user={"id": "b575785bcece44beb23597770fb819f9", "name": "gitops"},
        profile="Multi-Engine 2.0 (python3)",
        flavor="modelarts.vm.cpu.2u",
        status="STOPPED",
        storage={"location": {"path": "/other-owner/notebooks/"}, "type": "obs"},
        description="Another project's [rc1.otqt2.k3m7xw2p.1.n.c5d2e.q7w3e5]",
        age_s=3 * 86400,
    ),
)
