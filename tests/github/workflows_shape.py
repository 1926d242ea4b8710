"""What a workflow or an action may look like. A key that is not known here is an error, never skipped."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.github.workflows_expressions import Known, Scope, WorkflowError, as_text, tree

# -- keys ---------------------------------------------------------------------------------------------------------

_ACTION = frozenset({"name", "description", "author", "branding", "inputs", "outputs", "runs"})
_CALL_JOB = frozenset({"name", "uses", "with", "secrets", "needs", "if", "permissions", "strategy", "concurrency"})
_COMMON_STEP = frozenset({"name", "id", "if", "env", "continue-on-error"})
_INPUT = frozenset({"description", "type", "required", "default", "options", "deprecationMessage"})
_JOB = frozenset(
    {"name", "needs", "if", "permissions", "strategy", "concurrency", "runs-on", "environment", "env", "outputs"}
    | {"defaults", "timeout-minutes", "continue-on-error", "steps"}
)
_RUN_STEP = _COMMON_STEP | {"run", "shell", "working-directory"}
_USE_STEP = _COMMON_STEP | {"uses", "with"}
_WORKFLOW = frozenset({"name", "run-name", "on", "permissions", "env", "defaults", "concurrency", "jobs"})

# -- contexts, by GitHub's page "Contexts reference", section "Context availability" ---------------------------------

_PLANNED = frozenset({"github", "needs", "strategy", "matrix", "vars", "inputs"})
_RUNNING = _PLANNED | {"job", "runner", "env", "steps"}
AVAILABLE = {
    "workflow.env": frozenset({"github", "secrets", "inputs", "vars"}),
    "workflow.concurrency": frozenset({"github", "inputs", "vars"}),
    "workflow.outputs": frozenset({"github", "jobs", "vars", "inputs"}),
    "job.if": frozenset({"github", "needs", "vars", "inputs"}),
    "job.strategy": frozenset({"github", "needs", "vars", "inputs"}),
    "job.env": _PLANNED | {"secrets"},
    "job.secrets": _PLANNED | {"secrets"},
    "job.defaults": _PLANNED | {"env"},
    "job.outputs": _RUNNING | {"secrets"},
    "job": _PLANNED,  # name, with, environment, concurrency, runs-on, timeout-minutes, continue-on-error
    "step.if": _RUNNING,
    "step": _RUNNING | {"secrets"},
    "action": frozenset({"github", "strategy", "matrix", "job", "runner", "env", "steps", "inputs"}),
}

# -- permissions --------------------------------------------------------------------------------------------------

_LEVELS = ("none", "read", "write")
_SCOPES = frozenset(
    {"actions", "attestations", "checks", "contents", "deployments", "discussions", "id-token", "issues", "models"}
    | {"packages", "pages", "pull-requests", "repository-projects", "security-events", "statuses"}
)
RESTRICTED = {"contents": "read", "packages": "read"}
"""What a token may where nothing is declared, in a repository with GitHub's default setting."""


class _Loader(yaml.SafeLoader):
    """YAML 1.2's booleans, as the runner reads them: `on` is a key like any other. A key twice is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        keys = [key.value for key, _ in node.value]
        if len(keys) != len(set(keys)):
            raise WorkflowError(f"a key stands twice{node.start_mark}")
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern) for tag, pattern in found if tag not in {"tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp"}
    ]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile("^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


def read(text: str) -> dict[str, Any]:
    """A workflow or an action as it stands in its file."""
    found = yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader with fewer types
    if not isinstance(found, dict):
        raise WorkflowError("no mapping")
    return found


@dataclass(frozen=True)
class Source:
    """Where a workflow or an action is from: `$/` leads there."""

    repository: str
    sha: str
    root: Path


def check_keys(found: Any, allowed: frozenset[str], where: str) -> None:
    """Each key of this mapping is known, or it is an error."""
    if not isinstance(found, dict):
        raise WorkflowError(f"{where}: no mapping: {found!r}")
    if unknown := sorted(map(str, set(found) - allowed)):
        raise WorkflowError(f"{where}: not known: {', '.join(unknown)}")


def check_workflow(flow: Mapping[str, Any], where: str) -> None:
    """The keys of a workflow, its jobs and steps.

    Raises:
        WorkflowError: a key that is not known here, a job without steps, a need that no job answers.
    """
    check_keys(flow, _WORKFLOW, where)
    events = triggers(flow)
    for event in ("workflow_call", "workflow_dispatch"):
        declared = events.get(event) or {}
        check_keys(declared, frozenset({"inputs", "secrets", "outputs"}), f"{where}: on.{event}")
        for name, found in (declared.get("inputs") or {}).items():
            check_keys(found or {}, _INPUT, f"{where}: input {name}")
    for name, job in flow["jobs"].items():
        place = f"{where}: job {name}"
        check_keys(job, _CALL_JOB if "uses" in job else _JOB, place)
        check_keys(job.get("strategy", {}), frozenset({"matrix", "fail-fast", "max-parallel"}), f"{place}: strategy")
        if missing := set(needs(job)) - set(flow["jobs"]):
            raise WorkflowError(f"{place}: needs {missing}")
        if "uses" not in job:
            if "runs-on" not in job or not job.get("steps"):
                raise WorkflowError(f"{place}: without runs-on or steps")
            check_steps(job["steps"], place)


def read_workflow(source: Source, path: str) -> dict[str, Any]:
    """A workflow of this source, checked.

    Raises:
        WorkflowError: it is not there, or something in it is not known.
    """
    file = source.root / path
    if not file.is_file():
        raise WorkflowError(f"{source.repository} has no {path}")
    flow = read(file.read_text(encoding="utf-8"))
    check_workflow(flow, path)
    return flow


def check_steps(steps: Any, where: str, *, composite: bool = False) -> None:
    """The keys of steps; a composite action must name the shell."""
    ids = [step["id"] for step in steps if "id" in step]
    if len(ids) != len(set(ids)):
        raise WorkflowError(f"{where}: an id twice: {ids}")
    for number, step in enumerate(steps, 1):
        place = f"{where}: step {step.get('name', number)}"
        if ("run" in step) == ("uses" in step):
            raise WorkflowError(f"{place}: either run or uses")
        extra = frozenset() if composite else frozenset({"timeout-minutes"})
        check_keys(step, (_RUN_STEP if "run" in step else _USE_STEP) | extra, place)
        if composite and "run" in step and "shell" not in step:
            raise WorkflowError(f"{place}: a composite action must name the shell")
        if step.get("shell", "bash") != "bash":
            raise WorkflowError(f"{place}: the shell {step['shell']!r} is not known")


def check_action(action: Mapping[str, Any], where: str) -> None:
    """The keys of a composite action; no other kind is known."""
    check_keys(action, _ACTION, where)
    check_keys(action["runs"], frozenset({"using", "steps"}), f"{where}: runs")
    if action["runs"]["using"] != "composite":
        raise WorkflowError(f"{where}: only composite actions are known")
    for name, found in (action.get("inputs") or {}).items():
        check_keys(found or {}, _INPUT - {"type", "options"}, f"{where}: input {name}")
    for name, found in (action.get("outputs") or {}).items():
        check_keys(found, frozenset({"description", "value"}), f"{where}: output {name}")
    check_steps(action["runs"]["steps"], where, composite=True)


def triggers(flow: Mapping[str, Any]) -> dict[str, Any]:
    """`on` as a mapping."""
    found = flow["on"]
    if isinstance(found, str):
        return {found: None}
    return dict.fromkeys(found) if isinstance(found, list) else dict(found)


def needs(job: Mapping[str, Any]) -> list[str]:
    """The jobs that must be over before this one."""
    found = job.get("needs", [])
    return [found] if isinstance(found, str) else list(found)


def in_order(jobs: Mapping[str, Any]) -> list[str]:
    """The jobs, each after those that it needs."""
    done: list[str] = []
    while len(done) < len(jobs):
        ready = [name for name in jobs if name not in done and set(needs(jobs[name])) <= set(done)]
        if not ready:
            raise WorkflowError(f"jobs need one another in a circle: {sorted(set(jobs) - set(done))}")
        done.append(ready[0])
    return done


def permissions(found: Any, where: str) -> dict[str, str]:
    """Scope → level, without those that are `none`."""
    if isinstance(found, str) and found in {"read-all", "write-all"}:
        return dict.fromkeys(_SCOPES, found.removesuffix("-all"))
    check_keys(found, _SCOPES, f"{where}: permissions")
    if wrong := sorted(map(str, set(found.values()) - set(_LEVELS))):
        raise WorkflowError(f"{where}: permissions: not known: {wrong}")
    return {name: level for name, level in found.items() if level != "none"}


def exceeding(wanted: Mapping[str, str], ceiling: Mapping[str, str]) -> list[str]:
    """What is wanted beyond what the caller may give."""
    return sorted(
        f"{name}: {level}"
        for name, level in wanted.items()
        if _LEVELS.index(level) > _LEVELS.index(ceiling.get(name, "none"))
    )


def combinations(strategy: Mapping[str, Any], scope: Scope) -> list[dict[str, Any]]:
    """The combinations of a matrix; one empty one without a matrix."""
    matrix = tree(strategy.get("matrix", {}), scope)
    check_keys(matrix, frozenset(matrix) - {"include", "exclude"}, "matrix")
    for name, values in matrix.items():
        if not isinstance(values, list) or not values:
            raise WorkflowError(f"matrix: {name} is no list, or an empty one: {values!r}")
    return [dict(zip(matrix, found, strict=True)) for found in itertools.product(*matrix.values())]


def typed_inputs(declared: Mapping[str, Any], given: Mapping[str, Any], where: str) -> Known:
    """The inputs of a reusable workflow or a run by hand.

    Raises:
        WorkflowError: one that is not declared, of another type, or missing.
    """
    if unknown := sorted(set(given) - set(declared)):
        raise WorkflowError(f"{where}: no such input: {', '.join(unknown)}")
    found = Known()
    for name, about in declared.items():
        facts = about or {}
        kind = facts.get("type", "string")
        if name not in given and facts.get("required") and "default" not in facts:
            raise WorkflowError(f"{where}: the input {name} is missing")
        value = given.get(name, facts.get("default", {"boolean": False, "number": 0}.get(kind, "")))
        fits = {"boolean": isinstance(value, bool), "number": isinstance(value, (int, float)), "string": True}
        if not fits.get(kind, kind == "choice" and value in facts.get("options", [])):
            raise WorkflowError(f"{where}: the input {name} must be a {kind}, not {value!r}")
        found[name] = value if kind in {"boolean", "number"} else as_text(value)
    return found
