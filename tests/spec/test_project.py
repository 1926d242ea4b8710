"""`reconciler.yaml`: environments, provider settings, safety, and what it may name."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from reconciler.fields.setting import Setting
from reconciler.problems import Problem, SpecError
from reconciler.spec import Project, SecretRef, SourceFile, load_project, read_project_header

SETTINGS = {
    "toy": (
        Setting(name="projectId", type="string", doc="Project.", required=True, example="prj_demo"),
        Setting(name="apiKey", type="string", doc="Key.", secret=True, needs=("user",)),
        Setting(name="user", type="string", doc="User.", example="bot"),
        Setting(name="clusterId", type="uuid", doc="Cluster."),
        Setting(
            name="cluster", type="string", doc="By name.", required=True, alternatives=("clusterId",), example="main"
        ),
        Setting(name="iamEndpoint", type="url", doc="Log-in.", default="https://iam.example.com"),
        Setting(name="style", type="enum", doc="Style.", choices=("auto", "new"), default="auto"),
    )
}
HEAD = "apiVersion: reconciler/v1\nkind: Project\nmetadata: {name: shop}\nspec:\n"
FULL = "    toy: {type: toy, projectId: p, cluster: main%s}\n"


def project(spec: str, **options: Any) -> Project:
    found = {"environment": None, "settings": SETTINGS, **options}
    return load_project(SourceFile("reconciler.yaml", (HEAD + spec).encode()), **found)


def refused(spec: str, **options: Any) -> list[Problem]:
    with pytest.raises(SpecError) as caught:
        project(spec, **options)
    return list(caught.value.problems)


def provider(more: str) -> str:
    return "  secrets: [KEY]\n  providers:\n" + FULL % more


def test_settings_are_filled_in_with_times_in_seconds() -> None:
    config = project(provider(", requestTimeout: 1h30m, concurrency: 2.0")).providers["toy"]
    assert config.settings["requestTimeout"] == 5400.0
    assert config.settings["commitDelay"] == 60.0
    assert config.settings["concurrency"] == 2
    assert config.settings["iamEndpoint"] == "https://iam.example.com"
    assert not config.embedded


def test_an_embedded_provider_needs_nothing_and_waits_for_nothing() -> None:
    config = project("  providers: {toy: {type: toy, endpoint: emulator}}\n").providers["toy"]
    assert config.embedded
    assert (config.settings["commitDelay"], config.settings["listLag"], config.settings["style"]) == (0.0, 0.0, "auto")
    assert "iamEndpoint" not in config.settings


def test_a_credential_is_a_reference_and_its_text_is_shown_nowhere() -> None:
    config = project(provider(", user: bot, apiKey: '{{ secret(\"KEY\") }}'")).providers["toy"]
    assert config.settings["apiKey"] == SecretRef("KEY")
    problems = refused(provider(", user: bot, apiKey: hunter2"))
    assert [p.code for p in problems] == ["literal-secret"]
    assert "hunter2" not in repr(problems)


@pytest.mark.parametrize(
    ("more", "code", "near"),
    [
        (", clusterId: 1234", "bad-format", ""),
        (", endpoint: no uri", "bad-format", ""),
        (", endpoint: emulatr", "bad-format", "emulator"),
        (", endpoint: http://example.com", "bad-format", ""),
        (", endpoint: 'https://user:pw@example.com'", "bad-format", ""),
        (", requestTimeout: 20 minutes", "bad-format", ""),
        (", requestTimeout: 60", "bad-format", ""),
        (", styl: auto", "unknown-field", "style"),
        (", style: atuo", "not-allowed", "auto"),
        (", concurrency: true", "wrong-type", ""),
        (", concurrency: 0", "wrong-type", ""),
        (", user: 010, apiKey: '{{ secret(\"KE\") }}'", "unknown-secret", "KEY"),
        (", user: 1.10", "wrong-type", ""),
        (", apiKey: '{{ secret(\"KEY\") }}'", "missing-field", ""),
        (", user: '{{ secret(\"KEY\") }}'", "wrong-type", ""),
        (", user: '{{ values.x }}'", "undefined-name", ""),
        (", prices: {unit: EUR}", "wrong-type", ""),
        (", prices: {unit: EUR, perHour: {x: cheap}}", "wrong-type", ""),
    ],
)
def test_a_wrong_setting_is_told_with_what_would_be_right(more: str, code: str, near: str) -> None:
    problems = refused(provider(more))
    assert [(p.code, p.nearest) for p in problems] == [(code, near)], [str(p) for p in problems]
    assert problems[0].origin is not None
    assert problems[0].origin.line == 7


def test_plain_http_is_for_loopback() -> None:
    assert project(provider(", endpoint: 'http://127.0.0.1:8080'")).providers["toy"].settings["endpoint"]


def test_prices_are_exact() -> None:
    prices = (
        project(provider(', prices: {unit: EUR, perHour: {a: 0.10, b: "2.5"}}')).providers["toy"].settings["prices"]
    )
    assert prices.per_hour == {"a": Decimal("0.10"), "b": Decimal("2.5")}


def test_missing_settings_are_named_but_not_beside_their_misspelling() -> None:
    assert [p.wrong for p in refused("  providers: {toy: {type: toy}}\n")] == [
        "provider toy: 'projectId' is missing",
        "provider toy: 'cluster' is missing",
    ]
    assert [p.code for p in refused("  providers: {toy: {type: toy, projctId: p, cluster: c}}\n")] == ["unknown-field"]


def test_an_environment_changes_providers_and_values() -> None:
    spec = (
        provider("")
        + "  values: {a: 1, b: 1}\n  environments: {dev: , prod: {values: {b: 2}, providers: {toy: {projectId: q}}}}\n"
    )
    found = project(spec, environment="prod")
    assert found.owner == "shop/prod"
    assert found.values == {"a": 1, "b": 2}
    assert found.providers["toy"].settings["projectId"] == "q"
    assert found.providers["toy"].settings["cluster"] == "main"


def test_a_misspelt_environment_lists_the_real_ones() -> None:
    problems = refused(provider("") + "  environments: {dev: , prod: }\n", environment="prodd")
    assert [(p.code, p.nearest) for p in problems] == [("unknown-environment", "prod")]
    assert "dev, prod" in problems[0].expected


def test_an_environment_must_be_chosen_when_there_are_some() -> None:
    assert [p.code for p in refused(provider("") + "  environments: {dev: }\n")] == ["environment-needed"]
    assert project(provider("") + "  environments: {dev: }\n  defaultEnvironment: dev\n").environment == "dev"
    assert project(provider("")).owner == "shop"


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ("  resources: [../other]\n", "path-outside"),
        ("  resources: [/etc]\n", "path-outside"),
        ("  resources: ['C:/x']\n", "path-outside"),
        ("  ledger: {type: sqlite, path: ../l.db}\n", "path-outside"),
        ("  ledger: {type: mysql}\n", "not-allowed"),
        ("  safety: {maxDeletes: 101%}\n", "bad-pattern"),
        ("  safety: {maxDeletes: true}\n", "wrong-type"),
        ("  safety: {windows: [{from: 22:00, to: 24:00}]}\n", "bad-pattern"),
        ("  safety: {windows: [{from: 22:00}]}\n", "missing-field"),
        ("  safety: {windows: [{from: 22:00, to: 04:00, days: [saturday]}]}\n", "not-allowed"),
        ("  safety: {windows: [{from: 22:00, to: 04:00, timezone: Europe/Berln}]}\n", "unknown-timezone"),
        ("  safety: {windows: [{from: 22:00, to: 04:00, timezone: ../../etc/passwd}]}\n", "unknown-timezone"),
        ("  defaultEnvironment: prod\n", "unknown-environment"),
        ("  environments: {Prod_1: }\n", "bad-pattern"),
        ("  valus: {}\n", "unknown-field"),
        ("  values: {a: 1, a: 2}\n", "duplicate-key"),
        ("  environments: {p: {providers: {other: {projectId: x}}}}\n  defaultEnvironment: p\n", "unknown-provider"),
    ],
)
def test_a_wrong_project_is_refused(spec: str, code: str) -> None:
    assert [p.code for p in refused(provider("") + spec)] == [code]


@pytest.mark.parametrize("text", ["", "[1]", "hello", "a: 1\n---\nb: 2\n", "\t", "spec: {providers: {x: {type: y}}}"])
def test_what_is_no_project_is_refused_with_a_place(text: str) -> None:
    with pytest.raises(SpecError) as caught:
        read_project_header(SourceFile("reconciler.yaml", text.encode()))
    assert all(problem.origin is not None for problem in caught.value.problems)


def test_the_header_tells_what_to_read_and_where_it_was_written() -> None:
    header = read_project_header(
        SourceFile("reconciler.yaml", (HEAD + provider("") + "  resources: [a/, b.yaml]\n").encode())
    )
    assert [(path, str(origin)) for path, origin in header.resources] == [
        ("a/", "reconciler.yaml:8:15"),
        ("b.yaml", "reconciler.yaml:8:19"),
    ]
    default = read_project_header(SourceFile("reconciler.yaml", (HEAD + provider("")).encode()))
    assert default.resources == (("resources/", None),)


def test_safety_is_a_count_or_a_share() -> None:
    assert project(provider("")).safety.max_deletes.count == 10
    assert project(provider("") + "  safety: {maxDeletes: 3.0}\n").safety.max_deletes.count == 3
    assert project(provider("") + "  safety: {maxDeletes: 20%}\n").safety.max_deletes.percent == 20


def test_an_environments_limits_take_the_place_of_the_projects() -> None:
    base = "  safety: {maxDeletes: 3, windows: [{days: [sat], from: 22:00, to: 04:00, timezone: Europe/Berlin}]}\n"
    variants = "  environments: {dev: {safety: {windows: []}}, prod: {safety: {maxDeletes: 20%}}}\n"
    dev, prod = (project(provider("") + base + variants, environment=name).safety for name in ("dev", "prod"))
    assert (dev.max_deletes.count, dev.windows) == (3, ())
    assert prod.max_deletes.percent == 20
    (window,) = prod.windows
    assert (window.begin, window.end) == (dt.time(22), dt.time(4))
    assert (window.days, window.timezone, str(window.origin)[:17]) == (("sat",), "Europe/Berlin", "reconciler.yaml:8")


def test_a_misspelt_time_zone_is_told_with_the_nearest() -> None:
    (problem,) = refused(provider("") + "  safety: {windows: [{from: 22:00, to: 04:00, timezone: Europe/Berln}]}\n")
    assert (problem.nearest, str(problem.origin)) == ("Europe/Berlin", "reconciler.yaml:8:57")


def test_a_secret_needs_a_name_that_can_be_a_variable() -> None:
    assert [p.code for p in refused(provider("").replace("[KEY]", "['a b']"))] == ["bad-pattern"]
