"""A real S3 server on this machine: Versity's gateway, with versions and object lock."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

ACCESS, SECRET = "mandate", "a secret of the tests"


@dataclass
class S3:
    """A running server."""

    port: int
    folder: Path
    program: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def client(self) -> Any:
        """Somebody with all rights."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=ACCESS,
            aws_secret_access_key=SECRET,
            region_name="us-east-1",
            config=Config(s3={"addressing_style": "path"}),
        )

    def url(self, bucket: str, prefix: str = "ledger") -> str:
        """As `mandate ledger export` takes it."""
        return f"s3://{bucket}/{prefix}?endpoint={self.endpoint}"

    def bucket(self, name: str, *, lock: bool = True) -> str:
        """A new bucket."""
        self.client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=lock)
        return name

    def start(self) -> None:
        """Start the server, and wait until it listens."""
        for name in ("data", "versions", "about"):
            (self.folder / name).mkdir(exist_ok=True)
        # What is known of an object is kept in files, and not in attributes that not every file system has.
        self.process = subprocess.Popen(
            [
                *(self.program, "--access", ACCESS, "--secret", SECRET, "--port", f"127.0.0.1:{self.port}"),
                *("--quiet", "posix", "--versioning-dir", self.folder / "versions"),
                *("--sidecar", self.folder / "about", self.folder / "data"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            assert self.process.poll() is None, "the S3 server ended"
            time.sleep(0.02)
        raise TimeoutError("the S3 server does not listen")

    def stop(self) -> None:
        """Stop the server; what it has, stays."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="session")
def s3(versitygw: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    """The server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = S3(port, tmp_path_factory.mktemp("s3"), versitygw)
    server.start()
    yield server
    server.stop()
