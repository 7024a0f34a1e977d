"""SARIF, JUnit XML and Markdown: what code hosts and CI show of an answer."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import jsonschema
import pytest
from markdown_it import MarkdownIt

from tests.organisation import GOOD, Organisation, founded, good, with_value

SCHEMA = json.loads((Path(__file__).parents[1] / "policy/sarif-2.1.0.json").read_text(encoding="utf-8"))
UNFAIR = with_value(GOOD, ("fairness", "attributes", 0, "metrics", 0, "value"), 0.9)
FAILED = [{"name": "drift", "status": "failed", "reason": "its [table](x) is gone", "source": ""}]
UNDECIDED = good(collection=[entry for entry in GOOD["collection"] if entry["name"] != "drift"] + FAILED)


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Organisation:
    folder = tmp_path_factory.mktemp("bank")
    organisation = founded(folder, trusting=True)
    with (folder / "mandate.yaml").open("a") as file:
        file.write("\ndocumentation: https://policies.bank.example\n")
    return organisation


def written(bank: Organisation, document: Any, form: str, *arguments: str) -> tuple[int, str]:
    (bank.folder / "input.json").write_text(json.dumps(document))
    ran = bank.mandate("check", "--input", "input.json", "--output", form, *arguments)
    return ran.exit_code, ran.out


def sarif(bank: Organisation, document: Any) -> tuple[int, Any]:
    code, text = written(bank, document, "sarif")
    log = json.loads(text)
    jsonschema.validate(log, SCHEMA)
    return code, log["runs"][0]


def test_sarif_has_a_result_for_what_stands_against_it(bank: Organisation) -> None:
    code, run = sarif(bank, UNFAIR)
    (result,) = run["results"]
    assert (code, result["ruleId"], result["level"]) == (1, "fairness.demographic_parity", "error")
    assert "afam measured 0.9" in result["message"]["text"]
    assert result["locations"] == [
        {"logicalLocations": [{"name": "afam", "fullyQualifiedName": "models:/credit/2 afam"}]}
    ]
    rule = run["tool"]["driver"]["rules"][result["ruleIndex"]]
    assert rule["id"] == "fairness.demographic_parity"
    assert rule["helpUri"].startswith("https://policies.bank.example/rules/fairness/demographic_parity.html")
    newest = bank.entries()[-1]
    assert (run["properties"]["decision"], run["properties"]["outcome"]) == (newest["id"], "deny")
    assert run["automationDetails"] == {"id": "mandate/promote/production/"}
    assert run["invocations"] == [{"executionSuccessful": True, "toolExecutionNotifications": []}]


def test_sarif_of_an_allow_has_no_result(bank: Organisation) -> None:
    code, run = sarif(bank, GOOD)
    assert (code, run["results"], run["properties"]["outcome"]) == (0, [], "allow")


def test_sarif_of_what_nobody_could_decide_is_a_failed_invocation(bank: Organisation) -> None:
    code, run = sarif(bank, UNDECIDED)
    (invocation,) = run["invocations"]
    assert (code, invocation["executionSuccessful"]) == (3, False)
    assert r"its \[table\](x) is gone" in invocation["toolExecutionNotifications"][0]["message"]["text"]


def junit(bank: Organisation, document: Any, *arguments: str) -> tuple[int, Xml.Element]:
    code, text = written(bank, document, "junit", *arguments)
    (suite,) = Xml.fromstring(text.encode())  # noqa: S314  (ours)
    return code, suite


def counts(suite: Xml.Element) -> dict[str, int]:
    return {name: int(suite.get(name, "")) for name in ("failures", "errors")}


def test_junit_fails_for_each_term_that_blocks(bank: Organisation) -> None:
    code, suite = junit(bank, UNFAIR)
    assert (code, counts(suite)) == (1, {"failures": 1, "errors": 0})
    assert suite.get("name") == "promote models:/credit/2 to production"
    (case,) = [case for case in suite.iter("testcase") if case.find("failure") is not None]
    failure = case.find("failure")
    assert failure is not None
    assert (case.get("classname"), case.get("name")) == ("fairness.demographic_parity", "afam")
    assert failure.get("type") == "violation"
    assert "https://policies.bank.example/rules/fairness" in (failure.text or "")
    properties = {each.get("name"): each.get("value") for each in suite.iter("property")}
    assert properties["outcome"] == "deny"
    assert properties["decision"] == bank.entries()[-1]["id"]


def test_junit_of_an_allow_is_green_and_of_an_undecided_is_not(bank: Organisation) -> None:
    code, suite = junit(bank, GOOD, "--what-if")
    assert (code, counts(suite)) == (0, {"failures": 0, "errors": 0})
    assert suite.get("name") == "what if: promote models:/credit/2 to production"
    assert int(suite.get("tests", "")) > int(suite.get("skipped", ""))
    code, suite = junit(bank, UNDECIDED)
    assert (code, counts(suite)["errors"]) == (3, 1)


def test_a_name_that_no_xml_can_hold_is_escaped(bank: Organisation) -> None:
    named = with_value(UNFAIR, ("fairness", "attributes", 0, "name"), "a\x00\x1b]<b>&\ufffe")
    _, suite = junit(bank, named)
    names = [case.get("name") for case in suite.iter("testcase")]
    assert r"a\x00\x1b]<b>&\ufffe" in names


@pytest.mark.parametrize(
    ("document", "verdict"), [(GOOD, "ALLOW"), (UNFAIR, "DENY"), (UNDECIDED, "UNDECIDED")]
)
def test_markdown_says_the_verdict_and_names_the_evidence(
    bank: Organisation, document: Any, verdict: str
) -> None:
    _, text = written(bank, document, "markdown", "--verbose")
    heading, *lines = text.splitlines()
    assert f"{verdict}: credit version 2" in heading
    assert any(bank.entries()[-1]["id"].replace("-", "\\-") in line for line in lines)
    assert ("table" in text) == (verdict == "UNDECIDED")


def test_markdown_of_a_what_if_says_that_nothing_is_allowed(bank: Organisation) -> None:
    _, text = written(bank, GOOD, "markdown", "--what-if")
    assert text.startswith("## What if: ✅ ALLOW")
    assert "nothing is allowed by it" in text


def test_markdown_of_names_from_outside_is_text(bank: Organisation) -> None:
    named = with_value(UNFAIR, ("fairness", "attributes", 0, "name"), "<img src=x> [a](http://b) @root | `c`")
    _, text = written(bank, named, "markdown")
    html = MarkdownIt("commonmark").enable("table").render(text)
    assert "<img" not in html
    assert 'href="http://b"' not in html
    assert '<a href="https://policies.bank.example/rules/fairness/demographic_parity.html' in html


def test_what_is_waived_is_shown_as_that(tmp_path: Path) -> None:
    organisation = founded(tmp_path, trusting=True)
    today = datetime.now(UTC).date()
    (tmp_path / "policies/waivers").mkdir()
    (tmp_path / "policies/waivers/credit.yaml").write_text(
        '- rule: fairness.demographic_parity:afam\n  subject: {name: credit, version: "2"}\n'
        "  reason: The sample was unequal\n  reference: MRM-120 [1]\n  approver: rita@bank.example\n"
        f"  effective_on: {today - timedelta(days=9)}\n  expires: {today + timedelta(days=9)}\n"
    )
    code, run = sarif(organisation, UNFAIR)
    (result,) = run["results"]
    assert (code, result["suppressions"]) == (
        0,
        [{"kind": "external", "justification": r"MRM-120 \[1\]"}],
    )
    _, suite = junit(organisation, UNFAIR)
    assert counts(suite) == {"failures": 0, "errors": 0}
    _, text = written(organisation, UNFAIR, "markdown")
    assert "### Waived" in text


def test_junit_shows_what_does_not_apply_as_skipped_and_warnings_as_output(bank: Organisation) -> None:
    _, suite = junit(bank, GOOD, "--action", "monitor")
    skipped = [case for case in suite.iter("testcase") if case.find("skipped") is not None]
    assert skipped
    assert {case.get("name") for case in skipped} == {"*"}
    small = with_value(GOOD, ("fairness", "attributes", 0, "groups", 0, "size"), 50)
    code, suite = junit(bank, small)
    told = [each.text or "" for each in suite.iter("system-out")]
    assert (code, counts(suite)) == (0, {"failures": 0, "errors": 0})
    assert told
    assert all(text.startswith("warning: ") for text in told)
    _, text = written(bank, small, "markdown")
    assert "### Warnings" in text
