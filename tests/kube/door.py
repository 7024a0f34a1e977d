"""A cluster with Mandate at its door: the shipped manifests, a real API server, the service as a process."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from mandate.engine import strict_yaml
from mandate.engine.errors import BadInput
from mandate.engine.service.access.roles import Role
from tests.cluster import Model, new_model
from tests.kube.api_server import ADMIN, DEVELOPER, ENGINEER, GOVERNOR, PATIENCE, ApiServer, running
from tests.kube.authority import Authority, bundle
from tests.organisation import Organisation, founded
from tests.service import TOKENS, bearer, with_callers

MANIFESTS = Path(__file__).parents[2] / "deploy/kubernetes/admission"
_SHIPPED_PORT = 8443
_REGISTRATIONS = "/apis/admissionregistration.k8s.io/v1"
_RBAC = "/apis/rbac.authorization.k8s.io/v1"


@dataclass
class Door:
    """The cluster, its API server, and the service."""

    api: ApiServer
    organisation: Organisation
    port: int
    authority: Authority
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> None:
        """Start the service, and wait until it is ready."""
        with (self.organisation.folder / "serve.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "mandate", "serve"],
                cwd=self.organisation.folder,
                stdout=log,
                stderr=log,
            )
        eventually(lambda: self.call("GET", "/readyz").status_code == 200)

    def stop(self) -> None:
        """End the service."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)

    def kill(self) -> None:
        """End it at once, if it was started."""
        if hasattr(self, "process"):
            self.process.kill()
            self.process.wait()

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Ask the service itself."""
        with httpx.Client(
            base_url=f"https://127.0.0.1:{self.port}",
            verify=False,  # noqa: S501  (its certificate is for its name in the cluster)
            timeout=PATIENCE,
            headers=bearer(Role.DECIDER),
        ) as client:
            return client.request(method, path, **more)

    def allowed_model(self) -> Model:
        """A model that was allowed in production."""
        model = new_model()
        answer = self.call("POST", "/v1/decisions", json={"input": model.document})
        assert answer.json()["outcome"] == "allow"
        return model

    def entries(self) -> int:
        """How many entries the ledger has."""
        return int(self.call("GET", "/v1/checkpoint").text.splitlines()[1])

    def trust(self, *authorities: Authority) -> None:
        """Let these vouch for the service, and wait until the API server knows."""
        for name in ("production", "staging"):
            patch = [
                {"op": "replace", "path": "/webhooks/0/clientConfig/caBundle", "value": bundle(*authorities)}
            ]
            path = f"{_REGISTRATIONS}/validatingwebhookconfigurations/mandate-{name}"
            headers = {"Content-Type": "application/json-patch+json"}
            with self.api.client() as client:
                answer = client.patch(path, content=json.dumps(patch), headers=headers)
            assert answer.status_code == 200, answer.text


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until it holds."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            if holds():
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError("it never came")


@contextmanager
def opened(folder: Path) -> Iterator[Door]:
    """A cluster whose namespace `lending` is in production, and `play` in no environment."""
    (own := folder / "organisation").mkdir()
    (cluster := folder / "cluster").mkdir()
    port = _free_port()
    authority = Authority()
    authority.issue(own)
    organisation = with_callers(
        founded(own, trusting=True),
        listen=f"127.0.0.1:{port}",
        tls={"certificate": "tls.crt", "key": "tls.key"},
        admission={"break_glass_groups": ["sre"], "break_glass_callers": ["decider"]},
    )
    token = TOKENS[Role.DECIDER][0]
    names = ("mandate.mandate.svc", f"mandate.mandate.svc:{port}")
    with running(cluster, dict.fromkeys(names, token)) as api:
        door = Door(api, organisation, port, authority)
        try:
            door.start()
            _furnish(door)
            yield door
        finally:
            door.kill()


def _furnish(door: Door) -> None:
    made: list[tuple[str, dict[str, Any]]] = [
        ("/api/v1/namespaces", _named("Namespace", "mandate")),
        ("/api/v1/namespaces", _named("Namespace", "play")),
        (
            "/api/v1/namespaces",
            _named("Namespace", "lending", labels={"mandate.dev/environment": "production"}),
        ),
        (
            # The service's address in the cluster: here, this machine.
            "/api/v1/namespaces/mandate/services",
            _named("Service", "mandate") | {"spec": {"type": "ExternalName", "externalName": "localhost"}},
        ),
        *((f"{_RBAC}/clusterrolebindings", _binding(user, "edit-all")) for user in (DEVELOPER, ENGINEER)),
        (f"{_RBAC}/clusterrolebindings", _binding(GOVERNOR, "edit-all")),
        (f"{_RBAC}/clusterrolebindings", _binding(GOVERNOR, "mandate-relabel-environments")),
        (f"{_RBAC}/clusterroles", _EDIT_ALL),
        *((_place(found), _fitted(found, door)) for found in shipped()),
    ]
    with door.api.client(ADMIN) as client:
        for path, found in made:
            answer = client.post(path, json=found)
            assert answer.status_code == 201, answer.text
    with door.api.client(DEVELOPER) as client:
        # The API server learns of new configurations within a second or so.
        eventually(lambda: client.post(POSTED, json=_PROBE).status_code == 403)
        eventually(lambda: client.post("/api/v1/namespaces?dryRun=All", json=_UNGOVERNED).status_code == 422)


POSTED = "/api/v1/namespaces/lending/pods?dryRun=All"
_PROBE = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "probe"},
    "spec": {"containers": [{"name": "c", "image": "a:1"}]},
}
_EDIT_ALL = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRole",
    "metadata": {"name": "edit-all"},
    # All but the right to relabel environments, and but the configurations of admission.
    "rules": [
        {"apiGroups": ["", "apps", "batch", "serving.kserve.io"], "resources": ["*"], "verbs": ["*"]},
    ],
}


def shipped() -> list[dict[str, Any]]:
    """The objects of the shipped manifests, in the order of their kustomization."""
    kustomization = strict_yaml.load_file(MANIFESTS / "kustomization.yaml", BadInput).value
    found = []
    for name in kustomization["resources"]:
        for text in (MANIFESTS / name).read_text().split("\n---\n"):
            found.append(strict_yaml.load(text.encode(), BadInput, name=name).value)
    return found


def _fitted(found: dict[str, Any], door: Door) -> dict[str, Any]:
    """The object as it is shipped, with our port and our authority."""
    for webhook in found.get("webhooks", []):
        service = webhook["clientConfig"]["service"]
        assert service["port"] == _SHIPPED_PORT
        service["port"] = door.port
        webhook["clientConfig"]["caBundle"] = bundle(door.authority)
    return found


def _place(found: dict[str, Any]) -> str:
    plural = {
        "ValidatingWebhookConfiguration": f"{_REGISTRATIONS}/validatingwebhookconfigurations",
        "ValidatingAdmissionPolicy": f"{_REGISTRATIONS}/validatingadmissionpolicies",
        "ValidatingAdmissionPolicyBinding": f"{_REGISTRATIONS}/validatingadmissionpolicybindings",
        "ClusterRole": f"{_RBAC}/clusterroles",
    }
    return plural[found["kind"]]


def _named(kind: str, name: str, **metadata: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, **metadata}}


_UNGOVERNED = _named("Namespace", "probe", labels={"mandate.dev/environment": "nowhere"})


def _binding(user: str, role: str) -> dict[str, Any]:
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": f"{user}-{role}"},
        "subjects": [{"kind": "User", "apiGroup": group, "name": user}],
        "roleRef": {"kind": "ClusterRole", "apiGroup": group, "name": role},
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
