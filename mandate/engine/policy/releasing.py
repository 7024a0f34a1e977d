"""Makes the bundle that is released, and says of one whether it is what it says."""

from __future__ import annotations

from pathlib import Path

from ..errors import BadPolicy
from . import archive
from .build import build
from .contents import SIGNATURES, Contents, parsed
from .release_keys import ReleaseKey, VerificationKey
from .signing import sign, verify
from .sources import FORMAT, Sources


def released(
    sources: Sources, *, opa: Path, release: int | None = None, key: ReleaseKey | None = None
) -> bytes:
    """The archive of these sources, with their tests. The same ones make the same bytes.

    That holds for an Ed25519 key too, while each ECDSA signature is another one. `BadPolicy` for sources that
    cannot be compiled.
    """
    entries = build(sources, opa=opa, release=release)
    return archive.pack(entries if key is None else sign(entries, key, opa=opa))


def verified(content: bytes, key: VerificationKey, *, opa: Path) -> Contents:
    """What is in a released bundle. `BadPolicy` if anything about it is wrong:

    1. its bytes, 2. its signature, 3. its manifest, 4. what its sources compile to.
    """
    verify(content, key, opa=opa)  # 1. and 2.
    contents = parsed(content)  # 3.
    if contents.sources.format != FORMAT:
        raise BadPolicy(
            f"its sources are of format {contents.sources.format}, and this Mandate compiles {FORMAT}: "
            "it cannot say what they compiled to",
            next_step="Verify it with the version of Mandate that made it",
        )
    rebuilt = build(contents.sources, opa=opa, release=contents.release)  # 4.
    for path in sorted({*rebuilt, *contents.entries} - {SIGNATURES}):
        if rebuilt.get(path) != contents.entries.get(path):
            raise BadPolicy(
                f"{path} is not what the sources in it compile to",
                next_step="Do not use it; get it again from whoever released it",
            )
    return contents
