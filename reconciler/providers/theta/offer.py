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


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Templates by id, and machines: price per hour in the project's own units, and number of GPUs."""

    templates: Mapping[str, Template]
    prices: Mapping[str, Decimal]
    gpus: Mapping[str, int]
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
    for machine in machines:
        vm_id, resources = str(machine["id"]), machine.get("resources")
        gpus[vm_id] = _count(resources.get("gpu")) if isinstance(resources, Mapping) else 0
        price = _decimal(machine.get("price_hour"))
        if price is not None:
            prices[vm_id] = price
    return Offer(templates=templates, prices=prices, gpus=gpus)


def _template(item: Mapping[str, Any], *, custom: bool) -> Template:
    return Template(
        id=str(item["id"]),
        name=str(item.get("name") or ""),
        images=tuple(str(image) for image in item.get("container_images") or ()),
        needs_env=item.get("require_env_vars") is True,
        custom=custom,
    )


def _decimal(value: Any) -> Decimal | None:
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _count(value: Any) -> int:
    return int(value) if str(value or "").isdigit() else 0
