"""Train the model by a recipe and log everything that a judge of it could ask for.

    python -m credit.train recipes/plain.yaml

Needs MLFLOW_TRACKING_URI. Run it from the root of a clean checkout.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import warnings
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, Schema
from sklearn.pipeline import Pipeline

from . import card, data, evaluation, model, provenance

_NAME = "credit"
"""Of the experiment and of the registered model."""

_SIGNATURE = ModelSignature(
    inputs=Schema([ColSpec(data.NUMBERS.get(name, "string"), name) for name in data.FEATURES]),
    outputs=Schema([ColSpec("long", data.OUTCOME)]),
)
"""Written down, not inferred: what the model takes is a decision."""

_TRUSTED = ["sklearn.frozen._frozen.FrozenEstimator", "sklearn.utils._bunch.Bunch"]
"""What skops may load beside what it trusts anyway. Unlike a pickle, the model's file runs no code."""


def main(arguments: Sequence[str]) -> int:
    """Train by the recipe that `arguments` name, log, register, and say what came out."""
    parser = argparse.ArgumentParser(prog="python -m credit.train", description="Train and log the credit model.")
    parser.add_argument("recipe", type=Path, help="a file in recipes/")
    parser.add_argument("--artifacts", type=Path, help="where MLflow keeps the files, if it has no place yet")
    parser.add_argument("--result", type=Path, help="write what was registered to this JSON file")
    options = parser.parse_args(arguments)
    recipe_file = options.recipe
    checkout = provenance.Checkout.of(Path.cwd())
    if checkout.dirty:
        print("The work tree differs from the commit: commit first, so that the model can be traced.")
        return 1
    recipe = model.Recipe.read(recipe_file)
    if mlflow.get_experiment_by_name(_NAME) is None:
        mlflow.create_experiment(_NAME, options.artifacts and options.artifacts.resolve().as_uri())
    mlflow.set_experiment(_NAME)
    as_of = datetime.now(UTC)
    table = data.read(Path("data/applications.csv"))

    predictions = evaluation.predictions_table(table, model.out_of_fold(recipe, table))
    metrics = evaluation.reported_metrics(predictions)
    pipeline = model.trained(recipe, table)
    print(
        f"{len(table):,} rows, out of fold: accuracy {metrics['accuracy']:.4f}, approval rates differ by "
        f"{metrics['demographic_parity_difference_afam']:.4f} (afam)"
    )
    registered = _logged(recipe, recipe_file, checkout, table, as_of, predictions, metrics, pipeline)
    print(f"registered as version {registered['version']} of {_NAME}, sha256:{registered['sha256']}")
    if options.result:
        options.result.write_text(json.dumps(registered, indent=2) + "\n")
    return 0


def _logged(
    recipe: model.Recipe,
    recipe_file: Path,
    checkout: provenance.Checkout,
    table: pd.DataFrame,
    as_of: datetime,
    predictions: pd.DataFrame,
    metrics: dict[str, float],
    pipeline: Pipeline,
) -> dict[str, str]:
    """Log the run, register the model and return its `name`, `version` and `sha256` (root digest)."""
    tags = {
        "mlflow.user": checkout.author,
        "mlflow.source.git.commit": checkout.commit,
        "mlflow.source.name": "credit/train.py",
    }
    with mlflow.start_run(run_name=recipe_file.stem, tags=tags) as run, tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        snapshot = scratch / "training.parquet"
        table.to_parquet(snapshot, index=False)
        evaluated = scratch / "predictions.parquet"
        predictions.to_parquet(evaluated, index=False)

        mlflow.log_params({name: value for name, value in vars(recipe).items() if value is not None})
        mlflow.log_metrics(metrics)
        mlflow.log_artifact(str(snapshot), "data")
        _log_dataset(table, mlflow.get_artifact_uri(f"data/{snapshot.name}"))
        mlflow.log_artifact(str(evaluated), "evaluation")
        written = card.written(
            recipe,
            table,
            predictions,
            metrics,
            data_sha256=provenance.file_sha256(snapshot),
            as_of=as_of,
            author=checkout.author,
        )
        mlflow.log_text(written, "model_card.md")
        saved = mlflow.sklearn.log_model(
            pipeline,
            name="model",
            signature=_SIGNATURE,
            input_example=table[list(data.FEATURES)].head(3),
            skops_trusted_types=_TRUSTED,
            pip_requirements=_requirements(),
        )
        copy = Path(mlflow.artifacts.download_artifacts(saved.model_uri, dst_path=str(scratch / "model")))
        _predicts_the_same(copy, pipeline, table)
        seed = provenance.record(
            recipe, checkout, run_id=run.info.run_id, snapshot=snapshot, as_of=as_of, model=copy
        )
        mlflow.log_dict(seed, "provenance.json")
        registered = mlflow.register_model(saved.model_uri, _NAME, tags={"recipe": recipe_file.stem})
    return {"name": _NAME, "version": str(registered.version), "sha256": seed["output"]["model_sha256"]}


def _log_dataset(table: pd.DataFrame, source: str) -> None:
    """Log the training table, stored at `source`, as the run's dataset: its schema and MLflow's digest."""
    with warnings.catch_warnings():
        # MLflow lists its only reader of local files twice, and finds that ambiguous.
        warnings.filterwarnings("ignore", "The specified dataset source can be interpreted in multiple ways")
        # No integer column is ever null here: the signature says so.
        warnings.filterwarnings("ignore", "Hint: Inferred schema contains integer column")
        dataset = mlflow.data.from_pandas(table, source=source, targets=data.OUTCOME, name="hmda-boston-1990")
        mlflow.log_input(dataset, context="training")


def _requirements() -> list[str]:
    """What the model needs to predict, at the versions that trained it."""
    return [f"{name}=={version(name)}" for name in ("mlflow", "numpy", "pandas", "scikit-learn", "skops")]


def _predicts_the_same(copy: Path, pipeline: Pipeline, table: pd.DataFrame) -> None:
    """`RuntimeError` if the model as saved does not predict what the trained one does."""
    features = table[list(data.FEATURES)]
    if not np.array_equal(mlflow.pyfunc.load_model(str(copy)).predict(features), pipeline.predict(features)):
        raise RuntimeError("the saved model does not predict what the trained one does: nothing was registered")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
