"""A hundred thousand wrong inputs: each is refused in our own words, or says what the original says.

The mutations are random, but the same in each run. Beside them stand inputs that were built to cost much:
memory, time, or the depth of a stack.
"""

from __future__ import annotations

import gzip
import io
import json
import resource
import tarfile
import time
import tracemalloc
import unicodedata
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import pytest

from mandate.engine.decision import Decision, Outcome
from mandate.engine.digests import document_sha256
from mandate.engine.errors import BadInput, MandateError
from mandate.engine.evidence import envelope as dsse
from mandate.engine.evidence import proof_file, proven, statement
from mandate.engine.evidence.log import checkpoint, cosignature, note, proof, witness
from mandate.engine.evidence.log.cosignature import WitnessKey
from mandate.engine.evidence.log.note import NoteKey
from mandate.engine.evidence.predicates.base import LedgerUsed, MandateUsed
from mandate.engine.evidence.predicates.decision import DecisionPredicate, OpaUsed, PolicyUsed
from mandate.engine.evidence.predicates.key import KeyStated
from mandate.engine.evidence.predicates.opening import OpeningPredicate
from mandate.engine.evidence.proven import Trust
from mandate.engine.input.document import Input
from mandate.engine.policy import archive, contents, sources
from tests.organisation import GOOD

from .log.entries import INDEX, Log
from .log.signers import FIRST_WITNESS, KEY, LEDGER, NEXT_KEY, NEXT_LEDGER, ORIGIN, W1, WITNESS
from .mutations import mutations

SEED = 20261125
SECONDS = 2.0
"""What one input may take."""
GROWTH = 64 << 20
"""By how many bytes the process may grow over all mutations of one kind."""

LOG = Log()
HEAD = cosignature.add(LOG.head(), WITNESS, FIRST_WITNESS, 1772366400)
HEADS = [head.to_bytes() for head in (HEAD, LOG.head(), LOG.head(NEXT_LEDGER))]
TRUST = Trust(named=(KEY, NEXT_KEY), witnesses=(W1,))
LEAF = LOG.entry(INDEX)
PROOFS = [LOG.proof(note.parse(head)).to_bytes() for head in HEADS]
FILES = [LOG.file(note.parse(head)) for head in HEADS]
PROVEN = proven.check(proof_file.parse(FILES[0]), TRUST)
ENVELOPES = [*LOG.envelopes[:3], dsse.seal(b"{}", NEXT_LEDGER).to_bytes()]
KEYS = {signer.keyid: signer.public_key for signer in (LEDGER, NEXT_LEDGER)}
REQUESTS = [HEADS[1], witness.request(3, LOG.proof().hashes, HEADS[1])]
VKEYS = [KEY.vkey.encode(), NEXT_KEY.vkey.encode(), W1.vkey.encode()]
SOURCES = sources.from_texts([{"mandate/rules/a/b/b.rego": "package a"}], format=sources.FORMAT)
ENTRIES = contents.entries(SOURCES, {"catalogue": {}})
BUNDLES = [archive.pack(ENTRIES), archive.pack({**ENTRIES, "mandate/é.rego": bytes(2000)})]


def payloads() -> list[bytes]:
    """Statements of two kinds."""
    common = {
        "id": "019caa3d-c400-7000-8000-000000000000",
        "recordedAt": datetime(2026, 3, 1, 12, tzinfo=UTC),
        "mandate": MandateUsed(version="1"),
        "ledger": LedgerUsed(origin=ORIGIN),
    }
    document, decision = (
        Input.model_validate_json(json.dumps(GOOD)),
        Decision(outcome=Outcome.UNDECIDED, reasons=("OPA is down",)),
    )
    decided = DecisionPredicate.model_validate(
        {
            **common,
            "outcome": Outcome.UNDECIDED,
            "decision": decision,
            "decisionSha256": document_sha256(decision.model_dump(mode="json")),
            "input": document,
            "inputSha256": document_sha256(document.model_dump(mode="json")),
            "policy": PolicyUsed(revision="v1", bundleSha256="01" * 32),
            "opa": OpaUsed(version=None),
        }
    )
    opened = OpeningPredicate.model_validate(
        {**common, "openedBy": "root", "key": KeyStated.of(LEDGER.public_key)}
    )
    return [statement.payload(statement.state(one)) for one in (decided, opened)]


def is_an_envelope(data: bytes) -> None:
    envelope = dsse.parse(data)
    dsse.verify(envelope, KEYS)
    assert envelope in [dsse.parse(seed) for seed in ENVELOPES]


def is_a_statement(data: bytes) -> None:
    document = statement.parse(data)
    with suppress(BadInput):
        list(statement.contradictions(statement.read(data), document))
    proven.read(data)


def is_a_note(data: bytes) -> None:
    assert note.parse(data).to_bytes() == data


def is_a_head(data: bytes) -> None:
    accepted = checkpoint.accept(data, [KEY, NEXT_KEY], [W1])
    assert accepted.checkpoint == PROVEN.head
    assert accepted.witnessed_by in ((), PROVEN.witnessed_by)


def is_a_proof(data: bytes) -> None:
    parsed = proof.parse(data)
    assert proof.verify(parsed, LEAF, [KEY, NEXT_KEY], [W1]).checkpoint == PROVEN.head
    assert (parsed.index, parsed.hashes) == (INDEX, LOG.proof().hashes)


def is_a_proof_file(data: bytes) -> None:
    verdict = proven.check(proof_file.parse(data), TRUST)
    if not verdict.proven:
        raise BadInput(verdict.faults[0])
    assert (verdict.index, verdict.statement, verdict.head) == (INDEX, PROVEN.statement, PROVEN.head)


def is_a_request(data: bytes) -> None:
    asked = witness.parse(data)
    assert data in (asked.checkpoint, witness.request(asked.old, asked.proof, asked.checkpoint))


def is_a_vkey(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    kind = WitnessKey if text.startswith(WITNESS) else NoteKey
    assert kind.parse(text).vkey == text


def is_a_bundle(data: bytes) -> None:
    assert archive.pack(archive.unpack(data)) == data


def are_sources(data: bytes) -> None:
    """The same, packed again after its last file was changed."""
    assert contents.parsed(archive.pack({**ENTRIES, archive.LAST: data})).sources == SOURCES


@dataclass(frozen=True)
class Kind:
    """Something that is read from outside."""

    read: Callable[[bytes], None]
    """Raises an error of Mandate's, or fails the test if it takes what it must not."""
    seeds: Sequence[bytes]
    count: int
    structured: bool = False


KINDS = {
    "envelope": Kind(is_an_envelope, ENVELOPES, 20_000, structured=True),
    "statement": Kind(is_a_statement, payloads(), 3_000, structured=True),
    "note": Kind(is_a_note, HEADS, 14_000),
    "head": Kind(is_a_head, HEADS, 16_000),
    "tlog-proof": Kind(is_a_proof, PROOFS, 18_000),
    "proof file": Kind(is_a_proof_file, FILES, 15_000, structured=True),
    "request to a witness": Kind(is_a_request, REQUESTS, 4_000),
    "verifier key": Kind(is_a_vkey, VKEYS, 4_000),
    "policy bundle": Kind(is_a_bundle, BUNDLES, 4_000),
    "policy bundle's sources": Kind(are_sources, [ENTRIES[archive.LAST]], 2_000, structured=True),
}


def test_there_are_a_hundred_thousand() -> None:
    assert sum(kind.count for kind in KINDS.values()) == 100_000


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_whatever_is_changed_is_refused_or_says_the_same(kind: Kind) -> None:
    for seed in kind.seeds:
        kind.read(seed)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    slowest, refused = 0.0, 0
    for data in mutations(kind.seeds, kind.count, seed=SEED, structured=kind.structured):
        start = time.process_time()
        try:
            kind.read(data)
        except MandateError:
            refused += 1
        except BaseException as error:
            error.add_note(f"read from {data[:2000]!r}")
            raise
        slowest = max(slowest, time.process_time() - start)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
    assert slowest < SECONDS
    assert grown < GROWTH
    assert refused > kind.count // 2


def documents() -> dict[str, bytes]:
    """JSON that was built to cost much, or to be understood differently by two readers."""
    many = b",".join(b'"%d":0' % number for number in range(100_000))
    return {
        "lists in lists": b"[" * 1_000_000,
        "objects in objects": b'{"a":' * 200_000,
        "a million numbers": b"[" + b"1," * 1_000_000 + b"1]",
        "an integer of a million digits": b"1" * 1_000_000,
        "a double of a million digits": b"0." + b"1" * 1_000_000,
        "an exponent of a million digits": b"1e" + b"9" * 1_000_000,
        "many keys and one twice": b"{%b,%b}" % (many, b'"99999":1'),
        "one key very often": b"{%b}" % b",".join([b'"payload":""'] * 100_000),
        "a text of a million escapes": b'"' + b"\\u0000" * 1_000_000 + b'"',
        "half of a surrogate pair": b'{"payload":"\\ud800"}',
        "a surrogate in UTF-8": b'{"payload":"\xed\xa0\x80"}',
        "a NUL": b'{"payload":"\0"}',
        "an overlong NUL": b'{"payload":"\xc0\x80"}',
        "a byte order mark": b"\xef\xbb\xbf{}",
        "UTF-16": "{}".encode("utf-16"),
        "UTF-32": "{}".encode("utf-32"),
        "not a number": b"NaN",
        "nothing": b"",
        "white space": b" " * 1_000_000,
    }


def inside(field: str, document: bytes) -> bytes:
    """A proof file that has the document as the value of a field."""
    fields = {name: json.dumps(value).encode() for name, value in json.loads(FILES[0]).items()}
    return b"{%b}" % b",".join(
        b'"%b":%b' % (name.encode(), value) for name, value in {**fields, field: document}.items()
    )


HOSTILE = {
    f"{where}: {what}": (read, around(document))
    for what, document in documents().items()
    for where, read, around in (
        ("envelope", is_an_envelope, bytes),
        ("statement", is_a_statement, bytes),
        ("signed", is_a_proof_file, lambda document: Log(dsse.seal(document, LEDGER).to_bytes()).file()),
        ("proof file", is_a_proof_file, bytes),
        ("bundle in it", is_a_proof_file, lambda document: inside("bundle", document)),
        ("proof in it", is_a_proof_file, lambda document: inside("tlogProof", document)),
        ("sources", are_sources, bytes),
    )
}


def lines(*parts: str) -> bytes:
    return "\n".join(parts).encode()


TEXT, SIGNATURES = HEADS[1].decode().split("\n\n")
SPELLINGS = [unicodedata.normalize(form, "bank.example/modèls") for form in ("NFC", "NFD")]
HEADS_OF_NOBODY = {
    "a size of a million digits": lines(ORIGIN, "9" * 1_000_000, "", SIGNATURES),
    "a size of sixty thousand digits": lines(ORIGIN, "9" * 60_000, "A" * 43 + "=", "", SIGNATURES),
    "an index in other digits": lines(ORIGIN, "\u0667", "A" * 43 + "=", "", SIGNATURES),
    "a thousand signatures": lines(TEXT, "", SIGNATURES * 1000),
    "twenty thousand empty lines": lines(TEXT, "\n" * 20_000, SIGNATURES),
    "a name of sixty thousand letters": lines(TEXT, "", f"— {'n' * 60_000} AAAAAAA=\n"),
    "a signature of forty thousand bytes": lines(TEXT, "", f"— {ORIGIN} {'A' * 60_000}\n"),
    "the name in another form": note.sign(
        TEXT.replace(ORIGIN, SPELLINGS[0]) + "\n", SPELLINGS[1], LEDGER
    ).to_bytes(),
}
PROOFS_OF_NOTHING = {
    "ten thousand hashes": lines(proof.HEADER, "index 0", *["A" * 43 + "="] * 10_000, "", HEADS[0].decode()),
    "an index of a hundred thousand digits": lines(
        proof.HEADER, "index " + "1" * 100_000, "", HEADS[0].decode()
    ),
    "extra data of a million bytes": PROOFS[0].replace(b"index", b"extra " + b"A" * 1_000_000 + b"\nindex"),
    "nothing but empty lines": b"\n" * 1_000_000,
}
HOSTILE |= {f"head: {what}": (is_a_head, data) for what, data in HEADS_OF_NOBODY.items()}
HOSTILE |= {f"tlog-proof: {what}": (is_a_proof, data) for what, data in PROOFS_OF_NOTHING.items()}


@pytest.mark.parametrize(("read", "data"), HOSTILE.values(), ids=HOSTILE)
def test_a_text_that_was_built_to_cost_much_is_refused_at_little_cost(
    read: Callable[[bytes], None], data: bytes
) -> None:
    refused_at_little_cost(read, data)


def refused_at_little_cost(read: Callable[[bytes], None], data: bytes) -> None:
    start = time.process_time()
    tracemalloc.start()
    try:
        with pytest.raises(MandateError):
            read(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert time.process_time() - start < 3 * SECONDS
    # What is unpacked is bounded by itself, and all else by the size of what was given.
    assert peak < 2 * archive.MAX_BYTES + 32 * len(data) + (16 << 20)


def zipped(content: bytes, times: int = 1) -> bytes:
    for _ in range(times):
        content = gzip.compress(content, mtime=0)
    return content


def packed(*headers: tarfile.TarInfo, form: int = tarfile.PAX_FORMAT) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=form) as archived:
        for header in headers:
            archived.addfile(header, io.BytesIO(bytes(header.size)))
    return made.getvalue()


def entry(name: str, size: int = 0, **pax: str) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.size, made.pax_headers = size, pax
    return made


def of_size(field: bytes, kind: bytes = tarfile.REGTYPE) -> bytes:
    """Two entries of which the second states the size that these twelve bytes say."""
    header = bytearray(entry("b").tobuf(tarfile.USTAR_FORMAT))
    header[124:136], header[156:157], header[148:156] = field, kind, b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return entry("a").tobuf(tarfile.USTAR_FORMAT) + bytes(header) + bytes(1024)


def negative(size: int) -> bytes:
    return b"\xff" + (2**88 - size).to_bytes(11, "big")


ARCHIVES: dict[str, Callable[[], bytes]] = {
    "64 MiB of nothing": lambda: zipped(bytes(1 << 26)),
    "a bomb in a bomb": lambda: zipped(bytes(1 << 26), 3),
    "very many members": lambda: zipped(b"") * 50_000,
    "a file of 64 MiB": lambda: zipped(packed(entry("a", 64 << 20))),
    "very many files": lambda: zipped(packed(*(entry(str(number)) for number in range(3_000)))),
    "a header of 16 MiB": lambda: zipped(packed(entry("a", comment="x" * (16 << 20)))),
    "a name of 1 MiB": lambda: zipped(packed(entry("a" * (1 << 20)), form=tarfile.GNU_FORMAT)),
    "a size that is stated to be 8 EiB": lambda: zipped(of_size(b"\x80" + (1 << 63).to_bytes(11, "big"))),
    **{
        f"a size of -{size}, type {kind.decode()}": partial(zipped, of_size(negative(size), kind))
        for size in (1, 512, 1024, 1536)
        for kind in (b"0", b"5", b"x", b"g", b"L", b"K", b"S", b"V")
    },
}


@pytest.mark.parametrize("made", ARCHIVES.values(), ids=ARCHIVES)
def test_an_archive_that_was_built_to_cost_much_is_refused_at_little_cost(made: Callable[[], bytes]) -> None:
    refused_at_little_cost(is_a_bundle, made())


def test_two_spellings_of_one_name_are_two_names() -> None:
    composed, decomposed = (NoteKey.of(name, LEDGER.public_key) for name in SPELLINGS)
    assert composed.key_hash != decomposed.key_hash
    for mine, other in ((composed, decomposed), (decomposed, composed)):
        head = note.sign(TEXT.replace(ORIGIN, mine.name) + "\n", mine.name, LEDGER).to_bytes()
        assert checkpoint.read(head, [mine]).origin == mine.name
        with pytest.raises(BadInput, match="not signed by any of the keys"):
            checkpoint.read(head, [other])
