"""Certificates in a Secret, and the webhook configurations whose API server must believe them.

The configurations are read before the Secret, and each is changed only as the version that was read: whoever
tells the API server whom to believe tells it what the Secret held after that, and never what it held before
another run changed both.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from ..errors import BadConfiguration
from .cluster import Cluster, Object
from .ensuring import NAMES

_CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"


@dataclass
class SecretPlace:
    """A Secret of the account's own namespace, and our own configurations, all by their names."""

    cluster: Cluster
    secret: str
    webhooks: Sequence[str]
    overlap: timedelta = timedelta()
    _stored: Object = field(default_factory=dict)
    _configurations: dict[str, Object] = field(default_factory=dict)

    def read(self) -> Mapping[str, bytes]:
        """As `Place.read`. `BadConfiguration` if a configuration is not ours."""
        for name in self.webhooks:
            found = self.cluster.get(f"{_CONFIGURATIONS}/{quote(name, safe='')}")
            self._refuse_what_is_not_ours(name, found)
            self._configurations[name] = found
        self._stored = self.cluster.get(self._path)
        data = self._stored.get("data") or {}
        return {name: base64.b64decode(data[name]) for name in NAMES if name in data}

    def write(self, files: Mapping[str, bytes]) -> None:
        """As `Place.write`: under the version that was read."""
        data = {name: _encoded(content) for name, content in files.items()}
        self.cluster.put(self._path, {**self._stored, "data": {**(self._stored.get("data") or {}), **data}})

    def believe(self, authorities: bytes) -> list[str]:
        """As `Place.believe`."""
        wanted = _encoded(authorities)
        told = []
        for name, found in self._configurations.items():
            changed = [
                {"op": "add", "path": f"/webhooks/{number}/clientConfig/caBundle", "value": wanted}
                for number, webhook in enumerate(found["webhooks"])
                if webhook["clientConfig"].get("caBundle") != wanted
            ]
            if changed:
                version = found["metadata"]["resourceVersion"]
                as_read = {"op": "add", "path": "/metadata/resourceVersion", "value": version}
                self.cluster.patch(f"{_CONFIGURATIONS}/{quote(name, safe='')}", [as_read, *changed])
                told.append(name)
        return told

    @property
    def _path(self) -> str:
        namespace, secret = quote(self.cluster.namespace, safe=""), quote(self.secret, safe="")
        return f"/api/v1/namespaces/{namespace}/secrets/{secret}"

    def _refuse_what_is_not_ours(self, name: str, found: Object) -> None:
        """Whatever the roles allow: a configuration that calls somebody else is left alone."""
        for webhook in found.get("webhooks") or ():
            called: Mapping[str, Any] = webhook["clientConfig"].get("service") or {}
            if called.get("namespace") != self.cluster.namespace:
                raise BadConfiguration(
                    "this configuration calls a service that is not in our namespace",
                    where=f"--webhook {name!r}",
                    next_step="Name the configurations of Mandate only",
                )


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()
