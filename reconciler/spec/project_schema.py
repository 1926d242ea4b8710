"""The strict schema of `reconciler.yaml`; `schemas/reconciler-project.json` is the same, loosened, for editors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from reconciler.spec.resource import DAYS

__all__ = ["PROJECT_FILE", "PROJECT_SCHEMA"]

PROJECT_FILE: Final = "reconciler-project.json"

_TIME_OF_DAY: Final[Mapping[str, Any]] = {
    "type": "string",
    "x-literal": True,
    "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$",
    "x-pattern-words": "a time of day such as 22:00",
}
_SAFETY: Final[Mapping[str, Any]] = {
    "type": "object",
    "x-literal": True,
    "properties": {
        "maxDeletes": {
            "type": ["integer", "string"],
            "x-literal": True,
            "minimum": 0,
            "pattern": "^(100|[1-9]?[0-9])(\\.[0-9]+)?%$",
            "x-pattern-words": "a count, or a share of 0% to 100%",
            "default": 10,
            "description": "Most deletes and replaces of one apply: a count, or a share of what we own.",
            "examples": [10, "20%"],
        },
        "windows": {
            "type": "array",
            "x-literal": True,
            "items": {
                "type": "object",
                "x-literal": True,
                "properties": {
                    "days": {
                        "type": "array",
                        "x-literal": True,
                        "minItems": 1,
                        "uniqueItems": True,
                        "items": {"type": "string", "x-literal": True, "enum": list(DAYS)},
                        "description": "Days on which it opens. Default: every day.",
                        "examples": [["sat", "sun"]],
                    },
                    "from": {**_TIME_OF_DAY, "description": "When it opens.", "examples": ["22:00"]},
                    "to": {
                        **_TIME_OF_DAY,
                        "description": "When it closes: on the next day, unless that is later than `from`.",
                        "examples": ["04:00"],
                    },
                    "timezone": {
                        "type": "string",
                        "x-literal": True,
                        "minLength": 1,
                        "default": "UTC",
                        "description": "IANA time zone of both.",
                        "examples": ["Europe/Berlin"],
                    },
                },
                "required": ["from", "to"],
                "additionalProperties": False,
            },
            "description": "When interrupting changes may be made; else they are blocked. Without any: always.",
            "examples": [[{"days": ["sat", "sun"], "from": "22:00", "to": "04:00", "timezone": "Europe/Berlin"}]],
        },
    },
    "additionalProperties": False,
    "description": "Limits.",
}


PROJECT_SCHEMA: Final[Mapping[str, Any]] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "reconciler-project.json",
    "title": "reconciler.yaml",
    "type": "object",
    "description": "A spec project: what is desired, where, and under which rules.",
    "properties": {
        "apiVersion": {"const": "reconciler/v1"},
        "kind": {"const": "Project"},
        "metadata": {
            "type": "object",
            "description": "Who this project is.",
            "properties": {
                "name": {
                    "type": "string",
                    "pattern": "^[a-z0-9-]+$",
                    "x-pattern-words": "lowercase letters, digits and hyphens",
                    "maxLength": 24,
                    "x-literal": True,
                    "description": "First part of the owner of every live "
                    "resource: up to 24 lowercase letters, "
                    "digits and hyphens. Do not change it "
                    "lightly (see formerOwners).",
                    "examples": ["ml-platform"],
                },
                "formerOwners": {
                    "type": "array",
                    "x-literal": True,
                    "items": {
                        "type": "string",
                        "x-literal": True,
                        "pattern": "^[a-z0-9-]{1,24}(/[a-z0-9-]{1,24})?$",
                        "x-pattern-words": "project or project/environment",
                    },
                    "description": "Earlier owners (project or project/environment) whose resources are ours.",
                    "examples": [["old-name/prod"]],
                },
            },
            "required": ["name"],
            "additionalProperties": False,
        },
        "spec": {
            "type": "object",
            "properties": {
                "resources": {
                    "type": "array",
                    "x-literal": True,
                    "default": ["resources/"],
                    "items": {"type": "string", "minLength": 1},
                    "description": "Files and folders with resources, relative to this file.",
                    "examples": [["resources/"]],
                },
                "values": {
                    "type": "object",
                    "description": "Values for templates; any YAML.",
                    "examples": [{"replicas": 1}],
                    "x-literal": True,
                },
                "secrets": {
                    "type": "array",
                    "x-literal": True,
                    "uniqueItems": True,
                    "items": {
                        "type": "string",
                        "x-literal": True,
                        "pattern": "^[A-Za-z_][A-Za-z0-9_]*$",
                        "x-pattern-words": "letters, digits and _",
                    },
                    "description": "The only names that secret() may read.",
                    "examples": [["THETA_API_KEY"]],
                },
                "providers": {
                    "type": "object",
                    "x-literal": True,
                    "propertyNames": {
                        "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
                        "x-pattern-words": "lowercase letters, digits and hyphens",
                        "maxLength": 63,
                    },
                    "additionalProperties": {
                        "type": "object",
                        "description": "One account, "
                        "project or "
                        "cluster. Its "
                        "keys depend "
                        "on the type "
                        "(see "
                        "`reconciler "
                        "explain`).",
                        "properties": {
                            "type": {
                                "type": "string",
                                "description": "Provider type.",
                                "examples": ["theta", "runai", "modelarts"],
                            },
                            "endpoint": {
                                "type": "string",
                                "description": "Base address of the API, or emulator for the embedded emulator.",
                                "examples": ["emulator", "https://runai.example.com"],
                            },
                        },
                        "required": ["type"],
                        "x-literal": True,
                    },
                    "description": "Named provider instances.",
                },
                "defaults": {
                    "type": "object",
                    "x-literal": True,
                    "additionalProperties": {
                        "type": "object",
                        "x-literal": True,
                        "properties": {
                            "metadata": {
                                "type": "object",
                                "x-literal": True,
                                "properties": {
                                    "labels": {"type": "object", "additionalProperties": {"type": "string"}}
                                },
                                "additionalProperties": False,
                            },
                            "lifecycle": {"type": "object"},
                            "spec": {"type": "object"},
                        },
                        "additionalProperties": False,
                    },
                    "description": "Parts that stand under every resource of a kind, by type/Kind.",
                    "examples": [{"modelarts/Service": {"spec": {"infer_type": "real-time"}}}],
                },
                "defaultEnvironment": {
                    "type": "string",
                    "x-literal": True,
                    "description": "Environment when -e is not given.",
                    "examples": ["dev"],
                },
                "environments": {
                    "type": "object",
                    "x-literal": True,
                    "propertyNames": {
                        "pattern": "^[a-z0-9-]+$",
                        "x-pattern-words": "lowercase letters, digits and hyphens",
                        "maxLength": 24,
                    },
                    "additionalProperties": {
                        "type": ["object", "null"],
                        "x-literal": True,
                        "properties": {
                            "values": {
                                "type": "object",
                                "description": "Values for templates; any YAML.",
                                "examples": [{"replicas": 1}],
                                "x-literal": True,
                            },
                            "safety": _SAFETY,
                            "providers": {
                                "type": "object",
                                "x-literal": True,
                                "additionalProperties": {
                                    "type": "object",
                                    "description": "One "
                                    "account, "
                                    "project "
                                    "or "
                                    "cluster. "
                                    "Its "
                                    "keys "
                                    "depend "
                                    "on "
                                    "the "
                                    "type "
                                    "(see "
                                    "`reconciler "
                                    "explain`).",
                                    "properties": {
                                        "type": {
                                            "type": "string",
                                            "description": "Provider type.",
                                            "examples": ["theta", "runai", "modelarts"],
                                        },
                                        "endpoint": {
                                            "type": "string",
                                            "description": "Base "
                                            "address "
                                            "of "
                                            "the "
                                            "API, "
                                            "or "
                                            "emulator "
                                            "for "
                                            "the "
                                            "embedded "
                                            "emulator.",
                                            "examples": ["emulator", "https://runai.example.com"],
                                        },
                                    },
                                    "x-literal": True,
                                },
                            },
                        },
                        "additionalProperties": False,
                    },
                    "description": "Variants of the project.",
                },
                "safety": _SAFETY,
                "ledger": {
                    "type": "object",
                    "x-literal": True,
                    "properties": {
                        "type": {
                            "type": "string",
                            "x-literal": True,
                            "enum": ["sqlite", "postgresql", "git"],
                            "description": "Where the record of what was applied is kept.",
                            "examples": ["sqlite"],
                        },
                        "path": {
                            "type": "string",
                            "x-literal": True,
                            "minLength": 1,
                            "description": "File of the sqlite ledger, relative to this file.",
                            "examples": [".reconciler/ledger.db"],
                        },
                        "branch": {
                            "type": "string",
                            "x-literal": True,
                            "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]*([./][A-Za-z0-9_-]+)*$",
                            "x-pattern-words": "a branch name of letters, digits, -, _, . and /",
                            "description": "Branch of the git ledger, in the repository that holds this file.",
                            "default": "reconciler-ledger",
                            "examples": ["reconciler-ledger"],
                        },
                        "remote": {
                            "type": "string",
                            "x-literal": True,
                            "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$",
                            "x-pattern-words": "the name of a remote of the clone, no address",
                            "description": "Remote to which the git ledger is pushed.",
                            "default": "origin",
                            "examples": ["origin"],
                        },
                    },
                    "required": ["type"],
                    "additionalProperties": False,
                    "description": "The ledger.",
                },
            },
            "required": ["providers"],
            "additionalProperties": False,
        },
    },
    "required": ["apiVersion", "kind", "metadata", "spec"],
    "additionalProperties": False,
}
