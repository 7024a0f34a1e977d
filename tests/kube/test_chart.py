"""The chart says the same as the manifests, which are where both are looked up."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kube.account import believed, mounted, secret
from tests.kube.api_server import ApiServer, running
from tests.kube.charts import CHART, helm, made, template
from tests.kube.manifests import KUBERNETES, Object, by_name, listed, parsed, rendered

NAMESPACE = "Namespace/mandate"
"""Is there before Helm is: a release is kept in its namespace."""


def said(objects: list[Object]) -> dict[str, Object]:
    """The objects by name, and mandate.yaml as what it says rather than as its text."""
    found = by_name(objects)
    for name in ("mandate.yaml", "opa.yaml"):
        (read,) = parsed(found["ConfigMap/mandate"]["data"][name])
        found["ConfigMap/mandate"]["data"][name] = read
    return found


def test_an_installation_is_what_the_manifests_say(tmp_path: Path) -> None:
    expected = said(rendered())
    del expected[NAMESPACE]
    assert said(made(home=tmp_path)) == expected


def test_with_cert_manager_it_is_what_the_overlay_says(tmp_path: Path) -> None:
    expected = said(rendered(KUBERNETES / "cert-manager"))
    del expected[NAMESPACE]
    assert said(made("--set=certificates=cert-manager", home=tmp_path)) == expected


def test_with_provided_certificates_nobody_makes_any(tmp_path: Path) -> None:
    expected = said([*rendered(KUBERNETES / "service"), *rendered(KUBERNETES / "admission")])
    del expected[NAMESPACE]
    for name in ("production", "staging"):
        (webhook,) = expected[f"ValidatingWebhookConfiguration/mandate-{name}"]["webhooks"]
        webhook["clientConfig"]["caBundle"] = "Y2E="
    assert said(made("--set=certificates=provided", "--set=caBundle=Y2E=", home=tmp_path)) == expected


def test_it_is_sound(tmp_path: Path) -> None:
    ran = helm("lint", "--strict", "--kube-version=1.36.3", "--namespace=mandate", str(CHART), home=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "1 chart(s) linted, 0 chart(s) failed" in ran.stdout


def test_the_api_server_takes_all_of_it(cluster: ApiServer, tmp_path: Path) -> None:
    """In a namespace of another name: nothing is bound to that of the manifests."""
    objects = made("--namespace=gate", home=tmp_path)
    assert {found["metadata"].get("namespace") for found in objects} == {None, "gate"}
    namespace = by_name(rendered(KUBERNETES / "service"))[NAMESPACE]
    namespace["metadata"]["name"] = "gate"
    assert cluster.kubectl("create", "-f", "-", given=namespace).exit_code == 0
    arguments = ("apply", "--server-side", "--force-conflicts", "--validate=strict", "--dry-run=server")
    ran = cluster.kubectl(*arguments, "-f", "-", given=listed(objects))
    assert (ran.exit_code, ran.err) == (0, "")


def test_environments_are_a_list(tmp_path: Path) -> None:
    found = by_name(made("--set=environments={dev,production,eu-west}", home=tmp_path))
    named = [f"mandate-{name}" for name in ("dev", "production", "eu-west")]
    assert [name for name in found if name.startswith("ValidatingWebhook")] == [
        f"ValidatingWebhookConfiguration/{name}" for name in named
    ]
    for name in named:
        (webhook,) = found[f"ValidatingWebhookConfiguration/{name}"]["webhooks"]
        assert webhook["clientConfig"]["service"]["path"] == f"/v1/admission/{name.removeprefix('mandate-')}"
    (rule,) = found["ClusterRole/mandate-certificates"]["rules"]
    assert rule["resourceNames"] == named
    for kind in ("Job", "CronJob"):
        spec = found[f"{kind}/mandate-certificates"]["spec"]
        pod = spec["jobTemplate"]["spec"]["template"] if kind == "CronJob" else spec["template"]
        arguments = pod["spec"]["containers"][0]["args"]
        assert [each for each in arguments if "webhook" in each] == [f"--webhook={name}" for name in named]
    variables = found["ValidatingAdmissionPolicy/mandate-environments"]["spec"]["variables"]
    (governed,) = (each["expression"] for each in variables if each["name"] == "governed")
    assert governed == "['dev', 'production', 'eu-west']"


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[ApiServer]:
    """A cluster of its own, for what Helm itself puts there."""
    (folder := tmp_path / "cluster").mkdir()
    with running(folder, {}) as api:
        yield api


def test_installed_and_upgraded_by_helm_it_keeps_the_certificates_that_were_made(
    empty: ApiServer, tmp_path: Path
) -> None:
    namespace = by_name(rendered(KUBERNETES / "service"))[NAMESPACE]
    assert empty.kubectl("create", "-f", "-", given=namespace).exit_code == 0
    chart = shutil.copytree(CHART, tmp_path / "chart")
    # An API server that is built from its module does not know which version it is.
    lines = (chart / "Chart.yaml").read_text().splitlines(keepends=True)
    (chart / "Chart.yaml").write_text("".join(line for line in lines if not line.startswith("kubeVersion")))
    on = ("--namespace=mandate", f"--kubeconfig={empty.folder / 'kubeconfig'}", "mandate", str(chart))
    installed = helm("install", *on, home=tmp_path / "helm")
    assert installed.returncode == 0, installed.stderr
    assert "Secret mandate-keys" in installed.stdout
    account = mounted(empty, tmp_path / "account")
    assert account.mandate().exit_code == 0
    kept = secret(empty)
    assert sorted(kept) == ["ca.crt", "ca.key", "tls.crt", "tls.key"]
    upgraded = helm("upgrade", *on, "--set=image=registry.example/mandate:2", home=tmp_path / "helm")
    assert upgraded.returncode == 0, upgraded.stderr
    assert secret(empty) == kept
    for name in ("mandate-production", "mandate-staging"):
        assert believed(empty, name) == [kept["ca.crt"]]
    # Nobody can change a Job that is there: each upgrade has one of its own.
    jobs = empty.kubectl("get", "jobs", "-n", "mandate", "-o", "name").out.split()
    assert jobs == ["job.batch/mandate-certificates-2"]


@pytest.mark.parametrize(
    ("value", "refused"),
    [
        ("settings.ledger.nmae=x", "nmae"),
        ("settings.service.limits.seconds=0", "seconds"),
        ("image=", "image"),
        ("replicas=0", "replicas"),
        ("policies=", "policies"),
        ("replica=3", "replica"),
        ("environments={Production}", "environments"),
        ("certificates=self-signed", "certificates"),
        ("certificates=provided", "caBundle"),
        ("caBundle=Y2E=", "caBundle"),
    ],
)
def test_a_value_that_is_none_ends_it_before_it_begins(tmp_path: Path, value: str, refused: str) -> None:
    ran = template(f"--set={value}", home=tmp_path)
    assert (ran.returncode, refused in ran.stderr) == (1, True), ran.stderr
    assert "values don't meet the specifications of the schema" in ran.stderr


def test_a_setting_is_set_by_its_name(tmp_path: Path) -> None:
    found = said(made('--set-json=settings.service.limits={"at_once": 4}', home=tmp_path))
    settings: dict[str, Any] = found["ConfigMap/mandate"]["data"]["mandate.yaml"]
    assert settings["service"]["limits"] == {"at_once": 4}


def test_another_release_of_the_policies_is_another_version_of_the_pods(tmp_path: Path) -> None:
    found = by_name(made("--set=policies=mandate-policies-7", home=tmp_path))
    template = found["Deployment/mandate"]["spec"]["template"]
    (volume,) = (each for each in template["spec"]["volumes"] if each["name"] == "policies")
    assert volume == {"name": "policies", "configMap": {"name": "mandate-policies-7"}}


def test_a_service_that_collects_reaches_its_registry(tmp_path: Path) -> None:
    found = by_name(made("--set=settings.service.collect.workers=2", home=tmp_path))
    egress = found["NetworkPolicy/mandate"]["spec"]["egress"]
    assert [each["ports"][0]["port"] for each in egress] == [53, 5432, 443]


def test_it_makes_no_authority_of_its_own() -> None:
    """Helm's `genCA` would make another one at each upgrade."""
    for file in CHART.rglob("*"):
        if file.is_file():
            assert not {"genCA", "genSignedCert", "genSelfSignedCert", "lookup"} & set(
                file.read_text().replace("(", " ").split()
            )


def test_its_schema_is_what_is_published() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    published = json.loads((CHART.parents[2] / "schemas/mandate.json").read_text())
    assert schema["properties"]["settings"]["properties"] == published["properties"]
