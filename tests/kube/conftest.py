"""One cluster for all tests of this folder: the API server takes seconds to start."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kube.api_server import ApiServer, running
from tests.kube.door import Door, opened
from tests.kube.manifests import APPLY, listed, rendered


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of them run in one process, which has the cluster."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("kube"))


@pytest.fixture(scope="session")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with opened(tmp_path_factory.mktemp("kube")) as running:
        yield running


@pytest.fixture(scope="session")
def applied(cluster: ApiServer) -> ApiServer:
    """A cluster with everything that is shipped."""
    ran = cluster.kubectl(*APPLY, given=listed(rendered()))
    assert (ran.exit_code, ran.err) == (0, "")
    return cluster


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """A cluster in which nothing of ours is yet."""
    with running(tmp_path_factory.mktemp("cluster"), {}) as api:
        yield api
