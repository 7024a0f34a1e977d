"""The exported form of an envelope: a Sigstore bundle, which Cosign verifies offline.

    cosign verify-blob-attestation --key signing.pub --bundle decision.sigstore.json \\
      --type https://mandate.dev/attestations/decision/v1 --insecure-ignore-tlog --check-claims=false

Format: https://github.com/sigstore/protobuf-specs, `sigstore_bundle.proto`, v0.3, with a public key's hint as
verification material and no entry of a transparency log.
"""

from __future__ import annotations

import json

from .envelope import Envelope

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"


def export(envelope: Envelope) -> bytes:
    """The bundle as indented JSON. `ValueError` unless there is exactly one signature: v0.3 takes no more."""
    (signature,) = envelope.signatures
    bundle = {
        "mediaType": MEDIA_TYPE,
        # Cosign finds the key by this hint, and finds nothing unless it is the key's SSH fingerprint.
        "verificationMaterial": {"publicKey": {"hint": signature.keyid}, "tlogEntries": []},
        "dsseEnvelope": envelope.to_json(),
    }
    return json.dumps(bundle, indent=2).encode() + b"\n"
