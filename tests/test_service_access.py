"""The examples of docs/service-access.md are read, and let in whom they say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import anyio
import pytest

from mandate.engine import configuration
from mandate.engine.configuration import Configuration
from mandate.engine.service.access import key_sources
from mandate.engine.service.access.issuer_keys import IssuerKeys
from mandate.engine.service.access.issuers import Issuers, Trusted
from mandate.engine.service.access.roles import ACCESS, Caller, Role
from mandate.engine.service.access.tokens import Callers
from mandate.engine.service.problems import Problem
from tests.authority import Authority
from tests.issuer import issuing, key
from tests.organisation import GOOD
from tests.service import CA, TLS, serving
from tests.test_guide import DOCS, fences, run

PAGE = DOCS / "service-access.md"
SETTINGS = {
    info.partition("mandate.yaml: ")[2].strip('"'): body
    for info, body in fences(PAGE)
    if "mandate.yaml" in info
}
SIGNER = key("actions", "RS256")

GITHUB = {
    "sub": "repo:bank/models:environment:production",
    "aud": "https://mandate.bank.example",
    "ref": "refs/heads/main",
    "ref_type": "branch",
    "ref_protected": "true",
    "repository": "bank/models",
    "repository_id": "74",
    "repository_owner": "bank",
    "repository_owner_id": "4077",
    "environment": "production",
    "event_name": "push",
    "job_workflow_ref": "bank/models/.github/workflows/release.yml@refs/heads/main",
}
GITLAB = {
    "sub": "project_path:bank/models:ref_type:branch:ref:main",
    "aud": "https://mandate.bank.example",
    "project_path": "bank/models",
    "project_id": "22",
    "namespace_path": "bank",
    "ref": "main",
    "ref_type": "branch",
    "ref_protected": "true",
    "pipeline_source": "push",
}
PERSON = {
    "sub": "7c1f",
    "aud": "mandate",
    "email": "ana@bank.example",
    "email_verified": True,
    "groups": ["staff", "model-risk"],
}
POD = {"sub": "system:serviceaccount:release:promoter", "aud": ["mandate"]}


def configured(folder: Path, text: str) -> Configuration:
    file = folder / "mandate.yaml"
    file.write_text(f"ledger: {{name: bank.example/models}}\n{text}")
    return configuration.load(file, environment={})


def let_in(folder: Path, example: str, claims: dict[str, Any]) -> Caller | str:
    """Whom the example lets in with a token of these claims, or why not; the issuer is on this machine."""
    (written,) = configured(folder, SETTINGS[example]).settings.service.oidc
    with issuing() as issuer:
        issuer.keys = [SIGNER.jwk]
        settings = written.model_copy(
            update={"issuer": issuer.url, "jwks_file": None, "plain_loopback": True}
        )
        trusted = Trusted(settings, IssuerKeys(settings, key_sources.reader(settings, Path)))
        issuers = Issuers([trusted])

        async def ask() -> Caller | str:
            async with issuers.open():
                try:
                    caller = await issuers.caller(issuer.token(by=SIGNER, **claims))
                except Problem as problem:
                    return f"{problem.status} {problem.detail}"
            return Caller(caller.name.replace(settings.shown, written.shown), caller.roles, caller.how)

        return anyio.run(ask)


@pytest.mark.parametrize(
    ("example", "claims", "name", "role"),
    [
        ("GitHub Actions", GITHUB, f"{GITHUB['sub']} at token.actions.githubusercontent.com", Role.DECIDER),
        ("GitLab", GITLAB, f"{GITLAB['sub']} at gitlab.com", Role.DECIDER),
        ("people", PERSON, "ana@bank.example (7c1f) at login.bank.example/realms/staff", Role.AUDITOR),
        ("a cluster", POD, f"{POD['sub']} at kubernetes.default.svc.cluster.local", Role.DECIDER),
    ],
)
def test_an_example_lets_in_whom_it_is_for(
    tmp_path: Path, example: str, claims: dict[str, Any], name: str, role: Role
) -> None:
    assert let_in(tmp_path, example, claims) == Caller(name, frozenset({role}), "oidc")


NO_GRANT = "403 your issuer is trusted, and none of its grants is for the claims of your token"


@pytest.mark.parametrize(
    ("example", "claims"),
    [
        ("GitHub Actions", GITHUB | {"repository": "bank/others"}),
        ("GitHub Actions", GITHUB | {"repository_owner_id": "5000"}),
        ("GitHub Actions", GITHUB | {"ref": "refs/pull/7/merge"}),
        ("GitHub Actions", GITHUB | {"environment": ...}),
        ("GitLab", GITLAB | {"ref_protected": "false"}),
        ("GitLab", GITLAB | {"ref_type": "tag"}),
        ("GitLab", GITLAB | {"project_path": "mallory/models"}),
        ("people", PERSON | {"email_verified": False}),
        ("people", PERSON | {"groups": ["staff"]}),
        ("a cluster", POD | {"sub": "system:serviceaccount:default:default"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_example_lets_in_nobody_else(tmp_path: Path, example: str, claims: dict[str, Any]) -> None:
    assert let_in(tmp_path, example, claims) == NO_GRANT


def test_every_example_is_read(tmp_path: Path) -> None:
    assert len(SETTINGS) == 5
    for text in SETTINGS.values():
        configured(tmp_path, text)
    lists = [body for info, body in fences(PAGE) if "callers.yaml" in info]
    assert len(lists) == 2
    for text in lists:
        (tmp_path / "callers.yaml").write_text(text)
        Callers(tmp_path / "callers.yaml")


def test_the_table_of_roles_is_that_of_the_code() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", PAGE.read_text(), re.MULTILINE)
    said = {role: set(re.findall(r"`(\w+)`", routes)) for role, routes in rows}
    assert said == {role: {route for route, roles in ACCESS.items() if role in roles} for role in Role}


def test_the_commands_print_what_the_page_says(tmp_path: Path) -> None:
    commands, _ = (body for info, body in fences(PAGE) if info == "console")
    folder = tmp_path / "bank"
    folder.mkdir()
    lines = commands.splitlines()
    ran = [run(line.removeprefix("$ "), folder) for line in lines if line.startswith("$ ")]
    assert [each.returncode for each in ran] == [0, 0]
    assert lines[-1] in ran[-1].stdout
    token, _, rest = (folder / "new-token.txt").read_text().partition("\n")
    assert token.startswith("mandate_")
    (folder / "callers.yaml").write_text(rest[rest.index("- name") :])
    assert Callers(folder / "callers.yaml").by_token(token) is not None


def test_a_client_certificate_is_shown_as_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, commands = (body for info, body in fences(PAGE) if info == "console")
    (command, said) = commands.splitlines()
    bank, machine = tmp_path / "bank", tmp_path / "machine"
    bank.mkdir()
    machine.mkdir()
    authority = Authority("authority")
    authority.issue(bank, "server")
    authority.write(bank / CA)
    authority.write(machine / "ca.pem")
    certificate, own = authority.issue(machine, "decider")
    certificate.rename(machine / "client.pem")
    own.rename(machine / "client.key")
    (machine / "facts.json").write_text(json.dumps(GOOD))
    with serving(bank, tls=TLS) as running:
        monkeypatch.setenv("MANDATE_SERVER", str(running.client.base_url))
        ended = run(command.removeprefix("$ "), machine)
    assert (ended.returncode, said in ended.stdout) == (0, True), ended.stdout + ended.stderr
