"""What a plan says, through the command line: cases C22 to C36 as far as no other file holds them.

Elsewhere: C26 `tests/apply/test_secrets.py`; C30, C31 order of what is sent `tests/apply/test_signals.py`,
`tests/faults/test_writes.py`; C32, C34, C35 `tests/apply/test_lifecycle.py`; C36 `tests/apply/test_reviewed.py`; all of
them as pictures in `tests/golden/plans/`; field by field for every kind `tests/walk/`.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.conftest import ANN, CHAT, LLM, MNIST

SIZES = "compute: {cpuCoreRequest: 0.5, cpuMemoryRequest: 1000M, cpuMemoryLimit: 1000M}"


def only_field(fleet: Any, address: str) -> dict[str, Any]:
    """The one field of the one change of a fresh plan."""
    changes = fleet.changes()
    assert list(changes) == [address]
    (field,) = changes[address]["fields"]
    found: dict[str, Any] = field
    return found


def test_the_same_quantity_in_other_words_is_no_change_and_another_one_is_shown_as_both_wrote_it(fleet: Any) -> None:
    """C22: `1000m` = `1`, and 1 GB is not 1 GiB."""
    fleet.served.post("switches", {"runai": {"rewriteQuantities": True}})
    fleet.write(LLM)
    fleet.edit(LLM, "compute: {cpuCoreRequest: 1, cpuMemoryRequest: 1Gi}", SIZES)
    fleet.apply()
    (stored,) = (item for item in fleet.served.get("state")["runai"] if item["name"] == "llm")
    assert str(stored["spec"]["compute"]) != str({"cpuMemoryLimit": "1000M"}), "the server spells them otherwise"
    fleet.assert_settled()
    fleet.apply()
    assert len(fleet.writes_of(LLM)) == 1

    fleet.edit_inference({"compute": {"cpuCoreRequest": 0.5, "cpuMemoryRequest": "1000M", "cpuMemoryLimit": "1Gi"}})
    field = only_field(fleet, LLM)
    assert (field["path"], field["before"], field["after"]) == ("compute.cpuMemoryLimit", "1Gi", "1000M")
    assert field["class"] == "drift"


def test_nothing_null_empty_and_default_are_one_and_the_same(fleet: Any) -> None:
    """C23, on both sides."""
    fleet.write()
    fleet.edit(LLM, "  image:", "  tolerations: []\n  nodeType: null\n  annotations: []\n  image:")
    fleet.edit(CHAT, "min_replicas: 1}", "min_replicas: 1, env_vars: {}, annotations: {}}")
    fleet.edit(MNIST, "  infer_type:", "  schedule: []\n  additional_properties: {}\n  infer_type:")
    fleet.edit(ANN, "spec: {storage:", "spec: {annotations: {}, extend_storage: null, storage:")
    fleet.apply()
    fleet.assert_settled()
    fleet.write()
    fleet.assert_settled()


def test_a_shuffled_list_is_no_change_and_a_changed_entry_is_shown_as_that_entry(fleet: Any) -> None:
    """C24: and the digest of an unchanged plan never moves."""
    fleet.served.post("switches", {"runai": {"reorderLists": True}})
    fleet.write(LLM)
    entries = ", ".join(f"{{name: {name}, value: '1'}}" for name in ("MODEL", "B", "C", "D", "E"))
    tolerations = ", ".join(f"{{name: {name}, key: {name}, operator: Exists}}" for name in ("x", "y", "z"))
    fleet.edit(LLM, "  image:", f"  environmentVariables: [{entries}]\n  tolerations: [{tolerations}]\n  image:")
    fleet.apply()
    plans = [fleet.project.plan() for _ in range(5)]
    assert {plan["summary"]["none"] for plan in plans} == {1}
    assert len({plan["digest"] for plan in plans}) == 1

    fleet.edit(LLM, "{name: MODEL, value: '1'}", "{name: MODEL, value: '2'}")
    field = only_field(fleet, LLM)
    assert (field["path"], field["before"], field["after"]) == ("environmentVariables[MODEL].value", "1", "2")
    assert len({fleet.project.plan()["digest"] for _ in range(3)}) == 1


def test_what_others_put_there_is_no_change_and_survives_ours(fleet: Any) -> None:
    """C25, C27: a policy's entries stay, what we take out goes."""
    instances = [{"name": "RUNAI_X", "value": "1"}]
    policy = {"defaults": {"environmentVariables": {"instances": instances}}}
    fleet.served.post("switches", {"runai": {"policy": policy}})
    fleet.write(LLM)
    fleet.edit(LLM, "  image:", "  environmentVariables: [{name: A, value: '1'}, {name: DEBUG, value: '1'}]\n  image:")
    fleet.edit(
        LLM, "maxReplicas: 1}", "maxReplicas: 4, metric: concurrency, metricThreshold: 10, scaleDownDelaySeconds: 300}"
    )
    fleet.apply()
    fleet.assert_settled()

    fleet.edit(LLM, ", {name: DEBUG, value: '1'}", "")
    fleet.edit(LLM, ", scaleDownDelaySeconds: 300", "")
    paths = {field["path"] for field in fleet.changes()[LLM]["fields"]}
    assert {path.partition(".")[0].partition("[")[0] for path in paths} == {"environmentVariables", "autoscaling"}
    fleet.apply()

    (patch,) = fleet.writes_of(LLM, "PATCH")
    sent = patch["body"]["spec"]
    assert {entry["name"] for entry in sent["environmentVariables"]} == {"A", "RUNAI_X"}
    assert "scaleDownDelaySeconds" not in sent["autoscaling"] or sent["autoscaling"]["scaleDownDelaySeconds"] != 300
    (stored,) = (item for item in fleet.served.get("state")["runai"] if item["name"] == "llm")
    assert {entry["name"] for entry in stored["spec"]["environmentVariables"]} == {"A", "RUNAI_X"}
    fleet.assert_settled()


def test_what_a_batch_and_an_ignored_field_became_is_no_change(fleet: Any) -> None:
    """C28: the notebook's automatic stop is in `tests/faults/test_writes.py`."""
    fleet.write(MNIST, lifecycle='{ignoreChanges: ["spec.config[*].instance_count"], runState: running}')
    fleet.project.write(
        "resources/batch.yaml",
        """\
        apiVersion: modelarts/v1
        kind: Service
        metadata: {name: nightly}
        spec:
          infer_type: batch
          config:
            - {model_id: 0e07b41b-173e-42db-8c16-8e1b44cc0d44, specification: modelarts.vm.cpu.2u, instance_count: 1,
               src_path: "https://b.obs.example.com/in/", dest_path: "https://b.obs.example.com/out/", req_uri: /,
               mapping_type: file}
        """,
    )
    fleet.apply()
    fleet.served.post("clock", {"advance_s": 4000})
    finished = {item["service_name"]: item["status"] for item in fleet.served.get("state")["modelarts-services"]}
    assert finished["nightly"] == "finished"
    fleet.assert_settled()
    fleet.edit(MNIST, "instance_count: 1", "instance_count: 5")
    fleet.assert_settled()
    assert len(fleet.writes_of(MNIST)) == 2


# -- order ----------------------------------------------------------------------------------------------------------


def test_a_circle_is_told_with_its_places_in_the_same_words_each_time_and_without_a_request(fleet: Any) -> None:
    """C29."""
    fleet.write()
    fleet.edit(CHAT, "{name: chat}", f"{{name: chat, dependsOn: [{LLM}]}}")
    fleet.edit(
        LLM,
        "  image:",
        f"  environmentVariables: [{{name: URL, value: '{{{{ ref(\"{MNIST}\").endpoint }}}}'}}]\n  image:",
    )
    fleet.edit(MNIST, "{name: mnist}", f"{{name: mnist, dependsOn: [{CHAT}]}}")
    fleet.edit(ANN, "{name: ann}", f"{{name: ann, dependsOn: [{CHAT}]}}")

    told = set()
    for seed in ("1", "2", "3"):
        fleet.project.env["PYTHONHASHSEED"] = seed
        done = fleet.project.start("plan")
        out, err = done.communicate(timeout=60)
        assert (done.returncode, out) == (1, "")
        told.add(err)

    (text,) = told
    assert f"{MNIST} -> {CHAT} -> {LLM} -> {MNIST}" in text or f"{CHAT} -> {LLM} -> {MNIST} -> {CHAT}" in text
    for file in ("chat.yaml", "llm.yaml", "mnist.yaml"):
        assert re.search(rf"resources/{file}:\d+:\d+", text), file
    assert "ann" not in text
    assert fleet.served.get("requests") == []
    fleet.write(CHAT)
    fleet.edit(CHAT, "{name: chat}", f"{{name: chat, dependsOn: [{CHAT}]}}")
    assert f"{CHAT} -> {CHAT}" in fleet.project.run("validate").stderr


def test_a_plan_is_the_same_bytes_in_any_process_and_whatever_file_a_document_is_in(fleet: Any) -> None:
    """C30: under other hash seeds, and with the documents shuffled between files."""
    fleet.write()
    told: dict[str, set[str]] = {}
    documents = {
        address: (fleet.project.root / fleet.file(address)).read_text(encoding="utf-8") for address in fleet.addresses
    }
    for seed, order in (("1", list(documents)), ("2", list(documents)[::-1])):
        for address in fleet.addresses:
            fleet.project.write(fleet.file(address), documents[address])
        fleet.project.env["PYTHONHASHSEED"] = seed
        for output in ("text", "json", "markdown"):
            done = fleet.project.start("plan", "-o", output)
            told.setdefault(output, set()).add(done.communicate(timeout=60)[0])
            assert done.returncode == 0
        stream = "---\n".join(documents[address] for address in order)
        shuffled = fleet.project.root.with_name(f"stream-{seed}.yaml")
        shuffled.write_text(stream, encoding="utf-8")
        told.setdefault("digest", set()).add(fleet.project.plan("-f", str(shuffled))["digest"])
    assert {output: len(texts) for output, texts in told.items()} == dict.fromkeys(told, 1)


def test_what_others_still_need_can_not_leave_the_spec(fleet: Any) -> None:
    """C30, the variant."""
    fleet.write(CHAT, LLM)
    fleet.edit(LLM, "{name: llm}", f"{{name: llm, dependsOn: [{CHAT}]}}")
    fleet.apply()
    fleet.remove(CHAT)
    done = fleet.project.run("plan")
    assert done.returncode == 1
    assert re.search(r"resources/llm\.yaml:\d+:\d+: .*theta/Deployment/chat", done.stderr)


# -- safety ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("left", ["nothing", "a policy", "an empty document"])
def test_a_folder_without_anything_desired_deletes_nothing(fleet: Any, left: str) -> None:
    """C33."""
    fleet.write()
    fleet.apply()
    for address in fleet.addresses:
        fleet.remove(address)
    if left != "nothing":
        text = "apiVersion: reconciler/v1\nkind: Policy\nmetadata: {name: calm}\nspec: {match: {}, assert: 'true'}\n"
        fleet.project.write("resources/rest.yaml", text if left == "a policy" else "---\n# later\n")
    done = fleet.apply(code=4)
    assert "--allow-empty-spec" in done.stdout
    assert fleet.served.writes(method="DELETE") == []


def test_a_moved_folder_a_misspelt_environment_and_an_emptied_list_are_three_different_things(fleet: Any) -> None:
    """C33, the variants."""
    fleet.write(CHAT)
    fleet.project.write(
        "resources/team.yaml",
        """\
        apiVersion: modelarts/v1
        kind: Notebook
        metadata: {name: "nb-{{ item }}"}
        forEach: "{{ values.team }}"
        spec:
          profile_id: Multi-Engine 2.0 (python3)
          flavor: modelarts.vm.cpu.2u
          spec: {storage: {type: obs, location: {path: "/shop-research/{{ item }}/"}}}
        """,
    )
    config = fleet.project.root / "reconciler.yaml"
    text = config.read_text(encoding="utf-8")
    more = "  values: {team: [ann, bob, cyd]}\n  environments: {dev: {}, prod: {}}\n  secrets:"
    config.write_text(text.replace("  secrets:", more, 1), encoding="utf-8")
    fleet.apply("-e", "dev")

    misspelt = fleet.project.run("plan", "-e", "prodd")
    assert (misspelt.returncode, "dev, prod" in misspelt.stderr) == (1, True), misspelt.stderr
    assert "did you mean 'prod'" in misspelt.stderr
    nobody = str(fleet.project.write("nobody.yaml", "team: []\n"))
    two = str(fleet.project.write("two.yaml", "team: [cyd, bob]\n"))
    emptied = fleet.project.plan("-e", "dev", "--values", nobody, "--max-deletes", "2")
    assert {change["reason"] for change in emptied["changes"]} == {"too-many-deletes"}
    assert emptied["summary"]["blocked"] == 3
    fewer = fleet.project.plan("-e", "dev", "--values", two)
    assert [(one["address"], one["action"]) for one in fewer["changes"]] == [("modelarts/Notebook/nb-ann", "delete")]
    (fleet.project.root / "resources").rename(fleet.project.root / "specs")
    moved = fleet.project.run("plan", "-e", "dev")
    assert moved.returncode == 1
    assert "resources" in moved.stderr
    assert fleet.served.writes(method="DELETE") == []


# -- bad input ------------------------------------------------------------------------------------------------------


def test_a_plan_of_another_project_or_format_and_words_that_are_none_are_refused(fleet: Any) -> None:
    fleet.write(CHAT)
    path = fleet.project.root / "plan.json"
    assert fleet.project.run("plan", "--out", str(path)).returncode == 0
    config = fleet.project.root / "reconciler.yaml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("{name: shop}", "{name: other}"), encoding="utf-8")
    for words in ((str(path),), ("--expect", str(path))):
        other = fleet.project.run("apply", "--yes", *words)
        assert other.returncode == 4
        assert "is a plan for shop, and this is other" in other.stderr
    assert fleet.served.writes() == []
    config.write_text(text, encoding="utf-8")

    newer = json.loads(path.read_text(encoding="utf-8")) | {"format": "reconciler-plan/2"}
    (fleet.project.root / "newer.json").write_text(json.dumps(newer), encoding="utf-8")
    (fleet.project.root / "noise.json").write_bytes(b"\x00\xff{")
    for name in ("newer.json", "noise.json"):
        done = fleet.project.run("apply", "--yes", str(fleet.project.root / name))
        assert done.returncode == 1, done.stderr
        assert name in done.stderr
        assert "Traceback" not in done.stderr
    for words, expected in (
        (("--target", "theta/Deployment/chatt"), "did you mean 'theta/Deployment/chat'"),
        (("--provider", "thetta"), "did you mean 'theta'"),
    ):
        done = fleet.project.run("plan", *words)
        assert done.returncode == 1, done.stderr
        assert expected in done.stderr
    nonsense = fleet.project.run("apply", "--yes", "--expect", "no-such-digest")
    assert (nonsense.returncode, fleet.served.writes()) == (4, [])
