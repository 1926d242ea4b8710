"""What was reviewed (`apply FILE`, `--expect DIGEST|FILE`): does a plan hold anything else? Source: DESIGN §5."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from reconciler.cli.show import not_a_plan, read_plan_file
from reconciler.diff.change import Action
from reconciler.github.reviewed import REVIEWED_FORMAT
from reconciler.ledger.journal import Run
from reconciler.plan.plan import Plan
from reconciler.problems import Problem, Refused
from reconciler.render import machine

__all__ = ["Expected", "read_expected"]

_KEPT: Final = 32
"""Hexadecimal digits of a digest by which it is known again: 128 bits, which nobody can meet on purpose."""
_UNSENT: Final = (Action.BLOCKED, Action.UNKNOWN)
"""What `--partial` leaves out needs nobody's review."""
_DIGEST: Final = re.compile(rf"[0-9a-f]{{{_KEPT},64}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The sets of changes that were reviewed.

    Attributes:
        digests: Beginnings of the digests of changes and whole plans.
        changes: Address → its change, where a plan file has it in full.
        owners: File → whom it was made for.
        strange: What `--expect` names that is neither a file nor a digest: no change is in it.
        once: Whether a set that was carried out completely is refused when it is used again: a saved plan is; what
            was reviewed on pull requests is looked up anew by each run.
        spec_digest, revision: Of the plan file that is to be applied; empty when there is none.
    """

    digests: frozenset[str]
    changes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)
    strange: tuple[str, ...] = ()
    once: bool = True
    spec_digest: str = ""
    revision: str = ""

    def check_owner(self, owner: str) -> None:
        """All of it must have been made for this project and environment.

        Raises:
            Refused: `other-owner`.
        """
        for name, theirs in self.owners.items():
            if theirs != owner:
                raise _refused(
                    "other-owner",
                    f"{name} is a plan for {theirs}, and this is {owner}",
                    "a plan of this project and environment",
                )

    def check_spec(self, spec_digest: str) -> None:
        """A plan file is applied with the spec that it was made from.

        Raises:
            Refused: `other-spec`.
        """
        if self.spec_digest and self.spec_digest != spec_digest:
            made = f" at revision {self.revision}" if self.revision else ""
            raise _refused(
                "other-spec",
                f"the plan was made{made} from spec {self.spec_digest[:12]}, and here is spec {spec_digest[:12]}",
                "the spec of the plan, or a new plan",
            )

    def check(self, plan: Plan, runs: Iterable[Run]) -> None:
        """Every change that is about to be made must be in a reviewed set.

        Raises:
            Refused: `unexpected-change`, naming what differs; `already-applied`.
        """
        unsent = {one.address for action in _UNSENT for one in plan.with_action(action)}
        todo = {address: digest for address, digest in plan.digests.items() if address not in unsent}
        if not self._holds(plan.digest):
            surprises = sorted(address for address, digest in todo.items() if not self._holds(digest))
            if surprises:
                raise _refused(
                    "unexpected-change",
                    "; ".join(
                        [
                            *(f"--expect {item} is neither a file nor a digest" for item in self.strange),
                            "what is to be done is not what was reviewed: " + self._surprise(surprises[0], plan),
                            *(self._surprise(address, plan) for address in surprises[1:]),
                        ]
                    ),
                    f"the plan that was reviewed; plan again, or review this one: digest {plan.digest}",
                )
        used = any(self._holds(digest) for run in runs for digest in (run.plan_digest, *run.changes))
        if not todo and self.once and used:
            raise _refused("already-applied", "this plan was applied already, and nothing is left to do", "a new plan")

    def _holds(self, digest: str) -> bool:
        return digest[:_KEPT] in self.digests

    def _surprise(self, address: str, plan: Plan) -> str:
        """What differs between a reviewed change and the same one now; paths and ids only, never a value."""
        before = self.changes.get(address)
        if before is None:
            return f"{address} is in no reviewed plan" if self.changes else f"{address} was not reviewed as it is now"
        now = next(item for item in machine.plan_json(plan)["changes"] if item["address"] == address)
        if (before["action"], before["id"]) != (now["action"], now["id"]):
            was, now_is = (f"{one['action']} {one['id'] or ''}".rstrip() for one in (before, now))
            return f"{address} was {was} and is {now_is}"
        sides = [
            {item["path"]: (item["before"], item["after"]) for item in change["fields"]} for change in (before, now)
        ]
        moved = sorted(path for path in {*sides[0], *sides[1]} if sides[0].get(path) != sides[1].get(path))
        return f"{address} has moved since ({', '.join(moved) or 'its spec or lifecycle'})"


def read_expected(file: str | None, items: Iterable[str]) -> Expected | None:
    """Read the plan file that is to be applied, if any, and what `--expect` names; `None` when nothing is expected.

    Raises:
        SpecError: `not-a-plan`.
        Refused: `plan-altered`, `offline-plan`.
    """
    digests: set[str] = set()
    changes: dict[str, Mapping[str, Any]] = {}
    owners: dict[str, str] = {}
    strange: list[str] = []
    once, spec_digest, revision = True, "", ""
    named = [*([file] if file else []), *items]
    for item in named:
        if os.path.exists(item):  # noqa: PTH110 - a digest or a path, as text
            data = _read(item)
            owners[item] = data["owner"]
            if data["format"] == REVIEWED_FORMAT:
                once = False
                digests |= {digest for one in data["sets"] for digest in (one["digest"], *one["changes"])}
                continue
            digests |= {data["digest"], *(change["digest"] for change in data["changes"] if change["digest"])}
            changes |= {change["address"]: change for change in data["changes"]}
            if item == file:
                spec_digest, revision = data["spec_digest"], data["revision"] or ""
        else:
            digests.add(item)
            strange += [] if _DIGEST.fullmatch(item) else [item]
    if not named:
        return None
    return Expected(
        digests=frozenset(digest[:_KEPT] for digest in digests),
        changes=changes,
        owners=owners,
        strange=tuple(strange),
        once=once,
        spec_digest=spec_digest,
        revision=revision,
    )


def _read(file: str) -> Mapping[str, Any]:
    """A saved plan of what is live, or what `github reviewed` wrote."""
    reviewed = _reviewed(file)
    if reviewed is not None:
        return reviewed
    data = read_plan_file(file)
    if data.get("snapshot") is not None:
        raise _refused(
            "offline-plan",
            f"{file} was made from a snapshot, and what was live then is not what is live now",
            "a plan of what is live, without --live",
        )
    return data


def _reviewed(file: str) -> Mapping[str, Any] | None:
    try:
        data = json.loads(Path(file).read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(data, dict) or data.get("format") != REVIEWED_FORMAT:
        return None
    found = data.get("sets")
    sets = found if isinstance(found, list) else [None]
    if not isinstance(data.get("owner"), str) or not all(_is_set(one) for one in sets):
        raise not_a_plan(file, "it is damaged: what was reviewed can't be read from it")
    return data


def _is_set(one: object) -> bool:
    if not isinstance(one, dict) or not isinstance(one.get("changes"), list):
        return False
    return all(isinstance(text, str) and _DIGEST.fullmatch(text) for text in (one.get("digest"), *one["changes"]))


def _refused(code: str, wrong: str, expected: str) -> Refused:
    return Refused([Problem(code=code, wrong=wrong, expected=expected)])
