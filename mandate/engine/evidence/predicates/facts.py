"""What is stated when somebody sends facts ahead of the question that they are for."""

# ruff: noqa: N815  (the documents' own spelling)
from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar, Final

from ...digests import document_sha256
from ...input.base import Sha256
from ...input.collection import Collected
from ...input.document import Input
from ..columns import Columns
from .base import AUTHORITY
from .personal import PersonalPredicate

FACTS_TYPE: Final = AUTHORITY + "facts/v1"
_CLOCKS_DIFFER = timedelta(minutes=5)


class FactsPredicate(PersonalPredicate):
    """Facts about one artifact, for one kind of question in one environment: reported by who signs.

    Nothing is allowed by them. Whether they count, for how long and where, is for the policies to say.
    """

    TYPE: ClassVar[str] = FACTS_TYPE
    ACTION: ClassVar[str] = "report"

    input: Input
    """The document as it was collected."""
    inputSha256: Sha256
    """Over the canonical JSON of `input`."""

    def columns(self) -> Columns:
        """By the model version, the question that they are for, the policies, and who signed."""
        asked = self.input.request
        return replace(super().columns(), action=asked.action.value, environment=asked.environment)

    def contradictions(self, signed: Mapping[str, Any]) -> Iterator[str]:
        """Where the document is another one, about another model, or of a time that was yet to come."""
        subject, model = self.input.subject, self.model
        if document_sha256(signed["input"]) != self.inputSha256:
            yield "the input does not have the digest that is stated"
        if (subject.uri, subject.name, subject.version) != (model.uri, model.name, model.version):
            yield "the facts are about another model version"
        if subject.sha256 != model.sha256:
            yield "the facts are about other files"
        latest = self.recordedAt + _CLOCKS_DIFFER
        times = (entry.collected_at for entry in self.input.collection if isinstance(entry, Collected))
        if any(time > latest for time in times):
            yield "facts were collected after they were signed"
