"""The API server of the cluster that this process runs in, asked as the account whose token is mounted here.

Five calls of two kinds of objects: a library for Kubernetes would be larger than the service itself, and its
image would hold whatever else such a library can do.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import BadConfiguration, NotEnsured
from ..http import headers
from ..http.connection import Connection, Response
from ..http.deadline import Deadline
from ..http.endpoint import Endpoint
from ..http.failures import NoAnswer
from ..strict_json import NotStrict, parse
from .ensuring import Changed

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where the kubelet mounts an account: `token`, `ca.crt` and `namespace`."""
_SECONDS = 10
_LARGEST = 8 << 20
_CONFLICT = 409
_MOUNT = "Let the Pod mount its account's token, as deploy/kubernetes/certificates does"

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cluster:
    """The API server at `host` and `port`."""

    account: Path
    host: str
    port: int

    @classmethod
    def around(cls, account: Path, environment: Mapping[str, str]) -> Cluster:
        """The cluster around this process. `BadConfiguration` outside of one."""
        host, port = (environment.get(f"KUBERNETES_SERVICE_{name}", "") for name in ("HOST", "PORT"))
        if not host or not port.isdecimal():
            raise BadConfiguration(
                "this is no Pod of a cluster: KUBERNETES_SERVICE_HOST and …_PORT are not set",
                next_step="Run it as the Job of deploy/kubernetes/certificates does, or name a --folder",
            )
        return cls(account, host, int(port))

    @property
    def namespace(self) -> str:
        """The namespace of the account."""
        return self._file("namespace").decode().strip()

    def get(self, path: str) -> Object:
        """The object at this path."""
        return self._ask("GET", path, None, "application/json")

    def put(self, path: str, found: Object) -> Object:
        """Store the object, as which it is at that path then. `Changed` if it is another version by now."""
        return self._ask("PUT", path, found, "application/json")

    def patch(self, path: str, operations: list[Object]) -> Object:
        """Change the object by a JSON Patch. `Changed` as `put` says."""
        return self._ask("PATCH", path, operations, "application/json-patch+json")

    def _ask(self, method: str, path: str, body: object, kind: str) -> Object:
        # Read for each call: the kubelet replaces the token within the hour.
        token = self._file("token").decode("utf-8", "replace").strip()
        said = headers.in_json(token, of="the cluster's API server", next_step=_MOUNT)
        said["Content-Type"] = kind
        sent = None if body is None else json.dumps(body).encode()
        where = Endpoint(self._url, self.host, self.port, tls=self._trusting())
        try:
            with closing(Connection(where)) as connection:
                response = connection.exchange(
                    method, path, sent, said, deadline=Deadline(_SECONDS), most=_LARGEST
                )
        except NoAnswer as error:
            raise NotEnsured(
                f"the cluster's API server cannot be asked: {error}",
                where=self._url,
                next_step="See that the network lets this Pod reach it, and run it again",
            ) from error
        if response.status == _CONFLICT:
            raise Changed
        if not 200 <= response.status < 300:  # noqa: PLR2004  (success, as HTTP has it)
            raise self._refused(method, path, response)
        if not (found := _read(response.body)):
            raise NotEnsured(
                "what answers is no API server of a cluster",
                where=self._url,
                next_step="Correct KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT",
            )
        return found

    def _refused(self, method: str, path: str, response: Response) -> NotEnsured:
        said = str(_read(response.body).get("message", "")) or f"status {response.status}"
        return NotEnsured(
            f"the cluster's API server refuses {method} {path}: {json.dumps(said[:400], ensure_ascii=True)}",
            where=self._url,
            next_step="Apply deploy/kubernetes/certificates, whose roles say what this account may do",
        )

    def _trusting(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=str(self.account / "ca.crt"))
        except OSError as error:
            raise self._unreadable("ca.crt", error) from error

    @property
    def _url(self) -> str:
        return f"https://{self.host}:{self.port}"

    def _file(self, name: str) -> bytes:
        try:
            return (self.account / name).read_bytes()
        except OSError as error:
            raise self._unreadable(name, error) from error

    def _unreadable(self, name: str, error: OSError) -> BadConfiguration:
        return BadConfiguration(
            f"the account's {name} cannot be read: {error.strerror or error}",
            where=str(self.account / name),
            next_step=_MOUNT,
        )


def _read(content: bytes) -> Object:
    """An object of the API server; empty for what is none."""
    try:
        found = parse(content, finite=False)
    except NotStrict:
        return {}
    return found if isinstance(found, dict) else {}
