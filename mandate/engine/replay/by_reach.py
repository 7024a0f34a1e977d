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

4. What is found by the rules that are reached is what was found then, or no approval is signed. An approval
   counts for all that was found, so the rules that depend on approvals could find something else.

Of an input, these policies are sent the sections alone that their Rego can read, as its syntax tree says; if
that cannot be told, all of it.

Not everything of a decision is made so: reports on waivers and the reasons why other rules do not apply stay
as on record. No comparison looks at them.

The argument is put to the test in each run: the first hundred decisions that would flip are judged in full as
well, and every tenth of all later ones. So is every hundredth entry: OPA is asked about its input alone and
whole, as a gate asks. A run that is contradicted ends, and a report says how many flips all rules confirm.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

from ..decision import Decision, FindingOutcome, Outcome
from ..errors import BadPolicy, NotAnAnswer
from ..evidence.signed import Signed
from ..input.people import ShownFinding
from ..policy.bundle import Bundle
from .difference import Json, difference
from .reach import Reach
from .reduced import reduced
from .sections import cut
from .standing import StandingOpa, Verdict

_MOST = 3
"""OPAs that judge by some rules alone."""
_TESTED = 100
"""Of so many entries one is judged in full too, whatever became of it."""
_FLIPS_TESTED, _LATER_FLIPS_TESTED = 100, 10
"""So many flips are judged in full too, and of so many later ones one."""
_OF_THE_RULES_ALONE = {
    "No rule applies, and what nobody judged is not allowed.",
    "Nothing passed, and what nobody proved is not allowed.",
}
"""Reasons that `mandate/main` gives where it looks at too few rules."""


@dataclass(frozen=True, slots=True, eq=False)
class _Alone:
    """Judges by some rules alone."""

    rules: frozenset[str]
    expected: frozenset[str]
    """Those of them that there are: some were perhaps removed."""
    opa: StandingOpa | None
    """`None` if nothing can be found that is not on record."""
    sections: frozenset[str] | None
    """What of an input is read; `None`: perhaps anything."""

    def verdicts(self, recorded: Sequence[Signed]) -> list[Verdict | None]:
        """What is decided on each of these inputs; `None` where it does not follow."""
        if self.opa is None:
            return [Verdict(one.decision, answered=True, rules=self.rules) for one in recorded]
        said = self.opa.decisions([self._question(one) for one in recorded])
        return [
            None if decision is None else _composed(one.decision, decision, self.rules, self.expected)
            for one, decision in zip(recorded, said, strict=True)
        ]

    def _question(self, recorded: Signed) -> bytes:
        if self.sections is None:
            return recorded.question
        return cut(recorded.question, recorded.document, self.sections)


class ByReach:
    """Judges by `bundle`, as `whole` does in full, from entering the context on. Threads may share it.

    `opa`: program and version, which `start` starts. `past`: the stored bundle of a revision, or `BadPolicy`.
    """

    def __init__(
        self,
        bundle: Bundle,
        whole: StandingOpa,
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
        self._known: dict[tuple[str, str], _Alone | None] = {}
        self._running: list[_Alone] = []
        self._flips = count()
        self._stack = ExitStack()

    def __call__(self, recorded: Sequence[Signed]) -> list[Verdict]:
        """What is decided on each of the recorded inputs."""
        found = self._by_reached(recorded)
        whole = self._by_all(
            {
                place: one
                for place, one in enumerate(recorded)
                if place not in found or self._is_tested(one, found[place])
            }
        )
        for place in found.keys() & whole:
            _demand_the_same(recorded[place], found[place], whole[place])
        verdicts = found | whole
        return [verdicts[place] for place in range(len(recorded))]

    def _by_reached(self, recorded: Sequence[Signed]) -> dict[int, Verdict]:
        """What follows from the rules that are reached, by the place of the input."""
        places: dict[_Alone, list[int]] = defaultdict(list)
        for place, one in enumerate(recorded):
            if self._tells_all(one) and (alone := self._alone(one)) is not None:
                places[alone].append(place)
        return {
            place: verdict
            for alone, some in places.items()
            for place, verdict in zip(some, alone.verdicts([recorded[each] for each in some]), strict=True)
            if verdict is not None and not self._unsettles(recorded[place], verdict, alone.rules)
        }

    def _by_all(self, recorded: Mapping[int, Signed]) -> dict[int, Verdict]:
        """What all rules say. Every hundredth entry is asked about alone, as a gate asks."""
        alone = {
            place: self._whole.verdict(one.question)
            for place, one in recorded.items()
            if one.index % _TESTED == 0
        }
        others = {place: one.question for place, one in recorded.items() if place not in alone}
        return alone | dict(zip(others, self._whole.verdicts([*others.values()]), strict=True))

    def _is_tested(self, recorded: Signed, found: Verdict) -> bool:
        if recorded.index % _TESTED == 0:
            return True
        if found.decision["outcome"] == recorded.decision["outcome"]:
            return False
        number = next(self._flips)
        return number < _FLIPS_TESTED or number % _LATER_FLIPS_TESTED == 0

    def _unsettles(self, recorded: Signed, verdict: Verdict, rules: frozenset[str]) -> bool:
        """Whether signed approvals may count no longer, or again, because of what these rules find."""
        if not any(approval.get("entry") for approval in recorded.document.get("approvals") or ()):
            return False
        catalogue = self._bundle.catalogue
        if any("approvals" in catalogue[rule]["depends_on"] for rule in rules & catalogue.keys()):
            return True
        before, after = (_shown(each["findings"]) for each in (recorded.decision, verdict.decision))
        return before != after

    def _tells_all(self, recorded: Signed) -> bool:
        decision = recorded.decision
        return (
            recorded.opa_version == self._version
            and not decision.get("reasons")
            and decision["outcome"] == _outcome(decision["findings"])
        )

    def _alone(self, recorded: Signed) -> _Alone | None:
        """What judges by the rules alone that are reached from what judged then; `None`: all rules do."""
        key = (recorded.revision, recorded.bundle_sha256)
        with self._lock:
            if key not in self._known:
                rules = self._reached(*key)
                self._known[key] = None if rules is None else self._judging(rules)
            return self._known[key]

    def _reached(self, revision: str, bundle_sha256: str) -> frozenset[str] | None:
        try:
            past = self._past(revision)
        except BadPolicy:
            return None
        if past.sha256 != bundle_sha256:
            return None
        rules = self._reach.of(past)
        # With most of the rules nothing is gained.
        return None if rules is None or len(rules) * 2 > len(self._bundle.catalogue) else rules

    def _judging(self, rules: frozenset[str]) -> _Alone | None:
        """By these rules, and perhaps some more; `None` if there are too many such sets of rules."""
        if not rules:
            return _Alone(rules, rules, None, None)
        for alone in sorted(self._running, key=lambda each: len(each.rules)):
            if rules <= alone.rules:
                return alone
        if len(self._running) == _MOST:
            return None
        folder = Path(self._stack.enter_context(TemporaryDirectory(prefix="mandate-reduced-")))
        opa = self._stack.enter_context(self._start(reduced(self._bundle, rules, folder)))
        expected = rules.intersection(self._bundle.catalogue)
        alone = _Alone(rules, expected, opa, self._reach.sections(rules))
        self._running.append(alone)
        return alone

    @cached_property
    def _reach(self) -> Reach:
        return Reach(self._bundle, opa=self._opa)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


def _demand_the_same(recorded: Signed, found: Verdict, whole: Verdict) -> None:
    if whole.answered and difference(whole.decision, found.decision):
        raise NotAnAnswer(
            "the rules that the change can reach, with what is on record of the others, decide otherwise "
            "than all rules together",
            where=f"entry {recorded.index} of the ledger",
            next_step="Run it again with --whole, and report this",
        )


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


def _shown(findings: Sequence[Json]) -> list[list[Any]]:
    """What an approver is shown of findings."""
    return [[finding.get(member) for member in ShownFinding.model_fields] for finding in findings]


def _rule(finding: Mapping[str, Any]) -> str:
    return str(finding["rule"])


def _outcome(findings: Sequence[Json]) -> str | None:
    """What `mandate/main` makes of findings where there are no reasons; `None` if there would be one."""
    outcomes = {finding["outcome"] for finding in findings}
    if not outcomes.isdisjoint({FindingOutcome.VIOLATION, FindingOutcome.NO_VERDICT}):
        return Outcome.DENY.value
    return Outcome.ALLOW.value if FindingOutcome.PASSED in outcomes else None
