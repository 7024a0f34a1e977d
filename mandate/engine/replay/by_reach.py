"""A side of a comparison that judges by the rules alone which a change of policies can reach.

Of a recorded decision all findings are known, and what made them: an input, policies and an OPA. Other
policies, from those to which a change reaches some rules (`reach`), find on the same input what was found
then, but for these rules. So these are judged alone, by policies to which no other rule applies (`reduced`),
and their findings take the place of those on record. The outcome follows from all findings together, as
`mandate/main` says: denied where one blocks, else allowed where one passed.

That holds under these conditions, and where one fails everything is judged:

1. The OPA is of the version that judged then, and none that is on trial; the bundle that judged is kept.
   Policies can look neither at a clock nor at the network nor at chance: OPA's capabilities for them lack
   that. So the same rules find the same again.
2. The recorded decision gives no reasons beside its findings, and its outcome is that of its findings. So no
   collector had failed that a rule depends on, the input is of a shape and an environment that the policies
   know, and some rule judged. All of that is the same for rules that are not reached.
3. The answer of the reduced policies is a decision of theirs by all that a gate demands; it speaks of each
   rule that is reached, of no other one, and gives no reasons but that nothing applies or passed, which
   says something of these rules alone.

Not everything of a decision is made so: reports on waivers and the reasons why other rules do not apply stay
as on record. No comparison looks at them.

The argument is put to the test in each run: whatever would flip is judged in full as well, and so is every
hundredth entry; a run that is contradicted ends.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

from ..decision import Decision, FindingOutcome, Outcome
from ..errors import BadPolicy, CouldNotDecide, NotAnAnswer
from ..evidence.signed import Signed
from ..policy.bundle import Bundle
from .difference import Json, difference
from .reach import Reach
from .reduced import reduced
from .standing import StandingOpa, Verdict

_MOST = 3
"""OPAs that judge by some rules alone."""
_TESTED = 100
"""Of so many entries one is judged in full too, whatever became of it."""
_OF_THE_RULES_ALONE = {
    "No rule applies, and what nobody judged is not allowed.",
    "Nothing passed, and what nobody proved is not allowed.",
}
"""Reasons that `mandate/main` gives where it looks at too few rules."""


class ByReach:
    """Judges by `bundle`, as `whole` does in full, from entering the context on. Threads may share it.

    `opa`: program and version, which `start` starts. `past`: the stored bundle of a revision, or `BadPolicy`.
    """

    def __init__(
        self,
        bundle: Bundle,
        whole: Callable[[Signed], Verdict],
        *,
        opa: tuple[Path, str],
        past: Callable[[str], Bundle],
        start: Callable[[Bundle], StandingOpa],
    ) -> None:
        self._bundle = bundle
        self._whole = whole
        self._opa, self._version = opa
        self._past = past
        self._start = start
        self._lock = threading.Lock()
        self._reach: Reach | None = None
        self._reached: dict[tuple[str, str], frozenset[str] | None] = {}
        self._opas: dict[frozenset[str], StandingOpa] = {}
        self._stack = ExitStack()

    def __call__(self, recorded: Signed) -> Verdict:
        """What is decided on the recorded input."""
        verdict = self._by_reached(recorded)
        if verdict is None:
            return self._whole(recorded)
        if verdict.decision["outcome"] != recorded.decision["outcome"] or recorded.index % _TESTED == 0:
            return self._tested(recorded, verdict)
        return verdict

    def _tested(self, recorded: Signed, verdict: Verdict) -> Verdict:
        whole = self._whole(recorded)
        if whole.answered and difference(whole.decision, verdict.decision):
            raise NotAnAnswer(
                "the rules that the change can reach, with what is on record of the others, decide otherwise "
                "than all rules together",
                where=f"entry {recorded.index} of the ledger",
                next_step="Run it again with --whole, and report this",
            )
        return whole

    def _by_reached(self, recorded: Signed) -> Verdict | None:
        if not self._tells_all(recorded):
            return None
        rules, opa = self._for(recorded)
        if rules is None:
            return None
        if opa is None:
            return Verdict(recorded.decision, answered=True, rules=rules)
        try:
            said = opa.decision(recorded.question)
        except CouldNotDecide:
            return None
        return _composed(recorded.decision, said, rules, rules & self._bundle.catalogue.keys())

    def _tells_all(self, recorded: Signed) -> bool:
        decision = recorded.decision
        return (
            recorded.opa_version == self._version
            and not decision.get("reasons")
            and decision["outcome"] == _outcome(decision["findings"])
        )

    def _for(self, recorded: Signed) -> tuple[frozenset[str] | None, StandingOpa | None]:
        """The rules to judge by, and the OPA that does so; `None` for none at all."""
        key = (recorded.revision, recorded.bundle_sha256)
        with self._lock:
            if key not in self._reached:
                self._reached[key] = self._found(*key)
            rules = self._reached[key]
            return (rules, self._opas[rules]) if rules else (rules, None)

    def _found(self, revision: str, bundle_sha256: str) -> frozenset[str] | None:
        try:
            past = self._past(revision)
        except BadPolicy:
            return None
        if past.sha256 != bundle_sha256:
            return None
        self._reach = self._reach or Reach(self._bundle, opa=self._opa)
        rules = self._reach.of(past)
        if not rules or len(rules) * 2 > len(self._bundle.catalogue):
            # With most of the rules nothing is gained.
            return None if rules else rules
        for others in sorted(self._opas, key=len):
            if rules <= others:
                return others
        if len(self._opas) == _MOST:
            return None
        folder = Path(self._stack.enter_context(TemporaryDirectory(prefix="mandate-reduced-")))
        opa = self._start(reduced(self._bundle, rules, folder))
        self._opas[rules] = self._stack.enter_context(opa)
        return rules

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


def _composed(
    recorded: Json, said: Decision, rules: frozenset[str], expected: Collection[str]
) -> Verdict | None:
    """The recorded decision with what is said of these rules; `None` if not all is said, or too much."""
    if not _OF_THE_RULES_ALONE.issuperset(said.reasons):
        return None
    passed_by = [other for other in said.not_applicable if other.rule in rules]
    judged = {finding.rule for finding in said.findings}
    if not judged <= rules or not judged | {other.rule for other in passed_by} >= set(expected):
        return None
    findings = [finding for finding in recorded["findings"] if finding["rule"] not in rules]
    findings += [finding.model_dump(mode="json") for finding in said.findings]
    findings.sort(key=_rule)
    outcome = _outcome(findings)
    if outcome is None:
        return None
    others = [other for other in recorded.get("not_applicable", ()) if other["rule"] not in rules]
    others += [other.model_dump(mode="json") for other in passed_by]
    decision = {**recorded, "outcome": outcome, "findings": findings, "not_applicable": others}
    return Verdict(decision, answered=True, rules=rules)


def _rule(finding: Mapping[str, Any]) -> str:
    return str(finding["rule"])


def _outcome(findings: Sequence[Json]) -> str | None:
    """What `mandate/main` makes of findings where there are no reasons; `None` if there would be one."""
    outcomes = {finding["outcome"] for finding in findings}
    if not outcomes.isdisjoint({FindingOutcome.VIOLATION, FindingOutcome.NO_VERDICT}):
        return Outcome.DENY.value
    return Outcome.ALLOW.value if FindingOutcome.PASSED in outcomes else None
