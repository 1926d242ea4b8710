"""The interpreter of workflows (`runner.py`): it does what GitHub's reference says, and is silent about nothing."""

from __future__ import annotations

import subprocess
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.github.runner import Runner, WorkflowError
from tests.github.workflows_expressions import Known, Scope, condition, value

CHECKOUT = "actions/checkout@" + "1" * 40
UPLOAD = "actions/upload-artifact@" + "2" * 40
DOWNLOAD = "actions/download-artifact@" + "3" * 40
SHA = "0" * 40
FORK = {
    "number": 7,
    "pull_request": {"head": {"ref": "patch", "repo": {"full_name": "eve/shop"}}, "base": {"ref": "main"}},
}


class GitHub:
    """A repository with files, and a runner over it; tokens spell out what they may."""

    def __init__(self, place: Path) -> None:
        self.work, self.tool = place / "work", place / "tool"
        self.tool.mkdir()
        self.git("init", "-q", "-b", "main", str(self.work), folder=place)
        self.git("init", "-q", "--bare", "-b", "main", str(place / "origin"), folder=place)
        self.runner = Runner(
            place=place / "github",
            origin=place / "origin",
            tool=self.tool,
            api_url="http://127.0.0.1:1/api/v3",
            token=lambda may: "token " + " ".join(f"{name}={level}" for name, level in sorted(may.items())),
        )

    def git(self, *args: str, folder: Path | None = None) -> str:
        who = ["-c", "user.name=someone", "-c", "user.email=someone@example.com"]
        return subprocess.run(
            ["git", *who, *args], cwd=folder or self.work, check=True, capture_output=True, text=True
        ).stdout.strip()

    def write(self, path: str, text: str, *, tool: bool = False) -> None:
        file = (self.tool if tool else self.work) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text), encoding="utf-8")

    def commit(self, ref: str = "refs/heads/main") -> str:
        self.git("add", "-A")
        self.git("commit", "-qm", "more", "--allow-empty")
        self.git("push", "-q", str(self.runner.origin), f"HEAD:{ref}")
        return self.git("rev-parse", "HEAD")

    def run(
        self,
        text: str,
        *,
        event_name: str = "push",
        event: Mapping[str, Any] | None = None,
        inputs: Mapping[str, Any] | None = None,
    ) -> Any:
        self.write(".github/workflows/it.yml", text)
        ref = "refs/pull/7/merge" if event_name == "pull_request" else "refs/heads/main"
        sha = self.commit(ref)
        return self.runner.dispatch(
            ".github/workflows/it.yml", event_name, event or {}, sha=sha, ref=ref, inputs=inputs
        )


@pytest.fixture
def github(tmp_path: Path) -> GitHub:
    return GitHub(tmp_path)


SCOPE = Scope(
    {
        "github": Known(event={"pull_request": {"labels": [{"name": "a"}, {"name": "B"}]}}, ref="refs/heads/main", n=3),
        "inputs": Known({"dry-run": False, "list": '["x", "y"]'}),
    },
    {"success": False, "failure": True, "always": True, "cancelled": False},
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 == '1'", True),
        ("'ABC' == 'abc'", True),
        ("null == 0", True),
        ("'' == 0", True),
        ("'x' == 0", False),
        ("true == 1 && false == ''", True),
        ("'' || 'b' && 'c'", "c"),
        ("!'' && !(1 > 2) && 2 <= 2", True),
        ("'0' && 'text is true'", "text is true"),
        ("0x10 + ''", WorkflowError),
        ("-1.5e1", -15.0),
        ("'it''s }} ' == format('it{1}s }}}} ', 0, '''')", True),
        ("format('{0}')", WorkflowError),
        ("contains(github.event.pull_request.labels.*.name, 'b')", True),
        ("join(github.event.pull_request.labels.*.name, '+')", "a+B"),
        ("github.event.pull_request.labels[1].name", "B"),
        ("github['REF']", "refs/heads/main"),
        ("github.event.nothing.at.all", None),
        ("github.nothing", WorkflowError),
        ("nothing.x", WorkflowError),
        ("inputs.dry-run == false", True),
        ("inputs.dry_run", WorkflowError),
        ("fromJSON(inputs.list)[1]", "y"),
        ("fromJSON('{')", WorkflowError),
        ("startsWith(github.ref, 'REFS/') && endsWith(github.ref, '/main')", True),
        ("toJSON(fromJSON('[1]'))", "[\n  1\n]"),
        ("hashFiles('x')", WorkflowError),
        ("github.", WorkflowError),
        ("(1", WorkflowError),
        ("1 1", WorkflowError),
        ('"double"', WorkflowError),
    ],
)
def test_an_expression_is_what_github_says(text: str, expected: Any) -> None:
    if expected is WorkflowError:
        with pytest.raises(WorkflowError):
            value(f"${{{{ {text} }}}}", SCOPE)
    else:
        assert value(f"${{{{ {text} }}}}", SCOPE) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [(None, False), ("true", False), ("${{ always() && 1 }}", True), ("failure()", True), ("!cancelled()", True)],
)
def test_a_condition_asks_for_success_unless_it_names_a_status(text: Any, expected: bool) -> None:  # noqa: FBT001
    assert condition(text, SCOPE) is expected


def test_text_around_a_condition_is_always_true_and_so_an_error() -> None:
    with pytest.raises(WorkflowError, match="always true"):
        condition("${{ false }} && true", SCOPE)


def test_jobs_and_steps_run_when_their_conditions_say(github: GitHub) -> None:
    run = github.run("""
        on: push
        jobs:
          broken:
            runs-on: ubuntu-latest
            strategy: {fail-fast: true, matrix: {n: [1, 2], letter: "${{ fromJSON('[\\"a\\"]') }}"}}
            outputs: {found: "${{ steps.say.outputs.found }}"}
            steps:
              - id: say
                env: {N: "${{ matrix.n }}${{ matrix.letter }}"}
                run: |
                  printf 'found<<END\\n%s\\nmore\\nEND\\n' "$N" >> "$GITHUB_OUTPUT"
                  echo "LATER=$N" >> "$GITHUB_ENV"
              - {id: tolerated, run: exit 3, continue-on-error: true}
              - run: test "$LATER" = 1a && test "$OUTCOME" = failure/success && false | true
                env: {OUTCOME: "${{ steps.tolerated.outcome }}/${{ steps.tolerated.conclusion }}"}
              - {name: with pipefail, shell: bash, run: false | true}
              - {name: not any more, run: exit 1}
              - {name: told, if: failure(), run: 'echo "::error file=a%2Cb.yaml,line=3::100%25%0Asure"'}
          spared: {needs: broken, runs-on: ubuntu-latest, steps: [{run: exit 1}]}
          behind: {needs: spared, if: failure(), runs-on: ubuntu-latest, steps: [{run: 'true'}]}
          last:
            needs: [broken, spared]
            if: ${{ !cancelled() && needs.broken.result == 'failure' }}
            runs-on: ubuntu-latest
            env: {FOUND: "${{ needs.broken.outputs.found }}"}
            defaults: {run: {shell: bash}}
            steps: [{run: 'test "$FOUND" = $''1a\\nmore'''}, {if: failure(), run: 'true'}]
    """)

    assert {key: job.result for key, job in run.jobs.items()} == {
        "broken (1, a)": "failure",
        "broken (2, a)": "cancelled",
        "spared": "skipped",
        "behind": "success",
        "last": "success",
    }, run.told()
    steps = run.job("broken (1, a)").steps
    assert [step.outcome for step in steps] == ["success", "failure", "success", "failure", "skipped", "success"]
    (found,) = run.job("broken (1, a)").annotations
    assert steps[-1].commands == ["error"]
    assert (found.level, found.message) == ("error", "100%\nsure")
    assert found.properties == {"file": "a,b.yaml", "line": "3"}
    assert run.conclusion == "failure"


CALLED = """
    on:
      workflow_call:
        inputs: {who: {type: string, required: true}, loud: {type: boolean, default: false}}
        secrets: {KEY: {required: false}}
        outputs: {told: {value: "${{ jobs.inner.outputs.told }}"}}
    permissions: {}
    jobs:
      inner:
        runs-on: ubuntu-latest
        environment: ${{ inputs.who }}-plan
        permissions: {contents: read}
        outputs: {told: "${{ steps.act.outputs.told }}"}
        steps:
          - {id: act, uses: $/actions/tell, with: {who: "${{ inputs.who }}", key: "${{ secrets.KEY }}"}}
          - {name: look, run: 'env | sort'}
          - {name: given, env: {KEY: "${{ secrets.KEY }}", T: "${{ github.token }}"}, run: 'echo "<$KEY> <$T>"'}
"""
TELL = """
    name: tell
    description: tells
    inputs: {who: {required: true}, key: {default: none}, mark: {default: "!"}}
    outputs: {told: {value: "${{ steps.inside.outputs.told }}"}}
    runs:
      using: composite
      steps:
        - {if: inputs.who == '', shell: bash, run: exit 1}
        - id: inside
          shell: bash
          env: {WHO: "${{ inputs.who }}${{ inputs.mark }}", KEY: "${{ inputs.key }}"}
          run: |
            test -f "$GITHUB_ACTION_PATH/action.yml"
            echo "told=hello $WHO" >> "$GITHUB_OUTPUT"
            echo "with ${#KEY} characters" >> "$GITHUB_STEP_SUMMARY"
"""
CALLER = """
    on: {push: {branches: [main]}, pull_request: {}}
    permissions: {contents: write}
    jobs:
      plan:
        uses: your-org/reconciler/.github/workflows/called.yml@0000000000000000000000000000000000000000
        permissions: {contents: read, issues: write}
        with: {who: dev}
        secrets: inherit
      after:
        needs: plan
        runs-on: ubuntu-latest
        env: {TOLD: "${{ needs.plan.outputs.told }}"}
        steps: [{run: 'echo "$TOLD"; env | sort'}]
"""


@pytest.fixture
def called(github: GitHub, monkeypatch: pytest.MonkeyPatch) -> GitHub:
    """A reusable workflow with a composite action at the tool, secrets, and a variable of the test's own."""
    monkeypatch.setenv("OF_THE_TEST", "leak")
    github.write(".github/workflows/called.yml", CALLED, tool=True)
    github.write("actions/tell/action.yml", TELL, tool=True)
    github.runner.secrets = {
        "": {"KEY": "of-repository", "OTHER": "canary"},
        "dev-plan": {"KEY": "of-environment"},
        "other-plan": {},
    }
    return github


def test_secrets_tokens_and_outputs_go_where_they_are_declared(called: GitHub) -> None:
    run = called.run(CALLER)

    assert run.conclusion == "success", run.told()
    inner = run.job("inner")
    assert (inner.key, inner.environment, inner.summary) == ("plan / inner", "dev-plan", "with 14 characters\n")
    assert inner.step("given").log == "<of-environment> <token contents=read>\n"
    assert run.job("after").log.startswith("hello dev!\n")
    assert run.job("after").permissions == {"contents": "write"}
    for log in (inner.step("look").log, run.job("after").log):
        names = {line.partition("=")[0] for line in log.splitlines()}
        assert "OF_THE_TEST" not in names
        assert not {"KEY", "OTHER", "GITHUB_TOKEN"} & names
        assert {"CI", "GITHUB_SHA", "GITHUB_WORKSPACE", "HOME", "PATH", "RUNNER_TEMP"} <= names


def test_a_fork_gets_no_secret_and_a_token_that_reads(called: GitHub) -> None:
    run = called.run(CALLER, event_name="pull_request", event=FORK)

    assert run.job("inner").step("given").log == "<> <token contents=read>\n"
    assert run.job("after").permissions == {"contents": "read"}


def test_secrets_that_are_not_inherited_are_those_of_the_map(called: GitHub) -> None:
    run = called.run(CALLER.replace("inherit", "{KEY: '${{ secrets.OTHER }}'}").replace("who: dev", "who: other"))

    assert run.job("inner").step("given").log.startswith("<canary>")
    called.runner.secrets = {"": {}}
    with pytest.raises(WorkflowError, match="no environment 'dev-plan'"):
        called.run(CALLER)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("secrets: inherit", "secrets: inherit\n        timeout-minutes: 5", "not known: timeout-minutes"),
        ("permissions: {contents: read, issues: write}", "permissions: {issues: write}", "contents: read"),
        ("permissions: {contents: read, issues: write}", "permissions: {content: read}", "not known: content"),
        ("with: {who: dev}", "with: {}", "the input who is missing"),
        ("with: {who: dev}", "with: {who: dev, loud: 'yes'}", "loud must be a boolean"),
        ("with: {who: dev}", "with: {who: dev, how: x}", "no such input: how"),
        ("secrets: inherit", "secrets: {OTHER: x}", "not known: OTHER"),
        ("on: {push: {branches: [main]}, pull_request: {}}", "on: pull_request_target", "must not"),
        ("needs: plan\n", "needs: [plan, gone]\n", "needs {'gone'}"),
        ("needs.plan.outputs.told", "needs.plan.outputs.tolled", "'tolled'"),
        ("needs.plan.outputs.told", "needs.other.outputs.told", "'other'"),
        ("needs.plan.outputs.told", "runner.temp", "'runner' is not available"),
        ("steps: [{", "container: x\n        steps: [{", "not known: container"),
        ("steps: [{", "steps: [{if: secrets.KEY != '', ", "'secrets' is not available"),
        ("steps: [{", "steps: [{shell: pwsh, ", "pwsh"),
        ("steps: [{", "strategy: {matrix: {a: []}}\n        steps: [{", "an empty one"),
        ("steps: [{", f"steps: [{{uses: other/action@{SHA}}}, {{", "not known, or not pinned"),
        ("steps: [{", "steps: [{uses: actions/checkout@v7}, {", "not known, or not pinned"),
        ("steps: [{", f"steps: [{{uses: {CHECKOUT}, with: {{clean: true}}}}, {{", "not known: clean"),
        ("steps: [{", f"steps: [{{uses: your-org/reconciler/actions/tell@{SHA}}}, {{", "the input who is missing"),
        ("steps: [{", "steps: [{env: {GITHUB_SHA: x}, ", "set GITHUB_SHA"),
        ("steps: [{", "steps: [{run: 'echo \"::set-output name=x::y\"'}, {", "steers the job"),
    ],
)
def test_what_github_refuses_or_misreads_is_an_error(called: GitHub, old: str, new: str, why: str) -> None:
    assert old in CALLER

    with pytest.raises(WorkflowError) as caught:
        called.run(CALLER.replace(old, new), event_name="pull_request_target" if "target" in new else "push")

    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("path", "old", "new", "why"),
    [
        (
            "actions/tell/action.yml",
            'WHO: "${{ inputs.who }}',
            'WHO: "${{ secrets.KEY }}',
            "'secrets' is not available",
        ),
        ("actions/tell/action.yml", "shell: bash, run", "run", "must name the shell"),
        ("actions/tell/action.yml", "using: composite", "using: node24", "only composite"),
        ("actions/tell/action.yml", "if: inputs.who", "if: inputs.whom", "'whom'"),
        (".github/workflows/called.yml", "workflow_call:", "workflow_dispatch:", "can't be called"),
        (".github/workflows/called.yml", 'key: "', 'word: "', "no such input: word"),
        (".github/workflows/called.yml", "{contents: read}", "{contents: write}", "contents: write"),
        (".github/workflows/called.yml", "inner.outputs.told", "inner.outputs.tolled", "'tolled'"),
    ],
)
def test_so_it_is_in_what_is_called(called: GitHub, path: str, old: str, new: str, why: str) -> None:
    text = (called.tool / path).read_text(encoding="utf-8")
    assert old in text
    called.write(path, text.replace(old, new), tool=True)

    with pytest.raises(WorkflowError) as caught:
        called.run(CALLER)

    assert why in str(caught.value)


def test_a_run_by_hand_has_its_inputs_and_others_have_none(github: GitHub) -> None:
    text = """
        on: {push: {}, workflow_dispatch: {inputs: {who: {type: choice, options: [a, b], default: b}}}}
        jobs: {one: {name: "for ${{ inputs.who || 'nobody' }}", runs-on: x, steps: [{run: 'true'}]}}
    """

    assert github.run(text, event_name="workflow_dispatch").job("one").name == "for b"
    assert github.run(text).job("one").name == "for nobody"
    with pytest.raises(WorkflowError, match="must be a choice"):
        github.run(text, event_name="workflow_dispatch", inputs={"who": "c"})


def test_what_git_may_do_hangs_on_the_checkout_and_the_permission(github: GitHub) -> None:
    text = f"""
        on: push
        jobs:
          one:
            runs-on: ubuntu-latest
            permissions: {{contents: LEVEL}}
            steps:
              - {{uses: {CHECKOUT}, with: {{fetch-depth: 0, persist-credentials: KEPT}}}}
              - {{name: clean, if: "!KEPT", run: '! grep -ri -e basic -e include .git/config "$RUNNER_TEMP"'}}
              - {{name: fetch, if: "!cancelled()", run: git fetch -q origin}}
              - {{name: push, if: "!cancelled()", run: 'git push -q origin HEAD:refs/heads/BRANCH'}}
    """

    def outcomes(level: str, kept: str) -> list[str]:
        branch = f"{level}-{kept}"
        run = github.run(text.replace("LEVEL", level).replace("KEPT", kept).replace("BRANCH", branch))
        assert bool(github.git("ls-remote", str(github.runner.origin), branch)) == (
            run.job("one").step("push").outcome == "success"
        )
        return [step.outcome for step in run.job("one").steps]

    assert outcomes("write", "true") == ["success", "skipped", "success", "success"]
    assert outcomes("read", "true") == ["success", "skipped", "success", "failure"]
    assert outcomes("write", "false") == ["success", "success", "failure", "failure"]
    assert outcomes("none", "true")[0] == "failure"


def test_artifacts_go_from_job_to_job(github: GitHub) -> None:
    run = github.run(f"""
        on: push
        jobs:
          make:
            runs-on: ubuntu-latest
            strategy: {{matrix: {{env: [dev, prod]}}}}
            steps:
              - run: mkdir "$RUNNER_TEMP/out"; echo "$ENV" > "$RUNNER_TEMP/out/result"; touch "$RUNNER_TEMP/out/.hidden"
                env: {{ENV: "${{{{ matrix.env }}}}"}}
              - {{uses: {UPLOAD}, with: {{name: "of-${{{{ matrix.env }}}}", path: "${{{{ runner.temp }}}}/out"}}}}
              - {{uses: {UPLOAD}, with: {{name: none, path: nowhere, if-no-files-found: ignore}}}}
          take:
            needs: make
            runs-on: ubuntu-latest
            steps:
              - {{uses: {DOWNLOAD}, with: {{pattern: of-prod, path: flat, merge-multiple: true}}}}
              - {{uses: {DOWNLOAD}, with: {{pattern: of-*}}}}
              - {{run: 'cat flat/result of-dev/result; ls -A of-dev'}}
              - {{id: gone, uses: {DOWNLOAD}, with: {{name: none}}}}
    """)

    assert run.job("take").steps[2].log == "prod\ndev\nresult\n", run.told()
    assert run.job("take").step("gone").outcome == "failure"


def test_python_is_real_but_installs_nothing(github: GitHub) -> None:
    github.write("pyproject.toml", "", tool=True)
    github.runner.command = 'echo "tool $*"'
    run = github.run(
        f"""
        on: push
        jobs:
          one:
            runs-on: ubuntu-latest
            env: {{TOOL: {github.tool}}}
            steps:
              - python -m venv "$RUNNER_TEMP/venv"
              - '"$RUNNER_TEMP/venv/bin/python" -m pip install --require-hashes -r "a b.txt"'
              - test ! -e "$RUNNER_TEMP/venv/bin/reconciler"
              - '"$RUNNER_TEMP/venv/bin/python" -m pip install --no-deps "$TOOL"'
              - '"$RUNNER_TEMP/venv/bin/reconciler" plan "x y"'
              - '"$RUNNER_TEMP/venv/bin/python" -c "print(1 + 1)"'
    """.replace("- python", "- run: python")
        .replace("- '", "- run: '")
        .replace("- test", "- run: test")
    )

    assert run.conclusion == "success", run.told()
    assert run.job("one").log == "tool plan x y\n2\n"
    temp = run.job("one").temp
    assert run.installs == [
        ["-m", "venv", f"{temp}/venv"],
        ["-m", "pip", "install", "--require-hashes", "-r", "a b.txt"],
        ["-m", "pip", "install", "--no-deps", str(github.tool)],
    ]
