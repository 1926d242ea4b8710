"""What an account offers: templates and machines, as parsed data. Source: providers/theta.md §9."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from reconciler.fields.normalise import normalise

__all__ = ["Offer", "Template", "read_offer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """What a deployment may be made from."""

    id: str
    name: str
    images: tuple[str, ...]
    needs_env: bool
    custom: bool
    suggested: tuple[str, ...] = ()
    """The smallest machines that suit it; mostly none for a custom one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Templates by id, and machines: price per hour in the project's own units, number of GPUs, memory in MB."""

    templates: Mapping[str, Template]
    prices: Mapping[str, Decimal]
    gpus: Mapping[str, int]
    memory: Mapping[str, int] = field(default_factory=dict)
    _ids: dict[str, list[str]] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        for template in self.templates.values():
            self._ids.setdefault(template.name, []).append(template.id)

    def ids_of(self, name: str) -> tuple[str, ...]:
        """The templates of this name: a standard and a custom one may share it."""
        return tuple(self._ids.get(name, ()))

    def image(self, template_id: str, written: str) -> str:
        """An image as the template spells it, where both mean the same (`jupyter/x` is `jupyter/x:latest`)."""
        template = self.templates.get(template_id)
        meant = normalise("image", written)
        images = template.images if template else ()
        if written in images:
            return written
        return next((image for image in images if normalise("image", image) == meant), written)

    def suffices(self, template: Template, machine: str) -> bool:
        """Whether a machine has the GPUs and the memory of one that the template suggests; also when nobody knows."""
        known = [one for one in template.suggested if one in self.memory]
        has = self.gpus.get(machine, 0), self.memory.get(machine, 0)
        return not known or any(has[0] >= self.gpus[one] and has[1] >= self.memory[one] for one in known)

    @property
    def names(self) -> tuple[str, ...]:
        """All template names."""
        return tuple(self._ids)


def read_offer(
    standard: Sequence[Mapping[str, Any]], custom: Sequence[Mapping[str, Any]], machines: Sequence[Mapping[str, Any]]
) -> Offer:
    """Wire items as one offer; items have an `id`. A price is read as a decimal, never as a float."""
    templates: dict[str, Template] = {}
    for items, is_custom in ((standard, False), (custom, True)):
        for item in items:
            templates.setdefault(str(item["id"]), _template(item, custom=is_custom))
    prices: dict[str, Decimal] = {}
    gpus: dict[str, int] = {}
    memory: dict[str, int] = {}
    for machine in machines:
        vm_id, resources = str(machine["id"]), machine.get("resources")
        gpus[vm_id] = _count(resources.get("gpu")) if isinstance(resources, Mapping) else 0
        if isinstance(resources, Mapping) and _count(resources.get("mem")):
            memory[vm_id] = _count(resources["mem"])
        price = _decimal(machine.get("price_hour"))
        if price is not None:
            prices[vm_id] = price
    return Offer(templates=templates, prices=prices, gpus=gpus, memory=memory)


def _template(item: Mapping[str, Any], *, custom: bool) -> Template:
    return Template(
        id=str(item["id"]),
        name=str(item.get("name") or ""),
        images=tuple(str(image) for image in item.get("container_images") or ()),
        needs_env=item.get("require_env_vars") is True,
        custom=custom,
        suggested=tuple(str(vm) for vm in item.get("suggested_vms") or ()),
    )


def _decimal(value: Any) -> Decimal | None:
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _count(value: Any) -> int:
    return int(value) if str(value or "").isdigit() else 0
