"""What a witness is asked: to sign a head that grew from the one before (https://c2sp.org/tlog-witness).

old <the size of the head before>
<the consistency proof, one hash a line>

<the signed head>
"""

from __future__ import annotations

from collections.abc import Sequence

from ..strict_base64 import encode


def request(old: int, proof: Sequence[bytes], checkpoint: bytes) -> bytes:
    """The body of `add-checkpoint`."""
    return "\n".join((f"old {old}", *(encode(one) for one in proof), "", "")).encode() + checkpoint
