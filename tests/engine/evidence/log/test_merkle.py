from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mandate.engine.evidence.log import merkle

from . import rfc6962
from .trees import Tree, entry

LARGEST = 130
TREE = Tree(LARGEST)
SIZES = st.integers(1, LARGEST)


def test_every_root_and_every_proof_is_that_of_the_definition() -> None:
    for size in range(LARGEST + 1):
        leaves = TREE.leaves[:size]
        assert TREE.roots[size] == merkle.root(size, TREE.read) == rfc6962.tree_hash(leaves)
    for size in (*range(1, 35), 63, 64, 65, 127, 128, 129, LARGEST):
        leaves = TREE.leaves[:size]
        for index in range(size):
            assert merkle.inclusion(index, size, TREE.read) == rfc6962.path(index, leaves, rfc6962.tree_hash)
        for first in range(size + 1):
            assert merkle.consistency(first, size, TREE.read) == rfc6962.proof(
                first, leaves, rfc6962.tree_hash
            )


@given(SIZES, st.data())
def test_an_entry_is_proven_and_no_other(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = merkle.inclusion(index, size, TREE.read)
    root = TREE.roots[size]
    assert merkle.verify_inclusion(entry(index), index, size, root, proof)
    assert not merkle.verify_inclusion(entry(index) + b"x", index, size, root, proof)
    assert not any(
        merkle.verify_inclusion(entry(index), other, size, root, proof)
        for other in range(-1, size + 2)
        if other != index
    )
    assert not merkle.verify_inclusion(entry(index), index, size, flipped(root, data), proof)
    wrong = tampered(proof, data)
    assert wrong == proof or not merkle.verify_inclusion(entry(index), index, size, root, wrong)


@given(SIZES, st.data())
def test_growth_is_proven_and_nothing_else(second: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, second))
    proof = merkle.consistency(first, second, TREE.read)
    old, new = TREE.roots[first], TREE.roots[second]
    assert merkle.verify_consistency(first, old, second, new, proof)
    assert not merkle.verify_consistency(first, flipped(old, data), second, new, proof)
    assert first == 0 or not merkle.verify_consistency(first, old, second, flipped(new, data), proof)
    wrong = tampered(proof, data)
    assert wrong == proof or not merkle.verify_consistency(first, old, second, new, wrong)


def test_a_tree_does_not_grow_backwards() -> None:
    assert not merkle.verify_consistency(3, TREE.roots[3], 2, TREE.roots[2], ())
    assert not merkle.verify_consistency(-1, TREE.roots[0], 2, TREE.roots[2], ())
    assert not merkle.verify_consistency(1, TREE.roots[1], 2**63, TREE.roots[2], ())


def test_a_proof_of_growth_has_as_many_hashes_as_it_must() -> None:
    old, new = TREE.roots[3], TREE.roots[7]
    proof = merkle.consistency(3, 7, TREE.read)
    assert merkle.verify_consistency(3, old, 7, new, proof)
    for wrong in ((), proof[:1], proof[:-1], (*proof, new), proof * 20):
        assert not merkle.verify_consistency(3, old, 7, new, wrong)
    assert not merkle.verify_inclusion(entry(0), 0, 1, TREE.roots[1], (new,))


def test_proofs_of_what_is_not_there_cannot_be_asked_for() -> None:
    with pytest.raises(ValueError, match="no entry 3 in a tree of 3"):
        merkle.inclusion(3, 3, TREE.read)
    with pytest.raises(ValueError, match="a tree of 2 does not begin with one of 3"):
        merkle.consistency(3, 2, TREE.read)


def test_a_proof_of_one_entry_in_the_largest_tree_has_63_hashes() -> None:
    def read(level: int, number: int) -> bytes:
        return merkle.leaf_hash(b"%d/%d" % (level, number))

    size = merkle.MAX_SIZE
    proof = merkle.inclusion(0, size, read)
    assert len(proof) == merkle.MAX_PROOF
    growth = merkle.consistency(3, size, read)
    assert len(growth) == merkle.MAX_PROOF + 1


def test_appending_and_proving_read_no_more_than_the_height_of_the_tree_demands() -> None:
    tree = Tree(5000)
    height = 13
    asked = []
    for index in range(0, 5000, 7):
        tree.reads = 0
        merkle.inclusion(index, 5000, tree.read)
        merkle.consistency(index, 5000, tree.read)
        asked.append(tree.reads)
    assert max(asked) <= 4 * height
    tree.reads = 0
    frontier = merkle.Frontier.of(4095, tree.read)
    assert tree.reads == 12
    grown, complete = frontier.append(entry(4095))
    assert grown == merkle.Frontier(4096, (tree.nodes[12, 0],))
    assert [(node.level, node.number) for node in complete] == [
        (level, (4096 >> level) - 1) for level in range(1, 13)
    ]
    assert all(node.hash == tree.nodes[node.level, node.number] for node in complete)


def flipped(hash_: bytes, data: st.DataObject) -> bytes:
    bit = data.draw(st.integers(0, 8 * len(hash_) - 1))
    return (int.from_bytes(hash_, "big") ^ 1 << bit).to_bytes(len(hash_), "big")


def tampered(proof: tuple[bytes, ...], data: st.DataObject) -> tuple[bytes, ...]:
    at = data.draw(st.integers(0, len(proof)))
    one, rest = proof[at : at + 1], proof[at + 1 :]
    changed = {
        "add": (data.draw(st.binary(min_size=32, max_size=32)), *one),
        "change": tuple(flipped(hash_, data) for hash_ in one),
        "drop": (),
        "repeat": one * 2,
        "shorten": tuple(hash_[:-1] for hash_ in one),
    }
    return (*proof[:at], *changed[data.draw(st.sampled_from(sorted(changed)))], *rest)
