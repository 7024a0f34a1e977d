"""Puts the service together as `mandate.yaml` says, and runs it."""

from __future__ import annotations

import gc
import logging
import os
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from . import composition
from .engine.claim import ClaimedFacts
from .engine.collecting import Question as Collected
from .engine.configuration import Configuration
from .engine.errors import BadConfiguration, BadRequest, NotRecorded
from .engine.evidence.handed_in import HandedIn
from .engine.evidence.predicates.base import Predicate
from .engine.evidence.public_keys import Believed
from .engine.evidence.receipt import Receipt
from .engine.evidence.recorder import Recorder
from .engine.evidence.sql.ledger import SqlLedger
from .engine.gate import Facts, Gate
from .engine.policy.bundle import Bundle
from .engine.report.visible import visible
from .engine.service import current, metrics, processes, server, tracing
from .engine.service.access import key_sources
from .engine.service.access.authentication import Authentication
from .engine.service.access.issuer_keys import IssuerKeys
from .engine.service.access.issuers import Issuers, Trusted
from .engine.service.access.tokens import Callers
from .engine.service.admission.door import Door
from .engine.service.admission.glass import Glass
from .engine.service.application import application
from .engine.service.asking import Question
from .engine.service.certificates import Certificates
from .engine.service.elsewhere import FactsElsewhere
from .engine.service.metrics import Metrics
from .engine.service.observed import ObservedEvidence, ObservedFacts, ObservedJudge, Stages
from .engine.service.parts import Parts
from .engine.service.readiness import Readiness
from .engine.service.turns import Turns
from .engine.service.upkeep import Upkeep
from .engine.service.workers import WorkerFailed, Workers
from .judging import Judging

_log = logging.getLogger(__name__)
_LOOK_SECONDS = 1.0
_FAILURES = 2
"""So often in a row an OPA of our own must not answer before another takes its place."""


@dataclass
class _Open:
    """What lives as long as the service does."""

    gate: Gate
    judging: Judging
    recorder: Recorder
    ledger: SqlLedger
    keys: Believed
    places: Mapping[str, str]
    """See `Parts.places`."""

    @property
    def bundle(self) -> Bundle:
        """The policies in use."""
        return self.judging.bundle


class Service:
    """The parts of one process of the service."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._opened: _Open | None = None
        self._metrics = Metrics()
        self._tracing = tracing.configured(configuration.settings.service.traces, os.environ)
        callers = configuration.path(configuration.settings.service.callers)
        self._authentication = Authentication(Callers(callers), self._issuers())
        self._stages = Stages(self._metrics, self._tracing)
        limits = configuration.settings.service.limits
        self._turns = Turns(at_once=limits.at_once, waiting=limits.waiting, seconds=limits.seconds)
        self._turns.refused = self._metrics.refused.inc
        self._readiness = Readiness(
            opa=self._demand_opa,
            ledger=self._demand_ledger,
            entries=self._count_entries,
            turns=self._turns,
            at_once=limits.at_once,
            metrics=self._metrics,
        )
        collect = configuration.settings.service.collect
        command = [sys.executable, "-m", "mandate.working", str(configuration.file), str(collect.megabytes)]
        self._workers = (
            Workers(command, count=collect.workers, seconds=collect.seconds) if collect.workers else None
        )

    def parts(self) -> Parts:
        """The parts, closed until `Parts.open` is entered."""
        settings = self._configuration.settings.service
        return Parts(
            settings=settings,
            authentication=self._authentication,
            gate=lambda: self._now.gate,
            facts=self._facts,
            ledger=lambda: self._now.ledger,
            keys=lambda: self._now.keys,
            places=lambda: {} if self._opened is None else self._opened.places,
            admit=self._admit,
            policies=lambda: composition.of_people(self._now.bundle),
            door=Door(
                settings=settings.admission,
                gate=lambda: self._now.gate,
                ledger=lambda: self._now.ledger,
                keys=lambda: self._now.keys,
                glass=Glass(
                    settings=settings.admission,
                    ledger=lambda: self._now.ledger,
                    keys=lambda: self._now.keys,
                    state=self._state,
                    clock=composition.now,
                    metrics=self._metrics,
                ),
                environment=lambda name: composition.known_environment(
                    name, self._now.bundle, where="environment"
                ),
                risk_tier_of=partial(composition.configured_tier, self._configuration),
                revision=lambda: self._now.bundle.revision,
                clock=composition.now,
            ),
            documentation=composition.documentation(self._configuration),
            readiness=self._readiness,
            publish=self._publish,
            notes=lambda: self._now.judging.notes,
            open=self._open,
            turns=self._turns,
            metrics=self._metrics,
            tracing=self._tracing,
        )

    def _issuers(self) -> Issuers:
        configuration = self._configuration
        trusted = []
        for each in configuration.settings.service.oidc:
            told = self._metrics.issuer_keys.labels(each.issuer).set_to_current_time
            keys = IssuerKeys(each, key_sources.reader(each, configuration.path), told)
            trusted.append(Trusted(each, keys))
        return Issuers(trusted)

    def _places(self, ledger: SqlLedger) -> Mapping[str, str]:
        found = {ledger.location: f"the ledger {self._configuration.settings.ledger.name}"}
        if self._workers is not None:
            with suppress(BadConfiguration):
                found[composition.model_registry(self._configuration).location] = "the model registry"
        return found

    @property
    def _now(self) -> _Open:
        if self._opened is None:
            raise NotRecorded("the service is ending", next_step="Ask again later")
        return self._opened

    @contextmanager
    def _open(self) -> Iterator[None]:
        configuration = self._configuration
        with ExitStack() as stack:
            stack.callback(self._tracing.close)
            recorder = composition.recorder(configuration, stack)
            judging = Judging(configuration, recorder, self._metrics)
            stack.callback(judging.close)
            ledger = composition.ledger(configuration)
            stack.callback(ledger.close)
            if self._workers is not None:
                stack.callback(self._workers.close)
            judge = ObservedJudge(judging.judge, self._stages, self._readiness.answered)
            evidence = ObservedEvidence(
                judging.evidence, self._stages, self._metrics, self._readiness.recorded
            )
            self._opened = _Open(
                gate=Gate(judge, evidence, composition.now),
                judging=judging,
                recorder=recorder,
                ledger=ledger,
                keys=composition.public_keys(configuration),
                places=self._places(ledger),
            )
            try:
                with Upkeep(self._look, seconds=_LOOK_SECONDS):
                    yield
            finally:
                self._opened = None

    def _publish(self) -> None:
        self._readiness.publish()
        self._metrics.callers_refused.set(self._authentication.problem is not None)

    def _demand_opa(self) -> None:
        self._now.judging.judge.ready()

    def _demand_ledger(self) -> None:
        self._now.recorder.ready()

    def _count_entries(self) -> int:
        return self._now.ledger.count()

    def _look(self) -> None:
        judging = self._now.judging
        judging.follow()
        self._readiness.look()
        self._publish()
        if self._readiness.opa_failures >= _FAILURES:
            judging.replace()

    def _state(self, kind: type[Predicate], **said: Any) -> Receipt:
        return self._now.recorder.event(kind, **said)

    def _facts(self, question: Question, caller: str, what_if: bool) -> Facts:
        return ObservedFacts(self._plain_facts(question, caller, what_if), self._stages)

    def _plain_facts(self, question: Question, caller: str, what_if: bool) -> Facts:
        configuration, bundle = self._configuration, self._now.bundle
        environment = composition.known_environment(question.environment, bundle, where="environment")
        if question.input is not None:
            return ClaimedFacts(
                question.input,
                where="input",
                requested_by=caller,
                risk_tier_of=partial(composition.risk_tier, configuration),
                action=question.action,
                environment=environment,
                what_if=what_if,
            )
        if self._workers is None:
            raise BadRequest(
                "this service collects no facts",
                where="subject",
                next_step="Send an input, or set service.collect.workers",
            )
        wanted = Collected(str(question.subject), question.action, environment, caller, what_if)
        return FactsElsewhere(wanted, partial(self._asked_worker, self._workers, bundle.revision))

    def _asked_worker(self, workers: Workers, revision: str, question: dict[str, Any]) -> dict[str, Any]:
        """What a worker answers by the policies in use: those that the settings name may be newer, or bad."""
        with self._metrics.collecting.track_inprogress():
            try:
                return workers.ask({**question, "revision": revision, "about": dict(current.said())})
            except WorkerFailed:
                self._metrics.collecting_failed.inc()
                raise

    def _admit(self, body: bytes, kind: str) -> Receipt:
        now = self._now
        handed_in = HandedIn(
            log=now.ledger,
            keys=now.keys,
            policies=composition.of_people(now.bundle),
            recorder=now.recorder,
            clock=composition.now,
        )
        return handed_in.admit(body, kind)


def serve(
    configuration: Configuration,
    *,
    workers: int = 1,
    overrides: Sequence[str] = (),
    inherited: int | None = None,
    measured: tuple[Path, int] | None = None,
    parent: int | None = None,
) -> int:
    """Serve until a signal ends it, in so many processes.

    `overrides`: what was set on the command line, for those processes too. `inherited`: the socket of their
    parent; `measured`: the folder in which they measure together, and the number of this one; `parent`: its
    process id, with which this one ends.
    Returns the exit code. `BadConfiguration` if the settings cannot be used, another `MandateError` if there
    is nothing to decide by, or nowhere to record it.
    """
    if parent is not None:
        processes.end_with(parent)
    if measured is not None:
        metrics.share(*measured)
    parts = Service(configuration).parts()  # what is wrong with the settings is said before anything runs
    certificates = _certificates(configuration)
    settings = parts.settings
    listening = _listening(configuration) if inherited is None else socket.socket(fileno=inherited)
    if workers > 1:
        _log_address(settings.listen, listening, certificates)
        with TemporaryDirectory(prefix="mandate-metrics-") as folder:
            common = ["serve", "--fd", str(listening.fileno()), "--parent", str(os.getpid())]
            common += ["--config", str(configuration.file)]
            common += [part for override in overrides for part in ("--set", override)]
            commands = [
                processes.again([*common, "--measured", folder, str(number)]) for number in range(workers)
            ]
            ended = partial(metrics.forget, Path(folder))
            return processes.keep(commands, listening, grace=server.grace(settings), ended=ended)
    if certificates is not None:
        certificates.watch(lambda expires: parts.metrics.certificate.set(expires.timestamp()))
    with parts.open():  # what is wrong with the ledger or the policies is said before anybody can ask
        if inherited is None:
            _log_address(settings.listen, listening, certificates)
        gc.freeze()  # what was loaded stays: nobody has to look through it for garbage again and again
        server.run(application(parts), settings, certificates, listening)
    return 0


def _certificates(configuration: Configuration) -> Certificates | None:
    if (tls := configuration.settings.service.tls) is None:
        return None
    return Certificates(
        configuration.path(tls.certificate),
        configuration.path(tls.key),
        configuration.path(tls.client_ca) if tls.client_ca else None,
    )


def _log_address(listen: str, listening: socket.socket, certificates: Certificates | None) -> None:
    """Say where callers find the service; the port is the real one where the settings leave it open."""
    scheme = "http" if certificates is None else "https"
    host, _, port = listen.rpartition(":")
    if listening.family is not socket.AF_UNIX:
        port = str(listening.getsockname()[1])
    address = listen if host == "unix" else f"{scheme}://{host}:{port}"
    _log.info("answering at %s", visible(address), extra={"address": visible(address)})


def _listening(configuration: Configuration) -> socket.socket:
    listen = configuration.settings.service.listen
    try:
        return processes.bound(listen)
    except OSError as error:
        raise BadConfiguration(
            f"nobody can listen at {listen}: {error.strerror}",
            where=configuration.document.where(("service", "listen")),
            next_step="Choose another address, or end whoever has it",
        ) from error
