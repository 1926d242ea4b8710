"""What every page says of one changed field: both sides, what differs inside, where the new value is from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from reconciler.render.block import after_text, before_text, short_place
from reconciler.render.drift import sides
from reconciler.render.style import Style
from reconciler.render.values import inner_diff, value_text

__all__ = ["Facets", "drift_field", "labels_of", "opened", "plan_field"]

_STYLE: Final = Style()
_CLASSES: Final[Mapping[str, str]] = {
    "pending": "the spec moved",
    "drift": "drifted",
    "both": "drifted, and the spec moved",
    "unknown": "who moved it is unknown",
}
_LONGEST: Final = 160
"""Characters of a value beyond which its line shows a part, and all of it opens on a click."""
_FEW, _MOST_OPEN = 3, 10
"""So many are open from the start: all of a short list, nobody wants to click for them; else those that are loud."""
_MOST_LINES, _MOST_CHARACTERS = 400, 20_000
"""Of a whole value."""


class Facets:
    """What a list can be filtered by: each provider and each label gets a number, in the order of the words."""

    def __init__(self, items: Sequence[Mapping[str, Any]]) -> None:
        """Args: `items`: with `address`, and `labels` where the document has them."""
        self.providers = sorted({_provider(item) for item in items})
        self.labels = sorted({pair for item in items for pair in labels_of(item)})
        self._numbers = {pair: str(number) for number, pair in enumerate(self.labels)}

    def of(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """The numbers of one item: its provider's, and its labels' between blanks."""
        numbers = [self._numbers[pair] for pair in labels_of(item)]
        return {"provider": self.providers.index(_provider(item)), "labels": f" {' '.join(numbers)} "}


def labels_of(item: Mapping[str, Any]) -> list[str]:
    """`name=value`, sorted; a document of an older release has none."""
    return sorted(f"{name}={value}" for name, value in (item.get("labels") or {}).items())


def opened(items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The items of a list, each with whether it is open from the start."""
    loud = sum(item["loud"] for item in items)
    return [{**item, "open": len(items) <= _FEW or (bool(item["loud"]) and loud <= _MOST_OPEN)} for item in items]


def _provider(item: Mapping[str, Any]) -> str:
    return str(item["address"]).partition("/")[0]


def plan_field(field: Mapping[str, Any], *, is_new: bool) -> dict[str, Any]:
    """A field of a plan; something new has no side before, and nobody but the spec can have moved it."""
    inner: tuple[tuple[str, str], ...] = ()
    if not is_new and not field["sensitive"] and field["after_known"]:
        inner = inner_diff(field["before"], field["after"], _STYLE)
    return {
        "path": field["path"],
        "before": "" if is_new else before_text(field, _STYLE),
        "after": after_text(field, _STYLE),
        "verb": "becomes",
        "inner": inner,
        **_more(field, is_new=is_new, sides=("before", "after")),
    }


def drift_field(field: Mapping[str, Any]) -> dict[str, Any]:
    """A field that has drifted: from what was applied to what is there now."""
    is_, was, verb = sides(field, _STYLE)
    inner: tuple[tuple[str, str], ...] = ()
    if not field["sensitive"] and field["after_known"]:
        inner = inner_diff(field["after"], field["before"], _STYLE)
    told = _more(field, is_new=False, sides=("is", "was"))
    return {"path": field["path"], "before": is_, "after": was, "verb": verb, "inner": inner, **told}


def _more(field: Mapping[str, Any], *, is_new: bool, sides: tuple[str, str]) -> dict[str, Any]:
    return {
        "tags": list(_tags(field, is_new=is_new)),
        "notice": field.get("notice") or "",
        "origin": short_place(field["origin"]),
        "chain": [_layer(layer) for layer in field.get("chain") or ()],
        "whole": list(_whole(field, sides)),
    }


def _tags(field: Mapping[str, Any], *, is_new: bool) -> Iterator[tuple[str, str]]:
    """(look, word): dangerous ones first."""
    rule = field.get("rule") or ""
    if field.get("forces_replace"):
        yield "alarm", f"forces replace ({rule})" if rule else "forces replace"
    interruption = field.get("interruption") or "none"
    if interruption != "none":
        yield "warn", str(interruption)
    if field["sensitive"]:
        yield "calm", "secret"
    if not is_new:
        yield "warn" if field["class"] in {"drift", "both"} else "calm", _CLASSES.get(field["class"], field["class"])
    if field["removed"]:
        yield "calm", "taken out of the spec"


def _layer(layer: Mapping[str, Any]) -> str:
    """`file values/prod.yaml:1:11: values.replicas = 3`."""
    value = layer["value"]
    shown = "" if value is None else value if isinstance(value, str) and "{{" in value else value_text(value, _STYLE)
    name = layer["name"] or ""
    stood = f"{name} = {shown}" if name and shown else name or shown
    return f"{layer['layer']} {layer['origin']}{f': {stood}' if stood else ''}"


def _whole(field: Mapping[str, Any], sides: tuple[str, str]) -> Iterator[tuple[str, list[str]]]:
    """(side, lines) of each value that is too long for its line; what is hidden is null, and so never here."""
    for side, value in zip(sides, (field["before"], field["after"]), strict=True):
        if value is None or field["sensitive"]:
            continue
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
        if len(text) > _LONGEST or (isinstance(value, str) and "\n" in value):
            lines = text[:_MOST_CHARACTERS].split("\n")
            cut = len(lines) > _MOST_LINES or len(text) > _MOST_CHARACTERS
            yield side, [*lines[:_MOST_LINES], *(["… (the JSON form has all of it)"] if cut else [])]
