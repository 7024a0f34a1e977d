from __future__ import annotations

import shutil
from typing import Any

import pytest

from mandate.engine.errors import RegistryUnavailable
from mandate.registry.mlflow import MlflowRegistry
from tests.mlflow_fixtures import quiet

from .models import AUTHORITY, Models, outline

pytestmark = pytest.mark.xdist_group("mlflow")


def reconcile(models: Models, *arguments: str) -> Any:
    ran = models.mandate("ledger", "reconcile", "--output", "json", *arguments)
    moves = [each for each in ran.json["unexplained"] if each["model"] == models.name]
    return ran.exit_code, moves


@pytest.fixture
def explained(models: Models) -> Models:
    """All that the store's other models have is on record; version 1 was promoted."""
    models.promoted(models.publish("1"))
    assert models.mandate("ledger", "reconcile", "--explain", "where we began").exit_code == 0
    return models


def test_where_all_is_as_the_log_says_nothing_is_found(explained: Models) -> None:
    shown = explained.mandate("ledger", "reconcile")
    assert (shown.exit_code, shown.out) == (
        0,
        "✓ every alias is where the ledger says, and nothing was cut off\n",
    )
    assert reconcile(explained) == (0, [])


@pytest.mark.parametrize(
    ("alias", "to", "sentence"),
    [
        ("champion", "2", "names version 2, and the ledger says version 1"),
        ("champion", None, "names no version, and the ledger says version 1"),
        ("live", "2", "names version 2, and the ledger says no version"),
    ],
)
def test_a_move_that_nobody_recorded_is_named_until_it_is_explained(
    explained: Models, alias: str, to: str | None, sentence: str
) -> None:
    explained.publish("2")
    explained.set_alias(alias, to)
    said = "1" if alias == "champion" else None
    move = {"model": explained.name, "alias": alias, "ledger": said, "registry": to}
    assert reconcile(explained) == (1, [move])
    shown = explained.mandate("ledger", "reconcile")
    assert shown.exit_code == 1
    assert shown.out == (
        f"✗ models:/{explained.name}@{alias} {sentence}\n"
        "  → Find out who moved them; `--explain TEXT` puts the moves on record\n"
    )
    assert reconcile(explained, "--alias", "other") == (0, [])
    assert reconcile(explained, "--alias", alias, "--explain", "by hand, in the outage") == (0, [move])
    newest = explained.acts()[-1]
    assert {
        name: newest[name] for name in ("kind", "basis", "model", "move", "movedBy", "decision", "reason")
    } == {
        "kind": f"{AUTHORITY}alias-move/v1",
        "basis": "observed",
        "model": explained.name,
        "move": {
            "alias": alias,
            "fromVersion": None if said is None else explained.stated(said),
            "toVersion": None if to is None else explained.stated(to),
        },
        "movedBy": None,
        "decision": None,
        "reason": "by hand, in the outage",
    }
    assert reconcile(explained) == (0, [])


def test_a_model_that_was_deleted_has_lost_its_aliases(explained: Models) -> None:
    with quiet():
        explained.store.client().delete_registered_model(explained.name)
    move = {"model": explained.name, "alias": "champion", "ledger": "1", "registry": None}
    assert reconcile(explained) == (1, [move])


def test_an_act_that_was_cut_off_and_then_overtaken_failed_and_the_other_move_is_named(
    explained: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    for weights in ("2", "3"):
        explained.publish(weights)

    def down(*_: object, **__: object) -> None:
        monkeypatch.setattr(MlflowRegistry, "aliases", down)
        raise RegistryUnavailable("no answer in time")

    monkeypatch.setattr(MlflowRegistry, "move_alias", down)
    assert explained.mandate("promote", explained.uri("2")).exit_code == 3
    monkeypatch.undo()
    explained.set_alias("champion", "3")
    assert reconcile(explained) == (0, [])  # it may be moving just now
    shown = explained.mandate("ledger", "reconcile", "--older-than", "0")
    assert shown.exit_code == 1
    text = " ".join(shown.out.split())
    assert "it failed: the alias champion names version 3, neither version 1 as before nor version 2" in text
    assert f"✗ models:/{explained.name}@champion names version 3, and the ledger says version 1" in text
    assert outline(explained.acts())[-2:] == [("promotion intent", None), ("promotion result", "failed")]


def test_a_version_that_is_gone_is_recorded_without_a_digest(explained: Models) -> None:
    version = explained.publish("2")
    with explained.registry() as registry:
        source = registry.resolve(explained.uri(version)).entity.source
    shutil.rmtree(source.removeprefix("file://"))
    explained.set_alias("champion", version)
    reconcile(explained, "--explain", "x")
    assert explained.acts()[-1]["move"]["toVersion"] == {"version": version, "sha256": None}


def test_a_registry_that_does_not_answer_is_no_finding(models: Models) -> None:
    ran = models.mandate("ledger", "reconcile", "--set", "registry.tracking_uri=http://127.0.0.1:9")
    assert ran.exit_code == 3
    assert "the registry could not be asked" in ran.err


def test_the_acts_on_another_registry_are_not_held_against_this_one(explained: Models) -> None:
    explained.set_alias("champion", "1")
    elsewhere = explained.store.folder / "copy.db"
    elsewhere.write_bytes((explained.store.folder / "mlflow.db").read_bytes())
    setting = f"registry.tracking_uri=sqlite:///{elsewhere}"
    move = {"model": explained.name, "alias": "champion", "ledger": None, "registry": "1"}
    assert reconcile(explained, "--set", setting) == (1, [move])
