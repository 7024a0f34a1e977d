"""HTTP as uvicorn speaks it, with patience that ends, and problems where it is no HTTP at all.

A request that takes longer than its time to arrive, in its headers or its body, is answered 408. An answer
that nobody reads is given up. Neither holds a connection, or its memory, for as long as a client likes.

What another reader of the same bytes, such as a proxy, could understand differently is refused or not looked
at: another protocol than this one, and headers that come after the body.
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from .problems import MEDIA_TYPE
from .vouched import Client, Trusting, client

_log = logging.getLogger(__name__)
_FAREWELL_SECONDS = 1.0
_REASONS = {400: b"Bad Request", 408: b"Request Timeout", 431: b"Request Header Fields Too Large"}
_LONGEST_HEAD = 64 << 10
"""Bytes in a row without a part of a body, beside those that arrived with the first of them."""
_VERSIONS = {"1.0", "1.1"}
_NO_UPGRADE = "Nothing but HTTP/1.1 is spoken here: send the request without Upgrade"
"""Java's HttpClient, for one, asks for HTTP/2 by itself; its `version` says which one it speaks."""


class _Refused(Exception):
    """The request is not served: the parser passes it on as an error of its own."""


class Protocol(HttpToolsProtocol):
    """Tells the application whose client certificate was verified, too (the `tls` extension of ASGI)."""

    seconds: ClassVar[float]
    """For a request to arrive, and for the next part of an answer to be read."""
    trusting: ClassVar[Trusting | None]
    """Who knows which clients count; `None` where there is no TLS."""
    _client: Client | None = None
    _arrival: asyncio.TimerHandle | None = None
    _reading: asyncio.TimerHandle | None = None
    _served: RequestResponseCycle | None = None
    _beside = 0
    """Bytes since the last part of a body."""
    _head_ended = False
    _problem: str | None = None
    """What is wrong with the request, where the parser does not know."""
    _is_refused = False
    """Whether something was refused: what comes after it is not looked at."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Until there is a request, the connection is one that is kept: clients open some ahead of need."""
        super().connection_made(transport)
        self._client = client(transport)
        self._keep()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._arrived()
        if self._served is not None:
            # Of requests that were sent ahead, uvicorn tells only the last one that nobody is there.
            self._served.disconnected = True
        self.pipeline.clear()
        self.resume_writing()
        super().connection_lost(exc)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._served = cycle
        super()._start_asgi_task(cycle, app)

    def data_received(self, data: bytes) -> None:
        """Some bytes, of whatever. From a client that counts no longer, only what was begun is read on."""
        if self._is_refused:
            return
        if not self._counts() and not self._is_answering():
            self.shutdown()
            return
        self._beside += len(data)
        super().data_received(data)
        if self.transport.is_closing() or self._is_refused:
            return
        if self._beside > _LONGEST_HEAD:
            self._refuse(431, f"The request has more than {_LONGEST_HEAD} bytes beside its body")
        elif self._arrival is None and (self.cycle is None or self.cycle.response_complete):
            self._keep()  # an empty line between requests begins none

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._beside, self._head_ended = 0, False
        self._arrived()
        self._arrival = self.loop.call_later(self.seconds, self._late)
        if self._client is not None and self._counts():
            self.scope["extensions"] = {"tls": {"client_cert_name": self._client.subject}}

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; what comes after the body is none, or it could say who calls behind a proxy's back."""
        if not self._head_ended:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The end of the head."""
        self._head_ended = True
        self._problem = self._fault()
        if self._problem is not None:
            raise _Refused
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of a body."""
        self._beside = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The last byte of a request."""
        self._beside = 0
        self._arrived()
        super().on_message_complete()

    def pause_writing(self) -> None:
        """More of an answer is written than the client has read."""
        super().pause_writing()
        self._reading = self.loop.call_later(self.seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """The client has read."""
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
        super().resume_writing()

    def look(self) -> None:
        """End the connection of a client that counts no longer, once what was begun is answered."""
        if not self._counts():
            self.shutdown()

    def shutdown(self) -> None:
        """The service ends, or the client counts no longer, and with that this connection ends.

        TLS waits until the client says farewell, too. A pool of connections reads nothing before its next
        request: it is not waited for long once everything was sent.
        """
        super().shutdown()
        if self.transport.is_closing():
            self.loop.call_later(_FAREWELL_SECONDS, self._leave)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, or none that is spoken here."""
        self._refuse(400, self._problem or msg)

    def _fault(self) -> str | None:
        """What is wrong with the head, though the parser can read it."""
        if self.parser.should_upgrade():
            # What follows is no body to the parser: it would be read as another request.
            return _NO_UPGRADE
        version = self.parser.get_http_version()
        if version not in _VERSIONS:
            return "Nothing but HTTP/1.0 and HTTP/1.1 is spoken here"
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or (hosts == 0 and version == "1.1"):
            return f"HTTP/1.1 demands one Host header, and here are {hosts}"
        return None

    def _counts(self) -> bool:
        return self._client is None or self.trusting is None or self._client.counts(self.trusting)

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _keep(self) -> None:
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def _arrived(self) -> None:
        if self._arrival is not None:
            self._arrival.cancel()
            self._arrival = None

    def _late(self) -> None:
        if not self.transport.is_closing():
            self._refuse(408, f"The request did not arrive within {self.seconds:g} s")

    def _leave(self) -> None:
        if self.transport.get_write_buffer_size():
            self.loop.call_later(_FAREWELL_SECONDS, self._leave)
        else:
            self.transport.abort()

    def _refuse(self, status: int, title: str) -> None:
        peer = self.client[0] if self.client else None
        _log.warning("a request was not read", extra={"status": status, "reason": title, "client": peer})
        self._is_refused = True
        owed = self._served
        if owed is not None and not owed.response_complete and (owed.response_started or not owed.more_body):
            # Whoever waits for that answer, or for the rest of it, would take this for it.
            owed.keep_alive = False
            self.pipeline.clear()
            return
        body = json.dumps({"type": "about:blank", "title": title, "status": status}).encode()
        head = b"HTTP/1.1 %d %b\r\ncontent-type: %b\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
        self.transport.write(head % (status, _REASONS[status], MEDIA_TYPE.encode(), len(body)) + body)
        self.transport.close()


def patient(seconds: float, trusting: Trusting | None) -> type[Protocol]:
    """The protocol with this patience, for those clients."""
    return type("PatientProtocol", (Protocol,), {"seconds": seconds, "trusting": trusting})
