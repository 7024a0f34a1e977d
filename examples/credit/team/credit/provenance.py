"""The seed record: from what, by which code and where the model was made."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from model_signing.hashing import Config

from .model import Recipe

SOURCE = "Federal Reserve Bank of Boston, HMDA applications, Boston 1990 (Munnell et al., AER 86, 1996)"
"""Where the data come from, in words: nobody can download them from there."""


@dataclass(frozen=True)
class Checkout:
    """The commit that is trained from."""

    root: Path
    commit: str
    author: str
    """Mail address of whoever runs the training, as git knows them."""
    dirty: bool

    @classmethod
    def of(cls, folder: Path) -> Checkout:
        """The git work tree at `folder`. `CalledProcessError` if it is none."""
        return cls(
            root=folder,
            commit=_git(folder, "rev-parse", "HEAD"),
            author=_git(folder, "config", "user.email"),
            dirty=bool(_git(folder, "status", "--porcelain")),
        )


def record(
    recipe: Recipe, checkout: Checkout, *, run_id: str, snapshot: Path, as_of: datetime, model_sha256: str
) -> dict[str, Any]:
    """The record as JSON values. `snapshot` is the training table, `model_sha256` the model's root digest."""
    data_sha256 = file_sha256(snapshot)
    return {
        "run_id": run_id,
        "data": {
            "version": f"hmda-boston-1990/{data_sha256[:12]}",
            "sha256": data_sha256,
            "source": SOURCE,
            "as_of": as_of.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        },
        "code": {
            "git_commit": checkout.commit,
            "path": "credit/train.py",
            "dirty": checkout.dirty,
        },
        "hyperparameters": {name: value for name, value in asdict(recipe).items() if value is not None},
        "environment": {
            # No container here, so no image digest: a made-up one would be worse than none.
            "lock_file_sha256": file_sha256(checkout.root / "requirements.lock"),
            "python": platform.python_version(),
        },
        "output": {"model_sha256": model_sha256},
    }


def file_sha256(path: Path) -> str:
    """64 lower-case hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def model_root_digest(folder: Path) -> str:
    """The OpenSSF Model Signing root digest: SHA-256 over the files' SHA-256, in the order of their names."""
    digest = hashlib.sha256()
    for file in Config().hash(folder).resource_descriptors():
        digest.update(file.digest.digest_value)
    return digest.hexdigest()


def _git(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()
