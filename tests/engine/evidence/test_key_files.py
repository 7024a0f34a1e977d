from __future__ import annotations

from pathlib import Path

import pytest

from mandate.engine.errors import BadConfiguration
from mandate.engine.evidence import key_files, keys, public_keys


def unused() -> bytes:
    return pytest.fail("nobody needs a passphrase")


def test_the_successor_takes_the_place_of_a_key_with_its_public_key(tmp_path: Path) -> None:
    path = tmp_path / "signing.pem"
    old = keys.create(path)
    new = key_files.successor(path, None, unused)
    assert keys.load(path).public_key == old.public_key
    key_files.take_place(path)
    assert keys.load(path).public_key == new.public_key
    assert public_keys.load(tmp_path / "signing.pub") == new.public_key
    assert {file.name for file in tmp_path.iterdir()} == {"signing.pem", "signing.pub"}


def test_the_successor_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "signing.pem"
    first = key_files.successor(path, lambda: b"correct horse", unused)
    again = key_files.successor(path, unused, lambda: b"correct horse")
    assert again.public_key == first.public_key
    assert keys.is_locked(tmp_path / "signing.next.pem")


def test_a_successor_that_cannot_be_moved_is_named(tmp_path: Path) -> None:
    path = tmp_path / "signing.pem"
    keys.create(path)
    with pytest.raises(BadConfiguration) as error:
        key_files.take_place(path)
    assert str(error.value) == (
        f"{path}: the new key cannot be put in its place: No such file or directory."
        " Move signing.next.pem there, and its .pub file too."
    )


def test_a_public_key_is_kept_once_under_a_name_of_its_own(tmp_path: Path) -> None:
    first, second = (keys.create(tmp_path / name).public_key for name in ("a.pem", "b.pem"))
    folder = tmp_path / "keys"
    files = [key_files.keep_public(folder, key) for key in (first, second, first)]
    assert files[0] == files[2] != files[1]
    assert public_keys.load_folder(folder) == public_keys.keyring(first, second)


def test_a_public_key_is_never_kept_over_another(tmp_path: Path) -> None:
    first, second = (keys.create(tmp_path / name).public_key for name in ("a.pem", "b.pem"))
    file = key_files.keep_public(tmp_path, first)
    file.write_bytes(second.pem)
    with pytest.raises(BadConfiguration, match="this is not the public key"):
        key_files.keep_public(tmp_path, first)


def test_a_public_key_that_cannot_be_kept_is_named(tmp_path: Path) -> None:
    key = keys.create(tmp_path / "a.pem").public_key
    (tmp_path / "keys").write_text("a file")
    with pytest.raises(BadConfiguration, match="the public key cannot be kept: File exists"):
        key_files.keep_public(tmp_path / "keys", key)


def test_a_file_that_is_no_key_has_no_passphrase(tmp_path: Path) -> None:
    path = tmp_path / "signing.pem"
    path.touch(mode=0o600)
    assert not keys.is_locked(path)
