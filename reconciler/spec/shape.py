"""The first judgement: every document has a kind that exists, and its parts stand where they belong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from reconciler.fields import Kind
from reconciler.problems import Origin, Problem, Problems, nearest
from reconciler.spec.document import Document, Node
from reconciler.spec.resource import Project

__all__ = ["check_defaults", "check_shape", "complain"]

_PARTS: Final = ("apiVersion", "kind", "metadata", "forEach", "lifecycle", "spec")
_OURS: Final = "reconciler/v1"
_NAMES: Final = {*_PARTS, "name", "liveName", "provider", "labels", "dependsOn", "template"}
_EXAMPLES: Final = {("metadata", "name"): "metadata: {name: mnist}", ("spec",): "spec: {...}"}


def check_shape(
    roots: Sequence[Node], kinds: Sequence[Kind], project: Project, problems: Problems
) -> tuple[Document, ...]:
    """Documents whose kind is known and whose parts stand where they belong; values are judged later.

    Problems: `wrong-type`, `missing-field`, `unknown-field`, `unknown-kind`, `unknown-api-version`.
    """
    found = (_shaped(root, kinds, project, problems) for root in roots)
    return tuple(document for document in found if document is not None)


def _shaped(root: Node, kinds: Sequence[Kind], project: Project, problems: Problems) -> Document | None:
    if not root.is_map:
        wanted = "a resource: apiVersion, kind, metadata and spec"
        problems.add(Problem(code="wrong-type", wrong="this document is no map", expected=wanted, origin=root.origin))
        return None
    kind = _kind(root, kinds, problems)
    if kind is None:
        return None
    before = len(problems)
    address = _first_address(root, kind, project)
    entries: dict[str, Node] = {}
    for key, entry in root.value.items():
        if key not in _PARTS:
            near = nearest(key, _PARTS)
            complain(
                problems,
                "unknown-field",
                f"unknown field {key!r} of a document",
                f"one of {', '.join(_PARTS)}",
                entry.key or entry.origin,
                address=address,
                near=near,
            )
        elif key in {"metadata", "lifecycle", "spec"}:
            part = entry.with_value({}) if entry.value is None else entry
            if not part.is_map:
                complain(
                    problems,
                    "wrong-type",
                    f"{key} is no map",
                    f"a map with fields of {key}",
                    entry.place,
                    address=address,
                )
            entries[key] = part
        elif key != "forEach" or entry.value is not None:
            entries[key] = entry
    for path in (("metadata", "name"), ("spec",)):
        if Node(entries, root.origin).get(*path) is None and len(problems) == before:
            _complain_missing(path, root, address, problems)
    if len(problems) > before:
        return None
    provider = address.partition("/")[0] if address.partition("/")[0] in project.providers else ""
    return Document(root=root.with_entries(entries), kind=kind, provider=provider)


def _complain_missing(path: tuple[str, ...], root: Node, address: str, problems: Problems) -> None:
    """A field that must be there: missing, or there under another spelling."""
    above = root.get(*path[:-1])
    near = nearest(path[-1], [key for key in above.entries() if key not in _NAMES]) if above is not None else ""
    if above is not None and near:
        entry, owner = above.entries()[near], ".".join(path[:-1]) or "a document"
        where, wrong = entry.key or entry.origin, f"unknown field {near!r} of {owner}"
        complain(problems, "unknown-field", wrong, path[-1], where, address=address, near=path[-1])
        return
    where, wrong = root.nearest_place(path), f"{'.'.join(path)} is missing"
    complain(problems, "missing-field", wrong, _EXAMPLES.get(path, ".".join(path)), where, address=address)


def _kind(root: Node, kinds: Sequence[Kind], problems: Problems) -> Kind | None:
    texts: dict[str, str] = {}
    for key in ("apiVersion", "kind"):
        node = root.get(key)
        if node is None or not isinstance(node.value, str):
            wanted = ", ".join(sorted({kind.api_version if key == "apiVersion" else kind.name for kind in kinds}))
            if node is not None:
                complain(problems, "wrong-type", f"{key} is no text", f"one of {wanted}", node.place)
            elif near := nearest(key, [other for other in root.entries() if other not in _PARTS]):
                place = root.entries()[near].key or root.origin
                wrong = f"unknown field {near!r} of a document"
                complain(problems, "unknown-field", wrong, f"{key}: one of {wanted}", place, near=key)
            else:
                complain(problems, "missing-field", f"{key} is missing", f"{key}: one of {wanted}", root.origin)
        else:
            texts[key] = node.value
    if len(texts) < 2:  # noqa: PLR2004 - both are needed
        return None
    version, name = texts["apiVersion"], texts["kind"]
    for kind in kinds:
        if (kind.api_version, kind.name) == (version, name):
            return kind
    if version == _OURS:
        wanted = "Policy here, or a Project in reconciler.yaml"
        near = nearest(name, ["Policy"])
        complain(problems, "unknown-kind", f"kind is {name!r}", wanted, root.value["kind"].origin, near=near)
    elif any(kind.api_version == version for kind in kinds):
        known = [kind.name for kind in kinds if kind.api_version == version]
        wanted = f"one of {', '.join(known)} ({version})"
        near = nearest(name, known)
        complain(problems, "unknown-kind", f"kind is {name!r}", wanted, root.value["kind"].origin, near=near)
    else:
        known = sorted({kind.api_version for kind in kinds})
        wanted, near = f"one of {', '.join(known)}", nearest(version, known)
        complain(
            problems,
            "unknown-api-version",
            f"apiVersion is {version!r}",
            wanted,
            root.value["apiVersion"].origin,
            near=near,
        )
    return None


def _first_address(root: Node, kind: Kind, project: Project) -> str:
    """The address as far as it can be told before anything is rendered."""
    name, provider = root.get("metadata", "name"), root.get("metadata", "provider")
    written = provider.value if provider is not None and isinstance(provider.value, str) else ""
    fitting = [config.name for config in project.providers.values() if config.type == kind.type]
    first = written or (fitting[0] if len(fitting) == 1 else kind.type)
    return f"{first}/{kind.name}/{name.value if name is not None else ''}"


def check_defaults(project: Project, kinds: Sequence[Kind], problems: Problems) -> None:
    """`spec.defaults` may only name kinds that exist. Problem: `unknown-kind`."""
    labels = [kind.label for kind in kinds]
    for label, node in project.defaults.items():
        if label not in labels:
            wanted, near = f"one of {', '.join(sorted(labels))}", nearest(label, labels)
            complain(problems, "unknown-kind", f"defaults for {label!r}", wanted, node.key or node.origin, near=near)


def complain(
    problems: Problems,
    code: str,
    wrong: str,
    expected: str,
    origin: Origin,
    *,
    address: str = "",
    near: str = "",
    related: tuple[Origin, ...] = (),
) -> None:
    """Note one problem of a document."""
    problems.add(
        Problem(
            code=code, wrong=wrong, expected=expected, origin=origin, address=address, nearest=near, related=related
        )
    )
