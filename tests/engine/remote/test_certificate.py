"""Who is known to a service by a client certificate."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from mandate.engine.evidence import keys
from tests.authority import Authority
from tests.organisation import GOOD, Organisation, Ran
from tests.service import CA, TLS, Serving, serving

AUTHORITY = Authority("authority")


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A service that knows callers by certificates of its authority."""
    folder = tmp_path_factory.mktemp("secured")
    AUTHORITY.issue(folder, "server")
    AUTHORITY.write(folder / CA)
    with serving(folder, tls=TLS) as running:
        yield running


@pytest.fixture
def pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secured: Serving) -> Organisation:
    """A machine with certificates, and without a token."""
    monkeypatch.delenv("MANDATE_TOKEN", raising=False)
    monkeypatch.setenv("MANDATE_SERVER", str(secured.client.base_url))
    AUTHORITY.write(tmp_path / "ca.pem")
    for name in ("decider", "approver", "metrics", "stranger"):
        AUTHORITY.issue(tmp_path, name)
    (tmp_path / "input.json").write_text(json.dumps(GOOD))
    return Organisation(tmp_path)


def asked(machine: Organisation, *arguments: str) -> Ran:
    return machine.mandate("check", "--input", "input.json", "--output", "json", *arguments)


def shown(name: str) -> tuple[str, ...]:
    return ("--ca", "ca.pem", "--certificate", f"{name}.crt", "--certificate-key", f"{name}.key")


def test_a_certificate_says_who_asks(
    secured: Serving, pipeline: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = asked(pipeline, *shown("decider"))
    assert (ran.exit_code, ran.json["request"]["requested_by"]) == (0, "decider"), ran.err
    folder = pipeline.folder
    both = "".join((folder / f"decider.{kind}").read_text() for kind in ("crt", "key"))
    (folder / "both.pem").write_text(both)
    monkeypatch.setenv("MANDATE_SERVER_CA", "ca.pem")
    monkeypatch.setenv("MANDATE_SERVER_CERTIFICATE", "both.pem")
    assert asked(pipeline).exit_code == 0
    monkeypatch.setenv("MANDATE_SERVER_CERTIFICATE", "decider.crt")
    monkeypatch.setenv("MANDATE_SERVER_CERTIFICATE_KEY", "decider.key")
    assert asked(pipeline).exit_code == 0
    monkeypatch.setenv("MANDATE_LEDGER_KEY", "ledger.pub")
    # Whoever has these variables can still use the settings of an organisation.
    assert len(secured.organisation.decisions()) == 3


def test_a_certificate_says_who_hands_in_what_people_sign(pipeline: Organisation) -> None:
    own = str(pipeline.folder / "own.pem")
    keyid = keys.create(Path(own)).public_key.keyid
    approve = ("approve", "models:/credit/2", "--role", "risk_officer", "--key", own, "--yes")
    for name, said in (
        ("approver", f"the key {keyid} is of nobody that the policies know"),
        ("decider", "this takes one of the roles approver, auditor"),
        ("stranger", "Nobody knows"),
    ):
        ran = pipeline.mandate(*approve, *shown(name))
        assert (name, ran.exit_code, said in " ".join(ran.err.split())) == (name, 2, True), ran.err


@pytest.mark.parametrize(
    ("name", "said"),
    [("stranger", "Nobody knows"), ("metrics", "this takes one of the roles decider")],
    ids=["stranger", "another role"],
)
def test_whoever_the_list_does_not_name_is_refused(pipeline: Organisation, name: str, said: str) -> None:
    ran = asked(pipeline, *shown(name))
    assert (ran.exit_code, said in ran.out or said in ran.err) == (2, True), ran.out + ran.err


def test_a_certificate_of_another_authority_is_no_connection(pipeline: Organisation) -> None:
    (pipeline.folder / "other").mkdir()
    certificate, key = Authority("authority").issue(pipeline.folder / "other", "decider")
    forged = ("--ca", "ca.pem", "--certificate", str(certificate), "--certificate-key", str(key))
    ran = asked(pipeline, *forged, "--timeout", "2")
    assert (ran.exit_code, "it cannot be asked" in ran.out) == (3, True), ran.out


def test_what_cannot_be_shown_is_said_before_anybody_is_asked(pipeline: Organisation) -> None:
    folder = pipeline.folder
    key = load_pem_private_key((folder / "decider.key").read_bytes(), None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    (folder / "locked.key").write_bytes(locked)
    (folder / "none.pem").write_text("nothing")
    certificate = ("--certificate", "decider.crt")
    for arguments, said in (
        ((*certificate, "--certificate-key", "locked.key"), "is under a passphrase"),
        ((*certificate, "--certificate-key", "stranger.key"), "cannot be used"),
        (certificate, "cannot be used"),
        (("--certificate", "none.pem"), "cannot be used"),
        (("--certificate-key", "decider.key"), "Name with --certificate whose key that is."),
        ((*shown("decider"), "--server", "http://localhost:1"), "is shown over https:// only"),
    ):
        ran = asked(pipeline, *arguments)
        assert (ran.exit_code, said in ran.err or said in ran.out) == (2, True), ran.out + ran.err
