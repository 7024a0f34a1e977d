"""A real API server with a real etcd, on loopback: a cluster without nodes, in which objects are stored."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from tests.kube import programs

PATIENCE = 90
ADMIN, DEVELOPER, ENGINEER, GOVERNOR = "admin", "dev", "sre", "governor"
_GROUPS = {
    ADMIN: "system:masters",
    DEVELOPER: "developers",
    ENGINEER: "developers,sre",
    GOVERNOR: "developers",
}
_AUDIT = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "Metadata", "verbs": ["create", "update", "patch"], "namespaces": ["lending"]},
        {"level": "None"},
    ],
}


@dataclass(frozen=True)
class Kubectl:
    """A command that ended."""

    exit_code: int
    out: str
    err: str


@dataclass(frozen=True)
class ApiServer:
    """A running API server."""

    folder: Path
    port: int

    def client(self, user: str = ADMIN) -> httpx.Client:
        """A client of its API for a user."""
        headers = {"Authorization": f"Bearer {user}-token"}
        return httpx.Client(
            base_url=f"https://127.0.0.1:{self.port}",
            verify=False,  # noqa: S501  (the server's own certificate, on loopback)
            headers=headers,
            timeout=PATIENCE,
        )

    def kubectl(self, *arguments: str, user: str = ADMIN, given: Any = None) -> Kubectl:
        """Run kubectl as this user, with an object on its standard input."""
        ran = subprocess.run(
            [
                programs.kubectl(),
                f"--kubeconfig={self.folder / 'kubeconfig'}",
                f"--user={user}",
                *arguments,
            ],
            input=None if given is None else json.dumps(given),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return Kubectl(ran.returncode, ran.stdout, ran.stderr)

    def audit(self) -> list[dict[str, Any]]:
        """The events of the audit log so far."""
        return [json.loads(line) for line in (self.folder / "audit.log").read_text().splitlines()]


@contextmanager
def running(folder: Path, webhook: Mapping[str, str]) -> Iterator[ApiServer]:
    """A new cluster; `webhook` has the token to show to each service, by its name with the port."""
    store_port, peer_port, port = (_free_port() for _ in range(3))
    _files(folder, port, webhook)
    store = f"http://127.0.0.1:{store_port}"
    peer = f"http://127.0.0.1:{peer_port}"
    commands = {
        "etcd": [
            str(programs.etcd()),
            f"--data-dir={folder / 'etcd'}",
            f"--listen-client-urls={store}",
            f"--advertise-client-urls={store}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",
        ],
        "apiserver": [
            str(programs.kube_apiserver()),
            f"--etcd-servers={store}",
            "--bind-address=127.0.0.1",
            f"--secure-port={port}",
            f"--cert-dir={folder / 'pki'}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={folder / 'sa.pub'}",
            f"--service-account-signing-key-file={folder / 'sa.key'}",
            f"--token-auth-file={folder / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.0.0.0/24",
            # There is no controller that would make service accounts and their tokens.
            "--disable-admission-plugins=ServiceAccount",
            f"--admission-control-config-file={folder / 'admission.json'}",
            f"--audit-policy-file={folder / 'audit.json'}",
            f"--audit-log-path={folder / 'audit.log'}",
        ],
    }
    processes = []
    try:
        for name, command in commands.items():
            with (folder / f"{name}.log").open("wb") as log:
                processes.append(subprocess.Popen(command, cwd=folder, stdout=log, stderr=log))
        server = ApiServer(folder, port)
        _await_ready(server)
        yield server
    finally:
        for process in reversed(processes):
            process.kill()
            process.wait()


def _files(folder: Path, port: int, webhook: Mapping[str, str]) -> None:
    (folder / "pki").mkdir()
    key = generate_private_key(65537, 2048)
    (folder / "sa.key").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    )
    (folder / "sa.pub").write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    tokens = [f'{user}-token,{user},{user},"{groups}"' for user, groups in _GROUPS.items()]
    (folder / "tokens.csv").write_text("\n".join(tokens) + "\n")
    (folder / "audit.json").write_text(json.dumps(_AUDIT))
    (folder / "kubeconfig").write_text(json.dumps(_kubeconfig(port)))
    shown = {
        "apiVersion": "v1",
        "kind": "Config",
        "users": [{"name": name, "user": {"token": token}} for name, token in webhook.items()],
    }
    (folder / "webhook.json").write_text(json.dumps(shown))
    plugin = {
        "name": "ValidatingAdmissionWebhook",
        "configuration": {
            "apiVersion": "apiserver.config.k8s.io/v1",
            "kind": "WebhookAdmissionConfiguration",
            "kubeConfigFile": str(folder / "webhook.json"),
        },
    }
    admission = {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AdmissionConfiguration",
        "plugins": [plugin],
    }
    (folder / "admission.json").write_text(json.dumps(admission))


def _kubeconfig(port: int) -> dict[str, Any]:
    cluster = {"server": f"https://127.0.0.1:{port}", "insecure-skip-tls-verify": True}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": user, "user": {"token": f"{user}-token"}} for user in _GROUPS],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": ADMIN}}],
        "current-context": "test",
    }


def _await_ready(server: ApiServer) -> None:
    end = time.monotonic() + PATIENCE
    with server.client() as client:
        while time.monotonic() < end:
            try:
                if client.get("/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
    raise AssertionError((server.folder / "apiserver.log").read_text()[-3000:])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
