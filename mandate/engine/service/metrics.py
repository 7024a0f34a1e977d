"""What the service tells Prometheus.

Several processes on one socket measure into files that they share, so that whichever is asked answers for
all: see `share`. Labels have few values, none of which a caller chooses.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_LONGER = (*_SECONDS, 30, 60, 120, 300)
_FOLDER = "PROMETHEUS_MULTIPROC_DIR"


class Metrics:
    """One process's measurements, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        counter, gauge, histogram = self._counter, self._gauge, self._histogram
        self.requests = counter("requests_total", "Requests", "method", "route", "status")
        self.seconds = histogram("request_seconds", "Time to the answer", _SECONDS, "route")
        self.outcomes = counter(
            "decisions_total", "Decisions on record", "outcome", "action", "environment", "what_if"
        )
        self.findings = counter("findings_total", "Findings that did not pass", "rule", "outcome")
        self.stages = histogram(
            "stage_seconds", "Time for a part of a decision: collect, opa, confirm, record", _LONGER, "stage"
        )
        self.not_recorded = counter("not_recorded_total", "Decisions that the ledger did not take")
        self.reviews = counter("admission_reviews_total", "Admission reviews", "environment", "outcome")
        self.break_glass = counter(
            "break_glass_total", "Objects that were let in past the policies", "environment"
        )
        self.ready = gauge("ready", "Whether OPA answers, whether the ledger takes entries", "min", "part")
        self.opa_answered = gauge(
            "opa_last_answer_timestamp_seconds", "When OPA last answered with the expected policies", "min"
        )
        self.policy_since = gauge(
            "policy_activated_timestamp_seconds", "Since when the policies in use judge", "min"
        )
        self.policy_release = gauge(
            "policy_release", "Number of the release in use; 0: the policies are folders", "min"
        )
        self.takeovers = counter(
            "policy_takeovers_total", "New releases of the policies: taken, or refused", "result"
        )
        self.callers_refused = gauge(
            "callers_list_refused", "Whether the newest list of callers is not in use: it is wrong", "max"
        )
        self.issuer_keys = gauge(
            "issuer_keys_read_seconds",
            "When the keys of an OpenID Connect issuer were last read, since 1970",
            "min",
            "issuer",
        )
        self.entries = gauge("ledger_entries", "Entries in the ledger, as last seen", "max")
        self.turns = gauge("turns", "Requests: running, or waiting for their turn", "sum", "state")
        self.refused = counter("turns_refused_total", "Requests that were sent away because of overload")
        self.collecting = gauge("collecting", "Questions that the collecting workers have", "sum")
        self.collecting_failed = counter(
            "collecting_failed_total", "Questions that a collecting worker did not answer"
        )
        self.certificate = gauge(
            "certificate_expires_seconds", "When the certificate in use expires, since 1970", "min"
        )
        self.processes = gauge("processes", "Processes that answer", "sum")
        self.processes.set(1)
        for result in ("taken", "refused"):
            self.takeovers.labels(result)  # there from the start: an increase from nothing is none

    def exposition(self) -> bytes:
        """All measurements in Prometheus' text format; those of all processes, where several share them."""
        if (folder := os.environ.get(_FOLDER)) is None:
            return generate_latest(self.registry)
        everybody = CollectorRegistry()
        MultiProcessCollector(everybody, folder)  # type: ignore[no-untyped-call]  # as prometheus_client has it
        return generate_latest(everybody)

    def _counter(self, name: str, what: str, *labels: str) -> Counter:
        return Counter(f"mandate_{name}", what, labels, registry=self.registry)

    def _histogram(self, name: str, what: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"mandate_{name}", what, labels, buckets=buckets, registry=self.registry)

    def _gauge(self, name: str, what: str, of_all: str, *labels: str) -> Gauge:
        """`of_all`: what several processes have together: `min`, `max` or `sum` of those that live."""
        mode: Any = f"live{of_all}"
        return Gauge(f"mandate_{name}", what, labels, registry=self.registry, multiprocess_mode=mode)


def share(folder: Path, number: int) -> None:
    """Let this process, the `number`-th of those that answer, measure into the folder.

    It goes on where the one before it with this number ended: counters never go back, and however often
    processes end, there are no more files than processes. Call it before there are any `Metrics`.
    """
    os.environ[_FOLDER] = str(folder)
    values.ValueClass = values.MultiProcessValue(lambda: number)  # type: ignore[no-untyped-call]  # as prometheus_client has it


def forget(folder: Path, number: int) -> None:
    """The process ended: what it was at that moment is no more; what it had counted stays."""
    with suppress(OSError):
        mark_process_dead(number, str(folder))  # type: ignore[no-untyped-call]  # as prometheus_client has it
