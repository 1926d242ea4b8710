"""`dependsOn` and `ref()` → edges; the graph of all resources must have no cycle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter

from reconciler.problems import Origin, Problem, Problems, nearest
from reconciler.spec.document import Document, Path, field_text
from reconciler.spec.resource import Edge, Resource
from reconciler.spec.values import KnownAfterApply, pending_in

__all__ = ["cycles", "resolve"]


def resolve(
    resources: Sequence[Resource], depends_on: Mapping[str, Sequence[tuple[str, Origin]]], problems: Problems
) -> tuple[Resource, ...]:
    """Resources with their edges, sorted by address.

    Args:
        resources: What validation made.
        depends_on: Address → its `metadata.dependsOn` entries with their places.
        problems: Gets `unknown-address` and `dependency-cycle`.
    """
    known = {resource.address: resource for resource in resources}
    result: list[Resource] = []
    for resource in sorted(resources, key=lambda each: each.address):
        edges: dict[str, Edge] = {}
        for address, origin, why in _needs(resource, depends_on.get(resource.address, ())):
            if address in known:
                edges.setdefault(address, Edge(address, origin, why))
                continue
            problems.add(
                Problem(
                    code="unknown-address",
                    wrong=f"{why} names {address!r}, which does not exist",
                    expected="the address of a resource of this spec",
                    origin=origin,
                    address=resource.address,
                    nearest=nearest(address, known),
                )
            )
        result.append(replace(resource, edges=tuple(sorted(edges.values()))) if edges else resource)
    problems.extend(_cycle_problem(cycle) for cycle in cycles(result))
    return tuple(result)


def depends_on(document: Document) -> tuple[tuple[str, Origin], ...]:
    """`metadata.dependsOn` of a document with the place of each entry."""
    node = document.root.get("metadata", "dependsOn")
    items = node.value if node is not None and isinstance(node.value, tuple) else ()
    return tuple((item.value, item.origin) for item in items if isinstance(item.value, str))


def _needs(resource: Resource, listed: Sequence[tuple[str, Origin]]) -> Iterator[tuple[str, Origin, str]]:
    for address, origin in listed:
        yield address, origin, "dependsOn"
    if not resource.pending:  # most have none
        return
    for path, reference in _references(resource.spec, ("spec",)):
        yield reference.address, resource.origin_of(*path), f"ref() in {field_text(path)}"


def _references(value: object, path: Path) -> Iterator[tuple[Path, KnownAfterApply]]:
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            if item.__class__ is not str:  # most are
                yield from _references(item, (*path, key))
    else:
        yield from ((path, found) for found in pending_in(value) if isinstance(found, KnownAfterApply))


def cycles(resources: Sequence[Resource]) -> list[list[tuple[str, Edge]]]:
    """One shortest cycle of each knot, beginning at its first address: (member, edge to the next member)."""
    graph = {each.address: {edge.address: edge for edge in each.edges} for each in resources if each.edges}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError:
        return _cycles_of(graph)
    return []


def _cycles_of(graph: Mapping[str, Mapping[str, Edge]]) -> list[list[tuple[str, Edge]]]:
    found: list[list[tuple[str, Edge]]] = []
    done: set[str] = set()
    for address in sorted(graph):
        if address in done:
            continue
        cycle = _shortest(address, graph)
        if cycle:
            found.append(cycle)
            done |= _knot(address, graph)
    return found


def _shortest(start: str, graph: Mapping[str, Mapping[str, Edge]]) -> list[tuple[str, Edge]]:
    """The shortest way from an address back to itself, or nothing; ties fall by address."""
    came_from: dict[str, str] = {}
    waiting = [start]
    for address in waiting:
        for target in sorted(graph.get(address, ())):
            if target == start:
                way = [address]
                while way[-1] != start:
                    way.append(came_from[way[-1]])
                way.reverse()
                return [(a, graph[a][b]) for a, b in zip(way, [*way[1:], start], strict=True)]
            if target not in came_from:
                came_from[target] = address
                waiting.append(target)
    return []


def _knot(start: str, graph: Mapping[str, Mapping[str, Edge]]) -> set[str]:
    """All addresses that reach `start` and are reached from it."""
    backwards: dict[str, set[str]] = {address: set() for address in graph}
    for address, targets in graph.items():
        for target in targets:
            backwards.setdefault(target, set()).add(address)
    return _reach(start, graph) & _reach(start, backwards)


def _reach(start: str, graph: Mapping[str, Mapping[str, Edge] | set[str]]) -> set[str]:
    seen = {start}
    waiting = [start]
    while waiting:
        fresh = set(graph.get(waiting.pop(), ())) - seen
        seen |= fresh
        waiting.extend(fresh)
    return seen


def _cycle_problem(cycle: Sequence[tuple[str, Edge]]) -> Problem:
    members = [member for member, _edge in cycle]
    edges = ", ".join(f"{member} needs {edge.address} at {edge.origin}" for member, edge in cycle)
    return Problem(
        code="dependency-cycle",
        wrong=f"{' -> '.join([*members, members[0]])}: each needs the next one first ({edges})",
        expected="resources that don't wait for one another in a circle",
        origin=cycle[0][1].origin,
        address=members[0],
        related=tuple(edge.origin for _member, edge in cycle),
    )
