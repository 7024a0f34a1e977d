"""What shall be done to a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import BadRequest
from ..evidence.predicates.acts import ActPredicate, Move, VersionStated, uri
from ..evidence.predicates.promotion import PromotionPredicate
from ..evidence.predicates.retirement import RETIREMENT_TYPE, RetirementPredicate
from ..evidence.predicates.rollback import RollbackPredicate

Digests = Mapping[tuple[str, str], str]
"""Of artifacts, by model and version, as the log knows them."""


@dataclass(frozen=True, slots=True)
class Plan:
    """An act that nobody has begun."""

    kind: type[ActPredicate]
    model: str
    version: VersionStated
    moves: tuple[Move, ...]
    by: str
    reason: str | None = None
    environment: str | None = None
    decision: str | None = None
    """The id of the decision that allows it."""

    @classmethod
    def of(cls, intent: ActPredicate) -> Plan:
        """The plan that an intent states."""
        return cls(
            kind=type(intent),
            model=intent.model,
            version=intent.version,
            moves=intent.moves,
            by=intent.by,
            reason=intent.reason,
            environment=intent.environment,
            decision=intent.decision,
        )

    @property
    def uri(self) -> str:
        """The version's URI."""
        return uri(self.model, self.version)

    @property
    def retires(self) -> bool:
        """Whether the version is to be marked as retired."""
        return self.kind.TYPE == RETIREMENT_TYPE


def promotion(
    model: str,
    version: VersionStated,
    alias: str,
    *,
    former: str | None,
    known: Digests,
    environment: str,
    decision: str,
    by: str,
) -> Plan:
    """An alias moves to a version that was allowed; `former` is what it named when that was asked."""
    return Plan(
        kind=PromotionPredicate,
        model=model,
        version=version,
        moves=(Move(alias=alias, fromVersion=_stated(model, former, known), toVersion=version),),
        environment=environment,
        decision=decision,
        by=by,
    )


def rollback(
    model: str,
    version: VersionStated,
    alias: str,
    *,
    former: str,
    known: Digests,
    environment: str,
    decision: str,
    by: str,
    reason: str,
) -> Plan:
    """An alias goes back to a version. `BadRequest` if it names it already."""
    if former == version.version:
        raise BadRequest(
            f"the alias {alias} names version {former} already",
            where=uri(model, version),
            next_step="Give the version to go back to: --to",
        )
    return Plan(
        kind=RollbackPredicate,
        model=model,
        version=version,
        moves=(Move(alias=alias, fromVersion=_stated(model, former, known), toVersion=version),),
        environment=environment,
        decision=decision,
        by=by,
        reason=reason,
    )


def retirement(
    model: str, version: VersionStated, *, aliases: Mapping[str, str], by: str, reason: str
) -> Plan:
    """A version loses all aliases that name it."""
    gone = sorted(alias for alias, named in aliases.items() if named == version.version)
    return Plan(
        kind=RetirementPredicate,
        model=model,
        version=version,
        moves=tuple(Move(alias=alias, fromVersion=version, toVersion=None) for alias in gone),
        by=by,
        reason=reason,
    )


def _stated(model: str, version: str | None, known: Digests) -> VersionStated | None:
    """The version with the digest that the log knows: to digest it anew would mean to download it."""
    return None if version is None else VersionStated(version=version, sha256=known.get((model, version)))
