"""`mandate check --request-key` and `--what-if`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mandate import composition
from mandate.engine import configuration
from tests.organisation import FIRST, GOOD, Organisation, founded, with_value

UNFAIR = with_value(GOOD, ("fairness", "attributes", 0, "metrics", 0, "value"), 0.9)


@pytest.fixture
def organisation(tmp_path: Path) -> Organisation:
    return founded(tmp_path, trusting=True)


def test_a_question_that_is_asked_again_under_its_key_gets_the_same_answer(
    organisation: Organisation,
) -> None:
    first = organisation.check(GOOD, "--request-key", "build-7")
    # The policies are others now, and would deny: it is not judged again.
    (organisation.folder / "policies/thresholds/performance.yaml").write_text(
        "minimum: {accuracy: {default: 1}}\n"
    )
    again = organisation.check(GOOD, "--request-key", "build-7")
    assert (again.exit_code, again.json) == (0, first.json)
    assert [entry["id"] for entry in organisation.decisions()] == [first.json["id"]]
    other = organisation.check(GOOD, "--request-key", "build-8")
    assert (other.exit_code, other.json["id"] != first.json["id"]) == (1, True)


@pytest.mark.parametrize(
    ("document", "arguments"),
    [
        (UNFAIR, ()),
        (GOOD, ("--action", "deploy")),
        (GOOD, ("--environment", "staging")),
        (GOOD, ("--what-if",)),
    ],
)
def test_another_question_under_the_same_key_is_a_bad_request(
    organisation: Organisation, document: object, arguments: tuple[str, ...]
) -> None:
    assert organisation.check(GOOD, "--request-key", "build-7").exit_code == 0
    refused = organisation.check(document, "--request-key", "build-7", *arguments)
    assert refused.exit_code == 2
    error = refused.json["error"]
    assert error["what"] == f"'check:build-7' is the request key of another question, in entry {FIRST}"
    assert error["next_step"] == "Give each question a request key of its own"
    assert len(organisation.decisions()) == 1


def test_a_key_never_stands_for_something_else_that_is_recorded_once(organisation: Organisation) -> None:
    assert organisation.check(GOOD).exit_code == 0
    (release,) = [entry for entry in organisation.entries() if "policy-release" in entry["kind"]]
    key = f"policy-release:{release['revision']}"
    assert organisation.check(GOOD, "--request-key", key).exit_code == 0


def test_a_key_has_a_length_that_can_be_kept(organisation: Organisation) -> None:
    assert organisation.check(GOOD, "--request-key", "k" * 500).exit_code == 0
    refused = organisation.check(GOOD, "--request-key", "k" * 600)
    assert refused.exit_code == 2
    assert "it is longer than 500 characters" in refused.err


def test_a_what_if_is_recorded_as_no_more_than_that(organisation: Organisation, tmp_path: Path) -> None:
    asked = organisation.check(GOOD, "--what-if")
    assert (asked.exit_code, asked.json["outcome"], asked.json["what_if"]) == (0, "allow", True)
    assert organisation.decisions() == []
    entry = organisation.entries()[-1]
    assert (entry["id"], entry["kind"]) == (
        asked.json["id"],
        "https://mandate.dev/attestations/what-if/v1",
    )
    assert organisation.check(UNFAIR, "--what-if").exit_code == 1
    explained = organisation.mandate("explain", asked.json["id"], "--output", "json")
    assert explained.json == asked.json
    text = organisation.mandate("explain", asked.json["id"]).out
    assert text.splitlines()[1:3] == [
        " WHAT IF: ALLOW   credit version 2  promote · production · risk tier unknown",
        " What would be decided, and no more: nothing is allowed by this answer.",
    ]
    assert organisation.mandate("ledger", "verify").exit_code == 0
    replayed = organisation.mandate("replay", asked.json["id"])
    assert (replayed.exit_code, "this entry is no decision" in replayed.err) == (2, True)


def test_no_attestation_says_that_a_what_if_passed(organisation: Organisation, tmp_path: Path) -> None:
    assert organisation.check(GOOD, "--what-if", "--attest", str(tmp_path / "attested")).exit_code == 0
    assert [file.name for file in (tmp_path / "attested").iterdir()] == ["decision.sigstore.json"]


def test_facts_that_were_gathered_for_a_what_if_make_no_decision(organisation: Organisation) -> None:
    (organisation.folder / "good.json").write_text(json.dumps(GOOD))
    configured = configuration.load(organisation.folder / "mandate.yaml", environment={})
    with composition.assembled(configured) as mandate:
        facts = mandate.claimed(
            organisation.folder / "good.json", action=None, environment=None, what_if=True
        )
        answer = mandate.gate.decide(facts)
    assert (answer.outcome, answer.decision.reasons) == (
        "undecided",
        ("the facts were gathered for a what-if. Ask what would be decided, or ask anew.",),
    )
    assert organisation.entries()[-1]["outcome"] == "undecided"
