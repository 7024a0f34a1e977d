"""What is shipped for a cluster, applied to a real API server."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from mandate.engine import configuration
from tests.kube.api_server import ApiServer
from tests.kube.manifests import KUBERNETES, Object, by_name, listed, name_of, rendered
from tests.organisation import with_value

PODS = "/api/v1/namespaces/mandate/pods"
SHIPPED = rendered()


def template(kind: str, name: str) -> Object:
    """The Pod that a controller would make."""
    spec = by_name(SHIPPED)[f"{kind}/{name}"]["spec"]
    found = spec["jobTemplate"]["spec"]["template"] if kind == "CronJob" else spec["template"]
    named = with_value(found, ("metadata", "name"), f"{name}-{kind.lower()}")
    return {"apiVersion": "v1", "kind": "Pod", **named}


PODS_MADE = sorted(
    tuple(name_of(found).split("/"))
    for found in SHIPPED
    if found["kind"] in {"Deployment", "Job", "CronJob", "StatefulSet", "DaemonSet"}
)


def test_every_object_is_stored_as_it_was_written(applied: ApiServer) -> None:
    for found in SHIPPED:
        place = ("-n", found["metadata"]["namespace"]) if "namespace" in found["metadata"] else ()
        got = applied.kubectl("get", *place, name_of(found), "-o", "name")
        assert got.exit_code == 0, got.err


def test_to_apply_it_again_changes_nothing(applied: ApiServer) -> None:
    ran = applied.kubectl("diff", "--server-side", "-f", "-", given=listed(SHIPPED))
    assert (ran.exit_code, ran.out) == (0, ""), ran.out + ran.err


@pytest.mark.parametrize(("kind", "name"), PODS_MADE)
def test_each_pod_is_let_in_where_nothing_may_leave_its_container(
    applied: ApiServer, kind: str, name: str
) -> None:
    pod = template(kind, name)
    with applied.client() as client:
        answer = client.post(f"{PODS}?dryRun=All&fieldValidation=Strict", json=pod)
        assert (answer.status_code, answer.headers.get_list("warning")) == (201, []), answer.text
        for without in (("runAsNonRoot",), ("seccompProfile",)):
            loose = with_value(pod, ("spec", "securityContext", *without), ...)
            refused = client.post(f"{PODS}?dryRun=All", json=loose)
            assert refused.status_code == 403
            assert 'violates PodSecurity "restricted:latest"' in refused.json()["message"]


def test_the_services_pod_is_stored_with_its_sidecar(applied: ApiServer) -> None:
    with applied.client() as client:
        stored = client.post(PODS, json=template("Deployment", "mandate"))
    assert stored.status_code == 201, stored.text
    spec = stored.json()["spec"]
    restarted = {each["name"]: each.get("restartPolicy") for each in spec["initContainers"]}
    assert restarted == {"secrets": None, "opa": "Always"}
    assert spec["automountServiceAccountToken"] is False
    confined = [each["securityContext"] for each in (*spec["initContainers"], *spec["containers"])]
    assert confined == [
        {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        }
    ] * len(confined)


def test_no_secret_is_shipped() -> None:
    secrets = {name_of(found): found for found in SHIPPED if found["kind"] == "Secret"}
    assert [name for name, found in secrets.items() if found.get("data") or found.get("stringData")] == []


def test_environments_differ_in_nothing_but_their_name() -> None:
    first, second = (found for found in SHIPPED if found["kind"] == "ValidatingWebhookConfiguration")
    assert json.loads(json.dumps(first).replace("production", "staging")) == second


def test_the_service_is_where_the_webhooks_look_for_it() -> None:
    found = by_name(SHIPPED)
    service = found["Service/mandate"]
    for name in ("mandate-production", "mandate-staging"):
        (webhook,) = found[f"ValidatingWebhookConfiguration/{name}"]["webhooks"]
        asked = webhook["clientConfig"]["service"]
        assert (asked["name"], asked["namespace"]) == ("mandate", service["metadata"]["namespace"])
        assert asked["port"] in [port["port"] for port in service["spec"]["ports"]]
    selected = service["spec"]["selector"]
    deployment = found["Deployment/mandate"]["spec"]
    assert deployment["selector"]["matchLabels"] == selected
    assert selected.items() <= deployment["template"]["metadata"]["labels"].items()
    assert found["PodDisruptionBudget/mandate"]["spec"]["selector"]["matchLabels"] == selected
    assert found["NetworkPolicy/mandate"]["spec"]["podSelector"]["matchLabels"] == selected


def test_the_admission_manifests_are_those_of_their_own_folder() -> None:
    own = by_name(rendered(KUBERNETES / "admission"))
    assert {name: by_name(SHIPPED)[name] for name in own} == own


def test_a_service_that_collects_has_the_libraries_and_reaches_its_registry(
    applied: ApiServer, tmp_path: Path
) -> None:
    overlay = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["deploy/kubernetes"],
        "components": ["deploy/kubernetes/collecting"],
    }
    shutil.copytree(KUBERNETES, tmp_path / "deploy/kubernetes")
    (tmp_path / "kustomization.yaml").write_text(json.dumps(overlay))
    found = by_name(rendered(tmp_path))
    before = by_name(SHIPPED)
    changed = {name for name in before if before[name] != found[name]}
    assert (changed, set(found)) == ({"Deployment/mandate", "NetworkPolicy/mandate"}, set(before))
    egress = found["NetworkPolicy/mandate"]["spec"]["egress"]
    ports = [each["ports"][0]["port"] for each in egress]
    assert ports == [53, 5432, 443]
    template = found["Deployment/mandate"]["spec"]["template"]
    (container,) = template["spec"]["containers"]
    images = [each["image"] for each in (*template["spec"]["initContainers"], container)]
    assert images == ["mandate-service", "mandate-service", "mandate-collector"]
    file = tmp_path / "mandate.yaml"
    file.write_text(found["ConfigMap/mandate"]["data"]["mandate.yaml"])
    environment = {each["name"]: each["value"] for each in container["env"]}
    assert configuration.load(file, environment=environment).settings.service.collect.workers == 2
    pod = {"apiVersion": "v1", "kind": "Pod", **with_value(template, ("metadata", "name"), "collects")}
    with applied.client() as client:
        answer = client.post(f"{PODS}?dryRun=All&fieldValidation=Strict", json=pod)
    assert (answer.status_code, answer.headers.get_list("warning")) == (201, []), answer.text
