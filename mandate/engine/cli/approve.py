"""`mandate approve`."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from ..report.visible import visible
from . import consent, options, sides

if TYPE_CHECKING:
    from .sides import Open


@click.command("approve")
@click.argument("subject")
@click.option("--role", required=True, help="In which role you approve.")
@consent.grounds(required=False)
@consent.basis
@consent.confirmed
@options.output
@sides.side
def command(
    subject: str,
    role: str,
    reference: str | None,
    reason: str | None,
    decision: str | None,
    sha256: str | None,
    action: str | None,
    environment: str | None,
    yes: bool,
    output: str,
    side: Open,
) -> int:
    """Approve a model version, signed with your own key.

    SUBJECT is a version, models:/credit/3 or models:/credit@challenger. You are shown what is found of it,
    and you approve that: if the model or its findings change, your approval no longer counts.

    With --server, a service shows it and records what you sign, and you need no mandate.yaml. With --out it
    is only written to a file; then --decision can also name a file of `mandate check --proof`.
    """
    consent.refuse_silence(output, yes)
    with ExitStack() as stack:
        opened = side(stack)
        who, asked = opened.who, {"action": action, "environment": environment}
        record = opened.shown(subject, decision, sha256=sha256, **asked)
        who.check_approval(record, role)
        model = record.document.subject
        why = (("reason", reason), ("reference", reference))
        if output == "text":
            consent.show(record, link=opened.link)
            facts = (
                ("model", f"{model.uri}, sha256 {model.sha256}"),
                ("policies", record.judgement.policy.revision),
                *((name, said) for name, said in why if said),
                ("findings", f"{len(record.judgement.decision.findings)}, of entry {record.receipt.index}"),
            )
            if not consent.agreed(f"Approve it as {visible(role)}?", facts, side=opened, yes=yes):
                return consent.declined()
        signed = who.approve(record, role, reference=reference, reason=reason)
    if output == "json":
        said = {"approver": who.name, "role": role, "subject": model.uri, "sha256": model.sha256}
        consent.as_json(signed, opened, **said, decision=record.receipt.id)
    else:
        consent.done(signed, f"{visible(who.name)} approved {visible(model.uri)} as {visible(role)}")
    return 0
