"""One object, and who asks for it."""

from __future__ import annotations

from dataclasses import dataclass

from ...digests import document_sha256
from ...evidence.predicates.break_glass import KubernetesObject
from .governed import Governed
from .review import AdmissionRequest

_LONGEST_NAME = 400


@dataclass(frozen=True, slots=True)
class Case:
    """What is asked of one object."""

    environment: str
    asked: AdmissionRequest
    governed: Governed
    caller: str

    @property
    def called(self) -> KubernetesObject:
        """The object's name in the ledger."""
        asked = self.asked
        return KubernetesObject(
            group=asked.kind.group,
            kind=asked.kind.kind,
            namespace=asked.namespace,
            name=asked.called[:_LONGEST_NAME],
        )

    @property
    def user(self) -> str:
        """Who asks the API server."""
        return self.asked.userInfo.username[:_LONGEST_NAME] or "nobody"

    @property
    def by(self) -> str:
        """Who asks, as the ledger names them: the API server's word, by whoever speaks for it."""
        return f"{self.user} (by {self.caller[:80]})"

    @property
    def sha256(self) -> str:
        """The same for each call of one command. The uid is not: each call has another."""
        return document_sha256(
            {
                "environment": self.environment,
                "object": self.called.model_dump(mode="json"),
                "facts": self.governed.sha256,
                "by": self.by,
            }
        )
