"""What the policies say at the door: of objects that run no model, and when nobody can ask them."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uuid_utils

from mandate import composition
from mandate.engine import configuration
from mandate.engine.evidence import standing
from mandate.engine.evidence.predicates.acts import ActOutcome, Phase, VersionStated
from mandate.engine.evidence.predicates.retirement import RetirementPredicate
from mandate.engine.input import Input
from tests.cluster import Object, asked, deployment, new_model, pod, review
from tests.organisation import Organisation, with_value
from tests.service import Serving, serving

WAIVED = new_model()
"""A model for which the organisation waives a rule."""
NONE = {"mandate.dev/model": "none"}
RULE = """\
# METADATA
# title: Only the platform team may run something without a model here
# description: |
#   Whoever claims that an object runs no model is known to the platform team.
# custom:
#   failure_msg: Somebody else claims that no model runs there
#   solution: Name the model, or let the platform team deploy it.
#   severity: high
#   collections: [cluster]
#   controls: [SOC 2 CC8.1]
#   effective_on: "2026-01-01T00:00:00Z"
#   depends_on: [admission]
#   actions: [deploy]
#   waivable: false
package mandate.rules.cluster.no_model

import data.mandate.lib.check
import data.mandate.lib.facts
import data.mandate.lib.thresholds

terms := {"claim"}

must contains check.equals("claim", fact, thresholds.fixed("platform (by decider)")) if {
	fact := facts.derived("admission", input.request.requested_by)
}
"""


def with_rule(organisation: Organisation) -> None:
    """The organisation judges what runs no model by a rule of its own, and waives one for a model."""
    policies = organisation.folder / "policies"
    rule = policies / "mandate/rules/cluster/no_model/no_model.rego"
    rule.parent.mkdir(parents=True)
    rule.write_text(RULE)
    (policies / "selection.yaml").write_text(
        "include: {models: {none: [cluster]}}\nexclude: {default: [cluster], models: {none: []}}\n"
    )

    waivers = policies / "waivers/credit.yaml"
    waivers.parent.mkdir()
    waivers.write_text(
        "- rule: fairness.demographic_parity\n"
        f'  subject: {{name: credit, version: "{WAIVED.version}"}}\n'
        "  reason: The gap is that of the sample\n"
        "  reference: MRM-1\n"
        "  approver: rita@bank.example\n"
        "  effective_on: 2026-11-01\n"
        "  expires: 2027-01-15\n"
    )


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(tmp_path_factory.mktemp("cluster"), with_rule) as running:
        yield running


def test_that_no_model_runs_is_a_claim_that_rego_judges_and_that_is_recorded(cluster: Serving) -> None:
    found = deployment(NONE, "proxy:1")
    allowed = asked(cluster, review(found, user="platform"))
    newest = cluster.organisation.entries()[-1]
    assert allowed["allowed"] is True
    assert allowed["auditAnnotations"]["decision-id"] == newest["id"]
    assert newest["subject"] == "kubernetes://production/lending/Deployment.apps/credit"
    denied = asked(cluster, review(found, user="ada"))
    assert [cause["reason"] for cause in denied["status"]["details"]["causes"]] == ["cluster.no_model"]
    assert cluster.organisation.entries()[-1]["outcome"] == "deny"


def test_where_no_policy_says_so_the_claim_is_denied(service: Serving) -> None:
    response = asked(service, review(pod(NONE, "proxy:1")))
    assert response["status"]["reason"] == "Forbidden"
    assert service.organisation.entries()[-1]["outcome"] == "deny"


def test_an_allow_ends_when_the_waiver_expires_that_it_rests_on(cluster: Serving) -> None:
    unfair = with_value(WAIVED.document, ("fairness", "attributes", 0, "metrics", 0, "value"), 0.9)
    assert cluster.decide(unfair).json()["outcome"] == "allow"
    status = cluster.call("GET", f"/v1/subjects/{WAIVED.sha256}/status?environment=production").json()
    assert (status["allowed"], status["until"]) == (True, "2027-01-15T00:00:00.000Z")
    response = asked(cluster, review(deployment(WAIVED.annotations, WAIVED.image)))
    assert response["allowed"] is True
    configured = configuration.load(cluster.organisation.folder / "mandate.yaml", environment={})
    expired = datetime(2027, 1, 15, tzinfo=UTC)
    found = standing.look_up(
        composition.ledger(configured),
        composition.public_keys(configured),
        sha256=WAIVED.sha256,
        environment="production",
        now=expired,
    )
    assert (found.allowed, found.reason, found.until) == (
        False,
        "A waiver that the allow rests on expired at 2027-01-15T00:00:00.000Z.",
        expired,
    )


def opas() -> set[int]:
    """The OPAs that this process started, each below a guard."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,comm="], capture_output=True, text=True, check=True)
    processes = [line.split(maxsplit=2) for line in listed.stdout.splitlines()]
    guards = {pid for pid, parent, _ in processes if int(parent) == os.getpid()}
    return {int(pid) for pid, parent, name in processes if parent in guards and name == "opa"}


def test_what_takes_too_long_is_undecided_a_second_before_the_api_server_gives_up(tmp_path: Path) -> None:
    before = opas()
    with serving(tmp_path) as cluster:
        model = new_model()
        assert cluster.decide(model.document).json()["outcome"] == "allow"
        (opa,) = opas() - before
        os.kill(opa, signal.SIGSTOP)
        try:
            began = time.monotonic()
            found = review(deployment(model.annotations, model.image))
            response = asked(cluster, found, query="?timeout=3s")
            took = time.monotonic() - began
        finally:
            os.kill(opa, signal.SIGCONT)
        assert 1.5 <= took < 7  # everybody else has 10 s
        assert (response["status"]["code"], response["status"]["reason"]) == (500, "InternalError")
        assert response["status"]["message"].startswith("Undecided by Mandate, so not allowed: ")
        end = time.monotonic() + 20
        while not asked(cluster, found)["allowed"]:  # OPA goes on, and so does everybody else
            assert time.monotonic() < end
            time.sleep(0.2)


def test_work_that_does_not_end_is_answered_in_time(tmp_path: Path) -> None:
    """The ledger's writer waits for somebody who holds the database; the API server does not."""
    with serving(tmp_path) as cluster:
        model = new_model()
        assert cluster.decide(model.document).json()["outcome"] == "allow"
        held = sqlite3.connect(tmp_path / ".mandate/ledger.db")
        held.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        found = review(deployment(model.annotations, model.image))
        response = asked(cluster, found, query="?timeout=3s")
        took = time.monotonic() - began
        held.execute("ROLLBACK")
        held.close()
        assert took < 7
        assert response["status"]["message"] == (
            "Undecided by Mandate, so not allowed: no decision on record, 1 reason\n"
            "1. there was no answer within 2 s\n"
            "Next step: Try again; if it stays so, ask whoever runs Mandate"
        )


def test_an_undecided_decision_is_decided_anew(tmp_path: Path) -> None:
    def hasty(organisation: Organisation) -> None:
        file = organisation.folder / "mandate.yaml"
        file.write_text(file.read_text().replace("  timeout: 10\n", "  timeout: 1\n"))

    before = opas()
    with serving(tmp_path, hasty, admission={"window_seconds": 120}) as cluster:
        model = new_model()
        assert cluster.decide(model.document).json()["outcome"] == "allow"
        (opa,) = opas() - before
        found = review(deployment(model.annotations, model.image))
        os.kill(opa, signal.SIGSTOP)
        try:
            response = asked(cluster, found)
        finally:
            os.kill(opa, signal.SIGCONT)
        newest = cluster.organisation.entries()[-1]
        assert (response["status"]["code"], newest["outcome"]) == (500, "undecided")
        assert response["auditAnnotations"]["decision-id"] == newest["id"]
        # Nobody decided then: an allow that stood stands, and the same question is put again.
        assert asked(cluster, review(pod(model.annotations, model.image)))["allowed"] is True
        assert asked(cluster, found)["allowed"] is True


def test_a_failed_collector_leaves_no_facts_to_judge_by(tmp_path: Path) -> None:
    with serving(tmp_path) as cluster:
        model = new_model()
        failed = {"name": "approvals", "status": "failed", "reason": "down"}
        assert cluster.decide(with_value(model.document, ("collection", 0), failed)).status_code == 503
        response = asked(cluster, review(deployment(model.annotations, model.image)))
        assert "nothing is on record about" in response["status"]["message"]


def test_what_was_measured_comes_before_what_somebody_reported_since(cluster: Serving) -> None:
    model = new_model()
    unfair = with_value(model.document, ("fairness", "attributes", 0, "metrics", 0, "value"), 0.9)
    configured = configuration.load(cluster.organisation.folder / "mandate.yaml", environment={})
    with composition.assembled(configured) as here:
        measured = here.gate.decide(Measured(unfair))
    assert measured.outcome == "deny"
    assert cluster.decide(model.document).json()["outcome"] == "allow"
    response = asked(cluster, review(deployment(model.annotations, model.image)))
    # What was approved were other findings: so the approvals do not count for these.
    reasons = {cause["reason"] for cause in response["status"]["details"]["causes"]}
    assert reasons == {"approvals.signed_off", "fairness.demographic_parity"}


class Measured:
    """Facts that a collector of ours measured."""

    def __init__(self, document: Object) -> None:
        self._document = document

    def assemble(self, time: datetime) -> Input:
        document = with_value(self._document, ("request", "time"), time.isoformat())
        document = with_value(document, ("request", "what_if"), False)
        return Input.model_validate_json(json.dumps(document))

    def confirm(self, document: Input) -> None: ...


@pytest.mark.parametrize(("phase", "ended"), [("intent", False), ("result", True)])
def test_a_retirement_that_came_about_ends_an_allow(cluster: Serving, phase: str, ended: bool) -> None:
    model = new_model()
    assert cluster.decide(model.document).json()["outcome"] == "allow"
    configured = configuration.load(cluster.organisation.folder / "mandate.yaml", environment={})
    is_result = phase == "result"
    with ExitStack() as stack:
        receipt = composition.recorder(configured, stack).event(
            RetirementPredicate,
            phase=Phase(phase),
            registry="sqlite:///mlflow.db",
            model="credit",
            version=VersionStated(version=model.version, sha256=model.sha256),
            moves=(),
            environment=None,
            decision=None,
            by="ada",
            reason="It is replaced",
            after=None,
            intent=str(uuid_utils.uuid7()) if is_result else None,
            outcome=ActOutcome.DONE if is_result else None,
            observed=False,
            error=None,
        )
    response = asked(cluster, review(pod(model.annotations, model.image)))
    assert response["allowed"] is not ended
    if ended:
        assert (
            f"It was ended since, by the entry {receipt.index} (retirement)." in response["status"]["message"]
        )


def test_a_ledger_that_cannot_be_read_leaves_everything_undecided(tmp_path: Path) -> None:
    with serving(tmp_path) as cluster:
        model = new_model()
        assert cluster.decide(model.document).json()["outcome"] == "allow"
        database = tmp_path / ".mandate/ledger.db"
        for file in tmp_path.glob(".mandate/ledger.db*"):
            file.write_bytes(b"x" * 100_000)
        assert database.exists()
        for found in (pod(model.annotations, model.image), deployment(model.annotations, model.image)):
            response = asked(cluster, review(found))
            assert (response["status"]["code"], response["status"]["reason"]) == (500, "InternalError")


@pytest.mark.parametrize("damage", ["UPDATE envelopes SET envelope = x'7b7d'", "DELETE FROM envelopes"])
def test_an_allow_that_is_not_what_was_recorded_is_undecided(tmp_path: Path, damage: str) -> None:
    with serving(tmp_path) as cluster:
        model = new_model()
        answer = cluster.decide(model.document).json()
        assert answer["outcome"] == "allow"
        with closing(sqlite3.connect(tmp_path / ".mandate/ledger.db")) as connection, connection:
            triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
            for (name,) in triggers:
                connection.execute(f"DROP TRIGGER {name}")
            connection.execute(f"{damage} WHERE position = {answer['ledger']['index']}")
        for found in (pod(model.annotations, model.image), deployment(model.annotations, model.image)):
            status = asked(cluster, review(found))["status"]
            assert (status["code"], status["reason"]) == (500, "InternalError")
            assert "the entry is not what was recorded" in status["message"]


def test_an_api_server_without_a_token_is_answered_where_that_is_set(tmp_path: Path) -> None:
    body = review(pod({}, "a:1"))
    with serving(tmp_path, admission={"anonymous": True}) as cluster:
        answer = cluster.call("POST", "/v1/admission/production", json=body, role=None)
        assert answer.status_code == 200
        bad = {"Authorization": "Bearer wrong"}
        answer = cluster.call("POST", "/v1/admission/production", json=body, role=None, headers=bad)
        assert answer.status_code == 401
        status = cluster.call("GET", f"/v1/subjects/{'0' * 64}/status?environment=x", role=None)
        assert status.status_code == 401
