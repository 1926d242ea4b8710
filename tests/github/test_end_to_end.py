"""A team's life with the three workflows: their own steps, in order, on one repository and one emulated GitHub."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from tests.conftest import CHAT, LLM, SPECS, Fleet, Served
from tests.github.github_api import GitHubApi
from tests.github.runner import Run, Runner

ROOT: Final = Path(__file__).parents[2]
CALLERS: Final = ROOT / "specs-example" / ".github" / "workflows"
SECRET: Final = "hf_CANARYinTheModel"
_WINDOWS: Final = "requestTimeout: 2s, commitDelay: 1s, listLag: 0s, pollInterval: 1s"


@dataclass
class Team:
    """A spec repository on the emulated GitHub, with what a person does there."""

    place: Path
    served: Served
    api: GitHubApi
    fleet: Fleet
    runner: Runner = field(init=False)

    def __post_init__(self) -> None:
        self.origin = self.place / "origin.git"
        self.clone = self.place / "clone"
        self.git("init", "--quiet", "--bare", "--initial-branch=main", str(self.origin), at=self.place)
        self.git("config", "uploadpack.allowAnySHA1InWant", "true", at=self.origin)
        self.git("clone", "--quiet", self.origin.as_uri(), str(self.clone), at=self.place)
        theta, runai = (self.served.connection[name] for name in ("theta", "runai"))
        secrets = {
            "RECONCILER_SECRETS": f"THETA_API_KEY={theta['apiKey']}\nRUNAI_CLIENT_SECRET={runai['clientSecret']}\n",
            "RECONCILER_FINGERPRINT_KEY": "a-key-that-stays-the-same",
        }
        self.runner = Runner(
            place=self.place / "runs",
            origin=self.origin,
            tool=ROOT,
            api_url=self.api.url,
            token=self.api.token,
            secrets={
                "": {},
                "dev-plan": secrets,
                "dev-apply": {**secrets, "RECONCILER_SECRETS": f"{secrets['RECONCILER_SECRETS']}APP_TOKEN={SECRET}\n"},
            },
        )

    def git(self, *words: str, at: Path | None = None) -> str:
        identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "commit.gpgSign=false"]
        done = subprocess.run(
            ["git", *identity, *words], cwd=at or self.clone, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def write(self, path: str, text: str) -> None:
        file = self.clone / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text), encoding="utf-8")

    def begin(self) -> str:
        """The first commit: a project without resources, the three callers as they are copied, a ledger in Git."""
        theta, runai = (self.served.connection[name] for name in ("theta", "runai"))
        self.write(
            "infra/reconciler.yaml",
            f"""\
            apiVersion: reconciler/v1
            kind: Project
            metadata: {{name: shop}}
            spec:
              ledger: {{type: git}}
              secrets: [THETA_API_KEY, RUNAI_CLIENT_SECRET, APP_TOKEN]
              environments: {{dev: {{}}}}
              providers:
                theta: {{type: theta, endpoint: "{theta["endpoint"]}", apiEndpoint: "{theta["apiEndpoint"]}",
                  projectId: "{theta["projectId"]}", apiKey: '{{{{ secret("THETA_API_KEY") }}}}', {_WINDOWS}}}
                runai: {{type: runai, endpoint: "{runai["endpoint"]}", version: "2.24", cluster: "{runai["cluster"]}",
                  project: "{runai["project"]}", clientId: "{runai["clientId"]}",
                  clientSecret: '{{{{ secret("RUNAI_CLIENT_SECRET") }}}}', {_WINDOWS}}}
            """,
        )
        self.write("infra/resources/.gitkeep", "")
        for file in CALLERS.glob("*.yml"):
            text = file.read_text(encoding="utf-8")
            text = text.replace('["dev", "prod"]', '["dev"]').replace(
                "    with:\n", "    with:\n      directory: infra\n"
            )
            self.write(f".github/workflows/{file.name}", text)
        return self.commit("Begin")

    def commit(self, message: str, branch: str = "main") -> str:
        """Commit all, and push it to a branch."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        self.git("push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")
        return self.git("rev-parse", "HEAD")

    def propose(self, number: int, *, fork: str = "") -> Run:
        """Open a pull request with what was changed, or push to it; its plan."""
        self.git("checkout", "--quiet", "-B", f"change-{number}")
        head = self.commit(f"Change {number}", f"change-{number}")
        self.api.pull(number, head=head, fork=fork)
        payload = {
            "number": number,
            "pull_request": {
                **self.api.pulls[number],
                "user": {"login": "ann"},
                "head": {"sha": head, "ref": f"change-{number}", "repo": {"full_name": fork or "acme/shop"}},
            },
        }
        return self.runner.dispatch(
            ".github/workflows/reconciler-plan.yml", "pull_request", payload, sha=head, ref=f"refs/pull/{number}/merge"
        )

    def merge(self, *numbers: int) -> None:
        """Merge pull requests, each with a commit of its own."""
        self.git("checkout", "--quiet", "main")
        for number in numbers:
            self.git("merge", "--quiet", "--no-ff", "-m", f"Merge #{number}", f"origin/change-{number}")
            merged = self.git("rev-parse", "HEAD")
            self.api.pulls[number].update(state="closed", merged_at="2026-11-28T12:00:00Z")
            self.api.commit_pulls[merged] = [number]
        self.git("push", "--quiet", "origin", "main")

    def apply(self, *, expect: str | None = None) -> Run:
        """What the push to main starts; with `expect`, what a person starts."""
        head = self.git("rev-parse", "origin/main")
        return self.runner.dispatch(
            ".github/workflows/reconciler-apply.yml",
            "push" if expect is None else "workflow_dispatch",
            {},
            sha=head,
            ref="refs/heads/main",
            inputs=None if expect is None else {"expect": expect},
        )

    def drift(self) -> Run:
        """The cron."""
        return self.runner.dispatch(
            ".github/workflows/reconciler-drift.yml",
            "schedule",
            {},
            sha=self.git("rev-parse", "origin/main"),
            ref="refs/heads/main",
        )

    def ledger(self) -> list[str]:
        """All files of the ledger's branch."""
        self.git("fetch", "--quiet", "origin", "reconciler-ledger")
        names = self.git("ls-tree", "--full-tree", "-r", "--name-only", "FETCH_HEAD").splitlines()
        assert set(names) == {"shop/dev.json", "snapshots/shop/dev.json"}
        return [self.git("show", f"FETCH_HEAD:{name}") for name in names]

    def comment(self, number: int) -> str:
        """The one comment of a pull request."""
        (found,) = self.api.comments[number]
        return str(found["body"])


@pytest.fixture
def team(tmp_path: Path, served: Served, api: GitHubApi, fleet: Fleet) -> Team:
    return Team(tmp_path, served, api, fleet)


VARIABLE = """  environmentVariables: [{name: TOKEN, value: '{{ secret("APP_TOKEN") }}'}]"""
INFERENCE = f"{textwrap.dedent(SPECS[LLM])}{VARIABLE}\n"


def assert_well(run: Run) -> None:
    assert run.conclusion == "success", run.told()


def played(run: Run) -> dict[str, Any]:
    """Name → job, without the one that calls the others."""
    return {name: job for name, job in run.jobs.items() if " / " in name}


def first_line(comment: str) -> str:
    """How it stands, below our mark."""
    return comment.splitlines()[1]


def test_plan_merge_apply_hand_edit_drift_apply_and_no_drift(team: Team) -> None:
    team.begin()
    team.write("infra/resources/llm.yaml", INFERENCE)
    plan = team.propose(1)
    assert_well(plan)
    assert first_line(team.comment(1)) == "### Plan with changes: shop/dev"
    assert LLM in team.comment(1)
    jobs = {name: (job.result, job.environment) for name, job in played(plan).items()}
    assert jobs == {
        "plan / plan (dev)": ("success", "dev-plan"),
        "plan / preview": ("skipped", ""),
        "plan / comment (dev)": ("success", ""),
    }

    scaled = INFERENCE.replace("maxReplicas: 1", "maxReplicas: 2, metric: concurrency, metricThreshold: 9")
    team.write("infra/resources/llm.yaml", scaled)
    assert_well(team.propose(1))
    assert "Changed since the last plan: 1 changed" in team.comment(1), "one comment, edited in place"
    assert team.served.writes(path="inferences") == []

    team.merge(1)
    apply = team.apply()
    assert_well(apply)
    assert team.fleet.counts()[LLM] == 1
    job = apply.job("apply (dev)")
    assert "### Applied: shop/dev" in job.summary
    assert job.concurrency == {"group": "reconciler-apply infra dev", "cancel-in-progress": False}

    assert_well(team.drift())
    assert team.api.issues == {}, "without drift nothing is opened"
    team.fleet.edit_inference({"image": "registry.example.com/llm:evil"})
    team.served.post("clock", {"advance_s": 600})
    found = team.drift()
    assert_well(found)
    (issue,) = team.api.issues.values()
    assert (issue["state"], issue["title"], "llm:evil" in issue["body"]) == ("open", "Drift: shop/dev", True)
    permissions = {name: job.permissions for name, job in played(found).items()}
    assert permissions == {
        "drift / drift (dev)": {"contents": "read"},
        "drift / tell (dev)": {"contents": "write", "issues": "write"},
    }, "what holds credentials writes nothing, what writes holds none"

    stopped = team.apply()
    assert stopped.conclusion == "failure", "the hand edit stands in no reviewed plan"
    assert "unexpected-change" in stopped.told()
    (digest,) = re.findall(r"review this one: digest ([0-9a-f]{64})", stopped.job("apply (dev)").summary)
    assert [entry["method"] for entry in team.fleet.writes_of(LLM)] == ["POST", "PATCH"], (
        "the second is the colleague's"
    )
    assert_well(team.apply(expect=digest))
    assert_well(team.drift())
    assert (issue["state"], len(team.api.issues)) == ("closed", 1)

    seen = "\n".join([team.comment(1), issue["body"], *(run.visible() for run in team.runner.runs), *team.ledger()])
    for secret in (SECRET, base64.b64encode(SECRET.encode()).decode(), team.served.connection["theta"]["apiKey"]):
        assert secret not in seen


def test_fork_gets_a_preview_without_secrets_and_without_a_request(team: Team) -> None:
    """Case C51."""
    team.begin()
    team.write("infra/resources/llm.yaml", INFERENCE)
    assert_well(team.propose(1))
    team.merge(1)
    assert_well(team.apply())

    team.git("checkout", "--quiet", "-B", "forked")
    team.write("infra/resources/llm.yaml", INFERENCE.replace("llm:1", "llm:2"))
    early = team.propose(2, fork="mallory/shop")
    assert_well(early)
    assert "validated" in early.told(), "nothing was published yet"

    assert_well(team.drift())
    config = (team.clone / "infra/reconciler.yaml").read_text(encoding="utf-8")
    team.write(
        "infra/reconciler.yaml", config.replace(team.served.connection["runai"]["endpoint"], "https://evil.example")
    )
    asked = len(team.served.get("requests"))
    run = team.propose(2, fork="mallory/shop")
    assert_well(run)
    assert len(team.served.get("requests")) == asked
    assert {name: job.result for name, job in played(run).items()} == {
        "plan / plan": "skipped",
        "plan / preview (dev)": "success",
        "plan / comment (dev)": "success",
    }
    comment = run.job("comment (dev)")
    assert team.api.comments.get(2, []) == [], "GitHub gives a fork's run no right to comment"
    assert any(line.level == "notice" for line in comment.annotations)
    assert "### Plan incomplete: shop/dev" in comment.summary, "it leads to an account that nobody looked at"
    assert "snapshot-elsewhere" in comment.summary
    assert "From a snapshot of" in comment.summary
    assert "llm:2" in comment.summary
    assert "evil.example" not in comment.summary
    assert "Digest" not in comment.summary, "it counts as no review"

    team.api.pulls[2]["head"]["repo"]["full_name"] = "mallory/shop"
    team.merge(2)
    stopped = team.apply()
    assert stopped.conclusion == "failure"
    assert "nothing-reviewed" in stopped.told()


def test_each_merge_brings_what_its_reviewers_saw_and_nothing_else(team: Team) -> None:
    """Case C52: of three merges the middle run was dropped; then two pull requests meet in one resource."""
    team.begin()
    team.write("infra/resources/llm.yaml", INFERENCE)
    assert_well(team.propose(1))
    team.git("checkout", "--quiet", "main")
    team.write("infra/resources/chat.yaml", SPECS[CHAT])
    assert_well(team.propose(2))
    team.merge(1, 2)
    assert_well(team.apply())
    assert (team.fleet.counts()[LLM], team.fleet.counts()[CHAT]) == (1, 1), "the sets of both count"

    team.write("infra/resources/llm.yaml", INFERENCE.replace("llm:1", "llm:2"))
    assert_well(team.propose(3))
    team.git("checkout", "--quiet", "main")
    team.write("infra/resources/llm.yaml", INFERENCE.replace("cpuCoreRequest: 1", "cpuCoreRequest: 2"))
    assert_well(team.propose(4))
    team.merge(3, 4)
    stopped = team.apply()
    assert stopped.conclusion == "failure"
    assert f"{LLM} was not reviewed as it is now" in stopped.told()
    assert "reviewed on #4, #3" in stopped.told()

    team.git("revert", "--no-edit", "-m", "1", "HEAD")
    team.git("push", "--quiet", "origin", "main")
    assert_well(team.apply())
    assert [entry["method"] for entry in team.fleet.writes_of(LLM)] == ["POST", "PATCH"], "#3, as it was seen"


def test_a_failure_never_reads_like_no_changes(team: Team) -> None:
    """Case C53: a mistake in the spec, and a tool that was killed, replace the good news of the comment."""
    team.begin()
    assert_well(team.propose(1))
    assert first_line(team.comment(1)) == "### No changes: shop/dev"

    team.write("infra/resources/llm.yaml", INFERENCE.replace("image:", "imgae:"))
    run = team.propose(1)
    assert run.conclusion == "failure", "the check is red"
    assert first_line(team.comment(1)).startswith("### Plan failed")
    assert "No changes" not in team.comment(1)
    (error,) = (line for line in run.job("plan (dev)").annotations if line.level == "error" and line.properties)
    assert (error.properties["file"], error.properties["line"]) == ("infra/resources/llm.yaml", "5")

    team.write("infra/resources/llm.yaml", INFERENCE)
    team.runner.command = f"""case "$1" in plan) kill -9 $$;; *) exec {sys.executable} -m reconciler "$@";; esac"""
    run = team.propose(1)
    assert run.conclusion == "failure"
    assert "### Plan failed" in team.comment(1)
    assert "No changes" not in team.comment(1)


def test_merge_queue_gets_its_check_and_no_comment(team: Team) -> None:
    team.begin()
    head = team.commit("Queued")
    run = team.runner.dispatch(
        ".github/workflows/reconciler-plan.yml",
        "merge_group",
        {},
        sha=head,
        ref="refs/heads/gh-readonly-queue/main/pr-1",
    )
    assert_well(run)
    assert {name: job.result for name, job in played(run).items()} == {
        "plan / plan (dev)": "success",
        "plan / preview": "skipped",
        "plan / comment": "skipped",
    }
