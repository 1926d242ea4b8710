"""Errors of the JSON Schema library → complaints in the words of the field, with what was expected and what is near."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from reconciler.problems import nearest
from reconciler.spec.document import Path, field_text
from reconciler.spec.formats import FORMATS
from reconciler.spec.scalars import scalar

__all__ = ["TYPE_WORDS", "Complaint", "complaints_of", "condition_words"]

Failure: TypeAlias = Any
"""A `ValidationError`: its parts are JSON of any shape."""
SchemaAt: TypeAlias = Callable[[Sequence[str | int]], Any]

TYPE_WORDS: Final = {
    "object": ("a map", ""),
    "array": ("a list", ""),
    "string": ("text", ""),
    "integer": ("a whole number", "3"),
    "number": ("a number", "0.5"),
    "boolean": ("true or false", ""),
    "null": ("null", ""),
}
_SHOWN: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """One mistake at a path of the document.

    `about` is the field itself, also when it is missing; `at_key` asks for the place of its key.
    """

    code: str
    about: Path
    wrong: str
    expected: str
    near: str = ""
    at_key: bool = False


def complaints_of(errors: Iterable[Failure], schema_at: SchemaAt) -> tuple[Complaint, ...]:
    """All complaints, each mistake once: a missing field is not told beside its own misspelling."""
    found: list[Complaint] = []
    for error in errors:
        found.extend(_translate(error, schema_at))
    return _distinct(found)


def _distinct(found: Sequence[Complaint]) -> tuple[Complaint, ...]:
    misspelt = {(*c.about[:-1], c.near) for c in found if c.code == "unknown-field" and c.near}
    unknown = {c.about for c in found if c.code == "unknown-field"}
    hidden = {c.about for c in found if c.code == "literal-secret"}
    result: dict[tuple[str, Path], Complaint] = {}
    for complaint in found:
        if complaint.code == "missing-field" and complaint.about in misspelt:
            continue
        if complaint.code == "not-allowed-here" and complaint.about in unknown:
            continue
        if complaint.code != "literal-secret" and any(complaint.about[: len(path)] == path for path in hidden):
            continue
        code = "wrong-value" if complaint.code in {"not-allowed", "bad-pattern", "bad-format"} else complaint.code
        result.setdefault((code, complaint.about), complaint)
    wrong_types = {path for code, path in result if code == "wrong-type"}
    return tuple(
        complaint
        for (code, path), complaint in result.items()
        if code in {"wrong-type", "unknown-field"} or path not in wrong_types
    )


def _translate(error: Failure, schema_at: SchemaAt) -> Iterator[Complaint]:
    path: Path = tuple(error.absolute_path)
    keyword = str(error.validator)
    if keyword == "not" and error.validator_value == {}:
        yield from _forbidden(error, path, schema_at)
    elif keyword in {"additionalProperties", "unevaluatedProperties"}:
        yield from _unknown(error, path, schema_at)
    elif keyword in {"required", "dependentRequired"}:
        yield from _missing(error, path, schema_at)
    elif keyword in {"anyOf", "oneOf"}:
        yield from _choice(error, path, schema_at)
    elif "propertyNames" in tuple(error.absolute_schema_path)[-2:]:
        made = _simple(error, (*path, str(error.instance)), keyword, schema_at)
        yield replace(made, at_key=True, wrong=f"the key {show(error.instance)} does not fit")
    else:
        yield _simple(error, path, keyword, schema_at)


def show(value: Any) -> str:
    """A value as a person wrote it, shortened; maps and lists only by what they are."""
    if isinstance(value, Mapping):
        return "a map"
    if isinstance(value, list | tuple):
        return "a list"
    if getattr(value, "reference", None) is not None:
        return f"a reference ({value})"
    if isinstance(value, str):
        text = json.dumps(value, ensure_ascii=False)
        return text if len(text) <= _SHOWN else f'{text[:_SHOWN]}…"'
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)[:_SHOWN]


def _name(path: Path) -> str:
    """The field as the message calls it: its last two keys, with the indices between them."""
    keys = [index for index, part in enumerate(path) if isinstance(part, str)]
    if not keys:
        return "the document"
    start = keys[-2] if len(keys) > 1 else keys[-1]
    return field_text(path[start + (path[start] == "spec" and len(keys) > 1) :])


def _owner(error: Failure, path: Path) -> str:
    """The object whose field is meant: the schema's title, or its place."""
    title = error.schema.get("title") if isinstance(error.schema, Mapping) else None
    if title and path:
        first = title.partition(" ")[0]
        spelt = first.isupper() and first[:1] in set("AEFHILMNORSX")  # an HTTP check: letters are said one by one
        article = "an" if title[:1].lower() in set("aeiou") or spelt else "a"
        return f"{article} {title}" if title.partition(" ")[0].lower() not in {"a", "an"} else str(title)
    return field_text(path) if path else "a document"


def _unknown(error: Failure, path: Path, schema_at: SchemaAt) -> Iterator[Complaint]:
    schema, instance = error.schema, error.instance
    known = sorted(_known(schema, error, schema_at))
    if error.validator == "additionalProperties":
        extra = [key for key in instance if key not in schema.get("properties", {})]
    else:
        extra = [key for key in instance if repr(key) in error.message]
    owner = _owner(error, path)
    for key in extra:
        free = [name for name in known if name not in instance]
        near = nearest(key, free) or nearest(key, known)
        listed = ", ".join(known) if len(known) <= 12 else ""  # noqa: PLR2004 - what fits on a line
        yield Complaint(
            code="unknown-field",
            about=(*path, key),
            wrong=f"unknown field {key!r} of {owner}",
            expected=f"one of {listed}" if listed else f"a field of {owner}",
            near=near,
            at_key=True,
        )


def _known(schema: Any, error: Failure, schema_at: SchemaAt) -> set[str]:
    """Names that an object may have here, also those that its branches add."""
    names: set[str] = set()
    if isinstance(schema, Mapping):
        names |= {name for name, sub in schema.get("properties", {}).items() if sub != {"not": {}}}
        for key in ("allOf", "anyOf", "oneOf"):
            for sub in schema.get(key, ()):
                names |= _known(sub, error, schema_at)
        names |= _known(schema.get("then"), error, schema_at) if error.validator == "unevaluatedProperties" else set()
    return names


def _missing(error: Failure, path: Path, schema_at: SchemaAt) -> Iterator[Complaint]:
    names = error.validator_value
    if isinstance(names, Mapping):
        names = [name for wanted in names.values() for name in wanted]
    quoted = [name for name in names if name not in error.instance and repr(name) in error.message]
    name = quoted[0] if quoted else str(names[0])
    condition = _condition(error, schema_at)
    owner = _owner(error, path)
    about = f"{name!r} of {owner}" if path else repr(name)
    example = _example(_property(error, name, schema_at))
    wanted = f"{name}: {example}" if example else name
    misspelt = nearest(name, _free(error))
    if misspelt:
        yield Complaint(
            code="unknown-field",
            about=(*path, misspelt),
            wrong=f"unknown field {misspelt!r} of {owner}",
            expected=wanted,
            near=name,
            at_key=True,
        )
        return
    yield Complaint(
        code="missing-field",
        about=(*path, name),
        wrong=f"{about} is missing",
        expected=f"{wanted}{condition}",
    )


def _free(error: Failure) -> Iterator[str]:
    """Fields of an object that takes any field: there a misspelt one is no error of its own."""
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    if schema.get("additionalProperties", True) is True and isinstance(schema.get("properties"), Mapping):
        yield from (key for key in error.instance if key not in schema["properties"])


def _property(error: Failure, name: str, schema_at: SchemaAt) -> Any:
    """The schema of a property that is missing, looked for where the requirement stands and at the object itself."""
    if isinstance(error.schema, Mapping) and name in error.schema.get("properties", {}):
        return error.schema["properties"][name]
    place = list(error.absolute_schema_path)[:-1]
    while place:
        found = schema_at(place)
        if isinstance(found, Mapping) and isinstance(found.get("properties", {}).get(name), Mapping):
            return found["properties"][name]
        if place[-1] in {"properties", "items"}:
            break
        place.pop()
    return {}


def _condition(error: Failure, schema_at: SchemaAt) -> str:
    """` when infer_type is "batch"` for an error of what `then` itself says, not of what holds inside it anyway."""
    place = list(error.absolute_schema_path)
    for index in range(len(place) - 1, -1, -1):
        own = place[index] == "then" and place[index:].count("properties") <= 1
        holder = schema_at(place[:index]) if own else None
        words = condition_words(holder.get("if")) if isinstance(holder, Mapping) else ""
        if words:
            return f" when {words}"
    return ""


def condition_words(condition: Any) -> str:
    """What an `if` of a schema asks, such as `infer_type is "batch"`; empty for what has no short words."""
    parts: list[str] = []
    for name, sub in condition.get("properties", {}).items() if isinstance(condition, Mapping) else ():
        if isinstance(sub, Mapping) and "const" in sub:
            parts.append(f"{name} is {show(sub['const'])}")
        elif isinstance(sub, Mapping) and "enum" in sub:
            parts.append(f"{name} is {' or '.join(map(show, sub['enum']))}")
    return " and ".join(parts)


def _forbidden(error: Failure, path: Path, schema_at: SchemaAt) -> Iterator[Complaint]:
    condition = _condition(error, schema_at)
    yield Complaint(
        code="not-allowed-here",
        about=path,
        wrong=f"{_name(path)} can't stand here{condition}",
        expected="a document without it",
        at_key=True,
    )


def _choice(error: Failure, path: Path, schema_at: SchemaAt) -> Iterator[Complaint]:
    """The branch that the author meant: by type, then by fixed values (`const`, `enum`), then by the fewest errors."""
    branches: dict[int, list[Failure]] = {}
    for sub in error.context or ():
        branches.setdefault(int(sub.schema_path[0]), []).append(sub)
    if not branches:
        yield Complaint(
            code="not-allowed",
            about=path,
            wrong=f"{_name(path)} fits several alternatives",
            expected="exactly one of them",
        )
        return
    depth = len(error.absolute_path)

    def score(subs: Sequence[Failure]) -> tuple[int, int, int]:
        other_type = any(sub.validator == "type" and len(sub.absolute_path) == depth for sub in subs)
        other_value = sum(sub.validator in {"const", "enum"} and len(sub.absolute_path) == depth + 1 for sub in subs)
        return (other_type, other_value, len(subs))

    best = min(branches.values(), key=score)
    if score(best)[0]:
        wanted = [
            words for subs in branches.values() for sub in subs if sub.validator == "type" for words in _type_words(sub)
        ]
        yield Complaint(
            code="wrong-type",
            about=path,
            wrong=f"{_name(path)} is {show(error.instance)}",
            expected=" or ".join(dict.fromkeys(wanted)),
        )
        return
    for sub in best:
        yield from _translate(sub, schema_at)


def _type_words(error: Failure) -> list[str]:
    types = [error.validator_value] if isinstance(error.validator_value, str) else list(error.validator_value)
    return [TYPE_WORDS.get(name, (name, ""))[0] for name in types]


def _example(schema: Any) -> str:
    """The first example of a schema, as one would write it in a line of YAML."""
    if not isinstance(schema, Mapping):
        return ""
    found = next(iter(schema.get("examples", ())), schema.get("const", next(iter(schema.get("enum", ())), None)))
    if found is None:
        return ""
    return found if isinstance(found, str) and found == str(_read(found)) else json.dumps(found, ensure_ascii=False)


def _read(text: str) -> Any:
    try:
        value = scalar(text)
    except ValueError:
        return None
    return value if isinstance(value, str) and not set(text) & set("{}[]#:,&*!|>'\"%@`") else None


def _simple(error: Failure, path: Path, keyword: str, schema_at: SchemaAt) -> Complaint:
    make = _SIMPLE.get(keyword)
    name, value = _name(path), show(error.instance)
    if make is None:
        code, wrong, expected, near = "not-allowed", f"{name} is {value}", f"what {keyword} of the schema allows", ""
    else:
        code, wrong, expected, near = make(error, name, value)
    condition = _condition(error, schema_at) if keyword in {"const", "enum", "minItems", "maxItems"} else ""
    return Complaint(code=code, about=path, wrong=wrong, expected=expected + condition, near=near)


_Made = tuple[str, str, str, str]


def _wrong_type(error: Failure, name: str, value: str) -> _Made:
    instance = error.instance
    words = " or ".join(_type_words(error))
    types = [error.validator_value] if isinstance(error.validator_value, str) else list(error.validator_value)
    example = _example(error.schema) or TYPE_WORDS.get(types[0], ("", ""))[1]
    if types == ["string"] and not isinstance(instance, Mapping | list) and instance is not None:
        wanted = _text_words(error.schema, value) or f'text; write it in quotes: "{value}"'
        return "wrong-type", f"{name} is {value}", wanted, ""
    if isinstance(instance, str) and getattr(instance, "reference", None) is None and _typed(instance, types):
        return "wrong-type", f"{name} is the text {value}", f"{words}, without quotes: {instance.strip()}", ""
    return "wrong-type", f"{name} is {value}", f"{words}, such as {example}" if example else words, ""


def _text_words(schema: Any, text: str) -> str:
    """What a text field takes, where the value would not fit in quotes either; else nothing."""
    if not isinstance(schema, Mapping):
        return ""
    check, words, example = FORMATS.get(str(schema.get("format")), (None, "", ""))
    shown = _example(schema) or example
    such_as = f", such as {shown}" if shown else ""
    if check is not None and not check(text):
        return f"{words}{such_as}"
    if isinstance(schema.get("enum"), list) and text not in schema["enum"]:
        return f"one of {', '.join(map(str, schema['enum']))}"
    if "pattern" in schema and re.search(str(schema["pattern"]), text) is None:
        return f"{schema.get('x-pattern-words') or 'text'}{such_as}"
    return ""


def _typed(text: str, types: Sequence[str]) -> bool:
    """Whether a quoted text would be of the wanted type without its quotes."""
    try:
        value = scalar(text.strip())
    except ValueError:
        return False
    if isinstance(value, bool):
        return "boolean" in types
    return (isinstance(value, int) and bool({"integer", "number"} & set(types))) or (
        isinstance(value, float) and "number" in types
    )


def _enum(error: Failure, name: str, value: str) -> _Made:
    choices = list(error.validator_value)
    near = nearest(str(error.instance), [str(choice) for choice in choices]) if isinstance(error.instance, str) else ""
    listed = ", ".join(show(choice).strip('"') for choice in choices)
    return "not-allowed", f"{name} is {value}", f"one of {listed}", near


def _const(error: Failure, name: str, value: str) -> _Made:
    return "not-allowed", f"{name} is {value}", show(error.validator_value).strip('"'), ""


def _bound(word: str) -> Callable[[Failure, str, str], _Made]:
    return lambda error, name, value: ("out-of-range", f"{name} is {value}", f"{word} {error.validator_value}", "")


def _count(word: str, what: str) -> Callable[[Failure, str, str], _Made]:
    def made(error: Failure, name: str, _value: str) -> _Made:
        code = "too-long" if what == "characters" and word == "at most" else "out-of-range"
        return code, f"{name} has {len(error.instance)} {what}", f"{word} {error.validator_value}", ""

    return made


def _format(error: Failure, name: str, value: str) -> _Made:
    _check, words, example = FORMATS.get(str(error.validator_value), (None, str(error.validator_value), ""))
    example = _example(error.schema) or example
    return "bad-format", f"{name} is {value}", f"{words}, such as {example}" if example else words, ""


def _pattern(error: Failure, name: str, value: str) -> _Made:
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    words = str(schema.get("x-pattern-words") or "").strip() or f"text of the form {error.validator_value}"
    example = _example(schema)
    return "bad-pattern", f"{name} is {value}", f"{words}, such as {example}" if example else words, ""


def _unique(_error: Failure, name: str, _value: str) -> _Made:
    return "duplicate-item", f"{name} holds an entry twice", "each entry once", ""


def _literal(_error: Failure, name: str, _value: str) -> _Made:
    wanted = "a reference: '{{ secret(\"NAME\") }}', with NAME listed under secrets in reconciler.yaml"
    return "literal-secret", f"{name} is secret, and a value of it is written here", wanted, ""


_SIMPLE: Final[Mapping[str, Callable[[Failure, str, str], _Made]]] = {
    "type": _wrong_type,
    "enum": _enum,
    "const": _const,
    "minimum": _bound("at least"),
    "maximum": _bound("at most"),
    "exclusiveMinimum": _bound("more than"),
    "exclusiveMaximum": _bound("less than"),
    "multipleOf": _bound("a multiple of"),
    "minLength": _count("at least", "characters"),
    "maxLength": _count("at most", "characters"),
    "minItems": _count("at least", "entries"),
    "maxItems": _count("at most", "entries"),
    "minProperties": _count("at least", "fields"),
    "maxProperties": _count("at most", "fields"),
    "format": _format,
    "pattern": _pattern,
    "uniqueItems": _unique,
    "writeOnly": _literal,
}
