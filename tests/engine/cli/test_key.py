"""`mandate key`, and who may sign after it."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mandate.engine.evidence import key_files, keys, public_keys
from mandate.engine.evidence.log.note import NoteKey
from mandate.engine.evidence.public_keys import PublicKey
from tests.organisation import GOOD, Organisation, founded
from tests.signing_fixtures import Agent, Token


@pytest.fixture
def organisation(tmp_path: Path) -> Organisation:
    return founded(tmp_path, trusting=True)


def key(organisation: Organisation, *arguments: str) -> Any:
    """What a `mandate key` command says, which must succeed."""
    ran = organisation.mandate("key", *arguments, "--output", "json")
    assert ran.exit_code == 0, ran.out + ran.err
    return ran.json


def signing(organisation: Organisation) -> str:
    keyid = key(organisation, "show")["keyid"]
    assert isinstance(keyid, str)
    return keyid


def sound(organisation: Organisation, *settings: str) -> bool:
    return organisation.mandate("ledger", "verify", *settings).exit_code == 0


def allowed(organisation: Organisation, *settings: str) -> bool:
    """A decision is asked for, recorded by the key that signs now, and verified."""
    ran = organisation.check(GOOD, *settings)
    assert ran.exit_code == 0, ran.out
    return sound(organisation, *settings)


def test_a_new_organisation_has_one_key_that_signs_everything(organisation: Organisation) -> None:
    public = public_keys.load(organisation.folder / ".mandate/keys/signing.pub")
    assert key(organisation, "list") == [
        {
            "keyid": public.keyid,
            "algorithm": "Ed25519",
            "file": str(organisation.folder / ".mandate/keys/signing.pub"),
            "signs": ["entries", "heads"],
            "endings": [],
        }
    ]


def test_a_key_is_shown_as_every_verifier_takes_it(organisation: Organisation, tmp_path: Path) -> None:
    shown = key(organisation, "show")
    public = public_keys.load(organisation.folder / ".mandate/keys/signing.pub")
    assert PublicKey.from_ssh(shown["ssh"]) == public
    assert NoteKey.parse(shown["vkey"]) == NoteKey.of("bank.example/models", public)
    assert shown["pem"].encode() == public.pem
    text = organisation.mandate("key", "show", public.keyid[:12]).out
    for form in (shown["ssh"], shown["vkey"], shown["pem"], public.keyid, "signs entries and heads"):
        assert form in text


def test_the_key_in_a_file_is_shown_where_there_is_no_ledger(organisation: Organisation) -> None:
    made = key(organisation, "new", "mira.pem")
    public = public_keys.load(organisation.folder / "mira.pub")
    (organisation.folder / "mandate.yaml").unlink()
    assert key(organisation, "show", "mira.pub") == {
        "keyid": made["keyid"],
        "algorithm": "Ed25519",
        "file": "mira.pub",
        "ssh": made["ssh"],
        "pem": public.pem.decode(),
    }
    assert organisation.mandate("key", "show", "mira.pub").out == (
        f"fingerprint  {public.keyid}\nalgorithm    Ed25519\nfile         mira.pub\n"
        f"as in SSH    {public.ssh}\n\n{public.pem.decode()}"
    )
    ran = organisation.mandate("key", "show", "mira.pem")
    assert (ran.exit_code, "this is no public key for Ed25519 or ECDSA P-256" in ran.err) == (2, True)


def test_a_key_that_is_not_there_is_not_shown(organisation: Organisation) -> None:
    for reference in ("SHA256:none", "SHA256:", "\x1b[2J"):
        ran = organisation.mandate("key", "show", reference)
        assert ran.exit_code == 2
        assert "key of this ledger has the fingerprint" in ran.err
        assert "\x1b[2J" not in ran.err
    (organisation.folder / ".mandate/keys/signing.pub").rename(
        organisation.folder / ".mandate/keys/other.pub"
    )
    ran = organisation.mandate("key", "show")
    assert (ran.exit_code, "not in the ledger's key folder" in ran.err) == (2, True)


def test_rotating_keeps_the_settings_and_what_was_signed(organisation: Organisation) -> None:
    assert allowed(organisation)
    old = signing(organisation)
    rotated = key(organisation, "rotate", "--reason", "every year")
    new = signing(organisation)
    assert rotated == {
        "retired": old,
        "successor": new,
        "reason": "every year",
        "recorded": rotated["recorded"],
        "settings": {},
    }
    index = len(organisation.entries()) - 1
    assert (rotated["recorded"]["index"], rotated["recorded"]["keyid"]) == (index, old)
    assert allowed(organisation)
    assert [(each["keyid"], each["signs"], each["endings"]) for each in key(organisation, "list")] == [
        (new, ["entries", "heads"], []),
        (old, [], [{"how": "rotated", "entry": index, "reason": "every year", "successor": new}]),
    ]
    assert {file.name for file in (organisation.folder / ".mandate/keys").iterdir()} == {
        "signing.pem",
        "signing.pub",
        *(f"signing-{name}.pub" for name in map(digits, (old, new))),
    }


def digits(keyid: str) -> str:
    return base64.b64decode(keyid.removeprefix("SHA256:") + "=").hex()[:12]


def test_a_rotated_key_records_nothing_more(organisation: Organisation) -> None:
    shutil.copy(organisation.folder / ".mandate/keys/signing.pem", organisation.folder / "old.pem")
    old = signing(organisation)
    key(organisation, "rotate", "--reason", "yearly")
    settings = ("--set", "ledger.key=old.pem", "--set", "ledger.keys=.mandate/keys")
    before = len(organisation.entries())
    ran = organisation.check(GOOD, *settings)
    assert ran.exit_code == 2
    assert ran.json["error"] == {
        "type": "BadConfiguration",
        "what": f"the key {old} was rotated in entry 1 (yearly): what it signs does not count any more",
        "where": str(organisation.folder / ".mandate/ledger.db"),
        "next_step": f"Let {signing(organisation)} sign, which took its place: see `mandate key list`",
    }
    assert len(organisation.entries()) == before
    doctor = organisation.mandate("doctor", "--config", str(old_key(organisation)))
    assert doctor.exit_code == 2
    assert f"the key {old} was rotated in entry 1" in doctor.out


def old_key(organisation: Organisation) -> Path:
    """Settings that still name the old key."""
    file = organisation.folder / "old.yaml"
    settings = (organisation.folder / "mandate.yaml").read_text()
    file.write_text(settings.replace("key: .mandate/keys/signing.pem", "key: old.pem\n  keys: .mandate/keys"))
    return file


def test_a_rotation_that_was_interrupted_is_finished(organisation: Organisation) -> None:
    folder = organisation.folder / ".mandate/keys"
    shutil.copytree(folder, organisation.folder / "before")
    key(organisation, "rotate")
    new = signing(organisation)
    # As it is after the entry and before the files are moved.
    for suffix in ("pem", "pub"):
        (folder / f"signing.{suffix}").rename(folder / f"signing.next.{suffix}")
        shutil.copy(organisation.folder / f"before/signing.{suffix}", folder / f"signing.{suffix}")
    assert organisation.check(GOOD).exit_code == 2
    entries = len(organisation.entries())
    assert key(organisation, "rotate")["recorded"] is None
    assert signing(organisation) == new
    assert len(organisation.entries()) == entries
    assert allowed(organisation)
    # As it is between the two files.
    (folder / "signing.pem").rename(folder / "signing.next.pem")
    shutil.copy(organisation.folder / "before/signing.pem", folder / "signing.pem")
    assert "what was begun is finished now" in organisation.mandate("key", "rotate").out
    assert signing(organisation) == new
    assert allowed(organisation)


def test_a_rotation_that_was_interrupted_before_its_entry_takes_the_key_that_was_made(
    organisation: Organisation,
) -> None:
    signing_file = organisation.folder / ".mandate/keys/signing.pem"
    made = keys.create(key_files.successor_of(signing_file))
    assert key(organisation, "rotate")["successor"] == made.keyid
    assert allowed(organisation)


def test_a_revoked_keys_earlier_signatures_stand_and_later_ones_are_named(
    organisation: Organisation, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert allowed(organisation)
    stolen = signing(organisation)
    thief = tmp_path_factory.mktemp("thief")
    shutil.copytree(organisation.folder, thief, dirs_exist_ok=True)
    revoked = key(organisation, "revoke", stolen, "--reason", "laptop stolen", "--new")
    new = signing(organisation)
    assert (revoked["revoked"], revoked["successor"]) == (stolen, new)
    index = len(organisation.entries()) - 1
    assert (revoked["recorded"]["index"], revoked["recorded"]["keyid"]) == (index, new)
    assert allowed(organisation)
    # The thief writes into the ledger as it is now, with a program that does not ask whether it may.
    for file in (organisation.folder / ".mandate").glob("ledger.db*"):
        shutil.copy(file, thief / ".mandate")
    append = (
        "import sys, json\n"
        "from mandate.engine.evidence import key_watch\n"
        "key_watch.Known.entitle = lambda self, keyid: None\n"
        "from mandate.engine import cli\n"
        "sys.exit(cli.run(['check', '--input', 'input.json', '--set', 'ledger.keys=keys']))\n"
    )
    shutil.copytree(organisation.folder / ".mandate/keys", thief / "keys")
    (thief / "input.json").write_text(json.dumps(GOOD))
    ran = subprocess.run(
        [sys.executable, "-c", append], cwd=thief, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    verified = Organisation(thief).mandate(
        "ledger", "verify", "--set", "ledger.keys=keys", "--output", "json"
    )
    assert verified.exit_code == 3
    last, entry = verified.json["entries"] - 1, f"entry {index}"
    assert [(fault["index"], fault["what"]) for fault in verified.json["faults"]] == [
        (
            last,
            f"the head over {last + 1} entries is signed by the key {stolen}, which was revoked in {entry}",
        ),
        (last, f"it is signed by the key {stolen}, which was revoked in {entry}"),
    ]
    explained = Organisation(thief).mandate("explain", str(last), "--set", "ledger.keys=keys")
    assert explained.exit_code == 3
    assert f"it is signed by the key {stolen}, which was revoked in {entry}" in explained.err


def test_the_only_key_is_not_revoked_without_another(organisation: Organisation) -> None:
    only = signing(organisation)
    for also in ((), ("--new", "--to", "ssh-agent:")):
        ran = organisation.mandate("key", "revoke", only, "--reason", "stolen", *also)
        assert ran.exit_code == 2
        assert "this key signs entries and heads: without another, nothing could be recorded" in ran.err
    assert len(organisation.entries()) == 1


def test_a_key_that_signs_nothing_is_revoked_by_the_one_that_signs(organisation: Organisation) -> None:
    other = keys.create(organisation.folder / "other.pem")
    shutil.copy(organisation.folder / "other.pub", organisation.folder / ".mandate/keys/other.pub")
    assert key(organisation, "list")[1]["signs"] == []
    ran = organisation.mandate("key", "revoke", other.keyid, "--reason", "she left", "--new")
    assert (ran.exit_code, "nobody need sign instead" in ran.err) == (2, True)
    text = organisation.mandate("key", "revoke", other.keyid, "--reason", "she \x1b[2Jleft").out
    assert "recorded     entry 1 of bank.example/models" in text
    assert "\x1b" not in text
    listed = organisation.mandate("key", "list").out
    assert re.search(r"revoked in entry 1", listed)
    assert "she \\x1b[2Jleft" in listed
    assert "reason       she \\x1b[2Jleft" in organisation.mandate("key", "show", other.keyid).out
    ran = organisation.mandate("key", "revoke", other.keyid, "--reason", "again")
    assert (ran.exit_code, "the key was revoked in entry 1 already" in ran.err) == (2, True)
    assert allowed(organisation)


def test_a_revocation_that_was_interrupted_is_finished(organisation: Organisation) -> None:
    folder = organisation.folder / ".mandate/keys"
    shutil.copytree(folder, organisation.folder / "before")
    stolen = signing(organisation)
    key(organisation, "revoke", stolen, "--reason", "stolen", "--new")
    new = signing(organisation)
    for suffix in ("pem", "pub"):
        (folder / f"signing.{suffix}").rename(folder / f"signing.next.{suffix}")
        shutil.copy(organisation.folder / f"before/signing.{suffix}", folder / f"signing.{suffix}")
    again = key(organisation, "revoke", stolen, "--reason", "stolen", "--new")
    assert (again["recorded"], again["successor"]) == (None, new)
    assert allowed(organisation)


def test_a_passphrase_locks_the_key_from_the_start_and_its_successor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    organisation = Organisation(tmp_path)
    monkeypatch.setenv("MANDATE_KEY_PASSPHRASE", "correct horse")
    made = organisation.mandate("init", "--name", "bank.example/models", "--passphrase")
    assert made.exit_code == 0, made.err
    file = tmp_path / ".mandate/keys/signing.pem"
    assert keys.is_locked(file)
    key(organisation, "rotate")
    assert keys.is_locked(file)
    assert sound(organisation)
    monkeypatch.setenv("MANDATE_KEY_PASSPHRASE", "wrong")
    ran = organisation.mandate("key", "rotate")
    assert (ran.exit_code, "the passphrase does not open the signing key" in ran.err) == (2, True)
    monkeypatch.delenv("MANDATE_KEY_PASSPHRASE")
    ran = organisation.check(GOOD)
    assert ran.exit_code == 2
    assert ran.json["error"]["what"] == f"there is no passphrase for the key {file}"
    assert len(key(organisation, "list")) == 2  # nothing is asked


def test_an_open_key_is_replaced_by_a_locked_one(
    organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = organisation.folder / ".mandate/keys/signing.pem"
    assert not keys.is_locked(file)
    monkeypatch.setenv("MANDATE_KEY_PASSPHRASE", "correct horse")
    key(organisation, "rotate", "--passphrase")
    assert keys.is_locked(file)
    assert allowed(organisation)


def test_a_new_key_is_written_where_it_was_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MANDATE_KEY_PASSPHRASE", "correct horse")
    nobody = Organisation(tmp_path)
    made = nobody.mandate("key", "new", "ann.pem", "--passphrase", "--output", "json").json
    public = public_keys.load(tmp_path / "ann.pub")
    assert made == {
        "file": "ann.pem",
        "public_key": "ann.pub",
        "passphrase": True,
        "keyid": public.keyid,
        "ssh": public.ssh,
    }
    assert nobody.mandate("key", "new", "ann.pem").exit_code == 2
    text = nobody.mandate("key", "new", "bob.pem").out
    assert "which whoever reads it can sign with" in text
    assert not keys.is_locked(tmp_path / "bob.pem")


def test_the_ledger_moves_to_an_ssh_agent(organisation: Organisation, agent: Agent, tmp_path: Path) -> None:
    line = agent.add(tmp_path / "id_ed25519", comment="ledger")
    uri = f"ssh-agent:{PublicKey.from_ssh(line).keyid}"
    ran = organisation.mandate("key", "rotate", "--to", uri)
    assert ran.exit_code == 0, ran.err
    assert f"Nothing can be recorded before you set:\n  ledger.key: {uri}\n" in ran.out
    assert "ledger.keys" not in ran.out
    assert organisation.check(GOOD).exit_code == 2
    settings = ("--set", f"ledger.key={uri}")
    assert allowed(organisation, *settings)
    assert key(organisation, "list", *settings)[0]["signs"] == ["entries", "heads"]
    ran = organisation.mandate("key", "rotate", *settings)
    assert (ran.exit_code, "there is no place for a new one" in ran.err) == (2, True)
    ran = organisation.mandate("key", "rotate", "--to", uri, *settings)
    assert (ran.exit_code, "this is the key that signs already" in ran.err) == (2, True)
    agent.process.kill()
    agent.process.wait()
    ran = organisation.check(GOOD, *settings)
    assert (ran.exit_code, ran.json["outcome"]) == (3, "undecided")
    assert len(key(organisation, "list", *settings)) == 2  # nobody is asked


def test_an_agents_key_may_be_named_by_its_comment(
    organisation: Organisation, agent: Agent, tmp_path: Path
) -> None:
    agent.add(tmp_path / "id_ed25519", comment="ledger")
    key(organisation, "rotate", "--to", "ssh-agent:ledger")
    settings = ("--set", "ledger.key=ssh-agent:ledger")
    assert key(organisation, "list", *settings)[0]["signs"] == ["entries", "heads"]
    agent.run("ssh-add", "-q", "-D")
    assert [each["signs"] for each in key(organisation, "list", *settings)] == [[], []]


def test_a_key_never_revokes_itself(organisation: Organisation, agent: Agent, tmp_path: Path) -> None:
    """Not even if nobody can say beforehand that it is the one that signs."""
    public = PublicKey.from_ssh(agent.add(tmp_path / "id_ed25519", comment="ledger"))
    key(organisation, "rotate", "--to", "ssh-agent:ledger")
    before = len(organisation.entries())
    named = ("--set", "ledger.key=file:elsewhere", "--set", "ledger.keys=.mandate/keys")
    shutil.copy(tmp_path / "id_ed25519", organisation.folder / "elsewhere")
    ran = organisation.mandate("key", "revoke", public.keyid, "--reason", "stolen", *named)
    assert (ran.exit_code, "a key cannot revoke itself" in ran.err) == (2, True)
    settings = ("--set", "ledger.key=ssh-agent:ledger")
    ran = organisation.mandate(
        "key", "revoke", public.keyid, "--reason", "stolen", "--to", "ssh-agent:ledger", *settings
    )
    assert (ran.exit_code, "this is the key that signs already" in ran.err) == (2, True)
    assert len(organisation.entries()) == before


def test_a_file_that_is_named_by_an_option_is_meant_from_here(organisation: Organisation) -> None:
    (organisation.folder / "below").mkdir()
    keys.create(organisation.folder / "below/new.pem")
    below = Organisation(organisation.folder / "below")
    ran = below.mandate("key", "rotate", "--to", "new.pem")
    assert ran.exit_code == 0, ran.err
    new, old = organisation.folder / "below/new.pem", organisation.folder / ".mandate/keys/signing.pem"
    assert ran.out.splitlines()[-4:] == [
        "Nothing can be recorded before you set:",
        f"  ledger.key: {new}",
        f"  ledger.keys: {old.parent}",
        f"The old private key is still in {old}: destroy it.",
    ]
    assert allowed(organisation, "--set", f"ledger.key={new}", "--set", f"ledger.keys={old.parent}")


def with_token(organisation: Organisation, token: Token) -> tuple[str, ...]:
    """Settings under which the token signs entries, and a file heads."""
    shutil.copy(token.public_key, organisation.folder / ".mandate/keys/token.pub")
    keys.create(organisation.folder / ".mandate/keys/heads.pem")
    return (
        *("--set", f"ledger.key={token.uri}"),
        *("--set", "ledger.public_key=.mandate/keys/token.pub"),
        *("--set", "ledger.head_key=.mandate/keys/heads.pem"),
    )


def test_a_token_signs_entries_and_a_file_signs_heads(
    organisation: Organisation, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MANDATE_KEY_PIN", token.pin)
    settings, public = with_token(organisation, token), public_keys.load(token.public_key)
    heads = ("--set", "ledger.head_key=.mandate/keys/heads.pem")
    rotated = key(organisation, "rotate", "--to", token.uri, "--public-key", str(token.public_key), *heads)
    assert rotated["settings"] == {
        "ledger.key": token.uri,
        "ledger.public_key": str(key_files.file_for(organisation.folder / ".mandate/keys", public)),
    }
    assert allowed(organisation, *settings)
    shown = key(organisation, "list", *settings)
    assert {each["algorithm"]: each["signs"] for each in shown[:2]} == {
        "ECDSA P-256": ["entries"],
        "Ed25519": ["heads"],
    }
    assert key(organisation, "show", *settings)["vkey"] is None
    assert "vkey" not in organisation.mandate("key", "show", *settings).out
    # Heads get another key, in its file.
    old = shown[1]["keyid"]
    assert key(organisation, "rotate", "--heads", *settings)["retired"] == old
    assert allowed(organisation, *settings)
    new = next(each["keyid"] for each in key(organisation, "list", *settings) if each["signs"] == ["heads"])
    assert new != old
    revoked = key(organisation, "revoke", new, "--reason", "stolen", "--new", *settings)
    assert revoked["recorded"]["keyid"] == public_keys.load(token.public_key).keyid
    assert allowed(organisation, *settings)
    doctor = organisation.mandate("key", "rotate", "--heads")
    assert (doctor.exit_code, "ledger.head_key is not set" in doctor.err) == (2, True)


def test_a_token_cannot_sign_heads(
    organisation: Organisation, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MANDATE_KEY_PIN", token.pin)
    ran = organisation.mandate("key", "rotate", "--to", token.uri, "--public-key", str(token.public_key))
    assert ran.exit_code == 2
    assert "the heads of the log are signed with Ed25519" in ran.err
    assert "Name an Ed25519 key there" in ran.err
    assert len(organisation.entries()) == 1


def test_a_key_with_two_posts_is_not_rotated_out_of_one(organisation: Organisation) -> None:
    heads = ("--set", "ledger.head_key=.mandate/keys/signing.pem")
    for which in ((), ("--heads",)):
        ran = organisation.mandate("key", "rotate", *which, *heads)
        assert (ran.exit_code, "would lose both" in ran.err) == (2, True)


def test_a_wrong_pin_and_a_token_that_is_gone_decide_nothing(
    organisation: Organisation, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = with_token(organisation, token)
    monkeypatch.setenv("MANDATE_KEY_PIN", "9999")
    ran = organisation.check(GOOD, *settings)
    assert ran.exit_code == 2
    assert "the token refuses the PIN" in ran.json["error"]["what"]
    monkeypatch.setenv("MANDATE_KEY_PIN", token.pin)
    # Its module looks once a process; so another one meets a folder without tokens.
    configuration = organisation.folder / "softhsm2.conf"
    (organisation.folder / "empty").mkdir()
    configuration.write_text(f"directories.tokendir = {organisation.folder}/empty\nlog.level = ERROR\n")
    command = [
        sys.executable,
        "-m",
        "mandate",
        "check",
        "--input",
        "input.json",
        *settings,
        "--output",
        "json",
    ]
    gone = subprocess.run(
        command,
        cwd=organisation.folder,
        env={**os.environ, "SOFTHSM2_CONF": str(configuration)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert gone.returncode == 3, gone.stderr
    assert "No PKCS#11 token found for label Mandate" in gone.stdout
    assert len(organisation.entries()) == 1


def test_a_service_without_its_package_is_named(organisation: Organisation) -> None:
    settings = ("--set", "ledger.public_key=.mandate/keys/signing.pub", "--set", "ledger.key=hv:ledger/1")
    ran = organisation.check(GOOD, *settings)
    assert ran.exit_code == 2
    assert ran.json["error"]["next_step"] == "Run `pip install 'securesystemslib[vault]'`"


def test_a_persons_key_is_revoked_too(organisation: Organisation, tmp_path: Path) -> None:
    file = tmp_path / "ann"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file], check=True)
    public = public_keys.load(file.with_suffix(".pub"))
    ran = organisation.mandate("key", "revoke", public.keyid, "--reason", "she left")
    assert (ran.exit_code, "no key of this ledger has the fingerprint" in ran.err) == (2, True)
    person = ("--person", str(file.with_suffix(".pub")))
    assert (
        key(organisation, "revoke", public.keyid, "--reason", "she left", *person)["revoked"] == public.keyid
    )
    listed = key(organisation, "list")[1]
    assert (listed["keyid"], listed["file"], listed["endings"][0]["entry"]) == (public.keyid, None, 1)
    assert "file         none in the key folder" in organisation.mandate("key", "show", public.keyid).out
    ran = organisation.mandate("key", "revoke", public.keyid, "--reason", "again", *person)
    assert (ran.exit_code, "the key was revoked in entry 1 already" in ran.err) == (2, True)
    assert sound(organisation)


def test_the_doctor_says_who_signs_what(organisation: Organisation) -> None:
    signs = signing(organisation)
    assert f"{signs} signs\n" in organisation.mandate("doctor").out
    heads = keys.create(organisation.folder / ".mandate/keys/heads.pem").keyid
    settings = (organisation.folder / "mandate.yaml").read_text()
    named = settings.replace("  # head_key: .mandate", "  head_key: .mandate")
    (organisation.folder / "mandate.yaml").write_text(named)
    shown = organisation.mandate("doctor")
    assert (shown.exit_code, f"{signs} signs, and {heads} the heads\n" in shown.out) == (0, True), shown.out
