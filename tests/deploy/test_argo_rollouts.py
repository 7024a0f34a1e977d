"""The documented template, run by the provider with which Argo Rollouts asks the web."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from mandate.engine.service.access.roles import Role
from tests.engine.http.peers import Peer, response, saying_once
from tests.kube.manifests import ROOT
from tests.organisation import GOOD, with_value
from tests.service import TOKENS, Serving, serving
from tests.verifiers import programs

TEMPLATE: str
(TEMPLATE,) = re.findall(
    r"^```yaml\n(apiVersion: argoproj\.io/v1alpha1\n.*?)^```$",
    (ROOT / "docs/service-calling.md").read_text(),
    re.MULTILINE | re.DOTALL,
)
SUBJECT = 'jsonBody: {subject: "{{args.model}}", action: deploy, environment: production}'
DEPLOYED = with_value(GOOD, ("request", "action"), "deploy")
UNFAIR = with_value(DEPLOYED, ("fairness", "attributes", 0, "metrics", 0, "value"), 0.9)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(tmp_path_factory.mktemp("service")) as running:
        yield running


def measured(template: str, url: str, token: str = TOKENS[Role.DECIDER][0]) -> str:
    """The metric's phase and what was found, as the controller has them."""
    there = template.replace("https://mandate.mandate.svc", url)
    assert there != template
    command = [str(programs.argo()), "model=models:/credit/2", f"token={token}"]
    ran = subprocess.run(command, input=there, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout


def about(document: Any) -> str:
    """The template with facts in it: there is no registry here from which they could be collected."""
    assert SUBJECT in TEMPLATE
    asked = {"input": document, "action": "deploy", "environment": "production"}
    return TEMPLATE.replace(SUBJECT, f"jsonBody: {json.dumps(asked)}")


@pytest.mark.parametrize(
    ("document", "phase"),
    [(DEPLOYED, 'mandate Successful "allow"\n'), (UNFAIR, 'mandate Failed "deny"\n')],
    ids=["allow", "deny"],
)
def test_the_condition_says_what_was_decided(service: Serving, document: Any, phase: str) -> None:
    assert measured(about(document), str(service.client.base_url)) == phase


def test_what_is_undecided_or_not_permitted_is_an_error(service: Serving) -> None:
    url = str(service.client.base_url)
    assert measured(TEMPLATE, url) == "mandate Error received non 2xx response code: 503\n"
    newest = service.organisation.entries()[-1]
    assert (newest["outcome"], newest["subject"]) == ("undecided", "models:/credit/2")
    assert measured(TEMPLATE, url, "nobodys") == "mandate Error received non 2xx response code: 401\n"


def test_a_page_that_is_no_json_is_a_success_to_argo_as_the_guide_warns() -> None:
    with Peer(saying_once(response(b"<html>Log in</html>"))) as proxy:
        assert measured(TEMPLATE, proxy.url) == "mandate Successful <html>Log in</html>\n"


def test_a_field_that_argo_does_not_know_is_found() -> None:
    changed = TEMPLATE.replace("jsonPath:", "jsonpath:")
    ran = subprocess.run([programs.argo()], input=changed, capture_output=True, text=True, check=False)
    assert (ran.returncode, 'unknown field "spec.metrics[0].provider.web.jsonpath"' in ran.stderr) == (
        1,
        True,
    )
