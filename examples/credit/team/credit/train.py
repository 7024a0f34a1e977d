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
from dataclasses import dataclass
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
    parser = argparse.ArgumentParser(
        prog="python -m credit.train", description="Train and log the credit model."
    )
    parser.add_argument("recipe", type=Path, help="a file in recipes/")
    parser.add_argument("--artifacts", type=Path, help="where MLflow keeps the files, if it has no place yet")
    parser.add_argument("--result", type=Path, help="write what was registered to this JSON file")
    options = parser.parse_args(arguments)
    checkout = provenance.Checkout.of(Path.cwd())
    if checkout.dirty:
        print("The work tree differs from the commit: commit first, so that the model can be traced.")
        return 1
    if mlflow.get_experiment_by_name(_NAME) is None:
        mlflow.create_experiment(_NAME, options.artifacts and options.artifacts.resolve().as_uri())
    mlflow.set_experiment(_NAME)

    trained = _trained(options.recipe, checkout)
    print(
        f"{len(trained.table):,} rows, out of fold: accuracy {trained.metrics['accuracy']:.4f}, "
        f"approval rates differ by {trained.metrics['demographic_parity_difference_afam']:.4f} (afam)"
    )
    registered = _logged(trained)
    print(f"registered as version {registered['version']} of {_NAME}, sha256:{registered['sha256']}")
    if options.result:
        options.result.write_text(json.dumps(registered, indent=2) + "\n")
    return 0


@dataclass(frozen=True)
class _Trained:
    """A model, and what it was made from."""

    recipe: model.Recipe
    recipe_name: str
    checkout: provenance.Checkout
    table: pd.DataFrame
    as_of: datetime
    """When the snapshot of the data was taken."""
    predictions: pd.DataFrame
    metrics: dict[str, float]
    pipeline: Pipeline


def _trained(recipe_file: Path, checkout: provenance.Checkout) -> _Trained:
    recipe = model.Recipe.read(recipe_file)
    as_of = datetime.now(UTC)
    table = data.read(Path("data/applications.csv"))
    predictions = evaluation.predictions_table(table, model.out_of_fold(recipe, table))
    return _Trained(
        recipe=recipe,
        recipe_name=recipe_file.stem,
        checkout=checkout,
        table=table,
        as_of=as_of,
        predictions=predictions,
        metrics=evaluation.reported_metrics(predictions),
        pipeline=model.trained(recipe, table),
    )


def _logged(trained: _Trained) -> dict[str, str]:
    """Log the run, register the model and return its `name`, `version` and `sha256` (root digest)."""
    tags = {
        "mlflow.user": trained.checkout.author,
        "mlflow.source.git.commit": trained.checkout.commit,
        "mlflow.source.name": "credit/train.py",
    }
    with (
        tempfile.TemporaryDirectory() as folder,
        mlflow.start_run(run_name=trained.recipe_name, tags=tags) as run,
    ):
        scratch = Path(folder)
        snapshot = scratch / "training.parquet"
        trained.table.to_parquet(snapshot, index=False)
        evaluated = scratch / "predictions.parquet"
        trained.predictions.to_parquet(evaluated, index=False)

        mlflow.log_params({key: value for key, value in vars(trained.recipe).items() if value is not None})
        mlflow.log_metrics(trained.metrics)
        mlflow.log_artifact(str(snapshot), "data")
        _log_dataset(trained.table, mlflow.get_artifact_uri(f"data/{snapshot.name}"))
        mlflow.log_artifact(str(evaluated), "evaluation")
        mlflow.log_artifact(__file__, "code")
        mlflow.log_artifact(str(trained.checkout.root / "requirements.lock"), "environment")
        mlflow.log_text(_card(trained, provenance.file_sha256(snapshot)), "model_card.md")
        saved = mlflow.sklearn.log_model(
            trained.pipeline,
            name="model",
            signature=_SIGNATURE,
            input_example=trained.table[list(data.FEATURES)].head(3),
            skops_trusted_types=_TRUSTED,
            pip_requirements=_requirements(),
        )
        # From where the files are. By the model's name, MLflow would add one of its own to the copy.
        stored = mlflow.get_logged_model(saved.model_id).artifact_location
        copy = Path(mlflow.artifacts.download_artifacts(stored, dst_path=str(scratch / "model")))
        model_sha256 = provenance.model_root_digest(copy)
        _predicts_the_same(copy, trained)
        seed = provenance.record(
            trained.recipe,
            trained.checkout,
            run_id=run.info.run_id,
            snapshot=snapshot,
            as_of=trained.as_of,
            model_sha256=model_sha256,
        )
        mlflow.log_dict(seed, "provenance.json")
        registered = mlflow.register_model(saved.model_uri, _NAME, tags={"recipe": trained.recipe_name})
    return {"name": _NAME, "version": str(registered.version), "sha256": model_sha256}


def _card(trained: _Trained, data_sha256: str) -> str:
    return card.written(
        trained.recipe,
        trained.table,
        trained.predictions,
        trained.metrics,
        data_sha256=data_sha256,
        as_of=trained.as_of,
        author=trained.checkout.author,
    )


def _log_dataset(table: pd.DataFrame, source: str) -> None:
    """Log the training table, stored at `source`, as the run's dataset: its schema and MLflow's digest."""
    with warnings.catch_warnings():
        # MLflow lists its only reader of local files twice, and finds that ambiguous.
        warnings.filterwarnings("ignore", "The specified dataset source can be interpreted in multiple ways")
        # No integer column is ever null here: the signature says so.
        warnings.filterwarnings("ignore", "Hint: Inferred schema contains integer column")
        dataset = mlflow.data.from_pandas(table, source, targets=data.OUTCOME, name="hmda-boston-1990")
        mlflow.log_input(dataset, context="training")


def _requirements() -> list[str]:
    """What the model needs to predict, at the versions that trained it."""
    return [f"{name}=={version(name)}" for name in ("mlflow", "numpy", "pandas", "scikit-learn", "skops")]


def _predicts_the_same(copy: Path, trained: _Trained) -> None:
    """`RuntimeError` if the model as saved does not predict what the trained one does."""
    features = trained.table[list(data.FEATURES)]
    saved = mlflow.pyfunc.load_model(str(copy))
    if not np.array_equal(saved.predict(features), trained.pipeline.predict(features)):
        raise RuntimeError("the saved model does not predict what the trained one does: not registered")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
