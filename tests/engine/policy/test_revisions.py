"""Any name that people have for a revision of policies, on real repositories and folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from mandate import share
from mandate.engine.errors import BadPolicy
from mandate.engine.policy import history, revisions, sources
from tests.engine.policy.conftest import FILES, write
from tests.repository import Repository

SETTINGS = "ledger: {name: bank.example/models}\n"
ONE = "scope.yaml"
OLD = "environments: [production]\n"
NEW = "environments: [staging, production]\n"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """An organisation below the top of a repository, changed since its first commit."""
    repository = Repository.created(tmp_path / "repository")
    repository.commit({"bank/mandate.yaml": SETTINGS, f"bank/policies/{ONE}": OLD})
    repository.git("tag", "v1.0")
    repository.commit({f"bank/policies/{ONE}": NEW})
    return repository


def read(reference: str, folder: Path, settings: Path | None = None, store: Path | None = None) -> str:
    """The organisation's one file at the reference; the whole library stands before it."""
    with revisions.at(reference, folder=folder, settings=settings, store=store) as revision:
        assert revision.roots[:-1] == (share.policies(),)
        files = [source for source in sources.read(revision.roots).files if source.root == 1]
    assert [source.path for source in files] == [ONE]
    return files[0].content.decode()


def refused(reference: str, folder: Path, settings: Path | None = None, store: Path | None = None) -> str:
    with (
        pytest.raises(BadPolicy) as raised,
        revisions.at(reference, folder=folder, settings=settings, store=store) as revision,
    ):
        sources.read(revision.roots)
    return str(raised.value)


def contents(folder: Path) -> dict[Path, bytes]:
    """Every file, those of git itself too."""
    return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_folder_with_settings_means_the_policies_that_these_name(repository: Repository) -> None:
    assert read("bank", repository.folder) == NEW
    assert read("./bank", repository.folder) == NEW
    assert read(".", repository.folder / "bank") == NEW
    assert read(str(repository.folder / "bank"), repository.folder) == NEW
    assert read("bank/mandate.yaml", repository.folder) == NEW


def test_what_overrides_the_settings_in_use_is_not_for_other_settings(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MANDATE_POLICIES", '["library"]')
    assert read("bank", repository.folder) == NEW
    assert read("main", repository.folder / "bank") == NEW


def test_an_organisations_folder_stands_after_the_library(repository: Repository) -> None:
    assert read("bank/policies", repository.folder) == NEW
    assert read("bank/policies/", repository.folder) == NEW


def test_a_whole_library_stands_alone(library: Path) -> None:
    with revisions.at(".", folder=library) as revision:
        assert revision == revisions.Revision(".", (library / ".",))


def test_a_folder_without_policies_is_none(tmp_path: Path) -> None:
    assert "the folder has neither mandate.yaml nor policies" in refused(".", tmp_path)


def test_a_file_of_another_kind_is_none(tmp_path: Path) -> None:
    write(tmp_path, {"README.md": ""})
    assert refused("README.md", tmp_path).startswith("README.md: it is neither a bundle nor settings. Name")


@pytest.mark.parametrize("reference", ["v1.0", "HEAD~1", "main^", "refs/tags/v1.0", "heads/main~1"])
def test_a_git_ref_means_the_policies_as_they_were(repository: Repository, reference: str) -> None:
    bank = repository.folder / "bank"
    before = contents(repository.folder)
    assert read(reference, bank) == OLD
    assert read(reference, repository.folder, settings=bank / "mandate.yaml") == OLD
    assert read("main", bank) == NEW
    assert contents(repository.folder) == before


def test_the_label_of_a_ref_has_its_commit(repository: Repository) -> None:
    commit = repository.git("rev-parse", "HEAD")
    for reference, label in {"main": f"main ({commit[:12]})", commit[:7]: commit[:7], commit: commit}.items():
        with revisions.at(reference, folder=repository.folder / "bank") as revision:
            assert (revision.label, revision.notes) == (label, ())


def test_the_settings_are_those_of_the_ref_too(repository: Repository) -> None:
    repository.git("rm", "--quiet", "-r", "bank/policies")
    repository.commit(
        {"bank/mandate.yaml": f"{SETTINGS}policies: [library, ../rules]\n", f"rules/{ONE}": NEW}
    )
    assert read("main", repository.folder / "bank") == NEW
    assert read("v1.0", repository.folder / "bank") == OLD


def test_settings_of_another_name_are_followed_through_history(repository: Repository) -> None:
    repository.commit({"bank/eu.yaml": f"{SETTINGS}policies: [library, eu]\n", f"bank/eu/{ONE}": OLD})
    assert read("main", repository.folder, settings=repository.folder / "bank/eu.yaml") == OLD
    shown = refused("v1.0", repository.folder, settings=repository.folder / "bank/eu.yaml")
    assert "bank/eu.yaml: there is no such file or folder" in shown


def test_settings_that_were_broken_then_are_named_by_ref(repository: Repository) -> None:
    repository.commit({"bank/mandate.yaml": f"{SETTINGS}polices: [library]\n"})
    repository.write({"bank/mandate.yaml": SETTINGS})
    commit = repository.git("rev-parse", "HEAD")[:12]
    assert refused("HEAD", repository.folder / "bank") == (
        f"HEAD ({commit}):bank/mandate.yaml:2: polices is not a setting. Write policies."
    )


def test_without_settings_the_folder_itself_is_meant(tmp_path: Path) -> None:
    repository = Repository.created(tmp_path / "rules")
    repository.commit({ONE: OLD})
    repository.write({ONE: NEW})
    assert read("HEAD", repository.folder) == OLD


def test_a_library_in_a_repository_of_its_own_is_as_it_was(library: Path) -> None:
    repository = Repository.created(library)
    repository.commit()
    repository.write({ONE: NEW})
    with revisions.at("HEAD", folder=library) as revision:
        [root] = revision.roots
        assert (root / ONE).read_text() == FILES[ONE]


def test_a_library_that_is_in_the_repository_is_as_it_was_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = Repository.created(tmp_path / "mandate")
    repository.commit({"README.md": ""})
    repository.commit({f"policies/{path}": content for path, content in FILES.items()})
    monkeypatch.setattr(share, "policies", lambda: repository.folder / "policies")
    repository.commit({"mandate.yaml": f"{SETTINGS}policies: [library]\n", f"policies/{ONE}": NEW})
    for reference, content in {"HEAD~1": FILES[ONE], "HEAD": NEW, "HEAD~2": NEW}.items():
        with revisions.at(reference, folder=repository.folder) as revision:
            [root] = revision.roots
            assert (root / ONE).read_text() == content
            assert root.is_relative_to(repository.folder) == (reference == "HEAD~2")


def test_a_ref_without_policies_is_an_error(tmp_path: Path) -> None:
    repository = Repository.created(tmp_path / "other")
    commit = repository.commit({"README.md": ""})[:12]
    assert refused("HEAD", repository.folder) == (
        f"HEAD ({commit}):.: there is neither mandate.yaml nor a folder of policies. "
        "Go to the folder with mandate.yaml, or name it with --config."
    )


def test_a_folder_outside_of_the_repository_is_said_to_be_as_it_is_now(
    repository: Repository, tmp_path: Path
) -> None:
    outside = write(tmp_path / "outside", {ONE: OLD})
    repository.commit({"bank/mandate.yaml": f"{SETTINGS}policies: [library, ../../outside]\n"})
    assert read("HEAD", repository.folder / "bank") == OLD
    with revisions.at("HEAD", folder=repository.folder / "bank") as revision:
        assert revision.notes == (f"{outside} is not in the repository and is taken as it is now",)


def test_a_folder_does_not_take_the_place_of_a_branch(repository: Repository) -> None:
    """A merge request that adds it would be compared with itself."""
    bank = repository.folder / "bank"
    write(bank / "v1.0", {ONE: NEW})
    assert read("v1.0", bank) == OLD
    assert read("./v1.0", bank) == NEW
    with revisions.at("v1.0", folder=bank) as revision:
        assert revision.notes == (
            "v1.0 is taken for what git knows by this name: write ./v1.0 for the file or folder",
        )


def test_a_name_that_git_has_twice_is_said(repository: Repository) -> None:
    repository.git("tag", "main", "v1.0")
    with revisions.at("main", folder=repository.folder / "bank") as revision:
        assert revision.notes == (
            "Git knows several things called main: write refs/heads/main for the branch",
        )
    assert read("refs/heads/main", repository.folder / "bank") == NEW


def test_an_unknown_reference_names_what_was_tried_and_the_nearest(
    repository: Repository, tmp_path: Path
) -> None:
    bank = repository.folder / "bank"
    assert refused("mian", bank, store=tmp_path) == (
        "mian: there is no such revision of policies: no branch, tag or commit, no file or folder, "
        "no revision in the store. Did you mean main?"
    )
    assert refused("release", tmp_path) == (
        "release: there is no such revision of policies: no git repository around it, no file or folder, "
        "no ledger with revisions beside it. Name a folder, bundle, git ref or revision."
    )
    assert "no file or folder. Name" in refused("./main", bank)
    assert "no revision in the store. Name" in refused("sha256:00000000", bank, store=tmp_path)


@pytest.mark.parametrize(
    "reference", ["", "--upload-pack=touch", "-", "a\0b", "x" * 5000, "main:bank", "a..b"]
)
def test_what_is_no_name_of_a_revision_is_refused(repository: Repository, reference: str) -> None:
    refused(reference, repository.folder / "bank")


def test_a_link_that_leads_out_of_the_policies_is_refused_as_in_a_folder(repository: Repository) -> None:
    (repository.folder / "bank/policies/selection.yaml").symlink_to("/etc/passwd")
    repository.commit()
    assert "a link leads out of the folder of policies" in refused("HEAD", repository.folder / "bank")


def test_a_link_inside_of_the_policies_is_followed(repository: Repository) -> None:
    policies = repository.folder / "bank/policies"
    write(policies / ".shared", {ONE: OLD})
    (policies / ONE).unlink()
    write(policies, {"thresholds/a.yaml": OLD})
    (policies / ONE).symlink_to("thresholds/a.yaml")
    repository.commit()
    with revisions.at("HEAD", folder=repository.folder / "bank") as revision:
        files = sources.read(revision.roots[1:]).files
    assert {source.path: source.content.decode() for source in files} == {ONE: OLD, "thresholds/a.yaml": OLD}


@pytest.mark.parametrize("what", ["link", "submodule"])
def test_a_folder_that_is_elsewhere_is_an_error(repository: Repository, what: str) -> None:
    policies = repository.folder / "bank/policies"
    repository.git("rm", "--quiet", "-r", "bank/policies")
    if what == "link":
        policies.symlink_to("../elsewhere")
    else:
        Repository.created(policies).commit({ONE: OLD})
    repository.commit()
    assert f"'bank/policies' is a {what}" in refused("HEAD", repository.folder / "bank")


def test_a_tree_that_leads_elsewhere_writes_nothing_there(repository: Repository) -> None:
    """git makes no such trees: something else wrote them."""
    blob = repository.git("hash-object", "-w", "--stdin", stdin=OLD.encode())
    link = repository.git("hash-object", "-w", "--stdin", stdin=b"/tmp")
    folder = _tree(repository, [("100644", "mandate.yaml", blob)])
    commits = [
        repository.git("commit-tree", _tree(repository, [*entries, ("100644", ONE, blob)]), "-m", "broken")
        for entries in (
            [("40000", "..", folder), ("40000", ".git", folder)],
            [("120000", "mandate", link), ("40000", "mandate", folder)],
        )
    ]
    assert read(commits[0], repository.folder) == OLD
    assert "'mandate' cannot be written to a folder" in refused(commits[1], repository.folder)


def _tree(repository: Repository, entries: list[tuple[str, str, str]]) -> str:
    content = b"".join(f"{mode} {name}\0".encode() + bytes.fromhex(sha) for mode, name, sha in entries)
    return repository.git("hash-object", "-w", "-t", "tree", "--literally", "--stdin", stdin=content)


def test_what_is_too_much_is_refused(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MAX_FILES", 0)
    assert "there are more than 0 files or 128 MiB" in refused("HEAD", repository.folder / "bank")


@pytest.mark.parametrize("missing", ["blob", "tree"])
def test_a_clone_without_the_content_is_said(repository: Repository, missing: str) -> None:
    for file in (repository.folder / ".git/objects").glob("??/*"):
        if repository.git("cat-file", "-t", file.parent.name + file.name) == missing:
            file.unlink()
    settings = repository.folder / "bank/mandate.yaml"
    assert "git cannot read it" in refused("HEAD", repository.folder, settings=settings)


def test_digits_that_are_a_commit_and_a_revision_are_taken_for_the_commit(
    repository: Repository, tmp_path: Path
) -> None:
    digits = repository.git("rev-parse", "v1.0")[:10]
    write(tmp_path, {f"{digits}.tar.gz": ""})
    with revisions.at(digits, folder=repository.folder / "bank", store=tmp_path) as revision:
        assert revision.notes == (
            f"{digits} is taken for a commit: write sha256:{digits} for the revision of that digest",
        )


def test_nothing_that_git_is_configured_to_run_is_run(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(0o755)
    config = tmp_path / "gitconfig"
    config.write_text(
        f"[core]\nfsmonitor = {trap}\npager = {trap}\nhooksPath = {tmp_path}\n"
        f'[filter "x"]\nsmudge = {trap}\n[diff "x"]\ntextconv = {trap}\n[alias]\nls-tree = !{trap}\n'
    )
    repository.commit({".gitattributes": "* filter=x diff=x export-ignore\n"})
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("HOME", str(tmp_path))
    config.rename(tmp_path / ".gitconfig")
    assert read("HEAD~1", repository.folder / "bank") == NEW
    assert not (tmp_path / "sprung").exists()


def test_a_hook_of_git_may_ask(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """git tells its hooks which repository is theirs, which need not be the one that is meant."""
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert read("v1.0", repository.folder / "bank") == OLD


def test_a_bundle_is_the_root_that_carries_its_sources(repository: Repository, tmp_path: Path) -> None:
    digits = "0123456789abcdef"
    write(tmp_path, {f"{digits}.tar.gz": "", f"{digits[:9]}.tar.gz": ""})
    for reference in (digits, f"sha256:{digits}", f"./{digits}.tar.gz"):
        with revisions.at(reference, folder=tmp_path, store=tmp_path) as revision:
            assert revision.roots == (tmp_path / f"{digits}.tar.gz",)
    assert "2 revisions begin so" in refused(digits[:8], tmp_path, store=tmp_path)
