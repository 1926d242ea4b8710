"""A plan from a snapshot: no provider is opened, no ledger, no emulator, and no secret is asked for."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from reconciler.cli.given import named_owners, with_prices
from reconciler.cli.revision import revision_of
from reconciler.cli.selection import selection
from reconciler.diff.live import Applied, Listing
from reconciler.ledger.journal import dump, from_data
from reconciler.plan.cost import PriceList
from reconciler.plan.digest import canonical_json
from reconciler.plan.plan import Options, Plan, PlanInput, make_plan
from reconciler.plan.snapshot import SNAPSHOT_FORMAT, Snapshot, Taken, read_snapshot, snapshot_json
from reconciler.problems import Origin, Problem, Refused, SpecError
from reconciler.providers.registry import all_kinds, provider_types
from reconciler.render.seal import Rows, is_sealed, seal
from reconciler.spec.bulk import uncollected
from reconciler.spec.resource import ProviderConfig, Resource, Spec
from reconciler.spec.values import encode, is_pending

__all__ = ["Offline", "open_snapshot", "place_of", "read_snapshot_file", "sealed"]

_NOT_LOOKED_AT: Final = (
    "templates, machines, clusters and quotas were not looked up, and no call is shown: that takes a provider; values "
    "that may be secrets are not in a snapshot, so that a hand edit of one is not seen"
)
_SKEW_S: Final = 60.0
"""By which the clocks of two runners may differ without a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offline:
    """What `plan --live` works with, in the place of a session."""

    spec: Spec
    root: Path
    snapshot: Snapshot
    max_age_s: float

    def selection(self, labels: str, targets: Iterable[str], provider: str) -> Callable[[str, Mapping[str, str]], bool]:
        """`-l`, `--target` and `--provider` as one question."""
        known = [resource.address for resource in self.spec.resources] + list(self.snapshot.entries)
        return selection(labels, tuple(targets), provider, known, tuple(self.spec.project.providers))

    def plan(self, options: Options) -> Plan:
        """Make the plan, as of the moment of the snapshot."""
        project, snapshot = self.spec.project, self.snapshot
        accounts = {name: snapshot.accounts.get(name) for name in project.providers}
        taken = self._taken(time.time())
        given = PlanInput(
            spec=self.spec,
            entries=snapshot.known(self.spec),
            listings=self._listings(),
            kinds=all_kinds(),
            now_s={"": snapshot.taken_at} | {name: one.now_s for name, one in accounts.items() if one is not None},
            versions={name: str(config.settings.get("version") or "") for name, config in project.providers.items()},
            prices={
                name: with_prices(one.prices if one is not None else PriceList(), project.providers[name])
                for name, one in accounts.items()
            },
            calls=lambda _change: (),
            secret_changed=lambda _name, _stored: None,
            warnings=tuple(self._doubts(taken)),
            open_intents=snapshot.open_intents,
            other_owners=named_owners(project),
            released=snapshot.released,
            trusted=snapshot.trusted,
            revision=revision_of(self.root),
            snapshot=taken,
            notes=(f"made from {_story(taken)}; no provider was asked", _NOT_LOOKED_AT),
        )
        with uncollected():
            return make_plan(given, options)

    def _taken(self, now_s: float) -> Taken:
        age_s = now_s - self.snapshot.taken_at
        age_s = 0.0 if -_SKEW_S < age_s < 0 else age_s
        return Taken(
            taken_at=self.snapshot.taken_at,
            age_s=age_s,
            revision=self.snapshot.revision,
            old=age_s > self.max_age_s,
            elsewhere=any(map(self._is_elsewhere, self.spec.project.providers.values())),
        )

    def _listings(self) -> dict[tuple[str, str], Listing]:
        """The lists of the project's own providers, as far as they are still of the same type."""
        wanted = {
            (name, kind.name): kind
            for name, config in self.spec.project.providers.items()
            for kind in provider_types()[config.type].kinds
        }
        return {key: one for key, one in self.snapshot.listings.items() if wanted.get(key) == one.kind}

    def _is_elsewhere(self, config: ProviderConfig) -> bool:
        """Whether the settings of a provider lead to another account, project or server than the snapshot's."""
        account = self.snapshot.accounts.get(config.name)
        return account is not None and account.place != place_of(config)

    def _doubts(self, taken: Taken) -> Iterable[Problem]:
        for name, config in self.spec.project.providers.items():
            if self._is_elsewhere(config):
                yield Problem(
                    code="snapshot-elsewhere",
                    origin=config.origin,
                    wrong=f"the settings of provider {name} are others than when the snapshot was taken, so what is "
                    "live there may be something else altogether",
                    expected="a plan with credentials, before this is merged",
                    warning=True,
                )
        if taken.old:
            yield Problem(
                code="snapshot-old",
                wrong=f"the plan is made from {_story(taken)}, and much may have changed since",
                expected=f"one of at most {_age_text(self.max_age_s)} (--max-age)",
                warning=True,
            )
        if taken.age_s < 0:
            yield Problem(
                code="snapshot-from-the-future",
                wrong=f"the plan is made from {_story(taken)}: one of two clocks is wrong",
                expected="a snapshot that was taken before now",
                warning=True,
            )


def place_of(config: ProviderConfig) -> str:
    """Stands for the settings of an instance that say where it is and what it reads; of times and prices, nothing."""
    settings = {
        key: encode(value) for key, value in config.settings.items() if isinstance(value, str) or is_pending(value)
    }
    return hashlib.sha256(canonical_json(settings)).hexdigest()[:32]


def open_snapshot(file: str, spec: Spec, root: Path, *, max_age_s: float = math.inf) -> Offline:
    """A snapshot for this project and environment.

    Raises:
        SpecError: `not-a-snapshot`, `snapshot-altered`.
        Refused: `other-snapshot`.
    """
    snapshot = read_snapshot_file(file, _bytes_of(file), spec.resources)
    if snapshot.owner != spec.project.owner:
        raise Refused(
            [
                Problem(
                    code="other-snapshot",
                    wrong=f"{file} is a snapshot of {snapshot.owner}, and this is {spec.project.owner}",
                    expected="a snapshot of this project and environment",
                )
            ]
        )
    return Offline(spec=spec, root=root, snapshot=snapshot, max_age_s=max_age_s)


def _bytes_of(file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise _bad(file, "not-a-snapshot", f"it can't be read: {error.strerror}") from None


def read_snapshot_file(place: str, content: bytes | str, desired: Iterable[Resource] = ()) -> Snapshot:
    """What `snapshot` wrote.

    Args:
        place: Where it stands, for errors.
        content: UTF-8.
        desired: Whose values the snapshot shares where it says the same, for the sake of memory.

    Raises:
        SpecError: `not-a-snapshot`, `snapshot-altered`.
    """
    with uncollected():
        return _read_snapshot(place, content.encode() if isinstance(content, str) else content, desired)


def _read_snapshot(place: str, content: bytes, desired: Iterable[Resource]) -> Snapshot:
    rows: Rows | None = None
    try:
        if is_sealed(content):
            rows = Rows(content)
        data = json.loads(content) if rows is None else rows.data
    except (ValueError, RecursionError):
        raise _bad(place, "not-a-snapshot", "it is no snapshot: it is no JSON") from None
    if not isinstance(data, dict) or data.get("format") != SNAPSHOT_FORMAT:
        raise _bad(place, "not-a-snapshot", f"it is no snapshot of format {SNAPSHOT_FORMAT}")
    if rows is None and seal(data) != data:
        raise _bad(place, "snapshot-altered", "its checksum does not fit its content: it was altered or cut")
    specs = {resource.address: (resource.spec, resource.labels) for resource in desired}
    try:
        found = read_snapshot(data, all_kinds(), partial(from_data, Applied), row=rows or _itself, desired=specs)
    except (ValueError, RecursionError) as error:
        wrong = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise _bad(place, "not-a-snapshot", wrong) from None
    if rows is not None and not rows.is_complete:
        raise _bad(place, "snapshot-altered", "its lines are broken in other places than they were")
    return found


def sealed(snapshot: Snapshot) -> dict[str, Any]:
    """A snapshot as JSON, with its checksum."""
    return seal(snapshot_json(snapshot, lambda entry: json.loads(dump(entry))))


def _itself(row: Any) -> tuple[Any, bool]:
    return row, False


def _bad(place: str, code: str, wrong: str) -> SpecError:
    return SpecError(
        [Problem(code=code, origin=Origin(place), wrong=wrong, expected="a file that `snapshot --out` wrote")]
    )


def _story(taken: Taken) -> str:
    """`a snapshot of 2026-11-28 09:00:00 UTC (revision 0123456789ab), 3 h 20 min old`."""
    when = datetime.fromtimestamp(taken.taken_at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    revision = f" (revision {taken.revision[:12]})" if taken.revision else ""
    age = f"{_age_text(taken.age_s)} old" if taken.age_s >= 0 else f"{_age_text(-taken.age_s)} from now"
    return f"a snapshot of {when}{revision}, {age}"


def _age_text(seconds: float) -> str:
    """The two largest units, such as `2 d 3 h`; `0 s` for nothing."""
    left = round(seconds)
    parts = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"
