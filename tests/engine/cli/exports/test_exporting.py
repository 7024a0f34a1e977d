"""What an export is, and what one run after another adds to it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from jsonschema.validators import validator_for

from mandate.engine.evidence.log import cosignature, note
from tests.engine.evidence.log.signers import FIRST_WITNESS, W1
from tests.exporting import (
    FIRST,
    LEDGER,
    NAME,
    exported,
    files,
    grow,
    lose,
    restored,
    rows,
)
from tests.organisation import Organisation

ROOT = Path(__file__).parents[4]


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


def test_policies_that_nobody_has_are_named(exporter: Organisation) -> None:
    shutil.rmtree(exporter.folder / ".mandate/policies")
    answer = exported(exporter, "export").json
    (revision,) = answer["missing_policies"]
    assert revision.startswith("sha256:")
    manifest = json.loads((exporter.folder / "export/snapshots/000000000704.json").read_bytes())
    assert manifest["missing_policies"] == [revision]
    shown = exporter.mandate("ledger", "export", "other")
    assert f"! the policies {revision} are not on this machine, nor in the export\n" in shown.out


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
