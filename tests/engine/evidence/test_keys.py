from __future__ import annotations

import base64
import os
import stat
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from mandate.engine.errors import BadConfiguration
from mandate.engine.evidence import keys, public_keys
from mandate.engine.evidence.keys import SigningKey


def private_pem(
    key: Ed25519PrivateKey | EllipticCurvePrivateKey | X25519PrivateKey, password: bytes = b""
) -> bytes:
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def test_new_key_is_private_and_has_its_public_key_beside_it(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        key = keys.create(tmp_path / "keys" / "signing.pem")
    finally:
        os.umask(umask)
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "keys" / "signing.pem").stat().st_mode) == 0o600
    assert public_keys.load(tmp_path / "keys" / "signing.pub") == key.public_key
    assert keys.load(tmp_path / "keys" / "signing.pem").public_key == key.public_key


def test_keyid_is_what_ssh_keygen_says(tmp_path: Path, signer: SigningKey) -> None:
    line = tmp_path / "line.pub"
    line.write_bytes(signer.public_key.key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH))
    said = subprocess.run(["ssh-keygen", "-lf", line], capture_output=True, text=True, check=True).stdout
    assert said.split()[1] == signer.keyid


def test_keyid_of_p256_is_what_ssh_keygen_says(tmp_path: Path) -> None:
    public = public_keys.PublicKey.of(generate_private_key(SECP256R1()).public_key())
    line = tmp_path / "line.pub"
    line.write_bytes(public.key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH))
    said = subprocess.run(["ssh-keygen", "-lf", line], capture_output=True, text=True, check=True).stdout
    assert said.split()[1] == public.keyid


def test_openssl_reads_both_files(tmp_path: Path) -> None:
    keys.create(tmp_path / "signing.pem")
    derived = subprocess.run(
        ["openssl", "pkey", "-in", tmp_path / "signing.pem", "-pubout"], capture_output=True, check=True
    ).stdout
    assert derived == (tmp_path / "signing.pub").read_bytes()


@pytest.mark.parametrize("name", ["signing.pem", "signing.pub"])
def test_nothing_is_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(BadConfiguration) as error:
        keys.create(tmp_path / "signing.pem")
    assert error.value.what == "the signing key cannot be created: File exists"
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {name: "mine"}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_key_that_others_can_use_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "signing.pem"
    keys.create(path)
    path.chmod(mode)
    with pytest.raises(BadConfiguration) as error:
        keys.load(path)
    assert str(error.value) == (
        f"{path}: others than its owner can use the signing key (mode {mode:04o})."
        " Run `chmod 600` on it, and replace the key if somebody may have read it."
    )


def test_key_behind_a_link_is_judged_by_its_own_mode(tmp_path: Path) -> None:
    key = keys.create(tmp_path / "signing.pem")
    (tmp_path / "link.pem").symlink_to(tmp_path / "signing.pem")
    assert keys.load(tmp_path / "link.pem").keyid == key.keyid


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "this is no private key, neither in PEM nor as OpenSSH writes it"),
        (
            b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            "this is no private key, neither",
        ),
        (b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n", "this is no private key, neither"),
        (
            private_pem(Ed25519PrivateKey.generate(), b"secret"),
            "the signing key has a passphrase, which cannot",
        ),
        (
            private_pem(generate_private_key(SECP384R1())),
            "the signing key is neither an Ed25519 nor an ECDSA",
        ),
        (private_pem(X25519PrivateKey.generate()), "the signing key is neither an Ed25519 nor an ECDSA"),
    ],
)
def test_what_is_no_usable_key_is_refused(tmp_path: Path, content: bytes, what: str) -> None:
    path = tmp_path / "signing.pem"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(BadConfiguration) as error:
        keys.load(path)
    assert error.value.what.startswith(what)


def test_key_with_a_passphrase_opens_with_it_and_with_no_other(tmp_path: Path) -> None:
    path = tmp_path / "signing.pem"
    key = keys.create(path, b"correct horse")
    assert path.stat().st_mode & 0o777 == 0o600
    assert keys.load(path, lambda: b"correct horse").public_key == key.public_key
    with pytest.raises(BadConfiguration) as error:
        keys.load(path, lambda: b"battery staple")
    assert str(error.value) == (
        f"{path}: the passphrase does not open the signing key, or the file is damaged."
        " Give the passphrase that the key was made with."
    )


def test_key_with_a_passphrase_is_one_that_openssh_opens(tmp_path: Path) -> None:
    key = keys.create(tmp_path / "signing.pem", b"correct horse")
    derived = subprocess.run(
        ["ssh-keygen", "-y", "-P", "correct horse", "-f", tmp_path / "signing.pem"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert derived.strip() == key.public_key.ssh
    shown = (tmp_path / "signing.pem").read_text()
    assert b"bcrypt" in base64.b64decode("".join(shown.splitlines()[1:-1]))


def test_passphrase_is_asked_only_of_a_key_that_has_one(tmp_path: Path) -> None:
    key = keys.create(tmp_path / "signing.pem")
    assert keys.load(tmp_path / "signing.pem", pytest.fail).keyid == key.keyid


@pytest.mark.parametrize("passphrase", [b"", b"secret"])
@pytest.mark.parametrize("format_", [PrivateFormat.PKCS8, PrivateFormat.OpenSSH])
@pytest.mark.parametrize(
    "private", [Ed25519PrivateKey.generate(), generate_private_key(SECP256R1())], ids=["Ed25519", "P-256"]
)
def test_every_form_of_key_file_signs(
    tmp_path: Path,
    private: Ed25519PrivateKey | EllipticCurvePrivateKey,
    format_: PrivateFormat,
    passphrase: bytes,
) -> None:
    encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    path = tmp_path / "key"
    path.touch(mode=0o600)
    path.write_bytes(private.private_bytes(Encoding.PEM, format_, encryption))
    key = keys.load(path, lambda: passphrase)
    assert key.public_key.key == private.public_key()
    assert key.public_key.verifies(key.sign(b"data"), b"data")


def test_missing_key_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match="`mandate key new` makes one"):
        keys.load(tmp_path / "signing.pem")


def test_signing_key_never_shows_itself(signer: SigningKey) -> None:
    private = signer._private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    shown = f"{signer!r} {signer}"
    assert private.hex() not in shown
    assert "Ed25519PrivateKey" not in shown


def test_p384_is_no_key_of_ours() -> None:
    with pytest.raises(ValueError, match="neither"):
        public_keys.PublicKey.of(generate_private_key(SECP384R1()).public_key())


@pytest.mark.usefixtures("no_room")
def test_key_that_finds_no_room_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match="the signing key cannot be created: File too large"):
        keys.create(tmp_path / "signing.pem")
    assert list(tmp_path.iterdir()) == []
