"""Rules across the fields of `spec.storage`. Source: runai §3.5."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from reconciler.fields import Finding
from reconciler.fields.rule import release
from reconciler.providers.runai.versions import version_of
from reconciler.spec.values import is_pending

__all__ = ["storage"]


def storage(document: Mapping[str, Any], settings: Mapping[str, Any]) -> Iterable[Finding]:
    """Claims, host paths, credentials of git, names by release."""
    section = (document.get("spec") or {}).get("storage")
    if not isinstance(section, Mapping):
        return
    version = version_of(settings)
    for path, item in _items(section, "pvc"):
        yield from _claim(path, item)
        yield from _dots(f"{path}.claimInfo.storageClass", _mapping(item.get("claimInfo")).get("storageClass"), version)
    for path, item in _items(section, "configMapVolume"):
        yield from _dots(f"{path}.configMap", item.get("configMap"), version)
    for path, item in _items(section, "git"):
        if item.get("secretRef") is not None:
            yield from _two_credentials(path, item)
    for path, item in _items(section, "hostPath"):
        if item.get("readOnly") is None and item.get("exclude") is not True:
            yield Finding(
                code="missing-field",
                path=path,
                wrong="a host path has no readOnly, and the vendor's pages contradict one another about its default",
                expected="readOnly: true or false",
            )


def _claim(path: str, item: Mapping[str, Any]) -> Iterator[Finding]:
    if item.get("exclude") is True:
        return
    existing, info = item.get("existingPvc"), item.get("claimInfo")
    if item.get("ephemeral") is True:
        yield Finding(
            code="not-supported",
            path=f"{path}.ephemeral",
            wrong="an inference takes no ephemeral claim",
            expected="ephemeral: false, or emptyDirVolume",
        )
    if existing is True and info is not None:
        yield Finding(
            code="not-allowed-here",
            path=f"{path}.claimInfo",
            wrong="claimInfo is written for a claim that exists already",
            expected="existingPvc: false, or no claimInfo",
        )
    if existing is True and item.get("claimName") is None:
        yield Finding(
            code="missing-field",
            path=path,
            wrong="a claim that exists already has no claimName",
            expected="claimName",
        )
    size = info.get("size") if isinstance(info, Mapping) else None
    if not existing and not is_pending(existing) and size is None:
        yield Finding(
            code="missing-field",
            path=f"{path}.claimInfo" if info is not None else path,
            wrong="a new claim has no size",
            expected="claimInfo: {size: 20Gi}",
        )


def _dots(path: str, name: Any, version: str) -> Iterator[Finding]:
    """A name that Kubernetes takes, and the API from 2.23 on does not. Source: runai §3.2, its client's models."""
    if isinstance(name, str) and "." in name and release(version) >= release("2.23"):
        yield Finding(
            code="not-in-version",
            path=path,
            wrong=f"{name!r} has a dot, which Run:ai {version} does not take in such a name",
            expected="lowercase letters, digits and hyphens (dots up to 2.22)",
        )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _two_credentials(path: str, item: Mapping[str, Any]) -> Iterator[Finding]:
    old = next((name for name in ("passwordSecret", "secretKeyOfUser", "secretKeyOfPassword") if item.get(name)), "")
    if old:
        yield Finding(
            code="not-allowed-here",
            path=f"{path}.{old}",
            wrong=f"{old} and secretRef are two ways to say one thing",
            expected="one of the two",
            others=(f"{path}.secretRef",),
        )


def _items(section: Mapping[str, Any], name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    value = section.get(name)
    for index, item in enumerate(value if isinstance(value, list | tuple) else ()):
        if isinstance(item, Mapping):
            yield f"storage.{name}[{index}]", item
