"""`mandate key rotate`."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...configuration import Configuration
from ...errors import BadRequest
from ...posts import ENTRIES, HEADS, Post
from .. import options

if TYPE_CHECKING:
    from ...evidence.keys import Signer


@click.command("rotate")
@click.option(
    "--to",
    metavar="URI",
    help="The key that is to sign: a file, ssh-agent:SHA256:…, hsm:…, or a service.  [default: a new key in "
    "the file of the old one]",
)
@click.option(
    "--public-key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The file with its public key, for a token or a service.",
)
@click.option("--heads", is_flag=True, help="Rotate ledger.head_key, which signs the log's heads.")
@click.option("--passphrase", "locked", is_flag=True, help="Lock the new key with a passphrase.")
@click.option(
    "--reason",
    default="regular rotation",
    show_default=True,
    metavar="TEXT",
    callback=options.words,
    help="Why: it is recorded.",
)
@options.output
@options.configured
def command(
    to: str | None,
    public_key: Path | None,
    heads: bool,
    locked: bool,
    reason: str,
    output: str,
    configuration: Configuration,
) -> None:
    """Let another key take the place of the one that signs.

    The old key signs an entry that names the new one, and nothing that it signs later counts. Without --to,
    a new key takes its file, and the old private key is removed; it gets a passphrase if the old one had one.
    """
    from .... import composition
    from ...evidence.predicates.key import KeyStated
    from ...evidence.predicates.key_event import KeyRotationPredicate
    from . import succession

    post = _post(heads, configuration)
    old = post.signer(configuration)
    _only_post(post, old, configuration)
    locked = locked or succession.is_locked(post, configuration)
    new = succession.successor(
        post, old.public_key, configuration, to=to, public_key=public_key, locked=locked
    )
    endings = composition.key_status(configuration).endings.get(old.public_key.keyid, ())
    receipt = None
    if not any(ending.successor == new.signer.public_key.keyid for ending in endings):
        with ExitStack() as stack:
            recorder = composition.recorder(
                configuration,
                stack,
                old,
                old if post is HEADS else composition.head_key(configuration, old),
            )
            receipt = recorder.event(
                KeyRotationPredicate,
                retired=KeyStated.of(old.public_key),
                successor=KeyStated.of(new.signer.public_key),
                by=composition.caller(),
                reason=reason,
            )
    new.take_place()
    said = {"retired": old.public_key.keyid, "successor": new.signer.public_key.keyid, "reason": reason}
    succession.report(said, receipt, new, configuration, output)


def _only_post(post: Post, old: Signer, configuration: Configuration) -> None:
    """Return if the key has no other post, in which it could not sign any more either."""
    other = ENTRIES if post is HEADS else HEADS
    if other.taken(configuration) and other.keyid(configuration) == old.public_key.keyid:
        raise BadRequest(
            f"the key has two posts, {ENTRIES.setting} and {HEADS.setting}, and would lose both",
            where=old.public_key.keyid,
            next_step=f"Name another key in {other.setting} first",
        )


def _post(heads: bool, configuration: Configuration) -> Post:
    if not heads:
        return ENTRIES
    if not HEADS.taken(configuration):
        raise BadRequest(
            f"{HEADS.setting} is not set: {ENTRIES.setting} signs the heads",
            where="--heads",
            next_step="Rotate without --heads",
        )
    return HEADS
