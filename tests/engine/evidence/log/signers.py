"""Keys that are the same in each run."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mandate.engine.evidence.keys import SigningKey
from mandate.engine.evidence.log.cosignature import WitnessKey
from mandate.engine.evidence.log.note import NoteKey
from mandate.engine.evidence.public_keys import PublicKey

ORIGIN = "bank.example/models"
WITNESS = "witness.example/w1"


def signer(number: int) -> SigningKey:
    return SigningKey.of(Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32))


LEDGER = signer(1)
NEXT_LEDGER = signer(2)
FIRST_WITNESS = signer(3)
SECOND_WITNESS = signer(4)

KEY = NoteKey.of(ORIGIN, LEDGER.public_key)
NEXT_KEY = NoteKey.of(ORIGIN, NEXT_LEDGER.public_key)
W1 = WitnessKey.of(WITNESS, FIRST_WITNESS.public_key)
W2 = WitnessKey.of("witness.example/w2", SECOND_WITNESS.public_key)
P256 = PublicKey.of(generate_private_key(SECP256R1()).public_key())
