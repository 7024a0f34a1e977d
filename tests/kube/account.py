"""The account that `mandate certs ensure` runs as in a cluster, and that command as its Pod runs it."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.kube.api_server import ApiServer
from tests.kube.manifests import by_name, rendered
from tests.organisation import Organisation, Ran

NAME = "mandate-certificates"
SHIPPED = by_name(rendered())
ARGUMENTS: list[str] = SHIPPED[f"CronJob/{NAME}"]["spec"]["jobTemplate"]["spec"]["template"]["spec"][
    "containers"
][0]["args"]
"""As the daily job has them."""


@dataclass(frozen=True)
class Account:
    """A mounted account."""

    api: ApiServer
    folder: Path

    def mandate(self, *more: str, arguments: Sequence[str] = ARGUMENTS) -> Ran:
        """Run the job's command to its end, in this process."""
        with patch.dict(os.environ, self.environment):
            return Organisation(self.folder).mandate(*self.arguments(*more, arguments=arguments))

    def arguments(self, *more: str, arguments: Sequence[str] = ARGUMENTS) -> list[str]:
        """The job's arguments, with its account."""
        return [*arguments, f"--account={self.folder}", "--settle=0", *more]

    @property
    def environment(self) -> dict[str, str]:
        """Of the Pod."""
        where = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(self.api.port)}
        return {**os.environ, **where}


def mounted(api: ApiServer, folder: Path) -> Account:
    """The account as the kubelet would mount it: with a token of the cluster's, and its authority."""
    made = api.kubectl("create", "token", NAME, "--namespace=mandate")
    assert made.exit_code == 0, made.err
    folder.mkdir(exist_ok=True)
    (folder / "token").write_text(made.out)
    (folder / "namespace").write_text("mandate")
    (folder / "ca.crt").write_bytes((api.folder / "pki/apiserver.crt").read_bytes())
    return Account(api, folder)


def secret(api: ApiServer) -> dict[str, str]:
    """What the Secret has."""
    got = api.kubectl("get", "--namespace=mandate", "secret", "mandate-tls", "-o", "json")
    assert got.exit_code == 0, got.err
    found: dict[str, Any] = json.loads(got.out)
    return dict(found.get("data", {}))


def believed(api: ApiServer, name: str) -> list[str | None]:
    """The caBundle of each webhook of a configuration."""
    got = api.kubectl("get", "validatingwebhookconfiguration", name, "-o", "json")
    assert got.exit_code == 0, got.err
    return [webhook["clientConfig"].get("caBundle") for webhook in json.loads(got.out)["webhooks"]]
