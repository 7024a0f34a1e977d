"""What a person sees, in a terminal of 100 columns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.organisation import GOOD, Organisation, founded, good, with_value

METRIC = ("fairness", "attributes", 0, "metrics", 0, "value")
ACCURACY = ("performance", "metrics", 0, "value")


@pytest.fixture
def organisation(tmp_path: Path) -> Organisation:
    return founded(tmp_path, trusting=True)


def shown(organisation: Organisation, document: object, *arguments: str) -> str:
    organisation.check(document)
    return organisation.mandate("check", "--input", str(organisation.folder / "input.json"), *arguments).out


def test_a_denial_says_what_was_measured_what_would_pass_and_what_to_do(organisation: Organisation) -> None:
    text = shown(organisation, with_value(GOOD, METRIC, 0.10384615384))
    assert text.splitlines()[1] == " DENY   credit version 2  promote · production · risk tier unknown"
    unwrapped = " ".join(text.split())
    assert "afam measured 0.1038 (n = 2,380," in unwrapped
    assert "passes at ≤ 0.05" in unwrapped
    assert "→ Mitigate the model for the attribute" in unwrapped
    assert "bound set at thresholds/fairness.yaml:" in unwrapped
    assert "EU AI Act 10(2)(f)" in unwrapped


def test_an_allow_is_short_and_names_the_evidence(organisation: Organisation) -> None:
    text = shown(organisation, GOOD)
    assert text.splitlines()[1].startswith(" ALLOW   credit version 2")
    assert "of 16 rules" in text
    assert "  recorded   entry 3 of bank.example/models\n" in text
    assert len(text.splitlines()) < 25


@pytest.mark.parametrize("arguments", [(), ("--verbose",)])
def test_no_line_is_wider_than_the_terminal_or_ends_in_blanks(
    organisation: Organisation, arguments: tuple[str, ...]
) -> None:
    for document in (GOOD, with_value(GOOD, METRIC, 0.9), with_value(GOOD, ("fairness",), None)):
        for line in shown(organisation, document, *arguments).splitlines():
            assert len(line) <= 100
            assert line == line.rstrip()


def test_the_verbose_report_shows_every_check_and_every_source(organisation: Organisation) -> None:
    text = shown(organisation, GOOD, "--verbose")
    assert "demographic_parity  afam" in text
    assert "≤ 0.05" in text
    assert "facts" in text
    for entry in GOOD["collection"]:
        assert entry["name"] in text


def test_an_undecided_answer_says_why(organisation: Organisation) -> None:
    text = shown(organisation, GOOD, "--set", "opa.url=http://127.0.0.1:9")
    assert text.splitlines()[1].startswith(" UNDECIDED   credit version 2")
    assert "OPA cannot be asked" in text
    assert "OPA (no answer)" in text


def test_an_undecided_answer_names_the_rules_that_lack_facts_in_one_line(organisation: Organisation) -> None:
    failed = {"name": "fairness", "status": "failed", "reason": "no predictions in 1 s"}
    collection = [entry if entry["name"] != "fairness" else failed for entry in GOOD["collection"]]
    document = with_value(good(collection=collection, fairness=...), ACCURACY, 0.1)
    text = shown(organisation, document)
    assert text.splitlines()[1].startswith(" UNDECIDED ")
    assert "\n\n\n" not in text
    unwrapped = " ".join(text.split())
    assert "The collector fairness could not find out: no predictions in 1 s." in unwrapped
    assert (
        "✗ 3 rules could not judge: fairness.demographic_parity, fairness.disparate_impact, "
        "fairness.group_size. `mandate explain` shows what each lacks."
    ) in unwrapped
    assert "✗ performance.minimum The model meets its agreed levels" in unwrapped
    assert "✗ fairness.demographic_parity Groups" not in unwrapped
    assert "✗ fairness.demographic_parity Groups" in " ".join(
        shown(organisation, document, "--verbose").split()
    )


def test_what_does_not_apply_is_counted_and_named_on_demand(organisation: Organisation) -> None:
    brief = shown(organisation, GOOD, "--action", "monitor")
    full = shown(organisation, GOOD, "--action", "monitor", "--verbose")
    assert "rules not applicable" in brief
    assert "It does not judge the action monitor." in " ".join(full.split())


def test_a_warning_can_be_made_to_fail(organisation: Organisation) -> None:
    small = with_value(GOOD, ("fairness", "attributes", 0, "groups", 0, "size"), 50)
    assert organisation.check(small).exit_code == 0
    assert organisation.check(small, "--fail-on-warn").exit_code == 1
    assert organisation.check(small).json["outcome"] == "allow"
    assert "  ! fairness.group_size" in shown(organisation, small)


def test_an_answer_that_could_not_be_recorded_says_so(organisation: Organisation) -> None:
    import sqlite3

    database = sqlite3.connect(organisation.folder / ".mandate/ledger.db", isolation_level=None)
    database.execute("BEGIN EXCLUSIVE")  # another process holds the ledger and does not let go
    try:
        text = shown(organisation, GOOD)
    finally:
        database.execute("ROLLBACK")
        database.close()
    assert " UNDECIDED " in text
    assert "not recorded" in text
    assert organisation.decisions() == []


def waive(organisation: Organisation, *, begun: int, ends: int) -> None:
    """A waiver of the parity of `afam`, from so many days ago until in so many days."""
    today = datetime.now(UTC).date()
    folder = organisation.folder / "policies/waivers"
    folder.mkdir()
    (folder / "credit.yaml").write_text(
        "- rule: fairness.demographic_parity:afam\n"
        '  subject: {name: credit, version: "2"}\n'
        "  reason: The sample of June was unequal\n  reference: MRM-120\n  approver: rita@bank.example\n"
        f"  effective_on: {today - timedelta(days=begun)}\n  expires: {today + timedelta(days=ends)}\n"
    )


def test_a_waived_violation_is_shown_with_who_waived_it_and_when_that_ends(
    organisation: Organisation,
) -> None:
    waive(organisation, begun=10, ends=20)
    text = shown(organisation, with_value(GOOD, METRIC, 0.2))
    unwrapped = " ".join(text.split())
    assert text.splitlines()[1].startswith(" ALLOW ")
    assert "  ~ fairness.demographic_parity" in text
    assert "rita@bank.example waived it until" in unwrapped
    assert "  ! waiver of fairness.demographic_parity:afam  organisation/waivers/credit.yaml:1" in text
    assert "It expires at" in unwrapped


def test_a_waiver_that_expired_is_warned_of_and_fails_where_warnings_do(organisation: Organisation) -> None:
    waive(organisation, begun=60, ends=-1)
    assert "It expired at" in shown(organisation, GOOD)
    assert organisation.check(GOOD).exit_code == 0
    assert organisation.check(GOOD, "--fail-on-warn").exit_code == 1
    denied = organisation.check(with_value(GOOD, METRIC, 0.2)).json
    assert denied["outcome"] == "deny"
    assert [waiver["status"] for waiver in denied["waivers"]] == ["expired"]
