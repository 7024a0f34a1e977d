"""An allow and a deny in the words of SLSA (VSA v1) and of in-toto (SVR v0.2)."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from in_toto_attestation.predicates.vsa.v1 import vsa_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.statement import Statement
from jsonschema import Draft202012Validator, FormatChecker

from mandate import __version__
from mandate.engine.digests import canonical
from mandate.engine.evidence import envelope, keys, public_keys
from tests.organisation import GOOD, Organisation, Ran, founded, good, with_value

UNFAIR = with_value(GOOD, ("fairness", "attributes", 0, "metrics", 0, "value"), 0.9)
OLD = ".mandate/keys/signing.pem"
TYPES = {"vsa": "https://slsa.dev/verification_summary/v1", "svr": "https://in-toto.io/attestation/svr/v0.2"}
URI = {"type": "string", "pattern": r"^[a-z][a-z0-9+.-]*:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+$"}
TIMESTAMP = {"type": "string", "format": "date-time", "pattern": "Z$"}
DESCRIPTOR = {
    "type": "object",
    "properties": {
        "uri": URI,
        "digest": {
            "type": "object",
            "properties": {"sha256": {"pattern": "^[0-9a-f]{64}$"}},
            "minProperties": 1,
        },
    },
    "required": ["uri", "digest"],
    "additionalProperties": False,
}
SHAPES: dict[str, dict[str, Any]] = {
    # As the specifications say, of the fields that Mandate writes; `FAILED` as what SLSA says of it.
    "vsa": {
        "type": "object",
        "properties": {
            "verifier": {
                "type": "object",
                "properties": {
                    "id": URI,
                    "version": {"type": "object", "additionalProperties": {"type": "string"}},
                },
                "required": ["id"],
                "additionalProperties": False,
            },
            "timeVerified": TIMESTAMP,
            "resourceUri": URI,
            "policy": DESCRIPTOR,
            "inputAttestations": {"type": "array", "items": DESCRIPTOR},
            "verificationResult": {"enum": ["PASSED", "FAILED"]},
            "verifiedLevels": {
                "type": "array",
                "items": {"type": "string", "not": {"pattern": "^SLSA_"}},
                "minItems": 1,
            },
        },
        "required": [
            *("verifier", "timeVerified", "resourceUri", "policy"),
            *("verificationResult", "verifiedLevels"),
        ],
        "additionalProperties": False,
        "if": {"properties": {"verificationResult": {"const": "FAILED"}}},
        "then": {"properties": {"verifiedLevels": {"const": ["FAILED"]}}},
        "else": {"properties": {"verifiedLevels": {"items": {"not": {"const": "FAILED"}}}}},
    },
    "svr": {
        "type": "object",
        "properties": {
            "verifier": {
                "type": "object",
                "properties": {"id": URI, "policies": {"type": "array", "items": DESCRIPTOR}},
                "required": ["id", "policies"],
                "additionalProperties": False,
            },
            "timeCreated": TIMESTAMP,
            "properties": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
        },
        "required": ["verifier", "timeCreated", "properties"],
        "additionalProperties": False,
    },
}


@pytest.fixture(scope="module")
def organisation(tmp_path_factory: pytest.TempPathFactory) -> Organisation:
    return founded(tmp_path_factory.mktemp("organisation"), trusting=True)


@pytest.fixture(scope="module")
def allowed(organisation: Organisation) -> dict[str, Any]:
    answer: dict[str, Any] = organisation.check(GOOD).json
    assert answer["outcome"] == "allow"
    return answer


@pytest.fixture(scope="module")
def denied(organisation: Organisation) -> dict[str, Any]:
    answer: dict[str, Any] = organisation.check(UNFAIR).json
    assert answer["outcome"] == "deny"
    return answer


def bundle(organisation: Organisation, decision: str, kind: str) -> Ran:
    return organisation.mandate("ledger", "bundle", decision, "--type", kind)


def signed(exported: str | bytes) -> bytes:
    payload: str = json.loads(exported)["dsseEnvelope"]["payload"]
    return base64.b64decode(payload)


def descriptors(answer: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Of the policies, and of the decision."""
    policy, ledger = answer["policy"], answer["ledger"]
    return (
        {
            "uri": f"https://mandate.dev/policies/{policy['revision']}",
            "digest": {"sha256": policy["bundle_sha256"]},
        },
        {"uri": f"urn:uuid:{answer['id']}", "digest": {"sha256": ledger["leaf"]}},
    )


def test_a_vsa_says_what_passed_for_what_by_whose_policies(
    organisation: Organisation, allowed: dict[str, Any]
) -> None:
    policy, decision = descriptors(allowed)
    payload = signed(bundle(organisation, allowed["id"], "vsa").out)
    assert json.loads(payload) == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "models:/credit/2", "digest": {"sha256": GOOD["subject"]["sha256"]}}],
        "predicateType": "https://slsa.dev/verification_summary/v1",
        "predicate": {
            "verifier": {
                "id": "https://mandate.dev/verifier/v1/bank.example/models",
                "version": {"mandate": __version__, "opa": allowed["opa"]["version"]},
            },
            "timeVerified": allowed["request"]["time"][:23] + "Z",
            "resourceUri": "models:/credit/2?action=promote&environment=production",
            "policy": policy,
            "inputAttestations": [decision],
            "verificationResult": "PASSED",
            "verifiedLevels": ["MANDATE_ALLOWED_promote_production"],
        },
    }


def test_a_vsa_of_a_deny_failed_and_has_no_level(organisation: Organisation, denied: dict[str, Any]) -> None:
    predicate = json.loads(signed(bundle(organisation, denied["id"], "vsa").out))["predicate"]
    assert (predicate["verificationResult"], predicate["verifiedLevels"]) == ("FAILED", ["FAILED"])


def test_a_svr_of_an_allow_names_what_passed(organisation: Organisation, allowed: dict[str, Any]) -> None:
    policy, _ = descriptors(allowed)
    statement = json.loads(signed(bundle(organisation, allowed["id"], "svr").out))
    rules = sorted({finding["rule"] for finding in allowed["findings"]})
    assert (statement["predicateType"], statement["predicate"]) == (
        "https://in-toto.io/attestation/svr/v0.2",
        {
            "verifier": {
                "id": "https://mandate.dev/verifier/v1/bank.example/models",
                "policies": [policy],
            },
            "timeCreated": allowed["request"]["time"][:23] + "Z",
            "properties": [
                "MANDATE_ALLOWED_promote_production",
                *(f"MANDATE_PASSED_{rule}" for rule in rules),
            ],
        },
    )


def test_a_svr_of_a_deny_allows_nothing_and_names_no_rule_of_which_something_did_not_pass(
    organisation: Organisation, denied: dict[str, Any]
) -> None:
    properties = json.loads(signed(bundle(organisation, denied["id"], "svr").out))["predicate"]["properties"]
    assert {each["rule"] for each in denied["findings"] if each["outcome"] == "passed"} >= {
        "fairness.demographic_parity"  # of another term
    }
    assert "MANDATE_PASSED_fairness.demographic_parity" not in properties
    assert "MANDATE_PASSED_registry.digest" in properties
    assert not [each for each in properties if each.startswith("MANDATE_ALLOWED")]


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("outcome", ["allowed", "denied"])
def test_each_is_as_its_specification_and_the_in_toto_library_want_it(
    organisation: Organisation, kind: str, outcome: str, request: pytest.FixtureRequest
) -> None:
    exported = bundle(organisation, request.getfixturevalue(outcome)["id"], kind).out
    payload = signed(exported)
    statement = json.loads(payload)
    assert canonical(statement) == payload
    Statement.copy_from_pb(json_format.Parse(payload, statement_pb2.Statement())).validate()
    predicate = statement["predicate"]
    Draft202012Validator(SHAPES[kind], format_checker=FormatChecker()).validate(predicate)
    if kind == "vsa":
        # Release 0.9.3 of the library has room for one level, where the specification wants an array.
        (level,) = predicate["verifiedLevels"]
        summary = json_format.ParseDict(
            predicate | {"verifiedLevels": level},
            vsa_pb2.VerificationSummary(),
            ignore_unknown_fields=True,  # as the specification demands; `version` came with SLSA 1.1
        )
        assert json_format.MessageToDict(summary) == predicate | {
            "verifiedLevels": level,
            "verifier": {"id": predicate["verifier"]["id"]},
        }
    else:
        for policy in predicate["verifier"]["policies"]:
            ResourceDescriptor(**policy).validate()
    key = public_keys.load(organisation.folder / ".mandate/keys/signing.pub")
    inside = json.dumps(json.loads(exported)["dsseEnvelope"]).encode()
    envelope.verify(envelope.parse(inside), public_keys.keyring(key))


@pytest.mark.parametrize("kind", TYPES)
def test_cosign_verifies_each_and_holds_it_against_the_models_digest(
    organisation: Organisation, allowed: dict[str, Any], cosign: Path, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "bundle.json").write_text(bundle(organisation, allowed["id"], kind).out)
    key = organisation.folder / ".mandate/keys/signing.pub"
    command = [str(cosign), "verify-blob-attestation", "--key", str(key), "--bundle", "bundle.json"]
    command += ["--type", TYPES[kind], "--insecure-ignore-tlog", "--digestAlg", "sha256", "--digest"]
    codes = [
        subprocess.run(
            [*command, digest],
            cwd=tmp_path,
            capture_output=True,
            check=False,
            env={"HOME": str(tmp_path), "HTTPS_PROXY": "http://127.0.0.1:9", "PATH": os.environ["PATH"]},
        ).returncode
        for digest in (GOOD["subject"]["sha256"], "ab" * 32)
    ]
    assert codes[0] == 0
    assert codes[1] != 0


@pytest.mark.parametrize("kind", TYPES)
def test_an_undecided_answer_has_neither(organisation: Organisation, kind: str) -> None:
    undecided = organisation.check(GOOD, "--set", "opa.url=http://127.0.0.1:9").json
    refused = bundle(organisation, undecided["id"], kind)
    assert refused.exit_code == 2
    assert f"there is no {kind.upper()} of this decision: it is undecided" in refused.err
    assert bundle(organisation, undecided["id"], "decision").exit_code == 0


def test_what_would_be_decided_has_neither(organisation: Organisation, tmp_path: Path) -> None:
    answer = organisation.check(GOOD, "--what-if", "--attest", str(tmp_path)).json
    assert list(files(tmp_path)) == ["decision.sigstore.json"]
    refused = bundle(organisation, answer["id"], "svr")
    assert refused.exit_code == 2
    assert "it only says what would be decided" in refused.err


def test_a_decision_about_no_artifact_has_neither(organisation: Organisation) -> None:
    answer = organisation.check(with_value(GOOD, ("subject", "sha256"), None)).json
    refused = bundle(organisation, answer["id"], "vsa")
    assert refused.exit_code == 2
    assert "its artifact has no digest" in refused.err


def test_a_name_that_is_no_uri_is_written_as_one(organisation: Organisation) -> None:
    subject = GOOD["subject"] | {"name": "a b?c#é", "uri": "models:/a b?c#é/2"}
    answer = organisation.check(good(subject=subject, model=...)).json
    predicate = json.loads(signed(bundle(organisation, answer["id"], "vsa").out))["predicate"]
    assert predicate["resourceUri"] == ("models:/a%20b%3Fc%23%C3%A9/2?action=promote&environment=production")


def test_a_key_that_gave_way_signs_nothing_more(tmp_path: Path) -> None:
    organisation = founded(tmp_path, trusting=True)
    decision = organisation.check(GOOD).json["id"]
    new = keys.create(tmp_path / "new.pem")
    assert organisation.mandate("key", "rotate", "--to", "new.pem").exit_code == 0
    old = organisation.mandate("ledger", "bundle", decision, "--type", "vsa", "--set", f"ledger.key={OLD}")
    assert (old.exit_code, old.out) == (2, "")
    assert "was rotated in entry " in old.err
    by_new = ("--set", "ledger.key=new.pem", "--set", "ledger.keys=.mandate/keys")
    shown = organisation.mandate("ledger", "bundle", decision, "--type", "vsa", *by_new)
    assert shown.exit_code == 0, shown.err
    assert shown.json["verificationMaterial"]["publicKey"]["hint"] == new.public_key.keyid


def files(folder: Path) -> dict[str, str]:
    """The predicate type in each file."""
    return {
        file.name: json.loads(signed(file.read_bytes()))["predicateType"] for file in sorted(folder.iterdir())
    }


def test_check_writes_all_of_them_beside_each_other(organisation: Organisation, tmp_path: Path) -> None:
    folder = tmp_path / "ci" / "evidence"
    shown = organisation.mandate("check", "--input", str(_good(tmp_path)), "--attest", str(folder))
    assert shown.exit_code == 0
    for kind in ("decision", *TYPES):
        assert f"  wrote {folder}/{kind}.sigstore.json" in shown.out.splitlines()
    assert files(folder) == {
        "decision.sigstore.json": "https://mandate.dev/attestations/decision/v1",
        "svr.sigstore.json": TYPES["svr"],
        "vsa.sigstore.json": TYPES["vsa"],
    }


def test_of_an_undecided_answer_only_the_decision_is_written(
    organisation: Organisation, tmp_path: Path
) -> None:
    shown = organisation.check(GOOD, "--attest", str(tmp_path / "new"), "--set", "opa.url=http://127.0.0.1:9")
    assert (shown.exit_code, shown.json["outcome"]) == (3, "undecided")
    assert list(files(tmp_path / "new")) == ["decision.sigstore.json"]


def test_the_attestations_of_another_decision_are_not_left_to_be_taken_for_these(
    organisation: Organisation, tmp_path: Path
) -> None:
    (tmp_path / "vsa.sigstore.json").write_text("{}")
    before = len(organisation.entries())
    shown = organisation.check(GOOD, "--attest", str(tmp_path))
    assert shown.exit_code == 2
    assert shown.json["error"]["what"] == "there is an attestation already, of another decision"
    assert len(organisation.entries()) == before


def test_attestations_that_find_no_place_do_not_cost_the_answer(
    organisation: Organisation, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    shown = organisation.mandate(
        "check", "--input", str(_good(tmp_path)), "--attest", str(tmp_path / "file" / "below")
    )
    assert shown.exit_code == 2
    assert " ALLOW " in shown.out
    assert "the attestations cannot be written: Not a directory" in shown.err
    assert "→ The decision is on record: `mandate ledger bundle " in shown.err


def _good(folder: Path) -> Path:
    file = folder / "good.json"
    file.write_text(json.dumps(GOOD))
    return file
