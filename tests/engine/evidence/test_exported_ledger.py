"""An export is read as the ledger that it was made of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from mandate.engine.digests import sha256
from mandate.engine.errors import BadConfiguration, BadInput, NotRecorded
from mandate.engine.evidence import keys, public_keys
from mandate.engine.evidence.export import layout, places
from mandate.engine.evidence.export.added import Added
from mandate.engine.evidence.export.exporting import Companions, export
from mandate.engine.evidence.export.reading import ExportedLedger
from mandate.engine.evidence.export.tar import TarSource
from mandate.engine.evidence.log import merkle
from mandate.engine.evidence.sql import restoring, sqlite
from mandate.engine.evidence.sql.ledger import SqlLedger
from mandate.engine.evidence.verify import report, verify
from tests.exporting import KEY, LEDGER, NAME, grow
from tests.organisation import Organisation

SIZE = 300


@pytest.fixture(scope="module")
def organisation(tmp_path_factory: pytest.TempPathFactory) -> Organisation:
    """Its ledger has 300 small entries."""
    folder = tmp_path_factory.mktemp("organisation")
    keys.create(folder / KEY)
    sqlite.create(folder / LEDGER, origin=NAME)
    made = Organisation(folder)
    grow(made, SIZE, together=7)
    return made


@pytest.fixture(scope="module")
def stored(organisation: Organisation) -> Iterator[SqlLedger]:
    """The ledger."""
    with closing(sqlite.open_for_reading(organisation.folder / LEDGER)) as ledger:
        yield ledger


def companions(organisation: Organisation) -> Companions:
    return Companions(public_keys.load_folder((organisation.folder / KEY).parent), {}, lambda _: None)


def exported(organisation: Organisation, stored: SqlLedger, folder: Path) -> ExportedLedger:
    export(stored, places.destination(str(folder)), companions(organisation))
    return ExportedLedger(places.source(str(folder)))


@pytest.fixture(scope="module")
def found(
    organisation: Organisation, stored: SqlLedger, tmp_path_factory: pytest.TempPathFactory
) -> ExportedLedger:
    """The export, read."""
    return exported(organisation, stored, tmp_path_factory.mktemp("export"))


def test_it_has_what_the_ledger_has(found: ExportedLedger, stored: SqlLedger) -> None:
    assert (found.origin, found.count()) == (stored.origin, stored.count()) == (NAME, SIZE)
    for start in (0, 1, 255, 256, SIZE - 1, SIZE):
        assert list(found.entries(start)) == list(stored.entries(start))
        assert list(found.heads(start)) == list(stored.heads(start))
        assert list(found.nodes(start)) == [node for node in stored.nodes() if node[0] >= start]
    for level in range(9):
        for number in range(SIZE >> level):
            assert found.node(level, number) == stored.node(level, number)
    assert merkle.root(SIZE, found.node) == merkle.root(SIZE, stored.node)
    assert list(found.cosigned()) == list(stored.cosigned()) == []
    assert found.cosignatures(SIZE) == ()
    assert found.head() == stored.head()
    assert found.strangers == ()


def test_an_entry_is_found_as_in_the_ledger(found: ExportedLedger, stored: SqlLedger) -> None:
    for index in (-1, 0, 256, SIZE - 1, SIZE):
        assert found.at(index) == (stored.at(index) if 0 <= index < SIZE else None)
    some = stored.at(270)
    assert some is not None
    assert found.starting_with(some.id, 2) == (some,)
    assert found.starting_with("0", 3) == stored.starting_with("0", 3)
    assert found.requested("a key") is None
    assert list(found.of_kind(some.kind, 290)) == list(stored.of_kind(some.kind, 290))
    assert list(found.of_kind("another")) == []
    # When the ledger itself was made, no entry says.
    assert found.latest() == max(datetime.fromisoformat(each.recorded_at) for each in stored.entries())


def test_files_of_many_bytes_are_cut_before_they_have_256_entries(
    organisation: Organisation, stored: SqlLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "CHUNK_BYTES", 10_000)
    monkeypatch.setattr(layout, "SUMS", 10)
    found = exported(organisation, stored, tmp_path / "export")
    assert len(list((tmp_path / "export/entries/000000").iterdir())) > 10
    assert len(found.manifest.sums) > 3
    assert list(found.entries()) == list(stored.entries())
    keys = companions(organisation).keys
    assert report(verify(found, keys)).sound


def test_digests_of_a_run_that_was_cut_off_stand_beside_those_of_the_next(
    organisation: Organisation, stored: SqlLedger, tmp_path: Path
) -> None:
    """The first run had fewer files to list: say, policies were not there."""
    destination = places.destination(str(tmp_path / "export"))
    cut_off = Added(destination, SIZE)
    cut_off.keep("keys/one.pub", b"one")
    cut_off.signatures(b"one line\n")
    (sums,) = cut_off.sums()
    again = Added(destination, SIZE)
    again.signatures(b"one line\n")
    again.signatures(b"two lines\n")
    assert again.count == 1
    found = exported(organisation, stored, tmp_path / "export")
    assert sums.name not in {each.name for each in found.manifest.sums}
    assert set(found.strangers) == {
        sums.name,
        "keys/one.pub",
        layout.cosignatures(SIZE, 0),
        layout.cosignatures(SIZE, 1),
    }


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"previous": {"size": SIZE, "sha256": "0" * 64}}, "goes on from a later one"),
        (
            {"previous": {"size": 7, "sha256": "0" * 64}},
            "snapshots/0+7.json cannot be read",
        ),
        ({"sums": []}, "the files of entries end before entry 0"),
        ({"size": SIZE + 1}, "it is the manifest of 301 entries"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(
    organisation: Organisation, stored: SqlLedger, tmp_path: Path, change: dict[str, object], what: str
) -> None:
    exported(organisation, stored, tmp_path)
    manifest = tmp_path / layout.snapshot(SIZE)
    manifest.write_text(json.dumps(json.loads(manifest.read_bytes()) | change))
    with pytest.raises((BadInput, NotRecorded), match=what):
        refuse(ExportedLedger(places.source(str(tmp_path))), companions(organisation))


def refuse(found: ExportedLedger, companions: Companions) -> None:
    """Raise what verification finds."""
    checked = report(verify(found, companions.keys))
    raise NotRecorded("; ".join(fault.what for fault in checked.faults))


def test_a_snapshot_of_another_ledger_is_no_beginning(
    organisation: Organisation, stored: SqlLedger, tmp_path: Path
) -> None:
    exported(organisation, stored, tmp_path)
    manifest = tmp_path / layout.snapshot(SIZE)
    before = json.dumps(json.loads(manifest.read_bytes()) | {"size": 7, "origin": "other"}).encode()
    (tmp_path / layout.snapshot(7)).write_bytes(before)
    changed = json.loads(manifest.read_bytes()) | {"previous": {"size": 7, "sha256": sha256(before)}}
    manifest.write_text(json.dumps(changed))
    with pytest.raises(NotRecorded, match="is of another ledger"):
        ExportedLedger(places.source(str(tmp_path)))


def test_a_file_that_is_too_long_or_a_link_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "MAX_BYTES", 10)
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys/long.pub").write_bytes(b"x" * 11)
    (tmp_path / "keys/link.pub").symlink_to("/etc/passwd")
    folder = places.source(str(tmp_path))
    assert folder.names() == ("keys/long.pub",)
    with pytest.raises(BadInput, match="is longer than a file of an export can be"):
        folder.read("keys/long.pub")
    with pytest.raises(BadInput, match="cannot be read: Too many levels of symbolic links"):
        folder.read("keys/link.pub")


def test_an_archive_that_is_not_there_or_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match="the archive cannot be read: No such file or directory"):
        TarSource(tmp_path / "none.tar")
    with pytest.raises(NotRecorded, match="the archive cannot be written: No such file or directory"):
        places.destination(str(tmp_path / "none/none.tar"))


def test_a_restored_ledger_that_somebody_writes_to_meanwhile_is_left_alone(
    found: ExportedLedger, stored: SqlLedger, tmp_path: Path
) -> None:
    root = merkle.root(SIZE, stored.node)
    restoring.into_file(found, tmp_path / "one.db", root)
    with closing(sqlite.open_for_reading(tmp_path / "one.db")) as restored:
        assert list(restored.entries()) == list(stored.entries())
        assert list(restored.heads()) == list(stored.heads())
        assert list(restored.nodes()) == list(stored.nodes())
    with pytest.raises(BadConfiguration, match="it has entries already"):
        restoring.restore(found, sqlite.SqliteDatabase(tmp_path / "one.db"), root)
