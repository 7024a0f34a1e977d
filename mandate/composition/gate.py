"""The whole of Mandate: a gate, and the facts that it can be asked about."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..engine import claim
from ..engine.claim import ClaimedFacts
from ..engine.configuration import Configuration
from ..engine.digests import sha256
from ..engine.errors import BadInput
from ..engine.gate import Gate
from ..engine.input import Action
from ..engine.policy.bundle import Bundle
from . import process
from .facts import ENVIRONMENT, collected, known_environment, risk_tier
from .ledgers import demand_newest, first_use, recorder
from .opa import judge
from .policies import compiled_policies, policy_release, policy_store

if TYPE_CHECKING:
    from ..engine.collecting import CollectedFacts
    from ..engine.evidence.recorder import Recorder
    from ..registry.mlflow import MlflowRegistry


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
        where = "standard input" if str(document) == "-" else str(document)
        sent = _read(document)
        return ClaimedFacts(
            claim.parse(sent, where),
            where=where,
            sha256=sha256(sent),
            requested_by=process.caller(),
            risk_tier_of=partial(risk_tier, self.configuration),
            action=Action(action or Action.PROMOTE),
            environment=known_environment(ENVIRONMENT if environment is None else environment, self.bundle),
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
        return collected(
            self.configuration,
            self.bundle,
            uri,
            registry,
            action=action,
            environment=environment,
            what_if=what_if,
        )


@contextmanager
def assembled(configuration: Configuration) -> Iterator[Mandate]:
    """The whole of Mandate. OPA, where it is our child, lives as long as the context."""
    release = policy_release(configuration)
    compiled = compiled_policies(configuration, release)
    with ExitStack() as stack:
        judging = stack.enter_context(judge(configuration, compiled))
        recording = recorder(configuration, stack)
        demand_newest(configuration, release)
        if release is not None:
            release.use(policy_store(configuration))
        gate = Gate(judging, first_use(recording, release), process.now)
        yield Mandate(gate, configuration, compiled, recording)


def _read(document: Path) -> bytes:
    if str(document) == "-":
        return sys.stdin.buffer.read()
    try:
        return document.read_bytes()
    except OSError as error:
        raise BadInput(
            f"the document cannot be read: {error.strerror}", where=str(document), next_step="Check the path"
        ) from error
