"""What a walk over every field needs that a schema can't tell: full specs, and what has to move with what.

Another value of a field comes from its schema (`cases.py`): choices, bounds, examples. Only where another field has to
move with it, the change is written by hand here. What is left without a second value is listed, with its reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

__all__ = [
    "CHANGES",
    "DROP",
    "FULL",
    "NEWEST",
    "NOTEBOOK",
    "ONLY_VALUE",
    "OTHER_SECRET",
    "RELEASES",
    "REMOVALS",
    "RUNAI",
    "SECRET",
    "SERVICE",
    "THETA",
]

RELEASES: Final = ("2.18", "2.19", "2.20", "2.21", "2.22", "2.23", "2.24")
"""Of Run:ai."""
NEWEST: Final = RELEASES[-1]
"""The one in which a walk happens, but for fields that ended before it."""
THETA: Final = "theta/Deployment"
RUNAI: Final = "runai/Inference"
SERVICE: Final = "modelarts/Service"
NOTEBOOK: Final = "modelarts/Notebook"


class _Drop:
    """Says that a field is taken out."""

    def __repr__(self) -> str:
        return "DROP"


DROP: Final = _Drop()
_CLUSTER: Final = "8abf68a969c3cb3a0169c4acb24b0000"
_MNIST: Final = "0e07b41b-173e-42db-8c16-8e1b44cc0d44"
_CHURN: Final = "598b913a-af3e-41ba-a1b5-bf065320f1e2"
_EDGE: Final = "eb6a4a8c-5713-4a27-b8ed-c7e694499af5"
SECRET: Final = '{{ secret("FIRST") }}'
OTHER_SECRET: Final = '{{ secret("SECOND") }}'

_PROPERTIES: Final = {
    "log_volume": [{"host_path": "/var/log/mnist", "mount_path": "/home/ma-user/log"}],
    "max_surge": 2,
    "max_unavailable": 0.25,
    "termination_grace_period_seconds": 30,
    "persistent_volumes": [
        {
            "name": "models",
            "mount_path": "/mnt/models",
            "storage_type": "sfs_turbo",
            "source_address": "192.168.0.1:/models",
        }
    ],
}
_AFFINITY: Final = {
    "node_affinity": {
        "mode": "preferred",
        "pool_infos": [{"pool_name": "pool1", "nodes": [{"name": "192.168.0.5"}]}],
    }
}
_COMMON: Final = {
    "instance_count": 1,
    "specification": "custom",
    "custom_spec": {"cpu": 1.5, "memory": 7500, "gpu_p4": 0.5},
    "envs": {"model_name": "mxnet-model-1", "load_epoch": "1"},
    "deploy_timeout_in_seconds": 1200,
    "additional_properties": _PROPERTIES,
    "affinity": _AFFINITY,
}
_SMN: Final = {"topic_urn": "urn:smn:eu-de:0f5a:ml-alerts", "events": [1, 3]}
_CHANNEL: Final = {"type": "LTS", "configuration": {"log_group_id": "group-1", "log_stream_id": "stream-1"}}
_SECRETS: Final = [{"secretId": "5a2d6c1b-6c5f-4a4f-9d8e-0f5b7d1c2a16", "mouthPath": "/secrets/db"}]

FULL: Final[Mapping[str, Mapping[str, Mapping[str, Any]]]] = {
    THETA: {
        "server": {
            "template": "Triton Inference Server",
            "container_image": "thetalabs/triton:24.08",
            "registry_username": "bot",
            "registry_password": SECRET,
            "vm_id": "vm_gv1",
            "min_replicas": 2,
            "max_replicas": 4,
            "env_vars": {"MODE": "fast", "TOKEN": SECRET},
            "annotations": {"nickname": "llm-prod", "team": "vision"},
            "auth_username": "api",
            "auth_password": SECRET,
        },
        "notebook": {
            "deployment_template_id": "img_11d40kefk5jpauj8pk59mb52dzbe",
            "container_image": "jupyter/base-notebook:latest",
            "vm_id": "vm_c1",
            "min_replicas": 1,
            "password": SECRET,
        },
    },
    NOTEBOOK: {
        "pool": {
            "description": "Training experiments of team vision",
            "profile_id": "Multi-Engine 2.0 (python3)",
            "flavor": "modelarts.vm.cpu.2u",
            "spec": {
                "storage": {"type": "obs", "location": {"path": "/my-bucket/notebooks/"}},
                "extend_storage": [{"type": "obsfs", "location": {"path": "/my-parallel-fs/data/"}}],
                "auto_stop": {"enable": True, "duration": 3600, "prompt": False},
                "annotations": {"team": "vision"},
            },
            "pool": {
                "id": "pool7f3a9c1d",
                "type": "USER_DEFINED",
                "name": "vision-pool",
                "owner": {"project_id": "0f5a"},
            },
            "ai_project": {"id": "project-x"},
        },
    },
    SERVICE: {
        "real-time": {
            "infer_type": "real-time",
            "description": "mnist service",
            "pool_name": "pool1",
            "load_balancer_policy": "ROUND_ROBIN",
            "priority": 1,
            "service_secrets": _SECRETS,
            "schedule": [{"type": "stop", "time_unit": "HOURS", "duration": 30}],
            "additional_properties": {
                "smn_notification": _SMN,
                "log_report_channels": [_CHANNEL],
                "websocket_upgrade": True,
            },
            "config": [
                {**_COMMON, "model_id": _MNIST, "weight": 70, "pool_name": "pool2"},
                {"model_id": _CHURN, "specification": "modelarts.vm.cpu.2u", "instance_count": 1, "weight": 30},
            ],
        },
        "real-time in a cluster": {
            "infer_type": "real-time",
            "cluster_id": _CLUSTER,
            "config": [
                {
                    "model_id": _MNIST,
                    "specification": "custom",
                    "custom_spec": {"cpu": 1.5, "memory": 7500, "ascend_a310": 1},
                    "instance_count": 1,
                    "weight": 100,
                    "cluster_id": f"{_CLUSTER[:-1]}1",
                }
            ],
        },
        "real-time in a network": {
            "infer_type": "real-time",
            "vpc_id": "vpc-1",
            "subnet_network_id": "subnet-1",
            "security_group_id": "group-1",
            "config": [
                {"model_id": _MNIST, "specification": "modelarts.vm.cpu.2u", "instance_count": 1, "weight": 100}
            ],
        },
        "batch": {
            "infer_type": "batch",
            "description": "nightly",
            "pool_name": "pool1",
            "priority": 1,
            "service_secrets": _SECRETS,
            "additional_properties": {"smn_notification": _SMN, "log_report_channels": [_CHANNEL]},
            "config": [
                {
                    **_COMMON,
                    "model_id": _CHURN,
                    "pool_name": "pool2",
                    "src_path": "https://infers-data.obs.example.com/input/",
                    "dest_path": "https://infers-data.obs.example.com/output/",
                    "req_uri": "/",
                    "mapping_type": "csv",
                    "mapping_rule": {"type": "object", "properties": {"data": {"type": "number", "index": 0}}},
                    "src_type": "ManifestFile",
                }
            ],
        },
        "batch in a cluster": {
            "infer_type": "batch",
            "cluster_id": _CLUSTER,
            "config": [
                {
                    "model_id": _CHURN,
                    "specification": "modelarts.vm.cpu.2u",
                    "instance_count": 1,
                    "cluster_id": f"{_CLUSTER[:-1]}1",
                    "src_path": "https://infers-data.obs.example.com/input/",
                    "dest_path": "https://infers-data.obs.example.com/output/",
                    "req_uri": "/",
                    "mapping_type": "file",
                }
            ],
        },
        "edge": {
            "infer_type": "edge",
            "description": "at the gate",
            "cluster_id": _CLUSTER,
            "service_secrets": _SECRETS,
            "additional_properties": {"smn_notification": _SMN, "log_report_channels": [_CHANNEL]},
            "config": [
                {**_COMMON, "model_id": _EDGE, "cluster_id": f"{_CLUSTER[:-1]}1", "nodes": ["node-1", "node-2"]}
            ],
        },
    },
    RUNAI: {
        "portion": {
            "image": "python:3.8",
            "command": "python",
            "args": "-x my-script.py",
            "imagePullPolicy": "Always",
            "imagePullSecrets": [{"name": "my-registry", "userCredential": True}, {"name": "other-registry"}],
            "workingDir": "/home/myfolder",
            "createHomeDir": True,
            "environmentVariables": [
                {"name": "HOME", "value": "/home/my-folder", "description": "Where data lives"},
                {"name": "DB_PASSWORD", "secret": {"name": "postgres-secret", "key": "POSTGRES_PASSWORD"}},
                {"name": "DB_HOST", "configMap": {"name": "postgres-config", "key": "POSTGRES_HOST"}},
                {"name": "POD", "podFieldRef": {"path": "metadata.name"}},
                {"name": "HF_TOKEN", "userCredential": {"name": "my-credential", "key": "token"}},
            ],
            "annotations": [{"name": "gitops.example/team", "value": "team-a"}, {"name": "gitops.example/tier"}],
            "labels": [{"name": "team", "value": "a"}, {"name": "tier", "value": "gold"}],
            "nodeType": "my-node-type",
            "nodePools": ["my-node-pool-a", "my-node-pool-b"],
            "nodeAffinityRequired": {
                "nodeSelectorTerms": [
                    {"matchExpressions": [{"key": "region", "operator": "In", "values": ["us-east", "us-west"]}]}
                ]
            },
            "podAffinity": {"type": "Required", "key": "region"},
            "tolerations": [
                {
                    "name": "spot",
                    "operator": "Equal",
                    "key": "dedicated",
                    "value": "gpu",
                    "effect": "NoExecute",
                    "seconds": 300,
                },
                {"name": "any", "operator": "Exists", "key": "other"},
            ],
            "category": "Deploy",
            "priorityClass": "low",
            "preemptibility": "preemptible",
            "probes": {
                "readiness": {
                    "initialDelaySeconds": 10,
                    "periodSeconds": 10,
                    "timeoutSeconds": 5,
                    "successThreshold": 1,
                    "failureThreshold": 3,
                    "handler": {"httpGet": {"path": "/health", "port": 8080, "host": "localhost", "scheme": "HTTPS"}},
                }
            },
            "ports": [
                {
                    "name": "metrics",
                    "container": 8081,
                    "serviceType": "NodePort",
                    "external": 30080,
                    "toolType": "custom",
                    "toolName": "my-pytorch",
                },
                {"container": 8082, "serviceType": "ClusterIP"},
            ],
            "exposedUrls": [
                {
                    "name": "ui",
                    "container": 8080,
                    "url": "https://my-url.example.com",
                    "authorizationType": "authorizedUsers",
                    "authorizedUsers": ["user-a", "user-b"],
                    "toolType": "custom",
                    "toolName": "my-pytorch",
                },
                {
                    "name": "api",
                    "container": 8083,
                    "authorizationType": "authorizedGroups",
                    "authorizedGroups": ["group-a"],
                },
            ],
            "relatedUrls": [{"name": "board", "url": "https://dashboard.example.com", "type": "dashboard"}],
            "compute": {
                "gpuDevicesRequest": 1,
                "gpuRequestType": "portion",
                "gpuPortionRequest": 0.5,
                "gpuPortionLimit": 0.75,
                "cpuCoreRequest": 0.5,
                "cpuCoreLimit": 2,
                "cpuMemoryRequest": "20M",
                "cpuMemoryLimit": "30M",
                "largeShmRequest": True,
                "extendedResources": [
                    {"resource": "hardware-vendor.example/foo", "quantity": "2"},
                    {"resource": "hardware-vendor.example/bar", "quantity": "1"},
                ],
            },
            "servingPort": {
                "container": 8080,
                "protocol": "grpc",
                "authorizationType": "authorizedUsersOrGroups",
                "authorizedUsers": ["user-a", "user-b"],
                "clusterLocalAccessOnly": True,
            },
            "autoscaling": {
                "minReplicas": 2,
                "maxReplicas": 4,
                "initialReplicas": 3,
                "activationReplicas": 3,
                "metric": "throughput",
                "metricThreshold": 10,
                "metricThresholdPercentage": 80,
                "concurrencyHardLimit": 5,
                "scaleDownDelaySeconds": 300,
            },
            "servingConfiguration": {"initializationTimeoutSeconds": 600, "requestTimeoutSeconds": 600},
            "storage": {
                "dataVolume": [{"id": "71f69d83-ba66-4822-adf5-55ce55efd210", "mountPath": "/volume"}],
                "pvc": [
                    {
                        "name": "scratch",
                        "path": "/scratch",
                        "claimName": "pvc-scratch",
                        "readOnly": True,
                        "ephemeral": False,
                        "dataSharing": True,
                        "claimInfo": {
                            "size": "20Gi",
                            "storageClass": "fast",
                            "accessModes": {"readWriteOnce": False, "readOnlyMany": True, "readWriteMany": True},
                            "volumeMode": "Block",
                            "addedAttrValues": [{"key": "tier", "value": "fast"}],
                        },
                    },
                    {"name": "staging", "path": "/staging", "existingPvc": True, "claimName": "pvc-staging"},
                ],
                "git": [
                    {
                        "name": "code",
                        "repository": "https://github.com/example/models",
                        "branch": "main",
                        "revision": "v1.2.0",
                        "path": "/code",
                        "passwordSecret": "my-git-secret",
                        "secretKeyOfUser": "Login",
                        "secretKeyOfPassword": "Word",
                    },
                    {
                        "name": "more",
                        "repository": "https://github.com/example/more",
                        "path": "/more",
                        "secretRef": {
                            "name": "my-git-secret",
                            "authenticationMethod": "password",
                            "secretKeyOfUser": "Login",
                            "secretKeyOfPassword": "Word",
                        },
                    },
                ],
                "configMapVolume": [
                    {
                        "name": "settings",
                        "configMap": "my-config",
                        "mountPath": "/settings",
                        "subPath": "a.yaml",
                        "defaultMode": "0644",
                    }
                ],
                "secretVolume": [
                    {"name": "keys", "secret": "my-secret", "mountPath": "/keys", "defaultMode": "0400"},
                ],
                "nfs": [
                    {
                        "name": "shared",
                        "server": "nfs.example.com",
                        "path": "/exports/models",
                        "mountPath": "/shared",
                        "readOnly": False,
                    }
                ],
                "hostPath": [
                    {
                        "name": "local",
                        "path": "/mnt/models",
                        "mountPath": "/local",
                        "readOnly": False,
                        "mountPropagation": "HostToContainer",
                    }
                ],
                "emptyDirVolume": [{"name": "tmp", "path": "/fast", "medium": "Memory", "sizeLimit": "1Gi"}],
            },
            "security": {
                "uidGidSource": "custom",
                "runAsUid": 1000,
                "runAsGid": 1000,
                "supplementalGroups": "2000,3000",
                "capabilities": ["CHOWN", "KILL"],
                "seccompProfileType": "RuntimeDefault",
                "runAsNonRoot": True,
                "readOnlyRootFilesystem": True,
            },
            "useGivenNameAsPrefix": False,
            "templateId": "71f69d83-ba66-4822-adf5-55ce55efd210",
        },
        "memory": {
            "image": "python:3.8",
            "compute": {
                "gpuDevicesRequest": 1,
                "gpuRequestType": "memory",
                "gpuMemoryRequest": "20Gi",
                "gpuMemoryLimit": "30Gi",
            },
            "servingPort": {
                "container": 8080,
                "authorizationType": "authorizedUsersOrGroups",
                "authorizedGroups": ["group-a"],
            },
            "autoscaling": {
                "minReplicas": 0,
                "maxReplicas": 2,
                "metric": "concurrency",
                "metricThreshold": 10,
                "scaleToZeroRetentionSeconds": 600,
            },
        },
        "mig": {
            "image": "python:3.8",
            "compute": {"gpuDevicesRequest": 1, "gpuRequestType": "migProfile", "migProfile": "1g.5gb"},
        },
        "old timeout": {
            "image": "python:3.8",
            "autoscaling": {"minReplicas": 2, "initializationTimeoutSeconds": 600},
        },
    },
}
"""Label of a kind → name of a variant → spec. Together the variants of a kind hold every field of its schema."""

CHANGES: Final[Mapping[str, Mapping[str, Mapping[str, Any]]]] = {
    THETA: {
        "template": {"template": "vLLM", "container_image": DROP},
        "deployment_template_id": {
            "deployment_template_id": "img_hgrxdhekj6ax2s843ccxrzibd7h2",
            "container_image": DROP,
            "password": DROP,
        },
        "container_image": {"container_image": "thetalabs/triton:24.07"},
    },
    NOTEBOOK: {},
    SERVICE: {
        "infer_type": {
            "infer_type": "edge",
            "pool_name": DROP,
            "load_balancer_policy": DROP,
            "priority": DROP,
            "schedule": DROP,
            "additional_properties.websocket_upgrade": DROP,
            "config": [
                {"model_id": _MNIST, "specification": "modelarts.vm.cpu.2u", "instance_count": 1, "nodes": ["n1"]}
            ],
        },
        "infer_type(edge)": {
            "infer_type": "real-time",
            "config": [
                {"model_id": _MNIST, "specification": "modelarts.vm.cpu.2u", "instance_count": 1, "weight": 100}
            ],
        },
        "config[*].specification": {
            "config[*].specification": "modelarts.vm.cpu.2u",
            "config[*].custom_spec": DROP,
        },
        "config[*].model_id": {"config[*].model_id": "xxxmodel-idxxx"},
        # The pool that the service has: named here, it is another than the one before.
        "config[*].pool_name": {"config[*].pool_name": "pool1"},
        "config[*].cluster_id": {"config[*].cluster_id": _CLUSTER},
        "config[*].weight": {"config[*].weight": 60, "config[1].weight": 40},
        "config[*].mapping_type": {"config[*].mapping_type": "file", "config[*].mapping_rule": DROP},
    },
    RUNAI: {
        "tolerations[*].operator": {"tolerations[*].operator": "Exists", "tolerations[*].value": DROP},
        "tolerations[*].effect": {"tolerations[*].effect": "NoSchedule", "tolerations[*].seconds": DROP},
        "compute.gpuDevicesRequest": {
            "compute.gpuDevicesRequest": 2,
            "compute.gpuRequestType": DROP,
            "compute.gpuPortionRequest": DROP,
            "compute.gpuPortionLimit": DROP,
        },
        "compute.gpuRequestType": {
            "compute.gpuRequestType": "memory",
            "compute.gpuPortionRequest": DROP,
            "compute.gpuPortionLimit": DROP,
            "compute.gpuMemoryRequest": "20Gi",
        },
        "compute.gpuPortionRequest": {"compute.gpuPortionRequest": 0.25},
        "compute.gpuPortionLimit": {"compute.gpuPortionLimit": 1},
        "servingPort.authorizationType": {
            "servingPort.authorizationType": "authenticatedUsers",
            "servingPort.authorizedUsers": DROP,
        },
        "exposedUrls[*].authorizationType": {
            "exposedUrls[*].authorizationType": "authenticatedUsers",
            "exposedUrls[*].authorizedUsers": DROP,
        },
        "storage.pvc[*].existingPvc": {
            "storage.pvc[*].existingPvc": False,
            "storage.pvc[*].claimInfo": {"size": "1Gi"},
        },
        "security.uidGidSource": {"security.uidGidSource": "fromIdpToken"},
        "security.seccompProfileType": {"security.seccompProfileType": "Unconfined"},
        "security.supplementalGroups": {"security.supplementalGroups": "2000,4000"},
        "templateId": {"templateId": "06d16c5d-4728-42fa-b573-3b11820d999f"},
        "storage.dataVolume[*].id": {"storage.dataVolume[*].id": "06d16c5d-4728-42fa-b573-3b11820d999f"},
    },
}
"""Path → what moves with it when it gets another value; `[*]` is the element that the walk goes by."""

REMOVALS: Final[Mapping[str, Mapping[str, Mapping[str, Any]]]] = {
    THETA: {
        "template": {"template": DROP, "deployment_template_id": "img_8px97gooewsyfgbr19fj8d5ij2d6"},
        "container_image": {"container_image": DROP, "template": "vLLM"},
        "registry_username": {"registry_username": DROP, "registry_password": DROP},
        "registry_password": {"registry_username": DROP, "registry_password": DROP},
        "auth_username": {"auth_username": DROP, "auth_password": DROP},
        "auth_password": {"auth_username": DROP, "auth_password": DROP},
        "deployment_template_id": {"deployment_template_id": DROP, "template": "Jupyter Notebook"},
    },
    NOTEBOOK: {
        "spec.auto_stop.duration": {"spec.auto_stop.duration": DROP, "spec.auto_stop.enable": DROP},
        "pool": {"pool": DROP, "spec.extend_storage": DROP},
    },
    SERVICE: {
        "vpc_id": {"vpc_id": DROP, "subnet_network_id": DROP, "security_group_id": DROP},
        "subnet_network_id": {"vpc_id": DROP, "subnet_network_id": DROP, "security_group_id": DROP},
        "security_group_id": {"vpc_id": DROP, "subnet_network_id": DROP, "security_group_id": DROP},
        "config[*].custom_spec": {"config[*].custom_spec": DROP, "config[*].specification": "modelarts.vm.cpu.2u"},
        "config[*].mapping_rule": {"config[*].mapping_rule": DROP, "config[*].mapping_type": "file"},
        "config[*]": {"config[1]": DROP, "config[0].weight": 100},
    },
    RUNAI: {
        "environmentVariables[*].value": {
            "environmentVariables[*].value": DROP,
            "environmentVariables[*].podFieldRef": {"path": "metadata.uid"},
        },
        "environmentVariables[*].configMap": {
            "environmentVariables[*].configMap": DROP,
            "environmentVariables[*].value": "x",
        },
        "environmentVariables[*].podFieldRef": {
            "environmentVariables[*].podFieldRef": DROP,
            "environmentVariables[*].value": "x",
        },
        "environmentVariables[*].secret": {
            "environmentVariables[*].secret": DROP,
            "environmentVariables[*].value": "x",
        },
        "environmentVariables[*].userCredential": {
            "environmentVariables[*].userCredential": DROP,
            "environmentVariables[*].value": "x",
        },
        "nodeAffinityRequired.nodeSelectorTerms[*].matchExpressions[*].values": {
            "nodeAffinityRequired.nodeSelectorTerms[*].matchExpressions[*].values": DROP,
            "nodeAffinityRequired.nodeSelectorTerms[*].matchExpressions[*].operator": "Exists",
        },
        "tolerations[*].operator": {"tolerations[*].operator": DROP},
        "tolerations[*].effect": {"tolerations[*].effect": DROP, "tolerations[*].seconds": DROP},
        "autoscaling.metric": {
            "autoscaling.metric": DROP,
            "autoscaling.metricThreshold": DROP,
            "autoscaling.metricThresholdPercentage": DROP,
            "autoscaling.maxReplicas": DROP,
        },
        "autoscaling.metricThreshold": {
            "autoscaling.metric": DROP,
            "autoscaling.metricThreshold": DROP,
            "autoscaling.metricThresholdPercentage": DROP,
            "autoscaling.maxReplicas": DROP,
        },
        "compute.gpuDevicesRequest": {
            "compute.gpuDevicesRequest": DROP,
            "compute.gpuRequestType": DROP,
            "compute.gpuPortionRequest": DROP,
            "compute.gpuPortionLimit": DROP,
        },
        "compute.gpuRequestType": {
            "compute.gpuRequestType": DROP,
            "compute.gpuPortionRequest": DROP,
            "compute.gpuPortionLimit": DROP,
        },
        "compute.gpuPortionRequest": {
            "compute.gpuRequestType": DROP,
            "compute.gpuPortionRequest": DROP,
            "compute.gpuPortionLimit": DROP,
        },
        "compute.gpuMemoryRequest": {
            "compute.gpuRequestType": DROP,
            "compute.gpuMemoryRequest": DROP,
            "compute.gpuMemoryLimit": DROP,
        },
        "compute.migProfile": {"compute.gpuRequestType": DROP, "compute.migProfile": DROP},
        "servingPort.authorizationType": {
            "servingPort.authorizationType": DROP,
            "servingPort.authorizedUsers": DROP,
        },
        "servingPort.authorizedUsers": {
            "servingPort.authorizationType": DROP,
            "servingPort.authorizedUsers": DROP,
        },
        "servingPort.authorizedGroups": {
            "servingPort.authorizationType": DROP,
            "servingPort.authorizedGroups": DROP,
        },
        "exposedUrls[*].authorizedUsers": {
            "exposedUrls[*].authorizationType": DROP,
            "exposedUrls[*].authorizedUsers": DROP,
        },
        "exposedUrls[*].authorizedGroups": {
            "exposedUrls[*].authorizationType": DROP,
            "exposedUrls[*].authorizedGroups": DROP,
        },
        "storage.pvc[*].existingPvc": {
            "storage.pvc[*].existingPvc": DROP,
            "storage.pvc[*].claimInfo": {"size": "1Gi"},
        },
        "security.uidGidSource": {
            "security.uidGidSource": DROP,
            "security.runAsUid": DROP,
            "security.runAsGid": DROP,
            "security.supplementalGroups": DROP,
        },
    },
}
"""Path → what moves with it when it is taken out."""

ONLY_VALUE: Final[Mapping[str, str]] = {
    "runai/Inference.useGivenNameAsPrefix": "only false is allowed (§3.1)",
    "runai/Inference.storage.pvc[*].ephemeral": "only false is supported (§3.5)",
    "modelarts/Notebook.spec.storage.type": "only obs is allowed (§3)",
    "modelarts/Notebook.spec.extend_storage[*].type": "only obsfs is allowed (§3)",
    "modelarts/Service.schedule[*].type": "only stop is allowed (§3.4)",
    "modelarts/Service.additional_properties.log_report_channels[*].type": "only LTS is allowed (§3.5)",
    "modelarts/Service.config[*].src_type": "only ManifestFile is allowed (§3.2)",
}
"""Fields that have no second value, with the reason: they are walked by taking them out, where they can be."""
