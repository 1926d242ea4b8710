"""Switches of the two ModelArts APIs. Sources: modelarts-services §10, modelarts-notebooks §10.4; others are ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from reconciler.emulator.modelarts.services_catalogue import INFER_TYPES
from reconciler.emulator.switches import Switch, Switches, names, number, outcomes, whole

__all__ = ["NOTEBOOKS", "SERVICES"]

_LIMIT: Final = '{"requests": 10, "per_s": 10, "retry_after": "7"}, the last one optional'
_QUOTA: Final = "{infer type: number}, 0 is no limit; the vendor's are 20, 1000 and 1000"


def _rate_limit(wish: Any) -> dict[str, Any] | None:
    """How many requests in which time.

    Raises:
        ValueError: for anything else.
    """
    if wish is None:
        return None
    if not isinstance(wish, Mapping) or not {"requests", "per_s"} <= set(wish) <= {"requests", "per_s", "retry_after"}:
        raise ValueError(f"null, or {_LIMIT}")
    found: dict[str, Any] = {"requests": whole(wish["requests"]), "per_s": number(wish["per_s"])}
    return found | ({"retry_after": wish["retry_after"]} if wish.get("retry_after") is not None else {})


def _quota(wish: Any) -> dict[str, int]:
    if not isinstance(wish, Mapping) or set(wish) - set(INFER_TYPES):
        raise ValueError(_QUOTA)
    return {str(key): whole(value) for key, value in wish.items()}


def _seconds(name: str, default: float, does: str) -> Switch:
    return Switch(name=name, default=default, takes="seconds", read=number, ours=True, does=does)


SERVICES: Final = Switches(
    Switch(name="offset_mode", values=("page", "record"), does="what `offset` counts"),
    Switch(name="limit_max", default=1000, takes="a whole number", read=whole, does="the longest page of a list"),
    Switch(name="service_name_match", values=("substring", "exact"), does="how the list's name filter compares"),
    Switch(
        name="list_default_workspace",
        values=("all", "zero"),
        does="what a list without workspace_id shows: all workspaces, or workspace 0",
    ),
    Switch(
        name="list_workspace_as_number",
        values=(True, False),
        does="whether the list shows workspace_id as a number",
    ),
    Switch(name="name_scope", values=("project", "workspace", "type"), does="within which a name is unique"),
    Switch(name="strict_fields", values=(True, False), does="whether fields of another infer type meet 400 0104"),
    Switch(
        name="config_update_starts_stopped",
        values=(False, True),
        does="whether a new config starts a service that is stopped or finished",
    ),
    Switch(
        name="config_omitted_keys",
        values=("reset", "keep"),
        does="what a config's keys do that a PUT leaves out",
    ),
    Switch(
        name="schedule_restart",
        values=("recompute", "error"),
        does="a start after the automatic stop: a new due time, or 400 3562",
    ),
    Switch(
        name="due_time_after_stop",
        values=("drop", "keep"),
        does="whether due_time still shows after the automatic stop",
    ),
    Switch(
        name="delete_while_deploying",
        values=(True, False),
        does="whether a service may be deleted while it deploys",
    ),
    Switch(
        name="batch_delete_partial",
        values=(False, True),
        does="whether a delete of several ids goes on without the bad ones",
    ),
    Switch(
        name="custom_spec_echo",
        values=("full", "empty", "without_ascend"),
        does="what the detail shows of custom_spec",
    ),
    Switch(name="same_status_put", values=(400, 200), does="status of a PUT of the status that it has"),
    Switch(
        name="rate_limit",
        default=None,
        takes=_LIMIT,
        read=_rate_limit,
        does="how many requests in how many seconds, else 429 with or without Retry-After",
    ),
    _seconds("deploy_s", 120, "how long a deployment takes"),
    _seconds("batch_s", 300, "how long a batch service works until it is finished"),
    _seconds("stop_s", 20, "how long a stop takes"),
    _seconds("delete_s", 15, "how long a delete takes; the name stays taken"),
    _seconds("stale_status_s", 0, "how long the old status still shows after a PUT"),
    Switch(
        name="deploy_outcome",
        default={},
        takes="{service name or *: failed, concerning, waiting or pending}",
        read=outcomes("failed", "concerning", "waiting", "pending"),
        ours=True,
        does="scripts how a deployment ends, or that it queues first",
    ),
    Switch(
        name="update_rollback",
        default=[],
        takes="a list of service names",
        read=names,
        ours=True,
        does="whose updates fail and roll back",
    ),
    Switch(
        name="quota",
        default={"real-time": 0, "batch": 0, "edge": 0},
        takes=_QUOTA,
        read=_quota,
        ours=True,
        does="how many services there may be, else 400 3520",
    ),
    Switch(
        name="instance_limit",
        default=128,
        takes="a whole number; the vendor's is 5",
        read=whole,
        ours=True,
        does="how many instances a config may have, else 400 3522",
    ),
    Switch(
        name="unknown_models",
        values=("accept", "refuse"),
        ours=True,
        does="whether a model that the catalogue lacks meets 404 3507",
    ),
    Switch(
        name="unknown_specifications",
        values=("refuse", "accept"),
        ours=True,
        does="whether a specification that the catalogue lacks meets 400 0107",
    ),
    Switch(
        name="specification_doubts",
        default={},
        takes="{specification: sellout, closed or over_quota}",
        read=outcomes("sellout", "closed", "over_quota"),
        ours=True,
        does="what the catalogue says of a specification: sold out, not open, beyond the quota; told, not enforced",
    ),
    Switch(
        name="properties_as_text",
        values=(False, True),
        ours=True,
        does="values of additional_properties come back as JSON text",
    ),
    Switch(
        name="write_only_fields",
        values=(False, True),
        ours=True,
        does="hides what no page lists among the replies: priority, service_secrets, deploy_timeout_in_seconds",
    ),
)

NOTEBOOKS: Final = Switches(
    Switch(name="show_self_default", values=(True, False), does="what show_self is in a list that does not say"),
    Switch(
        name="list_without_workspace",
        values=("zero", "all"),
        does="what a list without workspace_id shows: workspace 0, or all",
    ),
    Switch(name="total_count_type", values=("int", "string"), does="JSON type of total_count"),
    Switch(name="list_includes_deleted", values=(False, True), does="whether lists show tombstones"),
    Switch(name="list_omits_storage", values=(False, True), does="whether list items lack spec.storage"),
    Switch(name="annotations_echo", values=("merge", "drop"), does="whether annotations of a create come back"),
    Switch(name="name_scope", values=("project", "user"), does="within which a name is unique"),
    Switch(name="error_key", values=("error_message", "error_msg"), does="key of the sentence in error bodies"),
    Switch(name="success_status", values=(200, 201, 202), does="status of a write that went well"),
    Switch(name="delete", values=("async", "sync"), does="whether a delete passes through DELETING"),
    Switch(
        name="delete_running",
        values=("refuse", "allow"),
        does="whether a running instance can be deleted, or meets 6304",
    ),
    Switch(
        name="put_in_transition",
        values=("refuse", "accept"),
        does="whether a PUT in a passing state meets 6347",
    ),
    Switch(
        name="put_auto_stop",
        values=("replace", "merge"),
        does="what a PUT of auto_stop does to keys that it leaves out",
    ),
    Switch(
        name="auto_stop_read",
        values=("new", "old"),
        does="which duration shows between its change and the next start",
    ),
    Switch(
        name="path_leading_slash",
        values=("required", "optional"),
        does="whether a storage path must begin with a slash",
    ),
    Switch(
        name="foreign_show_self",
        values=("all", "403", "own"),
        does="what show_self=false gives: all instances, 403, or one's own",
    ),
    Switch(name="limit_zero", values=("all", "refuse"), does="what limit=0 does"),
    Switch(name="unknown_keys", values=("ignore", "refuse"), does="what an unknown key of a create or PUT does"),
    Switch(name="bearer_token", values=("off", "on"), does="whether Authorization: Bearer counts as a token"),
    Switch(
        name="instance_limit",
        default=0,
        takes="a whole number, 0 is no limit",
        read=whole,
        ours=True,
        does="how many instances one may have, else 6302",
    ),
    _seconds("creating_s", 60, "how long CREATING lasts"),
    _seconds("starting_s", 30, "how long STARTING lasts"),
    _seconds("stopping_s", 20, "how long STOPPING lasts"),
    _seconds("deleting_s", 10, "how long DELETING lasts"),
    Switch(
        name="create_outcome",
        values=("running", "failed", "unavailable", "stuck"),
        ours=True,
        does="how a create ends: RUNNING, CREATE_FAILED, UNAVAILABLE, or CREATING for ever",
    ),
    Switch(
        name="start_outcome",
        values=("running", "failed"),
        ours=True,
        does="how a start ends: RUNNING, or START_FAILED with 6360",
    ),
)
