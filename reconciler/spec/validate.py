"""The second judgement, strictly: what a provider will be sent, by schema and by the rules beside the kind."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from reconciler.fields import MARKER_ROOM, FieldPath, Finding, Kind, ReplaceOrder, WaitFor
from reconciler.fields.path import EACH
from reconciler.problems import Origin, Problem, Problems, nearest
from reconciler.spec.document import Document, Node, Path, field_text
from reconciler.spec.formats import duration, is_uuid
from reconciler.spec.gate import SHARED
from reconciler.spec.places import origins_of
from reconciler.spec.resource import Lifecycle, Project, Resource, ResourceRef, Wait
from reconciler.spec.shape import complain
from reconciler.spec.strict import Plain, SchemaSet
from reconciler.spec.values import Composite, is_pending

__all__ = ["Validator"]

_EXPONENT: Final = 1e16
"""From here on a float is written with an exponent; as a whole number it reads back as what it was."""
_NO_LIFECYCLE: Final = Lifecycle()
_CRASHES: Final = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError)


class Validator:
    """Judges documents, some at a time; what is wrong goes to `problems`.

    Problems: those of a schema (`spec.words`), `unknown-provider`, `provider-needed`, `not-known-yet`, `bad-name`,
    `bad-live-id`, `replace-order`, `too-long`, `duplicate-item`, `duplicate-address`, and the codes of kinds' checks.
    """

    def __init__(self, schemas: SchemaSet, project: Project, problems: Problems) -> None:
        self._schemas, self._project, self._problems = schemas, project, problems
        self._seen: dict[str, tuple[Node, Origin | None]] = {}
        """Address → the name as it is written, and the item of `forEach` that it was made for."""

    def validate(self, documents: Sequence[Document]) -> list[tuple[Document, Resource]]:
        """Rendered documents with what became of them: resources, without edges yet; those with mistakes left out."""
        placed = [_placed(document, self._project, self._problems) for document in documents]
        for document in placed:
            if document.provider and document.name:
                self._check_duplicate(document)
        found = [_validated(document, self._schemas, self._project, self._problems) for document in placed]
        return [(document, resource) for document, resource in zip(placed, found, strict=True) if resource is not None]

    def finish(self, resources: Sequence[Resource]) -> None:
        """What can only be said of all of them."""
        if not self._problems:
            _check_claims(resources, self._problems)

    def _check_duplicate(self, document: Document) -> None:
        name = document.root.value["metadata"].value["name"]
        mine = (name, document.item.place if document.item is not None else None)
        first = self._seen.setdefault(document.address, mine)
        if first is mine:
            return
        here, there = _named_at(name), _named_at(first[0])
        if here == there:  # two items of one forEach
            here, there = mine[1] or here, first[1] or there
        self._problems.add(
            Problem(
                code="duplicate-address",
                wrong=f"this address is taken by {there}",
                expected="each provider, kind and name once",
                origin=here,
                address=document.address,
                related=(there,),
            )
        )


def _placed(document: Document, project: Project, problems: Problems) -> Document:
    """The document with its provider instance; without one when there is no answer."""
    node = document.root.get("metadata", "provider")
    fitting = [config.name for config in project.providers.values() if config.type == document.kind.type]
    listed = ", ".join(fitting) or f"none: reconciler.yaml has no provider of type {document.kind.type}"
    if node is None or node.value is None:
        if len(fitting) == 1:
            return document.with_provider(fitting[0])
        where = document.root.nearest_place(("metadata",))
        if fitting:
            wrong, wanted = "metadata.provider is missing, and several fit", f"one of {listed}"
        else:
            wrong = f"no provider serves {document.kind.label}"
            wanted = f"a provider of type {document.kind.type} in reconciler.yaml"
        complain(problems, "provider-needed", wrong, wanted, where, address=document.address)
        return document.with_provider("")
    if isinstance(node.value, str) and node.value in fitting:
        return document.with_provider(node.value)
    if isinstance(node.value, str):
        known = project.providers.get(node.value)
        wrong = f"there is no provider {node.value!r}"
        if known is not None:
            wrong = f"provider {node.value!r} is of type {known.type}"
        near = "" if known else nearest(node.value, fitting) or nearest(node.value, project.providers)
        complain(
            problems, "unknown-provider", wrong, f"one of {listed}", node.origin, address=document.address, near=near
        )
    return document.with_provider("")


def _named_at(name: Node) -> Origin:
    """Where a name was written, also when its text comes from a value."""
    return name.layers[0].origin


def _check_claims(resources: Sequence[Resource], problems: Problems) -> None:
    """One live thing can't be two resources: not by its name, not by `adopt`, not by a former name."""
    seen: dict[tuple[str, str, str, str], Resource] = {}
    for resource in resources:
        lifecycle = resource.lifecycle
        claims = [("the former name", name, ("lifecycle", "renamedFrom")) for name in lifecycle.renamed_from]
        claims += [("the id to adopt", lifecycle.adopt, ("lifecycle", "adopt"))] if lifecycle.adopt else []
        if resource.kind.live_name is not None:
            claims.append(("the live name", resource.live_name, ("metadata", "liveName")))
        for what, claim, path in claims:
            first = seen.setdefault((resource.ref.provider, resource.ref.kind, what, claim), resource)
            if first is resource:
                continue
            place = path if path in resource.origins else ("metadata", "name")
            there = first.origin_of(*(path if path in first.origins else ("metadata", "name")))
            wrong, wanted = (
                f"{what} {claim!r} is claimed by {first.address} at {there}",
                "one resource for each live thing",
            )
            here = resource.origin_of(*place)
            complain(problems, "duplicate-address", wrong, wanted, here, address=resource.address, related=(there,))


def _validated(document: Document, schemas: SchemaSet, project: Project, problems: Problems) -> Resource | None:
    """One resource, or none when anything is wrong with it. All its problems are told."""
    taken = schemas.accepted(document.root, document.kind.schema)
    before = len(problems)
    if taken is None:
        document, taken = _judged(document, schemas, project, problems)
    else:
        _check_beside(document, schemas, taken, problems)
        _check_kind(document, taken.value, project, problems)
    if len(problems) > before or not document.provider:
        return None
    return _resource(document, taken)


def _judged(document: Document, schemas: SchemaSet, project: Project, problems: Problems) -> tuple[Document, Plain]:
    """A document that is not simply accepted, as the schema wants it; what is wrong with it is told."""
    root = _without_nulls(document.root)
    fitted, found, about = schemas.check(root, document.kind.schema, document.address)
    problems.extend(found)
    document = document.with_root(fitted)
    taken = Plain(fitted.plain(), exact=False, pending=True, written=True)
    beside = Problems()  # a field that the schema refused already is not judged twice
    _check_beside(document, schemas, taken, beside)
    refused = {problem.origin for problem in found}
    problems.extend(problem for problem in beside.items if problem.origin not in refused)
    _check_kind(document, taken.value, project, problems, list(zip(about, found, strict=True)))
    return document, taken


def _check_beside(document: Document, schemas: SchemaSet, taken: Plain, problems: Problems) -> None:
    """What the schema can't say."""
    if taken.pending:
        _check_known(document, problems)
    _check_names(document, problems)
    _check_lifecycle(document, schemas, problems)


def _without_nulls(node: Node) -> Node:
    """Null in a map is the same as absent. Source: cases C23."""
    value = node.value
    if isinstance(value, dict):
        kept = {key: _without_nulls(entry) for key, entry in value.items() if entry.value is not None}
        same = len(kept) == len(value) and all(kept[key] is entry for key, entry in value.items())
        return node if same else node.with_value(kept)
    if isinstance(value, tuple):
        items = tuple([_without_nulls(item) for item in value])
        return node if all(map(operator.is_, items, value)) else node.with_value(items)
    return node


def _check_known(document: Document, problems: Problems) -> None:
    """What steers us must be known now: references may stand in `spec` alone."""
    for part in ("metadata", "lifecycle"):
        node = document.root.get(part)
        for path, below in node.walk((part,)) if node is not None else ():
            if is_pending(below.value):
                wrong, wanted = f"{field_text(path)} is not known before an apply", "a value without secret() and ref()"
                complain(problems, "not-known-yet", wrong, wanted, below.origin, address=document.address)


def _check_names(document: Document, problems: Problems) -> None:
    kind, live, name = document.kind, document.root.get("metadata", "liveName"), document.root.get("metadata", "name")
    if kind.live_name is None:
        if live is not None:
            wrong, wanted = "liveName can't be set here", f"no liveName: a {kind.title} gets its name from the API"
            complain(problems, "not-allowed-here", wrong, wanted, live.key or live.origin, address=document.address)
        return
    node = live or name
    if node is None or not isinstance(node.value, str) or kind.live_name.accepts(node.value):
        return
    wanted = kind.live_name.words if live else f"{kind.live_name.words}, or a liveName that the API takes"
    complain(
        problems,
        "bad-name",
        f"{node.value!r} is no name for a {kind.title}",
        wanted,
        node.origin,
        address=document.address,
    )


def _check_lifecycle(document: Document, schemas: SchemaSet, problems: Problems) -> None:
    kind, part = document.kind, document.root.get("lifecycle")
    if part is None:
        return
    state, adopt, order = part.get("runState"), part.get("adopt"), part.get("replace")
    if state is not None and state.value not in kind.run_states:
        wanted = (
            f"one of {', '.join(kind.run_states)}"
            if kind.run_states
            else f"no runState: a {kind.title} can't be stopped"
        )
        complain(
            problems, "not-allowed-here", f"runState is {state.value}", wanted, state.origin, address=document.address
        )
    if adopt is not None and isinstance(adopt.value, str) and not _fits_id(kind, adopt.value):
        words = (
            kind.live_id.words
            if kind.live_id
            else "the id of a live resource, such as 10eb0091-887f-4839-9929-cbc884f1e20e"
        )
        complain(problems, "bad-live-id", f"adopt is {adopt.value!r}", words, adopt.origin, address=document.address)
    first = ReplaceOrder.DELETE_FIRST
    if order is not None and order.value == first and first not in kind.replace_orders:
        wrong = f"a {kind.title} can't be replaced delete-first"
        wanted = f"one of {', '.join(kind.replace_orders)}, or nothing"
        complain(problems, "replace-order", wrong, wanted, order.origin, address=document.address)
    expires, protected = part.get("expires"), part.get("preventDestroy")
    if expires is not None and protected is not None and protected.value is True:
        wrong, wanted = "what must not be deleted can't expire", "preventDestroy or expires, not both"
        complain(problems, "not-allowed-here", wrong, wanted, expires.origin, address=document.address)
    _check_ignored(document, part, schemas, problems)
    wait_for, wait_path = part.get("wait", "for"), part.get("wait", "path")
    if wait_for is not None and is_pending(wait_for.value):
        return  # refused already
    is_http = wait_for is not None and wait_for.value == WaitFor.HTTP
    if is_http and wait_path is None and wait_for is not None:
        wrong, wanted = "wait for http without a path", "path: /healthz"
        complain(problems, "missing-field", wrong, wanted, wait_for.origin, address=document.address)
    if wait_path is not None and not is_http:
        wrong, wanted = "a path without for: http", "for: http beside it"
        complain(problems, "not-allowed-here", wrong, wanted, wait_path.origin, address=document.address)


def _check_ignored(document: Document, part: Node, schemas: SchemaSet, problems: Problems) -> None:
    """A path of `ignoreChanges` that names no field would ignore nothing, without a word."""
    listed = part.get("ignoreChanges")
    if listed is None or not isinstance(listed.value, tuple):
        return
    from reconciler.spec.describe import NoField, SchemaBook  # noqa: PLC0415 - 5 ms, and most specs ignore nothing

    for node in listed.value:
        try:
            path = ("spec", *_below_spec(node.value).segments) if isinstance(node.value, str) else ()
        except ValueError:
            continue  # refused by its format
        known = {name: schemas.strict[name] for name in (SHARED, document.kind.schema)}
        missing = SchemaBook({}, known).describe(document.kind.schema, path) if len(path) > 1 else None
        if isinstance(missing, NoField) and not missing.free:
            wrong = f"ignoreChanges names {node.value!r}, and there is no {missing.part!r}"
            wanted = f"one of {', '.join(missing.known)}" if missing.known else "a field that has fields below it"
            near = nearest(missing.part, missing.known)
            complain(problems, "unknown-field", wrong, wanted, node.origin, address=document.address, near=near)


def _fits_id(kind: Kind, text: str) -> bool:
    return kind.live_id.accepts(text) if kind.live_id else is_uuid(text) or ("/" in text.strip("/") and " " not in text)


def _check_kind(
    document: Document,
    plain: Mapping[str, Any],
    project: Project,
    problems: Problems,
    told: Sequence[tuple[Path, Problem]] = (),
) -> None:
    """Rules beside the kind: keyed lists, room for the marker, rules across fields."""
    _check_keys(document, plain["spec"], problems)
    _check_room(document, problems)
    config = project.providers.get(document.provider)
    settings: Mapping[str, Any] = config.settings if config is not None else {}
    plain = {"metadata": {}, "lifecycle": {}, **plain}
    about = {path for path, _problem in told}
    about |= {(*path[:-1], problem.nearest) for path, problem in told if problem.nearest and path}  # misspelt
    for check in document.kind.checks:
        try:
            findings = list(check(plain, settings))
        except _CRASHES:
            if not told:  # a check may only stumble over what has been refused already
                raise
            continue
        for finding in findings:
            path = _finding_path(finding)
            if not any(_same_place(path, other) for other in about):
                problems.add(_finding_problem(document, finding, path))


def _finding_path(finding: Finding | str) -> Path:
    text = finding if isinstance(finding, str) else finding.path
    segments = FieldPath.parse(text).segments
    path: Path = tuple(int(s[1:-1]) if s.startswith("[") and s[1:-1].isdecimal() else s for s in segments)
    return path if path[:1] in {("metadata",), ("lifecycle",), ("spec",)} else ("spec", *path)


def _same_place(path: Path, other: Path) -> bool:
    """Whether a finding is about something that was refused already, or lies inside it."""
    return len(other) > 1 and path[: len(other)] == other


def _finding_problem(document: Document, finding: Finding, path: Path) -> Problem:
    return Problem(
        code=finding.code,
        wrong=finding.wrong,
        expected=finding.expected,
        origin=document.root.nearest_place(path),
        address=document.address,
        nearest=finding.nearest,
        related=tuple(document.root.nearest_place(_finding_path(other)) for other in finding.others),
        warning=finding.warning,
    )


def _check_keys(document: Document, spec: Any, problems: Problems) -> None:
    for path, keys in document.kind.keyed_lists:
        if not _may_repeat(spec, path.segments, keys):
            continue  # quicker than to go through the nodes, of which few repeat
        for place, node in _matches(document.root.value["spec"], path.segments, ("spec",)):
            _check_list(node, place, keys, document, problems)


def _may_repeat(value: Any, segments: Sequence[str], keys: Sequence[str]) -> bool:
    """Whether some list at this path has two entries whose keys look the same."""
    for place, segment in enumerate(segments):
        if segment == EACH:
            rest = segments[place + 1 :]
            return isinstance(value, list) and any(_may_repeat(item, rest, keys) for item in value)
        if not isinstance(value, dict) or segment not in value:
            return False
        value = value[segment]
    items = [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
    return len({tuple([str(item.get(key)) for key in keys]) for item in items}) < len(items)


def _matches(node: Node, segments: Sequence[str], path: Path) -> Iterable[tuple[Path, Node]]:
    if not segments:
        yield path, node
    elif segments[0] == EACH:
        for index, item in enumerate(node.value if isinstance(node.value, tuple) else ()):
            yield from _matches(item, segments[1:], (*path, index))
    elif segments[0] in node.entries():
        yield from _matches(node.value[segments[0]], segments[1:], (*path, segments[0]))


def _check_list(node: Node, path: Path, keys: Sequence[str], document: Document, problems: Problems) -> None:
    seen: dict[tuple[str, ...], Origin] = {}
    for item in node.value if isinstance(node.value, tuple) else ():
        parts = [item.get(key) for key in keys]
        if any(part is None or isinstance(part.value, dict | tuple) or is_pending(part.value) for part in parts):
            continue
        key = tuple(str(part.value) for part in parts if part is not None)
        here = parts[0].origin if parts[0] is not None else item.origin
        first = seen.setdefault(key, here)
        if first is not here:
            wrong = f"{field_text(path[1:])} has {' and '.join(keys)} {'/'.join(key)!r} twice; the first is at {first}"
            wanted = f"each {' and '.join(keys)} once"
            complain(problems, "duplicate-item", wrong, wanted, here, address=document.address, related=(first,))


def _check_room(document: Document, problems: Problems) -> None:
    marker = document.kind.marker
    node = document.root.value["spec"].get(*FieldPath.parse(marker.suffix_of).segments) if marker.suffix_of else None
    if node is None or not marker.room:
        return
    parts = node.value.parts if isinstance(node.value, Composite) else (node.value,)
    length = sum(len(part) for part in parts if isinstance(part, str))
    if length + MARKER_ROOM > marker.room:
        wrong = f"{marker.suffix_of} has {length} characters, and with our marker at its end {length + MARKER_ROOM}"
        wanted = f"at most {marker.room - MARKER_ROOM}: the API takes {marker.room}, and the marker needs {MARKER_ROOM}"
        complain(problems, "too-long", wrong, wanted, node.origin, address=document.address)


def _resource(document: Document, taken: Plain) -> Resource:
    plain = taken.value
    metadata = plain["metadata"]
    origins, chains = origins_of(document.root, plain)
    resource = Resource(
        ref=ResourceRef(document.provider, document.kind.name, metadata["name"]),
        kind=document.kind,
        live_name=metadata.get("liveName", metadata["name"]),
        spec=_bare(plain["spec"]) if taken.written else plain["spec"],
        labels=metadata.get("labels", {}),
        lifecycle=_lifecycle(plain.get("lifecycle", {})),
        origin=document.origin,
        origins=origins,
        chains=chains,
    )
    if not taken.pending:
        resource.know_pending(())
    return resource


def _bare(value: Any) -> Any:
    """Plain JSON data: numbers without the text they were written as."""
    kind = value.__class__
    if kind is dict:
        return {key: _bare(entry) for key, entry in value.items()}
    if kind is list:
        return [_bare(item) for item in value]
    if isinstance(value, float):
        number = float(value)
        return int(number) if abs(number) >= _EXPONENT and number.is_integer() else number
    if isinstance(value, int) and kind is not bool:
        return int(value)
    return value


def _lifecycle(plain: Mapping[str, Any]) -> Lifecycle:
    if not plain:
        return _NO_LIFECYCLE
    wait = plain.get("wait", {})
    return Lifecycle(
        prevent_destroy=plain.get("preventDestroy", False),
        replace=ReplaceOrder(plain["replace"]) if "replace" in plain else None,
        ignore_changes=tuple(_below_spec(text) for text in plain.get("ignoreChanges", ())),
        renamed_from=tuple(plain.get("renamedFrom", ())),
        adopt=plain.get("adopt", ""),
        on_remove=plain.get("onRemove", "delete"),
        wait=Wait(
            target=WaitFor(wait["for"]) if "for" in wait else None,
            timeout_s=duration(wait["timeout"]) if "timeout" in wait else None,
            path=wait.get("path", ""),
        ),
        run_state=plain.get("runState", ""),
        secrets_revision=int(plain.get("secretsRevision", 0)),
        expires=plain.get("expires", ""),
    )


def _below_spec(text: str) -> FieldPath:
    segments = FieldPath.parse(text).segments
    return FieldPath(segments[1:] if segments[:1] == ("spec",) else segments)
