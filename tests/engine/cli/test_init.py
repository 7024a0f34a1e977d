from __future__ import annotations

from pathlib import Path

import pytest

from tests.organisation import Organisation, founded


def test_a_new_organisation_can_judge_at_once(tmp_path: Path) -> None:
    organisation = founded(tmp_path)
    shown = organisation.mandate("doctor")
    assert shown.exit_code == 0, shown.out
    assert "OPA answers at a socket of its own" in shown.out


def test_the_key_is_its_owners_alone_and_out_of_version_control(tmp_path: Path) -> None:
    founded(tmp_path)
    assert (tmp_path / ".mandate/keys/signing.pem").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / ".mandate/.gitignore").read_text().splitlines()[-1] == "*"


def test_init_never_overwrites(tmp_path: Path) -> None:
    organisation = founded(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    again = organisation.mandate("init", "--name", "other.example")
    assert again.exit_code == 2
    assert "it exists already, and init never overwrites" in again.err
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("name", ['quoted"name"', "yaml:{", "{name}", "ünïcode"])
def test_any_ledger_name_survives_the_settings_file(tmp_path: Path, name: str) -> None:
    organisation = Organisation(tmp_path)
    assert organisation.mandate("init", "--name", name).exit_code == 0
    shown = organisation.mandate("ledger", "verify")
    assert shown.exit_code == 0, shown.err
    assert f"1 entries of {name}" in shown.out


@pytest.mark.parametrize("name", ["", "two words", "two\nlines", "a+b"])
def test_a_name_that_cannot_be_one_leaves_nothing_in_the_way(tmp_path: Path, name: str) -> None:
    organisation = Organisation(tmp_path)
    refused = organisation.mandate("init", "--name", name)
    assert refused.exit_code == 2
    assert "is no name for a ledger" in refused.err
    assert organisation.mandate("init", "--name", "bank.example/models").exit_code == 0
