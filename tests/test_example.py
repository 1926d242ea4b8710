"""`specs-example/` end to end, as a person runs it: the command line as a process, on the embedded emulator."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reconciler.emulator.server import Server

EXAMPLE = Path(__file__).parent.parent / "specs-example"
CANARY = "hf_canary0123456789"

EMBEDDINGS = "theta/Deployment/embeddings"
FEATURES = "theta/Deployment/features"
ASSISTANT = "theta/Deployment/assistant"
RERANKER = "runai/Inference/reranker"
TAGGER = "runai/Inference/image-tagger"
RECOMMENDATIONS = "modelarts/Service/recommendations"
CHURN = "modelarts/Service/churn-scores"
CAMERA = "modelarts/Service/shelf-camera"
ANN = "modelarts/Notebook/notebook-ann"
BOB = "modelarts/Notebook/notebook-bob"
EVERYTHING = {EMBEDDINGS, FEATURES, ASSISTANT, RERANKER, TAGGER, RECOMMENDATIONS, CHURN, CAMERA, ANN, BOB}


@dataclass(frozen=True)
class Project:
    """A copy of the example; each command is a process of its own."""

    root: Path

    def run(self, command: str, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("RECONCILER_", "HF_", "CI"))}
        return subprocess.run(
            [sys.executable, "-m", "reconciler", command, "-C", str(self.root), *arguments],
            capture_output=True,
            text=True,
            encoding="utf-8",
            env={**kept, **environ},
            timeout=120,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def plan(self, *arguments: str) -> dict[str, Any]:
        done = self.run("plan", "-o", "json", *arguments)
        assert done.stdout, done.stderr
        plan: dict[str, Any] = json.loads(done.stdout)
        return plan

    def changes(self, *arguments: str) -> dict[str, dict[str, Any]]:
        return {change["address"]: change for change in self.plan(*arguments)["changes"]}

    def apply(self, *arguments: str, **environ: str) -> None:
        done = self.run("apply", "--yes", *arguments, **environ)
        assert done.returncode == 0, done.stdout + done.stderr

    def assert_no_changes(self, *arguments: str) -> None:
        done = self.run("plan", "--detailed-exitcode", *arguments)
        assert (done.returncode, "No changes" in done.stdout) == (0, True), done.stdout + done.stderr

    def live(self, *arguments: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = json.loads(self.run("list", "-o", "json", *arguments).stdout)["items"]
        return items

    def ours(self) -> set[str]:
        return {item["address"] for item in self.live() if item["owner"] == "shop/dev"}

    def edit(self, path: str, before: str, after: str) -> None:
        file = self.root / path
        text = file.read_text(encoding="utf-8")
        assert before in text, f"{path} has no {before!r}"
        file.write_text(text.replace(before, after), encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """The example as it is cloned."""
    shutil.copytree(EXAMPLE, tmp_path / "shop", ignore=shutil.ignore_patterns(".reconciler"))
    return Project(tmp_path / "shop")


@pytest.fixture(scope="module")
def applied_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example after its first apply, with secrets that can be told apart."""
    root = tmp_path_factory.mktemp("applied") / "shop"
    shutil.copytree(EXAMPLE, root, ignore=shutil.ignore_patterns(".reconciler"))
    Project(root).apply()
    return root


@pytest.fixture
def applied(applied_once: Path, tmp_path: Path) -> Project:
    """A copy of its own of the applied example, state and all."""
    shutil.copytree(applied_once, tmp_path / "shop")
    return Project(tmp_path / "shop")


def test_validate_accepts_the_example_and_starts_no_emulator(project: Project) -> None:
    done = project.run("validate")

    assert (done.returncode, done.stderr) == (0, "")
    assert "10 resources" in done.stdout
    assert not (project.root / ".reconciler").exists()


def test_first_plan_creates_every_kind_after_what_it_needs_with_costs(project: Project) -> None:
    plan = project.plan()

    assert {change["address"] for change in plan["changes"]} == EVERYTHING
    assert {change["action"] for change in plan["changes"]} == {"create"}
    order = plan["order"]
    assert sorted(order) == sorted(EVERYTHING)
    for needed, dependant in ((EMBEDDINGS, RERANKER), (FEATURES, RECOMMENDATIONS), (FEATURES, CHURN)):
        assert order.index(needed) < order.index(dependant)
    costs = {change["address"]: change["cost"] for change in plan["changes"]}
    assert {address: cost["unit"] for address, cost in costs.items()} == {
        address: "theta-units" if address.startswith("theta/") else "EUR" for address in EVERYTHING
    }
    assert costs[EMBEDDINGS]["after"]["hourly_min"] == "20"
    assert costs[RERANKER]["after"] == {
        "hourly_min": "1.05",
        "hourly_max": "4.2",
        "monthly_min": "766.5",
        "monthly_max": "3066",
    }


def test_each_planned_value_says_where_it_was_written(project: Project) -> None:
    fields = {field["path"]: field for field in project.changes("-e", "prod")[EMBEDDINGS]["fields"]}

    assert fields["vm_id"]["origin"].startswith("patches/prod/search.yaml:")
    assert fields["min_replicas"]["origin"].startswith("values/prod.yaml:")
    assert fields["template"]["origin"].startswith("resources/search/embeddings.yaml:")


def test_a_plan_writes_nothing(project: Project) -> None:
    project.plan()

    assert project.ours() == set()


def test_after_the_apply_another_process_sees_no_changes(applied: Project) -> None:
    applied.assert_no_changes()
    assert applied.ours() == EVERYTHING


def test_a_reference_arrives_as_the_endpoint_of_the_other_provider(applied: Project) -> None:
    outputs = json.loads(applied.run("outputs").stdout)["outputs"]
    endpoint = outputs[EMBEDDINGS]["endpoint"]
    assert endpoint.startswith("https://")

    # Written out, the same text is no change: so it is what the workload got.
    applied.edit("resources/search/reranker.yaml", '{{ ref("theta/Deployment/embeddings").endpoint }}', endpoint)

    applied.assert_no_changes()


def test_a_plain_environment_patch_and_values_apply_beside_the_other_environment(applied: Project) -> None:
    applied.apply("-e", "prod")

    applied.assert_no_changes("-e", "prod")
    applied.assert_no_changes("-e", "dev")


def test_an_in_place_field_of_each_kind_that_has_one_updates_and_settles(applied: Project) -> None:
    before = {item["address"]: item["id"] for item in applied.live()}
    applied.edit("resources/crm/churn-scores.yaml", "instance_count: 1", "instance_count: 2")
    applied.edit("resources/search/reranker.yaml", "reranker:2.4.1", "reranker:2.5.0")
    applied.edit("resources/science/notebooks.yaml", "Research of", "Notes of")

    changes = applied.changes()

    assert {address: change["action"] for address, change in changes.items()} == dict.fromkeys(
        (CHURN, RERANKER, ANN, BOB), "update"
    )
    assert _field(changes[CHURN]) == ("instance_count", 1, 2, False)
    assert _field(changes[RERANKER]) == ("image", _image("2.4.1"), _image("2.5.0"), False)
    assert _field(changes[ANN]) == ("description", "Research of ann in dev", "Notes of ann in dev", False)
    assert {change["reason"] for change in changes.values()} == {"fields-differ"}
    applied.apply()
    applied.assert_no_changes()
    assert {item["address"]: item["id"] for item in applied.live()} == before


def test_a_replace_forcing_field_of_each_kind_replaces_by_name_and_settles(applied: Project) -> None:
    old = {item["address"]: item["id"] for item in applied.live() if item["address"]}
    applied.edit("resources/platform/features.yaml", "vm_id: vm_c1", "vm_id: vm_c2")
    applied.edit("resources/catalogue/image-tagger.yaml", "container: 9000", "container: 9001")
    applied.edit("resources/crm/churn-scores.yaml", "infer_type: batch", "pool_name: pool-crm\n  infer_type: batch")
    applied.edit("reconciler.yaml", "ann: modelarts.vm.cpu.2u", "ann: modelarts.vm.cpu.8u")

    changes = applied.changes()

    # What refers to the endpoint of a new deployment gets the new one.
    assert changes.pop(RECOMMENDATIONS)["action"] == "update"
    assert {address: change["action"] for address, change in changes.items()} == dict.fromkeys(
        (FEATURES, TAGGER, CHURN, ANN), "replace"
    )
    assert {
        address: [field["path"] for field in change["fields"] if field["forces_replace"]]
        for address, change in changes.items()
    } == {FEATURES: ["vm_id"], TAGGER: ["servingPort.container"], CHURN: ["pool_name"], ANN: ["flavor"]}
    assert {change["reason"] for change in changes.values()} == {"field-forces-replace"}
    assert {change["interruption"] for change in changes.values()} <= {"replace", "data-loss"}
    applied.apply()
    applied.assert_no_changes()
    new = {item["address"]: item["id"] for item in applied.live() if item["address"]}
    assert {address for address in EVERYTHING if new[address] != old[address]} == {FEATURES, TAGGER, CHURN, ANN}


def test_a_removed_file_is_one_delete_and_nothing_else_moves(applied: Project) -> None:
    before = applied.live()
    (applied.root / "resources/stores/shelf-camera.yaml").unlink()

    assert {address: change["action"] for address, change in applied.changes().items()} == {CAMERA: "delete"}
    applied.apply()

    applied.assert_no_changes()
    assert applied.live() == [item for item in before if item["address"] != CAMERA]
    assert any(item["owner"] == "unmanaged" for item in before)


def test_a_removed_item_of_a_list_leaves_the_others_alone(applied: Project) -> None:
    applied.edit("reconciler.yaml", "ann: modelarts.vm.cpu.2u, ", "")

    assert {address: change["action"] for address, change in applied.changes().items()} == {ANN: "delete"}


def test_a_protected_resource_survives_the_loss_of_its_file(applied: Project) -> None:
    (applied.root / "resources/recommendations/recommendations.yaml").unlink()

    assert applied.changes()[RECOMMENDATIONS]["action"] == "blocked"
    done = applied.run("apply", "--yes")

    assert done.returncode == 4, done.stdout + done.stderr
    assert applied.ours() == EVERYTHING


def test_a_secret_shows_up_in_no_output_and_not_in_the_ledger(project: Project) -> None:
    secrets = {"HF_TOKEN": CANARY, "ASSISTANT_PASSWORD": "canary-pass-0123456789"}
    outputs = [
        project.run(*words, **secrets) for words in (("compile",), ("plan",), ("apply", "--yes"), ("plan", "-vv"))
    ]

    told = "".join(done.stdout + done.stderr for done in outputs)
    assert [done.returncode for done in outputs] == [0, 0, 0, 0], told
    kept = b"".join(path.read_bytes() for path in (project.root / ".reconciler").glob("ledger.db*"))
    assert kept
    for value in secrets.values():
        assert value not in told
        assert value.encode() not in kept


def test_all_mistakes_are_told_at_once_at_their_places_and_nobody_is_asked(project: Project) -> None:
    project.edit("resources/search/reranker.yaml", "    minReplicas:", "    minReplica:")
    project.edit("resources/platform/features.yaml", "  vm_id: vm_c1\n", "")
    project.edit("resources/stores/shelf-camera.yaml", "infer_type: edge", "infer_type: edgy")
    project.edit("resources/recommendations/recommendations.yaml", "weight: 90\n", "weight: 80\n")
    project.edit("resources/science/notebooks.yaml", '"/shop-research/{{ item.key }}/"', "/shop-research/")

    for command in ("validate", "plan", "apply"):
        done = project.run(command, *(["--yes"] if command == "apply" else []))

        assert done.returncode == 1
        assert done.stdout == ""
        for expected in (
            f"resources/search/reranker.yaml:19:5: {RERANKER}: unknown field 'minReplica'",
            "did you mean 'minReplicas'?",
            f"resources/platform/features.yaml:8:1: {FEATURES}: ",
            "vm_id",
            f"resources/stores/shelf-camera.yaml:9:15: {CAMERA}: ",
            f"resources/recommendations/recommendations.yaml:17:15: {RECOMMENDATIONS}: the weights sum to 90",
            f"resources/science/notebooks.yaml:16:24: {ANN}: '/shop-research/' is the root of a bucket",
        ):
            assert expected in done.stderr, f"{command}\n{done.stderr}"
        assert "Traceback" not in done.stderr
    assert not (project.root / ".reconciler").exists()


def test_the_mistakes_in_readme_are_told_as_it_says(project: Project) -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    shown = readme.partition("before any provider is contacted:\n\n```text\n")[2].partition("```")[0]
    project.edit("resources/catalogue/image-tagger.yaml", "scaleToZeroRetentionSeconds", "scaleToZeroRetention")
    project.edit("resources/recommendations/recommendations.yaml", "weight: 90\n", "weight: 80\n")
    project.edit("resources/science/notebooks.yaml", '"/shop-research/{{ item.key }}/"', "/shop-research/")
    assert project.run("validate").stderr == shown


def test_the_policy_of_the_example_says_its_whole_message(project: Project) -> None:
    changes = project.changes("--set", "budget.EUR=1")
    assert {change["reason"] for change in changes.values()} == {"policy-denied"}
    assert "Ask #finance, and raise values.budget in the same pull request" in changes[CHURN]["message"]


def test_unknown_names_of_the_catalogue_are_located_and_nothing_is_written(project: Project) -> None:
    project.edit("resources/search/embeddings.yaml", "Text Embeddings", "Text Embedding")
    project.edit("resources/platform/features.yaml", "vm_c1", "vm_c9")
    project.edit("resources/crm/churn-scores.yaml", "modelarts.vm.cpu.8u", "modelarts.vm.cpu.9u")
    project.edit("reconciler.yaml", "cluster: main", "cluster: mian")

    assert project.run("validate").returncode == 0
    for command in (("plan",), ("apply", "--yes"), ("validate", "--online")):
        done = project.run(*command)

        assert done.returncode == 1
        for expected in (
            f"resources/search/embeddings.yaml:10:13: {EMBEDDINGS}: ",
            "did you mean 'Text Embeddings'?",
            f"resources/platform/features.yaml:10:10: {FEATURES}: ",
            f"resources/crm/churn-scores.yaml:14:22: {CHURN}: ",
            "there is no cluster 'mian'",
            "did you mean 'main'?",
        ):
            assert expected in done.stderr, f"{command}\n{done.stderr}"
        assert "Traceback" not in done.stderr
    project.edit("resources/search/embeddings.yaml", "Text Embedding ", "Text Embeddings ")
    project.edit("reconciler.yaml", "cluster: mian", "cluster: main")
    assert project.ours() == set()


def test_a_provider_that_answers_500_hides_no_other(applied: Project, emulator: Server) -> None:
    emulator.emulator.faults.replace(
        [{"provider": "theta", "method": "GET", "path": ".*", "status": 500, "count": 999}]
    )
    theta = emulator.emulator.connection(emulator.url)["theta"]
    applied.edit(
        "reconciler.yaml",
        "      type: theta\n      endpoint: emulator\n",
        "      type: theta\n"
        f"      endpoint: {theta['endpoint']}\n      apiEndpoint: {theta['apiEndpoint']}\n"
        f"      projectId: {theta['projectId']}\n"
        "      apiKey: '{{ secret(\"THETA_API_KEY\") }}'\n",
    )
    applied.edit("resources/catalogue/image-tagger.yaml", "1.9.0", "1.9.1")

    done = applied.run("plan", "-o", "json", THETA_API_KEY=theta["apiKey"])

    assert done.returncode == 1, done.stderr
    actions = {change["address"]: change["action"] for change in json.loads(done.stdout)["changes"]}
    # What refers to an unknown one is unknown as well.
    assert {address for address, action in actions.items() if action == "unknown"} >= {EMBEDDINGS, FEATURES, ASSISTANT}
    assert actions[TAGGER] == "update"
    assert "Traceback" not in done.stderr


def _image(tag: str) -> str:
    return f"registry.example.com/shop/reranker:{tag}"


def _field(change: dict[str, Any]) -> tuple[str, Any, Any, bool]:
    """The one field of a change: last part of its path, before, after, whether it forces a replace."""
    (field,) = change["fields"]
    return field["path"].rpartition(".")[2], field["before"], field["after"], field["forces_replace"]
