from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from mandate.engine.cli.logs import JsonLines
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


class _Collected(logging.Handler):
    """Keeps lines as machines read them."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonLines())
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """What the service logs from here on, a JSON document each."""
    collected, logger = _Collected(), logging.getLogger("mandate.engine.service")
    before = logger.level
    logger.addHandler(collected)
    logger.setLevel(logging.INFO)
    yield collected.lines
    logger.removeHandler(collected)
    logger.setLevel(before)
