"""`explain` tells every field of every kind, every setting and every code, offline and without a project."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from reconciler.cli.project import load_schemas
from reconciler.codes import CODES
from reconciler.fields import IN_PLACE, FieldPath, FieldRule, Kind, Seen
from reconciler.fields.setting import COMMON_SETTINGS
from reconciler.providers.registry import provider_types
from reconciler.render.explain import explain_text
from reconciler.render.style import Style
from reconciler.spec.describe import SchemaBook
from tests.conftest import Project
from tests.house.test_field_tables import _all_paths

SCHEMA = Draft202012Validator(load_schemas()["reconciler-explain-1.json"])
KINDS = {kind.label: kind for type_ in provider_types().values() for kind in type_.kinds}
OURS = {"reconciler/Project": "reconciler-project.json", "reconciler/Policy": "reconciler-policy.json"}
Explain = Callable[..., "Told"]


class Told:
    """What a run said."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    def line(self, label: str) -> str:
        """What stands beside a label, in one line."""
        lines = self.out.splitlines()
        start = next((n for n, line in enumerate(lines) if line.startswith(label + " ")), None)
        assert start is not None, f"no {label!r} in\n{self.out}"
        block = [lines[start][14:]]
        for line in lines[start + 1 :]:
            if not line.startswith(" " * 14):
                break
            block.append(line[14:])
        return " ".join(block)

    def yaml(self) -> Any:
        """The example, read."""
        lines = self.out.splitlines()
        start = next(n for n, line in enumerate(lines) if line.startswith("example "))
        block = [lines[start][14:]]
        for line in lines[start + 1 :]:
            if not line.startswith(" " * 14):
                break
            block.append(line[14:])
        return yaml.safe_load("\n".join(block))


@pytest.fixture
def explain(project: Project) -> Explain:
    """`reconciler explain ARGS` as a process, far from any project."""

    def run(*args: str) -> Told:
        out, err = project.root.parent / "out", project.root.parent / "err"
        job = {"args": ["explain", *args], "env": project.environment(), "out": str(out), "err": str(err)}
        code = project.zygote.run(job)
        return Told(code, out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8"))

    return run


@pytest.fixture
def facts(explain: Explain) -> Callable[[str], dict[str, Any]]:
    """`-o json`, parsed, and what it promises."""

    def read(what: str) -> dict[str, Any]:
        told = explain(what, "-o", "json")
        assert (told.code, told.err) == (0, "")
        found: dict[str, Any] = json.loads(told.out)
        SCHEMA.validate(found)
        return found

    return read


# Fields


@pytest.mark.parametrize(
    "written", ["spec.config.weight", "config[*].weight", "config[].weight", "spec.config[0].weight"]
)
def test_a_path_may_be_written_as_people_write_it(explain: Explain, written: str) -> None:
    told = explain(f"modelarts/Service.{written}")

    assert (told.code, told.err) == (0, "")
    assert told.out.splitlines()[0] == "modelarts/Service.spec.config[*].weight"


def test_spec_inside_spec_is_found_with_and_without_the_outer_one(explain: Explain) -> None:
    paths = {explain(f"modelarts/Notebook.{path}.storage.type").out.splitlines()[0] for path in ("spec", "spec.spec")}

    assert paths == {"modelarts/Notebook.spec.spec.storage.type"}


def test_a_field_tells_type_limits_condition_example_change_and_source(explain: Explain) -> None:
    told = explain("modelarts/Service.config.weight")

    assert "Share of the traffic in percent" in told.out
    assert told.line("type").startswith("a whole number, 1 to 100")
    assert told.line("required") == told.line("exists").removeprefix("only ") == 'when infer_type is "real-time"'
    assert told.yaml() == {"spec": {"config": [{"weight": 100}]}}
    assert told.line("change") == "in place"
    assert told.line("interruption").startswith("rolling: ")
    assert told.line("live value") == "shown in the API's detail"
    assert told.line("secret") == "no"
    assert told.line("source") == "modelarts-services §4, §6 terraform"


def test_what_only_one_branch_says_stands_with_its_condition(explain: Explain) -> None:
    config = explain("modelarts/Service.config")
    assert 'when infer_type is "batch" or "edge": at most 1 entry' in config.out
    assert config.line("entries") == "matched by model_id; their order means nothing"
    assert explain("modelarts/Service.vpc_id").line("not allowed") == 'when infer_type is "batch" or "edge"'


def test_a_description_of_one_branch_is_not_told_for_all(explain: Explain) -> None:
    entry = explain("modelarts/Service.config[*]")

    assert 'when infer_type is "edge": The one model version of an edge' in entry.out
    assert "One model version behind" not in entry.out.splitlines()[1]
    assert "\nentries " not in entry.out, "the key is of the list, not of an entry"


def test_what_all_branches_say_needs_no_condition(explain: Explain) -> None:
    told = explain("modelarts/Service.config.model_id")

    assert told.line("required") == "yes"
    assert "infer_type" not in told.out


def test_required_in_a_map_that_may_be_left_out_says_so(explain: Explain) -> None:
    told = explain("modelarts/Service.config.custom_spec.cpu")

    assert told.line("required") == "yes, wherever spec.config[*].custom_spec is written"
    assert explain("runai/Inference.storage.pvc.path").line("required") == "yes, wherever spec.storage.pvc is written"


def test_a_replace_tells_what_goes_and_what_users_notice(explain: Explain) -> None:
    told = explain("theta/Deployment.vm_id")

    assert told.line("change") == "replaces the resource"
    assert told.line("interruption").startswith("data-loss: ")
    assert told.line("you notice") == KINDS["theta/Deployment"].replace_notice


def test_a_release_that_changes_a_field_in_place_is_named(explain: Explain) -> None:
    told = explain("runai/Inference.autoscaling.initialReplicas")

    assert "since API release 2.19" in told.line("change")
    assert told.line("API releases") == "since 2.20"
    assert told.line("default") == "the API takes that of autoscaling.minReplicas; else 1"
    assert "before 2.19 by replacing the resource" in told.line("taken out")


def test_a_one_way_switch_tells_both_ways(explain: Explain) -> None:
    told = explain("modelarts/Service.additional_properties.websocket_upgrade")

    assert told.line("change") == "switching it on is in place; every other change replaces the resource"
    assert told.line("default") == "false, filled in by the API"


def test_a_secret_and_a_value_that_nobody_shows_are_told_apart(explain: Explain) -> None:
    secret, unseen = explain("theta/Deployment.auth_password"), explain("theta/Deployment.registry_username")

    assert secret.line("secret").startswith("yes: only secret()")
    assert "fingerprint" in secret.line("live value")
    assert unseen.line("secret") == "no"
    assert "can't be verified" in unseen.line("live value")
    assert "a literal is shown" in explain("theta/Deployment.env_vars").line("secret")


def test_a_field_without_a_row_tells_whose_row_speaks(explain: Explain) -> None:
    assert "facts of config[*].envs" in explain("modelarts/Service.config.envs.MODE").line("source")


def test_what_reconciler_reads_itself_is_no_field_of_the_api(explain: Explain) -> None:
    for what in ("metadata.labels", "lifecycle.wait.timeout", "forEach"):
        assert explain(f"modelarts/Service.{what}").line("change") == "read by reconciler; not a field of the API"
    assert explain("reconciler/Project.spec.safety.maxDeletes").line("default") == "10"


def _paths(label: str) -> list[str]:
    """Every field of a kind's schema (found by another walk than `explain`'s, too), and every row of its table."""
    file = KINDS[label].schema if label in KINDS else OURS[label]
    paths = {str(path) for path in SchemaBook(load_schemas()).walk(file)}
    if label in KINDS:
        paths |= {f"spec.{path}" for path in _all_paths(KINDS[label])}
        paths |= {f"spec.{rule.path}" for rule in KINDS[label].fields if not rule.server_set}
    assert {"kind", "metadata.name", "spec"} <= paths
    return sorted(paths)


@pytest.mark.parametrize("label", [*KINDS, *OURS])
def test_every_field_tells_type_and_mutability_at_80_columns(
    label: str, facts: Callable[[str], dict[str, Any]]
) -> None:
    seen = 0
    for path in _paths(label):
        found = facts(f"{label}.{path}")
        told = Told(0, explain_text(found, Style()), "")
        assert found["path"] == path
        assert told.line("type") not in {"", "any value"}, path
        assert told.line("change"), path
        assert all(len(line) <= 80 or " " not in line.strip() or _is_example(line) for line in told.out.splitlines())
        seen += _check(KINDS.get(label), path, found)
    assert seen > 0


def _is_example(line: str) -> bool:
    """An example stays as it is: whoever copies it must not mend it."""
    return line.startswith(" " * 14) and ":" in line


def _check(kind: Kind | None, path: str, found: Mapping[str, Any]) -> bool:
    """What is told is what the table says; no row at or above it: it is a map, whose fields tell."""
    if kind is None or not path.startswith("spec."):
        return found["rule"] is None and found["sent"] is False
    rule: FieldRule | None = kind.rule(FieldPath.parse(path.removeprefix("spec.")))
    if rule is None:
        return bool(found["fields"]) and found["rule"] is None
    told = found["rule"]
    assert (told["row"], told["own"]) == (rule.path, f"spec.{rule.path}" == path)
    assert (told["source"], told["secret"], told["seen"]) == (kind.cite(rule.source), rule.secret, rule.seen)
    assert (told["change"] == "replace") is (rule.change is not IN_PLACE), path
    assert told["interruption"] == (rule.interruption if rule.change is IN_PLACE else kind.replace_interruption)
    assert told["can_be_verified"] is (rule.seen is not Seen.NEVER and rule.secret != "always")
    return True


# Kinds and settings


@pytest.mark.parametrize("label", KINDS)
def test_a_kind_tells_name_marker_replace_wait_and_its_fields(label: str, explain: Explain) -> None:
    kind, told = KINDS[label], explain(label)

    assert told.out.startswith(f"{label}: {kind.title}\n")
    assert told.line("liveName") == (kind.live_name.words if kind.live_name else "can't be set: the API gives the name")
    assert kind.marker.carrier in told.line("our marker")
    assert all(order in told.line("a replace") for order in kind.replace_orders)
    assert all(state in told.line("run state") for state in kind.run_states)
    assert f"{kind.timeout_s / 60:g} minutes" in told.line("apply")
    assert told.yaml() == {"spec": kind.example}
    for name in {rule.path.partition(".")[0].partition("[")[0] for rule in kind.fields if not rule.server_set}:
        assert f"\n  {name} " in told.out
    assert f"reconciler explain {label}.spec." in told.out.splitlines()[-1]


def test_the_project_and_the_policy_are_explained_like_kinds(explain: Explain) -> None:
    assert "\n  defaultEnvironment " in explain("reconciler/Project").out
    assert "\n  assert " in explain("reconciler/Policy").out


@pytest.mark.parametrize("label", KINDS)
def test_fields_that_all_kinds_have_tell_the_rule_of_this_one(label: str, explain: Explain) -> None:
    kind = KINDS[label]
    name, state = explain(f"{label}.metadata.liveName"), explain(f"{label}.lifecycle.runState")

    assert (kind.live_name.words if kind.live_name else "can't be set") in name.line("type")
    assert ("can't be set" in state.line("type")) is not bool(kind.run_states)
    assert explain(f"{label}.lifecycle.wait.timeout").line("default") == f"{kind.timeout_s / 60:g}m"
    assert explain(f"{label}.lifecycle.replace").line("default") == kind.replace


@pytest.mark.parametrize("type_", provider_types())
def test_every_setting_of_every_provider_type_is_told(
    type_: str, explain: Explain, facts: Callable[[str], dict[str, Any]]
) -> None:
    where = f"reconciler/Project.spec.providers.{type_}"
    overview = explain(where).out
    for setting in (*provider_types()[type_].settings, *COMMON_SETTINGS):
        assert f"\n  {setting.name} " in overview
        assert setting.doc.split()[0] in explain(f"{where}.{setting.name}").out
        found = facts(f"{where}.{setting.name}")
        assert (found["required"], found["secret"]) == (setting.required, setting.secret)


def test_a_setting_of_an_environment_is_told_too(explain: Explain) -> None:
    told = explain("reconciler/Project.environments.prod.providers.modelarts.requestTimeout")

    assert told.line("default") == "60s"


# Codes


def test_every_code_tells_meaning_and_remedy(facts: Callable[[str], dict[str, Any]]) -> None:
    own = [code for type_ in provider_types().values() for code in type_.codes()]
    assert own
    for code in (*CODES.values(), *own):
        found = facts(code.code)
        assert (found["stage"], found["meaning"], found["remedy"]) == (code.stage, code.meaning, code.remedy)


def test_a_code_may_be_copied_with_its_brackets_and_is_told_in_words(explain: Explain) -> None:
    told = explain("[unknown-target]")

    assert told.out.startswith("unknown-target  (command line)\n")
    assert told.line("what to do") == CODES["unknown-target"].remedy
    assert CODES["unknown-target"].example in told.out


def test_without_an_argument_all_kinds_and_codes_are_listed(explain: Explain) -> None:
    told = explain()

    assert told.code == 0
    assert all(f"  {label} " in told.out for label in (*KINDS, *OURS))
    listed = set(told.out.replace(",", "").split())
    assert {code.code for code in CODES.values()} <= listed
    assert {code.code for type_ in provider_types().values() for code in type_.codes()} <= listed


# What does not exist


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("modelarts/Service.spec.config.wieght", "spec.config[*] has no field 'wieght'"),
        ("modelarts/Service.spec.config.wieght", "did you mean 'weight'?"),
        ("modelarts/Service.confg.weight", "did you mean 'config'?"),
        ("runai/Inference.minReplicas", "did you mean 'runai/Inference.spec.autoscaling.minReplicas'?"),
        ("modelarts/Service.infer_type.x", "nothing stands below it"),
        ("modelarts/Service.additional_properties[0]", "it is a map: smn_notification"),
        ("modelarts/Service.config..x", "did you mean 'config'?"),
        ("reconciler/Project.values.replicas", "your own"),
        ("modelarts/Servce.spec.config", "did you mean 'modelarts/Service.spec.config'? [unknown-kind]"),
        ("Service.config.weight", "did you mean 'modelarts/Service.config.weight'?"),
        ("maxReplicas", "did you mean 'runai/Inference.spec.autoscaling.maxReplicas'?"),
        ("duplicate-kye", "did you mean 'duplicate-key'? [unknown-code]"),
        ("nonsense", "'nonsense' is neither a kind, a field of one, nor a code"),
        ("reconciler/Project.providers.thet.apiKey", "did you mean 'theta'? [unknown-provider-type]"),
        ("reconciler/Project.providers.theta.apikey", "did you mean 'apiKey'?"),
        ("a/b.c[", "there is no kind 'a/b'"),
        ("modelarts/Service.\x1b[31m", "has no field"),
    ],
)
def test_what_does_not_exist_is_told_with_what_was_meant(explain: Explain, what: str, said: str) -> None:
    told = explain(what)

    assert (told.code, told.out) == (1, "")
    assert said in told.err
    assert "(expected " in told.err
    assert "\x1b" not in told.err


def test_colour_is_for_terminals_or_on_demand_and_never_with_no_color(project: Project, explain: Explain) -> None:
    plain = explain("theta/Deployment.vm_id").out
    project.env["FORCE_COLOR"] = "1"
    painted = explain("theta/Deployment.vm_id").out
    project.env["NO_COLOR"] = "1"

    assert "\x1b[1mtheta/Deployment.spec.vm_id\x1b[0m" in painted
    assert explain("theta/Deployment.vm_id").out == plain
    assert "\x1b" not in plain


def test_what_readme_shows_is_what_it_prints(explain: Explain) -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    _before, _sign, shown = readme.partition("$ reconciler explain ")
    what, _break, block = shown.partition("\n")

    assert explain(what).out == block.partition("```")[0]
