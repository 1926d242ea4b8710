"""Stable words for what a run makes up: the id of what is called `llm` is `id-llm`, the next one's is `id-llm-2`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from reconciler.plan.digest import plan_digest
from reconciler.plan.plan import Plan
from reconciler.render import machine

__all__ = ["WHEN", "Words"]

WHEN: Final = 1767225600.0
"""Stands for every time of an apply: 2026-01-01."""
_KEY: Final = re.compile("/infers/([^/]+)/")


@dataclass(slots=True)
class Words:
    """What was made up in one situation, also what is gone since."""

    _known: dict[str, str] = field(default_factory=dict)
    _called: dict[str, int] = field(default_factory=dict)

    def learn(self, state: Mapping[str, Iterable[Mapping[str, Any]]]) -> None:
        """Give a word to what is new in the emulator's state."""
        for items in state.values():
            for item in items:
                name, *made_up = _named(item)
                if made_up[0] not in self._known:
                    number = self._called[name] = self._called.get(name, 0) + 1
                    self._known.update(dict.fromkeys(made_up, f"id-{name}" + (f"-{number}" if number > 1 else "")))

    def filled(self, text: str) -> str:
        """A text of a story or a project, with ids in place of words."""
        ids: dict[str, str] = {}
        for real, word in self._known.items():
            ids.setdefault(word, real)
        found = "|".join(rf"(?<![\w-]){word}(?![\w-])" for word in ids)
        return re.sub(found, lambda match: ids[match[0]], text) if found else text

    def steady(self, data: Mapping[str, Any], plan: Plan) -> dict[str, Any]:
        """A plan, or drift, without what differs from run to run: ids, endpoints, times, digests."""
        digests = {real: hashlib.sha256(address.encode()).hexdigest() for address, real in plan.digests.items()}
        digests[plan.digest] = plan_digest(digests.values())
        digests[plan.spec.digest] = hashlib.sha256(b"spec").hexdigest()
        longest_first = sorted(self._known.items(), key=lambda pair: -len(pair[0]))

        def steady(text: str) -> str:
            text = digests.get(text, text)
            for real, word in longest_first:
                text = text.replace(real, word)
            return re.sub(r"\.tec-s\d\.", ".tec-s1.", text)

        steadied = machine.with_texts(data, steady)
        for change in steadied["changes"] if "changes" in steadied else steadied["resources"]:
            if change["last_applied"]:
                change["last_applied"]["at"] = WHEN
        return machine.seal(steadied) if "checksum" in steadied else steadied


def _named(item: Mapping[str, Any]) -> tuple[str, ...]:
    """What an item is called, its id, and all else by which it goes and that nobody chose."""
    if "Suffix" in item:
        nickname = str((item["Annotations"] or {}).get("nickname", item["Name"]))
        suffix = item["Suffix"]
        return nickname.partition(" ")[0], f"{item['Shard']}/{suffix}", f"{item['Name']}-{suffix}", suffix
    if "service_id" in item:
        key = _KEY.search(item.get("access_address", ""))
        return item["service_name"], item["service_id"], *(key.groups() if key else ())
    return item["name"], item.get("workloadId") or item["id"]
