"""Bearer tokens. Of a token only a hash is kept: whoever reads the list of callers cannot call.

A token is 32 random bytes, so that a plain SHA-256 is enough: there is nothing to guess.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from ... import strict_yaml
from ...errors import BadConfiguration
from ...input.base import Frozen, Name, Sha256
from ...input.instants import Instant
from .roles import LONGEST_NAME, Caller, Role

_log = logging.getLogger(__name__)
PREFIX = "mandate_"
"""Begins each token, so that scanners for secrets know one when they see it."""
_BYTES = 32


class Listed(Frozen):
    """Somebody who may call, as `callers.yaml` lists them."""

    name: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
    roles: Annotated[list[Annotated[Role, Field(strict=False)]], Field(min_length=1)]
    token_sha256: Annotated[list[Sha256], Field(max_length=10)] = []
    """SHA-256 of each token that counts; two while one takes the place of the other."""
    certificate: Name | None = None
    """Subject of the client certificate by which the caller is known, as RFC 4514 writes it."""
    expires: Instant | None = None
    """The first instant at which the caller is not known any more."""

    @property
    def expired(self) -> bool:
        """Whether that is past."""
        return self.expires is not None and self.expires <= datetime.now(UTC)


CALLERS = TypeAdapter(list[Listed])


def new() -> tuple[str, str]:
    """A new token, and its SHA-256."""
    token = PREFIX + secrets.token_urlsafe(_BYTES)
    return token, digest(token)


def digest(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


class Callers:
    """The list of callers, as its file was when somebody last had a `look`. Threads may share one.

    A list that cannot be read any more leaves the one before it in place, which `problem` says, and the log.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._seen = self._stamp()
        self._by_token, self._by_certificate = _read(path)
        self.problem: BadConfiguration | None = None
        """Why the newest list is not in use."""

    def by_token(self, token: str) -> Caller | None:
        """Whose token it is."""
        return _current(self._by_token.get(digest(token)), "token")

    def by_certificate(self, subject: str) -> Caller | None:
        """Whose certificate it is, which has been verified."""
        return _current(self._by_certificate.get(subject), "certificate")

    def changed(self) -> bool:
        """Whether the file is another one since it was read."""
        return self._stamp() != self._seen

    def look(self) -> None:
        """Take a list that changed into use."""
        with self._lock:
            stamp = self._stamp()
            if stamp == self._seen:
                return
            try:
                self._by_token, self._by_certificate = _read(self._path)
            except BadConfiguration as error:
                self.problem = error
                _log.error("the new list of callers is not used: %s", error)
            else:
                self.problem = None
                _log.info("a new list of callers is used", extra={"tokens": len(self._by_token)})
            # Last: whoever calls meanwhile waits for the list that says that they may not.
            self._seen = stamp

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size


def _current(found: Listed | None, how: str) -> Caller | None:
    if found is None or found.expired:
        return None
    return Caller(found.name, frozenset(found.roles), how)


def listed(path: Path) -> list[Listed]:
    """Everybody on the list. `BadConfiguration`, with the line, if it is none, or not there."""
    if not path.exists():
        raise BadConfiguration(
            "there is no list of those who may call the service",
            where=str(path),
            next_step="Write into it what `mandate token NAME --role decider` prints below the token",
        )
    document = strict_yaml.load_file(path, BadConfiguration)
    try:
        found = CALLERS.validate_python(document.value)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise BadConfiguration(
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg'].lower()}",
            where=document.where(fault["loc"]),
            next_step="See schemas/callers.json",
        ) from error
    known: set[tuple[str, str | None]] = set()
    for number, each in enumerate(found):
        own = {("name", each.name), *(("token", sha256) for sha256 in each.token_sha256)}
        own |= {("certificate", each.certificate)} if each.certificate is not None else set()
        if known & own:
            raise BadConfiguration(
                f"{each.name!a}, its token or its certificate stands twice",
                where=document.where((number,)),
                next_step="Give each caller a name, tokens and a certificate of its own",
            )
        known |= own
    return found


def _read(path: Path) -> tuple[Mapping[str, Listed], Mapping[str, Listed]]:
    """Callers by the hash of a token, and by the subject of a certificate."""
    found = listed(path)
    by_token = {sha256: each for each in found for sha256 in each.token_sha256}
    return by_token, {each.certificate: each for each in found if each.certificate is not None}
