"""Which files a project has: all that can be seen, in one order, and none when some can't."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.project import ProjectFiles, load_spec
from reconciler.problems import SpecError

_HEAD = "apiVersion: reconciler/v1\nkind: Project\nmetadata: {name: shop}\n"
_SPEC = "spec:\n  providers:\n    main: {type: theta, endpoint: emulator}\n"


def project(root: Path, files: dict[str, str]) -> Path:
    (root / "reconciler.yaml").write_text(_HEAD + _SPEC, encoding="utf-8")
    for path, name in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(
            f"apiVersion: theta/v1\nkind: Deployment\nmetadata: {{name: {name}}}\n"
            "spec: {template: nginx, container_image: nginx, vm_id: vm_gt1, min_replicas: 1, max_replicas: 1}\n",
            encoding="utf-8",
        )
    return root


def names(root: Path) -> list[tuple[str, str]]:
    spec = load_spec(ProjectFiles(root=root))
    return [(resource.ref.name, resource.origin.file) for resource in spec.resources]


def test_hidden_files_links_out_of_the_project_and_other_endings_are_left_out(tmp_path: Path) -> None:
    outside = tmp_path / "outside.yaml"
    outside.write_text("no: resource\n", encoding="utf-8")
    (tmp_path / "p").mkdir()
    paths = {"resources/b/x.yml": "b", "resources/a.yaml": "a", "resources/.c.yaml": "c", "resources/.d/d.yaml": "d"}
    root = project(tmp_path / "p", paths | {"resources/e.txt": "e", "shared/f.yaml": "f"})
    (root / "resources/out.yaml").symlink_to(outside)
    (root / "resources/in.yaml").symlink_to(root / "shared/f.yaml")
    (root / "resources/folder").symlink_to(root / "shared")
    expected = [("a", "resources/a.yaml"), ("b", "resources/b/x.yml"), ("f", "resources/in.yaml")]
    assert names(root) == expected


def test_a_folder_that_cannot_be_read_is_no_folder_without_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = project(tmp_path, {"resources/a.yaml": "a", "resources/b/b.yaml": "b"})
    scandir = os.scandir

    def refused(place: Any) -> Iterator[os.DirEntry[str]]:
        if os.fspath(place).endswith("/b"):
            raise PermissionError(13, "Permission denied")
        return scandir(place)

    monkeypatch.setattr(os, "scandir", refused)
    with pytest.raises(SpecError, match=r"resources/b/.*can't be read: Permission denied.*\[file-unreadable\]"):
        names(root)
