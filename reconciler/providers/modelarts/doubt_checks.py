"""What a server takes and a person should still know of: warnings, which stop nothing. Pending values are skipped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from reconciler.fields import Check, Finding

__all__ = ["NOTEBOOK_DOUBTS", "SERVICE_DOUBTS"]

_MINUTES: Final = {"DAYS": 24 * 60, "HOURS": 60, "MINUTES": 1}
_LONGEST_MINUTES: Final = 7 * 24 * 60
_DEPLOY_SECONDS: Final = range(180, 7201)
_EVENTS: Final = (1, 2, 3, 7, 9, 11)
_TYPES: Final = ("cpu", "gpu")

Document = Mapping[str, Any]


def _long_timer(document: Document, _settings: Mapping[str, Any]) -> Iterator[Finding]:
    """Source: modelarts-services §3.4 Rec, from the v2 API."""
    for index, timer in enumerate(_list(_map(document.get("spec")).get("schedule"))):
        unit, duration = _map(timer).get("time_unit"), _map(timer).get("duration")
        if unit in _MINUTES and isinstance(duration, int) and duration * _MINUTES[unit] > _LONGEST_MINUTES:
            yield Finding(
                code="doubtful-value",
                path=f"schedule[{index}].duration",
                wrong=f"the timer runs for {duration} {unit.lower()}, and the newer API stops at 7 days",
                expected="7 days or less",
                warning=True,
            )


def _unusual_deploy_timeout(document: Document, _settings: Mapping[str, Any]) -> Iterator[Finding]:
    """Source: modelarts-services §3.2, the console's own bounds."""
    for index, element in enumerate(_list(_map(document.get("spec")).get("config"))):
        seconds = _map(element).get("deploy_timeout_in_seconds")
        if isinstance(seconds, int) and seconds not in _DEPLOY_SECONDS:
            yield Finding(
                code="doubtful-value",
                path=f"config[{index}].deploy_timeout_in_seconds",
                wrong=f"deploy_timeout_in_seconds is {seconds}, and the console takes 180 to 7200",
                expected="180 to 7200 seconds",
                warning=True,
            )


def _unknown_events(document: Document, _settings: Mapping[str, Any]) -> Iterator[Finding]:
    """Source: modelarts-services §3.5."""
    properties = _map(_map(document.get("spec")).get("additional_properties"))
    for index, event in enumerate(_list(_map(properties.get("smn_notification")).get("events"))):
        if isinstance(event, int) and event not in _EVENTS:
            yield Finding(
                code="doubtful-value",
                path=f"additional_properties.smn_notification.events[{index}]",
                wrong=f"nothing is documented for the event {event}",
                expected="1 failed, 2 stopped, 3 running, 7 concerning, 9 deleted or 11 pending",
                warning=True,
            )


def _name_without_letter(document: Document, _settings: Mapping[str, Any]) -> Iterator[Finding]:
    """Source: modelarts-services §3.1 Rec: one text of the vendor demands a letter."""
    metadata = _map(document.get("metadata"))
    key = "liveName" if metadata.get("liveName") is not None else "name"
    name = metadata.get(key)
    if isinstance(name, str) and name and not name[0].isalpha():
        yield Finding(
            code="doubtful-value",
            path=f"metadata.{key}",
            wrong=f"the service's name {name!r} does not begin with a letter, as one page of the API demands",
            expected="a name (or liveName) that begins with a letter",
            warning=True,
        )


def _unused_duration(document: Document, _settings: Mapping[str, Any]) -> Iterator[Finding]:
    """Source: modelarts-notebooks §3, inferred."""
    timer = _map(_map(_map(document.get("spec")).get("spec")).get("auto_stop"))
    if timer.get("duration") is not None and timer.get("enable") in (None, False):
        yield Finding(
            code="doubtful-value",
            path="spec.spec.auto_stop.duration",
            wrong="duration counts for nothing while enable is not true",
            expected="enable: true beside it",
            warning=True,
        )


def _reserved_project(document: Document, _settings: Mapping[str, Any]) -> Iterator[Finding]:
    """Source: modelarts-notebooks §3."""
    if _map(_map(document.get("spec")).get("ai_project")).get("id") is not None:
        yield Finding(
            code="doubtful-value",
            path="spec.ai_project.id",
            wrong="ai_project is reserved by the API",
            expected="no ai_project: the server has its own default",
            warning=True,
        )


def _profile_and_flavor(document: Document, _settings: Mapping[str, Any]) -> Iterator[Finding]:
    """A profile for one type of machine on a flavor of another one. Source: modelarts-notebooks §3 (6330), inferred."""
    spec = _map(document.get("spec"))
    profile, flavor = spec.get("profile_id"), spec.get("flavor")
    if not isinstance(profile, str) or not isinstance(flavor, str):
        return
    wanted = next((name for name in _TYPES if profile.endswith(f"-{name}")), "")
    found = next((name for name in _TYPES if f".{name}" in flavor), "")
    if wanted and found and wanted != found:
        yield Finding(
            code="doubtful-value",
            path="spec.flavor",
            wrong=f"the profile {profile!r} is for {wanted.upper()}, and the flavor {flavor} is not",
            expected=f"a flavor of type {wanted.upper()}, or another profile",
            others=("spec.profile_id",),
            warning=True,
        )


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


SERVICE_DOUBTS: Final[tuple[Check, ...]] = (
    _long_timer,
    _unusual_deploy_timeout,
    _unknown_events,
    _name_without_letter,
)
NOTEBOOK_DOUBTS: Final[tuple[Check, ...]] = (_unused_duration, _reserved_project, _profile_and_flavor)
