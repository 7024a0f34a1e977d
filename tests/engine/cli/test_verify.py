"""`mandate verify` as an auditor uses it: a file, keys, and nothing else of the operator's."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from mandate.engine.evidence.log import cosignature
from tests.engine.evidence.log.entries import INDEX, SIZE, Log, sealed, statement
from tests.engine.evidence.log.signers import (
    FIRST_WITNESS,
    KEY,
    LEDGER,
    NEXT_KEY,
    NEXT_LEDGER,
    ORIGIN,
    SECOND_WITNESS,
    W1,
    W2,
)
from tests.organisation import Organisation

FORBIDDEN = (
    "mandate.composition",
    "mandate.engine.configuration",
    "mandate.engine.decision",
    "mandate.engine.gate",
    "mandate.engine.input",
    "mandate.engine.opa",
    "mandate.engine.policy",
    "pydantic",
    "psycopg",
    "sqlite3",
)
NOON = 1772366400
LOG = Log()


@pytest.fixture
def auditor(tmp_path: Path) -> Organisation:
    """A folder with a proof file, and keys; no mandate.yaml, no ledger."""
    (tmp_path / "proof.json").write_bytes(LOG.file())
    (tmp_path / "ledger.pub").write_bytes(LEDGER.public_key.pem)
    (tmp_path / "other.pub").write_bytes(NEXT_LEDGER.public_key.pem)
    return Organisation(tmp_path)


def test_it_says_what_is_proven_and_what_is_not(auditor: Organisation) -> None:
    shown = auditor.mandate("verify", "proof.json", "--key", "ledger.pub")
    root = LOG.roots[SIZE].hex()
    assert (shown.exit_code, shown.err) == (0, "")
    lines = f"""\
✓ proven

  kind                 https://mandate.dev/attestations/decision/v1
  subject              models:/credit/3
                       sha256:{"ab" * 32}
  id                   019caa3d-c400-7000-8000-000000000004
  ledger.origin        bank.example/models
  opa.version          null
  outcome              deny
  policy.bundleSha256  {"01" * 32}
  policy.revision      v1.4.0
  recordedAt           2026-03-01T12:00:00.000Z

✓ {LEDGER.keyid} signed this statement, and nothing in it was
  changed since
✓ {LEDGER.keyid} signed the head of bank.example/models: 7
  entries, root {root}
✓ the statement is entry 4 of these, and was there before this head was signed

Not proven:
· that the figures are true, or the time: they are what the signer stated
· that the key still counted: ask its owner whether it was revoked, and in which entry of the ledger
· that this head is the newest, or that no later entry revokes this one: hold it against the ledger
  with `mandate ledger verify --since`
· that this is everything: a proof of one entry says nothing of decisions that were never recorded
· that nobody was shown another log: no witness signed the head, or none was required
""".splitlines()
    assert shown.out.splitlines() == lines
    assert max(map(len, lines)) <= 100


def test_programs_get_a_document(auditor: Organisation) -> None:
    shown = auditor.mandate("verify", "proof.json", "--vkey", KEY.vkey, "--output", "json")
    assert shown.exit_code == 0
    not_proven = shown.json.pop("notProven")
    assert shown.json | {"notProven": None} == {
        "proven": True,
        "faults": [],
        "statement": {
            "predicateType": "https://mandate.dev/attestations/decision/v1",
            "subject": [{"name": "models:/credit/3", "digest": {"sha256": "ab" * 32}}],
            "stated": {
                "id": "019caa3d-c400-7000-8000-000000000004",
                "recordedAt": "2026-03-01T12:00:00.000Z",
                "outcome": "deny",
                "policy.revision": "v1.4.0",
                "policy.bundleSha256": "01" * 32,
                "opa.version": None,
                "ledger.origin": ORIGIN,
            },
            "signedBy": LEDGER.keyid,
        },
        "log": {
            "origin": ORIGIN,
            "index": INDEX,
            "size": SIZE,
            "root": LOG.roots[SIZE].hex(),
            "signedBy": [KEY.vkey],
            "witnesses": [],
        },
        "notProven": None,
    }
    assert len(not_proven) == 5


def test_another_key_proves_nothing_and_exits_with_three(auditor: Organisation) -> None:
    shown = auditor.mandate("verify", "proof.json", "--key", "other.pub")
    assert shown.exit_code == 3
    assert (
        shown.out
        == f"""\
✗ NOT proven

✗ it is signed by an unknown key, {LEDGER.keyid}
✗ the head of 'bank.example/models' is not signed by any of the keys given for that log
"""
    )
    shown = auditor.mandate("verify", "proof.json", "--key", "other.pub", "--output", "json")
    assert shown.exit_code == 3
    assert shown.json["proven"] is False
    assert len(shown.json.pop("faults")) == 2
    assert shown.json | {"faults": 2} == {
        "proven": False,
        "faults": 2,
        "statement": None,
        "log": None,
        "notProven": [],
    }


def test_what_holds_is_shown_beside_what_does_not(auditor: Organisation) -> None:
    document = json.loads(LOG.file())
    document["tlogProof"] = document["tlogProof"].replace("index 4", "index 5")
    (auditor.folder / "proof.json").write_text(json.dumps(document))
    shown = auditor.mandate("verify", "proof.json", "--key", "ledger.pub")
    assert shown.exit_code == 3
    assert "signed this statement" in shown.out
    assert "✗ the inclusion proof does not lead from this entry to the head" in shown.out
    assert "is entry 5" not in shown.out
    assert "Not proven:" not in shown.out


def test_a_person_signs_an_entry(auditor: Organisation) -> None:
    (auditor.folder / "proof.json").write_bytes(Log(sealed(statement(), NEXT_LEDGER)).file())
    assert auditor.mandate("verify", "proof.json", "--key", "ledger.pub").exit_code == 3
    shown = auditor.mandate("verify", "proof.json", "--key", "ledger.pub", "--signer", "other.pub")
    assert shown.exit_code == 0
    assert f"✓ {NEXT_LEDGER.keyid} signed this statement" in shown.out


def test_witnesses_can_be_required(auditor: Organisation) -> None:
    head = cosignature.add(LOG.head(), W1.name, FIRST_WITNESS, NOON)
    (auditor.folder / "proof.json").write_bytes(LOG.file(head))
    common = ("verify", "proof.json", "--key", "ledger.pub", "--witness", W1.vkey)
    shown = auditor.mandate(*common)
    assert shown.exit_code == 0
    assert (
        "✓ the witness witness.example/w1 signed this head at 2026-03-01T12:00:00Z, by its clock" in shown.out
    )
    assert "that nobody was shown another log" not in shown.out
    assert auditor.mandate(*common, "--witness", W2.vkey).exit_code == 3
    assert auditor.mandate(*common, "--witness", W2.vkey, "--witnesses", "1").exit_code == 0
    given = auditor.mandate(*common, "--witnesses", "0", "--output", "json").json
    assert given["log"]["witnesses"] == [{"vkey": W1.vkey, "time": NOON}]
    late = cosignature.add(head, W2.name, SECOND_WITNESS, 2**63 - 1)
    (auditor.folder / "proof.json").write_bytes(LOG.file(late))
    shown = auditor.mandate(*common, "--witness", W2.vkey)
    assert "witness.example/w2 signed this head at 9223372036854775807 seconds after" in shown.out


def test_names_from_outside_do_not_reach_the_terminal(auditor: Organisation) -> None:
    hostile = {
        **statement(outcome="\x1b[31m\u202e"),
        "subject": [{"name": "\x1b[2J", "digest": {"\n": "\r"}}],
    }
    (auditor.folder / "proof.json").write_bytes(Log(sealed(hostile)).file())
    shown = auditor.mandate("verify", "proof.json", "--key", "ledger.pub")
    assert shown.exit_code == 0
    assert not {"\x1b", "\u202e", "\r"} & set(shown.out)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((), "Give the ledger's key with --key or --vkey"),
        (("--vkey", "no key"), "this is no verifier key"),
        (("--vkey", W1.vkey), "its key is not of type 0x01"),
        (("--key", "proof.json"), "this is no public key for Ed25519"),
        (("--key", "ledger.pub", "--signer", "proof.json"), "Point to that person's .pub file"),
        (("--key", "ledger.pub", "--witness", KEY.vkey), "its key is not of type 0x04"),
        (("--key", "ledger.pub", "--witnesses", "1"), "--witnesses 1 is more than the keys given"),
    ],
)
def test_a_bad_request_exits_with_two(auditor: Organisation, arguments: tuple[str, ...], why: str) -> None:
    shown = auditor.mandate("verify", "proof.json", *arguments)
    assert (shown.exit_code, shown.out) == (2, "")
    assert why in shown.err


def test_what_is_no_proof_file_exits_with_two(auditor: Organisation) -> None:
    shown = auditor.mandate("verify", "ledger.pub", "--vkey", NEXT_KEY.vkey)
    assert shown.exit_code == 2
    assert "this is no proof file" in shown.err
    assert "Ask for the file that `mandate ledger prove` wrote" in shown.err


def test_a_file_that_cannot_be_read_exits_with_two(auditor: Organisation) -> None:
    shown = auditor.mandate("verify", "/proc/self/mem", "--key", "ledger.pub")
    assert shown.exit_code == 2
    assert "/proc/self/mem: it cannot be read: Input/output error" in shown.err


def test_it_reads_standard_input(auditor: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(LOG.file())))
    assert auditor.mandate("verify", "-", "--key", "ledger.pub").exit_code == 0


def test_it_imports_nothing_of_the_gate(auditor: Organisation) -> None:
    code = (
        "import sys\n"
        "from mandate.engine import cli\n"
        "exit_code = cli.run(['verify', 'proof.json', '--key', 'ledger.pub'])\n"
        f"print(exit_code, [name for name in {FORBIDDEN!r} if name in sys.modules], file=sys.stderr)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=auditor.folder, capture_output=True, text=True, check=True
    )
    assert ran.stderr.splitlines()[-1] == "0 []"
