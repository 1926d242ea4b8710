"""Expressions of GitHub workflows, `${{ … }}`: loose where GitHub is loose, strict where it keeps silent.

What GitHub takes for empty without a word (an unknown input, a step's id with a typing error) raises `WorkflowError`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.github.workflows_values import (
    FUNCTIONS,
    Known,
    WorkflowError,
    access,
    as_text,
    equal,
    every,
    is_true,
    less,
    number,
)

__all__ = ["Known", "Scope", "WorkflowError", "as_text", "condition", "is_true", "tree", "value"]

STATUS = frozenset({"success", "failure", "always", "cancelled"})

_EMBEDDED = re.compile(r"\$\{\{((?:[^'}]|'(?:[^']|'')*'|\}(?!\}))*)\}\}")
_TOKEN = re.compile(
    r"\s*(?:(?P<number>[+-]?(?:0x[0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w-]))"
    r"|'(?P<text>(?:[^']|'')*)'|(?P<name>[A-Za-z_][\w-]*)|(?P<sign>&&|\|\||==|!=|<=|>=|[!<>().,\[\]*]))"
)


@dataclass(frozen=True)
class Scope:
    """What an expression sees: contexts by name, and what the status functions answer (empty: not allowed here)."""

    contexts: Mapping[str, Any]
    status: Mapping[str, bool] = field(default_factory=dict)

    def only(self, names: frozenset[str]) -> Scope:
        """The same, with these contexts alone."""
        return Scope({name: value for name, value in self.contexts.items() if name in names}, self.status)


_Node = Callable[[Scope], Any]


def value(text: Any, scope: Scope) -> Any:
    """A value of a workflow: typed when all of it is one expression, else its text; anything but text stays."""
    if not isinstance(text, str):
        return text
    alone = _EMBEDDED.fullmatch(text.strip())
    if alone is not None:
        return _Parser(alone[1]).parse()(scope)
    if "${{" in _EMBEDDED.sub("", text):
        raise WorkflowError(f"an expression without an end: {text!r}")
    return _EMBEDDED.sub(lambda found: as_text(_Parser(found[1]).parse()(scope)), text)


def tree(node: Any, scope: Scope) -> Any:
    """All values of lists and mappings."""
    if isinstance(node, dict):
        return {key: tree(item, scope) for key, item in node.items()}
    if isinstance(node, list):
        return [tree(item, scope) for item in node]
    return value(node, scope)


def condition(text: Any, scope: Scope) -> bool:
    """Whether `if` holds; without a status function it means `success() && (…)`."""
    if text is None:
        return scope.status["success"]
    if not isinstance(text, str):
        return bool(text) and scope.status["success"]
    alone = _EMBEDDED.fullmatch(text.strip())
    if alone is None and "${{" in text:
        raise WorkflowError(f"a condition that is always true, as it is text: {text!r}")
    parser = _Parser(alone[1] if alone else text)
    node = parser.parse()
    if not parser.functions & STATUS and not scope.status["success"]:
        return False
    return is_true(node(scope))


class _Parser:
    """Recursive descent: or, and, equality, order, not, access."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.functions: set[str] = set()
        self._tokens: list[tuple[str, str]] = []
        at, end = 0, len(text.rstrip())
        while at < end:
            found = _TOKEN.match(text, at)
            if found is None:
                raise self._wrong(f"not understood from {text[at:]!r}")
            self._tokens.append((str(found.lastgroup), found[str(found.lastgroup)]))
            at = found.end()
        self._at = 0

    def parse(self) -> _Node:
        node = self._or()
        if self._at < len(self._tokens):
            raise self._wrong(f"too much from {self._tokens[self._at][1]!r}")
        return node

    def _wrong(self, what: str) -> WorkflowError:
        return WorkflowError(f"expression {self.text.strip()!r}: {what}")

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise self._wrong("ends too early")
        self._at += 1
        return self._tokens[self._at - 1]

    def _take(self, *signs: str) -> str:
        if self._at < len(self._tokens):
            kind, text = self._tokens[self._at]
            if kind == "sign" and text in signs:
                self._at += 1
                return text
        return ""

    def _need(self, sign: str) -> None:
        if not self._take(sign):
            raise self._wrong(f"{sign!r} is missing")

    def _or(self) -> _Node:
        node = self._and()
        while self._take("||"):
            node = _either(node, self._and(), stop=True)
        return node

    def _and(self) -> _Node:
        node = self.equality()
        while self._take("&&"):
            node = _either(node, self.equality(), stop=False)
        return node

    def equality(self) -> _Node:
        node = self._order()
        while sign := self._take("==", "!="):
            node = _both(node, self._order(), equal if sign == "==" else lambda a, b: not equal(a, b))
        return node

    def _order(self) -> _Node:
        node = self._not()
        while sign := self._take("<", ">", "<=", ">="):
            compare = {
                "<": less,
                ">": lambda a, b: less(b, a),
                "<=": lambda a, b: less(a, b) or equal(a, b),
                ">=": lambda a, b: less(b, a) or equal(a, b),
            }[sign]
            node = _both(node, self._not(), compare)
        return node

    def _not(self) -> _Node:
        if self._take("!"):
            inner = self._not()
            return lambda scope: not is_true(inner(scope))
        return self._path()

    def _path(self) -> _Node:
        node = self._primary()
        while sign := self._take(".", "["):
            if sign == "." and self._take("*"):
                node = _apply(node, every)
                continue
            if sign == ".":
                kind, name = self._next()
                if kind != "name":
                    raise self._wrong(f"a name must follow a dot, not {name!r}")
                node = _both(node, _constant(name), access)
                continue
            node = _apply(node, every) if self._take("*") else _both(node, self._or(), access)
            self._need("]")
        return node

    def _primary(self) -> _Node:
        if self._take("("):
            node = self._or()
            self._need(")")
            return node
        kind, text = self._next()
        if kind == "number":
            return _constant(number(text))
        if kind == "text":
            return _constant(text.replace("''", "'"))
        if kind == "sign":
            raise self._wrong(f"{text!r} stands where a value must be")
        if self._take("("):
            return self._call(text)
        if text.lower() in {"true", "false", "null"}:
            return _constant({"true": True, "false": False, "null": None}[text.lower()])
        return self._context(text)

    def _context(self, name: str) -> _Node:
        def read(scope: Scope) -> Any:
            if name not in scope.contexts:
                raise self._wrong(f"the context {name!r} is not available here, only {sorted(scope.contexts)}")
            return scope.contexts[name]

        return read

    def _call(self, name: str) -> _Node:
        arguments: list[_Node] = []
        while not self._take(")"):
            if arguments:
                self._need(",")
            arguments.append(self._or())
        self.functions.add(name.lower())
        if name.lower() in STATUS:
            return self._status(name.lower(), arguments)
        if name.lower() not in FUNCTIONS:
            raise self._wrong(f"the function {name!r} is not known")
        count, function = FUNCTIONS[name.lower()]
        if len(arguments) not in count:
            raise self._wrong(f"{name}() does not take {len(arguments)} arguments")
        return lambda scope: function(*(argument(scope) for argument in arguments))

    def _status(self, name: str, arguments: Sequence[_Node]) -> _Node:
        if arguments:
            raise self._wrong(f"{name}() takes no arguments")

        def answer(scope: Scope) -> bool:
            if name not in scope.status:
                raise self._wrong(f"{name}() is not available here")
            return scope.status[name]

        return answer


def _constant(found: Any) -> _Node:
    return lambda _: found


def _apply(node: _Node, function: Callable[[Any], Any]) -> _Node:
    return lambda scope: function(node(scope))


def _both(left: _Node, right: _Node, function: Callable[[Any, Any], Any]) -> _Node:
    return lambda scope: function(left(scope), right(scope))


def _either(left: _Node, right: _Node, *, stop: bool) -> _Node:
    def choose(scope: Scope) -> Any:
        found = left(scope)
        return found if is_true(found) == stop else right(scope)

    return choose
