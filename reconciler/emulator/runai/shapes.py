"""The create request's fields as the schema of each release has them. Source: runai §3.

A member's `since` and `until` are releases. Every member may be null (it then counts as not given).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, TypeAlias

__all__ = ["SPEC", "Fields", "Flag", "Items", "Member", "Number", "Shape", "Text"]

DNS: Final = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
QUANTITY: Final = r"([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A string; `pattern_since`: the pattern holds from that release on."""

    low: int = 0
    high: int = 0
    pattern: str = ""
    pattern_since: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number within bounds."""

    low: float | None = None
    high: float | None = None
    integer: bool = True


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    of: Shape


@dataclass(frozen=True, slots=True)
class Member:
    """One member of an object."""

    shape: Shape
    required: bool = False
    since: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True)
class Fields:
    """An object."""

    members: dict[str, Member] = field(default_factory=dict)


Shape: TypeAlias = Text | Number | Flag | Items | Fields

_ANY: Final = Text()
_WORD: Final = Text(low=1)
_FLAG: Final = Flag()
_PORT: Final = Number(low=1, high=65535)
_COUNT: Final = Number(low=0)
_FROM_ONE: Final = Number(low=1)
_AMOUNT: Final = Number(low=0, integer=False)
_QUANTITY: Final = Text(pattern=QUANTITY)
_STRINGS: Final = Items(_ANY)
_EXCLUDE: Final = Member(_FLAG, since="2.21")
_MODE: Final = Member(Text(pattern="0[0-7]{3}"), since="2.23")
_NAMED_KEY: Final = Fields(
    {"name": Member(Text(low=1, pattern=DNS, pattern_since="2.23"), required=True), "key": Member(_WORD, required=True)}
)
_LABELS: Final = Items(
    Fields(
        {
            "name": Member(Text(low=1, high=63), required=True),
            "value": Member(_ANY),
            "exclude": Member(_FLAG),
        }
    )
)
_AUTHORIZATION: Final = (
    "public",
    "authenticatedUsers",
    "authorizedUsersOrGroups",
    "authorizedUsers",
    "authorizedGroups",
)
_MIG: Final = (
    "1g.5gb",
    "1g.10gb",
    "2g.10gb",
    "2g.20gb",
    "3g.20gb",
    "3g.40gb",
    "4g.20gb",
    "4g.40gb",
    "7g.40gb",
    "7g.80gb",
)

_ENVIRONMENT: Final = Fields(
    {
        "name": Member(_WORD, required=True),
        "value": Member(_ANY),
        "secret": Member(_NAMED_KEY),
        "configMap": Member(_NAMED_KEY, since="2.21"),
        "podFieldRef": Member(Fields({"path": Member(_WORD, required=True)}), since="2.21"),
        "userCredential": Member(
            Fields({"name": Member(_WORD, required=True), "key": Member(_WORD, required=True)}), since="2.24"
        ),
        "exclude": Member(_FLAG),
        "description": Member(_ANY, since="2.20"),
    }
)

_TOLERATION: Final = Fields(
    {
        "name": Member(_ANY),
        "operator": Member(Text(choices=("Equal", "Exists"))),
        "key": Member(_ANY),
        "value": Member(_ANY),
        "effect": Member(Text(choices=("NoSchedule", "NoExecute", "PreferNoSchedule", "Any"))),
        "seconds": Member(_FROM_ONE),
        "exclude": Member(_FLAG, since="2.19"),
    }
)

_PROBES: Final = Fields(
    {
        "readiness": Member(
            Fields(
                {
                    "initialDelaySeconds": Member(_COUNT),
                    "periodSeconds": Member(_FROM_ONE),
                    "timeoutSeconds": Member(_FROM_ONE),
                    "successThreshold": Member(_FROM_ONE),
                    "failureThreshold": Member(_FROM_ONE),
                    "handler": Member(
                        Fields(
                            {
                                "httpGet": Member(
                                    Fields(
                                        {
                                            "path": Member(
                                                Text(pattern=r"(/[A-Za-z0-9\-_./]*)?", pattern_since="2.19")
                                            ),
                                            "port": Member(_PORT),
                                            "host": Member(_ANY),
                                            "scheme": Member(Text(choices=("HTTP", "HTTPS"))),
                                        }
                                    )
                                )
                            }
                        )
                    ),
                }
            )
        )
    }
)

_COMPUTE: Final = Fields(
    {
        "gpuDevicesRequest": Member(_COUNT),
        "gpuRequestType": Member(Text(choices=("portion", "memory", "migProfile"))),
        "gpuPortionRequest": Member(_AMOUNT),
        "gpuPortionLimit": Member(_AMOUNT),
        "gpuMemoryRequest": Member(_QUANTITY),
        "gpuMemoryLimit": Member(_QUANTITY),
        "migProfile": Member(Text(choices=_MIG), until="2.23"),
        "cpuCoreRequest": Member(_AMOUNT),
        "cpuCoreLimit": Member(_AMOUNT),
        "cpuMemoryRequest": Member(_QUANTITY),
        "cpuMemoryLimit": Member(_QUANTITY),
        "largeShmRequest": Member(_FLAG),
        "extendedResources": Member(
            Items(
                Fields(
                    {
                        "resource": Member(_WORD, required=True),
                        "quantity": Member(_QUANTITY),
                        "exclude": Member(_FLAG),
                    }
                )
            )
        ),
    }
)

_SERVING_PORT: Final = Fields(
    {
        "container": Member(_PORT),
        "protocol": Member(Text(choices=("http", "grpc"))),
        "authorizationType": Member(Text(choices=_AUTHORIZATION), since="2.19"),
        "authorizedUsers": Member(_STRINGS, since="2.19"),
        "authorizedGroups": Member(_STRINGS, since="2.19"),
        "clusterLocalAccessOnly": Member(_FLAG, since="2.19"),
    }
)

_AUTOSCALING: Final = Fields(
    {
        "minReplicas": Member(_COUNT),
        "maxReplicas": Member(_FROM_ONE),
        "initialReplicas": Member(_COUNT, since="2.20"),
        "activationReplicas": Member(_FROM_ONE, since="2.20"),
        "metric": Member(Text(low=1)),
        "metricThreshold": Member(Number()),
        "metricThresholdPercentage": Member(Number(low=1, high=100, integer=False), since="2.20"),
        "concurrencyHardLimit": Member(_COUNT, since="2.20"),
        "scaleToZeroRetentionSeconds": Member(Number(low=0, high=3600)),
        "scaleDownDelaySeconds": Member(Number(low=0, high=3600), since="2.20"),
        "initializationTimeoutSeconds": Member(_FROM_ONE, since="2.20"),
    }
)

_CLAIM: Final = Fields(
    {
        "size": Member(_QUANTITY),
        "storageClass": Member(_ANY),
        "accessModes": Member(
            Fields({"readWriteOnce": Member(_FLAG), "readOnlyMany": Member(_FLAG), "readWriteMany": Member(_FLAG)})
        ),
        "volumeMode": Member(Text(choices=("Filesystem", "Block"))),
        "addedAttrValues": Member(
            Items(Fields({"key": Member(_WORD, required=True), "value": Member(_ANY)})), since="2.22"
        ),
    }
)

_GIT_SECRET: Final = Fields(
    {
        "name": Member(_WORD, required=True),
        "authenticationMethod": Member(Text(choices=("password", "ssh-key"))),
        "secretKeyOfUser": Member(_ANY),
        "secretKeyOfPassword": Member(_ANY),
    }
)


def _named(**members: Member) -> Items:
    return Items(Fields({"name": Member(_ANY), **members, "exclude": _EXCLUDE}))


_STORAGE: Final = Fields(
    {
        "dataVolume": Member(
            Items(
                Fields(
                    {
                        "id": Member(_WORD, required=True),
                        "mountPath": Member(_WORD, required=True),
                        "exclude": _EXCLUDE,
                    }
                )
            )
        ),
        "pvc": Member(
            _named(
                existingPvc=Member(_FLAG),
                claimName=Member(Text(high=63)),
                path=Member(_WORD, required=True),
                readOnly=Member(_FLAG),
                ephemeral=Member(_FLAG),
                claimInfo=Member(_CLAIM),
                dataSharing=Member(_FLAG, since="2.22"),
            )
        ),
        "git": Member(
            _named(
                repository=Member(_WORD, required=True),
                branch=Member(_ANY),
                revision=Member(_ANY),
                path=Member(_WORD, required=True),
                passwordSecret=Member(_ANY),
                secretKeyOfUser=Member(_ANY),
                secretKeyOfPassword=Member(_ANY),
                secretRef=Member(_GIT_SECRET, since="2.23"),
            )
        ),
        "configMapVolume": Member(
            _named(
                configMap=Member(_WORD, required=True),
                mountPath=Member(_WORD, required=True),
                subPath=Member(_ANY, since="2.21"),
                defaultMode=_MODE,
            )
        ),
        "secretVolume": Member(
            _named(secret=Member(_WORD, required=True), mountPath=Member(_WORD, required=True), defaultMode=_MODE)
        ),
        "nfs": Member(
            _named(
                server=Member(_WORD, required=True),
                path=Member(_WORD, required=True),
                mountPath=Member(_WORD, required=True),
                readOnly=Member(_FLAG),
            ),
            since="2.19",
        ),
        "hostPath": Member(
            _named(
                path=Member(_WORD, required=True),
                mountPath=Member(_WORD, required=True),
                readOnly=Member(_FLAG),
                mountPropagation=Member(Text(choices=("None", "HostToContainer"))),
            ),
            since="2.19",
        ),
        "emptyDirVolume": Member(
            _named(path=Member(_WORD, required=True), medium=Member(_ANY), sizeLimit=Member(_QUANTITY)),
            since="2.22",
        ),
    }
)

_SECURITY: Final = Fields(
    {
        "uidGidSource": Member(Text(choices=("fromTheImage", "fromIdpToken", "custom"))),
        "runAsUid": Member(_COUNT),
        "runAsGid": Member(_COUNT),
        "supplementalGroups": Member(_ANY),
        "capabilities": Member(Items(Text(pattern="[A-Z][A-Z_]*"))),
        "seccompProfileType": Member(Text(choices=("RuntimeDefault", "Unconfined", "Localhost"))),
        "runAsNonRoot": Member(_FLAG),
        "readOnlyRootFilesystem": Member(_FLAG),
    }
)

_EXPRESSION: Final = Fields(
    {
        "key": Member(_WORD, required=True),
        "operator": Member(Text(choices=("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")), required=True),
        "values": Member(_STRINGS),
    }
)

SPEC: Final = Fields(
    {
        "image": Member(_WORD),
        "command": Member(_WORD),
        "args": Member(_WORD),
        "imagePullPolicy": Member(Text(choices=("Always", "Never", "IfNotPresent"))),
        "imagePullSecrets": Member(
            Items(
                Fields(
                    {
                        "name": Member(Text(low=1, pattern=DNS), required=True),
                        "userCredential": Member(_FLAG),
                        "exclude": Member(_FLAG),
                    }
                )
            ),
            since="2.22",
        ),
        "workingDir": Member(_WORD),
        "createHomeDir": Member(_FLAG),
        "environmentVariables": Member(Items(_ENVIRONMENT)),
        "annotations": Member(_LABELS),
        "labels": Member(_LABELS),
        "nodeType": Member(_ANY),
        "nodePools": Member(_STRINGS),
        "nodeAffinityRequired": Member(
            Fields({"nodeSelectorTerms": Member(Items(Fields({"matchExpressions": Member(Items(_EXPRESSION))})))}),
            since="2.22",
        ),
        "podAffinity": Member(Fields({"type": Member(Text(choices=("Required", "Preferred"))), "key": Member(_WORD)})),
        "tolerations": Member(Items(_TOLERATION)),
        "category": Member(_ANY),
        "priorityClass": Member(
            Text(choices=("very-low", "low", "medium-low", "medium", "medium-high", "high", "very-high")),
            since="2.22",
        ),
        "preemptibility": Member(Text(choices=("preemptible", "non-preemptible")), since="2.24"),
        "probes": Member(_PROBES),
        "ports": Member(
            Items(
                Fields(
                    {
                        "container": Member(_PORT, required=True),
                        "serviceType": Member(Text(choices=("LoadBalancer", "NodePort", "ClusterIP")), required=True),
                        "external": Member(_PORT),
                        "toolType": Member(_ANY),
                        "toolName": Member(_ANY),
                        "name": Member(_ANY),
                        "exclude": _EXCLUDE,
                    }
                )
            )
        ),
        "exposedUrls": Member(
            Items(
                Fields(
                    {
                        "container": Member(_PORT, required=True),
                        "url": Member(_ANY),
                        "authorizationType": Member(Text(choices=_AUTHORIZATION), since="2.24"),
                        "authorizedUsers": Member(_STRINGS),
                        "authorizedGroups": Member(_STRINGS),
                        "toolType": Member(_ANY),
                        "toolName": Member(_ANY),
                        "name": Member(_ANY),
                        "exclude": Member(_FLAG),
                    }
                )
            )
        ),
        "relatedUrls": Member(
            Items(
                Fields(
                    {
                        "url": Member(_WORD, required=True),
                        "type": Member(_WORD, required=True),
                        "name": Member(_ANY),
                        "exclude": Member(_FLAG),
                    }
                )
            )
        ),
        "compute": Member(_COMPUTE),
        "servingPort": Member(_SERVING_PORT),
        "autoscaling": Member(_AUTOSCALING),
        "servingConfiguration": Member(
            Fields(
                {
                    "initializationTimeoutSeconds": Member(_FROM_ONE),
                    "requestTimeoutSeconds": Member(_FROM_ONE),
                }
            ),
            since="2.22",
        ),
        "storage": Member(_STORAGE),
        "security": Member(_SECURITY),
    }
)
