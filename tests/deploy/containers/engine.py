"""Podman and Buildah with images, containers, networks and volumes apart from the user's."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

NEEDED = ("buildah", "podman", "runc", "mmdebstrap")
"""Debian's packages of these names have the programs."""

_CONTAINERS = """
[containers]
# The default is more than root may ask for where the machine itself is confined.
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "{folder}/tmp"
volume_path = "{folder}/volumes"
[network]
network_config_dir = "{folder}/networks"
"""
_STORAGE = """
[storage]
driver = "overlay"
graphroot = "{folder}/storage"
runroot = "{folder}/run"
"""


@dataclass(frozen=True)
class Engine:
    """An engine whose state is below `folder`, until `remove`."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> Engine:
        (folder / "containers.conf").write_text(_CONTAINERS.format(folder=folder))
        (folder / "storage.conf").write_text(_STORAGE.format(folder=folder))
        return cls(folder)

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            **os.environ,
            "CONTAINERS_CONF": str(self.folder / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(self.folder / "storage.conf"),
        }

    def run(
        self, *command: str | Path, check: bool = True, given: str | None = None, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program that uses this engine."""
        ran = subprocess.run(
            command,
            env=self.environment,
            cwd=cwd,
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            text=True,
            check=False,
        )
        assert not check or ran.returncode == 0, f"{command}: {ran.stdout[-4000:]}{ran.stderr[-4000:]}"
        return ran

    def podman(self, *arguments: str | Path, given: str | None = None) -> str:
        """What Podman says, without the line break at its end."""
        return self.run("podman", *arguments, given=given).stdout.strip()

    def build(self, image: str, file: Path, context: Path, *arguments: str) -> None:
        """Build `file` with the network, and the caches, of this machine."""
        options = ["--isolation=chroot", "--network=host", "--layers", f"--tag={image}", *arguments]
        self.run("buildah", "bud", *options, "--file", file, context)

    def remove(self) -> None:
        """End and forget everything."""
        self.run("podman", "system", "reset", "--force", check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


def missing() -> Sequence[str]:
    """What is not installed."""
    return [name for name in NEEDED if shutil.which(name) is None]
