"""The exported form of an envelope: a Sigstore bundle, which Cosign verifies offline.

    cosign verify-blob-attestation --key signing.pub --bundle decision.sigstore.json \\
      --type https://mandate.dev/attestations/decision/v1 --insecure-ignore-tlog --check-claims=false

Format: https://github.com/sigstore/protobuf-specs, `sigstore_bundle.proto`, v0.3, with a public key's hint as
verification material and no entry of a transparency log.
"""

from __future__ import annotations

import json
from typing import Any

from ..errors import BadInput
from . import envelope as dsse
from .envelope import Envelope

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"


def export(envelope: Envelope) -> bytes:
    """The bundle as indented JSON. `ValueError` unless there is exactly one signature: v0.3 takes no more."""
    return json.dumps(to_json(envelope), indent=2).encode() + b"\n"


def to_json(envelope: Envelope) -> dict[str, Any]:
    """The bundle as JSON. `ValueError` as `export` says it."""
    (signature,) = envelope.signatures
    return {
        "mediaType": MEDIA_TYPE,
        # Cosign finds the key by this hint, and finds nothing unless it is the key's SSH fingerprint.
        "verificationMaterial": {"publicKey": {"hint": signature.keyid}, "tlogEntries": []},
        "dsseEnvelope": envelope.to_json(),
    }


def of(document: Any) -> Envelope:
    """The envelope in a bundle. `BadInput` unless the document is exactly what `to_json` makes of it."""
    if not isinstance(document, dict) or "dsseEnvelope" not in document:
        raise BadInput("the bundle has no envelope")
    envelope = dsse.of(document["dsseEnvelope"])
    if len(envelope.signatures) != 1 or document != to_json(envelope):
        raise BadInput(f"the bundle is not a {MEDIA_TYPE} as Mandate writes it")
    return envelope
