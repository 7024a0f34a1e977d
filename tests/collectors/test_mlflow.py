from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mandate.collectors.mlflow import MlflowCollector, Options
from mandate.engine.errors import RegistryUnavailable, UnknownSubject
from mandate.engine.input.gathering import Gathered, Target
from mandate.engine.input.registered import (
    Column,
    LoggedMetric,
    Model,
    NamedValue,
    RunSource,
    Signature,
)
from mandate.engine.input.subject import Action
from tests.mlflow_fixtures import COMMIT, Store

pytestmark = pytest.mark.xdist_group("mlflow")


@pytest.fixture(params=["store", "server"])
def either(request: pytest.FixtureRequest) -> Store:
    found: Store = request.getfixturevalue(request.param)
    return found


def collect(store: Store, version: str, name: str = "credit") -> Gathered:
    target = Target(name, version, f"models:/{name}/{version}", None, Action.PROMOTE, "production")
    with store.registry() as registry:
        return MlflowCollector(Options(), registry).collect(target)


def test_everything_about_a_version_is_collected(either: Store) -> None:
    gathered = collect(either, "1")
    model, artifact = gathered.sections["model"], gathered.sections["artifact"]
    assert isinstance(model, Model)
    assert (gathered.source, gathered.sha256) == ("models:/credit/1", artifact.sha256)
    assert {file.path for file in artifact.files} >= {"MLmodel", "requirements.txt"}
    assert datetime.now(UTC) - model.registered_at < timedelta(hours=1)
    (dataset,) = model.datasets
    assert (dataset.name, dataset.context) == ("applications", "training")
    assert dataset.digest
    assert model == Model(
        name="credit",
        version="1",
        run_id=either.run_id,
        aliases=("champion",),
        tags=(NamedValue(name="mandate.risk_tier", value="high"), NamedValue(name="recipe", value="plain")),
        registered_by=None,
        registered_at=model.registered_at,
        flavors=("python_function", "sklearn"),
        signature=Signature(
            inputs=(Column(name="income", type="double"), Column(name="term", type="long")),
            outputs=(Column(name="0", type="Tensor('int64', (-1,))"),),
        ),
        parameters=(NamedValue(name="C", value="1.0"), NamedValue(name="penalty", value="l2")),
        metrics=model.metrics,
        datasets=(dataset,),
        source=RunSource(user="ada@bank.example", git_commit=COMMIT),
    )


def test_metrics_are_reported_with_their_history(either: Store) -> None:
    loss, unbounded, undefined = collect(either, "1").sections["model"].metrics
    assert isinstance(loss, LoggedMetric)
    assert (loss.name, loss.origin, loss.value) == ("loss", "reported", 0.25)
    assert [(point.step, point.value) for point in loss.history] == [(0, 0.5), (1, 0.25)]
    assert (unbounded.name, unbounded.value) == ("unbounded", "Infinity")
    assert (undefined.name, undefined.value) == ("undefined", "NaN")


def test_a_version_with_little_has_little(either: Store) -> None:
    model = collect(either, "4").sections["model"]
    assert (model.flavors, model.signature, model.metrics, model.parameters, model.datasets) == (
        (),
        None,
        (),
        (),
        (),
    )
    assert model.source == RunSource(user=None, git_commit=None)


def test_both_forms_of_source_have_files(either: Store) -> None:
    logged, folder = (collect(either, version).sections["artifact"] for version in ("1", "2"))
    assert {file.path for file in logged.files} == {file.path for file in folder.files}


def test_a_deleted_version_is_unknown(either: Store) -> None:
    with pytest.raises(UnknownSubject):
        collect(either, "3")


def test_a_registry_that_is_down_is_no_empty_one(store: Store) -> None:
    with pytest.raises(RegistryUnavailable):
        collect(Store("http://127.0.0.1:9", store.folder, ""), "1")
