"""Putting layers on one another: values, `--set`, patches (JSON Merge Patch, RFC 7386) and defaults, origins kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler.fields import FieldPath
from reconciler.problems import Origin, Problem, Problems, nearest
from reconciler.spec.document import Document, Node, SourceFile, labelled
from reconciler.spec.load import load_all, set_value
from reconciler.spec.template import Renderer, Scope

__all__ = ["Defaults", "Patch", "apply_patches", "load_patches", "merge_patch", "merge_values", "set_path"]

_PARTS = ("apiVersion", "kind", "metadata", "lifecycle", "spec")
_SELECTORS = frozenset({"name", "provider", "template"})


def merge_patch(under: Node | None, over: Node) -> Node:
    """RFC 7386: maps merge key by key, null removes, everything else replaces."""
    if not isinstance(over.value, dict):
        return over if under is None else over._replace(chain=(*under.layers, *over.layers))
    result = dict(under.entries()) if under is not None else {}
    for key, entry in over.value.items():
        if entry.value is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), entry)
    base = under if under is not None and under.is_map else over
    return Node(result, base.origin, base.key)


def merge_values(under: Node, over: Node) -> Node:
    """Values: maps merge, the later one wins, and null is a value."""
    if not (under.is_map and over.is_map):
        return over._replace(chain=(*under.layers, *over.layers))
    result = dict(under.value)
    for key, entry in over.value.items():
        result[key] = merge_values(result[key], entry) if key in result else entry
    return under._replace(value=result, chain=(*under.chain, *over.chain))


def set_path(values: Node, text: str) -> Node:
    """Values with one `--set a.b[0]=c` on top.

    Raises:
        ValueError: when it is no `path=value`, or the path leads through a scalar or past the end of a list.
    """
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise ValueError(f"{name[:40]!r} has no value")
    if not text.isprintable() and any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("bytes that are no UTF-8")
    path = FieldPath.parse(name.strip())
    origin = Origin(f"--set {name.strip()}", 0, 0)
    return _put(values, path.segments, labelled(set_value(value, origin), "set"), "values")


def _put(node: Node | None, segments: Sequence[str], value: Node, above: str) -> Node:
    if not segments:
        return value if node is None else merge_values(node, value)
    head, rest = segments[0], segments[1:]
    if head.startswith("[") and head.endswith("]"):
        items = list(node.value) if node is not None and isinstance(node.value, tuple) else None
        if node is None or items is None or not head[1:-1].isdecimal() or int(head[1:-1]) >= len(items):
            count = 0 if items is None else len(items)
            raise ValueError(f"{above} has no item {head} (it has {count})")
        index = int(head[1:-1])
        items[index] = _put(items[index], rest, value, f"{above}{head}")
        return node.with_value(tuple(items))
    if node is None or node.value is None:
        node = Node({}, value.origin)
    if not isinstance(node.value, dict):
        raise ValueError(f"{above} is no map, so it has no {head!r}")  # noqa: TRY004 - the caller tells it as a bad --set
    return node.with_entries({**node.value, head: _put(node.value.get(head), rest, value, f"{above}.{head}")})


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """One patch document with its selectors rendered."""

    root: Node
    kind: str
    api_version: str
    name: str
    provider: str

    def fits(self, document: Document) -> bool:
        """Whether it speaks about this document."""
        return (
            self.kind == document.kind.name
            and self.api_version in {"", document.kind.api_version}
            and self.name == document.name
            and self.provider in {"", document.provider}
        )

    @property
    def words(self) -> str:
        """What it asks for: `Service mnist`."""
        return f"{self.provider}/{self.kind}/{self.name}" if self.provider else f"{self.kind} {self.name}"


def load_patches(files: Sequence[SourceFile], render: Renderer, scope: Scope, problems: Problems) -> tuple[Patch, ...]:
    """Read patch files and check that each document says what it patches.

    Problems: those of `load`, `wrong-type`, `unknown-field`, `missing-field`.
    """
    found = (_patch(root, render, scope, problems) for root in load_all(files, problems))
    return tuple(patch for patch in found if patch is not None)


def _patch(root: Node, render: Renderer, scope: Scope, problems: Problems) -> Patch | None:
    before = len(problems)
    if not root.is_map:
        problems.add(
            Problem(code="wrong-type", wrong="this is no map", expected="a patch document", origin=root.origin)
        )
        return None
    for key, entry in root.value.items():
        if key not in _PARTS:
            problems.add(
                Problem(
                    code="unknown-field",
                    wrong=f"unknown field {key!r} of a patch",
                    expected=f"one of {', '.join(_PARTS)}",
                    origin=entry.key or entry.origin,
                    nearest=nearest(key, _PARTS),
                )
            )
        elif key in {"metadata", "lifecycle", "spec"} and not entry.is_map:
            problems.add(
                Problem(
                    code="wrong-type",
                    wrong=f"{key} is no map",
                    expected=f"a map with fields of {key}",
                    origin=entry.place,
                )
            )
    texts = {}
    for path, needed in (
        (("kind",), True),
        (("apiVersion",), False),
        (("metadata", "name"), True),
        (("metadata", "provider"), False),
    ):
        node = root.get(*path)
        node = render.render(node, scope) if node is not None and _templated(root) else node
        if node is None and not needed:
            texts[path[-1]] = ""
        elif node is None or not isinstance(node.value, str):
            wrong = f"{'.'.join(path)} is missing" if node is None else f"{'.'.join(path)} is no text"
            where = root.nearest_place(path)
            problems.add(
                Problem(code="missing-field", wrong=wrong, expected="the resource that this patches", origin=where)
            )
        else:
            texts[path[-1]] = node.value
    if len(problems) > before:
        return None
    return Patch(
        root=root, kind=texts["kind"], api_version=texts["apiVersion"], name=texts["name"], provider=texts["provider"]
    )


def _templated(root: Node) -> bool:
    node = root.get("metadata", "template")
    return node is None or node.value is not False


def apply_patches(
    documents: Sequence[Document], patches: Sequence[Patch], render: Renderer, scope: Scope, problems: Problems
) -> tuple[Document, ...]:
    """Documents with each patch on the one document that it fits.

    Problems: `patch-matches-nothing`, `patch-matches-several`.
    """
    result = list(documents)
    for patch in patches:
        hits = [index for index, document in enumerate(result) if patch.fits(document)]
        if len({result[hit].address for hit in hits}) == 1:
            for hit in hits:  # several of one address are a mistake of theirs, and told as that
                result[hit] = _patched(result[hit], patch, render, scope)
            continue
        origin = patch.root.nearest_place(("metadata", "name"))
        if not hits:
            near = nearest(patch.name, [document.name for document in documents if document.kind.name == patch.kind])
            problems.add(
                Problem(
                    code="patch-matches-nothing",
                    wrong=f"no resource is {patch.words}",
                    expected="a patch of a resource that exists in this environment",
                    origin=origin,
                    nearest=near,
                )
            )
        else:
            problems.add(
                Problem(
                    code="patch-matches-several",
                    wrong=f"{len(hits)} resources are {patch.words}: {', '.join(result[hit].address for hit in hits)}",
                    expected="metadata.provider or apiVersion, so that one is meant",
                    origin=origin,
                    related=tuple(result[hit].origin for hit in hits),
                )
            )
    return tuple(result)


def _patched(document: Document, patch: Patch, render: Renderer, scope: Scope) -> Document:
    inner = scope.also(item=document.item, metadata=document.root.get("metadata"))
    parts = {key: node for key, node in patch.root.value.items() if key in {"metadata", "lifecycle", "spec"}}
    if "metadata" in parts:
        kept = {key: node for key, node in parts["metadata"].entries().items() if key not in _SELECTORS}
        parts["metadata"] = parts["metadata"].with_entries(kept)
    over = labelled(patch.root.with_entries(parts), "patch")
    if _templated(patch.root):
        over = render.render(over, inner, document.address)
    return document.with_root(merge_patch(document.root, over))


class Defaults:
    """`defaults` of each kind (`type/Kind`)."""

    def __init__(self, written: Mapping[str, Node]) -> None:
        self._known = {label: labelled(node, "default") for label, node in written.items()}

    def apply(self, documents: Sequence[Document], render: Renderer, scope: Scope) -> tuple[Document, ...]:
        """Documents on top of those of their kind."""
        return tuple(_defaulted(document, self._known, render, scope) for document in documents)


def _defaulted(document: Document, defaults: Mapping[str, Node], render: Renderer, scope: Scope) -> Document:
    default = defaults.get(document.kind.label)
    if default is None:
        return document
    inner = scope.also(item=document.item, metadata=document.root.get("metadata"))
    under = render.render(default, inner, document.address)
    merged = merge_patch(under, document.root)
    return document.with_root(merged._replace(origin=document.root.origin, key=document.root.key))
