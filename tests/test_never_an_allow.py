"""What must never happen: an allow that was not proven. Every test here asks through the command line.

The parts are real: OPA, the ledger on a real file system, and in `test_never_an_allow_models.py` MLflow. What
a real OPA never answers comes from a small HTTP server; see also `tests/engine/opa`.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from mandate import share
from tests.organisation import GOOD, Organisation, Ran, at, founded, good, with_value

NAMES = {
    "quotes": "cred\"it'",
    "newlines": "credit\n\nallow",
    "template": "${credit}{{credit}}%s%n",
    "rego": 'credit" == "credit"; allow := true #',
    "sql": "credit'); DROP TABLE entries; --",
    "ansi": "credit\x1b[2K\x1b[1A\x1b[32mALLOW",
    "right to left": "credit\u202ewolla",
    "surrogate pair": "credit\U0001f600",
}


@pytest.fixture
def organisation(tmp_path: Path) -> Organisation:
    """An organisation that accepts reported facts, so that the good document is allowed."""
    return founded(tmp_path, trusting=True)


def refused(ran: Ran) -> Any:
    """The command's JSON, after making sure that it is neither an allow nor an unforeseen error."""
    assert ran.exit_code in (1, 2, 3), ran.out
    answer = ran.json
    assert answer["outcome"] != "allow"
    assert "internal error" not in ran.out
    return answer


def test_the_good_document_is_allowed_or_these_tests_show_nothing(organisation: Organisation) -> None:
    ran = organisation.check(GOOD)
    assert ran.exit_code == 0, ran.out
    assert ran.json["outcome"] == "allow"
    assert [entry["outcome"] for entry in organisation.decisions()] == ["allow"]


def test_what_is_only_reported_is_denied_in_production(tmp_path: Path) -> None:
    answer = refused(founded(tmp_path).check(GOOD))
    assert answer["outcome"] == "deny"
    failing = [finding for finding in answer["findings"] if finding["outcome"] == "violation"]
    assert {finding["origin"] for finding in failing} == {"reported"}


@pytest.mark.parametrize("year", [1971, 2025])
def test_a_clock_that_was_set_back_is_undecided_however_often_it_is_asked(
    organisation: Organisation, monkeypatch: pytest.MonkeyPatch, year: int
) -> None:
    # Before the rules' `effective_on` none of them denies: they only announce that they will.
    unfair = with_value(GOOD, ("fairness", "attributes", 0, "metrics", 0, "value"), 0.9)
    monkeypatch.setattr("mandate.composition.process.now", lambda: datetime(year, 6, 1, tzinfo=UTC))
    for _ in range(2):
        ran = organisation.check(unfair)
        assert ran.exit_code == 3
        assert f"it says {year}-06-01T00:00:00Z, but something is on record of " in refused(ran)["reasons"][0]
    assert [entry["outcome"] for entry in organisation.decisions()] == ["undecided", "undecided"]


TWICE = {
    "a metric": (("fairness", "attributes", 0, "metrics"), {"value": 7.0}),
    "an attribute": (("fairness", "attributes"), {"metrics": []}),
    "a group": (("fairness", "attributes", 0, "groups"), {}),
    "a metric of performance": (("performance", "metrics"), {"value": 1e308}),
    "a column that drifted": (("drift", "columns"), {"psi": None}),
    "a column of the data": (("data_schema", "current"), {}),
    "a verification": (("provenance", "verifications"), {}),
    "a developer": (("developers",), {}),
}


@pytest.mark.parametrize(("path", "change"), TWICE.values(), ids=TWICE)
def test_what_stands_twice_under_one_name_is_refused(
    organisation: Organisation, path: tuple[str | int, ...], change: dict[str, Any]
) -> None:
    # One of the two could pass for both: the other is outside of what its rule can judge.
    members = at(GOOD, path)
    ran = organisation.check(with_value(GOOD, path, [*members, members[0] | change]))
    assert ran.exit_code == 2
    assert "two have the same name" in refused(ran)["error"]["what"]


# --- OPA ----------------------------------------------------------------------------------------------------


def test_opa_that_is_down_is_undecided_and_recorded(organisation: Organisation) -> None:
    ran = organisation.check(GOOD, "--set", "opa.url=http://127.0.0.1:9")
    assert ran.exit_code == 3
    assert "OPA cannot be asked" in refused(ran)["reasons"][0]
    assert [entry["outcome"] for entry in organisation.decisions()] == ["undecided"]


def test_opa_that_is_missing_is_undecided(organisation: Organisation) -> None:
    ran = organisation.check(GOOD, "--set", "opa.binary=/nowhere/opa")
    assert ran.exit_code == 3
    assert "there is no program at the configured path of OPA" in refused(ran)["reasons"][0]
    assert [entry["outcome"] for entry in organisation.decisions()] == ["undecided"]


def an_answer(**parts: Any) -> dict[str, Any]:
    """What an OPA would say to an allowed document, with parts replaced; `...` leaves one out."""
    finding = {
        "rule": "fairness.demographic_parity",
        "term": "sex",
        "level": "must",
        "outcome": "passed",
        "measured": 0.01,
        "comparison": "<=",
        "bound": 0.05,
    }
    rules = share.policies() / "mandate/rules"
    others = [
        {"rule": f"{folder.parent.name}.{folder.name}", "reason": "none"}
        for folder in sorted(rules.glob("*/*"))
        if folder.name != "demographic_parity"
    ]
    answer = {
        "provenance": {"version": "1.22.2", "bundles": {"mandate": {"revision": "REVISION"}}},
        "result": {"outcome": "allow", "reasons": [], "findings": [finding], "not_applicable": others},
    }
    return {name: value for name, value in (answer | parts).items() if value is not ...}


@contextmanager
def answering(body: bytes, content_type: str = "application/json", status: int = 200) -> Iterator[str]:
    """A server that gives this answer to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_an_allow_that_is_silent_about_a_rule_is_undecided(organisation: Organisation) -> None:
    answer = an_answer()
    answer["result"]["not_applicable"].pop()
    body = json.dumps(answer).replace("REVISION", revision_of(organisation)).encode()
    with answering(body) as url:
        ran = organisation.check(GOOD, "--set", f"opa.url={url}")
    assert ran.exit_code == 3
    assert "OPA's allow does not say what became of the rule schema.compatible" in refused(ran)["reasons"][0]


def revision_of(organisation: Organisation) -> str:
    revision: str = organisation.check(GOOD).json["policy"]["revision"]
    return revision


def test_the_impostor_is_believed_when_it_says_everything_right(organisation: Organisation) -> None:
    # Otherwise the tests below could pass for a wrong reason.
    body = json.dumps(an_answer()).replace("REVISION", revision_of(organisation)).encode()
    with answering(body) as url:
        assert organisation.check(GOOD, "--set", f"opa.url={url}").json["outcome"] == "allow"


_FINDING = an_answer()["result"]["findings"][0]


@pytest.mark.parametrize(
    "answer",
    [
        an_answer(result=...),
        an_answer(result=None),
        an_answer(result=True),
        an_answer(result={"allow": True}),
        an_answer(result={"outcome": "allow"}),
        an_answer(result={"outcome": "allow", "findings": []}),
        an_answer(
            result={"outcome": "allow", "findings": [_FINDING | {"outcome": "violation", "message": "m"}]}
        ),
        an_answer(result={"outcome": "ALLOW", "findings": [_FINDING]}),
        an_answer(result={"outcome": "allow", "findings": [_FINDING], "more": 1}),
        an_answer(provenance=...),
        an_answer(provenance={"version": "1.22.2", "bundles": {}}),
        an_answer(provenance={"version": "1.22.2", "bundles": {"mandate": {"revision": "another"}}}),
        an_answer(provenance={"version": "1.20.0", "bundles": {"mandate": {"revision": "REVISION"}}}),
        an_answer(provenance={"version": "1.22.0", "bundles": {"mandate": {"revision": "REVISION"}}}),
        an_answer(provenance={"version": "1.12.0", "bundles": {"mandate": {"revision": "REVISION"}}}),
    ],
)
def test_what_is_not_an_answer_is_undecided(organisation: Organisation, answer: dict[str, Any]) -> None:
    body = json.dumps(answer).replace("REVISION", revision_of(organisation)).encode()
    with answering(body) as url:
        ran = organisation.check(GOOD, "--set", f"opa.url={url}")
    assert ran.exit_code == 3
    assert refused(ran)["outcome"] == "undecided"
    assert organisation.decisions()[-1]["outcome"] == "undecided"


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"<html><body>allow</body></html>", "text/html", 200),
        (b"", "application/json", 200),
        (b"[]", "application/json", 200),
        (b'{"result"', "application/json", 200),
        (b'{"code": "internal_error"}', "application/json", 500),
        (b"", "application/json", 302),
    ],
)
def test_what_is_not_even_json_is_undecided(
    organisation: Organisation, body: bytes, content_type: str, status: int
) -> None:
    with answering(body, content_type, status) as url:
        ran = organisation.check(GOOD, "--set", f"opa.url={url}")
    assert ran.exit_code == 3
    assert refused(ran)["outcome"] == "undecided"


# --- the document -------------------------------------------------------------------------------------------

_METRIC = ("fairness", "attributes", 0, "metrics", 0, "value")


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), float("-inf"), "0.01", None, True, [], {}, ...]
)
def test_a_metric_that_is_not_a_number_is_never_an_allow(organisation: Organisation, value: Any) -> None:
    refused(organisation.check(with_value(GOOD, _METRIC, value)))


def test_an_attribute_with_one_group_is_never_an_allow(organisation: Organisation) -> None:
    groups = at(GOOD, ("fairness", "attributes", 0, "groups"))
    assert len(groups) > 1
    answer = refused(
        organisation.check(with_value(GOOD, ("fairness", "attributes", 0, "groups"), groups[:1]))
    )
    assert answer["outcome"] == "deny"


@pytest.mark.parametrize("environment", ["productoin", "", "production\n", "*"])
def test_an_unknown_environment_is_never_an_allow(organisation: Organisation, environment: str) -> None:
    assert organisation.check(GOOD, "--environment", environment).exit_code == 2
    document = good(request=GOOD["request"] | {"environment": environment})
    refused(organisation.check(document))


def test_an_unknown_action_is_never_an_allow(organisation: Organisation) -> None:
    assert organisation.check(good(request=GOOD["request"] | {"action": "publish"})).exit_code == 2


def test_no_rule_applied_is_never_an_allow(organisation: Organisation) -> None:
    (organisation.folder / "policies/selection.yaml").write_text('exclude: {default: ["*"]}\n')
    answer = refused(organisation.check(GOOD))
    assert answer["outcome"] == "deny" or "selects nothing" in json.dumps(answer)


def test_a_collector_that_failed_is_undecided(organisation: Organisation) -> None:
    others = [entry for entry in GOOD["collection"] if entry["name"] != "drift"]
    failed = {"name": "drift", "status": "failed", "reason": "the table is broken."}
    ran = organisation.check(good(drift=None, collection=[*others, failed]))
    assert ran.exit_code == 3
    assert "the table is broken" in " ".join(refused(ran)["reasons"])


def test_a_certificate_that_expires_in_another_time_zone_counts_as_the_instant_it_is(
    organisation: Organisation,
) -> None:
    path = ("developers", 0, "certificates", 0, "expires")
    # 23:59 yesterday in UTC-12 may still be ahead of us; 00:01 tomorrow in UTC+14 may be behind us.
    from datetime import UTC, datetime, timedelta, timezone

    now = datetime.now(UTC)
    ahead = (now + timedelta(minutes=5)).astimezone(timezone(timedelta(hours=-12))).isoformat()
    behind = (now - timedelta(minutes=5)).astimezone(timezone(timedelta(hours=14))).isoformat()
    assert organisation.check(with_value(GOOD, path, ahead)).exit_code == 0
    assert refused(organisation.check(with_value(GOOD, path, behind)))["outcome"] == "deny"


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_models_name_is_data_and_nothing_else(organisation: Organisation, name: str) -> None:
    document = with_value(with_value(GOOD, ("subject", "name"), name), ("model", "name"), name)
    allowed = organisation.check(document)
    assert allowed.exit_code == 0
    assert allowed.json["subject"]["name"] == name
    denied = organisation.check(with_value(document, _METRIC, 0.9))
    assert denied.exit_code == 1
    shown = organisation.mandate("check", "--input", str(organisation.folder / "input.json"))
    assert "\x1b" not in shown.out
    assert "\u202e" not in shown.out
    assert [entry["outcome"] for entry in organisation.decisions()] == ["allow", "deny", "deny"]
    assert organisation.mandate("ledger", "verify").exit_code == 0


def test_a_name_of_ten_kilobytes_is_a_bad_request(organisation: Organisation) -> None:
    ran = organisation.check(with_value(GOOD, ("subject", "name"), "x" * 10_000))
    assert ran.exit_code == 2
    assert len(ran.out) < 2_000


def test_a_waiver_that_somebody_merely_sends_waives_nothing(organisation: Organisation) -> None:
    waiver = {
        "id": "w",
        "rule": "fairness.demographic_parity",
        "subject_sha256": GOOD["subject"]["sha256"],
        "approver": "carol",
        "reason": "because",
        "reference": "T-1",
        "effective_on": "2020-01-01T00:00:00Z",
        "expires": "2999-01-01T00:00:00Z",
    }
    entry = GOOD["collection"][0] | {"name": "waivers"}
    document = good(waivers=[waiver], collection=[*GOOD["collection"], entry])
    assert refused(organisation.check(with_value(document, _METRIC, 0.9)))["outcome"] == "deny"


# --- the ledger ---------------------------------------------------------------------------------------------


def _corrupted(ledger: Path) -> None:
    content = bytearray(ledger.read_bytes())
    content[: len(content)] = b"\x00" * len(content)
    ledger.write_bytes(content)


def _truncated(ledger: Path) -> None:
    with ledger.open("r+b") as file:
        file.truncate(5000)


def _missing(ledger: Path) -> None:
    ledger.unlink()


def _a_folder(ledger: Path) -> None:
    ledger.unlink()
    ledger.mkdir()


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """The folder without the right to write to it, for anybody."""
    if os.geteuid() != 0:
        modes = {path: path.stat().st_mode for path in (folder, *folder.iterdir())}
        for path, mode in modes.items():
            path.chmod(mode & ~0o222)
        yield
        for path, mode in modes.items():
            path.chmod(mode)
        return
    # Root writes whatever the modes say: only a file system that is mounted read-only stops it.
    subprocess.run(["mount", "--bind", folder, folder], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("damage", [_corrupted, _truncated, _missing, _a_folder])
def test_a_damaged_ledger_is_never_an_allow(
    organisation: Organisation, damage: Callable[[Path], None]
) -> None:
    assert organisation.check(GOOD).exit_code == 0
    damage(organisation.folder / ".mandate/ledger.db")
    ran = organisation.check(GOOD)
    assert ran.exit_code == 3
    refused(ran)


def test_a_read_only_ledger_is_never_an_allow(organisation: Organisation) -> None:
    assert organisation.check(GOOD).exit_code == 0
    with read_only(organisation.folder / ".mandate"):
        ran = organisation.check(GOOD)
    assert ran.exit_code == 3
    refused(ran)
    assert [entry["outcome"] for entry in organisation.decisions()] == ["allow"]


def test_a_full_disk_is_never_an_allow_and_loses_nothing(organisation: Organisation) -> None:
    parameters = [{"name": f"parameter {number}", "value": "x" * 100} for number in range(4_000)]
    large = good(model=GOOD["model"] | {"parameters": parameters})
    assert organisation.check(large).exit_code == 0
    document = organisation.folder / "input.json"
    # A limit on the size of files is what a full disk is to SQLite: its writes fail in the middle. The child
    # OPA gets a copy of the bundle, which has to fit; the new entry, with the whole input, does not.
    limit = 1000 + max(path.stat().st_size for path in (organisation.folder / ".mandate/policies").iterdir())

    def starved() -> None:
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    ran = subprocess.run(
        [sys.executable, "-m", "mandate", "check", "--input", document, "--output", "json"],
        cwd=organisation.folder,
        env=os.environ | {"TMPDIR": str(organisation.folder)},
        preexec_fn=starved,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 3, ran.stdout + ran.stderr
    assert json.loads(ran.stdout)["outcome"] == "undecided"
    assert [entry["outcome"] for entry in organisation.decisions()] == ["allow"]
    assert organisation.mandate("ledger", "verify").exit_code == 0
    assert organisation.check(large).exit_code == 0


def test_a_missing_or_open_signing_key_is_never_an_allow(organisation: Organisation) -> None:
    key = organisation.folder / ".mandate/keys/signing.pem"
    key.chmod(0o644)
    assert organisation.check(GOOD).exit_code == 2
    key.unlink()
    assert organisation.check(GOOD).exit_code == 2
    assert organisation.decisions() == []


def test_policies_that_do_not_compile_are_never_an_allow(organisation: Organisation) -> None:
    folder = organisation.folder / "policies/mandate/rules/fairness/broken"
    folder.mkdir(parents=True)
    (folder / "broken.rego").write_text("package mandate.rules.fairness.broken\n\nmust := {{{\n")
    ran = organisation.check(GOOD)
    assert ran.exit_code == 2
    assert "organisation/mandate/rules/fairness/broken/broken.rego:" in ran.out
    shutil.rmtree(folder)
    assert organisation.check(GOOD).exit_code == 0
