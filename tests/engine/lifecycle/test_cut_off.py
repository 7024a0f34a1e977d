"""Acts that are cut off by kill -9, on a real process and a real tracking server, and two acts at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mandate.engine.evidence.sql import postgresql
from mandate.registry.mlflow import MlflowRegistry
from tests.postgresql import Server

from .models import Models, outline
from .stopping import Stop, stopping

pytestmark = pytest.mark.xdist_group("mlflow")
SETTLE = ("ledger", "reconcile", "--older-than", "0", "--output", "json")


@contextmanager
def at_the_move(served: Models, *, before: bool) -> Iterator[Stop]:
    """A proxy that stops whoever moves an alias. All name the registry as the settings do."""
    with stopping(served.store.tracking_uri, before=before) as stop:
        settings = served.organisation.folder / "mandate.yaml"
        settings.write_text(settings.read_text().replace(served.store.tracking_uri, stop.url))
        yield stop


def started(models: Models, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "mandate", *arguments],
        cwd=models.organisation.folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def killed(process: subprocess.Popen[bytes], stop: Stop) -> None:
    stop.wait()
    process.kill()
    assert process.wait() == -9
    stop.dropped = True
    stop.go_on.set()


@pytest.mark.parametrize(
    ("before", "became", "aliases"), [(True, "abandoned", {}), (False, "done", {"champion": "1"})]
)
def test_a_promotion_that_is_killed_is_found_and_settled(
    served: Models, before: bool, became: str, aliases: dict[str, str]
) -> None:
    version = served.publish("1")
    with at_the_move(served, before=before) as stop:
        killed(started(served, "promote", served.uri(version)), stop)
        (intent,) = served.acts()
        shown = served.mandate("doctor")
        assert shown.exit_code == 2
        assert (
            f"entry {intent['index']}: {intent['by']} was about to promote {served.uri(version)}, and no "
            in (" ".join(shown.out.split()))
        )
        assert "→ If it is not going on just now, run `mandate ledger reconcile`" in shown.out
        young = served.mandate("ledger", "reconcile", "--output", "json").json
        assert (young["settled"], [each["index"] for each in young["under_way"]]) == ([], [intent["index"]])
        assert "it may still be going on" in served.mandate("ledger", "reconcile").out
        settled = served.mandate(*SETTLE)
        (each,) = settled.json["settled"]
        assert (each["index"], each["action"], each["subject"]) == (
            intent["index"],
            "promote",
            served.uri(version),
        )
        result = served.acts()[-1]
        assert (result["outcome"], result["observed"], result["intent"]) == (
            each["outcome"],
            True,
            intent["id"],
        )
        assert (each["outcome"], served.aliases()) == (became, aliases)
        assert served.mandate("doctor").exit_code == 0
        assert served.promoted(version)["act"]["outcome"] == "done"


def test_a_retirement_that_is_killed_is_settled_with_what_happened(served: Models) -> None:
    version = served.publish("1")
    served.set_alias("champion", version)
    with at_the_move(served, before=True) as stop:
        killed(started(served, "retire", served.uri(version), "--reason", "old"), stop)
        assert served.mandate(*SETTLE).json["settled"][0]["outcome"] == "failed"
    result = served.acts()[-1]
    assert (result["moves"], result["error"]) == ([], "the alias champion names version 1 as before")
    assert served.tags(version) == {"mandate.retired": result["intent"]}


def test_of_two_acts_at_once_one_is_refused(served: Models) -> None:
    one, two = served.publish("1"), served.publish("2")
    with at_the_move(served, before=True) as stop:
        first = started(served, "promote", served.uri(one))
        stop.wait()
        second = served.mandate("promote", served.uri(two))
        stop.go_on.set()
        assert first.wait(60) == 0
    assert second.exit_code == 3
    assert " ALLOW " in second.out
    assert "was about to promote" in second.err
    assert "Wait for it; if it was cut off, run `mandate ledger reconcile`" in second.err
    assert served.aliases() == {"champion": one}
    assert outline(served.acts()) == [("promotion intent", None), ("promotion result", "done")]


def test_of_two_that_begin_at_the_same_moment_one_is_refused(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one is begun and done between the last look and the intent."""
    one, two = models.publish("1"), models.publish("2")
    original = MlflowRegistry.aliases
    others: list[int] = []

    def looked(registry: MlflowRegistry, name: str) -> object:
        found = original(registry, name)
        if not others:
            others.append(0)
            others[0] = models.mandate("promote", models.uri(one), "--alias", "live").exit_code
        return found

    monkeypatch.setattr(MlflowRegistry, "aliases", looked)
    ran = models.mandate("promote", models.uri(two), "--output", "json")
    assert (others, ran.exit_code, ran.json["outcome"], ran.json["act"]) == ([0], 3, "allow", None)
    assert "somebody else began to change the model at the same time: see entry " in ran.json["alias_error"]
    assert models.aliases() == {"live": one}


@pytest.fixture(params=["sqlite", "postgresql"])
def shared(models: Models, request: pytest.FixtureRequest) -> Iterator[Models]:
    """The ledger is in the one database or in the other."""
    if request.param == "sqlite":
        yield models
        return
    server: Server = request.getfixturevalue("postgresql_server")
    with server.database() as url:
        postgresql.create(url, origin="bank.example/models")
        settings = models.organisation.folder / "mandate.yaml"
        ledger = {"name": "bank.example/models", "url": url}
        settings.write_text(json.dumps(json.loads(settings.read_text()) | {"ledger": ledger}))
        yield models


def test_processes_that_promote_at_once_leave_the_alias_where_the_log_says(shared: Models) -> None:
    models = shared
    versions = [models.publish(str(number)) for number in range(2)]
    processes = [started(models, "promote", models.uri(version)) for version in versions]
    codes = [process.wait(120) for process in processes]
    assert set(codes) <= {0, 3}
    assert 0 in codes
    assert models.mandate("doctor").exit_code == 0
    done = [each for each in models.acts() if each.get("outcome") == "done"]
    assert len(done) == codes.count(0)
    assert models.aliases() == {"champion": done[-1]["version"]["version"]}
    former = [each["moves"][0]["fromVersion"] for each in done]
    assert former == [None, *(each["version"] for each in done[:-1])]


def test_who_reconciles_while_an_act_goes_on_settles_it_and_the_act_says_so(served: Models) -> None:
    version = served.publish("1")
    with at_the_move(served, before=True) as stop:
        process = started(served, "promote", served.uri(version))
        stop.wait()
        assert served.mandate(*SETTLE).json["settled"][0]["outcome"] == "abandoned"
        stop.go_on.set()
        assert process.wait(60) == 3
        found = served.mandate("ledger", "reconcile", "--output", "json")
    assert found.exit_code == 1
    assert {"model": served.name, "alias": "champion", "ledger": None, "registry": version} in (
        found.json["unexplained"]
    )
