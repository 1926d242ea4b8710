"""Against circles: schema, field table and emulator of the inference against the models of `runapy` 1.218 to 1.224.

Each difference is one line, and each line stands below with its reason: one that is not explained fails, and so does an
explanation whose difference is gone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from reconciler.emulator.runai.shapes import SPEC, Fields, Flag, Items, Number, Shape, Text
from reconciler.emulator.runai.versions import PATCHABLE, has
from reconciler.emulator.runai.versions import RELEASES as EMULATED
from reconciler.fields import IN_PLACE, FieldPath, FieldRule
from reconciler.fields.rule import release
from reconciler.providers.runai.kinds import INFERENCE, SETTINGS
from reconciler.spec.schema import tighten
from tests.conformance.conftest import Emulator
from tests.conformance.releases import NEWEST, RELEASES, Release, read_releases

SCHEMA = Path(__file__).parents[2] / "schemas" / "runai-inference.json"
FIRST = next(iter(RELEASES))
BESIDE_SPEC: Final = ("name", "projectId", "clusterId")
"""Members of the create request that the tool sets by itself."""
Facts = dict[str, dict[str, Any]]


@pytest.fixture(scope="session")
def clients() -> dict[str, Release]:
    """Client version → facts; 1.221.0 beside the seven that speak for a control plane."""
    return read_releases([*RELEASES.values(), "1.221.0"])


@pytest.fixture(scope="session")
def vendor(clients: dict[str, Release]) -> dict[str, Release]:
    """Control plane → facts."""
    return {version: clients[number] for version, number in RELEASES.items()}


def compare(theirs: Facts, ours: Facts, *, exactly: bool) -> Iterator[str]:
    """`path fact: theirs | ours` for each difference; stricter limits of ours count only when `exactly`."""
    for path in sorted(set(theirs) | set(ours)):
        if path not in ours or path not in theirs:
            yield f"{path}: {'only theirs' if path in theirs else 'only ours'}"
            continue
        for fact in sorted(set(theirs[path]) | set(ours[path])):
            pair = theirs[path].get(fact), ours[path].get(fact)
            if _word(pair[0]) != _word(pair[1]) and (exactly or not _is_stricter(fact, *pair, ours[path])):
                yield f"{path} {fact}: {_word(pair[0])} | {_word(pair[1])}"


def _is_stricter(fact: str, theirs: Any, ours: Any, all_ours: dict[str, Any]) -> bool:
    """Whether our limit refuses all that theirs refuses, as far as two limits can be compared."""
    if fact in {"type", "enum"}:
        return False
    if theirs is None:
        return True
    if fact == "pattern":
        return ours is not None
    if "pattern" in all_ours and fact in {"minLength", "maxLength"}:
        return re.fullmatch(all_ours["pattern"], "x" * 4096 if fact == "maxLength" else "") is None
    return ours is not None and (ours >= theirs if fact.startswith("min") else ours <= theirs)


def _word(value: Any) -> str:
    return ", ".join(sorted(map(str, value))) if isinstance(value, list | tuple) else str(value)


def theirs_required(theirs: Facts, ours: Facts) -> Facts:
    """Ours without `required` where theirs lacks it: they say "mandatory" in descriptions alone."""
    return {
        path: {fact: value for fact, value in facts.items() if fact != "required" or "required" in theirs.get(path, {})}
        for path, facts in ours.items()
    }


def _pattern(text: str) -> str:
    """One spelling for patterns of a whole value."""
    return text.removeprefix("^").removesuffix("$").replace("\\x2F", "/").replace("a-zA-Z", "A-Za-z")


def told(facts: Facts) -> Facts:
    """The client's facts of a create request, as they are compared."""
    return {
        path: {fact: _pattern(value) if fact == "pattern" else value for fact, value in one.items()}
        for path, one in facts.items()
        if path not in BESIDE_SPEC
    }


def check(found: list[str], explained: Mapping[str, tuple[str, ...]]) -> None:
    """Both lists are the same."""
    reasons = {line: reason for reason, lines in explained.items() for line in lines}
    wrong = [f"without a reason: {line}" for line in found if line not in reasons]
    wrong += [f"gone, so that its reason is too: {line} ({reasons[line]})" for line in reasons if line not in found]
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


# -- the schema -------------------------------------------------------------------------------------------------------

_COMPARED: tuple[str, ...] = ("type", "enum", "minimum", "maximum", "minLength", "maxLength", "pattern")


def schema_facts() -> Facts:
    spec = tighten(json.loads(SCHEMA.read_text(encoding="utf-8")))["properties"]["spec"]
    return {path: facts for path, facts in _schema_walk(spec, "") if path}


def _schema_walk(node: dict[str, Any], path: str, *, required: bool = False) -> Iterator[tuple[str, dict[str, Any]]]:
    facts = {key: node[key] for key in _COMPARED if key in node}
    if "pattern" in facts:
        facts["pattern"] = _pattern(facts["pattern"])
    yield path, {**facts, **({"required": True} if required else {})}
    for name, inner in node.get("properties", {}).items():
        yield from _schema_walk(inner, f"{path}.{name}" if path else name, required=name in node.get("required", ()))
    if node.get("type") == "array":
        yield from _schema_walk(node["items"], f"{path}[*]")


def every_field(vendor: dict[str, Release]) -> Facts:
    """Each field with its facts of the newest release that has it."""
    found: Facts = {}
    for one in vendor.values():
        found.update(told(one.create))
    return found


IN_SCHEMA: Final[Mapping[str, tuple[str, ...]]] = {
    "it exists up to 2.23 (§0.1), and a check refuses it later": (
        "compute.gpuRequestType enum: memory, portion | memory, migProfile, portion",
    ),
    "the model takes any text, its description and our sheet list these (§3.2)": (
        "priorityClass enum: None | high, low, medium, medium-high, medium-low, very-high, very-low",
    ),
}


def test_schema_holds_the_fields_types_and_choices_of_the_clients_models(vendor: dict[str, Release]) -> None:
    theirs = every_field(vendor)
    check(list(compare(theirs, theirs_required(theirs, schema_facts()), exactly=False)), IN_SCHEMA)


# -- the field table --------------------------------------------------------------------------------------------------


def rules_over(path: str) -> list[FieldRule]:
    """The rows of a path and of what it lies in, outermost first."""
    segments = FieldPath.parse(path).segments
    by_path = {FieldPath.parse(rule.path).segments: rule for rule in INFERENCE.fields}
    return [by_path[segments[:end]] for end in range(1, len(segments) + 1) if segments[:end] in by_path]


def spans(vendor: dict[str, Release]) -> dict[str, tuple[str, str]]:
    """Path → first and last release that has it; empty for the oldest and the newest."""
    found = {}
    for path in every_field(vendor):
        there = [version for version in vendor if path in vendor[version].create]
        assert len(there) == release(there[-1])[1] - release(there[0])[1] + 1, f"{path} went and came back"
        found[path] = ("" if there[0] == FIRST else there[0], "" if there[-1] == NEWEST else there[-1])
    return found


def table_span(path: str) -> tuple[str, str]:
    rules = rules_over(path)
    since = max((rule.since for rule in rules if rule.since), key=release, default="")
    until = min((rule.until for rule in rules if rule.until), key=release, default="")
    return since, until


IN_TABLE: Final[Mapping[str, tuple[str, ...]]] = {
    "from 2.22 on the model has it still, as deprecated, and the server ignores it (§3.4, §10.11)": (
        "autoscaling.initializationTimeoutSeconds: 2.20.. | 2.20..2.21",
    ),
}


def test_table_knows_since_and_until_when_a_field_exists(vendor: dict[str, Release]) -> None:
    found = [
        f"{path}: {theirs[0]}..{theirs[1]} | {ours[0]}..{ours[1]}"
        for path, theirs in spans(vendor).items()
        if (ours := table_span(path)) != theirs
    ]
    check(found, IN_TABLE)


def test_table_knows_what_each_release_can_change_in_place(vendor: dict[str, Release]) -> None:
    for path in every_field(vendor):
        rule = rules_over(path)[-1]
        changeable = [version for version in vendor if path in vendor[version].update]
        ours = [
            version
            for version in vendor
            if path in vendor[version].create
            and rule.change is IN_PLACE
            and release(version) >= release(rule.in_place_since or FIRST)
        ]
        assert ours == changeable, path


def test_an_update_says_of_a_field_what_a_create_says(vendor: dict[str, Release]) -> None:
    for one in vendor.values():
        assert {path: one.create[path] for path in one.update} == one.update


def test_first_client_of_2_21_lacks_what_its_control_plane_can_change(clients: dict[str, Release]) -> None:
    early, late = clients["1.221.0"], clients["1.221.1"]
    missing = {path for path in late.update if path not in early.update}

    assert {path.partition(".")[0].partition("[")[0] for path in missing} == {
        "compute",
        "nodePools",
        "nodeType",
        "podAffinity",
    }
    assert set(late.create) - set(early.create) == {"storage.configMapVolume[*].subPath"}


# -- choices that come and go -----------------------------------------------------------------------------------------


def moving_choices(vendor: dict[str, Release]) -> Iterator[tuple[str, str, list[str]]]:
    """(path, value, releases that have the value) where not all releases that have the field have it."""
    for path in every_field(vendor):
        there = {version: one.create[path] for version, one in vendor.items() if path in one.create}
        for value in sorted({value for facts in there.values() for value in facts.get("enum", ())}):
            # A release without an enumeration takes any value.
            having = [version for version, facts in there.items() if value in facts.get("enum", [value])]
            if having != list(there):
                yield path, value, having


def document_with(path: str, value: Any) -> dict[str, Any]:
    """The smallest document that holds a value at a pattern."""
    for segment in reversed(FieldPath.parse(path).segments):
        value = [value] if segment == "[*]" else {segment: value}
    return {"metadata": {"name": "chat"}, "spec": {"image": "a:1", **value}}


def test_choices_that_come_and_go_do_so_for_validate(vendor: dict[str, Release]) -> None:
    moving = list(moving_choices(vendor))
    assert {(path, value) for path, value, _ in moving} == {
        ("compute.gpuRequestType", "migProfile"),
        ("servingPort.authorizationType", "authorizedUsers"),
        ("servingPort.authorizationType", "authorizedGroups"),
        ("tolerations[*].effect", "Any"),
    }
    for path, value, having in moving:
        for version in (version for version in vendor if path in vendor[version].create):
            document = document_with(path, value)
            refused = any(
                finding.code == "not-in-version" and finding.path.replace("[0]", "[*]") == path
                for check_rule in INFERENCE.checks
                for finding in check_rule(document, {"version": version})
            )
            assert refused is (version not in having), (path, value, version)


def test_a_name_with_a_dot_is_refused_in_the_releases_that_do(vendor: dict[str, Release]) -> None:
    for path in ("storage.configMapVolume[*].configMap", "storage.pvc[*].claimInfo.storageClass"):
        for version, one in vendor.items():
            refused = any(
                finding.code == "not-in-version" and finding.path.replace("[0]", "[*]") == path
                for check_rule in INFERENCE.checks
                for finding in check_rule(document_with(path, "fast.ssd"), {"version": version})
            )
            assert refused is ("pattern" in one.create[path]), (path, version)


def test_metric_of_a_release_is_one_of_three_until_any_name_is_taken(vendor: dict[str, Release]) -> None:
    for version, one in vendor.items():
        listed = one.create["autoscaling.metric"].get("enum")
        document = document_with("autoscaling.metric", "tokens_per_second")
        refused = any(
            finding.code == "not-in-version"
            for check_rule in INFERENCE.checks
            for finding in check_rule(document, {"version": version})
        )
        assert refused is (listed is not None), version


# -- the emulator -----------------------------------------------------------------------------------------------------


def emulator_facts(shape: Shape, version: str, path: str = "", *, required: bool = False) -> Iterator[tuple[str, Any]]:
    more = {"required": True} if required else {}
    match shape:
        case Fields():
            if path:
                yield path, {"type": "object", **more}
            for name, member in shape.members.items():
                if has(version, member.since, member.until):
                    place = f"{path}.{name}" if path else name
                    yield from emulator_facts(member.shape, version, place, required=member.required)
        case Items():
            yield path, {"type": "array", **more}
            yield from emulator_facts(shape.of, version, f"{path}[*]")
        case Flag():
            yield path, {"type": "boolean", **more}
        case Number():
            bounds = {"minimum": shape.low_in(version), "maximum": shape.high}
            kind = "integer" if shape.integer else "number"
            yield path, {"type": kind, **{key: value for key, value in bounds.items() if value is not None}, **more}
        case Text():
            facts = {
                "minLength": shape.low,
                "maxLength": shape.high_in(version),
                "pattern": _pattern(shape.pattern_in(version)),
                "enum": list(shape.choices_in(version)),
            }
            yield path, {"type": "string", **{key: value for key, value in facts.items() if value}, **more}


IN_EMULATOR: Final[Mapping[str, tuple[str, ...]]] = {
    "the model takes any text, its description and our sheet list these (§3.2)": (
        "priorityClass enum: None | high, low, medium, medium-high, medium-low, very-high, very-low @2.22-2.24",
    ),
}


def test_emulator_checks_a_create_as_the_clients_models_of_each_release_do(vendor: dict[str, Release]) -> None:
    found: dict[str, list[str]] = {}
    for version, one in vendor.items():
        theirs = {path: facts for path, facts in told(one.create).items() if path not in EMULATED_APART}
        ours = theirs_required(theirs, dict(emulator_facts(SPEC, version)))
        for line in compare(theirs, ours, exactly=True):
            found.setdefault(line, []).append(version)
    check([f"{line} @{versions[0]}-{versions[-1]}" for line, versions in found.items()], IN_EMULATOR)


EMULATED_APART: Final = ("useGivenNameAsPrefix", "templateId")
"""Beside `spec` in the request: the emulator's shapes are of `spec`."""


def test_emulator_has_the_routes_of_each_release(vendor: dict[str, Release]) -> None:
    for version, one in vendor.items():
        ours = EMULATED[version]
        assert one.can["update"] is bool(ours.patch), version
        assert one.can["revisions"] is ours.revisions, version
        assert one.can["search"] is ours.search, version
        assert one.can["token_v2"] is ours.token_v2, version
        assert one.can["batch"] == list(ours.batch), version
        assert ("client_credentials" in one.can["grants"]) is ours.client_credentials, version
        keys = {path.partition(".")[0].partition("[")[0] for path in one.update}
        assert keys == {key for key, since in PATCHABLE.items() if ours.patch and has(version, since)}, version


def test_emulator_takes_the_grants_of_each_release(vendor: dict[str, Release], emulator: Emulator) -> None:
    every = sorted({grant for one in vendor.values() for grant in one.can["grants"]})
    with httpx.Client(base_url=emulator.connection["runai"]["endpoint"], trust_env=False) as http:
        for version, one in vendor.items():
            emulator.switch("runai", version=version)
            for grant in every:
                told = http.post("/api/v1/token", json={"grantType": grant}).json()["message"]
                assert ("Unsupported grant type" not in told) is (grant in one.can["grants"]), (version, grant)


def test_versions_of_the_kind_are_those_that_a_client_speaks_for() -> None:
    for older, newer in pairwise(RELEASES):
        assert release(older) < release(newer)
    setting = next(one for one in SETTINGS if one.name == "version")
    assert set(RELEASES) <= set(setting.choices)
