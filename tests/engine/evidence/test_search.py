"""What is looked for is found, all of it and nothing else, and read off an index."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from mandate.engine.evidence.columns import Columns, Kind, mentions
from mandate.engine.evidence.keys import SigningKey
from mandate.engine.evidence.ledger import Entry
from mandate.engine.evidence.query import Page, Query
from mandate.engine.evidence.sql import sqlite
from mandate.engine.evidence.sql.ledger import SqlLedger
from mandate.engine.evidence.sql.search import search

KINDS = ("decision", "approval")
COLUMNS = ("model", "version", "sha256", "outcome", "action", "environment", "revision")
VALUES: dict[str, tuple[str, ...]] = {
    "kind": KINDS,
    "model": ("credit", "mortgage"),
    "version": ("1", "2"),
    "sha256": ("aa" * 32, "bb" * 32),
    "outcome": ("allow", "deny"),
    "action": ("promote", "deploy"),
    "environment": ("production", "test"),
    "revision": ("sha256:1", "sha256:2"),
    "rule": ("fairness.parity", "drift.psi"),
    "control": ("SOC 2 CC8.1",),
    "person": ("ana@bank.example", "o'neil"),
    "since": ("2026-03-01T00:00:10.000Z", "2026-03-01T00:00:50.000Z"),
    "until": ("2026-03-01T00:00:20.000Z", "2026-03-01T00:00:59.000Z"),
}


def entry(number: int, chosen: random.Random) -> Entry:
    def one(name: str) -> str | None:
        return chosen.choice((*VALUES[name], None))

    named = [(kind, one(kind.value) or "") for kind in (Kind.RULE, Kind.CONTROL, Kind.PERSON)]
    return Entry(
        id=f"{number:08x}-0000-7000-8000-000000000000",
        kind=chosen.choice(KINDS),
        # A clock that goes back now and then.
        recorded_at=f"2026-03-01T00:00:{chosen.randrange(60):02}.000Z",
        columns=Columns(
            "models:/credit/1",
            mentions=mentions(*named),
            **{name: one(name) for name in COLUMNS},
        ),
        envelope=b"envelope %d" % number,
    )


@pytest.fixture
def looked_through(path: Path, signer: SigningKey) -> Iterator[tuple[SqlLedger, list[Entry]]]:
    chosen = random.Random(1)
    entries = [entry(number, chosen) for number in range(400)]
    with closing(sqlite.open_for_appending(path, signer)) as ledger:
        ledger.append_all(entries)
        yield ledger, entries


def is_as(query: Query, entry: Entry) -> bool:
    """The definition, entry by entry."""
    named = {(mention.kind, mention.name) for mention in entry.columns.mentions}
    for name in (field.name for field in fields(Query)):
        value = getattr(query, name)
        if value is None:
            continue
        if name == "kind":
            right = entry.kind == value
        elif name in ("rule", "control", "person"):
            right = (name, value) in named
        elif name == "since":
            right = entry.recorded_at >= value
        elif name == "until":
            right = entry.recorded_at < value
        else:
            right = getattr(entry.columns, name) == value
        if not right:
            return False
    return True


def queries() -> list[Query]:
    """None, one, two and more conditions, in all combinations of two and many of more."""
    chosen = random.Random(2)
    asked: list[dict[str, Any]] = [{}]
    asked += [{name: value} for name, values in VALUES.items() for value in values]
    asked += [{first: VALUES[first][0], second: VALUES[second][-1]} for first in VALUES for second in VALUES]
    for count in range(3, len(VALUES)):
        for _ in range(6):
            asked.append({name: chosen.choice(VALUES[name]) for name in chosen.sample(sorted(VALUES), count)})
    return [Query(**conditions) for conditions in asked]


def test_a_search_finds_all_and_nothing_else_the_newest_first(
    looked_through: tuple[SqlLedger, list[Entry]],
) -> None:
    ledger, entries = looked_through
    for query in queries():
        expected = [number for number, each in enumerate(entries) if is_as(query, each)][::-1]
        page = ledger.search(query)
        assert ([stored.index for stored in page.entries], page.before) == (expected, None), query


def test_pages_follow_each_other_without_gap_or_repetition(
    looked_through: tuple[SqlLedger, list[Entry]],
) -> None:
    ledger, entries = looked_through
    query = Query(outcome="deny")
    expected = [number for number, each in enumerate(entries) if is_as(query, each)][::-1]
    found: list[int] = []
    before: int | None = None
    while True:
        page = ledger.search(query, before=before, most=7)
        found += [stored.index for stored in page.entries]
        before = page.before
        # What is appended between two pages is newer than all that follows.
        ledger.append(entry(1000 + len(found), random.Random(3)))
        if before is None:
            break
        assert len(page.entries) == 7
    assert found == expected


def test_what_is_found_is_the_whole_entry(looked_through: tuple[SqlLedger, list[Entry]]) -> None:
    ledger, _ = looked_through
    for stored in ledger.search(Query(rule="drift.psi"), most=5).entries:
        assert stored == ledger.at(stored.index)


def test_an_empty_ledger_has_nothing(path: Path) -> None:
    with closing(sqlite.open_for_reading(path)) as ledger:
        assert ledger.search(Query()) == Page((), None)
        assert ledger.search(Query(since="2026")) == Page((), None)


def test_every_search_walks_the_best_index(path: Path) -> None:
    with closing(sqlite3.connect(path)) as raw:
        for query in queries():
            wanted = search(query, before=10**9, most=50, first=0)
            plan = [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {wanted.sql}", wanted.parameters)]
            assert not [step for step in plan if step.startswith("SCAN")], query
            if len(wanted.parameters) <= 8:  # of a dozen conditions SQLite expects a handful, and sorts them
                assert not [step for step in plan if "TEMP B-TREE" in step], query
            assert (_index(query) or "PRIMARY KEY") in plan[0], query


def _index(query: Query) -> str | None:
    """The index that selects the most."""
    for name in ("sha256", "model", "revision"):
        if getattr(query, name):
            return f"entries_{name}"
    if query.person or query.rule or query.control:
        return "mentions_name"
    for name in ("environment", "outcome", "kind"):
        if getattr(query, name):
            return f"entries_{name}"
    return None


def test_a_time_is_read_off_its_index(path: Path) -> None:
    with closing(sqlite3.connect(path)) as raw:
        (plan,) = raw.execute(
            "EXPLAIN QUERY PLAN SELECT min(position), max(position) FROM entries"
            " WHERE recorded_at >= '2026' AND recorded_at < '2027'"
        )
    assert plan[3] == (
        "SEARCH entries USING COVERING INDEX entries_recorded_at (recorded_at>? AND recorded_at<?)"
    )
