"""Where a value came from: each layer that it went through, for `compile --explain`. Source: issue 4, DESIGN §2."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reconciler.fields import UNSET, FieldPath, Kind, Secret
from reconciler.problems import Origin, Problem, SpecError, nearest
from reconciler.spec.document import Layer, Node, Path, field_text
from reconciler.spec.output import to_documents
from reconciler.spec.resource import Project, Resource, Spec

__all__ = ["Trace", "layers_of", "trace"]

_ADDRESS: Final = re.compile(r"(?P<address>[^/\s]+/[^/\s]+/[^./:\[\s]+)(?:[.:\s]\s*(?P<path>.*))?")
_PARTS: Final = ("spec", "metadata", "lifecycle")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One value and its way.

    Attributes:
        address: The resource, or empty for a value of the project itself.
        path: The field as people write it: `spec.config[0].weight`, `values.replicas`.
        value: What it is after compilation: JSON, references as templates.
        layers: Oldest first; the one at `origin` is what counts.
        origin: Where the value was written, as a plan tells it.
        secret: Whether literal values of it are confidential.
    """

    address: str
    path: str
    value: Any
    layers: tuple[Layer, ...]
    origin: Origin
    secret: bool = False


def trace(spec: Spec, text: str) -> tuple[Trace, ...]:
    """The ways of the values at a path.

    Args:
        spec: All resources and their project.
        text: `theta/Deployment/chat.spec.min_replicas` (`spec.` may be left out; a name alone will do for the address),
            a path alone for every resource that has it, `values.replicas`, or `providers.theta.endpoint`. Of a map or
            list: of all values in it. An element of a list is `[0]`, `[*]` or `[its key]`; without brackets all of
            them are meant.

    Raises:
        SpecError: `unknown-address`, `not-set`, `bad-path`.
    """
    match = _ADDRESS.fullmatch(text.strip())
    wanted = _parsed((match["path"] or "") if match else text.strip())
    if match is None and wanted[:1] in {("values",), ("providers",)}:
        found = tuple(_of_project(spec.project, wanted))
        known = [field_text(path) for path in _project_paths(spec.project)]
        return found or _missing(text, text.strip(), known, "project")
    resources = [_resource(spec, match["address"])] if match else list(spec.resources)
    named = [] if match else [resource for resource in resources if (resource.ref.name,) == wanted[:1]]
    if named and not any(("spec", wanted[0]) in resource.origins for resource in resources):
        resources, wanted = named, wanted[1:]
    if wanted and wanted[0] not in _PARTS:
        wanted = ("spec", *wanted)
    documents = {(d["metadata"]["provider"], d["kind"], d["metadata"]["name"]): d for d in to_documents(spec)}
    found = tuple(
        one
        for resource in resources
        for one in _of_resource(
            resource, documents[resource.ref.provider, resource.ref.kind, resource.ref.name], wanted
        )
    )
    if found:
        return found
    known = sorted({field_text(path) for resource in resources for path in resource.origins})
    where = resources[0].address if match else "a resource"
    default = _server_default(resources[0].kind, wanted) if match else ""
    return _missing(field_text(wanted), field_text(wanted), known, where, default)


def layers_of(resource: Resource, path: Path, value: Any) -> tuple[Layer, ...]:
    """The layers of one value, and before them those that wrote a list around it which was replaced as a whole."""
    own = resource.chains.get(path) or (Layer("written", resource.origin_of(*path), value),)
    whole: list[Layer] = []
    for length in range(1, len(path)):
        chain = resource.chains.get(path[:length], ())
        whole += [
            Layer(layer.word, layer.origin, name=layer.name or field_text(path[:length]))
            for layer in chain[:-1]
            if not any(layer.origin == other.origin for other in own)
        ]
    return (*dict.fromkeys(whole), *own)


def _parsed(text: str) -> tuple[str, ...]:
    try:
        return FieldPath.parse(text).segments
    except ValueError:
        wanted = "a path such as spec.config[0].weight, with its address before it"
        raise SpecError([Problem(code="bad-path", wrong=f"{text[:80]!r} is no path", expected=wanted)]) from None


def _resource(spec: Spec, address: str) -> Resource:
    found = spec.get(address)
    if found is None:
        known = [resource.address for resource in spec.resources]
        problem = Problem(
            code="unknown-address",
            wrong=f"there is no resource {address!r}",
            expected="the address of a resource of this spec",
            nearest=nearest(address, known),
        )
        raise SpecError([problem])
    return found


def _missing(text: str, path: str, known: Sequence[str], where: str, default: str = "") -> tuple[Trace, ...]:
    expected = f"a field that is written; left out, it is {default}" if default else "a field that is written"
    wrong = f"{where} has no {text}" if text else f"{where} has no fields"
    raise SpecError([Problem(code="not-set", wrong=wrong, expected=expected, nearest=nearest(path, known))])


def _server_default(kind: Kind, wanted: tuple[str, ...]) -> str:
    """What the API takes for a field of the table that nobody wrote."""
    if wanted[:1] != ("spec",):
        return ""
    for path, rule in ((FieldPath.parse(rule.path), rule) for rule in kind.fields):
        same = [part for part in path.segments if part != "[*]"] == [part for part in wanted[1:] if part[0] != "["]
        if same and rule.default is not UNSET and rule.default is not None:
            return f"{rule.default!r} by the API ({rule.source})".replace("True", "true").replace("False", "false")
    return ""


def _of_resource(resource: Resource, document: Mapping[str, Any], wanted: tuple[str, ...]) -> Iterator[Trace]:
    below: set[Path] = {path[:length] for path in resource.origins for length in range(1, len(path))}
    for path in resource.origins:
        if path in below or path[0] not in _PARTS or not _reaches(path, wanted, document, resource.kind):
            continue
        rule = resource.kind.rule(_field_path(path[1:])) if path[0] == "spec" else None
        value = _at(document, path)
        layers = layers_of(resource, path, value)
        secret = rule is not None and rule.secret is Secret.ALWAYS
        yield Trace(
            address=resource.address,
            path=field_text(path),
            value=value,
            layers=layers,
            origin=resource.origin_of(*path),
            secret=secret,
        )


def _at(document: Any, path: Path) -> Any:
    """The value as `compile` prints it; none for what it leaves out (`metadata.template`)."""
    for part in path:
        try:
            document = document[part]
        except (KeyError, IndexError, TypeError):
            return None
    return document


def _field_path(path: Path) -> FieldPath:
    return FieldPath(tuple(f"[{part}]" if isinstance(part, int) else part for part in path))


def _reaches(path: Path, wanted: tuple[str, ...], document: Any, kind: Kind) -> bool:
    """Whether a value lies at or below what was asked for. Without brackets, all elements of a list are meant."""
    left = list(wanted)
    for index, part in enumerate(path):
        if not left:
            return True
        if isinstance(part, str):
            if part != left.pop(0):
                return False
        elif left[0].startswith("["):
            asked = left.pop(0)[1:-1]
            if asked not in {"*", "", str(part)} and asked != _key(document, path[: index + 1], kind):
                return False
    return not left


def _key(document: Any, path: Path, kind: Kind) -> str:
    """The key by which a plan names this element of a list: `config[<model_id>]`."""
    rule = kind.exact_rule(_field_path(path[1:-1])) if path[0] == "spec" else None
    if rule is None or not rule.list_key:
        return ""
    item = _at(document, path)
    values = [item.get(key) for key in rule.list_key.split("+")] if isinstance(item, Mapping) else []
    return ",".join(str(value) for value in values if value not in {None, ""})


def _project_nodes(project: Project) -> Iterator[tuple[str, Node]]:
    if project.values_node is not None:
        yield "values", project.values_node
    for config in project.providers.values():
        if config.node is not None:
            yield f"providers.{config.name}", config.node


def _project_paths(project: Project) -> Iterable[Path]:
    for name, root in _project_nodes(project):
        for path, _node in root.walk():
            yield (*name.split(".", 1), *path)


def _of_project(project: Project, wanted: tuple[str, ...]) -> Iterator[Trace]:
    for name, root in _project_nodes(project):
        for path, node in root.walk():
            full = (*name.split(".", 1), *path)
            if isinstance(node.value, dict | tuple) or not _starts(full, wanted):
                continue
            value = node.value if node.value is None or isinstance(node.value, str | int | float) else str(node.value)
            yield Trace(address="", path=field_text(full), value=value, layers=node.layers, origin=node.origin)


def _starts(path: Path, wanted: tuple[str, ...]) -> bool:
    parts = [f"[{part}]" if isinstance(part, int) else part for part in path]
    return len(parts) >= len(wanted) and all(
        ours == asked or (ours[0] == "[" and asked in {"[*]", "[]"}) for ours, asked in zip(parts, wanted, strict=False)
    )
