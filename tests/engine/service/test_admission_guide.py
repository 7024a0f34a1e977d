"""What `docs/service-admission.md` shows is what the door does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.cluster import asked, new_model, review
from tests.kube.manifests import ROOT
from tests.service import Serving, serving

GUIDE = (ROOT / "docs/service-admission.md").read_text()
GLASS = {"break_glass_groups": ["sre"], "break_glass_callers": ["decider"]}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(tmp_path_factory.mktemp("service"), admission=GLASS) as running:
        yield running


def shown(title: str) -> str:
    (found,) = re.findall(rf'^```[a-z]+ title="{title}"\n(.*?)^```$', GUIDE, re.MULTILINE | re.DOTALL)
    text: str = found
    return text


def deployment(service: Serving) -> dict[str, Any]:
    """The one of the guide, of a model that was allowed."""
    model = new_model()
    assert service.decide(model.document).json()["outcome"] == "allow"
    text = shown("deployment.yaml").replace("DIGEST", model.sha256).replace("IMAGE", "0" * 64)
    text = text.replace("credit/3", f"credit/{model.version}")
    found: dict[str, Any] = YAML(typ="safe").load(StringIO(text))
    return found


def said_by(found: dict[str, Any]) -> dict[str, str]:
    said: dict[str, str] = found["spec"]["template"]["metadata"]["annotations"]
    return said


def test_the_deployment_is_let_in_and_its_pods_are(service: Serving) -> None:
    found = deployment(service)
    assert asked(service, review(found))["allowed"] is True
    pod = {"apiVersion": "v1", "kind": "Pod", **found["spec"]["template"]}
    assert asked(service, review(pod))["allowed"] is True


def test_the_denial_is_the_one_that_is_shown(service: Serving) -> None:
    found = deployment(service)
    said_by(found)["mandate.dev/model"] = "credit/champion"
    found["spec"]["template"]["spec"]["containers"][0]["image"] = "serving:latest"
    assert asked(service, review(found))["status"]["message"] == shown("denial").rstrip()


def test_a_claim_that_no_model_runs_is_denied_and_says_what_would_let_it_in(service: Serving) -> None:
    found = deployment(service)
    assert "mandate.dev/model: none\n" in GUIDE
    said_by(found).clear()
    said_by(found)["mandate.dev/model"] = "none"
    message = asked(service, review(found))["status"]["message"]
    newest = service.organisation.entries()[-1]["id"]
    assert message.split("\n")[-1] == (
        "Next step: Name the model that runs there; if none does, whoever keeps the policies selects rules "
        f"for `none` (mandate explain {newest})"
    )


def test_the_glass_is_broken_with_the_reason_that_is_shown(service: Serving) -> None:
    found = deployment(service)
    (reason,) = re.findall(r'^mandate.dev/break-glass: "(.*)"$', GUIDE, re.MULTILINE)
    said_by(found).clear()
    said_by(found)["mandate.dev/break-glass"] = reason
    assert asked(service, review(found))["allowed"] is False
    assert asked(service, review(found, groups=("sre",)))["allowed"] is True
