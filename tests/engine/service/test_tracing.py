"""Traces, as a receiver of OpenTelemetry's protocol gets them."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from mandate.engine.errors import BadConfiguration
from mandate.engine.opa.traced import trace_of
from mandate.engine.service import tracing
from tests.organisation import GOOD, founded
from tests.served import decide, served
from tests.service import serving

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


class Listener:
    """A server on this machine that keeps what it is sent."""

    def __init__(self, answer: bytes, kind: str) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                outer.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                outer.headers.append({name.lower(): value for name, value in self.headers.items()})
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: Any) -> None:
                """Nothing to the terminal."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self._thread = threading.Thread(target=self.server.serve_forever)
        self._thread.start()

    def spans(self) -> dict[str, Any]:
        """The spans of the trace, by their names."""
        found = {}
        for body in self.bodies:
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope in resource.scope_spans:
                    for span in scope.spans:
                        if span.trace_id.hex() == TRACE:
                            found[span.name] = span
        return found

    def close(self) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


@pytest.fixture
def receiver() -> Iterator[Listener]:
    """Where spans are sent to."""
    made = Listener(b"", "application/x-protobuf")
    yield made
    made.close()


def attributes(span: Any) -> dict[str, Any]:
    return {
        each.key: getattr(each.value, each.value.WhichOneof("value"))
        for each in span.attributes
        if each.key.startswith(("mandate.", "http."))
    }


def test_a_decision_is_a_trace_that_goes_on_where_the_callers_is(tmp_path: Path, receiver: Listener) -> None:
    organisation = founded(tmp_path, trusting=True)
    with served(organisation, traces=f"{receiver.url}/v1/traces") as running, running.client() as client:
        said = client.post("/v1/decisions", json={"input": GOOD}, headers={"traceparent": TRACEPARENT}).json()
        assert running.stop() == 0
    found = receiver.spans()
    assert set(found) == {"POST /v1/decisions", "collect", "opa", "confirm", "record"}
    request = found.pop("POST /v1/decisions")
    assert request.parent_span_id.hex() == PARENT
    assert {span.parent_span_id for span in found.values()} == {request.span_id}
    assert attributes(request) == {
        "http.request.method": "POST",
        "http.route": "/v1/decisions",
        "http.response.status_code": 200,
        "mandate.decision": said["id"],
        "mandate.outcome": "allow",
    }
    revision = said["policy"]["revision"]
    assert attributes(found["opa"]) == {"mandate.outcome": "allow", "mandate.revision": revision}
    assert attributes(found["record"]) == {
        "mandate.decision": said["id"],
        "mandate.index": said["ledger"]["index"],
        "mandate.outcome": "allow",
        "mandate.revision": revision,
    }
    lines = [json.loads(line) for line in (tmp_path / "serve.log").read_text().splitlines()]
    assert {line.get("trace") for line in lines if line.get("decision")} == {TRACE}


def test_opa_is_told_of_the_callers_trace_without_any_place_for_spans(tmp_path: Path) -> None:
    opa = Listener(b"{}", "application/json")

    try:
        with serving(tmp_path, lambda made: made.asks(opa.url)) as running:
            answer = running.decide(GOOD, traceparent=TRACEPARENT)
            forged = running.decide(GOOD, traceparent="00-x")
    finally:
        opa.close()
    assert (answer.json()["outcome"], forged.json()["outcome"]) == ("undecided", "undecided")
    told = [each.get("traceparent") for each in opa.headers]
    assert (told.count(TRACEPARENT), len(set(told))) == (1, 2)


def test_a_receiver_that_never_answers_delays_neither_a_decision_nor_the_end(tmp_path: Path) -> None:
    organisation = founded(tmp_path, trusting=True)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        place = f"http://127.0.0.1:{deaf.getsockname()[1]}/v1/traces"
        with served(organisation, traces=place) as running, running.client() as client:
            began = time.monotonic()
            for _ in range(5):
                assert decide(client).json()["outcome"] == "allow"
            time.sleep(1)
            assert time.monotonic() - began < 10
            began = time.monotonic()
            assert running.stop() == 0
            assert time.monotonic() - began < 10


def test_what_is_no_traceparent_is_no_trace() -> None:
    good = trace_of(TRACEPARENT)
    assert good == TRACE
    bad = ["", "x", TRACEPARENT + "-00", TRACEPARENT.upper(), TRACEPARENT.replace("00-", "ff-", 1)]
    bad += [f"00-{'0' * 32}-{PARENT}-01", f"00-{TRACE}-{'0' * 16}-01", TRACEPARENT + "\n"]
    assert [trace_of(each) for each in bad] == [None] * len(bad)


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:1"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"}, False),
    ],
)
def test_opentelemetrys_own_variables_name_a_place_for_spans(
    environment: dict[str, str], wanted: bool
) -> None:
    made = tracing.configured(None, environment)
    assert isinstance(made, tracing.Spans) is wanted
    made.close()


def test_traces_without_what_they_need_are_a_wrong_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(BadConfiguration, match="is not installed"):
        tracing.configured("http://127.0.0.1:1/v1/traces", {})


def test_no_part_of_opentelemetry_is_loaded_unless_it_is_wanted() -> None:
    import subprocess
    import sys

    code = "import sys, mandate.serving; print([name for name in sys.modules if 'opentelemetry.sdk' in name])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "[]\n"
