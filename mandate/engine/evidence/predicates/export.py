"""What is stated when the ledger is exported."""

# ruff: noqa: N815  (the documents' own spelling)
from __future__ import annotations

from typing import Annotated, ClassVar, Final

from pydantic import Field

from ...input.base import Name, Sha256
from ..columns import Columns, Kind, mentions
from .acts import Words
from .base import AUTHORITY, Digest, Predicate, StatementSubject

EXPORT_TYPE: Final = AUTHORITY + "export/v1"


class ExportPredicate(Predicate):
    """All entries up to a head were copied elsewhere."""

    TYPE: ClassVar[str] = EXPORT_TYPE

    destination: Words
    """The folder, file or bucket, without anything secret."""
    size: Annotated[int, Field(ge=0)]
    """How many entries the exported head covers."""
    root: Sha256
    """Of the tree over them."""
    manifestSha256: Sha256
    """Over the manifest of what was exported."""
    by: Name
    """Who ran the command, as the system knows them."""

    def subjects(self) -> tuple[StatementSubject, ...]:
        """The ledger, as it was exported: its digest is the root."""
        return (StatementSubject(name=self.ledger.origin, digest=Digest(sha256=self.root)),)

    def columns(self) -> Columns:
        """By the ledger, and who exported it."""
        return Columns(subject=self.ledger.origin, mentions=mentions((Kind.PERSON, self.by)))
