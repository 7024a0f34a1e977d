"""Bundles as an organisation releases them, with the command that it has for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mandate.engine.policy import archive
from mandate.engine.policy.contents import SIGNATURES
from tests.organisation import TRUSTING, Organisation, founded


@dataclass(frozen=True)
class Publisher:
    """Where policies are written and released: `keys/policies.pem` (Ed25519), `sidecar.pem`, `other.pem`."""

    organisation: Organisation

    def key(self, name: str = "policies", suffix: str = ".pub") -> Path:
        return self.organisation.folder / "keys" / f"{name}{suffix}"

    def release(self, number: int, text: str = "", *, key: str = "policies") -> Path:
        """A bundle that accepts what is only reported; another `text` makes another revision."""
        file = self.organisation.folder / f"{key}-{number}-{text}.tar.gz"
        if not file.exists():
            thresholds = self.organisation.folder / "policies/thresholds/evidence.yaml"
            thresholds.write_text(f"{TRUSTING}# {text}\n")
            private = str(self.key(key, ".pem"))
            options = ("--key", private, "--release", str(number), "--to", str(file))
            made = self.organisation.mandate("policy", "bundle", *options)
            assert (made.exit_code, made.err) == (0, "")
        return file


def publisher(folder: Path) -> Publisher:
    made = Publisher(founded(folder))
    for name, algorithm in (("policies", "EdDSA"), ("other", "EdDSA"), ("sidecar", "ES256")):
        options = ("--new-key", f"keys/{name}.pem", "--algorithm", algorithm)
        assert made.organisation.mandate("policy", "bundle", *options).exit_code == 0
    return made


def customer(folder: Path, publisher: Publisher, *, key: str = "policies") -> Organisation:
    """An organisation whose only policies are what is at `policies.tar.gz`."""
    organisation = founded(folder)
    settings = folder / "mandate.yaml"
    text = settings.read_text().replace(
        "policies: [library, policies]\n", "policies: [policies.tar.gz]\npolicy_key: policies.pub\n"
    )
    settings.write_text(text)
    (folder / "policies.pub").write_bytes(publisher.key(key).read_bytes())
    return organisation


def tampered(file: Path, **entries: bytes | None) -> bytes:
    """The archive with entries added, replaced or (`None`) removed, in the same form."""
    changed: dict[str, bytes | None] = {**archive.unpack(file.read_bytes()), **entries}
    return archive.pack({path: content for path, content in changed.items() if content is not None})


def unsigned(file: Path) -> bytes:
    return tampered(file, **{SIGNATURES: None})
