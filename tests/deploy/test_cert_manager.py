"""The objects for cert-manager, read by the types that it is made of."""

from __future__ import annotations

import subprocess

import pytest

from tests.kube.manifests import KUBERNETES, by_name, rendered
from tests.verifiers import programs

TEXT = (KUBERNETES / "cert-manager/certificates.yaml").read_text()


def read(text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([programs.certmanager()], input=text, capture_output=True, text=True, check=False)


def test_cert_manager_knows_every_field() -> None:
    ran = read(TEXT)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.split() == ["Issuer", "Certificate", "Issuer", "Certificate"]


@pytest.mark.parametrize("name", ["isCA", "inject", "rotationPolicy", "dnsNames"])
def test_a_field_that_it_does_not_know_is_found(name: str) -> None:
    changed = TEXT.replace(f"{name}:", f"{name}s:") if name in TEXT else f"{TEXT}  {name}: true\n"
    ran = read(changed)
    assert (ran.returncode, f"{name}" in ran.stderr) == (1, True), ran.stderr


def test_its_injector_is_told_whose_authority_to_believe() -> None:
    found = by_name(rendered(KUBERNETES / "cert-manager"))
    certificate = found["Certificate/mandate-tls"]
    name = f"{certificate['metadata']['namespace']}/{certificate['metadata']['name']}"
    for webhook in ("mandate-production", "mandate-staging"):
        annotations = found[f"ValidatingWebhookConfiguration/{webhook}"]["metadata"]["annotations"]
        assert annotations == {"cert-manager.io/inject-ca-from": name}
    assert certificate["spec"]["secretName"] == "mandate-tls"
    (asked,) = found["ValidatingWebhookConfiguration/mandate-production"]["webhooks"]
    service = asked["clientConfig"]["service"]
    assert certificate["spec"]["dnsNames"] == [f"{service['name']}.{service['namespace']}.svc"]
    assert "Secret/mandate-tls" not in found
