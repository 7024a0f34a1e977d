"""What independent verifiers said of a log: the same roots, the same proofs, the same refusals."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from mandate.engine.errors import BadInput
from mandate.engine.evidence.log import checkpoint, merkle, proof
from mandate.engine.evidence.log.checkpoint import Checkpoint

from . import rfc6962, vectors

SIZE = 1000
HEIGHT = 10


def head(name: str) -> Checkpoint:
    return checkpoint.read(vectors.read(name), [vectors.KEY])


def span(leaves: Sequence[int]) -> tuple[int, int]:
    return leaves[0], len(leaves)


@pytest.fixture(scope="module")
def nodes() -> dict[tuple[int, int], bytes]:
    """The complete nodes that the envelopes and proofs show, each where the definition says."""
    spans = {(index, 1): merkle.leaf_hash(vectors.data(index)) for index in vectors.WITH_ENVELOPE}
    for index in vectors.PROVEN:
        where = rfc6962.path(index, range(SIZE), span)
        spans.update(zip(where, vectors.inclusion(index).hashes, strict=True))
    for first, second in vectors.GROWTH:
        where = rfc6962.proof(first, range(second), span)
        spans.update(zip(where, vectors.consistency(first, second), strict=True))
    known = {
        (size.bit_length() - 1, first // size): hash_
        for (first, size), hash_ in spans.items()
        if size & (size - 1) == 0
    }
    for level in range(HEIGHT):
        for number in range(0, SIZE >> level, 2):
            if (level, number) in known and (level, number + 1) in known:
                joined = merkle.node_hash(known[level, number], known[level, number + 1])
                assert known.setdefault((level + 1, number // 2), joined) == joined
    return known


@pytest.mark.parametrize("size", vectors.SIZES)
def test_heads_have_the_same_root(nodes: dict[tuple[int, int], bytes], size: int) -> None:
    root = merkle.root(size, lambda level, number: nodes[level, number])
    assert head(f"cp{size}") == Checkpoint(vectors.ORIGIN, size, root)


@pytest.mark.parametrize("index", vectors.PROVEN)
def test_inclusion_proofs_are_the_same_byte_for_byte(nodes: dict[tuple[int, int], bytes], index: int) -> None:
    hashes = merkle.inclusion(index, SIZE, lambda level, number: nodes[level, number])
    made = proof.Proof(index, hashes, vectors.read("cp1000"))
    assert made.to_bytes() == vectors.read(f"env{index}.tlog-proof")
    assert proof.parse(made.to_bytes()) == made


@pytest.mark.parametrize(("first", "second"), vectors.GROWTH)
def test_consistency_proofs_are_the_same(
    nodes: dict[tuple[int, int], bytes], first: int, second: int
) -> None:
    hashes = merkle.consistency(first, second, lambda level, number: nodes[level, number])
    assert hashes == vectors.consistency(first, second)


@pytest.mark.parametrize("index", vectors.WITH_ENVELOPE)
def test_entries_are_accepted_and_in_no_other_place(index: int) -> None:
    given = vectors.inclusion(index)
    accepted = proof.verify(given, vectors.data(index), [vectors.KEY])
    assert accepted == checkpoint.Accepted(head("cp1000"), (vectors.KEY,), ())
    for other in vectors.WITH_ENVELOPE:
        if other != index:
            with pytest.raises(BadInput, match="does not lead from the entry"):
                proof.verify(given, vectors.data(other), [vectors.KEY])


@pytest.mark.parametrize(("first", "second"), vectors.GROWTH)
def test_growth_is_accepted(first: int, second: int) -> None:
    assert grown(f"cp{first}", f"cp{second}", (first, second))


@pytest.mark.parametrize(
    ("old", "new"), [("cp700", "cp1000fork"), ("cp700fork", "cp1000"), ("cp700fork", "cp1000fork")]
)
def test_a_fork_is_refused(old: str, new: str) -> None:
    assert not grown(old, new, (700, 1000))


@pytest.mark.parametrize(("old", "new"), [("cp1000", "cp1000fork"), ("cp700", "cp700fork")])
def test_two_heads_of_one_size_are_a_fork(old: str, new: str) -> None:
    size = head(old).size
    assert not merkle.verify_consistency(size, head(old).root, size, head(new).root, ())


@pytest.mark.parametrize("index", vectors.WITH_ENVELOPE)
def test_no_entry_is_in_the_fork(index: int) -> None:
    given = vectors.inclusion(index)
    forked = proof.Proof(given.index, given.hashes, vectors.read("cp1000fork"))
    with pytest.raises(BadInput, match="does not lead from the entry"):
        proof.verify(forked, vectors.data(index), [vectors.KEY])


@pytest.mark.parametrize("name", [*(f"cp{size}" for size in vectors.SIZES), "cp700fork", "cp1000fork"])
def test_the_other_key_signed_none_of_it(name: str) -> None:
    with pytest.raises(BadInput, match="is not signed by any of the keys given for that log"):
        checkpoint.read(vectors.read(name), [vectors.OTHER])


def grown(old: str, new: str, growth: tuple[int, int]) -> bool:
    first, second = head(old), head(new)
    return merkle.verify_consistency(
        first.size, first.root, second.size, second.root, vectors.consistency(*growth)
    )
