"""An OPA beside a service, which loads its policies by itself; or something else in its place."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from mandate.engine.opa.locate import find_opa
from tests.engine.http.peers import Peer, saying_once, silent


class Sidecar:
    """At an address that stays the same, whoever answers there."""

    def __init__(self) -> None:
        self._folder = Path(mkdtemp(prefix="opa-", dir="/tmp"))  # a socket's path must be short
        self._socket = self._folder / "s"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self._socket}"

    def start(self, bundle: Path) -> None:
        """Start it, or start it anew, with this bundle."""
        self.stop()
        bundles = {"mandate": {"resource": bundle.as_uri(), "persist": False}}
        (self._folder / "config.json").write_text(json.dumps({"bundles": bundles}))
        command = [
            *(str(find_opa()), "run", "--server", "--addr", self.url, "--config-file", "config.json"),
            *("--log-level", "error", "--skip-version-check"),
        ]
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(command, cwd=self._folder, stdout=log, stderr=log)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        self._socket.unlink(missing_ok=True)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._folder)

    @contextmanager
    def played(self, answer: bytes | None) -> Iterator[None]:
        """Instead of OPA, somebody who says this to each question; nothing, and for ever, if `None`."""
        with Peer(silent if answer is None else saying_once(answer), self._socket):
            yield
        self._socket.unlink()
