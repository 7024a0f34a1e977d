from __future__ import annotations

import json
from pathlib import Path

import jsonschema

from mandate.engine.policy.problems import Level, Problem
from mandate.engine.policy.sarif import sarif

SCHEMA = json.loads((Path(__file__).parent / "sarif-2.1.0.json").read_text(encoding="utf-8"))


def test_places_are_relative_to_the_repository_or_absolute(tmp_path: Path) -> None:
    repository, library = tmp_path / "bank", tmp_path / "library"
    for folder in (repository / ".git", repository / "our policies", library):
        folder.mkdir(parents=True)
    problems = [
        Problem("regal", "style/todo-comment", Level.ERROR, "mandate/main/main.rego:3", "a", "Do a"),
        Problem("opa-fmt", "format", Level.ERROR, "organisation/mandate/lib/a b.rego", "it is so", "Do b"),
        Problem("deadlines", "waiver-expired", Level.WARNING, "waivers/x.yaml:7", "c", ""),
        Problem("regal", "missing", Level.WARNING, "", "d", "Do d"),
    ]
    roots = [library, repository / "our policies"]
    log = sarif(problems, roots, version="1.2.3", around=repository / "our policies")
    jsonschema.validate(log, SCHEMA)
    (run,) = log["runs"]
    assert run["tool"]["driver"]["semanticVersion"] == "1.2.3"
    assert run["originalUriBaseIds"] == {"SRCROOT": {"uri": f"{repository.as_uri()}/"}}
    assert [
        (result["ruleId"], result["level"], result["message"]["text"], result.get("locations"))
        for result in run["results"]
    ] == [
        (
            "regal/style/todo-comment",
            "error",
            "A. Do a.",
            [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": (library / "mandate/main/main.rego").as_uri()},
                        "region": {"startLine": 3},
                    }
                }
            ],
        ),
        (
            "opa-fmt/format",
            "error",
            "It is so. Do b.",
            [
                {
                    "physicalLocation": {
                        "artifactLocation": {
                            "uri": "our%20policies/mandate/lib/a%20b.rego",
                            "uriBaseId": "SRCROOT",
                        }
                    }
                }
            ],
        ),
        (
            "deadlines/waiver-expired",
            "warning",
            "C.",
            [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": (library / "waivers/x.yaml").as_uri()},
                        "region": {"startLine": 7},
                    }
                }
            ],
        ),
        ("regal/missing", "warning", "D. Do d.", None),
    ]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [
        "deadlines/waiver-expired",
        "opa-fmt/format",
        "regal/missing",
        "regal/style/todo-comment",
    ]


def test_what_a_bundle_carries_has_no_place_but_the_bundle(tmp_path: Path) -> None:
    bundle = tmp_path / "policies.tar.gz"
    bundle.touch()
    problem = Problem("deadlines", "waiver-expired", Level.WARNING, "organisation/waivers/x.yaml:7", "c")
    log = sarif([problem], [bundle], version="1.2.3", around=tmp_path)
    (location,) = log["runs"][0]["results"][0]["locations"]
    assert location["physicalLocation"]["artifactLocation"] == {"uri": bundle.name, "uriBaseId": "SRCROOT"}


def test_a_folder_that_git_does_not_keep_is_the_root_itself(tmp_path: Path) -> None:
    log = sarif([], [tmp_path], version="1.2.3", around=tmp_path)
    jsonschema.validate(log, SCHEMA)
    assert log["runs"][0]["originalUriBaseIds"] == {"SRCROOT": {"uri": f"{tmp_path.as_uri()}/"}}


def test_what_policies_say_links_nowhere(tmp_path: Path) -> None:
    title = Problem("regal", "a", Level.ERROR, "", r"see [this](https://evil.example) \\", "")
    (result,) = sarif([title], [tmp_path], version="1.2.3", around=tmp_path)["runs"][0]["results"]
    assert result["message"]["text"] == r"See \[this\](https://evil.example) \\\\."
