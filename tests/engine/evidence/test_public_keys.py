from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

from mandate.engine.errors import BadConfiguration
from mandate.engine.evidence import keys, public_keys
from mandate.engine.evidence.keys import SigningKey
from mandate.engine.evidence.public_keys import PublicKey


def test_ed25519_verifies_only_its_own_signature(signer: SigningKey, tmp_path: Path) -> None:
    other = keys.create(tmp_path / "other.pem")
    signature = signer.sign(b"data")
    assert signer.public_key.verifies(signature, b"data")
    assert not signer.public_key.verifies(signature, b"date")
    assert not signer.public_key.verifies(b"", b"data")
    assert not other.public_key.verifies(signature, b"data")


def test_p256_verifies_only_its_own_signature(tmp_path: Path) -> None:
    private = generate_private_key(SECP256R1())
    (tmp_path / "kms.pub").write_bytes(PublicKey.of(private.public_key()).pem)
    public = public_keys.load(tmp_path / "kms.pub")
    signature = private.sign(b"data", ECDSA(SHA256()))
    assert public.verifies(signature, b"data")
    assert not public.verifies(signature, b"date")
    assert not public.verifies(b"\x00" * 64, b"data")


def test_folder_gives_all_its_public_keys(tmp_path: Path) -> None:
    first, second = keys.create(tmp_path / "2025.pem"), keys.create(tmp_path / "2026.pem")
    assert public_keys.load_folder(tmp_path) == {
        first.keyid: first.public_key,
        second.keyid: second.public_key,
    }


def test_folder_without_a_key_verifies_nothing(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match="no signature can be verified"):
        public_keys.load_folder(tmp_path)


def test_private_key_is_no_public_key(tmp_path: Path) -> None:
    keys.create(tmp_path / "signing.pem")
    with pytest.raises(BadConfiguration, match="no public key in PEM"):
        public_keys.load(tmp_path / "signing.pem")


def test_missing_public_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration) as error:
        public_keys.load(tmp_path / "gone.pub")
    assert error.value.where == str(tmp_path / "gone.pub")
