"""The two posts that a key can have in a ledger: signing its entries, and signing its heads.

One key usually has both. Heads are C2SP checkpoints, which know no algorithm but Ed25519: where entries are
signed by a token or service that has none (ECDSA P-256), heads need a key of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .configuration import Configuration
from .errors import BadConfiguration

if TYPE_CHECKING:
    from .evidence.keys import Signer


@dataclass(frozen=True, slots=True)
class Post:
    """What a key is used for, and the setting that names it."""

    name: str
    """`entries` or `heads`."""
    key: str
    """The setting in `ledger` that names the key."""
    public_key: str
    """The setting in `ledger` that names its public key's file."""
    prefix: str
    """Of the environment variables with its secrets."""

    @property
    def setting(self) -> str:
        """As it is written in `mandate.yaml` and after `--set`."""
        return f"ledger.{self.key}"

    def taken(self, configuration: Configuration) -> bool:
        """Whether the settings name a key for it."""
        return getattr(configuration.settings.ledger, self.key) is not None

    def uri(self, configuration: Configuration) -> str:
        """The key that the settings name."""
        return str(getattr(configuration.settings.ledger, self.key))

    def file(self, configuration: Configuration) -> Path | None:
        """The key file that the settings name; `None` if the key is in no file."""
        from .evidence.signers import file_of

        return file_of(self.uri(configuration), configuration.root)

    def signer(self, configuration: Configuration) -> Signer:
        """Whoever has it. `BadConfiguration` or `NotRecorded` as `signers.signer` raises them."""
        from .evidence.signers import secrets, signer

        public_key = getattr(configuration.settings.ledger, self.public_key)
        return signer(
            self.uri(configuration),
            root=configuration.root,
            public_key=None if public_key is None else Path(public_key),
            secrets=secrets.Secrets(self.prefix),
        )

    def keyid(self, configuration: Configuration) -> str:
        """The id of the key that has it, for which no secret is asked."""
        from .evidence.signers import keyid

        public_key = getattr(configuration.settings.ledger, self.public_key)
        return keyid(
            self.uri(configuration),
            root=configuration.root,
            public_key=None if public_key is None else Path(public_key),
        )


ENTRIES = Post("entries", "key", "public_key", "MANDATE_KEY")
HEADS = Post("heads", "head_key", "head_public_key", "MANDATE_HEAD_KEY")


def heads_by(signer: Signer) -> Signer:
    """The signer, if it can sign heads. `BadConfiguration` otherwise."""
    if signer.public_key.algorithm != "Ed25519":
        raise BadConfiguration(
            f"the heads of the log are signed with Ed25519, and {signer.public_key.keyid} is an "
            f"{signer.public_key.algorithm} key",
            where=HEADS.setting,
            next_step=f"Name an Ed25519 key there; {ENTRIES.setting} may stay what it is",
        )
    return signer
