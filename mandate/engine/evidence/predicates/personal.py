"""What people state: each signed with a key of their own, and bound to what was in front of them."""

# ruff: noqa: N815  (the documents' own spelling)
from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from ...decision import Decision
from ...digests import document_sha256
from ...input.base import Frozen, Name, Sha256
from ..columns import Columns, Kind, Mention, mentions
from .base import Digest, Predicate, StatementSubject, UuidV7

Words = Annotated[str, Field(min_length=1, max_length=2000)]


class ModelStated(Frozen):
    """The model version that it is about, by the digest of its artifact."""

    uri: Name
    """`models:/<name>/<version>`."""
    name: Name
    version: Name
    sha256: Sha256
    """OpenSSF Model Signing root digest of the artifact."""


class PolicyStated(Frozen):
    """The policies that were in use: their people say whose key it is."""

    revision: Name


class FindingsShown(Frozen):
    """The findings that were shown: those of a recorded decision, or of a recorded what-if."""

    decision: UuidV7
    findingsSha256: Sha256
    """Over the canonical JSON of `Decision.shown`."""

    @classmethod
    def of(cls, decision_id: str, decision: Decision) -> FindingsShown:
        """The value for a decision with this id."""
        return cls(decision=decision_id, findingsSha256=findings_sha256(decision))


def findings_sha256(decision: Decision) -> str:
    """The digest of the findings as they are shown."""
    return document_sha256([finding.model_dump(mode="json") for finding in decision.shown])


class PersonalPredicate(Predicate):
    """Somebody's own word on a model version."""

    PERSONAL: ClassVar[bool] = True
    ACTION: ClassVar[str]
    """What the entry is looked up by."""

    by: Name
    """Who signs, by the name that the policies have."""
    model: ModelStated
    policy: PolicyStated
    reason: Words | None

    @property
    def signer(self) -> tuple[str, str]:
        """The person, and the revision of the policies whose people say which keys are theirs."""
        return self.by, self.policy.revision

    def subjects(self) -> tuple[StatementSubject, ...]:
        """The model version."""
        return (StatementSubject(name=self.model.uri, digest=Digest(sha256=self.model.sha256)),)

    def columns(self) -> Columns:
        """By the model version, the policies, and who signed."""
        return Columns(
            subject=self.model.uri,
            model=self.model.name,
            version=self.model.version,
            sha256=self.model.sha256,
            action=self.ACTION,
            revision=self.policy.revision,
            mentions=mentions((Kind.PERSON, self.by), *((Kind(each.kind), each.name) for each in self.named)),
        )

    @property
    def named(self) -> Sequence[Mention]:
        """What else it names."""
        return ()
