"""What is stated when somebody lets an object into the cluster past the policies, and answers for it."""

# ruff: noqa: N815  (the documents' own spelling)
from __future__ import annotations

from typing import ClassVar, Final

from ...input.base import Frozen, Name, Sha256
from ..columns import Columns, Kind, mentions
from .acts import Words
from .base import AUTHORITY, Digest, Predicate, StatementSubject

BREAK_GLASS_TYPE: Final = AUTHORITY + "break-glass/v1"


class KubernetesObject(Frozen):
    """An object as the API server names it."""

    group: str
    """Of its API; empty for the core one."""
    kind: Name
    namespace: str
    """Empty for an object of the whole cluster."""
    name: str
    """With the prefix alone and a `*` where the server makes the rest."""


class BreakGlassPredicate(Predicate):
    """An object was allowed without a decision. Nothing rests on that but its own Pods."""

    TYPE: ClassVar[str] = BREAK_GLASS_TYPE

    environment: Name
    object: KubernetesObject
    factsSha256: Sha256
    """Over what the object says of its model and what it pulls: its Pods have the same."""
    model: str | None
    """As its annotations claim."""
    digest: str | None
    pulls: tuple[str, ...]
    """What it makes the cluster fetch."""
    by: Name
    """Who asked, as the API server knows them."""
    groups: tuple[str, ...]
    """Those of their groups that may."""
    through: Name
    """The caller that asked in the API server's name."""
    reason: Words
    requestKey: Name
    """The same for each call of one command."""

    @property
    def uri(self) -> str:
        """What the object is called here."""
        return uri(self.environment, self.object)

    def subjects(self) -> tuple[StatementSubject, ...]:
        """The object; its digest is that of its governed facts."""
        return (StatementSubject(name=self.uri, digest=Digest(sha256=self.factsSha256)),)

    def columns(self) -> Columns:
        """By the object, the environment, and who did it."""
        return Columns(
            subject=self.uri,
            environment=self.environment,
            action="break-glass",
            request_key=self.requestKey,
            mentions=mentions((Kind.PERSON, self.by)),
        )


def uri(environment: str, found: KubernetesObject) -> str:
    """What an object in the cluster of an environment is called."""
    kind = f"{found.kind}.{found.group}" if found.group else found.kind
    return f"kubernetes://{environment}/{found.namespace or '-'}/{kind}/{found.name}"
