"""`mandate approve`."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from ..configuration import Configuration
from ..report.visible import visible
from . import consent, options

if TYPE_CHECKING:
    from ..evidence.keys import Signer


@click.command("approve")
@click.argument("subject")
@click.option("--role", required=True, help="In which role you approve.")
@consent.grounds(required=False)
@consent.basis
@consent.confirmed
@options.person
@options.output
@options.configured
def command(
    subject: str,
    role: str,
    reference: str | None,
    reason: str | None,
    decision: str | None,
    action: str | None,
    environment: str | None,
    yes: bool,
    output: str,
    signer: Signer,
    configuration: Configuration,
) -> int:
    """Approve a model version, signed with your own key.

    SUBJECT is a version, models:/credit/3 or models:/credit@challenger. You are shown what is found of it,
    and you approve that: if the model or its findings change, your approval no longer counts.
    """
    from ... import composition

    consent.refuse_silence(output, yes)
    with ExitStack() as stack:
        who = composition.consenting(configuration, signer, stack)
        asked = {"action": action, "environment": environment}
        record = composition.shown(configuration, subject, decision, **asked)
        who.check_approval(record, role)
        model = record.document.subject
        if output == "text":
            consent.show(record, link=composition.documentation(configuration))
            facts = (
                ("model", f"{model.uri}, sha256 {model.sha256}"),
                ("policies", record.judgement.policy.revision),
                ("findings", f"{len(record.judgement.decision.findings)}, of entry {record.receipt.index}"),
            )
            if not consent.agreed(f"Approve it as {visible(role)}?", facts, who=who, yes=yes):
                return consent.declined()
        receipt = who.approve(record, role, reference=reference, reason=reason)
    if output == "json":
        said = {"approver": who.name, "role": role, "subject": model.uri, "sha256": model.sha256}
        consent.as_json(receipt, **said, decision=record.receipt.id)
    else:
        consent.done(receipt, f"{visible(who.name)} approved {visible(model.uri)} as {visible(role)}")
    return 0
