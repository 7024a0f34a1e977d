"""`mandate certs ensure --folder`, today and on every day of the years to come."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from mandate.engine import durably
from mandate.engine.errors import BadConfiguration, NotEnsured
from mandate.engine.issuing import pairs
from mandate.engine.issuing.ensuring import Changed, Ensured, ensure
from mandate.engine.issuing.folder import FolderPlace
from tests.organisation import Organisation

HOST = "mandate.example"
BEGIN = datetime(2027, 1, 1, 3, 17, tzinfo=UTC)
DAY = timedelta(days=1)


def run(
    folder: Path, now: datetime = BEGIN, *, hosts: tuple[str, ...] = (HOST,), renew: bool = False
) -> Ensured:
    place = FolderPlace(folder)
    with place.locked():
        return ensure(place, hosts, clock=lambda: now, settle=lambda: None, renew=renew)


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir() if not file.name.startswith(".")}


def is_believed(authorities: bytes, certificate: bytes, now: datetime, host: str = HOST) -> bool:
    """Whether a caller who believes these takes this certificate for the host's."""
    store = Store(x509.load_pem_x509_certificates(authorities))
    try:
        subject = x509.IPAddress(ip_address(host))
    except ValueError:
        named: x509.DNSName | x509.IPAddress = x509.DNSName(host)
    else:
        named = subject
    verifier = PolicyBuilder().store(store).time(now).build_server_verifier(named)
    (leaf,) = x509.load_pem_x509_certificates(certificate)
    try:
        verifier.verify(leaf, [])
    except VerificationError:
        return False
    return True


def test_it_makes_an_authority_and_a_certificate(tmp_path: Path) -> None:
    folder = tmp_path / "new/tls"
    made = run(folder, hosts=(HOST, "127.0.0.1", "::1"))
    assert made.done == ("made a new authority", "issued a new certificate")
    files = contents(folder)
    modes = {name: stat.S_IMODE((folder / name).stat().st_mode) for name in files}
    assert modes == {"ca.crt": 0o644, "ca.key": 0o600, "tls.crt": 0o644, "tls.key": 0o600}
    for host in (HOST, "127.0.0.1", "::1"):
        assert is_believed(files["ca.crt"], files["tls.crt"], BEGIN, host)
    assert not is_believed(files["ca.crt"], files["tls.crt"], BEGIN, "other.example")
    assert pairs.read(files["tls.crt"], files["tls.key"])
    assert pairs.read(files["ca.crt"], files["tls.key"]) is None


def test_to_run_it_again_changes_nothing(tmp_path: Path) -> None:
    run(tmp_path)
    before = contents(tmp_path)
    assert run(tmp_path, BEGIN + DAY).done == ()
    assert contents(tmp_path) == before


def test_for_years_every_caller_believes_what_is_served(tmp_path: Path) -> None:
    """Run once a day. Callers read ca.crt once a week, and processes serve what they read an hour ago."""
    read: deque[bytes] = deque(maxlen=7)
    seen: dict[str, set[bytes]] = {"ca.crt": set(), "tls.crt": set()}
    for number in range(2 * 365):
        now = BEGIN + number * DAY
        before = contents(tmp_path)
        run(tmp_path, now)
        files = contents(tmp_path)
        read.append(files["ca.crt"])
        for authorities in read:
            assert is_believed(authorities, files["tls.crt"], now), now
        if before:
            assert is_believed(files["ca.crt"], before["tls.crt"], now)
        for name, distinct in seen.items():
            distinct.add(files[name])
    # Two authorities, each alone and the two beside each other; a certificate every two months.
    assert (len(seen["ca.crt"]), len(seen["tls.crt"])) == (3, 13)


def test_a_certificate_is_renewed_a_month_before_its_end(tmp_path: Path) -> None:
    run(tmp_path)
    before = contents(tmp_path)
    assert run(tmp_path, BEGIN + timedelta(days=60)).done == ()
    assert run(tmp_path, BEGIN + timedelta(days=60, hours=1)).done == ("issued a new certificate",)
    after = contents(tmp_path)
    assert {name for name in before if before[name] == after[name]} == {"ca.crt", "ca.key"}


def test_after_years_without_a_run_one_run_is_enough(tmp_path: Path) -> None:
    run(tmp_path)
    now = BEGIN + timedelta(days=2000)
    assert run(tmp_path, now).believed == 1
    files = contents(tmp_path)
    assert is_believed(files["ca.crt"], files["tls.crt"], now)


def test_other_names_make_another_certificate(tmp_path: Path) -> None:
    run(tmp_path)
    assert run(tmp_path, hosts=("new.example", HOST)).done == ("issued a new certificate",)
    assert run(tmp_path, hosts=(HOST, "new.example")).done == ()
    files = contents(tmp_path)
    assert is_believed(files["ca.crt"], files["tls.crt"], BEGIN, "new.example")


def test_renewed_on_purpose_the_old_authority_is_believed_until_nobody_serves_its_certificate(
    tmp_path: Path,
) -> None:
    run(tmp_path)
    before = contents(tmp_path)
    made = run(tmp_path, renew=True)
    assert (made.believed, made.done) == (2, ("made a new authority", "issued a new certificate"))
    after = contents(tmp_path)
    for certificate in (before["tls.crt"], after["tls.crt"]):
        assert is_believed(after["ca.crt"], certificate, BEGIN)
    assert run(tmp_path, BEGIN + timedelta(hours=1)).done == ()
    assert run(tmp_path, BEGIN + timedelta(hours=2)).done == ("gave up what an older authority issued",)
    last = contents(tmp_path)
    assert last["tls.crt"] == after["tls.crt"]
    assert [is_believed(last["ca.crt"], each["tls.crt"], BEGIN) for each in (before, after)] == [False, True]


NO_CERTIFICATE = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize("damage", [b"", b"garbage", NO_CERTIFICATE], ids=["empty", "no", "half"])
@pytest.mark.parametrize("name", ["ca.crt", "ca.key", "tls.crt", "tls.key"])
def test_what_is_damaged_is_made_anew(tmp_path: Path, name: str, damage: bytes) -> None:
    run(tmp_path)
    if name == "ca.key" and not damage:
        damage = b"\n"  # an empty one is nobody's, see below
    (tmp_path / name).write_bytes(damage)
    assert run(tmp_path).done
    files = contents(tmp_path)
    assert is_believed(files["ca.crt"], files["tls.crt"], BEGIN)
    assert pairs.read(files["tls.crt"], files["tls.key"])
    assert run(tmp_path).done == ()


def test_a_key_of_another_kind_is_not_ours(tmp_path: Path) -> None:
    other = ed25519.Ed25519PrivateKey.generate()
    (tmp_path / "ca.key").write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (tmp_path / "ca.crt").write_bytes(pairs.bundle([pairs.new_authority(BEGIN).certificate]))
    assert run(tmp_path).done == ("made a new authority", "issued a new certificate")


def test_what_somebody_else_made_is_left_alone(tmp_path: Path) -> None:
    run(tmp_path)
    (tmp_path / "ca.key").unlink()
    before = contents(tmp_path)
    with pytest.raises(BadConfiguration, match=r"somebody else made the tls\.crt that is there"):
        run(tmp_path)
    assert contents(tmp_path) == before


class Cut(Exception):
    """The power went."""


@pytest.mark.parametrize("after", range(1, 5))
def test_a_run_that_is_cut_off_is_continued_by_the_next(
    tmp_path: Path, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path)
    before = contents(tmp_path)
    written = 0
    real = durably.write

    def write(file: Path, content: bytes, *, mode: int = 0o666) -> None:
        nonlocal written
        written += 1
        if written == after:
            raise Cut
        real(file, content, mode=mode)

    with monkeypatch.context() as patched:
        patched.setattr(durably, "write", write)
        with pytest.raises(Cut):
            run(tmp_path, renew=True)
    assert is_believed(contents(tmp_path)["ca.crt"], before["tls.crt"], BEGIN)
    run(tmp_path)
    files = contents(tmp_path)
    assert is_believed(files["ca.crt"], files["tls.crt"], BEGIN)
    assert pairs.read(files["tls.crt"], files["tls.key"])


class Contested(FolderPlace):
    """A place that somebody else changes each time."""

    def write(self, files: Mapping[str, bytes]) -> None:
        raise Changed


def test_it_does_not_try_for_ever(tmp_path: Path) -> None:
    with pytest.raises(NotEnsured, match="the certificates change each time that they are looked at"):
        ensure(Contested(tmp_path), [HOST], clock=lambda: BEGIN, settle=lambda: None)


# The command -------------------------------------------------------------------------------------

COMMAND = (sys.executable, "-m", "mandate", "certs", "ensure", "--folder", "tls", "--host", HOST)


def test_the_command_says_what_it_did(tmp_path: Path) -> None:
    def mandate(*more: str) -> str:
        ran = Organisation(tmp_path).mandate("certs", "ensure", "--folder", "tls", "--host", HOST, *more)
        assert (ran.exit_code, ran.err) == (0, "")
        return ran.out

    today = datetime.now(UTC)
    ends = f"{today + timedelta(days=730):%Y-%m-%d}", f"{today + timedelta(days=90):%Y-%m-%d}"
    expires = f"authority    expires {ends[0]}\ncertificate  expires {ends[1]}\n"
    assert mandate() == f"✓ made a new authority\n✓ issued a new certificate\n{expires}"
    assert mandate() == f"✓ nothing is due\n{expires}"
    said = json.loads(mandate("--renew", "--output", "json"))
    files = contents(tmp_path / "tls")
    (first, _), (leaf,) = (x509.load_pem_x509_certificates(files[name]) for name in ("ca.crt", "tls.crt"))
    assert said == {
        "done": ["made a new authority", "issued a new certificate"],
        "believed": 2,
        "authority": {"sha256": pairs.fingerprint(first), "expires": first.not_valid_after_utc.isoformat()},
        "certificate": {"sha256": pairs.fingerprint(leaf), "expires": leaf.not_valid_after_utc.isoformat()},
    }
    assert ", 2 believed\n" in mandate()


@pytest.mark.parametrize(
    ("arguments", "exit_code", "said"),
    [
        (("--host", HOST), 2, "Give --folder or --secret."),
        (("--host", HOST, "--folder", "a", "--secret", "b"), 2, "Give --folder or --secret."),
        (("--host", HOST, "--folder", "a", "--webhook", "b"), 2, "--webhook goes with --secret"),
        (("--host", HOST, "--secret", "b"), 2, "this is no Pod of a cluster"),
        (("--host", "bänk.example", "--folder", "a"), 2, "a certificate cannot be made out to this name"),
        (("--host", HOST, "--folder", "file/a"), 3, "the certificates cannot be kept there: Not a directory"),
    ],
    ids=["neither", "both", "webhook of a folder", "no cluster", "no name", "no folder"],
)
def test_what_cannot_be_done_is_said(
    tmp_path: Path, arguments: tuple[str, ...], exit_code: int, said: str
) -> None:
    (tmp_path / "file").touch()
    ran = Organisation(tmp_path).mandate("certs", "ensure", *arguments)
    assert (ran.exit_code, said in ran.err) == (exit_code, True), ran.err


def test_runs_at_the_same_time_make_one_authority(tmp_path: Path) -> None:
    running = [
        subprocess.Popen(
            [*COMMAND, "--output", "json"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(4)
    ]
    said = []
    for process in running:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        said.append(json.loads(out))
    assert len({each["authority"]["sha256"] for each in said}) == 1
    assert sorted(len(each["done"]) for each in said) == [0, 0, 0, 2]
