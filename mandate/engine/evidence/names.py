"""The ledger's name. It becomes the origin of its heads, and the name of the keys that sign them (C2SP)."""

from __future__ import annotations

from ..errors import BadConfiguration


def checked_origin(origin: str) -> str:
    """The name. `BadConfiguration` if it is none: it has no white space and no plus sign."""
    if not origin or "+" in origin or any(letter.isspace() or not letter.isprintable() for letter in origin):
        raise BadConfiguration(
            f"{ascii(origin)[:100]} is no name for a ledger: it is empty, or has white space or a plus sign",
            where="ledger.name",
            next_step="Choose a name such as bank.example/models",
        )
    return origin
