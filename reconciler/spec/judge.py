"""What the JSON Schema library says of a document, which knows references (`spec.values`) here.

Only `spec.strict` asks, and only of documents that the gate does not accept: 50 ms to import, a third of `validate`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from reconciler.spec.document import Node
from reconciler.spec.formats import FORMATS
from reconciler.spec.values import Composite, KnownAfterApply, SecretRef, holds_secret, is_pending

__all__ = ["Judge"]


class _PendingText(str):
    """Stands for a reference in what the JSON Schema library sees."""

    __slots__ = ("reference",)
    reference: SecretRef | KnownAfterApply | Composite


def _project(node: Node) -> Any:
    if isinstance(node.value, dict):
        return {key: _project(entry) for key, entry in node.value.items()}
    if isinstance(node.value, tuple):
        return [_project(item) for item in node.value]
    if is_pending(node.value):
        text = _PendingText(node.value)
        text.reference = node.value
        return text
    return node.value


def _skipping(keyword: str) -> Any:
    original = Draft202012Validator.VALIDATORS[keyword]

    def check(validator: Any, limit: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        if not isinstance(instance, _PendingText):
            yield from original(validator, limit, instance, schema) or ()

    return check


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """`$` means the end here: for Python it also matches before a last line break."""
    exact = pattern[:-1] + r"\Z" if pattern.endswith("$") and not pattern.endswith("\\$") else pattern
    yield from _skipping("pattern")(validator, exact, instance, schema)


def _write_only(_validator: Any, on: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if on is True and _has_literal(instance):
        yield ValidationError("a literal")


def _has_literal(instance: Any) -> bool:
    if isinstance(instance, _PendingText):
        return isinstance(instance.reference, Composite) and not holds_secret(instance.reference)
    if isinstance(instance, Mapping):
        return any(_has_literal(item) for item in instance.values())
    if isinstance(instance, list):
        return any(_has_literal(item) for item in instance)
    return instance is not None and instance != ""


_TEXT_KEYWORDS: Final = ("pattern", "minLength", "maxLength", "enum", "const", "format")
_Validator: Any = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {**{keyword: _skipping(keyword) for keyword in _TEXT_KEYWORDS}, "pattern": _pattern, "writeOnly": _write_only},
)


class Judge:
    """A validator for each of the schema files, all of which are in strict form."""

    def __init__(self, strict: Mapping[str, Mapping[str, Any]]) -> None:
        self._strict = strict
        files = [(name, DRAFT202012.create_resource(schema)) for name, schema in strict.items()]
        self._registry: Registry[Any] = Registry().with_resources(files)

    def errors(self, node: Node, file: str) -> Iterator[ValidationError]:
        """All that is wrong with a document, in the library's own words."""
        validator = _Validator(self._strict[file], registry=self._registry, format_checker=_checker())
        yield from validator.iter_errors(_project(node))


def _checker() -> FormatChecker:
    """A checker that knows our formats and no other."""
    found = FormatChecker(formats=())
    for name, (check, _words, _example) in FORMATS.items():
        found.checks(name)(_on_text(check))
    return found


def _on_text(check: Callable[[str], bool]) -> Callable[[Any], bool]:
    return lambda value: check(value) if isinstance(value, str) else True
