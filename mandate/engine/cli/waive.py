"""`mandate waive`."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from ..report.visible import visible
from . import consent, options, sides

if TYPE_CHECKING:
    from .sides import Open


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
@options.output
@sides.side
def command(
    rule: str,
    subject: str,
    until: datetime,
    reason: str,
    reference: str,
    decision: str | None,
    sha256: str | None,
    action: str | None,
    environment: str | None,
    yes: bool,
    output: str,
    side: Open,
) -> int:
    """Answer for a violation, for a time, signed with your own key.

    RULE is a rule or one term of it, drift.psi:income, and SUBJECT a version, models:/credit/3. The violation
    stays in each decision, with who waived it and why. The waiver is for this artifact alone.

    With --server, a service shows it and records what you sign, and you need no mandate.yaml. With --out it
    is only written to a file; then --decision can also name a file of `mandate check --proof`.
    """
    consent.refuse_silence(output, yes)
    ends = until.replace(tzinfo=UTC)
    with ExitStack() as stack:
        opened = side(stack)
        who, asked = opened.who, {"action": action, "environment": environment}
        record = opened.shown(subject, decision, sha256=sha256, **asked)
        who.check_waiver(record, rule, ends)
        model = record.document.subject
        if output == "text":
            consent.show(record, link=opened.link)
            facts = (
                ("rule", rule),
                ("until", f"{ends:%Y-%m-%d %H:%M} UTC"),
                ("reason", f"{reason} ({reference})"),
                ("model", f"{model.uri}, sha256 {model.sha256}"),
                ("policies", record.judgement.policy.revision),
            )
            if not consent.agreed("Waive it?", facts, side=opened, yes=yes):
                return consent.declined()
        signed = who.waive(record, rule, until=ends, reason=reason, reference=reference)
    if output == "json":
        said = {"approver": who.name, "rule": rule, "subject": model.uri, "sha256": model.sha256}
        said["expires"] = f"{ends:%Y-%m-%dT%H:%M:%SZ}"
        consent.as_json(signed, opened, **said, decision=record.receipt.id)
    else:
        words = f"{visible(who.name)} waived {visible(rule)} for {visible(model.uri)}"
        consent.done(signed, f"{words} until {ends:%Y-%m-%d}")
    return 0
