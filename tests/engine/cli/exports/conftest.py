"""A ledger that is to be exported, and one that was: each test has a copy of its own to change."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.exporting import (
    copy,
    exported,
    grow,
    lose,
    organisation,
)
from tests.organisation import Organisation


@pytest.fixture(scope="session")
def decided(tmp_path_factory: pytest.TempPathFactory) -> Organisation:
    """Its ledger has 704 entries, two of them decisions."""
    made = organisation(tmp_path_factory.mktemp("decided"))
    grow(made, 700)
    return made


@pytest.fixture(scope="session")
def done(decided: Organisation, tmp_path_factory: pytest.TempPathFactory) -> Organisation:
    """It has exported its ledger into `export`, and is not to be changed."""
    made = copy(decided, tmp_path_factory.mktemp("done") / "exporter")
    exported(made, "export")
    return made


@pytest.fixture(scope="session")
def whole(done: Organisation) -> Path:
    """The export, which is not to be changed."""
    return done.folder / "export"


@pytest.fixture
def exporter(decided: Organisation, tmp_path: Path) -> Organisation:
    """The organisation, which exports."""
    return copy(decided, tmp_path / "exporter")


@pytest.fixture
def archivist(done: Organisation, tmp_path: Path) -> Organisation:
    """The organisation, which has exported."""
    return copy(done, tmp_path / "archivist")


@pytest.fixture
def export(whole: Path, tmp_path: Path) -> Path:
    """The export, to be changed."""
    shutil.copytree(whole, tmp_path / "export")
    return tmp_path / "export"


@pytest.fixture
def auditor(decided: Organisation, tmp_path: Path) -> Organisation:
    """The organisation, which has lost its ledger."""
    robbed = copy(decided, tmp_path / "auditor")
    lose(robbed)
    return robbed
