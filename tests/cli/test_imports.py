"""What a command imports before it does anything: most of the time of the short ones."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

_CODE: Final = """
import sys
found, seen = {}, set(sys.modules)
from reconciler.cli.main import main
for args in (["--version"], ["--help"], ["validate", "-C", sys.argv[1]]):
    sys.argv = ["reconciler", *args]
    try:
        main()
    except SystemExit as ended:
        assert not ended.code, ended.code
    found[args[0]] = sorted(set(sys.modules) - seen)
import json
print(json.dumps(found))
"""
_PRINTS: Final = {"reconciler", "reconciler.cli", "reconciler.cli.main", "reconciler.cli.output"} | {
    "reconciler.secrets",
    "reconciler.secrets.redact",
}
_READS: Final = {"cli", "fields", "problems", "providers", "secrets", "spec"}
"""Rooms that a valid spec takes: no plan, nothing rendered, nobody asked."""
_UNREAD: Final = {"describe", "filters", "judge", "sandbox", "trace", "words"}
"""Parts of `spec` for mistakes, templates that compute, and other commands."""
_FACTS: Final = {"checks", "fields", "kind", "kinds", "versions"}
"""Endings of modules of providers that hold facts; all others do something."""
_SLOW: Final = {
    *("asyncio", "concurrent", "ctypes", "decimal", "difflib", "email", "hashlib", "html", "http", "json", "logging"),
    *("importlib.metadata", "importlib.resources", "multiprocessing", "pathlib", "pkgutil", "random", "shutil"),
    *("socket", "sqlite3", "ssl", "subprocess", "tempfile", "textwrap", "traceback", "unittest", "urllib", "xml"),
    *("zipfile", "zoneinfo"),
}
"""Parts of the standard library that take a millisecond or more, besides those that click imports by itself."""
_OF_HELP: Final = {"shutil", "textwrap"}
"""How wide a terminal is, and lines for it: click's."""
_OF_VALIDATE: Final = {
    *("decimal", "difflib", "hashlib", "json", "pathlib", "pkgutil", "urllib"),  # ours; difflib is click's
    *("email", "random", "socket"),  # jsonschema_rs, which reads its own date
}


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    root: Path = tmp_path_factory.mktemp("one")
    files = {
        "reconciler.yaml": "apiVersion: reconciler/v1\nkind: Project\nmetadata: {name: shop}\n"
        "spec:\n  values: {image: nginx}\n  providers:\n    main: {type: theta, endpoint: emulator}\n",
        "resources/chat.yaml": "apiVersion: theta/v1\nkind: Deployment\nmetadata: {name: chat}\n"
        'spec: {template: nginx, container_image: "{{ values.image }}", vm_id: vm_gt1, '
        "min_replicas: 1, max_replicas: 2}\n",
    }
    for path, text in files.items():
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    command = [sys.executable, "-c", _CODE, str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return {name: set(modules) for name, modules in json.loads(done.stdout.splitlines()[-1]).items()}


def foreign(modules: set[str]) -> set[str]:
    """Packages of others, by their first name; what is compiled with Cython also leaves names of its own."""
    tops = {name.partition(".")[0] for name in modules}
    return {name for name in tops if not {name} & {"reconciler", *sys.stdlib_module_names} and "cython" not in name}


def slow(modules: set[str]) -> set[str]:
    return {name for name in _SLOW if name in modules}


def ours(modules: set[str]) -> set[str]:
    return {name for name in modules if name.partition(".")[0] == "reconciler"}


@pytest.mark.parametrize(("args", "most"), [("--version", set()), ("--help", _OF_HELP)])
def test_what_only_prints_imports_what_it_prints_with(args: str, most: set[str], imported: dict[str, set[str]]) -> None:
    found = imported[args]
    assert foreign(found) == {"click"}
    assert ours(found) == _PRINTS
    assert slow(found) <= most


def test_validate_of_what_is_valid_imports_no_other_room_and_no_wire(imported: dict[str, set[str]]) -> None:
    found = imported["validate"]
    assert foreign(found) == {"click", "yaml", "jsonschema_rs"}, "no Jinja2 for names alone, no jsonschema, no HTTPX"
    assert slow(found) <= _OF_VALIDATE | _OF_HELP
    parts = [name.split(".") for name in ours(found) if "." in name]
    assert {part[1] for part in parts} == _READS
    assert not {part[2] for part in parts if part[1] == "spec" and len(part) > 2} & _UNREAD
    facts = {part[3] for part in parts if part[1] == "providers" and len(part) > 3}
    assert {name for name in facts if name.rpartition("_")[2] not in _FACTS} == set()
