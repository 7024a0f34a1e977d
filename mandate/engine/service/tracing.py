"""Spans for OpenTelemetry: one a request, and below it one for each part of a decision.

Nothing is imported, and nothing costs anything, unless a place to send spans to is configured. Spans leave
in batches from a thread of their own: a place that is slow or gone loses spans, and delays no decision.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ... import __version__
from ..errors import BadConfiguration
from ..opa.traced import HEADER, TRACEPARENT, trace_of

_PLACES = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_TIMEOUT = "OTEL_EXPORTER_OTLP_TIMEOUT"
_SECONDS = 5.0
"""For one batch. The exporter's own limit would let a dead receiver hold spans for longer."""
_FAREWELL_SECONDS = 2.0
_FAILED = 500


class Tracing:
    """Makes no spans, and passes on the caller's trace."""

    @contextmanager
    def request(self, method: str, headers: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """Around a request; yields where the attributes of its span belong, `trace` among them."""
        parent = headers.get(HEADER, "")
        if (trace := trace_of(parent)) is None:
            yield {}
            return
        token = TRACEPARENT.set(parent)
        try:
            yield {"trace": trace}
        finally:
            TRACEPARENT.reset(token)

    @contextmanager
    def stage(self, name: str) -> Iterator[dict[str, Any]]:
        """Around a part of a decision; yields where the attributes of its span belong."""
        yield {}

    def close(self) -> None:
        """Send what is left."""


class Spans(Tracing):
    """Makes spans, and sends them over OTLP/HTTP."""

    def __init__(self, endpoint: str | None, environment: Mapping[str, str]) -> None:
        try:
            from opentelemetry import propagate, trace
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
        except ImportError as error:
            raise BadConfiguration(
                f"traces are wanted, and {error.name} is not installed",
                where="service.traces",
                next_step="Install mandate[traces], or name no place for traces",
            ) from error
        self._trace, self._propagate = trace, propagate
        named = {"service.name": environment.get("OTEL_SERVICE_NAME", "mandate")}
        self._provider = TracerProvider(resource=Resource.create(named), shutdown_on_exit=False)
        exporter = OTLPSpanExporter(endpoint, timeout=None if _TIMEOUT in environment else _SECONDS)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("mandate", __version__)

    @contextmanager
    def request(self, method: str, headers: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """As a span of a server; its status is that of `http.response.status_code`."""
        attributes: dict[str, Any] = {}
        with self._tracer.start_as_current_span(
            method,
            context=self._propagate.extract(headers),
            kind=self._trace.SpanKind.SERVER,
            attributes={"http.request.method": method},
        ) as span:
            attributes["trace"] = f"{span.get_span_context().trace_id:032x}"
            try:
                yield attributes
            finally:
                _finish(span, attributes)
                if (route := attributes.get("http.route")) is not None:
                    span.update_name(f"{method} {route}")
                if attributes.get("http.response.status_code", _FAILED) >= _FAILED:
                    span.set_status(self._trace.StatusCode.ERROR)

    @contextmanager
    def stage(self, name: str) -> Iterator[dict[str, Any]]:
        """As a span below the request's; OPA is told of it."""
        attributes: dict[str, Any] = {}
        carried: dict[str, str] = {}
        with self._tracer.start_as_current_span(name) as span:
            self._propagate.inject(carried)
            token = TRACEPARENT.set(carried.get(HEADER))
            try:
                yield attributes
            finally:
                TRACEPARENT.reset(token)
                _finish(span, attributes)

    def close(self) -> None:
        """Send what is left, for as long as nobody has to wait for it."""
        last = threading.Thread(target=self._provider.shutdown, daemon=True)
        last.start()
        last.join(_FAREWELL_SECONDS)


def _finish(span: Any, attributes: Mapping[str, Any]) -> None:
    for name, value in attributes.items():
        if name != "trace":
            span.set_attribute(name if "." in name else f"mandate.{name}", value)


def configured(endpoint: str | None, environment: Mapping[str, str]) -> Tracing:
    """Spans if the settings or OpenTelemetry's own variables name a place for them; else none.

    `BadConfiguration` if what it takes is not installed.
    """
    off = environment.get("OTEL_SDK_DISABLED", "").lower() == "true"
    wanted = endpoint is not None or any(environment.get(place) for place in _PLACES)
    return Spans(endpoint, environment) if wanted and not off else Tracing()
