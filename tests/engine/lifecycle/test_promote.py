from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mandate.engine.errors import NotRecorded, RegistryUnavailable
from mandate.engine.evidence.recorder import Recorder
from mandate.registry.mlflow import MlflowRegistry

from .models import AUTHORITY, Models, outline

pytestmark = pytest.mark.xdist_group("mlflow")


def before(monkeypatch: pytest.MonkeyPatch, method: str, do: Callable[[], object]) -> None:
    """Let `do` happen once, at the moment at which the registry is about to be asked this."""
    original = getattr(MlflowRegistry, method)
    waiting = [do]

    def asked(*args: Any, **kwargs: Any) -> Any:
        if waiting:
            waiting.pop()()
        return original(*args, **kwargs)

    monkeypatch.setattr(MlflowRegistry, method, asked)


@pytest.mark.parametrize("where", ["models", "served"])
def test_who_promoted_what_from_what_to_what_and_why_it_was_allowed_is_recorded_before_and_after(
    where: str, request: pytest.FixtureRequest
) -> None:
    models: Models = request.getfixturevalue(where)
    one, two = models.publish("1"), models.publish("2")
    first, second = models.promoted(one), models.promoted(two)
    assert models.aliases() == {"champion": two}
    *_, intent, result = models.acts()
    common = {
        "kind": AUTHORITY + "promotion/v1",
        "mandate": intent["mandate"],
        "ledger": {"origin": "bank.example/models"},
        "registry": models.registry().location,
        "model": models.name,
        "version": models.stated(two),
        "moves": [{"alias": "champion", "fromVersion": models.stated(one), "toVersion": models.stated(two)}],
        "environment": "production",
        "decision": second["id"],
        "by": second["request"]["requested_by"],
        "reason": None,
        "observed": False,
        "error": None,
    }
    assert intent == common | {
        "index": 6,
        "id": second["act"]["intent"]["id"],
        "recordedAt": intent["recordedAt"],
        "phase": "intent",
        "after": first["act"]["intent"]["id"],
        "intent": None,
        "outcome": None,
    }
    assert result == common | {
        "index": 7,
        "id": second["act"]["result"]["id"],
        "recordedAt": result["recordedAt"],
        "phase": "result",
        "after": None,
        "intent": intent["id"],
        "outcome": "done",
    }
    assert (second["alias"], second["act"]) == (
        {"alias": "champion", "from": one, "to": two},
        {
            "intent": {"index": 6, "id": intent["id"]},
            "result": {"index": 7, "id": result["id"]},
            "outcome": "done",
        },
    )


def test_a_person_is_told_what_moved_and_where_it_is_on_record(models: Models) -> None:
    shown = models.mandate("promote", models.uri(models.publish("1")), "--alias", "live")
    assert shown.exit_code == 0
    assert shown.out.endswith(
        "\n  the alias live now names version 1 (was not set)\n"
        "  recorded in entry 3 before and entry 4 after\n"
    )
    listed = models.mandate("ledger", "show", "--last", "2").out
    assert "promotion intent" in listed
    assert "promotion done" in listed


def test_cosign_verifies_that_a_model_was_promoted(models: Models, cosign: Path, tmp_path: Path) -> None:
    version = models.publish("1")
    result = models.promoted(version)["act"]["result"]
    (tmp_path / "bundle.json").write_text(models.mandate("ledger", "bundle", result["id"]).out)
    key = models.organisation.folder / ".mandate/keys/signing.pub"
    command = [str(cosign), "verify-blob-attestation", "--key", str(key), "--bundle", "bundle.json"]
    command += ["--type", f"{AUTHORITY}promotion/v1", "--insecure-ignore-tlog", "--digestAlg", "sha256"]
    said = subprocess.run(
        [*command, "--digest", models.digest(version)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={"HOME": str(tmp_path), "HTTPS_PROXY": "http://127.0.0.1:9", "PATH": os.environ["PATH"]},
    )
    assert (said.returncode, said.stderr.splitlines()[-1]) == (0, "Verified OK")
    statement = models.mandate("ledger", "statement", str(result["index"])).json
    assert (statement["predicateType"], statement["predicate"]["outcome"]) == (
        f"{AUTHORITY}promotion/v1",
        "done",
    )
    refused = models.mandate("ledger", "bundle", result["id"], "--type", "vsa")
    assert (refused.exit_code, "this entry is no decision" in refused.err) == (2, True)


def test_what_was_denied_is_not_even_begun(models: Models) -> None:
    ran = models.mandate("promote", models.uri(models.publish("1", allowed=False)), "--output", "json")
    assert (ran.exit_code, ran.json["alias"], ran.json["act"]) == (1, None, None)
    assert models.acts() == []


def test_an_alias_that_moves_while_the_model_is_judged_is_left_where_it_is(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model was perhaps held against the one that the alias named."""
    one, two = models.publish("1"), models.publish("2")
    before(monkeypatch, "digest", lambda: models.set_alias("champion", one))
    ran = models.mandate("promote", models.uri(two), "--output", "json")
    assert (ran.exit_code, ran.json["outcome"], ran.json["alias"], ran.json["act"]) == (
        3,
        "allow",
        None,
        None,
    )
    assert ran.json["alias_error"] == (
        f"{models.champion}: it named no version when this was asked, and names version {one} now. Ask again."
    )
    assert (models.aliases(), models.acts()) == ({"champion": one}, [])


def test_an_alias_that_moves_after_the_intent_is_left_where_it_is(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = models.publish("1"), models.publish("2")
    before(monkeypatch, "move_alias", lambda: models.set_alias("champion", one))
    ran = models.mandate("promote", models.uri(two), "--output", "json")
    assert (ran.exit_code, ran.json["alias"], ran.json["act"]["outcome"]) == (3, None, "failed")
    assert models.aliases() == {"champion": one}
    assert outline(models.acts()) == [("promotion intent", None), ("promotion result", "failed")]
    assert models.acts()[-1]["error"] == (
        f"{models.champion}: it names version {one} now, and not no version any more. Ask again. "
        f"the alias champion names version {one}, neither no version as before nor version {two} as intended"
    )


def test_an_alias_that_is_moved_away_at_once_did_not_stay(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = models.publish("1"), models.publish("2")
    before(monkeypatch, "retired", lambda: models.set_alias("champion", one))
    ran = models.mandate("promote", models.uri(two))
    assert ran.exit_code == 3
    assert "somebody else changed it at the same moment: the alias champion names version 1" in ran.err
    assert outline(models.acts())[-1] == ("promotion result", "failed")


def test_what_is_done_is_done_even_if_the_registry_said_otherwise(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the answer is lost on its way back."""
    original = MlflowRegistry.move_alias

    def lost(*args: Any, **kwargs: Any) -> None:
        original(*args, **kwargs)
        raise RegistryUnavailable("it closed the connection without an answer")

    monkeypatch.setattr(MlflowRegistry, "move_alias", lost)
    answer = models.promoted(models.publish("1"))
    assert (answer["act"]["outcome"], models.aliases()) == ("done", {"champion": "1"})


def test_what_nobody_can_tell_is_left_open_and_said_so(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: object, **__: object) -> None:
        monkeypatch.setattr(MlflowRegistry, "aliases", down)
        raise RegistryUnavailable("no answer in time", where="the registry", next_step="Wait")

    monkeypatch.setattr(MlflowRegistry, "move_alias", down)
    ran = models.mandate("promote", models.uri(models.publish("1")), "--output", "json")
    assert (ran.exit_code, ran.json["outcome"]) == (3, "allow")
    assert ran.json["act"] == {"intent": ran.json["act"]["intent"], "result": None, "outcome": None}
    assert ran.json["alias_error"] == (
        "the registry: no answer in time; no entry says what became of the act of entry 3. "
        "When that is mended, run `mandate ledger reconcile`."
    )
    monkeypatch.undo()
    again = models.mandate("promote", models.uri("1"))
    assert again.exit_code == 3
    assert f"entry 3 says that root was about to promote {models.uri('1')}, and no entry says" in (
        again.err.replace(models.acts()[0]["by"], "root")
    )
    assert "recorded in" not in again.out


def test_an_act_that_is_not_recorded_before_is_not_done(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(recorder: Recorder, kind: type[Any], **said: Any) -> Any:
        if "phase" in said:
            raise NotRecorded("the disk is full", where="ledger.db", next_step="Make room, then ask again")
        return original(recorder, kind, **said)

    original = Recorder.event
    monkeypatch.setattr(Recorder, "event", full)
    ran = models.mandate("promote", models.uri(models.publish("1")), "--output", "json")
    assert (ran.exit_code, ran.json["outcome"], ran.json["act"]) == (3, "allow", None)
    assert ran.json["alias_error"] == "ledger.db: the disk is full. Make room, then ask again."
    assert (models.aliases(), models.acts()) == ({}, [])


def test_an_act_that_is_not_recorded_after_is_found(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(recorder: Recorder, kind: type[Any], **said: Any) -> Any:
        if said.get("phase") == "result":
            raise NotRecorded("the disk is full", where="ledger.db", next_step="Make room, then ask again")
        return original(recorder, kind, **said)

    original = Recorder.event
    monkeypatch.setattr(Recorder, "event", full)
    ran = models.mandate("promote", models.uri(models.publish("1")))
    assert ran.exit_code == 3
    assert "the alias champion now names version 1 (was not set)" in ran.out
    assert "recorded in entry 3 before, and nothing after" in ran.out
    assert "the disk is full; no entry says what became of the act of entry 3" in ran.err
    monkeypatch.undo()
    assert models.mandate("doctor").exit_code == 2
    settled = models.mandate("ledger", "reconcile", "--older-than", "0")
    assert "was about to promote" in settled.out
    assert "it was done (entry 4)" in " ".join(settled.out.split())
    assert outline(models.acts()) == [("promotion intent", None), ("promotion result", "done")]


def test_an_act_that_others_settled_before_it_began_is_not_done(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the process was asleep for a long time."""
    original = Recorder.has
    waiting = [("ledger", "reconcile", "--older-than", "0")]

    def slow(recorder: Recorder, key: str) -> bool:
        if key.startswith("result:") and waiting:
            models.mandate(*waiting.pop())
        return original(recorder, key)

    monkeypatch.setattr(Recorder, "has", slow)
    ran = models.mandate("promote", models.uri(models.publish("1")), "--output", "json")
    assert (ran.exit_code, ran.json["alias"]) == (3, None)
    assert "somebody settled the act of entry 3 while it was still going on" in ran.json["alias_error"]
    assert models.aliases() == {}
    assert outline(models.acts()) == [("promotion intent", None), ("promotion result", "abandoned")]
