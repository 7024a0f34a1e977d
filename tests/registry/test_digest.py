from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mandate.engine.errors import BadInput
from mandate.engine.input.registered import Artifact, ArtifactFile
from mandate.registry.digest import artifact

FILES = {"MLmodel": b"a", "a/b": b"b", "a.txt": b"c", "a/.hidden": b"d", "Z/.gitkeep": b"", ".env": b"e"}


def written(folder: Path, files: dict[str, bytes]) -> Path:
    for path, content in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return folder


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_every_file_is_listed_and_digested(tmp_path: Path) -> None:
    folder = written(tmp_path, {"b": b"two", "a/c": b"one"})
    one, two = sha256(b"one"), sha256(b"two")
    assert artifact(folder, where="x") == Artifact(
        sha256=sha256(bytes.fromhex(one + two)),
        files=(
            ArtifactFile(path="a/c", sha256=one, size=3),
            ArtifactFile(path="b", sha256=two, size=3),
        ),
    )


def test_the_root_digest_is_what_the_signing_library_signs(tmp_path: Path) -> None:
    """The library's own command signs the folder; its statement's subject must have our digest."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    folder = written(tmp_path / "model", FILES)
    key = tmp_path / "key.pem"
    key.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    signature = tmp_path / "model.sig"
    command = ["sign", "key", str(folder), "--private_key", str(key), "--signature", str(signature)]
    subprocess.run([sys.executable, "-m", "model_signing", *command], check=True, capture_output=True)
    envelope = json.loads(signature.read_text())["dsseEnvelope"]
    statement = json.loads(base64.b64decode(envelope["payload"]))
    ours = artifact(folder, where="x")
    assert statement["subject"][0]["digest"] == {"sha256": ours.sha256}
    resources = statement["predicate"]["resources"]
    assert [(one["name"], one["digest"]) for one in resources] == [
        (one.path, one.sha256) for one in ours.files
    ]


def test_nothing_is_ignored(tmp_path: Path) -> None:
    before = artifact(written(tmp_path, FILES), where="x")
    for name in (".gitignore", ".gitattributes", ".git/hooks/pre-commit", ".github/a", "model.sig"):
        after = artifact(written(tmp_path, {name: b""}), where="x")
        assert after.sha256 != before.sha256
        assert name in {file.path for file in after.files}
        before = after


@settings(max_examples=30)
@given(
    st.dictionaries(
        st.text("ab.-/", min_size=1, max_size=5).filter(
            lambda path: all(p.strip(".") for p in path.split("/"))
        ),
        st.binary(max_size=3),
        min_size=1,
        max_size=4,
    ),
    st.data(),
)
def test_changing_any_file_changes_the_digest(files: dict[str, bytes], data: st.DataObject) -> None:
    import tempfile

    files = {
        path: content for path, content in files.items() if not any(o.startswith(f"{path}/") for o in files)
    }
    changed = data.draw(st.sampled_from(sorted(files)))
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        before = artifact(written(Path(one), files), where="x").sha256
        after = artifact(written(Path(other), files | {changed: files[changed] + b"!"}), where="x").sha256
    assert before != after


def test_a_link_is_refused(tmp_path: Path) -> None:
    folder = written(tmp_path / "model", FILES)
    for target in ("/etc/hostname", "MLmodel", "nowhere", str(tmp_path)):
        link = folder / "link"
        link.symlink_to(target)
        with pytest.raises(BadInput, match="'link' is a link"):
            artifact(folder, where="x")
        link.unlink()


def test_a_special_file_is_refused(tmp_path: Path) -> None:
    folder = written(tmp_path / "model", FILES)
    os.mkfifo(folder / "pipe")
    with pytest.raises(BadInput, match="special file"):
        artifact(folder, where="x")


@pytest.mark.parametrize("name", [b"a\nb", b"\xff\xfe", b"\x1b[31m"])
def test_a_name_that_is_not_plain_text_is_refused_and_shown_escaped(tmp_path: Path, name: bytes) -> None:
    (tmp_path / os.fsdecode(name)).write_bytes(b"")
    with pytest.raises(BadInput) as raised:
        artifact(tmp_path, where="x")
    assert str(raised.value).isascii()
    assert str(raised.value).isprintable()


def test_an_empty_folder_has_no_digest(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="it has no files"):
        artifact(tmp_path, where="x")
