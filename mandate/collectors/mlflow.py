"""What the model registry says of a version, and the digest of its files.

The artifact is *measured*: its files were read. Metrics and parameters are what the training run logged, and
only ever *reported*.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from mandate.engine.input.base import Frozen
from mandate.engine.input.gathering import Gathered, Target
from mandate.engine.input.registered import (
    Artifact,
    Dataset,
    LoggedMetric,
    Measurement,
    Model,
    NamedValue,
    RunSource,
    Signature,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_USER = "mlflow.user"
_NOBODY = "unknown"
"""MLflow's own word for a run's user that it was not told."""
_COMMIT = "mlflow.source.git.commit"
_REPOSITORY = "mlflow.source.git.repoURL"
_CONTEXT = "mlflow.data.context"


class Options(Frozen):
    """`collectors.mlflow` in `mandate.yaml`: there is nothing to set, the registry has its own block."""


class Version(Protocol):
    """A registered model version."""

    @property
    def name(self) -> str:
        """The registered model."""

    @property
    def version(self) -> str:
        """The number."""

    @property
    def uri(self) -> str:
        """`models:/<name>/<version>`."""

    @property
    def run_id(self) -> str | None:
        """`None` if it was registered without a run."""

    @property
    def tags(self) -> Mapping[str, str]:
        """Of the version and of its model."""

    @property
    def aliases(self) -> tuple[str, ...]:
        """Sorted."""

    @property
    def entity(self) -> Any:
        """MLflow's `ModelVersion`."""


class Description(Protocol):
    """What the model's own files say of it."""

    @property
    def flavors(self) -> tuple[str, ...]:
        """Sorted."""

    @property
    def signature(self) -> Signature | None:
        """`None` if the model has none."""


class Registered(Protocol):
    """Everything that the registry says of one version."""

    @property
    def version(self) -> Version:
        """As the registry names it."""

    @property
    def run(self) -> Any:
        """MLflow's `Run`, or `None`."""

    @property
    def histories(self) -> Mapping[str, Sequence[Any]]:
        """MLflow's `Metric`s by name."""

    @property
    def description(self) -> Description:
        """Of the model itself."""

    @property
    def artifact(self) -> Artifact:
        """The files, digested."""


class Registry(Protocol):
    """Where versions are registered."""

    def registered(self, uri: str) -> Registered:
        """All about the version. `UnknownSubject`, `RegistryUnavailable`; `SourceMissing` without files."""


class MlflowCollector:
    """Collects the sections `model` and `artifact`."""

    name = "mlflow"

    def __init__(self, options: Options, registry: Registry) -> None:
        self._registry = registry

    def collect(self, target: Target) -> Gathered:
        """What the registry says now; the digest is that of the artifact."""
        registered = self._registry.registered(target.uri)
        model = _model(registered)
        return Gathered(
            {"model": model, "artifact": registered.artifact}, target.uri, registered.artifact.sha256
        )


def _model(registered: Registered) -> Model:
    version, run = registered.version, registered.run
    return Model(
        name=version.name,
        version=version.version,
        run_id=version.run_id,
        aliases=version.aliases,
        tags=_named(version.tags),
        registered_by=version.entity.user_id or version.tags.get(_USER) or None,
        registered_at=_time(version.entity.creation_timestamp),
        flavors=registered.description.flavors,
        signature=registered.description.signature,
        parameters=_named(run.data.params) if run else (),
        metrics=tuple(_metric(name, registered.histories[name]) for name in sorted(registered.histories)),
        datasets=tuple(_dataset(logged) for logged in run.inputs.dataset_inputs)
        if run and run.inputs
        else (),
        source=_source(run),
    )


def _named(values: Mapping[str, str]) -> tuple[NamedValue, ...]:
    return tuple(NamedValue(name=name, value=values[name]) for name in sorted(values))


def _metric(name: str, logged: Sequence[Any]) -> LoggedMetric:
    history = tuple(
        Measurement(step=point.step, time=_time(point.timestamp), value=_value(point.value))
        for point in sorted(logged, key=lambda point: (point.step, point.timestamp))
    )
    return LoggedMetric(name=name, value=history[-1].value, history=history)


def _value(value: float) -> float:
    """MLflow's database keeps an infinity as the largest double there is."""
    largest = sys.float_info.max
    return float("inf") if value >= largest else float("-inf") if value <= -largest else float(value)


def _dataset(logged: Any) -> Dataset:
    dataset = logged.dataset
    context = next((tag.value for tag in logged.tags if tag.key == _CONTEXT), "")
    return Dataset(name=dataset.name, digest=dataset.digest, source=dataset.source, context=context)


def _source(run: Any) -> RunSource:
    if run is None:
        return RunSource(user=None, git_commit=None)
    tags = run.data.tags
    user = tags.get(_USER) or run.info.user_id or None
    return RunSource(
        user=None if user == _NOBODY else user,
        git_commit=tags.get(_COMMIT) or None,
        repository=tags.get(_REPOSITORY) or None,
    )


def _time(milliseconds: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=int(milliseconds))
