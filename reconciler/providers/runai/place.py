"""Project and cluster of an instance, from names or ids, and what is wrong with them. Source: runai §2."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.problems import Problem, nearest
from reconciler.providers.runai.client import RunaiClient
from reconciler.spec.resource import ProviderConfig

__all__ = ["Place", "find_place"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where resources live; an id is empty when it could not be found, and `problems` say why."""

    project_id: str = ""
    cluster_id: str = ""
    project: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


class _Search:
    def __init__(self, client: RunaiClient, config: ProviderConfig) -> None:
        self._client = client
        self._config = config
        self._settings = config.settings
        self.problems: list[Problem] = []

    def cluster_id(self) -> str:
        """The id of the cluster that the settings name; empty when they name none, or none exists."""
        told, name = self._settings.get("clusterId"), self._settings.get("cluster")
        if told:
            if self._client.cluster(str(told)) is None:
                clusters = [str(one.get("uuid")) for one in self._client.clusters()]
                self._unknown("cluster", f"there is no cluster with the id {told}", clusters, str(told))
                return ""
            return str(told)
        if not name:
            return ""
        clusters_named = {str(one.get("name")): str(one.get("uuid")) for one in self._client.clusters()}
        if name not in clusters_named:
            self._unknown("cluster", f"there is no cluster {name!r}", clusters_named, str(name))
        return clusters_named.get(str(name), "")

    def project(self, cluster_id: str) -> Mapping[str, Any] | None:
        """The one project that the settings name."""
        told, name = self._settings.get("projectId"), self._settings.get("project")
        if told:
            found = self._client.project(str(told))
            if found is None:
                ids = [str(one.get("id")) for one in self._client.projects()]
                self._unknown("project", f"there is no project with the id {told}", ids, str(told))
            return found
        named = self._client.projects(str(name)) if name else []
        here = [one for one in named if not cluster_id or one.get("clusterId") == cluster_id]
        if len(here) == 1:
            return here[0]
        if here:
            self._problem(
                "ambiguous-project",
                f"{len(here)} projects are named {name!r}",
                f"cluster to name one of the clusters {', '.join(sorted(str(one.get('clusterId')) for one in here))}",
            )
        elif named:
            elsewhere = ", ".join(sorted(str(one.get("clusterId")) for one in named))
            self._problem(
                "unknown-project", f"project {name!r} is not in this cluster", f"its own cluster: {elsewhere}"
            )
        else:
            names = [str(one.get("name")) for one in self._client.projects()]
            self._unknown(
                "project", f"there is no project {name!r}" if name else "no project is named", names, str(name)
            )
        return None

    def check_pair(self, project: Mapping[str, Any], cluster_id: str) -> None:
        """A project lives in one cluster."""
        own = str(project.get("clusterId") or "")
        if own and cluster_id and own != cluster_id and self._settings.get("projectId"):
            self._problem(
                "unknown-project",
                f"project {project.get('name')!r} is not in cluster {cluster_id}",
                f"its own cluster: {own}",
            )

    def _unknown(self, what: str, wrong: str, known: Iterable[str], word: str) -> None:
        names = sorted(set(known))
        self._problem(f"unknown-{what}", wrong, f"one of {', '.join(names[:12])}", nearest(word, names))

    def _problem(self, code: str, wrong: str, expected: str, near: str = "") -> None:
        self.problems.append(
            Problem(
                code=code,
                wrong=wrong,
                expected=expected,
                origin=self._config.origin,
                address=self._config.name,
                nearest=near,
            )
        )


def find_place(client: RunaiClient, config: ProviderConfig) -> Place:
    """Look project and cluster up.

    Raises:
        ProviderError: the control plane could not be read.
    """
    search = _Search(client, config)
    cluster_id = search.cluster_id()
    project = search.project(cluster_id)
    if project is not None:
        search.check_pair(project, cluster_id)
    found = project or {}
    return Place(
        project_id=str(found.get("id") or ""),
        cluster_id=cluster_id or str(found.get("clusterId") or ""),
        project=found,
        problems=tuple(search.problems),
    )
