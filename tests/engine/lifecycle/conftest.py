from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mlflow_fixtures import Store

from .models import Models, founded

_NUMBERS = itertools.count(1)


def own_model(folder: Path, store: Store) -> Iterator[Models]:
    """A model of the test's own, without aliases afterwards: others look at all models of the store."""
    models = founded(folder, store, f"lending-{next(_NUMBERS)}")
    yield models
    for alias in models.aliases():
        models.set_alias(alias, None)


@pytest.fixture
def models(store: Store, tmp_path: Path) -> Iterator[Models]:
    """In the SQLite store."""
    yield from own_model(tmp_path / "bank", store)


@pytest.fixture
def served(server: Store, tmp_path: Path) -> Iterator[Models]:
    """Behind a tracking server."""
    yield from own_model(tmp_path / "bank", server)
