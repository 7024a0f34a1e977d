"""The documented webhook, read by Flagger's own types and done by its own load tester."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from mandate.engine.service.access.roles import Role
from tests.kube.manifests import ROOT
from tests.organisation import GOOD, with_value
from tests.served import eventually, free_port
from tests.service import TOKENS, Serving, serving
from tests.verifiers import programs

WEBHOOKS: str
(WEBHOOKS,) = re.findall(
    r"^```yaml\n(webhooks:\n.*?)^```$",
    (ROOT / "docs/service-calling.md").read_text(),
    re.MULTILINE | re.DOTALL,
)
DEPLOYED = with_value(GOOD, ("request", "action"), "deploy")
UNFAIR = with_value(DEPLOYED, ("fairness", "attributes", 0, "metrics", 0, "value"), 0.9)


def read(text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([programs.flagger()], input=text, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(tmp_path_factory.mktemp("service")) as running:
        yield running


@pytest.fixture(scope="module")
def tester(service: Serving, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The load tester's address and the folder in which it runs commands: Mandate is installed there."""
    folder = tmp_path_factory.mktemp("tester")
    mandate = folder / "mandate"
    mandate.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m mandate "$@"\n')
    mandate.chmod(0o755)
    environment = os.environ | {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "MANDATE_SERVER": str(service.client.base_url),
        "MANDATE_TOKEN": TOKENS[Role.DECIDER][0],
    }
    port = free_port()
    process = subprocess.Popen([programs.flagger(), "serve", str(port)], cwd=folder, env=environment)
    url = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: httpx.get(f"{url}/healthz").status_code == 200)
        yield url, folder
    finally:
        process.kill()
        process.wait()


def test_flagger_knows_every_field() -> None:
    ran = read(WEBHOOKS)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert json.loads(ran.stdout)["type"] == "confirm-promotion"
    changed = read(WEBHOOKS.replace("timeout:", "timeouts:"))
    assert (changed.returncode, 'unknown field "webhooks[0].timeouts"' in changed.stderr) == (1, True)


@pytest.mark.parametrize(
    ("document", "status", "said"),
    [(DEPLOYED, 200, ""), (UNFAIR, 500, "DENY"), (None, 500, "UNDECIDED")],
    ids=["allow", "deny", "undecided"],
)
def test_the_exit_code_says_whether_it_is_promoted(
    tester: tuple[str, Path], document: Any, status: int, said: str
) -> None:
    url, folder = tester
    metadata = json.loads(read(WEBHOOKS).stdout)["metadata"]
    if document is None:
        assert "models:/credit@candidate" in metadata["cmd"]  # there is no registry here
    else:
        (folder / "input.json").write_text(json.dumps(document))
        metadata["cmd"] = metadata["cmd"].replace("models:/credit@candidate", "--input input.json")
    asked = {"name": "credit", "namespace": "lending", "phase": "Progressing", "metadata": metadata}
    answer = httpx.post(url, json=asked, timeout=60)
    assert (answer.status_code, said in answer.text) == (status, True), answer.text
