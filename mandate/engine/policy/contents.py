"""What is in a bundle: this is the layout, and `archive` its bytes.

    data.json          `data.mandate`: what METADATA and YAML compile to, as canonical JSON
    .manifest          canonical JSON: `revision`, `roots: ["mandate"]`, `rego_version: 1`; of a release also
                       `metadata: {mandate: {release: N}}`
    .signatures.json   of a signed bundle: one JWT over the digests of all other entries, made by `opa sign`,
                       whose claim `keyid` is the SSH fingerprint of the key
    mandate/…/….rego   the Rego that decides, byte for byte as it was written
    sources.json       `{format, roots: [{path: text}]}`: each file of each root, as it was written

OPA loads `data.json` and the Rego, and the manifest says which revision that is. It pays no attention to
`sources.json`, but its signature covers it. `mandate check` reads `data.json` alone, which comes first.

From the sources everything else can be made again: a past or released revision can be compared, documented,
tested and used as a root of policies. The tests are among the sources of what `mandate policy bundle` writes,
and not in the store, where one revision is one file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..digests import canonical
from ..errors import BadPolicy
from ..strict_json import NotStrict, parse
from . import archive
from .sources import Kind, Sources, as_texts, from_texts
from .tree import MANIFEST

MANIFEST_ENTRY = ".manifest"
SIGNATURES = ".signatures.json"


@dataclass(frozen=True, slots=True)
class Contents:
    """The entries of a bundle, and what its manifest says of them."""

    entries: Mapping[str, bytes]
    sources: Sources
    release: int | None
    """The number under which it was released."""

    @property
    def revision(self) -> str:
        """`sha256:<hex>` over the sources, which is what the manifest says too."""
        return self.sources.revision

    @property
    def rules(self) -> int:
        """How many rules there are."""
        return len(parse(self.entries[archive.DATA])["mandate"]["catalogue"])

    @property
    def signed(self) -> bool:
        """Whether it says that it is signed. Whether it is, OPA says: `signing.verify`."""
        return SIGNATURES in self.entries


def entries(sources: Sources, data: Mapping[str, Any], *, release: int | None = None) -> dict[str, bytes]:
    """The entries of the bundle of these sources, which compile to `data`."""
    texts = {"format": sources.format, "roots": as_texts(sources)}
    return {
        archive.DATA: canonical({"mandate": data}),
        MANIFEST_ENTRY: _manifest(sources.revision, release),
        **{source.path: source.content for source in sources.of(Kind.REGO)},
        archive.LAST: canonical(texts),
    }


def parsed(content: bytes) -> Contents:
    """What is in the archive `content`. `BadPolicy` if it is not a bundle that carries its sources."""
    found = archive.unpack(content)
    sources = _sources(found.get(archive.LAST))
    release = _release(found.get(MANIFEST_ENTRY, b""))
    if found.get(MANIFEST_ENTRY) != _manifest(sources.revision, release):
        raise BadPolicy(
            f"its manifest is not that of its sources, whose revision is {sources.revision}",
            where=MANIFEST_ENTRY,
            next_step="Get the file again, or make it with `mandate policy bundle`",
        )
    return Contents(found, sources, release)


def _manifest(revision: str, release: int | None) -> bytes:
    released = {} if release is None else {"metadata": {"mandate": {"release": release}}}
    return canonical({"revision": revision, **MANIFEST, **released})


def _release(manifest: bytes) -> int | None:
    """The number in a manifest that is yet to be held against what it should be."""
    try:
        release = parse(manifest)["metadata"]["mandate"]["release"]
    except (NotStrict, KeyError, TypeError):
        return None
    return release if isinstance(release, int) and not isinstance(release, bool) and release > 0 else None


def _sources(content: bytes | None) -> Sources:
    if content is None:
        raise BadPolicy(
            "the bundle does not carry its sources",
            where=archive.LAST,
            next_step="Make it with `mandate policy bundle`",
        )
    try:
        document = parse(content)
        return from_texts(document["roots"], format=document["format"])
    except (NotStrict, KeyError, TypeError, AttributeError, ValueError) as error:
        raise BadPolicy(
            "these are no sources of a bundle",
            where=archive.LAST,
            next_step="Make it with `mandate policy bundle`",
        ) from error
