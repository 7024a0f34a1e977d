from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from mandate.engine.errors import NotRecorded
from mandate.engine.evidence.keys import SigningKey
from mandate.engine.evidence.ledger import Stored
from mandate.engine.evidence.log.merkle import EMPTY_ROOT, Frontier
from mandate.engine.evidence.public_keys import keyring
from mandate.engine.evidence.receipt import Receipt
from mandate.engine.evidence.sql.ledger import SqlLedger
from mandate.engine.evidence.sql.sqlite import SqliteDatabase
from mandate.engine.evidence.verify import Fault, Report, report, verify

from .conftest import ON_BOTH, ORIGIN
from .databases import Home

TREE = "the stored tree does not follow from the entries: it, they, or their order was changed"
HEAD = "the signed head over all entries up to here says otherwise: they, or their order, were changed"
LEAF = "its envelope does not have the digest that is stored as its leaf"


@pytest.fixture
def receipts(record: Callable[[], Receipt], ledger: SqlLedger) -> list[Receipt]:
    """Six entries; the ledger is closed, so that all of it is in its one file."""
    receipts = [record() for _ in range(6)]
    ledger.close()
    return receipts


@pytest.fixture
def verified(home: Home, signer: SigningKey) -> Callable[[], Report]:
    """What verification finds, as an auditor would run it."""

    def verified() -> Report:
        with closing(home.reading()) as ledger:
            return report(verify(ledger, keyring(signer.public_key)))

    return verified


@pytest.fixture
def tamper(home: Home) -> Callable[..., None]:
    """Changes the database with its guards off, which are afterwards as they were."""
    return home.tamper


def moved(old: int, new: int) -> tuple[str, ...]:
    return tuple(
        f"UPDATE {table} SET position = {new} WHERE position = {old}"
        for table in ("entries", "envelopes", "mentions")
    )


def deleted(condition: str) -> tuple[str, ...]:
    return tuple(f"DELETE FROM {table} WHERE {condition}" for table in ("envelopes", "mentions", "entries"))


Receipts = list[Receipt]
Verified = Callable[[], Report]
Tamper = Callable[..., None]


@ON_BOTH
def test_sound_ledger_has_no_fault(receipts: Receipts, verified: Verified) -> None:
    tree = Frontier()
    for receipt in receipts:
        tree, _ = tree.append(bytes.fromhex(receipt.leaf))
    found = verified()
    assert found == Report(entries=6, wrong=0, faults=(), root=tree.root.hex())
    assert found.sound


@ON_BOTH
def test_empty_ledger_is_sound(verified: Verified) -> None:
    assert verified() == Report(entries=0, wrong=0, faults=(), root=EMPTY_ROOT.hex())


def test_changed_byte_in_the_file_is_found(path: Path, receipts: Receipts, verified: Verified) -> None:
    content = path.read_bytes()
    with closing(sqlite3.connect(path)) as raw:
        (envelope,) = raw.execute("SELECT envelope FROM envelopes WHERE position = 3").fetchone()
    # An envelope is spread over pages of the file: look for a piece of it that no other envelope has.
    piece = envelope[-120:-90]
    assert content.count(piece) == 1
    at = content.index(piece)
    path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    found = verified()
    assert found.faults[0] == Fault(3, receipts[3].id, LEAF)
    assert {fault.index for fault in found.faults} == {3}
    assert found.entries == 6
    assert not found.sound


@ON_BOTH
def test_changed_content_with_its_leaf_made_to_match_is_found(
    receipts: Receipts, verified: Verified, tamper: Tamper
) -> None:
    tamper(
        "UPDATE envelopes SET envelope = o.envelope FROM envelopes AS o"
        " WHERE o.position = 1 AND envelopes.position = 4",
        "UPDATE entries SET leaf = o.leaf FROM entries AS o WHERE o.position = 1 AND entries.position = 4",
    )
    found = verified()
    assert found.faults == (
        Fault(4, receipts[4].id, HEAD),
        Fault(4, receipts[4].id, f"its column id says '{receipts[4].id}', but signed is '{receipts[1].id}'"),
        Fault(
            4,
            receipts[4].id,
            "its column recorded_at says '2026-03-01T12:00:04.123Z',"
            " but signed is '2026-03-01T12:00:01.123Z'",
        ),
        Fault(5, receipts[5].id, TREE),
    )


@ON_BOTH
def test_removed_middle_entry_is_found(receipts: Receipts, verified: Verified, tamper: Tamper) -> None:
    tamper(*deleted("position = 2"))
    assert verified().faults == (Fault(3, receipts[3].id, "entry 2 is gone"),)


@ON_BOTH
def test_removed_entries_are_counted(receipts: Receipts, verified: Verified, tamper: Tamper) -> None:
    tamper(*deleted("position IN (0, 1)"))
    assert verified().faults == (
        Fault(None, None, "there is a node 1 without an entry"),
        Fault(2, receipts[2].id, "entries 0 to 1 are gone"),
    )


@ON_BOTH
def test_removed_entry_is_found_though_the_rest_is_numbered_anew(
    receipts: Receipts, verified: Verified, tamper: Tamper
) -> None:
    tamper(
        *deleted("position = 2"),
        *moved(3, 2),
        *moved(4, 3),
        *moved(5, 4),
    )
    assert verified().faults == (
        Fault(None, None, "there is a node 5 without an entry"),
        Fault(2, receipts[3].id, HEAD),
        Fault(3, receipts[4].id, TREE),
        Fault(4, receipts[5].id, HEAD),
        Fault(None, None, "there is a signed head over 6 entries, and there are 5"),
        Fault(None, None, "the stored tree goes beyond entry 4"),
    )


@ON_BOTH
def test_removed_entry_is_found_though_the_tree_was_made_anew(
    receipts: Receipts, verified: Verified, tamper: Tamper, home: Home
) -> None:
    """Whoever can change the database can compute the tree again, but not sign its heads."""
    tree, nodes = Frontier(), []
    for receipt in receipts[:2] + receipts[3:]:
        tree, made = tree.append(bytes.fromhex(receipt.leaf))
        nodes += [f"({tree.size - 1}, {node.level}, {home.bytes(node.hash)})" for node in made]
    tamper(
        *deleted("position = 2"),
        *moved(3, 2),
        *moved(4, 3),
        *moved(5, 4),
        "DELETE FROM nodes",
        f"INSERT INTO nodes VALUES {', '.join(nodes)}",
        "DELETE FROM heads WHERE size = 6",
    )
    assert verified().faults == (Fault(2, receipts[3].id, HEAD),)


@ON_BOTH
def test_swapped_entries_are_found(receipts: Receipts, verified: Verified, tamper: Tamper) -> None:
    tamper(*moved(1, 99), *moved(4, 1), *moved(99, 4))
    assert verified().faults == (
        Fault(1, receipts[4].id, TREE),
        Fault(4, receipts[1].id, HEAD),
        Fault(5, receipts[5].id, TREE),
    )


def test_entry_before_the_first_is_found(receipts: Receipts, verified: Verified, tamper: Tamper) -> None:
    tamper("PRAGMA ignore_check_constraints = ON", *moved(0, -1))
    found = verified().faults
    assert Fault(None, None, "there is an entry -1") in found
    assert Fault(1, receipts[1].id, "entry 0 is gone") in found


def test_duplicated_entry_is_found(receipts: Receipts, verified: Verified, tamper: Tamper) -> None:
    tamper(
        "CREATE TABLE copy AS SELECT * FROM entries",
        "INSERT INTO copy SELECT * FROM entries WHERE position = 0",
        "UPDATE copy SET position = 6 WHERE rowid = 7",
        "DROP TABLE entries",
        "ALTER TABLE copy RENAME TO entries",
        "INSERT INTO envelopes SELECT 6, envelope FROM envelopes LIMIT 1",
        "INSERT INTO mentions SELECT 6, kind, name FROM mentions WHERE position = 0",
    )
    assert verified().faults == (
        Fault(None, None, "entries, which guards or holds the entries, was changed"),
        Fault(None, None, f"the id '{receipts[0].id}' stands at more than one entry"),
        Fault(None, None, "no signed head covers the last 1 of 7 entries"),
    )


@ON_BOTH
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("outcome", "deny"),
        ("subject", "models:/credit/2"),
        ("recorded_at", "2026-02-28T12:00:00.000Z"),
        ("kind", "x"),
    ],
)
def test_changed_column_is_found(
    receipts: Receipts, verified: Verified, tamper: Tamper, column: str, value: str
) -> None:
    tamper(f"UPDATE entries SET {column} = '{value}' WHERE position = 5")
    (fault,) = verified().faults
    assert str(fault).startswith(
        f"entry 5 ({receipts[5].id}): its column {column} says '{value}', but signed is '"
    )


@ON_BOTH
def test_changed_id_is_found(receipts: Receipts, verified: Verified, tamper: Tamper) -> None:
    assert receipts
    tamper("UPDATE entries SET id = 'x' || id WHERE position = 0")
    (fault,) = verified().faults
    assert (fault.index, fault.what[:21]) == (0, "its column id says 'x")


@ON_BOTH
def test_lost_envelope_is_found(receipts: Receipts, verified: Verified, tamper: Tamper) -> None:
    tamper("DELETE FROM envelopes WHERE position = 0")
    assert verified().faults == (Fault(0, receipts[0].id, "its envelope is gone"),)


@ON_BOTH
def test_renamed_ledger_is_found(receipts: Receipts, verified: Verified, tamper: Tamper) -> None:
    tamper("UPDATE ledger SET origin = 'other.example'")
    found = verified()
    assert [(fault.index, fault.what) for fault in found.faults] == [
        (index, what)
        for index in range(6)
        for what in (
            f"the head over {index + 1} entries: the head of '{ORIGIN}' is not signed by any of the keys"
            " given for that log",
            f"it was made for another ledger, '{ORIGIN}'",
        )
    ]


@ON_BOTH
def test_unknown_key_is_named(receipts: Receipts, home: Home, signer: SigningKey) -> None:
    with closing(home.reading()) as ledger:
        found = report(verify(ledger, {}))
    assert [(fault.index, fault.what) for fault in found.faults] == [
        (index, what)
        for index in range(6)
        for what in (
            f"the head over {index + 1} entries: the head of '{ORIGIN}' is not signed by any of the keys"
            " given for that log",
            f"it is signed by an unknown key, {signer.keyid}",
        )
    ]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("DROP TRIGGER entries_no_delete", "entries_no_delete, which guards or holds the entries, is gone"),
        (
            'CREATE TRIGGER "a\nb" AFTER INSERT ON entries BEGIN SELECT 1; END',
            r"'a\nb' does not belong into a ledger",
        ),
        ("CREATE VIEW shown AS SELECT * FROM entries", "'shown' does not belong into a ledger"),
    ],
)
def test_changed_guards_are_found(
    path: Path, receipts: Receipts, verified: Verified, change: str, fault: str
) -> None:
    assert receipts
    with closing(sqlite3.connect(path)) as raw:
        raw.execute(change)
    assert verified().faults == (Fault(None, None, fault),)


def test_weakened_guard_is_found(path: Path, receipts: Receipts, verified: Verified) -> None:
    assert receipts
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("DROP TRIGGER entries_no_update")
        raw.execute("CREATE TRIGGER entries_no_update BEFORE UPDATE ON entries WHEN 0 BEGIN SELECT 1; END")
    assert [str(fault) for fault in verified().faults] == [
        "ledger: entries_no_update, which guards or holds the entries, was changed"
    ]


def test_index_that_an_operator_adds_is_no_fault(path: Path, receipts: Receipts, verified: Verified) -> None:
    assert receipts
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("CREATE INDEX by_subject ON entries (subject)")
    assert verified().sound


def test_truncated_file_is_found(path: Path, receipts: Receipts, verified: Verified) -> None:
    assert receipts
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2 // 4096 * 4096])
    with pytest.raises(NotRecorded, match="the ledger is damaged"):
        verified()


def test_changed_byte_in_the_index_of_ids_is_found(
    path: Path, receipts: Receipts, verified: Verified
) -> None:
    content = bytearray(path.read_bytes())
    wanted = receipts[3].id.encode()
    pages = [at for at in range(0, len(content), 4096) if wanted in content[at : at + 4096]]
    (index,) = (at for at in pages if b"models:/credit/3" not in content[at : at + 4096])
    content[content.index(wanted, index)] ^= 1
    path.write_bytes(content)
    assert [str(fault) for fault in verified().faults] == [
        "ledger: SQLite finds the file damaged: row 4 missing from index sqlite_autoindex_entries_1"
    ]


def test_damaged_page_is_found_with_what_can_still_be_read(
    path: Path, record: Callable[[], Receipt], ledger: SqlLedger, verified: Verified
) -> None:
    ids = [record().id for _ in range(50)]
    ledger.close()
    content = bytearray(path.read_bytes())
    # The page of the entries' table, not the one of the index of ids.
    (at,) = (
        at
        for at in range(0, len(content), 4096)
        if {ids[-1].encode(), b"models:/credit/3"}
        <= {*re.findall(rb"01\w{6}-[\w-]{27}|models:/credit/3", content[at : at + 4096])}
    )
    content[at : at + 4096] = b"\xff" * 4096
    path.write_bytes(content)
    found = verified()
    assert 0 < found.entries < 50
    assert str(found.faults[-1]).startswith(
        f"ledger: nothing from entry {found.entries} on can be read: the ledger is damaged"
    )
    assert str(found.faults[0]).startswith("ledger: the ledger is damaged")


def test_older_copy_of_the_ledger_is_not_found_but_its_chain_is_another(
    path: Path, record: Callable[[], Receipt], ledger: SqlLedger, verified: Verified
) -> None:
    """What this form cannot find, stated: the newest entries removed. A kept chain finds it."""
    record()
    ledger.close()
    older, kept = path.read_bytes(), []
    record()
    ledger.close()
    kept.append(verified())
    path.write_bytes(older)
    kept.append(verified())
    assert [each.sound for each in kept] == [True, True]
    assert [each.entries for each in kept] == [2, 1]
    assert kept[0].root != kept[1].root


@ON_BOTH
def test_report_keeps_the_first_faults_and_counts_all(
    record: Callable[[], Receipt], ledger: SqlLedger
) -> None:
    for _ in range(103):
        record()
    found = report(verify(ledger, {}))
    assert (found.entries, found.wrong, len(found.faults)) == (103, 206, 100)


class Repeating(SqlLedger):
    """A store that gives one entry twice: another one than SQLite might, where an index is not the order."""

    @contextmanager
    def snapshot(self) -> Iterator[SqlLedger]:
        yield self

    def entries(self, start: int = 0) -> Iterator[Stored]:
        for stored in super().entries(start):
            yield stored
            yield stored

    def damage(self) -> Iterator[str]:
        return (f"fault {number}" for number in range(10**9))


def test_store_that_repeats_an_entry_is_found_and_its_faults_are_bounded(
    record: Callable[[], Receipt], path: Path, signer: SigningKey
) -> None:
    receipt = record()
    repeating = Repeating(SqliteDatabase(path))
    whole, first, second, end = verify(repeating, keyring(signer.public_key))
    assert len(whole.faults) == 100
    assert (first.faults, end.faults) == ((), ())
    assert second.faults == (Fault(0, receipt.id, "it stands where entry 1 must be"),)
