from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from sigstore_models.bundle.v1 import Bundle

from mandate.engine.decision import Judgement
from mandate.engine.evidence import bundle, envelope, keys, reading
from mandate.engine.evidence.keys import SigningKey
from mandate.engine.evidence.public_keys import keyring
from mandate.engine.evidence.recorder import Recorder
from mandate.engine.evidence.sql.ledger import SqlLedger
from mandate.engine.input.document import Input

DECISION = "https://mandate.dev/attestations/decision/v1"


Verify = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def verify(cosign: Path, tmp_path: Path) -> Verify:
    """Cosign's verdict on a bundle, offline."""

    def verify(
        exported: bytes,
        key: Path,
        *,
        kind: str = DECISION,
        claims: tuple[str, ...] = ("--check-claims=false",),
    ) -> subprocess.CompletedProcess[str]:
        file = tmp_path / "decision.sigstore.json"
        file.write_bytes(exported)
        command = [str(cosign), "verify-blob-attestation", "--key", str(key), "--bundle", str(file)]
        return subprocess.run(
            [*command, "--type", kind, "--insecure-ignore-tlog", *claims],
            capture_output=True,
            text=True,
            check=False,
            # Whatever it would fetch, it does not get.
            env={"HOME": str(tmp_path), "HTTPS_PROXY": "http://127.0.0.1:9", "PATH": os.environ["PATH"]},
        )

    return verify


@pytest.fixture
def exported(
    recorder: Recorder, ledger: SqlLedger, signer: SigningKey, document: Input, judgement: Judgement
) -> bytes:
    """A recorded decision as a bundle."""
    record = recorder.record(document, judgement)
    return bundle.export(reading.find(ledger, record.receipt.id, keyring(signer.public_key)).envelope)


def test_bundle_is_of_the_published_shape(exported: bytes, signer: SigningKey) -> None:
    read = Bundle.from_json(exported)
    assert read.media_type == "application/vnd.dev.sigstore.bundle.v0.3+json"
    assert read.verification_material.public_key is not None
    assert read.verification_material.public_key.hint == signer.keyid
    assert read.verification_material.tlog_entries == []


def test_bundle_holds_the_envelope_as_it_was_signed(exported: bytes, signer: SigningKey) -> None:
    inside = envelope.parse(json.dumps(json.loads(exported)["dsseEnvelope"]).encode())
    envelope.verify(inside, keyring(signer.public_key))


def test_bundle_takes_exactly_one_signature() -> None:
    with pytest.raises(ValueError, match="not enough values"):
        bundle.export(envelope.Envelope(b"", ()))


def test_cosign_accepts_it(verify: Verify, exported: bytes, signer: SigningKey, tmp_path: Path) -> None:
    said = verify(exported, tmp_path / "keys" / "signing.pub")
    assert (said.returncode, said.stderr.splitlines()[-1]) == (0, "Verified OK")


def test_cosign_holds_it_against_the_models_digest(verify: Verify, exported: bytes, tmp_path: Path) -> None:
    key = tmp_path / "keys" / "signing.pub"
    assert verify(exported, key, claims=("--digest", "ab" * 32, "--digestAlg", "sha256")).returncode == 0
    assert verify(exported, key, claims=("--digest", "ac" * 32, "--digestAlg", "sha256")).returncode != 0


def test_cosign_refuses_a_changed_decision(verify: Verify, exported: bytes, tmp_path: Path) -> None:
    changed = json.loads(exported)
    payload = base64.b64decode(changed["dsseEnvelope"]["payload"])
    turned = payload.replace(b'"outcome":"allow"', b'"outcome":"deny"')
    assert turned != payload
    changed["dsseEnvelope"]["payload"] = base64.b64encode(turned).decode()
    said = verify(json.dumps(changed).encode(), tmp_path / "keys" / "signing.pub")
    assert said.returncode != 0
    assert "accepted signatures do not match threshold" in said.stderr


def test_cosign_refuses_another_key(verify: Verify, exported: bytes, tmp_path: Path) -> None:
    keys.create(tmp_path / "other.pem")
    assert verify(exported, tmp_path / "other.pub").returncode != 0


def test_cosign_refuses_another_kind_of_statement(verify: Verify, exported: bytes, tmp_path: Path) -> None:
    other = "https://mandate.dev/attestations/waiver/v1"
    assert verify(exported, tmp_path / "keys" / "signing.pub", kind=other).returncode != 0
