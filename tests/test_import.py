"""`import` through the command line: what others made becomes YAML that adopts it, and nothing else happens to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import yaml

from reconciler.diff.hush import hushed, looks_secret, names_secret

HOSTILE: Final = {"GREETING": "{{ 7*7 }}", "FLAG": "yes", "NUMBER": "1e3", "TEXT": "a: b # c\n::set-output name=x::ü"}
LLM, MNIST, ANN = "runai/Inference/llm", "modelarts/Service/Mnist_V2", "Ann_1"
ADDRESSES: Final = ("theta/Deployment/chat-prod", LLM, "modelarts/Service/mnist-v2", "modelarts/Notebook/ann-1")
SECRETS: Final = {
    "THETA_CHAT_PROD_HF_TOKEN": "theta/Deployment/chat-prod: env_vars.HF_TOKEN",
    "THETA_CHAT_PROD_AUTH_PASSWORD": "theta/Deployment/chat-prod: auth_password",
    "RUNAI_LLM_API_KEY": "runai/Inference/llm: environmentVariables[*].value",
    "RUNAI_LLM_TOKEN": "runai/Inference/llm: args",
    "MODELARTS_MNIST_V2_DB_URL": "modelarts/Service/mnist-v2: config[*].envs.DB_URL",
}


class Console:
    """A colleague with the vendors' consoles."""

    def __init__(self, served: Any) -> None:
        self.served = served
        self.http = httpx.Client(trust_env=False)
        self.theta, self.runai, self.modelarts = (served.connection[name] for name in ("theta", "runai", "modelarts"))
        user: dict[str, Any] = {
            key: self.modelarts[word] for key, word in (("name", "username"), ("password", "password"))
        }
        user["domain"] = {"name": self.modelarts["domain"]}
        identity = {"methods": ["password"], "password": {"user": user}}
        body = {"auth": {"identity": identity, "scope": {"project": {"id": self.modelarts["projectId"]}}}}
        reply = self.http.post(f"{self.modelarts['iamEndpoint']}/v3/auth/tokens", json=body)
        self.signed = {"X-Auth-Token": reply.headers["X-Subject-Token"]}

    def post(self, url: str, body: Any, headers: dict[str, str]) -> Any:
        reply = self.http.post(url, json=body, headers=headers)
        assert reply.is_success, reply.text
        return reply.json()

    def deployment(self, **fields: Any) -> None:
        body = {"project_id": self.theta["projectId"], "deployment_template_id": "img_11d40kefk5jpauj8pk59mb52dzbe"}
        body |= {"container_image": "jupyter/base-notebook:latest", "vm_id": "vm_gt1", "min_replicas": 1, **fields}
        self.post(f"{self.theta['endpoint']}/deployment", body, {"x-api-key": self.theta["apiKey"]})

    def inference(self, name: str, **spec: Any) -> None:
        url = self.runai["endpoint"]
        asked = {"grantType": "client_credentials", **{key: self.runai[key] for key in ("clientId", "clientSecret")}}
        token = self.post(f"{url}/api/v1/token", asked, {})["accessToken"]
        signed = {"Authorization": f"Bearer {token}"}
        (project,) = (
            one
            for one in self.http.get(f"{url}/api/v1/org-unit/projects", headers=signed).json()["projects"]
            if one["name"] == self.runai["project"]
        )
        body = {"name": name, "projectId": project["id"], "clusterId": project["clusterId"], "spec": spec}
        self.post(f"{url}/api/v1/workloads/inferences", body, signed)

    def service(self, name: str, **fields: Any) -> str:
        config: dict[str, Any] = {"weight": "100", "instance_count": 1, "envs": fields.pop("envs", {})}
        config |= {"model_id": "0e07b41b-173e-42db-8c16-8e1b44cc0d44", "specification": "modelarts.vm.cpu.2u"}
        body = {"service_name": name, "infer_type": "real-time", "config": [config], **fields}
        url = f"{self.modelarts['endpoint']}/v1/{self.modelarts['projectId']}/services"
        return str(self.post(url, body, self.signed)["service_id"])

    def notebook(self, name: str, **fields: Any) -> str:
        storage = {"type": "obs", "location": {"path": "/shop-research/ann/"}}
        body = {"name": name, "profile_id": "Multi-Engine 2.0 (python3)", "flavor": "modelarts.vm.cpu.2u", **fields}
        url = f"{self.modelarts['endpoint']}/v1/{self.modelarts['projectId']}/demanager/instances"
        return str(self.post(url, {"spec": {"storage": storage}, "workspace": {"id": "0"}, **body}, self.signed)["id"])

    def stop_notebook(self, live_id: str) -> None:
        url = f"{self.modelarts['endpoint']}/v1/{self.modelarts['projectId']}/demanager/instances/{live_id}/action"
        self.post(url, {"action": "stop"}, self.signed)


@pytest.fixture
def console(served: Any) -> Iterator[Console]:
    found = Console(served)
    yield found
    found.http.close()


def files_of(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in sorted(folder.rglob("*.yaml"))}


def test_what_others_made_is_taken_over_without_a_change(fleet: Any, console: Console) -> None:
    """All four kinds; values that look like templates, numbers, commands and secrets."""
    served, project = fleet.served, fleet.project
    served.post("switches", {"theta": {"item_profile": "extended"}})
    console.deployment(
        annotations={"nickname": "Chat (prod)"},
        env_vars={**HOSTILE, "HF_TOKEN": "CANARY-1"},
        auth_username="api",
        auth_password="CANARY-2",
    )
    console.inference(
        "llm",
        image="registry.example.com/llm:1",
        servingPort={"container": 8080},
        args="serve --token 'CANARY-3' --port 8080",
        environmentVariables=[
            *({"name": name, "value": value} for name, value in HOSTILE.items()),
            {"name": "API_KEY", "value": "CANARY-4"},
        ],
    )
    console.service("Mnist_V2", description="say {{ 7*7 }}, yes", envs={**HOSTILE, "DB_URL": "db://a:CANARY-5@b/c"})
    stopped = console.notebook("Ann_1", description="1e3")
    served.post("clock", {"advance_s": 1200})
    console.stop_notebook(stopped)
    served.post("clock", {"advance_s": 600})
    machines = served.get("state")["theta"]
    (chat,) = (f"{one['Shard']}/{one['Suffix']}" for one in machines if one["Suffix"] not in fleet.foreign)

    folder = project.root / "resources" / "imported"
    before = len(served.writes())
    done = project.run("import", chat, LLM, MNIST, ANN, "--out", str(folder))
    told = done.stdout + done.stderr
    assert (done.returncode, done.stdout) == (0, ""), told
    assert "4 resources: adoption only" in done.stderr
    assert "max_replicas" in done.stderr, "what no reply shows is named"
    assert len(served.writes()) == before
    texts = files_of(folder)
    assert [*texts] == [
        "modelarts/notebook/ann-1.yaml",
        "modelarts/service/mnist-v2.yaml",
        "runai/inference/llm.yaml",
        "theta/deployment/chat-prod.yaml",
    ]
    assert "CANARY" not in told + "".join(texts.values())
    assert not re.search(r"^\s*::", "".join(texts.values()), re.MULTILINE)
    documents = {name: yaml.safe_load(text) for name, text in texts.items()}
    assert [*documents["modelarts/service/mnist-v2.yaml"]["spec"]] == ["infer_type", "description", "config"]
    assert documents["modelarts/notebook/ann-1.yaml"]["lifecycle"] == {"adopt": stopped, "runState": "stopped"}
    assert documents["runai/inference/llm.yaml"]["spec"]["args"] == (
        "serve --token '{{ secret(\"RUNAI_LLM_TOKEN\") }}' --port 8080"
    )
    asked = dict(re.findall(r"^  (\w+)  \((.+?)(?:;.*)?\)$", done.stderr, re.MULTILINE))
    assert asked == SECRETS

    header = project.root / "reconciler.yaml"
    header.write_text(header.read_text("utf-8").replace("APP_TOKEN", ", ".join(SECRETS)), encoding="utf-8")
    project.env.update(dict.fromkeys(SECRETS, "CANARY-6-of-the-person"))
    plan = {change["address"]: change for change in project.plan()["changes"]}
    assert {address: (change["action"], change["fields"]) for address, change in plan.items()} == dict.fromkeys(
        ADDRESSES, ("adopt", [])
    )
    fleet.apply()
    sent = [(entry["method"], sorted(entry["body"])) for entry in served.writes()[before:]]
    assert sent == [("PUT", ["description"])] * 2, "the marker, where it can be written"
    fleet.assert_settled()
    compiled = project.run("compile", "-o", "json").stdout
    assert '"{{ 7*7 }}"' in compiled or "{% raw %}" in compiled

    again = project.run("import", "--all", "--kind", "Inference")
    assert "llm" not in again.stdout
    assert "1 ours already" in again.stderr
    refused = project.run("import", "llm", LLM, "Mnist_V2")
    assert (refused.returncode, refused.stdout) == (4, "")
    assert refused.stderr.count("[import-refused]") == 3
    assert "as runai/Inference/llm" in refused.stderr


def test_stream_is_what_the_project_reads_and_its_defaults_are_countered(fleet: Any, console: Console) -> None:
    """A default of the project that would change a live value is answered by the value, or by null."""
    console.service("one", description="mine")
    console.service("two")
    fleet.served.post("clock", {"advance_s": 600})
    header = fleet.project.root / "reconciler.yaml"
    more = "  defaults: {modelarts/Service: {spec: {description: ours}, lifecycle: {runState: stopped}}}\n"
    header.write_text(header.read_text("utf-8") + more, encoding="utf-8")
    (fleet.project.root / "resources").rmdir()
    done = fleet.project.run("import", "one", "two")
    assert done.returncode == 0, done.stderr
    one, two = yaml.safe_load_all(done.stdout)
    assert (one["spec"]["description"], two["spec"]["description"]) == ("mine", None)
    assert one["lifecycle"]["runState"] == two["lifecycle"]["runState"] == "running"
    (fleet.project.root / "resources").mkdir()
    fleet.project.write("resources/all.yaml", done.stdout)
    assert {change["action"] for change in fleet.project.plan()["changes"]} == {"adopt"}
    assert all(change["fields"] == [] for change in fleet.project.plan()["changes"])
    (fleet.project.root / "resources" / "all.yaml").unlink()
    header.write_text(header.read_text("utf-8").replace("runState: stopped", "expires: 2020-01-01"), encoding="utf-8")
    done = fleet.project.run("import", "one")
    assert (done.returncode, "it expired" in done.stderr) == (1, True), "an apply would take nothing over"


def test_nothing_is_written_where_something_is_in_the_way(fleet: Any, console: Console) -> None:
    project = fleet.project
    console.service("Mnist_V2")
    console.service("other")
    taken = project.write("resources/imported/modelarts/service/other.yaml", "# mine\n")
    fleet.write("modelarts/Service/mnist")
    fleet.edit("modelarts/Service/mnist", "{name: mnist}", "{name: mnist, liveName: Mnist_V2}")
    out = ("--out", str(project.root / "resources" / "imported"))
    done = project.run("import", "Mnist_V2", "other", *out)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.count("[import-exists]") == 2, "all at once"
    assert "as modelarts/Service/mnist" in done.stderr
    assert taken.read_text("utf-8") == "# mine\n"
    assert [*files_of(project.root / "resources" / "imported")] == ["modelarts/service/other.yaml"]

    fleet.edit("modelarts/Service/mnist", "liveName: Mnist_V2", "liveName: Mnist_V3")
    done = project.run("import", "other", "--as", "mnist", *out)
    assert (done.returncode, "--as NAME" in done.stderr) == (4, True)
    away = project.root.parent / "away"
    done = project.run("import", "other", "--as", "second", "--out", str(away))
    assert done.returncode == 0, done.stderr
    assert "a plan does not read it" in done.stderr
    assert [*files_of(away)] == ["modelarts/service/second.yaml"]
    (away / "modelarts" / "notebook").symlink_to(project.root)
    console.notebook("lab")
    done = project.run("import", "lab", "--out", str(away))
    assert (done.returncode, "leads out of" in done.stderr) == (4, True)
    assert not (project.root / "lab.yaml").exists()

    half = project.root.parent / "half"
    half.mkdir()
    (half / "runai").write_text("no folder", encoding="utf-8")
    done = project.run("import", "other", "ann-summarizer", "--as", "x", "--out", str(half))
    assert done.returncode == 64
    done = project.run("import", "other", "ann-summarizer", "--out", str(half))
    assert (done.returncode, "nothing was imported" in done.stderr) == (1, True), done.stderr
    assert [path.name for path in half.iterdir()] == ["runai"], "all of them or none"


def test_what_is_asked_for_is_told_apart_and_what_can_be_is_listed(fleet: Any, console: Console) -> None:
    project = fleet.project
    console.service("twin")
    console.notebook("twin")
    done = project.run("import")
    assert (done.returncode, done.stdout) == (64, "")
    assert "modelarts/Service/twin" in done.stderr
    assert "--all" in done.stderr
    for args, code, words in (
        (("twin",), 1, "import-ambiguous"),
        (("modelarts/Service/twim",), 1, "did you mean 'modelarts/Service/twin'?"),
        (("--all", "--provider", "tehta"), 1, "unknown-provider"),
        (("--all", "--kind", "Servise"), 1, "unknown-kind"),
        (("twin", "--all"), 64, "not both"),
        (("--all", "--as", "x"), 64, "--as names one"),
        (("modelarts/Service/twin", "--as", "../x"), 64, "DNS-1123"),
    ):
        done = project.run("import", *args)
        assert (done.returncode, done.stdout, words in done.stderr) == (code, "", True), done.stderr

    out = project.root / "resources" / "all"
    done = project.run("import", "--all", "--kind", "modelarts/Notebook", "--out", str(out))
    assert done.returncode == 1, "one of those that are there before us is of a kind that the spec has no words for"
    assert "not written: modelarts/Notebook/console-sandbox" in done.stderr
    assert "[not-allowed]" in done.stderr
    assert {"modelarts/notebook/lidar-lab.yaml", "modelarts/notebook/twin.yaml"} == files_of(out).keys()
    assert {change["action"] for change in project.plan()["changes"]} == {"adopt"}

    fault = {"provider": "theta", "method": "GET", "path": "list", "when": "before", "status": 503, "count": None}
    fleet.served.post("faults", [fault])
    done = project.run("import", "--all")
    assert (done.returncode, done.stdout, "[list-failed]" in done.stderr) == (1, "", True)
    done = project.run("import", "modelarts/Service/twin")
    assert done.returncode == 0, "what the others say does not matter to it"


def test_what_was_let_go_can_be_taken_back(fleet: Any) -> None:
    mnist = "modelarts/Service/mnist"
    fleet.write(mnist, lifecycle="{onRemove: retain}")
    fleet.edit(mnist, "{name: mnist}", "{name: mnist, liveName: Number_One}")
    fleet.apply()
    fleet.remove(mnist)
    fleet.apply("--allow-empty-spec")
    done = fleet.project.run("import", "Number_One")
    assert done.returncode == 0, done.stderr
    assert yaml.safe_load(done.stdout)["metadata"] == {"name": "mnist", "liveName": "Number_One"}
    fleet.project.write("resources/mnist.yaml", done.stdout)
    fleet.apply()
    fleet.assert_settled()


def test_another_environment_has_it_though_no_marker_tells(fleet: Any, console: Console) -> None:
    """Run:ai can't mark what is taken over: the ledger tells."""
    header = fleet.project.root / "reconciler.yaml"
    header.write_text(header.read_text("utf-8") + "  environments: {dev: {}, prod: {}}\n", encoding="utf-8")
    console.inference("llm", image="registry.example.com/llm:1", servingPort={"container": 8080})
    done = fleet.project.run("import", "llm", "-e", "dev")
    assert (done.returncode, "a patch of dev" in done.stderr) == (0, True), done.stderr
    fleet.project.write("resources/llm.yaml", done.stdout)
    fleet.apply("-e", "dev")
    (fleet.project.root / "resources" / "llm.yaml").unlink()
    done = fleet.project.run("import", "llm", "-e", "prod")
    assert (done.returncode, done.stdout) == (4, "")
    assert "it belongs to shop/dev, as runai/Inference/llm" in done.stderr


def test_a_known_secret_keeps_its_name_and_stands_in_no_text(fleet: Any, console: Console) -> None:
    fleet.project.env["APP_TOKEN"] = "plain-words-CANARY"
    console.service("one", envs={"GREETING": "plain-words-CANARY", "OTHER": "see plain-words-CANARY"})
    fleet.served.post("clock", {"advance_s": 600})
    done = fleet.project.run("import", "one")
    (document,) = yaml.safe_load_all(done.stdout)
    assert document["spec"]["config"][0]["envs"] == {
        "GREETING": '{{ secret("APP_TOKEN") }}',
        "OTHER": '{{ secret("MODELARTS_ONE_OTHER") }}',
    }
    assert "CANARY" not in done.stdout + done.stderr
    fleet.project.env["APP_TOKEN"] = "CANARY_in_a_name"
    console.service("has_CANARY_in_a_name")
    fleet.served.post("clock", {"advance_s": 600})
    done = fleet.project.run("import", "--all", "--kind", "Service")
    assert (done.returncode, done.stdout, "[import-secret]" in done.stderr) == (4, "", True)
    assert "CANARY" not in done.stderr.upper()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        *((name, True) for name in ("HF_TOKEN", "apiKey", "DBPASSWORD", "AWS_ACCESS_KEY_ID", "--api-key", "PIN")),
        *((name, False) for name in ("MAX_TOKENS", "TOKENIZERS_PARALLELISM", "TOKEN_FILE", "MONKEY", "AUTHOR", "")),
    ],
)
def test_names_tell_what_may_be_secret(name: str, *, told: bool) -> None:
    assert names_secret(name) is told


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("--port 8080 --api-key sk1234 --x", ["sk1234"]),
        ("HF_TOKEN=abc run --token='a b' --secret=\"x\" -p 3", ["abc", "a b", "x"]),
        ('sh -c "export TOKEN=abc; run" --env KEY=b -e PAT=c', ["abc;", "b", "c"]),
        ("-H \"X-Api-Key: abc\" -H 'Authorization: Bearer d.e'", ["abc", "d.e"]),
        ('{"a": {"password": "a\\"b c"}, "port": "80"}', ['a\\"b c']),
        ("Protocol=https;AccountKey=ab==; --password='open", ["ab==;", "'open"]),
        ("token: |\n  abc\nother: x", ["abc"]),
        ("--password $PW --key ${K} --token $(T) --secret true --auth --next v", []),
    ],
)
def test_command_lines_lose_the_values_of_their_secret_options_alone(text: str, hidden: list[str]) -> None:
    pieces = [*hushed(text)]
    assert "".join(piece for piece, _ in pieces) == text
    assert [piece for piece, name in pieces if name] == hidden


@pytest.mark.parametrize(
    "text",
    [
        *("hf_abcdefgh12", "x sk-proj-abcdefgh", "a ghp_0123456789abcdef0", "AKIA0123456789ABCDEF", "db://u:p@h/x"),
        *("https://h/x?a=1&sig=abcdefgh%3D", "curl -u bob:pw https://h", "sk_live_abcdefgh1"),
        *("-----BEGIN RSA PRIVATE KEY-----\nx", "Bearer abcdefghijklmnop", "eyJhbGciOiJI.eyJzdWIi.x"),
    ],
)
def test_values_tell_what_is_a_token(text: str) -> None:
    assert looks_secret(text)


@pytest.mark.parametrize(
    "text", ["https://host:8080/a@b", "sk- ghp_ AKIA hf_x", "-u 1000:1000", "mask-something-longer", ""]
)
def test_plain_values_are_no_tokens(text: str) -> None:
    assert not looks_secret(text)
