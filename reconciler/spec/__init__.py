"""From the text that a person wrote to resources: load, expand, template, patch, validate, resolve. Pure.

Start at `compile_all`. It is `load_project`, which makes a `Project`, then `compile_spec`; `read_project_header` tells
which files to read first.
"""

from reconciler.spec.compile import compile_all, compile_spec
from reconciler.spec.document import Node, SourceFile
from reconciler.spec.output import to_documents, to_yaml
from reconciler.spec.project import ProjectHeader, load_project, read_project_header
from reconciler.spec.project_schema import PROJECT_FILE, PROJECT_SCHEMA
from reconciler.spec.resource import (
    Edge,
    Lifecycle,
    Limit,
    Prices,
    Project,
    ProviderConfig,
    Resource,
    ResourceRef,
    Safety,
    Spec,
    Wait,
)
from reconciler.spec.schema import loosen, tighten
from reconciler.spec.values import Composite, KnownAfterApply, Pending, SecretRef

__all__ = [
    "PROJECT_FILE",
    "PROJECT_SCHEMA",
    "Composite",
    "Edge",
    "KnownAfterApply",
    "Lifecycle",
    "Limit",
    "Node",
    "Pending",
    "Prices",
    "Project",
    "ProjectHeader",
    "ProviderConfig",
    "Resource",
    "ResourceRef",
    "Safety",
    "SecretRef",
    "SourceFile",
    "Spec",
    "Wait",
    "compile_all",
    "compile_spec",
    "load_project",
    "loosen",
    "read_project_header",
    "tighten",
    "to_documents",
    "to_yaml",
]
