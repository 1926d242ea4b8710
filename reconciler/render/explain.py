"""`explain` for a person: what `render.facts` found, in words, wrapped to the terminal (80 columns without one)."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from reconciler.fields import FieldPath
from reconciler.fields.path import EACH
from reconciler.render.safe import for_terminal
from reconciler.render.style import Style, Tone
from reconciler.spec.output import value_yaml

__all__ = ["explain_text"]

_Facts = Mapping[str, Any]
_Lines = Iterator[str]
_WIDTH: Final = 80
_WIDEST: Final = 110
"""Sentences any longer are hard to read, whatever the terminal."""
_LABEL: Final = 14
_INTERRUPTION: Final = {
    "none": "none: users notice nothing",
    "rolling": "rolling: new instances take over from the old ones",
    "restart": "restart: it is away while it starts again",
    "stop-start": "stop-start: it is stopped, changed and started again",
    "replace": "replace: it is away from the delete until the new one is ready",
    "data-loss": "data-loss: what it keeps locally is gone",
}
_CREATE_FIRST: Final = "replace: the new one takes over from the old one"
_CHANGE: Final = {"replace": "replaces the resource", "in-place": "in place"}
_ONE_WAY: Final = "switching it on is in place; every other change replaces the resource"
_THE_APIS: Final = "the API sets it; it is never sent"
_UNSET: Final = {
    "in-place": "in place",
    "replace": "by replacing the resource",
    "impossible": "impossible: once set, the API keeps a value",
}
_SEEN: Final = {
    "list": "shown in the API's list",
    "detail": "shown in the API's detail",
    "sometimes": "shown sometimes: where it is missing it can't be verified, and the last applied value counts",
    "never": "never shown: it can't be verified, and the last applied value counts",
}
_SECRET: Final = {
    "no": "no",
    "by-reference": "a literal is shown; a value from secret() never is",
    "always": "yes: only secret() may be written, and no value is ever shown",
}


def explain_text(facts: _Facts, style: Style) -> str:
    """Any `reconciler-explain/1` as text."""
    tell = {"field": _field, "setting": _setting, "settings": _settings, "kind": _kind, "code": _code, "index": _index}
    return "\n".join(tell[facts["subject"]](facts, style))


def _field(facts: _Facts, style: Style) -> _Lines:
    yield from _head(f"{facts['kind']}.{facts['path']}", facts["description"], style)
    yield from _value_lines(facts, style)
    if facts["example"] is not None:
        yield from _row("example", "", style, block=_example(facts["path"], facts["example"]))
    yield ""
    rule = facts["rule"]
    if rule is not None:
        yield from _rule(rule, style, stays=facts["required"] and not facts["required_when"])
    elif facts["sent"]:
        yield from _row("change", "each field below it tells how it changes", style)
    else:
        yield from _row("change", "read by reconciler; not a field of the API", style)
    yield from _below(facts, style)


def _value_lines(facts: _Facts, style: Style) -> _Lines:
    """Type, limits, when it exists and when it must be written; then what differs under a condition."""
    variants = facts["variants"]
    base = variants[0] if variants and (not variants[0]["when"] or len(variants) == 1) else None
    yield from _row("type", _value(base) if base else "depends, see below" if variants else "any value", style)
    for variant in variants:
        if variant is not base and (words := _value(variant)):
            yield from _row("", f"when {variant['when']}: {words}", style)
    if facts["only"]:
        yield from _row("exists", f"only when {facts['only']}", style)
    if not facts["path"].endswith(EACH):
        yield from _row("required", _required(facts), style)
    if facts["forbidden_when"]:
        yield from _row("not allowed", f"when {facts['forbidden_when']}", style)
    default = _default(base["default"] if base else None, facts["rule"] or {})
    if default:
        yield from _row("default", default, style)


def _value(variant: _Facts) -> str:
    """`text: a, b or c`; `a whole number, 1 to 100`; what an element must be."""
    choices, entries = variant["choices"], variant["entries"]
    kind = variant["type"] or ""
    if len(choices) == 1:
        parts = [kind, f"always {_one(choices[0])}"]
    else:
        parts = [f"{kind or 'one of'}: {_either(choices)}" if choices else kind]
    parts += variant["limits"]
    inner = [_either(entries["choices"]) if entries["choices"] else "", *entries["limits"]]
    if any(inner):
        parts.append(f"each of them {', '.join(filter(None, inner))}")
    if variant["description"]:
        parts.append(variant["description"])
    return ", ".join(filter(None, parts))


def _required(facts: _Facts) -> str:
    if not facts["required"]:
        return "no"
    inside = f", wherever {facts['within']} is written" if facts["within"] else ""
    if facts["required_when"]:
        return f"when {facts['required_when']}{inside}"
    return f"yes{inside}"


def _default(schema: Any, rule: _Facts) -> str:
    value = rule.get("default")
    if rule.get("default_from"):
        return f"the API takes that of {rule['default_from']}" + (f"; else {_one(value)}" if value is not None else "")
    if value is not None:
        return f"{_one(value)}, filled in by the API"
    return "" if schema is None else _one(schema)


def _rule(rule: _Facts, style: Style, *, stays: bool) -> _Lines:
    """What the API does with it; `stays`: it is required, so nobody can take it out."""
    change = _THE_APIS if rule["server_set"] else _ONE_WAY if rule["one_way"] else _CHANGE[rule["change"]]
    if rule["in_place_since"]:
        change += f", since API release {rule['in_place_since']}; before it, a change replaces the resource"
    yield from _row("change", change, style)
    if not rule["server_set"]:
        yield from _notices(rule, style)
        if not stays:
            yield from _row("taken out", _taken_out(rule), style)
    yield from _row("live value", _live(rule), style)
    yield from _row("secret", _SECRET[rule["secret"]], style)
    if rule["list_key"]:
        yield from _row("entries", f"matched by {' + '.join(rule['list_key'])}; their order means nothing", style)
    if rule["instead_of"]:
        yield from _row("instead of", f"{rule['instead_of']}: they say the same; the written one is compared", style)
    if rule["effective"]:
        yield from _row("takes effect", rule["effective"].replace("-", " "), style)
    if rule["since"] or rule["until"]:
        ends = [f"since {rule['since']}" if rule["since"] else "", f"until {rule['until']}" if rule["until"] else ""]
        yield from _row("API releases", " ".join(filter(None, ends)), style)
    stands = "" if rule["own"] else f"  (facts of {rule['row']}, which hold for all below it)"
    yield from _row("source", f"{rule['source']}{stands}", style)


def _taken_out(rule: _Facts) -> str:
    words = _UNSET[rule["unset"]]
    if rule["unset"] == "impossible":
        return words
    if rule["unset_before"]:
        words += f"; before {rule['in_place_since']} {_UNSET[rule['unset_before']]}"
    has_default = rule["default"] is not None or rule["default_from"]
    return f"goes back to {'its default' if has_default else 'nothing'} {words}"


def _notices(rule: _Facts, style: Style) -> _Lines:
    """What interrupts, and what a user of the resource notices; of a change that may also replace, both."""
    words = _interruption(rule, rule["interruption"])
    if rule["one_way"]:
        words += f"; where it replaces: {_interruption(rule, rule['replace_interruption']).partition(': ')[2]}"
    yield from _row("interruption", words, style)
    replaces = rule["change"] == "replace" or rule["one_way"]
    told = _sentences(rule["notice"], rule["replace_notice"] if replaces else None)
    if told:
        yield from _row("you notice", told, style)


def _interruption(rule: _Facts, word: str) -> str:
    if word == "replace" and rule["replace"] == "create-first":
        return _CREATE_FIRST
    return _INTERRUPTION.get(word, word)


def _live(rule: _Facts) -> str:
    if rule["server_set"]:
        return "not compared"
    if rule["secret"] == "always":  # noqa: S105 - a word, no secret
        return "never looked at: a keyed fingerprint of what was applied tells whether it changed"
    words = _SEEN[rule["seen"]]
    if rule["bounds"]:
        words += f"; an autoscaler may move it between {' and '.join(rule['bounds'])}"
    if rule["reworded"]:
        words += "; the API may answer in other words, so the last applied value counts first"
    return words


def _setting(facts: _Facts, style: Style) -> _Lines:
    yield from _head(f"{facts['kind']}.{facts['path']}", facts["description"], style)
    choices = f": {_either(facts['choices'])}" if facts["choices"] else ""
    yield from _row("type", ", ".join([f"{facts['type']}{choices}", *facts["limits"]]), style)
    instead = f", or {' or '.join(facts['instead'])} instead" if facts["instead"] else ""
    yield from _row("required", f"yes{instead} (but for `endpoint: emulator`)" if facts["required"] else "no", style)
    if facts["needs"]:
        yield from _row("goes with", " and ".join(facts["needs"]), style)
    if facts["default"] is not None:
        yield from _row("default", _one(facts["default"]), style)
    if facts["emulator_default"] is not None:
        yield from _row("in emulator", f"{_one(facts['emulator_default'])} by default", style)
    yield from _row("secret", _SECRET["always" if facts["secret"] else "no"], style)
    if facts["example"]:
        name = facts["path"].rpartition(".")[2]
        text = f"'{facts['example']}'" if facts["example"].startswith("{{") else facts["example"]
        yield from _row("example", "", style, block=f"{name}: {text}")


def _settings(facts: _Facts, style: Style) -> _Lines:
    yield from _head(f"{facts['kind']}.{facts['path']}", facts["description"], style)
    yield from _table(facts["fields"], style)
    yield ""
    yield from _more(f"{facts['kind']}.{facts['path']}.{facts['fields'][0]['name']}", style)


def _kind(facts: _Facts, style: Style) -> _Lines:
    yield from _head(f"{facts['kind']}: {facts['title']}", facts["description"], style)
    if facts["api_version"]:
        kind = facts["kind"].rpartition("/")[2]
        yield from _row("written as", f"apiVersion: {facts['api_version']}, kind: {kind}", style)
    if facts["identity"]:
        yield from _identity(facts["identity"], style)
    if facts["example"]:
        yield from _row("example", "", style, block=value_yaml({"spec": facts["example"]}))
    yield from _below(facts, style)
    yield ""
    first = facts["fields"][0]["name"] if facts["fields"] else ""
    yield from _more(f"{facts['kind']}.{'spec.' if first else 'spec'}{first}", style)


def _identity(identity: _Facts, style: Style) -> _Lines:
    name = identity["live_name"] or "can't be set: the API gives the name"
    yield from _row("liveName", name, style)
    slot = identity["marker"]
    carriers = [slot["carrier"]] if slot["carrier"] != slot["suffix_of"] else []
    if slot["suffix_of"]:
        room = f" (at most {slot['room']} characters in all)" if slot["room"] else ""
        carriers.append(f"at the end of {slot['suffix_of']}{room}")
    yield from _row("our marker", f"travels in {' and '.join(carriers)}".replace("in at", "at"), style)
    orders = identity["replace_orders"]
    order = f"{identity['replace']}, or {' or '.join(set(orders) - {identity['replace']})}" if orders[1:] else orders[0]
    yield from _row("a replace", f"{order}: {_sentences(identity['replace_notice'])}", style)
    if identity["delete_notice"]:
        yield from _row("a delete", _sentences(identity["delete_notice"]), style)
    states = identity["run_states"]
    can = f"lifecycle.runState may be {' or '.join(states)}" if states else "can't be stopped by lifecycle.runState"
    yield from _row("run state", can, style)
    wait = identity["wait"]
    words = f"waits until it is {wait['for']}, at most {wait['timeout_s'] / 60:g} minutes"
    one = "; creates go one at a time" if identity["serial"] else ""
    yield from _row("apply", f"{words} (lifecycle.wait changes that){one}", style)


def _code(facts: _Facts, style: Style) -> _Lines:
    yield from _head(f"{facts['code']}  ({facts['stage']})", None, style)
    yield from _row("meaning", facts["meaning"], style)
    yield from _row("what to do", facts["remedy"], style)
    if facts["example"]:
        yield from _row("example", "", style, block=facts["example"])


def _index(facts: _Facts, style: Style) -> _Lines:
    yield style.paint("Kinds", Tone.BOLD)
    width = max(len(one["kind"]) for one in facts["kinds"])
    yield from (f"  {one['kind']:<{width}}  {for_terminal(one['title'])}" for one in facts["kinds"])
    yield ""
    yield style.paint("Codes, by where they arise", Tone.BOLD)
    for stage, codes in facts["codes"].items():
        yield from _wrapped(f"{stage}: {', '.join(codes)}", style, "  ", "    ")
    yield ""
    yield from _wrapped("More: reconciler explain KIND, KIND.FIELD or CODE", style)


def _below(facts: _Facts, style: Style) -> _Lines:
    if facts["fields"]:
        yield ""
        yield from _table(facts["fields"], style)


def _table(fields: Sequence[_Facts], style: Style) -> _Lines:
    """Fields, a line each: name, type, whether required, and how it changes (or, of what is ours, what it is)."""
    rows = [(one["name"], _short(one["type"]), _need(one)) for one in fields]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    yield style.paint("Fields", Tone.BOLD)
    for one, row in zip(fields, rows, strict=True):
        head = "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True) if width)
        words = _changes(one) if one["change"] else _cut(one["description"] or "", _room(style) - len(head) - 4, style)
        yield for_terminal(f"  {head}  {words}".rstrip())
    if any(row[2] == "depends" for row in rows):
        yield style.paint("  depends: required under a condition, which the field's own page tells", Tone.DIM)


def _cut(text: str, room: int, style: Style) -> str:
    """The first sentence, as far as there is room."""
    return textwrap.shorten(text.partition(". ")[0].rstrip("."), max(room, 10), placeholder=style.more)


def _short(words: str) -> str:
    return (
        words.replace("a list of ", "list of ").replace("a map of ", "map of ").removeprefix("a ").removeprefix("an ")
    )


def _need(one: _Facts) -> str:
    if not one["required"]:
        return ""
    return "depends" if one["required_when"] else "required"


def _changes(one: _Facts) -> str:
    since = f" ({one['in_place_since']}+)" if one["in_place_since"] else ""
    return "replaces" if one["change"] == "replace" else f"{'on: ' if one['one_way'] else ''}in place{since}"


def _more(example: str, style: Style) -> _Lines:
    yield style.paint(f"More of a field: reconciler explain {example}", Tone.DIM)


def _head(title: str, description: str | None, style: Style) -> _Lines:
    yield style.paint(for_terminal(title), Tone.BOLD)
    if description:
        yield from _wrapped(description, style)
    yield ""


def _row(label: str, text: str, style: Style, block: str = "") -> _Lines:
    """A label and what belongs to it; `block` is text of several lines that stay as they are."""
    head = f"{label:<{_LABEL}}"
    lines = block.rstrip("\n").splitlines() if block else _wrap(text, _room(style) - _LABEL)
    yield style.paint(head, Tone.DIM) + for_terminal(lines[0])
    yield from (" " * _LABEL + for_terminal(line) for line in lines[1:])


def _wrapped(text: str, style: Style, first: str = "", rest: str = "") -> _Lines:
    lines = _wrap(text, _room(style) - len(rest))
    yield from (for_terminal(f"{rest if number else first}{line}") for number, line in enumerate(lines))


def _wrap(text: str, room: int) -> list[str]:
    """Lines that can be copied: no word, option or address is cut in two."""
    return textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False) or [""]


def _room(style: Style) -> int:
    return max(_LABEL + 20, min(style.width or _WIDTH, _WIDEST))


def _sentences(*texts: str | None) -> str:
    """Notices of tables, each as a sentence."""
    return " ".join(f"{text[:1].upper()}{text[1:].rstrip('.')}." for text in texts if text)


def _either(choices: Sequence[Any]) -> str:
    words = [_one(choice) for choice in choices]
    return f"{', '.join(words[:-1])} or {words[-1]}" if words[1:] else words[0]


def _one(value: Any) -> str:
    """A value in a line of YAML."""
    if isinstance(value, str):
        return value_yaml(value).rstrip("\n")
    return value_yaml(value, flow=True).rstrip("\n")


def _example(path: str, value: Any) -> str:
    """The example at its place in a document."""
    for part in reversed(FieldPath.parse(path).segments):
        value = [value] if part == EACH else {part: value}
    return value_yaml(value)
