"""Plans built by hand from a toy kind, so that what is shown depends on nothing but the renderers."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, Final

import pytest

from reconciler.diff.change import Action, Call, CallOp, Change, FieldChange, FieldClass, Repeat
from reconciler.diff.live import Applied, Live
from reconciler.fields import (
    IN_PLACE,
    FieldPath,
    FieldRule,
    Interruption,
    Kind,
    MarkerSlot,
    NameRule,
    Phase,
    ReplaceOrder,
)
from reconciler.plan.cost import Cost, Range
from reconciler.plan.digest import plan_digest
from reconciler.plan.order import order
from reconciler.plan.plan import Plan
from reconciler.problems import Origin, Problem
from reconciler.spec.resource import Edge, Lifecycle, Project, Resource, ResourceRef, Spec
from reconciler.spec.values import KnownAfterApply, SecretRef

CANARY: Final = "hf_CANARY_b7c1d9"


KIND: Final = Kind(
    api_version="toy/v1",
    name="Engine",
    type="toy",
    title="toy engine",
    schema="toy-engine.json",
    fields=(FieldRule(path="image", change=IN_PLACE, source="toy §1 docs"),),
    phases={"UP": Phase.READY},
    marker=MarkerSlot(carrier="annotations.rc-id"),
    live_name=NameRule(pattern=".+", words="anything"),
    replace=ReplaceOrder.CREATE_FIRST,
    replace_orders=(ReplaceOrder.CREATE_FIRST, ReplaceOrder.DELETE_FIRST),
    replace_notice="The endpoint gets another URL.",
)


def address(name: str, provider: str = "toy") -> str:
    return f"{provider}/Engine/{name}"


def resource(name: str, spec: Mapping[str, Any] | None = None, needs: Iterable[str] = (), **lifecycle: Any) -> Resource:
    origin = Origin(f"resources/{name}.yaml")
    return Resource(
        ref=ResourceRef("toy", "Engine", name),
        kind=KIND,
        live_name=name,
        spec=spec or {"image": "serve:2"},
        lifecycle=Lifecycle(**lifecycle),
        edges=tuple(Edge(address(need), Origin(origin.file, 4, 15)) for need in needs),
        origin=origin,
    )


def live(name: str, spec: Mapping[str, Any] | None = None) -> Live:
    return Live(kind=KIND, provider="toy", id=f"id-{name}", name=name, spec=spec or {}, phase=Phase.READY, status="UP")


def field(path: str, before: Any = None, after: Any = None, **more: Any) -> FieldChange:
    more.setdefault("field_class", FieldClass.PENDING)
    return FieldChange(path=FieldPath.parse(path), before=before, after=after, **more)


def change(name: str, action: Action, reason: str, message: str = "", **more: Any) -> Change:
    if action not in {Action.DELETE, Action.UNKNOWN}:
        more.setdefault("desired", resource(name))
    if action is not Action.CREATE:
        more.setdefault("live", live(name))
    ops = {Action.CREATE: "POST", Action.UPDATE: "PUT", Action.DELETE: "DELETE"}
    if action in ops:
        call = Call(
            op=CallOp(str(action)),
            method=ops[action],
            path=f"/engines/{name}",
            body={"token": SecretRef("HF_TOKEN")},
            repeat=Repeat.AFTER_READ,
            summary=f"{ops[action]} engine",
        )
        more.setdefault("calls", (call,))
    return Change(address=address(name), kind=KIND, action=action, reason=reason, message=message, **more)


def money(before: str | None, after: str | None, *, high: str = "", gpus: tuple[int, int] = (0, 0)) -> Cost:
    def span(low: str | None, top: str = "") -> Range | None:
        return Range(Decimal(low), Decimal(top or low)) if low is not None else None

    return Cost(
        unit="toy-units",
        before=span(before),
        after=span(after, high),
        gpus_before=Range(Decimal(gpus[0]), Decimal(gpus[0])),
        gpus_after=Range(Decimal(gpus[1]), Decimal(gpus[1])),
    )


def plan(*changes: Change, costs: Mapping[str, Cost] | None = None, **more: Any) -> Plan:
    ordered = tuple(sorted(changes, key=lambda item: item.address))
    desired = tuple(item.desired for item in ordered if item.desired is not None)
    project = Project(
        name="shop",
        environment="prod",
        environments=("dev", "prod"),
        providers={},
        secrets=frozenset({"HF_TOKEN"}),
        values={},
    )
    digests = {
        # Not the real one: what a digest covers is the plan's business, and no renderer's picture should move with it.
        item.address: hashlib.sha256(f"{item.address}#{item.action}".encode()).hexdigest()
        for item in ordered
        if item.action is not Action.NONE
    }
    calls = {item.address: item.calls for item in ordered}
    more.setdefault("revision", "3f9c2d1e8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c3d")
    return Plan(
        owner="shop/prod",
        spec=Spec(project=project, resources=desired),
        changes=ordered,
        steps=tuple(dataclasses.replace(step, calls=calls.get(step.address, ())) for step in order(ordered)),
        digests=digests,
        digest=plan_digest(digests.values()),
        costs=costs or {},
        **more,
    )


# -- situations: each a plan that somebody may have to judge at night -------------------------------------------------


def nothing_to_do() -> Plan:
    return plan(change("chat", Action.NONE, "in-sync"), change("search", Action.NONE, "in-sync"))


def a_first_apply() -> Plan:
    many = {f"setting{number}": number for number in range(15)}
    web = resource("web", {"upstream": KnownAfterApply(address("chat"), "endpoint")}, needs=["chat"])
    reference = str(KnownAfterApply(address("chat"), "endpoint"))
    return plan(
        change(
            "chat",
            Action.CREATE,
            "not-live",
            "it does not exist yet",
            desired=resource("chat", many),
            fields=(
                field("image", after="serve:2", origin=Origin("resources/chat.yaml", 6, 10)),
                field("token", origin=Origin("resources/chat.yaml", 7, 10), sensitive=True),
                field("replicas", after=2, origin=Origin("values/prod.yaml", 3, 11)),
                *(field(key, after=value, origin=Origin("resources/chat.yaml", 9)) for key, value in many.items()),
            ),
        ),
        change(
            "web",
            Action.CREATE,
            "not-live",
            "it does not exist yet",
            desired=web,
            fields=(
                field("upstream", after_known=False, after_text=reference, origin=Origin("resources/web.yaml", 8)),
            ),
        ),
        costs={address("chat"): money("0", "0.35", high="0.7", gpus=(0, 1)), address("web"): money("0", None)},
        notes=("HF_TOKEN is set nowhere; the emulator uses demo-HF_TOKEN",),
    )


def every_action() -> Plan:
    moved = (field("replicas", 1, 2, origin=Origin("values/prod.yaml", 12, 13), notice="Pods start one by one."),)
    return plan(
        change("adopted", Action.ADOPT, "adopt-requested", "id-adopted is taken over"),
        change(
            "blocked",
            Action.BLOCKED,
            "prevent-destroy",
            "it left the spec, but lifecycle.preventDestroy was on when it was last applied",
            desired=None,
            intended=Action.DELETE,
            interruption=Interruption.DATA_LOSS,
        ),
        change("created", Action.CREATE, "not-live", "it does not exist yet"),
        change(
            "deleted",
            Action.DELETE,
            "removed-from-spec",
            "it is no longer in the spec",
            interruption=Interruption.DATA_LOSS,
            notices=("The endpoint stops answering.",),
            applied=Applied(
                address=address("deleted"), kind="toy/Engine", live_id="id-deleted", revision="a" * 40, run="r7"
            ),
        ),
        change("kept", Action.NONE, "in-sync"),
        change("retained", Action.NONE, "retained", "it left the spec; id-retained is left running and forgotten"),
        replaced(),
        change("unread", Action.UNKNOWN, "list-failed", "GET /engines: 503", live=None),
        change("updated", Action.UPDATE, "fields-differ", fields=moved, interruption=Interruption.ROLLING),
        costs={address("replaced"): money("20", "40", gpus=(1, 2)), address("deleted"): money("5", "0")},
        partial=True,
    )


def replaced() -> Change:
    return change(
        "replaced",
        Action.REPLACE,
        "field-forces-replace",
        "machine can't change in place",
        replace_order=ReplaceOrder.CREATE_FIRST,
        interruption=Interruption.DATA_LOSS,
        notices=(KIND.replace_notice,),
        fields=(
            field(
                "machine",
                "a100",
                "h100",
                origin=Origin("patches/prod/a.yaml", 5, 3),
                forces_replace=True,
                source="toy §4 seed",
                interruption=Interruption.DATA_LOSS,
            ),
            field("replicas", 2, 3, field_class=FieldClass.BOTH, origin=Origin("values/prod.yaml", 12, 13)),
            field("timeout", 60, 30, removed=True, field_class=FieldClass.DRIFT),
            field("note", "old", None, removed=True),
        ),
    )


def a_replace() -> Plan:
    return plan(replaced(), costs={address("replaced"): money("20", "40", high="80", gpus=(1, 2))})


def a_changed_secret() -> Plan:
    careless = field("env[HF_TOKEN].value", f"{CANARY}-old", f"{CANARY}-new", sensitive=True, after_text=CANARY)
    wanted = resource("chat", {"env": [{"name": "HF_TOKEN", "value": SecretRef("HF_TOKEN")}]})
    return plan(
        change(
            "chat",
            Action.UPDATE,
            "fields-differ",
            fields=(careless,),
            desired=wanted,
            interruption=Interruption.RESTART,
        )
    )


def long_values() -> Plan:
    prompt = "\n".join(f"Rule {number}: be brief." for number in range(1, 21))
    command = "serve --model llama --port 8080 " + " ".join(f"--flag-{number}" for number in range(30))
    rules = [{"host": f"h{number}.example.com", "port": 8000 + number} for number in range(6)]
    fewer = [*rules[:2], {**rules[2], "port": 9002}, *rules[3:5]]
    fields = (
        field("command", command, command.replace("flag-17", "flag-71")),
        field("prompt", prompt, prompt.replace("Rule 9: be brief.", "Rule 9: be kind.\n::add-mask::brief")),
        field("rules", rules, fewer),
        field("text", "a", "b" * 500),
    )
    return plan(change("chat", Action.UPDATE, "fields-differ", fields=fields))


def a_provider_is_down() -> Plan:
    problem = Problem(
        code="list-failed", address="toy/Engine", wrong="GET /engines: 503 upstream is down", expected="it to answer"
    )
    return plan(
        change("chat", Action.NONE, "in-sync"),
        change("search", Action.UNKNOWN, "list-failed", "GET /engines: 503 upstream is down", live=None),
        problems=(problem,),
        partial=True,
    )


HOSTILE: Final = (
    "```", "@org/team", "#12", "</details>", "<img src=x>", "[ok](http://evil.example)", "| a | b |", "a\\|b",
    "::add-mask::a", "\n::set-output name=digest::x", " ::stop-commands::x", "##[add-mask]a", "\x1b[31mred\x1b[0m",
    "\u202egnp.exe", "www.evil.example", "GH-12", "![x](y)", "a\r\n::error::b", "\u2028::debug::c",
)  # fmt: skip


def hostile_names() -> Plan:
    everything = " ".join(HOSTILE)
    fields = (
        field("description", "plain", everything),
        *(field(f'labels["{n}"]', text, f"{text}{text}") for n, text in enumerate(HOSTILE)),
        FieldChange(path=FieldPath(("labels", everything)), before=None, after="x", field_class=FieldClass.PENDING),
    )
    problem = Problem(
        code="list-failed", address="toy/Engine", wrong=everything, expected="it to answer", origin=Origin(":", 1, 1)
    )
    return plan(
        change("chat", Action.UPDATE, "fields-differ", f"it says {everything}", fields=fields, notices=HOSTILE),
        change("gone", Action.DELETE, "removed-from-spec", HOSTILE[8], candidates=HOSTILE),
        problems=(problem,),
        notes=HOSTILE,
        revision=HOSTILE[8],
    )


SITUATIONS: Final[Mapping[str, Callable[[], Plan]]] = {
    "nothing-to-do-says-no-changes": nothing_to_do,
    "a-first-apply-shows-new-fields-in-brief": a_first_apply,
    "every-action-dangerous-ones-first": every_action,
    "a-replace-says-what-forces-it-and-what-it-costs": a_replace,
    "a-changed-secret-shows-no-value": a_changed_secret,
    "long-values-show-what-differs-inside": long_values,
    "a-provider-that-is-down-makes-the-plan-incomplete": a_provider_is_down,
    "names-that-speak-markdown-stay-text": hostile_names,
}


@pytest.fixture(params=SITUATIONS, ids=str)
def situation(request: pytest.FixtureRequest) -> str:
    """Each situation's name in turn."""
    return str(request.param)


@pytest.fixture
def toy() -> SimpleNamespace:
    """The builders of this file, for tests."""
    return SimpleNamespace(
        address=address,
        canary=CANARY,
        change=change,
        field=field,
        hostile=HOSTILE,
        money=money,
        plan=plan,
        resource=resource,
        situations=SITUATIONS,
    )
