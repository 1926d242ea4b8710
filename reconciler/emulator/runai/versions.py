"""What each control-plane release can do. Source: runai §0.1, §6."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from reconciler.emulator.store import Tx

__all__ = ["NAME", "PATCHABLE", "RELEASES", "Release", "has", "release_of"]

NAME: Final = "runai"
"""Key of this module's switches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One row of the capability matrix. `patch` is the success status, 0 for no route."""

    version: str
    create: int = 202
    delete: int = 202
    patch: int = 202
    revisions: bool = True
    batch: tuple[str, ...] = ("delete", "suspend", "resume")
    search: bool = True
    client_credentials: bool = True
    token_v2: bool = False


RELEASES: Final = {
    release.version: release
    for release in (
        Release(
            version="2.18",
            create=200,
            delete=204,
            patch=0,
            revisions=False,
            batch=(),
            search=False,
            client_credentials=False,
        ),
        Release(
            version="2.19",
            create=200,
            delete=204,
            patch=200,
            revisions=False,
            batch=("delete",),
            search=False,
            client_credentials=False,
        ),
        Release(version="2.20", delete=204, patch=200, revisions=False, batch=("delete",)),
        Release(version="2.21", patch=200, batch=("delete",)),
        Release(version="2.22"),
        Release(version="2.23"),
        Release(version="2.24", token_v2=True),
    )
}

PATCHABLE: Final = {
    "args": "2.19",
    "autoscaling": "2.19",
    "command": "2.19",
    "createHomeDir": "2.19",
    "environmentVariables": "2.19",
    "image": "2.19",
    "imagePullPolicy": "2.19",
    "probes": "2.19",
    "workingDir": "2.19",
    "compute": "2.21",
    "nodePools": "2.21",
    "nodeType": "2.21",
    "podAffinity": "2.21",
    "category": "2.22",
    "nodeAffinityRequired": "2.22",
    "priorityClass": "2.22",
    "servingConfiguration": "2.22",
    "imagePullSecrets": "2.24",
    "preemptibility": "2.24",
}
"""Keys of `spec` that a PATCH takes, and the first release that takes them. Source: runai §6."""


def release_of(tx: Tx) -> Release:
    """The release that the switch `version` asks for; an unknown one behaves as the newest."""
    return RELEASES.get(str(tx.switch(NAME, "version")), RELEASES["2.24"])


@cache  # asked two hundred times a create
def has(version: str, since: str = "", until: str = "") -> bool:
    """Whether a release lies between two others, both included; empty means open."""
    present = _parts(version)
    return (not since or present >= _parts(since)) and (not until or present <= _parts(until))


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
