"""Standard base64 (RFC 4648, section 4), read strictly: of several spellings of the same bytes, only one."""

from __future__ import annotations

import base64
import binascii


def encode(data: bytes) -> str:
    """The text, with padding."""
    return base64.b64encode(data).decode("ascii")


def decode(text: str) -> bytes:
    """The bytes. `ValueError` for anything that `encode` would not have written."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("not base64") from error
    if encode(data) != text:
        raise ValueError("not the usual spelling in base64")
    return data
