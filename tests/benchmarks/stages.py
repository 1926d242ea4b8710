"""Where the time of one command goes: `python -m tests.benchmarks.stages OUT.json ARGS…` runs `reconciler ARGS`.

Each stage is a function of the product; its time is its own, without that of stages inside it. What no stage claims is
`rest`. The collector's share is told beside them: it is part of whatever stage it interrupts.
"""

from __future__ import annotations

import gc
import importlib
import json
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

__all__ = ["STAGES", "targets"]

STAGES: Final = (
    ("imports", ("reconciler.cli.main:module_of", "reconciler.providers.registry:provider_types")),
    ("read: files", ("reconciler.cli.project:_resource_files", "reconciler.cli.project:_bytes")),
    ("read: YAML with origins", ("reconciler.spec.load:load_all",)),
    ("compile: shape", ("reconciler.spec.shape:check_shape",)),
    ("compile: expand", ("reconciler.spec.expand:Expansion.expand",)),
    ("compile: templates", ("reconciler.spec.compile:_template",)),
    ("compile: patches, defaults", ("reconciler.spec.patch:apply_patches", "reconciler.spec.patch:Defaults.apply")),
    ("validate: prepare schemas", ("reconciler.cli.project:load_schemas", "reconciler.spec.strict:SchemaSet.of")),
    ("validate: by schema", ("reconciler.spec.strict:SchemaSet.accepted", "reconciler.spec.strict:SchemaSet.check")),
    (
        "validate: beside the schema",
        ("reconciler.spec.validate:_check_kind", "reconciler.spec.validate:_check_lifecycle"),
    ),
    ("validate: origins", ("reconciler.spec.places:origins_of",)),
    (
        "validate: the rest",
        ("reconciler.spec.validate:Validator.validate", "reconciler.spec.validate:Validator.finish"),
    ),
    ("references", ("reconciler.spec.references:resolve",)),
    ("digest of the spec", ("reconciler.spec.digest:digest",)),
    ("live: read the snapshot", ("reconciler.cli.offline:read_snapshot_file",)),
    ("live: checksum of the snapshot", ("reconciler.render.seal:is_sealed", "reconciler.render.seal:seal")),
    ("live: open", ("reconciler.cli.session:open_session",)),
    ("live: catalogue", ("reconciler.cli.session:Session.check_catalogue",)),
    ("live: lists and details", ("reconciler.cli.session:Session.read_world",)),
    ("diff: identity", ("reconciler.diff.identity:pair", "reconciler.diff.identity:judge")),
    ("diff: claims, orphans", ("reconciler.diff.claims:claim", "reconciler.diff.orphans:orphans")),
    ("diff: compare", ("reconciler.diff.compare:compare",)),
    ("diff: decide", ("reconciler.diff.decide:decide",)),
    ("diff: fill references", ("reconciler.spec.values:fill", "reconciler.spec.values:pending_in")),
    ("plan: order", ("reconciler.plan.order:dependencies_first", "reconciler.plan.order:order")),
    (
        "plan: safety, windows, policies",
        (
            "reconciler.plan.safety:guard",
            "reconciler.plan.safety:hold_names",
            "reconciler.plan.safety:hold_shared",
            "reconciler.plan.windows:hold_windows",
            "reconciler.plan.policy:enforce",
        ),
    ),
    ("plan: cost", ("reconciler.plan.cost:change_cost",)),
    ("plan: digests", ("reconciler.plan.digest:change_digest", "reconciler.plan.digest:plan_digest")),
    ("plan: the rest", ("reconciler.plan.plan:make_plan",)),
    (
        "render: JSON",
        (
            "reconciler.render.machine:plan_json",
            "reconciler.render.machine:plan_picture",
            "reconciler.render.seal:with_texts",
        ),
    ),
    ("render: text", ("reconciler.render.text:plan_text",)),
)
"""Stage → the functions (`module:name` or `module:Class.name`) that it is made of."""


def targets() -> dict[str, list[tuple[Any, str, Any]]]:
    """Stage → (owner, name, function) of each of its functions.

    Raises:
        AttributeError: one of them is not there any more: the table above is to be mended.
    """
    found: dict[str, list[tuple[Any, str, Any]]] = {}
    for stage, places in STAGES:
        for place in places:
            module, _, path = place.partition(":")
            owner: Any = importlib.import_module(module)
            *outer, name = path.split(".")
            for part in outer:
                owner = getattr(owner, part)
            found.setdefault(stage, []).append((owner, name, getattr(owner, name)))
    return found


class _Watch:
    """Own time of each stage; of the main thread alone, which waits for the others."""

    def __init__(self) -> None:
        self.own_s: dict[str, float] = defaultdict(float)
        self.collector_s = 0.0
        self._stack = ["rest"]
        self._since = time.perf_counter()
        self._collecting = 0.0
        self._main = threading.main_thread()

    def _turn(self) -> None:
        now = time.perf_counter()
        self.own_s[self._stack[-1]] += now - self._since
        self._since = now

    def wrap(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, watched."""

        def watched(*args: Any, **kwargs: Any) -> Any:
            if threading.current_thread() is not self._main:
                return function(*args, **kwargs)
            self._turn()
            self._stack.append(stage)
            try:
                return function(*args, **kwargs)
            finally:
                self._turn()
                self._stack.pop()

        return watched

    def collector(self, phase: str, _info: Any) -> None:
        """Called by the garbage collector at its start and stop."""
        if phase == "start":
            self._collecting = time.perf_counter()
        else:
            self.collector_s += time.perf_counter() - self._collecting

    def end(self) -> None:
        """Count the last moments."""
        self._turn()


def _install(watch: _Watch) -> None:
    for stage, places in targets().items():
        for owner, name, function in places:
            watched = watch.wrap(stage, function)
            if isinstance(owner, type):
                static = isinstance(owner.__dict__[name], classmethod | staticmethod)
                setattr(owner, name, staticmethod(watched) if static else watched)
                continue
            for module in [one for key, one in sys.modules.items() if key.startswith("reconciler.")]:
                for key, value in list(vars(module).items()):
                    if value is function:
                        setattr(module, key, watched)


def _main() -> None:
    begun = time.perf_counter()
    import reconciler.cli.plan  # noqa: PLC0415 - its time is that of the imports
    from reconciler.cli.main import main  # noqa: PLC0415

    reconciler.cli.plan  # noqa: B018 - the table's functions are looked for where they are used, so all is imported
    place, sys.argv[1:] = Path(sys.argv[1]), sys.argv[2:]
    watch = _Watch()
    _install(watch)
    watch.own_s["imports"] = time.perf_counter() - begun
    gc.callbacks.append(watch.collector)
    try:
        main()
    finally:
        watch.end()
        told = {"stages": watch.own_s, "collector": watch.collector_s}
        place.write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    _main()
