"""The Merkle tree of RFC 6962, section 2.1, over SHA-256.

A *node* (level, number) is the root of the complete subtree over the 2^level leaves from number·2^level on; a
node of level 0 is a leaf's hash. A complete node never changes, so a store keeps those of level 1 and above,
finds those of level 0 in its entries, and can tell every root and every proof from O(log n) of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

MAX_SIZE = 2**63 - 1
"""A tree has at most so many leaves."""
MAX_PROOF = 63
"""An inclusion proof in a tree of `MAX_SIZE` leaves has at most so many hashes."""
EMPTY_ROOT = hashlib.sha256(b"").digest()

Read = Callable[[int, int], bytes]
"""The hash of a complete node: `read(level, number)`."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Node:
    """A complete node."""

    level: int
    number: int
    hash: bytes


def peaks(size: int) -> tuple[tuple[int, int], ...]:
    """The (level, number) of the largest complete nodes that cover `size` leaves, from left to right."""
    return tuple(
        (level, (size >> level) - 1) for level in range(size.bit_length() - 1, -1, -1) if size >> level & 1
    )


@dataclass(frozen=True, slots=True)
class Frontier:
    """All that must be known of a tree to append to it."""

    size: int = 0
    hashes: tuple[bytes, ...] = ()
    """Of the `peaks`, in their order."""

    @classmethod
    def of(cls, size: int, read: Read) -> Frontier:
        """The frontier of the tree with `size` leaves."""
        return cls(size, tuple(read(level, number) for level, number in peaks(size)))

    def append(self, data: bytes) -> tuple[Frontier, tuple[Node, ...]]:
        """The frontier with one leaf more, and the nodes of level 1 and above that are now complete."""
        kept = list(self.hashes)
        top = leaf_hash(data)
        made = []
        level = 0
        while self.size >> level & 1:
            top = node_hash(kept.pop(), top)
            level += 1
            made.append(Node(level, self.size >> level, top))
        return Frontier(self.size + 1, (*kept, top)), tuple(made)

    @property
    def root(self) -> bytes:
        """The hash of the whole tree."""
        return _folded(self.hashes)


def root(size: int, read: Read) -> bytes:
    """The hash of the tree's first `size` leaves."""
    return Frontier.of(size, read).root


def inclusion(index: int, size: int, read: Read) -> tuple[bytes, ...]:
    """The proof that the leaf is in the tree of `size` leaves: from its sibling upwards."""
    if not 0 <= index < size:
        raise ValueError(f"no entry {index} in a tree of {size}")
    path = []
    first, end = 0, size
    while end - first > 1:
        middle = _split(first, end)
        if index < middle:
            path.append(_range(middle, end, read))
            end = middle
        else:
            path.append(_range(first, middle, read))
            first = middle
    return tuple(reversed(path))


def consistency(first: int, second: int, read: Read) -> tuple[bytes, ...]:
    """The proof that the tree of `second` leaves begins with that of `first`; empty if there is nothing to
    prove, because `first` is 0 or both are the same.
    """
    if not 0 <= first <= second:
        raise ValueError(f"a tree of {second} does not begin with one of {first}")
    if first == 0:
        return ()
    path = []
    begin, end = 0, second
    while end != first:
        middle = _split(begin, end)
        if first <= middle:
            path.append(_range(middle, end, read))
            end = middle
        else:
            path.append(_range(begin, middle, read))
            begin = middle
    if begin:
        # Without a step to the right, this is the first tree itself, whose root is known.
        path.append(_range(begin, end, read))
    return tuple(reversed(path))


def verify_inclusion(data: bytes, index: int, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `data` is the leaf at `index` of the tree with this size and root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size <= MAX_SIZE or not _hashes(proof):
        return False
    here, last = index, size - 1
    known = leaf_hash(data)
    for sibling in proof:
        if last == 0:
            return False
        if here & 1 or here == last:
            known = node_hash(sibling, known)
            here, last = _up_to_a_right_child(here, last)
        else:
            known = node_hash(known, sibling)
        here, last = here >> 1, last >> 1
    return last == 0 and known == root


def verify_consistency(
    first: int, first_root: bytes, second: int, second_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether the second tree begins with the first (RFC 9162, 2.1.4.2). Every tree begins with the empty."""
    if not 0 <= first <= second <= MAX_SIZE or not _hashes(proof):
        return False
    if first == second:
        return not proof and first_root == second_root and (first > 0 or first_root == EMPTY_ROOT)
    if first == 0:
        return not proof and first_root == EMPTY_ROOT
    path = list(proof) if first & (first - 1) else [first_root, *proof]
    if not path:
        return False
    here, last = first - 1, second - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if here & 1 or here == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            here, last = _up_to_a_right_child(here, last)
        else:
            new = node_hash(new, sibling)
        here, last = here >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root


def _hashes(proof: Sequence[bytes]) -> bool:
    # A consistency proof can have one hash more than an inclusion proof.
    return len(proof) <= MAX_PROOF + 1 and all(len(one) == len(EMPTY_ROOT) for one in proof)


def _up_to_a_right_child(here: int, last: int) -> tuple[int, int]:
    """Pass the levels on which a node at the right edge has no sibling."""
    while here and not here & 1:
        here, last = here >> 1, last >> 1
    return here, last


def _split(first: int, end: int) -> int:
    """Where the left subtree ends: it has the largest power of two of leaves that is less than all."""
    return first + (1 << (end - first - 1).bit_length() - 1)


def _range(first: int, end: int, read: Read) -> bytes:
    """The hash of the leaves from `first` to `end`, which `_split` made."""
    return _folded(tuple(read(level, (first >> level) + number) for level, number in peaks(end - first)))


def _folded(hashes: Sequence[bytes]) -> bytes:
    """The hash over peaks: the small ones at the right are joined first."""
    if not hashes:
        return EMPTY_ROOT
    known = hashes[-1]
    for left in reversed(hashes[:-1]):
        known = node_hash(left, known)
    return known
