"""`kind: Policy`: rules over resources, changes and the plan, read here and judged by `plan.policy`. Source: DESIGN §5.

A policy is no template: its `assert` is one expression, in which `values` and `environment` are names like any other,
so that no value can become part of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from reconciler.fields import Kind
from reconciler.problems import Origin, Problem, Problems, nearest
from reconciler.spec.document import Node
from reconciler.spec.faults import Fault
from reconciler.spec.program import Program, parse
from reconciler.spec.strict import SchemaSet

__all__ = ["ACTIONS", "NAMES", "POLICY_FILE", "POLICY_SCHEMA", "Policy", "is_policy", "read_policies"]

POLICY_FILE: Final = "reconciler-policy.json"
ACTIONS: Final = ("create", "update", "replace", "delete", "adopt", "none")
"""What a change may be for `match.action`."""
NAMES: Final = ("resource", "change", "live", "plan", "values", "environment")
"""What an assertion may speak about."""
_OF_ONE: Final = frozenset({"resource", "change", "live"})
_MANY: Final[Mapping[str, Any]] = {"minItems": 1, "uniqueItems": True}

POLICY_SCHEMA: Final[Mapping[str, Any]] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": POLICY_FILE,
    "title": "policy",
    "type": "object",
    "description": "A rule that a plan must keep. It is read from the same files as resources.",
    "properties": {
        "apiVersion": {"const": "reconciler/v1"},
        "kind": {"const": "Policy"},
        "metadata": {
            "type": "object",
            "description": "What the rule is called.",
            "properties": {
                "name": {
                    "type": "string",
                    "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
                    "x-pattern-words": "lowercase letters, digits and hyphens, a letter or digit at both ends",
                    "maxLength": 63,
                    "description": "Name of the policy; --allow-policy takes it.",
                    "examples": ["keep-data"],
                }
            },
            "required": ["name"],
            "additionalProperties": False,
        },
        "spec": {
            "type": "object",
            "properties": {
                "match": {
                    "type": "object",
                    "title": "match",
                    "description": "Which changes it speaks about; all of these must fit. Left out: every change, or, "
                    "if the assertion speaks about nothing but the plan, the plan once.",
                    "properties": {
                        "kind": {
                            "type": "array",
                            "items": {"type": "string", "minLength": 1},
                            **_MANY,
                            "description": "Kinds as type/Kind.",
                            "examples": [["theta/Deployment"]],
                        },
                        "action": {
                            "type": "array",
                            "items": {"type": "string", "enum": list(ACTIONS)},
                            **_MANY,
                            "description": "What is about to be done.",
                            "examples": [["delete", "replace"]],
                        },
                        "labels": {
                            "type": "object",
                            "additionalProperties": {"type": "string"},
                            "minProperties": 1,
                            "description": "Labels of the resource (of a removed one: those of the last apply).",
                            "examples": [{"tier": "critical"}],
                        },
                    },
                    "additionalProperties": False,
                },
                "assert": {
                    "type": "string",
                    "minLength": 1,
                    "description": "An expression that must be true. Names: resource, change, live, plan, values, "
                    "environment.",
                    "examples": ["change.interruption != 'data-loss'"],
                },
                "level": {
                    "type": "string",
                    "enum": ["deny", "warn"],
                    "default": "deny",
                    "description": "deny: the change is blocked. warn: it is said.",
                    "examples": ["deny"],
                },
                "message": {
                    "type": "string",
                    "minLength": 1,
                    "description": "What a person should know when it does not hold.",
                    "examples": ["Ask #ml-platform before data is lost."],
                },
            },
            "required": ["assert"],
            "additionalProperties": False,
        },
    },
    "required": ["apiVersion", "kind", "metadata", "spec"],
    "additionalProperties": False,
}

_SCHEMAS: Final = SchemaSet.of({POLICY_FILE: POLICY_SCHEMA})


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One rule.

    Attributes:
        name: `--allow-policy` takes it.
        denies: Whether a change that breaks it is blocked; else it is only said.
        kinds, actions, labels: What it speaks about; empty: all.
        source: The expression, as written at `origin`.
        program: The same, parsed.
        whole: It speaks about the plan alone, and is judged once.
        message: What the author wants a person to know; may be empty.
    """

    name: str
    denies: bool
    kinds: frozenset[str]
    actions: frozenset[str]
    labels: Mapping[str, str]
    source: str
    program: Program = field(repr=False, compare=False)
    whole: bool
    message: str
    origin: Origin

    def speaks_of(self, kind: str, action: str, labels: Mapping[str, str]) -> bool:
        """Whether a change is meant."""
        return (
            (not self.kinds or kind in self.kinds)
            and (not self.actions or action in self.actions)
            and all(labels.get(key) == value for key, value in self.labels.items())
        )


def is_policy(root: Node) -> bool:
    """Whether a document is a policy, or is meant to be one."""
    kind, version = root.get("kind"), root.get("apiVersion")
    return kind is not None and kind.value == "Policy" and version is not None and version.value == "reconciler/v1"


def read_policies(roots: Iterable[Node], kinds: Sequence[Kind], problems: Problems) -> tuple[Policy, ...]:
    """Policy documents as rules, sorted by name.

    Problems: those of the schema, `unknown-kind`, `duplicate-item`, `template-syntax`, `template-forbidden`,
    `undefined-name`.
    """
    found: dict[str, Policy] = {}
    for root in roots:
        policy = _policy(root, [kind.label for kind in kinds], problems)
        if policy is None:
            continue
        first = found.setdefault(policy.name, policy)
        if first is not policy:
            place = root.nearest_place(("metadata", "name"))
            _complain(
                problems,
                "duplicate-item",
                f"policy {policy.name!r} stands here again; the first is at {first.origin}",
                "each policy name once",
                place,
                related=(first.origin,),
            )
    return tuple(found[name] for name in sorted(found))


def _policy(root: Node, labels: Sequence[str], problems: Problems) -> Policy | None:
    before = len(problems)
    fitted, told, _about = _SCHEMAS.check(root, POLICY_FILE)
    problems.extend(told)
    match = fitted.get("spec", "match")
    for node in _items(match, "kind"):
        if isinstance(node.value, str) and node.value not in labels:
            wanted = f"one of {', '.join(sorted(labels))}"
            near = nearest(node.value, labels)
            _complain(problems, "unknown-kind", f"kind is {node.value!r}", wanted, node.origin, near=near)
    source = fitted.get("spec", "assert")
    program = None
    if source is not None and isinstance(source.value, str):
        program = _program(source, problems)
    if len(problems) > before or source is None or program is None:
        return None
    plain = fitted.plain()
    spec = plain["spec"]
    return Policy(
        name=plain["metadata"]["name"],
        denies=spec.get("level", "deny") == "deny",
        kinds=frozenset(node.value for node in _items(match, "kind")),
        actions=frozenset(node.value for node in _items(match, "action")),
        labels=spec.get("match", {}).get("labels", {}),
        source=source.value,
        program=program,
        whole=match is None and not program.names & _OF_ONE,
        message=spec.get("message", ""),
        origin=source.origin,
    )


def _items(match: Node | None, key: str) -> tuple[Node, ...]:
    node = match.get(key) if match is not None else None
    return node.value if node is not None and isinstance(node.value, tuple) else ()


def _program(node: Node, problems: Problems) -> Program | None:
    """The expression, parsed; names that do not exist are told at once, not when a plan needs them."""
    wanted = "one expression that is true or false, such as change.interruption != 'data-loss'"
    try:
        program = parse(f"{{{{ {node.value} }}}}")
    except Fault as fault:
        expected = wanted if fault.line else fault.expected
        _complain(problems, fault.code, fault.wrong, expected, node.origin, near=fault.near)
        return None
    if not program.single:
        _complain(problems, "template-syntax", "this is more than one expression", wanted, node.origin)
        return None
    unknown = sorted(program.names - set(NAMES))
    for name in unknown:
        listed = f"one of {', '.join(NAMES)}"
        near = nearest(name, NAMES)
        _complain(problems, "undefined-name", f"{name!r} is undefined", listed, node.origin, near=near)
    return None if unknown else program


def _complain(
    problems: Problems,
    code: str,
    wrong: str,
    expected: str,
    origin: Origin,
    *,
    near: str = "",
    related: tuple[Origin, ...] = (),
) -> None:
    problems.add(Problem(code=code, wrong=wrong, expected=expected, origin=origin, nearest=near, related=related))
