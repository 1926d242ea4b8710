"""Which live items may be taken over, which a person means, and what they may be called. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from reconciler.diff.draft import label_of
from reconciler.diff.identity import World, words_of
from reconciler.diff.live import Live
from reconciler.fields import Phase
from reconciler.problems import Problem, nearest
from reconciler.spec.resource import Resource, ResourceRef

__all__ = ["Choice", "choose", "name_all", "place_of", "why_not"]

_LONGEST = 63


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is to be imported; `left_out`: what `--all` passes over, in words, and how many."""

    items: tuple[Live, ...] = ()
    left_out: Mapping[str, int]
    unknown: tuple[Problem, ...] = ()
    """Selectors that mean nothing, or several things."""
    refused: tuple[Problem, ...] = ()
    """What was named and may not be taken over."""


def place_of(item: Live) -> str:
    """How a person may name a live item: provider, kind, and its name, or its id where it has none."""
    return f"{item.provider}/{item.kind.name}/{item.name or item.id}"


def why_not(item: Live, world: World, elsewhere: Mapping[tuple[str, str], str]) -> tuple[str, str]:
    """Why an item may not be taken over: in words that are counted, and in a sentence; both empty when it may.

    `elsewhere`: (kind's label, live id) → which other environment of this project has it in its ledger; not every API
    can mark what is taken over.
    """
    if item.phase in {Phase.GOING, Phase.GONE}:
        return "on the way out", f"it is on its way out ({item.status})"
    if item.untouchable:
        return "out of reach", f"it can't be touched: {item.untouchable}"
    holder, other = world.holder(item), elsewhere.get((item.kind.label, item.id), "")
    if holder:
        return "ours already", f"it is ours already, as {holder}"
    if other:
        return "another environment's", f"it belongs to {other}"
    return ("", "") if not item.marker or item.id in world.released else _marked(item, world)


def _marked(item: Live, world: World) -> tuple[str, str]:
    marker = item.parsed_marker
    if marker is not None and marker.owner in world.our_hashes:
        return "ours already", "it carries our marker, although the ledger does not know it: `ledger rebuild` does that"
    return "another owner's", words_of(marker, world)


def choose(
    items: Iterable[Live],
    world: World,
    selectors: Sequence[str],
    *,
    everything: bool,
    elsewhere: Mapping[tuple[str, str], str] | None = None,
) -> Choice:
    """What was asked for.

    Args:
        items: All that was read, of the providers and kinds that count.
        world: To tell whose they are.
        selectors: Addresses as in `place_of` (with name or id), ids, or names.
        everything: Whatever may be taken over; `selectors` count for nothing.
        elsewhere: As in `why_not`.
    """
    others = elsewhere or {}
    listed = sorted(items, key=lambda item: (place_of(item), item.id))
    if everything:
        counts: dict[str, int] = {}
        chosen = []
        for item in listed:
            group, _ = why_not(item, world, others)
            if group:
                counts[group] = counts.get(group, 0) + 1
            else:
                chosen.append(item)
        return Choice(items=tuple(chosen), left_out=counts)
    found: dict[tuple[str, str, str], Live] = {}
    unknown, refused = [], []
    for text in dict.fromkeys(selectors):
        meant = [item for item in listed if text in _names(item)]
        if len(meant) != 1:
            unknown.append(_several(text, meant) if meant else _nothing(text, listed))
            continue
        (item,) = meant
        _, reason = why_not(item, world, others)
        if reason:
            refused.append(_refusal("import-refused", text, reason, "something that nobody manages"))
        else:
            found[item.provider, item.kind.name, item.id] = item
    return Choice(items=tuple(found.values()), left_out={}, unknown=tuple(unknown), refused=tuple(refused))


def _names(item: Live) -> frozenset[str]:
    known = {name for name in (item.name, item.id, item.outputs.get("name", "")) if name}
    return frozenset(known | {f"{item.provider}/{item.kind.name}/{name}" for name in known})


def _several(text: str, meant: Sequence[Live]) -> Problem:
    one = f"{meant[0].provider}/{meant[0].kind.name}/{meant[0].id}"
    told = ", ".join(f"{place_of(item)} ({item.id})" if item.name else place_of(item) for item in meant)
    expected = f"one of them, such as {one}"
    return Problem(code="import-ambiguous", wrong=f"{text!r} means several: {told}", expected=expected)


def _nothing(text: str, listed: Sequence[Live]) -> Problem:
    known = sorted({name for item in listed for name in _names(item)})
    return Problem(
        code="import-unknown",
        wrong=f"nothing live is {text!r}",
        expected="provider/Kind/name, an id, or a name, as `reconciler list` shows them",
        nearest=nearest(text, known),
    )


def _refusal(code: str, place: str, wrong: str, expected: str) -> Problem:
    return Problem(code=code, address=place, wrong=wrong, expected=expected)


def name_all(
    items: Iterable[Live], spec: Sequence[Resource], *, given: str = "", former: Mapping[str, str] | None = None
) -> tuple[list[tuple[Live, str]], tuple[Problem, ...]]:
    """A name in the spec for each item, unique per provider and kind; or why it can't have one.

    Args:
        items: What is imported.
        spec: What the project desires already: nothing of it is imported again.
        given: The name that a person chose, for a single item.
        former: Live id → address that it had, of what was ours and was let go.
    """
    taken = {resource.address for resource in spec}
    named: list[tuple[Live, str]] = []
    problems: list[Problem] = []
    for item in items:
        twin = _twin(item, spec)
        old = (former or {}).get(item.id, "")
        name = given or (old.rpartition("/")[2] if old.startswith(_scope(item)) else label_of(item))
        if twin is not None:
            wrong = f"the spec has {item.id} already, as {twin.address}"
            expected = f"lifecycle: {{adopt: {item.id}}} there, if it is to be taken over"
            problems.append(_refusal("import-exists", place_of(item), wrong, expected))
            continue
        address = f"{_scope(item)}{name}"
        if address in {resource.address for resource in spec} and (given or item.name):
            wrong = f"the spec has a resource {address} already, which means something else"
            problems.append(_refusal("import-exists", place_of(item), wrong, "another name: --as NAME"))
            continue
        name = _free(item, name, taken)
        taken.add(f"{_scope(item)}{name}")
        named.append((item, name))
    return named, tuple(problems)


def _scope(item: Live) -> str:
    return f"{item.provider}/{item.kind.name}/"


def _twin(item: Live, spec: Iterable[Resource]) -> Resource | None:
    """What the spec has that means this very item."""
    for resource in spec:
        if (resource.ref.provider, resource.ref.kind) != (item.provider, item.kind.name):
            continue
        if resource.lifecycle.adopt == item.id or (item.name and resource.live_name == item.name):
            return resource
    return None


def _free(item: Live, name: str, taken: Collection[str]) -> str:
    number, found = 1, name
    while str(ResourceRef(item.provider, item.kind.name, found)) in taken:
        number += 1
        ending = f"-{number}"
        found = name[: _LONGEST - len(ending)].rstrip("-") + ending
    return found
