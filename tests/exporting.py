"""Ledgers to be exported: with decisions of the real OPA, and with entries by hundreds."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mandate.engine.evidence import envelope as dsse
from mandate.engine.evidence import keys, statement
from mandate.engine.evidence.ledger import Entry
from mandate.engine.evidence.predicates.base import rfc3339_milliseconds
from mandate.engine.evidence.predicates.key import KeyStated
from mandate.engine.evidence.predicates.opening import OpeningPredicate
from mandate.engine.evidence.recorder import Stamp
from mandate.engine.evidence.sql import sqlite
from tests.organisation import GOOD, Organisation, Ran, founded

NAME = "bank.example/models"
LEDGER = ".mandate/ledger.db"
KEY = ".mandate/keys/signing.pem"
FIRST = "entries/000000/000000000000-000000000255.jsonl"
"""The file of an export with the first entries."""


def organisation(folder: Path) -> Organisation:
    """It has decided twice: four entries, with those of the opening and of the policies."""
    decided = founded(folder, trusting=True)
    for _ in range(2):
        assert decided.check(GOOD).exit_code == 0
    return decided


def copy(decided: Organisation, folder: Path) -> Organisation:
    """The same organisation elsewhere, to be changed."""
    shutil.copytree(decided.folder, folder)
    return Organisation(folder)


def grow(organisation: Organisation, count: int, together: int = 50) -> None:
    """Append so many small entries, of which so many share a head."""
    signer = keys.load(organisation.folder / KEY)
    entries = list(_entries(signer, count))
    with closing(sqlite.open_for_appending(organisation.folder / LEDGER, signer)) as ledger:
        for start in range(0, count, together):
            ledger.append_all(entries[start : start + together])


def _entries(signer: keys.SigningKey, count: int) -> Iterator[Entry]:
    for number in range(count):
        stamp = Stamp.of(datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=number), NAME)
        said = OpeningPredicate(
            **stamp.fields, openedBy=f"person {number}", key=KeyStated.of(signer.public_key)
        )
        envelope = dsse.seal(statement.payload(statement.state(said)), signer).to_bytes()
        yield Entry(said.id, said.TYPE, rfc3339_milliseconds(said.recordedAt), said.columns(), envelope)


def lose(organisation: Organisation) -> None:
    """Destroy the ledger, and all policies that were kept beside it."""
    for file in (organisation.folder / ".mandate").glob("ledger.db*"):
        file.unlink()
    shutil.rmtree(organisation.folder / ".mandate/policies")


def rows(ledger: Path) -> dict[str, list[Any]]:
    """Everything that stands in the ledger's tables, apart from when the file was made."""
    with closing(sqlite3.connect(ledger)) as database:
        tables = ("entries", "envelopes", "mentions", "nodes", "heads", "cosignatures")
        return {
            table: database.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in tables
        }


def files(folder: Path) -> dict[str, bytes]:
    """The folder's files by their names."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def exported(organisation: Organisation, destination: object, *options: str) -> Ran:
    """Export, which must do."""
    ran = organisation.mandate("ledger", "export", str(destination), "--output", "json", *options)
    assert ran.exit_code == 0, ran.out + ran.err
    return ran


def restored(organisation: Organisation, source: object, *options: str) -> Ran:
    """Import what is there."""
    return organisation.mandate("ledger", "import", str(source), "--output", "json", *options)


def said(ran: Ran) -> str:
    """Why a command refused, whoever reads it."""
    return (
        ran.err
        or f"{ran.json['error']['where']}: {ran.json['error']['what']}. {ran.json['error']['next_step']}"
    )


def faults(ran: Ran) -> list[str]:
    """What an import found wrong."""
    return [fault["what"] for fault in ran.json["faults"]]


def sealed_again(export: Path, *changed: str) -> None:
    """Make the digests in the newest snapshot those of the files that were changed: as a forger would."""
    newest = sorted((export / "snapshots").iterdir())[-1]
    manifest = json.loads(newest.read_bytes())
    for sums in manifest["sums"]:
        lines = (export / sums["name"]).read_text().splitlines()
        for number, line in enumerate(lines):
            name = line.split("  ")[1]
            if name in changed:
                lines[number] = f"{_sha256((export / name).read_bytes())}  {name}"
        (export / sums["name"]).write_text("".join(f"{line}\n" for line in lines))
        sums["sha256"] = _sha256((export / sums["name"]).read_bytes())
    newest.write_text(json.dumps(manifest))


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
