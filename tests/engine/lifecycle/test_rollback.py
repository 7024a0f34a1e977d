from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.signatories import Signatory, employ

from .models import AUTHORITY, Models, outline

pytestmark = pytest.mark.xdist_group("mlflow")
NO_OPA = ("--set", "opa.binary=nowhere/opa")


@pytest.fixture
def two(models: Models) -> Models:
    """Version 1 and then version 2 were promoted."""
    for weights in ("1", "2"):
        models.promoted(models.publish(weights))
    return models


def rollback(models: Models, version: str, *arguments: str) -> Any:
    return models.mandate(
        "rollback", models.champion, "--to", version, "--reason", "drift", "--output", "json", *arguments
    )


def decisions(models: Models) -> list[str]:
    return [each["outcome"] for each in models.said() if each["kind"] == f"{AUTHORITY}decision/v1"]


def test_a_version_that_was_allowed_comes_back_without_being_judged_again(two: Models) -> None:
    allowed = next(each["id"] for each in two.said() if each["kind"] == f"{AUTHORITY}decision/v1")
    ran = rollback(two, "1", *NO_OPA)
    assert ran.exit_code == 0, ran.out
    assert (ran.json["outcome"], ran.json["id"]) == ("allow", allowed)
    assert ran.json["rests_on"] == {"decision": allowed, "index": 2, "judged_now": False}
    assert ran.json["alias"] == {"alias": "champion", "from": "2", "to": "1"}
    assert two.aliases() == {"champion": "1"}
    assert decisions(two) == ["allow", "allow"]
    intent, result = two.acts()[-2:]
    assert outline([intent, result]) == [("rollback intent", None), ("rollback result", "done")]
    for said in (intent, result):
        assert (said["version"], said["decision"], said["reason"]) == (two.stated("1"), allowed, "drift")
        assert said["moves"] == [
            {"alias": "champion", "fromVersion": two.stated("2"), "toVersion": two.stated("1")}
        ]


def test_a_person_is_told_on_which_decision_it_rests(two: Models) -> None:
    shown = two.mandate("rollback", two.uri("2"), "--to", "1", "--reason", "drift")
    assert shown.exit_code == 0
    rests, allowed, moved, recorded = shown.out.strip("\n").splitlines()
    assert rests.startswith("  rests on decision 01")
    assert rests.endswith(", entry 2:")
    assert allowed.startswith("  allowed for production on 2")
    assert moved == "  the alias champion now names version 1 (was version 2)"
    assert recorded == "  recorded in entry 8 before and entry 9 after"


def test_other_files_than_those_that_were_allowed_are_judged(two: Models) -> None:
    (weights,) = (file for file in two.store.folder.rglob("weights") if _is_of(two, file, "1"))
    weights.write_bytes(b"other")
    ran = rollback(two, "1")
    assert (ran.exit_code, ran.json["rests_on"]["judged_now"]) == (0, True)
    assert ran.json["rests_on"]["index"] == 8
    assert decisions(two) == ["allow", "allow", "allow"]
    shown = two.mandate("promote", two.uri("2"))
    assert shown.exit_code == 0


def _is_of(models: Models, file: Any, version: str) -> bool:
    with models.registry() as registry:
        entity = registry.resolve(models.uri(version)).entity
    return entity.source.removeprefix("file://") in str(file)


def test_what_was_never_allowed_is_judged_and_what_is_denied_does_not_come_back(two: Models) -> None:
    bad = two.publish("3", allowed=False)
    shown = two.mandate("rollback", two.champion, "--to", bad, "--reason", "drift")
    assert shown.exit_code == 1
    assert " DENY " in shown.out
    assert "judged now, because nothing on record allows it in production" in shown.out
    assert "the alias champion did not move" in shown.out
    assert two.aliases() == {"champion": "2"}


def test_an_allow_for_another_environment_is_none_for_this_one(two: Models) -> None:
    ran = rollback(two, "1", "--environment", "staging")
    assert (ran.exit_code, ran.json["rests_on"]["judged_now"]) == (0, True)
    assert ran.json["request"]["environment"] == "staging"


def test_an_allow_does_not_stand_after_a_denial_whatever_was_asked(two: Models) -> None:
    denying = "include: {default: [documentation.model_card]}\n"
    selection = two.organisation.folder / "policies/selection.yaml"
    before = selection.read_text()
    selection.write_text(denying)
    assert two.mandate("check", two.uri("1"), "--action", "monitor").exit_code == 1
    selection.write_text(before)
    refused = rollback(two, "1", *NO_OPA)
    assert refused.exit_code != 0
    shown = two.mandate("rollback", two.champion, "--to", "1", "--reason", "drift")
    assert shown.exit_code == 0
    assert "judged now, because entry 9 denies it" in shown.out


def test_being_asked_whether_it_may_stay_allows_no_promotion(models: Models) -> None:
    one, two = models.publish("1"), models.publish("2")
    models.promoted(two)
    assert models.mandate("check", models.uri(one), "--action", "monitor").exit_code == 0
    assert rollback(models, one).json["rests_on"]["judged_now"] is True


def test_an_allow_that_somebody_revoked_does_not_stand(two: Models, tmp_path: Path) -> None:
    ann = Signatory.made(tmp_path, "ann@bank.example")
    employ(two.organisation, [(ann, ["risk_officer"])])
    allowed = next(each["id"] for each in two.said() if each["kind"] == f"{AUTHORITY}decision/v1")
    revoked = ann.signs(two.organisation, "revoke", allowed, "--reason", "It was trained on the wrong rows")
    assert revoked.exit_code == 0, revoked.err
    shown = two.mandate("rollback", two.champion, "--to", "1", "--reason", "drift")
    assert shown.exit_code == 0
    assert "judged now, because ann@bank.example, in entry 8, revoked what allowed it" in shown.out
    assert decisions(two) == ["allow", "allow", "allow"]
    assert rollback(two, "2", *NO_OPA).exit_code == 0


def test_the_same_files_under_another_name_are_another_model(models: Models, two: Models) -> None:
    again = models.publish("1")
    assert models.digest(again) == models.digest("1")
    assert rollback(models, again).json["rests_on"]["judged_now"] is True


def test_what_was_retired_is_judged_again(two: Models) -> None:
    assert two.mandate("retire", two.uri("1"), "--reason", "old").exit_code == 0
    shown = two.mandate("rollback", two.champion, "--to", "1", "--reason", "drift")
    assert shown.exit_code == 0
    assert "judged now, because it was retired in entry 9, after it was allowed" in shown.out
    assert two.tags("1") == {}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("{uri}@champion", "--to", "2"), "the alias champion names version 2 already"),
        (("{uri}@champion", "--to", "9"), "it has no version 9"),
        (("{uri}/1", "--to", "1"), "the alias champion names 2, and not 1"),
        (("{uri}/1", "--to", "2", "--alias", "live"), "the alias live names no version, and not 1"),
        (("{uri}@live", "--to", "1"), "it has no alias live"),
        (("{uri}@champion", "--to", "1", "--alias", "live"), "SUBJECT is the alias champion, and --alias is"),
        (("{uri}@champion", "--to", "1", "-e", "moon"), "the policies know no environment 'moon'"),
        (("credit", "--to", "1"), "'credit' is not a model URI"),
    ],
)
def test_what_makes_no_sense_is_a_bad_request(
    two: Models, arguments: tuple[str, ...], complaint: str
) -> None:
    given = [each.format(uri=f"models:/{two.name}") for each in arguments]
    ran = two.mandate("rollback", *given, "--reason", "drift")
    assert (ran.exit_code, len(two.acts())) == (2, 4)
    assert complaint in ran.err


def test_a_damaged_decision_allows_nothing(two: Models) -> None:
    database = sqlite3.connect(two.organisation.folder / ".mandate/ledger.db")
    for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        database.execute(f'DROP TRIGGER "{trigger}"')
    changed = "CAST(replace(CAST(envelope AS TEXT), 'SHA256:', 'SHA256:x') AS BLOB)"
    database.execute(f"UPDATE envelopes SET envelope = {changed} WHERE position = 2")
    database.commit()
    database.close()
    ran = two.mandate("rollback", two.champion, "--to", "1", "--reason", "drift")
    assert ran.exit_code == 3
    assert "entry 2: the entry is not what was recorded" in ran.err
    assert two.aliases() == {"champion": "2"}
