"""A kind's field table as a tree, for those who go down a spec and want no path for every value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.fields.path import EACH, FieldPath
from reconciler.fields.rule import FieldRule, Seen

__all__ = ["RuleTree"]


class RuleTree:
    """One place of a spec.

    Attributes:
        decides: Whether a live value that equals the desired one settles the matter: the API shows this field in the
            spec's own words, and no autoscaler moves it.
        list_key: The fields by which the entries of this list are known; empty: it is a value as a whole.
        below: The places below that are known; `child` knows them all.
        left_out_by: Of an entry of this list, the flag that says that it is not there.
        whole: A map here is a value as a whole.
    """

    __slots__ = ("_inherited", "below", "decides", "left_out_by", "list_key", "whole")

    def __init__(self, rule: FieldRule | None, *, inherited: bool) -> None:
        self._inherited = inherited if rule is None else _is_shown(rule)
        self.decides = self._inherited and (rule is None or rule.bounds is None)
        self.list_key = tuple(rule.list_key.split("+")) if rule is not None and rule.list_key else ()
        self.left_out_by = rule.left_out_by if rule is not None else ""
        self.whole = rule is not None and bool(rule.normalise)
        self.below: dict[str, RuleTree] = {}

    @classmethod
    def of(cls, rules: Mapping[FieldPath, FieldRule], hidden: Iterable[str] = ()) -> RuleTree:
        """The root of a table; at the `hidden` paths and below them, no live value settles anything."""
        root = cls(None, inherited=True)
        for path, rule in sorted(rules.items(), key=lambda pair: len(pair[0])):
            root._put(path.segments, rule)
        for text in hidden:
            root._hide(FieldPath.parse(text).pattern.segments)
        return root

    def _hide(self, segments: Iterable[str]) -> None:
        here = self
        for segment in segments:
            here = here.child(segment)
        here.decides = here._inherited = False  # noqa: SLF001 - of its own class
        for key in list(here.below):
            here._hide((key,))  # noqa: SLF001 - the same

    def _put(self, segments: Iterable[str], rule: FieldRule) -> None:
        *above, last = segments
        here = self
        for segment in above:
            here = here.child(segment)
        here.below[last] = RuleTree(rule, inherited=here._inherited)  # noqa: SLF001 - of its own class

    def child(self, key: str) -> RuleTree:
        """The place below by this key; `[*]` is any entry of a list."""
        found = self.below.get(key)
        if found is None:
            found = RuleTree(None, inherited=self._inherited)
            if len(self.below) < _MOST:
                self.below[key] = found
        return found

    @property
    def each(self) -> RuleTree:
        """Any entry of a list."""
        return self.child(EACH)


_MOST = 4096
"""Keys that are remembered at one place: a user's own names stand there, too."""


def _is_shown(rule: FieldRule) -> bool:
    return rule.seen is not Seen.NEVER and not rule.reworded
