"""Where a ledger is restored, and that it is the one that was."""

from __future__ import annotations

from contextlib import closing

import pytest

from mandate.engine.errors import NotRecorded
from mandate.engine.evidence.export import places
from mandate.engine.evidence.export.reading import ExportedLedger
from mandate.engine.evidence.sql import postgresql, restoring
from tests.exporting import (
    LEDGER,
    NAME,
    exported,
    lose,
    restored,
    rows,
    said,
)
from tests.organisation import GOOD, Organisation
from tests.postgresql import Server


@pytest.mark.parametrize("name", ["export", "export.tar"])
def test_a_destroyed_ledger_is_restored_as_it_was(exporter: Organisation, name: str) -> None:
    answer = exported(exporter, name).json
    before, shown = rows(exporter.folder / LEDGER), exporter.mandate("ledger", "show", "--last", "800").out
    verified = exporter.mandate("ledger", "verify", "--output", "json").json
    replayed = exporter.mandate("replay", "3", "--output", "json").out
    assert (verified["entries"], verified["root"]) == (answer["size"], answer["root"])
    (revision,) = (file.name[:-7] for file in (exporter.folder / ".mandate/policies").glob("*.tar.gz"))

    lose(exporter)
    assert exporter.mandate("ledger", "verify").exit_code == 3
    back = restored(exporter, name)
    assert back.exit_code == 0
    assert back.json == {
        "sound": True,
        "entries": 705,
        "wrong": 0,
        "root": answer["root"],
        "origin": NAME,
        "faults": [],
        "restored": {
            "into": str(exporter.folder / LEDGER),
            "policies": [f"sha256:{revision}"],
            "damaged_policies": [],
        },
    }
    assert rows(exporter.folder / LEDGER) == before
    assert exporter.mandate("ledger", "show", "--last", "800").out == shown
    assert exporter.mandate("ledger", "verify", "--output", "json").json == verified
    assert exporter.mandate("replay", "3", "--output", "json").out == replayed
    assert exporter.check(GOOD).exit_code == 0  # and life goes on
    assert exporter.mandate("ledger", "verify").exit_code == 0


def test_what_is_no_export_is_refused(auditor: Organisation) -> None:
    for source in ("nothing-there", "policies", ".mandate/keys"):
        refused = restored(auditor, source)
        assert refused.exit_code == 2
        assert "there is no complete export here" in said(refused)


def test_a_ledger_is_never_overwritten(archivist: Organisation) -> None:
    before = rows(archivist.folder / LEDGER)
    refused = restored(archivist, "export")
    assert refused.exit_code == 2
    assert "the ledger cannot be restored there: File exists" in said(refused)
    assert rows(archivist.folder / LEDGER) == before
    assert {file.name for file in (archivist.folder / ".mandate").iterdir() if "ledger" in file.name} == {
        "ledger.db"
    }


def test_a_ledger_is_restored_into_another_file(archivist: Organisation) -> None:
    back = restored(archivist, "export", "--into", "kept/elsewhere.db")
    assert back.exit_code == 0
    assert rows(archivist.folder / "kept/elsewhere.db") == rows(archivist.folder / LEDGER)
    assert (archivist.folder / "kept/elsewhere.db").stat().st_mode & 0o777 == 0o600
    assert [file.name for file in (archivist.folder / "kept").iterdir()] == ["elsewhere.db"]


def test_what_is_changed_while_it_is_restored_is_not_restored(archivist: Organisation) -> None:
    """Between the two readings somebody puts another sound export of the same ledger in the place."""
    found = ExportedLedger(places.source(str(archivist.folder / "export")))
    with closing(found), pytest.raises(NotRecorded, match="it was changed while it was read"):
        restoring.into_file(found, archivist.folder / "new.db", bytes(32))
    assert not (archivist.folder / "new.db").exists()


@pytest.mark.xdist_group("postgresql")
def test_a_ledger_moves_into_postgresql_and_out_again(
    archivist: Organisation, postgresql_server: Server
) -> None:
    with postgresql_server.database() as url:
        refused = restored(archivist, "export", "--into", url)
        assert refused.exit_code == 3
        assert "there is no ledger in this database" in said(refused)

        postgresql.create(url, origin="other.example")
        refused = restored(archivist, "export", "--into", url)
        assert refused.exit_code == 2
        assert "this is the ledger 'other.example' with 0 entries, and not an empty one" in said(refused)
    with postgresql_server.database() as url:
        postgresql.create(url, origin=NAME)
        back = restored(archivist, "export", "--into", url)
        assert back.exit_code == 0, said(back)
        assert "?" not in back.json["restored"]["into"]  # parameters of the URL can be secrets
        shared = ("--set", f"ledger.url={url}")
        verified = archivist.mandate("ledger", "verify", "--output", "json", *shared).json
        assert (verified["sound"], verified["root"]) == (True, back.json["root"])
        refused = restored(archivist, "export", "--into", url)
        assert refused.exit_code == 2
        assert f"this is the ledger '{NAME}' with 705 entries, and not an empty one" in said(refused)

        assert exported(archivist, "export", *shared).json["files"] == 0  # the same ledger, as far as it goes
        exported(archivist, "shared", *shared)
    assert restored(archivist, "shared", "--into", "back.db").json["entries"] == 706
    before = rows(archivist.folder / LEDGER)
    assert rows(archivist.folder / "back.db")["heads"][:-1] == before["heads"]
