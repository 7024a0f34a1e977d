from __future__ import annotations

import pytest

from mandate.engine.errors import BadInput
from mandate.engine.evidence.log import checkpoint, witness
from mandate.engine.evidence.log.checkpoint import Checkpoint
from mandate.engine.evidence.log.witness import Request

from .signers import LEDGER, ORIGIN

HEAD = checkpoint.signed(Checkpoint(ORIGIN, 5, bytes(32)), LEDGER)
HASHES = (bytes(range(32)), bytes(32))
DATA = witness.request(3, HASHES, HEAD)
HASH = b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


def test_a_request_is_as_witnesses_take_it() -> None:
    assert DATA == b"old 3\n%b\n%b\n\n%b" % (HASH, b"A" * 43 + b"=", HEAD)
    assert witness.parse(DATA) == Request(3, HASHES, HEAD)
    assert witness.request(0, (), HEAD) == b"old 0\n\n" + HEAD
    assert witness.parse(b"old 0\n\n" + HEAD) == Request(0, (), HEAD)


def test_a_head_alone_asks_for_its_first_signature() -> None:
    assert witness.parse(HEAD) == Request(0, (), HEAD)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no signature"),
        (b"old", "no signature"),
        (b"old 3", "no signature"),
        (b"old 3\n\n", "no signature"),
        (b"new" + DATA, "three lines|not base64|number"),
        (DATA.replace(b"old 3", b"old 03"), "the old size is not a number"),
        (DATA.replace(b"old 3", b"old %d" % 2**63), "the old size is not a number"),
        (DATA.replace(b"old 3", b"old "), "the old size is not a number"),
        (DATA.replace(HASH, HASH[:-1]), "a hash that is not base64"),
        (DATA.replace(HASH, HASH[4:]), "does not have 32 bytes"),
        (DATA.replace(HASH, "é".encode()), "not ASCII"),
        (DATA.replace(HASH, b"\n".join([HASH] * 64)), "more than 63 hashes"),
        (DATA.replace(HEAD, b"\n" + HEAD), "three lines"),
        (b"x" * witness.MAX_BYTES + DATA, "longer than"),
    ],
)
def test_what_is_no_request_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        witness.parse(data)
