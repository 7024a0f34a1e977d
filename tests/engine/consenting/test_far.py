"""People who sign on machines of their own, without a ledger: by what a service shows, or by a file."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from mandate import composition
from mandate.engine.evidence import keys
from mandate.engine.service.access.roles import Role
from tests.engine.http.peers import Peer, read_request, response
from tests.organisation import Organisation, Ran
from tests.service import TOKENS, Serving
from tests.signatories import Signatory, employ

from .conftest import SUBJECT, Bank
from .test_over_http import hand_in, open_bank

pytestmark = pytest.mark.xdist_group("mlflow")

RULE = "fairness.demographic_parity"
JSON = ("--output", "json")


@dataclass(frozen=True)
class Far:
    """The bank's service, and a machine that has an address, a token, and nothing else."""

    bank: Bank
    service: Serving
    machine: Organisation

    @property
    def url(self) -> str:
        return str(self.service.client.base_url)

    @property
    def ledger_key(self) -> str:
        """The file with the ledger's public key, as its operator gives it away."""
        (file,) = (self.bank.folder / ".mandate").rglob("*.pub")
        return str(file)

    def signs(self, who: Signatory, *arguments: str) -> Ran:
        return who.signs(self.machine, *arguments)

    def approve(self, who: Signatory, role: str, *arguments: str) -> Ran:
        return self.signs(who, "approve", SUBJECT, "--role", role, *arguments)


@pytest.fixture
def far(bank: Bank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Far]:
    monkeypatch.setenv("MANDATE_TOKEN", TOKENS[Role.APPROVER][0])
    machine = Organisation(tmp_path / "machine")
    machine.folder.mkdir()
    with open_bank(bank) as service:
        monkeypatch.setenv("MANDATE_SERVER", str(service.client.base_url))
        yield Far(bank, service, machine)


@contextmanager
def here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Beside the ledger, as whoever keeps it."""
    with monkeypatch.context() as without:
        without.delenv("MANDATE_SERVER")
        yield


def until(days: int = 9) -> tuple[str, ...]:
    return ("--until", f"{composition.now() + timedelta(days=days):%Y-%m-%d}")


def test_what_people_sign_far_away_counts_as_if_they_had_signed_beside_the_ledger(
    far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    with here(monkeypatch):
        denied = far.bank.check()
    verified = ("--ledger-key", far.ledger_key)
    shown = far.approve(far.bank.mira, "model_owner", *verified, "--reference", "MODEL-1")
    assert shown.exit_code == 0, shown.err
    assert RULE in shown.out
    assert f"signed by  mira@bank.example, {far.bank.mira.keyid}" in shown.out
    keyid = keys.load(next((far.bank.folder / ".mandate").rglob("*.pem"))).public_key.keyid
    assert f"verified   {keyid} signed the head above it" in shown.out
    assert "ledger     bank.example/models" in shown.out
    assert "✓ mira@bank.example approved models:/credit/1 as model_owner" in shown.out
    assert max(map(len, shown.out.splitlines())) <= 100
    digest = ("--digest", denied["subject"]["sha256"])
    told = far.approve(far.bank.tomas, "risk_officer", *JSON, *digest, *verified)
    assert told.exit_code == 0, told.err
    with here(monkeypatch):
        assert far.bank.check()["outcome"] == "allow"
        assert far.bank.organisation.mandate("ledger", "verify").exit_code == 0
    mira, tomas = (entry["predicate"] for entry in far.bank.entries("approval"))
    assert (mira["shown"]["decision"], mira["reference"]) == (denied["id"], "MODEL-1")
    assert told.json == {
        "approver": "tomas@bank.example",
        "role": "risk_officer",
        "subject": SUBJECT,
        "sha256": denied["subject"]["sha256"],
        "decision": denied["id"],
        "verified_by": [keyid],
        "ledger": {
            "id": tomas["id"],
            "index": told.json["ledger"]["index"],
            "recorded_at": tomas["recordedAt"],
            "leaf": told.json["ledger"]["leaf"],
            "keyid": far.bank.tomas.keyid,
            "origin": "bank.example/models",
        },
    }
    assert far.bank.organisation.entries()[told.json["ledger"]["index"]]["id"] == tomas["id"]


def test_a_waiver_and_what_takes_it_back_are_signed_far_away(
    far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    far.bank.predict(unfair=5)
    with here(monkeypatch):
        assert f"{RULE}:sex" in far.bank.denials(far.bank.check())
    why = ("--reason", "Few women applied", "--reference", "RISK-7")
    waived = far.signs(far.bank.tomas, "waive", RULE, SUBJECT, *until(), *why)
    assert (waived.exit_code, "✓ tomas@bank.example waived" in waived.out) == (0, True), waived.err
    assert "nothing says whose ledger it is from: name the ledger's public key with" in waived.out
    with here(monkeypatch):
        assert f"{RULE}:sex" not in far.bank.denials(far.bank.check())
    (given,) = far.bank.entries("waiver")
    revoke = ("revoke", given["predicate"]["id"][:13], "--reason", "They did apply")
    ended = far.signs(far.bank.tomas, *revoke, "--ledger-key", far.ledger_key)
    assert ended.exit_code == 0, ended.err
    assert f"of         tomas@bank.example, of {RULE}" in ended.out
    assert f"policies   {given['predicate']['policy']['revision']}" in ended.out
    assert f"revoked the waiver {given['predicate']['id']}" in ended.out
    with here(monkeypatch):
        assert f"{RULE}:sex" in far.bank.denials(far.bank.check())
    again = far.signs(far.bank.tomas, *revoke)
    assert (again.exit_code, "revoked it already" in again.err) == (2, True)
    nothing = far.signs(far.bank.tomas, "revoke", "0", "--reason", "x")
    assert (nothing.exit_code, "no approval, no waiver and no allow" in nothing.err) == (2, True)


def test_what_is_signed_in_a_file_counts_when_it_is_handed_in_and_once(
    far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The person has a file that proves the decision, and no network."""
    with here(monkeypatch):
        decision = far.bank.check()["id"]
        proof = far.bank.organisation.mandate("ledger", "prove", decision, "--out", "decision.proof.json")
        assert proof.exit_code == 0, proof.err
        proven = str(far.bank.folder / "decision.proof.json")
        offline = ("--decision", proven, "--as", "mira@bank.example", "--out", "mira.json")
        signed = far.approve(far.bank.mira, "model_owner", *offline, "--ledger-key", far.ledger_key)
        assert signed.exit_code == 0, signed.err
        assert "signed in mira.json; it counts once it is handed in" in signed.out
        nameless = far.approve(far.bank.mira, "model_owner", "--decision", proven, "--out", "no.json")
        assert (nameless.exit_code, "Say with --as who you are" in nameless.err) == (2, True)
        for lacking, said in (
            ((), "Name with --decision the file"),
            (("--decision", decision), "Say with --server where that decision is"),
        ):
            unknown = far.approve(far.bank.mira, "model_owner", *lacking, *offline[2:])
            assert (unknown.exit_code, said in unknown.err) == (2, True)
        entry = far.signs(far.bank.mira, "revoke", "3", "--reason", "x", *offline[2:])
        assert (entry.exit_code, "Say with --server where the entry is" in entry.err) == (2, True)
    waiver = ("waive", RULE, SUBJECT, *until(), "--reason", "x", "--reference", "y")
    written = far.signs(far.bank.tomas, *waiver, "--out", "waiver.json", *JSON)
    assert (written.exit_code, written.json["envelope"]) == (0, "waiver.json")
    assert far.bank.entries("approval", "waiver") == []
    for file, route in (("mira.json", "approvals"), ("waiver.json", "waivers")):
        envelope = json.loads((far.machine.folder / file).read_text())
        first, second = (hand_in(far.service, envelope, route) for _ in range(2))
        assert (first.status_code, second.json()) == (201, first.json())
    assert len(far.bank.entries("approval", "waiver")) == 2


def test_who_cannot_sign_hears_why_and_what_to_do(far: Far, monkeypatch: pytest.MonkeyPatch) -> None:
    with here(monkeypatch):
        decision = far.bank.check()
        other = far.bank.organisation.mandate("check", "models:/credit/2", *JSON).json["id"]
    before = len(far.bank.organisation.entries())
    (far.machine.folder / "mandate.yaml").touch()
    mira = far.bank.mira
    refused: list[tuple[Ran, str]] = [
        (far.approve(far.bank.eve, "model_owner"), f"the key {far.bank.eve.keyid} is of nobody"),
        (far.approve(mira, "risk_officer"), "mira@bank.example does not have the role 'risk_officer'"),
        (far.approve(mira, "model_owner", "--as", "tomas@bank.example"), "as that of mira@bank.example"),
        (far.approve(mira, "model_owner", "--digest", "0" * 64), "this decision is about"),
        (far.approve(mira, "model_owner", "--digest", "sha256:0"), "64 hexadecimal digits"),
        (far.approve(mira, "model_owner", "--decision", other), "is about models:/credit/2 as it was"),
        (far.approve(mira, "model_owner", "--decision", "0000000000"), "there is no decision"),
        (far.approve(mira, "model_owner", "--decision", "0"), "this entry is no decision"),
        (far.approve(mira, "model_owner", "--action", "monitor"), "there is no decision on models:/credit/1"),
        (
            far.approve(mira, "model_owner", "--decision", decision["id"], "--environment", "staging"),
            "this decision is on the environment production, and not staging",
        ),
        (far.approve(mira, "model_owner", "--config", "mandate.yaml"), "leave out --config"),
        (
            far.signs(mira, "approve", "models:/credit@champion", "--role", "model_owner"),
            "Name it as models:/credit/3",
        ),
        (
            far.signs(mira, "waive", RULE, SUBJECT, *until(), "--reason", "x", "--reference", "y"),
            "mira@bank.example has no role that may waive",
        ),
        (
            far.signs(mira, "waive", RULE, SUBJECT, *until(-9), "--reason", "x", "--reference", "y"),
            "it would have expired already",
        ),
    ]
    monkeypatch.setenv("MANDATE_TOKEN", TOKENS[Role.DECIDER][0])
    refused.append((far.approve(mira, "model_owner"), "this takes one of the roles approver, auditor"))
    monkeypatch.setenv("MANDATE_TOKEN", TOKENS[Role.AUDITOR][0])
    refused.append((far.approve(mira, "model_owner"), "this takes one of the roles approver"))
    with here(monkeypatch):
        own = far.bank.organisation
        refused.append(
            (mira.signs(own, "approve", SUBJECT, "--role", "x", "--as", "m"), "--as is for --server")
        )
        unlike = ("approve", SUBJECT, "--role", "model_owner", "--digest", "0" * 64)
        refused.append((mira.signs(own, *unlike), "this decision is about"))
    for ran, said in refused:
        assert (ran.exit_code, said in " ".join(ran.err.split())) == (2, True), ran.err + ran.out
    assert len(far.bank.organisation.entries()) == before
    employ(far.bank.organisation, [(far.bank.eve, ["model_owner"]), (mira, ["model_owner"])])
    with here(monkeypatch), open_bank(far.bank) as changed:
        server = ("--server", str(changed.client.base_url))
        stale = far.approve(mira, "model_owner", *server, "--decision", decision["id"])
        assert (stale.exit_code, "other policies judged then" in stale.err) == (2, True), stale.err
        assert far.approve(mira, "model_owner", *server).exit_code == 2


@pytest.mark.parametrize(("typed", "exit_code"), [("n\n", 1), ("", 130)], ids=["no", "nothing"])
def test_nothing_is_signed_far_away_without_a_yes(
    far: Far, monkeypatch: pytest.MonkeyPatch, typed: str, exit_code: int
) -> None:
    with here(monkeypatch):
        far.bank.check()
    command = ("approve", SUBJECT, "--role", "model_owner", "--key", str(far.bank.mira.key))
    monkeypatch.setattr("sys.stdin", StringIO(typed))
    ran = far.machine.mandate(*command, "--out", "signed.json")
    assert (ran.exit_code, RULE in ran.out) == (exit_code, True)
    silent = far.machine.mandate(*command, *JSON)
    assert (silent.exit_code, far.bank.entries("approval")) == (2, [])
    assert not (far.machine.folder / "signed.json").exists()


Change = Callable[[bytes, bytes], bytes]


@contextmanager
def between(far: Far, change: Change) -> Iterator[str]:
    """What stands between a person and the service, and answers something else: the address of it.

    `change`: of a request, whose path tells which it is, and the answer that the service gave to it.
    """
    host, port = far.service.client.base_url.host, far.service.client.base_url.port

    def script(connection: socket.socket, _number: int) -> None:
        request = read_request(connection)
        with socket.create_connection((host, port or 0)) as real:
            real.sendall(request)
            said = read_request(real)
        connection.sendall(change(request, said))

    with Peer(script) as peer:
        yield peer.url


def in_json(path: str, edit: Callable[[dict[str, Any]], Any]) -> Change:
    """Edits the JSON that is answered to requests of this path."""

    def change(request: bytes, said: bytes) -> bytes:
        if path.encode() not in request.split(b"\r\n")[0]:
            return said
        head, _, body = said.partition(b"\r\n\r\n")
        document = json.loads(body)
        edit(document)
        status = head.split(b"\r\n")[0].removeprefix(b"HTTP/1.1 ").decode()
        kind = head.lower().partition(b"content-type: ")[2].split(b"\r\n")[0].decode()
        return response(json.dumps(document).encode(), status=status, content_type=kind)

    return change


def in_payload(edit: Callable[[dict[str, Any]], Any]) -> Change:
    """Edits what the decision's envelope says, whose proof no longer fits then."""

    def altered(proof: dict[str, Any]) -> None:
        envelope = proof["bundle"]["dsseEnvelope"]
        payload = json.loads(base64.b64decode(envelope["payload"]))
        edit(payload["predicate"])
        envelope["payload"] = base64.b64encode(json.dumps(payload).encode()).decode()

    return in_json("/v1/proofs/", altered)


def redirected(_request: bytes, _said: bytes) -> bytes:
    head = b"HTTP/1.1 302 Found\r\nLocation: http://localhost:1/\r\nContent-Type: application/json\r\n"
    return head + b"Content-Length: 2\r\n\r\n{}"


LIES: dict[str, tuple[Change, str]] = {
    "redirected": (redirected, "this is no answer of Mandate's: status 302"),
    "another key": (in_json("/v1/people", lambda said: said.update(keyid="x")), "whose key this is"),
    "no ledger": (in_json("/v1/people", lambda said: said.pop("ledger")), "whose key this is"),
    "roles": (in_json("/v1/people", lambda said: said.update(roles=[1])), "whose key this is"),
    "another model": (
        in_json("/v1/decisions", lambda said: said["entries"][0].update(model="other")),
        "what it found is something else",
    ),
    "no entries": (
        in_json("/v1/decisions", lambda said: said.pop("entries")),
        "what it found is something else",
    ),
    "other findings": (
        in_payload(lambda said: said["decision"].update(outcome="allow")),
        "does not lead from this entry to the head",
    ),
    "no proof": (in_json("/v1/proofs/", lambda said: said.clear()), "this is no proof file"),
    "another decision": (
        in_json("/v1/decisions", lambda said: said["entries"][0].update(id="01a20bd5-0000")),
        "there is no decision",
    ),
    "another place": (
        in_json("/v1/approvals", lambda said: said.update(leaf="0" * 64)),
        "it does not say where this is on record",
    ),
    "no index": (
        in_json("/v1/approvals", lambda said: said.update(index=True)),
        "it does not say where this is on record",
    ),
}


def test_an_answer_that_lies_is_not_believed(far: Far, monkeypatch: pytest.MonkeyPatch) -> None:
    with here(monkeypatch):
        far.bank.check()
    for name, (change, said) in LIES.items():
        with between(far, change) as url:
            ran = far.approve(far.bank.mira, "model_owner", "--server", url)
        expected = 2 if name == "another decision" else 3
        assert (name, ran.exit_code, said in " ".join(ran.err.split())) == (name, expected, True), ran.err
    # What was handed in and then lied about is on record all the same: nobody can keep that from happening.
    assert len(far.bank.entries("approval")) == 2


def test_a_ledger_that_is_not_the_one_of_the_key_is_not_believed(
    far: Far, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with here(monkeypatch):
        mine = far.bank.check()["id"]
        other = far.bank.organisation.mandate("check", "models:/credit/2", *JSON).json["id"]
        unlike = far.bank.check("--environment", "development")["id"]
        keys.create(tmp_path / "other.pem")
        public = tmp_path / "other.pub"
        public.write_bytes(keys.load(tmp_path / "other.pem").public_key.pem)
    ran = far.approve(far.bank.mira, "model_owner", "--ledger-key", str(public))
    assert (ran.exit_code, "is not signed by any of the keys given" in ran.err) == (3, True), ran.err

    def swapped(request: bytes, said: bytes) -> bytes:
        if b"/v1/proofs/" not in request:
            return said
        proof = far.service.call("GET", f"/v1/proofs/{other}", role=Role.AUDITOR)
        return response(proof.content, content_type=proof.headers["content-type"])

    with between(far, swapped) as url:
        for wanted in (mine, mine[:13], "0"):
            ran = far.approve(far.bank.mira, "model_owner", "--server", url, "--decision", wanted)
            assert (ran.exit_code, "it is another entry" in ran.err) == (3, True), ran.err

    def of_development(request: bytes, said: bytes) -> bytes:
        """The newest for production is one for development, as the answer has it."""
        listed = in_json("/v1/decisions?", lambda found: found["entries"][0].update(id=unlike))
        return listed(request, said)

    with between(far, of_development) as url:
        ran = far.approve(far.bank.mira, "model_owner", "--server", url)
    assert (ran.exit_code, "on the environment production" in ran.err) == (3, False), ran.err
    assert "this decision is on the environment development, and not production" in ran.err
    elsewhere = in_json("/v1/people", lambda said: said["ledger"].update(origin="other.example/models"))
    with between(far, elsewhere) as url:
        ran = far.approve(far.bank.mira, "model_owner", "--server", url)
    assert (ran.exit_code, "and the service's is other.example/models" in ran.err) == (2, True), ran.err
    assert far.bank.entries("approval") == []


def test_an_answer_that_was_lost_is_asked_for_again_and_recorded_once(
    far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    with here(monkeypatch):
        far.bank.check()
    lost: list[bytes] = []

    def cut(request: bytes, said: bytes) -> bytes:
        if not request.startswith(b"POST") or lost:
            return said
        lost.append(said)
        return said[:-9]

    with between(far, cut) as url:
        ran = far.approve(far.bank.mira, "model_owner", "--server", url)
    assert (ran.exit_code, len(lost), len(far.bank.entries("approval"))) == (0, 1, 1), ran.err
    with between(far, lambda request, said: b"" if request.startswith(b"POST") else said) as url:
        ran = far.approve(far.bank.mira, "model_owner", "--server", url, "--timeout", "1")
    assert (ran.exit_code, "it is signed, and may be on record already" in ran.err) == (3, True)
