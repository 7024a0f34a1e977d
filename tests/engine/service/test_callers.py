"""The list of callers: hashes of tokens, read again when the file changes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest

from mandate.engine import strict_yaml
from mandate.engine.cli import token as command
from mandate.engine.errors import BadConfiguration
from mandate.engine.service.access import tokens
from mandate.engine.service.access.roles import Caller, Role
from mandate.engine.service.access.tokens import Callers
from tests.organisation import Organisation
from tests.service import serving

ROOT = Path(__file__).parents[3]


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_new_list_counts_at_the_next_look_and_a_bad_one_never(tmp_path: Path, logged: list[str]) -> None:
    token, sha256 = tokens.new()
    file = written(tmp_path / "callers.yaml", f"- {{name: ci, roles: [decider], token_sha256: [{sha256}]}}\n")
    callers = Callers(file)
    assert not callers.changed()
    assert callers.by_token(token) is not None
    written(file, "- {name: ci, roles: [king]}\n")
    assert callers.changed()
    callers.look()
    assert callers.by_token(token) is not None
    assert "0.roles.0" in str(callers.problem)
    assert json.loads(logged[-1])["message"].startswith("the new list of callers is not used: ")
    written(file, "[]\n")
    callers.look()
    assert callers.by_token(token) is None
    assert not callers.problem
    file.unlink()
    callers.look()
    callers.look()
    assert callers.by_token(token) is None
    assert "there is no list" in str(callers.problem)


def test_a_caller_who_has_expired_is_not_known(tmp_path: Path) -> None:
    token, sha256 = tokens.new()
    for days, known in ((1, True), (-1, False)):
        expires = (datetime.now(UTC) + timedelta(days=days)).isoformat(timespec="seconds")
        text = f'- {{name: ci, roles: [decider], token_sha256: [{sha256}], expires: "{expires}"}}\n'
        file = written(tmp_path / "callers.yaml", text)
        assert (Callers(file).by_token(token) is not None) is known


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("- {name: a, roles: []}", "0.roles: list should have at least 1 item"),
        ("- {name: a, roles: [decider], password: x}", "0.password: extra inputs are not permitted"),
        ("- {name: a, roles: [decider], token_sha256: [abc]}", "0.token_sha256.0: string should match"),
        ("- {name: a, roles: [decider]}\n- {name: a, roles: [auditor]}", "'a', its token or"),
        ("a: b", "input should be a valid list"),
    ],
)
def test_a_list_that_is_wrong_is_refused_with_the_line(tmp_path: Path, text: str, fault: str) -> None:
    file = written(tmp_path / "callers.yaml", text)
    with pytest.raises(BadConfiguration) as error:
        Callers(file)
    assert fault in error.value.what
    assert error.value.where.startswith(f"{file}:")
    assert error.value.next_step in (
        "See schemas/callers.json",
        "Give each caller a name, tokens and a certificate of its own",
    )


def test_the_schema_that_errors_name_takes_what_the_command_prints(tmp_path: Path) -> None:
    schema = json.loads((ROOT / "schemas/callers.json").read_text("utf-8"))
    organisation = Organisation(tmp_path)
    printed = organisation.mandate("token", "ci", "--role", "decider", "--role", "auditor").out
    token, _, lines = printed.partition("\n")
    listed = strict_yaml.load_file(
        written(tmp_path / "callers.yaml", lines[lines.index("- name") :]), BadConfiguration
    )
    jsonschema.validate(listed.value, schema)
    known = Callers(tmp_path / "callers.yaml").by_token(token)
    assert known == Caller("ci", frozenset({Role.DECIDER, Role.AUDITOR}), "token")
    made = organisation.mandate("token", "ci", "--role", "metrics", "--output", "json").json
    jsonschema.validate([made["caller"]], schema)
    assert tokens.digest(made["token"]) == made["caller"]["token_sha256"][0]


def test_the_command_offers_every_role() -> None:
    (option,) = (each for each in command.command.params if each.name == "roles")
    assert option.to_info_dict()["type"]["choices"] == tuple(Role)


def test_who_is_taken_off_the_list_is_refused_at_once(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        file = tmp_path / "callers.yaml"
        before = file.read_text()

        def listed(text: str) -> tuple[int, float]:
            file.write_text(text)
            status = service.call("GET", "/v1/decisions", role=Role.AUDITOR).status_code
            (refused,) = (
                line.split()[1]
                for line in service.client.get("/metrics").text.splitlines()
                if line.startswith("mandate_callers_list_refused ")
            )
            return status, float(refused)

        assert listed(before) == (200, 0)
        assert listed("- name: unfinished") == (200, 1)
        without = [each for each in json.loads(before) if each["name"] != Role.AUDITOR]
        assert listed(json.dumps(without)) == (401, 0)
        assert listed(before) == (200, 0)
