"""`mandate key revoke`."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...configuration import Configuration
from ...errors import BadRequest
from ...posts import ENTRIES, HEADS, Post
from .. import options
from .known import KnownKey, chosen, known_keys

if TYPE_CHECKING:
    from ...evidence.keys import Signer
    from .succession import Successor

_ADVICE = "Name the person's .pub file"


@click.command("revoke")
@click.argument("fingerprint")
@options.reason
@click.option(
    "--person",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="If it is a person's key: the file with the public key, as `ssh-keygen` writes it.",
)
@click.option("--new", is_flag=True, help="If it is the key that signs: make a new one in its file.")
@click.option("--to", metavar="URI", help="If it is the key that signs: the key that is to sign instead.")
@click.option(
    "--public-key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The file with the public key of --to, for a token or a service.",
)
@click.option("--passphrase", "locked", is_flag=True, help="Lock the new key with a passphrase.")
@options.output
@options.configured
def command(
    fingerprint: str,
    reason: str,
    person: Path | None,
    new: bool,
    to: str | None,
    public_key: Path | None,
    locked: bool,
    output: str,
    configuration: Configuration,
) -> None:
    """Say that a key must no longer be believed, because it was lost, stolen or its owner left.

    What it signed stands, by its place in the log; what it signs after this entry does not count. Another key
    signs the entry. So where the only key is revoked, --new or --to says which one signs from now on. Keep a
    head elsewhere afterwards: it keeps a thief from showing a log without this entry.
    """
    from .... import composition
    from ...evidence import public_keys
    from ...evidence.predicates.key import KeyStated
    from ...evidence.predicates.key_event import KeyRevocationPredicate
    from . import succession

    theirs = () if person is None else (public_keys.load(person, advice=_ADVICE),)
    revoked = chosen(known_keys(configuration, *theirs), fingerprint)
    following = _following(revoked, configuration, new=new, to=to, public_key=public_key, locked=locked)
    receipt = None
    if not _revoked(revoked, following):
        with ExitStack() as stack:
            entries, heads = _signers(revoked, following, configuration)
            receipt = composition.recorder(configuration, stack, entries, heads).event(
                KeyRevocationPredicate,
                revoked=KeyStated.of(revoked.key),
                successor=None if following is None else KeyStated.of(following.signer.public_key),
                by=composition.caller(),
                reason=reason,
            )
    said = {"revoked": revoked.key.keyid}
    if following is not None:
        following.take_place()
        said["successor"] = following.signer.public_key.keyid
    succession.report({**said, "reason": reason}, receipt, following, configuration, output)


def _revoked(key: KnownKey, following: Successor | None) -> bool:
    """Whether the log says so already: then only the new key is to be put in its place."""
    ends = [ending for ending in key.endings if ending.how == "revoked"]
    if not ends:
        return False
    if following is not None and ends[-1].successor == following.signer.public_key.keyid:
        return True
    raise BadRequest(
        f"the key was {ends[0]} already", where=key.key.keyid, next_step="See `mandate key list`"
    )


def _following(
    revoked: KnownKey,
    configuration: Configuration,
    *,
    new: bool,
    to: str | None,
    public_key: Path | None,
    locked: bool,
) -> Successor | None:
    """Whoever signs instead, if it is a key that signs."""
    from . import succession

    if not revoked.signs:
        if new or to is not None:
            raise BadRequest(
                "this key signs nothing, so nobody need sign instead",
                where="--new" if new else "--to",
                next_step="Leave it out, or use `mandate key rotate`",
            )
        return None
    if new == (to is not None):
        raise BadRequest(
            f"this key signs {' and '.join(revoked.signs)}: without another, nothing could be recorded",
            where=revoked.key.keyid,
            next_step="Give --new, or name the key that is to sign with --to, and not both",
        )
    post = _post(revoked)
    locked = locked or succession.is_locked(post, configuration)
    return succession.successor(post, revoked.key, configuration, to=to, public_key=public_key, locked=locked)


def _post(key: KnownKey) -> Post:
    return ENTRIES if ENTRIES.name in key.signs else HEADS


def _signers(
    revoked: KnownKey, following: Successor | None, configuration: Configuration
) -> tuple[Signer, Signer]:
    """Who signs the entry, and who the head over it: never the key that is revoked."""
    from .... import composition

    new = None if following is None else following.signer
    entries = new if new and ENTRIES.name in revoked.signs else composition.signing_key(configuration)
    heads = new if new and HEADS.name in revoked.signs else composition.head_key(configuration, entries)
    if revoked.key in (entries.public_key, heads.public_key):
        # The settings name it so that it is found only when it signs: an agent's key by its comment, say.
        raise BadRequest(
            "a key cannot revoke itself",
            where=revoked.key.keyid,
            next_step="Rotate it first (`mandate key rotate --to …`), or name it by its fingerprint",
        )
    return entries, heads
