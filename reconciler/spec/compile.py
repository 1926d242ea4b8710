"""From files to a `Spec` in eight steps: load, validate shape, expand, template, patch, default, validate, resolve.

A step collects all its problems and raises them at its end; the next one never starts on refused input.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from reconciler.fields import Kind
from reconciler.fields.setting import Setting
from reconciler.problems import Origin, Problems, SpecError
from reconciler.spec.document import Document, Node, SourceFile, from_plain, labelled
from reconciler.spec.expand import Expansion
from reconciler.spec.faults import Budget
from reconciler.spec.load import load_all
from reconciler.spec.patch import Defaults, apply_patches, load_patches
from reconciler.spec.policy import is_policy, read_policies
from reconciler.spec.project import load_project
from reconciler.spec.references import depends_on, resolve
from reconciler.spec.resource import Project, Resource, Spec
from reconciler.spec.shape import check_defaults, check_shape
from reconciler.spec.strict import SchemaSet
from reconciler.spec.template import Renderer, Scope, holds_template
from reconciler.spec.validate import Validator

__all__ = ["compile_all", "compile_spec"]


def compile_spec(
    project: Project,
    *,
    resources: Iterable[SourceFile],
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
    line = _Line(project, kinds, schemas, patches=patches)
    files = iter(resources)
    if patches:  # they may speak of any document, also where there is none
        line.take(tuple(files))
    # Without them, some files at a time go all the way, so that the nodes of 10,000 documents are never there at once:
    # a quarter of the memory.
    while batch := tuple(islice(files, _BATCH)):
        line.take(batch)
    return line.finish(policies)


_READ, _SHAPE, _RENDER, _LAYER, _JUDGE = _STEPS = range(5)
_BATCH: Final = 100
"""Files that go through the steps together."""


class _Line:
    """Takes files through the steps, and keeps what each step found wrong apart.

    Nothing enters a step while a step before it has found anything, in whatever file: only the first counts.
    """

    def __init__(
        self,
        project: Project,
        kinds: Sequence[Kind],
        schemas: Mapping[str, Mapping[str, Any]],
        *,
        patches: Sequence[SourceFile],
    ) -> None:
        self._project, self._kinds, self._scope = project, kinds, _scope(project)
        self._told = tuple(Problems() for _step in _STEPS)
        budget = Budget()
        self._renderers = [Renderer(project.secrets, problems, budget=budget) for problems in self._told]
        self._rules: list[Node] = []
        self._patches = load_patches(patches, self._renderers[_READ], self._scope, self._told[_READ])
        self._defaults = Defaults(project.defaults)
        self._expansion = Expansion()
        self._judge = Validator(SchemaSet.of(schemas), project, self._told[_JUDGE])
        self._found: list[Resource] = []
        self._edges: dict[str, Sequence[tuple[str, Origin]]] = {}

    def _is_open(self, step: int) -> bool:
        return not any(self._told[:step])

    def take(self, files: Sequence[SourceFile]) -> None:
        """Files of resources and policies, as far as they may go."""
        told, renderers = self._told, self._renderers
        roots = load_all(files, told[_READ])
        self._rules += [root for root in roots if is_policy(root)]
        if not self._is_open(_SHAPE):
            return
        roots = tuple(root for root in roots if not is_policy(root))
        documents = check_shape(roots, self._kinds, self._project, told[_SHAPE])
        if not self._is_open(_RENDER):
            return
        documents = self._expansion.expand(documents, renderers[_RENDER], self._scope, told[_RENDER])
        documents = _template(documents, renderers[_RENDER], self._scope)
        if not self._is_open(_LAYER):
            return
        documents = apply_patches(documents, self._patches, renderers[_LAYER], self._scope, told[_LAYER])
        documents = self._defaults.apply(documents, renderers[_LAYER], self._scope)
        if not self._is_open(_JUDGE):
            return
        for document, resource in self._judge.validate(documents):
            self._found.append(resource)
            if edges := depends_on(document):
                self._edges[resource.address] = edges

    def finish(self, policies: Sequence[SourceFile]) -> Spec:
        """The spec, once all files were taken.

        Raises:
            SpecError: as `compile_spec`.
        """
        self._rules += [root for root in load_all(policies, self._told[_READ]) if is_policy(root)]
        self._told[_READ].raise_if_any()
        rulebook = read_policies(self._rules, self._kinds, self._told[_SHAPE])
        check_defaults(self._project, self._kinds, self._told[_SHAPE])
        for problems in self._told[_SHAPE:_JUDGE]:
            problems.raise_if_any()
        self._judge.finish(self._found)
        last = self._told[_JUDGE]
        last.raise_if_any()
        found = resolve(self._found, self._edges, last)
        last.raise_if_any()
        for problems in self._told[:_JUDGE]:
            last.extend(problems.warnings)
        return Spec(project=self._project, resources=found, policies=rulebook, warnings=last.warnings)


def compile_all(
    file: SourceFile,
    *,
    environment: str | None,
    settings: Mapping[str, Sequence[Setting]],
    values_files: Sequence[SourceFile] = (),
    sets: Sequence[str] = (),
    resources: Iterable[SourceFile],
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
    inner = scope if document.item is None else scope.also(item=document.item)
    metadata = document.root.value["metadata"]
    if holds_template(metadata):
        metadata = _metadata(metadata, document, render, inner)
        document = document.with_root(document.root.with_entries({**document.root.value, "metadata": metadata}))
    document = _of_provider(document, metadata.get("provider"))
    inner, address = inner.also(metadata=metadata), document.address
    parts = {
        key: entry if key == "metadata" else render.render(entry, inner, address)
        for key, entry in document.root.value.items()
    }
    return document.with_root(document.root.with_value(parts))


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
