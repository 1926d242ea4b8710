"""A line of `list`: one live thing, whoever it belongs to."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ListRow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRow:
    """One live thing. Of others', only what identifies it is filled in.

    Attributes:
        provider, kind: Provider instance and kind name (`theta`, `Deployment`).
        name, id: The API's own; `name` is empty for kinds without one.
        status, phase: The provider's word, and ours (`fields.Phase`).
        owner: Who answers for it: an owner's name (`shop/dev`), `other (hash)`, or `unmanaged`.
        address: Our address, if it is ours.
        endpoint: Where it answers, if it does.
    """

    provider: str
    kind: str
    name: str
    id: str
    status: str
    phase: str
    owner: str
    address: str = ""
    endpoint: str = ""
