"""One inference of the API as a `Live` item: spec without our annotations, phase, outputs. Source: runai §§4, 6, 8."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from reconciler.diff.live import Live
from reconciler.fields import Phase
from reconciler.providers.http import one_line
from reconciler.providers.runai.client import Parts
from reconciler.providers.runai.kinds import COMPANION, INFERENCE, MARKER
from reconciler.providers.runai.replies import seconds

__all__ = ["live_item"]

_RUN_STATES: Final = {"Running": "running", "Stopped": "stopped"}


def live_item(parts: Parts, provider: str) -> Live:
    """Normalised. Tombstones are left out before this."""
    detail, item = parts.detail, parts.item
    live_id, name = str(detail.get("workloadId") or item.get("id")), str(detail.get("name") or "")
    annotations = _list(_mapping(detail.get("spec")).get("annotations"))
    marker = next((str(one.get("value") or "") for one in annotations if one.get("name") == MARKER), "")
    phase, reason = _phase(parts)
    urls = [str(url) for url in item.get("urls") or () if url]
    outputs = {"id": live_id, "name": name, **({"endpoint": urls[0]} if urls else {})}
    return Live(
        kind=INFERENCE,
        provider=provider,
        id=live_id,
        name=name,
        spec=_spec(_mapping(detail.get("spec"))),
        phase=phase,
        status=str(detail.get("actualPhase") or ""),
        reason=one_line(reason),
        marker=marker,
        outputs=outputs,
        created_by=str(detail.get("createdBy") or ""),
        run_state=_RUN_STATES.get(str(detail.get("desiredPhase")), ""),
        created_at=seconds(detail.get("createdAt")),
    )


def _spec(spec: Mapping[str, Any]) -> dict[str, Any]:
    """What the API shows, without our annotations and without what says nothing (null, empty, `exclude: false`)."""
    kept = _told(spec)
    others = [one for one in _list(kept.get("annotations")) if one.get("name") not in {MARKER, COMPANION}]
    kept.pop("annotations", None)
    return {**kept, **({"annotations": others} if others else {})}


def _told(value: Any) -> Any:
    if isinstance(value, Mapping):
        inner = {key: _told(item) for key, item in value.items()}
        return {key: item for key, item in inner.items() if not (_is_empty(item) or (key, item) == ("exclude", False))}
    return [_told(item) for item in value] if isinstance(value, list) else value


def _is_empty(value: Any) -> bool:
    # An empty text stays: an environment variable may be empty, and an entry without a value is refused.
    return value is None or (isinstance(value, list | dict) and not value)


def _phase(parts: Parts) -> tuple[Phase, str]:
    """Our phase and the reason.

    A spec that equals the desired one and `Running` do not prove a roll-out: after its limit it is abandoned, and the
    old revision serves on. The newest revision tells. Source: runai §6.
    """
    desired, actual = (str(parts.detail.get(key) or "") for key in ("desiredPhase", "actualPhase"))
    phase = INFERENCE.phase(actual)
    reason = str(parts.item.get("phaseMessage") or parts.item.get("phaseReason") or "")
    if desired == "Deleted":
        return Phase.GOING, reason
    if (phase, desired) in {(Phase.READY, "Stopped"), (Phase.STOPPED, "Running")}:
        return Phase.PROGRESSING, reason
    revision = parts.revision
    if revision is not None and phase in {Phase.READY, Phase.PROGRESSING}:
        newest = INFERENCE.phase(str(revision.get("phase") or ""))
        if newest is Phase.FAILED:
            why = str(revision.get("phaseMessage") or reason)
            return newest, f"the newest revision failed, an older one serves{f': {why}' if why else ''}"
        if newest is Phase.PROGRESSING:
            return newest, reason
    return phase, reason


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
