"""An export that was changed is not restored, whoever changed it and whatever else they made fit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mandate.engine.evidence import keys
from mandate.engine.evidence.log import checkpoint
from tests.exporting import (
    FIRST,
    LEDGER,
    exported,
    faults,
    files,
    organisation,
    restored,
    said,
    sealed_again,
)
from tests.organisation import Organisation

KINDS = [
    "README.md",
    "checkpoint",
    "entries/000000/000000000256-000000000511.jsonl",
    "heads/000000/000000000256-000000000511.jsonl",
    "keys",
    "policies",
    "proofs/000000000704-000000000705",
    "schemas/decision.v1.json",
    "snapshots/000000000704.json",
    "sums/000000000704/0000.sha256",
    "tile/0/001",
    "tile/1/000.p/2",
    "tile/0/002.p/192",
    "tile/entries/000",
]


def named(export: Path, kind: str) -> Path:
    found = export / kind
    return next(found.iterdir()) if found.is_dir() else found


@pytest.mark.parametrize("kind", KINDS)
def test_a_changed_byte_is_found_in_each_kind_of_file(auditor: Organisation, export: Path, kind: str) -> None:
    file = named(export, kind)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    refused = restored(auditor, export)
    said = refused.out + refused.err
    assert refused.exit_code == 3
    assert f"{file.relative_to(export)} was changed" in said
    assert not (auditor.folder / LEDGER).exists()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "checkpoint"])
def test_a_file_that_is_gone_is_named(auditor: Organisation, export: Path, kind: str) -> None:
    file = named(export, kind)
    file.unlink()
    refused = restored(auditor, export)
    assert refused.exit_code == 3
    assert str(file.relative_to(export)) in refused.out + refused.err
    assert not (auditor.folder / LEDGER).exists()


def edited(export: Path, name: str, change: object) -> None:
    """Change a file's lines, and the digests with them."""
    file = export / name
    lines = file.read_bytes().splitlines(keepends=True)
    assert callable(change)
    file.write_bytes(b"".join(change(lines)))
    sealed_again(export, name)


def forged(export: Path) -> Path:
    """The export as one run has it: a forger removes what a later run added."""
    for name in files(export):
        if "705" in name or name.endswith((".p/193", "704-000000000704.jsonl")):
            (export / name).unlink()
    manifest = json.loads((export / "snapshots/000000000704.json").read_bytes())
    (export / "checkpoint").write_text(manifest["checkpoint"])
    return export


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda lines: [lines[1], lines[0], *lines[2:]], "its envelope does not have the digest"),
        (lambda lines: [lines[0], lines[0], *lines[2:]], "its envelope does not have the digest"),
        (lambda lines: lines[:-1], f"{FIRST} does not have 256 lines"),
        (lambda lines: [*lines, lines[0]], f"{FIRST} does not have 256 lines"),
        (lambda lines: [b"{}\n", *lines[1:]], "the envelope does not have exactly the fields"),
        (lambda lines: [b"[" * 100_000 + b"\n", *lines[1:]], "nested too deeply"),
    ],
)
def test_entries_of_a_forger_who_made_the_digests_anew_are_refused(
    auditor: Organisation, export: Path, change: object, what: str
) -> None:
    edited(forged(export), FIRST, change)
    refused = restored(auditor, export)
    assert refused.exit_code == 3
    assert any(what in fault for fault in faults(refused)), faults(refused)
    assert not (auditor.folder / LEDGER).exists()


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("tile/0/001", "tile/0/001 does not follow from the entries' digests"),
        ("tile/1/000.p/2", "the stored tree does not follow from the entries"),
        ("tile/entries/001", "does not follow from the entries' digests"),
        ("heads/000000/000000000000-000000000255.jsonl", "has a line that is not one of its kind"),
    ],
)
def test_a_tree_of_a_forger_who_made_the_digests_anew_is_refused(
    auditor: Organisation, export: Path, name: str, what: str
) -> None:
    file = forged(export) / name
    content = bytearray(file.read_bytes())
    content[0 if name.startswith("heads/") else 40] ^= 1
    file.write_bytes(content)
    sealed_again(export, name)
    refused = restored(auditor, export)
    assert refused.exit_code == 3
    assert any(what in fault for fault in faults(refused)), faults(refused)


@pytest.mark.parametrize(
    ("name", "what"), [("tile/0/001", "256 hashes"), ("tile/entries/001", "is no bundle")]
)
def test_a_tile_of_another_width_is_refused(
    auditor: Organisation, export: Path, name: str, what: str
) -> None:
    file = forged(export) / name
    file.write_bytes(file.read_bytes()[:-32])
    sealed_again(export, name)
    refused = restored(auditor, export)
    assert refused.exit_code == 3
    assert any(what in fault for fault in faults(refused)), faults(refused)


def test_heads_of_another_key_are_refused(auditor: Organisation, export: Path, tmp_path: Path) -> None:
    stranger = keys.create(tmp_path / "stranger.pem")

    def signed_again(lines: list[bytes]) -> list[bytes]:
        document = json.loads(lines[0])
        head = checkpoint.unverified(document["checkpoint"].encode())[0]
        document["checkpoint"] = checkpoint.signed(head, stranger).decode()
        return [json.dumps(document).encode() + b"\n", *lines[1:]]

    edited(forged(export), "heads/000000/000000000000-000000000255.jsonl", signed_again)
    refused = restored(auditor, export)
    assert refused.exit_code == 3
    assert any("is not signed by any of the keys given for that log" in fault for fault in faults(refused))


def test_an_export_of_a_forger_with_keys_of_his_own_is_refused(auditor: Organisation, tmp_path: Path) -> None:
    (tmp_path / "forger").mkdir()
    forger = organisation(tmp_path / "forger")
    exported(forger, tmp_path / "forged")
    refused = restored(auditor, tmp_path / "forged")
    assert refused.exit_code == 3
    assert any("it is signed by an unknown key" in fault for fault in faults(refused))


def test_an_export_that_was_rolled_back_is_found_by_a_head_that_was_kept(
    auditor: Organisation, archivist: Organisation, export: Path
) -> None:
    head = archivist.folder / "export/checkpoint"
    refused = restored(auditor, forged(export), "--since", str(head))
    assert refused.exit_code == 3
    assert any(
        "the head that was kept covers 705 entries, and there are 704" in fault for fault in faults(refused)
    )
    assert restored(auditor, export).exit_code == 0


def test_files_of_no_snapshot_are_counted_and_not_read(auditor: Organisation, export: Path) -> None:
    (export / "entries/000000/000000000705-000000000705.jsonl").write_bytes(b"anything")
    (export / "heads/link").symlink_to("/etc/passwd")
    shown = auditor.mandate("ledger", "import", str(export))
    assert shown.exit_code == 0
    assert "1 other file there belongs to no snapshot, and was not read\n" in shown.out


@pytest.mark.parametrize(
    ("manifest", "code", "what"),
    [
        (b"", 2, "this is no manifest of an export"),
        (b"[" * 100_000, 2, "this is no manifest of an export"),
        (b'{"format": "https://mandate.dev/export/v2"}', 2, "Upgrade Mandate if a newer one exported"),
    ],
)
def test_what_is_no_manifest_is_refused(
    auditor: Organisation, export: Path, manifest: bytes, code: int, what: str
) -> None:
    (export / "snapshots/000000000705.json").write_bytes(manifest)
    refused = restored(auditor, export)
    assert refused.exit_code == code
    assert what in said(refused)


def test_a_manifest_of_another_size_is_refused(auditor: Organisation, export: Path) -> None:
    (export / "snapshots/000000000705.json").rename(export / "snapshots/000000000706.json")
    refused = restored(auditor, export)
    assert refused.exit_code == 2
    assert "snapshots/000000000706.json: it is the manifest of 705 entries" in said(refused)


def test_sums_that_lead_out_of_the_export_are_refused(auditor: Organisation, export: Path) -> None:
    sums = export / "sums/000000000704/0000.sha256"
    sums.write_text(sums.read_text().replace("README.md", "../../../etc/passwd"))
    sealed_again(forged(export))
    refused = restored(auditor, export)
    assert refused.exit_code == 3
    assert "sums/000000000704/0000.sha256 has a line that is no digest of a file" in said(refused)


def test_sums_that_contradict_each_other_are_refused(auditor: Organisation, export: Path) -> None:
    sums = export / "sums/000000000704/0000.sha256"
    sums.write_text(sums.read_text() + f"{'0' * 64}  README.md\n")
    sealed_again(forged(export))
    refused = restored(auditor, export)
    assert refused.exit_code == 3
    assert "README.md has 2 digests in the sums" in faults(refused)


def test_policies_that_are_not_of_their_revision_are_not_restored(
    auditor: Organisation, export: Path
) -> None:
    (bundle,) = (forged(export) / "policies").iterdir()
    bundle.write_bytes(b"no bundle")
    sealed_again(export, f"policies/{bundle.name}")
    back = restored(auditor, export)
    assert back.exit_code == 0
    revision = f"sha256:{bundle.name[:-7]}"
    assert back.json["restored"]["damaged_policies"] == [revision]
    assert back.json["restored"]["policies"] == []
    assert not (auditor.folder / ".mandate/policies").exists()
