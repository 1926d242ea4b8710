"""Values that are not there yet: secrets, and what another resource will only tell after it exists.

Inside a compiled `spec` a leaf is a plain JSON value or one of these. Stored (ledger, plan file) they become tagged
objects (`encode`), so that no text of a user can be mistaken for one.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

__all__ = [
    "Composite",
    "KnownAfterApply",
    "Pending",
    "SecretRef",
    "decode",
    "encode",
    "fill",
    "holds_secret",
    "is_pending",
    "pending_in",
]


@dataclass(frozen=True, slots=True)
class SecretRef:
    """`secret("NAME")`: an opaque reference, resolved only by the HTTP call that needs it."""

    name: str

    def __repr__(self) -> str:
        return f"SecretRef({self.name})"

    def __str__(self) -> str:
        return f'{{{{ secret("{self.name}") }}}}'


@dataclass(frozen=True, slots=True)
class KnownAfterApply:
    """`ref("theta/Deployment/features").endpoint`: an attribute (`id`, `name`, `endpoint`) of another resource."""

    address: str
    attribute: str

    def __str__(self) -> str:
        return f'{{{{ ref("{self.address}").{self.attribute} }}}}'


@dataclass(frozen=True, slots=True)
class Composite:
    """A longer text with references inside, in order: `("http://", KnownAfterApply(...), "/v1")`."""

    parts: tuple[str | SecretRef | KnownAfterApply, ...]

    def __str__(self) -> str:
        return "".join(map(str, self.parts))


Pending: TypeAlias = SecretRef | KnownAfterApply | Composite


def is_pending(value: Any) -> bool:
    """Whether this leaf is a reference."""
    return isinstance(value, SecretRef | KnownAfterApply | Composite)


_PLAIN: Final = frozenset({str, int, float, bool, type(None)})
"""What most values are; to ask whether they are anything else costs more."""


def pending_in(value: Any) -> tuple[SecretRef | KnownAfterApply, ...]:
    """All references in a value, depth first, in order, repetitions included."""
    if value.__class__ in _PLAIN:
        return ()
    found: list[SecretRef | KnownAfterApply] = []
    _collect(value, found)
    return tuple(found)


def _collect(value: Any, found: list[SecretRef | KnownAfterApply]) -> None:
    kind = value.__class__  # built-in ones first: to ask for an abstract class takes ten times as long
    if kind is dict:
        for item in value.values():
            if item.__class__ not in _PLAIN:
                _collect(item, found)
    elif kind is list or kind is tuple:
        for item in value:
            if item.__class__ not in _PLAIN:
                _collect(item, found)
    elif isinstance(value, SecretRef | KnownAfterApply):
        found.append(value)
    elif isinstance(value, Composite):
        found.extend(part for part in value.parts if not isinstance(part, str))
    elif isinstance(value, Mapping):
        _collect(list(value.values()), found)
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        _collect(list(value), found)


def holds_secret(value: Any) -> bool:
    """Whether any part of a value comes from `secret()`."""
    return any(isinstance(found, SecretRef) for found in pending_in(value))


def fill(  # noqa: PLR0911 - one for each kind of value
    value: Any, resolve: Callable[[SecretRef | KnownAfterApply], Any]
) -> Any:
    """The same value with each reference replaced by `resolve(reference)`; one that returns a reference stays.

    A `Composite` whose parts are all resolved becomes one text.
    """
    kind = value.__class__
    if kind in _PLAIN:
        return value
    if kind is dict:
        return {key: item if item.__class__ in _PLAIN else fill(item, resolve) for key, item in value.items()}
    if isinstance(value, SecretRef | KnownAfterApply):
        return resolve(value)
    if isinstance(value, Composite):
        parts = tuple(part if isinstance(part, str) else resolve(part) for part in value.parts)
        if any(is_pending(part) for part in parts):
            return Composite(parts)
        return "".join(map(str, parts))
    if isinstance(value, list | tuple):
        return [fill(item, resolve) for item in value]
    if isinstance(value, Mapping):
        return {key: fill(item, resolve) for key, item in value.items()}
    return value


def encode(value: Any) -> Any:  # noqa: PLR0911 - one for each kind of value
    """A value as plain JSON: references as `{"$secret": …}`, `{"$ref": …, "attribute": …}`, `{"$text": […]}`.

    A mapping of the user's whose first key begins with `$` is wrapped in `{"$map": …}`.
    """
    kind = value.__class__
    if kind in _PLAIN:
        return value
    if isinstance(value, SecretRef):
        return {"$secret": value.name}
    if isinstance(value, KnownAfterApply):
        return {"$ref": value.address, "attribute": value.attribute}
    if isinstance(value, Composite):
        return {"$text": [encode(part) for part in value.parts]}
    if kind is dict or isinstance(value, Mapping):
        plain = {str(key): item if item.__class__ in _PLAIN else encode(item) for key, item in value.items()}
        return {"$map": plain} if any(key[:1] == "$" for key in plain) else plain
    if isinstance(value, list | tuple):
        return [encode(item) for item in value]
    return value


def decode(value: Any) -> Any:
    """What `encode` made, back again; the same object where nothing is encoded in it, for it need not be made anew."""
    if value.__class__ is dict or isinstance(value, Mapping):
        if "$secret" in value:
            return SecretRef(str(value["$secret"]))
        if "$ref" in value:
            return KnownAfterApply(str(value["$ref"]), str(value["attribute"]))
        if "$text" in value:
            return Composite(tuple(decode(part) for part in value["$text"]))
        inner = value.get("$map", value)
        made = {key: decode(item) for key, item in inner.items() if item.__class__ not in _PLAIN}
        changed = any(item is not inner[key] for key, item in made.items())
        return {**inner, **made} if changed else inner
    if isinstance(value, list | tuple):
        items = [item if item.__class__ in _PLAIN else decode(item) for item in value]
        return items if value.__class__ is tuple or any(map(operator.is_not, items, value)) else value
    return value
