"""Signals, two runs at once, and a run that was killed (case C46); order of what is sent (case C30)."""

from __future__ import annotations

import itertools
import signal
import subprocess
from typing import Any

CHAT, LLM = "theta/Deployment/chat", "runai/Inference/llm"
MNIST, ANN = "modelarts/Service/mnist", "modelarts/Notebook/ann"


def six_services(fleet: Any) -> None:
    """Six services in a row: each needs the one before."""
    fleet.write(MNIST)
    text = (fleet.project.root / fleet.file(MNIST)).read_text(encoding="utf-8")
    for number in range(1, 6):
        name = "mnist" if number == 1 else f"mnist-{number - 1}"
        metadata = f"{{name: mnist-{number}, dependsOn: [modelarts/Service/{name}]}}"
        fleet.project.write(f"resources/mnist-{number}.yaml", text.replace("{name: mnist}", metadata))


def test_sigterm_finishes_what_is_in_flight_and_begins_nothing_more(fleet: Any) -> None:
    six_services(fleet)
    fleet.fault(MNIST, skip=2, when="after-commit", delay_s=1.5)
    process = fleet.project.start("apply", "--yes")
    fleet.wait_for(lambda: fleet.counts()[MNIST] == 3)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=20)

    assert process.returncode == 3, out + err
    assert fleet.creates()[MNIST] == 3
    assert "Stopped early: 2 done, 3 skipped, 1 unknown" in out
    assert "exists" in out[out.index("mnist-2") :]
    assert "Traceback" not in err

    # The one in flight was noted: the next run has nothing to settle, and the lease is free.
    done = fleet.apply()
    assert "earlier run" not in done.stderr
    assert fleet.creates()[MNIST] == 6
    fleet.assert_settled()


def test_a_second_signal_ends_it_at_once_and_the_next_run_settles(fleet: Any) -> None:
    fleet.write(MNIST)
    fleet.fault(MNIST, when="after-commit", delay_s=2.5)
    process = fleet.project.start("apply", "--yes")
    fleet.wait_for(lambda: fleet.counts()[MNIST] == 1)
    process.send_signal(signal.SIGTERM)
    assert process.stderr is not None
    while "SIGTERM" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=1.5)

    assert process.returncode == 3
    done = fleet.apply()
    assert "modelarts/Service/mnist: the create of an earlier run had been done" in done.stdout
    assert fleet.creates()[MNIST] == 1


def test_of_two_runs_one_works_and_the_other_names_it(fleet: Any) -> None:
    fleet.write(MNIST)
    fleet.fault(MNIST, when="after-commit", delay_s=2)
    first = fleet.project.start("apply", "--yes")
    fleet.wait_for(lambda: fleet.counts()[MNIST] == 1)

    second = fleet.project.run("apply", "--yes")
    waiting = fleet.project.run("apply", "--yes", "--lease-wait", "30s")
    out, err = first.communicate(timeout=30)

    assert (first.returncode, second.returncode, waiting.returncode) == (0, 4, 0), out + err + second.stderr
    assert f"process {first.pid}" in second.stderr or str(first.pid) in second.stderr
    assert fleet.creates()[MNIST] == 1


def test_dependants_come_after_readiness_and_deletes_go_backwards(fleet: Any) -> None:
    fleet.write(CHAT, LLM, MNIST)
    fleet.edit(
        LLM,
        "spec:",
        "spec:\n  environmentVariables: [{name: URL, value: \"{{ ref('theta/Deployment/chat').endpoint }}\"}]",
    )
    fleet.edit(MNIST, "{name: mnist}", "{name: mnist, dependsOn: [runai/Inference/llm]}")
    fleet.apply()

    writes = [(entry["provider"], entry["method"]) for entry in fleet.served.writes()]
    assert writes == [("theta", "POST"), ("runai", "POST"), ("modelarts-services", "POST")]
    (post,) = fleet.writes_of(LLM)
    (chat,) = (item for item in fleet.served.get("state")["theta"] if item["Suffix"] in fleet.ours()[CHAT])
    assert chat["Suffix"] in post["body"]["spec"]["environmentVariables"][0]["value"]

    for address in (CHAT, LLM, MNIST):
        fleet.remove(address)
    fleet.apply("--allow-empty-spec")

    log = fleet.served.get("requests")
    gone = [entry for entry in log if entry["method"] == "DELETE"]
    assert [entry["provider"] for entry in gone] == ["modelarts-services", "runai", "theta"]
    between = [
        e for e in log if gone[0]["number"] < e["number"] < gone[1]["number"] and e["provider"] == gone[0]["provider"]
    ]
    assert between[-1]["status"] == 404, "the second delete did not wait for the end of the first"


def test_theta_makes_one_at_a_time(fleet: Any) -> None:
    fleet.write(CHAT)
    text = (fleet.project.root / fleet.file(CHAT)).read_text(encoding="utf-8")
    for name in ("other", "third"):
        fleet.project.write(f"resources/{name}.yaml", text.replace("name: chat", f"name: {name}"))
    fleet.fault(CHAT, count=3, when="after-commit", delay_s=0.4)

    fleet.apply()

    log = [e for e in fleet.served.get("requests") if e["provider"] == "theta"]
    posts = [index for index, entry in enumerate(log) if entry["method"] == "POST"]
    assert len(posts) == 3
    for before, after in itertools.pairwise(posts):
        assert any(entry["method"] == "GET" for entry in log[before:after]), "two creates without a look between"


def test_an_apply_whose_reader_goes_away_still_finishes_and_notes_its_writes(fleet: Any) -> None:
    fleet.write()
    process = subprocess.Popen(
        fleet.project.command("apply", "--yes"),
        env=fleet.project.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    process.stderr.close()

    assert process.wait(60) in {0, 1}
    assert set(fleet.counts().values()) == {1}
    fleet.assert_settled()
