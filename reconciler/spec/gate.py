"""An accept gate: `jsonschema-rs` says of most documents, in microseconds, that nothing is wrong with them.

It only ever accepts. What it does not accept, or can't judge, goes to `spec.strict`, where every error text is made;
without its wheel everything goes there. A schema is put into the gate's form first: references (`spec.values`) fit
wherever text fits, `writeOnly` takes no literal, formats and patterns are our own. That both agree is tested over all
schemas, examples and mutations: `tests/spec/test_gate.py`. Measured: 11 µs a document, and 260 µs in the other library.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Protocol

from reconciler.spec.formats import FORMATS
from reconciler.spec.values import Composite, holds_secret, is_pending

__all__ = ["SHARED", "SIGNS", "Gate", "gate_of"]


class Gate(Protocol):
    """Whether nothing is wrong with a fitted document, as plain data; False says nothing."""

    def __call__(self, document: Any, *, exact: bool) -> bool:
        """`exact`: every value in it is of a built-in type, and no text is one of `SIGNS`."""


SIGNS: Final = ("\0pending", "\0composed")
"""What stands for a reference, and for a text around one that is no secret (a literal, where `writeOnly` forbids it).
Nobody can write it into a file but by an escape, and then the gate does not judge."""
SHARED: Final = "common.json"
"""The one file that others refer to."""
_LITERAL_FREE: Final = "literal_free"
_TEXT: Final = ("pattern", "minLength", "maxLength", "enum", "const", "format")
_KEPT: Final = frozenset({"enum", "const", "default", "examples", "required", "type", "description", "$id", "$schema"})
_CLASS: Final = re.compile(r"\\[^s\\./\-\[\]{}()*+?^$|]")
"""Escapes that the two languages of patterns may read differently."""
_SPACES: Final = (
    r"\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"  # Python's `\s`
)


class _Unsure(Exception):
    """The gate does not judge this document."""


def gate_of(strict: Mapping[str, Mapping[str, Any]], file: str) -> Gate | None:
    """The gate of one schema file, all of which are in strict form; `None` without the library.

    A schema that the library can't take has a gate that accepts nothing.
    """
    try:
        from jsonschema_rs import Draft202012Validator  # noqa: PLC0415 - without its wheel, or with half of it
    except ImportError:
        return None
    parts = {name: _form(strict[name], name) for name in (file, SHARED) if name in strict}
    bundle: dict[str, Any] = {"$ref": f"#/$defs/{file}", "$defs": {**parts, _LITERAL_FREE: _literal_free()}}
    formats = {f"our:{name}": check for name, (check, _words, _example) in FORMATS.items()}
    try:
        validator = Draft202012Validator(bundle, formats=formats, validate_formats=True, offline=True)
    except ValueError:
        return lambda _document, *, exact: False  # noqa: ARG005 - the form of a gate

    def accepts(document: Any, *, exact: bool) -> bool:
        try:
            return bool(validator.is_valid(document if exact else _signed(document)))
        except (_Unsure, ValueError, OverflowError):
            return False

    return accepts


def _form(schema: Any, file: str) -> Any:
    """A schema in the gate's form, its references inside the bundle."""
    if isinstance(schema, list):
        return [_form(sub, file) for sub in schema]
    if not isinstance(schema, Mapping):
        return schema
    # Properties, whose names may be keywords, come below: to do them here too would double the time with each level.
    made = {key: sub if key in _KEPT else _form(sub, file) for key, sub in schema.items() if key != "properties"}
    if isinstance(schema.get("$id"), str):
        del made["$id"]
    if isinstance(schema.get("$ref"), str):
        name, _, pointer = schema["$ref"].partition("#")
        made["$ref"] = f"#/$defs/{name or file}{pointer}"
    if isinstance(schema.get("properties"), Mapping):
        made["properties"] = {name: _form(sub, file) for name, sub in schema["properties"].items()}
    text: dict[str, Any] = {key: made.pop(key) for key in _TEXT if key in schema and _is_keyword(schema, key)}
    more: list[dict[str, Any]] = []
    if text:
        more.append({"anyOf": [{"enum": [*SIGNS]}, _text_form(text)]})
    if schema.get("writeOnly") is True:
        more.append({"$ref": f"#/$defs/{_LITERAL_FREE}"})
    if more:
        made["allOf"] = [*made.get("allOf", []), *more]
    return made


def _is_keyword(schema: Mapping[str, Any], key: str) -> bool:
    """Whether it limits a text, and is no field of that name in a map of schemas."""
    return not isinstance(schema[key], Mapping) or key in {"const", "enum"}


def _text_form(text: Mapping[str, Any]) -> Any:
    made = dict(text)
    pattern = made.get("pattern")
    if isinstance(pattern, str):
        if _CLASS.search(pattern):
            return False
        made["pattern"] = pattern.replace(r"\s", _SPACES)
    if "format" in made:
        made["format"] = f"our:{made['format']}"
    return made


def _literal_free() -> dict[str, Any]:
    again = {"$ref": f"#/$defs/{_LITERAL_FREE}"}
    free: list[dict[str, Any]] = [
        {"enum": [SIGNS[0], "", None]},
        {"type": "object", "additionalProperties": again},
        {"type": "array", "items": again},
    ]
    return {"anyOf": free}


def _signed(value: Any) -> Any:
    """A document of built-in values, with references as their sign.

    Raises:
        _Unsure: for what has no such form.
    """
    kind = value.__class__
    if kind is dict:
        return {key: _signed(entry) for key, entry in value.items()}
    if kind is list:
        return [_signed(item) for item in value]
    if kind is str:
        if value in SIGNS:
            raise _Unsure
        return value
    if value is None or kind is bool:
        return value
    if isinstance(value, float | int):
        return float(value) if isinstance(value, float) else int(value)
    if not is_pending(value):
        raise _Unsure
    return SIGNS[isinstance(value, Composite) and not holds_secret(value)]
