"""`mandate policy bundle`: what an organisation releases, and what it says of a bundle."""

from __future__ import annotations

import base64
import gzip
import json
import os
import shutil
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mandate import share
from mandate.engine.digests import canonical, file_sha256
from mandate.engine.evidence import public_keys
from mandate.engine.policy import archive, contents
from mandate.engine.policy.sources import read
from tests.engine.policy.released import Publisher, publisher, tampered, unsigned
from tests.engine.policy.test_archive import FOREIGN
from tests.organisation import Organisation, Ran


@pytest.fixture(scope="module")
def authors(tmp_path_factory: pytest.TempPathFactory) -> Publisher:
    """Who releases."""
    return publisher(tmp_path_factory.mktemp("authors"))


@pytest.fixture
def organisation(authors: Publisher) -> Organisation:
    """Their folder."""
    return authors.organisation


def bundle(organisation: Organisation, *arguments: object) -> Ran:
    return organisation.mandate("policy", "bundle", *map(str, arguments))


def made(organisation: Organisation, to: Path, *arguments: object) -> bytes:
    ran = bundle(organisation, "--to", to, *arguments)
    assert (ran.exit_code, ran.err) == (0, "")
    return to.read_bytes()


def test_a_bundle_says_what_it_is(organisation: Organisation, authors: Publisher, tmp_path: Path) -> None:
    file = tmp_path / "policies.tar.gz"
    private = authors.key(suffix=".pem")
    shown = bundle(organisation, "--key", private, "--release", 7, "--to", file, "--output", "json")
    keyid = public_keys.load(authors.key()).keyid
    about = {
        "file": str(file),
        "sha256": file_sha256(file),
        "revision": read([share.policies(), organisation.folder / "policies"]).revision,
        "release": 7,
        "keyid": keyid,
        "algorithm": "EdDSA",
        "rules": 16,
        "roots": 1,
    }
    assert (shown.exit_code, shown.json) == (0, about)
    said = bundle(organisation, "--key", private, "--release", 7, "--to", file)
    assert said.out == (
        f"revision   {about['revision']}\n"
        "release    7\n"
        f"signed by  {keyid} (EdDSA)\n"
        "rules      16, in 1 layer\n"
        f"digest     sha256:{about['sha256']}\n"
        f"✓ wrote {file}\n"
    )
    verified = bundle(organisation, "--verify", file, "--key", authors.key(), "--output", "json")
    assert (verified.exit_code, verified.json) == (0, {"verified": True, **about})
    told = bundle(organisation, "--verify", file, "--key", authors.key())
    assert told.out == said.out.replace(
        f"✓ wrote {file}", f"✓ {file} is signed, and is what the sources in it compile to"
    )


def test_the_signature_is_a_token_that_names_the_key(
    organisation: Organisation, authors: Publisher, tmp_path: Path
) -> None:
    content = made(organisation, tmp_path / "b", "--key", authors.key(suffix=".pem"), "--release", 7)
    entries = archive.unpack(content)
    token: str = json.loads(entries[".signatures.json"])["signatures"][0]
    header, payload = (json.loads(base64.urlsafe_b64decode(f"{part}==")) for part in token.split(".")[:2])
    assert header == {"alg": "EdDSA", "typ": "JWT"}
    assert payload["keyid"] == public_keys.load(authors.key()).keyid
    assert sorted(file["name"] for file in payload["files"]) == sorted({*entries} - {".signatures.json"})
    assert json.loads(entries[".manifest"])["metadata"] == {"mandate": {"release": 7}}


def test_the_same_policies_make_the_same_bytes_everywhere(
    organisation: Organisation, authors: Publisher, tmp_path: Path
) -> None:
    here = made(organisation, tmp_path / "here", "--key", authors.key(suffix=".pem"), "--release", 7)
    elsewhere = tmp_path / "some/where/else"
    shutil.copytree(share.policies(), elsewhere, ignore=lambda *_: ["schemas", "checks", ".regal"])
    files = [file for file in elsewhere.rglob("*") if file.is_file()]
    for number, file in enumerate(reversed(files)):  # written again, in another order, at another time
        content = file.read_bytes()
        file.unlink()
        file.write_bytes(content)
        file.chmod(0o600)
        os.utime(file, (number, number))
    there = made(
        organisation,
        tmp_path / "there",
        *("--key", authors.key(suffix=".pem"), "--release", 7, "--from", f"{elsewhere}/"),
    )
    assert here == there
    unsigned_here = made(organisation, tmp_path / "u")
    assert unsigned_here == made(organisation, tmp_path / "v", "--from", f"{elsewhere}/")


def test_the_content_for_a_sidecar_is_the_same_but_for_the_signature(
    organisation: Organisation, authors: Publisher, tmp_path: Path
) -> None:
    options = ("--key", authors.key("sidecar", ".pem"), "--release", 7)
    one, other = (made(organisation, tmp_path / name, *options) for name in "ab")
    assert unsigned(tmp_path / "a") == unsigned(tmp_path / "b")
    assert one != other, "each ECDSA signature is another one"
    shown = bundle(
        organisation, "--verify", tmp_path / "a", "--key", authors.key("sidecar"), "--output", "json"
    )
    assert (shown.exit_code, shown.json["algorithm"]) == (0, "ES256")


def test_an_old_bundle_is_released_again_under_a_new_number(
    organisation: Organisation, authors: Publisher, tmp_path: Path
) -> None:
    key = authors.key(suffix=".pem")
    old = tmp_path / "old.tar.gz"
    made(organisation, old, "--key", key, "--release", 7)
    new = made(organisation, tmp_path / "new.tar.gz", "--key", key, "--release", 9, "--from", old)
    assert contents.parsed(new).release == 9
    assert contents.parsed(new).sources == contents.parsed(old.read_bytes()).sources


def test_without_settings_the_library_alone_is_bundled(tmp_path: Path) -> None:
    shown = bundle(Organisation(tmp_path), "--output", "json")
    assert (shown.exit_code, shown.json["file"], shown.json["release"], shown.json["keyid"]) == (
        0,
        "policies.tar.gz",
        None,
        None,
    )
    assert contents.parsed((tmp_path / "policies.tar.gz").read_bytes()).sources == read([share.policies()])
    told = bundle(Organisation(tmp_path))
    assert "release    none\nsigned by  nobody\n" in told.out
    assert bundle(Organisation(tmp_path), "--new-key", "policies.pem").exit_code == 0


def test_a_key_of_the_settings_verifies(authors: Publisher, tmp_path: Path) -> None:
    organisation = Organisation(tmp_path)
    organisation.mandate("init", "--name", "bank.example/models")
    settings = tmp_path / "mandate.yaml"
    settings.write_text(settings.read_text() + f"policy_key: {authors.key()}\n")
    shown = bundle(organisation, "--verify", authors.release(7))
    assert shown.exit_code == 0


def refused(ran: Ran) -> str:
    assert (ran.exit_code, ran.out) == (2, "")
    return ran.err


DO_NOT_USE = "  → Do not use it; get it again from whoever released it\n"
AGAIN = "  → Get the file again, or make it with `mandate policy bundle`\n"
Content = Callable[[Path], bytes]


def _whatever(make: Callable[[], bytes]) -> Content:
    """What was released does not matter."""
    return lambda _: make()


BAD: Mapping[str, tuple[Content, str]] = {
    "a file added": (
        lambda file: tampered(file, **{"mandate/a.rego": b"package mandate.a"}),
        f": mandate/a.rego was added after it was signed\n{DO_NOT_USE}",
    ),
    "a file changed": (
        lambda file: tampered(file, **{"data.json": b"{}"}),
        f": data.json was changed after it was signed\n{DO_NOT_USE}",
    ),
    "unsigned": (
        unsigned,
        ": it is not signed\n  → Let it be signed: `mandate policy bundle --key …`\n",
    ),
    "truncated": (lambda file: file.read_bytes()[:1000], f": the bundle is cut off\n{AGAIN}"),
    "no bundle": (
        lambda file: b"hello",
        f": it is not a bundle: it is no gzip file, or a damaged one\n{AGAIN}",
    ),
    "100 MB": (lambda file: bytes(100 << 20), f": the bundle is larger than 32 MiB\n{AGAIN}"),
    **{f"with {kind}": (_whatever(make), f": {what}\n{AGAIN}") for kind, (make, what) in FOREIGN.items()},
    "a zip bomb": (
        lambda _: gzip.compress(bytes(1 << 28)),
        f": the bundle is larger than 32 MiB\n{AGAIN}",
    ),
    "a manifest with other roots": (
        lambda file: tampered(file, **{".manifest": b'{"roots":[""]}'}),
        f": .manifest was changed after it was signed\n{DO_NOT_USE}",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bundle_that_is_not_what_it_says_is_refused(
    name: str, organisation: Organisation, authors: Publisher, tmp_path: Path
) -> None:
    content, said = BAD[name]
    file = tmp_path / "bad.tar.gz"
    file.write_bytes(content(authors.release(7)))
    assert refused(bundle(organisation, "--verify", file, "--key", authors.key())) == f"error: {file}{said}"


def test_another_key_is_named(organisation: Organisation, authors: Publisher) -> None:
    keyids = [public_keys.load(authors.key(name)).keyid for name in ("policies", "other")]
    shown = bundle(organisation, "--verify", authors.release(7), "--key", authors.key("other"))
    assert refused(shown) == (
        f"error: {authors.release(7)}: it is signed by the key {keyids[0]}, not by {keyids[1]}\n"
        "  → Get the right bundle, or name the right key\n"
    )


def _signed_by_hand(authors: Publisher, opa: Path, tmp_path: Path, **changes: Any) -> Path:
    """A bundle with a right signature over what no sources compile to."""
    from mandate.engine.policy import release_keys, signing

    entries = archive.unpack(unsigned(authors.release(7)))
    for path, content in changes.items():
        entries[path] = content
    key = release_keys.ReleaseKey.load(authors.key(suffix=".pem"))
    file = tmp_path / "by-hand.tar.gz"
    file.write_bytes(archive.pack(signing.sign(entries, key, opa=opa)))
    return file


def test_a_signed_bundle_whose_sources_compile_to_something_else_is_refused(
    organisation: Organisation, authors: Publisher, opa: Path, tmp_path: Path
) -> None:
    file = _signed_by_hand(authors, opa, tmp_path, **{"data.json": canonical({"mandate": {"catalogue": {}}})})
    shown = bundle(organisation, "--verify", file, "--key", authors.key())
    assert (
        refused(shown) == f"error: {file}: data.json is not what the sources in it compile to\n{DO_NOT_USE}"
    )


def test_a_bundle_of_another_format_cannot_be_rebuilt(
    organisation: Organisation, authors: Publisher, opa: Path, tmp_path: Path
) -> None:
    from mandate.engine.policy.sources import FORMAT, Sources

    carried = contents.parsed(authors.release(7).read_bytes()).sources
    other = contents.entries(Sources(carried.files, FORMAT + 1), {}, release=7)
    file = _signed_by_hand(authors, opa, tmp_path, **other)
    assert refused(bundle(organisation, "--verify", file, "--key", authors.key())) == (
        f"error: {file}: its sources are of format {FORMAT + 1}, and this Mandate compiles {FORMAT}: "
        "it cannot say what they compiled to\n  → Verify it with the version of Mandate that made it\n"
    )
    assert refused(bundle(organisation, "--from", file)).startswith(
        f"error: {contents.parsed(file.read_bytes()).revision}: these are sources of format {FORMAT + 1}"
    )


def test_a_new_key_is_private_and_never_overwritten(organisation: Organisation, tmp_path: Path) -> None:
    key = tmp_path / "keys/new.pem"
    shown = bundle(organisation, "--new-key", key)
    keyid = public_keys.load(tmp_path / "keys/new.pub").keyid
    assert (shown.exit_code, shown.out) == (
        0,
        f"wrote {key}: keep it secret, and away from the ledger's key\n"
        f"wrote {tmp_path}/keys/new.pub: give it to all who use the policies (policy_key)\n\n"
        f"The key's fingerprint is {keyid}.\n",
    )
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert "the signing key cannot be created: File exists" in refused(bundle(organisation, "--new-key", key))
    sidecar = tmp_path / "keys/sidecar.pem"
    shown = bundle(organisation, "--new-key", sidecar, "--algorithm", "ES256", "--output", "json")
    assert shown.json == {
        "key": str(sidecar),
        "public_key": str(sidecar.with_suffix(".pub")),
        "keyid": public_keys.load(sidecar.with_suffix(".pub")).keyid,
        "algorithm": "ES256",
    }


def test_policies_and_evidence_have_keys_of_their_own(organisation: Organisation) -> None:
    ledgers = organisation.folder / ".mandate/keys/signing.pem"
    assert refused(bundle(organisation, "--key", ledgers, "--release", 1)) == (
        f"error: {ledgers}: this key signs the ledger's evidence: whoever releases policies could write "
        "evidence, too\n  → Make another one with --new-key\n"
    )
    beside = organisation.folder / ".mandate/keys/policies.pem"
    assert refused(bundle(organisation, "--new-key", beside)) == (
        f"error: {beside}: all public keys in this folder may sign evidence\n"
        "  → Put the key of the policies into another folder\n"
    )
    assert not beside.exists()


def test_a_key_that_cannot_sign_is_refused(
    organisation: Organisation, authors: Publisher, tmp_path: Path
) -> None:
    def signed_with(key: Path) -> str:
        return refused(bundle(organisation, "--key", key, "--release", 1, "--to", tmp_path / "b"))

    assert "the signing key cannot be read: No such file" in signed_with(tmp_path / "none.pem")
    for none in (b"hello", authors.key().read_bytes()):
        assert "this is no private key in PEM without a passphrase" in signed_with(_private(tmp_path, none))
    shared = _private(tmp_path, authors.key(suffix=".pem").read_bytes())
    shared.chmod(0o640)
    assert "others than its owner can use the signing key (mode 0640)" in signed_with(shared)
    large = generate_private_key(SECP384R1())
    pem = large.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert "policies are signed with an Ed25519 or an ECDSA P-256 key" in signed_with(_private(tmp_path, pem))
    odd = b"-----BEGIN NOTHING-----\n-----END NOTHING-----\n" + authors.key(suffix=".pem").read_bytes()
    said = "OPA cannot sign with this key: unsupported key type: NOTHING"
    assert said in signed_with(_private(tmp_path, odd))
    assert not (tmp_path / "b").exists()


def _private(folder: Path, content: bytes) -> Path:
    file = folder / "key.pem"
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_bytes(content)
    return file


USAGE: Mapping[str, tuple[tuple[str, ...], str]] = {
    "signed without a number": (("--key", "KEY"), "Give the --release: a signed bundle has a number"),
    "two tasks": (("--verify", "a", "--new-key", "b"), "Give either --verify or --new-key."),
    "a number to verify": (("--verify", "a", "--release", "1"), "--release and --from are for making"),
    "sources for a key": (("--new-key", "a", "--from", "b"), "--release and --from are for making"),
    "an algorithm for a key that is there": (
        ("--key", "KEY", "--release", "1", "--algorithm", "ES256"),
        "--algorithm is for a --new-key",
    ),
    "no key to verify with": (("--verify", "a"), "Give the public --key of whoever released it."),
    "a release of zero": (("--release", "0"), "0 is not in the range"),
}


@pytest.mark.parametrize("name", USAGE)
def test_a_command_that_makes_no_sense_says_so(name: str, organisation: Organisation) -> None:
    arguments, said = USAGE[name]
    assert said in refused(bundle(organisation, *arguments))


def test_a_place_that_cannot_be_written_is_named(organisation: Organisation, tmp_path: Path) -> None:
    place = tmp_path / "none/policies.tar.gz"
    assert refused(bundle(organisation, "--to", place)) == (
        f"error: {place}: the bundle cannot be written: No such file or directory\n  → Correct --to\n"
    )


def test_policies_that_cannot_be_compiled_are_not_written(organisation: Organisation, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    (broken / "thresholds").mkdir(parents=True)
    (broken / "thresholds/fairness.yaml").write_text("demographic_parity_difference: {defualt: 1}\n")
    shown = bundle(organisation, "--from", broken, "--to", tmp_path / "b")
    assert "organisation/thresholds/fairness.yaml:1" in refused(shown)
    assert not (tmp_path / "b").exists()
