"""Facts about a model: who collects which, and what the settings say of a model."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..collectors import FROM_THE_LOG
from ..engine.configuration import Configuration
from ..engine.digests import document_sha256
from ..engine.errors import BadConfiguration, BadRequest
from ..engine.input import SECTIONS, Action, Origin
from ..engine.nearest import advice
from ..engine.policy.bundle import Bundle
from . import process
from .ledgers import consents, opened, public_keys

if TYPE_CHECKING:
    from pydantic import BaseModel

    from ..engine.collecting import CollectedFacts, Collector, Version
    from ..engine.evidence.envelope import Envelope
    from ..engine.evidence.keys import Signer
    from ..engine.fresh_facts import FreshFacts, Freshness
    from ..engine.input import Input
    from ..engine.input.gathering import Target
    from ..registry.mlflow import MlflowRegistry, ResolvedVersion

ENVIRONMENT = "production"
"""Where a model is to pass if nobody says."""


_RISK_TIER_TAG = "mandate.risk_tier"


_UNKNOWN = "unknown"


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
    ahead: bool = False,
) -> CollectedFacts:
    """The facts about a registered model version, asked for by whoever runs this process unless said.

    `ahead`: to be sent ahead of the question, so that all are collected anew, and none is read in the log.
    """
    from ..engine.collecting import CollectedFacts, Question

    asked = Action(action or Action.PROMOTE)
    environment = known_environment(ENVIRONMENT if environment is None else environment, policies)
    return CollectedFacts(
        Question(uri, asked, environment, requested_by or process.caller(), what_if),
        registry,
        partial(_collectors, configuration, registry, what_if),
        wanted=[name for name in _wanted(policies, asked) if not (ahead and name in FROM_THE_LOG)],
        risk_tier_of=partial(_tier, configuration),
        first=("mlflow", *FROM_THE_LOG),
        earlier=None if ahead else _earlier(configuration, policies),
        settings=partial(_settings, configuration),
    )


def _earlier(configuration: Configuration, policies: Bundle) -> FreshFacts | None:
    """Facts of earlier questions, where the policies let any serve again."""
    from ..engine.policy.layers import leaves

    settings = policies.thresholds.get("evidence", {}).get("fresh_minutes", {})
    if not any(leaf["value"] > 0 for setting in settings.values() for _, leaf in leaves(setting)):
        return None
    from ..engine.fresh_facts import FreshFacts

    return FreshFacts(
        partial(opened, configuration),
        public_keys(configuration),
        freshness=partial(_freshness, policies),
        revision=policies.revision,
        settings=partial(_settings, configuration),
    )


def _settings(configuration: Configuration) -> Mapping[str, str]:
    """The digest of what is set for each collector, by its name."""
    return {
        name: document_sha256(options.model_dump(mode="json"))
        for name, _, options in _configured_collectors(configuration)
    }


def _freshness(policies: Bundle, target: Target, tier: str) -> Freshness:
    """What the policies say of facts of earlier questions about a model in an environment."""
    from ..collectors import REGISTERED
    from ..engine.fresh_facts import Freshness
    from ..engine.policy.layered import holding

    def value(setting: Mapping[str, Any]) -> Any:
        return holding(setting, policies.scope, environment=target.environment, tier=tier, model=target.name)

    evidence = policies.thresholds["evidence"]
    fresh = evidence["fresh_minutes"]
    # What the registry and the log say is looked up each time: it is what may have changed.
    again = (set(SECTIONS) & set(REGISTERED)) - {"mlflow", *FROM_THE_LOG}
    return Freshness(
        minutes={name: value(fresh[name]) or 0 for name in sorted(again & fresh.keys())},
        reported=Origin.REPORTED in (value(evidence["accepted_origins"]) or ()),
    )


def signed_ahead(configuration: Configuration, policies: Bundle, document: Input, signer: Signer) -> Envelope:
    """Facts that are sent ahead of the question that they are for, signed by one of the policies' people."""
    from ..engine.evidence.sending import sealed

    return sealed(
        document,
        people=policies.data["people"],
        revision=policies.revision,
        origin=configuration.settings.ledger.name,
        time=process.now(),
        signer=signer,
    )


def collector_options() -> dict[str, type[BaseModel]]:
    """What can be set for each collector in `mandate.yaml`."""
    from ..collectors import REGISTERED

    return {name: import_module(f"..collectors.{name}", __package__).Options for name in REGISTERED}


def check_collectors(configuration: Configuration) -> None:
    """`BadConfiguration` if `mandate.yaml` names a collector, or an option of one, that does not exist."""
    for _ in _configured_collectors(configuration):
        pass


def _configured_collectors(
    configuration: Configuration,
) -> Iterator[tuple[str, Callable[..., Collector], Any]]:
    """Name, class and options of each collector that `mandate.yaml` names, or that reads the log."""
    from ..collectors import FROM_THE_LOG, REGISTERED

    settings = configuration.settings.collectors
    for name in (*settings, *(name for name in FROM_THE_LOG if name not in settings)):
        if name not in REGISTERED:
            raise BadConfiguration(
                f"collectors.{name} is not a collector",
                where=configuration.document.where(("collectors", name)),
                next_step=advice(name, REGISTERED),
            )
        module = import_module(f"..collectors.{name}", __package__)
        options = configuration.options(name, module.Options) if name in settings else module.Options()
        yield name, getattr(module, REGISTERED[name]), options


def _collectors(
    configuration: Configuration, registry: MlflowRegistry, what_if: bool, version: ResolvedVersion
) -> list[Collector]:
    """The collectors for one version. Each is given what its constructor asks for, by name."""
    from ..sources import VersionSources
    from ..sources.evaluation import evaluate

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
    for _, kind, options in _configured_collectors(configuration):
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


def known_environment(name: str, policies: Bundle, *, where: str = "--environment") -> str:
    """The environment. `BadRequest` if the policies do not know it; `where` is the option or field."""
    known = policies.scope.environments
    if name not in known:
        raise BadRequest(
            f"the policies know no environment {name!r}", where=where, next_step=advice(name, known)
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
