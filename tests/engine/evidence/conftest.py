"""A decision, a key and a ledger to record it in."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mandate import __version__
from mandate.engine.decision import Decision, Finding, FindingOutcome, Judgement, Outcome, Policy
from mandate.engine.digests import document_sha256
from mandate.engine.evidence import keys, statement
from mandate.engine.evidence.keys import SigningKey
from mandate.engine.evidence.predicates.base import LedgerUsed, MandateUsed, Statement
from mandate.engine.evidence.predicates.decision import DecisionPredicate, OpaUsed, PolicyUsed
from mandate.engine.evidence.receipt import Receipt
from mandate.engine.evidence.recorder import Recorder
from mandate.engine.evidence.sql.ledger import SqlLedger
from mandate.engine.input.collection import Collected, Missing
from mandate.engine.input.document import Input
from mandate.engine.input.figures import Figure, Interval, Origin
from mandate.engine.input.performance import NoBaseline, Performance, Rows
from mandate.engine.input.subject import Action, Request, Subject
from tests.postgresql import Server

from .databases import Home, PostgresqlHome, SqliteHome

ON_BOTH = pytest.mark.parametrize("home", ["sqlite", "postgresql"], indirect=True)
"""Marks what is to be so in SQLite and in PostgreSQL."""
ORIGIN = "bank.example/models"
ID = "019ab403-bc93-78b1-aa20-1baa093062d3"
NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def stated(document: Input, judgement: Judgement, time: datetime = NOON) -> Statement[DecisionPredicate]:
    """The statement of a decision, as the recorder states it."""
    predicate = DecisionPredicate(
        id=ID,
        recordedAt=time.replace(microsecond=time.microsecond // 1000 * 1000),
        mandate=MandateUsed(version=__version__),
        ledger=LedgerUsed(origin=ORIGIN),
        outcome=judgement.decision.outcome,
        decision=judgement.decision,
        decisionSha256=document_sha256(judgement.decision.model_dump(mode="json")),
        input=document,
        inputSha256=document_sha256(document.model_dump(mode="json")),
        policy=PolicyUsed(revision=judgement.policy.revision, bundleSha256=judgement.policy.bundle_sha256),
        opa=OpaUsed(version=judgement.opa_version),
    )
    return statement.state(predicate)


@pytest.fixture
def document() -> Input:
    """An input with a digest, a number that is not finite, and text that needs care."""
    accuracy = Figure(
        name="accuracy",
        value=1.0,
        sample_size=2380,
        origin=Origin.MEASURED,
        interval=Interval(lower=0.875, upper=1e-7, level=0.95, method="Wilson score"),
    )
    return Input(
        subject=Subject(
            name='credit "é" \u202e\n',
            version="3",
            uri="models:/credit/3",
            sha256="ab" * 32,
            risk_tier="high",
        ),
        request=Request(
            action=Action.PROMOTE,
            environment="production",
            requested_by="ci",
            time=NOON - timedelta(seconds=1),
        ),
        performance=Performance(
            rows=Rows(count=2380, sha256="cd" * 32),
            metrics=(accuracy, accuracy.model_copy(update={"name": "auc", "value": "NaN"})),
            baseline=NoBaseline(reason="a first version"),
        ),
        collection=(
            Collected(
                name="performance",
                origin=Origin.MEASURED,
                source="predictions.csv",
                sha256="ef" * 32,
                collected_at=NOON - timedelta(seconds=1),
                seconds=0.25,
            ),
            Missing(name="drift", reason="not configured"),
        ),
    )


@pytest.fixture
def judgement() -> Judgement:
    """An allow for one thing that passed, with a warning beside it."""
    passed = Finding(
        rule="performance.minimum",
        term="accuracy",
        level="must",
        outcome=FindingOutcome.PASSED,
        measured=1.0,
        comparison=">=",
        bound=0.8,
        bound_set_at="thresholds/performance.yaml:4",
        origin=Origin.MEASURED,
        collector="performance",
        n=2380,
    )
    warning = passed.model_copy(
        update={"term": "auc", "level": "should", "outcome": FindingOutcome.WARNING, "measured": "NaN"}
    )
    return Judgement(
        decision=Decision(outcome=Outcome.ALLOW, findings=(passed, warning)),
        policy=Policy(revision="sha256:0123", bundle_sha256="01" * 32),
        opa_version="1.22.2",
    )


@pytest.fixture
def signer(tmp_path: Path) -> SigningKey:
    """A new key in a file."""
    return keys.create(tmp_path / "keys" / "signing.pem")


@pytest.fixture
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Home]:
    """A new ledger in SQLite, or where a test asks by `ON_BOTH`, in each database."""
    with ExitStack() as stack:
        home: Home
        if getattr(request, "param", "sqlite") == "sqlite":
            home = SqliteHome(tmp_path / "ledger.db")
        else:
            server: Server = request.getfixturevalue("postgresql_server")
            home = PostgresqlHome(stack.enter_context(server.database()))
        home.create(ORIGIN)
        yield home


@pytest.fixture
def path(home: Home) -> Path:
    """The file of a new ledger in SQLite."""
    assert isinstance(home, SqliteHome)
    return home.path


@pytest.fixture
def ledger(home: Home, signer: SigningKey) -> Iterator[SqlLedger]:
    """The new ledger, open for appending."""
    ledger = home.appending(signer)
    yield ledger
    ledger.close()


@pytest.fixture
def clock() -> Callable[[], datetime]:
    """A clock that goes one second a look, from noon."""
    ticks = iter(range(1_000_000))
    return lambda: NOON + timedelta(seconds=next(ticks))


@pytest.fixture
def recorder(ledger: SqlLedger, signer: SigningKey, clock: Callable[[], datetime]) -> Recorder:
    """Records into the new ledger with the new key."""
    return Recorder(ledger, signer, clock)


@pytest.fixture
def record(recorder: Recorder, document: Input, judgement: Judgement) -> Callable[[], Receipt]:
    """Records the decision once more."""
    return lambda: recorder.record(document, judgement).receipt


@pytest.fixture
def folder(tmp_path: Path, signer: SigningKey, document: Input, judgement: Judgement) -> Path:
    """What `appending.py` needs."""
    folder = tmp_path
    (folder / "keys" / "signing.pem").rename(folder / "signing.pem")
    (folder / "keys" / "signing.pub").rename(folder / "signing.pub")
    (folder / "document.json").write_text(document.model_dump_json())
    (folder / "judgement.json").write_text(judgement.model_dump_json())
    return folder


@pytest.fixture
def no_room() -> Iterator[None]:
    """No file may grow beyond 64 bytes: the kernel refuses the write, as it does on a full disk.

    Python ignores the signal that comes with it (SIGXFSZ).
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
