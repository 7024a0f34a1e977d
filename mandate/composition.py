"""Puts the parts together as `mandate.yaml` says: only here are collectors, registry and sources named."""

from __future__ import annotations

import inspect
import os
import pwd
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from .engine import posts
from .engine.claim import ClaimedFacts
from .engine.configuration import LIBRARY, Configuration
from .engine.decision import Outcome, Policy
from .engine.errors import (
    BadConfiguration,
    BadInput,
    BadPolicy,
    BadRequest,
    CouldNotDecide,
    NotRecorded,
    OpaUnavailable,
)
from .engine.gate import Gate, Judge
from .engine.input import Action
from .engine.nearest import advice
from .engine.policy import bundle as policy_bundle
from .engine.policy.bundle import Bundle
from .engine.policy.folder import is_file

if TYPE_CHECKING:
    from pydantic import BaseModel

    from .engine.collecting import CollectedFacts, Collector, Version
    from .engine.evidence.consenting import Consenting
    from .engine.evidence.consents import Consents
    from .engine.evidence.envelope import Envelope
    from .engine.evidence.export.exporting import Exported
    from .engine.evidence.export.reading import ExportedLedger
    from .engine.evidence.first_use import FirstUse
    from .engine.evidence.key_status import KeyStatus
    from .engine.evidence.keys import Signer
    from .engine.evidence.predicates.base import Predicate
    from .engine.evidence.public_keys import Believed, PublicKey
    from .engine.evidence.receipt import Record
    from .engine.evidence.recorder import Recorder
    from .engine.evidence.signed import Signed
    from .engine.evidence.sql.ledger import SqlLedger
    from .engine.evidence.verify import Report
    from .engine.lifecycle.performing import Lifecycle
    from .engine.opa.client import OpaClient
    from .engine.opa.process import LocalOpa
    from .engine.policy.releases import Release
    from .engine.policy.revisions import Revision
    from .engine.replay.again import Means
    from .engine.replay.comparison import Comparison
    from .registry.mlflow import MlflowRegistry, ResolvedVersion

_ENVIRONMENT = "production"
_RISK_TIER_TAG = "mandate.risk_tier"
_UNKNOWN = "unknown"
_IN_USE = "the policies in use"


def policy_folders(configuration: Configuration) -> list[Path]:
    """The folders with policies, the library first; or one file, the bundle that was released."""
    if (release := policy_release(configuration)) is not None:
        return [release.root(policy_store(configuration))]
    return _folders(configuration)


def bundle(configuration: Configuration) -> Bundle:
    """The compiled policies: from the store beside the ledger, or compiled into it."""
    return compiled_policies(configuration, policy_release(configuration))


def compiled_policies(configuration: Configuration, release: Release | None) -> Bundle:
    """The same, where the release is known already."""
    store, opa = policy_store(configuration), partial(opa_program, configuration)
    if release is not None:
        return policy_bundle.of_release(release, opa=opa, store=store)
    return policy_bundle.compile(_folders(configuration), opa=opa, store=store)


def _folders(configuration: Configuration) -> list[Path]:
    from . import share

    return [
        share.policies() if root == LIBRARY else configuration.path(root)
        for root in configuration.settings.policies
    ]


def policy_store(configuration: Configuration) -> Path:
    """Where every revision that ever decided is kept."""
    return configuration.state / "policies"


def policy_release(configuration: Configuration) -> Release | None:
    """The signed bundle that `policies` names, its signature verified; `None` if it names folders.

    With `policy_key` nothing but a bundle that this key signed is a root of policies. `BadConfiguration` if
    the settings do not fit together, `BadPolicy` if the bundle is refused.
    """
    settings = configuration.settings
    if settings.policy_key is None:
        _refuse_bundles(configuration)
        return None
    from .engine.policy import releases
    from .engine.policy.release_keys import VerificationKey

    root = configuration.path(settings.policies[0])
    if len(settings.policies) > 1 or settings.policies[0] == LIBRARY or root.is_dir():
        raise BadConfiguration(
            "with policy_key, the only root of policies is a signed bundle, which carries all its layers; "
            f"here stands {', '.join(map(repr, settings.policies))}",
            where=configuration.document.where(("policies",)),
            next_step="Name the one bundle that `mandate policy bundle` made, or remove policy_key",
        )
    return releases.accepted(
        root,
        VerificationKey.load(configuration.path(settings.policy_key)),
        opa=partial(opa_program, configuration),
        store=policy_store(configuration),
    )


def _refuse_bundles(configuration: Configuration) -> None:
    """Whose policies are they? Without a key nobody knows."""
    for number, root in enumerate(configuration.settings.policies):
        if root != LIBRARY and is_file(configuration.path(root)):
            raise BadConfiguration(
                f"{root!r} is a bundle, and without policy_key nobody knows who made it",
                where=configuration.document.where(("policies", number)),
                next_step="Set policy_key to the public key of whoever releases the policies",
            )


def opa_program(configuration: Configuration) -> Path:
    """The `opa` to start, for judging, compiling and testing policies."""
    from .engine.opa.locate import find_opa

    binary = configuration.settings.opa.binary
    return find_opa(configuration.path(binary) if binary else None)


def documentation(configuration: Configuration) -> Callable[[str], str] | None:
    """What gives the address of a rule's page by the rule's id; `None` where the settings name no site."""
    if (setting := configuration.settings.documentation) is None:
        return None
    from .engine.policy.docs.links import address

    site = setting if "://" in setting else configuration.path(setting).absolute().as_uri()
    return partial(address, site)


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
        from .engine.evidence.sql import postgresql

        return (
            postgresql.open_for_reading(url) if signer is None else postgresql.open_for_appending(url, signer)
        )
    from .engine.evidence.sql import sqlite

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
    from .engine.evidence.recorder import Recorder
    from .engine.evidence.sql import sqlite

    with closing(sqlite.open_for_appending(path, signer)) as store:
        _say_opened(Recorder(store, signer, now), signer)


def _say_opened(recorder: Recorder, signer: Signer) -> None:
    from .engine.evidence.predicates.key import KeyStated
    from .engine.evidence.predicates.opening import OpeningPredicate

    recorder.event(OpeningPredicate, openedBy=caller(), key=KeyStated.of(signer.public_key))


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
    from .engine.evidence.sql import postgresql, sqlite

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
    from .engine.evidence.recorder import Recorder

    signer = signer or signing_key(configuration)
    heads = heads or head_key(configuration, signer)
    store = ledger(configuration, heads)
    stack.callback(store.close)
    return Recorder(store, signer, now, public_keys(configuration), head_key=heads.public_key)


def key_folder(configuration: Configuration) -> Path:
    """Where the public keys lie whose signatures count."""
    from .engine.evidence import signers

    settings = configuration.settings.ledger
    if settings.keys is not None:
        return configuration.path(settings.keys)
    file = signers.file_of(settings.key, configuration.root)
    return configuration.state / "keys" if file is None else file.parent


def public_keys(configuration: Configuration) -> Believed:
    """The keys whose signatures count: all in their folder, and people's own for what people say."""
    from .engine.evidence.public_keys import Believed, load_folder

    keys_then = cache(partial(_keys_of_people, policy_store(configuration)))
    return Believed(
        load_folder(key_folder(configuration)), lambda name, revision: keys_then(revision).get(name, {})
    )


def _keys_of_people(store: Path, revision: str) -> Mapping[str, Mapping[str, PublicKey]]:
    """The keys of each person by the policies of this revision; of nobody if its bundle is gone."""
    from .engine.policy.people import keys_in

    try:
        return keys_in(policy_bundle.past(revision, store=store).path.read_bytes(), revision)
    except (BadPolicy, OSError):
        return {}


def consents(configuration: Configuration) -> Consents:
    """What people approved, waived and revoked, as the ledger has it."""
    from .engine.evidence.consents import Consents

    return Consents(ledger(configuration), public_keys(configuration))


def key_status(configuration: Configuration) -> KeyStatus:
    """What the ledger says of its keys."""
    from .engine.evidence.key_watch import KeyWatch

    with closing(ledger(configuration)) as store:
        return KeyWatch(store, public_keys(configuration)).status


def export(
    configuration: Configuration,
    stack: ExitStack,
    where: str,
    retain_until: datetime | None,
    progress: Callable[[int, int], None],
) -> tuple[str, Exported, int | None]:
    """Export the ledger, and record that: where to, what was done, and the index of the entry, if any.

    `progress` is told how many entries of how many are done.
    """
    from .engine.evidence.export import places
    from .engine.evidence.export.exporting import Companions, export_and_state
    from .engine.evidence.export.texts import texts
    from .engine.evidence.predicates.export import ExportPredicate

    destination = places.destination(where, retain_until=retain_until)
    stack.callback(destination.close)
    store = ledger(configuration)
    stack.callback(store.close)

    def state(done: Exported) -> int:
        return (
            recorder(configuration, stack)
            .event(
                ExportPredicate,
                destination=destination.location,
                size=done.size,
                root=done.root,
                manifestSha256=done.manifest_sha256,
                by=caller(),
            )
            .index
        )

    companions = Companions(public_keys(configuration), texts(), partial(_past_policies, configuration))
    done, index = export_and_state(store, destination, companions, state, progress=progress)
    return destination.location, done, index


def _past_policies(configuration: Configuration, revision: str) -> bytes | None:
    try:
        kept = policy_bundle.past(revision, store=policy_store(configuration))
        return kept.path.read_bytes()
    except (BadPolicy, OSError):
        return None


def exported(configuration: Configuration, stack: ExitStack, where: str) -> ExportedLedger:
    """The export of this organisation's ledger. `BadConfiguration` if it is that of another one."""
    from .engine.evidence.export import places
    from .engine.evidence.export.reading import ExportedLedger

    found = ExportedLedger(places.source(where))
    stack.callback(found.close)
    if found.origin != configuration.settings.ledger.name:
        raise BadConfiguration(
            f"this is an export of {found.origin!a}, not of {configuration.settings.ledger.name!a}",
            where=found.location,
            next_step="Name the export of the right ledger, or correct ledger.name",
        )
    return found


@dataclass(frozen=True, slots=True)
class Restored:
    """A ledger that was restored."""

    into: str
    policies: tuple[str, ...]
    """The revisions of policies that are in the store now."""
    damaged: tuple[str, ...]
    """Those whose bundle in the export is not what its revision says."""


def restore(configuration: Configuration, lost: ExportedLedger, report: Report, into: str | None) -> Restored:
    """Restore the ledger, which was verified, and the policies into their store."""
    from .engine.evidence.sql import restoring

    settings = configuration.settings.ledger
    root = bytes.fromhex(report.root or "")
    where = into or settings.url or str(configuration.path(settings.path))
    if where.startswith("postgresql://"):
        where = restoring.into_database(lost, where, root)
    else:
        restoring.into_file(lost, Path(where), root)
    kept: list[str] = []
    damaged: list[str] = []
    for revision, content in lost.policies():
        restored = policy_bundle.restore(revision, content, store=policy_store(configuration))
        (kept if restored else damaged).append(revision)
    return Restored(where, tuple(kept), tuple(damaged))


def consenting(configuration: Configuration, signer: Signer, stack: ExitStack) -> Consenting:
    """Whoever signs with this key; the ledger is open until `stack` ends."""
    from .engine.evidence.consenting import Consenting, Policies
    from .engine.policy.layers import leaves
    from .engine.policy.waivers import longest

    policies = bundle(configuration)
    roles = policies.thresholds.get("waivers", {}).get("roles", {})
    return Consenting(
        origin=configuration.settings.ledger.name,
        signer=signer,
        policies=Policies(
            policies.revision,
            policies.data["people"],
            policies.catalogue,
            longest(policies.thresholds),
            frozenset(role for _, leaf in leaves(roles) for role in leaf["value"]),
        ),
        consents=consents(configuration),
        recorder=recorder(configuration, stack),
        clock=now,
    )


def shown(
    configuration: Configuration,
    uri: str,
    reference: str | None,
    *,
    action: str | None,
    environment: str | None,
) -> Record:
    """The decision whose findings are shown to somebody who is to sign.

    The one that is named; else the newest about the artifact by the policies in use; else what would be
    decided now, which is recorded as that. `BadRequest` if it is about something else, or undecided.
    """
    from .engine.evidence.consents import newest_decision

    asked = Action(action or Action.PROMOTE).value
    environment = environment or _ENVIRONMENT
    policies = bundle(configuration)
    with ExitStack() as stack:
        registry = stack.enter_context(model_registry(configuration))
        version = registry.resolve(uri)
        digest = registry.digest(version.uri)
        if reference is not None:
            record: Record | None = recorded(configuration, reference)
        else:
            record = newest_decision(
                stack.enter_context(opened(configuration)),
                public_keys(configuration),
                (version.name, version.version, digest),
                (asked, environment, policies.revision),
            )
        if record is None:
            record = _what_if(configuration, version.uri, registry, action=asked, environment=environment)
    subject = record.document.subject
    if (subject.uri, subject.sha256) != (version.uri, digest):
        raise BadRequest(
            f"this decision is about {subject.uri} as it was, sha256 {subject.sha256}",
            where=record.receipt.id,
            next_step=f"Name a decision about {version.uri} as it is, or none",
        )
    if record.judgement.policy.revision != policies.revision:
        raise BadRequest(
            "other policies judged then than those that are in use now",
            where=record.receipt.id,
            next_step="Name a decision by the policies in use, or none",
        )
    if record.judgement.decision.outcome is Outcome.UNDECIDED:
        raise CouldNotDecide(
            f"nobody can say what there is to sign: {' '.join(record.judgement.decision.reasons)}",
            where=record.receipt.id,
            next_step="Mend that first",
        )
    return record


def _what_if(
    configuration: Configuration, uri: str, registry: MlflowRegistry, *, action: str, environment: str
) -> Record:
    with assembled(configuration) as mandate:
        facts = mandate.collected(uri, registry, action=action, environment=environment, what_if=True)
        receipt = mandate.gate.decide(facts, what_if=True).receipt
    if receipt is None:
        raise NotRecorded("what would be decided could not be recorded", next_step="Run `mandate doctor`")
    return recorded(configuration, receipt.id)


def entry(configuration: Configuration, reference: str) -> Predicate:
    """What an entry says, proven; by its id, the beginning of it, or its index."""
    from .engine.evidence import reading
    from .engine.evidence.entries import ProvenEntries

    with opened(configuration) as store:
        found = reading.entry(store, reference)
        return ProvenEntries(store, public_keys(configuration)).predicate(found)


def recorded(configuration: Configuration, reference: str) -> Record:
    """A recorded decision by its id, the beginning of it, or its index; its signature is verified."""
    from .engine.evidence.reading import find

    with opened(configuration) as store:
        return find(store, reference, public_keys(configuration))


def envelope(configuration: Configuration, reference: str) -> Envelope:
    """Any entry as it was signed, by its id, the beginning of it, or its index; it is proven first."""
    from .engine.evidence import envelope as dsse
    from .engine.evidence import reading
    from .engine.evidence.entries import ProvenEntries

    with opened(configuration) as store:
        found = reading.entry(store, reference)
        ProvenEntries(store, public_keys(configuration)).predicate(found)
    return dsse.parse(found.envelope or b"")


def attestation(configuration: Configuration, record: Record, kind: str) -> Envelope:
    """A recorded decision in the words of a standard, signed by the ledger's key: see `evidence.standard`."""
    from .engine.evidence import standard
    from .engine.evidence.key_watch import KeyWatch

    signer = signing_key(configuration)
    with closing(ledger(configuration)) as store:
        KeyWatch(store, public_keys(configuration)).entitle(signer.public_key.keyid)
    return standard.attestation(kind, record, signer)


def signed(configuration: Configuration, reference: str) -> Signed:
    """A recorded decision as the JSON that was signed."""
    from .engine.evidence import reading, signed
    from .engine.evidence.key_watch import KeyWatch

    keys = public_keys(configuration)
    with opened(configuration) as store:
        found = signed.read(reading.entry(store, reference), store, keys, KeyWatch(store, keys).status)
        if found is None:
            raise BadRequest(
                "this entry is no decision", where=store.location, next_step="See `mandate ledger show`"
            )
        return found


def means_of_replay(configuration: Configuration, recorded: Signed, opa: Path | None) -> Means:
    """What there is to judge a recorded decision with: this OPA, or one of the version that judged."""
    from .engine.opa import places
    from .engine.replay import again

    def programs(version: str) -> Iterator[Path]:
        yield places.data_home() / f"opa-{version}" / "opa"
        with suppress(OpaUnavailable):
            yield opa_program(configuration)

    return again.means(
        recorded,
        partial(policy_bundle.past, store=policy_store(configuration)),
        lambda version: again.of_version(version, programs(version)),
        given=_versioned(opa) if opa else None,
    )


def _versioned(opa: Path) -> tuple[Path, str]:
    """The program and its version. A program that is none is the caller's mistake."""
    from .engine.opa.locate import version

    try:
        return opa, version(opa)
    except OpaUnavailable as error:
        raise BadRequest(error.what, where="--opa", next_step="Name an `opa` program") from error


@contextmanager
def comparison(
    configuration: Configuration, *, against: str | None, opa: Path | None, whole: bool = False
) -> Iterator[Comparison]:
    """The policies in use, held against those of a reference, against another OPA or against the record.

    `opa`: who judges by the policies in use, whatever its version. `whole`: judge by all rules, also where
    few can be reached by what differs.
    """
    from .engine.replay import comparison as comparing

    in_use, good = bundle(configuration), comparing.good(opa_program(configuration))
    changed = comparing.Candidate(_IN_USE, in_use, good)
    base = None
    with ExitStack() as stack:
        if opa is not None:
            on_trial = comparing.Program(*_versioned(opa), on_trial=True)
            base, changed = changed, comparing.Candidate(_IN_USE, in_use, on_trial)
        if against is not None:
            revision = stack.enter_context(_revision(configuration, against))
            policies = policy_bundle.compile(revision.roots, opa=good.path, store=policy_store(configuration))
            base = comparing.Candidate(revision.label, policies, good, revision.notes)
        yield stack.enter_context(
            comparing.compared(
                base,
                changed,
                stack.enter_context(closing(ledger(configuration))),
                public_keys(configuration),
                timeout=configuration.settings.opa.timeout,
                folder=configuration.state / "impact",
                past=None if whole else partial(policy_bundle.past, store=policy_store(configuration)),
            )
        )


def _revision(configuration: Configuration, reference: str) -> AbstractContextManager[Revision]:
    from .engine.policy import revisions

    store = policy_store(configuration)
    return revisions.at(reference, folder=Path.cwd(), settings=configuration.file, store=store)


def model_registry(configuration: Configuration) -> MlflowRegistry:
    """The model registry."""
    from .registry.mlflow import MlflowRegistry

    settings = configuration.settings.registry
    return MlflowRegistry(settings.tracking_uri, settings.registry_uri, folder=configuration.root)


def lifecycle(
    configuration: Configuration, registry: MlflowRegistry, recorder: Recorder, stack: ExitStack
) -> Lifecycle:
    """Acts on the models of the registry, recorded; the ledger is open until `stack` ends."""
    from .engine.lifecycle.performing import Lifecycle

    store = stack.enter_context(opened(configuration))
    return Lifecycle(registry, recorder, store, public_keys(configuration))


@dataclass(frozen=True, slots=True)
class Mandate:
    """A gate that is ready, and the facts that it can be asked about."""

    gate: Gate
    configuration: Configuration
    bundle: Bundle
    recorder: Recorder

    def claimed(
        self, document: Path, *, action: str | None, environment: str | None, what_if: bool = False
    ) -> ClaimedFacts:
        """The facts in a ready document; `-` is standard input."""
        given = {"action": action, "environment": environment}
        return ClaimedFacts(
            _read(document),
            where="standard input" if str(document) == "-" else str(document),
            requested_by=caller(),
            risk_tier_of=partial(risk_tier, self.configuration),
            action=Action(action or Action.PROMOTE),
            environment=known_environment(_ENVIRONMENT if environment is None else environment, self.bundle),
            what_if=what_if,
            overriding=[name for name, value in given.items() if value is not None],
        )

    def collected(
        self,
        uri: str,
        registry: MlflowRegistry,
        *,
        action: str | None,
        environment: str | None,
        what_if: bool = False,
    ) -> CollectedFacts:
        """The facts about a registered model version."""
        asked = {"action": action, "environment": environment}
        return collected(self.configuration, self.bundle, uri, registry, **asked, what_if=what_if)


@contextmanager
def assembled(configuration: Configuration) -> Iterator[Mandate]:
    """The whole of Mandate. OPA, where it is our child, lives as long as the context."""
    release = policy_release(configuration)
    compiled = compiled_policies(configuration, release)
    with ExitStack() as stack:
        judging = stack.enter_context(judge(configuration, compiled))
        recording = recorder(configuration, stack)
        if release is not None:
            release.use(policy_store(configuration))
        gate = Gate(judging, first_use(recording, release), now)
        yield Mandate(gate, configuration, compiled, recording)


def first_use(recorder: Recorder, release: Release | None) -> FirstUse:
    """Records decisions by policies of which the ledger says that they began to decide."""
    from .engine.evidence.first_use import FirstUse

    return FirstUse(recorder, None if release is None else (release.number, release.keyid))


class ReadyJudge(Judge, Protocol):
    """A judge who says whether there is an OPA to ask."""

    def ready(self) -> None:
        """Return if OPA answers now with the expected policies; `CouldNotDecide` if not."""


@contextmanager
def judge(configuration: Configuration, compiled: Bundle) -> Iterator[ReadyJudge]:
    """The sidecar, or an OPA of our own: one that does not start is *undecided*, like one that is down."""
    policy = Policy(revision=compiled.revision, bundle_sha256=compiled.sha256)
    settings = configuration.settings.opa
    if settings.url is None:
        from .engine.opa.local import LocalJudge

        local = local_opa(configuration, compiled)
        local.start()  # while OPA gets ready, the rest is imported and the facts are collected
        rules = compiled.catalogue.keys()
        with LocalJudge(local, policy, timeout=settings.timeout, rules=rules) as judging:
            yield judging
    else:
        from .engine.opa.judge import OpaJudge

        with sidecar(configuration, settings.url) as client:
            yield OpaJudge(client, policy, bundle=settings.bundle, rules=compiled.catalogue.keys())


def local_opa(configuration: Configuration, compiled: Bundle) -> LocalOpa:
    """An OPA of our own with these policies, not yet started."""
    from .engine.opa.process import LocalOpa

    return LocalOpa(
        partial(opa_program, configuration),
        compiled.path,
        bundle_sha256=compiled.sha256,
        timeout=configuration.settings.opa.timeout,
    )


def sidecar(configuration: Configuration, url: str) -> OpaClient:
    """A client of the OPA at `url`, with the token and the authorities that the settings name."""
    from .engine.opa.client import OpaClient

    settings = configuration.settings.opa
    return OpaClient(
        url,
        timeout=settings.timeout,
        token=_token(configuration),
        ca=configuration.path(settings.ca) if settings.ca else None,
    )


def _token(configuration: Configuration) -> str | None:
    if (setting := configuration.settings.opa.token_file) is None:
        return None
    file = configuration.path(setting)
    try:
        return file.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise BadConfiguration(
            "the token for OPA cannot be read", where=str(file), next_step="Correct opa.token_file"
        ) from error


def collected(
    configuration: Configuration,
    policies: Bundle,
    uri: str,
    registry: MlflowRegistry,
    *,
    action: str | None,
    environment: str | None,
    what_if: bool = False,
    requested_by: str | None = None,
) -> CollectedFacts:
    """The facts about a registered model version, asked for by whoever runs this process unless said."""
    from .engine.collecting import CollectedFacts, Question

    asked = Action(action or Action.PROMOTE)
    environment = known_environment(_ENVIRONMENT if environment is None else environment, policies)
    return CollectedFacts(
        Question(uri, asked, environment, requested_by or caller(), what_if),
        registry,
        partial(_collectors, configuration, registry, what_if),
        wanted=_wanted(policies, asked),
        risk_tier_of=partial(_tier, configuration),
    )


def collector_options() -> dict[str, type[BaseModel]]:
    """What can be set for each collector in `mandate.yaml`."""
    from .collectors import REGISTERED

    return {name: import_module(f".collectors.{name}", __package__).Options for name in REGISTERED}


def check_collectors(configuration: Configuration) -> None:
    """`BadConfiguration` if `mandate.yaml` names a collector, or an option of one, that does not exist."""
    for _ in _configured_collectors(configuration):
        pass


def _configured_collectors(configuration: Configuration) -> Iterator[tuple[Callable[..., Collector], Any]]:
    """The class and the options of each collector that `mandate.yaml` names, or that reads the log."""
    from .collectors import FROM_THE_LOG, REGISTERED

    settings = configuration.settings.collectors
    for name in (*settings, *(name for name in FROM_THE_LOG if name not in settings)):
        if name not in REGISTERED:
            raise BadConfiguration(
                f"collectors.{name} is not a collector",
                where=configuration.document.where(("collectors", name)),
                next_step=advice(name, REGISTERED),
            )
        module = import_module(f".collectors.{name}", __package__)
        options = configuration.options(name, module.Options) if name in settings else module.Options()
        yield getattr(module, REGISTERED[name]), options


def _collectors(
    configuration: Configuration, registry: MlflowRegistry, what_if: bool, version: ResolvedVersion
) -> list[Collector]:
    """The collectors for one version. Each is given what its constructor asks for, by name."""
    from .sources import VersionSources
    from .sources.evaluation import evaluate

    offered = {
        "sources": VersionSources(registry, version, folder=configuration.root),
        "registry": registry,
        "evaluations": evaluate,
        "run_user": partial(registry.run_user, version),
        "run_commit": partial(registry.run_commit, version),
        "log": partial(consents, configuration),
        "what_if": what_if,
    }
    collectors = []
    for kind, options in _configured_collectors(configuration):
        parts = [part for part in inspect.signature(kind).parameters if part != "options"]
        collectors.append(kind(options, **{part: offered[part] for part in parts}))
    return collectors


def _wanted(policies: Bundle, action: Action) -> list[str]:
    """The collectors on which any rule for this action depends, and waivers: no other is run."""
    return sorted(
        {"waivers"}
        | {
            collector
            for about in policies.catalogue.values()
            if action in about["actions"]
            for collector in about["depends_on"]
        }
    )


def known_environment(name: str, policies: Bundle) -> str:
    """The environment. `BadRequest` if the policies do not know it."""
    known = policies.scope.environments
    if name not in known:
        raise BadRequest(
            f"the policies know no environment {name!r}", where="--environment", next_step=advice(name, known)
        )
    return name


def _tier(configuration: Configuration, version: Version) -> str:
    return configured_tier(configuration, version.name) or version.model_tags.get(_RISK_TIER_TAG) or _UNKNOWN


def risk_tier(configuration: Configuration, name: str) -> str:
    """The risk tier of a model of which nothing is known but its name, as the settings say it."""
    return configured_tier(configuration, name) or _UNKNOWN


def configured_tier(configuration: Configuration, name: str) -> str | None:
    """The risk tier that the settings give a model; `None` if they give none."""
    model = configuration.settings.models.get(name)
    return model.risk_tier if model else None


def _read(document: Path) -> bytes:
    if str(document) == "-":
        return sys.stdin.buffer.read()
    try:
        return document.read_bytes()
    except OSError as error:
        raise BadInput(
            f"the document cannot be read: {error.strerror}", where=str(document), next_step="Check the path"
        ) from error


def caller() -> str:
    """Who runs this process, as the system knows it: environment variables are anybody's to set."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def now() -> datetime:
    """The clock, in UTC."""
    return datetime.now(UTC)
