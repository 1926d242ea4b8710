"""Shared fixtures: an emulator on loopback whose time the test moves, and the command line as a process."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.emulator.server import Emulator, Server

_DROPPED = (
    "CI",
    "NO_COLOR",
    "FORCE_COLOR",
    "RECONCILER_FINGERPRINT_KEY",
    "RECONCILER_SECRETS_DIR",
    "RECONCILER_ALLOW_HOSTS",
    "PYTHONDONTWRITEBYTECODE",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="Write the golden plans anew; review them like code.")


@pytest.fixture
def emulator() -> Iterator[Server]:
    """A fresh emulator behind real HTTP: `.url`, `.emulator.advance(s)`, `.emulator.faults.replace([...])`."""
    server = Server(Emulator(None)).start()
    yield server
    server.stop()


@dataclass(slots=True)
class Zygote:
    """Where commands are forked from (`zygote.py`)."""

    process: subprocess.Popen[str]

    def run(self, job: dict[str, Any]) -> int:
        """Run a command to its end; its exit code, negative for a signal."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    """One process for all tests of this worker."""
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("zygote.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    with process:
        yield Zygote(process)


@dataclass(slots=True)
class Project:
    """A project folder, and the command line as a process in it."""

    root: Path
    zygote: Zygote
    env: dict[str, str] = field(default_factory=dict)

    def write(self, path: str, text: str) -> Path:
        """Write a file of the project; the text may be indented."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(textwrap.dedent(text), encoding="utf-8")
        return place

    def environment(self) -> dict[str, str]:
        """The machine's environment without what would steer us, and the test's own on top."""
        # Compiled modules are kept where all tests of a run find them: that halves the start of a command.
        compiled = {"PYTHONPYCACHEPREFIX": str(self.root.parent.parent.parent / "pycache")}
        return {key: value for key, value in os.environ.items() if key not in _DROPPED} | compiled | self.env

    def command(self, *args: str) -> list[str]:
        return [sys.executable, "-m", "reconciler", *args, "-C", str(self.root)]

    def start(self, *args: str, **options: Any) -> subprocess.Popen[str]:
        """Start `reconciler ARGS` in this project and return at once."""
        return subprocess.Popen(
            self.command(*args),
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            **options,
        )

    def run(self, *args: str) -> subprocess.CompletedProcess[str]:
        """Run `reconciler ARGS` in this project to its end, as a process of its own."""
        out, err = self.root.parent / "stdout", self.root.parent / "stderr"
        words = self.command(*args)[3:]
        code = self.zygote.run({"args": words, "env": self.environment(), "out": str(out), "err": str(err)})
        told = (path.read_text(encoding="utf-8") for path in (out, err))
        return subprocess.CompletedProcess(["reconciler", *words], code, *told)

    def plan(self, *args: str) -> dict[str, Any]:
        """`plan -o json`, parsed."""
        done = self.run("plan", "-o", "json", *args)
        parsed: dict[str, Any] = json.loads(done.stdout)
        return parsed


@pytest.fixture
def project(tmp_path: Path, zygote: Zygote) -> Project:
    """An empty project folder."""
    root = tmp_path / "project"
    root.mkdir()
    return Project(root, zygote)


@dataclass(frozen=True, slots=True)
class Served:
    """`reconciler emulator` as a process of its own."""

    connection: dict[str, Any]

    @property
    def url(self) -> str:
        return str(self.connection["url"])

    def get(self, what: str) -> Any:
        """`GET /_emulator/<what>`."""
        return httpx.get(f"{self.url}/_emulator/{what}", trust_env=False, timeout=30).json()

    def post(self, what: str, body: Any) -> Any:
        """`POST /_emulator/<what>`."""
        reply = httpx.post(f"{self.url}/_emulator/{what}", json=body, trust_env=False, timeout=30)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def writes(self, *, path: str = "", method: str = "") -> list[dict[str, Any]]:
        """Requests that are no GET and no log-in, in order."""
        return [
            entry
            for entry in self.get("requests")
            if entry["method"] != "GET" and "token" not in entry["path"] and path in entry["path"]
            if not method or entry["method"] == method
        ]


@pytest.fixture(scope="session")
def served_process() -> Iterator[Served]:
    """`reconciler emulator`, once for all tests of this worker; 600 emulated seconds a second, so that nobody waits."""
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler", "emulator", "--port", "0", "--speed", "600"],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield Served(json.loads(process.stdout.readline()))
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


@pytest.fixture
def served(served_process: Served) -> Served:
    """The served emulator as new: seeded state, no faults, default switches, empty log."""
    served_process.post("reset", None)
    return served_process


@pytest.fixture
def served_project(project: Project, served: Served) -> Project:
    """A project whose three providers are the served emulator, with short windows so that nothing takes minutes."""
    theta, runai, modelarts = (served.connection[name] for name in ("theta", "runai", "modelarts"))
    windows = "requestTimeout: 2s, commitDelay: 1s, listLag: 0s, pollInterval: 1s"
    project.env.update(
        THETA_API_KEY=theta["apiKey"],
        RUNAI_CLIENT_SECRET=runai["clientSecret"],
        MODELARTS_PASSWORD=modelarts["password"],
        RECONCILER_FINGERPRINT_KEY="a-key-for-tests",
    )
    project.write(
        "reconciler.yaml",
        f"""\
        apiVersion: reconciler/v1
        kind: Project
        metadata: {{name: shop}}
        spec:
          secrets: [THETA_API_KEY, RUNAI_CLIENT_SECRET, MODELARTS_PASSWORD, APP_TOKEN]
          providers:
            theta: {{type: theta, endpoint: "{theta["endpoint"]}", apiEndpoint: "{theta["apiEndpoint"]}",
              projectId: "{theta["projectId"]}", apiKey: '{{{{ secret("THETA_API_KEY") }}}}', {windows}}}
            runai: {{type: runai, endpoint: "{runai["endpoint"]}", version: "2.24", cluster: "{runai["cluster"]}",
              project: "{runai["project"]}", clientId: "{runai["clientId"]}",
              clientSecret: '{{{{ secret("RUNAI_CLIENT_SECRET") }}}}', {windows}}}
            modelarts: {{type: modelarts, endpoint: "{modelarts["endpoint"]}",
              iamEndpoint: "{modelarts["iamEndpoint"]}", projectId: "{modelarts["projectId"]}",
              domain: "{modelarts["domain"]}", username: "{modelarts["username"]}",
              password: '{{{{ secret("MODELARTS_PASSWORD") }}}}', {windows}}}
        """,
    )
    (project.root / "resources").mkdir()
    return project


CHAT, LLM = "theta/Deployment/chat", "runai/Inference/llm"
MNIST, ANN = "modelarts/Service/mnist", "modelarts/Notebook/ann"
SPECS = {
    CHAT: """\
        apiVersion: theta/v1
        kind: Deployment
        metadata: {name: chat}
        spec: {template: Text Embeddings, vm_id: vm_gt1, min_replicas: 1}
        """,
    LLM: """\
        apiVersion: runai/v1
        kind: Inference
        metadata: {name: llm}
        spec:
          image: registry.example.com/llm:1
          servingPort: {container: 8080}
          compute: {cpuCoreRequest: 1, cpuMemoryRequest: 1Gi}
          autoscaling: {minReplicas: 1, maxReplicas: 1}
        """,
    MNIST: """\
        apiVersion: modelarts/v1
        kind: Service
        metadata: {name: mnist}
        spec:
          infer_type: real-time
          config:
            - model_id: 0e07b41b-173e-42db-8c16-8e1b44cc0d44
              specification: modelarts.vm.cpu.2u
              weight: 100
              instance_count: 1
        """,
    ANN: """\
        apiVersion: modelarts/v1
        kind: Notebook
        metadata: {name: ann}
        spec:
          description: work
          profile_id: Multi-Engine 2.0 (python3)
          flavor: modelarts.vm.cpu.2u
          spec: {storage: {type: obs, location: {path: /shop-research/ann/}}}
        """,
}
_MODULES = {CHAT: "theta", LLM: "runai", MNIST: "modelarts-services", ANN: "modelarts-notebooks"}
_CREATES = {
    CHAT: r"^/deployment$",
    LLM: r"^/api/v1/workloads/inferences$",
    MNIST: r"^/v1/[^/]+/services$",
    ANN: r"^/v1/[^/]+/demanager/instances$",
}


@dataclass(frozen=True, slots=True)
class Fleet:
    """One resource of each kind in `served_project`, and what the served emulator says of them."""

    project: Project
    served: Served
    foreign: frozenset[str]
    """Ids of what was there before us."""

    @property
    def addresses(self) -> tuple[str, ...]:
        return tuple(SPECS)

    def create_path(self, address: str) -> str:
        """Regular expression of the route that makes this kind."""
        return _CREATES[address]

    def module(self, address: str) -> str:
        """The emulator's name of what serves this kind."""
        return _MODULES[address]

    def write(self, *addresses: str, lifecycle: str = "") -> None:
        """Write the documents, all four by default."""
        for address in addresses or tuple(SPECS):
            text = textwrap.dedent(SPECS[address])
            text = text.replace("spec:", f"lifecycle: {lifecycle}\nspec:", 1) if lifecycle else text
            self.project.write(self.file(address), text)

    def edit(self, address: str, old: str, new: str) -> None:
        """Change a text in a resource's file."""
        path = self.project.root / self.file(address)
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def remove(self, address: str) -> None:
        """Delete a resource's file."""
        (self.project.root / self.file(address)).unlink()

    def file(self, address: str) -> str:
        return f"resources/{address.rpartition('/')[2]}.yaml"

    def fault(self, *addresses: str, method: str = "POST", path: str = "", **fault: Any) -> None:
        """Set one fault for the creates of each kind (all four by default), instead of those before."""
        chosen = addresses or tuple(SPECS)
        self.served.post(
            "faults",
            [
                {"provider": _MODULES[address], "method": method, "path": path or _CREATES[address], **fault}
                for address in chosen
            ],
        )

    def ours(self) -> dict[str, list[str]]:
        """Address → ids of its kind that are live and were not there before us."""
        state = self.served.get("state")
        return {
            address: [
                found
                for item in state[module]
                if (found := _id(item)) not in self.foreign and not item.get("DeletedAt") and not item.get("deletedAt")
            ]
            for address, module in _MODULES.items()
        }

    def counts(self) -> dict[str, int]:
        """Address → number of live things of its kind that were not there before us."""
        return {address: len(ids) for address, ids in self.ours().items()}

    def writes_of(self, address: str, method: str = "") -> list[dict[str, Any]]:
        """Writes to this kind's module, in order."""
        found = self.served.writes(method=method)
        return [entry for entry in found if entry["provider"] == _MODULES[address]]

    def creates(self) -> dict[str, int]:
        """Address → number of POSTs that asked for one of its kind."""
        return {address: len(self._posts(address)) for address in SPECS}

    def _posts(self, address: str) -> list[dict[str, Any]]:
        return [entry for entry in self.writes_of(address, "POST") if re.search(_CREATES[address], entry["path"])]

    def wait_for(self, claim: Callable[[], bool], seconds: float = 30) -> None:
        """Wait until something is true of the emulator."""
        deadline = time.monotonic() + seconds
        while not claim():
            assert time.monotonic() < deadline, "it never came true"
            time.sleep(0.05)

    def by_hand(self, method: str, path: str, body: Any = None) -> None:
        """What a person with the account's key does to a Theta deployment, beside the tool."""
        theta = self.served.connection["theta"]
        reply = httpx.request(
            method,
            f"{theta['endpoint']}{path}",
            params={"project_id": theta["projectId"]},
            json=body,
            headers={"x-api-key": theta["apiKey"]},
            trust_env=False,
        )
        assert reply.is_success, reply.text

    def edit_inference(self, section: dict[str, Any]) -> None:
        """What a colleague does to the Run:ai inference in the vendor's console: a PATCH of its spec."""
        runai = self.served.connection["runai"]
        asked = {
            "grantType": "client_credentials",
            "clientId": runai["clientId"],
            "clientSecret": runai["clientSecret"],
        }
        with httpx.Client(base_url=runai["endpoint"], trust_env=False) as client:
            token = client.post("/api/v1/token", json=asked).json()["accessToken"]
            (live,) = self.ours()[LLM]
            path, headers = f"/api/v1/workloads/inferences/{live}", {"Authorization": f"Bearer {token}"}
            reply = client.patch(path, json={"spec": section}, headers=headers)
        assert reply.is_success, reply.text

    def apply(self, *args: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """`apply --yes`, with the exit code that is expected."""
        done = self.project.run("apply", "--yes", *args)
        told = done.stdout + done.stderr
        assert done.returncode == code, told
        assert "Traceback" not in told
        assert "internal error" not in told, told
        return done

    def assert_settled(self, *args: str) -> None:
        """Nothing is left to do."""
        done = self.project.run("plan", "--detailed-exitcode", *args)
        assert (done.returncode, "No changes" in done.stdout) == (0, True), done.stdout + done.stderr

    def changes(self, *args: str) -> dict[str, dict[str, Any]]:
        """Address → change, of a fresh plan."""
        return {change["address"]: change for change in self.project.plan(*args)["changes"]}

    def drop_ledger(self) -> None:
        """What a fresh runner has: the spec, and no ledger."""
        for path in (self.project.root / ".reconciler").glob("ledger.db*"):
            path.unlink()


def _id(item: dict[str, Any]) -> str:
    return str(item.get("service_id") or item.get("workloadId") or item.get("id") or item.get("Suffix"))


@pytest.fixture
def fleet(served_project: Project, served: Served) -> Fleet:
    """A project on the served emulator whose four documents are not written yet; nothing live is ours."""
    foreign = frozenset(_id(item) for items in served.get("state").values() for item in items)
    return Fleet(served_project, served, foreign)
