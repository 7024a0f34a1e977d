"""What people sign: the decision that they look at, and what they say of it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from ..engine.configuration import Configuration
from ..engine.errors import NotRecorded
from ..engine.input import Action
from . import process
from .entries import recorded
from .facts import ENVIRONMENT
from .gate import assembled
from .ledgers import consents, opened, public_keys, recorder
from .policies import bundle
from .registries import model_registry

if TYPE_CHECKING:
    from ..engine.evidence.consenting import Consenting, Policies
    from ..engine.evidence.keys import Signer
    from ..engine.evidence.receipt import Record
    from ..engine.policy.bundle import Bundle
    from ..registry.mlflow import MlflowRegistry


def consenting(configuration: Configuration, signer: Signer, stack: ExitStack) -> Consenting:
    """Whoever signs with this key; the ledger is open until `stack` ends."""
    from ..engine.evidence.consenting import Consenting

    return Consenting(
        origin=configuration.settings.ledger.name,
        signer=signer,
        policies=of_people(bundle(configuration)),
        consents=consents(configuration),
        recorder=recorder(configuration, stack),
        clock=process.now,
    )


def of_people(policies: Bundle) -> Policies:
    """What these policies say of people."""
    from ..engine.evidence.consenting import Policies
    from ..engine.policy.layers import leaves
    from ..engine.policy.waivers import longest

    roles = policies.thresholds.get("waivers", {}).get("roles", {})
    return Policies(
        policies.revision,
        policies.data["people"],
        policies.catalogue,
        longest(policies.thresholds),
        frozenset(role for _, leaf in leaves(roles) for role in leaf["value"]),
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
    from ..engine.evidence.consents import newest_decision
    from ..engine.evidence.signatory import refuse_unfit

    asked = Action(action or Action.PROMOTE).value
    environment = environment or ENVIRONMENT
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
    refuse_unfit(record, uri=version.uri, sha256=digest, revision=policies.revision)
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
