"""The log says when policies began to decide, once, before their first decision."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from mandate.engine.evidence import public_keys
from tests.engine.policy.released import customer, publisher
from tests.organisation import GOOD, TRUSTING, Organisation, founded

RELEASE = "https://mandate.dev/attestations/policy-release/v1"
DECISION = "https://mandate.dev/attestations/decision/v1"


def kinds(organisation: Organisation) -> list[str]:
    """Of what was recorded after the ledger was opened."""
    return [entry["kind"] for entry in organisation.entries()[1:]]


def statements(organisation: Organisation, kind: str) -> list[dict[str, Any]]:
    from mandate.engine.evidence import envelope
    from mandate.engine.evidence.sql import sqlite

    store = sqlite.open_for_reading(organisation.folder / ".mandate/ledger.db")
    try:
        found = [stored.envelope for stored in store.entries() if stored.kind == kind]
    finally:
        store.close()
    return [json.loads(envelope.parse(data or b"").payload) for data in found]


def test_policies_begin_to_decide_before_their_first_decision_and_once(tmp_path: Path) -> None:
    organisation = founded(tmp_path, trusting=True)
    first = organisation.check(GOOD).json
    assert organisation.check(GOOD).exit_code == 0
    assert kinds(organisation) == [RELEASE, DECISION, DECISION]
    (release,) = statements(organisation, RELEASE)
    policy = first["policy"]
    assert release["subject"] == [{"name": policy["revision"], "digest": {"sha256": policy["bundle_sha256"]}}]
    said = release["predicate"]
    assert {name: said[name] for name in ("revision", "bundleSha256", "release", "by")} == {
        "revision": policy["revision"],
        "bundleSha256": policy["bundle_sha256"],
        "release": None,
        "by": first["request"]["requested_by"],
    }
    (organisation.folder / "policies/thresholds/evidence.yaml").write_text(f"{TRUSTING}# another revision\n")
    assert organisation.check(GOOD).exit_code == 0
    assert kinds(organisation) == [RELEASE, DECISION, DECISION, RELEASE, DECISION]
    assert organisation.mandate("ledger", "verify").exit_code == 0


def test_policies_by_which_nobody_could_decide_did_not_begin_to(tmp_path: Path) -> None:
    organisation = founded(tmp_path, trusting=True)
    assert organisation.check(GOOD, "--set", "opa.url=http://127.0.0.1:9").exit_code == 3
    assert kinds(organisation) == [DECISION]


def test_two_processes_at_once_say_it_once(tmp_path: Path) -> None:
    organisation = founded(tmp_path, trusting=True)
    (tmp_path / "input.json").write_text(json.dumps(GOOD))
    command = [sys.executable, "-m", "mandate", "check", "--input", "input.json"]
    started = [
        subprocess.Popen(command, cwd=tmp_path, env=os.environ, stdout=subprocess.PIPE) for _ in range(3)
    ]
    for process in started:
        with process:
            process.communicate(timeout=60)
        assert process.returncode == 0
    assert sorted(kinds(organisation)) == [DECISION, DECISION, DECISION, RELEASE]
    assert kinds(organisation)[0] == RELEASE


def test_a_signed_release_is_named_by_its_number_and_key(tmp_path: Path) -> None:
    for name in ("authors", "customer"):
        (tmp_path / name).mkdir()
    authors = publisher(tmp_path / "authors")
    organisation = customer(tmp_path / "customer", authors)
    keyid = public_keys.load(authors.key()).keyid
    for number in (7, 8):
        (organisation.folder / "policies.tar.gz").write_bytes(authors.release(number).read_bytes())
        assert organisation.check(GOOD).exit_code == 0
    said = [statement["predicate"]["release"] for statement in statements(organisation, RELEASE)]
    assert said == [{"number": 7, "keyid": keyid}, {"number": 8, "keyid": keyid}]
