"""`mandate check --server`: the service's answer is that of the command line, or there is none."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mandate.composition import caller
from mandate.engine.service.access.roles import Role
from tests.authority import Authority
from tests.engine.http.peers import Peer, read_request, response, saying, saying_once, silent
from tests.organisation import GOOD, Organisation, Ran, with_value
from tests.service import TOKENS, Serving, serving

UNFAIR = with_value(GOOD, ("fairness", "attributes", 0, "metrics", 0, "value"), 0.9)
DOCUMENTATION = "https://policies.bank.example"
JSON = ("--output", "json")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    def documented(organisation: Organisation) -> None:
        with (organisation.folder / "mandate.yaml").open("a") as file:
            file.write(f"\ndocumentation: {DOCUMENTATION}\n")

    with serving(tmp_path_factory.mktemp("service"), documented) as running:
        yield running


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Organisation:
    """A machine without mandate.yaml, whose pipeline has a token."""
    monkeypatch.setenv("MANDATE_TOKEN", TOKENS[Role.DECIDER][0])
    return Organisation(tmp_path)


def url(service: Serving) -> str:
    return str(service.client.base_url)


def asked(machine: Organisation, server: str, document: Any, *arguments: str) -> Ran:
    (machine.folder / "input.json").write_text(json.dumps(document))
    return machine.mandate("check", "--server", server, "--input", "input.json", *arguments)


def without_its_own(answer: dict[str, Any]) -> dict[str, Any]:
    """Without what is another one's each time: ids, times, places, and ages."""
    request = answer["request"] | {"time": "", "requested_by": ""}
    collection = [{**entry, "collected_at": "", "reported_by": ""} for entry in answer["collection"]]
    findings = [{**finding, "measured": "", "message": ""} for finding in answer["findings"]]
    return answer | {
        "id": "",
        "ledger": "",
        "request": request,
        "collection": collection,
        "findings": findings,
    }


@pytest.mark.parametrize(("document", "code"), [(GOOD, 0), (UNFAIR, 1)], ids=["allow", "deny"])
def test_the_answer_and_the_exit_code_are_those_of_a_check_here(
    service: Serving, elsewhere: Organisation, document: Any, code: int
) -> None:
    here = service.organisation.check(document)
    there = asked(elsewhere, url(service), document, *JSON)
    assert (there.exit_code, here.exit_code) == (code, code)
    assert list(there.json) == list(here.json)
    assert without_its_own(there.json) == without_its_own(here.json)
    assert service.organisation.entries()[-1]["id"] == there.json["id"]


def test_people_read_the_same_report(service: Serving, elsewhere: Organisation) -> None:
    def words(ran: Ran, caller: str) -> list[str]:
        lines = [line for line in ran.out.splitlines() if not line.startswith(("  decision", "  recorded"))]
        return " ".join(lines).replace(f" by {caller} ", " by somebody ").split()

    (service.organisation.folder / "input.json").write_text(json.dumps(UNFAIR))
    here = service.organisation.mandate("check", "--input", "input.json", "--verbose")
    there = asked(elsewhere, url(service), UNFAIR, "--verbose")
    assert words(there, "decider") == words(here, caller())
    assert f"{DOCUMENTATION}/rules/fairness/demographic_parity.html" in there.out


def test_what_is_asked_by_name_overrides_the_document_here_and_there(
    service: Serving, elsewhere: Organisation
) -> None:
    other = GOOD | {"request": GOOD["request"] | {"environment": "staging"}}
    arguments = ("--environment", "development", "--action", "deploy")
    here = service.organisation.check(other, *arguments)
    there = asked(elsewhere, url(service), other, *JSON, *arguments)
    assert there.json["request"]["environment"] == here.json["request"]["environment"] == "development"
    assert (there.exit_code, there.json["outcome"]) == (here.exit_code, here.json["outcome"])
    silent = asked(elsewhere, url(service), other)
    assert (silent.exit_code, "what is asked about is production" in silent.err) == (2, True)


def test_a_what_if_is_recorded_as_no_more(service: Serving, elsewhere: Organisation) -> None:
    ran = asked(elsewhere, url(service), GOOD, "--what-if", *JSON)
    newest = service.organisation.entries()[-1]
    assert (ran.exit_code, ran.json["what_if"], newest["id"]) == (0, True, ran.json["id"])
    assert newest["kind"].endswith("/what-if/v1")


def test_a_warning_can_be_made_to_fail(service: Serving, elsewhere: Organisation) -> None:
    few = with_value(GOOD, ("fairness", "attributes", 0, "groups", 0, "size"), 50)
    codes = [
        asked(elsewhere, url(service), few, *more, *JSON).exit_code for more in ((), ("--fail-on-warn",))
    ]
    here = [service.organisation.check(few, *more).exit_code for more in ((), ("--fail-on-warn",))]
    assert codes == here


def test_a_proof_comes_with_the_answer_and_verifies(service: Serving, elsewhere: Organisation) -> None:
    ran = asked(elsewhere, url(service), GOOD, "--proof", "there.json")
    assert (ran.exit_code, ran.out.endswith("\n  wrote there.json\n")) == (0, True)
    organisation = service.organisation
    made = organisation.check(GOOD, "--proof", "here.json")
    keys = str(organisation.folder / ".mandate/keys/signing.pub")
    for file in (elsewhere.folder / "there.json", organisation.folder / "here.json"):
        verified = organisation.mandate("verify", str(file), "--key", keys)
        assert (verified.exit_code, verified.err) == (0, "")
    assert made.exit_code == 0
    quiet = asked(elsewhere, url(service), GOOD, "--proof", "quiet.json", *JSON)
    assert json.loads((elsewhere.folder / "quiet.json").read_text())["bundle"]
    assert "proof" not in quiet.json


def test_the_same_request_key_gives_the_same_decision(service: Serving, elsewhere: Organisation) -> None:
    ids = {asked(elsewhere, url(service), GOOD, "--request-key", "r-7", *JSON).json["id"] for _ in range(2)}
    assert len(ids) == 1


@pytest.mark.parametrize("key", ["é", "x" * 201, " x", ""], ids=["accent", "long", "blank", "empty"])
def test_a_key_that_no_header_carries_is_refused(elsewhere: Organisation, key: str) -> None:
    ran = asked(elsewhere, "http://localhost:1", GOOD, "--request-key", key)
    assert (ran.exit_code, "--request-key: a service takes" in ran.err) == (2, True)


@pytest.mark.parametrize(
    ("document", "arguments", "said"),
    [
        (GOOD, ("--environment", "prodution"), "the policies know no environment 'prodution'"),
        (with_value(GOOD, ("subject", "name"), 7), (), "the document does not fit mandate/v1"),
        ([], (), "the document must be a JSON object"),
    ],
    ids=["environment", "shape", "list"],
)
def test_a_bad_request_is_2(
    service: Serving, elsewhere: Organisation, document: Any, arguments: tuple[str, ...], said: str
) -> None:
    before = len(service.organisation.entries())
    ran = asked(elsewhere, url(service), document, *arguments)
    assert (ran.exit_code, said in ran.err, ran.out) == (2, True, "")
    assert len(service.organisation.entries()) == before


def test_a_document_that_is_no_json_is_2(service: Serving, elsewhere: Organisation) -> None:
    (elsewhere.folder / "bad.json").write_text('{"a": 1, "a": 2}')
    ran = elsewhere.mandate("check", "--server", url(service), "--input", "bad.json", *JSON)
    assert (ran.exit_code, ran.json["outcome"], ran.json["error"]["where"]) == (2, None, "bad.json")


@pytest.mark.parametrize(
    ("token", "said"),
    [
        (None, "Nobody knows you\n  → Give the token that you got, in MANDATE_TOKEN or with --token-file\n"),
        (TOKENS[Role.METRICS][0], "this takes one of the roles decider"),
        ("wrong", "Nobody"),
    ],
    ids=["none", "another role", "wrong"],
)
def test_whoever_may_not_ask_is_told_so_with_2(
    service: Serving, elsewhere: Organisation, monkeypatch: pytest.MonkeyPatch, token: str | None, said: str
) -> None:
    monkeypatch.delenv("MANDATE_TOKEN")
    arguments = []
    if token is not None:
        (elsewhere.folder / "token").write_text(f"{token}\n")
        arguments = ["--token-file", "token"]
    ran = asked(elsewhere, url(service), GOOD, *arguments)
    assert (ran.exit_code, said in ran.err) == (2, True)


def test_a_subject_that_nobody_collects_for_is_2(tmp_path: Path, elsewhere: Organisation) -> None:
    (tmp_path / "service").mkdir()
    with serving(tmp_path / "service", collect={"workers": 0}) as running:
        ran = elsewhere.mandate("check", "models:/credit/3", "--server", url(running))
    assert (ran.exit_code, "this service collects no facts" in ran.err) == (2, True)


# What stands between, or in the place of the service.


def answer(**changed: Any) -> dict[str, Any]:
    """An allow that would be believed."""
    finding = {"rule": "a.b", "term": "x", "level": "must", "outcome": "passed"}
    return {
        "outcome": "allow",
        "what_if": False,
        "id": "0199",
        "subject": GOOD["subject"],
        "request": {"action": "promote", "environment": "production"},
        "findings": [finding | {"measured": 1, "comparison": "present", "bound": True}],
        "ledger": {"id": "0199", "index": 3},
    } | changed


BLOCKING = {"rule": "a.b", "outcome": "violation"}
PASSED = {"rule": "a.b", "outcome": "passed"}
OTHER = {"action": "promote", "environment": "staging"}
LIES: dict[str, tuple[Any, str, str]] = {
    "no outcome": (answer(outcome=None), "200 OK", "it has no outcome"),
    "new outcome": (answer(outcome="maybe"), "200 OK", "it has no outcome"),
    "blocked allow": (answer(findings=[PASSED, BLOCKING]), "200 OK", "names what stands against that"),
    "reasoned allow": (answer(reasons=["x"]), "200 OK", "names what stands against that"),
    "empty allow": (answer(findings=[]), "200 OK", "nothing passed"),
    "no findings": (answer(findings={"a": 1}), "200 OK", "its findings are none"),
    "strange finding": (answer(findings=[{"outcome": []}]), "200 OK", "its findings are none"),
    "unrecorded": (answer(ledger=None), "200 OK", "is on no record"),
    "another's record": (answer(ledger={"id": "0200", "index": 3}), "200 OK", "is on no record"),
    "no place": (answer(ledger={"id": "0199", "index": True}), "200 OK", "is on no record"),
    "what-if": (answer(what_if=True), "200 OK", "whether it is a what-if"),
    "another environment": (answer(request=OTHER), "200 OK", "about something else"),
    "another model": (answer(subject=GOOD["subject"] | {"version": "9"}), "200 OK", "about something else"),
    "no subject": (answer(subject=None), "200 OK", "about something else"),
    "503 allow": (answer(), "503 Service Unavailable", "with the status 503"),
    "created": (answer(), "201 Created", "with the status 201"),
    "undecided 200": (answer(outcome="undecided"), "200 OK", "with the status 200"),
    "bare deny": (answer(outcome="deny"), "200 OK", "it says deny without a reason"),
    "list": ([], "200 OK", "this is no answer of Mandate's"),
    "403 allow": (answer(), "418 I'm a teapot", "this is no answer of Mandate's"),
}


@pytest.mark.parametrize("lie", LIES)
def test_an_answer_that_contradicts_itself_or_the_question_is_never_an_allow(
    elsewhere: Organisation, lie: str
) -> None:
    document, status, said = LIES[lie]
    with Peer(saying(response(json.dumps(document).encode(), status=status))) as peer:
        ran = asked(elsewhere, peer.url, GOOD, *JSON)
    assert (ran.exit_code, ran.json["outcome"]) == (3, "undecided")
    assert said in ran.json["error"]["what"]


def test_an_allow_that_nothing_speaks_against_is_believed(elsewhere: Organisation) -> None:
    with Peer(saying(response(json.dumps(answer()).encode()))) as peer:
        assert asked(elsewhere, peer.url, GOOD, *JSON).exit_code == 0
        shown = asked(elsewhere, peer.url, GOOD)  # what is shown to people has to be whole
        unproven = asked(elsewhere, peer.url, GOOD, "--proof", "proof.json")
        aliased = elsewhere.mandate("check", "models:/credit@champion", "--server", peer.url, *JSON)
        another = elsewhere.mandate("check", "models:/other@champion", "--server", peer.url, *JSON)
        version = elsewhere.mandate("check", "models:/credit/9", "--server", peer.url, *JSON)
    assert (shown.exit_code, "the answer does not fit" in shown.err) == (3, True)
    assert (unproven.exit_code, "it gave no proof" in unproven.err) == (2, True)
    assert (aliased.exit_code, another.exit_code, version.exit_code) == (0, 3, 3)


def test_undecided_is_an_answer_too_and_not_asked_for_again(elsewhere: Organisation) -> None:
    said = answer(outcome="undecided", findings=[], reasons=["OPA is down"], ledger=None, subject={})
    with Peer(saying(response(json.dumps(said).encode(), status="503 X"))) as peer:
        ran = asked(elsewhere, peer.url, {"subject": {}}, "--proof", "proof.json", *JSON)
        assert peer.connections == 1
    assert (ran.exit_code, ran.json["reasons"]) == (3, ["OPA is down"])
    assert not (elsewhere.folder / "proof.json").exists()


HTML = b"<html>It works!</html>"
GARBAGE: dict[str, tuple[bytes, int, str]] = {
    "html": (response(HTML, content_type="text/html"), 3, "this is no answer of Mandate's: status 200"),
    "not json": (response(b"{"), 3, "the answer is not JSON"),
    "twice": (response(b'{"outcome": "deny", "outcome": "allow"}'), 3, "stands twice"),
    "not http": (b"SSH-2.0-OpenSSH_9.9\r\n", 3, "does not speak HTTP"),
    "moved": (
        b"HTTP/1.1 307 X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        3,
        "status 307",
    ),
    "too much": (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", 3, "larger than 16 MiB"),
    "compressed": (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n"
        b"Content-Length: 2\r\n\r\n{}",
        3,
        "this is no answer of Mandate's",
    ),
    "bad problem": (
        response(b"[]", status="400 X", content_type="application/problem+json"),
        3,
        "these are no problem details",
    ),
    "worse problem": (
        response(b"[", status="400 X", content_type="application/problem+json"),
        3,
        "these are no problem details",
    ),
    "500": (
        response(b'{"title": "An internal error"}', status="500 X", content_type="application/problem+json"),
        3,
        "An internal error",
    ),
    "gateway": (response(HTML, status="403 Forbidden", content_type="text/html"), 2, "refuses to be asked"),
    "faults": (
        response(
            b'{"title": "The content does not fit", "detail": "one fault", "errors": [{"pointer": "/subject",'
            b' "detail": "too long"}, 7], "next_step": "Shorten it"}',
            status="422 X",
            content_type="application/problem+json",
        ),
        2,
        "one fault; /subject: too long\n  → Shorten it",
    ),
    "nowhere": (
        response(
            b'{"title": "There is no such thing"}', status="404 X", content_type="application/problem+json"
        ),
        2,
        "There is no such thing",
    ),
}


@pytest.mark.parametrize("kind", GARBAGE)
def test_what_is_no_answer_is_said_to_be_none(elsewhere: Organisation, kind: str) -> None:
    sent, code, said = GARBAGE[kind]
    with Peer(saying_once(sent)) as peer:
        ran = asked(elsewhere, peer.url, GOOD)
        assert peer.connections == 1
    assert (ran.exit_code, ran.out) == (code, "")
    assert said in ran.err


def test_an_answer_that_was_lost_is_asked_for_again_and_decided_once(
    service: Serving, elsewhere: Organisation
) -> None:
    """The first two answers are cut: before its first byte, and in the midst of the body."""
    before = len(service.organisation.decisions())
    host, port = service.client.base_url.host, service.client.base_url.port

    def script(connection: socket.socket, number: int) -> None:
        request = read_request(connection)
        with socket.create_connection((host, port or 0)) as real:
            real.sendall(request)
            said = read_request(real)
        connection.sendall((b"", said[:-9], said)[number])

    with Peer(script) as peer:
        ran = asked(elsewhere, peer.url, GOOD, *JSON)
        assert peer.connections == 3
    assert (ran.exit_code, len(service.organisation.decisions())) == (0, before + 1)
    assert service.organisation.decisions()[-1]["id"] == ran.json["id"]


def busy(retry_after: str) -> bytes:
    body = b'{"title": "The service has more to do than it can", "next_step": "Ask again later"}'
    head = f"HTTP/1.1 503 X\r\nContent-Type: application/problem+json\r\nRetry-After: {retry_after}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def test_a_service_that_is_busy_is_asked_again(service: Serving, elsewhere: Organisation) -> None:
    allowed = response(json.dumps(answer()).encode())

    def script(connection: socket.socket, number: int) -> None:
        read_request(connection)
        connection.sendall(
            (busy("1"), response(HTML, status="502 X", content_type="text/html"), allowed)[number]
        )

    with Peer(script) as peer:
        assert asked(elsewhere, peer.url, GOOD, *JSON).exit_code == 0
        assert peer.connections == 3


def test_a_service_that_stays_busy_or_silent_is_undecided_in_time(elsewhere: Organisation) -> None:
    with Peer(saying_once(busy("999999"))) as peer:
        ran = asked(elsewhere, peer.url, GOOD, "--timeout", "5")
        assert (ran.exit_code, "more to do than it can" in ran.err, peer.connections) == (3, True, 1)
    with Peer(silent) as peer:
        ran = asked(elsewhere, peer.url, GOOD, "--timeout", "0.3")
    assert (ran.exit_code, "no answer within 0.3 s" in ran.err) == (3, True)


def test_a_service_that_nobody_reaches_is_undecided(elsewhere: Organisation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    ran = asked(elsewhere, f"http://127.0.0.1:{port}", GOOD, "--timeout", "0.6")
    assert (ran.exit_code, "it cannot be asked: connection refused" in ran.err) == (3, True)
    ran = asked(elsewhere, "https://nowhere.invalid", GOOD, "--timeout", "0.6", *JSON)
    assert (ran.exit_code, ran.json["outcome"]) == (3, "undecided")


@pytest.mark.parametrize(
    ("server", "token", "said"),
    [
        ("http://mandate.bank.example", "mandate_x", "anybody on the way can read the token"),
        ("mandate.bank.example", "mandate_x", "is not a URL of Mandate"),
        ("https://me:hunter2@mandate.bank.example", "mandate_x", "holds a user name"),
        ("https://mandate.bank.example", "two words", "characters that a header cannot carry"),
        ("https://mandate.bank.example", "", "the token for Mandate is empty"),
    ],
    ids=["plain", "no scheme", "password", "token", "empty token"],
)
def test_an_address_or_a_token_that_cannot_be_used_is_2(
    elsewhere: Organisation, monkeypatch: pytest.MonkeyPatch, server: str, token: str, said: str
) -> None:
    monkeypatch.setenv("MANDATE_TOKEN", token)
    ran = asked(elsewhere, server, GOOD)
    assert (ran.exit_code, said in ran.err, "hunter2" in ran.err) == (2, True, False)


def test_a_token_file_that_is_no_text_is_2(elsewhere: Organisation) -> None:
    (elsewhere.folder / "token").write_bytes(b"\xff")
    ran = asked(elsewhere, "http://localhost:1", GOOD, "--token-file", "token")
    assert (ran.exit_code, "the token cannot be read" in ran.err) == (2, True)


@pytest.mark.parametrize(
    "arguments",
    [("--config", "mandate.yaml"), ("--set", "opa.timeout=2"), ("--attest", "out")],
    ids=lambda a: a[0],
)
def test_settings_and_attestations_are_the_services(
    elsewhere: Organisation, arguments: tuple[str, str]
) -> None:
    (elsewhere.folder / "mandate.yaml").touch()
    ran = asked(elsewhere, "http://localhost:1", GOOD, *arguments)
    assert (ran.exit_code, "leave out --config, --set, --attest" in ran.err) == (2, True)


def _heard_once(connection: socket.socket, _number: int) -> None:
    connection.recv(1 << 16)


def test_a_certificate_counts_only_if_the_right_authority_vouches(
    service: Serving, elsewhere: Organisation
) -> None:
    folder = elsewhere.folder
    authority = Authority("authority")
    certificate, key = authority.issue(folder, "server")
    authority.write(folder / "ca.pem")
    Authority("another").write(folder / "another.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def script(connection: socket.socket, _number: int) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            read_request(secured)
            secured.sendall(response(json.dumps(answer()).encode()))

    with Peer(script) as peer:
        secure = peer.url.replace("http", "https")
        codes = [asked(elsewhere, secure, GOOD, "--ca", ca, *JSON) for ca in ("ca.pem", "another.pem")]
        unknown = asked(elsewhere, secure, GOOD)
        assert peer.connections == 3  # a certificate that is wrong is wrong again
    assert [ran.exit_code for ran in (*codes, unknown)] == [0, 3, 3]
    assert "the secure connection failed" in unknown.err
    with Peer(_heard_once) as peer:
        cut = asked(elsewhere, peer.url.replace("http", "https"), GOOD, "--timeout", "0.8")
        assert peer.connections == 2
    assert (cut.exit_code, "the secure connection was cut off" in cut.err) == (3, True)


def test_variables_say_whom_to_ask_and_settings_are_not_looked_for(
    service: Serving, elsewhere: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    (elsewhere.folder / "token").write_text(TOKENS[Role.DECIDER][0])
    monkeypatch.delenv("MANDATE_TOKEN")
    monkeypatch.setenv("MANDATE_SERVER", url(service))
    monkeypatch.setenv("MANDATE_TOKEN_FILE", "token")
    (elsewhere.folder / "input.json").write_text(json.dumps(GOOD))
    (elsewhere.folder / "mandate.yaml").write_text("not: settings")
    assert elsewhere.mandate("check", "--input", "input.json").exit_code == 0
    # Whoever has these variables can still use the settings of an organisation.
    assert service.organisation.mandate("version").exit_code == 0
    assert service.organisation.mandate("ledger", "checkpoint").exit_code == 0


IMPORTED = """
import json, sys
before = set(sys.modules)
from mandate.engine import cli
code = cli.run(sys.argv[1:])
new = sorted(set(sys.modules) - before)
print(json.dumps({"code": code, "modules": new}), file=sys.stderr)
"""
JUDGING = (
    "pydantic",
    "pydantic_core",
    "cryptography",
    "sqlite3",
    "yaml",
    "ruamel",
    "rich",
    "mandate.composition",
    "mandate.engine.configuration",
    "mandate.engine.decision",
    "mandate.engine.evidence",
    "mandate.engine.gate",
    "mandate.engine.input",
    "mandate.engine.policy",
    "mandate.engine.service",
)


def imported(folder: Path, *arguments: str) -> list[str]:
    environment = os.environ | {"MANDATE_TOKEN": TOKENS[Role.DECIDER][0]}
    (folder / "input.json").write_text(json.dumps(GOOD))
    ran = subprocess.run(
        [sys.executable, "-c", IMPORTED, "check", "--input", "input.json", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(ran.stderr.splitlines()[-1])
    assert said["code"] == 0
    modules: list[str] = said["modules"]
    return modules


def test_asking_a_service_imports_next_to_nothing(service: Serving, tmp_path: Path) -> None:
    there = imported(tmp_path, "--server", url(service), *JSON)
    shown = imported(tmp_path, "--server", url(service))
    here = imported(service.organisation.folder, *JSON)
    assert [name for name in there if any(f"{name}.".startswith(f"{one}.") for one in JUDGING)] == []
    own = {name for name in there if name.startswith("mandate.engine.remote")}
    assert own == {f"mandate.engine.remote{name}" for name in ("", ".client", ".decisions")}
    assert len(there) < len(here) / 2
    assert len(shown) < len(here)
    for name in ("sqlite3", "mandate.composition", "mandate.engine.policy", "mandate.engine.opa.client"):
        assert name not in shown
