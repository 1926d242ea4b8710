"""The jobs of a workflow, and of those that it calls: when they run, with what rights, secrets and inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.github.workflows_expressions import Known, Scope, WorkflowError, as_text, condition, is_true, tree, value
from tests.github.workflows_results import Job, Run
from tests.github.workflows_shape import (
    AVAILABLE,
    RESTRICTED,
    Source,
    check_keys,
    combinations,
    exceeding,
    in_order,
    needs,
    permissions,
    read_workflow,
    triggers,
    typed_inputs,
)
from tests.github.workflows_steps import Bench, run_steps

if TYPE_CHECKING:
    from tests.github.runner import Runner

_UNTRUSTED_EVENTS = frozenset({"pull_request", "pull_request_review", "pull_request_review_comment"})


@dataclass(frozen=True)
class Call:
    """How a workflow was called; `secrets`: those of a map, None where they are inherited."""

    inputs: Known
    prefix: str = ""
    secrets: Mapping[str, str] | None = None
    ceiling: Mapping[str, str] | None = None


@dataclass(frozen=True)
class _Site:
    """A job in its workflow."""

    flow: Mapping[str, Any]
    source: Source
    call: Call
    name: str

    @property
    def job(self) -> Mapping[str, Any]:
        """As it stands in the file."""
        return self.flow["jobs"][self.name]  # type: ignore[no-any-return]


@dataclass
class Execution:
    runner: Runner
    run: Run
    home: Path
    github: Known
    is_untrusted: bool

    # -- before anything runs -------------------------------------------------------------------------------------

    def check(self, flow: Mapping[str, Any], source: Source, where: str, ceiling: Mapping[str, str] | None) -> None:
        """All permissions and all called workflows, as GitHub does before the first job starts."""
        for name, job in flow["jobs"].items():
            may = _permissions(flow, job, f"{where}: job {name}", ceiling)
            if "uses" in job:
                called, inside = self._called(job["uses"], source)
                declared = triggers(called)
                if "workflow_call" not in declared:
                    raise WorkflowError(f"{where}: job {name}: {job['uses']} can't be called")
                self.check(called, inside, job["uses"], may)

    def _called(self, uses: str, source: Source) -> tuple[dict[str, Any], Source]:
        for begin in ("./", "$/"):
            if uses.startswith(begin):
                return read_workflow(source, uses.removeprefix(begin)), source
        path, _, ref = uses.removeprefix(f"{self.runner.tool_repository}/").partition("@")
        if not uses.startswith(f"{self.runner.tool_repository}/") or not ref:
            raise WorkflowError(f"not known: {uses}")
        inside = Source(self.runner.tool_repository, ref, self.runner.tool)
        return read_workflow(inside, path), inside

    # -- jobs -----------------------------------------------------------------------------------------------------

    def workflow(self, flow: Mapping[str, Any], source: Source, call: Call) -> dict[str, Any]:
        """Run all jobs; what `jobs` and `needs` show of them."""
        results: dict[str, Any] = {}
        if not call.prefix:
            variables = self._layered(self.runner.variables, "")
            seen = Scope({"github": self.github, "inputs": call.inputs, "vars": variables})
            self.run.concurrency = _concurrency(flow.get("concurrency"), seen)
        for name in in_order(flow["jobs"]):
            job = flow["jobs"][name]
            before = [results[other]["result"] for other in _ancestors(flow["jobs"], name)]
            status = {
                "success": all(result == "success" for result in before),
                "failure": any(result == "failure" for result in before),
                "cancelled": False,
                "always": True,
            }
            contexts = {
                "github": Known({**self.github, "job": name}),
                "needs": Known({other: results[other] for other in needs(job)}),
                "vars": self._layered(self.runner.variables, ""),
                "inputs": call.inputs,
            }
            if not condition(job.get("if"), Scope(contexts, status).only(AVAILABLE["job.if"])):
                self.run.jobs[f"{call.prefix}{name}"] = Job(f"{call.prefix}{name}")
                results[name] = {"result": "skipped", "outputs": {}}
                continue
            results[name] = self._matrix(_Site(flow, source, call, name), contexts)
        return results

    def _matrix(self, site: _Site, contexts: Mapping[str, Any]) -> dict[str, Any]:
        job, done = site.job, list[Job]()
        strategy = job.get("strategy", {})
        planned = Scope(contexts).only(AVAILABLE["job.strategy"])
        is_fast = is_true(value(strategy.get("fail-fast", True), planned))
        for matrix in combinations(strategy, planned):
            values = f" ({', '.join(map(as_text, matrix.values()))})" if matrix else ""
            one = Job(f"{site.call.prefix}{site.name}{values}", matrix=matrix)
            self.run.jobs[one.key] = one
            facts = Known({"fail-fast": is_fast, "job-index": len(done)})
            scope = Scope({**contexts, "matrix": Known(matrix), "strategy": facts})
            if is_fast and any(other.result == "failure" for other in done):
                one.result = "cancelled"
            elif "uses" in job:
                self._call(site, one, scope)
            else:
                self._job(site, one, scope)
            if value(job.get("continue-on-error"), scope.only(AVAILABLE["job"])) and one.result == "failure":
                one.result = "success"
            done.append(one)
        # Of several jobs of a matrix the last one that says something counts.
        outputs = {key: "" for one in done for key in one.outputs}
        outputs.update({key: text for one in done for key, text in one.outputs.items() if text != ""})
        result = conclusion([one.result for one in done])
        return {"result": result, "outputs": outputs if result == "cancelled" else Known(outputs)}

    def _call(self, site: _Site, one: Job, scope: Scope) -> None:
        job, planned = site.job, scope.only(AVAILABLE["job"])
        called, inside = self._called(job["uses"], site.source)
        about = triggers(called)["workflow_call"] or {}
        given = tree(job.get("with") or {}, planned)
        one.permissions = _permissions(site.flow, job, one.key, site.call.ceiling)
        one.concurrency = _concurrency(job.get("concurrency"), planned)
        deeper = Call(
            inputs=typed_inputs(about.get("inputs") or {}, given, job["uses"]),
            prefix=f"{one.key} / ",
            secrets=self._handed(job, site.call, about.get("secrets") or {}, scope),
            ceiling=one.permissions,
        )
        results = self.workflow(called, inside, deeper)
        seen = Scope({**scope.contexts, "jobs": Known(results), "inputs": deeper.inputs})
        outputs = about.get("outputs") or {}
        one.outputs = {
            name: as_text(value(out["value"], seen.only(AVAILABLE["workflow.outputs"])))
            for name, out in outputs.items()
        }
        one.result = conclusion([result["result"] for result in results.values()])

    def _handed(
        self, job: Mapping[str, Any], call: Call, declared: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, str] | None:
        if job.get("secrets") == "inherit":
            return call.secrets
        given = job.get("secrets") or {}
        check_keys(given, frozenset(declared), f"{job['uses']}: secrets")
        if missing := [name for name, about in declared.items() if (about or {}).get("required") and name not in given]:
            raise WorkflowError(f"{job['uses']}: secrets are missing: {missing}")
        own = Scope({**scope.contexts, "secrets": self._secrets(call, "", "")}).only(AVAILABLE["job.secrets"])
        return {name: as_text(value(text, own)) for name, text in given.items()}

    def _job(self, site: _Site, one: Job, scope: Scope) -> None:
        job, planned = site.job, scope.only(AVAILABLE["job"])
        one.name = as_text(value(job.get("name", one.key), planned))
        one.runs_on = tree(job["runs-on"], planned)
        one.concurrency = _concurrency(job.get("concurrency"), planned)
        minutes = value(job.get("timeout-minutes"), planned)
        one.timeout_minutes = None if minutes is None else float(minutes)
        one.environment = self._environment(job.get("environment"), planned)
        one.permissions = _permissions(site.flow, job, one.key, site.call.ceiling)
        if self.is_untrusted:  # its token may read, whatever is asked for
            one.permissions = {name: "read" for name in one.permissions if name != "id-token"}
        one.token = self.runner.token(one.permissions)
        github = Known({**scope.contexts["github"], "token": one.token})
        contexts = {
            **scope.contexts,
            "github": github,
            "secrets": self._secrets(site.call, one.environment, one.token),
            "vars": self._layered(self.runner.variables, one.environment),
        }
        bench = Bench(self.runner, self.run, one, site.source, contexts, self._place(one))
        github["workspace"] = str(one.workspace)
        for where, found in (("workflow.env", site.flow.get("env")), ("job.env", job.get("env"))):
            seen = Scope(contexts).only(AVAILABLE[where])
            bench.env.update({name: as_text(value(text, seen)) for name, text in (found or {}).items()})
        seen = bench.scope({}, bench.env, failed=False).only(AVAILABLE["job.defaults"])
        bench.defaults = _defaults(site.flow, job, seen)
        results = run_steps(bench, job["steps"], one.steps, {})
        seen = bench.scope(results, bench.env, failed=bench.failed).only(AVAILABLE["job.outputs"])
        one.outputs = {name: as_text(value(text, seen)) for name, text in (job.get("outputs") or {}).items()}
        one.result = "failure" if bench.failed else "success"

    def _place(self, one: Job) -> Path:
        """Folders of this job's own, all of them empty."""
        place = self.home / f"job-{len(self.run.jobs)}"
        one.temp, one.workspace = place / "temp", place / "work" / self.runner.repository.partition("/")[2]
        for folder in (one.temp, one.workspace, place / "home"):
            folder.mkdir(parents=True)
        # Nothing leaves this machine: a repository is reached by the credentials that a checkout leaves, or not at all.
        config = '[protocol "https"]\n\tallow = never\n[protocol "file"]\n\tallow = always\n'
        (place / "home/.gitconfig").write_text(config, encoding="utf-8")
        return place

    def _environment(self, found: Any, scope: Scope) -> str:
        if isinstance(found, dict):
            check_keys(found, frozenset({"name"}), "environment")
            found = found["name"]
        name = as_text(value(found, scope))
        if name and name not in self.runner.secrets:
            raise WorkflowError(f"the repository has no environment {name!r}, only {sorted(self.runner.secrets)}")
        return name

    def _layered(self, found: Mapping[str, Mapping[str, str]], environment: str) -> dict[str, str]:
        return {} if self.is_untrusted else {**found.get("", {}), **found.get(environment, {})}

    def _secrets(self, call: Call, environment: str, token: str) -> dict[str, str]:
        all_of_them = self._layered(self.runner.secrets, environment)
        if call.secrets is not None:
            own = (
                self._layered({environment: self.runner.secrets.get(environment, {})}, environment)
                if environment
                else {}
            )
            all_of_them = {**call.secrets, **{name: text for name, text in own.items() if name in call.secrets}}
        return {**all_of_them, "GITHUB_TOKEN": token}


def _permissions(
    flow: Mapping[str, Any], job: Mapping[str, Any], where: str, ceiling: Mapping[str, str] | None
) -> dict[str, str]:
    declared = job.get("permissions", flow.get("permissions"))
    if declared is None:
        return dict(RESTRICTED if ceiling is None else ceiling)
    wanted = permissions(declared, where)
    if ceiling is not None and (beyond := exceeding(wanted, ceiling)):
        raise WorkflowError(f"{where} asks for more than its caller may give: {', '.join(beyond)}")
    return wanted


def _concurrency(found: Any, scope: Scope) -> dict[str, Any]:
    if found is None:
        return {}
    told = tree(found if isinstance(found, dict) else {"group": found}, scope)
    check_keys(told, frozenset({"group", "cancel-in-progress"}), "concurrency")
    return {"group": as_text(told["group"]), "cancel-in-progress": is_true(told.get("cancel-in-progress", False))}


def _defaults(flow: Mapping[str, Any], job: Mapping[str, Any], scope: Scope) -> dict[str, str]:
    found: dict[str, str] = {}
    for defaults in (flow.get("defaults") or {}, job.get("defaults") or {}):
        check_keys(defaults, frozenset({"run"}), "defaults")
        check_keys(defaults.get("run", {}), frozenset({"shell", "working-directory"}), "defaults.run")
        found.update({name: as_text(value(text, scope)) for name, text in defaults.get("run", {}).items()})
    if found.get("shell", "bash") != "bash":
        raise WorkflowError(f"the shell {found['shell']!r} is not known")
    return found


def _ancestors(jobs: Mapping[str, Any], name: str) -> set[str]:
    direct = set(needs(jobs[name]))
    return direct.union(*(_ancestors(jobs, other) for other in direct))


def conclusion(results: Sequence[str]) -> str:
    for result in ("failure", "cancelled", "success"):
        if result in results:
            return result
    return "skipped"


def is_untrusted(github: Mapping[str, Any]) -> bool:
    """Whether GitHub gives no secrets and a token that only reads: forks, and what Dependabot started."""
    if github["actor"] == "dependabot[bot]":
        return True
    if github["event_name"] not in _UNTRUSTED_EVENTS:
        return False
    head = (github["event"]["pull_request"].get("head") or {}).get("repo") or {}
    return bool(head.get("full_name") != github["repository"])
