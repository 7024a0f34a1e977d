from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.organisation import Ran
from tests.signatories import Signatory, employ

from .conftest import SUBJECT, Bank

pytestmark = pytest.mark.xdist_group("mlflow")

PARITY = "fairness.demographic_parity"


def day(days: int) -> str:
    return f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%d}"


def waive(bank: Bank, who: Signatory, rule: str, until: str, *arguments: str) -> Ran:
    why = ("--reason", "The branch was closed", "--reference", "MRM-120")
    return who.signs(bank.organisation, "waive", rule, SUBJECT, "--until", until, *why, *arguments)


def test_a_waived_violation_is_allowed_until_it_is_revoked_and_stays_in_the_decision(bank: Bank) -> None:
    bank.predict(unfair=5)
    assert f"{PARITY}:sex" in bank.denials(bank.check())
    bank.approve_both()
    ran = waive(bank, bank.tomas, f"{PARITY}:sex", day(30), "--output", "json")
    assert ran.exit_code == 0, ran.out + ran.err
    entry = ran.json["ledger"]["id"]
    answer = bank.check()
    # What was approved is what was found: a waiver changes what becomes of it.
    assert (answer["outcome"], bank.denials(answer)) == ("allow", {})
    waived = next(finding for finding in answer["findings"] if finding["outcome"] == "waived")
    assert (waived["waiver"]["id"], waived["waiver"]["approver"]) == (entry, "tomas@bank.example")
    shown = waive(bank, bank.tomas, PARITY, day(20))
    assert "✓ tomas@bank.example waived fairness.demographic_parity for models:/credit/1" in shown.out
    listed = bank.organisation.mandate("approvals", SUBJECT)
    assert "waived fairness.demographic_parity" in listed.out
    for revoked in (entry, [*bank.entries("waiver")][1]["predicate"]["id"]):
        done = bank.mira.signs(bank.organisation, "revoke", revoked, "--reason", "It opened again")
        assert done.exit_code == 0, done.err
    denied = bank.check()
    assert [*bank.denials(denied)] == [f"{PARITY}:sex"]
    assert {waiver["status"] for waiver in denied["waivers"]} == {"void"}
    assert bank.organisation.mandate("ledger", "verify").exit_code == 0


@pytest.mark.parametrize(
    ("rule", "days", "said"),
    [
        ("fairness.demographic_partiy", 30, "there is no rule 'fairness.demographic_partiy'"),
        (f"{PARITY}:", 30, "there is no rule"),
        ("approvals.signed_off", 30, "the rule approvals.signed_off cannot be waived"),
        (PARITY, 92, "90 days are the most"),
        (PARITY, -1, "it would have expired already"),
    ],
)
def test_what_could_never_count_is_not_signed(bank: Bank, rule: str, days: int, said: str) -> None:
    ran = waive(bank, bank.tomas, rule, day(days))
    assert (ran.exit_code, said in ran.err) == (2, True), ran.err
    assert bank.entries("waiver") == []


def test_who_has_no_role_that_may_waive_does_not(bank: Bank) -> None:
    ran = waive(bank, bank.mira, PARITY, day(30))
    assert (ran.exit_code, "mira@bank.example has no role that may waive" in ran.err) == (2, True)
    assert "Ask somebody who is risk_officer" in ran.err


def test_a_waiver_of_somebody_who_lost_the_role_is_void(bank: Bank) -> None:
    bank.predict(unfair=5)
    assert waive(bank, bank.tomas, PARITY, day(30)).exit_code == 0
    employ(bank.organisation, [(bank.mira, ["model_owner"]), (bank.tomas, ["auditor"])])
    (report,) = bank.check()["waivers"]
    assert (report["status"], report["warning"]) == (
        "void",
        "It does not count: no role of its approver may waive.",
    )


def test_nobody_signed_anything_is_said(bank: Bank) -> None:
    listed = bank.organisation.mandate("approvals", SUBJECT)
    assert (listed.exit_code, listed.out.strip()) == (0, "Nobody signed anything for models:/credit/1.")
