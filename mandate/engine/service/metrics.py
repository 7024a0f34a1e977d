"""What the service tells Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """One process's measurements, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "mandate_requests_total", "Requests", ["method", "route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "mandate_request_seconds",
            "Time to the answer",
            ["route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.outcomes = Counter(
            "mandate_decisions_total",
            "Decisions on record",
            ["outcome", "action", "environment", "what_if"],
            registry=self.registry,
        )
        self.findings = Counter(
            "mandate_findings_total",
            "Findings that did not pass",
            ["rule", "outcome"],
            registry=self.registry,
        )
        self.reviews = Counter(
            "mandate_admission_reviews_total",
            "Admission reviews",
            ["environment", "outcome"],
            registry=self.registry,
        )
        self.break_glass = Counter(
            "mandate_break_glass_total",
            "Objects that were let in past the policies",
            ["environment"],
            registry=self.registry,
        )
        self.entries = Gauge("mandate_ledger_entries", "Entries in the ledger", registry=self.registry)
        self.turns = Gauge("mandate_turns", "Requests that are being served or wait", registry=self.registry)
        self.certificate = Gauge(
            "mandate_certificate_expires_seconds",
            "When the certificate in use expires, since 1970",
            registry=self.registry,
        )
        self.callers_refused = Gauge(
            "mandate_callers_list_refused",
            "Whether the newest list of callers is not in use, because it is wrong",
            registry=self.registry,
        )
        self.issuer_keys = Gauge(
            "mandate_issuer_keys_read_seconds",
            "When the keys of an OpenID Connect issuer were last read, since 1970",
            ["issuer"],
            registry=self.registry,
        )
        self.ready = Gauge("mandate_ready", "Whether the service can decide", registry=self.registry)
