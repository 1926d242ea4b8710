"""What the compiler makes: `Resource`, `Project` and `Spec`, all plain frozen data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from reconciler.fields import FieldPath, Kind, ReplaceOrder, WaitFor
from reconciler.problems import Origin, Problem
from reconciler.spec.document import Layer, Node
from reconciler.spec.policy import Policy
from reconciler.spec.values import KnownAfterApply, SecretRef, pending_in

__all__ = [
    "DAYS",
    "Edge",
    "Lifecycle",
    "Limit",
    "Prices",
    "Project",
    "ProviderConfig",
    "Resource",
    "ResourceRef",
    "Safety",
    "Spec",
    "Wait",
    "Window",
]

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""Days of the week, as `safety.windows` names them."""


@dataclass(frozen=True, slots=True, order=True)
class ResourceRef:
    """The address of a resource: provider instance, kind, name."""

    provider: str
    kind: str
    name: str
    text: str = field(init=False, repr=False, compare=False)
    """`provider/Kind/name`, made once: a plan asks for it a dozen times."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", f"{self.provider}/{self.kind}/{self.name}")

    def __str__(self) -> str:
        return self.text

    @classmethod
    def parse(cls, address: str) -> ResourceRef:
        """Read `theta/Deployment/chat`.

        Raises:
            ValueError: when it has not exactly three parts.
        """
        provider, kind, name = address.split("/")
        return cls(provider, kind, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """What an apply waits for. `timeout_s` in seconds; `None` means the kind's default."""

    target: WaitFor | None = None
    timeout_s: float | None = None
    path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle:
    """`lifecycle` of a document. Source: DESIGN §2."""

    prevent_destroy: bool = False
    replace: ReplaceOrder | None = None
    ignore_changes: tuple[FieldPath, ...] = ()
    """Paths below `spec` (the `spec.` of the file is dropped)."""
    renamed_from: tuple[str, ...] = ()
    adopt: str = ""
    on_remove: str = "delete"
    wait: Wait = field(default_factory=Wait)
    run_state: str = ""
    secrets_revision: int = 0
    expires: str = ""
    """A date, or a time with a zone, as it was written (`spec.formats.expiry` reads it); after it a plan deletes."""


@dataclass(frozen=True, slots=True, order=True)
class Edge:
    """This resource needs `address` first; `origin` is where that was written."""

    address: str
    origin: Origin
    why: str = "dependsOn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One desired thing.

    Attributes:
        ref: Its address.
        kind: The kind's facts.
        live_name: The API's name (`metadata.liveName`, default `metadata.name`).
        spec: Provider's own field names and nesting; leaves may be references (`spec.values`).
        origins: Concrete path (`("spec", "config", 0, "weight")`) → where its value was written.
        origin: Where the document begins.
        edges: What it needs first, from `dependsOn` and `ref()`.
        chains: Concrete path → the layers that a value went through, oldest first; none when it was only written.
    """

    ref: ResourceRef
    kind: Kind
    live_name: str
    spec: Mapping[str, Any]
    labels: Mapping[str, str] = field(default_factory=dict)
    lifecycle: Lifecycle = field(default_factory=Lifecycle)
    edges: tuple[Edge, ...] = ()
    origin: Origin = field(default_factory=lambda: Origin("<none>"))
    origins: Mapping[tuple[str | int, ...], Origin] = field(default_factory=dict)
    chains: Mapping[tuple[str | int, ...], tuple[Layer, ...]] = field(default_factory=dict)
    _pending: list[tuple[SecretRef | KnownAfterApply, ...]] = field(
        init=False, repr=False, compare=False, default_factory=list
    )

    def know_pending(self, found: tuple[SecretRef | KnownAfterApply, ...]) -> None:
        """Somebody who has looked already says what `pending` is."""
        self._pending[:] = [found]

    @property
    def pending(self) -> tuple[SecretRef | KnownAfterApply, ...]:
        """All references in its `spec`, looked for once."""
        if not self._pending:
            self._pending.append(pending_in(self.spec))
        return self._pending[0]

    @property
    def address(self) -> str:
        """`provider/Kind/name`."""
        return self.ref.text

    def origin_of(self, *path: str | int) -> Origin:
        """Where the value at this path (from the document's root) was written, or the nearest place above it."""
        for length in range(len(path), 0, -1):
            found = self.origins.get(path[:length])
            if found is not None:
                return found
        return self.origin

    def chain_of(self, *path: str | int) -> tuple[Layer, ...]:
        """The layers of the value at this path; none when it was only written."""
        return self.chains.get(path, ())


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderConfig:
    """One named provider instance of `reconciler.yaml`, for the chosen environment.

    `settings` holds what was written (camelCase keys, credentials as references) with the type's defaults filled in;
    times are seconds (float). `node` is what was written, with origins.
    """

    name: str
    type: str
    settings: Mapping[str, Any]
    origin: Origin
    node: Node | None = field(default=None, repr=False, compare=False)

    @property
    def embedded(self) -> bool:
        """Whether it is served by the emulator in this process (`endpoint: emulator`)."""
        return self.settings.get("endpoint") == "emulator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Prices per hour, as decimals, of what a provider does not price itself."""

    unit: str
    per_hour: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """`maxDeletes`: a count, or a share in percent of what we own; set in a file, or by an option of this run."""

    count: int | None = None
    percent: Decimal | None = None
    origin: Origin | None = None
    option: str = ""

    def __str__(self) -> str:
        return f"{self.percent}%" if self.percent is not None else str(self.count)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """When interrupting changes may be made: on each of `days`, from `begin` to `end` (the next day's, unless later).

    `days`: `mon` to `sun`; times of day without a zone, in the IANA `timezone`.
    """

    begin: dt.time
    end: dt.time
    days: tuple[str, ...] = DAYS
    timezone: str = "UTC"
    origin: Origin | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Safety:
    """`spec.safety`. `max_deletes`: default 10. `windows`: without any, what interrupts may be done at any time."""

    max_deletes: Limit = field(default_factory=lambda: Limit(count=10))
    windows: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """`reconciler.yaml` for one environment (empty `environment`: the project has none).

    `defaults` (by `type/Kind`) and `values_node` are what the compiler works with: the same data with origins.
    `chosen_at` is where the environment was chosen: `-e`, or `spec.defaultEnvironment`.
    """

    name: str
    environment: str
    environments: tuple[str, ...]
    providers: Mapping[str, ProviderConfig]
    secrets: frozenset[str]
    values: Mapping[str, Any]
    safety: Safety = field(default_factory=Safety)
    ledger: Mapping[str, Any] = field(default_factory=lambda: {"type": "sqlite"})
    former_owners: tuple[str, ...] = ()
    origin: Origin = field(default_factory=lambda: Origin("reconciler.yaml"))
    defaults: Mapping[str, Node] = field(default_factory=dict, repr=False, compare=False)
    values_node: Node | None = field(default=None, repr=False, compare=False)
    chosen_at: Origin = field(default_factory=lambda: Origin("-e", 0, 0), compare=False)

    @property
    def owner(self) -> str:
        """`<project>` or `<project>/<environment>`: who answers for a live resource."""
        return f"{self.name}/{self.environment}" if self.environment else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """All desired resources, sorted by address, with their project and a digest of the rendered whole.

    `policies` are no part of the digest: they say what a plan may do, not what is desired. `warnings`: what a person
    should know of it.
    """

    project: Project
    resources: tuple[Resource, ...]
    policies: tuple[Policy, ...] = ()
    warnings: tuple[Problem, ...] = ()
    _digest: list[str] = field(init=False, repr=False, compare=False, default_factory=list)

    @property
    def digest(self) -> str:
        """SHA-256 over canonical JSON of what is desired; made when it is asked for, in 30 µs a resource."""
        if not self._digest:
            from reconciler.spec.digest import digest  # noqa: PLC0415 - `validate` does without

            self._digest.append(digest(self.resources))
        return self._digest[0]

    def get(self, address: str) -> Resource | None:
        """The resource of this address, or none."""
        return next((resource for resource in self.resources if resource.address == address), None)
