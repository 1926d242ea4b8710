"""From files to a `Spec` in eight steps: load, validate shape, expand, template, patch, default, validate, resolve.

A step collects all its problems and raises them at its end; the next one never starts on refused input.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from reconciler.fields import Kind
from reconciler.fields.setting import Setting
from reconciler.problems import Problems, SpecError
from reconciler.spec.document import Document, Node, SourceFile, from_plain, labelled
from reconciler.spec.expand import expand
from reconciler.spec.load import load_all
from reconciler.spec.patch import apply_defaults, apply_patches, load_patches
from reconciler.spec.policy import is_policy, read_policies
from reconciler.spec.project import load_project
from reconciler.spec.references import depends_on, resolve
from reconciler.spec.resource import Project, Spec
from reconciler.spec.shape import check_defaults, check_shape
from reconciler.spec.strict import SchemaSet
from reconciler.spec.template import Renderer, Scope, holds_template
from reconciler.spec.validate import validate

__all__ = ["compile_all", "compile_spec"]


def compile_spec(
    project: Project,
    *,
    resources: Sequence[SourceFile],
    patches: Sequence[SourceFile],
    kinds: Sequence[Kind],
    schemas: Mapping[str, Mapping[str, Any]],
    policies: Sequence[SourceFile] = (),
) -> Spec:
    """All desired resources of one environment. Pure: the same bytes give the same spec, in whatever order files come.

    Args:
        project: From `load_project`.
        resources: Files of resource documents and policies.
        policies: Further files, of which only the policies count: `-f` replaces resources, never rules.
        patches: Files of `patches/<environment>/`, applied in this order.
        kinds: All kinds that exist.
        schemas: Schema files by name as they are on disk, `common.json` among them.

    Raises:
        SpecError: with all problems of the first step that found any.
    """
    problems = Problems()
    scope = _scope(project)
    render = Renderer(project.secrets, problems)

    roots = load_all(resources, problems)
    rules = [root for root in (*roots, *load_all(policies, problems)) if is_policy(root)]
    roots = tuple(root for root in roots if not is_policy(root))
    layers = load_patches(patches, render, scope, problems)
    problems.raise_if_any()

    rulebook = read_policies(rules, kinds, problems)
    documents = check_shape(roots, kinds, project, problems)
    check_defaults(project, kinds, problems)
    problems.raise_if_any()

    documents = expand(documents, render, scope, problems)
    documents = _template(documents, render, scope)
    problems.raise_if_any()

    documents = apply_patches(documents, layers, render, scope, problems)
    documents = apply_defaults(documents, project.defaults, render, scope)
    problems.raise_if_any()

    needed = {"common.json", *(document.kind.schema for document in documents)}
    # Each file takes a millisecond to prepare.
    book = SchemaSet.of({name: schemas[name] for name in sorted(needed & set(schemas))})
    found = validate(documents, book, project, problems)
    problems.raise_if_any()

    edges = {r.address: depends_on(d) for r, d in zip(found, documents, strict=True)}
    found = resolve(found, edges, problems)
    problems.raise_if_any()
    return Spec(project=project, resources=found, policies=rulebook, warnings=problems.warnings)


def compile_all(
    file: SourceFile,
    *,
    environment: str | None,
    settings: Mapping[str, Sequence[Setting]],
    values_files: Sequence[SourceFile] = (),
    sets: Sequence[str] = (),
    resources: Sequence[SourceFile],
    patches: Sequence[SourceFile],
    kinds: Sequence[Kind],
    schemas: Mapping[str, Mapping[str, Any]],
    policies: Sequence[SourceFile] = (),
    secrets: frozenset[str] = frozenset(),
) -> Spec:
    """`load_project` and `compile_spec`; mistakes in provider settings and in resources are told together.

    `secrets`: names that `secret()` may read beside those of the project.

    Raises:
        SpecError: as those two.
    """
    problems = Problems()
    project = load_project(
        file, environment=environment, settings=settings, values_files=values_files, sets=sets, problems=problems
    )
    project = replace(project, secrets=project.secrets | secrets)
    try:
        spec = compile_spec(
            project, resources=resources, patches=patches, kinds=kinds, schemas=schemas, policies=policies
        )
    except SpecError as error:
        problems.extend(error.problems)
        raise SpecError(problems.items) from None
    problems.raise_if_any()
    return spec


def _scope(project: Project) -> Scope:
    values = project.values_node or from_plain(project.values, project.origin)
    word = "written" if project.chosen_at.line else "set"
    environment = Node(project.environment, project.chosen_at)
    return Scope.of(values=values, environment=labelled(environment, word))


def _template(documents: Sequence[Document], render: Renderer, scope: Scope) -> tuple[Document, ...]:
    """Documents with their templates rendered: the name first, then `metadata`, then the rest, which may use both."""
    return tuple(_rendered(document, render, scope) if document.templated else document for document in documents)


def _rendered(document: Document, render: Renderer, scope: Scope) -> Document:
    if not holds_template(document.root):
        return _of_provider(document, document.root.get("metadata", "provider"))
    inner, metadata = scope.also(item=document.item), document.root.value["metadata"]
    if holds_template(metadata):
        metadata = _metadata(metadata, document, render, inner)
    document = document.with_root(document.root.with_entries({**document.root.value, "metadata": metadata}))
    document = _of_provider(document, metadata.get("provider"))
    inner, address = inner.also(metadata=metadata), document.address
    parts = {
        key: entry if key == "metadata" else render.render(entry, inner, address)
        for key, entry in document.root.value.items()
    }
    return document.with_root(document.root.with_entries(parts))


def _metadata(metadata: Node, document: Document, render: Renderer, scope: Scope) -> Node:
    """The name first; the rest may use it."""
    address = document.address
    name = metadata.with_entries({"name": render.render(metadata.value["name"], scope, address)})
    rest = metadata.with_entries({key: entry for key, entry in metadata.value.items() if key != "name"})
    rest = render.render(rest, scope.also(metadata=name), address)
    return metadata.with_entries({key: (name if key == "name" else rest).value[key] for key in metadata.value})


def _of_provider(document: Document, written: Node | None) -> Document:
    """The document with the provider that it names now."""
    if written is None or not isinstance(written.value, str):
        return document
    return document.with_provider(written.value)
