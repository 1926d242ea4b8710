"""What the catalogue says of a deployment: errors, and doubts that stop nothing. Source: providers/theta.md §§3, 9."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Final

from reconciler.fields.normalise import normalise
from reconciler.problems import Problem, nearest
from reconciler.providers.theta.offer import Offer, Template
from reconciler.spec.resource import Resource
from reconciler.spec.values import is_pending

__all__ = ["judge"]

_JUPYTER: Final = "Jupyter"


def judge(resource: Resource, offer: Offer, *, strict_images: bool) -> Sequence[Problem]:
    """Unknown or ambiguous templates, images, machines; what the template asks for, and (a warning) what it suggests.

    Args:
        resource: A deployment.
        offer: What the account offers.
        strict_images: Whether an image must be one of the template's.
    """
    spec, found = resource.spec, _Findings(resource)
    for name in ("template", "deployment_template_id", "vm_id", "container_image"):
        if is_pending(spec.get(name)):
            found.add(name, "needs-literal", f"{name} is a reference", "a value that is known before the apply")
    template = _template(spec, offer, found)
    if template is not None:
        _check_template(spec, template, found)
        if strict_images:
            _check_image(spec, template, found)
    machine = spec.get("vm_id")
    if isinstance(machine, str) and machine not in offer.gpus:
        found.add("vm_id", "unknown-machine", f"there is no machine {machine!r}", _some(tuple(offer.gpus)), *offer.gpus)
    elif isinstance(machine, str) and template is not None and not offer.suffices(template, machine):
        found.doubt(
            "vm_id",
            "small-machine",
            f"machine {machine} has {_size(offer, machine)}, and template {template.name!r} suggests more",
            " or ".join(f"{one} ({_size(offer, one)})" for one in template.suggested if one in offer.memory)
            + ", or a larger one",
        )
    return found.problems


def _template(spec: Mapping[str, Any], offer: Offer, found: _Findings) -> Template | None:
    name, template_id = spec.get("template"), spec.get("deployment_template_id")
    if isinstance(template_id, str):
        if template_id not in offer.templates:
            found.add(
                "deployment_template_id",
                "unknown-template",
                f"there is no template with the id {template_id!r}",
                "the id of a standard template, or of a custom one of this project",
                *offer.templates,
            )
        return offer.templates.get(template_id)
    if not isinstance(name, str):
        return None
    ids = offer.ids_of(name)
    if len(ids) == 1:
        return offer.templates[ids[0]]
    if ids:
        choices = " or ".join(f"{item} ({'custom' if offer.templates[item].custom else 'standard'})" for item in ids)
        found.add(
            "template",
            "ambiguous-template",
            f"{len(ids)} templates are named {name!r}",
            f"deployment_template_id: {choices}",
        )
    else:
        wrong = f"there is no template {name!r}"
        found.add("template", "unknown-template", wrong, _some(sorted(offer.names)), *offer.names)
    return None


def _check_template(spec: Mapping[str, Any], template: Template, found: _Findings) -> None:
    if spec.get("container_image") is None and len(template.images) > 1:
        found.add(
            "container_image",
            "missing-field",
            f"template {template.name!r} has {len(template.images)} images",
            f"container_image to name one of {', '.join(template.images)}",
        )
    if template.needs_env and not spec.get("env_vars"):
        found.add(
            "env_vars",
            "missing-field",
            f"template {template.name!r} works with environment variables only",
            "env_vars to set them",
        )
    if spec.get("password") is not None and not template.name.startswith(_JUPYTER):
        found.add(
            "password",
            "not-allowed-here",
            f"template {template.name!r} takes no password",
            "a Jupyter template; basic authentication is auth_username and auth_password",
        )


def _check_image(spec: Mapping[str, Any], template: Template, found: _Findings) -> None:
    image = spec.get("container_image")
    known = {normalise("image", item) for item in template.images}
    if isinstance(image, str) and known and normalise("image", image) not in known:
        found.add(
            "container_image",
            "unknown-image",
            f"{image!r} is no image of template {template.name!r}",
            f"one of {', '.join(template.images)}; or imageCheck: off for the provider",
            *template.images,
        )


class _Findings:
    """Collects located problems of one resource."""

    def __init__(self, resource: Resource) -> None:
        self._resource = resource
        self.problems: list[Problem] = []

    def doubt(self, path: str, code: str, wrong: str, expected: str) -> None:
        """One warning at a field of `spec`."""
        self.add(path, code, wrong, expected)
        self.problems[-1] = dataclasses.replace(self.problems[-1], warning=True)

    def add(self, path: str, code: str, wrong: str, expected: str, *candidates: str) -> None:
        """One problem at a field of `spec`; the nearest of `candidates` is offered."""
        written = self._resource.spec.get(path)
        self.problems.append(
            Problem(
                code=code,
                wrong=wrong,
                expected=expected,
                origin=self._resource.origin_of("spec", path),
                address=self._resource.address,
                nearest=nearest(written, candidates) if isinstance(written, str) else "",
            )
        )


def _size(offer: Offer, machine: str) -> str:
    """GPUs and memory of a machine, for eyes. Units: theta §9."""
    gpus, memory = offer.gpus.get(machine, 0), offer.memory.get(machine)
    return f"{gpus or 'no'} GPU{'' if gpus == 1 else 's'}" + (f", {memory} MB" if memory else "")


def _some(names: Sequence[str]) -> str:
    shown = names[:12]
    return f"one of {', '.join(shown)}" + (", …" if len(names) > len(shown) else "")
