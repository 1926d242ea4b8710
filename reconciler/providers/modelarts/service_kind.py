"""The kind `modelarts/v1` Service."""

from __future__ import annotations

from typing import Final

from reconciler.fields import CostRule, Kind, MarkerSlot, NameRule, Phase, ReplaceOrder
from reconciler.providers.modelarts.doubt_checks import SERVICE_DOUBTS
from reconciler.providers.modelarts.service_checks import SERVICE_CHECKS
from reconciler.providers.modelarts.service_fields import SERVICE_FIELDS

__all__ = ["SERVICE"]

_PHASES: Final = {
    "deploying": Phase.PROGRESSING,
    "waiting": Phase.PROGRESSING,
    "pending": Phase.PROGRESSING,
    "stopping": Phase.PROGRESSING,
    "running": Phase.READY,
    "concerning": Phase.DEGRADED,
    "finished": Phase.FINISHED,
    "stopped": Phase.STOPPED,
    "failed": Phase.FAILED,
    "deleting": Phase.GOING,
}
"""Source: modelarts-services §8."""

SERVICE: Final = Kind(
    api_version="modelarts/v1",
    name="Service",
    type="modelarts",
    title="ModelArts service",
    schema="modelarts-service.json",
    sheet="modelarts-services",
    fields=SERVICE_FIELDS,
    phases=_PHASES,
    marker=MarkerSlot(carrier="description", suffix_of="description", room=100, can_change=True),
    live_name=NameRule(pattern=r"[A-Za-z0-9_-]{1,64}", words="1 to 64 letters, digits, - and _"),
    live_id=NameRule(
        pattern=r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
        words="the id of a service, such as 10eb0091-887f-4839-9929-cbc884f1e20e",
    ),
    replace=ReplaceOrder.DELETE_FIRST,
    replace_orders=(ReplaceOrder.DELETE_FIRST,),
    replace_notice="the service is away from the delete to the end of the new deployment; its id and address change",
    delete_notice="the service's id and address are gone for good",
    checks=(*SERVICE_CHECKS, *SERVICE_DOUBTS),
    costs=(CostRule(item="config[*].specification", times=("config[*].instance_count",)),),
    run_states=("running", "stopped"),
    timeout_s=1200.0,
    poll_s=30.0,
    status_lag_s=30.0,  # §6: right after a PUT it may still say `running`
    degraded_s=300.0,  # §6 Rec: `concerning` is settled after a grace time; how long is our choice
    example={
        "infer_type": "real-time",
        "config": [
            {
                "model_id": "0e07b41b-173e-42db-8c16-8e1b44cc0d44",
                "specification": "modelarts.vm.cpu.2u",
                "weight": 100,
                "instance_count": 1,
            }
        ],
    },
)
