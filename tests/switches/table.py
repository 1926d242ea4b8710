"""The switches as the sheets name them, each with all values a loop is run with, and what hinders the loop.

Written by hand from the sheets: a test compares it with the emulator's own tables, and with what people read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["ALSO", "HINDERED", "KINDS_OF", "SAMPLES", "SWITCHES", "Hindrance", "spelt"]

KINDS_OF: Final[Mapping[str, Sequence[str]]] = {
    "theta": ("theta/Deployment",),
    "runai": ("runai/Inference",),
    "modelarts": ("modelarts/Service", "modelarts/Notebook"),
    "modelarts-services": ("modelarts/Service",),
    "modelarts-notebooks": ("modelarts/Notebook",),
}

SWITCHES: Final[Mapping[str, Mapping[str, Sequence[Any]]]] = {
    # Source: theta §11
    "theta": {
        "routes": ("both", "plural", "singular"),
        "vm_list_auth": ("optional", "required"),
        "create_shape": ("sentence", "object"),
        "strict": (True, False),
        "unknown_fields": ("ignore", "reject"),
        "accept_name": (False, True),
        "suffix_style": ("hex16", "base36"),
        "suffix_glitch": (False, True),
        "item_profile": ("seed", "extended"),
        "annotations_mode": ("echo", "nickname_only", "null"),
        "env_mode": ("string", "object", "both", "hidden"),
        "replicas_mode": ("min", "middle", "max"),
        "timeline": ("normal",),
        "delete_body": ("envelope", "empty"),
        "delete_mode": ("remove", "soft"),
        "delete_missing": (404, 200),
        "undocumented": (False, True),
        "list_lag_ms": (0,),
    },
    # Source: runai §11
    "runai": {
        "version": ("2.24", "2.23", "2.22", "2.21", "2.20", "2.19", "2.18"),
        "strict": ("schema+description", "schema", "off"),
        "duplicateName": ("409", "400", "allow"),
        "nameHeldWhileDeleting": (True, False),
        "getAfterDelete": ("404", "200+deletedAt"),
        "secondDelete": ("404", "2xx"),
        "echo": ("merged", "as-sent"),
        "patch": ("overwrite-section", "deep-merge"),
        "patchNull": ("ignore", "clear", "400"),
        "patchUnknownKeys": ("ignore", "400"),
        "createUnknownKeys": ("ignore", "400"),
        "nameRule": ("dns-label-50", "dns-label-63", "any"),
        "listLag": (0,),
        "idTypeOut": ("string", "number"),
        "rateLimit": ("off", "429", "429+retry-after"),
        "reorderLists": (False, True),
        "rewriteQuantities": (False, True),
        "tokenLifetime": (3600,),
        "patchPhase": ("Updating", "Running"),
        "rolloutLimit": (600,),
        "outcomes": ({},),
        "policy": ({},),
        "gpuQuota": ({},),
        "metrics": ("full", "partial"),
    },
    # Source: modelarts-services §1 (IAM)
    "modelarts": {"token_ttl_s": (86400,)},
    # Source: modelarts-services §10
    "modelarts-services": {
        "offset_mode": ("page", "record"),
        "limit_max": (1000,),
        "service_name_match": ("substring", "exact"),
        "list_default_workspace": ("all", "zero"),
        "list_workspace_as_number": (True, False),
        "name_scope": ("project", "workspace", "type"),
        "strict_fields": (True, False),
        "config_update_starts_stopped": (False, True),
        "config_omitted_keys": ("reset", "keep"),
        "schedule_restart": ("recompute", "error"),
        "due_time_after_stop": ("drop", "keep"),
        "delete_while_deploying": (True, False),
        "batch_delete_partial": (False, True),
        "custom_spec_echo": ("full", "empty", "without_ascend"),
        "same_status_put": (400, 200),
        "rate_limit": (None,),
        "deploy_s": (120,),
        "batch_s": (300,),
        "stop_s": (20,),
        "delete_s": (15,),
        "stale_status_s": (0,),
        "deploy_outcome": ({},),
        "update_rollback": ([],),
        "quota": ({"real-time": 0, "batch": 0, "edge": 0},),
        "instance_limit": (128,),
        "unknown_models": ("accept", "refuse"),
        "unknown_specifications": ("refuse", "accept"),
        "specification_doubts": ({},),
        "properties_as_text": (False, True),
        "write_only_fields": (False, True),
    },
    # Source: modelarts-notebooks §10.4
    "modelarts-notebooks": {
        "show_self_default": (True, False),
        "list_without_workspace": ("zero", "all"),
        "total_count_type": ("int", "string"),
        "list_includes_deleted": (False, True),
        "list_omits_storage": (False, True),
        "annotations_echo": ("merge", "drop"),
        "name_scope": ("project", "user"),
        "error_key": ("error_message", "error_msg"),
        "success_status": (200, 201, 202),
        "delete": ("async", "sync"),
        "delete_running": ("refuse", "allow"),
        "put_in_transition": ("refuse", "accept"),
        "put_auto_stop": ("replace", "merge"),
        "auto_stop_read": ("new", "old"),
        "path_leading_slash": ("required", "optional"),
        "foreign_show_self": ("all", "403", "own"),
        "limit_zero": ("all", "refuse"),
        "unknown_keys": ("ignore", "refuse"),
        "bearer_token": ("off", "on"),
        "instance_limit": (0,),
        "creating_s": (60,),
        "starting_s": (30,),
        "stopping_s": (20,),
        "deleting_s": (10,),
        "create_outcome": ("running", "failed", "unavailable", "stuck"),
        "start_outcome": ("running", "failed"),
    },
}
"""All values, the default first; of an open switch the default alone."""

SAMPLES: Final[Mapping[str, Sequence[Any]]] = {
    "theta.timeline": ("slow", "never_ready", "failed", "running", [[0, "Pending", 404], [5, "Running", 200]]),
    "theta.list_lag_ms": (8000,),
    "runai.listLag": (2,),
    "runai.tokenLifetime": (20,),
    "runai.rolloutLimit": (10,),
    "runai.outcomes": tuple({"it": word} for word in ("Failed", "Degraded", "Pending", "Stopped", "abandon")),
    "runai.policy": (
        {"defaults": {"labels": {"instances": [{"name": "cost", "value": "x"}]}, "imagePullPolicy": "Always"}},
        {"rules": {"image": {"canEdit": False}}},
    ),
    "runai.gpuQuota": ({"default": 0},),
    "modelarts.token_ttl_s": (30,),
    "modelarts-services.limit_max": (1,),
    "modelarts-services.rate_limit": (
        {"requests": 3, "per_s": 10, "retry_after": "7"},
        {"requests": 3, "per_s": 10},
    ),
    "modelarts-services.deploy_s": (0, 500),
    "modelarts-services.batch_s": (1,),
    "modelarts-services.stop_s": (0, 300),
    "modelarts-services.delete_s": (0, 300),
    "modelarts-services.stale_status_s": (10,),
    "modelarts-services.deploy_outcome": tuple({"it": w} for w in ("failed", "concerning", "waiting", "pending")),
    "modelarts-services.update_rollback": (["it"],),
    "modelarts-services.quota": ({"real-time": 4}, {"real-time": 3}),
    "modelarts-services.instance_limit": (1, 0),
    "modelarts-services.specification_doubts": ({"modelarts.vm.cpu.2u": "sellout"},),
    "modelarts-notebooks.instance_limit": (6, 1),
    "modelarts-notebooks.creating_s": (0, 150),
    "modelarts-notebooks.starting_s": (0, 90),
    "modelarts-notebooks.stopping_s": (0, 90),
    "modelarts-notebooks.deleting_s": (0, 90),
}
"""Values of open switches, other than the default."""

ALSO: Final[Mapping[str, Sequence[str]]] = {
    "runai.version": ("runai/Inference less",),
    "runai.patch": ("runai/Inference less",),
    "runai.patchNull": ("runai/Inference less",),
    "modelarts-services.config_omitted_keys": ("modelarts/Service less",),
    "modelarts-services.write_only_fields": ("modelarts/Service less",),
    "modelarts-services.config_update_starts_stopped": ("modelarts/Service stopped",),
    "modelarts-services.same_status_put": ("modelarts/Service stopped",),
    "modelarts-services.stale_status_s": ("modelarts/Service stopped",),
    "modelarts-services.stop_s": ("modelarts/Service stopped",),
    "modelarts-services.schedule_restart": ("modelarts/Service timed",),
    "modelarts-services.due_time_after_stop": ("modelarts/Service timed",),
    "modelarts-services.batch_s": ("modelarts/Service batch",),
    "modelarts-notebooks.put_auto_stop": ("modelarts/Notebook stopped",),
    "modelarts-notebooks.put_in_transition": ("modelarts/Notebook stopped",),
    "modelarts-notebooks.auto_stop_read": ("modelarts/Notebook stopped",),
    "modelarts-notebooks.starting_s": ("modelarts/Notebook stopped",),
    "modelarts-notebooks.stopping_s": ("modelarts/Notebook stopped",),
    "modelarts-notebooks.start_outcome": ("modelarts/Notebook stopped",),
}
"""Loops that a switch shows itself in, besides the kind's first one."""


def spelt(value: Any) -> str:
    """A value as it stands in a name."""
    return value if isinstance(value, str) else json.dumps(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hindrance:
    """Why a loop can't go its way, and what a person is told instead.

    Attributes:
        why: The reason, for whoever reads this table.
        at: Stage → (what the plan wants and how it ends, words of the message); others go their way.
        story: Another loop than the kind's, where nothing can follow.
        timeout: Of each wait.
    """

    why: str
    at: Mapping[str, tuple[str, str]]
    story: str = ""
    timeout: str = ""


_BRIEF: Final = "brief"
_REFUSED: Final = "create failed"

HINDERED: Final[Mapping[str, Hindrance]] = {
    "theta.timeline=never_ready": Hindrance(
        why="the endpoint answers 404 for ever; its item exists and is deleted as any other",
        at={"create": ("create failed", "endpoint answers 404")},
        story=_BRIEF,
        timeout="5m",
    ),
    "theta.timeline=failed": Hindrance(
        why="the pod fails; the wait ends at once",
        at={"create": ("create failed", "it failed")},
        story=_BRIEF,
    ),
    "runai.version=2.18": Hindrance(
        why="2.18 has no PATCH: each change replaces",
        at={"change": ("replace done", "")},
    ),
    "runai.version=2.18 less": Hindrance(
        why="2.18 has no PATCH: each change replaces",
        at={"less": ("replace done", "")},
    ),
    "runai.patch=deep-merge less": Hindrance(
        why="a server that merges lists keeps an entry that was taken out, and nothing can unset it",
        at={"less": ("update failed", "the server kept the old value of environmentVariables[C]")},
    ),
    'runai.outcomes={"it": "Failed"}': Hindrance(
        why="it fails, with the cluster's words",
        at={"create": ("create failed", "it failed: Back-off pulling image")},
        story=_BRIEF,
    ),
    'runai.outcomes={"it": "Degraded"}': Hindrance(
        why="it never gets whole; the wait ends after its grace",
        at={"create": ("create failed", "it has been Degraded for 300 s: 1 of 2 pods is not ready")},
        story=_BRIEF,
    ),
    'runai.outcomes={"it": "Pending"}': Hindrance(
        why="the quota is used up; the wait ends with its limit and the scheduler's words",
        at={"create": ("create failed", "Waiting for quota")},
        story=_BRIEF,
        timeout="2m",
    ),
    'runai.outcomes={"it": "Stopped"}': Hindrance(
        why="it stops right after its create, so it never served",
        at={"create": ("create failed", "Stopped")},
        story=_BRIEF,
    ),
    'runai.outcomes={"it": "abandon"}': Hindrance(
        why="the new revision never gets ready and is given up; the old one serves on",
        at={"change": ("update failed", "the newest revision failed, an older one serves")},
    ),
    'runai.policy={"rules": {"image": {"canEdit": false}}}': Hindrance(
        why="the project's policy forbids what the spec wants",
        at={"create": (_REFUSED, "the policy does not allow editing")},
        story=_BRIEF,
    ),
    "modelarts-services.config_omitted_keys=keep less": Hindrance(
        why="a server that keeps what a PUT leaves out can't be made to drop it",
        at={"less": ("update failed", "the server kept the old value of config[")},
    ),
    'modelarts-services.deploy_outcome={"it": "failed"}': Hindrance(
        why="the container fails",
        at={"create": ("create failed", "health check failed")},
        story=_BRIEF,
    ),
    'modelarts-services.deploy_outcome={"it": "concerning"}': Hindrance(
        why="some instances stay bad, and nobody waits the 20 minutes that a deployment may take",
        at={"create": ("create failed", "it has been concerning for 300 s")},
        story=_BRIEF,
    ),
    'modelarts-services.update_rollback=["it"]': Hindrance(
        why="the update fails and rolls back: what is live is the old config, although the status is running",
        at={"change": ("update failed", "")},
    ),
    'modelarts-services.quota={"real-time": 3}': Hindrance(
        why="the quota is used up",
        at={"create": (_REFUSED, "ModelArts.3520")},
        story=_BRIEF,
    ),
    "modelarts-services.instance_limit=0": Hindrance(
        why="the quota of instances is used up",
        at={"create": (_REFUSED, "ModelArts.3522")},
        story=_BRIEF,
    ),
    "modelarts-notebooks.instance_limit=1": Hindrance(
        why="others have used the limit up",
        at={"create": (_REFUSED, "ModelArts.6302")},
        story=_BRIEF,
    ),
    "modelarts-notebooks.create_outcome=failed": Hindrance(
        why="the create fails, with the reasons that the API tells",
        at={"create": ("create failed", "ModelArts.6360")},
        story=_BRIEF,
    ),
    "modelarts-notebooks.create_outcome=unavailable": Hindrance(
        why="it never gets available, and the wait ends after its grace",
        at={"create": ("create failed", "it has been UNAVAILABLE for 60 s")},
        story=_BRIEF,
    ),
    "modelarts-notebooks.create_outcome=stuck": Hindrance(
        why="it stays in CREATING, and the API deletes nothing in a passing state",
        at={"create": ("create failed", "CREATING"), "delete": ("delete failed", "CREATING")},
        story=_BRIEF,
        timeout="2m",
    ),
    "modelarts-notebooks.start_outcome=failed stopped": Hindrance(
        why="there are no resources to start it again",
        at={"start": ("update failed", "it failed: ModelArts.6360")},
    ),
}
"""`<module>.<switch>=<value>`, and the rest of the story's name where it is not the kind's first."""
