"""Recorded decisions judged again, and policies held against others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..engine.configuration import Configuration
from ..engine.errors import BadRequest, OpaUnavailable
from ..engine.policy import bundle as policy_bundle
from .ledgers import ledger, public_keys
from .opa import opa_program
from .policies import bundle, policy_store

if TYPE_CHECKING:
    from ..engine.evidence.signed import Signed
    from ..engine.policy.revisions import Revision
    from ..engine.replay.again import Means
    from ..engine.replay.comparison import Comparison

_IN_USE = "the policies in use"


def means_of_replay(configuration: Configuration, recorded: Signed, opa: Path | None) -> Means:
    """What there is to judge a recorded decision with: this OPA, or one of the version that judged."""
    from ..engine.opa import places
    from ..engine.replay import again

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
    from ..engine.opa.locate import version

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
    from ..engine.replay import comparison as comparing

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
    from ..engine.policy import revisions

    store = policy_store(configuration)
    return revisions.at(reference, folder=Path.cwd(), settings=configuration.file, store=store)
