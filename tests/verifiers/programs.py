"""Programs that Mandate's authors did not write, and that judge what it writes.

Each is built once a user from its pinned Go module, and kept with OPA and Regal.
"""

from __future__ import annotations

import fcntl
import hashlib
import re
from pathlib import Path

from mandate.engine.opa import places, recipe
from mandate.engine.opa.recipe import Recipe

_TESTS = Path(__file__).parents[1]
_COSIGN = _TESTS / "cosign"
_VERSITYGW = _TESTS / "versitygw"
_VERIFY_LOG = _TESTS / "verifiers" / "go"


def cosign() -> Path:
    """Cosign, for envelopes. It takes two minutes to build."""
    pinned = re.search(r"github\.com/sigstore/cosign/v3 v(\S+)", (_COSIGN / "go.mod").read_text())
    assert pinned
    return _built(Recipe("cosign", pinned[1], "github.com/sigstore/cosign/v3/cmd/cosign", _COSIGN))


def versitygw() -> Path:
    """A server that speaks S3, with object lock. It takes two minutes to build."""
    pinned = re.search(r"github\.com/versity/versitygw v(\S+)", (_VERSITYGW / "go.mod").read_text())
    assert pinned
    package = "github.com/versity/versitygw/cmd/versitygw"
    return _built(Recipe("versitygw", pinned[1], package, _VERSITYGW, asked="--version"))


def verify_log() -> Path:
    """`tests/verifiers/go`, for heads and proofs. It takes seconds to build."""
    return _own("verify-log", _VERIFY_LOG)


def compose() -> Path:
    """`tests/deploy/compose`: compose-go, which reads Compose files. It takes seconds to build."""
    return _own("compose", _TESTS / "deploy" / "compose")


def certmanager() -> Path:
    """`tests/deploy/certmanager`: the types of cert-manager. It takes half a minute to build."""
    return _own("certmanager", _TESTS / "deploy" / "certmanager")


def argo() -> Path:
    """`tests/deploy/argo`: how Argo Rollouts measures. It takes a minute to build."""
    return _own("argo", _TESTS / "deploy" / "argo")


def flagger() -> Path:
    """`tests/deploy/flagger`: Flagger's webhooks and its load tester. It takes a minute to build."""
    return _own("flagger", _TESTS / "deploy" / "flagger")


def rules() -> Path:
    """`tests/deploy/rules`: what Prometheus reads its alerts with. It takes a minute to build."""
    return _own("rules", _TESTS / "deploy" / "rules")


def _own(name: str, folder: Path) -> Path:
    """A program of the tests' own, over a library of others."""
    sources = sorted(folder.iterdir())
    version = hashlib.sha256(b"".join(file.read_bytes() for file in sources)).hexdigest()[:12]
    return _built(Recipe(name, version, ".", folder))


def _built(wanted: Recipe) -> Path:
    folder = places.data_home() / f"{wanted.name}-{wanted.version}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes, one build
        if not (folder / wanted.name).exists():
            recipe.build(wanted, folder)
    return folder / wanted.name
