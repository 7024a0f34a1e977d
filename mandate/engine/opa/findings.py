"""Whether a decision that has the right shape can be what Mandate's policies said.

`Decision` already refuses an allow that contradicts itself. Here is what its types leave open, and
what `policies/` promise: a decision that breaks one of these promises was not made by them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from ..decision import Decision, Finding, FindingOutcome, Outcome
from ..said import quoted
from ..strict_json import deeper_than, same

_FAILED = (FindingOutcome.VIOLATION, FindingOutcome.NO_VERDICT)
_UNJUDGED = (FindingOutcome.NO_VERDICT, FindingOutcome.WARNING)
_DEEPEST = 8


def contradiction(decision: Decision) -> str | None:
    """What in this decision cannot be, as a clause; `None` if nothing."""
    if not decision.findings and decision.outcome is Outcome.ALLOW:
        return "an allow without a single finding"
    for finding in decision.findings:
        if wrong := _wrong_with(finding):
            return f"the finding {quoted(finding.rule, 80)} on {quoted(finding.term, 80)} {wrong}"
    used = {waiver.id for waiver in decision.waivers if waiver.used}
    in_force = {waiver.id for waiver in decision.waivers if waiver.status == "in force"}
    needed = {str((finding.waiver or {}).get("id")) for finding in decision.waived}
    if used != needed or not used <= in_force:
        return "waived violations, and other waivers in force that they needed"
    for one, other in pairwise(decision.findings):
        if (one.rule, one.term) > (other.rule, other.term):
            return f"findings out of order at {quoted(other.rule, 80)}"
        if (one.rule, one.term) == (other.rule, other.term) and one.outcome is not other.outcome:
            # A term that both passed and failed: whoever reads only the first would be misled.
            return f"two outcomes for {quoted(one.rule, 80)} on {quoted(one.term, 80)}"
    return None


def _wrong_with(finding: Finding) -> str | None:  # noqa: PLR0911  (a list of checks, one return each)
    outcome = finding.outcome
    if outcome is FindingOutcome.PASSED:
        if finding.measured is None:
            return "passed without a measurement"
    elif not finding.message:
        return "has no message"
    if outcome in _FAILED and finding.level != "must":
        return "blocks, but only should hold"
    if (outcome is FindingOutcome.WAIVED) is not (finding.waiver is not None):
        return "is waived without a waiver, or has a waiver and is not"
    unjudged = finding.comparison == "no verdict"
    if (outcome is FindingOutcome.NO_VERDICT and not unjudged) or (unjudged and outcome not in _UNJUDGED):
        return "has a comparison that does not agree with its outcome"
    if finding.n is not None and finding.n < 0:
        return "rests on fewer than no rows"
    if any(deeper_than(value, _DEEPEST) for value in (finding.measured, finding.bound, finding.waiver)):
        return "holds values that are nested too deeply"
    if outcome is FindingOutcome.PASSED and not _holds(finding):
        return "passed, and what it measured does not meet its bound"
    return None


def _holds(finding: Finding) -> bool:
    """Whether the measurement meets the bound, as the comparison library of the policies means it.

    A check that somebody wrote by hand can say that it holds. The numbers of OPA are decimals, those here are
    doubles: rounding keeps their order, so what holds there holds here.
    """
    holds = _COMPARISONS.get(finding.comparison)
    return holds is not None and holds(finding.measured, finding.bound)


def _are_numbers(*values: Any) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def _is_there(value: Any) -> bool:
    return value not in (None, [], {}) and (not isinstance(value, str) or bool(value.strip()))


_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<=": lambda measured, bound: _are_numbers(measured, bound) and measured <= bound,
    ">=": lambda measured, bound: _are_numbers(measured, bound) and measured >= bound,
    "==": lambda measured, bound: measured != "" and same(measured, bound),
    "one of": lambda measured, bound: (
        isinstance(bound, list) and measured != "" and any(same(measured, one) for one in bound)
    ),
    "includes": lambda measured, bound: (
        isinstance(measured, list)
        and isinstance(bound, list)
        and bool(bound)
        and all(any(same(one, other) for other in measured) for one in bound)
    ),
    "present": lambda measured, bound: bound is True and _is_there(measured),
}
