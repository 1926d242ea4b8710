"""Parser events → nodes. Ours instead of PyYAML's, for positions, keys that stand once, and growth that is bounded."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import yaml

from reconciler.problems import Origin, Problem, Problems
from reconciler.spec.document import Layer, Node, reached
from reconciler.spec.scalars import Limits, scalar

__all__ = ["Composer", "Stop", "Text"]

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BREAK = re.compile(r"\r\n|\n|\r")
_SURROGATE = re.compile("[\ud800-\udfff]")
_CORE: Final = "tag:yaml.org,2002:"
_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "null": (type(None),),
}


class Stop(Exception):
    """Ends the load of one file; the problem that it carries is the error."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


class Text:
    """A decoded file, and lines and columns as an editor counts them."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text

    @cached_property
    def starts(self) -> list[int]:
        """Where each line begins; most texts are never asked for it."""
        return [0, *(match.end() for match in _BREAK.finditer(self.text))]

    def origin(self, index: int) -> Origin:
        """The place of a character."""
        line = bisect_right(self.starts, index)
        return Origin(self.file, line, index - self.starts[line - 1] + 1)

    def line_before(self, index: int) -> str:
        """What stands before it in its line."""
        return self.text[self.starts[bisect_right(self.starts, index) - 1] : index]

    def line_after(self, index: int) -> str:
        """It and what follows in its line."""
        match = _BREAK.search(self.text, index)
        return self.text[index : match.start() if match else len(self.text)]


@dataclass(slots=True)
class _Open:
    """A mapping or list that is still being read."""

    origin: Origin
    anchor: str | None
    is_map: bool
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Node] = field(default_factory=dict)
    merged: dict[str, Node] = field(default_factory=dict)
    keys: dict[str, Origin] = field(default_factory=dict)
    pending: str | None = None
    pending_origin: Origin | None = None
    pending_merge: bool = False
    values: int = 1
    characters: int = 0
    height: int = 1


class Composer:
    """Builds nodes from the parser's events without recursion, so that no input can exhaust the stack."""

    def __init__(self, text: Text, problems: Problems, limits: Limits) -> None:
        self.text = text
        self.problems = problems
        self.limits = limits
        self.stack: list[_Open] = []
        self.anchors: dict[str, Node | None] = {}
        self.sizes: dict[str, tuple[int, int, int]] = {}
        self.values = 0
        self.characters = 0
        self.aliased = 0
        self.root: Node | None = None

    def documents(self) -> tuple[Node, ...]:
        """All documents but the empty ones.

        Raises:
            Stop: at a limit, or where nothing sensible can follow.
            yaml.YAMLError: what the parser itself refuses.
        """
        found: list[Node] = []
        for event in self._events():
            if isinstance(event, yaml.DocumentStartEvent):
                self.anchors, self.sizes, self.root = {}, {}, None
            elif isinstance(event, yaml.DocumentEndEvent):
                if self.root is not None and self.root.value is not None:
                    found.append(self.root)
                self._limit_documents(len(found), event)
            elif isinstance(event, yaml.AliasEvent):
                self._alias(event)
            elif isinstance(event, yaml.ScalarEvent):
                self._scalar(event)
            elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                self._open(event)
            elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                self._close()
        return tuple(found)

    def _events(self) -> Iterator[Any]:
        loader = _Loader(self.text.text)
        try:
            while loader.check_event():
                yield loader.get_event()
        finally:
            loader.dispose()

    def _origin(self, event: Any) -> Origin:
        return self.text.origin(event.start_mark.index)

    def _problem(self, code: str, wrong: str, expected: str, origin: Origin, *related: Origin) -> None:
        self.problems.add(Problem(code=code, wrong=wrong, expected=expected, origin=origin, related=related))

    def _stop(self, code: str, wrong: str, expected: str, origin: Origin) -> Stop:
        return Stop(Problem(code=code, wrong=wrong, expected=expected, origin=origin))

    def _limit_documents(self, count: int, event: Any) -> None:
        if count > self.limits.documents:
            limit = f"at most {self.limits.documents:,} in one file"
            raise self._stop("too-many-documents", f"document {count:,}", limit, self._origin(event))

    def _charge(self, values: int, characters: int, origin: Origin) -> None:
        """Count what this value costs when every alias is written out."""
        self.values += values
        self.characters += characters
        if self.stack:
            self.stack[-1].values += values
            self.stack[-1].characters += characters
        if self.values > self.limits.values or self.characters > self.limits.characters:
            limit = (
                f"at most {self.limits.values:,} values and {self.limits.characters:,} characters, aliases written out"
            )
            raise self._stop("too-many-values", "the file grows too large here", limit, origin)

    def _alias(self, event: Any) -> None:
        origin = self._origin(event)
        if event.anchor not in self.anchors:
            known = ", ".join(sorted(self.anchors))[:200] or "none is defined"
            raise self._stop(
                "bad-alias", f"unknown anchor {event.anchor!r}", f"an anchor of this document ({known})", origin
            )
        node = self.anchors[event.anchor]
        if node is None:
            raise self._stop("bad-alias", f"{event.anchor!r} contains itself", "an anchor that is complete", origin)
        if self._wants_key():
            self._key(node.value if isinstance(node.value, str) else None, origin, plain=False)
            return
        values, characters, height = self.sizes[event.anchor]
        self._charge(values, characters, origin)
        self.aliased += values
        if self.aliased > self.limits.aliased:
            limit = f"at most {self.limits.aliased:,} values from aliases in one file"
            raise self._stop("too-many-values", "the file grows too large here", limit, origin)
        self._reach(height, origin)
        merging = bool(self.stack) and self.stack[-1].pending_merge
        self._add(reached(node, Layer("merge" if merging else "alias", origin, name=f"*{event.anchor}")))

    def _scalar(self, event: Any) -> None:
        origin = self._origin(event)
        plain = event.implicit[0] and not event.style
        if self._wants_key():
            self._core_tag(event.tag, origin, ("str",))
            self._key(event.value, origin, plain=plain)
            if event.anchor:
                self._anchor(event.anchor, Node(event.value, origin), 1, len(event.value))
            return
        value = self._scalar_value(event, origin, plain=plain)
        self._charge(1, len(event.value), origin)
        raw = ""
        if isinstance(value, str) and ("{{" in value or "{%" in value):
            raw = self.text.text[event.start_mark.index : event.end_mark.index]
        node = Node(value, origin, raw=raw)
        if event.anchor:
            self._anchor(event.anchor, node, 1, len(event.value))
        self._add(node)

    def _scalar_value(self, event: Any, origin: Origin, *, plain: bool) -> Any:
        text = event.value
        if _SURROGATE.search(text):
            self._problem("control-character", "half of a surrogate pair", "a whole character", origin)
            return ""
        name = self._core_tag(event.tag, origin, ("str", *_TYPES))
        if not plain and name not in _TYPES:
            return text
        try:
            value = scalar(text, self.limits)
        except ValueError as error:
            self._problem(
                "bad-number", f"{error}: {text[:40]}", f'a shorter number, or quotes for text: "{text[:40]}"', origin
            )
            return 0
        if name in _TYPES and (not isinstance(value, _TYPES[name]) or (name != "bool" and isinstance(value, bool))):
            self._problem("unknown-tag", f"{text[:40]!r} is no {name}", f"a value that !!{name} fits", origin)
        return value

    def _core_tag(self, tag: str | None, origin: Origin, allowed: Sequence[str]) -> str:
        """The short name of an explicit tag, empty without one; a tag that we don't know is a problem."""
        if tag is None or tag == "!":
            return ""
        name = tag.removeprefix(_CORE)
        if name == tag or name not in allowed:
            shown = f"!!{name}" if name != tag else tag[:60]
            self._problem("unknown-tag", f"unknown tag {shown}", "a value without a tag", origin)
            return ""
        return name

    def _wants_key(self) -> bool:
        return bool(self.stack) and self.stack[-1].is_map and self.stack[-1].pending is None

    def _key(self, text: str | None, origin: Origin, *, plain: bool) -> None:
        top = self.stack[-1]
        if not text or text[0] == "\0" or _SURROGATE.search(text):
            self._problem("bad-key", "an empty key" if text == "" else "a key that is no text", "a word", origin)
            text = f"\0{len(top.keys)}"
        merging = plain and text == "<<"
        name = "\0<<" if merging else text  # a quoted "<<" is a key like any other
        if name in top.keys:
            first = top.keys[name]
            self._problem(
                "duplicate-key",
                f"key {text!r} stands here again",
                f"each key once; the first is at {first}",
                origin,
                first,
            )
        top.keys.setdefault(name, origin)
        top.pending, top.pending_origin, top.pending_merge = text, origin, merging
        self._charge(0, len(text), origin)

    def _open(self, event: Any) -> None:
        origin = self._origin(event)
        self._reach(1, origin)
        is_map = isinstance(event, yaml.MappingStartEvent)
        if self._wants_key():
            hint = 'a word; a template needs quotes around it: "{{ ... }}"'
            raise self._stop("bad-key", "a map or list as a key", hint, origin)
        self._core_tag(event.tag, origin, ("map",) if is_map else ("seq",))
        self._charge(1, 0, origin)
        self.stack.append(_Open(origin, event.anchor, is_map))
        if event.anchor:
            self.anchors[event.anchor] = None

    def _reach(self, height: int, origin: Origin) -> None:
        """Refuse what would be nested too deeply here, aliases written out."""
        if len(self.stack) + height > self.limits.depth:
            raise self._stop("too-deep", "values are nested too deeply", f"at most {self.limits.depth} levels", origin)
        if self.stack:
            self.stack[-1].height = max(self.stack[-1].height, height + 1)

    def _close(self) -> None:
        top = self.stack.pop()
        if self.stack:
            self.stack[-1].height = max(self.stack[-1].height, top.height + 1)
            self.stack[-1].values += top.values - 1
            self.stack[-1].characters += top.characters
        value: Any = tuple(top.items)
        if top.is_map:
            value = {**{key: node for key, node in top.merged.items() if key not in top.entries}, **top.entries}
        node = Node(value, top.origin)
        if top.anchor:
            self._anchor(top.anchor, node, top.values, top.characters, top.height)
        self._add(node)

    def _anchor(self, name: str, node: Node, values: int, characters: int, height: int = 0) -> None:
        self.anchors[name] = node
        self.sizes[name] = (values, characters, height)

    def _add(self, node: Node) -> None:
        """Put a finished node where it belongs."""
        if not self.stack:
            self.root = node
            return
        top = self.stack[-1]
        if not top.is_map:
            top.items.append(node)
            return
        key, origin, merge = top.pending, top.pending_origin, top.pending_merge
        top.pending = None
        if merge:
            self._merge(top, node)
        elif key is not None and key not in top.entries and not key.startswith("\0"):
            top.entries[key] = node._replace(key=origin)

    def _merge(self, top: _Open, node: Node) -> None:
        """`<<`: entries of another map, below those that are written here; of several maps the first one wins."""
        for source in node.value if isinstance(node.value, tuple) else (node,):
            if not isinstance(source.value, dict):
                self._problem("bad-alias", "<< with something that is no map", "a map, or a list of maps", node.origin)
                continue
            for key, entry in source.value.items():
                top.merged.setdefault(key, entry)
