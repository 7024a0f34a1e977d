"""A connection, and what is answered on it."""

from __future__ import annotations

import http.client
import select
from collections.abc import Mapping
from dataclasses import dataclass

from ..said import quoted
from .bounded import BoundedSocket
from .deadline import Deadline
from .endpoint import Endpoint
from .failures import TooMuch, no_answer


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer, of which nothing is believed yet."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def media_type(self) -> str:
        """What it says of its body: in lower case, without parameters."""
        return self.headers.get_content_type()

    @property
    def is_json(self) -> bool:
        """Whether it says that its body is JSON, as it is and not compressed."""
        return self.is_of("application/json")

    def is_of(self, media_type: str) -> bool:
        """Whether it says that its body is of this type, as it is and not compressed."""
        coding = self.headers.get("Content-Encoding", "identity")
        return self.media_type == media_type and coding == "identity"

    @property
    def shown(self) -> str:
        """Type and body, for a message."""
        return f"{quoted(self.headers.get('Content-Type', 'no type'), 80)}: {quoted(self.body)}"


class Connection(http.client.HTTPConnection):
    """A connection to one endpoint, which is made when it is needed first.

    Each exchange has a deadline and a limit of its own. No redirection is followed.
    """

    auto_open = 0  # never to be reopened in the midst of an exchange

    def __init__(self, where: Endpoint) -> None:
        super().__init__(where.authority)
        self._where = where
        self._bounded: BoundedSocket | None = None
        self.reusable = False
        """Whether the last exchange was whole, and the peer keeps the connection open."""

    def exchange(
        self,
        method: str,
        target: str,
        body: bytes | None,
        headers: Mapping[str, str],
        *,
        deadline: Deadline,
        most: int,
    ) -> Response:
        """What is answered before `deadline`, in at most `most` bytes. `NoAnswer` if it is no whole answer.

        `target`: path and query, behind the endpoint's own prefix.
        """
        self.reusable = False
        try:
            if self._bounded is None:
                self._bounded = BoundedSocket(self._where.connect(deadline))
                self.sock = self._bounded
            self._bounded.begin(deadline, most)
            self.request(method, self._where.prefix + target, body, headers)
            response = self.getresponse()
            try:
                content = _whole(response, most)
                self.reusable = not response.will_close
            finally:
                response.close()
        except (OSError, http.client.HTTPException) as error:
            raise no_answer(error, deadline.seconds) from error
        return Response(response.status, response.headers, content)

    @property
    def received(self) -> int:
        """Bytes of an answer that came in the last exchange."""
        return 0 if self._bounded is None else self._bounded.received

    def is_quiet(self) -> bool:
        """Whether nothing came since the last answer: neither the end, nor an answer to no question."""
        if self._bounded is None or self.sock is None:
            return False
        poll = select.poll()
        poll.register(self._bounded.plain, select.POLLIN)
        return not poll.poll(0)


def _whole(response: http.client.HTTPResponse, most: int) -> bytes:
    """The whole body. Its length is checked before memory is taken for it."""
    if response.length is not None and response.length > most:
        raise TooMuch(most)
    try:
        body = response.read(most)
    except ValueError as error:  # `http.client` reads the size of a chunk as Python reads numbers: -5, too
        raise http.client.HTTPException from error
    if response.length:
        raise http.client.IncompleteRead(body, response.length)
    return body
