"""Who is to sign instead of a key: a new key in the same file, or one that is named."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click

from ...configuration import Configuration
from ...errors import BadRequest
from ...evidence import key_files, keys, signers
from ...evidence.keys import Signer
from ...evidence.receipt import Receipt
from ...evidence.signers.secrets import Secrets
from ...posts import HEADS, Post, heads_by
from ...report.visible import visible

_PROOF = b"mandate key: whoever is to sign has shown that they can"


@dataclass(frozen=True, slots=True)
class Successor:
    """Whoever is to have a post."""

    post: Post
    signer: Signer
    file: Path | None
    """The file of the key that it takes the place of; `None` if the settings must name it."""
    uri: str
    """What the settings are to name."""

    def take_place(self) -> None:
        """Put its file in place, if it has one."""
        if self.file is not None:
            key_files.take_place(self.file)


def successor(
    post: Post, configuration: Configuration, *, to: str | None, public_key: Path | None, locked: bool
) -> Successor:
    """The key that `to` names, or a new one for the file of the old, with a passphrase if `locked`.

    `BadConfiguration` or `NotRecorded` if it cannot sign what it is to sign.
    """
    secrets = Secrets(post.prefix)
    file = post.file(configuration)
    if to is not None:
        signer = signers.signer(to, public_key=public_key, secrets=secrets)
        found = Successor(post, signer, None, to)
    elif file is None:
        raise BadRequest(
            f"{post.setting} is no key file, so there is no place for a new one",
            where=post.uri(configuration),
            next_step="Name the key that is to sign with --to",
        )
    else:
        new = partial(secrets.new_passphrase, f"the new key {file}") if locked else None
        made = key_files.successor(file, new, partial(secrets.passphrase, f"the new key {file}"))
        found = Successor(post, made, file, post.uri(configuration))
    if post is HEADS or not HEADS.taken(configuration):
        heads_by(found.signer)
    # It must not turn out after the entry that nobody can sign any more.
    found.signer.sign(_PROOF)
    return found


def is_locked(post: Post, configuration: Configuration) -> bool:
    """Whether the key has a passphrase: then a new one has, too."""
    file = post.file(configuration)
    return file is not None and keys.is_locked(file)


def report(said: dict[str, Any], receipt: Receipt | None, new: Successor | None, output: str) -> None:
    """Say what was recorded, and what is to be done now."""
    setting = None if new is None or new.file is not None else {"name": new.post.setting, "value": new.uri}
    if output == "json":
        recorded = None if receipt is None else receipt.model_dump(mode="json")
        click.echo(json.dumps({**said, "recorded": recorded, "setting": setting}, indent=2))
        return
    for name, value in said.items():
        click.echo(f"{name:<11}  {visible(str(value))}")
    if receipt is None:
        click.echo("recorded     before: what was begun is finished now")
    else:
        click.echo(f"recorded     entry {receipt.index} of {visible(receipt.origin)}")
    if new is not None:
        click.echo("Auditors need the new public key: give them the key folder's .pub files.")
    if setting is not None:
        click.secho(f"Now set {setting['name']} to {visible(setting['value'])}: ", bold=True, nl=False)
        click.echo("nothing can be recorded before.")
