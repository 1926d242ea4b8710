"""A project into which the same YAML can come by any layer, and the command line under a limit of memory."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.conftest import Project

CHAT = """\
apiVersion: theta/v1
kind: Deployment
metadata: {name: chat}
spec:
  template: Text Embeddings
  vm_id: vm_gt1
  min_replicas: 1
"""
LLM = """\
apiVersion: runai/v1
kind: Inference
metadata: {name: llm}
spec:
  image: registry.example.com/llm:1
  servingPort: {container: 8080}
  compute: {cpuCoreRequest: 1, cpuMemoryRequest: 1Gi}
"""
SERVICE = """\
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
"""
_PROJECT = """\
apiVersion: reconciler/v1
kind: Project
metadata: {name: shop}
spec:
  secrets: [APP_TOKEN]
  providers:
    theta: {type: theta, endpoint: emulator}
    runai: {type: runai, endpoint: emulator, version: "2.24"}
    modelarts: {type: modelarts, endpoint: emulator}
"""
_CHILD = """\
import resource, sys, yaml
if sys.argv[1] == "pure":
    del yaml.CSafeLoader
if sys.argv[2] != "0":
    resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]),) * 2)
sys.argv[:3] = ["reconciler"]
from reconciler.cli.main import main
main()
"""
RESOURCE, DEFAULTS, VALUES, VARIANT, VALUES_FILE, OPTION_FILE, SET, PATCH, STDIN = LAYERS = (
    "resource",
    "defaults",
    "values of the project",
    "values of the environment",
    "values/dev.yaml",
    "--values",
    "--set",
    "patch",
    "stdin",
)
OF_VALUES = (VALUES, VARIANT, VALUES_FILE, OPTION_FILE, SET)


@dataclass(slots=True)
class Layered:
    """Puts entries of `env_vars` of `theta/Deployment/chat` into the project by one layer.

    `args` and `stdin` are what a command then needs to see them; `file` is what a problem of them names.
    """

    project: Project
    args: list[str] = field(default_factory=list)
    stdin: bytes | None = None
    file: str = ""

    def write(self, path: str, text: str | bytes) -> None:
        """Write a file of the project as it is."""
        place = self.project.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text if isinstance(text, bytes) else text.encode())

    def put(self, layer: str, entries: Sequence[tuple[str, str]], *, chat: str = CHAT, project: str = "") -> None:
        """Write the project; `entries` are keys and scalars as YAML, `project` further lines below its `spec`."""
        flow = "{" + ", ".join(f"{key}: {scalar}" for key, scalar in entries) + "}"
        inner = f"  env_vars: {flow if layer in {RESOURCE, STDIN} else '{}'}\n"
        if layer in OF_VALUES:
            inner = '  env_vars: "{{ values.w }}"\n'
        extra = {
            DEFAULTS: f"  defaults: {{theta/Deployment: {{spec: {{env_vars: {flow}}}}}}}\n",
            VALUES: f"  values: {{w: {flow}}}\n",
            VARIANT: f"  environments: {{dev: {{values: {{w: {flow}}}}}}}\n",
        }.get(layer, "")
        if layer != VARIANT:
            extra += "  environments: {dev: {}}\n"
        self.write("reconciler.yaml", _PROJECT + extra + "  defaultEnvironment: dev\n" + project)
        self.write("resources/chat.yaml", chat + inner)
        self.file = {RESOURCE: "resources/chat.yaml", STDIN: "<stdin>", SET: "--set w."}.get(layer, "reconciler.yaml")
        if layer == SET:
            self.args = [part for key, scalar in entries for part in ("--set", f"w.{key}={scalar}")]
        elif layer in {VALUES_FILE, OPTION_FILE}:
            self.file = "values/dev.yaml" if layer == VALUES_FILE else str(self.project.root / "more.yaml")
            self.write(self.file, f"w: {flow}\n")
            self.args = ["--values", self.file] if layer == OPTION_FILE else []
        elif layer == PATCH:
            self.file = "patches/dev/p.yaml"
            self.write(self.file, f"kind: Deployment\nmetadata: {{name: chat}}\nspec: {{env_vars: {flow}}}\n")
        elif layer == STDIN:
            self.stdin = (self.project.root / "resources/chat.yaml").read_bytes()
            (self.project.root / "resources/chat.yaml").unlink()
            self.args = ["-f", "-"]

    def run(self, *args: str) -> subprocess.CompletedProcess[str]:
        """A command that sees the layer."""
        if self.stdin is None:
            return self.project.run(*args, *self.args)
        return run_limited(self.project, *args, *self.args, stdin=self.stdin)

    def env_vars(self) -> dict[str, Any]:
        """What `compile` makes of them."""
        done = self.run("compile", "-o", "json")
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)[0]["spec"].get("env_vars", {})
        return found


@pytest.fixture
def layered(project: Project) -> Layered:
    """An empty project that takes YAML by any layer."""
    return Layered(project)


def run_limited(
    project: Project, *args: str, stdin: bytes = b"", memory: int = 0, parser: str = "C"
) -> subprocess.CompletedProcess[str]:
    """A command as a process of its own, with so many bytes of memory, and with PyYAML's C parser or (`pure`) none."""
    words = project.command(*args)[3:]
    command = [sys.executable, "-c", _CHILD, parser, str(memory), *words]
    done = subprocess.run(
        command, input=stdin, capture_output=True, env=project.environment(), check=False, timeout=300
    )
    return subprocess.CompletedProcess(words, done.returncode, done.stdout.decode(), done.stderr.decode())


def problems_of(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The problem lines of a refused spec; whatever else is told fails the test."""
    assert done.returncode == 1, (done.returncode, done.stdout, done.stderr)
    assert not done.stdout, done.stdout
    told = done.stderr.splitlines()
    assert "Traceback" not in done.stderr
    assert "internal error" not in done.stderr, done.stderr
    return [line for line in told if not line.startswith("  see ")]


class Clock:
    """Seconds of work that commands of `run_limited` took since it was made; a busy machine counts for nothing."""

    def __init__(self) -> None:
        self._before = self._spent()

    @staticmethod
    def _spent() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    @property
    def seconds(self) -> float:
        """How much it was."""
        return self._spent() - self._before
