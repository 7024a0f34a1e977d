"""The team's training code does what its model card says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from examples.credit import batches
from examples.credit.team.credit import data, evaluation, model
from examples.credit.team.credit.mitigation import FairVote

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "credit"


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    file = tmp_path_factory.mktemp("data") / "applications.csv"
    batches.before_the_snapshot(batches.applications(EXAMPLE / "data" / "hmda.csv")).to_csv(file, index=False)
    return data.read(file)


def _recipe(name: str) -> model.Recipe:
    return model.Recipe.read(EXAMPLE / "team" / "recipes" / f"{name}.yaml")


def test_no_sensitive_column_is_a_feature() -> None:
    assert not set(data.SENSITIVE) & set(data.FEATURES)


@pytest.mark.parametrize("name", ["plain", "fair"])
def test_an_applicants_answer_does_not_depend_on_who_else_applies(name: str, table: pd.DataFrame) -> None:
    features = table[list(data.FEATURES)]
    pipeline = model.trained(_recipe(name), table)
    together = pipeline.predict(features)
    assert np.array_equal(pipeline.predict(features), together)
    assert np.array_equal(pipeline.predict(features.iloc[::-1])[::-1], together)
    assert pipeline.predict(features.tail(1))[0] == together[-1]


@pytest.mark.parametrize("name", ["plain", "fair"])
def test_the_model_needs_no_class_of_the_team(name: str, table: pd.DataFrame) -> None:
    pipeline = model.trained(_recipe(name), table)
    modules = {type(step).__module__.partition(".")[0] for _, step in pipeline.steps}
    assert modules == {"sklearn"}


def test_mitigation_brings_approval_rates_together(table: pd.DataFrame) -> None:
    def difference(name: str) -> float:
        recipe = _recipe(name)
        predictions = evaluation.predictions_table(table, model.out_of_fold(recipe, table))
        metrics = evaluation.reported_metrics(predictions)
        return metrics["demographic_parity_difference_afam_and_single"]

    assert difference("fair") < difference("plain") / 2


def test_predictions_tables_carry_what_an_audit_needs_and_nothing_else(table: pd.DataFrame) -> None:
    predictions = evaluation.predictions_table(table, np.full(len(table), 0.5))
    assert list(predictions) == ["application", "label", "prediction", "score", "afam", "single"]
    assert set(predictions["prediction"]) == {0}  # at 0.5 the pipelines say no


def test_an_unknown_mitigation_is_refused(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("mitigation: wishful_thinking\nfolds: 5\nseed: 1\n")
    with pytest.raises(ValueError, match="wishful_thinking"):
        assert model.Recipe.read(recipe).mitigated


def test_fair_vote_keeps_no_row_of_what_it_was_trained_on() -> None:
    rows = 200
    generator = np.random.default_rng(1)
    features = generator.normal(size=(rows, 2))
    group = pd.Series(["a", "b"] * (rows // 2))
    outcome = pd.Series((features[:, 0] + (group == "a") + generator.normal(size=rows) > 0).astype("int64"))
    vote = FairVote(0.01, 10).fit(features, outcome, sensitive_features=group)
    sizes = [
        array.size
        for _, frozen in vote.vote_.estimators
        for array in vars(frozen.estimator).values()
        if isinstance(array, np.ndarray)
    ]
    assert sizes
    assert max(sizes) < rows
    assert set(vars(vote)) == {"difference_bound", "max_iter", "vote_", "classes_"}
