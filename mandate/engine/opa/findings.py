"""Whether a decision that has the right shape can be what Mandate's policies said.

`Decision` already refuses an allow that contradicts itself. Here is what its types leave open, and
what `policies/` promise: a decision that breaks one of these promises was not made by them.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from ..decision import Decision, Finding, FindingOutcome, Outcome
from .said import quoted

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
    if any(_deeper(value, _DEEPEST) for value in (finding.measured, finding.bound, finding.waiver)):
        return "holds values that are nested too deeply"
    return None


def _deeper(value: Any, levels: int) -> bool:
    if isinstance(value, dict):
        return levels == 0 or any(_deeper(item, levels - 1) for item in value.values())
    if isinstance(value, list):
        return levels == 0 or any(_deeper(item, levels - 1) for item in value)
    return False
