"""Which resource needs which, as a picture in words: Mermaid for pages on Git hosts, DOT for Graphviz."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from reconciler.spec.resource import Resource

__all__ = ["Arrow", "arrows_of", "dot", "mermaid"]


@dataclass(frozen=True, slots=True, order=True)
class Arrow:
    """`first` must be there before `then`; `why` is `dependsOn`, or the field that refers to it."""

    first: str
    then: str
    why: str = ""


def arrows_of(resources: Iterable[Resource]) -> list[Arrow]:
    """All edges between resources, sorted."""
    return sorted(
        Arrow(edge.address, resource.address, edge.why.removeprefix("ref() in "))
        for resource in resources
        for edge in resource.edges
    )


def mermaid(addresses: Sequence[str], arrows: Iterable[Arrow]) -> str:
    """A flow chart: one box a provider instance, an arrow from what comes first to what needs it."""
    names = _names(addresses)
    lines = ["flowchart LR"]
    for number, (provider, members) in enumerate(_by_provider(addresses)):
        lines.append(f'  subgraph p{number}["{_entity(provider)}"]')
        lines += [f'    {names[address]}["{_entity(_short(address))}"]' for address in members]
        lines.append("  end")
    lines += [
        f'  {names[arrow.first]} -->|"{_entity(arrow.why)}"| {names[arrow.then]}'
        if arrow.why
        else f"  {names[arrow.first]} --> {names[arrow.then]}"
        for arrow in arrows
    ]
    return "\n".join(lines) + "\n"


def dot(addresses: Sequence[str], arrows: Iterable[Arrow]) -> str:
    """The same for Graphviz."""
    names = _names(addresses)
    lines = ["digraph resources {", "  rankdir=LR;", "  node [shape=box];"]
    for number, (provider, members) in enumerate(_by_provider(addresses)):
        lines.append(f"  subgraph cluster_{number} {{")
        lines.append(f"    label={_quoted(provider)};")
        lines += [f"    {names[address]} [label={_quoted(_short(address))}];" for address in members]
        lines.append("  }")
    for arrow in arrows:
        label = f" [label={_quoted(arrow.why)}]" if arrow.why else ""
        lines.append(f"  {names[arrow.first]} -> {names[arrow.then]}{label};")
    return "\n".join([*lines, "}"]) + "\n"


def _names(addresses: Iterable[str]) -> Mapping[str, str]:
    return {address: f"n{number}" for number, address in enumerate(sorted(addresses))}


def _by_provider(addresses: Iterable[str]) -> Iterable[tuple[str, list[str]]]:
    for provider, members in groupby(sorted(addresses), key=lambda address: address.partition("/")[0]):
        yield provider, list(members)


def _short(address: str) -> str:
    return address.partition("/")[2]


def _entity(text: str) -> str:
    """Text that Mermaid shows as it is: everything that could end the label, or be markup in it, by its number."""
    return "".join(char if char.isalnum() or char in " -_./[]*:" else f"#{ord(char)};" for char in text)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
