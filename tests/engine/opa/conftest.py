"""A real OPA, small policy bundles, and peers that answer what an OPA never does."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from mandate.engine.decision import Policy
from mandate.engine.digests import file_sha256
from tests.engine.http.peers import Peer, Script

from .answers import REVISION

# Answers as the contract says: by environment, one of each kind.
POLICIES = """package mandate.main

default decision := {
	"outcome": "deny", "reasons": ["no such environment"], "findings": [], "not_applicable": []
}

finding := {
	"rule": "performance.minimum", "term": "accuracy", "level": "must", "comparison": ">=", "measured": 0.9,
	"bound": 0.8, "bound_set_at": "thresholds/performance.yaml:3", "origin": "measured",
	"collector": "performance", "n": 100, "interval": null
}

decision := {"outcome": "allow", "reasons": [], "findings": [object.union(finding, {"outcome": "passed"})],
	"not_applicable": [{"rule": "drift.psi", "reason": "asked for monitoring only"}]} if {
	input.request.environment == "staging"
}

decision := {"outcome": "deny", "reasons": [], "not_applicable": [], "findings": [object.union(finding, {
	"outcome": "violation", "measured": 0.7, "message": "Accuracy is too low", "title": "Minimum",
	"solution": "Train longer", "severity": "high", "controls": ["EU-AI-Act-15"], "collections": ["credit"],
	"effective_on": "2026-01-01T00:00:00Z"
})]} if {
	input.request.environment == "production"
}

# An error in a builtin, which without strict-builtin-errors would be undefined.
decision := {"outcome": "allow", "reasons": [to_number(input.subject.name)]} if {
	input.request.environment == "builtin error"
}

# Takes minutes.
decision := {"outcome": "deny", "reasons": [sprintf("%d", [pairs])]} if {
	input.request.environment == "slow"
	pairs := count([1 | some i in numbers.range(1, 5000); some j in numbers.range(1, 5000); i * j == 7])
}
"""

Bundled = Callable[..., Path]
OpaServer = Callable[..., str]


@pytest.fixture(scope="session")
def bundled(opa: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundled:
    """Builds a bundle from one Rego module."""

    def make(rego: str = POLICIES, *, revision: str = REVISION, root: str = "mandate") -> Path:
        folder = tmp_path_factory.mktemp("bundle")
        sources = folder / "sources"
        sources.mkdir()
        (sources / "main.rego").write_text(rego, encoding="utf-8")
        (sources / ".manifest").write_text(json.dumps({"roots": [root]}), encoding="utf-8")
        archive = folder / "bundle.tar.gz"
        subprocess.run(
            [opa, "build", "--bundle", sources, "--revision", revision, "--output", archive], check=True
        )
        return archive

    return make


@pytest.fixture(scope="session")
def bundle(bundled: Bundled) -> Path:
    """The bundle of `POLICIES`."""
    return bundled()


@pytest.fixture(scope="session")
def policy(bundle: Path) -> Policy:
    """What the judge expects of an OPA with that bundle."""
    return Policy(revision=REVISION, bundle_sha256=file_sha256(bundle))


@pytest.fixture
def opa_server(opa: Path, bundle: Path, tmp_path: Path) -> Iterator[OpaServer]:
    """Starts an OPA as an operator would and returns its URL."""
    with ExitStack() as stack:

        def start(
            *,
            program: Path = opa,
            bundles: Mapping[str, Path] | None = None,
            options: tuple[str, ...] = (),
            environment: Mapping[str, str] | None = None,
        ) -> str:
            folder = tmp_path / "opa"
            folder.mkdir(exist_ok=True)
            for name, archive in ({"mandate": bundle} if bundles is None else bundles).items():
                shutil.copy(archive, folder / name)
            names = sorted(path.name for path in folder.iterdir() if path.is_file())
            path = folder / "s"
            process = subprocess.Popen(
                [
                    *(program, "run", "--server", "--addr=unix://s"),
                    *("--log-level=error", "--skip-version-check", *options),
                    *(["--bundle", *names] if names else []),
                ],
                cwd=folder,
                env=environment,
                stderr=subprocess.PIPE,
            )
            stack.callback(process.stderr.close)  # type: ignore[union-attr]
            stack.callback(process.wait)
            stack.callback(process.kill)
            _wait_for(path, process)
            return f"unix://{path}"

        yield start


def _wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    while True:
        assert process.poll() is None, process.stderr.read() if process.stderr else None
        with socket.socket(socket.AF_UNIX) as probe, suppress(OSError):
            probe.connect(str(path))
            return


@pytest.fixture
def peer() -> Iterator[Callable[[Script], Peer]]:
    """Starts peers that play a script."""
    with ExitStack() as stack:
        yield lambda script: stack.enter_context(Peer(script))
