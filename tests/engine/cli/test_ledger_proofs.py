"""Heads and proofs that leave the ledger, and what they find out when they come back."""

from __future__ import annotations

import base64
import json
import resource
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from mandate.engine.cli import files
from mandate.engine.errors import BadRequest, NotRecorded
from mandate.engine.evidence import heads, keys
from mandate.engine.evidence.log import checkpoint, cosignature, merkle, note
from mandate.engine.evidence.log.cosignature import WitnessKey
from mandate.engine.evidence.log.note import NoteKey
from mandate.engine.evidence.sql import sqlite as sqlite_ledger
from tests.engine.evidence.log.signers import FIRST_WITNESS, P256, SECOND_WITNESS, W1, W2
from tests.organisation import GOOD, Organisation, founded

NOON = 1772366400
ALL = 5
LAST = ALL - 1
_CHANGE = "UPDATE envelopes SET envelope = CAST(replace(envelope, 'x', 'y') AS BLOB) WHERE position = 2"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Organisation:
    """Its ledger has the opening, its policies and three decisions, `ALL` entries; the head before the last
    one was kept."""
    organisation = founded(tmp_path_factory.mktemp("kept"), trusting=True)
    for number in range(3):
        if number == 2:
            assert organisation.mandate("ledger", "checkpoint", "-o", "head").exit_code == 0
        assert organisation.check(GOOD).exit_code == 0
    assert len(organisation.entries()) == ALL
    return organisation


@pytest.fixture
def organisation(kept: Organisation, tmp_path: Path) -> Organisation:
    """A copy, to be changed."""
    shutil.copytree(kept.folder, tmp_path / "copy")
    return Organisation(tmp_path / "copy")


def ledger_key(organisation: Organisation) -> NoteKey:
    key = keys.load(organisation.folder / ".mandate/keys/signing.pem")
    return NoteKey.of("bank.example/models", key.public_key)


def witnessed(head: bytes, *times: int) -> bytes:
    signed = note.parse(head)
    for time, (key, signer) in zip(times, ((W1, FIRST_WITNESS), (W2, SECOND_WITNESS)), strict=False):
        signed = cosignature.add(signed, key.name, signer, time)
    return signed.to_bytes()


def test_an_entry_is_proven_in_one_file(kept: Organisation) -> None:
    for index, entry in enumerate(kept.entries()):
        for reference in (str(index), entry["id"]):
            assert kept.mandate("ledger", "prove", reference, "-o", "proof.json").out == ""
            shown = kept.mandate(
                "verify", "proof.json", "--key", ".mandate/keys/signing.pub", "--output", "json"
            )
            assert shown.exit_code == 0
            assert shown.json["log"]["index"] == index
            assert shown.json["log"]["size"] == ALL
            assert shown.json["statement"]["stated"]["id"] == entry["id"]
    printed = kept.mandate("ledger", "prove", str(LAST))
    assert printed.out == (kept.folder / "proof.json").read_text()


def test_independent_verifiers_accept_what_leaves_the_ledger(
    kept: Organisation, verify_log: Path, tmp_path: Path
) -> None:
    vkey = ledger_key(kept).vkey
    request = kept.mandate("ledger", "checkpoint", "--since", "head").out
    proof, _, newest = request.partition("\n\n")
    document = kept.mandate("ledger", "prove", "2").json
    entry = json.dumps(document["bundle"]["dsseEnvelope"], separators=(",", ":"), sort_keys=True)
    files = {
        "newest": newest,
        "growth": proof.partition("\n")[2],
        "entry": entry,
        "proof": document["tlogProof"],
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    old = str(kept.folder / "head")
    for command, said in {
        ("checkpoint", vkey, "newest"): f"bank.example/models {ALL} {root(newest)}",
        ("consistency", vkey, old, "newest", "growth"): f"{LAST} grew to {ALL}",
        ("inclusion", vkey, "entry", "proof"): f"entry 2 of {ALL}",
    }.items():
        ran = subprocess.run([verify_log, *command], cwd=tmp_path, capture_output=True, text=True, check=True)
        assert ran.stdout.strip() == said


def root(head: str) -> str:
    return base64.b64decode(head.split("\n")[2]).hex()


def test_the_newest_head_is_printed_as_the_ledger_signed_it(kept: Organisation) -> None:
    printed = kept.mandate("ledger", "checkpoint").out
    accepted = checkpoint.accept(printed.encode(), [ledger_key(kept)])
    assert (accepted.checkpoint.origin, accepted.checkpoint.size) == ("bank.example/models", ALL)
    document = kept.mandate("ledger", "checkpoint", "--since", "head", "--output", "json").json
    proof = document.pop("growth")
    assert document == {
        "origin": "bank.example/models",
        "size": ALL,
        "root": accepted.checkpoint.root.hex(),
        "signatures": [{"name": "bank.example/models", "keyHash": ledger_key(kept).key_hash.hex()}],
        "checkpoint": printed,
    }
    assert proof["since"] == LAST
    old = checkpoint.read((kept.folder / "head").read_bytes(), [ledger_key(kept)])
    hashes = [bytes.fromhex(one) for one in proof["proof"]]
    assert merkle.verify_consistency(LAST, old.root, ALL, accepted.checkpoint.root, hashes)
    assert kept.mandate("ledger", "checkpoint", "--output", "json").json["growth"] is None


def test_a_ledger_that_only_grew_begins_with_the_head_that_was_kept(kept: Organisation) -> None:
    shown = kept.mandate("ledger", "verify", "--since", "head")
    assert shown.exit_code == 0
    assert shown.out.endswith(f"It begins with the {LAST} entries of the head that was kept.\n")
    since = kept.mandate("ledger", "verify", "--since", "head", "--output", "json").json["since"]
    assert since == {"size": LAST, "root": root((kept.folder / "head").read_text())}
    assert kept.mandate("ledger", "verify", "--output", "json").json["since"] is None


def test_a_ledger_that_was_rolled_back_is_found_by_the_head_that_was_kept(
    organisation: Organisation,
) -> None:
    assert organisation.mandate("ledger", "checkpoint", "-o", "newest").exit_code == 0
    tampered(
        organisation,
        f"DELETE FROM heads WHERE size = {ALL}",
        f"DELETE FROM mentions WHERE position = {LAST}",
        f"DELETE FROM envelopes WHERE position = {LAST}",
        f"DELETE FROM nodes WHERE position = {LAST}",
        f"DELETE FROM entries WHERE position = {LAST}",
    )
    shown = organisation.mandate("ledger", "verify", "--since", "newest")
    assert shown.exit_code == 3
    assert (
        f"the head that was kept covers {ALL} entries, and there are {LAST}: the newest were removed"
        in shown.out
    )
    shown = organisation.mandate("ledger", "checkpoint", "--since", "newest")
    assert shown.exit_code == 3
    assert f"the ledger, of {LAST} entries, does not begin with the {ALL} entries of that head" in shown.err


def test_a_ledger_that_was_forked_is_found_by_the_head_that_was_kept(organisation: Organisation) -> None:
    # The writer has the key: it signs another head over as many entries.
    old = checkpoint.read((organisation.folder / "head").read_bytes(), [ledger_key(organisation)])
    signer = keys.load(organisation.folder / ".mandate/keys/signing.pem")
    forked = checkpoint.Checkpoint(old.origin, old.size, bytes(32))
    (organisation.folder / "forked").write_bytes(checkpoint.signed(forked, signer))
    shown = organisation.mandate("ledger", "verify", "--since", "forked")
    assert shown.exit_code == 3
    assert "not those of the head that was kept: the ledger was forked or rewritten" in shown.out
    shown = organisation.mandate("ledger", "prove", "1", "--head", "forked")
    assert shown.exit_code == 3
    assert "the entry cannot be proven: the proof does not lead from the entry" in shown.err


def test_a_changed_entry_is_not_proven(organisation: Organisation) -> None:
    tampered(organisation, _CHANGE)
    shown = organisation.mandate("ledger", "prove", "2", "-o", "changed.json")
    assert shown.exit_code == 3
    assert "the entry cannot be proven" in shown.err
    assert not (organisation.folder / "changed.json").exists()
    tampered(organisation, "DELETE FROM envelopes WHERE position = 3")
    assert organisation.mandate("ledger", "prove", "3").exit_code == 3


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("checkpoint = CAST(replace(checkpoint, 'models', 'other') AS BLOB)", "is not signed by any"),
        ("checkpoint = (SELECT checkpoint FROM heads WHERE size < 5)", "not say what the stored tree says"),
    ],
)
def test_a_head_that_is_wrong_is_not_handed_out(organisation: Organisation, change: str, why: str) -> None:
    tampered(organisation, f"UPDATE heads SET {change} WHERE size = {ALL}")
    shown = organisation.mandate("ledger", "checkpoint")
    assert (shown.exit_code, shown.out) == (3, "")
    assert f"the head over {ALL} entries is not right: " in shown.err
    assert why in shown.err


def tampered(organisation: Organisation, *statements: str) -> None:
    with closing(sqlite3.connect(organisation.folder / ".mandate/ledger.db")) as database, database:
        triggers = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in triggers:
            database.execute(f'DROP TRIGGER "{name}"')
        for statement in statements:
            database.execute(statement)


def test_a_ledger_without_entries_has_no_head(tmp_path: Path) -> None:
    sqlite_ledger.create(tmp_path / "ledger.db", origin="bank.example/models")
    with (
        closing(sqlite_ledger.open_for_reading(tmp_path / "ledger.db")) as ledger,
        pytest.raises(NotRecorded, match="the ledger has no entries yet, and so no head"),
    ):
        heads.newest(ledger, {})


def test_a_key_that_signs_no_heads_may_lie_beside_the_others(organisation: Organisation) -> None:
    (organisation.folder / ".mandate/keys/other.pub").write_bytes(P256.pem)
    assert organisation.mandate("ledger", "verify", "--since", "head").exit_code == 0
    assert organisation.mandate("ledger", "prove", "1").exit_code == 0


def test_a_proof_can_be_had_under_a_head_that_was_kept(kept: Organisation) -> None:
    document = kept.mandate("ledger", "prove", "1", "--head", "head").json
    assert document["tlogProof"].endswith((kept.folder / "head").read_text())
    shown = kept.mandate("ledger", "prove", str(LAST), "--head", "head")
    assert shown.exit_code == 2
    assert f"the head covers {LAST} entries, and this is entry {LAST}" in shown.err


def test_the_head_of_another_ledger_is_refused(kept: Organisation, tmp_path: Path) -> None:
    key = keys.load(kept.folder / ".mandate/keys/signing.pem")
    other = checkpoint.signed(checkpoint.Checkpoint("bank.example/other", 3, bytes(32)), key)
    (tmp_path / "other").write_bytes(other)
    stranger = checkpoint.Checkpoint("bank.example/models", 3, bytes(32))
    (tmp_path / "stranger").write_bytes(checkpoint.signed(stranger, FIRST_WITNESS))
    for name in ("other", "stranger"):
        for command in (("verify", "--since"), ("checkpoint", "--since"), ("prove", "1", "--head")):
            shown = kept.mandate("ledger", *command, str(tmp_path / name))
            assert shown.exit_code == 2
            assert "is not signed by any of the keys given for that log" in shown.err


def test_witnesses_sign_a_head_and_can_be_required(organisation: Organisation) -> None:
    newest = organisation.mandate("ledger", "checkpoint").out.encode()
    (organisation.folder / "witnessed").write_bytes(witnessed(newest, NOON))
    both = ("--witness", W1.vkey, "--witness", W2.vkey)
    shown = organisation.mandate("ledger", "cosign", "witnessed", "--witness", W1.vkey)
    assert (shown.exit_code, shown.out) == (0, f"✓ witness.example/w1 signed the head over {ALL} entries\n")
    assert organisation.mandate("ledger", "checkpoint").out.encode() == witnessed(newest, NOON)
    for options in ((), ("--witness", W1.vkey), (*both, "--witnesses", "1")):
        assert organisation.mandate("ledger", "verify", *options).exit_code == 0
    assert organisation.mandate("ledger", "verify", *both).exit_code == 3

    shown = organisation.mandate("ledger", "cosign", "witnessed", "--witness", W1.vkey)
    assert shown.out == f"The head over {ALL} entries had these signatures already.\n"
    (organisation.folder / "witnessed").write_bytes(witnessed(newest, NOON, NOON + 1))
    shown = organisation.mandate("ledger", "cosign", "witnessed", *both, "--output", "json")
    assert shown.json == {"size": ALL, "added": [W2.vkey]}
    assert organisation.mandate("ledger", "checkpoint").out.encode() == witnessed(newest, NOON, NOON + 1)

    assert organisation.mandate("ledger", "prove", "1", "-o", "proof.json").exit_code == 0
    checked = organisation.mandate("verify", "proof.json", "--vkey", ledger_key(organisation).vkey, *both)
    assert checked.exit_code == 0
    assert "✓ the witness witness.example/w2 signed this head at 2026-03-01T12:00:01Z" in checked.out
    assert organisation.mandate("ledger", "verify", "--since", "witnessed", *both).exit_code == 0


def test_an_independent_witness_signs_what_only_grew(organisation: Organisation, verify_log: Path) -> None:
    folder, vkey = organisation.folder, ledger_key(organisation).vkey
    seed = base64.b64encode(bytes([WitnessKey.TYPE]) + bytes([3]) * 32).decode()
    skey = f"PRIVATE+KEY+{W1.name}+{W1.key_hash.hex()}+{seed}"
    assert organisation.mandate("ledger", "checkpoint", "--since", "head", "-o", "request").exit_code == 0
    command = [str(verify_log), "witness", skey, vkey]
    answered = subprocess.run(
        [*command, "head", "request"], cwd=folder, capture_output=True, text=True, check=True
    )
    newest = organisation.mandate("ledger", "checkpoint").out
    (folder / "witnessed").write_text(newest + answered.stdout)
    shown = organisation.mandate("ledger", "cosign", "witnessed", "--witness", W1.vkey)
    assert (shown.exit_code, shown.out) == (0, f"✓ {W1.name} signed the head over {ALL} entries\n")
    assert organisation.mandate("ledger", "verify", "--witness", W1.vkey).exit_code == 0
    # It does not sign a log that does not go on from what it saw.
    signer = keys.load(folder / ".mandate/keys/signing.pem")
    (folder / "forked").write_bytes(
        checkpoint.signed(checkpoint.Checkpoint("bank.example/models", LAST, bytes(32)), signer)
    )
    refused = subprocess.run([*command, "forked", "request"], cwd=folder, capture_output=True, check=False)
    assert refused.returncode == 1


@pytest.mark.parametrize(
    ("change", "options", "why"),
    [
        (b"garbage", (), "has no signature, or ends in the middle of a line"),
        (b"\xff\n", (), "is not UTF-8"),
        ("— witness.example/w1 AAAA\n".encode(), (), "has a signature that is too short"),
        (None, ("--witness", W1.vkey, "--witnesses", "0"), "the signature of 'witness.example/w1', key"),
    ],
)
def test_a_changed_signature_of_a_witness_is_found(
    organisation: Organisation, change: bytes | None, options: tuple[str, ...], why: str
) -> None:
    newest = organisation.mandate("ledger", "checkpoint").out.encode()
    wrong = witnessed(newest, NOON + 1)[len(newest) :]
    time = NOON.to_bytes(8, "big")
    made = note.parse(newest + wrong).signatures[-1]
    line = note.Signature(made.name, made.key_hash, time + made.signature[8:]).line.encode()
    with closing(sqlite3.connect(organisation.folder / ".mandate/ledger.db")) as database, database:
        database.execute("INSERT INTO cosignatures VALUES (?, 0, ?)", (ALL - 1, wrong))
        database.execute("INSERT INTO cosignatures VALUES (?, 0, ?)", (ALL, change or line))
    shown = organisation.mandate("ledger", "verify", *options)
    assert shown.exit_code == 3
    assert f"what witnesses signed over {ALL} entries: " in shown.out
    assert why in shown.out


def test_a_head_without_enough_witnesses_is_refused(organisation: Organisation) -> None:
    assert organisation.mandate("ledger", "checkpoint", "-o", "newest").exit_code == 0
    for command in (("verify", "--since"), ("cosign",)):
        shown = organisation.mandate("ledger", *command, "newest", "--witness", W1.vkey)
        assert shown.exit_code == 2
        assert "0 of the given witnesses signed the head, and 1 must" in shown.err
    shown = organisation.mandate("ledger", "cosign", "newest", "--witness", W1.vkey, "--witnesses", "0")
    assert shown.exit_code == 2
    assert "none of the given witnesses signed this head" in shown.err
    shown = organisation.mandate("ledger", "verify", "--witness", W1.vkey)
    assert shown.exit_code == 3
    assert "the newest head: 0 of the given witnesses signed the head, and 1 must" in shown.out
    assert organisation.mandate("ledger", "verify", "--witness", W1.vkey, "--witnesses", "0").exit_code == 0


def test_no_signature_is_kept_under_a_head_that_the_ledger_does_not_have(
    organisation: Organisation,
) -> None:
    signer = keys.load(organisation.folder / ".mandate/keys/signing.pem")
    for size in (ALL, ALL + 1):
        forked = checkpoint.Checkpoint("bank.example/models", size, bytes(32))
        (organisation.folder / "forked").write_bytes(witnessed(checkpoint.signed(forked, signer), NOON))
        shown = organisation.mandate("ledger", "cosign", "forked", "--witness", W1.vkey)
        assert shown.exit_code == 2
        assert f"the ledger has no such head over {size} entries" in shown.err


def test_the_log_is_no_witness_of_its_own_head(organisation: Organisation) -> None:
    signer = keys.load(organisation.folder / ".mandate/keys/signing.pem")
    itself = WitnessKey.of("witness.example/w1", signer.public_key)
    newest = note.parse(organisation.mandate("ledger", "checkpoint").out.encode())
    signed = cosignature.add(newest, itself.name, signer, NOON).to_bytes()
    (organisation.folder / "witnessed").write_bytes(signed)
    shown = organisation.mandate("ledger", "cosign", "witnessed", "--witness", itself.vkey)
    assert shown.exit_code == 2
    assert "0 of the given witnesses signed the head" in shown.err


def test_an_output_file_is_written_whole_or_not_at_all(kept: Organisation, tmp_path: Path) -> None:
    shown = kept.mandate("ledger", "checkpoint", "-o", str(tmp_path / "none/head"))
    assert shown.exit_code == 2
    assert "it cannot be written: No such file or directory" in shown.err
    (tmp_path / "head").write_text("old")
    assert kept.mandate("ledger", "checkpoint", "-o", str(tmp_path / "head")).exit_code == 0
    assert (tmp_path / "head").read_text() == kept.mandate("ledger", "checkpoint").out
    # No file may grow beyond 64 bytes: the kernel refuses the write, as it does on a full disk.
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, hard))
    try:
        with pytest.raises(BadRequest, match="it cannot be written: File too large"):
            files.write(bytes(65), tmp_path / "head")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (tmp_path / "head").read_text() == kept.mandate("ledger", "checkpoint").out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["head"]
