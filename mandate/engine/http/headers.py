"""Headers of a question in JSON."""

from __future__ import annotations

from ..errors import BadConfiguration


def in_json(token: str | None, *, of: str, next_step: str) -> dict[str, str]:
    """Headers of a question that is JSON and wants JSON, with `token` as a bearer token (RFC 6750).

    `BadConfiguration` if the token of `of` is none that a header can carry, with this next step. The token
    is not shown.
    """
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if token is not None:
        if not (token.isascii() and token.isprintable()) or " " in token or not token:
            raise BadConfiguration(
                f"the token for {of} is empty, or has characters that a header cannot carry",
                next_step=next_step,
            )
        headers["Authorization"] = f"Bearer {token}"
    return headers
