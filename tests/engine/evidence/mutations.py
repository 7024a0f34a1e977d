"""Wrong inputs by the thousand: the same ones in each run."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

INTERESTING = (
    b"\0",
    b"\n",
    b"\n\n",
    b"\r\n",
    b" ",
    b"\xff",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b'"',
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"=",
    b"+",
    b"-1",
    b"0",
    b"00",
    b"1e999",
    b"NaN",
    b"9223372036854775808",
    b"18446744073709551616",
    b"9" * 400,
    "\u2014 ".encode(),
    "e\u0301".encode(),
    "\u00e9".encode(),
    "\uff11".encode(),
    b"index ",
    b"extra ",
)
"""What parsers trip over: separators, other spellings of one thing, numbers at the edge."""

STRANGE: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**53,
    2**64,
    10**400,
    1.5,
    float("nan"),
    float("inf"),
    "",
    "\0",
    "\ud800",
    "\u00e9",
    "e\u0301",
    "\u202e",
    "AA",
    "x" * 5000,
    [],
    {},
    [[]],
    {"": ""},
)
"""JSON values where another one was expected."""


def mutations(seeds: Sequence[bytes], count: int, *, seed: int, structured: bool) -> Iterator[bytes]:
    """Mutated seeds, none of which is a seed. `structured`: the seeds are JSON, and every other mutation
    changes the document rather than its bytes."""
    chance = random.Random(seed)
    made = 0
    while made < count:
        base = chance.choice(seeds)
        if structured and chance.random() < 0.5:
            mutated = _changed_document(base, chance)
        else:
            mutated = _changed_bytes(base, seeds, chance)
        if mutated not in seeds:
            made += 1
            yield mutated


def _changed_bytes(base: bytes, seeds: Sequence[bytes], chance: random.Random) -> bytes:
    data = bytearray(base)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        at = chance.randint(0, len(data))
        until = min(len(data), at + chance.choice((1, 1, 4, 16, 64, 1000)))
        match chance.randrange(8):
            case 0 if at < len(data):
                data[at] ^= 1 << chance.randrange(8)
            case 1:
                data[at:until] = chance.choice(INTERESTING)
            case 2:
                data[at:at] = chance.choice(INTERESTING)
            case 3:
                del data[at:until]
            case 4:
                data[at:at] = data[at:until] * chance.choice((1, 2, 50))
            case 5:
                other = chance.choice(seeds)
                data[at:] = other[chance.randint(0, len(other)) :]
            case 6:
                del data[at:]
            case _:
                data[at:at] = chance.randbytes(chance.choice((1, 4, 40)))
    return bytes(data)


def _changed_document(base: bytes, chance: random.Random) -> bytes:
    document = json.loads(base)
    spots = list(_spots(document))
    for _ in range(chance.choice((1, 1, 2))):
        around, key = chance.choice(spots)
        match chance.randrange(5):
            case 0 if isinstance(around, dict):
                around.pop(key, None)
            case 1 if isinstance(around, dict):
                around[chance.choice(("", "more", "keyid", "payload", "\0", "e\u0301"))] = around.get(key)
            case 2 if isinstance(around, list):
                around.insert(0, chance.choice(STRANGE))
            case _ if isinstance(around, dict):
                around[key] = chance.choice(STRANGE)
            case _:
                around[min(key, len(around) - 1) :] = [chance.choice(STRANGE)]
    spelt = chance.choice(
        (
            {"separators": (",", ":"), "sort_keys": True},
            {"indent": 1},
            {"ensure_ascii": False},
        )
    )
    return json.dumps(document, **spelt).encode("utf-8", "surrogatepass")


def _spots(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each place of a document: the list or object around it, and the key."""
    places = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in places:
        yield value, key
        if isinstance(inner, dict | list):
            yield from _spots(inner)
