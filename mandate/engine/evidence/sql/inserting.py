"""An entry as rows of the database, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..ledger import Entry
from ..log.merkle import Node
from .database import Connection


def entry(queries: Any, connection: Connection, position: int, entry: Entry) -> None:
    """Insert the entry: what it is found by, its envelope, and its mentions."""
    columns = entry.columns
    queries.append_entry(
        connection,
        position=position,
        id=entry.id,
        kind=entry.kind,
        recorded_at=entry.recorded_at,
        leaf=entry.leaf,
        subject=columns.subject,
        model=columns.model,
        version=columns.version,
        sha256=columns.sha256,
        outcome=columns.outcome,
        action=columns.action,
        environment=columns.environment,
        revision=columns.revision,
        request_key=columns.request_key,
    )
    queries.append_envelope(connection, position=position, envelope=entry.envelope)
    queries.append_mentions(
        connection,
        [{"position": position, "kind": each.kind, "name": each.name} for each in columns.mentions],
    )


def nodes(queries: Any, connection: Connection, position: int, made: Sequence[Node]) -> None:
    """Insert the nodes of the tree that the entry at `position` completed."""
    queries.append_nodes(
        connection, [{"position": position, "level": node.level, "hash": node.hash} for node in made]
    )
