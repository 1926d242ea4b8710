"""`init`: what it writes validates, plans and applies; it asks only where somebody answers, and overwrites nothing."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import pty
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from reconciler.cli.init_files import prove
from reconciler.cli.init_texts import Start, resource_files, texts
from reconciler.cli.init_workflows import load_workflows, workflow_texts
from reconciler.cli.project import ProjectFiles, load_spec
from reconciler.providers.registry import all_kinds
from tests.conftest import Project
from tests.github.workflows_shape import check_workflow, read

KINDS = tuple(all_kinds().values())
EXAMPLE = Path(__file__).parents[1] / "specs-example"
ENVIRONMENTS: tuple[tuple[str, ...], ...] = ((), ("dev",), ("dev", "prod"), ("null", "007", "on", "a" * 24))


def run(project: Project, *args: str) -> subprocess.CompletedProcess[str]:
    """`reconciler ARGS`, without any folder of its own; nobody is at a terminal."""
    out, err = project.root.parent / "stdout", project.root.parent / "stderr"
    job = {"args": args, "env": project.environment(), "out": str(out), "err": str(err)}
    code = project.zygote.run(job)
    return subprocess.CompletedProcess(args, code, *(path.read_text(encoding="utf-8") for path in (out, err)))


def contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def start(kinds: Any = KINDS, environments: tuple[str, ...] = ("dev", "prod"), **more: Any) -> Start:
    return Start(name="shop", kinds=tuple(kinds), environments=environments, **more)


# -- what it writes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("environments", ENVIRONMENTS, ids=" ".join)
def test_every_combination_validates_in_every_environment(environments: tuple[str, ...], tmp_path: Path) -> None:
    chosen = [*((kind,) for kind in KINDS), KINDS]
    for kinds, emulator, ledger in itertools.product(chosen, (True, False), ("sqlite", "git")):
        begun = start(kinds, environments, emulator=emulator, ledger=ledger, editor=False)
        prove(tmp_path / "new", texts(begun), environments)


def test_examples_show_a_value_that_differs_between_environments(tmp_path: Path) -> None:
    for path, text in texts(start()).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    dev, prod = (load_spec(ProjectFiles(root=tmp_path, environment=name)) for name in ("dev", "prod"))

    assert {one.kind.label: one.labels["stage"] for one in prod.resources} == dict.fromkeys(all_kinds(), "live")
    assert {one.labels["stage"] for one in dev.resources} == {"trial"}
    (counted,) = (one for one in prod.resources if one.kind.name == "Inference")
    assert counted.spec["autoscaling"] == {"minReplicas": 2, "maxReplicas": 2}
    # Two environments may share an account: what they make has names of its own.
    assert all(one.live_name == "example-prod" for one in prod.resources if one.kind.live_name)


def test_real_accounts_are_placeholders_and_references() -> None:
    settings = yaml.safe_load(texts(start(emulator=False))["reconciler.yaml"])["spec"]

    assert settings["providers"]["theta"] == {
        "type": "theta",
        "projectId": "prj_v4bqyvvycsffhq17rxt0kued3dv7",
        "apiKey": '{{ secret("THETA_API_KEY") }}',
    }
    assert set(settings["providers"]["modelarts"]) >= {"endpoint", "iamEndpoint", "username", "password", "domain"}
    assert settings["secrets"] == ["MODELARTS_PASSWORD", "RUNAI_CLIENT_SECRET", "THETA_API_KEY"]


def test_editors_find_a_schema_for_every_file_without_a_network(project: Project) -> None:
    done = run(project, "init", str(project.root), "--yes")
    assert done.returncode == 0, done.stderr
    files = {path: yaml.safe_load(path.read_text("utf-8")) for path in project.root.rglob("*.yaml")}
    assert len(files) == len(KINDS) + 1
    home = project.root / ".reconciler/schemas"
    schemas = {path.name: json.loads(path.read_text("utf-8")) for path in home.iterdir()}
    registry: Registry[Any] = Registry().with_resources(
        (name, DRAFT202012.create_resource(schema)) for name, schema in schemas.items()
    )

    by_settings = json.loads((project.root / ".vscode/settings.json").read_text("utf-8"))["yaml.schemas"]
    assert {(project.root / path).resolve().parent for path in by_settings} == {home.resolve()}
    for path, document in files.items():
        first = path.read_text("utf-8").partition("\n")[0]
        own = (path.parent / first.removeprefix("# yaml-language-server: $schema=")).resolve()
        # A new file has no such line: there the settings lead to its schema, by what kind it says that it is.
        general = "reconciler-project.json" if path.name == "reconciler.yaml" else "reconciler-resource.json"
        for name in (own.name, general):
            check = Draft202012Validator(schemas[name], registry=registry)
            assert own.parent == home.resolve()
            assert list(check.iter_errors(document)) == []
            assert list(check.iter_errors({**document, "spec": {**document["spec"], "nonsense": 1}})) != []

    again = project.root / "again"
    assert run(project, "schema", "--all", "--out", str(again)).returncode == 0
    assert contents(again) == contents(home)


def test_a_project_from_nothing_works_as_it_stands(project: Project) -> None:
    new = Project(project.root / "infra", project.zygote)
    done = run(project, "init", str(new.root), "--name", "shop", "--yes")
    assert (done.returncode, done.stdout) == (0, "")
    assert f"reconciler apply -C {new.root}" in done.stderr

    for environment in ("dev", "prod"):
        for words, code in (("validate", 0), ("plan --detailed-exitcode", 2), ("apply --yes", 0)):
            ended = new.run(*words.split(), "-e", environment)
            assert ended.returncode == code, ended.stdout + ended.stderr
        assert new.run("plan", "-e", environment, "--detailed-exitcode").returncode == 0


# -- workflows --------------------------------------------------------------------------------------------------------


def test_workflows_are_those_of_the_example_with_what_is_ours_filled_in() -> None:
    shipped = {path.name: path.read_text("utf-8") for path in (EXAMPLE / ".github/workflows").iterdir()}
    assert load_workflows() == shipped
    plain = workflow_texts(("dev", "prod"), ".")
    copied, written = "# Copied from reconciler's specs-example.", "# Written by `reconciler init`."
    assert plain == {f".github/workflows/{name}": text.replace(copied, written) for name, text in shipped.items()}

    ours = workflow_texts(("test", "live"), "in/fra", "acme/mirror", "ab" * 20)
    for path, text in ours.items():
        assert not any(word in text for word in ("your-org", "0000", '"dev"', '"prod"', "specs-example"))
        check_workflow(read(text), path)
        (job,) = read(text)["jobs"].values()
        name = path.rpartition("-")[2]
        assert job["uses"] == f"acme/mirror/.github/workflows/{name}@{'ab' * 20}"
        assert (job["with"]["directory"], '["test", "live"]' in job["with"]["environments"]) == ("in/fra", True)


def test_workflows_and_a_git_ledger_are_for_the_top_of_a_repository(project: Project) -> None:
    git, inner = project.root / ".git", project.root / "in fra"
    git.mkdir()
    (git / "config").write_text('[remote "origin"]\n', encoding="utf-8")

    refused = run(project, "init", str(inner), "--yes", "--github")
    assert (refused.returncode, "'in fra' can't stand in a workflow" in refused.stderr) == (64, True)
    assert run(project, "init", str(project.root / "infra"), "--yes", "--github").returncode == 0
    told = (project.root / "infra/.github/workflows/reconciler-plan.yml").read_text("utf-8")
    assert "      directory: infra\n" in told
    assert run(project, "init", str(inner), "--yes").returncode == 0
    assert not (inner / ".github").exists()

    done = run(project, "init", str(project.root), "--yes", "--env", "live")
    assert done.returncode == 0, done.stderr
    assert yaml.safe_load((project.root / "reconciler.yaml").read_text("utf-8"))["spec"]["ledger"] == {"type": "git"}
    assert "live-plan, live-apply" in done.stderr
    assert "replace your-org and the zeros" in done.stderr
    assert len(list((project.root / ".github/workflows").iterdir())) == 3


# -- what is there already --------------------------------------------------------------------------------------------


def test_all_that_is_in_the_way_is_named_and_nothing_is_written(project: Project, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    project.write("resources/deployment.yaml", "mine")
    project.write(".vscode/settings.json", "{}")
    (project.root / ".reconciler").symlink_to(elsewhere)
    (project.root / ".github").write_text("a file", encoding="utf-8")
    before = contents(project.root)

    refused = run(project, "init", str(project.root), "--github", "--yes")

    assert refused.returncode == 4
    for place in ("resources/deployment.yaml", ".vscode/settings.json", ".reconciler/schemas", ".github is no folder"):
        assert place in refused.stderr
    assert "or --editor none" in refused.stderr
    assert "[init-exists]" in refused.stderr
    assert (contents(project.root), list(elsewhere.iterdir())) == (before, [])


def test_files_that_would_not_validate_with_ours_are_told_first(project: Project) -> None:
    project.write("resources/other.yaml", "apiVersion: v1\nkind: Pod\n")

    refused = run(project, "init", str(project.root), "--yes")

    assert (refused.returncode, "resources/other.yaml:" in refused.stderr) == (1, True)
    assert list(contents(project.root)) == ["resources/other.yaml"]


def test_a_project_that_is_there_stays_and_gitignore_grows_by_a_line(project: Project) -> None:
    project.write(".gitignore", "build/")
    assert run(project, "init", str(project.root), "--yes").returncode == 0
    assert (project.root / ".gitignore").read_text("utf-8") == "build/\n.reconciler/\n"
    before = contents(project.root)

    refused = run(project, "init", str(project.root), "--yes")
    assert refused.returncode == 4
    assert "there is already a reconciler.yaml" in refused.stderr
    assert "`reconciler import`" in refused.stderr
    (project.root / "reconciler.yaml").unlink()
    assert run(project, "init", str(project.root), "--yes").returncode == 0, "what is the same is not in the way"
    assert contents(project.root) == before


def test_nothing_is_left_of_what_could_not_be_written(project: Project) -> None:
    project.write(".gitignore", "build/\n")
    project.write("elsewhere", "mine")
    (project.root / ".vscode").mkdir()
    draft = project.root / ".vscode/.settings.json.new"  # one of the last
    draft.symlink_to(project.root / "elsewhere")
    before = contents(project.root)

    failed = run(project, "init", str(project.root), "--yes")

    assert (failed.returncode, "nothing was written: " in failed.stderr) == (1, True)
    assert str(draft) in failed.stderr
    assert contents(project.root) == before
    assert not (project.root / "resources").exists()


# -- options and questions --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ("--name", "Shop"),
        ("--name", "a: {b}\nc: d"),
        ("--name", "{{ 7 }}"),
        ("--name", "x" * 25),
        ("--env", "../prod"),
        ("--env", "dev", "--no-environments"),
        ("--kind", "thetta"),
        ("--github", "--no-environments"),
        ("--action-repository", "acme/x@y"),
        ("--action-ref", "main"),
        ("--no-github", "--action-ref", "ab" * 20),
    ],
    ids=" ".join,
)
def test_what_can_not_be_is_a_matter_of_usage(words: tuple[str, ...], project: Project) -> None:
    place = project.root / "new"
    refused = run(project, "init", str(place), "--yes", *words)

    assert (refused.returncode, refused.stdout) == (64, "")
    assert "Traceback" not in refused.stderr
    assert not place.exists()


def test_an_odd_folder_gives_a_name_that_can_be_one(project: Project) -> None:
    for folder, name in (("Ünser Läden!", "nser-l-den"), ("***", "project"), ("null", "null")):
        assert run(project, "init", str(project.root / folder), "--kind", "theta", "--yes").returncode == 0
        assert load_spec(ProjectFiles(root=project.root / folder)).project.name == name


def test_two_kinds_of_one_name_have_a_file_each() -> None:
    service, inference = (next(kind for kind in KINDS if kind.name == name) for name in ("Service", "Inference"))
    found = resource_files((service, inference, dataclasses.replace(service, type="fifth")))

    assert list(found) == [f"resources/{name}.yaml" for name in ("modelarts-service", "inference", "fifth-service")]


def test_on_a_terminal_it_asks_and_writes_nothing_when_nobody_answers_any_more(project: Project) -> None:
    place = project.root / "new"
    assert _answer(project, place, []) == 4
    assert not place.exists()
    project.env["CI"] = "true"
    assert _answer(project, project.root / "job", []) == 0, "nobody answers there"
    del project.env["CI"]

    answers = ["Bad Name", "shop", "theta, Notebook", "live", "n", "y", "sqlite"]
    assert _answer(project, place, answers) == 0
    spec = load_spec(ProjectFiles(root=place))
    assert (spec.project.owner, [one.address for one in spec.resources]) == (
        "shop/live",
        ["modelarts/Notebook/example", "theta/Deployment/example"],
    )
    assert not any(one.settings.get("endpoint") == "emulator" for one in spec.project.providers.values())
    assert len(list((place / ".github/workflows").iterdir())) == 3


def _answer(project: Project, place: Path, answers: list[str]) -> int:
    """The exit code of `init` at a terminal, an answer to each question; when there is none left, the input ends."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "reconciler", "init", str(place)]
    process = subprocess.Popen(command, env=project.environment(), stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown, left = b"", list(answers)
    try:
        while select.select([ours], [], [], 60)[0] and (piece := os.read(ours, 65536)):
            shown += piece
            if shown.endswith(b"]: "):
                os.write(ours, f"{left.pop(0)}\n".encode() if left else b"\x04")
                shown = b""
    except OSError:  # the other side is closed
        pass
    os.close(ours)
    assert left == []
    return process.wait(60)
