"""`safety.windows`: when interrupting changes may be made; outside of them they are held back. Pure.

Interrupting is a delete, and whatever interrupts more than a rolling change: users of the live thing notice it. What is
new, and what changes without anybody noticing, goes at any hour.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from reconciler.diff.change import Action, Change
from reconciler.fields import Interruption, ReplaceOrder
from reconciler.problems import Problem
from reconciler.spec.resource import DAYS, Window

__all__ = ["closes_s", "held_by_windows", "hold_windows", "interrupts", "opens_s"]

_DAYS_AHEAD = 15
_MILD = frozenset({Interruption.NONE, Interruption.ROLLING})
_ENDING = frozenset({Action.DELETE, Action.REPLACE})
_SENT = frozenset({Action.UPDATE, Action.ADOPT, *_ENDING})


def interrupts(change: Change) -> bool:
    """Whether somebody who uses the live thing would notice; the left half of a replace that is over is in no use."""
    if change.action not in _SENT or change.leftover is not None:
        return False
    return change.action in _ENDING or change.interruption not in _MILD


def hold_windows(
    changes: Sequence[Change], windows: Sequence[Window], now_s: float, *, ignored: bool
) -> tuple[tuple[Change, ...], tuple[Problem, ...]]:
    """Block what interrupts, unless a window is open now (seconds since the epoch). Without windows all is open.

    Args:
        changes: The plan so far.
        windows: The environment's.
        now_s: Now.
        ignored: Warn of it instead: of what is merely looked at (a preview whose digests are to be reviewed at noon and
            applied at night), or is done by a person's word.
    """
    held = {change.address: change for change in changes if interrupts(change)}
    if not windows or not held or closes_s(windows, now_s):
        return tuple(changes), ()
    where = f"spec.safety.windows, {windows[0].origin}" if windows[0].origin else "spec.safety.windows"
    when = _told(windows, now_s)
    if ignored:
        problem = Problem(
            code="outside-window",
            origin=windows[0].origin,
            wrong=f"no window is open now, and {', '.join(held)} {'interrupt' if len(held) > 1 else 'interrupts'}",
            expected=f"an apply in a window; {when}",
            warning=True,
        )
        return tuple(changes), (problem,)
    return tuple(_held(change, where, when) if change.address in held else change for change in changes), ()


def _held(change: Change, where: str, when: str) -> Change:
    what = "deletes" if change.action is Action.DELETE else f"interrupts ({change.interruption})"
    message = f"it {what}, and no window is open ({where}); {when}; --ignore-windows allows it in this run"
    return dataclasses.replace(
        change, action=Action.BLOCKED, reason="outside-window", message=message, intended=change.action
    )


def held_by_windows(change: Change, op: Action, windows: Sequence[Window], now_s: float) -> str:
    """Why a step may not begin any more, because the window in which it was planned has closed; or empty.

    Of a replace only the half that comes first is held: once begun, it comes to its end.
    """
    if not windows or not interrupts(change) or closes_s(windows, now_s):
        return ""
    first = Action.CREATE if change.replace_order is ReplaceOrder.CREATE_FIRST else Action.DELETE
    if change.action is Action.REPLACE and op is not first:
        return ""
    return f"the window for what interrupts has closed; {_told(windows, now_s)}"


def closes_s(windows: Sequence[Window], now_s: float) -> float:
    """When the last of the windows that are open now closes, in seconds since the epoch; 0 when none is."""
    found = now_s
    for begin, end in sorted(span for window in windows for span in _spans(window, now_s)):
        if begin <= found < end:  # windows that touch are one
            found = end
    return found if found > now_s else 0.0


def opens_s(windows: Sequence[Window], now_s: float) -> float:
    """When the next window opens, in seconds since the epoch."""
    return min(begin for window in windows for begin, _end in _spans(window, now_s) if begin > now_s)


def _told(windows: Sequence[Window], now_s: float) -> str:
    opening = opens_s(windows, now_s)
    window = next(each for each in windows if opening in {begin for begin, _end in _spans(each, now_s)})
    local = dt.datetime.fromtimestamp(opening, ZoneInfo(window.timezone))
    return f"the next one opens {DAYS[local.weekday()].title()} {local:%Y-%m-%d %H:%M} {window.timezone}"


def _spans(window: Window, now_s: float) -> Iterator[tuple[float, float]]:
    """Each time that it is open, from yesterday to two weeks from now, in seconds since the epoch.

    A week later, because one that lies in the hour that a clock leaves out does not open that day.
    """
    zone = ZoneInfo(window.timezone)
    today = dt.datetime.fromtimestamp(now_s, zone).date()
    for offset in range(-1, _DAYS_AHEAD):
        day = today + dt.timedelta(days=offset)
        if DAYS[day.weekday()] in window.days:  # not by `%a`, which a locale translates
            over = window.end <= window.begin
            begin = dt.datetime.combine(day, window.begin, zone).timestamp()
            end = dt.datetime.combine(day + dt.timedelta(days=over), window.end, zone).timestamp()
            if begin < end:
                yield begin, end
