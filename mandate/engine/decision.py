"""What was decided, and why: the answer of the policies as a value that cannot contradict itself."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from .input.base import Digested, Frozen, Name
from .input.figures import Interval, Origin
from .input.people import ShownFinding


class Outcome(StrEnum):
    """The answer."""

    ALLOW = "allow"
    DENY = "deny"
    UNDECIDED = "undecided"
    """Nobody can say: never to be taken for an allow."""


class FindingOutcome(StrEnum):
    """What became of one term of one rule."""

    PASSED = "passed"
    VIOLATION = "violation"
    NO_VERDICT = "no_verdict"
    """The rule had to judge the term and did not. It blocks as a violation does."""
    WARNING = "warning"
    WAIVED = "waived"

    @property
    def blocks(self) -> bool:
        """Whether an allow is impossible beside it."""
        return self in (FindingOutcome.VIOLATION, FindingOutcome.NO_VERDICT)


class Finding(Frozen):
    """One term of one rule, judged. What did not pass carries what the rule's annotations say, too."""

    rule: Name
    """`category.rule`."""
    term: Name
    """What was judged: a metric, a column, a group, a person."""
    level: Literal["must", "should"]
    outcome: FindingOutcome
    measured: Any
    """JSON. `null` where there is no verdict."""
    comparison: str
    """`<=`, `>=`, `==`, … or `no verdict`."""
    bound: Any
    """JSON, comparable with `measured`."""
    bound_set_at: str | None = None
    """File and line that set the bound, such as `thresholds/fairness.yaml:7`."""
    origin: Origin | None = None
    collector: str | None = None
    n: int | None = None
    """Sample size, rows."""
    interval: Interval | None = None
    message: str | None = None
    title: str | None = None
    solution: str | None = None
    severity: Literal["low", "medium", "high", "critical"] | None = None
    controls: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()
    effective_on: str | None = None
    waiver: dict[str, Any] | None = None


class NotApplicable(Frozen):
    """A rule that the request did not have to satisfy, and why."""

    rule: Name
    reason: str
    replaced_by: Name | None = None
    """The rule that judged in its place."""


class WaiverReport(Frozen):
    """What became of a waiver that names the subject."""

    id: Name
    """For one of the policies, the file and line that hold it."""
    rule: Name
    """`category.rule`, or `category.rule:term`."""
    approver: str | None = None
    reference: str | None = None
    expires: str | None = None
    status: Literal["in force", "pending", "expired", "void"]
    used: bool
    """Whether a violation of this decision needed it."""
    warning: str | None
    """What somebody should know of it: that it will expire, has expired, does not count, or is not needed."""


class Decision(Digested):
    """The answer with everything that it rests on, in a deterministic order."""

    outcome: Outcome
    reasons: tuple[str, ...] = ()
    """Why, where no single finding says it: nothing applied, a collector failed, OPA did not answer."""
    findings: tuple[Finding, ...] = ()
    not_applicable: tuple[NotApplicable, ...] = ()
    waivers: tuple[WaiverReport, ...] = ()
    """Every waiver that names the subject, by id."""

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Decision:
        blocked = any(finding.outcome.blocks for finding in self.findings)
        if self.outcome is Outcome.ALLOW:
            if blocked or self.reasons:
                raise ValueError("an allow with something that blocks it")
            if not self.passed:
                raise ValueError("an allow for which nothing passed")
        elif not blocked and not self.reasons:
            raise ValueError(f"{self.outcome} without a reason")
        return self

    def having(self, *outcomes: FindingOutcome) -> tuple[Finding, ...]:
        """The findings with one of these outcomes, in order."""
        return tuple(finding for finding in self.findings if finding.outcome in outcomes)

    @property
    def violations(self) -> tuple[Finding, ...]:
        """What blocks: violations, and terms without a verdict."""
        return self.having(FindingOutcome.VIOLATION, FindingOutcome.NO_VERDICT)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What does not block, yet."""
        return self.having(FindingOutcome.WARNING)

    @property
    def shown(self) -> tuple[ShownFinding, ...]:
        """The findings as an approver is shown them: which of them an approval rests on, policies say."""
        return tuple(
            ShownFinding(
                rule=finding.rule,
                term=finding.term,
                level=finding.level,
                outcome=finding.outcome.value,
                measured=finding.measured,
                comparison=finding.comparison,
                bound=finding.bound,
            )
            for finding in self.findings
        )

    @property
    def warns(self) -> bool:
        """Whether somebody should look, although nothing blocks: a warning, or one about a waiver."""
        return bool(self.warnings) or any(waiver.warning for waiver in self.waivers)

    @property
    def waived(self) -> tuple[Finding, ...]:
        """Violations that somebody answers for."""
        return self.having(FindingOutcome.WAIVED)

    @property
    def passed(self) -> tuple[Finding, ...]:
        """What was proven."""
        return self.having(FindingOutcome.PASSED)

    @classmethod
    def undecided(cls, *reasons: str) -> Decision:
        """Nobody could say, for these reasons."""
        return cls(outcome=Outcome.UNDECIDED, reasons=reasons)


class Policy(Frozen):
    """Which policies judged."""

    revision: str
    """Digest of the policies' sources: the same sources have the same revision."""
    bundle_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}\z")]


class Judgement(Frozen):
    """A decision and who made it."""

    decision: Decision
    policy: Policy
    opa_version: str | None
    """`None` if no OPA answered."""
