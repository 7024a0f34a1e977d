"""`mandate ledger query` as an auditor uses it."""

from __future__ import annotations

import csv
import io

import pytest

from tests.organisation import GOOD, Organisation, founded, good, with_value

UNFAIR = with_value(GOOD, ("fairness", "attributes", 0, "metrics", 0, "value"), 0.9)
RUNNING = {"name": "=cmd|'/c calc'!A1", "version": "1", "uri": "models:/=cmd/1"}
OTHER = good(subject=GOOD["subject"] | RUNNING, model=...)


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Organisation:
    """An allow, two denials, and one about a model with a name that a spreadsheet would run."""
    organisation = founded(tmp_path_factory.mktemp("bank"), trusting=True)
    for document in (GOOD, UNFAIR, UNFAIR, OTHER):
        organisation.check(document)
    return organisation


def found(bank: Organisation, *arguments: str) -> list[int]:
    ran = bank.mandate("ledger", "query", "--output", "json", *arguments)
    assert ran.exit_code == 0, ran.err
    return [entry["index"] for entry in ran.json["entries"]]


@pytest.mark.parametrize(
    ("arguments", "indexes"),
    [
        ((), [5, 4, 3, 2, 1, 0]),
        (("--outcome", "deny", "--model", "credit"), [4, 3]),
        (("--rule", "fairness.demographic_parity"), [4, 3]),
        (("--rule", "fairness.demographic_parity", "--outcome", "allow"), []),
        (("--control", "EU AI Act 10(2)(f)", "--environment", "production"), [4, 3]),
        (("--digest", GOOD["subject"]["sha256"], "--version", "2", "--action", "promote"), [4, 3, 2]),
        (("--kind", "opening"), [0]),
        (("--kind", "decision/v1", "--limit", "2"), [5, 4]),
        (("--kind", "decision", "--before", "4"), [3, 2]),
        (("--since", "2020-01-01", "--until", "2020-12-31"), []),
        (("--since", "2020-01-01T00:00:00+02:00", "--kind", "policy-release"), [1]),
        (("--limit", "2", "--all"), [5, 4, 3, 2, 1, 0]),
    ],
)
def test_entries_are_found_by_what_they_are_about(
    bank: Organisation, arguments: tuple[str, ...], indexes: list[int]
) -> None:
    assert found(bank, *arguments) == indexes


def test_who_asked_is_found(bank: Organisation) -> None:
    asked = bank.mandate("ledger", "query", "--kind", "decision", "--output", "json").json["entries"][0]
    (person, *_) = [name for name in asked["people"] if "@" not in name]
    assert found(bank, "--person", person, "--kind", "decision") == [5, 4, 3, 2]


def test_a_page_says_where_the_next_one_begins(bank: Organisation) -> None:
    ran = bank.mandate("ledger", "query", "--limit", "2", "--output", "json")
    assert ran.json["before"] == 4
    table = bank.mandate("ledger", "query", "--limit", "2")
    assert table.out.splitlines()[-1] == "There is more: --before 4"


def test_the_table_says_outcomes_and_kinds(bank: Organisation) -> None:
    table = bank.mandate("ledger", "query").out.splitlines()
    said = [line.split()[3] for line in table[1:] if line[:1].isdigit()]
    assert said == ["deny", "deny", "deny", "allow", "policy-release", "opening"]
    nothing = bank.mandate("ledger", "query", "--model", "nobody")
    assert (nothing.exit_code, nothing.out) == (0, "Nothing on record is like that.\n")


def test_a_spreadsheet_runs_nothing_of_the_csv(bank: Organisation) -> None:
    ran = bank.mandate("ledger", "query", "--output", "csv", "--limit", "1")
    (row,) = csv.DictReader(io.StringIO(ran.out))
    assert (row["index"], row["model"]) == ("5", "'=cmd|'/c calc'!A1")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--since", "yesterday"), "'yesterday' is no day and no instant"),
        (("--until", "2026-02-30"), "'2026-02-30' is no day and no instant"),
        (("--kind", "decree"), "nothing of the kind 'decree' can be recorded"),
    ],
)
def test_what_nobody_can_look_for_is_refused(
    bank: Organisation, arguments: tuple[str, ...], said: str
) -> None:
    ran = bank.mandate("ledger", "query", *arguments)
    assert ran.exit_code == 2
    assert said in ran.err


def test_whoever_may_only_read_can_look(bank: Organisation) -> None:
    file = bank.folder / ".mandate/ledger.db"
    mode = file.stat().st_mode
    file.chmod(0o400)
    try:
        assert found(bank, "--kind", "opening") == [0]
    finally:
        file.chmod(mode)
