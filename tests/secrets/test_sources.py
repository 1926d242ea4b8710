"""Where secret values come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.problems import SpecError
from reconciler.secrets.redact import Redactor
from reconciler.secrets.sources import SecretSources


def sources(
    environ: dict[str, str] | None = None,
    folder: Path | None = None,
    *,
    demo: bool = False,
    allowed: tuple[str, ...] = ("HF_TOKEN", "NB_PASSWORD"),
) -> SecretSources:
    return SecretSources(allowed=frozenset(allowed), environ=environ or {}, folder=folder, demo=demo)


def test_the_environment_comes_before_the_folder(tmp_path: Path) -> None:
    (tmp_path / "HF_TOKEN").write_text("from-file")
    assert sources({"HF_TOKEN": "from-environment"}, tmp_path).resolve("HF_TOKEN") == "from-environment"
    assert sources({}, tmp_path).resolve("HF_TOKEN") == "from-file"


@pytest.mark.parametrize(
    ("content", "value"),
    [
        pytest.param(b"0012\n", "0012", id="a final line break is dropped and digits stay text"),
        pytest.param(b"a\r\n", "a", id="a Windows line break is one"),
        pytest.param(b"a\n\n", "a\n", id="only one is dropped"),
        pytest.param(b" a ", " a ", id="blanks stay"),
        pytest.param("grüße".encode(), "grüße", id="text beyond ASCII stays"),
    ],
)
def test_a_file_is_the_value_but_for_one_line_break(tmp_path: Path, content: bytes, value: str) -> None:
    (tmp_path / "HF_TOKEN").write_bytes(content)
    assert sources({}, tmp_path).resolve("HF_TOKEN") == value


@pytest.mark.parametrize("environ", [{}, {"HF_TOKEN": ""}], ids=["unset", "empty, as CI leaves it"])
def test_a_secret_that_is_set_nowhere_names_both_places(tmp_path: Path, environ: dict[str, str]) -> None:
    with pytest.raises(
        SpecError, match=r"environment variable HF_TOKEN.*file HF_TOKEN.*RECONCILER_SECRETS_DIR"
    ) as caught:
        sources(environ, tmp_path).resolve("HF_TOKEN")
    assert caught.value.problems[0].code == "secret-missing"


@pytest.mark.parametrize(
    "bundle",
    [
        pytest.param("# of the account\n\nNB_PASSWORD=x=y \r\n HF_TOKEN =hf_1\n", id="lines"),
        pytest.param('{"NB_PASSWORD": "x=y ", "HF_TOKEN": "hf_1"}', id="one JSON object"),
    ],
)
def test_a_bundle_holds_many_and_comes_between_variable_and_file(tmp_path: Path, bundle: str) -> None:
    (tmp_path / "HF_TOKEN").write_text("from-file")
    found = sources({"RECONCILER_SECRETS": bundle}, tmp_path)
    assert [found.resolve(name) for name in ("NB_PASSWORD", "HF_TOKEN")] == ["x=y ", "hf_1"]
    assert sources({"RECONCILER_SECRETS": bundle, "HF_TOKEN": "own"}).resolve("HF_TOKEN") == "own"


@pytest.mark.parametrize(
    "bundle", ["HF_TOKEN=a\nhunter22", "hunter22", '{"HF_TOKEN": 1, "x": "hunter22"}', '{"HF_TOKEN": "hunter22"']
)
def test_a_bundle_that_is_none_is_an_error_that_shows_nothing_of_it(bundle: str) -> None:
    with pytest.raises(SpecError) as caught:
        sources({"RECONCILER_SECRETS": bundle}).resolve("NB_PASSWORD")
    assert caught.value.problems[0].code == "secret-unreadable"
    assert "hunter22" not in str(caught.value)


def test_missing_names_what_is_set_nowhere_and_gives_no_value_away(tmp_path: Path) -> None:
    (tmp_path / "NB_PASSWORD").write_text("hunter22")
    found = sources({}, tmp_path)
    assert found.missing(["NB_PASSWORD", "HF_TOKEN", "HF_TOKEN"]) == ["HF_TOKEN"]
    assert [problem.code for problem in found.problems(["NB_PASSWORD", "HF_TOKEN"])] == ["secret-missing"]
    assert found.known_values() == {}


def test_the_emulator_gets_demo_values_with_one_note() -> None:
    found = sources(demo=True)
    assert found.missing(["HF_TOKEN"]) == []
    assert not found.notes
    assert [found.resolve(name) for name in ("NB_PASSWORD", "HF_TOKEN", "HF_TOKEN")][1:] == ["demo-HF_TOKEN"] * 2
    assert found.notes == ("set nowhere, so that the emulator gets demo-<NAME>: HF_TOKEN, NB_PASSWORD",)


def test_a_name_that_the_project_does_not_list_is_never_read(tmp_path: Path) -> None:
    (tmp_path / "PATH").write_text("leak")
    with pytest.raises(SpecError, match="secret-not-listed"):
        sources({"PATH": "leak"}, tmp_path, demo=True).resolve("PATH")
    with pytest.raises(SpecError, match="did you mean 'HF_TOKEN'"):
        sources({}, tmp_path).resolve("HF_TOKN")


def test_a_listed_name_can_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("leak")
    inside = tmp_path / "secrets"
    inside.mkdir()
    with pytest.raises(SpecError, match="secret-not-listed"):
        sources({}, inside, allowed=("../outside",)).resolve("../outside")


def test_what_is_not_text_is_an_error_without_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "HF_TOKEN").write_bytes(b"canary\xff")
    for found in (sources({}, tmp_path), sources({"HF_TOKEN": "canary\udcff"})):
        with pytest.raises(SpecError, match="secret-unreadable") as caught:
            found.resolve("HF_TOKEN")
        assert "canary" not in str(caught.value)
        assert caught.value.__suppress_context__
    (tmp_path / "NB_PASSWORD").mkdir()
    with pytest.raises(SpecError, match="secret-unreadable"):
        sources({}, tmp_path).resolve("NB_PASSWORD")


def test_a_value_is_hidden_before_it_is_given_out() -> None:
    redactor = Redactor()
    found = SecretSources(
        allowed=frozenset({"HF_TOKEN"}), environ={"HF_TOKEN": "hf_CANARY"}, folder=None, on_resolve=redactor.add
    )
    value = found.resolve("HF_TOKEN")
    assert redactor.redact(f"bad token {value}") == "bad token (secret)"
    assert found.known_values() == {"HF_TOKEN": "hf_CANARY"}
    assert "CANARY" not in repr(found) + repr(redactor)
