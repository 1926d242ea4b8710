"""What a fact about one field may be (`FieldRule`). One meaning per attribute, the same for all providers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

__all__ = ["IN_PLACE", "REPLACE", "UNSET", "Changeable", "FieldRule", "Interruption", "Secret", "Seen", "Unset"]


class Changeable(StrEnum):
    """How a field of a live resource can become another."""

    IN_PLACE = "in-place"
    REPLACE = "replace"


IN_PLACE: Final = Changeable.IN_PLACE
REPLACE: Final = Changeable.REPLACE


class Interruption(StrEnum):
    """What a user of the live resource notices, mildest first."""

    NONE = "none"
    ROLLING = "rolling"
    RESTART = "restart"
    STOP_START = "stop-start"
    REPLACE = "replace"
    DATA_LOSS = "data-loss"


class Seen(StrEnum):
    """Who tells the live value."""

    LIST = "list"
    DETAIL = "detail"
    SOMETIMES = "sometimes"
    """May be missing from a reply although it is set: absent means "can't be verified", not drift."""
    NEVER = "never"


class Secret(StrEnum):
    """Whether a value is confidential."""

    NO = "no"
    BY_REFERENCE = "by-reference"
    """Literals are allowed and shown; values that come from `secret()` are hidden (environment variables)."""
    ALWAYS = "always"
    """`writeOnly` in the schema: only `secret()` may be written, and no value is ever shown."""


class Unset(StrEnum):
    """How a field that was applied goes back to nothing."""

    IN_PLACE = "in-place"
    REPLACE = "replace"
    IMPOSSIBLE = "impossible"


class _Missing:
    """The type of `UNSET`: a default that the server does not fill in. Not the same as `None`."""

    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> bool:
        return False


UNSET: Final = _Missing()


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRule:
    """All that the engine knows of one field of `spec`; a row also speaks for the fields below it that have no row.

    Attributes:
        path: Pattern in `spec`, such as `config[*].weight`.
        change: `IN_PLACE`, or `REPLACE` when only a new resource can have another value. No default on purpose.
        source: Section and tag of the provider's sheet, such as `§6 sdk`: a reader sees what is known or guessed.
        live: Name on the wire where it differs from `path`; for people and tests, the provider does the renaming.
        interruption: What a user notices when it changes in place.
        unset: How it goes back to nothing; default: in place for in-place fields, by replace for the others.
        one_way: Only this direction is in place (`"off->on"`: from absent or false to something); for all fields below
            it, too.
        seen: Who tells the live value. `NEVER`: the last applied value speaks.
        server_set: Never sent nor compared.
        secret: Whether values are hidden.
        default: What the server fills in. Absent live and this value are equal. `UNSET`: nothing.
        default_from: Another path, of the same section, whose value the server takes when this one is not given.
        normalise: Name of a function in `fields.normalise`, applied to both sides before comparing.
        list_key: Key of a list's elements that makes the list a map (order means nothing); several keys joined by `+`.
        left_out_by: Flag of a keyed list's elements that asks for the entry to be absent. No reply shows such an entry:
            its other members are not compared, and one that is live is not left out.
        bounds: Two paths of `spec`: the live value is a count that an autoscaler moves between them; inside is equal.
        instead_of: Another path that says the same thing in other words; of the two, only the written one is compared.
        goes_with: Another path of the spec: where that is set this is too, although no reply tells its value.
        also_live: Further paths of the live spec that may hold the same value in other words; any match is equal.
        reworded: The server may answer in other words and nothing changes this field in place: the last applied value
            speaks first, an equal live one second, and without either the verdict is "can't be verified".
        effective: "at-next-start": a stale live value is no drift while the last applied value equals the desired one.
        since: First API release that has the field; `until`: last one. Empty: always.
        in_place_since: First API release that changes it in place; before it, a change replaces.
        notice: What a user of the resource will notice when this changes, in one short sentence.
    """

    path: str
    change: Changeable
    source: str
    live: str = ""
    interruption: Interruption = Interruption.NONE
    unset: Unset | None = None
    one_way: str = ""
    seen: Seen = Seen.DETAIL
    server_set: bool = False
    secret: Secret = Secret.NO
    default: Any = UNSET
    default_from: str = ""
    normalise: str = ""
    list_key: str = ""
    left_out_by: str = ""
    bounds: tuple[str, str] | None = None
    instead_of: str = ""
    goes_with: str = ""
    also_live: tuple[str, ...] = ()
    reworded: bool = False
    effective: str = ""
    since: str = ""
    until: str = ""
    in_place_since: str = ""
    notice: str = ""

    def changes_in_place(self, version: str) -> bool:
        """Whether an API of this release can change the field on a live resource (`""`: an API without releases)."""
        if self.change is not IN_PLACE:
            return False
        return not self.in_place_since or not version or release(version) >= release(self.in_place_since)

    def unset_way(self, version: str) -> Unset:
        """How the field goes back to nothing on an API of this release."""
        if self.unset is Unset.IN_PLACE and self.change is IN_PLACE and not self.changes_in_place(version):
            return Unset.REPLACE
        if self.unset is not None:
            return self.unset
        return Unset.IN_PLACE if self.changes_in_place(version) else Unset.REPLACE


def release(version: str) -> tuple[int, ...]:
    """`"2.21"` as numbers, so that 2.9 comes before 2.21."""
    return tuple(int(part) for part in version.split(".") if part.isdigit())
