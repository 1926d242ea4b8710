"""Saved and expected plans: what was reviewed is what is applied, once (case C36)."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

from reconciler.ledger import open_ledger

CHAT, LLM = "theta/Deployment/chat", "runai/Inference/llm"
MNIST, ANN = "modelarts/Service/mnist", "modelarts/Notebook/ann"


def saved(fleet: Any, name: str = "p.json") -> str:
    """`plan --out`, and the file's path."""
    path = str(fleet.project.root / name)
    done = fleet.project.run("plan", "--out", path)
    assert done.returncode == 0, done.stderr
    return path


def test_a_saved_plan_is_applied_once_and_refused_the_second_time(fleet: Any) -> None:
    fleet.write()
    plan = saved(fleet)

    fleet.apply(plan)
    done = fleet.apply(plan, code=4)

    assert "already" in done.stderr
    assert len(fleet.served.writes()) == 4
    shown = fleet.project.run("show", plan)
    assert (shown.returncode, "4 to create" in shown.stdout) == (0, True)


def test_a_plan_of_another_spec_or_with_another_byte_is_refused(fleet: Any) -> None:
    fleet.write(LLM)
    plan = saved(fleet)
    altered = (fleet.project.root / "p.json").read_text(encoding="utf-8").replace("llm:1", "llm:6")
    fleet.project.write("altered.json", altered)

    done = fleet.project.run("apply", "--yes", str(fleet.project.root / "altered.json"))
    assert (done.returncode, "plan-altered" in done.stderr) == (4, True), done.stderr
    fleet.edit(LLM, "llm:1", "llm:2")
    done = fleet.apply(plan, code=4)
    assert "other-spec" in done.stderr
    shown = fleet.project.run("show", plan)
    assert (shown.returncode, "another spec" in shown.stderr) == (0, True)
    assert fleet.served.writes() == []


def test_a_plan_whose_live_side_moved_is_refused_by_name_and_one_that_touches_something_else_goes_on(
    fleet: Any,
) -> None:
    fleet.write(LLM, ANN)
    fleet.apply()
    fleet.edit(LLM, "llm:1", "llm:2")
    plan = saved(fleet)
    (live,) = fleet.ours()[LLM]
    fleet.edit(LLM, "llm:2", "llm:1")
    fleet.edit(LLM, "image: registry.example.com/llm:1", "image: registry.example.com/llm:3")
    fleet.apply("--target", LLM)  # somebody else's doing
    fleet.edit(LLM, "llm:3", "llm:2")

    done = fleet.apply(plan, code=4)

    assert f"{LLM} has moved since (image)" in done.stderr
    assert fleet.ours()[LLM] == [live]
    assert len(fleet.writes_of(LLM, "PATCH")) == 1


def test_expect_takes_files_and_digests_and_names_what_is_in_none_of_them(fleet: Any) -> None:
    fleet.write(LLM)
    first = saved(fleet, "first.json")
    fleet.write(ANN)
    fleet.fault(LLM, when="before", status=400, body={"code": 400, "message": "not today"})

    done = fleet.apply("--expect", first, code=4)
    assert ANN in done.stderr
    assert LLM not in done.stderr
    second = json.loads(fleet.project.run("plan", "-o", "json").stdout)["digest"]
    assert fleet.served.writes() == []
    # Interrupted half-way, the same reviewed set goes on; done, it is refused.
    fleet.apply("--expect", first, "--expect", second, code=3)
    fleet.apply("--expect", first, "--expect", second)
    done = fleet.apply("--expect", second, code=4)
    assert "already" in done.stderr
    assert fleet.counts()[LLM] == fleet.counts()[ANN] == 1


def test_an_older_revision_than_the_one_applied_last_is_refused(fleet: Any) -> None:
    root = str(fleet.project.root)

    def git(*words: str) -> str:
        who = ["-c", "user.name=a", "-c", "user.email=a@b"]
        done = subprocess.run(["git", "-C", root, *who, *words], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    fleet.write(LLM)
    git("init", "-q")
    for number in (1, 2):
        fleet.edit(LLM, f"llm:{number}", f"llm:{number + 1}")
        git("add", "resources")
        git("commit", "-qm", str(number))
    older, newer = git("rev-parse", "HEAD~1"), git("rev-parse", "HEAD")
    fleet.apply()
    git("checkout", "-q", older)

    refused = fleet.apply(code=4)
    assert f"revision {older[:12]} comes before {newer[:12]}" in refused.stderr
    assert "--allow-older" in refused.stderr
    assert len(fleet.writes_of(LLM)) == 1
    git("commit", "-q", "--allow-empty", "-m", "another line")
    fleet.apply("--expect", fleet.project.plan()["digest"])
    git("checkout", "-q", older)
    assert fleet.project.run("apply", "--yes", "--allow-older").returncode == 0
    fleet.edit(LLM, "llm:2", "llm:4")
    shutil.rmtree(fleet.project.root / ".git")
    git("init", "-q")
    git("add", "resources")
    git("commit", "-qm", "a shallow clone")
    assert "nobody can tell whether revision" in fleet.apply().stderr


def test_what_was_reviewed_on_pull_requests_is_applied_and_nothing_else(fleet: Any) -> None:
    """`github reviewed` writes it: sets of beginnings of digests, without what is in them."""
    fleet.write(LLM)
    first = json.loads((fleet.project.run("plan", "-o", "json")).stdout)
    fleet.write(ANN)
    file = fleet.project.root / "reviewed.json"

    def write(*plans: dict[str, Any], owner: str = "shop", **more: Any) -> str:
        sets = [
            {
                "pull_request": number,
                "url": "",
                "digest": plan["digest"],
                "changes": [change["digest"][:32] for change in plan["changes"]],
            }
            for number, plan in enumerate(plans, 1)
        ]
        document = {"format": "reconciler-reviewed/1", "owner": owner, "sets": sets, "left_out": [], **more}
        file.write_text(json.dumps(document), encoding="utf-8")
        return str(file)

    done = fleet.apply("--expect", write(first), code=4)
    assert f"{ANN} was not reviewed as it is now" in done.stderr
    second = json.loads((fleet.project.run("plan", "-o", "json")).stdout)
    assert second["digest"] in done.stderr, "what a person may review and expect by hand"
    only = [change for change in second["changes"] if change["address"] == ANN]
    write(first, {"digest": "0" * 64, "changes": only})
    assert fleet.apply("--expect", str(file)).returncode == 0
    assert fleet.apply("--expect", str(file)).returncode == 0, "nothing is left to do: a second run is no failure"
    assert fleet.creates() == {CHAT: 0, LLM: 1, MNIST: 0, ANN: 1}

    fleet.edit(LLM, "llm:1", "llm:2")
    assert "other-owner" in fleet.apply("--expect", write(second, owner="shop/prod"), code=4).stderr
    assert LLM in fleet.apply("--expect", write(), code=4).stderr, "no set at all lets nothing through"
    for damage in ({"sets": None}, {"sets": [{"digest": "x", "changes": []}]}, {"owner": None}):
        assert "not-a-plan" in fleet.apply("--expect", write(second, **damage), code=1).stderr
    assert fleet.writes_of(LLM, "PATCH") == []


def test_what_could_not_be_read_is_told_before_anybody_is_asked_to_review_it(fleet: Any) -> None:
    fleet.write(LLM, ANN)
    plan = saved(fleet)
    down = {"provider": "runai", "method": "GET", "path": ".", "when": "before", "status": 503, "count": None}
    fleet.served.post("faults", [down])
    done = fleet.apply("--expect", plan, code=1)
    assert "unexpected-change" not in done.stderr
    assert fleet.served.writes() == []
    done = fleet.apply("--expect", plan, "--partial", code=3)
    assert fleet.creates() == {CHAT: 0, LLM: 0, MNIST: 0, ANN: 1}, "the rest was reviewed, and goes on"


def test_a_run_notes_whether_it_was_to_do_all_that_the_spec_says(fleet: Any) -> None:
    fleet.write(LLM, ANN)
    fleet.apply("--target", LLM)
    fleet.apply()
    runs = open_ledger({"type": "sqlite"}, fleet.project.root).runs("shop")
    assert [run.whole for run in runs] == [True, False]
