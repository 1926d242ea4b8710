"""`snapshot` and `plan --live` as a person runs them: one state, planned live and offline, for all four kinds."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx
import pytest
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from reconciler.render.seal import dump, seal
from tests.conftest import ANN, CHAT, LLM, MNIST, Fleet, Project

CANARY: Final = "hf_Canary+/0123456789"
BY_HAND: Final = "sk-by+hand/0123456789"
SCHEMAS: Final = Path(__file__).parents[2] / "schemas"


@pytest.fixture
def secretive(fleet: Fleet) -> Fleet:
    """All four kinds, applied; three of them hold a secret, and a colleague has put another one there by hand."""
    fleet.project.env["APP_TOKEN"] = CANARY
    fleet.write()
    given = """'{{ secret("APP_TOKEN") }}'"""
    wanted = f"auth_username: u, auth_password: {given}, env_vars: {{T: {given}, LEVEL: info}}"
    fleet.edit(CHAT, "min_replicas: 1}", f"min_replicas: 1, {wanted}}}")
    entries = f"[{{name: T, value: {given}}}, {{name: LEVEL, value: info}}]"
    fleet.edit(LLM, "spec:", f"spec:\n  environmentVariables: {entries}\n  args: --level info")
    fleet.edit(MNIST, "instance_count: 1", f"instance_count: 1\n      envs: {{T: {given}, LEVEL: info}}")
    fleet.apply()
    by_hand(fleet, {"environmentVariables": [*_live_env(fleet), {"name": "HAND", "value": BY_HAND}]})
    return fleet


def _live_env(fleet: Fleet) -> list[dict[str, Any]]:
    (stored,) = (item for item in fleet.served.get("state")["runai"] if item["name"] == "llm")
    found: list[dict[str, Any]] = stored["spec"]["environmentVariables"]
    return found


def by_hand(fleet: Fleet, section: Mapping[str, Any]) -> None:
    """A colleague changes the inference in the vendor's console."""
    runai = fleet.served.connection["runai"]
    grant = {"grantType": "client_credentials", "clientId": runai["clientId"], "clientSecret": runai["clientSecret"]}
    with httpx.Client(base_url=runai["endpoint"], trust_env=False) as client:
        headers = {"Authorization": f"Bearer {client.post('/api/v1/token', json=grant).json()['accessToken']}"}
        (live,) = fleet.ours()[LLM]
        path = f"/api/v1/workloads/inferences/{live}"
        assert client.patch(path, json={"spec": section}, headers=headers).is_success


def snapshot(project: Project, file: str = "live.json") -> Path:
    path = project.root.parent / file
    done = project.run("snapshot", "--out", str(path))
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    return path


def forked(project: Project) -> Project:
    """The same files on a machine that has no secret, no credential, no ledger and no way out."""
    nobody = dict.fromkeys(project.env, "") | {"https_proxy": "http://127.0.0.1:9", "CI": "true"}
    return Project(project.root, project.zygote, nobody)


def forms(value: str) -> set[bytes]:
    """The encodings in which a value may leak."""
    raw = value.encode()
    coded = {base64.b64encode(raw), base64.urlsafe_b64encode(raw), quote(value, safe="").encode(), raw.hex().encode()}
    return {raw, json.dumps(value).encode()[1:-1], *(base64.b64encode(raw[cut:])[:-4] for cut in range(3)), *coded}


def seen(plan: Mapping[str, Any]) -> dict[str, Any]:
    """What a plan says of each resource, but for its digest."""
    return {
        change["address"]: {key: value for key, value in change.items() if key != "digest"}
        for change in plan["changes"]
    } | {"remarks": plan["remarks"], "totals": plan["totals"], "summary": plan["summary"]}


def assert_fits(data: Mapping[str, Any], name: str) -> None:
    """By its schema."""
    contents = {path.name: json.loads(path.read_bytes()) for path in SCHEMAS.glob("reconciler-*.json")}
    registry: Registry[Any] = Registry().with_resources(
        [(file, DRAFT202012.create_resource(schema)) for file, schema in contents.items()]
    )
    Draft202012Validator(contents[name], registry=registry).validate(data)


def edit_everything(fleet: Fleet) -> None:
    """Every action, a drift beside an edit, and a name that somebody else has."""
    by_hand(fleet, {"args": "--level debug"})
    fleet.edit(CHAT, "vm_id: vm_gt1", "vm_id: vm_gt2")
    fleet.edit(ANN, "description: work", "description: play")
    fleet.edit(LLM, "image: registry.example.com/llm:1", "image: registry.example.com/llm:2")
    fleet.remove(MNIST)
    service = "{apiVersion: modelarts/v1, kind: Service, metadata: {name: %s}, spec: {infer_type: edge, config: %s}}\n"
    config = "[{model_id: eb6a4a8c-5713-4a27-b8ed-c7e694499af5, specification: modelarts.vm.ai1.a310,"
    config += " instance_count: 1, nodes: [0e642384-89b4-43e5-9e7f-3d8f2f2e9a71]}]"
    fleet.project.write("resources/new.yaml", service % ("new", config) + "---\n" + service % ("hand-made", config))


def assert_silent(fleet: Fleet, file: Path) -> None:
    for form in {form for value in (BY_HAND, *fleet.project.env.values()) for form in forms(value)}:
        assert form not in file.read_bytes()


def test_a_plan_from_a_snapshot_is_the_live_one_and_holds_no_secret(secretive: Fleet) -> None:
    """C48, C51: after an apply, and with every action, live drift and a conflict in one plan."""
    fleet, project = secretive, secretive.project
    fork = forked(project)
    file = snapshot(project)
    asked = len(fleet.served.get("requests"))

    done = fork.run("plan", "--live", str(file), "--detailed-exitcode")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No changes. 4 resources are live" in done.stdout
    assert "made from a snapshot of 20" in done.stdout
    assert done.stdout.count("were not looked up") == 1

    assert_silent(fleet, file)
    data = json.loads(file.read_bytes())
    assert_fits(data, "reconciler-snapshot-1.json")
    assert "fingerprints" not in json.dumps(data["entries"])
    hidden = {one["id"]: one["hidden"] for listing in data["listings"] for one in listing["ours"]}
    assert "environmentVariables[HAND]" in hidden[fleet.ours()[LLM][0]]
    assert len(fleet.served.get("requests")) == asked, "nobody was asked"

    edit_everything(fleet)
    live = project.plan()
    file = snapshot(project)
    asked = len(fleet.served.get("requests"))
    offline = fork.plan("--live", str(file))
    assert_fits(offline, "reconciler-plan-1.json")
    actions = {change["address"]: change["action"] for change in offline["changes"]}
    assert actions == {
        CHAT: "replace",
        ANN: "update",
        LLM: "update",
        MNIST: "delete",
        "modelarts/Service/new": "create",
        "modelarts/Service/hand-made": "blocked",
    }
    drifted = {
        field["path"]: field["class"] for c in offline["changes"] if c["address"] == LLM for field in c["fields"]
    }
    assert drifted == {"image": "pending"}, "what was put over arguments by hand may be a secret: it is left out"
    both = seen(live), seen(offline)
    assert [field["path"] for field in both[0][LLM]["fields"]] == ["args", "image"]
    del both[0][LLM]["fields"][0]
    for one in both:
        one["modelarts/Service/hand-made"] |= {"candidates": [], "message": "others' ids are not there"}
    assert both[1] == both[0]
    assert not any(step["calls"] for step in offline["steps"])
    assert len(fleet.served.get("requests")) == asked

    # Its digests are nobody's review, neither as texts nor as a file.
    assert {c["digest"] for c in offline["changes"]}.isdisjoint(c["digest"] for c in live["changes"])
    saved = project.root.parent / "plan.json"
    fork.run("plan", "--live", str(file), "--out", str(saved))
    assert json.loads(saved.read_bytes())["snapshot"] == offline["snapshot"] | {
        "age_s": json.loads(saved.read_bytes())["snapshot"]["age_s"]
    }
    assert ", from a snapshot\n" in fork.run("show", str(saved)).stdout
    for words in (["--expect", str(saved)], [str(saved)]):
        done = project.run("apply", "--yes", *words)
        assert (done.returncode, "[offline-plan]" in done.stderr) == (4, True), done.stderr
    done = project.run("apply", "--yes", "--expect", offline["digest"], "--target", LLM)
    assert (done.returncode, "[unexpected-change]" in done.stderr) == (4, True), done.stderr

    # A secret that no request here needs, in a field that no table calls secret.
    by_hand(fleet, {"args": f"--token {CANARY}"})
    assert_silent(fleet, snapshot(project))


def test_a_provider_that_is_down_is_told_and_unknown_later(fleet: Fleet) -> None:
    fleet.write(CHAT, ANN)
    fleet.apply()
    fleet.served.post("faults", [{"provider": "theta", "method": "GET", "path": ".*", "status": 403, "count": None}])
    file = fleet.project.root.parent / "live.json"
    done = fleet.project.run("snapshot", "--out", str(file))
    assert (done.returncode, "[list-failed]" in done.stderr) == (1, True), done.stderr

    plan = forked(fleet.project).plan("--live", str(file))
    assert [(c["address"], c["action"], c["reason"]) for c in plan["changes"]] == [(CHAT, "unknown", "list-failed")]
    assert plan["summary"]["none"] == 1
    assert "403" in plan["problems"][0]["message"]


# -- on the embedded emulator: what a file may be ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory, zygote: Any) -> Project:
    """One notebook in two environments, applied in one of them, and its snapshot in `live.json`."""
    root = tmp_path_factory.mktemp("applied") / "shop"
    root.mkdir()
    project = Project(root, zygote)
    project.write(
        "reconciler.yaml",
        """\
        apiVersion: reconciler/v1
        kind: Project
        metadata: {name: shop}
        spec:
          defaultEnvironment: dev
          environments: {dev: {}, prod: {}}
          providers:
            modelarts: {type: modelarts, endpoint: emulator}
        """,
    )
    project.write(
        "resources/ann.yaml",
        """\
        apiVersion: modelarts/v1
        kind: Notebook
        metadata: {name: ann}
        spec:
          profile_id: Multi-Engine 2.0 (python3)
          flavor: modelarts.vm.cpu.2u
          spec: {storage: {type: obs, location: {path: /shop-research/ann/}}}
        """,
    )
    assert project.run("apply", "--yes").returncode == 0
    assert project.run("snapshot", "--out", str(root / "live.json")).returncode == 0
    return project


@pytest.fixture
def edited(applied: Project, tmp_path: Path) -> Callable[..., str]:
    """Another file with these values changed, and sealed again."""

    def edit(*, again: bool = True, **values: Any) -> str:
        data = json.loads((applied.root / "live.json").read_bytes()) | values
        (tmp_path / "edited.json").write_text(dump(seal(data) if again else data), encoding="utf-8")
        return str(tmp_path / "edited.json")

    return edit


def test_its_age_is_told_and_an_old_one_and_one_from_the_future_are_warned_of(
    applied: Project, edited: Callable[..., str]
) -> None:
    taken_at = json.loads((applied.root / "live.json").read_bytes())["taken_at"]
    old = edited(taken_at=taken_at - 26 * 3600)
    done = applied.run("plan", "--live", old)
    assert (done.returncode, "1 d 2 h old" in done.stdout, "[snapshot-old]" in done.stdout) == (0, True, True)
    plan = applied.plan("--live", old, "--max-age", "27h")
    assert (plan["warnings"], plan["snapshot"]["old"]) == ([], False)
    assert 26 * 3600 <= plan["snapshot"]["age_s"] < 26 * 3600 + 120
    plan = applied.plan("--live", edited(taken_at=taken_at + 3600))
    assert [one["code"] for one in plan["warnings"]] == ["snapshot-from-the-future"]
    assert applied.plan()["snapshot"] is None


def test_it_is_planned_as_of_its_moment(applied: Project, edited: Callable[..., str]) -> None:
    """What was made right before it was taken was not listed yet; a day later that is still the reason."""
    data = json.loads((applied.root / "live.json").read_bytes())
    (row,), (account,) = data["entries"], data["providers"]
    listings = [{**one, "ours": []} for one in data["listings"]]
    day = {"taken_at": data["taken_at"] - 86_400, "providers": [{**account, "now": account["now"] - 86_400}]}
    young = {**row, "ready": False, "created_at": account["now"] - 86_400 - 10}
    plan = applied.plan("--live", edited(entries=[young], listings=listings, **day))
    assert [(c["action"], c["reason"]) for c in plan["changes"]] == [("unknown", "recently-created")]


@pytest.mark.parametrize(
    ("change", "words", "code", "exit_code"),
    [
        ({}, ("-e", "prod"), "other-snapshot", 4),
        ({"released": ["x"], "again": False}, (), "snapshot-altered", 1),
        ({"format": "reconciler-snapshot/2"}, (), "not-a-snapshot", 1),
        ({"listings": [{"kind": "modelarts/Notebook"}]}, (), "not-a-snapshot", 1),
        ({"taken_at": 1e300}, (), "not-a-snapshot", 1),
    ],
)
def test_another_owners_and_a_spoilt_file_are_refused(
    applied: Project, edited: Callable[..., str], *, change: Any, words: Any, code: str, exit_code: int
) -> None:
    file = edited(**change)
    done = applied.run("plan", "--live", file, *words)
    assert (done.returncode, done.stdout, f"[{code}]" in done.stderr) == (exit_code, "", True), done.stderr
    assert "edited.json" in done.stderr


def test_what_a_fork_writes_into_reconciler_yaml_reaches_nobody(
    applied: Project, project: Project, served: Any
) -> None:
    """C51: another endpoint, another provider, another ledger; a marker in the folder would show a started emulator."""
    edit = (applied.root / "reconciler.yaml").read_text(encoding="utf-8")
    theirs = served.connection["modelarts"]
    edit = edit.replace(
        "endpoint: emulator",
        f"endpoint: {theirs['endpoint']}, iamEndpoint: {theirs['iamEndpoint']}, "
        "projectId: p, domain: d, username: u, password: '{{ secret(\"P\") }}'",
    )
    edit = edit.replace("spec:\n", "spec:\n  secrets: [P]\n  ledger: {type: git, remote: evil}\n", 1)
    more = "    mine: {type: theta, endpoint: emulator}\n"
    project.write("reconciler.yaml", edit + more)
    project.write("resources/ann.yaml", (applied.root / "resources/ann.yaml").read_text(encoding="utf-8"))
    project.write(
        "resources/new.yaml",
        "{apiVersion: theta/v1, kind: Deployment, metadata: {name: new, provider: mine}, "
        "spec: {template: Text Embeddings, vm_id: vm_gt1, min_replicas: 1}}",
    )
    before = len(served.get("requests"))
    plan = project.plan("--live", str(applied.root / "live.json"))
    assert [(c["address"], c["action"], c["reason"]) for c in plan["changes"]] == [
        ("mine/Deployment/new", "unknown", "not-in-snapshot")
    ]
    assert (plan["summary"]["none"], plan["partial"]) == (1, True)
    (project.root / "resources/new.yaml").unlink()
    done = project.run("plan", "--live", str(applied.root / "live.json"))
    assert (done.returncode, "No changes" in done.stdout, "Plan incomplete" in done.stdout) == (0, False, True), (
        "nobody looked at that account"
    )
    assert [one["code"] for one in plan["warnings"]] == ["snapshot-elsewhere"]
    assert len(served.get("requests")) == before
    assert {path.name for path in project.root.iterdir()} == {"reconciler.yaml", "resources"}, "no emulator, no ledger"


def test_of_a_provider_that_left_reconciler_yaml_nothing_is_deleted(applied: Project, project: Project) -> None:
    for name in ("reconciler.yaml", "resources/ann.yaml"):
        text = (applied.root / name).read_text(encoding="utf-8")
        project.write(name, text.replace("modelarts: {", "renamed: {"))
    plan = project.plan("--live", str(applied.root / "live.json"))
    assert {c["address"]: (c["action"], c["reason"]) for c in plan["changes"]} == {
        "modelarts/Notebook/ann": ("blocked", "provider-missing"),
        "renamed/Notebook/ann": ("unknown", "not-in-snapshot"),
    }


def test_a_place_is_asked_for(applied: Project) -> None:
    for words in ((), ("--published",), ("--published", "--publish", "--out", "x")):
        assert applied.run("snapshot", *words).returncode == 64
