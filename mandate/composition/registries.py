"""The model registry, and acts on its models."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from ..engine.configuration import Configuration
from .ledgers import key_folder, opened, public_keys

if TYPE_CHECKING:
    from ..engine.evidence.recorder import Recorder
    from ..engine.lifecycle.performing import Lifecycle
    from ..registry.mlflow import MlflowRegistry


def model_registry(configuration: Configuration) -> MlflowRegistry:
    """The model registry."""
    from ..registry.mlflow import MlflowRegistry

    settings = configuration.settings.registry
    return MlflowRegistry(
        settings.tracking_uri,
        settings.registry_uri,
        folder=configuration.root,
        artifacts=settings.artifacts,
        closed=[configuration.file, configuration.state, key_folder(configuration)],
    )


def lifecycle(
    configuration: Configuration, registry: MlflowRegistry, recorder: Recorder, stack: ExitStack
) -> Lifecycle:
    """Acts on the models of the registry, recorded; the ledger is open until `stack` ends."""
    from ..engine.lifecycle.performing import Lifecycle

    store = stack.enter_context(opened(configuration))
    return Lifecycle(registry, recorder, store, public_keys(configuration))
