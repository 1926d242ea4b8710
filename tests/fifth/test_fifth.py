"""The checklist "Add a provider" of CONTRIBUTING, carried out on a copy of the package and on nothing else of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import reconciler
from reconciler.emulator.server import Emulator
from reconciler.spec import loosen, tighten
from tests.conftest import Zygote

HERE = Path(__file__).parent
PACKAGE = Path(reconciler.__file__).parent
SCHEMAS = next(place for place in (PACKAGE / "schemas", PACKAGE.parent / "schemas") if place.is_dir())
DROPPED = {
    "toy": "reconciler/providers/toy",
    "emulated.py": "reconciler/emulator/toy/__init__.py",
    "toy-lamp.json": "schemas/toy-lamp.json",
}
"""The checklist: what lies here → its place in the copy."""
FOREIGN = ("hall", "lamp-1", "unmanaged")
"""The lamp that somebody else has in the emulator."""
PROJECT = """\
apiVersion: reconciler/v1
kind: Project
metadata: {name: home}
spec:
  resources: [lamps.yaml]
  providers:
    toy: {type: toy, endpoint: emulator}
"""


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of the package with its schemas; `installed` is what was in it before anything was added."""

    home: Path
    installed: dict[str, bytes] = field(repr=False)

    def differences(self) -> set[str]:
        """Files that are new, gone or changed."""
        now = _contents(self.home)
        return {path for path in now.keys() | self.installed.keys() if now.get(path) != self.installed.get(path)}

    def environment(self) -> dict[str, str]:
        """The machine's without what would steer a command, and `reconciler` is this copy."""
        ours = ("CI", "NO_COLOR", "FORCE_COLOR", "PYTHONDONTWRITEBYTECODE")
        theirs = {
            key: value for key, value in os.environ.items() if not key.startswith("RECONCILER_") and key not in ours
        }
        return {**theirs, "PYTHONPATH": str(self.home)}


@dataclass(frozen=True, slots=True)
class House:
    """A project with lamps, and the copy's command line in it; each command is a process."""

    root: Path
    zygote: Zygote
    environment: dict[str, str] = field(repr=False)

    def write(self, *lamps: str) -> None:
        """The project with these lamps: `name: spec`, the spec as YAML in one line."""
        pairs = (lamp.partition(": ") for lamp in lamps)
        text = (
            f"apiVersion: toy/v1\nkind: Lamp\nmetadata: {{name: {name}}}\nspec: {spec}\n" for name, _, spec in pairs
        )
        (self.root / "lamps.yaml").write_text("---\n".join(text), encoding="utf-8")

    def run(self, *args: str, code: int = 0) -> str:
        """What `reconciler ARGS` printed; it must end with this exit code."""
        out, err = (self.root.parent / name for name in ("out", "err"))
        job = {"args": args, "env": self.environment, "out": str(out), "err": str(err)}
        ended = self.zygote.run(job)
        told, complained = (path.read_text(encoding="utf-8") for path in (out, err))
        assert ended == code, told + complained
        return told or complained

    def apply(self) -> list[tuple[str, str, str]]:
        """Apply, and see an empty plan. What was done: (op, name, live id)."""
        report = json.loads(self.run("apply", "--yes", "-o", "json"))
        self.run("plan", "--detailed-exitcode")
        return [(one["op"], one["address"].removeprefix("toy/Lamp/"), one["live_id"]) for one in report["steps"]]

    def lamps(self) -> set[tuple[str, str, str]]:
        """All that are live: (name, id, owner)."""
        items = json.loads(self.run("list", "-o", "json"))["items"]
        return {(item["name"], item["id"], item["owner"]) for item in items}


def _contents(home: Path) -> dict[str, bytes]:
    """Path → bytes of all files of a copy, but for what Python compiles."""
    files = (path for path in home.rglob("*") if path.is_file() and path.parent.name != "__pycache__")
    return {path.relative_to(home).as_posix(): path.read_bytes() for path in files}


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    """The package as it is installed, and then the three things of the checklist."""
    home = tmp_path / "copy"
    shutil.copytree(PACKAGE, home / "reconciler", ignore=shutil.ignore_patterns("schemas"))
    shutil.copytree(SCHEMAS, home / "schemas")
    made = Copy(home, _contents(home))
    for ours, place in DROPPED.items():
        there = home / place
        there.parent.mkdir(exist_ok=True)
        if (HERE / ours).is_dir():
            shutil.copytree(HERE / ours, there, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(HERE / ours, there)
    return made


@pytest.fixture
def house(copy: Copy, tmp_path: Path) -> Iterator[House]:
    """An empty project; its commands are forked from a process that has imported the copy."""
    root = tmp_path / "house"
    # The project's embedded emulator has been in use since before there was a fifth provider.
    Emulator(root / ".reconciler" / "emulator.db").close()
    (root / "reconciler.yaml").write_text(PROJECT, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, str(HERE.parent / "zygote.py")],
        cwd=root,
        env=copy.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    with process:
        yield House(root, Zygote(process), copy.environment())


def test_fifth_provider_is_one_folder_one_schema_one_emulator_module(copy: Copy, house: House) -> None:
    command = [sys.executable, "-m", "reconciler", "schema", "toy/Lamp"]
    schema = json.loads(subprocess.check_output(command, cwd=house.root, env=copy.environment()))
    assert set(schema["properties"]["spec"]["properties"]) == {"colour", "socket"}
    assert "travels in labels.rc-id" in house.run("explain", "toy/Lamp")
    assert "how long a new lamp is warming" in house.run("emulator", "--help")

    begun = house.root.parent / "begun"
    assert "TOY_TOKEN" in house.run("init", str(begun), "--kind", "toy", "--real", "--no-github", "--yes")
    house.run("validate", "-C", str(begun), "-e", "prod")

    house.write("desk: {socet: E27}")
    wrong = house.run("validate", code=1)
    assert "lamps.yaml:4:8: toy/Lamp/desk: unknown field 'socet'" in wrong
    assert "did you mean 'socket'?" in wrong
    house.write("shelf: {socket: E14, colour: blue}", "desk: {socket: E27}")
    house.run("validate")

    plan = json.loads(house.run("plan", "-o", "json"))
    assert {one["address"]: one["action"] for one in plan["changes"]} == dict.fromkeys(
        ("toy/Lamp/desk", "toy/Lamp/shelf"), "create"
    )
    ids = {name: live_id for op, name, live_id in house.apply() if op == "create"}
    shelf = ("shelf", ids["shelf"], "home")
    assert house.lamps() == {FOREIGN, shelf, ("desk", ids["desk"], "home")}

    house.write("shelf: {socket: E14, colour: blue}", "desk: {socket: E27, colour: red}")
    assert house.apply() == [("update", "desk", ids["desk"])]
    house.write("shelf: {socket: E14, colour: blue}", "desk: {socket: E14, colour: red}")
    assert house.apply() == [("delete", "desk", ids["desk"]), ("create", "desk", "lamp-4")]
    house.write("shelf: {socket: E14, colour: blue}")
    assert house.apply() == [("delete", "desk", "lamp-4")]
    assert house.lamps() == {FOREIGN, shelf}

    folder = {f"{DROPPED['toy']}/{path.name}" for path in (HERE / "toy").glob("*.py")}
    assert copy.differences() == folder | {DROPPED["emulated.py"], DROPPED["toy-lamp.json"]}


def test_schema_of_the_fifth_provider_is_written_as_the_others_are() -> None:
    schema = json.loads((HERE / "toy-lamp.json").read_text(encoding="utf-8"))
    assert schema == loosen(tighten(schema))
