"""Templates on parsed values: a string that holds `{{` or `{%` becomes a value, and nothing is ever parsed again.

No value can change the structure of a document, because keys are never rendered and results are put where their string
stood. `{{ values.a.b }}` alone gives the very node of the values file, so that its origin goes along.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from reconciler.problems import Origin, Problem, Problems, nearest
from reconciler.spec.document import Layer, Node, Path, field_text, from_plain
from reconciler.spec.faults import Budget, Fault, Later, as_text, is_undefined, said, weight
from reconciler.spec.program import Program, parse
from reconciler.spec.scalars import LIMITS
from reconciler.spec.values import Composite, KnownAfterApply, Pending, SecretRef, is_pending

__all__ = ["Renderer", "Scope", "has_template", "holds_template"]

_WAYS_OUT: Final = (
    "; braces that belong to the workload stay as they are with metadata.template: false, or inside {% raw %}"
)
_CRASHES: Final = (
    *(TypeError, ValueError, ArithmeticError, LookupError, AttributeError, NameError),
    *(RuntimeError, SyntaxError, MemoryError, AssertionError),
)
"""What a sandboxed expression may run into; the texts of these errors name types, never attributes of ours."""
_TOP = frozenset({"template-syntax", "template-forbidden"})
_INNER: Final[frozenset[type]] = frozenset({dict, tuple})
_DEEPEST: Final = 64
_BITS: Final = 2048


def has_template(text: str) -> bool:
    """Whether a string is rendered at all."""
    return "{{" in text or "{%" in text


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a template may name: nodes (their origins are kept), and plain data made of them."""

    nodes: Mapping[str, Node]
    data: Mapping[str, Any] = field(default_factory=dict)
    _named: dict[Path, tuple[Layer, ...]] = field(repr=False, compare=False, default_factory=dict)
    """Of `values`, which all documents share, the layers that were asked for."""

    @classmethod
    def of(cls, **nodes: Node | None) -> Scope:
        """A scope over nodes; those that are none are not in scope."""
        known = {name: node for name, node in nodes.items() if node is not None}
        return cls(nodes=known, data={name: node.plain() for name, node in known.items()})

    def also(self, **nodes: Node | None) -> Scope:
        """The same scope with further names."""
        more = Scope.of(**nodes)
        named = {} if "values" in more.nodes else self._named
        return Scope(nodes={**self.nodes, **more.nodes}, data={**self.data, **more.data}, _named=named)

    def at(self, path: Path) -> Node | None:
        """The node that a bare path names, if a template would find the same there."""
        root = self.nodes.get(str(path[0]))
        if root is None or any(isinstance(part, str) and part.startswith("_") for part in path):
            return None
        return root.get(*path[1:])

    def named(self, path: Path) -> tuple[Layer, ...]:
        """The layers of a node that is there, which say by which name it was read."""
        found = self._named.get(path)
        if found is None:
            node = self.at(path)
            found = _named(node.layers, field_text(path)) if node is not None else ()
            if path[0] == "values":
                self._named[path] = found
        return found


def holds_template(node: Node) -> bool:
    """Whether any text or key in it does; most parts of most documents hold none, and are not made anew."""
    value = node.value
    if value.__class__ is str:
        return has_template(value)
    if value.__class__ is dict:
        return any("{" in key and has_template(key) for key in value) or _any_holds(value.values())
    return value.__class__ is tuple and _any_holds(value)


def _any_holds(nodes: Iterable[Node]) -> bool:
    for node in nodes:  # texts are looked at here: a call for each takes twice as long
        value = node.value
        if value.__class__ is str:
            if "{{" in value or "{%" in value:
                return True
        elif value.__class__ in _INNER and holds_template(node):
            return True
    return False


class Renderer:
    """Renders nodes. Problems are collected with the place inside the string where they arose.

    Args:
        secrets: The only names that `secret()` takes.
        problems: Where problems go.
        references: Whether `ref()` is in scope.
        budget: Shared by everything that this renderer renders.
    """

    def __init__(
        self, secrets: frozenset[str], problems: Problems, *, references: bool = True, budget: Budget | None = None
    ) -> None:
        self._secrets = secrets
        self._problems = problems
        self._budget = budget or Budget()
        self._functions: dict[str, Any] = {"secret": _function(self._secret)}
        if references:
            self._functions["ref"] = _function(self._ref)

    def render(self, node: Node, scope: Scope, address: str = "") -> Node:
        """The same tree with every template in it rendered.

        Problems: `undefined-name`, `template-syntax`, `template-forbidden`, `template-limit`, `template-type`,
        `template-failed`, `template-in-key`, `unknown-secret`, `unknown-attribute`, `not-known-yet`.
        """
        value = node.value
        if value.__class__ is str:
            return self._text(node, scope, address) if has_template(value) else node
        if value.__class__ is tuple:
            items = tuple(self._each(value, scope, address))
            return node if all(map(operator.is_, items, value)) else node.with_value(items)
        if value.__class__ is not dict:
            return node
        for key, entry in value.items():
            if "{" in key and has_template(key):
                self._key_problem(key, entry, address)
        made = self._each(value.values(), scope, address)
        if all(map(operator.is_, made, value.values())):
            return node
        return node.with_value(dict(zip(value, made, strict=True)))

    def _each(self, nodes: Iterable[Node], scope: Scope, address: str) -> list[Node]:
        made = []
        for node in nodes:  # texts are looked at here: a call for each takes twice as long
            value = node.value
            if value.__class__ is str:
                made.append(self._text(node, scope, address) if "{{" in value or "{%" in value else node)
            else:
                made.append(self.render(node, scope, address) if value.__class__ in _INNER else node)
        return made

    def _key_problem(self, key: str, entry: Node, address: str) -> None:
        self._problems.add(
            Problem(
                code="template-in-key",
                wrong=f"the key {key[:40]!r} holds a template",
                expected="templates in values alone" + _WAYS_OUT,
                origin=entry.key or entry.origin,
                address=address,
            )
        )

    def _text(self, node: Node, scope: Scope, address: str) -> Node:
        try:
            return self._rendered(node, scope)
        except Fault as fault:
            self._fault(fault, node, scope, address)
        except RecursionError:
            self._fault(
                Fault("template-limit", "the template is nested too deeply", "a flatter one"), node, scope, address
            )
        except _CRASHES as error:
            told = f"this can't be rendered: {said(error)}"
            self._fault(Fault("template-failed", told, "other operands"), node, scope, address)
        return node.with_value("")

    def _rendered(self, node: Node, scope: Scope) -> Node:
        program = parse(node.value)
        if program.path:
            found = scope.at(program.path)
            if found is not None and found.value.__class__ not in _INNER:  # most are: a scalar, named alone
                self._budget.spend(characters=weight(None))
                chain = (*node.layers, *scope.named(program.path))
                return Node(found.value, found.origin, node.key, found.raw, chain, found.via)
            if found is not None:
                return self._taken(found, field_text(program.path), node.layers)._replace(key=node.key)
        parts = list(program.run({**scope.data, **self._functions}, self._budget))
        chain = (*node.layers, *_read(program, scope))
        if program.single:
            return from_plain(_value(parts[0], self._budget), node.origin, chain)._replace(key=node.key)
        value = _joined(parts)
        self._budget.spend(characters=len(value) if isinstance(value, str) else 0)
        return Node(value, node.origin, node.key, chain=chain)

    def _taken(self, node: Node, name: str, before: tuple[Layer, ...]) -> Node:
        """The tree that a template names, whose values know that it was named there."""
        self._budget.spend(characters=weight(None))
        chain = (*before, *_named(node.layers, name))
        if isinstance(node.value, dict):
            entries = {key: self._taken(entry, f"{name}.{key}", before) for key, entry in node.value.items()}
            return node._replace(value=entries, chain=chain)
        if isinstance(node.value, tuple):
            items = tuple(self._taken(item, f"{name}[{index}]", before) for index, item in enumerate(node.value))
            return node._replace(value=items, chain=chain)
        return node._replace(chain=chain)

    def _secret(self, name: Any) -> Later:
        if not isinstance(name, str) or name not in self._secrets:
            listed = ", ".join(sorted(self._secrets)) or "nothing is listed there"
            raise Fault(
                "unknown-secret",
                f"secret {name!r} is not listed" if isinstance(name, str) else "secret() of something that is no text",
                f"a name of spec.secrets in reconciler.yaml ({listed})",
                near=nearest(name, self._secrets) if isinstance(name, str) else "",
                needle=name if isinstance(name, str) else "secret",
            )
        return Later(f'secret("{name}")', SecretRef(name))

    @staticmethod
    def _ref(address: Any) -> Later:
        if not isinstance(address, str) or address.count("/") != 2:  # noqa: PLR2004 - provider/Kind/name
            shown = address if isinstance(address, str) else type(address).__name__
            wanted = 'an address: ref("theta/Deployment/features").endpoint'
            raise Fault("unknown-address", f"ref() of {shown!r}", wanted, needle="ref")
        return Later(f'ref("{address}")', address=address)

    def _fault(self, fault: Fault, node: Node, scope: Scope, address: str) -> None:
        near, expected = fault.near, fault.expected
        if fault.in_scope:
            known = sorted([*scope.data, *self._functions])
            near, expected = nearest(fault.needle, known), f"one of {', '.join(known)}{_WAYS_OUT}"
        elif fault.code in _TOP:
            expected += _WAYS_OUT
        self._problems.add(
            Problem(
                code=fault.code,
                wrong=fault.wrong,
                expected=expected,
                origin=_locate(node, fault.needle, fault.line),
                address=address,
                nearest=near,
            )
        )


def _function(function: Any) -> Any:
    def called(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    called.is_template_function = True  # type: ignore[attr-defined]
    return called


def _read(program: Program, scope: Scope) -> tuple[Layer, ...]:
    """The layers of the values that a template names."""
    return tuple(layer for path in program.reads if scope.at(path) for layer in scope.named(path))


def _named(layers: Iterable[Layer], name: str) -> tuple[Layer, ...]:
    return tuple(layer if layer.name else Layer(layer.word, layer.origin, layer.value, name) for layer in layers)


def _value(value: Any, budget: Budget) -> Any:
    """A result as a JSON value whose leaves may be references."""
    return _Result(budget).take(value)


class _Result:
    """Takes a result apart, and counts: lists that share their items can be small in memory and endless to walk."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._values, self._characters = LIMITS.values, LIMITS.characters

    def take(self, value: Any, depth: int = 0) -> Any:
        self._values -= 1
        self._characters -= len(value) if isinstance(value, str) else 0
        self._budget.spend(characters=weight(value) if isinstance(value, str) else weight(None))
        if self._values < 0 or self._characters < 0:
            limit = f"at most {LIMITS.values:,} values and {LIMITS.characters:,} characters"
            raise Fault("template-limit", "the result is too large", limit)
        if depth > _DEEPEST:
            raise Fault("template-limit", "the result is nested too deeply", f"at most {_DEEPEST} levels")
        if isinstance(value, Mapping):
            return {_whole(as_text(key)): self.take(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list | tuple | range):
            return [self.take(item, depth + 1) for item in value]
        return _leaf(value)


def _leaf(value: Any) -> Any:
    if is_undefined(value) and not str(value):
        raise Fault("template-type", "the condition is false and there is no else", "an else with a value", needle="if")
    if isinstance(value, Later):
        return _reference(value)
    if isinstance(value, str):
        return _whole(value)
    if isinstance(value, int) and value.bit_length() > _BITS:
        raise Fault("template-limit", "the result is a number that is too large", f"at most {_BITS} bits")
    if value is None or isinstance(value, int) or is_pending(value):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Fault("template-type", "the result is not a finite number", "a number")
        return value
    raise Fault("template-type", "the result is no value", "text, a number, true, false, a list or a map")


def _whole(text: str) -> str:
    """A text that can be written as UTF-8: escapes in a template can make one that can't."""
    if not text.isprintable() and any("\ud800" <= character <= "\udfff" for character in text):
        raise Fault("template-type", "the result holds half of a surrogate pair", "whole characters")
    return text


def _reference(later: Later) -> Pending:
    if later.value is None:
        raise Fault(
            "unknown-attribute", f"{later.words} alone", "an attribute of it: .id, .name or .endpoint", needle="ref"
        )
    reference: Pending = later.value
    return reference


def _joined(parts: list[Any]) -> str | Composite:
    """Literal texts and values as one text, or as a `Composite` when a reference is among them."""
    pieces: list[str | SecretRef | KnownAfterApply] = []
    texts: list[str] = []
    for part in parts:
        piece = _reference(part) if isinstance(part, Later) else part if is_pending(part) else _whole(as_text(part))
        for single in piece.parts if isinstance(piece, Composite) else (piece,):
            if isinstance(single, str):
                texts.append(single)
            else:
                pieces += ["".join(texts), single]
                texts = []
    if not pieces:
        return "".join(texts)
    return Composite(tuple(piece for piece in (*pieces, "".join(texts)) if piece != ""))


def _locate(node: Node, needle: str, line: int) -> Origin:
    """The place inside the string as it stands in the file."""
    raw, origin = node.raw, node.origin
    if not raw:
        return origin
    begin = min((at for at in (raw.find("{{"), raw.find("{%")) if at >= 0), default=0)
    found = re.compile(rf"(?<!\w){re.escape(needle)}(?!\w)").search(raw, begin) if needle else None
    if found is None and raw[0] in "|>" and line:
        return Origin(origin.file, origin.line + line, 1)
    breaks = [match.end() for match in re.finditer(r"\r\n|\n|\r", raw)]
    offset = found.start() if found else begin
    before = [end for end in breaks if end <= offset]
    column = offset - before[-1] + 1 if before else origin.column + offset
    return Origin(origin.file, origin.line + len(before), column)
