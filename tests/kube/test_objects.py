"""What a real API server stores, and what kubectl shows, with Mandate at the door."""

from __future__ import annotations

import json
import time
from typing import Any
from uuid import uuid4

import pytest

from mandate.engine.service.access.roles import Role
from tests.cluster import Model, Object, deployment, pod
from tests.kube.api_server import DEVELOPER, ENGINEER, GOVERNOR
from tests.kube.door import Door, eventually
from tests.organisation import with_value

APPLY = ("apply", "-f", "-")
DEPLOYMENTS = "/apis/apps/v1/namespaces/lending/deployments"
IMAGE = ("spec", "template", "spec", "containers", 0, "image")


@pytest.fixture(scope="module")
def model(door: Door) -> Model:
    return door.allowed_model()


def named(found: Object, namespace: str = "lending") -> Object:
    """The object under a name that nobody has taken."""
    name = f"credit-{uuid4().hex[:8]}"
    return with_value(with_value(found, ("metadata", "name"), name), ("metadata", "namespace"), namespace)


def good(model: Model) -> Object:
    return named(deployment(model.annotations, model.image))


def test_an_allowed_model_is_deployed_and_its_pods_are_let_in(door: Door, model: Model) -> None:
    before = door.entries()
    created = door.api.kubectl(*APPLY, user=DEVELOPER, given=good(model))
    assert (created.exit_code, created.err) == (0, "")
    assert door.entries() == before + 1
    ran = door.api.kubectl(*APPLY, user=DEVELOPER, given=named(pod(model.annotations, model.image)))
    assert (ran.exit_code, ran.err) == (0, "")
    assert door.entries() == before + 1


def test_a_denial_is_readable_in_a_terminal(door: Door, model: Model) -> None:
    annotations = {"mandate.dev/model": "models:/credit@champion\x1b[2K"}
    found = named(deployment(annotations, "registry.example/credit:latest"))
    ran = door.api.kubectl(*APPLY, user=DEVELOPER, given=found)
    at = "spec.template.metadata.annotations"
    assert ran.exit_code == 1
    assert ran.err.splitlines() == [
        'Error from server (Forbidden): error when creating "STDIN": admission webhook '
        '"production.admission.mandate.dev" denied the request: Denied by Mandate: no decision on record, '
        "3 reasons",
        f"1. {at}[mandate.dev/model] is 'models:/credit@champion\\x1b[2K', and must be a model's name and "
        "version, such as credit/3",
        f"2. {at}[mandate.dev/digest] is missing: say the digest that was judged (sha256:…)",
        "3. spec.template.spec.containers[0].image is 'registry.example/credit:latest': a tag can name "
        "another image tomorrow; name it by @sha256:…",
        "Next step: Correct the Deployment as the reasons say, then apply it again",
    ]


def test_what_is_in_no_environment_is_not_asked_about(door: Door) -> None:
    found = named(deployment({}, "a:1"), "play")
    assert door.api.kubectl(*APPLY, user=DEVELOPER, given=found).exit_code == 0


@pytest.mark.parametrize("how", ["update", "patch", "apply", "server-side apply"])
def test_no_way_of_changing_an_object_goes_past_the_door(door: Door, model: Model, how: str) -> None:
    found = good(model)
    assert door.api.kubectl(*APPLY, user=DEVELOPER, given=found).exit_code == 0
    changed = with_value(found, IMAGE, "thief:1")
    name = found["metadata"]["name"]
    patch = json.dumps({"spec": {"template": {"spec": {"containers": [{"name": "c0", "image": "thief:1"}]}}}})
    commands: dict[str, tuple[tuple[str, ...], Any]] = {
        "update": (("replace", "-f", "-"), changed),
        "patch": (("patch", "-n", "lending", "deployment", name, "-p", patch), None),
        "apply": (APPLY, changed),
        "server-side apply": ((*APPLY, "--server-side", "--force-conflicts"), changed),
    }
    arguments, given = commands[how]
    ran = door.api.kubectl(*arguments, user=DEVELOPER, given=given)
    assert (ran.exit_code, "denied the request: Denied by Mandate" in ran.err) == (1, True), ran.err
    with door.api.client() as client:
        stored = client.get(f"{DEPLOYMENTS}/{name}").json()
    assert stored["spec"]["template"]["spec"]["containers"][0]["image"] == model.image


def test_scaling_labels_and_deletion_need_no_decision(door: Door, model: Model) -> None:
    found = good(model)
    assert door.api.kubectl(*APPLY, user=DEVELOPER, given=found).exit_code == 0
    before = door.entries()
    on = ("-n", "lending", f"deployment/{found['metadata']['name']}")
    assert door.api.kubectl("scale", "--replicas=3", *on, user=DEVELOPER).exit_code == 0
    assert door.api.kubectl("label", *on, "team=credit", user=DEVELOPER).exit_code == 0
    assert door.api.kubectl("delete", *on, user=DEVELOPER).exit_code == 0
    assert door.entries() == before


def test_what_is_being_deleted_may_lose_its_finalizer(door: Door, model: Model) -> None:
    found = with_value(good(model), ("metadata", "finalizers"), ["mandate.dev/test"])
    name = found["metadata"]["name"]
    with door.api.client(DEVELOPER) as client:
        assert client.post(DEPLOYMENTS, json=found).status_code == 201
        assert client.delete(f"{DEPLOYMENTS}/{name}").status_code == 200
        stored = client.get(f"{DEPLOYMENTS}/{name}").json()
        assert stored["metadata"]["deletionTimestamp"]
        del stored["metadata"]["finalizers"]
        assert client.put(f"{DEPLOYMENTS}/{name}", json=stored).status_code == 200
        assert client.get(f"{DEPLOYMENTS}/{name}").status_code == 404


def test_a_dry_run_is_judged_and_leaves_no_trace(door: Door, model: Model) -> None:
    before = door.entries()
    dry = ("--dry-run=server",)
    assert door.api.kubectl(*APPLY, *dry, user=DEVELOPER, given=good(model)).exit_code == 0
    bad = named(deployment({}, "thief:1"))
    assert door.api.kubectl(*APPLY, *dry, user=DEVELOPER, given=bad).exit_code == 1
    assert door.entries() == before


def test_one_command_is_one_decision(door: Door, model: Model) -> None:
    before = door.entries()
    found = good(model)
    assert door.api.kubectl(*APPLY, "--server-side", user=DEVELOPER, given=found).exit_code == 0
    assert door.entries() == before + 1


def test_debugging_a_pod_with_an_image_by_tag_is_denied(door: Door, model: Model) -> None:
    found = named(pod(model.annotations, model.image))
    assert door.api.kubectl(*APPLY, user=DEVELOPER, given=found).exit_code == 0
    debug = ("debug", "-n", "lending", found["metadata"]["name"], "--attach=false")
    ran = door.api.kubectl(*debug, "--image=busybox", user=DEVELOPER)
    assert (ran.exit_code, "spec.ephemeralContainers[0].image is 'busybox'" in ran.err) == (1, True), ran.err
    pinned = f"busybox@sha256:{'3' * 64}"
    ran = door.api.kubectl(*debug, f"--image={pinned}", user=DEVELOPER)
    assert ran.exit_code == 0, ran.err


def test_an_object_at_the_size_limit_is_judged(door: Door, model: Model) -> None:
    env = [{"name": "NOTES", "value": "x" * 1_400_000}]
    found = with_value(good(model), ("spec", "template", "spec", "containers", 0, "env"), env)
    name = found["metadata"]["name"]
    with door.api.client(DEVELOPER) as client:
        assert client.post(DEPLOYMENTS, json=found).status_code == 201
        answer = client.put(f"{DEPLOYMENTS}/{name}", json=with_value(found, IMAGE, "thief:1"))
        assert (answer.status_code, answer.json()["reason"]) == (403, "Forbidden")
        assert [each["field"] for each in answer.json()["details"]["causes"]] == [
            "spec.template.spec.containers[0].image",
            "spec.template.metadata.annotations[mandate.dev/digest]",
        ]
        answer = client.put(f"{DEPLOYMENTS}/{name}", json=with_value(found, ("spec", "replicas"), 2))
        assert answer.status_code == 200


def test_a_forged_owner_opens_nothing(door: Door, model: Model) -> None:
    owner = good(model)
    with door.api.client(DEVELOPER) as client:
        uid = client.post(DEPLOYMENTS, json=owner).json()["metadata"]["uid"]
        references = [
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "name": owner["metadata"]["name"],
                "uid": uid,
                "controller": True,
            }
        ]
        for found, path in (
            (pod({}, "thief:1"), "/api/v1/namespaces/lending/pods"),
            (
                deployment({}, "thief:1") | {"kind": "ReplicaSet"},
                "/apis/apps/v1/namespaces/lending/replicasets",
            ),
        ):
            forged = named(with_value(found, ("metadata", "ownerReferences"), references))
            forged.get("spec", {}).pop("strategy", None)
            assert client.post(path, json=forged).status_code == 403


def test_labels_of_an_object_open_nothing(door: Door) -> None:
    labels = {"mandate.dev/environment": "none", "app.kubernetes.io/name": "mandate"}
    found = with_value(named(pod({}, "thief:1")), ("metadata", "labels"), labels)
    assert door.api.kubectl(*APPLY, user=DEVELOPER, given=found).exit_code == 1


def test_the_image_of_a_pod_that_runs_does_not_change_past_the_door(door: Door, model: Model) -> None:
    found = named(pod(model.annotations, model.image))
    assert door.api.kubectl(*APPLY, user=DEVELOPER, given=found).exit_code == 0
    on = ("-n", "lending", f"pod/{found['metadata']['name']}")
    ran = door.api.kubectl("set", "image", *on, "c0=thief:1", user=DEVELOPER)
    assert (ran.exit_code, "spec.containers[0].image is 'thief:1'" in ran.err) == (1, True), ran.err


def test_a_namespace_is_not_taken_for_one_that_is_not_governed(door: Door) -> None:
    """Mandate's own namespace is told by the label that the API server itself sets."""
    labels = {"mandate.dev/environment": "production", "kubernetes.io/metadata.name": "mandate"}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "guise", "labels": labels}}
    with door.api.client(DEVELOPER) as client:
        made = client.post("/api/v1/namespaces", json=namespace)
        if made.status_code == 201:
            assert made.json()["metadata"]["labels"]["kubernetes.io/metadata.name"] == "guise"
        patch = {"metadata": {"labels": {"kubernetes.io/metadata.name": "mandate"}}}
        headers = {"Content-Type": "application/merge-patch+json"}
        client.patch("/api/v1/namespaces/guise", content=json.dumps(patch), headers=headers)
        answer = client.post("/api/v1/namespaces/guise/pods", json=named(pod({}, "thief:1"), "guise"))
    assert (answer.status_code, "Denied by Mandate" in answer.text) == (403, True), answer.text


def test_several_objects_are_deleted_without_a_decision(door: Door, model: Model) -> None:
    label = {"team": "leaving"}
    for _ in range(2):
        found = with_value(good(model), ("metadata", "labels"), label)
        assert door.api.kubectl(*APPLY, user=DEVELOPER, given=found).exit_code == 0
    before = door.entries()
    with door.api.client(DEVELOPER) as client:
        assert client.delete(f"{DEPLOYMENTS}?labelSelector=team=leaving").status_code == 200
        assert client.get(f"{DEPLOYMENTS}?labelSelector=team=leaving").json()["items"] == []
    assert door.entries() == before


@pytest.mark.parametrize("path", ["", "/status", "/finalize"])
@pytest.mark.parametrize("value", [None, "staging"])
def test_a_namespace_does_not_leave_its_environment(door: Door, path: str, value: str | None) -> None:
    with door.api.client(DEVELOPER) as client:
        stored = client.get("/api/v1/namespaces/lending").json()
        if value is None:
            del stored["metadata"]["labels"]["mandate.dev/environment"]
        else:
            stored["metadata"]["labels"]["mandate.dev/environment"] = value
        answer = client.put(f"/api/v1/namespaces/lending{path}", json=stored)
        assert answer.status_code == 403, answer.text
        assert "only whoever may relabel environments may change it" in answer.json()["message"]
    with door.api.client() as client:
        stored = client.get("/api/v1/namespaces/lending").json()
        assert stored["metadata"]["labels"]["mandate.dev/environment"] == "production"


def test_a_namespace_enters_an_environment_and_leaves_it_by_right_only(door: Door) -> None:
    label = "mandate.dev/environment"
    on = ("label", "namespace", "moving", "--overwrite")
    assert door.api.kubectl("create", "namespace", "moving", user=DEVELOPER).exit_code == 0
    unknown = door.api.kubectl(*on, f"{label}=nowhere", user=DEVELOPER)
    assert (unknown.exit_code, "must be one of production, staging" in unknown.err) == (1, True)
    assert door.api.kubectl(*on, f"{label}=staging", user=DEVELOPER).exit_code == 0
    assert door.api.kubectl(*on, f"{label}-", user=DEVELOPER).exit_code == 1
    assert door.api.kubectl(*on, f"{label}-", user=GOVERNOR).exit_code == 0


def test_the_glass_is_broken_by_those_who_may_and_kubectl_warns(door: Door) -> None:
    reason = {"mandate.dev/break-glass": "INC-7: the rate limiter is down"}
    found = named(deployment(reason, "fix:1"))
    refused = door.api.kubectl(*APPLY, user=DEVELOPER, given=found)
    assert (refused.exit_code, "dev is in no group that may break glass" in refused.err) == (1, True)
    ran = door.api.kubectl(*APPLY, user=ENGINEER, given=found)
    assert ran.exit_code == 0
    assert ran.err.strip() == (
        "Warning: Mandate: the policies were not asked; sre answers for it: INC-7: the rate limiter is down"
    )


def test_the_audit_log_says_which_decision_let_an_object_in(door: Door, model: Model) -> None:
    found = good(model)
    assert door.api.kubectl(*APPLY, user=DEVELOPER, given=found).exit_code == 0
    (event,) = (
        each
        for each in door.api.audit()
        if each["objectRef"].get("name") == found["metadata"]["name"] and each["verb"] == "create"
    )
    prefix = "production.admission.mandate.dev/"
    said = {
        name.removeprefix(prefix): value
        for name, value in event["annotations"].items()
        if name.startswith(prefix)
    }
    decision = door.call("GET", f"/v1/decisions/{said['decision-id']}").json()
    assert said == {
        "decision-id": decision["id"],
        "log-index": str(decision["ledger"]["index"]),
        "outcome": "allow",
        "policy-revision": decision["policy"]["revision"],
    }
    assert decision["request"]["requested_by"] == f"{DEVELOPER} (by {Role.DECIDER.value})"


SERVED = "inferenceservices.serving.kserve.io"


@pytest.fixture(scope="module")
def kserve(door: Door) -> None:
    """The kind InferenceService in two versions of its API, without a controller behind it."""
    schema = {
        "openAPIV3Schema": {
            "type": "object",
            "properties": {"spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
        }
    }
    versions = [
        {"name": name, "served": True, "storage": name == "v1beta1", "schema": schema}
        for name in ("v1beta1", "v1")
    ]
    names = {
        "plural": "inferenceservices",
        "singular": "inferenceservice",
        "kind": "InferenceService",
        "listKind": "InferenceServiceList",
    }
    found = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": SERVED},
        "spec": {"group": "serving.kserve.io", "scope": "Namespaced", "names": names, "versions": versions},
    }
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    served = "/apis/serving.kserve.io/v1/namespaces/lending/inferenceservices"
    with door.api.client() as client:
        assert client.post(path, json=found).status_code == 201
        eventually(lambda: client.get(served).status_code == 200)


@pytest.mark.parametrize("version", ["v1beta1", "v1"])
@pytest.mark.usefixtures("kserve")
def test_an_inference_service_is_judged_in_each_version_of_its_api(
    door: Door, model: Model, version: str
) -> None:
    def served(location: str) -> Object:
        found: Object = {
            "apiVersion": f"serving.kserve.io/{version}",
            "kind": "InferenceService",
            "metadata": {"annotations": model.annotations},
            "spec": {
                "predictor": {"model": {"modelFormat": {"name": "sklearn"}, "storageUri": model.location}},
                "transformer": {"containers": [{"name": "t", "image": model.image}]},
            },
        }
        return named(with_value(found, ("spec", "predictor", "model", "storageUri"), location))

    before = door.entries()
    path = f"/apis/serving.kserve.io/{version}/namespaces/lending/inferenceservices"
    with door.api.client(DEVELOPER) as client:
        assert client.post(path, json=served(model.location)).status_code == 201
        assert door.entries() == before + 1
        answer = client.post(path, json=served("s3://models/credit"))
        assert answer.status_code == 403
        assert [each["field"] for each in answer.json()["details"]["causes"]] == [
            "spec.predictor.model.storageUri"
        ]


@pytest.mark.usefixtures("kserve")
def test_another_version_of_an_api_does_not_slip_through(door: Door, model: Model) -> None:
    """The shipped rules name every version; were it one only, the API server would still ask in its words."""
    name = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/mandate-production"
    with door.api.client() as client:
        shipped = client.get(name).json()
        (number,) = (
            number
            for number, rule in enumerate(shipped["webhooks"][0]["rules"])
            if rule["apiGroups"] == ["serving.kserve.io"]
        )
        place = f"/webhooks/0/rules/{number}/apiVersions"
        headers = {"Content-Type": "application/json-patch+json"}
        patches = [[{"op": "replace", "path": place, "value": versions}] for versions in (["v1beta1"], ["*"])]
        assert client.patch(name, content=json.dumps(patches[0]), headers=headers).status_code == 200
    try:
        time.sleep(1)  # until the API server has seen it
        bad: Object = {
            "apiVersion": "serving.kserve.io/v1",
            "kind": "InferenceService",
            "metadata": {},
            "spec": {"predictor": {"model": {"storageUri": "s3://models/credit"}}},
        }
        path = "/apis/serving.kserve.io/v1/namespaces/lending/inferenceservices"
        with door.api.client(DEVELOPER) as client:
            assert client.post(path, json=named(bad)).status_code == 403
    finally:
        with door.api.client() as client:
            assert client.patch(name, content=json.dumps(patches[1]), headers=headers).status_code == 200
