"""Puts the service together as `mandate.yaml` says, and runs it."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from . import composition
from .engine.claim import ClaimedFacts
from .engine.collecting import Question as Collected
from .engine.configuration import Configuration
from .engine.errors import BadConfiguration, BadInput, BadRequest, NotRecorded
from .engine.evidence import envelope as dsse
from .engine.evidence import statement
from .engine.evidence.predicates.base import AUTHORITY, Predicate
from .engine.evidence.predicates.personal import PersonalPredicate
from .engine.evidence.public_keys import Believed
from .engine.evidence.receipt import Receipt
from .engine.evidence.recorder import Recorder
from .engine.evidence.sql.ledger import SqlLedger
from .engine.gate import Facts, Gate
from .engine.policy.bundle import Bundle
from .engine.service import processes, server
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
from .engine.service.parts import Parts
from .engine.service.turns import Turns
from .engine.service.workers import Workers

_GARBAGE = 400
"""Percent, see `LocalOpa`: an OPA that is asked all day collects garbage a quarter as often."""


@dataclass
class _Open:
    """What lives as long as the service does."""

    gate: Gate
    judge: composition.ReadyJudge
    recorder: Recorder
    ledger: SqlLedger
    bundle: Bundle
    keys: Believed


class Service:
    """The parts of one process of the service."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._opened: _Open | None = None
        collect = configuration.settings.service.collect
        command = [sys.executable, "-m", "mandate.working", str(configuration.file), str(collect.megabytes)]
        self._workers = (
            Workers(command, count=collect.workers, seconds=collect.seconds) if collect.workers else None
        )

    def parts(self) -> Parts:
        """The parts, closed until `Parts.open` is entered."""
        settings = self._configuration.settings.service
        callers = Callers(self._configuration.path(settings.callers))
        limits = settings.limits
        metrics = Metrics()
        return Parts(
            settings=settings,
            authentication=Authentication(callers, self._issuers(metrics)),
            gate=lambda: self._now.gate,
            facts=self._facts,
            ledger=lambda: self._now.ledger,
            keys=lambda: self._now.keys,
            admit=self._admit,
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
                    metrics=metrics,
                ),
                environment=lambda name: composition.known_environment(name, self._now.bundle),
                risk_tier_of=partial(composition.configured_tier, self._configuration),
                clock=composition.now,
                metrics=metrics,
            ),
            documentation=composition.documentation(self._configuration),
            ready=self._ready,
            open=self._open,
            turns=Turns(at_once=limits.at_once, waiting=limits.waiting, seconds=limits.seconds),
            metrics=metrics,
        )

    def _issuers(self, metrics: Metrics) -> Issuers:
        configuration = self._configuration
        trusted = []
        for each in configuration.settings.service.oidc:
            told = metrics.issuer_keys.labels(each.issuer).set_to_current_time
            keys = IssuerKeys(each, key_sources.reader(each, configuration.path), told)
            trusted.append(Trusted(each, keys))
        return Issuers(trusted)

    @property
    def _now(self) -> _Open:
        if self._opened is None:
            raise NotRecorded("the service is ending", next_step="Ask again later")
        return self._opened

    @contextmanager
    def _open(self) -> Iterator[None]:
        configuration = self._configuration
        release = composition.policy_release(configuration)
        compiled = composition.compiled_policies(configuration, release)
        with ExitStack() as stack:
            judge = stack.enter_context(composition.judge(configuration, compiled, garbage=_GARBAGE))
            recorder = composition.recorder(configuration, stack)
            ledger = composition.ledger(configuration)
            stack.callback(ledger.close)
            if self._workers is not None:
                stack.callback(self._workers.close)
            if release is not None:
                release.use(composition.policy_store(configuration))
            self._opened = _Open(
                gate=Gate(judge, composition.first_use(recorder, release), composition.now),
                judge=judge,
                recorder=recorder,
                ledger=ledger,
                bundle=compiled,
                keys=composition.public_keys(configuration),
            )
            try:
                yield
            finally:
                self._opened = None

    def _ready(self) -> None:
        now = self._now
        now.judge.ready()
        now.recorder.ready()

    def _state(self, kind: type[Predicate], **said: Any) -> Receipt:
        return self._now.recorder.event(kind, **said)

    def _facts(self, question: Question, caller: str) -> Facts:
        configuration, bundle = self._configuration, self._now.bundle
        environment = composition.known_environment(question.environment, bundle)
        if question.input is not None:
            return ClaimedFacts(
                question.input,
                where="input",
                requested_by=caller,
                risk_tier_of=partial(composition.risk_tier, configuration),
                action=question.action,
                environment=environment,
            )
        if self._workers is None:
            raise BadRequest(
                "this service collects no facts",
                where="subject",
                next_step="Send an input, or set service.collect.workers",
            )
        wanted = Collected(str(question.subject), question.action, environment, caller)
        return FactsElsewhere(wanted, self._workers.ask)

    def _admit(self, body: bytes, kind: str) -> Receipt:
        envelope = dsse.parse(body)
        stated = statement.read(envelope.payload)
        predicate, revision = stated.predicate, self._now.bundle.revision
        wanted = predicate.TYPE.startswith(f"{AUTHORITY}{kind}/")
        if not wanted or not isinstance(predicate, PersonalPredicate):
            raise BadInput(f"this is no {kind}, but {stated.predicateType}", where="body")
        if predicate.policy.revision != revision:
            raise BadInput(
                "it was signed under other policies than those in use",
                where="body",
                next_step="Look at the findings again, and sign anew",
            )
        return self._now.recorder.admit(envelope, self._now.keys.of_person(predicate.by, revision))


def serve(configuration: Configuration, *, workers: int = 1, inherited: int | None = None) -> int:
    """Serve until a signal ends it, in so many processes; `inherited` is the socket of their parent.

    Returns the exit code. `BadConfiguration` if the settings cannot be used.
    """
    parts = Service(configuration).parts()  # what is wrong with the settings is said before anything runs
    certificates = _certificates(configuration)
    settings = parts.settings
    listening = _listening(configuration) if inherited is None else socket.socket(fileno=inherited)
    if workers > 1:
        arguments = ["serve", "--fd", str(listening.fileno()), "--config", str(configuration.file)]
        command = processes.again(arguments)
        return processes.keep(command, workers, listening, grace=server.grace(settings))
    if certificates is not None:
        certificates.watch(lambda expires: parts.metrics.certificate.set(expires.timestamp()))
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
