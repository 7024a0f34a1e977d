"""What all tests have in common."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from mandate.engine.opa import places
from mandate.engine.opa.locate import find_opa
from mandate.engine.opa.recipe import Recipe, build
from tests.postgresql import Server
from tests.verifiers import programs

OPA_1_20_0 = Path(__file__).parent / "opa-1.20.0"

pytest_plugins = ["tests.mlflow_fixtures", "tests.signing_fixtures", "tests.s3_fixtures"]


def pytest_configure(config: pytest.Config) -> None:
    # Variables of the developer's own would override the settings that tests write, and the terminal's width.
    for name in [name for name in os.environ if name.startswith("MANDATE_") or name == "COLUMNS"]:
        del os.environ[name]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a skipped test is a failed one: what was not run was not shown."""
    report = yield
    if report.skipped and os.environ.get("CI"):
        report.outcome = "failed"
    return report


@pytest.fixture(scope="session")
def opa() -> Path:
    """The real OPA: the pinned one, as `make opa` builds it."""
    return find_opa()


@pytest.fixture(scope="session")
def regal() -> Path:
    """The real Regal, likewise."""
    return places.program("regal")


@pytest.fixture(scope="session")
def cosign() -> Path:
    """Cosign, which verifies envelopes."""
    return programs.cosign()


@pytest.fixture(scope="session")
def verify_log() -> Path:
    """A program that verifies heads and proofs of a log without any code of Mandate's."""
    return programs.verify_log()


@pytest.fixture(scope="session")
def versitygw() -> Path:
    """An S3 server of others, with object lock."""
    return programs.versitygw()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Server]:
    """A real PostgreSQL, one for each test process."""
    server = Server.make()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def opa_1_20_0() -> Path:
    """A real OPA of a version that is refused, built once for all test runs of this user."""
    folder = places.data_home() / "opa-1.20.0"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # test processes run in parallel
        built = folder / "opa"
        if not built.exists():
            build(
                Recipe("opa", "1.20.0", "github.com/open-policy-agent/opa", OPA_1_20_0),
                folder,
                progress=print,
            )
    return built
