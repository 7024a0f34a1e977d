"""The two sides of a comparison: policies in an OPA, held against others or against what was recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ... import __version__
from ..decision import Policy
from ..digests import file_sha256
from ..errors import OpaUnavailable
from ..evidence.key_watch import KeyWatch
from ..evidence.ledger import Store
from ..evidence.public_keys import PublicKey
from ..evidence.signed import Signed
from ..opa.locate import version
from ..opa.process import LocalOpa
from ..opa.versions import refusal
from ..policy.bundle import Bundle
from .by_reach import ByReach
from .impact import Examiner, Judge, Selection
from .standing import StandingOpa, Verdict

_GARBAGE = 800
"""Percent: see `LocalOpa`. With the library's policies OPA takes some 200 MB then."""


@dataclass(frozen=True, slots=True)
class Program:
    """An OPA on this machine."""

    path: Path
    version: str
    on_trial: bool = False
    """Whether it is asked whatever its version: nobody acts on what it says."""


def good(path: Path) -> Program:
    """The OPA in use. `OpaUnavailable` if it must not judge."""
    found = version(path)
    if reason := refusal(found):
        raise OpaUnavailable(
            reason, where=str(path), next_step="Run `mandate opa install`, or put it on trial with --opa"
        )
    return Program(path, found)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Policies, and the OPA that judges by them."""

    label: str
    bundle: Bundle
    opa: Program
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two that are held against each other."""

    label: str
    """As a reader knows it: `main (1a2b3c4d5e6f)`, `as recorded`."""
    revision: str | None
    """`None`: whatever judged then."""
    opa_version: str | None
    opa_sha256: str | None = None
    """Digest of the program."""
    notes: tuple[str, ...] = ()
    """What a reader should know of it, sentences without a full stop."""

    @property
    def judge(self) -> dict[str, Any]:
        """Who judges: what tells one run from another."""
        return {
            "revision": self.revision,
            "opa": {"version": self.opa_version, "sha256": self.opa_sha256},
        }

    def as_json(self) -> dict[str, Any]:
        """For reports."""
        return {"label": self.label, **self.judge, "notes": list(self.notes)}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two sides that are ready to judge what is on record."""

    store: Store
    keys: Mapping[str, PublicKey]
    base: Side
    changed: Side
    judge_base: Callable[[Sequence[Signed]], Sequence[Verdict | None]]
    judge_changed: Judge
    folder: Path
    """Where a run writes down how far it has come."""
    whole: bool
    """Whether each decision is judged by all rules."""

    def examiner(self, selection: Selection) -> Examiner:
        """Holds the two against each other, for each decision of the selection."""
        return Examiner(
            self.store,
            self.keys,
            KeyWatch(self.store, self.keys).status,
            selection,
            self.judge_base,
            self.judge_changed,
        )

    def key(self, selection: Selection) -> dict[str, Any]:
        """What tells one run from another."""
        return {
            "mandate": __version__,
            "ledger": self.store.origin,
            "base": self.base.judge,
            "changed": self.changed.judge,
            "selection": selection.as_json(),
            "whole": self.whole,
        }


@contextmanager
def compared(
    base: Candidate | None,
    changed: Candidate,
    store: Store,
    keys: Mapping[str, PublicKey],
    *,
    timeout: float,
    folder: Path,
    past: Callable[[str], Bundle] | None,
) -> Iterator[Comparison]:
    """The two, each in an OPA of its own, as long as the context. `base`: `None` for what was recorded.

    `past`: the stored bundle of a revision, or `BadPolicy`; `None` to judge by all rules, whatever differs.
    """
    with ExitStack() as stack:
        judge_changed = stack.enter_context(_judging(changed, timeout, past))
        judge_base = as_recorded if base is None else stack.enter_context(_judging(base, timeout, past))
        one = Side("as recorded", None, None) if base is None else _side(base)
        yield Comparison(store, keys, one, _side(changed), judge_base, judge_changed, folder, past is None)


def as_recorded(recorded: Sequence[Signed]) -> list[Verdict | None]:
    """What the gate answered then. `None` if no OPA answered: policies had no say in that."""
    return [
        None if one.opa_version is None else Verdict(one.decision, answered=True, recorded=True)
        for one in recorded
    ]


def _side(candidate: Candidate) -> Side:
    opa = candidate.opa
    refused = refusal(opa.version) if opa.on_trial else None
    notes = (*candidate.notes, *([f"{refused}; here it is only on trial"] if refused else []))
    return Side(candidate.label, candidate.bundle.revision, opa.version, file_sha256(opa.path), notes)


@contextmanager
def _judging(candidate: Candidate, timeout: float, past: Callable[[str], Bundle] | None) -> Iterator[Judge]:
    """By all rules; with `past`, by those alone that may find something else, where that is enough."""

    # An OPA on trial is asked as it would be in use: of what it does else, nobody wants to know.
    batches = not candidate.opa.on_trial

    def standing(policies: Bundle) -> StandingOpa:
        start = partial(
            LocalOpa,
            candidate.opa.path,
            policies.path,
            bundle_sha256=policies.sha256,
            timeout=timeout,
            garbage=_GARBAGE,
            batches=batches,
        )
        return StandingOpa(
            start,
            Policy(revision=policies.revision, bundle_sha256=policies.sha256),
            timeout=timeout,
            rules=policies.catalogue.keys(),
            trusts_any_version=candidate.opa.on_trial,
            batches=batches,
        )

    with standing(candidate.bundle) as all_rules:
        if past is None or candidate.opa.on_trial:
            yield lambda recorded: all_rules.verdicts([one.question for one in recorded])
            return
        opa = (candidate.opa.path, candidate.opa.version)
        with ByReach(candidate.bundle, all_rules, opa=opa, past=past, start=standing) as by_reach:
            yield by_reach
