"""Parsed YAML that remembers where it was written: `SourceFile`, `Node`, `Document`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self, TypeAlias

from reconciler.fields import FieldPath, Kind
from reconciler.problems import Origin

__all__ = [
    "Document",
    "Layer",
    "Node",
    "Path",
    "SourceFile",
    "WrittenFloat",
    "WrittenInt",
    "field_text",
    "from_plain",
    "labelled",
    "reached",
]

Path: TypeAlias = tuple[str | int, ...]
"""Concrete place in a document: keys and list indices."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file as the command line read it: its path as shown to people, relative to the project, and its bytes."""

    path: str
    data: bytes


class WrittenFloat(float):
    """A number with the text it was written as, so that `1.10` inside a text stays `1.10`."""

    text: str

    def __new__(cls, text: str) -> Self:
        """The number of a decimal text."""
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __str__(self) -> str:
        return self.text


class WrittenInt(int):
    """The same for whole numbers in another spelling, such as `1e3`."""

    text: str

    def __new__(cls, value: int, text: str) -> Self:
        """A number, and the text that it was written as."""
        number = super().__new__(cls, value)
        number.text = text
        return number

    def __str__(self) -> str:
        return self.text


class Layer(NamedTuple):
    """One layer that a value went through on its way into a resource: what stood where.

    Attributes:
        word: `default`, `written`, `patch`; of values `values`, `environment`, `file`, `set`; `alias`, `merge` of YAML.
        origin: The place.
        value: The scalar as it stood there, with its template; `None` for maps, lists and aliases.
        name: What it is called there: `values.replicas`, `*base`; empty for the field itself.
    """

    word: str
    origin: Origin
    value: Any = None
    name: str = ""


class Node(NamedTuple):
    """One value with its origin. A named tuple, for it takes a third of the time of a frozen dataclass to make.

    Attributes:
        value: A scalar (also a reference of `spec.values`), a tuple of nodes, or a dict of nodes by key.
        origin: Where the value begins.
        key: Where its key was written, if it has one.
        raw: The source text of a string that may hold a template, quotes included; for pointing into it.
        chain: The layers that led here, oldest first, for `compile --explain`; empty: just written at `origin`.
        via: The aliases and merge keys of YAML through which it came here, outermost first; they are part of `chain`
            once it is not empty.
    """

    value: Any
    origin: Origin
    key: Origin | None = None
    raw: str = ""
    chain: tuple[Layer, ...] = ()
    via: tuple[Layer, ...] = ()

    @property
    def is_map(self) -> bool:
        """Whether it is a mapping."""
        return isinstance(self.value, dict)

    @property
    def is_list(self) -> bool:
        """Whether it is a list."""
        return isinstance(self.value, tuple)

    @property
    def place(self) -> Origin:
        """Where a reader looks for it: the value, or for maps and lists the key above them."""
        return self.key if self.key is not None and isinstance(self.value, dict | tuple) else self.origin

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The chain, never empty."""
        return self.chain or (*self.via, self.as_layer("written"))

    def as_layer(self, word: str) -> Layer:
        """What stands here, as one layer."""
        return Layer(word, self.origin, None if isinstance(self.value, dict | tuple) else self.value)

    def get(self, *path: str | int) -> Node | None:
        """The node at a path below this one, or none."""
        node = self
        for part in path:
            below = _below(node.value, part)
            if below is None:
                return None
            node = below
        return node

    def nearest_place(self, path: Path) -> Origin:
        """The place of the value at this path, or of the deepest one above it."""
        for length in range(len(path), -1, -1):
            found = self.get(*path[:length])
            if found is not None:
                return found.place
        return self.place

    def entries(self) -> dict[str, Node]:
        """The mapping's nodes by key; empty for anything else."""
        return self.value if isinstance(self.value, dict) else {}

    def plain(self) -> Any:
        """The value without origins: dict, list, scalar."""
        value = self.value
        if value.__class__ is dict:
            return {key: node.plain() for key, node in value.items()}
        if value.__class__ is tuple:
            return [node.plain() for node in value]
        return value

    def walk(self, path: Path = ()) -> Iterator[tuple[Path, Node]]:
        """This node and all below it with their paths, in the order they are held."""
        yield path, self
        if isinstance(self.value, dict):
            for key, node in self.value.items():
                yield from node.walk((*path, key))
        elif isinstance(self.value, tuple):
            for index, node in enumerate(self.value):
                yield from node.walk((*path, index))

    def with_entries(self, entries: Mapping[str, Node]) -> Node:
        """The same mapping with other entries."""
        return self.with_value(dict(entries))

    def with_value(self, value: Any) -> Node:
        """The same node with another value; half of the time of `_replace`."""
        return Node(value, self.origin, self.key, self.raw, self.chain, self.via)


def _below(value: Any, part: str | int) -> Node | None:
    if isinstance(part, str):
        return value.get(part) if isinstance(value, dict) else None
    return value[part] if isinstance(value, tuple) and 0 <= part < len(value) else None


def labelled(node: Node, word: str) -> Node:
    """The same tree whose values say in which layer they were written; those that say so already stay."""
    chain = node.chain or (*node.via, node.as_layer(word))
    if isinstance(node.value, dict):
        return node._replace(value={key: labelled(entry, word) for key, entry in node.value.items()}, chain=chain)
    if isinstance(node.value, tuple):
        return node._replace(value=tuple(labelled(item, word) for item in node.value), chain=chain)
    return node._replace(chain=chain)


def reached(node: Node, by: Layer) -> Node:
    """The same tree, reached through an alias or a merge key."""
    via = (by, *node.via)
    if isinstance(node.value, dict):
        return node._replace(value={key: reached(entry, by) for key, entry in node.value.items()}, via=via)
    if isinstance(node.value, tuple):
        return node._replace(value=tuple(reached(item, by) for item in node.value), via=via)
    return node._replace(via=via)


def from_plain(value: Any, origin: Origin, chain: tuple[Layer, ...] = ()) -> Node:
    """Plain data as nodes that all come from one place."""
    if isinstance(value, Mapping):
        return Node({str(k): from_plain(v, origin, chain) for k, v in value.items()}, origin, chain=chain)
    if isinstance(value, list | tuple):
        return Node(tuple(from_plain(item, origin, chain) for item in value), origin, chain=chain)
    return Node(value, origin, chain=chain)


def field_text(path: Path) -> str:
    """A concrete path as people write it: `spec.config[0].weight`."""
    return str(FieldPath(tuple(f"[{part}]" if isinstance(part, int) else part for part in path)))


class Document(NamedTuple):
    """One resource document on its way through the compiler. A named tuple, for each step makes another one.

    Attributes:
        root: The whole document; from `expand` on without `forEach`.
        kind: Its kind.
        provider: Name of the provider instance, once known.
        item: The item of `forEach` that it was made for.
    """

    root: Node
    kind: Kind
    provider: str = ""
    item: Node | None = None

    def with_root(self, root: Node) -> Document:
        """The same document with another content."""
        return (
            self if root is self.root else Document(root=root, kind=self.kind, provider=self.provider, item=self.item)
        )

    def with_provider(self, provider: str) -> Document:
        """The same document of this provider instance."""
        if provider == self.provider:
            return self
        return Document(root=self.root, kind=self.kind, provider=provider, item=self.item)

    @property
    def origin(self) -> Origin:
        """Where the document begins."""
        return self.root.origin

    @property
    def name(self) -> str:
        """`metadata.name` as it stands now (perhaps still a template)."""
        node = self.root.get("metadata", "name")
        return node.value if node is not None and isinstance(node.value, str) else ""

    @property
    def address(self) -> str:
        """`provider/Kind/name` for messages, with what is known of it now."""
        return f"{self.provider or self.kind.type}/{self.kind.name}/{self.name}"

    @property
    def templated(self) -> bool:
        """Whether its texts are templates (`metadata.template`)."""
        node = self.root.get("metadata", "template")
        return node is None or node.value is not False
