"""Signatures of bundles. OPA makes them and OPA verifies them: a sidecar takes what Mandate takes."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from ..digests import canonical
from ..errors import BadConfiguration, BadPolicy
from ..strict_json import NotStrict, parse
from . import archive
from .build import restrictions
from .command import run
from .contents import SIGNATURES
from .release_keys import PRIVATE_ADVICE, ReleaseKey, VerificationKey

_BUNDLE = "bundle"
_CLAIMS = "claims.json"
_KEY = "key.pem"
_COMPLAINTS = (
    (re.compile(r"file (\S+) not included in bundle signature"), "{} was added after it was signed"),
    (re.compile(r"(\S+): digest mismatch"), "{} was changed after it was signed"),
    (
        re.compile(r"file\(s\) \[(.+)\] specified in bundle signatures but not found"),
        "{} was removed after it was signed",
    ),
    (re.compile(r"failed to verify JWT signature"), "its signature is wrong"),
)


def sign(entries: Mapping[str, bytes], key: ReleaseKey, *, opa: Path) -> dict[str, bytes]:
    """The entries of the signed bundle. `BadConfiguration` if OPA cannot sign with the key."""
    with TemporaryDirectory(prefix="mandate-signing-") as name:
        folder = Path(name).resolve()
        (folder / _BUNDLE).write_bytes(archive.pack(entries))
        (folder / _CLAIMS).write_bytes(canonical({"keyid": key.verification.keyid}))
        options = ["--signing-key", str(key.file), "--signing-alg", key.verification.algorithm]
        ended = run(opa, ["sign", "--bundle", *options, "--claims-file", _CLAIMS, _BUNDLE], folder=folder)
        if ended.status != 0:
            raise BadConfiguration(
                f"OPA cannot sign with this key: {ended.complaint.removeprefix('error: ')}",
                where=str(key.file),
                next_step=PRIVATE_ADVICE,
            )
        signed = {**entries, SIGNATURES: (folder / SIGNATURES).read_bytes()}
    verify(archive.pack(signed), key.verification, opa=opa)
    return signed


def verify(content: bytes, key: VerificationKey, *, opa: Path) -> None:
    """Let OPA verify that the key signed all of the archive. `BadPolicy` with what is wrong otherwise."""
    entries = archive.unpack(content)
    if SIGNATURES not in entries:
        raise _refused("it is not signed", "Let it be signed: `mandate policy bundle --key …`")
    if (claimed := _claimed(entries[SIGNATURES])) != key.keyid:
        whose = "nobody that it names" if claimed is None else f"the key {claimed}"
        raise _refused(
            f"it is signed by {whose}, not by {key.keyid}", "Get the right bundle, or name the right key"
        )
    with TemporaryDirectory(prefix="mandate-signing-") as name:
        folder = Path(name).resolve()
        (folder / _BUNDLE).write_bytes(content)
        (folder / _KEY).write_bytes(key.public.pem)
        options = ["--verification-key", _KEY, "--verification-key-id", key.keyid]
        output = ["--signing-alg", key.algorithm, "--output", "verified", *restrictions()]
        ended = run(opa, ["build", "--bundle", *options, *output, _BUNDLE], folder=folder)
    if ended.status != 0:
        raise _refused(_said(ended.complaint), "Do not use it; get it again from whoever released it")


def _claimed(signatures: bytes) -> str | None:
    """The key that a signature says it is by: for a message only."""
    try:
        payload = parse(signatures)["signatures"][0].split(".")[1]
        keyid = parse(base64.urlsafe_b64decode(f"{payload}=="))["keyid"]
    except (NotStrict, ValueError, LookupError, TypeError, AttributeError):
        return None
    return keyid if isinstance(keyid, str) else None


def _said(complaint: str) -> str:
    for pattern, what in _COMPLAINTS:
        if match := pattern.search(complaint):
            return what.format(*match.groups())
    return f"OPA refuses it: {complaint.removeprefix('error: ')}"


def _refused(what: str, next_step: str) -> BadPolicy:
    return BadPolicy(what, next_step=next_step)
