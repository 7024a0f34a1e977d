"""Reads an issuer's keys: from a file, from its address, or from where its discovery document says.

All of it happens in bounded time and space, over TLS, and no redirect is followed: whoever could send us
elsewhere could say whose tokens count.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from ... import strict_json
from ...errors import IssuerUnavailable
from ...http.connection import Connection
from ...http.deadline import Deadline
from ...http.endpoint import Endpoint, trusting
from ...http.failures import NoAnswer
from . import key_sets
from .addresses import Address, address
from .issuer_settings import IssuerSettings
from .key_sets import KeySet

if TYPE_CHECKING:
    import ssl

_LARGEST = 512 << 10
"""Bytes of one answer, its headers included."""
_OK = 200
_CHECK = "See whether the issuer answers there, and whether this machine may ask it"
_HEADERS = {"Accept": "application/json", "User-Agent": "mandate"}


def reader(settings: IssuerSettings, path: Callable[[str], Path]) -> Callable[[], KeySet]:
    """What reads the issuer's keys; `path`: where a file is that the settings name.

    It raises `IssuerUnavailable` if there is no answer that could be used. `BadConfiguration` now if the
    authorities cannot be read.
    """
    if settings.jwks_file is not None:
        file = path(settings.jwks_file)
        return lambda: key_sets.read(_file(file), settings.algorithms, where=str(file))
    context = trusting(path(settings.ca) if settings.ca else None, of="an issuer")

    def fetched() -> KeySet:
        deadline = Deadline(settings.fetch_seconds)
        url = settings.jwks_uri or _discovered(settings, context, deadline)
        document = _get(_address(url, settings), context, deadline)
        return key_sets.read(document, settings.algorithms, where=url)

    return fetched


def _file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            document = file.read(_LARGEST + 1)
    except OSError as error:
        raise IssuerUnavailable(f"it cannot be read: {error.strerror}", where=str(path)) from error
    if len(document) > _LARGEST:
        raise IssuerUnavailable(f"it has more than {_LARGEST >> 10} KiB", where=str(path))
    return document


def _discovered(settings: IssuerSettings, context: ssl.SSLContext, deadline: Deadline) -> str:
    """The address of the keys, as the issuer's own document has it (OpenID Connect Discovery 1.0)."""
    url = f"{settings.issuer.rstrip('/')}/.well-known/openid-configuration"
    try:
        document = strict_json.parse(_get(_address(url, settings), context, deadline))
    except strict_json.NotStrict as error:
        raise IssuerUnavailable(f"it is no JSON: {error}", where=url, next_step=_CHECK) from error
    said = document if isinstance(document, dict) else {}
    if said.get("issuer") != settings.issuer:
        raise IssuerUnavailable(
            "it is not the document of this issuer", where=url, next_step="Write the issuer as it does itself"
        )
    keys = said.get("jwks_uri")
    if not isinstance(keys, str):
        raise IssuerUnavailable("it does not say where the keys are", where=url, next_step=_CHECK)
    return keys


def _address(url: str, settings: IssuerSettings) -> Address:
    try:
        return address(url, plain_loopback=settings.plain_loopback)
    except ValueError as error:
        raise IssuerUnavailable(f"nothing is fetched from there: {error}", where=ascii(url)[:200]) from error


def _get(what: Address, context: ssl.SSLContext, deadline: Deadline) -> bytes:
    """The body of the answer."""
    endpoint = Endpoint(what.url, what.host, what.port, tls=context if what.secure else None)
    try:
        with closing(Connection(endpoint)) as connection:
            response = connection.exchange(
                "GET", what.target, None, _HEADERS, deadline=deadline, most=_LARGEST
            )
    except NoAnswer as error:
        raise _unavailable(str(error), what) from error
    if response.status != _OK:
        raise _unavailable(f"it answers {response.status}, and no other address is tried", what)
    return response.body


def _unavailable(reason: str, what: Address) -> IssuerUnavailable:
    return IssuerUnavailable(reason, where=what.url, next_step=_CHECK)
