"""The steps of one job, on a machine of its own: real bash, real GITHUB_* files, an environment with nothing else."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.github.workflows_actions import ActionFailed, act
from tests.github.workflows_expressions import Known, Scope, WorkflowError, as_text, condition, tree, value
from tests.github.workflows_files import read_files, read_log
from tests.github.workflows_results import Annotation, Job, Run, Step
from tests.github.workflows_shape import AVAILABLE, Source, check_action, read

if TYPE_CHECKING:
    from tests.github.runner import Runner


@dataclass
class Bench:
    """One job's machine.

    Attributes:
        contexts: What the job's expressions see besides env, steps, job.
        env: The variables of the workflow, the job, and GITHUB_ENV. `paths`: those of GITHUB_PATH, the last one first.
    """

    runner: Runner
    run: Run
    job: Job
    source: Source
    contexts: dict[str, Any]
    place: Path
    env: dict[str, str] = field(default_factory=dict)
    defaults: dict[str, str] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)
    failed: bool = False

    @property
    def github(self) -> Mapping[str, Any]:
        """The context of this name."""
        return self.contexts["github"]  # type: ignore[no-any-return]

    @property
    def workspace(self) -> Path:
        """Where steps begin."""
        return self.job.workspace

    def base(self) -> dict[str, str]:
        """The variables that each step's process has, and no more."""
        github, path = self.github, os.pathsep.join([*self.paths, str(self.runner.shims), self.runner.path])
        event = self.place / "event.json"
        event.write_text(json.dumps(github["event"]), encoding="utf-8")
        return {
            **{f"GITHUB_{name.upper()}": as_text(github[name]) for name in _SHOWN},
            **({"GITHUB_ACTION_PATH": github["action_path"]} if github["action_path"] else {}),
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_WORKSPACE": str(self.workspace),
            "HOME": str(self.place / "home"),
            "PATH": path,
            "RUNNER_OS": "Linux",
            "RUNNER_TEMP": str(self.job.temp),
        }

    def scope(self, results: Mapping[str, Step | None], env: Mapping[str, str], *, failed: bool) -> Scope:
        """What a step's expressions see; `results`: the steps by id, None where one has not run yet."""
        steps = Known(
            {
                name: {"outputs": dict(step.outputs), "outcome": step.outcome, "conclusion": step.conclusion}
                if step
                else {}
                for name, step in results.items()
            }
        )
        job = Known(
            status="failure" if self.failed else "success",
            workflow_repository=self.source.repository,
            workflow_sha=self.source.sha,
        )
        runner = Known(temp=str(self.job.temp), os="Linux", debug="")
        contexts = {**self.contexts, "steps": steps, "job": job, "env": dict(env), "runner": runner}
        return Scope(contexts, {"success": not failed, "failure": failed, "always": True, "cancelled": False})


_SHOWN = [
    *("actor", "api_url", "base_ref", "event_name", "head_ref", "job", "ref", "ref_name", "repository"),
    *("repository_owner", "run_attempt", "run_id", "run_number", "server_url", "sha", "workflow"),
]


def run_steps(
    bench: Bench,
    steps: Sequence[Mapping[str, Any]],
    told: list[Step],
    env: Mapping[str, str],
    *,
    composite: bool = False,
) -> dict[str, Step | None]:
    """Run the steps in order; `told` gets what became of them. A composite's begin as if all was well.

    Raises:
        WorkflowError: a step that GitHub would refuse, or that is not known here.
    """
    results: dict[str, Step | None] = {step["id"]: None for step in steps if "id" in step}
    failed = False if composite else bench.failed
    for raw in steps:
        step = Step(
            name=str(raw.get("name") or raw.get("uses") or raw["run"]), id=raw.get("id", ""), uses=raw.get("uses", "")
        )
        told.append(step)
        if step.id:
            results[step.id] = step
        bench.runner.before_step(bench.job, step)
        scope = bench.scope(results, {**bench.env, **env}, failed=failed)
        names = AVAILABLE["action"] if composite else AVAILABLE["step"]
        step.name = as_text(value(step.name, scope.only(names))) if "name" in raw else step.name
        if not condition(raw.get("if"), scope.only(names & AVAILABLE["step.if"])):
            continue
        own = {name: as_text(value(text, scope.only(names))) for name, text in (raw.get("env") or {}).items()}
        inside = {**env, **own}
        scope = bench.scope(results, {**bench.env, **inside}, failed=failed).only(names)
        filled = raw if composite else {**bench.defaults, **raw}
        good = _run(bench, filled, step, scope, inside) if "run" in raw else _use(bench, raw, step, scope, inside)
        step.outcome = step.conclusion = "success" if good else "failure"
        if not good and value(raw.get("continue-on-error"), scope):
            step.conclusion = "success"
        elif not good:
            failed = True
            bench.failed = bench.failed or not composite
    return results


def _run(bench: Bench, raw: Mapping[str, Any], step: Step, scope: Scope, env: Mapping[str, str]) -> bool:
    place = bench.place / "commands" / uuid.uuid4().hex
    place.mkdir(parents=True)
    files = {
        name: place / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")
    }
    for file in files.values():
        file.touch()
    script = place / "script.sh"
    script.write_text(as_text(value(raw["run"], scope)), encoding="utf-8")
    words = ["--noprofile", "--norc", "-eo", "pipefail"] if raw.get("shell") == "bash" else ["-e"]
    base = bench.base()
    if wrong := sorted(name for name in {**bench.env, **env} if name in base and name not in {"CI", "HOME", "PATH"}):
        raise WorkflowError(f"step {step.name}: the runner does not let `env` set {', '.join(wrong)}")
    step.environment = {**base, **{name: str(file) for name, file in files.items()}, **bench.env, **env}
    folder = bench.workspace / as_text(value(raw.get("working-directory", ""), scope))
    patience = min(bench.runner.patience_s, 60 * float(value(raw.get("timeout-minutes", 360), scope)))
    code, step.log = _bash(["bash", *words, str(script)], folder, step.environment, patience)
    read_log(step)
    left = read_files(step, files)
    if left is None:
        return False
    bench.env.update(left[0])
    bench.paths[:0] = reversed(left[1])
    return code == 0


def _bash(words: list[str], folder: Path, env: Mapping[str, str], patience: float) -> tuple[int, str]:
    with subprocess.Popen(
        words,
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            said, _ = process.communicate(timeout=patience)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return process.returncode, said.decode(errors="replace")


def _use(bench: Bench, raw: Mapping[str, Any], step: Step, scope: Scope, env: Mapping[str, str]) -> bool:
    uses, given = raw["uses"], {name: as_text(found) for name, found in tree(raw.get("with") or {}, scope).items()}
    own = f"{bench.runner.tool_repository}/"
    if uses.startswith("$/"):
        return _composite(bench, step, scope, env, (bench.source.root / uses[2:], given))
    if uses.startswith("./"):
        return _composite(bench, step, scope, env, (bench.workspace / uses, given))
    if uses.startswith(own) and "@" in uses:
        return _composite(
            bench, step, scope, env, (bench.runner.tool / uses.removeprefix(own).partition("@")[0], given)
        )
    try:
        step.log = act(bench, uses, given)
    except ActionFailed as failure:
        step.annotations.append(Annotation("error", str(failure), {}))
        step.log = f"{failure}\n"
        return False
    read_log(step)
    return True


def _composite(
    bench: Bench, step: Step, scope: Scope, env: Mapping[str, str], what: tuple[Path, Mapping[str, str]]
) -> bool:
    folder, given = what
    files = [file for file in (folder / "action.yml", folder / "action.yaml") if file.is_file()]
    if not files:
        step.annotations.append(Annotation("error", f"Can't find 'action.yml' under '{folder}'", {}))
        return False
    action = read(files[0].read_text(encoding="utf-8"))
    check_action(action, step.uses)
    declared = action.get("inputs") or {}
    if unknown := sorted(set(given) - set(declared)):
        raise WorkflowError(f"{step.uses}: no such input: {', '.join(unknown)}")
    inputs = Known()
    for name, about in declared.items():
        if name not in given and (about or {}).get("required") and "default" not in about:
            raise WorkflowError(f"{step.uses}: the input {name} is missing")
        inputs[name] = given[name] if name in given else as_text(value((about or {}).get("default", ""), scope))
    github = Known({**scope.contexts["github"], "action_path": str(folder)})
    kept = bench.contexts
    bench.contexts = {**kept, "inputs": inputs, "github": github}
    before = bench.failed
    results = run_steps(bench, action["runs"]["steps"], step.inner, env, composite=True)
    inner = bench.scope(results, {**bench.env, **env}, failed=before).only(AVAILABLE["action"])
    bench.contexts = kept
    for name, about in (action.get("outputs") or {}).items():
        step.outputs[name] = as_text(value(about["value"], inner))
    return all(found.conclusion != "failure" for found in step.inner)
