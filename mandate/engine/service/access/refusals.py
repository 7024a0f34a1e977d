"""Why somebody is not let in, in words that help whoever may come in and tell others nothing."""

from __future__ import annotations

from ..problems import Problem

_CHALLENGE = 'Bearer realm="mandate"'


def unknown(detail: str = "", next_step: str = "") -> Problem:
    """Nobody knows the caller."""
    return Problem(
        401,
        "Nobody knows you",
        detail,
        next_step=next_step or "Send Authorization: Bearer and a token that is on the list of callers",
        headers={"WWW-Authenticate": _CHALLENGE},
    )


def invalid_token(detail: str, next_step: str) -> Problem:
    """The caller's token is an issuer's, or seems to be, and does not count."""
    return Problem(
        401,
        "Your token does not count",
        detail,
        next_step=next_step,
        headers={"WWW-Authenticate": f'{_CHALLENGE}, error="invalid_token"'},
    )


def not_allowed(detail: str, next_step: str) -> Problem:
    """The caller is known, and may not do this."""
    return Problem(403, "You may not do this", detail, next_step=next_step)


def nobody_knows(seconds: int) -> Problem:
    """Whether the token counts cannot be found out now."""
    return Problem(
        503,
        "Nobody can say now",
        "the keys of your token's issuer are not known",
        next_step="Ask again later",
        headers={"Retry-After": str(seconds)},
    )
