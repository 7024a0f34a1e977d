from __future__ import annotations

import sys
import threading

import pytest

from mandate.engine.errors import BadConfiguration, NotRecorded
from mandate.engine.evidence import public_keys
from mandate.engine.evidence.signers import signer
from mandate.engine.evidence.signers.secrets import Secrets
from tests.signing_fixtures import Token


def with_pin(pin: str) -> Secrets:
    return Secrets(environment={"MANDATE_KEY_PIN": pin})


def test_a_token_signs(token: Token) -> None:
    found = signer(token.uri, public_key=token.public_key, secrets=with_pin(token.pin))
    assert found.public_key == public_keys.load(token.public_key)
    assert found.public_key.verifies(found.sign(b"data"), b"data")
    assert found.public_key.verifies(found.sign(b"more"), b"more")


def test_a_token_signs_for_one_thread_after_the_other(token: Token) -> None:
    found = signer(token.uri, public_key=token.public_key, secrets=with_pin(token.pin))
    signatures: list[bytes] = []
    threads = [threading.Thread(target=lambda: signatures.append(found.sign(b"data"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found.public_key.verifies(made, b"data") for made in signatures] == [True] * 8


def test_a_wrong_pin_is_tried_once(token: Token) -> None:
    found = signer(token.uri, public_key=token.public_key, secrets=with_pin("9999"))
    for _ in range(20):  # a token that counts would be locked
        with pytest.raises(BadConfiguration) as error:
            found.sign(b"data")
        assert str(error.value) == (
            "hsm:2?label=Mandate: the token refuses the PIN: PinIncorrect."
            " Correct MANDATE_KEY_PIN before the token is locked."
        )


def test_a_missing_pin_says_where_it_may_stand(token: Token) -> None:
    found = signer(token.uri, public_key=token.public_key, secrets=Secrets(environment={}))
    with pytest.raises(BadConfiguration) as error:
        found.sign(b"data")
    assert str(error.value) == (
        "there is no pin for the key hsm:2?label=Mandate."
        " Set MANDATE_KEY_PIN_FILE to a file with it, or run in a terminal."
    )


@pytest.mark.parametrize(
    ("uri", "what"),
    [
        ("hsm:2?label=Gone", "ValueError: No PKCS#11 token found for label Gone"),
        ("hsm:7?label=Mandate", "ValueError: could not find ECDSA private key on the PKCS#11 token"),
    ],
)
def test_a_token_or_a_key_that_is_gone_gives_no_signature(token: Token, uri: str, what: str) -> None:
    found = signer(uri, public_key=token.public_key, secrets=with_pin(token.pin))
    with pytest.raises(NotRecorded) as error:
        found.sign(b"data")
    assert str(error.value) == (
        f"{uri}: there is no signature: {what}. Look whether the token is there, or the service answers."
    )


def test_another_keys_public_key_is_found_out(token: Token) -> None:
    found = signer(token.uri, public_key=token.other_key, secrets=with_pin(token.pin))
    with pytest.raises(BadConfiguration, match="what it signs does not verify with the public key SHA256:"):
        found.sign(b"data")


def test_the_public_key_must_be_named(token: Token) -> None:
    with pytest.raises(BadConfiguration, match=r"Name its \.pub file: ledger"):
        signer(token.uri)


def test_a_uri_that_the_kind_does_not_take_is_refused(token: Token) -> None:
    with pytest.raises(BadConfiguration) as error:
        signer("hsm:two", public_key=token.public_key)
    assert error.value.where == "hsm:two"
    assert error.value.what.startswith(
        "the signing key cannot be used: ValueError: invalid literal for int()"
    )


def test_a_service_whose_package_is_missing_says_which(token: Token) -> None:
    for uri, package in {
        "hv:key/1": "securesystemslib[vault]",
        "azurekms:x": "securesystemslib[azurekms]",
    }.items():
        with pytest.raises(BadConfiguration) as error:
            signer(uri, public_key=token.public_key)
        assert str(error.value) == (
            f"{uri}: what this kind of signing key needs is not installed. Run `pip install '{package}'`."
        )


def test_without_securesystemslib_a_token_says_what_to_install(
    token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "securesystemslib.exceptions", None)
    with pytest.raises(BadConfiguration, match=r"Run `pip install 'mandate\[hsm\]'`"):
        signer(token.uri, public_key=token.public_key)
