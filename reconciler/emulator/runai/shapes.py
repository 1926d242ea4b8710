"""The create request's fields as the schema of each release has them. Source: runai §3.

A member's `since` and `until` are releases. Every member may be null (it then counts as not given).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from reconciler.emulator.runai.versions import has

__all__ = ["SPEC", "Fields", "Flag", "Items", "Member", "Number", "Shape", "Text"]

DNS: Final = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
QUANTITY: Final = r"([+]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)"
SIGNED_QUANTITY: Final = r"([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A string.

    Attributes:
        low: Characters at least.
        high: Characters at most, from release `high_since` on; 0 for any number.
        patterns: Release → pattern that holds from it on, until the next one; an empty release is the first.
        choices: The values there are, up to release `choices_until`; none for any value.
        added: Choice → first release that has it.
        dropped: Choice → last release that has it.
    """

    low: int = 0
    high: int = 0
    high_since: str = ""
    patterns: Mapping[str, str] = field(default_factory=dict)
    choices: tuple[str, ...] = ()
    choices_until: str = ""
    added: Mapping[str, str] = field(default_factory=dict)
    dropped: Mapping[str, str] = field(default_factory=dict)

    def high_in(self, version: str) -> int:
        """Characters at most, or 0."""
        return self.high if has(version, self.high_since) else 0

    def pattern_in(self, version: str) -> str:
        """The pattern of the whole value, or an empty one."""
        return next((pattern for since, pattern in reversed([*self.patterns.items()]) if has(version, since)), "")

    def choices_in(self, version: str) -> tuple[str, ...]:
        """The values there are, or none for any."""
        if not has(version, until=self.choices_until):
            return ()
        return tuple(
            choice for choice in self.choices if has(version, self.added.get(choice, ""), self.dropped.get(choice, ""))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number within bounds; the lower one holds from release `low_since` on."""

    low: float | None = None
    high: float | None = None
    integer: bool = True
    low_since: str = ""

    def low_in(self, version: str) -> float | None:
        """The least that it may be, or `None`."""
        return self.low if has(version, self.low_since) else None


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
_NUMBER: Final = Number()
_COUNT: Final = Number(low=0)
_FROM_ONE: Final = Number(low=1)
_DEVICES: Final = Number(low=0, low_since="2.21")
_AMOUNT: Final = Number(low=0, low_since="2.21", integer=False)
_QUANTITY: Final = Text(patterns={"": SIGNED_QUANTITY, "2.23": QUANTITY})
_STRINGS: Final = Items(_ANY)
_EXCLUDE: Final = Member(_FLAG, since="2.21")
_MODE: Final = Member(Text(low=4, high=4, patterns={"": "0[0-7]{3}"}), since="2.23")
_NAMED_KEY: Final = Fields(
    {"name": Member(Text(low=1, patterns={"2.23": DNS}), required=True), "key": Member(_WORD, required=True)}
)
_LABELS: Final = Items(
    Fields(
        {
            "name": Member(Text(low=1, high=63, high_since="2.19"), required=True),
            "value": Member(_ANY),
            "exclude": Member(_FLAG),
        }
    )
)
_CAPABILITIES: Final = (
    "AUDIT_CONTROL", "AUDIT_READ", "AUDIT_WRITE", "BLOCK_SUSPEND", "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER",
    "FSETID", "IPC_LOCK", "IPC_OWNER", "KILL", "LEASE", "LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE", "MKNOD",
    "NET_ADMIN", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYSLOG",
    "SYS_ADMIN", "SYS_BOOT", "SYS_CHROOT", "SYS_MODULE", "SYS_NICE", "SYS_PACCT", "SYS_PTRACE", "SYS_RAWIO",
    "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "WAKE_ALARM",
)  # fmt: skip
_AUTHORIZATION: Final = Text(
    choices=("public", "authenticatedUsers", "authorizedUsersOrGroups", "authorizedUsers", "authorizedGroups"),
    added={"authorizedUsers": "2.24", "authorizedGroups": "2.24"},
)
_URL_AUTHORIZATION: Final = Text(choices=("authenticatedUsers", "authorizedUsers", "authorizedGroups"))
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
        "name": Member(_WORD),
        "operator": Member(Text(choices=("Equal", "Exists"))),
        "key": Member(_ANY),
        "value": Member(_ANY),
        "effect": Member(Text(choices=("NoSchedule", "NoExecute", "PreferNoSchedule", "Any"), added={"Any": "2.19"})),
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
                                            "path": Member(Text(patterns={"2.19": r"(/[A-Za-z0-9\-_./]*)?"})),
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
        "gpuDevicesRequest": Member(_DEVICES),
        "gpuRequestType": Member(Text(choices=("portion", "memory", "migProfile"), dropped={"migProfile": "2.23"})),
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
                        "quantity": Member(Text(low=1, patterns={"2.23": QUANTITY})),
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
        "authorizationType": Member(_AUTHORIZATION, since="2.19"),
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
        "metric": Member(
            Text(
                choices=("throughput", "concurrency", "latency"),
                choices_until="2.19",
                patterns={"2.20": r"[A-Za-z_:][A-Za-z0-9_:]*"},
            )
        ),
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
        "storageClass": Member(Text(low=1, patterns={"2.23": DNS})),
        "accessModes": Member(
            Fields({"readWriteOnce": Member(_FLAG), "readOnlyMany": Member(_FLAG), "readWriteMany": Member(_FLAG)})
        ),
        "volumeMode": Member(Text(choices=("Filesystem", "Block"))),
        "addedAttrValues": Member(
            Items(
                Fields(
                    {
                        "key": Member(
                            Text(low=1, high=63, patterns={"": r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"}),
                            required=True,
                        ),
                        "value": Member(_ANY),
                    }
                )
            ),
            since="2.22",
        ),
    }
)

_GIT_SECRET: Final = Fields(
    {
        "name": Member(_WORD, required=True),
        "authenticationMethod": Member(Text(choices=("password", "ssh-key"))),
        "secretKeyOfUser": Member(_WORD),
        "secretKeyOfPassword": Member(_WORD),
    }
)


def _named(**members: Member) -> Items:
    return Items(Fields({"name": Member(_WORD), **members, "exclude": _EXCLUDE}))


_STORAGE: Final = Fields(
    {
        "dataVolume": Member(
            Items(
                Fields(
                    {
                        "id": Member(_ANY, required=True),
                        "mountPath": Member(_ANY, required=True),
                        "exclude": _EXCLUDE,
                    }
                )
            )
        ),
        "pvc": Member(
            _named(
                existingPvc=Member(_FLAG),
                claimName=Member(Text(low=1, high=63, high_since="2.19")),
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
                branch=Member(_WORD),
                revision=Member(_WORD),
                path=Member(_WORD, required=True),
                passwordSecret=Member(_WORD),
                secretKeyOfUser=Member(_WORD),
                secretKeyOfPassword=Member(_WORD),
                secretRef=Member(_GIT_SECRET, since="2.23"),
            )
        ),
        "configMapVolume": Member(
            _named(
                configMap=Member(Text(low=1, patterns={"2.23": DNS}), required=True),
                mountPath=Member(_WORD, required=True),
                subPath=Member(_WORD, since="2.21"),
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
            _named(path=Member(_WORD, required=True), medium=Member(_WORD), sizeLimit=Member(_QUANTITY)),
            since="2.22",
        ),
    }
)

_SECURITY: Final = Fields(
    {
        "uidGidSource": Member(Text(choices=("fromTheImage", "fromIdpToken", "custom"))),
        "runAsUid": Member(_NUMBER),
        "runAsGid": Member(_NUMBER),
        "supplementalGroups": Member(_ANY),
        "capabilities": Member(Items(Text(choices=_CAPABILITIES))),
        "seccompProfileType": Member(Text(choices=("RuntimeDefault", "Unconfined", "Localhost"))),
        "runAsNonRoot": Member(_FLAG),
        "readOnlyRootFilesystem": Member(_FLAG),
    }
)

_EXPRESSION: Final = Fields(
    {
        "key": Member(_ANY, required=True),
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
                        "name": Member(Text(patterns={"2.23": DNS}), required=True),
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
        "nodeType": Member(_WORD),
        "nodePools": Member(_STRINGS),
        "nodeAffinityRequired": Member(
            Fields({"nodeSelectorTerms": Member(Items(Fields({"matchExpressions": Member(Items(_EXPRESSION))})))}),
            since="2.22",
        ),
        "podAffinity": Member(Fields({"type": Member(Text(choices=("Required", "Preferred"))), "key": Member(_ANY)})),
        "tolerations": Member(Items(_TOLERATION)),
        "category": Member(_ANY, since="2.22"),
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
                        "external": Member(_NUMBER),
                        "toolType": Member(_ANY),
                        "toolName": Member(_ANY),
                        "name": Member(_WORD),
                        "exclude": _EXCLUDE,
                    }
                )
            )
        ),
        "exposedUrls": Member(
            Items(
                Fields(
                    {
                        "container": Member(_NUMBER, required=True),
                        "url": Member(_ANY),
                        "authorizationType": Member(_URL_AUTHORIZATION, since="2.24"),
                        "authorizedUsers": Member(_STRINGS),
                        "authorizedGroups": Member(_STRINGS),
                        "toolType": Member(_ANY),
                        "toolName": Member(_ANY),
                        "name": Member(_WORD),
                        "exclude": _EXCLUDE,
                    }
                )
            )
        ),
        "relatedUrls": Member(
            Items(
                Fields(
                    {
                        "url": Member(_ANY, required=True),
                        "type": Member(_ANY, required=True),
                        "name": Member(_ANY),
                        "exclude": _EXCLUDE,
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
