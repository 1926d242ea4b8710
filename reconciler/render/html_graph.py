"""The dependency graph of a plan for a page: which boxes, what they say, and the same as a list of sentences."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from markupsafe import Markup

from reconciler.render.block import LOOKS
from reconciler.render.picture import BOX_HEIGHT, BOX_WIDTH, Box, picture
from reconciler.render.safe import for_terminal

__all__ = ["MOST_ARROWS", "MOST_BOXES", "graph"]

MOST_BOXES: Final = 80
"""Beyond this, only what changes and what that touches directly; still beyond it, no picture."""
MOST_ARROWS: Final = 240
_COLUMNS, _COLUMNS_BELOW = 25, 29
"""Of the name in a box, and of the smaller line below it; a wide character takes two."""


def graph(plan: Mapping[str, Any], numbers: Mapping[str, int]) -> dict[str, Any]:
    """What a page needs of it; `numbers` are those of the changes that the page shows.

    `arrows` holds all edges as (first, then); `picture` is None where there are none, or too many of them.
    """
    arrows = _arrows(plan)
    actions = {change["address"]: change["action"] for change in plan["changes"]}
    shown, is_part = _chosen(arrows, actions)
    boxes = {address for pair in shown for address in pair}
    too_many = len(boxes) > MOST_BOXES or len(shown) > MOST_ARROWS
    return {
        "arrows": arrows,
        "resources": len({address for pair in arrows for address in pair}),
        "alone": len(actions.keys() - {address for pair in arrows for address in pair}),
        "is_part": is_part,
        "too_many": too_many,
        "picture": _drawn(boxes, shown, actions, numbers) if shown and not too_many else None,
    }


def _arrows(plan: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What needs what, as the resources of a saved plan tell, and what waits for what, as the steps do; sorted."""
    found = {
        (str(edge["address"]), str(resource["address"]))
        for resource in plan.get("resources") or ()
        for edge in resource["edges"]
    }
    steps = {step["id"]: step for step in plan["steps"]}
    for step in plan["steps"]:
        for first in (steps[name] for name in step["after"] if name in steps):
            pair = str(first["address"]), str(step["address"])
            # What is deleted last is what the others needed.
            pair = pair[::-1] if step["op"] == "delete" else pair
            if pair not in found and pair[::-1] not in found:
                found.add(pair)
    return sorted(pair for pair in found if pair[0] != pair[1])


def _chosen(arrows: Sequence[tuple[str, str]], actions: Mapping[str, str]) -> tuple[list[tuple[str, str]], bool]:
    """All arrows; where they are of too many boxes, those alone that touch a change."""
    if len({address for pair in arrows for address in pair}) <= MOST_BOXES:
        return list(arrows), False
    return [pair for pair in arrows if pair[0] in actions or pair[1] in actions], True


def _drawn(
    boxes: Iterable[str],
    arrows: Sequence[tuple[str, str]],
    actions: Mapping[str, str],
    numbers: Mapping[str, int],
) -> dict[str, Any]:
    drawn = picture(boxes, arrows)
    return {
        "width": drawn.width,
        "height": drawn.height,
        "box": (BOX_WIDTH, BOX_HEIGHT),
        # Made of whole numbers and letters of ours alone.
        "lines": [Markup(line.path) for line in drawn.lines],  # noqa: S704
        "boxes": [_box(box, actions.get(box.name, ""), numbers.get(box.name)) for box in drawn.boxes],
    }


def _box(box: Box, action: str, number: int | None) -> dict[str, Any]:
    """A resource in the picture; one without an action stays as it is."""
    look = LOOKS[action or "none"]
    word = look.word if action else "unchanged"
    head = f"{look.sign} {word} · ".lstrip()
    kind, _, name = box.name.rpartition("/")
    return {
        "x": box.x,
        "y": box.y,
        "address": box.name,
        "name": _short(name, _COLUMNS),
        "line": head + _short(kind, _COLUMNS_BELOW - len(head)),
        "action": action or "none",
        "word": word,
        "number": number,
    }


def _short(text: str, most: int) -> str:
    """A name with its middle left out, so that it fits its box; the end of a name is what tells it apart."""
    shown = for_terminal(text)
    if _columns(shown) <= most:
        return shown
    head, tail = shown[: most // 2], shown[-(most // 2) :]
    while _columns(head) + _columns(tail) > most - 1:
        head, tail = (head[:-1], tail) if _columns(head) >= _columns(tail) else (head, tail[1:])
    return f"{head}…{tail}"


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1 for character in text)
