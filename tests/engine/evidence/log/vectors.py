"""The log in `tests/vectors/log`, which independent verifiers judged."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from mandate.engine.evidence.log import proof
from mandate.engine.evidence.log.note import NoteKey

FOLDER = Path(__file__).parents[3] / "vectors" / "log"
ORIGIN = "mandate.example/ledger/acme"
KEY = NoteKey.parse((FOLDER / "vkey").read_text())
OTHER = NoteKey.parse((FOLDER / "vkey_other").read_text())
SIZES = (0, 1, 2, 3, 7, 64, 512, 700, 999, 1000)
PROVEN = (0, 1, 511, 512, 699, 998, 999)
WITH_ENVELOPE = (0, 511, 512, 699, 999)
GROWTH = tuple(
    (int(first), int(second))
    for first, second in (path.name[4:].split("_") for path in sorted(FOLDER.glob("cons*")))
)


def read(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


def data(index: int) -> bytes:
    return hashlib.sha256(read(f"env{index}")).digest()


def consistency(first: int, second: int) -> tuple[bytes, ...]:
    return tuple(base64.b64decode(line) for line in read(f"cons{first}_{second}").split())


def inclusion(index: int) -> proof.Proof:
    return proof.parse(read(f"env{index}.tlog-proof"))
