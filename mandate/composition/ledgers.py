"""The ledger that the settings name: made, read, and appended to."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..engine import posts
from ..engine.configuration import Configuration
from ..engine.errors import BadConfiguration, BadPolicy
from ..engine.policy import bundle as policy_bundle
from . import process
from .policies import policy_store

if TYPE_CHECKING:
    from ..engine.evidence.consents import Consents
    from ..engine.evidence.first_use import FirstUse
    from ..engine.evidence.key_status import KeyStatus
    from ..engine.evidence.keys import Signer
    from ..engine.evidence.public_keys import Believed, PublicKey
    from ..engine.evidence.recorder import Recorder
    from ..engine.evidence.sql.ledger import SqlLedger
    from ..engine.policy.releases import Release


def ledger(configuration: Configuration, signer: Signer | None = None) -> SqlLedger:
    """The ledger: to be read, or to be appended to under heads that `signer` signs."""
    settings = configuration.settings.ledger
    opened = _opened(configuration, signer)
    if opened.origin != settings.name:
        opened.close()
        raise BadConfiguration(
            f"this is the ledger {opened.origin!a}, not {settings.name!a}",
            where=opened.location,
            next_step="Point ledger.path or ledger.url to the right ledger, or correct ledger.name",
        )
    return opened


def opened(configuration: Configuration) -> closing[SqlLedger]:
    """The ledger, to be read within a context."""
    return closing(ledger(configuration))


def _opened(configuration: Configuration, signer: Signer | None) -> SqlLedger:
    if (url := configuration.settings.ledger.url) is not None:
        from ..engine.evidence.sql import postgresql

        return (
            postgresql.open_for_reading(url) if signer is None else postgresql.open_for_appending(url, signer)
        )
    from ..engine.evidence.sql import sqlite

    path = configuration.path(configuration.settings.ledger.path)
    return sqlite.open_for_reading(path) if signer is None else sqlite.open_for_appending(path, signer)


def signing_key(configuration: Configuration) -> Signer:
    """Whoever signs what the ledger says."""
    return posts.ENTRIES.signer(configuration)


def head_key(configuration: Configuration, signer: Signer) -> Signer:
    """Whoever signs the ledger's heads: `signer`, who signs its entries, if the settings name nobody else."""
    return posts.heads_by(posts.HEADS.signer(configuration) if posts.HEADS.taken(configuration) else signer)


def open_ledger(path: Path, signer: Signer) -> None:
    """Record that the ledger at `path` is opened: its first entry."""
    from ..engine.evidence.recorder import Recorder
    from ..engine.evidence.sql import sqlite

    with closing(sqlite.open_for_appending(path, signer)) as store:
        _say_opened(Recorder(store, signer, process.now), signer)


def _say_opened(recorder: Recorder, signer: Signer) -> None:
    from ..engine.evidence.predicates.key import KeyStated
    from ..engine.evidence.predicates.opening import OpeningPredicate

    recorder.event(OpeningPredicate, openedBy=process.caller(), key=KeyStated.of(signer.public_key))


def create_ledger(
    configuration: Configuration,
    url: str | None,
    *,
    writer: str | None = None,
    auditor: str | None = None,
    opened: bool = True,
) -> str:
    """Make the ledger that the settings name, or the one at `url`, and record that it is `opened`.

    Returns where it is. `writer` and `auditor`: roles of PostgreSQL, see `evidence.sql.postgresql.grant`.
    """
    from ..engine.evidence.sql import postgresql, sqlite

    settings = configuration.settings.ledger
    signing_key(configuration)  # without it, nothing must be left behind
    if (url := url or settings.url) is None:
        sqlite.create(configuration.path(settings.path), origin=settings.name)
    else:
        postgresql.create(url, origin=settings.name, writer=writer, auditor=auditor)
    at_url = settings.model_copy(update={"url": url})
    there = replace(configuration, settings=configuration.settings.model_copy(update={"ledger": at_url}))
    with ExitStack() as stack:
        if opened:
            _say_opened(recorder(there, stack), signing_key(configuration))
    with closing(ledger(there)) as store:
        return store.location


def recorder(
    configuration: Configuration,
    stack: ExitStack,
    signer: Signer | None = None,
    heads: Signer | None = None,
) -> Recorder:
    """Records into the ledger, which is open until `stack` ends.

    `signer` signs the entries and `heads` the heads, instead of whom the settings name.
    """
    from ..engine.evidence.recorder import Recorder

    signer = signer or signing_key(configuration)
    heads = heads or head_key(configuration, signer)
    store = ledger(configuration, heads)
    stack.callback(store.close)
    return Recorder(store, signer, process.now, public_keys(configuration), head_key=heads.public_key)


def first_use(recorder: Recorder, release: Release | None) -> FirstUse:
    """Records decisions by policies of which the ledger says that they began to decide."""
    from ..engine.evidence.first_use import FirstUse

    return FirstUse(recorder, None if release is None else (release.number, release.keyid))


def demand_newest(configuration: Configuration, release: Release | None) -> None:
    """Return if no newer release of the same key has decided, here or wherever else the ledger is shared.

    `BadPolicy` if one has; `NotRecorded` if nobody can say.
    """
    if release is None:
        return
    from ..engine.evidence import used_releases

    with opened(configuration) as log:
        found = used_releases.newest(log, public_keys(configuration), keyid=release.keyid)
    if found is not None:
        number, revision = found
        release.refuse_if_older({release.keyid: {"release": number, "revision": revision}})


def key_folder(configuration: Configuration) -> Path:
    """Where the public keys lie whose signatures count."""
    from ..engine.evidence import signers

    settings = configuration.settings.ledger
    if settings.keys is not None:
        return configuration.path(settings.keys)
    file = signers.file_of(settings.key, configuration.root)
    return configuration.state / "keys" if file is None else file.parent


def public_keys(configuration: Configuration) -> Believed:
    """The keys whose signatures count: all in their folder, and people's own for what people say."""
    from ..engine.evidence.public_keys import Believed, load_folder

    keys_then = cache(partial(_keys_of_people, policy_store(configuration)))
    return Believed(
        load_folder(key_folder(configuration)), lambda name, revision: keys_then(revision).get(name, {})
    )


def _keys_of_people(store: Path, revision: str) -> Mapping[str, Mapping[str, PublicKey]]:
    """The keys of each person by the policies of this revision; of nobody if its bundle is gone."""
    from ..engine.policy.people import keys_in

    try:
        return keys_in(policy_bundle.past(revision, store=store).path.read_bytes(), revision)
    except (BadPolicy, OSError):
        return {}


def key_status(configuration: Configuration) -> KeyStatus:
    """What the ledger says of its keys."""
    from ..engine.evidence.key_watch import KeyWatch

    with closing(ledger(configuration)) as store:
        return KeyWatch(store, public_keys(configuration)).status


def consents(configuration: Configuration) -> Consents:
    """What people approved, waived and revoked, as the ledger has it."""
    from ..engine.evidence.consents import Consents

    return Consents(ledger(configuration), public_keys(configuration))
