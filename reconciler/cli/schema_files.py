"""The JSON Schemas of all that a project may hold, each in one piece, as files for editors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from reconciler.cli.project import load_schemas
from reconciler.providers.registry import all_kinds
from reconciler.spec import PROJECT_FILE
from reconciler.spec.policy import POLICY_FILE

__all__ = ["RESOURCE_FILE", "SCHEMAS_HOME", "editor_files", "files_by_kind", "whole"]

RESOURCE_FILE: Final = "reconciler-resource.json"
"""What a document of the project may be, whatever its kind: for files without a modeline."""
SCHEMAS_HOME: Final = ".reconciler/schemas"
"""Where a project's editors find them: beside the ledger, outside of Git."""
_PROJECT: Final = "reconciler/Project"


def files_by_kind() -> dict[str, str]:
    """`type/Kind` → schema file, the project and its policies included."""
    files = {label: kind.schema for label, kind in all_kinds().items()}
    return files | {_PROJECT: PROJECT_FILE, "reconciler/Policy": POLICY_FILE}


def whole(file: str) -> str:
    """A schema as text: what the files share goes along, under the names by which they refer to it."""
    schemas = load_schemas()
    found = dict(schemas[file])
    found["$defs"] = {**found.get("$defs", {}), **schemas["common.json"].get("$defs", {})}
    return json.dumps(found, indent=2, ensure_ascii=False).replace('"common.json#/', '"#/')


def editor_files() -> dict[str, str]:
    """File name → text, of every kind, and of `RESOURCE_FILE`, which leads from a document's kind to its own."""
    files = files_by_kind()
    texts = {file: f"{whole(file)}\n" for file in files.values()}
    del files[_PROJECT]
    return texts | {RESOURCE_FILE: json.dumps(_any_of(files), indent=2) + "\n"}


def _any_of(files: Mapping[str, str]) -> dict[str, Any]:
    schemas = load_schemas()
    kinds = [{key: schemas[file]["properties"][key] for key in ("apiVersion", "kind")} for file in files.values()]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "resource or policy",
        "type": "object",
        "properties": {
            "apiVersion": {"enum": sorted({one["apiVersion"]["const"] for one in kinds})},
            "kind": {"enum": sorted({one["kind"]["const"] for one in kinds})},
        },
        "required": ["apiVersion", "kind"],
        "allOf": [
            {"if": {"properties": kind, "required": ["apiVersion", "kind"]}, "then": {"$ref": file}}
            for kind, file in zip(kinds, files.values(), strict=True)
        ],
    }
