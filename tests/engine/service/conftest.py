from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service import Serving, serving


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A service that all tests of a module share."""
    with serving(tmp_path_factory.mktemp("service")) as running:
        yield running


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Serving]:
    """A service that takes on little: one decision at a time, none waits, short bodies."""
    limits = {"at_once": 1, "waiting": 0, "body_bytes": 30_000, "batch": 3, "seconds": 5}
    with serving(tmp_path, limits=limits) as running:
        yield running
