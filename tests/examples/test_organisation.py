"""The overlay of `examples/organisation`: one model, judged by it in several places and at several times."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from mandate import share
from mandate.engine.decision import Decision, Outcome, Policy
from mandate.engine.input import Input
from mandate.engine.opa.local import LocalJudge
from mandate.engine.opa.process import LocalOpa
from mandate.engine.policy import bundle
from tests.organisation import GOOD, Organisation

EXAMPLE = Path(__file__).parents[2] / "examples/organisation"


@pytest.fixture(scope="module")
def judge(opa: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalJudge]:
    roots = [share.policies(), EXAMPLE / "policies"]
    compiled = bundle.compile(roots, opa=opa, store=tmp_path_factory.mktemp("store"))
    policy = Policy(revision=compiled.revision, bundle_sha256=compiled.sha256)
    local = LocalOpa(opa, compiled.path)
    with LocalJudge(local, policy, timeout=20, rules=compiled.catalogue.keys()) as ready:
        yield ready


def decide(
    judge: LocalJudge, *, environment: str = "production", time: str = "2026-11-20T09:30:00Z"
) -> Decision:
    """About version 3 of the credit model: a little unequal, with a drifted column and data six weeks old."""
    document = copy.deepcopy(GOOD)
    document["subject"] |= {"version": "3", "uri": "models:/credit/3"}
    document["model"]["version"] = "3"
    document["request"] |= {"environment": environment, "time": time}
    document["fairness"]["attributes"][0]["metrics"][0]["value"] = 0.034
    document["provenance"]["data"]["as_of"] = "2026-10-10T00:00:00Z"
    (drifted,) = (column for column in document["drift"]["columns"] if column["name"] == "unemp")
    drifted["psi"]["value"] = 0.31
    return judge.judge(Input.model_validate_json(json.dumps(document))).decision


def test_in_production_it_is_allowed_by_a_waiver_and_warned_of_the_future(judge: LocalJudge) -> None:
    decision = decide(judge)
    assert decision.outcome is Outcome.ALLOW
    assert [(one.rule, one.term) for one in decision.waived] == [("drift.psi", "unemp")]
    assert [(one.id, one.used, one.warning) for one in decision.waivers] == [
        ("organisation/waivers/credit.yaml:2", True, None)
    ]
    assert [one.rule for one in decision.warnings] == ["lending.hosted_code"]
    assert str(decision.warnings[0].message).endswith("This will deny from 2027-07-01T00:00:00Z.")
    assert [(one.rule, one.replaced_by) for one in decision.not_applicable] == [
        ("provenance.data_age", "lending.data_age")
    ]


def test_in_the_eu_it_is_denied_by_the_tightened_threshold(judge: LocalJudge) -> None:
    decision = decide(judge, environment="production-eu")
    assert [(one.rule, one.term, one.bound, one.bound_set_at) for one in decision.violations] == [
        ("fairness.demographic_parity", "afam", 0.03, "organisation/thresholds/fairness.yaml:3")
    ]


def test_in_development_the_loosened_threshold_needs_no_waiver(judge: LocalJudge) -> None:
    decision = decide(judge, environment="development")
    assert (decision.outcome, decision.waived) == (Outcome.ALLOW, ())
    assert decision.waivers[0].warning == "Nothing needs it: there is no such violation. Remove it."


def test_the_family_has_a_level_of_its_own(judge: LocalJudge) -> None:
    (level,) = (one for one in decide(judge).passed if one.rule == "performance.minimum")
    assert (level.bound, level.bound_set_at) == (0.8, "organisation/thresholds/performance.yaml:4")


def test_the_waiver_expires(judge: LocalJudge) -> None:
    soon = decide(judge, time="2026-12-20T00:00:00Z")
    assert soon.waivers[0].warning == "It expires at 2027-01-15T00:00:00Z, and then this denies."
    late = decide(judge, time="2027-01-15T00:00:00Z")
    assert ("drift.psi", "unemp") in [(one.rule, one.term) for one in late.violations]
    assert late.waivers[0].status == "expired"


def test_the_replacement_has_a_bound_of_its_own(judge: LocalJudge) -> None:
    at_the_bound = decide(judge, time="2026-11-24T00:00:00Z")
    assert "lending.data_age" not in [one.rule for one in at_the_bound.violations]
    beyond = decide(judge, time="2026-11-24T00:00:01Z")
    assert [one.rule for one in beyond.violations] == ["lending.data_age"]


def test_the_future_rule_denies_one_day(judge: LocalJudge) -> None:
    decision = decide(judge, time="2027-07-01T00:00:00Z")
    assert "lending.hosted_code" in [one.rule for one in decision.violations]


def test_it_is_clean_and_its_tests_pass() -> None:
    overlay = Organisation(EXAMPLE)
    checked = overlay.mandate("policy", "check")
    assert checked.exit_code == 0, checked.out
    report = overlay.mandate("policy", "test", "--output", "json").json
    assert {case["ended"] for case in report["cases"]} == {"passed"}
    assert report["coverage"] == 100
