"""Field facts of ModelArts services. Source: modelarts-services (sections named in each row)."""

from __future__ import annotations

from typing import Final

from reconciler.fields import IN_PLACE, REPLACE, FieldRule, Interruption, Secret, Seen, Unset

__all__ = ["SERVICE_FIELDS"]

SERVICE_FIELDS: Final = (
    FieldRule(path="infer_type", change=REPLACE, seen=Seen.LIST, source="§6 terraform"),
    FieldRule(path="description", change=IN_PLACE, seen=Seen.LIST, default="", source="§6 terraform"),
    # The API may tell a service's pool at either level; a configuration without one is in the service's.
    FieldRule(path="cluster_id", change=REPLACE, also_live=("config_cluster_id",), source="§4, §6 inferred"),
    FieldRule(path="pool_name", change=REPLACE, also_live=("config_pool_name",), source="§4, §6 terraform"),
    FieldRule(path="vpc_id", change=REPLACE, source="§3.1 seed, §6 terraform"),
    FieldRule(path="subnet_network_id", change=REPLACE, source="§6 terraform"),
    FieldRule(path="security_group_id", change=REPLACE, source="§6 terraform"),
    FieldRule(
        path="schedule",
        change=IN_PLACE,
        seen=Seen.LIST,
        normalise="schedule",
        notice="the stop timer starts again",
        source="§6 terraform, §8 inferred",
    ),
    FieldRule(
        path="load_balancer_policy", change=IN_PLACE, seen=Seen.SOMETIMES, unset=Unset.REPLACE, source="§3.1, §6 public"
    ),
    FieldRule(
        path="priority",
        change=IN_PLACE,
        seen=Seen.SOMETIMES,
        normalise="number",
        unset=Unset.REPLACE,
        source="§4 unknown, §6 public",
    ),
    FieldRule(
        path="service_secrets",
        change=IN_PLACE,
        seen=Seen.SOMETIMES,
        list_key="secretId+mouthPath",
        interruption=Interruption.RESTART,
        source="§4 unknown, §6 public",
    ),
    FieldRule(path="service_secrets[*].secretId", change=IN_PLACE, seen=Seen.SOMETIMES, source="§4 unknown, §6 public"),
    FieldRule(
        path="service_secrets[*].mouthPath", change=IN_PLACE, seen=Seen.SOMETIMES, source="§4 unknown, §6 public"
    ),
    FieldRule(path="additional_properties", change=IN_PLACE, source="§3.5 seed"),
    FieldRule(path="additional_properties.smn_notification.topic_urn", change=IN_PLACE, source="§6 terraform"),
    FieldRule(
        path="additional_properties.smn_notification.events",
        change=IN_PLACE,
        normalise="as_set",
        source="§4, §6 terraform",
    ),
    FieldRule(
        path="additional_properties.log_report_channels",
        change=IN_PLACE,
        one_way="off->on",
        unset=Unset.REPLACE,
        list_key="type",
        source="§3.5, §6 seed",
    ),
    FieldRule(
        path="additional_properties.log_report_channels[*].type",
        change=IN_PLACE,
        one_way="off->on",
        unset=Unset.REPLACE,
        source="§3.5, §6 seed",
    ),
    FieldRule(
        path="additional_properties.log_report_channels[*].configuration",
        change=IN_PLACE,
        one_way="off->on",
        unset=Unset.REPLACE,
        seen=Seen.SOMETIMES,
        source="§3.5 seed, §4 unknown",
    ),
    FieldRule(
        path="additional_properties.websocket_upgrade",
        change=IN_PLACE,
        one_way="off->on",
        unset=Unset.REPLACE,
        default=False,
        source="§3.5, §6 seed",
    ),
    FieldRule(path="config", change=IN_PLACE, list_key="model_id", source="§4, §6 terraform"),
    FieldRule(
        path="config[*].model_id",
        change=IN_PLACE,
        interruption=Interruption.RESTART,
        source="§6 terraform",
    ),
    FieldRule(
        path="config[*].specification",
        change=IN_PLACE,
        interruption=Interruption.RESTART,
        source="§6 terraform",
    ),
    FieldRule(
        path="config[*].instance_count",
        change=IN_PLACE,
        normalise="number",
        interruption=Interruption.ROLLING,
        source="§4, §6 terraform",
    ),
    FieldRule(
        path="config[*].weight",
        change=IN_PLACE,
        normalise="number",
        interruption=Interruption.ROLLING,
        source="§4, §6 terraform",
    ),
    FieldRule(
        path="config[*].custom_spec",
        change=IN_PLACE,
        seen=Seen.SOMETIMES,
        interruption=Interruption.RESTART,
        source="§4 public",
    ),
    FieldRule(
        path="config[*].custom_spec.cpu",
        change=IN_PLACE,
        seen=Seen.SOMETIMES,
        normalise="two_decimals",
        interruption=Interruption.RESTART,
        source="§3.3 seed, §4 public",
    ),
    FieldRule(
        path="config[*].custom_spec.memory",
        change=IN_PLACE,
        seen=Seen.SOMETIMES,
        normalise="number",
        interruption=Interruption.RESTART,
        source="§4 public",
    ),
    FieldRule(
        path="config[*].custom_spec.gpu_p4",
        change=IN_PLACE,
        seen=Seen.SOMETIMES,
        normalise="two_decimals",
        default=0,
        interruption=Interruption.RESTART,
        source="§3.3 seed, §4 public",
    ),
    FieldRule(
        path="config[*].custom_spec.ascend_a310",
        change=IN_PLACE,
        seen=Seen.SOMETIMES,
        normalise="number",
        default=0,
        interruption=Interruption.RESTART,
        source="§4 public",
    ),
    FieldRule(
        path="config[*].envs",
        change=IN_PLACE,
        secret=Secret.BY_REFERENCE,
        interruption=Interruption.RESTART,
        source="§3.2 seed, §6 terraform",
    ),
    FieldRule(
        path="config[*].deploy_timeout_in_seconds",
        change=IN_PLACE,
        seen=Seen.SOMETIMES,
        normalise="number",
        source="§4 unknown, §6 terraform",
    ),
    FieldRule(
        path="config[*].cluster_id",
        change=IN_PLACE,
        default_from="cluster_id",
        interruption=Interruption.RESTART,
        source="§4, §6 inferred",
    ),
    FieldRule(
        path="config[*].pool_name",
        change=IN_PLACE,
        default_from="pool_name",
        interruption=Interruption.RESTART,
        source="§4, §6 terraform; the move itself unknown",
    ),
    FieldRule(
        path="config[*].affinity",
        change=IN_PLACE,
        seen=Seen.SOMETIMES,
        interruption=Interruption.RESTART,
        source="§3.2 public",
    ),
    FieldRule(
        path="config[*].src_path", change=IN_PLACE, interruption=Interruption.RESTART, source="§3.2 seed, §6 terraform"
    ),
    FieldRule(
        path="config[*].dest_path", change=IN_PLACE, interruption=Interruption.RESTART, source="§3.2 seed, §6 terraform"
    ),
    FieldRule(
        path="config[*].req_uri", change=IN_PLACE, interruption=Interruption.RESTART, source="§3.2 seed, §6 terraform"
    ),
    FieldRule(
        path="config[*].mapping_type",
        change=IN_PLACE,
        interruption=Interruption.RESTART,
        source="§3.2 seed, §6 terraform",
    ),
    FieldRule(
        path="config[*].mapping_rule",
        change=IN_PLACE,
        interruption=Interruption.RESTART,
        source="§3.2 seed, §6 terraform",
    ),
    FieldRule(
        path="config[*].src_type",
        change=IN_PLACE,
        interruption=Interruption.RESTART,
        source="§3.2 seed, §6 terraform",
    ),
    FieldRule(
        path="config[*].nodes",
        change=IN_PLACE,
        normalise="ids",
        interruption=Interruption.RESTART,
        source="§4 public, §6 terraform",
    ),
    FieldRule(path="config[*].additional_properties", change=IN_PLACE, source="§3.6 seed"),
    FieldRule(
        path="config[*].additional_properties.log_volume",
        change=IN_PLACE,
        list_key="host_path+mount_path",
        interruption=Interruption.RESTART,
        source="§3.6 seed",
    ),
    FieldRule(
        path="config[*].additional_properties.max_surge",
        change=IN_PLACE,
        normalise="number",
        default=1,
        source="§3.6 seed, §4",
    ),
    FieldRule(
        path="config[*].additional_properties.max_unavailable",
        change=IN_PLACE,
        normalise="number",
        default=0,
        source="§3.6 seed, §4",
    ),
    FieldRule(
        path="config[*].additional_properties.termination_grace_period_seconds",
        change=IN_PLACE,
        normalise="number",
        source="§3.6 seed",
    ),
    FieldRule(
        path="config[*].additional_properties.persistent_volumes",
        change=IN_PLACE,
        list_key="mount_path",
        interruption=Interruption.RESTART,
        source="§3.6 seed, public",
    ),
)
"""One row a field; a row also speaks for what lies below it."""
