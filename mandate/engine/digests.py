"""Canonical JSON and SHA-256: the one way in which Mandate digests documents."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import rfc8785


def canonical(document: Any) -> bytes:
    """The JSON document as RFC 8785 bytes.

    `document` is made of `None`, `bool`, `int` (at most 2**53 - 1), finite `float`, `str`, lists, tuples and
    dicts with string keys.
    """
    return rfc8785.dumps(document)


def sha256(data: bytes) -> str:
    """64 lower-case hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def document_sha256(document: Any) -> str:
    """SHA-256 over the document's canonical JSON."""
    return sha256(canonical(document))


def file_sha256(path: Path) -> str:
    """SHA-256 of the file's bytes, read in bounded memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
