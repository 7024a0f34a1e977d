from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from mandate.engine.collecting import CollectedFacts, Collector, Question
from mandate.engine.errors import (
    BadInput,
    MandateError,
    RegistryUnavailable,
    SourceMissing,
    SubjectChanged,
    UnknownSubject,
)
from mandate.engine.input import (
    Action,
    Artifact,
    ArtifactFile,
    Documentation,
    Failed,
    Input,
    Missing,
    NoBaseline,
    Performance,
    Request,
    Rows,
    Subject,
)
from mandate.engine.input.gathering import Gathered, NothingThere, Target

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
FILES = Artifact.of([ArtifactFile(path="MLmodel", sha256="a" * 64, size=1)])
DIGEST, OTHER = FILES.sha256, "b" * 64


@dataclass
class Version:
    name: str = "credit"
    version: str = "3"
    uri: str = "models:/credit/3"
    run_id: str | None = "r1"
    model_tags: Mapping[str, str] = field(default_factory=dict)


@dataclass
class InMemoryRegistry:
    version: Version = field(default_factory=Version)
    sha256: str = DIGEST
    error: MandateError | None = None

    def resolve(self, uri: str) -> Version:
        if self.error:
            raise self.error
        return self.version

    def digest(self, uri: str) -> str:
        return self.sha256


@dataclass
class Answering:
    name: str
    answer: Gathered | NothingThere | Exception

    def collect(self, target: Target) -> Gathered | NothingThere:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


ARTIFACT = Answering("mlflow", Gathered({"artifact": FILES}, "mlflow", None))


def facts(
    *collectors: Collector, registry: InMemoryRegistry | None = None, wanted: Any = None
) -> CollectedFacts:
    return CollectedFacts(
        Question("models:/credit@challenger", Action.PROMOTE, "staging", "ada"),
        registry or InMemoryRegistry(),
        lambda version: collectors,
        wanted=[collector.name for collector in collectors] if wanted is None else wanted,
        risk_tier_of=lambda version: "high",
    )


def test_the_document_names_the_version_that_the_alias_named() -> None:
    document = facts(ARTIFACT).assemble(NOW)
    assert document.subject == Subject(
        name="credit", version="3", uri="models:/credit/3", sha256=DIGEST, risk_tier="high"
    )
    assert document.request == Request(
        action=Action.PROMOTE, environment="staging", requested_by="ada", time=NOW
    )


@pytest.mark.parametrize(
    ("answer", "entry"),
    [
        (NothingThere("no card", "run:card.md"), Missing(name="x", reason="no card", source="run:card.md")),
        (
            SourceMissing("there is no such artifact", where="run:card.md"),
            Missing(name="x", reason="run:card.md: there is no such artifact.", source="run:card.md"),
        ),
        (
            BadInput("it is empty", where="labels.csv"),
            Failed(name="x", reason="labels.csv: it is empty.", source="labels.csv"),
        ),
    ],
)
def test_missing_and_failed_are_told_apart(answer: Any, entry: object) -> None:
    assert facts(Answering("x", answer)).assemble(NOW).collection == (entry,)


def test_a_collector_that_raises_anything_has_failed_and_its_text_is_kept_back() -> None:
    (entry,) = facts(Answering("x", ValueError("could not convert 'Jane Doe'"))).assemble(NOW).collection
    assert isinstance(entry, Failed)
    assert entry.reason.startswith("unexpected ValueError in collect, line ")


@pytest.mark.parametrize(
    "name", [pytest.param("\ud800", id="half a surrogate pair"), pytest.param("x\udc80", id="no UTF-8")]
)
def test_text_that_cannot_be_recorded_fails_its_collector_and_not_the_question(name: str) -> None:
    documentation = Documentation(location=name, sections=())
    collector = Answering("x", Gathered({"documentation": documentation}, "run:card.md", None))
    document = facts(collector).assemble(NOW)
    (entry,) = document.collection
    assert document.documentation is None
    assert entry == Failed(
        name="x",
        reason="run:card.md: what x found has no canonical JSON (CanonicalizationError). "
        "Look for an integer beyond 2**53 - 1, or for text that is not Unicode.",
        source="run:card.md",
    )


def test_a_number_that_cannot_be_recorded_fails_its_collector_and_not_the_question() -> None:
    rows = Rows(count=2**53, sha256=OTHER)
    performance = Performance(rows=rows, metrics=(), baseline=NoBaseline(reason="none"))
    collector = Answering("x", Gathered({"performance": performance}, "labels.csv", None))
    (entry,) = facts(collector).assemble(NOW).collection
    assert isinstance(entry, Failed)
    assert "what x found has no canonical JSON (IntegerDomainError)" in entry.reason


def test_a_library_that_is_missing_is_named_with_how_to_get_it() -> None:
    missing = ModuleNotFoundError("No module named 'fairlearn'", name="fairlearn")
    (entry,) = facts(Answering("x", missing)).assemble(NOW).collection
    assert entry == Failed(
        name="x", reason="fairlearn is not installed. Run `pip install 'mandate[collectors]'`."
    )


def test_a_collector_that_policies_want_and_nobody_configured_is_missing() -> None:
    document = facts(wanted=["drift"]).assemble(NOW)
    assert document.collection == (
        Missing(name="drift", reason="not configured: mandate.yaml has no collectors.drift"),
    )


def test_a_collector_that_no_policy_wants_is_not_run() -> None:
    assert facts(Answering("x", ValueError("ran")), wanted=[]).assemble(NOW).collection == ()


def test_two_collectors_may_not_give_the_same_section() -> None:
    with pytest.raises(BadInput, match="both gave the section artifact"):
        facts(ARTIFACT, Answering("other", ARTIFACT.answer)).assemble(NOW)


def test_a_registry_that_is_down_is_a_failed_collector_and_not_a_lost_question() -> None:
    registry = InMemoryRegistry(error=RegistryUnavailable("connection refused", where="http://127.0.0.1:1"))
    document = facts(ARTIFACT, registry=registry).assemble(NOW)
    assert document.subject.sha256 is None
    assert document.collection == (Failed(name="mlflow", reason="http://127.0.0.1:1: connection refused."),)


def test_an_unknown_model_is_a_bad_request() -> None:
    with pytest.raises(UnknownSubject):
        facts(registry=InMemoryRegistry(error=UnknownSubject("no such model"))).assemble(NOW)


def assembled(registry: InMemoryRegistry) -> tuple[CollectedFacts, Input]:
    collected = facts(ARTIFACT, registry=registry)
    return collected, collected.assemble(NOW)


def test_a_subject_that_stayed_the_same_is_confirmed() -> None:
    collected, document = assembled(InMemoryRegistry())
    collected.confirm(document)


def test_an_alias_that_moved_meanwhile_is_noticed() -> None:
    registry = InMemoryRegistry()
    collected, document = assembled(registry)
    registry.version = Version(version="4", uri="models:/credit/4")
    with pytest.raises(SubjectChanged, match="names models:/credit/4 now"):
        collected.confirm(document)


def test_files_that_changed_meanwhile_are_noticed() -> None:
    registry = InMemoryRegistry()
    collected, document = assembled(registry)
    registry.sha256 = OTHER
    with pytest.raises(SubjectChanged, match="its files changed while it was judged"):
        collected.confirm(document)


@pytest.mark.parametrize(
    "gone",
    [
        UnknownSubject("it has no alias challenger", where="models:/credit"),
        SourceMissing("there are no files", where="models:/credit/3"),
        BadInput("'MLmodel' is a link", where="models:/credit/3"),
    ],
)
def test_a_subject_that_went_meanwhile_is_a_decision_to_be_recorded_and_no_bad_request(
    gone: MandateError,
) -> None:
    registry = InMemoryRegistry()
    collected, document = assembled(registry)
    registry.error = gone
    with pytest.raises(SubjectChanged, match="it was there when the facts were collected, but now"):
        collected.confirm(document)
