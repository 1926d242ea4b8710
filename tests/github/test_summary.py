"""Outputs that no value can forge, annotations at the spec's lines, and no command that comes from data."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.github.outputs import write_outputs
from tests.github.conftest import Runner
from tests.github.documents import change, drift, envelope, plan, problem

EVIL = (
    "```\n::add-mask::a\n  ::set-output name=digest::x\r::stop-commands::x\n##[error]x\u2028::error::y\n"
    "@org/team #12 </details> <img src=x> [ok](http://evil.example) | a | b | 100%0A::warning::z digest<<EOF\nx\nEOF"
)


def commands(text: str) -> list[str]:
    """The lines that a runner obeys."""
    return [line for line in text.splitlines() if line.strip().startswith("::") or "##[" in line]


def test_a_mistake_stands_at_its_line_in_the_repository(runner: Runner) -> None:
    runner.project.write(
        "reconciler.yaml",
        """\
        apiVersion: reconciler/v1
        kind: Project
        metadata: {name: shop}
        spec: {providers: {theta: {type: theta, endpoint: emulator}}}
        """,
    )
    runner.project.write(
        "resources/chat.yaml",
        """\
        apiVersion: theta/v1
        kind: Deployment
        metadata: {name: chat}
        spec:
          template: Text Embeddings
          vm_id: vm_gt1
          min_replica: 1
        """,
    )
    result = str(runner.folder / "result.json")
    assert runner.project.run("plan", "--result", result).returncode == 1
    done = runner.run("summary", result)

    (line,) = commands(done.stdout)
    assert line.startswith(
        "::error file=project/resources/chat.yaml,line=7,col=3,title=unknown-field::theta/Deployment/"
    )
    assert "min_replica" in line
    assert "### Plan failed" in runner.summary
    assert runner.outputs["verdict"] == "failed"
    assert runner.outputs["exit-code"] == "1"


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        pytest.param(
            envelope(exit_code=2, plan=plan(change("chat"), change("old", "delete"), none=3)),
            {
                "has-changes": "true",
                "verdict": "changes",
                "exit-code": "2",
                "creates": "0",
                "updates": "1",
                "deletes": "1",
            },
            id="changes",
        ),
        pytest.param(
            plan(change("chat", "blocked")), {"verdict": "blocked", "blocked": "1", "exit-code": "4"}, id="a bare plan"
        ),
        pytest.param(
            envelope(plan=plan(none=1)),
            {"has-changes": "false", "verdict": "no changes", "digest": plan()["digest"], "has-drift": ""},
            id="none",
        ),
        pytest.param(
            envelope(exit_code=1, plan=plan(partial=True)), {"has-changes": "", "verdict": "incomplete"}, id="half read"
        ),
        pytest.param(
            "",
            {"has-changes": "", "has-drift": "", "verdict": "failed", "exit-code": "", "digest": "", "creates": ""},
            id="nothing",
        ),
        pytest.param(drift("drifted"), {"has-drift": "true", "verdict": "drift", "has-changes": ""}, id="drift"),
        pytest.param(drift(), {"has-drift": "false", "verdict": "no drift"}, id="no drift"),
        pytest.param(
            drift("unknown", verdict="incomplete"), {"has-drift": "", "verdict": "incomplete"}, id="drift unknown"
        ),
        pytest.param(
            {"format": "reconciler-problems/1", "problems": [problem()]}, {"verdict": "failed"}, id="problems"
        ),
        pytest.param(envelope("validate"), {"verdict": "valid"}, id="a valid spec"),
        pytest.param(
            envelope("apply", exit_code=4, message="stale", plan=plan(change("chat"))),
            {"verdict": "refused", "has-changes": ""},
            id="a refused apply",
        ),
        pytest.param(
            envelope("apply", finished=False, exit_code=None, plan=plan(change("chat"))),
            {"verdict": "failed"},
            id="an apply that died",
        ),
    ],
)
def test_outputs_say_what_is_known_and_nothing_else(runner: Runner, document: Any, expected: dict[str, str]) -> None:
    runner.run("summary", runner.save(document))

    assert {name: runner.outputs[name] for name in expected} == expected
    assert "\n" not in runner.outputs["summary"]


def test_no_data_begins_a_command_an_output_or_markup(runner: Runner) -> None:
    """Case C50."""
    told = problem(EVIL, code="a,b::c\n::d", file=f"res,ources/::x\n{EVIL}.yaml", address=EVIL)
    gone = change("old", "delete", message=EVIL, source=f"{EVIL}:3:1")
    document = envelope(
        exit_code=1,
        owner=EVIL,
        environment=EVIL,
        message=EVIL,
        problems=[told],
        plan=plan(gone, owner=EVIL, problems=[told], warnings=[told], notes=[EVIL]),
    )
    result = runner.save(document)
    done = runner.run("summary", result)

    found = commands(done.stdout)
    assert [line.partition(" ")[0] for line in found] == ["::error", "::warning", "::warning"]
    assert all(line.isprintable() for line in done.stdout.splitlines())
    properties = found[0].partition(" ")[2].partition("::")[0].split(",")
    assert [name.partition("=")[0] for name in properties] == ["file", "line", "col", "title"]
    assert commands(done.stderr) == []
    names = "digest has-changes has-drift exit-code verdict summary creates updates replaces deletes blocked unknown"
    assert set(runner.outputs) == set(names.split())
    summary = runner.summary
    runner.run("comment", result)
    for text in (summary, runner.comments()[0]):
        assert commands(text) == []
        fence = ""
        for line in text.splitlines():
            ticks = line[: len(line) - len(line.lstrip("`"))]
            if fence:
                fence = "" if line == fence else fence
            elif len(ticks) >= 3:
                fence = ticks
            else:
                bare = line.split("`")[::2]
                assert not any(word in part for part in bare for word in ("@org", "<img", "](http:")), line
        assert not fence

    notice = runner.run("comment", result, "--pr", "9")  # there is no such pull request
    assert [line.partition(" ")[0] for line in commands(notice.stdout)] == ["::notice"]


def test_ten_of_each_level_are_shown_and_the_rest_is_counted(runner: Runner) -> None:
    problems = [problem(f"wrong {number}", line=number + 1) for number in range(25)]
    blocked = [change(f"b{number}", "blocked") for number in range(3)]
    deletes = [change(f"d{number}", "delete") for number in range(12)]
    result = envelope(exit_code=1, problems=problems, plan=plan(*deletes, *blocked))
    done = runner.run("summary", runner.save(result))

    lines = commands(done.stdout)
    levels = [line.split(" ")[0] for line in lines]
    assert (levels.count("::error"), levels.count("::warning"), levels.count("::notice")) == (10, 10, 1)
    assert lines[-1] == "::notice title=reconciler::20 more; the summary of this run has all of them"


def test_what_is_loud_stands_at_its_source(runner: Runner) -> None:
    changes = [change("new", "create"), change("old", "delete"), change("big", "replace"), change("no", "blocked")]
    done = runner.run("summary", runner.save(plan(*changes)))

    assert commands(done.stdout) == [
        "::error file=project/resources/no.yaml,line=3,col=1,title=blocked::theta/Deployment/no is blocked",
        "::warning file=project/resources/old.yaml,line=3,col=1,title=delete::theta/Deployment/old will be deleted",
        "::warning file=project/resources/big.yaml,line=3,col=1,title=replace::theta/Deployment/big will be replaced",
    ]
    done = runner.run("summary", runner.save(drift("vanished")))
    assert commands(done.stdout) == [
        "::warning file=project/resources/chat.yaml,line=1,col=1,title=drift::theta/Deployment/chat: vanished"
    ]


def test_what_stands_in_the_files_already_stays(runner: Runner) -> None:
    (runner.folder / "output").write_text("mine=1")
    (runner.folder / "summary").write_text("# mine")
    done = runner.project.run("github", "summary", runner.save(plan()))

    assert done.returncode == 0
    assert (runner.folder / "output").read_text().startswith("mine=1\ndigest<<")
    assert runner.summary.startswith("# mine\n### No changes: ")


def test_no_value_can_end_itself(runner: Runner) -> None:
    file = runner.folder / "output"
    value = "x\r\nEOF_\ndigest<<EOF_\nforged\ud800"
    write_outputs(file, {"digest": value, "comment_posted": value})
    fences = [line.partition("<<")[2] for line in file.read_text().split("\n") if "<<EOF_" in line and line[-1] != "_"]
    file.write_bytes(file.read_bytes().replace(b"\r", b""))

    assert len(set(fences)) == 2
    assert all(len(fence) > 30 for fence in fences)
    assert runner.outputs == dict.fromkeys(["digest", "comment-posted"], "x\nEOF_\ndigest<<EOF_\nforged\\ud800")


def test_outside_of_a_runner_there_is_a_sentence(runner: Runner) -> None:
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        runner.project.env[name] = ""
    done = runner.run("summary", runner.save(plan()))

    assert done.stdout == "shop/dev: no changes\n"


def test_a_file_that_can_not_be_written_is_said(runner: Runner) -> None:
    runner.project.env["GITHUB_OUTPUT"] = str(runner.folder)
    done = runner.run("summary", runner.save(plan()), code=1)

    assert "GITHUB_OUTPUT could not be written" in done.stderr
