"""A real ssh-agent, and a real PKCS#11 token: SoftHSM's."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

SOFTHSM = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
)
"""Where Debian, Fedora and Homebrew have it."""


@dataclass(frozen=True)
class Agent:
    """A running ssh-agent."""

    socket: Path
    process: subprocess.Popen[bytes]

    def run(self, *command: object, answer: str = "") -> None:
        """Run a command that speaks to it."""
        subprocess.run(
            [*map(str, command)],
            env={"SSH_AUTH_SOCK": str(self.socket), "PATH": "/usr/bin:/bin"},
            input=answer.encode(),
            capture_output=True,
            check=True,
        )

    def add(self, file: Path, kind: str = "ed25519", comment: str = "") -> str:
        """Make a key at `file`, give it to the agent, and return its public line."""
        command = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", comment, "-f", str(file)]
        subprocess.run(command, check=True)
        self.run("ssh-add", "-q", file)
        return file.with_name(f"{file.name}.pub").read_text()


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch) -> Iterator[Agent]:
    """A new agent without a key, to which `SSH_AUTH_SOCK` points."""
    with tempfile.TemporaryDirectory(prefix="mandate-agent-") as folder:  # a socket's path must be short
        path = Path(folder) / "agent"
        with subprocess.Popen(
            ["ssh-agent", "-D", "-a", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process:
            assert process.stdout
            process.stdout.readline()  # it listens
            monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
            yield Agent(path, process)
            process.terminate()


@dataclass(frozen=True)
class Token:
    """A token with an ECDSA P-256 key of number 2."""

    uri: str
    pin: str
    public_key: Path
    other_key: Path
    """The public key of another key than the token's."""


@pytest.fixture(scope="session")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Token]:
    """One token for all tests of a process: a PKCS#11 module looks for its tokens once."""
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
        module = next(filter(os.path.exists, SOFTHSM), None)
        assert module, "SoftHSM is not installed: apt-get install softhsm2, or brew install softhsm"
        patch.setenv("PYKCS11LIB", module)
        pins = ["--pin", "1234", "--so-pin", "5678"]
        _run("softhsm2-util", "--init-token", "--free", "--label", "Mandate", *pins)
        for name in ("key", "other"):
            pair = ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
            _run(*pair, "-out", folder / f"{name}.pem")
            _run("openssl", "pkey", "-in", folder / f"{name}.pem", "-pubout", "-out", folder / f"{name}.pub")
        into = ["--token", "Mandate", "--label", "evidence", "--id", "02", "--pin", "1234"]
        _run("softhsm2-util", "--import", folder / "key.pem", *into)
        yield Token("hsm:2?label=Mandate", "1234", folder / "key.pub", folder / "other.pub")


def _run(*command: object) -> None:
    subprocess.run([*map(str, command)], capture_output=True, check=True)
