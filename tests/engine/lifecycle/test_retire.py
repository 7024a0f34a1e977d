from __future__ import annotations

import shutil
from typing import Any

import pytest

from mandate.engine.errors import RegistryUnavailable
from mandate.registry.mlflow import MlflowRegistry
from tests.mlflow_fixtures import quiet

from .models import Models, outline

pytestmark = pytest.mark.xdist_group("mlflow")


def retire(models: Models, subject: str) -> Any:
    return models.mandate("retire", subject, "--reason", "replaced", "--output", "json")


def test_a_retired_version_loses_its_aliases_and_is_marked_by_the_entry_that_says_why(models: Models) -> None:
    one, two = models.publish("1"), models.publish("2")
    models.promoted(one)
    models.set_alias("live", one)
    models.set_alias("challenger", two)
    ran = retire(models, models.champion)
    assert ran.exit_code == 0, ran.out
    intent, result = models.acts()[-2:]
    assert outline([intent, result]) == [("retirement intent", None), ("retirement result", "done")]
    assert ran.json == {
        "subject": {"name": models.name, "version": one, "uri": models.uri(one)},
        "aliases": [
            {"alias": "champion", "from": one, "to": None},
            {"alias": "live", "from": one, "to": None},
        ],
        "act": {
            "intent": {"index": intent["index"], "id": intent["id"]},
            "result": {"index": result["index"], "id": result["id"]},
            "outcome": "done",
        },
        "error": None,
    }
    assert models.aliases() == {"challenger": two}
    assert models.tags(one) == {"mandate.retired": intent["id"]}
    for said in (intent, result):
        assert (said["version"], said["reason"], said["decision"]) == (models.stated(one), "replaced", None)


def test_a_person_is_told_what_is_gone(models: Models) -> None:
    models.promoted(models.publish("1"))
    shown = models.mandate("retire", models.uri("1"), "--reason", "replaced")
    assert shown.exit_code == 0
    assert shown.out == (
        f"\n  {models.name} version 1 is retired\n"
        "  the alias champion is gone (was version 1)\n"
        "  recorded in entry 5 before and entry 6 after\n"
    )


def test_a_version_without_aliases_can_be_retired_and_so_can_one_without_files(models: Models) -> None:
    version = models.publish("1")
    with models.registry() as registry:
        source = registry.resolve(models.uri(version)).entity.source
    shutil.rmtree(source.removeprefix("file://"))
    ran = retire(models, models.uri(version))
    assert (ran.exit_code, ran.json["aliases"]) == (0, [])
    assert models.acts()[-1]["version"] == {"version": version, "sha256": None}
    assert models.tags(version) == {"mandate.retired": ran.json["act"]["intent"]["id"]}


def test_what_is_promoted_again_is_not_retired_any_more(models: Models) -> None:
    version = models.publish("1")
    assert retire(models, models.uri(version)).exit_code == 0
    models.promoted(version)
    assert (models.tags(version), models.aliases()) == ({}, {"champion": version})


def test_a_retirement_that_stops_half_way_says_how_far_it_came(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = models.publish("1")
    for alias in ("a", "b"):
        models.set_alias(alias, version)
    original = MlflowRegistry.move_alias

    def half(registry: MlflowRegistry, name: str, alias: str, *args: Any, **kwargs: Any) -> None:
        if alias == "b":
            raise RegistryUnavailable("no answer in time")
        original(registry, name, alias, *args, **kwargs)

    monkeypatch.setattr(MlflowRegistry, "move_alias", half)
    ran = retire(models, models.uri(version))
    assert (ran.exit_code, ran.json["error"]) == (3, "no answer in time.")
    assert ran.json["aliases"] == [{"alias": "a", "from": version, "to": None}]
    result = models.acts()[-1]
    assert (result["outcome"], result["error"], [move["alias"] for move in result["moves"]]) == (
        "failed",
        f"no answer in time. the alias b names version {version} as before",
        ["a"],
    )
    monkeypatch.undo()
    shown = models.mandate("retire", models.uri(version), "--reason", "replaced")
    assert shown.exit_code == 0
    assert models.aliases() == {}


@pytest.mark.parametrize("reason", ["", "  ", "x" * 2001])
def test_a_reason_that_says_nothing_or_too_much_is_a_bad_request(models: Models, reason: str) -> None:
    ran = models.mandate("retire", models.uri("1"), "--reason", reason)
    assert ran.exit_code == 2
    assert "Write 1 to 2000 characters." in ran.err


def test_a_model_that_nobody_knows_cannot_be_retired(models: Models) -> None:
    ran = models.mandate("retire", "models:/nobody/1", "--reason", "x")
    assert ran.exit_code == 2
    assert "there is no registered model 'nobody'" in ran.err


def test_a_person_is_told_what_kept_a_version_in_service(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = models.publish("1")
    models.set_alias("champion", version)

    def down(*_: object, **__: object) -> None:
        raise RegistryUnavailable("no answer in time")

    monkeypatch.setattr(MlflowRegistry, "mark_retired", down)
    shown = models.mandate("retire", models.uri(version), "--reason", "replaced")
    assert shown.exit_code == 3
    assert shown.out == "  recorded in entry 1 before and entry 2 after\n"
    assert "no answer in time" in shown.err
    assert outline(models.acts()) == [("retirement intent", None), ("retirement result", "failed")]
    assert models.aliases() == {"champion": version}


def test_a_retirement_that_was_cut_off_before_its_model_was_deleted_is_settled(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = models.publish("1")
    models.set_alias("champion", version)

    def down(*_: object, **__: object) -> None:
        monkeypatch.setattr(MlflowRegistry, "aliases", down)
        raise RegistryUnavailable("no answer in time")

    monkeypatch.setattr(MlflowRegistry, "mark_retired", down)
    assert retire(models, models.uri(version)).exit_code == 3
    monkeypatch.undo()
    with quiet():
        models.store.client().delete_registered_model(models.name)
    settled = models.mandate("ledger", "reconcile", "--older-than", "0", "--output", "json").json["settled"]
    assert [(each["outcome"], each["error"]) for each in settled] == [
        ("failed", "the version is not marked as retired")
    ]
