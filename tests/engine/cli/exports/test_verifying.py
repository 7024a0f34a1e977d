"""An export is verified where there is no ledger."""

from __future__ import annotations

from pathlib import Path

import pytest

from mandate.engine.evidence import keys
from mandate.engine.evidence.log.note import NoteKey
from tests.engine.evidence.log.signers import W1
from tests.exporting import (
    FIRST,
    LEDGER,
    NAME,
    exported,
    faults,
    rows,
)
from tests.organisation import GOOD, Organisation


@pytest.mark.parametrize("name", ["export", "export.tar"])
def test_an_auditor_verifies_an_export_with_nothing_but_a_key(
    archivist: Organisation, tmp_path: Path, name: str
) -> None:
    if name == "export.tar":
        exported(archivist, name)
    auditor = Organisation(tmp_path / "auditor")
    auditor.folder.mkdir()
    (auditor.folder / "ledger.pub").write_bytes((archivist.folder / ".mandate/keys/signing.pub").read_bytes())
    shown = auditor.mandate("verify", str(archivist.folder / name), "--key", "ledger.pub")
    assert shown.exit_code == 0
    sound, root, *rest = shown.out.splitlines()
    assert sound == f"✓ sound: {len(rows(archivist.folder / LEDGER)['entries'])} entries of {NAME}, 0 faults"
    assert root.startswith("root ")
    assert rest[:2] == ["", "Not proven:"]
    assert [line[0] for line in rest[2:] if line[0] != " "] == ["·"] * 4
    assert max(map(len, shown.out.splitlines())) <= 100

    vkey = next((archivist.folder / "export/keys").glob("*.vkey")).read_text().strip()
    shown = auditor.mandate("verify", str(archivist.folder / name), "--vkey", vkey, "--output", "json")
    assert (shown.exit_code, shown.json["sound"], shown.json["strangers"]) == (0, True, [])


def test_an_export_that_is_not_sound_is_not_proven(
    auditor: Organisation, export: Path, tmp_path: Path
) -> None:
    stranger = keys.create(tmp_path / "stranger.pem")
    refused = auditor.mandate("verify", str(export), "--key", str(tmp_path / "stranger.pub"))
    assert refused.exit_code == 3
    assert "it is signed by an unknown key" in refused.out
    other = NoteKey.of("other.example", stranger.public_key).vkey
    refused = auditor.mandate("verify", str(export), "--vkey", other)
    assert (refused.exit_code, refused.out) == (
        3,
        f"✗ NOT sound: this is an export of {NAME}, and the keys are those of other.example\n",
    )
    refused = auditor.mandate("verify", str(export), "--vkey", other, "--output", "json")
    assert (refused.exit_code, refused.json["sound"]) == (3, False)
    assert f"this is an export of {NAME}, and the keys are those of other.example" in faults(refused)

    key = ("--key", ".mandate/keys/signing.pub")
    refused = auditor.mandate("verify", str(export), *key, "--witness", W1.vkey)
    assert refused.exit_code == 3
    assert "of the given witnesses signed" in refused.out
    (export / "keys/more.pub").write_bytes(b"")
    shown = auditor.mandate("verify", str(export), *key)
    assert shown.exit_code == 0
    assert "! keys/more.pub belongs to no snapshot, and was not looked at\n" in shown.out
    (export / FIRST).unlink()
    assert f"✗ ledger: {FIRST} is gone" in auditor.mandate("verify", str(export), *key).out


def test_policies_that_are_missing_are_no_part_of_what_is_proven(exporter: Organisation) -> None:
    kept = (exporter.folder / ".mandate/policies").rename(exporter.folder / "kept")
    exported(exporter, "export")
    shown = exporter.mandate("verify", "export", "--key", ".mandate/keys/signing.pub")
    assert "that the policies that decided are all here: 1 of their revisions are not" in shown.out
    kept.rename(exporter.folder / ".mandate/policies")
    assert exporter.check(GOOD).exit_code == 0
    exported(exporter, "export")
    shown = exporter.mandate("verify", "export", "--key", ".mandate/keys/signing.pub")
    assert shown.exit_code == 0
    assert "of their revisions are not" not in shown.out
