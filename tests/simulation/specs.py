"""Small random specs, each resource with a knob that changes in place and one that forces a replace; and edits."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final

from reconciler.cli.project import load_schemas
from reconciler.providers.registry import provider_types
from reconciler.spec import SourceFile, Spec, compile_all
from tests.simulation.server import BASE
from tests.simulation.truth import KINDS

__all__ = ["OWNER", "Design", "Thing", "compile_design", "edit", "new_design"]

OWNER: Final = "shop"
_TYPES: Final = provider_types()
_STOPPABLE: Final = KINDS[2:]
_STATES: Final = ("stopped", "running", "")
_NAMES: Final = ("ant", "bee", "cat", "dog", "eel", "fox")


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """One resource of a design."""

    kind: str
    name: str
    place: int = 1
    """The knob that changes in place."""
    fixed: int = 1
    """The knob that forces a replace."""
    secret: bool = False
    needs: tuple[str, ...] = ()
    refers: str = ""
    """Address of a Theta deployment whose endpoint stands in its spec."""
    former: tuple[str, ...] = ()
    adopt: str = ""
    machine: str = "vm_gv1"
    state: str = ""
    """`running` or `stopped`, where the provider can stop; empty: no wish."""
    keep: str = ""
    """`protect` or `retain`, from its birth on."""

    @property
    def address(self) -> str:
        provider, _, kind = self.kind.partition("/")
        return f"{provider}/{kind}/{self.name}"

    @property
    def addresses(self) -> tuple[str, ...]:
        """Its own, and those it had."""
        return tuple(self.address.rpartition("/")[0] + f"/{name}" for name in (self.name, *self.former))

    @property
    def live_name(self) -> str:
        """The API's name: what it was when it was made does not change with the address."""
        return (*self.former, self.name)[0] if self.kind != KINDS[0] else ""

    @property
    def knobs(self) -> tuple[str, str]:
        """As `truth` reads them."""
        return {
            KINDS[0]: ("", f"{self.place}-{self.fixed}"),
            KINDS[1]: (str(self.place), str(8080 + self.fixed)),
            KINDS[2]: (f"m{self.place}", f"pool{self.fixed}"),
            KINDS[3]: (f"work {self.place}", f"/shop-research/{self.live_name}-{self.fixed}/"),
        }[self.kind]

    def document(self) -> dict[str, Any]:
        """As a person writes it."""
        provider, _, kind = self.kind.partition("/")
        metadata: dict[str, Any] = {"name": self.name, "dependsOn": list(self.needs)}
        if self.live_name and self.live_name != self.name:
            metadata["liveName"] = self.live_name
        lifecycle: dict[str, Any] = {}
        if self.former:
            lifecycle["renamedFrom"] = list(self.former)
        if self.adopt:
            lifecycle["adopt"] = self.adopt
        if self.state:
            lifecycle["runState"] = self.state
        if self.keep == "protect":
            lifecycle["preventDestroy"] = True
        if self.keep == "retain":
            lifecycle["onRemove"] = "retain"
        return {
            "apiVersion": f"{provider}/v1",
            "kind": kind,
            "metadata": {key: value for key, value in metadata.items() if value},
            **({"lifecycle": lifecycle} if lifecycle else {}),
            "spec": _SPEC[self.kind](self),
        }


def _theta(thing: Thing) -> dict[str, Any]:
    env = {"MODE": thing.knobs[1]}
    if thing.secret:
        env["TOKEN"] = '{{ secret("APP_TOKEN") }}'
    return {
        "template": "Triton Inference Server",
        "container_image": "thetalabs/triton:24.07",
        "vm_id": thing.machine,
        "min_replicas": 1,
        "env_vars": env,
    }


def _runai(thing: Thing) -> dict[str, Any]:
    env = [{"name": "A", "value": "1"}]
    if thing.secret:
        env.append({"name": "TOKEN", "value": '{{ secret("APP_TOKEN") }}'})
    if thing.refers:
        env.append({"name": "URL", "value": '{{ ref("' + thing.refers + '").endpoint }}'})
    return {
        "image": f"registry.example.com/llm:{thing.knobs[0]}",
        "servingPort": {"container": int(thing.knobs[1])},
        "compute": {"cpuCoreRequest": 1, "cpuMemoryRequest": "1Gi"},
        "autoscaling": {"minReplicas": 1, "maxReplicas": 1},
        "environmentVariables": env,
    }


def _service(thing: Thing) -> dict[str, Any]:
    return {
        "infer_type": "real-time",
        "description": "digits",
        "pool_name": thing.knobs[1],
        "config": [
            {
                "model_id": "0e07b41b-173e-42db-8c16-8e1b44cc0d44",
                "specification": "custom",
                "custom_spec": {"cpu": 1.5, "memory": 7500, "ascend_a310": 1},
                "instance_count": 1,
                "weight": 100,
                "envs": {"MODE": thing.knobs[0]},
            }
        ],
    }


def _notebook(thing: Thing) -> dict[str, Any]:
    return {
        "description": thing.knobs[0],
        "profile_id": "Multi-Engine 2.0 (python3)",
        "flavor": "modelarts.vm.cpu.2u",
        "spec": {"storage": {"type": "obs", "location": {"path": thing.knobs[1]}}},
    }


_SPEC: Final = dict(zip(KINDS, (_theta, _runai, _service, _notebook), strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """A whole spec, and where its ledger is."""

    things: Mapping[str, Thing] = field(default_factory=dict)
    kinds: tuple[str, ...] = KINDS
    home: str = "sqlite"
    machine: str = "vm_gv1"
    """Of Theta deployments; with `vm_gv2` they look like one that somebody else has."""
    used: frozenset[str] = frozenset()
    """Addresses that were ever used: a new thing gets a new one, because a machine of an old one may still live."""
    gone: tuple[Thing, ...] = ()
    """What was removed, and may come back as it was."""

    @property
    def addresses(self) -> frozenset[str]:
        return frozenset(self.things)


def _connections() -> dict[str, dict[str, str]]:
    """Providers as the emulator lets one in; secrets as references."""
    from reconciler.emulator.registry import modules  # noqa: PLC0415 - once

    told: dict[str, dict[str, str]] = {}
    for module in modules():
        part = dict(module.connection(BASE))
        if part:
            told.setdefault(module.name.partition("-")[0], {}).update(part)
    return told


@lru_cache(maxsize=1)
def credentials() -> dict[str, str]:
    """Environment variable → its value."""
    told = _connections()
    return {
        "THETA_API_KEY": told["theta"]["apiKey"],
        "RUNAI_CLIENT_SECRET": told["runai"]["clientSecret"],
        "MODELARTS_PASSWORD": told["modelarts"]["password"],
    }


@lru_cache(maxsize=64)
def _header(types: tuple[str, ...], home: str) -> bytes:
    told = _connections()
    times = {"requestTimeout": "60s", "commitDelay": "60s", "listLag": "60s", "pollInterval": "15s"}
    secret = '{{{{ secret("{}") }}}}'.format
    theta, runai, modelarts = told["theta"], told["runai"], told["modelarts"]
    providers = {
        "theta": {
            "type": "theta",
            **{key: theta[key] for key in ("endpoint", "apiEndpoint", "projectId")},
            "apiKey": secret("THETA_API_KEY"),
        },
        "runai": {
            "type": "runai",
            "version": "2.24",
            **{key: runai[key] for key in ("endpoint", "clientId", "project", "cluster")},
            "clientSecret": secret("RUNAI_CLIENT_SECRET"),
        },
        "modelarts": {
            "type": "modelarts",
            **{key: modelarts[key] for key in ("endpoint", "iamEndpoint", "projectId", "domain", "username")},
            "password": secret("MODELARTS_PASSWORD"),
        },
    }
    ledger = {"type": "git"} if home == "git" else {"type": "sqlite", "path": ".reconciler/ledger.db"}
    project = {
        "apiVersion": "reconciler/v1",
        "kind": "Project",
        "metadata": {"name": OWNER},
        "spec": {
            "secrets": [*credentials(), "APP_TOKEN"],
            "ledger": ledger,
            "providers": {name: one | times for name, one in providers.items() if name in types},
        },
    }
    return json.dumps(project).encode()


def compile_design(design: Design) -> Spec:
    """By the product's own eight steps, from texts in memory."""
    types = tuple(sorted({kind.partition("/")[0] for kind in design.kinds}))
    documents = tuple(json.dumps(thing.document()) for _, thing in sorted(design.things.items()))
    return _compiled(types, design.home, documents)


@lru_cache(maxsize=512)
def _compiled(types: tuple[str, ...], home: str, documents: tuple[str, ...]) -> Spec:
    return compile_all(
        SourceFile("reconciler.yaml", _header(types, home)),
        environment=None,
        settings={name: kind.settings for name, kind in _TYPES.items()},
        resources=[SourceFile(f"{index}.yaml", text.encode()) for index, text in enumerate(documents)],
        patches=[],
        kinds=[kind for one in _TYPES.values() for kind in one.kinds],
        schemas=load_schemas(),
    )


# -- random ones ----------------------------------------------------------------------------------------------------


def new_design(rng: random.Random, *, kinds: Sequence[str], home: str, most: int, machine: str = "vm_gv1") -> Design:
    """One to `most` resources of these kinds."""
    design = Design(kinds=tuple(kinds), home=home, machine=machine)
    for _ in range(rng.randint(1, most)):
        design = _add(rng, design)
    return design


def _add(rng: random.Random, design: Design) -> Design:
    kind = rng.choice(design.kinds)
    free = [f"{name}{number}" for number in ("", *range(2, 30)) for name in _NAMES]
    name = next(one for one in free if f"{kind}/{one}" not in design.used)
    others = sorted(design.things)
    thetas = [address for address in others if address.startswith("theta/")]
    thing = Thing(
        kind=kind,
        name=name,
        machine=design.machine,
        secret=rng.random() < 0.3,
        keep=rng.choices(("", "protect", "retain"), (10, 1, 1))[0],
        needs=(rng.choice(others),) if others and rng.random() < 0.35 else (),
        refers=rng.choice(thetas) if kind == KINDS[1] and thetas and rng.random() < 0.5 else "",
    )
    return replace(design, things={**design.things, thing.address: thing}, used=design.used | {thing.address})


def _without(things: Mapping[str, Thing], address: str) -> dict[str, Thing]:
    return {
        key: replace(
            one,
            needs=tuple(need for need in one.needs if need != address),
            refers="" if one.refers == address else one.refers,
        )
        for key, one in things.items()
        if key != address
    }


def edit(rng: random.Random, design: Design) -> tuple[Design, str]:
    """One edit by a person, and what it was."""
    what = rng.choices(("place", "fixed", "remove", "add", "rename", "restore", "state"), (4, 4, 2, 2, 1, 2, 2))[0]
    if what == "restore" and design.gone:
        *gone, thing = design.gone
        things = {**design.things, thing.address: replace(thing, needs=(), refers="")}
        return replace(design, things=things, gone=tuple(gone)), f"restore {thing.address}"
    if not design.things or (what == "add" and len(design.things) < 6):
        after = _add(rng, design)
        (address,) = after.addresses - design.addresses
        return after, f"add {address}"
    address = rng.choice(sorted(design.things))
    thing = design.things[address]
    if what == "remove" and len(design.things) > 1:
        return (
            replace(design, things=_without(design.things, address), gone=(*design.gone, thing)),
            f"remove {address}",
        )
    if what == "rename" and len(thing.former) < 2:
        return _rename(design, thing)
    if what == "state" and thing.kind in _STOPPABLE:
        changed = replace(thing, state=rng.choice([state for state in _STATES if state != thing.state]))
        what = f"state {changed.state or '(none)'}"
    elif what == "fixed":
        changed = replace(thing, fixed=rng.choice([n for n in (1, 2, 3) if n != thing.fixed]))
    else:
        changed = replace(thing, place=rng.choice([n for n in (1, 2, 3) if n != thing.place]))
    return replace(design, things={**design.things, address: changed}), f"{what} {address}"


def _rename(design: Design, thing: Thing) -> tuple[Design, str]:
    stem = thing.name.rstrip("0123456789")
    number = next(n for n in range(30, 99) if f"{thing.kind}/{stem}{n}" not in design.used)
    new = replace(thing, name=f"{stem}{number}", former=(*thing.former, thing.name))
    things = {
        (new.address if key == thing.address else key): (
            new
            if key == thing.address
            else replace(
                one,
                needs=tuple(new.address if need == thing.address else need for need in one.needs),
                refers=new.address if one.refers == thing.address else one.refers,
            )
        )
        for key, one in design.things.items()
    }
    return (
        replace(design, things=things, used=design.used | {new.address}),
        f"rename {thing.address} to {new.name}",
    )
