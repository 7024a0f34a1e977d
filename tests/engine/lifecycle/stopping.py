"""A proxy in front of a tracking server that stops at a request, so that a process can be killed there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

MOVE = "/registered-models/alias"


@dataclass
class Stop:
    """Where the proxy stops: at the first request that moves an alias."""

    url: str = ""
    before: bool = True
    """Whether the request is kept back; else the server's answer is."""
    dropped: bool = False
    """Whether what is kept back is never to arrive."""
    reached: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)

    def wait(self) -> None:
        """Until somebody is stopped."""
        assert self.reached.wait(60)

    def here(self) -> None:
        self.reached.set()
        self.go_on.wait(60)


@contextmanager
def stopping(server: str, *, before: bool) -> Iterator[Stop]:
    """The proxy, until the end."""
    stop = Stop(before=before)

    class Handler(BaseHTTPRequestHandler):
        def _forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            stops = self.command in ("POST", "DELETE") and MOVE in self.path and not stop.reached.is_set()
            if stops and stop.before:
                stop.here()
                if stop.dropped:
                    return
            address = urlsplit(server)
            connection = HTTPConnection(str(address.hostname), address.port, timeout=60)
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            if stops and not stop.before:
                stop.here()
            with suppress(OSError):  # whoever asked was killed
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.headers.get("Content-Type", "application/json"))
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_DELETE = _forward  # noqa: N815  (the library's names)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  (the library's name)
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as proxy:
        thread = threading.Thread(target=proxy.serve_forever)
        thread.start()
        stop.url = f"http://127.0.0.1:{proxy.server_port}"
        try:
            yield stop
        finally:
            stop.go_on.set()
            proxy.shutdown()
            thread.join()
