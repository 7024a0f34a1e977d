from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mandate.engine.errors import BadInput
from mandate.engine.evidence import envelope as dsse
from mandate.engine.evidence import proof_file
from mandate.engine.evidence.proof_file import ProofFile

from .entries import INDEX, Log, sealed, statement
from .signers import KEY, LEDGER, NEXT_LEDGER

LOG = Log()
FILE = LOG.file()


def changed(**fields: Any) -> bytes:
    document = {**json.loads(FILE), **fields}
    return json.dumps({name: value for name, value in document.items() if value is not None}).encode()


def test_what_is_written_is_read_back() -> None:
    envelope = dsse.parse(LOG.envelopes[INDEX])
    assert proof_file.parse(FILE) == ProofFile(envelope, LOG.proof(), KEY)
    assert proof_file.parse(FILE).leaf == LOG.entry(INDEX)


def test_it_has_what_common_tools_read() -> None:
    document = json.loads(FILE)
    assert list(document) == ["mediaType", "bundle", "tlogProof", "vkey"]
    assert document["mediaType"] == "application/vnd.mandate.proof.v1+json"
    assert document["tlogProof"].encode() == LOG.proof().to_bytes()
    assert document["vkey"] == KEY.vkey
    # The leaf is the digest of what `jq -cjS .bundle.dsseEnvelope` prints.
    stored = json.dumps(document["bundle"]["dsseEnvelope"], separators=(",", ":"), sort_keys=True).encode()
    assert hashlib.sha256(stored).digest() == LOG.entry(INDEX)


def test_cosign_and_others_accept_what_is_cut_out_of_it(
    cosign: Path, verify_log: Path, tmp_path: Path
) -> None:
    document = json.loads(FILE)
    (tmp_path / "key.pub").write_bytes(LEDGER.public_key.pem)
    (tmp_path / "bundle.json").write_text(json.dumps(document["bundle"]))
    (tmp_path / "entry").write_bytes(LOG.envelopes[INDEX])
    (tmp_path / "entry.tlog-proof").write_text(document["tlogProof"])
    cosigned = [str(cosign), "verify-blob-attestation", "--key", "key.pub", "--bundle", "bundle.json"]
    about = ["--type", "https://mandate.dev/attestations/decision/v1", "--digest", "ab" * 32]
    offline = ["--digestAlg", "sha256", "--insecure-ignore-tlog"]
    included = [str(verify_log), "inclusion", KEY.vkey, "entry", "entry.tlog-proof"]
    for command in ([*cosigned, *about, *offline], included):
        environment = {"HOME": str(tmp_path), "HTTPS_PROXY": "http://127.0.0.1:9", "PATH": os.environ["PATH"]}
        ran = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stderr


def test_an_envelope_that_a_bundle_cannot_carry_is_not_written() -> None:
    one, other = (dsse.seal(b"{}", signer) for signer in (LEDGER, NEXT_LEDGER))
    both = dsse.Envelope(one.payload, one.signatures + other.signatures).to_bytes()
    for envelope in (both, LOG.envelopes[INDEX] + b"\n"):
        with pytest.raises(BadInput, match="the envelope cannot be exported"):
            proof_file.make(envelope, LOG.proof(), KEY)
    with pytest.raises(BadInput, match="the envelope is not JSON"):
        proof_file.make(b"", LOG.proof(), KEY)


BUNDLE = json.loads(FILE)["bundle"]
OTHER = json.loads(Log(sealed(statement(), NEXT_LEDGER)).file())["bundle"]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "this is no proof file: Expecting value"),
        (b"[]", "its mediaType is not"),
        (FILE[:-4], "this is no proof file"),
        (FILE * 2, "this is no proof file: Extra data"),
        (FILE.replace(b"proof.v1", b"proof.v2"), "its mediaType is not"),
        (FILE.replace(b'"vkey"', b'"vkey": "", "vkey"'), "the key 'vkey' stands twice"),
        (changed(extra=1), "exactly the fields bundle, mediaType, tlogProof, vkey"),
        (changed(vkey=None), "exactly the fields"),
        (changed(vkey=1), "are not text"),
        (changed(tlogProof=[]), "are not text"),
        (changed(vkey="k"), "this is no verifier key"),
        (changed(tlogProof=""), "no empty line above its head"),
        (changed(tlogProof="é\n\n"), "not ASCII"),
        (changed(bundle=[]), "the bundle has no envelope"),
        (changed(bundle={}), "the bundle has no envelope"),
        (changed(bundle={"dsseEnvelope": {}}), "exactly the fields payload"),
        (changed(bundle={**BUNDLE, "mediaType": "other"}), "as Mandate writes it"),
        (changed(bundle={**BUNDLE, "more": 1}), "as Mandate writes it"),
        (
            changed(bundle={**BUNDLE, "verificationMaterial": OTHER["verificationMaterial"]}),
            "as Mandate writes",
        ),
        (b" " * proof_file.MAX_BYTES + FILE, "the proof file is longer than"),
    ],
)
def test_what_is_no_proof_file_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        proof_file.parse(data)


def test_a_bundle_of_two_signatures_is_refused() -> None:
    signatures = BUNDLE["dsseEnvelope"]["signatures"] + OTHER["dsseEnvelope"]["signatures"]
    envelope = {**BUNDLE["dsseEnvelope"], "signatures": signatures}
    with pytest.raises(BadInput, match="as Mandate writes it"):
        proof_file.parse(changed(bundle={**BUNDLE, "dsseEnvelope": envelope}))
