"""Requests that no honest client sends, and what every answer to them must be."""

from __future__ import annotations

import copy
import http.client
import json
import random
import re
import socket
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from jsonschema import Draft202012Validator

from mandate.engine.service.access.roles import Role
from tests.cluster import new_model, pod
from tests.organisation import GOOD, at, places
from tests.service import bearer

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]")
_WEIRD: Sequence[Any] = (
    *(
        None,
        True,
        False,
        0,
        -1,
        2**63,
        10**400,
        1e308,
        -0.0,
        [],
        {},
        "",
        " ",
        "\x00",
        "\x1b[31mred",
        "a\r\nb",
    ),
    *("\u202egnp", "\ud800", "é" * 300, "x" * 5000, "../../etc/passwd", "${jndi:ldap://x}", "';--", "%00"),
    *([[]] * 3, {"": {"": {}}}, "models:/credit/3", "file:///etc/passwd", "http://169.254.169.254/", "NaN"),
)
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "PROPFIND", "TRACE", "LOCK")
_TYPES = (
    *("application/json",) * 6,
    *("application/json; charset=utf-16", "text/plain", "application/xml", "multipart/form-data", "", "\t"),
)
_HEADERS = (
    *("Idempotency-Key", "Accept", "X-Request-ID", "traceparent", "Content-Encoding", "If-Match", "Host"),
    *("X-Forwarded-For", "Transfer-Encoding", "Expect", "Cookie", "Range", "Upgrade", "Connection"),
)
_TEXTS = (
    *(b"a", b"", b" ", b"\xff\xfe", b"a\tb", b"x" * 300, b"x" * 9000, b"*/*", b"text/html;q=0", b"identity"),
    *(b"00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-00", b'"', b"\x1b[2J", b"a\x00b", b"application/sarif+json"),
)


@dataclass(frozen=True)
class Request:
    """One request, as bytes."""

    content: bytes
    method: str
    path: str
    """Without its query."""


@dataclass
class Requests:
    """Makes requests from what an OpenAPI document says, each a little or very wrong."""

    document: Mapping[str, Any]
    chance: random.Random

    def one(self) -> Request:
        """The next request."""
        chance = self.chance
        template = chance.choice(sorted(self.document["paths"]))
        operations = self.document["paths"][template]
        method = chance.choice(sorted(operations)).upper() if chance.random() < 0.9 else self._any(_METHODS)
        path = re.sub(r"\{\w+\}", lambda _: self._segment(), template)
        if chance.random() < 0.05:
            path += self._any(("/", "//", "/..", "%2f", ";x", "/%00", "/" + "a" * 3000))
        body = self._body(template) if method not in ("GET", "HEAD") or chance.random() < 0.05 else b""
        named = [
            parameter["name"]
            for operation in operations.values()
            for parameter in operation.get("parameters", ())
            if parameter["in"] == "query"
        ]
        lines = [f"{method} {path}{self._query(named)} HTTP/1.1".encode("latin-1"), b"Host: mandate"]
        lines += self._headers(body)
        return Request(b"\r\n".join([*lines, b"", body]), method, path)

    def _headers(self, body: bytes) -> Iterator[bytes]:
        chance = self.chance
        authorization = chance.random()
        if authorization < 0.85:
            yield b"Authorization: " + bearer(self._any(list(Role)))["Authorization"].encode()
        elif authorization < 0.95:
            wrong = (b"Bearer", b"Bearer x", b"Basic YTpi", b"Bearer " + b"x" * 20_000, b"bearer \xff", b"")
            yield b"Authorization: " + self._any(wrong)
        yield b"Content-Type: " + self._any(_TYPES).encode()
        if chance.random() < 0.3:
            yield self._any(_HEADERS).encode() + b": " + self._any(_TEXTS)
        length = len(body) if chance.random() < 0.98 else self._any((0, -1, 10**12, 10**30))
        yield b"Content-Length: %d" % length

    def _query(self, named: Sequence[str]) -> str:
        chance = self.chance
        if chance.random() < 0.5:
            return ""
        pairs = [
            f"{self._any([*named, 'nobody', 'timeout', 'dry_run'])}={quote(self._text())}"
            for _ in range(chance.randint(1, 3))
        ]
        return "?" + "&".join(pairs)

    def _segment(self) -> str:
        known = ("production", "0", "1", "-1", "999999999999999999999", "sha256:" + "0" * 64, "0" * 64, "01")
        return quote(self._text() if self.chance.random() < 0.5 else self._any(known), safe="")

    def _text(self) -> str:
        text = self._any([weird for weird in _WEIRD if isinstance(weird, str)] + ["strict", "true", "1", "x"])
        return str(text).encode("utf-8", "surrogatepass").decode("latin-1")[:2000]

    def _body(self, template: str) -> bytes:
        chance = self.chance
        if chance.random() < 0.1:
            raw = (b"", b"{", b"[" * 10_000, b"\xff", b'{"a": 1, "a": 2}', b"null", b"NaN", b'"', b"0" * 5000)
            return chance.choice(raw)
        if "admission" in template:
            document = _review()
        elif ":batch" in template:
            document = {"questions": [self._question() for _ in range(chance.randint(0, 4))]}
        elif "decisions" in template:
            document = self._question()
        else:
            signature = {"keyid": "SHA256:x", "sig": "AAAA"}
            kind = "application/vnd.in-toto+json"
            document = {"payload": "e30=", "payloadType": kind, "signatures": [signature]}
        for _ in range(chance.randint(1, 3)):
            document = self._changed(document)
        text = json.dumps(document, ensure_ascii=False, default=str).encode("utf-8", "surrogatepass")
        return text[: chance.randint(0, len(text))] if chance.random() < 0.03 else text

    def _question(self) -> dict[str, Any]:
        if self.chance.random() < 0.7:
            return {"input": GOOD, "action": "promote", "environment": "production"}
        return {"subject": "models:/credit/3", "action": "promote", "environment": "production"}

    def _changed(self, document: Any) -> Any:
        """The document with something else, or nothing, at one place."""
        path = self._any([each for each in places(document) if each] or [()])
        if not path:
            return self._any(_WEIRD)
        changed = copy.deepcopy(document)
        around = at(changed, path[:-1])
        if self.chance.random() < 0.2:
            del around[path[-1]]
        elif self.chance.random() < 0.2 and isinstance(around, dict):
            around[str(self._text())] = self._any(_WEIRD)
        else:
            around[path[-1]] = self._any(_WEIRD)
        return changed

    def _any(self, values: Sequence[Any]) -> Any:
        return self.chance.choice(values)


def _review() -> dict[str, Any]:
    model = new_model()
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
            "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "resource": {"group": "", "version": "v1", "resource": "pods"},
            "name": "credit",
            "namespace": "lending",
            "operation": "CREATE",
            "userInfo": {"username": "robot", "groups": ["system:authenticated"]},
            "object": pod(model.annotations, model.image),
            "oldObject": None,
            "dryRun": False,
        },
    }


class Unsound(AssertionError):
    """An answer that must not be."""


@dataclass
class Checker:
    """Holds answers against the OpenAPI document, and against what must never be answered."""

    document: Mapping[str, Any]
    _validators: dict[int, Draft202012Validator] = field(init=False, default_factory=dict)

    def check(self, request: Request, status: int, kind: str, body: bytes) -> None:
        """`Unsound` if this must not be the answer."""
        if status >= 500 and status != 503:
            raise Unsound(f"an internal error: {status} {body[:500]!r}")
        if request.method == "HEAD" or status in (204, 304):
            return
        if _CONTROL.search(body.decode("utf-8").replace("\n", "").replace("\t", "")):
            raise Unsound(f"a control character in {body[:500]!r}")
        said = json.loads(body) if "json" in kind else None
        if status >= 400 and not (_is_problem(said, kind) or _is_undecided(said)):
            raise Unsound(f"neither a problem nor a decision: {status} {kind} {body[:500]!r}")
        if _allows(said):
            raise Unsound(f"an allow: {body[:500]!r}")
        self._conforms(request, status, kind, said)

    def _conforms(self, request: Request, status: int, kind: str, said: Any) -> None:
        operation = self._operation(request)
        if operation is None or _is_before_routes(status, said):
            return
        declared = operation["responses"].get(str(status))
        if declared is None:
            raise Unsound(f"{request.method} {request.path} does not say that it answers {status}: {said}")
        media, plain = declared.get("content", {}), kind.partition(";")[0]
        if media and plain not in media:
            raise Unsound(f"{request.method} {request.path} answers {status} with {plain}, not {list(media)}")
        schema = media.get(plain, {}).get("schema")
        for error in self._validator(schema).iter_errors(said) if schema and said is not None else ():
            raise Unsound(f"{request.path} {status}: {error.json_path} {error.message[:300]}")

    def _validator(self, schema: Mapping[str, Any]) -> Draft202012Validator:
        if id(schema) not in self._validators:
            whole = {**schema, "components": self.document.get("components", {})}
            self._validators[id(schema)] = Draft202012Validator(whole)
        return self._validators[id(schema)]

    def _operation(self, request: Request) -> Mapping[str, Any] | None:
        for path, operations in self.document["paths"].items():
            pattern = re.sub(r"\{\w+\}", "[^/]*", path)
            if re.fullmatch(pattern, request.path) and request.method.lower() in operations:
                found: Mapping[str, Any] = operations[request.method.lower()]
                return found
        return None


def _is_problem(said: Any, kind: str) -> bool:
    return kind.startswith("application/problem+json") and bool(said["title"]) and "status" in said


def _is_undecided(said: Any) -> bool:
    return isinstance(said, dict) and said.get("outcome") in ("undecided", "deny")


_BEFORE_ROUTES = ("Not Found", "Invalid HTTP request received.", "HTTP/1.1 demands ", "Nothing but HTTP/1.")


def _is_before_routes(status: int, said: Any) -> bool:
    """Whether it was answered by nobody whom the OpenAPI document describes: HTTP itself, or no route."""
    return status in (405, 408, 431) or (status in (400, 404) and said["title"].startswith(_BEFORE_ROUTES))


def _allows(said: Any) -> bool:
    if not isinstance(said, dict):
        return False
    reviewed = said.get("response")
    return (
        said.get("outcome") == "allow"
        or said.get("allowed") is True
        or (isinstance(reviewed, dict) and reviewed.get("allowed") is True)
        or any(map(_allows, said.get("answers", ())))
    )


def fuzz(
    address: tuple[str, int], document: Mapping[str, Any], *, count: int, seed: int
) -> Counter[tuple[str, int]]:
    """Send so many requests over connections that are kept; how many of each method had each status.

    `Unsound` with the request for an answer that must not be.
    """
    requests, checker = Requests(document, random.Random(seed)), Checker(document)
    found: Counter[tuple[str, int]] = Counter()
    connection: socket.socket | None = None
    for _ in range(count):
        request = requests.one()
        connection = connection or socket.create_connection(address, timeout=30)
        status, kind, body, closes = _exchanged(connection, request)
        if closes:
            connection.close()
            connection = None
        found[request.method, status] += 1
        if status == 0:  # the connection was closed under a request that could not be told from the next
            continue
        try:
            checker.check(request, status, kind, body)
        except (Unsound, ValueError) as error:
            raise Unsound(f"{error}\nsent: {request.content[:3000]!r}") from error
    if connection is not None:
        connection.close()
    return found


def _exchanged(connection: socket.socket, request: Request) -> tuple[int, str, bytes, bool]:
    with suppress(ConnectionError):
        connection.sendall(request.content)
        if not _is_whole(request.content):
            with suppress(OSError):  # it is closed already
                connection.shutdown(socket.SHUT_WR)  # or more would be waited for
        answer = http.client.HTTPResponse(connection, method=request.method)
        with suppress(http.client.HTTPException):
            answer.begin()
            body = answer.read()
            # What was sent and not read would be taken for the next request.
            keeps = not answer.will_close and _is_whole(request.content)
            return answer.status, answer.headers.get("Content-Type", ""), body, not keeps
    return 0, "", b"", True


def _is_whole(content: bytes) -> bool:
    head, _, body = content.partition(b"\r\n\r\n")
    said = re.search(rb"Content-Length: (-?\d+)", head)
    return said is not None and int(said[1]) == len(body) and b"Transfer-Encoding" not in head
