from __future__ import annotations

import os
import pty
import sys
from pathlib import Path

import pytest

from mandate.engine.configuration import LedgerSettings, Settings, load
from mandate.engine.errors import BadConfiguration
from mandate.engine.evidence import keys
from mandate.engine.evidence.signers import file_of, signer
from mandate.engine.evidence.signers.secrets import PERSON, VARIABLES, Secrets


def test_a_path_is_below_the_root_with_and_without_a_scheme(tmp_path: Path) -> None:
    key = keys.create(tmp_path / "keys" / "signing.pem")
    for uri in ("keys/signing.pem", "file:keys/signing.pem", f"{tmp_path}/keys/signing.pem"):
        assert file_of(uri, tmp_path) == tmp_path / "keys/signing.pem"
        assert signer(uri, root=tmp_path).public_key == key.public_key
    assert file_of("ssh-agent:", tmp_path) is None


def test_an_unknown_kind_is_never_taken_for_a_file(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration) as error:
        signer("ssh-agnet:SHA256:x", root=tmp_path)
    assert str(error.value) == (
        "ssh-agnet:SHA256:x: there is no kind of signing key 'ssh-agnet'."
        " Write ssh-agent; for a file, write its path as ./…."
    )


@pytest.fixture
def locked(tmp_path: Path) -> Path:
    """A key with a passphrase."""
    keys.create(tmp_path / "signing.pem", b"correct horse")
    return tmp_path / "signing.pem"


def secret_file(path: Path, content: bytes, mode: int = 0o600) -> str:
    path.write_bytes(content)
    path.chmod(mode)
    return str(path)


def test_the_passphrase_comes_from_the_environment(locked: Path) -> None:
    signer(str(locked), secrets=Secrets(environment={"MANDATE_KEY_PASSPHRASE": "correct horse"}))
    signer(str(locked), secrets=Secrets(PERSON, {"MANDATE_PERSON_KEY_PASSPHRASE": "correct horse"}))


@pytest.mark.parametrize("content", [b"correct horse", b"correct horse\n"])
def test_the_passphrase_comes_from_a_file(locked: Path, tmp_path: Path, content: bytes) -> None:
    file = secret_file(tmp_path / "passphrase", content)
    signer(str(locked), secrets=Secrets(environment={"MANDATE_KEY_PASSPHRASE_FILE": file}))


def test_a_passphrase_that_is_wrong_or_missing_is_said(locked: Path, tmp_path: Path) -> None:
    lost = str(tmp_path / "lost")
    for environment, what in (
        ({}, f"there is no passphrase for the key {locked}"),
        ({"MANDATE_KEY_PASSPHRASE": ""}, f"there is no passphrase for the key {locked}"),
        ({"MANDATE_PERSON_KEY_PASSPHRASE": "correct horse"}, f"there is no passphrase for the key {locked}"),
        (
            {"MANDATE_KEY_PASSPHRASE": "wrong"},
            "the passphrase does not open the signing key, or the file is damaged",
        ),
        (
            {"MANDATE_KEY_PASSPHRASE": "a", "MANDATE_KEY_PASSPHRASE_FILE": "b"},
            "MANDATE_KEY_PASSPHRASE and MANDATE_KEY_PASSPHRASE_FILE are both set",
        ),
        (
            {"MANDATE_KEY_PASSPHRASE_FILE": lost},
            "the file that MANDATE_KEY_PASSPHRASE_FILE names cannot be read: No such file or directory",
        ),
        (
            {"MANDATE_KEY_PASSPHRASE_FILE": secret_file(tmp_path / "binary", b"\xff")},
            "the file that MANDATE_KEY_PASSPHRASE_FILE names cannot be read: it is not text",
        ),
        (
            {"MANDATE_KEY_PASSPHRASE_FILE": secret_file(tmp_path / "open", b"correct horse", 0o644)},
            "others than its owner can read the secret (mode 0644)",
        ),
    ):
        with pytest.raises(BadConfiguration) as error:
            signer(str(locked), secrets=Secrets(environment=environment))
        assert error.value.what == what
        assert error.value.next_step


def test_no_variable_with_a_secret_is_taken_for_a_setting(tmp_path: Path) -> None:
    (tmp_path / "mandate.yaml").write_text("ledger: {name: bank.example/models}")
    environment = dict.fromkeys((*VARIABLES, "MANDATE_PERSON_KEY"), "x")
    assert load(tmp_path / "mandate.yaml", environment=environment).settings == Settings(
        ledger=LedgerSettings(name="bank.example/models")
    )


def test_variables_are_named_in_one_place() -> None:
    assert sorted(VARIABLES) == [
        "MANDATE_HEAD_KEY_PASSPHRASE",
        "MANDATE_HEAD_KEY_PASSPHRASE_FILE",
        "MANDATE_HEAD_KEY_PIN",
        "MANDATE_HEAD_KEY_PIN_FILE",
        "MANDATE_KEY_PASSPHRASE",
        "MANDATE_KEY_PASSPHRASE_FILE",
        "MANDATE_KEY_PIN",
        "MANDATE_KEY_PIN_FILE",
        "MANDATE_PERSON_KEY_PASSPHRASE",
        "MANDATE_PERSON_KEY_PASSPHRASE_FILE",
        "MANDATE_PERSON_KEY_PIN",
        "MANDATE_PERSON_KEY_PIN_FILE",
    ]


def at_a_terminal(code: str, *typed: str) -> tuple[int, str]:
    """Run Python code at a terminal of its own, where somebody answers; its status, and what it said."""
    process, terminal = pty.fork()
    if not process:  # pragma: no cover
        os.execv(sys.executable, [sys.executable, "-c", code])  # noqa: S606
    said = ""
    answers = [*typed]
    while True:
        try:
            read = os.read(terminal, 1024).decode()
        except OSError:  # it ended
            break
        said += read
        if read.rstrip().endswith(":") and answers:
            os.write(terminal, answers.pop(0).encode() + b"\n")
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), said


def test_whoever_sits_at_the_terminal_is_asked_and_the_passphrase_is_not_shown(locked: Path) -> None:
    code = (
        "from mandate.engine.evidence.signers import signer\n"
        "from mandate.engine.evidence.signers.secrets import Secrets\n"
        f"print(signer({str(locked)!r}, secrets=Secrets(environment={{}})).public_key.keyid)\n"
    )
    status, said = at_a_terminal(code, "correct horse")
    assert (status, said.splitlines()) == (
        0,
        [f"The passphrase of the key {locked}: ", keys.load(locked, lambda: b"correct horse").keyid],
    )


@pytest.mark.parametrize(
    ("second", "printed"),
    [
        ("correct horse", "b'correct horse'"),
        ("corect horse", "the two passphrases are not the same. Try again."),
    ],
)
def test_a_new_passphrase_is_typed_twice(second: str, printed: str) -> None:
    code = (
        "from mandate.engine.errors import BadConfiguration\n"
        "from mandate.engine.evidence.signers.secrets import Secrets\n"
        "try: print(Secrets(environment={}).new_passphrase('the key'))\n"
        "except BadConfiguration as error: print(error)\n"
    )
    status, said = at_a_terminal(code, "correct horse", second)
    assert (status, said.splitlines()) == (
        0,
        ["The passphrase of the key: ", "The same passphrase of the key again: ", printed],
    )


def test_a_new_passphrase_that_is_given_is_not_asked_twice() -> None:
    given = Secrets(environment={"MANDATE_KEY_PASSPHRASE": "correct horse"})
    assert given.new_passphrase("the key") == b"correct horse"
