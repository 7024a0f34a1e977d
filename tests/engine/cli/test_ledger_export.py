"""A ledger is exported, lost and restored; and what is no sound export of it is refused."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
import time
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from jsonschema.validators import validator_for

from mandate.engine.errors import NotRecorded
from mandate.engine.evidence import keys
from mandate.engine.evidence.export import places
from mandate.engine.evidence.export.reading import ExportedLedger
from mandate.engine.evidence.log import checkpoint, cosignature, note
from mandate.engine.evidence.log.note import NoteKey
from mandate.engine.evidence.sql import postgresql, restoring, sqlite
from tests.engine.evidence.log.signers import FIRST_WITNESS, W1
from tests.exporting import (
    LEDGER,
    NAME,
    copy,
    exported,
    faults,
    files,
    grow,
    lose,
    organisation,
    restored,
    rows,
    said,
    sealed_again,
)
from tests.organisation import GOOD, Organisation
from tests.postgresql import Server

ROOT = Path(__file__).parents[3]
FIRST = "entries/000000/000000000000-000000000255.jsonl"


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> Organisation:
    """Its ledger has 704 entries, two of them decisions."""
    made = organisation(tmp_path_factory.mktemp("decided"))
    grow(made, 700)
    return made


@pytest.fixture(scope="module")
def done(decided: Organisation, tmp_path_factory: pytest.TempPathFactory) -> Organisation:
    """It has exported its ledger into `export`, and is not to be changed."""
    made = copy(decided, tmp_path_factory.mktemp("done") / "exporter")
    exported(made, "export")
    return made


@pytest.fixture(scope="module")
def whole(done: Organisation) -> Path:
    """The export, which is not to be changed."""
    return done.folder / "export"


@pytest.fixture
def exporter(decided: Organisation, tmp_path: Path) -> Organisation:
    """The organisation, which exports."""
    return copy(decided, tmp_path / "exporter")


@pytest.fixture
def archivist(done: Organisation, tmp_path: Path) -> Organisation:
    """The organisation, which has exported."""
    return copy(done, tmp_path / "archivist")


@pytest.fixture
def export(whole: Path, tmp_path: Path) -> Path:
    """The export, to be changed."""
    shutil.copytree(whole, tmp_path / "export")
    return tmp_path / "export"


@pytest.fixture
def auditor(decided: Organisation, tmp_path: Path) -> Organisation:
    """The organisation, which has lost its ledger."""
    robbed = copy(decided, tmp_path / "auditor")
    lose(robbed)
    return robbed


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


def test_an_export_states_in_the_ledger_that_it_was_and_has_that_entry(exporter: Organisation) -> None:
    answer = exported(exporter, "export").json
    assert answer == {
        "destination": str(exporter.folder / "export"),
        "origin": NAME,
        "size": 705,
        "root": answer["root"],
        "added": 705,
        "files": len(files(exporter.folder / "export")) - 1,  # but for `checkpoint`
        "recorded": 704,
        "retain_until": None,
        "missing_policies": [],
    }
    assert exporter.mandate("ledger", "prove", "704", "-o", "proof.json").exit_code == 0
    said = exporter.mandate(
        "verify", "proof.json", "--key", ".mandate/keys/signing.pub", "--output", "json"
    ).json
    manifest = json.loads((exporter.folder / "export/snapshots/000000000704.json").read_bytes())
    assert (
        said["statement"]["stated"] | {"size": 704, "root": manifest["root"]} == said["statement"]["stated"]
    )


def test_people_read_what_was_exported_and_restored(exporter: Organisation) -> None:
    shown = exporter.mandate("ledger", "export", "export")
    root = json.loads((exporter.folder / "export/snapshots/000000000705.json").read_bytes())["root"]
    count = len(files(exporter.folder / "export")) - 1
    assert shown.out == (
        f"✓ exported: 705 entries of {NAME} are in {exporter.folder}/export\n"
        f"root {root}\n"
        f"new: 705 entries, in {count} files; entry 704 says so\n"
    )
    assert exporter.mandate("ledger", "export", "export").out.splitlines()[2:] == ["nothing was new"]
    lose(exporter)
    shown = exporter.mandate("ledger", "import", "export")
    assert shown.out == (
        f"✓ sound: 705 entries of {NAME}, 0 faults\n"
        f"root {root}\n"
        f"✓ restored into {exporter.folder}/{LEDGER}, and the policies of 1 revision\n"
    )
    (exporter.folder / "export" / FIRST).write_bytes(b"")
    shown = exporter.mandate("ledger", "import", "export", "--into", "again.db")
    assert shown.exit_code == 3
    assert shown.out.splitlines()[0].startswith(
        "✗ ledger: nothing from entry 0 on can be read: the export is"
    )
    assert shown.out.splitlines()[-1] == "✗ nothing was restored"


def test_a_second_run_writes_nothing(archivist: Organisation) -> None:
    before = inodes(archivist.folder / "export")
    answer = exported(archivist, "export").json
    assert (answer["added"], answer["files"], answer["recorded"]) == (0, 0, None)
    assert inodes(archivist.folder / "export") == before
    assert len(rows(archivist.folder / LEDGER)["entries"]) == 705


def inodes(folder: Path) -> set[tuple[Path, int, int]]:
    """What tells whether a file, or a name in a folder, was written."""
    return {(path, path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.rglob("*")}


def test_two_destinations_come_to_rest(exporter: Organisation) -> None:
    """Each has the other's entry in the end, and no run makes work for another one."""
    for destination in ("one", "two", "one", "two"):
        exported(exporter, destination)
    assert len(rows(exporter.folder / LEDGER)["entries"]) == 706
    for destination in ("one", "two"):
        assert exported(exporter, destination).json["files"] == 0
    one, two = files(exporter.folder / "one"), files(exporter.folder / "two")
    assert one["checkpoint"] == two["checkpoint"]


def test_a_later_run_adds_only_what_is_new(archivist: Organisation, verify_log: Path) -> None:
    before = files(archivist.folder / "export")
    grow(archivist, 70)
    answer = exported(archivist, "export").json
    after = files(archivist.folder / "export")
    assert (answer["size"], answer["added"], answer["files"]) == (776, 71, len(after) - len(before))
    assert {name: after[name] for name in before} | {"checkpoint": b""} == before | {"checkpoint": b""}
    entries = [
        line for name, content in after.items() if name[:8] == "entries/" for line in content.splitlines()
    ]
    assert entries == [envelope for _, envelope in rows(archivist.folder / LEDGER)["envelopes"]]
    for size, head in ((705, "old"), (775, "new")):
        manifest = json.loads(after[f"snapshots/000000000{size}.json"])
        (archivist.folder / head).write_text(manifest["checkpoint"])
    proof = archivist.folder / "export/proofs/000000000705-000000000775"
    vkey = next((archivist.folder / "export/keys").glob("*.vkey")).read_text().strip()
    judged = run(verify_log, "consistency", vkey, archivist.folder / "old", archivist.folder / "new", proof)
    assert judged == "705 grew to 775\n"
    lose(archivist)
    assert restored(archivist, "export").json["entries"] == 776


def test_an_independent_client_of_tiles_accepts_the_export(whole: Path, verify_log: Path) -> None:
    vkey = next((whole / "keys").glob("*.vkey")).read_text().strip()
    assert run(verify_log, "tiles", vkey, whole) == "705 entries\n"


def test_every_manifest_is_as_its_schema_says(whole: Path) -> None:
    schema = json.loads((whole / "schemas/export-manifest.v1.json").read_bytes())
    assert schema == json.loads((ROOT / "schemas/export-manifest.v1.json").read_bytes())
    for manifest in (whole / "snapshots").iterdir():
        validator_for(schema)(schema).validate(json.loads(manifest.read_bytes()))


def run(program: Path, *arguments: object) -> str:
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


# A run that was cut off ---------------------------------------------------------------------------


def start(organisation: Organisation, destination: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "mandate", "ledger", "export", destination],
        cwd=organisation.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
    )


def killed(organisation: Organisation, destination: str, when: Path) -> None:
    """Export, and `kill -9` as soon as there is such a file."""
    process = start(organisation, destination)
    deadline = time.monotonic() + 60
    while not when.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.0005)
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize(
    "at",
    [
        "keys",
        "heads/000000/000000000000-000000000255.jsonl",
        "tile/entries/002.p/192",
        "snapshots",
    ],
)
def test_a_run_that_was_killed_goes_on(exporter: Organisation, auditor: Organisation, at: str) -> None:
    destination = exporter.folder / "export"
    killed(exporter, "export", destination / at)
    before = {name: content for name, content in files(destination).items() if "/." not in f"/{name}"}
    if at != "snapshots":
        assert before
    grow(exporter, 30)
    answer = exported(exporter, "export").json
    after = files(destination)
    assert before.keys() <= after.keys()
    assert [name for name in before if name != "checkpoint" and before[name] != after[name]] == []
    assert restored(auditor, destination).json["entries"] == answer["size"]


def test_an_archive_that_was_cut_off_goes_on(exporter: Organisation, auditor: Organisation) -> None:
    part = exporter.folder / "export.tar.part"
    exported(exporter, "whole.tar")
    content = (exporter.folder / "whole.tar").read_bytes()
    for length in (100, len(content) // 2, len(content) - 700):
        part.write_bytes(content[:length])
        answer = exported(exporter, "export.tar").json
        assert not part.exists()
        assert (
            restored(auditor, exporter.folder / "export.tar", "--into", f"{length}.db").json["entries"]
            == (answer["size"])
        )
        (exporter.folder / "export.tar").unlink()


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


# Another ledger, or a ledger that was changed -----------------------------------------------------


def test_a_forked_ledger_is_not_exported_over_the_other_one(exporter: Organisation, tmp_path: Path) -> None:
    fork = copy(exporter, tmp_path / "fork")
    for each in (exporter, fork):
        grow(each, 5)
    exported(exporter, "export")
    before = files(exporter.folder / "export")
    grow(fork, 9)
    refused = fork.mandate("ledger", "export", str(exporter.folder / "export"))
    assert refused.exit_code == 3
    assert "the first 710 entries of the ledger are not those that were exported" in said(refused)
    assert files(exporter.folder / "export") == before


def test_a_ledger_that_was_rolled_back_is_not_exported(exporter: Organisation, tmp_path: Path) -> None:
    older = copy(exporter, tmp_path / "older")
    exported(exporter, "export")
    refused = older.mandate("ledger", "export", str(exporter.folder / "export"))
    assert refused.exit_code == 3
    assert "the ledger has 704 entries, and 705 were exported" in said(refused)


def test_a_destination_of_something_else_is_refused(exporter: Organisation, tmp_path: Path) -> None:
    other = Organisation(tmp_path / "other")
    other.folder.mkdir()
    assert other.mandate("init", "--name", "other.example").exit_code == 0
    exported(other, "export")
    refused = exporter.mandate("ledger", "export", str(other.folder / "export"))
    assert refused.exit_code == 2
    assert "this is an export of another ledger, 'other.example'" in said(refused)
    refused = exporter.mandate("ledger", "import", str(other.folder / "export"), "--into", "new.db")
    assert refused.exit_code == 2
    assert "this is an export of 'other.example', not of 'bank.example/models'" in said(refused)
    refused = exporter.mandate("ledger", "export", "policies")
    assert refused.exit_code == 2
    assert "it holds something else than an export, such as thresholds/evidence.yaml" in said(refused)
    refused = exporter.mandate("ledger", "export", "mandate.yaml")
    assert refused.exit_code == 2
    assert "this is no folder" in said(refused)
    refused = exporter.mandate("ledger", "export", "mandate.yaml/below")
    assert refused.exit_code == 3
    assert "README.md cannot be written: Not a directory" in said(refused)


def test_another_file_under_a_name_of_the_export_is_refused(exporter: Organisation) -> None:
    entries = exporter.folder / "export" / FIRST
    entries.parent.mkdir(parents=True)
    entries.write_bytes(b"{}\n")
    refused = exporter.mandate("ledger", "export", "export")
    assert refused.exit_code == 3
    assert f"{FIRST} is there already, and is not what belongs there" in said(refused)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (
            "UPDATE envelopes SET envelope = CAST(replace(envelope, 'e', 'f') AS BLOB) WHERE position = 3",
            "of entry 3",
        ),
        ("DELETE FROM envelopes WHERE position = 3", "the envelope of entry 3 is gone"),
        ("DELETE FROM entries WHERE position = 300", "entry 300 is gone"),
        (
            "UPDATE nodes SET hash = zeroblob(32) WHERE level = 8 AND position = 255",
            "its tree does not follow",
        ),
        ("UPDATE entries SET leaf = zeroblob(32) WHERE position = 703", ""),
        ("DELETE FROM heads WHERE size = 704", "its newest head covers 654 entries, and there are 704"),
    ],
)
def test_a_damaged_ledger_is_not_exported(exporter: Organisation, change: str, what: str) -> None:
    with closing(sqlite3.connect(exporter.folder / LEDGER)) as database, database:
        for (trigger,) in database.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'trigger'"
        ).fetchall():
            database.execute(f'DROP TRIGGER "{trigger}"')
        database.execute(change)
    refused = exporter.mandate("ledger", "export", "export")
    assert refused.exit_code == 3
    assert what in said(refused)
    assert not (exporter.folder / "export/snapshots").exists()


def test_policies_that_nobody_has_are_named(exporter: Organisation) -> None:
    shutil.rmtree(exporter.folder / ".mandate/policies")
    answer = exported(exporter, "export").json
    (revision,) = answer["missing_policies"]
    assert revision.startswith("sha256:")
    manifest = json.loads((exporter.folder / "export/snapshots/000000000704.json").read_bytes())
    assert manifest["missing_policies"] == [revision]
    shown = exporter.mandate("ledger", "export", "other")
    assert f"! the policies {revision} are not on this machine, nor in the export\n" in shown.out


def test_an_empty_ledger_is_not_exported(tmp_path: Path) -> None:
    """One from before its opening was an entry."""
    empty = Organisation(tmp_path)
    assert empty.mandate("init", "--name", NAME).exit_code == 0
    (tmp_path / LEDGER).unlink()
    sqlite.create(tmp_path / LEDGER, origin=NAME)
    refused = empty.mandate("ledger", "export", "export")
    assert refused.exit_code == 3
    assert "the ledger has no entries yet" in said(refused)


def test_what_witnesses_signed_is_exported_once_and_restored(exporter: Organisation) -> None:
    def witnessed(time: int) -> None:
        head = note.parse(exporter.mandate("ledger", "checkpoint").out.encode())
        signed = cosignature.add(head, W1.name, FIRST_WITNESS, time)
        (exporter.folder / "signed").write_bytes(signed.to_bytes())
        assert exporter.mandate("ledger", "cosign", "signed", "--witness", W1.vkey).exit_code == 0

    witnessed(1772366400)
    exported(exporter, "export")
    witnessed(1772366401)
    grow(exporter, 1)
    exported(exporter, "export")
    lines = {
        name: len(content.splitlines())
        for name, content in files(exporter.folder / "export").items()
        if name.startswith("cosignatures/")
    }
    assert lines == {"cosignatures/000000000704-0.jsonl": 1, "cosignatures/000000000706-0.jsonl": 1}
    before = rows(exporter.folder / LEDGER)
    assert len(before["cosignatures"]) == 2
    lose(exporter)
    assert restored(exporter, "export").exit_code == 0
    assert rows(exporter.folder / LEDGER) == before


# An export that was changed -----------------------------------------------------------------------

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


# Archives that are none ---------------------------------------------------------------------------


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


def test_what_is_no_export_is_refused(auditor: Organisation) -> None:
    for source in ("nothing-there", "policies", ".mandate/keys"):
        refused = restored(auditor, source)
        assert refused.exit_code == 2
        assert "there is no complete export here" in said(refused)


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


# Where it is restored -----------------------------------------------------------------------------


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


# Verified without a ledger -------------------------------------------------------------------------


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


# A shared ledger ----------------------------------------------------------------------------------


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
