"""The answer as JUnit XML, which every CI shows: one suite, and a case for each term of each rule.

The form: https://github.com/testmoapp/junitxml. What blocks is a failure, what is waived or does not apply is
skipped, and why nobody could decide is an error: a suite without failures and errors is an allow.
"""

from __future__ import annotations

from typing import TextIO
from xml.etree import ElementTree as Xml

from ..decision import Finding, FindingOutcome, Outcome
from ..gate import Answer
from . import Link
from .visible import visible

_LONGEST = 4000


def write(answer: Answer, stream: TextIO, *, verbose: bool, link: Link | None = None) -> None:
    """The whole document, whether `verbose` or not."""
    suite = Xml.Element("testsuite", name=_name(answer))
    properties = Xml.SubElement(suite, "properties")
    for name, value in _properties(answer).items():
        Xml.SubElement(properties, "property", name=name, value=visible(value, _LONGEST))
    for finding in answer.decision.findings:
        _case(suite, finding, link)
    for rule in answer.decision.not_applicable:
        case = Xml.SubElement(suite, "testcase", classname=visible(rule.rule), name="*")
        Xml.SubElement(case, "skipped", message=visible(rule.reason, _LONGEST))
    kind = "error" if answer.outcome is Outcome.UNDECIDED else "failure"
    for number, reason in enumerate(answer.decision.reasons, 1):
        case = Xml.SubElement(suite, "testcase", classname="mandate", name=f"decision {number}")
        Xml.SubElement(case, kind, message=visible(reason, _LONGEST), type=answer.outcome.value)
    for name, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
        suite.set(name, str(len(list(suite.iter(tag)))))
    suite.set("skipped", str(len(list(suite.iter("skipped")))))
    suites = Xml.Element("testsuites", name="mandate")
    suites.append(suite)
    Xml.indent(suites)
    stream.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    stream.write(Xml.tostring(suites, encoding="unicode") + "\n")


def _case(suite: Xml.Element, finding: Finding, link: Link | None) -> None:
    case = Xml.SubElement(suite, "testcase", classname=visible(finding.rule), name=visible(finding.term))
    message = visible(finding.message or finding.comparison, _LONGEST)
    if finding.outcome.blocks:
        failure = Xml.SubElement(case, "failure", message=message, type=finding.outcome.value)
        failure.text = "\n".join(_lines(finding, link))
    elif finding.outcome is FindingOutcome.WAIVED:
        Xml.SubElement(case, "skipped", message=message)
    elif finding.outcome is FindingOutcome.WARNING:
        Xml.SubElement(case, "system-out").text = f"warning: {message}"


def _lines(finding: Finding, link: Link | None) -> list[str]:
    bound = f"bound set at {finding.bound_set_at}" if finding.bound_set_at else None
    said = (finding.message, finding.solution, bound, *finding.controls)
    lines = [visible(each, _LONGEST) for each in said if each]
    return lines if link is None else [*lines, visible(link(finding.rule), _LONGEST)]


def _name(answer: Answer) -> str:
    subject, request = answer.document.subject, answer.document.request
    what_if = "what if: " if answer.what_if else ""
    return visible(f"{what_if}{request.action} {subject.uri} to {request.environment}", _LONGEST)


def _properties(answer: Answer) -> dict[str, str]:
    receipt = answer.receipt
    recorded = {} if receipt is None else {"decision": receipt.id, "ledger.index": str(receipt.index)}
    return {
        "outcome": answer.outcome.value,
        "what_if": str(answer.what_if).lower(),
        **recorded,
        "subject.sha256": answer.document.subject.sha256 or "",
        "policy.revision": answer.judgement.policy.revision,
    }
