from __future__ import annotations

from pathlib import Path

import pytest

from mandate.engine.configuration import Configuration, find, load
from mandate.engine.errors import BadConfiguration
from mandate.engine.input.base import Frozen


def configured(folder: Path, text: str = "ledger: {name: bank}\n", **overrides: object) -> Configuration:
    file = folder / "mandate.yaml"
    file.write_text(text)
    return load(file, environment={}, **overrides)  # type: ignore[arg-type]


def test_what_the_file_does_not_say_has_a_default(tmp_path: Path) -> None:
    settings = configured(tmp_path).settings
    assert settings.policies == ["library", "policies"]
    assert settings.opa.url is None
    assert settings.opa.timeout == 10
    assert settings.registry.tracking_uri == "sqlite:///mlflow.db"


def test_flags_override_the_environment_and_that_the_file(tmp_path: Path) -> None:
    text = "ledger: {name: bank}\nopa: {timeout: 1, url: http://file}\nmodels: {credit: {risk_tier: low}}\n"
    file = tmp_path / "mandate.yaml"
    file.write_text(text)
    environment = {"MANDATE_OPA__TIMEOUT": "2", "MANDATE_OPA__URL": "http://environment", "OTHER": "x"}
    settings = load(file, environment=environment, overrides=["opa.timeout=3.5"]).settings
    assert settings.opa.timeout == 3.5
    assert settings.opa.url == "http://environment"
    assert settings.models["credit"].risk_tier == "low"


def test_an_override_may_be_json(tmp_path: Path) -> None:
    settings = configured(
        tmp_path, overrides=['policies=["library"]', "collectors.drift.columns=[1]"]
    ).settings
    assert settings.policies == ["library"]
    assert settings.collectors == {"drift": {"columns": [1]}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ledgr: {name: bank}\n", "mandate.yaml:1: ledgr is not a setting. Write ledger."),
        (
            "ledger: {name: bank}\nopa:\n  tiemout: 1\n",
            "mandate.yaml:3: opa.tiemout is not a setting. Write timeout.",
        ),
        (
            "ledger: {name: bank}\nmodels:\n  credit: {risk_teir: low}\n",
            "mandate.yaml:3: models.credit.risk_teir is not a setting. Write risk_tier.",
        ),
        ("opa: {}\n", "mandate.yaml:1: ledger is missing. Add ledger."),
        ("", "mandate.yaml:1: ledger is missing. Add ledger."),
        ("- ledger\n", "mandate.yaml: it must be a mapping of settings."),
        (
            "ledger: {name: bank}\nopa: {timeout: soon}\n",
            "mandate.yaml:2: opa.timeout: input should be a valid number, unable to parse string",
        ),
        (
            "ledger: {name: bank}\nledger: {name: bank}\n",
            "mandate.yaml:2: 'ledger' is already set in line 1.",
        ),
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadConfiguration) as caught:
        configured(tmp_path, text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("opa.timeout", "--set opa.timeout: it must be NAME=VALUE, such as opa.timeout=2. Correct it."),
        ("=1", "--set =1: it must be NAME=VALUE, such as opa.timeout=2. Correct it."),
        ("oap.timeout=1", "--set oap.timeout: oap is not a setting. Write opa."),
        ("ledger.name.deeper=1", "--set ledger.name.deeper: name is not a group of settings. Correct it."),
    ],
)
def test_a_mistake_in_a_flag_is_named(tmp_path: Path, override: str, message: str) -> None:
    with pytest.raises(BadConfiguration) as caught:
        configured(tmp_path, overrides=[override])
    assert message in str(caught.value)


def test_a_misspelt_environment_variable_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "mandate.yaml"
    file.write_text("ledger: {name: bank}\n")
    with pytest.raises(
        BadConfiguration, match="the environment variable MANDATE_OAP__URL: oap is not a setting"
    ):
        load(file, environment={"MANDATE_OAP__URL": "x"})


def test_a_collectors_options_are_checked_where_they_stand(tmp_path: Path) -> None:
    class Options(Frozen):
        current: str

    configuration = configured(tmp_path, "ledger: {name: bank}\ncollectors:\n  drift:\n    curent: x\n")
    with pytest.raises(BadConfiguration) as caught:
        configuration.options("drift", Options)
    assert "mandate.yaml:4: collectors.drift.curent is not a setting. Write current." in str(caught.value)


def test_the_nearest_file_above_is_found_and_paths_are_relative_to_it(tmp_path: Path) -> None:
    configuration = configured(tmp_path)
    below = tmp_path / "a/b"
    below.mkdir(parents=True)
    assert find(below) == configuration.file
    assert configuration.path("x/y") == tmp_path / "x/y"
    assert configuration.state == tmp_path / ".mandate"
