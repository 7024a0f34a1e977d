"""An export that is one file, and archives that are none."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path
from random import Random

import pytest

from tests.exporting import (
    LEDGER,
    exported,
    files,
    grow,
    lose,
    restored,
    rows,
    said,
)
from tests.organisation import Organisation


def test_an_archive_is_never_added_to(exporter: Organisation) -> None:
    exported(exporter, "export.tar")
    before = (exporter.folder / "export.tar").read_bytes()
    assert exported(exporter, "export.tar").json["files"] == 0
    grow(exporter, 1)
    refused = exporter.mandate("ledger", "export", "export.tar")
    assert refused.exit_code == 2
    assert "this archive is complete, and the ledger has grown since" in said(refused)
    assert (exporter.folder / "export.tar").read_bytes() == before


def test_an_archive_is_read_by_tar(archivist: Organisation) -> None:
    exported(archivist, "export.tar")
    subprocess.run(["tar", "-xf", "export.tar", "--one-top-level=unpacked"], cwd=archivist.folder, check=True)
    unpacked = files(archivist.folder / "unpacked")
    with tarfile.open(archivist.folder / "export.tar") as archive:
        assert {about.name for about in archive} == unpacked.keys()
    lose(archivist)
    assert restored(archivist, "unpacked").json["entries"] == 706


def member(name: str, content: bytes = b"", **about: object) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for field, value in about.items():
        setattr(info, field, value)
    return info.tobuf(tarfile.USTAR_FORMAT) + content + bytes(-len(content) % 512)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "it is cut off, or something follows its end"),
        (b"no archive at all" * 100, "there is no archive in it, or it is damaged at byte 0"),
        (member("../outside"), "it holds '../outside', which is no file of an export"),
        (member("/etc/passwd"), "it holds '/etc/passwd', which is no file of an export"),
        (member("keys/.hidden"), "which is no file of an export"),
        (member("keys/a\x1b[2J"), "which is no file of an export"),
        (member("keys/a", type=tarfile.SYMTYPE, linkname="/etc/passwd"), "which is no file of an export"),
        (member("keys/a", type=tarfile.DIRTYPE), "which is no file of an export"),
        (member("keys/a", type=tarfile.XHDTYPE, size=8**11 - 1), "which is no file of an export"),
        (member("keys/a") + member("keys/a"), "it holds keys/a twice"),
        (member("keys/a", size=8**11 - 1), "keys/a is longer than a file of an export can be"),
        (member("keys/a", size=5000), "it is cut off in the middle of keys/a"),
        (member("keys/a", b"x" * 700) + bytes(1024) + b"more", "something follows its end"),
        (member("keys/a", b"x" * 700) + bytes(512), "it is cut off"),
    ],
)
def test_an_archive_that_is_none_is_refused(
    auditor: Organisation, tmp_path: Path, content: bytes, what: str
) -> None:
    (tmp_path / "wrong.tar").write_bytes(content)
    refused = restored(auditor, tmp_path / "wrong.tar")
    assert refused.exit_code == 2
    assert what in said(refused)
    assert "\x1b" not in said(refused)


def test_an_archive_that_was_cut_off_is_refused_wherever(
    auditor: Organisation, exporter: Organisation
) -> None:
    exported(exporter, "export.tar")
    content = (exporter.folder / "export.tar").read_bytes()
    cut = auditor.folder / "cut.tar"
    for length in (*range(0, len(content), len(content) // 20), len(content) - 1, len(content) - 513):
        cut.write_bytes(content[:length])
        refused = restored(auditor, cut)
        assert refused.exit_code == 2, length
        assert "this is no archive of an export" in said(refused)
    assert not (auditor.folder / LEDGER).exists()


def test_no_changed_byte_of_an_archive_is_taken_for_the_export(
    archivist: Organisation, auditor: Organisation
) -> None:
    """At random places: what is accepted is what was exported, and nothing ends in a traceback."""
    exported(archivist, "export.tar")
    content = bytearray((archivist.folder / "export.tar").read_bytes())
    before = rows(archivist.folder / LEDGER)
    random = Random(2026)
    changed = auditor.folder / "changed.tar"
    accepted = 0
    for number in range(60):
        place, bit = random.randrange(len(content)), 1 << random.randrange(8)
        content[place] ^= bit
        changed.write_bytes(content)
        content[place] ^= bit
        ran = restored(auditor, changed, "--into", f"{number}.db")
        assert ran.exit_code in (0, 2, 3), (place, ran.out, ran.err)
        assert "Traceback" not in ran.out + ran.err
        if ran.exit_code == 0:  # it was a byte between the files
            accepted += 1
            assert rows(auditor.folder / f"{number}.db") == before
    assert accepted < 20
