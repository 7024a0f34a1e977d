"""Who is to sign instead of a key: a new key in the same file, or one that is named."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click

from ...configuration import Configuration
from ...errors import BadRequest
from ...evidence import key_files, keys, signers
from ...evidence.keys import Signer
from ...evidence.public_keys import PublicKey
from ...evidence.receipt import Receipt
from ...evidence.signers.secrets import Secrets
from ...posts import ENTRIES, HEADS, Post, heads_by
from ...report.visible import visible

_PROOF = b"mandate key: whoever is to sign has shown that they can"


@dataclass(frozen=True, slots=True)
class Successor:
    """Whoever is to have a post."""

    post: Post
    signer: Signer
    file: Path | None
    """The file of the key that it takes the place of; `None` if the settings must name it."""
    settings: Mapping[str, str]
    """What is to be set by hand, by the name of each setting."""

    def take_place(self) -> None:
        """Put its file in place, if it has one."""
        if self.file is not None:
            key_files.take_place(self.file)


def successor(
    post: Post,
    old: PublicKey,
    configuration: Configuration,
    *,
    to: str | None,
    public_key: Path | None,
    locked: bool,
) -> Successor:
    """The key that `to` names, or a new one for the file of `old`, with a passphrase if `locked`.

    Its public key is in the ledger's key folder then, and that of `old` too. `BadRequest` if it is `old`,
    `BadConfiguration` or `NotRecorded` if it cannot sign what it is to sign.
    """
    from .... import composition

    secrets = Secrets(post.prefix)
    file = post.file(configuration)
    if to is not None:
        signer = signers.signer(to, public_key=public_key, secrets=secrets)
        found = Successor(post, signer, None, _settings(post, signer, to, public_key, configuration))
    elif file is None:
        raise BadRequest(
            f"{post.setting} is no key file, so there is no place for a new one",
            where=post.uri(configuration),
            next_step="Name the key that is to sign with --to",
        )
    else:
        new = partial(secrets.new_passphrase, f"the new key {file}") if locked else None
        made = key_files.successor(file, new, partial(secrets.passphrase, f"the new key {file}"))
        found = Successor(post, made, file, {})
    if post is HEADS or not HEADS.taken(configuration):
        heads_by(found.signer)
    if found.signer.public_key == old:
        raise BadRequest("this is the key that signs already", where="--to", next_step="Name another key")
    # It must not turn out after the entry that nobody can sign any more.
    found.signer.sign(_PROOF)
    for key in (old, found.signer.public_key):
        key_files.keep_public(composition.key_folder(configuration), key)
    return found


def _settings(
    post: Post, signer: Signer, to: str, public_key: Path | None, configuration: Configuration
) -> dict[str, str]:
    """What is to be set so that the key that `to` names has the post, and the old keys are still known."""
    from .... import composition

    folder = composition.key_folder(configuration)
    # The settings' paths are relative to their file, those of an option to where it is written.
    file = signers.file_of(to, Path.cwd())
    settings = {post.setting: to if file is None else str(file.absolute())}
    if public_key is not None:
        settings[f"ledger.{post.public_key}"] = str(key_files.file_for(folder, signer.public_key))
    usual = configuration.state / "keys" if file is None else file.absolute().parent
    if post is ENTRIES and configuration.settings.ledger.keys is None and usual != folder:
        settings["ledger.keys"] = str(folder)
    return settings


def is_locked(post: Post, configuration: Configuration) -> bool:
    """Whether the key has a passphrase: then a new one has, too."""
    file = post.file(configuration)
    return file is not None and keys.is_locked(file)


def report(
    said: dict[str, Any],
    receipt: Receipt | None,
    new: Successor | None,
    configuration: Configuration,
    output: str,
) -> None:
    """Say what was recorded, and what is to be done now."""
    settings = {} if new is None else dict(new.settings)
    if output == "json":
        recorded = None if receipt is None else receipt.model_dump(mode="json")
        click.echo(json.dumps({**said, "recorded": recorded, "settings": settings}, indent=2))
        return
    for name, value in said.items():
        click.echo(f"{name:<11}  {visible(str(value))}")
    if receipt is None:
        click.echo("recorded     before: what was begun is finished now")
    else:
        click.echo(f"recorded     entry {receipt.index} of {visible(receipt.origin)}")
    if new is not None:
        click.echo("Auditors need the new public key: give them the key folder's .pub files.")
    if settings:
        click.secho("Nothing can be recorded before you set:", bold=True)
        for name, value in settings.items():
            click.echo(f"  {name}: {visible(value, 1000)}")
        if new is not None and (left := new.post.file(configuration)) is not None:
            click.echo(f"The old private key is still in {visible(str(left))}: destroy it.")
