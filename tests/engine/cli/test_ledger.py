from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from mandate.engine.evidence.sql import sqlite
from tests.organisation import FIRST, GOOD, Organisation, founded, with_value

DENIED = str(FIRST + 1)
"""The index of the second decision."""
UNFAIR = with_value(GOOD, ("fairness", "attributes", 0, "metrics", 0, "value"), 0.9)


@pytest.fixture
def organisation(tmp_path: Path) -> Organisation:
    """Two decisions are on record: an allow and a deny."""
    organisation = founded(tmp_path, trusting=True)
    assert organisation.check(GOOD).exit_code == 0
    assert organisation.check(UNFAIR).exit_code == 1
    return organisation


def test_a_new_ledger_has_its_opening(tmp_path: Path) -> None:
    organisation = founded(tmp_path)
    (opening,) = organisation.mandate("ledger", "show", "--output", "json").json
    assert (opening["index"], opening["subject"]) == (0, "bank.example/models")
    assert opening["kind"] == "https://mandate.dev/attestations/opening/v1"
    assert "bank.example/models" in organisation.mandate("ledger", "show").out
    assert organisation.mandate("ledger", "verify").exit_code == 0
    explained = organisation.mandate("explain", "0")
    assert explained.exit_code == 2
    assert "this entry is no decision" in explained.err


def test_an_empty_ledger_says_so(tmp_path: Path) -> None:
    organisation = founded(tmp_path)
    (tmp_path / ".mandate/ledger.db").unlink()
    sqlite.create(tmp_path / ".mandate/ledger.db", origin="bank.example/models")
    assert organisation.mandate("ledger", "show").out == "The ledger is empty.\n"


def test_the_newest_entries_are_listed_the_last_one_last(organisation: Organisation) -> None:
    assert [entry["outcome"] for entry in organisation.decisions()] == ["allow", "deny"]
    (newest,) = organisation.mandate("ledger", "show", "--last", "1", "--output", "json").json
    assert (newest["index"], newest["outcome"], newest["subject"]) == (FIRST + 1, "deny", "models:/credit/2")
    shown = organisation.mandate("ledger", "show")
    assert "allow" in shown.out
    assert newest["id"] in shown.out


def test_a_sound_ledger_verifies(organisation: Organisation) -> None:
    shown = organisation.mandate("ledger", "verify")
    assert shown.exit_code == 0
    assert "✓ sound: 4 entries of bank.example/models, 0 faults" in shown.out
    summary = organisation.mandate("ledger", "verify", "--output", "json").json
    assert (summary["sound"], summary["entries"], summary["faults"]) == (True, 4, [])


def test_a_changed_entry_is_named_and_exits_with_three(organisation: Organisation) -> None:
    with sqlite3.connect(organisation.folder / ".mandate/ledger.db") as database:
        for (trigger,) in database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            database.execute(f'DROP TRIGGER "{trigger}"')
        database.execute("UPDATE entries SET outcome = 'allow' WHERE outcome = 'deny'")
    database.close()
    shown = organisation.mandate("ledger", "verify")
    assert shown.exit_code == 3
    assert "✗ NOT sound" in shown.out
    assert f"entry {DENIED}" in shown.out
    summary = organisation.mandate("ledger", "verify", "--output", "json").json
    assert summary["sound"] is False
    assert int(DENIED) in [fault["index"] for fault in summary["faults"]]
    assert organisation.mandate("explain", DENIED).exit_code == 3


def test_a_decision_is_explained_by_its_id_its_beginning_or_its_index(organisation: Organisation) -> None:
    decision = organisation.decisions()[1]["id"]
    by_id, by_index = (organisation.mandate("explain", name) for name in (decision, DENIED))
    assert by_id.exit_code == 0
    assert by_id.out == by_index.out
    assert " DENY " in by_id.out
    assert "fairness.demographic_parity" in by_id.out
    assert "afam = 0.9" in by_id.out or "afam measured 0.9" in by_id.out
    answered = organisation.check(UNFAIR).json
    explained = organisation.mandate("explain", answered["id"], "--output", "json").json
    assert explained == answered


def test_an_unknown_decision_is_a_bad_request(organisation: Organisation) -> None:
    for reference in ("ffffffff", "77", "no such thing", "\x1b[31m"):
        shown = organisation.mandate("explain", reference)
        assert shown.exit_code == 2
        assert "there is no decision" in shown.err
        assert "\x1b" not in shown.err


def test_a_decision_is_exported_as_a_sigstore_bundle_and_as_a_statement(organisation: Organisation) -> None:
    bundle = organisation.mandate("ledger", "bundle", DENIED).json
    assert bundle["mediaType"] == "application/vnd.dev.sigstore.bundle.v0.3+json"
    statement = organisation.mandate("ledger", "statement", DENIED).json
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://mandate.dev/attestations/decision/v1"
    assert statement["subject"] == [
        {"name": "models:/credit/2", "digest": {"sha256": GOOD["subject"]["sha256"]}}
    ]
    assert statement["predicate"]["outcome"] == "deny"


def test_another_ledgers_name_is_refused(organisation: Organisation) -> None:
    shown = organisation.mandate("ledger", "show", "--set", "ledger.name=other.example")
    assert shown.exit_code == 2
    assert "this is the ledger 'bank.example/models', not 'other.example'" in shown.err


def test_no_answer_without_a_record_of_it(organisation: Organisation) -> None:
    answered = json.loads(organisation.check(GOOD).out)
    recorded = organisation.decisions()[-1]
    assert (answered["id"], answered["ledger"]["index"], answered["ledger"]["leaf"]) == (
        recorded["id"],
        recorded["index"],
        recorded["leaf"],
    )
