"""The definitions of RFC 6962, section 2.1, word for word and without any thought of speed.

With another `mth` in place of the hash, the proofs say which leaves each of their hashes stands for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import TypeVar

Leaf = TypeVar("Leaf")
Hash = TypeVar("Hash")


def tree_hash(leaves: Sequence[bytes]) -> bytes:
    if not leaves:
        return sha256().digest()
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0]).digest()
    k = split(len(leaves))
    return sha256(b"\1" + tree_hash(leaves[:k]) + tree_hash(leaves[k:])).digest()


def path(m: int, leaves: Sequence[Leaf], mth: Callable[[Sequence[Leaf]], Hash]) -> tuple[Hash, ...]:
    if len(leaves) == 1:
        return ()
    k = split(len(leaves))
    if m < k:
        return (*path(m, leaves[:k], mth), mth(leaves[k:]))
    return (*path(m - k, leaves[k:], mth), mth(leaves[:k]))


def proof(m: int, leaves: Sequence[Leaf], mth: Callable[[Sequence[Leaf]], Hash]) -> tuple[Hash, ...]:
    return subproof(m, leaves, mth, whole=True) if m else ()


def subproof(
    m: int, leaves: Sequence[Leaf], mth: Callable[[Sequence[Leaf]], Hash], *, whole: bool
) -> tuple[Hash, ...]:
    n = len(leaves)
    if m == n:
        return () if whole else (mth(leaves),)
    k = split(n)
    if m <= k:
        return (*subproof(m, leaves[:k], mth, whole=whole), mth(leaves[k:]))
    return (*subproof(m - k, leaves[k:], mth, whole=False), mth(leaves[:k]))


def split(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k
