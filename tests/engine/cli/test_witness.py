"""`mandate witness`, as somebody runs it who has nothing of the ledger's but its key."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mandate.engine.errors import BadConfiguration
from mandate.engine.evidence import keys
from mandate.engine.evidence.log import checkpoint, cosignature, merkle, note, witness
from mandate.engine.evidence.log.checkpoint import Checkpoint
from mandate.engine.evidence.log.cosignature import WitnessKey
from mandate.engine.evidence.log.note import NoteKey
from mandate.engine.evidence.witnessing import Witness
from tests.engine.evidence.log.signers import KEY, LEDGER, NEXT_KEY, NEXT_LEDGER, ORIGIN
from tests.engine.evidence.log.trees import Tree
from tests.organisation import Organisation, Ran

NAME = "witness.example/audit"
TREE = Tree(9)


def head(size: int, root: bytes | None = None, origin: str = ORIGIN) -> bytes:
    return checkpoint.signed(Checkpoint(origin, size, root or TREE.roots[size]), LEDGER)


def request(old: int, size: int) -> bytes:
    return witness.request(old, merkle.consistency(old, size, TREE.read), head(size))


class Audit(Organisation):
    """A folder with the witness's key, and later its memory."""

    @property
    def key(self) -> WitnessKey:
        return WitnessKey.of(NAME, keys.load(self.folder / "witness.pem").public_key)

    def asked(self, data: bytes, *options: str, vkey: str = KEY.vkey) -> Ran:
        (self.folder / "request").write_bytes(data)
        common = ("--key", "witness.pem", "--name", NAME, "--memory", "memory")
        return self.mandate("witness", "request", "--vkey", vkey, *common, *options)

    @property
    def remembered(self) -> int:
        return checkpoint.read((self.folder / "memory").read_bytes(), [KEY], [self.key], required=1).size


@pytest.fixture
def no_room() -> Iterator[None]:
    """No file may grow beyond 64 bytes: the kernel refuses the write, as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    keys.create(tmp_path / "witness.pem")
    return Audit(tmp_path)


def test_it_signs_a_log_from_its_first_head_on_as_long_as_it_grows(audit: Audit) -> None:
    for data, size in ((head(2), 2), (request(2, 3), 3), (request(3, 9), 9)):
        shown = audit.asked(data)
        assert shown.exit_code == 0
        assert shown.err == (
            f"✓ signed the head of {ORIGIN}: {size} entries\n  The verifier key is {audit.key.vkey}\n"
        )
        signed = head(size) + shown.out.encode()
        accepted = checkpoint.accept(signed, [KEY], [audit.key], required=1)
        assert accepted.checkpoint == Checkpoint(ORIGIN, size, TREE.roots[size])
        assert audit.remembered == size


def test_independent_verifiers_accept_its_signature(audit: Audit, verify_log: Path) -> None:
    shown = audit.asked(head(7), "--output", "json")
    assert shown.exit_code == 0
    assert shown.json["head"] == {"origin": ORIGIN, "size": 7, "root": TREE.roots[7].hex()}
    (audit.folder / "head").write_bytes(head(7) + shown.json["line"].encode())
    command = [verify_log, "cosignature", KEY.vkey, shown.json["vkey"], audit.folder / "head"]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    made = note.parse((audit.folder / "head").read_bytes()).signatures[-1]
    assert said.stdout == f"{cosignature.time_of(made)}\n"


def test_the_same_head_is_signed_once_more(audit: Audit) -> None:
    for data in (head(5), head(5), request(5, 5)):
        assert audit.asked(data).exit_code == 0
    assert audit.remembered == 5


def test_a_log_that_did_not_only_grow_is_not_signed(audit: Audit) -> None:
    assert audit.asked(head(5)).exit_code == 0
    forked = witness.request(5, merkle.consistency(5, 8, TREE.read), head(8, bytes(32)))
    for data in (forked, witness.request(5, (), head(5, bytes(32))), witness.request(5, (), head(4))):
        shown = audit.asked(data)
        assert (shown.exit_code, shown.out) == (3, "")
        assert "does not go on from the 5 that were signed" in shown.err
        assert "Keep both heads" in shown.err
    assert audit.remembered == 5


def test_a_proof_that_begins_elsewhere_is_a_bad_request(audit: Audit) -> None:
    assert audit.asked(request(3, 5)).exit_code == 2
    assert audit.asked(head(5)).exit_code == 0
    for data in (request(3, 8), head(8), head(3)):
        shown = audit.asked(data)
        assert (shown.exit_code, shown.out) == (2, "")
        assert "and the last signed head has 5" in shown.err
        assert "`ledger checkpoint --since`" in shown.err
    assert audit.remembered == 5


def test_what_the_log_did_not_sign_is_not_signed(audit: Audit) -> None:
    for data in (
        checkpoint.signed(Checkpoint(ORIGIN, 5, TREE.roots[5]), NEXT_LEDGER),
        head(5, origin="bank.example/other"),
    ):
        shown = audit.asked(data)
        assert (shown.exit_code, shown.out) == (2, "")
        assert "is not signed by any of the keys given for that log" in shown.err
    assert not (audit.folder / "memory").exists()


def test_the_keys_of_a_log_that_rotated_them_are_all_given(audit: Audit) -> None:
    assert audit.asked(head(5)).exit_code == 0
    rotated = checkpoint.signed(Checkpoint(ORIGIN, 8, TREE.roots[8]), NEXT_LEDGER)
    data = witness.request(5, merkle.consistency(5, 8, TREE.read), rotated)
    assert audit.asked(data).exit_code == 2
    assert audit.asked(data, "--vkey", NEXT_KEY.vkey).exit_code == 0


@pytest.mark.parametrize(
    ("memory", "why"),
    [
        (b"", "the witness's memory is not a head that this witness signed"),
        (head(5), "the witness's memory is not a head that this witness signed: 0 of the given witnesses"),
    ],
)
def test_a_memory_that_is_not_its_own_is_not_believed(audit: Audit, memory: bytes, why: str) -> None:
    (audit.folder / "memory").write_bytes(memory)
    shown = audit.asked(request(5, 8))
    assert (shown.exit_code, shown.out) == (2, "")
    assert why in shown.err
    assert "must not sign heads of the log any more" in shown.err


def test_the_memory_of_one_log_is_not_that_of_another(audit: Audit) -> None:
    assert audit.asked(head(5)).exit_code == 0
    other = "bank.example/other"
    vkey = NoteKey.of(other, LEDGER.public_key).vkey
    shown = audit.asked(head(5, origin=other), "--vkey", vkey)
    assert (shown.exit_code, shown.out) == (2, "")
    assert f"the witness's memory is of another log, '{ORIGIN}'" in shown.err


def test_nothing_is_signed_that_cannot_be_remembered(audit: Audit) -> None:
    (audit.folder / "request").write_bytes(head(5))
    for memory in ("none/memory", "/proc/memory"):
        shown = audit.mandate(
            "witness",
            "request",
            "--vkey",
            KEY.vkey,
            "--key",
            "witness.pem",
            "--name",
            NAME,
            "--memory",
            memory,
        )
        assert (shown.exit_code, shown.out) == (2, "")
        assert "the witness's memory cannot be locked" in shown.err


def test_nothing_is_signed_if_the_memory_cannot_be_read_or_written(audit: Audit, no_room: None) -> None:
    asked = witness.parse(head(5))
    (audit.folder / "folder").mkdir()
    for name, why in (
        ("folder", "cannot be read: Is a directory"),
        ("new", "cannot be written: File too large"),
    ):
        signing = Witness(NAME, NEXT_LEDGER, [KEY], audit.folder / name)
        with pytest.raises(BadConfiguration, match=f"the witness's memory {why}"):
            signing.answer(asked, 1)
    assert not (audit.folder / "new").exists()


def fork(number: int) -> bytes:
    """A request to sign a sixth entry after the five that are the same in all forks."""
    data = b"fork %d" % number
    nodes = {**TREE.nodes, (0, 5): merkle.leaf_hash(data)}

    def read(level: int, place: int) -> bytes:
        return nodes[level, place]

    nodes[1, 2] = merkle.node_hash(nodes[0, 4], nodes[0, 5])
    return witness.request(5, merkle.consistency(5, 6, read), head(6, merkle.root(6, read)))


def test_of_forks_that_come_at_once_one_is_signed(audit: Audit) -> None:
    assert audit.asked(head(5)).exit_code == 0
    names = ["fork1", "fork2", "fork3", "fork4"]
    for number, name in enumerate(names):
        (audit.folder / name).write_bytes(fork(number))

    def ask(name: str) -> int:
        command = [
            sys.executable,
            "-m",
            "mandate",
            "witness",
            name,
            "--vkey",
            KEY.vkey,
            "--key",
            "witness.pem",
        ]
        rest = ["--name", NAME, "--memory", "memory"]
        ran = subprocess.run([*command, *rest], cwd=audit.folder, capture_output=True, check=False)
        return ran.returncode

    with ThreadPoolExecutor() as pool:
        assert sorted(pool.map(ask, names)) == [0, 2, 2, 2]
    assert audit.remembered == 6
