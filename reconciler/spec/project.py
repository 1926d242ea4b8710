"""`reconciler.yaml` → `Project` for one environment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from reconciler.fields.setting import Setting
from reconciler.problems import Origin, Problem, Problems, SpecError, nearest
from reconciler.spec.document import Node, SourceFile, labelled
from reconciler.spec.load import load_one
from reconciler.spec.patch import merge_patch, merge_values, set_path
from reconciler.spec.project_schema import PROJECT_FILE, PROJECT_SCHEMA
from reconciler.spec.resource import DAYS, Limit, Project, ProviderConfig, Safety, Window
from reconciler.spec.settings import provider_config
from reconciler.spec.strict import SchemaSet
from reconciler.spec.template import Renderer, Scope

__all__ = ["ProjectHeader", "load_project", "read_project_header"]

_NO_ZONES: Final = {"localtime", "posixrules", "Factory"}
"""Files of a time zone database that say something else on each machine, or nothing."""
_SCHEMAS: Final = SchemaSet.of(
    {PROJECT_FILE: PROJECT_SCHEMA, "common.json": {"$id": "common.json", "$defs": {"template": {}}}}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectHeader:
    """What has to be known before further files are read.

    Attributes:
        name: The project's name.
        resources: Paths of files and folders, relative to `reconciler.yaml`, with the place where each is written
            (`None` for the default, which may be missing).
        environments: Names in file order; `default_environment` is one of them or empty.
    """

    name: str
    resources: tuple[tuple[str, Origin | None], ...]
    environments: tuple[str, ...]
    default_environment: str
    origin: Origin

    def choose(self, environment: str | None) -> str:
        """The environment to use: the one asked for, else the default, else (without any) none: an empty text.

        Raises:
            SpecError: `unknown-environment`, `environment-needed`.
        """
        if environment:
            if environment in self.environments:
                return environment
            listed = f"one of {', '.join(self.environments)}" if self.environments else "no -e: the project has none"
            raise SpecError(
                [
                    Problem(
                        code="unknown-environment",
                        wrong=f"there is no environment {environment!r}",
                        expected=listed,
                        origin=self.origin,
                        nearest=nearest(environment, self.environments),
                    )
                ]
            )
        if self.environments and not self.default_environment:
            raise SpecError(
                [
                    Problem(
                        code="environment-needed",
                        wrong="no environment is chosen",
                        expected=f"-e with one of {', '.join(self.environments)}, or spec.defaultEnvironment",
                        origin=self.origin,
                    )
                ]
            )
        return self.default_environment


def read_project_header(file: SourceFile) -> ProjectHeader:
    """Read what names further files.

    Raises:
        SpecError: all problems of `reconciler.yaml` that need no environment to be seen.
    """
    return _header(_read(file))


def load_project(
    file: SourceFile,
    *,
    environment: str | None,
    settings: Mapping[str, Sequence[Setting]],
    values_files: Sequence[SourceFile] = (),
    sets: Sequence[str] = (),
    problems: Problems | None = None,
) -> Project:
    """Make the project of one environment.

    Args:
        file: `reconciler.yaml`.
        environment: The one asked for, or none for the default.
        settings: Provider type → its own settings; the common ones and `endpoint` come on top.
        values_files: `values/<environment>.yaml` first, then `--values` in order; later wins.
        sets: `--set` texts, `a.b[0]=c`; later wins, over all files.
        problems: Takes what is wrong with values and provider settings, instead of raising it, so that the caller can
            go on to the resources and tell everything at once.

    Raises:
        SpecError: with all problems found.
    """
    root = _read(file)
    header = _header(root)
    chosen = header.choose(environment)
    found = Problems() if problems is None else problems
    spec = root.value["spec"]
    variant = (spec.get("environments", chosen) if chosen else None) or Node({}, spec.origin)
    before = len(found)
    values = _values(spec, variant, values_files, sets, found)
    whole = len(found) == before
    secrets = frozenset(node.value for node in (spec.get("secrets") or Node((), spec.origin)).value)
    providers = _providers(spec, variant, settings, secrets, found)
    _check_ledger(spec.get("ledger", "path"), found)
    safety = _safety(spec, variant, found)
    if problems is None or not whole:
        found.raise_if_any()  # without its values, a spec would be full of mistakes that nobody made
    former = root.get("metadata", "formerOwners")
    default = spec.get("defaultEnvironment")
    ledger = spec.get("ledger")
    return Project(
        name=header.name,
        environment=chosen,
        environments=header.environments,
        providers=providers,
        secrets=secrets,
        values=values.plain(),
        safety=safety,
        ledger={"type": "sqlite"} if ledger is None else ledger.plain(),
        former_owners=() if former is None else tuple(former.plain()),
        origin=root.origin,
        defaults=dict((spec.get("defaults") or Node({}, spec.origin)).entries()),
        values_node=values,
        chosen_at=Origin("-e", 0, 0) if environment or default is None else default.origin,
    )


def _read(file: SourceFile) -> Node:
    problems = Problems()
    root = load_one(file, problems)
    if root is None and not problems:
        wanted = "apiVersion: reconciler/v1, kind: Project, metadata and spec"
        problems.add(
            Problem(code="missing-field", wrong="the file is empty", expected=wanted, origin=Origin(file.path))
        )
    problems.raise_if_any()
    if root is None or not root.is_map:
        place = Origin(file.path) if root is None else root.origin
        problems.add(Problem(code="wrong-type", wrong="this is no map", expected="a project document", origin=place))
        problems.raise_if_any()
    assert root is not None  # noqa: S101 - for the type checker: the line above raises
    fitted, found, _paths = _SCHEMAS.check(root, PROJECT_FILE)
    problems.extend(found)
    if not found:
        _check_names(fitted, problems)
    problems.raise_if_any()
    return fitted


def _check_names(root: Node, problems: Problems) -> None:
    spec = root.value["spec"]
    default, environments = (
        spec.get("defaultEnvironment"),
        (spec.get("environments") or Node({}, root.origin)).entries(),
    )
    if default is not None and default.value not in environments:
        problems.add(
            Problem(
                code="unknown-environment",
                wrong=f"defaultEnvironment is {default.value!r}",
                expected=f"one of {', '.join(environments) or 'the environments, but there are none'}",
                origin=default.origin,
                nearest=nearest(default.value, environments),
            )
        )
    for node in (spec.get("resources") or Node((), root.origin)).value:
        _check_inside(node, "a resource path", problems)


def _check_ledger(path: Node | None, problems: Problems) -> None:
    if path is not None:
        _check_inside(path, "the ledger's path", problems)


def _check_inside(node: Node, what: str, problems: Problems) -> None:
    """Nothing in a spec reaches outside its project."""
    parts = node.value.replace("\\", "/").split("/")
    if node.value.startswith(("/", "\\", "~")) or ".." in parts or ":" in parts[0] or "\0" in node.value:
        problems.add(
            Problem(
                code="path-outside",
                wrong=f"{what} leads outside the project: {node.value!r}",
                expected="a path below the folder of reconciler.yaml, with /",
                origin=node.origin,
            )
        )


def _header(root: Node) -> ProjectHeader:
    spec = root.value["spec"]
    resources = spec.get("resources")
    default = spec.get("defaultEnvironment")
    environments = spec.get("environments")
    paths: tuple[tuple[str, Origin | None], ...] = (("resources/", None),)
    if resources is not None:
        paths = tuple((node.value, node.origin) for node in resources.value)
    return ProjectHeader(
        name=root.value["metadata"].value["name"].value,
        resources=paths,
        environments=() if environments is None else tuple(environments.value),
        default_environment="" if default is None else default.value,
        origin=root.origin,
    )


def _values(spec: Node, variant: Node, files: Sequence[SourceFile], sets: Sequence[str], problems: Problems) -> Node:
    merged = Node({}, spec.origin)
    layers = [("values", spec.get("values")), ("environment", variant.get("values"))]
    layers += [("file", load_one(file, problems)) for file in files]
    for label, layer in layers:
        if layer is not None and not layer.is_map:
            problems.add(
                Problem(code="wrong-type", wrong="values are no map", expected="names with values", origin=layer.place)
            )
        elif layer is not None:
            merged = merge_values(merged, labelled(layer, label))
    for text in sets:
        try:
            merged = set_path(merged, text)
        except ValueError as error:
            name = text.partition("=")[0]
            wanted = "path=value, such as replicas=2, gpu.model=a100 or teams[0]=ann"
            problems.add(
                Problem(code="bad-set", wrong=str(error), expected=wanted, origin=Origin(f"--set {name[:40]}", 0, 0))
            )
    return merged


def _providers(
    spec: Node,
    variant: Node,
    settings: Mapping[str, Sequence[Setting]],
    secrets: frozenset[str],
    problems: Problems,
) -> dict[str, ProviderConfig]:
    base = spec.value["providers"].entries()
    over = (variant.get("providers") or Node({}, spec.origin)).entries()
    merged = dict(base)
    for name, entry in over.items():
        if name not in base and entry.get("type") is None:
            problems.add(
                Problem(
                    code="unknown-provider",
                    wrong=f"there is no provider {name!r} to change",
                    expected=f"one of {', '.join(base)}, or a type for a new one",
                    origin=entry.key or entry.origin,
                    nearest=nearest(name, base),
                )
            )
            continue
        patched = merge_patch(base.get(name), labelled(entry, "environment"))
        merged[name] = patched._replace(key=base[name].key if name in base else entry.key)
    render = Renderer(secrets, problems, references=False)
    result: dict[str, ProviderConfig] = {}
    for name, node in merged.items():
        before = len(problems)
        rendered = render.render(node, Scope.of())
        failed = len(problems) > before  # what could not be rendered is told once
        config = provider_config(name, rendered, settings, Problems() if failed else problems)
        if config is not None:
            result[name] = replace(config, node=rendered)
    return result


def _safety(spec: Node, variant: Node, problems: Problems) -> Safety:
    """The project's limits; what the environment says of one takes its place."""
    node = variant.get("safety", "maxDeletes") or spec.get("safety", "maxDeletes")
    listed = variant.get("safety", "windows") or spec.get("safety", "windows")
    windows = tuple(_window(each, problems) for each in listed.value) if listed is not None else ()
    if node is None:
        return Safety(windows=windows)
    value: Any = node.value
    if isinstance(value, int):
        return Safety(max_deletes=Limit(count=int(value), origin=node.origin), windows=windows)
    share = Decimal(value.removesuffix("%"))
    return Safety(max_deletes=Limit(percent=share, origin=node.origin), windows=windows)


def _window(node: Node, problems: Problems) -> Window:
    """One window; its shape fits the schema already.

    Problems: `unknown-timezone`.
    """
    plain = node.plain()
    zone = plain.get("timezone", "UTC")
    from zoneinfo import available_timezones  # noqa: PLC0415 - 3 ms, and few projects have windows

    known = available_timezones() - _NO_ZONES  # asked for by name alone: a path is none
    if zone not in known:
        problems.add(
            Problem(
                code="unknown-timezone",
                wrong=f"there is no time zone {zone!r}",
                expected="a name of the IANA database, such as Europe/Berlin or UTC",
                origin=(node.get("timezone") or node).origin,
                nearest=nearest(zone, sorted(known)),
            )
        )
    return Window(
        begin=dt.time.fromisoformat(plain["from"]),
        end=dt.time.fromisoformat(plain["to"]),
        days=tuple(plain.get("days", DAYS)),
        timezone=zone,
        origin=node.origin,
    )
