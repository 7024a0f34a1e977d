"""What Mandate adds to a request to a real API server, beside a webhook that only says yes.

The empty webhook is the same framework, server and TLS, in a process of its own. Objects are created one
after the other, of each kind in turn: a Pod that no webhook is asked about, one that the empty webhook is
asked about, one that Mandate looks up, and a Deployment that Mandate judges and records.

    python -m tests.bench.admission [ROUNDS]
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from tests.cluster import Object, deployment, pod
from tests.kube.api_server import ADMIN, DEVELOPER
from tests.kube.authority import bundle
from tests.kube.door import Door, eventually, opened
from tests.organisation import with_value

ROUNDS = 200
_CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"


def main(rounds: int = ROUNDS) -> None:
    """Measure, and print a table."""
    with TemporaryDirectory() as name, opened(Path(name)) as door, _empty(door):
        model = door.allowed_model()
        good = pod(model.annotations, model.image)
        made: dict[str, tuple[str, Object]] = {
            "a Pod, no webhook": ("/api/v1/namespaces/play/pods", good),
            "a Pod, empty webhook": ("/api/v1/namespaces/empty/pods", good),
            "a Pod, Mandate": ("/api/v1/namespaces/lending/pods", good),
            "a Deployment, no webhook": (
                "/apis/apps/v1/namespaces/play/deployments",
                deployment(model.annotations, model.image),
            ),
            "a Deployment, Mandate": (
                "/apis/apps/v1/namespaces/lending/deployments",
                deployment(model.annotations, model.image),
            ),
        }
        seconds: dict[str, list[float]] = {label: [] for label in made}
        with door.api.client(DEVELOPER) as client:
            for number in range(-10, rounds):
                for label, (path, found) in made.items():
                    took = _create(client, path, found, number)
                    if number >= 0:
                        seconds[label].append(took)
    _print({label: statistics.median(each) * 1000 for label, each in seconds.items()}, rounds)


def _create(client: httpx.Client, path: str, found: Object, number: int) -> float:
    namespace = path.split("/namespaces/")[1].split("/", maxsplit=1)[0]
    named = with_value(
        with_value(found, ("metadata", "name"), f"bench-{number + 10}"), ("metadata", "namespace"), namespace
    )
    began = time.perf_counter()
    answer = client.post(path, json=named)
    took = time.perf_counter() - began
    assert answer.status_code == 201, answer.text
    return took


def _print(median: dict[str, float], rounds: int) -> None:
    cores = len(os.sched_getaffinity(0))
    print(
        f"{platform.machine()}, {cores} cores, Python {platform.python_version()}, {rounds} of each in turn"
    )
    for label, milliseconds in median.items():
        added = milliseconds - median[f"{label.split(',')[0]}, no webhook"]
        print(f"  {label:<28}{milliseconds:6.1f} ms   adds {added:5.1f} ms")


@contextmanager
def _empty(door: Door) -> Iterator[None]:
    """A namespace about which a webhook is asked that says yes, in a process of its own."""
    folder = door.organisation.folder
    (folder / "empty.py").write_text(_EMPTY)
    port = door.port + 1
    command = [sys.executable, "-m", "uvicorn", "empty:app", f"--port={port}", "--log-level=error"]
    command += ["--ssl-certfile=tls.crt", "--ssl-keyfile=tls.key", "--timeout-keep-alive=120"]
    process = subprocess.Popen(command, cwd=folder)
    try:
        eventually(lambda: httpx.get(f"https://127.0.0.1:{port}/", verify=False).status_code == 404)  # noqa: S501
        with door.api.client(ADMIN) as client:
            for path, found in (
                ("/api/v1/namespaces", _NAMESPACE),
                (_CONFIGURATIONS, _configuration(door, port)),
            ):
                answer = client.post(path, json=found)
                assert answer.status_code == 201, answer.text
        time.sleep(3)  # until the API server knows
        yield
    finally:
        process.terminate()
        process.wait()


_EMPTY = """
from fastapi import FastAPI, Request

app = FastAPI()


@app.post("/review")
async def review(request: Request):
    asked = (await request.json())["request"]
    answer = {"uid": asked["uid"], "allowed": True}
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": answer}
"""
_NAMESPACE = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {"name": "empty", "labels": {"bench": "empty"}},
}


def _configuration(door: Door, port: int) -> dict[str, Any]:
    service = {"namespace": "mandate", "name": "mandate", "port": port, "path": "/review"}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "empty"},
        "webhooks": [
            {
                "name": "empty.bench.mandate.dev",
                "clientConfig": {"service": service, "caBundle": bundle(door.authority)},
                "namespaceSelector": {"matchLabels": {"bench": "empty"}},
                "rules": [
                    {
                        "apiGroups": ["", "apps"],
                        "apiVersions": ["v1"],
                        "operations": ["CREATE"],
                        "resources": ["pods", "deployments"],
                    }
                ],
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
            }
        ],
    }


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
