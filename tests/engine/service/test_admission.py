"""What an API server is told about objects that run models."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mandate.engine.service.access import tokens
from mandate.engine.service.access.roles import Role
from tests.cluster import Model, Object, asked, deployment, new_model, pod, review, well_formed
from tests.organisation import founded, with_value
from tests.service import Serving, serving, with_callers

SRE = ("system:authenticated", "sre")
UNFAIR = ("fairness", "attributes", 0, "metrics", 0, "value")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A service whose API server's users of the group `sre` may break glass."""
    folder = tmp_path_factory.mktemp("cluster")
    glass = {"break_glass_groups": ["sre"], "break_glass_callers": ["decider"]}
    with serving(folder, admission=glass) as running:
        yield running


@pytest.fixture
def model(cluster: Serving) -> Model:
    """A model that was allowed in production."""
    made = new_model()
    assert cluster.decide(made.document).json()["outcome"] == "allow"
    return made


def count(cluster: Serving) -> int:
    """The entries of the ledger, as its head says it."""
    return int(cluster.call("GET", "/v1/checkpoint").text.splitlines()[1])


def causes(response: dict[str, Any]) -> list[tuple[str, str | None]]:
    """The rule and the place of each reason."""
    return [(each["reason"], each.get("field")) for each in response["status"]["details"]["causes"]]


# Pods -------------------------------------------------------------------------------------------


def test_a_pod_is_allowed_where_an_allow_stands(cluster: Serving, model: Model) -> None:
    before = count(cluster)
    response = asked(cluster, review(pod(model.annotations, model.image)))
    newest = cluster.organisation.entries()[-1]
    assert response["allowed"] is True
    assert response["auditAnnotations"] == {
        "decision-id": newest["id"],
        "log-index": str(newest["index"]),
        "outcome": "allow",
        "policy-revision": response["auditAnnotations"]["policy-revision"],
    }
    assert count(cluster) == before  # a look-up is no decision


def test_a_pod_of_a_model_that_nobody_allowed_is_denied(cluster: Serving) -> None:
    model = new_model()
    response = asked(cluster, review(pod(model.annotations, model.image)))
    assert response["status"] == {
        "status": "Failure",
        "code": 403,
        "reason": "Forbidden",
        "message": "Denied by Mandate: no decision on record, 1 reason\n"
        f"1. No decision allows this digest of credit/{model.version} in production.\n"
        f"Next step: mandate check models:/credit/{model.version} --environment production",
        "details": {
            "causes": [
                {
                    "reason": "mandate.standing",
                    "message": f"No decision allows this digest of credit/{model.version} in production.",
                }
            ]
        },
    }


def test_an_allow_counts_in_its_environment_only(cluster: Serving, model: Model) -> None:
    asking = review(pod(model.annotations, model.image))
    assert asked(cluster, asking, environment="staging")["allowed"] is False


def test_an_allow_for_another_version_of_the_same_files_is_none(cluster: Serving, model: Model) -> None:
    annotations = model.annotations | {"mandate.dev/model": "credit/1"}
    assert asked(cluster, review(pod(annotations, model.image)))["allowed"] is False


def test_a_later_denial_ends_an_allow(cluster: Serving, model: Model) -> None:
    denied = cluster.decide(with_value(model.document, UNFAIR, 0.9)).json()
    assert denied["outcome"] == "deny"
    response = asked(cluster, review(pod(model.annotations, model.image)))
    assert response["allowed"] is False
    assert response["auditAnnotations"] == {"decision-id": denied["id"], "outcome": "deny"}
    assert f"The decision {denied['id']} denied it since." in response["status"]["message"]


def test_a_what_if_is_no_permission(cluster: Serving) -> None:
    model = new_model()
    assert cluster.decide(model.document, query="?dry_run=true").json()["outcome"] == "allow"
    assert asked(cluster, review(pod(model.annotations, model.image)))["allowed"] is False


def test_a_decision_to_keep_a_model_in_service_says_nothing_about_deploying_it(
    cluster: Serving, model: Model
) -> None:
    document = with_value(model.document, ("drift",), ...)
    document["request"]["action"] = "monitor"
    body = {"input": document, "action": "monitor"}
    assert cluster.call("POST", "/v1/decisions", json=body).json()["outcome"] == "deny"
    assert asked(cluster, review(pod(model.annotations, model.image)))["allowed"] is True


# What the object says and pulls -------------------------------------------------------------------


TAG = "registry.example/credit:latest"
PATH = "metadata.annotations"


def without(name: str) -> Any:
    return lambda model: pod(
        {key: value for key, value in model.annotations.items() if key != f"mandate.dev/{name}"}, model.image
    )


def saying(name: str, value: str) -> Any:
    return lambda model: pod(model.annotations | {f"mandate.dev/{name}": value}, model.image)


def pulling(**spec: Any) -> Any:
    return lambda model: pod(model.annotations, model.image, **spec)


@pytest.mark.parametrize(
    ("made", "place"),
    [
        (without("model"), f"{PATH}[mandate.dev/model]"),
        (without("digest"), f"{PATH}[mandate.dev/digest]"),
        (saying("model", "models:/credit@champion"), f"{PATH}[mandate.dev/model]"),
        (saying("model", "credit/Production"), f"{PATH}[mandate.dev/model]"),
        (saying("model", "credit"), f"{PATH}[mandate.dev/model]"),
        (saying("digest", "md5:0"), f"{PATH}[mandate.dev/digest]"),
        (saying("digest", "sha256:" + "0" * 64), f"{PATH}[mandate.dev/digest]"),
        (pulling(initContainers=[{"name": "i", "image": TAG}]), "spec.initContainers[0].image"),
        (pulling(ephemeralContainers=[{"name": "e", "image": TAG}]), "spec.ephemeralContainers[0].image"),
        (
            pulling(volumes=[{"name": "v", "image": {"reference": TAG}}]),
            "spec.volumes[0].image.reference",
        ),
        (
            pulling(
                initContainers=[
                    {
                        "name": "i",
                        "image": "i@sha256:" + "0" * 64,
                        "env": [{"name": "STORAGE_URI", "value": "s3://models/credit"}],
                    }
                ]
            ),
            "spec.initContainers[0].env[0].value",
        ),
        (
            pulling(
                initContainers=[
                    {
                        "name": "i",
                        "image": "i@sha256:" + "0" * 64,
                        "env": [{"name": "STORAGE_URI", "valueFrom": {"configMapKeyRef": {"name": "x"}}}],
                    }
                ]
            ),
            "spec.initContainers[0].env[0].value",
        ),
    ],
)
def test_what_does_not_prove_which_model_runs_is_denied(
    cluster: Serving, model: Model, made: Any, place: str
) -> None:
    response = asked(cluster, review(made(model)))
    assert causes(response) == [("mandate.admission", place)]
    assert place in response["status"]["message"]


def test_all_reasons_are_given_at_once(cluster: Serving) -> None:
    response = asked(cluster, review(pod({}, TAG, TAG)))
    message = response["status"]["message"].split("\n")
    assert message[0] == "Denied by Mandate: no decision on record, 4 reasons"
    assert [line.split(" ")[0] for line in message[1:]] == ["1.", "2.", "3.", "4.", "Next"]


def test_too_many_reasons_are_counted(cluster: Serving) -> None:
    response = asked(cluster, review(pod({}, *[TAG] * 500)))
    message = response["status"]["message"]
    lines = message.split("\n")
    shown = len(lines) - 3
    assert 3800 < len(message) <= 4000
    assert lines[0] == "Denied by Mandate: no decision on record, 502 reasons"
    assert lines[-2] == f"…and {502 - shown} more"
    assert lines[-1].startswith("Next step: ")


def test_what_a_terminal_would_act_on_is_escaped(cluster: Serving, model: Model) -> None:
    response = asked(cluster, review(pod(model.annotations, model.image, "a\x1b[2Kb\nc:1")))
    assert "\\x1b[2K" in response["status"]["message"]


def test_a_program_beside_the_model_may_be_any_that_is_named_by_digest(
    cluster: Serving, model: Model
) -> None:
    beside = "proxy@sha256:" + "1" * 64
    assert asked(cluster, review(pod(model.annotations, model.image, beside)))["allowed"] is True


def test_another_model_beside_it_needs_an_allow_of_its_own(cluster: Serving, model: Model) -> None:
    def with_adapter(other: Model) -> Object:
        env = [{"name": "STORAGE_URI", "value": other.location}]
        return pod(
            model.annotations, model.image, initContainers=[{"name": "i", "image": model.image, "env": env}]
        )

    unknown = new_model()
    response = asked(cluster, review(with_adapter(unknown)))
    assert causes(response) == [("mandate.standing", "spec.initContainers[0].env[0].value")]
    assert cluster.decide(unknown.document).json()["outcome"] == "allow"
    assert asked(cluster, review(with_adapter(unknown)))["allowed"] is True


def test_a_workload_that_is_allowed_is_denied_for_another_model_beside_it(
    cluster: Serving, model: Model
) -> None:
    unknown = new_model()
    env = [{"name": "STORAGE_URI", "value": unknown.location}]
    beside = [{"name": "i", "image": model.image, "env": env}]
    response = asked(cluster, review(deployment(model.annotations, model.image, initContainers=beside)))
    place = "spec.template.spec.initContainers[0].env[0].value"
    assert causes(response) == [("mandate.standing", place)]
    assert cluster.organisation.entries()[-1]["outcome"] == "allow"  # of the model that was asked about


def test_an_update_of_what_was_no_such_object_is_judged(cluster: Serving, model: Model) -> None:
    request = review(pod({}, TAG), operation="UPDATE", old=pod({}, TAG) | {"spec": None})
    assert asked(cluster, request)["allowed"] is False
    gone = review(pod({}, TAG), operation="UPDATE")
    assert asked(cluster, gone)["allowed"] is False


def test_annotations_that_are_no_text_are_denied(cluster: Serving, model: Model) -> None:
    found = pod(model.annotations, model.image)
    found["metadata"]["annotations"]["mandate.dev/model"] = 3
    assert asked(cluster, review(found))["allowed"] is False


def test_an_unknown_kind_is_denied(cluster: Serving) -> None:
    found = {"apiVersion": "models.example/v1", "kind": "Oracle", "metadata": {"name": "x"}, "spec": {}}
    response = asked(cluster, review(found))
    assert response["status"]["message"] == (
        "Denied by Mandate: no decision on record, 1 reason\n"
        "1. nobody knows what a Oracle.models.example pulls\n"
        "Next step: Use a kind that Mandate knows, or take this one out of the webhook's rules"
    )


# Workloads ----------------------------------------------------------------------------------------


def test_a_workload_is_judged_by_the_facts_on_record(cluster: Serving, model: Model) -> None:
    before = count(cluster)
    response = asked(cluster, review(deployment(model.annotations, model.image)))
    assert response["allowed"] is True
    entries = cluster.organisation.entries()
    assert count(cluster) == before + 1
    assert response["auditAnnotations"]["decision-id"] == entries[-1]["id"]
    stated = cluster.call("GET", f"/v1/decisions/{entries[-1]['id']}").json()
    assert stated["subject"] == model.document["subject"] | {"risk_tier": stated["subject"]["risk_tier"]}
    assert stated["request"] | {"time": ""} == {
        "action": "deploy",
        "environment": "production",
        "requested_by": "ada (by decider)",
        "time": "",
        "what_if": False,
    }


def test_a_workload_of_a_model_that_fails_is_denied_with_every_reason(cluster: Serving) -> None:
    model = new_model()
    document = with_value(model.document, UNFAIR, 0.9)
    assert cluster.decide(document).json()["outcome"] == "deny"
    response = asked(cluster, review(deployment(model.annotations, model.image)))
    newest = cluster.organisation.entries()[-1]
    lines = response["status"]["message"].split("\n")
    assert response["status"]["code"] == 403
    assert lines[0] == f"Denied by Mandate: decision {newest['id']}, 1 reason"
    assert lines[-1] == f"Next step: mandate explain {newest['id']}"
    assert [rule for rule, _ in causes(response)] == ["fairness.demographic_parity"]


def test_a_workload_of_a_model_of_which_nothing_is_on_record_is_denied(cluster: Serving) -> None:
    model = new_model()
    before = count(cluster)
    response = asked(cluster, review(deployment(model.annotations, model.image)))
    assert "nothing is on record about" in response["status"]["message"]
    assert count(cluster) == before


def test_an_allowed_workload_lets_its_pods_in(cluster: Serving) -> None:
    model = new_model()
    staged = with_value(model.document, ("request", "environment"), "staging")
    body = {"input": staged, "environment": "staging"}
    assert cluster.call("POST", "/v1/decisions", json=body).json()["outcome"] == "allow"
    assert asked(cluster, review(pod(model.annotations, model.image)))["allowed"] is False
    assert asked(cluster, review(deployment(model.annotations, model.image)))["allowed"] is True
    assert asked(cluster, review(pod(model.annotations, model.image)))["allowed"] is True


def test_the_calls_of_one_command_get_one_decision(cluster: Serving, model: Model) -> None:
    before = count(cluster)
    found = deployment(model.annotations, model.image)
    answers = [asked(cluster, review(found, uid=f"call-{number}")) for number in range(4)]
    assert len({each["auditAnnotations"]["decision-id"] for each in answers}) == 1
    assert count(cluster) == before + 1
    other = deployment(model.annotations, model.image, name="another")
    asked(cluster, review(other))
    assert count(cluster) == before + 2


def test_an_allow_that_was_denied_since_is_no_answer_to_the_next_call(cluster: Serving, model: Model) -> None:
    found = review(deployment(model.annotations, model.image))
    assert asked(cluster, found)["allowed"] is True
    assert cluster.decide(with_value(model.document, UNFAIR, 0.9)).json()["outcome"] == "deny"
    answers = [asked(cluster, found) for _ in range(3)]
    assert [each["allowed"] for each in answers] == [False, False, False]
    assert [rule for rule, _ in causes(answers[0])] == ["fairness.demographic_parity"]
    assert len({each["auditAnnotations"]["decision-id"] for each in answers}) == 1


def test_a_dry_run_is_judged_the_same_and_writes_nothing(cluster: Serving, model: Model) -> None:
    before = count(cluster)
    response = asked(cluster, review(deployment(model.annotations, model.image), dryRun=True))
    assert response["allowed"] is True
    assert response["auditAnnotations"].keys() == {"outcome", "policy-revision"}
    bad = deployment(model.annotations, TAG)
    assert asked(cluster, review(bad, dryRun=True))["allowed"] is False
    assert count(cluster) == before


def test_a_replica_set_is_judged_whoever_owns_it(cluster: Serving) -> None:
    """An owner reference is the creator's to write."""
    found = deployment({}, TAG) | {"kind": "ReplicaSet"}
    found["metadata"]["ownerReferences"] = [{"kind": "Deployment", "name": "allowed", "controller": True}]
    user = "system:serviceaccount:kube-system:replicaset-controller"
    assert asked(cluster, review(found, user=user))["allowed"] is False


# Updates and ends -----------------------------------------------------------------------------------


def test_an_update_of_nothing_governed_needs_no_decision(cluster: Serving) -> None:
    before = count(cluster)
    old = deployment({}, TAG)
    new = with_value(old, ("spec", "replicas"), 5)
    assert asked(cluster, review(new, operation="UPDATE", old=old))["allowed"] is True
    assert count(cluster) == before


@pytest.mark.parametrize(
    "path",
    [
        ("spec", "template", "spec", "containers", 0, "image"),
        ("spec", "template", "metadata", "annotations", "mandate.dev/model"),
    ],
)
def test_an_update_of_what_is_governed_is_judged(
    cluster: Serving, model: Model, path: tuple[str | int, ...]
) -> None:
    old = deployment(model.annotations, model.image)
    new = with_value(old, path, TAG)
    assert asked(cluster, review(new, operation="UPDATE", old=old))["allowed"] is False


def test_an_ephemeral_container_by_tag_is_denied_in_a_pod_that_runs(cluster: Serving, model: Model) -> None:
    old = pod(model.annotations, model.image)
    new = pod(model.annotations, model.image, ephemeralContainers=[{"name": "d", "image": "busybox"}])
    request = review(new, operation="UPDATE", old=old, subResource="ephemeralcontainers")
    assert causes(asked(cluster, request)) == [("mandate.admission", "spec.ephemeralContainers[0].image")]
    pinned = "busybox@sha256:" + "2" * 64
    new = pod(model.annotations, model.image, ephemeralContainers=[{"name": "d", "image": pinned}])
    request = review(new, operation="UPDATE", old=old, subResource="ephemeralcontainers")
    assert asked(cluster, request)["allowed"] is True


def test_what_is_being_deleted_may_lose_its_finalizers(cluster: Serving) -> None:
    old = pod({}, "a:1")
    new = pod({}, "b:1")
    new["metadata"]["deletionTimestamp"] = "2026-11-25T00:00:00Z"
    assert asked(cluster, review(new, operation="UPDATE", old=old))["allowed"] is True
    assert asked(cluster, review(new))["allowed"] is False  # what is new is not being deleted
    assert asked(cluster, review(None, operation="DELETE", old=old))["allowed"] is True


# Breaking the glass ---------------------------------------------------------------------------------

REASON = {"mandate.dev/break-glass": "INC-7: the rate limiter is down"}


def test_whoever_may_break_the_glass_is_let_in_on_record_and_warned(cluster: Serving) -> None:
    image = f"fix:{time.monotonic_ns()}"
    response = asked(cluster, review(deployment(REASON, image), groups=SRE))
    newest = cluster.organisation.entries()[-1]
    assert response["allowed"] is True
    assert response["warnings"] == [
        "Mandate: the policies were not asked; ada answers for it: INC-7: the rate limiter is down"
    ]
    assert newest["kind"].endswith("/break-glass/v1")
    assert response["auditAnnotations"] == {"break-glass": str(newest["index"]), "outcome": "allow"}
    assert cluster.organisation.mandate("ledger", "verify").exit_code == 0
    # Its Pods are made by a controller; others with that reason are not its Pods.
    assert asked(cluster, review(pod(REASON, image)))["allowed"] is True
    assert asked(cluster, review(pod(REASON, "other:1")))["allowed"] is False
    elsewhere = pod(REASON, image)
    elsewhere["metadata"]["namespace"] = "another"
    assert asked(cluster, review(elsewhere))["allowed"] is False


def test_one_command_breaks_the_glass_once(cluster: Serving) -> None:
    found = deployment(REASON, f"fix:{time.monotonic_ns()}")
    before = count(cluster)
    answers = [asked(cluster, review(found, groups=SRE, uid=f"{number}")) for number in range(3)]
    assert all(each["allowed"] for each in answers)
    assert before < count(cluster) <= before + 2  # a window may end between them


def test_nobody_else_breaks_the_glass(cluster: Serving) -> None:
    before = count(cluster)
    response = asked(cluster, review(deployment(REASON, "thief:1")))
    assert "ada is in no group that may break glass" in response["status"]["message"]
    assert count(cluster) == before


def test_who_is_in_which_group_is_believed_from_an_api_server_alone(cluster: Serving) -> None:
    callers = cluster.organisation.folder / "callers.yaml"
    token, sha256 = tokens.new()
    pipeline = {"name": "pipeline", "roles": ["decider"], "token_sha256": [sha256]}
    callers.write_text(json.dumps([*json.loads(callers.read_text()), pipeline]))
    before = count(cluster)
    forged = review(deployment(REASON, "thief:1"), groups=SRE)
    headers = {"Authorization": f"Bearer {token}"}
    answer = cluster.call("POST", "/v1/admission/production", role=None, json=forged, headers=headers)
    response = well_formed(answer.json(), "3d2a")
    assert response["allowed"] is False
    assert "nobody breaks glass through pipeline" in response["status"]["message"]
    assert asked(cluster, review(pod(REASON, "thief:1")))["allowed"] is False
    assert count(cluster) == before


def test_groups_that_nobody_can_be_believed_to_be_in_are_refused_as_settings(tmp_path: Path) -> None:
    organisation = with_callers(founded(tmp_path), admission={"break_glass_groups": ["sre"]})
    refused = organisation.mandate("serve")
    assert (refused.exit_code, "break_glass_groups needs break_glass_callers" in refused.err) == (2, True)


def test_the_glass_is_not_broken_without_a_reason(cluster: Serving) -> None:
    response = asked(cluster, review(deployment({"mandate.dev/break-glass": " "}, "fix:1"), groups=SRE))
    assert "needs a reason in words" in response["status"]["message"]


def test_trying_to_break_the_glass_breaks_nothing(cluster: Serving) -> None:
    image = f"fix:{time.monotonic_ns()}"
    before = count(cluster)
    assert asked(cluster, review(deployment(REASON, image), groups=SRE, dryRun=True))["allowed"] is True
    assert count(cluster) == before
    assert asked(cluster, review(pod(REASON, image)))["allowed"] is False


# Bodies that are none ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "uid"),
    [
        (b"", ""),
        (b"{", ""),
        (b"[]", ""),
        (b'{"request": {"uid": "u-1"}}', "u-1"),
        (
            b'{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "u-2"}}',
            "u-2",
        ),
        (
            b'{"apiVersion": "admission.k8s.io/v1beta1", "kind": "AdmissionReview", "request": {"uid": "u"}}',
            "u",
        ),
        (b'{"request": {"uid": "u-3"}, "request": {"uid": "u-4"}}', "u-4"),
        (b'{"request": {"uid": "' + b"9" * 257 + b'"}}', ""),
        (b'{"request": {"uid": "\\ud800"}}', "\ud800"),
        (b"[" * 100_000, ""),
    ],
)
def test_a_body_that_is_no_review_is_answered_with_one(cluster: Serving, body: bytes, uid: str) -> None:
    headers = {"Content-Type": "application/json"}
    answer = cluster.call("POST", "/v1/admission/production", content=body, headers=headers)
    assert answer.status_code == 200
    status = well_formed(answer.json(), uid)["status"]
    assert (status["code"], status["reason"]) == (400, "BadRequest")
    assert status["message"].startswith("Refused by Mandate, which cannot read the request")


def test_a_body_that_is_too_long_is_answered_with_a_review(cluster: Serving) -> None:
    headers = {"Content-Type": "application/json"}
    answer = cluster.call("POST", "/v1/admission/production", content=b" " * (5 << 20), headers=headers)
    assert well_formed(answer.json(), "")["status"]["code"] == 400


def test_a_review_of_an_update_of_the_largest_object_is_read(cluster: Serving, model: Model) -> None:
    old = deployment(model.annotations, model.image)
    old["metadata"]["annotations"] = {"notes": "x" * 1_500_000}
    new = with_value(old, ("spec", "replicas"), 2)
    assert asked(cluster, review(new, operation="UPDATE", old=old))["allowed"] is True


def test_an_environment_that_the_policies_do_not_know_is_a_bad_request(cluster: Serving) -> None:
    response = asked(cluster, review(pod({}, "a:1")), environment="mars")
    assert response["status"]["code"] == 400
    assert "'mars'" in response["status"]["message"]


def test_only_a_known_caller_is_answered(cluster: Serving) -> None:
    body = review(pod({}, "a:1"))
    assert cluster.call("POST", "/v1/admission/production", json=body, role=None).status_code == 401
    answer = cluster.call("POST", "/v1/admission/production", json=body, role=Role.AUDITOR)
    assert answer.status_code == 403


# The status of a digest -----------------------------------------------------------------------------


def test_the_status_of_a_digest_is_what_a_pod_would_be_told(cluster: Serving, model: Model) -> None:
    path = f"/v1/subjects/sha256:{model.sha256}/status"
    newest = cluster.organisation.entries()[-1]
    assert cluster.call("GET", f"{path}?environment=production").json() == {
        "digest": f"sha256:{model.sha256}",
        "environment": "production",
        "allowed": True,
        "until": None,
        "decision": newest["id"],
        "reason": f"The decision {newest['id']} allows it.",
    }
    assert cluster.call("GET", f"{path}?environment=staging").json() == {
        "digest": f"sha256:{model.sha256}",
        "environment": "staging",
        "allowed": False,
        "until": None,
        "decision": None,
        "reason": "No decision allows this digest in staging.",
    }
    assert cluster.call("GET", f"{path}?environment=mars").status_code == 400
    assert cluster.call("GET", path).status_code == 422
    assert cluster.call("GET", "/v1/subjects/latest/status?environment=production").status_code == 422
