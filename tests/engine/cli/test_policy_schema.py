from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from mandate import share
from mandate.engine.errors import BadConfiguration
from mandate.engine.policy import editors
from mandate.engine.strict_yaml import load_file
from tests.organisation import Organisation, founded

CHECKOUT = Path(__file__).parents[3]
OF_THE_LIBRARY = ["people", "scope", "selection", "waivers"] + [
    f"thresholds/{file.stem}" for file in sorted((share.policies() / "thresholds").glob("*.yaml"))
]
NAMES = sorted(["mandate", *OF_THE_LIBRARY])


@pytest.fixture
def organisation(tmp_path: Path) -> Organisation:
    return founded(tmp_path)


def test_the_schemas_are_listed_by_name(organisation: Organisation) -> None:
    shown = organisation.mandate("policy", "schema")
    assert (shown.exit_code, sorted(shown.out.splitlines())) == (0, NAMES)
    assert sorted(organisation.mandate("policy", "schema", "--output", "json").json) == NAMES


@pytest.mark.parametrize("name", ["thresholds/fairness", "thresholds/fairness.yaml"])
def test_beside_the_library_a_schema_is_the_published_one(organisation: Organisation, name: str) -> None:
    shown = organisation.mandate("policy", "schema", name)
    published = CHECKOUT / "schemas/policies/thresholds/fairness.json"
    assert (shown.exit_code, shown.out) == (0, published.read_text())


def test_without_settings_the_library_alone_is_meant(tmp_path: Path) -> None:
    shown = Organisation(tmp_path).mandate("policy", "schema", "selection")
    assert shown.out == (CHECKOUT / "schemas/policies/selection.json").read_text()


def test_the_settings_have_one_too(organisation: Organisation) -> None:
    shown = organisation.mandate("policy", "schema", "mandate.yaml")
    assert shown.out == (CHECKOUT / "schemas/mandate.json").read_text()
    settings = load_file(organisation.folder / "mandate.yaml", BadConfiguration).value
    validator = Draft7Validator(shown.json)
    assert [error.message for error in validator.iter_errors(settings)] == []
    assert not validator.is_valid({**settings, "polcies": []})
    assert not validator.is_valid({**settings, "collectors": {"fairnes": {}}})
    assert not validator.is_valid({**settings, "collectors": {"performance": None}})
    fairness = shown.json["definitions"]["mandate__collectors__fairness__Options"]["properties"]
    assert fairness["sensitive"]["description"] == "Columns of sensitive attributes, in either table."


def test_rules_of_ones_own_are_in_the_schema_of_their_thresholds(organisation: Organisation) -> None:
    assert organisation.mandate("policy", "new", "fairness/odds", "--threshold", "0.1").exit_code == 0
    properties = organisation.mandate("policy", "schema", "thresholds/fairness").json["properties"]
    assert "demographic_parity_difference" in properties
    assert properties["odds"]["description"] == (
        "TODO: what this bounds and in which unit, who decided it, and where that is written.\n"
        "Now 0.1 (organisation/thresholds/fairness.yaml).\n"
        "Read by organisation/mandate/rules/fairness/odds/odds.rego."
    )


def test_a_schema_that_is_not_there_is_met_with_the_nearest_one(organisation: Organisation) -> None:
    shown = organisation.mandate("policy", "schema", "thresholds/fairnes")
    assert (shown.exit_code, shown.out) == (2, "")
    assert shown.err == (
        "error: NAME: there is no schema 'thresholds/fairnes'\n  → Write thresholds/fairness\n"
    )


def test_all_are_written_beside_the_ledger_for_an_editor(organisation: Organisation) -> None:
    shown = organisation.mandate("policy", "schema", "--write")
    folder = organisation.folder / ".mandate/schemas"
    assert (shown.exit_code, shown.err) == (0, "")
    assert shown.out == (
        f"wrote {len(NAMES)} schemas into {folder}/\n"
        "\n"
        "An editor with yaml-language-server (VS Code: the extension YAML) completes a file that begins\n"
        "with a line such as this one, which is fairness.yaml's:\n"
        "  # yaml-language-server: $schema=../../.mandate/schemas/thresholds/fairness.json\n"
        "\n"
        "Write them again when rules were added, or when Mandate was updated.\n"
    )
    written = [str(file.relative_to(folder).with_suffix("")) for file in folder.rglob("*.json")]
    assert sorted(written) == NAMES
    for name in OF_THE_LIBRARY:
        assert (folder / f"{name}.json").read_text() == (
            CHECKOUT / f"schemas/policies/{name}.json"
        ).read_text()


def test_programs_are_told_which_files_were_written(organisation: Organisation) -> None:
    files = organisation.mandate("policy", "schema", "--write", "--output", "json").json["files"]
    assert sorted(files) == NAMES
    assert all(json.loads(Path(file).read_text())["$schema"] for file in files.values())


def test_what_init_writes_names_a_schema_that_is_there(organisation: Organisation) -> None:
    first = (organisation.folder / "mandate.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=.mandate/schemas/mandate.json"
    schema = (organisation.folder / ".mandate/schemas/mandate.json").read_text()
    assert schema == (CHECKOUT / "schemas/mandate.json").read_text()


def test_the_line_that_a_new_file_begins_with_names_a_schema_that_is_written(
    organisation: Organisation,
) -> None:
    organisation.mandate("policy", "new", "fairness/odds")
    organisation.mandate("policy", "schema", "--write")
    file = organisation.folder / "policies/thresholds/fairness.yaml"
    schema = file.read_text().splitlines()[0].partition("$schema=")[2]
    assert (file.parent / schema).is_file()


def test_there_must_be_a_place_to_write_them(tmp_path: Path, organisation: Organisation) -> None:
    (elsewhere := tmp_path.parent / f"{tmp_path.name}-elsewhere").mkdir()
    shown = Organisation(elsewhere).mandate("policy", "schema", "--write")
    assert shown.exit_code == 2
    assert "there is no mandate.yaml to write them beside" in shown.err
    (organisation.folder / ".mandate/schemas/mandate.json").unlink()
    (organisation.folder / ".mandate/schemas").rmdir()
    (organisation.folder / ".mandate/schemas").write_text("")
    shown = organisation.mandate("policy", "schema", "--write")
    assert shown.exit_code == 2
    assert "the schemas cannot be written: " in shown.err


def test_all_of_them_and_one_of_them_cannot_both_be_meant(organisation: Organisation) -> None:
    shown = organisation.mandate("policy", "schema", "scope", "--write")
    assert shown.exit_code == 2
    assert "--write writes all of them: name none." in shown.err


@pytest.mark.parametrize(
    ("file", "schema"),
    [
        ("mandate.yaml", ".mandate/schemas/mandate.json"),
        ("policies/selection.yaml", "../.mandate/schemas/selection.json"),
        ("policies/thresholds/waivers.yaml", "../../.mandate/schemas/thresholds/waivers.json"),
        ("policies/waivers/credit.yaml", "../../.mandate/schemas/waivers.json"),
    ],
)
def test_a_file_names_its_schema_by_a_path_that_works_offline(file: str, schema: str) -> None:
    root = Path("/bank")
    assert editors.line(root / file, root / ".mandate") == f"# yaml-language-server: $schema={schema}"
