from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mandate.engine.errors import BadInput, RegistryUnavailable, SourceMissing
from mandate.engine.input.gathering import Document
from mandate.sources import VersionSources
from tests.mlflow_fixtures import CARD, Store

pytestmark = pytest.mark.xdist_group("mlflow")


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture(params=["store", "server"])
def sources(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VersionSources]:
    store: Store = request.getfixturevalue(request.param)
    with store.registry() as registry:
        yield VersionSources(registry, registry.resolve("models:/credit/1"), folder=tmp_path)


def test_a_run_artifact_is_read(sources: VersionSources) -> None:
    file = sources.file("run:model_card.md")
    assert file.path.read_text() == CARD
    assert (file.location, file.sha256) == ("run:model_card.md", sha256(CARD.encode()))


def test_a_table_of_the_run_is_read_and_digested(sources: VersionSources) -> None:
    table = sources.table("run:data/training.csv")
    assert list(table.frame.columns) == ["income", "term"]
    assert table.sha256 == sources.file("run:data/training.csv").sha256


def test_a_table_belongs_to_whoever_asked(sources: VersionSources) -> None:
    first = sources.table("run:data/training.csv")
    first.frame["income"] = 0.0
    first.frame.loc[0, "term"] = -1
    second = sources.table("run:data/training.csv").frame
    assert second.to_dict("list") == {"income": [1.0, 2.0, 3.0, 4.0], "term": [12, 24, 12, 24]}


def test_a_file_of_the_model_is_read(sources: VersionSources) -> None:
    assert b"flavors:" in sources.file("model:MLmodel").path.read_bytes()


def test_another_version_has_sources_of_its_own(sources: VersionSources) -> None:
    uri, other = sources.of("models:/credit@challenger")
    assert uri == "models:/credit/2"
    assert other.file("model:MLmodel").sha256 != sources.file("model:MLmodel").sha256
    with pytest.raises(SourceMissing, match="no alias nobody"):
        sources.of("models:/credit@nobody")


def test_the_signature_is_that_of_the_version(sources: VersionSources) -> None:
    signature = sources.signature()
    assert signature is not None
    assert [column.name for column in signature.inputs] == ["income", "term"]
    assert sources.of("models:/credit/4")[1].signature() is None


@pytest.mark.parametrize("location", ["run:nothing", "model:nothing", "nothing.csv", "nothing/at/all"])
def test_what_is_not_there_is_missing(sources: VersionSources, location: str) -> None:
    with pytest.raises(SourceMissing):
        sources.file(location)


@pytest.mark.parametrize(
    "location",
    ["run:../x", "model:../../etc/hostname", "run:/etc/hostname", "model:/etc/hostname", "run:", "", "a\nb"],
)
def test_a_location_that_leads_elsewhere_is_refused(sources: VersionSources, location: str) -> None:
    with pytest.raises(BadInput):
        sources.file(location)


@pytest.mark.parametrize("location", ["run:data", "."])
def test_a_folder_is_no_file(sources: VersionSources, location: str) -> None:
    with pytest.raises(BadInput, match="it is a folder"):
        sources.file(location)


def test_what_was_digested_is_what_is_read(sources: VersionSources, tmp_path: Path) -> None:
    local = tmp_path / "people.yaml"
    local.write_text("a: no\n")
    file = sources.file("people.yaml")
    local.write_text("a: yes\n")
    assert sources.document("people.yaml") == Document("people.yaml", {"a": "no"}, sha256(b"a: no\n"))
    assert file.path.read_bytes() == b"a: no\n"


def test_a_json_document_is_read_strictly(sources: VersionSources, tmp_path: Path) -> None:
    (tmp_path / "good.json").write_text('{"a": ["2026-01-01", 1.5, null, "\\ud83d\\ude00"]}')
    assert sources.document("good.json").content == {"a": ["2026-01-01", 1.5, None, "\U0001f600"]}
    for number, bad in enumerate(('{"a": 1, "a": 2}', '{"a": NaN}', "{", '{"a": -Infinity}', "[" * 100_000)):
        (tmp_path / f"{number}.json").write_text(bad)
        with pytest.raises(BadInput, match="it is not JSON"):
            sources.document(f"{number}.json")


def test_a_yaml_document_is_read_strictly(sources: VersionSources, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("a: 1\na: 2\n")
    with pytest.raises(BadInput, match="already set in line 1"):
        sources.document("bad.yaml")


def test_a_repository_is_a_local_folder(sources: VersionSources, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path / "code"], check=True)
    (tmp_path / "file").touch()
    assert sources.repository("code").location == "code"
    with pytest.raises(SourceMissing):
        sources.repository("nothing")
    for location in ("file", "run:data"):
        with pytest.raises(BadInput):
            sources.repository(location)


def test_a_pipe_is_refused_and_not_waited_for(sources: VersionSources, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(BadInput, match="not a regular file"):
        sources.file("pipe.csv")


@dataclass(frozen=True)
class WithoutRun:
    uri: str = "models:/credit/1"
    run_id: str | None = None


def test_a_version_without_a_run_has_no_run_artifacts(store: Store, tmp_path: Path) -> None:
    with store.registry() as registry:
        sources = VersionSources(registry, WithoutRun(), folder=tmp_path)
        with pytest.raises(SourceMissing, match="the version has no run"):
            sources.file("run:model_card.md")


def test_a_registry_that_is_down_is_not_a_missing_source(tmp_path: Path) -> None:
    registry = Store("http://127.0.0.1:9", tmp_path, "").registry()
    sources = VersionSources(registry, WithoutRun(run_id="r"), folder=tmp_path)
    with pytest.raises(RegistryUnavailable):
        sources.file("run:model_card.md")


def test_copies_go_with_the_sources(store: Store, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a\n1\n")
    with store.registry() as registry:
        sources = VersionSources(registry, registry.resolve("models:/credit/1"), folder=tmp_path)
        copy = sources.file("a.csv").path
        assert copy.exists()
        del sources
        assert not copy.exists()
