"""A live item as a resource that a person could have written: the opposite of a create. Pure.

What the spec has no field for, what the server sets itself and what it fills in anyway is left out; what is or may be a
secret becomes `secret("…")`. The first plan of such a resource adopts it and changes nothing, as far as the API tells.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from reconciler.diff.compare import ABSENT, same
from reconciler.diff.fieldbook import FieldBook, exists, get, put
from reconciler.diff.hush import hushed, is_told, looks_secret
from reconciler.diff.live import Live
from reconciler.fields import UNSET, FieldPath, FieldRule, Kind, Secret, Seen
from reconciler.fields.normalise import empty_to_none, normalise
from reconciler.fields.path import EACH, is_there
from reconciler.spec.resource import Lifecycle, Resource, ResourceRef
from reconciler.spec.values import Composite, SecretRef

__all__ = ["Draft", "Wishes", "draft", "label_of", "unseen"]

_LONGEST: Final = 63
_ROOT: Final = FieldPath()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the proof of a first draft asks of the next one.

    Attributes:
        full: Defaults are written, too.
        kept: Paths (patterns) whose default is written all the same.
        emptied: Paths that are written as null, because the project's own defaults would put something there.
        run_state: `lifecycle.runState` is written, whatever it is.
    """

    full: bool = False
    kept: frozenset[FieldPath] = frozenset()
    emptied: frozenset[FieldPath] = frozenset()
    run_state: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One item, drafted.

    Attributes:
        live: The item.
        resource: What it would be in the spec.
        left_out: Paths (patterns) whose value is what the server fills in.
        secrets: Name of a secret → path of the value that it stands for.
        guessed: The names among them whose value the API shows in clear: that it is a secret is our guess.
        unseen: Paths of fields that the API does not show, of this item or of any.
    """

    live: Live
    resource: Resource
    left_out: frozenset[FieldPath]
    secrets: Mapping[str, str]
    guessed: frozenset[str]
    unseen: tuple[str, ...]


def label_of(item: Live) -> str:
    """A DNS-1123 label made of its name, or, where the API lets us set none, of the fields that may name it."""
    texts = (item.name, *(str(get(item.spec, FieldPath.parse(path)) or "") for path in item.kind.named_by), item.id)
    made = (re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:_LONGEST].strip("-") for text in texts)
    return next((label for label in made if label), "imported")


def draft(
    item: Live,
    name: str,
    *,
    book: FieldBook,
    version: str = "",
    is_secret: Callable[[str], bool] = lambda _text: False,
    known: Mapping[str, str] | None = None,
    taken: Collection[str] = (),
    wishes: Wishes | None = None,
) -> Draft:
    """One live item as a resource.

    Args:
        item: As it was read.
        name: Its name in the spec.
        book: The kinds' schemas: which fields there are, and which must be written.
        version: The provider instance's API release, or empty.
        is_secret: Whether a text holds a value that is known to be secret.
        known: Value → name, of secrets that the project has: these names are used again.
        taken: Names of secrets that mean something else already.
        wishes: What a proof found to be needed.
    """
    pen = _Pen(item, name, book, is_secret, known or {}, frozenset(taken), wishes or Wishes())
    spec = pen.written()
    state = item.run_state if item.run_state in item.kind.run_states else ""
    resource = Resource(
        ref=ResourceRef(item.provider, item.kind.name, name),
        kind=item.kind,
        live_name=item.name or name,
        spec=spec,
        lifecycle=Lifecycle(adopt=item.id, run_state=state if state == "stopped" or pen.wishes.run_state else ""),
    )
    return Draft(
        live=item,
        resource=resource,
        left_out=frozenset(pen.left_out),
        secrets=pen.secrets,
        guessed=frozenset(pen.guessed),
        unseen=tuple(unseen(item, spec, version)),
    )


def unseen(item: Live, spec: Mapping[str, Any], version: str = "") -> Iterable[str]:
    """Paths of what may be set although this item does not show it, in the order of the table.

    Not those that are in `spec` all the same or that say what another one there says, nor what the server fills in.
    """
    hidden = {FieldPath.parse(path) for path in item.hidden}
    for rule in item.kind.fields:
        path = FieldPath.parse(rule.path)
        told = rule.seen is not Seen.NEVER and path not in hidden
        told = told and not (rule.seen is Seen.SOMETIMES and not is_there(item.spec, path))
        elsewhere = rule.instead_of and is_there(spec, FieldPath.parse(rule.instead_of))
        above = any(FieldPath(path.segments[:end]) in hidden for end in range(1, len(path)))
        if told or elsewhere or above or rule.server_set or is_there(spec, path) or not exists(rule, version):
            continue
        if rule.default is UNSET and (rule.seen is not Seen.SOMETIMES or is_there(item.spec, path.parent)):
            yield rule.path


@dataclass(slots=True)
class _Pen:
    """Writes one spec, and notes what it leaves out and what it hides."""

    item: Live
    name: str
    book: FieldBook
    is_secret: Callable[[str], bool]
    known: Mapping[str, str]
    taken: frozenset[str]
    wishes: Wishes
    left_out: set[FieldPath] = field(default_factory=set)
    secrets: dict[str, str] = field(default_factory=dict)
    guessed: set[str] = field(default_factory=set)

    @property
    def kind(self) -> Kind:
        return self.item.kind

    def written(self) -> dict[str, Any]:
        spec = self._mapping(self.item.spec, _ROOT)
        for rule in reversed(self.kind.fields):  # of two that say the same, the first of the table stays
            if rule.instead_of and is_there(spec, FieldPath.parse(rule.instead_of)):
                spec.pop(rule.path, None)
        for rule in self.kind.fields:
            if rule.goes_with and is_there(spec, FieldPath.parse(rule.goes_with)) and rule.path not in spec:
                spec[rule.path] = self._hidden(FieldPath.parse(rule.path), "")
        for path in self.wishes.emptied:
            put(spec, path, None)
        return spec

    def _value(self, value: Any, path: FieldPath, name: str) -> Any:
        """A value as it is written, or `ABSENT`; `name`: what its holder calls it (an environment variable's name)."""
        rule = self.kind.exact_rule(path)
        if rule is not None and rule.server_set:
            return ABSENT
        if empty_to_none(value) is None and (rule is not None or not isinstance(value, str)):
            return ABSENT  # an empty text means something in a map of texts alone
        if rule is not None and self._goes_without(rule, path, value):
            self.left_out.add(path)
            return ABSENT
        if isinstance(value, Mapping):
            inner = self._mapping(value, path)
            return inner if inner or self.book.is_needed(self.kind, path) else ABSENT
        if isinstance(value, list | tuple):
            keys = rule.list_key.split("+") if rule is not None and rule.list_key else ()
            return [self._element(item, path / EACH, keys) for item in value]
        fitted = value if rule is None else self._fitted(rule, value, path)
        return self._text(fitted, path, name) if isinstance(fitted, str) else fitted

    def _mapping(self, value: Mapping[str, Any], path: FieldPath, keys: Collection[str] = ()) -> dict[str, Any]:
        """A map; an element of a list is called by its `keys`: the value in `{name: TOKEN, value: …}` is TOKEN's."""
        called = next((str(value[key]) for key in keys if isinstance(value.get(key), str) and value[key]), "")
        found = {}
        for key in self._sorted(value, path):
            if self.book.is_field(self.kind, path / key):
                found[key] = self._value(value[key], path / key, key if key in keys else called or key)
        return {key: item for key, item in found.items() if item is not ABSENT}

    def _element(self, value: Any, path: FieldPath, keys: Collection[str]) -> Any:
        """An element of a list is never left out."""
        if isinstance(value, Mapping):
            return self._mapping(value, path, keys)
        return self._text(value, path, "") if isinstance(value, str) else value

    def _sorted(self, value: Mapping[str, Any], path: FieldPath) -> list[str]:
        """Keys in the order of the table; those that it does not name come last, as the server told them."""
        named: dict[str, int] = {}
        for place, rule in enumerate(self.kind.fields):
            segments = FieldPath.parse(rule.path).segments
            if len(segments) > len(path) and segments[: len(path)] == path.segments:
                named.setdefault(segments[len(path)], place)
        return sorted((str(key) for key in value), key=lambda key: named.get(key, len(self.kind.fields)))

    # -- facts --------------------------------------------------------------------------------------------------------

    def _goes_without(self, rule: FieldRule, path: FieldPath, value: Any) -> bool:
        """Whether the server fills in this very value."""
        if self.wishes.full or path in self.wishes.kept or self.book.is_needed(self.kind, path):
            return False
        own = self.item.defaults.get(rule.path, ABSENT)
        if own is not ABSENT:
            return same(rule, value, own)
        followed = get(self.item.spec, FieldPath.parse(rule.default_from)) if rule.default_from else ABSENT
        if followed is not ABSENT and followed:
            return same(rule, value, followed)
        return rule.default is not UNSET and same(rule, value, rule.default)

    def _fitted(self, rule: FieldRule, value: Any, path: FieldPath) -> Any:
        """A value of the type that the spec wants, where the server tells it in another one: `500m` as 0.5."""
        types, other = self.book.types(self.kind, path), value
        if isinstance(value, str) and types and types <= {"number", "integer"}:
            number = normalise(rule.normalise, value)
            if isinstance(number, Decimal):
                other = int(number) if number == number.to_integral_value() else float(number)
        elif isinstance(value, int | float) and not isinstance(value, bool) and types == {"string"}:
            other = str(value)
        return other if same(rule, other, value) else value

    # -- secrets ------------------------------------------------------------------------------------------------------

    def _text(self, text: str, path: FieldPath, name: str) -> Any:
        rule = self.kind.rule(path)
        secret = rule.secret if rule is not None else Secret.NO
        if secret is Secret.ALWAYS:
            return self._hidden(path, name)
        if self.is_secret(text) and text in self.known:
            return SecretRef(self.known[text])
        if secret is Secret.NO:
            return self._guessed(path, name) if self.is_secret(text) or looks_secret(text) else text
        is_variable = self.kind.exact_rule(path) is None and self.kind.exact_rule(path.parent) is not None
        if is_variable and is_told(name, text):
            return self._guessed(path, name)
        return self._parted(text, path, name)

    def _parted(self, text: str, path: FieldPath, name: str) -> Any:
        """A command line without the values of its options that may be secrets; if one is left, all of it is hidden."""
        pieces = tuple(hushed(text))
        shown = [piece for piece, option in pieces if not option]
        if any(self.is_secret(piece) or looks_secret(piece) for piece in shown):
            return self._guessed(path, name)
        if len(shown) == len(pieces):
            return text
        parts = tuple(self._guessed(path, option) if option else piece for piece, option in pieces)
        return parts[0] if len(parts) == 1 else Composite(tuple(part for part in parts if part != ""))

    def _guessed(self, path: FieldPath, name: str) -> SecretRef:
        found = self._hidden(path, name)
        self.guessed.add(found.name)
        return found

    def _hidden(self, path: FieldPath, name: str) -> SecretRef:
        """A reference to a secret that is yet to be set: `PROVIDER_NAME_FIELD`, the same in each run."""
        last = name or next((segment for segment in reversed(path.segments) if not segment.startswith("[")), "")
        words = re.sub(r"[^A-Z0-9]+", "_", f"{self.item.provider}_{self.name}_{last}".upper()).strip("_")
        plain = f"S_{words}" if words[:1].isdigit() else words
        number, found = 1, plain
        while found in self.taken or found in self.secrets:
            number += 1
            found = f"{plain}_{number}"
        self.secrets[found] = str(path)
        return SecretRef(found)
