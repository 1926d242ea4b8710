"""Live state and ledger as one file (`reconciler-snapshot/1`), for plans without credentials. Pure. Source: DESIGN §5.

Of ours it holds all that a plan needs, but for secrets and fingerprints; of others the kind and the name alone: enough
for a conflict, and nothing that is theirs.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from reconciler.diff.change import Action, Change
from reconciler.diff.claims import addresses
from reconciler.diff.live import Applied, Listing, Live, Verdict
from reconciler.fields import Kind, Phase
from reconciler.plan.cost import PriceList
from reconciler.spec.alike import shared
from reconciler.spec.resource import Spec
from reconciler.spec.values import decode, encode

__all__ = [
    "SNAPSHOT_FORMAT",
    "Account",
    "Snapshot",
    "Taken",
    "read_snapshot",
    "snapshot_json",
    "told_offline",
]

SNAPSHOT_FORMAT: Final = "reconciler-snapshot/1"
_YEAR_9999_S: Final = 253_402_300_800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a plan needs of one provider instance beside its lists.

    Attributes:
        type: Provider type.
        version: API release, or empty.
        place: Stands for the settings that say which account it is.
        now_s: Its own time when the snapshot was taken, in seconds since the epoch.
        prices: Its own prices and GPUs, without those of the project.
    """

    type: str
    version: str = ""
    place: str = ""
    now_s: float
    prices: PriceList = field(default_factory=PriceList)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What was live and known at one moment. An item without id is somebody else's.

    Attributes:
        owner, environment, revision: Whose it is, and of which Git revision the spec was (either may be empty).
        taken_at: Seconds since the epoch.
        accounts: Provider instance → what is known of it.
        listings: (provider instance, kind name) → list, verdict and message included.
        entries: The ledger, by address, without fingerprints.
        masked: Address → top-level fields of its last applied spec that were left out, because a secret's value stood
            there as a literal.
        open_intents: Address → what an earlier run left open there, in words.
        released, trusted: As in `PlanInput`.
    """

    owner: str
    environment: str = ""
    revision: str = ""
    taken_at: float
    accounts: Mapping[str, Account]
    listings: Mapping[tuple[str, str], Listing]
    entries: Mapping[str, Applied]
    masked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    open_intents: Mapping[str, str] = field(default_factory=dict)
    released: frozenset[str] = frozenset()
    trusted: frozenset[str] = frozenset()

    def known(self, spec: Spec) -> dict[str, Applied]:
        """The ledger's entries, for a plan of this spec: of a field that was left out, nothing is claimed."""
        result = dict(self.entries)
        desired = {address: one.spec for one in spec.resources for address in reversed(addresses(one))}
        for address, keys in self.masked.items():
            wanted = desired.get(address, {})
            filled = {key: wanted[key] for key in keys if key in wanted}
            result[address] = dataclasses.replace(result[address], spec={**result[address].spec, **filled})
        return result


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Of which moment a plan is that was made from a snapshot; `age_s` is below 0 when its clock was ahead of ours."""

    taken_at: float
    age_s: float
    revision: str = ""
    old: bool = False
    elsewhere: bool = False
    """Whether the spec leads to another account than the snapshot: then nobody knows what is live there."""

    def as_json(self) -> dict[str, Any]:
        """`snapshot` of a plan's JSON."""
        return {
            "taken_at": self.taken_at,
            "age_s": round(self.age_s, 3),
            "revision": self.revision or None,
            "old": self.old,
            "elsewhere": self.elsewhere,
        }


# -- as JSON ----------------------------------------------------------------------------------------------------------


def snapshot_json(snapshot: Snapshot, dump: Callable[[Applied], Mapping[str, Any]]) -> dict[str, Any]:
    """A snapshot as `reconciler-snapshot/1`; `dump` is the ledger's own way to write a row."""
    return {
        "format": SNAPSHOT_FORMAT,
        "owner": snapshot.owner,
        "environment": snapshot.environment or None,
        "revision": snapshot.revision or None,
        "taken_at": snapshot.taken_at,
        "providers": [_account_json(name, snapshot.accounts[name]) for name in sorted(snapshot.accounts)],
        "listings": [_listing_json(snapshot.listings[key]) for key in sorted(snapshot.listings)],
        "entries": [
            {key: value for key, value in dump(snapshot.entries[address]).items() if key != "fingerprints"}
            | {"masked": list(snapshot.masked.get(address, ()))}
            for address in sorted(snapshot.entries)
        ],
        "open": [{"address": key, "message": snapshot.open_intents[key]} for key in sorted(snapshot.open_intents)],
        "released": sorted(snapshot.released),
        "trusted": sorted(snapshot.trusted),
    }


def _account_json(name: str, account: Account) -> dict[str, Any]:
    prices = account.prices
    return {
        "name": name,
        "type": account.type,
        "version": account.version or None,
        "place": account.place,
        "now": account.now_s,
        "unit": prices.unit or None,
        "prices": {item: str(prices.per_hour[item]) for item in sorted(prices.per_hour)},
        "gpus": {item: prices.gpus[item] for item in sorted(prices.gpus)},
    }


def _listing_json(listing: Listing) -> dict[str, Any]:
    return {
        "provider": listing.provider,
        "kind": listing.kind.label,
        "verdict": str(listing.verdict),
        "message": listing.message,
        "notes": list(listing.notes),
        "ours": [_live_json(item) for item in listing.items if item.id],
        "others": [item.name for item in listing.items if not item.id],
    }


_TEXTS: Final = ("id", "name", "status", "reason", "marker", "untouchable", "run_state")


def _live_json(item: Live) -> dict[str, Any]:
    return {
        **{key: getattr(item, key) for key in _TEXTS},
        "phase": str(item.phase),
        "marker_readable": item.marker_readable,
        "created_at": item.created_at,
        "outputs": dict(sorted(item.outputs.items())),
        "spec": encode(item.spec),
        "hidden": sorted(item.hidden),
        "defaults": encode(item.defaults),
    }


def read_snapshot(
    data: Mapping[str, Any],
    kinds: Mapping[str, Kind],
    load: Callable[..., Applied],
    *,
    row: Callable[[Any], tuple[Any, bool]],
    desired: Mapping[str, tuple[Mapping[str, Any], Mapping[str, str]]],
) -> Snapshot:
    """What `snapshot_json` wrote. Lists of kinds that this release does not know are left out.

    Args:
        data: The JSON, its checksum looked at already.
        kinds: `type/Kind` → kind.
        load: The ledger's own way to read a row, but for its `spec` and `labels`, which it is given; `plain`: nothing
            in it is encoded.
        row: What stands for a row in `data` → the row, and whether nothing in it is encoded.
        desired: Address → spec and labels that are held anyway, and shared where the snapshot says the same.

    Raises:
        ValueError: it is no snapshot of this format, in words.
    """
    if data.get("format") != SNAPSHOT_FORMAT:
        raise ValueError(f"it is no snapshot of format {SNAPSHOT_FORMAT}")
    try:
        entries: dict[str, Applied] = {}
        masked: dict[str, tuple[str, ...]] = {}
        wanted: dict[str, Any] = {}
        for each in data["entries"]:
            written, plain = row(each)
            address = written["address"]
            spec, labels = desired.get(address, ({}, {}))
            given, marked = written.get("spec", {}), written.get("labels", {})
            spec = shared(given if plain else decode(given), spec)
            labels = shared(marked if plain else decode(marked), labels)
            entries[address] = load(written, plain=plain, spec=spec, labels=labels)
            wanted[written["live_id"]] = spec
            if written["masked"]:
                masked[address] = tuple(written["masked"])
        listings = []
        for one, _ in map(row, data["listings"]):
            if one["kind"] in kinds:
                listings.append(_listing(one, kinds[one["kind"]], row, wanted))
            else:
                deque(map(row, one["ours"]), maxlen=0)  # nobody else reads them
        return Snapshot(
            owner=str(data["owner"]),
            environment=data["environment"] or "",
            revision=data["revision"] or "",
            taken_at=_moment(data["taken_at"]),
            accounts={one["name"]: _account(one) for one, _ in map(row, data["providers"])},
            listings={(one.provider, one.kind.name): one for one in listings},
            entries=entries,
            masked=masked,
            open_intents={one["address"]: one["message"] for one, _ in map(row, data["open"])},
            released=frozenset(data["released"]),
            trusted=frozenset(data["trusted"]),
        )
    except (LookupError, TypeError, ValueError, AttributeError, InvalidOperation) as error:
        raise ValueError(f"it is damaged: {type(error).__name__} in its content") from None


def _moment(value: Any) -> float:
    moment = float(value)
    if not 0 <= moment < _YEAR_9999_S:
        raise ValueError
    return moment


def _account(data: Mapping[str, Any]) -> Account:
    prices = PriceList(
        unit=data["unit"] or "",
        per_hour={item: Decimal(price) for item, price in data["prices"].items()},
        gpus={item: int(count) for item, count in data["gpus"].items()},
    )
    return Account(
        type=data["type"],
        version=data["version"] or "",
        place=data["place"],
        now_s=_moment(data["now"]),
        prices=prices,
    )


def _listing(
    data: Mapping[str, Any], kind: Kind, row: Callable[[Any], tuple[Any, bool]], wanted: Mapping[str, Any]
) -> Listing:
    provider = str(data["provider"])
    others = (Live(kind=kind, provider=provider, id="", name=str(name)) for name in data["others"])
    return Listing(
        provider=provider,
        kind=kind,
        items=(*(_live(item, kind, provider, wanted, plain=plain) for item, plain in map(row, data["ours"])), *others),
        verdict=Verdict(data["verdict"]),
        message=data["message"],
        notes=tuple(data["notes"]),
    )


def _live(data: Mapping[str, Any], kind: Kind, provider: str, wanted: Mapping[str, Any], *, plain: bool) -> Live:
    return Live(
        kind=kind,
        provider=provider,
        **{key: str(data[key]) for key in _TEXTS},
        phase=Phase(data["phase"]),
        marker_readable=bool(data["marker_readable"]),
        created_at=float(data["created_at"]),
        outputs=dict(data["outputs"]),
        spec=shared(data["spec"] if plain else decode(data["spec"]), wanted.get(data["id"])),
        hidden=frozenset(data["hidden"]),
        defaults=decode(data["defaults"]),
    )


# -- in a plan --------------------------------------------------------------------------------------------------------


def told_offline(change: Change, *, listed: bool) -> Change:
    """A verdict in the words of a snapshot, which may not know the provider, and never knows others' ids."""
    if not listed:
        name = change.address.partition("/")[0]
        message = f"the snapshot knows no provider {name} of this type, so nobody can tell what is live there"
        return dataclasses.replace(change, reason="not-in-snapshot", message=message)
    if change.reason == "adopt-not-found" and change.desired is not None:
        message = (
            f"lifecycle.adopt names {change.desired.lifecycle.adopt}, and a snapshot holds no ids but ours; "
            "a plan with credentials can tell"
        )
        return dataclasses.replace(change, action=Action.UNKNOWN, reason="not-in-snapshot", message=message)
    if change.reason == "conflict" and change.candidates == ("",) and change.desired is not None:
        message = (
            f"a {change.kind.title} named {change.desired.live_name!r} exists that is not ours; whose it is, and under "
            "which id, a snapshot does not tell"
        )
        return dataclasses.replace(change, message=message, candidates=())
    return change
