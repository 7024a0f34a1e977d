"""The Pod of the shipped Deployment without a cluster: its containers' own commands, over its own volumes.

Each container becomes a process, each volume a folder, and each path in a container the folder that is
mounted there. What an image would bring (the programs, `/usr/share/mandate`) is this machine's.
"""

from __future__ import annotations

import os
import re
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from mandate import share
from tests.kube.api_server import PATIENCE
from tests.kube.manifests import Object

_ENTRYPOINT = [sys.executable, "-m", "mandate"]
"""Of the image, as deploy/container/Containerfile says."""


@dataclass
class Pod:
    """The running Pod."""

    folder: Path
    template: Object
    opa: Path
    environment: Mapping[str, str]
    ports: dict[int, int] = field(default_factory=dict)
    """The port of this machine for each port of the Pod."""
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def volume(self, name: str) -> Path:
        """The folder of a volume."""
        return self.folder / name

    def container(self, name: str) -> Object:
        """A container's part of the template."""
        spec = self.template["spec"]
        (found,) = (each for each in (*spec["initContainers"], *spec["containers"]) if each["name"] == name)
        return dict(found)

    def log(self, name: str) -> str:
        """What a container said."""
        return (self.folder / f"{name}.log").read_text()

    def start(self, name: str) -> subprocess.Popen[bytes]:
        """Start a container."""
        container = self.container(name)
        given = container.get("command", _ENTRYPOINT) + container.get("args", [])
        command = [self._here(container, each) for each in given]
        declared = {each["name"]: self._here(container, each["value"]) for each in container.get("env", ())}
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command,
                cwd=self.folder,
                env={**os.environ, **declared, **self.environment},
                stdout=log,
                stderr=log,
            )
        return self.processes[name]

    def kill(self, name: str) -> None:
        """End a container at once."""
        self.processes[name].kill()
        self.processes[name].wait()

    def end(self) -> None:
        """End all containers."""
        for name in self.processes:
            self.kill(name)

    def probe(self, name: str, kind: str) -> int | None:
        """The status that a probe of a container gets; `None` if it gets no answer."""
        container = self.container(name)
        get = container[kind]["httpGet"]
        (port,) = (each["containerPort"] for each in container["ports"] if each["name"] == get["port"])
        url = f"{get.get('scheme', 'HTTP').lower()}://127.0.0.1:{self.ports[port]}{get['path']}"
        try:
            # As the kubelet does, which does not verify certificates.
            with httpx.Client(verify=False, timeout=container[kind].get("timeoutSeconds", 1)) as client:  # noqa: S501
                return client.get(url).status_code
        except (httpx.TransportError, ssl.SSLError):
            return None

    def await_probe(self, name: str, kind: str, status: int | None = 200) -> None:
        """Wait until the probe gets this answer."""
        end = time.monotonic() + PATIENCE
        while self.probe(name, kind) != status:
            assert time.monotonic() < end, self.log(name)
            assert status is None or self.processes[name].poll() is None, self.log(name)
            time.sleep(0.1)

    def _here(self, container: Object, text: str) -> str:
        """A path, or a port, of the container in the words of this machine."""
        known = {"/usr/local/bin/opa": self.opa, "/usr/share/mandate/opa": share.opa()}
        mounts = {each["mountPath"]: self.volume(each["name"]) for each in container["volumeMounts"]}
        ports = {f":{port}": f":{ours}" for port, ours in self.ports.items()}
        here = {name: str(value) for name, value in {**known, **mounts, **ports}.items()}
        # All at once: what stands for one path may begin with another one.
        return re.sub("|".join(map(re.escape, here)), lambda found: here[found[0]], text)

    def fit(self, text: str) -> str:
        """A file of the configuration in the words of this machine."""
        return self._here(self.container("mandate"), text)


@contextmanager
def running(
    folder: Path,
    template: Object,
    *,
    opa: Path,
    volumes: Mapping[str, Mapping[str, bytes]],
    environment: Mapping[str, str],
) -> Iterator[Pod]:
    """The Pod; `volumes` has the files of those that are not empty."""
    pod = Pod(folder, template, opa, environment, ports={8443: _free_port(), 8282: _free_port()})
    for volume in template["spec"]["volumes"]:
        place = pod.volume(volume["name"])
        place.mkdir()
        wanted = [item["key"] for item in volume.get("secret", {}).get("items", ())]
        for name, content in volumes.get(volume["name"], {}).items():
            if not wanted or name in wanted:
                text = pod.fit(content.decode()).encode() if volume["name"] == "configuration" else content
                (place / name).write_bytes(text)
                (place / name).chmod(0o440)
    with ExitStack() as stack:
        stack.callback(pod.end)
        for container in template["spec"]["initContainers"]:
            process = pod.start(container["name"])
            if container.get("restartPolicy") == "Always":
                pod.await_probe(container["name"], "startupProbe")
            else:
                assert process.wait(PATIENCE) == 0, pod.log(container["name"])
        for container in template["spec"]["containers"]:
            pod.start(container["name"])
            pod.await_probe(container["name"], "startupProbe")
        yield pod


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def files(configuration: Object) -> dict[str, bytes]:
    """The files that a ConfigMap mounts."""
    data: dict[str, Any] = configuration["data"]
    return {name: text.encode() for name, text in data.items()}
