"""`mandate replay`: the same input, policies and OPA give the same decision, byte for byte."""

from __future__ import annotations

import copy
import gzip
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from mandate import share
from mandate.engine.digests import file_sha256
from mandate.engine.errors import NotAnAnswer
from mandate.engine.evidence import public_keys, signed
from mandate.engine.evidence.sql import sqlite as sqlite_ledger
from mandate.engine.replay import again
from tests.organisation import FIRST, GOOD, Organisation, founded, good, with_value
from tests.recording import changed, statement, writing

UNFAIR = with_value(GOOD, ("fairness", "attributes", 0, "metrics", 0, "value"), 0.9)
ALLOWED, DENIED, NEXT, NEXT_BUT_ONE = (str(FIRST + number) for number in range(4))
"""Two decisions are on record, and whatever a test adds to them."""
FAILED = good(
    collection=[
        *(entry for entry in GOOD["collection"] if entry["name"] != "drift"),
        {"name": "drift", "status": "failed", "reason": "the batch is gone"},
    ]
)


@pytest.fixture
def organisation(tmp_path: Path) -> Organisation:
    """An allow and a deny are on record."""
    organisation = founded(tmp_path / "bank", trusting=True)
    assert organisation.check(GOOD).exit_code == 0
    assert organisation.check(UNFAIR).exit_code == 1
    return organisation


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path) -> None:
    (tmp_path / "bank").mkdir()


def standings(document: dict[str, dict[str, dict[str, str]]]) -> dict[str, str]:
    return {name: needed["standing"] for name, needed in document["needed"].items()}


def test_a_decision_comes_out_the_same_byte_for_byte(organisation: Organisation) -> None:
    for reference, outcome in (
        (ALLOWED, "allow"),
        (DENIED, "deny"),
        (organisation.decisions()[1]["id"], "deny"),
    ):
        shown = organisation.mandate("replay", reference, "--output", "json")
        document = shown.json
        assert shown.exit_code == 0
        assert (document["same"], document["faithful"]) == (True, True)
        assert standings(document) == {"input": "same", "policies": "same", "opa": "same"}
        recorded, replayed = document["recorded"], document["replayed"]
        assert (recorded["outcome"], replayed["outcome"]) == (outcome, outcome)
        assert replayed["decision_sha256"] == recorded["decision_sha256"]
        assert (replayed["changes"], replayed["elsewhere"]) == ([], {})


def test_nothing_is_recorded_by_a_replay(organisation: Organisation) -> None:
    before = organisation.decisions()
    assert " SAME " in organisation.mandate("replay", DENIED).out
    assert organisation.decisions() == before


def test_what_the_policies_and_the_library_are_now_does_not_matter(
    organisation: Organisation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(organisation.folder / "policies")
    library = tmp_path / "another library"
    library.mkdir()
    monkeypatch.setattr(share, "policies", lambda: library)
    assert organisation.check(GOOD).exit_code == 2  # nothing can be judged any more
    assert organisation.mandate("replay", DENIED).exit_code == 0


def test_a_revision_that_was_not_kept_is_named(organisation: Organisation) -> None:
    shutil.rmtree(organisation.folder / ".mandate/policies")
    shown = organisation.mandate("replay", DENIED)
    assert shown.exit_code == 2
    assert " CANNOT BE REPLAYED " in shown.out
    assert "✗  policies  sha256:" in shown.out
    assert "Restore the folder `policies`" in shown.out
    document = organisation.mandate("replay", DENIED, "--output", "json").json
    assert standings(document) == {"input": "same", "policies": "gone", "opa": "same"}
    assert (document["same"], document["faithful"], document["replayed"]) == (None, False, None)


def test_a_damaged_bundle_is_as_good_as_none(organisation: Organisation) -> None:
    (bundle,) = (organisation.folder / ".mandate/policies").glob("*.tar.gz")
    bundle.write_bytes(bundle.read_bytes() + b"\0")
    document = organisation.mandate("replay", DENIED, "--output", "json").json
    assert standings(document) == {"input": "same", "policies": "gone", "opa": "same"}


def test_policies_that_were_compiled_again_judge_but_are_not_those_that_judged(
    organisation: Organisation,
) -> None:
    (bundle,) = (organisation.folder / ".mandate/policies").glob("*.tar.gz")
    bundle.write_bytes(gzip.compress(gzip.decompress(bundle.read_bytes()), compresslevel=1))
    bundle.with_name(bundle.name + ".sha256").write_text(file_sha256(bundle))
    shown = organisation.mandate("replay", DENIED, "--output", "json")
    assert shown.exit_code == 0
    assert standings(shown.json) == {"input": "same", "policies": "another", "opa": "same"}
    assert (shown.json["same"], shown.json["faithful"]) == (True, False)
    text = organisation.mandate("replay", DENIED).out
    assert " SAME, BY OTHER MEANS " in text
    assert "This is no replay" in text


def test_an_opa_of_another_version_judges_only_where_it_is_asked_to(
    organisation: Organisation, opa: Path
) -> None:
    with writing(organisation.folder) as ledger:
        ledger.append(changed(statement(organisation.folder, int(DENIED)), opa={"version": "1.22.1"}))
    refused = organisation.mandate("replay", NEXT, "--output", "json")
    assert refused.exit_code == 2
    assert refused.json["needed"]["opa"] == {
        "standing": "gone",
        "what": "1.22.1 judged, and the one here is 1.22.2",
    }
    asked = organisation.mandate("replay", NEXT, "--opa", str(opa), "--output", "json")
    assert asked.exit_code == 0
    assert (asked.json["same"], asked.json["faithful"]) == (True, False)
    assert asked.json["needed"]["opa"] == {
        "standing": "another",
        "what": "1.22.2 instead of 1.22.1, which judged",
    }


def test_the_opa_that_judged_is_found_where_mandate_built_it(
    organisation: Organisation, opa_1_20_0: Path
) -> None:
    assert opa_1_20_0.is_file()
    with writing(organisation.folder) as ledger:
        ledger.append(changed(statement(organisation.folder, int(DENIED)), opa={"version": "1.20.0"}))
    document = organisation.mandate("replay", NEXT, "--output", "json").json
    assert standings(document) == {"input": "same", "policies": "same", "opa": "same"}
    assert (document["same"], document["faithful"]) == (True, True)


def test_without_any_opa_its_version_is_named(
    organisation: Organisation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    document = organisation.mandate("replay", DENIED, "--output", "json").json
    assert document["needed"]["opa"] == {
        "standing": "gone",
        "what": "1.22.2 judged, and there is none here",
    }


@pytest.mark.parametrize("version", ["../../../../bin", "main", "1.22.2-dev"])
def test_a_version_that_is_none_leads_to_no_program(organisation: Organisation, version: str) -> None:
    with writing(organisation.folder) as ledger:
        ledger.append(changed(statement(organisation.folder, int(DENIED)), opa={"version": version}))
    document = organisation.mandate("replay", NEXT, "--output", "json").json
    assert standings(document)["opa"] == "gone"


def test_a_program_that_is_no_opa_is_a_bad_request(organisation: Organisation, tmp_path: Path) -> None:
    program = tmp_path / "opa"
    program.write_text("#!/bin/sh\necho hello\n")
    program.chmod(0o755)
    shown = organisation.mandate("replay", DENIED, "--opa", str(program))
    assert shown.exit_code == 2
    assert "this program does not say which version of OPA it is" in shown.err


def test_what_no_opa_answered_cannot_be_replayed(organisation: Organisation) -> None:
    settings = ("--set", "opa.url=http://127.0.0.1:9")
    assert organisation.check(GOOD, *settings).exit_code == 3
    shown = organisation.mandate("replay", NEXT)
    assert shown.exit_code == 2
    assert "no answer of an OPA counted when it was recorded: OPA at" in " ".join(shown.out.split())
    assert "→" not in shown.out


def test_what_the_policies_left_undecided_is_replayed(organisation: Organisation) -> None:
    assert organisation.check(FAILED).exit_code == 3
    shown = organisation.mandate("replay", NEXT, "--output", "json")
    assert shown.exit_code == 0
    assert (shown.json["same"], shown.json["replayed"]["outcome"]) == (True, "undecided")


def test_another_decision_is_told_finding_by_finding(organisation: Organisation) -> None:
    recorded = statement(organisation.folder, int(DENIED))
    decision = copy.deepcopy(recorded["predicate"]["decision"])
    (violation,) = [one for one in decision["findings"] if one["outcome"] == "violation"]
    violation["bound"] = 0.03
    gone = decision["findings"].pop(0)
    decision["reasons"] = ["Because."]
    decision["not_applicable"] = [{"rule": "of.old", "reason": "it was replaced"}]
    with writing(organisation.folder) as ledger:
        ledger.append(changed(recorded, decision=decision))
    shown = organisation.mandate("replay", NEXT, "--output", "json")
    assert shown.exit_code == 1
    assert (shown.json["same"], shown.json["faithful"]) == (False, True)
    changes = shown.json["replayed"]["changes"]
    assert [
        (
            one["rule"],
            [each.get("bound") for each in one["before"]],
            [each.get("bound") for each in one["after"]],
        )
        for one in changes
    ] == [(gone["rule"], [], [gone["bound"]]), ("fairness.demographic_parity", [0.03], [0.05])]
    assert shown.json["replayed"]["reasons"] == {"before": ["Because."], "after": []}
    assert shown.json["replayed"]["elsewhere"] == {
        "not_applicable": {"before": [{"rule": "of.old", "reason": "it was replaced"}], "after": []}
    }
    text = organisation.mandate("replay", NEXT).out
    assert " DIFFERENT " in text
    assert "- fairness.demographic_parity afam: outcome violation, bound 0.03" in text
    assert "+ fairness.demographic_parity afam: outcome violation, bound 0.05" in text
    assert "- Because." in text


def test_findings_in_another_order_are_another_decision(organisation: Organisation) -> None:
    recorded = statement(organisation.folder, int(DENIED))
    decision = copy.deepcopy(recorded["predicate"]["decision"])
    decision["findings"].reverse()
    with writing(organisation.folder) as ledger:
        ledger.append(changed(recorded, decision=decision))
    shown = organisation.mandate("replay", NEXT, "--output", "json")
    assert shown.exit_code == 1
    assert shown.json["replayed"]["changes"] == []
    assert list(shown.json["replayed"]["elsewhere"]) == ["findings"]


def test_a_decision_of_a_version_that_wrote_other_members_is_replayed(organisation: Organisation) -> None:
    """An older version wrote less of what is null, a later one more: OPA said the same."""
    recorded = statement(organisation.folder, int(DENIED))
    older = copy.deepcopy(recorded["predicate"]["decision"])
    later = copy.deepcopy(older)
    for finding in older["findings"]:
        for name in ("waiver", "interval"):
            if finding[name] is None:
                del finding[name]
    later["since_then"] = []
    for finding in later["findings"]:
        finding["known_since_then"] = None
    with writing(organisation.folder) as ledger:
        ledger.append(changed(recorded, decision=older))
        ledger.append(changed(recorded, decision=later))
    assert organisation.mandate("replay", NEXT).exit_code == 0
    assert organisation.mandate("replay", NEXT_BUT_ONE).exit_code == 0


def test_an_input_is_sent_as_it_was_signed(organisation: Organisation) -> None:
    """Today's `Input` does not know the section, and would refuse it or leave it out."""
    recorded = statement(organisation.folder, int(DENIED))
    with writing(organisation.folder) as ledger:
        ledger.append(changed(recorded, input=recorded["predicate"]["input"] | {"of_old": {"a": 1e21}}))
    assert organisation.mandate("replay", NEXT).exit_code == 0


def test_a_text_that_looks_like_the_statement_itself_misleads_nobody(organisation: Organisation) -> None:
    recorded = statement(organisation.folder, int(DENIED))
    document = copy.deepcopy(recorded["predicate"]["input"])
    document["request"]["requested_by"] = '","input":{"a":1},"inputSha256":"'
    document["id"] = {"input": {"a": 1}, "inputSha256": "b"}
    with writing(organisation.folder) as ledger:
        ledger.append(changed(recorded, input=document))
    assert organisation.mandate("replay", NEXT).exit_code == 0


def test_a_bundle_in_the_place_of_another_is_found_out(organisation: Organisation) -> None:
    (right,) = (organisation.folder / ".mandate/policies").glob("*.tar.gz")
    thresholds = organisation.folder / "policies/thresholds/fairness.yaml"
    thresholds.write_text("demographic_parity_difference: {default: 0.95}\n")
    assert organisation.check(UNFAIR).exit_code == 0
    (wrong,) = {*(organisation.folder / ".mandate/policies").glob("*.tar.gz")} - {right}
    shutil.copy(wrong, right)
    right.with_name(right.name + ".sha256").write_text(file_sha256(wrong))
    shown = organisation.mandate("replay", DENIED)
    assert shown.exit_code == 3
    assert "other policies answered than those of the stored bundle" in shown.err


@pytest.mark.parametrize(
    "result", [{}, {"outcome": "deny", "findings": 7}, {"outcome": "deny", "findings": [{}]}]
)
def test_what_is_no_decision_is_compared_with_none(organisation: Organisation, result: Any) -> None:
    ledger = sqlite_ledger.open_for_reading(organisation.folder / ".mandate/ledger.db")
    stored = ledger.at(int(DENIED))
    assert stored is not None
    recorded = signed.read(stored, ledger, public_keys.load_folder(organisation.folder / ".mandate/keys"))
    ledger.close()
    assert recorded is not None
    with pytest.raises(NotAnAnswer, match="OPA's result is not a decision"):
        again.compared(recorded, result)


def test_an_unknown_decision_is_a_bad_request(organisation: Organisation) -> None:
    shown = organisation.mandate("replay", "77")
    assert shown.exit_code == 2
    assert "there is no decision '77'" in shown.err


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("UPDATE entries SET outcome = 'allow'", "its columns do not say what is signed"),
        ("UPDATE entries SET kind = 'other'", "its column kind does not say what is signed"),
        ("UPDATE entries SET leaf = zeroblob(32)", "does not have the digest that is stored as its leaf"),
        ("DELETE FROM envelopes", "its envelope is gone"),
    ],
)
def test_a_changed_entry_is_not_replayed(organisation: Organisation, change: str, what: str) -> None:
    with sqlite3.connect(organisation.folder / ".mandate/ledger.db") as database:
        for (trigger,) in database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            database.execute(f'DROP TRIGGER "{trigger}"')
        database.execute(change)
    database.close()
    shown = organisation.mandate("replay", DENIED)
    assert shown.exit_code == 3
    assert what in shown.err
