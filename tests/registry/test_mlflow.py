from __future__ import annotations

import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mandate.engine.errors import (
    BadConfiguration,
    BadInput,
    BadRequest,
    RegistryUnavailable,
    SourceMissing,
    SubjectChanged,
    UnknownSubject,
)
from mandate.engine.input.registered import Column
from mandate.registry import mlflow
from mandate.registry.digest import artifact
from mandate.registry.mlflow import MlflowRegistry
from tests.mlflow_fixtures import CARD, COMMIT, Store, quiet, tracking_server

pytestmark = pytest.mark.xdist_group("mlflow")

WEIRD = "a'b\"c %2e%2e ${x} ; DROP TABLE é"


@pytest.fixture(params=["store", "server"])
def either(request: pytest.FixtureRequest) -> Store:
    """The SQLite store, and the server: what holds for one holds for the other."""
    found: Store = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def registry(either: Store) -> Iterator[MlflowRegistry]:
    with either.registry() as opened:
        yield opened


def test_a_version_is_resolved_by_number_and_by_alias(either: Store, registry: MlflowRegistry) -> None:
    by_number = registry.resolve("models:/credit/1")
    assert by_number == registry.resolve("models:/credit@champion")
    assert (by_number.uri, by_number.run_id, by_number.aliases) == (
        "models:/credit/1",
        either.run_id,
        ("champion",),
    )


def test_a_version_cannot_take_back_a_tag_of_its_model(registry: MlflowRegistry) -> None:
    version = registry.resolve("models:/credit/1")
    assert version.tags == {"mandate.risk_tier": "high", "recipe": "plain"}
    assert version.model_tags == {"mandate.risk_tier": "high"}


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("models:/credti/1", "there is no registered model 'credti'. The nearest name is 'credit'."),
        ("models:/credit/99", "models:/credit: it has no version 99. The latest version is 4."),
        ("models:/credit/3", "models:/credit: it has no version 3. The latest version is 4."),
        ("models:/credit@chalenger", "models:/credit: it has no alias chalenger. The nearest is challenger."),
        ("models:/credit@x", "models:/credit: it has no alias x. Its aliases are: challenger, champion."),
    ],
)
def test_what_does_not_exist_is_unknown_and_the_nearest_is_named(
    registry: MlflowRegistry, uri: str, message: str
) -> None:
    with pytest.raises(UnknownSubject) as raised:
        registry.resolve(uri)
    assert str(raised.value).endswith(message)


@pytest.mark.parametrize(
    "name", ["..%2fcredit", "credit?x", "credit#x", "a\\b", "' OR 1=1 --", "é", "a" * 256]
)
def test_an_odd_name_is_only_unknown(registry: MlflowRegistry, name: str) -> None:
    with pytest.raises(UnknownSubject, match="there is no registered model"):
        registry.resolve(f"models:/{name}/1")


def test_a_name_of_ten_kilobytes_is_a_bad_request(registry: MlflowRegistry) -> None:
    with pytest.raises(BadRequest, match="1 to 256 characters, not 10000"):
        registry.resolve(f"models:/{'a' * 10_000}/1")


def test_a_weird_name_that_exists_works_like_any_other(either: Store, registry: MlflowRegistry) -> None:
    version = either.publish(WEIRD, files={"a/MLmodel": b"{}", "b": b"x"})
    uri = f"models:/{WEIRD}/{version}"
    resolved = registry.resolve(uri)
    assert (resolved.name, resolved.uri) == (WEIRD, uri)
    assert registry.digest(uri) == registry.registered(uri).artifact.sha256
    registry.move_alias(WEIRD, "champion", version, expected=None)
    assert registry.alias(WEIRD, "champion") == version


@pytest.mark.parametrize("version", ["1", "2", "4"])
def test_the_digest_is_the_same_at_every_download_and_that_of_the_files(either: Store, version: str) -> None:
    uri = f"models:/credit/{version}"
    with either.registry() as one, either.registry() as other:
        collected = one.registered(uri).artifact
        assert one.digest(uri) == other.digest(uri) == collected.sha256
        assert artifact(other.download(uri), where="x") == collected


def test_a_changed_file_changes_the_digest_but_not_the_copy_in_hand(either: Store) -> None:
    version = either.publish("changing", files={"MLmodel": b"{}", "changing": b"1"})
    uri = f"models:/changing/{version}"
    with either.registry() as registry:
        before = registry.registered(uri).artifact.sha256
        (changed,) = (path for path in either.folder.rglob("changing") if path.is_file())
        changed.write_bytes(b"2")
        assert registry.digest(uri) != before
        assert registry.registered(uri).artifact.sha256 == before
    changed.unlink()


def test_everything_that_the_registry_says_comes_along(either: Store, registry: MlflowRegistry) -> None:
    registered = registry.registered("models:/credit/1")
    assert registered.run.info.run_id == either.run_id
    assert {name: [point.value for point in points] for name, points in registered.histories.items()} == {
        "loss": [0.5, 0.25],
        "unbounded": [pytest.approx(1.7976931348623157e308)],
        "undefined": [pytest.approx(float("nan"), nan_ok=True)],
    }
    assert registered.description.flavors == ("python_function", "sklearn")
    assert registry.signature("models:/credit/1") == registered.description.signature
    assert registered.description.signature is not None
    assert registered.description.signature.inputs == (
        Column(name="income", type="double"),
        Column(name="term", type="long"),
    )


def test_a_model_without_signature_says_so(registry: MlflowRegistry) -> None:
    assert registry.signature("models:/credit/4") is None


def test_the_run_says_who_ran_it(registry: MlflowRegistry) -> None:
    assert registry.run_user(registry.resolve("models:/credit/1")) == "ada@bank.example"
    assert registry.run_user(registry.resolve("models:/credit/2")) is None
    assert registry.run_commit(registry.resolve("models:/credit/1")) == COMMIT
    assert registry.run_commit(registry.resolve("models:/credit/2")) is None


def test_a_run_artifact_is_copied(either: Store, registry: MlflowRegistry) -> None:
    copy = registry.run_file(either.run_id, "model_card.md")
    assert copy.read_text() == CARD
    assert copy == registry.run_file(either.run_id, "model_card.md")
    assert either.folder not in copy.parents
    registry.close()
    assert not copy.exists()


@pytest.mark.parametrize("path", ["nothing.md", "no/folder/here.md", "model_card.md/x"])
def test_an_artifact_that_is_not_there_is_missing(either: Store, registry: MlflowRegistry, path: str) -> None:
    with pytest.raises(SourceMissing):
        registry.run_file(either.run_id, path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/hostname",
        "../model_card.md",
        "data/../../x",
        "%2e%2e/x",
        "a?b",
        "a#b",
        "..\\x",
        "a\n",
        "data//x",
    ],
)
def test_a_path_that_leads_elsewhere_is_refused(either: Store, registry: MlflowRegistry, path: str) -> None:
    with pytest.raises(BadInput, match="not the plain path of a file"):
        registry.run_file(either.run_id, path)


def test_a_folder_is_no_file(either: Store, registry: MlflowRegistry) -> None:
    with pytest.raises(BadInput, match="it is a folder"):
        registry.run_file(either.run_id, "data")


def test_a_run_that_does_not_exist_is_missing(registry: MlflowRegistry) -> None:
    with pytest.raises(SourceMissing, match="there is no such run"):
        registry.run_file("0" * 32, "model_card.md")


def test_an_alias_moves_if_it_is_where_it_is_expected(either: Store, registry: MlflowRegistry) -> None:
    first, second = either.publish("moving"), either.publish("moving")
    assert registry.alias("moving", "champion") is None
    registry.move_alias("moving", "champion", first, expected=None)
    registry.move_alias("moving", "champion", second, expected=first)
    assert registry.resolve("models:/moving@champion").version == second
    with pytest.raises(SubjectChanged, match=f"it names version {second} now, and not version {first}"):
        registry.move_alias("moving", "champion", first, expected=first)
    with pytest.raises(UnknownSubject):
        registry.move_alias("moving", "champion", "99", expected=second)
    assert registry.aliases("moving") == {"champion": second}
    assert registry.alias_of("models:/moving@champion") == "champion"
    registry.move_alias("moving", "champion", None, expected=second)
    with pytest.raises(SubjectChanged, match=f"it names no version now, and not version {second}"):
        registry.move_alias("moving", "champion", None, expected=second)
    assert registry.aliases("moving") == {}


def test_a_version_is_marked_as_retired_until_it_is_not(either: Store, registry: MlflowRegistry) -> None:
    version = either.publish("retiring")
    assert registry.retired("retiring", version) is None
    registry.mark_retired("retiring", version, "entry")
    assert registry.retired("retiring", version) == "entry"
    registry.mark_retired("retiring", version, None)
    assert registry.retired("retiring", version) is None


def test_all_models_are_listed_page_by_page(
    either: Store, registry: MlflowRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mlflow, "_MOST_NAMES", 2)
    names = [f"listed-{number}" for number in range(5)]
    for name in names:
        registry.move_alias(name, "champion", either.publish(name), expected=None)
    found = dict(registry.models())
    assert {name: found[name] for name in names} == {name: {"champion": "1"} for name in names}
    assert found["credit"] == {"challenger": "2", "champion": "1"}


def test_a_version_whose_files_are_gone_is_missing(either: Store, registry: MlflowRegistry) -> None:
    version = either.publish("gone", files={"gone-file": b"x"})
    (file,) = either.folder.rglob("gone-file")
    shutil.rmtree(file.parent)
    with pytest.raises(SourceMissing):
        registry.digest(f"models:/gone/{version}")


def test_a_version_whose_run_is_gone_has_no_run(either: Store, registry: MlflowRegistry) -> None:
    version = either.publish("orphan")
    run_id = registry.resolve(f"models:/orphan/{version}").run_id
    with sqlite3.connect(either.folder / "mlflow.db") as connection:
        for table in ("tags", "runs"):
            connection.execute(f"DELETE FROM {table} WHERE run_uuid = ?", (run_id,))
    connection.close()
    registered = registry.registered(f"models:/orphan/{version}")
    assert (registered.run, registered.histories) == (None, {})
    assert registry.run_user(registered.version) is None
    assert registry.run_commit(registered.version) is None


def test_an_mlmodel_file_that_is_none_is_bad_input(either: Store, registry: MlflowRegistry) -> None:
    version = either.publish("broken", files={"MLmodel": b"- just\n- a list\n"})
    with pytest.raises(BadInput, match="MLmodel file is not what MLflow writes"):
        registry.registered(f"models:/broken/{version}")


def test_loading_a_model_by_its_name_does_not_change_its_digest(store: Store) -> None:
    """MLflow then leaves a note among the files of a local store."""
    with quiet():
        import mlflow

        before = mlflow.get_tracking_uri()
        with store.registry() as registry:
            digest = registry.digest("models:/credit/1")
            mlflow.set_tracking_uri(store.tracking_uri)
            try:
                mlflow.pyfunc.load_model("models:/credit/1")
            finally:
                mlflow.set_tracking_uri(before)
            (note,) = store.folder.rglob("registered_model_meta")
            assert registry.digest("models:/credit/1") == digest
            note.write_text(note.read_text() + "# anything else\n")
            assert registry.digest("models:/credit/1") != digest
            note.unlink()


def test_a_link_in_a_local_store_is_refused(store: Store) -> None:
    version = store.publish("linked", files={"linked-file": b"x"})
    (file,) = store.folder.rglob("linked-file")
    (file.parent / "link").symlink_to("/etc/hostname")
    with store.registry() as registry, pytest.raises(BadInput, match="'link' is a link"):
        registry.digest(f"models:/linked/{version}")


def test_a_file_that_mlflow_passes_over_is_refused(store: Store) -> None:
    version = store.publish("hidden", files={"hidden-file": b"x"})
    (file,) = store.folder.rglob("hidden-file")
    (file.parent / ".artifact.uploading.x").write_bytes(b"evil")
    with store.registry() as registry, pytest.raises(BadInput, match="does not give all its files"):
        registry.digest(f"models:/hidden/{version}")


@pytest.mark.parametrize(
    "source", ["file:///etc", "http://127.0.0.1:9/x", "mlflow-artifacts://127.0.0.1:9/x"]
)
def test_a_server_cannot_send_the_gate_elsewhere(server: Store, source: str) -> None:
    version = server.publish("elsewhere")
    with sqlite3.connect(server.folder / "mlflow.db") as connection:
        connection.execute(
            "UPDATE model_versions SET source = ?, storage_location = ? WHERE name = ? AND version = ?",
            (source, source, "elsewhere", int(version)),
        )
    connection.close()
    with (
        server.registry() as registry,
        pytest.raises(RegistryUnavailable, match="nothing is fetched from there"),
    ):
        registry.digest(f"models:/elsewhere/{version}")


def test_a_version_that_is_not_ready_is_unknown(store: Store) -> None:
    version = store.publish("pending")
    with sqlite3.connect(store.folder / "mlflow.db") as connection:
        connection.execute("UPDATE model_versions SET status = 'PENDING_REGISTRATION' WHERE name = 'pending'")
    connection.close()
    with store.registry() as registry, pytest.raises(UnknownSubject, match=f"version {version} is not ready"):
        registry.resolve(f"models:/pending/{version}")


def test_a_server_that_is_down_is_unavailable_in_seconds(tmp_path: Path) -> None:
    registry = MlflowRegistry("http://ada:secret@127.0.0.1:9", folder=tmp_path)
    began = time.monotonic()
    with pytest.raises(RegistryUnavailable) as raised:
        registry.resolve("models:/credit/1")
    assert time.monotonic() - began < 15
    assert str(raised.value) == (
        "http://127.0.0.1:9: the registry could not be asked: connection refused. "
        "Check registry.tracking_uri in mandate.yaml, and that the server is up."
    )


def test_a_server_that_dies_meanwhile_is_unavailable(
    empty_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with tracking_server(empty_database, tmp_path) as running:
        client = Store(running.url, tmp_path, "")
        with quiet():
            client.client().create_experiment("credit")
        uri = f"models:/credit/{client.publish('credit')}"
        with client.registry() as registry:
            assert registry.resolve(uri).uri == uri
            running.kill()
            for ask in (registry.resolve, registry.digest, registry.registered):
                with pytest.raises(RegistryUnavailable):
                    ask(uri)


@contextmanager
def answering(body: bytes, *, after: float = 0) -> Iterator[str]:
    """The URL of something that is no MLflow: it answers everything with 200 and `body`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            time.sleep(after)
            with suppress(OSError):
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  (the library's name)
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    "body",
    [
        b"<html>Please log in as ada</html>",
        b"",
        b"{}",
        b"[]",
        b'{"registered_model": []}',
        b'{"registered_model": {"name": "other"}}',
        b'{"registered_model": {"name": "credit", "aliases": 7}}',
        b'{"registered_model": {"name": "credit"}}',
        b'{"registered_model": {"name": "credit"}, "model_version": {"name": "credit", "version": "2"}}',
    ],
)
def test_nonsense_for_an_answer_is_no_version(tmp_path: Path, body: bytes) -> None:
    with answering(body) as url, pytest.raises((RegistryUnavailable, UnknownSubject)) as raised:
        MlflowRegistry(url, folder=tmp_path).resolve("models:/credit/1")
    assert "ada" not in str(raised.value)


def test_a_server_that_does_not_answer_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with answering(b"{}", after=2) as url, pytest.raises(RegistryUnavailable, match="no answer in time"):
        MlflowRegistry(url, folder=tmp_path).resolve("models:/credit/1")


def test_a_missing_database_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(RegistryUnavailable, match="there is no such file"):
        MlflowRegistry("sqlite:///mlflow.db", folder=tmp_path).resolve("models:/credit/1")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("hello")
    with pytest.raises(RegistryUnavailable, match="cannot be read as a SQLite database"):
        MlflowRegistry("sqlite:///mlflow.db", folder=tmp_path).resolve("models:/credit/1")


def test_another_programs_database_is_not_migrated(tmp_path: Path) -> None:
    file = tmp_path / "mlflow.db"
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE other (id)")
    connection.close()
    before = file.read_bytes()
    with pytest.raises(RegistryUnavailable, match="it is not MLflow's database"):
        MlflowRegistry("sqlite:///mlflow.db", folder=tmp_path).resolve("models:/credit/1")
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    "uri", ["", "mlruns", "file:///mlruns", "ftp://host/x", "sqlite:///", "https://", "databricks"]
)
def test_a_uri_that_can_be_no_registry_is_bad_configuration(tmp_path: Path, uri: str) -> None:
    with pytest.raises(BadConfiguration):
        MlflowRegistry(uri, folder=tmp_path)


def test_the_environment_is_as_it_was(store: Store) -> None:
    before = dict(os.environ)
    with store.registry() as registry:
        registry.digest("models:/credit/1")
    assert {name: os.environ.get(name) for name in before} == before
    assert not [name for name in os.environ if name.startswith("MLFLOW_HTTP")]


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("https://ada:secret@mlflow.bank.example/x?token=1", "https://mlflow.bank.example/x"),
        ("sqlite:////srv/mlflow.db?timeout=1", "sqlite:////srv/mlflow.db"),
    ],
)
def test_where_it_is_names_no_secret(tmp_path: Path, uri: str, shown: str) -> None:
    assert MlflowRegistry(uri, folder=tmp_path).location == shown
