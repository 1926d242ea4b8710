"""Two kinds made by hand, which together use every attribute of a field table, and short ways to build the sides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from reconciler.diff.compare import Comparison, Sides, compare
from reconciler.diff.identity import World
from reconciler.diff.live import Applied, Listing, Live, Marker, Verdict, owner_hash, resource_hash
from reconciler.fields import (
    IN_PLACE,
    REPLACE,
    CostRule,
    FieldPath,
    FieldRule,
    Interruption,
    Kind,
    MarkerSlot,
    NameRule,
    Phase,
    ReplaceOrder,
    Secret,
    Seen,
    Unset,
)
from reconciler.problems import Origin
from reconciler.spec.resource import Edge, Lifecycle, Resource, ResourceRef

OWNER: Final = "shop/prod"
NOW_S: Final = 1_000_000.0
SOURCE: Final = "toy §1"


def _rule(path: str, **facts: Any) -> FieldRule:
    return FieldRule(path=path, source=SOURCE, **{"change": IN_PLACE, **facts})


ENGINE: Final = Kind(
    api_version="toy/v1",
    name="Engine",
    type="toy",
    title="toy engine",
    schema="toy-engine.json",
    fields=(
        _rule("image", normalise="image", interruption=Interruption.ROLLING),
        _rule("size", normalise="quantity", interruption=Interruption.RESTART, notice="Requests fail for a minute."),
        _rule("memory", normalise="quantity"),
        _rule("model", change=REPLACE, notice="The address changes."),
        _rule("note"),
        _rule("replicas", default=1),
        _rule("min", bounds=("min", "max"), default=1),
        _rule("max", seen=Seen.NEVER),
        _rule("ceiling", seen=Seen.NEVER, default_from="replicas"),
        _rule("env", list_key="name", left_out_by="exclude", secret=Secret.BY_REFERENCE),
        _rule("env[*]", unset=Unset.IN_PLACE, secret=Secret.BY_REFERENCE),
        _rule("env[*].exclude", default=False, seen=Seen.SOMETIMES),
        _rule("tolerations", list_key="key+operator+effect"),
        _rule("tolerations[*].operator", default="Equal"),
        _rule("labels"),
        _rule("pools"),
        _rule("groups", normalise="as_set"),
        _rule("args", secret=Secret.BY_REFERENCE),
        _rule("scaling", unset=Unset.REPLACE),
        _rule("scaling.delay", default=300),
        _rule("scaling.metric", unset=Unset.IMPOSSIBLE),
        _rule("probe"),
        _rule("token", change=REPLACE, seen=Seen.NEVER, secret=Secret.ALWAYS),
        _rule("hint", seen=Seen.SOMETIMES),
        _rule("hidden_depth", seen=Seen.NEVER, default=5),
        _rule("profile", change=REPLACE, reworded=True, normalise="profile", also_live=("profile_name",)),
        _rule("pool_name", also_live=("cluster",)),
        _rule("disk", effective="at-next-start"),
        _rule("websocket", one_way="off->on"),
        _rule("template", change=REPLACE, instead_of="template_id"),
        _rule("template_id", change=REPLACE, instead_of="template"),
        _rule("seed", server_set=True),
        _rule("fresh", in_place_since="2.9"),
    ),
    phases={"Running": Phase.READY, "Failed": Phase.FAILED},
    marker=MarkerSlot(carrier="annotations"),
    live_name=NameRule(pattern="[a-z0-9-]+", words="lower case"),
    replace=ReplaceOrder.DELETE_FIRST,
    replace_orders=(ReplaceOrder.DELETE_FIRST,),
    replace_notice="It is gone for some minutes.",
    replace_interruption="data-loss",
    delete_notice="Its data goes.",
    costs=(CostRule(item="model", low="min", high="max"),),
    gpus=(CostRule(item='"gpu"', times=("size",), low="min", high="max"),),
    run_states=("running", "stopped"),
)
"""Has a unique name, changes in place, can stop."""

BOX: Final = Kind(
    api_version="toy/v1",
    name="Box",
    type="toy",
    title="toy box",
    schema="toy-box.json",
    fields=(
        _rule("image", change=REPLACE, normalise="image"),
        _rule("machine", change=REPLACE),
        _rule("upstream", change=REPLACE),
        _rule("password", change=REPLACE, seen=Seen.NEVER, secret=Secret.ALWAYS),
    ),
    phases={"Running": Phase.READY},
    marker=MarkerSlot(carrier="annotations"),
    live_name=None,
    replace=ReplaceOrder.CREATE_FIRST,
    replace_orders=(ReplaceOrder.CREATE_FIRST, ReplaceOrder.DELETE_FIRST),
    replace_notice="The address changes.",
    costs=(CostRule(item="machine"),),
    likeness=("image", "machine"),
)
"""Has no name of its own, is always replaced, create-first."""


def compared(
    desired: Mapping[str, Any],
    live: Mapping[str, Any],
    applied: Mapping[str, Any] | None = None,
    *,
    hidden: Sequence[str] = (),
    **more: Any,
) -> Comparison:
    """Compare three specs of an engine."""
    item = Live(kind=ENGINE, provider="p", id="L1", spec=live, hidden=frozenset(hidden))
    return compare(Sides(kind=ENGINE, desired=desired, live=item, applied=applied, **more))


def paths(result: Comparison) -> list[str]:
    """The changed paths, as people see them."""
    return [str(change.path) for change in result.changes]


def address_of(name: str, kind: Kind = ENGINE, provider: str = "p") -> str:
    """The address of a toy."""
    return f"{provider}/{kind.name}/{name}"


def resource(name: str, spec: Mapping[str, Any] | None = None, *, kind: Kind = ENGINE, **more: Any) -> Resource:
    """A desired toy; `needs` are addresses, other words go to `lifecycle`."""
    needs = more.pop("needs", ())
    plain = {key: more.pop(key) for key in ("live_name", "labels", "origins") if key in more}
    return Resource(
        ref=ResourceRef(more.pop("provider", "p"), kind.name, name),
        kind=kind,
        spec=spec or {},
        lifecycle=Lifecycle(**more),
        edges=tuple(Edge(address, Origin(f"{name}.yaml", 7, 3)) for address in needs),
        origin=Origin(f"{name}.yaml"),
        **{"live_name": name, **plain},
    )


def token(name: str, *, kind: Kind = ENGINE, owner: str = OWNER, op: str = "aaaaaa", keep: str = "n") -> str:
    """The marker of a toy's first create."""
    return str(
        Marker(
            owner=owner_hash(owner),
            resource=resource_hash(address_of(name, kind)),
            generation=1,
            keep=keep,
            digest="aaaaa",
            op=op,
        )
    )


def live(live_id: str, spec: Mapping[str, Any] | None = None, *, kind: Kind = ENGINE, **more: Any) -> Live:
    """A live toy, ready unless told otherwise."""
    facts = {"provider": "p", "phase": Phase.READY, "outputs": {"id": live_id, "endpoint": f"https://{live_id}"}}
    return Live(kind=kind, id=live_id, spec=spec or {}, **{**facts, **more})


def entry(
    name: str, live_id: str, spec: Mapping[str, Any] | None = None, *, kind: Kind = ENGINE, **more: Any
) -> Applied:
    """The ledger's row of a toy, with the marker of its first create."""
    facts = {"marker": token(name, kind=kind), "live_name": name}
    return Applied(
        address=address_of(name, kind), kind=kind.label, live_id=live_id, spec=spec or {}, **{**facts, **more}
    )


def listed(*items: Live, kind: Kind = ENGINE, verdict: Verdict = Verdict.COMPLETE, message: str = "") -> Listing:
    """A list of toys."""
    return Listing(provider="p", kind=kind, items=items, verdict=verdict, message=message)


def world(*lists: Listing, entries: Sequence[Applied] = (), **more: Any) -> World:
    """What identity sees."""
    return World(
        owner=OWNER,
        entries={row.address: row for row in entries},
        listings={(one.provider, one.kind.name): one for one in lists},
        now_s=NOW_S,
        **more,
    )


def path(text: str) -> FieldPath:
    """A path, parsed."""
    return FieldPath.parse(text)
