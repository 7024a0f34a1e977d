from __future__ import annotations

import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from mandate.collectors.developers import DevelopersCollector, Options, schema
from mandate.engine.errors import BadInput, MandateError, RegistryUnavailable, SourceMissing
from mandate.engine.input import Action, Certificate, Developer
from mandate.engine.input.gathering import Gathered, NothingThere, Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.collectors.conftest import Files

SCHEMA = Path(__file__).parents[2] / "schemas/developers.v1.json"
TARGET = Target("credit", "2", "models:/credit/2", "run", Action.PROMOTE, "production")
DIRECTORY = """\
apiVersion: mandate.developers/v1
accredited_issuers: [Institute of Banking Ethics]
developers:
  - identities: [Ada@Bank.example, ada, ada@home.example]
    roles: [data_scientist]
    certificates:
      - title: Ethics of automated decisions
        issuer: "institute of banking ethics "
        topics: [ethics]
        issued: 2026-01-31
        expires: 2027-01-31
      - title: Credit scoring
        issuer: A friend
        topics: [credit]
        issued: 2026-01-31T10:00:00+14:00
        expires: "2027-01-31T00:30:00.5-08:00"
  - identities: [bo@bank.example]
"""
ADA = Developer(
    name="ada@bank.example",
    known=True,
    evidence=("run user",),
    identities=("ada@bank.example", "ada", "ada@home.example"),
    roles=("data_scientist",),
    certificates=(
        Certificate(
            title="Ethics of automated decisions",
            issuer="institute of banking ethics ",
            accredited=True,
            topics=("ethics",),
            issued=datetime(2026, 2, 1, tzinfo=UTC),
            expires=datetime(2027, 1, 31, tzinfo=UTC),
        ),
        Certificate(
            title="Credit scoring",
            issuer="A friend",
            accredited=False,
            topics=("credit",),
            issued=datetime(2026, 1, 30, 20, tzinfo=UTC),
            expires=datetime(2027, 1, 31, 8, 30, 0, 500_000, tzinfo=UTC),
        ),
    ),
)


def collect(
    files: Files, user: str | None = None, made: str | None = None, **options: Any
) -> Gathered | NothingThere:
    chosen = Options.model_validate({"directory": "developers.yaml", **options})
    return DevelopersCollector(chosen, files.sources(), lambda: user, lambda: made).collect(TARGET)


def section(
    files: Files, user: str | None = None, made: str | None = None, **options: Any
) -> tuple[Developer, ...]:
    gathered = collect(files, user, made, **options)
    assert isinstance(gathered, Gathered)
    adapter = TypeAdapter(tuple[Developer, ...])
    return adapter.validate_json(adapter.dump_json(gathered.sections["developers"]))


def authors(files: Files, **options: Any) -> dict[str, tuple[str, ...]]:
    found = section(files, repository="code", **options)
    return {developer.name: developer.evidence for developer in found}


class Repository:
    """A real git repository, whose commits say who made them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str, **environment: str) -> str:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        who = {
            "GIT_AUTHOR_NAME": "A",
            "GIT_AUTHOR_EMAIL": "a@x.example",
            "GIT_COMMITTER_NAME": "C",
            "GIT_COMMITTER_EMAIL": "c@x.example",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        command = ["git", "-C", str(self.folder), *arguments]
        made = subprocess.run(
            command, env={**clean, **who, **environment}, capture_output=True, text=True, check=True
        )
        return made.stdout.strip()

    def commit(self, path: str, content: str, mail: str, name: str = "Somebody") -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "-m", "x", GIT_AUTHOR_EMAIL=mail, GIT_AUTHOR_NAME=name)


@pytest.fixture
def repository(files: Files) -> Repository:
    files.write("developers.yaml", DIRECTORY)
    return Repository(files.root / "code")


def test_a_known_run_user_comes_with_roles_and_certificates(files: Files) -> None:
    sha256 = files.write("developers.yaml", DIRECTORY)
    gathered = collect(files, "ADA ")
    assert gathered == Gathered({"developers": (ADA,)}, "developers.yaml", sha256)


def test_json_says_the_same_as_yaml(files: Files) -> None:
    files.write("developers.yaml", DIRECTORY)
    content = files.sources().document("developers.yaml").content
    files.write("developers.json", json.dumps(content))
    assert section(files, "ada", directory="developers.json") == (ADA,)


def test_an_unknown_author_is_a_fact(files: Files) -> None:
    files.write("developers.yaml", DIRECTORY)
    assert section(files, "Eve@elsewhere.example") == (
        Developer(
            name="eve@elsewhere.example",
            known=False,
            evidence=("run user",),
            identities=("eve@elsewhere.example",),
        ),
    )


def test_several_identities_of_a_person_are_one_developer(files: Files, repository: Repository) -> None:
    repository.commit("train.py", "1", "ada@home.example")
    repository.commit("train.py", "2", "Eve@Elsewhere.example")
    repository.commit("train.py", "3", "ADA@bank.example")
    found = section(files, "ada", repository="code", paths=["train.py"])
    assert [(one.name, one.known, one.evidence) for one in found] == [
        ("ada@bank.example", True, ("git author", "run user")),
        ("eve@elsewhere.example", False, ("git author",)),
    ]


def test_the_commit_that_was_read_stands_in_the_source(files: Files, repository: Repository) -> None:
    repository.commit("train.py", "1", "ada@home.example")
    gathered = collect(files, repository="code")
    assert gathered.source == f"developers.yaml, code@{repository.git('rev-parse', 'HEAD')}"


def test_authors_are_those_of_the_named_paths(files: Files, repository: Repository) -> None:
    repository.commit("model/train.py", "train", "one@x.example")
    repository.commit("model/data.py", "data", "two@x.example")
    repository.commit("README.md", "readme", "three@x.example")
    assert sorted(authors(files, paths=["model/train.py"])) == ["one@x.example"]
    assert sorted(authors(files, paths=["model"])) == ["one@x.example", "two@x.example"]
    assert sorted(authors(files, paths=["README.md", "model/data.py"])) == [
        "three@x.example",
        "two@x.example",
    ]
    assert sorted(authors(files)) == ["one@x.example", "three@x.example", "two@x.example"]


def test_whoever_wrote_a_file_before_it_was_renamed_is_an_author(
    files: Files, repository: Repository
) -> None:
    repository.commit("model.py", "line\n" * 20, "old@x.example")
    repository.git("mv", "model.py", "train.py")
    repository.commit("train.py", "line\n" * 20 + "more\n", "new@x.example")
    assert sorted(authors(files, paths=["train.py"])) == ["new@x.example", "old@x.example"]


def test_all_sides_of_a_merge_count(files: Files, repository: Repository) -> None:
    repository.commit("train.py", "1\n", "base@x.example")
    repository.git("checkout", "--quiet", "-b", "side")
    repository.commit("train.py", "2\n", "side@x.example")
    repository.git("checkout", "--quiet", "main")
    repository.commit("README.md", "1\n", "main@x.example")
    repository.git("merge", "--quiet", "--strategy=ours", "-m", "x", "side")
    assert sorted(authors(files, paths=["train.py"])) == ["base@x.example", "side@x.example"]


def test_whoever_writes_in_a_merge_is_an_author(files: Files, repository: Repository) -> None:
    repository.commit("train.py", "1\n", "base@x.example")
    repository.git("checkout", "--quiet", "-b", "side")
    repository.commit("other.py", "2\n", "side@x.example")
    repository.git("checkout", "--quiet", "main")
    repository.commit("README.md", "1\n", "main@x.example")
    repository.git("merge", "--quiet", "--no-commit", "side")
    repository.commit("train.py", "smuggled\n", "merger@x.example")
    assert sorted(authors(files, paths=["train.py"])) == ["base@x.example", "merger@x.example"]


def test_committers_count_if_the_settings_say_so(files: Files, repository: Repository) -> None:
    repository.commit("train.py", "1", "ada@home.example")
    assert authors(files) == {"ada@bank.example": ("git author",)}
    assert authors(files, committers=True) == {
        "ada@bank.example": ("git author",),
        "c@x.example": ("git committer",),
    }


def test_a_mailmap_does_not_make_an_author_another_person(files: Files, repository: Repository) -> None:
    repository.commit("train.py", "1", "eve@x.example")
    repository.commit(".mailmap", "Ada <ada@bank.example> <eve@x.example>\n", "eve@x.example")
    assert authors(files, paths=["train.py"]) == {"eve@x.example": ("git author",)}


def test_a_graft_does_not_hide_an_author(files: Files, repository: Repository) -> None:
    repository.commit("train.py", "1", "eve@x.example")
    repository.commit("train.py", "2", "bo@bank.example")
    grafts = repository.folder / ".git/info/grafts"
    grafts.parent.mkdir(exist_ok=True)
    grafts.write_text(repository.git("rev-parse", "HEAD") + "\n")
    assert sorted(authors(files)) == ["bo@bank.example", "eve@x.example"]


def test_who_wrote_the_commit_of_the_run_is_an_author_though_it_was_never_merged(
    files: Files, repository: Repository
) -> None:
    repository.commit("train.py", "1\n", "bo@bank.example")
    repository.git("checkout", "--quiet", "-b", "side")
    repository.commit("train.py", "2\n", "eve@x.example")
    made = repository.git("rev-parse", "HEAD")
    repository.git("checkout", "--quiet", "main")
    assert sorted(authors(files, made=made)) == ["bo@bank.example", "eve@x.example"]
    gathered = collect(files, made=made, repository="code")
    assert gathered.source == f"developers.yaml, code@{repository.git('rev-parse', 'main')}, code@{made}"


def test_a_commit_of_the_run_that_was_merged_is_in_the_history_anyway(
    files: Files, repository: Repository
) -> None:
    repository.commit("train.py", "1\n", "bo@bank.example")
    made = repository.git("rev-parse", "HEAD")
    repository.git("mv", "train.py", "fit.py")
    repository.commit("README.md", "x\n", "eve@x.example")
    gathered = collect(files, made=made, repository="code", paths=["fit.py"])
    assert gathered.source == f"developers.yaml, code@{repository.git('rev-parse', 'main')}"


@pytest.mark.parametrize(
    "made", ["0" * 40, "main", "HEAD", "HEAD~0", "--all", "f" * 64, "abc", "\ud800", "a\0"]
)
def test_a_commit_of_the_run_that_the_clone_does_not_have_has_authors_that_nobody_knows(
    files: Files, repository: Repository, made: str
) -> None:
    repository.commit("train.py", "1", "bo@bank.example")
    with pytest.raises(BadInput, match="the clone does not have the commit of the run"):
        collect(files, made=made, repository="code")


def test_a_branch_that_is_named_like_a_commit_is_none(files: Files, repository: Repository) -> None:
    repository.commit("train.py", "1", "bo@bank.example")
    repository.git("branch", "f" * 64)
    with pytest.raises(BadInput, match="the clone does not have the commit of the run"):
        collect(files, made="f" * 64, repository="code")


def test_an_author_without_a_mail_address_goes_by_name(files: Files, repository: Repository) -> None:
    repository.commit("train.py", "1", "", "Nobody's Ärger")
    assert authors(files) == {"nobody's ärger": ("git author",)}


def test_the_history_counts_up_to_the_revision(files: Files, repository: Repository) -> None:
    repository.commit("train.py", "1", "one@x.example")
    repository.git("tag", "v1")
    repository.commit("train.py", "2", "two@x.example")
    assert sorted(authors(files, revision="v1")) == ["one@x.example"]


def test_a_replaced_commit_does_not_hide_its_author(files: Files, repository: Repository) -> None:
    repository.commit("train.py", "1", "eve@x.example")
    tree = repository.git("rev-parse", "HEAD^{tree}")
    forged = repository.git("commit-tree", tree, "-m", "x", GIT_AUTHOR_EMAIL="ada@bank.example")
    repository.git("replace", "HEAD", forged)
    assert sorted(authors(files)) == ["eve@x.example"]


def test_variables_of_git_do_not_lead_elsewhere(
    files: Files, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit("train.py", "1", "one@x.example")
    other = Repository(files.root / "other")
    other.commit("train.py", "1", "two@x.example")
    monkeypatch.setenv("GIT_DIR", str(other.folder / ".git"))
    assert sorted(authors(files, paths=["train.py"])) == ["one@x.example"]


@pytest.mark.parametrize("path", ["nothing.py", "--all", ":(glob)**", "*.py", "../developers.yaml"])
def test_a_path_that_git_does_not_know_is_an_error(files: Files, repository: Repository, path: str) -> None:
    repository.commit("train.py", "1", "one@x.example")
    with pytest.raises(BadInput, match=r"git (knows no commit that touches|says)"):
        collect(files, repository="code", paths=["train.py", path])


@pytest.mark.parametrize("revision", ["nothing", "--output=x", "HEAD:train.py", "-1"])
def test_a_revision_that_is_no_commit_is_an_error(
    files: Files, repository: Repository, revision: str
) -> None:
    repository.commit("train.py", "1", "one@x.example")
    with pytest.raises(BadInput, match="git says") as refused:
        collect(files, repository="code", revision=revision)
    assert refused.value.where == "code"


def test_a_name_that_no_process_can_be_given_is_an_error(files: Files, repository: Repository) -> None:
    repository.commit("train.py", "1", "one@x.example")
    with pytest.raises(BadInput, match=r"git did not answer \(ValueError\)"):
        collect(files, repository="code", paths=["train.py\0"])


def test_a_shallow_clone_is_refused(files: Files, repository: Repository) -> None:
    repository.commit("train.py", "1", "one@x.example")
    repository.commit("train.py", "2", "two@x.example")
    repository.git("clone", "--quiet", "--depth=1", repository.folder.as_uri(), str(files.root / "shallow"))
    with pytest.raises(BadInput, match="the clone is shallow"):
        collect(files, repository="shallow")


def test_a_repository_without_a_commit_is_an_error(files: Files, repository: Repository) -> None:
    with pytest.raises(BadInput, match="git says"):
        collect(files, repository=repository.folder.name)


def test_a_repository_that_is_not_there_is_missing(files: Files) -> None:
    files.write("developers.yaml", DIRECTORY)
    with pytest.raises(SourceMissing):
        collect(files, repository="code")


def test_without_git_nobody_is_an_author(
    files: Files, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit("train.py", "1", "one@x.example")
    monkeypatch.setenv("PATH", str(files.root))
    with pytest.raises(BadInput, match="git is not installed"):
        collect(files, "ada", repository="code")


def test_nobody_is_not_an_empty_list(files: Files) -> None:
    files.write("developers.yaml", DIRECTORY)
    for user in (None, " "):
        assert collect(files, user) == NothingThere(
            "the run has no user, and mandate.yaml names no repository in collectors.developers",
            "developers.yaml",
        )


def test_a_missing_directory_is_missing_and_not_failed(files: Files) -> None:
    with pytest.raises(SourceMissing):
        collect(files, "ada")


def test_a_registry_that_is_down_is_not_a_run_without_a_user(files: Files) -> None:
    files.write("developers.yaml", DIRECTORY)

    def user() -> str | None:
        raise RegistryUnavailable("it is down")

    with pytest.raises(RegistryUnavailable):
        DevelopersCollector(
            Options(directory="developers.yaml"), files.sources(), user, lambda: None
        ).collect(TARGET)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("[bo@bank.example]", "[ADA]", "the identity 'ada' stands twice"),
        ("[bo@bank.example]", "[bo, Bo]", "the identity 'bo' stands twice"),
        ("[bo@bank.example]", "['  ']", "an identity is blank"),
        ("[bo@bank.example]", "[]", "'developers.1.identities': list should have at least 1 item"),
        ("roles:", "rolls:", "'developers.0.rolls': extra inputs are not permitted"),
        ("/v1", "/v2", "'apiVersion': input should be 'mandate.developers/v1'"),
        ("expires: 2027-01-31", "expires: 2026-02-01", "expires is not after issued"),
        ("expires: 2027-01-31", "expires: 2027-02-30", "'developers.0.certificates.0.expires'"),
        ("expires: 2027-01-31", "expires: 2027-01-31T00:00:00", "RFC 3339 instant with its offset"),
        ("expires: 2027-01-31", "expires: 20270131", "RFC 3339 instant with its offset"),
        ("expires: 2027-01-31", "expires: 2027-01-31 00:00:00Z", "RFC 3339 instant with its offset"),
        ("expires: 2027-01-31", "expires: 0001-01-01T00:00:00+14:00", "between the years 1 and 9999"),
        ("issued: 2026-01-31\n", "issued: 9999-12-31\n", "between the years 1 and 9999"),
        ("topics: [ethics]", "topics: []", "at least 1 item"),
        ("topics: [ethics]", "topics: ethics", "should be a valid list"),
        ("accredited_issuers:", "accredited_issuers: []\naccredited_issuers:", "already set"),
        ("developers:\n", "developers: &all\n", "anchor"),
    ],
)
def test_a_directory_with_a_fault_is_an_error_that_says_where(
    files: Files, old: str, new: str, complaint: str
) -> None:
    assert old in DIRECTORY
    files.write("developers.yaml", DIRECTORY.replace(old, new, 1))
    with pytest.raises(BadInput, match=complaint) as refused:
        collect(files, "ada")
    assert refused.value.where.startswith("developers.yaml")
    assert refused.value.next_step


@pytest.mark.parametrize(
    "wrong", [{}, {"directory": ""}, {"directory": "d", "paths": ["x"]}, {"directory": "d", "path": "x"}]
)
def test_options_that_say_too_little_or_too_much_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Options.model_validate(wrong)


def test_the_published_schema_is_that_of_the_collector() -> None:
    published = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(published)
    assert published == schema()


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
DATES = st.one_of(
    st.sampled_from(["2026-01-31", "2027-01-31T00:00:00Z", "2026-01-31T24:00:00Z", "2026-13-01"]),
    st.datetimes(timezones=st.timezones()).map(lambda time: time.isoformat()),
    JSON,
)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_what_the_collector_takes_its_schema_takes(
    new_files: Callable[[], Files], data: st.DataObject
) -> None:
    draw = data.draw
    certificate = {
        "title": "t",
        "issuer": "i",
        "topics": ["ethics"],
        "issued": draw(DATES),
        "expires": draw(DATES),
    }
    directory = {
        "apiVersion": "mandate.developers/v1",
        "accredited_issuers": draw(st.one_of(st.just([]), JSON)),
        "developers": [
            {"identities": draw(st.one_of(st.just(["ada"]), JSON)), "certificates": [certificate]},
        ],
    }
    files = new_files()
    files.write("developers.json", json.dumps(directory))
    try:
        section(files, "ada", directory="developers.json")
    except MandateError:
        return
    jsonschema.validate(directory, schema())
