from __future__ import annotations

import hashlib
import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mandate.collectors.provenance import RECORD, Options, ProvenanceCollector, schema
from mandate.engine.errors import BadInput, SourceMissing
from mandate.engine.input.gathering import Gathered, digest_of
from mandate.engine.input.registered import NamedValue
from mandate.engine.input.traceability import Code, Data, Environment, Output, Provenance, Verification
from tests.collectors.local_sources import TARGET, local

PUBLISHED = Path(__file__).parents[2] / "schemas" / "provenance.v1.json"
SHA = "a" * 64
ABSENT = "b" * 40


def git(folder: Path, *arguments: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@bank.example", "-c", "commit.gpgSign=false")
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def commit(tmp_path: Path) -> str:
    """A commit with `credit/train.py`, in the repository `code`."""
    repository = tmp_path / "code"
    (repository / "credit").mkdir(parents=True)
    git(repository, "init", "-q")
    (repository / "credit" / "train.py").write_bytes(b"print('train')\n")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "Train")
    return git(repository, "rev-parse", "HEAD")


def collect(tmp_path: Path, record: Any, **options: str) -> Gathered:
    (tmp_path / "record.json").write_text(json.dumps(record))
    return ProvenanceCollector(Options(record="record.json", **options), local(tmp_path)).collect(TARGET)


def verified(tmp_path: Path, record: Any, **options: str) -> dict[str, tuple[str, str]]:
    section = collect(tmp_path, record, **options).sections["provenance"]
    return {one.name: (one.result, one.detail) for one in section.verifications}


def test_a_whole_record_is_collected_and_verified(tmp_path: Path, commit: str) -> None:
    data, lock = b"income\n1\n", b"pandas==3.0.6\n"
    (tmp_path / "data.csv").write_bytes(data)
    (tmp_path / "requirements.lock").write_bytes(lock)
    (tmp_path / "train.py").write_bytes(b"print('train')\n")
    data_sha256, lock_sha256 = hashlib.sha256(data).hexdigest(), hashlib.sha256(lock).hexdigest()
    record = {
        "run_id": "r1",
        "data": {
            "version": "v1",
            "sha256": data_sha256,
            "source": "https://example.org/hmda",
            "as_of": "2026-11-24T10:00:00+02:00",
        },
        "code": {
            "repository": "https://git.bank.example/credit",
            "git_commit": commit,
            "path": "credit/train.py",
            "dirty": False,
        },
        "hyperparameters": {"solver": "lbfgs", "C": 1.5, "folds": 5, "warm": True, "seed": None},
        "environment": {
            "container_image_digest": f"sha256:{SHA}",
            "lock_file_sha256": lock_sha256,
            "python": "3.11.7",
        },
        "output": {"model_sha256": SHA},
    }
    gathered = collect(
        tmp_path, record, repository="code", code="train.py", data="data.csv", lock_file="requirements.lock"
    )
    sources = local(tmp_path)
    assert gathered == Gathered(
        {
            "provenance": Provenance(
                run_id="r1",
                data=Data(
                    version="v1",
                    sha256=data_sha256,
                    source="https://example.org/hmda",
                    as_of=datetime(2026, 11, 24, 8, tzinfo=UTC),
                ),
                code=Code(
                    repository="https://git.bank.example/credit",
                    git_commit=commit,
                    path="credit/train.py",
                    dirty=False,
                ),
                hyperparameters=(
                    NamedValue(name="C", value="1.5"),
                    NamedValue(name="folds", value="5"),
                    NamedValue(name="seed", value="null"),
                    NamedValue(name="solver", value="lbfgs"),
                    NamedValue(name="warm", value="true"),
                ),
                environment=Environment(
                    container_image_digest=f"sha256:{SHA}", lock_file_sha256=lock_sha256, python="3.11.7"
                ),
                output=Output(model_sha256=SHA),
                verifications=(
                    Verification(
                        name="git_commit_exists", result="verified", detail=f"code has the commit {commit}"
                    ),
                    Verification(
                        name="training_code_matches_commit",
                        result="verified",
                        detail=f"train.py is the file 'credit/train.py' of the commit {commit}",
                    ),
                    Verification(
                        name="data_sha256", result="verified", detail=f"data.csv has SHA-256 {data_sha256}"
                    ),
                    Verification(
                        name="lock_file_sha256",
                        result="verified",
                        detail=f"requirements.lock has SHA-256 {lock_sha256}",
                    ),
                ),
            )
        },
        "record.json, train.py, data.csv, requirements.lock",
        digest_of(
            *(
                sources.file(name).sha256
                for name in ("record.json", "train.py", "data.csv", "requirements.lock")
            )
        ),
    )


def test_an_empty_record_is_a_record_without_facts(tmp_path: Path) -> None:
    assert collect(tmp_path, {}).sections["provenance"] == Provenance(
        verifications=(
            Verification(
                name="git_commit_exists",
                result="not_verifiable",
                detail="the record has no code.git_commit",
            ),
            Verification(
                name="training_code_matches_commit",
                result="not_verifiable",
                detail="the record has no code.git_commit",
            ),
            Verification(name="data_sha256", result="not_verifiable", detail="the record has no data.sha256"),
            Verification(
                name="lock_file_sha256",
                result="not_verifiable",
                detail="the record has no environment.lock_file_sha256",
            ),
        ),
    )


def test_what_is_not_configured_is_not_verifiable(tmp_path: Path) -> None:
    record = {
        "code": {"git_commit": ABSENT},
        "data": {"sha256": SHA},
        "environment": {"lock_file_sha256": SHA},
    }
    assert {name: result for name, (result, _) in verified(tmp_path, record).items()} == {
        "git_commit_exists": "not_verifiable",
        "training_code_matches_commit": "not_verifiable",
        "data_sha256": "not_verifiable",
        "lock_file_sha256": "not_verifiable",
    }


def test_other_data_and_another_lock_file_refute(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"other")
    other = hashlib.sha256(b"other").hexdigest()
    record = {"data": {"sha256": SHA}, "environment": {"lock_file_sha256": SHA}}
    found = verified(tmp_path, record, data="file", lock_file="file")
    assert (
        found["data_sha256"]
        == found["lock_file_sha256"]
        == ("refuted", f"file has SHA-256 {other}, not {SHA}")
    )


def test_a_commit_that_is_not_there_refutes(tmp_path: Path, commit: str) -> None:
    found = verified(tmp_path, {"code": {"git_commit": ABSENT, "path": "credit/train.py"}}, repository="code")
    assert found["git_commit_exists"] == ("refuted", f"code has no commit {ABSENT}")
    assert found["training_code_matches_commit"][0] == "not_verifiable"


def test_a_tree_is_no_commit(tmp_path: Path, commit: str) -> None:
    tree = git(tmp_path / "code", "rev-parse", "HEAD^{tree}")
    assert (
        verified(tmp_path, {"code": {"git_commit": tree}}, repository="code")["git_commit_exists"][0]
        == "refuted"
    )


def test_a_shallow_clone_cannot_refute(tmp_path: Path, commit: str) -> None:
    git(tmp_path, "clone", "-q", "--depth", "1", (tmp_path / "code").as_uri(), "shallow")
    found = verified(tmp_path, {"code": {"git_commit": ABSENT}}, repository="shallow")
    assert found["git_commit_exists"] == (
        "not_verifiable",
        f"shallow has no commit {ABSENT}, which is a shallow clone",
    )


@pytest.mark.parametrize(
    ("path", "result"),
    [
        ("credit/train.py", "verified"),
        ("credit/other.py", "refuted"),
        ("credit", "refuted"),
        ("./credit/train.py", "refuted"),
        ("../code/credit/train.py", "refuted"),
        ("-x", "refuted"),
        ("--output=/tmp/x", "refuted"),
        ("/etc/hostname", "refuted"),
        ("credit/train.py\n", "refuted"),
    ],
)
def test_training_code_is_looked_up_in_the_commit(
    tmp_path: Path, commit: str, path: str, result: str
) -> None:
    found = verified(tmp_path, {"code": {"git_commit": commit, "path": path}}, repository="code")
    assert found["training_code_matches_commit"][0] == result
    assert found["training_code_matches_commit"][1].isprintable()


def test_code_that_is_not_that_of_the_commit_refutes(tmp_path: Path, commit: str) -> None:
    (tmp_path / "train.py").write_text("print('something else')\n")
    record = {"code": {"git_commit": commit, "path": "credit/train.py"}}
    found = verified(tmp_path, record, repository="code", code="train.py")
    assert found["training_code_matches_commit"] == (
        "refuted",
        f"train.py is not the file 'credit/train.py' of the commit {commit}",
    )


def test_a_replaced_commit_does_not_deceive(tmp_path: Path, commit: str) -> None:
    repository = tmp_path / "code"
    (repository / "credit" / "other.py").write_text("")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "Other")
    git(repository, "replace", commit, "HEAD")
    record = {"code": {"git_commit": commit, "path": "credit/other.py"}}
    assert verified(tmp_path, record, repository="code")["training_code_matches_commit"][0] == "refuted"


@pytest.mark.parametrize("kind", ["branch", "tag"])
def test_a_name_that_looks_like_a_commit_is_none(tmp_path: Path, commit: str, kind: str) -> None:
    git(tmp_path / "code", kind, "f" * 64, commit)
    found = verified(
        tmp_path, {"code": {"git_commit": "f" * 64, "path": "credit/train.py"}}, repository="code"
    )
    assert found["git_commit_exists"] == ("refuted", f"code has no commit {'f' * 64}")
    assert found["training_code_matches_commit"][0] == "not_verifiable"


def test_variables_of_git_do_not_lead_to_another_repository(
    tmp_path: Path, commit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", "/nowhere")
    record = {"code": {"git_commit": commit}}
    assert verified(tmp_path, record, repository="code")["git_commit_exists"][0] == "verified"


def test_a_folder_that_is_no_repository_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / ".git").write_text("gitdir: /nowhere\n")
    with pytest.raises(BadInput, match="folder: git cannot use it as a repository"):
        collect(tmp_path, {"code": {"git_commit": ABSENT}}, repository="folder")


def test_without_git_it_fails(tmp_path: Path, commit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BadInput, match="git is not installed"):
        collect(tmp_path, {"code": {"git_commit": commit}}, repository="code")


@pytest.mark.parametrize("option", ["record", "data", "lock_file", "code", "repository"])
def test_a_file_that_is_configured_and_not_there_is_missing(tmp_path: Path, option: str) -> None:
    (tmp_path / "record.json").write_text(json.dumps({"code": {"git_commit": ABSENT}}))
    options = Options.model_validate({"record": "record.json", option: "nothing"})
    with pytest.raises(SourceMissing):
        ProvenanceCollector(options, local(tmp_path)).collect(TARGET)


BAD: list[Any] = [
    [],
    "text",
    None,
    {"run_id": 1},
    {"run_id": ""},
    {"data": []},
    {"data": {"sha256": "A" * 64}},
    {"data": {"sha256": "a" * 63}},
    {"data": {"as_of": "2026-11-24"}},
    {"data": {"as_of": "2026-11-24T10:00:00"}},
    {"data": {"as_of": 1732442400}},
    {"data": {"sha_256": SHA}},
    {"code": {"git_commit": "HEAD"}},
    {"code": {"git_commit": "b" * 7}},
    {"code": {"git_commit": "--help"}},
    {"code": {"dirty": "no"}},
    {"code": {"dirty": 0}},
    {"hyperparameters": {"grid": [1, 2]}},
    {"hyperparameters": ["C"]},
    {"environment": {"container_image_digest": SHA}},
    {"output": {"model_sha256": f"sha256:{SHA}"}},
    {"comment": "unknown fields are misspelt ones"},
]
GOOD: list[Any] = [
    {},
    {"run_id": None, "data": None, "hyperparameters": None},
    {"data": {"sha256": None, "as_of": "2026-11-24T10:00:00.5+02:00"}},
    {"code": {"git_commit": "b" * 64, "dirty": True}},
    {"hyperparameters": {"C": 1, "x": 0.5, "y": "z", "b": False, "n": None}},
]


@pytest.mark.parametrize("record", BAD, ids=json.dumps)
def test_a_record_of_another_form_is_bad_input(tmp_path: Path, record: Any) -> None:
    with pytest.raises(BadInput, match=r"record\.json"):
        collect(tmp_path, record)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(record, json.loads(PUBLISHED.read_text()), cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize("record", GOOD, ids=json.dumps)
def test_a_record_of_the_published_form_is_taken(tmp_path: Path, record: Any) -> None:
    collect(tmp_path, record)
    jsonschema.validate(record, json.loads(PUBLISHED.read_text()), cls=jsonschema.Draft202012Validator)


def test_a_field_that_stands_twice_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "record.json").write_text('{"run_id": "a", "run_id": "b"}')
    with pytest.raises(BadInput):
        ProvenanceCollector(Options(record="record.json"), local(tmp_path)).collect(TARGET)


def test_the_published_schema_is_that_of_the_collector() -> None:
    assert json.loads(PUBLISHED.read_text()) == schema()
    jsonschema.Draft202012Validator.check_schema(schema())


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.sampled_from(["", "x", SHA, ABSENT, "2026-11-24T10:00:00Z"]),
    lambda inner: st.dictionaries(
        st.sampled_from(
            ["run_id", "data", "code", "sha256", "git_commit", "dirty", "hyperparameters", "as_of"]
        ),
        inner,
        max_size=3,
    ),
    max_leaves=8,
)


@given(_JSON)
def test_collector_and_published_schema_agree(record: Any) -> None:
    validator = jsonschema.Draft202012Validator(schema())
    try:
        RECORD.validate_python(record)
    except ValidationError:
        assert not validator.is_valid(record)
    else:
        assert validator.is_valid(record)
