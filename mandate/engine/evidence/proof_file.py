"""An entry of a ledger with all that proves it, in one file that is checked offline.

    {
      "mediaType": "application/vnd.mandate.proof.v1+json",
      "bundle":    the entry as a Sigstore bundle, which Cosign verifies when it is cut out,
      "tlogProof": the C2SP tlog-proof, with the signed head,
      "vkey":      the C2SP verifier key with which the ledger signed the head
    }

A Sigstore bundle has no place for a C2SP proof, so the two stand side by side. The key is there to be
compared with one that the reader got from elsewhere: a key that comes with what it signs proves nothing.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from .. import strict_json
from ..errors import BadInput
from . import bundle
from . import envelope as dsse
from .envelope import Envelope
from .log import proof as tlog
from .log.note import NoteKey
from .log.proof import Proof

MEDIA_TYPE = "application/vnd.mandate.proof.v1+json"
MAX_BYTES = dsse.MAX_BYTES + tlog.MAX_BYTES + 64 * 1024

_FIELDS = {"mediaType", "bundle", "tlogProof", "vkey"}
_NEXT = "Ask for the file that `mandate ledger prove` wrote"


@dataclass(frozen=True, slots=True)
class ProofFile:
    """What a proof file says. Nobody has verified it yet."""

    envelope: Envelope
    proof: Proof
    vkey: NoteKey

    @property
    def leaf(self) -> bytes:
        """The leaf's data in the log's tree: SHA-256 over the envelope as it is stored."""
        return hashlib.sha256(self.envelope.to_bytes()).digest()


def make(envelope: bytes, proof: Proof, key: NoteKey) -> bytes:
    """The file for an entry. `envelope` is as it is stored; `key` signed the head.

    `BadInput` if the envelope is none, has two signatures, or is stored in another spelling than Mandate's.
    """
    parsed = dsse.parse(envelope)
    if len(parsed.signatures) != 1 or parsed.to_bytes() != envelope:
        raise BadInput("the envelope cannot be exported: it has two signatures, or another spelling")
    document = {
        "mediaType": MEDIA_TYPE,
        "bundle": bundle.to_json(parsed),
        "tlogProof": proof.to_bytes().decode(),
        "vkey": key.vkey,
    }
    return json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"


def parse(data: bytes) -> ProofFile:
    """The proof file in `data`. `BadInput` for everything that is not one."""
    if len(data) > MAX_BYTES:
        raise BadInput(f"the proof file is longer than {MAX_BYTES} bytes", next_step=_NEXT)
    try:
        document = strict_json.parse(data)
    except strict_json.NotStrict as error:
        raise BadInput(f"this is no proof file: {error}", next_step=_NEXT) from error
    if not isinstance(document, dict) or document.get("mediaType") != MEDIA_TYPE:
        raise BadInput(f"this is no proof file: its mediaType is not {MEDIA_TYPE}", next_step=_NEXT)
    if set(document) != _FIELDS:
        raise BadInput(f"the proof file does not have exactly the fields {', '.join(sorted(_FIELDS))}")
    text, vkey = document["tlogProof"], document["vkey"]
    if not isinstance(text, str) or not isinstance(vkey, str):
        raise BadInput("the proof file's tlogProof and vkey are not text")
    return ProofFile(bundle.of(document["bundle"]), tlog.parse(text.encode()), NoteKey.parse(vkey))
