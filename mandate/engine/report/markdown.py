"""The answer as Markdown, for a comment on a merge request or a job's summary."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter
from typing import TextIO

from ..decision import Finding, Outcome
from ..gate import Answer
from . import Link, earlier
from .literal import literal

_VERDICT = {Outcome.ALLOW: "✅ ALLOW", Outcome.DENY: "❌ DENY", Outcome.UNDECIDED: "⚠️ UNDECIDED"}
_MOST = 20
"""Terms of one rule that are shown."""
_LONGEST = 2000


def write(answer: Answer, stream: TextIO, *, verbose: bool, link: Link | None = None) -> None:
    """The verdict, what stands against it, what to do, and where the evidence is."""
    stream.writelines(f"{line}\n" for line in _lines(answer, verbose=verbose, link=link))


def _lines(answer: Answer, *, verbose: bool, link: Link | None) -> Iterator[str]:
    decision, subject, request = answer.decision, answer.document.subject, answer.document.request
    what_if = "What if: " if answer.what_if else ""
    model = f"{literal(subject.name)} version {literal(subject.version)}"
    yield f"## {what_if}{_VERDICT[answer.outcome]}: {model}"
    yield ""
    yield f"{request.action} · {literal(request.environment)} · risk tier {literal(subject.risk_tier)}"
    if answer.what_if:
        yield ""
        yield "> This is what would be decided, and no more: nothing is allowed by it."
    for reason in decision.reasons:
        yield ""
        yield f"> {literal(reason, _LONGEST)}"
    for heading, findings in (
        ("What stands against it", decision.violations),
        ("Warnings", decision.warnings),
        ("Waived", decision.waived),
    ):
        if findings:
            yield ""
            yield f"### {heading}"
            yield ""
            for _, of_rule in groupby(findings, key=attrgetter("rule")):
                yield from _rule(tuple(of_rule), link)
    yield ""
    yield f"{len(decision.passed)} checks passed, {len(decision.not_applicable)} rules not applicable."
    for sentence in earlier.sentences(answer.document):
        yield ""
        yield f"{literal(sentence[:1].upper() + sentence[1:])}."
    if verbose:
        yield ""
        yield from (f"- ✓ **{literal(finding.rule)}** {literal(finding.term)}" for finding in decision.passed)
    yield ""
    yield from _evidence(answer)


def _rule(findings: tuple[Finding, ...], link: Link | None) -> Iterator[str]:
    first, *_ = findings
    name = literal(first.rule)
    yield f"- **{name if link is None else f'[{name}](<{link(first.rule)}>)'}** {literal(first.title or '')}"
    for finding in findings[:_MOST]:
        yield f"  - {literal(finding.message or finding.comparison, _LONGEST)}"
    if len(findings) > _MOST:
        yield f"  - … and {len(findings) - _MOST} more"
    if first.solution:
        yield f"  - → {literal(first.solution, _LONGEST)}"
    if first.controls:
        yield f"  - {literal(' · '.join(first.controls))}"


def _evidence(answer: Answer) -> Iterator[str]:
    receipt, policy = answer.receipt, answer.judgement.policy
    yield "| | |"
    yield "|---|---|"
    if receipt is None:
        yield "| decision | **not recorded** |"
    else:
        yield f"| decision | {literal(receipt.id)} |"
        yield f"| recorded | entry {receipt.index} of {literal(receipt.origin)} |"
    digest = answer.document.subject.sha256
    yield f"| artifact | {literal(f'sha256:{digest}') if digest else 'no digest'} |"
    opa = literal(answer.judgement.opa_version or "(no answer)")
    yield f"| judged by | policies {literal(policy.revision)}, OPA {opa} |"
