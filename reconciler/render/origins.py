"""Where values came from, for `compile --explain`: a block a value, a line a layer, the one that counts is marked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from reconciler.render.safe import for_terminal
from reconciler.render.style import Style, Tone
from reconciler.render.values import value_text
from reconciler.spec.document import Layer
from reconciler.spec.trace import Trace
from reconciler.spec.values import encode, is_pending

__all__ = ["ORIGINS_FORMAT", "chain_json", "origins_json", "origins_text"]

ORIGINS_FORMAT: Final = "reconciler-origins/1"

_WORDS: Final = {
    "default": "project's default",
    "written": "written",
    "patch": "patch",
    "values": "project's values",
    "environment": "environment",
    "file": "values file",
    "set": "command line",
    "alias": "alias",
    "merge": "merge key",
    "forEach": "forEach",
}


def origins_json(traces: Iterable[Trace]) -> dict[str, Any]:
    """`reconciler-origins/1`: each value with its layers, oldest first; `origin` is the place of the one that counts.

    Secret literals are null.
    """
    return {
        "format": ORIGINS_FORMAT,
        "values": [
            {
                "address": trace.address or None,
                "path": trace.path,
                "value": None if trace.secret and not _is_reference(trace.value) else trace.value,
                "origin": str(trace.origin),
                "chain": chain_json(trace.layers, hidden=trace.secret),
            }
            for trace in traces
        ],
    }


def chain_json(layers: Sequence[Layer], *, hidden: bool) -> list[dict[str, Any]]:
    """Layers as data. `hidden`: the field is sensitive, so only references are shown of what stood there."""
    return [
        {
            "layer": layer.word,
            "origin": str(layer.origin),
            "name": layer.name or None,
            "value": _shown(layer, hidden=hidden),
        }
        for layer in layers
    ]


def origins_text(traces: Sequence[Trace], style: Style) -> str:
    """One block a value; the layer that counts is marked."""
    return "\n\n".join(_block(trace, style) for trace in traces)


def _block(trace: Trace, style: Style) -> str:
    head = f"{trace.address}  {trace.path}" if trace.address else trace.path
    hidden = trace.secret and not _is_reference(trace.value)
    value = "(secret)" if hidden else _plain(trace.value, style)
    lines = [f"{style.paint(for_terminal(head), Tone.BOLD)} = {value}"]
    words = [_WORDS[layer.word] for layer in trace.layers]
    places = [for_terminal(str(layer.origin)) for layer in trace.layers]
    for layer, word, place in zip(trace.layers, words, places, strict=True):
        counts = layer.origin == trace.origin
        mark = style.arrow if counts else " " * len(style.arrow)
        stood = _stood(layer, style, hidden=trace.secret)
        line = f"{mark} {word:<{max(map(len, words))}}  {place:<{max(map(len, places))}}  {stood}".rstrip()
        lines.append(line if counts else style.paint(line, Tone.DIM))
    return "\n".join(lines)


def _stood(layer: Layer, style: Style, *, hidden: bool) -> str:
    """What stood there: `values.replicas = 2`, or the text with its template."""
    value = _shown(layer, hidden=hidden)
    literal = hidden and layer.value is not None and value is None
    text = "(secret)" if literal else "" if value is None else _plain(value, style)
    name = for_terminal(layer.name)
    return f"{name} = {text}" if name and text else name or text


def _shown(layer: Layer, *, hidden: bool) -> Any:
    if is_pending(layer.value):
        return str(layer.value)
    return None if hidden and not _is_reference(layer.value) else encode(layer.value)


def _is_reference(value: Any) -> bool:
    """Whether it is the text of a template, which tells nothing."""
    return isinstance(value, str) and "{{" in value and "secret(" in value


def _plain(value: Any, style: Style) -> str:
    return for_terminal(value) if isinstance(value, str) and "{{" in value else value_text(value, style)
