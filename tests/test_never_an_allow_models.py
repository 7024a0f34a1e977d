"""What must never happen when facts are collected: against a real MLflow, with predictions in real files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mandate.engine.errors import RegistryUnavailable
from mandate.registry.mlflow import MlflowRegistry
from tests.mlflow_fixtures import Store, quiet
from tests.organisation import Organisation, Ran

SELECTION = (
    "include: {default: [registry.signature, 'registry.digest:artifact', fairness.demographic_parity]}\n"
)
FAIR = "".join(
    f"{number},{label},{label},{sex}\n"
    for number, (label, sex) in enumerate([("yes", "f"), ("no", "f"), ("yes", "m"), ("no", "m")] * 40)
)
HEADER = "id,approved,predicted,sex\n"


@pytest.fixture
def organisation(store: Store, tmp_path: Path) -> Iterator[Organisation]:
    """An organisation whose selected rules the store's version 1 satisfies.

    Aliases that a test sets are removed after it: other tests use the same store.
    """
    organisation = Organisation(tmp_path)
    assert organisation.mandate("init", "--name", "bank.example/models").exit_code == 0
    (tmp_path / "policies/selection.yaml").write_text(SELECTION)
    collectors = {
        "mlflow": {},
        "fairness": {
            "predictions": "predictions.csv",
            "labels": "labels.csv",
            "id": "id",
            "label": "approved",
            "prediction": "predicted",
            "positive": "yes",
            "sensitive": ["sex"],
        },
    }
    settings = {
        "ledger": {"name": "bank.example/models"},
        "registry": store.settings(),
        "collectors": collectors,
    }
    (tmp_path / "mandate.yaml").write_text(json.dumps(settings))
    (tmp_path / "predictions.csv").write_text(HEADER + FAIR)
    (tmp_path / "labels.csv").write_text(HEADER + FAIR)
    yield organisation
    with quiet():
        client = store.client()
        for alias in client.get_registered_model("credit").aliases:
            if alias not in ("champion", "challenger"):
                client.delete_registered_model_alias("credit", alias)


def check(organisation: Organisation, subject: str = "models:/credit@champion") -> Ran:
    return organisation.mandate("check", subject, "--output", "json")


def refused(ran: Ran, exit_code: int) -> Any:
    assert ran.exit_code == exit_code, ran.out + ran.err
    answer = ran.json
    assert answer["outcome"] != "allow"
    assert "internal error" not in ran.out
    return answer


def test_the_model_is_allowed_or_these_tests_show_nothing(organisation: Organisation) -> None:
    ran = check(organisation)
    assert ran.exit_code == 0, ran.out
    assert ran.json["subject"]["uri"] == "models:/credit/1"


@pytest.mark.parametrize(
    ("subject", "advice"),
    [
        ("models:/credit/99", "it has no version 99"),
        ("models:/credti/1", "there is no registered model"),
        ("models:/credit@champoin", "The nearest is champion"),
        ("models:/credit/Production", "models:/credit"),
        ("credit", "models:/"),
        ("models:/../../etc/passwd", ""),
        ("models:/cred'it\"; DROP TABLE x;--/1", ""),
        ("models:/credit\x1b[31m/1", ""),
        ("models:/" + "x" * 10_000 + "/1", ""),
    ],
)
def test_a_model_that_is_not_there_is_a_bad_request(
    organisation: Organisation, subject: str, advice: str
) -> None:
    ran = check(organisation, subject)
    refused(ran, 2)
    assert advice in ran.out
    assert len(ran.out) < 2_000
    person = organisation.mandate("check", subject)
    assert "\x1b[31m" not in person.err
    assert organisation.decisions() == []


def test_a_registry_that_is_down_is_undecided_and_recorded(organisation: Organisation) -> None:
    ran = organisation.mandate(
        "check", "models:/credit/1", "--output", "json", "--set", "registry.tracking_uri=http://127.0.0.1:9"
    )
    assert refused(ran, 3)["outcome"] == "undecided"
    assert [entry["outcome"] for entry in organisation.decisions()] == ["undecided"]


TABLES = {
    "no content": "",
    "no rows": HEADER,
    "a row less": HEADER + FAIR.split("\n", 1)[1],
    "a row more": HEADER + FAIR + "999,yes,yes,f\n",
    "an id twice": HEADER + FAIR + "0,yes,yes,f\n",
    "a column twice": "id,approved,predicted,predicted,sex\n0,yes,yes,no,f\n",
    "no predictions": HEADER.replace("predicted", "guessed") + FAIR,
    "a third value": HEADER + FAIR.replace("yes,yes", "yes,maybe", 1),
    "a null": HEADER + FAIR.replace("yes,yes", "yes,", 1),
}


@pytest.mark.parametrize("predictions", list(TABLES.values()), ids=list(TABLES))
def test_predictions_that_are_not_about_the_labelled_rows_are_undecided(
    organisation: Organisation, predictions: str
) -> None:
    (organisation.folder / "predictions.csv").write_text(predictions)
    answer = refused(check(organisation), 3)
    assert answer["outcome"] == "undecided"
    assert any("fairness" in reason for reason in answer["reasons"])


def test_predictions_that_are_missing_deny_and_name_the_collector(organisation: Organisation) -> None:
    (organisation.folder / "predictions.csv").unlink()
    answer = refused(check(organisation), 1)
    assert [
        finding["outcome"] for finding in answer["findings"] if finding["rule"].startswith("fairness")
    ] == ["no_verdict"]
    assert "predictions.csv" in json.dumps(answer["findings"])


def test_an_attribute_with_one_group_is_denied(organisation: Organisation) -> None:
    rows = "".join(f"{line}\n" for line in FAIR.splitlines() if line.endswith("f"))
    for table in ("predictions.csv", "labels.csv"):
        (organisation.folder / table).write_text(HEADER + rows)
    refused(check(organisation), 1)


def test_a_model_without_a_signature_is_denied(organisation: Organisation) -> None:
    answer = refused(check(organisation, "models:/credit/4"), 1)
    failed = [
        finding["rule"] for finding in answer["findings"] if finding["outcome"] in ("violation", "no_verdict")
    ]
    assert set(failed) == {"registry.signature"}


def test_a_logged_number_that_cannot_be_recorded_is_undecided_and_names_the_collector(
    organisation: Organisation, store: Store
) -> None:
    with quiet():
        version = store.publish("endless")
        client = store.client()
        client.log_metric(client.get_model_version("endless", version).run_id, "loss", 0.1, step=2**60)
    answer = refused(check(organisation, f"models:/endless/{version}"), 3)
    assert "The collector mlflow could not find out" in answer["reasons"][0]
    assert [entry["outcome"] for entry in organisation.decisions()] == ["undecided"]


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What happens between collecting and the second look: calls in this list are made then."""
    acts: list[Any] = []
    resolve = MlflowRegistry.resolve
    looked: list[str] = []

    def resolving(self: MlflowRegistry, uri: str) -> Any:
        looked.append(uri)
        if "@" in uri and looked.count(uri) == 2:
            for act in acts:
                act()
        return resolve(self, uri)

    monkeypatch.setattr(MlflowRegistry, "resolve", resolving)
    yield acts
    assert acts == [] or any(looked.count(uri) == 2 for uri in looked)


def test_an_alias_that_moves_meanwhile_is_undecided(
    organisation: Organisation, store: Store, meanwhile: list[Any]
) -> None:
    with quiet():
        client = store.client()
        client.set_registered_model_alias("credit", "moving", "1")
        meanwhile.append(lambda: client.set_registered_model_alias("credit", "moving", "2"))
        answer = refused(check(organisation, "models:/credit@moving"), 3)
    assert "names models:/credit/2 now" in answer["reasons"][0]
    assert [entry["outcome"] for entry in organisation.decisions()] == ["undecided"]


def test_files_that_change_meanwhile_are_undecided(
    organisation: Organisation, store: Store, meanwhile: list[Any]
) -> None:
    with quiet():
        client = store.client()
        uri = client.get_model_version_download_uri("credit", "2")
        client.set_registered_model_alias("credit", "tampered", "2")
        (file,) = (path for path in store.folder.rglob("MLmodel") if _is_of(path, uri, store))
        before = file.read_bytes()
        meanwhile.append(lambda: file.write_bytes(before + b"\n# changed\n"))
        try:
            answer = refused(check(organisation, "models:/credit@tampered"), 3)
        finally:
            file.write_bytes(before)
    assert "its files changed while it was judged" in answer["reasons"][0]


def _is_of(path: Path, uri: str, store: Store) -> bool:
    return uri.removeprefix("file://") in str(path)


def test_a_denied_model_is_not_promoted(organisation: Organisation, store: Store) -> None:
    ran = organisation.mandate("promote", "models:/credit/4", "--alias", "live", "--output", "json")
    assert refused(ran, 1)["alias"] is None
    assert store.registry().alias("credit", "live") is None
    assert (
        "the alias live did not move"
        in organisation.mandate("promote", "models:/credit/4", "--alias", "live").out
    )


def test_an_allowed_model_is_promoted_and_the_former_version_named(
    organisation: Organisation, store: Store
) -> None:
    with quiet():
        store.client().set_registered_model_alias("credit", "live-2", "4")
    ran = organisation.mandate("promote", "models:/credit/1", "--alias", "live-2", "--output", "json")
    assert ran.exit_code == 0, ran.out
    assert ran.json["alias"] == {"alias": "live-2", "from": "4", "to": "1"}
    assert store.registry().alias("credit", "live-2") == "1"
    shown = organisation.mandate("promote", "models:/credit/1", "--alias", "live-2")
    assert "the alias live-2 now names version 1 (was version 1)" in shown.out


def test_an_alias_that_cannot_be_moved_does_not_cost_the_recorded_answer(
    organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RegistryUnavailable("it is read-only", where="the registry")

    monkeypatch.setattr(MlflowRegistry, "move_alias", refuse)
    ran = organisation.mandate("promote", "models:/credit/1", "--alias", "stuck", "--output", "json")
    assert ran.exit_code == 3
    assert (ran.json["outcome"], ran.json["alias"]) == ("allow", None)
    assert ran.json["alias_error"] == "the registry: it is read-only."
    person = organisation.mandate("promote", "models:/credit/1", "--alias", "stuck")
    assert person.exit_code == 3
    assert " ALLOW " in person.out
    assert "the alias stuck did not move" in person.out
    assert "it is read-only" in person.err


def test_collected_facts_can_be_judged_as_a_document_elsewhere(organisation: Organisation) -> None:
    collected = organisation.mandate("collect", "models:/credit/1")
    assert collected.exit_code == 0
    claimed = organisation.check(collected.json)
    assert claimed.exit_code == 1  # in production, what is only reported proves nothing
    assert organisation.check(collected.json, "--environment", "staging").exit_code == 0


def test_whoever_makes_a_version_does_not_choose_its_risk_tier(
    organisation: Organisation, store: Store
) -> None:
    files = {"MLmodel": b"flavors: {}\n"}
    version = store.publish("untagged", files=files)
    with quiet():
        store.client().set_model_version_tag("untagged", version, "mandate.risk_tier", "low")
    judged = check(organisation, f"models:/untagged/{version}").json
    assert judged["subject"]["risk_tier"] == "unknown"
    with quiet():
        store.client().set_registered_model_tag("untagged", "mandate.risk_tier", "limited")
    judged = check(organisation, f"models:/untagged/{version}").json
    assert judged["subject"]["risk_tier"] == "limited"
