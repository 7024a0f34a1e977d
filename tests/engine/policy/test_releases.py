"""A signed bundle as the only root: what is accepted, what is refused, and what goes on unchanged."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mandate.engine.errors import BadConfiguration, BadPolicy
from mandate.engine.policy import archive, contents, release_keys, releases, signing
from mandate.engine.policy.contents import SIGNATURES
from mandate.engine.policy.sources import FORMAT
from tests.organisation import Organisation, Ran, founded, good

from .released import Publisher, customer, publisher, tampered, unsigned


@pytest.fixture(scope="module")
def authors(tmp_path_factory: pytest.TempPathFactory) -> Publisher:
    """Who releases."""
    return publisher(tmp_path_factory.mktemp("authors"))


@pytest.fixture
def organisation(tmp_path: Path, authors: Publisher) -> Organisation:
    """Who uses what is released; nothing is there yet."""
    return customer(tmp_path, authors)


def deploy(organisation: Organisation, content: Path | bytes) -> None:
    """Put a bundle where mandate.yaml says that the policies are."""
    content = content if isinstance(content, bytes) else content.read_bytes()
    (organisation.folder / "policies.tar.gz").write_bytes(content)


def state(organisation: Organisation) -> Mapping[str, bytes]:
    """All that Mandate keeps, but for its ledger."""
    folder = organisation.folder / ".mandate/policies"
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def refused(ran: Ran) -> str:
    assert ran.exit_code == 2, ran
    error = json.loads(ran.out)["error"]
    return f"{error['type']}: {error['where']}: {error['what']}. {error['next_step']}"


def test_a_release_decides(organisation: Organisation, authors: Publisher) -> None:
    five = authors.release(5)
    deploy(organisation, five)
    allowed = organisation.check(good())
    assert allowed.exit_code == 0, allowed
    assert allowed.json["policy"]["revision"] == contents.parsed(five.read_bytes()).revision
    denied = organisation.check(good(performance=...))
    assert denied.exit_code == 1


def test_a_release_is_the_same_revision_as_its_folders(authors: Publisher, tmp_path: Path) -> None:
    authors.release(5)
    folders = authors.organisation.check(good())
    organisation = customer(tmp_path, authors)
    deploy(organisation, authors.release(5))
    both = [folders.json["policy"], organisation.check(good()).json["policy"]]
    assert folders.exit_code == 0
    assert both[0] == both[1]


def test_the_commands_for_policies_read_a_release(organisation: Organisation, authors: Publisher) -> None:
    deploy(organisation, authors.release(5))
    tested = organisation.mandate("policy", "test", "--output", "json")
    assert tested.exit_code == 0
    assert len(tested.json["cases"]) > 100


def test_a_known_release_needs_no_opa_to_verify_it(organisation: Organisation, authors: Publisher) -> None:
    deploy(organisation, authors.release(5))
    file, key = organisation.folder / "policies.tar.gz", release_keys.VerificationKey.load(authors.key())
    store = organisation.folder / ".mandate/policies"
    assert organisation.check(good()).exit_code == 0

    def nobody() -> Path:
        raise AssertionError("OPA was asked for")

    assert releases.accepted(file, key, opa=nobody, store=store).number == 5
    with pytest.raises(AssertionError):
        releases.accepted(
            file, release_keys.VerificationKey.load(authors.key("other")), opa=nobody, store=store
        )


def test_a_known_release_costs_no_further_import(organisation: Organisation, authors: Publisher) -> None:
    deploy(organisation, authors.release(5))
    assert organisation.check(good()).exit_code == 0
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from mandate import composition\n"
        "from mandate.engine import configuration\n"
        "loaded = configuration.load(Path('mandate.yaml'), environment={})\n"
        "composition.bundle(loaded)\n"
        "print([name for name in ('mandate.engine.policy.build', 'mandate.engine.policy.contents')"
        " if name in sys.modules])\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=organisation.folder, capture_output=True, text=True, check=True
    )
    assert ran.stdout == "[]\n"


Content = Callable[[Publisher], bytes]
DO_NOT_USE = "Do not use it; get it again from whoever released it"
AGAIN = "Get the file again, or make it with `mandate policy bundle`"
BAD: Mapping[str, tuple[Content, str, str, str]] = {
    "unsigned": (
        lambda authors: unsigned(authors.release(6, "new")),
        "",
        "it is not signed",
        "Let it be signed: `mandate policy bundle --key …`",
    ),
    "another key": (
        lambda authors: authors.release(6, "new", key="other").read_bytes(),
        "",
        "it is signed by the key OTHER, not by POLICIES",
        "Get the right bundle, or name the right key",
    ),
    "a signature of nobody": (
        lambda authors: tampered(authors.release(6, "new"), **{SIGNATURES: b'{"signatures": ["a.b.c"]}'}),
        "",
        "it is signed by nobody that it names, not by POLICIES",
        "Get the right bundle, or name the right key",
    ),
    "a wrong signature": (
        lambda authors: tampered(
            authors.release(6, "new"), **{SIGNATURES: _forged(authors.release(6, "new"))}
        ),
        "",
        "its signature is wrong",
        DO_NOT_USE,
    ),
    "a signature that another verifier is to verify": (
        lambda authors: tampered(
            authors.release(6, "new"), **{SIGNATURES: _elsewhere(authors.release(6, "new"))}
        ),
        "",
        "OPA refuses it: load error: bundle bundle: no verifier exists under id theirs",
        DO_NOT_USE,
    ),
    "the signature of another bundle": (
        lambda authors: tampered(
            authors.release(6, "new"),
            **{SIGNATURES: archive.unpack(authors.release(5).read_bytes())[SIGNATURES]},
        ),
        "",
        ".manifest was changed after it was signed",
        DO_NOT_USE,
    ),
    "a rule added": (
        lambda authors: tampered(
            authors.release(6, "new"), **{"mandate/main/more.rego": b"package mandate.main"}
        ),
        "",
        "mandate/main/more.rego was added after it was signed",
        DO_NOT_USE,
    ),
    "a rule changed": (
        lambda authors: tampered(
            authors.release(6, "new"), **{"mandate/main/main.rego": b"package mandate.main"}
        ),
        "",
        "mandate/main/main.rego was changed after it was signed",
        DO_NOT_USE,
    ),
    "data changed": (
        lambda authors: tampered(authors.release(6, "new"), **{"data.json": b'{"mandate":{}}'}),
        "",
        "data.json was changed after it was signed",
        DO_NOT_USE,
    ),
    "sources changed": (
        lambda authors: tampered(authors.release(6, "new"), **{"sources.json": b"{}"}),
        "",
        "sources.json was changed after it was signed",
        DO_NOT_USE,
    ),
    "a rule removed": (
        lambda authors: tampered(authors.release(6, "new"), **{"mandate/main/main.rego": None}),
        "",
        "mandate/main/main.rego was removed after it was signed",
        DO_NOT_USE,
    ),
    "truncated": (
        lambda authors: authors.release(6, "new").read_bytes()[:-9],
        "",
        "the bundle is cut off",
        AGAIN,
    ),
    "not a bundle": (
        lambda authors: b"policies",
        "",
        "it is not a bundle: it is no gzip file, or a damaged one",
        AGAIN,
    ),
    "100 MB": (lambda authors: bytes(100 << 20), "", "the bundle is larger than 32 MiB", AGAIN),
    "older": (
        lambda authors: authors.release(4, "old").read_bytes(),
        "",
        "it is release 4, which is older: release 5 is in use, revision REVISION…",
        "Use release 5 or a newer one; to go back on purpose, release the old policies under a new number",
    ),
    "the same number": (
        lambda authors: authors.release(5, "other").read_bytes(),
        "",
        "it is release 5 again, with other policies: release 5 is in use, revision REVISION…",
        "Use release 5 or a newer one; to go back on purpose, release the old policies under a new number",
    ),
    "no number": (
        lambda authors: _signed(authors, release=None),
        "",
        "it has no release number, so nobody could tell a roll-back from a release",
        "Let it be released with --release",
    ),
    "another format": (
        lambda authors: _signed(authors, number=FORMAT + 1),
        "",
        f"it was released for policies of format {FORMAT + 1}, and this is {FORMAT}",
        "Let the policies be released again with this version of Mandate",
    ),
    "other roots": (
        lambda authors: _signed(authors, roots=["mandate", "system"]),
        ": .manifest",
        "its manifest is not that of its sources, whose revision is NEW",
        AGAIN,
    ),
}


def _forged(file: Path) -> bytes:
    """A signature with some bits of it flipped."""
    token: str = json.loads(archive.unpack(file.read_bytes())[SIGNATURES])["signatures"][0]
    head, payload, signature = token.split(".")
    wrong = ("A" if signature[10] != "A" else "B") + signature[11:]
    return json.dumps({"signatures": [f"{head}.{payload}.{signature[:10]}{wrong}"]}).encode()


def _elsewhere(file: Path) -> bytes:
    """The right signature, for a verifier that OPA does not have."""
    signatures = json.loads(archive.unpack(file.read_bytes())[SIGNATURES])
    return json.dumps({**signatures, "plugin": "theirs"}).encode()


def _signed(
    authors: Publisher,
    *,
    release: int | None = 6,
    number: int = FORMAT,
    roots: object = None,
) -> bytes:
    """What the key of the authors has signed, but no `mandate policy bundle` of this version has made."""
    from mandate.engine.opa.locate import find_opa
    from mandate.engine.policy.sources import Sources

    entries = archive.unpack(authors.release(6, "new").read_bytes())
    del entries[SIGNATURES]
    carried = contents.parsed(authors.release(6, "new").read_bytes()).sources
    sources = Sources(carried.files, number)
    data = json.loads(entries["data.json"])["mandate"]
    made = contents.entries(sources, data, release=release)
    if roots is not None:
        made[".manifest"] = json.dumps({**json.loads(made[".manifest"]), "roots": roots}).encode()
    key = release_keys.ReleaseKey.load(authors.key(suffix=".pem"))
    return archive.pack(signing.sign(made, key, opa=find_opa()))


@pytest.fixture(scope="module")
def in_use(authors: Publisher, tmp_path_factory: pytest.TempPathFactory) -> Organisation:
    """Release 5 has decided here."""
    organisation = customer(tmp_path_factory.mktemp("in-use"), authors)
    deploy(organisation, authors.release(5))
    assert organisation.check(good()).exit_code == 0
    return organisation


@pytest.mark.parametrize("name", BAD)
def test_a_release_that_is_refused_changes_nothing(
    name: str, in_use: Organisation, authors: Publisher
) -> None:
    content, where, what, next_step = BAD[name]
    deploy(in_use, content(authors))
    before, entries = state(in_use), in_use.decisions()
    known = {
        "OTHER": release_keys.VerificationKey.load(authors.key("other")).keyid,
        "POLICIES": release_keys.VerificationKey.load(authors.key()).keyid,
        "REVISION": contents.parsed(authors.release(5).read_bytes()).revision[:19],
        "NEW": contents.parsed(authors.release(6, "new").read_bytes()).revision,
    }
    for placeholder, value in known.items():
        what = what.replace(placeholder, value)
    file = in_use.folder / "policies.tar.gz"
    assert refused(in_use.check(good())) == f"BadPolicy: {file}{where}: {what}. {next_step}"
    assert (state(in_use), in_use.decisions()) == (before, entries)
    deploy(in_use, authors.release(5))
    assert in_use.check(good()).exit_code == 0


def test_a_newer_release_takes_over_and_the_old_content_returns_under_a_new_number(
    organisation: Organisation, authors: Publisher
) -> None:
    for number, text in ((5, ""), (6, "new"), (7, "")):
        deploy(organisation, authors.release(number, text))
        assert organisation.check(good()).exit_code == 0
    in_use = json.loads(state(organisation)["released/in-use.json"])
    keyid = release_keys.VerificationKey.load(authors.key()).keyid
    assert in_use == {
        keyid: {"release": 7, "revision": contents.parsed(authors.release(5).read_bytes()).revision}
    }
    deploy(organisation, authors.release(6, "new"))
    assert "it is release 6, which is older: release 7 is in use" in refused(organisation.check(good()))


def test_looking_at_a_release_does_not_use_it(organisation: Organisation, authors: Publisher) -> None:
    deploy(organisation, authors.release(6, "new"))
    assert organisation.mandate("policy", "test", "--coverage", "0").exit_code == 0
    assert organisation.mandate("doctor").exit_code == 0
    deploy(organisation, authors.release(5))
    assert organisation.check(good()).exit_code == 0


def test_each_key_has_releases_of_its_own(organisation: Organisation, authors: Publisher) -> None:
    deploy(organisation, authors.release(6, "new"))
    assert organisation.check(good()).exit_code == 0
    shutil.copy(authors.key("sidecar"), organisation.folder / "policies.pub")
    deploy(organisation, authors.release(1, "first", key="sidecar"))
    assert organisation.check(good()).exit_code == 0


def test_a_newer_release_in_between_is_not_forgotten(authors: Publisher, tmp_path: Path, opa: Path) -> None:
    """One process accepts a release while others use newer ones: the newest is remembered."""
    key = release_keys.VerificationKey.load(authors.key())
    files = [authors.release(5), authors.release(6, "new"), authors.release(7)]
    accepted = [releases.accepted(file, key, opa=lambda: opa, store=tmp_path) for file in files]

    def use(release: releases.Release) -> None:
        try:
            release.use(tmp_path)
        except BadPolicy as error:
            assert "which is older" in error.what  # noqa: PT017  (only some of them are too late)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(use, [*accepted, *reversed(accepted)] * 5))
    assert json.loads((tmp_path / "released/in-use.json").read_bytes())[key.keyid]["release"] == 7
    with pytest.raises(BadPolicy, match="it is release 5, which is older"):
        accepted[0].use(tmp_path)


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"SHA256:a": 5}', b'{"SHA256:a": {"release": "5"}}'])
def test_a_memory_that_is_damaged_is_not_taken_for_none(
    damage: bytes, organisation: Organisation, authors: Publisher
) -> None:
    deploy(organisation, authors.release(5))
    assert organisation.check(good()).exit_code == 0
    memory = organisation.folder / ".mandate/policies/released/in-use.json"
    memory.write_bytes(damage)
    assert refused(organisation.check(good())) == (
        f"BadConfiguration: {memory}: what is remembered of releases cannot be read. "
        "Restore the file, or remove it once you know which release is in use"
    )


def test_a_store_that_cannot_be_written_is_named(authors: Publisher, tmp_path: Path, opa: Path) -> None:
    key = release_keys.VerificationKey.load(authors.key())
    (tmp_path / "released").write_text("a file")
    with pytest.raises(BadConfiguration, match="what is remembered of releases cannot be read"):
        releases.accepted(authors.release(5), key, opa=lambda: opa, store=tmp_path)
    store = tmp_path / "store"
    release = releases.accepted(authors.release(5), key, opa=lambda: opa, store=store)
    (store / "released/.lock").mkdir()
    with pytest.raises(BadConfiguration, match="the store of policy bundles cannot be written"):
        release.use(store)
    (store / "released" / f"{archive_digest(authors.release(5))}.tar.gz").mkdir()
    with pytest.raises(BadConfiguration, match="the store of policy bundles cannot be written"):
        release.root(store)


def archive_digest(file: Path) -> str:
    from mandate.engine.digests import file_sha256

    return file_sha256(file)


def test_a_copy_that_was_changed_is_not_read(organisation: Organisation, authors: Publisher) -> None:
    deploy(organisation, authors.release(5))
    assert organisation.mandate("policy", "list").exit_code == 0
    copy = organisation.folder / f".mandate/policies/released/{archive_digest(authors.release(5))}.tar.gz"
    copy.write_bytes(authors.release(6, "new").read_bytes())
    for _ in range(2):
        assert organisation.mandate("policy", "list").exit_code == 0
        assert copy.read_bytes() == authors.release(5).read_bytes()


SETTINGS: Mapping[str, tuple[str, str]] = {
    "the library": ("policies: [library]\npolicy_key: policies.pub\n", "here stands 'library'"),
    "a folder": ("policies: [policies]\npolicy_key: policies.pub\n", "here stands 'policies'"),
    "a folder beside it": (
        "policies: [policies.tar.gz, policies]\npolicy_key: policies.pub\n",
        "here stands 'policies.tar.gz', 'policies'",
    ),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_with_a_key_nothing_but_a_signed_bundle_is_a_root(
    name: str, organisation: Organisation, authors: Publisher
) -> None:
    written, stands = SETTINGS[name]
    deploy(organisation, authors.release(5))
    file = organisation.folder / "mandate.yaml"
    file.write_text(
        file.read_text().replace("policies: [policies.tar.gz]\npolicy_key: policies.pub\n", written)
    )
    line = file.read_text().splitlines().index(written.splitlines()[0]) + 1
    assert refused(organisation.check(good())) == (
        f"BadConfiguration: {file}:{line}: with policy_key, the only root of policies is a signed bundle, "
        f"which carries all its layers; {stands}. "
        "Name the one bundle that `mandate policy bundle` made, or remove policy_key"
    )


def test_without_a_key_a_bundle_is_no_root(tmp_path: Path, authors: Publisher) -> None:
    organisation = founded(tmp_path)
    deploy(organisation, authors.release(5))
    file = organisation.folder / "mandate.yaml"
    file.write_text(file.read_text().replace("[library, policies]", "[library, policies.tar.gz]"))
    line = file.read_text().splitlines().index("policies: [library, policies.tar.gz]") + 1
    assert refused(organisation.check(good())) == (
        f"BadConfiguration: {file}:{line}: 'policies.tar.gz' is a bundle, and without policy_key nobody "
        "knows who made it. Set policy_key to the public key of whoever releases the policies"
    )


def test_a_bundle_or_a_key_that_is_not_there_is_named(organisation: Organisation) -> None:
    assert refused(organisation.check(good())) == (
        f"BadPolicy: {organisation.folder / 'policies.tar.gz'}: the bundle cannot be read: No such file or "
        "directory. Check its path"
    )
    key = organisation.folder / "policies.pub"
    key.unlink()
    assert refused(organisation.check(good())) == (
        f"BadConfiguration: {key}: the public key cannot be read: No such file or directory. "
        "Name the public key of whoever releases the policies, a .pub file"
    )
