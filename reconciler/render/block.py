"""One resource of a plan in words: its line, its changed fields, then why, what users notice, cost and calls."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from reconciler.render.money import cost_texts
from reconciler.render.safe import for_terminal
from reconciler.render.style import Style, Tone
from reconciler.render.values import inner_diff, value_text

__all__ = ["LOOKS", "Block", "Line", "Look", "after_text", "before_text", "block", "interruption_text", "short_place"]

_MOST_NEW_FIELDS: Final = 12


@dataclass(frozen=True, slots=True)
class Look:
    """How an action looks: sign, word, its verb in a summary, colour."""

    sign: str
    word: str
    verb: str
    tone: Tone


LOOKS: Final[Mapping[str, Look]] = {
    "blocked": Look("!", "BLOCKED", "blocked", Tone.ALARM),
    "delete": Look("-", "DELETE", "to delete", Tone.DELETE),
    "replace": Look("-/+", "REPLACE", "to replace", Tone.REPLACE),
    "update": Look("~", "update", "to update", Tone.UPDATE),
    "create": Look("+", "create", "to create", Tone.CREATE),
    "adopt": Look("=", "adopt", "to adopt", Tone.ADOPT),
    "unknown": Look("?", "UNKNOWN", "unknown", Tone.ALARM),
    "none": Look("", "none", "unchanged", Tone.DIM),
}
"""Action → how it looks, dangerous ones first: this is the order of every list of changes."""
_CLASSES: Final = {"drift": "drifted", "both": "drifted, and the spec moved"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line below a resource: `mark` is what happens (`+`, `-`, `~`, or a blank), `depth` 0 or 1.

    A line with a `label` is a sentence and may wrap.
    """

    text: str
    mark: str = " "
    label: str = ""
    tone: Tone = Tone.PLAIN
    depth: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One resource: its line, and the lines below it."""

    sign: str
    word: str
    address: str
    extra: str
    tone: Tone
    lines: tuple[Line, ...]


def block(change: Mapping[str, Any], style: Style, as_of: str) -> Block:
    """One change: its line, its changed fields, then why, what users notice, cost and calls.

    `as_of`: where the same reason was told already.
    """
    look = LOOKS[change["action"]]
    lines = (
        *_fields(change, style),
        *_sentences(change, as_of),
        *(Line(label=label, text=text) for label, text in cost_texts(change["cost"], style)),
    )
    return Block(
        sign=look.sign,
        word=look.word,
        address=for_terminal(change["address"]),
        extra=for_terminal(_extra(change)),
        tone=look.tone,
        lines=lines,
    )


def _extra(change: Mapping[str, Any]) -> str:
    """What stands behind the address: how, which live thing, and for a plain create why."""
    parts = []
    if change.get("former_address"):
        parts.append(f"was {change['former_address']}")
    if change["intended"]:
        parts.append(f"would {change['intended']}")
    if change["leftover"]:
        parts.append(f"deletes {change['leftover']}")
    elif change["replace_order"]:
        parts.append("new one first" if change["replace_order"] == "create-first" else "old one goes first")
    if change["run_state"]:
        is_all = change["action"] == "update" and not change["fields"]
        parts.append(f"{'to be' if is_all else 'then'} {change['run_state']}")
    if change["id"]:
        parts.append(f"{'keeps' if change['leftover'] else 'id'} {change['id']}")
    if change["action"] == "create" and change["message"]:
        parts.append(change["message"])
    told_below = change["message"] and change["action"] != "create"
    return ", ".join(parts) + ("" if told_below else f" [{change['reason']}]")


def _fields(change: Mapping[str, Any], style: Style) -> Iterator[Line]:
    fields = change["fields"]
    is_new = "create" in {change["action"], change["intended"]}
    shown = fields[:_MOST_NEW_FIELDS] if is_new and not style.verbose else fields
    if len(fields) == len(shown) + 1:
        shown = fields  # a line that says «1 more» would take as much room
    for field in shown:
        yield from _field(field, change, style, is_new=is_new)
    if len(fields) > len(shown):
        yield Line(text=f"{style.more} {len(fields) - len(shown)} more fields", tone=Tone.DIM)


def _field(field: Mapping[str, Any], change: Mapping[str, Any], style: Style, *, is_new: bool) -> Iterator[Line]:
    path = for_terminal(field["path"])
    mark, tone = _mark(field, is_new=is_new)
    inner: tuple[tuple[str, str], ...] = ()
    if not is_new and not field["sensitive"] and field["after_known"]:
        inner = inner_diff(field["before"], field["after"], style)
    if inner:
        text = f"{path}:"
    elif mark == "+":
        text = f"{path}: {after_text(field, style)}"
    elif mark == "-":
        text = f"{path}: {before_text(field, style)}"
    else:
        text = f"{path}: {before_text(field, style)} {style.arrow} {after_text(field, style)}"
    remarks = _remarks(field, change, style, is_new=is_new)
    if remarks:
        text += f"  # {remarks}"
    yield Line(text=text, mark=mark, tone=Tone.ALARM if field["forces_replace"] else tone)
    for sign, part in inner:
        tones = {"+": Tone.CREATE, "-": Tone.DELETE}
        yield Line(text=f"{style.gutter} {part}".rstrip(), mark=sign, tone=tones.get(sign, Tone.DIM), depth=1)


def _mark(field: Mapping[str, Any], *, is_new: bool) -> tuple[str, Tone]:
    if is_new:
        return "+", Tone.PLAIN
    if field["removed"] and field["after"] is None:
        return "-", Tone.DELETE
    is_added = field["before"] is None and not field["sensitive"]
    return ("+", Tone.CREATE) if is_added else ("~", Tone.UPDATE)


def before_text(field: Mapping[str, Any], style: Style) -> str:
    """What is live, or why it is not shown."""
    if field["sensitive"]:
        return "(secret)"
    return "(not set)" if field["before"] is None else value_text(field["before"], style)


def after_text(field: Mapping[str, Any], style: Style) -> str:
    """What it will be, or why that is not shown."""
    if field["removed"]:
        return "(the default)" if field["after"] is None else f"{value_text(field['after'], style)} (the default)"
    if field["sensitive"]:
        return "(secret)"
    if not field["after_known"]:
        text = for_terminal(field["after_text"] or "")
        return f"(known after apply) {text}".rstrip()
    return "(not set)" if field["after"] is None else value_text(field["after"], style)


def _remarks(field: Mapping[str, Any], change: Mapping[str, Any], style: Style, *, is_new: bool) -> str:
    """Why a field is dangerous or surprising, and where its value was written."""
    parts = []
    rule = for_terminal(field["rule"] or "")
    if field["forces_replace"]:
        parts.append(f"forces replace ({rule})" if rule else "forces replace")
    elif style.verbose and rule:
        parts.append(rule)
    if field["class"] in _CLASSES:
        parts.append(_CLASSES[field["class"]])
    origin = short_place(field["origin"])
    # A new resource's own file stands at its head; only what comes from elsewhere is worth a word.
    if origin and not (is_new and _file(field["origin"]) == _file(change["source"])):
        parts.append(for_terminal(origin))
    return ", ".join(parts)


def _sentences(change: Mapping[str, Any], as_of: str) -> Iterator[Line]:
    if change["message"] and change["action"] != "create":
        why = f"the same as above for {as_of}" if as_of else change["message"]
        yield Line(label="why", text=for_terminal(f"{why} [{change['reason']}]"))
    for candidate in change["candidates"]:
        if not re.search(rf"(?<![\w-]){re.escape(candidate)}(?![\w-])", change["message"]):
            yield Line(label="see", text=for_terminal(candidate))
    # Where nothing is done, nobody notices anything.
    notices = " ".join(map(_sentence, change["notices"])) if change["action"] != "unknown" else ""
    word = interruption_text(change)
    if word != "none":
        sentence = f"{word}. {notices}" if notices else word
        yield Line(label="interruption", text=for_terminal(sentence), tone=Tone.BOLD)
    elif notices:
        yield Line(label="note", text=for_terminal(notices))
    last = change["last_applied"]
    if change["action"] in {"delete", "replace", "blocked"} and last and last["revision"]:
        yield Line(label="last applied", text=for_terminal(f"revision {last['revision'][:12]}, run {last['run']}"))


def _sentence(text: str) -> str:
    """With a capital and a full stop, so that several can stand in a row."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '!', '?')) else '.'}"


def interruption_text(change: Mapping[str, Any]) -> str:
    """What users notice, in a word: something new interrupts nobody, and a delete is no replace."""
    if change["action"] in {"create", "unknown"}:
        return "none"
    is_delete = "delete" in {change["action"], change["intended"]}
    return "gone" if is_delete and change["interruption"] == "replace" else str(change["interruption"])


def short_place(place: str | None) -> str:
    """`values/prod.yaml:12:3` without its column."""
    return place.rpartition(":")[0] if place else ""


def _file(place: str | None) -> str:
    return short_place(place).rpartition(":")[0]
