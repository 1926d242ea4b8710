"""What `explain` tells, as data (`reconciler-explain/1`): a field, a setting, a kind, a code, or all that there is.

Everything comes from schema, field table, setting table and registry of codes; nothing is known here of any provider.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from reconciler.codes import Code
from reconciler.fields import IN_PLACE, UNSET, FieldRule, Kind, Secret, Seen, Unset
from reconciler.fields.setting import Setting
from reconciler.spec.describe import Field, Variant
from reconciler.spec.formats import FORMATS
from reconciler.spec.words import TYPE_WORDS

__all__ = [
    "EXPLAIN_FORMAT",
    "code_facts",
    "field_facts",
    "field_line",
    "index_facts",
    "kind_facts",
    "limits_of",
    "setting_facts",
    "setting_line",
    "settings_facts",
    "type_of",
]

EXPLAIN_FORMAT: Final = "reconciler-explain/1"
_MANY: Final = {
    "object": "maps",
    "array": "lists",
    "string": "texts",
    "integer": "whole numbers",
    "number": "numbers",
    "boolean": "true or false",
}
_SETTING_TYPES: Final = {
    "string": "text",
    "url": "an address",
    "uuid": "a UUID",
    "duration": "a time",
    "integer": "a whole number",
    "enum": "text",
    "prices": "a map",
}
_BOUNDS: Final = (
    ("minimum", "maximum", "", ""),
    ("minLength", "maxLength", "character", "characters"),
    ("minItems", "maxItems", "entry", "entries"),
    ("minProperties", "maxProperties", "key", "keys"),
)
_OTHER_LIMITS: Final = {
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
}


def code_facts(code: Code) -> dict[str, Any]:
    """One code."""
    return {
        **_subject("code"),
        "code": code.code,
        "stage": code.stage,
        "meaning": code.meaning,
        "remedy": code.remedy,
        "example": code.example or None,
    }


def index_facts(kinds: Mapping[str, str], codes: Iterable[Code]) -> dict[str, Any]:
    """All that can be explained: kinds (label → title) and codes by stage."""
    stages: dict[str, list[str]] = {}
    for code in codes:
        stages.setdefault(code.stage, []).append(code.code)
    return {
        **_subject("index"),
        "kinds": [{"kind": label, "title": title} for label, title in sorted(kinds.items())],
        "codes": {stage: sorted(found) for stage, found in stages.items()},
    }


def kind_facts(
    label: str, schema: Mapping[str, Any], kind: Kind | None, lines: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """A kind: what a person needs before writing one. `kind`: none for documents that make nothing live."""
    return {
        **_subject("kind"),
        "kind": label,
        "api_version": _const(schema, "apiVersion"),
        "title": kind.title if kind else str(schema.get("title", label)),
        "description": schema.get("description"),
        "identity": _identity(kind) if kind else None,
        "example": dict(kind.example) if kind else None,
        "fields": list(lines),
    }


def field_facts(
    label: str, found: Field, kind: Kind | None, rule: FieldRule | None, lines: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """A field: what the schema says of it, and what the table says (`rule`: the deepest row at or above it)."""
    described = {text: None for variant in found.variants if (text := variant.schema.get("description"))}
    always = found.variants[0].schema.get("description") if found.variants and not found.variants[0].when else None
    words = next(iter(described)) if len(described) == 1 else always
    variants = [_variant(variant, words) for variant in found.variants]
    if kind and variants:
        variants[0] |= _of_kind(kind, str(found.path), variants[0]["limits"])
    return {
        **_subject("field"),
        "kind": label,
        "path": str(found.path),
        "description": words,
        "only": found.only or None,
        "variants": variants,
        "required": found.required is not None,
        "required_when": found.required or None,
        "within": found.within or None,
        "forbidden_when": found.forbidden or None,
        "example": (_first(found, "examples") or [None])[0],
        "sent": kind is not None and found.path.segments[0] == "spec",
        "rule": _rule(rule, kind, own=f"spec.{rule.path}" == str(found.path)) if rule and kind else None,
        "fields": list(lines),
    }


def field_line(name: str, found: Field, rule: FieldRule | None) -> dict[str, Any]:
    """A field in the list of those below another one."""
    types = [words for variant in found.variants if (words := type_of(variant))]
    return {
        "name": name,
        "type": types[0] if types else "any value",
        "required": found.required is not None,
        "required_when": found.required or None,
        "only": found.only or None,
        "description": _first(found, "description"),
        "change": str(rule.change) if rule else None,
        "one_way": rule is not None and bool(rule.one_way),
        "in_place_since": (rule.in_place_since or None) if rule else None,
    }


def setting_facts(where: str, setting: Setting) -> dict[str, Any]:
    """One setting of a provider instance; `where` is the path of the instance."""
    return {
        **_subject("setting"),
        "kind": "reconciler/Project",
        "path": f"{where}.{setting.name}",
        "description": setting.doc,
        "type": _SETTING_TYPES.get(setting.type, setting.type),
        "limits": ["more than nothing"] if setting.positive else [],
        "choices": list(setting.choices),
        "required": setting.required,
        "instead": list(setting.alternatives),
        "needs": list(setting.needs),
        "secret": setting.secret,
        "default": _setting_value(setting, setting.default),
        "emulator_default": _setting_value(setting, setting.emulator_default),
        "example": setting.example or None,
    }


def settings_facts(where: str, title: str, settings: Iterable[Setting]) -> dict[str, Any]:
    """All settings of a provider type."""
    return {
        **_subject("settings"),
        "kind": "reconciler/Project",
        "path": where,
        "description": title,
        "fields": [setting_line(setting) for setting in settings],
    }


def setting_line(setting: Setting) -> dict[str, Any]:
    """A setting in the list of a type's settings."""
    return {
        "name": setting.name,
        "type": _SETTING_TYPES.get(setting.type, setting.type),
        "required": setting.required,
        "required_when": None,
        "only": None,
        "description": setting.doc,
        "change": None,
        "one_way": False,
        "in_place_since": None,
    }


def type_of(variant: Variant) -> str:
    """The type in words: `a whole number`, `a list of maps`; empty where this variant does not say."""
    names = _types(variant.schema)
    inner = [_MANY.get(name, name) for name in _types(variant.entries)]
    if names in (["array"], ["object"]) and inner:
        return f"{TYPE_WORDS[names[0]][0]} of {' or '.join(inner)}"
    return " or ".join(TYPE_WORDS.get(name, (name, ""))[0] for name in names)


def limits_of(schema: Mapping[str, Any]) -> list[str]:
    """What the value may be, in words: `1 to 100`, `not empty`, `a DNS-1123 label`."""
    found = [words for bound in _BOUNDS if (words := _bounds(schema, *bound))]
    found += [words.format(schema[key]) for key, words in _OTHER_LIMITS.items() if key in schema]
    if schema.get("uniqueItems"):
        found.append("each entry once")
    if "pattern" in schema:
        found.append(str(schema.get("x-pattern-words") or f"of the form {schema['pattern']}"))
    if "format" in schema:
        _check, words, example = FORMATS.get(str(schema["format"]), (None, str(schema["format"]), ""))
        found.append(f"{words} such as {example}" if example else words)
    if schema.get("x-numeric-text"):
        found.append("a number in quotes counts too")
    if "propertyNames" in schema:
        found.append(f"each key: {', '.join(limits_of(schema['propertyNames']))}")
    return found


def _bounds(schema: Mapping[str, Any], low: str, high: str, one: str, many: str) -> str:
    least, most = schema.get(low), schema.get(high)
    if least is None and most is None:
        return ""
    if many and least == 1 and most is None:
        return "not empty"
    if least is None or most is None:
        limit = least if most is None else most
        text = f"{'at least' if most is None else 'at most'} {limit}"
    else:
        limit, text = most, f"exactly {most}" if least == most else f"{least} to {most}"
    return f"{text} {one if limit == 1 else many}".strip()


def _variant(variant: Variant, told: str | None) -> dict[str, Any]:
    """`told`: the description that stands above all variants."""
    schema = variant.schema
    words = schema.get("description")
    return {
        "when": variant.when or None,
        "type": type_of(variant) or None,
        "limits": limits_of(schema),
        "choices": _choices(schema),
        "default": schema.get("default"),
        "description": words if words != told else None,
        "entries": {"limits": limits_of(variant.entries), "choices": _choices(variant.entries)},
    }


def _of_kind(kind: Kind, path: str, limits: Sequence[str]) -> dict[str, Any]:
    """What a kind says of fields that all kinds have."""
    defaults = {
        "lifecycle.replace": str(kind.replace),
        "lifecycle.wait.for": str(kind.wait),
        "lifecycle.wait.timeout": f"{kind.timeout_s / 60:g}m",
    }
    rules = {
        "metadata.liveName": kind.live_name.words if kind.live_name else "can't be set: the API gives the name",
        "lifecycle.adopt": kind.live_id.words if kind.live_id else "",
        "lifecycle.replace": "" if kind.replace_orders[1:] else f"of this kind only {kind.replace}",
        "lifecycle.runState": "" if kind.run_states else "can't be set: this kind can't be stopped",
    }
    told = {"default": defaults[path]} if path in defaults else {}
    return {**told, "limits": [*limits, rules[path]]} if rules.get(path) else told


def _rule(rule: FieldRule, kind: Kind, *, own: bool) -> dict[str, Any]:
    """`own`: the row stands at this field. How it changes holds for all below it; default and list key do not."""
    replaced = rule.change is not IN_PLACE
    newest = rule.unset_way("")
    return {
        "row": rule.path,
        "own": own,
        "server_set": rule.server_set,
        "change": str(rule.change),
        "one_way": bool(rule.one_way),
        "in_place_since": rule.in_place_since or None,
        "interruption": kind.replace_interruption if replaced else str(rule.interruption),
        "notice": rule.notice or None,
        "replace": str(kind.replace),
        "replace_notice": kind.replace_notice,
        "replace_interruption": kind.replace_interruption,
        "unset": str(newest),
        "unset_before": str(Unset.REPLACE) if rule.in_place_since and newest is Unset.IN_PLACE else None,
        "seen": str(rule.seen),
        "can_be_verified": rule.seen is not Seen.NEVER and rule.secret is not Secret.ALWAYS,
        "secret": str(rule.secret),
        "default": None if rule.default is UNSET or not own else rule.default,
        "default_from": rule.default_from or None if own else None,
        "list_key": rule.list_key.split("+") if rule.list_key and own else [],
        "bounds": list(rule.bounds or ()) if own else [],
        "instead_of": rule.instead_of or None if own else None,
        "reworded": rule.reworded,
        "effective": rule.effective or None,
        "since": rule.since or None,
        "until": rule.until or None,
        "source": kind.cite(rule.source),
    }


def _identity(kind: Kind) -> dict[str, Any]:
    slot = kind.marker
    return {
        "live_name": kind.live_name.words if kind.live_name else None,
        "live_id": kind.live_id.words if kind.live_id else None,
        "marker": {"carrier": slot.carrier, "suffix_of": slot.suffix_of or None, "room": slot.room or None},
        "replace": str(kind.replace),
        "replace_orders": [str(order) for order in kind.replace_orders],
        "replace_interruption": kind.replace_interruption,
        "replace_notice": kind.replace_notice,
        "delete_notice": kind.delete_notice or None,
        "run_states": list(kind.run_states),
        "wait": {"for": str(kind.wait), "timeout_s": kind.timeout_s, "poll_s": kind.poll_s},
        "serial": kind.serial,
    }


def _subject(what: str) -> dict[str, Any]:
    return {"format": EXPLAIN_FORMAT, "subject": what}


def _first(found: Field, key: str) -> Any:
    return next((variant.schema[key] for variant in found.variants if key in variant.schema), None)


def _types(schema: Mapping[str, Any]) -> list[str]:
    types = schema.get("type", ())
    return [types] if isinstance(types, str) else list(types)


def _choices(schema: Mapping[str, Any]) -> list[Any]:
    return [schema["const"]] if "const" in schema else list(schema.get("enum", ()))


def _const(schema: Mapping[str, Any], name: str) -> str:
    return str(schema.get("properties", {}).get(name, {}).get("const", ""))


def _setting_value(setting: Setting, value: Any) -> Any:
    """A default as a person writes it: times are kept in seconds."""
    if setting.type == "duration" and isinstance(value, int | float):
        return f"{value:g}s"
    return value
