"""What is told in each loop: small specs that use what switches change, and their edits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from reconciler.diff.change import Action
from tests.switches.loop import Stage

__all__ = ["STORIES", "story_of"]

_HOUR_S: Final = 3600.0

_CHAT: Final[Mapping[str, Any]] = {
    "template": "Triton Inference Server",
    "container_image": "thetalabs/triton:24.08",
    "vm_id": "vm_gv1",
    "min_replicas": 1,
    "max_replicas": 3,
    "env_vars": {"MODE": "fast"},
    "annotations": {"team": "vision"},
}
_LLM: Final[Mapping[str, Any]] = {
    "image": "registry.example.com/llm:1",
    "servingPort": {"container": 8080},
    "compute": {"cpuCoreRequest": 0.5, "cpuMemoryRequest": "1000M"},
    "autoscaling": {"minReplicas": 1, "maxReplicas": 1},
    "environmentVariables": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}, {"name": "C", "value": "3"}],
    "labels": [{"name": "team", "value": "a"}, {"name": "tier", "value": "gold"}],
}
_CONFIG: Final[Mapping[str, Any]] = {
    "model_id": "0e07b41b-173e-42db-8c16-8e1b44cc0d44",
    "specification": "custom",
    "custom_spec": {"cpu": 1.5, "memory": 7500, "ascend_a310": 1},
    "instance_count": 1,
    "weight": 100,
    "envs": {"MODE": "fast"},
    "deploy_timeout_in_seconds": 600,
}
_MNIST: Final[Mapping[str, Any]] = {
    "infer_type": "real-time",
    "description": "digits",
    "pool_name": "pool1",
    "priority": 1,
    "additional_properties": {
        "smn_notification": {"topic_urn": "urn:smn:eu-de:0f5a:ml-alerts", "events": [1, 3]},
    },
    "config": [_CONFIG],
}
_SLOW: Final = {**_MNIST, "description": "digits, slowly", "config": [{**_CONFIG, "envs": {"MODE": "slow"}}]}
_OTHER_POOL: Final = {**_SLOW, "pool_name": "pool2"}
_NO_TIMEOUT: Final = {
    **_SLOW,
    "config": [{k: v for k, v in _SLOW["config"][0].items() if k != "deploy_timeout_in_seconds"}],
}
_FAST: Final = {**_SLOW, "config": [{**_CONFIG, "envs": {"MODE": "fastest"}}]}
_TIMED: Final = {**_MNIST, "schedule": [{"type": "stop", "time_unit": "HOURS", "duration": 1}]}
_ANN: Final[Mapping[str, Any]] = {
    "description": "work",
    "profile_id": "Multi-Engine 2.0 (python3)",
    "flavor": "modelarts.vm.cpu.2u",
    "spec": {
        "storage": {"type": "obs", "location": {"path": "/shop-research/ann/"}},
        "auto_stop": {"enable": True, "duration": 7200, "prompt": False},
        "annotations": {"team": "vision"},
    },
}
_LATER: Final = {
    **_ANN,
    "description": "more work",
    "spec": {**_ANN["spec"], "auto_stop": {"enable": True, "duration": 14400, "prompt": False}},
}
_LESS: Final = {**_ANN, "spec": {**_ANN["spec"], "auto_stop": {"enable": False}}}
_MORE: Final = {**_LESS, "description": "more work"}
_ELSEWHERE: Final = {
    **_LATER,
    "spec": {**_LATER["spec"], "storage": {"type": "obs", "location": {"path": "/shop-research/bea/"}}},
}


def _create(spec: Mapping[str, Any], holds: str, **more: Any) -> Stage:
    return Stage(name="create", spec=spec, action=Action.CREATE, holds=holds, **more)


def _update(name: str, spec: Mapping[str, Any], holds: str, **more: Any) -> Stage:
    return Stage(name=name, spec=spec, action=Action.UPDATE, holds=holds, **more)


def _replace(name: str, spec: Mapping[str, Any], holds: str, **more: Any) -> Stage:
    return Stage(name=name, spec=spec, action=Action.REPLACE, holds=holds, **more)


_DELETE: Final = Stage(name="delete", spec=None, action=Action.DELETE)

_NIGHTLY: Final = {
    "infer_type": "batch",
    "config": [
        {
            "model_id": "598b913a-af3e-41ba-a1b5-bf065320f1e2",
            "specification": "modelarts.vm.cpu.2u",
            "instance_count": 1,
            "src_path": "https://in.obs.example.com/",
            "dest_path": "https://out.obs.example.com/",
            "req_uri": "/",
            "mapping_type": "file",
        }
    ],
}

STORIES: Final[dict[str, Sequence[Stage]]] = {
    # Theta changes nothing in place.
    "theta/Deployment": (
        _create(_CHAT, '"MODE": "fast"'),
        _replace("change", {**_CHAT, "env_vars": {"MODE": "slow"}}, '"MODE": "slow"'),
        _replace("move", {**_CHAT, "env_vars": {"MODE": "slow"}, "vm_id": "vm_gt1"}, '"MachineType": "vm_gt1"'),
        _DELETE,
    ),
    "runai/Inference": (
        _create(_LLM, "llm:1"),
        _update("change", {**_LLM, "image": "registry.example.com/llm:2"}, "llm:2"),
        _replace(
            "move",
            {**_LLM, "image": "registry.example.com/llm:2", "servingPort": {"container": 9090}},
            '"container": 9090',
        ),
        _DELETE,
    ),
    "runai/Inference less": (
        _create(_LLM, "llm:1"),
        _update("less", {**_LLM, "environmentVariables": _LLM["environmentVariables"][:2]}, '"name": "B"'),
        _DELETE,
    ),
    "modelarts/Service": (
        _create(_MNIST, '"MODE": "fast"'),
        _update("change", _SLOW, '"MODE": "slow"'),
        _replace("move", _OTHER_POOL, '"pool_name": "pool2"'),
        _DELETE,
    ),
    "modelarts/Service less": (
        _create(_SLOW, '"MODE": "slow"'),
        _update("less", _NO_TIMEOUT, '"MODE": "slow"'),
        _DELETE,
    ),
    "modelarts/Service stopped": (
        _create(_MNIST, '"MODE": "fast"'),
        _update("stop", _MNIST, '"status": "stopped"', run_state="stopped"),
        _update("change", _SLOW, '"status": "stopped"', run_state="stopped"),
        _update("start", _SLOW, '"status": "running"', run_state="running"),
        _DELETE,
    ),
    "modelarts/Service timed": (
        _create(_TIMED, '"MODE": "fast"'),
        Stage(name="rest", spec=_TIMED, action=Action.NONE, holds='"status": "stopped"', after_s=2 * _HOUR_S),
        _update("start", _TIMED, '"status": "running"', run_state="running"),
        _DELETE,
    ),
    "modelarts/Service batch": (
        _create(_NIGHTLY, '"infer_type": "batch"'),
        Stage(name="rest", spec=_NIGHTLY, action=Action.NONE, holds='"status": "finished"', after_s=_HOUR_S),
        _DELETE,
    ),
    "modelarts/Notebook": (
        _create(_ANN, '"description": "work'),
        _update("change", _LATER, '"description": "more work'),
        _replace("move", _ELSEWHERE, "/shop-research/bea/"),
        _DELETE,
    ),
    "modelarts/Notebook stopped": (
        _create(_ANN, '"description": "work'),
        _update("less", _LESS, '"enable": false'),
        _update("stop", _LESS, '"status": "STOPPED"', run_state="stopped"),
        _update("change", _MORE, '"description": "more work', run_state="stopped"),
        _update("start", _MORE, '"status": "RUNNING"', run_state="running"),
        _DELETE,
    ),
}

for _name in ("theta/Deployment", "runai/Inference", "modelarts/Service", "modelarts/Notebook"):
    STORIES[f"{_name} brief"] = (STORIES[_name][0], _DELETE)


def story_of(name: str) -> tuple[str, Sequence[Stage]]:
    """(kind, stages) of a story."""
    return name.partition(" ")[0], STORIES[name]
