"""Plans, reports, lists and problems as JSON. The other renderers read this form, so that all of them tell one story.

This is also the one place where a secret is stopped: a sensitive field leaves it without any value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from reconciler.diff.change import Action, Call, Change, FieldChange
from reconciler.diff.metrics import Metrics
from reconciler.plan.digest import lifecycle_data
from reconciler.plan.order import Step
from reconciler.plan.outcome import Outcome, Report
from reconciler.plan.plan import Plan
from reconciler.problems import Problem
from reconciler.render.metrics import metrics_json
from reconciler.render.money import cost_json, totals_json
from reconciler.render.origins import chain_json
from reconciler.render.problems import place_json, problem_json
from reconciler.render.rows import ListRow
from reconciler.render.seal import PLAN_FORMAT, dump, is_intact, seal, with_texts
from reconciler.spec.resource import Resource
from reconciler.spec.values import encode

__all__ = [
    "IN_SPEC",
    "PLAN_FORMAT",
    "dump",
    "field_json",
    "is_intact",
    "labels_json",
    "last_applied_json",
    "list_json",
    "outputs_json",
    "plan_file",
    "plan_json",
    "plan_picture",
    "report_json",
    "seal",
    "with_texts",
]


IN_SPEC: Final = frozenset({"in-sync", "has-failed"})
"""Reasons of `none` for something that is desired; what has any other one has left the spec."""


# -- plan -----------------------------------------------------------------------------------------------------------


def plan_json(plan: Plan) -> dict[str, Any]:
    """A plan as `reconciler-plan/1`. Source: DESIGN §5.

    Values that are secret or not yet known are null. Addresses in `order` stand once, at the step that brings them to
    their desired state (or removes them).
    """
    return seal({**plan_picture(plan), "spec_digest": plan.spec.digest})


def plan_file(plan: Plan, *, tool: str) -> dict[str, Any]:
    """What `--out` writes: the plan, the version of the tool, and the resources with secrets as references."""
    resources = [_resource(resource) for resource in plan.spec.resources]
    return seal({**plan_picture(plan), "spec_digest": plan.spec.digest, "tool": tool, "resources": resources})


def plan_picture(plan: Plan) -> dict[str, Any]:
    """The same for the eyes alone: without the checksum, and `spec_digest` is not told."""
    project = plan.spec.project
    shown = [change for change in plan.changes if change.action is not Action.NONE]
    return {
        "format": PLAN_FORMAT,
        "owner": plan.owner,
        "environment": project.environment or None,
        "digest": plan.digest,
        "spec_digest": None,
        "revision": plan.revision or None,
        "snapshot": plan.snapshot.as_json() if plan.snapshot is not None else None,
        "summary": plan.summary,
        "changes": [_change(change, plan) for change in shown],
        "remarks": [_remark(change) for change in plan.changes if _is_remarkable(change)],
        "steps": [_step(step) for step in plan.steps],
        "order": _order(plan.steps),
        "problems": [problem_json(problem) for problem in plan.problems],
        "warnings": [problem_json(problem) for problem in plan.warnings],
        "notes": list(plan.notes),
        "partial": plan.partial,
        "totals": totals_json(plan.costs),
    }


def _change(change: Change, plan: Plan) -> dict[str, Any]:
    cost = plan.costs.get(change.address)
    return {
        "address": change.address,
        "action": str(change.action),
        "reason": change.reason,
        "message": change.message,
        "digest": plan.digests.get(change.address),
        "id": change.live_id or None,
        "interruption": str(change.interruption),
        "fields": [field_json(field) for field in change.fields],
        "cost": cost_json(cost, change) if cost is not None else None,
        "source": place_json(change.desired.origin) if change.desired is not None else None,
        "kind": change.kind.label,
        "title": change.kind.title,
        "intended": str(change.intended) if change.intended is not None else None,
        "notices": list(change.notices),
        "candidates": list(change.candidates),
        "replace_order": str(change.replace_order) if change.replace_order is not None else None,
        "leftover": change.leftover.id if change.leftover is not None else None,
        "former_address": _former_address(change),
        "run_state": change.run_state or None,
        "last_applied": last_applied_json(change),
        "labels": labels_json(change),
    }


def _former_address(change: Change) -> str | None:
    """Under which address the ledger knows what is renamed."""
    applied = change.applied
    is_renamed = change.desired is not None and applied is not None and applied.address != change.address
    return applied.address if applied is not None and is_renamed else None


def labels_json(change: Change) -> dict[str, str]:
    """The resource's labels, sorted: as they are desired; of what has left the spec, as they were last applied."""
    known = change.desired if change.desired is not None else change.applied
    return dict(sorted(known.labels.items())) if known is not None else {}


def last_applied_json(change: Change) -> dict[str, Any] | None:
    """Who applied it last: revision, run and time (seconds since the epoch)."""
    applied = change.applied
    if applied is None or not applied.run:
        return None
    return {"revision": applied.revision or None, "run": applied.run, "at": applied.applied_at}


def field_json(field: FieldChange) -> dict[str, Any]:
    """One field, before and after; what is secret or not yet known is null."""
    hidden = field.sensitive
    return {
        "path": str(field.path),
        "before": None if hidden else encode(field.before),
        "after": None if hidden or not field.after_known else encode(field.after),
        "class": str(field.field_class),
        "origin": place_json(field.origin),
        "chain": chain_json(field.chain, hidden=hidden),
        "forces_replace": field.forces_replace,
        "sensitive": hidden,
        "after_known": field.after_known,
        "after_text": None if hidden or not field.after_text else field.after_text,
        "removed": field.removed,
        "interruption": str(field.interruption),
        "notice": field.notice or None,
        "rule": field.source or None,
    }


def _is_remarkable(change: Change) -> bool:
    return change.action is Action.NONE and (bool(_remark_text(change)) or change.reason not in {"", *IN_SPEC})


def _remark(change: Change) -> dict[str, Any]:
    return {"address": change.address, "reason": change.reason, "message": _remark_text(change)}


def _remark_text(change: Change) -> str:
    former = _former_address(change)
    return "; ".join(part for part in (f"until now it was {former}" if former else "", change.message) if part)


def _step(step: Step) -> dict[str, Any]:
    return {
        "id": step.id,
        "address": step.address,
        "op": str(step.op),
        "after": list(step.after),
        "calls": [_call(call) for call in step.calls],
    }


def _call(call: Call) -> dict[str, Any]:
    """Without query and body: they are where values are."""
    return {
        "op": str(call.op),
        "method": call.method,
        "path": call.path,
        "summary": call.summary,
        "repeat": str(call.repeat),
    }


def _order(steps: Iterable[Step]) -> list[str]:
    found = list(steps)
    made = {step.address for step in found if step.op is not Action.DELETE}
    return [step.address for step in found if step.op is not Action.DELETE or step.address not in made]


def _resource(resource: Resource) -> dict[str, Any]:
    return {
        "address": resource.address,
        "kind": resource.kind.label,
        "api_version": resource.kind.api_version,
        "live_name": resource.live_name,
        "labels": dict(resource.labels),
        "lifecycle": lifecycle_data(resource.lifecycle),
        "edges": [{"address": e.address, "why": e.why, "origin": place_json(e.origin)} for e in resource.edges],
        "source": place_json(resource.origin),
        "spec": encode(resource.spec),
    }


# -- the sisters ----------------------------------------------------------------------------------------------------


def report_json(report: Report) -> dict[str, Any]:
    """An apply's end as `reconciler-report/1`; `steps` in plan order."""
    return {
        "format": "reconciler-report/1",
        "owner": report.owner,
        "run": report.run,
        "digest": report.digest,
        "revision": report.revision or None,
        "complete": report.complete,
        "interrupted": report.interrupted,
        "summary": report.counts,
        "steps": [_outcome(outcome) for outcome in report.outcomes],
        "settled": list(report.settled),
        "notes": list(report.notes),
        "seconds": round(report.seconds, 3),
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "id": outcome.step,
        "address": outcome.address,
        "op": "wait" if outcome.op is Action.NONE else str(outcome.op),
        "state": str(outcome.state),
        "message": outcome.message,
        "live_id": outcome.live_id or None,
        "endpoint": outcome.endpoint or None,
        "cause": outcome.cause or None,
        "seconds": round(outcome.seconds, 3),
    }


def list_json(
    rows: Iterable[ListRow],
    problems: Iterable[Problem] = (),
    measured: Mapping[tuple[str, str], Metrics] | None = None,
) -> dict[str, Any]:
    """Live things as `reconciler-list/1`, sorted; `partial` when a provider could not be read.

    `measured`: metrics by (provider, id), for `--metrics`; without them the key is left out.
    """
    ordered = sorted(rows, key=lambda row: (row.provider, row.kind, row.name, row.id))
    told = [problem_json(problem) for problem in problems]
    return {
        "format": "reconciler-list/1",
        "items": [
            {
                "provider": row.provider,
                "kind": row.kind,
                "name": row.name or None,
                "id": row.id,
                "status": row.status,
                "phase": row.phase,
                "owner": row.owner,
                "address": row.address or None,
                "endpoint": row.endpoint or None,
                **({} if measured is None else {"metrics": metrics_json(measured.get((row.provider, row.id)))}),
            }
            for row in ordered
        ],
        "problems": told,
        "partial": bool(told),
    }


def outputs_json(owner: str, outputs: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Ids, names and endpoints by address as `reconciler-outputs/1`, sorted."""
    return {
        "format": "reconciler-outputs/1",
        "owner": owner,
        "outputs": {address: dict(sorted(outputs[address].items())) for address in sorted(outputs)},
    }
