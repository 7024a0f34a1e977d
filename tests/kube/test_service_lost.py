"""What a real API server does when Mandate does not answer: it lets nothing in."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.cluster import Model, deployment, pod
from tests.kube.api_server import DEVELOPER
from tests.kube.authority import Authority
from tests.kube.door import POSTED, Door, eventually
from tests.kube.test_objects import APPLY, DEPLOYMENTS, named


@pytest.fixture(scope="module")
def model(door: Door) -> Model:
    return door.allowed_model()


def refused(door: Door, model: Model) -> str:
    """What the API server says of a good Pod that it does not store."""
    with door.api.client(DEVELOPER) as client:
        answer = client.post(POSTED, json=pod(model.annotations, model.image))
    assert answer.status_code == 500, answer.text
    message: str = answer.json()["message"]
    return message


def is_let_in(door: Door, model: Model) -> bool:
    with door.api.client(DEVELOPER) as client:
        return client.post(POSTED, json=pod(model.annotations, model.image)).status_code == 201


def test_a_service_that_is_down_lets_nothing_in_but_what_ends(door: Door, model: Model) -> None:
    found = named(deployment(model.annotations, model.image))
    assert door.api.kubectl(*APPLY, user=DEVELOPER, given=found).exit_code == 0
    door.stop()
    try:
        assert "connection refused" in refused(door, model)
        with door.api.client(DEVELOPER) as client:
            assert client.delete(f"{DEPLOYMENTS}/{found['metadata']['name']}").status_code == 200
    finally:
        door.start()
    assert is_let_in(door, model)


def test_a_service_that_is_slow_lets_nothing_in(door: Door, model: Model) -> None:
    os.kill(door.process.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        message = refused(door, model)
        took = time.monotonic() - began
    finally:
        os.kill(door.process.pid, signal.SIGCONT)
    assert "context deadline exceeded" in message
    assert 9 < took < 15
    eventually(lambda: is_let_in(door, model))


def test_an_opa_that_hangs_lets_nothing_in_and_the_reason_is_still_told(door: Door) -> None:
    """The service answers by itself, before the API server gives up on it and nobody learns why."""
    opa = child(door.process.pid, "opa")
    with door.api.client(DEVELOPER) as client:
        model = door.allowed_model()
        found = named(deployment(model.annotations, model.image))
        os.kill(opa, signal.SIGSTOP)
        try:
            began = time.monotonic()
            answer = client.post(DEPLOYMENTS, json=found)
            took = time.monotonic() - began
        finally:
            os.kill(opa, signal.SIGCONT)
    assert (answer.status_code, answer.json()["reason"]) == (500, "InternalError")
    assert "Undecided by Mandate" in answer.json()["message"]
    assert took < 10
    eventually(lambda: is_let_in(door, model))


def child(parent: int, name: str) -> int:
    """The process of this name that another one started."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (folder / "comm").read_text().strip() == name and ancestors(int(folder.name)) & {parent}:
                return int(folder.name)
    raise AssertionError(f"{parent} has no {name}")


def ancestors(process: int) -> set[int]:
    found = set()
    while process > 1:
        status = Path(f"/proc/{process}/stat").read_text()
        process = int(status.rpartition(")")[2].split()[1])
        found.add(process)
    return found


def test_a_service_with_a_certificate_of_somebody_else_lets_nothing_in(door: Door, model: Model) -> None:
    stranger = Authority()
    door.trust(stranger)
    try:
        with door.api.client(DEVELOPER) as client:
            body = pod(model.annotations, model.image)
            eventually(lambda: client.post(POSTED, json=body).status_code == 500)
        assert "certificate signed by unknown authority" in refused(door, model)
    finally:
        door.trust(door.authority)
    eventually(lambda: is_let_in(door, model))


@contextmanager
def load(door: Door, model: Model) -> Iterator[list[int]]:
    """Requests without a pause, and their statuses."""
    statuses: list[int] = []
    ended = threading.Event()

    def ask() -> None:
        with door.api.client(DEVELOPER) as client:
            while not ended.is_set():
                answer = client.post(POSTED, json=pod(model.annotations, model.image))
                statuses.append(answer.status_code)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield statuses
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def test_certificates_and_authorities_change_under_load_and_no_request_fails(
    door: Door, model: Model
) -> None:
    folder = door.organisation.folder
    log = folder / "serve.log"

    def taken() -> int:
        return log.read_text().count("a new certificate is used")

    with load(door, model) as statuses:
        for _ in range(2):
            before = taken()
            door.authority.issue(folder)
            eventually(lambda before=before: taken() > before)  # type: ignore[misc]
        old, new = door.authority, Authority()
        door.trust(old, new)
        time.sleep(1)  # until the API server has seen it
        before = taken()
        new.issue(folder)
        eventually(lambda: taken() > before)
        door.trust(new)
        door.authority = new
        time.sleep(1)
    assert set(statuses) == {201}
    assert len(statuses) > 50
