"""`mandate waive`."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from ..configuration import Configuration
from ..report.visible import visible
from . import consent, options

if TYPE_CHECKING:
    from ..evidence.keys import Signer


@click.command("waive")
@click.argument("rule")
@click.argument("subject")
@click.option(
    "--until",
    required=True,
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"]),
    help="The first instant at which it no longer counts: a day (its first instant) or an instant in UTC.",
)
@consent.grounds(required=True)
@consent.basis
@consent.confirmed
@options.person
@options.output
@options.configured
def command(
    rule: str,
    subject: str,
    until: datetime,
    reason: str,
    reference: str,
    decision: str | None,
    action: str | None,
    environment: str | None,
    yes: bool,
    output: str,
    signer: Signer,
    configuration: Configuration,
) -> int:
    """Answer for a violation, for a time, signed with your own key.

    RULE is a rule or one term of it, drift.psi:income, and SUBJECT a version, models:/credit/3. The violation
    stays in each decision, with who waived it and why. The waiver is for this artifact alone.
    """
    from ... import composition

    consent.refuse_silence(output, yes)
    ends = until.replace(tzinfo=UTC)
    with ExitStack() as stack:
        who = composition.consenting(configuration, signer, stack)
        record = composition.shown(configuration, subject, decision, action=action, environment=environment)
        who.check_waiver(record, rule, ends)
        model = record.document.subject
        if output == "text":
            consent.show(record, link=composition.documentation(configuration))
            facts = (
                ("rule", rule),
                ("until", f"{ends:%Y-%m-%d %H:%M} UTC"),
                ("reason", f"{reason} ({reference})"),
                ("model", f"{model.uri}, sha256 {model.sha256}"),
                ("policies", record.judgement.policy.revision),
            )
            if not consent.agreed("Waive it?", facts, who=who, yes=yes):
                return consent.declined()
        receipt = who.waive(record, rule, until=ends, reason=reason, reference=reference)
    if output == "json":
        said = {"approver": who.name, "rule": rule, "subject": model.uri, "sha256": model.sha256}
        consent.as_json(receipt, **said, expires=f"{ends:%Y-%m-%dT%H:%M:%SZ}", decision=record.receipt.id)
    else:
        words = f"{visible(who.name)} waived {visible(rule)} for {visible(model.uri)}"
        consent.done(receipt, f"{words} until {ends:%Y-%m-%d}")
    return 0
